"""The editor's second and third card: all actions, and the limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from pod_desktop.core.faults import Fault
from pod_desktop.core.playbook import ACTIONS_MOST, NOTIFY, WEBHOOK_RESPONDER, Limits
from pod_desktop.core.responder import RespondConnector
from pod_desktop.ui.automation.actionform import ActionForm
from pod_desktop.ui.automation.inputs import Number
from pod_desktop.ui.text import PlainLabel
from pod_desktop.ui.widgets import Button, Card
from pod_desktop.ui.widgets.flow import FlowLayout

GUARDS: Final = (
    "Always: nothing goes on the safe list by itself. Own, protected, partner and free-mail values, look-alikes, a "
    "header from that neither SPF nor DMARC proved, and anything wider than equal (or contain with @domain) are held "
    "for approval. More than three times the mean of the last seven days, or five failures in a row, stop the "
    "playbook and tell you."
)


class ActionsCard(Card):
    """One or more actions."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("2 Actions", parent=parent)
        self.forms: list[ActionForm] = []
        self._responders: Sequence[RespondConnector] = ()
        self._scope: Mapping[str, object] = {}
        self._column = QVBoxLayout()
        self._column.setSpacing(10)
        self.add_button = Button("+ Add action", "plain", self.add_one, name="Add action")
        self.body.addLayout(self._column)
        held = QWidget()
        FlowLayout(held).addWidget(self.add_button)
        self.body.addWidget(held)

    def offer(self, found: Sequence[RespondConnector], scope: Mapping[str, object]) -> None:
        """Responders to choose from, and what expressions may name."""
        self._responders, self._scope = found, scope
        for form in self.forms:
            form.offer(found, scope)

    def show_file(self, actions: Sequence[Mapping[str, Any]]) -> None:
        """Fill in the file's actions."""
        for form in list(self.forms):
            self._take_out(form)
        for action in actions:
            self._put(action)
        self._number()

    def file(self) -> list[dict[str, Any]]:
        return [form.file() for form in self.forms]

    def add_one(self) -> None:
        """One more action, of a type that there is not yet."""
        acts = any(form.type.currentData() == WEBHOOK_RESPONDER for form in self.forms)
        new = not acts and self._responders
        action = (
            {"type": WEBHOOK_RESPONDER, "responder": self._responders[0].name} if new else {"type": NOTIFY}
        )
        form = self._put(action)
        self._number()
        self.changed.emit()
        form.type.setFocus()

    def _put(self, action: Mapping[str, Any]) -> ActionForm:
        form = ActionForm()
        form.offer(self._responders, self._scope)
        form.show_file(action)
        form.changed.connect(self.changed)
        form.removeAsked.connect(lambda: self.remove(form))
        self.forms.append(form)
        self._column.addWidget(form)
        return form

    def remove(self, form: ActionForm) -> None:
        """Take an action away; one stays."""
        if len(self.forms) > 1:
            self._take_out(form)
            self._number()
            self.changed.emit()
            self.add_button.setFocus()

    def _take_out(self, form: ActionForm) -> None:
        self.forms.remove(form)
        self._column.removeWidget(form)
        form.hide()
        form.deleteLater()

    def _number(self) -> None:
        for number, form in enumerate(self.forms, 1):
            form.number_as(number, len(self.forms))
        self.add_button.setEnabled(len(self.forms) < ACTIONS_MOST)

    def show_faults(self, faults: Mapping[int, Fault]) -> None:
        """Say what is wrong beside each line, by the action's number."""
        for number, form in enumerate(self.forms):
            form.show_fault(faults.get(number))

    def restyle(self) -> None:
        """Colours are others from now on."""
        for form in self.forms:
            form.restyle()


class LimitsCard(Card):
    """How much it may do unattended; the most that may be set is the default."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("3 Limits", parent=parent)
        most = Limits()
        self.per_minute = Number(1, most.per_minute, name="Actions a minute, at most")
        self.per_day = Number(1, most.per_day, name="Actions a day, at most")
        self.distinct = Number(1, most.distinct, name="Different values in one run, at most")
        held = QWidget()
        flow = FlowLayout(held, 6)
        for part in (
            PlainLabel("At most"), self.per_minute, PlainLabel("actions a minute,"), self.per_day,
            PlainLabel("a day, and"), self.distinct, PlainLabel("different values in one run."),
        ):  # fmt: skip
            if isinstance(part, PlainLabel):
                part.setFixedHeight(28)
            flow.addWidget(part)
        self.body.addWidget(held)
        self.body.addWidget(PlainLabel(GUARDS, "help", wrap=True))
        for number in (self.per_minute, self.per_day, self.distinct):
            number.valueChanged.connect(lambda _value: self.changed.emit())

    def show_file(self, limits: Mapping[str, Any]) -> None:
        most = Limits()
        for name, number in self._numbers().items():
            number.setValue(limits.get(name, getattr(most, name)))

    def file(self) -> dict[str, int]:
        return {name: number.value() for name, number in self._numbers().items()}

    def _numbers(self) -> dict[str, Number]:
        return {"per_minute": self.per_minute, "per_day": self.per_day, "distinct": self.distinct}
