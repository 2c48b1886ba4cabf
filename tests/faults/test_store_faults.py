"""The store under kills, full disks and damage: nothing acknowledged is lost, nothing is silently wrong."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import apsw
import pytest

from pod_desktop import store
from pod_desktop.core.clock import SECOND, SystemClock
from pod_desktop.core.faults import Outage
from pod_desktop.core.record import Arrival, Columns
from pod_desktop.core.status import Counters
from pod_desktop.query import parse
from pod_desktop.store import BACKFILL, LIVE, Ask, Commit, Source, upkeep
from pod_desktop.store.seal import Stopped
from pod_desktop.store.writer import SegmentWriter

NOON = 1_790_000_000_000_000
HERE = Source(connector="acme-pod", tenant="acme", cluster_id="acme_hosted")


def arrival(number: int) -> Arrival:
    columns = Columns(
        kind="message", rid=f"id-{number}", time=NOON + number * SECOND, cluster="", qid="", message_id="",
        sender=f"s{number % 9}@example.com", header_from="", recipients=("r@corp.example",), subject=f"Subject {number}",
        ip="", country="", outcome="delivered", disposition="", stat="", rule="", module="", folder="", direction="",
        score=None, size=None, flags=0, text=f"Subject {number}",
    )  # fmt: skip
    return Arrival(columns, raw_of(number))


def raw_of(number: int) -> bytes:
    return json.dumps({"n": number, "pad": f"{number:x}" * 50}).encode()


def commit(first: int, count: int, *, lane: str = LIVE) -> Commit:
    records = [arrival(first + place) for place in range(count)]
    return Commit(
        source=HERE, lane=lane, records=records, stream="acme-pod/message", progress={"next": first + count},
        counters=Counters(received=count),
    )  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "events"


def three_segments(folder: Path) -> None:
    """Segments 1 and 2 sealed, 3 active; 100 records each, then 10."""
    writer = SegmentWriter(folder, clock=SystemClock(), segment_records=100)
    writer.commit(commit(0, 100))
    writer.commit(commit(100, 100))
    writer.commit(commit(200, 10))
    until = time.monotonic() + 30
    while writer.busy():
        assert time.monotonic() < until
        time.sleep(0.005)
    writer.close()


# --- kills

KILLED = """
    import sys
    sys.path.insert(0, sys.argv[3])
    sys.path.insert(0, sys.argv[4])
    from test_store_faults import *
    writer = SegmentWriter(Path(sys.argv[1]), clock=SystemClock(), segment_records=600)
    at = int(writer.progress("acme-pod/message").values.get("next", 0))
    chance = random.Random(int(sys.argv[2]))
    while True:
        count = chance.choice((1, 3, 50, 300))
        # Some come again, as after a reconnect.
        again = min(at, chance.choice((0, 0, 7)))
        writer.commit(commit(at - again, count + again, lane=chance.choice((LIVE, BACKFILL))))
        at += count
        print(at, flush=True)
        if chance.random() < 0.2:
            writer.tidy()
"""


def test_a_kill_at_any_moment_loses_nothing_and_doubles_nothing(folder: Path) -> None:
    chance = random.Random(11)
    acknowledged = 0
    here = Path(__file__)
    for turn in range(22):
        process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(KILLED), str(folder), str(turn), str(here.parent), str(here.parents[2])],
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert process.stdout is not None
        line = process.stdout.readline()
        # Somewhere in the first 150 ms after the first commit of this life.
        time.sleep(chance.random() * 0.15)
        process.send_signal(signal.SIGKILL)
        said = [int(line) for line in (line + process.stdout.read()).split() if line.isdigit()]
        process.stdout.close()
        process.wait()
        assert said
        acknowledged = said[-1]
        reader = store.open_reader(folder)
        kept = reader.progress("acme-pod/message")
        there = int(str(kept.values["next"]))
        assert there >= acknowledged
        assert reader.count(Ask()) == there == kept.counters.stored
        reader.close()
    reader = store.open_reader(folder)
    rows = list(reader.search(Ask(), order="oldest"))
    assert [row.rid for row in rows] == [f"id-{number}" for number in range(len(rows))]
    for number in range(0, len(rows), 97):
        assert reader.raw(rows[number].seq) == raw_of(number)
    counters = reader.progress("acme-pod/message").counters
    assert counters.received == counters.stored + counters.duplicates
    assert len(rows) == counters.stored > 600
    assert counters.bytes_raw == sum(len(raw_of(number)) for number in range(len(rows)))
    reader.close()
    assert store.verify(folder) == []


# --- disks


@pytest.fixture
def small_files() -> Iterator[None]:
    """No file may grow beyond what a test allows, as on a full disk."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, handler)


