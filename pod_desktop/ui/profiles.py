"""Profiles: several ways in which the window is set up (sizes, columns, queries, facets, colours), by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject
from PySide6.QtGui import QActionGroup
from PySide6.QtWidgets import QMenu

from pod_desktop.core.faults import UserFault
from pod_desktop.ui.events.dialogs import LineDialog
from pod_desktop.ui.events.saved import menu_words

if TYPE_CHECKING:
    from pod_desktop.ui.window import MainWindow

FIRST: Final = "Standard"
_NAME_CHARS: Final = 60


class Profiles(QObject):
    """Switches between profiles."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window

    def fill_menu(self, menu: QMenu) -> None:
        """All profiles, and what can be done with them."""
        preferences = self._window.preferences
        menu.clear()
        group = QActionGroup(menu)
        for name in ("", *preferences.profiles):
            action = menu.addAction(menu_words(name or FIRST))
            action.setCheckable(True)
            action.setChecked(name == preferences.profile)
            group.addAction(action)
            action.triggered.connect(lambda _on=False, name=name: self.use(name))
        menu.addSeparator()
        menu.addAction("New Profile …", self.ask_name)
        if name := preferences.profile:
            menu.addAction(f"Delete {menu_words(name)}", lambda: self.drop(name))

    def use(self, name: str) -> None:
        """Use a profile; a new one begins as a copy of the one in use. '' is the first."""
        window = self._window
        window.keep_state()
        window.preferences.use_profile(name)
        window.reload()

    def drop(self, name: str) -> None:
        """Forget a profile; the first takes its place."""
        window = self._window
        window.preferences.drop_profile(name)
        window.reload()

    def ask_name(self) -> None:
        """A new profile, a copy of the one in use."""
        known = {name.casefold() for name in (FIRST, *self._window.preferences.profiles)}

        def judge(name: str) -> str:
            if name.casefold() in known:
                raise UserFault("There is a profile of this name.")
            return ""

        dialog = LineDialog(
            "New Profile", "Name", self._window, judge=judge, most=_NAME_CHARS, accept="Create",
            note="Begins as a copy of the one in use; what you change from then on is its own.",
        )  # fmt: skip
        dialog.answered.connect(self.use)
        dialog.open()
