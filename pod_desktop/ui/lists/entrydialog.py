"""One entry added or removed by hand: the same form as on a record, in a dialog."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QDialog, QVBoxLayout, QWidget

from pod_desktop.core.action import Entry
from pod_desktop.core.clock import Clock
from pod_desktop.core.responder import RespondConnector
from pod_desktop.ui.actions.calls import Calls
from pod_desktop.ui.actions.desk import ActionsDesk
from pod_desktop.ui.actions.form import ActionForm
from pod_desktop.ui.moments import Zone
from pod_desktop.ui.widgets import PageHeader


class EntryDialog(QDialog):
    """The form, about one entry; it stays open until it is closed."""

    historyAsked = Signal(str)
    ended = Signal(object)
    """An Action, however it ended."""

    def __init__(
        self,
        desk: ActionsDesk,
        calls: Calls,
        clock: Clock,
        zone: Zone,
        connector: RespondConnector,
        entry: Entry | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(connector.title)
        self.form = ActionForm(desk, calls, clock, zone, name=f"dialog {id(self)}")
        self.form.historyAsked.connect(self.historyAsked)
        self.form.ended.connect(self.ended)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(PageHeader(f"{connector.title} · {connector.name}"))
        column.addWidget(self.form)
        self.resize(520, 720)
        self.form.begin_entry(connector, entry)

    def reject(self) -> None:
        """Esc closes, unless an action is under way: its end is worth waiting for."""
        if not self.form.busy:
            super().reject()

    def closeEvent(self, event: QCloseEvent) -> None:
        if self.form.busy:
            event.ignore()
        else:
            super().closeEvent(event)
