"""Scans by workers: the same answer as without them, in order, broken off at once, and never a silent miss."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import apsw
import pytest

from builders import NOW, as_bytes, message
from pod_desktop import content, store
from pod_desktop.core.clock import HOUR, SECOND, SystemClock
from pod_desktop.core.faults import Unwanted
from pod_desktop.core.record import Arrival
from pod_desktop.query import parse
from pod_desktop.services import asking, scan_wire, scanning
from pod_desktop.services.browse import Browser
from pod_desktop.services.scan_pool import Pool
from pod_desktop.services.scanning import Help, ScanningReader
from pod_desktop.store import BACKFILL, LIVE, Ask, Commit, Order, Place, Reader, Source
from pod_desktop.store.writer import SegmentWriter

HERE = Source(connector="acme-pod", tenant="acme", cluster_id="acme_hosted")
RECORDS = 3_000
ONLY_WORKERS = Help(0.0, False)
QUERIES = (
    "$.odd.number:>=4000",
    "$.odd.number:>=4000 AND score:<3",
    "NOT $.odd.number:>10",
    '$.odd.word:"W7" OR subject:"record 17"',
    "$.odd.word:/w[0-3]/",
    "*ecord?9*",
    '"record 2"',
    "$.odd.nowhere:1",
)


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scanning, "FEW_RECORDS", 1)
    monkeypatch.setattr(scanning, "PIECE_RECORDS", 32)
    monkeypatch.setattr(scanning, "INDEXED_PIECE_RECORDS", 64)


def fill(folder: Path, count: int = RECORDS) -> None:
    """Records in several segments, two lanes and no order of time; the last segment is being written."""
    chance = random.Random(7)
    writer = SegmentWriter(folder, clock=SystemClock(), segment_records=700)
    for part in range(count // 100):
        records = []
        for number in range(part * 100, part * 100 + 100):
            raw = as_bytes(
                message(
                    guid=f"guid-{number}",
                    time=NOW + chance.randrange(3_600) * SECOND,
                    subject=f"Record {number}",
                    score=number % 5,
                    odd={"number": number * 2, "word": f"w{number % 11}"},
                )
            )
            records.append(Arrival(content.read("message", raw, NOW), raw))
        lane = (LIVE, BACKFILL)[part % 3 == 2]
        writer.commit(Commit(source=HERE, lane=lane, records=records, stream="acme-pod/message"))
        while writer.busy():
            time.sleep(0.002)
        writer.tidy()
    writer.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("scanning") / "events"
    fill(path)
    return path


@pytest.fixture
def plain(folder: Path) -> Iterator[Reader]:
    reader = store.open_reader(folder)
    yield reader
    reader.close()


@pytest.fixture
def pool(folder: Path) -> Iterator[Pool]:
    opened = Pool(folder, workers=2)
    yield opened
    opened.close()


@pytest.fixture
def reader(folder: Path, pool: Pool) -> Iterator[ScanningReader]:
    opened = ScanningReader(store.open_reader(folder), pool, ONLY_WORKERS)
    yield opened
    opened.close()


def question(text: str, **more: object) -> Ask:
    return replace(asking.ask(text, now=NOW), **more)  # type: ignore[arg-type]


def wait(state: Callable[[], object], seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not state():
        assert time.monotonic() < until, "it did not come to that"
        time.sleep(0.005)


class TestSameAnswer:
    def test_workers_answer_as_the_store_itself_does(
        self, plain: Reader, reader: ScanningReader, pool: Pool
    ) -> None:
        stretch = {"since": NOW + 600 * SECOND, "until": NOW + 2_000 * SECOND + 1}
        for text in QUERIES:
            for more in ({}, stretch, {"kinds": ("maillog",)}, {"connectors": ("acme-pod",)}):
                ask = question(text, **more)
                rows = list(plain.search(ask))
                assert list(reader.search(ask)) == rows, (text, more)
                assert reader.count(ask) == len(rows)
                assert reader.histogram(ask, HOUR // 7) == plain.histogram(ask, HOUR // 7)
                assert reader.count_by(ask, "score") == plain.count_by(ask, "score")
                assert reader.count_by(ask, "$.odd.word") == plain.count_by(ask, "$.odd.word")
        assert len(pool.pids) == 2
        assert reader.problems() == []

    @pytest.mark.parametrize("order", ["newest", "oldest"])
    def test_pages_join_without_a_seam(self, plain: Reader, reader: ScanningReader, order: Order) -> None:
        ask = question(QUERIES[0])
        whole = list(plain.search(ask, order=order))
        paged, after = [], None
        while page := list(reader.search(ask, order=order, after=after, limit=211)):
            paged += page
            after = Place(page[-1].time, page[-1].seq)
        assert paged == whole
        assert len(whole) > 500

    def test_a_view_shows_the_same_rows(
        self, plain: Reader, reader: ScanningReader, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("pod_desktop.services.browse.OPEN_SECONDS", 0.0)
        view = Browser(reader).open(question(QUERIES[0]))
        while view.step():
            view.advance()
        view.advance()
        assert view.rows(0, view.total) == list(plain.search(question(QUERIES[0])))

    def test_what_is_found_comes_newest_first_before_all_is_looked_through(
        self, reader: ScanningReader
    ) -> None:
        scan = reader.scan(question(QUERIES[0]), reader.marks())
        assert scan is not None
        seen: list[Place] = []
        undone = []
        while scan.more:
            if places := scan.step(1.0):
                seen += places
                undone.append(scan.total - scan.done)
        assert seen == sorted(seen, reverse=True)
        assert scan.done == scan.total == RECORDS
        assert undone[0] > 0

    def test_what_was_looked_through_is_not_looked_through_again(
        self, reader: ScanningReader, pool: Pool
    ) -> None:
        ask = question(QUERIES[0])
        expected = reader.count(ask)
        wait(lambda: not pool.busy)
        for pid in pool.pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            assert reader.count(ask) == expected
            assert sum(number for *_, number in reader.histogram(ask, HOUR)) == expected
        finally:
            for pid in pool.pids:
                os.kill(pid, signal.SIGCONT)

    def test_new_records_are_in_the_next_answer(self, tmp_path: Path) -> None:
        folder = tmp_path / "events"
        fill(folder, 300)
        with_pool = Pool(folder, workers=1)
        reader = ScanningReader(store.open_reader(folder), with_pool, ONLY_WORKERS)
        ask = question("$.odd.number:>=10")
        assert reader.count(ask) == 295
        writer = SegmentWriter(folder, clock=SystemClock())
        raw = as_bytes(message(guid="one more", odd={"number": 99}))
        one = Arrival(content.read("message", raw, NOW), raw)
        writer.commit(Commit(source=HERE, lane=LIVE, records=[one], stream="acme-pod/message"))
        assert reader.count(ask) == 296
        writer.close()
        reader.close()
        with_pool.close()

    @pytest.mark.parametrize("workers", [0, 1])
    def test_the_asking_thread_may_look_too_or_alone(self, folder: Path, plain: Reader, workers: int) -> None:
        pool = Pool(folder, workers=workers)
        reader = ScanningReader(store.open_reader(folder), pool, Help(0.0, True))
        ask = question(QUERIES[0])
        assert list(reader.search(ask)) == list(plain.search(ask))
        assert len(pool.pids) == workers
        reader.close()
        pool.close()

    def test_a_question_for_columns_starts_no_worker(self, reader: ScanningReader, pool: Pool) -> None:
        assert reader.count(question("score:>2")) == RECORDS * 2 // 5
        assert len(list(reader.search(question("sender:*supplier*"), limit=10))) == 10
        assert pool.pids == []


def test_a_tree_crosses_to_a_worker_and_is_the_same() -> None:
    odd = 'a.b:[1 TO 99999999999999999999] NOT (ip:10.0.0.0/8 OR x.y:*ü?) "\u202e" sender:/x/ _exists_:size'
    for text in (*QUERIES, odd, ""):
        task = scan_wire.Task(parse(text, NOW), ("message",), ())
        assert scan_wire.task_of(scan_wire.parsed(scan_wire.ask_line(1, task))) == task


def stopped_with_work(pool: Pool, scan: scanning.Scan) -> int:
    """Stop the one worker where it has pieces in hand; its process id."""
    while not pool.busy:
        scan.step(0.01)
    (pid,) = pool.pids
    os.kill(pid, signal.SIGSTOP)
    while not pool.busy:  # it had just answered: a stopped one keeps what it is given
        scan.step(0.01)
    assert scan.more
    return pid


@pytest.mark.skipif(sys.platform == "win32", reason="stopped and killed by signals")
class TestDisturbed:
    @pytest.fixture
    def pool(self, folder: Path) -> Iterator[Pool]:
        opened = Pool(folder, workers=1)
        yield opened
        for pid in opened.pids:
            os.kill(pid, signal.SIGCONT)
        opened.close()

    def begun(self, reader: ScanningReader, **more: object) -> scanning.Scan:
        scan = reader.scan(question(QUERIES[0], **more), reader.marks())
        assert scan is not None
        return scan

    def test_a_killed_worker_is_noticed_and_its_pieces_are_done_again(
        self, plain: Reader, reader: ScanningReader, pool: Pool
    ) -> None:
        scan = self.begun(reader)
        killed = stopped_with_work(pool, scan)
        os.kill(killed, signal.SIGKILL)
        expected = list(plain.search(question(QUERIES[0])))
        assert list(reader.search(question(QUERIES[0]))) == expected
        assert reader.count(question(QUERIES[0])) == len(expected)
        assert reader.problems() == []
        assert pool.pids != [killed]
        scan.cancel()

    def test_a_piece_that_workers_die_over_is_named(self, folder: Path, plain: Reader) -> None:
        part = plain.pieces(Ask(), plain.marks())[1]
        deadly = plain.cut(part, scanning.PIECE_RECORDS)[3]
        command = [sys.executable, "-c", DYING, str(folder), str(deadly.low)]
        pool = Pool(folder, workers=2, command=lambda _folder: command)
        reader = ScanningReader(store.open_reader(folder), pool, ONLY_WORKERS)
        ask = question(QUERIES[0])
        expected = [row for row in plain.search(ask) if not deadly.low <= row.seq <= deadly.high]
        assert list(reader.search(ask)) == expected
        assert reader.problems() == [
            f"{deadly.records} records could not be searched: the process that looked through them died 2 times."
        ]
        assert reader.count(ask) == len(expected)
        reader.close()
        pool.close()

    def test_cancelling_ends_a_wait_at_once_and_the_work_with_it(
        self, reader: ScanningReader, pool: Pool
    ) -> None:
        scan = self.begun(reader)
        pid = stopped_with_work(pool, scan)
        threading.Timer(0.05, scan.cancel).start()
        while scan.more:
            scan.step(60)
        assert scan.step(60) == []
        os.kill(pid, signal.SIGCONT)
        wait(lambda: not pool.busy)
        assert pool.pids == [pid]

    def test_what_is_no_longer_wanted_is_broken_off(self, reader: ScanningReader, pool: Pool) -> None:
        wanted = [True]
        ask = question(QUERIES[0], wanted=lambda: wanted[0])
        scan = reader.scan(ask, reader.marks())
        assert scan is not None
        stopped_with_work(pool, scan)
        wanted[0] = False
        with pytest.raises(Unwanted):
            scan.step(60)
        with pytest.raises(Unwanted):
            reader.count(ask)

    def test_a_view_that_is_cancelled_looks_no_further(
        self, reader: ScanningReader, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("pod_desktop.services.browse.OPEN_SECONDS", 0.0)
        view = Browser(reader).open(question(QUERIES[0]))
        view.step()
        view.cancel()
        view.step()
        assert not view.step()
        assert not view.advance().more

    def test_closing_ends_the_workers(self, folder: Path) -> None:
        pool = Pool(folder, workers=2)
        reader = ScanningReader(store.open_reader(folder), pool, ONLY_WORKERS)
        reader.count(question(QUERIES[0]))
        pids = pool.pids
        assert pids
        pool.close()
        assert not any(map(alive, pids))
        assert reader.count(question(QUERIES[0])) > 0
        reader.close()

    def test_workers_end_with_whoever_started_them_however_that_went(self, folder: Path) -> None:
        parent = subprocess.Popen(
            [sys.executable, "-c", PARENT, str(folder)], stdout=subprocess.PIPE, stdin=subprocess.PIPE
        )
        assert parent.stdout is not None and parent.stdin is not None
        pids = [int(pid) for pid in parent.stdout.readline().split()]
        assert pids and all(map(alive, pids))
        parent.kill()
        parent.wait()
        wait(lambda: not any(map(alive, pids)))
        parent.stdout.close()
        parent.stdin.close()


PARENT = f"""
import sys
from pathlib import Path
from pod_desktop import store
from pod_desktop.services import asking, scanning
from pod_desktop.services.scan_pool import Pool
scanning.FEW_RECORDS, scanning.PIECE_RECORDS = 1, 32
folder = Path(sys.argv[1])
pool = Pool(folder, workers=2)
reader = scanning.ScanningReader(store.open_reader(folder), pool, scanning.Help(0.0, False))
reader.count(asking.ask({QUERIES[0]!r}, now={NOW}))
print(*pool.pids, flush=True)
sys.stdin.read()
"""


DYING = """
import os, signal, sys
from pathlib import Path
from pod_desktop.services import scan_worker

