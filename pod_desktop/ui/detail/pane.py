"""The detail pane: header, tabs, and how a record gets there without the window waiting for it."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QTabBar, QVBoxLayout, QWidget

from pod_desktop.core.clock import iso
from pod_desktop.core.faults import Fault
from pod_desktop.core.interflow import MSG_CLASS, interflow
from pod_desktop.core.record import EventRow
from pod_desktop.ui.bridge import Desk, Record, Worker
from pod_desktop.ui.detail.fields import FieldsView
from pod_desktop.ui.detail.jsonview import JsonView, Printed, as_received, pretty, printed
from pod_desktop.ui.detail.summary import SummaryView
from pod_desktop.ui.events.columns import KIND_WORD, flag_words
from pod_desktop.ui.moments import Zone
from pod_desktop.ui.preferences import Preferences
from pod_desktop.ui.text import PlainLabel, copy, isolated, tip
from pod_desktop.ui.widgets import Button, EmptyState, Notice, hairline

SUMMARY, FIELDS, JSON = range(3)
TABS: Final = ("Summary", "Fields", "JSON")


class DetailPane(QWidget):
    """One record."""

    moved = Signal(int)
    """Go to the next (1) or previous (-1) record."""
    closed = Signal()

    def __init__(
        self, desk: Desk, worker: Worker, preferences: Preferences, zone: Zone, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._desk = desk
        self._worker = worker
        self._preferences = preferences
        self._zone = zone
        self._row: EventRow | None = None
        self._record: Record | None = None
        self._drawn: set[int] = set()
        self.setProperty("role", "pane")
        self.setAccessibleName("Record")
        self._title = PlainLabel("", "title", wrap=True, selectable=True)
        self._subtitle = PlainLabel("", "note", wrap=True, selectable=True)
        self._close = Button("✕", "flat", self.closed.emit, name="Close the record")
        self._close.setFixedSize(26, 24)
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

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.setContentsMargins(12, 10, 6, 0)
        head.setSpacing(4)
        titles = QVBoxLayout()
        titles.setSpacing(2)
        titles.addWidget(self._title)
        titles.addWidget(self._subtitle)
        head.addLayout(titles, 1)
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
        column.addWidget(self._stack, 1)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self._whole)

    @property
    def row(self) -> EventRow | None:
        """The record shown, or on its way."""
        return self._row

    def show_row(self, row: EventRow) -> None:
        """Show a record; its whole follows when it is here."""
        if self._row is not None and row.seq == self._row.seq:
            return
        self._row = row
        self._show_head(row)
        self._whole.setCurrentWidget(self._body)
        self._worker.ask(
            lambda: self._desk.record(row), self._came, partial(self._failed, row), owner=self, key="record"
        )

    def focus_first(self) -> None:
        """Go to the tabs."""
        self.tabs.setFocus()

    def clear(self) -> None:
        """Nothing is chosen."""
        self._row = self._record = None
        self._worker.forget("record")
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
        self._title.setText(
            row.subject or ("(no subject)" if row.kind == "message" else KIND_WORD.get(row.kind, ""))
        )
        way = ""
        if row.sender or row.recipients:
            more = f" +{row.recipient_count - 1}" if row.recipient_count > 1 else ""
            to = f" → {isolated(row.recipients[0])}{more}" if row.recipients else ""
            way = f"{isolated(row.sender) or '<>'}{to} · "
        self._subtitle.setText(f"{way}{self._zone.short(row.time)}")
        self._subtitle.setToolTip(tip(self._zone.whole(row.time)))
        self.setAccessibleDescription(f"{row.subject} {way}{self._zone.whole(row.time)}"[:500])

    def _came(self, record: Record) -> None:
        self._record = record
        self._drawn.clear()
        words = flag_words(record.row.flags)
        if record.problem:
            words.insert(0, record.problem)
        if record.cut:
            words.append("is longer than Fields shows; JSON as received is whole")
        self._notice.say(
            "This record " + "; ".join(words) + "." if words and not record.problem else "; ".join(words)
        )
        if record.problem and self.tabs.currentIndex() == FIELDS:
            self.tabs.setCurrentIndex(SUMMARY)
        self._draw(self.tabs.currentIndex())

    def _failed(self, row: EventRow, error: BaseException) -> None:
        self._record = None
        what, hint = (error.what, error.hint) if isinstance(error, Fault) else (str(error), "")
        self.summary.show_blocks(())
        self.fields.show_value(self._derived(row, ""), None)
        self.json.show_printed(printed(""))
        self._notice.say(hint, "bad", f"This record cannot be read: {what}")

    def _tab_chosen(self, tab: int) -> None:
        self._stack.setCurrentIndex(tab)
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
        else:
            self._draw_json(record)

    def _draw_json(self, record: Record) -> None:
        whole = self.json.received.isChecked() or record.value is None

        def work() -> Printed:
            return printed(as_received(record.raw) if whole else pretty(record.value))

        def show(made: Printed) -> None:
            if record is self._record:
                self.json.show_printed(made, "" if whole or not record.repaired else "Repaired text.")

        self._worker.ask(work, show, owner=self, key="json")

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

    def sizeHint(self) -> QSize:
        return QSize(420, 700)
