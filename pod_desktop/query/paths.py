"""Paths into a raw record: `filter.modules.spam.scores.overall`, through lists, and keys that hold dots."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeGuard

from pod_desktop.core.limits import JSON_DEPTH
from pod_desktop.query.fields import RAW


def find(record: object, path: str) -> list[str | int | float]:
    """All scalar values of a parsed record at a path.

    A list is walked through at any place. A key may hold dots itself (`emailIdentities.smtp.mailfrom`): every
    way of cutting the path is tried (each value of the record is reached by one way at most, so the work is
    bounded by the record). At an object or list, all values below it count. true and false read as text, null
    as nothing.
    """
    return list(_leaves(_at(record, path.removeprefix(RAW)), 0))


def _at(record: object, path: str) -> Iterator[object]:
    todo: list[tuple[object, str | None]] = [(record, path)]
    while todo:
        value, rest = todo.pop()
        if rest is None:
            yield value
        elif isinstance(value, Mapping):
            todo.extend(reversed(_steps(value, rest)))
        elif _is_list(value):
            todo.extend((item, rest) for item in reversed(value))


def _steps(value: Mapping[str, object], rest: str) -> list[tuple[object, str | None]]:
    steps: list[tuple[object, str | None]] = []
    dot = rest.find(".")
    while dot >= 0:
        if (key := rest[:dot]) in value:
            steps.append((value[key], rest[dot + 1 :]))
        dot = rest.find(".", dot + 1)
    if rest in value:
        steps.append((value[rest], None))
    return steps


def _leaves(values: Iterator[object], depth: int) -> Iterator[str | int | float]:
    for value in values:
        if isinstance(value, bool):
            yield "true" if value else "false"
        elif isinstance(value, str | int | float):
            yield value
        elif depth < JSON_DEPTH and isinstance(value, Mapping):
            yield from _leaves(iter(value.values()), depth + 1)
        elif depth < JSON_DEPTH and _is_list(value):
            yield from _leaves(iter(value), depth + 1)


def _is_list(value: object) -> TypeGuard[Sequence[object]]:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)
