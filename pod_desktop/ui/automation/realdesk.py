"""The automation desk over the real rooms: the playbooks' file, settings, journal and store.

Opened at first use, on the worker thread that asks; each thread has a store's reader of its own. The rooms of
responding are loaded late, so that a window without playbooks starts without them.
"""

from __future__ import annotations

import getpass
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from pod_desktop import content
from pod_desktop.core.clock import DAY, Clock
from pod_desktop.core.faults import Fault, Outage, Unwanted, UserFault
from pod_desktop.core.playbook import NOTIFY, ON, Playbook, playbook_to_file
from pod_desktop.core.playbook_limits import ACT
from pod_desktop.core.record import EventRow
from pod_desktop.core.settings import NOTIFICATIONS
from pod_desktop.services.settings import Settings
from pod_desktop.store import (
    Ask,
    DataDir,
    FiringRow,
    Journal,
    Ledger,
    PlaybookEntry,
    Playbooks,
    Reader,
    Version,
)
from pod_desktop.ui.automation.desk import Range, Seen, Setup

if TYPE_CHECKING:
    from pod_desktop.core.responder import RespondConnector
    from pod_desktop.services.backtest import Report
    from pod_desktop.services.playbooks import Template
    from pod_desktop.services.sigma import Converted
    from pod_desktop.ui.bridge import Job

HOURS_SHOWN: Final = 7 * DAY
ROWS_SHOWN: Final = 200
NOTIFIED: Final = 50
SAMPLE_SECONDS: Final = 0.5
"""A record to complete by is looked for so long; then any will do."""
TELL_SECONDS: Final = 0.15


class HomePort(Protocol):
    """What is needed of the opened data directory (app.Home)."""

    data_dir: DataDir
    ledger: Ledger
    clock: Clock

    @property
    def journal(self) -> Journal: ...
    def new_reader(self) -> Reader: ...


