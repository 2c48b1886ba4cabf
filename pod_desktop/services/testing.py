"""Tests of a connector: step by step from name to authorisation, one at a time, nothing created or stolen.

A test of a collector never takes the place of a live session: where the connector's own session is live,
that fact is the answer. A responder's test reads its list, because a token alone proves nothing.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, Final

from pod_desktop.core import status as states
from pod_desktop.core.clock import SECOND, Clock, SystemClock
from pod_desktop.core.connector import CollectConnector
from pod_desktop.core.definition import SECRET_TITLES, Connector, secret_names
from pod_desktop.core.faults import Fault, Outage, UserFault
from pod_desktop.core.responder import RespondConnector
from pod_desktop.core.secret import Secret
from pod_desktop.core.status import RESPOND, StreamStatus
from pod_desktop.services.connectors import Connectors
from pod_desktop.services.testing_steps import OnStep, Step, StepFailed, Steps, ignored
from pod_desktop.store import Ledger, Lock

TEST_SECONDS: Final = 30.0
"""The whole test's deadline."""
FRESH_SECONDS: Final = 10
"""A service whose last sign of life is older does not count as running."""
_testing: str = ""
"""The name of the connector that is being tested in this process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TestReport:
    """What a test found."""

    __test__: ClassVar[bool] = False

    ok: bool
    steps: tuple[Step, ...]
    summary: str
    """One sentence."""
    recommendation: str
    """What to check or do; empty after a success."""
    code: str
    """`401`, `tls_expired`, `dns`, …; empty after a success."""
    exchange: str
    """What went over the wire as text, secrets masked; for Show More."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnSession:
    """What is known of the session that this connector, or another one with its key, has for a content type."""

    connector: str
    live: bool
    """It is open at this moment: a second one would be refused with 409."""
    collected: bool
    """The service keeps a place in the stream for it; a test must not take what is kept there."""


def planned(connector: Connector) -> tuple[str, ...]:
    """The names of the steps that a test of this connector will take."""
    if isinstance(connector, RespondConnector):
        from pod_desktop.services import testing_respond

        return testing_respond.names(connector)
    from pod_desktop.services import testing_collect

    return testing_collect.names(connector)


async def try_connector(
    connector: Connector,
    secrets: Mapping[str, Secret],
    *,
    sessions: Mapping[str, OwnSession] | None = None,
    on_step: OnStep = ignored,
    clock: Clock | None = None,
    seconds: float = TEST_SECONDS,
    withheld: UserFault | None = None,
) -> TestReport:
    """Try everything that the connector needs, whether or not it exists yet. Creates nothing.

    Args:
        secrets: By name, as core.definition.secret_names().
        sessions: By content type: sessions that have the connector's key now or had it before.
        on_step: Hears each step once it has passed, failed, or turned out not to be tried.
        seconds: The deadline of it all.
        withheld: Why a kept secret is not among `secrets`.

    Raises:
        asyncio.CancelledError: cancelled; all connections are closed.
    """
    clock = clock or SystemClock()
    steps = Steps(planned(connector), on_step, clock)
    exchange: list[str] = []
    for name in secret_names(connector):
        if name not in secrets:
            return _report(connector, steps, exchange, _no_secret(connector, name, withheld))
    try:
        async with asyncio.timeout(seconds):
            if isinstance(connector, RespondConnector):
                from pod_desktop.services import testing_respond

                await testing_respond.run(connector, secrets, steps, exchange, clock, seconds)
            else:
                from pod_desktop.services import testing_collect

                await testing_collect.run(
                    connector, secrets["api_key"], steps, exchange, clock, seconds, sessions or {}
                )
    except TimeoutError:
        steps.failed(
            StepFailed(
                f"There was no answer within {seconds:.0f} s.",
                "Check the network connection, and that no firewall stands on the way.",
                "timeout",
            )
        )
    return _report(connector, steps, exchange, steps.first_failure)


def _no_secret(connector: Connector, name: str, withheld: UserFault | None) -> StepFailed:
    if withheld is not None:
        return StepFailed(withheld.what, withheld.hint, "no_key")
    title = SECRET_TITLES[name]
    return StepFailed(
        f"There is no {title} to test {connector.name or 'the connector'} with.",
        f"Enter the {title}.",
        "no_key",
    )


def _report(
    connector: Connector, steps: Steps, exchange: list[str], failure: StepFailed | None
) -> TestReport:
    steps.skip_rest()
    return TestReport(
        ok=failure is None,
        steps=tuple(steps.done),
        summary=failure.what if failure else _success(connector),
        recommendation=failure.recommendation if failure else "",
        code=failure.code if failure else "",
        exchange="\n\n".join(exchange),
    )


def _success(connector: Connector) -> str:
    if isinstance(connector, RespondConnector):
        return "Success: a token was given, and the list can be read with it."
    return "Success: the service is reached, and the key may collect everything that is chosen."


