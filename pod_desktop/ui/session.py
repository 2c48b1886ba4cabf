"""One session of the window: its pages wired to the rooms below, the service kept running, a clean end.

What takes time is done after the first paint: the keychain, the service, the demo's cluster.
"""

from __future__ import annotations

import contextlib
import importlib
import subprocess
import time
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from PySide6.QtCore import QSettings, QTimer
from PySide6.QtWidgets import QApplication, QWidget

from pod_desktop import query
from pod_desktop.core.clock import Clock
from pod_desktop.core.faults import Fault
from pod_desktop.core.settings import NOTIFICATIONS
from pod_desktop.core.status import StreamStatus
from pod_desktop.services.notifying import claim_stall
from pod_desktop.services.settings import Settings
from pod_desktop.services.stalls import Stall
from pod_desktop.services.supervise import ServiceProcess, program, service_command
from pod_desktop.store import (
    NOTES_FILE,
    ConnectorEntry,
    DataDir,
    Journal,
    Ledger,
    Limits,
    Notes,
    Reader,
    RespondEntry,
    lock_holder,
)
from pod_desktop.ui.actions.commands import add_actions
from pod_desktop.ui.automation.commands import add_automation
from pod_desktop.ui.bridge import Worker
from pod_desktop.ui.demo import Demo, connect_demo
from pod_desktop.ui.desk import StoreDesk
from pod_desktop.ui.folders import open_folder, opener
from pod_desktop.ui.garbage import Garbage
from pod_desktop.ui.hunting import add_hunting
from pod_desktop.ui.loop import WindowLoop
from pod_desktop.ui.moments import Zone
from pod_desktop.ui.preferences import Preferences
from pod_desktop.ui.rail import MANAGE, Page
from pod_desktop.ui.searchcolumns import Columns, columns_desk
from pod_desktop.ui.settings import Keymap, Plan, RetentionDesk, SettingsDesk, SettingsPage
from pod_desktop.ui.stalling import Stalling
from pod_desktop.ui.theme import Theme
from pod_desktop.ui.window import CONNECTORS, MainWindow
from pod_desktop.vault import SessionVault

if TYPE_CHECKING:
    from pod_desktop.core.action import Action
    from pod_desktop.services.connectors import Connectors
    from pod_desktop.services.respond import Responding
    from pod_desktop.ui.actions.wiring import ActionsWiring
    from pod_desktop.ui.automation.wiring import AutomationWiring
    from pod_desktop.ui.connectors.wiring import ConnectorsWiring

TICK_MS: Final = 500
JOB_MS: Final = 200
ACTIONS_MS: Final = 2_000
"""The history's badge can wait until the window has settled."""
BEAT_SECONDS: Final = 10
"""A service not heard of for so long is taken for gone."""
STOP_SECONDS: Final = 6.0


class HomePort(Protocol):
    """What a session needs of the opened data directory (app.Home)."""

    data_dir: DataDir
    ledger: Ledger
    clock: Clock

    @property
    def vault(self) -> SessionVault: ...
    @property
    def journal(self) -> Journal: ...
    def responding(self, changed: Callable[[Action], None] = ...) -> Responding: ...
    def new_reader(self) -> Reader: ...


def run_session(home: HomePort, *, files: Sequence[Path] = (), demo: Demo | None = None) -> int:
    """Show the window until it is closed; the exit code."""
    existing = QApplication.instance()
    app = existing if isinstance(existing, QApplication) else QApplication(["pod-desktop"])
    app.setApplicationName("POD Desktop")
    app.setDesktopFileName("pod-desktop")
    loop = WindowLoop(app)
    session = Session(app, loop, home, demo)
    session.start(files)
    loop.run(session.closed)
    return 0


