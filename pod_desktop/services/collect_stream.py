"""One stream, a connector and one of its content types: first the archive, then live, for ever.

    starting -> connecting -> catching_up -> live
                    ^             |           |
                    +-- waiting / needs_attention <- any failure, by its verdict

Nothing here is shared with another stream but the committer.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from pod_desktop.core import limits
from pod_desktop.core.clock import HOUR, MINUTE, SECOND, Clock
from pod_desktop.core.connector import CollectConnector, collect_start
from pod_desktop.core.faults import Fault, Outage
from pod_desktop.core.secret import Secret
from pod_desktop.core.status import CATCHING_UP, CONNECTING, LIVE, WAITING
from pod_desktop.services.backfill import Coverage
from pod_desktop.services.collect_commit import Batch, Committer
from pod_desktop.services.collect_rules import (
    GOODBYES,
    TRIES,
    WHOLE,
    Fetched,
    Timing,
    agree,
    named,
    share_done,
)
from pod_desktop.services.collect_status import StreamBoard
from pod_desktop.services.tasks import Tasks
from pod_desktop.store import port
from pod_desktop.stream import (
    Attempts,
    Failed,
    Frame,
    Session,
    Target,
    Verdict,
    delay,
    hour_begin,
    open_session,
    stream_url,
    verdict,
)

KeyOf = Callable[[CollectConnector], Secret | None]
"""The connector's API key; may block, and raises a Fault when the vault does not give it."""
_log: Final = logging.getLogger(__name__)
_BATCH_BYTES: Final = 16 * limits.MIB


