"""Playbooks as the user defines them: what to look for, when it counts, what to do, within which limits.

A definition is a file's JSON object and nothing else; state, version, author and times are kept beside it
(store.playbooks). The file is read strictly: what is not known is refused, never guessed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from pod_desktop.core.clock import DAY, HOUR, MINUTE, SECOND, parse_span
from pod_desktop.core.connector import check_tenant
from pod_desktop.core.faults import UserFault
from pod_desktop.core.limits import KIB, NAME_CHARS, QUERY_CHARS
from pod_desktop.core.record import CONTENT_TYPES
from pod_desktop.core.text import hides

OFF: Final = "off"
DRY_RUN: Final = "dry_run"
ON: Final = "on"
STATES: Final = (OFF, DRY_RUN, ON)

CONDITION_MET: Final = "condition_met"
WEBHOOK_RESPONDER: Final = "webhook_responder"
NOTIFY: Final = "notify"
MARK: Final = "mark"
COMMENT: Final = "comment"
ACTION_TYPES: Final = (WEBHOOK_RESPONDER, NOTIFY, MARK, COMMENT)

AT_LEAST_MOST: Final = 10_000
WITHIN_MOST: Final = 7 * DAY
EVERY_LEAST: Final = MINUTE
EVERY_MOST: Final = DAY
MUTE: Final = 24 * HOUR
MUTE_MOST: Final = 90 * DAY
ACTIONS_MOST: Final = 10
TEXT_CHARS: Final = 1_000
BODY_CHARS: Final = 16 * KIB
PATH_CHARS: Final = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much a playbook may do unattended. The defaults are the most that may be set."""

    per_minute: int = 10
    per_day: int = 100
    distinct: int = 25
    """Distinct values a run: of a live playbook within one minute, else of one scheduled run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaybookAction:
    """One thing to do when the condition is met."""

    type: str
    trigger: str = CONDITION_MET
    responder: str = ""
    """Name of the connector; webhook_responder only."""
    path_and_query: str = ""
    """Template; '' = the responder's own. webhook_responder only."""
    body: str = ""
    """Template; '' = the responder's own. webhook_responder only."""
    text: str = ""
    """Template of the notification or comment, or the mark."""
    mute: int = MUTE
    """Microseconds in which the same value is left alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Playbook:
    """What a playbook file says."""

    name: str
    tenant: str
    """A tenant's name, or core.responder.ALL_TENANTS."""
    query: str
    actions: tuple[PlaybookAction, ...]
    index: tuple[str, ...] = ("message",)
    """Content types."""
    group_by: str | None = None
    """The query field whose values are the keys; None: all records have one key."""
    at_least: int = 1
    within: int = 10 * MINUTE
    """Microseconds from the first to the last record of a firing, both included."""
    every: int | None = None
    """Microseconds between runs; None = live."""
    limits: Limits = field(default_factory=Limits)

    @property
    def run(self) -> int:
        """Microseconds that count as one run."""
        return self.every or MINUTE


_KEYS: Final = ("name", "tenant", "index", "query", "group_by", "at_least", "within", "every", "actions", "limits")  # fmt: skip
_REQUIRED: Final = ("name", "tenant", "query", "actions")
_ACTION_KEYS: Final = {
    WEBHOOK_RESPONDER: ("trigger", "type", "responder", "path_and_query", "body", "mute"),
    NOTIFY: ("trigger", "type", "text", "mute"),
    MARK: ("trigger", "type", "text", "mute"),
    COMMENT: ("trigger", "type", "text", "mute"),
}
_LIMIT_KEYS: Final = ("per_minute", "per_day", "distinct")


