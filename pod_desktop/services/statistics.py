"""Statistics over a stretch of time: volume, outcomes, who and what comes most, delays, TLS.

What the store has columns for is counted over all records; delays and TLS stand in raw records only, and of these
a sample spread over the whole time is looked at. Every bar knows the search that finds its records.
"""

from __future__ import annotations

import csv
import io
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

from pod_desktop.core.clock import DAY, HOUR, MINUTE, SECOND, iso
from pod_desktop.core.faults import Outage, Unwanted
from pod_desktop.core.record import MAILLOG, MESSAGE, OUTCOMES, EventRow
from pod_desktop.core.text import plural
from pod_desktop.query import term
from pod_desktop.query.tree import Everything, Exists, Node, Term
from pod_desktop.services.asking import field_values
from pod_desktop.services.exporting import cell
from pod_desktop.store import Ask, Place, Reader

TOP: Final = 10
BARS: Final = 48
SAMPLE: Final = 1_500
"""Records looked at for what no column has."""
_CLUSTERS: Final = 60
"""Places in time that a sample is taken from."""
_ALL: Final = 1 << 62
OVER_TIME: Final = "over time"
RANKED: Final = "ranked"
_STEPS: Final = (
    SECOND, 5 * SECOND, 15 * SECOND, MINUTE, 5 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR,
    12 * HOUR, DAY, 2 * DAY, 7 * DAY, 14 * DAY, 30 * DAY, 90 * DAY, 365 * DAY,
)  # fmt: skip
_TLS: Final = "connection.tls.inbound.version"
_DELAYS: Final = (
    ("up to 1 s", 0, 2),
    ("2 to 10 s", 2, 11),
    ("11 s to 1 min", 11, 61),
    ("1 to 10 min", 61, 601),
    ("10 min to 1 h", 601, 3_601),
    ("1 h to 1 day", 3_601, 86_401),
    ("over 1 day", 86_401, None),
)
_TOPS: Final = (
    ("senders", "Top senders", "sender"),
    ("sender_domains", "Top sender domains", "sender.domain"),
    ("recipients", "Top recipients", "recipient"),
    ("rules", "Top rules", "rule"),
    ("ips", "Top source addresses", "ip"),
    ("countries", "Top countries", "country"),
)
TITLES: Final = {
    "volume": "Messages over time",
    "outcomes": "Outcomes",
    **{key: title for key, title, _ in _TOPS},
    "delays": "Delay until delivery",
    "tls": "TLS of incoming connections",
}
"""Every part by its key, in the order in which they are made and shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One bar."""

    label: str
    count: int
    query: str
    """Finds its records; '' is all of the part's kinds."""
    stack: tuple[tuple[str, int], ...] = ()
    """(outcome, count), where it is made of several."""
    since: int | None = None
    until: int | None = None
    """Where it is only a part of the time; microseconds UTC, `until` not included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One plot."""

    key: str
    form: str
    """OVER_TIME or RANKED."""
    bars: tuple[Bar, ...]
    kinds: tuple[str, ...]
    """Content types that are counted."""
    note: str = ""
    """How exact it is, or what stands out."""

    @property
    def title(self) -> str:
        return TITLES[self.key]

    @property
    def total(self) -> int:
        return sum(bar.count for bar in self.bars)

    def words(self) -> str:
        """The plot for those who cannot see it."""
        if not self.bars:
            return f"{self.title}: nothing in this time."
        most = self.bars if self.form == RANKED else sorted(self.bars, key=lambda bar: -bar.count)[:5]
        listed = "; ".join(f"{bar.label} {bar.count:,}" for bar in most)
        kind = "highest: " if self.form == OVER_TIME else ""
        return f"{self.title}: {kind}{listed}. {self.note}".strip()


def _in_utc(starts: Sequence[int], every: int) -> Sequence[str]:
    return [iso(start)[: 19 if every % MINUTE else 16] for start in starts]


