"""Rebuilding damaged segments from their raw records: nothing lost, nothing doubled, keys as before."""

from __future__ import annotations

import random
import sys
import time
from contextlib import closing

import apsw
import pytest

from builders import as_bytes, message
from pod_desktop import content, store
from pod_desktop.core.clock import HOUR, SystemClock
from pod_desktop.core.record import Arrival
from pod_desktop.core.status import Counters
from pod_desktop.services import asking
from pod_desktop.store import LIVE, Ask, Commit, Source, repair, schema, verify
from pod_desktop.store.repair import WORKSHOP
from pod_desktop.store.writer import SegmentWriter

NOON = 1_790_000_000_000_000
SEGMENT = 300


def filled(made, names):
    """Two sealed segments of these connectors' records by turns, and one that is written."""
    writer = SegmentWriter(made, clock=SystemClock(), segment_records=SEGMENT)
    for number in range(14):
        name = names[number % len(names)]
        raws = [
            as_bytes(
                message(guid=f"g{number}-{place}", subject=f"Überweisung {place}", time=NOON + number * HOUR)
            )
            for place in range(50)
        ]
        records = [Arrival(content.read("message", raw, NOON), raw) for raw in raws]
        writer.commit(
            Commit(
                source=Source(connector=name, tenant=name, cluster_id="c"),
                lane=LIVE,
                records=records,
                stream=f"{name}/message",
                progress={"next": number},
                counters=Counters(received=50),
            )
        )
    while writer._upkeep.busy():
        time.sleep(0.01)
    writer.commit(
        Commit(source=Source(connector="x", tenant="x", cluster_id="c"), lane=LIVE, records=[], stream="x")
    )
    writer.close()
    assert verify(made) == []
    return made


@pytest.fixture
def folder(tmp_path):
    return filled(tmp_path / "events", ("beta", "acme"))


def whole(folder):
    """All that a reader sees."""
    with closing(store.open_reader(folder)) as reader:
        rows = reader.search(Ask(), limit=10_000)
        found = {
            query: reader.count(asking.ask(query, now=NOON))
            for query in ("überweisung", "connector:acme", "g3-7")
        }
        return [(row, bytes(reader.raw(row.seq))) for row in rows], found


def sealed(folder):
    return schema.segment_path(folder, 1)


def mend(folder):
    return repair(folder, content.read, content.sniff)


def pages_of(path, name):
    with closing(apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)) as db:
        return db.execute("select rootpage from sqlite_master where name = ?", (name,)).get


def spoil(path, name):
    """Overwrite the first page of a table or index with what is none."""
    page = pages_of(path, name)
    with path.open("r+b") as file:
        file.seek((page - 1) * schema.PAGE_BYTES)
        file.write(random.Random(7).randbytes(schema.PAGE_BYTES))


@pytest.mark.parametrize("name", ["ev_sender", "ev_time", "recipient", "minute", "hour", "ev"])
def test_a_spoilt_page_is_rebuilt_and_everything_reads_as_before(folder, name):
    before = whole(folder)
    spoil(sealed(folder), name)
    assert verify(folder)
    (done,) = mend(folder)
    if name == "ev":
        # Whose each record is cannot be told of two connectors: nothing is guessed, nothing is changed.
        assert done.records == 0 and "whose record" in done.why_not
        return
    assert (done.file, done.records, done.why_not) == ("segment-1.db", SEGMENT, "")
    assert verify(folder) == []
    assert whole(folder) == before
    assert not (folder / WORKSHOP).exists()
    assert mend(folder) == []


def test_of_one_connector_even_lost_rows_are_read_anew(tmp_path):
    folder = filled(tmp_path / "events", ("acme",))
    before = whole(folder)
    spoil(sealed(folder), "ev")
    (done,) = mend(folder)
    assert (done.records, done.why_not) == (SEGMENT, "")
    assert verify(folder) == []
    assert whole(folder) == before


def test_a_dropped_index_is_noticed_and_built_anew(folder):
    before = whole(folder)
    with closing(apsw.Connection(str(sealed(folder)))) as db:
        db.execute("drop index ev_rid")
    assert any("ev_rid is missing" in line for line in verify(folder))
    (done,) = mend(folder)
    assert done.records == SEGMENT
    assert verify(folder) == []
    assert whole(folder) == before