def limit_files(size: int) -> None:
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))


@pytest.mark.usefixtures("small_files")
def test_a_full_disk_is_an_outage_and_the_writer_goes_on_when_there_is_room(folder: Path) -> None:
    import resource

    writer = SegmentWriter(folder, clock=SystemClock(), segment_records=10_000)
    writer.commit(commit(0, 50))
    reader = store.open_reader(folder)
    limit_files(max(file.stat().st_size for file in folder.iterdir()) + 50_000)
    failed = 0
    for _ in range(3):
        with pytest.raises(Outage) as fault:
            writer.commit(commit(50, 2_000))
        assert "full" in fault.value.what
        assert fault.value.where == "segment-1.db"
        failed += 1
        assert reader.count(Ask()) == 50
        assert reader.progress("acme-pod/message").values == {"next": 50}
    limit_files(resource.RLIM_INFINITY)
    assert writer.commit(commit(40, 2_010)) == (2_000, 10, 0)
    writer.close()
    assert failed == 3
    assert reader.count(Ask()) == 2_050
    assert reader.progress("acme-pod/message").counters == Counters(
        received=2_060,
        stored=2_050,
        duplicates=10,
        bytes_raw=sum(len(raw_of(number)) for number in range(2_050)),
    )
    reader.close()
    assert store.verify(folder) == []


@pytest.mark.usefixtures("small_files")
def test_a_seal_without_room_is_put_off_and_the_segment_stays_readable(folder: Path) -> None:
    import resource

    class Hasty(SystemClock):
        ahead = 0.0

        def monotonic(self) -> float:
            return super().monotonic() + self.ahead

    clock = Hasty()
    writer = SegmentWriter(folder, clock=clock, segment_records=3_000)
    writer.commit(commit(0, 3_000))
    limit_files(max(file.stat().st_size for file in folder.iterdir()) + 40_000)
    writer.rotate()
    wait_until(lambda: not writer.busy())
    assert any("segment-1.db" in problem for problem in writer.problems())
    reader = store.open_reader(folder)
    assert reader.count(Ask(tree=parse("sender:s3@example.com", NOON))) == 333
    limit_files(resource.RLIM_INFINITY)
    clock.ahead = 120.0
    writer.tidy()
    wait_until(lambda: not writer.busy())
    assert writer.problems() == []
    assert writer.commit(commit(2_990, 20)) == (10, 10, 0)
    assert reader.count(Ask(tree=parse("sender:s3@example.com", NOON))) == 335
    reader.close()
    writer.close()
    assert store.verify(folder) == []


def wait_until(done: object) -> None:
    until = time.monotonic() + 30
    while not done():  # type: ignore[operator]
        assert time.monotonic() < until
        time.sleep(0.005)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="the superuser writes everywhere")
def test_a_directory_that_may_not_be_written_is_an_outage(folder: Path) -> None:
    folder.mkdir()
    folder.chmod(0o500)
    try:
        with pytest.raises(Outage):
            store.open_writer(folder, clock=SystemClock())
    finally:
        folder.chmod(0o700)


# --- damage


def flip(path: Path, at: int) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        byte = file.read(1)[0]
        file.seek(at)
        file.write(bytes([byte ^ 0x10]))


def block_place(folder: Path) -> int:
    """Where in segment 1 a raw block's bytes lie."""
    segment = apsw.Connection(str(folder / "segment-1.db"), flags=apsw.SQLITE_OPEN_READONLY)
    block: bytes = segment.execute("select block from raw order by first limit 1").get
    segment.close()
    at = (folder / "segment-1.db").read_bytes().find(block[:200])
    assert at > 0
    return at


def test_a_damaged_block_is_named_and_never_another_record(folder: Path) -> None:
    three_segments(folder)
    flip(folder / "segment-1.db", block_place(folder) + 150)
    reader = store.open_reader(folder)
    rows = list(reader.search(Ask(), order="oldest"))
    assert len(rows) == 210
    with pytest.raises(Outage) as fault:
        reader.raw(rows[5].seq)
    assert "damaged" in fault.value.what
    assert fault.value.where == "segment-1.db"
    assert reader.raw(rows[150].seq) == raw_of(150)
    reader.close()
    (problem,) = store.verify(folder)
    assert problem.startswith("segment-1.db: The block of 100 raw records at 16777216 is damaged")


