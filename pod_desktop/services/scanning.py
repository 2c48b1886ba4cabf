"""A reader that has long scans done by workers: searches, counts, histograms and facets alike.

A question is a scan where many raw records have to be opened to answer it. It is cut into pieces, newest first;
what they bring is handed on in the order of the rows, as soon as nothing newer can come. All other questions
go to the store as they are.
"""

from __future__ import annotations

import heapq
import time
from array import array
from bisect import insort
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Final, NamedTuple

from pod_desktop.core.faults import Unwanted, UserFault
from pod_desktop.core.record import EventRow
from pod_desktop.services import scan_wire
from pod_desktop.services.asking import Judge
from pod_desktop.services.scan_pool import Answers, Pool
from pod_desktop.services.scan_wire import Task
from pod_desktop.store import (
    Ask,
    Candidates,
    Marks,
    Order,
    Piece,
    Place,
    Progress,
    Reader,
    Source,
    StoredRecord,
    Stretch,
    Totals,
    segment_of,
)

FEW_RECORDS: Final = 20_000
"""So many raw records are opened here in less time than a worker takes to start."""
PIECE_RECORDS: Final = 4_096
INDEXED_PIECE_RECORDS: Final = 32_768
"""Where an index finds what is to be opened: each piece asks it anew."""
_AHEAD: Final = 32
"""Pieces that are known before their turn."""
_LIVE_SECONDS: Final = 1.0
"""Without being asked for so long, a scan rests."""
_WAIT_SECONDS: Final = 0.05
_ROWS_AT_ONCE: Final = 256


class Help(NamedTuple):
    """How the asking thread and workers share a scan."""

    alone: float
    """Seconds before workers are asked: a command that is done by then starts none."""
    joins: bool
    """The asking thread looks too while workers do; not in a window, whose own thread would feel that."""


WINDOW: Final = Help(0.0, False)
COMMAND: Final = Help(0.3, True)


