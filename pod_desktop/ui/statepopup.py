"""What collectors do, in sentences and with a picture of their hours: opened from the status bar."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Final

from PySide6.QtCore import QEvent, QPoint, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from pod_desktop.core.clock import SECOND
from pod_desktop.core.status import StreamStatus
from pod_desktop.services.hours import Hour
from pod_desktop.ui import theme
from pod_desktop.ui.bridge import Overview
from pod_desktop.ui.events.columns import KIND_WORD
from pod_desktop.ui.moments import Zone, ago, span
from pod_desktop.ui.text import PlainLabel
from pod_desktop.ui.widgets import Dot
from pod_desktop.ui.widgets.hourstrip import HourPicture

_INNER: Final = 446
"""Pixels: six days of hours a line, also beside a scroll bar."""
_SIDE: Final = 14
_EDGE: Final = 2
"""Pixels around everything: the line of the frame, and as much again."""
_MOST: Final = 12
"""Streams that are told of."""
_HOURS_SECONDS: Final = 10
"""How often the ledger of hours is read again."""


def explained(stream: StreamStatus, zone: Zone, now: int, *, with_hours: bool = True) -> list[str]:
    """A stream's state in sentences; `now` in microseconds UTC, `with_hours` tells the ledger of hours too."""
    lines = [stream.what] if stream.what else []
    lines += [stream.hint] if stream.hint else []
    if stream.next_try:
        lines.append(f"Next try {ago(stream.next_try, now)}, at {zone.clock(stream.next_try)}.")
    if stream.last_activity:
        # `now` is a whole second, and may lie before it.
        lines.append(f"Last heard of {ago(min(stream.last_activity, now), now)}.")
    counted = stream.counters
    numbers = [f"{counted.received:,} received", f"{counted.stored:,} stored"]
    for count, word in (
        (counted.duplicates, "duplicates"),
        (counted.filtered, "filtered"),
        (counted.quarantined, "unreadable"),
    ):
        numbers += [f"{count:,} {word}"] if count else []
    lines.append(" · ".join(numbers))
    if stream.notice:
        lines.append(stream.notice)
    if stream.hours_left:
        left = f", about {span(stream.time_left_s)} more" if stream.time_left_s is not None else ""
        lines.append(f"{stream.hours_left:,} hours of the archive left{left}.")
    if stream.hours and with_hours:
        told = ", ".join(f"{count:,} {state.replace('_', ' ')}" for state, count in stream.hours)
        lines.append(f"Hours of the last 30 days: {told}. Details show each.")
    for begin, end in stream.gaps[:3]:
        lines.append(f"Missing: {zone.whole(begin)[:19]} to {zone.whole(end)[:19]}.")
    if len(stream.gaps) > 3:
        lines.append(f"… and {len(stream.gaps) - 3} more gaps.")
    return lines


def _state_line(stream: StreamStatus, zone: Zone) -> str:
    code = f" ({stream.code})" if stream.code else ""
    return f"{theme.STATE_WORD[stream.state].capitalize()}{code} since {zone.clock(stream.since)}"


