"""The strip of bars: how many records when, stacked by what became of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from pod_desktop.core import blocks
from pod_desktop.core.record import BOUNCED, DEFERRED, DELIVERED, DISCARDED, OTHER, QUARANTINED, REJECTED
from pod_desktop.core.text import plural
from pod_desktop.ui import theme
from pod_desktop.ui.events.timerange import range_words
from pod_desktop.ui.moments import Zone
from pod_desktop.ui.text import tip

STACK: Final = (DELIVERED, OTHER, DISCARDED, DEFERRED, BOUNCED, QUARANTINED, REJECTED)
_TONE: Final = {**theme.OUTCOME_TONE, DELIVERED: blocks.GOOD}
_LEAST_DRAG: Final = 4


class Histogram(QWidget):
    """Bars between two moments."""

    picked = Signal(object, object)
    """(since, until) of a dragged range, microseconds UTC."""
    cleared = Signal()
    """Double click or Esc: no range."""

    def __init__(self, zone: Zone, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._zone = zone
        self._since = self._until = 0
        self._every = 1
        self._bars: dict[int, dict[str, int]] = {}
        self._most = 0
        self._drag: tuple[float, float] | None = None
        self._fixed: tuple[int, int] | None = None
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setAccessibleName("Records over time")

    def sizeHint(self) -> QSize:
        return QSize(600, 50)

    def show_counts(self, since: int, until: int, every: int, counts: Sequence[tuple[int, str, int]]) -> None:
        """Show these counts: (start of bar, outcome, how many)."""
        bars: dict[int, dict[str, int]] = {}
        for start, outcome, count in counts:
            bar = bars.setdefault(start, {})
            bar[outcome] = bar.get(outcome, 0) + count
        self._since, self._until, self._every, self._bars = since, until, max(1, every), bars
        self._most = max((sum(bar.values()) for bar in bars.values()), default=0)
        total = sum(sum(bar.values()) for bar in bars.values())
        self.setAccessibleDescription(
            f"{plural(total, 'record')} between {self._zone.whole(since)} and {self._zone.whole(until)}"
        )
        self.update()

    def mark(self, chosen: tuple[int, int] | None) -> None:
        """Show a range as chosen."""
        self._fixed = chosen
        self.update()

    def shown(self) -> tuple[int, int] | None:
        """The moments between which it counts; None before the first counts."""
        return (self._since, self._until) if self._until else None

    @property
    def peak(self) -> int:
        """Records in the highest bar."""
        return self._most

    def _slots(self) -> tuple[int, int]:
        first = self._since // self._every * self._every
        return first, max(1, -(-(self._until - first) // self._every))

    def _x(self, moment: int) -> float:
        first, slots = self._slots()
        return (moment - first) / (slots * self._every) * self.width()

    def _moment(self, x: float) -> int:
        first, slots = self._slots()
        share = min(1.0, max(0.0, x / max(1, self.width())))
        return first + int(share * slots * self._every)

    def paintEvent(self, event: QPaintEvent) -> None:
        worn = theme.tokens()
        painter = QPainter(self)
        first, slots = self._slots()
        height, wide = self.height(), self.width() / slots
        gap = 2.0 if wide >= 5 else 1.0 if wide >= 3 else 0.0
        colours = {outcome: QColor(theme.bar(_TONE[outcome])) for outcome in STACK}
        if self._most:
            for start, bar in self._bars.items():
                left = (start - first) / self._every * wide
                if not -wide < left < self.width():
                    continue
                floor = float(height)
                for outcome in STACK:
                    if count := bar.get(outcome, 0):
                        tall = count / self._most * height
                        painter.fillRect(
                            QRectF(left, floor - tall, max(1.0, wide - gap), tall), colours[outcome]
                        )
                        floor -= tall
        painter.fillRect(QRectF(0, height - 1, self.width(), 1), QColor(worn.hair))
        if (marked := self._marked()) is not None:
            shade = QColor(worn.accent)
            shade.setAlphaF(0.14)
            painter.fillRect(QRectF(marked[0], 0, marked[1] - marked[0], height), shade)
        painter.end()

    def _marked(self) -> tuple[float, float] | None:
        if self._drag is not None:
            return min(self._drag), max(self._drag)
        if self._fixed is not None and self._most:
            return self._x(self._fixed[0]), self._x(self._fixed[1])
        return None

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._drag = (event.position().x(), event.position().x())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        x = event.position().x()
        if self._drag is not None:
            self._drag = (self._drag[0], x)
            self.update()
        QToolTip.showText(event.globalPosition().toPoint(), tip(self.words_at(x)), self)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        drag, self._drag = self._drag, None
        self.update()
        if drag is not None and abs(drag[1] - drag[0]) >= _LEAST_DRAG and self._most:
            low, high = self._moment(min(drag)), self._moment(max(drag))
            low = low // self._every * self._every
            high = -(-high // self._every) * self._every
            self.picked.emit(low, high)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self._drag = None
        self.cleared.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self._drag = None
            self.update()
            self.cleared.emit()
        else:
            super().keyPressEvent(event)

    def words_at(self, x: float) -> str:
        """What the bar at a place counts."""
        start = self._moment(QPointF(x, 0).x()) // self._every * self._every
        bar = self._bars.get(start, {})
        lines = [
            f"{range_words(self._zone, start, start + self._every)}: {plural(sum(bar.values()), 'record')}"
        ]
        lines += [f"{outcome} {bar[outcome]:,}" for outcome in reversed(STACK) if bar.get(outcome)]
        return "\n".join(lines)
