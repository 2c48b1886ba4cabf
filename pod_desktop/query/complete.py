"""Help while a query is being typed: what could come next, and what each piece already typed is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, Literal, NamedTuple

from pod_desktop.core.limits import QUERY_CHARS
from pod_desktop.query.fields import ALIASES, EXISTS, FIELDS, TOP_KEYS, Field, resolve
from pod_desktop.query.lexer import Kind, Token, tokens
from pod_desktop.query.render import value_text

Role = Literal["field", "operator", "keyword", "string", "number", "error"]
ValuesSeen = Callable[[str, str], list[str]]
"""(field of the tree, what is typed of the value) -> values seen in records, best first."""

_OFFERED: Final = 50
_TIMES: Final = (
    (">=now-15m", "the last 15 minutes"),
    (">=now-1h", "the last hour"),
    (">=now-24h", "the last 24 hours"),
    (">=now-7d", "the last 7 days"),
    ("now/d", "today"),
    ("now-1d/d", "yesterday"),
    ("now/w", "this week"),
)
_NUMBERS: Final = ((">=", "at least"), (">", "more than"), ("<=", "at most"), ("<", "less than"))
_JOINING: Final = (
    ("AND", "both sides match"),
    ("OR", "either side matches"),
    ("NOT", "the next term does not match"),
)


class Completion(NamedTuple):
    """Replace text[start:end] by `insert`."""

    start: int
    end: int
    insert: str
    label: str
    """What the list shows; for values as they are, so show it as outside text."""
    detail: str


class Span(NamedTuple):
    """text[start:end] has this role; text between spans has none."""

    start: int
    end: int
    role: Role


def complete(text: str, cursor: int, values: ValuesSeen) -> list[Completion]:
    """What could stand at the cursor, best first; replaces the piece of text the cursor is in.

    Args:
        text: the query, finished or not.
        cursor: index into it.
        values: asked for fields whose values nobody can list; must be quick.
    """
    if len(text) > QUERY_CHARS:
        return []
    cursor = max(0, min(cursor, len(text)))
    before = tokens(text[:cursor])
    typed = before[-1] if before and before[-1].end == cursor else None
    end = _end_of_piece(text, cursor, typed)
    owner = _owner(before, typed)
    if typed is not None and typed.kind in {Kind.FIELD, Kind.COMPARE}:
        owner, start, prefix = (owner or _name_of(before, typed)), cursor, ""
    elif typed is not None and typed.kind in {Kind.WORD, Kind.PHRASE, Kind.AND, Kind.OR, Kind.NOT, Kind.TO}:
        start, prefix = typed.start, _prefix(typed)
    else:
        start, prefix = cursor, ""
    after_term = _after_term(before, typed)
    if owner == EXISTS:
        return [
            _exists(field, start, end)
            for field in FIELDS.values()
            if field.name.startswith(prefix.casefold())
        ]
    if owner is not None:
        compared = _is_bound(before)
        joints = _joints(prefix, start, end) if after_term else []
        return joints + _of_field(owner, prefix, start, end, values, compared=compared)
    if typed is not None and typed.kind is Kind.PHRASE:
        return []
    return _names_and_joints(prefix, start, end, after_term=after_term)


def spans(text: str) -> list[Span]:
    """The roles of the pieces of a query, finished or not, in order and without overlap."""
    found: list[Span] = []
    if len(text) > QUERY_CHARS:
        return [Span(QUERY_CHARS, len(text), "error")]
    depth: list[int] = []
    for token in tokens(text):
        if token.kind is Kind.OPEN:
            depth.append(len(found))
        elif token.kind is Kind.CLOSE and depth:
            depth.pop()
        elif token.kind is Kind.CLOSE:
            found.append(Span(token.start, token.end, "error"))
            continue
        found.extend(_coloured(token))
    for unclosed in depth:
        found[unclosed] = found[unclosed]._replace(role="error")
    return found


# ---- completion


def _end_of_piece(text: str, cursor: int, typed: Token | None) -> int:
    """Where the piece ends that the cursor is in; a name's colon behind it is replaced too."""
    if typed is not None and typed.kind is Kind.PHRASE and typed.problem and text[cursor : cursor + 1] == '"':
        return cursor + 1
    if typed is None or typed.kind not in {Kind.WORD, Kind.AND, Kind.OR, Kind.NOT, Kind.TO}:
        return cursor
    for token in tokens(text):
        if token.start <= typed.start < token.end and token.kind in {
            Kind.WORD,
            Kind.FIELD,
            Kind.AND,
            Kind.OR,
            Kind.NOT,
        }:
            return max(cursor, token.end)
    return cursor


def _owner(before: list[Token], typed: Token | None) -> str | None:
    """The typed name of the field whose value stands at the cursor, if one does."""
    left = before[:-1] if typed is not None and typed.kind is not Kind.OPEN else before
    closed = 0
    for index in range(len(left) - 1, -1, -1):
        token = left[index]
        if token.kind is Kind.FIELD and (index == len(left) - 1 or _leads_to_value(left[index + 1 :])):
            return token.text
        if token.kind is Kind.CLOSE:
            closed += 1
        elif token.kind is Kind.OPEN and closed:
            closed -= 1
        elif token.kind is Kind.OPEN and index and left[index - 1].kind is Kind.FIELD:
            return left[index - 1].text
    return None


