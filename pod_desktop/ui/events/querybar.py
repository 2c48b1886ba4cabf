"""The query bar: one line of monospace text, coloured as it is understood, with its fault in place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from PySide6.QtCore import QMimeData, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QKeyEvent,
    QSyntaxHighlighter,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextOption,
)
from PySide6.QtWidgets import QFrame, QPlainTextEdit, QSizePolicy, QVBoxLayout, QWidget

from pod_desktop.core import limits
from pod_desktop.core.faults import UserFault
from pod_desktop.query import Completion, is_quick
from pod_desktop.ui import fonts, theme
from pod_desktop.ui.bridge import Span
from pod_desktop.ui.events.completion import Complete, CompletionPopup
from pod_desktop.ui.text import PlainLabel, tip

PAUSE_MS: Final = 300
QUICK_MS: Final = 20
"""How long typing must pause before the query is asked: where raw records are to be opened, and where they are not."""
_SETTLED_MS: Final = 2_500
_QUICK_SECONDS: Final = 0.2
"""First rows that come sooner may be asked for with every letter, whatever has to be opened for them."""
_CHECK_MS: Final = 60
Check = Callable[[str], Sequence[Span]]


class _Colours(QSyntaxHighlighter):
    """Colours by the pieces that the query language found."""

    def __init__(self, document: QTextDocument) -> None:
        super().__init__(document)
        self.spans: Sequence[Span] = ()
        self.fault: tuple[int, int] | None = None

    def highlightBlock(self, text: str) -> None:
        worn = theme.tokens()
        for begin, end, kind in self.spans:
            style = QTextCharFormat()
            if kind == "field":
                style.setForeground(QColor(worn.accent))
            elif kind in ("keyword", "operator") and text[begin:end].isalpha():
                style.setFontWeight(700)
            elif kind in ("string", "phrase") and text[begin : begin + 1] in ('"', "/"):
                style.setForeground(QColor(worn.special.fore))
            elif kind == "error":
                style.setForeground(QColor(worn.bad.fore))
            else:
                continue
            self.setFormat(begin, end - begin, style)
        if self.fault is not None:
            begin, length = self.fault
            style = QTextCharFormat()
            style.setUnderlineStyle(QTextCharFormat.UnderlineStyle.WaveUnderline)
            style.setUnderlineColor(QColor(worn.dot_bad))
            style.setForeground(QColor(worn.bad.fore))
            begin = min(begin, max(0, len(text) - 1))
            self.setFormat(begin, max(1, length), style)


class _Line(QPlainTextEdit):
    """A one-line editor that can colour its text."""

    returned = Signal()
    escaped = Signal()
    older = Signal()
    newer = Signal()
    offers_wanted = Signal()
    left = Signal()
    """The focus went elsewhere."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFont(fonts.mono())
        self.setProperty("role", "query")
        self.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.setWordWrapMode(QTextOption.WrapMode.NoWrap)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTabChangesFocus(True)
        self.document().setDocumentMargin(0)
        self.setFixedHeight(30)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Query")
        self.take_offer: Callable[[bool], bool] = lambda _any: False
        """Takes an offer of the completion if there is one (with True the first one); False if not."""

    def sizeHint(self) -> QSize:
        return QSize(420, 30)

    def minimumSizeHint(self) -> QSize:
        return QSize(160, 30)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if not self.take_offer(False):
                self.returned.emit()
        elif key == Qt.Key.Key_Escape:
            self.escaped.emit()
        elif key == Qt.Key.Key_Up:
            self.older.emit()
        elif key == Qt.Key.Key_Down:
            self.newer.emit()
        elif key == Qt.Key.Key_Space and event.modifiers() == Qt.KeyboardModifier.ControlModifier:
            self.offers_wanted.emit()
        else:
            super().keyPressEvent(event)

    def focusNextPrevChild(self, next: bool) -> bool:
        return (next and self.take_offer(True)) or super().focusNextPrevChild(next)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        if event.reason() != Qt.FocusReason.ActiveWindowFocusReason:
            self.left.emit()

    def insertFromMimeData(self, source: QMimeData) -> None:
        """A paste becomes one line, and no longer than a query may be."""
        room = limits.QUERY_CHARS - len(self.toPlainText())
        pasted = source.text()[: max(0, room)]
        self.insertPlainText(" ".join(pasted.split("\n")).replace("\r", " ").replace("\t", " "))

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        if event.reason() in (Qt.FocusReason.TabFocusReason, Qt.FocusReason.ShortcutFocusReason):
            self.selectAll()


