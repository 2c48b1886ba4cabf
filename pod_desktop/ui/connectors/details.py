"""What one connector says of itself: each stream's state, what to do, what it counted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QGridLayout, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from pod_desktop.core import blocks, definition, status
from pod_desktop.core import connector as rules
from pod_desktop.core.responder import RespondConnector
from pod_desktop.core.status import StreamStatus
from pod_desktop.services.hours import Hour
from pod_desktop.store import ConnectorEntry
from pod_desktop.ui import moments, theme
from pod_desktop.ui.connectors.summary import counter_facts, of_connector, responds, state_word, to_second
from pod_desktop.ui.text import PlainLabel
from pod_desktop.ui.widgets import Button, Card, Dot, Notice, hairline
from pod_desktop.ui.widgets.hourstrip import HourPicture


class Details(QDialog):
    """Stays open and up to date until it is closed."""

    def __init__(
        self, entry: ConnectorEntry, try_now: Callable[[str], None], parent: QWidget | None = None
    ) -> None:
        """`try_now` is called with the connector's name."""
        super().__init__(parent)
        self.name = entry.connector.name
        self._try_now = try_now
        self._cards: dict[str, StreamCard] = {}
        self.setWindowTitle("Connector")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(600, 560)
        head = PlainLabel(entry.connector.name, "title")
        head.setContentsMargins(16, 13, 16, 2)
        under = self._under = PlainLabel(_what_it_is(entry), "small", wrap=True)
        under.setContentsMargins(16, 0, 16, 12)
        body = QWidget()
        body.setProperty("role", "page")
        self._column = QVBoxLayout(body)
        self._column.setContentsMargins(16, 14, 16, 16)
        self._column.setSpacing(12)
        self.warning = Notice("", blocks.WARN)
        self._column.addWidget(self.warning)
        self._nothing = Notice("", blocks.MUTED)
        self._column.addWidget(self._nothing)
        self._column.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidget(body)
        scroll.setWidgetResizable(True)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        close = Button("Close", clicked=self.close)
        close.setDefault(True)
        foot = QHBoxLayout()
        foot.setContentsMargins(16, 12, 16, 12)
        foot.addStretch(1)
        foot.addWidget(close)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        for part in (head, under, hairline(), scroll, hairline()):
            column.addWidget(part, 1 if part is scroll else 0)
        column.addLayout(foot)

    def refresh(
        self, entry: ConnectorEntry, streams: Sequence[StreamStatus], now: int, zone: moments.Zone
    ) -> None:
        """Show what was said last; `now` in microseconds UTC."""
        mine = of_connector(entry, streams)
        self._under.setText(_what_it_is(entry))
        self.warning.say("\n".join(definition.warnings(entry.connector)), blocks.WARN)
        self._nothing.say("" if mine else _why_nothing(entry), blocks.MUTED)
        for kind in [kind for kind in self._cards if kind not in {stream.kind for stream in mine}]:
            self._cards.pop(kind).deleteLater()
        for place, stream in enumerate(mine, 2):
            card = self._cards.get(stream.kind)
            if card is None:
                card = self._cards[stream.kind] = StreamCard(stream.kind, lambda: self._try_now(self.name))
                self._column.insertWidget(place, card)
            card.refresh(stream, entry.enabled, now, zone)

    def show_hours(self, found: Mapping[str, Sequence[Hour]], zone: moments.Zone) -> None:
        """Show the ledger of hours of each content type."""
        for kind, card in self._cards.items():
            card.show_hours(found.get(kind, ()), zone)


def _what_it_is(entry: ConnectorEntry) -> str:
    made = entry.connector
    where = made.origin if isinstance(made, RespondConnector) else rules.full_address(made.stream_url)
    return f"{definition.type_title(made)} · {made.cluster_id} · tenant {made.tenant} · {where}"


def _why_nothing(entry: ConnectorEntry) -> str:
    if not entry.enabled:
        return f"This connector is disabled: it {'does' if responds(entry) else 'collects'} nothing."
    if responds(entry):
        return "Nothing is known yet: test it, which asks for a token and reads the list."
    return "Nothing is known yet: the collector service has not spoken of this connector."