class Scan:
    """One question being answered piece by piece, for one thread; cancel() from any."""

    def __init__(
        self,
        pool: Pool,
        reader: Reader,
        ask: Ask,
        marks: Marks,
        *,
        order: Order,
        records: int,
        sharing: Help,
    ) -> None:
        """
        Args:
            records: at most so many in a piece.
        """
        self._pool = pool
        self._reader = reader
        self._ask = ask
        self._size = records
        self._sign = -1 if order == "newest" else 1
        self.answers: Answers = pool.answers(Task(ask.tree, ask.kinds, ask.connectors))
        whole = reader.pieces(ask, marks)
        self.total = sum(piece.records for piece in whole)
        """Records that lie before it, about."""
        self.done = 0
        self._parts = sorted(whole, key=self._edge, reverse=True)
        """Not cut yet; the next one last."""
        self._pieces: list[Piece] = []
        """Cut and not taken in yet, the next one first."""
        self._found: list[tuple[int, int]] = []
        """A heap of keys whose turn has not come."""
        self.lost: dict[Piece, str] = {}
        """What could not be looked through, and why."""
        self.damaged: dict[int, str] = {}
        """Segments that were set aside, and why."""
        self._cancelled = False
        self._heard = time.monotonic()
        self._alone_until = self._heard + sharing.alone
        self._joins = sharing.joins
        pool.join(self)

    def _edge(self, piece: Piece) -> int:
        """Where its records begin in the order asked for."""
        return -piece.newest if self._sign < 0 else piece.oldest

    @property
    def more(self) -> bool:
        """Is there more to come?"""
        return not self._cancelled and bool(self._parts or self._pieces or self._found)

    def cancel(self) -> None:
        """No more is wanted."""
        self._cancelled = True
        self._pool.leave(self)

    # --- for the pool, which holds its lock

    def is_live(self) -> bool:
        return not self._cancelled and time.monotonic() - self._heard < _LIVE_SECONDS

    def open_pieces(self) -> Iterator[Piece]:
        return (piece for piece in self._pieces if self.answers.is_open(piece))

    # --- for who asks

    def step(self, seconds: float) -> list[Place]:
        """Keys that come next, in order: those there are, or what comes within so many seconds.

        Raises:
            Unwanted: the question's `wanted` said no.
        """
        until = time.monotonic() + seconds
        while self.more:
            if self._ask.wanted is not None and not self._ask.wanted():
                self.cancel()
                raise Unwanted("No longer wanted.")
            self._cut_more()
            with self._pool.changed:
                self._heard = time.monotonic()
                self._take_in()
            ripe = self._ripe()
            if ripe or not self.more or time.monotonic() >= until:
                return ripe
            self._go_on(until)
        return []

    def _go_on(self, until: float) -> None:
        """Have something done, here or by workers, and wait for a little while."""
        now = time.monotonic()
        helped = now >= self._alone_until and self._pool.helps
        if helped:
            self._pool.work(len(self._pieces) + len(self._parts))
        if self._joins or not helped:
            self._look()
            return
        with self._pool.changed:
            if not any(self._is_done(piece) for piece in self._pieces):
                self._pool.changed.wait(max(0.0, min(until - now, _WAIT_SECONDS)))

    def _cut_more(self) -> None:
        """Cut the next parts, as many as can be next."""
        while self._parts and (
            len(self._pieces) < _AHEAD or self._edge(self._parts[-1]) < self._edge(self._pieces[_AHEAD - 1])
        ):
            part = self._parts.pop()
            for piece in self._pool.cut(self._reader, part, self._size):
                if self._overlaps(piece):
                    insort(self._pieces, piece, key=self._edge)
                else:
                    self.done += piece.records
            if problem := self._reader.problem_of(part.segment):
                self.damaged.setdefault(part.segment, problem)

    def _overlaps(self, piece: Piece) -> bool:
        since, until = self._ask.since, self._ask.until
        return (until is None or piece.oldest < until) and (since is None or piece.newest >= since)

    def _is_done(self, piece: Piece) -> bool:
        answers = self.answers
        return piece in answers.known or piece in answers.failed or piece.segment in answers.damaged

    def _take_in(self) -> None:
        """Move what is known of its pieces among the keys found."""
        answers = self.answers
        if answers.bug:
            raise RuntimeError(f"a scanning worker failed:\n{answers.bug}")
        left = []
        for piece in self._pieces:
            if not self._is_done(piece):
                left.append(piece)
                continue
            self.done += piece.records
            if piece in answers.known:
                self._put(answers.known[piece])
            elif piece in answers.failed:
                self.lost[piece] = answers.failed[piece]
            else:
                self.damaged[piece.segment] = answers.damaged[piece.segment]
        self._pieces = left

    def _put(self, data: bytes) -> None:
        for moment, seq in scan_wire.unpacked(data):
            if self._is_within(moment):
                heapq.heappush(self._found, (self._sign * moment, self._sign * seq))

    def _is_within(self, moment: int) -> bool:
        since, until = self._ask.since, self._ask.until
        return (since is None or moment >= since) and (until is None or moment < until)

    def _ripe(self) -> list[Place]:
        """Keys before which nothing can come any more."""
        edges = [self._edge(part) for part in (*self._pieces[:1], *self._parts[-1:])]
        first = min(edges, default=None)
        ripe: list[Place] = []
        while self._found and (first is None or self._found[0][0] < first):
            moment, seq = heapq.heappop(self._found)
            ripe.append(Place(self._sign * moment, self._sign * seq))
        return ripe

    def _look(self) -> None:
        """Look through the next piece in this thread."""
        with self._pool.changed:
            piece = next(self.open_pieces(), None)
            if piece is None:
                if not any(self._is_done(one) for one in self._pieces):
                    self._pool.changed.wait(_WAIT_SECONDS)
                return
            self.answers.flying.add(piece)
        try:
            bare = replace(self._ask, since=None, until=None)
            found = self._reader.keys(bare, {piece.segment: piece.high}, {piece.segment: piece.low - 1})
            problem = self._reader.problem_of(piece.segment)
            with self._pool.changed:
                if problem:
                    self.answers.damaged[piece.segment] = problem
                else:
                    self.answers.put(piece, scan_wire.packed(found))
        finally:
            with self._pool.changed:
                self.answers.flying.discard(piece)
                self._pool.changed.notify_all()


