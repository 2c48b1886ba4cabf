"""What playbooks tell: a strip in the window, and on the desktop what the service has not told there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from PySide6.QtCore import QObject

from pod_desktop.services.notifying import playbook_words
from pod_desktop.store import FiringRow
from pod_desktop.ui.automation.commands import AUTOMATION
from pod_desktop.ui.moments import Zone
from pod_desktop.ui.telling import Strip, Tray
from pod_desktop.ui.text import cell
from pod_desktop.ui.window import MainWindow

_WORDS: Final = 240
Claim = Callable[[int, Callable[[int], None]], None]
"""(newest id, told the id above which rows are ours to tell on the desktop)."""


class Notifier(QObject):
    """Tells notifications of playbooks as they come."""

    def __init__(self, window: MainWindow, zone: Zone, claim: Claim) -> None:
        super().__init__(window)
        self._window = window
        self._zone = zone
        self._claim = claim
        self._strip = Strip(window)

    def show_rows(self, rows: Sequence[FiringRow]) -> None:
        """Tell these, oldest first."""
        if not rows:
            return
        newest = rows[-1]
        self._strip.tell(
            f"Playbook {cell(newest.playbook, 60)}",
            cell(newest.text, _WORDS),
            [self._line(row) for row in reversed(rows)],
        )
        if Tray.able():
            self._claim(newest.id, lambda before: self._on_desktop([row for row in rows if row.id > before]))

    def _on_desktop(self, rows: Sequence[FiringRow]) -> None:
        if rows:
            title, words = playbook_words(rows)
            Tray.of(self._window).tell(cell(title, 80), cell(words, _WORDS), AUTOMATION)

    def _line(self, row: FiringRow) -> str:
        return (
            f"{self._zone.short(row.at)}  {cell(row.playbook, 60)} v{row.version}: {cell(row.text, _WORDS)}"
        )
