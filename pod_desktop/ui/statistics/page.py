"""The Statistics page: counts what a stretch of time holds, card by card, and leads from each bar to its search."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import QFileDialog, QGridLayout, QMenu, QScrollArea, QVBoxLayout, QWidget

from pod_desktop.core.clock import DAY, SECOND
from pod_desktop.core.faults import Fault, Unwanted
from pod_desktop.services.statistics import TITLES, Bar, Part, as_csv
from pod_desktop.ui.bridge import Desk, Job, Worker
from pod_desktop.ui.events.rangedialog import RangeDialog
from pod_desktop.ui.events.timerange import RangeButton
from pod_desktop.ui.folders import path_buttons
from pod_desktop.ui.moments import Zone
from pod_desktop.ui.preferences import Preferences
from pod_desktop.ui.statistics.card import PartCard
from pod_desktop.ui.text import PlainLabel
from pod_desktop.ui.widgets import Button, MenuButton, Notice, PageHeader

_FIRST: Final = DAY
_KEPT: Final = "statistics/range"
_TWO_COLUMNS: Final = 820
"""From this width on cards stand beside each other."""
_WIDE: Final = ("volume",)


Stretch = tuple[int | None, int | None, int | None]
"""(length, since, until), microseconds: what a time range button holds."""


class StatisticsPage(QWidget):
    """Plots over a chosen range."""

    search_asked = Signal(str, object, object, object)
    """(query, kinds, since, until): show these records in Events."""

    def __init__(
        self,
        desk: Desk,
        zone: Zone,
        preferences: Preferences,
        events_range: Callable[[], Stretch],
        parent: QWidget | None = None,
    ) -> None:
        """`events_range` tells the time range of the Events page."""
        super().__init__(parent)
        self._desk = desk
        self._zone = zone
        self._preferences = preferences
        self._events_range = events_range
        self._worker = Worker("statistics", self)
        self._job = Job()
        self._since: int | None = None
        self._until = 0
        self._begun = 0.0
        self._counted_zone = zone.name()
        self._asked = self._running = False
        self._columns = 0
        self.cards = {key: PartCard(key) for key in TITLES}
        self._build()

    # building

    def _build(self) -> None:
        self.range = RangeButton(self._zone, begin=_FIRST)
        self.range.offer("As in Events", self.take_events_range)
        self.range.chosen.connect(self._chosen)
        self.range.custom_asked.connect(self.choose_range)
        self._recall()
        self.refresh_button = Button("Count again", clicked=self.ask)
        self.cancel_button = Button("Cancel", clicked=self.cancel)
        self.cancel_button.hide()
        exports = QMenu(self)
        exports.addAction("Figures as CSV …", lambda: self._ask_file("csv"))
        exports.addAction("Plots as PNG …", lambda: self._ask_file("png"))
        self.export_button = MenuButton("Export", exports)
        self.told = PlainLabel("", "note")
        self.written = Notice()
        self.fault = Notice(tone="bad", button=Button("Try again", "link", self.ask))
        self.fault.hide()
        self._body = QWidget()
        self._body.setProperty("role", "sunken")
        self._body.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._grid = QGridLayout(self._body)
        self._grid.setContentsMargins(14, 14, 14, 14)
        self._grid.setSpacing(14)
        for card in self.cards.values():
            card.chosen.connect(self._search)
        self._scroll = QScrollArea()
        self._scroll.setWidgetResizable(True)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._scroll.setWidget(self._body)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        controls = (self.told, self.cancel_button, self.refresh_button, self.range, self.export_button)
        column.addWidget(PageHeader("Statistics", *controls))
        column.addWidget(self.fault)
        column.addWidget(self.written)
        column.addWidget(self._scroll, 1)
        self._arrange()

    def _arrange(self) -> None:
        columns = 2 if self.width() >= _TWO_COLUMNS else 1
        if columns == self._columns:
            return
        self._columns = columns
        place = 0
        for card in self.cards.values():
            self._grid.removeWidget(card)
            wide = columns if card.key in _WIDE else 1
            self._grid.addWidget(card, place // columns, place % columns, 1, wide)
            place += wide
        for number in range(2):
            self._grid.setColumnStretch(number, 1 if number < columns else 0)
        self._grid.setRowStretch(len(self.cards) + 1, 1)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    # counting

    def showEvent(self, event: QShowEvent) -> None:
        """The first time it is looked at, and not before, it counts."""
        super().showEvent(event)
        if not self._asked:
            self.ask()

    def focus_first(self) -> None:
        """Go to the time range."""
        self.range.setFocus()

    # the time range

    def choose_range(self) -> None:
        """Ask for two moments."""
        since = self._since if self.range.since is None and self.range.until is None else self.range.since
        dialog = RangeDialog(self._zone, since, self.range.until, self.window())
        dialog.chosen.connect(self.range.fix)
        dialog.open()

    def take_events_range(self) -> None:
        """Count what the Events page shows."""
        self.range.put(*self._events_range())
        self._chosen()

    def _chosen(self) -> None:
        self._preferences.set_data(_KEPT, [self.range.span, self.range.since, self.range.until])
        self.ask()

    def _recall(self) -> None:
        kept = self._preferences.data(_KEPT)
        if isinstance(kept, list) and len(kept) == 3 and all(one is None or type(one) is int for one in kept):
            self.range.put(*kept)
        else:
            self.range.put(_FIRST, None, None)

    def reload(self) -> None:
        """Another profile: the range that was chosen there."""
        self._recall()
        if self._asked:
            self.ask()

    # counting

    def ask(self) -> None:
        """Count again: up to now, or what lies between the moments that were chosen."""
        self.cancel()
        self._asked = True
        self.fault.hide()
        self.written.say("")
        job = self._job = Job()
        chosen = self.range
        now = -(-time.time_ns() // 1_000 // SECOND) * SECOND
        self._until = now if chosen.until is None else chosen.until
        self._since = chosen.since if chosen.span is None else self._until - chosen.span
        self._counted_zone = self._zone.name()
        self._begun = time.monotonic()
        for card in self.cards.values():
            card.wait()
        self._show_running(True)
        since, until = self._since, self._until
        self._worker.ask(
            lambda: self._open(since, until, job),
            lambda parts: self._next(parts, job),
            self._failed,
            owner=self,
        )

    def _open(self, since: int | None, until: int, job: Job) -> Iterator[Part]:
        """On the worker's thread, the plotting library too: it takes a moment to load."""
        importlib.import_module("pod_desktop.ui.statistics.plot")
        return self._desk.statistics(since, until, job)

    def _next(self, parts: Iterator[Part], job: Job) -> None:
        if job is self._job and not job.cancelled:
            self._worker.ask(
                lambda: next(parts, None), lambda part: self._came(part, parts, job), self._failed, owner=self
            )

    def _came(self, part: Part | None, parts: Iterator[Part], job: Job) -> None:
        if job is not self._job or job.cancelled:
            return
        if part is None:
            self._show_running(False)
            self.told.setText(f"Counted in {time.monotonic() - self._begun:.1f} s")
            return
        self.cards[part.key].show_part(part)
        self._next(parts, job)

    def cancel(self) -> None:
        """Stop counting; what was counted stays."""
        self._job.cancel()
        if self._running:
            self._show_running(False)
            self.told.setText("Stopped")
            for card in self.cards.values():
                card.give_up()

    def _failed(self, error: BaseException) -> None:
        if isinstance(error, Unwanted):
            return
        self._show_running(False)
        self.told.setText("")
        fault = error if isinstance(error, Fault) else Fault("That could not be counted.", "", str(error))
        self.fault.say(fault.hint or "What was counted before stays.", "bad", fault.what)

    def _show_running(self, running: bool) -> None:
        self._running = running
        self.cancel_button.setVisible(running)
        self.refresh_button.setVisible(not running)
        if running:
            self.told.setText("Counting …")

    @property
    def running(self) -> bool:
        """Whether it is counting."""
        return self._running

    def restyle(self) -> None:
        """Colours or times are others from now on."""
        self.range.restyle()
        for card in self.cards.values():
            card.restyle()
        if self._asked and self._counted_zone != self._zone.name():
            self.ask()  # its bars are named in the other zone

    def stop(self) -> None:
        """The window closes."""
        self._job.cancel()
        self._worker.stop()

    # leading on

    def _search(self, part: Part, bar: Bar) -> None:
        since = self._since if bar.since is None else bar.since
        until = self._until if bar.until is None else bar.until
        self.search_asked.emit(bar.query, part.kinds, since, until)

    def _parts(self) -> list[Part]:
        return [card.part for card in self.cards.values() if card.part is not None]

    def _ask_file(self, form: str) -> None:
        dialog = QFileDialog(self, f"Export Statistics as {form.upper()}")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setFileMode(QFileDialog.FileMode.AnyFile)
        dialog.setDefaultSuffix(form)
        dialog.setNameFilter(f"{form.upper()} (*.{form})")
        dialog.selectFile(f"statistics.{form}")
        dialog.fileSelected.connect(lambda name: self.export_to(Path(name)))
        dialog.open()

    def export_to(self, path: Path) -> None:
        """Write the figures (.csv) or a picture of all plots (.png)."""
        try:
            if path.suffix.casefold() == ".png":
                if not self._body.grab().save(str(path), "PNG"):
                    raise OSError(f"{path} cannot be written")
            else:
                # With a mark, so that spreadsheets read it as UTF-8.
                path.write_text(as_csv(self._parts()), encoding="utf-8-sig", newline="")
        except OSError as error:
            self.written.say("Choose another place.", "bad", f"The file cannot be written: {error}")
            return
        self.told.setText(f"Written to {path.name}")
        self.written.say(f"Written to {path}", "good")
        self.written.offer(path_buttons(path))

    def sizeHint(self) -> QSize:
        return QSize(1290, 840)
