"""Counts for the histogram and for "1,946 of 4,112,908", again and again, each as seldom as it is dear."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QObject, QTimer, Signal

from pod_desktop.core.clock import MINUTE, SECOND
from pod_desktop.ui.bridge import Desk, Job, Overview, Question, Worker
from pod_desktop.ui.events.timerange import bar_width

_FIRST_MS: Final = 60
_LEAST_MS: Final = 1_000
_MOST_MS: Final = 30_000
_SHARE: Final = 10
"""Counting takes at most a tenth of the time."""
_TROUBLED_MS: Final = 5_000
_LIVE: Final = 15 * MINUTE


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What was counted, and between which moments."""

    since: int
    until: int
    every: int
    bars: Sequence[tuple[int, str, int]]
    """(start of bar, outcome, how many)."""
    of: int | None
    """Records there are without the query; None if nobody counted them."""


def stretch(question: Question, seen: Overview, now: int) -> tuple[int, int, int]:
    """(since, until, width of a bar) of a question's histogram, microseconds."""
    until = now if question.until is None else question.until
    if question.span is not None:
        since = now - question.span
    elif question.since is not None:
        since = question.since
    else:
        newest = seen.newest or now
        # While records arrive the live edge moves; an old archive ends at its newest record.
        until = max(newest + SECOND, now) if 0 <= now - newest < _LIVE else newest + SECOND
        since = max(seen.oldest or until - _LIVE, 0)
    since = min(since, until - SECOND)
    return since, until, bar_width(until - since)


class Counting(QObject):
    """Counts for one question at a time."""

    counted = Signal(object)
    """Counts."""

    def __init__(self, desk: Desk, overview: Callable[[], Overview], parent: QObject) -> None:
        super().__init__(parent)
        self._desk = desk
        self._overview = overview
        self._question: Question | None = None
        self._worker = Worker("counts", self)
        self._busy = False
        self._job = Job()
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self._count)

    def ask(self, question: Question) -> None:
        """Count for this question from now on, once its rows have had their turn."""
        self._question = question
        self.give_up()
        self._timer.start(_FIRST_MS)

    def give_up(self) -> None:
        """What is being counted is no longer wanted, nor counted again before it is asked for."""
        self._timer.stop()
        self._job.cancel()
        self._job = Job()
        self._worker.forget("counts")
        self._busy = False

    def again(self) -> None:
        """Something changed: count soon."""
        if not self._busy:
            self._timer.start(0)

    def stop(self) -> None:
        """No more counting."""
        self.give_up()
        self._worker.stop()

    def _count(self) -> None:
        question = self._question
        if question is None or self._busy:
            return
        self._timer.stop()
        since, until, every = stretch(question, self._overview(), time.time_ns() // 1000)
        part = bool(question.kinds) or question.span is not None or question.since is not None

        job = self._job

        def work() -> tuple[Counts, float]:
            started = time.monotonic()
            bars = self._desk.histogram(question, since, until, every, job)
            of = self._desk.count(question) if part and question.text.strip() else None
            made = Counts(since=since, until=until, every=every, bars=bars, of=of)
            return made, time.monotonic() - started

        self._busy = True
        self._worker.ask(work, self._counted, self._failed, owner=self, key="counts")

    def _counted(self, made: tuple[Counts, float]) -> None:
        counts, seconds = made
        self._busy = False
        self._timer.start(round(min(max(_LEAST_MS, seconds * 1_000 * _SHARE), _MOST_MS)))
        self.counted.emit(counts)

    def _failed(self, _error: BaseException) -> None:
        self._busy = False
        self._timer.start(_TROUBLED_MS)
