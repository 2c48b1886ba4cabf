"""Promoting a field under kills, full disks and damage: the answers stay what they were."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pod_desktop import content, store
from pod_desktop.core.clock import DAY, MINUTE, SystemClock
from pod_desktop.core.faults import Outage
from pod_desktop.core.record import MESSAGE, Arrival
from pod_desktop.core.status import Counters
from pod_desktop.query import parse
from pod_desktop.services import asking, columns
from pod_desktop.services.columns import READY, ColumnStates
from pod_desktop.services.promoting import Promotion
from pod_desktop.services.retention import Retention
from pod_desktop.store import LIVE, Ask, Commit, DataDir, Ledger, Limits, Source, schema
from pod_desktop.store.writer import SegmentWriter

NOON = 1_790_000_000_000_000
HERE = Source(connector="acme", tenant="acme", cluster_id="acme_hosted")
SEGMENT = 400
SEGMENTS = 5
PATH = "filter.verdict.score"
LONG = "x" * (8 << 20)
"""As long as a value can be: it is not copied, and found all the same."""


def raw_of(number: int) -> bytes:
    score = LONG if number == 7 else number % 100
    return json.dumps({"guid": f"g{number}", "filter": {"verdict": {"score": score, "n": number}}}).encode()


def fill(folder: Path) -> None:
    writer = SegmentWriter(folder, clock=SystemClock(), segment_records=SEGMENT)
    for first in range(0, SEGMENT * SEGMENTS + 50, 50):
        records = []
        for number in range(first, first + 50):
            raw = raw_of(number)
            time_of = NOON + number * MINUTE
            records.append(
                Arrival(content.read(MESSAGE, raw, NOON)._replace(rid=f"g{number}", time=time_of), raw)
            )
        writer.commit(Commit(
            source=HERE, lane=LIVE, records=records, stream="acme/message", counters=Counters(received=50),
        ))  # fmt: skip
    while writer.busy():
        time.sleep(0.002)
    writer.tidy()
    writer.close()


@pytest.fixture
def home(tmp_path: Path) -> DataDir:
    data_dir = DataDir(tmp_path).open()
    fill(data_dir.events)
    return data_dir


@pytest.fixture
def ledger(home: DataDir) -> Iterator[Ledger]:
    opened = Ledger(home.ledger)
    yield opened
    opened.close()


def ask(query: str) -> Ask:
    tree = parse(query, 0)
    return Ask(
        tree=tree, matches=asking.judge(tree), spots=asking.spots(tree), values=asking.field_values
    )  # fmt: skip


QUERIES = (f"{PATH}:>95", f"{PATH}:17", f"NOT {PATH}:[1 TO 99]", f"{PATH}:xxxx*", f"_exists_:{PATH}")


def answers(folder: Path) -> list[object]:
    reader = store.open_reader(folder)
    found: list[object] = []
    for query in QUERIES:
        found += [[row.rid for row in reader.search(ask(query))], reader.count(ask(query))]
    found.append(sorted((value[:9], count) for value, count in reader.count_by(ask(""), PATH)))
    found.append(reader.problems())
    reader.close()
    return found


def promotion(home: DataDir, ledger: Ledger, free: int = 1 << 40) -> Promotion:
    return Promotion(home.events, ledger, SystemClock(), lambda: free, rest=0.0)


def count(home: DataDir) -> int:
    return len(store.column_parts(home.events))


KILLED = """
    import sys
    sys.path[:0] = sys.argv[2:5]
    from test_promoting_faults import *
    home = DataDir(Path(sys.argv[1])).open()
    # As the service does: what a kill has left is cleared away when the store is opened to be written.
    SegmentWriter(home.events, clock=SystemClock()).close()
    ledger = Ledger(home.ledger)
    print("begun", flush=True)
    Promotion(home.events, ledger, SystemClock(), lambda: 1 << 40, rest=0.01).work()
    print("done", flush=True)
"""


def test_killed_at_any_moment_it_goes_on_where_it_was(home: DataDir, ledger: Ledger) -> None:
    before, chance, here = answers(home.events), random.Random(3), Path(__file__)
    places = [str(here.parent), str(here.parents[1]), str(here.parents[2])]
    columns.add(ledger, PATH, SystemClock())
    seen: list[int] = []
    killed = 0
    for turn in range(40):
        process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(KILLED), str(home.root), *places],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        # Later rounds live longer: the last part, with the long value, takes as long as the machine is busy.
        time.sleep(chance.random() * 0.1 * (turn + 1))
        process.send_signal(signal.SIGKILL)
        done = "done" in process.stdout.read()
        process.stdout.close()
        process.wait()
        seen.append(count(home))
        assert turn % 3 or answers(home.events) == before
        if done:
            break
        killed += 1
    assert seen == sorted(seen) and seen[-1] == SEGMENTS and killed > 1
    promotion(home, ledger).work()
    SegmentWriter(home.events, clock=SystemClock()).close()
    assert answers(home.events) == before
    assert not list(home.events.glob("*.making"))
    assert store.verify(home.events) == []


@pytest.fixture
def small_files() -> Iterator[None]:
    """No file may grow beyond what a test allows, as on a full disk."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, handler)


