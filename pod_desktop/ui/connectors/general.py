"""The wizard's first tab: what the connector is and whose it is. None of it can be changed later."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QCompleter, QLineEdit, QVBoxLayout, QWidget

from pod_desktop.core import blocks
from pod_desktop.core import connector as rules
from pod_desktop.core import responder as webhook
from pod_desktop.core.definition import CATEGORY_TITLES, Connector
from pod_desktop.core.faults import UserFault
from pod_desktop.ui.connectors import guide, naming
from pod_desktop.ui.connectors.form import Form
from pod_desktop.ui.widgets import Field, Notice

ALL_FOUR: Final = "all four"
_ALL_FOUR_WORDS: Final = "All four actions (Proofpoint on Demand)"
_ONE_NAME: Final = "Printable ASCII only; tenant and type make a good name."


class General(Form):
    """Category, Type, Function, Name, Tenant Name, Run On."""

    changed = Signal()
    kind_changed = Signal()
    """Another category or type was chosen, or responding too: other tabs follow."""

    def __init__(
        self, names: Sequence[str], tenants: Sequence[str] = (), parent: QWidget | None = None
    ) -> None:
        """
        Args:
            names: Names that are taken.
            tenants: Known tenants, offered to choose from.
        """
        super().__init__(parent)
        self._names = tuple(names)
        self._tenants = tuple(dict.fromkeys(name for name in tenants if name != webhook.ALL_TENANTS))
        self._name_is_ours = True
        self.words = self.add_words(
            "What this tab says cannot be changed after the connector is added. * required"
        )
        self._build_kind()
        self._build_name()
        self.run_on = QComboBox()
        _fill(self.run_on, rules.RUN_ON_TITLES)
        self.run_on_field = Field("Run On", self.run_on, required=True)
        self.add(self.run_on_field)
        self.before = Notice("", blocks.WARN)
        self.add(self.before)
        self.finish()
        self._category_chosen()

    def _build_kind(self) -> None:
        self.category, self.type = QComboBox(), QComboBox()
        _fill(self.category, CATEGORY_TITLES)
        # The longest type must not make the tab wider than the window.
        self.type.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.type.setMinimumContentsLength(12)
        self.add_row(Field("Category", self.category, required=True), Field("Type", self.type, required=True))
        self.function = QCheckBox("Collect")
        self.function.setChecked(True)
        self.function.setEnabled(False)
        self.also_respond = QCheckBox("Also respond on this cluster: make its four responders as well")
        functions = QWidget()
        column = QVBoxLayout(functions)
        column.setContentsMargins(0, 2, 0, 2)
        column.setSpacing(8)
        column.addWidget(self.function)
        column.addWidget(self.also_respond)
        self._functions = Field("Function", functions)
        self.add(self._functions)
        self.function.setAccessibleName("Function Collect, enabled")
        self.also_respond.setAccessibleName(self.also_respond.text())
        self.category.currentIndexChanged.connect(lambda _row: self._category_chosen())
        self.type.currentIndexChanged.connect(lambda _row: self._kind_chosen())
        self.also_respond.toggled.connect(lambda _on: self._kind_chosen())

    def _build_name(self) -> None:
        self.name = QLineEdit()
        self.tenant_box = QComboBox()
        self.tenant_box.setEditable(True)
        self.tenant_box.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.tenant_box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.tenant = QLineEdit()
        # The box has the edge and the room of a line already.
        self.tenant.setStyleSheet(
            "QLineEdit { border: none; background: transparent; padding: 0; min-height: 0; }"
        )
        self.tenant_box.setLineEdit(self.tenant)
        self.tenant.setPlaceholderText("For example acme")
        self.tenant.setAccessibleName("Tenant Name, required")
        completer = QCompleter(self.tenant_box.model(), self.tenant_box)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        completer.setCompletionMode(QCompleter.CompletionMode.PopupCompletion)
        self.tenant_box.setCompleter(completer)
        self._name_field = Field("Name", self.name, required=True, note=_ONE_NAME)
        self._tenant_field = Field(
            "Tenant Name", self.tenant_box, required=True, note="Kept with every record it collects."
        )
        self.add_checked(self._name_field, "name", self._check_names)
        self.add_checked(self._tenant_field, "tenant", self._check_tenant)
        self.name.textEdited.connect(self._name_edited)
        self.name.textChanged.connect(lambda _text: self._typed(self._name_field))
        self.tenant.textChanged.connect(lambda _text: self._tenant_typed())

    # what is chosen

    @property
    def responds(self) -> bool:
        """Category Webhook."""
        return bool(self.category.currentData() == webhook.WEBHOOK)

    @property
    def types(self) -> tuple[str, ...]:
        """The types of the responders that will be made."""
        if not self.responds:
            return webhook.TYPES if self.also_respond.isChecked() else ()
        chosen: str = self.type.currentData() or ""
        return webhook.TYPES if chosen == ALL_FOUR else (chosen,)

    @property
    def type_words(self) -> str:
        """`Email · Proofpoint on Demand · Collect`."""
        functions = "Respond" if self.responds else "Collect and Respond" if self.types else "Collect"
        return f"{self.category.currentText()} · {self.type.currentText()} · {functions}"

    def responder_names(self) -> dict[str, str]:
        """What the responders will be called, by type."""
        return naming.responder_names(
            self.name.text(), self.types, one=self.responds and len(self.types) == 1
        )

    def choose(self, category: str, kind: str = "", *, also_respond: bool = False) -> None:
        """Choose as a user would."""
        self.category.setCurrentIndex(self.category.findData(category))
        if kind:
            self.type.setCurrentIndex(self.type.findData(kind))
        self.also_respond.setChecked(also_respond)

    def begin_with(self, connector: Connector) -> None:
        """Show the values of a copy under its own name; all of it can be changed."""
        self._name_is_ours = False
        self.choose(connector.category, connector.type)
        self.tenant.setText(connector.tenant)
        self.name.setText(connector.name)

    def fix(self, connector: Connector) -> None:
        """Show a connector that exists already: nothing here can be changed."""
        self._names = ()
        self.begin_with(connector)
        self.also_respond.hide()
        self._tell_names(False)
        self.words.setText("This tab cannot be changed; make or duplicate a connector for other values.")
        for control in (self.category, self.type, self.name, self.tenant_box, self.run_on):
            control.setEnabled(False)

    def first_focus(self) -> QWidget | None:
        return self.name if self.name.isEnabled() else None

    # checks

    def _check_names(self) -> str:
        name = rules.check_name(self.name.text(), () if self.types and self.responds else self._names)
        for wanted in self.responder_names().values():
            rules.check_name(wanted, self._names)
        return name

    def _check_tenant(self) -> str:
        tenant = rules.check_tenant(self.tenant.text())
        if not self.responds and tenant.casefold() == webhook.ALL_TENANTS.casefold():
            raise UserFault(
                "Records belong to one tenant; All Tenants is for responders only.",
                "tenant",
                "Give the tenant's name.",
            )
        return tenant

    # what follows from a choice

    def _category_chosen(self) -> None:
        choices = dict(rules.TYPE_TITLES)
        if self.responds:
            choices = {kind: kind for kind in webhook.TYPES} | {ALL_FOUR: _ALL_FOUR_WORDS}
        with QSignalBlocker(self.type):
            self.type.clear()
            _fill(self.type, choices)
        self._fill_tenants()
        self._kind_chosen()

    def _fill_tenants(self) -> None:
        typed = self.tenant.text()
        with QSignalBlocker(self.tenant), QSignalBlocker(self.tenant_box):
            self.tenant_box.clear()
            self.tenant_box.addItems([*([webhook.ALL_TENANTS] if self.responds else []), *self._tenants])
            self.tenant_box.setCurrentIndex(-1)
            self.tenant.setText(typed)

    def _kind_chosen(self) -> None:
        responds, many = self.responds, len(self.types) > 1
        self.also_respond.setVisible(not responds)
        self.function.setText("Respond" if responds else "Collect")
        self.function.setAccessibleName(f"Function {self.function.text()}, enabled")
        self._functions.say(
            "Enabled: it acts on the org lists of the cluster."
            if responds
            else "Enabled: it collects the cluster's mail logs."
        )
        self._tenant_field.say(
            "All Tenants: it may act on the records of any tenant; else on those of its own only."
            if responds
            else "Kept with every record it collects."
        )
        page, heading = (
            (guide.RESPOND, guide.BEFORE_RESPONDING) if responds else (guide.CONNECT, guide.BEFORE)
        )
        tone = blocks.INFO if responds else blocks.WARN
        self.before.say("\n".join(guide.paragraphs(heading, page)), tone, heading)
        self._suggest()
        self._tell_names(many)
        self.check_typed(self._name_field)
        self.check_typed(self._tenant_field)
        self.kind_changed.emit()
        self.changed.emit()

    def _tell_names(self, many: bool) -> None:
        if not many:
            self._name_field.say(_ONE_NAME)
            return
        listed = ", ".join(self.responder_names().values())
        self._name_field.say(f"{'' if self.responds else 'The responders are called '}{listed}.")

    def _name_edited(self, text: str) -> None:
        # An emptied name is ours to suggest again; anything typed is the user's.
        self._name_is_ours = not text.strip()

    def _suggest(self) -> None:
        if self._name_is_ours:
            kinds = self.types if self.responds else ()
            self.name.setText(naming.suggested_name(self.tenant.text(), kinds, self._names))

    def _tenant_typed(self) -> None:
        self._suggest()
        self._typed(self._tenant_field)

    def _typed(self, field: Field) -> None:
        self._tell_names(len(self.types) > 1)
        self.check_typed(field)
        self.changed.emit()


def _fill(box: QComboBox, choices: dict[str, str]) -> None:
    for value, words in choices.items():
        box.addItem(words, value)
