"""One control for each type of setting; what it holds is checked as it changes, and told when it fits."""

from __future__ import annotations

from typing import Any, Final

from PySide6.QtCore import QSignalBlocker, Qt, QTimer, Signal
from PySide6.QtGui import QFocusEvent, QWheelEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFrame,
    QLineEdit,
    QPlainTextEdit,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from pod_desktop.core import limits
from pod_desktop.core.faults import UserFault
from pod_desktop.core.settings import CHOICE, FLAG, NUMBER, TEXT, TEXTS, Setting
from pod_desktop.ui.text import PlainLabel
from pod_desktop.ui.widgets import Field

_PAUSE_MS: Final = 700
"""A list is kept when nobody has typed for so long, or when it is left."""
_LIST_HEIGHT: Final = 96


class Control(QWidget):
    """A setting's label, control and help; the fault takes the help's place."""

    chosen = Signal(object)
    """A value that fits, checked and cleaned."""

    def __init__(self, declared: Setting, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.declared = declared
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(4)
        self.field: Field | None = None

    def show_value(self, value: Any) -> None:
        """Show what is kept; nothing is told."""
        raise NotImplementedError

    def fault(self, what: str, hint: str = "") -> None:
        """Say what is wrong; '' takes it away."""
        if self.field is not None:
            self.field.fault(what, hint)

    def _labelled(self, control: QWidget) -> None:
        self.field = Field(self.declared.title, control, note=self.declared.help)
        self._column.addWidget(self.field)

    def _offer(self, value: Any) -> None:
        try:
            clean = self.declared.check(value)
        except UserFault as fault:
            self.fault(fault.what, fault.hint)
            return
        self.fault("")
        self.chosen.emit(clean)


class Choice(Control):
    """One of a few."""

    def __init__(self, declared: Setting, parent: QWidget | None = None) -> None:
        super().__init__(declared, parent)
        self.box = QComboBox()
        self.box.setMaximumWidth(280)
        for value, words in declared.choices:
            self.box.addItem(words, value)
        self._labelled(self.box)
        self.box.activated.connect(lambda _row: self._offer(self.box.currentData()))

    def show_value(self, value: Any) -> None:
        self.box.setCurrentIndex(self.box.findData(value))


class Flag(Control):
    """Yes or no."""

    def __init__(self, declared: Setting, parent: QWidget | None = None) -> None:
        super().__init__(declared, parent)
        self.box = QCheckBox(declared.title)
        self.box.setAccessibleName(declared.title)
        self.box.setAccessibleDescription(declared.help)
        self._help = PlainLabel(declared.help, "help", wrap=True)
        self._column.addWidget(self.box)
        self._column.addWidget(self._help)
        self.box.toggled.connect(self._offer)

    def show_value(self, value: Any) -> None:
        with QSignalBlocker(self.box):
            self.box.setChecked(bool(value))

    def fault(self, what: str, hint: str = "") -> None:
        self._help.setText(f"{what} {hint}".strip() or self.declared.help)
        self._help.setProperty("role", "fault" if what else "help")
        self._help.style().unpolish(self._help)
        self._help.style().polish(self._help)


class _Spin(QSpinBox):
    """Takes the wheel only while it has the focus: scrolling the page changes nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.lineEdit().setTextMargins(8, 0, 8, 0)  # a style sheet gives the line inside no padding

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


class Number(Control):
    """A whole number; 0 stands for no limit."""

    def __init__(self, declared: Setting, parent: QWidget | None = None) -> None:
        super().__init__(declared, parent)
        self.spin = _Spin()
        self.spin.setRange(declared.least, declared.most)
        self.spin.setSuffix(f" {declared.unit}" if declared.unit else "")
        self.spin.setSpecialValueText("No limit" if declared.least == 0 else "")
        self.spin.setGroupSeparatorShown(True)
        self.spin.setMaximumWidth(180)
        self.spin.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        # Half a number is none: "3" on the way to "30" must not delete records.
        self.spin.setKeyboardTracking(False)
        self._labelled(self.spin)
        self.spin.valueChanged.connect(self._offer)

    def show_value(self, value: Any) -> None:
        with QSignalBlocker(self.spin):
            self.spin.setValue(int(value))


class Text(Control):
    """One line; kept when it is left or Enter is pressed."""

    def __init__(self, declared: Setting, parent: QWidget | None = None) -> None:
        super().__init__(declared, parent)
        self.line = QLineEdit()
        self.line.setMaximumWidth(400)
        self.line.setMaxLength(limits.QUERY_CHARS)
        self.line.setPlaceholderText("None")
        self._kept = ""
        self._labelled(self.line)
        self.line.textEdited.connect(self._typed)
        self.line.editingFinished.connect(self._finish)

    def show_value(self, value: Any) -> None:
        self._kept = str(value)
        if not self.line.hasFocus():
            self.line.setText(self._kept)

    def _typed(self, text: str) -> None:
        """Say at once what does not fit."""
        try:
            self.declared.check(text)
        except UserFault as fault:
            self.fault(fault.what, fault.hint)
            return
        self.fault("")

    def _finish(self) -> None:
        try:
            clean = self.declared.check(self.line.text())
        except UserFault:
            return
        self.line.setText(clean)
        if clean != self._kept:
            self._kept = clean
            self.chosen.emit(clean)


class _Lines(QPlainTextEdit):
    """Several lines; tells when it is left."""

    left = Signal()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.left.emit()


class Texts(Control):
    """Entries, one a line."""

    def __init__(self, declared: Setting, parent: QWidget | None = None) -> None:
        super().__init__(declared, parent)
        self.lines = _Lines()
        self.lines.setTabChangesFocus(True)
        self.lines.setFixedHeight(_LIST_HEIGHT)
        self.lines.setPlaceholderText("One a line")
        self._kept: Any = None
        self._labelled(self.lines)
        self._pause = QTimer(self, interval=_PAUSE_MS, singleShot=True)
        self._pause.timeout.connect(self._finish)
        self.lines.textChanged.connect(self._typed)
        self.lines.left.connect(self._finish)

    def show_value(self, value: Any) -> None:
        self._kept = list(value)
        if self._entries() != self._kept and not self._pause.isActive() and not self.lines.hasFocus():
            with QSignalBlocker(self.lines):
                self.lines.setPlainText("\n".join(value))

    def _entries(self) -> list[str]:
        text = self.lines.toPlainText()
        return [part.strip() for line in text.splitlines() for part in line.split(",") if part.strip()]

    def _typed(self) -> None:
        """Say at once what does not fit; keep what fits when the typing has paused."""
        if len(self.lines.toPlainText()) > limits.QUERY_CHARS:
            self.fault(f"That is more than {limits.QUERY_CHARS:,} characters.", "Take some out.")
            self._pause.stop()
            return
        try:
            self.declared.check(self._entries())
        except UserFault as fault:
            self.fault(fault.what, fault.hint)
            self._pause.stop()
            return
        self.fault("")
        self._pause.start()

    def _finish(self) -> None:
        self._pause.stop()
        if len(self.lines.toPlainText()) > limits.QUERY_CHARS:
            return
        try:
            clean = self.declared.check(self._entries())
        except UserFault:
            return
        if clean != self._kept:
            self._kept = clean
            self.chosen.emit(clean)


_TYPES: Final[dict[str, type[Control]]] = {
    CHOICE: Choice,
    FLAG: Flag,
    NUMBER: Number,
    TEXT: Text,
    TEXTS: Texts,
}


def framed(widget: QWidget) -> QFrame:
    """A list with an edge around it."""
    frame = QFrame()
    frame.setProperty("role", "card")
    inside = QVBoxLayout(frame)
    inside.setContentsMargins(3, 3, 3, 3)
    inside.addWidget(widget)
    return frame


def control_for(declared: Setting) -> Control:
    """The control of this setting's type."""
    return _TYPES[declared.type](declared)
