"""The bar above the rows: which index, what is asked, of which time; saved queries, Follow, Export."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHBoxLayout, QMenu, QWidget

from pod_desktop.core.record import AUDIT, MAILLOG, MESSAGE, UNREADABLE
from pod_desktop.ui.bridge import CSV, NDJSON, PARQUET, Desk
from pod_desktop.ui.events.columns import KIND_WORD
from pod_desktop.ui.events.querybar import QueryBar
from pod_desktop.ui.events.saved import Saved, SavedButton
from pod_desktop.ui.events.timerange import RangeButton
from pod_desktop.ui.moments import Zone
from pod_desktop.ui.preferences import Preferences
from pod_desktop.ui.widgets import Button, MenuButton

KINDS: Final = (MESSAGE, MAILLOG, AUDIT, UNREADABLE)
ALL, CHOSEN, MARKED, VISIBLE = "all", "selected", "marked", "visible"
WHICH: Final = {
    ALL: "All Matching",
    CHOSEN: "Selected",
    MARKED: "Marked",
    VISIBLE: "Visible",
}
FORMS: Final = {CSV: "CSV …", NDJSON: "NDJSON, raw …", PARQUET: "Parquet …"}


class Toolbar(QWidget):
    """Its parts are public; the page wires them."""

    kinds_changed = Signal()
    export_asked = Signal(str, str)
    """(format, which records)."""

    def __init__(
        self,
        desk: Desk,
        preferences: Preferences,
        zone: Zone,
        pause: Callable[[], object],
        current: Callable[[], Saved | None],
    ) -> None:
        super().__init__()
        self._preferences = preferences
        self.setProperty("role", "bar")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFixedHeight(47)
        self.query = QueryBar(desk.check, lambda: preferences.queries, desk.complete)
        self.range = RangeButton(zone)
        self.saved = SavedButton(preferences, current)
        self.follow = Button("Follow ↓", "plain", pause, checkable=True, name="Follow new records")
        self.follow.setChecked(True)
        self.index = self._index_button()
        self.export = MenuButton("Export", self._export_menu())
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 0, 12, 0)
        row.setSpacing(8)
        for part in (self.index, self.query, self.range, self.saved, self.follow, self.export):
            row.addWidget(part, 1 if part is self.query else 0)

    def _export_menu(self) -> QMenu:
        menu = QMenu(self)
        for which, words in WHICH.items():
            inner = menu.addMenu(words)
            for form, form_words in FORMS.items():
                inner.addAction(
                    form_words, lambda form=form, which=which: self.export_asked.emit(form, which)  # type: ignore[misc]
                )  # fmt: skip
        return menu

    def _index_button(self) -> MenuButton:
        menu = QMenu(self)
        self._kind_actions: dict[str, QAction] = {}
        kept = self._preferences.kinds
        for kind in KINDS:
            action = menu.addAction(KIND_WORD[kind])
            action.setCheckable(True)
            action.setChecked(not kept or kind in kept)
            action.toggled.connect(lambda _on: self._kinds_chosen())
            self._kind_actions[kind] = action
        button = MenuButton("", menu, name="Index")
        button.say(self._kinds_words())
        return button

    def kinds(self) -> tuple[str, ...]:
        """The chosen content types; empty: all."""
        chosen = tuple(kind for kind in KINDS if self._kind_actions[kind].isChecked())
        return () if len(chosen) in (0, len(KINDS)) else chosen

    def choose_kinds(self, kinds: tuple[str, ...]) -> None:
        """Choose content types without asking; empty: all."""
        for kind, action in self._kind_actions.items():
            action.blockSignals(True)
            action.setChecked(not kinds or kind in kinds)
            action.blockSignals(False)
        self._preferences.kinds = self.kinds()
        self.index.say(self._kinds_words())

    def _kinds_words(self) -> str:
        chosen = self.kinds()
        return "Index: Syslog · " + (", ".join(KIND_WORD[kind] for kind in chosen) if chosen else "All")

    def _kinds_chosen(self) -> None:
        self._preferences.kinds = self.kinds()
        self.index.say(self._kinds_words())
        self.kinds_changed.emit()
