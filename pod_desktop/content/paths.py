"""JSON paths as people type them: dots between names, [n] into lists.

Names that hold dots, brackets or blanks, or are empty, are reached as well: the longest name that fits is
tried first. A list on the way stands for each of its items.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

Scalar = str | int | float
_LONG: Final = 256


def lookup(document: object, path: str) -> tuple[Scalar, ...]:
    """All values at the path, in the order of the record; an object or list gives the values in it.

    True and false are the texts `true` and `false`; null is no value.
    """
    if not path:
        return ()
    return tuple(_walk(document, path, True))


def leaves(value: object) -> Iterator[Scalar]:
    """All scalars in a value. Recursion is safe: documents are bounded in depth."""
    if isinstance(value, dict):
        for member in value.values():
            yield from leaves(member)
    elif isinstance(value, list):
        for item in value:
            yield from leaves(item)
    elif isinstance(value, bool):
        yield "true" if value else "false"
    elif value is not None:
        yield value  # type: ignore[misc]  # JSON knows no other values


def _walk(value: object, rest: str, at_name: bool) -> Iterator[Scalar]:
    """`rest` is the path still to go; `at_name` where it begins with a name (not with `.` or `[`)."""
    if not at_name:
        if not rest:
            yield from leaves(value)
            return
        if rest[0] == "[":
            yield from _indexed(value, rest)
            return
        rest, at_name = rest[1:], True
    if isinstance(value, list):
        for item in value:
            yield from _walk(item, rest, at_name)
    elif isinstance(value, dict):
        yield from _named(value, rest)


def _named(members: dict[str, object], rest: str) -> Iterator[Scalar]:
    longest = len(rest)
    if longest > _LONG:  # trying every beginning of a long path would take its length squared
        longest = min(longest, max(map(len, members), default=0))
    for end in _ends(rest, longest):
        if (name := rest[:end]) in members:
            found = list(_walk(members[name], rest[end:], False))
            if found:
                yield from found
                return


def _ends(rest: str, most: int) -> Iterator[int]:
    """Where a name of at most so many characters at the beginning of `rest` may end, the longest first."""
    if most == len(rest):
        yield most
    for place in range(min(len(rest) - 1, most), -1, -1):
        if rest[place] in ".[":
            yield place


def _indexed(value: object, rest: str) -> Iterator[Scalar]:
    number, closed, behind = rest[1:].partition("]")
    if not closed or not number.lstrip("-").isdecimal() or len(number) > 9:
        return
    if isinstance(value, list) and -len(value) <= int(number) < len(value):
        yield from _walk(value[int(number)], behind, False)
