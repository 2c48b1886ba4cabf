"""Dialogs of the Automation page: begin from a template, look at the versions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QPlainTextEdit,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from pod_desktop.core.clock import Clock
from pod_desktop.core.playbook import difference
from pod_desktop.store import Version
from pod_desktop.ui.actions.tables import Cell, Column, RowsModel, RowsTable
from pod_desktop.ui.automation import wording
from pod_desktop.ui.moments import Zone, ago
from pod_desktop.ui.text import PlainLabel, block, cell
from pod_desktop.ui.widgets import Button

if TYPE_CHECKING:
    from pod_desktop.services.playbooks import Template

_ROW_HEIGHT: Final = 32
_VERSION_COLUMNS: Final = (
    Column("version", "Version", 64),
    Column("at", "When", 150),
    Column("author", "Who", 110),
    Column("note", "What", 110, stretch=True),
)


class TitledDialog(QDialog):
    """A title, contents, and buttons at the right below."""

    def __init__(self, title: str, parent: QWidget | None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(title)
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(16, 14, 16, 14)
        self.column.setSpacing(12)
        self.column.addWidget(PlainLabel(title, "title", wrap=True))

    def add_buttons(self, *buttons: Button) -> None:
        row = QHBoxLayout()
        row.addStretch(1)
        for button in buttons:
            row.addWidget(button)
        self.column.addLayout(row)


class TemplatesDialog(TitledDialog):
    """The templates with their explanations; one is chosen to begin with."""

    chosen = Signal(object)
    """A Template."""

    def __init__(self, templates: Sequence[Template], parent: QWidget | None = None) -> None:
        super().__init__("Create from a Template", parent)
        self._templates = list(templates)
        self.list = QListWidget()
        self.list.setAccessibleName("Templates")
        self.list.setUniformItemSizes(True)
        for one in self._templates:
            item = QListWidgetItem(one.playbook.name, self.list)
            item.setSizeHint(QSize(0, _ROW_HEIGHT))
        self.list.setFixedWidth(280)
        self.name = PlainLabel("", "heading", wrap=True)
        self.explanation = PlainLabel("", wrap=True, selectable=True)
        self.query = PlainLabel("", "mono", wrap=True, selectable=True)
        self.summary = PlainLabel("", "note", wrap=True)
        right = QVBoxLayout()
        right.setSpacing(10)
        for part in (self.name, self.explanation, self.query, self.summary):
            right.addWidget(part)
        right.addStretch(1)
        row = QHBoxLayout()
        row.setSpacing(16)
        row.addWidget(self.list)
        row.addLayout(right, 1)
        self.column.addLayout(row, 1)
        note = "It opens in the editor with its backtest; nothing is kept before you submit it, and then in dry run."
        self.column.addWidget(PlainLabel(note, "help", wrap=True))
        self.use_button = Button("Use this template", "primary", self._use)
        self.add_buttons(Button("Cancel", clicked=self.reject), self.use_button)
        self.list.currentRowChanged.connect(self._show)
        self.list.itemActivated.connect(lambda _item: self._use())
        self.list.setCurrentRow(0)
        self.resize(760, 420)

    def _show(self, place: int) -> None:
        if 0 <= place < len(self._templates):
            one = self._templates[place]
            self.name.setText(one.playbook.name)
            self.explanation.setText(one.explanation)
            self.query.setText(one.playbook.query)
            self.summary.setText(f"Fires on {wording.condition_words(one.playbook)}.")

    def _use(self) -> None:
        place = self.list.currentRow()
        if 0 <= place < len(self._templates):
            self.accept()
            self.chosen.emit(self._templates[place])


class VersionsDialog(TitledDialog):
    """Who changed a playbook when, and what."""

    restored = Signal(object)
    """The Playbook of an older version, to be edited."""

    def __init__(
        self, name: str, versions: Sequence[Version], clock: Clock, zone: Zone, parent: QWidget | None = None
    ) -> None:
        super().__init__(f"History of {cell(name, 80)}", parent)
        self._versions = list(versions)
        self._clock = clock
        self._zone = zone
        self.model = RowsModel(_VERSION_COLUMNS, self._cell, lambda row: row[0], self)
        self.table = RowsTable(self.model, "Versions")
        self.difference = QPlainTextEdit(readOnly=True)
        self.difference.setProperty("role", "code")
        self.difference.setTabChangesFocus(True)
        self.difference.setAccessibleName("What changed")
        split = QSplitter(Qt.Orientation.Vertical)
        split.addWidget(self.table)
        split.addWidget(self.difference)
        split.setSizes([220, 220])
        self.column.addWidget(split, 1)
        self.restore_button = Button("Edit from this version", "plain", self._restore)
        self.add_buttons(self.restore_button, Button("Close", clicked=self.reject))
        self.table.chosen.connect(self._show)
        self.table.show_rows(list(enumerate(self._versions)))
        self.table.choose(0)
        self.resize(680, 560)

    def _cell(self, row: tuple[int, Version], key: str) -> Cell:
        one = row[1]
        if key == "version":
            return Cell(f"v{one.version}", mono=True)
        if key == "at":
            return Cell(self._zone.whole(one.at)[:19], tip=ago(one.at, self._clock.now()))
        return Cell(one.author if key == "author" else one.note)

    def _show(self) -> None:
        row = self.table.current()
        self.restore_button.setEnabled(row is not None)
        if row is not None:
            place = row[0]
            earlier = self._versions[place + 1] if place + 1 < len(self._versions) else None
            self.difference.setPlainText(block(difference_words(earlier, row[1])))

    def _restore(self) -> None:
        row = self.table.current()
        if row is not None:
            self.accept()
            self.restored.emit(row[1].playbook)


def difference_words(earlier: Version | None, one: Version) -> str:
    """What one line of the history changed, as - before and + after."""
    if earlier is None:
        return f"The beginning: {one.note} by {one.author}."
    changes = difference(earlier.playbook, one.playbook)
    if not changes:
        return f"Nothing of the definition: it was {one.note}."
    lines = []
    for key, before, after in changes:
        lines += [f"{key}", *(f"- {line}" for line in before.splitlines() or [""])]
        lines += [*(f"+ {line}" for line in after.splitlines() or [""]), ""]
    return "\n".join(lines).rstrip()
