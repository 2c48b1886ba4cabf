"""Something long that goes on beside the work: what it is, how far, Cancel; then what came of it, in place."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPlainTextEdit, QProgressBar, QVBoxLayout, QWidget

from pod_desktop.core import limits
from pod_desktop.ui.folders import path_buttons
from pod_desktop.ui.text import PlainLabel, block, copy
from pod_desktop.ui.widgets.buttons import Button

_LINES: Final = 500
_FINE: Final = 1_000


class ActivityPanel(QFrame):
    """A strip for one activity: progress while it runs, then its result with details to unfold."""

    cancelled = Signal()
    closed = Signal()

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._details = ""
        self._running = True
        self.setProperty("role", "card")
        self.setAccessibleName(title)
        self._title = PlainLabel(title, "strong")
        self._words = PlainLabel("", "note")
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setAccessibleName(f"{title}: progress")
        self._bar.setRange(0, 0)
        self._lines = QPlainTextEdit(readOnly=True)
        self._lines.setProperty("role", "code")
        self._lines.setAccessibleName("Details")
        self._lines.setTabChangesFocus(True)
        self._lines.setFixedHeight(120)
        self._lines.hide()
        self._more = Button("Show details", "link", self._unfold)
        self._copy = Button("Copy details", "link", lambda: copy(self._details))
        self._stop = Button("Cancel", "plain", self._end)
        for button in (self._more, self._copy):
            button.hide()
        row = self._row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self._title)
        row.addWidget(self._words, 1)
        for button in (self._more, self._copy, self._stop):
            row.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 8, 8, 8)
        column.setSpacing(6)
        column.addLayout(row)
        column.addWidget(self._bar)
        column.addWidget(self._lines)

    @property
    def running(self) -> bool:
        """Neither finished nor cancelled."""
        return self._running

    def progress(self, done: int, total: int, words: str = "") -> None:
        """How far it is; a total of 0 means nobody knows."""
        if not self._running:
            return
        self._bar.setRange(0, _FINE if total > 0 else 0)
        if total > 0:
            self._bar.setValue(min(_FINE, done * _FINE // total))
        self._words.setText(words or f"{done:,} of {total:,}" if total else words or f"{done:,}")

    def finish(
        self, words: str, details: Sequence[str] = (), *, failed: bool = False, written: Path | None = None
    ) -> None:
        """It is over: what came of it, and lines to read on (bad lines of a file, for instance).

        Args:
            written: a file that was made; ways to it are offered.
        """
        self._running = False
        self._bar.hide()
        self._words.setText(words)
        self._words.setProperty("role", "fault" if failed else "note")
        self._words.style().unpolish(self._words)
        self._words.style().polish(self._words)
        shown = [block(line, limits.CELL_CHARS) for line in details[:_LINES]]
        if len(details) > _LINES:
            shown.append(f"… and {len(details) - _LINES:,} more")
        self._details = "\n".join(shown)
        self._lines.setPlainText(self._details)
        self._more.setVisible(bool(shown))
        self._copy.setVisible(bool(shown))
        if written is not None:
            self._row.insertWidget(self._row.indexOf(self._stop), path_buttons(written))
        self._stop.setText("Close")
        self._stop.setAccessibleName("Close")
        self.setAccessibleDescription(words)

    def _unfold(self) -> None:
        shown = self._lines.isHidden()
        self._lines.setVisible(shown)
        self._more.setText("Hide details" if shown else "Show details")

    def _end(self) -> None:
        if self._running:
            self._words.setText("Cancelling …")
            self.cancelled.emit()
        else:
            self.closed.emit()
            self.deleteLater()
