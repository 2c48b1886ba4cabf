"""One stream, a connector and one of its content types: first the archive, then live, for ever.

    starting -> connecting -> catching_up -> live
                    ^             |           |
                    +-- waiting / needs_attention <- any failure, by its verdict

With one API key archive and live take turns, as the service allows one session a key and content type. With
a second key the archive is fetched beside the live stream. Nothing here is shared with another stream but the
committer.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from pod_desktop.core import limits
from pod_desktop.core.clock import SECOND, Clock, iso
from pod_desktop.core.connector import SECOND_KEY, SECRET_NAMES, CollectConnector
from pod_desktop.core.faults import Fault, Outage
from pod_desktop.core.secret import Secret
from pod_desktop.core.status import CATCHING_UP, CONNECTING, LIVE
from pod_desktop.services.backfill import Coverage
from pod_desktop.services.collect_archive import BATCH_BYTES, Archive, target_of
from pod_desktop.services.collect_book import Book, Change
from pod_desktop.services.collect_claims import Claims
from pod_desktop.services.collect_commit import Committer
from pod_desktop.services.collect_disk import DiskGate
from pod_desktop.services.collect_patience import Patience
from pod_desktop.services.collect_rules import GOODBYES, Timing
from pod_desktop.services.collect_status import StreamBoard
from pod_desktop.services.filters import Sieve
from pod_desktop.services.tasks import Tasks
from pod_desktop.store import port
from pod_desktop.stream import Failed, Session, Verdict, open_session, verdict

KeyOf = Callable[[CollectConnector, str], Secret | None]
"""(connector, name of the secret) -> an API key; may block, and raises a Fault when the vault does not give it."""
_log: Final = logging.getLogger(__name__)


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
    gate: DiskGate = field(default_factory=DiskGate)
    claims: Claims = field(default_factory=Claims)
    caught_up: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once the archive is in and the live stream has told what it had kept."""
    stuck: asyncio.Event = field(default_factory=asyncio.Event)
    """Set while a person has to mend something."""
    book: Book = field(init=False)
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)
    _patience: Patience = field(init=False)
    _archive: Archive = field(init=False)
    _beside: asyncio.Task[None] | None = None
    """Fetching the archive beside the live stream, on the second key."""
    _broken: str = ""
    """Why the log filters cannot be used."""
    _unbroken: bool = False
    """Did the last live session end with a goodbye?"""
    _resumed: bool = False
    """Has this process checked the archive since it took the stream over from another one?"""
    _visited: bool = False
    """Has this process been live yet?"""
    _visit_every: float = field(init=False)
    """Seconds between visits to the live stream while catching up."""
    _session: Session | None = None
    _newest: int = 0
    """Microseconds UTC of the newest record of the last batch."""

    def __post_init__(self) -> None:
        self._visit_every = self.timing.visit
        self.book = Book(self.connector, self.kind, self.created, self.committer, self.clock, self.board)
        self._patience = self._new_patience(self._say_failed, self.stuck)
        self._archive = self._new_archive(self._patience, beside=False)

    def _new_patience(self, say: Callable[[Verdict, int, int], None], stuck: asyncio.Event) -> Patience:
        return Patience(self.key, self.clock, self.timing.backoff, say, self._stopping, stuck)

    def _new_archive(self, patience: Patience, *, beside: bool) -> Archive:
        return Archive(
            book=self.book,
            clock=self.clock,
            board=self.board,
            timing=self.timing,
            patience=patience,
            interrupted=self._interrupted,
            beside=beside,
        )

    @property
    def key(self) -> str:
        """The stream's key in the store."""
        return f"{self.connector.name}/{self.kind}"

    def stop(self) -> None:
        """Ask for a clean end: say goodbye, commit what came, return from run()."""
        self._stopping.set()
        self.look_up()
        self.try_now()

    def look_up(self) -> None:
        """Something that is looked at now and then has changed: look at once."""
        if self._session is not None:
            self._session.arrivals.nudge()
        self._archive.wake()

    def try_now(self) -> None:
        """End a wait at once."""
        self._patience.try_now()
        self._archive.patience.try_now()

    def woke(self) -> None:
        """The computer slept, or its clock was set: what connections there were are not to be trusted."""
        for session in (self._session, self._archive.session):
            if session is not None:
                session.give_up(verdict.of("woke"))
        self._archive.asked = None
        self.try_now()

    def filter_by(self, sieve: Sieve | None, broken: str = "") -> None:
        """Go by these log filters from the next batch on; `broken`: why there are none where there should be."""
        self.book.sieve = sieve
        if broken != self._broken:
            self._broken = broken
            self.look_up()
            self.try_now()

    def _interrupted(self) -> bool:
        return self._stopping.is_set() or self.gate.closed

    async def run(self) -> None:
        """Collect until stop()."""
        try:
            while not self._stopping.is_set():
                began = self.clock.monotonic()
                try:
                    await self._collect()
                except Failed as failed:
                    await self._patience.wait_out(failed.verdict, self.clock.monotonic() - began)
                except Outage as outage:
                    await self._patience.wait_out(verdict.told("disk", outage.what, outage.hint), 0)
                except Exception:
                    _log.exception("the stream %s met an error", self.key)
                    await self._patience.wait_out(verdict.of("bug"), 0)
            if self._beside is not None:
                await asyncio.wait([self._beside])
        finally:
            self.claims.release(self.key)

    async def _collect(self) -> None:
        """From what is committed to live; returns when an hour of the archive is due, or to stop."""
        if await self.book.load():
            # After a clean stop the service's buffer goes on where we left; after a crash nobody knows
            # what was on its way, so the archive is asked first.
            self._unbroken = self._resumed = self.book.clean
        if self.gate.closed:
            await self._wait_for_room()
            return
        if self._broken:
            raise Failed(verdict.told("filters", self._broken))
        key = await self._key()
        self._claim(key)
        now = self.clock.now()
        coverage = self.book.now_is(now)
        if await self._has_second_key(key):
            await self._live(key)
            return
        if not self._resumed or not coverage.bridged(now) or coverage.missing(now):
            if self._visit_due():
                await self._live(key, visit=True)
            if not await self._archive.catch_up(key, unbroken=self._unbroken, live_due=self._visit_due):
                return
            self._resumed = True
        if not self._stopping.is_set():
            await self._live(key)

    async def _wait_for_room(self) -> None:
        """Nothing is read while the disk is nearly full; the hours missed meanwhile come from the archive."""
        why = self.gate.verdict()
        self.board.say(why.state, why.what, hint=why.hint, code=why.code)
        while self.gate.closed and not self._stopping.is_set():
            await self._patience.asked()

    def _visit_due(self) -> bool:
        """Is it time, before more of the archive, for what the live stream has?

        One key has one session: archive and live take turns. The first visit makes the service remember
        where this stream is, so that nothing falls between the archive's end and the live stream's
        beginning; the ones after it keep a long backfill from hiding the mail of today. After a crash
        a visit comes first as well: the hour under way, fetched again, may take a minute.
        """
        now, coverage = self.clock.now(), self.book.coverage
        wanted = bool(coverage.missing(now) or coverage.unfinished(now, unbroken=self._unbroken))
        since = now - coverage.live[-1][1] if coverage.live else None
        due = since is None or not 0 <= since <= self._visit_every * SECOND
        return wanted and (due or not self._visited)

    # Keys

    async def _key(self, name: str = SECRET_NAMES[0]) -> Secret:
        """Raises Failed when there is none. Asked for at each attempt: it may have been mended."""
        try:
            key = await asyncio.to_thread(self.key_of, self.connector, name)
        except Outage as outage:
            raise Failed(verdict.told("vault", outage.what, outage.hint)) from None
        except Fault as fault:
            raise Failed(verdict.told("no_key", fault.what, fault.hint)) from None
        if key is None:
            raise Failed(verdict.of("no_key"))
        return key

    def _claim(self, key: Secret) -> None:
        holder = self.claims.take(self.key, self.connector, self.kind, key)
        if holder:
            raise Failed(verdict.told("claimed", f"{holder} collects this stream with this API key already."))

    async def _has_second_key(self, first: Secret) -> bool:
        """Is the archive fetched beside the live stream? Begins it where there is a second key for it."""
        if self._is_beside():
            return True
        try:
            second = await self._key(SECOND_KEY)
        except Failed:
            second = None
        again = second is not None and second.reveal() == first.reveal()
        self.board.note(
            "second key", "The second API key is the first one again: it is not used." if again else ""
        )
        if second is None or again:
            if self._archive.beside:
                self._archive = self._new_archive(self._patience, beside=False)
            return False
        self._archive = self._new_archive(
            self._new_patience(self._say_archive_failed, asyncio.Event()), beside=True
        )
        beside = self._archive.keep_up(lambda: self._key(SECOND_KEY), lambda: self._unbroken)
        self._beside = self.tasks.spawn(beside, f"{self.key}: archive")
        return True

    def _is_beside(self) -> bool:
        return self._beside is not None and not self._beside.done()

    # Live

    async def _live(self, key: Secret, *, visit: bool = False) -> None:
        """Receive until the session ends, an hour of the archive is due, or stop().

        A visit ends when the live stream has told what it had kept.

        Raises:
            Failed: the session ended by itself; all that it gave is committed.
        """
        self.board.say(CONNECTING, "Connecting to the live stream.")
        async with open_session(target_of(self.book, self.timing, key), self.clock) as session:
            self._session = session
            opened, before = self.clock.monotonic(), self.book.coverage
            await self.book.mark(self._begun, patience=self._patience, clean=False)
            if self.book.coverage.live[:-1] != before.live[:-1] or not before.live:
                self._archive.asked = None
                self._archive.wake()
            self._unbroken = False
            self._visited = True
            self._say_live(visit)
            leaving = await self._receive(session, visit)
        self._session = None
        end = session.ended or verdict.of("1006")
        # After a goodbye from either side everything sent before it has come.
        self._unbroken = session.clean and end.code in GOODBYES
        if leaving:
            await self.book.mark(lambda has: has, clean=session.clean)
            return
        if end.code == "1009":
            now = self.clock.now()
            await self.book.mark(lambda has: has.lost(has.live[-1][1], now))
        await self._patience.wait_out(end, self.clock.monotonic() - opened)

    def _begun(self, coverage: Coverage) -> Coverage:
        return coverage.connected(self.clock.now(), unbroken=self._unbroken)

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
                frames = arrivals.take(limits.BATCH_RECORDS, BATCH_BYTES)
                committed = heard = marked = monotonic()
                self._newest = (await self.book.store(frames, port.LIVE, self._patience)).newest
            elif arrivals.ended:
                return leaving
            elif monotonic() - marked > timing.mark:
                marked = monotonic()
                heard_until = self.clock.now() - int((marked - session.heard) * SECOND)
                await self.book.mark(_heard(heard_until), patience=self._patience)
            told = monotonic() - heard > timing.quiet or self._newest >= opened
            due = visit and told
            if told and not visit and (not self._is_beside() or self._archive.idle):
                self.caught_up.set()
            if monotonic() - checked > timing.check and not self._is_beside():
                checked = monotonic()
                due = due or bool(self.book.coverage.missing(self.clock.now()))
            if not leaving and (due or self._interrupted() or self._broken):
                leaving = True
                self.tasks.spawn(session.finish(), f"{self.key}: goodbye")

    # What is said

    def _say_live(self, visit: bool) -> None:
        self.stuck.clear()
        if visit:
            self.board.say(CATCHING_UP, "Receiving what is live, before more of the archive.")
        else:
            self.board.say(LIVE, "Receiving as mail flows.")

    def _say_failed(self, why: Verdict, next_try: int, attempts: int) -> None:
        if why.code == "409" and self.book.coverage.missing(self.clock.now()):
            # The session before lingers: taking turns more rarely costs less waiting.
            self._visit_every = min(self._visit_every * 2, self.timing.longest_visit)
        self.board.say(
            why.state, why.what, hint=why.hint, code=why.code, next_try=next_try, attempts=attempts
        )

    def _say_archive_failed(self, why: Verdict, next_try: int, attempts: int) -> None:
        self.board.note(
            "archive", f"The archive (second API key): {why.what} Next try at {iso(next_try)[11:19]} UTC."
        )


def _heard(until: int) -> Change:
    return lambda coverage: coverage.heard(until)
