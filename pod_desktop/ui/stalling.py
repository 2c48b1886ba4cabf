"""Connectors that stop or lag: a badge in the rail at once, a strip and the desktop's notification once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QObject

from pod_desktop.core.status import StreamStatus
from pod_desktop.services.notifying import stall_words
from pod_desktop.services.stalls import Stall, Watch
from pod_desktop.store import ConnectorEntry
from pod_desktop.ui.moments import Zone
from pod_desktop.ui.telling import Strip, Tray
from pod_desktop.ui.text import cell
from pod_desktop.ui.window import CONNECTORS, MainWindow

Claim = Callable[[Sequence[Stall], Callable[[Sequence[Stall]], None]], None]
"""(stalls, told those of them that are ours to tell on the desktop)."""


class Stalling(QObject):
    """Is told what the ledger says, often; tells what is new."""

    def __init__(
        self, window: MainWindow, zone: Zone, wanted: Callable[[], bool], claim: Claim | None = None
    ) -> None:
        """
        Args:
            wanted: whether the settings want notifications.
            claim: asked for those that are ours to tell on the desktop; without it nothing is told there.
        """
        super().__init__(window)
        self._window = window
        self._zone = zone
        self._wanted = wanted
        self._watch = Watch()
        self._claim = claim
        self._strip = Strip(window)
        self._begun = False

    def look(self, entries: Sequence[ConnectorEntry], streams: Sequence[StreamStatus], now: int) -> None:
        """Compare with the last look; `now` in microseconds UTC."""
        enabled = [entry.connector.name for entry in entries if entry.enabled]
        fresh = self._watch.look(streams, now, enabled)
        self._badge()
        # What was so before the window opened is in the badge; it is no news.
        begun, self._begun = self._begun, self._begun or bool(entries)
        if fresh and begun and self._wanted():
            lines = [f"{self._zone.short(now)}  {cell(stall.words, 240)}" for stall in fresh]
            self._strip.tell("Connectors", cell(fresh[-1].words, 240), lines[::-1], failed=True)
            if self._claim is not None and Tray.able():
                self._claim(fresh, self._on_desktop)

    def _on_desktop(self, stalls: Sequence[Stall]) -> None:
        if stalls:
            title, words = stall_words(stalls)
            Tray.of(self._window).tell(title, cell(words, 240), CONNECTORS)

    def _badge(self) -> None:
        if (button := self._window.rail.button(CONNECTORS)) is not None:
            count = len({stall.connector.casefold() for stall in self._watch.stalls.values()})
            needs = "1 connector needs" if count == 1 else f"{count} connectors need"
            button.badge(
                str(count) if count else "", alarm=True, meaning=f"{needs} attention" if count else ""
            )
