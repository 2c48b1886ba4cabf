"""Seen before: what the week before a record brought, below its summary; each number leads to its search."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from pod_desktop.services.seen import Seen, words
from pod_desktop.ui.text import PlainLabel, tip
from pod_desktop.ui.widgets import Button
from pod_desktop.ui.widgets.flow import FlowLayout


class SeenBefore(QWidget):
    """One line for sender, domain and address each."""

    asked = Signal(object)
    """The Seen whose search is wanted."""

    def __init__(self, found: Sequence[Seen], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Seen before")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(1)
        column.addWidget(PlainLabel("Seen before", "heading"))
        for one in found:
            column.addWidget(self._line(one))

    def _line(self, one: Seen) -> QWidget:
        before, many, after = words(one)
        line = QWidget()
        flow = FlowLayout(line, 1)
        link = Button(many, "link", name=f"{before}{many}{after}. Search for them")
        link.clicked.connect(partial(self._ask, one))
        link.setToolTip(tip(one.value))
        for part in (PlainLabel(before.strip()), link, PlainLabel(after.strip())):
            # All as high as the link, so that they stand on one line.
            part.setMinimumHeight(link.sizeHint().height())
            flow.addWidget(part)
        return line

    def _ask(self, one: Seen, _checked: bool = False) -> None:
        self.asked.emit(one)
