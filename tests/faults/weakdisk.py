"""A disk that fails on order, below the database engine: no privileges needed, so it runs everywhere.

Every database that this process opens while the block lasts goes through it.
"""

from __future__ import annotations

from collections import Counter
from types import TracebackType
from typing import Any, Final, Self

import apsw

WRITES: Final = "writes"
"""The system answers EIO to a write, as of a worn-out disk."""
FLUSHES: Final = "flushes"
"""Writes seem to succeed, fsync tells that they did not."""
READ_ONLY: Final = "read-only"
"""The system has remounted the disk after an error: nothing is written, created or deleted (EROFS)."""
EVERYTHING: Final = "everything"
"""The disk is gone: nothing is read either."""
FAULTS: Final = (WRITES, FLUSHES, READ_ONLY, EVERYTHING)


class WeakDisk(apsw.VFS):
    """`with WeakDisk() as disk: … disk.fault = WRITES … disk.fault = ""`.

    Where `fault` bites, SQLite is given what it gets from the system: SQLITE_IOERR with its extended code.
    """

    def __init__(self, name: str = "weak") -> None:
        self.below = apsw.vfs_names()[0]
        self.fault = ""
        self.refused: Counter[str] = Counter()
        """By fault: how often it has bitten."""
        super().__init__(name, self.below, makedefault=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.fault = ""
        self.unregister()

    def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:
        if self.fault == EVERYTHING or (self.fault == READ_ONLY and flags[0] & apsw.SQLITE_OPEN_CREATE):
            self.refuse(apsw.CantOpenError, apsw.SQLITE_CANTOPEN)
        return WeakFile(self, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:
        self.bite({READ_ONLY, EVERYTHING}, apsw.SQLITE_IOERR_DELETE)
        super().xDelete(filename, syncdir)

    def bite(self, faults: set[str], code: int) -> None:
        """Fail if one of these faults is on."""
        if self.fault in faults:
            self.refuse(apsw.IOError, code)

    def refuse(self, kind: type[apsw.Error], code: int) -> None:
        self.refused[self.fault] += 1
        error = kind("the disk failed, as ordered")
        error.extendedresult = code
        raise error


class WeakFile(apsw.VFSFile):
    """One file of it; the shared memory of the log is not the disk's."""

    def __init__(self, disk: WeakDisk, name: Any, flags: list[int]) -> None:
        self._disk = disk
        super().__init__(disk.below, name, flags)

    def xLock(self, level: int) -> None:
        # A reader that closes asks for a lock it cannot have; the engine takes no for an answer, apsw makes
        # any failure but this one an exception.
        try:
            super().xLock(level)
        except apsw.IOError as error:
            raise apsw.BusyError("not to be locked") from error

    def xRead(self, amount: int, offset: int) -> bytes:
        self._disk.bite({EVERYTHING}, apsw.SQLITE_IOERR_READ)
        return super().xRead(amount, offset)

    def xWrite(self, data: bytes, offset: int) -> None:
        self._disk.bite({WRITES, READ_ONLY, EVERYTHING}, apsw.SQLITE_IOERR_WRITE)
        super().xWrite(data, offset)

    def xTruncate(self, newsize: int) -> None:
        self._disk.bite({WRITES, READ_ONLY, EVERYTHING}, apsw.SQLITE_IOERR_TRUNCATE)
        super().xTruncate(newsize)

    def xSync(self, flags: int) -> None:
        self._disk.bite(set(FAULTS), apsw.SQLITE_IOERR_FSYNC)
        super().xSync(flags)
