"""The notice above the rows while a search has to read every record: make the field a search column."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from pod_desktop.services.columns import FAILED, READY, ColumnState
from pod_desktop.ui.searchcolumns import Columns, fault_words, shown
from pod_desktop.ui.widgets import Button, Notice

SLOW_SECONDS: Final = 1.0
"""Searches that are over sooner need no help."""
_LOOK_MS: Final = 1_000


class SlowPath(QWidget):
    """Hidden while there is nothing to say."""

    search_again = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.columns: Columns | None = None
        """Given by whoever owns the store; without it nothing is offered."""
        self._asked = ""
        self._path = ""
        self._growing = False
        self._refused: set[str] = set()
        self.make = Button("Make it a search column …", "link", self._offer)
        self.again = Button("Search again", "link", self._again)
        self.away = Button("Not now", "link", self._not_now, name="Close this notice")
        buttons = QWidget()
        row = QHBoxLayout(buttons)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(14)
        for button in (self.make, self.again, self.away):
            row.addWidget(button)
        self.notice = Notice(tone="info", button=buttons)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.notice)
        self._looking = QTimer(self, interval=_LOOK_MS)
        self._looking.timeout.connect(self._look)
        self.hide()

    def told(self, text: str, seconds: float) -> None:
        """A search for this has taken, or takes already, so long."""
        if self.columns is None or self._growing:
            return
        if text != self._asked:
            self._asked = ""
            self.hide()
        if text.strip() and seconds >= SLOW_SECONDS and self._asked != text:
            self._asked = text
            desk = self.columns.desk
            self.columns.worker.ask(
                lambda: desk.slow(text), self._found, lambda _error: None, owner=self, key="slow"
            )

    def _found(self, paths: Sequence[str]) -> None:
        path = next((one for one in paths if one not in self._refused), "")
        if path and self._asked and not self._growing:
            self._path = path
            self._say(
                f"{shown(path)} has no index, so every record is read.",
                "As a search column it is found at once.",
                self.make,
            )

    def _say(self, title: str, words: str, button: Button | None, tone: str = "info") -> None:
        self.notice.say(words, tone, title)
        for one in (self.make, self.again):
            one.setVisible(one is button)
        self.away.setText("Not now" if button is self.make else "Close")
        self.show()

    def _offer(self) -> None:
        self.offer(self._path)

    def offer(self, path: str) -> None:
        """Ask about this field, whatever is shown."""
        if self.columns is not None:
            self.columns.offer(path, self.window(), lambda: self._grow(path))

    def _grow(self, path: str) -> None:
        self._path, self._growing = path, True
        self._say(f"{shown(path)} is being made a search column.", "It begins at once.", None)
        self._looking.start()
        self._look()

    def _look(self) -> None:
        if (columns := self.columns) is not None:
            columns.worker.ask(columns.desk.states, self._grown, self._lost, owner=self, key="states")

    def _grown(self, states: Sequence[ColumnState]) -> None:
        if not self._growing:
            return
        state = next((one for one in states if one.path == self._path), None)
        if state is None:
            self._not_now()
        elif state.state == READY:
            self._end()
            self._say(f"{shown(self._path)} is a search column now.", state.words, self.again, "good")
        else:
            tone = "warn" if state.state == FAILED else "info"
            self._say(f"{shown(self._path)} is being made a search column.", state.words, None, tone)

    def _lost(self, error: BaseException) -> None:
        self._say("How far it is cannot be told.", fault_words(error), None, "warn")

    def _again(self) -> None:
        self.hide()
        self.search_again.emit()

    def _not_now(self) -> None:
        if not self._growing:
            self._refused.add(self._path)
        self._end()
        self.hide()

    def _end(self) -> None:
        self._growing = False
        self._looking.stop()

    def stop(self) -> None:
        """The window closes."""
        self._looking.stop()
        if self.columns is not None:
            self.columns.stop()
