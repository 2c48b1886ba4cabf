"""The kill loop: a collector killed again and again, each time in the middle of something, and what became of
the records."""

from __future__ import annotations

import asyncio
import os
import signal
import statistics
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Final

import apsw

from pod_desktop import store
from pod_desktop.services import hours
from pod_desktop.simulator import Simulator
from pod_desktop.store.retention import KEPT
from pod_desktop.store.schema import catalog_path
from tests.faults import collect_child
from tests.flow.collecting import Desk

CHILD = Path(__file__).with_name("collect_child.py")
RECEIVING: Final = "receiving"
"""Killed at a random moment after its first new record."""
ARCHIVE: Final = "archive"
"""While an hour of the archive is under way: on a second key in every second round."""
SEALING: Final = "sealing"
"""While a full segment gets its indexes."""
DELETING: Final = "deleting"
"""While retention lets segments go and keeps what is marked."""
PHASES: Final = (RECEIVING, ARCHIVE, SEALING, DELETING)

SMALL: Final = 1_500
"""Records of a segment, so that most rounds seal one."""
TINY: Final = 150
"""The same where sealing or deleting is what is killed."""
KEEP_BYTES: Final = 3_000_000
MOMENT: Final = {RECEIVING: 0.5, ARCHIVE: 0.1, SEALING: 0.12, DELETING: 0.15}
"""Seconds within which it is killed once it has begun: about as long as that takes."""


@dataclass(slots=True)
class PhaseReport:
    """Rounds that were to be killed in one phase."""

    rounds: int = 0
    hit: int = 0
    """Of these, killed before the phase was over."""
    recovered: list[float] = field(default_factory=list)
    """Seconds from the start of the process after the kill to its first committed record."""

    def to_json(self) -> dict[str, Any]:
        waits = sorted(self.recovered) or [0.0]
        return {
            "rounds": self.rounds,
            "killed_within": self.hit,
            "seconds_to_recover_p50": round(statistics.median(waits), 2),
            "seconds_to_recover_max": round(waits[-1], 2),
        }


@dataclass(slots=True)
class KillReport:
    """What a loop found."""

    phases: dict[str, PhaseReport] = field(default_factory=dict)
    sent: int = 0
    """Different records that the simulator put on a wire, or had for the last process."""
    deleted: int = 0
    """Records that retention has deleted, by the catalog."""
    lost: int = 0
    """Sent, but neither in the store nor deleted."""
    doubled: int = 0
    unmarked: int = 0
    """Records that were marked, and deleted all the same."""
    segments: int = 0
    problems: list[str] = field(default_factory=list)
    """What verify and the sums of the counters find."""

    @property
    def rounds(self) -> int:
        return sum(phase.rounds for phase in self.phases.values())

    def to_json(self) -> dict[str, Any]:
        return {
            "rounds": self.rounds,
            "records": self.sent,
            "lost": self.lost,
            "doubled": self.doubled,
            "marked_but_deleted": self.unmarked,
            "deleted_by_retention": self.deleted,
            "segments": self.segments,
            "problems": self.problems,
            "phases": {name: phase.to_json() for name, phase in self.phases.items()},
        }


