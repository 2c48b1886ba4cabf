"""Blocks of raw records: small commits do not leave small blocks, and readers are not led astray meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import apsw
import pytest

from pod_desktop import store
from pod_desktop.content import read
from pod_desktop.core.clock import SystemClock
from pod_desktop.core.faults import Outage
from pod_desktop.core.limits import BLOCK_RECORDS, MIB
from pod_desktop.core.record import Arrival
from pod_desktop.core.status import Counters
from pod_desktop.store import LIVE, Ask, Commit, Source
from pod_desktop.store.upkeep import Upkeep
from pod_desktop.store.writer import SegmentWriter

NOON = 1_790_000_000_000_000
HERE = Source(connector="acme-pod", tenant="acme", cluster_id="acme_hosted")


class Store:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.raws: list[bytes] = []
        self.open()

    def open(self) -> None:
        self.writer = SegmentWriter(self.folder, clock=SystemClock())
        self.reader = store.open_reader(self.folder)

    def close(self) -> None:
        self.reader.close()
        self.writer.close()

    def add(self, count: int, size: int = 300) -> None:
        fresh: list[bytes] = []
        for _ in range(count):
            number = len(self.raws) + len(fresh)
            fresh.append(f'{{"id":"id-{number}","ts":"","pad":"{"x" * (size - 40)}"}}'.encode())
        self.raws += fresh
        records = [Arrival(read("maillog", raw, NOON + len(self.raws)), raw) for raw in fresh]
        self.writer.commit(
            Commit(
                source=HERE,
                lane=LIVE,
                records=records,
                stream="acme-pod/maillog",
                counters=Counters(received=count),
            )
        )

    def blocks(self) -> list[int]:
        connection = apsw.Connection(str(self.folder / "segment-1.db"), flags=apsw.SQLITE_OPEN_READONLY)
        found = [n for (n,) in connection.execute("select n from raw order by first")]
        connection.close()
        return found

    def read_all(self) -> list[bytes]:
        return [self.reader.raw((1 << 24) + place) for place in range(len(self.raws))]


@pytest.fixture
def events(tmp_path: Path) -> Iterator[Store]:
    made = Store(tmp_path / "events")
    yield made
    made.close()


def test_small_commits_become_whole_blocks_long_before_the_seal(events: Store) -> None:
    for part in range(200):
        events.add(1 + part % 20)
        assert events.reader.raw((1 << 24) + len(events.raws) - 1) == events.raws[-1]
    assert events.read_all() == events.raws
    counts = events.blocks()
    assert sum(counts) == len(events.raws)
    assert len(counts) <= len(events.raws) / (BLOCK_RECORDS / 2) + BLOCK_RECORDS
    assert max(counts) <= BLOCK_RECORDS
    assert not store.verify(events.folder)


def test_a_reader_that_knows_a_small_block_finds_what_it_was_joined_into(events: Store) -> None:
    other = store.open_reader(events.folder)
    for _ in range(60):
        events.add(7)
        assert [other.raw((1 << 24) + place) for place in range(len(events.raws))] == events.raws
    other.close()
    assert len(events.blocks()) < 30


def test_large_and_small_commits_follow_each_other(events: Store) -> None:
    for count in (3, 500, 5, 90, 40, 40, 60, 127, 128, 1):
        events.add(count)
    assert events.read_all() == events.raws
    assert not store.verify(events.folder)


def test_huge_records_in_small_commits_stay_bounded(events: Store) -> None:
    for size in (300, MIB + 5, 300, MIB // 2, MIB // 2 + 100, 300):
        events.add(1, size)
    assert events.read_all() == events.raws
    assert not store.verify(events.folder)


def test_small_blocks_of_an_earlier_run_stay_readable(events: Store) -> None:
    for _ in range(40):
        events.add(7)
    events.close()
    events.open()
    for _ in range(40):
        events.add(7)
    assert events.read_all() == events.raws
    assert events.reader.count(Ask()) == len(events.raws)
    assert not store.verify(events.folder)


def test_a_commit_that_fails_leaves_the_small_blocks_as_they_were(
    events: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range((BLOCK_RECORDS - 1) // 7):
        events.add(7)
    kept = list(events.raws)
    with monkeypatch.context() as patch:
        patch.setattr("pod_desktop.store.active._put_streams", full_disk)
        with pytest.raises(Outage):
            events.add(9)
    assert len(events.blocks()) == len(kept) // 7
    events.raws = kept
    events.add(9)
    assert len(events.blocks()) == 2
    assert events.read_all() == events.raws
    assert not store.verify(events.folder)


def full_disk(*_: object) -> None:
    raise apsw.FullError


def test_the_log_begins_anew_under_commits_that_never_pause(
    events: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The background is always late by the commits made meanwhile: here as late as can be."""

    def late(upkeep: Upkeep, segment: int, _path: Path) -> None:
        upkeep._written_back.add(segment)
        upkeep._checkpointing.discard(segment)

    monkeypatch.setattr(Upkeep, "_checkpoint", late)
    monkeypatch.setattr("pod_desktop.store.writer._WAL_PAGES", 64)
    pages = []
    for _ in range(100):
        events.add(5)
        events.writer.tidy()
        pages.append(events.writer._active[LIVE].log_pages)
    assert sum(later < before for before, later in pairwise(pages)) > 2
    assert max(pages) < 64 * 10
    assert events.read_all() == events.raws


def test_the_log_begins_anew_where_nobody_tidies_up(events: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pod_desktop.store.writer._WAL_PAGES", 64)
    monkeypatch.setattr("pod_desktop.store.writer._WAL_PAGES_MOST", 128)
    pages = []
    # It begins anew between two commits once a thread has written it back, which may take that thread a while.
    while not any(later < before for before, later in pairwise(pages)):
        events.add(5)
        pages.append(events.writer._active[LIVE].log_pages)
        assert len(pages) < 20_000
