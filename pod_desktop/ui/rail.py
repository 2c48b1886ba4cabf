"""The rail at the left: pages by group, with a badge where a person is needed. Only what exists is there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QButtonGroup, QSizePolicy, QVBoxLayout, QWidget

from pod_desktop.ui import fonts, theme
from pod_desktop.ui.text import PlainLabel

HUNT: Final = "Hunt"
AUTOMATE: Final = "Automate"
MANAGE: Final = "Manage"
GROUPS: Final = (HUNT, AUTOMATE, MANAGE)
WIDTH: Final = 164
"""Pixels: the longest title with three digits in its badge."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page of the window; made when it is first shown."""

    key: str
    group: str
    title: str
    make: Callable[[], QWidget]
    place: int = 0
    """Among the pages of its group: higher stands lower."""


class RailButton(QAbstractButton):
    """A page's name and its badge."""

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setText(title)
        self.setCheckable(True)
        self.setFixedHeight(34)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self._badge = ""
        self._alarm = False
        self._face = fonts.text(weight=QFont.Weight.Medium)
        self._small = fonts.text(fonts.SMALL, QFont.Weight.Medium)
        self.setAccessibleName(title)

    def badge(self, words: str, *, alarm: bool = False, meaning: str = "") -> None:
        """Show a few characters at the right; `alarm` where a person is needed."""
        self._badge, self._alarm = words, alarm
        self.setAccessibleDescription(meaning or words)
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(WIDTH - 17, 34)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Down, Qt.Key.Key_Up):
            self.focusNextPrevChild(event.key() == Qt.Key.Key_Down)
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        worn = theme.tokens()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        ground = worn.accent_soft if self.isChecked() else worn.hover if self.underMouse() else ""
        painter.setPen(QColor(worn.accent) if self.hasFocus() else Qt.PenStyle.NoPen)
        painter.setBrush(QColor(ground) if ground else Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(box, 6, 6)
        painter.setFont(self._face)
        painter.setPen(QColor(worn.accent if self.isChecked() else worn.note))
        painter.drawText(self.rect().adjusted(10, 0, -10, 0), Qt.AlignmentFlag.AlignVCenter, self.text())
        if self._badge:
            self._paint_badge(painter, worn)
        painter.end()

    def _paint_badge(self, painter: QPainter, worn: theme.Tokens) -> None:
        ink = worn.bad if self._alarm else worn.muted
        painter.setFont(self._small)
        wide = max(18.0, painter.fontMetrics().horizontalAdvance(self._badge) + 12.0)
        box = QRectF(self.width() - 9 - wide, (self.height() - 18) / 2, wide, 18)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(ink.back))
        painter.drawRoundedRect(box, 9, 9)
        painter.setPen(QColor(ink.fore))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, self._badge)


class Rail(QWidget):
    """The pages, in their groups."""

    chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedWidth(WIDTH)
        self.setAccessibleName("Pages")
        self._buttons: dict[str, RailButton] = {}
        self._group = QButtonGroup(self)
        self._columns: dict[str, QVBoxLayout] = {}
        self._heads: dict[str, PlainLabel] = {}
        self._places: dict[str, list[int]] = {group: [] for group in GROUPS}
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 14, 8, 8)
        column.setSpacing(0)
        for group in GROUPS:
            head = PlainLabel(group, "small")
            head.setContentsMargins(10, 6, 0, 5)
            head.hide()
            column.addWidget(head)
            inner = QVBoxLayout()
            inner.setSpacing(1)
            inner.setContentsMargins(0, 0, 0, 6)
            column.addLayout(inner)
            self._columns[group], self._heads[group] = inner, head
        column.addStretch(1)

    def add(self, page: Page) -> None:
        """Show a page's name in its group."""
        button = RailButton(page.title)
        button.clicked.connect(lambda _on=False: self.chosen.emit(page.key))
        self._group.addButton(button)
        above = [place for place in self._places[page.group] if place <= page.place]
        self._columns[page.group].insertWidget(len(above), button)
        self._places[page.group] = sorted([*self._places[page.group], page.place])
        self._heads[page.group].show()
        self._buttons[page.key] = button

    def show_chosen(self, key: str) -> None:
        """Mark a page as the one in front."""
        self._buttons[key].setChecked(True)

    def button(self, key: str) -> RailButton | None:
        """A page's button."""
        return self._buttons.get(key)
