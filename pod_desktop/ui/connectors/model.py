"""The rows of the connectors' table, and how a row is drawn: a dot before the state, links at its end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from PySide6.QtCore import (
    QAbstractTableModel,
    QEvent,
    QModelIndex,
    QPersistentModelIndex,
    QPointF,
    QRect,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QFontMetrics, QMouseEvent, QPainter
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from pod_desktop.core.connector import PROOFPOINT_ON_DEMAND, TYPE_TITLES
from pod_desktop.ui import theme
from pod_desktop.ui.connectors.summary import Row
from pod_desktop.ui.text import cell, tip

COLUMNS: Final = (
    ("name", "Name", 142),
    ("category", "Category", 80),
    ("type", "Type", 196),
    ("content_type", "Content Type", 132),
    ("function", "Function", 72),
    ("tenant", "Tenant", 86),
    ("run_on", "Run On", 106),
    ("status", "Status", 146),
    ("last_activity", "Last Activity", 92),
    ("detail", "Detail", 176),
    ("", "Actions", 112),
)
"""(field of Row, title, width in pixels)."""
NAMES: Final = tuple(name for name, _, _ in COLUMNS)
_TYPE: Final = NAMES.index("type")
STATUS: Final = NAMES.index("status")
DETAIL: Final = NAMES.index("detail")
ACTIONS: Final = len(COLUMNS) - 1
GIVE_WAY: Final = tuple(NAMES.index(name) for name in ("run_on", "category", "function", "content_type"))
"""Columns that say the same of most connectors, the first to go where there is little room."""
TEST, EDIT, MORE = "Test", "Edit", "···"
_GAP: Final = 12
_EDGE: Final = 8
_DOT: Final = 15
_Index = QModelIndex | QPersistentModelIndex


class ConnectorsModel(QAbstractTableModel):
    """Rows as they are shown; refreshed in place, so that selection and scrolling stay."""

    def __init__(self, links: Sequence[str] = (TEST, EDIT, MORE), parent: QWidget | None = None) -> None:
        """`links` stand at the end of each row."""
        super().__init__(parent)
        self.links = tuple(links)
        self._rows: list[Row] = []

    def show_rows(self, rows: Sequence[Row]) -> None:
        """Show these rows from now on."""
        old, new = [row.name for row in self._rows], [row.name for row in rows]
        if old != new:
            self.beginResetModel()
            self._rows = list(rows)
            self.endResetModel()
            return
        for number, row in enumerate(rows):
            if row != self._rows[number]:
                self._rows[number] = row
                self.dataChanged.emit(self.index(number, 0), self.index(number, ACTIONS))

    def row_at(self, number: int) -> Row | None:
        return self._rows[number] if 0 <= number < len(self._rows) else None

    def number_of(self, name: str) -> int:
        """The row of that connector, -1 if it is not shown."""
        return next((number for number, row in enumerate(self._rows) if row.name == name), -1)

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008 (Qt's own signature)
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = 0) -> Any:
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return COLUMNS[section][1] if section != ACTIONS else ""
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        return None

    def data(self, index: _Index, role: int = 0) -> Any:
        if not index.isValid():
            return None
        row = self._rows[index.row()]
        if index.column() == ACTIONS:
            return " · ".join(self.links) if role == Qt.ItemDataRole.DisplayRole else None
        text: str = getattr(row, NAMES[index.column()])
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return cell(text)
        if role == Qt.ItemDataRole.ToolTipRole:
            return tip(f"{text}\n{row.detail}" if index.column() == STATUS and row.detail else text)
        return None


class RowDelegate(QStyledItemDelegate):
    """Draws the state's dot and the row's links."""

    pressed = Signal(str, int)
    """(a link's words, row)."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        model = index.model()
        if not isinstance(model, ConnectorsModel) or (row := model.row_at(index.row())) is None:
            return
        painter.save()
        _paint_ground(painter, option)
        painter.setFont(option.font)
        worn = theme.tokens()
        if index.column() == ACTIONS:
            selected = bool(option.state & QStyle.StateFlag.State_Selected)
            painter.setPen(QColor(worn.accent if selected else worn.note))
            for words, place in links(option.rect, QFontMetrics(option.font), model.links):
                painter.drawText(place, int(Qt.AlignmentFlag.AlignVCenter), words)
        else:
            left = _EDGE
            if index.column() == STATUS:
                _paint_dot(painter, option.rect, row.tone)
                left += _DOT
            painter.setPen(QColor(worn.text if row.enabled else worn.note))
            room = option.rect.adjusted(left, 0, -_EDGE, 0)
            words = cell(getattr(row, NAMES[index.column()]))
            if index.column() == _TYPE and painter.fontMetrics().horizontalAdvance(words) > room.width():
                # What the four responders do stands at the end of their types; whose they are, all know.
                words = words.removeprefix(f"{TYPE_TITLES[PROOFPOINT_ON_DEMAND]} ")
            _paint_words(painter, room, words)
        painter.restore()

    def editorEvent(self, event: QEvent, model: Any, option: QStyleOptionViewItem, index: _Index) -> bool:
        if (
            index.column() == ACTIONS
            and isinstance(model, ConnectorsModel)
            and event.type() == QEvent.Type.MouseButtonRelease
            and isinstance(event, QMouseEvent)
            and event.button() == Qt.MouseButton.LeftButton
        ):
            for words, place in links(option.rect, QFontMetrics(option.font), model.links):
                if place.adjusted(-4, 0, 4, 0).contains(event.position().toPoint()):
                    self.pressed.emit(words, index.row())
                    return True
        return super().editorEvent(event, model, option, index)


def _paint_ground(painter: QPainter, option: QStyleOptionViewItem) -> None:
    """The row's background as the style draws it, and the line below."""
    option.widget.style().drawPrimitive(
        QStyle.PrimitiveElement.PE_PanelItemViewItem, option, painter, option.widget
    )


def _paint_dot(painter: QPainter, room: QRect, tone: str) -> None:
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(theme.dot(tone)))
    painter.drawEllipse(QPointF(room.left() + _EDGE + 4, room.center().y() + 0.5), 4, 4)


def _paint_words(painter: QPainter, room: QRect, text: str) -> None:
    words = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, room.width())
    painter.drawText(room, int(Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine), words)


def links(room: QRect, metrics: QFontMetrics, shown: Sequence[str]) -> list[tuple[str, QRect]]:
    """(words, where) of a row's links."""
    found, left = [], room.left() + _EDGE
    for words in shown:
        width = metrics.horizontalAdvance(words)
        found.append((words, QRect(left, room.top(), width, room.height())))
        left += width + _GAP
    return found
