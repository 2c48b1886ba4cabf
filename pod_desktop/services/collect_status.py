"""What streams say of themselves, and its way into the ledger: on change, at most a few times a second."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from typing import Final

from pod_desktop.core import limits
from pod_desktop.core.clock import SECOND, Clock
from pod_desktop.core.status import STARTING, STOPPED, Counters, StreamStatus

RATE_SECONDS: Final = 5.0
"""The rate is the mean over this long."""


@dataclass(slots=True)
class StreamBoard:
    """The state of one stream, as it is being lived."""

    connector: str
    kind: str
    clock: Clock
    status: StreamStatus = field(init=False)
    _recent: deque[tuple[float, int]] = field(default_factory=deque)
    notices: dict[str, str] = field(default_factory=dict)
    """By who says it: what is shown beside the state."""
    _published: StreamStatus | None = None

    def __post_init__(self) -> None:
        self.status = StreamStatus(
            connector=self.connector, kind=self.kind, state=STARTING, since=self.clock.now()
        )

    def say(
        self,
        state: str,
        what: str,
        *,
        hint: str = "",
        code: str = "",
        next_try: int = 0,
        attempts: int = 0,
    ) -> None:
        """A state with its words. `since` moves when the state or what failed changes."""
        old = self.status
        same = old.state == state and old.code == code
        self.status = replace(
            old,
            state=state,
            since=old.since if same else self.clock.now(),
            what=what,
            hint=hint,
            code=code,
            next_try=next_try,
            attempts=attempts,
        )

    def restore(self, before: StreamStatus) -> None:
        """What interrupted a state is over: say again what was said before it."""
        self.say(before.state, before.what, hint=before.hint, code=before.code)

    def note(self, who: str, words: str) -> None:
        """Something to be known beside the state; '' takes it back."""
        self.notices[who] = words
        self.status = replace(self.status, notice=" ".join(filter(None, self.notices.values())))

    def stop(self) -> None:
        """The service ends. What was wrong, if anything, stays readable."""
        old, words = self.status, "The collector service is not running."
        wrong = old.what if old.code else ""
        self.say(
            STOPPED, f"{words} Before it stopped: {wrong}" if wrong else words, hint=old.hint, code=old.code
        )

    def advance(self, progress: float | None, left: int = 0, seconds: float | None = None) -> None:
        """How far catching up is, 0-1, with the hours left and about how long they take; None: it is over."""
        self.status = replace(self.status, progress=progress, hours_left=left, time_left_s=seconds)

    def counted(self, counters: Counters) -> None:
        self.status = replace(self.status, counters=counters)

    def filtered(self, filters: tuple[tuple[str, int], ...]) -> None:
        """How many records each log filter has dropped."""
        self.status = replace(self.status, filters=filters)

    def hours(self, counted: tuple[tuple[str, int], ...]) -> None:
        """Hours of the last 30 days by their state."""
        self.status = replace(self.status, hours=counted)

    def gaps(self, gaps: tuple[tuple[int, int], ...]) -> None:
        self.status = replace(self.status, gaps=gaps)

    def stored(self, received: int, newest: int, counters: Counters, *, live: bool) -> None:
        """Records have become durable."""
        now = self.clock.now()
        if received:
            self._recent.append((self.clock.monotonic(), received))
        status = self.status
        self.status = replace(
            status,
            counters=counters,
            last_activity=now if received else status.last_activity,
            last_record=max(status.last_record, newest),
            lag_s=max(0.0, round((now - newest) / SECOND, 3)) if live and newest else status.lag_s,
        )

    def due(self) -> StreamStatus | None:
        """The status if it says something new since it was last asked for."""
        status, now = replace(self.status, rate=self._rate()), self.clock.now()
        old = self._published
        if status == old and 0 <= now - status.checked < limits.HEALTH_SECONDS * SECOND:
            return None
        self.status = self._published = replace(status, checked=now)
        return self.status

    def _rate(self) -> float:
        now = self.clock.monotonic()
        while self._recent and self._recent[0][0] < now - RATE_SECONDS:
            self._recent.popleft()
        return round(sum(count for _, count in self._recent) / RATE_SECONDS, 1)
