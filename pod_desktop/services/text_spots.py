"""Where in raw records free text may stand that no index finds: a quick look instead of reading each record.

The search text of a record is made of its values (content). A run of ASCII letters and digits in it stands in
the raw record too, in whatever case, unless the record writes letters in another way: as a JSON escape, as an
encoded word, in other alphabets (some fold to ASCII letters), as bytes that are shown as escapes, or as a
number. Where one of these may be, the record is judged.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from pod_desktop.query.tree import Text
from pod_desktop.services import needles

_RUN: Final = re.compile(r"[a-z0-9]+")
_ESCAPE_CHARS: Final = "0123456789abcdefxu"
"""Of `\\xNN` and `\\uNNNN`, as which bytes of unreadable records are shown in front of others."""
_FEWEST_CHARS: Final = 3
_WRITTEN_OTHERWISE: Final = frozenset({"inf"})
"""How a number too large for a float is shown."""
_ENCODED_WORD: Final = needles.following(b"=?")
_ESCAPED: Final = needles.following(b"\\u")


class TextFinder:
    """Finds the records in which the text stands, or where it may stand in another way."""

    def __init__(self, needle: str) -> None:
        self.name = needle
        self._needle = needles.following(needle.encode())

    def __call__(self, data: bytes, starts: Sequence[int]) -> list[int]:
        return needles.either(
            needles.records(data.lower(), starts, self._needle),
            needles.records(data, starts, _ENCODED_WORD),
            needles.records(data, starts, _ESCAPED),
            needles.records(data, starts, needles.beyond_ascii),
        )


def text_finder(part: Text) -> TextFinder | None:
    """Of free text; None where nothing in it must stand in a raw record as it is."""
    runs = (run[0].lstrip(_ESCAPE_CHARS) for run in _RUN.finditer(part.words.casefold()))
    needle = max(runs, key=len, default="")
    return TextFinder(needle) if len(needle) >= _FEWEST_CHARS and needle not in _WRITTEN_OTHERWISE else None
