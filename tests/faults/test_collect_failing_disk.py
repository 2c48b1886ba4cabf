"""A disk that fails while the service collects: the sockets wait, it is said, it goes on, nothing is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from pod_desktop import store
from pod_desktop.core.faults import Outage
from pod_desktop.core.status import LIVE, WAITING, StreamStatus
from pod_desktop.services import hours
from pod_desktop.simulator import Simulator
from tests.faults.weakdisk import EVERYTHING, FAULTS, READ_ONLY, WRITES, WeakDisk
from tests.flow.collecting import Desk, lost_and_doubled

KINDS = ("message", "maillog")


@pytest.fixture
def disk() -> Iterator[WeakDisk]:
    with WeakDisk() as disk:
        yield disk


@pytest.fixture
def desk(tmp_path: Path, disk: WeakDisk) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    desk.close()


def problems(desk: Desk) -> list[str]:
    """What does not add up, in the store or in the counters."""
    found = store.verify(desk.folder / "events")
    with desk.reader() as reader:
        for stream in reader.streams():
            values, counted = reader.progress(stream)
            kept = counted.stored + counted.quarantined
            found += hours.check_sums(stream, values, kept, counted.filtered)
            if counted.received != kept + counted.duplicates + counted.filtered:
                found.append(f"{stream}: {counted}")
    return found


@pytest.mark.parametrize("fault", FAULTS)
def test_a_disk_that_fails_holds_the_streams_up_and_loses_nothing(
    desk: Desk, disk: WeakDisk, fault: str
) -> None:
    async def work() -> None:
        async with Simulator(rate=150) as sim:
            desk.add(sim)
            async with desk.running():
                await desk.all_live()
                await desk.until(lambda: all(desk.status(kind=kind).counters.stored > 20 for kind in KINDS))
                disk.fault = fault
                await desk.until(lambda: {desk.status(kind=kind).code for kind in KINDS} == {"disk"})
                waiting = [desk.status(kind=kind) for kind in KINDS]
                assert {status.state for status in waiting} == {WAITING}
                assert all("disk" in status.what.lower() and status.hint for status in waiting)
                assert all(status.next_try > 0 for status in waiting)
                # Some tries later nothing has been taken, and the sessions still stand.
                bitten = disk.refused[fault]
                await desk.until(lambda: disk.refused[fault] > bitten + 4)
                assert len(sim.open_sessions) == 2
                disk.fault = ""
                await desk.until(lambda: {desk.status(kind=kind).state for kind in KINDS} == {LIVE})
                assert {desk.status(kind=kind).code for kind in KINDS} == {""}
                came = {kind: set(ids) for kind, ids in sim.emitted.items() if kind in KINDS}
                await desk.until(lambda: desk.has(came))
            assert len(sim.handshakes) == 2
            assert lost_and_doubled(desk, sim.emitted) == (0, 0)

    asyncio.run(asyncio.wait_for(work(), 200))
    assert problems(desk) == []


@pytest.mark.parametrize("fault", [WRITES, READ_ONLY])
def test_a_disk_that_fails_while_the_archive_is_fetched_loses_nothing(
    desk: Desk, disk: WeakDisk, fault: str
) -> None:
    async def work() -> None:
        async with Simulator(rate=20, archive_rate=1.0) as sim:
            desk.add(sim, collect_from="4h")
            async with desk.running():
                await desk.until(lambda: any(desk.status(kind=kind).hours_left > 0 for kind in KINDS))
                for _ in range(3):
                    stored = len(desk.stored())
                    await desk.until(lambda stored=stored: len(desk.stored()) > stored)
                    disk.fault, bitten = fault, disk.refused[fault]
                    await desk.until(lambda bitten=bitten: disk.refused[fault] > bitten + 2)
                    disk.fault = ""
                await desk.until(lambda: {desk.status(kind=kind).progress for kind in KINDS} == {None}, 60)
                await desk.all_live()
            assert lost_and_doubled(desk, sim.emitted) == (0, 0)

    asyncio.run(asyncio.wait_for(work(), 200))
    assert problems(desk) == []
    for kind in KINDS:
        assert {hour.state for hour in desk.hours(kind)} <= {"archived", "live", "partial"}


def test_a_stop_while_the_disk_fails_ends_and_the_next_service_has_all(desk: Desk, disk: WeakDisk) -> None:
    async def work() -> None:
        async with Simulator(rate=100, resume_overlap=0, archive_rate=0.2, linger=0.0) as sim:
            desk.add(sim)
            async with desk.running():
                await desk.all_live()
                disk.fault = EVERYTHING
                await desk.until(lambda: {desk.status(kind=kind).code for kind in KINDS} == {"disk"})
            # What the sockets held is gone with the process: the archive has it.
            disk.fault = ""
            came = {kind: set(ids) for kind, ids in sim.emitted.items() if kind in KINDS}
            async with desk.running(until_caught_up=True):
                await desk.all_stopped()
            assert lost_and_doubled(desk, came) == (0, 0)

    asyncio.run(asyncio.wait_for(work(), 200))
    assert problems(desk) == []


def test_what_could_not_be_written_into_the_ledger_is_there_afterwards(desk: Desk, disk: WeakDisk) -> None:
    """The ledger lies on the same disk: windows read old news until it can be written again."""

    async def work() -> None:
        async with Simulator(rate=0) as sim:
            desk.add(sim, content_types=("message",))
            async with desk.running():
                await desk.all_live(1)
                await desk.until(lambda: [one.state for one in desk.ledger.statuses()] == [LIVE])
                disk.fault = WRITES
                with sim.faults.every_handshake(403):
                    await sim.drop_all()
                    # Whoever listens in the same process is told, and once for each try.
                    await desk.until(lambda: "403" in {one.code for one in desk.said})
                    refused = disk.refused[WRITES]
                    await desk.until(lambda: disk.refused[WRITES] > refused + 4)
                    told = [one.attempts for one in desk.said if one.code == "403"]
                    assert len(told) == len(set(told))
                    assert [one.code for one in desk.ledger.statuses()] == [""]
                    disk.fault = ""
                    await desk.until(lambda: [one.code for one in desk.ledger.statuses()] == ["403"])

    asyncio.run(asyncio.wait_for(work(), 200))


def test_a_removed_connector_is_forgotten_although_the_ledger_fails_at_that_moment(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the service said of it after it was removed does not stay for ever."""
    drop = desk.ledger.drop_status
    said: list[StreamStatus] = []
    failed: list[str] = []

    def failing_once(connector: str, kind: str) -> None:
        if not failed:
            failed.append(kind)
            desk.ledger.put_statuses(said, now=desk.clock.now())
            raise Outage("The ledger is locked.")
        drop(connector, kind)

    async def work() -> None:
        async with Simulator(rate=0) as sim:
            desk.add(sim, content_types=("message",))
            async with desk.running():
                await desk.all_live(1)
                await desk.until(lambda: [one.state for one in desk.ledger.statuses()] == [LIVE])
                said.extend(desk.ledger.statuses())
                monkeypatch.setattr(desk.ledger, "drop_status", failing_once)
                desk.ledger.remove_connector("acme")
                await desk.until(lambda: desk.statuses() == [])
                assert failed and desk.ledger.statuses() == []

    asyncio.run(asyncio.wait_for(work(), 200))
