"""What rows show beyond their own columns (values of any field, colours by rule): asked for as they come into sight.

Nothing waits for it: a row without its look is painted plain, and again when the look is there.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import QObject, QTimer, Signal

from pod_desktop.core.record import EventRow
from pod_desktop.services.looks import Look
from pod_desktop.ui.bridge import Desk, Dress, Worker

_KEPT: Final = 20_000
_AT_ONCE: Final = 64
_COLLECT_MS: Final = 10
_TROUBLED_MS: Final = 2_000
PLAIN: Final = Look((), "")


class Looks(QObject):
    """The looks of the rows that were looked at lately."""

    came = Signal(object)
    """Keys (seq) of rows whose looks are here now."""

    def __init__(self, desk: Desk, parent: QObject) -> None:
        super().__init__(parent)
        self._desk = desk
        self._worker = Worker("looks", self)
        self._dress = Dress()
        self._kept: OrderedDict[int, Look] = OrderedDict()
        self._wanted: OrderedDict[int, EventRow] = OrderedDict()
        self._busy = False
        self._soon = QTimer(self, singleShot=True, interval=_COLLECT_MS)
        self._soon.timeout.connect(self._ask)

    @property
    def dress(self) -> Dress:
        """What is asked for."""
        return self._dress

    def wear(self, dress: Dress) -> None:
        """Ask for other fields and rules from now on."""
        if dress != self._dress:
            self._dress = dress
            self.forget()

    def forget(self) -> None:
        """What is known may have changed: ask again."""
        self._kept.clear()
        self._wanted.clear()
        self._worker.forget("looks")
        self._busy = False

    def of(self, row: EventRow) -> Look:
        """The row's look; a plain one until it is here."""
        if not self._dress:
            return PLAIN
        found = self._kept.get(row.seq)
        if found is not None:
            return found
        self._wanted[row.seq] = row
        self._wanted.move_to_end(row.seq)
        while len(self._wanted) > _AT_ONCE:
            self._wanted.popitem(last=False)  # scrolled past
        if not self._busy and not self._soon.isActive():
            self._soon.start()
        return PLAIN

    def value(self, row: EventRow, field: str) -> str:
        """A field's text, '' until it is here."""
        look = self.of(row)
        try:
            return look.values[self._dress.fields.index(field)]
        except (ValueError, IndexError):
            return ""

    def _ask(self) -> None:
        if self._busy or not self._wanted:
            return
        rows, dress = list(self._wanted.values()), self._dress
        self._busy = True
        self._worker.ask(
            lambda: self._desk.looks(rows, dress),
            lambda found: self._come(rows, found),
            lambda _error: self._failed(),
            owner=self,
            key="looks",
        )

    def _come(self, rows: Sequence[EventRow], found: Sequence[Look]) -> None:
        self._busy = False
        for row, look in zip(rows, found, strict=True):
            self._kept[row.seq] = look
            self._wanted.pop(row.seq, None)
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        self.came.emit([row.seq for row in rows])
        if self._wanted:
            self._soon.start()

    def _failed(self) -> None:
        """Rows that are painted ask again, later."""
        self._wanted.clear()
        QTimer.singleShot(_TROUBLED_MS, self, self._again)

    def _again(self) -> None:
        self._busy = False

    def stop(self) -> None:
        """No more asking."""
        self._worker.stop()
