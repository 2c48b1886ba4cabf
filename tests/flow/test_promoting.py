"""Promoting in the service: beside the writer, as records arrive, and told in the ledger."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from pod_desktop import content, store
from pod_desktop.core.clock import SECOND, SystemClock
from pod_desktop.core.record import MESSAGE, Arrival
from pod_desktop.core.status import Counters
from pod_desktop.services import columns
from pod_desktop.services.columns import MAKING, READY, WAITING, ColumnStates
from pod_desktop.services.promoting import Promotion
from pod_desktop.store import LIVE, Commit, DataDir, Ledger, Source
from pod_desktop.store.writer import SegmentWriter

NOON = 1_790_000_000_000_000
HERE = Source(connector="acme", tenant="acme", cluster_id="acme_hosted")
PATH = "filter.verdict.score"


def commit(writer: SegmentWriter, first: int, count: int) -> None:
    records = []
    for number in range(first, first + count):
        raw = json.dumps({"guid": f"g{number}", "filter": {"verdict": {"score": number}}}).encode()
        read = content.read(MESSAGE, raw, NOON)._replace(rid=f"g{number}", time=NOON + number * SECOND)
        records.append(Arrival(read, raw))
    writer.commit(Commit(
        source=HERE, lane=LIVE, records=records, stream="acme/message", counters=Counters(received=count),
    ))  # fmt: skip


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(90):
        while not true():  # noqa: ASYNC110 - another thread does it
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("how", ["stopped", "removed"])
def test_the_service_promotes_what_is_there_and_what_comes(tmp_path: Path, how: str) -> None:
    home = DataDir(tmp_path).open()
    ledger = Ledger(home.ledger)
    writer = SegmentWriter(home.events, clock=SystemClock(), segment_records=200)
    states = ColumnStates(home, ledger, lambda: True)

    def state() -> str:
        return states.all()[0].state

    async def play() -> None:
        stop = asyncio.Event()
        promotion = Promotion(home.events, ledger, SystemClock(), lambda: 1 << 40)
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(promotion.run(stop))
            for first in range(0, 1_000, 100):
                commit(writer, first, 100)
            await until(lambda: not writer.busy())
            writer.tidy()
            columns.add(ledger, PATH, SystemClock())
            assert state() in (WAITING, MAKING)
            await until(lambda: state() == READY)
            before = len(store.column_parts(home.events))
            for first in range(1_000, 1_600, 100):
                commit(writer, first, 100)
            await until(lambda: len(store.column_parts(home.events)) > before and state() == READY)
            if how == "removed":
                columns.remove(ledger, PATH)
                await until(lambda: not store.column_parts(home.events))
            stop.set()
            await running

    asyncio.run(play())
    writer.close()
    assert store.verify(home.events) == []
    ledger.close()
