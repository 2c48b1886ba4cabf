"""Paints the rows that a table shows, all cells in one pass.

Measured against the default delegate (tests/bench/bench_window.py): a third of its time or less, because each
text is cut to its column once, and pens and fonts change per column instead of per cell.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QLine, QRect, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter

from pod_desktop.core import blocks
from pod_desktop.core.record import FLAG_HIDDEN_CHARACTERS, EventRow
from pod_desktop.ui import fonts, theme
from pod_desktop.ui.events.columns import Column, outcome_chip
from pod_desktop.ui.painting import CHIP_HEIGHT, ChipPainter
from pod_desktop.ui.text import ELLIPSIS

if TYPE_CHECKING:
    from pod_desktop.ui.events.model import EventModel
    from pod_desktop.ui.events.table import EventTable

_KEPT_ROWS: Final = 4_096
_PAD: Final = 8
_TINT: Final = 0.55
"""How much of a rule's colour a row takes; its chips stay readable."""
_STRIPE: Final = 3
_NARROWEST: Final = 3
"""Pixels of the narrowest character; marks of hidden ones are wider."""
_ELIDE: Final = {False: Qt.TextElideMode.ElideRight, True: Qt.TextElideMode.ElideMiddle}
"""Recipients lose their middle: how many more there are stands at their end."""


@dataclass(frozen=True, slots=True)
class _Place:
    """A column on the screen."""

    number: int
    left: int
    width: int


