"""The composition root of both processes: builds every concrete thing, starts and stops it in order.

Only this module names concrete classes of the rooms below. Heavy rooms are imported where they are needed:
a command that lists connectors must not wait for the window's libraries.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
import logging.handlers
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pod_desktop.core.clock import Clock, SystemClock
from pod_desktop.core.faults import Fault, Outage
from pod_desktop.core.limits import MIB, STOP_SECONDS
from pod_desktop.core.process import have_files_enough, keep_memory_private
from pod_desktop.store import Command, DataDir, Journal, Ledger, Lock, default_root

if TYPE_CHECKING:
    from pod_desktop.cli.options import CollectOptions, ImportOptions, Tell, WindowOptions
    from pod_desktop.core.action import Action
    from pod_desktop.services.collect import CollectorService
    from pod_desktop.services.importing import ImportProgress, ImportReport
    from pod_desktop.services.metrics import Server
    from pod_desktop.services.respond import Responding
    from pod_desktop.services.scan_pool import Pool
    from pod_desktop.store.port import Reader, Writer
    from pod_desktop.vault import SessionVault

STOP: Final = "stop"
"""Command of a window: stop collecting and end."""
LOG_BYTES: Final = 2 * MIB
LOCK_TRIES: Final = 6
ACTION_GRACE_SECONDS: Final = 3.0
LOCK_PAUSE_SECONDS: Final = 0.05
_log: Final = logging.getLogger(__name__)


class Home:
    """One opened data directory; what is slow to open is opened at first use."""

    def __init__(self, data_dir: DataDir) -> None:
        self.data_dir = data_dir
        self.clock: Clock = SystemClock()
        self.ledger = Ledger(data_dir.ledger)
        self._readers: list[Reader] = []
        self._lock = threading.Lock()
        self.joins_scans = True
        """Whether threads that ask for a long scan look through records too, beside the workers; a window's do not."""

    @cached_property
    def reader(self) -> Reader:
        """The store, for one thread at a time."""
        return self.new_reader()

    def new_reader(self) -> Reader:
        """Another reader, for another thread; closed with the home."""
        from pod_desktop import store
        from pod_desktop.services import scanning

        sharing = scanning.COMMAND if self.joins_scans else scanning.WINDOW
        reader = scanning.ScanningReader(store.open_reader(self.data_dir.events), self._scans, sharing)
        with self._lock:
            self._readers.append(reader)
        return reader

    @cached_property
    def _scans(self) -> Pool:
        """The workers of long scans; none runs before one is needed."""
        from pod_desktop.services.scan_pool import Pool

        return Pool(self.data_dir.events)

    def open_writer(self) -> Writer:
        """The store for writing; whoever calls holds the service lock, and closes it."""
        from pod_desktop import store

        return store.open_writer(self.data_dir.events, clock=self.clock)

    @cached_property
    def vault(self) -> SessionVault:
        """Where secrets live. The first use may wait for the keychain, and that for a person."""
        from pod_desktop import vault
        from pod_desktop.services.connectors import profile_id

        return vault.SessionVault(vault.open_vault(os.environ, profile_id(self.ledger)))

    @cached_property
    def journal(self) -> Journal:
        """What was done to the lists, by whom and why."""
        return Journal(self.data_dir.actions)

    def responding(self, changed: Callable[[Action], None] = lambda action: None) -> Responding:
        """What carries actions out, for one event loop; whoever asks for it closes it.

        `changed` is told of every step.
        """
        from pod_desktop.services.connectors import Connectors
        from pod_desktop.services.respond import Responding
        from pod_desktop.webhook import Sender

        ledger = self.ledger
        return Responding(
            journal=self.journal,
            sender=Sender(self.clock),
            credentials=lambda connector: Connectors(ledger, self.vault, self.clock).credentials(connector),
            connectors=lambda: [entry.connector for entry in ledger.responders() if entry.enabled],
            clock=self.clock,
            changed=changed,
        )

    def use_memory_vault(self, why: str) -> None:
        """Keep all secrets in memory, before the vault is first used."""
        from pod_desktop import vault

        self.vault = vault.SessionVault(vault.MemoryVault(why))

    def close(self) -> None:
        with self._lock:
            readers, self._readers = self._readers, []
        if "_scans" in self.__dict__:
            self._scans.close()
        for reader in readers:
            reader.close()
        if "journal" in self.__dict__:
            self.journal.close()
        self.ledger.close()


