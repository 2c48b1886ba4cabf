"""The long proof: a collector killed in a loop, and one that receives at full speed for minutes.

    python tests/bench/soak.py --rounds 100 [--phases receiving,archive,sealing,deleting]
    python tests/bench/soak.py --seconds 600 [--rate 3000]

Prints one JSON object for each part. Kills: first each phase in rounds of its own, then all of them mixed;
rounds, records, lost, doubled, deleted by retention, and for each phase how many kills were within it and the
seconds to recover. Sustained: records a second, memory and its slope over the second half (MB an hour), the
longest queue. Memory rises with a segment's dictionaries and its seal, and falls behind it: what stays is told
by the slope of the least of each tenth of the run.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

import psutil

from pod_desktop.core import limits
from tests.bench.bench_receive import make_service, start_server
from tests.faults.killing import PHASES, kill_loop
from tests.flow.collecting import Desk

MIB = 1024 * 1024


def kills(rounds: int, phases: Sequence[str]) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        desk = Desk(Path(folder))
        try:
            return asyncio.run(kill_loop(desk, rounds, archive_hours=6, phases=phases)).to_json()
        finally:
            desk.close()


def all_kills(rounds: int, phases: Sequence[str]) -> None:
    """A part of the rounds for each phase alone, the rest mixed."""
    alone = rounds // (len(phases) + 1) if len(phases) > 1 else 0
    for phase in phases if alone else ():
        print(json.dumps({"kills": phase, **kills(alone, [phase])}), flush=True)
    print(json.dumps({"kills": "mixed", **kills(rounds - alone * len(phases), phases)}), flush=True)


async def sustained(server: dict[str, Any], seconds: float, segment: int) -> dict[str, Any]:
    """Receive as fast as the server gives for so long, looking at memory and queues all the while."""
    me = psutil.Process(os.getpid())
    samples: list[tuple[float, float, int, int]] = []
    with tempfile.TemporaryDirectory() as folder:
        service, stop = make_service(Path(folder), server, segment), asyncio.Event()
        began, cpu = time.monotonic(), time.process_time()
        async with asyncio.TaskGroup() as group:
            group.create_task(service.run(stop))
            while (passed := time.monotonic() - began) < seconds:
                await asyncio.sleep(min(1.0, seconds / 60))
                waiting = [running.task._session for running in service._streams.values()]
                queue = max((len(one.arrivals) for one in waiting if one is not None), default=0)
                stored = sum(status.counters.stored for status in service.statuses())
                samples.append((passed, me.memory_info().rss / MIB, queue, stored))
            lags = [status.lag_s for status in service.statuses() if status.lag_s is not None]
            stop.set()
        received = sum(status.counters.received for status in service.statuses())
        used = time.process_time() - cpu
    half = samples[len(samples) // 2 :]
    tenths = [samples[len(samples) * n // 10 : len(samples) * (n + 1) // 10] for n in range(10)]
    least = [min((size, at) for at, size, _, _ in part) for part in tenths if part]
    return {
        "seconds": round(samples[-1][0]),
        "records": received,
        "records_a_second": round(samples[-1][3] / samples[-1][0]),
        "cpu_share": round(used / samples[-1][0], 2),
        "memory_mb_after_a_tenth": round(samples[len(samples) // 10][1]),
        "memory_mb_at_the_end": round(samples[-1][1]),
        "memory_mb_most": round(max(sample[1] for sample in samples)),
        "memory_slope_mb_an_hour": round(_slope([(at, size) for at, size, _, _ in half]) * 3600, 1),
        "memory_mb_least_and_most_of_each_tenth": [
            (round(min(one[1] for one in part)), round(max(one[1] for one in part)))
            for part in tenths
            if part
        ],
        "memory_slope_of_the_least_mb_an_hour": round(
            _slope([(at, size) for size, at in least[len(least) // 3 :]]) * 3600, 1
        ),
        "segments": round(received / segment, 1),
        "queue_most": max(sample[2] for sample in samples),
        "queue_bound": limits.QUEUE_RECORDS,
        "lag_s_at_the_end": max(lags, default=None),
    }


def _slope(points: list[tuple[float, float]]) -> float:
    """Least squares, per unit of the first value."""
    count = len(points)
    x = sum(point[0] for point in points) / count
    y = sum(point[1] for point in points) / count
    spread = sum((point[0] - x) ** 2 for point in points) or 1.0
    return sum((point[0] - x) * (point[1] - y) for point in points) / spread


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=0, help="kills")
    parser.add_argument("--phases", default=",".join(PHASES), help="what is killed, comma-separated")
    parser.add_argument("--seconds", type=float, default=0, help="of sustained receiving")
    parser.add_argument("--rate", type=float, default=3_000, help="records a second that are released")
    parser.add_argument(
        "--segment-records",
        type=int,
        default=limits.SEGMENT_RECORDS,
        help="memory grows with the ids of a segment and falls when it is sealed: judge over several",
    )
    asked = parser.parse_args()
    if asked.rounds:
        all_kills(asked.rounds, asked.phases.split(","))
    if asked.seconds:
        process, server = start_server(0, asked.rate)
        try:
            found = asyncio.run(sustained(server, asked.seconds, asked.segment_records))
        finally:
            process.communicate("")
        print(json.dumps({"sustained": found}), flush=True)


if __name__ == "__main__":
    main()