class Session:
    """The window and everything that goes on around it."""

    def __init__(self, app: QApplication, loop: WindowLoop, home: HomePort, demo: Demo | None) -> None:
        self._app = app
        self._loop = loop
        self._home = home
        self._demo = demo
        self._ends_service = False
        self._vault: SessionVault | None = None
        self._entries: list[ConnectorEntry] = []
        self._statuses: list[StreamStatus] = []
        self._ledger_seen = -1
        settings = QSettings(str(home.data_dir.root / "window.ini"), QSettings.Format.IniFormat)
        self.preferences = Preferences(settings)
        self.theme = Theme(app, self.preferences.theme)
        self.service = ServiceProcess(
            service_command(home.data_dir.root, until_eof=demo is not None),
            output=home.data_dir.root / "service.out",
            holder=lambda: lock_holder(home.data_dir.service_lock),
            monotonic=time.monotonic,
            secrets=lambda: self._vault.lines() if self._vault is not None else (),
        )
        zone = Zone(utc=self.preferences.utc)
        self.desk = StoreDesk(
            home.new_reader,
            home.ledger,
            home.clock,
            zone,
            self._serving,
            lambda: Notes(home.data_dir.root / NOTES_FILE),
        )
        self.window = MainWindow(
            self.desk,
            self.preferences,
            self.theme,
            data_dir=str(home.data_dir.root),
            zone=zone,
            make_settings=self._make_settings,
        )
        self._garbage = Garbage(self.window)
        self._ledger_worker = Worker("ledger", self.window)
        self._settings = SettingsDesk(self.preferences, Settings(home.ledger), self._ledger_worker)
        self._stalling = Stalling(
            self.window, zone, lambda: bool(self._settings.get(NOTIFICATIONS)), self._claim_stalls
        )
        self._keymap = Keymap(lambda: self.window.menus.commands.actions)
        self._vault_worker = Worker("keychain", self.window)
        self._connectors: ConnectorsWiring | None = None
        self._actions: ActionsWiring | None = None
        self._actions_tab = -1
        self._automation: AutomationWiring | None = None
        self._when_open: list[Callable[[SessionVault], None]] = []
        self._wire()

    def _wire(self) -> None:
        window = self.window
        window.createConnector.connect(self.create_connector)
        window.importRequested.connect(self.import_files)
        window.preferenceChosen.connect(self._keep)
        window.quitRequested.connect(self._quit)
        window.helpRequested.connect(lambda: self._wiring().show_guide())
        window.add_page(
            Page(key=CONNECTORS, group=MANAGE, title="Connectors", make=self._make_connectors_page)
        )
        desk = columns_desk(self._home.data_dir, self._home.ledger, self._home.clock)
        window.events.slow_path.columns = Columns(desk, window)
        self.hunting = add_hunting(window)
        add_automation(window, self._automating)
        self._actions_tab = add_actions(window, self._acting)
        self._tick = QTimer(window, interval=TICK_MS)
        self._tick.timeout.connect(self._on_tick)

    def _acting(self) -> ActionsWiring:
        if self._actions is None:
            # Late: it loads the HTTP client, which the first paint does not need.
            from pod_desktop.ui.actions.wiring import ActionsWiring

            made = self._actions = ActionsWiring.of(self.window, self._home, self._actions_tab)
            made.createResponder.connect(self.create_connector)
        return self._actions

    def _watch_actions(self) -> None:
        """What failed or is unknown shows in the rail, without anybody opening the history."""

        def watch(_loaded: object) -> None:
            self._acting().history()

        if self._home.data_dir.actions.exists():
            self._ledger_worker.ask(
                lambda: importlib.import_module("pod_desktop.ui.actions.wiring"), watch, owner=self.window
            )
        else:
            QTimer.singleShot(5 * ACTIONS_MS, self.window, self._watch_actions)

    def _automating(self) -> AutomationWiring:
        if self._automation is None:
            from pod_desktop.ui.automation.wiring import AutomationWiring

            made = self._automation = AutomationWiring.of(self.window, self._home)
            made.heldChanged.connect(self._show_held)
            made.start()
        return self._automation

    def _watch_automation(self) -> None:
        """What playbooks hold, and that they are stopped, shows in the rail without anybody opening a page."""

        def watch(_loaded: object) -> None:
            self._automating()

        self._ledger_worker.ask(
            lambda: importlib.import_module("pod_desktop.ui.automation.wiring"), watch, owner=self.window
        )

    def _show_held(self, count: int) -> None:
        automation = self._automation
        if automation is None or not (count or automation.seen.entries):
            return
        self._ledger_worker.ask(
            lambda: importlib.import_module("pod_desktop.ui.actions.wiring"),
            lambda _loaded: self._acting().show_held(automation.held_view(), count),
            owner=self.window,
            key="held",
        )

    def start(self, files: Sequence[Path] = ()) -> None:
        """Show the window, and after its first paint start the rest."""
        self.window.when_painted(lambda: self._after_first_paint(list(files)))
        self.window.show()

    def _after_first_paint(self, files: list[Path]) -> None:
        self._first_run()
        self._settings.read(self.window, self._settings_read)
        self._tick.start()
        self._on_tick()
        self._vault_worker.ask(lambda: self._home.vault, self._vault_opened, owner=self.window)
        QTimer.singleShot(ACTIONS_MS, self.window, self._watch_actions)
        QTimer.singleShot(ACTIONS_MS, self.window, self._watch_automation)
        if self._demo is not None:
            self._start_demo(self._demo)
        if files:
            self.import_files(files)

    def _settings_read(self) -> None:
        """Take over what another front end has set meanwhile."""
        self._keymap.apply(self._settings.get("shortcuts"))
        if self.preferences.theme != self.theme.choice:
            self.window.choose_theme(self.preferences.theme)
        if self.preferences.utc != self.window.zone.utc:
            self.window.use_utc(self.preferences.utc)

    def _keep(self, key: str, value: object) -> None:
        self._settings.set(self.window, key, value, lambda _kept: None)

    def _first_run(self) -> None:
        from pod_desktop.ui.firstrun import FirstRun

        if self._demo is not None:
            return

        def make() -> QWidget:
            page = FirstRun()
            page.createConnector.connect(self.create_connector)
            page.startDemo.connect(self.open_demo)
            page.openFiles.connect(self.import_files)
            return page

        self.window.set_first_run(make)

    # the service

    def _serving(self) -> bool:
        if self.service.pid is not None:
            return True
        info = self._home.ledger.service()
        return info is not None and self._home.clock.now() - info.beat < BEAT_SECONDS * 1_000_000

    def _on_tick(self) -> None:
        self.service.tick()
        self._ledger_worker.ask(self._read_ledger, self._ledger_read, owner=self.window, key="ledger")

    def _claim_stalls(self, stalls: Sequence[Stall], then: Callable[[Sequence[Stall]], None]) -> None:
        ledger, now = self._home.ledger, self._home.clock.now()
        self._ledger_worker.ask(
            lambda: [stall for stall in stalls if claim_stall(ledger, stall, now)], then, owner=self.window
        )

    def _read_ledger(self) -> tuple[int, list[ConnectorEntry], list[StreamStatus]] | None:
        version = self._home.ledger.version()
        if version == self._ledger_seen:
            return None
        return version, self._home.ledger.connectors(), self._home.ledger.statuses()

    def _ledger_read(self, found: tuple[int, list[ConnectorEntry], list[StreamStatus]] | None) -> None:
        if found is not None:
            before = _responders(self._entries)
            self._ledger_seen, self._entries, self._statuses = found
            if self._actions is not None and _responders(self._entries) != before:
                self._actions.responders_changed()
        self._stalling.look(self._entries, self._statuses, self._home.clock.now())
        if self._connectors is not None:
            self._connectors.refresh(self._entries, self._statuses)

    def _vault_opened(self, vault: SessionVault) -> None:
        self._vault = vault
        self.service.give_secrets()
        waiting, self._when_open = self._when_open, []
        for run in waiting:
            run(vault)

    def with_vault(self, run: Callable[[SessionVault], None]) -> None:
        """Run it now, or as soon as the keychain has been opened."""
        if self._vault is not None:
            run(self._vault)
        else:
            self._when_open.append(run)

    def secrets_changed(self) -> None:
        """A secret may be kept for this session only: the service must be told, if need be as our own child."""
        if self._vault is None or not list(self._vault.lines()):
            return
        if not self.service.give_secrets() and self._serving():
            # A service that somebody else started has no ear for us; one of our own takes its place.
            self._home.ledger.post("stop", {}, now=self._home.clock.now())

    # pages

    def _make_connectors_page(self) -> QWidget:
        return self._wiring().make_page()

    def _wiring(self) -> ConnectorsWiring:
        if self._connectors is None:
            # Late: it loads the HTTP client and the stream's library, which the first paint does not need.
            from pod_desktop.ui.connectors.wiring import ConnectorsWiring

            made = self._connectors = ConnectorsWiring(
                self.window,
                data_dir=self._home.data_dir,
                ledger=self._home.ledger,
                clock=self._home.clock,
                zone=self.window.zone,
                preferences=self.preferences,
                worker=self._vault_worker,
                with_vault=self.with_vault,
            )
            made.viewEvents.connect(self.view_events)
            made.changed.connect(self._on_tick)
            made.secretsChanged.connect(self.secrets_changed)
            made.refresh(self._entries, self._statuses)
        return self._connectors

    def create_connector(self) -> None:
        """Open the wizard."""
        self._wiring().create()

    def view_events(self, connector: str) -> None:
        """Events of one connector."""
        events = self.window.events
        self.window.on_events(lambda: events.query.set_text(query.term("connector", connector)))

    def _make_settings(self) -> SettingsPage:
        return SettingsPage(
            self.preferences,
            str(self._home.data_dir.root),
            desk=self._settings,
            keymap=self._keymap,
            tenants=self._home.ledger.tenants,
            retention=RetentionDesk(plan=self._plan_retention, apply=self._apply_retention),
            open_folder=(lambda folder: open_folder(Path(folder))) if opener() else None,
            columns=columns_desk(self._home.data_dir, self._home.ledger, self._home.clock),
        )

    def _plan_retention(self, days: int | None, gigabytes: int | None) -> Plan:
        from pod_desktop.services import retention

        set_now = retention.limits_of(self._home.ledger)
        limits = Limits(
            set_now.days if days is None else days, set_now.gigabytes if gigabytes is None else gigabytes
        )
        found = retention.planned(self._home.data_dir, limits, self._home.clock.now())
        return Plan(retention.plan_words(found, limits), found.records)

    def _apply_retention(self) -> str:
        from pod_desktop import content
        from pod_desktop.services.retention import apply_now

        home = self._home
        return str(apply_now(home.data_dir, home.ledger, home.clock, content.read)["words"])

    # the demo

    def open_demo(self) -> None:
        """Another window on a simulated cluster; this one stays as it is."""
        subprocess.Popen(
            program("--demo"), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip

    def _start_demo(self, demo: Demo) -> None:
        def connect(connectors: Connectors, coordinates: dict[str, Any]) -> None:
            connect_demo(connectors, coordinates)
            self.secrets_changed()
            self._on_tick()

        def started(coordinates: dict[str, Any]) -> None:
            self._wiring().with_connectors(lambda connectors: connect(connectors, coordinates))

        worker = Worker("demo", self.window)
        worker.ask(demo.start, started, owner=self.window)

    # imports

    def import_files(self, paths: Sequence[Path]) -> None:
        """Hand files to the service and show how far it is."""
        from pod_desktop.services.import_jobs import CANCEL_IMPORT, IMPORT

        absolute = [str(path.expanduser().absolute()) for path in paths]
        if not absolute:
            return
        what = Path(absolute[0]).name if len(absolute) == 1 else f"{len(absolute)} files"
        panel = self.window.start_activity(f"Importing {what}"[:80])
        job = uuid.uuid4().hex
        ledger, clock = self._home.ledger, self._home.clock

        def post(command: str, **more: object) -> None:
            self._ledger_worker.ask(
                lambda: ledger.post(command, {"job": job, **more}, now=clock.now()),
                lambda _done: None,
                lambda error: panel.finish(str(error), failed=True),
                owner=panel,
            )

        watch = QTimer(panel, interval=JOB_MS)

        def told(state: dict[str, Any] | None) -> None:
            if state is None:
                panel.progress(0, 0, "Waiting for the collector service …")
            elif state["state"] == "running":
                panel.progress(round(state.get("share", 0.0) * 1_000), 1_000, state["words"])
            elif watch.isActive():
                watch.stop()
                details = state.get("details", [])
                panel.finish(state["words"], details, failed=state["state"] == "failed")

        watch.timeout.connect(
            lambda: self._ledger_worker.ask(lambda: ledger.job(job), told, owner=panel, key=job)
        )
        panel.cancelled.connect(lambda: post(CANCEL_IMPORT))
        post(IMPORT, paths=absolute)
        watch.start()

    # the end

    def _quit(self, stop_collecting: bool) -> None:
        self._ends_service = stop_collecting or self._demo is not None
        self.window.hide()
        self._loop.stop()

    async def closed(self) -> None:
        """Called when the loop ends, however that came about."""
        self._tick.stop()
        self.service.wanted = False
        if self._connectors is not None:
            self._connectors.stop()
        if self._automation is not None:
            self._automation.stop()
        if self._actions is not None:
            self._actions.stop()
        for worker in self.window.findChildren(Worker):
            worker.stop()
        self._garbage.stop()
        nothing_to_do = not any(entry.enabled for entry in self._entries)
        if self._ends_service or self._demo is not None or nothing_to_do:
            self._stop_service()
        else:
            self.service.leave()

    def _stop_service(self) -> None:
        mine = self.service.pid is not None
        if mine:
            self.service.stop(STOP_SECONDS)
        else:
            with contextlib.suppress(Fault):
                self._home.ledger.post("stop", {}, now=self._home.clock.now())


def _responders(entries: Sequence[ConnectorEntry]) -> list[tuple[object, bool]]:
    """Who may act; told apart from what changes all the time."""
    return [(entry.connector, entry.enabled) for entry in entries if isinstance(entry, RespondEntry)]
