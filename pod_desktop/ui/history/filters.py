"""What of the history is shown: status, by whom, responder, time, and words that must stand somewhere in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QLineEdit, QMenu, QWidget

from pod_desktop.core.action import STATUSES, Action
from pod_desktop.core.clock import DAY, HOUR, Clock
from pod_desktop.services.history import HistoryFilter
from pod_desktop.ui.actions import wording
from pod_desktop.ui.text import cell
from pod_desktop.ui.widgets import MenuButton

SPANS: Final = (
    ("Any time", 0),
    ("Last hour", HOUR),
    ("Last 24 hours", DAY),
    ("Last 7 days", 7 * DAY),
    ("Last 30 days", 30 * DAY),
)
GROUPS: Final = (("Anybody", ""), ("People", "person"), ("Playbooks", "playbook"), ("Remove after", "expiry"))
NAMED: Final = 30
_SEARCH_MS: Final = 150


class Choice(MenuButton):
    """A button that says what is chosen of a list; the list is asked for when the menu opens."""

    chosen = Signal()

    def __init__(
        self, name: str, choices: Callable[[], Sequence[tuple[str, Any]]], parent: QWidget | None = None
    ) -> None:
        """`choices` gives (words, value); the first is chosen at the start. Words are ours, or a user's names."""
        menu = QMenu()
        first, self.value = choices()[0]
        super().__init__(first, menu, name=name, parent=parent)
        self._choices = choices
        self._menu = menu
        menu.setAccessibleName(name)
        menu.aboutToShow.connect(self._fill)
        self.destroyed.connect(menu.deleteLater)

    def _fill(self) -> None:
        self._menu.clear()
        group = QActionGroup(self._menu)
        for words, value in self._choices():
            action = QAction(cell(words, 80).replace("&", "&&"), self._menu)
            action.setCheckable(True)
            action.setChecked(value == self.value)
            action.triggered.connect(lambda _on=False, words=words, value=value: self.choose(words, value))
            group.addAction(action)
            self._menu.addAction(action)

    def choose(self, words: str, value: Any) -> None:
        """Take a choice and tell."""
        self.value = value
        self.say(words)
        self.chosen.emit()

    def reset(self) -> None:
        """The first choice again."""
        self.choose(*self._choices()[0])


class Filters(QObject):
    """The controls and what they amount to."""

    changed = Signal()

    def __init__(self, clock: Clock, actions: Callable[[], Sequence[Action]], parent: QWidget) -> None:
        """`actions` gives those that there are, for names to choose from."""
        super().__init__(parent)
        self._clock = clock
        self._actions = actions
        self.status = Choice("Status", _statuses)
        self.by = Choice("By", self._actors)
        self.responder = Choice("Responder", self._responders)
        self.span = Choice("Time", lambda: SPANS)
        self.search = QLineEdit()
        self.search.setPlaceholderText("Filter value, responder, who…")
        self.search.setAccessibleName("Filter the history")
        self.search.setClearButtonEnabled(True)
        self.search.setMinimumWidth(70)
        self.search.setMaximumWidth(260)
        self._typing = QTimer(self, singleShot=True, interval=_SEARCH_MS)
        self._typing.timeout.connect(self.changed)
        self.search.textChanged.connect(lambda _text: self._typing.start())
        for choice in (self.status, self.by, self.responder, self.span):
            choice.chosen.connect(self.changed)
        self.controls: tuple[QWidget, ...] = (self.status, self.by, self.responder, self.span, self.search)

    def wanted(self) -> HistoryFilter:
        """What is shown."""
        return HistoryFilter(
            text=self.search.text(),
            statuses=frozenset({self.status.value}) if self.status.value else frozenset(),
            actors=frozenset({self.by.value}) if self.by.value else frozenset(),
            responders=frozenset({self.responder.value}) if self.responder.value else frozenset(),
            since=self._clock.now() - self.span.value if self.span.value else 0,
        )

    def clear(self) -> None:
        """Show everything."""
        self.search.clear()
        for choice in (self.status, self.by, self.responder, self.span):
            choice.reset()

    def _actors(self) -> list[tuple[str, str]]:
        names = sorted({action.actor for action in self._actions() if " " in action.actor})
        return [*GROUPS, *((wording.actor_words(name), name) for name in names[:NAMED])]

    def _responders(self) -> list[tuple[str, str]]:
        names = sorted({action.responder for action in self._actions()})
        return [("Any responder", ""), *((name, name) for name in names[:NAMED])]


def _statuses() -> list[tuple[str, str]]:
    return [("Any status", ""), *((wording.STATUS_WORD[status], status) for status in STATUSES)]
