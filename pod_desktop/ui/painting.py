"""What several painters share: chips as pixmaps, kept while the theme is worn."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPixmap

from pod_desktop.ui import fonts, theme

CHIP_HEIGHT: Final = 19
_KEPT: Final = 500
_SIDES: Final = 14
"""Left and right of the words, together."""


class ChipPainter:
    """Draws each chip once and keeps it."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str, float, str], QPixmap] = {}
        self._font = fonts.text(fonts.NOTE, QFont.Weight.Medium)
        self._metrics = QFontMetricsF(self._font)

    def pixmap(self, words: str, tone: str, ratio: float) -> QPixmap:
        """The chip at a screen's pixel ratio."""
        worn = theme.tokens()
        key = (words, tone, ratio, worn.name)
        made = self._kept.get(key)
        if made is None:
            if len(self._kept) > _KEPT:
                self._kept.clear()
            made = self._kept[key] = self._draw(words, worn.tone(tone), ratio)
        return made

    def fitted(self, words: str, room: int) -> str:
        """The words, cut with … where the chip has no more room than so many pixels."""
        if self.width(words) <= room:
            return words
        return self._metrics.elidedText(words, Qt.TextElideMode.ElideRight, max(0, room - _SIDES))

    def width(self, words: str) -> float:
        """How wide the chip is."""
        return float(round(self._metrics.horizontalAdvance(words))) + _SIDES

    def _draw(self, words: str, ink: theme.Ink, ratio: float) -> QPixmap:
        width = self.width(words)
        pixmap = QPixmap(int(width * ratio + 0.5), int(CHIP_HEIGHT * ratio + 0.5))
        pixmap.setDevicePixelRatio(ratio)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(ink.back))
        painter.drawRoundedRect(QRectF(0, 0, width, CHIP_HEIGHT), 4, 4)
        painter.setPen(QColor(ink.fore))
        painter.setFont(self._font)
        baseline = (CHIP_HEIGHT + self._metrics.ascent() - self._metrics.descent()) / 2
        painter.drawText(7, round(baseline), words)
        painter.end()
        return pixmap
