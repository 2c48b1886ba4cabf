"""Making a promoted field's file (store.copies): one pass over the raw records of a segment."""

from __future__ import annotations

import json
import math
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Final, NamedTuple, TypeVar

import apsw

from pod_desktop.core.faults import Outage
from pod_desktop.core.limits import BLOCK_RECORDS
from pod_desktop.query.matching import as_number
from pod_desktop.store import schema
from pod_desktop.store.blocks import Block
from pod_desktop.store.catalog import listed
from pod_desktop.store.copies import FORMAT, REMOVED, Info, digest, digest_of, read_info
from pod_desktop.store.port import Source, Spots
from pod_desktop.store.rawblocks import RawBlocks
from pod_desktop.store.seal import Stopped
from pod_desktop.store.segment import Segment

VALUE_CHARS: Final = 1_000
RECORD_VALUES: Final = 1_000
"""A record with a longer value, or more of them, is left to its raw bytes."""
_IDS_KEPT: Final = 50_000
Value = str | int | float
Values = Callable[[str, bytes, Source], Sequence[Value]]
"""(kind, raw record, source) -> values of the field."""
_TABLES: Final = """
create table meta(
    one integer primary key check(one = 1), segment integer not null, field text not null, records integer not null,
    kinds text not null, digest blob not null);
create table val(id integer primary key, text text not null, original text, number, written integer not null);
create table at(val integer not null, place integer not null, primary key(val, place)) without rowid;
create table unsure(place integer primary key);
create index val_text on val(text);
"""
_FINISH: Final = """
create index val_number on val(number) where number is not null;
analyze;
"""
"""See query.promoted. place = seq - first seq of the segment; records = all of the segment; kinds = of the
records with a value, by content type."""


_Row = tuple[int, int, int, bytes]
"""seq, kind, source, raw record."""
_Found = TypeVar("_Found")
_SAMPLE_PAGE: Final = 1_024
"""Small, so that the size of a small sample is told finely."""


class DamagedPart(Outage):
    """Records of a segment cannot be read."""


class Made(NamedTuple):
    """What making such a file found."""

    records: int
    kinds: dict[str, int]
    bytes_disk: int


def make(
    folder: Path,
    segment: int,
    field: str,
    values: Values,
    worth: Spots | None,
    stopping: Callable[[int], bool],
) -> Made:
    """Copy the values of a field out of all records that a segment has now; of those copied before it goes on.

    Args:
        worth: which raw records can have the field; None for any.
        stopping: asked before every block, with the number of records behind.

    Raises:
        Stopped: `stopping` said so; nothing has changed.
        DamagedPart: the segment is damaged; nothing has changed.
        Outage: the disk is full or failing; nothing has changed.
    """
    path = schema.column_path(folder, segment, digest(field))
    making = path.with_name(path.name + schema.MAKING)
    source = Segment(folder, segment)
    try:
        with schema.outage(path):
            schema.remove(making)
            before = _go_on(path, making, source, field)
            with closing(_open_new(making, before is None)) as connection:
                kinds = Counter(before.kinds if before is not None else {})
                begin = before.records if before is not None else 0
                _fill(connection, source, begin, kinds, _Reading(values, worth, stopping))
                _finish(connection, segment, field, source.meta.n, kinds)
            _name(making, path)
        return Made(source.meta.n, dict(kinds), path.stat().st_size)
    except BaseException:
        with suppress(Outage):
            schema.remove(making)
        raise
    finally:
        source.close()


def _go_on(path: Path, making: Path, source: Segment, field: str) -> Info | None:
    """Begin with a copy of what there is, if that is sound; None where there is nothing to begin with."""
    if not path.exists():
        return None
    try:
        with closing(schema.open_to_read(path)) as connection:
            known = read_info(connection)
            if known is None or (known.segment, known.field) != (source.segment, field):
                return None
            if known.records > source.meta.n or known.digest != digest_of(connection):
                return None
    except (Outage, apsw.Error, ValueError):
        return None
    shutil.copyfile(path, making)
    return known


