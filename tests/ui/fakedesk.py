"""A desk in memory: records that tests put there, answered as the store would, on the worker's thread."""

from __future__ import annotations

import bisect
import json
import threading
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from pod_desktop.core import blocks, status
from pod_desktop.core.faults import Outage, Unwanted, UserFault
from pod_desktop.core.record import EventRow
from pod_desktop.core.status import Counters, StreamStatus
from pod_desktop.query import Completion
from pod_desktop.services.facets import Facet
from pod_desktop.services.looks import Look
from pod_desktop.store import Note
from pod_desktop.ui.bridge import Dress, Job, Overview, Question, Record, Span

SECOND = 1_000_000


class Advance(NamedTuple):
    total: int
    inserted: tuple[tuple[int, int], ...] = ()
    reset: bool = False
    more: bool = False


@dataclass(slots=True, eq=False)
class BadQuery(UserFault):
    column: int = 0
    length: int = 1


def row(seq: int, moment: int, **more: object) -> EventRow:
    """A delivered message; give what matters."""
    values: dict[str, object] = {
        "seq": seq, "time": moment, "kind": "message", "rid": f"guid-{seq}", "tenant": "acme",
        "connector": "acme-message", "sender": f"sender{seq}@contoso.example",
        "recipients": ("j.meyer@acme.example",), "recipient_count": 1, "subject": f"Subject {seq}",
        "ip": "192.0.2.1", "outcome": "delivered", "disposition": "continue", "stat": "", "rule": "notspam",
        "score": 2, "size": 4_821, "flags": 0,
    }  # fmt: skip
    values.update(more)
    return EventRow(**values)  # type: ignore[arg-type]


class FakeView:
    """Rows that match, newest first; looks through `slice_rows` records a step."""

    def __init__(self, desk: FakeDesk, question: Question) -> None:
        self._desk, self._question = desk, question
        self._keys: list[tuple[int, int]] = []  # (-time, -seq), ascending: newest first
        self._rows: dict[int, EventRow] = {}
        self._seen = 0
        self._backlog = list(reversed(desk.snapshot()))
        self._taken = len(self._backlog)
        self._pending: list[EventRow] = []

    @property
    def total(self) -> int:
        return len(self._keys)

    progress: float | None = None
    problems: Sequence[str] = ()

    def cancel(self) -> None:
        self._backlog = []

    def step(self) -> bool:
        if self._desk.step_seconds:
            time.sleep(self._desk.step_seconds)
        part, self._backlog = self._backlog[: self._desk.slice_rows], self._backlog[self._desk.slice_rows :]
        self._pending += [found for found in part if self._desk.matches(self._question, found)]
        return bool(self._backlog)

    def advance(self) -> Advance:
        if self._desk.fault is not None:
            raise self._desk.fault
        fresh = self._desk.since(self._taken)
        self._taken += len(fresh)
        arrived = self._pending + [found for found in fresh if self._desk.matches(self._question, found)]
        self._pending = []
        keys = [(-found.time, -found.seq) for found in arrived]
        self._rows.update((found.seq, found) for found in arrived)
        keys.sort()
        if not self._keys or (keys and keys[-1] < self._keys[0]):
            self._keys[:0] = keys
            places = list(range(len(keys)))
        elif keys and keys[0] > self._keys[-1]:
            places = list(range(len(self._keys), len(self._keys) + len(keys)))
            self._keys += keys
        else:
            self._keys = sorted(self._keys + keys)
            places = [bisect.bisect_left(self._keys, key) for key in keys]
        return Advance(len(self._keys), _runs(places), more=bool(self._backlog))

    def rows(self, first: int, count: int) -> list[EventRow]:
        self._desk.fetched.append((first, count))
        if self._desk.page_seconds:
            time.sleep(self._desk.page_seconds)
        return [self._rows[-seq] for _time, seq in self._keys[first : first + count]]

    def row_of(self, seq: int) -> int | None:
        found = self._rows.get(seq)
        return None if found is None else bisect.bisect_left(self._keys, (-found.time, -found.seq))


