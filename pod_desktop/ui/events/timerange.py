"""Which stretch of time is shown, and how wide a bar of the histogram is."""

from __future__ import annotations

from collections.abc import Callable
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
    ("Last 30 days", 30 * DAY),
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
    custom_asked = Signal()

    def __init__(self, zone: Zone, *, begin: int | None = None, parent: QWidget | None = None) -> None:
        """`begin`: the length (microseconds) that is chosen at first; None is all time."""
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
            group.addAction(action)
            action.triggered.connect(lambda _on=False, length=length: self.choose(length))
            self._actions[length] = action
        menu.addSeparator()
        menu.addAction("From … To …", self.custom_asked.emit)
        group.setExclusionPolicy(QActionGroup.ExclusionPolicy.ExclusiveOptional)
        self._group = group
        self._menu = menu
        self.put(begin, None, None)

    def offer(self, words: str, run: Callable[[], object]) -> None:
        """Another way to a range, below the others."""
        self._menu.addAction(words, run)

    def choose(self, length: int | None) -> None:
        """A stretch that ends now and moves on; None is all time."""
        self.span, self.since, self.until = length, None, None
        self._actions[length].setChecked(True)
        self.say(next(words for words, known in RANGES if known == length))
        self.chosen.emit()

    def fix(self, since: int | None, until: int | None) -> None:
        """A stretch between two moments; None leaves an end open."""
        self.put(None, since, until)
        self.chosen.emit()

    def put(self, length: int | None, since: int | None, until: int | None) -> None:
        """Show a stretch without asking for it."""
        known = length if length in self._actions else None
        fixed = since is not None or until is not None
        self.span, self.since, self.until = (None, since, until) if fixed else (known, None, None)
        if not fixed:
            self._actions[known].setChecked(True)
            self.say(next(words for words, length in RANGES if length == known))
            return
        if checked := self._group.checkedAction():
            checked.setChecked(False)
        self.say(range_words(self._zone, since, until))

    def restyle(self) -> None:
        """Times are written otherwise from now on."""
        self.put(self.span, self.since, self.until)


def range_words(zone: Zone, since: int | None, until: int | None) -> str:
    """`Nov 24 09:41:00 – 09:43:00` of one day; with both days where they differ, with years if not all is this year's."""
    year = zone.needs_year(micros for micros in (since, until) if micros is not None)
    if since is None or until is None:
        moment = since if since is not None else until or 0
        return f"{'Since' if until is None else 'Until'} {_moment(zone, moment, year)}"
    if zone.local(since).date() == zone.local(until).date():
        return f"{zone.day(since, year=year)} {zone.clock(since)} – {zone.clock(until)}"
    return f"{_moment(zone, since, year)} – {_moment(zone, until, year)}"


def _moment(zone: Zone, micros: int, year: bool) -> str:
    return f"{zone.day(micros, year=year)} {zone.clock(micros)[:5]}"
