"""A clock that stands still until it is turned: for tests of hours and days."""

from __future__ import annotations

from pod_desktop.core.clock import SECOND


class ManualClock:
    """Shows `start` (microseconds UTC) until advance() is called."""

    def __init__(self, start: int) -> None:
        self._now = start
        self._monotonic = 1000.0

    def now(self) -> int:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    def advance(self, seconds: float) -> None:
        self._now += int(seconds * SECOND)
        self._monotonic += seconds

    def jump(self, seconds: float) -> None:
        """The wall clock is set, forwards or backwards; the monotonic one goes on."""
        self._now += int(seconds * SECOND)
