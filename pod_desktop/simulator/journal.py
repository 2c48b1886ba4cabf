"""The live buffer of one content type: the frames of the last hour, in the order they were handed out."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from pod_desktop.core.clock import SECOND
from pod_desktop.core.limits import LIVE_BUFFER_SECONDS, MIB
from pod_desktop.simulator.item import Item

MOST_BYTES = 256 * MIB


class Entry(NamedTuple):
    at: int
    """Microseconds UTC of the release; unique and ascending in its journal."""
    item: Item


class Journal:
    """Append, and read on from a moment."""

    def __init__(self, seconds: float = LIVE_BUFFER_SECONDS) -> None:
        self._keep = int(seconds * SECOND)
        self._entries: deque[Entry] = deque()
        self._bytes = 0
        self._last = 0
        self.listeners: set[Callable[[], None]] = set()
        """Called after each append."""

    def append(self, item: Item, now: int) -> None:
        self._last = max(self._last + 1, item.release)
        self._entries.append(Entry(self._last, item))
        self._bytes += len(item.frame)
        self.forget(now)
        for listener in tuple(self.listeners):
            listener()

    def forget(self, now: int) -> None:
        """Drop what is older than the buffer keeps."""
        while self._entries and (self._entries[0].at < now - self._keep or self._bytes > MOST_BYTES):
            self._bytes -= len(self._entries.popleft().item.frame)

    def after(self, at: int, most: int = 200) -> list[Entry]:
        """The next entries later than this moment, oldest first."""
        entries = self._entries
        if not entries or entries[-1].at <= at:
            return []
        # Readers are near the end nearly always: look from there, as a deque is slow in its middle.
        back = 0
        for entry in reversed(entries):
            if entry.at <= at:
                break
            back += 1
            if back > 1000:
                begin = bisect_right(entries, at, key=lambda entry: entry.at)
                return [entries[place] for place in range(begin, min(begin + most, len(entries)))]
        first = len(entries) - back
        return [entries[place] for place in range(first, min(first + most, len(entries)))]

    @property
    def last(self) -> int:
        """Moment of the newest entry."""
        return self._last
