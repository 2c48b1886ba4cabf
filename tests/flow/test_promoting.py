"""Promoting in the service: beside the writer, as records arrive, and told in the ledger."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from pod_desktop import content, store
from pod_desktop.core.clock import SECOND, SystemClock
from pod_desktop.core.record import MESSAGE, Arrival
from pod_desktop.core.status import Counters
from pod_desktop.query import parse
from pod_desktop.services import asking, columns
from pod_desktop.services.columns import GROWN_RECORDS, MAKING, READY, WAITING, ColumnStates
from pod_desktop.services.promoting import GROWN_SECONDS, Promotion
from pod_desktop.store import LIVE, Ask, Commit, DataDir, Ledger, Source
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


def test_a_part_that_is_being_filled_is_copied_from_when_that_is_worth_it(tmp_path: Path) -> None:
    class Hasty(SystemClock):
        ahead = 0.0

        def monotonic(self) -> float:
            return super().monotonic() + self.ahead

    home, clock = DataDir(tmp_path).open(), Hasty()
    ledger = Ledger(home.ledger)
    writer = SegmentWriter(home.events, clock=clock, segment_records=20_000)
    columns.add(ledger, PATH, clock)
    promotion = Promotion(home.events, ledger, clock, lambda: 1 << 40, rest=0.0)

    def copied() -> list[int]:
        promotion.work()
        found = [store.column_info(one.path) for one in store.column_parts(home.events)]
        return [info.records for info in found if info is not None]

    commit(writer, 0, GROWN_RECORDS - 1)
    assert copied() == []
    commit(writer, GROWN_RECORDS, 10)
    assert copied() == [GROWN_RECORDS + 9]
    commit(writer, 6_000, GROWN_RECORDS)
    assert copied() == [GROWN_RECORDS + 9]
    clock.ahead = GROWN_SECONDS
    assert copied() == [2 * GROWN_RECORDS + 9]
    tree = parse(f"{PATH}:>=4990", 0)
    ask = Ask(tree=tree, matches=asking.judge(tree), spots=asking.spots(tree))
    commit(writer, 12_000, 100)
    with closing(store.open_reader(home.events)) as reader:
        assert reader.count(ask) == 9 + 10 + GROWN_RECORDS + 100
        assert reader.candidates(ask, reader.marks(), 20_000) == (100, True)
    writer.close()
    assert store.verify(home.events) == []
    ledger.close()