def _notices(stream: StreamStatus) -> str:
    """What is to be known beside the state."""
    words = [stream.notice] if stream.notice else []
    if stream.hours_left:
        left = f", about {moments.span(stream.time_left_s)} more" if stream.time_left_s is not None else ""
        words.append(f"{stream.hours_left:,} hours of the archive left{left}.")
    if dropped := ", ".join(f"{name} {count:,}" for name, count in stream.filters):
        words.append(f"Dropped by log filters: {dropped}.")
    return " ".join(words)


class StreamCard(Card):
    """One stream of a connector."""

    def __init__(self, kind: str, try_now: Callable[[], None], parent: QWidget | None = None) -> None:
        super().__init__(parent=parent)
        self._responder = kind == status.RESPOND
        title = "Org lists" if self._responder else rules.CONTENT_TYPE_TITLES.get(kind, kind)
        self._dot = Dot()
        self._state = PlainLabel("", "strong")
        self._since = PlainLabel("", "small")
        self.what = PlainLabel("", wrap=True, selectable=True)
        self.hint = PlainLabel("", "note", wrap=True, selectable=True)
        self.notice = PlainLabel("", "note", wrap=True, selectable=True)
        self._next = PlainLabel("", "note")
        self.try_button = Button("Try now", clicked=try_now, name=f"Try {title} now")
        top = QHBoxLayout()
        top.setSpacing(8)
        for part in (PlainLabel(title, "heading"), self._dot, self._state, self._since):
            top.addWidget(part)
        top.addStretch(1)
        again = QHBoxLayout()
        again.addWidget(self._next)
        again.addWidget(self.try_button)
        again.addStretch(1)
        self._counts = QGridLayout()
        self._counts.setHorizontalSpacing(16)
        self._counts.setVerticalSpacing(1)
        self._amounts: dict[str, PlainLabel] = {}
        self.body.addLayout(top)
        self.body.addWidget(self.what)
        self.body.addWidget(self.hint)
        self.body.addWidget(self.notice)
        self.body.addLayout(again)
        self.body.addLayout(self._counts)
        self.picture: HourPicture | None = None

    def show_hours(self, found: Sequence[Hour], zone: moments.Zone) -> None:
        """Show what there is of each hour."""
        if self.picture is None:
            if not found:
                return
            self.picture = HourPicture(zone)
            self.body.addWidget(self.picture)
        self.picture.show_hours(found)

    def refresh(self, stream: StreamStatus, enabled: bool, now: int, zone: moments.Zone) -> None:
        """Show what the stream said last."""
        state = stream.state if enabled else status.DISABLED
        self._dot.show_tone(theme.STATE_TONE.get(state, blocks.MUTED))
        extra = f" · {moments.rate(stream.rate)}" if state == status.LIVE and not self._responder else ""
        if state == status.CATCHING_UP and stream.progress is not None:
            extra = f" · {stream.progress:.0%}"
        self._state.setText(state_word(state, responder=self._responder) + extra)
        self._since.setText(f"since {to_second(zone, stream.since)}" if stream.since else "")
        code = f" ({stream.code})" if stream.code and stream.code not in stream.what else ""
        said = (
            (self.what, stream.what and stream.what + code),
            (self.hint, stream.hint),
            (self.notice, _notices(stream)),
        )
        for label, words in said:
            label.setText(words)
            label.setVisible(bool(words))
        waits = enabled and stream.state in (status.WAITING, status.STOPPED_FAULT)
        due = stream.next_try > now
        self._next.setText(f"Next try {moments.ago(stream.next_try, now)}." if due else "")
        self._next.setVisible(waits and due)
        self.try_button.setVisible(waits)
        if self._responder:
            self.try_button.hide()
            return
        for place, (name, amount) in enumerate(counter_facts(stream.counters, stream.gaps)):
            self._say_amount(place, name, amount)

    def _say_amount(self, place: int, label: str, amount: str) -> None:
        said = self._amounts.get(label)
        if said is None:
            said = self._amounts[label] = PlainLabel("", selectable=True)
            said.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
            self._counts.addWidget(PlainLabel(label, "small"), 2 * (place // 4), place % 4)
            self._counts.addWidget(said, 2 * (place // 4) + 1, place % 4)
        if said.text() != amount:
            said.setText(amount)
            said.setAccessibleName(f"{label}: {amount}")
