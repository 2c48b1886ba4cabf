"""What the store is asked, and how far each answer is from its goal. Each function gives figures as they come."""

from __future__ import annotations

import os
import shutil
import statistics
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Final

import psutil
from floor import Floor
from measuring import forget, run

from find.building import Place
from find.table import Figure, at_least, at_most, warm_and_cold
from pod_desktop import content, store
from pod_desktop.core.clock import DAY, HOUR, MINUTE, SystemClock
from pod_desktop.core.record import MAILLOG, MESSAGE
from pod_desktop.services import asking
from pod_desktop.store import Ask, Reader, retention
from pod_desktop.store.writer import SegmentWriter

PAGE: Final = 100
_PAGES: Final = 30.0, 500.0
"""Milliseconds for a page of an indexed filter, warm and cold."""
_LONG: Final = 2.0
"""What takes so many seconds again is not asked a third time."""


def question(text: str, **more: Any) -> Ask:
    return asking.ask(text, now=SystemClock().now(), **more)


# --- storing


def stored(place: Place, floor: Floor) -> Iterator[Figure]:
    """What storing these records cost; as of when the store was built."""
    facts = place.facts()
    then, written, seen = Floor(*facts["floor"]), facts["written"], facts["seen"]
    records, f = written["records"], then.f
    yield Figure("records; mean bytes of one", f"{records:,}; {written['bytes'] / records:,.0f}")
    yield Figure("F, when built and now", f"{f:.1f}, {floor.f:.1f} us")
    yield Figure("S, when built and now", f"{then.s:,.0f}, {floor.s:,.0f} MB/s")
    cost, rate = written["cpu"] / records * 1e6, records / written["seconds"]
    yield at_most("storing: CPU a record, sealed", cost / f, 4.5, "F", f" = {cost:.1f} us")
    beside = "a reader beside" if seen else "generator beside"
    yield at_least("storing: records a second", rate * f / 1e6, 0.22, "/ F", f" = {rate:,.0f} ({beside})")
    yield at_most("storing: durable commit of 2,000, p99", written["commit_p99"], 150, "ms")
    if seen:
        yield at_most("newest page while storing, other process, p99", seen["p99"], 10, "ms", f" (p50 {seen['p50']:.1f})")  # fmt: skip
    yield at_most("memory of the writer", written["rss"], 350, "MB")
    disk = sum(file.stat().st_size for file in place.data.events.iterdir())
    yield at_most("disk bytes a raw byte, all indexes", disk / written["bytes"], 0.36, "")


# --- pages and counts


def filters(reader: Reader) -> dict[str, str]:
    """Questions on what the store has indexed, by what they are about; the values are those of some records in it."""
    message = next(islice(reader.search(Ask(kinds=(MESSAGE,)), order="oldest"), 500, None))
    line = next(islice(reader.search(Ask(kinds=(MAILLOG,)), order="oldest"), 2_000, None))
    qid, _ = reader.count_by(Ask(kinds=(MAILLOG,), since=line.time, until=line.time + MINUTE), "qid", 1)[0]
    sender, _ = reader.count_by(Ask(kinds=(MESSAGE,)), "sender", 40)[-1]
    plain = (
        "recipient.domain:acme-labs.example", "ip:198.19.7.0/24", "outcome:quarantined", "outcome:bounced", "rule:phish",
        "score:>=95", "subject:invoice", "subject:*rechnung*", "invoice", '"quarterly report"', "not outcome:delivered",
    )  # fmt: skip
    return {
        "id:ID": f"id:{message.rid}",
        "qid:ID": f'qid:"{qid}"',
        "sender:ADDRESS": f'sender:"{sender}"',
        "recipient:ADDRESS": f'recipient:"{message.recipients[0]}"',
        "sender.domain:DOMAIN": f"sender.domain:{sender.rpartition('@')[2]}",
        **{text: text for text in plain},
    }


def pages(folder: Path) -> Iterator[Figure]:
    """Pages and counts of indexed filters, cold and warm."""
    reader = store.open_reader(folder)
    asked = filters(reader)
    reader.close()
    # First all that is cold: a file must not be opened and closed in a process that has it open with SQLite.
    opened = _cold(folder, lambda one: list(one.search(Ask(), limit=PAGE)))
    colds = {text: _cold(folder, _page(text)) for text in asked.values()}
    yield at_most("open to first page, cold", opened, 300, "ms")
    reader = store.open_reader(folder)
    _, newest = _warm(reader, lambda one: list(one.search(Ask(), limit=PAGE)))
    yield at_most("newest page, warm", newest, 30, "ms")
    for name, text in asked.items():
        _, warm = _warm(reader, _page(text))
        yield warm_and_cold(f"page, warm / cold: {name}", warm, colds[text], _PAGES)
    for name, text in asked.items():
        found: list[int] = []
        first, took = _warm(
            reader, lambda one, text=text, found=found: found.append(one.count(question(text)))
        )  # type: ignore[misc]
        yield at_most(f"exact count: {name}", took, 1_000, "ms", f" ({found[0]:,}; first {first:,.0f} ms)")
    _, hours = _warm(reader, lambda one: one.histogram(Ask(), HOUR))
    yield at_most("hour histogram of everything", hours, 30, "ms")
    _, tops = _warm(reader, lambda one: one.count_by(Ask(), "sender", 20))
    yield at_most("top 20 senders, exact (goal of an approximate)", tops, 100, "ms")
    reader.close()


