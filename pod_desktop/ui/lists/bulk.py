"""Many entries at once: split before anything is sent, then sent one by one with progress, pause and results."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QProgressBar,
    QSplitter,
    QTabBar,
    QVBoxLayout,
    QWidget,
)

from pod_desktop import responders
from pod_desktop.core import blocks
from pod_desktop.core.action import DELETE
from pod_desktop.core.clock import Clock
from pod_desktop.core.faults import Fault
from pod_desktop.core.responder import RespondConnector
from pod_desktop.services.bulk import CANCELLED, ENDED, PAUSED, BulkProgress
from pod_desktop.services.bulk_plan import DOUBTFUL, GROUPS, INVALID, NEW, Candidate, Plan
from pod_desktop.services.impact import Impact, Standing
from pod_desktop.services.prepare import Prepared
from pod_desktop.ui.actions import wording
from pod_desktop.ui.actions.calls import Calls
from pod_desktop.ui.actions.confirm import TypeAgain
from pod_desktop.ui.actions.desk import ActionsDesk, Run, Selected
from pod_desktop.ui.actions.expiry import RemoveAfter
from pod_desktop.ui.actions.preview import Findings, WillSend
from pod_desktop.ui.actions.tables import RowsModel, RowsTable
from pod_desktop.ui.actions.wording import Finding
from pod_desktop.ui.lists.bulk_input import BulkInput
from pod_desktop.ui.lists.bulk_rows import COLUMNS, GROUP_WORDS, REMOVAL_WORDS, PlanRow, cell_of
from pod_desktop.ui.moments import Zone
from pod_desktop.ui.text import PlainLabel
from pod_desktop.ui.widgets import Button, Notice, PageHeader, hairline

POLL_MS: Final = 200
_EVERYTHING: Final = "all"


class BulkDialog(QDialog):
    """Input at the left, the plan at the right, the run below; of a resumed run the plan is given and no input."""

    changed = Signal()
    """Something was sent: the list is another one."""

    def __init__(
        self,
        desk: ActionsDesk,
        calls: Calls,
        clock: Clock,
        zone: Zone,
        connector: RespondConnector,
        wanted: str | Selected = "",
        resumed: Run | None = None,
        parent: QWidget | None = None,
    ) -> None:
        """
        Args:
            wanted: values to begin with, or selected records.
            resumed: instead, a run that was broken off; what tells of its changes is heard().
        """
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(connector.title)
        self._desk = desk
        self._calls = calls
        self._connector = connector
        self._responder = responders.RESPONDERS[connector.type]
        self._removes = self._responder.action == DELETE
        self._name = f"bulk {id(self)}"
        self._plan: Plan | None = None
        self._run = self._resumed = resumed
        self._progress: BulkProgress | None = None
        self._told: BulkProgress | None = None
        self._sent: list[Candidate] = []
        self._running = False
        self.input = BulkInput(self._responder, wanted)
        self.remove_after = RemoveAfter(clock, zone)
        self.remove_after.setVisible(not self._removes and resumed is None)
        self._build()
        self._poll = QTimer(self, interval=POLL_MS)
        self._poll.timeout.connect(self._tell_progress)
        self.input.changed.connect(self.look)
        self.input.failed.connect(lambda words: self.notice.say(words, blocks.BAD))
        self.resize(1040, 680)
        if resumed is None:
            self.look()
        else:
            self._show_resumed(resumed)

    def _build(self) -> None:
        self.notice = Notice()
        self.groups = QTabBar()
        self.groups.setDrawBase(False)
        self.groups.setExpanding(False)
        self.groups.setAccessibleName("What would become of the values")
        self._keys = (_EVERYTHING, *GROUPS)
        for _ in self._keys:
            self.groups.addTab("")
        self.groups.currentChanged.connect(lambda _at: self._show())
        self.model = RowsModel(COLUMNS, cell_of, lambda row: row.candidate.line, self)
        self.table = RowsTable(self.model, "Values")
        self.table.linked.connect(lambda row: self.confirm(row.candidate))
        self.table.asked.connect(self._key_pressed)
        self.table.chosen.connect(self._preview)
        self.will_send = WillSend()
        self.findings = Findings()
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName("Progress")
        self.bar.hide()
        self.words = PlainLabel("", "note", wrap=True)
        self.pause_button = Button("Pause", clicked=self.pause)
        self.stop_button = Button("Stop", clicked=self.stop)
        self.close_button = Button("Close", clicked=self.reject)
        self.send_button = Button("Send", "primary", self.send)
        for button in (self.pause_button, self.stop_button):
            button.hide()
        right = QWidget()
        inner = QVBoxLayout(right)
        inner.setContentsMargins(12, 0, 0, 0)
        inner.setSpacing(8)
        inner.addWidget(self.groups)
        inner.addWidget(self.table, 1)
        inner.addWidget(self.will_send)
        inner.addWidget(self.findings)
        split = QSplitter(Qt.Orientation.Horizontal)
        split.setChildrenCollapsible(False)
        split.setHandleWidth(1)
        left = QWidget()
        left_column = QVBoxLayout(left)
        left_column.setContentsMargins(0, 0, 12, 0)
        left_column.addWidget(self.input)
        split.addWidget(left)
        left.setVisible(self._resumed is None)
        split.addWidget(right)
        split.setSizes([320, 700])
        split.setStretchFactor(1, 1)
        body = QVBoxLayout()
        body.setContentsMargins(14, 12, 14, 8)
        body.setSpacing(8)
        body.addWidget(self.notice)
        body.addWidget(split, 1)
        body.addWidget(self.bar)
        row = QHBoxLayout()
        row.setContentsMargins(14, 8, 14, 10)
        row.setSpacing(8)
        row.addWidget(self.remove_after)
        row.addWidget(self.words, 1)
        for button in (self.pause_button, self.stop_button, self.close_button, self.send_button):
            row.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(PageHeader(f"{self._connector.title} · {self._connector.name}"))
        column.addLayout(body, 1)
        column.addWidget(hairline())
        column.addLayout(row)

    # planning

    def look(self) -> None:
        """Ask what would become of the values."""
        wanted = self.input.wanted()
        self._plan = None
        self._sent = []
        self._progress = self._told = None
        if wanted is None:
            self._calls.forget(f"{self._name} plan")
            self._show()
            return
        self.words.setText("Reading the list …")
        self._calls.ask(
            lambda: self._desk.plan(self._connector, wanted),
            self._planned,
            self._not_planned,
            owner=self,
            key=f"{self._name} plan",
        )
        self._show()

    def _planned(self, plan: Plan) -> None:
        self._plan = plan
        self.notice.say("")
        self.words.setText("")
        self._show()

    def _not_planned(self, error: BaseException) -> None:
        what, hint = (error.what, error.hint) if isinstance(error, Fault) else (str(error), "")
        self.words.setText("")
        self.notice.say(hint, blocks.BAD, what)
        self._show()

    def confirm(self, candidate: Candidate) -> TypeAgain | None:
        """Have a doubtful value typed again."""
        if candidate.group != DOUBTFUL or candidate.confirmed or self._running:
            return None
        words = "Confirm removal" if self._removes else "Confirm this value"
        dialog = TypeAgain(words, candidate.why, candidate.entry.value, "Confirm", self)
        dialog.confirmed.connect(lambda typed: self._confirmed(candidate, typed))
        dialog.open()
        return dialog

    def _confirmed(self, candidate: Candidate, typed: str) -> None:
        if self._plan is not None:
            self._plan = self._plan.confirm(candidate, typed)
            self._show()

    def _show_resumed(self, run: Run) -> None:
        """What the run was made of, and how each of it stands."""
        progress = run.progress
        rows = tuple(
            Candidate(
                line=place, entry=row.entry, group=NEW, record_id=row.record_id, confirmed=row.confirmed
            )
            for place, row in enumerate(progress.rows, 1)
        )
        self._plan, self._sent, self._progress = Plan(rows=rows), list(rows), progress
        self.words.setText(f"{progress.done:,} of {progress.total:,} done before it was broken off")
        self._show()

    @property
    def _left(self) -> int:
        """How many values Send would send."""
        if self._resumed is not None and self._progress is not None:
            return self._progress.total - self._progress.done
        return len(self._plan.to_send) if self._plan is not None else 0

    # showing

    def rows(self) -> list[PlanRow]:
        """What the chosen group holds, with how each stands."""
        if self._plan is None:
            return []
        group = self._keys[self.groups.currentIndex()]
        ends: dict[int, tuple[str, str]] = {}
        if self._progress is not None:
            for candidate, row in zip(self._sent, self._progress.rows, strict=False):
                ends[candidate.line] = (row.status, row.message)
        found = []
        for candidate in self._plan.rows:
            if group in (_EVERYTHING, candidate.group):
                status, message = ends.get(candidate.line, ("", ""))
                found.append(
                    PlanRow(candidate=candidate, removes=self._removes, status=status, message=message)
                )
        return found

    def _show(self) -> None:
        plan = self._plan
        words = REMOVAL_WORDS if self._removes else GROUP_WORDS
        for place, key in enumerate(self._keys):
            count = 0 if plan is None else len(plan.rows if key == _EVERYTHING else plan.of(key))
            title = "All" if key == _EVERYTHING else words[key]
            self.groups.setTabText(place, f"{title} {count:,}")
        self.table.show_rows(self.rows())
        self._tell_buttons()
        self._preview()

    def _tell_buttons(self) -> None:
        count = self._left
        verb = "Remove" if self._removes else "Send"
        done = bool(self._sent) and (self._resumed is None or count == 0)
        self.send_button.setText(f"{verb} {count:,}")
        self.send_button.setAccessibleName(f"{verb} {count:,} entries")
        self.send_button.setEnabled(bool(count) and not self._running and not done)
        self.send_button.setVisible(not self._running and not done)
        for button in (self.pause_button, self.stop_button):
            button.setVisible(self._running)
        self.close_button.setEnabled(not self._running)
        self.input.lock(self._running)
        self.remove_after.setEnabled(not self._running and not done)

    def _preview(self) -> None:
        """The exact request of the current value, and what it would do."""
        row = self.table.current()
        if row is None or row.candidate.group == INVALID:
            self._calls.forget(f"{self._name} prepare")
            self.will_send.show_request(
                None, row.candidate.why if row is not None else "Choose a value to see its request."
            )
            self.findings.show_findings([])
            return
        candidate: Candidate = row.candidate
        self._calls.ask(
            lambda: self._desk.prepare_entry(self._connector, candidate.entry, record_id=candidate.record_id),
            self._previewed,
            lambda error: self.will_send.show_request(None, str(error)),
            owner=self,
            key=f"{self._name} prepare",
        )

    def _previewed(self, prepared: Prepared) -> None:
        self.will_send.show_request(prepared.request)
        known: dict[str, Finding] = {}

        def show() -> None:
            told = wording.value_finding(prepared.entry.value)
            self.findings.show_findings(
                [*wording.guard_findings(prepared), *([told] if told else []), *known.values()]
            )

        def stood(standing: Standing) -> None:
            known["1 list"] = wording.standing_finding(prepared, standing)
            show()

        def weighed(impact: Impact) -> None:
            known["2 store"] = wording.impact_finding(prepared, impact)
            show()

        show()
        ask: Callable[..., None] = self._calls.ask
        ask(lambda: self._desk.standing(prepared), stood, owner=self, key=f"{self._name} standing")
        ask(lambda: self._desk.impact(prepared), weighed, owner=self, key=f"{self._name} impact")

    # running

    def send(self) -> None:
        """Begin the run; a second click finds the button gone."""
        if self._resumed is not None:
            self._go_on(self._resumed)
            return
        if self._plan is None or self._running or self._sent:
            return
        rows = self._plan.to_send
        if not rows:
            return
        self._sent = list(rows)
        expires = 0 if self._removes else self.remove_after.expires
        self._show_running(0, len(rows))
        self._calls.ask(
            lambda: self._desk.start(self._connector, rows, expires=expires, why="Bulk", changed=self.heard),
            self._started,
            self._ended_badly,
            owner=self,
        )

    def _go_on(self, run: Run) -> None:
        if not self._running and self._left:
            self._show_running(run.progress.done, run.progress.total)
            self._started(run)

    def _show_running(self, done: int, total: int) -> None:
        self._running = True
        self.bar.setRange(0, total)
        self.bar.setValue(done)
        self.bar.show()
        self._tell_buttons()

    def heard(self, progress: BulkProgress) -> None:
        """On the actions' thread: only kept, the window looks at it when it comes round."""
        self._progress = progress

    def _started(self, run: Run) -> None:
        self._run = run
        self._poll.start()
        self._calls.ask(run.run, self._ended, self._ended_badly, owner=self)

    def _tell_progress(self) -> None:
        progress = self._progress
        if progress is None or progress is self._told:
            return
        self._told = progress
        self.bar.setValue(progress.done)
        self.words.setText(progress_words(progress))
        paused = progress.state == PAUSED
        self.pause_button.setText("Resume" if paused else "Pause")
        self.pause_button.setAccessibleName("Resume" if paused else "Pause")
        if progress.why:
            self.notice.say(progress.why, blocks.WARN, "Paused by itself")
        self.table.show_rows(self.rows())

    def _ended(self, progress: BulkProgress) -> None:
        self._progress = progress
        self._running = False
        self._poll.stop()
        self._tell_progress()
        self.words.setText(progress_words(progress))
        self.bar.hide()
        self._tell_buttons()
        self.changed.emit()

    def _ended_badly(self, error: BaseException) -> None:
        self._running = False
        self._poll.stop()
        what, hint = (error.what, error.hint) if isinstance(error, Fault) else (str(error), "")
        self.notice.say(hint, blocks.BAD, what)
        self.bar.hide()
        if self._run is None:
            self._sent = []
        self._tell_buttons()
        self.changed.emit()

    def pause(self) -> None:
        """Stop after the value that is under way, or go on."""
        run, told = self._run, self._told
        if run is not None:
            self.notice.say("")
            self._tell_run(run.go_on if told is not None and told.state == PAUSED else run.pause)

    def stop(self) -> None:
        """Send nothing more; what was sent stays, and what it came to is shown."""
        if self._run is not None and self._running:
            self.words.setText("Stopping after the value under way …")
            self._tell_run(self._run.cancel)

    def _tell_run(self, what: Callable[[], None]) -> None:
        async def on_its_loop() -> None:
            what()

        self._calls.ask(on_its_loop, lambda _done: None, owner=self)

    def _key_pressed(self, key: int) -> None:
        row = self.table.current()
        if key != Qt.Key.Key_Delete and row is not None:
            self.confirm(row.candidate)

    def reject(self) -> None:
        """Esc and Close; while values are being sent they stop it first."""
        if self._running:
            self.stop()
        else:
            super().reject()

    def closeEvent(self, event: QCloseEvent) -> None:
        if self._running:
            self.stop()
            event.ignore()
        else:
            super().closeEvent(event)

    def sizeHint(self) -> QSize:
        return QSize(1040, 680)


def progress_words(progress: BulkProgress) -> str:
    """`212 of 1,000 · 210 succeeded · 2 failed`."""
    lead = {PAUSED: "Paused: ", CANCELLED: "Stopped: ", ENDED: "Done: "}.get(progress.state, "")
    parts = [f"{progress.done:,} of {progress.total:,}", f"{progress.succeeded:,} succeeded"]
    if progress.failed:
        parts.append(f"{progress.failed:,} failed")
    if progress.unknown:
        parts.append(f"{progress.unknown:,} unknown")
    return lead + " · ".join(parts)
