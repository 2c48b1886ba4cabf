"""Responders as cards, and the record's values as chips: one of each is chosen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontMetrics, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QButtonGroup, QGridLayout, QSizePolicy, QVBoxLayout, QWidget

from pod_desktop.content import Offer
from pod_desktop.core.responder import RespondConnector
from pod_desktop.ui import fonts, theme
from pod_desktop.ui.text import cell, tip
from pod_desktop.ui.widgets import Button
from pod_desktop.ui.widgets.flow import FlowLayout

CARD_HEIGHT: Final = 50
CHIP_HEIGHT: Final = 21
CHIPS_SHOWN: Final = 9
"""More values of one record wait behind a button."""
_NEXT: Final = (Qt.Key.Key_Right, Qt.Key.Key_Down)
_BEFORE: Final = (Qt.Key.Key_Left, Qt.Key.Key_Up)


class _Choice(QAbstractButton):
    """A thing to choose; Tab enters the group at the chosen one, arrows move inside."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setCheckable(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        group, key = self.group(), event.key()
        if group is not None and key in (*_NEXT, *_BEFORE):
            others = [button for button in group.buttons() if not button.isHidden()]
            step = 1 if key in _NEXT else -1
            other = others[(others.index(self) + step) % len(others)]
            other.setFocus(Qt.FocusReason.TabFocusReason)
            other.click()
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
        else:
            super().keyPressEvent(event)


