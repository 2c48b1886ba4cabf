"""What flow tests of collecting share: a data directory, a service on it, and waiting for what it says."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pod_desktop import content
from pod_desktop.core.clock import Clock, SystemClock
from pod_desktop.core.connector import CollectConnector
from pod_desktop.core.secret import Secret
from pod_desktop.core.status import LIVE, STARTING, STOPPED, StreamStatus
from pod_desktop.services import hours
from pod_desktop.services.collect import CollectorService
from pod_desktop.services.collect_rules import Timing
from pod_desktop.simulator import Simulator
from pod_desktop.store import Ledger
from pod_desktop.store.port import LIVE as LIVE_LANE
from pod_desktop.store.port import Ask, Commit, Source
from pod_desktop.store.reader import SegmentReader
from pod_desktop.store.writer import SegmentWriter
from pod_desktop.vault import MemoryVault

QUICK = Timing(quiet=0.3, backoff=0.05, check=0.2, mark=0.3, connect=5, archive_idle=3)
_STREAMS = logging.getLogger("pod_desktop.services.collect_stream")


class TurnedClock:
    """The computer's clock, put forward by tests."""

    def __init__(self) -> None:
        self._real = SystemClock()
        self.ahead = 0
        """Microseconds; put forward alone it is as if the computer had slept, or its clock had been set."""
        self._passed = 0.0

    def now(self) -> int:
        return self._real.now() + self.ahead

    def monotonic(self) -> float:
        return self._real.monotonic() + self._passed

    def passes(self, micros: int) -> None:
        """So much time passes while the computer is awake."""
        self.ahead += micros
        self._passed += micros / 1e6


@dataclass
class Desk:
    """A data directory with connectors, and the services that run on it one after the other."""

    folder: Path
    clock: Clock = field(default_factory=SystemClock)
    timing: Timing = QUICK
    vault: MemoryVault = field(default_factory=MemoryVault)
    said: list[StreamStatus] = field(default_factory=list)
    service: CollectorService | None = None
    ended: bool | None = None
    """What the last service's run() returned."""
    options: dict[str, Any] = field(default_factory=dict)
    """More for the service."""
    wrap: Callable[[SegmentWriter], Any] = lambda writer: writer

    def __post_init__(self) -> None:
        self.ledger = Ledger(self.folder / "ledger.db")
        self._heard: list[logging.LogRecord] = []
        self._ear = logging.Handler(logging.INFO)
        self._ear.emit = self._heard.append  # type: ignore[method-assign]
        _STREAMS.addHandler(self._ear)
        _STREAMS.setLevel(logging.INFO)

    def add(self, sim: Simulator, name: str = "acme", **more: Any) -> CollectConnector:
        """Add a connector for the simulator; `key` is the API key that is kept for it."""
        key = more.pop("key", sim.api_keys[0])
        connector = replace(
            CollectConnector(
                name=name,
                tenant=f"{name} inc",
                cluster_id=sim.cluster_id,
                content_types=("message", "maillog"),
                collect_from="now",
                stream_url=sim.stream_url,
            ),
            **more,
        )
        self.ledger.add_connector(connector, now=self.clock.now())
        if key is not None:
            self.vault.put(name, "api_key", connector.secret_origin(), Secret(key))
        return connector

    def progress(self, stream: str, values: dict[str, object]) -> None:
        """Put values into a stream's progress, while no service runs."""
        writer = SegmentWriter(self.folder / "events", clock=self.clock)
        source = Source(connector="acme", tenant="acme inc", cluster_id="acme_hosted")
        writer.commit(Commit(source=source, lane=LIVE_LANE, records=(), stream=stream, progress=values))
        writer.close()

    @asynccontextmanager
    async def running(self, **how: Any) -> AsyncIterator[CollectorService]:
        """A service at work; it ends cleanly with the block."""
        writer = self.wrap(SegmentWriter(self.folder / "events", clock=self.clock))
        self.ended = None
        service = self.service = CollectorService(
            self.ledger,
            writer,
            self.vault,
            self.clock,
            read=content.read,
            timing=self.timing,
            on_publish=self.said.extend,
            **self.options,
        )
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            collecting = group.create_task(service.run(stop, **how))
            collecting.add_done_callback(self._note_end)
            try:
                yield service
            finally:
                stop.set()

    def _note_end(self, task: asyncio.Task[bool]) -> None:
        self.ended = None if task.cancelled() or task.exception() else task.result()

    def hours(self, kind: str, name: str = "acme") -> tuple[hours.Hour, ...]:
        """The stream's ledger of hours, as it is committed."""
        with self.reader() as reader:
            return hours.hours_of(reader.progress(f"{name}/{kind}").values, self.clock.now())

    async def until(self, true: Callable[[], Any], seconds: float = 60) -> None:
        """Return when it is true; the failure says what the streams said last."""
        try:
            async with asyncio.timeout(seconds):
                while not true():  # noqa: ASYNC110 - what is waited for is in the store, not in an event
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise AssertionError(f"never came true; streams: {self.statuses()}") from None

    async def all_live(self, count: int = 2) -> None:
        """Return when so many streams are live."""
        await self.until(lambda: [status.state for status in self.statuses()].count(LIVE) >= count)

    async def all_stopped(self) -> None:
        """Return when the service has ended by itself."""
        await self.until(
            lambda: (
                self.ended is not None
                and self.statuses()
                and {status.state for status in self.statuses()} == {STOPPED}
            ),
            150,
        )

    def statuses(self) -> list[StreamStatus]:
        return self.service.statuses() if self.service else []

    def status(self, name: str = "acme", kind: str = "message") -> StreamStatus:
        """What a stream says; before it has begun, that it is starting."""
        for status in self.statuses():
            if (status.connector, status.kind) == (name, kind):
                return status
        return StreamStatus(connector=name, kind=kind, state=STARTING, since=0)

    def codes(self) -> set[str]:
        """What ever went wrong, even if it passed before anyone was told."""
        return {str(record.args[1]) for record in self._heard if isinstance(record.args, tuple)}

    def words(self, code: str) -> str:
        """What was said of it when it first happened."""
        found = (record.args for record in self._heard if isinstance(record.args, tuple))
        return next(str(args[2]) for args in found if args[1] == code)

    def close(self) -> None:
        _STREAMS.removeHandler(self._ear)
        self.ledger.close()

    def reader(self) -> closing[SegmentReader]:
        return closing(SegmentReader(self.folder / "events"))

    def stored(self, *kinds: str) -> list[tuple[str, str]]:
        """(kind, id) of every record in the store, as often as it is there."""
        with self.reader() as reader:
            return [(row.kind, row.rid) for row in reader.search(Ask(kinds=kinds))]

    def has(self, ids: dict[str, Any]) -> bool:
        """Are all these ids (by kind) stored?"""
        stored = set(self.stored())
        return all((kind, rid) in stored for kind, rids in ids.items() for rid in rids)


def lost_and_doubled(desk: Desk, ids: dict[str, Any]) -> tuple[int, int]:
    """Of ids by kind: how many are not stored; and how many records are stored more than once."""
    stored = desk.stored()
    wanted = {(kind, rid) for kind, rids in ids.items() for rid in rids}
    return len(wanted - set(stored)), len(stored) - len(set(stored))
