"""The steps of a connector's test: tried in their order, timed, told as soon as they are known."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple, TypeVar

from pod_desktop.core.clock import Clock

T = TypeVar("T")


class Step(NamedTuple):
    """One thing that was to be tried."""

    name: str
    """`Resolve host`, `Connect`, `TLS`, `Authorise Message`, `Token`, `Read list`."""
    ok: bool | None
    """None: not tried."""
    detail: str
    """What was found, or what is wrong, in words."""
    ms: float
    """Milliseconds that it took."""


OnStep = Callable[[Step], None]


class StepFailed(Exception):
    """Why a step failed: a sentence, what to check, and a code for scripts. Never holds a secret."""

    def __init__(self, what: str, recommendation: str, code: str) -> None:
        super().__init__(what)
        self.what = what
        self.recommendation = recommendation
        self.code = code


class Steps:
    """The steps of one test as they are gone through."""

    def __init__(self, names: Sequence[str], on_step: OnStep, clock: Clock) -> None:
        self._left = list(names)
        self._on_step = on_step
        self._clock = clock
        self._began = clock.monotonic()
        self._current = ""
        self.done: list[Step] = []
        self.first_failure: StepFailed | None = None

    async def take(self, name: str, work: Awaitable[tuple[str, T]]) -> T | None:
        """Try a step; `work` gives its detail and a result. None when it failed: see first_failure."""
        self._current, self._began = name, self._clock.monotonic()
        try:
            detail, result = await work
        except StepFailed as failure:
            self.failed(failure)
            return None
        self._end(True, detail)
        return result

    def failed(self, failure: StepFailed) -> None:
        """The step under way, if any, has failed."""
        if self.first_failure is None:
            self.first_failure = failure
        if self._current:
            self._end(False, failure.what)

    def skip(self, name: str, why: str) -> None:
        """A step that is not needed, and why."""
        self._left.remove(name)
        self._tell(Step(name, None, why, 0.0))

    def skip_rest(self) -> None:
        """What is left is not tried."""
        for name in self._left:
            self._tell(Step(name, None, "", 0.0))
        self._left.clear()

    def _end(self, ok: bool, detail: str) -> None:
        name, self._current = self._current, ""
        self._left.remove(name)
        self._tell(Step(name, ok, detail, round((self._clock.monotonic() - self._began) * 1000, 1)))

    def _tell(self, step: Step) -> None:
        self.done.append(step)
        self._on_step(step)


def ignored(_step: Step) -> None:
    """For callers that only want the report."""
