"""Builds what is asked: NDJSON of the records, and a data directory whose store holds them, sealed.

Both are kept. What building the store cost is written beside it, in built.json.
"""

from __future__ import annotations

import json
import multiprocessing
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

from floor import Floor, floor
from measuring import run, share, watch

from find import records
from pod_desktop import content, store
from pod_desktop.core.clock import SystemClock
from pod_desktop.core.record import Arrival
from pod_desktop.core.status import Counters
from pod_desktop.store import Commit, DataDir, Source
from pod_desktop.store.writer import SegmentWriter

HERE: Final = Source(connector="bench", tenant="acme", cluster_id="acme_hosted")
BATCH: Final = 2_000
SAMPLE: Final = 12_800
WATCHED: Final = 1_000_000
"""Up to so many records a second process reads while they are stored."""


class Place:
    """The folder of one size."""

    def __init__(self, folder: Path, count: int) -> None:
        self.count = count
        self.folder = folder / f"{count}"
        self.ndjson = self.folder / "records.ndjson"
        self.data = DataDir(self.folder / "data")
        self.built = self.folder / "built.json"
        self.parquet = self.folder / "records.parquet"

    def facts(self) -> dict[str, Any]:
        return cast(dict[str, Any], json.loads(self.built.read_text()))


def measure_floor() -> Floor:
    """F and S on the first records of a population like that of the stores."""
    return floor(list(islice(records.made(SAMPLE * records.WEEKS), SAMPLE)))


def write_ndjson(place: Place) -> None:
    """Write the records as NDJSON unless they are there."""
    if place.ndjson.exists():
        return
    place.folder.mkdir(parents=True, exist_ok=True)
    part = place.ndjson.with_name(place.ndjson.name + ".part")
    begun = time.perf_counter()
    with part.open("wb") as file:
        subprocess.run(
            [sys.executable, str(Path(records.__file__)), str(place.count)], stdout=file, check=True
        )
    part.rename(place.ndjson)
    print(f"{place.count:,} records written in {time.perf_counter() - begun:,.0f} s", flush=True)


def build(place: Place) -> None:
    """Build the store unless it is there; one that was not finished is begun again."""
    if place.built.exists():
        return
    shutil.rmtree(place.data.root, ignore_errors=True)
    place.data.root.mkdir(parents=True)
    place.data.open()
    measured = measure_floor()
    # From a file the records come without a second process at work, so that the figures are those of storing.
    watched = place.ndjson.exists() and place.count <= WATCHED
    written, seen = _with_reader(place) if watched else (run(ingest, place), None)
    facts = {"floor": measured, "written": written, "seen": seen}
    part = place.built.with_name("built.part")
    part.write_text(json.dumps(facts))
    part.rename(place.built)
    print(f"{place.count:,} records stored in {written['seconds']:,.0f} s", flush=True)


def _with_reader(place: Place) -> tuple[dict[str, Any], dict[str, Any]]:
    context = multiprocessing.get_context("spawn")
    stop, heard = context.Event(), context.Queue()
    reader = context.Process(target=watch, args=(place.data.events, stop, heard))
    reader.start()
    try:
        written = run(ingest, place)
    finally:
        stop.set()
        seen = heard.get(timeout=60)
        reader.join()
    spans = seen["spans"]
    return written, {
        "p50": share(spans, 0.5),
        "p99": share(spans, 0.99),
        "pages": len(spans),
        "rss": seen["rss"],
    }


@contextmanager
def _lines(place: Place) -> Iterator[BinaryIO]:
    """The records, one a line: of the file, or as another process makes them."""
    if place.ndjson.exists():
        with place.ndjson.open("rb", buffering=1 << 20) as file:
            yield file
        return
    command = [sys.executable, str(Path(records.__file__)), str(place.count)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, bufsize=1 << 20) as maker:
        assert maker.stdout is not None
        yield cast(BinaryIO, maker.stdout)


def ingest(place: Place, answer: Any) -> None:
    """Store all records as the collector does, and tell what it cost."""
    writer = SegmentWriter(place.data.events, clock=SystemClock())
    spans: list[float] = []
    count = size = 0
    fetching = 0.0
    cpu_before, begun = time.process_time(), time.perf_counter()
    with _lines(place) as file:
        found = records.read(file)
        while True:
            before = time.thread_time()
            part = list(islice(found, BATCH))
            fetching += time.thread_time() - before
            if not part:
                break
            now = SystemClock().now()
            arrivals = [Arrival(content.read(kind, raw, now), raw) for kind, raw in part]
            before = time.perf_counter()
            done = writer.commit(
                Commit(source=HERE, lane=store.LIVE, records=arrivals, stream="bench/all", progress={"cursor": count}, counters=Counters(received=len(arrivals)))
            )  # fmt: skip
            spans.append(time.perf_counter() - before)
            assert done.stored == len(part), done
            count += len(part)
            size += sum(len(raw) for _, raw in part)
            writer.tidy()
    took = time.perf_counter() - begun
    writer.rotate()
    while writer.busy():
        time.sleep(0.01)
    writer.tidy()
    assert not writer.problems(), writer.problems()
    assert count == place.count, count
    spent = time.process_time() - cpu_before - fetching
    writer.close()
    answer.put(
        {
            "records": count,
            "bytes": size,
            "seconds": took,
            "cpu": spent,
            "commit_p50": share(spans, 0.5),
            "commit_p99": share(spans, 0.99),
            "commit_max": max(spans) * 1e3,
            "rss": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        }
    )
