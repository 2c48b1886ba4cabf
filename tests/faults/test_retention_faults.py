"""Retention under kills and full disks: what is kept is there exactly once, whatever happens when."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import textwrap
import time
from collections import Counter
from pathlib import Path

import pytest

from builders import as_bytes, message
from pod_desktop import content, store
from pod_desktop.core.clock import DAY, HOUR
from pod_desktop.core.faults import Outage
from pod_desktop.core.record import MESSAGE, Arrival
from pod_desktop.core.status import Counters
from pod_desktop.services.retention import Retention
from pod_desktop.store import LIVE, Ask, Commit, Limits, Source
from pod_desktop.store.writer import SegmentWriter

NOON = 1_790_000_000_000_000
HERE = Source(connector="acme", tenant="acme", cluster_id="acme_hosted")
SEGMENT = 20
DAYS = 2


class At:
    """A clock that stands where it is put."""

    def __init__(self, now: int) -> None:
        self.at = now

    def now(self) -> int:
        return self.at

    def monotonic(self) -> float:
        return time.monotonic()


def arrival(number: int) -> Arrival:
    raw = as_bytes(message(guid=f"g{number}", qid=f"q{number}", time=NOON + number * HOUR))
    return Arrival(content.read(MESSAGE, raw, NOON), raw)


def commit(first: int, count: int) -> Commit:
    records = [arrival(first + place) for place in range(count)]
    return Commit(
        source=HERE, lane=LIVE, records=records, stream="acme/message", progress={"next": first + count},
        counters=Counters(received=count),
    )  # fmt: skip


def marked(number: int) -> bool:
    return number % 7 == 3


def marks(until: int) -> frozenset[str]:
    return frozenset(f"message:g{number}" for number in range(until) if marked(number))


def retention(folder: Path, writer: SegmentWriter, now: int, keep: frozenset[str]) -> Retention:
    return Retention(
        folder, lambda: Limits(DAYS, 0), lambda: keep, lambda work: work(writer), At(now), read=content.read
    )


KILLED = """
    import sys
    sys.path[:0] = sys.argv[2:5]
    from test_retention_faults import *
    folder = Path(sys.argv[1])
    clock = At(NOON)
    writer = SegmentWriter(folder, clock=clock, segment_records=SEGMENT)
    at = int(writer.progress("acme/message").values.get("next", 0))
    while True:
        writer.commit(commit(at, SEGMENT))
        at += SEGMENT
        print(at, flush=True)
        while writer.busy():
            time.sleep(0.001)
        writer.tidy()
        clock.at = NOON + at * HOUR
        retention(folder, writer, clock.at, marks(at)).apply()
"""


def there(folder: Path) -> Counter[int]:
    reader = store.open_reader(folder)
    found = Counter(int(row.rid[1:]) for row in reader.search(Ask()))
    assert reader.problems() == []
    reader.close()
    return found


def test_a_kill_at_any_moment_keeps_what_must_be_kept_exactly_once(tmp_path: Path) -> None:
    folder = tmp_path / "events"
    chance = random.Random(5)
    here = Path(__file__)
    places = [str(here.parent), str(here.parents[1]), str(here.parents[2])]
    at = 0
    for _ in range(10):
        process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(KILLED), str(folder), *places],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        line = process.stdout.readline()
        time.sleep(chance.random() * 0.25)
        process.send_signal(signal.SIGKILL)
        said = [int(one) for one in (line + process.stdout.read()).split() if one.isdigit()]
        process.stdout.close()
        process.wait()
        assert said
        at = max(at, said[-1])
        for opened in (False, True):
            if opened:
                SegmentWriter(folder, clock=At(NOON + at * HOUR), segment_records=SEGMENT).close()
            found = there(folder)
            assert set(found.values()) == {1}
            must = {n for n in range(at) if marked(n) or n >= at - DAYS * 24}
            assert must <= found.keys()
    assert at > 5 * SEGMENT
    writer = SegmentWriter(folder, clock=At(NOON + at * HOUR), segment_records=SEGMENT)
    while writer.busy():
        time.sleep(0.001)
    retention(folder, writer, NOON + at * HOUR, marks(at)).apply()
    writer.close()
    assert store.verify(folder) == []
    old = [n for n in there(folder) if not marked(n) and n < at - DAYS * 24 - 2 * SEGMENT]
    assert old == []


def test_a_full_disk_deletes_nothing_that_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "events"
    writer = SegmentWriter(folder, clock=At(NOON), segment_records=SEGMENT)
    for first in range(0, 5 * SEGMENT, SEGMENT):
        writer.commit(commit(first, SEGMENT))
    while writer.busy():
        time.sleep(0.001)
    writer.tidy()
    full = Outage("The disk is full.")

    def fail(*_args: object) -> None:
        raise full

    now = NOON + 30 * DAY
    with monkeypatch.context() as patch:
        patch.setattr("pod_desktop.store.retention.seal", fail)
        freed = retention(folder, writer, now, marks(200)).apply()
    assert freed.records == 0 and freed.problems == ("The disk is full.",) * len(freed.problems) != ()
    assert len(there(folder)) == 5 * SEGMENT
    writer.commit(commit(5 * SEGMENT, 1))
    while writer.busy():
        time.sleep(0.001)
    assert retention(folder, writer, now, marks(200)).apply().records > 0
    assert {n for n in range(5 * SEGMENT) if marked(n)} <= there(folder).keys()
    writer.close()
    assert store.verify(folder) == []


@pytest.mark.parametrize("whole", [True, False])
def test_an_exchange_cut_short_is_finished_or_undone_at_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole: bool
) -> None:
    folder = tmp_path / "events"
    writer = SegmentWriter(folder, clock=At(NOON), segment_records=SEGMENT)
    for first in range(0, 3 * SEGMENT, SEGMENT):
        writer.commit(commit(first, SEGMENT))
    while writer.busy():
        time.sleep(0.001)
    writer.tidy()

    class Killed(BaseException):
        """As if the process had ended here."""

    def die(*_args: object) -> None:
        raise Killed

    where = "catalog.Catalog.exchange" if whole else "retention.seal"
    with monkeypatch.context() as patch:
        patch.setattr(f"pod_desktop.store.{where}", die)
        patch.setattr("pod_desktop.store.catalog.Catalog.settle", lambda _catalog: None)
        with pytest.raises(Killed):
            retention(folder, writer, NOON + 30 * DAY, marks(200)).apply()
    assert set(there(folder).values()) == {1} and len(there(folder)) == 3 * SEGMENT
    writer.close()
    SegmentWriter(folder, clock=At(NOON), segment_records=SEGMENT).close()
    found = there(folder)
    assert set(found.values()) == {1}
    gone = {n for n in range(SEGMENT) if not marked(n)} if whole else set()
    assert found.keys() == set(range(3 * SEGMENT)) - gone
    assert store.verify(folder) == []
