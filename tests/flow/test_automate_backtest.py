"""Backtests on stored records: what would have fired, what would be sent, held, muted, limited."""

import json
from collections import Counter
from contextlib import ExitStack, closing
from dataclasses import replace

import pytest
from automating import BLOCK, SOURCE, START, TurnedClock, definition
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from builders import as_bytes, message
from pod_desktop import content, store
from pod_desktop.core.clock import DAY, HOUR, MINUTE, SECOND
from pod_desktop.core.faults import UserFault
from pod_desktop.core.guards import Surroundings
from pod_desktop.core.playbook import playbook_from_file
from pod_desktop.core.playbook_limits import ACT, HELD, LIMITED, MUTED
from pod_desktop.core.record import Arrival
from pod_desktop.services import playbooks
from pod_desktop.services.automate_fire import Desk
from pod_desktop.services.automate_judge import Judge
from pod_desktop.services.automate_match import Facts, compile_rule
from pod_desktop.services.importing import TENANT
from pod_desktop.simulator.generator import Generator
from pod_desktop.store.port import BACKFILL, LIVE, Commit, Source

NOW = START // HOUR * HOUR
AROUND = Surroundings(own_domains=frozenset({"acme.test"}))


def raw(sender="billing@bad.test", *, ago=HOUR, **more):
    more = {"disposition": "discard", "folder": "Phish"} | more
    return as_bytes(message(sender=sender, time=NOW - ago, **more))


def commit(folder, raws, *, lane=BACKFILL, source=SOURCE):
    writer = store.open_writer(folder, clock=TurnedClock())
    try:
        for at in range(0, len(raws), 2_000):
            records = [Arrival(content.read("message", one, NOW), one) for one in raws[at : at + 2_000]]
            writer.commit(Commit(source=source, lane=lane, records=records, stream="acme/message"))
    finally:
        writer.close()


def tried(folder, raws=(), *, source=SOURCE, around=AROUND, **changes):
    how = {
        name: changes.pop(name) for name in ("since", "until", "on_progress", "cancelled") if name in changes
    }
    if raws:
        commit(folder, raws, source=source)
    reader = store.open_reader(folder)
    try:
        return playbooks.try_out(
            playbook_from_file(definition(**changes)),
            reader=reader,
            connectors=[],
            surroundings=around,
            now=NOW,
            **how,
        )
    finally:
        reader.close()


def test_a_backtest_says_how_many_records_it_looked_through(tmp_path):
    passed = {"disposition": "continue", "folder": ""}
    raws = [raw(guid="g1"), raw(guid="g2", **passed), raw(guid="g3", **passed), raw(guid="old", ago=9 * DAY)]
    report = tried(tmp_path, raws, since=NOW - DAY)
    assert (report.records, report.looked_through) == (1, 3)
    other = [raw(guid="elsewhere", **passed)]
    commit(tmp_path, other, source=Source(connector="beta", tenant="Beta", cluster_id="beta_hosted"))
    assert tried(tmp_path, since=NOW - DAY).looked_through == 3
    assert tried(tmp_path, since=NOW - DAY, tenant="All Tenants").looked_through == 4


def test_a_backtest_says_when_on_which_key_by_which_records_and_what_it_would_send(tmp_path):
    raws = [raw(guid=f"g{number}", ago=HOUR - number * MINUTE) for number in range(3)]
    report = tried(tmp_path, raws, group_by="sender", at_least=3)
    (fired,) = report.firings
    assert (report.records, fired.key, fired.outcome) == (3, "billing@bad.test", ACT)
    assert fired.records == ("message:g0", "message:g1", "message:g2")
    assert fired.time == NOW - HOUR + 2 * MINUTE
    (row,) = fired.rows
    assert json.loads(row.body)["value"] == "billing@bad.test"
    assert report.histogram(HOUR) == [(NOW - HOUR, ACT, 1)]


def test_the_outcomes_of_a_backtest(tmp_path):
    raws = [raw("a@bad.test", ago=3 * HOUR), raw("a@bad.test", ago=2 * HOUR), raw("boss@acme.test", ago=HOUR)]
    raws += [raw(f"s{number}@bad.test", ago=SECOND * (50 - number)) for number in range(12)]
    report = tried(tmp_path, raws)
    assert [one.outcome for one in report.firings] == [ACT, MUTED, HELD, *[ACT] * 10, *[LIMITED] * 2]
    shape = playbooks.report_to_json(report)
    assert shape["records"] == 15
    assert set(shape["firings"][0]) >= {"time", "key", "records", "outcome"}
    assert shape["firings"][0]["key"] is None


