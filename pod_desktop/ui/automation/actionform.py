"""One action of a playbook in the editor: its type, what it is done with, and its templates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QVBoxLayout, QWidget

from pod_desktop import responders, template
from pod_desktop.core.action import ADD
from pod_desktop.core.clock import parse_span
from pod_desktop.core.faults import Fault
from pod_desktop.core.playbook import (
    ACTION_TYPES,
    COMMENT,
    CONDITION_MET,
    MARK,
    MUTE,
    NOTIFY,
    WEBHOOK_RESPONDER,
    write_span,
)
from pod_desktop.core.responder import RespondConnector
from pod_desktop.template import TemplateFault
from pod_desktop.ui.actions.editor import TemplateEdit
from pod_desktop.ui.actions.members import read_members, with_member
from pod_desktop.ui.automation.inputs import Choice, Line, SpanEdit
from pod_desktop.ui.automation.wording import TYPE_WORD
from pod_desktop.ui.text import PlainLabel
from pod_desktop.ui.widgets import Button, hairline
from pod_desktop.ui.widgets.flow import FlowLayout

_TEXT_LABEL: Final = {NOTIFY: "Words", MARK: "Mark", COMMENT: "Comment"}
_TEXT_FIRST: Final = {
    NOTIFY: "{playbook.name}: {count} records",
    MARK: "suspicious",
    COMMENT: "{playbook.name}: one of {count} records",
}
_TARGETS: Final = (
    ("Envelope sender", ("$from", "equal", "{envelope.from | sm.from}")),
    ("Header from", ("$hfrom", "equal", "{msg.parsedAddresses.from[0]}")),
    ("Source IP", ("$ip", "equal", "{connection.ip}")),
    ("The key, as envelope sender", ("$from", "equal", "{key}")),
    ("The key, as domain of the sender", ("$from", "contain", "@{key}")),
    ("The key, as source IP", ("$ip", "equal", "{key}")),
)
_AS_WRITTEN: Final = "As the body says"


class ActionForm(QWidget):
    """The lines of one action; the JSON body's text is the one truth about what it acts on."""

    changed = Signal()
    removeAsked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._filling = False
        self._responders: Sequence[RespondConnector] = ()
        self._type = ""
        self.title = PlainLabel("", "strong")
        self.remove_button = Button("Remove", "link", self.removeAsked.emit)
        self.trigger = Choice([("Condition met", CONDITION_MET)])
        self.type = Choice([(TYPE_WORD[kind], kind) for kind in ACTION_TYPES])
        self.responder = Choice()
        self.target = Choice([*_TARGETS, (_AS_WRITTEN, None)])
        self.path_edit = TemplateEdit()
        self.body_edit = TemplateEdit(lines=5, json_text=True)
        self.text_edit = TemplateEdit()
        self.override = QCheckBox("Override Default Settings: mute the same value for")
        self.override.setFixedHeight(28)
        self.mute = SpanEdit("Mute the same value for", units=("m", "h", "d"))
        self.trigger_line = Line("Trigger on", _left(self.trigger), name="Trigger on")
        self.type_line = Line("Type", _left(self.type), name="Type")
        self.responder_line = Line("Webhook Responder", _left(self.responder), name="Webhook Responder")
        self.target_line = Line("Acts on", _left(self.target), name="Acts on")
        self.path_line = Line("Path and Query", self.path_edit)
        self.body_line = Line("JSON Body", self.body_edit)
        self.text_line = Line("Words", self.text_edit)
        self.mute_line = Line("", self._mute_row(), name="Override Default Settings")
        for control, name in (
            (self.trigger, "Trigger on"), (self.type, "Type"), (self.responder, "Webhook Responder"),
            (self.target, "Acts on"),
        ):  # fmt: skip
            control.setAccessibleName(name)
        self._lay_out()
        self._connect()

    def _mute_row(self) -> QWidget:
        held = QWidget()
        flow = FlowLayout(held, 8)
        flow.addWidget(self.override)
        flow.addWidget(self.mute)
        return held

    def _lay_out(self) -> None:
        head = QWidget()
        row = QHBoxLayout(head)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.title)
        row.addStretch(1)
        row.addWidget(self.remove_button)
        self._head = head
        self._above = hairline()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(self._above)
        column.addWidget(head)
        self._webhook = (self.responder_line, self.target_line, self.path_line, self.body_line)
        for line in (self.trigger_line, self.type_line, *self._webhook, self.text_line, self.mute_line):
            column.addWidget(line)

    def _connect(self) -> None:
        self.type.currentIndexChanged.connect(lambda _at: self._type_chosen())
        self.responder.currentIndexChanged.connect(lambda _at: self._responder_chosen())
        self.target.currentIndexChanged.connect(lambda _at: self._target_chosen())
        self.override.toggled.connect(self._override)
        self.mute.changed.connect(self._edited)
        for edit in (self.path_edit, self.text_edit):
            edit.edited.connect(self._edited)
        self.body_edit.edited.connect(self._body_edited)

    # filling

    def number_as(self, number: int, of: int) -> None:
        """Show which of several it is."""
        self.title.setText(f"Action {number}")
        self.remove_button.setAccessibleName(f"Remove action {number}")
        self._head.setVisible(of > 1)
        self._above.setVisible(number > 1)

    def offer(self, found: Sequence[RespondConnector], scope: Mapping[str, object]) -> None:
        """Responders to choose from, and what expressions may name."""
        was_filling, self._filling = self._filling, True
        kept = self.responder.currentData()
        self._responders = found
        items = [
            (f"{one.name} · {one.type.removeprefix('Proofpoint on Demand ')}", one.name) for one in found
        ]
        self.responder.fill(items or [("No responder yet", "")])
        if kept:
            self._show_responder(kept)
        for edit in (self.path_edit, self.body_edit, self.text_edit):
            edit.offer(scope)
        self._filling = was_filling

    def _show_responder(self, name: str) -> None:
        known = next((one.name for one in self._responders if one.name.casefold() == name.casefold()), None)
        self.responder.choose(known or name, known or f"{name} · missing or disabled")

    def show_file(self, data: Mapping[str, Any]) -> None:
        """Fill in what the file says of this action."""
        self._filling = True
        self.type.choose(data["type"])
        self._type = data["type"]
        if data.get("responder"):
            self._show_responder(data["responder"])
        self.path_edit.set_text(data.get("path_and_query") or self._own_path())
        self.body_edit.set_text(data.get("body") or self._own_body())
        self.text_edit.set_text(data.get("text") or _TEXT_FIRST.get(data["type"], ""))
        mute = data.get("mute", write_span(MUTE))
        self.override.setChecked(mute != write_span(MUTE))
        self.mute.show_span(parse_span(mute))
        self._fit()
        self._follow_body()
        self._filling = False

    def file(self) -> dict[str, Any]:
        """This action as a playbook's file writes it; what is the responder's own is left out."""
        kind = self.type.currentData()
        found: dict[str, Any] = {"trigger": self.trigger.currentData(), "type": kind}
        if kind == WEBHOOK_RESPONDER:
            path, body = self.path_edit.toPlainText().strip(), self.body_edit.toPlainText()
            found["responder"] = self.responder.currentData() or ""
            found["path_and_query"] = "" if path == self._own_path() else path
            found["body"] = "" if body == self._own_body() else body
        else:
            found["text"] = self.text_edit.toPlainText()
        found["mute"] = self.mute.text if self.override.isChecked() else write_span(MUTE)
        return found

    # what follows what

    def _template(self) -> responders.Responder | None:
        name = self.responder.currentData() or ""
        one = next((one for one in self._responders if one.name.casefold() == name.casefold()), None)
        # A responder that is missing is shown as the backtest takes it.
        return responders.RESPONDERS.get(one.type) if one else next(iter(responders.RESPONDERS.values()))

    def _own_path(self) -> str:
        found = self._template()
        return found.path_and_query if found else ""

    def _own_body(self) -> str:
        found = self._template()
        return found.body() if found else ""

    def _fit(self) -> None:
        kind = self.type.currentData()
        for line in self._webhook:
            line.setVisible(kind == WEBHOOK_RESPONDER)
        self.text_line.setVisible(kind != WEBHOOK_RESPONDER)
        if kind in _TEXT_LABEL:
            self.text_line._label.setText(_TEXT_LABEL[kind])
            self.text_edit.setAccessibleName(_TEXT_LABEL[kind])
        self.mute.setEnabled(self.override.isChecked())

    def _type_chosen(self) -> None:
        kind = self.type.currentData()
        if not self._filling and self.text_edit.toPlainText() in ("", _TEXT_FIRST.get(self._type, "")):
            self.text_edit.set_text(_TEXT_FIRST.get(kind, ""))
        self._type = kind
        self._fit()
        self._edited()

    def _responder_chosen(self) -> None:
        """Another responder brings its own path and body; what it acts on stays, where it fits."""
        if self._filling:
            return
        kept = read_members(self.body_edit.toPlainText()) or {}
        body = self._own_body()
        for key in ("attribute", "operator", "value"):
            if key in kept:
                body = with_member(body, key, kept[key], {})
        own = self._template()
        if own is not None and own.action == ADD and "comment" in kept:
            body = with_member(body, "comment", kept["comment"], {})
        self._filling = True
        self.path_edit.set_text(self._own_path())
        self.body_edit.set_text(body)
        self._follow_body()
        self._filling = False
        self._edited()

    def _target_chosen(self) -> None:
        wanted = self.target.currentData()
        if self._filling or wanted is None:
            return
        text = self.body_edit.toPlainText()
        for key, value in zip(("attribute", "operator", "value"), wanted, strict=True):
            text = with_member(text, key, value, read_members(self._own_body()) or {})
        self._filling = True
        self.body_edit.set_text(text)
        self._filling = False
        self._edited()

    def _follow_body(self) -> None:
        found = read_members(self.body_edit.toPlainText()) or {}
        written = tuple(found.get(key, "") for key in ("attribute", "operator", "value"))
        if written == ("$from", "equal", "{envelope.from}"):
            written = _TARGETS[0][1]
        known = [target for _, target in _TARGETS]
        place = known.index(written) if written in known else len(known)
        self.target.setCurrentIndex(place)

    def _body_edited(self) -> None:
        if self._filling:
            return
        self._filling = True
        self._follow_body()
        self._filling = False
        self._edited()

    def _override(self, on: bool) -> None:
        if not on:
            self.mute.show_span(MUTE)
        self.mute.setEnabled(on)
        self._edited()

    def _edited(self) -> None:
        if not self._filling:
            self.changed.emit()

    # faults

    def show_fault(self, fault: Fault | None) -> None:
        """Say it beside the line that it is about; None: all is well."""
        lines = (
            self.responder_line, self.path_line, self.body_line, self.text_line, self.mute_line,
        )  # fmt: skip
        for line in lines:
            line.fault("")
        for edit in (self.path_edit, self.body_edit, self.text_edit):
            edit.mark(-1)
        if fault is None:
            return
        line = self._line_of(fault)
        hint = fault.hint
        if line is self.responder_line and not self._responders:
            hint = "Create a Webhook Responder under Connectors first, or choose another type of action."
        what = "Choose a responder." if line is self.responder_line else fault.what
        line.fault(what, hint)
        if isinstance(fault, TemplateFault) and isinstance(line.control, TemplateEdit):
            line.control.mark(self._place_of(fault, line.control))

    def first_fault(self) -> QWidget:
        """The control beside which a fault is shown."""
        lines = (self.responder_line, self.path_line, self.body_line, self.text_line, self.mute_line)
        faulty = next((line for line in lines if line.words), None)
        if faulty is None:
            return self.type
        return self.responder if faulty is self.responder_line else faulty.control

    def _line_of(self, fault: Fault) -> Line:
        where = fault.where
        for name, line in (
            ("responder", self.responder_line), ("path_and_query", self.path_line), ("body", self.body_line),
            ("JSON Body", self.body_line), ("mute", self.mute_line), ("text", self.text_line),
        ):  # fmt: skip
            if where.endswith(name):
                return line
        if self.type.currentData() != WEBHOOK_RESPONDER:
            return self.text_line
        try:
            template.parse(self.path_edit.toPlainText())
        except TemplateFault:
            return self.path_line
        return self.body_line

    def _place_of(self, fault: TemplateFault, edit: TemplateEdit) -> int:
        """Where in the editor; a string of the body counts from its own beginning, so that is not known."""
        if edit is not self.body_edit or fault.what.startswith("This is not JSON"):
            return fault.column
        return -1

    def restyle(self) -> None:
        """Colours are others from now on."""
        for edit in (self.path_edit, self.body_edit, self.text_edit):
            edit.restyle()


def _left(control: QWidget) -> QWidget:
    """The control no wider than it needs to be."""
    held = QWidget()
    row = QHBoxLayout(held)
    row.setContentsMargins(0, 0, 0, 0)
    row.addWidget(control)
    row.addStretch(1)
    return held
