"""The Events table: a QTableView that paints its whole viewport in one go, and never jumps.

Following is where the scroll bar is: at the top, new rows push the old ones down; anywhere else the rows one
is reading stay where they are, whatever arrives. Space holds the top row too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import (
    QItemSelection,
    QItemSelectionModel,
    QItemSelectionRange,
    QModelIndex,
    QPersistentModelIndex,
    Qt,
    Signal,
)
from PySide6.QtGui import QContextMenuEvent, QKeyEvent, QMouseEvent, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from pod_desktop.core.record import EventRow
from pod_desktop.ui.events.columns import INDEX
from pod_desktop.ui.events.header import ColumnHeader
from pod_desktop.ui.events.model import EventModel, Pull
from pod_desktop.ui.events.rowpainter import RowPainter
from pod_desktop.ui.preferences import Preferences
from pod_desktop.ui.widgets import Button

ROW_HEIGHT: Final = 27
_COPIED_ROWS: Final = 10_000


_Index = QModelIndex | QPersistentModelIndex


class EventTable(QTableView):
    """Rows, newest first."""

    following_changed = Signal(bool)
    opened = Signal()
    """Enter, double click or More: the reader wants the whole record."""
    chosen = Signal(object)
    """The EventRow of the row that is read now."""
    menu_asked = Signal(object, int, object)
    """(EventRow, column, where on the screen) of the cell whose menu is wanted."""

    def __init__(self, model: EventModel, preferences: Preferences, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._events = model
        self._painter = RowPainter()
        self._held = False
        self._unseen = 0
        self._was_following = True
        self._moving = False
        self._awaited = False
        self._taking = False
        self._told: int | None = None
        self.setModel(model)
        self._set_up()
        self.columns = ColumnHeader(model, preferences, self)
        self.columns.changed.connect(self._painter.forget)
        self.setHorizontalHeader(self.columns)
        for header in (self.columns, self.verticalHeader()):
            # Their own, empty selection: with the table's, selecting all rows would visit each of them.
            header.setSelectionModel(QItemSelectionModel(model, header))
        self.columns.restore()
        self.pill = Button("", "pill", self.to_newest, name="Go to the newest records", parent=self)
        self.pill.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.pill.hide()
        self.verticalScrollBar().valueChanged.connect(self._scrolled)
        model.dataChanged.connect(lambda *_corners: self._came())
        if model.looks is not None:
            model.looks.came.connect(self._looks_came)
        if model.notes is not None:
            model.notes.changed.connect(self.redraw)

    def _set_up(self) -> None:
        self.setAccessibleName("Records")
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerItem)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setTabKeyNavigation(False)
        self.setWordWrap(False)
        self.setShowGrid(False)
        self.setCornerButtonEnabled(False)
        self.setAlternatingRowColors(False)
        self.setMouseTracking(True)
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        rows = self.verticalHeader()
        rows.hide()
        rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        rows.setMinimumSectionSize(ROW_HEIGHT)
        rows.setDefaultSectionSize(ROW_HEIGHT)

    @property
    def events(self) -> EventModel:
        """The rows shown."""
        return self._events

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.columns.fill(self.viewport().width())
        self._place_pill()
        self.following_changed.emit(self.following)

    # Following

    @property
    def following(self) -> bool:
        """At the live edge, and not held there."""
        return not self._held and self.verticalScrollBar().value() == 0

    @property
    def unseen(self) -> int:
        """Records that arrived above what is shown."""
        return self._unseen

    def to_newest(self) -> None:
        """Back to the live edge; following goes on."""
        self._held = False
        self._unseen = 0
        self.verticalScrollBar().setValue(0)
        self._tell()

    def pause(self) -> None:
        """Hold what is shown, or go on following."""
        if self.following:
            self._held = True
            self._tell()
        else:
            self.to_newest()

    def take(self, pulled: Pull) -> None:
        """Rows arrive: nothing that is being read moves."""
        bar = self.verticalScrollBar()
        top, following = bar.value(), self.following
        # What lies above the top row; at the live edge that is held, what came in before the first row too.
        above = sum(count for row, count in _before(pulled.inserted, top))
        self._taking = True
        try:
            added = self._events.apply(pulled)
        finally:
            self._taking = False
        if self._awaited:
            self._announce()
        if pulled.reset:
            self._find_again(pulled.anchors, following)
            return
        if not added:
            return
        if not following and above:
            self._moving = True
            self.updateGeometries()
            bar.setValue(top + above)
            self._moving = False
            self._unseen += above
            self._held = False
        self._tell()
        self.viewport().update()

    def anchors(self) -> tuple[int, ...]:
        """Keys of the rows to be found again should the view begin again: the top one, the current one."""
        numbers = [self.verticalScrollBar().value(), self.currentIndex().row()]
        if numbers[1] < 0:
            numbers.pop()
        rows = [self._events.row(number) for number in numbers]
        return tuple(row.seq for row in rows if row is not None) if None not in rows else ()

    def _find_again(self, places: Sequence[int | None], following: bool) -> None:
        top, current = (*places, None, None)[:2]
        if current is not None:
            self._moving = True
            self.setCurrentIndex(self._events.index(current, 0))
            self._moving = False
        self._moving = True
        self.updateGeometries()
        self.verticalScrollBar().setValue(0 if following or top is None else top)
        self._moving = False
        self._tell()

    def start(self) -> None:
        """Another question: begin at its newest record."""
        self._told = None
        self._events.start()
        self._painter.forget()
        self._held = False
        self._unseen = 0
        self.verticalScrollBar().setValue(0)
        self._tell()

    def restyle(self) -> None:
        """Times or colours are others from now on."""
        self._painter.forget()
        self._events.restyle()
        self.viewport().update()

    def redraw(self) -> None:
        """Cells say something else from now on."""
        self._painter.forget()
        self.viewport().update()

    def _looks_came(self, seqs: Sequence[int]) -> None:
        self._painter.forget_rows(seqs)
        self.viewport().update()

    def keyboardSearch(self, search: str) -> None:
        """Letters are commands here; Qt's own search would walk through all rows."""

    def _scrolled(self, value: int) -> None:
        if self._moving:
            return
        if value == 0:
            self._held = False
        self._unseen = min(self._unseen, value)
        self._tell()

    def _tell(self) -> None:
        self.pill.setText(f"{self._unseen:,} new ↑")
        self.pill.setVisible(self._unseen > 0 and not self.following)
        self._place_pill()
        if self.following != self._was_following:
            self._was_following = self.following
            self.following_changed.emit(self.following)

    def _place_pill(self) -> None:
        self.pill.adjustSize()
        self.pill.move((self.width() - self.pill.width()) // 2, self.horizontalHeader().height() + 8)

    # Reading

    def current(self) -> EventRow | None:
        """The row in front of the reader, if it is here."""
        index = self.currentIndex()
        return self._events.row(index.row()) if index.isValid() else None

    def go(self, rows: int) -> None:
        """Move to the next (1) or previous (-1) record."""
        index = self.currentIndex()
        number = index.row() + rows if index.isValid() else 0
        if 0 <= number < self._events.rowCount():
            self.setCurrentIndex(self._events.index(number, 0))

    def chosen_rows(self) -> list[EventRow]:
        """The selected rows that are here, newest first; at most so many as one copies by hand."""
        ranges = sorted((part.top(), part.bottom()) for part in selected(self))
        numbers = [
            number for top, bottom in ranges for number in range(top, min(bottom, top + _COPIED_ROWS) + 1)
        ]
        found = (self._events.row(number) for number in dict.fromkeys(numbers[:_COPIED_ROWS]))
        return [row for row in found if row is not None]

    def chosen_ranges(self) -> list[tuple[int, int]]:
        """(first row, count) of what is selected, from the top."""
        return sorted((part.top(), part.height()) for part in selected(self))

    def visible_rows(self) -> list[EventRow]:
        """The rows in sight that are here."""
        first = self.verticalScrollBar().value()
        count = self.viewport().height() // ROW_HEIGHT + 1
        found = (self._events.row(number) for number in range(first, first + count))
        return [row for row in found if row is not None]

    def chosen_count(self) -> int:
        """How many rows are selected."""
        return sum(part.height() for part in selected(self))

    def currentChanged(self, current: _Index, previous: _Index) -> None:
        super().currentChanged(current, previous)
        self._announce()

    def selectionChanged(self, selected: QItemSelection, deselected: QItemSelection) -> None:
        super().selectionChanged(selected, deselected)
        self._announce()

    def _announce(self) -> None:
        """Tell which record is read. Receiving the focus makes a row current without selecting it: none."""
        if self._taking:  # row numbers and rows do not fit each other while rows are inserted
            self._awaited = True
            return
        self._awaited = False
        current = self.currentIndex()
        if not current.isValid() or not self.selectionModel().isSelected(current):
            return
        row = self._events.row(current.row())
        self._awaited = row is None
        if row is not None and row.seq != self._told:
            self._told = row.seq
            self.chosen.emit(row)

    def _came(self) -> None:
        if self._awaited:
            self._announce()

    def selectAll(self) -> None:
        model, columns = self._events, self._events.columnCount() - 1
        if rows := model.rowCount():
            self.selectionModel().select(
                QItemSelection(model.index(0, 0), model.index(rows - 1, columns)),
                QItemSelectionModel.SelectionFlag.ClearAndSelect,
            )

    # Keys and mouse

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, plain = (
            event.key(),
            event.modifiers() in (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.KeypadModifier),
        )
        if plain and key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.opened.emit()
        elif plain and key == Qt.Key.Key_Space:
            self.pause()
        elif plain and key == Qt.Key.Key_Home:
            self.to_newest()
            self.go_to(0)
        elif plain and key == Qt.Key.Key_End:
            self.go_to(self._events.rowCount() - 1)
        else:
            super().keyPressEvent(event)

    def go_to(self, number: int) -> None:
        """Make a row the current one."""
        if 0 <= number < self._events.rowCount():
            self.setCurrentIndex(self._events.index(number, 0))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        index = self.indexAt(event.position().toPoint())
        if (
            event.button() == Qt.MouseButton.LeftButton
            and index.isValid()
            and index.column() == INDEX["more"]
        ):
            self.opened.emit()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        super().mouseDoubleClickEvent(event)
        if event.button() == Qt.MouseButton.LeftButton and self.indexAt(event.position().toPoint()).isValid():
            self.opened.emit()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        index = self.indexAt(event.pos())
        place = event.globalPos()
        if event.reason() == QContextMenuEvent.Reason.Keyboard or not index.isValid():
            index = self.currentIndex()
            if event.reason() == QContextMenuEvent.Reason.Keyboard:
                place = self.viewport().mapToGlobal(self.visualRect(index).bottomLeft())
        row = self._events.row(index.row()) if index.isValid() else None
        if row is not None:
            self.menu_asked.emit(row, index.column(), place)

    # Painting

    def paintEvent(self, event: QPaintEvent) -> None:
        self._painter.paint(self, event.rect())


def selected(view: QAbstractItemView) -> list[QItemSelectionRange]:
    """The selected ranges; never the indexes, of which there may be millions."""
    selection = view.selectionModel().selection()
    return [selection.at(place) for place in range(selection.size())]


def _before(inserted: tuple[tuple[int, int], ...], top: int) -> list[tuple[int, int]]:
    """The insertions that push the row `top` (as it was before them) down."""
    found: list[tuple[int, int]] = []
    earlier = 0
    for row, count in inserted:
        if row - earlier > top:
            break
        found.append((row, count))
        earlier += count
    return found
