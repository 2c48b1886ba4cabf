"""Connectors in a window: the page, the wizard and the tests, made once the keychain has been opened."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QStackedWidget, QWidget

from pod_desktop.core.clock import Clock
from pod_desktop.core.logfilter import LogFilter
from pod_desktop.core.record import CONTENT_TYPES
from pod_desktop.core.status import StreamStatus
from pod_desktop.services import testing
from pod_desktop.services.connectors import Connectors
from pod_desktop.services.filters import LogFilters, Preview
from pod_desktop.services.hours import Hour, hours_of
from pod_desktop.store import ConnectorEntry, DataDir, Ledger, open_reader
from pod_desktop.ui.bridge import Worker
from pod_desktop.ui.connectors.guide import GuideDialog
from pod_desktop.ui.connectors.page import ConnectorsPage
from pod_desktop.ui.connectors.runner import Runner
from pod_desktop.ui.connectors.wizard import open_wizard
from pod_desktop.ui.events.completion import without_notes
from pod_desktop.ui.moments import Zone
from pod_desktop.ui.preferences import Preferences
from pod_desktop.ui.widgets import EmptyState
from pod_desktop.ui.window import MainWindow
from pod_desktop.vault import SessionVault


class ConnectorsWiring(QObject):
    """The one who opens what has to do with connectors."""

    viewEvents = Signal(str)
    """Show the events of this connector."""
    changed = Signal()
    """Something was done to a connector: read the ledger again."""
    secretsChanged = Signal()
    """A secret was given: a service that runs may have to be told."""

    def __init__(
        self,
        window: MainWindow,
        *,
        data_dir: DataDir,
        ledger: Ledger,
        clock: Clock,
        zone: Zone,
        preferences: Preferences,
        worker: Worker,
        with_vault: Callable[[Callable[[SessionVault], None]], None],
    ) -> None:
        """
        Args:
            worker: may be busy for as long as a keychain takes to answer.
            with_vault: calls back with the vault, at once or as soon as it has been opened.
        """
        super().__init__(window)
        self._window = window
        self._data_dir = data_dir
        self._ledger = ledger
        self._clock = clock
        self._zone = zone
        self._preferences = preferences
        self._worker = worker
        self._with_vault = with_vault
        self._connectors: Connectors | None = None
        self._tester: Runner | None = None
        self._filtering: Worker | None = None
        self._page: ConnectorsPage | None = None
        self._entries: Sequence[ConnectorEntry] = ()
        self._statuses: Sequence[StreamStatus] = ()
        window.status.hours_wanted.connect(self._tell_hours)

    def stop(self) -> None:
        """End a test that runs."""
        if self._tester is not None:
            self._tester.stop()

    def with_connectors(self, run: Callable[[Connectors], None]) -> None:
        """Run it now, or as soon as the keychain has been opened."""
        self._with_vault(lambda vault: run(self._ready(vault)))

    def _ready(self, vault: SessionVault) -> Connectors:
        if self._connectors is None:
            self._connectors = Connectors(self._ledger, vault, self._clock)
            lock = testing.lock_path(self._data_dir.root)
            self._tester = Runner(
                testing.Tester(self._connectors, self._ledger, lock, self._clock).test, self
            )
        return self._connectors

    def make_page(self) -> QWidget:
        """The Connectors page; until the keychain is open it says so."""
        holder = QStackedWidget()
        holder.addWidget(EmptyState("Opening the keychain …", "It may ask you to unlock it."))
        self.with_connectors(lambda connectors: self._fill(holder, connectors))
        return holder

    def _fill(self, holder: QStackedWidget, connectors: Connectors) -> None:
        page = self._page = ConnectorsPage(
            connectors,
            self._worker,
            tester=self._tester,
            preferences=self._preferences,
            clock=self._clock,
            zone=self._zone,
        )
        page.createConnector.connect(self.create)
        page.logFilters.connect(self.show_filters)
        page.viewEvents.connect(self.viewEvents)
        page.changed.connect(self.changed)
        page.secretsChanged.connect(self.secretsChanged)
        page.show_hours_by(self._hours_of)
        self._window.reloaded.connect(page.columns.recall)
        holder.addWidget(page)
        holder.setCurrentWidget(page)
        page.refresh(list(self._entries), list(self._statuses))

    def _hours_of(self, name: str) -> dict[str, tuple[Hour, ...]]:
        """What a connector has of each hour; on the worker's thread, with a reader for the moment."""
        with closing(open_reader(self._data_dir.events)) as reader:
            now = self._clock.now()
            return {kind: hours_of(reader.progress(f"{name}/{kind}").values, now) for kind in CONTENT_TYPES}

    def _tell_hours(self, name: str) -> None:
        """The status bar explains a connector: give it the hours."""
        tell = partial(self._window.status.show_hours, name)
        self._worker.ask(
            lambda: self._hours_of(name), tell, lambda _error: None, owner=self, key=f"told hours {name}"
        )

    def refresh(self, entries: Sequence[ConnectorEntry], statuses: Sequence[StreamStatus]) -> None:
        """What the ledger says."""
        self._entries, self._statuses = entries, statuses
        if self._page is not None:
            self._page.refresh(list(entries), list(statuses))

    def create(self) -> None:
        """Open the wizard."""
        self.with_connectors(self._open_wizard)

    def _open_wizard(self, connectors: Connectors) -> None:
        wizard = open_wizard(connectors, self._worker, self._window, tester=self._tester, clock=self._clock)
        wizard.created.connect(self._created)

    def show_filters(self) -> None:
        """Open the log filters."""
        from pod_desktop.ui.connectors.logfilters import FilterDesk, LogFiltersDialog

        if self._filtering is None:
            # Its own: a preview looks through a week of records.
            self._filtering = Worker("log filters", self._window)
        desk, filters = self._window.desk, LogFilters(self._ledger, self._clock)

        def preview(log_filter: LogFilter, since: int, wanted: Callable[[], bool]) -> Preview:
            with closing(open_reader(self._data_dir.events)) as reader:
                return filters.preview(log_filter, reader, since=since, wanted=wanted)

        dialog = LogFiltersDialog(
            FilterDesk(
                filters=filters,
                collectors=lambda: [entry.connector.name for entry in self._ledger.collectors()],
                preview=preview,
                check=desk.check,
                complete=without_notes(desk.complete),
                clock=self._clock,
                zone=self._zone,
            ),
            self._filtering,
            self._window,
        )
        dialog.changed.connect(self.changed)
        dialog.open()

    def _created(self, *_made: object) -> None:
        self.secretsChanged.emit()
        self.changed.emit()

    def show_guide(self) -> None:
        """Where the Cluster ID and the keys are found."""
        GuideDialog("connect", self._window).open()