def _page(text: str) -> Callable[[Reader], object]:
    return lambda reader: list(reader.search(question(text), limit=PAGE))


def _cold(folder: Path, work: Callable[[Reader], object]) -> float:
    """Milliseconds from opening the store until it is done, no file of it in memory."""
    forget(folder)
    before = time.perf_counter()
    reader = store.open_reader(folder)
    work(reader)
    took = time.perf_counter() - before
    reader.close()
    return took * 1e3


def _warm(reader: Reader, work: Callable[[Reader], object]) -> tuple[float, float]:
    """Milliseconds of the first time, when the disk is asked, and the median of five after it."""
    spans: list[float] = []
    for _ in range(6):
        before = time.perf_counter()
        work(reader)
        spans.append(time.perf_counter() - before)
        if len(spans) > 1 and spans[-1] > _LONG:
            break
    return spans[0] * 1e3, statistics.median(spans[1:]) * 1e3


# --- looking through everything


def rare(reader: Reader) -> str:
    """A question for a piece of text that is in few records, where nothing is indexed."""
    found = islice(reader.search(Ask(kinds=(MESSAGE,)), order="oldest"), 300, None)
    for row in found:
        raw = reader.raw(row.seq).decode(errors="replace")
        _, name, rest = raw.partition('"definitions":"main-')
        if name:
            return f"filter.modules.spam.version.definitions:*{rest[1:9]}*"
    raise AssertionError("no record has it")


def scans(folder: Path, floor: Floor) -> Iterator[Figure]:
    """Whole scans: a rare piece of text, and a number that no column holds."""
    reader = store.open_reader(folder)
    size = reader.totals().bytes_raw
    for name, text, goal in (
        ("raw scan: a rare substring", rare(reader), 0.8),
        ("raw scan: an unforeseen number", "filter.modules.spam.scores.classifiers.mlxlog:>=100000", 0.5),
    ):
        cpu, before = time.process_time(), time.perf_counter()
        found = reader.count(question(text))
        took = time.perf_counter() - before
        rate = size / (time.process_time() - cpu) / 1e6
        yield at_least(name, rate / floor.s, goal, "S", f" = {rate:,.0f} MB/s, {took:,.1f} s ({found:,})")
    reader.close()


# --- memory


def memory(folder: Path) -> Iterator[Figure]:
    """Of a process that has asked all of these questions."""
    peak = run(_ask_and_weigh, folder)
    yield at_most("memory of a reader, all filters asked", peak["rss"], 150, "MB")


def _ask_and_weigh(folder: Path, answer: Any) -> None:
    reader = store.open_reader(folder)
    list(reader.search(Ask(), limit=PAGE))
    for text in filters(reader).values():
        _page(text)(reader)
        reader.count(question(text))
    answer.put({"rss": psutil.Process().memory_info().rss / 2**20})
    reader.close()


# --- retention


def retained(place: Place) -> Iterator[Figure]:
    """Delete the oldest fifth of a copy of the store: what stays is linked, what goes is copied and its own."""
    folder = place.folder / "retention"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    try:
        taken = run(_retain, place.data.events, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    more = f" ({taken['gone']:,} of {taken['records']:,} records, disk -{taken['shrunk']:.0%})"
    yield at_most("retention of the oldest fifth", taken["seconds"], 3, "s", more)


def _retain(events: Path, folder: Path, answer: Any) -> None:
    reader = store.open_reader(events)
    total = reader.totals()
    reader.close()
    # Everything is older than a day; so these are all segments, the oldest first.
    everything = retention.plan(
        events, retention.Limits(days=1, gigabytes=0), SystemClock().now() + 9_999 * DAY
    )
    doomed = everything.doomed[: max(1, round(len(everything.doomed) / 5))]
    going = {one.segment for one in doomed}
    for file in events.iterdir():
        number = file.stem.partition("-")[2]
        staying = file.suffix == ".db" and number.isdigit() and int(number) not in going
        (os.link if staying else shutil.copy2)(file, folder / file.name)
    os.sync()
    before = _size_of(folder)
    until = doomed[-1].newest + 30 * DAY + 1
    writer = SegmentWriter(folder, clock=SystemClock())
    begun = time.perf_counter()
    gone = 0
    for one in retention.plan(folder, retention.Limits(days=30, gigabytes=0), until).doomed:
        gone += writer.clear_out(retention.prepare(folder, one, (), content.read, until)).deleted
    took = time.perf_counter() - begun
    writer.close()
    assert gone == sum(one.records for one in doomed), gone
    answer.put(
        {"seconds": took, "gone": gone, "records": total.records, "shrunk": 1 - _size_of(folder) / before}
    )


def _size_of(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.iterdir())