def test_a_record_counts_for_each_of_its_recipients(tmp_path):
    people = [f"p{number}@acme.test" for number in range(6)]
    report = tried(
        tmp_path, [raw(recipients=people), raw(recipients=people[:2])], group_by="recipient", at_least=2
    )
    assert sorted(one.key for one in report.firings) == people[:2]


@pytest.mark.parametrize(
    "field",
    ["sender", "sender.domain", "header_from", "header_from.domain", "recipient", "ip", "country", "folder", "module",
     "direction", "rule", "subject", "message_id", "qid", "score", "connection.helo"],
)  # fmt: skip
def test_keys_are_those_that_the_records_themselves_give(mail, field):
    """Wherever they are read from: rows, columns of the store, or whole records."""
    folder, raws = mail
    playbook = playbook_from_file(definition(query="", group_by=field))
    rule = compile_rule(playbook, NOW)
    expected = Counter(
        key.casefold() for one in raws for key in rule.keys(Facts("message", one, SOURCE, time=0))
    )
    assert expected
    with closing(store.open_reader(folder)) as reader:
        report = playbooks.try_out(
            playbook, reader=reader, connectors=[], surroundings=AROUND, now=NOW, since=0, until=NOW + DAY
        )
    assert report.keys == expected


@pytest.fixture(scope="module")
def mail(tmp_path_factory):
    """As many messages of the simulator as take more than one part of a backtest."""
    folder = tmp_path_factory.mktemp("mail")
    items = Generator(5, "acme_hosted", archive_rate=1.0).records("message", NOW - 2 * HOUR, NOW)
    raws = [item.frame for item, _ in zip(items, range(400), strict=False)]
    commit(folder, raws)
    assert len(raws) > 300
    return folder, raws


def test_actions_may_name_every_record_of_a_firing(tmp_path):
    raws = [
        raw(guid=f"g{number}", ago=HOUR - number * MINUTE, subject=f"No. {number}") for number in range(3)
    ]
    body = {
        "action": "add", "attribute": "$from", "operator": "equal", "value": "{key}",
        "comment": "{records[0].guid} {records[1].guid} {records[2].guid} of {count}",
    }  # fmt: skip
    report = tried(tmp_path, raws, group_by="sender", at_least=3, actions=[BLOCK | {"body": body}])
    assert json.loads(report.firings[0].rows[0].body)["comment"] == "g0 g1 g2 of 3"


def test_grouping_by_a_path_of_the_record(tmp_path):
    report = tried(tmp_path, [raw(), raw()], group_by="connection.helo", at_least=2)
    assert [one.key for one in report.firings] == ["mail.supplier.example"]


def test_only_the_range_and_the_tenant_are_tried_and_imported_records(tmp_path):
    commit(tmp_path, [raw(ago=8 * DAY), raw(ago=-HOUR)])
    commit(tmp_path, [raw()], source=replace(SOURCE, tenant="Other"))
    commit(
        tmp_path,
        [raw("imported@bad.test")],
        source=Source(connector="import:x", tenant=TENANT, cluster_id=""),
    )
    report = tried(tmp_path)
    assert [json.loads(one.rows[0].body)["value"] for one in report.firings] == ["imported@bad.test"]
    assert tried(tmp_path, since=NOW - 9 * DAY).fired == 2


def test_a_backtest_is_cancelled_at_once_and_tells_how_far_it_came(tmp_path):
    seen = []
    raws = [raw(ago=number * MINUTE) for number in range(1, 1_000)]
    report = tried(
        tmp_path,
        raws,
        on_progress=lambda report: seen.append(report.records),
        cancelled=lambda: len(seen) >= 2,
    )
    assert report.cancelled and report.records == seen[-1] == 768
    assert 0 < report.share < 1


def test_a_query_or_a_field_that_cannot_be_understood_is_said(tmp_path):
    with pytest.raises(UserFault):
        tried(tmp_path, query="sender:(")
    with pytest.raises(UserFault, match="no field"):
        tried(tmp_path, group_by="colour")
    with pytest.raises(UserFault, match="several fields"):
        tried(tmp_path, group_by="from")


