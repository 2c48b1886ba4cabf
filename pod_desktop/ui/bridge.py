"""What the window asks of the rooms below, and how it asks without ever waiting.

A Desk answers questions about records; the window calls it on worker threads only (check() apart) and gets
the answers back on its own. Tests put an in-memory desk here, the program one over the store.
"""

from __future__ import annotations

import heapq
import itertools
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol, TypeVar

from PySide6.QtCore import QObject, Signal
from shiboken6 import isValid

from pod_desktop.core.blocks import Block
from pod_desktop.core.faults import Fault
from pod_desktop.core.record import EventRow
from pod_desktop.core.status import StreamStatus
from pod_desktop.query import Completion
from pod_desktop.services.facets import Facet
from pod_desktop.services.journey import Journey
from pod_desktop.services.looks import Look
from pod_desktop.services.seen import Seen
from pod_desktop.services.statistics import Part
from pod_desktop.store import Note
from pod_desktop.ui import bugs

T = TypeVar("T")
CSV: Final = "csv"
NDJSON: Final = "ndjson"
PARQUET: Final = "parquet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What the Events screen shows."""

    text: str = ""
    """As typed; '' is everything."""
    kinds: tuple[str, ...] = ()
    """Content types; empty: all."""
    span: int | None = None
    """The last so many microseconds, moving with the clock; None: no moving window."""
    since: int | None = None
    until: int | None = None
    """Fixed bounds, microseconds UTC; `until` is not included."""


class Span(NamedTuple):
    """A piece of a query's text and what it is: field, operator, keyword, string, number or error."""

    begin: int
    end: int
    kind: str


@dataclass(frozen=True, slots=True)
class ColourRule:
    """Rows that match the query get the tone (core.blocks, or `special`)."""

    query: str
    tone: str


@dataclass(frozen=True, slots=True)
class Dress:
    """What rows show beyond their own columns."""

    fields: tuple[str, ...] = ()
    """Fields and paths as queries name them."""
    rules: tuple[ColourRule, ...] = ()
    """The first that fits gives the colour; one that cannot be understood fits nothing."""

    def __bool__(self) -> bool:
        return bool(self.fields or self.rules)


class Advance(Protocol):
    """What became of a view since it was last asked (services.browse has the real one)."""

    @property
    def total(self) -> int: ...
    @property
    def inserted(self) -> Sequence[tuple[int, int]]:
        """(row, count), final positions, ascending."""
        ...

    @property
    def reset(self) -> bool:
        """Rows may have changed anywhere: begin again."""
        ...

    @property
    def more(self) -> bool:
        """Older records are still being looked through."""
        ...


class View(Protocol):
    """The rows of one question, newest first; used from one worker thread."""

    @property
    def total(self) -> int: ...
    def advance(self) -> Advance: ...
    def step(self) -> bool:
        """Look a little further back; True while there is more to look through."""
        ...

    def rows(self, first: int, count: int) -> Sequence[EventRow]: ...
    def row_of(self, seq: int) -> int | None: ...
    def cancel(self) -> None:
        """Look no further back; from any thread. What was found stays."""
        ...

    @property
    def progress(self) -> float | None:
        """How much of a long scan is done, 0 to 1; None where nothing takes long."""
        ...

    @property
    def problems(self) -> Sequence[str]:
        """What the rows are without, in words."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One record, whole, for the detail pane."""

    row: EventRow
    raw: bytes
    value: Any
    """The clean view: what JSON says, repaired and bounded; None if it cannot be read."""
    repaired: bool = False
    cut: bool = False
    problem: str = ""
    """Why it cannot be read, in words."""
    blocks: tuple[Block, ...] = ()
    cluster: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """What the frame shows of the whole: collectors and store."""

    streams: tuple[StreamStatus, ...] = ()
    collecting: bool = True
    """The service is alive."""
    records: int = 0
    bytes_raw: int = 0
    bytes_disk: int = 0
    oldest: int | None = None
    newest: int | None = None
    connectors: int = 0
    """Defined, running or not."""


