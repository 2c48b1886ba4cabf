"""The Events page: puts query bar, histogram, table and detail pane together, and keeps them asking."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHBoxLayout, QMenu, QSplitter, QStackedWidget, QVBoxLayout, QWidget

from pod_desktop.core.clock import MINUTE, SECOND
from pod_desktop.core.faults import Fault, UserFault
from pod_desktop.core.record import AUDIT, MAILLOG, MESSAGE, UNREADABLE, EventRow
from pod_desktop.ui.bridge import Desk, Overview, Question, View, Worker
from pod_desktop.ui.detail.pane import DetailPane
from pod_desktop.ui.events.columns import KIND_WORD
from pod_desktop.ui.events.histogram import Histogram
from pod_desktop.ui.events.model import EventModel, Pull, fetch, pull
from pod_desktop.ui.events.querybar import QueryBar
from pod_desktop.ui.events.table import ROW_HEIGHT, EventTable
from pod_desktop.ui.events.timerange import RangeButton, bar_width, bar_words
from pod_desktop.ui.moments import Zone
from pod_desktop.ui.preferences import Preferences
from pod_desktop.ui.text import PlainLabel
from pod_desktop.ui.widgets import Button, EmptyState, MenuButton, Notice, hairline

FOLLOW_MS: Final = 50
CALM_MS: Final = 500
"""How often rows are pulled: at the live edge, and while one reads further down."""
SEARCH_MS: Final = 1
_FRESH_ROWS: Final = 256
_STALL_MS: Final = 250
KINDS: Final = (MESSAGE, MAILLOG, AUDIT, UNREADABLE)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Counts:
    since: int
    until: int
    every: int
    counts: Sequence[tuple[int, str, int]]
    seconds: float
    of: int | None


class EventsPage(QWidget):
    """Search, watch and read records."""

    export_asked = Signal(str)
    """csv or ndjson: write all that matches."""
    counted = Signal(int)
    following_changed = Signal(bool)

    def __init__(
        self, desk: Desk, preferences: Preferences, zone: Zone, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._desk = desk
        self._preferences = preferences
        self._zone = zone
        self._view: View | None = None
        self._pulling = False
        self._searching = False
        self._counting = False
        self._outage = False
        self._wanted: dict[int, None] = {}
        self._fetching = False
        self._asked_at = 0.0
        self._seconds = 0.0
        self._first_came = False
        self._of: int | None = None
        self._stopped = False
        self._overview = Overview()
        self._rows_worker = Worker("rows", self)
        self._counts_worker = Worker("counts", self)
        self._record_worker = Worker("record", self)
        self._build()
        self._pump = QTimer(self, interval=FOLLOW_MS)
        self._pump.setTimerType(Qt.TimerType.PreciseTimer)
        self._pump.timeout.connect(self._pull)
        self._counter = QTimer(self, singleShot=True, interval=0)
        self._counter.timeout.connect(self._count)
        self.ask()

    # Building

    def _build(self) -> None:
        self.model = EventModel(self._zone, ROW_HEIGHT, self)
        self.model.missing.connect(self._want)
        self.table = EventTable(self.model, self._preferences)
        self.query = QueryBar(self._desk.check, lambda: self._preferences.queries)
        self.range = RangeButton(self._zone)
        self.histogram = Histogram(self._zone)
        self.detail = DetailPane(self._desk, self._record_worker, self._preferences, self._zone)
        self.index_button = self._index_button()
        self.follow_button = Button(
            "Follow ⤓", "plain", self.table.pause, checkable=True, name="Follow new records"
        )
        self.follow_button.setChecked(True)
        menu = QMenu(self)
        menu.addAction("All matching as CSV …", lambda: self.export_asked.emit("csv"))
        menu.addAction("All matching as NDJSON, raw …", lambda: self.export_asked.emit("ndjson"))
        self.export_button = MenuButton("Export", menu)
        self.fault = Notice(tone="bad", button=Button("Try again", "link", self.ask))
        self.fault.hide()
        self._empty = EmptyState()
        self._empty.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._cover = QStackedWidget()
        self._cover.addWidget(self.table)
        self._cover.addWidget(self._empty)
        self.splitter = QSplitter(Qt.Orientation.Horizontal)
        self.splitter.setHandleWidth(1)
        self.splitter.setChildrenCollapsible(False)
        self.splitter.addWidget(self._cover)
        self.splitter.addWidget(self.detail)
        self.splitter.setStretchFactor(0, 3)
        self.splitter.setStretchFactor(1, 1)
        self._cover.setMinimumWidth(360)
        self.detail.setMinimumWidth(300)
        self.splitter.setSizes([870, 420])
        self.splitter.restoreState(self._preferences.state("events/splitter"))
        self.splitter.splitterMoved.connect(
            lambda *_place: self._preferences.keep("events/splitter", self.splitter.saveState())
        )
        self.activities = QVBoxLayout()
        self.activities.setContentsMargins(0, 0, 0, 0)
        self.activities.setSpacing(6)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._toolbar())
        self.strip = self._strip()
        column.addWidget(self.strip)
        column.addWidget(self.fault)
        column.addWidget(self.splitter, 1)
        self._connect()

    def _connect(self) -> None:
        self.table.following_changed.connect(self._followed)
        self.table.chosen.connect(self._chosen)
        self.table.opened.connect(self.open_detail)
        self.query.applied.connect(self._applied)
        self.query.cancelled.connect(self.cancel)
        self.range.chosen.connect(self.ask)
        self.histogram.picked.connect(self._picked)
        self.histogram.cleared.connect(lambda: self.range.choose(None))
        self.detail.moved.connect(self.table.go)
        self.detail.closed.connect(lambda: self.show_detail(False))

    def _toolbar(self) -> QWidget:
        bar = QWidget()
        bar.setProperty("role", "bar")
        bar.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        bar.setFixedHeight(47)
        row = QHBoxLayout(bar)
        row.setContentsMargins(12, 0, 12, 0)
        row.setSpacing(8)
        for part in (self.index_button, self.query, self.range, self.follow_button, self.export_button):
            row.addWidget(part, 1 if part is self.query else 0)
        return bar

    def _strip(self) -> QWidget:
        strip = QWidget()
        strip.setFixedHeight(63)
        row = QHBoxLayout(strip)
        row.setContentsMargins(12, 6, 12, 6)
        row.setSpacing(12)
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addStretch(1)
        self.shown_label = PlainLabel("", "strong")
        self.of_label = PlainLabel("")
        self.took_label = PlainLabel("", "note")
        top = QHBoxLayout()
        top.setSpacing(4)
        top.addWidget(self.shown_label)
        top.addWidget(self.of_label, 1)
        words.addLayout(top)
        words.addWidget(self.took_label)
        words.addStretch(1)
        left = QWidget()
        left.setLayout(words)
        left.setFixedWidth(160)
        words.setContentsMargins(0, 0, 0, 0)
        row.addWidget(left)
        row.addWidget(self.histogram, 1)
        whole = QWidget()
        column = QVBoxLayout(whole)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(strip)
        column.addWidget(hairline())
        return whole

    def _index_button(self) -> MenuButton:
        menu = QMenu(self)
        self._kind_actions: dict[str, QAction] = {}
        kept = self._preferences.kinds
        for kind in KINDS:
            action = menu.addAction(KIND_WORD[kind])
            action.setCheckable(True)
            action.setChecked(not kept or kind in kept)
            action.toggled.connect(lambda _on: self._kinds_chosen())
            self._kind_actions[kind] = action
        button = MenuButton("", menu, name="Index")
        button.say(self._kinds_words())
        return button

    # Asking

    def kinds(self) -> tuple[str, ...]:
        """The chosen content types; empty: all."""
        chosen = tuple(kind for kind in KINDS if self._kind_actions[kind].isChecked())
        return () if len(chosen) in (0, len(KINDS)) else chosen

    def _kinds_words(self) -> str:
        chosen = self.kinds()
        return "Index: Syslog · " + (", ".join(KIND_WORD[kind] for kind in chosen) if chosen else "All")

    def _kinds_chosen(self) -> None:
        self._preferences.kinds = self.kinds()
        self.index_button.say(self._kinds_words())
        self.ask()

    def question(self) -> Question:
        """What is asked: the last query that was understood, the index, the time range."""
        return Question(
            text=self._preferences_query,
            kinds=self.kinds(),
            span=self.range.span,
            since=self.range.since,
            until=self.range.until,
        )

    _preferences_query = ""

    def _applied(self, text: str) -> None:
        if text != self._preferences_query or text.strip():
            self._preferences.remember_query(text)
        self._preferences_query = text
        self.ask()

    def _picked(self, since: int, until: int) -> None:
        self.range.fix(since, until)

    def ask(self) -> None:
        """Ask the desk again, from the newest record on."""
        question = self.question()
        self._asked_at = time.monotonic()
        self._searching = True
        self._stopped = False
        self._first_came = False
        self._seconds = 0.0
        self._of = None
        fixed = question.since, question.until
        self.histogram.mark((fixed[0], fixed[1]) if fixed[0] is not None and fixed[1] is not None else None)
        self._rows_worker.ask(
            lambda: self._desk.open(question), self._opened, self._failed, owner=self, key="open"
        )
        QTimer.singleShot(_STALL_MS, self, self._still_searching)
        self._tell()

    def cancel(self) -> None:
        """Stop looking further back; what was found stays."""
        if self._searching and self._view is not None:
            self._stopped = True
            self._searching = False
            self._tell()

    def _opened(self, view: View) -> None:
        self._view = view
        self._pulling = False
        self._fetching = self._outage = False
        self._wanted.clear()
        self.fault.hide()
        self.table.start()
        self._pump.start()
        self._pull()
        self._counter.start(0)

    def _failed(self, error: BaseException) -> None:
        self._searching = False
        if isinstance(error, UserFault):
            self.query.refuse(error)
        what, hint = (
            (error.what, error.hint) if isinstance(error, Fault) else ("That did not work.", str(error))
        )
        self.fault.say(hint or "The last result stays.", "bad", what)
        if self.model.rowCount() == 0:
            self._cover_with(what, hint)
        self._tell()

    # Pulling rows

    def _pull(self) -> None:
        if self._view is None or self._pulling:
            return
        view, search, anchors = self._view, not self._stopped, self.table.anchors()
        self._pulling = True
        self._rows_worker.ask(
            lambda: pull(view, _FRESH_ROWS, search=search, anchors=anchors),
            lambda pulled: self._pulled(view, pulled),
            lambda error: self._pull_failed(view, error),
            owner=self,
        )

    def _pulled(self, view: View, pulled: Pull) -> None:
        if view is not self._view:
            return
        self._pulling = False
        if self._outage:
            self._outage = False
            self.fault.hide()
        self.table.take(pulled)
        self._first_came = True
        was_searching, self._searching = self._searching, pulled.more and not self._stopped
        if was_searching and not self._searching:
            self._seconds = time.monotonic() - self._asked_at
            self._counter.start(0)
        if pulled.inserted or pulled.reset:
            self.counted.emit(self.model.total)
        self._pump.setInterval(
            SEARCH_MS if self._searching else FOLLOW_MS if self.table.following else CALM_MS
        )
        self._tell()

    def _pull_failed(self, view: View, error: BaseException) -> None:
        if view is self._view:
            self._pulling = False
            self._outage = True
            self._pump.setInterval(CALM_MS * 4)
            self._failed(error)

    def _want(self, page: int) -> None:
        self._wanted[page] = None
        self._fetch()

    def _fetch(self) -> None:
        if self._fetching or not self._wanted or self._view is None:
            return
        view = self._view
        page, _ = self._wanted.popitem()  # the newest wish first: one scrolls past the others
        for old in list(self._wanted)[:-8]:
            del self._wanted[old]
            self.model.unasked(old)
        self._fetching = True
        self._rows_worker.ask(
            lambda: fetch(view, page),
            lambda got: self._fetched(view, page, got),
            lambda error: self._fetch_failed(view, page, error),
            owner=self,
            urgency=0,
        )

    def _fetched(self, view: View, page: int, got: tuple[int, list[EventRow]]) -> None:
        if view is not self._view:
            return
        self._fetching = False
        self.model.put(*got)
        self._fetch()

    def _fetch_failed(self, view: View, page: int, error: BaseException) -> None:
        if view is self._view:
            self._fetching = False
            self._failed(error)

    # Counting

    def _count(self) -> None:
        if self._counting or not self.isVisibleTo(self.window()):
            self._counter.start(CALM_MS)
            return
        question = self.question()
        since, until, every = self._stretch(question)
        of = self._of

        def work() -> _Counts:
            started = time.monotonic()
            counts = self._desk.histogram(question, since, until, every)
            total = self._desk.count(question) if of is None and question.text.strip() else of
            return _Counts(
                since=since, until=until, every=every, counts=counts,
                seconds=time.monotonic() - started, of=total,
            )  # fmt: skip

        self._counting = True
        self._counts_worker.ask(work, self._counted, self._count_failed, owner=self, key="counts")

    def _stretch(self, question: Question) -> tuple[int, int, int]:
        now = time.time_ns() // 1000
        until = now if question.until is None else question.until
        if question.span is not None:
            since = now - question.span
        elif question.since is not None:
            since = question.since
        else:
            newest = self._overview.newest or now
            until = max(newest + SECOND, now) if now - newest < MINUTE * 15 else newest + SECOND
            since = max(self._overview.oldest or until - 15 * MINUTE, 0)
        since = min(since, until - SECOND)
        return since, until, bar_width(until - since)

    def _counted(self, counted: _Counts) -> None:
        self._counting = False
        self._of = counted.of
        self.histogram.show_counts(counted.since, counted.until, counted.every, counted.counts)
        self._every = counted.every
        self._tell()
        pause = max(1_000.0, counted.seconds * 10_000)
        self._counter.start(int(min(pause, 30_000)))

    _every = 0

    def _count_failed(self, _error: BaseException) -> None:
        self._counting = False
        self._counter.start(5_000)

    # Telling

    def overview(self, overview: Overview) -> None:
        """What the frame knows of the whole store."""
        first = self._overview.records == 0 and overview.records > 0
        self._overview = overview
        if first:
            self._counter.start(0)
        self._tell()

    def _still_searching(self) -> None:
        if self._searching and not self._first_came:
            self._tell()

    def _tell(self) -> None:
        total = self.model.total
        asked = bool(self.question().text.strip())
        self.shown_label.setText(f"{total:,}")
        whole = self._of if self._of is not None else self._overview.records
        self.of_label.setText(
            f"of {max(whole, total):,}" if asked or self.kinds() or self.range.span else "records"
        )
        words = []
        if self._searching:
            words.append("searching … Esc stops")
        elif self._stopped:
            words.append("stopped")
        elif self._seconds and asked:
            words.append(f"{self._seconds * 1000:,.0f} ms")
        if self._every and not self._searching:
            words.append(bar_words(self._every))
        self.took_label.setText(" · ".join(words))
        if total:
            self._front(self.table)
        elif not self.fault.isVisibleTo(self):
            self._say_empty(asked)

    def _say_empty(self, asked: bool) -> None:
        if self._searching or not self._first_came:
            slow = time.monotonic() - self._asked_at > _STALL_MS / 1000
            self._cover_with(
                "Searching …" if slow else "", "Newest records first. Esc stops." if slow else ""
            )
        elif asked:
            text = self.question().text.strip()
            self._cover_with(
                f"No record matches {text[:120]}",
                "Look at the time range and the index, or take a word away. New records that match appear by themselves.",
            )
        elif self._overview.records:
            self._cover_with("No records here", "Choose a longer time range or another index.")
        else:
            self._cover_with(
                "Waiting for the first record …",
                "It appears here by itself. The status bar below says what each collector is doing.",
            )

    def _cover_with(self, title: str, words: str) -> None:
        self._empty.say(title, words)
        self._front(self._empty)

    def _front(self, widget: QWidget) -> None:
        """Show the rows, or the words in their place; the focus stays there."""
        if self._cover.currentWidget() is widget:
            return
        held = self._cover.isAncestorOf(self.focusWidget() or self)
        self._cover.setCurrentWidget(widget)
        if held:
            widget.setFocus()

    def _followed(self, following: bool) -> None:
        self.follow_button.setChecked(following)
        if not self._searching and hasattr(self, "_pump"):
            self._pump.setInterval(FOLLOW_MS if following else CALM_MS)
        self.following_changed.emit(following)

    # Reading

    def _chosen(self, row: EventRow) -> None:
        self.detail.show_row(row)

    def open_detail(self) -> None:
        """Show the detail pane and go there."""
        self.show_detail(True)
        if (row := self.table.current()) is not None:
            self.detail.show_row(row)
        self.detail.focus_first()

    def show_detail(self, shown: bool) -> None:
        """Show or hide the detail pane; the selection stays."""
        self.detail.setVisible(shown)
        self._preferences.set_flag("events/detail", shown)
        if not shown and self.isVisible():
            self.focus_first()

    def focus_first(self) -> None:
        """Go to the rows, or to the words in their place."""
        (self._cover.currentWidget() or self).setFocus()

    def restyle(self) -> None:
        """Times or colours are others from now on."""
        self.table.restyle()
        self.histogram.update()
        self.detail.restyle()
        self.query.restyle()

    def stop(self) -> None:
        """The window closes: no more asking."""
        self._pump.stop()
        self._counter.stop()
        for worker in (self._rows_worker, self._counts_worker, self._record_worker):
            worker.stop()

    def sizeHint(self) -> QSize:
        return QSize(1290, 840)
