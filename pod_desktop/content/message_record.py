"""A `message` record: its members as the service writes them, and what they mean."""

from __future__ import annotations

from typing import Final

import msgspec

from pod_desktop.content.mime import bare, header_address, readable
from pod_desktop.core.record import DEFERRED, DELIVERED, DISCARDED, OTHER, QUARANTINED, REJECTED

Texts = tuple[str, ...]


class _Struct(msgspec.Struct, gc=False, frozen=True):
    """Structs hold no cycles, so the garbage collector need not look at them."""


class Connection(_Struct, frozen=True):
    ip: str = ""
    host: str = ""
    helo: str = ""
    country: str = ""


class Envelope(_Struct, frozen=True):
    sender: str = msgspec.field(default="", name="from")
    rcpts: Texts = ()


class Action(_Struct, frozen=True):
    module: str = ""
    rule: str = ""
    action: str = ""
    isFinal: bool = False


class Quarantine(_Struct, frozen=True):
    folder: str = ""
    rule: str = ""
    module: str = ""


class Scores(_Struct, frozen=True):
    overall: int | None = None


class Spam(_Struct, frozen=True):
    scores: Scores = Scores()


class Antivirus(_Struct, frozen=True):
    virusNames: Texts = ()


class Modules(_Struct, frozen=True):
    spam: Spam = Spam()
    av: Antivirus = Antivirus()


class Filter(_Struct, frozen=True):
    qid: str = ""
    disposition: str = ""
    routeDirection: str = ""
    startTime: str = ""
    msgSizeBytes: int | None = None
    actions: tuple[Action, ...] = ()
    quarantine: Quarantine = Quarantine()
    modules: Modules = Modules()


class Header(_Struct, frozen=True):
    sender: Texts = msgspec.field(default=(), name="from")
    to: Texts = ()
    cc: Texts = ()
    subject: Texts = ()
    reply_to: Texts = msgspec.field(default=(), name="reply-to")
    message_id: Texts = msgspec.field(default=(), name="message-id")
    mailer: Texts = msgspec.field(default=(), name="x-mailer")
    originating_ip: Texts = msgspec.field(default=(), name="x-originating-ip")


class ParsedAddresses(_Struct, frozen=True):
    sender: Texts = msgspec.field(default=(), name="from")


class Msg(_Struct, frozen=True):
    header: Header = Header()
    normalized: Header = msgspec.field(default=Header(), name="normalizedHeader")
    parsed: ParsedAddresses = msgspec.field(default=ParsedAddresses(), name="parsedAddresses")
    sizeBytes: int | None = None


class Url(_Struct, frozen=True):
    url: str = ""


class Part(_Struct, frozen=True):
    labeledName: str = ""
    detectedName: str = ""
    md5: str = ""
    sha256: str = ""
    disposition: str = ""
    urls: tuple[Url, ...] = ()


class Origin(_Struct, frozen=True):
    cid: str = ""


class OriginData(_Struct, frozen=True):
    data: Origin = Origin()


class Metadata(_Struct, frozen=True):
    origin: OriginData = OriginData()


class Message(_Struct, frozen=True):
    guid: str = ""
    ts: str = ""
    connection: Connection = Connection()
    envelope: Envelope = Envelope()
    filter: Filter = Filter()
    msg: Msg = Msg()
    msgParts: tuple[Part, ...] = ()
    metadata: Metadata = Metadata()
    pps: Origin = Origin()


_PASSES: Final = frozenset({"accept", "continue"})
_STOPPED: Final = {"discard": DISCARDED, "reject": REJECTED, "retry": DEFERRED}
_COPY_RULES: Final = frozenset({"", "audit"})
"""Rules in `quarantine` that keep a copy for audit of mail that goes on (seen in published records)."""


_ATTACHED: Final = frozenset({"attached", "attachment"})
_BODY_NAMES: Final = frozenset({"", "text.txt", "text.html", "text.htm"})


def outcome(record: Message) -> str:
    """What became of the message, of core.record.OUTCOMES.

    A quarantine folder holds a copy; the copy alone does not say that the mail was held back. Mail that was
    accepted or continued is delivered where the copy was kept for audit only (no rule, or the rule `audit`).
    """
    found = record.filter
    disposition = found.disposition.strip().casefold()
    asked = False
    for action in found.actions:
        if action.action[:10].casefold() == "quarantine":
            asked = True
    if found.quarantine.folder or asked:
        copied = not asked and found.quarantine.rule.casefold() in _COPY_RULES
        return DELIVERED if copied and disposition in _PASSES else QUARANTINED
    if disposition in _PASSES:
        return DELIVERED
    return _STOPPED.get(disposition, QUARANTINED if disposition == "quarantine" else OTHER)


def final_action(record: Message) -> Action | None:
    """The action that decided; it is not always the last."""
    for action in record.filter.actions:
        if action.isFinal:
            return action
    return None


def decided_by(record: Message) -> tuple[str, str]:
    """(rule, module) of the action that decided, else of the quarantine."""
    quarantine = record.filter.quarantine
    if (final := final_action(record)) is None:
        return quarantine.rule, quarantine.module
    return final.rule or quarantine.rule, final.module or quarantine.module


def rule(record: Message) -> str:
    return decided_by(record)[0]


def module(record: Message) -> str:
    return decided_by(record)[1]


def _first(normalized: Texts, plain: Texts) -> str:
    for text in normalized:
        if text:
            return readable(text)
    return readable(plain[0]) if plain else ""


def subject(record: Message) -> str:
    return _first(record.msg.normalized.subject, record.msg.header.subject)


def message_id(record: Message) -> str:
    return bare(_first(record.msg.normalized.message_id, record.msg.header.message_id))


def header_from(record: Message) -> str:
    msg = record.msg
    for text in msg.parsed.sender:
        if text:
            return bare(text)
    for text in msg.header.sender or msg.normalized.sender:
        # Before decoding: an encoded display name may hold what looks like another address.
        if address := header_address(text):
            return address
    return ""


def size_of(record: Message) -> int | None:
    for size in (record.filter.msgSizeBytes, record.msg.sizeBytes):
        if size is not None and 0 <= size < 2**63:
            return size
    return None


def score(record: Message) -> int | None:
    score = record.filter.modules.spam.scores.overall
    return score if score is not None and -(2**63) <= score < 2**63 else None


def source_ip(record: Message) -> str:
    return record.connection.ip.strip("[] ")


def country(record: Message) -> str:
    country = record.connection.country
    return "" if country == "**" else country  # ** is the service's word for unknown


def cluster(record: Message) -> str:
    return record.metadata.origin.data.cid or record.pps.cid


def times(record: Message) -> tuple[str, str]:
    return record.ts, record.filter.startTime


def decoded(texts: Texts) -> str:
    """Header values as people read them, one a line."""
    if not texts:
        return ""
    if len(texts) == 1:
        return readable(texts[0])
    return "\n".join([readable(text) for text in texts])


def is_body(part: Part) -> bool:
    """Is the part the text that people read? The filter names such parts itself; the others are attachments."""
    return (
        part.detectedName in _BODY_NAMES
        and part.labeledName in _BODY_NAMES
        and part.disposition not in _ATTACHED
    )


def attachment_names(record: Message) -> list[str]:
    names = ((part.labeledName, part.detectedName) for part in record.msgParts if not is_body(part))
    return list(dict.fromkeys(name for pair in names for name in pair))


def attachment_digests(record: Message) -> list[str]:
    return [part.sha256 for part in record.msgParts if not is_body(part)]
