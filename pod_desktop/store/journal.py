"""The journal of actions: append-only, hash-chained, and a table of how each action stands now.

Every change is an event whose hash covers the event and the hash before it: a changed, missing or moved
row breaks the chain from there on, and verify() names the first. The table of current states is derived.
Beside it, and no part of the history: what a list held when it was last looked at, and bulk runs to resume.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, fields, replace
from typing import Any, Final

from pod_desktop.core.action import STATUSES, Action, Entry, Request
from pod_desktop.core.faults import UserFault
from pod_desktop.store.database import Database

SCHEMA: Final = 1
_TABLES: Final = """
create table event(seq integer primary key, action text not null, at integer not null, change text not null, hash text not null);
create index event_action on event(action);
create table action(id text primary key, status text not null, expires integer not null, key text not null, state text not null) without rowid;
create index action_status on action(status);
create index action_key on action(key);
create index action_expires on action(expires) where expires > 0;
create table look(list text primary key, at integer not null, entries text not null) without rowid;
create table bulk(id text primary key, at integer not null, state text not null) without rowid;
"""
_FIRST: Final = "0" * 64
_FIELDS: Final = frozenset(field.name for field in fields(Action))


class Journal(Database):
    """The journal's file. Safe to use from several threads and processes."""

    _title, _schema, _tables = "The journal of actions", SCHEMA, _TABLES

    def begin(self, action: Action) -> None:
        """Commit the intent, durably, before the first byte is sent.

        Raises:
            UserFault: an action of this id exists: nothing is begun twice.
        """
        self.begin_all([action])

    def begin_all(self, actions: Sequence[Action]) -> None:
        """Commit several intents in one transaction; all or none. See begin()."""
        with self._transaction():
            for action in actions:
                if self._rows("select 1 from action where id = ?", action.id):
                    raise UserFault("This action has been begun already.", action.id)
                self._append(action.id, action.time, _to_json(action))
                self._put(action)

    def change(self, action_id: str, *, at: int, expect: str | None = None, **changes: Any) -> Action:
        """Append a change and return the action as it now stands.

        `expect` is the status that it must have: of two processes that want the same step one gets it.

        Raises:
            UserFault: no such action, or its status is not the expected one.
        """
        return self.change_all([(action_id, changes)], at=at, expect=expect)[0]

    def change_all(
        self, steps: Sequence[tuple[str, Mapping[str, Any]]], *, at: int, expect: str | None = None
    ) -> list[Action]:
        """Change several actions in one transaction: all of them, or none. See change()."""
        for _, changes in steps:
            unknown = set(changes) - _FIELDS
            if unknown or changes.get("status", STATUSES[0]) not in STATUSES:
                raise ValueError(f"not fields of an action: {unknown or changes}")
        changed = []
        with self._transaction():
            for action_id, changes in steps:
                action = self._get(action_id)
                if expect is not None and action.status != expect:
                    raise UserFault(f"The action is {action.status} by now.", action.id, "Look at it again.")
                action = replace(action, **changes)
                self._append(action.id, at, {key: _plain(value) for key, value in changes.items()})
                self._put(action)
                changed.append(action)
        return changed

    def action(self, action_id: str) -> Action:
        """Raises UserFault when there is none; a beginning that fits one only will do."""
        return self._get(action_id)

    def actions(
        self, *, statuses: tuple[str, ...] = (), limit: int = 100_000, since: int = 0
    ) -> list[Action]:
        """Newest first; with `since` (microseconds UTC) only what began then or later: ids ascend with time."""
        marks = ",".join("?" * len(statuses))
        where = f"and status in ({marks})" if statuses else ""
        rows = self._rows(
            f"select state from action where id >= ? {where} order by id desc limit ?",
            f"{since:016x}" if since > 0 else "",
            *statuses,
            limit,
        )
        return [_from_json(json.loads(state)) for (state,) in rows]

    def open_actions(self) -> int:
        """How many are in progress, waiting or unknown; cheap."""
        rows = self._rows("select count(*) from action where status in ('in_progress', 'waiting', 'unknown')")
        return int(rows[0][0])

    def due(self, now: int) -> list[Action]:
        """Actions whose time to be taken back has come, oldest first."""
        rows = self._rows(
            "select state from action where expires > 0 and expires <= ? and status = 'succeeded' order by expires",
            now,
        )
        return [_from_json(json.loads(state)) for (state,) in rows]

    def live(self, action: Action) -> list[Action]:
        """Additions of the same entry to the same list that succeeded and stand, oldest first."""
        rows = self._rows(
            "select state from action where key = ? and status = 'succeeded' order by id",
            _key(action),
        )
        found = [_from_json(json.loads(state)) for (state,) in rows]
        return [other for other in found if other.wanted and other.id != action.id]

    def events(self, action_id: str) -> list[tuple[int, dict[str, Any]]]:
        """(microseconds UTC, change) of one action, oldest first."""
        rows = self._rows("select at, change from event where action = ? order by seq", action_id)
        return [(at, json.loads(change)) for at, change in rows]

    def verify(self) -> list[str]:
        """What is wrong with the chain or with the table derived from it; empty when nothing is."""
        with self._lock, self._errors():
            events = self._db.execute("select seq, action, at, change, hash from event order by seq")
            states, problem = _replay(events)
            if problem:
                return [problem]
            stored = self._db.execute("select id, status, expires, key, state from action order by id")
            for action_id, *row in stored:
                action = states.pop(str(action_id), None)
                if action is None or row != _row(action):
                    return [f"Action history: action {action_id} does not stand as its events say."]
        missing = min(states, default="")
        return [f"Action history: action {missing} is missing from the table of actions."] if missing else []

    # beside the history

    def last_look(self, name: str) -> tuple[int, list[Any]]:
        """(microseconds UTC, what a list held then); (0, []) before the first look."""
        rows = self._rows("select at, entries from look where list = ?", name)
        return (int(rows[0][0]), list(json.loads(rows[0][1]))) if rows else (0, [])

    def put_look(self, name: str, entries: Sequence[Any], *, at: int) -> None:
        """Remember what a list holds; replaces the look before."""
        with self._transaction():
            self._db.execute(
                "insert or replace into look(list, at, entries) values(?,?,?)",
                (name, at, json.dumps(list(entries))),
            )

    def put_bulk(self, bulk_id: str, state: Mapping[str, Any] | None, *, at: int) -> None:
        """Remember a bulk run, so that it can be resumed; None forgets it."""
        with self._transaction():
            self._db.execute("delete from bulk where id = ?", (bulk_id,))
            if state is not None:
                self._db.execute(
                    "insert into bulk(id, at, state) values(?,?,?)", (bulk_id, at, json.dumps(dict(state)))
                )

    def bulks(self) -> list[tuple[str, int, dict[str, Any]]]:
        """(id, microseconds UTC, state) of the bulk runs that have not ended, newest first."""
        rows = self._rows("select id, at, state from bulk order by at desc")
        return [(bulk_id, at, json.loads(state)) for bulk_id, at, state in rows]

    # inside a transaction

    def _append(self, action_id: str, at: int, change: dict[str, Any]) -> None:
        text = json.dumps(change, sort_keys=True)
        rows = self._rows("select seq, hash from event order by seq desc limit 1")
        seq, before = rows[0] if rows else (0, _FIRST)
        self._db.execute(
            "insert into event(seq, action, at, change, hash) values(?,?,?,?,?)",
            (seq + 1, action_id, at, text, _hash(before, action_id, at, text)),
        )

    def _put(self, action: Action) -> None:
        self._db.execute(
            "insert or replace into action(id, status, expires, key, state) values(?,?,?,?,?)",
            (action.id, *_row(action)),
        )

    def _get(self, action_id: str) -> Action:
        rows = self._rows(
            "select state from action where id >= ? and id < ? limit 2", action_id, action_id + "\U0010ffff"
        )
        if len(rows) != 1 or not action_id:
            what = "There is no action" if not rows else "There are several actions"
            raise UserFault(f"{what} {action_id!r}.", "action", "See the Action History for ids.")
        return _from_json(json.loads(rows[0][0]))


def _row(action: Action) -> list[Any]:
    """What the table of current states holds of an action, behind its id."""
    expires = 0 if action.undone_by else action.expires
    return [action.status, expires, _key(action), json.dumps(_to_json(action))]


def _key(action: Action) -> str:
    return json.dumps(action.key)


def _replay(events: Iterable[tuple[Any, ...]]) -> tuple[dict[str, Action], str]:
    """The actions as their events say, and the first thing that is wrong with the chain."""
    states: dict[str, Action] = {}
    before, expected = _FIRST, 1
    for seq, action_id, at, change, mark in events:
        if seq != expected:
            return states, f"Action history: event {expected} is missing."
        wrong = f"Action history: event {seq} (action {action_id}) was changed."
        try:
            if mark != _hash(before, action_id, at, change):
                return states, wrong
            fields_changed = _rich(json.loads(change))
            if action_id in states:
                states[action_id] = replace(states[action_id], **fields_changed)
            else:
                states[action_id] = Action(**fields_changed)
        except (ValueError, TypeError, KeyError):  # not even of the right types
            return states, wrong
        before, expected = mark, seq + 1
    return states, ""


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
