"""The status bar: what each collector does, what was received and stored, and in which zone times are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QFont, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from pod_desktop.core import status
from pod_desktop.core.status import Counters, StreamStatus
from pod_desktop.services.hours import Hour
from pod_desktop.ui import fonts, theme
from pod_desktop.ui.bridge import Overview
from pod_desktop.ui.moments import Zone, rate, size, span
from pod_desktop.ui.statepopup import StatePopup
from pod_desktop.ui.text import PlainLabel, cell, tip
from pod_desktop.ui.widgets import Button, Dot

HEIGHT: Final = 26
_SHOWN: Final = 4
_GRAVEST: Final = (
    status.STOPPED_FAULT, status.WAITING, status.STOPPED, status.CONNECTING, status.STARTING,
    status.CATCHING_UP, status.LIVE, status.DISABLED,
)  # fmt: skip
_NAME_CHARS: Final = 24


def gravest(streams: Sequence[StreamStatus]) -> str:
    """The state that matters most."""
    return min((stream.state for stream in streams), key=_GRAVEST.index, default=status.STOPPED)


def state_words(streams: Sequence[StreamStatus]) -> str:
    """`live · 212/s`, `catching up · 63%`, `waiting`."""
    state = gravest(streams)
    words = theme.STATE_WORD[state]
    if state == status.LIVE:
        return f"{words} · {rate(sum(stream.rate for stream in streams))}"
    progress = [stream.progress for stream in streams if stream.progress is not None]
    return f"{words} · {min(progress):.0%}" if state == status.CATCHING_UP and progress else words


class _Collector(Button):
    """One collector: a dot, its name, what it does."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("", "state", parent=parent)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self._dot = Dot(parent=self)
        self._dot.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._dot.move(5, 6)
        self.setProperty("dot", True)
        self.streams: tuple[StreamStatus, ...] = ()

    def show_streams(self, name: str, streams: Sequence[StreamStatus]) -> None:
        """Show a collector's streams as one."""
        self.streams = tuple(streams)
        tone = theme.STATE_TONE[gravest(streams)]
        words = f"{cell(name, _NAME_CHARS)} {state_words(streams)}"
        self._dot.show_tone(tone)
        shown = words.replace("&", "&&")
        if self.text() != shown:
            self.setText(shown)
            self.setAccessibleName(f"Collector {words}")
        what = "\n".join(stream.what for stream in streams if stream.what)
        self.setToolTip(tip(what or "Click for more"))


