"""What catching up costs: days of the archive through the service against a bare loop, and live meanwhile.

    python tests/bench/bench_collect_backfill.py [--days 0.25] [--rate 20] [--keys 1,2] [--no-floor]

The archive is R records a second, each hour the same records with ids and times of their own, made before the
clock starts: 7 days at 20 a second are 12 million. The server is a process of its own. Prints one JSON object:
records a second of the floor (the same requests, received and forgotten) and through the service, with one key
(archive and live take turns) and with two (the archive beside live); and how long records that were released
meanwhile took until they were stored, the pauses of one key included.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

import psutil

from pod_desktop import content, store
from pod_desktop.core.clock import HOUR, MINUTE, SystemClock, iso, parse_iso
from pod_desktop.core.connector import CollectConnector
from pod_desktop.core.secret import Secret
from pod_desktop.services import collect_commit
from pod_desktop.services.collect import CollectorService
from pod_desktop.simulator import Simulator
from pod_desktop.store import LIVE, Ask, Ledger
from pod_desktop.store.writer import SegmentWriter
from pod_desktop.stream import stream_url
from pod_desktop.vault import MemoryVault
from tests.bench.stamped import KINDS, stamped_hours

PROBES = 10
"""Records a second and kind whose way from release to store is measured."""
_PROBE = b'{"guid": "probe-', b'{"id": "probe-'


async def serve(rate: float) -> None:
    """Serve until standard input ends."""
    hours = stamped_hours(rate)
    async with Simulator(
        rate=rate,
        track=False,
        deflate=False,
        encoded_hours=lambda kind, hour: hours[kind].pieces(hour) if kind in hours else (),
    ) as sim:
        counts = {kind: hours[kind].count for kind in KINDS}
        print(json.dumps({"url": sim.stream_url, "keys": sim.api_keys, "counts": counts}), flush=True)
        async with asyncio.TaskGroup() as group:
            probing = group.create_task(probe(sim))
            await asyncio.to_thread(sys.stdin.read)
            probing.cancel()


async def probe(sim: Simulator) -> None:
    """Release records whose time is the moment of their release."""
    number = 0
    while True:
        number += 1
        for kind, name in zip(KINDS, ("guid", "id"), strict=True):
            sim.publish(kind, json.dumps({name: f"probe-{number}", "ts": iso(sim.now())}))
        await asyncio.sleep(1 / PROBES)


async def bare(server: dict[str, Any], hours: int) -> tuple[int, float, float]:
    """The floor: the same requests, received and forgotten; records, seconds and seconds of CPU."""
    from websockets.asyncio.client import connect
    from websockets.exceptions import ConnectionClosed

    end = SystemClock().now() // HOUR

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

    began, cpu = time.perf_counter(), time.process_time()
    counts = await asyncio.gather(*(one(kind) for kind in KINDS))
    return sum(counts), time.perf_counter() - began, time.process_time() - cpu


class Watch:
    """How long probes took, and how much memory was used, while the archive was fetched."""

    def __init__(self) -> None:
        self.waits: list[float] = []
        self.peak = 0
        self._clock, self._me = SystemClock(), psutil.Process(os.getpid())
        self.began = self._clock.now()
        self._store = collect_commit.Committer._store

    def __enter__(self) -> Watch:
        store_batch, watch = self._store, self

        def timed(self: Any, batch: Any) -> Any:
            stored = store_batch(self, batch)
            if batch.lane == LIVE:
                now = watch._clock.now()
                for frame in batch.frames:
                    if frame.data.startswith(_PROBE):
                        released = parse_iso(json.loads(frame.data)["ts"])
                        # What waited in the service's buffer before this run began is not counted.
                        if released >= watch.began:
                            watch.waits.append((now - released) / 1000)
            watch.peak = max(watch.peak, watch._me.memory_info().rss)
            return stored

        collect_commit.Committer._store = timed  # type: ignore[method-assign]
        return self

    def __exit__(self, *_: object) -> None:
        collect_commit.Committer._store = self._store  # type: ignore[method-assign]


async def caught_up(server: dict[str, Any], hours: int, keys: int, folder: Path) -> dict[str, Any]:
    """Through the service, until nothing is missing."""
    clock = SystemClock()
    # Whole hours, none of which ends too late to be settled.
    start = (clock.now() - 3 * MINUTE) // HOUR * HOUR - hours * HOUR
    connector = CollectConnector(
        name="bench",
        tenant="bench",
        cluster_id="acme_hosted",
        content_types=KINDS,
        collect_from=iso(start),
        stream_url=server["url"],
    )
    ledger, vault = Ledger(folder / "ledger.db"), MemoryVault()
    ledger.add_connector(connector, now=clock.now())
    for name, key in list(zip(("api_key", "api_key_2"), server["keys"], strict=True))[:keys]:
        vault.put("bench", name, connector.secret_origin(), Secret(key))
    service = CollectorService(
        ledger, SegmentWriter(folder / "events", clock=clock), vault, clock, read=content.read
    )
    with Watch() as watch:
        began, cpu = time.perf_counter(), time.process_time()
        done = await service.run(asyncio.Event(), until_caught_up=True)
        wall, used = time.perf_counter() - began, time.process_time() - cpu
    received = sum(status.counters.received for status in service.statuses())
    stored = sum(status.counters.stored for status in service.statuses())
    ledger.close()
    expected = sum(server["counts"].values()) * hours
    with closing(store.open_reader(folder / "events")) as reader:
        fetched = reader.count(Ask(since=start, until=start + hours * HOUR))
    told: dict[str, Any] = {
        "caught_up": done,
        "received": received,
        "stored": stored,
        "archive_records_missing": max(0, expected - fetched),
        "seconds": round(wall, 1),
        "records_a_second": round(received / wall),
        "cpu_us_a_record": round(used / received * 1e6, 1),
        "memory_mb_most": round(watch.peak / 2**20),
        "disk_bytes_a_record": round(
            sum(file.stat().st_size for file in (folder / "events").iterdir()) / stored
        ),
    }
    if len(watch.waits) > 20:
        cuts = statistics.quantiles(watch.waits, n=100)
        told |= {
            "live_probes": len(watch.waits),
            "live_p50_ms": round(cuts[49]),
            "live_p95_ms": round(cuts[94]),
            "live_max_ms": round(max(watch.waits)),
        }
    return told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=float, default=0.25, help="7 for the whole proof")
    parser.add_argument("--rate", type=float, default=20, help="records a second of both types")
    parser.add_argument("--keys", default="1,2", help="with one API key, with two, or both")
    parser.add_argument("--no-floor", action="store_true")
    parser.add_argument("--serve", action="store_true")
    asked = parser.parse_args()
    if asked.serve:
        asyncio.run(serve(asked.rate))
        return
    hours = max(1, round(asked.days * 24))
    process = subprocess.Popen(
        [sys.executable, __file__, "--serve", "--rate", str(asked.rate)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        server = json.loads(process.stdout.readline())
        report: dict[str, Any] = {"hours": hours, "records": sum(server["counts"].values()) * hours}
        floor = 0.0
        if not asked.no_floor:
            count, seconds, used = asyncio.run(bare(server, hours))
            floor = count / seconds
            report["floor"] = {
                "records": count,
                "records_a_second": round(floor),
                "cpu_us_a_record": round(used / count * 1e6, 1),
            }
        for keys in sorted({int(number) for number in asked.keys.split(",")}):
            with tempfile.TemporaryDirectory() as folder:
                found = asyncio.run(caught_up(server, hours, keys, Path(folder)))
            if floor:
                found["of_the_floor"] = round(found["records_a_second"] / floor, 2)
            report["one_key" if keys == 1 else "second_key_beside_live"] = found
        print(json.dumps(report, indent=1))
    finally:
        process.communicate("")


if __name__ == "__main__":
    main()
