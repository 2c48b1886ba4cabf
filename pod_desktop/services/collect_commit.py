"""From frames to the store: reading records and committing them, in one thread for all streams.

The thread is the only user of the store's writer. While it works on one stream's batch the others' frames
gather in their queues, so more streams make larger batches, not a longer queue of disk flushes.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final, NamedTuple, TypeVar

from pod_desktop import stream as streams
from pod_desktop.core.record import UNREADABLE, Arrival, Columns
from pod_desktop.core.status import Counters
from pod_desktop.services.filters import Sieve
from pod_desktop.services.hours import Tally
from pod_desktop.store.port import Commit, Committed, Progress, Source, Writer

ReadRecord = Callable[[str, bytes, int], Columns]
"""(content type, record, microseconds UTC of its arrival) -> columns; never raises."""
_log: Final = logging.getLogger(__name__)
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Frames of one stream on their way into one transaction."""

    source: Source
    kind: str
    lane: str
    stream: str
    frames: Sequence[streams.Frame] = ()
    progress: Mapping[str, object] = field(default_factory=dict)
    sieve: Sieve | None = None
    """Log filters: what they drop is counted and goes no further."""
    tally: Tally | None = None


class Stored(NamedTuple):
    """What became of a batch."""

    received: int
    committed: Committed
    newest: int
    """Microseconds UTC of the newest record's time; 0 without records."""
    counters: Counters
    """The stream's counters with this batch in them."""
    filtered: int = 0
    """How many of the received were dropped by log filters."""
    filters: tuple[tuple[str, int], ...] | None = None
    """How many each filter ever dropped; None where that has not changed."""


def read_frames(read: ReadRecord, kind: str, frames: Sequence[streams.Frame]) -> tuple[list[Arrival], int]:
    """The records of frames in their order, and how many frames were empty."""
    records: list[Arrival] = []
    add, record_bytes, empty = records.append, streams.record_bytes, 0
    for data, arrived in frames:
        raw = record_bytes(data)
        if not raw:
            empty += 1
            continue
        columns = read(kind, raw, arrived)
        if columns.kind == UNREADABLE:
            records.extend(_pieces(read, kind, raw, arrived, columns))
        else:
            add(Arrival(columns, raw))
    return records, empty


def _pieces(read: ReadRecord, kind: str, raw: bytes, arrived: int, whole: Columns) -> list[Arrival]:
    """A frame that is no record: the several records it may hold, else itself."""
    pieces = [Arrival(read(kind, piece, arrived), piece) for piece in streams.split(raw)]
    if any(piece.columns.kind != UNREADABLE for piece in pieces):
        return pieces
    return [Arrival(whole, raw)]


def filters_of(values: Mapping[str, object]) -> tuple[tuple[str, int], ...]:
    """What a stream's progress says of its log filters: how many records each has dropped."""
    told = values.get("filters")
    return tuple((str(k), n) for k, n in told.items() if isinstance(n, int)) if isinstance(told, dict) else ()


class SharedWriter:
    """A writer for any thread: each call is made in the one thread that may use the real one."""

    def __init__(self, writer: Writer, thread: ThreadPoolExecutor) -> None:
        self._writer = writer
        self._thread = thread

    def commit(self, commit: Commit) -> Committed:
        return self._thread.submit(self._writer.commit, commit).result()

    def progress(self, stream: str) -> Progress:
        return self._thread.submit(self._writer.progress, stream).result()

    def tidy(self) -> None:
        self._thread.submit(self._writer.tidy).result()

    def run(self, work: Callable[[Writer], _T]) -> _T:
        """Something that needs the real writer: in its thread, between two commits."""
        return self._thread.submit(work, self._writer).result()

    def close(self) -> None:
        """Nothing: the committer closes the real one."""


class Committer:
    """The one who writes into the store."""

    def __init__(self, writer: Writer, read: ReadRecord) -> None:
        """`writer` is used from this committer's thread only, and closed by close()."""
        self._writer = writer
        self._read = read
        # Reading in a thread of its own was measured: no faster, as both hold the interpreter's lock.
        self._thread = ThreadPoolExecutor(1, "commit")
        self.writer = SharedWriter(writer, self._thread)
        """The store for other threads: their commits take turns with the streams'."""

    async def progress(self, key: str) -> Progress:
        """What the stream's last commit left."""
        return await self._run(lambda: self._writer.progress(key))

    async def store(self, batch: Batch) -> Stored:
        """Read the frames and commit them; when this returns they are durable.

        Raises:
            Outage: the disk is full or failing; nothing of the batch was kept.
        """
        return await self._run(lambda: self._store(batch))

    def _store(self, batch: Batch) -> Stored:
        records, empty = read_frames(self._read, batch.kind, batch.frames)
        newest = max((record.columns.time for record in records), default=0)
        received, progress = len(records), dict(batch.progress)
        if batch.sieve is not None:
            records, dropped = batch.sieve.sift(records, batch.source)
            if dropped:
                progress["filters"] = self._dropped(batch.stream, dropped)
        filtered = received - len(records)
        committed = self._writer.commit(
            Commit(
                source=batch.source,
                lane=batch.lane,
                records=records,
                stream=batch.stream,
                progress=progress,
                counters=Counters(received=received, filtered=filtered, empty=empty),
                tally=batch.tally,
            )
        )
        self._tidy()
        counters = self._writer.progress(batch.stream).counters
        filters = filters_of(progress) if filtered else None
        return Stored(received, committed, newest, counters, filtered, filters)

    def _dropped(self, stream: str, now: Mapping[str, int]) -> dict[str, int]:
        """How many each filter ever dropped, with this batch."""
        before = dict(filters_of(self._writer.progress(stream).values))
        return {name: before.get(name, 0) + now.get(name, 0) for name in {**before, **now}}

    def _tidy(self) -> None:
        try:
            self._writer.tidy()
        except Exception:
            # Housekeeping may fail; the commit before it stands, and the next one tries again.
            _log.exception("tidying the store failed")

    async def _run(self, work: Callable[[], _T]) -> _T:
        # Shielded: a cancelled stream must not leave a commit half counted; the thread goes on anyway.
        return await asyncio.shield(asyncio.get_running_loop().run_in_executor(self._thread, work))

    async def close(self) -> None:
        """Finish what was begun and close the writer."""
        await self._run(self._writer.close)
        self._thread.shutdown(wait=False)
