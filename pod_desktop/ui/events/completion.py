"""What could be typed next, below the query bar: asked for on a worker, never in the way of typing.

The list takes no focus. Down goes into it, Tab takes the chosen (or the first) offer, Enter a chosen one,
Esc puts it away; Ctrl+Space asks for it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QSize,
    Qt,
    QTimer,
    Signal,
)
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import (
    QFrame,
    QListView,
    QPlainTextEdit,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
)

from pod_desktop.query import Completion
from pod_desktop.ui import fonts, theme
from pod_desktop.ui.bridge import Worker
from pod_desktop.ui.text import cell

Complete = Callable[[str, int], Sequence[Completion]]
_NOTES: Final = ("marked:", "comment:")

_PAUSE_MS: Final = 40
_ROW: Final = 25
_SHOWN: Final = 9
_WIDTH: Final = 460
_LABEL_CHARS: Final = 80
_Index = QModelIndex | QPersistentModelIndex
_FLAT: Final = QModelIndex()


def without_notes(complete: Complete) -> Complete:
    """For queries that judge records as they arrive, when nobody can have marked them."""
    return lambda text, cursor: [one for one in complete(text, cursor) if one.insert not in _NOTES]


class _Offers(QAbstractListModel):
    """Completions as rows."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.offers: list[Completion] = []

    def show_offers(self, offers: Sequence[Completion]) -> None:
        self.beginResetModel()
        self.offers = list(offers)
        self.endResetModel()

    def rowCount(self, parent: _Index = _FLAT) -> int:
        return 0 if parent.isValid() else len(self.offers)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid():
            return None
        offer = self.offers[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return cell(offer.label, _LABEL_CHARS)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{cell(offer.label, _LABEL_CHARS)}, {cell(offer.detail, _LABEL_CHARS)}"
        return None


class _Painter(QStyledItemDelegate):
    """The offer in the face of queries, and what it is beside it."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        model = index.model()
        assert isinstance(model, _Offers)
        offer = model.offers[index.row()]
        worn = theme.tokens()
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        box: QRect = option.rect
        painter.fillRect(box, QColor(worn.accent_soft if chosen else worn.window))
        inner = box.adjusted(10, 0, -10, 0)
        painter.setFont(fonts.mono())
        label = painter.fontMetrics().elidedText(
            cell(offer.label, _LABEL_CHARS), Qt.TextElideMode.ElideMiddle, inner.width() * 2 // 3
        )
        wide = painter.fontMetrics().horizontalAdvance(label)
        side = Qt.AlignmentFlag.AlignVCenter
        painter.setPen(QColor(worn.accent if chosen else worn.text))
        painter.drawText(inner, int(side | Qt.AlignmentFlag.AlignLeft), label)
        painter.setFont(fonts.text(fonts.NOTE))
        painter.setPen(QColor(worn.note))
        room = inner.width() - wide - 16
        detail = painter.fontMetrics().elidedText(
            cell(offer.detail, _LABEL_CHARS), Qt.TextElideMode.ElideRight, room
        )
        painter.drawText(inner, int(side | Qt.AlignmentFlag.AlignRight), detail)

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        return QSize(_WIDTH, _ROW)


class CompletionPopup(QFrame):
    """The list below a line."""

    taken = Signal(object)
    """A Completion."""
    shown = Signal()

    def __init__(self, line: QPlainTextEdit, complete: Complete | None) -> None:
        """Without `complete` nothing is ever offered."""
        super().__init__(line.window())
        self._line = line
        self._complete = complete
        self._text = ""
        self._cursor = 0
        self._worker: Worker | None = None
        self._model = _Offers(self)
        self.setProperty("role", "popup")
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list = QListView()
        self.list.setModel(self._model)
        self.list.setItemDelegate(_Painter(self.list))
        self.list.setUniformItemSizes(True)
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setAccessibleName("Completions")
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.clicked.connect(lambda index: self.taken.emit(self._model.offers[index.row()]))
        column = QVBoxLayout(self)
        column.setContentsMargins(4, 4, 4, 4)
        column.addWidget(self.list)
        self._pause = QTimer(self, singleShot=True, interval=_PAUSE_MS)
        self._pause.timeout.connect(self._ask)
        self.hide()

    @property
    def offers(self) -> list[Completion]:
        """What is offered, best first."""
        return self._model.offers

    def typed(self) -> None:
        """Something was typed: offer what could follow, soon."""
        self._pause.start()

    def ask_now(self) -> None:
        """Somebody wants to see what could stand here."""
        self._pause.stop()
        self._ask()

    def put_away(self) -> None:
        """Offer nothing until something is typed again."""
        self._pause.stop()
        if self._worker is not None:
            self._worker.forget("complete")
        self.hide()

    def _ask(self) -> None:
        complete = self._complete
        if complete is None:
            return
        if self._worker is None:
            self._worker = Worker("completion", self)
        text = self._line.toPlainText().replace("\n", " ")
        cursor = self._line.textCursor().position()
        self._worker.ask(
            lambda: complete(text, cursor),
            lambda offers: self._came(text, cursor, offers),
            lambda _error: self.hide(),
            owner=self,
            key="complete",
        )

    def _came(self, text: str, cursor: int, offers: Sequence[Completion]) -> None:
        there = self._line.toPlainText().replace("\n", " "), self._line.textCursor().position()
        if there != (text, cursor) or not self._line.hasFocus():
            return
        useful = [offer for offer in offers if text[offer.start : offer.end] != offer.insert]
        self._model.show_offers(useful)
        if not useful:
            self.hide()
            return
        self._place()
        self.show()
        self.raise_()
        self.shown.emit()

    def _place(self) -> None:
        window = self._line.window()
        if self.parentWidget() is not window:
            self.setParent(window)
        rows = min(len(self.offers), _SHOWN)
        width = min(_WIDTH, max(200, window.width() - 24))
        self.resize(width, rows * _ROW + 10)
        begin = self._line.cursorRect().left() - 10
        below = self._line.mapTo(window, QPoint(max(0, begin), self._line.height() + 3))
        self.move(max(4, min(below.x(), window.width() - width - 4)), below.y())

    def step(self, rows: int) -> bool:
        """Go up or down the list; False where nothing is offered, or above the first."""
        if not self.isVisible():
            return False
        current = self.list.currentIndex().row()
        if rows < 0 and current < 0:
            return False
        wanted = current + rows
        if wanted < 0:
            self.list.setCurrentIndex(QModelIndex())
            self.list.clearSelection()
        else:
            self.list.setCurrentIndex(self._model.index(min(wanted, len(self.offers) - 1), 0))
        return True

    def chosen(self) -> Completion | None:
        """The offer that somebody went to."""
        index = self.list.currentIndex()
        return self.offers[index.row()] if self.isVisible() and index.isValid() else None

    def first(self) -> Completion | None:
        """What Tab takes."""
        return self.chosen() or (self.offers[0] if self.isVisible() and self.offers else None)

    def stop(self) -> None:
        """No more asking."""
        self._pause.stop()
        if self._worker is not None:
            self._worker.stop()
