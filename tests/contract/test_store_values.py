"""Reading much of many records at once: raw records, one field, rows without all of their recipients."""

from __future__ import annotations

from contextlib import closing

import pytest

from pod_desktop import content, store
from pod_desktop.core.clock import SystemClock
from pod_desktop.core.record import Arrival
from pod_desktop.services.asking import Record
from pod_desktop.simulator.generator import Generator
from pod_desktop.store import BACKFILL, LIVE, Ask, Commit, Source, rawblocks
from pod_desktop.store.columns import COLUMNS
from pod_desktop.store.schema import SEQ_BITS
from pod_desktop.store.writer import SegmentWriter

SOURCE = Source(connector="acme", tenant="Acme", cluster_id="acme_hosted")
UNTIL = 1_790_000_000_000_000


@pytest.fixture
def reader(tmp_path):
    """Of a store with sealed and active segments of two lanes."""
    items = Generator(3, "acme_hosted", archive_rate=0.2).records("message", UNTIL - 3_600_000_000, UNTIL)
    raws = [item.frame for item, _ in zip(items, range(250), strict=False)]
    writer = SegmentWriter(tmp_path, clock=SystemClock(), segment_records=100)
    for at in range(0, len(raws), 50):
        records = [Arrival(content.read("message", raw, UNTIL), raw) for raw in raws[at : at + 50]]
        lane = LIVE if at % 100 else BACKFILL
        writer.commit(Commit(source=SOURCE, lane=lane, records=records, stream="acme/message"))
        writer.tidy()
    writer.close()
    with closing(store.open_reader(tmp_path)) as opened:
        yield opened


def test_many_raw_records_are_those_that_are_read_one_by_one(reader):
    seqs = [row.seq for row in reader.search(Ask(), limit=200)]
    assert len(seqs) == 200
    found = reader.raws([*seqs, 10**15])
    assert found == {seq: reader.raw(seq) for seq in seqs}
    assert reader.raws([]) == {}


@pytest.mark.parametrize("name", sorted(COLUMNS))
def test_a_field_of_many_records_is_what_the_records_say(reader, name):
    rows = list(reader.search(Ask()))
    found = reader.values_of([row.seq for row in rows], name)
    for row in rows:
        said = [str(one) for one in Record(row.kind, reader.raw(row.seq), SOURCE).values(name) if one]
        assert [one.casefold() for one in said] == [
            one.casefold() for one in [found.get(row.seq)] if one is not None
        ]


def test_a_field_that_is_not_one_stored_value_is_told_so(reader):
    for name in ("recipient", "attachment.name", "filter.modules.spam.rule"):
        assert reader.values_of([1], name) is None


@pytest.mark.parametrize("order", ["newest", "oldest"])
def test_brief_rows_are_the_same_but_for_more_recipients(reader, order):
    whole = list(reader.search(Ask(), order=order))
    brief = list(reader.search(Ask(brief=True), order=order))
    assert any(len(row.recipients) > 1 for row in whole)
    assert brief == [row._replace(recipients=row.recipients[:1]) for row in whole]


def test_blocks_are_held_open_for_all_segments_together(reader, monkeypatch):
    monkeypatch.setattr(rawblocks, "KEPT", 2)
    rows = list(reader.search(Ask()))
    assert len({row.seq >> SEQ_BITS for row in rows}) > 2
    for row in rows:
        assert row.rid.encode() in reader.raw(row.seq)
        assert len(reader._blocks) <= 2
