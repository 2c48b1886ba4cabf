"""The ledger: connectors, what collectors say of themselves, commands between processes, settings.

One small SQLite file that windows, commands and the service share. Definitions are committed with
synchronous=FULL; status rows, which are renewed every moment, are not worth an fsync.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import apsw

from pod_desktop.core.clock import DAY
from pod_desktop.core.connector import CollectConnector
from pod_desktop.core.definition import Connector, connector_from_file, connector_to_file
from pod_desktop.core.faults import UserFault
from pod_desktop.core.responder import ALL_TENANTS, RespondConnector
from pod_desktop.core.settings import TENANTS
from pod_desktop.core.status import StreamStatus
from pod_desktop.store.database import Database

SCHEMA: Final = 1
_TOLD: Final = "told"
_TABLES: Final = """
create table connector(
    id integer primary key, name text not null unique collate nocase, definition text not null,
    enabled integer not null, created integer not null, changed integer not null);
create table status(connector text not null, kind text not null, at integer not null, status text not null,
    primary key(connector, kind)) without rowid;
create table service(one integer primary key check(one = 1), pid integer, started integer, beat integer, version text);
create table command(id integer primary key autoincrement, name text not null, args text not null, at integer not null);
create table job(id text primary key, at integer not null, state text not null) without rowid;
create table setting(key text primary key, value text not null) without rowid;
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectorEntry:
    """A connector of either kind as the ledger keeps it."""

    connector: Connector
    enabled: bool
    created: int
    """Microseconds UTC."""
    changed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectEntry(ConnectorEntry):
    """An entry with the function Collect."""

    connector: CollectConnector


@dataclass(frozen=True, slots=True, kw_only=True)
class RespondEntry(ConnectorEntry):
    """An entry with the function Respond."""

    connector: RespondConnector


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceInfo:
    """The collector service's sign of life."""

    pid: int
    started: int
    beat: int
    """Microseconds UTC of the last heartbeat."""
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """Something a window asks of the service."""

    name: str
    args: dict[str, Any]
    at: int


