"""`message` records: one for each message that the filter handled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from pod_desktop.content.fit import fit
from pod_desktop.content.kind import (
    Kind,
    Named,
    column,
    hidden,
    identity,
    joined,
    moment,
    short_id,
    time_or_arrival,
)
from pod_desktop.content.message_summary import summary
from pod_desktop.content.mime import bare, header_address, readable, split_addresses
from pod_desktop.core import limits
from pod_desktop.core.record import (
    DEFERRED,
    DELIVERED,
    DISCARDED,
    FLAG_HIDDEN_CHARACTERS,
    FLAG_TRUNCATED,
    MESSAGE,
    OTHER,
    QUARANTINED,
    REJECTED,
    Columns,
)

_Texts = tuple[str, ...]


class _Struct(msgspec.Struct, gc=False, frozen=True):
    """Structs hold no cycles, so the garbage collector need not look at them."""


class Connection(_Struct, frozen=True):
    ip: str = ""
    host: str = ""
    helo: str = ""
    country: str = ""


class Envelope(_Struct, frozen=True):
    sender: str = msgspec.field(default="", name="from")
    rcpts: _Texts = ()


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
    virusNames: _Texts = ()


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
    sender: _Texts = msgspec.field(default=(), name="from")
    to: _Texts = ()
    cc: _Texts = ()
    subject: _Texts = ()
    reply_to: _Texts = msgspec.field(default=(), name="reply-to")
    message_id: _Texts = msgspec.field(default=(), name="message-id")
    mailer: _Texts = msgspec.field(default=(), name="x-mailer")
    originating_ip: _Texts = msgspec.field(default=(), name="x-originating-ip")


class ParsedAddresses(_Struct, frozen=True):
    sender: _Texts = msgspec.field(default=(), name="from")


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


_BODY_NAMES: Final = frozenset({"text.txt", "text.html", "text.htm"})


def outcome(record: Message) -> str:
    """What became of the message, of core.record.OUTCOMES.

    A quarantine folder holds a copy; the copy alone does not say that the mail was held back. Mail that was
    accepted or continued is delivered where the copy was kept for audit only (no rule, or the rule `audit`).
    """
    found = record.filter
    disposition = found.disposition.strip().casefold()
    asked = any(action.action[:10].casefold() == "quarantine" for action in found.actions)
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


def _rule(record: Message) -> str:
    final = final_action(record)
    return (final.rule if final else "") or record.filter.quarantine.rule


def _module(record: Message) -> str:
    final = final_action(record)
    return (final.module if final else "") or record.filter.quarantine.module


def _first(normalized: _Texts, plain: _Texts) -> str:
    for text in normalized:
        if text:
            return readable(text)
    return readable(plain[0]) if plain else ""


def _subject(record: Message) -> str:
    return _first(record.msg.normalized.subject, record.msg.header.subject)


def _message_id(record: Message) -> str:
    return bare(_first(record.msg.normalized.message_id, record.msg.header.message_id))


def _header_from(record: Message) -> str:
    msg = record.msg
    for text in msg.parsed.sender:
        if text:
            return bare(text)
    for text in msg.header.sender or msg.normalized.sender:
        if address := header_address(readable(text)):
            return address
    return ""


def _size(record: Message) -> int | None:
    size = record.filter.msgSizeBytes
    if size is None:
        size = record.msg.sizeBytes
    return size if size is not None and 0 <= size < 2**63 else None


def _score(record: Message) -> int | None:
    score = record.filter.modules.spam.scores.overall
    return score if score is not None and -(2**63) <= score < 2**63 else None


def _ip(record: Message) -> str:
    return record.connection.ip.strip("[] ")


def _country(record: Message) -> str:
    country = record.connection.country
    return "" if country == "**" else country  # ** is the service's word for unknown


def _cluster(record: Message) -> str:
    return record.metadata.origin.data.cid or record.pps.cid


def _times(record: Message) -> tuple[str, str]:
    return record.ts, record.filter.startTime


def _lines(texts: _Texts) -> str:
    return texts[0] if len(texts) == 1 else "\n".join(texts)


def _decoded(normalized: _Texts, plain: _Texts) -> str:
    texts = normalized or plain
    if len(texts) == 1:
        return readable(texts[0])
    return "\n".join([readable(text) for text in texts])


def is_body(part: Part) -> bool:
    """Is the part the text that people read? The filter names such parts itself; the others are attachments."""
    names = {part.labeledName, part.detectedName} - {""}
    return part.disposition != "attached" and names <= _BODY_NAMES


def _attachment_names(record: Message) -> list[str]:
    names = ((part.labeledName, part.detectedName) for part in record.msgParts if not is_body(part))
    return list(dict.fromkeys(name for pair in names for name in pair))


def _attachment_digests(record: Message) -> list[str]:
    return [part.sha256 for part in record.msgParts if not is_body(part)]


def _text(record: Message) -> tuple[str, bool]:
    return _text_with(record, bare(record.envelope.sender), split_addresses(record.envelope.rcpts))


def _text_with(record: Message, sender: str, recipients: _Texts) -> tuple[str, bool]:
    header, normalized, found = record.msg.header, record.msg.normalized, record.filter
    connection = record.connection
    fields = [
        sender,
        _decoded(normalized.sender, header.sender),
        _decoded(normalized.to, header.to),
        _decoded(normalized.cc, header.cc),
        _decoded(normalized.reply_to, header.reply_to),
        _lines(recipients),
        _decoded(normalized.subject, header.subject),
        _message_id(record),
        record.guid,
        found.qid,
        connection.ip,
        connection.host,
        connection.helo,
    ]
    if record.msgParts:
        names: list[str] = []
        digests: list[str] = []
        urls: list[str] = []
        for part in record.msgParts:
            if not is_body(part):
                names += (part.labeledName, part.detectedName)
            digests += (part.sha256, part.md5)
            urls += [url.url for url in part.urls]
        fields += ("\n".join(dict.fromkeys(names)), "\n".join(digests), "\n".join(urls))
    fields += (
        _rule(record),
        _module(record),
        found.quarantine.folder,
        found.quarantine.rule,
        _lines(found.modules.av.virusNames),
        _decoded(normalized.mailer, header.mailer),
        _decoded(normalized.originating_ip, header.originating_ip),
    )
    return joined(fields)


def columns(record: Message, raw: bytes, arrived: int) -> Columns:
    rid, flags = identity(record.guid, raw)
    time, more = time_or_arrival(_times(record), arrived)
    sender = bare(record.envelope.sender)
    recipients = split_addresses(record.envelope.rcpts)
    header_from = _header_from(record)
    subject = _subject(record)
    text, cut = _text_with(record, sender, recipients)
    flags |= more
    if cut:
        flags |= FLAG_TRUNCATED
    if hidden(sender, header_from, subject, recipients):
        flags |= FLAG_HIDDEN_CHARACTERS
    found = record.filter
    return Columns(
        MESSAGE,
        rid,
        time,
        _cluster(record),
        found.qid,
        _message_id(record),
        sender,
        header_from,
        recipients,
        subject,
        _ip(record),
        _country(record),
        outcome(record),
        found.disposition,
        "",
        _rule(record),
        _module(record),
        found.quarantine.folder,
        found.routeDirection,
        _score(record),
        _size(record),
        flags,
        text,
    )


def _fit(value: Mapping[str, Any]) -> Message:
    return fit(Message, value)


def _recipients(record: Message) -> _Texts:
    found = split_addresses(record.envelope.rcpts)[: limits.RECIPIENTS]
    return tuple(column(address) for address in found)


def _time(record: Message) -> int | None:
    return next((micros for text in _times(record) if (micros := moment(text)) is not None), None)


KIND: Final = Kind(
    name=MESSAGE,
    title="Message",
    decode=msgspec.json.Decoder(Message).decode,
    fit=_fit,
    columns=columns,
    text=lambda record: _text(record)[0],
    summary=summary,
    named={
        "id": Named(("guid",), lambda record: (short_id(record.guid),)),
        "time": Named(("ts", "filter"), lambda record: (_time(record),)),
        "cluster": Named(("metadata", "pps"), lambda record: (_cluster(record),)),
        "qid": Named(("filter",), lambda record: (record.filter.qid,)),
        "message_id": Named(("msg",), lambda record: (_message_id(record),)),
        "sender": Named(("envelope",), lambda record: (bare(record.envelope.sender),)),
        "header_from": Named(("msg",), lambda record: (_header_from(record),)),
        "recipient": Named(("envelope",), _recipients),
        "subject": Named(("msg",), lambda record: (_subject(record),)),
        "ip": Named(("connection",), lambda record: (_ip(record),)),
        "country": Named(("connection",), lambda record: (_country(record),)),
        "outcome": Named(("filter",), lambda record: (outcome(record),)),
        "disposition": Named(("filter",), lambda record: (record.filter.disposition,)),
        "rule": Named(("filter",), lambda record: (_rule(record),)),
        "module": Named(("filter",), lambda record: (_module(record),)),
        "folder": Named(("filter",), lambda record: (record.filter.quarantine.folder,)),
        "direction": Named(("filter",), lambda record: (record.filter.routeDirection,)),
        "score": Named(("filter",), lambda record: (_score(record),)),
        "size": Named(("filter", "msg"), lambda record: (_size(record),)),
        "attachment.name": Named(("msgParts",), _attachment_names),
        "attachment.sha256": Named(("msgParts",), _attachment_digests),
        "url": Named(
            ("msgParts",), lambda record: [url.url for part in record.msgParts for url in part.urls]
        ),
        "virus": Named(("filter",), lambda record: record.filter.modules.av.virusNames),
    },
    paths={
        "host": ("connection.host",),
        "helo": ("connection.helo",),
        "route": ("filter.routes",),
        "spf": ("filter.modules.spf.result",),
        "dkim": ("filter.modules.dkimv.result",),
        "dmarc": ("filter.modules.dmarc.filterdResult", "filter.modules.dmarc.filteredResult"),
    },
)
