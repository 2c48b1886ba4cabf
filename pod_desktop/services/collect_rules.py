"""What a stream's task goes by: its times, when an hour of the archive is whole, and its words. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

from pod_desktop.core import limits
from pod_desktop.core.clock import to_datetime
from pod_desktop.services.backfill import Coverage
from pod_desktop.stream import Verdict

TRIES: Final = 3
"""How often an hour that ended without a goodbye is fetched in a row."""
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
    end: Verdict | None
    clean: bool
    cut: bool
    behind: float = 0.0
    """Seconds that the server's clock is behind ours."""


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
