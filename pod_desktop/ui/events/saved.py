"""Saved queries: named, kept in the profile, a click away; and the queries that were asked lately."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QDialog, QHBoxLayout, QListWidget, QMenu, QVBoxLayout, QWidget

from pod_desktop.core import limits
from pod_desktop.core.faults import UserFault
from pod_desktop.ui.events.dialogs import LineDialog
from pod_desktop.ui.preferences import Preferences
from pod_desktop.ui.text import PlainLabel, cell, tip
from pod_desktop.ui.widgets import Button, MenuButton

_KEY: Final = "events/saved"
_MOST: Final = 200
_IN_MENU: Final = 25
_RECENT: Final = 10
_MENU_CHARS: Final = 70


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """A query with a name."""

    name: str
    query: str
    kinds: tuple[str, ...] = ()
    span: int | None = None


def menu_words(text: str) -> str:
    """Words of somebody else's for a menu: nothing in them is a mnemonic."""
    return cell(text, _MENU_CHARS).replace("&", "&&")


class SavedQueries:
    """The saved queries of the profile in use."""

    def __init__(self, preferences: Preferences) -> None:
        self._preferences = preferences

    def all(self) -> list[Saved]:
        """In the order in which they were saved."""
        found = self._preferences.data(_KEY)
        made = [_from_data(one) for one in found] if isinstance(found, list) else []
        return [one for one in made if one is not None][:_MOST]

    def _keep(self, queries: list[Saved]) -> None:
        data = [
            {"name": one.name, "query": one.query, "kinds": list(one.kinds), "span": one.span}
            for one in queries[-_MOST:]
        ]
        self._preferences.set_data(_KEY, data)

    def save(self, query: Saved) -> None:
        """Keep it; one of the same name is replaced, in its place."""
        known = self.all()
        names = [one.name.casefold() for one in known]
        if query.name.casefold() in names:
            known[names.index(query.name.casefold())] = query
        else:
            known.append(query)
        self._keep(known)

    def rename(self, name: str, new: str) -> None:
        """Give it another name."""
        self._keep(
            [
                Saved(name=new, query=one.query, kinds=one.kinds, span=one.span) if one.name == name else one
                for one in self.all()
                if one.name == name or one.name.casefold() != new.casefold()
            ]
        )

    def delete(self, name: str) -> None:
        """Forget it."""
        self._keep([one for one in self.all() if one.name != name])


def _from_data(data: Any) -> Saved | None:
    if not isinstance(data, dict):
        return None
    name, query, kinds, span = (data.get(key) for key in ("name", "query", "kinds", "span"))
    if not isinstance(name, str) or not name or not isinstance(query, str):
        return None
    named = kinds if isinstance(kinds, list) else []
    return Saved(
        name=name[: limits.NAME_CHARS],
        query=query[: limits.QUERY_CHARS],
        kinds=tuple(kind for kind in named if isinstance(kind, str)),
        span=span if isinstance(span, int) and span > 0 else None,
    )


