"""The tree a query becomes. One tree, two meanings (SQL in the store, predicate here) that must agree.

Matching, for both: text without regard to case (str.casefold); on a field with several values any value
may match; a field that the record does not have matches nothing but a negation.
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
    for any run of characters and `?` for one.
    """

    words: str
    phrase: bool


@dataclass(frozen=True, slots=True)
class Equals:
    """The whole value, case-folded; numbers by value."""

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
    """Between two bounds; None is open. For numbers and times (microseconds UTC); text by code point."""

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


Test = Equals | Like | Range | Regex | Network | Exists


@dataclass(frozen=True, slots=True)
class Term:
    """A test on a field: one of query.fields.FIELDS by name, or a JSON path of the raw record."""

    field: str
    test: Test


Node = Everything | And | Or | Not | Text | Term