class Child:
    """A collector process on the desk's directory, and what it says."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.said: list[str] = []
        self._reading = asyncio.get_running_loop().create_task(self._read(), name="child: read")

    @classmethod
    async def start(cls, desk: Desk, keys: Sequence[str], *arguments: str) -> Child:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(CHILD),
            str(desk.folder),
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(CHILD.parents[2])},
        )
        assert process.stdin is not None
        process.stdin.write("".join(f"{key}\n" for key in keys).encode())
        process.stdin.close()
        return cls(process)

    async def _read(self) -> None:
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            self.said.append(line.decode().strip())

    def within(self, begun: str, ended: str) -> bool:
        """Is what it told the beginning of not over yet?"""
        return self.said.count(begun) > self.said.count(ended)

    async def kill(self) -> None:
        """End it at once, and read what it had said."""
        with suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGKILL)
        await self.process.wait()
        await self._reading


async def gone(sim: Simulator) -> None:
    """Return when the simulator has noticed that the client is no more."""
    async with asyncio.timeout(10):
        while sim.sessions.open:  # noqa: ASYNC110 - the simulator has no event for it
            await asyncio.sleep(0.02)


async def kill_loop(
    desk: Desk,
    rounds: int,
    seed: int = 7,
    archive_hours: int = 30,
    phases: Sequence[str] = (RECEIVING, ARCHIVE, SEALING),
) -> KillReport:
    """Kill a collector so often, in each of these phases in turn; then let it catch up, and count.

    Where DELETING is among them records go by size all the while, but for marked ones.
    """
    dice, report = Random(seed), KillReport()
    fine = {SEALING, DELETING} & set(phases)
    more = ["--segment-records", str(TINY if fine else SMALL)]
    if DELETING in phases:
        more += ["--keep-bytes", str(KEEP_BYTES)]
    # Resumed exactly where it stopped sending: what a killed process had received is not sent again.
    async with Simulator(rate=100 if fine else 60, resume_overlap=0, archive_rate=0.4, linger=0.0) as sim:
        desk.add(sim, collect_from=f"{archive_hours}h")
        for number in range(rounds):
            phase = phases[number % len(phases)]
            told = report.phases.setdefault(phase, PhaseReport())
            # Every second round has a second key, so that archive and live are under way at once.
            keys = sim.api_keys[: 1 + number // len(phases) % 2]
            before, began = _received(desk), time.monotonic()
            child = await Child.start(desk, keys, *more)
            try:
                await desk.until(lambda before=before: _received(desk) > before, 60)
                told.recovered.append(time.monotonic() - began)
                await _reach(phase, child, sim, desk, dice)
                archive = any(archive for _, _, archive in sim.open_sessions)
            finally:
                await child.kill()
            told.rounds += 1
            told.hit += archive if phase == ARCHIVE else _is_within(phase, child, sim)
            await gone(sim)
        expected = {kind: set(ids) for kind, ids in sim.produced.items() if kind != "audit"}
        last = await Child.start(desk, sim.api_keys[:1], "--until-caught-up", *more)
        try:
            assert await asyncio.wait_for(last.process.wait(), 300) == 0
        finally:
            await last.kill()
        for kind, ids in expected.items():
            ids.update(sim.emitted[kind])
    _count(desk, expected, report)
    _look_at_sums(desk, report)
    return report


async def _reach(phase: str, child: Child, sim: Simulator, desk: Desk, dice: Random) -> None:
    """Return at a random moment of the phase; where it was over sooner, at an earlier one of the next."""
    moment = MOMENT[phase]
    for _ in range(8):
        await desk.until(lambda: _is_within(phase, child, sim), 60)
        await asyncio.sleep(dice.random() * moment)
        if _is_within(phase, child, sim):
            return
        moment /= 2


def _is_within(phase: str, child: Child, sim: Simulator) -> bool:
    if phase == ARCHIVE:
        return any(archive for _, _, archive in sim.open_sessions)
    if phase == SEALING:
        return child.within(collect_child.SEALING, collect_child.SEALED)
    if phase == DELETING:
        return child.within(collect_child.DELETING, collect_child.DELETED)
    return True


def _received(desk: Desk) -> int:
    """Records that all streams ever committed, whatever has been deleted since."""
    with desk.reader() as reader:
        return sum(reader.progress(stream).counters.stored for stream in reader.streams())


def _count(desk: Desk, expected: dict[str, set[str]], report: KillReport) -> None:
    """Every record that was sent is in the store once, or in a segment that retention has deleted."""
    stored = desk.stored()
    there, wanted = set(stored), {(kind, rid) for kind, rids in expected.items() for rid in rids}
    with desk.reader() as reader:
        counted = sum(reader.progress(stream).counters.stored for stream in reader.streams())
        report.segments = len(reader.marks())
    report.deleted = _deleted(desk.folder / "events")
    report.sent = len(wanted)
    missing = len(wanted - there) - report.deleted
    report.lost = max(0, missing)
    # Deleted, and yet there again: stored twice as well.
    report.doubled = len(stored) - len(there) + max(0, -missing)
    report.unmarked = sum(collect_child.is_marked(rid) for _, rid in wanted - there)
    if len(there) + report.deleted != counted:
        report.problems.append(f"{len(there)} there and {report.deleted} deleted, but {counted} were stored")


def _deleted(folder: Path) -> int:
    """Records of deleted segments, less those that live on in segments of their own."""
    catalog = apsw.Connection(str(catalog_path(folder)), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        gone: int = catalog.execute("select coalesce(sum(n), 0) from gone where lane != ?", (KEPT,)).get
        kept: int = catalog.execute("select coalesce(sum(n), 0) from segment where lane = ?", (KEPT,)).get
    finally:
        catalog.close()
    return gone - kept


def _look_at_sums(desk: Desk, report: KillReport) -> None:
    report.problems += store.verify(desk.folder / "events")
    with desk.reader() as reader:
        for stream in reader.streams():
            values, counters = reader.progress(stream)
            kept = counters.stored + counters.quarantined
            report.problems += hours.check_sums(stream, values, kept, counters.filtered)
            parts = kept + counters.duplicates + counters.filtered
            if counters.received != parts:
                report.problems.append(f"{stream}: {counters.received} received, {parts} accounted for")
