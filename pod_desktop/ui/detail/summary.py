"""The Summary tab: draws the neutral blocks of core.blocks. All of it plain text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QLayout,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from pod_desktop.core.blocks import Block, Chip, Chips, Facts, Lines, Notice, Score, Scores
from pod_desktop.ui import theme
from pod_desktop.ui.text import PlainLabel, tip
from pod_desktop.ui.widgets import Chip as ChipLabel
from pod_desktop.ui.widgets import Notice as NoticeBox
from pod_desktop.ui.widgets.flow import FlowLayout

_MOST_ROWS: Final = 100
_MOST_BLOCKS: Final = 40
_LABEL_WIDTH: Final = 122


class SummaryView(QScrollArea):
    """Blocks, one below the other."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName("Summary")
        self._blocks: tuple[Block, ...] | None = None
        self._below: Callable[[], QWidget] | None = None
        self._shown_below: QWidget | None = None
        self.show_blocks(())

    def show_blocks(self, blocks: Sequence[Block]) -> None:
        """Show these blocks, from the top."""
        shown = tuple(blocks[:_MOST_BLOCKS])
        if shown == self._blocks:
            return
        self._blocks = shown
        page = QWidget()
        page.setProperty("role", "page")
        column = QVBoxLayout(page)
        column.setContentsMargins(12, 12, 12, 12)
        column.setSpacing(10)
        for block in shown:
            column.addWidget(_drawn(block))
        if len(blocks) > _MOST_BLOCKS:
            column.addWidget(PlainLabel("More in Fields and JSON.", "note"))
        column.addStretch(1)
        self._shown_below = None
        self.setWidget(page)  # the old page is deleted by the scroll area
        self.verticalScrollBar().setValue(0)
        self.show_below(self._below)

    def show_below(self, make: Callable[[], QWidget] | None) -> None:
        """Show something below the blocks that came later than they; None takes it away."""
        self._below = make
        if self._shown_below is not None:
            self._shown_below.hide()
            self._shown_below.deleteLater()
            self._shown_below = None
        if make is None or not self._blocks:
            return
        page = self.widget()
        column = page.layout() if page is not None else None
        assert isinstance(column, QVBoxLayout)
        self._shown_below = make()
        column.insertWidget(column.count() - 1, self._shown_below)


def _drawn(block: Block) -> QWidget:
    match block:
        case Notice():
            return NoticeBox(block.text, block.tone)
        case Facts():
            return _facts(block)
        case Chips():
            return _titled(block.title, _chips(block.chips))
        case Scores():
            return _scores(block)
        case Lines():
            return _lines(block)


def _titled(title: str, *parts: QWidget) -> QWidget:
    box = QWidget()
    column = QVBoxLayout(box)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(5)
    if title:
        column.addWidget(PlainLabel(title, "heading", wrap=True))
    for part in parts:
        column.addWidget(part)
    return box


def _chips(chips: Sequence[Chip]) -> QWidget:
    box = QWidget()
    flow = FlowLayout(box)
    for chip in chips[:_MOST_ROWS]:
        flow.addWidget(ChipLabel(chip.text, chip.tone, chip.tip))
    return box


def _grid() -> tuple[QWidget, QGridLayout]:
    box = QWidget()
    grid = QGridLayout(box)
    grid.setContentsMargins(0, 0, 0, 0)
    grid.setHorizontalSpacing(6)
    grid.setVerticalSpacing(5)
    grid.setColumnMinimumWidth(0, _LABEL_WIDTH)
    grid.setColumnStretch(1, 1)
    grid.setSizeConstraint(QLayout.SizeConstraint.SetMinimumSize)
    return box, grid


def _label(words: str) -> PlainLabel:
    label = PlainLabel(words, "note", wrap=True)
    label.setFixedWidth(_LABEL_WIDTH)
    label.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
    return label


def _facts(block: Facts) -> QWidget:
    box, grid = _grid()
    for number, fact in enumerate(block.rows[:_MOST_ROWS]):
        grid.addWidget(_label(fact.label), number, 0, Qt.AlignmentFlag.AlignTop)
        value = _Value(fact.value, "mono" if fact.mono else "", wrap=True, selectable=True)
        value.setAccessibleName(f"{fact.label}: {fact.value}"[:500])
        value.setToolTip(tip(fact.tip))
        if fact.chips:
            holder = QWidget()
            flow = FlowLayout(holder)
            for chip in fact.chips[:_MOST_ROWS]:
                flow.addWidget(ChipLabel(chip.text, chip.tone, chip.tip))
            if fact.value:
                flow.addWidget(value)
            grid.addWidget(holder, number, 1)
        else:
            grid.addWidget(value, number, 1)
    if len(block.rows) > _MOST_ROWS:
        grid.addWidget(PlainLabel("More in Fields.", "note"), _MOST_ROWS, 1)
    return _titled(block.title, box)


def _scores(block: Scores) -> QWidget:
    box, grid = _grid()
    for number, score in enumerate(block.rows[:_MOST_ROWS]):
        grid.addWidget(_label(score.label), number, 0)
        grid.addWidget(_ScoreBar(score), number, 1)
    return _titled(block.title, box)


def _lines(block: Lines) -> QWidget:
    shown = list(block.lines[:_MOST_ROWS])
    if len(block.lines) > _MOST_ROWS:
        shown.append(f"… and {len(block.lines) - _MOST_ROWS:,} more")
    return _titled(block.title, *(PlainLabel(line, "mono", wrap=True, selectable=True) for line in shown))


class _Value(PlainLabel):
    """Wraps where it must, and otherwise asks for one line."""

    def sizeHint(self) -> QSize:
        self.ensurePolished()
        wide = max(self.fontMetrics().horizontalAdvance(line) for line in self.text().split("\n"))
        return QSize(wide + 2, self.heightForWidth(wide + 2))


class _ScoreBar(QWidget):
    """A number and how long its bar is."""

    def __init__(self, score: Score) -> None:
        super().__init__()
        self._score = score
        value = score.value
        self._words = f"{value:g}"
        self.setAccessibleName(f"{score.label}: {self._words} of {score.most:g}")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return QSize(160, 17)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QColor(theme.tokens().text))
        metrics = painter.fontMetrics()
        painter.drawText(0, (self.height() + metrics.ascent() - metrics.descent()) // 2, self._words)
        left = max(26, metrics.horizontalAdvance(self._words) + 6)
        share = min(1.0, max(0.0, self._score.value / self._score.most)) if self._score.most > 0 else 0.0
        if share > 0:
            room = min(230, self.width() - left - 4)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(theme.bar(self._score.tone)))
            painter.drawRoundedRect(
                QRectF(left, self.height() / 2 - 3.5, max(4.0, room * share), 7), 3.5, 3.5
            )
        painter.end()
