"""How summaries put things: marks for what hides, sizes, chips and their tones."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from pod_desktop.content.fit import text_of
from pod_desktop.content.paths import lookup
from pod_desktop.core.blocks import BAD, GOOD, INFO, MUTED, WARN, Chip, Fact, Facts
from pod_desktop.core.record import BOUNCED, DEFERRED, DELIVERED, DISCARDED, QUARANTINED, REJECTED
from pod_desktop.core.text import clip, visible

VALUE_CHARS: Final = 2_000
LIST_ITEMS: Final = 50
_OUTCOME_TONES: Final = {
    DELIVERED: GOOD,
    QUARANTINED: BAD,
    REJECTED: BAD,
    BOUNCED: BAD,
    DISCARDED: WARN,
    DEFERRED: WARN,
}
_RESULT_TONES: Final = {"pass": GOOD, "fail": BAD, "permerror": BAD, "softfail": WARN, "temperror": WARN}


def shown(text: str, limit: int = VALUE_CHARS) -> str:
    """Outside text for a block: hidden characters marked, cut at the limit."""
    return clip(visible(text[: limit + 1]), limit)


def text_at(value: Any, *paths: str) -> str:
    """The first value at any of the paths, as text."""
    for path in paths:
        for found in lookup(value, path):
            if text := text_of(found):
                return text
    return ""


def texts_at(value: Any, path: str) -> list[str]:
    """All values at the path as texts, none twice."""
    return list(dict.fromkeys(text for found in lookup(value, path) if (text := text_of(found))))


def fact(label: str, value: str, *, mono: bool = False, chips: tuple[Chip, ...] = (), tip: str = "") -> Fact:
    return Fact(label, shown(value), mono, chips, shown(tip))


def facts(rows: Iterable[Fact], title: str = "") -> tuple[Facts, ...]:
    """The rows that say something, as a block; nothing where none does."""
    said = tuple(row for row in rows if row.value or row.chips)
    return (Facts(said, title),) if said else ()


def outcome_chip(outcome: str, tip: str = "") -> Chip:
    return Chip(outcome.capitalize(), _OUTCOME_TONES.get(outcome, INFO), shown(tip))


def result_chip(name: str, result: str, more: str = "", tip: str = "") -> Chip:
    """An authentication result: `SPF fail`, `DMARC fail · p=reject`."""
    words = shown(f"{name} {result}{f' · {more}' if more else ''}", 100)
    return Chip(words, _RESULT_TONES.get(result.casefold(), MUTED), shown(tip))


def few(items: Iterable[str], most: int) -> str:
    """The first of the items, and how many more there are."""
    found = list(items)
    more = f", +{len(found) - most:,} more" if len(found) > most else ""
    return ", ".join(found[:most]) + more


def few_lines(items: Iterable[str], most: int = LIST_ITEMS) -> tuple[str, ...]:
    found = list(items)
    more = (f"+{len(found) - most:,} more",) if len(found) > most else ()
    return (*(shown(item) for item in found[:most]), *more)


def size_words(size: int | None) -> str:
    """`512 bytes`, `48.2 KB`, `3.1 MB`; '' for an unknown size."""
    if size is None or size < 0:
        return ""
    if size < 1_000:
        return f"{size} bytes"
    if size < 1_000_000:
        return f"{size / 1_000:.1f} KB"
    return f"{size / 1_000_000:,.1f} MB"


def seconds_words(seconds: int) -> str:
    """`4 s`, `20 min 4 s`, `2 h 5 min`, `3 d 1 h`."""
    parts = (
        (seconds // 86_400, "d"),
        (seconds // 3_600 % 24, "h"),
        (seconds // 60 % 60, "min"),
        (seconds % 60, "s"),
    )
    said = [f"{number} {unit}" for number, unit in parts if number]
    return " ".join(said[:2]) or "0 s"
