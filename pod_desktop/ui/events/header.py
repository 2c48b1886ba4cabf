"""The head of the Events table: which columns there are, how wide, in which order; kept from day to day."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QHeaderView, QMenu, QWidget

from pod_desktop.ui import fonts
from pod_desktop.ui.events.columns import COLUMNS, INDEX
from pod_desktop.ui.preferences import Preferences

HEIGHT: Final = 27
_SUBJECT_LEAST: Final = 150
_ROOM_FOR_RECIPIENTS: Final = 720
"""A viewport narrower than this gives the recipients' room to the subject."""
_NARROWEST: Final = 36
_STATE: Final = f"events/columns{len(COLUMNS)}"
"""A state of another number of columns would be misread."""
_RECIPIENTS: Final = "events/recipients"


class ColumnHeader(QHeaderView):
    """Columns that can be dragged, hidden, resized; the subject takes the width that the others leave."""

    changed = Signal()

    def __init__(self, preferences: Preferences, parent: QWidget) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self._preferences = preferences
        self._room = 0
        self._asked_recipients = False
        self.setFont(fonts.text(fonts.NOTE, QFont.Weight.DemiBold))
        self.setFixedHeight(HEIGHT)
        self.setHighlightSections(False)
        self.setSectionsMovable(True)
        self.setFirstSectionMovable(False)
        self.setStretchLastSection(False)
        self.setMinimumSectionSize(_NARROWEST)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.setAccessibleName("Columns")
        self.customContextMenuRequested.connect(self._open_menu)

    def restore(self) -> None:
        """Columns as they were left, or as on the first day; needs the model."""
        self._first_day()
        self.restoreState(self._preferences.state(_STATE))
        self.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        self.setSectionResizeMode(INDEX["more"], QHeaderView.ResizeMode.Fixed)
        self.sectionResized.connect(self._resized)
        self.sectionMoved.connect(lambda *_places: self._keep())

    def reset_columns(self) -> None:
        """Columns as on the first day."""
        self._preferences.set_flag(_RECIPIENTS, True)
        self._asked_recipients = False
        self._first_day()
        self._keep()

    def _first_day(self) -> None:
        for place, column in enumerate(COLUMNS):
            self.moveSection(self.visualIndex(place), place)
            self.setSectionHidden(place, not column.shown)
            self.resizeSection(place, column.width)
        self.fill(self._room)

    def show_column(self, key: str, shown: bool) -> None:
        """Show or hide a column."""
        if key == "recipients":
            self._preferences.set_flag(_RECIPIENTS, shown)
            self._asked_recipients = shown
        self.setSectionHidden(INDEX[key], not shown)
        self.fill(self._room)
        self._keep()

    def fill_menu(self, menu: QMenu) -> None:
        """A switch for each column, and the way back."""
        menu.clear()
        for column in COLUMNS:
            if column.key in ("time", "more"):
                continue
            action = menu.addAction(column.title)
            action.setCheckable(True)
            action.setChecked(not self.isSectionHidden(INDEX[column.key]))
            action.toggled.connect(lambda shown, key=column.key: self.show_column(key, shown))
        menu.addSeparator()
        menu.addAction("Reset Columns", self.reset_columns)

    def fill(self, room: int) -> None:
        """Give the subject what the others leave of so many pixels."""
        self._room = room
        subject, recipients = INDEX["subject"], INDEX["recipients"]
        roomy = room >= _ROOM_FOR_RECIPIENTS
        shown = self._asked_recipients or (roomy and self._preferences.flag(_RECIPIENTS, True))
        if self.isSectionHidden(recipients) == shown:
            self.setSectionHidden(recipients, not shown)
        if self.isSectionHidden(subject):
            return
        others = sum(self.sectionSize(place) for place in range(len(COLUMNS)) if place != subject)
        width = max(_SUBJECT_LEAST, room - others)
        if width != self.sectionSize(subject):
            self.resizeSection(subject, width)

    def shown(self) -> list[int]:
        """Columns as they stand from left to right, without More."""
        order = (self.logicalIndex(place) for place in range(self.count()))
        return [place for place in order if not self.isSectionHidden(place) and place != INDEX["more"]]

    def _resized(self, logical: int, _old: int, _new: int) -> None:
        self.changed.emit()
        if logical != INDEX["subject"]:
            self.fill(self._room)
        self._keep()

    def _keep(self) -> None:
        self._preferences.keep(_STATE, self.saveState())

    def _open_menu(self, place: QPoint) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.fill_menu(menu)
        menu.popup(self.mapToGlobal(place))
