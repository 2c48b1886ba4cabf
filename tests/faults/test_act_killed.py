"""The command `act` killed at every stage: the list tells how it ended, and nothing is sent again."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

import pytest

from pod_desktop import app
from pod_desktop.core.action import FAILED, SUCCEEDED, Action
from pod_desktop.core.responder import TYPES, RespondConnector
from pod_desktop.core.secret import Secret
from pod_desktop.services.connectors import Connectors
from pod_desktop.simulator import Simulator
from pod_desktop.simulator.api import HANG_AFTER_PROCESS, HANG_AFTER_READ, HANG_BEFORE_READ

ROOT = Path(__file__).parents[2]
ROUNDS = int(os.environ.get("POD_DESKTOP_KILL_ROUNDS", "5"))


class Desk:
    """A data directory with one responder, and commands run on it as processes of their own."""

    def __init__(self, folder: Path, sim: Simulator) -> None:
        self.folder, self.sim = folder, sim
        self.home = app.open_home(folder / "data")
        connector = RespondConnector(
            name="block", tenant="Acme", type=TYPES[0], cluster_id=sim.cluster_id, hostname=sim.hostname,
            protocol="HTTP", token_url=sim.token_url,
        )  # fmt: skip
        secrets = {"client_id": Secret(sim.client_id), "client_secret": Secret(sim.client_secret)}
        Connectors(self.home.ledger, self.home.vault).create(connector, secrets)

    async def act(self, value: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable, "-m", "pod_desktop", "--data-dir", str(self.folder / "data"),
            "act", "block", "--value", value, "--json",
            cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip

    async def recovered(self) -> list[Action]:
        """All actions, after a fresh process would have put them right."""
        responding = self.home.responding()
        try:
            await responding.recover()
        finally:
            await responding.close()
        return self.home.journal.actions()

    def posts(self, value: str) -> int:
        sent = [one for one in self.sim.api.requests("org") if one.method == "POST"]
        return sum(json.loads(one.body)["value"] == value for one in sent)

    def has(self, value: str) -> bool:
        return any(entry["value"] == value for entry in self.sim.api.entries())


@asynccontextmanager
async def a_desk(folder: Path) -> AsyncIterator[Desk]:
    async with Simulator(seed=7, rate=0.001) as sim:
        desk = Desk(folder, sim)
        try:
            yield desk
        finally:
            assert desk.home.journal.verify() == []
            desk.home.close()


async def until(condition: Callable[[], object]) -> None:
    for _ in range(4_000):
        if condition():
            return
        await asyncio.sleep(0.005)
    raise TimeoutError


async def killed(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.send_signal(signal.SIGKILL)
    await process.communicate()


@pytest.mark.parametrize(
    ("strike", "where", "reached"),
    [
        (HANG_BEFORE_READ, "token", False),
        (HANG_AFTER_READ, "token", False),
        (HANG_AFTER_READ, "list", False),
        (HANG_AFTER_PROCESS, "list", True),
        ("while confirming", "list", True),
    ],
)
def test_a_command_killed_at_any_stage_leaves_the_truth(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, strike: str, where: str, reached: bool
) -> None:
    monkeypatch.setenv("POD_DESKTOP_SECRETS_DIR", str(tmp_path / "secrets"))

    async def story() -> None:
        async with a_desk(tmp_path) as desk:
            api = desk.sim.api
            if strike == "while confirming":
                api.behaviour.delay = 0.3
            else:
                api.next(strike, where=where)
            process = await desk.act("a@bad.test")
            try:
                if strike == "while confirming":
                    await until(lambda: desk.posts("a@bad.test"))
                    api.next(HANG_AFTER_READ, where="list")
                    await until(lambda: [one for one in api.requests("org") if one.method == "GET"])
                else:
                    await until(lambda: not api._orders)
            finally:
                await killed(process)
            api.behaviour.delay = 0.0
            assert len(desk.home.journal.actions()) == 1  # the intent was there before the first byte
            (action,) = await desk.recovered()
            assert action.status == (SUCCEEDED if reached else FAILED)
            assert desk.has("a@bad.test") == reached
            assert desk.posts("a@bad.test") <= 1
            assert action.ended and not action.owner

    asyncio.run(story())


@pytest.mark.timeout(60 + 5 * ROUNDS)
def test_commands_killed_at_random_leave_the_truth_and_are_not_sent_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POD_DESKTOP_SECRETS_DIR", str(tmp_path / "secrets"))
    dice = Random(7)

    async def story() -> None:
        async with a_desk(tmp_path) as desk:
            desk.sim.api.behaviour.delay = 0.05
            values = [f"v{number}@bad.test" for number in range(ROUNDS)]
            for number, value in enumerate(values):
                seen = len(desk.sim.api.exchanges)
                process = await desk.act(value)
                try:
                    if number:  # the first is killed while it starts
                        await until(lambda seen=seen: len(desk.sim.api.exchanges) > seen)
                    await asyncio.sleep(dice.random() * 0.2)
                finally:
                    await killed(process)
            desk.sim.api.behaviour.delay = 0.0
            by_value = {action.entry.value: action for action in await desk.recovered()}
            for value in values:
                ended = by_value[value].status if value in by_value else FAILED
                assert ended in (SUCCEEDED, FAILED)
                assert (ended == SUCCEEDED) == desk.has(value)
                assert desk.posts(value) <= 1

    asyncio.run(story())
