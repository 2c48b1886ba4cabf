"""What things stand on: cards, lines, page headers, empty pages."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from pod_desktop.ui.text import PlainLabel


class Card(QFrame):
    """A bordered box with round corners; add to `.body`."""

    def __init__(self, title: str = "", *, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "card")
        self.body = QVBoxLayout(self)
        self.body.setContentsMargins(16, 14, 16, 14)
        self.body.setSpacing(6)
        if title:
            self.body.addWidget(PlainLabel(title, "heading"))


def hairline(*, vertical: bool = False) -> QFrame:
    """A line one pixel thick."""
    line = QFrame()
    line.setProperty("role", "line")
    if vertical:
        line.setFixedWidth(1)
    else:
        line.setFixedHeight(1)
    return line


class PageHeader(QWidget):
    """A page's title at the left and its controls at the right, with a line below."""

    def __init__(self, title: str, *controls: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "bar")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFixedHeight(47)
        self.row = QHBoxLayout(self)
        self.row.setContentsMargins(12, 0, 12, 0)
        self.row.setSpacing(8)
        self.title = PlainLabel(title, "title")
        self.row.addWidget(self.title)
        self.row.addStretch(1)
        for control in controls:
            self.row.addWidget(
                control, 3 if isinstance(control, QLineEdit) else 0
            )  # filters take what is free


class EmptyState(QWidget):
    """What stands where nothing is: a line, a sentence, and what can be done."""

    def __init__(
        self,
        title: str = "",
        words: str = "",
        buttons: Sequence[QWidget] = (),
        *,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._title = PlainLabel(title, "title", wrap=True)
        self._words = PlainLabel(words, "note", wrap=True)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 24, 24, 24)
        column.setSpacing(8)
        column.addStretch(2)
        for label in (self._title, self._words):
            label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            column.addWidget(label)
        row = QHBoxLayout()
        row.addStretch(1)
        for button in buttons:
            row.addWidget(button)
        row.addStretch(1)
        column.addSpacing(6)
        column.addLayout(row)
        column.addStretch(3)

    def say(self, title: str, words: str = "") -> None:
        """Show other words."""
        self._title.setText(title)
        self._words.setText(words)
        self._words.setVisible(bool(words))
        self.setAccessibleName(f"{title} {words}".strip())
