"""The list of commands with their keys, and the editor that changes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import (
    QHBoxLayout,
    QHeaderView,
    QKeySequenceEdit,
    QLineEdit,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from pod_desktop.core.faults import UserFault
from pod_desktop.ui.commands import plain_words
from pod_desktop.ui.settings.controls import framed
from pod_desktop.ui.settings.keymap import Keymap, delivered, shown
from pod_desktop.ui.widgets import Button, Field

_HEIGHT: Final = 260
_ROW: Final = 26


class ShortcutsEditor(QWidget):
    """Choose a command, press its new keys."""

    chosen = Signal(object)
    """All choices, as the setting keeps them; they are applied already."""

    def __init__(self, keymap: Keymap, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._keymap = keymap
        self._shown: list[QAction] = []
        self._current: QAction | None = None
        self._build()
        self.refresh()

    def _build(self) -> None:
        self.filter = QLineEdit()
        self.filter.setPlaceholderText("Filter commands or keys…")
        self.filter.setAccessibleName("Filter commands")
        self.filter.setClearButtonEnabled(True)
        self.filter.textChanged.connect(lambda _words: self.refresh())
        self.table = QTableWidget(0, 2)
        self.table.setAccessibleName("Commands and their keys")
        self.table.setHorizontalHeaderLabels(["Command", "Keys"])
        self.table.verticalHeader().hide()
        self.table.verticalHeader().setDefaultSectionSize(_ROW)
        self.table.setShowGrid(False)
        self.table.setTabKeyNavigation(False)
        self.table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        self.table.setSelectionBehavior(QTableWidget.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QTableWidget.SelectionMode.SingleSelection)
        self.table.setFixedHeight(_HEIGHT)
        header = self.table.horizontalHeader()
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setHighlightSections(False)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        header.resizeSection(1, 210)
        self.table.currentCellChanged.connect(lambda row, *_old: self._row_chosen(row))
        self.keys = QKeySequenceEdit()
        self.keys.setMaximumSequenceLength(1)
        self.keys.setClearButtonEnabled(True)
        self.keys.setMaximumWidth(240)
        self.keys.editingFinished.connect(self._keys_pressed)
        self.field = Field("Keys", self.keys, note="Choose a command, then press its new keys here.")
        self.off = Button("No keys", clicked=lambda: self._change(QKeySequence()))
        self.reset = Button("As delivered", clicked=self._reset_one)
        self.reset_all = Button("Reset all", clicked=lambda: self._take({}))
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.off)
        row.addWidget(self.reset)
        row.addStretch(1)
        row.addWidget(self.reset_all)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.filter)
        column.addWidget(framed(self.table))
        column.addWidget(self.field)
        column.addLayout(row)

    # what is shown

    def refresh(self) -> None:
        """Show all commands that the filter leaves, with the keys they have now."""
        words = self.filter.text().casefold().split()
        kept = plain_words(self._current) if self._current is not None else ""
        actions = self._keymap.commands
        self._shown = [one for one in actions if all(word in _searched(one) for word in words)]
        self.table.blockSignals(True)
        self.table.setRowCount(len(self._shown))
        for number, action in enumerate(self._shown):
            changed = plain_words(action) in self._keymap.chosen
            for column, text in enumerate(
                (plain_words(action), _keys_of(action) + ("  (changed)" if changed else ""))
            ):
                self.table.setItem(number, column, QTableWidgetItem(text))
        place = next((n for n, one in enumerate(self._shown) if plain_words(one) == kept), -1)
        self.table.setCurrentCell(place, 0)
        self.table.blockSignals(False)
        self._row_chosen(place)
        self.reset_all.setEnabled(bool(self._keymap.chosen))

    def choose(self, words: str) -> None:
        """Choose the command of these words."""
        place = next((n for n, one in enumerate(self._shown) if plain_words(one) == words), -1)
        self.table.setCurrentCell(place, 0)

    def _row_chosen(self, row: int) -> None:
        action = self._current = self._shown[row] if 0 <= row < len(self._shown) else None
        for control in (self.keys, self.off, self.reset):
            control.setEnabled(action is not None)
        self.field.fault("")
        if action is None:
            self.keys.clear()
            self.field.say("Choose a command, then press its new keys here.")
            return
        self.keys.setKeySequence(action.shortcut())
        words = plain_words(action)
        self.keys.setAccessibleName(f"Keys for {words}")
        given = ", ".join(shown(QKeySequence(keys)) for keys in delivered(action)) or "none"
        self.field.say(f"For “{words}”. Delivered: {given}.")
        self.off.setEnabled(bool(action.shortcuts()))
        self.reset.setEnabled(words in self._keymap.chosen)

    # what is changed

    def _keys_pressed(self) -> None:
        keys = self.keys.keySequence()
        if self._current is not None and keys != self._current.shortcut():
            self._change(keys)

    def _change(self, keys: QKeySequence) -> None:
        action = self._current
        if action is not None:
            self._try(lambda: self._keymap.with_keys(action, keys))

    def _reset_one(self) -> None:
        action = self._current
        if action is not None:
            self._try(lambda: self._keymap.without(action))

    def _try(self, choices: Callable[[], dict[str, str]]) -> None:
        try:
            self._take(choices())
        except UserFault as fault:
            self.field.fault(fault.what, fault.hint)

    def _take(self, choices: dict[str, str]) -> None:
        self._keymap.apply(choices)
        self.refresh()
        self.chosen.emit(choices)


def _keys_of(action: QAction) -> str:
    return ", ".join(shown(keys) for keys in action.shortcuts())


def _searched(action: QAction) -> str:
    return f"{plain_words(action)} {_keys_of(action)}".casefold()
