"""A power cut below the database engine: what was written and never flushed is gone, in part or in whole.

While the block lasts every database of the folder goes through a layer that remembers, for each file, what is
on the disk for certain (as of its last flush) and what the system may still have held in memory, and the same
of names in the folder. `cut` makes a copy of the folder as the disk may look afterwards: of the writes since
the last flush none, some or torn ones have arrived, in any order; new, renamed and deleted names as well.
"""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from random import Random
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

import apsw

SECTOR: Final = 512
"""A disk writes a sector whole or not at all."""
_DATABASE: Final = (".db", ".db-wal", ".db-journal", ".db.making", ".db.making-wal", ".db.making-journal")
_SYNCED_BY_ENGINE: Final = ("-wal", "-journal")
"""Files whose names the engine makes durable with their first flush."""


class Image(NamedTuple):
    """One cut."""

    folder: Path
    told: Any
    """What had been acknowledged by then."""
    at: str
    """What was being done."""
    dropped: int
    """Writes that were not, or not wholly, on the disk."""


class _File:
    """What is on the disk of one file, and what may be."""

    def __init__(self, data: bytes = b"") -> None:
        self.durable = bytearray(data)
        self.pending: list[tuple[int, bytes | None]] = []
        """(offset, bytes), or (length, None) for a truncation."""
        self.named = False

    def flush(self) -> None:
        for at, data in self.pending:
            _apply(self.durable, at, data)
        self.pending.clear()

    def after_cut(self, dice: Random, manner: str) -> tuple[bytes, int]:
        data, dropped = bytearray(self.durable), 0
        for at, written in self.pending:
            if manner == "none" or (manner == "some" and dice.random() < 0.5):
                dropped += 1
            elif manner == "torn" and written is not None:
                for place in range(0, len(written), SECTOR):
                    if dice.random() < 0.6:
                        _apply(data, at + place, written[place : place + SECTOR])
                dropped += 1
            else:
                _apply(data, at, written)
        return bytes(data), dropped


def _apply(data: bytearray, at: int, written: bytes | None) -> None:
    if written is None:
        del data[at:]
        return
    if len(data) < at:
        data.extend(bytes(at - len(data)))
    data[at : at + len(written)] = written


class CutDisk(apsw.VFS):
    """`with CutDisk(folder, images, Random(1), told=…) as disk: …`; then look at `disk.cuts`."""

    def __init__(
        self, folder: Path, images: Path, dice: Random, *, told: Callable[[], Any], chance: float, most: int
    ) -> None:
        """
        Args:
            told: what has been acknowledged at this moment; asked at each cut.
            chance: of a cut at each write, flush and deletion.
            most: cuts in all.
        """
        self.below = apsw.vfs_names()[0]
        self.cuts: list[Image] = []
        self._folder, self._images, self._dice = folder, images, dice
        self._told, self._chance, self._most = told, chance, most
        self._lock = threading.RLock()
        self._by_inode: dict[int, _File] = {}
        self._names: dict[str, _File] = {}
        """Names that are in the folder for certain."""
        folder.mkdir(parents=True, exist_ok=True)
        for path in folder.iterdir():
            if path.name.endswith(_DATABASE):
                file = self._by_inode[path.stat().st_ino] = _File(path.read_bytes())
                self._names[path.name] = file
        self._fsync = os.fsync
        super().__init__("cut", self.below, makedefault=True)

    def __enter__(self) -> Self:
        os.fsync = self._noted_fsync
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.fsync = self._fsync
        self.unregister()

    def _noted_fsync(self, descriptor: Any) -> None:
        """Python's own flushes: of a file that was just made, and of the folder."""
        self._fsync(descriptor)
        found = os.fstat(descriptor)
        with self._lock:
            if stat.S_ISDIR(found.st_mode) and found.st_ino == self._folder.stat().st_ino:
                self._names = self._there()
            elif file := self._by_inode.get(found.st_ino):
                file.flush()

    def _there(self) -> dict[str, _File]:
        # Not the engine's shared memory, which it deletes in another thread without asking.
        found = {
            path.name: path.stat().st_ino for path in self._folder.iterdir() if path.name.endswith(_DATABASE)
        }
        return {name: self._by_inode[inode] for name, inode in found.items() if inode in self._by_inode}

    # The engine's calls

    def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:
        path = Path(name.filename() if isinstance(name, apsw.URIFilename) else name or "")
        if path.parent != self._folder or not path.name.endswith(_DATABASE):
            return apsw.VFSFile(self.below, name, flags)
        with self._lock:
            new = not path.exists()
            opened = CutFile(self, name, flags)
            inode = path.stat().st_ino
            if new or inode not in self._by_inode:
                self._by_inode[inode] = _File()
            opened.file, opened.name = self._by_inode[inode], path.name
        return opened

    def xDelete(self, filename: str, syncdir: bool) -> None:
        with self._lock:
            self.step(f"delete {Path(filename).name}")
            super().xDelete(filename, syncdir)
            if syncdir:
                self._names.pop(Path(filename).name, None)

    def lock(self) -> threading.RLock:
        return self._lock

    def flushed(self, name: str, file: _File) -> None:
        file.flush()
        if name.endswith(_SYNCED_BY_ENGINE) and not file.named:
            file.named = True
            self._names[name] = file

    # The cut

    def step(self, at: str) -> None:
        """Something is about to happen: perhaps the power goes."""
        if len(self.cuts) < self._most and self._dice.random() < self._chance:
            self.cut(at)

    def cut(self, at: str) -> None:
        """Make the folder as it may be found after a power cut at this moment."""
        with self._lock:
            image = self._images / f"cut-{len(self.cuts)}"
            image.mkdir(parents=True)
            now, dropped = self._there(), 0
            manner = self._dice.choice(("none", "some", "torn"))
            for name in sorted(now.keys() | self._names.keys()):
                file = self._dice.choice((now.get(name), self._names.get(name)))
                if file is not None:
                    data, missing = file.after_cut(self._dice, manner)
                    (image / name).write_bytes(data)
                    dropped += missing
            for path in self._folder.iterdir():
                # Of what is written without a flush the name may be there and its bytes not.
                if not path.name.endswith(_DATABASE) and not path.name.endswith("-shm"):
                    whole = path.read_bytes()
                    kept = self._dice.choice((None, 0, len(whole) // 2, len(whole)))
                    if kept is not None:
                        (image / path.name).write_bytes(whole[:kept])
            self.cuts.append(Image(image, self._told(), at, dropped))


class CutFile(apsw.VFSFile):
    """One file of it."""

    file: _File
    name: str

    def __init__(self, disk: CutDisk, name: Any, flags: list[int]) -> None:
        self._disk = disk
        super().__init__(disk.below, name, flags)

    def xLock(self, level: int) -> None:
        try:
            super().xLock(level)
        except apsw.IOError as error:
            raise apsw.BusyError("not to be locked") from error

    def xWrite(self, data: bytes, offset: int) -> None:
        with self._disk.lock():
            self._disk.step(f"write {self.name}")
            super().xWrite(data, offset)
            self.file.pending.append((offset, bytes(data)))

    def xTruncate(self, newsize: int) -> None:
        with self._disk.lock():
            self._disk.step(f"truncate {self.name}")
            super().xTruncate(newsize)
            self.file.pending.append((newsize, None))

    def xSync(self, flags: int) -> None:
        with self._disk.lock():
            self._disk.step(f"flush {self.name}")
            super().xSync(flags)
            self._disk.flushed(self.name, self.file)
