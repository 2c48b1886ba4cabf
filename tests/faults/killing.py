"""The kill loop: a collector killed at random moments, again and again, and what became of the records."""

from __future__ import annotations

import asyncio
import os
import signal
import statistics
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from pod_desktop import store
from pod_desktop.services import hours
from pod_desktop.simulator import Simulator
from tests.flow.collecting import Desk, lost_and_doubled

CHILD = Path(__file__).with_name("collect_child.py")
SMALL = 1_500
"""Records of a segment, so that most rounds seal one."""


@dataclass(slots=True)
class KillReport:
    """What a loop found."""

    rounds: int = 0
    records: int = 0
    lost: int = 0
    doubled: int = 0
    sealed: int = 0
    """Segments at the end: kills hit their sealing too."""
    beside: int = 0
    """Rounds that were killed while the archive was being fetched."""
    problems: list[str] = field(default_factory=list)
    recovered: list[float] = field(default_factory=list)
    """Seconds from the start of a process to its first committed record."""

    def to_json(self) -> dict[str, Any]:
        waits = sorted(self.recovered) or [0.0]
        return {
            "rounds": self.rounds,
            "records": self.records,
            "lost": self.lost,
            "doubled": self.doubled,
            "segments": self.sealed,
            "killed_while_fetching_the_archive": self.beside,
            "problems": self.problems,
            "seconds_to_recover_p50": round(statistics.median(waits), 2),
            "seconds_to_recover_max": round(waits[-1], 2),
        }


async def start(desk: Desk, keys: list[str], *arguments: str) -> asyncio.subprocess.Process:
    """A collector process on the desk's directory."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(CHILD),
        str(desk.folder),
        *arguments,
        stdin=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(CHILD.parents[2])},
    )
    assert process.stdin is not None
    process.stdin.write("".join(f"{key}\n" for key in keys).encode())
    process.stdin.close()
    return process


async def gone(sim: Simulator) -> None:
    """Return when the simulator has noticed that the client is no more."""
    async with asyncio.timeout(10):
        while sim.sessions.open:  # noqa: ASYNC110 - the simulator has no event for it
            await asyncio.sleep(0.02)


async def kill_loop(desk: Desk, rounds: int, seed: int = 7, archive_hours: int = 30) -> KillReport:
    """Kill a collector so often while it receives, fetches the archive beside it, and seals; then catch up."""
    dice, report = Random(seed), KillReport()
    # Resumed exactly where it stopped sending: what a killed process had received is not sent again.
    async with Simulator(rate=60, resume_overlap=0, archive_rate=0.15, linger=0.0) as sim:
        desk.add(sim, collect_from=f"{archive_hours}h")
        small = ("--segment-records", str(SMALL))
        for number in range(rounds):
            # Every second round has a second key, so that archive and live are under way at once.
            keys = sim.api_keys[: 1 + number % 2]
            with desk.reader() as reader:
                before = reader.totals().records
            began = time.monotonic()
            process = await start(desk, keys, *small)
            try:
                await desk.until(lambda before=before: _records(desk) > before, 60)
                report.recovered.append(time.monotonic() - began)
                await asyncio.sleep(dice.random() * 0.5)
                report.beside += any(archive for _, _, archive in sim.open_sessions)
            finally:
                process.send_signal(signal.SIGKILL)
                await process.wait()
            await gone(sim)
            report.rounds += 1
        expected = {kind: set(ids) for kind, ids in sim.produced.items() if kind != "audit"}
        process = await start(desk, sim.api_keys[:1], "--until-caught-up", *small)
        try:
            assert await asyncio.wait_for(process.wait(), 300) == 0
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        sent, released = lost_and_doubled(desk, sim.emitted), lost_and_doubled(desk, expected)
        report.lost, report.doubled = max(sent[0], released[0]), max(sent[1], released[1])
    _look_at_sums(desk, report)
    return report


def _records(desk: Desk) -> int:
    with desk.reader() as reader:
        return reader.totals().records


def _look_at_sums(desk: Desk, report: KillReport) -> None:
    report.problems = store.verify(desk.folder / "events")
    with desk.reader() as reader:
        report.records = reader.totals().records
        report.sealed = len(reader.marks())
        for stream in reader.streams():
            values, counters = reader.progress(stream)
            kept = counters.stored + counters.quarantined
            report.problems += hours.check_sums(stream, values, kept, counters.filtered)
            parts = kept + counters.duplicates + counters.filtered
            if counters.received != parts:
                report.problems.append(f"{stream}: {counters.received} received, {parts} accounted for")
