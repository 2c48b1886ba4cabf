"""What a stream has and how it gets there: the coverage of its hours, and the one way into the store.

Live and archive may work at the same time; each change of the coverage is made and committed in turn.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from pod_desktop.core.clock import Clock
from pod_desktop.core.connector import OLDEST, CollectConnector, collect_start
from pod_desktop.core.faults import Outage
from pod_desktop.services import hours
from pod_desktop.services.backfill import Coverage
from pod_desktop.services.collect_commit import Batch, Committer, Stored, filters_of
from pod_desktop.services.collect_patience import Patience
from pod_desktop.services.collect_status import StreamBoard
from pod_desktop.services.filters import Sieve
from pod_desktop.store import port
from pod_desktop.stream import Frame, verdict

Change = Callable[[Coverage], Coverage]


@dataclass(slots=True)
class Book:
    """One stream's coverage and commits."""

    connector: CollectConnector
    kind: str
    created: int
    """Microseconds UTC when the connector was made: what `collect from` counts back from."""
    committer: Committer
    clock: Clock
    board: StreamBoard
    sieve: Sieve | None = None
    """May be changed while the stream runs."""
    clean: bool = False
    """Did the process before this one stop cleanly?"""
    _coverage: Coverage | None = None
    _before: int = 0
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def key(self) -> str:
        """The stream's key in the store."""
        return f"{self.connector.name}/{self.kind}"

    @property
    def coverage(self) -> Coverage:
        assert self._coverage is not None
        return self._coverage

    async def load(self) -> bool:
        """Read what was committed; True the first time."""
        if self._coverage is not None:
            return False
        progress = await self.committer.progress(self.key)
        counters = progress.counters
        self._before = counters.stored + counters.quarantined
        self.board.counted(counters)
        self.board.filtered(filters_of(progress.values))
        connector = self.connector
        fresh = Coverage.begin(
            collect_start(connector.collect_from, self.created),
            created=self.created,
            backfill=connector.collect_from != "now",
            reconcile=connector.reconcile,
            oldest_first=connector.backfill_order == OLDEST,
        )
        self._coverage = Coverage.load(progress.values, fresh)
        self.clean = progress.values.get("clean") is True
        return True

    def now_is(self, now: int) -> Coverage:
        """The coverage as of this moment: nothing of the future, and what is out of reach named."""
        self._coverage = self.coverage.rewound(now).out_of_reach(now)
        self._tell_hours(self._coverage)
        return self._coverage

    def _tell_hours(self, coverage: Coverage) -> None:
        self.board.gaps(coverage.gaps)
        self.board.hours(hours.states_of(hours.hours_of(coverage.values(), self.clock.now())))

    def postpone(self, missing: list[int], until: int) -> None:
        """These hours are asked for again later. Not kept over a restart."""
        for hour in missing:
            self._coverage = self.coverage.postpone(hour, until)

    async def mark(
        self,
        change: Change,
        *,
        fetched: tuple[int, int] | None = None,
        patience: Patience | None = None,
        **more: object,
    ) -> None:
        """Commit a change of what is covered, with no records.

        Args:
            fetched: an hour that the archive gave whole, and how many records it gave.
            patience: waits as long as the disk does not take it; without one that is raised at once.

        Raises:
            Outage: the disk does not take it.
        """

        async def commit() -> Stored:
            async with self._turn:
                coverage = change(self.coverage)
                stored = await self._commit(port.LIVE, [], {**coverage.values(), **more}, fetched)
                self._coverage = coverage
            self._tell_hours(coverage)
            return stored

        self._tell(await (self._persist(commit, patience) if patience else commit()))

    async def store(self, frames: list[Frame], lane: str, patience: Patience) -> Stored:
        """Commit frames, waiting as long as the disk does not take them.

        Raises:
            Outage: asked to stop while the disk does not take them.
        """
        stored = await self._persist(lambda: self._store(frames, lane), patience)
        self.board.stored(stored.received, stored.newest, stored.counters, live=lane == port.LIVE)
        self._tell(stored)
        return stored

    def _tell(self, stored: Stored) -> None:
        self.board.counted(stored.counters)
        if stored.filters is not None:
            self.board.filtered(stored.filters)

    async def _persist(self, commit: Callable[[], Awaitable[Stored]], patience: Patience) -> Stored:
        """Commit, however long the disk does not take it."""
        before, attempt = self.board.status, 0
        while True:
            try:
                stored = await commit()
                break
            except Outage as outage:
                if patience.stopping.is_set():
                    raise
                await patience.pause(verdict.told("disk", outage.what, outage.hint), attempt)
                attempt += 1
        if attempt:
            self.board.restore(before)
        return stored

    async def _store(self, frames: list[Frame], lane: str) -> Stored:
        if lane != port.LIVE:
            return await self._commit(lane, frames, {})
        async with self._turn:
            coverage = self.coverage.heard(frames[-1].arrived)
            stored = await self._commit(lane, frames, {"live": coverage.values()["live"]})
            self._coverage = self.coverage.heard(frames[-1].arrived)
        return stored

    async def _commit(
        self,
        lane: str,
        frames: list[Frame],
        progress: dict[str, object],
        fetched: tuple[int, int] | None = None,
    ) -> Stored:
        source = port.Source(
            connector=self.connector.name,
            tenant=self.connector.tenant,
            cluster_id=self.connector.cluster_id,
        )
        now = self.clock.now()
        tally = hours.tally(now, live=lane == port.LIVE, before=self._before)
        if fetched is not None:
            tally = hours.fetched(*fetched, now, before=self._before)
        return await self.committer.store(
            Batch(
                source=source,
                kind=self.kind,
                lane=lane,
                stream=self.key,
                frames=frames,
                progress=progress,
                sieve=self.sieve,
                tally=tally,
            )
        )
