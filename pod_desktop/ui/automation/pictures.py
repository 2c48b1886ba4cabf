"""Small pictures: firings over time by outcome, and the sparkline in the list of playbooks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from PySide6.QtCore import QEvent, QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QSizePolicy,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QToolTip,
    QWidget,
)

from pod_desktop.core import blocks
from pod_desktop.core.clock import HOUR
from pod_desktop.core.playbook_limits import ACT, HELD, LIMITED, MUTED, WOULD_ACT
from pod_desktop.ui import theme
from pod_desktop.ui.moments import Zone
from pod_desktop.ui.text import tip

STACK: Final = (ACT, HELD, MUTED, LIMITED)
OUTCOME_WORD: Final = {ACT: "would act", HELD: "held", MUTED: "muted", LIMITED: "over the limits"}
_TONE: Final = {
    ACT: blocks.BAD, "acted": blocks.BAD, HELD: blocks.WARN, MUTED: blocks.MUTED, LIMITED: "limited",
    WOULD_ACT: "would", "errors": blocks.BAD,
}  # fmt: skip
_SPARK_STACK: Final = ("acted", WOULD_ACT, HELD, MUTED, LIMITED, "errors")
SPARK_BARS: Final = 28
SPARK_HOURS: Final = 7 * 24


def bar_colour(outcome: str) -> QColor:
    """The colour of an outcome's bars."""
    worn = theme.tokens()
    tone = _TONE[outcome]
    if tone == "would":
        return QColor(worn.accent)
    if tone == "limited":
        return QColor(worn.special.fore)
    return QColor(theme.bar(tone))


class FiringsPicture(QWidget):
    """Bars between two moments: how many firings when, stacked by what became of them."""

    picked = Signal(object, object)
    """(since, until) of a bar that was pressed, microseconds UTC."""

    def __init__(self, zone: Zone, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._zone = zone
        self._since, self._until, self._every = 0, 1, 1
        self._bars: dict[int, dict[str, int]] = {}
        self.setMouseTracking(True)
        self.setFixedHeight(58)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Firings over time")

    def show_counts(self, since: int, until: int, every: int, counts: Sequence[tuple[int, str, int]]) -> None:
        """Show (start of bar, outcome, firings)."""
        bars: dict[int, dict[str, int]] = {}
        for start, outcome, count in counts:
            bar = bars.setdefault(start, {})
            bar[outcome] = bar.get(outcome, 0) + count
        self._since, self._until, self._every, self._bars = since, max(until, since + 1), max(1, every), bars
        total = sum(sum(bar.values()) for bar in bars.values())
        self.setAccessibleDescription(f"{total:,} firings in {len(bars):,} bars")
        self.update()

    @property
    def bars(self) -> dict[int, dict[str, int]]:
        """Start of each bar, and its firings by outcome."""
        return self._bars

    def _slots(self) -> tuple[int, int]:
        first = self._since // self._every * self._every
        return first, max(1, -(-(self._until - first) // self._every))

    def sizeHint(self) -> QSize:
        return QSize(300, 58)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        first, slots = self._slots()
        wide, height = self.width() / slots, self.height() - 1
        gap = 2.0 if wide >= 5 else 1.0 if wide >= 3 else 0.0
        most = max((sum(bar.values()) for bar in self._bars.values()), default=0)
        for start, bar in self._bars.items():
            left, floor = (start - first) / self._every * wide, float(height)
            for outcome in STACK:
                if count := bar.get(outcome, 0):
                    tall = max(2.0, count / most * height)
                    painter.fillRect(
                        QRectF(left, floor - tall, max(2.0, wide - gap), tall), bar_colour(outcome)
                    )
                    floor -= tall
        painter.fillRect(QRectF(0, height, self.width(), 1), QColor(theme.tokens().line))
        painter.end()

    def _start_at(self, x: float) -> int:
        first, slots = self._slots()
        slot = min(slots - 1, max(0, int(x / max(1, self.width()) * slots)))
        return first + slot * self._every

    def words_at(self, x: float) -> str:
        """What the bar at a place counts."""
        start = self._start_at(x)
        bar = self._bars.get(start, {})
        begin, end = (f"{self._zone.local(moment):%b %d %H:%M}" for moment in (start, start + self._every))
        lines = [f"{begin} – {end}: {sum(bar.values()):,} firings"]
        lines += [f"{OUTCOME_WORD[outcome]} {bar[outcome]:,}" for outcome in STACK if bar.get(outcome)]
        return "\n".join(lines)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        QToolTip.showText(event.globalPosition().toPoint(), tip(self.words_at(event.position().x())), self)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        start = self._start_at(event.position().x())
        self.picked.emit(start, start + self._every)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        self.update()


def spark_bars(hours: Sequence[tuple[int, str, int]], now: int) -> list[dict[str, int]]:
    """The last seven days in SPARK_BARS bars, each with its numbers by outcome."""
    each = SPARK_HOURS // SPARK_BARS * HOUR
    end = now // each * each + each
    bars: list[dict[str, int]] = [{} for _ in range(SPARK_BARS)]
    for hour, outcome, number in hours:
        place = SPARK_BARS - 1 - (end - 1 - hour) // each
        if 0 <= place < SPARK_BARS:
            bars[place][outcome] = bars[place].get(outcome, 0) + number
    return bars


class SparklineDelegate(QStyledItemDelegate):
    """Draws the last seven days of a playbook into its cell."""

    def __init__(self, bars_of: Callable[[int], Sequence[dict[str, int]]], parent: QWidget) -> None:
        """`bars_of`: row -> spark_bars()."""
        super().__init__(parent)
        self._bars_of = bars_of

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        painter.save()
        style = option.widget.style()
        style.drawPrimitive(QStyle.PrimitiveElement.PE_PanelItemViewItem, option, painter, option.widget)
        draw_spark(painter, option.rect.adjusted(8, 5, -8, -6), self._bars_of(index.row()))
        painter.restore()


def draw_spark(painter: QPainter, room: QRect, bars: Sequence[dict[str, int]]) -> None:
    """Bars in a rectangle, over a line."""
    wide = room.width() / max(1, len(bars))
    most = max((sum(bar.values()) for bar in bars), default=0)
    floor = room.bottom() + 1.0
    painter.fillRect(QRectF(room.left(), floor - 1, room.width(), 1), QColor(theme.tokens().line))
    for place, bar in enumerate(bars):
        top: float = floor - 1
        for outcome in _SPARK_STACK:
            if count := bar.get(outcome, 0):
                tall = max(2.0, count / most * (room.height() - 1))
                box = QRectF(room.left() + place * wide, top - tall, max(2.0, wide - 1), tall)
                painter.fillRect(box, bar_colour(outcome))
                top -= tall
