"""The Journey tab: one time line over both content types, then what became of each recipient's copy."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QScrollArea, QSizePolicy, QVBoxLayout, QWidget
from shiboken6 import isValid

from pod_desktop.core.clock import DAY, SECOND
from pod_desktop.core.faults import Fault, Unwanted
from pod_desktop.core.record import EventRow
from pod_desktop.services.journey import Event, Journey, RecipientOutcome
from pod_desktop.ui import theme
from pod_desktop.ui.bridge import Desk, Job, Record, Worker
from pod_desktop.ui.events.columns import KIND_WORD
from pod_desktop.ui.moments import Zone, span
from pod_desktop.ui.text import PlainLabel, cell, tip
from pod_desktop.ui.widgets import Chip, Notice
from pod_desktop.ui.widgets.flow import FlowLayout

MOST_EVENTS: Final = 200
MOST_RECIPIENTS: Final = 50
"""What is drawn; more is counted, and told whole by `show --journey`."""
_AT_ONCE: Final = 25
_TITLE_CHARS: Final = 200
_TIME_WIDTH: Final = 84
_LINE_X: Final = 102.0
_DOT_Y: Final = 13.0
_TEXT_X: Final = 118
_WORKER_KEY: Final = "journey"


class JourneyView(QScrollArea):
    """The journey of the record shown; loaded on a worker's thread when the tab is looked at."""

    opened = Signal(object)
    """An EventRow of the journey that somebody chose."""

    def __init__(self, desk: Desk, worker: Worker, zone: Zone, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._desk = desk
        self._worker = worker
        self._zone = zone
        self._job = Job()
        self._row: EventRow | None = None
        self.journey: Journey | None = None
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName("Journey")
        self._say("")

    def show_record(self, record: Record | None) -> None:
        """Be about this record; None: another one is on its way, or none is chosen."""
        self._job.cancel()
        self._worker.forget(_WORKER_KEY)
        if record is None:
            self._row = None
            return
        self._row, job = record.row, Job()
        self._job = job
        if self.journey is not None and self.journey.row(record.row.seq) is not None:
            self._show(self.journey)  # another record of the same journey: at once, and then anew
        else:
            self._say("Looking for what belongs to it …")
        row = record.row
        self._worker.ask(
            lambda: self._desk.journey(row, job), self._show, self._failed, owner=self, key=_WORKER_KEY
        )

    def give_up(self) -> None:
        """Nobody waits for it any more."""
        self._job.cancel()

    def restyle(self) -> None:
        """Times are written otherwise from now on."""
        if self.journey is not None and self._row is not None:
            self._show(self.journey)

    def _say(self, words: str) -> None:
        self.journey = None
        page, column = self._page()
        column.addWidget(PlainLabel(words, "note", wrap=True))
        column.addStretch(1)
        self.setWidget(page)

    def _page(self) -> tuple[QWidget, QVBoxLayout]:
        page = QWidget()
        page.setProperty("role", "page")
        column = QVBoxLayout(page)
        column.setContentsMargins(12, 12, 12, 12)
        column.setSpacing(0)
        return page, column

    def _failed(self, error: BaseException) -> None:
        if isinstance(error, Unwanted):
            return
        words = str(error) if isinstance(error, Fault) else "This record is no longer stored."
        self._say(f"Its journey cannot be told: {words}")

    def _show(self, journey: Journey) -> None:
        at = self.verticalScrollBar().value() if journey is self.journey else 0
        self.journey = journey
        page, column = self._page()
        column.addWidget(PlainLabel(journey.note, "note", wrap=True, selectable=True))
        column.addSpacing(8)
        self._add_events(column, journey)
        if journey.verdict:
            column.addSpacing(8)
            column.addWidget(Notice(journey.verdict, journey.tone))
        self._add_recipients(column, journey)
        column.addStretch(1)
        self.setWidget(page)  # the old page is deleted by the scroll area
        self.verticalScrollBar().setValue(at)

    def _add_events(self, column: QVBoxLayout, journey: Journey) -> None:
        box = QWidget()
        events = QVBoxLayout(box)
        events.setContentsMargins(0, 0, 0, 0)
        events.setSpacing(0)
        column.addWidget(box)
        self._draw_events(box, journey, 0)
        if len(journey.events) > MOST_EVENTS:
            column.addWidget(_more(len(journey.events) - MOST_EVENTS, "events"))

    def _draw_events(self, box: QWidget, journey: Journey, first: int) -> None:
        """Some events at once; the others in the next moments, so that the window goes on."""
        if journey is not self.journey or not isValid(box):
            return
        shown = journey.events[:MOST_EVENTS]
        # In a box of their own: what stands already need not be measured again.
        some = QWidget()
        layout = QVBoxLayout(some)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        for place in range(first, min(first + _AT_ONCE, len(shown))):
            event = shown[place]
            ends = (place == 0, place == len(shown) - 1)
            mine = self._row is not None and event.seq == self._row.seq
            before = shown[place - 1].time if place else None
            step = StepButton(event, self._when(event.time, before), self._zone.whole(event.time), ends, mine)
            step.clicked.connect(partial(self._open, journey, event.seq))
            layout.addWidget(step)
        whole = box.layout()
        assert whole is not None
        whole.addWidget(some)
        if first + _AT_ONCE < len(shown):
            QTimer.singleShot(0, self, partial(self._draw_events, box, journey, first + _AT_ONCE))

    def _when(self, time: int, before: int | None) -> str:
        """`09:41:06.4`; with the day where it is another than before."""
        clock = f"{self._zone.clock(time)}.{time % SECOND // 100_000}"
        local = self._zone.local(time)
        if before is None:
            new_day = abs(time - (self._row.time if self._row else time)) >= DAY
        else:
            new_day = self._zone.local(before).date() != local.date()
        return f"{local:%b %d}\n{clock}" if new_day else clock

    def _add_recipients(self, column: QVBoxLayout, journey: Journey) -> None:
        if not journey.recipients:
            return
        column.addSpacing(12)
        column.addWidget(PlainLabel("Recipients", "heading"))
        column.addSpacing(4)
        for one in journey.recipients[:MOST_RECIPIENTS]:
            button = RecipientButton(one)
            button.clicked.connect(partial(self._open, journey, one.seq))
            column.addWidget(button)
        if len(journey.recipients) > MOST_RECIPIENTS:
            column.addWidget(_more(len(journey.recipients) - MOST_RECIPIENTS, "recipients"))

    def _open(self, journey: Journey, seq: int, _checked: bool = False) -> None:
        if (row := journey.row(seq)) is not None:
            self.opened.emit(row)

    def sizeHint(self) -> QSize:
        return QSize(400, 500)


def _more(count: int, what: str) -> PlainLabel:
    return PlainLabel(f"… and {count:,} more {what}; `show --journey` tells all of them.", "note", wrap=True)


class _RowButton(QPushButton):
    """A button as high as the labels that lie on it."""

    def __init__(self) -> None:
        super().__init__()
        self.setAutoDefault(False)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        layout = self.layout()
        return layout.heightForWidth(width) if layout is not None else super().heightForWidth(width)

    def sizeHint(self) -> QSize:
        layout = self.layout()
        return layout.sizeHint() if layout is not None else super().sizeHint()

    def minimumSizeHint(self) -> QSize:
        return QSize(120, 20)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.LayoutRequest:
            self.updateGeometry()
        return super().event(event)

    def paint_ground(self, painter: QPainter, chosen: bool) -> None:
        """Hover, focus and which one is shown."""
        worn = theme.tokens()
        ground = worn.accent_soft if chosen else worn.hover if self.underMouse() else ""
        painter.setPen(QColor(worn.accent) if self.hasFocus() else Qt.PenStyle.NoPen)
        painter.setBrush(QColor(ground) if ground else Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 5, 5)

    def _quiet(self, *labels: QWidget) -> None:
        """A click on a label is one on the button."""
        for label in labels:
            label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)


