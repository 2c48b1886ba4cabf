"""All keys that match in one segment, part by part, and how far back each part reaches.

An index gives what it finds at one price, however little of it is wanted: so it is asked once. What has to be
looked at record by record is looked at from the newest on, a moment's worth at a time. No statement is left open
between two parts: a trail may be left anywhere, in any thread.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from typing import Final

from pod_desktop.store.port import Ask, Piece, Place, Stretch
from pod_desktop.store.segment import Segment

_AT_ONCE: Final = 1 << 16
"""Records whose columns are looked at for one part."""
_PART_SECONDS: Final = 0.01
_FEWEST: Final = 64
_MOST: Final = 4_096


def trail(segment: Segment, ask: Ask, piece: Piece) -> Iterator[Stretch]:
    """The parts of what matches in a segment, as of store.port.Reader.pieces.

    Raises:
        Unwanted: the question's `wanted` said no.
    """
    conditions = segment.answer(partial(Segment.conditions, ask=ask, most=piece.high, plain=True))
    if conditions.exact:
        yield from _by_columns(segment, ask, piece, whole=conditions.indexed)
    elif conditions.indexed:
        yield from _by_index(segment, ask, piece)
    else:
        yield from _by_time(segment, ask, piece)


def _by_columns(segment: Segment, ask: Ask, piece: Piece, *, whole: bool) -> Iterator[Stretch]:
    high = piece.high
    while high >= piece.low:
        above = piece.low - 1 if whole else max(piece.low - 1, high - _AT_ONCE)
        # What begins with the segment is asked for without a lower end, which would only mislead the engine.
        keys = segment.answer(
            partial(Segment.keys, ask=ask, most=high, above=above if above >= piece.low else None)
        )
        high = above
        yield Stretch(keys, piece.newest if high >= piece.low else piece.oldest - 1)


def _by_index(segment: Segment, ask: Ask, piece: Piece) -> Iterator[Stretch]:
    rows = segment.answer(partial(Segment.undecided, ask=ask, most=piece.high))
    rows.sort(key=lambda row: (row[1], row[0]), reverse=True)
    size, at = _FEWEST, 0
    while at < len(rows):
        part = rows[at : at + size]
        at += size
        begun = time.monotonic()
        keys = segment.matching(ask, part)
        size = _adapted(size, time.monotonic() - begun)
        yield Stretch(keys, part[-1][1])
    yield Stretch([], piece.oldest - 1)


def _by_time(segment: Segment, ask: Ask, piece: Piece) -> Iterator[Stretch]:
    size, after = _FEWEST, None
    while True:
        begun = time.monotonic()
        rows = segment.answer(
            partial(Segment.undecided_next, ask=ask, most=piece.high, after=after, limit=size)
        )
        if not rows:
            break
        keys = segment.matching(ask, rows)
        after = Place(rows[-1][1], rows[-1][0])
        size = _adapted(size, time.monotonic() - begun)
        yield Stretch(keys, after.time)
    yield Stretch([], piece.oldest - 1)


def _adapted(size: int, seconds: float) -> int:
    """The size of the next part, after one that took so long."""
    if seconds < _PART_SECONDS / 2:
        return min(size * 2, _MOST)
    return max(size // 2, _FEWEST) if seconds > _PART_SECONDS else size
