"""The Connectors page: what there is, how it does, and what can be done with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QModelIndex, QPoint, Qt, Signal
from PySide6.QtGui import QAction, QKeyEvent, QKeySequence, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QLineEdit,
    QMenu,
    QStackedWidget,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from pod_desktop.core import blocks
from pod_desktop.core.clock import Clock, SystemClock
from pod_desktop.core.faults import Fault, Outage
from pod_desktop.core.status import StreamStatus
from pod_desktop.services.connectors import Connectors
from pod_desktop.store import ConnectorEntry
from pod_desktop.ui.bridge import Worker
from pod_desktop.ui.connectors import summary
from pod_desktop.ui.connectors.confirm import Confirm
from pod_desktop.ui.connectors.details import Details
from pod_desktop.ui.connectors.model import (
    ACTIONS,
    COLUMNS,
    DETAIL,
    EVENTS,
    GIVE_WAY,
    ConnectorsModel,
    RowDelegate,
)
from pod_desktop.ui.moments import Zone
from pod_desktop.ui.widgets import Button, EmptyState, Notice, PageHeader

ROW_HEIGHT = 28


class ConnectorsPage(QWidget):
    """The table of connectors. The window tells it what the ledger says; it asks nothing by itself."""

    createConnector = Signal()
    viewEvents = Signal(str)
    """Show the events of this connector."""
    changed = Signal()
    """Something was done to a connector: read the ledger again."""

    def __init__(
        self,
        desk: Connectors,
        worker: Worker,
        *,
        clock: Clock | None = None,
        zone: Zone | None = None,
        parent: QWidget | None = None,
    ) -> None:
        """
        Args:
            desk: Does what is asked; called on the worker's thread.
            worker: May be busy for as long as a keychain takes to answer.
            clock: Tells the time.
            zone: How times are written; shared with the window, which may change it.
            parent: The window it stands in.
        """
        super().__init__(parent)
        self._desk = desk
        self._worker = worker
        self._clock = clock or SystemClock()
        self._zone = zone or Zone()
        self._entries: list[ConnectorEntry] = []
        self._statuses: list[StreamStatus] = []
        self._details: dict[str, Details] = {}
        self._build()

    def _build(self) -> None:
        self.filter = QLineEdit()
        self.filter.setPlaceholderText("Filter by name, type, tenant…")
        self.filter.setAccessibleName("Filter connectors")
        self.filter.setClearButtonEnabled(True)
        self.filter.setFixedWidth(260)
        self.filter.textChanged.connect(lambda _text: self._show())
        self.create_button = Button("Create connector", "primary", clicked=self.createConnector.emit)
        self.notice = Notice("", blocks.BAD)
        self.model = ConnectorsModel(self)
        self.table = _Table()
        self.table.setModel(self.model)
        self._delegate = RowDelegate(self.table)
        self._delegate.pressed.connect(self._link_pressed)
        self.table.setItemDelegate(self._delegate)
        self.table.customContextMenuRequested.connect(self._menu_at)
        self.table.asked.connect(self._key_pressed)
        self.table.doubleClicked.connect(self._double_clicked)
        for number, (_, _, width) in enumerate(COLUMNS):
            self.table.setColumnWidth(number, width)
        self.table.horizontalHeader().setSectionResizeMode(DETAIL, QHeaderView.ResizeMode.Stretch)
        first = Button("Create connector", "primary", clicked=self.createConnector.emit)
        self._none = EmptyState(
            "No connectors yet",
            "A connector collects the mail logs of one Proofpoint on Demand cluster.",
            [first],
        )
        self._no_match = EmptyState("No connector matches", "Change or clear the filter.")
        self.stack = QStackedWidget()
        for page in (self.table, self._none, self._no_match):
            self.stack.addWidget(page)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(PageHeader("Connectors", self.filter, self.create_button))
        column.addWidget(self.notice)
        column.addWidget(self.stack, 1)
        self._show()

    # what is shown

    def refresh(self, entries: Sequence[ConnectorEntry], statuses: Sequence[StreamStatus]) -> None:
        """Show what the ledger says; selection, scrolling and filter stay."""
        self._entries, self._statuses = list(entries), list(statuses)
        self._show()
        now = self._clock.now()
        known = {entry.connector.name: entry for entry in self._entries}
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
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        _add(menu, "View &Events", lambda: self.viewEvents.emit(name))
        _add(menu, "&Show Details", self.show_details, "Return")
        menu.addSeparator()
        if entry.enabled:
            _add(menu, "Dis&able", lambda: self._do(lambda: self._desk.disable(name)))
        else:
            _add(menu, "En&able", lambda: self._do(lambda: self._desk.enable(name)))
        menu.addSeparator()
        _add(menu, "&Delete…", self.ask_delete, "Del")
        return menu

    def show_details(self) -> None:
        """Open what the chosen connector says of itself."""
        name = self.selected()
        entry = self._entry(name)
        if entry is None:
            return
        dialog = self._details.get(name)
        if dialog is None:
            dialog = Details(entry, lambda wanted: self._do(lambda: self._desk.try_now(wanted)), self)
            dialog.finished.connect(lambda _result: self._details.pop(name, None))
            self._details[name] = dialog
        dialog.refresh(entry, self._statuses, self._clock.now(), self._zone)
        dialog.show()
        dialog.raise_()
        dialog.activateWindow()

    def ask_delete(self) -> None:
        """Ask once, in words that say what will happen."""
        name = self.selected()
        if not name:
            return
        question = Confirm(
            f"Delete {name}?",
            "It stops collecting and is forgotten. Its API key is deleted from "
            f"{self._desk.vault.title}. The records it collected stay, and can still be searched.",
            "Delete",
            self,
        )
        question.agreed.connect(lambda: self._delete(name))
        question.open()

    def _delete(self, name: str) -> None:
        self._do(lambda: self._desk.remove(name), lambda error: self._not_deleted(name, error))

    def _not_deleted(self, name: str, error: BaseException) -> None:
        if not isinstance(error, Outage):
            self._failed(error)
            return
        question = Confirm(
            f"The API key of {name} could not be deleted.",
            f"{error.what} Delete the connector all the same, and leave its key in {self._desk.vault.title}?",
            "Delete, keep the key",
            self,
        )
        question.agreed.connect(lambda: self._do(lambda: self._desk.remove(name, keep_secrets=True)))
        question.open()

    def _do(self, work: Callable[[], None], failed: Callable[[BaseException], None] | None = None) -> None:
        """Have it done off this thread; say what went wrong on the page."""
        self.notice.say("")
        self._worker.ask(work, lambda _done: self.changed.emit(), failed or self._failed, owner=self)

    def _failed(self, error: BaseException) -> None:
        if isinstance(error, Fault):
            self.notice.say(error.hint, blocks.BAD, error.what)
        else:
            self.notice.say("The log says more.", blocks.BAD, "That was not done: a fault of the program.")

    def _entry(self, name: str) -> ConnectorEntry | None:
        return next((entry for entry in self._entries if entry.connector.name == name), None)

    # how it is asked for

    def _link_pressed(self, words: str, number: int) -> None:
        row = self.model.row_at(number)
        if row is None:
            return
        self.select(row.name)
        if words == EVENTS:
            self.viewEvents.emit(row.name)
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
        if key == Qt.Key.Key_Delete:
            self.ask_delete()
        else:
            self.show_details()


class _Table(QTableView):
    """A table of whole rows; Enter and Delete are asked for, Tab leaves it."""

    asked = Signal(int)

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
        """Where it is narrow, what is the same for all goes first; Details still says it."""
        hidden = hidden_columns(self.viewport().width())
        for number in range(len(COLUMNS)):
            self.setColumnHidden(number, number in hidden)
        super().resizeEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Delete):
            self.asked.emit(event.key())
            event.accept()
            return
        super().keyPressEvent(event)


def hidden_columns(room: int) -> set[int]:
    """The columns that are left out where the table is so many pixels wide."""
    needed = sum(width for _, _, width in COLUMNS)
    hidden: set[int] = set()
    for number in GIVE_WAY:
        if needed <= room:
            break
        needed -= COLUMNS[number][2]
        hidden.add(number)
    return hidden


def _add(menu: QMenu, words: str, do: Callable[[], object], keys: str = "") -> QAction:
    """`words` are ours; `keys` is shown only, the table hears them itself."""
    action = QAction(words + (f"\t{QKeySequence(keys).toString()}" if keys else ""), menu)
    action.triggered.connect(lambda _checked=False: do())
    menu.addAction(action)
    return action
