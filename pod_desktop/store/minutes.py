"""How many records of a segment each minute has: every search begins with this."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from pod_desktop.query.tree import Everything
from pod_desktop.store import schema
from pod_desktop.store.port import Ask

if TYPE_CHECKING:
    from pod_desktop.store.segment import Segment

_MINUTES_KEPT: Final = 8
Bounds = Callable[[Ask, int | None], tuple[list[str], dict[str, Any]]]


class MinuteCounts:
    """Counts of one segment, some of them kept."""

    def __init__(self, segment: Segment, bounds: Bounds) -> None:
        """`bounds` gives a question's time, kinds and sources, up to a seq, as SQL conditions with their values."""
        self._segment = segment
        self._bounds = bounds
        self._kept: dict[tuple[tuple[str, ...], tuple[str, ...]], tuple[int, Counter[int]]] = {}

    def of(self, ask: Ask, *, most: int, above: int | None = None) -> Mapping[int, int]:
        """Records by minute since 1970; the tree is not asked."""
        assert isinstance(ask.tree, Everything)
        if self._segment.meta.sealed and above is None and most >= self._segment.last():
            if ask.since is not None or ask.until is not None:
                return self._sealed_minutes(ask)
            key = ask.kinds, ask.connectors
            if key not in self._kept or self._kept[key][0] != self._segment.last():
                self._keep_minutes(key, self._segment.last(), Counter(self._sealed_minutes(ask)))
            return self._kept[key][1]
        if above is None and ask.since is None and ask.until is None:
            return self._grown_minutes(ask, most)
        parts, values = self._bounds(ask, most)
        if above is not None:
            parts.append("seq > :above")
            values["above"] = above
        return self._count_minutes(parts, values)

    def _grown_minutes(self, ask: Ask, most: int) -> dict[int, int]:
        """Of a segment that is being written: counted once, and then what came since. Every search begins with this."""
        key = ask.kinds, ask.connectors
        last, counts = self._kept.get(key, (schema.first_seq(self._segment.segment) - 1, Counter()))
        parts, values = self._bounds(ask, most)
        if last > most:
            return self._count_minutes(parts, values)
        if last < most:
            found = self._count_minutes([*parts, "seq > :above"], values | {"above": last})
            counts = counts + Counter(found)
            self._keep_minutes(key, most, counts)
        return counts

    def _keep_minutes(
        self, key: tuple[tuple[str, ...], tuple[str, ...]], last: int, counts: Counter[int]
    ) -> None:
        self._kept[key] = last, counts
        while len(self._kept) > _MINUTES_KEPT:
            del self._kept[next(iter(self._kept))]

    def _count_minutes(self, parts: list[str], values: dict[str, Any]) -> dict[int, int]:
        where = " and ".join(parts) or "1"
        return dict(
            self._segment.execute(
                f"select time / 60000000, count(*) from ev where {where} group by 1", values
            )
        )

    def _sealed_minutes(self, ask: Ask) -> dict[int, int]:
        """From the counts made at the seal; minutes that the question cuts are counted anew."""
        parts = [
            f"{name} in ({', '.join(map(str, ids))})" for name, ids in self._segment.restrictions(ask).items()
        ]
        where = " and ".join(parts) or "1"
        found: dict[int, int] = dict(
            self._segment.execute(f"select minute, sum(n) from minute where {where} group by 1")
        )
        low = -(1 << 62) if ask.since is None else ask.since // 60_000_000
        high = 1 << 62 if ask.until is None else -(-ask.until // 60_000_000) - 1
        found = {minute: count for minute, count in found.items() if low <= minute <= high}
        bounds, values = self._bounds(ask, None)
        for minute in {low, high} & found.keys():
            edge = [*bounds, f"time >= {minute * 60_000_000}", f"time < {(minute + 1) * 60_000_000}"]
            del found[minute]
            found.update(self._count_minutes(edge, values))
        return found
