"""A record as the rooms hand it to each other. No I/O; nothing here reads JSON."""

from __future__ import annotations

from typing import Final, NamedTuple

MESSAGE: Final = "message"
MAILLOG: Final = "maillog"
AUDIT: Final = "audit"
UNREADABLE: Final = "unreadable"
"""Not a content type of the service: a frame or line that is no record, kept raw and shown."""

CONTENT_TYPES: Final = (MESSAGE, MAILLOG, AUDIT)
"""The values of `type` that the log stream serves."""

DELIVERED: Final = "delivered"
QUARANTINED: Final = "quarantined"
DISCARDED: Final = "discarded"
REJECTED: Final = "rejected"
DEFERRED: Final = "deferred"
BOUNCED: Final = "bounced"
OTHER: Final = "other"
OUTCOMES: Final = (DELIVERED, QUARANTINED, DISCARDED, REJECTED, DEFERRED, BOUNCED, OTHER)
"""What became of the mail, in words for people; ours, not the service's."""

# Bits of Columns.flags: what an analyst should be warned of before reading on.
FLAG_REPAIRED: Final = 1
"""The clean view differs from the raw bytes (invalid UTF-8, lone surrogate, NUL)."""
FLAG_HIDDEN_CHARACTERS: Final = 2
"""Sender, header-from, recipients or subject hold bidi, zero-width or other invisible characters."""
FLAG_NO_ID: Final = 4
"""The record carries no id of its own; its identity is a hash of the raw bytes."""
FLAG_TIME_GUESSED: Final = 8
"""The record carries no readable time; the time of arrival stands in."""
FLAG_TRUNCATED: Final = 16
"""A column or the indexed text was cut at its limit; the raw record is whole."""


class Columns(NamedTuple):
    """What the door reads out of one record: its identity, its time, and what lists and filters need.

    Text is repaired (valid Unicode, no NUL), bounded (core.limits) and '' where the record has nothing.
    A NamedTuple, not a dataclass: one is built for each record received, and a tuple costs a third.
    """

    kind: str
    """Content type: message, maillog, audit or unreadable."""
    rid: str
    """The record's own id (guid or id), unique within its kind."""
    time: int
    """Microseconds since 1970 UTC."""
    cluster: str
    """Cluster id as the record states it (metadata.origin.data.cid, pps.cid)."""
    qid: str
    """Queue id: joins a message record to its mail-log lines within one cluster."""
    message_id: str
    """Message-ID header without angle brackets."""
    sender: str
    """Envelope sender without angle brackets; '' is the null sender or no sender."""
    header_from: str
    """Address in the From header, without display name."""
    recipients: tuple[str, ...]
    """Envelope recipients without angle brackets."""
    subject: str
    """Decoded subject; for maillog and audit one readable line of what happened."""
    ip: str
    """Source address (for maillog: of the relay)."""
    country: str
    outcome: str
    """One of OUTCOMES."""
    disposition: str
    """filter.disposition of a message record; '' otherwise."""
    stat: str
    """Keyword of a to= mail-log line (Sent, Deferred, …); '' otherwise."""
    rule: str
    """Rule that decided (the final action's, else the quarantine's)."""
    module: str
    folder: str
    """Quarantine folder."""
    direction: str
    """inbound, outbound, internal or ''."""
    score: int | None
    """Overall spam score 0-100; None where the record has none."""
    size: int | None
    """Message size in bytes."""
    flags: int
    """FLAG_ bits."""
    text: str
    """Words that free-text search looks in: addresses, subject, names, ids, hosts, the raw log line.

    The subject of a message stands in it whole, on a line of its own, unless FLAG_TRUNCATED is set.
    """


class Arrival(NamedTuple):
    """One record on its way into the store: columns beside the bytes exactly as received."""

    columns: Columns
    raw: bytes


class EventRow(NamedTuple):
    """One row of the Events table and of `search`, read back from the store without its raw record."""

    seq: int
    """Row key: unique in the store, ascending in the order of commit within a segment."""
    time: int
    """Microseconds since 1970 UTC."""
    kind: str
    rid: str
    tenant: str
    connector: str
    sender: str
    recipients: tuple[str, ...]
    """The first recipients (core.limits.ROW_RECIPIENTS at most)."""
    recipient_count: int
    subject: str
    ip: str
    outcome: str
    disposition: str
    stat: str
    rule: str
    score: int | None
    size: int | None
    flags: int

    @property
    def record_id(self) -> str:
        """The id that people and commands use: `<type>:<guid or id>`."""
        return f"{self.kind}:{self.rid}"


def split_record_id(text: str) -> tuple[str, str]:
    """Take `<type>:<guid or id>` apart.

    Raises:
        ValueError: no known type before the first colon.
    """
    kind, colon, rid = text.partition(":")
    if not colon or not rid or kind not in (*CONTENT_TYPES, UNREADABLE):
        raise ValueError(f"{text!r} is not a record id; it looks like message:<guid> or maillog:<id>")
    return kind, rid