@pytest.mark.usefixtures("small_files")
def test_a_full_disk_leaves_nothing_behind_and_is_told(home: DataDir, ledger: Ledger) -> None:
    import resource

    before = answers(home.events)
    columns.add(ledger, PATH, SystemClock())
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, hard))
    with pytest.raises(Outage, match="full"):
        store.make_column_part(
            home.events, 1, PATH, columns.values_of(PATH), columns.spots_of(PATH), lambda done: False
        )
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    assert count(home) == 0 and not list(home.events.glob("*.making"))
    with pytest.raises(Outage, match="disk are free"):
        promotion(home, ledger, free=1_000).work()
    (state,) = ColumnStates(home, ledger, lambda: True).all()
    assert state.state == columns.FAILED and "disk are free" in state.words and "by itself" in state.words
    assert answers(home.events) == before
    promotion(home, ledger).work()
    (state,) = ColumnStates(home, ledger, lambda: True).all()
    assert state.state == READY and count(home) == SEGMENTS
    assert answers(home.events) == before


def test_a_damaged_part_is_passed_over_and_told(home: DataDir, ledger: Ledger) -> None:
    columns.add(ledger, PATH, SystemClock())
    connection = schema.open_to_write(schema.segment_path(home.events, 3))
    first = connection.execute("select first from raw order by first limit 1 offset 1").get
    connection.execute("update raw set block = zeroblob(length(block)) where first = ?", (first,))
    connection.close()
    before = answers(home.events)
    assert any("damaged" in line for line in before[-1])  # type: ignore[attr-defined]
    promotion(home, ledger).work()
    assert count(home) == SEGMENTS - 1
    assert answers(home.events) == before
    work = promotion(home, ledger)
    work.work()
    (state,) = ColumnStates(home, ledger, lambda: True).all()
    assert state.state == READY and "400 records in a damaged part" in state.words and state.share < 1


@pytest.mark.parametrize("hit", ["header", "table", "all", "short"])
def test_a_damaged_copy_is_done_without_and_made_anew(home: DataDir, ledger: Ledger, hit: str) -> None:
    before = answers(home.events)
    columns.add(ledger, PATH, SystemClock())
    promotion(home, ledger).work()
    for part in store.column_parts(home.events)[1:4]:
        data = bytearray(part.path.read_bytes())
        if hit == "header":
            data[:100] = b"\0" * 100
        elif hit == "short":
            del data[len(data) // 2 :]
        else:
            # Every page but the first, or but those that tell what there is: found only while it is read.
            start = 1 if hit == "all" else 2
            for page in range(start, len(data) // schema.PAGE_BYTES):
                data[page * schema.PAGE_BYTES : page * schema.PAGE_BYTES + 64] = b"\xff" * 64
        part.path.write_bytes(data)
    assert answers(home.events) == before
    assert len(store.verify(home.events)) >= 3
    assert all(one.removed for one in store.repair(home.events, content.read, content.sniff))
    assert count(home) == SEGMENTS - 3
    promotion(home, ledger).work()
    assert count(home) == SEGMENTS and store.verify(home.events) == []
    assert answers(home.events) == before


def test_a_reader_that_is_open_follows_what_is_made_and_removed(home: DataDir, ledger: Ledger) -> None:
    reader = store.open_reader(home.events)
    before = reader.count(ask(QUERIES[0]))
    columns.add(ledger, PATH, SystemClock())
    rows = reader.search(ask(QUERIES[4]))
    half = [next(rows).rid for _ in range(150)]
    promotion(home, ledger).work()
    assert reader.count(ask(QUERIES[0])) == before
    columns.remove(ledger, PATH)
    promotion(home, ledger).work()
    assert count(home) == 0
    assert reader.count(ask(QUERIES[0])) == before
    half += [row.rid for row in rows]
    assert half == [f"g{number}" for number in reversed(range(SEGMENT * SEGMENTS + 50))]
    assert reader.problems() == []
    reader.close()


def test_cancelled_half_way_it_leaves_nothing_behind(home: DataDir, ledger: Ledger) -> None:
    columns.add(ledger, PATH, SystemClock())
    asked = 0

    def free() -> int:
        nonlocal asked
        asked += 1
        if asked == 3:
            columns.remove(ledger, PATH)
        return 1 << 40

    Promotion(home.events, ledger, SystemClock(), free, rest=0.0).work()
    assert asked == 3 and count(home) == 0 and not list(home.events.glob("*.making"))


def test_retention_deletes_the_copies_with_their_part_and_what_is_kept_gets_its_own(
    home: DataDir, ledger: Ledger
) -> None:
    columns.add(ledger, PATH, SystemClock())
    promotion(home, ledger).work()
    size = sum(one.bytes_disk for one in store.column_parts(home.events))
    plan = store.plan_retention(home.events, Limits(1, 0), NOON + 400 * DAY)
    assert len(plan.doomed) == SEGMENTS and plan.bytes_freed > size > 0

    class Later(SystemClock):
        def now(self) -> int:
            return NOON + SEGMENT * MINUTE + DAY + MINUTE

    writer = SegmentWriter(home.events, clock=Later(), segment_records=SEGMENT)
    retention = Retention(
        home.events, lambda: Limits(1, 0), lambda: {"message:g7", "message:g17"}, lambda work: work(writer),
        Later(), read=content.read,
    )  # fmt: skip
    retention.apply()
    gone = {one.segment for one in store.column_parts(home.events)}
    assert 1 not in gone and len(gone) == SEGMENTS - 1
    promotion(home, ledger).work()
    writer.close()
    assert {one.segment for one in store.column_parts(home.events)} == {
        one.segment for one in store.sealed_entries(home.events)
    }
    reader = store.open_reader(home.events)
    assert [row.rid for row in reader.search(ask(f"{PATH}:17"))][-1] == "g17"
    assert [row.rid for row in reader.search(ask(f"{PATH}:xxx*"))] == ["g7"]
    reader.close()
    assert store.verify(home.events) == []
