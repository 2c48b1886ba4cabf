"""The playbooks' database: its tables, and how it is read and written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from pod_desktop.core.faults import UserFault
from pod_desktop.store.database import Database
from pod_desktop.store.playbook_rows import FiringRow, row_from_json, row_to_json

SCHEMA: Final = 1
_TABLES: Final = """
create table playbook(
    id integer primary key autoincrement, name text not null unique, folded text not null unique, definition text not null,
    state text not null, version integer not null, author text not null, created integer not null,
    changed integer not null, armed integer not null, tripped text not null, failures integer not null,
    problem text not null, last_run integer not null, counters text not null);
create table version(
    id integer primary key, playbook integer not null, version integer not null, at integer not null,
    author text not null, note text not null, definition text not null);
create index version_playbook on version(playbook);
create table cursor(one integer primary key check(one = 1), marks text not null);
create table window_record(
    playbook integer not null, key text not null, record text not null, time integer not null, seq integer not null,
    shown text not null, used integer not null, primary key(playbook, key, record)) without rowid;
create table window_key(playbook integer not null, key text not null, told integer not null,
    primary key(playbook, key)) without rowid;
create table firing(
    id integer primary key autoincrement, playbook integer not null, at integer not null, type text not null,
    outcome text not null, dry integer not null, status text not null, expires integer not null, data text not null);
create index firing_playbook on firing(playbook, at);
create index firing_status on firing(status) where status in ('waiting', 'approved', 'open');
create table noted(record text not null, firing integer not null, primary key(record, firing)) without rowid;
create table hour(playbook integer not null, hour integer not null, outcome text not null, n integer not null,
    primary key(playbook, hour, outcome)) without rowid;
create table setting(key text primary key, value text not null) without rowid;
"""


class PlaybookFile(Database):
    """One opened file. Safe to use from several threads and processes."""

    _title, _schema, _tables = "The file of playbooks", SCHEMA, _TABLES
    _decisions = 0

    def decided(self) -> tuple[int, int]:
        """Changes when a definition, a state or a decision was committed, by whichever process.

        What a service keeps by commit(), change() and ended() of this very object does not count.
        """
        with self._lock, self._errors():
            return int(self._db.pragma("data_version")), self._decisions

    @contextmanager
    def _deciding(self) -> Iterator[None]:
        with self._transaction():
            self._decisions += 1
            yield

    # rows of firings

    def _row(self, row_id: int) -> FiringRow:
        rows = self._found("where id = ?", row_id)
        if not rows:
            raise UserFault(f"There is no row {row_id}.", "row")
        return rows[0]

    def _found(self, where: str, *values: Any) -> list[FiringRow]:
        return [row_from_json(*row) for row in self._rows(f"select id, data from firing {where}", *values)]

    def _put(self, row: FiringRow) -> None:
        self._db.execute(
            "update firing set status = ?, expires = ?, data = ? where id = ?",
            (row.status, row.expires, row_to_json(row), row.id),
        )
