"""A window of rows in memory: pages counted from the oldest record, so that new records move none of them."""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import Final

from pod_desktop.core.record import EventRow

PAGE_ROWS: Final = 256
KEPT_PAGES: Final = 64


class Pages:
    """Rows by their place from the oldest (0 = oldest); pages that were not used for long fall out."""

    def __init__(self) -> None:
        self._pages: OrderedDict[int, list[EventRow | None]] = OrderedDict()

    def clear(self) -> None:
        """Forget all rows."""
        self._pages.clear()

    def __len__(self) -> int:
        return len(self._pages)

    def get(self, place: int) -> EventRow | None:
        """The row at a place, if it is here; its page counts as used."""
        page = self._pages.get(place // PAGE_ROWS)
        if page is None:
            return None
        self._pages.move_to_end(place // PAGE_ROWS)
        return page[place % PAGE_ROWS]

    def put(self, place: int, rows: Sequence[EventRow | None]) -> None:
        """Rows from a place on, oldest first."""
        done = 0
        while done < len(rows):
            number, slot = divmod(place + done, PAGE_ROWS)
            part = rows[done : done + PAGE_ROWS - slot]
            page = self._pages.get(number)
            if page is None:
                page = self._pages[number] = [None] * PAGE_ROWS
            page[slot : slot + len(part)] = part
            self._pages.move_to_end(number)
            done += len(part)
        while len(self._pages) > KEPT_PAGES:
            self._pages.popitem(last=False)

    def shift(self, before: int, inserted: Sequence[tuple[int, int]]) -> None:
        """Records came in between: move what lies above them.

        `before` is the total before, `inserted` (row, count) counted from the newest, final positions,
        ascending. What came in at the very top moves nothing.
        """
        counts = list(accumulate((count for _row, count in inserted), initial=0))
        added = counts[-1]
        # An old row r (from the newest) lies below an insertion whose row, less what came before it, is <= r.
        edges = [row - earlier for (row, _count), earlier in zip(inserted, counts, strict=False)]
        if all(edge == 0 for edge in edges):
            return
        # By place from the oldest: a place moves up by what was inserted below it.
        old, self._pages = self._pages, OrderedDict()
        cuts = sorted({before - edge for edge in edges if 0 < edge < before})
        for number, page in old.items():
            start, end = number * PAGE_ROWS, (number + 1) * PAGE_ROWS
            bounds = [start, *(cut for cut in cuts if start < cut < end), end]
            for low, high in pairwise(bounds):
                rows = page[low - start : high - start]
                if any(row is not None for row in rows):
                    below = added - counts[bisect_right(edges, before - 1 - low)]
                    self._merge(low + below, rows)
        while len(self._pages) > KEPT_PAGES:
            self._pages.popitem(last=False)

    def _merge(self, place: int, rows: Sequence[EventRow | None]) -> None:
        """As put(), but without falling out, and blanks overwrite nothing."""
        done = 0
        while done < len(rows):
            number, slot = divmod(place + done, PAGE_ROWS)
            part = rows[done : done + PAGE_ROWS - slot]
            page = self._pages.setdefault(number, [None] * PAGE_ROWS)
            for offset, row in enumerate(part):
                if row is not None:
                    page[slot + offset] = row
            done += len(part)
