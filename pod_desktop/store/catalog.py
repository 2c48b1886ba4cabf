"""The catalog: which segments there are, and what sealed segments knew of the streams."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

import apsw

from pod_desktop.core.faults import Outage
from pod_desktop.store import schema
from pod_desktop.store.active import Meta, StreamRow, read_meta, read_streams
from pod_desktop.store.schema import outage

_FILE: Final = re.compile(r"segment-(\d{1,12})\.db")


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
        for segment in segments_on_disk(self.folder):
            if segment in known:
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
        with outage(self.path):
            highest: int = self.connection.execute("select coalesce(max(id), 0) from segment").get
        return max([highest, *segments_on_disk(self.folder)]) + 1

    def close(self) -> None:
        self.connection.close()


LIST_SEGMENTS: Final = "select id, lane, state, n, lo, hi, bytes_raw from segment order by id"


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
