"""Log filters in a window: listed, edited condition by condition, tried on stored records, attached."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QListWidget, QScrollArea, QVBoxLayout, QWidget

from pod_desktop.core import blocks, limits
from pod_desktop.core.clock import DAY, Clock
from pod_desktop.core.faults import Fault, Unwanted, UserFault
from pod_desktop.core.logfilter import LogFilter
from pod_desktop.core.text import plural
from pod_desktop.services.filters import Attached, LogFilters, Preview, tree_of
from pod_desktop.ui.automation.dialogs import TitledDialog
from pod_desktop.ui.bridge import Job, Span, Worker
from pod_desktop.ui.connectors.advanced import FilterList
from pod_desktop.ui.connectors.confirm import Confirm
from pod_desktop.ui.events.completion import Complete
from pod_desktop.ui.events.querybar import QueryBar
from pod_desktop.ui.moments import Zone
from pod_desktop.ui.text import PlainLabel, cell
from pod_desktop.ui.widgets import Button, Field, Notice

PREVIEW_DAYS: Final = 7
_EXAMPLES: Final = 5
_SAID: Final = "A filter drops what fulfils all of its conditions, before it is stored. It does nothing until it is attached."


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterDesk:
    """What the dialog asks."""

    filters: LogFilters
    collectors: Callable[[], Sequence[str]]
    """Names of connectors that a filter may be attached to."""
    preview: Callable[[LogFilter, int, Callable[[], bool]], Preview]
    """(filter, since in microseconds UTC, still wanted?) -> what it would have dropped; on the worker's thread."""
    check: Callable[[str], Sequence[Span]]
    """Of the query bar."""
    complete: Complete | None
    clock: Clock
    zone: Zone


