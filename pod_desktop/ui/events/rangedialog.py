"""A time range typed as two moments: absolute, or as date math, as in queries."""

from __future__ import annotations

import time
from typing import Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QWidget

from pod_desktop import query
from pod_desktop.core.faults import UserFault
from pod_desktop.query.tree import Range, Term
from pod_desktop.ui.events.dialogs import QuestionDialog
from pod_desktop.ui.moments import Zone
from pod_desktop.ui.text import PlainLabel
from pod_desktop.ui.widgets import Field

_CHARS: Final = 60
_NOTE: Final = "Empty leaves this end open."


def moment_of(text: str, zone: Zone, *, end: bool) -> int | None:
    """The moment a text stands for, microseconds UTC; None where it is empty. A day's end is its last moment.

    Raises:
        UserFault: it is no time.
    """
    text = text.strip()
    if not text:
        return None
    sign = "<=" if end else ">="
    tree = query.parse(f"time:{sign}{query.quote(text)}", time.time_ns() // 1000, zone.tzinfo)
    assert isinstance(tree, Term) and isinstance(tree.test, Range)
    bound = tree.test.high if end else tree.test.low
    assert isinstance(bound, int)
    return bound


class RangeDialog(QuestionDialog):
    """From … To …"""

    chosen = Signal(object, object)

    def __init__(self, zone: Zone, since: int | None, until: int | None, parent: QWidget) -> None:
        super().__init__("Time Range", "Show", parent)
        self._zone = zone
        self.since, self.until = QLineEdit(_typed(zone, since)), QLineEdit(_typed(zone, until))
        self.since.setPlaceholderText("2026-11-24 09:00, now-2h, now/d …")
        self.until.setPlaceholderText("now")
        self._fields = [Field("From", self.since, note=_NOTE), Field("To", self.until, note=_NOTE)]
        row = QHBoxLayout()
        row.setSpacing(12)
        for line, field in zip((self.since, self.until), self._fields, strict=True):
            line.setMaxLength(_CHARS)
            line.textChanged.connect(lambda _text: self._look())
            row.addWidget(field, 1)
        self.body.addLayout(row)
        self.body.addWidget(
            PlainLabel(f"Times in {zone.name()} unless they name an offset.", "help", wrap=True)
        )
        self.setMinimumWidth(560)
        self.ask_with(self.since, self.until)
        self._look()

    def _read(self, line: QLineEdit, field: Field, *, end: bool) -> tuple[bool, int | None]:
        try:
            moment = moment_of(line.text(), self._zone, end=end)
        except UserFault as fault:
            field.fault(fault.what, fault.hint)
            return False, None
        field.fault("")
        field.say(_NOTE if moment is None else self._zone.whole(moment))
        return True, moment

    def _look(self) -> tuple[bool, int | None, int | None]:
        good, since = self._read(self.since, self._fields[0], end=False)
        fine, until = self._read(self.until, self._fields[1], end=True)
        whole = good and fine and (since is not None or until is not None)
        if whole and since is not None and until is not None and until <= since:
            self._fields[1].fault("This is not after From.")
            whole = False
        elif whole and until is None and since is not None and since > time.time_ns() // 1000:
            self._fields[0].fault("This is still to come.", "Choose an earlier time, or one for To.")
            whole = False
        self.ok.setEnabled(whole)
        return whole, since, until

    def answer(self) -> bool:
        whole, since, until = self._look()
        if whole:
            self.chosen.emit(since, until)
        return whole


def _typed(zone: Zone, micros: int | None) -> str:
    return "" if micros is None else f"{zone.local(micros):%Y-%m-%dT%H:%M:%S}"
