"""What helps to hunt, put into the window: Journey and Seen before at the record, the Statistics page in the rail.

add_hunting(window) is called before other tabs are added; equip(pane, …) serves record windows too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget
from shiboken6 import isValid

from pod_desktop.core.clock import SECOND
from pod_desktop.core.record import MAILLOG, MESSAGE, EventRow
from pod_desktop.services.seen import Seen
from pod_desktop.ui.bridge import Desk, Job, Record, Worker
from pod_desktop.ui.detail.journey import JourneyView
from pod_desktop.ui.detail.pane import DetailPane
from pod_desktop.ui.detail.seen import SeenBefore
from pod_desktop.ui.events.cellmenu import RecordCommand
from pod_desktop.ui.moments import Zone
from pod_desktop.ui.rail import HUNT, Page
from pod_desktop.ui.window import MainWindow

if TYPE_CHECKING:
    from pod_desktop.ui.statistics.page import StatisticsPage

STATISTICS: Final = "statistics"
"""Key of the page."""
JOINED: Final = (MESSAGE, MAILLOG)
"""Types of record that a journey is made of."""


class Hunting(QObject):
    """Keeps what it added to a window going."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._worker = Worker("hunt", self)
        self._watches: list[Watch] = []
        self._views: list[JourneyView] = []
        self._statistics: StatisticsPage | None = None
        window.quitRequested.connect(lambda _stop: self.give_up())
        self.journey_tab = self.equip(window.events.detail)
        window.menus.add("Record", "&Journey", lambda: window.show_tab(self.journey_tab), "Alt+4")
        window.events.on_records.offer(
            RecordCommand(words="Show Journey", run=self.show_journey, fits=lambda row: row.kind in JOINED)
        )
        window.add_page(
            Page(key=STATISTICS, group=HUNT, title="Statistics", make=self._make_statistics, place=10)
        )

    def equip(self, pane: DetailPane) -> int:
        """Add the Journey tab and Seen before to a pane; gives the tab's number."""
        self._watches.append(Watch(self, pane))
        return pane.add_view("Journey", lambda: self._make_journey(pane))

    def show_journey(self, row: EventRow) -> None:
        """What became of the record's message, in the pane beside the table."""
        self._window.show_tab(self.journey_tab)
        self._window.events.detail.show_row(row)

    def _make_journey(self, pane: DetailPane) -> JourneyView:
        view = JourneyView(self._window.desk, self._worker, self._window.zone)
        self._views.append(view)
        view.opened.connect(pane.show_row)
        self._window.theme.changed.connect(view.restyle)
        return view

    def give_up(self) -> None:
        """The window closes: stop counting."""
        for watch in self._watches:
            watch.give_up()
        for view in self._views:
            if isValid(view):
                view.give_up()
        page = self._statistics
        if page is not None and isValid(page):
            page.cancel()

    def desk(self) -> Desk:
        return self._window.desk

    def worker(self) -> Worker:
        return self._worker

    def zone(self) -> Zone:
        return self._window.zone

    def search(self, query: str, kinds: tuple[str, ...], since: int | None, until: int | None) -> None:
        """Show these records in Events."""
        events = self._window.events

        def ask() -> None:
            events.toolbar.choose_kinds(kinds)
            events.range.put(None, since, until)
            events.query.set_text(query)

        self._window.on_events(ask)

    def _events_range(self) -> tuple[int | None, int | None, int | None]:
        chosen = self._window.events.range
        return chosen.span, chosen.since, chosen.until

    def _make_statistics(self) -> QWidget:
        # Late: it loads the plotting library, which the first paint does not need.
        from pod_desktop.ui.statistics.page import StatisticsPage

        page = self._statistics = StatisticsPage(
            self._window.desk, self._window.zone, self._window.preferences, self._events_range
        )
        self._window.reloaded.connect(page.reload)
        page.search_asked.connect(self.search)
        self._window.theme.changed.connect(page.restyle)
        return page


class Watch(QObject):
    """Counts what was seen before for each record that a pane shows, and never delays the record."""

    def __init__(self, hunting: Hunting, pane: DetailPane) -> None:
        super().__init__(pane)
        self._hunting = hunting
        self._pane = pane
        self._job = Job()
        self._key = f"seen {id(self)}"
        pane.came.connect(self._came)

    def give_up(self) -> None:
        """Nobody waits for it any more."""
        self._job.cancel()

    def _came(self, record: Record) -> None:
        self._job.cancel()
        job = self._job = Job()
        self._pane.summary.show_below(None)
        row, desk = record.row, self._hunting.desk()
        self._hunting.worker().ask(
            lambda: desk.seen(row, job), lambda found: self._show(row, found), owner=self, key=self._key
        )

    def _show(self, row: EventRow, found: object) -> None:
        seen = cast("tuple[Seen, ...]", found)
        if seen and self._pane.row is not None and self._pane.row.seq == row.seq:
            self._pane.summary.show_below(lambda: self._made(seen))

    def _made(self, seen: tuple[Seen, ...]) -> SeenBefore:
        made = SeenBefore(seen)
        made.asked.connect(self._search)
        return made

    def _search(self, one: Seen) -> None:
        # The bar shows whole seconds; the record itself is to be among what is found.
        until = -(-one.until // SECOND) * SECOND
        self._hunting.search(one.query, (one.kind,), one.since, until)


def add_hunting(window: MainWindow) -> Hunting:
    """Put it all into a window."""
    return Hunting(window)
