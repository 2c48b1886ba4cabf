"""The end of the form, always in sight: what it would do or what came of it, Remove after, curl, Submit."""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from pod_desktop.core.action import ADD
from pod_desktop.core.clock import Clock
from pod_desktop.ui.actions.expiry import RemoveAfter
from pod_desktop.ui.actions.outcome import Outcome
from pod_desktop.ui.moments import Zone
from pod_desktop.ui.widgets import Button, hairline


class Footer(QWidget):
    """Controls in a row; above them what was given, and the outcome while there is one."""

    def __init__(self, clock: Clock, zone: Zone, *above: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.outcome = Outcome()
        self.remove_after = RemoveAfter(clock, zone)
        self.curl_button = Button("Copy as curl", name="Copy the request as a curl command, token masked")
        self.curl_button.setToolTip("The token is a variable in the command, never the token itself")
        # Nothing here is a default button: Enter in a field must never send.
        self.submit_button = Button("Submit", "primary")
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.remove_after)
        row.addStretch(1)
        row.addWidget(self.curl_button)
        row.addWidget(self.submit_button)
        inner = QVBoxLayout()
        inner.setContentsMargins(12, 8, 12, 10)
        inner.setSpacing(8)
        for part in (*above, self.outcome):
            inner.addWidget(part)
        inner.addLayout(row)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(hairline())
        column.addLayout(inner)

    def show_action(self, action: str) -> None:
        """add or delete: only what is added can be removed after a time."""
        self.remove_after.setVisible(action == ADD)
