"""Counts facets: after the rows, one field after the other, given up as soon as the question is another one."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final

from PySide6.QtCore import QObject, QTimer, Signal

from pod_desktop.core.faults import Fault, Unwanted
from pod_desktop.services.facets import Facet
from pod_desktop.ui.bridge import Desk, Job, Question, Worker

_FIRST_MS: Final = 150
_LEAST_MS: Final = 3_000
_MOST_MS: Final = 60_000
_SHARE: Final = 20
"""Counting takes at most a twentieth of the time."""


class Faceting(QObject):
    """Counts the facets of one question at a time, again and again, each as seldom as it is dear."""

    counted = Signal(object)
    """A Facet."""
    failed = Signal(str, object)
    """(field, the Fault)."""

    def __init__(self, desk: Desk, wanted: Callable[[], Sequence[tuple[str, int]]], parent: QObject) -> None:
        """`wanted`: fields, and how many values of each; none while nobody looks."""
        super().__init__(parent)
        self._desk = desk
        self._wanted = wanted
        self._question: Question | None = None
        self._job = Job()
        self._worker = Worker("facets", self)
        self._left = 0
        self._began = 0.0
        self._news = False
        self._again = QTimer(self, singleShot=True)
        self._again.timeout.connect(self._in_turn)

    def ask(self, question: Question) -> None:
        """Count for this question, once its rows have had their turn."""
        self._question = question
        self._news = True
        self.give_up()
        self._again.start(_FIRST_MS)

    def news(self) -> None:
        """Records came or went: count again when it is time."""
        self._news = True

    def _in_turn(self) -> None:
        if self._news:
            self.count()
        else:
            self._again.start(_LEAST_MS)

    def give_up(self) -> None:
        """What is being counted is no longer wanted."""
        self._job.cancel()
        self._job = Job()
        self._worker.forget("facets")
        self._left = 0
        self._again.stop()

    def count(self) -> None:
        """Count all that is wanted now."""
        question = self._question
        if question is None:
            return
        self.give_up()
        self._news = False
        job = self._job
        wanted = list(self._wanted())
        self._left, self._began = len(wanted), time.monotonic()
        for field, most in wanted:
            self._worker.ask(
                lambda field=field, most=most: self._facet(question, field, most, job),  # type: ignore[misc]
                lambda facet, job=job: self._came(job, facet),  # type: ignore[misc]
                lambda error, job=job, field=field: self._missed(job, field, error),  # type: ignore[misc]
                owner=self,
            )

    def _facet(self, question: Question, field: str, most: int, job: Job) -> Facet:
        if job.cancelled:
            raise Unwanted("No longer wanted.")
        return self._desk.facet(question, field, most, job)

    def _came(self, job: Job, facet: Facet) -> None:
        if job is self._job:
            self.counted.emit(facet)
            self._done()

    def _missed(self, job: Job, field: str, error: BaseException) -> None:
        if job is self._job:
            if isinstance(error, Fault):
                self.failed.emit(field, error)
            self._done()

    def _done(self) -> None:
        self._left -= 1
        if self._left == 0:
            took = (time.monotonic() - self._began) * 1_000 * _SHARE
            self._again.start(round(min(max(_LEAST_MS, took), _MOST_MS)))

    def stop(self) -> None:
        """No more counting."""
        self.give_up()
        self._worker.stop()