def _open_new(path: Path, empty: bool) -> apsw.Connection:
    connection = apsw.Connection(str(path))
    # Nothing of it counts before it has its name, so it needs no journal, and one flush at the end is enough.
    for pragma in (
        f"page_size={schema.PAGE_BYTES}",
        "journal_mode=off",
        "synchronous=off",
        "cache_size=-16384",
    ):
        connection.execute(f"pragma {pragma}")
    if empty:
        connection.execute(f"pragma application_id={schema.APPLICATION_ID}")
        connection.execute(f"pragma user_version={FORMAT}")
    connection.execute("begin")
    connection.execute(_TABLES if empty else "drop index val_number; delete from meta;")
    return connection


class _Reading(NamedTuple):
    """How records are read."""

    values: Values
    worth: Spots | None
    stopping: Callable[[int], bool]


def _fill(
    connection: apsw.Connection, source: Segment, begin: int, kinds: Counter[str], how: _Reading
) -> None:
    """Copy from the record at place `begin` on."""
    first = schema.first_seq(source.segment)
    copies = _Copies(connection)
    blocks = _blocks(source, first + begin)
    while block := _reading(source, lambda: next(blocks, None)):
        if how.stopping(max(block[0] - first, begin)):
            raise Stopped
        rows = _reading(source, lambda: _worth_reading(source, block, how.worth))
        wanted = [row for row in rows if begin <= row[0] - first < source.meta.n]
        _copy(source, copies, kinds, wanted, how.values)


def _blocks(source: Segment, seq: int) -> Iterator[tuple[int, Block]]:
    raw, last = RawBlocks(source.path, source.connection), source.last()
    while seq <= last:
        first, block = raw.of(seq)
        yield first, block
        seq = first + len(block)


def _reading(source: Segment, read: Callable[[], _Found]) -> _Found:
    """Tell damage of the segment from a failing disk, which may hit what is written."""
    try:
        return read()
    except (apsw.CorruptError, apsw.NotADBError) as error:
        raise DamagedPart(f"The file is damaged ({error}).", source.path.name) from None
    except Outage as fault:
        raise DamagedPart(fault.what, fault.where, fault.hint) from None
    except KeyError:
        raise DamagedPart("Records are missing.", source.path.name) from None


def _copy(
    source: Segment, copies: _Copies, kinds: Counter[str], rows: Sequence[_Row], values: Values
) -> None:
    first = schema.first_seq(source.segment)
    for seq, kind, where, raw in rows:
        if found := values(source.code(kind), raw, source.source_of(where)):
            kinds[source.code(kind)] += 1
            copies.add(seq - first, found)


def _worth_reading(source: Segment, block: tuple[int, Block], worth: Spots | None) -> list[_Row]:
    """Those records of a block that may have the field."""
    first, records = block
    places = range(len(records)) if worth is None else records.worth(worth)
    if not places:
        return []
    rows = source.execute(
        "select seq, kind, source from ev where seq between ? and ?", (first + places[0], first + places[-1])
    )
    known = {seq: (kind, where) for seq, kind, where in rows}
    return [(first + place, *known[first + place], records[place]) for place in places]


