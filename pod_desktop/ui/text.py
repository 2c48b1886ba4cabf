"""The only door for text from outside (records, files, services) to the screen and the clipboard.

Nothing that a record says is ever interpreted: no markup, no mnemonic, no link. What cannot be seen is
shown as a mark with its code point, what is too long is cut before Qt measures it.

    PlainLabel(text)      a label that shows its text as it is, whatever it holds
    cell(text)            one line for a table cell, cut at limits.CELL_CHARS
    block(text)           several lines for a label or viewer
    tip(text)             a tooltip; also for ToolTipRole of a model
    isolated(text)        inside a longer sentence: its direction does not spill over
    copyable(text)        for the clipboard: (text without control characters, how many were taken out)
    copy(text)            copyable(), put on the clipboard
"""

from __future__ import annotations

import html
import re
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QClipboard, QContextMenuEvent, QGuiApplication, QKeyEvent, QKeySequence, QMouseEvent
from PySide6.QtWidgets import QLabel, QMenu, QSizePolicy, QWidget

from pod_desktop.core import limits

ELLIPSIS: Final = "…"
_LABEL_CHARS: Final = 800
"""Characters of a label that are not all ASCII: emoji and stacked scripts take 6 µs each to lay out, every time."""
_EMOJI: Final = "\u2190-\u21ff\u2300-\u27bf\u2b00-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001faff"
_HIDDEN: Final = re.compile(
    "["
    "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"  # controls (tab, line feed, carriage return apart)
    "\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"  # soft hyphen, joiners, fillers
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f"  # zero width, line separators, bidi controls
    "\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    "\ud800-\udfff"  # half of a character: Qt would drop it
    "\U000e0000-\U000e0fff"  # tag characters, more variation selectors
    "]"
)
_MARKS: Final = re.compile(
    "([\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff]{4})"
    "([\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff]+)"
)
_JOINED: Final = re.compile(f"[{_EMOJI}\ufe0f]$")
_EMOJI_NEXT: Final = re.compile(f"[{_EMOJI}]")
_KEYCAP: Final = re.compile("[0-9#*©®\u203c\u2049\u2122\u2139]$")
_BREAKS: Final = re.compile("[\t\n\r]+")
_UNCOPIED: Final = re.compile(f"(?![\t\n\r]){_HIDDEN.pattern}")


def cell(text: str, limit: int = limits.CELL_CHARS) -> str:
    """One line: line breaks become a blank, hidden characters become marks, the rest is cut at `limit`."""
    text = clip(text, limit)
    if text.isascii() and text.isprintable():
        return text
    return _mark(_BREAKS.sub(" ", text))


def block(text: str, limit: int = limits.VIEWER_PAGE_CHARS) -> str:
    """Several lines: as cell(), but line breaks and tabs stay."""
    return _mark(clip(text, limit).replace("\r\n", "\n").replace("\r", "\n"))


def clip(text: str, limit: int) -> str:
    """At most `limit` characters, the last of them an ellipsis if something was cut."""
    return text if len(text) <= limit else text[: limit - 1] + ELLIPSIS


def hidden_count(text: str) -> int:
    """How many marks block() would put into the text."""
    return sum(1 for match in _HIDDEN.finditer(text) if not _part_of_emoji(match))


def isolated(text: str, limit: int = limits.CELL_CHARS) -> str:
    """cell(), in a direction of its own: right-to-left text does not reorder what stands around it.

    For PlainLabel.set_shown() and painting.
    """
    shown = cell(text, limit)
    return shown if shown.isascii() else f"\u2068{shown}\u2069"


def tip(text: str) -> str:
    """A tooltip that shows the text as it is.

    Qt guesses whether a tooltip is markup; a leading <qt> and escaped text leave it nothing to guess.
    """
    if not text:
        return ""
    escaped = html.escape(block(text, limits.TOOLTIP_CHARS))
    return f"<qt>{escaped.replace(chr(10), '<br>')}</qt>"


def copyable(text: str) -> tuple[str, int]:
    """The text for the clipboard without control and hidden characters, and how many were taken out."""
    clean, removed = _UNCOPIED.subn("", text)
    return clean, removed


def defanged(text: str) -> str:
    """An address of a web page that no program turns into a link."""
    return re.sub(r"(?i)\bhttp(s?)://", r"hxxp\1://", text).replace(".", "[.]")


def _mark(text: str) -> str:
    if text.isascii() and text.isprintable():
        return text
    text = _MARKS.sub(lambda match: f"{match[1]}‹+{len(match[2])} marks›", text)
    return _HIDDEN.sub(lambda match: match[0] if _part_of_emoji(match) else f"‹U+{ord(match[0]):04X}›", text)


def _part_of_emoji(match: re.Match[str]) -> bool:
    """Joiners and variation selectors inside an emoji hide nothing."""
    char, text = match[0], match.string
    if char not in "\u200d\ufe0e\ufe0f" or match.start() == 0:
        return False
    before, after = text[match.start() - 1], text[match.end() : match.end() + 1]
    if char == "\u200d":
        return bool(_JOINED.match(before) and _EMOJI_NEXT.match(after))
    return bool(_JOINED.match(before) or _KEYCAP.match(before))


class PlainLabel(QLabel):
    """A label that interprets nothing. setText() takes outside text: hidden characters become marks."""

    def __init__(
        self,
        text: str = "",
        role: str = "",
        *,
        wrap: bool = False,
        selectable: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        """`role` picks the look: title, heading, note, mono, strong ('' is plain text)."""
        super().__init__(parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setWordWrap(wrap)
        if role:
            self.setProperty("role", role)
        if wrap:
            self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        if selectable:
            self.setTextInteractionFlags(
                Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
            )
        self.setText(text)

    def setText(self, text: str) -> None:
        self.set_shown(block(text, limits.TOOLTIP_CHARS))

    def set_shown(self, shown: str) -> None:
        """Words of ours around what cell() and isolated() made safe; setText() would mark the isolation."""
        if not shown.isascii():
            shown = clip(shown, _LABEL_CHARS)
        super().setText(breakable(shown) if self.wordWrap() else shown)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Copy) and self.hasSelectedText():
            copy(self.selectedText())
            event.accept()
        else:
            super().keyPressEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        clipboard = QGuiApplication.clipboard()
        if self.hasSelectedText() and clipboard.supportsSelection():
            clipboard.setText(copyable(self.selectedText())[0], QClipboard.Mode.Selection)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        if not self.textInteractionFlags() & Qt.TextInteractionFlag.TextSelectableByMouse:
            super().contextMenuEvent(event)
            return
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        chosen = self.selectedText() or self.text()
        menu.addAction("Copy" if self.hasSelectedText() else "Copy All", lambda: copy(chosen))
        menu.popup(event.globalPos())


def copy(text: str) -> int:
    """Put the text on the clipboard without control characters; returns how many were taken out."""
    clean, removed = copyable(text)
    QGuiApplication.clipboard().setText(clean)
    return removed


def breakable(text: str, run: int = 24) -> str:
    """Long words may break: zero-width blanks of ours after punctuation, and in runs without any.

    For wrapped labels only; copyable() takes them out again.
    """
    return re.sub(rf"\S{{{run},}}", lambda word: _broken(word[0], run), text)


def _broken(word: str, run: int) -> str:
    word = re.sub(r"([@./\-_=&?,;:])(?=\w)", "\\1\u200b", word)
    return re.sub(rf"([^\u200b]{{{run}}})(?=[^\u200b])", "\\1\u200b", word)
