"""Over which stretch of time a playbook is tried."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QDateTime, Qt, QTimeZone, Signal
from PySide6.QtGui import QActionGroup
from PySide6.QtWidgets import QDateTimeEdit, QDialog, QHBoxLayout, QMenu, QVBoxLayout, QWidget

from pod_desktop.core.clock import DAY, Clock
from pod_desktop.ui.automation.desk import Range
from pod_desktop.ui.moments import Zone
from pod_desktop.ui.text import PlainLabel
from pod_desktop.ui.widgets import Button, Field, MenuButton

SPANS: Final = (
    ("Last 24 hours", DAY),
    ("Last 7 days", 7 * DAY),
    ("Last 30 days", 30 * DAY),
    ("All that is stored", None),
)
FIRST: Final = Range(span=7 * DAY)


class RangeChooser(MenuButton):
    """Chooses the range of a backtest; the last seven days to begin with."""

    chosen = Signal()

    def __init__(self, clock: Clock, zone: Zone, parent: QWidget | None = None) -> None:
        self._clock = clock
        self._zone = zone
        self._menu = QMenu()
        super().__init__("Last 7 days", self._menu, name="Range of the backtest", parent=parent)
        self.destroyed.connect(self._menu.deleteLater)
        self.range = FIRST
        group = QActionGroup(self._menu)
        for words, span in SPANS:
            action = self._menu.addAction(words)
            action.setCheckable(True)
            action.setChecked(span == FIRST.span)
            action.triggered.connect(lambda _on=False, span=span: self.choose_span(span))
            group.addAction(action)
        self._menu.addSeparator()
        between = self._menu.addAction("Between Two Moments …")
        between.setCheckable(True)
        between.triggered.connect(lambda _on=False: self.ask_between())
        group.addAction(between)

    @property
    def words(self) -> str:
        """`the last 7 days`."""
        if self.range.since is not None:
            return f"{self._moment(self.range.since)} to {self._moment(self.range.until or 0)}"
        found = next(words for words, span in SPANS if span == self.range.span)
        return found.replace("Last", "the last").replace("All", "all")

    def _moment(self, micros: int) -> str:
        return f"{self._zone.local(micros):%Y-%m-%d %H:%M}"

    def choose_span(self, span: int | None) -> None:
        """The last so many microseconds; None: all that is stored."""
        self.range = Range(span=span)
        self.say(next(words for words, known in SPANS if known == span))
        self.chosen.emit()

    def choose_between(self, since: int, until: int) -> None:
        """Two moments, microseconds UTC."""
        self.range = Range(since=since, until=until)
        self.say(self.words)
        self.chosen.emit()

    def ask_between(self) -> BetweenDialog:
        """Ask for two moments."""
        now = self._clock.now()
        since = self.range.since if self.range.since is not None else now - (self.range.span or 7 * DAY)
        dialog = BetweenDialog(self._zone, since, self.range.until or now, self.window())
        dialog.chosen.connect(self.choose_between)
        dialog.open()
        return dialog


class BetweenDialog(QDialog):
    """Asks for two moments."""

    chosen = Signal(object, object)
    """Microseconds UTC."""

    def __init__(self, zone: Zone, since: int, until: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Range of the Backtest")
        self._zone = QTimeZone.utc() if zone.utc else QTimeZone.systemTimeZone()
        self.since, self.until = self._edit(since), self._edit(until)
        self._until_field = Field("Until", self.until, note=f"Times are in {zone.name()}.")
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(Button("Cancel", clicked=self.reject))
        row.addWidget(Button("Try this range", "primary", self._take))
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 14, 16, 14)
        column.setSpacing(12)
        column.addWidget(PlainLabel("Range of the backtest", "title"))
        column.addWidget(Field("From", self.since))
        column.addWidget(self._until_field)
        column.addLayout(row)
        self.setMinimumWidth(340)

    def _edit(self, micros: int) -> QDateTimeEdit:
        edit = QDateTimeEdit()
        edit.setTimeZone(self._zone)
        edit.setDisplayFormat("yyyy-MM-dd HH:mm")
        edit.setCalendarPopup(True)
        edit.setDateTime(QDateTime.fromMSecsSinceEpoch(micros // 1000, self._zone))
        return edit

    def _take(self) -> None:
        since = self.since.dateTime().toMSecsSinceEpoch() * 1000
        until = self.until.dateTime().toMSecsSinceEpoch() * 1000
        if since >= until:
            self._until_field.fault("That is not after the beginning.", "Choose a later moment.")
            return
        self.chosen.emit(since, until)
        self.accept()
