"""What any event store must do: keep exactly, count exactly, find in order, be read while it is written."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from pod_desktop import store
from pod_desktop.core import limits
from pod_desktop.core.clock import HOUR, MINUTE, SECOND, SystemClock
from pod_desktop.core.faults import Outage, UserFault
from pod_desktop.core.record import FLAG_TRUNCATED, UNREADABLE, Arrival, Columns
from pod_desktop.core.status import Counters
from pod_desktop.query import parse
from pod_desktop.store import BACKFILL, LIVE, Ask, Commit, Place, Source, schema
from pod_desktop.store.writer import HAS_NAMED, SegmentWriter

NOON = 1_790_000_000_000_000
HERE = Source(connector="acme-pod", tenant="acme", cluster_id="acme_hosted")


def arrival(number: int, at: int | None = None, *, raw: bytes | None = None, **changes: object) -> Arrival:
    columns = Columns(
        kind="message", rid=f"id-{number}", time=NOON + number * SECOND if at is None else at, cluster="acme_hosted",
        qid=f"q{number}", message_id=f"m{number}@x.example", sender=f"s{number % 5}@Example.com",
        header_from="h@example.com", recipients=("r@corp.example",), subject=f"Subject {number}",
        ip=f"192.0.2.{number % 200}", country="de", outcome="delivered", disposition="continue", stat="", rule="clean",
        module="av", folder="", direction="inbound", score=number % 101, size=1000 + number, flags=0,
        text=f"Subject {number} s{number % 5}@Example.com",
    )._replace(**changes)  # fmt: skip
    return Arrival(columns, json.dumps({"n": number}).encode() if raw is None else raw)


def commit(
    records: list[Arrival], *, lane: str = LIVE, stream: str = "acme-pod/message", **more: object
) -> Commit:
    counters = Counters(received=len(records))
    return Commit(
        **{"source": HERE, "lane": lane, "records": records, "stream": stream, "counters": counters, **more}
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "events"


@pytest.fixture
def writer(folder: Path) -> Iterator[SegmentWriter]:
    opened = SegmentWriter(folder, clock=SystemClock(), segment_records=100)
    yield opened
    opened.close()


@pytest.fixture
def reader(folder: Path) -> Iterator[store.Reader]:
    opened = store.open_reader(folder)
    yield opened
    opened.close()


def sealed(writer: SegmentWriter) -> None:
    """Wait until the background has nothing to do."""
    until = time.monotonic() + 30
    while writer.busy():
        assert time.monotonic() < until
        time.sleep(0.005)
    writer.tidy()
    assert not writer.problems()


class TestKeeping:
    def test_raw_records_come_back_byte_for_byte(self, writer: SegmentWriter, reader: store.Reader) -> None:
        raws = [
            b"",
            b"\n",
            b"{}\n{}\n",
            b"\xff\xfe\x00",
            b"x" * 3_000_000,
            '{"ü": "\\ud800"}'.encode(),
            b"last",
        ]
        for number, raw in enumerate(raws):
            writer.commit(commit([arrival(number, raw=raw)]))
        writer.commit(commit([arrival(100 + number, raw=raw) for number, raw in enumerate(raws)]))
        writer.commit(commit([arrival(1000 + number) for number in range(150)]))
        writer.commit(commit([arrival(2000)]))
        sealed(writer)
        for base in (0, 100):
            for number, raw in enumerate(raws):
                row = reader.find("message", f"id-{base + number}")
                assert row is not None
                assert reader.raw(row.seq) == raw

    def test_rows_carry_what_was_stored(self, writer: SegmentWriter, reader: store.Reader) -> None:
        many = tuple(f"r{number}@corp.example" for number in range(9))
        writer.commit(
            commit([arrival(1, recipients=many, score=None, size=None, flags=FLAG_TRUNCATED, stat="Sent")])
        )
        (row,) = reader.search(Ask())
        assert row.record_id == "message:id-1"
        assert (row.tenant, row.connector, row.sender) == ("acme", "acme-pod", "s1@Example.com")
        assert (row.recipients, row.recipient_count) == (many[: limits.ROW_RECIPIENTS], 9)
        assert (row.subject, row.ip, row.outcome, row.stat, row.rule) == (
            "Subject 1",
            "192.0.2.1",
            "delivered",
            "Sent",
            "clean",
        )
        assert (row.score, row.size, row.flags) == (None, None, FLAG_TRUNCATED)
        assert reader.row(row.seq) == row
        assert reader.rows([row.seq, 1, row.seq]) == [row, row]
        assert reader.source(row.seq) == HERE

    def test_numbers_beyond_64_bits_do_not_stop_the_feed(
        self, writer: SegmentWriter, reader: store.Reader
    ) -> None:
        writer.commit(commit([arrival(1, score=1 << 70, size=-(1 << 80)), arrival(2)]))
        assert [row.score for row in reader.search(Ask())] == [2, None]

    def test_what_is_not_there_is_a_key_error(self, writer: SegmentWriter, reader: store.Reader) -> None:
        for number in (0, 1 << 24, 99 << 24):
            with pytest.raises(KeyError):
                reader.raw(number)
            with pytest.raises(KeyError):
                reader.row(number)
            with pytest.raises(KeyError):
                reader.source(number)
        assert reader.find("message", "nobody") is None


class TestCounting:
    def test_a_commit_is_records_progress_and_counters_at_once(
        self, writer: SegmentWriter, reader: store.Reader
    ) -> None:
        done = writer.commit(commit([arrival(1), arrival(2)], progress={"cursor": "a", "hours": [1]}))
        assert done == (2, 0, 0)
        writer.commit(commit([arrival(2), arrival(3, kind=UNREADABLE)], progress={"cursor": "b"}))
        for seen in (writer.progress("acme-pod/message"), reader.progress("acme-pod/message")):
            assert seen.values == {"cursor": "b", "hours": [1]}
            counters = seen.counters
            assert (counters.received, counters.stored, counters.duplicates, counters.quarantined) == (
                4,
                2,
                1,
                1,
            )
            assert counters.bytes_raw == 3 * len(b'{"n": 1}')
        assert reader.streams() == ["acme-pod/message"]
        assert reader.progress("nobody").counters == Counters()

    def test_a_tally_sees_only_what_is_new_and_is_committed_with_it(
        self, writer: SegmentWriter, reader: store.Reader
    ) -> None:
        def tally(values: Mapping[str, object], new: Sequence[Arrival]) -> dict[str, object]:
            told = values.get("ids", [])
            assert isinstance(told, list) and values["turn"] in (1, 2)
            return {"ids": told + [one.columns.rid for one in new]}

        for turn, numbers in ((1, (1, 2)), (2, (2, 2, 3))):
            records = [arrival(number) for number in numbers]
            writer.commit(commit(records, progress={"turn": turn}, tally=tally))
        assert reader.progress("acme-pod/message").values == {"turn": 2, "ids": ["id-1", "id-2", "id-3"]}

    def test_progress_is_kept_across_lanes_segments_and_restarts(self, folder: Path) -> None:
        for turn in range(4):
            writer = SegmentWriter(folder, clock=SystemClock(), segment_records=50)
            for part in range(4):
                number = (turn * 4 + part) * 40
                lane = (LIVE, BACKFILL)[part % 2]
                writer.commit(
                    commit([arrival(number + n) for n in range(40)], lane=lane, progress={"last": number})
                )
                writer.commit(commit([], lane=lane, stream="acme-pod/maillog", progress={"beat": number}))
            if turn % 2:
                sealed(writer)
            writer.close()
            reader = store.open_reader(folder)
            assert reader.progress("acme-pod/message").values == {"last": turn * 160 + 120}
            assert reader.progress("acme-pod/maillog").values == {"beat": turn * 160 + 120}
            assert reader.progress("acme-pod/message").counters.stored == (turn + 1) * 160
            reader.close()
        assert store.verify(folder) == []

    def test_totals_say_how_much_there_is(self, writer: SegmentWriter, reader: store.Reader) -> None:
        assert reader.totals()[:2] == (0, 0)
        for part in range(3):
            writer.commit(commit([arrival(part * 90 + n) for n in range(90)]))
        totals = reader.totals()
        assert (totals.records, totals.oldest, totals.newest) == (270, NOON, NOON + 269 * SECOND)
        assert totals.bytes_raw == sum(len(json.dumps({"n": n})) for n in range(270))
        assert totals.bytes_disk > 10_000


class TestDuplicates:
    def test_known_records_are_counted_and_not_stored_again(
        self, writer: SegmentWriter, reader: store.Reader
    ) -> None:
        assert writer.commit(commit([arrival(1), arrival(1), arrival(2)])) == (2, 1, 0)
        assert writer.commit(commit([arrival(2), arrival(3)], lane=BACKFILL)) == (1, 1, 0)
        assert reader.count(Ask()) == 3

    def test_the_same_id_of_another_type_is_another_record(
        self, writer: SegmentWriter, reader: store.Reader
    ) -> None:
        assert writer.commit(commit([arrival(1), arrival(1, kind="maillog")])) == (2, 0, 0)
        row = reader.find("maillog", "id-1")
        assert row is not None
        assert row.kind == "maillog"

    @pytest.mark.parametrize("restart", [False, True])
    def test_they_are_known_in_sealed_segments_whatever_their_time(self, folder: Path, restart: bool) -> None:
        writer = SegmentWriter(folder, clock=SystemClock(), segment_records=100)
        for part in range(5):
            writer.commit(commit([arrival(part * 100 + n) for n in range(100)]))
        sealed(writer)
        if restart:
            writer.close()
            writer = SegmentWriter(folder, clock=SystemClock(), segment_records=100)
        again = [arrival(n, NOON - HOUR * n) for n in range(0, 500, 7)]
        assert writer.commit(commit([*again, arrival(9999)])) == (1, len(again), 0)
        writer.close()

    def test_they_are_known_when_the_memory_of_them_is_lost_or_damaged(self, folder: Path) -> None:
        writer = SegmentWriter(folder, clock=SystemClock(), segment_records=100)
        for part in range(3):
            writer.commit(commit([arrival(part * 100 + n) for n in range(100)]))
        sealed(writer)
        writer.close()
        known = folder / "known.filter"
        whole = known.read_bytes()
        for damage in (whole[:1000], b"", whole[:5000] + b"\xff" + whole[5001:]):
            known.write_bytes(damage)
            writer = SegmentWriter(folder, clock=SystemClock(), segment_records=100)
            assert writer.commit(commit([arrival(n) for n in range(300)])) == (0, 300, 0)
            writer.close()

    def test_they_are_looked_up_in_sealed_segments_by_an_index(self, folder: Path) -> None:
        writer = SegmentWriter(folder, clock=SystemClock())
        writer.commit(commit([arrival(number) for number in range(200)]))
        writer.rotate()
        sealed(writer)
        writer.close()
        connection = schema.open_to_read(schema.segment_path(folder, 1))
        plan = [step[-1] for step in connection.execute(f"explain query plan {HAS_NAMED}", ("id-1",))]
        connection.close()
        assert any("ev_rid" in step for step in plan), plan
        assert not any("SCAN" in step for step in plan), plan

    def test_very_long_ids_are_told_apart(self, writer: SegmentWriter) -> None:
        long = "x" * 4_000
        for _ in range(2):
            done = writer.commit(
                commit([arrival(1, rid=long + "a"), arrival(2, rid=long + "b"), arrival(3, rid=long)])
            )
        assert done == (0, 3, 0)


class TestReading:
    def test_order_is_by_time_then_seq_and_pages_join_without_a_seam(
        self, writer: SegmentWriter, reader: store.Reader
    ) -> None:
        for part in range(8):
            records = [arrival(part * 40 + n, NOON + (n * 7 + part) % 30 * SECOND) for n in range(40)]
            writer.commit(commit(records, lane=(LIVE, BACKFILL)[part % 2]))
        rows = list(reader.search(Ask()))
        assert len(rows) == 320
        assert [(row.time, row.seq) for row in rows] == sorted(
            ((row.time, row.seq) for row in rows), reverse=True
        )
        assert list(reader.search(Ask(), order="oldest")) == rows[::-1]
        for order, whole in (("newest", rows), ("oldest", rows[::-1])):
            paged, after = [], None
            while page := list(reader.search(Ask(), order=order, after=after, limit=37)):
                paged += page
                after = Place(page[-1].time, page[-1].seq)
            assert paged == whole
        assert list(reader.search(Ask(), limit=0)) == []

    def test_bounds_types_and_connectors_narrow_every_answer(
        self, writer: SegmentWriter, reader: store.Reader
    ) -> None:
        other = Source(connector="other", tenant="t2", cluster_id="c2")
        writer.commit(commit([arrival(n) for n in range(150)]))
        writer.commit(
            commit([arrival(200 + n, NOON + n * SECOND, kind="maillog") for n in range(150)], source=other)
        )
        ask = Ask(since=NOON + 10 * SECOND, until=NOON + 20 * SECOND)
        assert len(list(reader.search(ask))) == reader.count(ask) == 20
        assert reader.count(Ask(kinds=("maillog",), since=ask.since, until=ask.until)) == 10
        assert reader.count(Ask(connectors=("other",))) == 150
        assert reader.count(Ask(connectors=("nobody",))) == 0
        assert reader.count(Ask(kinds=("audit",))) == 0
        assert reader.count_by(ask, "connector") == [("acme-pod", 10), ("other", 10)]

    def test_histogram_counts_outcomes_by_interval(self, writer: SegmentWriter, reader: store.Reader) -> None:
        for part in range(3):
            outcome = ("delivered", "quarantined", "delivered")[part]
            writer.commit(commit([arrival(part * 100 + n, outcome=outcome) for n in range(100)]))
        sealed(writer)
        by_minute = reader.histogram(Ask(), MINUTE)
        assert sum(count for _, _, count in by_minute) == 300
        assert by_minute == sorted(by_minute)
        assert all(start % MINUTE == 0 for start, _, _ in by_minute)
        odd = reader.histogram(
            Ask(since=NOON + 5 * SECOND, tree=parse("outcome:quarantined", NOON)), 7 * SECOND
        )
        assert sum(count for _, _, count in odd) == 100
        assert {outcome for _, outcome, _ in odd} == {"quarantined"}
        with pytest.raises(UserFault):
            reader.histogram(Ask(), 0)

    def test_values_of_a_field_are_counted_most_frequent_first(
        self, writer: SegmentWriter, reader: store.Reader
    ) -> None:
        people = [("a@X.example", "b@y.example"), ("A@x.example",), (), ("b@y.example", "B@y.example")]
        writer.commit(commit([arrival(n, recipients=to, score=None) for n, to in enumerate(people)]))
        assert reader.count_by(Ask(), "recipient") == [("a@x.example", 2), ("b@y.example", 2)]
        assert reader.count_by(Ask(), "recipient.domain") == [("x.example", 2), ("y.example", 2)]
        assert reader.count_by(Ask(), "score") == []
        assert reader.count_by(Ask(), "type") == [("message", 4)]
        assert reader.count_by(Ask(), "msg_class", 1) == [("proofpoint_on_demand_message", 4)]
        with pytest.raises(UserFault):
            reader.count_by(Ask(), "some.path")
        by_path = Ask(values=lambda kind, raw, source, field: [json.loads(raw)["n"] % 2])
        assert reader.count_by(by_path, "n") == [("0", 2), ("1", 2)]

    def test_what_columns_cannot_decide_is_asked_of_the_raw_record(
        self, writer: SegmentWriter, reader: store.Reader
    ) -> None:
        for part in range(3):
            writer.commit(commit([arrival(part * 90 + n) for n in range(90)]))
        tree = parse("$.n:>=100 AND score:<50", NOON)
        with pytest.raises(UserFault):
            list(reader.search(Ask(tree=tree)))
        asked: list[Source] = []

        def matches(kind: str, raw: bytes, source: Source) -> bool:
            asked.append(source)
            return bool(json.loads(raw)["n"] >= 100)

        ask = Ask(tree=tree, matches=matches)
        wanted = [n for n in range(269, 99, -1) if n % 101 < 50]
        assert [row.rid for row in reader.search(ask)] == [f"id-{n}" for n in wanted]
        assert reader.count(ask) == len(wanted)
        assert sum(count for _, _, count in reader.histogram(ask, HOUR)) == len(wanted)
        assert sum(count for _, count in reader.count_by(ask, "sender")) == len(wanted)
        assert set(asked) == {HERE}

    def test_version_changes_with_every_commit_and_only_then(
        self, writer: SegmentWriter, reader: store.Reader
    ) -> None:
        seen = reader.version()
        for number in range(250):
            writer.commit(commit([arrival(number)], lane=(LIVE, BACKFILL)[number % 2]))
            now = reader.version()
            assert now != seen
            seen = now
        sealed(writer)
        seen = reader.version()
        assert [reader.version() for _ in range(3)] == [seen] * 3

    def test_a_reader_may_be_there_before_the_store(self, folder: Path) -> None:
        reader = store.open_reader(folder)
        assert reader.version() == reader.version()
        assert (list(reader.search(Ask())), reader.count(Ask()), reader.totals().records) == ([], 0, 0)
        writer = SegmentWriter(folder, clock=SystemClock())
        writer.commit(commit([arrival(1)]))
        assert reader.count(Ask()) == 1
        writer.close()
        reader.close()

    def test_searches_under_way_survive_seals_and_other_searches(
        self, writer: SegmentWriter, reader: store.Reader
    ) -> None:
        for part in range(4):
            writer.commit(commit([arrival(part * 90 + n) for n in range(90)]))
        search = reader.search(Ask())
        first = next(search)
        writer.commit(commit([arrival(1000 + n) for n in range(200)]))
        sealed(writer)
        assert reader.count(Ask()) == 560
        rest = list(search)
        assert [first.rid, *(row.rid for row in rest)] == [f"id-{n}" for n in range(359, -1, -1)]


class TestOwnership:
    def test_there_is_one_writer(self, writer: SegmentWriter, folder: Path) -> None:
        with pytest.raises(Outage, match="storing events here"):
            store.open_writer(folder, clock=SystemClock())

    def test_a_newer_format_is_refused_with_words(self, folder: Path) -> None:
        SegmentWriter(folder, clock=SystemClock()).close()
        import apsw

        catalog = apsw.Connection(str(folder / "catalog.db"))
        catalog.execute("pragma user_version=99")
        catalog.close()
        for open_it in (
            lambda: store.open_writer(folder, clock=SystemClock()),
            lambda: store.open_reader(folder),
        ):
            with pytest.raises(Outage, match="newer version"):
                open_it()

    def test_sealing_is_done_again_after_a_stop_in_between(self, folder: Path) -> None:
        writer = SegmentWriter(folder, clock=SystemClock(), segment_records=3_000)
        writer.commit(commit([arrival(n) for n in range(3_000)]))
        writer.commit(commit([arrival(3_000)]))
        writer.close()
        writer = SegmentWriter(folder, clock=SystemClock(), segment_records=3_000)
        sealed(writer)
        reader = store.open_reader(folder)
        assert reader.count(Ask(tree=parse('subject:"subject 2999"', NOON))) == 1
        assert reader.count(Ask()) == 3_001
        reader.close()
        writer.close()
        assert store.verify(folder) == []

    def test_small_commits_end_in_whole_blocks(self, folder: Path) -> None:
        import apsw

        writer = SegmentWriter(folder, clock=SystemClock(), segment_records=512)
        for part in range(128):
            writer.commit(commit([arrival(part * 4 + n) for n in range(4)]))
        writer.commit(commit([arrival(9_999)]))
        sealed(writer)
        writer.close()
        segment = apsw.Connection(str(folder / "segment-1.db"))
        assert [n for (n,) in segment.execute("select n from raw order by first")] == [
            limits.BLOCK_RECORDS
        ] * (512 // limits.BLOCK_RECORDS)
        segment.close()
        reader = store.open_reader(folder)
        rows = list(reader.search(Ask(), order="oldest"))
        assert [json.loads(reader.raw(row.seq))["n"] for row in rows] == [*range(512), 9_999]
        reader.close()
