"""Actions in a window: the Actions tab, the history and the lists, the commands, and the badge in the rail.

Loaded after the first paint: it brings the HTTP library along.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from pod_desktop import query, responders
from pod_desktop.core.action import ADD
from pod_desktop.core.clock import Clock
from pod_desktop.core.record import EventRow
from pod_desktop.core.responder import RespondConnector
from pod_desktop.ui.actions.calls import Calls
from pod_desktop.ui.actions.commands import HISTORY
from pod_desktop.ui.actions.desk import ActionsDesk, Selected
from pod_desktop.ui.actions.realdesk import HomePort, RealDesk
from pod_desktop.ui.actions.tab import ActionsTab
from pod_desktop.ui.history.page import HistoryPage
from pod_desktop.ui.lists.bulk import BulkDialog
from pod_desktop.ui.lists.page import TITLES, ListsPage
from pod_desktop.ui.window import MainWindow

_MOST_SHOWN: Final = 999
"""In the badge: more digits would cover the title."""


class ActionsWiring(QObject):
    """The one who opens what has to do with actions."""

    createResponder = Signal()

    def __init__(
        self,
        window: MainWindow,
        desk: ActionsDesk,
        clock: Clock,
        tab_number: int,
        close: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """
        Args:
            tab_number: of the Actions tab in the record pane.
            close: ends the desk; awaited on the actions' loop.
        """
        super().__init__(window)
        self._window = window
        self._desk = desk
        self._clock = clock
        self._tab_number = tab_number
        self._close = close
        self.calls = Calls(self)
        self._history: HistoryPage | None = None
        self._lists: ListsPage | None = None
        self._troubled = self._held = self._interrupted = 0

    @classmethod
    def of(cls, window: MainWindow, home: HomePort, tab_number: int) -> ActionsWiring:
        """Over the program's own rooms."""
        desk = RealDesk(home)
        return cls(window, desk, home.clock, tab_number, desk.close)

    def stop(self) -> bool:
        """End what runs: what was being sent is checked at the next start."""
        if self._history is not None:
            self._history.stop()
        return self.calls.stop(self._close)

    # what the window shows

    def make_tab(self) -> ActionsTab:
        """The Actions tab of the record pane."""
        tab = ActionsTab(self._desk, self.calls, self._clock, self._window.zone)
        tab.createResponder.connect(self.createResponder)
        tab.historyAsked.connect(self.show_action)
        tab.ended.connect(lambda _action: self._reread())
        return tab

    def history(self) -> HistoryPage:
        """The Action History page."""
        if self._history is None:
            made = self._history = HistoryPage(self._desk, self.calls, self._clock, self._window.zone)
            made.openRecord.connect(self.open_record)
            made.troubled.connect(self._badge)
            made.done.connect(self._reread)
            made.interrupted.counted.connect(self._count_interrupted)
            made.remember(self._window.preferences)
            self._window.reloaded.connect(made.recall)
        return self._history

    def lists(self) -> ListsPage:
        """The Lists page."""
        if self._lists is None:
            made = self._lists = ListsPage(self._desk, self.calls, self._clock, self._window.zone)
            made.createResponder.connect(self.createResponder)
            made.historyAsked.connect(self.show_action)
            made.table.remember(self._window.preferences, "lists/columns")
            self._window.reloaded.connect(made.table.recall)
        return self._lists

    def responders_changed(self) -> None:
        """A responder was created, changed or switched: ask again who may act."""
        if self._lists is not None:
            self._lists.refresh()
        if self._window.events.detail.has_view(self._tab_number):
            self._tab().refresh()

    def _reread(self) -> None:
        if self._history is not None:
            self._history.refresh()
        if self._lists is not None:
            self._lists.outdate()

    def show_held(self, view: QWidget, count: int) -> None:
        """What playbooks hold for a person, and how many, in the history."""
        self._held = count
        self.history().show_held(view, count)
        self._badge(self._troubled)

    def _count_interrupted(self, count: int) -> None:
        self._interrupted = count
        self._badge(self._troubled)

    def _badge(self, troubled: int) -> None:
        self._troubled = troubled
        if (button := self._window.rail.button(HISTORY)) is not None:
            count = troubled + self._held + self._interrupted
            parts = [f"{troubled:,} failed or unknown"] if troubled else []
            parts += [f"{self._held:,} held for approval"] if self._held else []
            parts += [f"{self._interrupted:,} interrupted"] if self._interrupted else []
            words = "" if not count else f"{count}" if count <= _MOST_SHOWN else f"{_MOST_SHOWN}+"
            button.badge(words, alarm=True, meaning=", ".join(parts))

    # going somewhere

    def show_action(self, action_id: str) -> None:
        """An action in the history."""
        self._window.go(HISTORY)
        self.history().show_action(action_id)

    def open_record(self, record_id: str) -> None:
        """A record in Events."""
        events = self._window.events
        self._window.on_events(lambda: events.query.set_text(query.term("id", record_id)))

    def act(self, which: str) -> None:
        """Block or safelist the sender of the selected record, or the senders of several."""
        events = self._window.events
        rows = events.table.chosen_rows()
        if events.table.chosen_count() > 1 and len(rows) > 1:
            self._act_on_many(which, rows)
            return
        if events.table.current() is None:
            return
        self._window.show_tab(self._tab_number)
        events.open_detail()
        events.detail.show_tab(self._tab_number)
        self._tab().act(which)

    def _tab(self) -> ActionsTab:
        view = self._window.events.detail.view(self._tab_number)
        assert isinstance(view, ActionsTab)
        return view

    def _act_on_many(self, which: str, rows: Sequence[EventRow]) -> None:
        kind = responders.Responder(action=ADD, list=which).type

        def chosen(found: Sequence[RespondConnector]) -> None:
            fitting = [
                one for one in found if one.type == kind and all(one.may_act_on(row.tenant) for row in rows)
            ]
            if fitting:
                self.open_bulk(fitting[0], rows)
            else:
                self._tell(
                    f"No responder adds to the {TITLES[which]} for the tenants of these records. "
                    "Create one for All Tenants, or select records of one tenant."
                )

        self.calls.ask(
            self._desk.responders, chosen, lambda error: self._tell(str(error)), owner=self, key="act on many"
        )

    def open_bulk(self, connector: RespondConnector, rows: Sequence[EventRow]) -> BulkDialog:
        """One request for each distinct value of these records."""
        dialog = BulkDialog(
            self._desk,
            self.calls,
            self._clock,
            self._window.zone,
            connector,
            Selected(rows=tuple(rows)),
            parent=self._window,
        )
        dialog.changed.connect(self._reread)
        dialog.open()
        return dialog

    def _tell(self, words: str) -> None:
        self._window.start_activity("Actions").finish(words, failed=True)
