"""Where in raw records free text may stand that no index finds: a quick look instead of reading each record.

The search text of a record is made of its values (content). A run of ASCII letters and digits in it stands in
the raw record too, in whatever case, unless the record writes letters in another way: as a JSON escape, as an
encoded word, in other alphabets (some fold to ASCII letters), as bytes that are shown as escapes, or as a
number. Where one of these may be, the record is judged.
"""

from __future__ import annotations

import re
from typing import Final

from pod_desktop.query.tree import Text

_RUN: Final = re.compile(r"[a-z0-9]+")
_ESCAPE_CHARS: Final = "0123456789abcdefxu"
"""Of `\\xNN` and `\\uNNNN`, as which bytes of unreadable records are shown in front of others."""
_FEWEST_CHARS: Final = 3
_WRITTEN_OTHERWISE: Final = frozenset({"inf"})
"""How a number too large for a float is shown."""
_ENCODED_WORD: Final = re.compile(rb"=\?")
_CHUNK: Final = 4_096
_SAME: Final = bytes(min(byte, 0x80) for byte in range(256))
_OTHER: Final = re.compile(rb"\x80\x80*")
"""In bytes made the same; begun with a single byte, a pattern is looked for several times as quickly."""
_BYTES_A_BACKSLASH: Final = 256
_ESCAPED: Final = re.compile(rb"\\u")


class TextFinder:
    """Finds the places where the text stands, or where it may stand in another way."""

    def __init__(self, needle: str) -> None:
        self.name = needle
        self._needle = re.compile(needle.encode())

    def __call__(self, data: bytes) -> list[int]:
        found = [match.start() for match in self._needle.finditer(data.lower())]
        found += [match.start() for match in _ENCODED_WORD.finditer(data)]
        found += _escapes(data)
        found += _others(data)
        found.sort()
        return found


def text_finder(part: Text) -> TextFinder | None:
    """Of free text; None where nothing in it must stand in a raw record as it is."""
    runs = (run[0].lstrip(_ESCAPE_CHARS) for run in _RUN.finditer(part.words.casefold()))
    needle = max(runs, key=len, default="")
    return TextFinder(needle) if len(needle) >= _FEWEST_CHARS and needle not in _WRITTEN_OTHERWISE else None


def _escapes(data: bytes) -> list[int]:
    """Where letters may be written as escapes. Single bytes are found more quickly than two, while they are few."""
    most = len(data) // _BYTES_A_BACKSLASH
    at = data.find(b"\\")
    while at >= 0 and most and not data.startswith(b"u", at + 1):
        most -= 1
        at = data.find(b"\\", at + 1)
    return [match.start() for match in _ESCAPED.finditer(data, at)] if at >= 0 else []


def _others(data: bytes) -> list[int]:
    """Where bytes beyond ASCII are."""
    if data.isascii():
        return []
    found: list[int] = []
    for at in range(0, len(data), _CHUNK):
        chunk = data[at : at + _CHUNK]
        if not chunk.isascii():
            found += [at + match.start() for match in _OTHER.finditer(chunk.translate(_SAME))]
    return found
