"""Sigma rules as queries: what maps is translated, what does not is listed, and nothing is guessed.

Takes a rule that has been read from YAML (a mapping). Source of the format: Sigma specification 2, rules:
detection items, modifiers, condition. Values match without regard to case, `*` and `?` are wildcards.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pod_desktop.core.faults import UserFault
from pod_desktop.query import FIELDS, parse, resolve, to_text
from pod_desktop.query.matching import as_number
from pod_desktop.query.tree import (
    ANY,
    ONE,
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
)

FIELD_NAMES: Final = {
    "sender": "sender", "senderaddress": "sender", "senderfromaddress": "header_from", "sendermailfromaddress": "sender",
    "mailfrom": "sender", "senderfromdomain": "header_from.domain", "sendermailfromdomain": "sender.domain",
    "senderipv4": "ip", "senderipv6": "ip", "senderip": "ip", "src_ip": "ip", "sourceip": "ip", "recipient": "recipient",
    "recipientaddress": "recipient", "recipientemailaddress": "recipient", "emailsubject": "subject", "subject": "subject",
    "attachment": "attachment.name", "attachmentname": "attachment.name", "filename": "attachment.name",
    "attachmentfilename": "attachment.name", "sha256": "attachment.sha256", "url": "url", "urldomain": "url",
    "deliveryaction": "outcome", "spamscore": "score", "internetmessageid": "message_id",
}  # fmt: skip
"""Field names of mail rules in lower case; what is no name of ours or theirs is a path of the raw record."""
_DEPTH: Final = 30
_TOKENS: Final = re.compile(r"\s*(\(|\)|[A-Za-z0-9_*-]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Converted:
    """A rule as a query."""

    title: str
    query: str
    """'' where nothing could be translated."""
    unmapped: tuple[str, ...]
    """What the query leaves out or takes otherwise, in words."""


class _Unmapped(Exception):
    """A part of a rule that has no meaning here."""


def convert(rule: Mapping[str, Any]) -> Converted:
    """The query of a rule. A condition with a part that does not map gives no query: half a rule is another rule.

    Raises:
        UserFault: it is no Sigma rule.
    """
    detection = rule.get("detection")
    if not isinstance(detection, Mapping) or "condition" not in detection:
        raise UserFault("This is no Sigma rule: it has no detection with a condition.", "detection")
    title = str(rule.get("title") or "Sigma rule")[:200]
    notes: list[str] = []
    for key in ("timeframe", "correlation"):
        if key in detection or key in rule:
            notes.append(f"{key}: set at least and within of the playbook instead")
    product = rule.get("logsource")
    if isinstance(product, Mapping) and product.get("category") not in (None, "email", "mail"):
        notes.append(f"logsource: written for {product.get('category')}, not for mail")
    conditions = detection["condition"]
    try:
        parts = conditions if isinstance(conditions, list) else [conditions]
        trees = [_Condition(str(text), detection, notes).tree() for text in parts]
    except _Unmapped as unmapped:
        return Converted(title=title, query="", unmapped=(*notes, str(unmapped)))
    query = to_text(_joined(Or, trees))
    try:
        parse(query, 0)
    except UserFault as fault:
        # A regular expression or network that is none.
        return Converted(title=title, query="", unmapped=(*notes, str(fault)))
    return Converted(title=title, query=query, unmapped=tuple(dict.fromkeys(notes)))


def _joined(kind: type[And] | type[Or], parts: Sequence[Node]) -> Node:
    if not parts:
        raise _Unmapped("an empty list matches nothing")
    return parts[0] if len(parts) == 1 else kind(tuple(parts))


class _Condition:
    """`selection and not 1 of filter_*`: a small grammar, read by descent."""

    def __init__(self, text: str, detection: Mapping[str, Any], notes: list[str]) -> None:
        if "|" in text:
            raise _Unmapped(
                "an aggregation (|) in the condition: group by and at least of the playbook do that"
            )
        self._tokens = _TOKENS.findall(text)
        if "".join(self._tokens) != re.sub(r"\s+", "", text) or not self._tokens:
            raise _Unmapped(f"the condition {text[:80]!r} cannot be read")
        self._detection = detection
        self._notes = notes
        self._at = 0

    def tree(self) -> Node:
        tree = self._either(0)
        if self._at < len(self._tokens):
            raise _Unmapped(f"the condition goes on with {self._tokens[self._at]!r}")
        return tree

    def _peek(self) -> str:
        return self._tokens[self._at].lower() if self._at < len(self._tokens) else ""

    def _take(self) -> str:
        if self._at >= len(self._tokens):
            raise _Unmapped("the condition ends too early")
        self._at += 1
        return str(self._tokens[self._at - 1])

    def _either(self, depth: int) -> Node:
        return self._chain("or", Or, self._all, depth)

    def _all(self, depth: int) -> Node:
        return self._chain("and", And, self._one, depth)

    def _chain(self, word: str, kind: type[And] | type[Or], inner: Callable[[int], Node], depth: int) -> Node:
        if depth > _DEPTH:
            raise _Unmapped("the condition is nested too deeply")
        parts = [inner(depth + 1)]
        while self._peek() == word:
            self._take()
            parts.append(inner(depth + 1))
        return _joined(kind, parts)

    def _one(self, depth: int) -> Node:
        if depth > _DEPTH:
            raise _Unmapped("the condition is nested too deeply")
        token = self._take()
        if token == "(":
            tree = self._either(depth + 1)
            if self._take() != ")":
                raise _Unmapped("a parenthesis is never closed")
            return tree
        if token.lower() == "not":
            return Not(self._one(depth + 1))
        if token.lower() in ("1", "any", "all") and self._peek() == "of":
            self._take()
            return self._some(token.lower(), self._take())
        return self._selection(token)

    def _some(self, quantity: str, pattern: str) -> Node:
        if pattern.lower() == "them":
            names = [name for name in self._names() if not name.startswith("_")]
        else:
            names = [name for name in self._names() if fnmatch.fnmatchcase(name, pattern)]
        if not names:
            raise _Unmapped(f"no selection is named {pattern!r}")
        return _joined(And if quantity == "all" else Or, [self._selection(name) for name in names])

    def _names(self) -> list[str]:
        return [str(name) for name in self._detection if name not in ("condition", "timeframe")]

    def _selection(self, name: str) -> Node:
        if name not in self._detection or name == "condition":
            raise _Unmapped(f"there is no selection {name!r}")
        return _items(self._detection[name], self._notes)


def _items(value: Any, notes: list[str]) -> Node:
    if isinstance(value, Mapping):
        return _joined(And, [_item(str(key), item, notes) for key, item in value.items()])
    if isinstance(value, list):
        return _joined(Or, [_items(item, notes) for item in value])
    return Text(_keyword(value), phrase=False)


def _keyword(value: Any) -> str:
    text = str(value).strip("*").strip()
    if not text or len(text) > 500:
        raise _Unmapped("a keyword is empty or too long")
    return text


def _item(key: str, value: Any, notes: list[str]) -> Node:
    name, *modifiers = key.split("|")
    field = _field(name, notes)
    every = "all" in modifiers
    kinds = [one for one in modifiers if one != "all"]
    values = value if isinstance(value, list) else [value]
    return _joined(And if every else Or, [_test(field, kinds, one) for one in values])


def _field(name: str, notes: list[str]) -> str:
    if not name:
        raise _Unmapped("keywords with modifiers")
    if known := FIELD_NAMES.get(name.replace(" ", "").lower()):
        return known
    fields = resolve(name)
    if len(fields) != 1:
        raise _Unmapped(f"the field {name!r} is not known here")
    if fields[0] not in FIELDS:
        notes.append(f"{name}: taken as a path of the raw record")
    return fields[0]


def _test(field: str, modifiers: list[str], value: Any) -> Node:
    if value is None or value == "":
        return Not(Term(field, Exists()))
    match modifiers:
        case []:
            return Term(field, _plain(value))
        case ["contains"]:
            return Term(field, Like((ANY, *_pattern(value), ANY)))
        case ["startswith"]:
            return Term(field, Like((*_pattern(value), ANY)))
        case ["endswith"]:
            return Term(field, Like((ANY, *_pattern(value))))
        case ["re"] | ["re", "i"]:
            # Sigma finds a match anywhere in the value; here it is the whole value.
            return Term(field, Regex(f".*(?:{value}).*"))
        case ["cidr"]:
            return Term(field, Network(str(value)))
        case ["exists"]:
            return Term(field, Exists()) if value else Not(Term(field, Exists()))
        case ["gt" | "gte" | "lt" | "lte" as how]:
            return Term(field, _range(how, value))
    raise _Unmapped(f"{field}: the modifier {'|'.join(modifiers)!r} does not map")


def _range(how: str, value: Any) -> Range:
    number = as_number(value if isinstance(value, int | float) else str(value))
    if number is None:
        raise _Unmapped(f"{value!r} is no number")
    if how.startswith("g"):
        return Range(number, None, low_included=how == "gte")
    return Range(None, number, high_included=how == "lte")


def _plain(value: Any) -> Test:
    pattern = _pattern(value)
    if len(pattern) == 1 and isinstance(pattern[0], str):
        return Equals(pattern[0])
    return Like(pattern)


def _pattern(value: Any) -> tuple[str | Mark, ...]:
    """Literal pieces and wildcards; a backslash takes their meaning from *, ? and itself."""
    pieces: list[str | Mark] = []
    for piece in re.findall(r"\\[*?\\]|[*?]|[^*?\\]+|\\", str(value)):
        found = {"*": ANY, "?": ONE}.get(piece, piece[1:] if len(piece) == 2 and piece[0] == "\\" else piece)
        if isinstance(found, str) and pieces and isinstance(pieces[-1], str):
            pieces[-1] += found
        else:
            pieces.append(found)
    return tuple(pieces)
