"""A value as typed -> a test, by the type of its field (query.fields says what each type means)."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from functools import partial
from typing import Final

from pod_desktop.core.clock import SECOND, parse_span
from pod_desktop.core.limits import REGEX_CHARS
from pod_desktop.core.record import CONTENT_TYPES, UNREADABLE
from pod_desktop.query.fault import QueryFault, fault, nearest, quoted
from pod_desktop.query.fields import FIELDS, Field
from pod_desktop.query.lexer import Kind, Token
from pod_desktop.query.matching import as_number, compile_regex, like_test
from pod_desktop.query.times import FIRST, LAST, Span, parse_time
from pod_desktop.query.tree import (
    ANY,
    And,
    Equals,
    Exists,
    Like,
    Mark,
    Network,
    Node,
    Not,
    Or,
    Range,
    Regex,
    Term,
    Test,
    Text,
    Words,
)

Number = int | float
Bound = Number | str | None


@dataclass(frozen=True, slots=True)
class Now:
    """What times are relative to."""

    micros: int
    zone: tzinfo


def every(parts: Iterable[Node]) -> Node:
    """All of these; flat, and alone if it is one."""
    flat = [inner for part in parts for inner in (part.parts if isinstance(part, And) else (part,))]
    return flat[0] if len(flat) == 1 else And(tuple(flat))


def either(parts: Iterable[Node]) -> Node:
    """Any of these; flat, and alone if it is one."""
    flat = [inner for part in parts for inner in (part.parts if isinstance(part, Or) else (part,))]
    return flat[0] if len(flat) == 1 else Or(tuple(flat))


def is_missing(name: str) -> Node:
    """`field:""`: the record has no such field, or an empty one."""
    return Not(Term(name, Exists()))


# ---- one value


def value_node(name: str, token: Token, now: Now) -> Node:
    """What `name:value` means, for one of the tree's names.

    Raises:
        QueryFault: the value does not fit the field.
    """
    field = FIELDS.get(name)
    if token.kind is Kind.REGEX:
        return Term(name, _regex(field, token))
    if token.pieces == (ANY,):
        return Term(name, Exists())
    if not _literal(token.pieces) and ANY not in token.pieces and not any(token.pieces):
        return is_missing(name)
    if field is None:
        return Term(name, _path_test(token))
    return _BY_TYPE[field.type](field, token, now)


def free_text(token: Token) -> Text:
    """Words without a field."""
    words, phrase = _words(token)
    return Text(words, phrase)


def _literal(pieces: Sequence[str | Mark]) -> str:
    return "".join(piece for piece in pieces if isinstance(piece, str))


def _has_marks(token: Token) -> bool:
    return any(isinstance(piece, Mark) for piece in token.pieces)


def _words(token: Token) -> tuple[str, bool]:
    """The words and whether they are a phrase (tree.Text)."""
    literal = _literal(token.pieces)
    if token.kind is Kind.PHRASE:
        return literal, True
    stars = "*" in literal or "?" in literal
    if not _has_marks(token):
        return literal, stars
    if stars:
        raise _at(
            token, r"A wildcard and an escaped \* or \? in one word.", "Write ? for the escaped character."
        )
    if not literal:
        raise _at(token, "Only wildcards.", "Write at least one letter beside them.")
    return "".join(_wild(piece) for piece in token.pieces), False


def _wild(piece: str | Mark) -> str:
    if isinstance(piece, str):
        return piece
    return "*" if piece is ANY else "?"


def _whole(pieces: Sequence[str | Mark]) -> Test:
    """Equals or Like, the whole value."""
    kept = tuple(piece for piece in pieces if piece)
    if any(isinstance(piece, Mark) for piece in kept):
        return Like(kept)
    return Equals(_literal(kept))


def _path_test(token: Token) -> Test:
    literal = _literal(token.pieces)
    if token.kind is Kind.WORD and "/" in literal and not _has_marks(token):
        try:
            return Network(str(ipaddress.ip_network(literal, strict=False)))
        except ValueError:
            pass
    return _whole(token.pieces)


def _text_node(field: Field, token: Token, now: Now) -> Node:
    return Term(field.name, Words(*_words(token)))


def _name_node(field: Field, token: Token, now: Now) -> Node:
    pieces = _unbracketed(token.pieces) if field.name == "message_id" else token.pieces
    if not pieces or pieces == (ANY,):
        return Term(field.name, Exists()) if pieces else is_missing(field.name)
    kind, colon, rid = _literal(pieces).partition(":")
    is_record_id = kind.casefold() in _KINDS and rid.partition(":")[0].casefold() not in _KINDS
    if field.name == "id" and colon and rid and is_record_id and not _has_marks(token):
        return And((Term("type", Equals(kind.casefold())), Term("id", Equals(rid))))
    return Term(field.name, _whole(pieces))


_KINDS: Final = (*CONTENT_TYPES, UNREADABLE)


def _address_node(field: Field, token: Token, now: Now) -> Node:
    """`<a@b>` is a@b; `@bad.example` is anybody there, as no address begins with @."""
    pieces = _unbracketed(token.pieces)
    if not pieces or pieces == (ANY,):
        return Term(field.name, Exists()) if pieces else is_missing(field.name)
    if isinstance(pieces[0], str) and pieces[0].startswith("@") and len(_literal(pieces)) > 1:
        pieces = (ANY, *pieces)
    return Term(field.name, _whole(pieces))


def _unbracketed(pieces: tuple[str | Mark, ...]) -> tuple[str | Mark, ...]:
    """Without the angle brackets around the whole, however many."""
    while pieces:
        first, last = pieces[0], pieces[-1]
        if not (isinstance(first, str) and isinstance(last, str) and first[:1] == "<" and last[-1:] == ">"):
            break
        inner = (first[1:-1],) if len(pieces) == 1 else (first[1:], *pieces[1:-1], last[:-1])
        pieces = tuple(piece for piece in inner if piece)
    return pieces


def _domain_node(field: Field, token: Token, now: Now) -> Node:
    if _has_marks(token):
        return Term(field.name, _whole(token.pieces))
    domain = _literal(token.pieces)
    return Term(field.name, Equals(domain.lstrip("@").rstrip(".") or domain))


def _choice_node(field: Field, token: Token, now: Now) -> Node:
    test = _whole(token.pieces)
    if isinstance(test, Equals):
        folded = test.value.casefold()
        if folded in field.choices:
            return Term(field.name, Equals(folded))
    elif isinstance(test, Like) and any(map(like_test(test.pattern), field.choices)):
        return Term(field.name, test)
    written = token.text
    near = nearest(written, field.choices)
    all_of_them = "One of: " + ", ".join(field.choices) + "."
    hint = f"Did you mean {near}? {all_of_them}" if near else all_of_them
    raise _at(token, f"{quoted(written)} is no {field.title.lower()}.", hint)


def _number_node(field: Field, token: Token, now: Now) -> Node:
    return Term(field.name, Equals(written_number(_number(field, token))))


def _time_node(field: Field, token: Token, now: Now) -> Node:
    span = _span(token, now)
    if span.is_moment and "now" in token.text.casefold():
        raise _at(token, "A single moment has no records.", f"Write time:>={token.text}")
    return Term(field.name, Range(span.start, span.end, True, False))


def _ip_node(field: Field, token: Token, now: Now) -> Node:
    if _has_marks(token):
        return Term(field.name, _whole(token.pieces))
    literal = _literal(token.pieces)
    if "/" in literal:
        try:
            return Term(field.name, Network(str(ipaddress.ip_network(literal.strip("[]"), strict=False))))
        except ValueError:
            raise _at(token, f"{quoted(literal)} is no network.", "Write for example 10.0.0.0/8.") from None
    address = _address(token)
    if isinstance(address, ipaddress.IPv6Address):  # written in many ways, so compared by value
        return Term(field.name, Network(f"{address}/128"))
    return Term(field.name, Equals(str(address)))


def _address(token: Token) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    literal = _literal(token.pieces).strip("[]")
    if literal[:5].casefold() == "ipv6:":
        literal = literal[5:]
    try:
        address = ipaddress.ip_address(literal)
    except ValueError:
        parts = literal.rstrip(".").split(".")
        partial = len(parts) < 4 and all(part.isdecimal() for part in parts)
        hint = (
            f"Write {'.'.join(parts)}.* or 10.0.0.0/8."
            if partial
            else "Write 10.1.2.3, 10.0.0.0/8 or 2001:db8::/32."
        )
        raise _at(token, f"{quoted(literal)} is no IP address.", hint) from None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


_BY_TYPE: Final[dict[str, Callable[[Field, Token, Now], Node]]] = {
    "text": _text_node,
    "address": _address_node,
    "domain": _domain_node,
    "name": _name_node,
    "choice": _choice_node,
    "number": _number_node,
    "time": _time_node,
    "ip": _ip_node,
}


def _regex(field: Field | None, token: Token) -> Regex:
    if field is not None and field.type in {"number", "time"}:
        raise _at(token, f"{field.title} takes no regular expression.", f"Write {field.name}:[low TO high].")
    if not token.text:
        raise _at(token, "The regular expression is empty.", f"Write for example {_name(field)}:/inv.*/")
    if len(token.text) > REGEX_CHARS:
        raise _at(token, f"The regular expression is longer than {REGEX_CHARS} characters.", "Shorten it.")
    try:
        compile_regex(token.text)
    except ValueError as error:
        raise _at(
            token, f"The regular expression is not valid: {error}.", "RE2 syntax; no look-around."
        ) from None
    return Regex(token.text)


def _name(field: Field | None) -> str:
    return field.name if field else "path"


# ---- numbers and times

_SIZE: Final = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?)i?b?", re.ASCII | re.IGNORECASE)
_CLOCK: Final = re.compile(r"(?:(\d{1,5})\+)?(\d{1,4}):(\d\d)(?::(\d\d))?", re.ASCII)


def written_number(number: Number) -> str:
    """A number as Equals holds it: no exponent where it is whole and fits 64 bits."""
    return str(number) if isinstance(number, int) else repr(number)


def _number(field: Field, token: Token) -> Number:
    literal = "" if _has_marks(token) else _literal(token.pieces).strip()
    number = as_number(literal)
    if number is None and field.unit == "bytes":
        number = _bytes(literal)
    if number is None and field.unit == "seconds":
        number = _seconds(literal)
    if number is None:
        examples = {"bytes": "500KB or 10MB", "seconds": "90, 5m or 00:05:00", "": "40"}[field.unit]
        raise _at(
            token, f"{quoted(token.text)} is not a number.", f"Write for example {field.name}:>={examples}."
        )
    return number


def _bytes(text: str) -> Number | None:
    found = _SIZE.fullmatch(text)
    if not found or len(found[1]) > 30:
        return None
    factor = 1024 ** " kmgt".index(found[2].lower() or " ")
    whole = float(found[1]) * factor
    return int(whole) if whole < 2**63 else whole


def _seconds(text: str) -> Number | None:
    if found := _CLOCK.fullmatch(text):
        days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
        return ((days * 24 + hours) * 60 + minutes) * 60 + seconds
    try:
        return parse_span(text) // SECOND
    except ValueError:
        return None


def _span(token: Token, now: Now) -> Span:
    if not _has_marks(token):
        try:
            span = parse_time(_literal(token.pieces), now.micros, now.zone)
            return Span(*(max(FIRST, min(end, LAST)) for end in span))
        except ValueError:
            pass
    hint = "Write for example 2026-11-24, 2026-11-24T09:00+01:00 or now-15m."
    if re.fullmatch(r"\d{1,6}[smhdwMy]", token.text):
        hint = f"Write now-{token.text}."
    raise _at(token, f"{quoted(token.text)} is not a time.", hint)


# ---- ranges


def compare_node(name: str, operator: Token, token: Token, now: Now) -> Node:
    """What `name:>=value` means."""
    is_low, included = operator.text[0] == ">", operator.text.endswith("=")
    if is_low:
        return range_node(name, token, None, (included, True), operator, now)
    return range_node(name, None, token, (True, included), operator, now)


def range_node(
    name: str, low: Token | None, high: Token | None, included: tuple[bool, bool], whole: Token, now: Now
) -> Node:
    """What `name:[low TO high]` means; None is open. `whole` is where a fault of both is shown.

    Raises:
        QueryFault: a bound does not fit the field, or nothing can lie between them.
    """
    low, high = (None if bound is None or bound.pieces == (ANY,) else bound for bound in (low, high))
    for bound in (low, high):
        if bound is not None and (_has_marks(bound) or not _literal(bound.pieces)):
            raise _at(bound, "This is no end of a range.", "Write a whole value, or * for an open end.")
    if low is None and high is None:
        return Term(name, Exists())
    field = FIELDS.get(name)
    kind = field.type if field else "path"
    if field is not None and kind == "choice":
        raise _at(whole, f"{field.title} has no order.", f"Write {name}:(a OR b).")
    if kind == "ip":
        return _ip_range(name, low, high, included, whole)
    if kind == "time":
        return Term(name, _time_range(low, high, included, whole, now))
    bounds = _bounds(field, low, high)
    _check_order(bounds[0], bounds[1], included, whole)
    return Term(
        name,
        Range(*bounds, included[0] if low is not None else True, included[1] if high is not None else True),
    )


def _bounds(field: Field | None, low: Token | None, high: Token | None) -> tuple[Bound, Bound]:
    """Both ends as numbers, or both as text."""
    read: Callable[[Token], Bound] = _text_bound
    if field is not None and field.type == "number":
        read = partial(_number, field)
    elif field is None:
        for bound in (low, high):
            if bound is not None and re.match(r"now(?:[-+/]|$)", bound.text):
                raise _at(bound, "Date math works with the field time only.", f"Write time:>={bound.text}.")
        if all(_path_number(bound) is not None for bound in (low, high) if bound is not None):
            read = _path_number
    return (None if low is None else read(low), None if high is None else read(high))


def _text_bound(token: Token) -> str:
    return _literal(token.pieces)


def _path_number(token: Token) -> Number | None:
    """The number at a path's bound; in quotes it is text."""
    return as_number(_literal(token.pieces)) if token.kind is Kind.WORD else None


