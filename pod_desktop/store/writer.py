"""The one writer of an event store: commits, lanes, duplicates, and the change to a next segment."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import apsw

from pod_desktop.core import limits
from pod_desktop.core.clock import Clock
from pod_desktop.core.faults import Outage
from pod_desktop.core.record import Arrival
from pod_desktop.core.status import Counters
from pod_desktop.store import dedupe, schema
from pod_desktop.store.active import (
    Active,
    StreamRow,
    newest_streams,
    quarantined,
    read_progress,
    read_streams,
    stream_row,
)
from pod_desktop.store.catalog import Catalog, Entry
from pod_desktop.store.datadir import Lock
from pod_desktop.store.gone import Gone
from pod_desktop.store.port import Commit, Committed, Progress
from pod_desktop.store.retention import KEPT, Cleared, Prepared, exchange
from pod_desktop.store.upkeep import Upkeep

SEGMENT_BYTES: Final = 4_096 * limits.MIB
"""Raw bytes after which a segment is full, whatever its number of records."""
SEGMENT_ADDRESSES: Final = 400_000
"""Distinct addresses after which a segment is full: its dictionary is held in memory."""
_SEALED_CACHE_KIB: Final = 64
"""Of each sealed segment that is held open to confirm duplicates."""
HAS_RECORD: Final = """select code.value from ev join code on code.id = ev.kind
 where ev.rid = ?1 collate nocase and ev.rid = ?1"""
"""The kinds of the records with an id, in a sealed segment. The index leaves out the empty id, and is used only where
the statement says so too: else each of these would read the whole segment."""
HAS_NAMED: Final = f"{HAS_RECORD} and ev.rid != ''"
_KNOWN: Final = "known.filter"
_WAL_PAGES: Final = 16 * limits.MIB // schema.PAGE_BYTES
"""From here on the log is written back in the background; inside a commit that would cost 300 ms."""
_WAL_PAGES_MOST: Final = 4 * _WAL_PAGES
"""Here a commit sees to the log itself, whether anybody tidies up between commits or not."""


class SegmentWriter:
    """store.port.Writer on segments. Use from one thread at a time."""

    def __init__(self, folder: Path, *, clock: Clock, segment_records: int = limits.SEGMENT_RECORDS) -> None:
        self._folder = folder
        self._clock = clock
        self._full = min(segment_records, schema.MAX_PLACE - limits.BATCH_RECORDS)
        self._active: dict[str, Active] = {}
        self._retiring: dict[int, set[bytes]] = {}
        self._sealed: OrderedDict[int, apsw.Connection] = OrderedDict()
        self._most_open = schema.most_open()
        self._problems: list[str] = []
        self._known_changed = False
        with schema.outage(folder):
            folder.mkdir(parents=True, exist_ok=True)
        self._lock = _take_lock(folder)
        try:
            self._upkeep = Upkeep(folder, clock)
            self._catalog = Catalog(folder)
            self._gone = Gone(folder)
            self._open()
        except BaseException:
            self._close_files()
            raise

    # --- opening

    def _open(self) -> None:
        entries = self._catalog.entries()
        self._entries = {entry.segment: entry for entry in entries}
        self._known = dedupe.load(self._folder / _KNOWN)
        self._known.forget(set(self._entries))
        self._gone.load(self._catalog.gone(), self._clock.now())
        streams = [self._catalog.streams()]
        for entry in entries:
            if entry.sealed:
                self._remember(entry)
            elif (active := self._resume(entry)) is not None:
                streams.append(read_streams(active.connection))
                if entry.state == schema.SEALING or entry.lane in self._active:
                    self._retire(active)
                else:
                    self._active[entry.lane] = active
        self._streams = newest_streams(streams)
        self._number = max((row.number for row in self._streams.values()), default=0)

    def _resume(self, entry: Entry) -> Active | None:
        path = schema.segment_path(self._folder, entry.segment)
        try:
            if not path.exists():
                raise Outage("The file is missing.", path.name, "Restore it from a backup.")
            connection = schema.open_to_write(path)
            try:
                schema.check_format(connection, path)
                return Active(path, connection)
            except BaseException:
                connection.close()
                raise
        except Outage as fault:
            # Named and set aside: collecting goes on in a new segment.
            self._problems.append(str(fault))
            return None

    def _remember(self, entry: Entry) -> None:
        """Make sure that the filters know a sealed segment."""
        if entry.segment in self._known.segments:
            return
        path = schema.segment_path(self._folder, entry.segment)
        try:
            connection = schema.open_to_read(path)
            with schema.outage(path):
                rows = connection.execute("select code.value, ev.rid from ev join code on code.id = ev.kind")
                room = self._known.room()
                room.add(dedupe.key(kind, rid) for kind, rid in rows)
            connection.close()
        except Outage as fault:
            self._problems.append(str(fault))
            return
        room.publish(entry.segment, entry.n)
        self._known_changed = True

    # --- committing

    def commit(self, commit: Commit) -> Committed:
        """See store.port.Writer.commit."""
        self._take_reports()
        # What a person imports again is wanted again.
        deleted = None if commit.stream.startswith("import/") else self._gone
        arrivals, keys = self._new(commit.records, deleted)
        state = self._after(commit, arrivals)
        active = self._segment(commit.lane)
        active.commit(commit.source, arrivals, keys, commit.stream, state)
        self._number = state.number
        self._streams[commit.stream] = state
        bad = quarantined(arrivals)
        if active.log_pages > _WAL_PAGES_MOST:
            self._look_after(active)
        return Committed(len(arrivals) - bad, len(commit.records) - len(arrivals), bad)

    def _new(self, records: Sequence[Arrival], deleted: Gone | None) -> tuple[Sequence[Arrival], list[bytes]]:
        """The records that the store does not have and has not deleted, and their keys."""
        keys = [dedupe.key(columns.kind, columns.rid) for columns, _ in records]
        writing = [*(active.keys for active in self._active.values()), *self._retiring.values()]
        times = [columns.time for columns, _ in records]
        seen = set(keys)
        suspects = self._known.suspects(keys)
        held_back = deleted is not None and deleted.newest >= min(times, default=0)
        if len(seen) == len(keys) and not suspects and not held_back and all(map(seen.isdisjoint, writing)):
            return records, keys  # as nearly always: all of them are new
        seen.clear()
        arrivals: list[Arrival] = []
        fresh: list[bytes] = []
        for key, arrival in zip(keys, records, strict=True):
            if key in seen or any(key in one for one in writing):
                continue
            if key in suspects and self._is_in(suspects[key], arrival):
                continue
            if deleted is not None and deleted.holds(key, arrival.columns.time):
                continue
            seen.add(key)
            arrivals.append(arrival)
            fresh.append(key)
        return arrivals, fresh

    def _is_in(self, segments: set[int], arrival: Arrival) -> bool:
        """Look a record up in sealed segments, first in those of its time."""
        time = arrival.columns.time
        entries = [self._entries[one] for one in segments if one in self._entries]
        entries.sort(key=lambda entry: not (entry.lo or 0) <= time <= (entry.hi or 0))
        return any(self._has(entry.segment, arrival) for entry in entries)

    def _has(self, segment: int, arrival: Arrival) -> bool:
        try:
            connection = self._sealed_connection(segment)
            with schema.outage(schema.segment_path(self._folder, segment)):
                rid = arrival.columns.rid
                found = connection.execute(HAS_NAMED if rid else HAS_RECORD, (rid,)).fetchall()
        except Outage:
            # It cannot be read: rather a record twice than a record lost.
            return False
        return (arrival.columns.kind,) in found

    def _sealed_connection(self, segment: int) -> apsw.Connection:
        connection = self._sealed.pop(segment, None)
        if connection is None:
            path = schema.segment_path(self._folder, segment)
            connection = schema.open_to_read(path, cache_kib=_SEALED_CACHE_KIB)
        self._sealed[segment] = connection
        if len(self._sealed) > self._most_open:
            self._sealed.popitem(last=False)[1].close()
        return connection

    def _after(self, commit: Commit, arrivals: Sequence[Arrival]) -> StreamRow:
        """The stream's absolute state once this commit is in."""
        before = self.progress(commit.stream)
        bad = quarantined(arrivals)
        counted = Counters(
            stored=len(arrivals) - bad,
            duplicates=len(commit.records) - len(arrivals),
            quarantined=bad,
            bytes_raw=sum(len(arrival.raw) for arrival in arrivals),
        )
        values = before.values | dict(commit.progress)
        if commit.tally is not None:
            values |= commit.tally(values, arrivals)
        return stream_row(self._number + 1, values, before.counters + commit.counters + counted)

    def progress(self, stream: str) -> Progress:
        """See store.port.Writer.progress."""
        return read_progress(self._streams.get(stream))

    # --- segments

    def _segment(self, lane: str) -> Active:
        active = self._active.get(lane)
        if active is not None and not self._is_full(active):
            return active
        if active is not None:
            self._end(lane)
        segment = self._catalog.next_segment()
        fresh = Active.create(self._folder, segment, lane, self._streams)
        try:
            self._catalog.add(segment, lane)
        except BaseException:
            fresh.close()
            with suppress(Outage):
                schema.remove(fresh.path)
            raise
        self._active[lane] = fresh
        return fresh

    def _end(self, lane: str) -> None:
        active = self._active[lane]
        self._catalog.full(active.segment)
        del self._active[lane]
        self._retire(active)

    def rotate(self) -> None:
        """End the segments that are being written, as if they were full."""
        for lane in tuple(self._active):
            self._end(lane)

    def rotate_spans(self, longest: int, least: int) -> None:
        """End segments that are being written and whose records lie further apart than `longest`.

        So old records can be deleted where few arrive. Not more often in a lane than every `least` (both in
        microseconds), however strange the times in the records are.
        """
        now = self._clock.now()
        for lane, active in tuple(self._active.items()):
            meta = active.meta
            before = [one.segment for one in self._entries.values() if one.lane == lane and one.sealed]
            paths = [schema.segment_path(self._folder, one) for one in before]
            ended = max((path.stat().st_mtime_ns // 1_000 for path in paths if path.exists()), default=0)
            if (
                meta.lo is not None
                and meta.hi is not None
                and meta.hi - meta.lo >= longest
                and now - ended >= least
            ):
                self._end(lane)

    def clear_out(self, prepared: Prepared) -> Cleared:
        """See store.retention.Retaining.clear_out."""
        self._take_reports()
        self._catalog.settle()
        entry = self._entries.get(prepared.segment)
        if entry is None or not entry.sealed:
            return Cleared(0, 0)
        exchange(self._catalog, prepared, self._streams)
        self._forget_gone()
        return Cleared(entry.n - prepared.kept, prepared.kept)

    def _forget_gone(self) -> None:
        """Let go of segments that the catalog has no more, and take in what was put in their place."""
        there = {entry.segment: entry for entry in self._catalog.entries() if entry.sealed}
        for segment in [one.segment for one in self._entries.values() if one.sealed]:
            if segment not in there:
                del self._entries[segment]
                if (connection := self._sealed.pop(segment, None)) is not None:
                    connection.close()
        self._known.forget(set(self._entries))
        for segment in there.keys() - self._entries.keys():
            if there[segment].lane == KEPT:
                self._entries[segment] = there[segment]
                self._remember(there[segment])
        self._known_changed = True
        self._catalog.delete_gone()
        self._gone.load(self._catalog.gone(), self._clock.now())

    def _is_full(self, active: Active) -> bool:
        meta = active.meta
        return (
            meta.n >= self._full or meta.bytes_raw >= SEGMENT_BYTES or active.addresses >= SEGMENT_ADDRESSES
        )

    def _retire(self, active: Active) -> None:
        """Nothing more is written to it: seal it in the background."""
        self._retiring[active.segment] = active.keys
        self._upkeep.seal(active, self._known.room())

    def _look_after(self, active: Active) -> None:
        if active.log_pages <= _WAL_PAGES:
            return
        if self._upkeep.was_written_back(active.segment):
            # Only what was committed meanwhile is left: between two commits, so that the log can begin anew.
            active.write_back()
        else:
            self._upkeep.checkpoint(active)

    def _take_reports(self) -> None:
        """Hear what the background has finished."""
        for report in self._upkeep.reports():
            segment = report.entry.segment
            self._retiring.pop(segment, None)
            report.room.publish(segment, report.entry.n)
            self._entries[segment] = report.entry
            self._known_changed = True
            self._upkeep.give_back_memory()

    def tidy(self) -> None:
        """See store.port.Writer.tidy."""
        self._take_reports()
        self._upkeep.retry()
        self._save_known()
        for active in self._active.values():
            self._look_after(active)

    def busy(self) -> bool:
        """Is the background sealing, or about to?"""
        return self._upkeep.busy()

    def problems(self) -> list[str]:
        """What is damaged or missing and was set aside, in words."""
        return [*self._problems, *self._upkeep.problems()]

    def close(self) -> None:
        """Stop the background (a seal under way is undone and done again at the next start) and let go."""
        self._upkeep.close()
        with suppress(Outage):
            self._take_reports()
            self._save_known()
        self._close_files()

    def _save_known(self) -> None:
        if self._known_changed:
            self._known.save(self._folder / _KNOWN)
            self._known_changed = False

    def _close_files(self) -> None:
        self._upkeep.close()
        for active in self._active.values():
            active.close()
        for connection in self._sealed.values():
            connection.close()
        if hasattr(self, "_catalog"):
            self._catalog.close()
        self._lock.release()


def _take_lock(folder: Path) -> Lock:
    lock = Lock(folder / "writer.lock")
    with schema.outage(folder):
        holder = lock.acquire()
    if holder is not None:
        raise Outage(
            f"Another program is storing events here (process {holder}).", str(folder), "Stop it first."
        )
    return lock
