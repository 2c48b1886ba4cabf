"""The Settings page: cards of controls made from core.settings; every change takes effect at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from pod_desktop.core import settings as declared
from pod_desktop.core.faults import Fault
from pod_desktop.ui.preferences import Preferences
from pod_desktop.ui.searchcolumns import ColumnsDesk
from pod_desktop.ui.settings.columns import SearchColumns
from pod_desktop.ui.settings.controls import Control, control_for
from pod_desktop.ui.settings.desk import SettingsDesk
from pod_desktop.ui.settings.keymap import Keymap
from pod_desktop.ui.settings.retention import RetentionDesk, RetentionNote
from pod_desktop.ui.settings.shortcuts import ShortcutsEditor
from pod_desktop.ui.settings.tenants import Tenants
from pod_desktop.ui.text import PlainLabel, copy
from pod_desktop.ui.widgets import Button, Card, PageHeader

THEME_WORDS: Final = dict(declared.setting(declared.THEME).choices)
_CARDS: Final = (
    ("Looks", (declared.THEME, declared.TIME_ZONE)),
    ("Collecting", (declared.KEEP_COLLECTING, declared.NOTIFICATIONS)),
    ("Records", (declared.RETENTION_DAYS, declared.RETENTION_GB)),
    ("Organisation", (declared.TENANTS, declared.OWN_DOMAINS, declared.PROTECTED)),
    ("Network", (declared.PROXY,)),
    ("Keyboard", (declared.SHORTCUTS,)),
)
_PLACED: Final = frozenset(key for _, keys in _CARDS for key in keys)
_RETENTION: Final = (declared.RETENTION_DAYS, declared.RETENTION_GB)
_UPDATES: Final = (
    "Nothing is updated behind your back: POD Desktop never looks for, downloads or installs anything by itself. "
    "A new version is installed by you, or by whoever looks after this computer."
)
_WIDTH: Final = 760


class SettingsPage(QWidget):
    """All settings, a card a subject."""

    theme_chosen = Signal(str)
    zone_chosen = Signal(bool)
    """UTC."""
    changed = Signal(str)
    """This setting has been kept with another value."""

    def __init__(
        self,
        preferences: Preferences,
        data_dir: str = "",
        *,
        desk: SettingsDesk | None = None,
        keymap: Keymap | None = None,
        tenants: Callable[[], list[str]] | None = None,
        open_folder: Callable[[str], object] | None = None,
        retention: RetentionDesk | None = None,
        columns: ColumnsDesk | None = None,
        parent: QWidget | None = None,
    ) -> None:
        """
        Args:
            preferences: What the window remembers.
            data_dir: Where records and settings are.
            desk: All settings; by default those that the window remembers.
            keymap: The window's commands, for their keys.
            tenants: All tenants, those of connectors too; called on the desk's worker.
            open_folder: Shows a folder in the desktop's file manager; without it there is no button for that.
            retention: What the limits on records delete; without it that is not told.
            columns: The search columns; without it they are not listed.
            parent: The window it stands in.
        """
        super().__init__(parent)
        self.retention: RetentionNote | None = RetentionNote(retention) if retention is not None else None
        self.columns: SearchColumns | None = SearchColumns(columns) if columns is not None else None
        self._desk = desk or SettingsDesk(preferences)
        self._keymap = keymap
        self._open_folder = open_folder
        self.controls: dict[str, Control] = {}
        self.shortcuts: ShortcutsEditor | None = None
        self.tenants: Tenants | None = Tenants(self._desk, tenants) if tenants and self._desk.whole else None
        self._column = QVBoxLayout()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(PageHeader("Settings"))
        column.addWidget(self._body(data_dir), 1)
        self.refresh()

    # what it looks like

    def _body(self, data_dir: str) -> QWidget:
        page = QWidget()
        page.setProperty("role", "sunken")
        page.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        # The width is bounded beside a stretch: only so are heights counted for the width that lines really have.
        inner = QWidget()
        inner.setMaximumWidth(_WIDTH)
        row = QHBoxLayout(page)
        row.setContentsMargins(14, 14, 14, 14)
        row.addWidget(inner, 1)
        row.addStretch(0)
        column = QVBoxLayout(inner)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(14)
        for title, keys in _CARDS:
            self._card(column, title, [key for key in keys if key in self._desk.keys])
            if title == "Records":
                if self.columns is not None:
                    self._add_card(column, "Search columns").body.addWidget(self.columns)
                self._data_card(column, data_dir)
        self._card(column, "Other", [key for key in self._desk.keys if key not in _PLACED])
        updates = self._add_card(column, "Updates")
        updates.body.addWidget(PlainLabel(_UPDATES, wrap=True))
        column.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(page)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        return scroll

    @staticmethod
    def _add_card(column: QVBoxLayout, title: str) -> Card:
        card = Card(title)
        card.body.setSpacing(12)
        column.addWidget(card)
        return card

    def _card(self, column: QVBoxLayout, title: str, keys: list[str]) -> None:
        widgets = [found for key in keys if (found := self._widget(key)) is not None]
        if title == "Keyboard" and not widgets and (editor := self._editor()) is not None:
            widgets = [editor]
        if not widgets:
            return
        card = self._add_card(column, title)
        if title in ("Looks", "Records"):
            row = QHBoxLayout()
            row.setSpacing(24)
            for widget in widgets:
                row.addWidget(widget, 1, Qt.AlignmentFlag.AlignTop)
            card.body.addLayout(row)
            if title == "Records" and self.retention is not None:
                card.body.addWidget(self.retention)
            return
        for widget in widgets:
            card.body.addWidget(widget)

    def _widget(self, key: str) -> QWidget | None:
        if key == declared.SHORTCUTS:
            return self._editor()
        if key == declared.TENANTS and self.tenants is not None:
            self.tenants.changed.connect(lambda: self.changed.emit(declared.TENANTS))
            return self.tenants
        control = self.controls[key] = control_for(declared.setting(key))
        control.chosen.connect(lambda value: self._chosen(key, value))
        return control

    def _editor(self) -> ShortcutsEditor | None:
        if self._keymap is None:
            return None
        self.shortcuts = ShortcutsEditor(self._keymap)
        self.shortcuts.chosen.connect(lambda keys: self._keep(declared.SHORTCUTS, keys))
        return self.shortcuts

    def _data_card(self, column: QVBoxLayout, data_dir: str) -> None:
        card = self._add_card(column, "Data directory")
        where = PlainLabel(data_dir or "Not known", "mono", wrap=True, selectable=True)
        where.setAccessibleName(f"Data directory: {data_dir or 'not known'}")
        row = QHBoxLayout()
        row.addWidget(where, 1)
        if data_dir:
            row.addWidget(Button("Copy path", "link", lambda: copy(data_dir)))
            if (open_folder := self._open_folder) is not None:
                row.addWidget(Button("Open folder", "link", lambda: open_folder(data_dir)))
        card.body.addLayout(row)
        card.body.addWidget(
            PlainLabel(
                "Records, connectors and settings are kept here; secrets are in the keychain. Another directory is "
                "chosen when the program is started: --data-dir DIR.",
                "help",
                wrap=True,
            )
        )

    # what is so

    def refresh(self) -> None:
        """Show what is chosen, wherever it was chosen."""
        for key, control in self.controls.items():
            control.show_value(self._desk.get(key))
        if self.shortcuts is not None:
            self.shortcuts.refresh()

    def showEvent(self, event: QShowEvent) -> None:
        """Commands may have changed settings meanwhile: read them again."""
        super().showEvent(event)
        self._desk.read(self, self._read)
        if self.tenants is not None:
            self.tenants.refresh()
        if self.retention is not None:
            self.retention.refresh()

    def _read(self) -> None:
        if self._keymap is not None and self._desk.whole:
            self._keymap.apply(self._desk.get(declared.SHORTCUTS))
        self.refresh()

    # what is changed

    def _chosen(self, key: str, value: Any) -> None:
        before = self._desk.get(key)
        if key in _RETENTION and _less(value, before):
            self._tell_what_goes(key, value, before)
        else:
            self._keep(key, value)

    def _tell_what_goes(self, key: str, value: int, before: int) -> None:
        """First what a narrower limit would delete, then the question."""
        if self.retention is None:
            self._ask_to_keep_less(key, value, before, "")
            return
        days = value if key == declared.RETENTION_DAYS else None
        gigabytes = value if key == declared.RETENTION_GB else None
        self.retention.words_with(
            days, gigabytes, lambda words: self._ask_to_keep_less(key, value, before, words)
        )

    def _ask_to_keep_less(self, key: str, value: int, before: int, planned: str) -> None:
        from pod_desktop.ui.connectors.confirm import Confirm  # late: the window starts without that room

        words = declared.setting(key).words(value)
        what = (
            f"Records older than {words}"
            if key == declared.RETENTION_DAYS
            else f"The oldest records beyond {words}"
        )
        question = Confirm(
            f"Keep less than before ({words} instead of {declared.setting(key).words(before)})?",
            f"{what} are deleted from this computer and cannot be brought back. {planned}".strip(),
            "Delete them",
            self,
        )
        question.agreed.connect(lambda: self._keep(key, value))
        question.rejected.connect(lambda: self.controls[key].show_value(before))
        question.open()

    def _keep(self, key: str, value: Any) -> None:
        self._desk.set(
            self, key, value, lambda kept: self._kept(key, kept), lambda error: self._failed(key, error)
        )

    def _kept(self, key: str, value: Any) -> None:
        if key in self.controls:
            self.controls[key].fault("")
            self.controls[key].show_value(value)
        if key == declared.THEME:
            self.theme_chosen.emit(value)
        elif key == declared.TIME_ZONE:
            self.zone_chosen.emit(value == "utc")
        if key in _RETENTION and self.retention is not None:
            self.retention.refresh()
        self.changed.emit(key)

    def _failed(self, key: str, error: BaseException) -> None:
        what, hint = "That was not kept: a fault of the program.", "The log says more."
        if isinstance(error, Fault):
            what, hint = error.what, error.hint
        if key in self.controls:
            self.controls[key].fault(what, hint)
        elif self.shortcuts is not None and key == declared.SHORTCUTS:
            self.shortcuts.field.fault(what, hint)


def _less(value: int, before: int) -> bool:
    """Is this a narrower limit? 0 is none."""
    return value != 0 and (before == 0 or value < before)
