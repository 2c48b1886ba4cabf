"""The fields of an action: value chips, pickers, the two templates, the comment, the typed confirmation.

The JSON body's text is the one truth: chips and pickers write into it, and follow what is typed there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from pod_desktop import template
from pod_desktop.content import Offer
from pod_desktop.core.action import ADD, ATTRIBUTES, COMMENT_CHARS, OPERATORS
from pod_desktop.core.faults import Fault
from pod_desktop.responders import Responder
from pod_desktop.template import TemplateFault
from pod_desktop.ui.actions.cards import ValueChips
from pod_desktop.ui.actions.editor import TemplateEdit
from pod_desktop.ui.actions.members import read_members, with_member, write_members
from pod_desktop.ui.text import PlainLabel, cell
from pod_desktop.ui.widgets import Field, Notice

OPERATOR_WORDS: Final = {
    "equal": "equal",
    "not_equal": "not_equal",
    "contain": "contain",
    "not_contain": "not_contain",
    "is_in_list": "is_in_list",
}
NO_SENDER: Final = "This record names no sender and no source. Choose a value, or act on the message itself: Journey shows it."
_PATH_PLACE: Final = "Path and Query"


class Fields(QWidget):
    """What a person fills in."""

    changed = Signal()
    """The request may be another one."""
    confirm_typed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._responder: Responder | None = None
        self._fallback: dict[str, str] = {}
        self._value = ""
        self._filling = False
        self.chips = ValueChips()
        self.chosen_value = PlainLabel("", "mono", wrap=True, selectable=True)
        self.trap = Notice()
        self.attribute = QComboBox()
        self.operator = QComboBox()
        self.value_edit = TemplateEdit()
        self.path_edit = TemplateEdit()
        self.body_edit = TemplateEdit(lines=7, json_text=True)
        self.comment_edit = TemplateEdit()
        self.confirm_edit = QLineEdit()
        self.confirm_edit.setProperty("role", "mono")
        self.value_field = Field("Value", self.value_edit, required=True)
        self.path_field = Field(_PATH_PLACE, self.path_edit, required=True)
        self.body_field = Field("JSON Body", self.body_edit, required=True)
        self.comment_field = Field("Comment", self.comment_edit)
        self.confirm = Field("Type the value once more to confirm that it is meant", self.confirm_edit)
        self._values_label = PlainLabel("Value", "label")
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        pickers = QHBoxLayout()
        pickers.setSpacing(8)
        pickers.addWidget(Field("Attribute", self.attribute), 1)
        pickers.addWidget(Field("Operator", self.operator), 1)
        values = QVBoxLayout()
        values.setSpacing(5)
        for part in (self._values_label, self.chips, self.chosen_value, self.trap):
            values.addWidget(part)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(10)
        column.addLayout(values)
        column.addLayout(pickers)
        for field in (self.value_field, self.comment_field, self.path_field, self.body_field):
            column.addWidget(field)
        self.confirm.hide()

    def _connect(self) -> None:
        self.chips.chosen.connect(self._take_offer)
        self.attribute.currentIndexChanged.connect(lambda _at: self._picked("attribute", self.attribute))
        self.operator.currentIndexChanged.connect(lambda _at: self._picked("operator", self.operator))
        self.value_edit.edited.connect(lambda: self._typed("value", self.value_edit))
        self.comment_edit.edited.connect(lambda: self._typed("comment", self.comment_edit))
        self.path_edit.edited.connect(self._edited)
        self.body_edit.edited.connect(self._body_edited)
        self.confirm_edit.textChanged.connect(lambda _text: self.confirm_typed.emit())

    # filling

    @property
    def path_and_query(self) -> str:
        return self.path_edit.toPlainText()

    @property
    def body_text(self) -> str:
        return self.body_edit.toPlainText()

    @property
    def confirmed(self) -> str:
        """What was typed as the confirmation, where it is the value; else ''."""
        typed = self.confirm_edit.text()
        return typed if typed == self._value else ""

    def begin(
        self,
        responder: Responder,
        scope: Mapping[str, object],
        offers: Sequence[Offer],
        offer: Offer | None,
        *,
        with_record: bool,
    ) -> None:
        """Fill from a responder's templates and an offered value."""
        self._responder = responder
        self._filling = True
        for edit in (self.value_edit, self.path_edit, self.body_edit, self.comment_edit):
            edit.offer(scope)
        self.chips.show_offers(offers)
        self._values_label.setVisible(bool(offers))
        self.chips.setVisible(bool(offers))
        self.value_field.setVisible(not with_record or not offers)
        self.comment_field.setVisible(responder.action == ADD)
        self._fill_pickers(responder)
        members = read_members(responder.body()) or {}
        if not with_record:
            members |= {"value": "", "comment": "POD Desktop"} if responder.action == ADD else {"value": ""}
        self._fallback = members
        self.path_edit.set_text(responder.path_and_query)
        if offer is not None:
            members = members | {"attribute": offer.attribute, "value": offer.expression}
        self.body_edit.set_text(write_members(members))
        self.chips.choose(offer)
        self._show_offer(offer)
        if offers and offer is None:
            self.trap.say(NO_SENDER)
        self._follow_body()
        self._filling = False

    def _fill_pickers(self, responder: Responder) -> None:
        with QSignalBlocker(self.attribute), QSignalBlocker(self.operator):
            self.attribute.clear()
            for name, words in ATTRIBUTES.items():
                self.attribute.addItem(words, name)
                self.attribute.setItemData(self.attribute.count() - 1, name, Qt.ItemDataRole.ToolTipRole)
            self.operator.clear()
            for name in OPERATORS[responder.list]:
                self.operator.addItem(OPERATOR_WORDS[name], name)

    def _take_offer(self, offer: Offer) -> None:
        text = with_member(self.body_text, "attribute", offer.attribute, self._fallback)
        self.put_body(with_member(text, "value", offer.expression, self._fallback))
        self._show_offer(offer)

    def _show_offer(self, offer: Offer | None) -> None:
        self.chosen_value.setText(cell(offer.value) if offer is not None else "")
        self.chosen_value.setVisible(offer is not None)
        self.trap.say(offer.trap if offer is not None else "")

    def _picked(self, key: str, box: QComboBox) -> None:
        if not self._filling:
            self.put_body(with_member(self.body_text, key, str(box.currentData()), self._fallback))

    def _typed(self, key: str, edit: TemplateEdit) -> None:
        if not self._filling:
            self.put_body(with_member(self.body_text, key, edit.toPlainText(), self._fallback))

    def put_body(self, text: str) -> None:
        """Put another body there; pickers follow."""
        self._filling = True
        self.body_edit.set_text(text)
        self._follow_body()
        self._filling = False
        self._edited()

    def _body_edited(self) -> None:
        if self._filling:
            return
        self._filling = True
        self._follow_body()
        self._filling = False
        self._edited()

    def _follow_body(self) -> None:
        """Pickers, value and comment show what the body says."""
        members = read_members(self.body_text)
        if members is None:
            return
        for key, box in (("attribute", self.attribute), ("operator", self.operator)):
            box.setCurrentIndex(box.findData(members.get(key, "")))
        if not self.value_edit.hasFocus():
            self.value_edit.set_text(members.get("value", ""))
        if not self.comment_edit.hasFocus():
            self.comment_edit.set_text(members.get("comment", ""))
        offer = self.chips.current()
        if offer is not None and (offer.attribute, offer.expression) != (
            members.get("attribute"),
            members.get("value"),
        ):
            same = [chip.offer for chip in self.chips.chips if chip.offer.expression == members.get("value")]
            fits = next((one for one in same if one.attribute == members.get("attribute")), None)
            self.chips.choose(fits)
            self._show_offer(fits)

    def _edited(self) -> None:
        if not self._filling:
            self.changed.emit()

    # faults

    def clear_faults(self) -> None:
        """All is well."""
        for field, edit in (
            (self.path_field, self.path_edit), (self.body_field, self.body_edit),
            (self.value_field, self.value_edit), (self.comment_field, self.comment_edit),
        ):  # fmt: skip
            field.fault("")
            edit.mark(-1)

    def show_fault(self, fault: Fault) -> None:
        """Say it beside the field that it is about, and underline the place where that is known."""
        self.clear_faults()
        in_path = fault.where == _PATH_PLACE or self._is_of_path(fault)
        field, edit = (self.path_field, self.path_edit) if in_path else (self.body_field, self.body_edit)
        field.fault(fault.what, fault.hint)
        if isinstance(fault, TemplateFault):
            edit.mark(self._place_of(fault, in_path))

    def _is_of_path(self, fault: Fault) -> bool:
        """A template's fault does not say which template: the path is tried first."""
        if not isinstance(fault, TemplateFault) or fault.where:
            return False
        try:
            template.parse(self.path_and_query)
        except TemplateFault as own:
            return own.what == fault.what
        shown = fault.what.partition("}")[0].strip("{")
        return bool(shown) and f"{{{shown}" in self.path_and_query and f"{{{shown}" not in self.body_text

    def _place_of(self, fault: TemplateFault, in_path: bool) -> int:
        """Where the fault is in the editor's text. A column inside a JSON string is that of its leaf."""
        if in_path or fault.where:
            return fault.column or -1
        named = fault.what.partition("}")[0]
        return self.body_text.find(named) if named.startswith("{") else -1

    # confirming

    def ask_confirmation(self, asked: bool, value: str) -> None:
        """Show or hide the field for the value to be typed again."""
        if value != self._value:
            self.confirm_edit.clear()
        self._value = value
        self.confirm.setVisible(asked)

    def comment_left(self, comment: str) -> None:
        """Say how much room a comment has."""
        left = COMMENT_CHARS - len(comment)
        self.comment_field.say("" if left > 40 else f"{left} of {COMMENT_CHARS} characters left")

    def restyle(self) -> None:
        """Colours are others from now on."""
        for edit in (self.value_edit, self.path_edit, self.body_edit, self.comment_edit):
            edit.restyle()
