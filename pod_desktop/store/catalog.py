"""The catalog: which segments there are, and what sealed segments knew of the streams."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

import apsw

from pod_desktop.core.faults import Outage
from pod_desktop.store import schema
from pod_desktop.store.active import Meta, StreamRow, read_meta, read_streams
from pod_desktop.store.schema import outage

_FILE: Final = re.compile(r"segment-(\d{1,12})\.db")
_BESIDE: Final = re.compile(r"segment-(\d{1,12})\.(?:db(?:-wal|-shm)?|column-.*)")


class Entry(NamedTuple):
    """A segment as the catalog knows it; n, lo, hi, bytes_raw only once it is sealed."""

    segment: int
    lane: str
    state: str
    n: int
    lo: int | None
    hi: int | None
    bytes_raw: int

    @property
    def sealed(self) -> bool:
        return self.state == schema.SEALED


def segments_on_disk(folder: Path) -> list[int]:
    return sorted(int(match[1]) for file in folder.iterdir() if (match := _FILE.fullmatch(file.name)))


def _with_any_file(folder: Path) -> set[int]:
    """Segments of which anything is left, be it only what SQLite keeps beside a database, or a promoted field."""
    return {int(match[1]) for file in folder.iterdir() if (match := _BESIDE.fullmatch(file.name))}


def _sealed(folder: Path, segment: int) -> Meta | None:
    """What a segment says of itself, if it is there and sealed."""
    path = schema.segment_path(folder, segment)
    try:
        connection = schema.open_to_read(path)
        try:
            with outage(path):
                meta = read_meta(connection)
        finally:
            connection.close()
    except (Outage, apsw.Error):
        return None
    return meta if meta.sealed else None


class Catalog:
    """The catalog opened to write."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = schema.catalog_path(folder)
        for left in folder.glob(f"*.db{schema.MAKING}"):
            schema.remove(left)
        if self.path.exists():
            self.connection = self._open()
        else:
            self.connection = schema.create(self.path, schema.CATALOG)
        with outage(self.path):
            self.connection.execute(schema.CATALOG_OF_GONE)
        self.settle()
        self._adopt()

    def _open(self) -> apsw.Connection:
        connection = schema.open_to_write(self.path, cache_kib=1_024)
        try:
            schema.check_format(connection, self.path)
        except Outage:
            connection.close()
            raise
        return connection

    def _adopt(self) -> None:
        """List segment files that the catalog does not know: a kill came between the two, or it was lost."""
        known = {entry.segment for entry in self.entries()}
        self.delete_gone()
        deleted = set(self.gone())
        for segment in segments_on_disk(self.folder):
            if segment in known or segment in deleted:
                continue
            with suppress(Outage, apsw.Error):
                connection = schema.open_to_read(schema.segment_path(self.folder, segment))
                try:
                    schema.check_format(connection, schema.segment_path(self.folder, segment))
                    meta = read_meta(connection)
                    streams = read_streams(connection)
                finally:
                    connection.close()
                # Not active, even if it was: its lane may have another one.
                self.add(segment, meta.lane, schema.SEALING)
                if meta.sealed:
                    self.sealed(meta, streams)

    def entries(self) -> list[Entry]:
        with outage(self.path):
            return [Entry(*row) for row in self.connection.execute(LIST_SEGMENTS)]

    def streams(self) -> dict[str, StreamRow]:
        with outage(self.path):
            return read_streams(self.connection)

    def add(self, segment: int, lane: str, state: str = schema.ACTIVE) -> None:
        """List a new segment."""
        with outage(self.path):
            self.connection.execute(
                "insert into segment values(?, ?, ?, 0, null, null, 0)", (segment, lane, state)
            )

    def full(self, segment: int) -> None:
        """Nothing more is written to this one."""
        with outage(self.path):
            self.connection.execute("update segment set state = ? where id = ?", (schema.SEALING, segment))

    def sealed(self, meta: Meta, streams: dict[str, StreamRow]) -> None:
        record_seal(self.connection, meta, streams)

    def next_segment(self) -> int:
        """A number that no segment has or ever had: keys of deleted records must not come to mean others."""
        with outage(self.path):
            highest: int = self.connection.execute(
                "select max(coalesce((select max(id) from segment), 0), coalesce((select max(id) from gone), 0),"
                " coalesce((select max(segment) from exchange), 0))"
            ).get
        return max([highest, *segments_on_disk(self.folder)]) + 1

    # --- deleted segments (see store.retention)

    def gone(self) -> list[int]:
        """Segments that were deleted; the files of some may still be there."""
        with outage(self.path):
            return [int(row[0]) for row in self.connection.execute("select id from gone")]

    def begin_exchange(self, old: Sequence[int], new: int) -> None:
        """Say that a segment is about to be written that will stand for these."""
        with outage(self.path), schema.transaction(self.connection):
            self.connection.execute(
                "insert or replace into exchange values(1, ?, ?)", (new, json.dumps(list(old)))
            )

    def exchange(self, old: Sequence[int], new: Meta | None) -> None:
        """The old segments are gone and the new one is there, in one transaction."""
        with outage(self.path), schema.transaction(self.connection):
            for segment in old:
                self.connection.execute(
                    "insert or replace into gone select id, lane, n, lo, hi from segment where id = ?",
                    (segment,),
                )
                self.connection.execute("delete from segment where id = ?", (segment,))
            if new is not None:
                self.connection.execute(
                    "insert into segment values(?, ?, ?, ?, ?, ?, ?)",
                    (new.segment, new.lane, schema.SEALED, new.n, new.lo, new.hi, new.bytes_raw),
                )
            self.connection.execute("delete from exchange")

    def settle(self) -> None:
        """Finish an exchange that a kill or a fault has cut short, or undo it where its segment is not whole."""
        with outage(self.path):
            under_way = self.connection.execute("select segment, old from exchange").fetchone()
        if under_way is None:
            return
        meta = _sealed(self.folder, int(under_way[0]))
        if meta is not None:
            self.exchange(json.loads(str(under_way[1])), meta)
            return
        schema.remove(schema.segment_path(self.folder, int(under_way[0])))
        with outage(self.path):
            self.connection.execute("delete from exchange")

    def delete_gone(self) -> None:
        """Delete the files of segments that are gone; one that somebody holds open stays for the next time."""
        for segment in set(self.gone()) & _with_any_file(self.folder):
            for path in schema.files_of(self.folder, segment):
                with suppress(OSError):
                    path.unlink()

    def close(self) -> None:
        schema.let_go(self.connection)


