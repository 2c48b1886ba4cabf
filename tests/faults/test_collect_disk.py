"""A disk that runs full, for real: collecting warns, stops cleanly, and goes on without having lost a record."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from pod_desktop.core.limits import MIB
from pod_desktop.core.status import LIVE, WAITING
from pod_desktop.services.collect_disk import FULL, NEARLY_FULL, ROOMY, DiskGate, DiskRule, next_state
from pod_desktop.simulator import Simulator
from tests.flow.collecting import Desk, lost_and_doubled

RULE = DiskRule(warn=100, stop=10, resume=20)


@pytest.mark.parametrize(
    ("state", "free", "then"),
    [
        (ROOMY, 100, ROOMY), (ROOMY, 99, NEARLY_FULL), (ROOMY, 10, NEARLY_FULL), (ROOMY, 9, FULL),
        (FULL, 10, FULL), (FULL, 19, FULL), (FULL, 20, NEARLY_FULL), (FULL, 100, ROOMY),
        (NEARLY_FULL, 15, NEARLY_FULL),
    ],
)  # fmt: skip
def test_room_ends_and_returns_at_these_numbers(state: str, free: int, then: str) -> None:
    assert next_state(state, free, RULE) == then


def test_little_room_is_said_with_its_numbers() -> None:
    gate = DiskGate(DiskRule())
    gate.look(1_400_000_000)
    assert "1.4 GB are free" in gate.notice() and not gate.closed
    gate.look(1_000_000)
    assert gate.closed and gate.notice() == "" and "1 MB free" in gate.verdict().what


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """96 MB of a file system of its own."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = shutil.which("mount")
    if mount is None:
        pytest.skip("there is no mount command")
    done = subprocess.run(
        [mount, "-t", "tmpfs", "-o", "size=96m", "tmpfs", str(place)], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip(f"mounting a tmpfs is not permitted: {done.stderr.decode().strip()}")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def fill(place: Path, leave: int) -> Path:
    """Leave so many bytes free."""
    ballast = place / "ballast"
    with ballast.open("wb") as file:
        for _ in range((shutil.disk_usage(place).free - leave) // (64 * 1024)):
            file.write(b"\1" * (64 * 1024))
    return ballast


def test_a_nearly_full_disk_is_told_then_reading_stops_and_goes_on_by_itself(small_disk: Path) -> None:
    desk = Desk(small_disk)
    desk.options = {
        "free": lambda: shutil.disk_usage(small_disk).free,
        "disk": DiskRule(warn=12 * MIB, stop=6 * MIB, resume=9 * MIB),
    }

    async def work() -> None:
        async with Simulator(rate=100) as sim:
            desk.add(sim)
            async with desk.running():
                await desk.all_live()
                assert desk.status().notice == ""
                fill(small_disk, 10 * MIB)
                await desk.until(lambda: "nearly full" in desk.status().notice)
                assert desk.status().state == LIVE
                fill(small_disk, 5 * MIB)
                await desk.until(lambda: desk.status().code == "disk" and not sim.open_sessions)
                assert desk.status().state == WAITING and "has stopped" in desk.status().what
                stored = len(desk.stored())
                await asyncio.sleep(1)
                assert len(desk.stored()) == stored
                (small_disk / "ballast").unlink()
                await desk.all_live()
                expected = {kind: set(ids) for kind, ids in sim.emitted.items()}
                await desk.until(lambda: desk.has(expected))
                await desk.until(lambda: desk.status().notice == "" and desk.status().code == "")
            assert lost_and_doubled(desk, sim.emitted) == (0, 0)

    try:
        asyncio.run(asyncio.wait_for(work(), 200))
    finally:
        desk.close()


def test_a_disk_that_is_full_for_real_holds_the_stream_up_and_loses_nothing(small_disk: Path) -> None:
    desk = Desk(small_disk)

    async def work() -> None:
        async with Simulator(rate=150) as sim:
            desk.add(sim)
            async with desk.running():
                await desk.all_live()
                ballast = fill(small_disk, 0)
                await desk.until(
                    lambda: desk.status().code == "disk" or desk.status(kind="maillog").code == "disk"
                )
                await asyncio.sleep(1.5)
                ballast.unlink()
                await desk.until(lambda: {status.code for status in desk.statuses()} == {""})
                await desk.all_live()
                expected = {kind: set(ids) for kind, ids in sim.emitted.items()}
                await desk.until(lambda: desk.has(expected))
            # The sessions stood: the sockets waited while nothing could be stored.
            assert len(sim.handshakes) == 2
            assert lost_and_doubled(desk, sim.emitted) == (0, 0)

    try:
        asyncio.run(asyncio.wait_for(work(), 200))
    finally:
        desk.close()
