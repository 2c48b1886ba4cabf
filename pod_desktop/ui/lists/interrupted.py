"""Bulk runs that were broken off: how far each came, and going on with it or giving it up."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from pod_desktop.core import blocks
from pod_desktop.core.clock import Clock
from pod_desktop.core.faults import Fault
from pod_desktop.core.responder import RespondConnector
from pod_desktop.services.bulk import BulkProgress
from pod_desktop.services.bulk_left import Interrupted
from pod_desktop.ui.actions.calls import Calls
from pod_desktop.ui.actions.desk import ActionsDesk, Run
from pod_desktop.ui.connectors.confirm import Confirm
from pod_desktop.ui.lists.bulk import BulkDialog
from pod_desktop.ui.moments import Zone, ago
from pod_desktop.ui.widgets import Button, Notice


class InterruptedRuns(QWidget):
    """A notice for each run; without any it takes no room."""

    changed = Signal()
    """Something more was sent."""
    counted = Signal(int)
    """How many runs there are."""

    def __init__(
        self, desk: ActionsDesk, calls: Calls, clock: Clock, zone: Zone, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._desk = desk
        self._calls = calls
        self._clock = clock
        self._zone = zone
        self._runs: list[Interrupted] | None = None
        self.notices: list[Notice] = []
        """One for each run."""
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(6)
        self.fault = Notice()
        self._column.addWidget(self.fault)
        self.hide()

    def refresh(self) -> None:
        """Ask which runs there are; the answer comes by itself."""
        self._calls.ask(
            self._desk.interrupted,
            self._came,
            self._not_done,
            owner=self,
            key=f"interrupted {id(self)}",
        )

    def _came(self, runs: Sequence[Interrupted]) -> None:
        if list(runs) == self._runs:
            return
        self._runs = list(runs)
        for notice in self.notices:
            self._column.removeWidget(notice)
            notice.hide()
            notice.deleteLater()
        self.notices = [self._notice(run) for run in runs]
        for notice in self.notices:
            self._column.addWidget(notice)
        self._tell_room()
        self.counted.emit(len(runs))

    def _notice(self, run: Interrupted) -> Notice:
        buttons = QWidget()
        row = QHBoxLayout(buttons)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        title = f"Bulk run: {run.done:,} of {run.total:,} done, interrupted"
        resume = Button("Resume …", clicked=lambda: self.resume(run))
        discard = Button("Discard …", clicked=lambda: self.ask_discard(run))
        for button in (resume, discard):
            button.setAccessibleName(f"{button.text()} {title}")
            row.addWidget(button)
        by = run.actor.removeprefix("person ")
        kind = run.type.rpartition("Demand ")[2]
        return Notice(
            f"{kind} through {run.responder}, begun or gone on with by {by} at {self._zone.short(run.at)}, "
            f"{ago(run.at, self._clock.now())}.",
            blocks.WARN,
            title,
            button=buttons,
        )

    def _tell_room(self) -> None:
        self.setVisible(bool(self._runs) or bool(self.fault.accessibleName()))

    # what can be done

    def resume(self, run: Interrupted) -> None:
        """Show the run with what is left of it; it is gone on with there."""
        relay = _Relay()
        self._calls.ask(
            lambda: self._desk.resume(run.id, changed=relay),
            lambda found: self._open(found[0], found[1], relay),
            self._not_done,
            owner=self,
        )

    def _open(self, connector: RespondConnector, run: Run, relay: _Relay) -> None:
        self._say("")
        dialog = BulkDialog(
            self._desk, self._calls, self._clock, self._zone, connector, resumed=run, parent=self.window()
        )
        relay.to = dialog.heard
        dialog.changed.connect(self.refresh)
        dialog.changed.connect(self.changed)
        dialog.open()

    def ask_discard(self, run: Interrupted) -> Confirm:
        """Ask once: what has not been sent would have to be pasted again."""
        dialog = Confirm(
            "Discard the rest of this bulk run?",
            f"{run.left:,} values are not sent, and this run can no longer be resumed. What the other "
            f"{run.done:,} came to stays in the Action History.",
            "Discard",
            self.window(),
        )
        dialog.agreed.connect(lambda: self.discard(run))
        dialog.open()
        return dialog

    def discard(self, run: Interrupted) -> None:
        """Give up what is left."""
        self._calls.ask(
            lambda: self._desk.discard(run.id), lambda _done: self.refresh(), self._not_done, owner=self
        )

    def _not_done(self, error: BaseException) -> None:
        what, hint = (error.what, error.hint) if isinstance(error, Fault) else (str(error), "")
        self._say(hint, what)

    def _say(self, words: str, title: str = "") -> None:
        self.fault.say(words, blocks.BAD, title)
        self._tell_room()


class _Relay:
    """Hands a run's progress to the dialog that is made after the run."""

    to: Callable[[BulkProgress], None] | None = None

    def __call__(self, progress: BulkProgress) -> None:
        if self.to is not None:
            self.to(progress)
