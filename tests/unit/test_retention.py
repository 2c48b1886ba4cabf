"""Retention deletes exactly what it may: old whole segments, never what is marked, and for good."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import as_bytes, maillog_to, message
from pod_desktop import content, store
from pod_desktop.core.clock import DAY, HOUR, SECOND
from pod_desktop.core.faults import Outage
from pod_desktop.core.record import MAILLOG, MESSAGE, UNREADABLE, Arrival
from pod_desktop.core.status import Counters
from pod_desktop.services import retention
from pod_desktop.services.retention import Freed, Retention
from pod_desktop.store import BACKFILL, LIVE, Ask, Command, Commit, Limits, Source
from pod_desktop.store.retention import KEPT, exchange
from pod_desktop.store.writer import SegmentWriter

NOW = 1_790_000_000_000_000
HERE = Source(connector="acme", tenant="acme", cluster_id="acme_hosted")


class Clock:
    def __init__(self, now: int = NOW) -> None:
        self.at = now

    def now(self) -> int:
        return self.at

    def monotonic(self) -> float:
        return time.monotonic()


def arrival(number: int, age: int) -> Arrival:
    raw = as_bytes(
        message(guid=f"g{number}", time=NOW - age, qid=f"q{number}", subject=f"Subject {number} ü")
    )
    return Arrival(content.read(MESSAGE, raw, NOW), raw)


def put(writer: SegmentWriter, records: Sequence[Arrival], *, stream: str = "acme/message", source: Source = HERE, lane: str = LIVE) -> store.Committed:  # fmt: skip
    return writer.commit(
        Commit(
            source=source, lane=lane, records=records, stream=stream, counters=Counters(received=len(records))
        )
    )


def settled(writer: SegmentWriter) -> None:
    until = time.monotonic() + 30
    while writer.busy():
        assert time.monotonic() < until
        time.sleep(0.002)
    writer.tidy()


def opened(folder: Path, *, segment: int = 10, clock: Clock | None = None) -> SegmentWriter:
    return SegmentWriter(folder, clock=clock or Clock(), segment_records=segment)


def apply(
    writer: SegmentWriter, folder: Path, limits: Limits, keep: set[str] | None = None, now: int = NOW
) -> Freed:
    settled(writer)
    made = Retention(
        folder,
        lambda: limits,
        lambda: keep or set(),
        lambda work: work(writer),
        Clock(now),
        read=content.read,
    )
    return made.apply()


def ids(folder: Path) -> list[str]:
    reader = store.open_reader(folder)
    found = [row.record_id for row in reader.search(Ask(), order="oldest")]
    assert reader.problems() == []
    reader.close()
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "events"


def filled(folder: Path, *, count: int = 50, every: int = DAY) -> SegmentWriter:
    """Segments of ten records, one a day; the newest now."""
    writer = opened(folder)
    for number in range(count):
        put(writer, [arrival(number, (count - 1 - number) * every)])
    settled(writer)
    return writer


class TestByAge:
    def test_whole_segments_go_and_nothing_younger_than_asked(self, folder: Path) -> None:
        writer = filled(folder)
        freed = apply(writer, folder, Limits(25, 0))
        # 50 days; segments end 40, 30, 20, 10 and 0 days ago.
        assert ids(folder) == [f"message:g{number}" for number in range(20, 50)]
        assert (freed.records, freed.kept, freed.problems) == (20, 0, ())
        assert "20 records deleted" in freed.words()
        writer.close()
        assert store.verify(folder) == []

    def test_the_disk_shrinks_and_the_files_are_gone(self, folder: Path) -> None:
        writer = filled(folder)
        writer.rotate()
        settled(writer)
        before = sum(file.stat().st_size for file in folder.glob("segment-*.db"))
        freed = apply(writer, folder, Limits(25, 0))
        after = sum(file.stat().st_size for file in folder.glob("segment-*.db"))
        assert before - after >= freed.bytes_disk > 0
        assert not list(folder.glob("segment-[12].db*"))
        writer.close()

    def test_no_limit_deletes_nothing(self, folder: Path) -> None:
        writer = filled(folder)
        assert apply(writer, folder, Limits(0, 0)) == Freed()
        assert len(ids(folder)) == 50
        writer.close()

    def test_what_is_still_written_stays_until_it_is_full_or_spans_too_much(self, folder: Path) -> None:
        writer = opened(folder, segment=1_000)
        put(writer, [arrival(number, (40 - number) * DAY) for number in range(30)])
        assert apply(writer, folder, Limits(8, 0)).records == 0  # its segment is ended now
        assert apply(writer, folder, Limits(8, 0)).records == 30
        assert ids(folder) == []
        writer.close()
        assert store.verify(folder) == []

    def test_a_span_is_not_ended_again_and_again_by_absurd_times(self, folder: Path) -> None:
        writer = opened(folder, segment=1_000, clock=Clock(time.time_ns() // 1_000))
        for number in range(6):
            put(writer, [arrival(2 * number, 9_000 * DAY), arrival(2 * number + 1, 0)])
            apply(writer, folder, Limits(8, 0))
        assert len(list(folder.glob("segment-*.db"))) <= 2
        writer.close()

    def test_a_record_from_the_future_pins_nothing(self, folder: Path) -> None:
        writer = opened(folder)
        put(writer, [*(arrival(number, 50 * DAY) for number in range(9)), arrival(9, -9_000 * DAY)])
        put(writer, [arrival(10, 0)])
        settled(writer)
        old = (NOW - 40 * DAY) / 1e6
        os.utime(folder / "segment-1.db", (old, old))
        apply(writer, folder, Limits(30, 0))
        assert ids(folder) == ["message:g10"]
        writer.close()

    def test_imported_records_count_from_their_import_on(self, folder: Path) -> None:
        writer = opened(folder)
        imported = Source(connector="import:mail-2022.ndjson", tenant="", cluster_id="")
        put(writer, [arrival(number, 900 * DAY) for number in range(10)], source=imported, lane=BACKFILL)
        put(writer, [arrival(20, 900 * DAY)], lane=BACKFILL)
        settled(writer)
        at = (NOW - 2 * DAY) / 1e6
        os.utime(folder / "segment-1.db", (at, at))
        assert apply(writer, folder, Limits(30, 0)).records == 0
        assert apply(writer, folder, Limits(30, 0), now=NOW + 29 * DAY).records == 10
        writer.close()


class TestBySize:
    def test_the_oldest_go_until_it_fits(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        writer = filled(folder)
        whole = sum(file.stat().st_size for file in folder.iterdir())
        monkeypatch.setattr("pod_desktop.store.retention.GIGABYTE", whole - 1)
        assert apply(writer, folder, Limits(0, 1)).records == 10
        assert ids(folder)[0] == "message:g10"
        monkeypatch.setattr("pod_desktop.store.retention.GIGABYTE", 1)
        apply(writer, folder, Limits(0, 1))
        # What is being written is never touched.
        assert set(ids(folder)) <= {f"message:g{number}" for number in range(40, 50)}
        writer.close()

    def test_a_plan_says_what_goes_and_changes_nothing(self, folder: Path) -> None:
        writer = filled(folder)
        plan = store.plan_retention(folder, Limits(25, 0), NOW)
        assert [(one.segment, one.records, one.why) for one in plan.doomed] == [
            (1, 10, "age"),
            (2, 10, "age"),
        ]
        assert plan.records == 20 and 0 < plan.bytes_freed < plan.bytes_disk
        words = retention.plan_words(plan, Limits(25, 0))
        assert "Up to 20 records until" in words and "too old" in words
        assert len(ids(folder)) == 50
        writer.close()
        assert store.plan_retention(folder / "nowhere", Limits(1, 1), NOW).doomed == ()


class TestWhatIsKept:
    KEEP = frozenset({"message:g3", "message:g11", "message:g45", "message:unknown", "nonsense"})

    def test_marked_records_stay_byte_for_byte_and_can_be_found(self, folder: Path) -> None:
        writer = filled(folder)
        reader = store.open_reader(folder)
        before = {row.record_id: (row._replace(seq=0), reader.raw(row.seq), reader.source(row.seq)) for row in reader.search(Ask())}  # fmt: skip
        freed = apply(writer, folder, Limits(25, 0), set(self.KEEP))
        assert (freed.records, freed.kept) == (18, 2)
        assert ids(folder) == [
            "message:g3",
            "message:g11",
            *(f"message:g{number}" for number in range(20, 50)),
        ]
        for row in reader.search(Ask()):
            assert (row._replace(seq=0), reader.raw(row.seq), reader.source(row.seq)) == before[row.record_id]
        for query in (
            "qid:q3",
            '"subject 3 ü"',
            "subject:SUBJECT sender:billing@supplier.example g3",
            "id:g3",
        ):
            tree = retention_ask(query)
            assert "message:g3" in [row.record_id for row in reader.search(tree)], query
        reader.close()
        writer.close()
        assert store.verify(folder) == []

    def test_they_stay_through_further_runs_and_a_restart_in_one_small_segment(self, folder: Path) -> None:
        writer = filled(folder)
        for days in (35, 25, 15, 5):
            apply(writer, folder, Limits(days, 0), set(self.KEEP))
            assert {"message:g3", "message:g45"} <= set(ids(folder))
        writer.close()
        writer = opened(folder)
        assert put(writer, [arrival(3, 46 * DAY)]).duplicates == 1
        lanes = list(writer._entries.values())
        assert sum(one.lane == KEPT for one in lanes) == 1
        assert ids(folder)[:2] == ["message:g3", "message:g11"]
        writer.close()
        assert store.verify(folder) == []

    def test_what_is_no_longer_marked_goes_at_last(self, folder: Path) -> None:
        writer = filled(folder)
        apply(writer, folder, Limits(25, 0), set(self.KEEP))
        apply(writer, folder, Limits(25, 0), {"message:g11"})
        assert ids(folder)[:2] == ["message:g11", "message:g20"]
        apply(writer, folder, Limits(25, 0), set())
        assert ids(folder)[0] == "message:g20"
        writer.close()
        assert store.verify(folder) == []

    def test_of_several_connectors_and_of_every_kind(self, folder: Path) -> None:
        writer = opened(folder, segment=6)
        other = Source(connector="beta", tenant="Beta", cluster_id="beta_hosted")
        raws = [
            (MESSAGE, as_bytes(message(guid="m", time=NOW - 50 * DAY))),
            (MAILLOG, as_bytes(maillog_to(record_id="a/b:c+", time=NOW - 50 * DAY))),
            (MESSAGE, b"\xff no record"),
            (MAILLOG, b'{"data":"no id, no time"}'),
        ]
        arrivals = [Arrival(content.read(kind, raw, NOW - 50 * DAY), raw) for kind, raw in raws]
        put(writer, arrivals[:2])
        put(writer, arrivals[2:], source=other, stream="beta/message")
        put(writer, [arrival(1, 50 * DAY), arrival(2, 50 * DAY)])
        put(writer, [arrival(3, 0)])
        settled(writer)
        keep = {f"{one.columns.kind}:{one.columns.rid}" for one in arrivals}
        assert any(name.startswith(UNREADABLE) for name in keep)
        apply(writer, folder, Limits(30, 0), keep)
        assert set(ids(folder)) == keep | {"message:g3"}
        reader = store.open_reader(folder)
        for row in reader.search(Ask()):
            wanted = {one.columns.rid: one for one in arrivals}.get(row.rid)
            if wanted is not None:
                assert reader.raw(row.seq) == wanted.raw
                assert (row.time, row.flags, row.subject) == (wanted.columns.time, wanted.columns.flags, wanted.columns.subject)  # fmt: skip
        assert reader.source(next(row.seq for row in reader.search(Ask()) if row.kind == UNREADABLE)) == other
        reader.close()
        writer.close()
        assert store.verify(folder) == []

    def test_a_segment_with_a_marked_record_that_cannot_be_read_stays(self, folder: Path) -> None:
        writer = filled(folder)
        writer.close()
        path = folder / "segment-1.db"
        import apsw

        db = apsw.Connection(str(path))
        db.execute("update raw set block = zeroblob(length(block))")
        db.close()
        writer = opened(folder)
        freed = apply(writer, folder, Limits(25, 0), {"message:g3"})
        assert freed.records == 10 and "segment-1.db" in freed.problems[0]
        assert path.exists()
        writer.close()

    def test_marks_set_meanwhile_are_heard(self, folder: Path) -> None:
        writer = filled(folder)
        calls = 0

        def keep() -> set[str]:
            nonlocal calls
            calls += 1
            return {"message:g3"} if calls > 1 else set()

        Retention(
            folder, lambda: Limits(25, 0), keep, lambda work: work(writer), Clock(), read=content.read
        ).apply()
        assert ids(folder)[0] == "message:g3"
        writer.close()


def retention_ask(text: str) -> Ask:
    from pod_desktop.services import asking

    return asking.ask(text, now=NOW)


class TestComingAgain:
    def test_a_deleted_record_of_an_hour_fetched_again_stays_deleted(self, folder: Path) -> None:
        writer = filled(folder)
        apply(writer, folder, Limits(5, 0), {"message:g31"})
        again = [arrival(number, (49 - number) * DAY) for number in range(30, 40)]
        assert put(writer, again) == (0, 10, 0)
        writer.close()
        writer = opened(folder)
        assert put(writer, again, lane=BACKFILL) == (0, 10, 0)
        # A record that never was here is new, however old.
        assert put(writer, [arrival(900, 14 * DAY)]) == (1, 0, 0)
        writer.close()
        assert store.verify(folder) == []

    def test_a_person_may_import_it_again(self, folder: Path) -> None:
        writer = filled(folder)
        apply(writer, folder, Limits(5, 0))
        imported = Source(connector="import:x", tenant="", cluster_id="")
        assert put(writer, [arrival(39, 10 * DAY)], stream="import/x", source=imported).stored == 1
        writer.close()

    def test_it_is_forgotten_when_the_archive_does_not_reach_so_far(self, folder: Path) -> None:
        writer = filled(folder)
        apply(writer, folder, Limits(5, 0))
        assert list(folder.glob("gone-*.ids"))
        writer.close()
        opened(folder, clock=Clock(NOW + 60 * DAY)).close()
        assert not list(folder.glob("gone-*.ids"))

    def test_a_memory_that_is_damaged_loses_no_record(self, folder: Path) -> None:
        writer = filled(folder)
        apply(writer, folder, Limits(5, 0))
        writer.close()
        for file in folder.glob("gone-*.ids"):
            file.write_bytes(file.read_bytes()[:-3])
        writer = opened(folder)
        assert put(writer, [arrival(39, 10 * DAY)]).stored == 1
        writer.close()

    @pytest.mark.skipif(sys.platform != "linux", reason="looks descriptors up in /proc")
    def test_it_is_on_the_disk_before_a_segment_goes(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Whole and flushed, then named, then the name flushed; only then the catalog lets the segment go."""
        told: list[str] = []
        flush, rename = os.fsync, Path.replace

        def flushing(descriptor: int) -> None:
            told.append(f"flush {Path(f'/proc/self/fd/{descriptor}').readlink().name}")
            flush(descriptor)

        def renaming(path: Path, target: Path) -> Path:
            told.append(f"name {target.name}")
            return rename(path, target)

        writer = filled(folder)
        monkeypatch.setattr(os, "fsync", flushing)
        monkeypatch.setattr(Path, "replace", renaming)
        monkeypatch.setattr(
            "pod_desktop.store.writer.exchange", lambda *given: (told.append("exchange"), exchange(*given))
        )
        apply(writer, folder, Limits(5, 0))
        writer.close()
        at = told.index("flush gone-2.new")
        assert told[at : at + 4] == [
            "flush gone-2.new",
            "name gone-2.ids",
            f"flush {folder.name}",
            "exchange",
        ]

    def test_many_deleted_segments_are_not_held_in_memory(self, folder: Path) -> None:
        writer = opened(folder, segment=3)
        records = [arrival(number, (40 - number) * DAY // 2) for number in range(40)]
        for record in records:
            put(writer, [record])
        apply(writer, folder, Limits(1, 0))
        assert len(list(folder.glob("gone-*.ids"))) > 10
        assert all(put(writer, [record]).stored == 0 for record in records)
        assert len(writer._gone._loaded) <= 8
        writer.close()

    def test_keys_of_deleted_records_never_come_to_mean_others(self, folder: Path) -> None:
        writer = opened(folder)
        put(writer, [arrival(number, 50 * DAY) for number in range(10)])
        put(writer, [arrival(number, 50 * DAY) for number in range(10, 20)])
        writer.rotate()
        settled(writer)
        apply(writer, folder, Limits(5, 0))
        assert ids(folder) == []
        writer.close()
        writer = opened(folder)
        put(writer, [arrival(77, 0)])
        reader = store.open_reader(folder)
        (row,) = reader.search(Ask())
        assert row.seq >> 24 == 3
        with pytest.raises(KeyError):
            reader.raw(1 << 24)
        reader.close()
        writer.close()


class TestReaders:
    def test_readers_see_no_error_while_segments_go(self, folder: Path) -> None:
        writer = filled(folder, count=200, every=HOUR)
        faults: list[object] = []
        stop = threading.Event()

        def look() -> None:
            reader = store.open_reader(folder)
            try:
                while not stop.is_set():
                    rows = list(reader.search(Ask()))
                    reader.count(retention_ask("sender:billing@supplier.example"))
                    for row in rows[-3:]:
                        try:
                            reader.raw(row.seq)
                        except KeyError:
                            continue
                    if problems := reader.problems():
                        faults.append(problems)
                    if {"message:g3", "message:g199"} - {row.record_id for row in rows}:
                        faults.append("a kept record was missing")
            except BaseException as error:
                faults.append(error)
            finally:
                reader.close()

        threads = [threading.Thread(target=look) for _ in range(2)]
        for thread in threads:
            thread.start()
        for hours in range(190, 10, -20):
            now = NOW
            plan_days = Limits(1, 0)
            apply(writer, folder, plan_days, {"message:g3"}, now=now - hours * HOUR + 2 * DAY)
        stop.set()
        for thread in threads:
            thread.join()
        assert faults == []
        writer.close()

    def test_what_is_kept_of_a_segment_that_goes_while_a_search_is_under_way_is_found_once(
        self, folder: Path
    ) -> None:
        writer = filled(folder)
        reader = store.open_reader(folder)
        rows = reader.search(Ask())
        found = [next(rows).record_id]
        apply(writer, folder, Limits(25, 0), {"message:g3", "message:g12"})
        found += [row.record_id for row in rows]
        assert found == [f"message:g{number}" for number in (*range(49, 19, -1), 12, 3)]
        assert reader.problems() == []
        reader.close()
        writer.close()

    @pytest.mark.parametrize(
        "ask",
        [
            lambda reader: reader.count(retention_ask("sender:billing@supplier.example")),
            lambda reader: reader.count(Ask()),
            lambda reader: dict(reader.count_by(Ask(), "type")).get("message"),
            lambda reader: dict(reader.count_by(retention_ask("type:message"), "id")).get("g3"),
            lambda reader: sum(count for _, _, count in reader.histogram(Ask(), HOUR)),
            lambda reader: (reader.find("message", "g3") or object).record_id,
        ],
    )
    def test_what_is_kept_is_counted_while_its_segment_goes(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, ask: Callable[[store.Reader], object]
    ) -> None:
        writer = filled(folder)
        reader = store.open_reader(folder)
        listed: Callable[[Ask], list[tuple[int, int, int]]] = reader._overlapping  # type: ignore[attr-defined]

        def goes_once_it_is_listed(asked: Ask) -> list[tuple[int, int, int]]:
            found = listed(asked)
            monkeypatch.setattr(reader, "_overlapping", listed)
            apply(writer, folder, Limits(25, 0), {"message:g3"})
            return found

        monkeypatch.setattr(reader, "_overlapping", goes_once_it_is_listed)
        answer = ask(reader)
        fresh = store.open_reader(folder)
        assert answer == ask(fresh) and answer
        for one in (fresh, reader):
            one.close()
        writer.close()

    def test_a_search_under_way_ends_well(self, folder: Path) -> None:
        writer = filled(folder)
        reader = store.open_reader(folder)
        rows = reader.search(Ask(), order="oldest")
        first = next(rows)
        apply(writer, folder, Limits(25, 0))
        assert first.record_id == "message:g0"
        assert [row.record_id for row in rows][-1] == "message:g49"
        assert reader.problems() == []
        reader.close()
        writer.close()


@settings(max_examples=18, deadline=None)
@given(
    ages=st.lists(st.integers(0, 60), min_size=1, max_size=40),
    segment=st.integers(2, 12),
    days=st.integers(1, 50),
    marked=st.sets(st.integers(0, 39), max_size=6),
)
def test_exactly_what_must_be_kept_is_kept(
    ages: list[int], segment: int, days: int, marked: set[int]
) -> None:
    with TemporaryDirectory() as place:
        folder = Path(place) / "events"
        writer = opened(folder, segment=segment)
        for number, age in enumerate(ages):
            put(writer, [arrival(number, age * DAY + SECOND)], lane=LIVE if number % 3 else BACKFILL)
        settled(writer)
        before = {row.record_id: row.seq >> 24 for row in _rows(folder)}
        times = {row.record_id: row.time for row in _rows(folder)}
        sealed = {one.segment for one in writer._entries.values() if one.sealed}
        keep = {f"message:g{number}" for number in marked}
        cutoff = NOW - days * DAY
        old = {
            one
            for one in sealed
            if max(times[name] for name, where in before.items() if where == one) < cutoff
        }
        Retention(
            folder,
            lambda: Limits(days, 0),
            lambda: keep,
            lambda work: work(_NoRotation(writer)),
            Clock(),
            read=content.read,
        ).apply()
        left = {row.record_id for row in _rows(folder)}
        assert left == {name for name, where in before.items() if where not in old} | (keep & before.keys())
        assert {name for name, time in times.items() if time >= cutoff} <= left
        writer.close()
        assert store.verify(folder) == []


class _NoRotation:
    def __init__(self, writer: SegmentWriter) -> None:
        self.clear_out = writer.clear_out

    def rotate_spans(self, longest: int, least: int) -> None:
        """The law is about what was sealed before."""


def _rows(folder: Path) -> list[Any]:
    reader = store.open_reader(folder)
    rows = list(reader.search(Ask()))
    reader.close()
    return rows


class TestTheService:
    def test_it_does_what_is_asked_and_tells_how_it_ended(self, folder: Path) -> None:
        writer = filled(folder)
        told: list[tuple[str, dict[str, Any]]] = []
        asked = Retention(
            folder, lambda: Limits(25, 0), set, lambda work: work(writer), Clock(), read=content.read,
            tell=lambda job, state: told.append((job, state)),
        )  # fmt: skip

        async def serve() -> None:
            stop = asyncio.Event()
            assert not asked.obey(Command(name="stop", args={}, at=0))
            assert asked.obey(Command(name="retention", args={"job": "j1"}, at=0))
            running = asyncio.gather(asked.run(stop))
            await until(lambda: bool(told))
            stop.set()
            await running

        asyncio.run(serve())
        assert told[0][0] == "j1"
        assert told[0][1]["state"] == "done" and told[0][1]["records"] == 20
        writer.close()

    def test_it_works_beside_a_committer_in_the_one_thread_that_writes(self, folder: Path) -> None:
        from pod_desktop.services.collect_commit import Committer

        writer = filled(folder)

        async def serve() -> Freed:
            committer = Committer(writer, content.read)
            asked = Retention(
                folder, lambda: Limits(25, 0), set, committer.writer.run, Clock(), read=content.read
            )
            freed = await asyncio.to_thread(asked.apply)
            await committer.close()
            return freed

        assert asyncio.run(serve()).records == 20
        assert store.verify(folder) == []

    def test_a_disk_that_fails_is_told(self, folder: Path) -> None:
        told: list[dict[str, Any]] = []

        def fail(work: Callable[[Any], Any]) -> None:
            raise Outage("The disk is full.")

        asked = Retention(
            folder, lambda: Limits(25, 0), set, fail, Clock(), read=content.read, tell=lambda job, state: told.append(state)
        )  # fmt: skip

        async def serve() -> None:
            stop = asyncio.Event()
            asked.obey(Command(name="retention", args={"job": "j1"}, at=0))
            running = asyncio.gather(asked.run(stop))
            await until(lambda: bool(told))
            stop.set()
            await running

        asyncio.run(serve())
        assert told == [{"state": "failed", "words": "The disk is full."}]


async def until(happened: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not happened():  # noqa: ASYNC110
            await asyncio.sleep(0.01)