LIST_SEGMENTS: Final = "select id, lane, state, n, lo, hi, bytes_raw from segment order by id"


def sealed_entries(folder: Path) -> list[Entry]:
    """The sealed segments; raises as listed()."""
    return [entry for entry in listed(folder) if entry.sealed]


def listed(folder: Path) -> list[Entry]:
    """All segments, as any process may read them; none where there is no store yet.

    Raises:
        Outage: the catalog cannot be read.
    """
    path = schema.catalog_path(folder)
    if not path.exists():
        return []
    connection = schema.open_to_read(path, cache_kib=256)
    try:
        schema.check_format(connection, path)
        with outage(path):
            return [Entry(*row) for row in connection.execute(LIST_SEGMENTS)]
    finally:
        connection.close()


def record_seal(connection: apsw.Connection, meta: Meta, streams: dict[str, StreamRow]) -> None:
    """Tell the catalog what a sealed segment holds and what it knew of the streams."""
    with schema.transaction(connection):
        connection.execute(
            "update segment set state = ?, n = ?, lo = ?, hi = ?, bytes_raw = ? where id = ?",
            (schema.SEALED, meta.n, meta.lo, meta.hi, meta.bytes_raw, meta.segment),
        )
        connection.executemany(
            "insert into stream values(?, ?, ?, ?) on conflict(stream) do update set number = excluded.number,"
            " progress = excluded.progress, counters = excluded.counters where excluded.number > stream.number",
            [(stream, *row) for stream, row in streams.items()],
        )
