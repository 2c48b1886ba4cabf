"""Tests of connectors on a data directory: one at a time, what they mean for the status, whom they do not disturb."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from collecting import QUICK, Desk
from trying import client, collector, key, responder, until

from pod_desktop.core import status as states
from pod_desktop.core.faults import Outage
from pod_desktop.core.status import RESPOND, StreamStatus
from pod_desktop.services import testing
from pod_desktop.services.connectors import Connectors
from pod_desktop.simulator import Simulator, faults
from pod_desktop.store import Ledger, lock_holder
from pod_desktop.vault import MemoryVault, SessionVault

# one at a time, and what it means for the status


class World:
    """A data directory with connectors of a simulator, and a tester on it."""

    def __init__(self, sim: Simulator, folder: Path) -> None:
        self.sim = sim
        self.ledger = Ledger(folder / "ledger.db")
        self.vault = SessionVault(MemoryVault())
        self.connectors = Connectors(self.ledger, self.vault)
        self.lock = testing.lock_path(folder)
        self.tester = testing.Tester(self.connectors, self.ledger, self.lock)

    def status(self, connector: str, kind: str) -> StreamStatus | None:
        found = [one for one in self.ledger.statuses() if (one.connector, one.kind) == (connector, kind)]
        return found[0] if found else None


def on_desk(folder: Path, story: Callable[[World], Awaitable[None]], **options: Any) -> None:
    async def scene() -> None:
        async with Simulator(seed=7, **options) as sim:
            world = World(sim, folder)
            try:
                await story(world)
            finally:
                world.ledger.close()

    asyncio.run(scene())


def test_a_second_test_is_refused_and_names_the_first(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        sim = world.sim
        sim.faults.always = faults.slow(0.5)
        async with asyncio.TaskGroup() as group:
            first = group.create_task(world.tester.test(collector(sim, name="first"), key(sim)))
            await until(lambda: lock_holder(world.lock) is not None)
            with pytest.raises(Outage, match="first") as caught:
                await world.tester.test(collector(sim, name="second"), key(sim))
            assert caught.value.where == "test"
        assert first.result().ok
        sim.faults.always = None
        assert (await world.tester.test(collector(sim), key(sim))).ok

    on_desk(tmp_path, story)


def test_a_test_of_another_process_is_named_by_its_number(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        world.lock.write_text("")
        program = (
            "import sys; from pathlib import Path; from pod_desktop.store import Lock\n"
            "lock = Lock(Path(sys.argv[1])); print(lock.acquire(), flush=True); sys.stdin.read()"
        )
        other = await asyncio.create_subprocess_exec(
            sys.executable, "-c", program, str(world.lock),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert other.stdout is not None and other.stdin is not None
        assert await other.stdout.readline() == b"None\n"
        with pytest.raises(Outage, match=f"process {other.pid}"):
            await world.tester.test(collector(world.sim), key(world.sim))
        await other.communicate(b"")
        assert (await world.tester.test(collector(world.sim), key(world.sim))).ok

    on_desk(tmp_path, story)


def test_a_cancelled_test_frees_the_place_of_the_key_and_of_the_next_test(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        sim = world.sim
        sim.faults.always = faults.Answer(how=faults.SILENCE)
        async with asyncio.TaskGroup() as group:
            hanging = group.create_task(world.tester.test(collector(sim), key(sim)))
            await until(lambda: sim.handshakes)
            hanging.cancel()
        assert hanging.cancelled()
        sim.faults.always = None
        assert (await world.tester.test(collector(sim), key(sim))).ok

    on_desk(tmp_path, story)


def test_credentials_are_tested_before_anything_is_made(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        assert (await world.tester.test(responder(world.sim), client(world.sim))).ok
        assert world.connectors.entries() == [] and world.ledger.statuses() == []

    on_desk(tmp_path, story)


def test_a_kept_responder_is_tested_with_what_the_vault_has_and_gets_a_status(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        made = world.connectors.create(responder(world.sim), client(world.sim))
        assert (await world.tester.test(made)).ok
        good = world.status(made.name, RESPOND)
        assert good and good.state == states.LIVE and good.last_activity and not good.code
        world.sim.api.behaviour.licensed = False
        assert not (await world.tester.test(made)).ok
        bad = world.status(made.name, RESPOND)
        assert bad and (bad.state, bad.code) == (states.STOPPED_FAULT, "403")
        assert bad.last_activity == good.last_activity and bad.hint
        world.sim.api.behaviour.licensed = True
        assert (await world.tester.test(made)).ok
        again = world.status(made.name, RESPOND)
        assert again and again.state == states.LIVE and not again.code

    on_desk(tmp_path, story)


def test_a_secret_for_another_address_is_not_sent_to_the_new_one(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        made = world.connectors.create(responder(world.sim), client(world.sim))
        async with Simulator(seed=9) as elsewhere:
            moved = replace(made, hostname=elsewhere.hostname, token_url=elsewhere.token_url)
            report = await world.tester.test(moved)
            assert report.code == "no_key" and not elsewhere.api.exchanges
            assert "There is no" not in report.summary
        assert world.status(made.name, RESPOND) is None

    on_desk(tmp_path, story)


def test_a_success_clears_what_was_wrong_and_asks_the_service_to_try(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        made = world.connectors.create(collector(world.sim), key(world.sim))
        wrong = StreamStatus(
            connector="acme", kind="message", state=states.STOPPED_FAULT, since=1, what="no", code="401"
        )
        world.ledger.put_statuses([wrong], now=1)
        assert (await world.tester.test(made)).ok
        cleared = world.status("acme", "message")
        assert cleared and cleared.state == states.CONNECTING and not cleared.code
        assert [command.name for command in world.ledger.take_commands()] == ["try_now"]

    on_desk(tmp_path, story)


def test_a_success_clears_a_collectors_fault_and_one_that_persists_comes_back_at_once(tmp_path: Path) -> None:
    """By its own schedule the service would try a refused key again after minutes."""

    async def scene() -> None:
        desk = Desk(tmp_path, timing=replace(QUICK, backoff=1.0))
        async with Simulator(seed=7, rate=20) as sim:
            sim.faults.next_handshakes(401)
            made = desk.add(sim, content_types=("message",))
            connectors = Connectors(desk.ledger, SessionVault(desk.vault))
            tester = testing.Tester(connectors, desk.ledger, tmp_path / "test.lock")
            told = lambda: [(one.state, one.code) for one in desk.ledger.statuses()]  # noqa: E731
            failed = [(states.STOPPED_FAULT, "401")]
            async with desk.running():
                await desk.until(lambda: told() == failed)
                cleared: list[object] = []
                try_now = connectors.try_now

                def while_it_persists(name: str) -> None:
                    cleared.extend(told())
                    sim.faults.next_handshakes(401)
                    try_now(name)

                connectors.try_now = while_it_persists  # type: ignore[method-assign]
                assert (await tester.test(made)).ok
                assert cleared == [(states.CONNECTING, "")]
                await desk.until(lambda: sim.faults.pending == 0 and told() == failed)
                connectors.try_now = try_now  # type: ignore[method-assign]
                assert (await tester.test(made)).ok
                await desk.until(lambda: told() == [(states.LIVE, "")])
        desk.close()

    asyncio.run(scene())


# sessions that are not to be disturbed


def test_a_live_session_of_its_own_is_the_answer_and_stays(tmp_path: Path) -> None:
    async def scene() -> None:
        desk = Desk(tmp_path)
        async with Simulator(seed=7, rate=20) as sim:
            made = desk.add(sim)
            vault = SessionVault(desk.vault)
            tester = testing.Tester(Connectors(desk.ledger, vault), desk.ledger, tmp_path / "test.lock")
            async with desk.running():
                await desk.all_live()
                await desk.until(
                    lambda: [one.state for one in desk.ledger.statuses()].count(states.LIVE) == 2
                )
                before = len(sim.handshakes)
                report = await tester.test(made)
                assert report.ok and len(sim.handshakes) == before
                assert "acme has a live session" in report.steps[-1].detail
                # The same credentials typed into the wizard, under another name.
                typed = await tester.test(replace(made, name="beta"), key(sim))
                assert typed.ok and len(sim.handshakes) == before
                assert not desk.codes() & {"409", "1000", "1006"}
        desk.close()

    asyncio.run(scene())


def test_what_the_service_keeps_for_a_stopped_collector_is_not_taken_by_a_test(tmp_path: Path) -> None:
    async def scene() -> None:
        desk = Desk(tmp_path)
        async with Simulator(seed=7, rate=20, resume_overlap=0.0) as sim:
            made = desk.add(sim)
            async with desk.running():
                await desk.all_live()
                await desk.until(lambda: len(desk.stored()) > 10)
            tester = testing.Tester(
                Connectors(desk.ledger, SessionVault(desk.vault)), desk.ledger, tmp_path / "test.lock"
            )
            before = {kind: set(sim.produced[kind]) for kind in made.content_types}
            await desk.until(lambda: all(len(sim.produced[k] - before[k]) > 3 for k in before))
            report = await tester.test(made)
            assert report.ok and "archive" in report.steps[-1].detail
            kept = {kind: set(sim.produced[kind] - before[kind]) for kind in before}
            async with desk.running():
                await desk.all_live()
                await desk.until(lambda: desk.has(kept))
        desk.close()

    asyncio.run(scene())
