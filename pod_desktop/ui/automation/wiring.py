"""Automation in a window: keeps looking how the playbooks are, and makes the page and the list of what is held."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QWidget

from pod_desktop import query
from pod_desktop.core.clock import SECOND, Clock
from pod_desktop.core.playbook import ON, Playbook
from pod_desktop.core.record import MAILLOG, MESSAGE, EventRow
from pod_desktop.core.text import plural
from pod_desktop.store import FiringRow
from pod_desktop.ui.automation import draft, wording
from pod_desktop.ui.automation.commands import AUTOMATION
from pod_desktop.ui.automation.desk import AutomationDesk, Seen
from pod_desktop.ui.automation.held import HeldView
from pod_desktop.ui.automation.notifying import Notifier
from pod_desktop.ui.automation.page import AutomationPage
from pod_desktop.ui.automation.realdesk import HomePort, StoreAutomation
from pod_desktop.ui.automation.whencard import Query
from pod_desktop.ui.bridge import Worker
from pod_desktop.ui.events.completion import without_notes
from pod_desktop.ui.moments import Zone
from pod_desktop.ui.window import MainWindow

if TYPE_CHECKING:
    from pod_desktop.services.backtest import Fired

TICK_MS: Final = 400
TIMES_MS: Final = 10_000
"""`12 s ago` is written anew so often."""


class AutomationWiring(QObject):
    """The one who owns what has to do with playbooks."""

    badged = Signal(str, bool, str)
    """Of the rail's button: words, alarm, meaning."""
    heldChanged = Signal(int)
    """How many actions wait for a person."""
    stoppedChanged = Signal(str)
    """Why nothing acts; '' while nothing stops all playbooks."""
    searchAsked = Signal(str, object, object)
    """Show records: (query, since, until); microseconds UTC or None."""
    notified = Signal(object)
    """FiringRows of what playbooks tell, oldest first; nothing from before the first look."""
    noticed = Signal(str)
    """Something to tell in words, wherever the person is."""

    def __init__(
        self,
        parent: QWidget,
        *,
        desk: AutomationDesk,
        clock: Clock,
        zone: Zone,
        make_query: Callable[[], Query],
    ) -> None:
        super().__init__(parent)
        self._window = parent
        self._desk = desk
        self._clock = clock
        self._zone = zone
        self._make_query = make_query
        self._page: AutomationPage | None = None
        self._held: HeldView | None = None
        self._close: Callable[[], None] = lambda: None
        self._mark: object = None
        self._told: int | None = None
        self.seen = Seen()
        self._worker = Worker("automation", parent)
        self._helping = Worker("automation help", parent)
        self._trying = Worker("backtest", parent)
        self._tick = QTimer(self, interval=TICK_MS)
        self._tick.timeout.connect(self.look)
        self._times = QTimer(self, interval=TIMES_MS)
        self._times.timeout.connect(self.restyle)

    @classmethod
    def of(cls, window: MainWindow, home: HomePort) -> AutomationWiring:
        """Over the program's own rooms."""
        desk, preferences = StoreAutomation(home), window.preferences
        made = cls(
            window,
            desk=desk,
            clock=home.clock,
            zone=window.zone,
            make_query=lambda: Query(
                window.desk.check, lambda: preferences.queries, without_notes(window.desk.complete)
            ),
        )
        made._close = desk.close
        made.badged.connect(lambda *badge: _show_badge(window, *badge))
        made.noticed.connect(lambda words: window.start_activity("Automation").finish(words, failed=True))
        made.notified.connect(Notifier(window, window.zone, made.claim_told).show_rows)
        made.searchAsked.connect(lambda *asked: _search(window, *asked))
        window.theme.changed.connect(made.restyle)
        # Told before the zone is another one.
        window.preferenceChosen.connect(lambda *_chosen: QTimer.singleShot(0, made, made.restyle))
        return made

    def start(self) -> None:
        """Begin to look; the first look opens the playbooks' file."""
        self._tick.start()
        self._times.start()
        self.look()

    def stop(self) -> None:
        """The window closes: nothing more is wanted."""
        self._tick.stop()
        self._times.stop()
        if self._page is not None:
            self._page.editor.end()
        for worker in (self._worker, self._helping, self._trying):
            worker.stop()
        self._close()

    # looking

    def look(self) -> None:
        """See how all is; the answer comes by itself."""
        mark = self._mark
        self._worker.ask(lambda: self._desk.see(mark), self._saw, self._blind, owner=self, key="see")

    def _look_anew(self) -> None:
        self._mark = None
        self.look()

    def _saw(self, found: tuple[object, Seen] | None) -> None:
        if found is None:
            return
        self._mark, seen = found
        before, self.seen = self.seen, seen
        if self._page is not None:
            self._page.show_seen(seen)
        if self._held is not None:
            self._held.show_held(seen.held)
        self._badge(seen)
        self._pass_on(seen.notified)
        self.heldChanged.emit(len(seen.held))
        if seen.stopped != before.stopped:
            self.stoppedChanged.emit(seen.stopped)

    def _pass_on(self, rows: Sequence[FiringRow]) -> None:
        told, newest = self._told, max((row.id for row in rows), default=0)
        self._told = max(told or 0, newest)
        if told is not None and (fresh := [row for row in reversed(rows) if row.id > told]):
            self.notified.emit(fresh)

    def claim_told(self, newest: int, then: Callable[[int], None]) -> None:
        """Notifications up to this id are told on the desktop from here; `then` hears above which id."""
        self._worker.ask(lambda: self._desk.claim_told(newest), then, self._blind, owner=self)

    def _blind(self, error: BaseException) -> None:
        self._mark = None
        if self._page is not None:
            what, hint = wording.fault_words(error)
            self._page.say(hint, "bad", what)

    def _badge(self, seen: Seen) -> None:
        on = sum(entry.state == ON for entry in seen.entries)
        troubled = sum(bool(entry.tripped or entry.problem) for entry in seen.entries)
        if seen.stopped and on:
            self.badged.emit("off", True, "All playbooks are stopped")
        elif troubled:
            self.badged.emit(
                str(troubled), True, f"{plural(troubled, 'playbook')} need{'s' * (troubled == 1)} attention"
            )
        else:
            self.badged.emit(str(on) if on else "", False, f"{plural(on, 'playbook')} on" if on else "")

    # what is shown

    def make_page(self) -> AutomationPage:
        """The Automation page."""
        if self._page is None:
            page = self._page = AutomationPage(
                self._desk,
                self._worker,
                self._helping,
                self._trying,
                self._make_query(),
                self._clock,
                self._zone,
            )
            page.changed.connect(self._look_anew)
            page.stopAsked.connect(self.stop_all)
            page.goAsked.connect(self.let_go)
            page.recordsAsked.connect(self.show_fired)
            page.rowAsked.connect(self.show_row)
            page.show_seen(self.seen)
            self._look_anew()
        return self._page

    def held_view(self) -> HeldView:
        """What waits for a person, for the Action History (HistoryPage.show_held) or the Automation page."""
        if self._held is None:
            view = self._held = HeldView(self._desk, self._worker, self._clock, self._zone)
            view.decided.connect(lambda _row: self._look_anew())
            view.recordsAsked.connect(self.show_row)
            view.show_held(self.seen.held)
        return self._held

    def restyle(self) -> None:
        """Times or colours are others from now on."""
        for part in (self._page, self._held):
            if part is not None:
                part.restyle()

    # creating

    def create_from_query(self, text: str, kinds: tuple[str, ...] = ()) -> None:
        """Open the editor on a query."""
        self.make_page().creating.of_query(text, kinds)

    def create_from_record(self, row: EventRow) -> None:
        """Open the editor on a query that finds records like this one."""
        group_by = "sender" if row.kind in (MESSAGE, MAILLOG) else None
        self.make_page().creating.of_query(draft.from_record(row), (row.kind,), group_by, row.tenant)

    # the kill switch

    def stop_all(self) -> None:
        """Stop all playbooks: from whatever page, at once."""
        if self._page is not None:
            self._page.show_stopped("Stopping them.")

        def failed(error: BaseException) -> None:
            what, hint = wording.fault_words(error)
            self.noticed.emit(f"{what} {hint} Make the file {self._desk.stop_file} to stop them.")
            self._look_anew()

        self._worker.ask(self._desk.stop, lambda _done: self._look_anew(), failed, owner=self, urgency=0)

    def let_go(self) -> None:
        """Let them act again; takes the kill file away too."""

        def failed(error: BaseException) -> None:
            what, hint = wording.fault_words(error)
            self.noticed.emit(f"{what} {hint}")
            self._look_anew()

        self._worker.ask(self._desk.go, lambda _done: self._look_anew(), failed, owner=self, urgency=0)

    # the records behind

    def show_fired(self, playbook: Playbook, fired: Fired) -> None:
        """The records behind a firing of a backtest."""
        self._search(fired.records, fired.time, playbook.within, playbook, fired.key)

    def show_row(self, row: FiringRow) -> None:
        """The records behind an action of a playbook."""
        entry = next((one for one in self.seen.entries if one.id == row.playbook_id), None)
        playbook = entry.playbook if entry is not None else None
        self._search(row.records, row.time, playbook.within if playbook else 0, playbook, row.key)

    def _search(
        self, records: tuple[str, ...], time: int, within: int, playbook: Playbook | None, key: str
    ) -> None:
        if len(records) <= draft.RECORDS_NAMED or playbook is None:
            self.searchAsked.emit(draft.records_query(records), None, None)
            return
        text = f"({playbook.query})" if playbook.query.strip() else ""
        if playbook.group_by and key:
            term = query.term(playbook.group_by, key)
            text = f"{text} AND {term}" if text else term
        self.searchAsked.emit(text, time - within, time + SECOND)


def _show_badge(window: MainWindow, words: str, alarm: bool, meaning: str) -> None:
    if (button := window.rail.button(AUTOMATION)) is not None:
        button.badge(words, alarm=alarm, meaning=meaning)


def _search(window: MainWindow, text: str, since: int | None, until: int | None) -> None:
    events = window.events

    def ask() -> None:
        events.toolbar.choose_kinds(())
        events.range.put(None, since, until)
        events.query.set_text(text)

    window.on_events(ask)
