"""What a service does about actions by itself: put right what died, check what is unknown, remove what is due.

What came due while no service ran is removed at its start. A service that cannot be reached is asked again
later and later, up to every hour.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable
from typing import Final

from pod_desktop.core.action import FAILED, SUCCEEDED, UNDONE, UNKNOWN, Action
from pod_desktop.core.clock import DAY, Clock, parse_iso, parse_span
from pod_desktop.core.faults import Fault, UserFault
from pod_desktop.services.respond import Responding
from pod_desktop.store import Journal

CHOICES: Final = (1, 7, 30, 90)
"""Days that are offered for Remove after."""
LOOK_SECONDS: Final = 1.0
"""How often the journal is looked at: cheap, one pragma and a clock."""
FIRST_WAIT_SECONDS: Final = 60.0
LONGEST_WAIT_SECONDS: Final = 3_600.0
MOST_DAYS: Final = 3_650
_log: Final = logging.getLogger(__name__)


def parse_expiry(text: str, now: int) -> int:
    """When an entry is to be removed: `30d`, `12h`, a date or time (ISO 8601, UTC without an offset), `never`.

    Returns:
        Microseconds UTC; 0 = never.

    Raises:
        UserFault: none of these, or over already.
    """
    text = text.strip()
    hint = "Write for example 30d, 12h, 2026-12-31 or never."
    if text.casefold() in ("never", ""):
        return 0
    try:
        # A bare date holds until its end: it is the last day on the list.
        bare_date = re.fullmatch(r"\d{4}-\d{2}-\d{2}", text)
        when = now + parse_span(text) if text[-1:].isalpha() and "T" not in text.upper() else parse_iso(text)
        when += DAY if bare_date else 0
    except (ValueError, OverflowError):
        raise UserFault(f"{text[:40]!r} is no time to remove something.", "expires", hint) from None
    if when <= now:
        raise UserFault(f"{text[:40]!r} is over already.", "expires", "Choose a time to come.")
    if when > now + MOST_DAYS * DAY:
        raise UserFault(
            f"{text[:40]!r} is too far away.", "expires", "Ten years are the most; or write never."
        )
    return when


class Expiry:
    """Looks after the journal until it is stopped. Builds `responding` when there is first something to do."""

    def __init__(self, journal: Journal, responding: Callable[[], Responding], clock: Clock) -> None:
        self._journal = journal
        self._make = responding
        self._clock = clock
        self._responding: Responding | None = None
        self._waits: dict[str, tuple[float, float]] = {}
        """Action id -> (not before, by the monotonic clock; seconds waited last)."""

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set; a journal that fails for a while stops nothing."""
        try:
            while True:
                try:
                    await self.step()
                except Fault as fault:
                    _log.warning("actions: %s", fault)
                if await _stopped(stop, LOOK_SECONDS):
                    return
        finally:
            if self._responding is not None:
                await self._responding.close()

    async def step(self) -> list[Action]:
        """Everything that can be done now."""
        ended: list[Action] = []
        if self._journal.open_actions() and (unknown := self._unknown()):
            ended += await self._then_wait(unknown, await self._at_work().recover())
        if due := [action for action in self._journal.due(self._clock.now()) if self._may(action)]:
            ended += await self._expire(due)
        return ended

    def _unknown(self) -> list[Action]:
        """What may have been sent and is nobody's business any more."""
        self._at_work().find_lost()
        return [action for action in self._journal.actions(statuses=(UNKNOWN,)) if self._may(action)]

    async def _expire(self, due: list[Action]) -> list[Action]:
        ended = await self._at_work().expire(due)
        for action in due:
            now = self._journal.action(action.id)
            self._wait_for(now, again=now.status == SUCCEEDED and not now.undone_by)
        return ended

    async def _then_wait(self, asked: list[Action], ended: list[Action]) -> list[Action]:
        for action in asked:
            self._wait_for(action, again=self._journal.action(action.id).status == UNKNOWN)
        return [action for action in ended if action.status in (SUCCEEDED, FAILED, UNDONE)]

    def _may(self, action: Action) -> bool:
        return self._clock.monotonic() >= self._waits.get(action.id, (0.0, 0.0))[0]

    def _wait_for(self, action: Action, *, again: bool) -> None:
        if not again:
            self._waits.pop(action.id, None)
            return
        last = self._waits.get(action.id, (0.0, 0.0))[1]
        seconds = min(last * 2, LONGEST_WAIT_SECONDS) if last else FIRST_WAIT_SECONDS
        self._waits[action.id] = (self._clock.monotonic() + seconds, seconds)

    def _at_work(self) -> Responding:
        if self._responding is None:
            self._responding = self._make()
        return self._responding


async def run(
    stop: asyncio.Event, journal: Journal, responding: Callable[[], Responding], clock: Clock
) -> None:
    """Expiry(...).run(stop): what the collector service runs beside collecting."""
    await Expiry(journal, responding, clock).run(stop)


async def _stopped(stop: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return False
    return True
