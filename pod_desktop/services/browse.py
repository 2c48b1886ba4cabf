"""What a table of events shows: the rows of one question, newest first, at exact positions.

A view sees the store up to its marks, and moves them in advance(); so between two calls its rows stand still
while records arrive, early or late. Without a query no keys are held: counts by minute say where a row
is. With one, the keys found so far are held, and step() looks further back, a moment at a time.
"""

from __future__ import annotations

import heapq
import time
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final, NamedTuple, Protocol

from pod_desktop.core.clock import MINUTE
from pod_desktop.core.record import EventRow
from pod_desktop.query import sql
from pod_desktop.query.tree import Everything
from pod_desktop.services.browse_keys import Keys
from pod_desktop.services.browse_minutes import Minutes
from pod_desktop.services.scanning import Scan, ScanningReader
from pod_desktop.store import Ask, Marks, Place, Reader, Stretch

FIRST_PAGE: Final = 100
OPEN_SECONDS: Final = 0.05
_FEW_SECONDS: Final = 0.015
"""Opening looks so long for more than the first few rows."""
_STEP_SECONDS: Final = 0.02
_SKIP: Final = 256
_MINUTES_KEPT: Final = 8
_MOST_INSERTED: Final = 100_000
"""More new rows than this at once, and the table rather begins again."""


class Advance(NamedTuple):
    """What became of a view since it was last asked."""

    total: int
    inserted: tuple[tuple[int, int], ...]
    """(row, count), final positions, ascending."""
    reset: bool
    """Rows may have changed anywhere: begin again."""
    more: bool
    """Older records are still to be looked through."""


class View(Protocol):
    """The rows of one question, newest first; used from one thread."""

    @property
    def total(self) -> int:
        """Rows as of the last advance()."""
        ...

    def advance(self) -> Advance:
        """Take in what was committed, and what step() found, since the last call."""
        ...

    def step(self) -> bool:
        """Look further back for about 20 ms; True while there is more to look through."""
        ...

    def rows(self, first: int, count: int) -> list[EventRow]:
        """Rows by position as of the last advance()."""
        ...

    def row_of(self, seq: int) -> int | None:
        """The position of a record, None where the view does not have it."""
        ...

    def cancel(self) -> None:
        """Look no further back; from any thread. What was found stays, and what arrives is still taken in."""
        ...

    @property
    def progress(self) -> float | None:
        """How much of a long scan is done, 0 to 1; None where nothing takes long."""
        ...

    @property
    def problems(self) -> Sequence[str]:
        """What the rows are without, in words: parts that are damaged or could not be looked through."""
        ...


