"""Which connectors need somebody's eye: stopped by a fault, waiting for long, or far behind. Pure: told states, gives words.

A stall is told once, when it begins, and again only after it was over. Words hold no record content and nothing
that a service outside has sent, for desktops show them on locked screens.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from pod_desktop.core import connector as rules
from pod_desktop.core import status
from pod_desktop.core.clock import MINUTE
from pod_desktop.core.status import StreamStatus

WAITS: Final = MINUTE
"""Waiting for longer than this is told."""
LAG_SECONDS: Final = 300.0
"""Records that are stored later than this after their time are told of, in live."""
_OVER_SECONDS: Final = 240.0
"""A lag that was told of is over below this: one that goes up and down about the bound is told once."""

STOPPED: Final = "stopped"
WAITING: Final = "waiting"
LAGGING: Final = "lagging"


class Stall(NamedTuple):
    """One stream that does not keep up."""

    connector: str
    kind: str
    why: str
    """STOPPED, WAITING or LAGGING."""

    @property
    def words(self) -> str:
        """One sentence without record content."""
        what = {
            STOPPED: "has stopped and needs attention",
            WAITING: "has been waiting for more than a minute",
            LAGGING: "lags by more than five minutes",
        }[self.why]
        title = rules.CONTENT_TYPE_TITLES.get(self.kind)
        return f"{self.connector}{f' ({title})' if title else ''} {what}."


class Watch:
    """Compares states as they come."""

    def __init__(self) -> None:
        self.stalls: dict[tuple[str, str], Stall] = {}
        """What stalls now, by connector and content type."""

    def look(self, streams: Iterable[StreamStatus], now: int, enabled: Iterable[str]) -> list[Stall]:
        """What has begun to stall since the last look; `now` in microseconds UTC.

        Args:
            enabled: names of connectors that are meant to work; states of others are of the past.
        """
        wanted = {name.casefold() for name in enabled}
        before, self.stalls = self.stalls, {}
        for stream in streams:
            key = (stream.connector, stream.kind)
            if stream.connector.casefold() in wanted and (why := _why(stream, now, before.get(key))):
                self.stalls[key] = Stall(*key, why)
        return [stall for key, stall in self.stalls.items() if before.get(key) != stall]


def _why(stream: StreamStatus, now: int, before: Stall | None) -> str:
    """Why it stalls; '' while it does not."""
    if stream.state == status.STOPPED_FAULT:
        return STOPPED
    if stream.state == status.WAITING and now - stream.since > WAITS:
        return WAITING
    if stream.state in (status.CONNECTING, status.STARTING) and before is not None:
        return before.why  # a try is under way; how it ends is not known
    bound = _OVER_SECONDS if before is not None and before.why == LAGGING else LAG_SECONDS
    if stream.state == status.LIVE and stream.lag_s is not None and stream.lag_s > bound:
        return LAGGING
    return ""
