"""The backtest beside the editor: started anew whenever the playbook changes, cancelled when it does again."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING, Final, NamedTuple

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QSplitter, QVBoxLayout, QWidget

from pod_desktop.core import blocks
from pod_desktop.core.clock import Clock
from pod_desktop.core.playbook import Playbook
from pod_desktop.core.playbook_limits import HELD
from pod_desktop.ui.actions.tables import Cell, Column, RowsModel, RowsTable
from pod_desktop.ui.automation import wording
from pod_desktop.ui.automation.desk import AutomationDesk, Range
from pod_desktop.ui.automation.firing import FiringPane
from pod_desktop.ui.automation.pictures import FiringsPicture
from pod_desktop.ui.automation.ranges import RangeChooser
from pod_desktop.ui.bridge import Job, Worker
from pod_desktop.ui.events.timerange import bar_width
from pod_desktop.ui.moments import Zone, ago
from pod_desktop.ui.text import PlainLabel
from pod_desktop.ui.widgets import Button, Notice, hairline

if TYPE_CHECKING:
    from pod_desktop.services.backtest import Fired, Report

PAUSE_MS: Final = 350
"""Typing is let end before it begins anew."""
SHOWN: Final = 2_000
"""Firings in the list; all are counted and drawn."""
BARS: Final = 84
COLUMNS: Final = (
    Column("time", "Met at", 126),
    Column("value", "Value", 104, stretch=True),
    Column("records", "Records", 66, gives_way=1),
    Column("outcome", "Outcome", 92),
)


class _Found(NamedTuple):
    """A report with what is drawn of it, worked out on the thread that has the time."""

    report: Report
    every: int
    bars: list[tuple[int, str, int]]
    outcomes: Counter[str]
    held: str


def _found(report: Report) -> _Found:
    every = bar_width(report.until - report.since, BARS)
    bars: Counter[tuple[int, str]] = Counter()
    outcomes: Counter[str] = Counter()
    for fired in report.firings:
        outcome = wording.outcome(fired)
        bars[fired.time // every * every, outcome] += 1
        outcomes[outcome] += 1
    counted = outcomes if report.fired == len(report.firings) else report.outcomes
    return _Found(
        report=report,
        every=every,
        bars=sorted((start, outcome, number) for (start, outcome), number in bars.items()),
        outcomes=counted,
        held=wording.held_words(report.firings, outcomes[HELD]),
    )


class BacktestPane(QWidget):
    """Range, what was found, a picture, the firings, and one of them."""

    recordsAsked = Signal(object, object)
    """(Playbook, Fired)"""
    finished = Signal(object)
    """The Report of a whole run, or None where it failed or was cancelled."""

    def __init__(
        self,
        desk: AutomationDesk,
        worker: Worker,
        clock: Clock,
        zone: Zone,
        *,
        name: str = "backtest",
        parent: QWidget | None = None,
    ) -> None:
        """`name` tells this pane's questions from those of another."""
        super().__init__(parent)
        self._desk = desk
        self._worker = worker
        self._clock = clock
        self._zone = zone
        self._name = name
        self._playbook: Playbook | None = None
        self._shown: Playbook | None = None
        self._job: Job | None = None
        self._begun = 0.0
        self.report: Report | None = None
        self._build()
        self._pause = QTimer(self, singleShot=True, interval=PAUSE_MS)
        self._pause.timeout.connect(self.run)
        self.range.chosen.connect(self.run)

    def _build(self) -> None:
        self.setProperty("role", "pane")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.range = RangeChooser(self._clock, self._zone)
        head = QHBoxLayout()
        head.addWidget(PlainLabel("Backtest", "heading"))
        head.addStretch(1)
        head.addWidget(self.range)
        self.found = PlainLabel("", "note", wrap=True)
        self.fired = PlainLabel("", "strong", wrap=True)
        self.progress = QProgressBar()
        self.progress.setTextVisible(False)
        self.progress.setAccessibleName("Backtest: progress")
        self.cancel_button = Button("Cancel", "link", self.cancel, name="Cancel the backtest")
        self._under_way = QWidget()
        row = QHBoxLayout(self._under_way)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.progress, 1)
        row.addWidget(self.cancel_button)
        self._under_way.hide()
        self.picture = FiringsPicture(self._zone)
        self.picture.picked.connect(self._bar_pressed)
        self.notice = Notice()
        top = QVBoxLayout()
        top.setContentsMargins(14, 12, 14, 6)
        top.setSpacing(8)
        top.addLayout(head)
        for part in (self.fired, self.found, self._under_way, self.picture, self.notice):
            top.addWidget(part)
        self.model = RowsModel(COLUMNS, self._cell, _key, self)
        self.table = RowsTable(self.model, "Firings")
        self.firing = FiringPane(self._zone)
        self.table.chosen.connect(lambda: self.firing.show_fired(self.table.current()))
        self.table.asked.connect(lambda _key: self._ask_records(self.table.current()))
        self.firing.recordsAsked.connect(self._ask_records)
        split = QSplitter(Qt.Orientation.Vertical)
        split.setHandleWidth(1)
        split.setChildrenCollapsible(False)
        split.addWidget(self.table)
        split.addWidget(self.firing)
        split.setStretchFactor(0, 3)
        split.setStretchFactor(1, 2)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(top)
        column.addWidget(hairline())
        column.addWidget(split, 1)

    def _cell(self, fired: Fired, key: str) -> Cell:
        if key == "time":
            return Cell(
                f"{self._zone.local(fired.time):%b %d %H:%M:%S}", mono=True,
                tip=f"{self._zone.whole(fired.time)}, {ago(fired.time, self._clock.now())}",
            )  # fmt: skip
        if key == "value":
            return Cell(wording.fired_value(fired) or "all records")
        if key == "records":
            return Cell(f"{len(fired.records):,}")
        why = wording.reasons_words(fired.rows)
        return Cell(
            wording.fired_words(fired),
            tone=wording.fired_tone(fired),
            tip=why,
        )

    # asking

    @property
    def running(self) -> bool:
        """Under way, or about to begin."""
        return self._job is not None or self._pause.isActive()

    def try_soon(self, playbook: Playbook | None) -> None:
        """Try this one once typing pauses; None: it cannot be tried as it is. What runs is cancelled."""
        if playbook is not None and playbook == self._playbook and (self.running or self.report is not None):
            return
        self._playbook = playbook
        self._stop_job()
        self._pause.stop()
        if playbook is None:
            self._under_way.hide()
            self.found.setText("Mend what is marked; the last result stays." if self.report else "")
            if self.report is None:
                self.fired.setText("There is nothing to try yet.")
            return
        self._pause.start()

    def run(self) -> None:
        """Try it now."""
        playbook = self._playbook
        self._pause.stop()
        self._stop_job()
        if playbook is None:
            return
        job = self._job = Job()
        self._begun = time.monotonic()
        wanted = self.range.range
        self.progress.setRange(0, 0)
        self._under_way.show()
        self.found.setText(f"Trying {self.range.words} …")
        self._worker.ask(
            lambda: self._try(playbook, wanted, job),
            lambda found: self._ended(job, playbook, found),
            lambda error: self._failed(job, error),
            owner=self,
            key=self._name,
        )

    def _try(self, playbook: Playbook, wanted: Range, job: Job) -> _Found | None:
        """On the worker's thread."""

        def told(report: Report) -> None:
            self._worker.tell(self, lambda found: self._progressed(job, found), _found(report))

        report = self._desk.try_out(playbook, wanted, job, told)
        return None if report is None else _found(report)

    def cancel(self) -> None:
        """Stop; what was found so far stays."""
        if self.running:
            self._pause.stop()
            self._stop_job()
            self._worker.forget(self._name)
            self._under_way.hide()
            self.found.setText("Cancelled. What is shown is only a part.")
            self.finished.emit(None)

    def clear(self) -> None:
        """Nothing has been tried yet."""
        self.stop()
        self.report = None
        for label in (self.fired, self.found):
            label.setText("")
        self.notice.say("")
        self.picture.show_counts(0, 1, 1, ())
        self.table.show_rows(())
        self.firing.show_fired(None)

    def stop(self) -> None:
        """The pane goes away: nothing more is wanted."""
        self._playbook = None
        self._pause.stop()
        self._stop_job()
        self._worker.forget(self._name)

    def _stop_job(self) -> None:
        if self._job is not None:
            self._job.cancel()
            self._job = None

    # telling

    def _progressed(self, job: Job, found: _Found) -> None:
        if job is self._job:
            self.progress.setRange(0, 1_000)
            self.progress.setValue(round(found.report.share * 1_000))
            self._show(found, self._playbook)
            self.found.setText(f"{found.report.records:,} matching records so far …")

    def _ended(self, job: Job, playbook: Playbook, found: _Found | None) -> None:
        if job is not self._job:
            return
        self._job = None
        self._under_way.hide()
        if found is None:
            self.finished.emit(None)
            return
        report = self.report = found.report
        self._show(found, playbook)
        took = time.monotonic() - self._begun
        self.found.setText(
            f"{wording.matching_words(report)} of {self.range.words} {'matches' if report.records == 1 else 'match'} "
            f"· {took:.1f} s"
        )
        self.finished.emit(report)

    def _failed(self, job: Job, error: BaseException) -> None:
        if job is self._job:
            self._job = None
            self._under_way.hide()
            what, hint = wording.fault_words(error)
            self.found.setText("")
            self.notice.say(hint, blocks.BAD, what)
            self.finished.emit(None)

    def _show(self, found: _Found, playbook: Playbook | None) -> None:
        self._shown = playbook
        report = found.report
        words = wording.report_words(report, playbook) if playbook is not None else ""
        outcomes = wording.outcomes_words(found.outcomes)
        self.fired.setText(words[:1].upper() + words[1:] + (f": {outcomes}." if outcomes else "."))
        self.picture.show_counts(report.since, report.until, found.every, found.bars)
        told = [found.held, *report.problems]
        if report.fired > SHOWN:
            told.append(f"The first {SHOWN:,} are listed.")
        self.notice.say("\n".join(word for word in told if word), blocks.WARN)
        self.table.show_rows(report.firings[:SHOWN])
        self.firing.show_fired(self.table.current())

    # looking closer

    def _bar_pressed(self, since: int, until: int) -> None:
        for fired in self.model.rows:
            if since <= fired.time < until:
                self.table.choose(_key(fired))
                return

    def _ask_records(self, fired: Fired | None) -> None:
        if fired is not None and self._shown is not None:
            self.recordsAsked.emit(self._shown, fired)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self.running:
            self.cancel()
            event.accept()
        else:
            super().keyPressEvent(event)

    def restyle(self) -> None:
        """Times or colours are others from now on."""
        self.table.viewport().update()
        self.picture.update()


def _key(fired: Fired) -> tuple[object, ...]:
    return fired.time, fired.key, fired.records[-1:]