class _OneLine(PlainLabel):
    """Wraps where it must, and otherwise asks for one line."""

    def sizeHint(self) -> QSize:
        self.ensurePolished()
        wide = self.fontMetrics().horizontalAdvance(self.text()) + 2
        return QSize(wide, self.heightForWidth(wide))


class StepButton(_RowButton):
    """One event: when, a dot on the line, what, and more about it."""

    def __init__(self, event: Event, when: str, whole: str, ends: tuple[bool, bool], chosen: bool) -> None:
        super().__init__()
        self._tone = event.tone
        self._first, self._last = ends
        self._chosen = chosen
        time = PlainLabel(when, "mono")
        time.setFixedWidth(_TIME_WIDTH)
        time.setProperty("tone", "note")
        time.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignTop)
        title = _OneLine(cell(event.title, _TITLE_CHARS), "strong", wrap=True)
        kind = Chip(KIND_WORD.get(event.kind, event.kind))
        words = QWidget()
        flow = FlowLayout(words, 5)
        flow.addWidget(title)
        flow.addWidget(kind)
        right = QVBoxLayout()
        right.setSpacing(1)
        right.addWidget(words)
        labels: list[QWidget] = [time, title, kind, words]
        if event.detail:
            detail = PlainLabel(cell(event.detail), "note", wrap=True)
            right.addWidget(detail)
            labels.append(detail)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 4, 4, 9)
        row.setSpacing(_TEXT_X - _TIME_WIDTH)
        row.addWidget(time, 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(right, 1)
        self._quiet(*labels)
        self.setToolTip(tip(f"{whole}\n{event.record_id}"))
        shown = " (the record shown)" if chosen else ""
        self.setAccessibleName(
            f"{whole}: {event.title}. {event.detail} {KIND_WORD.get(event.kind, event.kind)}{shown}"[:500]
        )

    def paintEvent(self, event: QPaintEvent) -> None:
        worn = theme.tokens()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self.paint_ground(painter, self._chosen)
        top = _DOT_Y if self._first else 0.0
        bottom = _DOT_Y if self._last else float(self.height())
        painter.setPen(QColor(worn.line))
        painter.drawLine(QPointF(_LINE_X, top), QPointF(_LINE_X, bottom))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.dot(self._tone)))
        painter.drawEllipse(QPointF(_LINE_X, _DOT_Y), 4.0, 4.0)
        painter.end()


