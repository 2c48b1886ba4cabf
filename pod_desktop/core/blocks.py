"""Neutral pieces that a record's summary is made of: content builds them, a front end draws them.

All text in a block is plain text, already repaired and bounded; a front end never interprets it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

GOOD: Final = "good"
WARN: Final = "warn"
BAD: Final = "bad"
INFO: Final = "info"
MUTED: Final = "muted"
TONES: Final = (GOOD, WARN, BAD, INFO, MUTED)


@dataclass(frozen=True, slots=True)
class Chip:
    """A short word on a coloured ground; the word alone says it, the colour repeats it."""

    text: str
    tone: str = MUTED
    tip: str = ""


@dataclass(frozen=True, slots=True)
class Notice:
    """Something to read before all else."""

    text: str
    tone: str = WARN


@dataclass(frozen=True, slots=True)
class Fact:
    """A label and what the record says. `mono` for addresses, ids, hosts."""

    label: str
    value: str
    mono: bool = False
    chips: tuple[Chip, ...] = ()
    tip: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """A run of facts, under a title or none."""

    rows: tuple[Fact, ...]
    title: str = ""


@dataclass(frozen=True, slots=True)
class Chips:
    """A titled row of chips."""

    title: str
    chips: tuple[Chip, ...]


@dataclass(frozen=True, slots=True)
class Score:
    label: str
    value: float
    most: float = 100.0
    tone: str = MUTED


@dataclass(frozen=True, slots=True)
class Scores:
    """Labelled bars."""

    title: str
    rows: tuple[Score, ...]


@dataclass(frozen=True, slots=True)
class Lines:
    """Titled lines of monospace text (attachments, URLs defanged, a raw log line)."""

    title: str
    lines: tuple[str, ...]


Block = Notice | Facts | Chips | Scores | Lines
