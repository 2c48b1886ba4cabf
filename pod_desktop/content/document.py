"""Bytes from outside to clean JSON values: repaired, bounded in depth and count, never an exception but one.

The strict parser (msgspec) is tried first; what it refuses goes to the standard library's, which takes
NaN, lone surrogates and control characters, and the result is mended.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Any, Final

import msgspec

from pod_desktop.core import limits
from pod_desktop.core.faults import Unreadable
from pod_desktop.core.text import printable

_BOM: Final = b"\xef\xbb\xbf"
_REPLACEMENT: Final = "\ufffd"
_UNWANTED: Final = re.compile("[\x00\ud800-\udfff]")
_NOT_STRUCTURE: Final = bytes(sorted(set(range(256)) - set(b'[]{}"')))
_SAME_BRACKETS: Final = bytes.maketrans(b"{}", b"[]")
_ESCAPES: Final = re.compile(rb"\\.", re.DOTALL)
_FEW_ESCAPES: Final = 64
_STRINGS: Final = re.compile(rb'"[^"]*"')
EXCERPT_CHARS: Final = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A raw record as clean JSON values, for the detail pane and for predicates.

    Whole numbers keep all their digits and may exceed 64 bits; numbers that no float can hold are text.
    """

    value: Any
    """dict, list, str, int, float, bool or None; None where the raw record is unreadable."""
    repaired: bool = False
    """Invalid UTF-8, a lone surrogate or NUL was replaced by U+FFFD."""
    cut: bool = False
    """There were more than core.limits.JSON_KEYS members; the longest lists lost their ends."""
    problem: str = ""
    """Why the raw record is unreadable; '' where it can be read."""
    excerpt: str = ""
    """The beginning of an unreadable record, printable."""


def document(raw: bytes) -> Document:
    """The clean, bounded view of a raw record; never raises."""
    try:
        value, repaired = parse(raw)
    except Unreadable as fault:
        return Document(value=None, problem=str(fault), excerpt=printable(raw, EXCERPT_CHARS))
    if len(raw) <= 2 * limits.JSON_KEYS:  # a member has two bytes at least
        return Document(value=value, repaired=repaired)
    if raw.count(b",") + raw.count(b"{") + raw.count(b"[") <= limits.JSON_KEYS:
        return Document(value=value, repaired=repaired)
    value, cut = _shorten(value)
    return Document(value=value, repaired=repaired, cut=cut)


def parse(raw: bytes) -> tuple[Any, bool]:
    """The JSON value of the bytes, and whether text in it had to be repaired.

    Raises:
        Unreadable: no JSON, or nested deeper than core.limits.JSON_DEPTH.
    """
    if too_deep(raw):
        raise Unreadable(_too_deep_words())
    if b"\\u0000" not in raw:
        try:
            return msgspec.json.decode(raw), False
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            pass  # the lenient parser below says what is wrong, or takes it
    return _parse_leniently(raw)


def is_clean(raw: bytes) -> bool:
    """Can a typed decode be trusted with these bytes?

    In members that it skips msgspec finds lone surrogates and control characters, but no invalid UTF-8.
    """
    if not raw.isascii():
        try:
            raw.decode()
        except UnicodeDecodeError:
            return False
    at = raw.find(b"\\")
    if at < 0:
        return not _brackets_too_deep(raw)
    plain = _without_escapes(raw, at)
    return plain is not None and not _brackets_too_deep(plain)


def too_deep(raw: bytes) -> bool:
    """Does any value stand deeper than core.limits.JSON_DEPTH levels? Exact for JSON, and iterative."""
    return _brackets_too_deep(_ESCAPES.sub(b"", raw) if b"\\" in raw else raw)


def _without_escapes(raw: bytes, at: int) -> bytes | None:
    """The same without its escapes, of which the first is at `at`; None where one may be that of NUL."""
    pieces: list[bytes] = []
    start = 0
    while at >= 0:
        if len(pieces) == _FEW_ESCAPES:
            return None if b"\\u0000" in raw else _ESCAPES.sub(b"", raw)
        if raw.startswith(b"u0000", at + 1):
            return None
        pieces.append(raw[start:at])
        start = at + 2
        at = raw.find(b"\\", start)
    pieces.append(raw[start:])
    return b"".join(pieces)


