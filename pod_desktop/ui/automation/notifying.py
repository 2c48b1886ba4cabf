"""What playbooks tell on the desktop: a strip in the window, and the system's own notification where it has any."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import QObject

from pod_desktop.store import FiringRow
from pod_desktop.ui.automation.commands import AUTOMATION
from pod_desktop.ui.moments import Zone
from pod_desktop.ui.telling import Strip
from pod_desktop.ui.text import cell
from pod_desktop.ui.window import MainWindow

_WORDS: Final = 240


class Notifier(QObject):
    """Tells notifications of playbooks as they come."""

    def __init__(self, window: MainWindow, zone: Zone) -> None:
        super().__init__(window)
        self._zone = zone
        self._strip = Strip(window, AUTOMATION)

    def show_rows(self, rows: Sequence[FiringRow]) -> None:
        """Tell these, oldest first."""
        if rows:
            newest = rows[-1]
            self._strip.tell(
                f"Playbook {cell(newest.playbook, 60)}",
                cell(newest.text, _WORDS),
                [self._line(row) for row in reversed(rows)],
            )

    def _line(self, row: FiringRow) -> str:
        return (
            f"{self._zone.short(row.at)}  {cell(row.playbook, 60)} v{row.version}: {cell(row.text, _WORDS)}"
        )