class Browser:
    """Opens views on a store."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def open(self, ask: Ask) -> View:
        """A view; its first page is there, or some rows and 15 ms were spent, or 50 ms and there are none yet."""
        if isinstance(ask.tree, Everything):
            return _All(self._reader, ask)
        view = _Found(self._reader, ask)
        begun = time.monotonic()
        while view.found < FIRST_PAGE and view.step():
            if time.monotonic() - begun > (_FEW_SECONDS if view.found else OPEN_SECONDS):
                break
        return view


class _All:
    """Every record of a time, of some types and connectors: positions come from counts by minute."""

    def __init__(self, reader: Reader, ask: Ask) -> None:
        self._reader = reader
        self._ask = ask
        self._version = -1
        self._marks: Marks = {}
        self._minutes = Minutes()
        self._keys: OrderedDict[int, list[Place]] = OrderedDict()

    @property
    def total(self) -> int:
        return self._minutes.total

    def step(self) -> bool:
        return False

    def cancel(self) -> None:
        """There is nothing to look for."""

    @property
    def progress(self) -> float | None:
        return None

    @property
    def problems(self) -> Sequence[str]:
        return self._reader.problems()

    def advance(self) -> Advance:
        version = self._reader.version()
        if version == self._version:
            return Advance(self.total, (), False, False)
        self._version = version
        marks = self._reader.marks()
        if not self._marks.keys() <= marks.keys():
            return self._begin_again(marks)
        before, self._marks = self._marks, marks
        news = self._reader.minutes(self._ask, marks, before)
        if not news:
            return Advance(self.total, (), False, False)
        was_empty = not self.total
        self._minutes.add(news)
        for minute in news:
            self._keys.pop(minute, None)
        if was_empty:
            return Advance(self.total, ((0, self.total),), False, False)
        if sum(news.values()) > _MOST_INSERTED:
            return Advance(self.total, (), True, False)
        return Advance(self.total, tuple(_runs(self._places(before))), False, False)

    def _begin_again(self, marks: Marks) -> Advance:
        self._marks = marks
        self._keys.clear()
        self._minutes = Minutes()
        self._minutes.add(self._reader.minutes(self._ask, marks))
        return Advance(self.total, (), True, False)

    def _places(self, before: Marks) -> Iterator[int]:
        """Final positions of the records stored after `before`, ascending."""
        fresh: dict[int, list[Place]] = {}
        for place in self._reader.keys(self._ask, self._marks, before):
            fresh.setdefault(place.time // MINUTE, []).append(place)
        for minute, places in fresh.items():
            base = self._minutes.newer(minute)
            new = set(places)
            # Newest first, so the last is the oldest: what is older than that has not moved within the minute.
            listed = self._reader.keys(self._within(places[-1].time, (minute + 1) * MINUTE), self._marks)
            yield from (base + row for row, place in enumerate(listed) if place in new)

    def _within(self, since: int, until: int) -> Ask:
        return _cut(self._ask, since, until)

    def rows(self, first: int, count: int) -> list[EventRow]:
        count = min(count, self.total - first)
        if first < 0 or count <= 0:
            return []
        minute, skip = self._minutes.at(first)
        until = (minute + 1) * MINUTE
        after = None
        if skip > _SKIP:
            after, skip = self._listed(minute)[skip - 1], 0
        found = self._reader.search(
            _cut(self._ask, None, until), after=after, limit=skip + count, marks=self._marks
        )
        return list(found)[skip:]

    def _listed(self, minute: int) -> list[Place]:
        """All keys of a minute, newest first."""
        keys = self._keys.pop(minute, None)
        if keys is None:
            keys = self._reader.keys(self._within(minute * MINUTE, (minute + 1) * MINUTE), self._marks)
        self._keys[minute] = keys
        if len(self._keys) > _MINUTES_KEPT:
            self._keys.popitem(last=False)
        return keys

    def row_of(self, seq: int) -> int | None:
        listed = self._reader.rows([seq])
        if not listed:
            return None
        minute = listed[0].time // MINUTE
        keys = self._listed(minute)
        place = Place(listed[0].time, seq)
        row = bisect_left(keys, (-place.time, -seq), key=lambda one: (-one.time, -one.seq))
        return self._minutes.newer(minute) + row if keys[row : row + 1] == [place] else None


class _Found:
    """Records that match a query: their keys, collected newest first."""

    def __init__(self, reader: Reader, ask: Ask) -> None:
        self._reader = reader
        self._ask = ask
        self._begin()

    def _begin(self) -> None:
        self._version = self._reader.version()
        self._marks = self._reader.marks()
        self._keys = Keys()
        self._pending: list[Place] = []
        self._search = _Search(self._reader, self._ask, self._marks)

    @property
    def total(self) -> int:
        return len(self._keys)

    @property
    def found(self) -> int:
        """Rows including those that the next advance() will show."""
        return len(self._keys) + len(self._pending)

    def step(self) -> bool:
        self._pending += self._search.step()
        return self._search.more

    def cancel(self) -> None:
        self._search.cancel()

    @property
    def progress(self) -> float | None:
        return self._search.progress

    @property
    def problems(self) -> Sequence[str]:
        return self._reader.problems()

    def advance(self) -> Advance:
        version = self._reader.version()
        reset = False
        if version != self._version:
            reset = self._take_in(version)
        found, self._pending = self._pending, []
        found.sort(reverse=True)
        inserted = tuple(_runs(self._keys.insert(found)))
        return Advance(self.total, () if reset else inserted, reset, self._search.more)

    def _take_in(self, version: int) -> bool:
        """Look through what was committed; True where something is gone and all begins again."""
        marks = self._reader.marks()
        if not self._marks.keys() <= marks.keys():
            self._begin()
            self.step()
            return True
        self._pending += self._reader.keys(self._ask, marks, self._marks)
        self._version, self._marks = version, marks
        return False

    def rows(self, first: int, count: int) -> list[EventRow]:
        return self._reader.rows(self._keys.seqs(first, count))

    def row_of(self, seq: int) -> int | None:
        listed = self._reader.rows([seq])
        return self._keys.find(Place(listed[0].time, seq)) if listed else None


class _Search:
    """Goes back through time, always in the segment whose next records may be the newest.

    Where that takes long and raw records have to be opened, a scan by workers (services.scanning) goes on with it.
    """

    def __init__(self, reader: Reader, ask: Ask, marks: Marks) -> None:
        self._reader = reader
        self._ask = ask
        self._marks = marks
        self._asked = sql.compile_tree(ask.tree).exact  # no raw records are to be opened
        self._left = sorted(reader.pieces(ask, marks), key=lambda one: one.newest)
        """Not begun yet, the newest last."""
        self._total = sum(piece.records for piece in self._left)
        self._trails: list[tuple[int, int, Iterator[Stretch]]] = []
        """A heap of (how far back it has come, negative; segment, what is left)."""
        self._held: list[Place] = []
        """Found, and perhaps not the next."""
        self._spent = 0.0
        self._scan: Scan | None = None
        self._cancelled = False

    @property
    def more(self) -> bool:
        if self._scan is not None:
            return self._scan.more
        return bool(self._left or self._trails) and not self._cancelled

    @property
    def progress(self) -> float | None:
        """Of a scan; 0 to 1."""
        scan = self._scan
        return None if scan is None else 1 - (scan.total - scan.done) / max(1, scan.total, self._total)

    def cancel(self) -> None:
        """Look no further; from any thread."""
        self._cancelled = True
        if self._scan is not None:
            self._scan.cancel()

    def step(self) -> list[Place]:
        if self._spent > OPEN_SECONDS and not self._asked:
            self._hand_over()
        if self._scan is not None:
            return self._step_scan(self._scan)
        if not self.more:
            return []
        begun = time.monotonic()
        found: list[Place] = []
        while self.more and not found and time.monotonic() - begun < _STEP_SECONDS:
            self._follow()
            found = self._ripe()
        self._spent += time.monotonic() - begun
        return found

    def _follow(self) -> None:
        """One part of the segment that may have the next."""
        while self._left and (not self._trails or self._left[-1].newest >= -self._trails[0][0]):
            piece = self._left.pop()
            heapq.heappush(self._trails, (-piece.newest, piece.segment, self._reader.trail(self._ask, piece)))
        _, segment, parts = heapq.heappop(self._trails)
        part = next(parts, None)
        if part is not None:
            self._held += part.keys
            heapq.heappush(self._trails, (-part.left, segment, parts))

    def _edge(self) -> int | None:
        """Nothing newer than this can come any more."""
        edges = [piece.newest for piece in self._left[-1:]] + [-one[0] for one in self._trails[:1]]
        return max(edges, default=None)

    def _ripe(self) -> list[Place]:
        edge = self._edge()
        found = [key for key in self._held if edge is None or key.time > edge]
        if found:
            self._held = [key for key in self._held if edge is not None and key.time <= edge]
        return found

    def _hand_over(self) -> None:
        """Have workers go on, where this is a long scan."""
        self._asked = True
        edge = self._edge()
        if edge is not None and isinstance(self._reader, ScanningReader):
            self._scan = self._reader.scan(_cut(self._ask, None, edge + 1), self._marks)
            if self._scan is not None:
                self._trails.clear()
                self._held.clear()
                if self._cancelled:
                    self._scan.cancel()

    def _step_scan(self, scan: Scan) -> list[Place]:
        found = scan.step(_STEP_SECONDS)
        if not scan.more and isinstance(self._reader, ScanningReader):
            self._reader.end(scan)
        return found


def _cut(ask: Ask, since: int | None, until: int | None) -> Ask:
    """The question within a stretch of time."""
    if since is not None and ask.since is not None:
        since = max(since, ask.since)
    if until is not None and ask.until is not None:
        until = min(until, ask.until)
    return replace(
        ask,
        since=ask.since if since is None else since,
        until=ask.until if until is None else until,
    )


def _runs(rows: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Ascending positions as (first, count) of neighbours."""
    first, count = -1, 0
    for row in rows:
        if count and row == first + count:
            count += 1
        else:
            if count:
                yield first, count
            first, count = row, 1
    if count:
        yield first, count
