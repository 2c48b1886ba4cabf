"""Sealing: a full segment gets its indexes, whole blocks and counts by minute and hour, in one transaction.

Done in the background on a segment that nobody writes to; readers go on meanwhile. Undone by a kill, it
is done again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

import apsw

from pod_desktop.core.limits import BLOCK_RECORDS
from pod_desktop.store import schema, tops
from pod_desktop.store.active import Meta, StreamRow, read_meta, read_streams
from pod_desktop.store.blocks import BLOCK_BYTES, Damaged, Packer, Unpacker

_SUBJECTS: Final = f"""
create virtual table subjects using fts5(subject, content='', columnsize=0, detail=none,
    tokenize='trigram case_sensitive 1');
insert into subjects(subjects, rank) values('hashsize', 268435456);
insert into subjects(subjects, rank) values('pgsz', 8000);
insert into subjects(rowid, subject)
    select seq & {schema.MAX_PLACE}, coalesce(subject_folded, lower(subject)) from ev where subject != '';
"""
_MINUTES: Final = """
insert into minute select time / 60000000, kind, source, outcome, count(*) from ev group by 1, 2, 3, 4;
"""


class Stopped(Exception):
    """The program ends; the seal is done again at the next start."""


def seal(connection: apsw.Connection, stopping: Callable[[], bool]) -> tuple[Meta, dict[str, StreamRow]]:
    """Seal the segment behind this connection, if that is not done yet.

    Raises:
        Stopped: `stopping` said so; nothing has changed.
        apsw.Error: the disk is full or failing; nothing has changed.
    """
    meta = read_meta(connection)
    if not meta.sealed:
        with schema.transaction(connection):
            for step in _steps(connection):
                step()
                if stopping():
                    raise Stopped
            connection.execute("pragma incremental_vacuum").fetchall()
        meta = read_meta(connection)
    return meta, read_streams(connection)


def write_back(connection: apsw.Connection) -> bool:
    """Move the log into the file and empty it; False while readers are still in it."""
    connection.execute("pragma wal_checkpoint(passive)").fetchall()
    connection.set_busy_timeout(100)
    busy, _, _ = connection.execute("pragma wal_checkpoint(truncate)").fetchall()[0]
    return not busy


def _steps(connection: apsw.Connection) -> Iterator[Callable[[], object]]:
    merging = merge_blocks(connection)
    while next(merging, None) is not None:
        yield lambda: None
    statements = (
        "insert into words(words) values('optimize')",
        *(one for one in schema.SEAL_INDEXES.split(";") if one.strip()),
        *(one for one in _SUBJECTS.split(";") if one.strip()),
        _MINUTES,
        *(one for one in schema.HOURS.split(";") if one.strip()),
        *tops.statements(),
        "analyze",
        "update meta set sealed = 1",
    )
    for statement in statements:
        yield lambda statement=statement: connection.execute(statement)  # type: ignore[misc]


def merge_blocks(connection: apsw.Connection, before: int | None = None) -> Iterator[int]:
    """Join neighbouring small blocks, those of small live commits, into whole ones.

    Yields:
        The number of blocks looked at so far, now and then, so that a caller may stop between.
    """
    packer, unpacker = Packer(), Unpacker()
    group: list[int] = []
    count = 0
    listed: list[tuple[int, int]] = connection.execute(
        "select first, n from raw where first < ? order by first", (before or 1 << 62,)
    ).fetchall()  # type: ignore[assignment]
    for place, (first, n) in enumerate(listed):
        if group and count + n > BLOCK_RECORDS:
            _join(connection, packer, unpacker, group)
            group, count = [], 0
        group.append(first)
        count += n
        if place % 256 == 255:
            yield place
    _join(connection, packer, unpacker, group)


def _join(connection: apsw.Connection, packer: Packer, unpacker: Unpacker, firsts: list[int]) -> None:
    if len(firsts) < 2:
        return
    records: list[bytes] = []
    for first in firsts:
        block = connection.execute("select block from raw where first = ?", (first,)).get
        try:
            records.extend(unpacker.unpack(first, block))
        except Damaged:
            # Left as it is: it is named where it is read.
            return
    if sum(map(len, records)) > BLOCK_BYTES:
        return
    connection.execute("delete from raw where first between ? and ?", (firsts[0], firsts[-1]))
    connection.execute(
        "insert into raw values(?, ?, ?)", (firsts[0], len(records), packer.pack(firsts[0], records))
    )