def _check_order(low: Bound, high: Bound, included: tuple[bool, bool], whole: Token) -> None:
    if low is None or high is None:
        return
    a, b = (bound.casefold() if isinstance(bound, str) else bound for bound in (low, high))
    if a > b or (a == b and included != (True, True)):  # type: ignore[operator]
        raise _nothing_between(whole)


def _nothing_between(whole: Token) -> QueryFault:
    return _at(whole, "Nothing lies between these ends.", "Write the lower end first.")


def _time_range(
    low: Token | None, high: Token | None, included: tuple[bool, bool], whole: Token, now: Now
) -> Range:
    start = end = None
    if low is not None:
        span = _span(low, now)
        start = span.start if included[0] else span.end
    if high is not None:
        span = _span(high, now)
        end = span.end if included[1] else span.start
    if start is not None and end is not None and start >= end:
        raise _nothing_between(whole)
    return Range(start, end, True, end is None)


def _ip_range(
    name: str, low: Token | None, high: Token | None, included: tuple[bool, bool], whole: Token
) -> Node:
    if low is None or high is None:
        raise _at(
            whole,
            "A range of addresses needs both ends.",
            "Write ip:[10.0.0.1 TO 10.0.0.9] or ip:10.0.0.0/8.",
        )
    first, last = _address(low), _address(high)
    if first.version != last.version:
        raise _at(whole, "One end is IPv4, the other IPv6.")
    start, end = int(first) + (not included[0]), int(last) - (not included[1])
    if start > end:
        raise _nothing_between(whole)
    make = type(first)
    networks = ipaddress.summarize_address_range(make(start), make(end))
    return either(Term(name, Network(str(network))) for network in networks)


def _at(token: Token, what: str, hint: str = "") -> QueryFault:
    return fault(token.start, token.end, what, hint)
