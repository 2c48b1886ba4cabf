"""The search columns: how far each is, what it takes on the disk, and removing it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QVBoxLayout, QWidget

from pod_desktop.services.columns import READY, ColumnState
from pod_desktop.ui.searchcolumns import Columns, ColumnsDesk, fault_words, shown
from pod_desktop.ui.text import PlainLabel
from pod_desktop.ui.widgets import Button

_LOOK_MS: Final = 1_000
_NONE: Final = (
    "There are none. A search by a path that has no index reads every record; when it is slow, the Events page offers "
    "to make the path a search column. So does the menu of a field in Fields."
)
_WHAT: Final = (
    "Paths of the raw record whose values are copied into an index. Removing one frees its disk; searches by it give "
    "the same answer, more slowly."
)


class SearchColumns(QWidget):
    """The body of the card."""

    def __init__(self, desk: ColumnsDesk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._columns = Columns(desk, self)
        self._rows: dict[str, _Row] = {}
        self.what = PlainLabel(_WHAT, "help", wrap=True)
        self.fault = PlainLabel("", "help", wrap=True)
        self.fault.hide()
        self._list = QVBoxLayout()
        self._list.setSpacing(10)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(10)
        column.addWidget(self.what)
        column.addLayout(self._list)
        column.addWidget(self.fault)
        self._looking = QTimer(self, interval=_LOOK_MS)
        self._looking.timeout.connect(self.refresh)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.refresh()
        self._looking.start()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._looking.stop()

    def refresh(self) -> None:
        """Look again how far they are."""
        self._columns.worker.ask(
            self._columns.desk.states, self._came, self._failed, owner=self, key="states"
        )

    @property
    def rows(self) -> list[_Row]:
        """Those shown, from the top."""
        return list(self._rows.values())

    def _came(self, states: Sequence[ColumnState]) -> None:
        self.fault.hide()
        self.what.setText(_WHAT if states else _NONE)
        for gone in self._rows.keys() - {one.path for one in states}:
            row = self._rows.pop(gone)
            self._list.removeWidget(row)
            row.deleteLater()
        for state in states:
            if state.path not in self._rows:
                row = self._rows[state.path] = _Row(state.path)
                row.remove.clicked.connect(lambda _on=False, path=state.path: self._remove(path))
                self._list.addWidget(row)
            self._rows[state.path].tell(state)

    def _remove(self, path: str) -> None:
        self._rows[path].remove.setEnabled(False)
        self._columns.worker.ask(
            lambda: self._columns.desk.remove(path), lambda _done: self.refresh(), self._failed, owner=self
        )

    def _failed(self, error: BaseException) -> None:
        for row in self._rows.values():
            row.remove.setEnabled(True)
        self.fault.setText(fault_words(error))
        self.fault.show()

    def stop(self) -> None:
        """The window closes."""
        self._looking.stop()
        self._columns.stop()


class _Row(QWidget):
    """One of them."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self.path = PlainLabel(shown(path), "mono", wrap=True, selectable=True)
        self.words = PlainLabel("", "help", wrap=True)
        self.bar = QProgressBar()
        self.bar.setRange(0, 1_000)
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(4)
        self.bar.setAccessibleName(f"Progress of {shown(path)}")
        self.remove = Button("Remove", "link", name=f"Remove the search column {shown(path)}")
        texts = QVBoxLayout()
        texts.setSpacing(2)
        for part in (self.path, self.words, self.bar):
            texts.addWidget(part)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(12)
        row.addLayout(texts, 1)
        row.addWidget(self.remove, 0, Qt.AlignmentFlag.AlignTop)

    def tell(self, state: ColumnState) -> None:
        """Say how far it is."""
        kinds = ", ".join(f"{count:,} {kind}" for kind, count in sorted(state.kinds.items()))
        self.words.setText(f"{state.words} In {kinds} records." if kinds else state.words)
        self.bar.setValue(int(1_000 * state.share))
        self.bar.setVisible(state.state != READY)