def gather(
    reader: Reader,
    since: int | None,
    until: int,
    wanted: Callable[[], bool],
    name_times: Callable[[Sequence[int], int], Sequence[str]] = _in_utc,
) -> Iterator[Part]:
    """One part after the other, as they are counted.

    Args:
        since: microseconds UTC; None is from the first record on.
        until: not included.
        wanted: asked between steps.
        name_times: names bars by their starts and their width, microseconds.

    Raises:
        Unwanted: `wanted` said no.
        Outage: the store cannot be read.
    """
    asked = _Asked(reader, since, until, wanted)
    kind = MESSAGE if asked.count(MESSAGE) else MAILLOG
    volume = _volume(asked, kind, name_times)
    yield volume
    yield _outcomes(volume)
    for key, _, field in _TOPS:
        found = asked.top(kind, field)
        bars = tuple(Bar(label=value, count=count, query=term(field, value)) for value, count in found)
        yield Part(key=key, form=RANKED, bars=bars, kinds=(kind,))
    yield _delays(asked)
    yield _tls(asked)


class _Asked:
    """The store within one stretch of time."""

    def __init__(self, reader: Reader, since: int | None, until: int, wanted: Callable[[], bool]) -> None:
        self._reader = reader
        self._wanted = wanted
        self.since, self.until = since, until

    def ask(
        self, kind: str, tree: Node | None = None, since: int | None = None, until: int | None = None
    ) -> Ask:
        return Ask(
            tree=tree or Everything(),
            since=self.since if since is None else since,
            until=self.until if until is None else until,
            kinds=(kind,),
            wanted=self._wanted,
        )

    def check(self) -> None:
        if not self._wanted():
            raise Unwanted("No longer wanted.")

    def count(self, kind: str) -> int:
        self.check()
        return self._reader.count(self.ask(kind))

    def minutes(self, kind: str) -> dict[int, int]:
        self.check()
        return self._reader.minutes(self.ask(kind), self._reader.marks())

    def histogram(self, kind: str, every: int) -> list[tuple[int, str, int]]:
        self.check()
        return self._reader.histogram(self.ask(kind), every)

    def top(self, kind: str, field: str) -> list[tuple[str, int]]:
        self.check()
        return self._reader.count_by(self.ask(kind), field, TOP)

    def sample(self, kind: str, tree: Node | None = None) -> tuple[list[EventRow], int]:
        """Rows spread over the whole time, and how many records they stand for; all rows where these are few."""
        minutes = self.minutes(kind)
        total = sum(minutes.values())
        if total <= SAMPLE:
            return list(self._reader.search(self.ask(kind, tree))), total
        listed = sorted(minutes)
        ends = list(accumulate(minutes[minute] for minute in listed))
        size = SAMPLE // _CLUSTERS
        chosen: dict[int, None] = {}
        keys: dict[int, list[Place]] = {}
        for place in range(_CLUSTERS):
            self.check()
            target = place * total // _CLUSTERS
            at = bisect_right(ends, target)
            minute, count = listed[at], minutes[listed[at]]
            if minute not in keys:
                keys = {minute: self._keys(kind, tree, minute)}
            # By rank within the minute: a busy one holds several places.
            first = (target - (ends[at] - count)) * len(keys[minute]) // count
            some = [one.seq for one in keys[minute][first : first + size]]
            if len(some) < size:  # a quiet minute: go on behind it
                behind = self.ask(kind, tree, since=(minute + 1) * MINUTE)
                rows = self._reader.search(behind, order="oldest", limit=size - len(some))
                some += [row.seq for row in rows]
            chosen.update(dict.fromkeys(some))
        return self._reader.rows(list(chosen)), total

    def _keys(self, kind: str, tree: Node | None, minute: int) -> list[Place]:
        since = max(minute * MINUTE, self.since or 0)
        until = min((minute + 1) * MINUTE, self.until)
        return self._reader.keys(self.ask(kind, tree, since, until), self._reader.marks())

    def values(self, rows: Iterable[EventRow], field: str) -> Iterator[Sequence[str | int | float]]:
        """The field's values of each row's raw record; rows whose record is damaged or gone are left out."""
        for number, row in enumerate(rows):
            if number % 32 == 0:
                self.check()
            try:
                raw, source = self._reader.raw(row.seq), self._reader.source(row.seq)
            except (KeyError, Outage):
                continue
            yield field_values(row.kind, raw, source, field)