def check_playbook_name(name: str, taken: Iterable[str] = ()) -> str:
    """The name without outer blanks.

    Raises:
        UserFault: empty, too long, with characters that cannot be seen, or taken already.
    """
    name = name.strip()
    if not name:
        raise UserFault("Give the playbook a name.", "name", "For example Display-name impostor.")
    if len(name) > NAME_CHARS:
        raise UserFault(f"The name has {len(name):,} characters; {NAME_CHARS} is the most.", "name")
    if not name.isprintable() or hides(name):
        raise UserFault("The name holds characters that cannot be seen.", "name", "Type it again.")
    if name.casefold() in {other.casefold() for other in taken}:
        raise UserFault(f"A playbook named {name} exists already.", "name", "Choose another name.")
    return name


def playbook_from_file(data: Mapping[str, object], taken: Iterable[str] = ()) -> Playbook:
    """A playbook from its file's JSON object. The query and the responders are checked by services.playbooks.

    Raises:
        UserFault: an unknown, missing or unfit value; `where` names the key.
    """
    _known(data, _KEYS, "")
    for key in _REQUIRED:
        if key not in data:
            raise UserFault(f"{key!r} is missing.", key)
    every = data.get("every")
    group_by = data.get("group_by")
    query = _text(data["query"], "query", QUERY_CHARS, blank=True)
    return Playbook(
        name=check_playbook_name(_text(data["name"], "name", 10_000), taken),
        tenant=check_tenant(_text(data["tenant"], "tenant", 10_000)),
        index=_index(data.get("index", ["message"])),
        query=query,
        group_by=None if group_by is None else _text(group_by, "group_by", NAME_CHARS).strip(),
        at_least=_whole(data.get("at_least", 1), "at_least", 1, AT_LEAST_MOST),
        within=_span(data.get("within", "10m"), "within", SECOND, WITHIN_MOST),
        every=None if every is None else _span(every, "every", EVERY_LEAST, EVERY_MOST),
        actions=_actions(data["actions"]),
        limits=_limits(data.get("limits", {})),
    )


def playbook_to_file(playbook: Playbook) -> dict[str, Any]:
    """The playbook as its file's JSON object; playbook_from_file() reads it back."""
    return {
        "name": playbook.name,
        "tenant": playbook.tenant,
        "index": list(playbook.index),
        "query": playbook.query,
        "group_by": playbook.group_by,
        "at_least": playbook.at_least,
        "within": write_span(playbook.within),
        "every": None if playbook.every is None else write_span(playbook.every),
        "actions": [_action_to_file(action) for action in playbook.actions],
        "limits": {name: getattr(playbook.limits, name) for name in _LIMIT_KEYS},
    }


def _action_to_file(action: PlaybookAction) -> dict[str, Any]:
    found: dict[str, Any] = {"trigger": action.trigger, "type": action.type}
    for name in ("responder", "path_and_query", "body", "text"):
        if getattr(action, name):
            found[name] = getattr(action, name)
    return found | {"mute": write_span(action.mute)}


def renamed(playbook: Playbook, name: str) -> Playbook:
    """A clone under another name."""
    return replace(playbook, name=name)


def difference(old: Playbook, new: Playbook) -> list[tuple[str, str, str]]:
    """(key, before, after) of what differs between two versions, as the file writes it."""
    before, after = playbook_to_file(old), playbook_to_file(new)
    return [(key, _written(before[key]), _written(after[key])) for key in _KEYS if before[key] != after[key]]


