"""Records that the columns of a segment leave undecided, judged by their raw bytes."""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pod_desktop.core.faults import Unwanted
from pod_desktop.query import sql
from pod_desktop.store import schema
from pod_desktop.store.port import Ask, Spots
from pod_desktop.store.rawblocks import RawBlocks

if TYPE_CHECKING:
    from pod_desktop.store.segment import Segment

_SPOTTED_BLOCKS: Final = 8
"""Blocks looked through before the records found in them are looked up."""
_WORTH_SPOTTING: Final = 32
"""So many records of one block are judged in more time than it takes to look through the whole."""
_JUDGED_FIRST: Final = 16
_JUDGED_AT_ONCE: Final = 1_024
"""Rows whose raw records are judged together, so that each block is opened once."""


class Conditions(NamedTuple):
    """A question as SQL for this segment."""

    where: str
    sure: str
    values: dict[str, Any]
    exact: bool
    hint: str
    tests: dict[int, sql.Predicate]
    indexed: bool
    """Does an index find the records that may match?"""
    few: bool = False
    """Are so few records asked about that they are looked at one by one?"""


class Judging:
    """Uses the connection of its segment; one thread at a time."""

    def __init__(self, segment: Segment, raw: RawBlocks) -> None:
        self._segment = segment
        self._raw = raw

    def judged(self, ask: Ask, found: Iterator[Any]) -> Iterator[list[Any]]:
        """The rows that match, of (seq, time, kind, source, does it surely match), in the order given."""
        size = _JUDGED_FIRST
        while rows := list(islice(found, size)):
            if ask.wanted is not None and not ask.wanted():
                raise Unwanted("No longer wanted.")
            matching = self.matching(ask, [(row[0], row[2], row[3]) for row in rows if not row[4]])
            yield [row for row in rows if row[4] or row[0] in matching]
            size = min(size * 4, _JUDGED_AT_ONCE)

    def matching(self, ask: Ask, rows: Sequence[tuple[int, int, int]]) -> set[int]:
        """Of (seq, kind, source) the seqs whose raw records match, opened block by block."""
        judge = ask.matches
        assert judge is not None  # conditions() saw to it
        rows = sorted(rows)
        matching: set[int] = set()
        at = 0
        while at < len(rows):
            first, records = self._raw.of(rows[at][0])
            end = bisect_left(rows, (first + len(records),), at)
            part = rows[at:end]
            at = end
            if ask.spots is not None and len(part) >= _WORTH_SPOTTING:
                worth = set(records.worth(ask.spots))
                part = [row for row in part if row[0] - first in worth]
            for seq, kind, source in part:
                if judge(self._segment.code(kind), records[seq - first], self._segment.source_of(source)):
                    matching.add(seq)
        return matching

    def to_judge(
        self, ask: Ask, conditions: Conditions, most: int | None = None, above: int | None = None
    ) -> Iterator[Any]:
        """Rows that may match, as _judged() takes them, in no certain order."""
        columns = f"select seq, time, kind, source, ifnull({conditions.sure}, 0) from ev"
        if ask.spots is None or conditions.indexed or conditions.few:
            statement = f"{columns} {conditions.hint} where {conditions.where}"
            return iter(self._segment.execute(statement, conditions.values))
        statement = f"{columns} where seq in (select value from json_each(:spotted)) and {conditions.where}"
        return self._looked_up(statement, conditions.values, self._spotted(ask, ask.spots, most, above))

    def _looked_up(
        self, statement: str, values: dict[str, Any], spotted: Iterator[list[int]]
    ) -> Iterator[Any]:
        for seqs in spotted:
            yield from self._segment.execute(statement, values | {"spotted": json.dumps(seqs)}).fetchall()

    def _spotted(self, ask: Ask, spots: Spots, most: int | None, above: int | None) -> Iterator[list[int]]:
        """Block after block the records that are worth it: others are not looked up at all."""
        low, high = self._stretch(ask, most, above)
        seqs: list[int] = []
        for number, (first, records) in enumerate(self._raw.between(low, high), 1):
            if ask.wanted is not None and not ask.wanted():
                raise Unwanted("No longer wanted.")
            if places := records.worth(spots):
                self._raw.keep(first, records)
                seqs += [first + place for place in places]
            if seqs and number % _SPOTTED_BLOCKS == 0:
                yield seqs
                seqs = []
        if seqs:
            yield seqs

    def _stretch(self, ask: Ask, most: int | None, above: int | None) -> tuple[int, int]:
        """Lowest and highest seq of the records of the question's time, between `above` and `most`."""
        low, high = schema.first_seq(self._segment.segment), self._segment.last()
        bounds, values = self._segment.bounds(Ask(since=ask.since, until=ask.until), None)
        if bounds:
            found = self._segment.execute(
                f"select min(seq), max(seq) from ev where {' and '.join(bounds)}", values
            ).fetchone()
            low, high = (low, low - 1) if found is None or found[0] is None else found
        return (
            low if above is None else max(low, above + 1),
            high if most is None else min(high, most),
        )
