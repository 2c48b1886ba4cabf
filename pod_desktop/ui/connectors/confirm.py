"""A question before something that cannot be taken back. Not a message box: those interpret their text."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QDialog, QHBoxLayout, QVBoxLayout, QWidget

from pod_desktop.core import limits
from pod_desktop.ui.text import PlainLabel, cell
from pod_desktop.ui.widgets import Button, hairline


class Confirm(QDialog):
    """One way on and Cancel, which is the default. Open it with open()."""

    agreed = Signal()

    def __init__(
        self, title: str, words: str, way_on: str, parent: QWidget, *, harmless: bool = False
    ) -> None:
        """
        Args:
            title: The question.
            words: What will happen.
            way_on: The button that does it; '' where there is nothing to do but to read.
            parent: The window it belongs to; the question goes when it is answered.
            harmless: It can be taken back.
        """
        super().__init__(parent)
        self.setWindowTitle("POD Desktop")
        self.setAccessibleName(f"{title} {words}")
        self.setFixedWidth(440)
        self.way_on = Button(way_on, "primary" if harmless else "danger", clicked=self.accept)
        self.way_on.setVisible(bool(way_on))
        self.cancel = Button("Cancel" if way_on else "Close", clicked=self.reject)
        body = QVBoxLayout()
        body.setContentsMargins(20, 18, 20, 18)
        body.setSpacing(8)
        body.addWidget(PlainLabel(cell(title, limits.CELL_CHARS), "title", wrap=True))
        body.addWidget(PlainLabel(words, wrap=True))
        foot = QHBoxLayout()
        foot.setContentsMargins(16, 12, 16, 12)
        foot.setSpacing(8)
        foot.addStretch(1)
        for button in (self.cancel, self.way_on):
            button.setAutoDefault(True)
            foot.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(body)
        column.addWidget(hairline())
        column.addLayout(foot)
        self.cancel.setDefault(True)
        self.cancel.setFocus()
        self.accepted.connect(self.agreed)
        self.finished.connect(lambda _result: self.deleteLater())
