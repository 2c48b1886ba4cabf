"""The query tree's tests on a promoted field: one whose values the store has copied out of the raw records.

A copy has each value once (`val`: folded text, the text as it was where folding changed it, the number, whether
it was written as text) and the places of the records that have it (`at`); `unsure` has the places of records
whose values were not copied. What is asked here means exactly what predicate.value_test() means.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from pod_desktop.query.matching import as_number
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
    Term,
    Test,
)

_MOST_MARKS: Final = 4
"""A pattern with more wildcards is left to the linear engine: LIKE tries all ways."""
_LIKE_CHARS: Final = 10_000
_LIKE_MARKS: Final = {"any": "%", "one": "_"}
_LAST: Final = 0x10FFFF
_NUL: Final = "\0"
_SURROGATES: Final = range(0xD800, 0xE000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Promoted:
    """A field's copied values in one part of the store."""

    schema: str
    """Name of the attached database."""
    first: int
    """What is added to a place to make a seq."""
    upto: int
    """From this seq on nothing is copied (yet)."""
    whole: bool
    """Are the values of all records copied?"""


Columns = Mapping[str, Promoted]
Bind = Callable[[str | float], str]
Holds = Callable[[str], str]


def fields(node: Node) -> Iterator[str]:
    """The fields that a tree names."""
    match node:
        case And(parts) | Or(parts):
            for part in parts:
                yield from fields(part)
        case Not(part):
            yield from fields(part)
        case Term(name):
            yield name


def seqs(column: Promoted, values: str) -> str:
    """SQL that lists the records with one of the values whose ids `values` selects."""
    return f"select place + {column.first} from {column.schema}.at where val in ({values})"


def unsure(column: Promoted) -> str:
    """SQL for the records that only their raw bytes can tell of."""
    return f"(seq >= {column.upto} or seq in (select place + {column.first} from {column.schema}.unsure))"


def one_of(column: Promoted, values: Sequence[str], bind: Bind) -> str:
    """SQL that selects the ids of these values; texts folded."""
    texts = [value for value in values if _NUL not in value]
    numbers = [number for value in values if (number := as_number(value)) is not None]
    found = [f"written and text {_among(texts, bind)}"]
    if numbers:
        found.append(f"not written and number {_among(numbers, bind)}")
    return " union all ".join(f"select id from {column.schema}.val where {one}" for one in found)


def _among(values: Sequence[str] | Sequence[int | float], bind: Bind) -> str:
    if len(values) == 1:
        return f"= {bind(values[0])}"
    return f"in (select value from json_each({bind(json.dumps(values))}))"


def passing(column: Promoted, test: Test, bind: Bind, holds: Holds) -> str:
    """SQL that selects the ids of the values that pass a test.

    Args:
        holds: the SQL that puts the test to an expression.
    """
    table = f"select id from {column.schema}.val where"
    as_it_was = "coalesce(original, text)"
    match test:
        case Equals(value):
            return one_of(column, (value.casefold(),), bind)
        case Exists():
            return f"{table} text != ''"
        case Range(low, high) if isinstance(low, str) or isinstance(high, str):
            return f"{table} written and {_between('text', test, bind)}"
        case Range():
            return f"{table} {_between('number', test, bind)}"
        case Like(pattern):
            return f"{table} {_like(pattern, bind) or holds(as_it_was)}"
        case Network():
            return f"{table} written and {holds(as_it_was)}"
        case _:
            return f"{table} {holds(as_it_was)}"


def _between(column: str, test: Range, bind: Bind) -> str:
    parts = []
    if test.low is not None:
        parts.append(f"{column} {'>=' if test.low_included else '>'} {bind(_bound(test.low))}")
    if test.high is not None:
        parts.append(f"{column} {'<=' if test.high_included else '<'} {bind(_bound(test.high))}")
    return " and ".join(parts)


def _bound(value: str | float) -> str | float:
    return value.casefold() if isinstance(value, str) else value


def _like(pattern: tuple[str | Mark, ...], bind: Bind) -> str | None:
    """None where the linear engine is the better one."""
    if len(pattern) == 2 and isinstance(pattern[0], str) and pattern[1] == ANY and pattern[0]:
        prefix = pattern[0].casefold()
        above = _next(prefix)
        return f"text >= {bind(prefix)}" + (f" and text < {bind(above)}" if above else "")
    text = "".join(
        _LIKE_MARKS[piece.kind] if isinstance(piece, Mark) else re.sub(r"([%_\\])", r"\\\1", piece.casefold())
        for piece in pattern
    )
    if _NUL in text:
        return "0"  # stands in no copied value, and ends a pattern
    if len(text) > _LIKE_CHARS or sum(isinstance(piece, Mark) for piece in pattern) > _MOST_MARKS:
        return None
    return f"text like {bind(text)} escape '\\'"


def _next(prefix: str) -> str:
    """The first text behind all that begin with the prefix; '' if there is none."""
    while prefix:
        code = ord(prefix[-1]) + 1
        if code in _SURROGATES:
            code = _SURROGATES.stop
        if code <= _LAST:
            return prefix[:-1] + chr(code)
        prefix = prefix[:-1]
    return ""
