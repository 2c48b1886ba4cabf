"""Everything about one action: request, response, why, what happened when, and what can be done now."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from pod_desktop.core import blocks
from pod_desktop.core.action import FAILED, SUCCEEDED, UNKNOWN, Action
from pod_desktop.core.clock import Clock
from pod_desktop.core.http_words import http_words
from pod_desktop.services.history import Detail
from pod_desktop.services.prepare import as_curl
from pod_desktop.ui.actions import wording
from pod_desktop.ui.actions.expiry import RemoveAfter
from pod_desktop.ui.actions.preview import Sunken
from pod_desktop.ui.moments import Zone
from pod_desktop.ui.text import PlainLabel, cell, copy, tip
from pod_desktop.ui.widgets import Button, EmptyState, Notice
from pod_desktop.ui.widgets.flow import FlowLayout

FACTS: Final = ("Record", "Responder", "By", "Why", "Attempts", "Takes back", "Taken back by", "Action id")
STEPS_SHOWN: Final = 30


class ActionDetail(QScrollArea):
    """Three columns, as wide as there is room."""

    asked = Signal(str, str)
    """(Undo, Retry or Check; the action's id)."""
    openRecord = Signal(str)
    """A record's id."""
    rescheduled = Signal(str, object)
    """(the action's id, microseconds UTC; 0 is never)."""
    verifyAsked = Signal()
    actionAsked = Signal(str)
    """Show another action: the one that takes this back, or that this takes back."""

    def __init__(self, clock: Clock, zone: Zone, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._clock = clock
        self._zone = zone
        self._action: Action | None = None
        self._detail: Detail | None = None
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setAccessibleName("Action")
        self.request, self.response = Sunken("Request"), Sunken("Response")
        for viewer in (self.request, self.response):
            viewer.most_rows = 14
        self.verdict = Notice()
        self.undo_button = Button("Undo", clicked=lambda: self._ask("Undo"))
        self.retry_button = Button("Retry", "primary", clicked=lambda: self._ask("Retry"))
        self.check_button = Button("Check", clicked=lambda: self._ask("Check"))
        self.record_button = Button("Open record", clicked=self._open_record)
        self.curl_button = Button("Copy as curl", clicked=self._copy)
        self.other_button = Button("", clicked=self._other)
        self.remove_after = RemoveAfter(clock, zone)
        self.remove_after.changed.connect(self._reschedule)
        self.verify_button = Button("Verify history", "link", self.verifyAsked.emit)
        self.verified = PlainLabel("", "help", wrap=True)
        self.steps = PlainLabel("", "small", wrap=True, selectable=True)
        self._facts: dict[str, tuple[PlainLabel, PlainLabel]] = {}
        self._page = QWidget()
        self._page.setProperty("role", "page")
        self._empty = EmptyState(
            "No action chosen", "Choose a row to see what was sent, and what came of it."
        )
        whole = QWidget()
        whole.setProperty("role", "page")
        column = QVBoxLayout(whole)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._page)
        column.addWidget(self._empty)
        self._lay_out()
        self.setWidget(whole)
        self.show_action(None)

    def _lay_out(self) -> None:
        grid = QGridLayout()
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(3)
        for number, name in enumerate(FACTS):
            label, value = PlainLabel(name, "note"), PlainLabel("", wrap=True, selectable=True)
            grid.addWidget(label, number, 0, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(value, number, 1)
            self._facts[name] = (label, value)
        grid.setColumnMinimumWidth(0, 92)
        grid.setColumnStretch(1, 1)
        buttons = QWidget()
        flow = FlowLayout(buttons)
        for button in (
            self.undo_button, self.retry_button, self.check_button, self.record_button, self.curl_button,
            self.other_button, self.remove_after,
        ):  # fmt: skip
            flow.addWidget(button)
        verify = QHBoxLayout()
        verify.setSpacing(6)
        verify.addWidget(self.verify_button)
        verify.addWidget(self.verified, 1)
        columns = QHBoxLayout(self._page)
        columns.setContentsMargins(12, 10, 12, 12)
        columns.setSpacing(16)
        columns.addLayout(_column("Request", self.request), 4)
        columns.addLayout(_column("Response", self.response, self.verdict), 4)
        last = _column("Why")
        last.insertLayout(1, grid)
        last.insertWidget(last.count() - 1, buttons)
        last.insertWidget(last.count() - 1, PlainLabel("What happened", "heading"))
        last.insertWidget(last.count() - 1, self.steps)
        last.insertLayout(last.count() - 1, verify)
        columns.addLayout(last, 4)

    # showing

    def show_action(self, action: Action | None) -> None:
        """Show what a row knows; the rest follows with show_detail()."""
        other = self._action is None or action is None or action.id != self._action.id
        self._action = action
        self._page.setVisible(action is not None)
        self._empty.setVisible(action is None)
        if action is None:
            return
        if other:
            self._detail = None
            self.steps.setText("")
            self.verticalScrollBar().setValue(0)
        self.request.show_text(f"{action.request.method} {action.request.url}\nAuthorization: Bearer ••••")
        self._show_response(action)
        self._show_facts(action)
        self._show_buttons(action)
        self.setAccessibleDescription(f"{wording.action_title(action)}, {wording.status_words(action)}")

    def show_detail(self, detail: Detail) -> None:
        """Request and events have been read."""
        if self._action is None or detail.action.id != self._action.id:
            return
        self._detail = detail
        self.show_action(detail.action)
        self.request.show_text(detail.request)
        lines = [f"{self._zone.clock(at)}  {cell(words, 400)}" for at, words in detail.steps[-STEPS_SHOWN:]]
        self.steps.setText("\n".join(lines))

    def fail(self, what: str) -> None:
        """What was asked could not be done."""
        self.verdict.say(what, blocks.BAD)
        self._busy(False)

    def say_verified(self, problem: str | None) -> None:
        """Whether the chain of the history is whole; None: being looked at."""
        words = "Looking at every step …" if problem is None else problem or "Unchanged since it was written."
        self.verified.setText(words)
        self.verified.setProperty("role", "fault" if problem else "help")
        self.verified.style().unpolish(self.verified)
        self.verified.style().polish(self.verified)

    def _show_response(self, action: Action) -> None:
        head = " · ".join(
            part
            for part in (wording.http_status_words(action.http_status), wording.took_words(action))
            if part
        )
        body = action.response
        if not head and not body:
            head = "No answer yet." if not action.ended else "No answer."
        self.response.show_text(f"{head}\n{body}".strip())
        words = action.message
        if action.status == FAILED and action.http_status >= 300:
            known = http_words(action.http_status)
            words = f"{words}\n{known.meaning} {known.recommendation}"
        self.verdict.say(
            words, wording.STATUS_TONE.get(action.status, blocks.MUTED), wording.status_words(action)
        )

    def _show_facts(self, action: Action) -> None:
        attempts = f"{action.attempts}" if action.attempts else "none: nothing was sent"
        texts = {
            "Record": action.record_id,
            "Responder": f"{action.responder} · {action.tenant} · {action.cluster_id}",
            "By": f"{wording.actor_words(action.actor)}, {self._zone.whole(action.time)}",
            "Why": action.why,
            "Attempts": attempts,
            "Takes back": action.undoes,
            "Taken back by": action.undone_by,
            "Action id": action.id,
        }
        for name, (label, value) in self._facts.items():
            value.setText(cell(texts[name]) if texts[name] else "")
            value.setToolTip(tip(texts[name]))
            for part in (label, value):
                part.setVisible(bool(texts[name]))

    def _show_buttons(self, action: Action) -> None:
        stands = action.status == SUCCEEDED and not action.undone_by
        self.undo_button.setVisible(stands and not action.unchanged)
        self.retry_button.setVisible(action.status == FAILED)
        self.check_button.setVisible(action.status == UNKNOWN)
        self.record_button.setVisible(bool(action.record_id))
        other = action.undone_by or action.undoes
        self.other_button.setVisible(bool(other))
        words = "Show what took it back" if action.undone_by else "Show what it takes back"
        self.other_button.setText(words)
        self.other_button.setAccessibleName(words)
        self.remove_after.setVisible(stands and action.wanted and not action.unchanged)
        self.remove_after.show_moment(action.expires)
        self._busy(False)

    def _busy(self, busy: bool) -> None:
        for button in (self.undo_button, self.retry_button, self.check_button, self.remove_after):
            button.setEnabled(not busy)

    # asking

    def _ask(self, what: str) -> None:
        if self._action is not None:
            self._busy(True)
            self.asked.emit(what, self._action.id)

    def _open_record(self) -> None:
        if self._action is not None:
            self.openRecord.emit(self._action.record_id)

    def _copy(self) -> None:
        if self._action is not None:
            copy(as_curl(self._action.request))

    def _other(self) -> None:
        if self._action is not None:
            self.actionAsked.emit(self._action.undone_by or self._action.undoes)

    def _reschedule(self) -> None:
        if self._action is not None:
            self._busy(True)
            self.rescheduled.emit(self._action.id, self.remove_after.expires)

    def restyle(self) -> None:
        """Times are written otherwise from now on."""
        self.remove_after.restyle()
        if self._detail is not None:
            self.show_detail(self._detail)


def _column(title: str, *parts: QWidget) -> QVBoxLayout:
    column = QVBoxLayout()
    column.setSpacing(8)
    column.addWidget(PlainLabel(title, "heading"))
    for part in parts:
        column.addWidget(part)
    column.addStretch(1)
    return column
