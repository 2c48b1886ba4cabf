"""One stream's archive: hour by hour until nothing is missing, on the live stream's key or on a second one."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from pod_desktop.core import limits
from pod_desktop.core.clock import HOUR, SECOND, Clock
from pod_desktop.core.faults import Outage
from pod_desktop.core.secret import Secret
from pod_desktop.core.status import CATCHING_UP, CONNECTING, WAITING
from pod_desktop.services.collect_book import Book
from pod_desktop.services.collect_patience import Patience
from pod_desktop.services.collect_rules import (
    TRIES,
    WHOLE,
    Broken,
    Fetched,
    Timing,
    agree,
    broke_off,
    named,
    reached,
    seconds_left,
    share_done,
    unfinished,
)
from pod_desktop.services.collect_status import StreamBoard
from pod_desktop.store import port
from pod_desktop.stream import Failed, Session, Target, hour_begin, open_session, stream_url, verdict

_log: Final = logging.getLogger(__name__)
BATCH_BYTES: Final = 16 * limits.MIB
_ONE_KEY: Final = " The live stream waits meanwhile: one API key has one session a content type."


def target_of(
    book: Book, timing: Timing, key: Secret, begin: int | None = None, end: int | None = None
) -> Target:
    """Where a session of the live stream (no times) or of the archive goes."""
    connector = book.connector
    return Target(
        url=stream_url(connector.stream_url, connector.cluster_id, book.kind, since=begin, until=end),
        key=key,
        ca_file=connector.ca_file,
        proxy=connector.proxy,
        ping_seconds=timing.ping,
        pong_seconds=timing.pong,
        connect_seconds=timing.connect,
    )


@dataclass(slots=True, kw_only=True)
class Archive:
    """Fetches what is missing. Every request is a session of its own."""

    book: Book
    clock: Clock
    board: StreamBoard
    timing: Timing
    patience: Patience
    interrupted: Callable[[], bool]
    """Is it time to stop: the service ends, or the disk is full?"""
    beside: bool = False
    """Does a live session go on meanwhile, on another key?"""
    asked: float | None = None
    """Monotonic seconds when the hour under way was last fetched; None since a live session has begun anew."""
    session: Session | None = None
    idle: bool = False
    """Nothing is missing at the moment."""
    _broken: dict[int, Broken] = field(default_factory=dict)
    """By hour: how the tries to fetch it went that did not give it whole."""
    _began: float = 0.0
    _fetched: int = 0
    _awake: asyncio.Event = field(default_factory=asyncio.Event)

    async def catch_up(
        self, key: Secret, *, unbroken: bool, live_due: Callable[[], bool] = lambda: False
    ) -> bool:
        """Fetch the hours that are missing, newest first, so that recent mail shows at once.

        Args:
            unbroken: did the last live session end with a goodbye?
            live_due: is it the live stream's turn, before all are fetched?

        Returns:
            False when it ended before all was fetched.

        Raises:
            Failed: a request was refused, or broke.
        """
        fetched = refused = 0
        again = False
        self.idle = False
        self._began, self._fetched = self.clock.monotonic(), 0
        while not self.interrupted():
            now, monotonic = self.clock.now(), self.clock.monotonic()
            coverage = self.book.now_is(now)
            missing = coverage.missing(now)
            self._tell_progress(now, missing)
            late = self.asked is not None and monotonic - self.asked > self.timing.again
            if self.asked is None or (late and not missing and not again):
                again = self.asked is not None
                self.asked = monotonic
                if stretch := coverage.unfinished(now, unbroken=unbroken):
                    try:
                        await self._fetch_stretch(key, *stretch)
                    except BaseException:
                        self.asked = None
                        raise
                continue
            if not missing:
                break
            if fetched and live_due():
                return False
            fetched += 1
            taken = await self._fetch_hour(key, missing[0])
            refused = 0 if taken else refused + 1
            if refused == TRIES:
                # The service takes no archive request at all; the live stream will say whether it is us.
                self.book.postpone(missing, self.clock.now() + HOUR)
        self.board.advance(None)
        self.idle = not self.interrupted()
        return self.idle

    def _tell_progress(self, now: int, missing: list[int]) -> None:
        pace = seconds_left(self._began, self.clock.monotonic(), self._fetched, len(missing))
        self.board.advance(share_done(self.book.coverage, now, len(missing)), len(missing), pace)

    async def _fetch_stretch(self, key: Secret, begin: int, end: int) -> None:
        """The hour under way, as far as the archive has it. It is fetched whole once it is over."""
        counts: list[int] = []
        for _ in range(TRIES):
            try:
                got = await self._fetch(key, begin, end)
            except Failed as failed:
                if failed.verdict.code != "400":
                    raise
                return
            if got.end is not None and got.end.code not in (*WHOLE, "1006"):
                raise Failed(got.end)
            counts.append(got.received)
            if self.interrupted() or (got.clean and got.end is not None) or reached(counts, got):
                return

    async def _fetch_hour(self, key: Secret, hour: int) -> bool:
        """One whole hour; False when the service refuses to give it (it is asked for again later).

        Raises:
            Failed: it was refused or broke off: the next try comes after a wait, and live may have its turn first.
        """
        begin, end = hour_begin(hour), hour_begin(hour + 1)
        tries = self._broken.setdefault(hour, Broken())
        while True:
            asked = self.clock.now()
            try:
                got = await self._fetch(key, begin, end)
            except Failed as failed:
                if failed.verdict.code != "400":
                    raise
                self.book.postpone([hour], self.clock.now() + HOUR)
                return False
            if self.interrupted():
                return True
            tries.note(got)
            code = got.end.code if got.end else "1006"
            if not self.book.coverage.settled(hour, asked, got.behind):
                self.book.postpone([hour], self.clock.now() + int(got.behind) * SECOND)
                return True
            if (got.clean and code in WHOLE) or agree(tries.counts, got):
                await self.book.mark(
                    lambda has: has.fetched(hour), fetched=(hour, got.kept), patience=self.patience
                )
                self.patience.attempts.forget()
                del self._broken[hour]
                self._fetched += 1
                return True
            if code == "1009":
                # Whatever follows the record that is too big in this hour cannot be had either.
                await self.book.mark(lambda has: has.fetched(hour).lost(begin, end), fetched=(hour, got.kept))
                del self._broken[hour]
                return True
            why = broke_off(begin, got)
            if why.state != WAITING:
                raise Failed(why)
            if tries.spent:
                count, wait = len(tries.counts), tries.put_off()
                self.book.postpone([hour], self.clock.now() + wait)
                raise Failed(unfinished(begin, count, wait))
            if got.cut or code != "1006" or (got.received and len(tries.counts) > 1):
                raise Failed(why)
            # Some servers end every hour without a goodbye: the same once more will tell.

    async def _fetch(self, key: Secret, begin: int, end: int) -> Fetched:
        """Fetch and commit a stretch of the archive."""
        target = target_of(self.book, self.timing, key, begin, end)
        self._say(CONNECTING, f"Asking the archive for {named(begin)}.")
        async with open_session(target, self.clock) as session:
            self.session = session
            self._say(CATCHING_UP, f"Fetching {named(begin)} from the archive.")
            arrivals, last = session.arrivals, self.clock.monotonic()
            count = kept = new = 0
            # A live record waits for no more than one batch of each archive before it.
            batch = limits.BATCH_RECORDS // 3 if self.beside else limits.BATCH_RECORDS
            while not self.interrupted():
                await arrivals.wait(batch, 0.5)
                frames = arrivals.take(batch, BATCH_BYTES)
                if frames:
                    stored = await self.book.store(frames, port.BACKFILL, self.patience)
                    count += stored.received
                    kept += stored.received - stored.filtered
                    new += stored.committed.stored + stored.committed.quarantined
                    last = self.clock.monotonic()
                elif arrivals.ended:
                    break
                elif self.clock.monotonic() - last > self.timing.archive_idle:
                    return Fetched(count, kept, new, None, clean=False, cut=True)
        return Fetched(count, kept, new, session.ended, session.clean, session.cut, session.behind)

    def _say(self, state: str, what: str) -> None:
        if self.beside:
            self.board.note("archive", f"{what.rstrip('.')} with the second API key, beside the live stream.")
        else:
            self.board.say(state, what + _ONE_KEY)

    # Beside a live session

    async def keep_up(self, key_of: Callable[[], Awaitable[Secret]], unbroken: Callable[[], bool]) -> None:
        """Fetch whatever is missing, now and as hours end, until the service stops or the key is taken away.

        For a key of its own.
        """
        while not self.patience.stopping.is_set():
            began = self.clock.monotonic()
            try:
                if await self.catch_up(await key_of(), unbroken=unbroken()):
                    self.board.note("archive", "")
                    self.patience.stuck.clear()
                await self._rest()
            except Failed as failed:
                if failed.verdict.code == "no_key":
                    self.board.note("archive", "")
                    return
                await self.patience.wait_out(failed.verdict, self.clock.monotonic() - began)
            except Outage as outage:
                await self.patience.wait_out(verdict.told("disk", outage.what, outage.hint), 0)
            except Exception:
                _log.exception("the archive of %s met an error", self.book.key)
                await self.patience.wait_out(verdict.of("bug"), 0)

    def wake(self) -> None:
        """Look again at once: a live session has begun, or it is time to stop."""
        self._awake.set()
        if self.session is not None:
            self.session.arrivals.nudge()

    async def _rest(self) -> None:
        try:
            async with asyncio.timeout(self.timing.check):
                await self._awake.wait()
        except TimeoutError:
            pass
        self._awake.clear()
