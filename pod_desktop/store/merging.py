"""Rows of several segments made one list in order."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from pod_desktop.core.record import EventRow
from pod_desktop.store.port import Ask, Order, Place

_Found = TypeVar("_Found")


def merged(
    segments: Sequence[tuple[int, int, int]], rows_of: Callable[[int], Iterator[EventRow]], order: Order
) -> Iterator[EventRow]:
    """Rows of all segments in order of time, then seq; a segment is opened only when its turn has come.

    Args:
        segments: (segment, lowest time, highest time).
        rows_of: the rows of a segment, in that order.
    """
    sign = -1 if order == "newest" else 1
    # The end of the list is next: the segment with the newest (oldest) record.
    waiting = sorted(segments, key=lambda one: -one[1] if order == "oldest" else one[2])
    heap: list[tuple[int, int, EventRow, Iterator[EventRow]]] = []
    try:
        while heap or waiting:
            while waiting and (not heap or _may_precede(waiting[-1], heap[0][0], sign)):
                _advance(heap, rows_of(waiting.pop()[0]), sign)
            if heap:
                _, _, row, rows = heapq.heappop(heap)
                yield row
                _advance(heap, rows, sign)
    finally:
        for *_, rows in heap:
            rows.close()  # type: ignore[attr-defined]


def _may_precede(segment: tuple[int, int, int], time: int, sign: int) -> bool:
    _, lo, hi = segment
    return (lo if sign > 0 else -hi) <= time


def _advance(heap: list[Any], rows: Iterator[EventRow], sign: int) -> None:
    row = next(rows, None)
    if row is not None:
        heapq.heappush(heap, (sign * row.time, sign * row.seq, row, rows))


def undisturbed(work: Callable[[], _Found], went: Callable[[], int]) -> _Found:
    """What `work` finds while no segment goes: what is kept of one is in another that it did not look into.

    Args:
        went: how many segments were found to have gone.
    """
    while True:
        known = went()
        found = work()
        if went() == known:
            return found


def all_behind(
    after: Place | None, rows_behind: Callable[[Place | None], Iterator[EventRow]], went: Callable[[], int]
) -> Iterator[EventRow]:
    """The rows behind a place; where a segment goes meanwhile, gone on with behind the last row as it is now."""
    while True:
        known = went()
        for row in rows_behind(after):
            if went() != known:
                break
            yield row
            after = Place(row.time, row.seq)
        if went() == known:
            return


def narrowed(ask: Ask, order: Order, after: Place | None) -> Ask:
    """The question cut to the times that pages behind `after` can have."""
    if after is None:
        return ask
    if order == "newest":
        until = after.time + 1 if ask.until is None else min(ask.until, after.time + 1)
        return replace(ask, until=until)
    since = after.time if ask.since is None else max(ask.since, after.time)
    return replace(ask, since=since)
