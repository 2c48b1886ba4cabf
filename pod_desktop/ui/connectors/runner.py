"""Runs connection tests beside the window: one at a time in the whole program, each on a loop of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from PySide6.QtCore import QObject, Signal
from shiboken6 import isValid

from pod_desktop.core.definition import Connector
from pod_desktop.core.faults import Fault
from pod_desktop.core.secret import Secret
from pod_desktop.services.testing import TestReport, planned
from pod_desktop.services.testing_steps import OnStep
from pod_desktop.ui import bugs

Test = Callable[[Connector, Mapping[str, Secret] | None, OnStep], Coroutine[Any, Any, TestReport]]
"""(connector, typed secrets or None for those that are kept, told of every step); services.testing.Tester.test."""
STEPPED: Final = "stepped"
REPORTED: Final = "reported"
CANCELLED: Final = "cancelled"
FAILED: Final = "failed"
Say = Callable[["Run", str, object], None]
"""(run, STEPPED, a step), or how it ended and the outcome: report, None or exception. Called on the test's thread."""


class Run(QObject):
    """One test that runs or has ended; lives on the window's thread."""

    stepped = Signal(object)
    """A step, as soon as it is known."""
    reported = Signal(object)
    """The TestReport."""
    failed = Signal(object)
    """The exception, where the test itself could not be carried out."""
    cancelled = Signal()
    ended = Signal()
    """Before any of the three: another test may begin."""

    def __init__(self, name: str, planned: Sequence[str], say: Say, parent: QObject | None = None) -> None:
        """`name`: of the connector; `planned`: the names of the steps that are to come; `say`: see Say."""
        super().__init__(parent)
        self._say = say
        self.name = name
        self.planned = tuple(planned)
        self.running = True
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[Any] | None = None
        self._lock = threading.Lock()
        self._unwanted = False

    def cancel(self) -> None:
        """Stop it; `cancelled` follows. Nothing happens when it has ended."""
        with self._lock:
            self._unwanted = True
            if self._loop is not None and self._task is not None:
                self._loop.call_soon_threadsafe(self._task.cancel)

    # on the test's own thread

    def work(self, test: Callable[[OnStep], Coroutine[Any, Any, TestReport]]) -> None:
        """Carry the test out; called once, on a thread that is not the window's."""
        try:
            outcome: tuple[str, object] = (REPORTED, asyncio.run(self._main(test)))
        except asyncio.CancelledError:
            outcome = (CANCELLED, None)
        except BaseException as error:
            outcome = (FAILED, error)
        self._say(self, *outcome)

    async def _main(self, test: Callable[[OnStep], Coroutine[Any, Any, TestReport]]) -> TestReport:
        with self._lock:
            if self._unwanted:
                raise asyncio.CancelledError
            self._loop, self._task = asyncio.get_running_loop(), asyncio.current_task()
        try:
            return await test(lambda step: self._say(self, STEPPED, step))
        finally:
            with self._lock:
                self._loop = self._task = None

    # on the window's thread

    def finish(self, how: str, outcome: object) -> None:
        """Tell how it ended: REPORTED, CANCELLED or FAILED."""
        self.ended.emit()
        if how == REPORTED:
            self.reported.emit(outcome)
        elif how == CANCELLED:
            self.cancelled.emit()
        else:
            if not isinstance(outcome, Fault) and isinstance(outcome, BaseException):
                bugs.report(outcome)
            self.failed.emit(outcome)


class Runner(QObject):
    """Starts tests, one at a time. The program has one of these."""

    changed = Signal()
    """A test began or ended: buttons that start one follow."""

    # Emitted on the test's thread; heard on the window's, by when whoever started it has connected. Not a signal of
    # the run's own: that is destroyed when it has ended, which may be in the middle of the emission that says so.
    _said = Signal(object)

    def __init__(self, test: Test, parent: QObject | None = None) -> None:
        """`test` is called on a worker thread, inside an event loop of its own."""
        super().__init__(parent)
        self._test = test
        self._run: Run | None = None
        self._threads: list[threading.Thread] = []
        self._said.connect(self._deliver)

    @property
    def busy(self) -> str:
        """The name of the connector whose test runs; '' while none does."""
        return self._run.name if self._run is not None else ""

    def start(self, *parts: tuple[Connector, Mapping[str, Secret] | None]) -> Run | None:
        """Test connectors one after the other until one fails; None while another test runs."""
        if self._run is not None:
            return None
        steps = [name for connector, _ in parts for name in planned(connector)]
        run = self._run = Run(parts[0][0].name, steps, self._say, self)

        async def all_of_them(on_step: OnStep) -> TestReport:
            reports: list[TestReport] = []
            for connector, secrets in parts:
                reports.append(await self._test(connector, secrets, on_step))
                if not reports[-1].ok:
                    break
            return reports[0] if len(reports) == 1 else joined(reports)

        thread = threading.Thread(target=run.work, args=(all_of_them,), name="connection test", daemon=True)
        self._threads = [other for other in self._threads if other.is_alive()] + [thread]
        thread.start()
        self.changed.emit()
        return run

    def stop(self, seconds: float = 2.0) -> bool:
        """Cancel what runs and wait for its thread; False if that took longer."""
        if self._run is not None:
            self._run.cancel()
        for thread in self._threads:
            thread.join(seconds)
        return not any(thread.is_alive() for thread in self._threads)

    def _say(self, run: Run, how: str, what: object) -> None:
        """On the test's thread."""
        try:
            self._said.emit((run, how, what))
        except RuntimeError:  # the window has gone meanwhile, and this object with it
            return

    def _deliver(self, said: tuple[Run, str, object]) -> None:
        run, how, what = said
        there = isValid(run)
        if how == STEPPED:
            if there:
                run.stepped.emit(what)
            return
        run.running = False
        self._run = None
        if there:
            run.deleteLater()
        self.changed.emit()
        if there:
            run.finish(how, what)


def joined(reports: Sequence[TestReport]) -> TestReport:
    """One report of several tests: every step, the last one's verdict."""
    steps = tuple(step for report in reports for step in report.steps)
    exchange = "\n\n".join(text for report in reports if (text := report.exchange))
    return replace(reports[-1], steps=steps, exchange=exchange)
