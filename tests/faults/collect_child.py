"""The collector service as a process of its own, for tests that kill it. Keys come on standard input, one a line.

    python collect_child.py DIR [--until-caught-up] [--segment-records N]

Small segments are sealed every few seconds, so that kills hit sealing too.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

from pod_desktop import content
from pod_desktop.core import limits
from pod_desktop.core.clock import SystemClock
from pod_desktop.core.secret import Secret
from pod_desktop.services.collect import CollectorService
from pod_desktop.services.collect_rules import Timing
from pod_desktop.store import Ledger
from pod_desktop.store.writer import SegmentWriter
from pod_desktop.vault import MemoryVault


async def collect(asked: argparse.Namespace) -> bool:
    ledger, vault, clock = Ledger(asked.folder / "ledger.db"), MemoryVault(), SystemClock()
    keys = [Secret(line.strip()) for line in sys.stdin if line.strip()]
    for entry in ledger.collectors():
        for name, key in zip(("api_key", "api_key_2"), keys, strict=False):
            vault.put(entry.connector.name, name, entry.connector.secret_origin(), key)
    service = CollectorService(
        ledger,
        SegmentWriter(asked.folder / "events", clock=clock, segment_records=asked.segment_records),
        vault,
        clock,
        read=content.read,
        timing=Timing(quiet=0.3, backoff=0.05),
    )
    done = await service.run(asyncio.Event(), until_caught_up=asked.until_caught_up)
    ledger.close()
    return done


parser = argparse.ArgumentParser()
parser.add_argument("folder", type=Path)
parser.add_argument("--until-caught-up", action="store_true")
parser.add_argument("--segment-records", type=int, default=limits.SEGMENT_RECORDS)
sys.exit(0 if asyncio.run(collect(parser.parse_args())) else 1)