@dataclass(slots=True)
class StreamTask:
    """Runs one stream. `run` ends only after `stop()`; every failure becomes a state and a next try."""

    connector: CollectConnector
    kind: str
    created: int
    """Microseconds UTC when the connector was made: what `collect from` counts back from."""
    committer: Committer
    key_of: KeyOf
    clock: Clock
    board: StreamBoard
    tasks: Tasks
    timing: Timing = field(default_factory=Timing)
    chance: Callable[[], float] = random.random
    caught_up: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once the archive is in and the live stream has told what it had kept."""
    stuck: asyncio.Event = field(default_factory=asyncio.Event)
    """Set while a person has to mend something."""
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)
    _try_now: asyncio.Event = field(default_factory=asyncio.Event)
    _attempts: Attempts = field(default_factory=Attempts)
    _coverage: Coverage | None = None
    _unbroken: bool = False
    """Did the last live session end with a goodbye?"""
    _resumed: bool = False
    """Has this process checked the archive since it took the stream over from another one?"""
    _session: Session | None = None
    _asked: float | None = None
    """Monotonic seconds when the hour under way was last fetched; None since a live session has begun anew."""
    _newest: int = 0
    """Microseconds UTC of the newest record of the last batch."""

    @property
    def key(self) -> str:
        """The stream's key in the store."""
        return f"{self.connector.name}/{self.kind}"

    def stop(self) -> None:
        """Ask for a clean end: say goodbye, commit what came, return from run()."""
        self._stopping.set()
        self._try_now.set()
        if self._session is not None:
            self._session.arrivals.nudge()

    def try_now(self) -> None:
        """End a wait at once."""
        self._try_now.set()

    async def run(self) -> None:
        """Collect until stop()."""
        while not self._stopping.is_set():
            began = self.clock.monotonic()
            try:
                await self._collect()
            except Failed as failed:
                await self._wait_out(failed.verdict, self.clock.monotonic() - began)
            except Outage as outage:
                await self._wait_out(verdict.told("disk", outage.what, outage.hint), 0)
            except Exception:
                _log.exception("the stream %s met an error", self.key)
                await self._wait_out(verdict.of("bug"), 0)

    async def _collect(self) -> None:
        """From what is committed to live; returns when an hour of the archive is due, or to stop."""
        coverage = await self._load()
        key = await self._key()
        now = self.clock.now()
        self._coverage = coverage = coverage.out_of_reach(now)
        self.board.gaps(coverage.gaps)
        if not self._resumed or not coverage.bridged(now) or coverage.missing(now):
            if self._visit_due():
                await self._live(key, visit=True)
            if not await self._catch_up(key):
                return
            self._resumed = True
        if not self._stopping.is_set():
            await self._live(key)

    def _visit_due(self) -> bool:
        """Is it time, before more of the archive, for what the live stream has?

        One key has one session: archive and live take turns. The first visit makes the service remember
        where this stream is, so that nothing falls between the archive's end and the live stream's
        beginning; the ones after it keep a long backfill from hiding the mail of today.
        """
        now, coverage = self.clock.now(), self._covered()
        wanted = bool(coverage.missing(now) or coverage.unfinished(now, unbroken=self._unbroken))
        since = now - coverage.live[-1][1] if coverage.live else None
        return wanted and (since is None or not 0 <= since <= self.timing.visit * SECOND)

    async def _load(self) -> Coverage:
        if self._coverage is None:
            progress = await self.committer.progress(self.key)
            self.board.counted(progress.counters)
            start = collect_start(self.connector.collect_from, self.created)
            fresh = Coverage.begin(start, created=self.created, backfill=self.connector.collect_from != "now")
            self._coverage = Coverage.load(progress.values, fresh)
            # After a clean stop the service's buffer goes on where we left; after a crash nobody knows
            # what was on its way, so the archive is asked first.
            self._unbroken = progress.values.get("clean") is True
            self._resumed = self._unbroken
        return self._coverage

    async def _key(self) -> Secret:
        """Raises Failed when there is none. Asked for at each attempt: it may have been mended."""
        try:
            key = await asyncio.to_thread(self.key_of, self.connector)
        except Outage as outage:
            raise Failed(verdict.told("vault", outage.what, outage.hint)) from None
        except Fault as fault:
            raise Failed(verdict.told("no_key", fault.what, fault.hint)) from None
        if key is None:
            raise Failed(verdict.of("no_key"))
        return key

    # The archive

    async def _catch_up(self, key: Secret) -> bool:
        """Fetch the hours that are missing, newest first, so that recent mail shows at once.

        False when it is the live stream's turn before all are fetched.
        """
        fetched = refused = 0
        again = False
        while not self._stopping.is_set():
            now, monotonic = self.clock.now(), self.clock.monotonic()
            coverage = self._covered()
            missing = coverage.missing(now)
            self.board.advance(share_done(coverage, now, len(missing)))
            late = self._asked is not None and monotonic - self._asked > self.timing.again
            if self._asked is None or (late and not missing and not again):
                again = self._asked is not None
                if stretch := coverage.unfinished(now, unbroken=self._unbroken):
                    await self._fetch_stretch(key, *stretch)
                self._asked = monotonic
                continue
            if not missing:
                break
            if fetched and self._visit_due():
                return False
            fetched += 1
            taken = await self._fetch_hour(key, missing[0])
            refused = 0 if taken else refused + 1
            if refused == TRIES:
                # The service takes no archive request at all; the live stream will say whether it is us.
                self._postpone(missing)
        self.board.advance(None)
        return not self._stopping.is_set()

    async def _fetch_stretch(self, key: Secret, begin: int, end: int) -> None:
        """The hour under way, as far as the archive has it. It is fetched whole once it is over."""
        try:
            got = await self._fetch(key, begin, end)
        except Failed as failed:
            if failed.verdict.code != "400":
                raise
            return
        if got.end is not None and got.end.code not in (*WHOLE, "1006"):
            raise Failed(got.end)

    async def _fetch_hour(self, key: Secret, hour: int) -> bool:
        """One whole hour; False when the service refuses to give it (it is asked for again later)."""
        counts: list[int] = []
        for _ in range(TRIES):
            asked = self.clock.now()
            try:
                got = await self._fetch(key, hour_begin(hour), hour_begin(hour + 1))
            except Failed as failed:
                if failed.verdict.code != "400":
                    raise
                self._postpone([hour])
                return False
            if self._stopping.is_set():
                return True
            counts.append(got.received)
            code = got.end.code if got.end else "1006"
            if not self._covered().settled(hour, asked, got.behind):
                self._coverage = self._covered().postpone(hour, self.clock.now() + int(got.behind) * SECOND)
                return True
            if (got.clean and code in WHOLE) or agree(counts, got):
                await self._mark(self._covered().fetched(hour))
                self._attempts.forget()
                return True
            if code == "1009":
                # Whatever follows the record that is too big in this hour cannot be had either.
                await self._mark(self._covered().lost(hour_begin(hour), hour_begin(hour + 1)).fetched(hour))
                return True
            if code not in (*WHOLE, "1006", "silent") and got.end:
                raise Failed(got.end)
        self._coverage = self._covered().postpone(hour, self.clock.now() + 10 * MINUTE)
        raise Failed(verdict.of("unfinished"))

    async def _fetch(self, key: Secret, begin: int, end: int) -> Fetched:
        """Fetch and commit a stretch of the archive."""
        url = self._url(begin, end)
        self.board.say(CONNECTING, f"Asking the archive for {named(begin)}.")
        async with open_session(self._target(url, key), self.clock) as session:
            self._session = session
            self.board.say(CATCHING_UP, f"Fetching {named(begin)} from the archive.")
            arrivals, count, last = session.arrivals, 0, self.clock.monotonic()
            while not self._stopping.is_set():
                await arrivals.wait(limits.BATCH_RECORDS, 0.5)
                frames = arrivals.take(limits.BATCH_RECORDS, _BATCH_BYTES)
                if frames:
                    count += await self._store(frames, port.BACKFILL)
                    last = self.clock.monotonic()
                elif arrivals.ended:
                    break
                elif self.clock.monotonic() - last > self.timing.archive_idle:
                    return Fetched(count, None, clean=False, cut=True)
        return Fetched(count, session.ended, session.clean, session.cut, session.behind)

    def _postpone(self, hours: list[int]) -> None:
        for hour in hours:
            self._coverage = self._covered().postpone(hour, self.clock.now() + HOUR)

    # Live

    async def _live(self, key: Secret, *, visit: bool = False) -> None:
        """Receive until the session ends, an hour of the archive is due, or stop().

        A visit ends when the live stream has told what it had kept.

        Raises:
            Failed: the session ended by itself; all that it gave is committed.
        """
        self.board.say(CONNECTING, "Connecting to the live stream.")
        async with open_session(self._target(self._url(), key), self.clock) as session:
            self._session = session
            opened = self.clock.monotonic()
            before = self._covered()
            begun = before.connected(self.clock.now(), unbroken=self._unbroken)
            if begun is not before:
                self._asked = None
            await self._mark(begun, clean=False)
            self._unbroken = False
            self._say_live(visit)
            leaving = await self._receive(session, visit)
        self._session = None
        end = session.ended or verdict.of("1006")
        # After a goodbye from either side everything sent before it has come.
        self._unbroken = session.clean and end.code in GOODBYES
        if leaving:
            await self._mark(self._covered(), clean=session.clean)
            return
        if end.code == "1009":
            coverage = self._covered()
            await self._mark(coverage.lost(coverage.live[-1][1], self.clock.now()))
        await self._wait_out(end, self.clock.monotonic() - opened)

    async def _receive(self, session: Session, visit: bool) -> bool:
        """Commit what comes until the session has ended; True when it was we who said goodbye."""
        arrivals, monotonic, timing = session.arrivals, self.clock.monotonic, self.timing
        opened = self.clock.now()
        committed = marked = checked = heard = monotonic()
        leaving = False
        while True:
            await arrivals.wait(1, min(1.0, timing.quiet))
            if arrivals:
                # One commit for all that comes within a moment of the last one.
                await arrivals.wait(limits.BATCH_RECORDS, committed + limits.LIVE_BATCH_SECONDS - monotonic())
                frames = arrivals.take(limits.BATCH_RECORDS, _BATCH_BYTES)
                committed = heard = marked = monotonic()
                await self._store(frames, port.LIVE)
            elif arrivals.ended:
                return leaving
            elif monotonic() - marked > timing.mark:
                marked = monotonic()
                silent = int((marked - session.heard) * SECOND)
                await self._mark(self._covered().heard(self.clock.now() - silent))
            told = monotonic() - heard > timing.quiet or self._newest >= opened
            due = visit and told
            if told and not visit:
                self.caught_up.set()
            if monotonic() - checked > timing.check:
                checked = monotonic()
                due = due or bool(self._covered().missing(self.clock.now()))
            if not leaving and (due or self._stopping.is_set()):
                leaving = True
                self.tasks.spawn(session.finish(), f"{self.key}: goodbye")

    def _say_live(self, visit: bool) -> None:
        self.stuck.clear()
        if visit:
            self.board.say(CATCHING_UP, "Receiving what is live, before more of the archive.")
        else:
            self.board.say(LIVE, "Receiving as mail flows.")

    # Both

    async def _store(self, frames: list[Frame], lane: str) -> int:
        """Commit frames, waiting as long as the disk does not take them; how many records they held.

        Raises:
            Outage: asked to stop while the disk does not take them.
        """
        live = lane == port.LIVE
        coverage = self._covered().heard(frames[-1].arrived) if live else self._covered()
        batch = self._batch(lane, frames, {"live": coverage.values()["live"]} if live else {})
        before, attempt = self.board.status, 0
        while True:
            try:
                stored = await self.committer.store(batch)
                break
            except Outage as outage:
                if self._stopping.is_set():
                    raise
                await self._pause(verdict.told("disk", outage.what, outage.hint), attempt)
                attempt += 1
        if attempt:
            self.board.say(before.state, before.what, hint=before.hint, code=before.code)
        self._coverage, self._newest = coverage, stored.newest
        self.board.stored(stored.received, stored.newest, stored.counters, live=live)
        return stored.received

    async def _mark(self, coverage: Coverage, **more: object) -> None:
        """Commit what is covered, with no records."""
        lane = port.LIVE
        stored = await self.committer.store(self._batch(lane, [], {**coverage.values(), **more}))
        self._coverage = coverage
        self.board.counted(stored.counters)
        self.board.gaps(coverage.gaps)

    def _batch(self, lane: str, frames: list[Frame], progress: dict[str, object]) -> Batch:
        source = port.Source(
            connector=self.connector.name,
            tenant=self.connector.tenant,
            cluster_id=self.connector.cluster_id,
        )
        return Batch(
            source=source, kind=self.kind, lane=lane, stream=self.key, frames=frames, progress=progress
        )

    def _covered(self) -> Coverage:
        assert self._coverage is not None
        return self._coverage

    def _url(self, begin: int | None = None, end: int | None = None) -> str:
        connector = self.connector
        return stream_url(connector.stream_url, connector.cluster_id, self.kind, since=begin, until=end)

    def _target(self, url: str, key: Secret) -> Target:
        timing = self.timing
        return Target(
            url=url,
            key=key,
            ca_file=self.connector.ca_file,
            ping_seconds=timing.ping,
            pong_seconds=timing.pong,
            connect_seconds=timing.connect,
        )

    async def _wait_out(self, why: Verdict, held: float) -> None:
        """Say what happened and wait as long as the verdict says, or until someone asks to try now."""
        if self._stopping.is_set():
            return
        attempt = self._attempts.failed(held)
        _log.info("%s: %s %s", self.key, why.code, why.what)
        if why.state == WAITING:
            self.stuck.clear()
        else:
            self.stuck.set()
        if await self._pause(why, attempt):
            self._attempts.forget()

    async def _pause(self, why: Verdict, attempt: int) -> bool:
        """Wait; True when someone asked to try now."""
        seconds = delay(why, attempt, self.chance()) * self.timing.backoff
        self.board.say(
            why.state,
            why.what,
            hint=why.hint,
            code=why.code,
            next_try=self.clock.now() + int(seconds * SECOND),
            attempts=attempt + 1,
        )
        self._try_now.clear()
        if self._stopping.is_set():
            return False
        try:
            async with asyncio.timeout(seconds):
                await self._try_now.wait()
        except TimeoutError:
            return False
        return True
