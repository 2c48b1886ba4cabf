"""Which columns of the connectors' table are shown and how wide: as the room allows, or as chosen; remembered."""

from __future__ import annotations

import json
from typing import Any, Final

from PySide6.QtCore import QByteArray, QObject, QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHeaderView, QMenu, QTableView

from pod_desktop.ui.connectors.model import ACTIONS, COLUMNS, DETAIL, GIVE_WAY, NAMES
from pod_desktop.ui.preferences import Preferences

_KEY: Final = "connectors/columns"
_FIXED: Final = frozenset({NAMES.index("name"), ACTIONS})
"""What a row is known by, and what is done with it: always shown."""
_SAVE_MS: Final = 400
_WIDEST: Final = 1_200


class Columns(QObject):
    """Shows and hides the table's columns."""

    changed = Signal()

    def __init__(self, table: QTableView, preferences: Preferences | None) -> None:
        super().__init__(table)
        self._table = table
        self._preferences = preferences
        self._chosen: set[int] | None = None
        """Hidden by choice; None: as the room allows."""
        self._read()
        header = table.horizontalHeader()
        header.setSectionResizeMode(DETAIL, QHeaderView.ResizeMode.Stretch)
        header.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        header.customContextMenuRequested.connect(self._menu_at)
        self._save = QTimer(self, interval=_SAVE_MS, singleShot=True)
        self._save.timeout.connect(self._write)
        header.sectionResized.connect(lambda section, _old, _new: section != DETAIL and self._save.start())

    def recall(self) -> None:
        """Columns as the profile in use has them."""
        self._chosen = None
        self._read()
        self._save.stop()
        self.fit()

    def fit(self) -> None:
        """Show what there is room for, or what was chosen."""
        hidden = self._chosen
        if hidden is None:
            widths = [self._table.columnWidth(number) or COLUMNS[number][2] for number in range(len(COLUMNS))]
            hidden = hidden_columns(self._table.viewport().width(), widths)
        for number in range(len(COLUMNS)):
            self._table.setColumnHidden(number, number in hidden)

    def fill(self, menu: QMenu) -> None:
        """One entry a column, and the way back."""
        menu.clear()
        for number, (_, title, _) in enumerate(COLUMNS):
            if number in _FIXED:
                continue
            action = QAction(title, menu)
            action.setCheckable(True)
            action.setChecked(not self._table.isColumnHidden(number))
            action.toggled.connect(lambda shown, number=number: self.show_column(number, shown))
            menu.addAction(action)
        menu.addSeparator()
        reset = QAction("As the Window Allows", menu)
        reset.setEnabled(self._chosen is not None)
        reset.triggered.connect(lambda _on=False: self.reset())
        menu.addAction(reset)

    def show_column(self, number: int, shown: bool) -> None:
        """Show or hide a column from now on."""
        if number in _FIXED:
            return
        hidden = {place for place in range(len(COLUMNS)) if self._table.isColumnHidden(place)}
        self._chosen = hidden - {number} if shown else hidden | {number}
        self.fit()
        self._write()

    def reset(self) -> None:
        """As the room allows again, in the widths of the beginning."""
        self._chosen = None
        for number, (_, _, width) in enumerate(COLUMNS):
            if number != DETAIL:
                self._table.setColumnWidth(number, width)
        self.fit()
        self._write()

    def _menu_at(self, place: QPoint) -> None:
        menu = QMenu(self._table)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.fill(menu)
        menu.popup(self._table.horizontalHeader().mapToGlobal(place))

    def _read(self) -> None:
        kept = _kept(self._preferences)
        widths = kept.get("widths")
        for number, (name, _, width) in enumerate(COLUMNS):
            wanted = widths.get(name) if isinstance(widths, dict) else None
            if not isinstance(wanted, int) or not 40 <= wanted <= _WIDEST:
                wanted = width
            self._table.setColumnWidth(number, wanted)
        hidden = kept.get("hidden")
        if isinstance(hidden, list):
            self._chosen = {NAMES.index(name) for name in hidden if name in NAMES} - _FIXED

    def _write(self) -> None:
        if self._preferences is None:
            return
        kept: dict[str, Any] = {
            "widths": {
                name: width
                for number, (name, _, _) in enumerate(COLUMNS)
                if number != DETAIL and (width := self._table.columnWidth(number))
            }
        }
        if self._chosen is not None:
            kept["hidden"] = sorted(NAMES[number] for number in self._chosen)
        self._preferences.keep(_KEY, QByteArray(json.dumps(kept).encode()))


def _kept(preferences: Preferences | None) -> dict[str, Any]:
    if preferences is None:
        return {}
    try:
        found = json.loads(bytes(preferences.state(_KEY).data()) or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def hidden_columns(room: int, widths: list[int] | None = None) -> set[int]:
    """The columns that are left out where the table is so many pixels wide: what is the same for all goes first."""
    widths = [width for _, _, width in COLUMNS] if widths is None else widths
    needed = sum(width for number, width in enumerate(widths) if number != DETAIL) + COLUMNS[DETAIL][2]
    hidden: set[int] = set()
    for number in GIVE_WAY:
        if needed <= room:
            break
        needed -= widths[number]
        hidden.add(number)
    return hidden
