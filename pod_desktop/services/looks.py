"""What rows show beyond their own columns: values of chosen fields, and the colour of the first rule that fits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from pod_desktop.core.faults import Outage
from pod_desktop.core.record import EventRow
from pod_desktop.core.text import one_line
from pod_desktop.query import Matcher, matcher
from pod_desktop.query.tree import Node
from pod_desktop.services.asking import Record
from pod_desktop.store import Reader

_MOST_VALUES: Final = 20
_VALUE_CHARS: Final = 300


@dataclass(frozen=True, slots=True)
class Rule:
    """Records that match get this tone."""

    tree: Node
    tone: str


class Look(NamedTuple):
    """What one row shows."""

    values: tuple[str, ...]
    """A text for each chosen field."""
    tone: str
    """'' where no rule fits."""


_PLAIN: Final = Look((), "")


def looks(
    reader: Reader, rows: Sequence[EventRow], fields: Sequence[str], rules: Sequence[Rule]
) -> list[Look]:
    """The looks of rows, in their order; a record that cannot be read shows nothing."""
    tests = [(matcher(rule.tree), rule.tone) for rule in rules]
    made: dict[int, Look] = {}
    for row in sorted(rows, key=lambda row: row.seq):  # neighbours share a block of raw records
        made[row.seq] = _look(reader, row, fields, tests)
    return [made[row.seq] for row in rows]


def _look(reader: Reader, row: EventRow, fields: Sequence[str], tests: Sequence[tuple[Matcher, str]]) -> Look:
    try:
        record = Record(row.kind, reader.raw(row.seq), reader.source(row.seq))
    except (KeyError, Outage):
        return Look(("",) * len(fields), "") if fields else _PLAIN
    tone = next((tone for matches, tone in tests if matches(record)), "")
    return Look(tuple(value_text(record, field) for field in fields), tone)


def value_text(record: Record, field: str) -> str:
    """All values of a field in one line."""
    found = record.values(field)
    shown = [one_line(str(value)[:_VALUE_CHARS]) for value in found[:_MOST_VALUES]]
    if len(found) > _MOST_VALUES:
        shown.append(f"+{len(found) - _MOST_VALUES}")
    return ", ".join(shown)
