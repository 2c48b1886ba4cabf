"""The data directory: where everything is, who may use it, and one holder at a time."""

from __future__ import annotations

import os
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

import platformdirs

from pod_desktop.core.faults import Outage

LAYOUT: Final = 1
"""Version of the layout; a directory with a higher number was made by a newer program."""
MARKER: Final = "pod-desktop.version"


def default_root() -> Path:
    """Where this user's data belongs on this system."""
    return Path(platformdirs.user_data_dir("pod-desktop", appauthor=False))


@dataclass(frozen=True, slots=True)
class DataDir:
    """The files of one data directory. open() makes and checks it."""

    root: Path

    @property
    def ledger(self) -> Path:
        """Connectors, settings, state: small, precious."""
        return self.root / "ledger.db"

    @property
    def events(self) -> Path:
        """The event store's folder."""
        return self.root / "events"

    @property
    def actions(self) -> Path:
        """The journal of actions: what was done to the lists, by whom and why."""
        return self.root / "actions.db"

    @property
    def playbooks(self) -> Path:
        """Playbooks, their versions and what they did."""
        return self.root / "playbooks.db"

    @property
    def automation_stop(self) -> Path:
        """While this file exists no playbook does anything."""
        return self.root / "automation.stop"

    @property
    def log(self) -> Path:
        return self.root / "pod-desktop.log"

    @property
    def service_lock(self) -> Path:
        return self.root / "service.lock"

    @property
    def window_lock(self) -> Path:
        return self.root / "window.lock"

    def open(self) -> DataDir:
        """Make what is missing and check that this program can work here.

        Raises:
            Outage: not a directory, not writable, full, or made by a newer version.
        """
        try:
            self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._check_layout()
            self.events.mkdir(exist_ok=True)
            with tempfile.TemporaryFile(dir=self.root) as probe:
                probe.write(b"\0" * 4096)
                probe.flush()
                os.fsync(probe.fileno())
        except OSError as error:
            raise self._outage(error) from None
        return self

    def _check_layout(self) -> None:
        marker = self.root / MARKER
        try:
            text = marker.read_text(encoding="ascii", errors="replace").strip()
        except FileNotFoundError:
            marker.write_text(f"{LAYOUT}\n", encoding="ascii")
            return
        # An empty marker is what a kill or a full disk between create and write leaves behind.
        if not text:
            marker.write_text(f"{LAYOUT}\n", encoding="ascii")
        elif not text.isdigit() or int(text) > LAYOUT:
            raise Outage(
                f"This data directory was made by a newer version (layout {text[:20]}, this program knows {LAYOUT}).",
                str(self.root),
                "Update POD Desktop, or choose another directory with --data-dir.",
            )

    def _outage(self, error: OSError) -> Outage:
        import errno

        words = {
            errno.ENOSPC: ("The disk is full.", "Free some space, or choose another directory with --data-dir."),
            errno.EDQUOT: ("Your disk quota is used up.", "Free some space, or choose another directory with --data-dir."),
            errno.ENOTDIR: ("This is a file, not a directory.", "Choose a directory with --data-dir."),
            errno.EEXIST: ("This is a file, not a directory.", "Choose a directory with --data-dir."),
        }  # fmt: skip
        what, hint = words.get(
            error.errno or 0,
            (
                f"The data directory cannot be written ({error.strerror or error}).",
                "Check its permissions, or choose another directory with --data-dir.",
            ),
        )
        return Outage(what, str(self.root), hint)


class Lock:
    """A lock that ends with its process, however that ends. Holds the holder's process id as text."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[str] | None = None

    def acquire(self) -> int | None:
        """Take the lock.

        Returns:
            None when it is ours now; else the process id of the holder (0 if not readable).
        """
        file = self._path.open("a+", encoding="ascii")
        if not _try_lock(file):
            with file:
                file.seek(0)
                text = file.read().strip()
            return int(text) if text.isdigit() else 0
        file.seek(0)
        file.truncate()
        file.write(f"{os.getpid()}\n")
        file.flush()
        self._file = file
        return None

    def release(self) -> None:
        if self._file is not None:
            with suppress(OSError):
                self._file.truncate(0)
            self._file.close()
            self._file = None


def lock_holder(path: Path) -> int | None:
    """Process id that holds the lock (0 if not readable), or None when it is free. Takes nothing."""
    if not path.exists():
        return None
    lock = Lock(path)
    holder = lock.acquire()
    if holder is None:
        lock.release()
    return holder


if sys.platform == "win32":
    import msvcrt

    def _try_lock(file: IO[str]) -> bool:
        # A byte far behind the text, so that others can read the process id.
        file.seek(1 << 20)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _try_lock(file: IO[str]) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True
