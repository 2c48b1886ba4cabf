"""The view's law: its rows are what a search finds, and what it says was inserted is what changed."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pod_desktop import store
from pod_desktop.core.clock import MINUTE, SystemClock
from pod_desktop.core.record import Arrival, Columns, EventRow
from pod_desktop.query import parse
from pod_desktop.services.browse import Advance, Browser, View
from pod_desktop.store import BACKFILL, LIVE, Ask, Commit, Reader, Source
from pod_desktop.store.writer import SegmentWriter

NOON = 1_790_000_000_000_000
HERE = Source(connector="acme-pod", tenant="acme", cluster_id="acme_hosted")
THERE = Source(connector="other-pod", tenant="other", cluster_id="other_hosted")


def record(number: int, time: int, *, kind: str = "message", sender: str = "ann@example.com") -> Arrival:
    columns = Columns(
        kind=kind, rid=f"id-{number}", time=time, cluster="c", qid="", message_id="", sender=sender, header_from="",
        recipients=("bob@corp.example",), subject=f"Record {number}", ip="", country="", outcome="delivered",
        disposition="", stat="", rule="", module="", folder="", direction="", score=None, size=None, flags=0,
        text=f"{sender} Record {number}",
    )  # fmt: skip
    return Arrival(columns, b"{}")


class Store:
    """A small store, written step by step."""

    def __init__(self, folder: Path, segment_records: int = 60) -> None:
        self.writer = SegmentWriter(folder, clock=SystemClock(), segment_records=segment_records)
        self.reader: Reader = store.open_reader(folder)
        self._next = 0

    def add(
        self, times: list[int], *, lane: str = LIVE, source: Source = HERE, kind: str = "message"
    ) -> None:
        records = []
        for time in times:
            sender = "ann@example.com" if self._next % 3 else "eve@evil.example"
            records.append(record(self._next, time, kind=kind, sender=sender))
            self._next += 1
        self.writer.commit(
            Commit(source=source, lane=lane, records=records, stream=f"{source.connector}/{kind}")
        )

    def close(self) -> None:
        self.reader.close()
        self.writer.close()


@pytest.fixture
def events(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "events")
    yield opened
    opened.close()


class Mirror:
    """Applies what a view says to a list of its own, as a table does."""

    def __init__(self, view: View) -> None:
        self.view = view
        self.seqs: list[int | None] = []

    def follow(self) -> Advance:
        advance = self.view.advance()
        if advance.reset:
            self.seqs = [None] * advance.total
        for row, count in advance.inserted:
            self.seqs[row:row] = [None] * count
        now = [row.seq for row in self.view.rows(0, self.view.total)]
        assert len(now) == advance.total == len(self.seqs)
        for mine, theirs in zip(self.seqs, now, strict=True):
            assert mine is None or mine == theirs
        self.seqs = list(now)
        return advance

    def finish(self) -> None:
        while self.view.step():
            pass
        self.follow()


def found(reader: Reader, ask: Ask) -> list[EventRow]:
    return list(reader.search(ask))


ASKS: dict[str, Ask] = {
    "everything": Ask(),
    "one connector": Ask(connectors=("other-pod",)),
    "some kinds": Ask(kinds=("maillog", "audit")),
    "a stretch of time": Ask(since=NOON - 90 * 1_000_000, until=NOON + 90 * 1_000_000 + 7),
    "a query": Ask(tree=parse("sender:*@evil.example", NOON)),
    "a query in a stretch": Ask(
        tree=parse("sender:*@evil.example", NOON), since=NOON - MINUTE, until=NOON + MINUTE
    ),
}

steps = st.lists(
    st.tuples(
        st.sampled_from([LIVE, BACKFILL]),
        st.sampled_from([HERE, THERE]),
        st.sampled_from(["message", "maillog"]),
        # Few different moments, so that ties are common; minutes apart, before and after.
        st.lists(st.integers(-12, 12).map(lambda at: NOON + at * 20_000_000), min_size=1, max_size=40),
        st.booleans(),
    ),
    max_size=8,
)


@pytest.mark.parametrize("name", ASKS)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(commits=steps)
def test_a_view_shows_what_a_search_finds_and_tells_every_insertion(
    name: str,
    commits: list[tuple[str, Source, str, list[int], bool]],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    ask = ASKS[name]
    events = Store(tmp_path_factory.mktemp("view") / "events")
    try:
        mirror = Mirror(Browser(events.reader).open(ask))
        for lane, source, kind, times, look in commits:
            events.add(times, lane=lane, source=source, kind=kind)
            if look:
                mirror.follow()
        mirror.finish()
        assert mirror.view.rows(0, mirror.view.total) == found(events.reader, ask)
        late = Browser(events.reader).open(ask)
        while late.step():
            pass
        late.advance()
        assert late.rows(0, late.total) == mirror.view.rows(0, mirror.view.total)
    finally:
        events.close()


@pytest.mark.parametrize("name", ASKS)
def test_pages_and_places_are_exact_everywhere(name: str, events: Store) -> None:
    chance = random.Random(7)
    for _ in range(6):
        events.add([NOON + chance.randrange(-3 * MINUTE, 3 * MINUTE) for _ in range(70)])
        events.add(
            [NOON + chance.randrange(-3, 3) * MINUTE for _ in range(70)],
            lane=BACKFILL,
            source=THERE,
            kind="audit",
        )
    mirror = Mirror(Browser(events.reader).open(ASKS[name]))
    mirror.finish()
    view, whole = mirror.view, found(events.reader, ASKS[name])
    assert whole
    for first in range(0, len(whole), 13):
        assert view.rows(first, 9) == whole[first : first + 9]
    for place in range(0, len(whole), 11):
        assert view.row_of(whole[place].seq) == place
    assert view.rows(len(whole), 10) == []
    assert view.row_of(1 << 40) is None


def test_rows_deep_inside_a_crowded_minute_are_exact(tmp_path: Path) -> None:
    events = Store(tmp_path / "events", 700)
    try:
        for part in range(10):
            events.add([NOON + number % 5 for number in range(200)], lane=(LIVE, BACKFILL)[part % 2])
        view = Browser(events.reader).open(Ask())
        assert view.advance() == Advance(2_000, ((0, 2_000),), False, False)
        assert view.rows(1_500, 120) == found(events.reader, Ask())[1_500:1_620]
    finally:
        events.close()


def test_a_view_stands_still_until_it_is_told_to_move_on(events: Store) -> None:
    events.add([NOON + number for number in range(50)])
    view = Browser(events.reader).open(Ask())
    view.advance()
    before = view.rows(0, 50)
    # Fills the segment, so that it is sealed behind the view's back too.
    events.add([NOON + 60 + number for number in range(50)])
    events.add([NOON + 200])
    wait_for(lambda: not events.writer.busy())
    events.writer.tidy()
    assert view.rows(0, 60) == before
    assert view.total == 50
    assert view.advance().inserted == ((0, 51),)


def test_a_query_view_takes_in_late_records_where_they_belong(events: Store) -> None:
    events.add([NOON + number * MINUTE for number in range(9)])
    mirror = Mirror(Browser(events.reader).open(ASKS["a query"]))
    mirror.finish()
    assert len(mirror.seqs) == 3
    events.add([NOON + MINUTE, NOON, NOON])
    advance = mirror.follow()
    assert advance.inserted == ((2, 1),)


def test_a_broken_query_tree_is_asked_for_a_judge(events: Store) -> None:
    events.add([NOON])
    with pytest.raises(store_fault()):
        Browser(events.reader).open(replace(Ask(), tree=parse("no.such.path:1", NOON)))


def store_fault() -> type[Exception]:
    from pod_desktop.core.faults import UserFault

    return UserFault


def wait_for(done: Callable[[], bool]) -> None:
    import time

    until = time.monotonic() + 20
    while not done():
        assert time.monotonic() < until
        time.sleep(0.005)


def test_what_is_committed_while_keys_are_read_stays_behind_the_marks(
    events: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a live record is inserted twice: by this look, and by the next one as new."""
    from pod_desktop.store.segment import Segment

    events.add([NOON, NOON + 1, NOON + 2])
    marks = events.reader.marks()
    monkeypatch.setattr(Segment, "refresh", lambda self: self.meta)  # the commit comes just after
    events.add([NOON + 3, NOON + 4])
    for text in ("", "ann", "sender:ann@example.com"):
        ask = Ask(tree=parse(text, NOON), matches=lambda *_record: True)
        keys = events.reader.keys(ask, marks)
        assert keys and max(place.seq for place in keys) <= max(marks.values())
        assert all(row.seq <= max(marks.values()) for row in events.reader.search(ask, marks=marks))
    assert sum(events.reader.minutes(Ask(), marks).values()) == 3


def test_minutes_of_a_growing_segment_are_counted_once_and_stay_right(events: Store) -> None:
    marks = []
    for batch in range(6):
        events.add(
            [NOON + batch * MINUTE, NOON - batch * MINUTE, NOON], kind="message" if batch % 2 else "maillog"
        )
        marks.append(events.reader.marks())
        for ask in (Ask(), Ask(kinds=("maillog",)), Ask(connectors=("nobody",))):
            for seen in (marks[-1], marks[0], marks[-1]):  # an older view asks between
                rows = list(events.reader.search(ask, marks=seen))
                counted = {minute: n for minute, n in events.reader.minutes(ask, seen).items() if n}
                wanted: dict[int, int] = {}
                for row in rows:
                    wanted[row.time // MINUTE] = wanted.get(row.time // MINUTE, 0) + 1
                assert counted == wanted