def _written(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def write_span(micros: int) -> str:
    """`10m`: a length of time as parse_span() reads it, in the largest unit that fits; a day is 24h."""
    for unit, size in (("d", DAY), ("h", HOUR), ("m", MINUTE)):
        if micros % size == 0 and (micros, size) != (DAY, DAY):
            return f"{micros // size}{unit}"
    return f"{micros // SECOND}s"


# values of a file


def _known(data: Mapping[str, object], keys: Iterable[str], where: str) -> None:
    for key in data:
        if key not in keys:
            raise UserFault(
                f"Unknown key {str(key)[:80]!r}.", where or str(key)[:80], f"Known: {', '.join(keys)}."
            )


def _text(value: object, where: str, most: int, *, blank: bool = False) -> str:
    if not isinstance(value, str):
        raise UserFault(f"{where!r} must be text.", where)
    if not blank and not value.strip():
        raise UserFault(f"{where!r} is empty.", where)
    if len(value) > most:
        raise UserFault(f"{where!r} has {len(value):,} characters; {most:,} is the most.", where)
    return value


def _whole(value: object, where: str, low: int, high: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise UserFault(f"{where!r} must be a whole number from {low:,} to {high:,}.", where)
    return value


def _span(value: object, where: str, low: int, high: int) -> int:
    try:
        micros = parse_span(_text(value, where, 40))
    except ValueError as error:
        raise UserFault(f"{error}.", where) from None
    if not low <= micros <= high:
        raise UserFault(f"{where!r} must be from {write_span(low)} to {write_span(high)}.", where)
    return micros


def _index(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not value:
        raise UserFault(
            "'index' must be a list of content types.", "index", f"Of {', '.join(CONTENT_TYPES)}."
        )
    for kind in value:
        if kind not in CONTENT_TYPES:
            raise UserFault(
                f"{str(kind)[:80]!r} is no content type.", "index", f"Known: {', '.join(CONTENT_TYPES)}."
            )
    return tuple(dict.fromkeys(value))


def _actions(value: object) -> tuple[PlaybookAction, ...]:
    if not isinstance(value, list) or not 0 < len(value) <= ACTIONS_MOST:
        raise UserFault(f"'actions' must be a list of 1 to {ACTIONS_MOST} actions.", "actions")
    return tuple(_action(item, f"actions[{number}]") for number, item in enumerate(value))


def _action(value: object, where: str) -> PlaybookAction:
    if not isinstance(value, Mapping):
        raise UserFault("An action must be an object.", where)
    kind = value.get("type")
    if kind not in ACTION_TYPES:
        raise UserFault(
            f"Action type {str(kind)[:80]!r} is not known.",
            f"{where}.type",
            f"Known: {', '.join(ACTION_TYPES)}.",
        )
    _known(value, _ACTION_KEYS[str(kind)], where)
    if value.get("trigger", CONDITION_MET) != CONDITION_MET:
        raise UserFault(
            f"Trigger {str(value['trigger'])[:80]!r} is not known.",
            f"{where}.trigger",
            f"Known: {CONDITION_MET}.",
        )
    mute = _span(value.get("mute", write_span(MUTE)), f"{where}.mute", MINUTE, MUTE_MOST)
    if kind != WEBHOOK_RESPONDER:
        text = _text(
            value.get("text", "" if kind != MARK else "suspicious"),
            f"{where}.text",
            TEXT_CHARS,
            blank=kind == NOTIFY,
        )
        return PlaybookAction(type=str(kind), text=text, mute=mute)
    return PlaybookAction(
        type=WEBHOOK_RESPONDER,
        responder=_text(value.get("responder"), f"{where}.responder", NAME_CHARS).strip(),
        path_and_query=_text(
            value.get("path_and_query", ""), f"{where}.path_and_query", PATH_CHARS, blank=True
        ),
        body=_text(_body(value.get("body", "")), f"{where}.body", BODY_CHARS, blank=True),
        mute=mute,
    )


def _body(value: object) -> object:
    """A body may be written as the JSON object that it is."""
    return json.dumps(value, indent=2, ensure_ascii=False) if isinstance(value, Mapping) else value


def _limits(value: object) -> Limits:
    if not isinstance(value, Mapping):
        raise UserFault("'limits' must be an object.", "limits")
    _known(value, _LIMIT_KEYS, "limits")
    most = Limits()
    return Limits(
        **{
            name: _whole(value[name], f"limits.{name}", 1, getattr(most, name))
            for name in _LIMIT_KEYS
            if name in value
        }
    )