def test_a_scheduled_playbook_is_judged_at_its_runs(tmp_path):
    raws = [raw(f"s{number}@bad.test", ago=HOUR - number * MINUTE) for number in range(12)]
    report = tried(tmp_path, raws, every="1h", limits={"distinct": 5})
    assert [one.outcome for one in report.firings].count(ACT) in (5, 6)  # a run of its own for the first


TIMES = st.lists(st.tuples(st.integers(0, 12), st.sampled_from("abA")), min_size=1, max_size=25)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(TIMES, st.integers(1, 4), st.integers(1, 6), st.randoms(use_true_random=False))
def test_live_on_a_shuffled_stream_fires_as_the_backtest_of_the_same_records(
    tmp_path_factory, times, at_least, within, dice
):
    """The whole way: a store, a judge that takes it in pieces and is begun anew in between."""
    folder = tmp_path_factory.mktemp("law")
    clock = TurnedClock()
    clock.time = NOW
    raws = [
        raw(f"{key}@bad.test", ago=13 * MINUTE - time * MINUTE, guid=f"g{number}")
        for number, (time, key) in enumerate(times)
    ]
    dice.shuffle(raws)
    playbook = playbook_from_file(definition(group_by="sender", at_least=at_least, within=f"{within}m"))
    with ExitStack() as closing_all:
        writer = closing_all.enter_context(closing(store.open_writer(folder / "events", clock=clock)))
        reader = closing_all.enter_context(closing(store.open_reader(folder / "events")))
        book = closing_all.enter_context(closing(store.Playbooks(folder / "playbooks.db")))
        book.add(playbook, author="ann", now=NOW)

        def new_judge():
            return Judge(book, reader, clock, lambda now: Desk(responders={}, around=lambda tenant: AROUND))

        judge = new_judge()
        judge.turn()
        while raws:
            count = dice.randint(1, 6)
            part, raws = raws[:count], raws[count:]
            records = [Arrival(content.read("message", one, NOW), one) for one in part]
            writer.commit(Commit(source=SOURCE, lane=LIVE, records=records, stream="acme/message"))
            if dice.random() < 0.8:
                judge.turn()
            if dice.random() < 0.3:
                judge = new_judge()
        judge.turn()
        report = playbooks.try_out(playbook, reader=reader, connectors=[], surroundings=AROUND, now=NOW)
        assert book.entry("Wave").counters["matches"] == report.records == len(times)
        assert book.entry("Wave").counters["firings"] == report.fired
        # All of them are held, having no responder: one row a key.
        assert {row.key.casefold() for row in book.rows()} == set(report.keys)


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """Four days of the demo's messages."""
    folder = tmp_path_factory.mktemp("demo")
    begin = 1_795_132_800 * SECOND  # a fixed Friday: what is simulated follows from the time
    items = Generator(1, "acme_hosted").records("message", begin, begin + 4 * DAY)
    commit(folder, [item.frame for item in items])
    return folder, begin


@pytest.mark.parametrize("file", [one.file for one in playbooks.templates()])
def test_each_template_fires_on_the_demo_and_explains_itself(demo, file):
    folder, begin = demo
    template = next(one for one in playbooks.templates() if one.file == file)
    reader = store.open_reader(folder)
    try:
        report = playbooks.try_out(
            template.for_tenant("Acme"), reader=reader, connectors=[], surroundings=AROUND,
            now=begin + 4 * DAY, since=begin,
        )  # fmt: skip
    finally:
        reader.close()
    assert report.fired >= 1
    rows = [row for one in report.firings for row in one.rows]
    assert "unfit" not in {reason.code for row in rows for reason in row.reasons}
    assert ACT in {row.outcome for row in rows}
    assert len(template.explanation) > 100
    assert len(report.firings) < 200


def test_five_templates_come_with_the_program():
    names = [one.playbook.name for one in playbooks.templates()]
    assert len(names) == len(set(names)) == 5
    clone = playbooks.templates()[0].for_tenant("Other", responder="Mine")
    assert {action.responder for action in clone.actions if action.responder} == {"Mine"}
    assert clone.tenant == "Other"


def test_what_would_keep_a_playbook_from_acting_is_said():
    playbook = playbook_from_file(definition(actions=[BLOCK]))
    assert "no enabled responder named Block" in playbooks.warnings(playbook, [])[0]
