"""Making and removing promoted fields, beside the writer: the parts of the store one after the other, the newest first.

What is to be there stands in the ledger, what is there on the disk; so nothing needs to be remembered, and after a
kill the next run goes on with the part that was not whole. Only the process that holds the service's lock does it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

from pod_desktop import store
from pod_desktop.core import limits
from pod_desktop.core.clock import Clock
from pod_desktop.core.faults import Fault, Outage
from pod_desktop.services.columns import (
    FAILED,
    GROWN_RECORDS,
    JOB,
    READY,
    Column,
    ColumnState,
    ColumnStates,
    Infos,
    defined,
    megabytes,
    spots_of,
    values_of,
)
from pod_desktop.store import DamagedPart, DataDir, Extent, Ledger, Lock, Stopped

LOOK_SECONDS: Final = 1.0
AGAIN_SECONDS: Final = 60.0
"""After a full or failing disk."""
GROWN_SECONDS: Final = 10.0
"""A part that is still being filled is copied from not more often than that."""
PUBLISH_SECONDS: Final = 0.5
_STALE_SECONDS: Final = 3_600.0
"""What is said is said again now and then: the ledger forgets it after a day."""
_REST_SECONDS: Final = 0.001
"""After every block, so that commits in other threads find the interpreter free."""
_log: Final = logging.getLogger(__name__)
Free = Callable[[], int]
"""Bytes free where the store is."""


class _Task(NamedTuple):
    column: Column
    segment: int
    records: int


@dataclass(slots=True)
class _Said:
    """What the ledger's job tells (services.columns.ColumnStates reads it)."""

    path: str = ""
    done: int = 0
    """Records of the part under way."""
    rate: float = 0.0
    """Records a second."""
    problem: str = ""
    damaged: dict[str, int] = field(default_factory=dict)
    """Records in parts that cannot be read, by field."""

    def to_json(self) -> dict[str, Any]:
        return {
            "path": self.path, "done": self.done, "rate": self.rate, "problem": self.problem, "damaged": self.damaged,
        }  # fmt: skip


