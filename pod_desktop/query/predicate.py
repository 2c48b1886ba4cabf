"""The tree as a predicate on one record: the meaning that every other way of searching must agree with."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Protocol

from pod_desktop.query.matching import (
    StrTest,
    as_number,
    like_test,
    network_test,
    regex_test,
    words_test,
)
from pod_desktop.query.tree import (
    And,
    Equals,
    Everything,
    Exists,
    Like,
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

Value = str | int | float


class Values(Protocol):
    """A record as the predicate sees it."""

    def values(self, field: str) -> Sequence[Value]:
        """All values of a field of query.FIELDS or of a path of the raw record; empty where it has none."""
        ...

    def text(self) -> str:
        """The search text (core.record.Columns.text)."""
        ...


Matcher = Callable[[Values], bool]
ValueTest = Callable[[Value], bool]


def compile(node: Node) -> Matcher:
    """The meaning of a tree; exported as query.matcher. The result may be used from several threads.

    Raises:
        ValueError: a tree not made by parse() holds an invalid regular expression or network.
    """
    match node:
        case Everything():
            return lambda _: True
        case Not(part):
            inner = compile(part)
            return lambda record: not inner(record)
        case And(parts):
            return _all([compile(part) for part in parts])
        case Or(parts):
            return _any(parts)
        case Text(words, phrase):
            found = words_test(words, phrase)
            return lambda record: found(record.text())
        case Term(field, test):
            return _term(field, value_test(test))


def value_test(test: Test) -> ValueTest:
    """The test of a term on one of the field's values."""
    match test:
        case Words(words, phrase):
            return _on_text(words_test(words, phrase))
        case Equals(value):
            return _equals(value)
        case Like(pattern):
            return _on_text(like_test(pattern))
        case Range():
            return _range(test)
        case Regex(pattern):
            return _on_text(regex_test(pattern))
        case Network(network):
            inside = network_test(network)
            return lambda value: isinstance(value, str) and inside(value)
        case Exists():
            return lambda value: value != ""


def _term(field: str, test: ValueTest) -> Matcher:
    def matches(record: Values) -> bool:
        return any(map(test, record.values(field)))

    return matches


def _all(tests: list[Matcher]) -> Matcher:
    return lambda record: all(test(record) for test in tests)


def _any(parts: tuple[Node, ...]) -> Matcher:
    """Any part; many values of one field, as in a list of indicators, are looked up in a set at once."""
    values: dict[str, list[str]] = defaultdict(list)
    tests: list[Matcher] = []
    for part in parts:
        if isinstance(part, Term) and isinstance(part.test, Equals):
            values[part.field].append(part.test.value)
        else:
            tests.append(compile(part))
    tests += [_term(field, _one_of(wanted)) for field, wanted in values.items()]
    return lambda record: any(test(record) for test in tests)


def _one_of(wanted: list[str]) -> ValueTest:
    texts = {value.casefold() for value in wanted}
    numbers = {as_number(value) for value in wanted} - {None}

    def test(value: Value) -> bool:
        return value.casefold() in texts if isinstance(value, str) else as_number(value) in numbers

    return test


def _equals(wanted: str) -> ValueTest:
    return _one_of([wanted])


def _on_text(test: StrTest) -> ValueTest:
    """Numbers are tested as they are written."""
    return lambda value: test(value if isinstance(value, str) else str(value))


def _range(test: Range) -> ValueTest:
    bound = test.low if test.low is not None else test.high
    number = not isinstance(bound, str)
    low, high = (value.casefold() if isinstance(value, str) else value for value in (test.low, test.high))

    def inside(value: Value) -> bool:
        if number:
            known = as_number(value)
            return known is not None and _between(known)
        return isinstance(value, str) and _between(value.casefold())

    def _between(value: Value) -> bool:
        # Both bounds are of the kind that `value` was made to be.
        if low is not None and not (value >= low if test.low_included else value > low):  # type: ignore[operator]
            return False
        return high is None or (value <= high if test.high_included else value < high)  # type: ignore[operator]

    return inside
