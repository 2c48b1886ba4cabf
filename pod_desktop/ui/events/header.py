"""The head of the Events table: which columns there are, how wide, in which order; kept from day to day."""

from __future__ import annotations

from typing import Any, Final

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QHeaderView, QMenu, QWidget

from pod_desktop.ui import fonts
from pod_desktop.ui.events.columns import COLUMNS, INDEX, OTHER_FIELD
from pod_desktop.ui.events.model import EventModel
from pod_desktop.ui.preferences import Preferences
from pod_desktop.ui.text import clip

HEIGHT: Final = 27
_SUBJECT_LEAST: Final = 96
_ROOM_FOR_RECIPIENTS: Final = 720
"""A viewport narrower than this gives the recipients' room to the subject."""
_SENDER_LEAST: Final = 104
"""So narrow may the sender become for the subject, as long as nobody gave it a width."""
_NARROWEST: Final = 36
_WIDEST: Final = 2_000
_MOST_FIELDS: Final = 40
_MENU_CHARS: Final = 60
_STATE: Final = "events/columns"
_RECIPIENTS: Final = "events/recipients"


class ColumnHeader(QHeaderView):
    """Columns that can be dragged, hidden, resized; the subject takes the width that the others leave."""

    changed = Signal()
    fields_changed = Signal()
    """Other fields than before have a column."""
    choose_field = Signal()
    """Somebody wants a column of a field yet to be named."""

    def __init__(self, model: EventModel, preferences: Preferences, parent: QWidget) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self._events = model
        self._preferences = preferences
        self._room = 0
        self._asked_recipients = False
        self._restoring = False
        self._squeezed = 0
        """Pixels that the sender gave up for the subject."""
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
        self.reload()
        self.sectionResized.connect(self._resized)
        self.sectionMoved.connect(lambda *_places: self._keep())

    def reload(self) -> None:
        """Columns as the profile in use has them."""
        self._restoring = True
        for field in self._events.other_fields:
            self._events.drop_field(field)
        self._first_day()
        self._put(_kept(self._preferences.data(_STATE)))
        self.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        self.setSectionResizeMode(INDEX["more"], QHeaderView.ResizeMode.Fixed)
        self._restoring = False
        self.fill(self._room)
        self.changed.emit()
        self.fields_changed.emit()

    def _put(self, kept: list[dict[str, Any]]) -> None:
        for one in kept:
            if one["key"].startswith(OTHER_FIELD):
                self._events.add_field(one["key"].removeprefix(OTHER_FIELD))
        visual = 0
        for one in kept:
            place = self._events.place_of(one["key"])
            if place is None:
                continue
            self.moveSection(self.visualIndex(place), visual)
            self.setSectionHidden(place, not one["shown"])
            self.resizeSection(place, one["width"])
            visual += 1
        self._more_last()

    def _more_last(self) -> None:
        self.moveSection(self.visualIndex(INDEX["more"]), self.count() - 1)

    def reset_columns(self) -> None:
        """Columns as on the first day."""
        self._preferences.set_flag(_RECIPIENTS, True)
        self._asked_recipients = False
        for field in self._events.other_fields:
            self._events.drop_field(field)
        self._first_day()
        self._keep()
        self.fields_changed.emit()

    def _first_day(self) -> None:
        for place, column in enumerate(COLUMNS):
            self.moveSection(self.visualIndex(place), place)
            self.setSectionHidden(place, not column.shown)
            self.resizeSection(place, column.width)
        self.fill(self._room)

    def show_column(self, key: str, shown: bool) -> None:
        """Show or hide a column; one of another field goes for good."""
        place = self._events.place_of(key)
        if place is None:
            return
        if key.startswith(OTHER_FIELD) and not shown:
            self._events.drop_field(key.removeprefix(OTHER_FIELD))
            self.fields_changed.emit()
        else:
            if key == "recipients":
                self._preferences.set_flag(_RECIPIENTS, shown)
                self._asked_recipients = shown
            self.setSectionHidden(place, not shown)
        self.changed.emit()
        self.fill(self._room)
        self._keep()

    def add_field(self, field: str) -> None:
        """Show a column of any field or path: the table's own if there is one."""
        own = next((column.key for column in COLUMNS if column.field == field), None)
        if own is not None:
            self.show_column(own, True)
            return
        if len(self._events.other_fields) >= _MOST_FIELDS:
            return
        place = self._events.add_field(field)
        self._more_last()
        self.setSectionHidden(place, False)
        self.resizeSection(place, self._events.column(place).width)
        self.setSectionResizeMode(place, QHeaderView.ResizeMode.Interactive)
        self.changed.emit()
        self.fill(self._room)
        self._keep()
        self.fields_changed.emit()

    def fill_menu(self, menu: QMenu) -> None:
        """A switch for each column, a way to more of them, and the way back."""
        menu.clear()
        for place in range(self._events.columnCount()):
            column = self._events.column(place)
            if column.key in ("time", "more"):
                continue
            action = menu.addAction(clip(column.title, _MENU_CHARS).replace("&", "&&"))
            action.setCheckable(True)
            action.setChecked(not self.isSectionHidden(place))
            action.toggled.connect(lambda shown, key=column.key: self.show_column(key, shown))
        menu.addSeparator()
        menu.addAction("Add Column of Any Field …", self.choose_field.emit)
        menu.addAction("Reset Columns", self.reset_columns)

    def fill(self, room: int) -> None:
        """Give the subject what the others leave of so many pixels."""
        self._room = room
        if self._restoring:
            return
        subject, recipients = INDEX["subject"], INDEX["recipients"]
        roomy = room >= _ROOM_FOR_RECIPIENTS
        shown = self._asked_recipients or (roomy and self._preferences.flag(_RECIPIENTS, True))
        if self.isSectionHidden(recipients) == shown:
            self.setSectionHidden(recipients, not shown)
        if self.isSectionHidden(subject):
            return
        least = max(_SUBJECT_LEAST, self.sectionSizeHint(subject))
        self._squeeze_sender(least - (room - self._width_of_others(subject)))
        width = max(least, room - self._width_of_others(subject))
        if width != self.sectionSize(subject):
            self.resizeSection(subject, width)

    def _width_of_others(self, subject: int) -> int:
        return sum(self.sectionSize(place) for place in range(self.count()) if place != subject)

    def _squeeze_sender(self, missing: int) -> None:
        """Take so many pixels from the sender, or give back what was taken before."""
        sender = INDEX["sender"]
        own, now = COLUMNS[sender].width, self.sectionSize(sender)
        if self.isSectionHidden(sender) or now not in (own, own - self._squeezed):
            self._squeezed = 0
            return
        squeezed = max(0, min(missing + self._squeezed, own - _SENDER_LEAST))
        if squeezed != self._squeezed:
            self._squeezed = squeezed
            self._restoring = True
            self.resizeSection(sender, own - squeezed)
            self._restoring = False
            self.changed.emit()

    def shown(self) -> list[int]:
        """Columns as they stand from left to right, without More."""
        order = (self.logicalIndex(place) for place in range(self.count()))
        return [place for place in order if not self.isSectionHidden(place) and place != INDEX["more"]]

    def _resized(self, logical: int, _old: int, _new: int) -> None:
        if self._restoring:
            return
        self.changed.emit()
        if logical != INDEX["subject"]:
            self.fill(self._room)
        self._keep()

    def _keep(self) -> None:
        if self._restoring:
            return
        order = [self.logicalIndex(place) for place in range(self.count())]
        state = [
            {
                "key": self._events.column(place).key,
                "shown": not self.isSectionHidden(place),
                "width": self._own_width(place),
            }
            for place in order
        ]
        self._preferences.set_data(_STATE, state)

    def _own_width(self, place: int) -> int:
        """What the column has where there is room for it."""
        size = self.sectionSize(place)
        if place == INDEX["sender"] and size == COLUMNS[place].width - self._squeezed:
            size += self._squeezed
        return size or self._events.column(place).width

    def _open_menu(self, place: QPoint) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.fill_menu(menu)
        menu.popup(self.mapToGlobal(place))


def _kept(found: Any) -> list[dict[str, Any]]:
    """What was kept, without what cannot be read."""
    if not isinstance(found, list):
        return []
    return [
        {
            "key": one["key"],
            "shown": bool(one.get("shown")),
            "width": max(_NARROWEST, min(one["width"], _WIDEST)),
        }
        for one in found[: len(COLUMNS) + _MOST_FIELDS]
        if isinstance(one, dict) and isinstance(one.get("key"), str) and isinstance(one.get("width"), int)
    ]
