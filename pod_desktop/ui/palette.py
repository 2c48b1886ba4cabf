"""The command palette (Ctrl+K) and the list of shortcuts (?)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import QEvent, QObject, QPoint, Qt
from PySide6.QtGui import QAction, QKeyEvent, QKeySequence
from PySide6.QtWidgets import (
    QDialog,
    QFrame,
    QHeaderView,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from pod_desktop.ui.commands import OWN_KEYS, plain_words
from pod_desktop.ui.text import PlainLabel
from pod_desktop.ui.widgets import Button

_ACTION: Final = Qt.ItemDataRole.UserRole


def ranked(actions: Sequence[QAction], words: str) -> list[QAction]:
    """Actions whose words hold all that was typed; those that begin with it first."""
    typed = words.casefold().split()
    found = [
        action
        for action in actions
        if action.isEnabled()
        and action.isVisible()
        and all(word in plain_words(action).casefold() for word in typed)
    ]
    start = words.casefold().strip()
    return sorted(found, key=lambda action: not plain_words(action).casefold().startswith(start))


class CommandPalette(QFrame):
    """A line to type into and the commands that fit."""

    def __init__(self, actions: Sequence[QAction], parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setProperty("role", "popup")
        self.setAccessibleName("Commands")
        self._actions = list(actions)
        self.line = QLineEdit()
        self.line.setPlaceholderText("Type a command")
        self.line.setAccessibleName("Command")
        self.list = QListWidget()
        self.list.setAccessibleName("Commands that fit")
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setUniformItemSizes(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(10, 10, 10, 8)
        column.setSpacing(8)
        column.addWidget(self.line)
        column.addWidget(self.list)
        self.setFixedSize(min(520, parent.width() - 40), 380)
        self.line.textChanged.connect(self._fill)
        self.line.installEventFilter(self)
        self.list.itemClicked.connect(self._run)
        self._fill("")

    def open_over(self, window: QWidget) -> None:
        """Show it at the top of a window."""
        self.move(window.mapToGlobal(QPoint((window.width() - self.width()) // 2, 64)))
        self.show()
        self.line.setFocus()

    def _fill(self, words: str) -> None:
        self.list.clear()
        for action in ranked(self._actions, words):
            keys = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
            item = QListWidgetItem(f"{plain_words(action)}    {keys}" if keys else plain_words(action))
            item.setData(_ACTION, action)
            self.list.addItem(item)
        self.list.setCurrentRow(0)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            step = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1, Qt.Key.Key_PageDown: 8, Qt.Key.Key_PageUp: -8}.get(
                Qt.Key(event.key())
            )
            if step is not None and self.list.count():
                row = self.list.currentRow() + step
                row = row % self.list.count() if abs(step) == 1 else max(0, min(row, self.list.count() - 1))
                self.list.setCurrentRow(row)
                return True
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._run(self.list.currentItem())
                return True
            if event.key() == Qt.Key.Key_Escape:
                self.close()
                return True
        return super().eventFilter(watched, event)

    def _run(self, item: QListWidgetItem | None) -> None:
        action = item.data(_ACTION) if item is not None else None
        self.close()
        if isinstance(action, QAction):
            action.trigger()


class ShortcutsDialog(QDialog):
    """All keys, by where they work."""

    def __init__(self, menus: dict[str, list[QAction]], parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Keyboard Shortcuts")
        rows = [
            (
                menu,
                ", ".join(
                    keys.toString(QKeySequence.SequenceFormat.NativeText) for keys in action.shortcuts()
                ),
                plain_words(action),
            )
            for menu, actions in menus.items()
            for action in actions
            if action.shortcuts()
        ]
        rows += [(key.where, key.keys, key.words) for key in OWN_KEYS]
        self.table = QTableWidget(len(rows), 3)
        self.table.setAccessibleName("Keyboard shortcuts")
        self.table.setHorizontalHeaderLabels(["Where", "Keys", "What it does"])
        self.table.verticalHeader().hide()
        self.table.verticalHeader().setDefaultSectionSize(27)
        self.table.setShowGrid(False)
        self.table.setTabKeyNavigation(False)
        self.table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        self.table.setSelectionBehavior(QTableWidget.SelectionBehavior.SelectRows)
        header = self.table.horizontalHeader()
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setSectionResizeMode(2, QHeaderView.ResizeMode.Stretch)
        header.resizeSection(0, 90)
        header.resizeSection(1, 190)
        header.setHighlightSections(False)
        for number, row in enumerate(rows):
            for column, words in enumerate(row):
                self.table.setItem(number, column, QTableWidgetItem(words))
        column_layout = QVBoxLayout(self)
        column_layout.setContentsMargins(16, 14, 16, 14)
        column_layout.setSpacing(10)
        column_layout.addWidget(PlainLabel("Keyboard Shortcuts", "title"))
        column_layout.addWidget(self.table)
        close = Button("Close", "plain", self.accept)
        column_layout.addWidget(close, 0, Qt.AlignmentFlag.AlignRight)
        self.resize(620, 560)
