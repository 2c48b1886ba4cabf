"""One firing of a backtest: what would be sent, what is held and why, and the records behind it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QPlainTextEdit, QVBoxLayout, QWidget

from pod_desktop.core import blocks
from pod_desktop.core.playbook_limits import ACT, HELD
from pod_desktop.core.text import plural
from pod_desktop.store import FiringRow
from pod_desktop.ui.actions.members import show_unseen
from pod_desktop.ui.automation import wording
from pod_desktop.ui.moments import Zone
from pod_desktop.ui.text import PlainLabel, block, cell
from pod_desktop.ui.widgets import Button, Notice

if TYPE_CHECKING:
    from pod_desktop.services.backtest import Fired

_REQUEST_CHARS = 8_000


def pretty(body: str) -> str:
    """A JSON body on several lines; as it is where it is none."""
    try:
        return show_unseen(json.dumps(json.loads(body), ensure_ascii=False, indent=2))
    except (ValueError, RecursionError):
        return body


def request_words(row: FiringRow) -> str:
    """What one action sends or says, as text."""
    if row.body or row.path:
        return f"POST {row.path}\n{pretty(row.body)}"
    if row.text:
        return f"{wording.TYPE_WORD.get(row.type, row.type)}: {row.text}"
    return f"{wording.TYPE_WORD.get(row.type, row.type)}: nothing was worked out."


class FiringPane(QWidget):
    """What stands below the list of firings."""

    recordsAsked = Signal(object)
    """The Fired whose records are to be shown."""

    def __init__(self, zone: Zone, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._zone = zone
        self._fired: Fired | None = None
        self.title = PlainLabel("", "strong", wrap=True, selectable=True)
        self.when = PlainLabel("", "note", wrap=True)
        self.why = Notice()
        self.sent = QPlainTextEdit(readOnly=True)
        self.sent.setProperty("role", "code")
        self.sent.setTabChangesFocus(True)
        self.sent.setAccessibleName("What would be sent")
        self.sent.setMinimumHeight(70)
        self.records_button = Button("Show the records", "link", self._ask)
        foot = QHBoxLayout()
        foot.addWidget(self.records_button)
        foot.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(14, 10, 14, 10)
        column.setSpacing(6)
        for part in (self.title, self.when, self.why):
            column.addWidget(part)
        column.addWidget(self.sent, 1)
        column.addLayout(foot)
        self.show_fired(None)

    def show_fired(self, fired: Fired | None) -> None:
        """Show a firing; None: nothing is chosen."""
        self._fired = fired
        self.setVisible(fired is not None)
        if fired is None:
            return
        self.title.setText(f"{wording.fired_words(fired)}: {cell(wording.fired_value(fired), 200)}")
        number = len(fired.records)
        key = f" of {cell(fired.key, 120)}" if fired.key else ""
        self.when.setText(f"{plural(number, 'record')}{key}, the last at {self._zone.whole(fired.time)[:19]}")
        reasons = wording.reasons_words(fired.rows)
        self.why.say(reasons, blocks.WARN if wording.outcome(fired) in (HELD, ACT) else blocks.MUTED)
        shown = "\n\n".join(request_words(row) for row in fired.rows)
        if not shown:
            shown = "A limit was reached before: nothing would be worked out or sent."
        self.sent.setPlainText(block(shown, _REQUEST_CHARS))
        self.records_button.setText(f"Show the {number:,} records" if number != 1 else "Show the record")

    def _ask(self) -> None:
        if self._fired is not None:
            self.recordsAsked.emit(self._fired)