class Tester:
    """Tests for windows and commands: at most one at a time on a data directory, in whatever process."""

    __test__: ClassVar[bool] = False

    def __init__(
        self,
        connectors: Connectors,
        ledger: Ledger,
        lock: Path,
        clock: Clock | None = None,
        *,
        seconds: float = TEST_SECONDS,
    ) -> None:
        """`lock`: the file of the data directory that the running test holds (see lock_path())."""
        self._connectors = connectors
        self._ledger = ledger
        self._lock = lock
        self._clock = clock or SystemClock()
        self._seconds = seconds

    async def test(
        self,
        connector: Connector,
        secrets: Mapping[str, Secret] | None = None,
        on_step: OnStep = ignored,
    ) -> TestReport:
        """Test a connector as it is kept, or as it is typed; the result of a kept one becomes its status.

        Args:
            secrets: Those that were typed; what is missing is taken from the vault where it is kept for
                the connector's address.

        Raises:
            Outage: another test runs (`where` is "test"), or ledger or vault do not answer.
        """
        lock = Lock(self._lock)
        self._take(lock, connector)
        try:
            report = await self._test(connector, secrets or {}, on_step)
            await asyncio.to_thread(self._publish, connector, report)
            return report
        finally:
            self._release(lock)

    def _take(self, lock: Lock, connector: Connector) -> None:
        global _testing
        try:
            holder = lock.acquire()
        except OSError as error:
            raise Outage(
                f"The test's lock cannot be used ({error.strerror}).",
                str(self._lock),
                "Check its permissions.",
            ) from None
        if holder is None:
            _testing = connector.name
            return
        if holder == os.getpid():
            who = f"that of {_testing}" if _testing else "another one"
        else:
            who = f"one of process {holder}" if holder else "one of another process"
        raise Outage(
            f"One test runs at a time, and {who} is under way.", "test", "Try again when it has ended."
        )

    @staticmethod
    def _release(lock: Lock) -> None:
        global _testing
        _testing = ""
        lock.release()

    async def _test(self, connector: Connector, typed: Mapping[str, Secret], on_step: OnStep) -> TestReport:
        kept, withheld = await asyncio.to_thread(self._kept, connector, typed)
        secrets = {**kept, **typed}
        sessions: dict[str, OwnSession] = {}
        if isinstance(connector, CollectConnector) and "api_key" in secrets:
            sessions = await asyncio.to_thread(self._sessions, connector, secrets["api_key"])
        return await try_connector(
            connector,
            secrets,
            sessions=sessions,
            on_step=on_step,
            clock=self._clock,
            seconds=self._seconds,
            withheld=withheld,
        )

    def _kept(
        self, connector: Connector, typed: Mapping[str, Secret]
    ) -> tuple[dict[str, Secret], UserFault | None]:
        """The secrets that are kept, or why they are withheld: others can read them, or another address has them."""
        if all(name in typed for name in secret_names(connector)):
            return {}, None
        try:
            return self._connectors.secrets(connector), None
        except UserFault as fault:
            return {}, fault

    # what is known already

    def _sessions(self, connector: CollectConnector, key: Secret) -> dict[str, OwnSession]:
        service = self._ledger.service()
        runs = service is not None and self._clock.now() - service.beat < FRESH_SECONDS * SECOND
        said = {(one.connector, one.kind): one for one in self._ledger.statuses()}
        found = {}
        for kind in connector.content_types:
            holder = self._connectors.key_holder(connector, kind, key)
            if holder is None:
                continue
            name = holder.connector.name
            status = said.get((name, kind))
            live = bool(runs and status and status.state in (states.LIVE, states.CATCHING_UP))
            held_by_others = status is not None and status.code == "409"
            collected = bool(status and status.last_activity) and not held_by_others
            found[kind] = OwnSession(connector=name, live=live, collected=collected)
        return found

    # what it means for the status

    def _publish(self, connector: Connector, report: TestReport) -> None:
        try:
            kept = self._ledger.connector(connector.name).connector
        except UserFault:
            return
        if kept != connector:
            return
        now = self._clock.now()
        try:
            if isinstance(connector, RespondConnector):
                self._ledger.put_statuses([responder_status(self._ledger, connector, report, now)], now=now)
            elif report.ok:
                self._clear(connector, now)
        except Fault:
            # The report stands; the status is renewed with the next check.
            return

    def _clear(self, connector: CollectConnector, now: int) -> None:
        """What was wrong is not wrong any more: the service tries at once, and says so if it still is."""
        failed = [
            replace(
                one, what=_CLEARED, hint="", code="", since=now, next_try=0, attempts=0, state=_cleared(one)
            )
            for one in self._ledger.statuses()
            if one.connector == connector.name and one.code
        ]
        if failed:
            self._ledger.put_statuses(failed, now=now)
            self._connectors.try_now(connector.name)


_CLEARED: Final = "A test succeeded."


def _cleared(one: StreamStatus) -> str:
    return one.state if one.state in (states.STOPPED, states.DISABLED) else states.CONNECTING


def responder_status(
    ledger: Ledger, connector: RespondConnector, report: TestReport, now: int
) -> StreamStatus:
    """The status that a test or check of a responder leads to."""
    from pod_desktop.services.testing_respond import state_of

    old = next(
        (one for one in ledger.statuses() if one.connector == connector.name and one.kind == RESPOND), None
    )
    state = states.LIVE if report.ok else state_of(report.code)
    same = old is not None and (old.state, old.code) == (state, report.code)
    return StreamStatus(
        connector=connector.name,
        kind=RESPOND,
        state=state,
        since=old.since if same and old is not None else now,
        what="" if report.ok else report.summary,
        hint=report.recommendation,
        code=report.code,
        attempts=0 if report.ok else (old.attempts if old is not None and old.code else 0) + 1,
        last_activity=now if report.ok else (old.last_activity if old is not None else 0),
    )


def lock_path(data_dir: Path) -> Path:
    """The lock file of the tests of a data directory."""
    return data_dir / "test.lock"