def open_home(data_dir: Path | None) -> Home:
    """Open a data directory, making it if it is not there yet.

    Raises:
        Outage: not writable, full, or made by a newer version.
    """
    return Home(DataDir((data_dir or default_root()).expanduser().absolute()).open())


# the service


def run_collect(options: CollectOptions, tell: Tell) -> int:
    """Run the collector service in this process until it is stopped; 0 when all went as asked."""
    keep_memory_private()
    have_files_enough()
    home = open_home(options.data_dir)
    lock = hold_service(home.data_dir)
    try:
        with _log_to(home.data_dir.log, loud=not options.detached):
            return asyncio.run(_collect(home, options, tell))
    finally:
        lock.release()
        home.close()


def run_import(options: ImportOptions, on_progress: Callable[[ImportProgress], None]) -> ImportReport:
    """Import exported records in this process.

    Raises:
        Outage: a collector service is writing into this data directory.
    """
    from pod_desktop.services import importing

    home = open_home(options.data_dir)
    lock = hold_service(home.data_dir)
    writer = None
    try:
        writer = home.open_writer()
        return importing.import_files(options.files, writer, home.clock, on_progress)
    finally:
        if writer is not None:
            writer.close()
        lock.release()
        home.close()


def hold_service(data_dir: DataDir) -> Lock:
    """The lock of the one process that writes into this data directory's store.

    Raises:
        Outage: another process holds it.
    """
    lock = Lock(data_dir.service_lock)
    for _ in range(LOCK_TRIES):
        # A window that looks whether a service runs holds the lock for a moment.
        if (holder := lock.acquire()) is None:
            return lock
        time.sleep(LOCK_PAUSE_SECONDS)
    by = f"process {holder}" if holder else "another process"
    raise Outage(
        f"A collector service is running on this data directory already ({by}).",
        str(data_dir.root),
        "Stop that one first, or choose another directory with --data-dir.",
    )


async def _collect(home: Home, options: CollectOptions, tell: Tell) -> int:
    from pod_desktop import content
    from pod_desktop.services.collect import CollectorService
    from pod_desktop.services.collect_claims import Claims, claims_folder
    from pod_desktop.services.import_jobs import ImportJobs
    from pod_desktop.services.promoting import Promotion
    from pod_desktop.services.retention import Retention, limits_of, noted
    from pod_desktop.services.tasks import Tasks

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError):  # Windows
            loop.add_signal_handler(number, stop.set)
    if options.secrets_stdin or options.until_eof:
        _read_input(home.vault if options.secrets_stdin else None, _at_eof(loop, stop, options.until_eof))
    others: list[Callable[[Command], bool]] = []

    def obey(command: Command) -> bool:
        if command.name == STOP:
            stop.set()
            return True
        return any(knows(command) for knows in others)

    service = CollectorService(
        home.ledger,
        home.open_writer(),
        home.vault,
        home.clock,
        read=content.read,
        on_publish=tell,
        on_command=obey,
        free=lambda: shutil.disk_usage(home.data_dir.events).free,
        claims=Claims(claims_folder()),
    )
    jobs = ImportJobs(home.ledger, service.writer, home.clock)
    retention = Retention(
        home.data_dir.events,
        lambda: limits_of(home.ledger),
        noted(home.data_dir),
        service.writer.run,
        home.clock,
        read=content.read,
        tell=lambda job, state: home.ledger.put_job(job, state, now=home.clock.now()),
    )
    others += [jobs.obey, retention.obey, _forgetting(home)]
    promotion = Promotion(
        home.data_dir.events,
        home.ledger,
        home.clock,
        lambda: shutil.disk_usage(home.data_dir.events).free,
    )
    figures = _tell_figures(options.metrics, service)
    ending, tasks, writing = asyncio.Event(), Tasks("service", _log_end), asyncio.Event()
    beside = [
        tasks.spawn(retention.run(writing), "retention"),
        tasks.spawn(promotion.run(writing), "promoted fields"),
    ]

    async def end_writing() -> None:
        """Whoever else uses the writer ends before it is closed."""
        writing.set()
        await asyncio.to_thread(jobs.stop)
        await asyncio.wait(beside, timeout=STOP_SECONDS)

    tasks.spawn(_look_after_actions(home, ending), "actions")
    tasks.spawn(_look_after_responders(home, ending), "responders")
    tasks.spawn(_run_playbooks(home, ending), "playbooks")
    tasks.spawn(_tell_desktop(home, ending), "notifications")
    try:
        done = await service.run(
            stop,
            names=options.names,
            until_caught_up=options.until_caught_up,
            for_seconds=options.seconds,
            before_close=end_writing,
        )
    finally:
        ending.set()
        if figures is not None:
            await asyncio.to_thread(figures.shutdown)
            figures.server_close()
        # An action that is under way may end; one that does not in time is checked at the next start.
        if running := tasks.running:
            await asyncio.wait(running, timeout=ACTION_GRACE_SECONDS)
        await tasks.stop(1.0)
    return 0 if done else 1