def _brackets_too_deep(raw: bytes) -> bool:
    """The same as too_deep() of bytes without escapes."""
    structure = raw.translate(_SAME_BRACKETS, _NOT_STRUCTURE)
    if structure.count(b"[") <= limits.JSON_DEPTH:
        return False
    while b'""' in structure:  # adjacent quotes hold nothing, whichever of them opens
        structure = structure.replace(b'""', b"")
    if b'"' in structure:
        structure = _STRINGS.sub(b"", structure)
    for level in range(limits.JSON_DEPTH):
        if level + structure.count(b"[") <= limits.JSON_DEPTH:
            return False
        peeled = structure.replace(b"[]", b"")
        if len(peeled) == len(structure):
            return False  # nothing left, or unbalanced: no JSON, the parser says where
        structure = peeled
    return bool(structure)


def _too_deep_words() -> str:
    return f"It nests deeper than {limits.JSON_DEPTH} levels."


def _parse_leniently(raw: bytes) -> tuple[Any, bool]:
    body = raw[len(_BOM) :] if raw.startswith(_BOM) else raw
    if not body.strip():
        raise Unreadable("It is empty.")
    repaired = False
    try:
        text = body.decode()
    except UnicodeDecodeError:
        text, repaired = body.decode("utf-8", "replace"), True
    try:
        value = json.loads(text, strict=False, parse_int=_whole, parse_float=_fraction, parse_constant=str)
    except RecursionError:
        raise Unreadable(_too_deep_words()) from None
    except json.JSONDecodeError as error:
        what = (error.msg[0].lower() + error.msg[1:]).removesuffix(" at")
        if error.pos >= len(text):
            raise Unreadable(
                f"It is no JSON: it breaks off after {len(text):,} characters, {what}."
            ) from None
        raise Unreadable(f"It is no JSON: {what} at character {error.pos + 1:,} of {len(text):,}.") from None
    except ValueError as error:  # whatever else the parser may find
        raise Unreadable(f"It is no JSON: {error}.") from None
    if "\x00" in text or "\\u" in text:
        mended: list[str] = []
        value = _mend(value, mended)
        return value, repaired or bool(mended)
    return value, repaired


def _whole(digits: str) -> int | str:
    try:
        return int(digits)
    except ValueError:  # Python refuses more than 4,300 digits
        return digits


def _fraction(digits: str) -> float | str:
    number = float(digits)
    return digits if number in (float("inf"), float("-inf")) else number


def _mend(value: Any, mended: list[str]) -> Any:
    """The value with U+FFFD for NUL and lone surrogates; what was mended is appended to `mended`.

    Recursion is safe: the depth has been checked.
    """
    if isinstance(value, str):
        clean = _UNWANTED.sub(_REPLACEMENT, value)
        if clean != value:
            mended.append(clean)
        return clean
    if isinstance(value, list):
        return [_mend(item, mended) for item in value]
    if isinstance(value, dict):
        return {_mend(key, mended): _mend(item, mended) for key, item in value.items()}
    return value


def _shorten(value: Any) -> tuple[Any, bool]:
    """At most JSON_KEYS members and items. Small containers first, so that a long list costs only itself."""
    left, cut = limits.JSON_KEYS, False
    holder: list[Any] = [value]
    heap: list[tuple[int, int, Any, Any]] = [(0, 0, holder, 0)]
    order = 0
    while heap:
        _, _, parent, place = heappop(heap)
        old = parent[place]
        size = min(len(old), left)
        cut = cut or size < len(old)
        left -= size
        new: Any
        if isinstance(old, dict):
            new = dict(list(old.items())[:size])
            places: Any = new.items()
        else:
            new = old[:size]
            places = enumerate(new)
        for key, item in places:
            if isinstance(item, dict | list) and item:
                order += 1
                heappush(heap, (len(item), order, new, key))
        parent[place] = new
    return holder[0], cut
