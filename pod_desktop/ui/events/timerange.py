"""Which stretch of time is shown, and how wide a bar of the histogram is."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Signal
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QMenu, QWidget

from pod_desktop.core.clock import DAY, HOUR, MINUTE, SECOND
from pod_desktop.ui.moments import Zone, span
from pod_desktop.ui.widgets import MenuButton

RANGES: Final = (
    ("All time", None),
    ("Last 15 minutes", 15 * MINUTE),
    ("Last hour", HOUR),
    ("Last 24 hours", DAY),
    ("Last 7 days", 7 * DAY),
)
_STEPS: Final = (
    *(count * SECOND for count in (1, 2, 5, 10, 15, 30)),
    *(count * MINUTE for count in (1, 2, 5, 10, 15, 30)),
    *(count * HOUR for count in (1, 2, 3, 6, 12)),
    *(count * DAY for count in (1, 2, 7, 14, 30, 90, 365)),
)
BARS: Final = 96


def bar_width(length: int, bars: int = BARS) -> int:
    """The smallest round width (microseconds) that shows so long a stretch in at most so many bars."""
    return next(
        (step for step in _STEPS if length <= step * bars), _STEPS[-1] * (1 + length // (_STEPS[-1] * bars))
    )


def bar_words(width: int) -> str:
    """`1 bar = 10 s`."""
    return f"1 bar = {span(width / SECOND)}"


class RangeButton(MenuButton):
    """Chooses the stretch of time."""

    chosen = Signal()

    def __init__(self, zone: Zone, parent: QWidget | None = None) -> None:
        menu = QMenu()
        super().__init__(RANGES[0][0], menu, name="Time range", parent=parent)
        menu.setParent(self, menu.windowFlags())
        self._zone = zone
        self.span: int | None = None
        self.since: int | None = None
        self.until: int | None = None
        group = QActionGroup(self)
        self._actions: dict[int | None, QAction] = {}
        for words, length in RANGES:
            action = menu.addAction(words)
            action.setCheckable(True)
            action.setChecked(length is None)
            group.addAction(action)
            action.triggered.connect(lambda _on=False, length=length: self.choose(length))
            self._actions[length] = action
        group.setExclusionPolicy(QActionGroup.ExclusionPolicy.ExclusiveOptional)
        self._group = group

    def choose(self, length: int | None) -> None:
        """A stretch that ends now and moves on; None is all time."""
        self.span, self.since, self.until = length, None, None
        self._actions[length].setChecked(True)
        self.say(next(words for words, known in RANGES if known == length))
        self.chosen.emit()

    def fix(self, since: int, until: int) -> None:
        """A stretch between two moments."""
        self.span, self.since, self.until = None, since, until
        if checked := self._group.checkedAction():
            checked.setChecked(False)
        self.say(f"{self._zone.clock(since)} – {self._zone.clock(until)}")
        self.chosen.emit()
