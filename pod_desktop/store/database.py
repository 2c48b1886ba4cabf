"""A small database file beside the records: opened, versioned, locked, in whole transactions. Imports apsw."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar, Final

import apsw

from pod_desktop.core.faults import Outage
from pod_desktop.store.schema import outage, transaction

BUSY_MS: Final = 10_000
"""How long another process's transaction is waited for."""


class Database:
    """One opened file. Safe to use from several threads and processes; every call is short."""

    _title: ClassVar[str]
    """As a sentence about it begins: "The journal of actions"."""
    _schema: ClassVar[int]
    _tables: ClassVar[str]

    def __init__(self, path: Path) -> None:
        """Open or create it.

        Raises:
            Outage: another kind of file, of a newer version, or not usable.
        """
        self._path = path
        self._lock = threading.RLock()
        with self._errors():
            self._db = apsw.Connection(str(path))
            self._db.set_busy_timeout(BUSY_MS)
            self._db.pragma("journal_mode", "wal")
            self._db.pragma("synchronous", "full")
        with self._transaction():
            self._create()
        with self._errors():
            # data_version tells of changes by other connections only: so what watches has one of its own.
            self._watch = apsw.Connection(str(path))
            self._watch.set_busy_timeout(BUSY_MS)
            self._watch.pragma("query_only", True)

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._watch.close()
            self._db.close()

    def version(self) -> int:
        """Changes whenever anything in the file has been committed, by whichever process."""
        with self._lock, self._errors():
            return int(self._watch.pragma("data_version"))

    def _create(self) -> None:
        found = int(self._db.pragma("user_version"))
        if found == 0 and not list(self._db.execute("select 1 from sqlite_schema limit 1")):
            self._db.execute(self._tables)
            self._db.pragma("user_version", self._schema)
        elif found == 0:
            raise Outage(
                f"{self._title} is another program's database.",
                str(self._path),
                "Move the file away, or choose another directory with --data-dir.",
            )
        elif found > self._schema:
            raise Outage(
                f"{self._title} was made by a newer version (schema {found}, this program knows {self._schema}).",
                str(self._path),
                "Update POD Desktop, or choose another directory with --data-dir.",
            )

    def _rows(self, sql: str, *values: Any) -> list[Any]:
        with self._lock, self._errors():
            return list(self._db.execute(sql, values))

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """All of it, on the disk, or nothing; within one that is under way, a part of that."""
        with self._lock, self._errors():
            if self._db.in_transaction:
                yield
            else:
                with transaction(self._db):
                    yield

    @contextmanager
    def _errors(self) -> Iterator[None]:
        with outage(self._path, self._title):
            try:
                yield
            except (apsw.CorruptError, apsw.NotADBError) as error:
                raise Outage(
                    f"{self._title} is damaged or is no database.",
                    str(self._path),
                    "Restore it from a backup, or choose another directory with --data-dir.",
                ) from error
