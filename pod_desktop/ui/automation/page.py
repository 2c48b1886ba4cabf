"""The Automation page: the list of playbooks or the editor, the kill switch, and all that is done with one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import (
    QDialog,
    QMenu,
    QStackedWidget,
    QTabBar,
    QVBoxLayout,
    QWidget,
)

from pod_desktop.core import blocks
from pod_desktop.core.clock import Clock
from pod_desktop.core.playbook import DRY_RUN, OFF, ON, Playbook, playbook_to_file
from pod_desktop.core.text import plural
from pod_desktop.store import FiringRow, PlaybookEntry, Version
from pod_desktop.ui.automation import listing, wording
from pod_desktop.ui.automation.arming import ArmDialog, RunDialog, TryFirst
from pod_desktop.ui.automation.creating import Creating
from pod_desktop.ui.automation.desk import AutomationDesk, Seen
from pod_desktop.ui.automation.dialogs import VersionsDialog
from pod_desktop.ui.automation.editor import PlaybookEditor
from pod_desktop.ui.automation.listing import PlaybookList
from pod_desktop.ui.automation.whencard import Query
from pod_desktop.ui.bridge import Worker
from pod_desktop.ui.moments import Zone
from pod_desktop.ui.text import PlainLabel, cell
from pod_desktop.ui.widgets import Button, MenuButton, Notice, PageHeader, hairline

if TYPE_CHECKING:
    from pod_desktop.services.backtest import Report
    from pod_desktop.ui.connectors.confirm import Confirm


class AutomationPage(QWidget):
    """Playbooks."""

    recordsAsked = Signal(object, object)
    """(Playbook, Fired): show the records behind a firing of a backtest."""
    rowAsked = Signal(object)
    """The FiringRow whose records are to be shown."""
    changed = Signal()
    """Something was done: look again."""
    stopAsked = Signal()
    goAsked = Signal()

    def __init__(
        self,
        desk: AutomationDesk,
        worker: Worker,
        helping: Worker,
        trying: Worker,
        query: Query,
        clock: Clock,
        zone: Zone,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._desk = desk
        self._worker = worker
        self._trying = trying
        self._clock = clock
        self._zone = zone
        self._seen = Seen()
        self._wanted = ""
        self._held: QWidget | None = None
        self.editor = PlaybookEditor(desk, worker, helping, trying, query, clock, zone)
        self.creating = Creating(desk, worker, lambda: self._names, self)
        self._build()
        self._connect()

    def _build(self) -> None:
        self._create_menu = QMenu(self)
        self._create_menu.addAction("New Playbook", self.creating.blank)
        self._create_menu.addAction("From a Template …", self.creating.of_template)
        self._create_menu.addAction("From a Sigma Rule …", self.creating.ask_sigma)
        self._create_menu.addSeparator()
        self._create_menu.addAction("Import …", self.creating.ask_import)
        self.create_button = MenuButton("Create", self._create_menu)
        self.stop_button = Button("Stop all playbooks", "danger", self.stopAsked.emit)
        self.stop_button.setToolTip("Nothing acts within a second; what fires is held.")
        self.segments = QTabBar()
        self.segments.setDrawBase(False)
        self.segments.setExpanding(False)
        self.segments.setAccessibleName("Automation")
        self.segments.addTab("Playbooks")
        self.segments.hide()
        self.segments.currentChanged.connect(self._segment_chosen)
        header = PageHeader("Automation", self.stop_button, self.create_button)
        header.row.insertWidget(1, self.segments, 0, Qt.AlignmentFlag.AlignVCenter)
        self.go_button = Button("Let them act again", "plain", self.goAsked.emit)
        self.stopped = Notice(button=self.go_button)
        self.stopped.hide()
        self.notice = Notice()
        self.list = PlaybookList(
            self._clock,
            self._zone,
            (
                Button("From a template …", "primary", self.creating.of_template),
                Button("New playbook", "plain", self.creating.blank),
                Button("Import …", "plain", self.creating.ask_import),
            ),
        )
        self.file_words = PlainLabel(
            f"To stop all playbooks without this window, create the file {self._desk.stop_file} or run "
            "“pod-desktop playbook stop”.",
            "small",
            selectable=True,
            wrap=True,
        )
        self.file_words.setContentsMargins(14, 6, 14, 6)
        self._under = QStackedWidget()
        self._under.addWidget(self.list)
        front = QWidget()
        column = QVBoxLayout(front)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        for part in (header, self.notice):
            column.addWidget(part)
        column.addWidget(self._under, 1)
        column.addWidget(hairline())
        column.addWidget(self.file_words)
        self.front = front
        self.stack = QStackedWidget()
        self.stack.addWidget(front)
        self.stack.addWidget(self.editor)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(self.stopped)
        whole.addWidget(self.stack, 1)

    def _connect(self) -> None:
        self.creating.drafted.connect(self.edit_file)
        self.creating.translated.connect(self.editor.show_unmapped)
        self.creating.arrived.connect(self._arrived)
        self.creating.failed.connect(self._failed)
        self.creating.written.connect(
            lambda playbook, path: self.say(f"{cell(playbook.name, 120)} is written to {path}")
        )
        self.list.asked.connect(self.do)
        self.list.chosen.connect(self._read_rows)
        self.list.rowAsked.connect(self.rowAsked)
        self.editor.left.connect(self._left)
        self.editor.backAsked.connect(lambda: self._unless_changed(self._left))
        self.editor.saved.connect(self._saved)
        self.editor.armAsked.connect(self.arm)
        self.editor.recordsAsked.connect(self.recordsAsked)

    # showing

    def show_seen(self, seen: Seen) -> None:
        """Show how all is now."""
        self._seen = seen
        self.list.show_seen(seen)
        if self._wanted:
            entry = next((one for one in seen.entries if one.playbook.name == self._wanted), None)
            if entry is not None and self.list.table.choose(entry.id):
                self._wanted = ""
        if (current := self.list.current()) is not None:
            self._read_rows(current)
        for entry in seen.entries:
            self.editor.show_entry(entry)
        self.show_stopped(seen.stopped, by_file=seen.by_file)

    def show_stopped(self, why: str, *, by_file: bool = False) -> None:
        """Say that nothing acts, and why; '' while nothing stops all playbooks."""
        hint = f" As long as {self._desk.stop_file} is there they stay stopped." if by_file else ""
        self.stopped.say(
            f"{why} What fires is held for approval.{hint}" if why else "",
            blocks.BAD,
            "All playbooks are stopped" if why else "",
        )
        self.stop_button.setEnabled(not why)
        self.stop_button.setText("All stopped" if why else "Stop all playbooks")
        self.go_button.setText("Remove the file and let them act" if by_file else "Let them act again")
        self.go_button.setAccessibleName(self.go_button.text())

    def show_held(self, view: QWidget, count: int) -> None:
        """Give this page the segment of what is held, where the Action History has none."""
        if self._held is None:
            self._held = view
            self.segments.addTab("")
            self._under.addWidget(view)
            self.segments.show()
        self.segments.setTabText(1, f"Held for approval ({count:,})" if count else "Held for approval")

    def _segment_chosen(self, segment: int) -> None:
        if segment == 1 and self._held is not None:
            self._under.setCurrentWidget(self._held)
        else:
            self._under.setCurrentWidget(self.list)

    def to_held(self) -> None:
        """Go to what is held, where it is here."""
        self._left()
        self.segments.setCurrentIndex(1)

    def _read_rows(self, entry: PlaybookEntry) -> None:
        def came(rows: Sequence[FiringRow]) -> None:
            current = self.list.current()
            if current is not None and current.id == entry.id:
                self.list.show_rows(rows)

        self._worker.ask(
            lambda: self._desk.rows(entry.playbook.name), came, lambda _error: None, owner=self, key="rows"
        )

    def say(self, words: str, tone: str = blocks.GOOD, title: str = "") -> None:
        """Tell something above the list."""
        self.notice.say(words, tone, title)

    def _failed(self, error: BaseException) -> None:
        what, hint = wording.fault_words(error)
        self.say(hint, blocks.BAD, what)

    # creating

    @property
    def _names(self) -> list[str]:
        return [entry.playbook.name for entry in self._seen.entries]

    def edit_file(self, data: Mapping[str, Any]) -> None:
        """Open the editor on a playbook that is not kept yet."""

        def begin() -> None:
            self.editor.begin(data, self._names)
            self._to_editor()

        self._unless_changed(begin)

    def _unless_changed(self, then: Callable[[], None]) -> Confirm | None:
        """Do it, once it is meant that changes in the editor are lost."""
        if self.stack.currentWidget() is not self.editor or not self.editor.changed:
            then()
            return None
        # Late: it brings along what tests connectors.
        from pod_desktop.ui.connectors.confirm import Confirm

        name = cell(self.editor.when.name_edit.text().strip(), 80) or "the new playbook"
        dialog = Confirm(
            f"Discard the changes to {name}?",
            "They are not saved, and cannot be brought back.",
            "Discard",
            self.window(),
        )
        dialog.agreed.connect(then)
        dialog.open()
        return dialog

    def _to_editor(self) -> None:
        self.stack.setCurrentWidget(self.editor)
        self.editor.focus_first()

    def _arrived(self, entry: PlaybookEntry, verb: str) -> None:
        self._wanted = entry.playbook.name
        self.say(
            "It is off. Look at it, put it in dry run, and arm it when its backtest is right.",
            blocks.GOOD,
            f"{verb}: {cell(entry.playbook.name, 120)}",
        )
        self.changed.emit()

    # one playbook

    def do(self, what: str, entry: PlaybookEntry) -> QDialog | None:
        """Something that the list asked for."""
        if what == listing.EDIT:
            self.edit(entry)
        elif what == listing.ARM:
            return self.arm(entry)
        elif what in (DRY_RUN, OFF):
            self._switch(entry, what)
        elif what == listing.RUN:
            return self.run_on_history(entry)
        elif what == listing.CLONE:
            self.creating.clone(entry.playbook)
        elif what == listing.EXPORT:
            return self.creating.ask_export(entry.playbook)
        elif what == listing.HISTORY:
            self._history(entry)
        elif what == listing.DELETE:
            return self._delete(entry)
        return None

    def edit(self, entry: PlaybookEntry) -> None:
        """Open the editor on it."""

        def begin() -> None:
            self.editor.begin_entry(entry, self._names)
            self._to_editor()

        self._unless_changed(begin)

    def _switch(self, entry: PlaybookEntry, state: str) -> None:
        name = entry.playbook.name
        said = {
            ON: "acts from now on, while the collector service runs",
            DRY_RUN: "only says what it would do",
            OFF: "is off",
        }[state]

        def done(kept: PlaybookEntry) -> None:
            self.editor.show_entry(kept)
            self.say(f"{cell(name, 120)} {said}.")
            self.changed.emit()

        self._worker.ask(lambda: self._desk.set_state(name, state), done, self._failed, owner=self, urgency=0)

    def arm(self, entry: PlaybookEntry) -> ArmDialog:
        """The second step: the backtest, and what will happen."""
        dialog = ArmDialog(
            entry, self._desk, self._worker, self._trying, self._clock, self._zone,
            stopped=self._seen.stopped, parent=self.window(),
        )  # fmt: skip
        dialog.armed.connect(lambda one: self._switch(one, ON))
        self._open(dialog)
        return dialog

    def _open(self, dialog: TryFirst) -> None:
        def show_records(playbook: Playbook, fired: object) -> None:
            dialog.reject()
            self.recordsAsked.emit(playbook, fired)

        dialog.recordsAsked.connect(show_records)
        dialog.open()

    def run_on_history(self, entry: PlaybookEntry) -> RunDialog:
        """What it would have done is shown, and then done."""
        dialog = RunDialog(
            entry, self._desk, self._worker, self._trying, self._clock, self._zone,
            stopped=self._seen.stopped, parent=self.window(),
        )  # fmt: skip
        dialog.runAsked.connect(self._run)
        self._open(dialog)
        return dialog

    def _run(self, entry: PlaybookEntry, report: Report) -> None:
        name = entry.playbook.name

        def done(count: int) -> None:
            self.say(
                f"{plural(count, 'action')} of {cell(name, 120)} {'is' if count == 1 else 'are'} done by the "
                "collector service; the Action History shows how each ends."
            )
            self.changed.emit()

        self._worker.ask(lambda: self._desk.run_on_history(name, report), done, self._failed, owner=self)

    def _history(self, entry: PlaybookEntry) -> None:
        def open_dialog(versions: Sequence[Version]) -> None:
            dialog = VersionsDialog(entry.playbook.name, versions, self._clock, self._zone, self.window())
            dialog.restored.connect(lambda playbook: self._restore(entry, playbook))
            dialog.open()

        self._worker.ask(
            lambda: self._desk.history(entry.playbook.name), open_dialog, self._failed, owner=self
        )

    def _restore(self, entry: PlaybookEntry, playbook: Playbook) -> None:
        self.edit(entry)
        self.editor.show_file(playbook_to_file(playbook))

    def _delete(self, entry: PlaybookEntry) -> Confirm:
        # Late: it brings along what tests connectors.
        from pod_desktop.ui.connectors.confirm import Confirm

        name = entry.playbook.name
        waiting = sum(row.playbook_id == entry.id for row in self._seen.held)
        held = f" {plural(waiting, 'action')} of it that wait for approval are dismissed." if waiting else ""
        dialog = Confirm(
            f"Delete {cell(name, 80)}?",
            f"It stops at once and its versions are forgotten.{held} What it did stays in the Action History.",
            "Delete",
            self.window(),
        )

        def done(_entry: PlaybookEntry) -> None:
            self.say(f"Deleted {cell(name, 120)}; what it did stays in the Action History.")
            self.changed.emit()

        dialog.agreed.connect(
            lambda: self._worker.ask(lambda: self._desk.remove(name), done, self._failed, owner=self)
        )
        dialog.open()
        return dialog

    # the editor's end

    def _saved(self, entry: PlaybookEntry) -> None:
        self._wanted = entry.playbook.name
        self.changed.emit()

    def _left(self) -> None:
        self.editor.end()
        self.stack.setCurrentWidget(self.front)
        self.list.focus_first()

    def focus_first(self) -> None:
        """Go to what is in front."""
        (self.editor if self.stack.currentWidget() is self.editor else self.list).focus_first()

    def restyle(self) -> None:
        """Times or colours are others from now on."""
        self.list.restyle()
        self.editor.restyle()

    def sizeHint(self) -> QSize:
        return QSize(1290, 840)