class Promotion:
    """The background work on the promoted fields of one store."""

    def __init__(
        self,
        folder: Path,
        ledger: Ledger,
        clock: Clock,
        free: Free,
        *,
        rest: float = _REST_SECONDS,
        tell: Callable[[], None] = lambda: None,
    ) -> None:
        """
        Args:
            folder: of the event store.
            rest: seconds to leave the interpreter to others after every block.
            tell: called when the ledger says something new.
        """
        self._folder = folder
        self._ledger = ledger
        self._clock = clock
        self._free = free
        self._rest = rest
        self._tell = tell
        self._said = _Said()
        self._published = float("-inf")
        self._damaged: dict[tuple[str, int], int] = {}
        self._infos = Infos()
        self._grown: dict[tuple[str, int], float] = {}
        """When a part that is still being filled was last copied from."""
        self._begun = False
        self._stopping = False

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set."""
        not_before = float("-inf")
        while not stop.is_set():
            if self._clock.monotonic() >= not_before and not await self._once(stop):
                not_before = self._clock.monotonic() + AGAIN_SECONDS
            try:
                async with asyncio.timeout(LOOK_SECONDS):
                    await stop.wait()
            except TimeoutError:
                continue

    async def _once(self, stop: asyncio.Event) -> bool:
        work = asyncio.get_running_loop().run_in_executor(None, self.work)
        while not work.done():
            await asyncio.wait({work}, timeout=LOOK_SECONDS / 5)
            self._stopping = stop.is_set()
        try:
            work.result()
        except Fault as fault:
            _log.warning("promoted fields are not made: %s", fault)
            return False
        except Exception:
            _log.exception("promoting fields failed")
            return False
        return True

    def work(self) -> None:
        """Do all there is to do now; blocks for as long as that takes.

        Raises:
            Outage: the disk is full or failing, or the store cannot be read; what is whole stays.
        """
        columns = defined(self._ledger)
        if not columns and not store.column_parts(self._folder):
            return
        try:
            if not self._begun:
                self._remove_damaged()
                self._begun = True
            self._remove_unwanted(columns)
            while not self._stopping and (task := self._next()) is not None:
                self._make(task)
        except Exception as error:
            words = f"{error.where}: {error.what}" if isinstance(error, Fault) and error.where else str(error)
            self._publish(problem=words if isinstance(error, Fault) else "It failed; the log says more.")
            raise
        stale = self._damaged and self._clock.monotonic() - self._published > _STALE_SECONDS
        if self._said.path or self._said.problem or stale:
            self._publish()

    # --- what is to be done

    def _remove_damaged(self) -> None:
        """Once, at the beginning: what readers would have to give up on is made anew."""
        records = {one.segment: one.records for one in store.extents(self._folder)}
        for part in store.column_parts(self._folder):
            info = self._infos.of(part)
            if info is None or info.records > records.get(part.segment, 0):
                store.remove_column_part(part.path)

    def _remove_unwanted(self, columns: list[Column]) -> None:
        wanted = {store.column_digest(column.path) for column in columns}
        parts = store.column_parts(self._folder)
        there = {one.segment for one in store.listed_entries(self._folder)} if parts else set()
        for part in parts:
            if part.digest not in wanted or part.segment not in there:
                store.remove_column_part(part.path)

    def _next(self) -> _Task | None:
        """The newest part without its copy, of the field that was asked for first."""
        columns = defined(self._ledger)
        there = {(one.segment, one.digest): one for one in store.column_parts(self._folder)}
        extents = store.extents(self._folder) if columns else []
        for column in columns:
            digest = store.column_digest(column.path)
            for extent in extents:
                part = there.get((extent.segment, digest))
                info = self._infos.of(part) if part is not None else None
                left = extent.records - (info.records if info is not None else 0)
                if self._is_due(column.path, extent, left):
                    return _Task(column, extent.segment, extent.records)
        self._remove_unwanted(columns)
        return None

    def _is_due(self, path: str, extent: Extent, left: int) -> bool:
        """Is it worth copying so many more records?"""
        key = path, extent.segment
        if not left or key in self._damaged:
            return False
        last = self._grown.get(key, float("-inf"))
        return extent.sealed or (left >= GROWN_RECORDS and self._clock.monotonic() - last >= GROWN_SECONDS)

    # --- doing it

    def _make(self, task: _Task) -> None:
        path = task.column.path
        if (free := self._free()) < limits.DISK_RESUME_BYTES:
            raise Outage(f"Only {megabytes(free)} of disk are free.", "", "Free some space.")
        begun = self._clock.monotonic()
        self._publish(path=path, done=0, rate=self._said.rate)

        def stopping(done: int) -> bool:
            time.sleep(self._rest)
            if self._clock.monotonic() - self._published < PUBLISH_SECONDS:
                return self._stopping
            spent = self._clock.monotonic() - begun
            self._publish(path=path, done=done, rate=done / spent if done and spent else self._said.rate)
            return self._stopping or task.column not in defined(self._ledger)

        try:
            made = store.make_column_part(
                self._folder, task.segment, path, values_of(path), spots_of(path), stopping
            )
        except Stopped:
            return
        except DamagedPart as fault:
            _log.warning("%s is not promoted everywhere: %s", path, fault)
            self._damaged[path, task.segment] = task.records
            return
        self._grown[path, task.segment] = self._clock.monotonic()
        spent = self._clock.monotonic() - begun
        self._said.rate = made.records / spent if spent else 0.0

    def _publish(self, *, path: str = "", done: int = 0, rate: float = 0.0, problem: str = "") -> None:
        damaged: dict[str, int] = {}
        for (of, _), records in self._damaged.items():
            damaged[of] = damaged.get(of, 0) + records
        self._said = _Said(path, done, rate, problem, damaged)
        self._published = self._clock.monotonic()
        self._ledger.put_job(JOB, self._said.to_json(), now=self._clock.now())
        self._tell()


# --- by hand


def wait_for(
    data_dir: DataDir,
    ledger: Ledger,
    clock: Clock,
    path: str,
    free: Free,
    tell: Callable[[ColumnState], None],
) -> ColumnState:
    """See a field through until it is ready, or cannot be: the service does it, or this process where none runs.

    Args:
        tell: hears how far it is, now and then.

    Raises:
        Outage: the disk is full or failing.
    """
    states, here = ColumnStates(data_dir, ledger), ColumnStates(data_dir, ledger, lambda: True)
    while True:
        found = [one for one in states.all() if one.path == path]
        if not found:
            raise Outage("Somebody has removed it meanwhile.", path)
        tell(found[0])
        if found[0].state in (READY, FAILED):
            return found[0]
        if work_now(data_dir, ledger, clock, free, lambda: _tell(here, path, tell)):
            return next((one for one in here.all() if one.path == path), found[0])
        time.sleep(LOOK_SECONDS / 2)


def _tell(states: ColumnStates, path: str, tell: Callable[[ColumnState], None]) -> None:
    for state in states.all():
        if state.path == path:
            tell(state)


def work_now(
    data_dir: DataDir, ledger: Ledger, clock: Clock, free: Free, tell: Callable[[], None] = lambda: None
) -> bool:
    """Make and remove what is to be, in this process; False where a service runs, which does it by itself.

    Raises:
        Outage: as Promotion.work().
    """
    lock = Lock(data_dir.service_lock)
    if lock.acquire() is not None:
        return False
    try:
        Promotion(data_dir.events, ledger, clock, free, rest=0.0, tell=tell).work()
    finally:
        lock.release()
    return True
