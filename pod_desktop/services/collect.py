"""The collector service: one task for each stream of the enabled connectors, and what it tells the ledger.

It follows the ledger: connectors that are added, edited, disabled or removed there start, restart or stop
here within a moment. It needs no window, and tells windows nothing but by the ledger and the store.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol, TypeVar

import pod_desktop
from pod_desktop.core import limits, logfilter
from pod_desktop.core.clock import SECOND, Clock
from pod_desktop.core.connector import CollectConnector
from pod_desktop.core.faults import Fault, Outage, UserFault
from pod_desktop.core.logfilter import LogFilter
from pod_desktop.core.secret import Secret
from pod_desktop.core.status import DISABLED, StreamStatus
from pod_desktop.services.collect_claims import Claims
from pod_desktop.services.collect_commit import Committer, ReadRecord, SharedWriter
from pod_desktop.services.collect_disk import DiskGate, DiskRule
from pod_desktop.services.collect_rules import Timing
from pod_desktop.services.collect_status import StreamBoard
from pod_desktop.services.collect_stream import StreamTask
from pod_desktop.services.filters import sieve_of
from pod_desktop.services.tasks import Tasks
from pod_desktop.store import CollectEntry, Command, ServiceInfo, Writer

POLL_SECONDS: Final = 0.2
"""How often the ledger is looked at and states are published."""
BEAT_SECONDS: Final = 2.0
TRY_NOW: Final = "try_now"
"""Command of a window: `{"connector": NAME}`, or `{}` for all."""
_log: Final = logging.getLogger(__name__)
_T = TypeVar("_T")


class LedgerPort(Protocol):
    """What the service needs of store.ledger.Ledger."""

    def setting(self, key: str, default: Any = None) -> Any: ...

    def version(self) -> int: ...
    def collectors(self) -> list[CollectEntry]: ...
    def put_statuses(self, statuses: list[StreamStatus], *, now: int) -> None: ...
    def drop_status(self, connector: str, kind: str) -> None: ...
    def put_service(self, info: ServiceInfo | None) -> None: ...
    def take_commands(self) -> list[Command]: ...


class VaultPort(Protocol):
    """What the service needs of a vault."""

    def get(self, connector: str, name: str, origin: str) -> Secret | None: ...


@dataclass(slots=True)
class _Running:
    """A stream at work, and the definition it was started with."""

    entry: CollectEntry
    task: StreamTask
    future: asyncio.Task[None]


class CollectorService:
    """Everything that collects in one process. Owns the writer: run() closes it."""

    def __init__(
        self,
        ledger: LedgerPort,
        writer: Writer,
        vault: VaultPort,
        clock: Clock,
        *,
        read: ReadRecord,
        timing: Timing | None = None,
        on_publish: Callable[[list[StreamStatus]], None] | None = None,
        on_command: Callable[[Command], bool] | None = None,
        free: Callable[[], int] | None = None,
        disk: DiskRule | None = None,
        claims: Claims | None = None,
    ) -> None:
        """
        Args:
            read: content.read.
            on_publish: is told what streams newly say, once the ledger has it or has refused it.
            on_command: is given commands that are not about streams; True if it knows them.
            free: bytes free where records are stored; without it the disk is not watched.
            disk: free bytes at which to warn, stop and go on.
            claims: tells collectors of other data directories on this computer apart.
        """
        self._ledger = ledger
        self._committer = Committer(writer, read)
        # Of its own: reading keys from a locked keychain may hold up the pool that all others share.
        self._ledger_thread = ThreadPoolExecutor(1, "ledger")
        self._vault = vault
        self._clock = clock
        self._timing = timing or Timing()
        self._on_publish = on_publish or (lambda statuses: None)
        self._on_command = on_command or (lambda command: False)
        self._tasks = Tasks("collector", _report)
        self._streams: dict[tuple[str, str], _Running] = {}
        self._boards: dict[tuple[str, str], StreamBoard] = {}
        self._seen: int | None = None
        self._filters: list[LogFilter] = []
        self._started = clock.now()
        self._beat = 0.0
        self._faults: set[str] = set()
        self._untold: dict[tuple[str, str], StreamStatus] = {}
        """What the ledger has yet to take."""
        self._free = free
        self._gate = DiskGate(disk or DiskRule())
        self._claims = claims or Claims()
        self._looked = float("-inf")
        self._clocks = (clock.now(), clock.monotonic())
        self._ticked: float | None = None

    async def run(
        self,
        stop: asyncio.Event,
        *,
        names: Collection[str] = (),
        until_caught_up: bool = False,
        for_seconds: float | None = None,
        before_close: Callable[[], Awaitable[None]] | None = None,
    ) -> bool:
        """Collect until `stop` is set, the time is over, or everything is caught up.

        Args:
            names: only these connectors, enabled or not; empty: all enabled ones, as the ledger changes.
            before_close: awaited before the store is closed: who else uses `writer` ends there.
            until_caught_up: end when every stream has its archive and what the live stream had kept.

        Returns:
            False when it was asked to catch up and a stream needs a person's attention instead.

        Raises:
            UserFault: a name that no connector has.
        """
        ends = None if for_seconds is None else self._clock.monotonic() + for_seconds
        try:
            await self._follow(names, strict=True)
            while not stop.is_set() and (ends is None or self._clock.monotonic() < ends):
                if until_caught_up and self._all_settled():
                    break
                await self._tick(names)
                left = POLL_SECONDS if ends is None else min(POLL_SECONDS, ends - self._clock.monotonic())
                await _wait(stop, left)
            return not until_caught_up or self._all_caught_up()
        finally:
            if before_close is not None:
                await before_close()
            await self._end()

    @property
    def writer(self) -> SharedWriter:
        """The store, for other threads of this process beside the streams."""
        return self._committer.writer

    def statuses(self) -> list[StreamStatus]:
        """What every stream says at this moment; for any thread."""
        return [board.status for board in tuple(self._boards.values())]

    async def _tick(self, names: Collection[str]) -> None:
        self._notice_sleep()
        await self._guarded("looking at the disk", self._look_at_disk())
        await self._guarded("following the ledger", self._follow(names))
        await self._guarded("publishing states", self._publish())

    async def _guarded(self, doing: str, work: Awaitable[None]) -> None:
        """The ledger failing for a while stops no stream."""
        try:
            await work
            self._faults.discard(doing)
        except Exception as error:
            if doing not in self._faults:
                self._faults.add(doing)
                trace = None if isinstance(error, Outage) else error
                _log.error("%s failed: %s", doing, error, exc_info=trace)

    def _notice_sleep(self) -> None:
        """Wall clock and monotonic clock part where the computer slept, or where the clock was set.

        On Windows both go on through a sleep: there a look that comes far too late tells of it.
        """
        now, monotonic = self._clock.now(), self._clock.monotonic()
        (was, ticked), self._clocks = self._clocks, (now, monotonic)
        looked, self._ticked = self._ticked, asyncio.get_running_loop().time()
        late = looked is not None and self._ticked - looked >= limits.SLEEP_SECONDS
        if not late and abs((now - was) / SECOND - (monotonic - ticked)) < limits.SLEEP_SECONDS:
            return
        _log.info("the computer slept, or its clock was set")
        for running in self._streams.values():
            running.task.woke()

    async def _look_at_disk(self) -> None:
        if self._free is None or self._clock.monotonic() - self._looked < limits.DISK_CHECK_SECONDS:
            return
        self._looked = self._clock.monotonic()
        before = self._gate.state
        self._gate.look(await self._in_thread(self._free))
        for running in self._streams.values():
            running.task.board.note("disk", self._gate.notice())
            if self._gate.state != before:
                running.task.look_up()
                running.task.try_now()

    # What should run

    async def _follow(self, names: Collection[str], strict: bool = False) -> None:
        """Start and stop streams so that they are what the ledger says."""
        version, entries, commands, filters = await self._in_thread(self._look)
        self._obey(commands)
        if version == self._seen:
            return
        if strict:
            _check_names(names, entries)
        chosen = {name.casefold() for name in names}
        wanted = {
            (entry.connector.name, kind): entry
            for entry in entries
            if (entry.connector.name.casefold() in chosen if chosen else entry.enabled)
            for kind in entry.connector.content_types
        }
        for key, running in list(self._streams.items()):
            if not _same(wanted.get(key), running.entry):
                running.task.stop()
                if running.future.done():
                    del self._streams[key]
        for key, entry in wanted.items():
            if key not in self._streams:
                self._start(*key, entry, filters)
        for key, running in self._streams.items():
            self._update(running, wanted.get(key), filters)
        self._filters = filters
        known = {(e.connector.name, kind): e for e in entries for kind in e.connector.content_types}
        await self._show_idle(known, chosen)
        # A stream that is still saying goodbye is looked at again, whatever the ledger's version.
        leaving = any(not _same(wanted.get(key), running.entry) for key, running in self._streams.items())
        self._seen = None if leaving else version

    def _look(self) -> tuple[int, list[CollectEntry], list[Command], list[LogFilter]]:
        """The ledger's version, and what it holds if that has changed."""
        version = self._ledger.version()
        if version == self._seen:
            return version, [], [], []
        filters = logfilter.defined(self._ledger.setting(logfilter.SETTING))
        return version, self._ledger.collectors(), self._ledger.take_commands(), filters

    def _update(self, running: _Running, entry: CollectEntry | None, filters: list[LogFilter]) -> None:
        """Log filters are gone by at once, on the session that stands."""
        if entry is None or not _same(entry, running.entry):
            return
        if (entry, filters) != (running.entry, self._filters):
            running.entry, running.task.connector = entry, entry.connector
            self._give_filters(running.task, filters)

    def _give_filters(self, task: StreamTask, filters: list[LogFilter]) -> None:
        try:
            task.filter_by(sieve_of(task.connector, filters, self._clock.now()))
        except UserFault as fault:
            task.filter_by(None, fault.what)

    def _start(self, name: str, kind: str, entry: CollectEntry, filters: list[LogFilter]) -> None:
        board = StreamBoard(name, kind, self._clock)
        self._boards[name, kind] = board
        task = StreamTask(
            connector=entry.connector,
            kind=kind,
            created=entry.created,
            committer=self._committer,
            key_of=self._key_of,
            clock=self._clock,
            board=board,
            tasks=self._tasks,
            timing=self._timing,
            gate=self._gate,
            claims=self._claims,
        )
        self._give_filters(task, filters)
        future = self._tasks.spawn(task.run(), f"{name}/{kind}")
        self._streams[name, kind] = _Running(entry, task, future)

    def _key_of(self, connector: CollectConnector, name: str) -> Secret | None:
        return self._vault.get(connector.name, name, connector.secret_origin())

    async def _show_idle(self, known: dict[tuple[str, str], CollectEntry], chosen: Collection[str]) -> None:
        """Say of disabled streams that they are, and forget those that are no more."""
        for key, board in list(self._boards.items()):
            if key not in known and key not in self._streams:
                # In this order: a ledger that fails now is asked again at the next look.
                await self._in_thread(self._ledger.drop_status, *key)
                del self._boards[key]
            elif key in known and key not in self._streams and board.status.state != DISABLED:
                board.say(DISABLED, "Switched off.")
        if chosen:
            return
        for key, entry in known.items():
            if not entry.enabled and key not in self._boards:
                board = StreamBoard(*key, self._clock)
                self._boards[key] = board
                board.counted((await self._committer.progress("/".join(key))).counters)
                board.say(DISABLED, "Switched off.")

    # What windows ask, and what they are told

    def _obey(self, commands: list[Command]) -> None:
        for command in commands:
            if command.name != TRY_NOW:
                if not self._on_command(command):
                    _log.warning("unknown command %r", command.name)
                continue
            wanted = str(command.args.get("connector", "")).casefold()
            for (name, _), running in self._streams.items():
                if not wanted or name.casefold() == wanted:
                    running.task.try_now()

    async def _publish(self) -> None:
        now = self._clock.now()
        statuses = [status for board in self._boards.values() if (status := board.due())]
        self._untold |= {(status.connector, status.kind): status for status in statuses}
        try:
            await self._put(now)
        finally:
            if statuses:
                self._on_publish(statuses)

    async def _put(self, now: int) -> None:
        """Write what is said into the ledger. What a full or failing disk does not take is kept until it does."""
        if (monotonic := self._clock.monotonic()) - self._beat >= BEAT_SECONDS:
            await self._in_thread(self._ledger.put_service, self._info(now))
            self._beat = monotonic
        if self._untold:
            told = [status for key, status in self._untold.items() if key in self._boards]
            await self._in_thread(lambda: self._ledger.put_statuses(told, now=now))
            self._untold.clear()

    def _info(self, now: int) -> ServiceInfo:
        return ServiceInfo(pid=os.getpid(), started=self._started, beat=now, version=pod_desktop.__version__)

    async def _in_thread(self, work: Callable[..., _T], *args: object) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._ledger_thread, work, *args)

    # The end

    def _all_caught_up(self) -> bool:
        return all(running.task.caught_up.is_set() for running in self._streams.values())

    def _all_settled(self) -> bool:
        return all(
            running.task.caught_up.is_set() or running.task.stuck.is_set()
            for running in self._streams.values()
        )

    async def _end(self) -> None:
        """Let every stream say goodbye and commit what it has; then close the store."""
        for running in self._streams.values():
            running.task.stop()
        if futures := [running.future for running in self._streams.values()]:
            await asyncio.wait(futures, timeout=limits.STOP_SECONDS - 0.5)
        if not await self._tasks.stop(1.0):
            _log.error("streams did not end in time: %s", [task.get_name() for task in self._tasks.running])
        await self._guarded("saying goodbye", self._say_stopped())
        await self._committer.close()
        self._ledger_thread.shutdown(wait=False)

    async def _say_stopped(self) -> None:
        now = self._clock.now()
        for board in self._boards.values():
            if board.status.state != DISABLED:
                board.stop()
        stopped = [replace(board.status, rate=0.0, next_try=0) for board in self._boards.values()]
        await self._in_thread(lambda: self._ledger.put_statuses(stopped, now=now))
        await self._in_thread(self._ledger.put_service, None)
        self._on_publish(stopped)


def _same(one: CollectEntry | None, other: CollectEntry) -> bool:
    """Is it the same stream, whatever its log filters?"""
    return one is not None and (
        (replace(one.connector, log_filters=()), one.enabled, one.created)
        == (replace(other.connector, log_filters=()), other.enabled, other.created)
    )


def _check_names(names: Collection[str], entries: list[CollectEntry]) -> None:
    known = {entry.connector.name.casefold() for entry in entries}
    for name in names:
        if name.casefold() not in known:
            listed = ", ".join(entry.connector.name for entry in entries) or "none yet"
            raise UserFault(f"There is no connector named {name!r}.", "name", f"Connectors: {listed}.")


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(max(seconds, 0)):
            await stop.wait()
    except TimeoutError:
        pass


def _report(name: str, error: BaseException) -> None:
    words = str(error) if isinstance(error, Fault) else type(error).__name__
    _log.error("%s ended: %s", name, words, exc_info=error)
