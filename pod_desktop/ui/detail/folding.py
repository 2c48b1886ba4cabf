"""A viewer of JSON text whose objects and lists fold: click the triangle, or press Enter in its line."""

from __future__ import annotations

import re
from typing import Final

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtGui import (
    QColor,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPolygon,
    QResizeEvent,
    QTextBlock,
    QTextOption,
)
from PySide6.QtWidgets import QPlainTextEdit, QWidget

from pod_desktop.ui import fonts, theme

_OPENS: Final = re.compile(r'\s*(?:"(?:[^"\\]|\\.)*": )?[{\[]')
_GUTTER: Final = 16


def regions(lines: list[str]) -> dict[int, int]:
    """Line of each opening bracket -> line of its closing one, of text with one bracket a line."""
    found: dict[int, int] = {}
    opened: list[int] = []
    for number, line in enumerate(lines):
        if opened and line.lstrip()[:1] in ("}", "]"):
            start = opened.pop()
            if number - start > 1:
                found[start] = number
        if line[-1:] in ("{", "[") and _OPENS.fullmatch(line):
            opened.append(number)
    return found


class _Gutter(QWidget):
    def __init__(self, viewer: FoldingViewer) -> None:
        super().__init__(viewer)
        self._viewer = viewer
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def sizeHint(self) -> QSize:
        return QSize(_GUTTER, 0)

    def paintEvent(self, event: QPaintEvent) -> None:
        self._viewer.paint_gutter(self, event.rect())

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._viewer.toggle_at(event.position().toPoint().y())


class FoldingViewer(QPlainTextEdit):
    """Read only; knows which of its lines can be folded."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._regions: dict[int, int] = {}
        self._folded: set[int] = set()
        self.setReadOnly(True)
        self.setProperty("role", "viewer")
        self.setFont(fonts.mono())
        self.setTabChangesFocus(True)
        self.setUndoRedoEnabled(False)
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self._gutter = _Gutter(self)
        self.setViewportMargins(_GUTTER, 0, 0, 0)
        self.updateRequest.connect(self._scroll_gutter)

    def show_text(self, text: str) -> None:
        """Show other text, unfolded."""
        self._folded.clear()
        self._regions = regions(text.split("\n"))
        self.setPlainText(text)
        self._gutter.update()

    @property
    def foldable(self) -> int:
        """How many objects and lists can be folded."""
        return len(self._regions)

    def folded(self) -> set[int]:
        """Lines whose contents are hidden."""
        return set(self._folded)

    def toggle(self, line: int) -> None:
        """Fold or unfold what begins in a line."""
        if line in self._regions:
            self._folded ^= {line}
            self._apply()

    def fold_all(self) -> None:
        """Fold everything below the outermost object."""
        self._folded = {line for line in self._regions if line > 0}
        self._apply()

    def unfold_all(self) -> None:
        """Show all lines."""
        self._folded = set()
        self._apply()

    def _apply(self) -> None:
        hidden_to = -1
        block = self.document().firstBlock()
        while block.isValid():
            number = block.blockNumber()
            shown = number >= hidden_to
            if block.isVisible() != shown:
                block.setVisible(shown)
                block.setLineCount(max(1, block.layout().lineCount()) if shown else 0)
            if shown and number in self._folded:
                hidden_to = self._regions[number]
            block = block.next()
        layout = self.document().documentLayout()
        self.document().markContentsDirty(0, self.document().characterCount())
        layout.documentSizeChanged.emit(layout.documentSize())
        self.viewport().update()
        self._gutter.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.toggle(self.textCursor().blockNumber())
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        inner = self.contentsRect()
        self._gutter.setGeometry(QRect(inner.left(), inner.top(), _GUTTER, inner.height()))

    def _scroll_gutter(self, rect: QRect, dy: int) -> None:
        if dy:
            self._gutter.scroll(0, dy)
        else:
            self._gutter.update(0, rect.y(), _GUTTER, rect.height())

    def _seen(self) -> list[tuple[QTextBlock, int, int]]:
        """(block, top, bottom) of the blocks in sight."""
        found = []
        block = self.firstVisibleBlock()
        bottom = self.viewport().height()
        while block.isValid():
            box = self.blockBoundingGeometry(block).translated(self.contentOffset())
            if box.top() > bottom:
                break
            if block.isVisible():
                found.append((block, round(box.top()), round(box.bottom())))
            block = block.next()
        return found

    def toggle_at(self, y: int) -> None:
        """Fold or unfold what begins in the line at a height."""
        for block, top, bottom in self._seen():
            if top <= y < bottom:
                self.toggle(block.blockNumber())
                return

    def paint_gutter(self, gutter: QWidget, dirty: QRect) -> None:
        """The triangles."""
        worn = theme.tokens()
        painter = QPainter(gutter)
        painter.fillRect(dirty, QColor(worn.window))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(worn.note))
        for block, top, _bottom in self._seen():
            number = block.blockNumber()
            if number in self._regions:
                middle = top + self.fontMetrics().height() // 2
                if number in self._folded:
                    painter.drawPolygon(_triangle((6, middle - 4), (11, middle), (6, middle + 4)))
                else:
                    painter.drawPolygon(_triangle((4, middle - 2), (12, middle - 2), (8, middle + 3)))
        painter.end()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if not self._folded:
            return
        painter = QPainter(self.viewport())
        painter.setFont(self.font())
        painter.setPen(QColor(theme.tokens().note))
        metrics = self.fontMetrics()
        for block, top, _bottom in self._seen():
            if (number := block.blockNumber()) in self._folded:
                left = metrics.horizontalAdvance(block.text()) + 8 + int(self.contentOffset().x())
                words = f"… {self._regions[number] - number - 1:,} lines"
                painter.drawText(left, top + metrics.ascent(), words)
        painter.end()


def _triangle(*corners: tuple[int, int]) -> QPolygon:
    return QPolygon([QPoint(*corner) for corner in corners])
