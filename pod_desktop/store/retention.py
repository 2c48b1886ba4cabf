"""Deleting old records: whole segments, by age and by size, except what is to be kept.

plan() says what would go, from any process. clear_out() lets one segment go, in the process that writes: what is
to be kept of it is written into a segment of the lane KEPT first, and the catalog exchanges the old for the new
in one transaction. A kill at any moment leaves one or the other. The action history, playbooks and notes are
other files; nothing here opens them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple, Protocol, runtime_checkable

import apsw

from pod_desktop.core.clock import DAY
from pod_desktop.core.faults import Outage
from pod_desktop.core.record import Arrival, Columns, split_record_id
from pod_desktop.store import gone, schema
from pod_desktop.store.active import Active, Meta, StreamRow
from pod_desktop.store.catalog import LIST_SEGMENTS, Catalog, Entry
from pod_desktop.store.dedupe import key
from pod_desktop.store.port import Source
from pod_desktop.store.seal import seal, write_back
from pod_desktop.store.segment import Segment

KEPT: Final = "kept"
"""The lane of segments that hold what was kept of deleted ones."""
GIGABYTE: Final = 10**9
AGE: Final = "age"
SIZE: Final = "size"
IMPORTED: Final = "import:"
"""Connector names of imported records begin so: they count as old from their import on, not from their own time."""
Read = Callable[[str, bytes, int], Columns]
"""(content type, raw record, microseconds UTC) -> columns: content.read."""


class Limits(NamedTuple):
    """How much is kept; 0 is no limit."""

    days: int
    gigabytes: int


class Doomed(NamedTuple):
    """A segment that is to go."""

    segment: int
    records: int
    bytes_disk: int
    oldest: int
    newest: int
    """Microseconds UTC."""
    why: str
    """AGE or SIZE."""


class Plan(NamedTuple):
    """What retention would do now."""

    doomed: tuple[Doomed, ...]
    """The oldest first."""
    bytes_disk: int
    """Of the whole store."""

    @property
    def records(self) -> int:
        return sum(one.records for one in self.doomed)

    @property
    def bytes_freed(self) -> int:
        return sum(one.bytes_disk for one in self.doomed)


class Cleared(NamedTuple):
    """What letting a segment go did."""

    deleted: int
    kept: int


@runtime_checkable
class Retaining(Protocol):
    """A writer that can let segments go (store.writer.SegmentWriter)."""

    def clear_out(self, prepared: Prepared) -> Cleared:
        """Delete a segment, keeping what was prepared.

        Raises:
            Outage: the disk is full or failing; nothing has changed.
        """
        ...

    def rotate_spans(self, longest: int, least: int) -> None: ...


# --- what would go


def plan(folder: Path, limits: Limits, now: int) -> Plan:
    """What would go now. Reads the catalog and names and sizes of files only.

    Raises:
        Outage: the catalog cannot be read.
    """
    sealed = [one for one in _entries(folder) if one.sealed and one.hi is not None]
    total = sum(_size(file) for file in folder.iterdir()) if folder.is_dir() else 0
    found: list[Doomed] = []
    left = total
    for entry in sorted(sealed, key=lambda one: (one.hi or 0, one.segment)):
        if entry.lane == KEPT:
            continue
        size = sum(map(_size, schema.files_of(folder, entry.segment)))
        old = limits.days > 0 and _age_from(folder, entry) < now - limits.days * DAY
        if old or (limits.gigabytes > 0 and left > limits.gigabytes * GIGABYTE):
            left -= size
            why = AGE if old else SIZE
            found.append(Doomed(entry.segment, entry.n, size, entry.lo or 0, entry.hi or 0, why))
    return Plan(tuple(found), total)


def _entries(folder: Path) -> list[Entry]:
    path = schema.catalog_path(folder)
    if not path.exists():
        return []
    connection = schema.open_to_read(path, cache_kib=256)
    try:
        schema.check_format(connection, path)
        with schema.outage(path):
            return [Entry(*row) for row in connection.execute(LIST_SEGMENTS)]
    finally:
        connection.close()


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0


def _age_from(folder: Path, entry: Entry) -> int:
    """From when on the segment's newest record counts as old.

    All had arrived when the file was last written, so a time behind that is a record's invention and pins nothing.
    """
    path = schema.segment_path(folder, entry.segment)
    try:
        written = path.stat().st_mtime_ns // 1_000
    except OSError:
        written = entry.hi or 0
    return max(entry.hi or 0, written) if _has_imports(path) else min(entry.hi or 0, written)


def _has_imports(path: Path) -> bool:
    try:
        connection = schema.open_to_read(path, cache_kib=64)
        try:
            statement = "select 1 from source where substr(connector, 1, ?) = ?"
            return connection.execute(statement, (len(IMPORTED), IMPORTED)).fetchone() is not None
        finally:
            connection.close()
    except (Outage, apsw.Error):
        return False


# --- what is kept of it


class Prepared(NamedTuple):
    """A segment that may go, and copies of what stays of it; made beside the writer, which goes on meanwhile."""

    segment: int
    also: tuple[int, ...]
    """Segments of the lane KEPT that go into the new one."""
    records: tuple[tuple[Source, Arrival], ...]
    """What the new one holds."""
    kept: int
    """How many of these come from the segment itself."""


def prepare(folder: Path, doomed: Doomed, keep: Collection[str], read: Read, now: int) -> Prepared:
    """Copy what is to be kept of a segment, and remember the ids of the rest while they may come again.

    Args:
        keep: record ids (`<type>:<guid or id>`).

    Raises:
        Outage: the segment cannot be read, or what is to be kept of it is damaged: then it must stay.
    """
    records = _kept_of(folder, doomed.segment, keep, read) if keep else []
    kept = len(records)
    also: list[int] = []
    if records:
        # Few files rather than many: what was kept before goes into the same new segment.
        for entry in _entries(folder):
            if entry.lane == KEPT and entry.sealed:
                records = _kept_of(folder, entry.segment, keep, read) + records
                also.append(entry.segment)
    if doomed.newest >= now - gone.REACH:
        staying = {key(one.columns.kind, one.columns.rid) for _, one in records}
        keys = (one for one in _keys(folder, doomed.segment) if one not in staying)
        gone.write(folder, doomed.segment, doomed.oldest, doomed.newest, keys)
    return Prepared(doomed.segment, tuple(also), tuple(records), kept)


def prepare_kept(folder: Path, keep: Collection[str], read: Read) -> list[Prepared]:
    """Segments of the lane KEPT with records that nobody wants kept any more, to go without these.

    Raises:
        Outage: one cannot be read.
    """
    found = []
    for entry in _entries(folder):
        if entry.lane == KEPT and entry.sealed:
            records = _kept_of(folder, entry.segment, keep, read)
            if len(records) < entry.n:
                found.append(Prepared(entry.segment, (), tuple(records), len(records)))
    return found


def _kept_of(folder: Path, number: int, keep: Collection[str], read: Read) -> list[tuple[Source, Arrival]]:
    segment = Segment(folder, number)
    try:
        with schema.outage(segment.path):
            found = (_copy(segment, one, read) for one in sorted(keep))
            return [copy for copy in found if copy is not None]
    except KeyError:
        raise Outage("A record that is to be kept cannot be read.", segment.path.name) from None
    finally:
        segment.close()


def _copy(segment: Segment, record_id: str, read: Read) -> tuple[Source, Arrival] | None:
    try:
        kind, rid = split_record_id(record_id)
    except ValueError:
        return None
    row = segment.find(kind, rid)
    if row is None:
        return None
    raw = segment.raw(row.seq)
    source = segment.execute("select source from ev where seq = ?", (row.seq,)).get
    # Another version of the program may read it otherwise; what it is and when it was stays.
    columns = read(kind, raw, row.time)._replace(kind=kind, rid=rid, time=row.time)
    return segment.source_of(source), Arrival(columns, raw)


def _keys(folder: Path, number: int) -> Iterable[bytes]:
    path = schema.segment_path(folder, number)
    connection = schema.open_to_read(path)
    try:
        with schema.outage(path):
            rows = connection.execute("select code.value, ev.rid from ev join code on code.id = ev.kind")
            return [key(str(kind), str(rid)) for kind, rid in rows]
    finally:
        connection.close()


# --- letting it go; in the writer's thread


def exchange(catalog: Catalog, prepared: Prepared, streams: Mapping[str, StreamRow]) -> None:
    """Put a segment of what is kept, if anything is, in the place of the old ones; their files can be deleted then.

    Raises:
        Outage: the disk is full or failing; nothing has changed.
    """
    old = [prepared.segment, *prepared.also]
    if not prepared.records:
        catalog.exchange(old, None)
        return
    number = catalog.next_segment()
    catalog.begin_exchange(old, number)
    try:
        catalog.exchange(old, _write(catalog.folder, number, prepared.records, streams))
    except BaseException:
        with suppress(Outage, apsw.Error):
            catalog.settle()
        raise


def _write(
    folder: Path, number: int, records: Sequence[tuple[Source, Arrival]], streams: Mapping[str, StreamRow]
) -> Meta:
    """A sealed segment of these records."""
    active = Active.create(folder, number, KEPT, dict(streams))
    try:
        by_source: dict[Source, list[Arrival]] = {}
        for source, arrival in records:
            by_source.setdefault(source, []).append(arrival)
        stream, row = next(iter(streams.items()))  # unchanged: a commit states one
        for source, arrivals in by_source.items():
            keys = [key(one.columns.kind, one.columns.rid) for one in arrivals]
            active.commit(source, arrivals, keys, stream, row)
        with schema.outage(active.path):
            meta, _ = seal(active.connection, lambda: False)
            write_back(active.connection)
        return meta
    finally:
        active.close()
