"""One card of the Statistics page: a plot, the same as a table, and how exact it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QStackedWidget,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)

from pod_desktop.services.statistics import TITLES, Bar, Part
from pod_desktop.ui.text import PlainLabel, cell, tip
from pod_desktop.ui.widgets import Button, Card

if TYPE_CHECKING:
    from pod_desktop.ui.statistics.plot import Plot

_ROW: Final = 26


class PartCard(Card):
    """A part by its key; empty until it has been counted."""

    chosen = Signal(object, object)
    """(Part, Bar) whose records are wanted."""

    def __init__(self, key: str, parent: QWidget | None = None) -> None:
        super().__init__(parent=parent)
        self.key = key
        self._part: Part | None = None
        self.setAccessibleName(TITLES[key])
        self._title = PlainLabel(TITLES[key], "heading")
        self.toggle = Button("Show as table", "link", self._turn, name=f"{TITLES[key]}: show as table")
        self.toggle.hide()
        head = QHBoxLayout()
        head.addWidget(self._title, 1)
        head.addWidget(self.toggle)
        self.plot: Plot | None = None
        self.table = self._table()
        self._nothing = PlainLabel("Counting …", "note")
        self._nothing.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._stack = QStackedWidget()
        for part in (self._nothing, self.table):
            self._stack.addWidget(part)
        self.note = PlainLabel("", "help", wrap=True)
        self.note.hide()
        self.body.addLayout(head)
        self.body.addWidget(self._stack)
        self.body.addWidget(self.note)
        self.body.addStretch(1)

    def _table(self) -> QTableWidget:
        table = QTableWidget(0, 2)
        table.setHorizontalHeaderLabels(["Value", "Records"])
        table.setAccessibleName(f"{TITLES[self.key]} as a table")
        table.verticalHeader().hide()
        table.verticalHeader().setDefaultSectionSize(_ROW)
        table.setShowGrid(False)
        table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.horizontalHeader().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        table.setTabKeyNavigation(False)
        table.cellActivated.connect(lambda row, _column: self._choose_row(row))
        return table

    @property
    def part(self) -> Part | None:
        return self._part

    def wait(self) -> None:
        """It is being counted anew; what was counted before stays until then."""
        if self._part is None:
            self._nothing.setText("Counting …")

    def give_up(self) -> None:
        """It will not be counted now."""
        if self._part is None:
            self._nothing.setText("Not counted.")

    def show_part(self, part: Part) -> None:
        """Show what was counted."""
        self._part = part
        self.toggle.setVisible(bool(part.bars))
        self.note.setText(part.note)
        self.note.setVisible(bool(part.note))
        self.setAccessibleDescription(part.words()[:2_000])
        if not part.bars:
            self._nothing.setText("Nothing in this time.")
            self._stack.setCurrentWidget(self._nothing)
            self._fit()
            return
        plot = self._plot()
        plot.show_part(part)
        self._fill(part)
        if self._stack.currentWidget() is self._nothing:
            self._stack.setCurrentWidget(plot)
        self._fit()

    def _plot(self) -> Plot:
        """The plot, made when there is first something to draw: one at a time, so that the window goes on."""
        if self.plot is None:
            from pod_desktop.ui.statistics.plot import Plot

            self.plot = Plot()
            self.plot.chosen.connect(self._choose)
            self._stack.addWidget(self.plot)
        return self.plot

    def restyle(self) -> None:
        """Colours are others from now on."""
        if self.plot is not None and self._part is not None and self._part.bars:
            self.plot.restyle()

    def _fit(self) -> None:
        shown = self._stack.currentWidget()
        height = 24 if shown is self._nothing or self.plot is None else self.plot.sizeHint().height()
        self._stack.setFixedHeight(height)

    def _fill(self, part: Part) -> None:
        self.table.setRowCount(len(part.bars))
        for row, bar in enumerate(part.bars):
            name = QTableWidgetItem(cell(bar.label))
            name.setToolTip(tip(bar.label))
            count = QTableWidgetItem(f"{bar.count:,}")
            count.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            self.table.setItem(row, 0, name)
            self.table.setItem(row, 1, count)

    def _turn(self) -> None:
        to_table = self._stack.currentWidget() is self.plot
        self._stack.setCurrentWidget(self.table if to_table else self._plot())
        words = "Show as plot" if to_table else "Show as table"
        self.toggle.setText(words)
        self.toggle.setAccessibleName(f"{TITLES[self.key]}: {words[:1].lower()}{words[1:]}")

    def _choose_row(self, row: int) -> None:
        if self._part is not None and 0 <= row < len(self._part.bars) and self._part.bars[row].count:
            self._choose(self._part.bars[row])

    def _choose(self, bar: Bar) -> None:
        self.chosen.emit(self._part, bar)
