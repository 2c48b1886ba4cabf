"""The detail pane: header, tabs, and how a record gets there without the window waiting for it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final, Protocol

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QTabBar, QVBoxLayout, QWidget

from pod_desktop.core.clock import iso
from pod_desktop.core.faults import Fault
from pod_desktop.core.interflow import MSG_CLASS, interflow
from pod_desktop.core.record import MAILLOG, UNREADABLE, EventRow
from pod_desktop.ui.bridge import Desk, Record, Worker
from pod_desktop.ui.detail.fields import FieldsView
from pod_desktop.ui.detail.jsonview import JsonView, Printed, as_received, pretty, printed
from pod_desktop.ui.detail.summary import SummaryView
from pod_desktop.ui.events.columns import KIND_WORD, flag_words
from pod_desktop.ui.events.notebook import NoteBook
from pod_desktop.ui.moments import Zone
from pod_desktop.ui.preferences import Preferences
from pod_desktop.ui.text import PlainLabel, clip, copy, isolated, tip
from pod_desktop.ui.widgets import Button, EmptyState, Notice, hairline
from pod_desktop.ui.widgets.flow import FlowLayout

SUMMARY, FIELDS, JSON = range(3)
TABS: Final = ("Summary", "Fields", "JSON")
_ROOM_FOR_TABS: Final = 400
"""A pane narrower than this has its tabs closer together."""
_TITLE_CHARS: Final = 160
_LINE_CHARS: Final = 72
"""Of a title in sight; the tooltip has the whole."""


class RecordView(Protocol):
    """A view of the record that another part of the window gives (a widget)."""

    def show_record(self, record: Record | None) -> None:
        """Be about this record; None: another one is on its way, or none is chosen."""
        ...


class DetailPane(QWidget):
    """One record."""

    moved = Signal(int)
    """Go to the next (1) or previous (-1) record."""
    closed = Signal()
    floated = Signal(object)
    """The EventRow that is wanted in a window of its own."""
    field_menu_asked = Signal(object, str, str, object, object)
    """(EventRow, field or '', path, value, where on the screen): see FieldsView.menu_asked."""
    comment_asked = Signal()
    came = Signal(object)
    """The Record that is shown now."""

    def __init__(
        self,
        desk: Desk,
        worker: Worker,
        preferences: Preferences,
        zone: Zone,
        parent: QWidget | None = None,
        *,
        notes: NoteBook | None = None,
        name: str = "",
    ) -> None:
        """`name` tells panes that share a worker apart."""
        super().__init__(parent)
        self._notes = notes
        self._name = name
        self._desk = desk
        self._worker = worker
        self._preferences = preferences
        self._zone = zone
        self._row: EventRow | None = None
        self._record: Record | None = None
        self._drawn: set[int] = set()
        self._more: dict[int, Callable[[], RecordView]] = {}
        self._made: dict[int, RecordView] = {}
        self.setProperty("role", "pane")
        self.setAccessibleName("Record")
        self._title = PlainLabel("", "title", wrap=True, selectable=True)
        self._subtitle = PlainLabel("", "note", wrap=True, selectable=True)
        self._close = Button("✕", "flat", self.closed.emit, name="Close the record")
        self._close.setFixedSize(26, 24)
        self._float = Button("↗", "flat", self._ask_float, name="Open the record in its own window")
        self._float.setFixedSize(26, 24)
        self._float.setToolTip("Open in its own window")
        self._edit = Button("Edit …", "link", self.comment_asked.emit, name="Edit the comment")
        self.note = Notice(tone="info", button=self._edit)
        self.note.hide()
        self._notice = Notice(tone="warn")
        self._notice.hide()
        self.tabs = QTabBar()
        self.tabs.setDrawBase(False)
        self.tabs.setExpanding(False)
        self.tabs.setAccessibleName("Record views")
        for words in TABS:
            self.tabs.addTab(words)
        self.summary, self.fields, self.json = SummaryView(), FieldsView(), JsonView()
        self._stack = QStackedWidget()
        for view in (self.summary, self.fields, self.json):
            self._stack.addWidget(view)
        self._empty = EmptyState(
            "No record chosen", "Choose a row to read it here. Ctrl+Up and Ctrl+Down move on."
        )
        self._body = QWidget()
        self._whole = QStackedWidget()
        self._whole.addWidget(self._empty)
        self._whole.addWidget(self._body)
        self._lay_out()
        self.tabs.currentChanged.connect(self._tab_chosen)
        self.json.toggled.connect(lambda _on: self._redraw(JSON))
        self.json.copy_asked.connect(self.copy_raw)
        self.fields.menu_asked.connect(self._field_menu)

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.setContentsMargins(12, 10, 6, 0)
        head.setSpacing(4)
        titles = QVBoxLayout()
        titles.setSpacing(2)
        titles.addWidget(self._title)
        titles.addWidget(self._subtitle)
        head.addLayout(titles, 1)
        head.addWidget(self._float, 0, Qt.AlignmentFlag.AlignTop)
        head.addWidget(self._close, 0, Qt.AlignmentFlag.AlignTop)
        self._notice.setContentsMargins(2, 2, 2, 2)
        row = QHBoxLayout()
        row.setContentsMargins(9, 6, 9, 0)
        row.addWidget(self.tabs)
        row.addStretch(1)
        column = QVBoxLayout(self._body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addLayout(row)
        column.addWidget(hairline())
        column.addWidget(self._notice)
        column.addWidget(self.note)
        column.addWidget(self._stack, 1)
        self._foot = QWidget()
        self.footer = FlowLayout(self._foot, 8)
        self.footer.setContentsMargins(12, 8, 12, 8)
        self._last_in_footer: QWidget | None = None
        self._foot.hide()
        column.addWidget(self._foot)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self._whole)

    def add_view(self, title: str, make: Callable[[], RecordView]) -> int:
        """Add another view of the record, made when it is first looked at; its number for show_tab()."""
        tab = self.tabs.addTab(title)
        self._more[tab] = make
        self._stack.addWidget(QWidget())
        return tab

    def has_view(self, tab: int) -> bool:
        """Whether the widget of an added tab has been made."""
        return tab in self._made

    def view(self, tab: int) -> RecordView:
        """The widget of a tab that add_view() gave, made now if it never was."""
        if tab not in self._made:
            made = self._made[tab] = self._more[tab]()
            if (placeholder := self._stack.widget(tab)) is not None:
                self._stack.removeWidget(placeholder)
                placeholder.deleteLater()
            self._stack.insertWidget(tab, made)  # type: ignore[arg-type]
            if self.tabs.currentIndex() == tab:
                self._stack.setCurrentIndex(tab)
        return self._made[tab]

    def _leave_record(self) -> None:
        for made in self._made.values():
            made.show_record(None)

    def add_to_footer(self, widget: QWidget, *, last: bool = False) -> None:
        """A button below the summary; one that was added as the last stays so."""
        self.footer.addWidget(widget)
        if last:
            self._last_in_footer = widget
        elif self._last_in_footer is not None:
            self.footer.removeWidget(self._last_in_footer)
            self.footer.addWidget(self._last_in_footer)
        self._show_foot()

    def _show_foot(self) -> None:
        self._foot.setVisible(self.tabs.currentIndex() == SUMMARY and self.footer.count() > 0)

    @property
    def row(self) -> EventRow | None:
        """The record shown, or on its way."""
        return self._row

    @property
    def record(self) -> Record | None:
        """The record shown, once it is here."""
        return self._record

    def show_row(self, row: EventRow) -> None:
        """Show a record; its whole follows when it is here."""
        if self._row is not None and row.seq == self._row.seq:
            return
        self._row = row
        self._leave_record()
        self._show_head(row)
        self.show_note()
        self._whole.setCurrentWidget(self._body)
        self._worker.ask(
            lambda: self._desk.record(row),
            self._came,
            partial(self._failed, row),
            owner=self,
            key=f"record{self._name}",
        )

    def show_note(self) -> None:
        """Show what is noted about the record, if anything is."""
        note = self._notes.of(self._row.record_id) if self._notes is not None and self._row else None
        comment = note.comment if note is not None else ""
        self.note.say(comment, "info", "Marked" if note is not None and note.marked else "")

    def set_floating(self) -> None:
        """It stands in a window of its own: no buttons to float and to close, no comment to edit."""
        for part in (self._float, self._close, self._edit):
            part.hide()

    def _ask_float(self) -> None:
        if self._row is not None:
            self.floated.emit(self._row)

    def _field_menu(self, field: str, path: str, value: object, place: object) -> None:
        if self._row is not None:
            self.field_menu_asked.emit(self._row, field, path, value, place)

    def focus_first(self) -> None:
        """Go to the tabs."""
        self.tabs.setFocus()

    def clear(self) -> None:
        """Nothing is chosen."""
        self._row = self._record = None
        self._leave_record()
        self._worker.forget(f"record{self._name}")
        self._whole.setCurrentWidget(self._empty)

    def show_tab(self, tab: int) -> None:
        """Summary, Fields or JSON."""
        self.tabs.setCurrentIndex(tab)

    def copy_raw(self) -> None:
        """The record as received, without control characters, to the clipboard."""
        if self._record is not None:
            copy(as_received(self._record.raw))

    def restyle(self) -> None:
        """Times or colours are others from now on."""
        self.json.restyle()
        if self._row is not None:
            self._show_head(self._row)
            self._redraw(FIELDS)

    def _show_head(self, row: EventRow) -> None:
        self._title.setText(_title_of(row))
        self._title.setToolTip(tip(row.subject))
        way = ""
        if row.sender or row.recipients:
            more = f" +{row.recipient_count - 1}" if row.recipient_count > 1 else ""
            to = f" → {isolated(row.recipients[0])}{more}" if row.recipients else ""
            # A delivery line names no sender, which is not the null sender.
            nobody = "" if row.kind == MAILLOG and row.stat else "<>"
            way = f"{isolated(row.sender) or nobody}{to} · ".lstrip()
        self._subtitle.set_shown(f"{way}{self._zone.short(row.time)}")
        self._subtitle.setToolTip(tip(self._zone.whole(row.time)))
        self.setAccessibleDescription(f"{row.subject} {way}{self._zone.whole(row.time)}"[:500])

    def _came(self, record: Record) -> None:
        self._record = record
        self._drawn.clear()
        words = flag_words(record.row.flags)
        if record.cut:
            words.append("is longer than Fields shows; JSON as received is whole")
        said = [f"This record {'; '.join(words)}."] if words else []
        if record.problem and record.row.kind != UNREADABLE:  # of those the summary says it
            said.insert(0, record.problem)
        self._notice.say(" ".join(said))
        if record.problem and self.tabs.currentIndex() == FIELDS:
            self.tabs.setCurrentIndex(SUMMARY)
        self._draw(self.tabs.currentIndex())
        self.came.emit(record)

    def _failed(self, row: EventRow, error: BaseException) -> None:
        self._record = None
        what, hint = (error.what, error.hint) if isinstance(error, Fault) else (str(error), "")
        self.summary.show_blocks(())
        self.fields.show_value(self._derived(row, ""), None)
        self.json.show_printed(printed(""))
        self._notice.say(hint, "bad", f"This record cannot be read: {what}")

    def _tab_chosen(self, tab: int) -> None:
        self._stack.setCurrentIndex(tab)
        self._show_foot()
        self._draw(tab)

    def _redraw(self, tab: int) -> None:
        self._drawn.discard(tab)
        if self.tabs.currentIndex() == tab:
            self._draw(tab)

    def _draw(self, tab: int) -> None:
        """Draw a tab the first time it is looked at."""
        record = self._record
        if record is None or tab in self._drawn:
            return
        self._drawn.add(tab)
        if tab == SUMMARY:
            self.summary.show_blocks(record.blocks)
        elif tab == FIELDS:
            self.fields.show_value(self._derived(record.row, record.cluster), record.value)
        elif tab == JSON:
            self._draw_json(record)
        else:
            self.view(tab).show_record(record)

    def _draw_json(self, record: Record) -> None:
        whole = self.json.received.isChecked() or record.value is None

        def work() -> Printed:
            return printed(as_received(record.raw) if whole else pretty(record.value))

        def show(made: Printed) -> None:
            if record is self._record:
                self.json.show_printed(made, "" if whole or not record.repaired else "Repaired text.")

        self._worker.ask(work, show, owner=self, key=f"json{self._name}")

    def _derived(self, row: EventRow, cluster: str) -> dict[str, Any]:
        ours: dict[str, Any] = {
            "record id": row.record_id,
            "time": iso(row.time) if row.time >= 0 else str(row.time),
            "type": row.kind,
            "outcome": row.outcome,
            "tenant": row.tenant,
            "connector": row.connector,
        }
        if cluster:
            ours["cluster"] = cluster
        if row.kind in MSG_CLASS:
            ours |= interflow(row.kind, row.tenant)
        return ours

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        narrow = self.width() < _ROOM_FOR_TABS
        if self.tabs.property("narrow") is not narrow:
            self.tabs.setProperty("narrow", narrow)
            self.tabs.style().unpolish(self.tabs)
            self.tabs.style().polish(self.tabs)

    def sizeHint(self) -> QSize:
        return QSize(420, 700)


def _title_of(row: EventRow) -> str:
    """The subject, or what a log line is about: its details stand in the summary."""
    if not row.subject:
        return "(no subject)" if row.kind == "message" else KIND_WORD.get(row.kind, "")
    if row.kind == UNREADABLE:
        return "Unreadable record"
    if row.kind != "maillog":
        return clip(row.subject, _TITLE_CHARS)
    return clip(" · ".join(row.subject.split(" · ")[:2]), _LINE_CHARS)
