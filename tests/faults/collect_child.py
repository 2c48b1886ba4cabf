"""The collector service as a process of its own, for tests that kill it. Keys come on standard input, one a line.

    python collect_child.py DIR [--until-caught-up] [--segment-records N] [--keep-bytes N]

Small segments are sealed every few seconds, so that kills hit sealing too. With --keep-bytes retention deletes
what is over that size, again and again, but for records that `is_marked` names. Says on standard output when it
begins and ends to seal a segment and to delete.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
import zlib
from contextlib import closing
from pathlib import Path

from pod_desktop import content, store
from pod_desktop.core import limits
from pod_desktop.core.clock import SystemClock
from pod_desktop.core.secret import Secret
from pod_desktop.services.collect import CollectorService
from pod_desktop.services.collect_rules import Timing
from pod_desktop.services.retention import Retention
from pod_desktop.store import Ask, Ledger, upkeep
from pod_desktop.store.retention import GIGABYTE, Limits
from pod_desktop.store.writer import SegmentWriter
from pod_desktop.vault import MemoryVault

SEALING, SEALED, DELETING, DELETED = "sealing", "sealed", "deleting", "deleted"


def is_marked(rid: str) -> bool:
    """Is this one of the records that somebody has marked?"""
    return zlib.crc32(rid.encode()) % 40 == 0


def say(word: str) -> None:
    print(word, flush=True)


def tell_of_seals() -> None:
    """Say when a seal begins and ends."""
    seal = upkeep.seal

    def told(connection, stopping):
        def slowly() -> bool:
            # A segment of usual size takes seconds.
            time.sleep(0.005)
            return stopping()

        say(SEALING)
        try:
            return seal(connection, slowly)
        finally:
            say(SEALED)

    upkeep.seal = told


class Marked:
    """The marked records of the store; looked for anew at every second call.

    Retention asks before and after it has looked through a segment, and puts it off where they differ.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._found: frozenset[str] | None = None

    def __call__(self) -> frozenset[str]:
        if (found := self._found) is not None:
            self._found = None
            return found
        with closing(store.open_reader(self._folder)) as reader:
            rows = reader.search(Ask())
            self._found = frozenset(f"{row.kind}:{row.rid}" for row in rows if is_marked(row.rid))
        return self._found


async def delete(service: CollectorService, folder: Path, keep_bytes: int, stop: asyncio.Event) -> None:
    """Keep the store within its size all the time, where the service looks once an hour."""
    limit, clock = Limits(0, keep_bytes / GIGABYTE), SystemClock()
    while not stop.is_set():
        retention = Retention(
            folder, lambda: limit, Marked(folder), service.writer.run, clock, read=content.read
        )
        if store.plan_retention(folder, limit, clock.now()).doomed:
            say(DELETING)
            freed = await asyncio.to_thread(retention.apply)
            say(DELETED)
            assert freed.problems == (), freed.problems
        await asyncio.sleep(0.05)


async def collect(asked: argparse.Namespace) -> bool:
    events = asked.folder / "events"
    ledger, vault, clock = Ledger(asked.folder / "ledger.db"), MemoryVault(), SystemClock()
    keys = [Secret(line.strip()) for line in sys.stdin if line.strip()]
    for entry in ledger.collectors():
        for name, key in zip(("api_key", "api_key_2"), keys, strict=False):
            vault.put(entry.connector.name, name, entry.connector.secret_origin(), key)
    tell_of_seals()
    service = CollectorService(
        ledger,
        SegmentWriter(events, clock=clock, segment_records=asked.segment_records),
        vault,
        clock,
        read=content.read,
        timing=Timing(quiet=0.3, backoff=0.05),
    )
    over = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        deleting = None
        if asked.keep_bytes:
            deleting = group.create_task(delete(service, events, asked.keep_bytes, over))

        async def before_close() -> None:
            over.set()
            if deleting is not None:
                await deleting

        done = await service.run(
            asyncio.Event(), until_caught_up=asked.until_caught_up, before_close=before_close
        )
    ledger.close()
    return done


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--until-caught-up", action="store_true")
    parser.add_argument("--segment-records", type=int, default=limits.SEGMENT_RECORDS)
    parser.add_argument("--keep-bytes", type=int, default=0)
    sys.exit(0 if asyncio.run(collect(parser.parse_args())) else 1)
