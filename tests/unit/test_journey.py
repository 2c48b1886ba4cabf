"""The journey of a message: the right records, in order, whatever came when, and what became of whom."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import MISSING, NOW, as_bytes, audit, maillog_from, maillog_to, message, real
from pod_desktop import content, store
from pod_desktop.core.clock import DAY, HOUR, MINUTE, SECOND, SystemClock
from pod_desktop.core.faults import Unwanted
from pod_desktop.core.record import AUDIT, MAILLOG, MESSAGE, Arrival, EventRow
from pod_desktop.services.journey import MOST_RECORDS, Journey, journey
from pod_desktop.store import BACKFILL, LIVE, Ask, Commit, Source
from pod_desktop.store.writer import SegmentWriter

HERE = Source(connector="acme", tenant="acme", cluster_id="acme_hosted")
Record = dict[str, Any]
QID = "4TkQz81bqw"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "events"


def kind_of(record: Record) -> str:
    return MAILLOG if "sm" in record else AUDIT if "audit" in record else MESSAGE


def keep(
    folder: Path, records: Sequence[Record], *, segment: int = 1_000, source: Source = HERE, lane: str = LIVE
) -> None:
    """Store records in this order."""
    writer = SegmentWriter(folder, clock=SystemClock(), segment_records=segment)
    for record in records:
        raw = as_bytes(record)
        arrival = Arrival(content.read(kind_of(record), raw, NOW), raw)
        writer.commit(Commit(source=source, lane=lane, records=[arrival], stream="acme/all"))
    writer.close()


def of(folder: Path, number: int = 0, *, kind: str = "", order: str = "oldest") -> Journey:
    """The journey of the record at this place."""
    reader = store.open_reader(folder)
    rows = list(reader.search(Ask(kinds=(kind,) if kind else ()), order="oldest"))
    found = journey(reader, rows[number])
    reader.close()
    return found


def told(found: Journey) -> list[tuple[int, str, str, str, str]]:
    return [(one.time, one.title, one.detail, one.tone, one.record_id) for one in found.events]


LEGAL, ITO = "legal@acme.example", "t.ito@acme.example"
GREY = "Deferred: 451 4.7.1 Greylisted"


def the_mail(**more: Any) -> list[Record]:
    """The one of the design: two recipients, one of them deferred twice."""
    return [
        message(guid="g1", qid=QID, time=NOW, sender="anna.k@partner.example", recipients=(LEGAL, ITO),
                **{"filter.durationSecs": 0.48, **more}),
        maillog_from(record_id="l1", qid=QID, time=NOW + 500_000, size="48204"),
        maillog_to(record_id="l2", qid=QID, time=NOW + 900_000, to=f"<{LEGAL}>", stat=GREY, dsn="4.7.1"),
        maillog_to(record_id="l3", qid=QID, time=NOW + SECOND, to=f"<{ITO}>", delay="00:00:01"),
        maillog_to(record_id="l4", qid=QID, time=NOW + 5 * MINUTE, to=f"<{LEGAL}>", stat=GREY, dsn="4.7.1"),
        maillog_to(record_id="l5", qid=QID, time=NOW + 20 * MINUTE, to=f"<{LEGAL}>", delay="00:20:04"),
    ]  # fmt: skip


class TestOneMail:
    def test_all_of_it_stands_on_one_time_line(self, folder: Path) -> None:
        keep(folder, [*the_mail(), message(qid="other"), maillog_from(qid="other2", record_id="x")])
        found = of(folder)
        assert [one.title for one in found.events] == [
            "Accepted from 198.51.100.23", "Filter: continue", "Queued", f"Deferred: {LEGAL}", f"Sent: {ITO}",
            f"Deferred: {LEGAL}", f"Sent: {LEGAL}",
        ]  # fmt: skip
        assert [one.tone for one in found.events] == ["good", "good", "good", "warn", "good", "warn", "good"]
        assert found.events[0].detail == "mail.supplier.example · TLS 1.3 · SPF pass · DKIM pass"
        assert found.events[1].time == NOW + 480_000
        assert found.events[1].detail == "spam 2 · rule notspam · route default_inbound · 0.48 s"
        assert found.events[2].detail.startswith("nrcpts=2 · size 48,204")
        assert found.events[3].detail == "451 4.7.1 Greylisted · mx1.acme.example. [192.0.2.41] · attempt 1"
        assert found.events[5].detail.endswith("attempt 2")
        assert found.note == (
            "1 message record and 5 mail-log lines on cluster acme_hosted, joined by queue id"
        )

    def test_the_last_word_on_each_recipient_counts(self, folder: Path) -> None:
        keep(folder, the_mail())
        found = of(folder)
        assert [(one.recipient, one.outcome, one.delay, one.tries) for one in found.recipients] == [
            (LEGAL, "delivered", 1204, 3),
            (ITO, "delivered", 1, 1),
        ]
        assert found.verdict == "Delivered to 2 of 2 recipients · slowest 20 min 4 s"
        assert found.tone == "good"

    def test_an_event_leads_to_the_record_that_tells_it(self, folder: Path) -> None:
        keep(folder, the_mail())
        found = of(folder)
        for event in found.events:
            row = found.row(event.seq)
            assert row is not None and row.record_id == event.record_id
        assert {event.record_id for event in found.events} == {
            "message:g1",
            *(f"maillog:l{n}" for n in range(1, 6)),
        }

    def test_over_segment_borders_connectors_and_lanes(self, folder: Path) -> None:
        mail = the_mail()
        other = Source(connector="acme-maillog", tenant="acme", cluster_id="acme_hosted")
        keep(folder, [mail[0], message(), message()], segment=2)
        keep(folder, mail[3:], segment=2, source=other, lane=BACKFILL)
        keep(folder, mail[1:3], segment=2, source=other)
        assert len(of(folder).events) == 7

    def test_a_deferral_over_days_is_one_journey_and_not_yet_over(self, folder: Path) -> None:
        tries = [
            maillog_to(
                record_id=f"t{n}", qid=QID, time=NOW + n * 11 * HOUR, to=f"<{ITO}>", stat=GREY, dsn="4.7.1"
            )
            for n in range(12)
        ]
        keep(folder, [message(qid=QID, recipients=(ITO,)), *tries])
        for place in (0, 5, 12):
            found = of(folder, place)
            assert len(found.events) == 14
            assert (found.recipients[0].outcome, found.recipients[0].tries) == ("deferred", 12)
            assert found.verdict == "Still deferred for 1 of 1 recipient"

    def test_given_up_in_the_end(self, folder: Path) -> None:
        bounce = maillog_to(qid=QID, time=NOW + 4 * DAY, to=f"<{LEGAL}>", stat="User unknown", dsn="5.1.1")
        keep(folder, [*the_mail()[:3], bounce])
        found = of(folder)
        assert {one.recipient: one.outcome for one in found.recipients} == {LEGAL: "bounced", ITO: "other"}
        assert "no line about this recipient yet" in found.recipients[1].detail
        assert found.verdict == "Bounced for 1 of 2 recipients · not known for 1 of 2"
        assert found.tone == "bad"

    def test_handed_on_within_the_host_is_no_delivery(self, folder: Path) -> None:
        inside = maillog_to(
            qid=QID, time=NOW + 100_000, to=[f"<{LEGAL}>", f"<{ITO}>"], relay="localhost. [127.0.0.1]"
        )
        keep(folder, [the_mail()[0], inside, the_mail()[3]])
        found = of(folder)
        assert {one.recipient: one.outcome for one in found.recipients} == {LEGAL: "other", ITO: "delivered"}
        assert found.events[1].title == f"Handed on: {LEGAL}, {ITO}"

    def test_written_to_nowhere(self, folder: Path) -> None:
        nowhere = maillog_to(
            qid=QID, to="/dev/null", relay="", mailer="*file*", stat="Sent", time=NOW + SECOND
        )
        keep(folder, [message(qid=QID, disposition="discard", rule="bulk"), nowhere])
        found = of(folder)
        assert [(one.outcome, one.detail) for one in found.recipients] == [
            ("discarded", "discarded by the filter · rule bulk")
        ]
        keep(folder.with_name("lines"), [nowhere])
        assert of(folder.with_name("lines")).verdict == "Discarded: nobody gets this mail"
        keep(folder.with_name("passed"), [message(qid=QID), nowhere])
        assert of(folder.with_name("passed")).recipients[0].outcome == "discarded"

    def test_stopped_in_the_filter_it_has_no_line(self, folder: Path) -> None:
        keep(folder, [message(qid="3j6jew035h-1", disposition="reject", rule="rbl")])
        found = of(folder)
        assert "mail that stops in the filter has none" in found.note
        assert found.verdict == "Rejected for 1 of 1 recipient"

    def test_what_came_after_the_filter_is_not_known_without_a_line(self, folder: Path) -> None:
        keep(folder, [message(qid="3j6jew035h-1")])
        found = of(folder)
        assert "what came after the filter is not known" in found.note
        assert found.verdict == "Not known for 1 of 1 recipient"

    def test_recipients_are_one_however_they_are_written(self, folder: Path) -> None:
        keep(
            folder, [message(qid=QID, recipients=("T.Ito@ACME.example",)), maillog_to(qid=QID, to=f"<{ITO}>")]
        )
        (one,) = of(folder).recipients
        assert one.outcome == "delivered"


class TestJoining:
    def test_the_same_queue_id_on_another_cluster_is_another_mail(self, folder: Path) -> None:
        keep(folder, [*the_mail(), maillog_to(record_id="y", qid=QID, cluster="other_hosted", time=NOW + 2)])
        assert len(of(folder).events) == 7
        assert len(of(folder, 1).events) == 1

    def test_where_records_name_no_cluster_that_of_the_connector_counts(self, folder: Path) -> None:
        bare = {"metadata": MISSING, "pps": MISSING}
        line = maillog_to(qid=QID, time=NOW + SECOND, **bare)
        keep(folder, [message(qid=QID), line])
        keep(folder, [line | {"id": "strange"}], source=Source(connector="x", tenant="", cluster_id="other"))
        assert len(of(folder).events) == 3

    def test_hosts_of_a_cluster_with_the_same_queue_id_are_told_apart(self, folder: Path) -> None:
        agent = {"metadata.origin.data.agent": "m2.ppops.net"}
        second = [
            message(guid="g2", qid=QID, time=NOW + 1, **agent),
            maillog_to(record_id="z", qid=QID, time=NOW + 3, **agent),
        ]
        keep(folder, [*the_mail(), *second])
        assert len(of(folder).rows) == 6
        assert {row.record_id for row in of(folder, 1).rows} == {"message:g2", "maillog:z"}

    def test_where_the_types_come_from_different_hosts_the_cluster_joins_them(self, folder: Path) -> None:
        keep(
            folder, [message(qid=QID, **{"metadata.origin.data.agent": "filter.ppops.net"}), *the_mail()[1:]]
        )
        assert len(of(folder).rows) == 6

    def test_the_same_queue_id_weeks_later_is_another_mail(self, folder: Path) -> None:
        later = [
            message(guid="g9", qid=QID, time=NOW + 9 * DAY),
            maillog_to(record_id="l9", qid=QID, time=NOW + 9 * DAY + 1),
        ]
        keep(folder, [*the_mail(), *later])
        assert len(of(folder, 0).rows) == 6
        assert len(of(folder, -1).rows) == 2

    def test_without_a_common_queue_id_the_message_id_joins(self, folder: Path) -> None:
        wanted = "abc.def@mail.partner.example"
        mail = message(qid="3j6jew035h-1", **{"msg.normalizedHeader.message-id": [wanted]})
        lines = [
            maillog_from(qid=QID, msgid=f"<{wanted.upper()}>", time=NOW + SECOND),
            maillog_to(qid=QID, time=NOW + 2 * SECOND),
        ]
        keep(folder, [mail, *lines])
        for place in range(3):
            found = of(folder, place)
            assert len(found.rows) == 3
            assert found.note.endswith("joined by queue id and Message-ID")

    def test_a_message_id_that_was_used_again_joins_nothing_that_is_whole(self, folder: Path) -> None:
        same = {"msg.normalizedHeader.message-id": ["1@x"]}
        whole = [
            message(guid="a", qid="q1", **same),
            maillog_from(record_id="b", qid="q1", msgid="<1@x>", time=NOW + 1),
        ]
        copy = message(guid="c", qid="3j6jew035h-2", time=NOW + 2, **same)
        keep(folder, [*whole, copy])
        assert [len(of(folder, place).rows) for place in range(3)] == [2, 2, 1]

    def test_splits_belong_to_their_parent(self, folder: Path) -> None:
        same = {"msg.normalizedHeader.message-id": ["2@x"]}
        parent = message(guid="parent", qid=QID, recipients=(LEGAL, ITO), **same)
        child = message(guid="child", qid="3j6jew035h-7", time=NOW + 3, recipients=(ITO,), disposition="discard",
                        rule="dlp", **same, **{"filter.origGuid": "parent"})  # fmt: skip
        keep(folder, [parent, child, maillog_to(qid=QID, to=f"<{LEGAL}>", time=NOW + SECOND)])
        for place in range(3):
            found = of(folder, place)
            assert len(found.rows) == 3
            assert {one.recipient: one.outcome for one in found.recipients} == {
                LEGAL: "delivered",
                ITO: "discarded",
            }
        assert "Split off" in [one.title for one in of(folder).events]


class TestLimits:
    def test_a_message_id_that_thousands_have_is_bounded_and_said(self, folder: Path) -> None:
        same = {"msg.normalizedHeader.message-id": ["same@x"]}
        writer = SegmentWriter(folder, clock=SystemClock())
        raws = [as_bytes(message(qid=f"3j6-{n}", time=NOW + n, **same)) for n in range(MOST_RECORDS + 200)]
        arrivals = [Arrival(content.read(MESSAGE, raw, NOW), raw) for raw in raws]
        writer.commit(Commit(source=HERE, lane=LIVE, records=arrivals, stream="a"))
        writer.close()
        found = of(folder, 100)
        assert len(found.rows) == 1
        assert "there are more" in found.note

    def test_it_stops_when_nobody_waits(self, folder: Path) -> None:
        keep(folder, the_mail())
        reader = store.open_reader(folder)
        row = next(iter(reader.search(Ask())))
        with pytest.raises(Unwanted):
            journey(reader, row, lambda: True)
        reader.close()

    def test_records_of_other_types_have_none(self, folder: Path) -> None:
        keep(folder, [audit()])
        found = of(folder)
        assert (found.events, found.recipients, found.verdict) == ((), (), "")
        assert found.note == "Records of this type have no journey."

    def test_published_records_have_one(self, folder: Path) -> None:
        writer = SegmentWriter(folder, clock=SystemClock())
        for kind in (MESSAGE, MAILLOG):
            arrivals = [Arrival(content.read(kind, raw, NOW), raw) for raw in real(kind)]
            writer.commit(Commit(source=HERE, lane=LIVE, records=arrivals, stream="a"))
        writer.close()
        reader = store.open_reader(folder)
        for row in list(reader.search(Ask())):
            found = journey(reader, row)
            assert row.seq in {one.seq for one in found.rows}
            assert found.events and found.to_json()["events"]
        reader.close()

    @pytest.mark.parametrize(
        "record",
        [
            message(qid="\u202eevil\x00", recipients=("\u202e<a@b>", "x" * 9_000)),
            message(qid="q" * 9_000, **{"filter.durationSecs": "1e999", "filter.startTime": 7}),
            message(qid="q", **{"filter.durationSecs": [-3], "filter.origGuid": {"a": 1}, "msg": []}),
            message(qid="q", guid="g", **{"filter.origGuid": "g"}),
            maillog_to(qid="q", to=[], stat=""),
            maillog_to(qid="q", **{"sm.stat": ["Sent"], "sm.delay": {}, "sm.to": 5}),
        ],
    )  # fmt: skip
    def test_hostile_records_are_told_too(self, folder: Path, record: Record) -> None:
        keep(folder, [record])
        found = of(folder)
        assert len(found.rows) == 1
        assert all("\u202e" not in f"{one.title}{one.detail}" for one in found.events)
        assert all("\u202e" not in f"{one.recipient}{one.detail}" for one in found.recipients)


def cases() -> list[Record]:
    same = {"msg.normalizedHeader.message-id": ["3@x"]}
    return [
        *the_mail(),
        message(guid="p", qid="q-p", time=NOW + 7, recipients=(LEGAL, ITO), **same),
        message(guid="c", qid="3j6-1", time=NOW + 8, recipients=(ITO,), **same, **{"filter.origGuid": "p"}),
        maillog_from(record_id="m1", qid="q-p", time=NOW + 9, msgid="<3@x>"),
        maillog_to(record_id="m2", qid="q-p", time=NOW + 3 * DAY, to=f"<{LEGAL}>"),
        maillog_to(record_id="m3", qid="q-p", time=NOW + 30 * DAY, to=f"<{ITO}>"),
        message(guid="f", qid="3j6-2", time=NOW, **{"msg.normalizedHeader.message-id": ["4@x"]}),
        maillog_from(record_id="n1", qid="q-n", time=NOW + 1, msgid="<4@x>"),
    ]


CASES = cases()


@settings(max_examples=15, deadline=None)
@given(order=st.permutations(range(len(CASES))), segment=st.integers(2, 20))
def test_a_journey_is_the_same_in_any_order_of_arrival_and_from_any_of_its_records(
    order: list[int], segment: int
) -> None:
    with TemporaryDirectory() as place:
        folder = Path(place) / "events"
        keep(folder, [CASES[number] for number in order], segment=segment)
        reader = store.open_reader(folder)
        rows: Iterator[EventRow] = reader.search(Ask())
        seen: dict[frozenset[str], object] = {}
        members: set[str] = set()
        for row in list(rows):
            found = journey(reader, row)
            ids = frozenset(one.record_id for one in found.rows)
            assert row.record_id in ids
            shown = (told(found), [one[:-1] for one in found.recipients], found.note, found.verdict)
            assert seen.setdefault(ids, shown) == shown
            members |= ids
        reader.close()
        assert sum(map(len, seen)) == len(members) == len(CASES)
        assert sorted(map(len, seen)) == [1, 2, 4, 6]
