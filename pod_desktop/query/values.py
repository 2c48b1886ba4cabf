"""A value as typed -> a test, by the type of its field (query.fields says what each type means)."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import tzinfo
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


@dataclass(frozen=True, slots=True)
class Now:
    """What times are relative to."""

    micros: int
    zone: tzinfo


def every(parts: Iterable[Node]) -> Node:
    """All of these; flat, each once, and alone if it is one."""
    flat = _once(inner for part in parts for inner in (part.parts if isinstance(part, And) else (part,)))
    return flat[0] if len(flat) == 1 else And(flat)


def either(parts: Iterable[Node]) -> Node:
    """Any of these; flat, each once, and alone if it is one."""
    flat = _once(inner for part in parts for inner in (part.parts if isinstance(part, Or) else (part,)))
    return flat[0] if len(flat) == 1 else Or(flat)


def _once(parts: Iterable[Node]) -> tuple[Node, ...]:
    return tuple(dict.fromkeys(parts))


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
    if not literal_of(token.pieces) and ANY not in token.pieces and not any(token.pieces):
        return is_missing(name)
    if field is None:
        return Term(name, _path_test(token))
    return _BY_TYPE[field.type](field, token, now)


def free_text(token: Token) -> Text:
    """Words without a field."""
    words, phrase = _words(token)
    return Text(words, phrase)


def literal_of(pieces: Sequence[str | Mark]) -> str:
    return "".join(piece for piece in pieces if isinstance(piece, str))


def has_marks(token: Token) -> bool:
    return any(isinstance(piece, Mark) for piece in token.pieces)


def _words(token: Token) -> tuple[str, bool]:
    """The words and whether they are a phrase (tree.Text)."""
    literal = literal_of(token.pieces)
    if token.kind is Kind.PHRASE:
        return literal, True
    stars = "*" in literal or "?" in literal
    if not has_marks(token):
        return literal, stars
    if stars:
        raise wrong(
            token, r"A wildcard and an escaped \* or \? in one word.", "Write ? for the escaped character."
        )
    if not literal:
        raise wrong(token, "Only wildcards.", "Write at least one letter beside them.")
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
    return Equals(literal_of(kept))


def _path_test(token: Token) -> Test:
    literal = literal_of(token.pieces)
    if token.kind is Kind.WORD and "/" in literal and not has_marks(token):
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
    kind, colon, rid = literal_of(pieces).partition(":")
    is_record_id = kind.casefold() in _KINDS and rid.partition(":")[0].casefold() not in _KINDS
    if field.name == "id" and colon and rid and is_record_id and not has_marks(token):
        return And((Term("type", Equals(kind.casefold())), Term("id", Equals(rid))))
    if field.name == "index":
        return _index_node(field, token)
    return Term(field.name, _whole(pieces))


def _index_node(field: Field, token: Token) -> Node:
    """`index:message` means the type: the indexes of the window and of --index have these names.

    Raises:
        QueryFault: no record is in an index of that name.
    """
    test = _whole(token.pieces)
    (index,) = field.choices
    if isinstance(test, Equals):
        folded = test.value.casefold()
        if folded in _KINDS:
            return Term("type", Equals(folded))
        if folded == index.casefold():
            return Term(field.name, test)
    elif isinstance(test, Like) and like_test(test.pattern)(index):
        return Term(field.name, test)
    near = nearest(token.text, _KINDS)
    hint = f"Did you mean type:{near}? " if near else ""
    raise wrong(
        token,
        f"No record is in an index {quoted(token.text)}.",
        f"{hint}All are in {index}; type: tells {', '.join(CONTENT_TYPES)} apart.",
    )


_KINDS: Final = (*CONTENT_TYPES, UNREADABLE)


def _address_node(field: Field, token: Token, now: Now) -> Node:
    """`<a@b>` is a@b; `@bad.example` is anybody there, as no address begins with @."""
    pieces = _unbracketed(token.pieces)
    if not pieces or pieces == (ANY,):
        return Term(field.name, Exists()) if pieces else is_missing(field.name)
    if isinstance(pieces[0], str) and pieces[0].startswith("@") and len(literal_of(pieces)) > 1:
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
    if has_marks(token):
        return Term(field.name, _whole(token.pieces))
    domain = literal_of(token.pieces)
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
    raise wrong(token, f"{quoted(written)} is no {field.title.lower()}.", hint)


def _number_node(field: Field, token: Token, now: Now) -> Node:
    return Term(field.name, Equals(written_number(number_of(field, token))))


def _time_node(field: Field, token: Token, now: Now) -> Node:
    span = span_of(token, now)
    if span.is_moment and "now" in token.text.casefold():
        raise wrong(token, "A single moment has no records.", f"Write time:>={token.text}")
    return Term(field.name, Range(span.start, span.end, True, False))


def _ip_node(field: Field, token: Token, now: Now) -> Node:
    if has_marks(token):
        return Term(field.name, _whole(token.pieces))
    literal = literal_of(token.pieces)
    if "/" in literal:
        try:
            return Term(field.name, Network(str(ipaddress.ip_network(literal.strip("[]"), strict=False))))
        except ValueError:
            raise wrong(token, f"{quoted(literal)} is no network.", "Write for example 10.0.0.0/8.") from None
    address = address_of(token)
    if isinstance(address, ipaddress.IPv6Address):  # written in many ways, so compared by value
        return Term(field.name, Network(f"{address}/128"))
    return Term(field.name, Equals(str(address)))


def address_of(token: Token) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    literal = literal_of(token.pieces).strip("[]")
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
        raise wrong(token, f"{quoted(literal)} is no IP address.", hint) from None
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
        raise wrong(
            token, f"{field.title} takes no regular expression.", f"Write {field.name}:[low TO high]."
        )
    if not token.text:
        raise wrong(token, "The regular expression is empty.", f"Write for example {_name(field)}:/inv.*/")
    if len(token.text) > REGEX_CHARS:
        raise wrong(token, f"The regular expression is longer than {REGEX_CHARS} characters.", "Shorten it.")
    try:
        compile_regex(token.text)
    except ValueError as error:
        raise wrong(
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


def number_of(field: Field, token: Token) -> Number:
    literal = "" if has_marks(token) else literal_of(token.pieces).strip()
    number = as_number(literal)
    if number is None and field.unit == "bytes":
        number = _bytes(literal)
    if number is None and field.unit == "seconds":
        number = _seconds(literal)
    if number is None:
        examples = {"bytes": "500KB or 10MB", "seconds": "90, 5m or 00:05:00", "": "40"}[field.unit]
        raise wrong(
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


def span_of(token: Token, now: Now) -> Span:
    if not has_marks(token):
        try:
            span = parse_time(literal_of(token.pieces), now.micros, now.zone)
            return Span(*(max(FIRST, min(end, LAST)) for end in span))
        except ValueError:
            pass
    hint = "Write for example 2026-11-24, 2026-11-24T09:00+01:00 or now-15m."
    if re.fullmatch(r"\d{1,6}[smhdwMy]", token.text):
        hint = f"Write now-{token.text}."
    raise wrong(token, f"{quoted(token.text)} is not a time.", hint)


def wrong(token: Token, what: str, hint: str = "") -> QueryFault:
    return fault(token.start, token.end, what, hint)
