"""Responders looked after by the service: states that come, go and come back by themselves."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from trying import certificate, client, responder, until

from pod_desktop.core import status as states
from pod_desktop.core.clock import SystemClock
from pod_desktop.core.faults import Outage
from pod_desktop.core.status import RESPOND, StreamStatus
from pod_desktop.services import testing
from pod_desktop.services.connectors import Connectors
from pod_desktop.services.health import (
    AGAIN_SECONDS,
    CHECK_SECONDS,
    EVERY_SECONDS,
    POLL_SECONDS,
    HealthChecks,
)
from pod_desktop.simulator import Simulator
from pod_desktop.simulator.api import HANG_AFTER_READ
from pod_desktop.store import Ledger
from pod_desktop.vault import MemoryVault, SessionVault


class World:
    """A ledger with responders of a simulator, and the checks on it."""

    def __init__(self, sim: Simulator, folder: Path) -> None:
        self.sim, self.folder = sim, folder
        self.ledger = Ledger(folder / "ledger.db")
        self.connectors = Connectors(self.ledger, SessionVault(MemoryVault()))

    def status(self, name: str = "acme-block") -> StreamStatus | None:
        return next((one for one in self.ledger.statuses() if one.connector == name), None)

    def state(self, name: str = "acme-block") -> tuple[str, str]:
        status = self.status(name)
        return (status.state, status.code) if status else ("", "")

    @asynccontextmanager
    async def checked(self, **times: Any) -> Any:
        times = {"every": 60.0, "again": 0.1, "poll": 0.05, **times}
        checks = HealthChecks(self.ledger, self.connectors.secrets, SystemClock(), **times)
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            running = group.create_task(checks.run(stop))
            try:
                yield checks
            finally:
                stop.set()
                async with asyncio.timeout(CHECK_SECONDS * 0.8):
                    await running


def scene(folder: Path, story: Callable[[World], Awaitable[None]]) -> None:
    async def play() -> None:
        async with Simulator(seed=7) as sim:
            world = World(sim, folder)
            try:
                await story(world)
            finally:
                world.ledger.close()

    asyncio.run(play())


def test_a_fault_shows_within_a_minute_and_a_success_is_renewed_every_five() -> None:
    assert AGAIN_SECONDS + POLL_SECONDS < 60 and EVERY_SECONDS == 300


def test_all_four_are_checked_with_one_token(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        made = world.connectors.create_all_four(responder(world.sim, name="acme"), client(world.sim))
        async with world.checked():
            await until(lambda: all(world.state(one.name)[0] == states.LIVE for one in made))
        assert world.sim.api.token_requests == 1
        assert {exchange.method for exchange in world.sim.api.requests("org")} == {"GET"}
        status = world.status("acme-safe")
        assert status and status.kind == RESPOND and status.last_activity

    scene(tmp_path, story)


def test_a_failure_is_told_and_recovery_too(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        world.sim.api.behaviour.licensed = False
        world.connectors.create(responder(world.sim), client(world.sim))
        async with world.checked():
            await until(lambda: world.state() == (states.STOPPED_FAULT, "403"))
            failed = world.status()
            assert failed and failed.next_try > 0 and failed.hint
            world.sim.api.behaviour.licensed = True
            await until(lambda: world.state() == (states.LIVE, ""))

    scene(tmp_path, story)


@pytest.mark.parametrize(
    ("status", "state"), [(429, states.WAITING), (503, states.WAITING), (404, states.STOPPED_FAULT)]
)
def test_what_passes_by_itself_waits_and_what_does_not_asks_for_attention(
    tmp_path: Path, status: int, state: str
) -> None:
    async def story(world: World) -> None:
        world.connectors.create(responder(world.sim), client(world.sim))
        world.sim.api.next(status, where="list")
        async with world.checked(again=60.0):
            await until(lambda: world.state() == (state, str(status)))

    scene(tmp_path, story)


def test_a_success_of_a_test_is_looked_at_again_soon_where_the_fault_persists(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        made = world.connectors.create(responder(world.sim), client(world.sim))
        async with world.checked(again=0.3):
            await until(lambda: world.state() == (states.LIVE, ""))
            world.sim.api.next(*[503] * 50, where="list")
            tester = testing.Tester(world.connectors, world.ledger, world.folder / "test.lock")
            assert not (await tester.test(made)).ok
            await until(lambda: len(world.sim.api.requests("org")) >= 4)
            world.sim.api._orders.clear()
            assert (await tester.test(made)).ok
            # A check that had begun before may still tell of its failure.
            await until(lambda: world.state() == (states.LIVE, ""))
            world.sim.api.next(*[503] * 50, where="list")
            await until(lambda: world.state() == (states.WAITING, "503"))

    scene(tmp_path, story)


def test_a_disabled_one_is_left_alone_and_a_removed_one_leaves_no_status(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        world.connectors.create(responder(world.sim), client(world.sim), enabled=False)
        async with world.checked():
            await until(lambda: world.state()[0] == states.DISABLED)
            assert not world.sim.api.exchanges
            world.connectors.enable("acme-block")
            await until(lambda: world.state()[0] == states.LIVE)
            world.connectors.remove("acme-block")
            version = world.ledger.version()
            await asyncio.sleep(0.2)
            assert world.status() is None and world.ledger.version() == version

    scene(tmp_path, story)


def test_missing_secrets_and_a_locked_vault_are_told(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        world.connectors.create(responder(world.sim), {})
        async with world.checked():
            await until(lambda: world.state() == (states.STOPPED_FAULT, "no_key"))
        world.ledger.drop_status("acme-block", RESPOND)

        def locked(_: object) -> Any:
            raise Outage("The keychain is locked.", "keychain", "Unlock it.")

        world.connectors.secrets = locked  # type: ignore[method-assign]
        async with world.checked():
            await until(lambda: world.state() == (states.WAITING, "vault"))

    scene(tmp_path, story)


def test_a_certificate_that_is_not_trusted_needs_a_person(tmp_path: Path) -> None:
    with certificate(tmp_path) as (tls, _):

        async def play() -> None:
            async with Simulator(seed=7, tls=tls) as sim:
                world = World(sim, tmp_path)
                world.connectors.create(responder(sim), client(sim))
                async with world.checked():
                    await until(lambda: world.state() == (states.STOPPED_FAULT, "tls"))
                world.ledger.close()

        asyncio.run(play())


def test_stopping_does_not_wait_for_a_server_that_hangs(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        world.sim.api.next(HANG_AFTER_READ, where="token")
        world.connectors.create(responder(world.sim), client(world.sim))
        async with world.checked():
            await until(lambda: world.sim.api.exchanges)

    scene(tmp_path, story)
