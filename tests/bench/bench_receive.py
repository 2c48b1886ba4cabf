"""What receiving costs: the service's whole way into the store against a bare receive loop on the same frames.

    python tests/bench/bench_receive.py [--records N] [--rate R] [--seconds S]

Prints one JSON object. The server is a process of its own; wall time, and CPU time of the receiving process.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from pod_desktop import content
from pod_desktop.core import limits
from pod_desktop.core.clock import HOUR, MINUTE, SystemClock
from pod_desktop.core.connector import CollectConnector
from pod_desktop.core.secret import Secret
from pod_desktop.services import collect_commit
from pod_desktop.services.collect import CollectorService
from pod_desktop.services.collect_rules import Timing
from pod_desktop.simulator import Simulator
from pod_desktop.simulator.generator import Flow, Generator
from pod_desktop.store import Ledger
from pod_desktop.store.writer import SegmentWriter
from pod_desktop.vault import MemoryVault

KINDS = ("message", "maillog")


def make_frames(records: int) -> dict[str, list[bytes]]:
    """Distinct frames of a busy hour, maillog and message as in life."""
    now = SystemClock().now()
    begin = now - now % HOUR - 30 * HOUR
    generator = Generator(1, "acme_hosted", "calm", archive_rate=records / 1800, live_from=now)
    flow, frames = Flow(generator, KINDS, begin), {kind: [] for kind in KINDS}
    count, moment = 0, begin
    while count < records:
        moment += MINUTE
        for item in flow.until(moment):
            frames[item.kind].append(item.frame)
            count += 1
    return frames


async def serve(records: int, rate: float) -> None:
    """Serve until standard input ends."""
    frames = make_frames(records) if records else {}
    async with Simulator(rate=rate or 0.001, preencoded=frames, deflate=not records, track=False) as sim:
        said = {
            "url": sim.stream_url,
            "key": sim.api_keys[0],
            "count": {kind: len(found) for kind, found in frames.items()},
            "bytes": sum(len(frame) for found in frames.values() for frame in found),
        }
        print(json.dumps(said), flush=True)
        await asyncio.to_thread(sys.stdin.read)


def start_server(records: int, rate: float) -> tuple[subprocess.Popen[str], dict[str, Any]]:
    process = subprocess.Popen(
        [sys.executable, __file__, "--serve", "--records", str(records), "--rate", str(rate)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    return process, json.loads(process.stdout.readline())


async def bare(server: dict[str, Any]) -> tuple[float, float]:
    """The floor: receive, do nothing."""
    from websockets.asyncio.client import connect

    async def one(kind: str) -> None:
        url = f"{server['url']}/v1/stream?cid=acme_hosted&type={kind}"
        async with connect(
            url,
            additional_headers={"Authorization": f"Bearer {server['key']}"},
            max_size=1 << 26,
            ping_interval=None,
            proxy=None,
        ) as connection:
            for _ in range(server["count"][kind]):
                await connection.recv(decode=False)

    began, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(one(kind) for kind in server["count"]))
    return time.perf_counter() - began, time.process_time() - cpu


def make_service(
    folder: Path, server: dict[str, Any], segment_records: int = limits.SEGMENT_RECORDS
) -> CollectorService:
    clock = SystemClock()
    connector = CollectConnector(
        name="bench",
        tenant="bench",
        cluster_id="acme_hosted",
        content_types=KINDS,
        collect_from="now",
        stream_url=server["url"],
    )
    ledger, vault = Ledger(folder / "ledger.db"), MemoryVault()
    ledger.add_connector(connector, now=clock.now())
    vault.put("bench", "api_key", connector.secret_origin(), Secret(server["key"]))
    writer = SegmentWriter(folder / "events", clock=clock, segment_records=segment_records)
    return CollectorService(
        ledger, writer, vault, clock, read=content.read, timing=replace(Timing(), quiet=0.5)
    )


async def through_service(server: dict[str, Any]) -> tuple[float, float, int]:
    """All the way: receive, read, store, durable."""
    with tempfile.TemporaryDirectory() as folder:
        service, stop = make_service(Path(folder), server), asyncio.Event()
        wanted = sum(server["count"].values())
        began, cpu = time.perf_counter(), time.process_time()
        async with asyncio.TaskGroup() as group:
            group.create_task(service.run(stop))
            while sum(status.counters.received for status in service.statuses()) < wanted:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            wall, used = time.perf_counter() - began, time.process_time() - cpu
            stop.set()
        return wall, used, sum(status.counters.stored for status in service.statuses())


async def latency(server: dict[str, Any], seconds: float) -> dict[str, float]:
    """Milliseconds from the arrival of a frame to the return of the commit that holds it."""
    waits: list[float] = []
    commits: list[float] = []
    clock = SystemClock()
    store = collect_commit.Committer._store

    def timed(self: Any, batch: Any) -> Any:
        began = time.perf_counter()
        stored = store(self, batch)
        if batch.frames:
            done = clock.now()
            commits.append((time.perf_counter() - began) * 1000)
            waits.extend((done - frame.arrived) / 1000 for frame in batch.frames)
        return stored

    collect_commit.Committer._store = timed  # type: ignore[method-assign]
    with tempfile.TemporaryDirectory() as folder:
        service, stop = make_service(Path(folder), server), asyncio.Event()
        cpu = time.process_time()
        async with asyncio.TaskGroup() as group:
            group.create_task(service.run(stop))
            await asyncio.sleep(seconds)
            used = time.process_time() - cpu
            stop.set()
    cuts = statistics.quantiles(waits, n=100)
    return {
        "records": len(waits),
        "records_a_second": round(len(waits) / seconds, 1),
        "arrival_to_commit_p50_ms": round(cuts[49], 1),
        "arrival_to_commit_p95_ms": round(cuts[94], 1),
        "arrival_to_commit_max_ms": round(max(waits), 1),
        "commits": len(commits),
        "commit_p50_ms": round(statistics.median(commits), 1),
        "cpu_share": round(used / seconds, 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--records", type=int, default=60_000)
    parser.add_argument("--rate", type=float, default=500)
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--serve", action="store_true")
    asked = parser.parse_args()
    if asked.serve:
        asyncio.run(serve(asked.records, asked.rate))
        return
    report: dict[str, Any] = {}
    process, server = start_server(asked.records, 0)
    try:
        records = sum(server["count"].values())
        wall, cpu = min(asyncio.run(bare(server)) for _ in range(2))
        whole, used, stored = asyncio.run(through_service(server))
        report["throughput"] = {
            "records": records,
            "mean_bytes": round(server["bytes"] / records),
            "bare_records_a_second": round(records / wall),
            "bare_cpu_us": round(cpu / records * 1e6, 1),
            "service_records_a_second": round(records / whole),
            "service_cpu_us": round(used / records * 1e6, 1),
            "ratio_wall": round(whole / wall, 2),
            "ratio_cpu": round(used / cpu, 2),
            "stored": stored,
        }
    finally:
        process.communicate("")
    process, server = start_server(0, asked.rate)
    try:
        report["latency"] = asyncio.run(latency(server, asked.seconds))
    finally:
        process.communicate("")
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
