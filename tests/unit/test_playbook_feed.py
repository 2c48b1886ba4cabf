"""Reading the store in the order of commit: what playbooks follow."""

from __future__ import annotations

from contextlib import closing

import pytest

from builders import as_bytes, message
from pod_desktop import content, store
from pod_desktop.core.clock import SystemClock
from pod_desktop.core.record import Arrival
from pod_desktop.store.port import BACKFILL, LIVE, Commit, Source

SOURCE = Source(connector="acme", tenant="Acme", cluster_id="acme_hosted")
ALL = {"limit": 1_000, "most_bytes": 10**9}


@pytest.fixture
def folder(tmp_path):
    writer = store.open_writer(tmp_path, clock=SystemClock())
    with closing(writer):
        for lane in (BACKFILL, LIVE, LIVE):
            raws = [as_bytes(message(guid=f"{lane}{number}")) for number in range(3)]
            raws += [as_bytes(message())]
            records = [Arrival(content.read("message", raw, 0), raw) for raw in raws]
            writer.commit(Commit(source=SOURCE, lane=lane, records=records, stream="acme/message"))
        yield tmp_path


def test_each_segment_tells_its_lane_and_gives_its_records_once(folder):
    with closing(store.open_reader(folder)) as reader:
        lanes = reader.lanes()
        assert sorted(lanes.values()) == [BACKFILL, LIVE]
        marks = {part: last for part, last in reader.marks().items() if lanes[part] == LIVE}
        records, reached = reader.stored(marks, {}, **ALL)
        assert len(records) == 5  # three, one, and one: what is known is not stored again
        assert [one.seq for one in records] == sorted(one.seq for one in records)
        assert all(content.read("message", one.raw, 0).rid for one in records)
        assert {one.source.tenant for one in records} == {"Acme"}
        assert reached == marks
        assert reader.stored(marks, reached, **ALL) == ([], marks)


@pytest.mark.parametrize("how", [{"limit": 2, "most_bytes": 10**9}, {"limit": 100, "most_bytes": 1}])
def test_it_stops_at_its_limits_and_goes_on_where_it_stopped(folder, how):
    with closing(store.open_reader(folder)) as reader:
        marks = reader.marks()
        found, reached = [], {}
        for _ in range(20):
            records, reached = reader.stored(marks, reached, **how)
            assert len(records) <= 2
            found += records
        assert len(found) == len({one.seq for one in found}) == 9
        assert reached == marks


def test_marks_hold_against_what_comes_later(folder):
    with closing(store.open_reader(folder)) as reader:
        marks = {part: last - 1 for part, last in reader.marks().items()}
        records, reached = reader.stored(marks, {}, **ALL)
        assert reached == marks
        assert max(one.seq for one in records) <= max(marks.values())


def test_a_store_that_is_not_there_gives_nothing(tmp_path):
    with closing(store.open_reader(tmp_path / "none")) as reader:
        assert reader.lanes() == {}
        assert reader.stored(reader.marks(), {}, **ALL) == ([], {})
