"""Windows of their own for records: one record, or two beside each other."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QVBoxLayout, QWidget

from pod_desktop.core.record import EventRow
from pod_desktop.ui.bridge import Record
from pod_desktop.ui.detail.compare import CompareView
from pod_desktop.ui.detail.pane import DetailPane

if TYPE_CHECKING:
    from pod_desktop.ui.events.page import EventsPage

_MOST: Final = 20
"""Windows at once; the oldest is closed for another one."""
_numbers: Final = count(1)


class RecordWindow(QWidget):
    """A window around something; Esc and Ctrl+W close it."""

    def __init__(self, title: str, inside: QWidget) -> None:
        # No record text in the title: it leaves the program for the desktop's lists.
        super().__init__(None, Qt.WindowType.Window)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setAttribute(Qt.WidgetAttribute.WA_QuitOnClose, False)
        self.setWindowTitle(f"{title} – POD Desktop")
        self.setProperty("role", "pane")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.inside = inside
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(inside)
        for keys in ("Esc", "Ctrl+W"):
            QShortcut(QKeySequence(keys), self, self.close)


class RecordWindows(QObject):
    """All of them; they close with the window."""

    def __init__(self, events: EventsPage) -> None:
        super().__init__(events)
        self._events = events
        self._windows: list[RecordWindow] = []

    @property
    def all(self) -> list[RecordWindow]:
        """Those that are open, the oldest first."""
        return list(self._windows)

    def open(self, row: EventRow) -> RecordWindow:
        """Show a record in a window of its own."""
        events = self._events
        pane = DetailPane(
            events.desk, events.record_worker, events.preferences, events.zone,
            notes=events.notes, name=f" {next(_numbers)}",
        )  # fmt: skip
        pane.set_floating()
        pane.field_menu_asked.connect(events.detail.field_menu_asked)
        events.notes.changed.connect(pane.show_note)
        window = self._show(RecordWindow("Record", pane), 560, 760)
        pane.show_row(row)
        return window

    def compare(self, left: EventRow, right: EventRow) -> RecordWindow:
        """Show two records beside each other."""
        events = self._events
        view = CompareView(events.record_worker, events.zone)
        window = self._show(RecordWindow("Compare records", view), 1_100, 760)

        def both() -> tuple[Record, Record]:
            return events.desk.record(left), events.desk.record(right)

        events.record_worker.ask(both, lambda found: view.show_records(*found), view.fail, owner=view)
        return window

    def _show(self, window: RecordWindow, width: int, height: int) -> RecordWindow:
        if len(self._windows) >= _MOST:
            self._windows.pop(0).close()
        self._windows.append(window)
        window.destroyed.connect(lambda _gone=None: self._forget(window))
        window.resize(width, height)
        window.show()
        return window

    def _forget(self, window: RecordWindow) -> None:
        if window in self._windows:
            self._windows.remove(window)

    def close_all(self) -> None:
        """The main window closes."""
        for window in self.all:
            window.close()
