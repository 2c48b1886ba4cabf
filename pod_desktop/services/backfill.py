"""Which hours a stream has, and which it must still fetch from the archive. Pure: values in, values out.

An hour is done when the archive gave it after it ended, or when one unbroken live session covered it (but
not where every hour is to be compared with the archive). The
hours in which a live session began, or broke, are fetched from the archive once they are over: what was
on its way when a socket died is lost to the live stream, and nobody promises what a new session replays.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from pod_desktop.core import limits
from pod_desktop.core.clock import MINUTE, SECOND
from pod_desktop.stream import first_in_reach, from_runs, hour_begin, hour_of, runs

SETTLE: Final = 3 * MINUTE
"""After its end an hour may not be complete in the archive at once (one collector waits two minutes)."""
BUFFER: Final = limits.LIVE_BUFFER_SECONDS * SECOND - 5 * MINUTE
"""A break of up to this is bridged by the service's live buffer, with room for clocks that differ."""
GRACE: Final = 2 * MINUTE
"""Where someone asked for no backfill: how long the first connection may take without the archive."""
NEAR: Final = 10 * MINUTE
"""Gaps so close are one: a record that is too large may be the first to come after each reconnect."""
INTERVALS: Final = 200
"""Stretches of live coverage that are remembered; the oldest are forgotten, and so fetched again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """What a stream has of each hour since its start."""

    start: int
    """Microseconds UTC from which on records are wanted."""
    first: int
    """The hour that collecting begins with."""
    archived: frozenset[int] = frozenset()
    live: tuple[tuple[int, int], ...] = ()
    """Unbroken stretches of the live stream (microseconds UTC), ascending."""
    gaps: tuple[tuple[int, int], ...] = ()
    """Stretches that nobody can give any more."""
    postponed: Mapping[int, int] = field(default_factory=dict)
    """Hours that could not be fetched, and when they are due again. Not kept over a restart."""
    reconcile: bool = False
    """Fetch every finished hour from the archive, also those that a live session covered."""
    oldest_first: bool = False

    @classmethod
    def begin(
        cls,
        start: int,
        *,
        created: int,
        backfill: bool,
        reconcile: bool = False,
        oldest_first: bool = False,
    ) -> Coverage:
        """Nothing yet. Without backfill the first moments belong to the live stream that is on its way."""
        start = start if backfill else start + GRACE
        first = max(hour_of(start), first_in_reach(created))
        return cls(start=start, first=first, reconcile=reconcile, oldest_first=oldest_first)

    @classmethod
    def load(cls, values: Mapping[str, object], fresh: Coverage) -> Coverage:
        """What a stream's progress says; `fresh` where it says nothing or nonsense.

        A stream whose collect-from was moved back by its user fetches the hours before.
        """
        first = values.get("first")
        if not isinstance(first, int):
            return fresh
        return replace(
            fresh,
            first=first if values.get("start") == fresh.start else fresh.first,
            archived=frozenset(from_runs(values.get("archived"))),
            live=_stretches(values.get("live")),
            gaps=_stretches(values.get("gaps")),
        )

    def values(self) -> dict[str, object]:
        """Small JSON values for the stream's progress; load() reads them back."""
        return {
            "start": self.start,
            "first": self.first,
            "archived": runs(self.archived),
            "live": [list(stretch) for stretch in self.live],
            "gaps": [list(stretch) for stretch in self.gaps],
        }

    @property
    def begun(self) -> int:
        """From when on records are wanted: where live came before the start, what it gave is wanted whole too."""
        return min(self.start, self.live[0][0]) if self.live else self.start

    @property
    def first_hour(self) -> int:
        """The hour of the first record that is wanted."""
        return min(self.first, hour_of(self.begun)) if self.begun < self.start else self.first

    def has(self, hour: int) -> bool:
        """Is the hour done, so far as it has come?"""
        return hour in self.archived or (not self.reconcile and self.held(hour))

    def held(self, hour: int) -> bool:
        """Is the hour here, from the archive or by one unbroken live session?"""
        begin, end = max(hour_begin(hour), self.begun), hour_begin(hour + 1)
        return hour in self.archived or any(since <= begin and until >= end for since, until in self.live)

    def missing(self, now: int) -> list[int]:
        """Hours that are over and still to be fetched, in the order chosen; without postponed ones."""
        last = hour_of(now - SETTLE) - 1
        first = max(self.first_hour, first_in_reach(now))
        wanted = range(first, last + 1) if self.oldest_first else range(last, first - 1, -1)
        return [hour for hour in wanted if not self.has(hour) and self.postponed.get(hour, 0) <= now]

    def unfinished(self, now: int, *, unbroken: bool) -> tuple[int, int] | None:
        """The stretch up to now that no settled hour holds, unless one unbroken live session does."""
        begin = hour_begin(max(hour_of(now - SETTLE), self.first_hour))
        wanted = max(begin, self.begun)
        if wanted >= now or (unbroken and self.bridged(now) and self.live[-1][0] <= wanted):
            return None
        return begin, now

    def bridged(self, now: int) -> bool:
        """Is the last moment of live coverage so near that the service's buffer fills the break?"""
        return bool(self.live) and 0 <= now - self.live[-1][1] <= BUFFER

    def total(self, now: int) -> int:
        """Hours from the first in reach to the last that is over."""
        return max(0, hour_of(now - SETTLE) - max(self.first_hour, first_in_reach(now)))

    def settled(self, hour: int, now: int, behind: float) -> bool:
        """Had the hour ended long enough by the server's clock, so many seconds behind ours, too?"""
        return hour_begin(hour + 1) + SETTLE <= now - int(behind * SECOND)

    def fetched(self, hour: int) -> Coverage:
        """The archive gave this hour: what was missing of it is not any more."""
        left = {other: due for other, due in self.postponed.items() if other != hour}
        gaps = _without(self.gaps, hour_begin(hour), hour_begin(hour + 1))
        return replace(self, archived=self.archived | {hour}, postponed=left, gaps=gaps)

    def rewound(self, now: int) -> Coverage:
        """Without what lies after now: the clock was set back, and nothing of the future has been received."""
        later = [hour for hour in self.archived if hour_begin(hour) > now]
        if not later and not any(until > now for _, until in self.live) and self.first <= hour_of(now):
            return self
        return replace(
            self,
            first=min(self.first, hour_of(now)),
            archived=self.archived - set(later),
            live=tuple((since, min(until, now)) for since, until in self.live if since <= now),
            postponed={},
        )

    def postpone(self, hour: int, until: int) -> Coverage:
        """The hour could not be fetched; others go first."""
        return replace(self, postponed={**self.postponed, hour: until})

    def connected(self, now: int, *, unbroken: bool) -> Coverage:
        """A live session begins. Unbroken: the one before ended with a goodbye, and not long ago."""
        if unbroken and self.bridged(now):
            return self
        kept = [stretch for stretch in self.live if not self._superseded(stretch, now)]
        return replace(self, live=(*kept[-INTERVALS + 1 :], (now, now)))

    def _superseded(self, stretch: tuple[int, int], now: int) -> bool:
        """Has the archive given every hour that the stretch touches, or is it out of reach?"""
        hours = range(max(hour_of(stretch[0]), first_in_reach(now)), hour_of(stretch[1]) + 1)
        return all(hour in self.archived for hour in hours)

    def heard(self, until: int) -> Coverage:
        """All that the live session gave up to this moment is committed."""
        if not self.live or until <= self.live[-1][1]:
            return self
        since = self.live[-1][0]
        return replace(self, live=(*self.live[:-1], (since, until)))

    def lost(self, begin: int, end: int) -> Coverage:
        """A stretch that holds a record nobody can give; one with the gap before it if they are close."""
        gaps, end = self.gaps, max(end, begin + SECOND)
        if gaps and gaps[-1][0] <= begin <= gaps[-1][1] + NEAR:
            begin, end, gaps = gaps[-1][0], max(end, gaps[-1][1]), gaps[:-1]
        return replace(self, gaps=(*gaps, (begin, end))[-INTERVALS:])

    def out_of_reach(self, now: int) -> Coverage:
        """Name as a gap what the archive no longer reaches and nobody fetched."""
        oldest = first_in_reach(now)
        if oldest <= self.first:
            return self
        gone = [hour for hour in range(max(self.first, oldest - 24 * 366), oldest) if not self.held(hour)]
        gaps = list(self.gaps)
        for first, last in runs(gone):
            gaps.append((hour_begin(first), hour_begin(last + 1)))
        # From here on those hours are settled: they are not asked for again and not named twice.
        return replace(
            self,
            first=oldest,
            gaps=tuple(gaps[-INTERVALS:]),
            archived=frozenset(h for h in self.archived if h >= oldest),
        )


def _without(stretches: tuple[tuple[int, int], ...], begin: int, end: int) -> tuple[tuple[int, int], ...]:
    """Stretches less what lies from begin to end."""
    found: list[tuple[int, int]] = []
    for since, until in stretches:
        parts = ((since, min(until, begin)), (max(since, end), until))
        found += [part for part in parts if part[0] < part[1]]
    return tuple(found)


def _stretches(stored: object) -> tuple[tuple[int, int], ...]:
    found: list[tuple[int, int]] = []
    if isinstance(stored, list | tuple):
        for stretch in stored:
            match stretch:
                case [int(begin), int(end)] if begin <= end:
                    found.append((begin, end))
                case _:
                    continue
    return tuple(found[-INTERVALS:])
