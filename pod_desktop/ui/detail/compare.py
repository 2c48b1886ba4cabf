"""Two records beside each other, field by field, with what differs marked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, Final, NamedTuple

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtGui import QColor, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QHeaderView, QTableView, QVBoxLayout, QWidget

from pod_desktop.ui import fonts, theme
from pod_desktop.ui.bridge import Record, Worker
from pod_desktop.ui.detail.fields import plain
from pod_desktop.ui.moments import Zone
from pod_desktop.ui.text import PlainLabel, cell, copy, isolated, tip

_MOST: Final = 20_000
_ROW: Final = 25
_Index = QModelIndex | QPersistentModelIndex
_FLAT: Final = QModelIndex()


class Pair(NamedTuple):
    """A path and what stands there in either record; None where there is no such path."""

    path: str
    left: str | None
    right: str | None

    @property
    def differs(self) -> bool:
        return self.left != self.right


def pairs(left: Any, right: Any) -> list[Pair]:
    """Leaves of two records by path, in the order of the first, then what only the second has."""
    one, other = (dict(islice(_leaves(value, ""), _MOST)) for value in (left, right))
    paths = [*one, *(path for path in other if path not in one)]
    return [Pair(path, one.get(path), other.get(path)) for path in paths]


def _leaves(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict) and value:
        for name, inner in value.items():
            yield from _leaves(inner, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list) and value:
        for place, inner in enumerate(value):
            yield from _leaves(inner, f"{path}[{place}]")
    else:
        yield path, "{}" if value == {} else "[]" if value == [] else plain(value)


class CompareModel(QAbstractTableModel):
    """Field, first record, second record."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._all: list[Pair] = []
        self._shown: list[Pair] = []
        self._only_differences = False

    def show_pairs(self, found: Sequence[Pair]) -> None:
        """Show these."""
        self._all = list(found)
        self._filter()

    def show_only_differences(self, only: bool) -> None:
        """Leave out what is the same."""
        self._only_differences = only
        self._filter()

    def _filter(self) -> None:
        self.beginResetModel()
        self._shown = [pair for pair in self._all if pair.differs or not self._only_differences]
        self.endResetModel()

    @property
    def differences(self) -> int:
        """How many fields differ."""
        return sum(pair.differs for pair in self._all)

    def pair(self, row: int) -> Pair:
        """A row."""
        return self._shown[row]

    def rowCount(self, parent: _Index = _FLAT) -> int:
        return 0 if parent.isValid() else len(self._shown)

    def columnCount(self, parent: _Index = _FLAT) -> int:
        return 0 if parent.isValid() else 4

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return ("", "Field", "First record", "Second record")[section]
        return None

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        pair = self._shown[index.row()]
        words = ("≠" if pair.differs else "", pair.path, pair.left, pair.right)[index.column()]
        if role == Qt.ItemDataRole.DisplayRole:
            return cell(words) if words is not None else "—"
        if role == Qt.ItemDataRole.AccessibleTextRole:
            head = "differs" if index.column() == 0 and pair.differs else ""
            return head or (cell(words) if words is not None else "not there")
        if role == Qt.ItemDataRole.ToolTipRole and index.column():
            return tip(words or "")
        if role == Qt.ItemDataRole.BackgroundRole and pair.differs:
            return QColor(theme.tokens().warn.back)
        if role == Qt.ItemDataRole.FontRole and index.column() > 1:
            return fonts.mono()
        return None


class _Table(QTableView):
    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Copy):
            model = self.model()
            assert isinstance(model, CompareModel)
            rows = sorted({index.row() for index in self.selectedIndexes()})
            lines = [model.pair(row) for row in rows]
            copy("\n".join(f"{one.path}\t{one.left or ''}\t{one.right or ''}" for one in lines))
        else:
            super().keyPressEvent(event)


class CompareView(QWidget):
    """The table of two records."""

    def __init__(self, worker: Worker, zone: Zone, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._worker = worker
        self._zone = zone
        self.model = CompareModel(self)
        self._heads = [PlainLabel("", "strong", wrap=True), PlainLabel("", "strong", wrap=True)]
        self.only = QCheckBox("Only differences")
        self.only.toggled.connect(self._only_toggled)
        self._count = PlainLabel("Reading …", "note")
        self.table = _Table()
        self.table.setAccessibleName("Both records")
        self.table.setModel(self.model)
        self.table.verticalHeader().hide()
        self.table.verticalHeader().setDefaultSectionSize(_ROW)
        self.table.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.table.setShowGrid(False)
        self.table.setWordWrap(False)
        self.table.setTabKeyNavigation(False)
        self.table.setSelectionBehavior(QTableView.SelectionBehavior.SelectRows)
        self.table.setEditTriggers(QTableView.EditTrigger.NoEditTriggers)
        header = self.table.horizontalHeader()
        header.setHighlightSections(False)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.resizeSection(0, 36)
        header.resizeSection(1, 280)
        for side in (2, 3):
            header.setSectionResizeMode(side, QHeaderView.ResizeMode.Stretch)
        row = QHBoxLayout()
        row.setContentsMargins(12, 10, 12, 6)
        row.addWidget(self._count)
        row.addStretch(1)
        row.addWidget(self.only)
        heads = QHBoxLayout()
        heads.setContentsMargins(12, 0, 12, 8)
        heads.setSpacing(16)
        for head in self._heads:
            heads.addWidget(head, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(row)
        column.addLayout(heads)
        column.addWidget(self.table, 1)

    def show_records(self, left: Record, right: Record) -> None:
        """Compare these."""
        for head, record, number in zip(self._heads, (left, right), ("First", "Second"), strict=True):
            row = record.row
            head.set_shown(
                f"{number}: {isolated(row.subject or row.record_id)} · {self._zone.whole(row.time)}"
            )
        self._worker.ask(lambda: pairs(left.value, right.value), self._came, owner=self)

    def fail(self, error: BaseException) -> None:
        """One of them cannot be read."""
        self._count.setText(f"The records cannot be compared: {error}")

    def _came(self, found: list[Pair]) -> None:
        self.model.show_pairs(found)
        self._tell()

    def _only_toggled(self, only: bool) -> None:
        self.model.show_only_differences(only)
        self._tell()

    def _tell(self) -> None:
        self._count.setText(f"{self.model.differences:,} fields differ")