class Ledger(Database):
    """The ledger file. Safe to use from several threads; every call is short."""

    _title, _schema, _tables = "The ledger", SCHEMA, _TABLES

    # connectors

    def connectors(self) -> list[ConnectorEntry]:
        """All connectors in the order of creation."""
        rows = self._rows("select definition, enabled, created, changed from connector order by id")
        return [_entry(*row) for row in rows]

    def collectors(self) -> list[CollectEntry]:
        """The connectors that collect, in the order of creation."""
        return [entry for entry in self.connectors() if isinstance(entry, CollectEntry)]

    def responders(self) -> list[RespondEntry]:
        """The connectors that respond, in the order of creation."""
        return [entry for entry in self.connectors() if isinstance(entry, RespondEntry)]

    def tenants(self) -> list[str]:
        """Tenants named in the settings or used by a connector, by name; not All Tenants."""
        named = self.setting(TENANTS) or []
        used = [entry.connector.tenant for entry in self.connectors()]
        found: dict[str, str] = {}
        for tenant in [*named, *used]:
            if tenant != ALL_TENANTS:
                found.setdefault(tenant.casefold(), tenant)
        return sorted(found.values(), key=str.casefold)

    def connector(self, name: str) -> ConnectorEntry:
        """The connector of that name, whatever its case.

        Raises:
            UserFault: there is none; the words name those that are.
        """
        rows = self._rows("select definition, enabled, created, changed from connector where name = ?", name)
        if not rows:
            names = ", ".join(entry.connector.name for entry in self.connectors()) or "none yet"
            raise UserFault(f"There is no connector named {name!r}.", "name", f"Connectors: {names}.")
        return _entry(*rows[0])

    def add_connector(self, connector: Connector, *, now: int, enabled: bool = True) -> None:
        """Raises UserFault when the name is taken."""
        self.add_connectors([(connector, enabled)], now=now)

    def add_connectors(self, added: Sequence[tuple[Connector, bool]], *, now: int) -> None:
        """Add several, each enabled or not: all of them, or none.

        Raises:
            UserFault: a name is taken.
        """
        name = ""
        try:
            with self._transaction():
                for connector, enabled in added:
                    name = connector.name
                    self._db.execute(
                        "insert into connector(name, definition, enabled, created, changed) values(?,?,?,?,?)",
                        (name, json.dumps(connector_to_file(connector)), enabled, now, now),
                    )
        except apsw.ConstraintError:
            raise UserFault(
                f"A connector named {name} exists already.", "name", "Choose another name."
            ) from None

    def update_connector(self, connector: Connector, *, now: int) -> None:
        """Replace the definition of the connector of that name; raises UserFault when there is none."""
        self.update_connectors([connector], now=now)

    def update_connectors(self, connectors: Sequence[Connector], *, now: int) -> None:
        """Replace the definitions of several connectors: all or none. Raises UserFault as connector()."""
        for connector in connectors:
            self.connector(connector.name)
        with self._transaction():
            for connector in connectors:
                self._db.execute(
                    "update connector set definition = ?, changed = ? where name = ?",
                    (json.dumps(connector_to_file(connector)), now, connector.name),
                )

    def set_enabled(self, name: str, enabled: bool, *, now: int) -> None:
        """Raises UserFault when there is no such connector."""
        self.connector(name)
        self._write("update connector set enabled = ?, changed = ? where name = ?", (enabled, now, name))

    def remove_connector(self, name: str) -> None:
        """Forget the connector and its status; its records stay. Raises UserFault when there is none."""
        name = self.connector(name).connector.name
        with self._transaction():
            self._db.execute("delete from connector where name = ?", (name,))
            self._db.execute("delete from status where connector = ?", (name,))

    # what the service says

    def put_statuses(self, statuses: list[StreamStatus], *, now: int) -> None:
        """Publish states of streams; replaces what was said of them before."""
        with self._passing():
            self._db.executemany(
                "insert or replace into status(connector, kind, at, status) values(?,?,?,?)",
                [(s.connector, s.kind, now, json.dumps(s.to_json())) for s in statuses],
            )

    def statuses(self) -> list[StreamStatus]:
        """What every stream last said, by connector and content type."""
        rows = self._rows("select status from status order by connector, kind")
        return [StreamStatus.from_json(json.loads(text)) for (text,) in rows]

    def drop_status(self, connector: str, kind: str) -> None:
        """Forget the state of a stream that is no more."""
        self._write("delete from status where connector = ? and kind = ?", (connector, kind))

    def put_service(self, info: ServiceInfo | None) -> None:
        """The service's sign of life; None when it has stopped."""
        with self._passing():
            self._db.execute("delete from service")
            if info is not None:
                self._db.execute(
                    "insert into service(one, pid, started, beat, version) values(1,?,?,?,?)",
                    (info.pid, info.started, info.beat, info.version),
                )

    def service(self) -> ServiceInfo | None:
        rows = self._rows("select pid, started, beat, version from service")
        if not rows:
            return None
        pid, started, beat, version = rows[0]
        return ServiceInfo(pid=pid, started=started, beat=beat, version=version)

    # what windows ask

    def post(self, name: str, args: Mapping[str, Any], *, now: int) -> None:
        """Ask something of the service."""
        self._write("insert into command(name, args, at) values(?,?,?)", (name, json.dumps(dict(args)), now))

    def take_commands(self) -> list[Command]:
        """All commands not yet taken, oldest first; each is given once."""
        if not self._rows("select 1 from command limit 1"):
            return []
        with self._transaction():
            rows = list(self._db.execute("select name, args, at from command order by id"))
            self._db.execute("delete from command")
        return [Command(name=name, args=json.loads(args), at=at) for name, args, at in rows]

    # long work that the service does for a window

    def put_job(self, job_id: str, state: Mapping[str, Any], *, now: int) -> None:
        """Publish how far a job is; jobs not heard of for a day are forgotten."""
        with self._passing():
            self._db.execute("delete from job where at < ?", (now - DAY,))
            self._db.execute(
                "insert or replace into job(id, at, state) values(?,?,?)",
                (job_id, now, json.dumps(dict(state))),
            )

    def job(self, job_id: str) -> dict[str, Any] | None:
        """What a job last said; None before it began or long after it ended."""
        rows = self._rows("select state from job where id = ?", job_id)
        return dict(json.loads(rows[0][0])) if rows else None

    # settings

    def setting(self, key: str, default: Any = None) -> Any:
        """A setting's JSON value."""
        rows = self._rows("select value from setting where key = ?", key)
        return json.loads(rows[0][0]) if rows else default

    def set_setting(self, key: str, value: Any) -> None:
        self._write("insert or replace into setting(key, value) values(?,?)", (key, json.dumps(value)))

    # what is told on the desktop, by a window or by the service

    def claim(self, what: str, *, now: int, every: int) -> bool:
        """Whether the caller is to tell this: true for one caller in `every` microseconds, in whatever process."""
        with self._passing():
            rows = self._rows("select value from setting where key = ?", _TOLD)
            told = (
                {key: at for key, at in json.loads(rows[0][0]).items() if abs(now - at) < DAY} if rows else {}
            )
            if abs(now - told.get(what, now - every)) < every:
                return False
            told[what] = now
            self._db.execute(
                "insert or replace into setting(key, value) values(?,?)", (_TOLD, json.dumps(told))
            )
            return True

    # the file

    def _write(self, sql: str, values: tuple[Any, ...]) -> None:
        with self._transaction():
            self._db.execute(sql, values)

    @contextmanager
    def _passing(self) -> Iterator[None]:
        """A transaction for what the next beat says again: it need not outlive a power cut."""
        with self._lock, self._errors():
            self._db.pragma("synchronous", "normal")
            try:
                with self._transaction():
                    yield
            finally:
                self._db.pragma("synchronous", "full")


def _entry(definition: str, enabled: int, created: int, changed: int) -> ConnectorEntry:
    connector = connector_from_file(json.loads(definition))
    if isinstance(connector, CollectConnector):
        return CollectEntry(connector=connector, enabled=bool(enabled), created=created, changed=changed)
    return RespondEntry(connector=connector, enabled=bool(enabled), created=created, changed=changed)
