"""What any event store does for the rooms above, whatever engine is behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple, Protocol

from pod_desktop.core.record import Arrival, EventRow
from pod_desktop.core.status import Counters
from pod_desktop.query.tree import Everything, Node

LIVE: Final = "live"
BACKFILL: Final = "backfill"
"""The two write lanes; each has its own active segment, so that time ranges stay narrow."""

Order = Literal["newest", "oldest"]
Matches = Callable[[str, bytes, "Source"], bool]
"""(kind, raw record, source) -> does it match; asked where the columns alone cannot decide."""

FieldValues = Callable[[str, bytes, "Source", str], Sequence[str | int | float]]
"""(kind, raw record, source, field) -> the field's values."""
Spots = Callable[[bytes, Sequence[int]], Sequence[int]]
"""(raw records joined, the offset of each and the end of the last) -> places, ascending, of those that may match."""
Marks = Mapping[int, int]
"""How far a view has seen: the last seq of each segment (or part) of the store. What lies up to these marks
never changes, so a view that asks within them sees one unmoving list while records arrive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where records come from. Kept with every record, so a renamed or deleted connector stays readable."""

    connector: str
    tenant: str
    cluster_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """One durable transaction: records, and what makes a restart go on exactly behind them."""

    source: Source
    lane: str
    records: Sequence[Arrival]
    stream: str
    """Key of the stream's progress, `<connector>/<kind>` (or `import/<file>`)."""
    progress: Mapping[str, object] = field(default_factory=dict)
    """Small JSON values merged into the stream's progress (cursor, finished archive hours)."""
    counters: Counters = field(default_factory=Counters)
    """Added to the stream's counters, without stored, duplicates, quarantined and bytes_raw:
    these the store counts itself."""
    tally: Callable[[Mapping[str, object], Sequence[Arrival]], Mapping[str, object]] | None = None
    """(the stream's progress with `progress` merged, the records that are new) -> small JSON values merged
    too: sums over what was stored that are never out of step with it."""


class Committed(NamedTuple):
    stored: int
    duplicates: int
    quarantined: int


class Progress(NamedTuple):
    """A stream's progress as of its last commit."""

    values: dict[str, object]
    counters: Counters


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A question to the store."""

    tree: Node = field(default_factory=Everything)
    since: int | None = None
    """Microseconds UTC, included."""
    until: int | None = None
    """Microseconds UTC, not included."""
    kinds: tuple[str, ...] = ()
    """Empty: all."""
    connectors: tuple[str, ...] = ()
    """Names; empty: all."""
    matches: Matches | None = None
    """The tree as a predicate on the raw record; without it a tree that columns cannot decide raises."""
    spots: Spots | None = field(default=None, compare=False)
    """Of which records `matches` is worth asking: what else a long scan looks at it passes by unread."""
    values: FieldValues | None = None
    """Values of a field of the raw record, for count_by of a field that is no column."""
    seqs: Sequence[int] | None = None
    """Only these records, ascending; None: any."""
    wanted: Callable[[], bool] | None = field(default=None, compare=False)
    """Asked now and then while something long goes on; once it says no, core.faults.Unwanted is raised."""
    brief: bool = False
    """Rows are wanted with their first recipient only, which is less work."""


class Place(NamedTuple):
    """Where a row stands in the order by time; pages go on behind it."""

    time: int
    seq: int


class Piece(NamedTuple):
    """Records stored one behind the other, which one process looks through at a time."""

    segment: int
    low: int
    high: int
    """The first and the last seq; the records of it may be fewer than lie between."""
    oldest: int
    newest: int
    """Microseconds UTC; none of its records is outside."""
    records: int


class Stretch(NamedTuple):
    """Some of what matches in a piece."""

    keys: list[Place]
    """In no certain order."""
    left: int
    """Microseconds UTC; all that may still come is of this time or older."""


class Candidates(NamedTuple):
    """What has to be judged by its raw bytes."""

    records: int
    indexed: bool
    """An index finds them among the others."""


class Totals(NamedTuple):
    records: int
    bytes_raw: int
    bytes_disk: int
    oldest: int | None
    newest: int | None
    """Microseconds UTC of the records' own times."""


class StoredRecord(NamedTuple):
    """A record as it was committed."""

    seq: int
    time: int
    """Microseconds UTC."""
    kind: str
    source: Source
    raw: bytes
    """Exactly as received."""


