"""A playbook as it is being edited: the file's JSON, all of its faults at once, and drafts to begin with."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, Final, NamedTuple

from pod_desktop import query
from pod_desktop.core.faults import Fault, UserFault
from pod_desktop.core.playbook import (
    NOTIFY,
    WEBHOOK_RESPONDER,
    Playbook,
    check_playbook_name,
    playbook_from_file,
)
from pod_desktop.core.record import EventRow
from pod_desktop.core.responder import RespondConnector
from pod_desktop.query.tree import Equals, Node, Or, Term

Check = Callable[[Playbook], None]
STAND_IN: Final = "New playbook"
"""Its name in a backtest, as long as it has none."""
RECORDS_NAMED: Final = 40
"""Records behind a firing that a search names one by one; more are found by query and time."""
_BASE: Final[Mapping[str, Any]] = {
    "name": STAND_IN,
    "tenant": STAND_IN,
    "query": "",
    "actions": [{"type": NOTIFY}],
}
_PLAIN: Final = ("tenant", "index", "query", "group_by", "at_least", "within", "every", "limits")


class Flaw(NamedTuple):
    """What is wrong, and with which part: a key of the file, for actions with the action's number."""

    key: str
    number: int
    fault: Fault


def flaws(data: Mapping[str, Any], check: Check, taken: Collection[str] = ()) -> list[Flaw]:
    """All that keeps the file from being a playbook; each part is judged as if the others were right."""
    found: list[Flaw] = []
    try:
        check_playbook_name(data["name"], taken)
    except UserFault as fault:
        found.append(Flaw("name", 0, fault))
    for key in _PLAIN:
        try:
            check(playbook_from_file({**_BASE, key: data[key]}))
        except UserFault as fault:
            found.append(Flaw(key, 0, fault))
    for number, action in enumerate(data["actions"]):
        try:
            check(playbook_from_file({**_BASE, "actions": [action]}))
        except UserFault as fault:
            found.append(Flaw("actions", number, fault))
    return found


def made(data: Mapping[str, Any]) -> Playbook:
    """The playbook for a backtest, whatever it is called.

    Raises:
        UserFault: more than its name is wrong.
    """
    try:
        return playbook_from_file(data)
    except UserFault as fault:
        if fault.where != "name":
            raise
        return playbook_from_file({**data, "name": STAND_IN})


def blank(
    tenant: str,
    responder: RespondConnector | None,
    text: str = "",
    kinds: tuple[str, ...] = (),
    group_by: str | None = "sender",
) -> dict[str, Any]:
    """The file of a new playbook: it acts through the responder, or only tells."""
    if responder is None:
        action: dict[str, Any] = {"type": NOTIFY, "text": "{count} records of {key}" if group_by else ""}
    else:
        action = {"type": WEBHOOK_RESPONDER, "responder": responder.name}
    known = [kind for kind in kinds if kind in ("message", "maillog", "audit")]
    return {
        "name": "",
        "tenant": tenant,
        "index": known or ["message"],
        "query": text,
        "group_by": group_by,
        "at_least": 3,
        "within": "10m",
        "every": None,
        "actions": [action],
        "limits": {},
    }


def from_record(row: EventRow) -> str:
    """The query that finds records like this one: the same sender, or what else it has."""
    for field, value in (("sender", row.sender), ("ip", row.ip), ("rule", row.rule), ("stat", row.stat)):
        if value:
            return query.term(field, value)
    return query.term("type", row.kind)


def records_query(record_ids: tuple[str, ...]) -> str:
    """A search for exactly these records."""
    parts: list[Node] = []
    for record_id in record_ids[:RECORDS_NAMED]:
        kind, _, rid = record_id.partition(":")
        parts.append(Term("id", Equals(rid or kind)))
    return query.to_text(parts[0] if len(parts) == 1 else Or(tuple(parts)))


def free_name(name: str, taken: Collection[str]) -> str:
    """The name, or one like it that no playbook has."""
    known = {other.casefold() for other in taken}
    if name.casefold() not in known:
        return name
    number = 2
    while f"{name} ({number})".casefold() in known:
        number += 1
    return f"{name} ({number})"