class RowPainter:
    """Keeps what the last paints cut and measured."""

    def __init__(self) -> None:
        self._chips = ChipPainter()
        self._text = fonts.text()
        self._mono = fonts.mono()
        self._metrics = {False: QFontMetrics(self._text), True: QFontMetrics(self._mono)}
        self._cut: dict[int, dict[int, tuple[str, int]]] = {}

    def forget(self) -> None:
        """Widths, times or colours are others from now on."""
        self._cut.clear()

    def forget_rows(self, seqs: Iterable[int]) -> None:
        """These rows say something else from now on."""
        for seq in seqs:
            self._cut.pop(seq, None)

    def paint(self, table: EventTable, dirty: QRect) -> None:
        """Paint the viewport of a table."""
        worn = theme.tokens()
        model = table.events
        height = table.rowHeight(0) if model.rowCount() else 27
        first = table.verticalScrollBar().value()
        count = min(table.viewport().height() // height + 1, model.rowCount() - first)
        painter = QPainter(table.viewport())
        painter.fillRect(dirty, QColor(worn.window))
        if count > 0:
            rows = [model.row(first + offset) for offset in range(count)]
            places = _places(table)
            width = max((place.left + place.width for place in places), default=0)
            width = max(width, table.viewport().width())
            self._tints(painter, model, rows, height, width)
            self._grounds(painter, table, first, count, height, width)
            for number, row in enumerate(rows):
                if row is not None and model.marked(row):
                    painter.fillRect(0, number * height, _STRIPE, height - 1, QColor(worn.accent))
            self._cells(painter, model, places, rows, height, table.devicePixelRatioF())
        painter.end()

    def _tints(
        self, painter: QPainter, model: EventModel, rows: list[EventRow | None], height: int, width: int
    ) -> None:
        """The colours of rules."""
        worn = theme.tokens()
        for number, row in enumerate(rows):
            if row is not None and (tone := model.tone(row)):
                ground = QColor(worn.tone(tone).back)
                ground.setAlphaF(_TINT)
                painter.fillRect(0, number * height, width, height, ground)

    def _grounds(
        self, painter: QPainter, table: EventTable, first: int, count: int, height: int, width: int
    ) -> None:
        worn = theme.tokens()
        chosen = table.selectionModel().selection()
        ranges = [chosen.at(place) for place in range(chosen.size())]
        selection = QColor(worn.selection)
        for part in ranges:
            top, bottom = max(part.top(), first), min(part.bottom(), first + count - 1)
            if top <= bottom:
                painter.fillRect(0, (top - first) * height, width, (bottom - top + 1) * height, selection)
        painter.setPen(QColor(worn.hair))
        painter.drawLines(
            [QLine(0, (row + 1) * height - 1, width, (row + 1) * height - 1) for row in range(count)]
        )
        current = table.currentIndex().row()
        if table.hasFocus() and first <= current < first + count:
            painter.setPen(QColor(worn.accent))
            painter.drawRect(0, (current - first) * height, table.viewport().width() - 1, height - 2)

    def _cells(
        self,
        painter: QPainter,
        model: EventModel,
        places: list[_Place],
        rows: list[EventRow | None],
        height: int,
        ratio: float,
    ) -> None:
        worn = theme.tokens()
        pens = {False: QColor(worn.text), True: QColor(worn.note)}
        if len(self._cut) > _KEPT_ROWS:
            self._cut.clear()
        cuts = [self._row_cuts(row) if row is not None else None for row in rows]
        for place in places:
            column = model.column(place.number)
            if column.key == "outcome":
                self._chip_column(painter, place, rows, height, ratio)
                continue
            painter.setFont(self._mono if column.mono else self._text)
            painter.setPen(pens[column.key == "more"])
            metrics = self._metrics[column.mono]
            baseline = (height - 1 + metrics.ascent() - metrics.descent()) // 2
            left, right = place.left + _PAD, place.left + place.width - _PAD
            flagged = column.key == "subject"
            top = baseline
            for row, cut in zip(rows, cuts, strict=True):
                if row is not None and cut is not None:
                    found = cut.get(place.number)
                    chips = _chips_of(model, row) if flagged else ()
                    if found is None:
                        room = place.width - 2 * _PAD
                        room -= sum(int(self._chips.width(words)) + 4 for words, _tone in chips)
                        found = cut[place.number] = self._fit(column, model.text(row, place.number), room)
                    words, wide = found
                    if words:
                        painter.drawText(right - wide if column.right else left, top, words)
                    if chips:
                        self._row_chips(
                            painter, chips, right, top - baseline + (height - CHIP_HEIGHT) // 2, ratio
                        )
                top += height

    def _row_chips(
        self, painter: QPainter, chips: Sequence[tuple[str, str]], right: int, top: int, ratio: float
    ) -> None:
        """At the end of the subject, from right to left."""
        for words, tone in chips:
            right -= int(self._chips.width(words))
            painter.drawPixmap(right, top, self._chips.pixmap(words, tone, ratio))
            right -= 4

    def _chip_column(
        self, painter: QPainter, place: _Place, rows: list[EventRow | None], height: int, ratio: float
    ) -> None:
        top = (height - 1 - CHIP_HEIGHT) // 2
        painter.save()
        painter.setClipRect(place.left, 0, place.width - 2, height * len(rows))
        for row in rows:
            if row is not None:
                words, tone = outcome_chip(row)
                if words:
                    words = self._chips.fitted(words, place.width - _PAD - 2)
                    painter.drawPixmap(place.left + _PAD, top, self._chips.pixmap(words, tone, ratio))
            top += height
        painter.restore()

    def _row_cuts(self, row: EventRow) -> dict[int, tuple[str, int]]:
        cut = self._cut.get(row.seq)
        if cut is None:
            cut = self._cut[row.seq] = {}
        return cut

    def _fit(self, column: Column, words: str, room: int) -> tuple[str, int]:
        if not words:
            return "", 0
        metrics = self._metrics[column.mono]
        most = room // _NARROWEST + 16
        if len(words) > most and column.key != "recipients":
            words = words[:most] + ELLIPSIS  # measuring what cannot be seen costs most of the time
        wide = metrics.horizontalAdvance(words)
        if wide > room:
            words = metrics.elidedText(words, _ELIDE[column.key == "recipients"], room)
            wide = metrics.horizontalAdvance(words)
        return words, wide


def _chips_of(model: EventModel, row: EventRow) -> tuple[tuple[str, str], ...]:
    """What stands at the end of the subject."""
    if model.notes is None and not row.flags:
        return ()
    found = []
    if row.flags & FLAG_HIDDEN_CHARACTERS:
        found.append(("hidden", blocks.WARN))
    if model.comment(row):
        found.append(("comment", blocks.INFO))
    if model.marked(row):
        found.append(("marked", blocks.INFO))
    return tuple(found)


def _places(table: EventTable) -> list[_Place]:
    header = table.horizontalHeader()
    viewport = table.viewport().width()
    found = []
    for number in range(table.events.columnCount()):
        if header.isSectionHidden(number):
            continue
        left, width = header.sectionViewportPosition(number), header.sectionSize(number)
        if left + width > 0 and left < viewport:
            found.append(_Place(number, left, width))
    return found
