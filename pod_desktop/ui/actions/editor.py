"""An editor for templates: expressions in colour, paths of the record offered while one types in braces."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Final

from PySide6.QtCore import QMimeData, QPoint, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QFontMetrics,
    QKeyEvent,
    QSyntaxHighlighter,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextOption,
)
from PySide6.QtWidgets import (
    QFrame,
    QListWidget,
    QListWidgetItem,
    QPlainTextEdit,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from pod_desktop import template
from pod_desktop.ui import fonts, theme
from pod_desktop.ui.text import cell

PASTE_CHARS: Final = 8_000
"""More is no template; an editor lays out every line of it."""
MOST_LINES: Final = 12
_EXPRESSION: Final = re.compile(r"\{\{|\}\}|(\{[^{}]+\})")
_PATH: Final = Qt.ItemDataRole.UserRole
_VALUE_CHARS: Final = 60


class _Colours(QSyntaxHighlighter):
    """Expressions in their colour; the place of a fault underlined."""

    def __init__(self, document: QTextDocument) -> None:
        super().__init__(document)
        self.fault = -1

    def highlightBlock(self, text: str) -> None:
        worn = theme.tokens()
        style = QTextCharFormat()
        style.setForeground(QColor(worn.special.fore))
        for match in _EXPRESSION.finditer(text):
            if match[1]:
                self.setFormat(match.start(), match.end() - match.start(), style)
        begin = self.currentBlock().position()
        if text and begin <= self.fault <= begin + len(text):
            wrong = QTextCharFormat()
            wrong.setForeground(QColor(worn.bad.fore))
            wrong.setUnderlineStyle(QTextCharFormat.UnderlineStyle.WaveUnderline)
            wrong.setUnderlineColor(QColor(worn.dot_bad))
            self.setFormat(min(self.fault - begin, len(text) - 1), 1, wrong)


class TemplateEdit(QPlainTextEdit):
    """Plain text with expressions; one line, or as high as its text."""

    edited = Signal()
    """The text is another one than before."""

    def __init__(self, *, lines: int = 1, json_text: bool = False, parent: QWidget | None = None) -> None:
        """
        Args:
            lines: 1 is a line that takes no breaks; more is the least height in lines.
            json_text: what is completed stands inside a JSON string.
            parent: Where it stands.
        """
        super().__init__(parent)
        self._lines = lines
        self._json = json_text
        self._scope: Mapping[str, object] = {}
        self._was = ""
        self.setFont(fonts.mono())
        self.setProperty("role", "code")
        self.setTabChangesFocus(True)
        self.document().setDocumentMargin(1)
        self._colours = _Colours(self.document())
        self.popup = _Paths(self)
        if lines == 1:
            self.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
            self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
            self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        else:
            self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.textChanged.connect(self._changed)
        self._fit()

    def set_text(self, text: str) -> None:
        """Put another text there, as one step that can be undone; the same text changes nothing."""
        if text == self.toPlainText():
            return
        cursor = QTextCursor(self.document())
        cursor.select(QTextCursor.SelectionType.Document)
        cursor.insertText(text)
        self.moveCursor(QTextCursor.MoveOperation.Start)

    def offer(self, scope: Mapping[str, object]) -> None:
        """What expressions may name from now on."""
        self._scope = scope

    def mark(self, place: int) -> None:
        """Underline the character where something is wrong; -1: nowhere."""
        if place != self._colours.fault:
            self._colours.fault = place
            self._colours.rehighlight()

    def restyle(self) -> None:
        """Colours are others from now on."""
        self._colours.rehighlight()

    def _changed(self) -> None:
        text = self.toPlainText()
        if text == self._was:
            return  # only colours changed
        self._was = text
        self._fit()
        self.edited.emit()

    def _fit(self) -> None:
        rows = 1 if self._lines == 1 else min(MOST_LINES, max(self._lines, self.document().blockCount()))
        high = QFontMetrics(self.font()).lineSpacing() * rows + (14 if self._lines == 1 else 16)
        if high != self.height() or self.minimumHeight() != high:
            self.setFixedHeight(high)

    def sizeHint(self) -> QSize:
        return QSize(300, self.minimumHeight())

    def minimumSizeHint(self) -> QSize:
        return QSize(120, self.minimumHeight())

    # typing

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        if self.popup.isVisible() and self.popup.hear(key):
            return
        asked = key == Qt.Key.Key_Space and event.modifiers() == Qt.KeyboardModifier.ControlModifier
        if not asked:
            if self._lines == 1 and key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                event.ignore()
                return
            super().keyPressEvent(event)
        if asked or event.text() or key in (Qt.Key.Key_Backspace, Qt.Key.Key_Delete):
            self._complete(asked)
        else:
            self.popup.hide()

    def _complete(self, asked: bool) -> None:
        """Show the paths that fit, inside braces."""
        cursor = self.textCursor()
        text, place = self.toPlainText(), cursor.position()
        begin, found = template.complete(text, place, self._scope)
        if not asked and len(found) == 1 and found[0][0] == text[begin:place]:
            found = []
        self.popup.show_paths(found, self.cursorRect().bottomLeft(), begin)

    def take(self, path: str, begin: int) -> None:
        """Put a path in the place of what was typed of it, and close the brace."""
        cursor = self.textCursor()
        end = cursor.position()
        cursor.setPosition(begin)
        cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
        written = json.dumps(path, ensure_ascii=False)[1:-1] if self._json else path
        rest = self.toPlainText()[end:]
        closed = re.match(r"[^{}\n\"]*[}|]", rest)
        cursor.insertText(written if closed else written + "}")
        self.setTextCursor(cursor)

    def insertFromMimeData(self, source: QMimeData) -> None:
        pasted = source.text()[:PASTE_CHARS]
        if self._lines == 1:
            pasted = " ".join(pasted.split())
        self.insertPlainText(pasted)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self.popup.hide()
        super().focusOutEvent(event)


class _Paths(QFrame):
    """Paths and their values, below the cursor; takes no focus."""

    def __init__(self, edit: TemplateEdit) -> None:
        super().__init__(edit)
        self._edit = edit
        self._begin = 0
        self.setProperty("role", "popup")
        self.list = QListWidget()
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setUniformItemSizes(True)
        self.list.setFont(fonts.mono())
        self.list.setAccessibleName("Fields of the record")
        self.list.itemClicked.connect(self._take)
        column = QVBoxLayout(self)
        column.setContentsMargins(2, 2, 2, 2)
        column.addWidget(self.list)
        self.hide()

    def show_paths(self, found: list[tuple[str, str]], below: QPoint, begin: int) -> None:
        """Show these, or nothing."""
        if not found:
            self.hide()
            return
        self._begin = begin
        self.list.clear()
        for path, value in found:
            item = QListWidgetItem(f"{cell(path, 120)}   {cell(value, _VALUE_CHARS)}")
            item.setData(_PATH, path)
            self.list.addItem(item)
        self.list.setCurrentRow(0)
        window = self._edit.window()
        self.setParent(window)
        self.setFixedSize(min(440, window.width() - 16), min(220, 34 * len(found) + 10))
        place = self._edit.viewport().mapTo(window, below)
        place.setX(max(4, min(place.x(), window.width() - self.width() - 8)))
        if place.y() + self.height() > window.height():
            place.setY(place.y() - self.height() - 22)
        self.move(place)
        self.raise_()
        self.show()

    def hear(self, key: int) -> bool:
        """A key while it is shown; True if it was for this list."""
        row, most = self.list.currentRow(), self.list.count()
        if key in (Qt.Key.Key_Down, Qt.Key.Key_Up):
            self.list.setCurrentRow((row + (1 if key == Qt.Key.Key_Down else -1)) % most)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Tab):
            self._take(self.list.currentItem())
        elif key == Qt.Key.Key_Escape:
            self.hide()
        else:
            return False
        return True

    def _take(self, item: QListWidgetItem | None) -> None:
        self.hide()
        if item is not None:
            self._edit.take(str(item.data(_PATH)), self._begin)
