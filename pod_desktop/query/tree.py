"""The tree a query becomes. One tree, two meanings (SQL in the store, predicate here) that must agree.

Matching, for both: text without regard to case (str.casefold); on a field with several values any value
may match; a field that the record does not have matches nothing but a negation.

What a value typed without operators becomes depends on the type of its field (query.fields):
`text` fields (subject, url, attachment.name, ...) give Words; all others give the whole value, Equals or Like.
`time` gives a Range of microseconds (a bare date is its whole day), always with the low end included and the
high end not; `field:""` gives Not(Exists), so the parser never makes an empty Equals.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Everything:
    """The empty query."""


@dataclass(frozen=True, slots=True)
class And:
    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Or:
    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Not:
    part: Node


@dataclass(frozen=True, slots=True)
class Text:
    """Free text: words without a field, looked for in the record's search text (Columns.text).

    Matches where `words`, case-folded, stands in the case-folded search text and begins there at the
    beginning of a word; unless `phrase`, the last word may go on (`paypa` finds paypal), and `*` stands
    for any run of characters and `?` for one. With `phrase` it must also end at the end of a word, and `*`
    and `?` are themselves.

    A word is a run of letters, digits, marks and private-use characters (Unicode L*, N*, M*, Co: all that
    FTS5's unicode61 takes, so its tokens are a necessary condition). Where `words` begins (ends) with any
    other character, that side needs no boundary: `@bad.example` and `"/login"` match inside anything. Any
    run of white space stands for any other: words next to each other may be blanks, tabs or a folded line apart.
    """

    words: str
    phrase: bool


@dataclass(frozen=True, slots=True)
class Words:
    """Words inside a value of the field, by the rules of Text; for the fields of type `text`."""

    words: str
    phrase: bool


@dataclass(frozen=True, slots=True)
class Equals:
    """The whole value, case-folded; numbers by value (on a number field `value` is a written number)."""

    value: str


@dataclass(frozen=True, slots=True)
class Like:
    """`*` any run of characters, `?` exactly one, both unescaped here; the whole value, case-folded.

    `pattern` is a tuple of literal pieces and the two marks ANY and ONE.
    """

    pattern: tuple[str | Mark, ...]


@dataclass(frozen=True, slots=True)
class Mark:
    kind: Literal["any", "one"]


ANY = Mark("any")
ONE = Mark("one")


@dataclass(frozen=True, slots=True)
class Range:
    """Between two bounds; None is open. For numbers and times (microseconds UTC); text by code point.

    Both bounds are numbers or both are text, and not both None. Numbers at or beyond 2**63 come as float, so
    an int always fits a 64-bit column. Number bounds take numbers, and text that is written as a number (the
    mail log's sizes are text); text bounds take text, case-folded on both sides.
    """

    low: int | float | str | None
    high: int | float | str | None
    low_included: bool = True
    high_included: bool = True


@dataclass(frozen=True, slots=True)
class Regex:
    """A linear-time regular expression (RE2) that must match the whole value, without regard to case."""

    pattern: str


@dataclass(frozen=True, slots=True)
class Network:
    """An address inside this CIDR network."""

    network: str


@dataclass(frozen=True, slots=True)
class Exists:
    """The record has the field with a value that is not ''."""


Test = Words | Equals | Like | Range | Regex | Network | Exists


@dataclass(frozen=True, slots=True)
class Term:
    """A test on a field: one of query.fields.FIELDS by name, or a JSON path of the raw record."""

    field: str
    test: Test


Node = Everything | And | Or | Not | Text | Term
