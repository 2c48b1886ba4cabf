"""The service killed while it receives, again and again; servers that freeze; a month away from the network."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from pod_desktop.core.status import LIVE
from tests.faults.killing import ARCHIVE, CHILD, DELETING, RECEIVING, SEALING, kill_loop
from tests.flow.collecting import QUICK, Desk

ROUNDS = int(os.environ.get("POD_DESKTOP_KILL_ROUNDS", "8"))
_SERVER = """
import asyncio, json, sys
from pod_desktop.simulator import Simulator
async def serve():
    async with Simulator(rate=60, linger=0.0) as sim:
        print(json.dumps(sim.coordinates()), flush=True)
        while line := await asyncio.to_thread(sys.stdin.readline):
            told = {kind: sorted(ids) for kind, ids in sim.emitted.items() if kind != "audit"}
            print(json.dumps({"open": len(sim.open_sessions), "ids": told}), flush=True)
asyncio.run(serve())
"""


@pytest.mark.timeout(90 + 10 * ROUNDS)
@pytest.mark.parametrize("phases", [(RECEIVING, ARCHIVE, SEALING), (DELETING, ARCHIVE)])
def test_a_service_killed_again_and_again_loses_and_doubles_nothing(
    tmp_path: Path, phases: tuple[str, ...]
) -> None:
    desk = Desk(tmp_path)
    try:
        report = asyncio.run(kill_loop(desk, ROUNDS, archive_hours=5, phases=phases))
    finally:
        desk.close()
    assert (report.lost, report.doubled, report.unmarked, report.problems) == (0, 0, 0, [])
    assert report.rounds == ROUNDS and report.sent > 20 * ROUNDS
    # Kills hit what they were meant for.
    assert report.phases.keys() == set(phases) and report.segments > 2
    assert all(told.hit > 0 for told in report.phases.values()), report.to_json()
    assert (report.deleted > 0) is (DELETING in phases)


def test_a_server_that_is_frozen_is_left_and_taken_up_again_without_loss(tmp_path: Path) -> None:
    desk = Desk(tmp_path, timing=replace(QUICK, ping=0.3, pong=1.5, connect=2.0, backoff=0.05))

    async def work() -> None:
        server = await asyncio.create_subprocess_exec(
            sys.executable, "-c", _SERVER,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=1 << 26,
            env={**os.environ, "PYTHONPATH": str(CHILD.parents[2])},
        )  # fmt: skip
        assert server.stdin is not None and server.stdout is not None
        try:
            told = json.loads(await server.stdout.readline())
            sim = type("Known", (), {**told, "api_keys": told["api_keys"]})()
            desk.add(sim, content_types=("message", "maillog"))
            async with desk.running():
                await desk.all_live()
                await desk.until(lambda: desk.status().counters.stored > 10)
                server.send_signal(signal.SIGSTOP)
                began = desk.clock.monotonic()
                await desk.until(lambda: all(status.state != LIVE for status in desk.statuses()))
                assert desk.clock.monotonic() - began < 20
                assert "silent" in desk.codes()
                await asyncio.sleep(1.0)
                server.send_signal(signal.SIGCONT)
                await desk.all_live()
                count = desk.status().counters.stored
                await desk.until(lambda: desk.status().counters.stored > count + 10)
                server.stdin.write(b"?\n")
                asked = json.loads(await server.stdout.readline())
                await desk.until(lambda: desk.has(asked["ids"]))
        finally:
            server.send_signal(signal.SIGCONT)
            server.kill()
            await server.wait()

    try:
        asyncio.run(asyncio.wait_for(work(), 200))
        assert len(desk.stored()) == len(set(desk.stored()))
    finally:
        desk.close()
