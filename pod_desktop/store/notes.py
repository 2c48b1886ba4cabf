"""What people said about records: marks and comments, by record id, in a small file of their own.

They outlive the records' segments, retention and a rebuilt store.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from pod_desktop.store.database import Database

NOTES_FILE: Final = "notes.db"
"""Its name within a data directory."""
COMMENT_CHARS: Final = 4_000
"""One comment; what is longer is cut."""
_SCHEMA: Final = 1
_TABLES: Final = """
create table note(record text primary key, marked integer not null, comment text not null,
    changed integer not null) without rowid;
"""
# Beside the schema's number: a version without this table reads and writes the rest as ever.
_CARRIED: Final = """
create table if not exists carried(source text primary key, row integer not null) without rowid;
"""


class Note(NamedTuple):
    """What is noted about one record; never without a mark or a comment."""

    record_id: str
    """`<type>:<guid or id>`."""
    marked: bool
    comment: str
    changed: int
    """Microseconds UTC."""


class Noting(NamedTuple):
    """What a playbook's row says about records."""

    row: int
    """Its number; higher ones are newer."""
    records: Sequence[str]
    marks: bool
    words: str
    """Added to the comment as a line of its own, unless that stands there."""


class Notes(Database):
    """The notes of one data directory. Safe to use from several threads and processes; every call is short."""

    _title, _schema, _tables = "The file of marks and comments", _SCHEMA, _TABLES

    def _create(self) -> None:
        super()._create()
        self._db.execute(_CARRIED)

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

    def carried(self, source: str) -> int:
        """The number of the last row of this file that was carried; 0 when none was."""
        found = self._rows("select row from carried where source = ?", source)
        return int(found[0][0]) if found else 0

    def carry(self, source: str, rows: Sequence[Noting], now: int) -> int:
        """Note what rows say, each once ever: those that were carried before are passed over.

        What people wrote stays; words are added below, as far as there is room.

        Args:
            source: The file that the rows are of.
            rows: With ascending numbers.
            now: Microseconds UTC.

        Returns:
            How many were new.

        Raises:
            Outage: the disk is full or failing; nothing was changed.
        """
        with self._transaction():
            last = self.carried(source)
            new = [one for one in rows if one.row > last]
            for one in new:
                for record in one.records:
                    self._add(record, one, now)
            if new:
                self._db.execute("insert or replace into carried values(?, ?)", (source, new[-1].row))
        return len(new)

    def _add(self, record: str, noting: Noting, now: int) -> None:
        found = self._rows("select marked, comment from note where record = ?", record)
        marked, comment = found[0] if found else (0, "")
        words = " ".join(noting.words.split()).encode("utf-8", "replace").decode()
        if words and words not in comment.splitlines():
            comment = f"{comment}\n{words}".strip()[:COMMENT_CHARS]
        if marked or noting.marks or comment:
            self._db.execute(
                "insert or replace into note values(?, ?, ?, ?)",
                (record, int(marked or noting.marks), comment, now),
            )

    def _drop_empty(self) -> None:
        self._db.execute("delete from note where not marked and comment = ''")

    def _read(self, where: str, *values: Any) -> list[Note]:
        rows = self._rows(f"select record, marked, comment, changed from note {where}", *values)
        return [Note(record, bool(marked), comment, changed) for record, marked, comment, changed in rows]
