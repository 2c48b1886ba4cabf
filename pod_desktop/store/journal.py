"""The journal of actions: append-only, hash-chained, and a table of how each action stands now.

Every change is an event whose hash covers the event and the hash before it: a changed, missing or moved
row breaks the chain from there on, and verify() names the first. The table of current states is derived.
"""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any, Final

import apsw

from pod_desktop.core.action import STATUSES, Action, Entry, Request
from pod_desktop.core.faults import Outage, UserFault

SCHEMA: Final = 1
_TABLES: Final = """
create table event(seq integer primary key, action text not null, at integer not null, change text not null, hash text not null);
create index event_action on event(action);
create table action(id text primary key, status text not null, expires integer not null, state text not null) without rowid;
create index action_status on action(status);
create index action_expires on action(expires) where expires > 0;
"""
_FIRST: Final = "0" * 64
_FIELDS: Final = frozenset(field.name for field in fields(Action))


class Journal:
    """The journal's file. Safe to use from several threads and processes."""

    def __init__(self, path: Path) -> None:
        """Open or create it.

        Raises:
            Outage: no journal, of a newer version, or not usable.
        """
        self._path = path
        self._lock = threading.RLock()
        with self._errors():
            self._db = apsw.Connection(str(path))
            self._db.set_busy_timeout(10_000)
            self._db.pragma("journal_mode", "wal")
            self._db.pragma("synchronous", "full")
            self._watch = apsw.Connection(str(path))
            with self._transaction():
                version = int(self._db.pragma("user_version"))
                if version == 0:
                    self._db.execute(_TABLES)
                    self._db.pragma("user_version", SCHEMA)
                elif version > SCHEMA:
                    raise Outage(
                        f"The journal of actions was made by a newer version (schema {version}).",
                        str(path),
                        "Update POD Desktop, or choose another directory with --data-dir.",
                    )

    def close(self) -> None:
        with self._lock:
            self._watch.close()
            self._db.close()

    def version(self) -> int:
        """Changes with every commit of any process."""
        with self._lock, self._errors():
            return int(self._watch.pragma("data_version"))

    def begin(self, action: Action) -> None:
        """Commit the intent, durably, before the first byte is sent.

        Raises:
            UserFault: an action of this id exists: nothing is begun twice.
        """
        with self._transaction():
            if list(self._db.execute("select 1 from action where id = ?", (action.id,))):
                raise UserFault("This action has been begun already.", action.id)
            self._append(action.id, action.time, _to_json(action))
            self._put(action)

    def change(self, action_id: str, *, at: int, expect: str | None = None, **changes: Any) -> Action:
        """Append a change and return the action as it now stands.

        `expect` is the status that it must have: of two processes that want the same step one gets it.

        Raises:
            UserFault: no such action, or its status is not the expected one.
        """
        unknown = set(changes) - _FIELDS
        if unknown or changes.get("status", STATUSES[0]) not in STATUSES:
            raise ValueError(f"not fields of an action: {unknown or changes}")
        with self._transaction():
            action = self._get(action_id)
            if expect is not None and action.status != expect:
                raise UserFault(f"The action is {action.status} by now.", action_id, "Look at it again.")
            action = replace(action, **changes)
            self._append(action_id, at, {key: _plain(value) for key, value in changes.items()})
            self._put(action)
            return action

    def action(self, action_id: str) -> Action:
        """Raises UserFault when there is none; a beginning that fits one only will do."""
        with self._lock, self._errors():
            return self._get(action_id)

    def actions(
        self, *, statuses: tuple[str, ...] = (), limit: int = 100_000, since: int = 0
    ) -> list[Action]:
        """Newest first; with `since` (microseconds UTC) only what began then or later: ids ascend with time."""
        marks = ",".join("?" * len(statuses))
        where = f"and status in ({marks})" if statuses else ""
        with self._lock, self._errors():
            rows = list(
                self._db.execute(
                    f"select state from action where id >= ? {where} order by id desc limit ?",
                    (f"{since:016x}" if since > 0 else "", *statuses, limit),
                )
            )
        return [_from_json(json.loads(state)) for (state,) in rows]

    def due(self, now: int) -> list[Action]:
        """Actions whose time to be taken back has come, oldest first."""
        with self._lock, self._errors():
            rows = list(
                self._db.execute(
                    "select state from action where expires > 0 and expires <= ? and status = 'succeeded' order by expires",
                    (now,),
                )
            )
        return [_from_json(json.loads(state)) for (state,) in rows]

    def events(self, action_id: str) -> list[tuple[int, dict[str, Any]]]:
        """(microseconds UTC, change) of one action, oldest first."""
        with self._lock, self._errors():
            rows = list(
                self._db.execute("select at, change from event where action = ? order by seq", (action_id,))
            )
        return [(at, json.loads(change)) for at, change in rows]

    def verify(self) -> list[str]:
        """What is wrong with the chain or with the table derived from it; empty when nothing is."""
        problems: list[str] = []
        states: dict[str, Action] = {}
        before = _FIRST
        expected = 1
        with self._lock, self._errors():
            for seq, action_id, at, change, mark in self._db.execute(
                "select seq, action, at, change, hash from event order by seq"
            ):
                if seq != expected:
                    problems.append(f"Action history: event {expected} is missing.")
                    break
                if mark != _hash(before, action_id, at, change):
                    problems.append(f"Action history: event {seq} (action {action_id}) was changed.")
                    break
                before, expected = mark, seq + 1
                fields_changed = json.loads(change)
                if action_id in states:
                    states[action_id] = replace(states[action_id], **_rich(fields_changed))
                else:
                    states[action_id] = _from_json(fields_changed)
            else:
                stored = {
                    action_id: _from_json(json.loads(state))
                    for action_id, state in self._db.execute("select id, state from action")
                }
                for action_id in sorted(states.keys() | stored.keys()):
                    if states.get(action_id) != stored.get(action_id):
                        problems.append(
                            f"Action history: action {action_id} does not stand as its events say."
                        )
                        break
        return problems

    # inside a transaction

    def _append(self, action_id: str, at: int, change: dict[str, Any]) -> None:
        text = json.dumps(change, sort_keys=True)
        rows = list(self._db.execute("select seq, hash from event order by seq desc limit 1"))
        seq, before = rows[0] if rows else (0, _FIRST)
        self._db.execute(
            "insert into event(seq, action, at, change, hash) values(?,?,?,?,?)",
            (seq + 1, action_id, at, text, _hash(before, action_id, at, text)),
        )

    def _put(self, action: Action) -> None:
        self._db.execute(
            "insert or replace into action(id, status, expires, state) values(?,?,?,?)",
            (
                action.id,
                action.status,
                0 if action.undone_by else action.expires,
                json.dumps(_to_json(action)),
            ),
        )

    def _get(self, action_id: str) -> Action:
        rows = list(
            self._db.execute(
                "select state from action where id >= ? and id < ? limit 2",
                (action_id, action_id + "\U0010ffff"),
            )
        )
        if len(rows) != 1 or not action_id:
            what = "There is no action" if not rows else "There are several actions"
            raise UserFault(f"{what} {action_id!r}.", "action", "See the Action History for ids.")
        return _from_json(json.loads(rows[0][0]))

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._lock, self._errors():
            self._db.execute("begin immediate")
            try:
                yield
            except BaseException:
                self._db.execute("rollback")
                raise
            self._db.execute("commit")

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except (apsw.NotADBError, apsw.CorruptError):
            raise Outage(
                "The journal of actions is damaged.", str(self._path), "Restore it from a backup."
            ) from None
        except apsw.FullError:
            raise Outage("The disk is full.", str(self._path), "Free some space.") from None
        except apsw.BusyError:
            raise Outage("The journal is held by another process.", str(self._path), "Try again.") from None
        except (apsw.CantOpenError, apsw.ReadOnlyError, apsw.IOError) as error:
            raise Outage(
                f"The journal cannot be used ({error}).", str(self._path), "Check its folder."
            ) from None


def _hash(before: str, action_id: str, at: int, change: str) -> str:
    return hashlib.sha256("\0".join((before, action_id, str(at), change)).encode()).hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, Request):
        return {**asdict(value), "body": base64.b64encode(value.body).decode()}
    if isinstance(value, Entry):
        return asdict(value)
    return value


def _to_json(action: Action) -> dict[str, Any]:
    return {field.name: _plain(getattr(action, field.name)) for field in fields(action)}


def _rich(data: dict[str, Any]) -> dict[str, Any]:
    rich = dict(data)
    if "entry" in rich:
        rich["entry"] = Entry(**rich["entry"])
    if "request" in rich:
        rich["request"] = Request(**{**rich["request"], "body": base64.b64decode(rich["request"]["body"])})
    return rich


def _from_json(data: dict[str, Any]) -> Action:
    return Action(**_rich(data))
