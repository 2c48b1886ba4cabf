"""The raw records of one segment, read block by block while its writer may be joining small ones."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import apsw

from pod_desktop.core.faults import Outage
from pod_desktop.store.blocks import Block, Damaged, Unpacker

KEPT: Final = 12
"""Blocks held open, of all segments of a reader together; neighbouring records are asked for together."""
_NEAREST: Final = "from raw where first <= ? order by first desc limit 1"
_FROM_HERE: Final = """select first, n, block from raw
 where first between (select max(first) from raw where first <= ?1) and ?2 order by first limit 16"""
"""A few at a time: one by one, looking for them takes a third as long as opening them."""


Kept = OrderedDict[tuple[Path, int], Block]
"""Open blocks by segment and first seq, the last used at the end."""


class RawBlocks:
    """Uses the connection of its segment; one thread at a time.

    Args:
        kept: blocks held open, where they are shared with other segments.
    """

    def __init__(self, path: Path, connection: apsw.Connection, kept: Kept | None = None) -> None:
        self._path = path
        self._connection = connection
        self._unpacker = Unpacker()
        self._open = Kept() if kept is None else kept

    def of(self, seq: int) -> tuple[int, Block]:
        """(first seq, records) of the block that holds a record.

        Raises:
            KeyError: no such record.
            Outage: its block is damaged or missing.
        """
        listed = self._connection.execute(f"select first, n {_NEAREST}", (seq,)).fetchone()
        if listed is None or seq >= listed[0] + listed[1]:
            if self._connection.execute("select 1 from ev where seq = ?", (seq,)).fetchone() is None:
                raise KeyError(seq)
            raise self._damage(seq, "is missing")
        first, n = listed
        block = self._open.pop((self._path, first), None)
        if block is None or len(block) != n:
            first, block = self._read(seq)
        self.keep(first, block)
        return first, block

    def keep(self, first: int, block: Block) -> None:
        """Have a block at hand for of(): more of it is asked for soon."""
        self._open[self._path, first] = block
        if len(self._open) > KEPT:
            self._open.popitem(last=False)

    def _read(self, seq: int) -> tuple[int, Block]:
        # All of it in one statement: a block may be joined with others between two.
        row: Any = self._connection.execute(f"select first, n, block {_NEAREST}", (seq,)).fetchone()
        if row is None:
            raise self._damage(seq, "is missing")
        return row[0], self._unpack(*row)

    def _unpack(self, first: int, n: int, data: bytes) -> Block:
        try:
            block = self._unpacker.open(first, data)
        except Damaged as damage:
            raise self._damage(first, f"is damaged ({damage})") from None
        if len(block) != n:
            raise self._damage(first, "has another number of records")
        return block

    def between(self, low: int, high: int) -> Iterator[tuple[int, Block]]:
        """All blocks that hold records from `low` to `high`, ascending; raises as of() does.

        None is held here: the next takes its memory, which the processor still has at hand.
        """
        while low <= high:
            rows: Any = self._connection.execute(_FROM_HERE, (low, high)).fetchall()
            if not rows:
                raise self._damage(low, "is missing")
            for first, n, data in rows:
                if not first <= low < first + n:
                    self.of(low)  # raises: no block holds it
                    break
                yield first, self._unpack(first, n, data)
                low = first + n

    def _damage(self, seq: int, what: str) -> Outage:
        return Outage(
            f"The block of raw records at {seq} {what}.",
            self._path.name,
            "Run `pod-desktop verify`; collect the time again from the archive.",
        )
