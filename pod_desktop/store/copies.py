"""Promoted fields: the values of a JSON path, copied out of a segment's raw records into a file beside it.

Such a file never changes once it has its name, says itself what it holds (the first so many records: all of
them once the segment is sealed; a longer one takes its place), and can be deleted at any time: where
there is none the raw records are read, with the same answer. So nothing else has to know which there are, and
a kill leaves the file or none. They are made by the process that writes the store.
"""

from __future__ import annotations

import itertools
import json
import os
import re
from collections.abc import Iterable
from contextlib import closing, suppress
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final, NamedTuple

import apsw

from pod_desktop.core.faults import Outage
from pod_desktop.query.promoted import Promoted
from pod_desktop.store import schema

FORMAT: Final = 1
"""To be raised with the tables, and whenever any field of content.values() comes to give other values."""
DAMAGE: Final = (apsw.CorruptError, apsw.NotADBError, apsw.IOError, apsw.CantOpenError)
"""What reading a damaged file raises, at whatever moment."""
_DIGEST_ROWS: Final = 4_096
REMOVED: Final = ".removed"
"""Ends the name of a mark beside a file that could not be deleted, as a reader had it open (Windows)."""
_NAME: Final = re.compile(r"segment-(\d{1,12})\.column-([0-9a-f]{16})\.db")


class Part(NamedTuple):
    """A file of a promoted field."""

    segment: int
    digest: str
    path: Path
    bytes_disk: int
    changed: int
    """Nanoseconds; another file of the same name has another."""


class Info(NamedTuple):
    """What such a file says of itself."""

    segment: int
    field: str
    records: int
    """The first so many of the segment."""
    kinds: dict[str, int]
    """Of these, how many have a value, by content type."""
    digest: bytes


