"""Controls of the editor: a line with its label at the side, lengths of time, the field to group by."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QIntValidator, QKeyEvent, QWheelEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from pod_desktop.core.clock import DAY, HOUR, MINUTE, SECOND
from pod_desktop.core.limits import NAME_CHARS
from pod_desktop.ui.automation.wording import KEY_WORD
from pod_desktop.ui.text import PlainLabel, cell, tip

_QUOTED: Final = re.compile(r"^'[\w\[\].]+' (?=is |must |has )")
"""A file's key, where the fault stands beside the field itself."""
LABEL_WIDTH: Final = 128
_UNITS: Final = (("seconds", "s", SECOND), ("minutes", "m", MINUTE), ("hours", "h", HOUR), ("days", "d", DAY))
_MOST: Final = 604_800
"""Seconds of seven days, the longest of all."""


class Line(QWidget):
    """Label at the left, control, and below it what is wrong."""

    def __init__(
        self, label: str, control: QWidget, *, name: str = "", parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.control = control
        self._label = PlainLabel(label, "note")
        self._label.setFixedWidth(LABEL_WIDTH)
        self._label.setContentsMargins(0, 6, 0, 0)
        self._below = PlainLabel("", "fault", wrap=True)
        self._below.hide()
        control.setAccessibleName(name or label)
        right = QVBoxLayout()
        right.setContentsMargins(0, 0, 0, 0)
        right.setSpacing(4)
        right.addWidget(control)
        right.addWidget(self._below)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self._label, 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(right, 1)

    def fault(self, what: str, hint: str = "") -> None:
        """Say what is wrong below the control; '' takes it away again."""
        words = f"{_QUOTED.sub('This ', what)} {hint}".strip()
        self._below.setText(words)
        self._below.setVisible(bool(words))
        self.control.setProperty("fault", bool(words))
        self.control.setAccessibleDescription(words)
        self.control.style().unpolish(self.control)
        self.control.style().polish(self.control)

    @property
    def words(self) -> str:
        """The fault that is shown."""
        return self._below.text().replace("\u200b", "")


def beside(*parts: QWidget) -> QWidget:
    """Controls that stay beside each other where a row breaks."""
    held = QWidget()
    row = QHBoxLayout(held)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(6)
    for part in parts:
        row.addWidget(part)
    return held


class Choice(QComboBox):
    """A combo box that the wheel does not change while one scrolls past it."""

    def __init__(
        self, items: Sequence[tuple[str, object]] = (), *, name: str = "", parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.fill(items)

    def fill(self, items: Sequence[tuple[str, object]]) -> None:
        """Offer these; what is chosen stays chosen where it is among them."""
        kept = self.currentData()
        with QSignalBlocker(self):
            self.clear()
            for words, value in items:
                self.addItem(cell(words, 80), value)
            self.setCurrentIndex(max(0, self.findData(kept)))

    def choose(self, value: object, words: str = "") -> None:
        """Choose a value; one that is not offered is added under these words."""
        place = self.findData(value)
        if place < 0:
            self.addItem(cell(words or str(value), 80), value)
            place = self.count() - 1
        self.setCurrentIndex(place)

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()


_INNER: Final = "QLineEdit, QLineEdit:focus { border: none; border-radius: 0; padding: 0; min-height: 0; background: transparent; }"
"""For lines inside of controls that have an edge of their own."""


class Number(QLineEdit):
    """A whole number within bounds; Up and Down change it by one, what is no number goes back when left."""

    valueChanged = Signal(int)

    def __init__(self, low: int, high: int, *, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._low, self._high, self._value = low, high, low
        self.setValidator(QIntValidator(0, 10 ** len(str(high)) - 1, self))
        self.setMaxLength(len(str(high)))
        self.setAccessibleName(f"{name}, from {low:,} to {high:,}")
        self.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.setFixedWidth(max(44, 24 + self.fontMetrics().horizontalAdvance(str(high))))
        self.setText(str(low))
        self.textChanged.connect(self._typed)
        self.editingFinished.connect(self._tidy)

    def value(self) -> int:
        """The number; the last one within bounds while another is typed."""
        return self._value

    def setValue(self, value: int) -> None:
        """Show a number; beyond the bounds the nearest."""
        self.setText(str(min(self._high, max(self._low, value))))

    def _typed(self, text: str) -> None:
        if text.isdecimal() and self._low <= int(text) <= self._high and int(text) != self._value:
            self._value = int(text)
            self.valueChanged.emit(self._value)

    def _tidy(self) -> None:
        typed = self.text()
        self.setValue(int(typed) if typed.isdecimal() else self._value)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {Qt.Key.Key_Up: 1, Qt.Key.Key_Down: -1}.get(Qt.Key(event.key()))
        if step is None:
            super().keyPressEvent(event)
        else:
            self.setValue(self._value + step)


class SpanEdit(QWidget):
    """A length of time: a number and its unit."""

    changed = Signal()

    def __init__(
        self, name: str, *, units: Sequence[str] = ("m", "h", "d"), parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.number = Number(1, _MOST, name=f"{name}: number")
        self.number.setFixedWidth(56)
        self.unit = Choice(
            [(words, short) for words, short, _ in _UNITS if short in units], name=f"{name}: unit"
        )
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        row.addWidget(self.number)
        row.addWidget(self.unit)
        self.number.valueChanged.connect(lambda _value: self.changed.emit())
        self.unit.currentIndexChanged.connect(lambda _at: self.changed.emit())

    @property
    def text(self) -> str:
        """As files write it: `10m`."""
        return f"{self.number.value()}{self.unit.currentData()}"

    def show_span(self, micros: int) -> None:
        """Show a length in the largest unit that fits, telling nobody."""
        with QSignalBlocker(self):
            for words, short, size in reversed(_UNITS):
                if micros % size == 0:
                    self.unit.choose(short, words)
                    self.number.setValue(micros // size)
                    return


class KeyPicker(Choice):
    """The field whose values are the keys; any field or path may be typed."""

    edited = Signal()
    TOGETHER: Final = "all together"

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(
            [(self.TOGETHER, None), *((words, name) for name, words in KEY_WORD.items())],
            name="Count per",
            parent=parent,
        )
        self.setEditable(True)
        self.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.setMinimumContentsLength(18)
        line = QLineEdit()
        self.setLineEdit(line)
        line.setStyleSheet(_INNER)
        line.setMaxLength(NAME_CHARS)
        line.setAccessibleName("Count per: a field, or a path of the record")
        self.editTextChanged.connect(lambda _text: self.edited.emit())

    @property
    def field(self) -> str | None:
        """The field's name as queries know it; None: all records have one key."""
        typed = self.currentText().strip()
        for place in range(self.count()):
            if self.itemText(place).casefold() == typed.casefold():
                value: str | None = self.itemData(place)
                return value
        return typed or None

    def show_field(self, name: str | None) -> None:
        """Show a field, telling nobody."""
        with QSignalBlocker(self):
            place = self.findData(name)
            if place >= 0:
                self.setCurrentIndex(place)
            else:
                self.setCurrentIndex(-1)
                self.setEditText(name or "")
        if (line := self.lineEdit()) is not None:
            line.setCursorPosition(0)  # a long path is shown from its beginning
        self.setToolTip(tip(name or ""))