def _is_bound(before: list[Token]) -> bool:
    """Whether the value at the cursor is an end of a range."""
    for token in reversed(before):
        if token.kind in {Kind.COMPARE, Kind.RANGE_OPEN}:
            return True
        if token.kind in {Kind.FIELD, Kind.RANGE_CLOSE}:
            return False
    return False


def _leads_to_value(between: list[Token]) -> bool:
    kinds = [token.kind for token in between]
    return kinds in ([Kind.COMPARE], [Kind.RANGE_OPEN]) or (
        kinds[:1] == [Kind.RANGE_OPEN] and kinds[-1] in {Kind.TO, Kind.WORD, Kind.PHRASE} and len(kinds) <= 3
    )


def _name_of(before: list[Token], typed: Token) -> str | None:
    if typed.kind is Kind.FIELD:
        return typed.text
    return before[-2].text if len(before) > 1 and before[-2].kind is Kind.FIELD else None


def _prefix(typed: Token) -> str:
    if typed.kind is Kind.PHRASE:
        return "".join(piece for piece in typed.pieces if isinstance(piece, str))
    return typed.text


def _of_field(
    typed: str, prefix: str, start: int, end: int, values: ValuesSeen, *, compared: bool
) -> list[Completion]:
    names = resolve(typed)
    if not names:
        return []
    field = FIELDS.get(names[0])
    found: list[Completion] = []
    if field is not None and not compared and field.type in {"time", "number"}:
        offers = _TIMES if field.type == "time" else _NUMBERS
        found += [
            Completion(start, end, word, word, detail) for word, detail in offers if word.startswith(prefix)
        ]
    elif field is not None and compared and field.type == "time":
        words = [(word.removeprefix(">="), detail) for word, detail in _TIMES]
        found += [
            Completion(start, end, word, word, detail) for word, detail in words if word.startswith(prefix)
        ]
    folded = prefix.casefold()
    known = [choice for choice in (field.choices if field else ()) if choice.casefold().startswith(folded)]
    if field is None or field.type not in {"time", "choice"}:
        known += [value for name in names for value in values(name, prefix)]
    details = field.title if field else "value seen"
    found += [
        Completion(start, end, value_text(names[0], value), value, details) for value in _once(known) if value
    ]
    return found[:_OFFERED]


def _once(values: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(values))


def _exists(field: Field, start: int, end: int) -> Completion:
    return Completion(start, end, field.name, field.name, field.help)


def _after_term(before: list[Token], typed: Token | None) -> bool:
    place = before[:-1] if typed is not None and typed.kind is not Kind.CLOSE else before
    return bool(place) and place[-1].kind in {
        Kind.WORD,
        Kind.PHRASE,
        Kind.REGEX,
        Kind.CLOSE,
        Kind.RANGE_CLOSE,
    }


def _joints(prefix: str, start: int, end: int) -> list[Completion]:
    folded = prefix.casefold()
    return [
        Completion(start, end, word, word, detail)
        for word, detail in _JOINING
        if word.casefold().startswith(folded)
    ]


def _names_and_joints(prefix: str, start: int, end: int, *, after_term: bool) -> list[Completion]:
    folded = prefix.casefold()
    fields = list(FIELDS.values())
    first = [field for field in fields if field.name.startswith(folded)]
    rest = [field for field in fields if folded and field not in first and folded in field.title.casefold()]
    found = [Completion(start, end, f"{field.name}:", field.name, field.help) for field in (*first, *rest)]
    if folded:
        found += [
            Completion(start, end, f"{alias}:", alias, " or ".join(names))
            for alias, names in ALIASES.items()
            if alias.startswith(folded)
        ]
        found += [
            Completion(start, end, f"{key}.", key, "path of the raw record")
            for key in TOP_KEYS
            if key.casefold().startswith(folded)
        ]
    joints = [joint for joint in _joints(prefix, start, end) if after_term or joint.insert == "NOT"]
    if EXISTS.startswith(folded):
        found.append(Completion(start, end, f"{EXISTS}:", EXISTS, "the field has a value"))
    return (joints + found if after_term else found + joints)[: 2 * _OFFERED]


# ---- colours


def _coloured(token: Token) -> list[Span]:
    if token.problem:
        return [Span(token.start, token.end, "error")]
    match token.kind:
        case Kind.FIELD:
            known = token.text == "*" or token.text.casefold() == EXISTS or bool(resolve(token.text))
            role: Role = "field" if known else "error"
            return [Span(token.start, token.end - 1, role), Span(token.end - 1, token.end, "operator")]
        case Kind.AND | Kind.OR | Kind.NOT | Kind.TO:
            return [Span(token.start, token.end, "keyword")]
        case Kind.WORD:
            return [Span(token.start, token.end, "number" if _is_number(token.text) else "string")]
        case Kind.PHRASE | Kind.REGEX:
            return [Span(token.start, token.end, "string")]
        case Kind.ODD:
            return [Span(token.start, token.end, "error")]
        case _:
            return [Span(token.start, token.end, "operator")]


def _is_number(text: str) -> bool:
    return text.replace(".", "", 1).removeprefix("-").isdecimal()
