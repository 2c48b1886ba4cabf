"""What the writer leaves to the background: sealing full segments, writing logs back."""

from __future__ import annotations

import ctypes
import logging
import threading
import time
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Final, NamedTuple

import apsw

from pod_desktop.core.clock import Clock
from pod_desktop.core.faults import Outage
from pod_desktop.store import schema
from pod_desktop.store.active import Active
from pod_desktop.store.catalog import Entry, record_seal
from pod_desktop.store.dedupe import Filter
from pod_desktop.store.seal import Stopped, seal, write_back

_log: Final = logging.getLogger(__name__)
_AGAIN_SECONDS: Final = 60.0
"""A seal that failed (disk full) is tried again after this."""
_KEYS_AT_ONCE: Final = 500


class Sealed(NamedTuple):
    """A segment that is ready: its catalog entry and the filter that knows its records."""

    entry: Entry
    room: Filter


class _Job(NamedTuple):
    active: Active
    room: Filter


class Upkeep:
    """Two threads of its own, one for seals and one for checkpoints, so that neither waits for the other."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock
        self._stopping = threading.Event()
        self._seals = ThreadPoolExecutor(1, thread_name_prefix="store-seal")
        self._checkpoints = ThreadPoolExecutor(1, thread_name_prefix="store-checkpoint")
        self._checkpointing: set[int] = set()
        self._written_back: set[int] = set()
        self._futures: list[Future[None]] = []
        self._sealing: apsw.Connection | None = None
        self._waiting: list[_Job] = []
        self._done: deque[Sealed] = deque()
        self._logs: deque[tuple[Path, float]] = deque()
        self._failed: deque[tuple[_Job, str, float]] = deque()

    # --- asked by the writer's thread

    def seal(self, active: Active, room: Filter) -> None:
        """Take over a segment that is full, with its connection."""
        self._submit(_Job(active, room))

    def _submit(self, job: _Job) -> None:
        self._waiting.append(job)
        self._futures = [one for one in self._futures if not one.done()]
        self._futures.append(self._seals.submit(self._seal, job))

    def checkpoint(self, active: Active) -> None:
        """Write the segment's log back, unless that is under way."""
        if active.segment not in self._checkpointing:
            self._checkpointing.add(active.segment)
            self._checkpoints.submit(self._checkpoint, active.segment, active.path)

    def was_written_back(self, segment: int) -> bool:
        """Has most of its log been written back since this was last asked?"""
        done = segment in self._written_back
        self._written_back.discard(segment)
        return done

    def reports(self) -> list[Sealed]:
        """What has been sealed since the last call."""
        found = []
        while self._done:
            found.append(self._done.popleft())
        return found

    def retry(self) -> None:
        """Seal again what failed a while ago, and empty logs that readers were in."""
        now = self._clock.monotonic()
        if self._logs and now >= self._logs[0][1]:
            self._checkpoints.submit(self._write_back, self._logs.popleft()[0])
        for _ in range(len(self._failed)):
            job, why, when = self._failed.popleft()
            if now < when:
                self._failed.append((job, why, when))
            else:
                self._submit(job)

    def give_back_memory(self) -> None:
        """Let the system have again what a sealed segment took; without this a service keeps its largest size."""
        if not self._stopping.is_set():
            self._checkpoints.submit(_give_back_memory)

    def busy(self) -> bool:
        """Is a segment waiting to be sealed, or being sealed?"""
        return bool(self._waiting)

    def problems(self) -> list[str]:
        return [f"{why} The segment stays unsealed for now." for _, why, _ in tuple(self._failed)]

    def close(self) -> None:
        """End both threads; a seal under way is undone."""
        self._stopping.set()
        self._seals.shutdown(wait=False, cancel_futures=True)
        # Not wait() on all: what was cancelled before it began never counts as done there.
        while running := [one for one in self._futures if not one.done()]:
            wait(running, timeout=0.02)
            # A statement may have begun just after an interrupt, so interrupt until it has ended.
            if (connection := self._sealing) is not None:
                with suppress(apsw.Error):
                    connection.interrupt()
        self._seals.shutdown(wait=True)
        self._checkpoints.shutdown(wait=True)
        for job in (*self._waiting, *(job for job, _, _ in self._failed)):
            job.active.close()

    # --- in the background

    def _seal(self, job: _Job) -> None:
        active = job.active
        try:
            with schema.outage(active.path):
                self._sealing = active.connection
                self._remember(job)
                meta, streams = seal(active.connection, self._stopping.is_set)
                if not write_back(active.connection):
                    self._logs.append((active.path, self._clock.monotonic() + _AGAIN_SECONDS))
                catalog = schema.open_to_write(schema.catalog_path(self._folder), cache_kib=256)
                try:
                    record_seal(catalog, meta, streams)
                finally:
                    catalog.close()
        except (Stopped, apsw.InterruptError):
            return
        except Outage as fault:
            self._put_off(job, str(fault))
            return
        except Exception as bug:
            _log.exception("sealing %s failed", active.path.name)
            self._put_off(job, f"{active.path.name}: sealing failed ({bug}).")
            return
        finally:
            self._sealing = None
        self._waiting.remove(job)
        active.close()
        entry = Entry(meta.segment, meta.lane, schema.SEALED, meta.n, meta.lo, meta.hi, meta.bytes_raw)
        self._done.append(Sealed(entry, job.room))

    def _remember(self, job: _Job) -> None:
        """Put the records into the filter, a few at a time: a commit in the other thread wants the interpreter too."""
        keys = iter(job.active.keys)
        while some := list(islice(keys, _KEYS_AT_ONCE)):
            if self._stopping.is_set():
                raise Stopped
            job.room.add(some)
            time.sleep(0.001)

    def _write_back(self, path: Path) -> None:
        if not path.exists():
            return  # deleted meanwhile; opening it would make it anew
        try:
            connection = schema.open_to_write(path, cache_kib=1_024)
            try:
                done = write_back(connection)
            finally:
                connection.close()
        except (Outage, apsw.Error):
            done = False
        if not done:
            self._logs.append((path, self._clock.monotonic() + _AGAIN_SECONDS))

    def _put_off(self, job: _Job, why: str) -> None:
        self._waiting.remove(job)
        self._failed.append((job, why, self._clock.monotonic() + _AGAIN_SECONDS))

    def _checkpoint(self, segment: int, path: Path) -> None:
        try:
            connection = schema.open_to_write(path, cache_kib=1_024)
            try:
                connection.execute("pragma wal_checkpoint(passive)").fetchall()
                self._written_back.add(segment)
            finally:
                connection.close()
        except (Outage, apsw.Error):
            # The log only grows on; the commit itself says what is wrong with the disk.
            pass
        finally:
            self._checkpointing.discard(segment)


def _give_back_memory() -> None:
    # The C library keeps freed pages between others that are in use; only glibc has this, and needs it.
    with suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)
