"""Colour rules: rows that match a query get a colour. A list, in which the first rule that fits decides."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QHBoxLayout,
    QLineEdit,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from pod_desktop.core import limits
from pod_desktop.core.faults import UserFault
from pod_desktop.ui.bridge import ColourRule
from pod_desktop.ui.preferences import Preferences
from pod_desktop.ui.text import PlainLabel
from pod_desktop.ui.widgets import Button

_KEY: Final = "events/rules"
_MOST: Final = 20
TONES: Final = {
    "bad": "Red", "warn": "Amber", "good": "Green", "info": "Blue", "special": "Violet", "muted": "Grey",
}  # fmt: skip


def kept_rules(preferences: Preferences) -> tuple[ColourRule, ...]:
    """The rules of the profile in use."""
    found: Any = preferences.data(_KEY)
    rules = [
        ColourRule(one["query"][: limits.QUERY_CHARS], one["tone"])
        for one in (found if isinstance(found, list) else [])
        if isinstance(one, dict) and isinstance(one.get("query"), str) and one.get("tone") in TONES
    ]
    return tuple(rules[:_MOST])


def keep_rules(preferences: Preferences, rules: tuple[ColourRule, ...]) -> None:
    """Remember the rules."""
    preferences.set_data(_KEY, [{"query": rule.query, "tone": rule.tone} for rule in rules])


class _RuleLine(QWidget):
    """One rule."""

    changed = Signal()
    moved = Signal(int)
    removed = Signal()

    def __init__(self, rule: ColourRule, check: Callable[[str], object]) -> None:
        super().__init__()
        self._check = check
        self.query = QLineEdit(rule.query)
        self.query.setProperty("role", "mono")
        self.query.setPlaceholderText("A query, for example score:>=80 OR virus:*")
        self.query.setAccessibleName("Query of the rule")
        self.query.setMaxLength(limits.QUERY_CHARS)
        self.tone = QComboBox()
        self.tone.setAccessibleName("Colour of the rule")
        for tone, words in TONES.items():
            self.tone.addItem(words, tone)
        self.tone.setCurrentIndex(list(TONES).index(rule.tone))
        self._fault = PlainLabel("", "fault", wrap=True)
        self._fault.hide()
        row = QHBoxLayout()
        row.setSpacing(6)
        row.addWidget(self.query, 1)
        row.addWidget(self.tone)
        row.addWidget(Button("↑", "flat", lambda: self.moved.emit(-1), name="Move the rule up"))
        row.addWidget(Button("↓", "flat", lambda: self.moved.emit(1), name="Move the rule down"))
        row.addWidget(Button("✕", "flat", self.removed.emit, name="Remove the rule"))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(3)
        column.addLayout(row)
        column.addWidget(self._fault)
        self.query.textChanged.connect(lambda _text: self._look())
        self.tone.currentIndexChanged.connect(lambda _index: self.changed.emit())
        self._look()

    def _look(self) -> None:
        words = ""
        try:
            self._check(self.query.text())
        except UserFault as fault:
            words = f"{fault.what} {fault.hint}".strip()
        self._fault.setText(words)
        self._fault.setVisible(bool(words))
        self.query.setProperty("fault", bool(words))
        self.query.style().unpolish(self.query)
        self.query.style().polish(self.query)
        self.changed.emit()

    @property
    def faulty(self) -> bool:
        """Whether the query cannot be understood."""
        return bool(self.query.property("fault"))

    @property
    def rule(self) -> ColourRule:
        """As it stands."""
        return ColourRule(self.query.text().strip(), self.tone.currentData())


class RulesDialog(QDialog):
    """All rules; what is understood is applied at once."""

    changed = Signal(object)
    """A tuple of ColourRules."""

    def __init__(
        self, rules: tuple[ColourRule, ...], check: Callable[[str], object], parent: QWidget
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Colour Rules")
        self._check = check
        self.lines: list[_RuleLine] = []
        page = QWidget()
        page.setProperty("role", "page")
        self._column = QVBoxLayout(page)
        self._column.setContentsMargins(0, 0, 6, 0)
        self._column.setSpacing(8)
        self._column.addStretch(1)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setWidget(page)
        self._add = Button("Add Rule", "plain", lambda: self.add(ColourRule("", "warn"), focus=True))
        row = QHBoxLayout()
        row.addWidget(self._add)
        row.addStretch(1)
        row.addWidget(Button("Close", "plain", self.accept))
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 14, 16, 14)
        column.setSpacing(10)
        column.addWidget(PlainLabel("Colour Rules", "title"))
        column.addWidget(
            PlainLabel(
                "Rows that match a query get its colour. The first rule that fits decides.", "note", wrap=True
            )
        )
        column.addWidget(area, 1)
        column.addLayout(row)
        self.resize(640, 320)
        for rule in rules:
            self.add(rule)
        if not rules:
            self.add(ColourRule("", "bad"))
        self.lines[0].query.setFocus()

    def add(self, rule: ColourRule, *, focus: bool = False) -> None:
        """Another rule, below the others."""
        if len(self.lines) >= _MOST:
            return
        line = _RuleLine(rule, self._check)
        line.changed.connect(self._tell)
        line.moved.connect(lambda step, line=line: self._move(line, step))
        line.removed.connect(lambda line=line: self._remove(line))
        self._column.insertWidget(len(self.lines), line)
        self.lines.append(line)
        self._add.setEnabled(len(self.lines) < _MOST)
        if focus:
            line.query.setFocus()
        self._tell()

    def _move(self, line: _RuleLine, step: int) -> None:
        place = self.lines.index(line)
        wanted = place + step
        if 0 <= wanted < len(self.lines):
            self.lines.insert(wanted, self.lines.pop(place))
            self._column.removeWidget(line)
            self._column.insertWidget(wanted, line)
            self._tell()

    def _remove(self, line: _RuleLine) -> None:
        self.lines.remove(line)
        self._column.removeWidget(line)
        line.deleteLater()
        self._add.setEnabled(True)
        self._tell()

    def _tell(self) -> None:
        rules = tuple(line.rule for line in self.lines if line.rule.query and not line.faulty)
        self.changed.emit(rules)