class StatePopup(QFrame):
    """What collectors do; Esc closes it, arrow keys scroll where it is longer than the window."""

    hours_wanted = Signal(str)
    """The ledger of hours of this connector is to be shown: show_hours() takes it."""

    def __init__(self, names: set[str], zone: Zone, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setProperty("role", "popup")
        self.setAccessibleName("Collector state")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._names = names
        self._window = parent
        self._zone = zone
        self._told: dict[str, _Told] = {}
        self._hours: dict[tuple[str, str], Sequence[Hour]] = {}
        self._asked = 0
        self._above = QPoint()
        self.setFixedWidth(_INNER + 2 * (_SIDE + _EDGE))
        self._body = QWidget()
        self._body.setProperty("role", "panel")
        self._column = QVBoxLayout(self._body)
        self._column.setContentsMargins(_SIDE, 12, _SIDE, 6)
        self._column.setSpacing(4)
        self.area = QScrollArea()
        self.area.setWidget(self._body)
        self.area.setWidgetResizable(True)
        self.area.setFrameShape(QFrame.Shape.NoFrame)
        self.area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._foot = PlainLabel("Esc closes", "small")
        self._foot.setContentsMargins(_SIDE, 0, _SIDE, 10)
        column = QVBoxLayout(self)
        column.setContentsMargins(1, 1, 1, 1)
        column.setSpacing(0)
        column.addWidget(self.area, 1)
        column.addWidget(self._foot)

    def open_above(self, point: QPoint, overview: Overview) -> None:
        """Show it with its lower left corner just above a point of the screen."""
        self._above = point
        self.refresh(overview)
        self.show()
        self._fit()
        self.setFocus()

    def refresh(self, overview: Overview) -> None:
        """Say it again; what the pointer or the arrow keys are on stays."""
        now = time.time_ns() // 1000 // SECOND * SECOND
        streams = [stream for stream in overview.streams if stream.connector in self._names][:_MOST]
        said: dict[str, tuple[str, str, tuple[str, str]]] = {}
        if not overview.collecting:
            title = "The collector service is not running"
            said[title] = ("bad", "Nothing is received until it runs again.", ("", ""))
        for stream in streams:
            key = (stream.connector, stream.kind)
            lines = explained(stream, self._zone, now, with_hours=not self._hours.get(key))
            words = "\n".join([_state_line(stream, self._zone), *lines])
            title = f"{stream.connector} · {KIND_WORD.get(stream.kind, stream.kind)}"
            said[title] = (theme.STATE_TONE[stream.state], words, key)
        if list(said) != list(self._told):
            while (item := self._column.takeAt(0)) is not None:
                if (widget := item.widget()) is not None:
                    widget.setParent(None)
                    widget.deleteLater()
            self._told = {title: _Told(title, self._zone) for title in said}
            for told in self._told.values():
                self._column.addWidget(told)
            self._column.addStretch(1)
        for title, (tone, words, key) in said.items():
            self._told[title].tell(tone, words, self._hours.get(key, ()))
        self._fit()
        if now - self._asked >= _HOURS_SECONDS * SECOND:
            self._asked = now
            for name in sorted({stream.connector for stream in streams}):
                self.hours_wanted.emit(name)

    def show_hours(self, name: str, found: Mapping[str, Sequence[Hour]]) -> None:
        """What a connector has of each hour, by content type; its words come with the next refresh()."""
        for kind, hours in found.items():
            self._hours[(name, kind)] = hours
            if (told := self._told.get(f"{name} · {KIND_WORD.get(kind, kind)}")) is not None:
                told.picture.strip.resize(_INNER, told.picture.strip.height())
                told.picture.show_hours(hours)
        self._fit()

    def _fit(self) -> None:
        """As high as its words at this width, and no higher than the window it belongs to."""
        for child in self._body.findChildren(QWidget):
            child.ensurePolished()
        self._column.activate()
        width = _INNER + 2 * _SIDE
        besides = self._foot.sizeHint().height() + 2 * _EDGE
        wanted = self._column.totalHeightForWidth(width) + besides
        room = max(200, self._above.y() - self._window.mapToGlobal(QPoint(0, 0)).y() - 8)
        if wanted > room:
            width -= self.area.verticalScrollBar().sizeHint().width()
        self._body.setMinimumHeight(self._column.totalHeightForWidth(width))
        self.setFixedHeight(min(wanted, room))
        self.move(self._above.x(), self._above.y() - self.height() - 4)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange) and self.isVisible():
            self._fit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        bar = self.area.verticalScrollBar()
        step = {
            Qt.Key.Key_Up: -bar.singleStep(),
            Qt.Key.Key_Down: bar.singleStep(),
            Qt.Key.Key_PageUp: -bar.pageStep(),
            Qt.Key.Key_PageDown: bar.pageStep(),
        }.get(Qt.Key(event.key()))
        if step is not None:
            bar.setValue(bar.value() + step)
        elif event.key() in (Qt.Key.Key_Escape, Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.close()
        else:
            super().keyPressEvent(event)


class _Told(QWidget):
    """One stream: its name, its state in words, its hours."""

    def __init__(self, title: str, zone: Zone) -> None:
        super().__init__()
        self._dot = Dot()
        self._words = PlainLabel("", "note", wrap=True)
        self.picture = HourPicture(zone)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self._dot)
        row.addWidget(PlainLabel(title, "strong"), 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 6)
        column.setSpacing(3)
        column.addLayout(row)
        column.addWidget(self._words)
        column.addWidget(self.picture)
        self.setAccessibleName(title)

    def tell(self, tone: str, words: str, hours: Sequence[Hour]) -> None:
        """Show a state, and the hours where they are known."""
        self._dot.show_tone(tone)
        if self.accessibleDescription() != words:
            self._words.setText(words)
            self.setAccessibleDescription(words)
        self.picture.strip.resize(_INNER, self.picture.strip.height())
        self.picture.show_hours(hours)
