"""Remove after: never, so many days, or a date."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QDateTime, Qt, QTimeZone, Signal
from PySide6.QtGui import QActionGroup
from PySide6.QtWidgets import QDateTimeEdit, QDialog, QHBoxLayout, QMenu, QVBoxLayout, QWidget

from pod_desktop.core.clock import DAY, SECOND, Clock
from pod_desktop.ui.moments import Zone
from pod_desktop.ui.text import PlainLabel
from pod_desktop.ui.widgets import Button, Field, MenuButton

DAYS: Final = (1, 7, 30, 90)
_FARTHEST_DAYS: Final = 3_650


class RemoveAfter(MenuButton):
    """A button that says when the entry is taken away again; never, unless somebody chooses."""

    changed = Signal()

    def __init__(
        self, clock: Clock, zone: Zone, *, name: str = "Remove after", parent: QWidget | None = None
    ) -> None:
        self._clock = clock
        self._zone = zone
        self._label = name
        self._days = 0
        self._date = 0
        self._menu = QMenu()
        super().__init__(f"{name}: never", self._menu, parent=parent)
        self._menu.setAccessibleName(name)
        group = QActionGroup(self._menu)
        self._actions = {}
        for days in (0, *DAYS):
            words = "Never" if not days else f"{days} day" + ("s" if days > 1 else "")
            action = self._menu.addAction(words)
            action.setCheckable(True)
            action.triggered.connect(lambda _on=False, days=days: self.choose_days(days))
            group.addAction(action)
            self._actions[days] = action
        self._menu.addSeparator()
        self._on_date = self._menu.addAction("On a Date …")
        self._on_date.setCheckable(True)
        self._on_date.triggered.connect(lambda _on=False: self.ask_date())
        group.addAction(self._on_date)
        self.destroyed.connect(self._menu.deleteLater)
        self._tell()

    @property
    def expires(self) -> int:
        """Microseconds UTC when the entry is due to be removed, counted from now; 0: never."""
        return self._clock.now() + self._days * DAY if self._days else self._date

    def choose_days(self, days: int) -> None:
        """So many days after it was submitted; 0: never."""
        self._days, self._date = days, 0
        self._tell()
        self.changed.emit()

    def choose_date(self, moment: int) -> None:
        """At a moment, microseconds UTC; 0: never."""
        self._days, self._date = 0, moment
        self._tell()
        self.changed.emit()

    def show_moment(self, moment: int) -> None:
        """Show what is set, telling nobody; 0: never."""
        self._days, self._date = 0, moment
        self._tell()

    def ask_date(self) -> DateDialog:
        """Ask for the date."""
        self._tell()
        dialog = DateDialog(
            self._clock, self._zone, self._date or self._clock.now() + 30 * DAY, self.window()
        )
        dialog.chosen.connect(self.choose_date)
        dialog.open()
        return dialog

    def restyle(self) -> None:
        """Times are written otherwise from now on."""
        self._tell()

    def _tell(self) -> None:
        if self._date:
            words = f"{self._zone.local(self._date):%Y-%m-%d %H:%M}"
            self._on_date.setChecked(True)
        else:
            words = "never" if not self._days else f"{self._days} day" + ("s" if self._days > 1 else "")
            self._actions[self._days].setChecked(True)
        self.say(f"{self._label}: {words}")


class DateDialog(QDialog):
    """Asks for a moment to come."""

    chosen = Signal(object)
    """Microseconds UTC."""

    def __init__(self, clock: Clock, zone: Zone, moment: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Remove After")
        self._clock = clock
        self.edit = QDateTimeEdit()
        self.edit.setTimeZone(QTimeZone.utc() if zone.utc else QTimeZone.systemTimeZone())
        self.edit.setDisplayFormat("yyyy-MM-dd HH:mm")
        self.edit.setCalendarPopup(True)
        self.edit.setMinimumDateTime(self._moment(clock.now()))
        self.edit.setMaximumDateTime(self._moment(clock.now() + _FARTHEST_DAYS * DAY))
        self.edit.setDateTime(self._moment(moment))
        self._field = Field(
            "Remove the entry on",
            self.edit,
            note=f"Times are in {zone.name()}. It is done by the collector service.",
        )
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(Button("Cancel", clicked=self.reject))
        row.addWidget(Button("Set date", "primary", self._take))
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 14, 16, 14)
        column.setSpacing(12)
        column.addWidget(PlainLabel("Remove after", "title"))
        column.addWidget(self._field)
        column.addLayout(row)
        self.setMinimumWidth(340)

    def _moment(self, micros: int) -> QDateTime:
        return QDateTime.fromMSecsSinceEpoch(micros // 1000, self.edit.timeZone())

    def _take(self) -> None:
        moment = self.edit.dateTime().toMSecsSinceEpoch() * 1000
        if moment <= self._clock.now() + SECOND:
            self._field.fault("That is past.", "Choose a moment to come.")
            return
        self.chosen.emit(moment)
        self.accept()
