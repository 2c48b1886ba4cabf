"""What people said about records: marks and comments, by record id, in a small file of their own.

They outlive the records' segments, retention and a rebuilt store. Imports apsw; its readers do not.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

import apsw

from pod_desktop.core.faults import Outage
from pod_desktop.store.schema import outage

NOTES_FILE: Final = "notes.db"
"""Its name within a data directory."""
COMMENT_CHARS: Final = 4_000
"""One comment; what is longer is cut."""
_SCHEMA: Final = 1
_TABLES: Final = """
create table note(record text primary key, marked integer not null, comment text not null,
    changed integer not null) without rowid;
"""


class Note(NamedTuple):
    """What is noted about one record; never without a mark or a comment."""

    record_id: str
    """`<type>:<guid or id>`."""
    marked: bool
    comment: str
    changed: int
    """Microseconds UTC."""


class Notes:
    """The notes of one data directory. Safe to use from several threads and processes; every call is short."""

    def __init__(self, path: Path) -> None:
        """Open or create the file.

        Raises:
            Outage: not usable, or made by a newer version.
        """
        self._path = path
        self._lock = threading.RLock()
        with outage(path):
            self._db = apsw.Connection(str(path))
            self._db.set_busy_timeout(5_000)
            self._db.pragma("journal_mode", "wal")
            self._db.pragma("synchronous", "full")
        with self._transaction():
            version = int(self._db.pragma("user_version"))
            if version == 0:
                self._db.execute(_TABLES)
                self._db.pragma("user_version", _SCHEMA)
            elif version > _SCHEMA:
                raise Outage(
                    f"Marks and comments were stored by a newer version (schema {version}).",
                    path.name,
                    "Update POD Desktop, or choose another directory with --data-dir.",
                )
        with outage(path):
            # data_version tells of changes by other connections only.
            self._watch = apsw.Connection(str(path))

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._watch.close()
            self._db.close()

    def version(self) -> int:
        """Changes whenever a note was committed, by whichever process."""
        with self._lock, outage(self._path):
            return int(self._watch.pragma("data_version"))

    def all(self) -> dict[str, Note]:
        """Every note, by record id."""
        return {note.record_id: note for note in self._read("")}

    def of(self, record_id: str) -> Note | None:
        """What is noted about a record."""
        return next(iter(self._read("where record = ?", record_id)), None)

    def record_ids(self) -> set[str]:
        """Records with a mark or a comment: whoever deletes records keeps these."""
        return {note.record_id for note in self._read("")}

    def mark(self, record_ids: Sequence[str], marked: bool, now: int) -> None:
        """Mark records, or take their marks away; `now` in microseconds UTC.

        Raises:
            Outage: the disk is full or failing; nothing was changed.
        """
        with self._transaction():
            self._db.executemany(
                "insert into note values(?1, ?2, '', ?3)"
                " on conflict(record) do update set marked = ?2, changed = ?3",
                [(one, int(marked), now) for one in record_ids],
            )
            self._drop_empty()

    def comment(self, record_ids: Sequence[str], words: str, now: int) -> None:
        """Say something about records; '' takes their comments away.

        Raises:
            Outage: the disk is full or failing; nothing was changed.
        """
        kept = words.strip()[:COMMENT_CHARS].encode("utf-8", "replace").decode()
        with self._transaction():
            self._db.executemany(
                "insert into note values(?1, 0, ?2, ?3)"
                " on conflict(record) do update set comment = ?2, changed = ?3",
                [(one, kept, now) for one in record_ids],
            )
            self._drop_empty()

    def _drop_empty(self) -> None:
        self._db.execute("delete from note where not marked and comment = ''")

    def _read(self, where: str, *values: Any) -> list[Note]:
        with self._lock, outage(self._path):
            rows = self._db.execute(f"select record, marked, comment, changed from note {where}", values)
            return [Note(record, bool(marked), comment, changed) for record, marked, comment, changed in rows]

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._lock, outage(self._path):
            self._db.execute("begin immediate")
            try:
                yield
            except BaseException:
                self._db.execute("rollback")
                raise
            self._db.execute("commit")
