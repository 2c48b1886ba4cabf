"""When a playbook fires: matching records by key, in any order of arrival, to firings.

The definition, which live evaluation and backtest share. Take the matching records of one key in the order
of their own time. As soon as `at_least` of them lie within `within` (first and last included) they are one
firing and are used up; the next begins behind them. This gives the most firings that disjoint groups can
give, so one more record, wherever it belongs in time, never makes them fewer.

Live, records come in any order, and what has fired cannot be called back. So a key fires whenever the
records known so far make more firings than it has fired. By the law above the number of firings of each key
is in the end that of the definition, whatever the order of arrival was; and where the records of a key came
in their own order, each firing holds the same records too. Nothing waits for records that may be late.

A record must not come later than its `late` bound (the feed sees to that); what can no more be changed by
then is forgotten, and that changes nothing either.
"""

from __future__ import annotations

from bisect import insort
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, Generic, NamedTuple, Protocol, TypeVar

KEY_RECORDS: Final = 20_000
"""Records of one key that are held; beyond, the oldest count as settled."""
KEYS: Final = 100_000
"""Keys that are held; beyond, those that were quiet for longest are forgotten."""


class Match(NamedTuple):
    """A matching record under one key. Its order is that of time, then of the record's id."""

    time: int
    """Microseconds UTC."""
    record_id: str
    seq: int
    """Row key in the store."""
    key: str
    """As the record spells it; '' where records are not grouped."""


class Firing(NamedTuple):
    """A met condition."""

    key: str
    records: tuple[Match, ...]
    """In order of time."""

    @property
    def time(self) -> int:
        """Microseconds UTC of the record that met the condition."""
        return self.records[-1].time


class Change(NamedTuple):
    """What became different in a window since the last time it was asked; keys are folded."""

    added: list[tuple[str, Match]]
    removed: list[tuple[str, str]]
    """(key, record id)"""
    used: list[tuple[str, str]]
    """(key, record id) of records that are in a firing by now."""
    told: dict[str, int]
    """Key -> how many of the firings of its records have been given out."""

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.used or self.told)


@dataclass(slots=True)
class _Key:
    """The records of one key and how far they have been gathered into firings."""

    records: list[Match] = field(default_factory=list)
    groups: list[int] = field(default_factory=list)
    """Where each firing begins; it has `at_least` records from there on."""
    open: int = 0
    """Where the unfinished firing begins."""
    scanned: int = 0
    told: int = 0
    """Firings that have been given out."""
    used: set[str] = field(default_factory=set)
    """Ids of records in firings that have been given out."""
    known: set[str] = field(default_factory=set)

    def rescan(self) -> None:
        self.groups, self.open, self.scanned = [], 0, 0


class Window:
    """The records of one playbook that may still make a firing."""

    def __init__(self, at_least: int, within: int) -> None:
        """`within` in microseconds."""
        self._at_least = at_least
        self._within = within
        self._keys: dict[str, _Key] = {}
        self._touched: dict[str, None] = {}
        self._single: list[Match] = []
        self._change = Change([], [], [], {})

    def __len__(self) -> int:
        return sum(len(key.records) for key in self._keys.values()) + len(self._single)

    def restore(self, records: Iterable[tuple[str, Match, bool]], told: Iterable[tuple[str, int]]) -> None:
        """Take back what changes() told before: (folded key, record, is it used), and (folded key, told)."""
        for folded, match, used in records:
            if self._at_least == 1:
                self._single.append(match)
                continue
            key = self._keys.setdefault(folded, _Key())
            key.known.add(match.record_id)
            if used:
                key.used.add(match.record_id)
            insort(key.records, match)
            self._touched[folded] = None
        for folded, count in told:
            if (known := self._keys.get(folded)) is not None:
                known.told = count

    def add(self, match: Match) -> None:
        """A matching record; the same record twice counts once."""
        folded = match.key.casefold()
        if self._at_least == 1:
            self._single.append(match)
            self._change.added.append((folded, match))
            return
        key = self._keys.pop(folded, None) or _Key()
        self._keys[folded] = key  # at the end: touched last
        if match.record_id in key.known:
            return
        key.known.add(match.record_id)
        self._change.added.append((folded, match))
        if key.records and match < key.records[-1]:
            insort(key.records, match)
            key.rescan()
        else:
            key.records.append(match)
        self._touched[folded] = None

    def due(self, settled: int) -> list[Firing]:
        """The firings that have not been given out, in order of time.

        Args:
            settled: microseconds UTC; no record before this will be added any more.
        """
        firings: list[Firing] = []
        if self._at_least == 1:
            for match in sorted(self._single):
                firings.append(Firing(match.key, (match,)))
                self._change.removed.append((match.key.casefold(), match.record_id))
            self._single.clear()
            return firings
        for folded in self._touched:
            if (key := self._keys.get(folded)) is not None:
                self._gather(key)
                firings += self._new(folded, key)
                self._forget(folded, key, settled)
        self._touched.clear()
        while len(self._keys) > KEYS:
            folded, key = next(iter(self._keys.items()))
            self._drop(folded, key, len(key.records))
        firings.sort(key=lambda firing: (firing.time, firing.records[-1].record_id, firing.key))
        return firings

    def sweep(self, settled: int) -> None:
        """Forget what can no more change, of keys that are quiet too. For now and then."""
        for folded, key in list(self._keys.items()):
            if folded not in self._touched:
                self._gather(key)
                self._forget(folded, key, settled)

    def changes(self) -> Change:
        """What became different since the last call."""
        change, self._change = self._change, Change([], [], [], {})
        # What came and went in between was never written down.
        gone = {(folded, record_id) for folded, record_id in change.removed}
        came = {(folded, match.record_id) for folded, match in change.added}
        return Change(
            [(folded, match) for folded, match in change.added if (folded, match.record_id) not in gone],
            [pair for pair in change.removed if pair not in came],
            [pair for pair in change.used if pair not in gone],
            change.told,
        )

    # one key

    def _gather(self, key: _Key) -> None:
        """Scan the records that have not been, and note where firings begin."""
        records, at_least, within = key.records, self._at_least, self._within
        for place in range(key.scanned, len(records)):
            while key.open < place and records[place].time - records[key.open].time > within:
                key.open += 1
            if place - key.open + 1 == at_least:
                key.groups.append(key.open)
                key.open = place + 1
        key.scanned = len(records)

    def _new(self, folded: str, key: _Key) -> Iterator[Firing]:
        """Of the firings that are there now those that are more than were told."""
        more = len(key.groups) - key.told
        if more <= 0:
            return
        key.told += more
        self._change.told[folded] = key.told
        for at in self._chosen(key, more):
            group = tuple(key.records[at : at + self._at_least])
            for one in group:
                if one.record_id not in key.used:
                    key.used.add(one.record_id)
                    self._change.used.append((folded, one.record_id))
            yield Firing(group[0].key, group)

    def _chosen(self, key: _Key, more: int) -> list[int]:
        """Which firings to give out: those with most records that none has had.

        Where the records came in order these are simply the last ones.
        """
        last = key.groups[-more:]
        if all(self._fresh(key, at) == self._at_least for at in last):
            return last
        return sorted(sorted(key.groups, key=lambda at: (self._fresh(key, at), at))[-more:])

    def _fresh(self, key: _Key, at: int) -> int:
        return sum(one.record_id not in key.used for one in key.records[at : at + self._at_least])

    def _forget(self, folded: str, key: _Key, settled: int) -> None:
        """Drop from the beginning what no record to come can change."""
        at, groups = 0, 0
        records, size = key.records, self._at_least
        spare = len(records) - KEY_RECORDS
        while at < len(records):
            if groups < len(key.groups) and key.groups[groups] == at:
                final = records[at + size - 1].time < settled or at < spare
                if not final or groups >= key.told:
                    break
                at, groups = at + size, groups + 1
            elif records[at].time + self._within < settled or at < spare:
                at += 1
            else:
                break
        if at:
            self._drop(folded, key, at, groups)

    def _drop(self, folded: str, key: _Key, count: int, groups: int = 0) -> None:
        gone = [one.record_id for one in key.records[:count]]
        self._change.removed.extend((folded, record_id) for record_id in gone)
        key.known.difference_update(gone)
        key.used.difference_update(gone)
        if count == len(key.records):
            del self._keys[folded]
            self._change.told[folded] = 0
            return
        del key.records[:count]
        key.groups = [at - count for at in key.groups[groups:]]
        key.open = max(key.open - count, 0)
        key.scanned -= count
        key.told -= groups
        self._change.told[folded] = key.told


