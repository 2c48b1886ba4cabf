"""The Events page: puts query bar, histogram, table and detail pane together, and keeps them asking."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHBoxLayout, QMenu, QSplitter, QStackedWidget, QVBoxLayout, QWidget

from pod_desktop.core.clock import SECOND
from pod_desktop.core.faults import Fault, UserFault
from pod_desktop.core.record import AUDIT, MAILLOG, MESSAGE, UNREADABLE, EventRow
from pod_desktop.ui.bridge import Desk, Overview, Question, Worker
from pod_desktop.ui.detail.pane import DetailPane
from pod_desktop.ui.events.columns import KIND_WORD
from pod_desktop.ui.events.counting import Counting, Counts
from pod_desktop.ui.events.feed import Feed
from pod_desktop.ui.events.histogram import Histogram
from pod_desktop.ui.events.model import EventModel, Pull
from pod_desktop.ui.events.querybar import QueryBar
from pod_desktop.ui.events.table import ROW_HEIGHT, EventTable
from pod_desktop.ui.events.timerange import RangeButton, bar_words
from pod_desktop.ui.moments import Zone
from pod_desktop.ui.preferences import Preferences
from pod_desktop.ui.text import PlainLabel
from pod_desktop.ui.widgets import Button, EmptyState, MenuButton, Notice, hairline

_STALL_MS: Final = 250
_REFRESH_MS: Final = 15_000
_REFRESH_SECONDS: Final = 60.0
KINDS: Final = (MESSAGE, MAILLOG, AUDIT, UNREADABLE)


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
        self._query = ""
        self._every = 0
        self._of: int | None = None
        self._overview = Overview()
        self._record_worker = Worker("record", self)
        self._build()
        self._moving = QTimer(self, interval=_REFRESH_MS)
        self._moving.timeout.connect(self.refresh)
        self._moving.start()
        self.ask()

    # Building

    def _build(self) -> None:
        self.model = EventModel(self._zone, ROW_HEIGHT, self)
        self.table = EventTable(self.model, self._preferences)
        self.feed = Feed(self._desk, self.model, self.table.anchors, lambda: self.table.following, self)
        self.counting = Counting(self._desk, lambda: self._overview, self)
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
        self.histogram.picked.connect(self.range.fix)
        self.feed.opened.connect(self._opened)
        self.feed.pulled.connect(self._pulled)
        self.feed.failed.connect(self._failed)
        self.counting.counted.connect(self._counted)
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
            text=self._query,
            kinds=self.kinds(),
            span=self.range.span,
            since=self.range.since,
            until=self.range.until,
        )

    def _applied(self, text: str) -> None:
        self._preferences.remember_query(text)
        self._query = text
        self.ask()

    def ask(self) -> None:
        """Ask the desk again, from the newest record on."""
        question = self.question()
        self._of = None
        fixed = question.since is not None and question.until is not None
        self.histogram.mark((question.since or 0, question.until or 0) if fixed else None)
        self.feed.ask(question)
        QTimer.singleShot(_STALL_MS, self, self._tell)
        self._tell()

    def refresh(self) -> None:
        """Let records that have left the moving time range go, while nobody reads further down."""
        span = self.range.span
        if span is None or self.feed.searching or not self.table.following:
            return
        if self.feed.waited >= min(_REFRESH_SECONDS, span / SECOND / 15):
            self.feed.refresh(self.question())

    def cancel(self) -> None:
        """Stop looking further back; what was found stays."""
        if self.feed.cancel():
            self._tell()

    def _opened(self) -> None:
        self.fault.hide()
        self.table.start()
        self.counting.ask(self.question())

    def _pulled(self, pulled: Pull) -> None:
        self.fault.hide()
        self.table.take(pulled)
        if pulled.inserted or pulled.reset:
            self.counted.emit(self.model.total)
        self._tell()

    def _failed(self, error: BaseException) -> None:
        if isinstance(error, UserFault):
            self.query.refuse(error)
        what, hint = (
            (error.what, error.hint) if isinstance(error, Fault) else ("That did not work.", str(error))
        )
        self.fault.say(hint or "The last result stays.", "bad", what)
        if self.model.rowCount() == 0:
            self._cover_with(what, hint)
        self._tell()

    def _counted(self, counts: Counts) -> None:
        self._of, self._every = counts.of, counts.every
        self.histogram.show_counts(counts.since, counts.until, counts.every, counts.bars)
        self._tell()

    # Telling

    def overview(self, overview: Overview) -> None:
        """What the frame knows of the whole store."""
        first = self._overview.records == 0 and overview.records > 0
        self._overview = overview
        if first:
            self.counting.again()
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
        if self.feed.searching:
            words.append("searching … Esc stops")
        elif self.feed.stopped:
            words.append("stopped")
        elif self.feed.seconds and asked:
            words.append(f"{self.feed.seconds * 1000:,.0f} ms")
        if self._every and not self.feed.searching:
            words.append(bar_words(self._every))
        self.took_label.setText(" · ".join(words))
        if total:
            self._front(self.table)
        elif not self.fault.isVisibleTo(self):
            self._say_empty(asked)

    def _say_empty(self, asked: bool) -> None:
        if self.feed.searching or not self.feed.came:
            slow = self.feed.waited > _STALL_MS / 1000
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
        self.feed.hurry()
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
        self._moving.stop()
        self.feed.stop()
        self.counting.stop()
        self._record_worker.stop()

    def sizeHint(self) -> QSize:
        return QSize(1290, 840)
