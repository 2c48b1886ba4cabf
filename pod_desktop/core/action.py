"""Actions on the org lists: what is asked, what is sent, and how each ended. Frozen values, no I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

ADD: Final = "add"
DELETE: Final = "delete"
BLOCK: Final = "block"
SAFE: Final = "safe"

ATTRIBUTES: Final = {
    "$from": "Envelope sender",
    "$hfrom": "Header from",
    "$ip": "Source IP",
    "$host": "Source host",
    "$helo": "HELO name",
    "$rcpt": "Recipient",
}
"""Attributes of a list entry and how people call them."""
OPERATORS: Final = {
    BLOCK: ("equal", "not_equal", "contain", "not_contain", "is_in_list"),
    SAFE: ("equal", "contain", "is_in_list"),
}
"""What each list accepts (Threat Protection API, org lists)."""
NEGATED: Final = frozenset({"not_equal", "not_contain"})
COMMENT_CHARS: Final = 150
"""A longer comment is refused by the service."""

WAITING: Final = "waiting"
IN_PROGRESS: Final = "in_progress"
SUCCEEDED: Final = "succeeded"
FAILED: Final = "failed"
UNKNOWN: Final = "unknown"
"""It may have been sent; the list tells."""
HELD: Final = "held"
UNDONE: Final = "undone"
STATUSES: Final = (WAITING, IN_PROGRESS, SUCCEEDED, FAILED, UNKNOWN, HELD, UNDONE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of an org list. Its identity is attribute, operator and value, whatever their case."""

    attribute: str
    operator: str
    value: str
    comment: str = ""

    @property
    def identity(self) -> tuple[str, str, str]:
        return (self.attribute.casefold(), self.operator.casefold(), self.value.casefold())


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is sent, byte for byte. The token is added at the moment of sending and is not in here."""

    method: str
    url: str
    body: bytes
    digest: str
    """SHA-256 over method, URL and body: what was shown is what is sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """How a request ended."""

    status: int
    """HTTP status; 0 when there was no answer."""
    message: str
    """The service's words, or what went wrong; bounded, repaired, without secrets."""
    sent: bool
    """False only where it is certain that the service has seen nothing of the request."""
    whole: bool
    """Whether the answer arrived whole; an answer that did not says nothing for sure."""
    body: bytes = b""
    retry_after: float = 0.0
    """Seconds the service asks to wait; 0 = it says nothing."""
    code: str = ""
    """Where there was no answer: `tls`, `timeout`, `reset` or `network`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """A row of the Action History: what was asked, by whom, why, and how it ended."""

    id: str
    """Ascends with time."""
    time: int
    """Microseconds UTC of the intent."""
    actor: str
    """`person <login>` or `playbook <name>`."""
    responder: str
    """Name of the connector."""
    type: str
    """The responder's template."""
    tenant: str
    cluster_id: str
    action: str
    list: str
    entry: Entry
    request: Request
    record_id: str = ""
    why: str = ""
    status: str = WAITING
    http_status: int = 0
    message: str = ""
    response: str = ""
    """The service's answer, bounded; it holds no secrets."""
    attempts: int = 0
    """POSTs whose first byte may have left."""
    owner: int = 0
    """Process id that is carrying it out; 0 when nobody is."""
    owner_mark: str = ""
    """When that process began, as the system tells it: process ids are used again."""
    ended: int = 0
    """Microseconds UTC; 0 while it has not."""
    expires: int = 0
    """Microseconds UTC when the inverse is due; 0 = never."""
    undoes: str = ""
    """Id of the action that this one takes back."""
    undone_by: str = ""
    """Id of the action that took this one back."""
    unchanged: bool = False
    """The list was so before, by others: there is nothing of ours to take back."""

    @property
    def key(self) -> tuple[str, ...]:
        """What it is about: cluster, list and the entry's identity."""
        return (self.cluster_id, self.list, *self.entry.identity)

    @property
    def took(self) -> int | None:
        """Microseconds from the intent to the end; None while it has not ended."""
        return self.ended - self.time if self.ended else None

    @property
    def wanted(self) -> bool:
        """Whether the entry is to be on the list afterwards."""
        return self.action == ADD