def _runs(places: Sequence[int]) -> tuple[tuple[int, int], ...]:
    runs: list[list[int]] = []
    for place in places:
        if runs and runs[-1][0] + runs[-1][1] == place:
            runs[-1][1] += 1
        else:
            runs.append([place, 1])
    return tuple((begin, count) for begin, count in runs)


@dataclass
class FakeDesk:
    """Put rows in with add(); make it fail with `fault`; slow its search with `step_seconds`."""

    rows: list[EventRow] = field(default_factory=list)
    raws: dict[int, bytes] = field(default_factory=dict)
    summaries: dict[int, tuple[blocks.Block, ...]] = field(default_factory=dict)
    streams: tuple[StreamStatus, ...] = ()
    connectors: int = 1
    slice_rows: int = 1_000_000
    step_seconds: float = 0.0
    record_seconds: float = 0.0
    fault: Exception | None = None
    record_fault: Exception | None = None
    fetched: list[tuple[int, int]] = field(default_factory=list)
    asked: list[Question] = field(default_factory=list)
    read: list[int] = field(default_factory=list)
    completions: dict[str, list[Completion]] = field(default_factory=dict)
    """By the whole text before the cursor."""
    complete_seconds: float = 0.0
    facet_seconds: float = 0.0
    facets_asked: list[tuple[Question, str]] = field(default_factory=list)
    facets_given_up: int = 0
    noted: dict[str, Note] = field(default_factory=dict)
    notes_number: int = 1
    looked_at: list[tuple[int, Dress]] = field(default_factory=list)
    page_seconds: float = 0.0

    def __post_init__(self) -> None:
        self._lock = threading.Lock()

    def add(self, rows: Iterable[EventRow]) -> None:
        with self._lock:
            self.rows.extend(rows)

    def snapshot(self) -> list[EventRow]:
        with self._lock:
            return list(self.rows)

    def since(self, taken: int) -> list[EventRow]:
        with self._lock:
            return self.rows[taken:]

    def matches(self, question: Question, found: EventRow) -> bool:
        if question.kinds and found.kind not in question.kinds:
            return False
        if question.span is not None and found.time < time.time_ns() // 1000 - question.span:
            return False
        if question.since is not None and found.time < question.since:
            return False
        if question.until is not None and found.time >= question.until:
            return False
        text = f"{found.sender} {found.subject} outcome:{found.outcome}".casefold()
        note = self.noted.get(found.record_id)
        text += f" marked:{str(note is not None and note.marked).casefold()}"
        return all(word in text for word in question.text.casefold().split() if word != "and")

    def check(self, text: str) -> tuple[Span, ...]:
        if (column := text.find("((")) >= 0:
            raise BadQuery("There is a ( without a ).", f"column {column + 1}", "Close it.", column=column)
        spans, place = [], 0
        for word in text.split(" "):
            if ":" in word:
                spans.append(Span(place, place + word.index(":"), "field"))
            elif word in ("AND", "OR", "NOT"):
                spans.append(Span(place, place + len(word), "keyword"))
            place += len(word) + 1
        return tuple(spans)

    def open(self, question: Question) -> FakeView:
        if self.fault is not None:
            raise self.fault
        self.check(question.text)
        self.asked.append(question)
        return FakeView(self, question)

    def count(self, question: Question) -> int | None:
        return sum(self.matches(replace(question, text=""), found) for found in self.snapshot())

    def histogram(
        self, question: Question, since: int, until: int, every: int, job: Job | None = None
    ) -> list[tuple[int, str, int]]:
        found = Counter(
            (one.time // every * every, one.outcome)
            for one in self.snapshot()
            if since <= one.time < until and self.matches(question, one)
        )
        return sorted((start, outcome, count) for (start, outcome), count in found.items())

    def record(self, found: EventRow) -> Record:
        self.read.append(found.seq)
        if self.record_seconds:
            time.sleep(self.record_seconds)
        if self.record_fault is not None:
            raise self.record_fault
        raw = (
            self.raws.get(found.seq)
            or json.dumps({"guid": found.rid, "envelope": {"from": found.sender}}).encode()
        )
        try:
            value, problem = json.loads(raw), ""
        except ValueError:
            value, problem = None, "It is no JSON."
        shown = self.summaries.get(found.seq) or (
            blocks.Facts(
                (blocks.Fact("Envelope from", found.sender, mono=True), blocks.Fact("Subject", found.subject))
            ),
        )
        return Record(row=found, raw=raw, value=value, problem=problem, blocks=shown, cluster="acme_hosted")

    def overview(self) -> Overview:
        rows = self.snapshot()
        return Overview(
            streams=self.streams, records=len(rows), bytes_raw=len(rows) * 6_400, bytes_disk=len(rows) * 900,
            oldest=min((one.time for one in rows), default=None),
            newest=max((one.time for one in rows), default=None), connectors=self.connectors,
        )  # fmt: skip

    def export(
        self,
        question: Question,
        path: Path,
        form: str,
        job: Job,
        rows: Sequence[EventRow] | None = None,
    ) -> int:
        if self.fault is not None:
            raise self.fault
        found = (
            [one for one in self.snapshot() if self.matches(question, one)] if rows is None else list(rows)
        )
        written = 0
        with path.open("w", encoding="utf-8") as file:
            for one in found:
                if job.cancelled:
                    break
                file.write(one.record_id + "\n")
                written += 1
                job.done = written
        return written

    def complete(self, text: str, cursor: int) -> list[Completion]:
        if self.complete_seconds:
            time.sleep(self.complete_seconds)
        return self.completions.get(text[:cursor], [])

    def facet(self, question: Question, field: str, most: int, job: Job) -> Facet:
        self.facets_asked.append((question, field))
        until = time.monotonic() + self.facet_seconds
        while time.monotonic() < until:
            if job.cancelled:
                self.facets_given_up += 1
                raise Unwanted("No longer wanted.")
            time.sleep(0.005)
        key = {"sender.domain": "sender"}.get(field, field)
        found = Counter(
            str(value).rpartition("@")[2] if field.endswith("domain") else str(value)
            for one in self.snapshot()
            if self.matches(question, one) and (value := getattr(one, key, None))
        )
        return Facet(field=field, values=tuple(found.most_common(most)))

    def looks(self, rows: Sequence[EventRow], dress: Dress) -> list[Look]:
        self.looked_at += [(one.seq, dress) for one in rows]
        return [
            Look(
                tuple(f"{name} of {one.seq}" for name in dress.fields),
                next((rule.tone for rule in dress.rules if self.matches(Question(text=rule.query), one)), ""),
            )
            for one in rows
        ]

    def notes_version(self) -> int:
        return self.notes_number

    def notes(self) -> dict[str, Note]:
        return dict(self.noted)

    def mark(self, record_ids: Sequence[str], marked: bool) -> None:
        for one in record_ids:
            self._note(one, marked, self.noted[one].comment if one in self.noted else "")

    def comment(self, record_ids: Sequence[str], words: str) -> None:
        for one in record_ids:
            self._note(one, one in self.noted and self.noted[one].marked, words)

    def _note(self, record_id: str, marked: bool, comment: str) -> None:
        self.noted[record_id] = Note(record_id, marked, comment, 0)
        if not marked and not comment:
            del self.noted[record_id]
        self.notes_number += 1


def stream(connector: str, kind: str, state: str = status.LIVE, **more: object) -> StreamStatus:
    """A collector's state."""
    return StreamStatus(connector=connector, kind=kind, state=state, since=0, **more)  # type: ignore[arg-type]


def outage(words: str = "The disk does not answer.") -> Outage:
    return Outage(words, hint="Look at the disk.")


__all__ = ["Counters", "FakeDesk", "outage", "row", "stream"]
