"""The Action History: filtered, searched, exported, told step by step, and its chain of hashes."""

import csv
import io
import json
import sqlite3
from dataclasses import replace

import pytest

from pod_desktop.core.action import FAILED, IN_PROGRESS, SUCCEEDED, Action, Entry, Request
from pod_desktop.core.clock import DAY, parse_iso
from pod_desktop.core.faults import Outage, UserFault
from pod_desktop.core.responder import TYPES
from pod_desktop.services.history import COLUMNS, HistoryFilter, as_object, detail, find, to_csv, to_json
from pod_desktop.store import Journal

NOW = parse_iso("2026-11-24T12:00Z")


def action(number, **changes):
    request = Request(
        method="POST", url="https://api.test/x?clusterId=c", body=b'{"a":"\xc3\xa9"}', digest="d"
    )
    made = Action(
        id=f"{NOW + number:016x}-0000", time=NOW + number, actor="person ann", responder="block", type=TYPES[0],
        tenant="Acme", cluster_id="c", action="add", list="block",
        entry=Entry(attribute="$from", operator="equal", value=f"v{number}@bad.test"), request=request, status=IN_PROGRESS,
    )  # fmt: skip
    return replace(made, **changes)


@pytest.fixture
def journal(tmp_path):
    opened = Journal(tmp_path / "actions.db")
    yield opened
    opened.close()


def test_the_history_is_filtered_and_searched_newest_first(journal):
    journal.begin(action(1))
    journal.begin(action(2, actor="playbook Wave v3", responder="safe", list="safe", why="Ticket 4711"))
    journal.begin(action(3, time=NOW + DAY, id=f"{NOW + DAY:016x}-0000"))
    journal.change(action(2).id, at=NOW, status=SUCCEEDED, message="Done: the list confirms it.")

    def found(**filter):
        return [one.entry.value[:2] for one in find(journal, HistoryFilter(**filter))]

    assert [one.entry.value[:2] for one in find(journal)] == ["v3", "v2", "v1"]
    assert found(statuses=frozenset({SUCCEEDED})) == ["v2"]
    assert found(actors=frozenset({"playbook"})) == found(actors=frozenset({"playbook Wave v3"})) == ["v2"]
    assert found(responders=frozenset({"block"})) == ["v3", "v1"]
    assert found(lists=frozenset({"safe"})) == found(text="4711 TICKET") == found(text="confirms") == ["v2"]
    assert found(text="V1@bad") == ["v1"] and found(text="v1 v2") == []
    assert found(since=NOW + DAY) == ["v3"] and found(until=NOW + DAY) == ["v2", "v1"]
    assert len(find(journal, limit=2)) == 2


def test_programs_get_the_promised_members_and_spreadsheets_compute_nothing(journal):
    journal.begin(action(1, entry=Entry(attribute="$from", operator="equal", value="=1+1", comment="@x")))
    done = journal.change(action(1).id, at=NOW, status=SUCCEEDED, ended=NOW + 2_500_001, expires=NOW + DAY)
    assert tuple(as_object(done)) == COLUMNS
    (row,) = json.loads(to_json([done]))
    assert (row["time"], row["expires"]) == ("2026-11-24T12:00:00.000001Z", "2026-11-25T12:00:00.000000Z")
    assert as_object(replace(done, undone_by="x"))["expires"] is None
    header, cells = csv.reader(io.StringIO(to_csv([done]).decode()))
    told = dict(zip(header, cells, strict=True))
    assert (told["value"], told["comment"], told["took_s"]) == ("'=1+1", "'@x", "2.500")


def test_the_detail_tells_every_step_and_no_token(journal):
    journal.begin(action(1))
    journal.change(action(1).id, at=NOW + 1, attempts=1)
    journal.change(action(1).id, at=NOW + 2, http_status=400, response="no")
    journal.change(action(1).id, at=NOW + 3, status=FAILED, message="400: no", owner=0)
    told = detail(journal, action(1).id)
    assert [words for _, words in told.steps] == [
        "Intent committed.", "Attempt 1.", "The service answered 400.", "Failed. 400: no",
    ]  # fmt: skip
    assert "Bearer ********" in told.request and '{"a":"é"}' in told.request
    with pytest.raises(UserFault):
        detail(journal, "nothing")


def test_all_or_none_of_several_changes_are_made(journal):
    journal.begin_all([action(1), action(2)])
    with pytest.raises(UserFault):
        journal.begin_all([action(3), action(1)])
    assert len(journal.actions()) == 2
    with pytest.raises(UserFault):
        journal.change_all([(action(1).id, {"status": FAILED}), ("nothing", {})], at=NOW)
    assert journal.action(action(1).id).status == IN_PROGRESS
    with pytest.raises(ValueError, match="not fields"):
        journal.change(action(1).id, at=NOW, colour="red")
    assert journal.verify() == []


def test_the_beginning_of_an_id_will_do_where_it_fits_one_only(journal):
    journal.begin_all([action(1), action(2)])
    assert journal.action(action(2).id[:16]).id == action(2).id
    for text in (action(1).id[:10], "", "%", "zzz"):
        with pytest.raises(UserFault):
            journal.action(text)


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        ("update event set change = replace(change, 'v2@', 'x@') where seq = 2", "event 2"),
        ("update event set at = at + 1 where seq = 3", "event 3"),
        ("update event set change = x'00ff' where seq = 2", "event 2"),
        ("update event set hash = '' where seq = 1", "event 1"),
        ("delete from event where seq = 2", "event 2 is missing"),
        ("update event set seq = 10 where seq = 3", "event 3 is missing"),
        ("update action set state = replace(state, 'v1@', 'x@') where state like '%v1@%'", "does not stand"),
        ("update action set status = 'failed' where id like '%1-0000'", "does not stand"),
        ("update action set state = 'nonsense'", "does not stand"),
        ("delete from action where state like '%v2@%'", "missing from the table"),
        ("insert into action values('x', 'failed', 0, 'k', '{}')", "does not stand"),
        ("delete from event where seq = 4", "does not stand"),
    ],
)
def test_the_first_change_by_another_hand_is_found(tmp_path, sql, says):
    path = tmp_path / "actions.db"
    journal = Journal(path)
    journal.begin_all([action(1), action(2), action(3)])
    journal.change(action(1).id, at=NOW, attempts=1)
    assert journal.verify() == []
    journal.close()
    other = sqlite3.connect(path)
    with other:
        other.execute(sql)
    other.close()
    journal = Journal(path)
    (problem,) = journal.verify()
    assert says in problem
    journal.close()


@pytest.mark.parametrize("content", [b"no database at all" * 100, b"SQLite format 3\x00" + b"\xff" * 4096])
def test_a_damaged_journal_is_an_outage_with_words(tmp_path, content):
    path = tmp_path / "actions.db"
    path.write_bytes(content)
    with pytest.raises(Outage, match="damaged"):
        Journal(path)


def test_two_processes_that_want_the_same_step_and_one_gets_it(tmp_path):
    one, other = Journal(tmp_path / "a.db"), Journal(tmp_path / "a.db")
    one.begin(action(1))
    seen = other.version()
    one.change(action(1).id, at=NOW, expect=IN_PROGRESS, status=FAILED)
    assert other.version() != seen
    with pytest.raises(UserFault, match="failed by now"):
        other.change(action(1).id, at=NOW, expect=IN_PROGRESS, status=SUCCEEDED)
    one.close()
    other.close()
