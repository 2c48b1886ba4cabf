"""The commonest values of a field over all segments, from the lists that each has of its own (store.tops).

Lists that are cut give an exact answer as long as no value that is missing in some of them could belong to it: how
often it can be there at most is known, as no value missing is commoner than the last one kept (Fagin, Lotem and Naor,
Optimal aggregation algorithms for middleware, 2003). Values of the answer that are missing in a few segments
are counted there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final

from pod_desktop.query.tree import Equals, Everything, Term
from pod_desktop.store import tops
from pod_desktop.store.counting import count_in, counts_by
from pod_desktop.store.port import Ask
from pod_desktop.store.segment import Segment
from pod_desktop.store.tops import Part

_LOOK_UPS: Final = 200
"""So many counts of single values take about as long as counting one segment's values."""


Answer = Callable[[int, Callable[[Segment], Any]], Any]
"""What a function finds in a segment; None where it fails, and is set aside."""


def commonest(
    segments: Iterable[int], answer: Answer, ask: Ask, name: str, limit: int
) -> list[tuple[str, int]] | None:
    """The `limit` commonest values with their counts; None where the lists are not enough to tell."""
    if not 0 < limit <= tops.KEPT or name not in tops.FIELDS or not isinstance(ask.tree, Everything):
        return None
    found = {one: answer(one, partial(tops.lists, ask=ask, name=name)) for one in segments}
    if all(listed is None for listed in found.values()):
        return None
    parts: list[Part] = []
    for one, listed in found.items():
        if listed is None:
            parts.append(counted(answer(one, partial(counts_by, ask=ask, name=name)) or {}))
            continue
        for kind, part in listed:
            among = replace(ask, kinds=(kind,))
            parts.append(replace(part, count=partial(_count, answer, one, among, name)))
    return ranked(parts, limit)


def _count(answer: Answer, segment: int, ask: Ask, name: str, value: str) -> int:
    ask = replace(ask, tree=Term(name, Equals(value)))
    return answer(segment, partial(count_in, ask=ask)) or 0


def counted(counts: Mapping[str, int]) -> Part:
    """All values of a segment, as they are written."""
    total: dict[str, int] = {}
    shown: dict[str, str] = {}
    for value, n in counts.items():
        folded = value.casefold()
        total[folded] = total.get(folded, 0) + n
        shown.setdefault(folded, value)
    return Part(total, shown)


def ranked(parts: Sequence[Part], limit: int) -> list[tuple[str, int]] | None:
    """The `limit` commonest values over all parts, exactly; None where the parts do not tell."""
    total: dict[str, int] = {}
    known: dict[str, int] = {}
    shown: dict[str, str] = {}
    missing = sum(part.least for part in parts)
    for part in parts:
        least = part.least
        for value, n in part.counts.items():
            total[value] = total.get(value, 0) + n
            known[value] = known.get(value, 0) + least
        for value, text in part.shown.items():
            shown.setdefault(value, text)
    order = sorted(total, key=lambda value: (-total[value], value))
    if missing:
        if len(order) < limit:
            return None
        enough = total[order[limit - 1]]
        if missing >= enough:
            return None
        order = [value for value in order if total[value] + missing - known[value] >= enough]
        asked = [
            (value, part) for value in order for part in parts if part.least and value not in part.counts
        ]
        if len(asked) > _LOOK_UPS:
            return None
        for value, part in asked:
            assert part.count is not None
            total[value] += part.count(value)
        order.sort(key=lambda value: (-total[value], value))
    return [(shown.get(value, value), total[value]) for value in order[:limit]]