class _Copies:
    """Writes each value once, and who has it."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self._ids: dict[tuple[str, bool], int] = {}
        self._next: int = connection.execute("select ifnull(max(id), 0) + 1 from val").get
        self._all_known = self._next == 1
        """Is every value in the memory?"""

    def add(self, place: int, values: Sequence[Value]) -> None:
        kept = [_kept(value) for value in values] if len(values) <= RECORD_VALUES else [None]
        if None in kept:
            self._connection.execute("insert into unsure values(?)", (place,))
            return
        ids = {self._id(*one) for one in kept if one is not None}
        self._connection.executemany("insert into at values(?, ?)", [(id, place) for id in ids])

    def _id(self, shown: str, written: bool, number: int | float | None) -> int:
        known = self._ids.get((shown, written))
        if known is None:
            known = self._stored(shown, written, number)
            if len(self._ids) >= _IDS_KEPT:
                self._ids.clear()
                self._all_known = False
            self._ids[shown, written] = known
        return known

    def _stored(self, shown: str, written: bool, number: int | float | None) -> int:
        folded = shown.casefold()
        original = None if folded == shown else shown
        if not self._all_known:
            found = self._connection.execute(
                "select id from val where text = ? and original is ? and written = ?",
                (folded, original, written),
            ).fetchone()
            if found is not None:
                return int(found[0])
        self._connection.execute(
            "insert into val values(?, ?, ?, ?, ?)", (self._next, folded, original, number, written)
        )
        self._next += 1
        return self._next - 1


def _kept(value: Value) -> tuple[str, bool, int | float | None] | None:
    """A value as it is copied: (as it is shown, whether it is text, as a number); None where it cannot be."""
    try:
        shown = value if isinstance(value, str) else str(value)
        shown.encode()
    except ValueError:  # a lone surrogate, or more digits than Python writes
        return None
    if len(shown) > VALUE_CHARS or "\0" in shown:
        return None
    number = as_number(value)
    if isinstance(number, float) and math.isnan(number):
        number = None
    return shown, isinstance(value, str), number


def _finish(connection: apsw.Connection, segment: int, field: str, records: int, kinds: Counter[str]) -> None:
    connection.execute(_FINISH)
    connection.execute(
        "insert into meta values(1, ?, ?, ?, ?, ?)",
        (segment, field, records, json.dumps(kinds), digest_of(connection)),
    )
    connection.execute("commit")


def _name(making: Path, path: Path) -> None:
    with making.open("r+b") as file:
        os.fsync(file.fileno())
    making.replace(path)
    path.with_name(path.name + REMOVED).unlink(missing_ok=True)
    schema.sync_folder(path.parent)


class Sample(NamedTuple):
    """What was found in a part of a segment."""

    records: int
    """Looked at."""
    found: int
    """Of these, how many have a value."""
    bytes_disk: int
    """What copying them would take."""


def sample(folder: Path, segment: int, values: Values, worth: Spots | None, most: int) -> Sample:
    """Copy values of about so many records, taken from all over a segment, into memory only.

    Raises:
        Outage: the segment is damaged.
    """
    source = Segment(folder, segment)
    try:
        with schema.outage(source.path), closing(apsw.Connection(":memory:")) as connection:
            connection.execute(f"pragma page_size={_SAMPLE_PAGE}")
            connection.execute(_TABLES)
            empty = connection.pragma("page_count")
            looked, kinds = 0, Counter[str]()
            copies = _Copies(connection)
            raw = RawBlocks(source.path, source.connection)
            first, last = schema.first_seq(segment), source.last()
            blocks = max(1, -(-most // BLOCK_RECORDS))
            step = max(BLOCK_RECORDS, (last - first + 1) // blocks)
            for seq in range(first, last + 1, step):
                block = raw.of(seq)
                looked += len(block[1])
                _copy(source, copies, kinds, _worth_reading(source, block, worth), values)
            connection.execute(_FINISH)
            size = (connection.pragma("page_count") - empty) * _SAMPLE_PAGE
            return Sample(looked, kinds.total(), size)
    finally:
        source.close()


class Extent(NamedTuple):
    """How much a segment holds."""

    segment: int
    records: int
    newest: int
    """Microseconds UTC."""
    sealed: bool


def extents(folder: Path) -> list[Extent]:
    """All segments that have records, the newest first; without those that cannot be opened.

    Raises:
        Outage: the catalog cannot be read.
    """
    found = []
    for entry in listed(folder):
        records, newest = entry.n, entry.hi
        if not entry.sealed:
            with suppress(Outage):
                opened = Segment(folder, entry.segment)
                records, newest = opened.meta.n, opened.meta.hi
                opened.close()
        if records and newest is not None:
            found.append(Extent(entry.segment, records, newest, entry.sealed))
    return sorted(found, key=lambda one: (one.newest, one.segment), reverse=True)
