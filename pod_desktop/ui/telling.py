"""Telling something on the desktop: a strip in the window, and the system's own notification where it has any."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QSystemTrayIcon
from shiboken6 import isValid

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

    def tell(self, title: str, words: str, page: str) -> None:
        """Tell it where the system can; a click leads to the page."""
        if not QSystemTrayIcon.isSystemTrayAvailable() or not QSystemTrayIcon.supportsMessages():
            return
        if self._icon is None:
            self._icon = QSystemTrayIcon(self._window.windowIcon(), self)
            self._icon.messageClicked.connect(self._clicked)
        self._page = page
        self._icon.show()
        # Some desktops read markup in the words.
        title, words = (text.replace("<", "‹").replace(">", "›").replace("&", "+") for text in (title, words))
        self._icon.showMessage(title, words, QSystemTrayIcon.MessageIcon.Information, _SHOWN_MS)

    def _clicked(self) -> None:
        if self._window.isMinimized():
            self._window.showNormal()
        self._window.show()
        self._window.raise_()
        self._window.activateWindow()
        self._window.go(self._page)


class Strip:
    """One strip for all that was told since it was closed, so that a flood stays one line."""

    def __init__(self, window: MainWindow, page: str) -> None:
        """`page` is where a click on the system's notification leads."""
        self._window = window
        self._page = page
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
        Tray.of(self._window).tell(title, words, self._page)
