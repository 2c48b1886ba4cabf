"""What the playbooks' file holds, as values: entries, versions, rows of firings, and one turn's changes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Final

from pod_desktop.core.action import Entry
from pod_desktop.core.guards import Reason
from pod_desktop.core.playbook import Playbook
from pod_desktop.core.playbook_window import Change

NOTHING: Final = ""
"""Status of a row that nothing more becomes of."""
WAITING: Final = "waiting"
"""To be sent by the service."""
SENT: Final = "sent"
"""Given to the journal of actions under the row's action id, or done (notify, mark, comment)."""
OPEN: Final = "open"
"""Held, and nobody has decided."""
APPROVED: Final = "approved"
"""A person said yes; to be sent by the service."""
DISMISSED: Final = "dismissed"
EXPIRED: Final = "expired"

COUNTERS: Final = ("matches", "firings", "acted", "would_act", "held", "muted", "limited", "errors", "late")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaybookEntry:
    """A playbook as it stands."""

    id: int
    playbook: Playbook
    state: str
    """off, dry_run or on."""
    version: int
    author: str
    """Who made this version."""
    created: int
    """Microseconds UTC."""
    changed: int
    armed: int
    """Since when it acts; 0 while it does not."""
    tripped: str
    """Why the breaker stopped it; '' while it has not."""
    failures: int
    """Actions that failed in a row."""
    problem: str
    """Why it could not be judged the last time; '' when it could."""
    last_run: int
    counters: Mapping[str, int]
    """COUNTERS since it was created."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One line of a playbook's history."""

    version: int
    at: int
    author: str
    note: str
    """What was done: created, edited, armed, switched off …"""
    playbook: Playbook


@dataclass(frozen=True, slots=True, kw_only=True)
class FiringRow:
    """One action of one firing: what became of it, and all that is needed to carry it out."""

    playbook_id: int
    playbook: str
    version: int
    slot: int
    """Which of the playbook's actions."""
    type: str
    at: int
    """Microseconds UTC of the decision."""
    time: int
    """Microseconds UTC of the record that met the condition."""
    key: str
    records: tuple[str, ...]
    """Record ids, in order of time."""
    outcome: str
    """Of core.playbook_limits: act, would_act, held, muted, limited."""
    id: int = 0
    reason: str = ""
    reasons: tuple[Reason, ...] = ()
    """Why it was held."""
    dry: bool = False
    """Made in dry run: nothing can become of it."""
    status: str = NOTHING
    tenant: str = ""
    record_id: str = ""
    """The record that met the condition."""
    responder: str = ""
    responder_type: str = ""
    list: str = ""
    action: str = ""
    entry: Entry | None = None
    path: str = ""
    """Path and Query, filled."""
    body: str = ""
    """JSON body, filled; exactly what is sent."""
    digest: str = ""
    """Of the request as it was judged."""
    action_id: str = ""
    """In the journal of actions."""
    text: str = ""
    """Of a notification, mark or comment; filled."""
    public: str = ""
    """A notification's words without anything that a record says: for the desktop, which anybody may see."""
    expires: int = 0
    """Microseconds UTC when a held row expires."""
    again: int = 0
    """How often the same value was held again meanwhile."""
    by: str = ""
    """Who approved or dismissed it."""
    confirmed: str = ""
    """The value as that person typed it, where that was asked for."""

    @property
    def value(self) -> tuple[str, ...]:
        """What mute and held rows know it by."""
        if self.entry is None:
            return (str(self.slot), self.key.casefold())
        return (str(self.slot), self.list, self.action, *self.entry.identity)


@dataclass(slots=True, kw_only=True)
class Part:
    """What one turn changes of one playbook."""

    playbook_id: int
    version: int
    state: str
    """Version and state that it was judged by; if they have changed meanwhile nothing of this is kept."""
    change: Change | None = None
    rows: list[FiringRow] = field(default_factory=list)
    again: list[int] = field(default_factory=list)
    """Ids of held rows whose value was held again."""
    counts: dict[str, int] = field(default_factory=dict)
    last_run: int = 0
    problem: str | None = None
    """None: as it was."""
    tripped: str | None = None


@dataclass(slots=True, kw_only=True)
class Turn:
    """One transaction: how far the store was read, and what came of it."""

    now: int
    marks: Mapping[int, int] | None = None
    """None: nothing was read, how far stays as it is."""
    parts: Sequence[Part] = ()


_FIELDS: Final = tuple(field.name for field in fields(FiringRow) if field.name != "id")


def row_to_json(row: FiringRow) -> str:
    data: dict[str, Any] = {name: getattr(row, name) for name in _FIELDS}
    data["entry"] = None if row.entry is None else asdict(row.entry)
    data["reasons"] = [[one.code, one.answer, one.text] for one in row.reasons]
    return json.dumps(data, ensure_ascii=False)


def row_from_json(row_id: int, text: str) -> FiringRow:
    data: dict[str, Any] = json.loads(text)
    entry = data["entry"]
    data["entry"] = None if entry is None else Entry(**entry)
    data["reasons"] = tuple(Reason(*one) for one in data["reasons"])
    data["records"] = tuple(data["records"])
    return FiringRow(id=row_id, **data)