class QueryBar(QWidget):
    """The line, and below it the fault while there is one."""

    applied = Signal(str)
    """A query that is understood; on Enter, or when typing pauses."""
    settled = Signal(str)
    """A query that stood for a while, or that Enter was pressed for."""
    cancelled = Signal()
    """Esc in an unchanged line: stop searching."""

    def __init__(
        self,
        check: Check,
        history: Callable[[], list[str]],
        complete: Complete | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._check = check
        self._history = history
        self._at = -1
        self._typed = ""
        self._last = ""
        self._valid = True
        self._quick = False
        self.line = _Line()
        self.line.setPlaceholderText(
            "Search: phish, sender.domain:example.com, score:>=40 AND NOT outcome:delivered"
        )
        self._colours = _Colours(self.line.document())
        self.popup = _FaultPopup(self)
        self.offers = CompletionPopup(self.line, complete)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.line)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._checking = QTimer(self, singleShot=True, interval=_CHECK_MS)
        self._checking.timeout.connect(self._judge)
        self._pausing = QTimer(self, singleShot=True)
        self._pausing.timeout.connect(self._apply)
        self._settling = QTimer(self, singleShot=True, interval=_SETTLED_MS)
        self._settling.timeout.connect(lambda: self.settled.emit(self._last))
        self.line.textChanged.connect(self._changed)
        self.line.returned.connect(self._enter)
        self.line.escaped.connect(self._escape)
        self.line.older.connect(lambda: self._up_or_down(-1))
        self.line.newer.connect(lambda: self._up_or_down(1))
        self.line.offers_wanted.connect(self.offers.ask_now)
        self.line.left.connect(self.offers.put_away)
        self.line.take_offer = self._take_offer
        self.offers.taken.connect(self._insert)
        self.offers.shown.connect(self.popup.hide)
        self._show_state("empty")

    @property
    def text(self) -> str:
        """The query as typed, in one line."""
        return self.line.toPlainText().replace("\n", " ")

    @property
    def valid(self) -> bool:
        """Whether what is typed is understood."""
        return self._valid

    @property
    def pause_ms(self) -> int:
        """How long typing pauses, since the last letter, before the query is asked."""
        return self._pausing.interval()

    def set_text(self, text: str) -> None:
        """Put a query there and apply it."""
        self._put(text)
        self._enter()

    def _put(self, text: str) -> None:
        """Change the text without offering what could follow."""
        self.line.setPlainText(text[: limits.QUERY_CHARS].replace("\n", " "))
        self.line.moveCursor(QTextCursor.MoveOperation.End)
        self.offers.put_away()

    def _take_offer(self, even_first: bool) -> bool:
        offer = self.offers.first() if even_first else self.offers.chosen()
        if offer is not None:
            self._insert(offer)
        return offer is not None

    def _insert(self, offer: Completion) -> None:
        """Put an offer in the place of what was typed of it; undo takes it back."""
        cursor = self.line.textCursor()
        cursor.setPosition(offer.start)
        cursor.setPosition(offer.end, QTextCursor.MoveMode.KeepAnchor)
        cursor.insertText(offer.insert)
        self.line.setTextCursor(cursor)
        self.offers.put_away()
        if offer.insert.endswith((":", ".", "=", ">", "<")):
            self.offers.ask_now()

    def stop(self) -> None:
        """No more asking."""
        self._settling.stop()
        self._pausing.stop()
        self.offers.stop()

    def refuse(self, fault: UserFault) -> None:
        """The desk found a fault that only asking could find."""
        self._show_fault(fault)

    def restyle(self) -> None:
        """Colours are others from now on."""
        self._colours.rehighlight()

    def _changed(self) -> None:
        text = self.line.toPlainText()
        if text == self._typed and not self._checking.isActive():
            return  # only colours changed
        self._typed = text
        self._settling.stop()
        self._checking.start()
        self._pausing.start(QUICK_MS if self._quick or is_quick(self.text) else PAUSE_MS)
        if self.line.hasFocus():
            self.offers.typed()

    def _judge(self) -> None:
        self._checking.stop()
        text = self.text
        try:
            spans = self._check(text)
        except UserFault as fault:
            self._show_fault(fault)
            return
        self._valid = True
        self._paint_text(spans, None)
        self.popup.hide()
        self.line.setToolTip("")
        self.line.setAccessibleDescription("")
        self._show_state("valid" if text.strip() else "empty")

    def _show_fault(self, fault: UserFault) -> None:
        self._valid = False
        column = getattr(fault, "column", None)
        place = (int(column), int(getattr(fault, "length", 1) or 1)) if column is not None else None
        self._paint_text((), place)
        words = " ".join(part for part in (fault.what, fault.hint) if part)
        where = f"{fault.where}: " if fault.where else ""
        self.line.setToolTip(tip(f"{where}{words}"))
        self.line.setAccessibleDescription(f"{where}{words}")
        self._show_state("fault")
        if not self.offers.isVisible():
            self.popup.say(f"{where}{fault.what}", fault.hint)

    def _paint_text(self, spans: Sequence[Span], fault: tuple[int, int] | None) -> None:
        self._colours.spans = spans
        self._colours.fault = fault
        self._colours.rehighlight()

    def _show_state(self, state: str) -> None:
        if self.line.property("state") != state:
            self.line.setProperty("state", state)
            self.line.style().unpolish(self.line)
            self.line.style().polish(self.line)

    def _apply(self) -> None:
        self._pausing.stop()
        self._judge()
        if self._valid and self.text != self._last:
            self._last = self.text
            self._settling.start()
            self.applied.emit(self._last)

    def _enter(self) -> None:
        self._at = -1
        self.offers.put_away()
        self._last = "\0"  # Enter asks again even if nothing changed
        self._apply()
        if self._valid:
            self._settling.stop()
            self.settled.emit(self._last)

    def answered(self, seconds: float) -> None:
        """The first rows were there after so long: typing may be followed as quickly."""
        self._quick = seconds < _QUICK_SECONDS

    def _escape(self) -> None:
        if self.offers.isVisible():
            self.offers.put_away()
            if not self._valid:
                self._judge()
            return
        self._pausing.stop()
        if self.popup.isVisible():
            self.popup.hide()
        elif self._last not in (self.text, "\0"):
            self._put(self._last)
            self._judge()
        else:
            self.cancelled.emit()

    def _up_or_down(self, rows: int) -> None:
        """Through the offers while there are any, else through earlier queries."""
        if not self.offers.step(rows):
            self._browse(-rows)

    def _browse(self, step: int) -> None:
        known = self._history()
        at = max(-1, min(self._at + step, len(known) - 1))
        if at == self._at:
            return
        self._at = at
        self._put(known[at] if at >= 0 else "")


class _FaultPopup(QFrame):
    """The fault, below the bar; it takes no room and no focus."""

    def __init__(self, bar: QueryBar) -> None:
        super().__init__(bar.window() if bar.window() is not bar else bar)
        self._bar = bar
        self.setProperty("notice", "bad")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._what = PlainLabel("", "strong")
        self._hint = PlainLabel("")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(10, 6, 10, 6)
        layout.setSpacing(1)
        layout.addWidget(self._what)
        layout.addWidget(self._hint)
        self.hide()

    def say(self, what: str, hint: str) -> None:
        """Show it, over whatever is below the bar."""
        if self.parentWidget() is not self._bar.window():
            self.setParent(self._bar.window())
        for label, words in ((self._what, what), (self._hint, hint)):
            label.setText(words)
            label.setVisible(bool(words))
        self.adjustSize()
        self.setMaximumWidth(self._bar.width())
        self.move(self._bar.mapTo(self._bar.window(), self._bar.rect().bottomLeft()))
        self.move(self.x(), self.y() + 4)
        self.raise_()
        self.show()
