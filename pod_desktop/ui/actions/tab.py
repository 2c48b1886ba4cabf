"""The Actions tab of the record pane: the responders that may act on the record, and the form of one action."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from pod_desktop import content, responders
from pod_desktop.content import Offer
from pod_desktop.core.action import ADD, BLOCK
from pod_desktop.core.clock import Clock
from pod_desktop.core.faults import Fault
from pod_desktop.core.guards import VALUE_CHARS
from pod_desktop.core.responder import RespondConnector
from pod_desktop.ui.actions.calls import Calls
from pod_desktop.ui.actions.cards import ResponderCards
from pod_desktop.ui.actions.desk import ActionsDesk
from pod_desktop.ui.actions.form import ActionForm
from pod_desktop.ui.bridge import Record
from pod_desktop.ui.moments import Zone
from pod_desktop.ui.text import PlainLabel
from pod_desktop.ui.widgets import Button, EmptyState

TITLE: Final = "Actions"


class ActionsTab(QWidget):
    """Actions on one record."""

    createResponder = Signal()
    historyAsked = Signal(str)
    ended = Signal(object)
    """An Action, however it ended."""

    def __init__(
        self, desk: ActionsDesk, calls: Calls, clock: Clock, zone: Zone, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._desk = desk
        self._calls = calls
        self._record: Record | None = None
        self._fresh = False
        """The form is about the record that is shown."""
        self._wanted: tuple[str, str] | None = None
        """(list, attribute) that was asked for from outside, before the responders were known."""
        self._fitting: tuple[RespondConnector, ...] = ()
        self.setAccessibleName(TITLE)
        self.cards = ResponderCards()
        self.form = ActionForm(desk, calls, clock, zone, name="tab")
        self.form.historyAsked.connect(self.historyAsked)
        self.form.ended.connect(self.ended)
        self.cards.chosen.connect(self._chosen)
        top = QWidget()
        column = QVBoxLayout(top)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(PlainLabel("External Actions · Webhook", "small"))
        column.addWidget(self.cards)
        self.form.put_first(top)
        self._none = EmptyState(
            "No responder may act on this record",
            "A responder is a connector that adds to, or deletes from, the Org Block List or the Org Safe List. "
            "Create one for this record's tenant, or for All Tenants.",
            [Button("Create responder", "primary", self.createResponder.emit)],
        )
        self._waiting = EmptyState("", "")
        self._stack = QStackedWidget()
        for page in (self._waiting, self._none, self.form):
            self._stack.addWidget(page)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self._stack)

    # what it is about

    def show_record(self, record: Record | None) -> None:
        """Be about this record; None: about nothing."""
        same = record is not None and self._record is not None and record.row.seq == self._record.row.seq
        if same:
            return
        self._record = record
        self._fresh = False
        # Until the other record is here the form stays to be seen, but sends nothing.
        self.form.leave()
        if record is not None:
            self.refresh()

    def refresh(self) -> None:
        """Ask which responders there are: one may have been created or disabled."""
        if self._record is not None:
            self._calls.ask(
                self._desk.responders,
                self._responders_came,
                self._no_responders,
                owner=self,
                key="responders",
            )

    def act(self, which: str, attribute: str = "$from") -> None:
        """Fill the form for adding the record's value to a list: Block sender…, Safelist sender…."""
        self._wanted = (which, attribute)
        if self._fresh:
            self._take_wanted()
        else:
            self.refresh()

    def _responders_came(self, found: Sequence[RespondConnector]) -> None:
        record = self._record
        if record is None:
            return
        fitting = tuple(
            sorted(
                (one for one in found if one.may_act_on(record.row.tenant)),
                key=lambda one: (list(responders.RESPONDERS).index(one.type), one.name),
            )
        )
        before = self.cards.current()
        others = self.cards.show_responders(fitting)
        self._fitting = fitting
        if not fitting:
            self._stack.setCurrentWidget(self._none)
            return
        self._stack.setCurrentWidget(self.form)
        if self._wanted is not None:
            self._take_wanted()
        elif others or not self._fresh:
            self.cards.choose(before if before in fitting else fitting[0])

    def _no_responders(self, error: BaseException) -> None:
        what, hint = (error.what, error.hint) if isinstance(error, Fault) else (str(error), "")
        self._waiting.say(what, hint)
        self._stack.setCurrentWidget(self._waiting)

    def _take_wanted(self) -> None:
        which, attribute = self._wanted or (BLOCK, "$from")
        self._wanted = None
        wanted = responders.Responder(action=ADD, list=which).type
        connector = next((one for one in self._fitting if one.type == wanted), None)
        if connector is None:
            words = "Org Block List" if which == BLOCK else "Org Safe List"
            self.form.outcome.fail(f"No responder adds to the {words}.", "Create one for this tenant.")
            if self.cards.current() is None and self._fitting:
                self.cards.choose(self._fitting[0])
            return
        self._attribute = attribute
        self.cards.choose(connector)
        self._attribute = ""
        self.form.setFocus()

    _attribute = ""

    def _chosen(self, connector: RespondConnector) -> None:
        record = self._record
        if record is None:
            return
        kept = self.form.fields.chips.current() if self._fresh else None
        offers = self.offers()
        wanted = next((one for one in offers if one.attribute == self._attribute), None)
        self._fresh = True
        self.form.begin(
            connector,
            record=record.value if isinstance(record.value, dict) else {},
            record_id=record.row.record_id,
            tenant=record.row.tenant,
            offers=offers,
            offer=wanted or (kept if kept in offers else None),
        )

    def offers(self) -> tuple[Offer, ...]:
        """What the record holds for the attributes of a list; not what is too long for any list."""
        record = self._record
        if record is None:
            return ()
        found = content.offers(record.row.kind, record.value, record.row)
        return tuple(one for one in found if len(one.expression) <= 2 * VALUE_CHARS)

    def restyle(self) -> None:
        """Times or colours are others from now on."""
        self.form.restyle()

    def focus_first(self) -> None:
        """Go to the first card."""
        (self.cards.cards[0] if self.cards.cards else self).setFocus()
