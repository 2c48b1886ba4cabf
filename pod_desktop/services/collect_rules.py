"""What a stream's task goes by: its times, when an hour of the archive is whole, and its words. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

from pod_desktop.core import limits
from pod_desktop.core.clock import HOUR, MINUTE, to_datetime
from pod_desktop.core.text import plural
from pod_desktop.services.backfill import Coverage
from pod_desktop.stream import Verdict, verdict

TRIES: Final = 3
"""How often an hour is fetched in a row that ends without a goodbye and gives nothing new."""
MOST_TRIES: Final = 12
"""The same where each try still gives records that were not here."""
FIRST_WAIT: Final = 10 * MINUTE
LONGEST_WAIT: Final = 6 * HOUR
"""Until an hour that could not be fetched is asked for again: the first time, and at most."""
WHOLE: Final = frozenset({"1000", "1005"})
"""Close codes at the end of a bounded request that say: this was all."""
GOODBYES: Final = frozenset({"1000", "1001", "1005", "1012"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Seconds; tests shorten them."""

    ping: float = limits.PING_SECONDS
    pong: float = limits.PONG_SECONDS
    connect: float = limits.CONNECT_SECONDS
    archive_idle: float = 120.0
    """An archive request that gives nothing for so long has ended."""
    mark: float = 60.0
    """A quiet live stream notes this often that nothing was missed."""
    check: float = 30.0
    """How often a live stream looks whether an hour is due from the archive."""
    again: float = 1800.0
    """The hour under way is fetched once more before going live when that was longer ago."""
    visit: float = 20.0
    """While catching up, the live stream is visited when it was left so long ago: what is live shows soon."""
    longest_visit: float = 600.0
    """Where the service refuses a change of sessions with 409, visits are made as rarely as this in the end."""
    quiet: float = 2.0
    """A live stream that gave nothing for so long has told what it had."""
    backoff: float = 1.0
    """Factor on all waits."""


class Fetched(NamedTuple):
    """What an archive request gave."""

    received: int
    kept: int
    """Of these, not dropped by log filters."""
    new: int
    """Of these, not stored before."""
    end: Verdict | None
    clean: bool
    cut: bool
    behind: float = 0.0
    """Seconds that the server's clock is behind ours."""


@dataclass(slots=True)
class Broken:
    """What has become of an hour that the archive broke off, for as long as the service runs.

    The archive gives whole hours only (a begin inside an hour is rounded down) and promises no order, so each try
    begins the hour anew. What came is kept, and what comes again is known.
    """

    counts: list[int] = field(default_factory=list)
    """Records of each try in a row."""
    fruitless: int = 0
    """Tries since the last one that gave something new."""
    rounds: int = 0
    """How often it was put off."""

    def note(self, got: Fetched) -> None:
        self.counts.append(got.received)
        self.fruitless = 0 if got.new else self.fruitless + 1

    @property
    def spent(self) -> bool:
        """Is it time to let other hours go first?"""
        return self.fruitless >= TRIES or len(self.counts) >= MOST_TRIES

    def put_off(self) -> int:
        """Begin another row of tries; microseconds until it is due."""
        wait = min(FIRST_WAIT << min(self.rounds, 8), LONGEST_WAIT)
        self.rounds += 1
        self.fruitless = 0
        self.counts.clear()
        return wait


def broke_off(begin: int, got: Fetched) -> Verdict:
    """An hour of the archive ended early: why, with what came of it."""
    end = got.end or verdict.of("silent")
    return replace(
        end,
        what=f"The archive broke off in {named(begin)} after {plural(got.received, 'record')}. {end.what}",
        hint="What came is kept. The archive gives whole hours only, so this one is asked for from its beginning; "
        "what is here already is not stored twice.",
    )


def unfinished(begin: int, tries: int, wait: int) -> Verdict:
    """An hour of the archive that is put off."""
    return verdict.told(
        "unfinished",
        f"The archive broke off {tries} times in a row in {named(begin)}.",
        f"What came is kept, and other hours go first; this one is asked for again in {wait // MINUTE} minutes. "
        "A connection that is cut again and again may go through a proxy or a weak link.",
    )


def agree(counts: list[int], got: Fetched) -> bool:
    """Is an hour whole that ended without a goodbye, as some servers end it?

    Two tries that give the same, or three that give nothing, and none of them cut off by the network.
    """
    if got.cut or (got.end is not None and got.end.code != "1006"):
        return False
    if counts[-1] == 0:
        return counts[-3:] == [0, 0, 0]
    return len(counts) > 1 and counts[-1] == counts[-2]


def reached(counts: list[int], got: Fetched) -> bool:
    """The same of the hour under way, of which every try may give some more."""
    return not got.cut and len(counts) > 1 and counts[-1] >= counts[-2]


def share_done(coverage: Coverage, now: int, missing: int) -> float:
    total = max(coverage.total(now), 1)
    return round(max(0.0, min(1.0, 1 - missing / total)), 4)


def seconds_left(began: float, now: float, fetched: int, missing: int) -> float | None:
    """About how long the rest takes, by how long so many hours took; None while nobody can say."""
    if not missing or fetched < 2 or now <= began:
        return None
    return round((now - began) / fetched * missing, 1)


def named(begin: int) -> str:
    """`the hour from 24 November 2026, 09:00 UTC`."""
    return f"the hour from {to_datetime(begin):%d %B %Y, %H:%M} UTC".replace("from 0", "from ")
