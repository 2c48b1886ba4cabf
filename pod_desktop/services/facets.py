"""Facets: the commonest values of a field among the records of a question.

Fields that are columns of the store are counted over all records. Others stand in the raw records only: of
these the newest are looked at, for about a second, and the answer says how many they were.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from pod_desktop.core.faults import Outage, Unwanted
from pod_desktop.query import sql
from pod_desktop.services.asking import field_values
from pod_desktop.store import Ask, Reader

SAMPLE_SECONDS: Final = 1.0
SAMPLE_RECORDS: Final = 20_000
_LOOK_EVERY: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Facet:
    """Values of one field, most frequent first."""

    field: str
    values: tuple[tuple[str, int], ...]
    """(value, records that have it)."""
    sampled: int = 0
    """How many of the newest records were looked at; 0: all were."""


def is_column(field: str) -> bool:
    """Whether the store counts this field without opening records."""
    return field in sql.COLUMNS


def facet(reader: Reader, ask: Ask, field: str, most: int, wanted: Callable[[], bool]) -> Facet:
    """Count a field.

    Raises:
        Unwanted: `wanted` said no.
    """
    ask = replace(ask, wanted=wanted)
    if is_column(field):
        return Facet(field=field, values=tuple(reader.count_by(ask, field, most)))
    return sample(reader, ask, field, most, wanted)


def sample(
    reader: Reader,
    ask: Ask,
    field: str,
    most: int,
    wanted: Callable[[], bool],
    *,
    seconds: float = SAMPLE_SECONDS,
    records: int = SAMPLE_RECORDS,
) -> Facet:
    """Count a field of the newest raw records."""
    until = time.monotonic() + seconds
    counts: Counter[str] = Counter()
    spelt: dict[str, str] = {}
    looked = 0
    whole = True
    for row in reader.search(ask):
        if looked % _LOOK_EVERY == 0:
            if not wanted():
                raise Unwanted("No longer wanted.")
            # A first few in any case: however slow the disk, something is told.
            if looked >= records or (looked and time.monotonic() > until):
                whole = False
                break
        looked += 1
        try:
            found = field_values(row.kind, reader.raw(row.seq), reader.source(row.seq), field)
        except (KeyError, Outage):
            continue
        for value in {str(value).casefold(): str(value) for value in found}.values():
            spelt.setdefault(value.casefold(), value)
            counts[value.casefold()] += 1
    values = tuple((spelt[value], count) for value, count in counts.most_common(most))
    return Facet(field=field, values=values, sampled=0 if whole else looked)
