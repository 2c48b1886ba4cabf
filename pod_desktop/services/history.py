"""The Action History as people and programs read it: filtered, searched, exported."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from pod_desktop.core.action import Action
from pod_desktop.core.clock import iso
from pod_desktop.services.exporting import cell, dumps
from pod_desktop.services.prepare import shown_request
from pod_desktop.store import Journal

SHOWN: Final = 5_000
"""Actions that a page holds at most, the newest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryFilter:
    """What of the history is shown; everything by default."""

    text: str = ""
    """Words that must all stand somewhere in the action: value, message, reason, responder, record, id."""
    statuses: frozenset[str] = field(default_factory=frozenset)
    responders: frozenset[str] = field(default_factory=frozenset)
    actors: frozenset[str] = field(default_factory=frozenset)
    """`person <login>` and `playbook <name>`, or the bare words person and playbook for all of them."""
    lists: frozenset[str] = field(default_factory=frozenset)
    since: int = 0
    """Microseconds UTC."""
    until: int = 0
    """Not included; 0 = open."""
    expiring: bool = False

    def takes(self, action: Action) -> bool:
        if self.statuses and action.status not in self.statuses:
            return False
        if self.responders and action.responder not in self.responders:
            return False
        if self.actors and not self.actors & {action.actor, action.actor.partition(" ")[0]}:
            return False
        if self.lists and action.list not in self.lists:
            return False
        if action.time < self.since or (self.until and action.time >= self.until):
            return False
        if self.expiring and (not action.expires or action.undone_by):
            return False
        words = self.text.casefold().split()
        return not words or _holds(action, words)


def _holds(action: Action, words: list[str]) -> bool:
    entry = action.entry
    looked = "\n".join(
        (
            action.id, action.actor, action.responder, action.tenant, action.action, action.list, entry.attribute,
            entry.operator, entry.value, entry.comment, action.status, str(action.http_status), action.message,
            action.why, action.record_id, action.undoes, action.undone_by,
        )
    ).casefold()  # fmt: skip
    return all(word in looked for word in words)


def find(journal: Journal, filter: HistoryFilter | None = None, limit: int = SHOWN) -> list[Action]:
    """The newest actions that a filter takes. May take a moment with a long history."""
    found: list[Action] = []
    statuses = tuple(sorted(filter.statuses)) if filter else ()
    since = filter.since if filter else 0
    for action in journal.actions(statuses=statuses, since=since):
        if filter is None or filter.takes(action):
            found.append(action)
            if len(found) >= limit:
                break
    return found


COLUMNS: Final = (
    "action_id", "time", "actor", "responder", "action", "attribute", "operator", "value", "status", "http_status",
    "message", "record_id", "expires",
)  # fmt: skip
"""Members of an action for programs, in this order; people script them."""
_MORE: Final = ("list", "tenant", "comment", "why", "took_s", "attempts", "undoes", "undone_by")


def as_object(action: Action) -> dict[str, Any]:
    """An action for programs."""
    return {
        "action_id": action.id,
        "time": iso(action.time),
        "actor": action.actor,
        "responder": action.responder,
        "action": action.action,
        "attribute": action.entry.attribute,
        "operator": action.entry.operator,
        "value": action.entry.value,
        "status": action.status,
        "http_status": action.http_status,
        "message": action.message,
        "record_id": action.record_id,
        "expires": iso(action.expires) if action.expires and not action.undone_by else None,
    }


def as_outcome(action: Action) -> dict[str, Any]:
    """How an action ended, as `act` and `undo` tell it."""
    return {
        "action_id": action.id,
        "status": action.status,
        "http_status": action.http_status,
        "message": action.message,
        "request": request_object(action.request.method, action.request.url, action.request.body),
    }


def request_object(method: str, url: str, body: bytes) -> dict[str, str]:
    """A request for programs; the body is the exact text that is sent."""
    return {"method": method, "url": url, "body": body.decode("utf-8", "replace")}


def to_json(actions: Iterable[Action]) -> bytes:
    return dumps([as_object(action) for action in actions]) + b"\n"


def to_csv(actions: Iterable[Action]) -> bytes:
    """For spreadsheets: no cell computes."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow((*COLUMNS, *_MORE))
    for action in actions:
        took = "" if action.took is None else f"{action.took / 1e6:.3f}"
        more = (
            action.list, action.tenant, action.entry.comment, action.why, took, str(action.attempts), action.undoes,
            action.undone_by,
        )  # fmt: skip
        data = as_object(action)
        values = ["" if data[name] is None else str(data[name]) for name in COLUMNS]
        writer.writerow([cell(value) for value in (*values, *more)])
    return text.getvalue().encode("utf-8", "replace")


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """Everything about one action."""

    action: Action
    request: str
    """As it was sent, the token masked."""
    response: str
    steps: tuple[tuple[int, str], ...]
    """(microseconds UTC, what happened), oldest first."""


def detail(journal: Journal, action_id: str) -> Detail:
    """Raises UserFault when there is no such action."""
    action = journal.action(action_id)
    steps = tuple(
        (at, words)
        for place, (at, change) in enumerate(journal.events(action.id))
        if (words := "Intent committed." if place == 0 else _step(change))
    )
    return Detail(action=action, request=shown_request(action.request), response=action.response, steps=steps)


def _step(change: dict[str, Any]) -> str:
    said = []
    if "attempts" in change and "status" not in change:
        said.append(f"Attempt {change['attempts']}.")
    if change.get("http_status"):
        said.append(f"The service answered {change['http_status']}.")
    if "status" in change:
        said.append(f"{str(change['status']).replace('_', ' ').capitalize()}.")
    if change.get("message"):
        said.append(str(change["message"]))
    if "expires" in change and "message" not in change and "status" not in change:
        said.append(
            f"Remove after: {iso(change['expires'])}" if change["expires"] else "Remove after: cleared."
        )
    return " ".join(said)