def digest(field: str) -> str:
    """What stands for a field in names of files."""
    return blake2b(field.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def parts(folder: Path) -> list[Part]:
    """All such files of a store, those that are to be deleted too."""
    found = []
    for file in folder.glob("segment-*.column-*.db"):
        if (match := _NAME.fullmatch(file.name)) is not None:
            with suppress(OSError):
                status = file.stat()
                found.append(Part(int(match[1]), match[2], file, status.st_size, status.st_mtime_ns))
    return sorted(found)


def remove(path: Path) -> bool:
    """Delete such a file; False where a reader still has it open: then it is marked, and let go of soon."""
    mark = path.with_name(path.name + REMOVED)
    try:
        path.unlink(missing_ok=True)
    except OSError:
        with suppress(OSError):
            mark.touch()
        return False
    mark.unlink(missing_ok=True)
    return True


def read_info(connection: apsw.Connection, schema_name: str = "main") -> Info | None:
    """None where another version of the program made it."""
    if connection.execute(f"pragma {schema_name}.user_version").get != FORMAT:
        return None
    row = connection.execute(
        f"select segment, field, records, kinds, digest from {schema_name}.meta"
    ).fetchone()
    if row is None:
        raise apsw.CorruptError("no meta row")
    return Info(row[0], row[1], row[2], json.loads(row[3]), row[4])


def info(path: Path) -> Info | None:
    """What a file says of itself.

    Raises:
        Outage: it is damaged or missing.
    """
    with schema.outage(path), closing(schema.open_to_read(path, cache_kib=64)) as connection:
        return read_info(connection)


def digest_of(connection: apsw.Connection) -> bytes:
    """Of all that is copied; finds what `pragma integrity_check` passes over."""
    found = blake2b(digest_size=16)
    for statement in (
        "select text, original, number, written, id from val order by id",
        "select val, place from at order by val, place",
        "select place from unsure order by place",
    ):
        cursor = connection.execute(statement)
        while rows := [row for _, row in zip(range(_DIGEST_ROWS), cursor, strict=False)]:
            found.update(repr(rows).encode("utf-8", "surrogatepass"))
    return found.digest()


def problems(part: Part, records: int | None) -> list[str]:
    """All that is wrong with such a file of a segment of so many records, in words; empty if it is sound.

    Args:
        records: None while the segment grows.
    """
    try:
        with closing(schema.open_to_read(part.path)) as connection:
            return list(_problems(connection, part, records))
    except Outage as fault:
        return [f"{part.path.name}: {fault.what}"]
    except (apsw.Error, ValueError) as error:
        return [f"{part.path.name}: {error}."]


def _problems(connection: apsw.Connection, part: Part, records: int | None) -> Iterable[str]:
    name = part.path.name
    for (line,) in connection.execute("pragma integrity_check(5)"):
        if line != "ok":
            yield f"{name}: The database is damaged: {line}"
            return
    known: Any = read_info(connection)
    if known is None:
        return  # of another version: nobody uses it
    too_many = records is not None and known.records > records
    if too_many or (known.segment, digest(known.field)) != (part.segment, part.digest):
        yield f"{name}: It belongs to other records."
    elif known.digest != digest_of(connection):
        yield f"{name}: The copied values are not those that were written."


# --- reading with them


class Attached:
    """The promoted fields of one segment, attached to its connection as they are asked for."""

    def __init__(self, folder: Path, segment: int, connection: apsw.Connection) -> None:
        self._folder = folder
        self._segment = segment
        self._connection = connection
        self._known: dict[str, _Known] = {}
        self._let_go: list[str] = []
        self._names = itertools.count(1)
        self._damaged = False

    def of(self, fields: Iterable[str], records: int, sealed: bool) -> dict[str, Promoted]:
        """Which of the fields are promoted here, in a segment of so many records."""
        found: dict[str, Promoted] = {}
        for field in fields:
            if not self._damaged and (column := self._column(field, records, sealed)) is not None:
                found[field] = column
        return found

    def _column(self, field: str, records: int, sealed: bool) -> Promoted | None:
        path = schema.column_path(self._folder, self._segment, digest(field))
        identity = _identity(path)
        known = self._known.get(field)
        if known is None or known.identity != identity:
            if known is not None and known.name:
                self._let_go.append(known.name)
            self._detach()
            known = _Known(
                identity, *(self._attach(path, field, records, sealed) if identity else ("", None))
            )
            self._known[field] = known
        return known.column

    def _attach(self, path: Path, field: str, records: int, sealed: bool) -> tuple[str, Promoted | None]:
        name = f"column{next(self._names)}"
        try:
            self._connection.execute("attach database ? as " + name, (str(path),))
        except apsw.Error:
            return "", None  # gone just now, damaged, or too many: the raw records answer
        try:
            known = read_info(self._connection, name)
            if known is not None and (known.field, known.segment) == (field, self._segment):
                unsure = self._connection.execute(f"select 1 from {name}.unsure limit 1").fetchone()
                first = schema.first_seq(self._segment)
                # Of one that grows nobody knows here how far it is at the moment at which a question is asked.
                whole = sealed and known.records == records and unsure is None
                if known.records <= records or not sealed:
                    return name, Promoted(schema=name, first=first, upto=first + known.records, whole=whole)
        except (apsw.Error, ValueError):
            pass
        self._let_go.append(name)
        self._detach()
        return "", None

    def _detach(self) -> None:
        """Let go of files that are gone; one that a statement is reading stays for the next time."""
        for name in tuple(self._let_go):
            with suppress(apsw.Error):
                self._connection.execute("detach database " + name)
                self._let_go.remove(name)

    def give_up(self) -> bool:
        """Something is damaged: from now on do without. False where nothing was promoted, so it was not that."""
        found = not self._damaged and any(known.column is not None for known in self._known.values())
        self._damaged = True
        return found


class _Known(NamedTuple):
    identity: tuple[int, int] | None
    name: str
    column: Promoted | None


def _identity(path: Path) -> tuple[int, int] | None:
    """Tells one file of this name from the next; None where there is none, or it is to be let go of."""
    try:
        status = path.stat()
    except OSError:
        return None
    if os.name == "nt" and path.with_name(path.name + REMOVED).exists():
        return None
    return status.st_ino, status.st_mtime_ns
