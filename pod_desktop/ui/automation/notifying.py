"""What playbooks tell on the desktop: a strip in the window, and the system's own notification where it has any."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QSystemTrayIcon
from shiboken6 import isValid

from pod_desktop.store import FiringRow
from pod_desktop.ui.automation.commands import AUTOMATION
from pod_desktop.ui.moments import Zone
from pod_desktop.ui.text import cell
from pod_desktop.ui.widgets.activity import ActivityPanel
from pod_desktop.ui.window import MainWindow

_WORDS: Final = 240
_SHOWN_MS: Final = 10_000
_KEPT: Final = 200


class Notifier(QObject):
    """One strip for all that was told since it was closed, so that a flood stays one line."""

    def __init__(self, window: MainWindow, zone: Zone) -> None:
        super().__init__(window)
        self._window = window
        self._zone = zone
        self._panel: ActivityPanel | None = None
        self._lines: list[str] = []
        self._icon: QSystemTrayIcon | None = None

    def show_rows(self, rows: Sequence[FiringRow]) -> None:
        """Tell these, oldest first."""
        if not rows:
            return
        if self._panel is not None and isValid(self._panel):
            self._panel.deleteLater()
        else:
            self._lines = []
        self._lines = [*(self._line(row) for row in reversed(rows)), *self._lines][:_KEPT]
        more = len(self._lines) - 1
        newest = rows[-1]
        title = f"Playbook {cell(newest.playbook, 60)}"
        words = cell(newest.text, _WORDS) + (f" (and {more:,} more)" if more else "")
        self._panel = self._window.start_activity(title)
        self._panel.finish(words, self._lines if more else ())
        self._tell_system(title, words)

    def _line(self, row: FiringRow) -> str:
        return (
            f"{self._zone.short(row.at)}  {cell(row.playbook, 60)} v{row.version}: {cell(row.text, _WORDS)}"
        )

    def _tell_system(self, title: str, words: str) -> None:
        if not QSystemTrayIcon.isSystemTrayAvailable() or not QSystemTrayIcon.supportsMessages():
            return
        if self._icon is None:
            self._icon = QSystemTrayIcon(self._window.windowIcon(), self)
            self._icon.messageClicked.connect(self._clicked)
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
        self._window.go(AUTOMATION)
