"""Counts of records by minute, and which row of a list, newest first, falls into which minute."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from itertools import accumulate
from typing import Final

_DAY: Final = 24 * 60


class Minutes:
    """Grows; summed by day, so that a long store costs no more to move than a short one."""

    def __init__(self) -> None:
        self._days: dict[int, dict[int, int]] = {}
        self._totals: dict[int, int] = {}
        self._order: list[int] = []
        self._ends: list[int] = []
        self._orders: dict[int, tuple[list[int], list[int]]] = {}

    @property
    def total(self) -> int:
        return self._ends[-1] if self._ends else 0

    def add(self, counts: Mapping[int, int]) -> None:
        """Take in more records, by minute."""
        for minute, count in counts.items():
            if count:
                number = minute // _DAY
                day = self._days.setdefault(number, {})
                day[minute] = day.get(minute, 0) + count
                self._totals[number] = self._totals.get(number, 0) + count
                self._orders.pop(number, None)
        self._order = sorted(self._totals, reverse=True)
        self._ends = list(accumulate(map(self._totals.__getitem__, self._order)))

    def _day(self, day: int) -> tuple[list[int], list[int]]:
        """Its minutes, newest first, and how many records there are up to the end of each."""
        found = self._orders.get(day)
        if found is None:
            order = sorted(self._days[day], reverse=True)
            found = self._orders[day] = order, list(accumulate(map(self._days[day].__getitem__, order)))
        return found

    def at(self, row: int) -> tuple[int, int]:
        """(minute, place in it) of a row.

        Raises:
            IndexError: there are not so many rows.
        """
        place = bisect_right(self._ends, row)
        day = self._order[place]
        row -= self._ends[place - 1] if place else 0
        order, ends = self._day(day)
        place = bisect_right(ends, row)
        return order[place], row - (ends[place - 1] if place else 0)

    def newer(self, minute: int) -> int:
        """How many records are in later minutes."""
        day = minute // _DAY
        place = bisect_right(self._order, -day, key=lambda one: -one)
        later = place - (1 if day in self._days else 0)
        total = self._ends[later - 1] if later else 0
        if day in self._days:
            order, ends = self._day(day)
            place = bisect_right(order, -minute, key=lambda one: -one)
            later = place - (1 if minute in self._days[day] else 0)
            total += ends[later - 1] if later else 0
        return total
