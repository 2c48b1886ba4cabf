"""The Connectors page: what there is, how it does, and what can be done with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from PySide6.QtCore import QModelIndex, QPoint, Qt, Signal
from PySide6.QtGui import QAction, QKeyEvent, QKeySequence, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QLineEdit,
    QMenu,
    QStackedWidget,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from pod_desktop.core.clock import SECOND, Clock, SystemClock
from pod_desktop.core.status import StreamStatus
from pod_desktop.services.connectors import Connectors
from pod_desktop.services.hours import Hour
from pod_desktop.store import ConnectorEntry
from pod_desktop.ui.bridge import Worker
from pod_desktop.ui.connectors import summary
from pod_desktop.ui.connectors.actions import Actions
from pod_desktop.ui.connectors.columns import Columns
from pod_desktop.ui.connectors.details import Details
from pod_desktop.ui.connectors.model import ACTIONS, EDIT, MORE, TEST, ConnectorsModel, RowDelegate
from pod_desktop.ui.connectors.runner import Runner
from pod_desktop.ui.connectors.summary import responds
from pod_desktop.ui.connectors.testdialog import TestDialog
from pod_desktop.ui.moments import Zone
from pod_desktop.ui.preferences import Preferences
from pod_desktop.ui.widgets import Button, EmptyState, MenuButton, PageHeader

ROW_HEIGHT = 28
HOURS_SECONDS = 10
"""How often open details read the ledger of hours again."""
HoursOf = Callable[[str], Mapping[str, Sequence[Hour]]]
"""Name of a connector -> by content type what it has of each hour."""
KEYS = {TEST: "Ctrl+T", EDIT: "F2"}
"""Keys that the table hears; Enter shows details, Del deletes."""


class ConnectorsPage(QWidget):
    """The table of connectors. The window tells it what the ledger says; it asks nothing by itself."""

    createConnector = Signal()
    logFilters = Signal()
    """Open the log filters."""
    viewEvents = Signal(str)
    """Show the events of this connector."""
    changed = Signal()
    """Something was done to a connector: read the ledger again."""
    secretsChanged = Signal()
    """Secrets were given, perhaps for this session only: the service has to be told."""

    def __init__(
        self,
        desk: Connectors,
        worker: Worker,
        *,
        tester: Runner | None = None,
        preferences: Preferences | None = None,
        clock: Clock | None = None,
        zone: Zone | None = None,
        parent: QWidget | None = None,
    ) -> None:
        """
        Args:
            desk: Does what is asked; called on the worker's thread.
            worker: May be busy for as long as a keychain takes to answer.
            tester: Tests connectors; without one there is no Test.
            preferences: Remember the columns.
            clock: Tells the time.
            zone: How times are written; shared with the window, which may change it.
            parent: The window it stands in.
        """
        super().__init__(parent)
        self._clock = clock or SystemClock()
        self._zone = zone or Zone()
        self._preferences = preferences
        self._entries: list[ConnectorEntry] = []
        self._statuses: list[StreamStatus] = []
        self._details: dict[str, Details] = {}
        self._worker = worker
        self._hours_of: HoursOf | None = None
        self._hours_asked = 0
        self.actions_of = Actions(desk, worker, tester, self._clock, self)
        self.actions_of.changed.connect(self.changed)
        self.actions_of.secretsChanged.connect(self.secretsChanged)
        self._build()

    def _build(self) -> None:
        self.filter = QLineEdit()
        self.filter.setPlaceholderText("Name, type, tenant…")
        self.filter.setAccessibleName("Filter connectors")
        self.filter.setClearButtonEnabled(True)
        self.filter.setMinimumWidth(120)
        self.filter.setMaximumWidth(260)
        self.filter.textChanged.connect(lambda _text: self._show())
        self.create_button = Button("Create connector", "primary", clicked=self.createConnector.emit)
        self.import_button = Button("Import definition…", clicked=self.actions_of.choose_import)
        self.filters_button = Button("Log filters…", clicked=self.logFilters.emit)
        self.notice = self.actions_of.notice
        links = (TEST, EDIT, MORE) if self.actions_of.can_test else (EDIT, MORE)
        self.model = ConnectorsModel(links, self)
        self.table = _Table()
        self.table.setModel(self.model)
        self._delegate = RowDelegate(self.table)
        self._delegate.pressed.connect(self._link_pressed)
        self.table.setItemDelegate(self._delegate)
        self.table.customContextMenuRequested.connect(self._menu_at)
        self.table.asked.connect(self._key_pressed)
        self.table.doubleClicked.connect(self._double_clicked)
        self.columns = Columns(self.table, self._preferences)
        self.table.resized.connect(self.columns.fit)
        menu = QMenu(self)
        menu.setAccessibleName("Columns")
        menu.aboutToShow.connect(lambda: self.columns.fill(menu))
        self.columns_button = MenuButton("Columns", menu)
        first = Button("Create connector", "primary", clicked=self.createConnector.emit)
        self._none = EmptyState(
            "No connectors yet",
            "A connector collects the mail logs of one Proofpoint on Demand cluster, or acts on its lists.",
            [first, Button("Import definition…", clicked=self.actions_of.choose_import)],
        )
        self._no_match = EmptyState("No connector matches", "Change or clear the filter.")
        self.stack = QStackedWidget()
        for page in (self.table, self._none, self._no_match):
            self.stack.addWidget(page)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(
            PageHeader(
                "Connectors",
                self.filter,
                self.columns_button,
                self.filters_button,
                self.import_button,
                self.create_button,
            )
        )
        column.addWidget(self.notice)
        column.addWidget(self.stack, 1)
        self._show()

    # what is shown

    def show_hours_by(self, hours_of: HoursOf) -> None:
        """Where details get the ledger of hours from; called on the worker's thread."""
        self._hours_of = hours_of

    def _ask_for_hours(self, name: str) -> None:
        if (read := self._hours_of) is None:
            return
        self._hours_asked = self._clock.now()

        def show(found: Mapping[str, Sequence[Hour]]) -> None:
            if (dialog := self._details.get(name)) is not None:
                dialog.show_hours(found, self._zone)

        self._worker.ask(lambda: read(name), show, lambda _error: None, owner=self, key=f"hours {name}")

    def refresh(self, entries: Sequence[ConnectorEntry], statuses: Sequence[StreamStatus]) -> None:
        """Show what the ledger says; selection, scrolling and filter stay."""
        self._entries, self._statuses = list(entries), list(statuses)
        self._show()
        now = self._clock.now()
        known = {entry.connector.name: entry for entry in self._entries}
        if self._details and now - self._hours_asked > HOURS_SECONDS * SECOND:
            for name in self._details:
                self._ask_for_hours(name)
        for name, dialog in list(self._details.items()):
            if entry := known.get(name):
                dialog.refresh(entry, self._statuses, now, self._zone)
            else:
                dialog.close()

    def _show(self) -> None:
        now, chosen = self._clock.now(), self.selected()
        rows = [summary.row(entry, self._statuses, now, self._zone) for entry in self._entries]
        words = self.filter.text()
        shown = [row for row in rows if row.holds(words)]
        before = [self.model.row_at(number) for number in range(self.model.rowCount())]
        self.model.show_rows(shown)
        if chosen and [row.name for row in before if row] != [row.name for row in shown]:
            self.select(chosen)
        self.stack.setCurrentWidget(self.table if shown else self._no_match if rows else self._none)

    def selected(self) -> str:
        """The name of the chosen connector, '' if there is none."""
        row = self.model.row_at(self.table.currentIndex().row())
        return row.name if row else ""

    def select(self, name: str) -> None:
        """Choose the connector of that name, if it is shown."""
        number = self.model.number_of(name)
        if number >= 0:
            self.table.setCurrentIndex(self.model.index(number, 0))

    # what can be done

    def menu(self) -> QMenu | None:
        """What can be done with the chosen connector."""
        name = self.selected()
        entry = self._entry(name)
        if entry is None:
            return None
        do = self.actions_of
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        if do.can_test:
            _add(menu, "&Test…", self.test, KEYS[TEST])
        _add(menu, "&Edit…", lambda: do.edit(name), KEYS[EDIT])
        menu.addSeparator()
        _add(menu, "&View Events", lambda: self.viewEvents.emit(name)).setVisible(not responds(entry))
        _add(menu, "&Show Details", self.show_details, "Return")
        _add(menu, "&Log Filters…", self.logFilters.emit).setVisible(not responds(entry))
        menu.addSeparator()
        if entry.enabled:
            _add(menu, "Dis&able", lambda: do.switch(name, False))
        else:
            _add(menu, "En&able", lambda: do.switch(name, True))
        _add(menu, "D&uplicate…", lambda: do.duplicate(name))
        _add(menu, "E&xport Definition…", lambda: do.choose_export(name))
        menu.addSeparator()
        _add(menu, "&Delete…", self.ask_delete, "Del")
        return menu

    def test(self) -> TestDialog | None:
        """Test the chosen connector."""
        entry = self._entry(self.selected())
        return self.actions_of.test(entry) if entry is not None else None

    def show_details(self) -> None:
        """Open what the chosen connector says of itself."""
        name = self.selected()
        entry = self._entry(name)
        if entry is None:
            return
        dialog = self._details.get(name)
        if dialog is None:
            dialog = Details(entry, self.actions_of.try_now, self)
            dialog.finished.connect(lambda _result: self._details.pop(name, None))
            self._details[name] = dialog
        dialog.refresh(entry, self._statuses, self._clock.now(), self._zone)
        self._ask_for_hours(name)
        dialog.show()
        dialog.raise_()
        dialog.activateWindow()

    def ask_delete(self) -> None:
        """Ask whether the chosen connector shall be deleted."""
        if (entry := self._entry(self.selected())) is not None:
            self.actions_of.ask_delete(entry)

    def _entry(self, name: str) -> ConnectorEntry | None:
        return next((entry for entry in self._entries if entry.connector.name == name), None)

    # how it is asked for

    def _link_pressed(self, words: str, number: int) -> None:
        row = self.model.row_at(number)
        if row is None:
            return
        self.select(row.name)
        if words == TEST:
            self.test()
        elif words == EDIT:
            self.actions_of.edit(row.name)
        else:
            place = self.table.visualRect(self.model.index(number, ACTIONS))
            self._menu_at(place.bottomLeft())

    def _double_clicked(self, index: QModelIndex) -> None:
        if index.column() != ACTIONS:
            self.show_details()

    def _menu_at(self, place: QPoint) -> None:
        if menu := self.menu():
            menu.popup(self.table.viewport().mapToGlobal(place))

    def _key_pressed(self, key: int) -> None:
        name = self.selected()
        if key == Qt.Key.Key_Delete:
            self.ask_delete()
        elif key == Qt.Key.Key_F2 and name:
            self.actions_of.edit(name)
        elif key == Qt.Key.Key_T and name:
            self.test()
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.show_details()


class _Table(QTableView):
    """A table of whole rows; Enter, Delete, F2 and Ctrl+T are asked for, Tab leaves it."""

    asked = Signal(int)
    resized = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Connectors")
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setTabKeyNavigation(False)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.verticalHeader().setVisible(False)
        self.verticalHeader().setDefaultSectionSize(ROW_HEIGHT)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setSectionsClickable(False)
        header.setMinimumSectionSize(60)
        header.setFixedHeight(27)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.resized.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        plain = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Delete, Qt.Key.Key_F2)
        tests = event.key() == Qt.Key.Key_T and event.modifiers() == Qt.KeyboardModifier.ControlModifier
        if plain or tests:
            self.asked.emit(event.key())
            event.accept()
            return
        super().keyPressEvent(event)


def _add(menu: QMenu, words: str, do: Callable[[], object], keys: str = "") -> QAction:
    """`words` are ours; `keys` is shown only, the table hears them itself."""
    action = QAction(words + (f"\t{QKeySequence(keys).toString()}" if keys else ""), menu)
    action.triggered.connect(lambda _checked=False: do())
    menu.addAction(action)
    return action
