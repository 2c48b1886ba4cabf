"""Looking for bytes in many raw records at once, at the speed of memory.

The one place that names the library which does it (SIMD; Python's own search is five to ten times slower over
records, and its regular expressions as slow). Only its exact searches are used: they take any bytes whatever.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import Final

import stringzilla

_BEYOND_ASCII: Final = bytes(range(128, 256))
_ESCAPED_LETTER: Final = rb"\u00"
_ESCAPED_NAME: Final = re.compile(rb'\\u00[2-7][0-9A-Fa-f](?:[^"\\]|\\u00[2-7][0-9A-Fa-f]){0,64}"[ \t\r\n]*:')

Next = Callable[[bytes, int], int]
"""(raw records, from where) -> the next offset at which something stands; -1: nowhere."""


def find(data: bytes, needle: bytes, start: int) -> int:
    """The first offset of these bytes from `start` on, or -1."""
    return stringzilla.find(data, needle, start)  # type: ignore[no-any-return]


def records(data: bytes, starts: Sequence[int], next_from: Next) -> list[int]:
    """The places of the records in which something stands, ascending; each is left once it is known.

    Args:
        data: records joined.
        starts: the offset of each, and the end of the last.
    """
    found: list[int] = []
    place, end = 0, starts[-1]
    at = next_from(data, starts[0])
    while 0 <= at < end:
        place = bisect_right(starts, at, place)
        found.append(place - 1)
        at = next_from(data, starts[place])
    return found


def members(data: bytes, starts: Sequence[int], next_from: Next) -> list[int]:
    """The places of the records in which a member stands, or one whose name is written with escapes."""
    return either(records(data, starts, next_from), records(data, starts, escaped_name))


def following(needle: bytes) -> Next:
    """The next place of these bytes."""
    return lambda data, start: find(data, needle, start)


def escaped_name(data: bytes, start: int) -> int:
    """The next end of a member's name in which a letter is written as an escape, or -1."""
    while (start := find(data, _ESCAPED_LETTER, start)) >= 0 and _ESCAPED_NAME.match(data, start) is None:
        start += 1
    return start


def beyond_ascii(data: bytes, start: int) -> int:
    """The next byte that is not ASCII, or -1."""
    return int(stringzilla.find_first_of(data, _BEYOND_ASCII, start))


def either(*found: Sequence[int]) -> list[int]:
    """The places of several lists, each once, ascending."""
    filled = [one for one in found if one]
    return sorted(set().union(*filled)) if filled else []