class SavedButton(MenuButton):
    """Saved ▾"""

    chosen = Signal(object)
    """A Saved."""

    def __init__(
        self, preferences: Preferences, current: Callable[[], Saved | None], parent: QWidget | None = None
    ) -> None:
        """`current` is what would be saved now; None while there is nothing to save."""
        menu = QMenu()
        super().__init__("Saved", menu, parent=parent)
        menu.setParent(self, menu.windowFlags())
        menu.setToolTipsVisible(True)
        self._preferences = preferences
        self._current = current
        self.make_playbook: Callable[[Saved], None] | None = None
        """Begins a playbook on a query; None where there are no playbooks."""
        self.queries = SavedQueries(preferences)
        menu.aboutToShow.connect(lambda: self._fill(menu))

    def _fill(self, menu: QMenu) -> None:
        menu.clear()
        saved = self.queries.all()
        for one in saved[:_IN_MENU]:
            self._offer(menu, one, one.name)
        if saved:
            menu.addSeparator()
        save = menu.addAction("Save This Query …", self.ask_name)
        save.setEnabled(self._current() is not None)
        menu.addAction("Manage Saved Queries …", self.manage).setEnabled(bool(saved))
        if self.make_playbook is not None:
            self._offer_playbooks(menu.addMenu("Create Playbook From"), saved, self.make_playbook)
        if recent := self._preferences.queries[:_RECENT]:
            menu.addSeparator()
            menu.addAction("Recent").setEnabled(False)
            for text in recent:
                self._offer(menu, Saved(name="", query=text, kinds=(), span=None), text)

    def _offer(self, menu: QMenu, one: Saved, words: str) -> None:
        action = menu.addAction(menu_words(words))
        action.setToolTip(tip(one.query or "everything"))
        action.triggered.connect(lambda _on=False: self.chosen.emit(one))

    def _offer_playbooks(self, menu: QMenu, saved: Sequence[Saved], make: Callable[[Saved], None]) -> None:
        """The query that is shown, and the saved ones."""
        menu.setToolTipsVisible(True)
        current = self._current()
        menu.setEnabled(bool(saved) or current is not None)
        shown = menu.addAction("This Query …")
        shown.setEnabled(current is not None)
        if current is not None:
            shown.triggered.connect(lambda _on=False: make(current))
        if saved:
            menu.addSeparator()
        for one in saved[:_IN_MENU]:
            action = menu.addAction(f"{menu_words(one.name)} …")
            action.setToolTip(tip(one.query or "everything"))
            action.triggered.connect(lambda _on=False, one=one: make(one))

    def ask_name(self) -> None:
        """Save the query that is shown."""
        current = self._current()
        if current is None:
            return
        known = {one.name.casefold() for one in self.queries.all()}

        def judge(name: str) -> str:
            return "There is one of this name; it is replaced." if name.casefold() in known else ""

        def save(name: str) -> None:
            self.queries.save(Saved(name=name, query=current.query, kinds=current.kinds, span=current.span))

        dialog = LineDialog(
            "Save Query",
            "Name",
            self.window(),
            text=cell(current.query, 40),
            note="Kept with its index and moving time range, in this profile.",
            judge=judge,
            most=limits.NAME_CHARS,
        )
        dialog.answered.connect(save)
        dialog.open()

    def manage(self) -> None:
        """Rename and delete."""
        ManageDialog(self.queries, self.window()).open()


class ManageDialog(QDialog):
    """The saved queries in a list."""

    def __init__(self, queries: SavedQueries, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Saved Queries")
        self._queries = queries
        self.list = QListWidget()
        self.list.setAccessibleName("Saved queries")
        self.list.setUniformItemSizes(True)
        self._text = PlainLabel("", "mono", wrap=True)
        self._rename = Button("Rename …", "plain", self.rename)
        self._delete = Button("Delete", "danger", self.delete)
        row = QHBoxLayout()
        row.addWidget(self._rename)
        row.addWidget(self._delete)
        row.addStretch(1)
        row.addWidget(Button("Close", "plain", self.accept))
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 14, 16, 14)
        column.setSpacing(10)
        for part in (PlainLabel("Saved Queries", "title"), self.list, self._text):
            column.addWidget(part)
        column.addLayout(row)
        self.resize(480, 420)
        self.list.currentRowChanged.connect(self._show)
        self._fill()

    def _fill(self, row: int = 0) -> None:
        self._known = self._queries.all()
        self.list.clear()
        self.list.addItems([cell(one.name, _MENU_CHARS) for one in self._known])
        self.list.setCurrentRow(min(row, len(self._known) - 1))
        self._show(self.list.currentRow())

    def _show(self, row: int) -> None:
        there = 0 <= row < len(self._known)
        self._text.setText(self._known[row].query if there else "Nothing is saved.")
        for button in (self._rename, self._delete):
            button.setEnabled(there)

    def rename(self) -> None:
        """Ask for another name of the chosen one."""
        row = self.list.currentRow()
        name = self._known[row].name
        others = {one.name.casefold() for one in self._known if one.name != name}

        def judge(new: str) -> str:
            if new.casefold() in others:
                raise UserFault("There is another one of this name.")
            return ""

        def renamed(new: str) -> None:
            self._queries.rename(name, new)
            self._fill(row)

        dialog = LineDialog("Rename Query", "Name", self, text=name, judge=judge, most=limits.NAME_CHARS)
        dialog.answered.connect(renamed)
        dialog.open()

    def delete(self) -> None:
        """Forget the chosen one."""
        row = self.list.currentRow()
        self._queries.delete(self._known[row].name)
        self._fill(row)
