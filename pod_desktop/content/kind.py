"""What a content type is for this room, and what all of them share: identity, time, limits."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import blake2b
from typing import Any, Final, NamedTuple

from pod_desktop.content.offers import Offer
from pod_desktop.core import limits
from pod_desktop.core.blocks import Block
from pod_desktop.core.clock import SECOND, parse_iso
from pod_desktop.core.record import FLAG_NO_ID, FLAG_TIME_GUESSED, Columns, EventRow
from pod_desktop.core.text import hides

Values = tuple[str | int | float, ...]
LATEST: Final = 7_258_118_400 * SECOND
"""2200-01-01. Times before 1970 or from here on are no times of mail; the time of arrival stands in."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_ZONES: Final = frozenset("+-Z")


class Named(NamedTuple):
    """A field that people ask for by name."""

    parts: tuple[str, ...]
    """Top-level members of the record that it is read from; the others need not be fitted."""
    get: Callable[[Any], Iterable[str | int | float | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One content type: everything that differs between types, in one value."""

    name: str
    title: str
    columns: Callable[[Any, bytes, int], Columns]
    """(record, raw, time of arrival): what lists and filters need."""
    fit: Callable[[Mapping[str, Any]], Any]
    """The record of a clean document of any shape."""
    decode: Callable[[bytes], Any] | None = None
    """The record straight from bytes; raises where types are not the usual ones."""
    named: Mapping[str, Named] = field(default_factory=dict)
    paths: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Fields that are the values at JSON paths."""
    text: Callable[[Any], str] = lambda record: ""
    """Words that free-text search looks in."""
    summary: Callable[[Any, Columns | EventRow], tuple[Block, ...]] = lambda value, columns: ()
    offers: Callable[[Any], Iterable[Offer]] = lambda value: ()
    """Values that an action may take, of a clean document."""


def raw_id(raw: bytes) -> str:
    """Identity of a record that carries none: 32 hexadecimal digits."""
    return blake2b(raw, digest_size=16).hexdigest()


def identity(own: str, raw: bytes) -> tuple[str, int]:
    """(rid, flags) from the record's own id."""
    if not own.strip():
        return raw_id(raw), FLAG_NO_ID
    return short_id(own), 0


def short_id(own: str) -> str:
    """The id itself, or its hash where it is longer than a column: cut ids would not stay unique."""
    return own if len(own) <= limits.COLUMN_CHARS else raw_id(own.encode("utf-8", "replace"))


def moment(text: str) -> int | None:
    """Microseconds UTC of a time as records write it; None where it cannot be read or is absurd."""
    usual = len(text) <= 32 and text[26:27] in _ZONES and text[19] == "." and text.isascii()
    # As the service writes times: all but the fraction is the same for many records of one second.
    start = _whole_second(text[:19] + text[26:]) if usual and text[20:26].isdigit() else None
    if start is not None:
        micros = start + int(text[20:26])
        return micros if 0 <= micros < LATEST else None
    if not 4 < len(text) <= 64:
        return None
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        return _unusual_moment(text)
    since = read - _EPOCH if read.tzinfo else read.replace(tzinfo=UTC) - _EPOCH
    micros = (since.days * 86_400 + since.seconds) * SECOND + since.microseconds
    return micros if 0 <= micros < LATEST else None


@lru_cache(maxsize=4_096)
def _whole_second(text: str) -> int | None:
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        return None
    since = read - _EPOCH
    return (since.days * 86_400 + since.seconds) * SECOND


def _unusual_moment(text: str) -> int | None:
    try:
        micros = parse_iso(text)
    except ValueError:
        micros = _epoch_moment(text)
    return micros if 0 <= micros < LATEST else None


def _epoch_moment(text: str) -> int:
    """Seconds, milliseconds or microseconds since 1970, told apart by their size; -1 for anything else."""
    try:
        number = float(text)
    except ValueError:
        return -1
    for unit in (SECOND, 1_000, 1):
        if 10**8 * SECOND <= number * unit < LATEST:
            return int(number * unit)
    return -1


def first_moment(candidates: Iterable[str]) -> int | None:
    """The first of the times that can be read."""
    for text in candidates:
        if (micros := moment(text)) is not None:
            return micros
    return None


def time_or_arrival(candidates: Iterable[str], arrived: int) -> tuple[int, int]:
    """(time, flags): the first time that can be read, else the time of arrival."""
    micros = first_moment(candidates)
    return (arrived, FLAG_TIME_GUESSED) if micros is None else (micros, 0)


def joined(fields: Iterable[str]) -> tuple[str, bool]:
    """(search text, was it cut): one field after the other, each and all within their limits, none twice."""
    lines = dict.fromkeys(fields)
    lines.pop("", None)
    text = "\n".join(lines)
    if len(text) <= limits.TEXT_FIELD_CHARS:
        return text, False
    short = "\n".join([line[: limits.TEXT_FIELD_CHARS] for line in lines])
    return short[: limits.TEXT_CHARS], len(short) < len(text) or len(short) > limits.TEXT_CHARS


def column(text: str) -> str:
    """A text as the store's column holds it."""
    return text if len(text) <= limits.COLUMN_CHARS else text[: limits.COLUMN_CHARS]


def hidden(sender: str, header_from: str, subject: str, recipients: tuple[str, ...]) -> bool:
    """Do the parts that people read hold characters that they cannot see?"""
    to = recipients[0] if len(recipients) == 1 else " ".join(recipients)
    return hides(f"{sender} {header_from} {subject} {to}")