class ResponderCard(_Choice):
    """What a responder does, its name and its tenant."""

    def __init__(self, connector: RespondConnector, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.connector = connector
        self._below = f"{connector.name} · {connector.tenant}"
        self._bold = fonts.text(weight=QFont.Weight.DemiBold)
        self._small = fonts.text(fonts.NOTE)
        self.setFixedHeight(CARD_HEIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(f"{connector.title}, {connector.name}, {connector.tenant}")
        self.setToolTip(
            tip(f"{connector.title}\n{self._below}\n{connector.cluster_id} at {connector.hostname}")
        )

    def sizeHint(self) -> QSize:
        return QSize(180, CARD_HEIGHT)

    def minimumSizeHint(self) -> QSize:
        return QSize(120, CARD_HEIGHT)

    def paintEvent(self, event: QPaintEvent) -> None:
        worn = theme.tokens()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        chosen = self.isChecked()
        painter.setPen(QColor(worn.accent if chosen or self.hasFocus() else worn.line))
        painter.setBrush(
            QColor(worn.accent_soft if chosen else worn.hover if self.underMouse() else worn.window)
        )
        box = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        painter.drawRoundedRect(box, 7, 7)
        if self.hasFocus():
            painter.drawRoundedRect(box.adjusted(1, 1, -1, -1), 6, 6)
        room = self.rect().adjusted(8, 7, -4, -7)
        _line(
            painter,
            QRect(room.left(), room.top(), room.width(), 18),
            self._bold,
            worn.text,
            self.connector.title,
        )
        _line(
            painter,
            QRect(room.left(), room.bottom() - 17, room.width(), 18),
            self._small,
            worn.note,
            self._below,
        )
        painter.end()


def _line(painter: QPainter, room: QRect, font: QFont, ink: str, text: str) -> None:
    painter.setFont(font)
    painter.setPen(QColor(ink))
    shown = painter.fontMetrics().elidedText(cell(text, 200), Qt.TextElideMode.ElideRight, room.width())
    painter.drawText(room, int(Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine), shown)


class ResponderCards(QWidget):
    """The responders that may act, in two columns."""

    chosen = Signal(object)
    """A RespondConnector."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("External Actions, Webhook")
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(6)
        self._group = QButtonGroup(self)
        self._shown: tuple[RespondConnector, ...] = ()
        self.cards: list[ResponderCard] = []

    def show_responders(self, responders: Sequence[RespondConnector]) -> bool:
        """Show these; True when they are others than before."""
        if tuple(responders) == self._shown:
            return False
        self._shown = tuple(responders)
        for card in self.cards:
            self._group.removeButton(card)
            card.hide()
            card.deleteLater()
        self.cards = [ResponderCard(connector) for connector in responders]
        for number, card in enumerate(self.cards):
            self._group.addButton(card)
            self._grid.addWidget(card, number // 2, number % 2)
            card.clicked.connect(lambda _on=False, card=card: self.chosen.emit(card.connector))
        self._grid.setColumnStretch(0, 1)
        self._grid.setColumnStretch(1, 1)
        return True

    def current(self) -> RespondConnector | None:
        return next((card.connector for card in self.cards if card.isChecked()), None)

    def choose(self, connector: RespondConnector) -> bool:
        """Choose a card and tell; False if there is none of this responder."""
        for card in self.cards:
            if card.connector == connector:
                card.setChecked(True)
                self.chosen.emit(connector)
                return True
        return False


class ValueChip(_Choice):
    """A value that the record offers, by what it is; the value itself stands below the chips."""

    def __init__(self, offer: Offer, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.offer = offer
        self.title = title
        self._font = fonts.text(fonts.NOTE, QFont.Weight.Medium)
        self.setAccessibleName(f"{title}: {cell(offer.value, 200)}")
        self.setAccessibleDescription(offer.trap)
        self.setToolTip(tip(f"{offer.value}\n{offer.trap}" if offer.trap else offer.value))
        self.setFixedSize(
            QFontMetrics(self._font).horizontalAdvance(title) + (24 if offer.trap else 14), CHIP_HEIGHT
        )

    def sizeHint(self) -> QSize:
        return self.minimumSize()

    def paintEvent(self, event: QPaintEvent) -> None:
        worn = theme.tokens()
        ink = worn.info if self.isChecked() else worn.muted
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QColor(worn.accent) if self.hasFocus() else Qt.PenStyle.NoPen)
        painter.setBrush(QColor(ink.back))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)
        left = 7
        if self.offer.trap:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(worn.dot_warn))
            painter.drawEllipse(QRectF(7, self.height() / 2 - 3, 6, 6))
            left = 17
        painter.setFont(self._font)
        painter.setPen(QColor(ink.fore))
        painter.drawText(self.rect().adjusted(left, 0, 0, -1), Qt.AlignmentFlag.AlignVCenter, self.title)
        painter.end()


class ValueChips(QWidget):
    """What the record holds for the attributes of a list."""

    chosen = Signal(object)
    """An Offer."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Values of the record")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        self._flow = QWidget()
        self._layout = FlowLayout(self._flow)
        column.addWidget(self._flow)
        self._group = QButtonGroup(self)
        self._offers: tuple[Offer, ...] = ()
        self.chips: list[ValueChip] = []

    def show_offers(self, offers: Sequence[Offer]) -> None:
        """Show these; none of them is chosen."""
        if tuple(offers) == self._offers:
            self.choose(None)
            return
        self._offers = tuple(offers)
        self._fill(CHIPS_SHOWN)

    def _fill(self, most: int) -> None:
        while (item := self._layout.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        seen: dict[str, int] = {}
        self.chips = []
        for offer in self._offers[:most]:
            seen[offer.title] = seen.get(offer.title, 0) + 1
            title = offer.title if seen[offer.title] == 1 else f"{offer.title} {seen[offer.title]}"
            chip = ValueChip(offer, title)
            chip.clicked.connect(lambda _on=False, chip=chip: self.chosen.emit(chip.offer))
            self._group.addButton(chip)
            self._layout.addWidget(chip)
            self.chips.append(chip)
        hidden = len(self._offers) - most
        if hidden > 0:
            self._layout.addWidget(Button(f"{hidden} more", "link", self._show_all))
        self._flow.updateGeometry()

    def _show_all(self) -> None:
        chosen = self.current()
        self._fill(len(self._offers))
        self.choose(chosen)
        if len(self.chips) > CHIPS_SHOWN:
            self.chips[CHIPS_SHOWN].setFocus()

    def current(self) -> Offer | None:
        return next((chip.offer for chip in self.chips if chip.isChecked()), None)

    def choose(self, offer: Offer | None) -> None:
        """Mark a chip as the chosen one, telling nobody; None: none of them."""
        self._group.setExclusive(False)
        for chip in self.chips:
            chip.setChecked(chip.offer == offer)
        self._group.setExclusive(True)
