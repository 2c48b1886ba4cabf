"""What catching up costs: hours of the archive through the service against a bare loop, and live meanwhile.

    python tests/bench/bench_collect_backfill.py [--hours N] [--rate R]

The archive is R records a second, as of a cluster of medium size; the server is a process of its own. Prints
one JSON object: records a second of both, and how long live records waited while the archive was fetched
beside them on a second key.
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
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from pod_desktop import content
from pod_desktop.core.clock import HOUR, SystemClock
from pod_desktop.core.connector import CollectConnector
from pod_desktop.core.secret import Secret
from pod_desktop.services import collect_commit
from pod_desktop.services.collect import CollectorService
from pod_desktop.simulator import Simulator
from pod_desktop.store import LIVE, Ledger
from pod_desktop.store.writer import SegmentWriter
from pod_desktop.stream import stream_url
from pod_desktop.vault import MemoryVault

KINDS = ("message", "maillog")


async def serve(rate: float) -> None:
    """Serve until standard input ends."""
    async with Simulator(rate=rate, archive_rate=rate, track=False, deflate=False) as sim:
        print(json.dumps({"url": sim.stream_url, "keys": sim.api_keys}), flush=True)
        await asyncio.to_thread(sys.stdin.read)


async def bare(server: dict[str, Any], hours: int) -> tuple[int, float]:
    """The floor: the same requests, received and forgotten; records and seconds.

    The simulated archive makes each record anew: where that is the slowest part, both come out alike, and
    tests/bench/bench_receive.py tells more of the service's own cost.
    """
    from websockets.asyncio.client import connect
    from websockets.exceptions import ConnectionClosed

    end = SystemClock().now() // HOUR - 1

    async def one(kind: str) -> int:
        count = 0
        for hour in range(end - hours, end):
            url = stream_url(server["url"], "acme_hosted", kind, since=hour * HOUR, until=(hour + 1) * HOUR)
            async with connect(
                url,
                additional_headers={"Authorization": f"Bearer {server['keys'][0]}"},
                max_size=1 << 26,
                ping_interval=None,
                proxy=None,
                compression=None,
                open_timeout=None,
            ) as connection:
                try:
                    while True:
                        await connection.recv(decode=False)
                        count += 1
                except ConnectionClosed:
                    pass
        return count

    began = time.perf_counter()
    counts = await asyncio.gather(*(one(kind) for kind in KINDS))
    return sum(counts), time.perf_counter() - began


async def caught_up(server: dict[str, Any], hours: int, keys: int) -> dict[str, Any]:
    """Through the service; with two keys live goes on meanwhile."""
    waits: list[float] = []
    clock, store = SystemClock(), collect_commit.Committer._store

    def timed(self: Any, batch: Any) -> Any:
        stored = store(self, batch)
        if batch.frames and batch.lane == LIVE:
            done = clock.now()
            waits.extend((done - frame.arrived) / 1000 for frame in batch.frames)
        return stored

    collect_commit.Committer._store = timed  # type: ignore[method-assign]
    try:
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder)
            connector = CollectConnector(
                name="bench",
                tenant="bench",
                cluster_id="acme_hosted",
                content_types=KINDS,
                collect_from=f"{hours}h",
                stream_url=server["url"],
            )
            ledger, vault = Ledger(place / "ledger.db"), MemoryVault()
            ledger.add_connector(connector, now=clock.now())
            for name, key in list(zip(("api_key", "api_key_2"), server["keys"], strict=True))[:keys]:
                vault.put("bench", name, connector.secret_origin(), Secret(key))
            writer = SegmentWriter(place / "events", clock=clock)
            service = CollectorService(ledger, writer, vault, clock, read=content.read)
            began, cpu = time.perf_counter(), time.process_time()
            await service.run(asyncio.Event(), until_caught_up=True)
            wall, used = time.perf_counter() - began, time.process_time() - cpu
            stored = sum(status.counters.stored for status in service.statuses())
            received = sum(status.counters.received for status in service.statuses())
            ledger.close()
    finally:
        collect_commit.Committer._store = store  # type: ignore[method-assign]
    told: dict[str, Any] = {
        "received": received,
        "stored": stored,
        "seconds": round(wall, 1),
        "records_a_second": round(received / wall),
        "cpu_us_a_record": round(used / received * 1e6, 1),
    }
    if keys > 1 and len(waits) > 20:
        cuts = statistics.quantiles(waits, n=100)
        told |= {
            "live_records": len(waits),
            "live_p50_ms": round(cuts[49]),
            "live_p95_ms": round(cuts[94]),
            "live_max_ms": round(max(waits)),
        }
    return told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=int, default=4)
    parser.add_argument("--rate", type=float, default=20)
    parser.add_argument("--serve", action="store_true")
    asked = parser.parse_args()
    if asked.serve:
        asyncio.run(serve(asked.rate))
        return
    process = subprocess.Popen(
        [sys.executable, __file__, "--serve", "--rate", str(asked.rate)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        server = json.loads(process.stdout.readline())
        count, seconds = asyncio.run(bare(server, asked.hours))
        report = {
            "hours": asked.hours,
            "bare": {"records": count, "records_a_second": round(count / seconds)},
            "one_key": asyncio.run(caught_up(server, asked.hours, 1)),
            "second_key_beside_live": asyncio.run(caught_up(server, asked.hours, 2)),
        }
        for name in ("one_key", "second_key_beside_live"):
            found = report[name]
            found["of_the_floor"] = round(found["records_a_second"] / (count / seconds), 2)
        print(json.dumps(report, indent=1))
    finally:
        process.communicate("")


if __name__ == "__main__":
    main()
