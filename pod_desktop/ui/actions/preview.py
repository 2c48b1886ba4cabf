"""Will send: the exact bytes, and below them what is known of their consequences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtGui import QFontMetrics, QTextOption
from PySide6.QtWidgets import QPlainTextEdit, QSizePolicy, QVBoxLayout, QWidget

from pod_desktop.core import limits
from pod_desktop.core.action import Request
from pod_desktop.ui import fonts
from pod_desktop.ui.actions.wording import Finding
from pod_desktop.ui.text import PlainLabel, block
from pod_desktop.ui.widgets import Notice

_MOST_ROWS: Final = 8
_RUN: Final = 8_000


class Sunken(QPlainTextEdit):
    """Text that is read and copied, never edited; as high as it is, up to a limit."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.most_rows = _MOST_ROWS
        self.setReadOnly(True)
        self.setProperty("role", "code")
        self.setFont(fonts.mono())
        self.setAccessibleName(name)
        self.setTabChangesFocus(True)
        self.document().setDocumentMargin(1)
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_text(self, text: str) -> None:
        """Plain text; what cannot be seen is marked."""
        shown = block(text, _RUN)
        if shown != self.toPlainText():
            self.setPlainText(shown)
        self.fit()

    def fit(self) -> None:
        """As high as the text is at this width."""
        rows = 0
        part = self.document().begin()
        while part.isValid() and rows <= self.most_rows:
            rows += max(1, part.layout().lineCount()) if part.layout() is not None else 1
            part = part.next()
        high = QFontMetrics(self.font()).lineSpacing() * max(1, min(rows, self.most_rows)) + 16
        if high != self.height():
            self.setFixedHeight(high)

    def resizeEvent(self, event: object) -> None:
        super().resizeEvent(event)  # type: ignore[arg-type]
        self.fit()


class Findings(QWidget):
    """Coloured boxes, one below the other; kept and rewritten, so that nothing jumps while one types."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(6)
        self._boxes: list[Notice] = []

    def show_findings(self, findings: Sequence[Finding]) -> None:
        """Show these, and no others."""
        while len(self._boxes) < len(findings):
            box = Notice()
            self._boxes.append(box)
            self._column.addWidget(box)
        for number, box in enumerate(self._boxes):
            if number < len(findings):
                box.say(findings[number].words, findings[number].tone)
            else:
                box.say("")
        self.setVisible(bool(findings))

    def words(self) -> str:
        """All that is said, for tests and screen readers."""
        return "\n".join(box.accessibleName() for box in self._boxes if not box.isHidden())


class WillSend(QWidget):
    """The request as it will leave, byte for byte."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.text = Sunken("Will send")
        self._digest = PlainLabel("", "help", wrap=True, selectable=True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(5)
        column.addWidget(PlainLabel("Will send", "label"))
        column.addWidget(self.text)
        column.addWidget(self._digest)
        self.show_request(None)

    def show_request(self, request: Request | None, why_not: str = "") -> None:
        """Show it, or why there is none."""
        if request is None:
            self.text.show_text(why_not or "Nothing yet.")
            self._digest.hide()
            return
        body = request.body.decode("utf-8", "replace")
        self.text.show_text(f"{request.method} {request.url}\n{body}"[: limits.VIEWER_PAGE_CHARS])
        self._digest.setText(
            f"{len(request.body):,} bytes, SHA-256 {request.digest[:16]}…; exactly these are sent."
        )
        self._digest.show()
