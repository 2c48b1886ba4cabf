"""Controls of the wizard that Qt has not: a secret with Show, a choice of content types, a start time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from PySide6.QtCore import QDateTime, Qt, QTimeZone, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDateTimeEdit,
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QWidget,
)

from pod_desktop.core import limits
from pod_desktop.core.clock import DAY, iso
from pod_desktop.core.connector import CONTENT_TYPE_TITLES, DEFAULT_COLLECT_FROM
from pod_desktop.core.record import MAILLOG, MESSAGE
from pod_desktop.ui.widgets import Button

_ROOM: Final = 6


class SecretEdit(QLineEdit):
    """One line that hides what is typed until Show is pressed."""

    def __init__(self, title: str = "API key", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setStyleSheet("QLineEdit { lineedit-password-character: 8226 }")
        self.show_button = Button("Show", "flat", checkable=True, name=f"Show the {title}", parent=self)
        self.show_button.setAutoDefault(True)
        self.show_button.toggled.connect(self._reveal)
        self._reveal(False)

    def _reveal(self, shown: bool) -> None:
        mode = QLineEdit.EchoMode.Normal if shown else QLineEdit.EchoMode.Password
        self.setEchoMode(mode)
        self.show_button.setText("Hide" if shown else "Show")
        self._place()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place()

    def _place(self) -> None:
        size = self.show_button.sizeHint()
        height = min(size.height(), self.height() - 4)
        self.setTextMargins(0, 0, size.width() + _ROOM, 0)
        self.show_button.setGeometry(
            self.width() - size.width() - _ROOM // 2, (self.height() - height) // 2, size.width(), height
        )


class ContentTypes(QWidget):
    """One box a content type; Message and Mail Log are chosen at first."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 2, 0, 2)
        row.setSpacing(18)
        self.boxes = {kind: QCheckBox(title) for kind, title in CONTENT_TYPE_TITLES.items()}
        for kind, box in self.boxes.items():
            box.setChecked(kind in (MESSAGE, MAILLOG))
            box.setAccessibleName(f"Content Type {box.text()}")
            box.toggled.connect(lambda _on: self.changed.emit())
            row.addWidget(box)
        row.addStretch(1)
        self.setFocusProxy(self.boxes[MESSAGE])

    def chosen(self) -> tuple[str, ...]:
        """The content types whose boxes are on."""
        return tuple(kind for kind, box in self.boxes.items() if box.isChecked())

    def choose(self, kinds: Sequence[str]) -> None:
        """Turn these on and the others off."""
        for kind, box in self.boxes.items():
            box.setChecked(kind in kinds)


_CUSTOM: Final = "custom"
_STARTS: Final = (
    ("1d", "1 day ago"),
    ("3d", "3 days ago"),
    ("7d", "7 days ago (default)"),
    ("14d", "14 days ago"),
    ("30d", "30 days ago (all that the archive holds)"),
    ("now", "Now (nothing from before)"),
    (_CUSTOM, "From a time of your own…"),
)


class CollectFrom(QWidget):
    """Where collecting starts: a span, now, or a time that is typed."""

    changed = Signal()

    def __init__(self, now: Callable[[], int], parent: QWidget | None = None) -> None:
        """`now` tells the time in microseconds UTC."""
        super().__init__(parent)
        self._now = now
        self.choice = QComboBox()
        for value, words in _STARTS:
            self.choice.addItem(words, value)
        self.choice.setCurrentIndex(self.choice.findData(DEFAULT_COLLECT_FROM))
        self.choice.setAccessibleName("Collect from")
        self.time = QDateTimeEdit()
        self.time.setDisplayFormat("yyyy-MM-dd HH:mm")
        self.time.setCalendarPopup(True)
        self.time.setAccessibleName("Collect from this time, in the time zone of this computer")
        self.time.setVisible(False)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self.choice, 1)
        row.addWidget(self.time)
        self.setFocusProxy(self.choice)
        self.choice.currentIndexChanged.connect(self._chosen)
        self.time.dateTimeChanged.connect(lambda _when: self.changed.emit())

    def value(self) -> str:
        """As a connector holds it: `7d`, `now`, or an ISO 8601 time."""
        value: str = self.choice.currentData()
        if value != _CUSTOM:
            return value
        return iso(self.time.dateTime().toMSecsSinceEpoch() * 1000)[:16] + "Z"

    def show_value(self, value: str) -> None:
        """Choose this start, whichever it is."""
        if self.choice.findData(value) < 0:
            self.choice.addItem(value, value)
        self.choice.setCurrentIndex(self.choice.findData(value))

    def _chosen(self) -> None:
        custom = self.choice.currentData() == _CUSTOM
        if custom and not self.time.isVisible():
            self._span()
        self.time.setVisible(custom)
        self.changed.emit()

    def _span(self) -> None:
        """The archive's reach is what can be chosen; a week ago is where one starts."""
        now = self._now()
        zone = QTimeZone(QTimeZone.Initialization.LocalTime)
        first, week, last = (
            QDateTime.fromMSecsSinceEpoch(moment // 1000, zone)
            for moment in (now - limits.ARCHIVE_DAYS * DAY, now - 7 * DAY, now)
        )
        self.time.setDateTimeRange(first, last)
        self.time.setDateTime(week)


class FilePath(QWidget):
    """A path that is typed or chosen."""

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title = title
        self.edit = QLineEdit()
        self.edit.setAccessibleName(title)
        self.button = Button("Choose…", clicked=self._choose, name=f"Choose {title}")
        self.button.setAutoDefault(True)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self.edit, 1)
        row.addWidget(self.button)
        self.setFocusProxy(self.edit)

    def _choose(self) -> None:
        dialog = QFileDialog(self, self._title)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setNameFilters(["Certificates (*.pem *.crt *.cer)", "All files (*)"])
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self.edit.setText)
        dialog.open()
