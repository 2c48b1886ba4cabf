"""Tables of actions, list entries and planned values: whole rows, chips, a link at the end, columns that give way.

A table is told its rows; it never asks. Text of cells is outside text and goes through ui.text.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any, Final, NamedTuple

from PySide6.QtCore import QAbstractTableModel, QEvent, QModelIndex, QPersistentModelIndex, QPoint, Qt, Signal
from PySide6.QtGui import QColor, QContextMenuEvent, QKeyEvent, QMouseEvent, QPainter, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from pod_desktop.ui import fonts, theme
from pod_desktop.ui.painting import CHIP_HEIGHT, ChipPainter
from pod_desktop.ui.preferences import Preferences
from pod_desktop.ui.text import cell, tip

ROW_HEIGHT: Final = 28
_NARROWEST: Final = 36
_WIDEST: Final = 2_000
_EDGE: Final = 8
_Index = QModelIndex | QPersistentModelIndex


class Column(NamedTuple):
    """A column; `gives_way` tells in which order columns go where there is little room, 0 never."""

    key: str
    title: str
    width: int
    gives_way: int = 0
    stretch: bool = False
    sorts: bool = False


class Cell(NamedTuple):
    """What stands in a cell."""

    text: str
    tone: str = ""
    """A chip in this tone."""
    link: bool = False
    mono: bool = False
    dim: bool = False
    tip: str = ""
    """Instead of the text itself."""


CellOf = Callable[[Any, str], Cell]
"""(row, column's key) -> its cell."""


class RowsModel(QAbstractTableModel):
    """Rows as they are shown; changed in place where they are the same ones, so that nothing jumps."""

    def __init__(
        self,
        columns: Sequence[Column],
        cell_of: CellOf,
        key_of: Callable[[Any], Hashable],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.columns = tuple(columns)
        self.cell_of = cell_of
        self._key_of = key_of
        self._keys: list[Hashable] = []
        self.rows: list[Any] = []

    def show_rows(self, rows: Sequence[Any]) -> None:
        """Show these rows from now on."""
        keys = [self._key_of(row) for row in rows]
        if keys != self._keys:
            self.beginResetModel()
            self.rows, self._keys = list(rows), keys
            self.endResetModel()
            return
        changed = [number for number, row in enumerate(rows) if row != self.rows[number]]
        if changed:
            for number in changed:
                self.rows[number] = rows[number]
            # One signal for all: a run changes hundreds of rows between two looks at it.
            corner = self.index(changed[-1], len(self.columns) - 1)
            self.dataChanged.emit(self.index(changed[0], 0), corner)

    def row_at(self, number: int) -> Any:
        """The row, None where there is none."""
        return self.rows[number] if 0 <= number < len(self.rows) else None

    def number_of(self, key: Hashable) -> int:
        """Where the row of that key stands, -1 if it is not shown."""
        return self._keys.index(key) if key in self._keys else -1

    def key_at(self, number: int) -> Hashable | None:
        return self._keys[number] if 0 <= number < len(self._keys) else None

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008 (Qt's own signature)
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.columns)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = 0) -> Any:
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return self.columns[section].title
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        return None

    def data(self, index: _Index, role: int = 0) -> Any:
        if not index.isValid():
            return None
        if role not in (
            Qt.ItemDataRole.DisplayRole,
            Qt.ItemDataRole.AccessibleTextRole,
            Qt.ItemDataRole.ToolTipRole,
        ):
            return None
        shown = self.cell_of(self.rows[index.row()], self.columns[index.column()].key)
        if role == Qt.ItemDataRole.ToolTipRole:
            return tip(shown.tip or shown.text)
        return cell(shown.text)


class RowsTable(QTableView):
    """Whole rows. Enter, Delete and the links are told; Tab leaves it."""

    asked = Signal(int)
    """A key: Enter or Delete."""
    linked = Signal(object)
    """The row whose link was pressed."""
    sortAsked = Signal(str)
    """A column's key."""
    menuAsked = Signal(QPoint)
    """Where, on the screen."""
    chosen = Signal()
    """Another row is the current one, or none."""

    def __init__(
        self, model: RowsModel, name: str, *, several: bool = False, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.rows_model = model
        self.setModel(model)
        self.setAccessibleName(name)
        self._delegate = _Delegate(self)
        self.setItemDelegate(self._delegate)
        modes = QAbstractItemView.SelectionMode
        self.setSelectionMode(modes.ExtendedSelection if several else modes.SingleSelection)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setTabKeyNavigation(False)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setMouseTracking(True)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.verticalHeader().setVisible(False)
        self.verticalHeader().setMinimumSectionSize(ROW_HEIGHT)
        self.verticalHeader().setDefaultSectionSize(ROW_HEIGHT)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setSectionsClickable(True)
        header.setMinimumSectionSize(_NARROWEST)
        header.setFixedHeight(27)
        header.setStretchLastSection(False)
        header.sectionClicked.connect(self._header_pressed)
        for number, column in enumerate(model.columns):
            self.setColumnWidth(number, column.width)
        self._preferences: Preferences | None = None
        self._widths_key = ""
        self._widths: dict[str, int] = {}
        """Of columns that somebody made wider or narrower."""
        self._fitting = False
        header.sectionResized.connect(self._resized)
        header.sectionHandleDoubleClicked.connect(self._forget_width)
        self.selectionModel().currentRowChanged.connect(lambda *_rows: self.chosen.emit())
        model.modelReset.connect(self.chosen)

    # rows

    def show_rows(self, rows: Sequence[Any]) -> None:
        """Show these; the current row stays current, and where it was, as long as it is among them."""
        current, place = self.current_key(), self.verticalScrollBar().value()
        chosen = [self.rows_model.key_at(number) for number in self.chosen_numbers()]
        self.rows_model.show_rows(rows)
        number = self.rows_model.number_of(current) if current is not None else -1
        if number < 0 or number == self.currentIndex().row():
            return
        self.select_numbers([self.rows_model.number_of(key) for key in chosen])
        self.selectionModel().setCurrentIndex(
            self.rows_model.index(number, 0), self.selectionModel().SelectionFlag.NoUpdate
        )
        self.verticalScrollBar().setValue(place)
        self.chosen.emit()

    def current(self) -> Any:
        """The current row, None if there is none."""
        return self.rows_model.row_at(self.currentIndex().row())

    def current_key(self) -> Hashable | None:
        return self.rows_model.key_at(self.currentIndex().row())

    def choose(self, key: Hashable) -> bool:
        """Make a row the current one; False if it is not shown."""
        number = self.rows_model.number_of(key)
        if number < 0:
            return False
        self.setCurrentIndex(self.rows_model.index(number, 0))
        self.scrollTo(self.rows_model.index(number, 0))
        return True

    def chosen_numbers(self) -> list[int]:
        """Selected rows, from the top."""
        found: set[int] = set()
        selection = self.selectionModel().selection()
        for place in range(selection.size()):
            part = selection.at(place)
            found.update(range(part.top(), part.bottom() + 1))
        return sorted(found)

    def chosen_rows(self) -> list[Any]:
        return [self.rows_model.row_at(number) for number in self.chosen_numbers()]

    def select_numbers(self, numbers: Sequence[int]) -> None:
        """Select exactly these rows."""
        flags = self.selectionModel().SelectionFlag
        self.selectionModel().clearSelection()
        for number in numbers:
            if number >= 0:
                self.selectionModel().select(self.rows_model.index(number, 0), flags.Select | flags.Rows)

    # columns

    def remember(self, preferences: Preferences, key: str) -> None:
        """Keep the widths that people give to columns under this key."""
        self._preferences, self._widths_key = preferences, key
        self.recall()

    def recall(self) -> None:
        """Widths as the profile in use has them."""
        kept = self._preferences.data(self._widths_key) if self._preferences is not None else None
        known = {column.key for column in self.rows_model.columns}
        self._widths = {
            key: max(_NARROWEST, min(width, _WIDEST))
            for key, width in (kept.items() if isinstance(kept, dict) else ())
            if key in known and isinstance(width, int)
        }
        self.fit()

    def fit(self) -> None:
        """Hide what there is no room for; the stretching columns take what is left."""
        columns, room = self.rows_model.columns, self.viewport().width()
        hidden: set[int] = set()
        order = sorted((c.gives_way, n) for n, c in enumerate(columns) if c.gives_way)
        needed = sum(map(self._width, columns))
        for _, number in order:
            if needed <= room:
                break
            hidden.add(number)
            needed -= self._width(columns[number])
        for number in range(len(columns)):
            self.setColumnHidden(number, number in hidden)
        self._share_out()

    def _width(self, column: Column) -> int:
        return self._widths.get(column.key, column.width)

    def _share_out(self) -> None:
        """Give each column that is shown its width, and the stretching ones what is left."""
        shown = [
            (number, column)
            for number, column in enumerate(self.rows_model.columns)
            if not self.isColumnHidden(number)
        ]
        stretching = [number for number, one in shown if one.stretch and one.key not in self._widths]
        spare = max(0, self.viewport().width() - sum(self._width(column) for _, column in shown))
        self._fitting = True
        for number, column in shown:
            more = spare // len(stretching) if number in stretching else 0
            self.setColumnWidth(number, self._width(column) + more)
        self._fitting = False

    def _resized(self, section: int, _old: int, new: int) -> None:
        """By hand: it stays as it was made, and no column comes or goes while the mouse is down."""
        if self._fitting or self.isColumnHidden(section) or not new:
            return
        self._widths[self.rows_model.columns[section].key] = new
        self._share_out()
        self._keep_widths()

    def _forget_width(self, section: int) -> None:
        """A double click on a border: as on the first day."""
        if self._widths.pop(self.rows_model.columns[section].key, None) is not None:
            self.fit()
            self._keep_widths()

    def _keep_widths(self) -> None:
        if self._preferences is not None:
            self._preferences.set_data(self._widths_key, self._widths)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.fit()

    def show_sort(self, key: str, descending: bool) -> None:
        """Mark the column that sorts."""
        keys = [column.key for column in self.rows_model.columns]
        header = self.horizontalHeader()
        header.setSortIndicatorShown(key in keys)
        if key in keys:
            order = Qt.SortOrder.DescendingOrder if descending else Qt.SortOrder.AscendingOrder
            header.setSortIndicator(keys.index(key), order)

    def _header_pressed(self, section: int) -> None:
        column = self.rows_model.columns[section]
        if column.sorts:
            self.sortAsked.emit(column.key)

    # keys and mouse

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Delete):
            self.asked.emit(event.key())
            event.accept()
        else:
            super().keyPressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        if not self.currentIndex().isValid():
            return
        place = event.globalPos()
        if event.reason() == QContextMenuEvent.Reason.Keyboard:
            place = self.viewport().mapToGlobal(self.visualRect(self.currentIndex()).bottomLeft())
        self.menuAsked.emit(place)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        index = self.indexAt(event.position().toPoint())
        over = index.isValid() and self._cell(index).link and bool(self._cell(index).text)
        self.viewport().setCursor(Qt.CursorShape.PointingHandCursor if over else Qt.CursorShape.ArrowCursor)

    def _cell(self, index: _Index) -> Cell:
        column = self.rows_model.columns[index.column()]
        return self.rows_model.cell_of(self.rows_model.rows[index.row()], column.key)


class _Delegate(QStyledItemDelegate):
    """Draws text, chips and links."""

    def __init__(self, table: RowsTable) -> None:
        super().__init__(table)
        self._table = table
        self._chips = ChipPainter()
        self._mono = fonts.mono()

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        model = self._table.rows_model
        row = model.row_at(index.row())
        if row is None:
            return
        shown = model.cell_of(row, model.columns[index.column()].key)
        painter.save()
        style = option.widget.style()
        style.drawPrimitive(QStyle.PrimitiveElement.PE_PanelItemViewItem, option, painter, option.widget)
        room = option.rect.adjusted(_EDGE, 0, -_EDGE, 0)
        text = cell(shown.text, 200)
        if shown.tone and text:
            ratio = option.widget.devicePixelRatioF()
            painter.setClipRect(option.rect)
            painter.drawPixmap(
                QPoint(room.left(), room.top() + (room.height() - CHIP_HEIGHT) // 2),
                self._chips.pixmap(self._chips.fitted(text, option.rect.width() - _EDGE), shown.tone, ratio),
            )
        elif text:
            worn = theme.tokens()
            painter.setFont(self._mono if shown.mono else option.font)
            painter.setPen(QColor(worn.accent if shown.link else worn.note if shown.dim else worn.text))
            words = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, room.width())
            painter.drawText(room, int(Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine), words)
        painter.restore()

    def editorEvent(self, event: QEvent, model: Any, option: QStyleOptionViewItem, index: _Index) -> bool:
        if (
            event.type() == QEvent.Type.MouseButtonRelease
            and isinstance(event, QMouseEvent)
            and event.button() == Qt.MouseButton.LeftButton
        ):
            row = self._table.rows_model.row_at(index.row())
            if row is not None:
                shown = self._table._cell(index)
                if shown.link and shown.text:
                    self._table.linked.emit(row)
                    return True
        return super().editorEvent(event, model, option, index)
