"""The JSON tab: highlighted, foldable, in pages that a viewer can hold, as cleaned or exactly as received."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from PySide6.QtCore import Signal
from PySide6.QtGui import QColor, QSyntaxHighlighter, QTextCharFormat, QTextDocument
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QVBoxLayout, QWidget

from pod_desktop.core import limits
from pod_desktop.ui import theme
from pod_desktop.ui.detail.folding import FoldingViewer
from pod_desktop.ui.text import PlainLabel, block
from pod_desktop.ui.widgets import Button, hairline

PAGE_LINES: Final = 800
"""A page ends after so many lines too: each one is highlighted and laid out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Printed:
    """A record's text in pages."""

    pages: tuple[str, ...]
    broken: int
    """Lines that had to be broken to be shown."""


def pretty(value: Any) -> str:
    """The clean view with two blanks a level."""
    return json.dumps(value, ensure_ascii=False, indent=2)


def as_received(raw: bytes) -> str:
    """The bytes as text; what is no UTF-8 shows as U+FFFD."""
    return raw.decode("utf-8", "replace")


def printed(text: str) -> Printed:
    """Break long lines and cut into pages, with hidden characters marked."""
    pages: list[str] = []
    page: list[str] = []
    size = broken = 0
    for line, was_broken in _short_lines(text):
        broken += was_broken
        if page and (size + len(line) > limits.VIEWER_PAGE_CHARS or len(page) >= PAGE_LINES):
            pages.append("\n".join(page))
            page, size = [], 0
        page.append(line)
        size += len(line) + 1
    pages.append("\n".join(page))
    return Printed(pages=tuple(pages), broken=broken)


def _short_lines(text: str) -> Iterator[tuple[str, bool]]:
    """Lines as they are shown: marks take room too, so a line is cut once before them and once after."""
    most = limits.VIEWER_LINE_CHARS
    for line in text.split("\n"):  # not a pattern: one search through megabytes would hold the window up
        whole = len(line) <= most
        for start in range(0, max(1, len(line)), most):
            shown = block(line[start : start + most], most)
            if whole and len(shown) <= most:
                yield shown, False
                continue
            for part in range(0, len(shown), most):
                yield shown[part : part + most], start == part == 0


_TOKEN: Final = re.compile(
    r'(?P<key>"(?:[^"\\]|\\.)*"(?=\s*:))|(?P<text>"(?:[^"\\]|\\.)*"?)'
    r"|(?P<word>\b(?:true|false|null)\b)|(?P<number>-?\b\d[\d.eE+-]*)|(?P<mark>‹[^›]{1,20}›)"
)


class _Colours(QSyntaxHighlighter):
    def __init__(self, document: QTextDocument) -> None:
        super().__init__(document)
        self._styles: dict[str, QTextCharFormat] = {}
        self.dress()

    def dress(self) -> None:
        """Take the colours worn now."""
        worn = theme.tokens()
        inks = {
            "key": worn.accent, "text": worn.good.fore, "word": worn.special.fore,
            "number": worn.warn.fore, "mark": worn.bad.fore,
        }  # fmt: skip
        for name, ink in inks.items():
            style = QTextCharFormat()
            style.setForeground(QColor(ink))
            self._styles[name] = style
        self.rehighlight()

    def highlightBlock(self, text: str) -> None:
        for match in _TOKEN.finditer(text):
            if match.lastgroup:
                self.setFormat(match.start(), match.end() - match.start(), self._styles[match.lastgroup])


class JsonView(QWidget):
    """The viewer and its pages."""

    toggled = Signal(bool)
    """As received (True) or cleaned is wanted now."""
    copy_asked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._printed = Printed(pages=("",), broken=0)
        self._page = 0
        self.received = QCheckBox("As received")
        self.received.setAccessibleName("Show the record exactly as received")
        self.received.toggled.connect(self.toggled)
        self._copy = Button("Copy", "link", self.copy_asked.emit, name="Copy the record as received")
        self._copy.setToolTip("Copies the record as received")
        self._earlier = Button("‹", "flat", lambda: self._turn(-1), name="Previous page")
        self._later = Button("›", "flat", lambda: self._turn(1), name="Next page")
        self._where = PlainLabel("", "small")
        self._note = PlainLabel("", "small", wrap=True)
        self.viewer = FoldingViewer()
        self.viewer.setAccessibleName("JSON")
        self._fold = Button("Fold", "link", self.viewer.fold_all, name="Fold all objects and lists")
        self._unfold = Button("Unfold", "link", self.viewer.unfold_all, name="Unfold all objects and lists")
        self._colours = _Colours(self.viewer.document())
        row = QHBoxLayout()
        row.setContentsMargins(12, 6, 12, 6)
        row.setSpacing(8)
        row.addWidget(self.received)
        row.addWidget(self._note, 1)
        for part in (self._earlier, self._where, self._later, self._fold, self._unfold, self._copy):
            row.addWidget(part)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(row)
        column.addWidget(hairline())
        column.addWidget(self.viewer, 1)
        self._show()

    def show_printed(self, made: Printed, note: str = "") -> None:
        """Show a record from its first page on."""
        self._printed, self._page = made, 0
        if made.broken:
            note = f"{note} Long lines are broken.".strip()
        self._note.setText(note)
        self._show()

    def restyle(self) -> None:
        """Colours are others from now on."""
        self._colours.dress()

    def _turn(self, pages: int) -> None:
        self._page = max(0, min(self._page + pages, len(self._printed.pages) - 1))
        self._show()

    def _show(self) -> None:
        count = len(self._printed.pages)
        self.viewer.show_text(self._printed.pages[self._page])
        for button in (self._fold, self._unfold):
            button.setVisible(self.viewer.foldable > 0)
        self._where.setText(f"{self._page + 1:,} of {count:,}")
        for part in (self._earlier, self._where, self._later):
            part.setVisible(count > 1)
        self._earlier.setEnabled(self._page > 0)
        self._later.setEnabled(self._page < count - 1)
