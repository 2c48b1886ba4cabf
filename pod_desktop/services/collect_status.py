"""What streams say of themselves, and its way into the ledger: on change, at most a few times a second."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from typing import Final

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

    def stop(self) -> None:
        """The service ends. What was wrong, if anything, stays readable."""
        old, words = self.status, "The collector service is not running."
        wrong = old.what if old.code else ""
        self.say(
            STOPPED, f"{words} Before it stopped: {wrong}" if wrong else words, hint=old.hint, code=old.code
        )

    def advance(self, progress: float | None) -> None:
        """How far catching up is, 0-1; None when it is over."""
        self.status = replace(self.status, progress=progress)

    def counted(self, counters: Counters) -> None:
        self.status = replace(self.status, counters=counters)

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
        self.status = replace(self.status, rate=self._rate())
        if self.status == self._published:
            return None
        self._published = self.status
        return self.status

    def _rate(self) -> float:
        now = self.clock.monotonic()
        while self._recent and self._recent[0][0] < now - RATE_SECONDS:
            self._recent.popleft()
        return round(sum(count for _, count in self._recent) / RATE_SECONDS, 1)
