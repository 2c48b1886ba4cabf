"""A page of fields that are checked as one types, and all together before one goes on."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLineEdit, QScrollArea, QVBoxLayout, QWidget

from pod_desktop.core.faults import UserFault
from pod_desktop.ui.text import PlainLabel
from pod_desktop.ui.widgets import Field

Check = Callable[[], object]
"""Returns the clean value or raises UserFault."""


class Form(QScrollArea):
    """Fields from top to bottom; scrolls where the window is low."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._body = QWidget()
        self._body.setProperty("role", "page")
        self._column = QVBoxLayout(self._body)
        self._column.setContentsMargins(16, 14, 16, 16)
        self._column.setSpacing(12)
        self._checks: dict[str, tuple[Field, Check]] = {}
        self._asked = False

    def add_words(self, words: str) -> PlainLabel:
        """A line of explanation."""
        label = PlainLabel(words, "note", wrap=True)
        self._column.addWidget(label)
        return label

    def add(self, widget: QWidget) -> None:
        self._column.addWidget(widget)

    def add_row(self, *widgets: QWidget) -> None:
        """Widgets side by side."""
        row = QHBoxLayout()
        row.setSpacing(12)
        for widget in widgets:
            row.addWidget(widget, 1)
        self._column.addLayout(row)

    def add_left(self, widget: QWidget) -> None:
        """A widget of its own width at the left edge."""
        self._column.addWidget(widget, 0, Qt.AlignmentFlag.AlignLeft)

    def add_guided(self, field: Field, where: str, check: Check, steps: QWidget) -> None:
        """A checked field with its help close below."""
        block = QVBoxLayout()
        block.setSpacing(1)
        self.add_checked(field, where, check, into=block)
        block.addWidget(steps)
        self._column.addLayout(block)

    def add_checked(self, field: Field, where: str, check: Check, *, into: QVBoxLayout | None = None) -> None:
        """A field whose value `check` judges; `where` is what its faults name."""
        (into or self._column).addWidget(field)
        self._checks[where] = (field, check)

    def finish(self) -> None:
        """All fields are there."""
        self._column.addStretch(1)
        self.setWidget(self._body)

    @property
    def fields(self) -> frozenset[str]:
        """What faults of this page's fields name."""
        return frozenset(self._checks)

    def first_focus(self) -> QWidget | None:
        """Where one begins to type."""
        return None

    def check_typed(self, field: Field) -> None:
        """Judge one field as it changes; an empty one is not blamed before one tried to go on."""
        for known, check in self._checks.values():
            if known is field:
                self._judge(field, check, blame_empty=self._asked)

    def check_all(self) -> bool:
        """Judge every field; the first that does not fit gets the focus."""
        self._asked = True
        wrong = [field for field, check in self._checks.values() if not self._judge(field, check)]
        if wrong:
            self._go_to(wrong[0])
        return not wrong

    def show_fault(self, where: str, fault: UserFault) -> bool:
        """Show a fault that came from elsewhere beside its field; False when it names none of ours."""
        if where not in self._checks:
            return False
        field, _ = self._checks[where]
        field.fault(fault.what, fault.hint)
        self._go_to(field)
        return True

    @staticmethod
    def _judge(field: Field, check: Check, *, blame_empty: bool = True) -> bool:
        try:
            check()
        except UserFault as fault:
            if blame_empty or _typed_text(field.control) != "":
                field.fault(fault.what, fault.hint)
            else:
                field.fault("")
            return False
        field.fault("")
        return True

    def _go_to(self, field: Field) -> None:
        field.setFocus(Qt.FocusReason.OtherFocusReason)
        if isinstance(field.control, QLineEdit):
            field.control.selectAll()
        self.ensureWidgetVisible(field)


def _typed_text(control: QWidget) -> str | None:
    """What stands in a line that is typed into; None for any other control."""
    if isinstance(control, QComboBox) and control.isEditable():
        return control.currentText()
    return control.text() if isinstance(control, QLineEdit) else None
