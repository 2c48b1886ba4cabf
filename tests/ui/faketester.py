"""A connection test in memory: it passes and fails where it is told to, and waits where it is told to."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping

from pod_desktop.core.definition import Connector
from pod_desktop.core.secret import Secret
from pod_desktop.services.testing import TestReport, planned
from pod_desktop.services.testing_steps import OnStep, Step

EXCHANGE = "GET /v1/stream?cid=acme_hosted&type=message\nAuthorization: Bearer ••••\n401 Unauthorized"
RECOMMENDATION = "Did you enter your credentials correctly?\nAre they expired?"


class FakeTester:
    """Give it to a Runner: `Runner(FakeTester().test)`."""

    __test__ = False

    def __init__(self) -> None:
        self.asked: list[tuple[Connector, Mapping[str, Secret] | None]] = []
        self.fails_at = ""
        """The step that fails, by its beginning."""
        self.waits_at = ""
        """The step before which it waits for `go`."""
        self.go = threading.Event()
        self.raises: BaseException | None = None
        self.cancelled = 0
        self.summary = "The service refused the credentials (401 Unauthorized)."
        self.code = "401"
        self.details: dict[str, str] = {}
        self.threads: set[str] = set()

    async def test(
        self, connector: Connector, secrets: Mapping[str, Secret] | None, on_step: OnStep
    ) -> TestReport:
        self.asked.append((connector, secrets))
        self.threads.add(threading.current_thread().name)
        if self.raises is not None:
            raise self.raises
        steps: list[Step] = []
        failed = False
        for name in planned(connector):
            if self.waits_at and name.startswith(self.waits_at):
                await self._wait()
            ok = None if failed else not (self.fails_at and name.startswith(self.fails_at))
            detail = self.summary if ok is False else self.details.get(name, "")
            steps.append(Step(name, ok, detail, 12.4))
            failed = failed or ok is False
            on_step(steps[-1])
        return TestReport(
            ok=not failed,
            steps=tuple(steps),
            summary=self.summary if failed else "Success: everything that was tried was accepted.",
            recommendation=RECOMMENDATION if failed else "",
            code=self.code if failed else "",
            exchange=EXCHANGE,
        )

    async def _wait(self) -> None:
        try:
            while not self.go.is_set():  # noqa: ASYNC110 - the other thread's event
                await asyncio.sleep(0.002)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