class Desk(Protocol):
    """The rooms below, as the window sees them. Every method but check() runs on a worker thread.

    All raise Fault where something is wrong that people can be told.
    """

    def check(self, text: str) -> Sequence[Span]:
        """The query's pieces for colouring. Quick; called while one types.

        Raises:
            UserFault: it cannot be understood; with `column` and `length` attributes where known.
        """
        ...

    def open(self, question: Question) -> View: ...

    def count(self, question: Question) -> int | None:
        """Records there are without the question's text; None if that would take long."""
        ...

    def histogram(
        self, question: Question, since: int, until: int, every: int, job: Job | None = None
    ) -> Sequence[tuple[int, str, int]]:
        """(start of bar, outcome, how many), ascending. Raises Unwanted once `job` is cancelled."""
        ...

    def record(self, row: EventRow) -> Record: ...

    def overview(self) -> Overview: ...

    def export(
        self, question: Question, path: Path, form: str, job: Job, rows: Sequence[EventRow] | None = None
    ) -> int:
        """Write all matching records, or `rows`, as CSV, NDJSON with raw records or Parquet.

        Tells `job` how far it is; returns how many were written.
        """
        ...

    def complete(self, text: str, cursor: int) -> Sequence[Completion]:
        """What could stand at the cursor, values seen included, best first."""
        ...

    def facet(self, question: Question, field: str, most: int, job: Job) -> Facet:
        """The commonest values of a field. Raises Unwanted once `job` is cancelled."""
        ...

    def looks(self, rows: Sequence[EventRow], dress: Dress) -> Sequence[Look]:
        """What the rows show beyond their columns, in their order."""
        ...

    def journey(self, row: EventRow, job: Job) -> Journey:
        """The message that a record is about, over filter and mail log. Raises Unwanted once `job` is cancelled."""
        ...

    def seen(self, row: EventRow, job: Job) -> Sequence[Seen]:
        """What the week before brought of the same. Raises Unwanted once `job` is cancelled."""
        ...

    def statistics(self, since: int | None, until: int, job: Job) -> Iterator[Part]:
        """Plots, one after the other; to be iterated on one worker thread. Raises Unwanted once `job` is cancelled."""
        ...

    def notes_version(self) -> int:
        """Changes whenever a mark or comment changed, by whichever process."""
        ...

    def notes(self) -> Mapping[str, Note]:
        """All marks and comments, by record id."""
        ...

    def mark(self, record_ids: Sequence[str], marked: bool) -> None: ...

    def comment(self, record_ids: Sequence[str], words: str) -> None:
        """Say something about records; '' takes their comments away."""
        ...


class Job:
    """How far something long is, and whether it is still wanted; shared by two threads."""

    def __init__(self) -> None:
        self.done = 0
        self.total = 0
        self.note = ""
        self._cancelled = threading.Event()

    def cancel(self) -> None:
        """No longer wanted."""
        self._cancelled.set()

    @property
    def cancelled(self) -> bool:
        return self._cancelled.is_set()


@dataclass(order=True, slots=True)
class _Ask:
    urgency: int
    number: int
    work: Callable[[], Any] = field(compare=False)
    then: Callable[[Any], None] = field(compare=False)
    failed: Callable[[BaseException], None] | None = field(compare=False)
    owner: QObject | None = field(compare=False)
    key: str = field(compare=False, default="")


class Worker(QObject):
    """One thread that works off questions in order; answers arrive on the window's thread in that order."""

    _answered = Signal(object)

    def __init__(self, name: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._numbers = itertools.count()
        self._waiting: list[_Ask] = []
        self._newest: dict[str, int] = {}
        self._wake = threading.Condition()
        self._stopping = False
        self._answered.connect(self._deliver)
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def ask(
        self,
        work: Callable[[], T],
        then: Callable[[T], None],
        failed: Callable[[BaseException], None] | None = None,
        *,
        owner: QObject | None = None,
        key: str = "",
        urgency: int = 1,
    ) -> None:
        """Run `work` on the thread, then `then` or `failed` on the window's.

        A later ask with the same `key` makes an earlier one stale: it is skipped, or its answer dropped.
        Nothing is delivered once `owner` is gone. Lower `urgency` goes first.
        """
        ask = _Ask(urgency, next(self._numbers), work, then, failed, owner, key)
        with self._wake:
            if key:
                self._newest[key] = ask.number
            heapq.heappush(self._waiting, ask)
            self._wake.notify()

    def forget(self, key: str) -> None:
        """Make whatever was asked under this key stale."""
        with self._wake:
            self._newest[key] = next(self._numbers)

    def tell(self, owner: QObject, then: Callable[[T], None], told: T) -> None:
        """For work on the thread: have `then(told)` called on the window's, unless `owner` has gone.

        A signal of the owner's own does not do: the window may destroy it in the middle of an emission.
        """
        self._say((_Ask(0, 0, _nothing, then, None, owner), told, None))

    def stop(self, seconds: float = 2.0) -> bool:
        """Finish what is being worked on and end; False if that took longer."""
        with self._wake:
            self._stopping = True
            self._waiting.clear()
            self._wake.notify()
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _stale(self, ask: _Ask) -> bool:
        return bool(ask.key) and self._newest.get(ask.key) != ask.number

    def _run(self) -> None:
        while True:
            with self._wake:
                while not self._waiting and not self._stopping:
                    self._wake.wait()
                if self._stopping:
                    return
                ask = heapq.heappop(self._waiting)
                if self._stale(ask):
                    continue
            if not self._say(_work_off(ask)):
                return

    def _say(self, answered: tuple[_Ask, Any, BaseException | None]) -> bool:
        try:
            self._answered.emit(answered)
        except RuntimeError:  # the window has gone meanwhile, and this object with it
            return False
        return True

    def _deliver(self, answered: tuple[_Ask, Any, BaseException | None]) -> None:
        ask, answer, error = answered
        if self._stopping or self._stale(ask) or (ask.owner is not None and not isValid(ask.owner)):
            return
        if error is None:
            ask.then(answer)
            return
        if not isinstance(error, Fault):
            bugs.report(error)
        if ask.failed is not None:
            ask.failed(error)


def _nothing() -> None:
    """The work behind what is told while the real work goes on."""


def _work_off(ask: _Ask) -> tuple[_Ask, Any, BaseException | None]:
    try:
        return ask, ask.work(), None
    except BaseException as error:
        return ask, None, error