class Condition(QWidget):
    """A query bar with its fault below, and a way to take it away."""

    changed = Signal()
    removed = Signal()

    def __init__(self, desk: FilterDesk, number: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._desk = desk
        self.bar = _Bar(self._check, desk.complete)
        self.remove_button = Button("Remove", "link", self.removed.emit)
        self._below = PlainLabel("", "fault", wrap=True)
        self._below.hide()
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.bar, 1)
        row.addWidget(self.remove_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(3)
        column.addLayout(row)
        column.addWidget(self._below)
        self.bar.said.connect(self._say)
        self._typed = ""
        self.bar.line.textChanged.connect(self._retyped)
        self.count(number)

    def count(self, number: int) -> None:
        """Its place among the conditions, from 1."""
        self.bar.line.setAccessibleName(f"Condition {number}")
        self.remove_button.setAccessibleName(f"Remove condition {number}")

    @property
    def text(self) -> str:
        return self.bar.text.strip()

    @property
    def words(self) -> str:
        """The fault that is shown."""
        return self._below.text().replace("\u200b", "")

    def show_text(self, text: str) -> None:
        self.bar.line.setPlainText(text.replace("\n", " "))

    def fault(self, fault: UserFault) -> None:
        """Show a fault that was found elsewhere."""
        self.bar.refuse(fault)

    def _check(self, text: str) -> Sequence[Span]:
        if not text.strip():
            return ()
        spans = self._desk.check(text)
        try:
            tree_of(LogFilter(name="-", conditions=(text,)), self._desk.clock.now())
        except UserFault as fault:
            raise UserFault(fault.what, "", fault.hint) from None
        return spans

    def _say(self, words: str) -> None:
        self._below.setText(words)
        self._below.setVisible(bool(words))

    def _retyped(self) -> None:
        """The line tells of new colours too; a preview of the same words stays."""
        if self.text != self._typed:
            self._typed = self.text
            self.changed.emit()


class _Bar(QueryBar):
    """The query bar of Events; its fault stands below it, not over what comes next."""

    said = Signal(str)

    def __init__(self, check: Callable[[str], Sequence[Span]], complete: Complete | None) -> None:
        super().__init__(check, lambda: [], complete)
        self.line.setPlaceholderText("For example folder:Newsletters AND size:<20000")

    def _judge(self) -> None:
        super()._judge()
        if self.valid:
            self.said.emit("")

    def _show_fault(self, fault: UserFault) -> None:
        super()._show_fault(fault)
        self.popup.hide()
        self.said.emit(f"{fault.what} {fault.hint}".strip())


class LogFiltersDialog(TitledDialog):
    """The filters at the left, the chosen one at the right. Open it with open()."""

    changed = Signal()
    """A filter was made, changed, attached, detached or deleted."""

    def __init__(self, desk: FilterDesk, worker: Worker, parent: QWidget | None = None) -> None:
        super().__init__("Log Filters", parent)
        self._desk = desk
        self._worker = worker
        self._known: list[Attached] = []
        self._old: LogFilter | None = None
        self._job = Job()
        self.column.addWidget(PlainLabel(_SAID, "note", wrap=True))
        row = QHBoxLayout()
        row.setSpacing(16)
        row.addLayout(self._left())
        row.addWidget(self._right(), 1)
        self.column.addLayout(row, 1)
        self.save_button = Button("Save filter", "primary", self.save)
        self.close_button = Button("Close", clicked=self.reject)
        self.add_buttons(self.close_button, self.save_button)
        self.resize(860, 560)
        self.refresh()
        self.list.setCurrentRow(0)
        if not self._known:
            self.begin()

    def _left(self) -> QVBoxLayout:
        self.list = QListWidget()
        self.list.setAccessibleName("Log filters")
        self.list.setFixedWidth(230)
        self.list.setTabKeyNavigation(False)
        self.list.currentRowChanged.connect(self._choose)
        self.new_button = Button("New filter", clicked=self.begin)
        self.delete_button = Button("Delete…", clicked=self.ask_delete)
        buttons = QHBoxLayout()
        buttons.addWidget(self.new_button)
        buttons.addWidget(self.delete_button)
        buttons.addStretch(1)
        column = QVBoxLayout()
        column.addWidget(self.list, 1)
        column.addLayout(buttons)
        return column

    def _right(self) -> QScrollArea:
        self.name = QLineEdit()
        self.name.setMaxLength(4 * limits.NAME_CHARS)
        self._name = Field("Name", self.name, required=True)
        self._conditions = QVBoxLayout()
        self._conditions.setSpacing(8)
        self.conditions: list[Condition] = []
        self.add_button = Button("Add condition", "link", self._add_empty)
        self.problem = Notice("", blocks.BAD)
        self.preview_button = Button("Preview the last 7 days", clicked=self.preview)
        self.preview_words = PlainLabel("", wrap=True, selectable=True)
        self.preview_words.setAccessibleName("Preview")
        self.attached = FilterList()
        self.attached.changed.connect(self._attach)
        self._attached = Field("Attached to", self.attached)
        body = QWidget()
        body.setProperty("role", "page")
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 8, 0)
        column.setSpacing(10)
        column.addWidget(self._name)
        column.addWidget(PlainLabel("Drops a record that fulfils all of", "label"))
        column.addLayout(self._conditions)
        column.addWidget(self.add_button, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(self.problem)
        column.addWidget(self.preview_button, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(self.preview_words)
        column.addWidget(self._attached)
        column.addStretch(1)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(body)
        return area

    # which one

    def refresh(self, choose: str = "") -> None:
        """Read the filters again; `choose` is shown, by default the one that is."""
        self._known = self._desk.filters.all()
        wanted = choose or (self._old.name if self._old else "")
        with QSignalBlocker(self.list):
            self.list.clear()
            for one in self._known:
                users = len(one.connectors)
                used = "not attached" if not users else f"{users} connector" + ("s" if users > 1 else "")
                self.list.addItem(f"{cell(one.filter.name, 60)} · {used}")
            rows = [row for row, one in enumerate(self._known) if one.filter.name == wanted]
            self.list.setCurrentRow(rows[0] if rows else -1)
        self.delete_button.setEnabled(bool(rows))

    def _choose(self, row: int) -> None:
        if 0 <= row < len(self._known):
            self._show(self._known[row])

    def begin(self) -> None:
        """A new filter."""
        with QSignalBlocker(self.list):
            self.list.setCurrentRow(-1)
        self._show(None)
        self.name.setFocus()

    def _show(self, one: Attached | None) -> None:
        self._old = one.filter if one else None
        self.name.setText(one.filter.name if one else "")
        self.name.setReadOnly(one is not None)
        self._name.say("A filter keeps its name." if one else "For example newsletters.")
        self._name.fault("")
        while self.conditions:
            self._drop(self.conditions[-1])
        for text in one.filter.conditions if one else ("",):
            self._add(text)
        self.delete_button.setEnabled(one is not None)
        self._say("")
        self._show_attached(one)
        self._forget_preview()

    def _show_attached(self, one: Attached | None) -> None:
        collectors = self._desk.collectors() if one else ()
        with QSignalBlocker(self.attached):
            self.attached.choose(())
            self.attached.offer(collectors)
            self.attached.choose(one.connectors if one else ())
        note = "Save the filter first." if one is None else "" if collectors else "There is no collector yet."
        self._attached.say(note)

    # its conditions

    def _add(self, text: str) -> Condition:
        made = Condition(self._desk, len(self.conditions) + 1)
        made.show_text(text)
        made.changed.connect(self._forget_preview)
        made.removed.connect(lambda: self._remove(made))
        self.conditions.append(made)
        self._conditions.addWidget(made)
        self._count()
        return made

    def _add_empty(self) -> None:
        self._add("").bar.line.setFocus()

    def _remove(self, one: Condition) -> None:
        place = self.conditions.index(one)
        self._drop(one)
        self._forget_preview()
        self.conditions[min(place, len(self.conditions) - 1)].bar.line.setFocus()

    def _drop(self, one: Condition) -> None:
        self.conditions.remove(one)
        one.bar.stop()
        self._conditions.removeWidget(one)
        one.hide()
        one.deleteLater()
        self._count()

    def _count(self) -> None:
        for number, one in enumerate(self.conditions, 1):
            one.count(number)
            one.remove_button.setEnabled(len(self.conditions) > 1)
        self.add_button.setEnabled(len(self.conditions) < limits.FILTER_CONDITIONS)

    def typed(self) -> dict[str, Any]:
        """The filter as its file would hold it."""
        return {"name": self.name.text().strip(), "conditions": [one.text for one in self.conditions]}

    def _checked(self) -> LogFilter | None:
        """The filter that is typed; None where something does not fit, which is then said beside it."""
        self._say("")
        self._name.fault("")
        for number, one in enumerate(self.conditions, 1):
            try:
                if not one.text:
                    raise UserFault(f"Condition {number} is empty.", "", "Write it, or remove it.")
                one._check(one.text)
            except UserFault as fault:
                one.fault(fault)
                one.bar.line.setFocus()
                return None
        try:
            return self._desk.filters.checked(self.typed(), replacing=self._old.name if self._old else "")
        except UserFault as fault:
            self._refuse(fault)
            return None

    def _refuse(self, fault: Fault) -> None:
        if isinstance(fault, UserFault) and fault.where == "name" and self._old is None:
            self._name.fault(fault.what, fault.hint)
            self.name.setFocus()
        else:
            self._say(fault.hint, fault.what)

    def _say(self, words: str, title: str = "") -> None:
        self.problem.say(words, blocks.BAD, title)

    # what is done

    def save(self) -> None:
        """Keep it; what it is attached to goes by it at once."""
        if self._checked() is None:
            return
        filters = self._desk.filters
        try:
            kept = filters.change(self.typed()) if self._old else filters.add(self.typed())
        except Fault as fault:
            self._refuse(fault)
            return
        self._old = kept
        self.refresh(kept.name)
        self._choose(self.list.currentRow())
        self.changed.emit()

    def ask_delete(self) -> None:
        """Ask once."""
        if (old := self._old) is None:
            return
        words = "What it would have dropped is stored from then on. It must not be attached any more."
        question = Confirm(f"Delete the log filter {old.name}?", words, "Delete", self)
        question.agreed.connect(lambda: self._delete(old.name))
        question.open()

    def _delete(self, name: str) -> None:
        try:
            self._desk.filters.remove(name)
        except Fault as fault:
            self._refuse(fault)
            return
        self._old = None
        self.refresh()
        self.changed.emit()
        if self._known:
            self.list.setCurrentRow(0)
        else:
            self.begin()

    def _attach(self) -> None:
        """Boxes say where it is attached; done at once."""
        if (old := self._old) is None:
            return
        one = next((found for found in self._known if found.filter.name == old.name), None)
        before = set(one.connectors) if one else set()
        now = set(self.attached.chosen())
        self._say("")
        try:
            for name in sorted(now - before):
                self._desk.filters.attach(old.name, name)
            for name in sorted(before - now):
                self._desk.filters.detach(old.name, name)
        except Fault as fault:
            self._refuse(fault)
        self.refresh()
        self._show_attached(next((found for found in self._known if found.filter.name == old.name), None))
        self.changed.emit()

    # the preview

    def preview(self) -> None:
        """Count what it would have dropped of the last days' stored records."""
        if (made := self._checked()) is None:
            return
        self._forget_preview()
        job = self._job = Job()
        self.preview_button.setEnabled(False)
        self.preview_words.setText("Looking through the last 7 days …")
        since = self._desk.clock.now() - PREVIEW_DAYS * DAY
        self._worker.ask(
            lambda: self._desk.preview(made, since, lambda: not job.cancelled),
            lambda found: self._previewed(job, preview_words(found, self._desk.zone)),
            lambda error: self._previewed(job, _words_of(error)),
            owner=self,
            key="preview",
        )

    def _previewed(self, job: Job, words: str) -> None:
        if job is self._job and not job.cancelled:
            self.preview_button.setEnabled(True)
            self.preview_words.setText(words)

    def _forget_preview(self) -> None:
        self._job.cancel()
        self.preview_button.setEnabled(True)
        self.preview_words.setText("")

    def done(self, result: int) -> None:
        self._job.cancel()
        for one in self.conditions:
            one.bar.stop()
        super().done(result)


def preview_words(found: Preview, zone: Zone) -> str:
    """What a preview found."""
    if not found.looked_at:
        return "Nothing is stored of the last 7 days."
    share = found.dropped / found.looked_at
    lines = [
        f"It would have dropped {found.dropped:,} of {plural(found.looked_at, 'record')} of the last 7 days ({share:.1%})."
    ]
    for row in found.examples[:_EXAMPLES]:
        lines.append(f"{zone.short(row.time)}  {cell(row.sender, 60)}  {cell(row.subject, 80)}".rstrip())
    return "\n".join(lines)


def _words_of(error: BaseException) -> str:
    if isinstance(error, Unwanted):
        return ""
    return str(error) if isinstance(error, Fault) else "That failed; the log says more."
