"""Finding things among millions of records: one command, one table.

    python tests/bench/bench_find.py --dir DIR [--records 1000000 10000000] [--only PART ...] [--no-comparison]

Builds stores of these sizes from the simulator's records (find/records.py says how they are made), keeps them in DIR for
another run, and measures them against their goals, F and S (floor.py) in the same run. Then the same six questions go
to other tools over the same records, as NDJSON and as Parquet: jq, ripgrep, lnav, DuckDB, as far as they are there
(`apt install jq ripgrep lnav`; `python -m venv DIR/venv && DIR/venv/bin/pip install duckdb`, or --duckdb PYTHON).

The table (DIR/table.md) is written again after each figure, and figures of earlier runs stay until they are measured
again, so a stop loses nothing and parts may be run one by one. Room for 10 million records: 16 GB NDJSON, about 10 GB
store, 4 GB Parquet; with --no-comparison the store alone. Time for them on a quiet machine with two cores: a quarter of
an hour to build, as long for the goals, two hours for the other tools (jq and lnav read everything for each question;
--tools leaves some out). Exit code 1: a goal is missed, or tools do not agree.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).parents[2]))
sys.path.insert(0, str(Path(__file__).parent))

from find import building, goals, rivals
from find.building import Place
from find.table import Figure, Table, at_most

PARTS = ("build", "store", "pages", "scans", "memory", "retention", "window", "comparison")
FOR_FILE = 1_000_000
"""Up to so many records the file is written first in any case: storing is measured without the generator beside it."""


def in_window(place: Place) -> Iterator[Figure]:
    """What a person in the window feels: bench_window over this store, in a process of its own."""
    script = Path(__file__).with_name("bench_window.py")
    told = subprocess.run(
        [sys.executable, str(script), "--data-dir", str(place.data.root), "--only", "store"],
        env=os.environ | {"QT_QPA_PLATFORM": "offscreen"}, stdout=subprocess.PIPE, check=True,
    )  # fmt: skip
    found = json.loads(told.stdout.splitlines()[-1])
    slowest = ", ".join(f"{text} {took:.0f}" for text, took in found["keystroke_slowest_ms"].items())
    yield Figure("window: keystroke to first page, p50", f"{found['keystroke_p50_ms']} ms")
    yield at_most("window: keystroke to first page, p95", found["keystroke_p95_ms"], 100, "ms")
    yield Figure("window: slowest keystrokes", f"{slowest} ms")
    yield at_most("window: longest blank of 100 jumps by the bar", found["store_blank_max_ms"], 150, "ms", f" (p50 {found['store_blank_p50_ms']})")  # fmt: skip
    late = f" = {found['scan_late_p99_ms']} ms (scan of {found['scan_seconds']:.1f} s)"
    yield at_most("window: timer late during a full scan, p99", found["scan_late_p99_repaints"], 2, "repaints", late)  # fmt: skip


def measure(place: Place, table: Table, parts: Iterable[str]) -> list[str]:
    """What is asked of the store alone; failures come back in words."""
    if not place.built.exists() and (place.count <= FOR_FILE or "comparison" in parts):
        building.write_ndjson(place)
    building.build(place)
    events = place.data.events
    measured = cache(building.measure_floor)
    work: dict[str, Callable[[], Iterator[Figure]]] = {
        "store": lambda: goals.stored(place, measured()),
        "pages": lambda: goals.pages(events),
        "scans": lambda: goals.scans(events, measured()),
        "memory": lambda: goals.memory(events),
        "retention": lambda: goals.retained(place),
        "window": lambda: in_window(place),
    }
    wrong = []
    for part, figures in work.items():
        if part in parts:
            try:
                for figure in figures():
                    table.add(place.count, figure)
            except Exception as error:  # the other parts are still worth their hours
                wrong.append(f"{part} at {place.count:,}: {error!r}")
                print(wrong[-1], flush=True)
    return wrong


def machine() -> str:
    memory = psutil.virtual_memory().total / 2**30
    load, *_ = os.getloadavg()
    return f"{os.cpu_count()} cores, {memory:.0f} GB memory, Python {platform.python_version()}, load {load:.1f} at the beginning"


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--dir", type=Path, required=True, help="where stores, files and the table are kept")
    parser.add_argument("--records", type=int, nargs="+", default=[1_000_000, 10_000_000])
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--no-comparison", action="store_true", help="our store alone, and no NDJSON is kept")
    parser.add_argument("--tools", nargs="+", choices=rivals.TOOLS, default=rivals.TOOLS, help="to compare")
    parser.add_argument(
        "--patience", type=float, default=900, help="seconds for one question to another tool"
    )
    parser.add_argument(
        "--duckdb", metavar="PYTHON", help="a Python that has DuckDB; default: DIR/venv, else this one"
    )
    options = parser.parse_args()
    options.dir.mkdir(parents=True, exist_ok=True)
    parts = [part for part in options.only if part != "comparison" or not options.no_comparison]
    own = options.dir / "venv" / "bin" / "python"
    duckdb = options.duckdb or str(own if own.exists() else sys.executable)
    table = Table(options.dir)
    table.machine(machine())
    wrong: list[str] = []
    places = [Place(options.dir, count) for count in options.records]
    for place in places:
        wrong += measure(place, table, parts)
        if options.no_comparison:
            place.ndjson.unlink(missing_ok=True)
    for place in places if "comparison" in parts else ():
        building.write_ndjson(place)
        wrong += rivals.compare(place, table, options.patience, duckdb, options.tools)
    missed = table.missed()
    print(f"\n{table.text()}\nTable: {table.page}")
    for line in (*(f"MISSED: {name}" for name in missed), *(f"WRONG: {text}" for text in wrong)):
        print(line)
    return 1 if missed or wrong else 0


if __name__ == "__main__":
    sys.exit(main())
