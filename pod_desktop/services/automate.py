"""Playbooks at work in the service process: follows the store, judges, commits, sends; needs no window.

Two halves. The judge (a thread of its own) reads new live records and commits what fires; its marks and
comments are then carried to the notes. The outbox (the event loop) sends what was committed. Between them there is nothing but the playbooks' file.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, TypeVar

from pod_desktop.core.clock import DAY, MINUTE, Clock
from pod_desktop.core.faults import Fault
from pod_desktop.core.guards import Surroundings
from pod_desktop.core.responder import RespondConnector
from pod_desktop.services.automate_fire import Desk, actions_by_value, delivered_from
from pod_desktop.services.automate_judge import Judge
from pod_desktop.services.automate_notes import Carrying
from pod_desktop.services.automate_send import Outbox, Submits, stopped_by
from pod_desktop.store import Journal, Notes, Playbooks, Reader

POLL_SECONDS: Final = 0.1
LEARN_SECONDS: Final = 60.0
"""How often to ask whether there is something new to learn of one's own domains."""
STOP_SECONDS: Final = 3.0
_log: Final = logging.getLogger(__name__)
_T = TypeVar("_T")


class Automation:
    """All playbooks of one data directory. One per service process."""

    def __init__(
        self,
        *,
        playbooks: Playbooks,
        journal: Journal,
        open_reader: Callable[[], Reader],
        open_notes: Callable[[], Notes],
        respond: Submits,
        connectors: Callable[[], list[RespondConnector]],
        clock: Clock,
        stop_file: Path,
        surroundings: Callable[[Reader], Surroundings],
        poll_seconds: float = POLL_SECONDS,
    ) -> None:
        """
        Args:
            open_reader: gives a reader of the events, which this closes; called twice.
            open_notes: gives what people noted on records, which this closes; called once, when a playbook
                has marked or commented.
            connectors: gives the enabled responders.
            stop_file: store.DataDir.automation_stop; while it exists nothing is sent.
            surroundings: what is known of this organisation; asked in a thread, at the start and every
                hour, with a reader of its own.
        """
        self._playbooks = playbooks
        self._journal = journal
        self._open_reader = open_reader
        self._connectors = connectors
        self._clock = clock
        self._stop_file = stop_file
        self._ask_surroundings = surroundings
        self._poll = poll_seconds
        self._surroundings = Surroundings()
        self._thread = ThreadPoolExecutor(1, "playbooks")
        self._outbox = Outbox(
            playbooks=playbooks,
            journal=journal,
            respond=respond,
            connectors=connectors,
            around=self._around,
            clock=clock,
            stop_file=stop_file,
        )
        self._carrying = Carrying(playbooks, open_notes)
        self._reader: Reader | None = None
        self._learner: Reader | None = None
        self._judge: Judge | None = None
        self._learned = -LEARN_SECONDS
        self._tidied = 0
        self._closed = False
        self.problem = ""
        """Why playbooks cannot work at this moment, in words; '' while they can."""

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set. Failures of store, file or network are waited out."""
        try:
            while not stop.is_set():
                more = False
                try:
                    more = await self.step()
                    self.problem = ""
                except Exception as error:
                    self._has_problem(error)
                if not more:
                    await _wait(stop, self._poll)
        finally:
            await self.close()

    async def step(self) -> bool:
        """One round: judge what is new, begin what may be sent; whether there is more to judge at once.

        Raises:
            Outage: store or file failing; nothing of the round was kept.
        """
        if self._clock.monotonic() - self._learned >= LEARN_SECONDS:
            await asyncio.to_thread(self._learn)
            self._learned = self._clock.monotonic()
        if self._judge is None:
            self._judge = await self._in_thread(self._new_judge)
        more = await self._in_thread(self._judge.turn)
        await self._outbox.step()
        await self._in_thread(self._carrying.carry, self._clock.now())
        await self._tidy()
        return more

    async def sent(self) -> None:
        """Return when nothing is under way any more."""
        await self._outbox.sent()

    async def close(self) -> None:
        """Let what is under way end, note how far was read, and let go of the readers."""
        if self._closed:
            return
        self._closed = True
        await self._outbox.stop(STOP_SECONDS)
        await self._in_thread(self._close)
        self._thread.shutdown(wait=False)

    def _has_problem(self, error: Exception) -> None:
        words = str(error) if isinstance(error, Fault) else f"{type(error).__name__}: {error}"
        if words != self.problem:
            _log.error("playbooks: %s", words, exc_info=error)
        self.problem = words

    # in the judge's thread

    def _new_judge(self) -> Judge:
        self._reader = self._open_reader()
        self._delivered = delivered_from(self._reader)
        return Judge(self._playbooks, self._reader, self._clock, self._desk)

    def _desk(self, now: int) -> Desk:
        return Desk(
            responders={one.name.casefold(): one for one in self._connectors()},
            around=self._around,
            # A mute may be longer than a day, an opposite action counts for one.
            actions=actions_by_value(self._journal.actions(since=now - 30 * DAY, limit=20_000)),
            delivered=self._delivered,
            stopped=stopped_by(self._playbooks, self._stop_file),
        )

    def _close(self) -> None:
        try:
            if self._judge is not None:
                self._judge.finish()
            self._carrying.carry(self._clock.now())
        except Fault as fault:
            _log.warning("playbooks: %s", fault)
        self._carrying.close()
        for reader in (self._reader, self._learner):
            if reader is not None:
                reader.close()

    # what is known

    def _around(self, tenant: str) -> Surroundings:
        return self._surroundings

    def _learn(self) -> None:
        self._learner = self._learner or self._open_reader()
        self._surroundings = self._ask_surroundings(self._learner)

    async def _tidy(self) -> None:
        now = self._clock.now()
        if 0 <= now - self._tidied < MINUTE:
            return
        self._tidied = now
        await asyncio.to_thread(self._playbooks.expire_held, now)
        await asyncio.to_thread(self._playbooks.tidy, now)

    async def _in_thread(self, work: Callable[..., _T], *args: object) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *args)


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        pass