class _Gathering(Scan):
    """A scan whose order does not matter: what is found is only collected."""

    def __init__(
        self, pool: Pool, reader: Reader, ask: Ask, marks: Marks, *, records: int, sharing: Help
    ) -> None:
        self._seqs = array("q")
        super().__init__(pool, reader, ask, marks, order="newest", records=records, sharing=sharing)

    def _put(self, data: bytes) -> None:
        found = array("q")
        found.frombytes(data)
        times, seqs = found[::2], found[1::2]
        if self._ask.since is None and self._ask.until is None:
            self._seqs.extend(seqs)
        else:
            self._seqs.extend(seq for moment, seq in zip(times, seqs, strict=True) if self._is_within(moment))

    def gather(self) -> array[int]:
        """All seqs, ascending; without those of segments that turned out damaged."""
        while self.more:
            self.step(_WAIT_SECONDS)
        return array("q", sorted(seq for seq in self._seqs if segment_of(seq) not in self.damaged))


class ScanningReader:
    """store.Reader over another one of the same store; used from one thread at a time, as that is."""

    def __init__(self, reader: Reader, pool: Pool, sharing: Help = WINDOW) -> None:
        self._reader = reader
        self._pool = pool
        self._sharing = sharing
        self._lost: dict[Piece, str] = {}

    # --- what may be a scan

    def scan(self, ask: Ask, marks: Marks, order: Order = "newest") -> Scan | None:
        """The question's scan, to be stepped through; None where it is no long one."""
        records = self._records(ask, marks)
        if not records:
            return None
        return Scan(self._pool, self._reader, ask, marks, order=order, records=records, sharing=self._sharing)

    def _records(self, ask: Ask, marks: Marks) -> int:
        """How many records a piece of the question's scan has; 0 where it is no scan."""
        judge = ask.matches
        if not isinstance(judge, Judge) or judge.tree != ask.tree or ask.seqs is not None:
            return 0
        found = self._reader.candidates(ask, marks, FEW_RECORDS)
        if found.records < FEW_RECORDS:
            return 0
        return INDEXED_PIECE_RECORDS if found.indexed else PIECE_RECORDS

    def _gathered(self, ask: Ask) -> Ask | None:
        """The records that match, found by a scan; None where it is none."""
        marks = self._reader.marks()
        records = self._records(ask, marks)
        if not records:
            return None
        scan = _Gathering(self._pool, self._reader, ask, marks, records=records, sharing=self._sharing)
        try:
            seqs = scan.gather()
        finally:
            self.end(scan)
        return Ask(seqs=seqs, values=ask.values, wanted=ask.wanted)

    def end(self, scan: Scan) -> None:
        """Nothing more is wanted of a scan; what it could not look through is remembered."""
        scan.cancel()
        self._lost |= scan.lost
        for segment, why in scan.damaged.items():
            self._reader.set_aside(segment, why)

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
        seen = self._reader.marks() if marks is None else marks
        scan = (
            None if limit is not None and limit <= 0 else self.scan(_behind(ask, order, after), seen, order)
        )
        if scan is None:
            yield from self._reader.search(ask, order=order, after=after, limit=limit, marks=marks)
            return
        try:
            yield from islice(self._rows(scan, order, after), limit)
        finally:
            self.end(scan)

    def _rows(self, scan: Scan, order: Order, after: Place | None) -> Iterator[EventRow]:
        while scan.more:
            places = scan.step(_WAIT_SECONDS)
            if after is not None:
                places = [
                    place for place in places if (place < after if order == "newest" else place > after)
                ]
            for at in range(0, len(places), _ROWS_AT_ONCE):
                yield from self._reader.rows([place.seq for place in places[at : at + _ROWS_AT_ONCE]])

    def count(self, ask: Ask) -> int:
        """See store.port.Reader.count."""
        found = self._gathered(ask)
        return self._reader.count(ask) if found is None else len(found.seqs or ())

    def count_by(self, ask: Ask, name: str, limit: int = 1_000) -> list[tuple[str, int]]:
        """See store.port.Reader.count_by."""
        return self._reader.count_by(self._gathered(ask) or ask, name, limit)

    def histogram(self, ask: Ask, every: int) -> list[tuple[int, str, int]]:
        """See store.port.Reader.histogram."""
        if every <= 0:
            raise UserFault("The length of an interval must be above zero.", "every")
        return self._reader.histogram(self._gathered(ask) or ask, every)

    def problems(self) -> list[str]:
        """See store.port.Reader.problems."""
        return [*self._reader.problems(), *self._lost.values()]

    # --- what the store does itself

    def version(self) -> int:
        return self._reader.version()

    def raw(self, seq: int) -> bytes:
        return self._reader.raw(seq)

    def source(self, seq: int) -> Source:
        return self._reader.source(seq)

    def row(self, seq: int) -> EventRow:
        return self._reader.row(seq)

    def rows(self, seqs: Sequence[int]) -> list[EventRow]:
        return self._reader.rows(seqs)

    def raws(self, seqs: Sequence[int]) -> Mapping[int, bytes]:
        return self._reader.raws(seqs)

    def values_of(self, seqs: Sequence[int], name: str) -> Mapping[int, str] | None:
        return self._reader.values_of(seqs, name)

    def find(self, kind: str, rid: str) -> EventRow | None:
        return self._reader.find(kind, rid)

    def progress(self, stream: str) -> Progress:
        return self._reader.progress(stream)

    def streams(self) -> list[str]:
        return self._reader.streams()

    def totals(self) -> Totals:
        return self._reader.totals()

    def problem_of(self, segment: int) -> str:
        return self._reader.problem_of(segment)

    def marks(self) -> Marks:
        return self._reader.marks()

    def lanes(self) -> Mapping[int, str]:
        return self._reader.lanes()

    def stored(
        self, marks: Marks, above: Marks, *, limit: int, most_bytes: int
    ) -> tuple[list[StoredRecord], Marks]:
        return self._reader.stored(marks, above, limit=limit, most_bytes=most_bytes)

    def minutes(self, ask: Ask, marks: Marks, above: Marks | None = None) -> dict[int, int]:
        return self._reader.minutes(ask, marks, above)

    def keys(self, ask: Ask, marks: Marks, above: Marks | None = None) -> list[Place]:
        return self._reader.keys(ask, marks, above)

    def pieces(self, ask: Ask, marks: Marks) -> list[Piece]:
        return self._reader.pieces(ask, marks)

    def trail(self, ask: Ask, piece: Piece) -> Iterator[Stretch]:
        return self._reader.trail(ask, piece)

    def cut(self, piece: Piece, records: int) -> list[Piece]:
        return self._reader.cut(piece, records)

    def candidates(self, ask: Ask, marks: Marks, most: int) -> Candidates:
        return self._reader.candidates(ask, marks, most)

    def set_aside(self, segment: int, why: str) -> None:
        self._reader.set_aside(segment, why)

    def close(self) -> None:
        self._reader.close()


def _behind(ask: Ask, order: Order, after: Place | None) -> Ask:
    """The question cut to the times that rows behind `after` can have."""
    if after is None:
        return ask
    if order == "newest":
        return replace(ask, until=after.time + 1 if ask.until is None else min(ask.until, after.time + 1))
    return replace(ask, since=after.time if ask.since is None else max(ask.since, after.time))
