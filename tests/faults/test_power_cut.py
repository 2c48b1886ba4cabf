"""Power cuts at any write: what was acknowledged is there, once, and whole; what was not is no trouble."""

from __future__ import annotations

import shutil
from pathlib import Path
from random import Random
from typing import Any

import pytest

from pod_desktop import store
from pod_desktop.core.action import IN_PROGRESS, SUCCEEDED
from pod_desktop.core.clock import DAY, HOUR, SystemClock
from pod_desktop.core.faults import Outage
from pod_desktop.store import BACKFILL, LIVE, Ask, Journal, schema
from pod_desktop.store.writer import SegmentWriter
from tests.faults import test_retention_faults as old
from tests.faults import test_store_faults as made
from tests.faults.powercut import CutDisk, Image
from tests.unit.test_history import NOW, action

SEGMENT = 150


def write(folder: Path, acknowledged: list[int], commits: int, seed: int = 3) -> None:
    """Commits of both lanes; full segments are sealed meanwhile."""
    dice = Random(seed)
    writer = SegmentWriter(folder, clock=SystemClock(), segment_records=SEGMENT)
    for _ in range(commits):
        count = dice.choice((1, 3, 20, 60))
        at = acknowledged[-1]
        writer.commit(made.commit(at, count, lane=dice.choice((LIVE, LIVE, BACKFILL))))
        acknowledged.append(at + count)
        if dice.random() < 0.3:
            writer.tidy()
    made.wait_until(lambda: not writer.busy())
    writer.tidy()
    writer.close()


def found_in(folder: Path) -> tuple[list[str], dict[str, Any], Any]:
    """Ids in order, and what the stream's progress says."""
    with_reader = store.open_reader(folder)
    try:
        rows = list(with_reader.search(Ask(), order="oldest"))
        for row in rows[:: max(1, len(rows) // 40)]:
            assert with_reader.raw(row.seq) == made.raw_of(int(row.rid[3:]))
        progress = with_reader.progress("acme-pod/message")
        assert with_reader.problems() == []
        return [row.rid for row in rows], progress.values, progress.counters
    finally:
        with_reader.close()


def look_at(image: Image) -> None:
    """All that was acknowledged, each record once, sums that hold; and collecting goes on."""
    folder, told = image.folder, image.told
    writer = SegmentWriter(folder, clock=SystemClock(), segment_records=SEGMENT)
    assert writer.problems() == []
    rids, values, counters = found_in(folder)
    there = int(values.get("next", 0))
    assert there >= told
    assert rids == [f"id-{number}" for number in range(there)]
    assert counters.stored == there == counters.received - counters.duplicates
    # What the stream sends again is known; what it had not acknowledged comes now.
    before = max(0, there - 40)
    writer.commit(made.commit(before, there - before + 30))
    made.wait_until(lambda: not writer.busy())
    writer.tidy()
    writer.close()
    rids, _, counters = found_in(folder)
    assert rids == [f"id-{number}" for number in range(there + 30)]
    assert counters.duplicates >= there - before
    assert store.verify(folder) == []


@pytest.mark.parametrize("seed", [1, 2])
def test_a_power_cut_at_any_moment_keeps_what_was_acknowledged(tmp_path: Path, seed: int) -> None:
    acknowledged = [0]
    with CutDisk(
        tmp_path / "events",
        tmp_path / "cuts",
        Random(seed),
        told=lambda: acknowledged[-1],
        chance=0.02,
        most=30,
    ) as disk:
        write(tmp_path / "events", acknowledged, 60)
    assert len(disk.cuts) == 30 and sum(image.dropped for image in disk.cuts) > 100
    # It was not one place that was hit: commits, seals and the catalog.
    assert len({image.at for image in disk.cuts}) > 5
    for image in disk.cuts:
        look_at(image)
        shutil.rmtree(image.folder)


def test_the_simulation_finds_a_store_that_does_not_flush(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Were commits not flushed, acknowledged records would be gone: the cut above is a real one."""
    monkeypatch.setattr(schema, "_WRITE", tuple(one.replace("full", "off") for one in schema._WRITE))
    acknowledged = [0]
    with CutDisk(
        tmp_path / "events", tmp_path / "cuts", Random(1), told=lambda: acknowledged[-1], chance=0.05, most=40
    ) as disk:
        write(tmp_path / "events", acknowledged, 60)
    lost = 0
    for image in disk.cuts:
        try:
            rids, _, _ = found_in(image.folder)
        except (Outage, AssertionError):
            rids = []
        lost += not {f"id-{number}" for number in range(image.told)} <= set(rids)
    assert lost > 0, (lost, len(disk.cuts))


def test_a_power_cut_while_retention_deletes_keeps_what_must_be_kept(tmp_path: Path) -> None:
    folder, clock = tmp_path / "events", old.At(old.NOON)
    at = 0
    with CutDisk(
        folder, tmp_path / "cuts", Random(4), told=lambda: (at, clock.at), chance=0.02, most=30
    ) as disk:
        writer = SegmentWriter(folder, clock=clock, segment_records=old.SEGMENT)
        for _ in range(14):
            writer.commit(old.commit(at, old.SEGMENT))
            at += old.SEGMENT
            made.wait_until(lambda: not writer.busy())
            writer.tidy()
            clock.at = old.NOON + at * HOUR
            old.retention(folder, writer, clock.at, old.marks(at)).apply()
        writer.close()
    assert len(disk.cuts) == 30
    for image in disk.cuts:
        known, now = image.told
        again = SegmentWriter(image.folder, clock=old.At(now), segment_records=old.SEGMENT)
        assert again.problems() == []
        made.wait_until(lambda again=again: not again.busy())
        again.close()
        found = old.there(image.folder)
        assert set(found.values()) <= {1}
        assert {
            n for n in range(known) if old.marked(n) or n >= known - old.DAYS * DAY // HOUR
        } <= found.keys()
        assert store.verify(image.folder) == []
        shutil.rmtree(image.folder)


def test_an_action_that_was_begun_outlives_a_power_cut(tmp_path: Path) -> None:
    """Its row is on the disk before the first byte of a request may be sent."""
    folder, begun = tmp_path / "data", [action(0).id]
    folder.mkdir()
    first = Journal(folder / "actions.db")
    first.begin(action(0))
    first.close()
    with CutDisk(folder, tmp_path / "cuts", Random(5), told=lambda: list(begun), chance=0.1, most=30) as disk:
        journal = Journal(folder / "actions.db")
        for number in range(1, 60):
            journal.begin(action(number))
            begun.append(action(number).id)
            if number % 3 == 0:
                journal.change(begun[-1], at=NOW, expect=IN_PROGRESS, status=SUCCEEDED)
        journal.close()
    assert len(disk.cuts) == 30 and sum(image.dropped for image in disk.cuts) > 10
    for image in disk.cuts:
        again = Journal(image.folder / "actions.db")
        assert again.verify() == []
        assert set(image.told) <= {one.id for one in again.actions()}
        again.close()
