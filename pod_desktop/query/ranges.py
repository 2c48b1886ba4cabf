"""The ends of a range as typed -> a test, by the type of the field."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from functools import partial

from pod_desktop.query.fault import QueryFault
from pod_desktop.query.fields import FIELDS, Field
from pod_desktop.query.lexer import Kind, Token
from pod_desktop.query.matching import as_number
from pod_desktop.query.tree import ANY, Exists, Network, Node, Range, Term
from pod_desktop.query.values import (
    Now,
    Number,
    address_of,
    either,
    has_marks,
    literal_of,
    number_of,
    span_of,
    wrong,
)

Bound = Number | str | None


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
        if bound is not None and (has_marks(bound) or not literal_of(bound.pieces)):
            raise wrong(bound, "This is no end of a range.", "Write a whole value, or * for an open end.")
    if low is None and high is None:
        return Term(name, Exists())
    field = FIELDS.get(name)
    kind = field.type if field else "path"
    if field is not None and kind == "choice":
        raise wrong(whole, f"{field.title} has no order.", f"Write {name}:(a OR b).")
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
        read = partial(number_of, field)
    elif field is None:
        for bound in (low, high):
            if bound is not None and re.match(r"now(?:[-+/]|$)", bound.text):
                raise wrong(bound, "Date math works with the field time only.", f"Write time:>={bound.text}.")
        if all(_path_number(bound) is not None for bound in (low, high) if bound is not None):
            read = _path_number
    return (None if low is None else read(low), None if high is None else read(high))


def _text_bound(token: Token) -> str:
    return literal_of(token.pieces)


def _path_number(token: Token) -> Number | None:
    """The number at a path's bound; in quotes it is text."""
    return as_number(literal_of(token.pieces)) if token.kind is Kind.WORD else None


def _check_order(low: Bound, high: Bound, included: tuple[bool, bool], whole: Token) -> None:
    if low is None or high is None:
        return
    a, b = (bound.casefold() if isinstance(bound, str) else bound for bound in (low, high))
    if a > b or (a == b and included != (True, True)):  # type: ignore[operator]
        raise _nothing_between(whole)


def _nothing_between(whole: Token) -> QueryFault:
    return wrong(whole, "Nothing lies between these ends.", "Write the lower end first.")


def _time_range(
    low: Token | None, high: Token | None, included: tuple[bool, bool], whole: Token, now: Now
) -> Range:
    start = end = None
    if low is not None:
        span = span_of(low, now)
        start = span.start if included[0] else span.end
    if high is not None:
        span = span_of(high, now)
        end = span.end if included[1] else span.start
    if start is not None and end is not None and start >= end:
        raise _nothing_between(whole)
    return Range(start, end, True, end is None)


def _ip_range(
    name: str, low: Token | None, high: Token | None, included: tuple[bool, bool], whole: Token
) -> Node:
    if low is None or high is None:
        raise wrong(
            whole,
            "A range of addresses needs both ends.",
            "Write ip:[10.0.0.1 TO 10.0.0.9] or ip:10.0.0.0/8.",
        )
    first, last = address_of(low), address_of(high)
    if first.version != last.version:
        raise wrong(whole, "One end is IPv4, the other IPv6.")
    start, end = int(first) + (not included[0]), int(last) - (not included[1])
    if start > end:
        raise _nothing_between(whole)
    make = type(first)
    networks = ipaddress.summarize_address_range(make(start), make(end))
    return either(Term(name, Network(str(network))) for network in networks)
