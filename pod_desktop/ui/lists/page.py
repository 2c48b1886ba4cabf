"""The Lists page: both org lists of a cluster as the service tells them, with our own history joined."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from PySide6.QtCore import QPoint, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QFileDialog,
    QLineEdit,
    QMenu,
    QStackedWidget,
    QTabBar,
    QVBoxLayout,
    QWidget,
)

from pod_desktop.core import blocks
from pod_desktop.core.action import ADD, BLOCK, DELETE, SAFE, Action
from pod_desktop.core.clock import Clock
from pod_desktop.core.faults import Fault
from pod_desktop.core.responder import RespondConnector
from pod_desktop.services import lists
from pod_desktop.services.exporting import dumps
from pod_desktop.services.lists import ListFilter, Listing, ListRow, Lists
from pod_desktop.ui.actions.calls import Calls
from pod_desktop.ui.actions.desk import ActionsDesk, Selected
from pod_desktop.ui.actions.tables import RowsModel, RowsTable
from pod_desktop.ui.history.filters import Choice
from pod_desktop.ui.history.writing import ask_where, tell_written, write_whole
from pod_desktop.ui.lists.bulk import BulkDialog
from pod_desktop.ui.lists.entrydialog import EntryDialog
from pod_desktop.ui.lists.interrupted import InterruptedRuns
from pod_desktop.ui.lists.rows import COLUMNS, cells
from pod_desktop.ui.moments import Zone, ago
from pod_desktop.ui.text import copy
from pod_desktop.ui.widgets import Button, EmptyState, MenuButton, Notice, PageHeader

LISTS: Final = (BLOCK, SAFE)
TITLES: Final = {BLOCK: "Org Block List", SAFE: "Org Safe List"}
_SEARCH_MS: Final = 150
_SHOWN: Final[tuple[tuple[str, dict[str, Any]], ...]] = (
    ("All entries", {}),
    ("Added here", {"elsewhere": False}),
    ("Added elsewhere", {"elsewhere": True}),
    ("Conflicts", {"conflicts": True}),
    ("Duplicates", {"duplicates": True}),
    ("Expiring", {"expiring": True}),
    ("New since last look", {"fresh": True}),
)


class ListsPage(QWidget):
    """One list at a time; reading it is asked for, never done by itself in the background."""

    createResponder = Signal()
    historyAsked = Signal(str)
    ended = Signal(object)
    """An Action, however it ended."""

    def __init__(
        self, desk: ActionsDesk, calls: Calls, clock: Clock, zone: Zone, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._desk = desk
        self._calls = calls
        self._clock = clock
        self._zone = zone
        self._responders: list[RespondConnector] = []
        self._connector: RespondConnector | None = None
        self._lists: Lists | None = None
        self._sort, self._descending = "", False
        self._reading = self._outdated = False
        self._build()
        self._typing = QTimer(self, singleShot=True, interval=_SEARCH_MS)
        self._typing.timeout.connect(self._show)
        self.refresh()

    def _build(self) -> None:
        self.segments = QTabBar()
        self.segments.setDrawBase(False)
        self.segments.setExpanding(False)
        self.segments.setAccessibleName("Lists")
        for which in LISTS:
            self.segments.addTab(TITLES[which])
        self.segments.currentChanged.connect(lambda _at: self._show())
        self.cluster = Choice("Cluster", self._clusters)
        self.cluster.chosen.connect(self._cluster_chosen)
        self.shown = Choice("Show", lambda: _SHOWN)
        self.shown.chosen.connect(self._show)
        self.search = QLineEdit()
        self.search.setPlaceholderText("Filter value, comment, who…")
        self.search.setAccessibleName("Filter the list")
        self.search.setClearButtonEnabled(True)
        self.search.setMinimumWidth(120)
        self.search.setMaximumWidth(260)
        self.search.textChanged.connect(lambda _text: self._typing.start())
        self.read_button = Button("Read again", clicked=self.read)
        export = QMenu(self)
        export.addAction("As CSV …", lambda: self.ask_export("csv"))
        export.addAction("As NDJSON …", lambda: self.ask_export("ndjson"))
        self.export_button = MenuButton("Export", export)
        add = QMenu(self)
        add.addAction("Add an Entry …", self.add_entry)
        add.addAction("Paste or Open Many …", self.add_many)
        add.addAction("Remove Many …", self.remove_many)
        self.change_button = MenuButton("Change", add)
        header = PageHeader(
            "Lists",
            self.cluster,
            self.shown,
            self.search,
            self.read_button,
            self.export_button,
            self.change_button,
        )
        header.row.insertWidget(1, self.segments, 0, Qt.AlignmentFlag.AlignVCenter)
        self.notice = Notice()
        self.interrupted = InterruptedRuns(self._desk, self._calls, self._clock, self._zone)
        self.interrupted.changed.connect(self.read)
        self.model = RowsModel(COLUMNS, cells(self._zone, self._clock.now), _key, self)
        self.table = RowsTable(self.model, "Entries", several=True)
        self.table.linked.connect(lambda row: self.remove([row]))
        self.table.sortAsked.connect(self._sort_by)
        self.table.menuAsked.connect(self._menu_at)
        self.table.asked.connect(self._key_pressed)
        self._no_responder = EmptyState(
            "No responder reads the lists yet",
            "The lists are read with the credentials of a responder: a connector that adds to, or deletes from, "
            "the Org Block List or the Org Safe List.",
            [Button("Create responder", "primary", self.createResponder.emit)],
        )
        self._again = Button("Read again", clicked=self.read)
        self._state = EmptyState("", "", [self._again])
        self._cover = QStackedWidget()
        for page in (self._state, self._no_responder, self.table):
            self._cover.addWidget(page)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(header)
        told = QVBoxLayout()
        told.setContentsMargins(12, 8, 12, 4)
        told.setSpacing(6)
        told.addWidget(self.notice)
        told.addWidget(self.interrupted)
        column.addLayout(told)
        column.addWidget(self._cover, 1)

    # which list

    @property
    def which(self) -> str:
        """block or safe."""
        return LISTS[self.segments.currentIndex()]

    def _clusters(self) -> list[tuple[str, str]]:
        """One choice for each cluster that a responder can reach."""
        found: dict[str, str] = {}
        for one in self._responders:
            found.setdefault(f"{one.origin} {one.cluster_id}", f"{one.cluster_id} · {one.tenant}")
        return [(words, key) for key, words in found.items()] or [("No cluster", "")]

    def refresh(self) -> None:
        """Ask which responders there are; read the lists when there is a first one."""
        self._calls.ask(
            self._desk.responders, self._responders_came, self._not_read, owner=self, key="lists responders"
        )

    def _responders_came(self, found: Sequence[RespondConnector]) -> None:
        first = not self._responders
        self._responders = list(found)
        clusters = self._clusters()
        self.cluster.setVisible(len(clusters) > 1)
        usable = bool(found)
        for control in (self.read_button, self.change_button, self.export_button, self.shown, self.search):
            control.setEnabled(usable)
        if not usable:
            self._connector = self._lists = None
            self._cover.setCurrentWidget(self._no_responder)
        elif first or self.cluster.value not in [key for _, key in clusters]:
            self.cluster.choose(*clusters[0])

    def _cluster_chosen(self) -> None:
        self._connector = next(
            (one for one in self._responders if f"{one.origin} {one.cluster_id}" == self.cluster.value), None
        )
        self._lists = None
        self.read()

    # reading

    def read(self) -> None:
        """Read both lists from the service, and what bulk runs are to be resumed."""
        self.interrupted.refresh()
        connector = self._connector
        if connector is None:
            return
        self._reading, self._outdated = True, False
        self.read_button.setEnabled(False)
        if self._lists is None:
            self._say("Reading the lists …", "It may take up to 30 seconds.", again=False)
        self._calls.ask(
            lambda: self._desk.lists(connector), self._read, self._not_read, owner=self, key="lists"
        )

    def outdate(self) -> None:
        """Something was done to a list: read it when it is looked at next."""
        self._outdated = True

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._outdated and self._lists is not None and not self._reading:
            self.read()

    def _read(self, found: Lists) -> None:
        self._reading = False
        self.read_button.setEnabled(True)
        self._lists = found
        for place, which in enumerate(LISTS):
            listing = found.of(which)
            count = "" if listing.problem else f" ({len(listing.rows):,})"
            self.segments.setTabText(place, TITLES[which] + count)
        self._show()

    def _not_read(self, error: BaseException) -> None:
        self._reading = False
        self.read_button.setEnabled(True)
        what, hint = (error.what, error.hint) if isinstance(error, Fault) else (str(error), "")
        if self._lists is None:
            self._say(what, hint)
        else:
            self.notice.say(hint, blocks.BAD, what)

    def _say(self, title: str, words: str, *, again: bool = True) -> None:
        self._state.say(title, words)
        self._again.setVisible(again)
        self._cover.setCurrentWidget(self._state)

    # showing

    def wanted(self) -> ListFilter:
        """What of the list is shown."""
        return ListFilter(text=self.search.text(), **self.shown.value)

    def rows(self) -> list[ListRow]:
        """The entries that are shown, in their order."""
        if self._lists is None:
            return []
        return lists.select(
            self._lists.of(self.which).rows, self.wanted(), by=self._sort, reverse=self._descending
        )

    def _show(self) -> None:
        if self._lists is None:
            return
        listing = self._lists.of(self.which)
        if listing.problem:
            self.notice.say("")
            self._say(f"The {TITLES[self.which]} could not be read", listing.problem)
            return
        shown = self.rows()
        self.table.show_rows(shown)
        self.table.show_sort(self._sort, self._descending)
        if shown:
            self._cover.setCurrentWidget(self.table)
        elif listing.rows:
            self._say("No entry matches", "Change or clear the filter.", again=False)
        else:
            self._say(
                f"The {TITLES[self.which]} is empty",
                "Entries that anybody adds are shown here. Add them from a record in Events, or by hand with Change.",
                again=False,
            )
        self._tell_changes(listing)

    def _tell_changes(self, listing: Listing) -> None:
        """What has changed since the look before, and by whom that was not."""
        fresh, gone = len(listing.fresh), len(listing.gone)
        if not listing.since or not (fresh or gone):
            self.notice.say("")
            return
        words = [f"{fresh:,} new" if fresh else "", f"{gone:,} gone" if gone else ""]
        names = ", ".join(entry.value[:80] for entry in listing.gone[:5])
        more = f", and {gone - 5:,} more" if gone > 5 else ""
        self.notice.say(
            f"Gone: {names}{more}." if gone else "",
            blocks.INFO,
            f"Since the last look {ago(listing.since, self._clock.now())}: {' and '.join(filter(None, words))}.",
        )

    def _sort_by(self, key: str) -> None:
        if self._sort == key and self._descending:
            self._sort, self._descending = "", False
        elif self._sort == key:
            self._descending = True
        else:
            self._sort, self._descending = key, False
        self._show()

    # changing

    def add_entry(self) -> None:
        """Type one entry, with the same form as on a record."""
        self._with_responder(ADD, lambda connector: self._open_entry(connector, None))

    def remove(self, rows: Sequence[ListRow]) -> None:
        """Take entries off: one in the form, several as a bulk run."""
        if len(rows) == 1:
            entry = rows[0].entry
            self._with_responder(DELETE, lambda connector: self._open_entry(connector, entry))
        elif rows:
            text = lists.to_csv(rows).decode()
            self._with_responder(DELETE, lambda connector: self.open_bulk(connector, text))

    def add_many(self) -> None:
        """Paste values or open a file."""
        self._with_responder(ADD, self.open_bulk)

    def remove_many(self) -> None:
        """Paste values that are to be taken off."""
        self._with_responder(DELETE, self.open_bulk)

    def _with_responder(self, action: str, then: Any) -> None:
        connector, which = self._connector, self.which
        if connector is None:
            return

        def failed(error: BaseException) -> None:
            what, hint = (error.what, error.hint) if isinstance(error, Fault) else (str(error), "")
            self.notice.say(hint, blocks.BAD, what)

        self._calls.ask(lambda: self._desk.doer(connector, action, which), then, failed, owner=self)

    def _open_entry(self, connector: RespondConnector, entry: Any) -> EntryDialog:
        dialog = EntryDialog(
            self._desk, self._calls, self._clock, self._zone, connector, entry, parent=self.window()
        )
        dialog.historyAsked.connect(self.historyAsked)
        dialog.historyAsked.connect(lambda _id: dialog.reject())
        dialog.ended.connect(self._one_ended)
        dialog.open()
        return dialog

    def open_bulk(self, connector: RespondConnector, wanted: str | Selected = "") -> BulkDialog:
        """Many entries: pasted text to begin with, or selected records."""
        dialog = BulkDialog(
            self._desk, self._calls, self._clock, self._zone, connector, wanted, parent=self.window()
        )
        dialog.changed.connect(self.read)
        dialog.open()
        return dialog

    def _one_ended(self, action: Action) -> None:
        self.ended.emit(action)
        self.read()

    def menu(self) -> QMenu | None:
        """What can be done with the selected entries."""
        rows = self.table.chosen_rows()
        if not rows:
            return None
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction("Remove …", lambda: self.remove(rows))
        menu.addSeparator()
        menu.addAction("Copy Value", lambda: copy("\n".join(row.entry.value for row in rows)))
        if len(rows) == 1 and rows[0].action is not None:
            action_id = rows[0].action.id
            menu.addAction("Show in Action History", lambda: self.historyAsked.emit(action_id))
        return menu

    def _menu_at(self, place: QPoint) -> None:
        if menu := self.menu():
            menu.popup(place)

    def _key_pressed(self, key: int) -> None:
        if key == Qt.Key.Key_Delete:
            self.remove(self.table.chosen_rows())
        elif (row := self.table.current()) is not None and row.action is not None:
            self.historyAsked.emit(row.action.id)

    # export

    def ask_export(self, form: str) -> QFileDialog:
        """Ask where to write what is shown."""
        name = TITLES[self.which].casefold().replace(" ", "-")
        return ask_where(
            self, f"Export the {TITLES[self.which]} as {form.upper()}", name, form, self.export_to
        )

    def export_to(self, path: Path, form: str) -> None:
        """Write the entries that are shown."""
        rows = self.rows()

        def bytes_of() -> bytes:
            if form == "csv":
                return lists.to_csv(rows)
            return b"".join(dumps(row.to_json()) + b"\n" for row in rows)

        self._calls.ask(
            lambda: asyncio.to_thread(write_whole, path, bytes_of),
            lambda _done: tell_written(self.notice, f"{len(rows):,} entries", path),
            lambda error: self.notice.say(str(error), blocks.BAD, "Nothing complete was written"),
            owner=self,
        )

    # frame

    def focus_first(self) -> None:
        """Go to the table, or to what stands in its place."""
        (self.table if self.table.isVisible() else self.segments).setFocus()

    def restyle(self) -> None:
        """Times or colours are others from now on."""
        self.table.viewport().update()

    def sizeHint(self) -> QSize:
        return QSize(1290, 840)


def _key(row: ListRow) -> tuple[str, str, str]:
    entry = row.entry
    return (entry.attribute, entry.operator, entry.value)