class StatusBar(QWidget):
    """The line at the bottom."""

    zone_clicked = Signal()
    hours_wanted = Signal(str)
    """The ledger of hours of this connector is to be shown: show_hours() takes it."""

    def __init__(self, zone: Zone, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._zone = zone
        self._overview = Overview()
        self.setFixedHeight(HEIGHT)
        self.setAccessibleName("Status")
        self._collectors: list[_Collector] = []
        self._row = QHBoxLayout()
        self._row.setSpacing(6)
        self._none = PlainLabel("No connectors", "small")
        self._more = Button("", "state", self._explain_all)
        self._lag = PlainLabel("", "small")
        self._counts = PlainLabel("", "small")
        self._disk = PlainLabel("", "small")
        self._zone_button = Button(zone.name(), "state", self.zone_clicked.emit)
        self._zone_button.setToolTip("Click to change between UTC and local time")
        row = self._line = QHBoxLayout(self)
        row.setContentsMargins(8, 0, 8, 0)
        row.setSpacing(12)
        row.addWidget(self._none)
        row.addLayout(self._row)
        row.addWidget(self._more)
        row.addWidget(self._lag)
        row.addWidget(self._counts)
        row.addStretch(1)
        row.addWidget(self._disk)
        row.addWidget(self._zone_button)
        for button in (self._more, self._zone_button):
            button.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
            button.setFont(fonts.text(fonts.NOTE, QFont.Weight.Normal))
        self.popup: StatePopup | None = None
        self._level = 0
        self.show_overview(self._overview)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """Say less where there is less room; what a person must act on is left out last."""
        for level in range(5):
            self._level = level
            self._say()
            if self._line.sizeHint().width() <= self.width():
                return

    def show_zone(self) -> None:
        """The zone changed."""
        self._zone_button.setText(self._zone.name())
        self._zone_button.setAccessibleName(f"Times in {self._zone.name()}; change")

    def show_overview(self, overview: Overview) -> None:
        """Show what the collectors say of themselves."""
        # Responders are no collectors; they have their page, and its badge when one fails.
        collectors = tuple(stream for stream in overview.streams if stream.kind != status.RESPOND)
        self._overview = replace(overview, streams=collectors)
        self._fit()
        if self.popup is not None and self.popup.isVisible():
            self.popup.refresh(self._overview)

    def show_hours(self, name: str, found: Mapping[str, Sequence[Hour]]) -> None:
        """What a connector has of each hour, by content type; shown where its state is explained."""
        if self.popup is not None and self.popup.isVisible():
            self.popup.show_hours(name, found)

    def _say(self) -> None:
        overview, most = self._overview, (_SHOWN, _SHOWN, 2, 1, 1)[self._level]
        by_name: dict[str, list[StreamStatus]] = {}
        for stream in overview.streams:
            by_name.setdefault(stream.connector, []).append(stream)
        ordered = sorted(by_name.items(), key=lambda item: (_GRAVEST.index(gravest(item[1])), item[0]))
        self._show_collectors(sorted(ordered[:most]))
        hidden = len(ordered) - most
        self._more.setVisible(hidden > 0)
        self._more.setText(f"+{hidden} more")
        self._none.setVisible(not ordered)
        self._none.setText("No connectors" if not overview.connectors else "Collectors have not reported yet")
        self._show_numbers(overview)

    def _show_collectors(self, shown: Sequence[tuple[str, Sequence[StreamStatus]]]) -> None:
        while len(self._collectors) < len(shown):
            button = _Collector()
            button.setFont(fonts.text(fonts.NOTE, QFont.Weight.Normal))
            button.clicked.connect(lambda _on=False, button=button: self.explain(button))
            self._collectors.append(button)
            self._row.addWidget(button)
        for place, button in enumerate(self._collectors):
            button.setVisible(place < len(shown))
            if place < len(shown):
                button.show_streams(*shown[place])

    def _show_numbers(self, overview: Overview) -> None:
        lags = [
            stream.lag_s
            for stream in overview.streams
            if stream.lag_s is not None and stream.state == status.LIVE
        ]
        self._lag.setText(f"lag {span(max(lags))}" if lags else "")
        self._lag.setVisible(bool(lags) and self._level < 3)
        total = sum((stream.counters for stream in overview.streams), Counters())
        lost = lost_records(total)
        gaps = sum(len(stream.gaps) for stream in overview.streams)
        apart = [
            f"{name} {count:,} · "
            for name, count in (
                ("duplicates", total.duplicates),
                ("filtered", total.filtered),
                ("unreadable", total.quarantined),
            )
            if count and self._level < 1
        ]
        words = f"received {total.received:,} · stored {total.stored:,} · {''.join(apart)}lost {lost:,}"
        if self._level >= 2:
            words = f"stored {total.stored:,} · lost {lost:,}"
        if gaps:
            words += f" · {gaps} gap{'s' if gaps > 1 else ''}"
        self._counts.setText(words if overview.streams else "")
        self._counts.setVisible(bool(overview.streams) and (self._level < 4 or bool(lost or gaps)))
        self._counts.setProperty("role", "fault" if lost or gaps else "small")
        self._counts.style().unpolish(self._counts)
        self._counts.style().polish(self._counts)
        self._counts.setToolTip(
            tip(
                f"{total.duplicates:,} duplicates: came again and are stored once\n{total.filtered:,} dropped by log filters\n"
                f"{total.quarantined:,} are no records and were kept as received"
            )
        )
        self._disk.setText(
            f"{size(overview.bytes_disk)} on disk (raw {size(overview.bytes_raw)})"
            if overview.records
            else ""
        )

    def explain(self, button: _Collector) -> None:
        """Say what a collector is doing, and what to do about it."""
        if button.streams:
            self._open_popup({button.streams[0].connector}, button)

    def _explain_all(self) -> None:
        self._open_popup({stream.connector for stream in self._overview.streams}, self._more)

    def _open_popup(self, names: set[str], button: QWidget) -> None:
        if self.popup is not None:
            self.popup.deleteLater()
        self.popup = StatePopup(names, self._zone, self.window())
        self.popup.hours_wanted.connect(self.hours_wanted)
        self.popup.open_above(button.mapToGlobal(QPoint(0, 0)), self._overview)


def lost_records(total: Counters) -> int:
    """Records received that are in none of the places they may be."""
    return total.received - total.stored - total.duplicates - total.filtered - total.quarantined
