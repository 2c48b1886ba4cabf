"""The population of records: which mails there are in each minute, and their records in order.

Everything follows from the seed and the minute, so an archive hour and the live stream of that hour hold
the same records with the same ids and bytes, whatever else was asked before.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Collection, Iterator
from random import Random
from typing import Final, NamedTuple

from pod_desktop.core.clock import HOUR, MINUTE, SECOND
from pod_desktop.core.record import AUDIT, CONTENT_TYPES, MAILLOG, MESSAGE
from pod_desktop.simulator import audit, genres, hostile, localtime, maillog, message, noise
from pod_desktop.simulator.chance import count, seed_of
from pod_desktop.simulator.item import Item
from pod_desktop.simulator.people import World
from pod_desktop.simulator.scenarios import Scenario, scenario

DEFAULT_ARCHIVE_RATE: Final = 0.1
"""Records a second: about 60,000 in seven days, which a first backfill takes in a minute or two."""
_RECORDS_A_MAIL: Final = 3.65
_SLOW_SHARE: Final = 0.025
_AUDIT_SHARE: Final = 0.015
_SPILL: Final = 2 * MINUTE
"""Records of an ordinary mail come within this after it, by their time."""
_MIX: Final = 0x9E3779B97F4A7C15
_DAY_CURVE: Final = (
    0.25, 0.2, 0.18, 0.18, 0.22, 0.35, 0.7, 1.2, 1.9, 2.2, 2.1, 1.9, 1.6, 1.8, 1.9, 1.8, 1.6, 1.2, 0.8, 0.6, 0.5, 0.45, 0.4, 0.3,
)  # fmt: skip
_EVERYDAY: Final = 0
_SLOW: Final = 1
_AUDIT: Final = 2
_WAVE: Final = 3


class _Start(NamedTuple):
    time: int
    seed: int
    source: int
    wave: int = 0


def day_curve(micros: int) -> float:
    """How busy this moment is, compared with the mean of a week."""
    weekday, hour = localtime.local_hour(micros)
    at = int(hour)
    share = hour - at
    level = _DAY_CURVE[at] * (1 - share) + _DAY_CURVE[(at + 1) % 24] * share
    return level * (0.43 if weekday >= 5 else 1.21)


class Generator:
    """Records of one cluster.

    seed, cluster_id, scenario: what the population follows from.
    archive_rate: records a second on average, before `live_from`, along a day's curve.
    rate, live_from: from this moment on (microseconds UTC) so many records a second, evenly.
    """

    def __init__(
        self,
        seed: int = 1,
        cluster_id: str = "acme_hosted",
        scenario_name: str = "calm",
        *,
        archive_rate: float = DEFAULT_ARCHIVE_RATE,
        rate: float | None = None,
        live_from: int | None = None,
    ) -> None:
        self.seed = seed
        self.scenario: Scenario = scenario(scenario_name)
        self.world = World(seed, cluster_id)
        self.archive_rate = archive_rate
        self.rate = self.scenario.rate if rate is None else rate
        self.live_from = live_from
        self._lures: dict[int, genres.Genre] = {}

    def records(self, kind: str, begin: int, end: int) -> Iterator[Item]:
        """All frames of one kind whose time lies in [begin, end), in order of time."""
        flow = Flow(self, (kind,), begin)
        moment = begin
        while moment < end:
            moment = min(end, moment + MINUTE)
            yield from flow.until(moment)

    def hour(self, kind: str, begin: int) -> Iterator[Item]:
        """One archive hour; `begin` is a whole hour in microseconds UTC."""
        return self.records(kind, begin, begin + HOUR)

    def items(self, start: _Start, kinds: Collection[str]) -> list[Item]:
        """The frames of these kinds that one mail, or one audit event, leaves behind."""
        if start.source == _AUDIT:
            found = audit.items(self.world, start.time, start.seed) if AUDIT in kinds else []
            return self._disturbed(found)
        if MESSAGE not in kinds and MAILLOG not in kinds:
            return []
        genre: genres.Genre = genres.everyday
        if start.source == _SLOW:
            genre = genres.slow
        elif start.source == _WAVE:
            genre = self._lure(start.wave)
        mail = genre(Random(start.seed), self.world, start.time, start.seed)
        found = message.items(mail, self.world) if MESSAGE in kinds else []
        if MAILLOG in kinds:
            found += maillog.items(mail, self.world)
        return self._disturbed(found)

    def starts(self, minute: int, slow: bool) -> list[_Start]:
        """The mails (and audit events) that begin in this minute, either the slow ones or the others."""
        begin, end = minute * MINUTE, (minute + 1) * MINUTE
        live = self.live_from
        found = []
        if live is None or begin < live:
            rate = self.archive_rate * day_curve(begin)
            found += self._spread("archive", minute, begin, min(end, live or end), rate, slow)
        if live is not None and end > live:
            found += self._spread("live", minute, max(begin, live), end, self.rate, slow)
        return found

    def _spread(self, part: str, minute: int, begin: int, end: int, rate: float, slow: bool) -> list[_Start]:
        base = seed_of(self.seed, part, minute, slow)
        rng = Random(base)
        mails = rate * (end - begin) / SECOND / _RECORDS_A_MAIL
        if slow:
            return _placed(rng, begin, end, count(rng, mails * _SLOW_SHARE), base, _SLOW)
        found = _placed(rng, begin, end, count(rng, mails * (1 - _SLOW_SHARE)), base, _EVERYDAY)
        events = count(rng, mails * _RECORDS_A_MAIL * _AUDIT_SHARE)
        found += _placed(rng, begin, end, events, base ^ 0xA0D17, _AUDIT)
        waves = self.scenario.waves
        wave, at = divmod(minute, waves.every_minutes)
        if at < waves.minutes:
            more = count(rng, mails * waves.factor)
            found += _placed(rng, begin, end, more, base ^ 0x3A7E, _WAVE, seed_of(self.seed, "wave", wave))
        found.sort()
        return found

    def _lure(self, wave: int) -> genres.Genre:
        if wave not in self._lures:
            self._lures[wave] = genres.lure(wave, self.world)
        return self._lures[wave]

    def _disturbed(self, found: list[Item]) -> list[Item]:
        if not found:
            return found
        if self.scenario.hostile:
            found = hostile.poisoned(found, self.scenario.hostile)
        if self.scenario.noise != noise.QUIET:
            found = noise.disturbed(found, self.scenario.noise)
        return found


def _placed(
    rng: Random, begin: int, end: int, wanted: int, base: int, source: int, wave: int = 0
) -> list[_Start]:
    """So many starts, evenly with some chance, in order of time."""
    if not wanted:
        return []
    step = (end - begin) / wanted
    return [
        _Start(
            begin + int((place + rng.random()) * step),
            (base + place * _MIX) & 0xFFFFFFFFFFFFFFFF,
            source,
            wave,
        )
        for place in range(wanted)
    ]


class Flow:
    """The frames from a moment on, handed out piece by piece in order.

    by_release: order and membership follow the moment of release (the live stream) instead of the time in
    the record (the archive).
    """

    def __init__(
        self,
        generator: Generator,
        kinds: Collection[str] = CONTENT_TYPES,
        begin: int = 0,
        by_release: bool = False,
    ) -> None:
        self._generator = generator
        self._kinds = frozenset(kinds)
        self._begin = begin
        self._by_release = by_release
        self._heap: list[tuple[int, int, Item]] = []
        self._sequence = 0
        self._starts: deque[_Start] = deque()
        spill = max(_SPILL, noise.LATEST) if by_release else _SPILL
        slow = maillog.LONGEST_DELAY + spill + MINUTE
        usual_from, self._minute = begin - spill, begin // MINUTE
        for minute in range((begin - slow) // MINUTE, self._minute):
            starts = generator.starts(minute, slow=True)
            if (minute + 1) * MINUTE > usual_from:
                starts += generator.starts(minute, slow=False)
            self._starts.extend(sorted(starts))

    def until(self, moment: int) -> list[Item]:
        """The frames before this moment that were not handed out yet, in order."""
        while self._minute * MINUTE < moment:
            starts = self._generator.starts(self._minute, slow=False)
            starts += self._generator.starts(self._minute, slow=True)
            self._starts.extend(sorted(starts))
            self._minute += 1
        while self._starts and self._starts[0].time < moment:
            self._build(self._starts.popleft())
        found = []
        while self._heap and self._heap[0][0] < moment:
            found.append(heapq.heappop(self._heap)[2])
        return found

    def _build(self, start: _Start) -> None:
        for item in self._generator.items(start, self._kinds):
            at = item.release if self._by_release else item.time
            if at >= self._begin:
                self._sequence += 1
                heapq.heappush(self._heap, (at, self._sequence, item))
