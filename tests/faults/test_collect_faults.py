"""The service killed while it receives, again and again: nothing is lost and nothing is there twice."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path
from random import Random

import pytest

from pod_desktop.core.status import Counters
from pod_desktop.simulator import Simulator
from tests.flow.collecting import Desk, lost_and_doubled

CHILD = Path(__file__).with_name("collect_child.py")
ROUNDS = int(os.environ.get("POD_DESKTOP_KILL_ROUNDS", "20"))


async def start(desk: Desk, key: str, *arguments: str) -> asyncio.subprocess.Process:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(CHILD),
        str(desk.folder),
        *arguments,
        stdin=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(CHILD.parents[2])},
    )
    assert process.stdin is not None
    process.stdin.write(f"{key}\n".encode())
    process.stdin.close()
    return process


async def gone(sim: Simulator) -> None:
    """Return when the simulator has noticed that the client is no more."""
    async with asyncio.timeout(10):
        while sim.sessions.open:  # noqa: ASYNC110 - the simulator has no event for it
            await asyncio.sleep(0.02)


@pytest.mark.timeout(30 + 5 * ROUNDS)
def test_a_service_killed_again_and_again_loses_and_doubles_nothing(tmp_path: Path) -> None:
    desk, dice = Desk(tmp_path), Random(7)

    async def work() -> None:
        # Resumed exactly where it stopped sending: what a killed process had received is not sent again.
        async with Simulator(rate=100, resume_overlap=0, archive_rate=0.2, linger=0.0) as sim:
            desk.add(sim, collect_from="2h")
            key = sim.api_keys[0]
            for _ in range(ROUNDS):
                sent = sum(map(len, sim.emitted.values()))
                process = await start(desk, key)
                await desk.until(lambda sent=sent: sum(map(len, sim.emitted.values())) > sent + 20)
                await asyncio.sleep(dice.random() * 0.5)
                process.send_signal(signal.SIGKILL)
                await process.wait()
                await gone(sim)
            expected = {kind: set(ids) for kind, ids in sim.produced.items() if kind != "audit"}
            process = await start(desk, key, "--until-caught-up")
            try:
                assert await asyncio.wait_for(process.wait(), 30) == 0
            finally:
                if process.returncode is None:
                    process.kill()
                    await process.wait()
            assert lost_and_doubled(desk, sim.emitted) == (0, 0)
            assert lost_and_doubled(desk, expected) == (0, 0)

    try:
        asyncio.run(work())
        with desk.reader() as reader:
            for kind in ("message", "maillog"):
                counters: Counters = reader.progress(f"acme/{kind}").counters
                assert counters.received == counters.stored + counters.duplicates + counters.quarantined
                assert counters.stored == len(desk.stored(kind))
    finally:
        desk.close()
