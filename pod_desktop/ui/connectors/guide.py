"""The help page on connecting, whole or one section of it; the words are in resources/help."""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from pod_desktop.core.resources import resource
from pod_desktop.ui.text import PlainLabel
from pod_desktop.ui.widgets import Button, hairline

CONNECT: Final = "connect"
BEFORE: Final = "Before you begin"
CLUSTER_ID: Final = "Where to find the Cluster ID"
API_KEY: Final = "Where to find the API key"
KEY_RULES: Final = "One key or several"
RESPOND: Final = "respond"
BEFORE_RESPONDING: Final = "Before you respond"
HOSTNAME: Final = "Where to find the Hostname"
CLIENT: Final = "Where to find the Client ID and Client Secret"
RESPONDER_CLUSTER_ID: Final = "Where to find the Cluster ID of a responder"


@cache
def sections(page: str = CONNECT) -> dict[str, str]:
    """The page's sections by heading, in order; the first is what stands under the page's title."""
    text = resource(f"help/{page}.md").read_text(encoding="utf-8")
    found: dict[str, str] = {}
    for part in re.split(r"(?m)^#{1,2} ", text)[1:]:
        heading, _, words = part.partition("\n")
        found[heading.strip()] = words.strip()
    return found


def paragraphs(heading: str, page: str = CONNECT) -> list[str]:
    """The paragraphs of one section; a list's items stand on lines of their own in one paragraph."""
    return [words.strip() for words in sections(page)[heading].split("\n\n") if words.strip()]


class Steps(QWidget):
    """A link that unfolds one section of the help below it."""

    def __init__(self, heading: str, page: str = CONNECT, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._heading = heading
        self._words = PlainLabel("\n".join(paragraphs(heading, page)), "note", wrap=True, selectable=True)
        self._words.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self._words.setVisible(False)
        self.link = Button("", "link", checkable=True, name=heading)
        self.link.setAutoDefault(True)
        self.link.toggled.connect(self._unfold)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self.link, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(self._words)
        self._unfold(False)

    def _unfold(self, shown: bool) -> None:
        self.link.setText(f"{'▾' if shown else '▸'} {self._heading}")
        self._words.setVisible(shown)


class GuideDialog(QDialog):
    """The whole page in a window of its own; stays open beside the wizard."""

    def __init__(self, page: str = CONNECT, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        found = sections(page)
        self.setWindowTitle(next(iter(found)))
        self.resize(560, 620)
        body = QWidget()
        body.setProperty("role", "page")
        lines = QVBoxLayout(body)
        lines.setContentsMargins(24, 20, 24, 20)
        lines.setSpacing(8)
        for number, heading in enumerate(found):
            if number:
                lines.addSpacing(8)
            lines.addWidget(PlainLabel(heading, "heading" if number else "title", wrap=True))
            for words in paragraphs(heading, page):
                lines.addWidget(PlainLabel(words, wrap=True, selectable=True))
        lines.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidget(body)
        scroll.setWidgetResizable(True)
        scroll.setAccessibleName(self.windowTitle())
        close = Button("Close", clicked=self.accept)
        close.setDefault(True)
        foot = QHBoxLayout()
        foot.setContentsMargins(16, 12, 16, 12)
        foot.addStretch(1)
        foot.addWidget(close)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(scroll, 1)
        column.addWidget(hairline())
        column.addLayout(foot)
