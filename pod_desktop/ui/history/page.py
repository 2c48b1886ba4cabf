"""The Action History page: what was done to the lists, by whom, and how it ended."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from PySide6.QtCore import QPoint, QSize, Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QFileDialog,
    QMenu,
    QSplitter,
    QStackedWidget,
    QTabBar,
    QVBoxLayout,
    QWidget,
)

from pod_desktop.core import blocks
from pod_desktop.core.action import SUCCEEDED, Action
from pod_desktop.core.clock import Clock
from pod_desktop.core.faults import Fault
from pod_desktop.ui.actions import wording
from pod_desktop.ui.actions.calls import Calls
from pod_desktop.ui.actions.confirm import TypeAgain
from pod_desktop.ui.actions.desk import ActionsDesk
from pod_desktop.ui.actions.tables import RowsModel, RowsTable
from pod_desktop.ui.history.detail import ActionDetail
from pod_desktop.ui.history.filters import Filters
from pod_desktop.ui.history.rows import COLUMNS, cells
from pod_desktop.ui.history.writing import ask_where, tell_written, write_history
from pod_desktop.ui.lists.interrupted import InterruptedRuns
from pod_desktop.ui.moments import Zone
from pod_desktop.ui.preferences import Preferences
from pod_desktop.ui.text import copy
from pod_desktop.ui.widgets import EmptyState, MenuButton, Notice, PageHeader

TICK_MS: Final = 500
_SPLIT: Final = "history/split"


class HistoryPage(QWidget):
    """Webhook actions, and beside them what is held for a person where there are playbooks."""

    openRecord = Signal(str)
    """A record's id."""
    done = Signal()
    """An action was undone, repeated or checked."""
    troubled = Signal(int)
    """How many actions failed or are unknown, and need a person."""

    def __init__(
        self, desk: ActionsDesk, calls: Calls, clock: Clock, zone: Zone, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._desk = desk
        self._calls = calls
        self._clock = clock
        self._zone = zone
        self._actions: list[Action] = []
        self._seen = -1
        self._loaded = False
        self._asking = False
        self._wanted = ""
        self._held: QWidget | None = None
        self._preferences: Preferences | None = None
        self._build()
        self._tick = QTimer(self, interval=TICK_MS)
        self._tick.timeout.connect(self.refresh)
        self._tick.start()
        self.refresh()

    def _build(self) -> None:
        self.segments = QTabBar()
        self.segments.setDrawBase(False)
        self.segments.setExpanding(False)
        self.segments.setAccessibleName("Action History")
        self.segments.addTab("Webhook Actions")
        self.segments.currentChanged.connect(self._segment_chosen)
        self.filters = Filters(self._clock, lambda: self._actions, self)
        self.filters.changed.connect(self._show)
        export = QMenu(self)
        export.addAction("As CSV …", lambda: self.ask_export("csv"))
        export.addAction("As NDJSON …", lambda: self.ask_export("ndjson"))
        self.export_button = MenuButton("Export", export)
        header = PageHeader("Action History", *self.filters.controls, self.export_button)
        header.row.insertWidget(1, self.segments, 0, Qt.AlignmentFlag.AlignVCenter)
        self.notice = Notice()
        self.interrupted = InterruptedRuns(self._desk, self._calls, self._clock, self._zone)
        self.model = RowsModel(COLUMNS, cells(self._zone, self._clock.now), lambda action: action.id, self)
        self.table = RowsTable(self.model, "Actions")
        self.detail = ActionDetail(self._clock, self._zone)
        self.table.chosen.connect(self._chosen)
        self.table.linked.connect(self._link_pressed)
        self.table.menuAsked.connect(self._menu_at)
        self.table.asked.connect(lambda _key: self.detail.setFocus())
        self.detail.asked.connect(self.do)
        self.detail.openRecord.connect(self.openRecord)
        self.detail.rescheduled.connect(self.reschedule)
        self.detail.verifyAsked.connect(self.verify)
        self.detail.actionAsked.connect(self.show_action)
        self._none = EmptyState(
            "Nothing has been done yet",
            "Every block, safelisting and removal is written here before it is sent, with who asked for it and how "
            "it ended. Begin in the Actions tab of a record.",
        )
        self._no_match = EmptyState("No action matches", "Change or clear the filters.")
        self._cover = QStackedWidget()
        for page in (self._none, self._no_match, self.table):
            self._cover.addWidget(page)
        self.splitter = QSplitter(Qt.Orientation.Vertical)
        self.splitter.setHandleWidth(1)
        self.splitter.setChildrenCollapsible(False)
        self.splitter.addWidget(self._cover)
        self.splitter.addWidget(self.detail)
        self.splitter.setStretchFactor(0, 3)
        self.splitter.setStretchFactor(1, 2)
        self._stack = QStackedWidget()
        self._stack.addWidget(self.splitter)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(header)
        told = QVBoxLayout()
        told.setContentsMargins(12, 8, 12, 4)
        told.setSpacing(6)
        told.addWidget(self.notice)
        told.addWidget(self.interrupted)
        column.addLayout(told)
        column.addWidget(self._stack, 1)
        self.detail.hide()

    # what is held for a person

    def show_held(self, view: QWidget, count: int) -> None:
        """Give the Held segment its page (of the automation), and how many wait there.

        Without a call there is no such segment.
        """
        if self._held is not view:
            if self._held is None:
                self.segments.addTab("")
            else:
                self._stack.removeWidget(self._held)
            self._held = view
            self._stack.addWidget(view)
        # Short: the filters stand beside it.
        self.segments.setTabText(1, f"Held ({count:,})" if count else "Held")
        self.segments.setTabToolTip(1, "Held for approval")

    def _segment_chosen(self, segment: int) -> None:
        self._stack.setCurrentWidget(self.splitter if segment == 0 or self._held is None else self._held)
        for control in (*self.filters.controls, self.export_button):
            control.setVisible(segment == 0)

    # reading

    def refresh(self) -> None:
        """Read the history again if it has changed; the answer comes by itself."""
        if not self._asking:
            self._asking = True
            self._calls.ask(self._desk.version, self._versioned, self._failed, owner=self)

    def _versioned(self, version: int) -> None:
        if version == self._seen:
            self._asking = False
            return
        self._seen = version
        self._calls.ask(self._desk.actions, self._came, self._failed, owner=self)

    def _came(self, actions: Sequence[Action]) -> None:
        self._asking = False
        self._actions, self._loaded = list(actions), True
        self.notice.say("")
        self._show()
        self.interrupted.refresh()
        self.troubled.emit(sum(map(wording.needs_person, self._latest())))
        if action := self.table.current():
            self._read_detail(action.id)

    def _latest(self) -> list[Action]:
        """Of each entry and list the last action only: a failure that was repeated with success needs nobody."""
        found: dict[tuple[str, ...], Action] = {}
        for action in self._actions:
            found.setdefault(action.key, action)
        return list(found.values())

    def _failed(self, error: BaseException) -> None:
        self._asking = False
        self._seen = -1
        what, hint = (error.what, error.hint) if isinstance(error, Fault) else (str(error), "")
        self.notice.say(hint, blocks.BAD, what)

    def shown(self) -> list[Action]:
        """The actions that the filters take, newest first."""
        wanted = self.filters.wanted()
        return [action for action in self._actions if wanted.takes(action)]

    def _show(self) -> None:
        shown = self.shown()
        self.table.show_rows(shown)
        if self._wanted and self.table.choose(self._wanted):
            self._wanted = ""
        empty = self._no_match if self._actions else self._none
        if self._loaded or shown:
            self._cover.setCurrentWidget(self.table if shown else empty)
        self.detail.setVisible(bool(self._actions))
        self._chosen()

    def show_action(self, action_id: str) -> None:
        """Go to an action, whatever the filters say."""
        self._wanted = action_id
        self.segments.setCurrentIndex(0)
        if not self.table.choose(action_id):
            self.filters.clear()
            self._seen = -1
            self.refresh()
        else:
            self._wanted = ""

    # one action

    def _chosen(self) -> None:
        action = self.table.current()
        before = self.detail._action
        self.detail.show_action(action)
        if action is not None and (before is None or before.id != action.id):
            self._read_detail(action.id)

    def _read_detail(self, action_id: str) -> None:
        self._calls.ask(
            lambda: self._desk.detail(action_id),
            self.detail.show_detail,
            lambda error: self.detail.fail(str(error)),
            owner=self,
            key="detail",
        )

    def _link_pressed(self, action: Action) -> None:
        self.table.choose(action.id)
        following = wording.what_next(action)
        if following == "Review" and self._held is not None:
            self.segments.setCurrentIndex(1)
        elif following:
            self.do(following, action.id)

    def do(self, what: str, action_id: str) -> None:
        """Undo, Check or Retry an action."""
        if what == "Retry":
            self._calls.ask(
                lambda: self._desk.retry_needs(action_id),
                lambda reasons: self._retry(action_id, reasons),
                self._not_done,
                owner=self,
            )
            return
        asked = {"Undo": self._desk.undo, "Check": self._desk.check}[what]
        self._calls.ask(lambda: asked(action_id), self._done, self._not_done, owner=self)

    def _retry(self, action_id: str, reasons: str) -> None:
        def go(confirmed: str) -> None:
            self._calls.ask(
                lambda: self._desk.retry(action_id, confirmed=confirmed),
                self._done,
                self._not_done,
                owner=self,
            )

        action = next((one for one in self._actions if one.id == action_id), None)
        if not reasons or action is None:
            go("")
            return
        dialog = TypeAgain("Retry this action", reasons, action.entry.value, "Retry", self.window())
        dialog.confirmed.connect(go)
        dialog.rejected.connect(lambda: self.detail.show_action(action))
        dialog.open()

    def reschedule(self, action_id: str, expires: int) -> None:
        """Remove the entry at another time; 0: never."""
        self._calls.ask(
            lambda: self._desk.reschedule(action_id, expires), self._done, self._not_done, owner=self
        )

    def _done(self, action: Action) -> None:
        self._wanted = action.id
        self.refresh()
        self.done.emit()

    def _not_done(self, error: BaseException) -> None:
        words = f"{error.what} {error.hint}".strip() if isinstance(error, Fault) else str(error)
        self.detail.fail(words)

    def verify(self) -> None:
        """Look whether any step of the history was changed."""
        self.detail.say_verified(None)

        def told(problem: str) -> None:
            self.detail.say_verified(problem)
            if problem:
                self.notice.say(problem, blocks.BAD, "The history was changed from outside")

        self._calls.ask(
            self._desk.verify,
            told,
            lambda error: self.detail.say_verified(str(error)),
            owner=self,
            key="verify",
        )

    def menu(self) -> QMenu | None:
        """What can be done with the current action."""
        action = self.table.current()
        if action is None:
            return None
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        if following := wording.what_next(action):
            menu.addAction(following, lambda: self._link_pressed(action))
            menu.addSeparator()
        if action.record_id:
            menu.addAction("Open Record", lambda: self.openRecord.emit(action.record_id))
        menu.addAction("Copy Value", lambda: copy(action.entry.value))
        menu.addAction("Copy Action Id", lambda: copy(action.id))
        if action.undone_by or action.undoes:
            menu.addAction(
                "Show the Other Action", lambda: self.show_action(action.undone_by or action.undoes)
            )
        if action.status == SUCCEEDED and action.expires:
            menu.addSeparator()
            menu.addAction("Never Remove", lambda: self.reschedule(action.id, 0))
        return menu

    def _menu_at(self, place: QPoint) -> None:
        if menu := self.menu():
            menu.popup(place)

    # export

    def ask_export(self, form: str) -> QFileDialog:
        """Ask where to write what is shown."""
        return ask_where(
            self, f"Export the Action History as {form.upper()}", "action-history", form, self.export_to
        )

    def export_to(self, path: Path, form: str) -> None:
        """Write the actions that are shown."""
        shown = self.shown()
        self._calls.ask(
            lambda: write_history(path, shown, form),
            lambda _done: tell_written(self.notice, f"{len(shown):,} actions", path),
            lambda error: self.notice.say(str(error), blocks.BAD, "Nothing complete was written"),
            owner=self,
        )

    # frame

    def remember(self, preferences: Preferences) -> None:
        """Keep column widths and the split from day to day."""
        self._preferences = preferences
        self.table.remember(preferences, "history/columns")
        self.splitter.splitterMoved.connect(
            lambda _at, _handle: preferences.keep(_SPLIT, self.splitter.saveState())
        )
        self.recall()

    def recall(self) -> None:
        """Widths and split as the profile in use has them."""
        self.table.recall()
        if self._preferences is not None and not (kept := self._preferences.state(_SPLIT)).isEmpty():
            self.splitter.restoreState(kept)

    def stop(self) -> None:
        """Ask no more."""
        self._tick.stop()

    def focus_first(self) -> None:
        """Go to the table, or to the search where there is none."""
        (self.table if self.table.isVisible() else self.filters.search).setFocus()

    def restyle(self) -> None:
        """Times or colours are others from now on."""
        self.table.viewport().update()
        self.detail.restyle()

    def sizeHint(self) -> QSize:
        return QSize(1290, 840)