class Writer(Protocol):
    """One per data directory; used from one thread at a time."""

    def commit(self, commit: Commit) -> Committed:
        """Store what is new, count what is known, durably, in one transaction.

        Raises:
            Outage: the disk is full or failing; nothing of this commit was kept.
        """
        ...

    def progress(self, stream: str) -> Progress: ...

    def tidy(self) -> None:
        """Housekeeping between commits (checkpoints, sealing full segments in the background)."""
        ...

    def close(self) -> None: ...


class Reader(Protocol):
    """Any number, in any process, while a writer writes; each used from one thread at a time."""

    def version(self) -> int:
        """Changes whenever a commit has landed; cheap enough to be asked ten times a second."""
        ...

    def search(
        self,
        ask: Ask,
        *,
        order: Order = "newest",
        after: Place | None = None,
        limit: int | None = None,
        marks: Marks | None = None,
    ) -> Iterator[EventRow]:
        """Matching rows in order of time (ties by seq), from `after` on; with `marks` only up to these."""
        ...

    def count(self, ask: Ask) -> int: ...

    def count_by(self, ask: Ask, name: str, limit: int = 1_000) -> list[tuple[str, int]]:
        """Values of a field and how many records have them, most frequent first."""
        ...

    def histogram(self, ask: Ask, every: int) -> list[tuple[int, str, int]]:
        """(start of bucket in microseconds UTC, outcome, count), ascending; `every` in microseconds."""
        ...

    def raw(self, seq: int) -> bytes:
        """The record exactly as received.

        Raises:
            KeyError: no such record.
            Outage: its block is damaged.
        """
        ...

    def raws(self, seqs: Sequence[int]) -> Mapping[int, bytes]:
        """Many records exactly as received, by key; those that are not there or damaged are left out."""
        ...

    def values_of(self, seqs: Sequence[int], name: str) -> Mapping[int, str] | None:
        """One field of many records, by key, where it is one value and stored by itself; None where it is not.

        Records that are not there, or have no such value, are left out.
        """
        ...

    def source(self, seq: int) -> Source: ...

    def row(self, seq: int) -> EventRow: ...

    def rows(self, seqs: Sequence[int]) -> list[EventRow]:
        """Rows by key, in the order asked; those that are not there (any more) are left out."""
        ...

    def find(self, kind: str, rid: str) -> EventRow | None: ...

    def progress(self, stream: str) -> Progress: ...

    def streams(self) -> list[str]:
        """All streams that ever committed."""
        ...

    def totals(self) -> Totals: ...

    def problems(self) -> list[str]:
        """Damaged or missing parts that were set aside, in words; the rest answers without them."""
        ...

    def problem_of(self, segment: int) -> str:
        """Why a segment (or part) was set aside; '' where it was not."""
        ...

    def marks(self) -> Marks:
        """All that is committed now."""
        ...

    def lanes(self) -> Mapping[int, str]:
        """The write lane of each segment (or part) that marks() may name."""
        ...

    def stored(
        self, marks: Marks, above: Marks, *, limit: int, most_bytes: int
    ) -> tuple[list[StoredRecord], Marks]:
        """Records up to `marks` and stored after `above`, in the order of commit within a segment.

        Stops after `limit` records or `most_bytes` raw bytes; also gives how far it came, which is the
        next `above`. A segment that `above` does not name is read from its beginning; records whose block
        is damaged are left out.
        """
        ...

    def minutes(self, ask: Ask, marks: Marks, above: Marks | None = None) -> dict[int, int]:
        """Records by minute (since 1970), up to `marks` and stored after `above`; the tree is not asked."""
        ...

    def keys(self, ask: Ask, marks: Marks, above: Marks | None = None) -> list[Place]:
        """Keys of all matching records up to `marks` and stored after `above`, newest first."""
        ...

    def pieces(self, ask: Ask, marks: Marks) -> list[Piece]:
        """The segments (or parts) that hold records of the question's time up to `marks`; the tree is not asked."""
        ...

    def trail(self, ask: Ask, piece: Piece) -> Iterator[Stretch]:
        """All keys that match in one of pieces(), each part found within moments where that can be.

        It may be left at any part; each segment is asked what its indexes know only once.
        """
        ...

    def cut(self, piece: Piece, records: int) -> list[Piece]:
        """A piece in smaller ones of at most so many records."""
        ...

    def candidates(self, ask: Ask, marks: Marks, most: int) -> Candidates:
        """How many raw records the question wants opened, counted up to about `most`."""
        ...

    def set_aside(self, segment: int, why: str) -> None:
        """Leave a segment (or part) out from now on: another reader has found it damaged."""
        ...

    def close(self) -> None: ...
