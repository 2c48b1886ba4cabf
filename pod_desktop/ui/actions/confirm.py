"""Asks for a value to be typed again before something dangerous is done with it."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from pod_desktop.core import blocks
from pod_desktop.ui.text import PlainLabel, cell
from pod_desktop.ui.widgets import Button, Field, Notice


class TypeAgain(QDialog):
    """The reasons, the value, and a line to type it into."""

    confirmed = Signal(str)
    """What was typed, and is the value."""

    def __init__(
        self, title: str, reasons: str, value: str, words: str, parent: QWidget | None = None
    ) -> None:
        """`title` and `words` (of the button) are ours."""
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(title)
        self._value = value
        self.edit = QLineEdit()
        self.edit.setProperty("role", "mono")
        self.go_button = Button(words, "danger", self._take)
        self.go_button.setEnabled(False)
        self.edit.textChanged.connect(lambda text: self.go_button.setEnabled(text == value))
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(Button("Cancel", clicked=self.reject))
        row.addWidget(self.go_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 14, 16, 14)
        column.setSpacing(12)
        column.addWidget(PlainLabel(title, "title"))
        column.addWidget(Notice(reasons, blocks.WARN))
        column.addWidget(PlainLabel(cell(value), "mono", wrap=True, selectable=True))
        column.addWidget(Field("Type the value once more to confirm that it is meant", self.edit))
        column.addLayout(row)
        self.setMinimumWidth(420)

    def _take(self) -> None:
        if self.edit.text() == self._value:
            self.confirmed.emit(self._value)
            self.accept()
