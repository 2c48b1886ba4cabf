"""What deleting old records costs: `python tests/bench/bench_retention.py --records 1000000`.

Builds a store, marks some records of its oldest fifth, deletes that fifth by age (nothing can come again) and the
next by size (its ids are remembered), while a second process reads and this one goes on storing. Prints seconds,
bytes before and after, the longest pause of the writer, and what readers saw.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from itertools import islice
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))
sys.path.insert(0, str(Path(__file__).parent))

from bench_store import BEGIN, Builder

from pod_desktop import content, store
from pod_desktop.core.clock import DAY, SECOND
from pod_desktop.core.record import Arrival
from pod_desktop.core.status import Counters
from pod_desktop.services.retention import Freed, Retention
from pod_desktop.store import LIVE, Ask, Commit, Limits, Source
from pod_desktop.store.retention import GIGABYTE
from pod_desktop.store.writer import SegmentWriter

HERE = Source(connector="bench", tenant="acme", cluster_id="acme_hosted")


class At:
    now_at = BEGIN

    def now(self) -> int:
        return self.now_at

    def monotonic(self) -> float:
        return time.monotonic()


def batches(found: Iterator[tuple[str, bytes]], size: int = 2_000) -> Iterator[list[Arrival]]:
    while some := [Arrival(content.read(kind, raw, BEGIN), raw) for kind, raw in islice(found, size)]:
        yield some


def put(writer: SegmentWriter, arrivals: list[Arrival]) -> None:
    writer.commit(
        Commit(
            source=HERE,
            lane=LIVE,
            records=arrivals,
            stream="b/all",
            counters=Counters(received=len(arrivals)),
        )
    )


def settle(writer: SegmentWriter) -> None:
    while writer.busy():
        time.sleep(0.01)
    writer.tidy()


def read(folder: Path, stop: Event, out: Any) -> None:
    """Newest pages again and again; tells the slowest and whatever went wrong."""
    reader = store.open_reader(folder)
    spent, faults = [], []
    while not stop.is_set():
        begun = time.perf_counter()
        try:
            rows = list(reader.search(Ask(), limit=100))
            reader.version()
            if len(rows) != 100 or reader.problems():
                faults.append(str(reader.problems()))
        except Exception as error:
            faults.append(repr(error))
        spent.append(time.perf_counter() - begun)
        time.sleep(0.01)
    out.put((sorted(spent), faults))
    reader.close()


def size_of(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.iterdir())


def run(folder: Path, writer: SegmentWriter, clock: At, limits: Limits, keep: frozenset[str], more: list[list[Arrival]]) -> None:  # fmt: skip
    """One run of retention with a reader beside it and commits between."""
    stop, out = multiprocessing.Event(), multiprocessing.Queue()
    other = multiprocessing.Process(target=read, args=(folder, stop, out))
    other.start()
    lock = threading.Lock()
    pauses: list[float] = []

    def inside(work: Any) -> Any:
        with lock:
            begun = time.perf_counter()
            done = work(writer)
            pauses.append(time.perf_counter() - begun)
            return done

    retention = Retention(folder, lambda: limits, lambda: keep, inside, clock, read=content.read)
    before, records = size_of(folder), store.open_reader(folder).totals().records
    freed: list[Freed] = []
    begun = time.perf_counter()
    thread = threading.Thread(target=lambda: freed.append(retention.apply()))
    thread.start()
    for arrivals in more:
        with lock:
            put(writer, arrivals)
        if not thread.is_alive():
            break
    thread.join()
    spent = time.perf_counter() - begun
    after = size_of(folder)
    stop.set()
    times, faults = out.get()
    other.join()
    print(
        f"  {freed[0].words()}\n  {spent:.2f} s for {freed[0].records:,} of {records:,} records"
        f"  disk {before / 1e6:,.0f} -> {after / 1e6:,.0f} MB  longest pause of the writer {max(pauses, default=0) * 1e3:.0f} ms"
        f"\n  reader: {len(times)} pages, p99 {times[int(len(times) * 0.99) - 1] * 1e3:.1f} ms, faults {faults or 'none'}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    folder = options.folder or Path(tempfile.mkdtemp(prefix="bench-retention-"))
    clock = At()
    writer = SegmentWriter(folder / "events", clock=clock)
    events = folder / "events"
    made = batches(Builder().records())
    begun = time.perf_counter()
    done = 0
    while done < options.records:
        put(writer, next(made))
        done += 2_000
    writer.rotate()
    settle(writer)
    print(
        f"{done:,} records stored and sealed in {time.perf_counter() - begun:.0f} s, {size_of(events) / 1e6:,.0f} MB"
    )
    for file in events.glob("segment-*.db"):
        # The records' times are to count, whatever the computer's clock says.
        os.utime(file, (BEGIN / 1e6 + 1e8, BEGIN / 1e6 + 1e8))
    more = [next(made) for _ in range(20)]
    parts = sorted((one.hi or 0, one.segment) for one in writer._entries.values())
    fifth = max(1, len(parts) // 5)
    reader = store.open_reader(events)
    marked = [
        row.record_id for row in reader.search(Ask(until=parts[fifth - 1][0]), limit=500, order="oldest")
    ]
    reader.close()
    clock.now_at = parts[fifth - 1][0] + 40 * DAY + SECOND
    print(f"by age, {len(marked)} records marked:")
    run(events, writer, clock, Limits(40, 0), frozenset(marked), more[:10])
    clock.now_at = BEGIN + DAY
    total = size_of(events)
    size = sum(file.stat().st_size for file in events.glob(f"segment-{parts[fifth][1]}.db"))
    print("by size, ids remembered:")
    import pod_desktop.store.retention as unit

    unit.GIGABYTE = total - fifth * size + size // 2
    assert GIGABYTE == 10**9
    run(events, writer, clock, Limits(0, 1), frozenset(marked), more[10:])
    settle(writer)
    writer.close()
    print("verify:", store.verify(events) or "sound")
    if options.folder is None:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
