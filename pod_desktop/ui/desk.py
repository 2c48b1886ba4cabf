"""The window's desk over the real store: questions to readers, one reader a thread."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from pod_desktop import content, query
from pod_desktop.core.clock import Clock
from pod_desktop.core.faults import Outage
from pod_desktop.core.record import EventRow
from pod_desktop.services import asking, exporting
from pod_desktop.services.browse import Browser
from pod_desktop.services.browse import View as BrowseView
from pod_desktop.store import Ask, Ledger, Reader
from pod_desktop.ui.bridge import Job, Overview, Question, Record, Span
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
    ) -> None:
        """
        Args:
            new_reader: opens a reader for the thread that calls.
            serving: whether the collector service runs.
        """
        self._new_reader = new_reader
        self._ledger = ledger
        self._clock = clock
        self._zone = zone
        self._serving = serving
        self._local = threading.local()

    @property
    def _reader(self) -> Reader:
        reader: Reader | None = getattr(self._local, "reader", None)
        if reader is None:
            reader = self._local.reader = self._new_reader()
        return reader

    def check(self, text: str) -> Sequence[Span]:
        query.parse(text, self._clock.now(), self._zone.tzinfo)
        return [
            Span(span.start, span.end, _ROLES.get(str(span.role), str(span.role)))
            for span in query.spans(text)
        ]

    def _ask(self, question: Question, text: str | None = None) -> Ask:
        now = self._clock.now()
        since = question.since if question.span is None else now - question.span
        return asking.ask(
            question.text if text is None else text,
            now=now,
            since=since,
            until=question.until,
            kinds=question.kinds,
            zone=self._zone.tzinfo,
        )

    def open(self, question: Question) -> BrowseView:
        return Browser(self._reader).open(self._ask(question))

    def count(self, question: Question) -> int | None:
        return self._reader.count(self._ask(question, ""))

    def histogram(
        self, question: Question, since: int, until: int, every: int
    ) -> Sequence[tuple[int, str, int]]:
        bounded = Question(text=question.text, kinds=question.kinds, since=since, until=until)
        return self._reader.histogram(self._ask(bounded), every)

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

    def export(self, question: Question, path: Path, form: str, job: Job) -> int:
        ask = self._ask(question)
        reader = self._reader
        written = 0
        part = path.with_name(path.name + ".part")
        try:
            with part.open("wb") as file:
                printer = exporting.FORMS[form](file, form == "ndjson")
                for row in reader.search(ask):
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
        return written
