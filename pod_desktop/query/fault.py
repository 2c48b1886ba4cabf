"""A query that cannot be understood: what is wrong, at which column, and the nearest thing that works."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from pod_desktop.core.faults import UserFault

_SHOWN_CHARS: Final = 40


@dataclass(slots=True, eq=False)
class QueryFault(UserFault):
    """A fault in a query's text; `column` and `length` (characters, from 0) say where, to be underlined."""

    column: int = 0
    length: int = 0


def fault(start: int, end: int, what: str, hint: str = "") -> QueryFault:
    """A fault about text[start:end]; people count columns from 1."""
    what, hint = spelt(what), spelt(hint)
    return QueryFault(what, f"column {start + 1}", hint, column=start, length=max(0, end - start))


def is_invisible(char: str) -> bool:
    """Control, format (bidi, zero-width), surrogate and line-separating characters: they show nothing or lie."""
    return unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"}


def quoted(text: str) -> str:
    """A piece of the query as it may stand in a message: cut; fault() spells its invisible characters out."""
    cut = text if len(text) <= _SHOWN_CHARS else text[: _SHOWN_CHARS - 1] + "…"
    return f"‘{cut}’"


def spelt(text: str) -> str:
    r"""Text with its invisible characters as `\u{…}`."""
    return "".join(f"\\u{{{ord(char):x}}}" if is_invisible(char) else char for char in text)


def nearest(word: str, choices: Iterable[str]) -> str | None:
    """The choice most like a word, if any is like it at all."""
    import difflib

    folded = word.casefold()[:64]
    names = list(choices)
    if close := difflib.get_close_matches(folded, names, n=1, cutoff=0.6):
        return close[0]
    starts = [name for name in names if len(folded) >= 2 and name.startswith(folded)]
    return starts[0] if starts else None
