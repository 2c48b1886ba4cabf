"""The sidebar of facets: the commonest values of chosen fields, each a click away from being asked for.

A click includes a value, Alt+click excludes it; Enter and Alt+Enter do the same by key.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import QPoint, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QFrame,
    QHBoxLayout,
    QMenu,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from pod_desktop.core.faults import Fault
from pod_desktop.query import FIELDS
from pod_desktop.services.facets import Facet
from pod_desktop.ui import fonts, theme
from pod_desktop.ui.preferences import Preferences
from pod_desktop.ui.text import PlainLabel, cell, clip, copy, tip
from pod_desktop.ui.widgets import Button

_KEY: Final = "events/facets"
FIRST_DAY: Final = ("outcome", "sender.domain", "ip", "rule", "route")
OFFERED: Final = (
    "outcome", "type", "disposition", "sender.domain", "sender", "header_from.domain", "recipient.domain",
    "recipient", "ip", "country", "rule", "module", "folder", "direction", "route", "stat", "connector", "tenant",
    "subject", "spf", "dkim", "dmarc", "virus", "dsn", "action", "user",
)  # fmt: skip
SHOWN: Final = 5
MORE: Final = 15
_MOST_FIELDS: Final = 12
_SHARES: Final = ("choice",)
"""Types of fields whose values are told as shares of the whole."""
_WIDTH: Final = 168
_VALUE_CHARS: Final = 64
"""More cannot be seen, and costs time to lay out."""


def title_of(field: str) -> str:
    """What a field is called above its values."""
    known = FIELDS.get(field)
    if field == "ip":
        return "Source IP"
    return known.title if known else clip(cell(field), 40)


class ValueButton(QAbstractButton):
    """A value, its bar and its count."""

    picked = Signal(bool)
    """True: exclude."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.value = ""
        self._count = ""
        self._share = 0.0
        self.setFixedHeight(21)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self._menu)

    def show_value(self, field: str, value: str, words: str, count: str, share: float) -> None:
        """Show a value; `words` is how it is written here, `share` how long its bar is."""
        self.value, self._count, self._share = value, count, share
        self.setText(words)
        self.setAccessibleName(f"{title_of(field)}: {words}, {count}")
        self.setAccessibleDescription("Enter asks for it, Alt+Enter leaves it out")
        self.setToolTip(tip(f"{value}\n{count}\nClick: only these. Alt+click: without these."))
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(_WIDTH - 24, 21)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        inside = self.rect().contains(event.position().toPoint())
        self.setDown(False)
        if event.button() == Qt.MouseButton.LeftButton and inside:
            self.picked.emit(bool(event.modifiers() & Qt.KeyboardModifier.AltModifier))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Down, Qt.Key.Key_Up):
            self.focusNextPrevChild(event.key() == Qt.Key.Key_Down)
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.picked.emit(bool(event.modifiers() & Qt.KeyboardModifier.AltModifier))
        else:
            super().keyPressEvent(event)

    def _menu(self, place: QPoint) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction("Filter on This", lambda: self.picked.emit(False))
        menu.addAction("Exclude This", lambda: self.picked.emit(True))
        menu.addAction("Copy Value", lambda: copy(self.value))
        menu.popup(self.mapToGlobal(place))

    def paintEvent(self, event: QPaintEvent) -> None:
        worn = theme.tokens()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(self.rect()).adjusted(0.5, 1.5, -0.5, -1.5)
        painter.setFont(fonts.text(fonts.NOTE))
        metrics = painter.fontMetrics()
        wide = metrics.horizontalAdvance(self._count)
        room = box.width() - wide - 14
        painter.setPen(Qt.PenStyle.NoPen)
        if self.underMouse():
            painter.setBrush(QColor(worn.hover))
            painter.drawRoundedRect(box, 3, 3)
        if self._share > 0:
            painter.setBrush(QColor(worn.accent_soft))
            bar = QRectF(box.left(), box.top(), max(3.0, (room + 6) * self._share), box.height())
            painter.drawRoundedRect(bar, 3, 3)
        if self.hasFocus():
            painter.setPen(QColor(worn.accent))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(box, 3, 3)
        side = Qt.AlignmentFlag.AlignVCenter
        inner = self.rect().adjusted(5, 0, -3, 0)
        painter.setPen(QColor(worn.text))
        words = metrics.elidedText(self.text(), Qt.TextElideMode.ElideRight, int(room))
        painter.drawText(inner, int(side | Qt.AlignmentFlag.AlignLeft), words)
        painter.setPen(QColor(worn.note))
        painter.drawText(inner, int(side | Qt.AlignmentFlag.AlignRight), self._count)
        painter.end()


