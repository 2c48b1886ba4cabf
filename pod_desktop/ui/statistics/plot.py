"""A plot of one part: bars over time or ranked ones. Each bar can be chosen by mouse and by keyboard.

The only module that names pyqtgraph. Its plots neither move nor zoom here: a click is a search.
"""

from __future__ import annotations

from typing import Any, Final

import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPointF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFocusEvent, QFontMetricsF, QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from pod_desktop.core.record import OUTCOMES
from pod_desktop.services.statistics import OVER_TIME, Bar, Part
from pod_desktop.ui import fonts, theme
from pod_desktop.ui.text import cell, tip

_ROW_HEIGHT: Final = 22
_LABEL_WIDTH: Final = 178
_TIME_LABELS: Final = 6
_THICK: Final = 0.66


class Plot(pg.PlotWidget):
    """Shows a part; `chosen` tells the bar that somebody wants to see the records of."""

    chosen = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, enableMenu=False)
        self._part: Part | None = None
        self._current = -1
        self._mark = pg.BarGraphItem(x=[], height=[], width=1)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.viewport().setMouseTracking(True)
        self.setMouseEnabled(x=False, y=False)
        self.hideButtons()
        self.setFrameShape(self.Shape.NoFrame)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.plotItem.setContentsMargins(0, 4, 8, 0)

    @property
    def part(self) -> Part | None:
        return self._part

    @property
    def current(self) -> Bar | None:
        """The bar that the keyboard is on."""
        bars = self._part.bars if self._part is not None else ()
        return bars[self._current] if 0 <= self._current < len(bars) else None

    def show_part(self, part: Part) -> None:
        """Draw it anew."""
        self._part = part
        self._current = min(self._current, len(part.bars) - 1)
        self.setAccessibleName(part.title)
        self.setAccessibleDescription(part.words()[:2_000])
        self._draw()

    def restyle(self) -> None:
        """Colours are others from now on."""
        if self._part is not None:
            self._draw()

    def sizeHint(self) -> QSize:
        part = self._part
        rows = len(part.bars) if part is not None and part.form != OVER_TIME else 8
        return QSize(420, max(3, rows) * _ROW_HEIGHT + 34)

    # drawing

    def _draw(self) -> None:
        part = self._part
        assert part is not None
        worn = theme.tokens()
        self.clear()
        self.setBackground(QColor(worn.window))
        self.setFixedHeight(self.sizeHint().height())
        if part.form == OVER_TIME:
            self._draw_times(part)
        else:
            self._draw_ranks(part)
        self._mark = pg.BarGraphItem(x=[], height=[], width=1, pen=None, brush=QColor(worn.accent_soft))
        self._mark.setZValue(-5)
        self.addItem(self._mark)
        self._draw_mark()

    def _axes(self, bottom: Any, left: Any, *, wide: int) -> None:
        worn = theme.tokens()
        for name, ticks in (("bottom", bottom), ("left", left)):
            axis = self.getAxis(name)
            axis.setPen(QColor(worn.line))
            axis.setTextPen(QColor(worn.note if name == "bottom" or ticks is None else worn.text))
            axis.setStyle(tickFont=fonts.text(fonts.SMALL), tickLength=0, autoExpandTextSpace=False)
            axis.setTicks(ticks)
        self.getAxis("left").setWidth(wide)
        self.getAxis("bottom").setHeight(22)

    def _draw_times(self, part: Part) -> None:
        places = range(len(part.bars))
        floor = [0] * len(part.bars)
        for outcome in OUTCOMES:
            heights = [dict(bar.stack).get(outcome, 0) for bar in part.bars]
            if not any(heights):
                continue
            colour = QColor(theme.bar(theme.OUTCOME_TONE[outcome]))
            self.addItem(
                pg.BarGraphItem(
                    x=list(places), y0=list(floor), height=heights, width=0.8, pen=None, brush=colour
                )
            )
            floor = [low + high for low, high in zip(floor, heights, strict=True)]
        step = max(1, -(-len(part.bars) // _TIME_LABELS))
        # From the middle of the first step: a label that stands out at the left would not be drawn.
        self._axes([[(at, part.bars[at].label) for at in places[step // 2 :: step]]], None, wide=58)
        self.setXRange(-0.6, max(0.6, len(part.bars) - 0.4), padding=0)
        self.setYRange(0, max([1, *floor]) * 1.06, padding=0)

    def _draw_ranks(self, part: Part) -> None:
        worn = theme.tokens()
        counts = [bar.count for bar in part.bars]
        places = [-at for at in range(len(counts))]
        colours = [QColor(theme.bar(_tone(bar)) if bar.stack else worn.accent) for bar in part.bars]
        bars = pg.BarGraphItem(x0=0, y=places, width=counts, height=_THICK, pen=None, brushes=colours)
        bars.setOpacity(1.0 if any(bar.stack for bar in part.bars) else 0.55)
        self.addItem(bars)
        most = max([1, *counts])
        for place, count in zip(places, counts, strict=True):
            label = pg.TextItem(f"{count:,}", color=QColor(worn.note), anchor=(0, 0.5))
            label.setFont(fonts.text(fonts.SMALL))
            label.setPos(count + most * 0.004, place)
            self.addItem(label)
        metrics = QFontMetricsF(fonts.text(fonts.SMALL))
        names = [
            (place, metrics.elidedText(cell(bar.label, 120), Qt.TextElideMode.ElideMiddle, _LABEL_WIDTH - 12))
            for place, bar in zip(places, part.bars, strict=True)
        ]
        self._axes([[]], [names], wide=_LABEL_WIDTH)
        self.setYRange(-max(2, len(counts) - 1) - 0.6, 0.6, padding=0)
        self._fit_numbers()

    def _fit_numbers(self) -> None:
        """Leave room for the number behind the longest bar, however narrow the plot is."""
        part = self._part
        if part is None or part.form == OVER_TIME or not part.bars:
            return
        most = max([1, *(bar.count for bar in part.bars)])
        number = QFontMetricsF(fonts.text(fonts.SMALL)).horizontalAdvance(f"{most:,}") + 14
        room = max(60.0, self.width() - _LABEL_WIDTH - 8.0)
        self.setXRange(0, most * room / max(40.0, room - number), padding=0)

    def _draw_mark(self) -> None:
        """The bar that the keyboard is on stands on a ground of its own."""
        shown = self.hasFocus() and self.current is not None
        if not shown:
            self._mark.setOpts(x=[], y=[], height=[], width=[])
            self._mark.hide()
            return
        (low, high), (bottom, top) = self.viewRange()
        if self._part is not None and self._part.form == OVER_TIME:
            self._mark.setOpts(x=[self._current], y0=[bottom], height=[top - bottom], width=[1])
        else:
            self._mark.setOpts(x0=[low], y=[-self._current], height=[0.96], width=[high - low])
        self._mark.show()

    def resizeEvent(self, event: Any) -> None:
        super().resizeEvent(event)
        if hasattr(self, "_part"):  # the base class resizes while it is made
            self._fit_numbers()
            self._draw_mark()

    # choosing

    def bar_at(self, place: QPointF) -> int:
        """Which bar lies at a place of the widget; -1 for none."""
        part = self._part
        if part is None:
            return -1
        at = self.plotItem.vb.mapSceneToView(self.mapToScene(place.toPoint()))
        value = at.x() if part.form == OVER_TIME else -at.y()
        number = round(value)
        return number if 0 <= number < len(part.bars) else -1

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        if event.button() == Qt.MouseButton.LeftButton and (at := self.bar_at(event.position())) >= 0:
            self._current = at
            self._draw_mark()
            self._choose()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        at = self.bar_at(event.position())
        self.viewport().setCursor(
            Qt.CursorShape.PointingHandCursor if at >= 0 else Qt.CursorShape.ArrowCursor
        )
        if at >= 0 and self._part is not None:
            QToolTip.showText(event.globalPosition().toPoint(), tip(words_of(self._part.bars[at])), self)

    def wheelEvent(self, event: Any) -> None:
        """The page scrolls, not the plot."""
        event.ignore()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Up: -1, Qt.Key.Key_Right: 1, Qt.Key.Key_Down: 1}
        bars = self._part.bars if self._part is not None else ()
        if event.key() in steps and bars:
            self._current = max(0, min(len(bars) - 1, self._current + steps[Qt.Key(event.key())]))
            self._draw_mark()
            self.setAccessibleDescription(words_of(bars[self._current]))
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self._choose()
        else:
            QWidget.keyPressEvent(self, event)

    def _choose(self) -> None:
        if (bar := self.current) is not None and bar.count:
            self.chosen.emit(bar)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        if self._current < 0 and event.reason() != Qt.FocusReason.MouseFocusReason:
            self._current = 0
        self._draw_mark()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._draw_mark()

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self.viewport().unsetCursor()


def words_of(bar: Bar) -> str:
    """`Nov 24 09:00: 1,204 records`, and what they are made of."""
    lines = [f"{cell(bar.label)}: {bar.count:,} {'record' if bar.count == 1 else 'records'}"]
    if len(bar.stack) > 1:
        lines += [f"{outcome} {count:,}" for outcome, count in bar.stack]
    return "\n".join(lines)


def _tone(bar: Bar) -> str:
    return theme.OUTCOME_TONE[bar.stack[0][0]] if bar.stack else ""
