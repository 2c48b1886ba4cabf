"""A `maillog` record: a line of sendmail's log, and what it says."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple

import msgspec

from pod_desktop.content.fit import number_of, text_of, texts_of
from pod_desktop.content.kind import joined
from pod_desktop.content.mime import bare, split_addresses
from pod_desktop.core import limits
from pod_desktop.core.record import BOUNCED, DEFERRED, DELIVERED, DISCARDED, OTHER, REJECTED


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


class Said(NamedTuple):
    """What a line says, whatever release wrote it."""

    pairs: Mapping[str, Any]
    """All of it, as name=value."""
    qid: str
    sender: str
    recipients: tuple[str, ...]
    stat: str
    """Keyword of a to= line: `Sent`."""
    why: str
    """What stands behind the keyword: `Ok: queued`, `451 4.7.1 Greylisted`."""
    dsn: str
    relay: str


_PAIR: Final = re.compile(r"(?:^|, |: )([A-Za-z_]{1,32})=")
_PREFIX: Final = re.compile(r"^[^:]{0,100}(?::\d\d[^:]{0,100}){0,4}\[\d+\]: (?:(\S{1,100}): )?")
"""`<time> <host> sendmail[<pid>]: <queue id>: ` before what happened."""
_RELAY_IP: Final = re.compile(r"\[(?:IPv6:)?([0-9A-Fa-f:.]{2,45})\]")
_DELAY: Final = re.compile(r"(?:(\d{1,5})\+)?(\d{1,4}):(\d\d):(\d\d)")
_RELAY_CHARS: Final = 1_000
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
        "undeliverable",
    }
)
_MEMBERS: Final = ("qid", "from", "dsn", "relay")
_NOTHING: Final = ("", "", "", "")
_NO_STAT: Final = ("", "")
NOWHERE: Final = "/dev/null"


def understand(record: Line) -> Said:
    """What the line says: `sm`, or the pairs of the raw line where `sm` is missing."""
    pairs = record.sm or pairs_of(record.data)
    qid, sender, dsn, relay = map(pairs.get, _MEMBERS, _NOTHING)
    to = pairs.get("to")
    stat = pairs.get("stat")
    keyword, why = split_stat(stat if type(stat) is str else text_of(stat)) if stat is not None else _NO_STAT
    return Said(
        pairs,
        qid if type(qid) is str else text_of(qid),
        bare(sender if type(sender) is str else text_of(sender)),
        split_addresses(texts_of(to)) if to is not None else (),
        keyword,
        why,
        dsn if type(dsn) is str else text_of(dsn),
        relay if type(relay) is str else text_of(relay),
    )


def _text(pairs: Mapping[str, Any], name: str) -> str:
    value = pairs.get(name, "")
    return value if type(value) is str else text_of(value)


def pairs_of(line: str) -> dict[str, Any]:
    """What a raw line says, as name=value; the queue id as `qid`."""
    line = line[: limits.TEXT_FIELD_CHARS]
    found: dict[str, Any] = {}
    if (prefix := _PREFIX.match(line)) and prefix[1]:
        found["qid"] = prefix[1]
    matches = list(_PAIR.finditer(line))
    for match, follower in zip(matches, [*matches[1:], None]):
        value = line[match.end() : follower.start() if follower else None].strip(" ,")
        found.setdefault(_RENAMED.get(match[1], match[1]), value)
    return found


def split_stat(stat: str) -> tuple[str, str]:
    """(keyword, explanation) of `Sent (Ok: queued)` or `Deferred: 451 4.7.1 Greylisted`."""
    stat = stat[: limits.COLUMN_CHARS]
    bracket, colon = stat.find("("), stat.find(":")
    if bracket >= 0 and not 0 <= colon < bracket:
        return stat[:bracket].strip(), stat[bracket + 1 :].strip().removesuffix(")")
    if colon >= 0:
        return stat[:colon].strip(), stat[colon + 1 :].strip()
    return stat.strip(), ""


def outcome(said: Said) -> str:
    """What became of the mail by this line, of core.record.OUTCOMES.

    `to=/dev/null` is how the filter has sendmail drop a message that it has taken over: nobody gets that
    mail, so it is discarded although sendmail calls it sent.
    """
    if "reject" in said.pairs:
        return REJECTED
    keyword = said.stat.casefold()
    if not keyword:
        return OTHER
    if keyword == "sent":
        gone = said.recipients and all(recipient == NOWHERE for recipient in said.recipients)
        return DISCARDED if gone else DELIVERED
    if keyword == "deferred":
        return DEFERRED
    if said.dsn[:1] == "5" or keyword in _BOUNCES:
        return BOUNCED
    return DEFERRED if said.dsn[:1] == "4" else OTHER


def is_delivery(said: Said) -> bool:
    """Is it a to= line? Its relay is the server that the mail was handed to, not where it came from."""
    return bool(said.recipients or said.stat)


def source_ip(said: Said) -> str:
    """Where the mail came from, as far as the line tells.

    '' on delivery lines, and where the relay is the filter itself: mail that was filtered comes back to
    sendmail from there, and its sender's address is in the message record only.
    """
    if is_delivery(said) or "[" not in said.relay:
        return ""
    ip = _address_in(said.relay[:_RELAY_CHARS])
    return "" if ip.startswith("127.") or ip == "::1" else ip


def relay_ip(said: Said) -> str:
    """The address in `name. [192.0.2.1]` or `[IPv6:2001:db8::1]`."""
    return _address_in(said.relay[:_RELAY_CHARS]) if "[" in said.relay else ""


@lru_cache(maxsize=4_096)
def _address_in(relay: str) -> str:
    match = _RELAY_IP.search(relay)
    return match[1] if match else ""


def story(record: Line, said: Said) -> str:
    """One readable line of what happened."""
    relay = f"relay={said.relay}" if said.relay else ""
    if is_delivery(said):
        pieces = [said.stat] if said.stat else []
        if said.recipients:
            more = f" +{len(said.recipients) - 1}" if len(said.recipients) > 1 else ""
            pieces.append(f"to {said.recipients[0]}{more}")
        if relay:
            pieces.append(relay)
        if said.why:
            pieces.append(said.why)
        return " · ".join(pieces)
    if "from" in said.pairs:
        size, count = size_of(said), _text(said.pairs, "nrcpts")
        pieces = [f"from=<{said.sender}>"]
        if size is not None:
            pieces.append(f"size={size}")
        if count:
            pieces.append(f"nrcpts={count}")
        if relay:
            pieces.append(relay)
        return ", ".join(pieces)
    return happening(record).replace("\r", " ").replace("\n", " ")


def happening(record: Line) -> str:
    """The raw line without time, host and queue id."""
    line = record.data[: limits.COLUMN_CHARS]
    return _PREFIX.sub("", line, count=1) or line


def size_of(said: Said) -> int | None:
    size = said.pairs.get("sizeBytes", said.pairs.get("size"))
    if type(size) is str and len(size) <= 18 and size.isdigit() and size.isascii():
        return int(size)
    number = None if size is None else number_of(size)
    return number if number is not None and number >= 0 else None


def message_id(said: Said) -> str:
    return bare(_text(said.pairs, "msgid"))


def delay_of(said: Said, name: str = "delay") -> int | None:
    """Seconds of `HH:MM:SS` or `D+HH:MM:SS`."""
    if match := _DELAY.fullmatch(_text(said.pairs, name).strip()):
        return int(match[1] or 0) * 86_400 + int(match[2]) * 3_600 + int(match[3]) * 60 + int(match[4])
    return None


def mailer(said: Said) -> str:
    return _text(said.pairs, "mailer")


def cluster(record: Line) -> str:
    return record.metadata.origin.data.cid or record.pps.cid


def times(record: Line) -> tuple[str, str]:
    return record.ts, record.data[:64].partition(" ")[0]


def search_text(record: Line, said: Said) -> tuple[str, bool]:
    """The raw line, and what `sm` has that does not stand in it; and whether that was cut."""
    line = record.data
    more: list[str] = []
    for value in said.pairs.values():
        if type(value) is str:
            if value not in line:
                more.append(value)
            continue
        if isinstance(value, dict):
            value = list(value.values())
        more += [text for text in texts_of(value) if text not in line]
    if not more and len(line) <= limits.TEXT_FIELD_CHARS:
        return line, False
    return joined((line, *more))
