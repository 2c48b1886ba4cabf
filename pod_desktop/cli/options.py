"""What the command line asks of the program behind it: options as values, and the doors it needs.

The command line stands below app.py and never imports it; __main__ hands the doors in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pod_desktop.core.status import StreamStatus
    from pod_desktop.services.importing import ImportProgress, ImportReport
    from pod_desktop.services.respond import Responding
    from pod_desktop.store import DataDir, Journal, Ledger
    from pod_desktop.store.port import Reader
    from pod_desktop.vault import SessionVault


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowOptions:
    """`pod-desktop [--demo] [--import FILE …]`."""

    data_dir: Path | None = None
    """None: the user's own."""
    demo: bool = False
    files: tuple[Path, ...] = ()
    """Files and folders of exported records to open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectOptions:
    """`pod-desktop collect`."""

    data_dir: Path | None = None
    names: tuple[str, ...] = ()
    """Connectors; empty: all that are enabled."""
    seconds: float | None = None
    """Stop after so long; None: go on until stopped."""
    until_caught_up: bool = False
    secrets_stdin: bool = False
    """Secrets of this session come as JSON lines on standard input, from a window."""
    until_eof: bool = False
    """Stop when standard input ends: whoever started this has gone."""
    detached: bool = False
    """Started by a window: goes on without a terminal, and outlives it."""
    metrics: int | None = None
    """Port of this computer on which Prometheus may ask; None: nobody may."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportOptions:
    """`pod-desktop import`."""

    data_dir: Path | None = None
    files: tuple[Path, ...] = ()
    """Files and folders of exported records."""


class Home(Protocol):
    """One opened data directory."""

    @property
    def data_dir(self) -> DataDir: ...

    @property
    def ledger(self) -> Ledger: ...

    @property
    def reader(self) -> Reader: ...

    @property
    def journal(self) -> Journal:
        """What was done to the lists."""
        ...

    def responding(self) -> Responding:
        """What carries actions out, on the running event loop; whoever asks for it closes it."""
        ...

    @property
    def vault(self) -> SessionVault:
        """Opened at first use, which may take a while (a keychain may ask a person)."""
        ...

    def close(self) -> None: ...


Tell = Callable[["Iterable[StreamStatus]"], None]
"""Hears the states of all streams whenever one has changed."""


class App(Protocol):
    """What app.py gives the command line; every call raises UserFault or Outage with words for people."""

    def open_home(self, data_dir: Path | None) -> Home:
        """Open a data directory for reading and for changes to its ledger."""
        ...

    def run_collect(self, options: CollectOptions, tell: Tell) -> int:
        """Run the collector service in this process until it is stopped; gives the exit code."""
        ...

    def run_import(self, options: ImportOptions, tell: Callable[[ImportProgress], None]) -> ImportReport:
        """Store exported records, whether or not a service runs on the data directory."""
        ...

    def run_window(self, options: WindowOptions) -> int:
        """Open the window; gives the exit code."""
        ...