class FacetBox(QWidget):
    """One field: its name and its values."""

    picked = Signal(str, str, bool)
    """(field, value, exclude)."""
    more_asked = Signal()

    def __init__(self, field: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.field = field
        self.most = SHOWN
        self._facet: Facet | None = None
        self._buttons: list[ValueButton] = []
        self._title = PlainLabel(title_of(field), "strong")
        self._title.setFont(fonts.text(fonts.NOTE, QFont.Weight.DemiBold))
        self._title.setAccessibleName(title_of(field))
        self._note = PlainLabel("…", "small")
        self._more = Button("more", "facet", self._toggle, name=f"More values of {title_of(field)}")
        self._more.hide()
        self._column = QVBoxLayout()
        self._column.setSpacing(0)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(3)
        head = QHBoxLayout()
        head.setSpacing(4)
        head.addWidget(self._title, 1)
        head.addWidget(self._more)
        whole.addLayout(head)
        whole.addLayout(self._column)
        whole.addWidget(self._note)

    @property
    def values(self) -> list[tuple[str, str]]:
        """(value, count as it is written) from the top."""
        return [(button.value, button._count) for button in self._buttons if not button.isHidden()]

    def button(self, value: str) -> ValueButton:
        """The button of a value."""
        return next(one for one in self._buttons if one.value == value and not one.isHidden())

    def wait(self) -> None:
        """Another question: what is shown may no longer be true."""
        for button in self._buttons:
            button.setEnabled(False)

    @property
    def _tells_shares(self) -> bool:
        known = FIELDS.get(self.field)
        return known is not None and known.type in _SHARES

    @property
    def wanted(self) -> int:
        """How many values are to be counted: one more than is shown, and all where shares of all are told."""
        return MORE + 1 if self._tells_shares else self.most + 1

    def show_facet(self, facet: Facet) -> None:
        """Show what was counted."""
        self._facet = facet
        shown = facet.values[: self.most]
        while len(self._buttons) < len(shown):
            self._add_button()
        known = FIELDS.get(self.field)
        shares = bool(facet.sampled) or self._tells_shares
        base = facet.sampled or sum(count for _value, count in facet.values)
        top = max((count for _value, count in shown), default=1)
        for button, (value, count) in zip(self._buttons, shown, strict=False):
            words = cell(value, _VALUE_CHARS)
            if known is not None and known.type == "choice":
                words = words.capitalize()
            told = share_words(count, base) if shares else f"{count:,}"
            button.show_value(self.field, value, words, told, count / max(1, base if shares else top))
            button.setEnabled(True)
            button.show()
        for button in self._buttons[len(shown) :]:
            button.hide()
        note = "" if shown else "none"
        if facet.sampled and shown:
            note = f"of the newest {facet.sampled:,}"
        self.say(note)
        self._more.setText("less" if self.most > SHOWN else "more")
        self._more.setVisible(self.most > SHOWN or len(facet.values) > len(shown))

    def say(self, words: str) -> None:
        """A note below the values."""
        self._note.setText(words)
        self._note.setVisible(bool(words))

    def _add_button(self) -> None:
        button = ValueButton()
        button.picked.connect(lambda out, button=button: self.picked.emit(self.field, button.value, out))
        self._buttons.append(button)
        self._column.addWidget(button)

    def _toggle(self) -> None:
        self.most = SHOWN if self.most > SHOWN else MORE
        if self._facet is not None and self.most == SHOWN:
            self.show_facet(self._facet)
        else:
            self.more_asked.emit()


class FacetSidebar(QScrollArea):
    """All chosen fields."""

    picked = Signal(str, str, bool)
    changed = Signal()
    """Other fields, or more values, are wanted."""
    any_field_asked = Signal()
    hidden_by_user = Signal()

    def __init__(self, preferences: Preferences, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._preferences = preferences
        self._boxes: list[FacetBox] = []
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.verticalScrollBar().setProperty("role", "thin")
        self.setAccessibleName("Facets")
        self.setMinimumWidth(130)
        page = QWidget()
        page.setProperty("role", "page")
        self._column = QVBoxLayout()
        self._column.setSpacing(12)
        self._choose = Button("Fields …", "link", self._open_chooser, name="Choose fields of the facets")
        row = QHBoxLayout()
        row.addWidget(self._choose)
        row.addStretch(1)
        whole = QVBoxLayout(page)
        whole.setContentsMargins(10, 12, 10, 10)
        whole.setSpacing(10)
        whole.addLayout(self._column)
        whole.addLayout(row)
        whole.addStretch(1)
        self.setWidget(page)
        self.reload()

    def sizeHint(self) -> QSize:
        return QSize(_WIDTH, 600)

    @property
    def boxes(self) -> list[FacetBox]:
        """The fields shown, from the top."""
        return list(self._boxes)

    def wanted(self) -> list[tuple[str, int]]:
        """What is to be counted now: (field, how many values)."""
        return [] if self.isHidden() else [(box.field, box.wanted) for box in self._boxes]

    def reload(self) -> None:
        """Fields as the profile in use has them."""
        found = self._preferences.data(_KEY)
        kept = [field for field in found if isinstance(field, str)] if isinstance(found, list) else FIRST_DAY
        self._show_fields(kept)

    def _show_fields(self, fields: Sequence[str]) -> None:
        for box in self._boxes:
            box.setParent(None)
            box.deleteLater()
        self._boxes = []
        for field in fields[:_MOST_FIELDS]:
            box = FacetBox(field)
            box.picked.connect(self.picked)
            box.more_asked.connect(self.changed)
            self._boxes.append(box)
            self._column.addWidget(box)
        self.changed.emit()

    def set_field(self, field: str, shown: bool) -> None:
        """Show a field, or take it away."""
        fields = [box.field for box in self._boxes if box.field != field]
        if shown:
            fields.append(field)
        fields = fields[-_MOST_FIELDS:]
        self._preferences.set_data(_KEY, fields)
        self._show_fields(fields)

    def wait(self) -> None:
        """Another question."""
        for box in self._boxes:
            box.wait()

    def show_facet(self, facet: Facet) -> None:
        """Show what was counted of a field."""
        for box in self._boxes:
            if box.field == facet.field:
                box.show_facet(facet)

    def show_fault(self, field: str, fault: Fault) -> None:
        """A field that cannot be counted says why."""
        for box in self._boxes:
            if box.field == field:
                box.say(fault.what)

    def fill_menu(self, menu: QMenu) -> None:
        """A switch for each field."""
        menu.clear()
        shown = [box.field for box in self._boxes]
        for field in dict.fromkeys([*shown, *OFFERED]):
            action = menu.addAction(title_of(field).replace("&", "&&"))
            action.setCheckable(True)
            action.setChecked(field in shown)
            action.toggled.connect(lambda on, field=field: self.set_field(field, on))
        menu.addSeparator()
        menu.addAction("Any Other Field …", self.any_field_asked.emit)
        menu.addAction("Fields as on the First Day", self._reset)
        menu.addAction("Hide Facets", self.hidden_by_user.emit)

    def _reset(self) -> None:
        self._preferences.set_data(_KEY, list(FIRST_DAY))
        self._show_fields(FIRST_DAY)

    def _open_chooser(self) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.fill_menu(menu)
        menu.popup(self._choose.mapToGlobal(self._choose.rect().topLeft()))


def share_words(count: int, whole: int) -> str:
    """`71%`; what is there is never 0 %."""
    if whole <= 0:
        return "0%"
    share = 100 * count / whole
    return "<1%" if 0 < share < 1 else f"{min(share, 100):.0f}%"
