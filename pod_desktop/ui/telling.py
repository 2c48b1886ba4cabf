"""Telling something: a strip in the window, and the system's own notification where it has any.

The service tells on the desktop too. So a window claims what it is going to tell there, and tells what it got.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QSystemTrayIcon
from shiboken6 import isValid

from pod_desktop.services.desktop import unmarked
from pod_desktop.ui.widgets.activity import ActivityPanel
from pod_desktop.ui.window import MainWindow

_SHOWN_MS: Final = 10_000
_KEPT: Final = 200


class Tray(QObject):
    """The system's notifications of one window, all by one icon."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._icon: QSystemTrayIcon | None = None
        self._page = ""

    @classmethod
    def of(cls, window: MainWindow) -> Tray:
        """The window's own."""
        found: Tray | None = window.findChild(cls)
        return found if found is not None else cls(window)

    @staticmethod
    def able() -> bool:
        """Whether the system shows what a window tells."""
        return QSystemTrayIcon.isSystemTrayAvailable() and QSystemTrayIcon.supportsMessages()

    def tell(self, title: str, words: str, page: str) -> None:
        """Tell it where the system can; a click leads to the page."""
        if not self.able():
            return
        if self._icon is None:
            self._icon = QSystemTrayIcon(self._window.windowIcon(), self)
            self._icon.messageClicked.connect(self._clicked)
        self._page = page
        self._icon.show()
        self._icon.showMessage(
            unmarked(title), unmarked(words), QSystemTrayIcon.MessageIcon.Information, _SHOWN_MS
        )

    def _clicked(self) -> None:
        if self._window.isMinimized():
            self._window.showNormal()
        self._window.show()
        self._window.raise_()
        self._window.activateWindow()
        self._window.go(self._page)


class Strip:
    """One strip for all that was told since it was closed, so that a flood stays one line."""

    def __init__(self, window: MainWindow) -> None:
        self._window = window
        self._panel: ActivityPanel | None = None
        self._lines: list[str] = []

    def tell(self, title: str, words: str, lines: Sequence[str], *, failed: bool = False) -> None:
        """
        Args:
            title: Of the newest.
            words: The newest.
            lines: What is new, newest first; shown when the strip is unfolded.
            failed: In the tone of what went wrong.
        """
        if self._panel is not None and isValid(self._panel):
            self._panel.deleteLater()
        else:
            self._lines = []
        self._lines = [*lines, *self._lines][:_KEPT]
        more = len(self._lines) - 1
        words += f" (and {more:,} more)" if more else ""
        self._panel = self._window.start_activity(title)
        self._panel.finish(words, self._lines if more else (), failed=failed)
