"""The ledger of hours as a picture: one cell an hour, told apart by colour and height, with words on hover.

Arrow keys move through the hours as the mouse does, so that nothing is said by colour or pointer alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import QEvent, QPoint, QRect, QSize, Qt
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
)
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QToolTip, QVBoxLayout, QWidget

from pod_desktop.services import hours
from pod_desktop.services.hours import Hour
from pod_desktop.ui import theme
from pod_desktop.ui.moments import Zone
from pod_desktop.ui.text import PlainLabel, tip

_CELL: Final = 3
"""Least width of an hour in pixels."""
_ROW: Final = 14
_GAP: Final = 4
_DAY: Final = 24
TITLES: Final = {
    hours.LIVE: "live",
    hours.ARCHIVED: "archived",
    hours.PARTIAL: "partial",
    hours.GAP: "gap",
    hours.OUT_OF_REACH: "out of reach",
}
_HEIGHT: Final = {
    hours.LIVE: 1.0, hours.ARCHIVED: 1.0, hours.PARTIAL: 0.65, hours.GAP: 0.35, hours.OUT_OF_REACH: 0.35,
}  # fmt: skip


def colour(state: str) -> QColor:
    """The colour of a state in the theme that is worn."""
    worn = theme.tokens()
    return QColor(
        {
            hours.LIVE: worn.dot_good,
            hours.ARCHIVED: worn.accent,
            hours.PARTIAL: worn.dot_warn,
            hours.GAP: worn.dot_bad,
        }.get(state, worn.dot_muted)
    )


def summary(found: Sequence[Hour]) -> str:
    """`700 live, 20 archived, 1 gap`."""
    counted = Counter(hour.state for hour in found)
    return ", ".join(f"{counted[state]:,} {TITLES[state]}" for state in hours.STATES if counted[state])


def which(found: Sequence[Hour], zone: Zone) -> str:
    """Which hours these are: the last 30 days, or fewer where less was asked for."""
    if not found or len(found) >= hours.SHOWN:
        return "Hours of the last 30 days"
    return f"Hours since {zone.whole(found[0].begin)[:16]}, where collecting begins"


def told(hour: Hour, zone: Zone) -> str:
    """All there is to say of an hour, in lines."""
    lines = [f"{zone.whole(hour.begin)[:16]}, one hour: {TITLES[hour.state]}", hours.words(hour)]
    archive = "not fetched" if hour.archive is None else f"{hour.archive:,}"
    lines.append(f"{hour.live:,} live · {archive} from the archive · {hour.added:,} added by it")
    if words := hours.difference(hour):
        lines.append(words)
    return "\n".join(lines)


class HourStrip(QWidget):
    """The hours of a stream, oldest first, in as many lines as they need."""

    def __init__(self, zone: Zone, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._zone = zone
        self._hours: tuple[Hour, ...] = ()
        self._chosen: int | None = None
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self._say()

    @property
    def hours(self) -> tuple[Hour, ...]:
        """What is shown."""
        return self._hours

    @property
    def chosen(self) -> Hour | None:
        """The hour that the arrow keys are on."""
        return None if self._chosen is None else self._hours[self._chosen]

    def show_hours(self, found: Sequence[Hour]) -> None:
        """Show these; the place of the arrow keys stays."""
        found = tuple(found)
        if found == self._hours:
            return
        self._hours = found
        if self._chosen is not None:
            self._chosen = min(self._chosen, len(found) - 1) if found else None
        self._say()
        self.updateGeometry()
        self.setFixedHeight(self.heightForWidth(max(self.width(), 1)))
        self.update()

    def _say(self) -> None:
        chosen = self.chosen
        self.setAccessibleName(
            f"{which(self._hours, self._zone)}: {summary(self._hours) or 'nothing known yet'}"
        )
        self.setAccessibleDescription(told(chosen, self._zone) if chosen else "Arrow keys tell hour by hour.")

    # places

    def _columns(self, width: int) -> int:
        return max(_DAY, width // _CELL // _DAY * _DAY)

    def heightForWidth(self, width: int) -> int:
        rows = -(-max(len(self._hours), 1) // self._columns(width))
        return rows * (_ROW + _GAP)

    def sizeHint(self) -> QSize:
        return QSize(_CELL * _DAY * 8, self.heightForWidth(max(self.width(), _CELL * _DAY * 8)))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self.height() != (wanted := self.heightForWidth(self.width())):
            self.setFixedHeight(wanted)

    def cell(self, place: int) -> QRect:
        """Where the hour at a place is painted."""
        columns = self._columns(self.width())
        row, column = divmod(place, columns)
        left, right = self.width() * column // columns, self.width() * (column + 1) // columns
        return QRect(left, row * (_ROW + _GAP), max(1, right - left), _ROW)

    def at(self, point: QPoint) -> int | None:
        """The place of the hour under a point."""
        columns = self._columns(self.width())
        row, below = divmod(point.y(), _ROW + _GAP)
        column = point.x() * columns // max(self.width(), 1)
        place = row * columns + column
        inside = 0 <= column < columns and 0 <= below < _ROW and 0 <= place < len(self._hours)
        return place if inside else None

    # painting

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setPen(Qt.PenStyle.NoPen)
        ground = QColor(theme.tokens().hair)
        colours = {state: colour(state) for state in hours.STATES}
        for place, hour in enumerate(self._hours):
            whole = self.cell(place)
            if not whole.intersects(event.rect()):
                continue
            painter.fillRect(whole, ground)
            height = max(1, round(whole.height() * _HEIGHT[hour.state]))
            filled = QRect(whole.left(), whole.bottom() + 1 - height, max(1, whole.width() - 1), height)
            painter.fillRect(filled, colours[hour.state])
        if self._chosen is not None and self.hasFocus():
            painter.setPen(QColor(theme.tokens().text))
            painter.drawRect(self.cell(self._chosen).adjusted(-1, 0, 0, -1))
        painter.end()

    # hover and keys

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            place = self.at(event.pos())
            if place is None:
                QToolTip.hideText()
            else:
                words = told(self._hours[place], self._zone)
                QToolTip.showText(event.globalPos(), tip(words), self, self.cell(place))
            return True
        return super().event(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if (place := self.at(event.position().toPoint())) is not None:
            self._choose(place)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        columns, last = self._columns(self.width()), len(self._hours) - 1
        now = last + 1 if self._chosen is None else self._chosen
        step = {
            Qt.Key.Key_Left: now - 1,
            Qt.Key.Key_Right: now + 1,
            Qt.Key.Key_Up: now - columns,
            Qt.Key.Key_Down: now + columns,
            Qt.Key.Key_Home: 0,
            Qt.Key.Key_End: last,
        }.get(Qt.Key(event.key()))
        if step is None or last < 0:
            super().keyPressEvent(event)
            return
        self._choose(max(0, min(last, step)))
        cell = self.cell(self._chosen or 0)
        QToolTip.showText(self.mapToGlobal(cell.bottomLeft()), tip(self.accessibleDescription()), self, cell)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.update()

    def _choose(self, place: int) -> None:
        self._chosen = place
        self._say()
        self.update()


class _Swatch(QWidget):
    """A cell of one state, for the legend."""

    def __init__(self, state: str) -> None:
        super().__init__()
        self._state = state
        self.setFixedSize(10, 10)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        height = max(1, round(self.height() * _HEIGHT[self._state]))
        painter.fillRect(QRect(0, self.height() - height, self.width(), height), colour(self._state))
        painter.end()


class HourPicture(QWidget):
    """The strip with its heading and legend."""

    def __init__(self, zone: Zone, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._zone = zone
        self.strip = HourStrip(zone)
        self._words = PlainLabel("", "small", wrap=True)
        legend = QHBoxLayout()
        legend.setSpacing(5)
        for state in hours.STATES:
            legend.addWidget(_Swatch(state))
            legend.addWidget(PlainLabel(TITLES[state], "small"))
            legend.addSpacing(8)
        legend.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 4, 0, 0)
        column.setSpacing(4)
        column.addWidget(self._words)
        column.addWidget(self.strip)
        column.addLayout(legend)
        self.hide()

    def show_hours(self, found: Sequence[Hour]) -> None:
        """Show these; nothing at all while there is nothing to show."""
        self.strip.show_hours(found)
        self._words.setText(f"{which(found, self._zone)}: {summary(found)}.")
        self.setVisible(bool(found))
