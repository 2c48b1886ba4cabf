"""Histograms from the counts made at the seal are those of the rows, wherever the question cuts."""

from __future__ import annotations

import random
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

import apsw
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pod_desktop import store
from pod_desktop.core.clock import DAY, HOUR, MINUTE, SECOND, SystemClock
from pod_desktop.core.record import Arrival, Columns
from pod_desktop.store import LIVE, Ask, Commit, Source, schema
from pod_desktop.store.writer import SegmentWriter

NOON = 1_790_000_000_000_000
OUTCOMES = ("delivered", "rejected", "other")
SOURCES = [Source(connector=name, tenant="acme", cluster_id="c") for name in ("one", "two")]


def arrival(number: int, moment: int, chance: random.Random) -> Arrival:
    columns = Columns(
        kind=chance.choice(("message", "maillog")), rid=f"id-{number}", time=moment, cluster="c", qid="", message_id="",
        sender="", header_from="", recipients=(), subject="", ip="", country="", outcome=chance.choice(OUTCOMES),
        disposition="", stat="", rule="", module="", folder="", direction="", score=None, size=None, flags=0, text="",
    )  # fmt: skip
    return Arrival(columns, b"{}")


@pytest.fixture(scope="module", params=["with hours", "of an earlier version"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three sealed segments over some hours each, and one that is being written."""
    made = tmp_path_factory.mktemp("hours") / "events"
    writer = SegmentWriter(made, clock=SystemClock(), segment_records=300)
    chance = random.Random(5)
    for batch in range(20):
        around = NOON + batch * HOUR
        records = [
            arrival(batch * 50 + at, around + chance.randrange(-2 * HOUR, 2 * HOUR), chance)
            for at in range(50)
        ]
        writer.commit(Commit(source=SOURCES[batch % 2], lane=LIVE, records=records, stream="all"))
        writer.tidy()
    while writer.busy():
        time.sleep(0.01)
    writer.tidy()
    writer.close()
    for path in made.glob("segment-*.db"):
        with closing(apsw.Connection(str(path))) as db:
            if request.param == "with hours":
                assert schema.has_table(db, "hour") == (path.name != "segment-4.db")
            else:
                db.execute("drop table if exists hour")
    return made


@settings(max_examples=60, deadline=None)
@given(
    since=st.none() | st.integers(-3 * 3600, 24 * 3600),
    until=st.none() | st.integers(-3 * 3600, 24 * 3600),
    odd=st.sampled_from([0, 1, 17_000_001]),
    even=st.sampled_from([SECOND, MINUTE, HOUR]),
    every=st.sampled_from([MINUTE, 5 * MINUTE, HOUR, 7 * HOUR, DAY, 90 * MINUTE, 30 * SECOND]),
    kinds=st.sampled_from([(), ("message",)]),
    connectors=st.sampled_from([(), ("two",), ("nobody",)]),
)
def test_a_histogram_counts_the_rows(
    folder: Path, since: int | None, until: int | None, odd: int, even: int, every: int,
    kinds: tuple[str, ...], connectors: tuple[str, ...],
) -> None:  # fmt: skip
    low, high = (None if at is None else (NOON + at * SECOND) // even * even + odd for at in (since, until))
    ask = Ask(since=low, until=high, kinds=kinds, connectors=connectors)
    with closing(store.open_reader(folder)) as reader:
        rows = Counter((row.time // every * every, row.outcome) for row in reader.search(ask))
        counted = reader.histogram(ask, every)
    assert counted == [(*key, count) for key, count in sorted(rows.items())]