def _forgetting(home: Home) -> Callable[[Command], bool]:
    """Lets go of a secret that this process was handed for the session, when its user has removed it."""
    from pod_desktop.services.connectors import FORGET

    started = home.clock.now()

    def obey(command: Command) -> bool:
        if command.name != FORGET:
            return False
        # One that waited for this start speaks of what was kept before.
        if command.at >= started:
            home.vault.session.delete(str(command.args["connector"]), str(command.args["secret"]))
        return True

    return obey


def _tell_figures(port: int | None, service: CollectorService) -> Server | None:
    if port is None:
        return None
    from pod_desktop.services import metrics

    return metrics.serve(port, service.statuses)


async def _look_after_actions(home: Home, stop: asyncio.Event) -> None:
    """Remove what is due and put right what died; a journal that cannot be used stops no collecting."""
    # In a thread: it loads the HTTP library, and the first records should not wait for that.
    expiry = await asyncio.to_thread(importlib.import_module, "pod_desktop.services.expiry")
    try:
        await expiry.run(stop, home.journal, home.responding, home.clock)
    except Fault as fault:
        _log.error("actions are not looked after: %s", fault)


async def _look_after_responders(home: Home, stop: asyncio.Event) -> None:
    """Renew what is known of each responder's health."""
    health = await asyncio.to_thread(importlib.import_module, "pod_desktop.services.health")
    connectors = await asyncio.to_thread(importlib.import_module, "pod_desktop.services.connectors")
    secrets = connectors.Connectors(home.ledger, home.vault, home.clock).secrets
    await health.HealthChecks(home.ledger, secrets, home.clock).run(stop)


async def _run_playbooks(home: Home, stop: asyncio.Event) -> None:
    """Judge what arrives by the playbooks; a file of theirs that cannot be used stops no collecting."""
    from pod_desktop import store

    automate = await asyncio.to_thread(importlib.import_module, "pod_desktop.services.automate")
    around = await asyncio.to_thread(importlib.import_module, "pod_desktop.services.surroundings")
    try:
        playbooks = store.Playbooks(home.data_dir.playbooks)
    except Fault as fault:
        _log.error("playbooks do not run: %s", fault)
        return
    respond = home.responding()
    automation = automate.Automation(
        playbooks=playbooks,
        journal=home.journal,
        open_reader=lambda: store.open_reader(home.data_dir.events),
        open_notes=lambda: store.Notes(home.data_dir.root / store.NOTES_FILE),
        respond=respond,
        connectors=lambda: [entry.connector for entry in home.ledger.responders() if entry.enabled],
        clock=home.clock,
        stop_file=home.data_dir.automation_stop,
        surroundings=lambda reader: around.surroundings(home.ledger, reader, home.clock.now()),
    )
    try:
        await automation.run(stop)
    finally:
        await respond.close()
        playbooks.close()


