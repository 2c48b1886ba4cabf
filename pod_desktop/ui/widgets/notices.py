"""Things that catch the eye: notices, chips, dots. The words say it, the colour repeats it."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from pod_desktop.core import blocks
from pod_desktop.ui import theme
from pod_desktop.ui.text import PlainLabel, cell, tip

_CHIP_CHARS: Final = 64


class Notice(QFrame):
    """A coloured box with something to read before all else."""

    def __init__(
        self,
        words: str = "",
        tone: str = blocks.WARN,
        title: str = "",
        *,
        button: QWidget | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._title = PlainLabel("", "strong", wrap=True, selectable=True)
        self._words = PlainLabel("", wrap=True, selectable=True)
        self._offered: QWidget | None = None
        row = self._row = QHBoxLayout(self)
        row.setContentsMargins(10, 7, 10, 7)
        row.setSpacing(8)
        layout = QVBoxLayout()
        layout.setSpacing(1)
        layout.addWidget(self._title)
        layout.addWidget(self._words)
        row.addLayout(layout, 1)
        if button is not None:
            row.addWidget(button)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self.say(words, tone, title)

    def say(self, words: str, tone: str = blocks.WARN, title: str = "") -> None:
        """Show other words; without any it hides. What was offered with the words before goes."""
        if self._offered is not None:
            self._row.removeWidget(self._offered)
            self._offered.hide()
            self._offered.deleteLater()
            self._offered = None
        self.setProperty("notice", tone)
        self.style().unpolish(self)
        self.style().polish(self)
        for label, text in ((self._title, title), (self._words, words)):
            label.setText(text)
            label.setVisible(bool(text))
            label.style().unpolish(label)
            label.style().polish(label)
        self.setAccessibleName(f"{title} {words}".strip()[:500])
        self.setVisible(bool(words or title))

    def offer(self, buttons: QWidget) -> None:
        """Ways to go on from these words, until others are said."""
        self._offered = buttons
        self._row.addWidget(buttons)


class Chip(PlainLabel):
    """A short word on a coloured ground."""

    def __init__(
        self, words: str, tone: str = blocks.MUTED, note: str = "", *, parent: QWidget | None = None
    ) -> None:
        super().__init__(cell(words, _CHIP_CHARS), "chip", parent=parent)
        self.setProperty("chip", tone)
        self.setIndent(0)
        self.setToolTip(tip(note))
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        self.ensurePolished()  # else it is measured in the face it had before
        return super().sizeHint()


class Dot(QWidget):
    """A small round light; what it means stands beside it in words."""

    def __init__(self, tone: str = blocks.MUTED, *, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tone = tone
        self.setFixedSize(QSize(8, 8))

    def show_tone(self, tone: str) -> None:
        """Change the colour to that of a tone."""
        if tone != self._tone:
            self._tone = tone
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.dot(self._tone)))
        painter.drawEllipse(QRectF(0, 0, 8, 8))
        painter.end()