def login() -> str:
    """Who sits here."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "unknown"


class StoppableReader:
    """A reader whose searches end as soon as nobody waits for them any more, matches or not."""

    def __init__(self, reader: Reader, wanted: Callable[[], bool]) -> None:
        self._reader = reader
        self._wanted = wanted

    def search(self, ask: Ask, **more: Any) -> Iterator[EventRow]:
        return self._reader.search(replace(ask, wanted=self._wanted), **more)

    def count(self, ask: Ask) -> int:
        return self._reader.count(replace(ask, wanted=self._wanted))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reader, name)


class StoreAutomation:
    """AutomationDesk of the program."""

    def __init__(self, home: HomePort) -> None:
        self._home = home
        self._opening = threading.Lock()
        self._file: Playbooks | None = None
        self._local = threading.local()

    @property
    def stop_file(self) -> Path:
        return self._home.data_dir.automation_stop

    def close(self) -> None:
        """Let go of the playbooks' file."""
        with self._opening:
            if self._file is not None:
                self._file.close()
                self._file = None

    @property
    def _playbooks(self) -> Playbooks:
        with self._opening:
            if self._file is None:
                self._file = Playbooks(self._home.data_dir.playbooks)
            return self._file

    @property
    def _reader(self) -> Reader:
        reader: Reader | None = getattr(self._local, "reader", None)
        if reader is None:
            reader = self._local.reader = self._home.new_reader()
        return reader

    # how all is

    def see(self, last: object) -> tuple[object, Seen] | None:
        by_file = self.stop_file.exists()
        if self._file is None and not self._home.data_dir.playbooks.exists():
            # Nobody has ever had a playbook here: looking makes no file.
            mark: object = -1, by_file
            return (
                None
                if mark == last
                else (mark, Seen(stopped=self._stopped(True) if by_file else "", by_file=by_file))
            )
        playbooks = self._playbooks
        mark = playbooks.version(), by_file
        if mark == last:
            return None
        entries = playbooks.entries()
        since = self._home.clock.now() - HOURS_SHOWN
        return mark, Seen(
            entries=entries,
            hours={entry.id: self._hours(entry, since) for entry in entries},
            held=playbooks.held(),
            notified=playbooks.rows(type=NOTIFY, outcome=ACT, limit=NOTIFIED),
            stopped=self._stopped(by_file),
            by_file=by_file,
        )

    def _hours(self, entry: PlaybookEntry, since: int) -> list[tuple[int, str, int]]:
        try:
            return self._playbooks.hours(entry.playbook.name, since)
        except UserFault:  # removed by somebody a moment ago
            return []

    def _stopped(self, by_file: bool) -> str:
        if by_file:
            return f"The file {self.stop_file} is there."
        by = self._playbooks.stopped()
        return f"{by} stopped them." if by else ""

    def claim_told(self, newest: int) -> int:
        if not Settings(self._home.ledger).get(NOTIFICATIONS):
            return newest
        return self._playbooks.claim_told(newest)

    def setup(self) -> Setup:
        from pod_desktop.services.playbooks import lets_through

        ledger = self._home.ledger
        return Setup(
            tenants=ledger.tenants(),
            responders=[one for one in self._responders() if not lets_through(one)],
        )

    def _responders(self, *, all: bool = False) -> list[RespondConnector]:
        return [entry.connector for entry in self._home.ledger.responders() if entry.enabled or all]

    # one playbook, before it is kept

    def sample(self, query: str, kinds: Sequence[str]) -> Mapping[str, object]:
        from pod_desktop.services.asking import ask

        now = self._home.clock.now()
        for text in (query, ""):
            until = time.monotonic() + SAMPLE_SECONDS
            try:
                asked = replace(ask(text, now=now, kinds=kinds), wanted=_before(until))
                for row in self._reader.search(asked, limit=1):
                    value = content.document(self._reader.raw(row.seq)).value
                    if isinstance(value, dict):
                        return value
            except (Fault, KeyError):
                continue
        return {}

    def check(self, playbook: Playbook) -> None:
        from pod_desktop.services.playbooks import check

        check(playbook, self._home.clock.now(), self._responders(all=True))

    def warnings(self, playbook: Playbook) -> Sequence[str]:
        from pod_desktop.services.playbooks import warnings

        return warnings(playbook, self._responders())

    def try_out(
        self, playbook: Playbook, wanted: Range, job: Job, told: Callable[[Report], None]
    ) -> Report | None:
        from pod_desktop.services.playbooks import try_out
        from pod_desktop.services.surroundings import surroundings

        now = self._home.clock.now()
        reader: Any = StoppableReader(self._reader, lambda: not job.cancelled)
        since, until = self._bounds(wanted, now)
        try:
            report = try_out(
                playbook,
                reader=reader,
                connectors=self._responders(),
                surroundings=surroundings(self._home.ledger, reader, now),
                journal=self._home.journal,
                now=now,
                since=since,
                until=until,
                on_progress=_Telling(told).tell,
                cancelled=lambda: job.cancelled,
            )
        except Unwanted:
            return None
        return None if job.cancelled else report

    def run_on_history(self, name: str, report: Report) -> int:
        from pod_desktop.services.playbooks import run_on_history

        return run_on_history(self._playbooks, name, report, by=login(), now=self._home.clock.now())

    def _bounds(self, wanted: Range, now: int) -> tuple[int, int]:
        until = now + 1 if wanted.until is None else wanted.until
        if wanted.span is not None:
            return now - wanted.span, until
        if wanted.since is not None:
            return wanted.since, until
        totals = self._reader.totals()
        since = min(until - 1, now if totals.oldest is None else totals.oldest)
        return since, max(until, totals.newest + 1 if totals.newest is not None else 0)

    # definitions

    def templates(self) -> Sequence[Template]:
        from pod_desktop.services.playbooks import templates

        return templates()

    def add(self, playbook: Playbook, *, state: str) -> PlaybookEntry:
        return self._playbooks.add(playbook, author=login(), now=self._home.clock.now(), state=state)

    def update(self, name: str, playbook: Playbook) -> PlaybookEntry:
        return self._playbooks.update(name, playbook, author=login(), now=self._home.clock.now())

    def set_state(self, name: str, state: str) -> PlaybookEntry:
        if state == ON:
            self.check(self._playbooks.entry(name).playbook)
        return self._playbooks.set_state(name, state, by=login(), now=self._home.clock.now())

    def remove(self, name: str) -> PlaybookEntry:
        return self._playbooks.remove(name)

    def history(self, name: str) -> Sequence[Version]:
        return self._playbooks.history(name)

    def rows(self, name: str) -> Sequence[FiringRow]:
        return self._playbooks.rows(name=name, limit=ROWS_SHOWN)

    def read_file(self, path: Path) -> Playbook:
        from pod_desktop.services.playbooks import read_playbook_file

        return read_playbook_file(path, connectors=self._responders(all=True))

    def read_sigma(self, path: Path) -> Converted:
        from pod_desktop.services.sigma_file import read_sigma_file

        return read_sigma_file(path)

    def write_file(self, playbook: Playbook, path: Path) -> None:
        text = json.dumps(playbook_to_file(playbook), indent=2, ensure_ascii=False) + "\n"
        part = path.with_name(path.name + ".part")
        try:
            part.write_text(text, encoding="utf-8")
            part.replace(path)
        except OSError as error:
            part.unlink(missing_ok=True)
            raise Outage(
                f"The file cannot be written ({error.strerror}).", str(path), "Choose another place."
            ) from None

    # decisions

    def approve(self, row_id: int, confirmed: str = "") -> FiringRow:
        return self._playbooks.approve(row_id, by=login(), confirmed=confirmed)

    def dismiss(self, row_id: int) -> FiringRow:
        return self._playbooks.dismiss(row_id, by=login())

    def stop(self) -> None:
        self._playbooks.stop(by=login(), now=self._home.clock.now())

    def go(self) -> None:
        try:
            self.stop_file.unlink(missing_ok=True)
        except OSError as error:
            raise Outage(
                f"The file cannot be removed ({error.strerror}).", str(self.stop_file), "Remove it by hand."
            ) from None
        self._playbooks.go()


def _before(moment: float) -> Callable[[], bool]:
    return lambda: time.monotonic() < moment


class _Telling:
    """Passes on what a backtest has found so far, now and then, as a copy that does not change.

    The more there is, the longer it takes to copy and to count: it never gets more than a tenth of the time.
    """

    def __init__(self, told: Callable[[Report], None]) -> None:
        self._told = told
        self._next = time.monotonic() + TELL_SECONDS

    def tell(self, report: Report) -> None:
        now = time.monotonic()
        if now >= self._next:
            self._told(
                replace(
                    report,
                    firings=list(report.firings),
                    outcomes=report.outcomes.copy(),
                    keys=report.keys.copy(),
                )
            )
            told = time.monotonic()
            self._next = told + max(TELL_SECONDS, 10 * (told - now))
