"""Small questions: a line or some lines of text, judged while one types."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QCompleter,
    QDialog,
    QHBoxLayout,
    QLineEdit,
    QPlainTextEdit,
    QVBoxLayout,
    QWidget,
)

from pod_desktop.core.faults import UserFault
from pod_desktop.ui.text import PlainLabel
from pod_desktop.ui.widgets import Button, Field

Judge = Callable[[str], str]
"""What is right about a text, in words; raises UserFault where it does not fit."""
_WIDTH: Final = 460


def _nothing(_text: str) -> str:
    return ""


class QuestionDialog(QDialog):
    """A title, controls, and two buttons; the window goes on meanwhile."""

    answered = Signal(str)

    def __init__(self, title: str, accept: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(title)
        self.setWindowModality(Qt.WindowModality.WindowModal)
        self.body = QVBoxLayout()
        self.body.setSpacing(10)
        self.ok = Button(accept, "primary", self.take)
        self._taken = False
        buttons = QHBoxLayout()
        self._cancel = Button("Cancel", "plain", self.reject)
        buttons.addStretch(1)
        buttons.addWidget(self._cancel)
        buttons.addWidget(self.ok)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 14, 16, 14)
        column.setSpacing(12)
        column.addWidget(PlainLabel(title, "title"))
        column.addLayout(self.body)
        column.addLayout(buttons)
        self.setMinimumWidth(_WIDTH)

    def ask_with(self, *controls: QWidget) -> None:
        """What the answer is typed into: the focus begins there, and goes on in this order."""
        order = [*controls, self._cancel, self.ok]
        for before, after in pairwise(order):
            self.setTabOrder(before, after)
        controls[0].setFocus()
        for control in controls:
            if isinstance(control, QLineEdit):
                # Not by a default button: Enter would only close the list of a completer.
                control.returnPressed.connect(self.take)

    def take(self) -> None:
        """The answer is given; only the first time counts."""
        if not self._taken and self.answer():
            self._taken = True
            self.accept()

    def answer(self) -> bool:
        """Tell the answer; False while it does not fit."""
        return True


class LineDialog(QuestionDialog):
    """One line of text."""

    def __init__(
        self,
        title: str,
        label: str,
        parent: QWidget,
        *,
        text: str = "",
        note: str = "",
        accept: str = "Save",
        judge: Judge = _nothing,
        offers: Sequence[str] = (),
        most: int = 128,
    ) -> None:
        super().__init__(title, accept, parent)
        self._judge = judge
        self.line = QLineEdit(text)
        self.line.setMaxLength(most)
        if offers:
            completer = QCompleter(list(offers), self.line)
            completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
            completer.setFilterMode(Qt.MatchFlag.MatchContains)
            self.line.setCompleter(completer)
        self._field = Field(label, self.line, note=note)
        self.body.addWidget(self._field)
        self.line.textChanged.connect(lambda _text: self._look())
        self.line.selectAll()
        self.ask_with(self.line)
        self._note = note
        self._look()

    def _look(self) -> bool:
        text = self.line.text().strip()
        if not text:
            self._field.fault("")
            self.ok.setEnabled(False)
            return False
        try:
            words = self._judge(text)
        except UserFault as fault:
            self._field.fault(fault.what, fault.hint)
            self.ok.setEnabled(False)
            return False
        self._field.fault("")
        self._field.say(words or self._note)
        self.ok.setEnabled(True)
        return True

    def answer(self) -> bool:
        fits = self._look()
        if fits:
            self.answered.emit(self.line.text().strip())
        return fits


class _Lines(QPlainTextEdit):
    """Enter begins a line, Ctrl+Enter gives the answer."""

    done = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if enter and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.done.emit()
        else:
            super().keyPressEvent(event)


class TextDialog(QuestionDialog):
    """Several lines of text; an empty answer is one too."""

    def __init__(
        self, title: str, label: str, parent: QWidget, *, text: str = "", note: str = "", most: int = 4_000
    ) -> None:
        super().__init__(title, "Save", parent)
        self._most = most
        self.lines = _Lines()
        self.lines.setPlainText(text)
        self.lines.setTabChangesFocus(True)
        self.lines.setFixedHeight(120)
        self.lines.done.connect(self.take)
        self.body.addWidget(Field(label, self.lines, note=note))
        self.ask_with(self.lines)

    def answer(self) -> bool:
        self.answered.emit(self.lines.toPlainText()[: self._most].strip())
        return True
