"""Looking after responders: token and list of each enabled one, now and then, and their status in the ledger.

A status is renewed every five minutes. What fails is looked at again within a minute, and so is what a
person's test has just cleared: a fault that persists shows again soon.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from pod_desktop.core.clock import SECOND, Clock
from pod_desktop.core.faults import Fault
from pod_desktop.core.responder import RespondConnector
from pod_desktop.core.secret import Secret
from pod_desktop.core.status import DISABLED, RESPOND, StreamStatus
from pod_desktop.services.testing import TestReport, responder_status
from pod_desktop.store import Ledger, RespondEntry

if TYPE_CHECKING:
    from pod_desktop.webhook import Sender

EVERY_SECONDS: Final = 300.0
AGAIN_SECONDS: Final = 45.0
"""After a failure, and after somebody else's result: less than a minute."""
CHECK_SECONDS: Final = 30.0
POLL_SECONDS: Final = 1.0
AT_ONCE: Final = 4
"""Responders that are looked at side by side."""
_log: Final = logging.getLogger(__name__)

SecretsOf = Callable[[RespondConnector], dict[str, Secret]]
"""The secrets that are kept for a responder (services.connectors.Connectors.secrets); raises Fault."""


@dataclass(slots=True)
class _Watched:
    """A responder that is looked after."""

    entry: RespondEntry
    due: float
    """On the monotonic clock."""
    said: StreamStatus | None = None


class HealthChecks:
    """Checks the enabled responders of a ledger until it is stopped. One in the collector service."""

    def __init__(
        self,
        ledger: Ledger,
        secrets_of: SecretsOf,
        clock: Clock,
        *,
        every: float = EVERY_SECONDS,
        again: float = AGAIN_SECONDS,
        poll: float = POLL_SECONDS,
        seconds: float = CHECK_SECONDS,
    ) -> None:
        """Times in seconds; `seconds` is the limit of one check."""
        self._ledger = ledger
        self._secrets_of = secrets_of
        self._clock = clock
        self._every, self._again, self._poll, self._seconds = every, again, poll, seconds
        self._watched: dict[str, _Watched] = {}
        self._seen: int | None = None
        self._sender: Sender | None = None
        self._failing = False

    async def run(self, stop: asyncio.Event) -> None:
        """Check until `stop` is set; never raises for what network, vault or ledger do."""
        try:
            while not stop.is_set():
                await self._round(stop)
                try:
                    async with asyncio.timeout(self._poll):
                        await stop.wait()
                except TimeoutError:
                    continue
        finally:
            if self._sender is not None:
                await self._sender.close()

    async def _round(self, stop: asyncio.Event) -> None:
        try:
            await asyncio.to_thread(self._follow)
            due = [one for one in self._watched.values() if one.due <= self._clock.monotonic()]
            if due:
                await self._check_all(due, stop)
            self._failing = False
        except Fault as fault:
            if not self._failing:
                _log.warning("responders cannot be checked: %s", fault)
            self._failing = True

    # whom to look after

    def _follow(self) -> None:
        version = self._ledger.version()
        if version == self._seen:
            return
        said = {one.connector: one for one in self._ledger.statuses() if one.kind == RESPOND}
        now = self._clock.monotonic()
        entries = {entry.connector.name: entry for entry in self._ledger.responders()}
        for name in set(self._watched) - set(entries):
            del self._watched[name]
        for name, entry in entries.items():
            self._follow_one(name, entry, said.get(name), now)
        self._seen = version

    def _follow_one(self, name: str, entry: RespondEntry, said: StreamStatus | None, now: float) -> None:
        known = self._watched.get(name)
        if not entry.enabled:
            self._watched.pop(name, None)
            if said is None or said.state != DISABLED:
                self._put(_disabled(entry, said, self._clock.now()))
        elif known is None or known.entry != entry:
            self._watched[name] = _Watched(entry, now, said)
        elif said != known.said:
            # A person's test has said something: see soon whether that lasts.
            known.said = said
            known.due = min(known.due, now + self._again)

    # one round of checks

    async def _check_all(self, due: list[_Watched], stop: asyncio.Event) -> None:
        if self._sender is None:
            # Late: a service without responders does not load the HTTP library.
            from pod_desktop.webhook import Sender

            self._sender = Sender(self._clock, seconds=self._seconds)
        sender, places = self._sender, asyncio.Semaphore(AT_ONCE)

        async def one(watched: _Watched) -> None:
            async with places:
                await self._check(watched, sender)

        async with asyncio.TaskGroup() as group:
            checks = [group.create_task(one(watched)) for watched in due]
            stopping = group.create_task(stop.wait())
            await asyncio.wait(
                {stopping, group.create_task(_all(checks))}, return_when=asyncio.FIRST_COMPLETED
            )
            for task in (*checks, stopping):
                task.cancel()

    async def _check(self, watched: _Watched, sender: Sender) -> None:
        report = await check(watched.entry.connector, self._secrets_of, sender)
        await asyncio.to_thread(self._note, watched, report)

    def _note(self, watched: _Watched, report: TestReport) -> None:
        name, now = watched.entry.connector.name, self._clock.now()
        wait = self._every if report.ok else self._again
        watched.due = self._clock.monotonic() + wait
        current = {entry.connector.name: entry for entry in self._ledger.responders()}.get(name)
        if current != watched.entry:
            # Changed or removed meanwhile: the result is of something that is no more.
            return
        status = responder_status(self._ledger, watched.entry.connector, report, now)
        if not report.ok:
            status = replace(status, next_try=now + int(wait * SECOND))
        watched.said = status
        self._put(status)

    def _put(self, status: StreamStatus) -> None:
        self._ledger.put_statuses([status], now=self._clock.now())


async def _all(tasks: list[asyncio.Task[None]]) -> None:
    await asyncio.wait(tasks)


async def check(connector: RespondConnector, secrets_of: SecretsOf, sender: Sender) -> TestReport:
    """Token and list only: the short form of a test. Never raises for what network or vault do."""
    from pod_desktop.services import testing_respond
    from pod_desktop.services.testing_steps import StepFailed
    from pod_desktop.webhook import Credentials

    failure: StepFailed | None = None
    try:
        secrets = await asyncio.to_thread(secrets_of, connector)
        credentials = Credentials(client_id=secrets["client_id"], client_secret=secrets["client_secret"])
        await testing_respond.read_list(sender, connector, credentials)
    except StepFailed as failed:
        failure = failed
    except KeyError:
        failure = StepFailed(
            "There are no Client ID and Client Secret for this responder.",
            "Edit it and enter them.",
            "no_key",
        )
    except Fault as fault:
        failure = StepFailed(fault.what, fault.hint, "vault")
    return TestReport(
        ok=failure is None,
        steps=(),
        summary=failure.what if failure else "",
        recommendation=failure.recommendation if failure else "",
        code=failure.code if failure else "",
        exchange="",
    )


def _disabled(entry: RespondEntry, said: StreamStatus | None, now: int) -> StreamStatus:
    return StreamStatus(
        connector=entry.connector.name,
        kind=RESPOND,
        state=DISABLED,
        since=now,
        what="Switched off.",
        last_activity=said.last_activity if said else 0,
    )
