"""The collector service as a process of its own, for tests that kill it. The API key comes on standard input."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from pod_desktop import content
from pod_desktop.core.clock import SystemClock
from pod_desktop.core.secret import Secret
from pod_desktop.services.collect import CollectorService
from pod_desktop.services.collect_rules import Timing
from pod_desktop.store import Ledger
from pod_desktop.store.writer import SegmentWriter
from pod_desktop.vault import MemoryVault


async def collect(folder: Path, caught_up: bool) -> None:
    ledger, vault, clock = Ledger(folder / "ledger.db"), MemoryVault(), SystemClock()
    key = Secret(sys.stdin.readline().strip())
    for entry in ledger.connectors():
        vault.put(entry.connector.name, "api_key", entry.connector.secret_origin(), key)
    service = CollectorService(
        ledger,
        SegmentWriter(folder / "events", clock=clock),
        vault,
        clock,
        read=content.read,
        timing=Timing(quiet=0.3, backoff=0.05),
    )
    await service.run(asyncio.Event(), until_caught_up=caught_up)
    ledger.close()


asyncio.run(collect(Path(sys.argv[1]), "--until-caught-up" in sys.argv))
