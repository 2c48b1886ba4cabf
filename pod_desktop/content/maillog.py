"""`maillog` records: one for each line that sendmail writes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from pod_desktop.content.fit import fit, number_of, text_of, texts_of
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
from pod_desktop.content.maillog_summary import summary
from pod_desktop.content.mime import bare, split_addresses
from pod_desktop.core import limits
from pod_desktop.core.record import (
    BOUNCED,
    DEFERRED,
    DELIVERED,
    DISCARDED,
    FLAG_HIDDEN_CHARACTERS,
    FLAG_TRUNCATED,
    MAILLOG,
    OTHER,
    REJECTED,
    Columns,
)


class _Struct(msgspec.Struct, gc=False, frozen=True):
    """Structs hold no cycles, so the garbage collector need not look at them."""


class Origin(_Struct, frozen=True):
    cid: str = ""


class OriginData(_Struct, frozen=True):
    data: Origin = Origin()


class Metadata(_Struct, frozen=True):
    origin: OriginData = OriginData()


class Line(_Struct, frozen=True):
    id: str = ""
    ts: str = ""
    data: str = ""
    sm: dict[str, Any] = {}
    metadata: Metadata = Metadata()
    pps: Origin = Origin()


_PAIR: Final = re.compile(r"(?:^|, |: )([A-Za-z_]{1,32})=")
_PREFIX: Final = re.compile(r"^[^:]{0,100}(?::\d\d[^:]{0,100}){0,4}\[\d+\]: (?:(\S{1,100}): )?")
"""`<time> <host> sendmail[<pid>]: <queue id>: ` before what happened."""
_STAT: Final = re.compile(r"\s*([^(:]*)(?:[(:]\s*(.*))?", re.DOTALL)
_RELAY_IP: Final = re.compile(r"\[(?:IPv6:)?([0-9A-Fa-f:.]{2,45})\]")
_DELAY: Final = re.compile(r"(?:(\d{1,5})\+)?(\d{1,4}):(\d\d):(\d\d)")
_RENAMED: Final = {"size": "sizeBytes"}
"""Members of `sm` that sendmail writes under another name."""
_BOUNCES: Final = frozenset(
    {
        "user unknown",
        "host unknown",
        "service unavailable",
        "data format error",
        "message too large",
        "mailbox unavailable",
        "can't create output",
        "remote protocol error",
        "local configuration error",
        "cannot send message for 5 days",
        "returntosender",
        "undeliverable",
    }
)


def happenings(record: Line) -> Mapping[str, Any]:
    """What sendmail wrote as name=value pairs: `sm`, or the pairs of the raw line where `sm` is missing."""
    return record.sm or _pairs(record.data)


def _pairs(line: str) -> dict[str, Any]:
    line = line[: limits.TEXT_FIELD_CHARS]
    found: dict[str, Any] = {}
    if (prefix := _PREFIX.match(line)) and prefix[1]:
        found["qid"] = prefix[1]
    matches = list(_PAIR.finditer(line))
    for match, follower in zip(matches, [*matches[1:], None], strict=True):
        value = line[match.end() : follower.start() if follower else None].strip(" ,")
        found.setdefault(_RENAMED.get(match[1], match[1]), value)
    return found


def stat_of(happened: Mapping[str, Any]) -> tuple[str, str]:
    """(keyword, explanation) of `Sent (Ok: queued)` or `Deferred: 451 4.7.1 Greylisted`."""
    match = _STAT.match(text_of(happened.get("stat"))[: limits.COLUMN_CHARS])
    if not match:
        return "", ""
    return match[1].strip(), (match[2] or "").strip().removesuffix(")")


def to_of(happened: Mapping[str, Any]) -> tuple[str, ...]:
    found = happened.get("to")
    return split_addresses(texts_of(found)) if found is not None else ()


def from_of(happened: Mapping[str, Any]) -> str:
    return bare(text_of(happened.get("from")))


def seconds(delay: str) -> int | None:
    """Seconds of `HH:MM:SS` or `D+HH:MM:SS`."""
    if match := _DELAY.fullmatch(delay.strip()):
        return int(match[1] or 0) * 86_400 + int(match[2]) * 3_600 + int(match[3]) * 60 + int(match[4])
    return None


def outcome(happened: Mapping[str, Any]) -> str:
    """What became of the mail by this line, of core.record.OUTCOMES.

    `to=/dev/null` is how the filter has sendmail drop a message that it has taken over: nobody gets that
    mail, so it is discarded although sendmail calls it sent.
    """
    if happened.get("reject") is not None:
        return REJECTED
    keyword = stat_of(happened)[0].casefold()
    if not keyword:
        return OTHER
    if keyword == "sent":
        recipients = to_of(happened)
        gone = bool(recipients) and all(recipient == "/dev/null" for recipient in recipients)
        return DISCARDED if gone else DELIVERED
    if keyword == "deferred":
        return DEFERRED
    status = text_of(happened.get("dsn"))[:1]
    if status == "5" or keyword in _BOUNCES:
        return BOUNCED
    return DEFERRED if status == "4" else OTHER


def relay_ip(happened: Mapping[str, Any]) -> str:
    match = _RELAY_IP.search(text_of(happened.get("relay"))[:1_000])
    return match[1] if match else ""


def story(record: Line, happened: Mapping[str, Any]) -> str:
    """One readable line of what happened."""
    relay = text_of(happened.get("relay"))
    keyword, why = stat_of(happened)
    if keyword or "to" in happened:
        recipients = to_of(happened)
        more = f" +{len(recipients) - 1}" if len(recipients) > 1 else ""
        pieces = (
            keyword,
            f"to {recipients[0]}{more}" if recipients else "",
            f"relay={relay}" if relay else "",
            why,
        )
        return " · ".join([piece for piece in pieces if piece])
    if "from" in happened:
        size, count = text_of(_size(happened)), text_of(happened.get("nrcpts"))
        pieces = (
            f"from=<{from_of(happened)}>",
            f"size={size}" if size else "",
            f"nrcpts={count}" if count else "",
            f"relay={relay}" if relay else "",
        )
        return ", ".join([piece for piece in pieces if piece])
    line = record.data[: limits.COLUMN_CHARS]
    return (_PREFIX.sub("", line, count=1) or line).replace("\r", " ").replace("\n", " ")


def _size(happened: Mapping[str, Any]) -> int | None:
    size = number_of(happened.get("sizeBytes", happened.get("size")))
    return size if size is not None and size >= 0 else None


def _qid(happened: Mapping[str, Any]) -> str:
    return text_of(happened.get("qid"))


def _message_id(happened: Mapping[str, Any]) -> str:
    return bare(text_of(happened.get("msgid", happened.get("msgId"))))


def _cluster(record: Line) -> str:
    return record.metadata.origin.data.cid or record.pps.cid


def _times(record: Line) -> tuple[str, str]:
    return record.ts, record.data[:64].partition(" ")[0]


def _text(record: Line, happened: Mapping[str, Any]) -> tuple[str, bool]:
    line = record.data
    fields = [line]
    for value in happened.values():
        if isinstance(value, dict):
            value = list(value.values())
        for text in texts_of(value):
            # Most values stand in the line already, behind their names; the queue id before a colon.
            if f"={text}" not in line and f" {text}: " not in line:
                fields.append(text)
    return joined(fields)


def columns(record: Line, raw: bytes, arrived: int) -> Columns:
    rid, flags = identity(record.id, raw)
    time, more = time_or_arrival(_times(record), arrived)
    happened = happenings(record)
    sender, recipients = from_of(happened), to_of(happened)
    subject = story(record, happened)
    text, cut = _text(record, happened)
    flags |= more
    if cut:
        flags |= FLAG_TRUNCATED
    if hidden(sender, "", subject, recipients):
        flags |= FLAG_HIDDEN_CHARACTERS
    return Columns(
        MAILLOG,
        rid,
        time,
        _cluster(record),
        _qid(happened),
        _message_id(happened),
        sender,
        "",
        recipients,
        subject,
        relay_ip(happened),
        "",
        outcome(happened),
        "",
        stat_of(happened)[0],
        "",
        "",
        "",
        "",
        None,
        _size(happened),
        flags,
        text,
    )


def _fit(value: Mapping[str, Any]) -> Line:
    return fit(Line, value)


def _recipients(record: Line) -> tuple[str, ...]:
    found = to_of(happenings(record))[: limits.RECIPIENTS]
    return tuple(column(address) for address in found)


def _time(record: Line) -> int | None:
    return next((micros for text in _times(record) if (micros := moment(text)) is not None), None)


_PARTS: Final = ("sm", "data")

KIND: Final = Kind(
    name=MAILLOG,
    title="Mail Log",
    decode=msgspec.json.Decoder(Line).decode,
    fit=_fit,
    columns=columns,
    text=lambda record: _text(record, happenings(record))[0],
    summary=summary,
    named={
        "id": Named(("id",), lambda record: (short_id(record.id),)),
        "time": Named(("ts", "data"), lambda record: (_time(record),)),
        "cluster": Named(("metadata", "pps"), lambda record: (_cluster(record),)),
        "qid": Named(_PARTS, lambda record: (_qid(happenings(record)),)),
        "message_id": Named(_PARTS, lambda record: (_message_id(happenings(record)),)),
        "sender": Named(_PARTS, lambda record: (from_of(happenings(record)),)),
        "recipient": Named(_PARTS, _recipients),
        "subject": Named(_PARTS, lambda record: (story(record, happenings(record)),)),
        "ip": Named(_PARTS, lambda record: (relay_ip(happenings(record)),)),
        "outcome": Named(_PARTS, lambda record: (outcome(happenings(record)),)),
        "stat": Named(_PARTS, lambda record: (stat_of(happenings(record))[0],)),
        "size": Named(_PARTS, lambda record: (_size(happenings(record)),)),
        "dsn": Named(_PARTS, lambda record: (text_of(happenings(record).get("dsn")),)),
        "relay": Named(_PARTS, lambda record: (text_of(happenings(record).get("relay")),)),
        "mailer": Named(_PARTS, lambda record: (text_of(happenings(record).get("mailer")),)),
        "delay": Named(_PARTS, lambda record: (seconds(text_of(happenings(record).get("delay"))),)),
    },
)
