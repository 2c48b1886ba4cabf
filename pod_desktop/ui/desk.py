"""The window's desk over the real store: questions to readers, one reader a thread."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from pod_desktop import content, query
from pod_desktop.core.clock import Clock
from pod_desktop.core.faults import Outage, Unwanted, UserFault
from pod_desktop.core.record import EventRow
from pod_desktop.query import Completion
from pod_desktop.services import asking, exporting, facets, noted, statistics
from pod_desktop.services import looks as looking
from pod_desktop.services.browse import Browser
from pod_desktop.services.browse import View as BrowseView
from pod_desktop.services.completing import Completer
from pod_desktop.services.journey import Journey, journey
from pod_desktop.services.seen import Seen, seen_before
from pod_desktop.services.statistics import Part
from pod_desktop.store import Ask, Ledger, Note, Notes, Reader
from pod_desktop.ui.bridge import ColourRule, Dress, Job, Overview, Question, Record, Span
from pod_desktop.ui.moments import Zone

_ROLES: Final = {"keyword": "operator", "string": "phrase"}
"""Where the query bar's words for pieces differ from the language's."""


class StoreDesk:
    """ui.bridge.Desk over a store and a ledger."""

    def __init__(
        self,
        new_reader: Callable[[], Reader],
        ledger: Ledger,
        clock: Clock,
        zone: Zone,
        serving: Callable[[], bool],
        new_notes: Callable[[], Notes] | None = None,
    ) -> None:
        """
        Args:
            new_reader: opens a reader for the thread that calls.
            serving: whether the collector service runs.
            new_notes: opens what people noted, at its first use; without it nothing is noted.
        """
        self._new_reader = new_reader
        self._ledger = ledger
        self._clock = clock
        self._zone = zone
        self._serving = serving
        self._new_notes = new_notes
        self._notes: Notes | None = None
        self._opening = threading.Lock()
        self._local = threading.local()
        self._completer = Completer(lambda: self._reader)

    @property
    def _reader(self) -> Reader:
        reader: Reader | None = getattr(self._local, "reader", None)
        if reader is None:
            reader = self._local.reader = self._new_reader()
        return reader

    @property
    def _noted(self) -> Notes:
        with self._opening:
            if self._notes is None:
                if self._new_notes is None:
                    raise Outage("Marks and comments are not kept here.")
                self._notes = self._new_notes()
            return self._notes

    def close(self) -> None:
        """Let go of what it opened itself."""
        with self._opening:
            if self._notes is not None:
                self._notes.close()
                self._notes = None

    def check(self, text: str) -> Sequence[Span]:
        query.parse(text, self._clock.now(), self._zone.tzinfo)
        return [
            Span(span.start, span.end, _ROLES.get(str(span.role), str(span.role)))
            for span in query.spans(text)
        ]

    def _ask(
        self, question: Question, text: str | None = None, wanted: Callable[[], bool] | None = None
    ) -> Ask:
        now = self._clock.now()
        since = question.since if question.span is None else now - question.span
        return asking.ask(
            question.text if text is None else text,
            now=now,
            since=since,
            until=question.until,
            kinds=question.kinds,
            zone=self._zone.tzinfo,
            notes=self._seen_notes,
            wanted=wanted,
        )

    def _seen_notes(self) -> Iterable[Note]:
        return self._noted.all().values() if self._new_notes is not None else ()

    def open(self, question: Question) -> BrowseView:
        return Browser(self._reader).open(self._ask(question))

    def count(self, question: Question) -> int | None:
        return self._reader.count(self._ask(question, ""))

    def histogram(
        self, question: Question, since: int, until: int, every: int, job: Job | None = None
    ) -> Sequence[tuple[int, str, int]]:
        bounded = Question(text=question.text, kinds=question.kinds, since=since, until=until)
        wanted = None if job is None else lambda: not job.cancelled
        return self._reader.histogram(self._ask(bounded, wanted=wanted), every)

    def record(self, row: EventRow) -> Record:
        try:
            raw = self._reader.raw(row.seq)
        except KeyError:
            raise Outage("This record is no longer stored.", row.record_id, "Search again.") from None
        columns = content.read(row.kind, raw, row.time)
        document = content.document(raw)
        shown = document.excerpt if document.problem else document.value
        return Record(
            row=row,
            raw=raw,
            value=document.value,
            repaired=document.repaired,
            cut=document.cut,
            problem=document.problem,
            blocks=content.summary(row.kind, shown, columns),
            cluster=columns.cluster,
        )

    def overview(self) -> Overview:
        totals = self._reader.totals()
        return Overview(
            streams=tuple(self._ledger.statuses()),
            collecting=self._serving(),
            records=totals.records,
            bytes_raw=totals.bytes_raw,
            bytes_disk=totals.bytes_disk,
            oldest=totals.oldest,
            newest=totals.newest,
            connectors=len(self._ledger.connectors()),
        )

    def export(
        self, question: Question, path: Path, form: str, job: Job, rows: Sequence[EventRow] | None = None
    ) -> int:
        reader = self._reader
        written = 0
        part = path.with_name(path.name + ".part")
        try:
            with part.open("wb") as file:
                printer = exporting.FORMS[form](file, form == "ndjson")
                for row in self._exported(question, job) if rows is None else rows:
                    if job.cancelled:
                        break
                    printer.add(exporting.found(row, partial(reader.raw, row.seq)))
                    written += 1
                    job.done = written
                printer.finish()
            if job.cancelled:
                part.unlink()
            else:
                part.replace(path)
        except OSError as error:
            part.unlink(missing_ok=True)
            raise Outage(
                f"The file cannot be written ({error.strerror}).", str(path), "Choose another place."
            ) from None
        except KeyError:
            part.unlink(missing_ok=True)
            raise Outage("A record is no longer stored.", str(path), "Search and export again.") from None
        except BaseException:
            part.unlink(missing_ok=True)
            raise
        return written

    def _exported(self, question: Question, job: Job) -> Iterable[EventRow]:
        try:
            yield from self._reader.search(self._ask(question, wanted=lambda: not job.cancelled))
        except Unwanted:
            return

    # help and looks

    def complete(self, text: str, cursor: int) -> Sequence[Completion]:
        return self._completer.complete(text, cursor)

    def facet(self, question: Question, field: str, most: int, job: Job) -> facets.Facet:
        def wanted() -> bool:
            return not job.cancelled

        return facets.facet(self._reader, self._ask(question), field, most, wanted)

    def looks(self, rows: Sequence[EventRow], dress: Dress) -> Sequence[looking.Look]:
        rules = [made for rule in dress.rules if (made := self._rule(rule)) is not None]
        return looking.looks(self._reader, rows, dress.fields, rules)

    # over many records

    def journey(self, row: EventRow, job: Job) -> Journey:
        try:
            return journey(self._reader, row, lambda: job.cancelled)
        except KeyError:
            raise Outage("This record is no longer stored.", row.record_id, "Search again.") from None

    def seen(self, row: EventRow, job: Job) -> Sequence[Seen]:
        return seen_before(self._reader, row, lambda: not job.cancelled)

    def statistics(self, since: int | None, until: int, job: Job) -> Iterator[Part]:
        around = () if since is None or since >= until else (since, until - 1)

        def name_times(starts: Sequence[int], every: int) -> Sequence[str]:
            return self._zone.label(starts, every, around)

        return statistics.gather(self._reader, since, until, lambda: not job.cancelled, name_times)

    def _rule(self, rule: ColourRule) -> looking.Rule | None:
        try:
            tree = query.parse(rule.query, self._clock.now(), self._zone.tzinfo)
        except UserFault:
            return None
        return looking.Rule(noted.resolve(tree, self._seen_notes), rule.tone)

    # notes

    def notes_version(self) -> int:
        return self._noted.version() if self._new_notes is not None else 0

    def notes(self) -> Mapping[str, Note]:
        return self._noted.all() if self._new_notes is not None else {}

    def mark(self, record_ids: Sequence[str], marked: bool) -> None:
        self._noted.mark(record_ids, marked, self._clock.now())

    def comment(self, record_ids: Sequence[str], words: str) -> None:
        self._noted.comment(record_ids, words, self._clock.now())
