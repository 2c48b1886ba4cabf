"""Is the event store whole? Looks at every page, block and sum; changes nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import apsw

from pod_desktop.core.faults import Outage
from pod_desktop.core.status import Counters
from pod_desktop.core.text import plural
from pod_desktop.store import copies, schema, tops
from pod_desktop.store.active import Meta, StreamRow, newest_streams, read_meta, read_progress, read_streams
from pod_desktop.store.blocks import Damaged, Unpacker
from pod_desktop.store.catalog import LIST_SEGMENTS, Entry, segments_on_disk
from pod_desktop.store.retention import KEPT

_MOST: Final = 50
"""Problems named of one segment."""
_TRIES: Final = 20


def verify(folder: Path, tell: Callable[[str], None] | None = None) -> list[str]:
    """All that is wrong with the events in this folder, each in one sentence with file and place.

    Args:
        tell: hears which file is looked at; a store of 10 million records takes minutes.
    """
    path = schema.catalog_path(folder)
    if not path.exists():
        lost = segments_on_disk(folder) if folder.is_dir() else []
        return [f"{path.name}: The file is missing, but there are {len(lost)} segments."] if lost else []
    problems: list[str] = []
    entries = _catalog(path, problems)
    listed = {entry.segment for entry in entries}
    deleted = _deleted(path)
    for segment in segments_on_disk(folder):
        if (
            segment not in listed
            and segment not in deleted
            and _holds_records(schema.segment_path(folder, segment))
        ):
            problems.append(f"segment-{segment}.db: The catalog does not know this file.")
    for entry in entries:
        if tell is not None:
            tell(f"segment-{entry.segment}.db")
        _segment(folder, entry, problems)
    problems += column_problems(folder, entries)
    for _ in range(_TRIES):
        # While a collector writes, two equal looks are a state that was.
        if (state := _state(folder)) is not None and state == _state(folder):
            _sums(*state, problems)
            break
    return problems


def catalog_entries(folder: Path) -> list[Entry]:
    """The segments that the catalog lists; none where it cannot be read (verify() says so)."""
    path = schema.catalog_path(folder)
    return _catalog(path, []) if path.exists() else []


def column_problems(folder: Path, entries: Sequence[Entry]) -> list[str]:
    """All that is wrong with promoted fields; what segments of `entries` do not have is about to be deleted."""
    records = {entry.segment: entry.n if entry.sealed else None for entry in entries}
    return [
        line
        for part in copies.parts(folder)
        if part.segment in records
        for line in copies.problems(part, records[part.segment])
    ]


def segment_problems(folder: Path, entry: Entry) -> list[str]:
    """All that is wrong with one segment."""
    problems: list[str] = []
    _segment(folder, entry, problems)
    return problems


def _deleted(path: Path) -> dict[int, int]:
    """Segments that retention deleted, and how many of their records the streams have counted."""
    try:
        connection = schema.open_to_read(path)
        try:
            return _gone(connection)
        finally:
            connection.close()
    except (Outage, apsw.Error):
        return {}


def _gone(catalog: apsw.Connection) -> dict[int, int]:
    if catalog.execute("select 1 from sqlite_master where name = 'gone'").fetchone() is None:
        return {}
    rows = catalog.execute("select id, case when lane = ? then 0 else n end from gone", (KEPT,))
    return {int(segment): int(n) for segment, n in rows}


def _holds_records(path: Path) -> bool:
    """A kill may come between a new segment and its line in the catalog; the next writer adds that."""
    try:
        connection = schema.open_to_read(path)
        try:
            return read_meta(connection).n > 0
        finally:
            connection.close()
    except (Outage, apsw.Error):
        return True


def _state(folder: Path) -> tuple[dict[str, StreamRow], int] | None:
    """The streams and how many records the segments hold; None where that cannot be read (and was named)."""
    try:
        catalog = schema.open_to_read(schema.catalog_path(folder))
        try:
            entries = [Entry(*row) for row in catalog.execute(LIST_SEGMENTS)]
            streams = [read_streams(catalog)]
            # What is kept of deleted segments was counted there.
            stored = sum(_gone(catalog).values())
        finally:
            catalog.close()
        for entry in entries:
            if entry.sealed:
                stored += entry.n if entry.lane != KEPT else 0
                continue
            connection = schema.open_to_read(schema.segment_path(folder, entry.segment))
            try:
                stored += read_meta(connection).n
                streams.append(read_streams(connection))
            finally:
                connection.close()
    except (Outage, apsw.Error):
        return None
    return newest_streams(streams), stored


def _catalog(path: Path, problems: list[str]) -> list[Entry]:
    try:
        connection = schema.open_to_read(path)
        try:
            schema.check_format(connection, path)
            with schema.outage(path):
                problems += (f"{path.name}: {line}" for line in _integrity(connection))
                return [Entry(*row) for row in connection.execute(LIST_SEGMENTS)]
        finally:
            connection.close()
    except (Outage, apsw.Error) as fault:
        problems.append(str(fault) if isinstance(fault, Outage) else f"{path.name}: {fault}")
        return []


def _segment(folder: Path, entry: Entry, problems: list[str]) -> None:
    """Look at one segment."""
    path = schema.segment_path(folder, entry.segment)
    if not path.exists():
        problems.append(f"{path.name}: The file is missing.")
        return
    found: list[str] = []
    try:
        connection = schema.open_to_read(path)
        try:
            schema.check_format(connection, path)
            # One snapshot, so that a segment that grows meanwhile agrees with itself.
            connection.execute("begin")
            with schema.outage(path):
                meta = read_meta(connection)
                found += _integrity(connection)
                if meta.sealed:
                    found += _lacking(connection)
                found += _rows(connection, entry, meta)
                found += _blocks(connection, meta)
        finally:
            connection.close()
    except Outage as fault:
        found.append(fault.what)
    except apsw.Error as error:
        found.append(f"{error}.")
    problems += (f"{path.name}: {line}" for line in found[:_MOST])
    if len(found) > _MOST:
        problems.append(f"{path.name}: {len(found) - _MOST} more problems.")


def _integrity(connection: apsw.Connection) -> Iterator[str]:
    for (line,) in connection.execute("pragma integrity_check(20)"):
        if line != "ok":
            yield f"The database is damaged: {line}"


_BUILT: Final = frozenset(
    re.findall(r"create (?:virtual )?(?:index|table) (\w+)", f"{schema.SEGMENT}{schema.SEAL_INDEXES}")
) | {"subjects"}
"""What every sealed segment has."""
_HOURS: Final = "select minute / 60, kind, source, outcome, sum(n) from minute group by 1, 2, 3, 4"
_OTHER_HOURS: Final = (
    f"select (select count(*) from ({_HOURS} except select * from hour))"
    f" + (select count(*) from (select * from hour except {_HOURS}))"
)


def _lacking(connection: apsw.Connection) -> Iterator[str]:
    there = {str(name) for (name,) in connection.execute("select name from sqlite_master")}
    for name in sorted(_BUILT - there):
        yield f"Its index or table {name} is missing."


def _rows(connection: apsw.Connection, entry: Entry, meta: Meta) -> Iterator[str]:
    first = schema.first_seq(entry.segment)
    count, low, high, lo, hi = one(
        connection, "select count(*), min(seq), max(seq), min(time), max(time) from ev"
    )
    if meta.segment != entry.segment:
        yield f"It says it is segment {meta.segment}."
    if count != meta.n:
        yield f"It has {count:,} rows, but {meta.n:,} were committed."
    if count and (low != first or high != first + count - 1):
        yield f"Rows are missing between {first} and {high}."
    if (lo, hi) != (meta.lo, meta.hi):
        yield "The times of its rows are not those that were committed."
    if entry.sealed and (entry.n, entry.lo, entry.hi) != (meta.n, meta.lo, meta.hi):
        yield "The catalog has other counts or times of it."
    if meta.sealed and (counted := one(connection, "select coalesce(sum(n), 0) from minute")[0]) != count:
        yield f"Its counts by minute have {plural(counted, 'record')}, its rows {count:,}."
    if meta.sealed and schema.has_table(connection, "hour") and one(connection, _OTHER_HOURS)[0]:
        yield "Its counts by hour are not those of its minutes."
    if meta.sealed and schema.has_table(connection, "top") and (wrong := tops.mistaken(connection)):
        yield f"Its lists of the commonest values are not those of its rows: {', '.join(wrong)}."
    (lost,) = one(
        connection,
        "select count(*) from ev where sender not in (select id from addr) or recipient not in (select id from addr)"
        " or kind not in (select id from code) or source not in (select id from source)",
    )
    if lost:
        yield f"{lost:,} rows point to addresses or names that are not there."


def _blocks(connection: apsw.Connection, meta: Meta) -> Iterator[str]:
    unpacker = Unpacker()
    expected = schema.first_seq(meta.segment)
    size = 0
    whole = True
    for first, n, block in connection.execute("select first, n, block from raw order by first"):
        if first != expected:
            yield f"Raw records from {expected} to {first - 1} are missing."
            whole = False
        expected = first + n
        try:
            records = unpacker.unpack(first, block)
        except Damaged as damage:
            yield f"The block of {n} raw records at {first} is damaged ({damage})."
            whole = False
            continue
        size += sum(map(len, records))
        if len(records) != n:
            yield f"The block at {first} holds {len(records)} records instead of {n}."
            whole = False
    end = schema.first_seq(meta.segment) + meta.n
    if expected != end:
        yield f"Raw records from {expected} to {end - 1} are missing."
    elif whole and size != meta.bytes_raw:
        yield f"Its raw records have {size:,} bytes, but {meta.bytes_raw:,} were committed."


def one(connection: apsw.Connection, statement: str) -> tuple[Any, ...]:
    row = connection.execute(statement).fetchone()
    assert row is not None
    return tuple(row)


def _sums(streams: dict[str, StreamRow], stored: int, problems: list[str]) -> None:
    total = Counters()
    for stream, row in sorted(streams.items()):
        try:
            counters = read_progress(row).counters
        except (json.JSONDecodeError, TypeError, AttributeError):
            problems.append(f"Stream {stream}: its progress cannot be read.")
            continue
        total += counters
        parts = counters.stored + counters.duplicates + counters.filtered + counters.quarantined
        if counters.received != parts:
            problems.append(
                f"Stream {stream}: {plural(counters.received, 'record')} received, but {parts:,} accounted for "
                f"({counters.stored:,} stored, {counters.duplicates:,} duplicates, {counters.filtered:,} filtered,"
                f" {counters.quarantined:,} quarantined)."
            )
    kept = total.stored + total.quarantined
    if kept != stored:
        problems.append(
            f"The streams counted {plural(kept, 'record')} stored, but the segments hold or held {stored:,}."
        )
