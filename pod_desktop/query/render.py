"""Tree -> query text, and small pieces of query text that are right whatever the value holds."""

from __future__ import annotations

import re
from typing import Final

from pod_desktop.core.clock import iso
from pod_desktop.query.fault import is_invisible
from pod_desktop.query.fields import EXISTS, FIELDS
from pod_desktop.query.lexer import KEYWORDS, Kind, tokens
from pod_desktop.query.tree import (
    ANY,
    And,
    Equals,
    Everything,
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

_PLAIN: Final = re.compile(r"[\w.@%$#;,=&'-][\w.@%$#;,=&'+/-]*")
"""A value that needs no quotes; begins with nothing that means something there."""
_SPECIAL: Final = frozenset('\\"():<>=[]{}~^*?“”„«»')
_SPECIAL_FIRST: Final = frozenset("+-!/&|")
_OR, _AND, _ONE = 0, 1, 2


def to_text(node: Node) -> str:
    """Query text that parses to this tree again (trees that parse() makes; others to one of the same meaning)."""
    if isinstance(node, Everything):
        return ""
    return _node(node, _OR)


def term(field: str, value: str | float) -> str:
    """`field:value` for a value taken from a record, whatever characters it holds; '' asks for none at all."""
    return f"{name(field)}:{value_text(field, str(value))}"


def conjoin(text: str, more: str, *, negate: bool = False) -> str:
    """The query `text` and also (or, with `negate`, but not) `more`; both are query text."""
    text, more = _stripped(text), _stripped(more)
    if not more:
        return text
    if negate:
        more = f"NOT {more}" if _is_single(more) else f"NOT ({more})"
    elif text and _has_or(more):
        more = f"({more})"
    if not text or text == "*":
        return more
    return f"({text}) AND {more}" if _has_or(text) else f"{text} AND {more}"


def name(field: str) -> str:
    """A field's name as it is typed: a path's blanks, colons and the like are escaped."""
    if field.isidentifier():
        return field
    return "".join(_escaped(char, at == 0) for at, char in enumerate(field))


def quote(value: str) -> str:
    r"""A value in quotes; invisible characters as `\u{…}`, so that the query shows what it asks for."""
    shown = value.replace("\\", "\\\\").replace('"', '\\"')
    if not shown.isprintable():
        shown = "".join(_spelt(char) if is_invisible(char) else char for char in shown)
    return f'"{shown}"'


# ---- nodes


def _node(node: Node, strength: int) -> str:
    match node:
        case Everything():
            return "*"
        case And(parts):
            return _joined(" AND ", [_node(part, _ONE) for part in parts], strength > _AND)
        case Or(parts):
            return _joined(" OR ", [_node(part, _AND) for part in parts], strength > _OR)
        case Not(part):
            return f"NOT {_node(part, _ONE)}"
        case Text(words, phrase):
            return quote(words) if phrase else _wild(words, value=False)
        case Term(field, Exists()):
            return f"{EXISTS}:{value_text('', field)}"
        case Term(field, test):
            return f"{name(field)}:{_test(field, test)}"


def _joined(operator: str, parts: list[str], wrap: bool) -> str:
    text = operator.join(parts)
    return f"({text})" if wrap and len(parts) > 1 else text


def _test(field: str, test: Test) -> str:
    match test:
        case Words(words, phrase):
            return quote(words) if phrase else _wild(words, value=True)
        case Equals(value):
            return value_text(field, value)
        case Like(pattern):
            return _pattern(pattern)
        case Range():
            return _range(field, test)
        case Regex(pattern):
            return "/" + re.sub(r"(\\.)|/", lambda found: found[1] or "\\/", pattern, flags=re.DOTALL) + "/"
        case Network(network):
            return network
        case Exists():
            return "*"


def _range(field: str, test: Range) -> str:
    if test.low is None or test.high is None:
        if test.high is not None:
            return ("<=" if test.high_included else "<") + _bound(field, test.high)
        return (">=" if test.low_included else ">") + _bound(field, test.low)
    opening, closing = "[" if test.low_included else "{", "]" if test.high_included else "}"
    return f"{opening}{_bound(field, test.low)} TO {_bound(field, test.high)}{closing}"


def _bound(field: str, bound: float | str | None) -> str:
    if bound is None:
        return "*"
    if isinstance(bound, str):
        return quote(bound)
    if field == "time":
        return iso(int(bound))
    return str(bound)


# ---- characters


def value_text(field: str, value: str) -> str:
    """A whole value: bare where that means the same, else in quotes."""
    known = FIELDS.get(field)
    is_text = known is not None and known.type == "text"
    if not is_text and "/" not in value and _PLAIN.fullmatch(value) and not _is_keyword(value):
        return value
    return quote(value)


def _is_keyword(value: str) -> bool:
    return value.casefold() in KEYWORDS


def _wild(words: str, *, value: bool) -> str:
    """Words that are no phrase: `*` and `?` are wildcards, everything else is itself."""
    if not value and _is_keyword(words):
        return _spelt(words[0]) + words[1:]
    return "".join(char if char in "*?" else _escaped(char, at == 0) for at, char in enumerate(words))


def _pattern(pattern: tuple[str | Mark, ...]) -> str:
    shown = ""
    for piece in pattern:
        if isinstance(piece, str):
            shown += "".join(_escaped(char, not shown and at == 0) for at, char in enumerate(piece))
        else:
            shown += "*" if piece == ANY else "?"
    return shown


def _escaped(char: str, first: bool) -> str:
    if is_invisible(char):
        return _spelt(char)
    if char in _SPECIAL or char.isspace() or (first and char in _SPECIAL_FIRST):
        return "\\" + char
    return char


def _spelt(char: str) -> str:
    return "\\ufffd" if "\ud800" <= char <= "\udfff" else f"\\u{{{ord(char):x}}}"


# ---- text of unknown structure


def _stripped(text: str) -> str:
    """Without blanks around it, but with one that a backslash escapes."""
    stripped = text.strip()
    return text.lstrip() if stripped.endswith("\\") else stripped


def _has_or(text: str) -> bool:
    """Whether an OR stands outside all parentheses; an AND put beside it would take its arm away."""
    depth = 0
    for token in tokens(text):
        depth += (token.kind is Kind.OPEN) - (token.kind is Kind.CLOSE)
        if token.kind is Kind.OR and depth == 0:
            return True
    return False


def _is_single(text: str) -> bool:
    """Whether text is one `field:value`, one word or one phrase."""
    kinds = [token.kind for token in tokens(text)]
    values = ([Kind.WORD], [Kind.PHRASE])
    return kinds in values or (kinds[:1] == [Kind.FIELD] and kinds[1:] in (*values, [Kind.REGEX]))
