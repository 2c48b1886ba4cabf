"""Keeps the table fed: opens a view on the worker, pulls what arrives, fetches the pages that are looked at."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from pod_desktop import query
from pod_desktop.core.record import EventRow
from pod_desktop.ui.bridge import Desk, Question, View, Worker
from pod_desktop.ui.events.model import EventModel, Pull, fetch, pull
from pod_desktop.ui.events.pages import PAGE_ROWS

FOLLOW_MS: Final = 50
CALM_MS: Final = 500
"""How often rows are pulled: at the live edge, and while one reads further down."""
SEARCH_MS: Final = 1
_TROUBLED_MS: Final = 2_000
_FRESH_ROWS: Final = 256
_FIRST_ROWS: Final = 64
"""As many as a screen shows: with the first answer come no more."""
_WISHES: Final = 8
_MOST_MARKED: Final = 20_000
_SETTLE_SECONDS: Final = 1.0


class Feed(QObject):
    """The rows of one question at a time."""

    opened = Signal()
    pulled = Signal(object)
    """A Pull, when one has come; the table takes it."""
    failed = Signal(object)
    """The exception; `troubled` says whether pulling goes on and it may pass by itself."""

    def __init__(
        self,
        desk: Desk,
        model: EventModel,
        anchors: Callable[[], tuple[int, ...]],
        following: Callable[[], bool],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._desk = desk
        self._model = model
        self._anchors = anchors
        self._following = following
        self._worker = Worker("rows", self)
        self._view: View | None = None
        self._pulling = self._fetching = self._begin = self._starting = False
        self._wanted: dict[int, None] = {}
        self._asked_at = 0.0
        self.searching = False
        self.stopped = False
        self.came = False
        """Something has come since it was asked, if only that there is nothing."""
        self.troubled = False
        self.progress: float | None = None
        """How much of a long scan is done, 0 to 1."""
        self.problems: tuple[str, ...] = ()
        """What the rows are without, in words."""
        self.seconds = 0.0
        """How long the search took, once it is over."""
        self.first_seconds = 0.0
        """How long it took until its first rows were there, or that there are none yet."""
        self._pump = QTimer(self, interval=FOLLOW_MS)
        self._pump.setTimerType(Qt.TimerType.PreciseTimer)
        self._pump.timeout.connect(self._pull)
        model.missing.connect(self._want)

    @property
    def waited(self) -> float:
        """Seconds since it was asked."""
        return time.monotonic() - self._asked_at

    def ask(self, question: Question) -> None:
        """Ask anew; the rows shown stay until the first of the new ones are there."""
        if self._view is not None:
            self._view.cancel()
        self._asked_at = time.monotonic()
        self.searching, self.stopped, self.came, self.seconds = True, False, False, 0.0
        self.progress = None
        self._worker.ask(
            lambda: self._desk.open(question), self._opened, self._open_failed, owner=self, key="open"
        )

    def refresh(self, question: Question) -> None:
        """Ask again without a trace: the rows stay until the new ones are there, and what is read stays in place."""
        self._asked_at = time.monotonic()
        self._worker.ask(
            lambda: _settled(self._desk.open(question)), self._replaced, owner=self, key="open", urgency=2
        )

    def _replaced(self, view: View) -> None:
        if self._view is not None:
            self._view.cancel()
        self._view, self._begin = view, True
        self._pulling = self._fetching = self._starting = False
        self._wanted.clear()
        self._pull()

    def cancel(self) -> bool:
        """Look no further back; what was found stays, and new records still come. False if it was over."""
        if not self.searching or self._view is None:
            return False
        self.stopped, self.searching = True, False
        self._view.cancel()
        return True

    def hurry(self) -> None:
        """Pull as often as fits what the reader does now."""
        if not self.troubled:
            self._pump.setInterval(
                SEARCH_MS if self.searching else FOLLOW_MS if self._following() else CALM_MS
            )

    def stop(self) -> None:
        """No more asking."""
        self._pump.stop()
        self._worker.stop()

    def rows_of(
        self,
        ranges: Sequence[tuple[int, int]],
        most: int,
        then: Callable[[list[EventRow]], object],
        failed: Callable[[BaseException], None] | None = None,
    ) -> None:
        """Fetch rows by position, at most so many; part by part, so that the table's own pages come between."""
        view = self._view
        if view is None:
            return
        found: list[EventRow] = []
        parts = list(_parts(ranges, most))

        def more() -> None:
            if not parts or view is not self._view:
                then(found)
                return
            first, count = parts.pop(0)
            self._worker.ask(lambda: list(view.rows(first, count)), come, failed, owner=self, urgency=2)

        def come(rows: list[EventRow]) -> None:
            found.extend(rows)
            more()

        more()

    def find_marked(
        self, question: Question, current: EventRow | None, step: int, then: Callable[[int], None]
    ) -> None:
        """Look for the next marked row below (1) or above (-1) the current one; beyond the last, from the other end."""
        view = self._view
        if view is None:
            return

        def work() -> int | None:
            marked = replace(question, text=query.conjoin(question.text, query.term("marked", "true")))
            return _next_marked(_settled(self._desk.open(marked)), view, current, step)

        def come(number: int | None) -> None:
            if number is not None and view is self._view:
                then(number)

        self._worker.ask(work, come, owner=self, key="marked", urgency=0)

    def _opened(self, view: View) -> None:
        # The old rows stay until the first of the new ones are there: nothing is fetched meanwhile.
        if self._view is not None:
            self._view.cancel()
        self._view = view
        self._pulling = self._fetching = self.troubled = False
        self._begin = self._starting = True
        self._wanted.clear()
        self._pump.start()
        self._pull()

    def _open_failed(self, error: BaseException) -> None:
        self.searching = False
        self.failed.emit(error)

    def _pull(self) -> None:
        if self._view is None or self._pulling:
            return
        view, search = self._view, not self.stopped
        anchors = () if self._starting else self._anchors()
        begin, self._begin = self._begin, False
        first = self._starting  # opening has looked for a first page: show that before looking on
        self._pulling = True
        self._worker.ask(
            lambda: pull(
                view,
                _FIRST_ROWS if first else _FRESH_ROWS,
                search=search and not first,
                anchors=anchors,
                begin=begin,
            ),
            lambda got: self._pulled(view, got),
            lambda error: self._pull_failed(view, error),
            owner=self,
        )

    def _pulled(self, view: View, got: Pull) -> None:
        if view is not self._view:
            return
        self._pulling = self.troubled = False
        self.came = True
        self.progress, self.problems = got.progress, got.problems
        was, self.searching = self.searching, got.more and not self.stopped
        if was and not self.searching:
            self.seconds = self.waited
        if self._starting:
            self._starting = False
            self.first_seconds = self.waited
            self.opened.emit()
        self.pulled.emit(got)
        self.hurry()

    def _pull_failed(self, view: View, error: BaseException) -> None:
        if view is not self._view:
            return
        self._pulling = self.searching = False
        self._begin = self._begin or self._starting
        self.troubled = True
        self._pump.setInterval(_TROUBLED_MS)
        self.failed.emit(error)

    def _want(self, page: int) -> None:
        self._wanted[page] = None
        self._fetch()

    def _fetch(self) -> None:
        if self._fetching or self._starting or not self._wanted or self._view is None:
            return
        view = self._view
        page, _ = self._wanted.popitem()  # the newest wish first: one scrolls past the others
        for old in list(self._wanted)[:-_WISHES]:
            del self._wanted[old]
            self._model.unasked(old)
        self._fetching = True
        self._worker.ask(
            lambda: fetch(view, page),
            lambda got: self._fetched(view, got),
            lambda error: self._fetch_failed(view, page, error),
            owner=self,
            urgency=0,
        )

    def _fetched(self, view: View, got: tuple[int, list[EventRow]]) -> None:
        if view is not self._view:
            return
        self._fetching = False
        self._model.put(*got)
        self._fetch()

    def _fetch_failed(self, view: View, page: int, error: BaseException) -> None:
        if view is not self._view:
            return
        self._fetching = False
        self.troubled = True
        QTimer.singleShot(_TROUBLED_MS, self, lambda: self._model.unasked(page))
        self.failed.emit(error)


def _parts(ranges: Sequence[tuple[int, int]], most: int) -> Iterator[tuple[int, int]]:
    """Ranges in pieces, at most so many rows of them."""
    for begin, length in ranges:
        first, end = begin, begin + min(length, most)
        most -= end - first
        while first < end:
            yield first, min(PAGE_ROWS, end - first)
            first += PAGE_ROWS


def _next_marked(marked: View, view: View, current: EventRow | None, step: int) -> int | None:
    """On the worker: the position of the next marked row; both views are newest first."""
    marked.advance()
    rows = list(marked.rows(0, min(marked.total, _MOST_MARKED)))
    if not rows:
        return None
    if current is None:
        wanted = rows[0] if step > 0 else rows[-1]
    else:
        place = (-current.time, -current.seq)
        below = [row for row in rows if (-row.time, -row.seq) > place]
        above = [row for row in rows if (-row.time, -row.seq) < place]
        wanted = (below or rows)[0] if step > 0 else (above or rows)[-1]
    return view.row_of(wanted.seq)


def _settled(view: View) -> View:
    """On the worker: a view that has found what it can find in a second, to take the place of another."""
    until = time.monotonic() + _SETTLE_SECONDS
    while view.step() and time.monotonic() < until:
        pass
    return view
