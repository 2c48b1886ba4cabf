"""The wizard's first tab: what the connector is and whose it is. None of it can be changed later."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QCompleter, QLineEdit, QWidget

from pod_desktop.core import blocks
from pod_desktop.core import connector as rules
from pod_desktop.ui.connectors import guide
from pod_desktop.ui.connectors.form import Form
from pod_desktop.ui.widgets import Field, Notice


class General(Form):
    """Category, Type, Function, Name, Tenant Name, Run On."""

    changed = Signal()

    def __init__(
        self, names: Sequence[str], tenants: Sequence[str] = (), parent: QWidget | None = None
    ) -> None:
        """
        Args:
            names: Names that are taken.
            tenants: Tenant names in use, offered while one types.
        """
        super().__init__(parent)
        self._names = tuple(names)
        self._name_is_ours = True
        self.category = _fixed_choice("Category", rules.CATEGORY_TITLES)
        self.type = _fixed_choice("Type", rules.TYPE_TITLES)
        self.run_on = _fixed_choice("Run On", rules.RUN_ON_TITLES)
        self.function = QCheckBox("Collect")
        self.function.setChecked(True)
        self.function.setEnabled(False)
        self.name = QLineEdit(rules.suggest_name("", names))
        self.tenant = QLineEdit()
        self.tenant.setPlaceholderText("For example acme")
        if tenants:
            completer = QCompleter(list(tenants), self.tenant)
            completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
            self.tenant.setCompleter(completer)
        name = Field(
            "Name", self.name, required=True, note="Printable ASCII only; tenant and type make a good name."
        )
        tenant = Field("Tenant Name", self.tenant, required=True, note="Kept with every record it collects.")
        self.add_words("What this tab says cannot be changed after the connector is added. * required")
        self.add_row(Field("Category", self.category, required=True), Field("Type", self.type, required=True))
        self.add(Field("Function", self.function, note="Enabled: it collects the cluster's mail logs."))
        self.add_checked(name, "name", lambda: rules.check_name(self.name.text(), self._names))
        self.add_checked(tenant, "tenant", lambda: rules.check_tenant(self.tenant.text()))
        self.add(Field("Run On", self.run_on, required=True))
        self.add(Notice("\n".join(guide.paragraphs(guide.BEFORE)), blocks.WARN, guide.BEFORE))
        self.finish()
        self.name.textEdited.connect(self._name_edited)
        self.name.textChanged.connect(lambda _text: self._typed(name))
        self.tenant.textChanged.connect(lambda _text: self._tenant_typed(tenant))

    def first_focus(self) -> QWidget:
        return self.name

    def _name_edited(self, text: str) -> None:
        # An emptied name is ours to suggest again; anything typed is the user's.
        self._name_is_ours = not text.strip()

    def _tenant_typed(self, field: Field) -> None:
        if self._name_is_ours:
            self.name.setText(rules.suggest_name(self.tenant.text(), self._names))
        self._typed(field)

    def _typed(self, field: Field) -> None:
        self.check_typed(field)
        self.changed.emit()


def _fixed_choice(title: str, choices: dict[str, str]) -> QComboBox:
    box = QComboBox()
    for value, words in choices.items():
        box.addItem(words, value)
    box.setAccessibleName(title)
    return box
