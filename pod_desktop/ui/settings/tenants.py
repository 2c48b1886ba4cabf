"""The tenants: added, renamed and removed by name; one that a connector has cannot go."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QListWidget, QVBoxLayout, QWidget

from pod_desktop.core import settings
from pod_desktop.core.faults import Fault, UserFault
from pod_desktop.services.settings import Renamed, Settings
from pod_desktop.ui.settings.controls import framed
from pod_desktop.ui.settings.desk import SettingsDesk
from pod_desktop.ui.text import PlainLabel, cell
from pod_desktop.ui.widgets import Button, Field

_HEIGHT: Final = 116
_NAME: Final = Qt.ItemDataRole.UserRole


class Tenants(QWidget):
    """A list and a line: add what is typed, or give the chosen tenant that name."""

    changed = Signal()

    def __init__(
        self, desk: SettingsDesk, used: Callable[[], list[str]], parent: QWidget | None = None
    ) -> None:
        """`used` gives all tenants, those of connectors too; called on the worker's thread."""
        super().__init__(parent)
        self._desk = desk
        self._used = used
        declared = settings.setting(settings.TENANTS)
        self.list = QListWidget()
        self.list.setAccessibleName("Tenants")
        self.list.setFixedHeight(_HEIGHT)
        self.list.currentItemChanged.connect(lambda *_items: self._show_state())
        self.name = QLineEdit()
        self.name.setPlaceholderText("Name of a tenant")
        self.name.textChanged.connect(lambda _text: self._typed())
        self.name.returnPressed.connect(self._add)
        self.field = Field("Tenant", self.name, note=declared.help)
        self.add = Button("Add", clicked=self._add, name="Add tenant")
        self.rename = Button("Rename chosen", clicked=self._rename, name="Rename the chosen tenant")
        self.remove = Button("Remove chosen", "danger", self._remove, name="Remove the chosen tenant")
        self.told = PlainLabel("", "help", wrap=True)
        self.told.hide()
        row = QHBoxLayout()
        row.setSpacing(8)
        for button in (self.add, self.rename, self.remove):
            row.addWidget(button)
        row.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(PlainLabel(declared.title, "label"))
        column.addWidget(framed(self.list))
        column.addWidget(self.field)
        column.addLayout(row)
        column.addWidget(self.told)
        self._show_state()

    def refresh(self) -> None:
        """Read which tenants there are."""
        self._desk.do(self, lambda _settings: self._used(), self._show, self._failed)

    def names(self) -> list[str]:
        """The tenants that are shown."""
        return [self.list.item(row).data(_NAME) for row in range(self.list.count())]

    def chosen(self) -> str:
        """The chosen tenant, '' if there is none."""
        item = self.list.currentItem()
        return item.data(_NAME) if item is not None else ""

    def _show(self, names: list[str]) -> None:
        kept = self.chosen()
        self.list.clear()
        for name in names:
            self.list.addItem(cell(name))
            self.list.item(self.list.count() - 1).setData(_NAME, name)
        if kept in names:
            self.list.setCurrentRow(names.index(kept))
        self._show_state()

    def _show_state(self) -> None:
        typed, chosen = bool(self.name.text().strip()), bool(self.chosen())
        self.add.setEnabled(typed and not self.field.faulty)
        self.rename.setEnabled(typed and chosen and not self.field.faulty)
        self.remove.setEnabled(chosen)

    def _typed(self) -> None:
        self.told.hide()
        try:
            if self.name.text():
                settings.check_named_tenant(self.name.text())
            self.field.fault("")
        except UserFault as fault:
            self.field.fault(fault.what, fault.hint)
        self._show_state()

    def _add(self) -> None:
        name = self.name.text()
        if self.add.isEnabled():
            self._do(lambda kept: kept.add_tenant(name), lambda made: f"{made} was added.")

    def _rename(self) -> None:
        old, new = self.chosen(), self.name.text()

        def words(done: Renamed) -> str:
            moved = f" Its connectors now have it: {', '.join(done.connectors)}." if done.connectors else ""
            return f"{old} is {new.strip()} now.{moved} {done.note}"

        self._do(lambda kept: kept.rename_tenant(old, new), words)

    def _remove(self) -> None:
        name = self.chosen()
        self._do(
            lambda kept: kept.remove_tenant(name), lambda _done: f"{name} was removed; its records keep it."
        )

    def _do(self, work: Callable[[Settings], Any], words: Callable[[Any], str]) -> None:
        def done(result: Any) -> None:
            self.name.clear()
            self.told.setText(words(result))
            self.told.show()
            self.changed.emit()
            self.refresh()

        self._desk.do(self, work, done, self._failed)

    def _failed(self, error: BaseException) -> None:
        if isinstance(error, Fault):
            self.field.fault(error.what, error.hint)
        else:
            self.field.fault("That was not done: a fault of the program.", "The log says more.")
        self._show_state()
