"""The form of one action: from responder and value to the exact bytes, what they would do, and how it ended.

Each change makes the preview stale; Submit wakes only when what is shown is what would be sent. A form has an
action id from the desk, so that a double click begins one action, whatever the window does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from pod_desktop import responders
from pod_desktop.content import Offer
from pod_desktop.core import blocks, guards
from pod_desktop.core.action import ADD, FAILED, IN_PROGRESS, WAITING, Action, Entry
from pod_desktop.core.clock import Clock
from pod_desktop.core.faults import Fault, UserFault
from pod_desktop.core.guards import VALUE_CHARS
from pod_desktop.core.responder import RespondConnector
from pod_desktop.services.impact import Impact, Standing
from pod_desktop.services.prepare import Prepared, as_curl, body_for, scope_of
from pod_desktop.ui.actions import wording
from pod_desktop.ui.actions.calls import Calls
from pod_desktop.ui.actions.desk import ActionsDesk, Draft
from pod_desktop.ui.actions.fields import Fields
from pod_desktop.ui.actions.footer import Footer
from pod_desktop.ui.actions.members import show_unseen
from pod_desktop.ui.actions.preview import Findings, WillSend
from pod_desktop.ui.actions.wording import Finding
from pod_desktop.ui.moments import Zone
from pod_desktop.ui.text import copy

PAUSE_MS: Final = 120
"""Typing is let end before templates are filled."""
LOOK_MS: Final = 350
"""A further pause before lists and store are asked."""


class ActionForm(QWidget):
    """Fields that scroll, and a footer that stays."""

    historyAsked = Signal(str)
    submitted = Signal()
    """An action has been begun."""
    ended = Signal(object)
    """The Action, however it ended."""

    def __init__(
        self,
        desk: ActionsDesk,
        calls: Calls,
        clock: Clock,
        zone: Zone,
        *,
        name: str = "action",
        parent: QWidget | None = None,
    ) -> None:
        """`name` tells this form's questions from those of other forms."""
        super().__init__(parent)
        self._desk = desk
        self._calls = calls
        self._name = name
        self._draft: Draft | None = None
        self._prepared: Prepared | None = None
        self._standing: Finding | None = None
        self._impact: Finding | None = None
        self._confirmed = ""
        self._busy = False
        self._spent = False
        """What is shown has been submitted and did not fail: it takes a change to submit again."""
        self.fields = Fields()
        self.will_send = WillSend()
        self.findings = Findings()
        # What it would do stays in sight, however far the fields are scrolled.
        self.footer = Footer(clock, zone, self.findings, self.fields.confirm)
        self.outcome = self.footer.outcome
        self.submit_button = self.footer.submit_button
        self._lay_out()
        self._pause = QTimer(self, singleShot=True, interval=PAUSE_MS)
        self._pause.timeout.connect(self._prepare)
        self._look = QTimer(self, singleShot=True, interval=LOOK_MS)
        self._look.timeout.connect(self._ask_around)
        self.fields.changed.connect(self._renew)
        self.fields.confirm_typed.connect(self._tell)
        self.footer.remove_after.changed.connect(self._renew)
        self.footer.submit_button.clicked.connect(lambda _on=False: self.submit())
        self.footer.curl_button.clicked.connect(lambda _on=False: self.copy_curl())
        self.outcome.historyAsked.connect(self.historyAsked)
        self.outcome.asked.connect(self._follow_up)
        self._tell()

    def _lay_out(self) -> None:
        page = QWidget()
        page.setProperty("role", "page")
        inner = self._inner = QVBoxLayout(page)
        inner.setContentsMargins(12, 10, 12, 12)
        inner.setSpacing(10)
        inner.addWidget(self.fields)
        inner.addWidget(self.will_send)
        inner.addStretch(1)
        self.scroller = QScrollArea()
        self.scroller.setWidgetResizable(True)
        self.scroller.setFrameShape(QFrame.Shape.NoFrame)
        self.scroller.setAccessibleName("Action")
        self.scroller.setWidget(page)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.scroller, 1)
        column.addWidget(self.footer)

    def put_first(self, widget: QWidget) -> None:
        """Put something above the fields; it scrolls with them."""
        self._inner.insertWidget(0, widget)

    # what it is about

    @property
    def prepared(self) -> Prepared | None:
        """What Submit would send; None while that is not known."""
        return self._prepared

    @property
    def busy(self) -> bool:
        """An action is under way."""
        return self._busy

    def begin(
        self,
        connector: RespondConnector,
        *,
        record: dict[str, object],
        record_id: str,
        tenant: str,
        offers: Sequence[Offer],
        offer: Offer | None = None,
    ) -> None:
        """Fill the form for a responder and a record (or none), with the value of an offer."""
        responder = responders.RESPONDERS[connector.type]
        if offer is None:
            offer = likely(offers)
        self._draft = Draft(
            connector=connector, path_and_query="", body="", record=record, record_id=record_id, tenant=tenant
        )
        self.fields.begin(responder, scope_of(record, connector), offers, offer, with_record=bool(record))
        self.footer.show_action(responder.action)
        self._renew()

    def begin_entry(self, connector: RespondConnector, entry: Entry | None) -> None:
        """Fill the form without a record: for an entry, or for one to be typed."""
        self.begin(connector, record={}, record_id="", tenant="", offers=())
        if entry is not None and max(len(entry.value), len(entry.comment)) > VALUE_CHARS:
            # The guards refuse it anyway; an editor would lay out all of it.
            words = f"The value has {len(entry.value):,} characters; {VALUE_CHARS} is the most that is sent."
            self.leave()
            self.outcome.fail(words)
        elif entry is not None:
            self.fields.put_body(show_unseen(body_for(responders.RESPONDERS[connector.type], entry)))
        else:
            self.fields.value_edit.setFocus()

    def leave(self) -> None:
        """What it was about is no longer what is looked at: nothing can be sent until begin()."""
        self._draft = None
        self._renew()
        self._pause.stop()
        self.forget_outcome()

    def _renew(self) -> None:
        """What was shown is no longer what would be sent."""
        self._prepared = None
        self._spent = False
        for what in ("prepare", "standing", "impact"):
            self._calls.forget(self._key(what))
        self._pause.start()
        self._tell()

    def _key(self, what: str) -> str:
        return f"{self._name} {what}"

    # preview

    def _prepare(self) -> None:
        if self._draft is None:
            return
        draft = replace(self._draft, path_and_query=self.fields.path_and_query, body=self.fields.body_text)
        self._calls.ask(
            lambda: self._desk.prepare(draft), self._came, self._refused, owner=self, key=self._key("prepare")
        )

    def _came(self, prepared: Prepared) -> None:
        self._prepared = prepared
        self._standing = self._impact = None
        self.fields.clear_faults()
        self.fields.comment_left(prepared.entry.comment)
        self.will_send.show_request(prepared.request)
        self.fields.ask_confirmation(prepared.judgement.answer == guards.CONFIRM, prepared.entry.value)
        self._look.start()
        self._tell()

    def _refused(self, error: BaseException) -> None:
        self._prepared = None
        self._standing = self._impact = None
        fault = error if isinstance(error, Fault) else UserFault("That cannot be sent.", hint=str(error))
        self.fields.show_fault(fault)
        self.will_send.show_request(None, f"Nothing: {fault.what} {fault.hint}".strip())
        self.fields.ask_confirmation(False, "")
        self._tell()

    def _ask_around(self) -> None:
        prepared = self._prepared
        if prepared is None or prepared.judgement.answer == guards.REFUSE:
            return

        def stood(standing: Standing) -> None:
            self._standing = wording.standing_finding(prepared, standing)
            self._tell()

        def weighed(impact: Impact) -> None:
            self._impact = wording.impact_finding(prepared, impact)
            self._tell()

        def no_standing(error: BaseException) -> None:
            name = wording.LIST_WORD[prepared.responder.list]
            self._standing = Finding(f"The {name} could not be read. {_words(error)}", blocks.WARN)
            self._tell()

        def no_impact(error: BaseException) -> None:
            self._impact = Finding(f"Stored messages could not be counted. {_words(error)}", blocks.WARN)
            self._tell()

        self._calls.ask(
            lambda: self._desk.standing(prepared), stood, no_standing, owner=self, key=self._key("standing")
        )
        self._calls.ask(
            lambda: self._desk.impact(prepared), weighed, no_impact, owner=self, key=self._key("impact")
        )
        self._tell()

    # telling

    def _tell(self) -> None:
        prepared = self._prepared
        told = self._found(prepared) if prepared is not None and not self._spent else []
        self.findings.show_findings(told)
        ready = prepared is not None and not self._busy and not self._spent
        if prepared is not None:
            answer = prepared.judgement.answer
            if answer == guards.REFUSE or (answer == guards.CONFIRM and not self.fields.confirmed):
                ready = False
        self.footer.submit_button.setEnabled(ready)
        self.footer.curl_button.setEnabled(prepared is not None)

    def _found(self, prepared: Prepared) -> list[Finding]:
        if not prepared.entry.value:
            return [Finding("The value is empty: type it first.", blocks.WARN)]
        found = wording.guard_findings(prepared)
        if told := wording.value_finding(prepared.entry.value):
            found.append(told)
        if prepared.judgement.answer == guards.REFUSE:
            return found
        name = wording.LIST_WORD[prepared.responder.list]
        waiting = Finding(f"Reading the {name} …", blocks.MUTED)
        counting = Finding("Counting stored messages …", blocks.MUTED)
        return [*found, wording.joined(self._standing or waiting, self._impact or counting)]

    # sending

    def submit(self) -> None:
        """Send what is shown; nothing happens where Submit is asleep."""
        prepared = self._prepared
        if prepared is None or not self.footer.submit_button.isEnabled():
            return
        confirmed = self._confirmed = self.fields.confirmed
        expires = self.footer.remove_after.expires if prepared.responder.action == ADD else 0
        self._busy = self._spent = True  # puts Submit to sleep: a double click is one action
        action_id = (
            self._desk.new_action_id()
        )  # now, not when the form opened: ids ascend with the time of sending
        self._tell()
        self.outcome.begin(f"{prepared.connector.title} · {prepared.entry.value[:200]}")
        self.submitted.emit()
        self._calls.ask(
            lambda: self._desk.submit(prepared, action_id=action_id, confirmed=confirmed, expires=expires),
            self._submitted,
            self._not_submitted,
            owner=self,
        )

    def _submitted(self, action: Action) -> None:
        self._busy = False
        self._show_outcome(action)
        if action.status == FAILED:
            self._spent = False
        self.fields.confirm_edit.clear()
        self._tell()
        self._look.start()
        self.ended.emit(action)

    def _not_submitted(self, error: BaseException) -> None:
        self._busy = self._spent = False
        fault = error if isinstance(error, Fault) else None
        self.outcome.fail(fault.what if fault else str(error), fault.hint if fault else "")
        self._tell()

    def _show_outcome(self, action: Action) -> None:
        self.outcome.show_action(action)

    def _follow_up(self, what: str, action_id: str) -> None:
        """Undo, Check or Retry of the action whose outcome is shown."""
        confirmed = self._confirmed
        asked = {
            "Undo": lambda: self._desk.undo(action_id),
            "Check": lambda: self._desk.check(action_id),
            # The value was typed for this very action a moment ago.
            "Retry": lambda: self._desk.retry(action_id, confirmed=confirmed),
        }.get(what)
        if asked is None:
            self.historyAsked.emit(action_id)
            return
        self._calls.ask(asked, self._followed, self._not_followed, owner=self)

    def _followed(self, action: Action) -> None:
        self._show_outcome(action)
        self._look.start()
        self.ended.emit(action)

    def _not_followed(self, error: BaseException) -> None:
        fault = error if isinstance(error, Fault) else None
        held = self.outcome.action
        self.outcome.fail(fault.what if fault else str(error), fault.hint if fault else "")
        self.outcome.action = held

    def forget_outcome(self) -> None:
        """Another record is read: an outcome that is known goes; one that is awaited stays."""
        shown = self.outcome.action
        if not self._busy and (shown is None or shown.status not in (WAITING, IN_PROGRESS)):
            self.outcome.clear()

    def copy_curl(self) -> None:
        """The request as a command for a shell; the token is a variable in it."""
        if self._prepared is not None:
            copy(as_curl(self._prepared.request))

    def restyle(self) -> None:
        """Times or colours are others from now on."""
        self.fields.restyle()
        self.footer.remove_after.restyle()


def _words(error: BaseException) -> str:
    return f"{error.what} {error.hint}".strip() if isinstance(error, Fault) else str(error)


def likely(offers: Sequence[Offer]) -> Offer | None:
    """What is meant unless a person says otherwise: the sender, else where the mail came from; never a recipient."""
    first = offers[0] if offers and offers[0].attribute != "$rcpt" else None
    return next((one for one in offers if one.attribute == "$from"), first)