work = scan_worker._Work.next

def next_order(self):
    order = work(self)
    if order is not None and order[1].low == int(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)
    return order

scan_worker._Work.next = next_order
scan_worker.run(Path(sys.argv[1]))
"""


def alive(pid: int) -> bool:
    """Does a process run? One that has ended and that nobody has asked about does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.parametrize(
    "command",
    [
        ["/nowhere/no-program"],
        [sys.executable, "-c", "raise SystemExit(3)"],
        [sys.executable, "-c", "print(7)"],
    ],
    ids=["cannot be started", "ends at once", "talks nonsense"],
)
def test_without_workers_that_work_the_asking_thread_does_it(
    folder: Path, plain: Reader, command: Sequence[str]
) -> None:
    pool = Pool(folder, workers=2, command=lambda _folder: command)
    reader = ScanningReader(store.open_reader(folder), pool, ONLY_WORKERS)
    ask = question(QUERIES[0])
    assert list(reader.search(ask)) == list(plain.search(ask))
    assert reader.problems() == []
    reader.close()
    pool.close()


def test_a_damaged_segment_is_named_and_the_rest_answers(tmp_path: Path) -> None:
    folder = tmp_path / "events"
    fill(folder)
    broken = apsw.Connection(str(folder / "segment-2.db"))
    (first,) = broken.execute("select first from raw order by first desc limit 1").fetchone()
    broken.execute("update raw set block = zeroblob(length(block)) where first = ?", (first,))
    broken.close()
    alone = store.open_reader(folder)
    pool = Pool(folder, workers=2)
    reader = ScanningReader(store.open_reader(folder), pool, ONLY_WORKERS)
    ask = question(QUERIES[0])
    number = reader.count(ask)
    assert number == alone.count(ask)
    assert 0 < number < RECORDS
    assert reader.problems() == alone.problems()
    assert "segment-2.db" in reader.problems()[0]
    again = ScanningReader(store.open_reader(folder), pool, ONLY_WORKERS)
    found = [row.seq for row in again.search(ask)]
    assert len(found) >= number
    assert again.problems() == alone.problems()
    for opened in (alone, reader, again):
        opened.close()
    pool.close()