@pytest.mark.parametrize("damage", ["missing", "empty", "no database", "header"])
def test_a_segment_that_cannot_be_read_is_named_and_the_rest_answers(folder: Path, damage: str) -> None:
    three_segments(folder)
    path = folder / "segment-1.db"
    for file in folder.glob("segment-1.db-*"):
        file.unlink()
    if damage == "missing":
        path.unlink()
    elif damage == "empty":
        path.write_bytes(b"")
    elif damage == "no database":
        path.write_bytes(b"lorem ipsum " * 10_000)
    else:
        flip(path, 3)
    reader = store.open_reader(folder)
    assert [row.rid for row in reader.search(Ask())] == [f"id-{number}" for number in range(209, 99, -1)]
    assert reader.count(Ask(tree=parse("sender:s3@example.com", NOON))) == sum(
        n % 9 == 3 for n in range(100, 210)
    )
    assert any("segment-1.db" in problem for problem in reader.problems())
    with pytest.raises(Outage, match=r"segment-1\.db"):
        reader.raw(1 << 24)
    reader.close()
    assert any(problem.startswith("segment-1.db") for problem in store.verify(folder))
    writer = SegmentWriter(folder, clock=SystemClock(), segment_records=100)
    assert writer.commit(commit(150, 100)) == (40, 60, 0)
    writer.close()


def test_random_bit_flips_are_seen_or_harmless(folder: Path, tmp_path: Path) -> None:
    """No flip of a sealed file may give a wrong raw record, whatever it does to the rest."""
    three_segments(folder)
    whole = (folder / "segment-1.db").read_bytes()
    chance = random.Random(5)
    wrong = 0
    for _ in range(60):
        (folder / "segment-1.db").write_bytes(whole)
        flip(folder / "segment-1.db", chance.randrange(len(whole)))
        reader = store.open_reader(folder)
        for number in range(0, 100, 9):
            try:
                found = reader.raw((1 << 24) + number)
            except (Outage, KeyError):
                continue
            wrong += found != raw_of(number)
        reader.close()
    assert wrong == 0


def test_the_active_segment_lost_is_named_and_collecting_goes_on_in_a_new_one(folder: Path) -> None:
    three_segments(folder)
    (folder / "segment-3.db").write_bytes(b"not a database at all" * 1_000)
    writer = SegmentWriter(folder, clock=SystemClock(), segment_records=100)
    assert any("segment-3.db" in problem for problem in writer.problems())
    assert writer.commit(commit(195, 25)) == (20, 5, 0)
    writer.close()


def test_a_lost_catalog_is_found_again_from_the_segments(folder: Path) -> None:
    three_segments(folder)
    for file in folder.glob("catalog.db*"):
        file.unlink()
    assert any("catalog.db" in problem for problem in store.verify(folder))
    writer = SegmentWriter(folder, clock=SystemClock(), segment_records=100)
    assert writer.progress("acme-pod/message").values == {"next": 210}
    assert writer.commit(commit(0, 211)) == (1, 210, 0)
    wait_until(lambda: not writer.busy())
    writer.close()
    reader = store.open_reader(folder)
    assert reader.count(Ask()) == 211
    reader.close()
    assert store.verify(folder) == []


def test_sums_that_do_not_add_up_are_named(folder: Path) -> None:
    three_segments(folder)
    segment = apsw.Connection(str(folder / "segment-3.db"))
    segment.execute("update stream set counters = json_set(counters, '$.received', 999)")
    segment.execute("delete from ev where seq = (select max(seq) from ev)")
    segment.close()
    problems = store.verify(folder)
    assert any("999 records received, but 210 accounted for" in problem for problem in problems)
    assert any("segment-3.db: It has 9 rows, but 10 were committed" in problem for problem in problems)


def test_verify_is_content_while_a_writer_writes(folder: Path) -> None:
    writer = SegmentWriter(folder, clock=SystemClock(), segment_records=100)
    for part in range(5):
        writer.commit(commit(part * 60, 60, lane=(LIVE, BACKFILL)[part % 2]))
        assert store.verify(folder) == []
    writer.close()


# --- closing


def test_closing_does_not_wait_for_seals_that_never_began(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two full segments wait while the first is being sealed: the way a busy machine closes."""
    begun = threading.Event()

    def slow(_connection: apsw.Connection, stopping: Callable[[], bool]) -> None:
        begun.set()
        while not stopping():
            time.sleep(0.002)
        raise Stopped

    monkeypatch.setattr(upkeep, "seal", slow)
    writer = SegmentWriter(folder, clock=SystemClock(), segment_records=20)
    for part in range(4):
        writer.commit(commit(part * 20, 20))
    assert begun.wait(20)
    closing = threading.Thread(target=writer.close, daemon=True)
    closing.start()
    closing.join(20)
    assert not closing.is_alive()
    monkeypatch.undo()
    again = SegmentWriter(folder, clock=SystemClock(), segment_records=20)
    again.close()
    reader = store.open_reader(folder)
    assert reader.count(Ask()) == 80
    reader.close()
