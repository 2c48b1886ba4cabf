"""The Events page: puts query bar, histogram, facets, table and detail pane together, and keeps them asking."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QSplitter, QStackedWidget, QVBoxLayout, QWidget

from pod_desktop.core.clock import SECOND
from pod_desktop.core.faults import Fault, UserFault
from pod_desktop.core.record import EventRow
from pod_desktop.ui.bridge import Desk, Overview, Question, Record, Worker
from pod_desktop.ui.detail.pane import DetailPane
from pod_desktop.ui.events.counting import Counting, Counts
from pod_desktop.ui.events.faceting import Faceting
from pod_desktop.ui.events.facets import FacetSidebar
from pod_desktop.ui.events.feed import Feed
from pod_desktop.ui.events.looks import Looks
from pod_desktop.ui.events.model import EventModel, Pull
from pod_desktop.ui.events.notebook import NoteBook
from pod_desktop.ui.events.onrecords import OnRecords
from pod_desktop.ui.events.rangedialog import RangeDialog
from pod_desktop.ui.events.saved import Saved
from pod_desktop.ui.events.slowpath import SlowPath
from pod_desktop.ui.events.strip import Strip
from pod_desktop.ui.events.table import ROW_HEIGHT, EventTable
from pod_desktop.ui.events.toolbar import Toolbar
from pod_desktop.ui.moments import Zone
from pod_desktop.ui.preferences import Preferences
from pod_desktop.ui.widgets import Button, EmptyState, Notice

_STALL_MS: Final = 250
_TELL_MS: Final = 100
_REFRESH_MS: Final = 15_000
_REFRESH_SECONDS: Final = 60.0
_ROOM_FOR_FACETS: Final = 1_100
"""A page narrower than this shows facets only where somebody chose so for narrow windows."""
_SPLITTER: Final = "events/splitter3"


class EventsPage(QWidget):
    """Search, watch and read records."""

    export_asked = Signal(str, str)
    """(csv, ndjson or parquet; all, selected, marked or visible)."""
    counted = Signal(int)
    following_changed = Signal(bool)
    facets_shown = Signal(bool)
    float_asked = Signal(object)
    """The EventRow that is wanted in a window of its own."""

    def __init__(
        self, desk: Desk, preferences: Preferences, zone: Zone, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.desk = desk
        self.preferences = preferences
        self.zone = zone
        self._query = ""
        self._every = 0
        self._told: tuple[str, ...] = ()
        self._of: int | None = None
        self._overview = Overview()
        self.record_worker = Worker("record", self)
        self._build()
        self._moving = QTimer(self, interval=_REFRESH_MS)
        self._moving.timeout.connect(self.refresh)
        self._moving.start()
        self._telling = QTimer(self, interval=_TELL_MS)
        self._telling.timeout.connect(self._tell)
        self.ask()

    # Building

    def _build(self) -> None:
        self.looks = Looks(self.desk, self)
        self.notes = NoteBook(self.desk, self)
        self.model = EventModel(self.zone, ROW_HEIGHT, self, looks=self.looks, notes=self.notes)
        self.table = EventTable(self.model, self.preferences)
        self.feed = Feed(self.desk, self.model, self.table.anchors, lambda: self.table.following, self)
        self.counting = Counting(self.desk, lambda: self._overview, self)
        self.toolbar = Toolbar(self.desk, self.preferences, self.zone, self.table.pause, self._to_save)
        self.query, self.range = self.toolbar.query, self.toolbar.range
        self.strip = Strip(self.zone)
        self.histogram = self.strip.histogram
        self.facets = FacetSidebar(self.preferences)
        self.faceting = Faceting(self.desk, self.facets.wanted, self)
        self.detail = DetailPane(self.desk, self.record_worker, self.preferences, self.zone, notes=self.notes)
        self.fault = Notice(tone="bad", button=Button("Try again", "link", self.ask))
        self.fault.hide()
        self.slow_path = SlowPath()
        self.partial = Notice()
        self._empty = EmptyState()
        self._empty.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._cover = QStackedWidget()
        self._cover.addWidget(self.table)
        self._cover.addWidget(self._empty)
        self._split()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        for part in (self.toolbar, self.strip, self.fault, self.partial, self.slow_path):
            column.addWidget(part)
        column.addWidget(self.splitter, 1)
        self.on_records = OnRecords(self)
        self._connect()

    def _split(self) -> None:
        self.splitter = QSplitter(Qt.Orientation.Horizontal)
        self.splitter.setHandleWidth(1)
        self.splitter.setChildrenCollapsible(False)
        for part, stretch in ((self.facets, 0), (self._cover, 3), (self.detail, 1)):
            self.splitter.addWidget(part)
            self.splitter.setStretchFactor(self.splitter.count() - 1, stretch)
        self._cover.setMinimumWidth(360)
        self.detail.setMinimumWidth(300)
        self.splitter.setSizes([170, 700, 420])
        self.splitter.restoreState(self.preferences.state(_SPLITTER))
        self.splitter.splitterMoved.connect(lambda *_place: self.keep_splits())

    def _connect(self) -> None:
        self.table.following_changed.connect(self._followed)
        self.table.chosen.connect(self._chosen)
        self.table.opened.connect(self.open_detail)
        self.query.applied.connect(self._applied)
        self.query.settled.connect(self.preferences.remember_query)
        self.query.cancelled.connect(self.cancel)
        self.range.chosen.connect(self._range_chosen)
        self.range.custom_asked.connect(self.choose_range)
        self.toolbar.kinds_changed.connect(self.ask)
        self.toolbar.saved.chosen.connect(self._saved_chosen)
        self.toolbar.export_asked.connect(self.export_asked)
        self.slow_path.search_again.connect(self.ask)
        self.strip.cancel.clicked.connect(lambda _on=False: self.cancel())
        self.histogram.picked.connect(self.range.fix)
        self.histogram.cleared.connect(lambda: self.range.choose(None))
        self.feed.opened.connect(self._opened)
        self.feed.pulled.connect(self._pulled)
        self.feed.failed.connect(self._failed)
        self.counting.counted.connect(self._counted)
        self.faceting.counted.connect(self.facets.show_facet)
        self.faceting.failed.connect(self.facets.show_fault)
        self.facets.changed.connect(self.faceting.count)
        self.facets.hidden_by_user.connect(lambda: self.choose_facets(False))
        self.facets.picked.connect(self.on_records.pick_facet)
        self.facets.any_field_asked.connect(
            lambda: self.on_records.choose_field(
                "Add Facet", lambda field: self.facets.set_field(field, True)
            )
        )
        self.detail.moved.connect(self.table.go)
        self.detail.closed.connect(lambda: self.show_detail(False))
        self.detail.floated.connect(self.float_asked)
        self.detail.comment_asked.connect(self.on_records.comment)

    # Asking

    def kinds(self) -> tuple[str, ...]:
        """The chosen content types; empty: all."""
        return self.toolbar.kinds()

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
        self._query = text
        self.ask()

    def _range_chosen(self) -> None:
        self.preferences.set_data("events/range", self.range.span)
        self.ask()

    def _to_save(self) -> Saved | None:
        question = self.question()
        if not self.query.valid or not question.text.strip():
            return None
        return Saved(name=question.text, query=question.text, kinds=question.kinds, span=question.span)

    def _saved_chosen(self, saved: Saved) -> None:
        if saved.name:  # one of the recent is a query only
            self.toolbar.choose_kinds(saved.kinds)
            self.range.put(saved.span, None, None)
        self.query.set_text(saved.query)

    def choose_range(self) -> None:
        """Ask for two moments."""
        shown = self.histogram.shown()
        since = self.range.since if self.range.since is not None else shown[0] if shown else None
        dialog = RangeDialog(self.zone, since, self.range.until, self.window())
        dialog.chosen.connect(self.range.fix)
        dialog.open()

    def ask(self) -> None:
        """Ask the desk again, from the newest record on."""
        question = self.question()
        self._of = None
        fixed = question.since is not None and question.until is not None
        self.histogram.mark((question.since or 0, question.until or 0) if fixed else None)
        self.faceting.give_up()
        self.facets.wait()
        self.feed.ask(question)
        self._telling.start()
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
            # They look through the same records for the same question.
            self.counting.give_up()
            self.faceting.give_up()
            self._tell()

    def _opened(self) -> None:
        self.fault.hide()
        self.query.answered(self.feed.first_seconds)
        self.table.start()
        self.counting.ask(self.question())
        self.faceting.ask(self.question())

    def _pulled(self, pulled: Pull) -> None:
        self.fault.hide()
        self._tell_partial(pulled.problems)
        self.table.take(pulled)
        if pulled.inserted or pulled.reset:
            self.faceting.news()
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

    def _tell_partial(self, problems: tuple[str, ...]) -> None:
        if problems != self._told:
            self._told = problems
            more = f" And {len(problems) - 1} more." if problems[1:] else ""
            title = "Some stored records are missing here and in all counts." if problems else ""
            self.partial.say(f"{problems[0]}{more}" if problems else "", "warn", title)

    def _counted(self, counts: Counts) -> None:
        self._of, self._every = counts.of, counts.every
        self.histogram.show_counts(counts.since, counts.until, counts.every, counts.bars)
        self._tell()

    def read(self, row: EventRow, then: Callable[[Record], None]) -> None:
        """Fetch a whole record, for something else than the detail pane."""
        self.record_worker.ask(
            lambda: self.desk.record(row), then, self._failed, owner=self, key=f"read {row.seq}"
        )

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
        part = asked or bool(self.kinds()) or self.range.span or self.range.since is not None
        whole = self._of if self._of is not None else self._overview.records
        if not self.feed.searching:
            self._telling.stop()
        self.strip.tell(
            total,
            whole if part else None,
            searching=self.feed.waited if self.feed.searching else None,
            progress=self.feed.progress,
            stopped=self.feed.stopped,
            seconds=self.feed.seconds if asked else 0.0,
            every=self._every,
        )
        self.slow_path.told(
            self.question().text, self.feed.waited if self.feed.searching else self.feed.seconds
        )
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
        self.toolbar.follow.setChecked(following)
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
        self.preferences.set_flag("events/detail", shown)
        if not shown and self.isVisible():
            self.focus_first()

    # Looks

    def _facets_key(self) -> tuple[str, bool]:
        """Under which name facets are remembered at this width, and what they are before anybody chose."""
        narrow = self.width() < _ROOM_FOR_FACETS
        return ("events/facets_narrow", False) if narrow else ("events/facets_wide", True)

    def choose_facets(self, shown: bool) -> None:
        """Show or hide the facets, at this width from now on."""
        self.preferences.set_flag(self._facets_key()[0], shown)
        self.fit_facets()

    def fit_facets(self) -> None:
        """Facets as chosen for this width."""
        shown = self.preferences.flag(*self._facets_key())
        if shown == self.facets.isHidden():
            self.facets.setVisible(shown)
            if shown:
                self.faceting.count()
            self.facets_shown.emit(shown)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.fit_facets()

    def keep_splits(self) -> None:
        """Remember the panes' widths."""
        self.preferences.keep(_SPLITTER, self.splitter.saveState())

    def reload(self) -> None:
        """Another profile: everything as it was left there."""
        self.splitter.restoreState(self.preferences.state(_SPLITTER))
        self.fit_facets()
        self.facets.reload()
        self.table.columns.reload()
        self.on_records.dress()
        self.toolbar.choose_kinds(self.preferences.kinds)
        span = self.preferences.data("events/range")
        self.range.put(span if isinstance(span, int) else None, None, None)
        self.ask()

    def focus_first(self) -> None:
        """Go to the rows, or to the words in their place."""
        (self._cover.currentWidget() or self).setFocus()

    def restyle(self) -> None:
        """Times or colours are others from now on."""
        self.table.restyle()
        self.histogram.update()
        self.detail.restyle()
        self.query.restyle()
        self.range.restyle()

    def stop(self) -> None:
        """The window closes: no more asking."""
        self._moving.stop()
        self._telling.stop()
        for part in (
            self.feed,
            self.counting,
            self.faceting,
            self.looks,
            self.notes,
            self.query,
            self.slow_path,
        ):
            part.stop()
        self.record_worker.stop()

    def sizeHint(self) -> QSize:
        return QSize(1290, 840)
