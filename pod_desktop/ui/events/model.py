"""The table's model: a window over a view that lives on a worker thread. Rows that are not here are blank
until they come; nothing here waits.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal

from pod_desktop.core import limits
from pod_desktop.core.record import EventRow
from pod_desktop.ui.bridge import View
from pod_desktop.ui.events.columns import COLUMNS, INDEX, OTHER_FIELD, Column, field_column, flag_words
from pod_desktop.ui.events.looks import Looks
from pod_desktop.ui.events.notebook import NoteBook
from pod_desktop.ui.events.pages import PAGE_ROWS, Pages
from pod_desktop.ui.moments import Zone, ago
from pod_desktop.ui.text import block, cell, tip

STEP_SECONDS: Final = 0.03
"""How long one pull may look further back; then others have their turn."""
_PIXELS: Final = 2**31 - 1
_FLAT = QModelIndex()


@dataclass(frozen=True, slots=True)
class Pull:
    """What one visit to the view brought."""

    total: int
    inserted: tuple[tuple[int, int], ...]
    fresh: tuple[EventRow, ...]
    """The rows of an insertion at the very top (the newest first), so that they never show blank."""
    reset: bool
    more: bool
    anchors: tuple[int | None, ...] = ()
    """After a reset: where the rows are now whose keys were given."""
    progress: float | None = None
    """How much of a long scan is done, 0 to 1."""
    problems: tuple[str, ...] = ()
    """What the rows are without, in words."""


def pull(
    view: View, fresh: int, *, search: bool = True, anchors: Sequence[int] = (), begin: bool = False
) -> Pull:
    """On the worker: look further back for a moment, take in what arrived, fetch the newest rows.

    `anchors` are keys of rows that must be found again if the view begins again; `begin` says that this view
    takes the place of another whose rows are still shown.
    """
    until = time.monotonic() + STEP_SECONDS
    while search and view.step() and time.monotonic() < until:
        pass
    advance = view.advance()
    inserted = tuple((row, count) for row, count in advance.inserted)
    top = inserted[0][1] if inserted and inserted[0][0] == 0 else 0
    reset = advance.reset or begin
    if reset:
        top = advance.total
    rows = tuple(view.rows(0, min(top, fresh))) if top else ()
    places = tuple(view.row_of(seq) for seq in anchors) if reset else ()
    return Pull(
        advance.total, inserted, rows, reset, advance.more, places, view.progress, tuple(view.problems)
    )


def fetch(view: View, page: int) -> tuple[int, list[EventRow]]:
    """On the worker: a page (counted from the oldest), oldest row first."""
    low = page * PAGE_ROWS
    count = min(PAGE_ROWS, view.total - low)
    if count <= 0:
        return low, []
    rows = list(view.rows(view.total - low - count, count))
    rows.reverse()
    return low, rows


class EventModel(QAbstractTableModel):
    """Rows of the Events table, newest first."""

    missing = Signal(int)
    """A page (counted from the oldest) that somebody looked at and that is not here."""

    def __init__(
        self,
        zone: Zone,
        row_height: int,
        parent: QObject | None = None,
        *,
        looks: Looks | None = None,
        notes: NoteBook | None = None,
    ) -> None:
        super().__init__(parent)
        self._zone = zone
        self._others: list[Column] = []
        self.looks = looks
        self.notes = notes
        self._most = min(limits.VIEW_ROWS, _PIXELS // row_height - 1)
        self._total = 0
        self._shown = 0
        self._pages = Pages()
        self._asked: set[int] = set()

    @property
    def total(self) -> int:
        """Rows of the view; more than rowCount() beyond what Qt can scroll."""
        return self._total

    @property
    def zone(self) -> Zone:
        """Who writes the times."""
        return self._zone

    # Columns

    def column(self, place: int) -> Column:
        """A column by its place in the model."""
        return COLUMNS[place] if place < len(COLUMNS) else self._others[place - len(COLUMNS)]

    @property
    def other_fields(self) -> tuple[str, ...]:
        """Fields with a column beyond the table's own, in the model's order."""
        return tuple(column.field for column in self._others)

    def place_of(self, key: str) -> int | None:
        """Where the column with this key stands."""
        if key in INDEX:
            return INDEX[key]
        found = (place for place, one in enumerate(self._others, len(COLUMNS)) if one.key == key)
        return next(found, None)

    def add_field(self, field: str) -> int:
        """Give a field a column; returns its place."""
        place = self.place_of(f"{OTHER_FIELD}{field}")
        if place is None:
            place = len(COLUMNS) + len(self._others)
            self.beginInsertColumns(_FLAT, place, place)
            self._others.append(field_column(field))
            self.endInsertColumns()
        return place

    def drop_field(self, field: str) -> None:
        """Take a field's column away."""
        place = self.place_of(f"{OTHER_FIELD}{field}")
        if place is not None:
            self.beginRemoveColumns(_FLAT, place, place)
            del self._others[place - len(COLUMNS)]
            self.endRemoveColumns()

    def text(self, row: EventRow, place: int) -> str:
        """What a cell says, in one line, safe to show."""
        column = self.column(place)
        if place >= len(COLUMNS):
            return cell(self.looks.value(row, column.field)) if self.looks is not None else ""
        if column.key == "comment":
            return cell(self.comment(row))
        return column.text(row, self._zone)

    def comment(self, row: EventRow) -> str:
        """What somebody said about the row's record."""
        note = self.notes.of(row.record_id) if self.notes is not None else None
        return note.comment if note is not None else ""

    def marked(self, row: EventRow) -> bool:
        """Whether the row's record is marked."""
        return self.notes is not None and self.notes.marked(row.record_id)

    def tone(self, row: EventRow) -> str:
        """The colour that a rule gives the row; '' for none."""
        return self.looks.of(row).tone if self.looks is not None else ""

    # Rows

    def start(self) -> None:
        """Another question: no rows until they come."""
        self.beginResetModel()
        self._pages.clear()
        self._asked.clear()
        self._total = self._shown = 0
        self.endResetModel()

    def apply(self, pulled: Pull) -> int:
        """Take in what a visit brought; returns how many rows were inserted."""
        if pulled.reset:
            self._reset(pulled)
            return 0
        if not pulled.inserted:
            return 0
        before = self._total
        self._pages.shift(before, pulled.inserted)
        self._asked.clear()
        self._insert(pulled)
        self._pages.put(pulled.total - len(pulled.fresh), pulled.fresh[::-1])
        return pulled.total - before

    def _reset(self, pulled: Pull) -> None:
        self.beginResetModel()
        self._pages.clear()
        self._asked.clear()
        self._total, self._shown = pulled.total, min(pulled.total, self._most)
        self._pages.put(pulled.total - len(pulled.fresh), pulled.fresh[::-1])
        self.endResetModel()

    def _insert(self, pulled: Pull) -> None:
        for row, count in pulled.inserted:
            self._total += count
            if row >= self._most:
                continue
            self.beginInsertRows(_FLAT, row, row + count - 1)
            self._shown += count
            self.endInsertRows()
        self._total = pulled.total
        if self._shown > self._most:
            self.beginRemoveRows(_FLAT, self._most, self._shown - 1)
            self._shown = self._most
            self.endRemoveRows()

    def put(self, low: int, rows: Sequence[EventRow]) -> None:
        """A page that was missing has come."""
        self._asked.discard(low // PAGE_ROWS)
        if not rows:
            return
        self._pages.put(low, list(rows))
        first, last = self._total - low - len(rows), self._total - low - 1
        if first < self._shown:
            self.dataChanged.emit(
                self.index(max(0, first), 0), self.index(min(last, self._shown - 1), len(COLUMNS) - 1)
            )

    def row(self, number: int) -> EventRow | None:
        """The row if it is here; asks for its page if not."""
        place = self._total - 1 - number
        if place < 0:
            return None
        found = self._pages.get(place)
        if found is None and (page := place // PAGE_ROWS) not in self._asked:
            self._asked.add(page)
            self.missing.emit(page)
        return found

    def unasked(self, page: int) -> None:
        """The page will not come now; whoever looks again asks again."""
        self._asked.discard(page)

    def restyle(self) -> None:
        """Times are written otherwise from now on."""
        if self._shown:
            self.dataChanged.emit(self.index(0, 0), self.index(self._shown - 1, self.columnCount() - 1))

    # What Qt asks

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex = _FLAT) -> int:
        return 0 if parent.isValid() else self._shown

    def columnCount(self, parent: QModelIndex | QPersistentModelIndex = _FLAT) -> int:
        return 0 if parent.isValid() else len(COLUMNS) + len(self._others)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if orientation != Qt.Orientation.Horizontal or not 0 <= section < self.columnCount():
            return None
        column = self.column(section)
        if role == Qt.ItemDataRole.DisplayRole:
            return "Time ▾" if column.key == "time" else column.title
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return {"time": "Time, newest first", "more": "More"}.get(column.key, column.title)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if column.right else Qt.AlignmentFlag.AlignLeft
            return int(side | Qt.AlignmentFlag.AlignVCenter)
        return None

    def data(
        self, index: QModelIndex | QPersistentModelIndex, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if not index.isValid():
            return None
        column = self.column(index.column())
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if column.right else Qt.AlignmentFlag.AlignLeft
            return int(side | Qt.AlignmentFlag.AlignVCenter)
        if role not in (
            Qt.ItemDataRole.DisplayRole,
            Qt.ItemDataRole.AccessibleTextRole,
            Qt.ItemDataRole.ToolTipRole,
        ):
            return None
        row = self.row(index.row())
        if row is None:
            return "" if role != Qt.ItemDataRole.AccessibleTextRole else "loading"
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._tip(row, index.column())
        shown = self.text(row, index.column())
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return self._spoken(row, column, shown)
        return shown

    def _spoken(self, row: EventRow, column: Column, shown: str) -> str:
        if column.key == "more":
            return "More"
        words = f"{column.title}: {shown}" if shown else ""
        if column.key == "subject":
            noted = [*(["marked"] if self.marked(row) else []), *(["comment"] if self.comment(row) else [])]
            words = "; ".join(part for part in (words, *noted) if part)
        return words

    def _tip(self, row: EventRow, column: int) -> str:
        if column == INDEX["time"]:
            return tip(f"{self._zone.whole(row.time)}\n{ago(row.time, time.time_ns() // 1000)}")
        if column == INDEX["more"]:
            return tip("More Info")
        if column == INDEX["recipients"]:
            more = row.recipient_count - len(row.recipients)
            return tip("\n".join([*row.recipients, *([f"and {more} more"] if more > 0 else [])]))
        if column == INDEX["subject"]:
            noted = [f"Comment: {comment}"] if (comment := self.comment(row)) else []
            return tip("\n".join([block(row.subject, limits.CELL_CHARS), *noted, *flag_words(row.flags)]))
        if column == INDEX["comment"]:
            return tip(self.comment(row))
        return tip(self.text(row, column))