def test_wrong_counts_by_hour_are_noticed_and_counted_anew(folder):
    with closing(apsw.Connection(str(sealed(folder)))) as db:
        db.execute("update hour set n = n + 1 where hour = (select min(hour) from hour)")
    assert any("counts by hour" in line for line in verify(folder))
    (done,) = mend(folder)
    assert done.records == SEGMENT
    assert verify(folder) == []


@pytest.mark.parametrize(
    "damage",
    [
        "update top set n = n + 1 where field = 'outcome' and place = 1",
        "delete from top where field = 'sender' and place = 1",
        "insert into top select field, 4711, place, value, folded, n from top where field = 'rule'",
    ],
)
def test_wrong_lists_of_the_commonest_values_are_noticed_and_made_anew(folder, damage):
    with closing(apsw.Connection(str(sealed(folder)))) as db:
        db.execute(damage)
        assert db.changes()
    assert any("commonest values" in line for line in verify(folder))
    (done,) = mend(folder)
    assert done.records == SEGMENT
    assert verify(folder) == []


def test_a_segment_of_an_earlier_version_has_no_hours_nor_lists_and_is_sound(folder):
    with closing(apsw.Connection(str(sealed(folder)))) as db:
        db.execute("drop table hour")
        db.execute("drop table top")
    assert verify(folder) == []


def test_rows_that_are_gone_come_back_from_the_raw_records(folder):
    before = whole(folder)
    first = schema.first_seq(1)
    with closing(apsw.Connection(str(sealed(folder)))) as db:
        db.execute("delete from ev where seq between ? and ?", (first + 3, first + 9))
    (done,) = mend(folder)
    assert done.records == SEGMENT and any("rows" in line for line in done.problems)
    assert verify(folder) == []
    assert whole(folder) == before


def test_damaged_raw_records_are_left_alone_and_named(folder):
    path = sealed(folder)
    with closing(apsw.Connection(str(path))) as db:
        db.execute("update raw set block = zeroblob(50) where first = (select min(first) from raw)")
        db.execute("drop index ev_rid")
    before = path.read_bytes()
    (done,) = mend(folder)
    assert done.records == 0 and "damaged too" in done.why_not
    assert path.read_bytes() == before


def test_a_writer_goes_on_after_a_repair_and_knows_what_is_stored(folder):
    spoil(sealed(folder), "ev_sender")
    mend(folder)
    with closing(store.open_writer(folder, clock=SystemClock())) as writer:
        raws = [as_bytes(message(guid="g0-0", time=NOON)), as_bytes(message(guid="new", time=NOON))]
        records = [Arrival(content.read("message", raw, NOON), raw) for raw in raws]
        done = writer.commit(
            Commit(source=Source(connector="acme", tenant="acme", cluster_id="c"), lane=LIVE, records=records, stream="acme/message", counters=Counters(received=2))
        )  # fmt: skip
    assert (done.stored, done.duplicates) == (1, 1)
    assert verify(folder) == []


def test_a_repair_that_was_killed_leaves_the_old_file_and_is_begun_again(folder, monkeypatch):
    before = whole(folder)
    spoil(sealed(folder), "ev_sender")

    def killed(*_args):
        raise KeyboardInterrupt

    monkeypatch.setattr(sys.modules["pod_desktop.store.repair"], "_exchange", killed)
    with pytest.raises(KeyboardInterrupt):
        mend(folder)
    monkeypatch.undo()
    (folder / WORKSHOP).mkdir(exist_ok=True)
    (folder / WORKSHOP / "segment-1.db").write_bytes(b"half")
    assert mend(folder)[0].records == SEGMENT
    assert whole(folder) == before


@pytest.mark.parametrize("table", ["source", "code"])
def test_a_row_that_names_what_is_not_there_is_damage_and_no_bug(folder, table):
    with closing(apsw.Connection(str(sealed(folder)))) as db:
        db.execute(f"delete from {table} where id != 0")
    reader = store.open_reader(folder)
    rows = list(reader.search(Ask()))
    assert any("is damaged" in problem for problem in reader.problems())
    assert all(row.seq >> schema.SEQ_BITS != 1 for row in rows)
    reader.close()
