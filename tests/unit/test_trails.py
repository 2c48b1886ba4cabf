"""A trail finds what a search finds, and nothing comes behind the time that it has left."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pod_desktop import store
from pod_desktop.core.clock import MINUTE, SystemClock
from pod_desktop.core.record import Arrival, Columns
from pod_desktop.services import asking
from pod_desktop.services.browse import FIRST_PAGE, Browser
from pod_desktop.store import BACKFILL, LIVE, Ask, Commit, Reader, Source, Stretch, trails
from pod_desktop.store import segment as segments_read
from pod_desktop.store.segment import Segment
from pod_desktop.store.writer import SegmentWriter

NOON = 1_790_000_000_000_000
HERE = Source(connector="acme-pod", tenant="acme", cluster_id="acme_hosted")
RECORDS = 1_320

QUERIES = {
    "an indexed column, in most records": "sender.domain:example.com",
    "two indexed columns": "sender.domain:example.com AND recipient:bob@corp.example",
    "an indexed column, in few records": "sender:eve@evil.example",
    "a column without an index": "NOT outcome:delivered",
    "one word": "rare",
    "a phrase": '"record rare"',
    "a phrase and a column": '"record rare" AND sender.domain:example.com',
    "a path of the raw records": "extra.number:>1000",
    "a path and an indexed column": "extra.number:>600 AND sender:eve@evil.example",
    "nothing at all": "sender:nobody@example.com",
}


def record(number: int) -> Arrival:
    sender = "eve@evil.example" if number % 50 == 7 else f"ann{number % 3}@example.com"
    subject = "record rare" if number % 40 == 3 else "record"
    moment = NOON + (number * 7 % 100 - number // 4) * MINUTE
    columns = Columns(
        kind="audit", rid=f"id-{number}", time=moment, cluster="c", qid="", message_id="", sender=sender,
        header_from="", recipients=("bob@corp.example",) if number % 2 else (), subject=subject, ip="", country="",
        outcome="delivered" if number % 3 else "rejected", disposition="", stat="", rule="", module="", folder="",
        direction="", score=None, size=None, flags=0, text=f"{sender} {subject}",
    )  # fmt: skip
    # Judged by their raw bytes, records read as theirs do.
    return Arrival(columns, f'{{"extra": {{"number": {number}}}, "note": "{subject}"}}'.encode())


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    """Sealed segments of two lanes whose times overlap, and one that is being written in each."""
    folder = tmp_path_factory.mktemp("trails") / "events"
    writer = SegmentWriter(folder, clock=SystemClock(), segment_records=250)
    for at in range(0, RECORDS, 60):
        lane = (LIVE, BACKFILL)[at // 60 % 2]
        records = [record(number) for number in range(at, at + 60)]
        writer.commit(Commit(source=HERE, lane=lane, records=records, stream=f"acme-pod/{lane}"))
    for _ in range(4):
        writer.tidy()
        while writer.busy():
            time.sleep(0.01)
    writer.tidy()
    opened = store.open_reader(folder)
    yield opened
    opened.close()
    writer.close()


def question(text: str, **more: int) -> Ask:
    return asking.ask(text, now=NOON, **more)


@pytest.mark.parametrize("name", QUERIES)
@settings(max_examples=8, deadline=None)
@given(
    since=st.none() | st.integers(-400, 100),
    until=st.none() | st.integers(-400, 100),
    at_once=st.sampled_from([9, 100, 1 << 16]),
)
def test_a_trail_finds_what_a_search_finds(
    name: str, since: int | None, until: int | None, at_once: int, reader: Reader
) -> None:
    bounds = {
        key: NOON + value * MINUTE for key, value in (("since", since), ("until", until)) if value is not None
    }
    ask = question(QUERIES[name], **bounds)
    marks = reader.marks()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trails, "_AT_ONCE", at_once)
        patch.setattr(trails, "_FEWEST_BY_COLUMNS", at_once)
        patch.setattr(segments_read, "FEW", 60)
        for piece in reader.pieces(ask, marks):
            stretches = list(reader.trail(ask, piece))
            keys = [key for stretch in stretches for key in stretch.keys]
            assert sorted(keys, reverse=True) == reader.keys(ask, {piece.segment: piece.high})
            assert len(set(keys)) == len(keys)
            _nothing_comes_late(stretches)
            if stretches:
                assert stretches[-1].left < piece.oldest


def _nothing_comes_late(stretches: list[Stretch]) -> None:
    for at, stretch in enumerate(stretches):
        for later in stretches[at + 1 :]:
            assert all(key.time <= stretch.left for key in later.keys)


@pytest.mark.parametrize("name", QUERIES)
def test_a_view_shows_the_newest_first_at_every_step(name: str, reader: Reader) -> None:
    ask = question(QUERIES[name])
    whole = [row.seq for row in reader.search(ask)]
    assert whole or name == "nothing at all"
    view = Browser(reader).open(ask)
    more = True
    while more:
        more = view.advance().more
        shown = [row.seq for row in view.rows(0, view.total)]
        assert shown == whole[: len(shown)]
        view.step()
    assert shown == whole


def test_a_segment_is_asked_once_for_what_its_indexes_know(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    keys = Segment.keys

    def counted(self: Segment, ask: Ask, *, most: int, **more: int | None) -> object:
        if self.meta.sealed:
            asked.append(self.segment)
        return keys(self, ask, most=most, **more)

    monkeypatch.setattr(Segment, "keys", counted)
    for few in (60, 10_000):  # with a first page of its own, and without
        monkeypatch.setattr(segments_read, "FEW", few)
        asked.clear()
        view = Browser(reader).open(question("sender.domain:example.com"))
        view.advance()
        assert view.total >= FIRST_PAGE
        assert len(asked) < 3
        while view.step():
            pass
        assert len(asked) > 2
        # Once for the first few, and where there are more, once for all.
        assert max(map(asked.count, asked)) == (2 if few == 60 else 1)
