"""Reading the event store from any process, while it is written, sealed and rotated."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import apsw

from pod_desktop.core.faults import Outage, Unwanted, UserFault
from pod_desktop.core.record import EventRow
from pod_desktop.query.tree import Everything
from pod_desktop.store import schema
from pod_desktop.store.active import newest_streams, read_progress, read_streams
from pod_desktop.store.catalog import LIST_SEGMENTS, Entry
from pod_desktop.store.columns import COLUMNS, values_of
from pod_desktop.store.commonest import commonest, counted, ranked
from pod_desktop.store.counting import count_in, counts_by, counts_by_time
from pod_desktop.store.merging import all_behind, merged, narrowed, undisturbed
from pod_desktop.store.port import (
    Ask,
    Candidates,
    Marks,
    Order,
    Piece,
    Place,
    Progress,
    Source,
    StoredRecord,
    Stretch,
    Totals,
)
from pod_desktop.store.rawblocks import Kept
from pod_desktop.store.segment import Segment
from pod_desktop.store.trails import trail

_Answer = TypeVar("_Answer")


class SegmentReader:
    """store.port.Reader on segments. Use from one thread at a time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = schema.catalog_path(folder)
        self._catalog: apsw.Connection | None = None
        self._catalog_version = -1
        self._entries: dict[int, Entry] = {}
        self._open: OrderedDict[int, Segment] = OrderedDict()
        self._most_open = schema.most_open()
        self._blocks = Kept()
        self._aside: dict[int, str] = {}
        self._seen: tuple[Any, ...] = ()
        self._version = 0
        self._went = 0
        self._refresh()

    # --- what there is

    def _refresh(self) -> bool:
        """Read the list of segments again if it changed; false while there is no store yet."""
        if self._catalog is None:
            if not self._path.exists():
                return False
            catalog = schema.open_to_read(self._path, cache_kib=256)
            try:
                schema.check_format(catalog, self._path)
            except BaseException:
                catalog.close()
                raise
            self._catalog = catalog
        with schema.outage(self._path):
            version = self._catalog.pragma("data_version")
            if version == self._catalog_version:
                return True
            entries = [Entry(*row) for row in self._catalog.execute(LIST_SEGMENTS)]
            self._catalog_version = version
        self._entries = {entry.segment: entry for entry in entries}
        self._aside = {one: why for one, why in self._aside.items() if one in self._entries}
        for gone in [one for one in self._open if one not in self._entries]:
            if not self._open[gone].users:
                self._open.pop(gone).close()
        return True

    def version(self) -> int:
        """See store.port.Reader.version. A number of this reader's own: it only says whether something changed."""
        self._refresh()
        seen: list[Any] = [self._catalog_version]
        for entry in self._entries.values():
            if not entry.sealed:
                with self._setting_aside(entry.segment):
                    known = self._open.get(entry.segment)
                    seen.append((known or self._segment(entry.segment)).data_version())
        if (now := tuple(seen)) != self._seen:
            self._seen = now
            self._version += 1
        return self._version

    def _segment(self, segment: int) -> Segment:
        """The segment, opened.

        Raises:
            Outage: it is damaged or missing.
        """
        if segment in self._aside:
            raise Outage(self._aside[segment])
        found = self._open.pop(segment, None)
        if found is None:
            found = Segment(self._folder, segment, self._blocks)
        self._open[segment] = found
        if not found.meta.sealed:
            found.refresh()
        sealed = [one for one in self._open.values() if one.meta.sealed and not one.users]
        for one in sealed[: max(0, len(sealed) - self._most_open)]:  # the least used
            self._open.pop(one.segment).close()
        return found

    @contextmanager
    def _setting_aside(self, segment: int) -> Iterator[None]:
        """A segment that fails is named and left out from now on; the rest answers."""
        try:
            with schema.outage(schema.segment_path(self._folder, segment)):
                yield
        except Outage as fault:
            if self._is_gone(segment):
                self._went += 1
            else:
                self._aside[segment] = str(fault)
            if (found := self._open.pop(segment, None)) is not None:
                found.close()

    def _is_gone(self, segment: int) -> bool:
        """Was it deleted just now, between a look at the catalog and one into the file?"""
        try:
            self._refresh()
        except Outage:
            return False
        return segment not in self._entries

    def problems(self) -> list[str]:
        """See store.port.Reader.problems."""
        self._refresh()
        return [self._aside[one] for one in sorted(self._aside)]

    def problem_of(self, segment: int) -> str:
        """See store.port.Reader.problem_of."""
        return self._aside.get(segment, "")

    def _overlapping(self, ask: Ask) -> list[tuple[int, int, int]]:
        """(segment, lowest time, highest time) of all that may hold records of the question's time."""
        self._refresh()
        found = []
        for entry in tuple(self._entries.values()):
            without = ask.seqs is not None and not len(schema.seqs_in(entry.segment, ask.seqs))
            if entry.segment in self._aside or without:
                continue
            lo, hi = entry.lo, entry.hi
            if not entry.sealed:
                with self._setting_aside(entry.segment):
                    meta = self._segment(entry.segment).meta
                    lo, hi = meta.lo, meta.hi
            if lo is None or hi is None:
                continue
            if (ask.until is None or lo < ask.until) and (ask.since is None or hi >= ask.since):
                found.append((entry.segment, lo, hi))
        return found

    # --- rows

    def search(
        self,
        ask: Ask,
        *,
        order: Order = "newest",
        after: Place | None = None,
        limit: int | None = None,
        marks: Marks | None = None,
    ) -> Iterator[EventRow]:
        """See store.port.Reader.search."""
        behind = partial(self._merged, ask, order, marks)
        # Within marks a view sees one unmoving list, or less of it.
        rows = all_behind(after, behind, lambda: self._went) if marks is None else behind(after)
        return islice(rows, None if limit is None else max(limit, 0))

    def _merged(self, ask: Ask, order: Order, marks: Marks | None, after: Place | None) -> Iterator[EventRow]:
        """Rows of all segments in order, opening a segment only when its turn has come."""
        ask = narrowed(ask, order, after)
        waiting = [one for one in self._overlapping(ask) if marks is None or one[0] in marks]

        def rows(segment: int) -> Iterator[EventRow]:
            return self._rows(segment, ask, order, after, None if marks is None else marks[segment])

        return merged(waiting, rows, order)

    def _rows(
        self, segment: int, ask: Ask, order: Order, after: Place | None, most: int | None
    ) -> Iterator[EventRow]:
        with self._setting_aside(segment):
            found = self._segment(segment)
            found.users += 1
            try:
                yield from found.rows(ask, order=order, after=after, most=most)
            finally:
                found.users -= 1

    def _of(self, seq: int) -> Segment:
        self._refresh()
        if (segment := schema.segment_of(seq)) not in self._entries:
            raise KeyError(seq)
        try:
            return self._segment(segment)
        except Outage:
            if self._is_gone(segment):
                raise KeyError(seq) from None
            raise

    def raw(self, seq: int) -> bytes:
        """See store.port.Reader.raw."""
        found = self._of(seq)
        with schema.outage(found.path):
            return found.raw(seq)

    def row(self, seq: int) -> EventRow:
        """One row; raises KeyError for no such record, Outage where its segment is damaged or missing."""
        found = self._of(seq)
        with schema.outage(found.path):
            row = found.row(seq)
        if row is None:
            raise KeyError(seq)
        return row

    def rows(self, seqs: Sequence[int]) -> list[EventRow]:
        """See store.port.Reader.rows."""
        found: dict[int, EventRow] = {}
        for segment, wanted in self._by_segment(seqs):
            with self._setting_aside(segment):
                found.update((row.seq, row) for row in self._segment(segment).rows_of(wanted))
        return [found[seq] for seq in seqs if seq in found]

    def raws(self, seqs: Sequence[int]) -> dict[int, bytes]:
        """See store.port.Reader.raws."""
        found: dict[int, bytes] = {}
        for segment, wanted in self._by_segment(seqs):
            with self._setting_aside(segment):
                opened = self._segment(segment)
                for seq in sorted(wanted):  # block after block
                    with suppress(KeyError, Outage):
                        found[seq] = opened.raw(seq)
        return found

    def values_of(self, seqs: Sequence[int], name: str) -> dict[int, str] | None:
        """See store.port.Reader.values_of."""
        if name not in COLUMNS:
            return None
        found: dict[int, str] = {}
        for segment, wanted in self._by_segment(seqs):
            with self._setting_aside(segment):
                found.update(values_of(self._segment(segment), wanted, name))
        return found

    def _by_segment(self, seqs: Sequence[int]) -> list[tuple[int, list[int]]]:
        """Those that are there, by segment."""
        self._refresh()
        wanted: dict[int, list[int]] = {}
        for seq in seqs:
            wanted.setdefault(schema.segment_of(seq), []).append(seq)
        return [(segment, wanted[segment]) for segment in wanted if segment in self._entries]

    def source(self, seq: int) -> Source:
        """Where a record came from; raises as row() does."""
        found = self._of(seq)
        with schema.outage(found.path):
            listed = found.execute("select source from ev where seq = ?", (seq,)).fetchone()
            if listed is None:
                raise KeyError(seq)
            return found.source_of(listed[0])

    def find(self, kind: str, rid: str) -> EventRow | None:
        """See store.port.Reader.find."""

        def look() -> EventRow | None:
            listed = sorted(self._overlapping(Ask()), key=lambda one: -one[2])
            rows = (self._answer(Ask(), one, lambda segment: segment.find(kind, rid)) for one, _, _ in listed)
            return next((row for row in rows if row is not None), None)

        return undisturbed(look, lambda: self._went)

    # --- counts

    def _answer(self, ask: Ask, segment: int, work: Callable[[Segment], _Answer]) -> _Answer | None:
        """What `work` finds in one segment; None where it fails, and is set aside."""
        if ask.wanted is not None and not ask.wanted():
            raise Unwanted("No longer wanted.")
        if segment not in self._aside:
            with self._setting_aside(segment):
                return self._segment(segment).answer(work)
        return None

    def _over(self, ask: Ask, work: Callable[[Segment], _Answer]) -> list[_Answer]:
        def answers() -> list[_Answer]:
            found = (self._answer(ask, segment, work) for segment, _, _ in self._overlapping(ask))
            return [one for one in found if one is not None]

        return undisturbed(answers, lambda: self._went)

    def count(self, ask: Ask) -> int:
        """See store.port.Reader.count."""
        if isinstance(ask.tree, Everything) and ask.seqs is None:
            return undisturbed(lambda: sum(self.minutes(ask, self.marks()).values()), lambda: self._went)
        return sum(self._over(ask, lambda segment: count_in(segment, ask)))

    def count_by(self, ask: Ask, name: str, limit: int = 1_000) -> list[tuple[str, int]]:
        """See store.port.Reader.count_by. Spellings that differ in case only count as one value."""

        def listed() -> list[tuple[str, int]] | None:
            segments = [segment for segment, _, _ in self._overlapping(ask)]
            return commonest(segments, partial(self._answer, ask), ask, name, limit)

        found = undisturbed(listed, lambda: self._went)
        if found is None:
            found = ranked(self._over(ask, lambda segment: counted(counts_by(segment, ask, name))), limit)
        return found or []

    def histogram(self, ask: Ask, every: int) -> list[tuple[int, str, int]]:
        """See store.port.Reader.histogram."""
        if every <= 0:
            raise UserFault("The length of an interval must be above zero.", "every")
        total: Counter[tuple[int, str]] = Counter()
        for part in self._over(ask, lambda segment: counts_by_time(segment, ask, every)):
            total.update(part)
        return [(start, outcome, count) for (start, outcome), count in sorted(total.items())]

    # --- views

    def marks(self) -> Marks:
        """See store.port.Reader.marks."""
        self._refresh()
        marks: dict[int, int] = {}
        for segment, entry in self._entries.items():
            if entry.sealed:
                marks[segment] = schema.first_seq(segment) + entry.n - 1
            else:
                with self._setting_aside(segment):
                    marks[segment] = self._segment(segment).last()
        return {segment: last for segment, last in marks.items() if segment not in self._aside}

    def lanes(self) -> Mapping[int, str]:
        """See store.port.Reader.lanes."""
        self._refresh()
        return {segment: entry.lane for segment, entry in self._entries.items()}

    def stored(
        self, marks: Marks, above: Marks, *, limit: int, most_bytes: int
    ) -> tuple[list[StoredRecord], Marks]:
        """See store.port.Reader.stored."""
        self._refresh()
        found: list[StoredRecord] = []
        reached = {segment: seq for segment, seq in above.items() if segment in marks}
        size = 0
        for segment in sorted(marks.keys() & self._entries.keys()):
            while reached.get(segment, schema.first_seq(segment) - 1) < marks[segment]:
                if size >= most_bytes or len(found) >= limit:
                    return found, reached
                first = reached.get(segment, schema.first_seq(segment) - 1) + 1
                reached[segment] = marks[segment]  # unless it is cut below
                with self._setting_aside(segment):
                    for record in self._segment(segment).stored(first, marks[segment], limit - len(found)):
                        reached[segment] = record.seq
                        if record.raw:
                            found.append(record)
                            size += len(record.raw)
                        if size >= most_bytes:
                            break
        return found, reached

    def minutes(self, ask: Ask, marks: Marks, above: Marks | None = None) -> dict[int, int]:
        """See store.port.Reader.minutes."""
        total: Counter[int] = Counter()
        for segment, last, first in self._stretches(ask, marks, above):
            with self._setting_aside(segment):
                total.update(self._segment(segment).minutes(ask, most=last, above=first))
        return dict(total)

    def keys(self, ask: Ask, marks: Marks, above: Marks | None = None) -> list[Place]:
        """See store.port.Reader.keys."""
        found: list[Place] = []
        for segment, last, first in self._stretches(ask, marks, above):
            with self._setting_aside(segment):
                found += self._segment(segment).answer(partial(Segment.keys, ask=ask, most=last, above=first))
        found.sort(reverse=True)
        return found

    def _stretches(
        self, ask: Ask, marks: Marks, above: Marks | None
    ) -> Iterator[tuple[int, int, int | None]]:
        """(segment, last seq, seq before the first or None) of what lies between the marks."""
        for segment, _, _ in self._overlapping(ask):
            if segment not in marks:
                continue
            first = None if above is None else above.get(segment)
            if first is None or first < marks[segment]:
                yield segment, marks[segment], first

    # --- long scans

    def pieces(self, ask: Ask, marks: Marks) -> list[Piece]:
        """See store.port.Reader.pieces."""
        return [
            Piece(one, schema.first_seq(one), marks[one], lo, hi, marks[one] - schema.first_seq(one) + 1)
            for one, lo, hi in self._overlapping(ask)
            if one in marks
        ]

    def trail(self, ask: Ask, piece: Piece) -> Iterator[Stretch]:
        """See store.port.Reader.trail."""
        with self._setting_aside(piece.segment):
            found = self._segment(piece.segment)
            found.users += 1
            try:
                yield from trail(found, ask, piece)
            finally:
                found.users -= 1

    def cut(self, piece: Piece, records: int) -> list[Piece]:
        """See store.port.Reader.cut."""
        return self._answer(Ask(), piece.segment, lambda segment: segment.cut(piece, records)) or []

    def candidates(self, ask: Ask, marks: Marks, most: int) -> Candidates:
        """See store.port.Reader.candidates."""
        found, indexed = 0, False
        for segment, last, _ in self._stretches(ask, marks, None):
            with self._setting_aside(segment):
                here = self._segment(segment).answer(
                    partial(Segment.candidates, ask=ask, last=last, most=most)
                )
                found += here.records
                indexed = indexed or here.indexed
            if found >= most:
                break
        return Candidates(found, indexed)

    def set_aside(self, segment: int, why: str) -> None:
        """See store.port.Reader.set_aside."""
        if segment in self._entries:
            self._aside.setdefault(segment, why)

    # --- streams and sums

    def _streams(self) -> Mapping[str, Any]:
        if not self._refresh() or self._catalog is None:
            return {}
        with schema.outage(self._path):
            parts = [read_streams(self._catalog)]
        for segment, entry in self._entries.items():
            if not entry.sealed:
                with self._setting_aside(segment):
                    parts.append(read_streams(self._segment(segment).connection))
        return newest_streams(parts)

    def progress(self, stream: str) -> Progress:
        """See store.port.Reader.progress."""
        return read_progress(self._streams().get(stream))

    def streams(self) -> list[str]:
        """See store.port.Reader.streams."""
        return sorted(self._streams())

    def totals(self) -> Totals:
        """See store.port.Reader.totals."""
        self._refresh()
        records = raw = 0
        times: list[int] = []
        for entry in self._entries.values():
            known: Any = entry
            if not entry.sealed:
                with self._setting_aside(entry.segment):
                    known = self._segment(entry.segment).meta
            records += known.n
            raw += known.bytes_raw
            times += [time for time in (known.lo, known.hi) if time is not None]
        return Totals(
            records, raw, schema.bytes_in(self._folder), min(times, default=None), max(times, default=None)
        )

    def close(self) -> None:
        """Let go of all files."""
        for segment in self._open.values():
            segment.close()
        self._open.clear()
        if self._catalog is not None:
            self._catalog.close()
            self._catalog = None
            self._catalog_version = -1