def _volume(asked: _Asked, kind: str, name_times: Callable[[Sequence[int], int], Sequence[str]]) -> Part:
    minutes = asked.minutes(kind)
    if not minutes:
        return Part(key="volume", form=OVER_TIME, bars=(), kinds=(kind,))
    begin, end = min(minutes) * MINUTE, (max(minutes) + 1) * MINUTE
    every = next((step for step in _STEPS if end - begin <= step * BARS), _STEPS[-1])
    stacks: dict[int, dict[str, int]] = {}
    for start, outcome, count in asked.histogram(kind, every):
        stack = stacks.setdefault(start, {})
        stack[outcome] = stack.get(outcome, 0) + count
    first = begin // every * every
    bars = []
    starts = range(first, end, every)[: 4 * BARS]
    for start, label in zip(starts, name_times(starts, every), strict=True):
        stack = stacks.get(start, {})
        shown = tuple((name, stack[name]) for name in OUTCOMES if stack.get(name))
        bars.append(
            Bar(
                label=label, count=sum(stack.values()), query="", stack=shown,
                since=max(start, asked.since or 0), until=min(start + every, asked.until),
            )
        )  # fmt: skip
    note = "" if kind == MESSAGE else "Mail-log lines: no message record is stored in this time."
    return Part(key="volume", form=OVER_TIME, bars=tuple(bars), kinds=(kind,), note=note)


def _outcomes(volume: Part) -> Part:
    counts: Counter[str] = Counter()
    for bar in volume.bars:
        counts.update(dict(bar.stack))
    bars = tuple(
        Bar(label=name, count=counts[name], query=term("outcome", name), stack=((name, counts[name]),))
        for name in OUTCOMES
        if counts[name]
    )
    return Part(key="outcomes", form=RANKED, bars=bars, kinds=volume.kinds)


def _delays(asked: _Asked) -> Part:
    rows, total = asked.sample(MAILLOG, Term("stat", Exists()))
    counts = [0] * len(_DELAYS)
    found: list[float] = []
    # A line that only says Deferred is no delivery; its delay still grows.
    sent = [row for row in rows if row.stat.casefold() == "sent"]
    for values in asked.values(sent, "delay"):
        for seconds in values[:1]:
            if isinstance(seconds, int | float) and seconds >= 0:
                found.append(seconds)
                counts[_bucket(seconds)] += 1
    bars = tuple(
        Bar(label=label, count=count, query=_delay_query(low, high))
        for (label, low, high), count in zip(_DELAYS, counts, strict=True)
    )
    note = _sampled(len(rows), total)
    if found:
        found.sort()
        middle, late = found[len(found) // 2], found[min(len(found) - 1, len(found) * 95 // 100)]
        note = f"Half within {middle:,.0f} s, 95 % within {late:,.0f} s. {note}".strip()
    return Part(key="delays", form=RANKED, bars=bars if found else (), kinds=(MAILLOG,), note=note)


def _bucket(seconds: float) -> int:
    return next(at for at, (_, low, high) in enumerate(_DELAYS) if high is None or seconds < high)


def _delay_query(low: int, high: int | None) -> str:
    upper = "" if high is None else f" AND delay:<{high}"
    return f"stat:Sent AND delay:>={low}{upper}"


def _tls(asked: _Asked) -> Part:
    rows, total = asked.sample(MESSAGE)
    came = [row for row in rows if row.ip and not row.ip.startswith("127.")]
    counts: Counter[str] = Counter()
    looked = 0
    for values in asked.values(came, _TLS):
        looked += 1
        counts[str(values[0]) if values else ""] += 1
    bars = []
    for version, count in counts.most_common(TOP):
        query = term(_TLS, version) if version else f"ip:* AND NOT _exists_:{_TLS}"
        bars.append(Bar(label=version or "no TLS", count=count, query=query))
    note = _sampled(len(rows), total)
    if looked:
        share = 100 * (looked - counts[""]) / looked
        note = f"{share:.1f} % with TLS. {note}".strip()
    return Part(key="tls", form=RANKED, bars=tuple(bars), kinds=(MESSAGE,), note=note)


def _sampled(looked: int, total: int) -> str:
    return f"Approximate: from {looked:,} of {plural(total, 'record')}." if total > SAMPLE else ""


def as_csv(parts: Iterable[Part]) -> str:
    """All parts as one table; no cell is taken for a formula."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(("part", "label", "count", *OUTCOMES, "since", "until", "query", "note"))
    for part in parts:
        for bar in part.bars:
            stack = dict(bar.stack)
            times = [iso(micros) if micros is not None else "" for micros in (bar.since, bar.until)]
            writer.writerow(
                [
                    cell(part.title), cell(bar.label), bar.count, *(stack.get(name, "") for name in OUTCOMES), *times,
                    cell(bar.query), cell(part.note),
                ]
            )  # fmt: skip
    return text.getvalue()