class Seen(Protocol):
    """A matching record as history has it (core.record.EventRow)."""

    @property
    def time(self) -> int: ...
    @property
    def record_id(self) -> str: ...
    @property
    def seq(self) -> int: ...


_Seen = TypeVar("_Seen", bound=Seen)


class Met(NamedTuple, Generic[_Seen]):
    """A condition that history met."""

    place: int
    """Of the record that met it, as feed() was told."""
    entries: tuple[tuple[int, str, _Seen], ...]
    """(time, key as the record spells it, record), in order of time."""

    @property
    def key(self) -> str:
        """As the first of the records spells it."""
        return self.entries[0][1]

    def firing(self) -> Firing:
        """With names for its records, which only what is looked at more closely is worth."""
        records = [Match(time, one.record_id, one.seq, key) for time, key, one in self.entries]
        return Firing(self.key, tuple(records))


class Replay:
    """The same for records that come in order of time: what history is tried by, many times as fast.

    Gives the firings of the definition; among records of one moment it takes them as they come.
    """

    def __init__(self, at_least: int, within: int) -> None:
        """`within` in microseconds."""
        self._at_least = at_least
        self._within = within
        self._keys: dict[str, deque[tuple[int, str, Any]]] = {}
        self._added = 0

    def add(self, key: str, record: Seen) -> Firing | None:
        """The next record under its key; the firing that it completes."""
        met = self.feed([(0, key, record)])
        return met[0].firing() if met else None

    def feed(self, keyed: Iterable[tuple[int, str, _Seen]]) -> list[Met[_Seen]]:
        """The next records, each with its place among them and its key, and what they complete.

        One loop over many: most records complete nothing, and what is done for each of them is what counts.
        """
        if self._at_least == 1:
            return [Met(place, ((record.time, key, record),)) for place, key, record in keyed]
        met: list[Met[_Seen]] = []
        keys: dict[str, deque[tuple[int, str, _Seen]]] = self._keys
        at_least, within, added = self._at_least, self._within, self._added
        for place, key, record in keyed:
            time = record.time
            folded = key.casefold()
            waiting = keys.get(folded)
            if waiting is None:
                waiting = keys[folded] = deque()
            oldest = time - within
            while waiting and waiting[0][0] < oldest:
                waiting.popleft()
            waiting.append((time, key, record))
            added += 1
            if added % KEYS == 0:
                self._sweep(time)
            if len(waiting) >= at_least:
                met.append(Met(place, tuple(waiting)))
                waiting.clear()
        self._added = added
        return met

    def _sweep(self, now: int) -> None:
        """Let go of keys that have been quiet."""
        for folded, waiting in list(self._keys.items()):
            if not waiting or now - waiting[-1][0] > self._within:
                del self._keys[folded]