class RecipientButton(_RowButton):
    """What became of one recipient's copy."""

    def __init__(self, one: RecipientOutcome) -> None:
        super().__init__()
        word = "Not known" if one.outcome == "other" else one.outcome.capitalize()
        chip = Chip(word, theme.OUTCOME_TONE.get(one.outcome, "muted"))
        who = _OneLine(cell(one.recipient, _TITLE_CHARS), "mono", wrap=True)
        column = QVBoxLayout(self)
        column.setContentsMargins(4, 4, 4, 5)
        column.setSpacing(1)
        head = QWidget()
        flow = FlowLayout(head, 7)
        flow.addWidget(chip)
        flow.addWidget(who)
        column.addWidget(head)
        more = _facts(one)
        detail = PlainLabel(more, "help", wrap=True)
        column.addWidget(detail)
        self._quiet(chip, who, head, detail)
        self.setToolTip("Open the record that says so")
        self.setAccessibleName(f"{cell(one.recipient)}: {word}. {more}"[:500])

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self.paint_ground(painter, chosen=False)
        painter.end()


def _facts(one: RecipientOutcome) -> str:
    said: Sequence[str] = (
        one.detail,
        f"after {span(one.delay)}" if one.delay else "",
        f"{one.tries:,} tries" if one.tries > 1 else "",
    )
    return " · ".join(piece for piece in said if piece)
