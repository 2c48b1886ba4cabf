"""What the limits on records will delete, below them; and deleting it at once instead of within the hour."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QWidget

from pod_desktop.core.faults import Fault
from pod_desktop.ui.bridge import Worker
from pod_desktop.ui.text import PlainLabel
from pod_desktop.ui.widgets import Button

_SOON = "The collector service does it within the hour."


@dataclass(frozen=True, slots=True)
class Plan:
    """What would be deleted."""

    words: str
    records: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionDesk:
    """What the page asks for; both are called on a worker's thread and raise Fault."""

    plan: Callable[[int | None, int | None], Plan]
    """(days, gigabytes): with these limits instead of those that are set; None is the one that is set."""
    apply: Callable[[], str]
    """Delete now; what came of it in words."""


class RetentionNote(QWidget):
    """A sentence, and Delete now where there is something to delete."""

    def __init__(self, desk: RetentionDesk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._desk = desk
        self._worker = Worker("retention", self)
        self._words = ""
        self.told = PlainLabel("", "help", wrap=True)
        self.told.setAccessibleName("What is deleted")
        self.now = Button("Delete now …", "danger", self._ask)
        self.now.hide()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(12)
        row.addWidget(self.told, 1)
        row.addWidget(self.now, 0, Qt.AlignmentFlag.AlignTop)

    def refresh(self) -> None:
        """Look again what would be deleted."""
        self._worker.ask(
            lambda: self._desk.plan(None, None), self._planned, self._failed, owner=self, key="plan"
        )

    def words_with(self, days: int | None, gigabytes: int | None, then: Callable[[str], None]) -> None:
        """What would be deleted with another limit; '' where that cannot be told."""
        self._worker.ask(
            lambda: self._desk.plan(days, gigabytes).words,
            then,
            lambda _error: then(""),
            owner=self,
            key="other",
        )

    def _planned(self, plan: Plan) -> None:
        self._words = plan.words
        self.told.setText(f"{plan.words} {_SOON}" if plan.records else plan.words)
        self.now.setVisible(plan.records > 0)

    def _failed(self, error: BaseException) -> None:
        words = str(error) if isinstance(error, Fault) else "The log says more."
        self.told.setText(f"What is to be deleted cannot be told: {words}")
        self.now.hide()

    def _ask(self) -> None:
        from pod_desktop.ui.connectors.confirm import Confirm  # late: the window starts without that room

        question = Confirm(
            "Delete old records now?", f"{self._words} They cannot be brought back.", "Delete them", self
        )
        question.agreed.connect(self._apply)
        question.open()

    def _apply(self) -> None:
        self.now.hide()
        self.told.setText("Deleting …")
        self._worker.ask(self._desk.apply, self._applied, self._not_applied, owner=self)

    def _applied(self, words: str) -> None:
        self.told.setText(words)

    def _not_applied(self, error: BaseException) -> None:
        self.told.setText(f"Not deleted: {error if isinstance(error, Fault) else 'the log says more.'}")
        self.now.show()

    def stop(self) -> None:
        """The window closes."""
        self._worker.stop()
