"""How much a playbook may do: mute, limits and breaker, as one pure account that is asked before each action."""

from __future__ import annotations

from bisect import bisect_right
from typing import Final, NamedTuple

from pod_desktop.core.clock import DAY, MINUTE
from pod_desktop.core.playbook import Limits, write_span

ACT: Final = "act"
WOULD_ACT: Final = "would_act"
HELD: Final = "held"
MUTED: Final = "muted"
LIMITED: Final = "limited"
OUTCOMES: Final = (ACT, WOULD_ACT, HELD, LIMITED, MUTED)
"""Of one action of a firing; the outcome of a firing is the first of these that one of its actions has."""

BREAKER_FACTOR: Final = 3
BREAKER_DAYS: Final = 7
BREAKER_LEAST: Final = 10
"""A day with fewer actions than this trips nothing, however quiet the days before were."""
FAILURES: Final = 5
"""Actions that fail in a row before a playbook stops."""


class Verdict(NamedTuple):
    """What becomes of an action, and why in words."""

    outcome: str
    reason: str = ""


def outcome_of(outcomes: list[str]) -> str:
    """The outcome of a firing by those of its actions."""
    return min(outcomes, key=OUTCOMES.index)


class Budget:
    """What a playbook has done lately. Times are microseconds UTC; those of the future count as now.

    So a clock that was put back makes it more careful, never less.
    """

    def __init__(self, limits: Limits, *, run: int, since: int) -> None:
        """`run`: length of a run in microseconds. `since`: when the playbook began to act."""
        self._limits = limits
        self._run = run
        self._since = since
        self._times: list[int] = []
        """Of the actions, in order of time, whatever the clock did."""
        self._values: list[tuple[str, ...]] = []
        """What each of them was about."""
        self._quiet: dict[tuple[str, ...], int] = {}

    def muted(self, at: int, value: tuple[str, ...], mute: int) -> Verdict | None:
        """Whether the value was dealt with within the mute time."""
        last = self._quiet.get(value)
        if last is None or at >= last + mute:
            return None
        return Verdict(MUTED, f"The same value was dealt with less than {write_span(mute)} ago.")

    def is_exhausted(self, at: int) -> bool:
        """Whether nothing more may be done at this moment: asked of each firing of a flood, and counts nothing."""
        limits = self._limits
        return self._has(limits.per_minute, at - MINUTE) or self._has(limits.per_day, at - DAY)

    def exhausted(self, at: int) -> Verdict | None:
        """The same, with the words."""
        limits = self._limits
        for most, length, words in ((limits.per_minute, MINUTE, "minute"), (limits.per_day, DAY, "day")):
            if self._has(most, at - length):
                count = self._count(at - length)
                return Verdict(LIMITED, f"{count} actions within a {words}; {most} is the limit.")
        return None

    def limited(self, at: int, value: tuple[str, ...]) -> Verdict | None:
        """Whether a limit is reached for this value."""
        if exhausted := self.exhausted(at):
            return exhausted
        most = self._limits.distinct
        if not self._has(most, at - self._run):
            return None  # so few cannot be so many different ones
        values = set(self._values[self._place(at - self._run) :])
        if value not in values and len(values) >= most:
            return Verdict(LIMITED, f"{len(values)} different values in one run; {most} is the limit.")
        return None

    def breaks(self, at: int) -> str:
        """Why one more action would trip the breaker; '' if it does not.

        Asked of playbooks that have been acting for seven days: before, there is no mean to compare with.
        """
        if at - self._since < BREAKER_DAYS * DAY:
            return ""
        today = self._count(at - DAY) + 1
        before = self._count(at - (BREAKER_DAYS + 1) * DAY) - self._count(at - DAY)
        most = max(BREAKER_FACTOR * before / BREAKER_DAYS, BREAKER_LEAST)
        if today <= most:
            return ""
        return (
            f"{today} actions within a day are more than {BREAKER_FACTOR} times "
            f"the mean of the last {BREAKER_DAYS} days ({before / BREAKER_DAYS:.1f})."
        )

    def act(self, at: int, value: tuple[str, ...]) -> None:
        """Count an action."""
        place = self._place(at)
        self._times.insert(place, at)
        self._values.insert(place, value)
        old = self._place(at - (BREAKER_DAYS + 1) * DAY)
        if old > 1_000:
            del self._times[:old], self._values[:old]
        self.quiet(at, value)

    def quiet(self, at: int, value: tuple[str, ...]) -> None:
        """From now on the value counts as dealt with."""
        self._quiet[value] = max(at, self._quiet.get(value, at))

    def _has(self, number: int, after: int) -> bool:
        """Whether there are so many actions since then; the last but so many tells. `number` is above 0."""
        return len(self._times) >= number and self._times[-number] > after

    def _count(self, after: int) -> int:
        """Actions since then."""
        return len(self._times) - self._place(after)

    def _place(self, after: int) -> int:
        return bisect_right(self._times, after)
