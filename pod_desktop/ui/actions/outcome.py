"""What became of a submitted action, in place, with what can be done about it."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from pod_desktop.core import blocks
from pod_desktop.core.action import IN_PROGRESS, WAITING, Action
from pod_desktop.ui.actions import wording
from pod_desktop.ui.text import PlainLabel
from pod_desktop.ui.widgets import Button
from pod_desktop.ui.widgets.flow import FlowLayout


class Outcome(QFrame):
    """One action: under way, or how it ended. Undo, Check and Retry are asked of whoever holds it."""

    asked = Signal(str, str)
    """(Undo, Check or Retry; the action's id)."""
    historyAsked = Signal(str)
    """Show this action in the Action History."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.action: Action | None = None
        self._title = PlainLabel("", "strong", wrap=True)
        self._words = PlainLabel("", wrap=True, selectable=True)
        self.next_button = Button("", clicked=self._next)
        self.history_button = Button("Show in Action History", clicked=self._history)
        self.close_button = Button("✕", "flat", self.clear, name="Close the outcome")
        head = QHBoxLayout()
        head.setSpacing(6)
        head.addWidget(self._title, 1)
        head.addWidget(self.close_button)
        self._buttons = QWidget()
        flow = FlowLayout(self._buttons)
        for button in (self.next_button, self.history_button):
            flow.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(10, 6, 6, 8)
        column.setSpacing(3)
        column.addLayout(head)
        column.addWidget(self._words)
        column.addWidget(self._buttons)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self.clear()

    def begin(self, about: str) -> None:
        """Something is on its way."""
        self.action = None
        self._say("In progress", about, blocks.INFO)
        self._buttons.hide()
        self.close_button.hide()

    def fail(self, what: str, hint: str = "") -> None:
        """Nothing was recorded or sent."""
        self.action = None
        self._say("Nothing was sent", f"{what} {hint}".strip(), blocks.BAD)
        self._buttons.hide()
        self.close_button.show()

    def show_action(self, action: Action) -> None:
        """How it stands."""
        self.action = action
        found = wording.outcome_finding(action)
        title = wording.status_words(action)
        if http := wording.http_status_words(action.http_status):
            title += f" · {http}"
        if took := wording.took_words(action):
            title += f" · {took}"
        self._say(title, found.words, found.tone)
        following = wording.what_next(action)
        self.next_button.setText(following)
        self.next_button.setAccessibleName(following)
        self.next_button.setVisible(bool(following))
        self._buttons.show()
        self.close_button.setVisible(action.status not in (WAITING, IN_PROGRESS))
        self.busy(False)

    def busy(self, busy: bool) -> None:
        """What was asked of it is under way."""
        self.next_button.setEnabled(not busy)

    def clear(self) -> None:
        """Nothing to tell."""
        self.action = None
        self.hide()

    def _say(self, title: str, words: str, tone: str) -> None:
        self.setProperty("notice", tone)
        self._title.setText(title)
        self._words.setText(words)
        for part in (self, self._title, self._words):
            part.style().unpolish(part)
            part.style().polish(part)
        self.setAccessibleName(f"{title}. {words}"[:500])
        self.show()

    def _next(self) -> None:
        if self.action is not None:
            self.busy(True)
            self.asked.emit(self.next_button.text(), self.action.id)

    def _history(self) -> None:
        if self.action is not None:
            self.historyAsked.emit(self.action.id)
