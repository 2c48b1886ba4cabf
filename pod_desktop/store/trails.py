"""All keys that match in one segment, part by part, and how far back each part reaches.

An index gives what it finds at one price, however short the time asked for: so it is asked for all of it, but
for a first page where there is much. What has to be looked at record by record is looked at from the newest on,
a moment's worth at a time. No statement is left open between two parts: a trail may be left anywhere, in any
thread.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Final

from pod_desktop.store import tops
from pod_desktop.store.port import Ask, Piece, Place, Stretch
from pod_desktop.store.segment import FEW, Segment

_AT_ONCE: Final = 1 << 16
"""Records of which an index is asked for the matching ones, where these are many."""
_NEWEST: Final = 128
"""Keys that come first where there are many: a page and a little more."""
_PART_SECONDS: Final = 0.01
_FEWEST: Final = 64
_MOST: Final = 4_096
_FEWEST_BY_COLUMNS: Final = 2_048
_MOST_BY_COLUMNS: Final = 1 << 16


def trail(segment: Segment, ask: Ask, piece: Piece) -> Iterator[Stretch]:
    """The parts of what matches in a segment, as of store.port.Reader.pieces.

    Raises:
        Unwanted: the question's `wanted` said no.
    """
    conditions = segment.answer(partial(Segment.conditions, ask=ask, most=piece.high, plain=True))
    if not conditions.exact:
        yield from (_listed if conditions.indexed else _by_time)(segment, ask, piece)
    elif not conditions.indexed:
        yield from _by_columns(segment, ask, piece)
    elif (tops.count(segment, ask) or 0) > FEW:
        yield from _by_dense_index(segment, ask, piece)
    elif (few := segment.answer(partial(Segment.few_keys, ask=ask, most=piece.high))) is not None:
        yield Stretch(few, piece.oldest - 1)
    else:
        yield from _by_dense_index(segment, ask, piece)


def _by_dense_index(segment: Segment, ask: Ask, piece: Piece) -> Iterator[Stretch]:
    """First the newest, in order; then all others."""
    page = segment.answer(partial(Segment.newest_keys, ask=ask, most=piece.high, limit=_NEWEST))
    last = page[-1] if len(page) == _NEWEST else None
    yield Stretch(page, piece.oldest - 1 if last is None else last.time)
    high = piece.low - 1 if last is None else piece.high
    while last is not None and high >= piece.low:
        above = max(piece.low - 1, high - _AT_ONCE)
        keys = segment.answer(partial(Segment.keys, ask=ask, most=high, above=above))
        high = above
        older = [key for key in keys if key < last]
        yield Stretch(older, last.time if high >= piece.low else piece.oldest - 1)


def _by_columns(segment: Segment, ask: Ask, piece: Piece) -> Iterator[Stretch]:
    """So many records at a time, by their times."""
    oldest = piece.oldest if ask.since is None else max(piece.oldest, ask.since)
    newest = piece.newest if ask.until is None else min(piece.newest, ask.until - 1)
    size = _FEWEST_BY_COLUMNS
    while newest >= oldest:
        begun = time.monotonic()
        since = segment.answer(partial(Segment.time_of, newest=newest, records=size))
        if since is None:
            break
        since = max(oldest, since)
        within = replace(ask, since=since, until=newest + 1)
        keys = segment.answer(partial(Segment.keys, ask=within, most=piece.high))
        newest = since - 1
        seconds = time.monotonic() - begun
        size = _adapted(size, seconds, _FEWEST_BY_COLUMNS, _MOST_BY_COLUMNS)
        yield Stretch(keys, newest)
    yield Stretch([], piece.oldest - 1)


def _listed(segment: Segment, ask: Ask, piece: Piece) -> Iterator[Stretch]:
    rows = segment.answer(partial(Segment.undecided, ask=ask, most=piece.high))
    rows.sort(key=lambda row: (row[1], row[0]), reverse=True)
    size, at = _FEWEST, 0
    while at < len(rows):
        part = rows[at : at + size]
        at += size
        begun = time.monotonic()
        keys = segment.matching(ask, part)
        size = _adapted(size, time.monotonic() - begun, _FEWEST, _MOST)
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
        size = _adapted(size, time.monotonic() - begun, _FEWEST, _MOST)
        yield Stretch(keys, after.time)
    yield Stretch([], piece.oldest - 1)


def _adapted(size: int, seconds: float, fewest: int, most: int) -> int:
    """The size of the next part, after one that took so long."""
    if seconds < _PART_SECONDS / 2:
        return min(size * 2, most)
    return max(size // 2, fewest) if seconds > _PART_SECONDS else size
