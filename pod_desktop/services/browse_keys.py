"""Keys of rows, newest first, 16 bytes each."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Final

from pod_desktop.store import Place

_FEW_RUNS: Final = 64


class Keys:
    """A sorted list of places that grows anywhere."""

    def __init__(self) -> None:
        self._times = array("q")
        self._seqs = array("q")

    def __len__(self) -> int:
        return len(self._times)

    def seqs(self, first: int, count: int) -> list[int]:
        """Seqs by position."""
        return list(self._seqs[max(0, first) : max(0, first + count)])

    def _position(self, place: Place, low: int = 0) -> int:
        """How many keys are newer."""
        high = len(self._times)
        while low < high:
            middle = (low + high) // 2
            if (self._times[middle], self._seqs[middle]) > place:
                low = middle + 1
            else:
                high = middle
        return low

    def find(self, place: Place) -> int | None:
        at = self._position(place)
        return at if at < len(self) and self._seqs[at] == place.seq else None

    def insert(self, places: Sequence[Place]) -> list[int]:
        """Take in keys, newest first; returns their final positions, ascending."""
        old: list[int] = []
        at = 0
        for place in places:
            at = self._position(place, at)
            old.append(at)
        if not places:
            return []
        runs = _by_position(old)
        if len(runs) <= _FEW_RUNS:
            for begin, end in reversed(runs):
                self._put(old[begin], places[begin:end])
        else:
            self._merge(old, places)
        return [position + more for more, position in enumerate(old)]

    def _put(self, at: int, places: Sequence[Place]) -> None:
        self._times[at:at] = array("q", [place.time for place in places])
        self._seqs[at:at] = array("q", [place.seq for place in places])

    def _merge(self, old: Sequence[int], places: Sequence[Place]) -> None:
        times, seqs = array("q"), array("q")
        done = 0
        for at, place in zip(old, places, strict=True):
            times += self._times[done:at]
            seqs += self._seqs[done:at]
            done = at
            times.append(place.time)
            seqs.append(place.seq)
        self._times = times + self._times[done:]
        self._seqs = seqs + self._seqs[done:]


def _by_position(positions: Sequence[int]) -> list[tuple[int, int]]:
    """Stretches (begin, end) of equal positions."""
    runs: list[tuple[int, int]] = []
    for index, position in enumerate(positions):
        if runs and positions[runs[-1][0]] == position:
            runs[-1] = runs[-1][0], index + 1
        else:
            runs.append((index, index + 1))
    return runs