async def _tell_desktop(home: Home, stop: asyncio.Event) -> None:
    """Notify on the desktop, also while no window is open."""
    from pod_desktop.services.desktop import Desktop
    from pod_desktop.services.notifying import Notifying

    told = Notifying(home.ledger, home.data_dir.playbooks, Desktop(), home.clock, pid=os.getpid())
    await told.run(stop)


def _log_end(name: str, error: BaseException) -> None:
    _log.error("%s ended", name, exc_info=error)


def _at_eof(loop: asyncio.AbstractEventLoop, stop: asyncio.Event, ends: bool) -> Callable[[], None]:
    def eof() -> None:
        if ends:
            with suppress(RuntimeError):  # the loop has closed meanwhile
                loop.call_soon_threadsafe(stop.set)

    return eof


def _read_input(vault: SessionVault | None, eof: Callable[[], None]) -> None:
    """Take secrets of this session from standard input for as long as a window holds it open."""

    def take() -> None:
        for line in sys.stdin:
            try:
                if vault is not None:
                    vault.accept(line)
            except (Fault, ValueError):
                _log.warning("a line on standard input is no secret")
        eof()

    threading.Thread(target=take, name="standard input", daemon=True).start()


@contextmanager
def _log_to(path: Path, *, loud: bool) -> Iterator[None]:
    """Log to the data directory, bounded, and in the foreground to standard error too; nothing stays behind."""
    file = logging.handlers.RotatingFileHandler(path, maxBytes=LOG_BYTES, backupCount=1, delay=True)
    file.setFormatter(logging.Formatter("%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s"))
    handlers: list[logging.Handler] = [file]
    if loud:
        console = logging.StreamHandler()
        console.setLevel(logging.WARNING)
        # Sentences for people are ours; what libraries say goes to the file only.
        console.addFilter(logging.Filter("pod_desktop"))
        handlers.append(console)
    root = logging.getLogger()
    before = root.level
    root.setLevel(logging.INFO)
    # These print headers, and so keys, at their finer levels.
    for name in ("websockets", "httpx", "httpcore", "asyncio"):
        logging.getLogger(name).setLevel(logging.WARNING)
    for handler in handlers:
        root.addHandler(handler)
    try:
        yield
    finally:
        root.setLevel(before)
        for handler in handlers:
            root.removeHandler(handler)
            handler.close()


# the window


def run_window(options: WindowOptions) -> int:
    """Open the window; the exit code of the program."""
    from pod_desktop.ui.demo import Demo
    from pod_desktop.ui.session import run_session

    keep_memory_private()
    have_files_enough()
    demo = Demo() if options.demo else None
    data_dir = demo.root if demo is not None else options.data_dir
    try:
        home = open_home(data_dir)
        home.joins_scans = False
        try:
            if demo is not None:
                home.use_memory_vault("The demo keeps its keys in memory.")
            lock = hold_window(home.data_dir)
            try:
                with _log_to(home.data_dir.log, loud=False):
                    return run_session(home, files=options.files, demo=demo)
            finally:
                lock.release()
        finally:
            home.close()
    finally:
        if demo is not None:
            demo.remove()


def hold_window(data_dir: DataDir) -> Lock:
    """The lock of the one window on this data directory.

    Raises:
        Outage: another window holds it.
    """
    lock = Lock(data_dir.window_lock)
    holder = lock.acquire()
    if holder is not None:
        by = f"process {holder}" if holder else "another process"
        raise Outage(
            f"A window is open on this data directory already ({by}).",
            str(data_dir.root),
            "Use that window, or choose another directory with --data-dir.",
        )
    return lock
