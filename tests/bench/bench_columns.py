"""What promoting a field costs and gives: `python tests/bench/bench_columns.py --records 200000`.

For each field: seconds a million records and disk bytes a record to promote it, and the first page, the count and the
most frequent values by it, before and after. Then ingest, with nothing promoted and while a field is being promoted.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
sys.path.insert(0, str(Path(__file__).parent))

from bench_store import BEGIN, HERE, build, records_of

from pod_desktop import content, store
from pod_desktop.core.clock import SystemClock
from pod_desktop.core.record import Arrival
from pod_desktop.core.status import Counters
from pod_desktop.services import asking, columns
from pod_desktop.services.promoting import Promotion
from pod_desktop.store import Ask, Commit, DataDir, Ledger
from pod_desktop.store.writer import SegmentWriter

FIELDS = {
    "filter.modules.spam.scores.classifiers.mlx": "filter.modules.spam.scores.classifiers.mlx:>97",
    "filter.modules.spam.version.engine": "filter.modules.spam.version.engine:8.19*",
    "connection.sid": "connection.sid:abc*",
    "msgParts.md5": "msgParts.md5:ab*",
}
"""A number, one value in all, a value of its own in each, several of their own in each."""


def fill(path: Path, folder: Path, segment: int, *, batch: int = 2_000) -> float:
    """Store the records; records a second."""
    writer = SegmentWriter(folder, clock=SystemClock(), segment_records=segment)
    parsed = [(kind, raw) for kind, raw in records_of(path)]
    begun = time.perf_counter()
    for first in range(0, len(parsed), batch):
        part = parsed[first : first + batch]
        arrivals = [Arrival(content.read(kind, raw, BEGIN), raw) for kind, raw in part]
        counters = Counters(received=len(part))
        writer.commit(
            Commit(source=HERE, lane=store.LIVE, records=arrivals, stream="bench/all", counters=counters)
        )
        writer.tidy()
    rate = len(parsed) / (time.perf_counter() - begun)
    writer.rotate()
    while writer.busy():
        time.sleep(0.01)
    writer.close()
    return rate


def timed(work: Callable[[], object]) -> tuple[float, object]:
    begun = time.perf_counter()
    found = work()
    return time.perf_counter() - begun, found


def ask_all(folder: Path, path: str, query: str) -> dict[str, tuple[float, object]]:
    """Seconds and answers; the second time of each, so that all is warm."""
    tree = asking.parse(query, 0)
    ask = Ask(tree=tree, matches=asking.judge(tree), spots=asking.spots(tree), values=asking.field_values)
    reader = store.open_reader(folder)
    found: dict[str, tuple[float, object]] = {}
    for _ in range(2):
        found = {
            "page": timed(lambda: [row.seq for row in reader.search(ask, limit=100)]),
            "count": timed(lambda: reader.count(ask)),
            "top": timed(lambda: reader.count_by(Ask(values=asking.field_values), path, 20)),
        }
    reader.close()
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--segment", type=int, default=50_000)
    options = parser.parse_args()
    place = Path(tempfile.mkdtemp(prefix="columns-"))
    try:
        home = DataDir(place / "home").open()
        build(place / "records", options.records, None)
        alone = fill(place / "records", home.events, options.segment)
        ledger = Ledger(home.ledger)
        size = sum(file.stat().st_size for file in home.events.iterdir())
        for path, query in FIELDS.items():
            told = columns.cost(home.events, path)
            before = ask_all(home.events, path, query)
            columns.add(ledger, path, SystemClock())
            promotion = Promotion(home.events, ledger, SystemClock(), lambda: 1 << 40, rest=0.0)
            cpu = time.process_time()
            took, _ = timed(promotion.work)
            cpu = time.process_time() - cpu
            (state,) = columns.ColumnStates(home, ledger).all()
            after = ask_all(home.events, path, query)
            assert [one for _, one in before.values()] == [one for _, one in after.values()]
            print(json.dumps({
                "field": path, "seconds_a_million": round(took * 1e6 / options.records, 1), "cpu_seconds_a_million": round(cpu * 1e6 / options.records, 1),
                "bytes_a_record": round(state.bytes_disk / options.records, 2),
                "share_of_disk": round(state.bytes_disk / size, 4),
                "told_seconds": round(told.seconds * 1e6 / options.records, 1),
                "told_bytes": round(told.bytes_disk / options.records, 2),
                "matching": before["count"][1],
                **{f"{name}_ms": [round(1000 * before[name][0], 1), round(1000 * after[name][0], 1)] for name in before},
            }))  # fmt: skip
            columns.remove(ledger, path)
            promotion.work()
        columns.add(ledger, "connection.sid", SystemClock())
        stop = threading.Event()

        def promote_again_and_again() -> None:
            while not stop.is_set():
                Promotion(home.events, ledger, SystemClock(), lambda: 1 << 40).work()
                for part in store.column_parts(home.events):
                    store.remove_column_part(part.path)

        thread = threading.Thread(target=promote_again_and_again)
        thread.start()
        beside = fill(place / "records", place / "second", options.segment)
        stop.set()
        thread.join()
        again = fill(place / "records", place / "third", options.segment)
        ledger.close()
        print(json.dumps({
            "ingest_a_second": {"nothing promoted": round(alone), "while promoting": round(beside), "again alone": round(again)},
        }))  # fmt: skip
    finally:
        shutil.rmtree(place)
    return 0


if __name__ == "__main__":
    sys.exit(main())
