"""Rebuilding a sealed segment whose tables or indexes are damaged, from its raw records, which must be sound.

The new file is made beside the old one, checked like any other, and takes its name in one step: a kill leaves
the old file or the new one. Keys stay what they were. Only for the process that holds the service's lock.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Final, NamedTuple

import apsw

from pod_desktop.core.faults import Outage
from pod_desktop.core.limits import BATCH_RECORDS
from pod_desktop.core.record import Arrival
from pod_desktop.core.text import plural
from pod_desktop.store import copies, schema
from pod_desktop.store.active import Active, Meta, StreamRow, read_streams
from pod_desktop.store.blocks import Damaged, Unpacker
from pod_desktop.store.catalog import Entry, record_seal
from pod_desktop.store.dedupe import key
from pod_desktop.store.port import Source
from pod_desktop.store.retention import Read
from pod_desktop.store.seal import seal, write_back
from pod_desktop.store.verify import catalog_entries, segment_problems

WORKSHOP: Final = "repair"
"""A folder beside the segments, for as long as one is rebuilt."""
Sniff = Callable[[bytes], str]
"""The content type of a record of unknown origin: content.sniff."""


class Repaired(NamedTuple):
    """What became of one damaged segment."""

    file: str
    problems: tuple[str, ...]
    """What was wrong."""
    records: int
    """Rebuilt; 0 where it was not."""
    why_not: str = ""
    removed: bool = False
    """It was a copy of values, which is made anew in the background."""


class _Beyond(Exception):
    """It cannot be rebuilt; says why."""


class _Known(NamedTuple):
    """What the old columns still say of a record and its raw bytes do not."""

    kind: str
    rid: str
    time: int
    source: int


def repair(
    folder: Path, read: Read, sniff: Sniff, tell: Callable[[str], None] | None = None
) -> list[Repaired]:
    """Rebuild what is damaged, segment by segment; those that are sound are left alone.

    Args:
        read: content.read.
        sniff: content.sniff, for records whose columns are lost.
        tell: hears which file is looked at.
    """
    found = []
    shutil.rmtree(folder / WORKSHOP, ignore_errors=True)
    for entry in catalog_entries(folder):
        path = schema.segment_path(folder, entry.segment)
        if tell is not None:
            tell(path.name)
        if problems := segment_problems(folder, entry):
            try:
                if not entry.sealed:
                    raise _Beyond("It was not sealed; only sealed segments are rebuilt.")
                records = _rebuild(folder, entry, read, sniff)
                found.append(Repaired(path.name, tuple(problems), records))
            except (_Beyond, Outage, apsw.Error, OSError) as error:
                found.append(Repaired(path.name, tuple(problems), 0, str(error)))
            finally:
                shutil.rmtree(folder / WORKSHOP, ignore_errors=True)
    return found + _without_damaged_columns(folder)


def _without_damaged_columns(folder: Path) -> list[Repaired]:
    """Promoted fields are copies: a damaged one is deleted, and made anew by the service."""
    records = {entry.segment: entry.n if entry.sealed else None for entry in catalog_entries(folder)}
    found = []
    for part in copies.parts(folder):
        if part.segment in records and (wrong := copies.problems(part, records[part.segment])):
            copies.remove(part.path)
            found.append(Repaired(part.path.name, tuple(wrong), 0, removed=True))
    return found


def _rebuild(folder: Path, entry: Entry, read: Read, sniff: Sniff) -> int:
    path = schema.segment_path(folder, entry.segment)
    _empty_log(path)
    workshop = folder / WORKSHOP
    workshop.mkdir(mode=0o700)
    with closing(schema.open_to_read(path)) as old:
        streams, sources = _streams_of(folder, old), _sources_of(old)
        active = Active.create(workshop, entry.segment, entry.lane, streams)
        try:
            _fill(active, _arrivals(old, entry, sources, read, sniff), streams)
            with schema.outage(active.path):
                meta, _ = seal(active.connection, lambda: False)
                if not write_back(active.connection):
                    raise _Beyond("The new file could not be finished.")
        finally:
            active.close()
    _check(workshop, entry, meta)
    _exchange(folder, active.path, path, meta, streams)
    return meta.n


def _empty_log(path: Path) -> None:
    """Move what the old file's log holds into it: the log would else be taken for the new file's."""
    log = path.with_name(path.name + "-wal")
    if log.exists() and log.stat().st_size:
        connection = schema.open_to_write(path, cache_kib=1_024)
        try:
            if not write_back(connection):
                raise _Beyond("Another program reads it: close the windows, and try again.")
        finally:
            connection.close()


def _streams_of(folder: Path, old: apsw.Connection) -> dict[str, StreamRow]:
    """What it knew of the streams; the catalog has kept that since the seal."""
    try:
        found = read_streams(old)
    except apsw.Error:
        found = {}
    if not found:
        with closing(schema.open_to_read(schema.catalog_path(folder))) as catalog:
            found = read_streams(catalog)
    if not found:
        raise _Beyond("Nothing is known of the streams.")
    return found


def _sources_of(old: apsw.Connection) -> dict[int, Source]:
    try:
        return {
            int(number): Source(connector=str(connector), tenant=str(tenant), cluster_id=str(cluster))
            for number, connector, tenant, cluster in old.execute(
                "select id, connector, tenant, cluster from source"
            )
        }
    except apsw.Error as error:
        raise _Beyond(f"It does not say any more whose records they are ({error}).") from None


def _arrivals(
    old: apsw.Connection, entry: Entry, sources: dict[int, Source], read: Read, sniff: Sniff
) -> Iterator[tuple[Source, Arrival]]:
    """Every record in its order."""
    known = _known(old, entry)
    kinds_known = {one.kind for one in known.values()}
    for seq, raw in _raws(old, entry):
        if one := known.get(seq):
            columns = read(one.kind, raw, one.time)
            # Another version of the program may read it otherwise; what it is and when it was stays.
            columns = columns._replace(kind=one.kind, rid=one.rid, time=one.time)
            number = one.source
        else:
            kind = kinds_known.copy().pop() if len(kinds_known) == 1 else sniff(raw)
            columns = read(kind, raw, entry.lo or 0)
            number = _source_near(seq, known, sources)
        if number not in sources:
            raise _Beyond(f"It does not say any more whose record {seq} is.")
        yield sources[number], Arrival(columns, raw)


def _source_near(seq: int, known: dict[int, _Known], sources: dict[int, Source]) -> int:
    """Whose a record is that has lost its row: the only source, or that of both neighbours; -1 where unclear."""
    if len(sources) == 1:
        return next(iter(sources))
    before = max((one for one in known if one < seq), default=-1)
    after = min((one for one in known if one > seq), default=-1)
    if before < 0 or after < 0 or known[before].source != known[after].source:
        return -1
    return known[before].source


_KNOWN: Final = (
    "select ev.seq, code.value, ev.rid, ev.time, ev.source from ev not indexed join code on code.id = ev.kind"
)


def _known(old: apsw.Connection, entry: Entry) -> dict[int, _Known]:
    """What can still be read of the rows."""
    found: dict[int, _Known] = {}
    first = schema.first_seq(entry.segment)
    try:
        for seq, *rest in old.execute(f"{_KNOWN} order by ev.seq"):
            found[int(seq)] = _Known(*rest)
    except apsw.Error:
        for seq in range(first, first + entry.n):
            if seq not in found:
                try:
                    row = old.execute(f"{_KNOWN} where ev.seq = ?", (seq,)).fetchone()
                except apsw.Error:
                    continue
                if row is not None:
                    found[seq] = _Known(*row[1:])
    return {
        seq: one
        for seq, one in found.items()
        if first <= seq < first + entry.n
        and isinstance(one.kind, str)
        and isinstance(one.rid, str)
        and isinstance(one.time, int)
    }


def _raws(old: apsw.Connection, entry: Entry) -> Iterator[tuple[int, bytes]]:
    """(seq, raw record), without a gap; raises _Beyond where one is damaged or missing."""
    unpacker, expected = Unpacker(), schema.first_seq(entry.segment)
    end = expected + entry.n
    try:
        for first, n, block in old.execute("select first, n, block from raw order by first"):
            records = unpacker.unpack(first, block)
            if first != expected or len(records) != n:
                raise _Beyond(f"Raw records from {expected} on are missing.")
            for place, raw in enumerate(records):
                yield first + place, raw
            expected = first + n
    except (apsw.Error, Damaged) as error:
        raise _Beyond(
            f"Its raw records at {expected} are damaged too ({error}): collect the time again from the archive."
        ) from None
    if expected != end:
        raise _Beyond(f"Raw records from {expected} to {end - 1} are missing.")


def _fill(active: Active, arrivals: Iterator[tuple[Source, Arrival]], streams: dict[str, StreamRow]) -> None:
    stream, row = next(iter(streams.items()))  # unchanged: a commit states one
    some: list[Arrival] = []
    whose: Source | None = None

    def commit() -> None:
        if whose is not None and some:
            keys = [key(one.columns.kind, one.columns.rid) for one in some]
            active.commit(whose, some, keys, stream, row)
            some.clear()

    for source, arrival in arrivals:
        if source != whose or len(some) >= BATCH_RECORDS:
            commit()
            whose = source
        some.append(arrival)
    commit()


def _check(workshop: Path, entry: Entry, meta: Meta) -> None:
    if (meta.n, meta.bytes_raw) != (entry.n, entry.bytes_raw):
        raise _Beyond(f"It would hold {plural(meta.n, 'record')} instead of {entry.n:,}.")
    if problems := segment_problems(workshop, entry._replace(lo=meta.lo, hi=meta.hi)):
        raise _Beyond(f"The new file is not sound either: {problems[0]}")


def _exchange(folder: Path, new: Path, path: Path, meta: Meta, streams: dict[str, StreamRow]) -> None:
    with schema.outage(path):
        with new.open("r+b") as file:
            os.fsync(file.fileno())
        for ending in ("-wal", "-shm"):
            path.with_name(path.name + ending).unlink(missing_ok=True)
        new.replace(path)
        schema.sync_folder(folder)
    catalog = schema.open_to_write(schema.catalog_path(folder), cache_kib=256)
    try:
        with schema.outage(schema.catalog_path(folder)):
            record_seal(catalog, meta, streams)
    finally:
        catalog.close()
