"""One session of the window: its pages wired to the rooms below, the service kept running, a clean end.

What takes time is done after the first paint: the keychain, the service, the demo's cluster.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, Protocol

from PySide6.QtCore import QSettings, QTimer
from PySide6.QtWidgets import QApplication, QStackedWidget, QWidget

from pod_desktop import query
from pod_desktop.core.clock import Clock
from pod_desktop.core.faults import Fault
from pod_desktop.core.status import StreamStatus
from pod_desktop.services.supervise import ServiceProcess, program, service_command
from pod_desktop.store import ConnectorEntry, DataDir, Ledger, Reader, lock_holder
from pod_desktop.ui.bridge import Worker
from pod_desktop.ui.desk import StoreDesk
from pod_desktop.ui.loop import WindowLoop
from pod_desktop.ui.moments import Zone
from pod_desktop.ui.preferences import Preferences
from pod_desktop.ui.rail import MANAGE, Page
from pod_desktop.ui.theme import Theme
from pod_desktop.ui.widgets import EmptyState
from pod_desktop.ui.window import CONNECTORS, MainWindow
from pod_desktop.vault import SessionVault

TICK_MS: Final = 500
JOB_MS: Final = 200
BEAT_SECONDS: Final = 10
"""A service not heard of for so long is taken for gone."""
STOP_SECONDS: Final = 6.0
DEMO_CONNECTOR: Final = "demo-proofpoint"


class HomePort(Protocol):
    """What a session needs of the opened data directory (app.Home)."""

    data_dir: DataDir
    ledger: Ledger
    clock: Clock

    @property
    def vault(self) -> SessionVault: ...
    def new_reader(self) -> Reader: ...


class Demo:
    """A data directory that is thrown away, and a simulated cluster that ends with this process."""

    def __init__(self) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="pod-desktop-demo-"))
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> dict[str, Any]:
        """Start the cluster; where it is and its keys. Blocks for a moment: call it on a worker."""
        self._process = subprocess.Popen(
            program("simulate", "--rate", "8", "--until-eof"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        coordinates: dict[str, Any] = json.loads(line)
        return coordinates

    def stop(self) -> None:
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(3)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()

    def remove(self) -> None:
        """Stop the cluster and forget its records."""
        self.stop()
        shutil.rmtree(self.root, ignore_errors=True)


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
        self.desk = StoreDesk(home.new_reader, home.ledger, home.clock, zone, self._serving)
        self.window = MainWindow(
            self.desk, self.preferences, self.theme, data_dir=str(home.data_dir.root), zone=zone
        )
        self._ledger_worker = Worker("ledger", self.window)
        self._vault_worker = Worker("keychain", self.window)
        self._connectors_holder: QStackedWidget | None = None
        self._connectors_page: Any = None
        self._when_open: list[Callable[[], None]] = []
        self._wire()

    def _wire(self) -> None:
        window = self.window
        window.createConnector.connect(self.create_connector)
        window.importRequested.connect(self.import_files)
        window.quitRequested.connect(self._quit)
        window.helpRequested.connect(self._show_guide)
        window.add_page(
            Page(key=CONNECTORS, group=MANAGE, title="Connectors", make=self._make_connectors_page)
        )
        self._tick = QTimer(window, interval=TICK_MS)
        self._tick.timeout.connect(self._on_tick)

    def start(self, files: Sequence[Path] = ()) -> None:
        """Show the window, and after its first paint start the rest."""
        self.window.show()
        QTimer.singleShot(0, lambda: self._after_first_paint(list(files)))

    def _after_first_paint(self, files: list[Path]) -> None:
        self._first_run()
        self._tick.start()
        self._on_tick()
        self._vault_worker.ask(lambda: self._home.vault, self._vault_opened, owner=self.window)
        if self._demo is not None:
            self._start_demo(self._demo)
        if files:
            self.import_files(files)

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

    def _read_ledger(self) -> tuple[int, list[ConnectorEntry], list[StreamStatus]] | None:
        version = self._home.ledger.version()
        if version == self._ledger_seen:
            return None
        return version, self._home.ledger.connectors(), self._home.ledger.statuses()

    def _ledger_read(self, found: tuple[int, list[ConnectorEntry], list[StreamStatus]] | None) -> None:
        if found is not None:
            self._ledger_seen, self._entries, self._statuses = found
        self._refresh_connectors()

    def _refresh_connectors(self) -> None:
        if self._connectors_page is not None:
            self._connectors_page.refresh(self._entries, self._statuses)

    def _vault_opened(self, vault: SessionVault) -> None:
        self._vault = vault
        self.service.give_secrets()
        waiting, self._when_open = self._when_open, []
        for run in waiting:
            run()

    def with_vault(self, run: Callable[[], None]) -> None:
        """Run it now, or as soon as the keychain has been opened."""
        if self._vault is not None:
            run()
        else:
            self._when_open.append(run)

    def secrets_changed(self) -> None:
        """A secret may be kept for this session only: the service must be told, if need be as our own child."""
        if self._vault is None or not list(self._vault.lines()):
            return
        if not self.service.give_secrets() and self._serving():
            # A service that somebody else started has no ear for us; one of our own takes its place.
            self._home.ledger.post("stop", {}, now=self._home.clock.now())

    # connectors

    def _connectors_service(self) -> Any:
        from pod_desktop.services.connectors import Connectors

        assert self._vault is not None
        return Connectors(self._home.ledger, self._vault, self._home.clock)

    def _make_connectors_page(self) -> QWidget:
        holder = self._connectors_holder = QStackedWidget()
        holder.addWidget(EmptyState("Opening the keychain …", "It may ask you to unlock it."))
        self.with_vault(self._fill_connectors_page)
        return holder

    def _fill_connectors_page(self) -> None:
        from pod_desktop.ui.connectors import ConnectorsPage

        holder = self._connectors_holder
        if holder is None:
            return
        page = ConnectorsPage(
            self._connectors_service(), self._vault_worker, clock=self._home.clock, zone=self.window.zone
        )
        page.createConnector.connect(self.create_connector)
        page.viewEvents.connect(self.view_events)
        page.changed.connect(self._on_tick)
        self._connectors_page = page
        holder.addWidget(page)
        holder.setCurrentWidget(page)
        self._refresh_connectors()

    def view_events(self, connector: str) -> None:
        """Events of one connector."""
        events = self.window.events
        self.window.on_events(lambda: events.query.set_text(query.term("connector", connector)))

    def create_connector(self) -> None:
        """Open the wizard."""
        self.with_vault(self._open_wizard)

    def _open_wizard(self) -> None:
        from pod_desktop.ui.connectors import open_wizard

        wizard = open_wizard(
            self._connectors_service(), self._vault_worker, self.window, clock=self._home.clock
        )
        wizard.created.connect(self._connector_created)

    def _connector_created(self, *_made: object) -> None:
        self.secrets_changed()
        self._on_tick()

    def _show_guide(self) -> None:
        from pod_desktop.ui.connectors import GuideDialog

        GuideDialog("connect", self.window).open()

    # the demo

    def open_demo(self) -> None:
        """Another window on a simulated cluster; this one stays as it is."""
        subprocess.Popen(
            program("--demo"), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip

    def _start_demo(self, demo: Demo) -> None:
        def started(coordinates: dict[str, Any]) -> None:
            self.with_vault(lambda: self._connect_demo(coordinates))

        worker = Worker("demo", self.window)
        worker.ask(demo.start, started, owner=self.window)

    def _connect_demo(self, coordinates: dict[str, Any]) -> None:
        from pod_desktop.core.connector import CollectConnector
        from pod_desktop.core.secret import Secret

        connector = CollectConnector(
            name=DEMO_CONNECTOR,
            tenant="Acme",
            cluster_id=coordinates["cluster_id"],
            content_types=("message", "maillog"),
            stream_url=coordinates["stream_url"],
        )
        self._connectors_service().create(
            connector, {"api_key": Secret(coordinates["api_keys"][0])}, session_only=True
        )
        self._connector_created()

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
        for worker in self.window.findChildren(Worker):
            worker.stop()
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
