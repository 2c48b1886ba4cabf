"""What playbooks held for a person: read why, then approve or dismiss it with one key."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QPlainTextEdit, QSplitter, QStackedWidget, QVBoxLayout, QWidget

from pod_desktop.core import blocks
from pod_desktop.core.clock import DAY, Clock
from pod_desktop.core.guards import CONFIRM, REFUSE
from pod_desktop.core.text import plural
from pod_desktop.store import FiringRow
from pod_desktop.ui.actions.confirm import TypeAgain
from pod_desktop.ui.actions.tables import Cell, Column, RowsModel, RowsTable
from pod_desktop.ui.automation import wording
from pod_desktop.ui.automation.desk import AutomationDesk
from pod_desktop.ui.automation.firing import request_words
from pod_desktop.ui.bridge import Worker
from pod_desktop.ui.moments import Zone, ago
from pod_desktop.ui.text import PlainLabel, block, cell, tip
from pod_desktop.ui.widgets import Button, EmptyState, Notice

COLUMNS: Final = (
    Column("time", "Held since", 116),
    Column("playbook", "Playbook", 170, gives_way=3),
    Column("action", "Action", 160, gives_way=2),
    Column("value", "Value", 190, stretch=True),
    Column("why", "Why", 260, stretch=True),
    Column("again", "Again", 58, gives_way=1),
    Column("expires", "Expires", 84),
)


class HeldView(QWidget):
    """The list of what waits, and the one that is read."""

    decided = Signal(object)
    """The FiringRow as it was decided."""
    recordsAsked = Signal(object)
    """The FiringRow whose records are to be shown."""

    def __init__(
        self,
        desk: AutomationDesk,
        worker: Worker,
        clock: Clock,
        zone: Zone,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._desk = desk
        self._worker = worker
        self._clock = clock
        self._zone = zone
        self._gone: set[int] = set()
        self._build()

    def _build(self) -> None:
        self.approve_button = Button("Approve (A)", "primary", self.approve, name="Approve")
        self.dismiss_button = Button("Dismiss (D)", "plain", self.dismiss, name="Dismiss")
        self.model = RowsModel(COLUMNS, self._cell, lambda row: row.id, self)
        self.table = _HeldTable(self.model, self)
        self.table.chosen.connect(self._chosen)
        self.table.asked.connect(lambda _key: self.approve_button.setFocus())
        self.notice = Notice()
        self.title = PlainLabel("", "strong", wrap=True, selectable=True)
        self.when = PlainLabel("", "note", wrap=True)
        self.why = Notice()
        self.sent = QPlainTextEdit(readOnly=True)
        self.sent.setProperty("role", "code")
        self.sent.setTabChangesFocus(True)
        self.sent.setAccessibleName("What will be sent")
        self.records_button = Button("Show the records", "link", self._ask_records)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        for button in (self.approve_button, self.dismiss_button, self.records_button):
            buttons.addWidget(button)
        buttons.addStretch(1)
        detail = QWidget()
        column = QVBoxLayout(detail)
        column.setContentsMargins(14, 12, 14, 12)
        column.setSpacing(8)
        for part in (self.title, self.when, self.why):
            column.addWidget(part)
        column.addWidget(self.sent, 1)
        column.addLayout(buttons)
        split = QSplitter(Qt.Orientation.Vertical)
        split.setHandleWidth(1)
        split.setChildrenCollapsible(False)
        split.addWidget(self.table)
        split.addWidget(detail)
        split.setStretchFactor(0, 1)
        split.setStretchFactor(1, 1)
        self._empty = EmptyState(
            "Nothing waits for you",
            "What a playbook must not do by itself (own, protected or free-mail values, anything on the safe list, what "
            "a limit of its breaker stopped) comes here. It expires after seven days.",
        )
        self._cover = QStackedWidget()
        self._cover.addWidget(self._empty)
        self._cover.addWidget(split)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(self.notice)
        whole.addWidget(self._cover, 1)

    def _cell(self, row: FiringRow, key: str) -> Cell:
        now = self._clock.now()
        if key == "time":
            return Cell(self._zone.short(row.at), tip=f"{self._zone.whole(row.at)}, {ago(row.at, now)}")
        if key == "expires":
            near = row.expires - now < DAY
            words = ago(row.expires, now) if row.expires > now else "now"
            return Cell(words, tone=blocks.WARN if near else "", dim=True, tip=self._zone.whole(row.expires))
        return {
            "playbook": Cell(f"{row.playbook} v{row.version}"),
            "action": Cell(wording.action_title(row)),
            "value": Cell(wording.row_value(row), mono=True),
            "why": Cell(row.reason),
            "again": Cell(f"+{row.again:,}" if row.again else "", dim=True, tip="Held again since"),
        }[key]

    # what waits

    def show_held(self, rows: Sequence[FiringRow]) -> None:
        """Show what waits; what was decided here a moment ago stays away."""
        self._gone &= {row.id for row in rows}
        shown = [row for row in rows if row.id not in self._gone]
        place = self.table.currentIndex().row()
        self.table.show_rows(shown)
        self._cover.setCurrentIndex(1 if shown else 0)
        if shown and self.table.current() is None:
            self.table.choose(shown[min(max(place, 0), len(shown) - 1)].id)
        self._chosen()

    def choose(self, row_id: int) -> bool:
        """Go to one; False if it does not wait any more."""
        return self.table.choose(row_id)

    @property
    def count(self) -> int:
        """How many wait."""
        return len(self.model.rows)

    def _chosen(self) -> None:
        row: FiringRow | None = self.table.current()
        if row is None:
            return
        self.title.setText(f"{wording.action_title(row)}: {cell(wording.row_value(row), 200)}")
        records = plural(len(row.records), "record")
        key = f" of {cell(row.key, 120)}" if row.key else ""
        again = f" It was held {row.again:,} times more since." if row.again else ""
        self.when.setText(
            f"Playbook {cell(row.playbook, 80)} v{row.version}: {records}{key}, the last at {self._zone.whole(row.time)[:19]}.{again}"
        )
        self.why.say(row.reason, blocks.WARN)
        self.sent.setPlainText(block(request_words(row)))
        never = _never(row)
        self.approve_button.setEnabled(not never)
        self.approve_button.setToolTip(tip("This can never be sent; dismiss it." if never else ""))

    # deciding

    def approve(self) -> None:
        """Let the service send it; a value that is dangerous is typed again first."""
        row: FiringRow | None = self.table.current()
        if row is None or _never(row):
            return
        asked = [reason.text for reason in row.reasons if reason.answer == CONFIRM]
        if not asked or row.entry is None:
            self._decide(row, lambda: self._desk.approve(row.id), "is sent by the collector service")
            return
        dialog = TypeAgain("Approve this action", " ".join(asked), row.entry.value, "Approve", self.window())
        dialog.confirmed.connect(
            lambda typed: self._decide(
                row, lambda: self._desk.approve(row.id, typed), "is sent by the collector service"
            )
        )
        dialog.open()

    def dismiss(self) -> None:
        """Do not do it; the value is left alone for the mute time."""
        row: FiringRow | None = self.table.current()
        if row is not None:
            self._decide(row, lambda: self._desk.dismiss(row.id), "is not done")

    def _decide(self, row: FiringRow, work: object, words: str) -> None:
        def done(kept: FiringRow) -> None:
            self.notice.say(f"{cell(wording.row_value(row), 160)} {words}.", blocks.GOOD)
            self.decided.emit(kept)

        def failed(error: BaseException) -> None:
            self._gone.discard(row.id)
            what, hint = wording.fault_words(error)
            self.notice.say(hint, blocks.BAD, what)
            self.decided.emit(None)

        self._gone.add(row.id)
        held = self.table.hasFocus() or self.approve_button.hasFocus() or self.dismiss_button.hasFocus()
        self.show_held(list(self.model.rows))
        if held:
            (self.table if self.model.rows else self).setFocus()
        self._worker.ask(work, done, failed, owner=self)  # type: ignore[arg-type]

    def _ask_records(self) -> None:
        row = self.table.current()
        if row is not None:
            self.recordsAsked.emit(row)

    def focus_first(self) -> None:
        """Go to the list."""
        (self.table if self.model.rows else self).setFocus()

    def restyle(self) -> None:
        """Times or colours are others from now on."""
        self.table.viewport().update()
        self._chosen()


def _never(row: FiringRow) -> bool:
    """Whether no person can let it go on either."""
    return not row.body or any(reason.answer == REFUSE for reason in row.reasons)


class _HeldTable(RowsTable):
    """A approves, D or Delete dismisses."""

    def __init__(self, model: RowsModel, view: HeldView) -> None:
        super().__init__(model, "Held for approval")
        self._view = view

    def keyPressEvent(self, event: QKeyEvent) -> None:
        plain = event.modifiers() == Qt.KeyboardModifier.NoModifier
        if plain and event.key() == Qt.Key.Key_A:
            self._view.approve()
        elif plain and event.key() in (Qt.Key.Key_D, Qt.Key.Key_Delete):
            self._view.dismiss()
        else:
            super().keyPressEvent(event)
