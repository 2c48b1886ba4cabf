"""The editor's first card: which records, and when they count as a firing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit, QMenu, QWidget

from pod_desktop.core.clock import HOUR, MINUTE, parse_span
from pod_desktop.core.faults import Fault, UserFault
from pod_desktop.core.limits import NAME_CHARS
from pod_desktop.core.playbook import AT_LEAST_MOST
from pod_desktop.core.record import CONTENT_TYPES
from pod_desktop.core.responder import ALL_TENANTS
from pod_desktop.ui.automation.inputs import Choice, KeyPicker, Line, Number, SpanEdit, beside
from pod_desktop.ui.automation.wording import KIND_WORD
from pod_desktop.ui.events.querybar import QueryBar
from pod_desktop.ui.text import PlainLabel
from pod_desktop.ui.widgets import Card, MenuButton
from pod_desktop.ui.widgets.flow import FlowLayout

LIVE: Final = "live"
EVERY: Final = "every"
EACH: Final = "each"
SEVERAL: Final = "several"


class Query(QueryBar):
    """The query bar of Events; its fault stands below it in the card, not over what comes next."""

    def _show_fault(self, fault: UserFault) -> None:
        super()._show_fault(fault)
        self.popup.hide()


class WhenCard(Card):
    """Name, query, tenant, index, condition, and how often it is looked at."""

    changed = Signal()

    def __init__(self, query: Query, parent: QWidget | None = None) -> None:
        super().__init__("1 When", parent=parent)
        self.query = query
        self.name_edit = QLineEdit()
        self.name_edit.setMaxLength(4 * NAME_CHARS)
        self.name_edit.setPlaceholderText("For example Wire fraud burst")
        self.name_line = Line("Name *", self.name_edit, name="Name, required")
        self.query_line = Line("Query", query)
        self.query.line.setAccessibleName("Query")
        self.tenant = Choice(name="Tenant")
        self.index = _IndexButton()
        self.mode = Choice([("each record", EACH), ("at least", SEVERAL)], name="Fires on")
        self.at_least = Number(2, AT_LEAST_MOST, name="Number of records")
        self.key = KeyPicker()
        self.within = SpanEdit("Within", units=("s", "m", "h", "d"))
        self.how = Choice([("Live, as records arrive", LIVE), ("Every", EVERY)], name="Runs")
        self.every = SpanEdit("Every", units=("m", "h", "d"))
        self._several = (
            beside(self.at_least, PlainLabel("records")),
            beside(PlainLabel("within"), self.within),
        )
        self.scope_line = Line("Tenant and index", _row(self.tenant, self.index))
        per = beside(PlainLabel("per"), self.key)
        self.condition_line = Line("Fires on", _row(self.mode, self._several[0], per, self._several[1]))
        self.run_line = Line("Runs", _row(self.how, self.every))
        for line in (self.name_line, self.query_line, self.scope_line, self.condition_line, self.run_line):
            self.body.addWidget(line)
        self._connect()

    def _connect(self) -> None:
        self.name_edit.textChanged.connect(lambda _text: self.changed.emit())
        self.query.line.textChanged.connect(self.changed)
        self.index.changed.connect(self.changed)
        self.at_least.valueChanged.connect(lambda _value: self.changed.emit())
        for span in (self.within, self.every):
            span.changed.connect(self.changed)
        self.key.edited.connect(self.changed)
        for choice in (self.tenant, self.mode, self.how):
            choice.currentIndexChanged.connect(lambda _at: self._chosen())

    def _chosen(self) -> None:
        self._fit()
        self.changed.emit()

    def _fit(self) -> None:
        several = self.mode.currentData() == SEVERAL
        for part in self._several:
            part.setVisible(several)
        self.every.setVisible(self.how.currentData() == EVERY)

    # filling

    def offer(self, tenants: Sequence[str]) -> None:
        """Tenants to choose from."""
        kept = self.tenant.currentData()
        self.tenant.fill([*((f"Tenant: {name}", name) for name in tenants), (ALL_TENANTS, ALL_TENANTS)])
        if kept is not None:
            self._show_tenant(kept)

    def _show_tenant(self, name: str) -> None:
        self.tenant.choose(name, ALL_TENANTS if name == ALL_TENANTS else f"Tenant: {name}")

    def show_file(self, data: Mapping[str, Any]) -> None:
        """Fill in what a playbook's file says."""
        self.name_edit.setText(data["name"])
        self.query.line.setPlainText(data["query"].replace("\n", " "))
        self._show_tenant(data["tenant"])
        self.index.choose(data["index"])
        several = data["at_least"] > 1
        self.mode.choose(SEVERAL if several else EACH)
        self.at_least.setValue(data["at_least"] if several else 3)
        self.key.show_field(data["group_by"])
        self.within.show_span(parse_span(data["within"]) if several else 10 * MINUTE)
        self.how.choose(EVERY if data["every"] else LIVE)
        self.every.show_span(parse_span(data["every"]) if data["every"] else HOUR)
        self._fit()

    def file(self) -> dict[str, Any]:
        """This card's part of a playbook's file."""
        several = self.mode.currentData() == SEVERAL
        return {
            "name": self.name_edit.text(),
            "tenant": self.tenant.currentData() or "",
            "index": self.index.kinds,
            "query": self.query.text.strip(),
            "group_by": self.key.field,
            "at_least": self.at_least.value() if several else 1,
            "within": self.within.text,
            "every": self.every.text if self.how.currentData() == EVERY else None,
        }

    # faults

    def show_faults(self, faults: Mapping[str, Fault], *, name_too: bool) -> None:
        """Say what is wrong beside each control; a query's fault is shown by its bar too."""
        lines = {
            self.name_line: ("name",) if name_too else (),
            self.query_line: ("query",),
            self.scope_line: ("tenant", "index"),
            self.condition_line: ("group_by", "at_least", "within"),
            self.run_line: ("every",),
        }
        for line, keys in lines.items():
            fault = next((faults[key] for key in keys if key in faults), None)
            if fault is None:
                line.fault("")
            else:
                where = fault.where if line is self.query_line and fault.where != "query" else ""
                line.fault(
                    f"{where.removeprefix('query, ')}: {fault.what}" if where else fault.what, fault.hint
                )


class _IndexButton(MenuButton):
    """Chooses content types; at least one."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        self._menu = QMenu()
        super().__init__("", self._menu, name="Index", parent=parent)
        self.destroyed.connect(self._menu.deleteLater)
        self._actions = {}
        for kind in CONTENT_TYPES:
            action = self._menu.addAction(KIND_WORD.get(kind, kind))
            action.setCheckable(True)
            action.toggled.connect(lambda _on: self._toggled())
            self._actions[kind] = action

    @property
    def kinds(self) -> list[str]:
        return [kind for kind, action in self._actions.items() if action.isChecked()]

    def choose(self, kinds: Sequence[str]) -> None:
        """Show these as chosen."""
        for kind, action in self._actions.items():
            action.setChecked(kind in kinds)
        self._toggled()

    def _toggled(self) -> None:
        self.say("Index: " + (", ".join(KIND_WORD.get(kind, kind) for kind in self.kinds) or "none"))
        self.changed.emit()


def _row(*parts: QWidget) -> QWidget:
    """Controls in a row that breaks where the width ends."""
    held = QWidget()
    flow = FlowLayout(held, 6)
    for part in parts:
        flow.addWidget(part)
    return held
