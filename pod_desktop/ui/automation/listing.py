"""The list of playbooks, and below it the one that is chosen: what it looks for, what became of it lately."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QMenu, QSplitter, QStackedWidget, QVBoxLayout, QWidget

from pod_desktop.core import blocks
from pod_desktop.core.clock import Clock
from pod_desktop.core.playbook import DRY_RUN, OFF, ON
from pod_desktop.store import FiringRow, PlaybookEntry
from pod_desktop.ui.actions.tables import Cell, Column, RowsModel, RowsTable
from pod_desktop.ui.automation import wording
from pod_desktop.ui.automation.desk import Seen
from pod_desktop.ui.automation.pictures import SparklineDelegate, spark_bars
from pod_desktop.ui.moments import Zone, ago
from pod_desktop.ui.text import PlainLabel, cell
from pod_desktop.ui.widgets import Button, EmptyState, MenuButton, Notice

COLUMNS: Final = (
    Column("name", "Name", 170, stretch=True),
    Column("state", "State", 84),
    Column("last_run", "Last run", 96, gives_way=3),
    Column("matches", "Matches", 76),
    Column("acted", "Acted", 92),
    Column("held", "Held", 58),
    Column("muted", "Muted", 62, gives_way=2),
    Column("limited", "Limited", 66, gives_way=1),
    Column("errors", "Errors", 60),
    Column("days", "Last 7 days", 130, gives_way=4),
)
ROW_COLUMNS: Final = (
    Column("time", "Time", 116),
    Column("version", "Version", 60),
    Column("value", "Value", 200, stretch=True),
    Column("outcome", "Outcome", 110),
    Column("why", "Why", 220, stretch=True),
)
EDIT: Final = "edit"
ARM: Final = "arm"
RUN: Final = "run"
CLONE: Final = "clone"
EXPORT: Final = "export"
HISTORY: Final = "history"
DELETE: Final = "delete"


class PlaybookList(QWidget):
    """Tells what is asked for; does nothing itself."""

    asked = Signal(str, object)
    """(what, PlaybookEntry): one of EDIT … DELETE, or a state to be put into."""
    chosen = Signal(object)
    """The PlaybookEntry that is the current one by now."""
    rowAsked = Signal(object)
    """The FiringRow whose records are to be shown."""

    def __init__(
        self, clock: Clock, zone: Zone, buttons: Sequence[QWidget], parent: QWidget | None = None
    ) -> None:
        """`buttons` stand where no playbook is."""
        super().__init__(parent)
        self._clock = clock
        self._zone = zone
        self._seen = Seen()
        self._bars: dict[int, list[dict[str, int]]] = {}
        self._build(buttons)

    def _build(self, buttons: Sequence[QWidget]) -> None:
        self.model = RowsModel(COLUMNS, self._cell, lambda entry: entry.id, self)
        self.table = RowsTable(self.model, "Playbooks")
        days = [column.key for column in COLUMNS].index("days")
        self._spark = SparklineDelegate(self._bars_of, self.table)
        self.table.setItemDelegateForColumn(days, self._spark)
        self.table.chosen.connect(self._chosen)
        self.table.asked.connect(self._key_pressed)
        self.table.doubleClicked.connect(lambda _index: self._ask(EDIT))
        self.table.menuAsked.connect(self._menu_at)
        self._empty = EmptyState(
            "No playbooks yet",
            "A playbook watches for records, and does what you would do by hand. It is tried on what is stored "
            "before it does anything, begins in dry run, and is armed by you in a second step.",
            buttons,
        )
        self._cover = QStackedWidget()
        split = QSplitter(Qt.Orientation.Vertical)
        split.setHandleWidth(1)
        split.setChildrenCollapsible(False)
        split.addWidget(self.table)
        split.addWidget(self._detail())
        split.setStretchFactor(0, 1)
        split.setStretchFactor(1, 1)
        self._cover.addWidget(self._empty)
        self._cover.addWidget(split)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._cover)

    def _detail(self) -> QWidget:
        self.title = PlainLabel("", "heading", wrap=True)
        self.summary = PlainLabel("", "note", wrap=True, selectable=True)
        self.query = PlainLabel("", "mono", wrap=True, selectable=True)
        self.notice = Notice()
        self.edit_button = Button("Edit", "plain", lambda: self._ask(EDIT))
        self.arm_button = Button("Arm …", "plain", lambda: self._ask(ARM), name="Arm")
        self.dry_button = Button("Dry run", "plain", lambda: self._ask(DRY_RUN), name="Put in dry run")
        self.off_button = Button("Turn off", "plain", lambda: self._ask(OFF))
        self._more = QMenu(self)
        self._fill(self._more)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.title, 1)
        for button in (
            self.edit_button, self.arm_button, self.dry_button, self.off_button, MenuButton("More", self._more),
        ):  # fmt: skip
            row.addWidget(button)
        self.rows_model = RowsModel(ROW_COLUMNS, self._row_cell, lambda row: row.id, self)
        self.rows_table = RowsTable(self.rows_model, "Last firings")
        self.rows_table.asked.connect(lambda _key: self._ask_row())
        self.rows_table.doubleClicked.connect(lambda _index: self._ask_row())
        self.no_rows = PlainLabel("", "note", wrap=True)
        detail = QWidget()
        top = QVBoxLayout()
        top.setContentsMargins(14, 12, 14, 8)
        top.setSpacing(6)
        top.addLayout(row)
        for part in (self.summary, self.query, self.notice, self.no_rows):
            top.addWidget(part)
        column = QVBoxLayout(detail)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(top)
        column.addWidget(self.rows_table, 1)
        column.addStretch()
        return detail

    # showing

    def show_seen(self, seen: Seen) -> None:
        """Show the playbooks as they are now."""
        self._seen = seen
        now = self._clock.now()
        self._bars = {entry.id: spark_bars(seen.hours.get(entry.id, ()), now) for entry in seen.entries}
        self.table.show_rows(seen.entries)
        self._cover.setCurrentIndex(1 if seen.entries else 0)
        if seen.entries and self.table.current() is None:
            self.table.choose(seen.entries[0].id)
        self.table.viewport().update()
        self._tell()

    def _bars_of(self, row: int) -> Sequence[dict[str, int]]:
        entry = self.model.row_at(row)
        return self._bars.get(entry.id, ()) if entry is not None else ()

    def _cell(self, entry: PlaybookEntry, key: str) -> Cell:
        counts = entry.counters
        if key == "name":
            return Cell(entry.playbook.name, tip=wording.summary(entry.playbook))
        if key == "state":
            words, tone = wording.state_words(entry, self._seen.stopped)
            return Cell(words, tone=tone, tip=entry.tripped or entry.problem or self._seen.stopped)
        if key == "last_run":
            if not entry.last_run:
                return Cell("never", dim=True)
            return Cell(ago(entry.last_run, self._clock.now()), tip=self._zone.whole(entry.last_run))
        if key == "acted":
            dry = counts.get("would_act", 0)
            acted = f"{counts['acted']:,}"
            words = f"{acted} + {dry:,} dry" if dry else acted
            return Cell(words, tip=f"{acted} acted, {dry:,} would have", dim=words == "0")
        if key == "days":
            total = sum(sum(bar.values()) for bar in self._bars.get(entry.id, ()))
            return Cell(f"{total:,} in the last 7 days")
        number = counts.get(key, 0)
        tone = blocks.BAD if key == "errors" and number else blocks.WARN if key == "held" and number else ""
        return Cell(f"{number:,}", tone=tone, dim=not number)

    def _row_cell(self, row: FiringRow, key: str) -> Cell:
        if key == "time":
            now = self._clock.now()
            return Cell(self._zone.short(row.at), tip=f"{self._zone.whole(row.at)}, {ago(row.at, now)}")
        if key == "outcome":
            words = wording.outcome_words(row)
            return Cell(words, tone=wording.row_tone(row))
        return {
            "version": Cell(f"v{row.version}", mono=True),
            "value": Cell(wording.row_value(row), mono=row.entry is not None),
            "why": Cell(row.reason, dim=True),
        }[key]

    def show_rows(self, rows: Sequence[FiringRow]) -> None:
        """Show the last firings of the current playbook."""
        self.rows_table.show_rows(rows)
        self.rows_table.setVisible(bool(rows))
        self.no_rows.setText("" if rows else "It has not fired yet.")
        self.no_rows.setVisible(not rows)

    def _tell(self) -> None:
        entry: PlaybookEntry | None = self.table.current()
        if entry is None:
            return
        by = f"Version {entry.version} by {cell(entry.author, 60)}, {ago(entry.changed, self._clock.now())}."
        self.title.setText(cell(entry.playbook.name, 120))
        self.summary.setText(f"{wording.summary(entry.playbook)} {by}")
        self.query.setText(cell(entry.playbook.query, 1_000) or "Every record")
        words = entry.tripped or entry.problem
        title = "It has stopped itself; what fires is held. Arm it anew to go on." if entry.tripped else ""
        self.notice.say(words, blocks.BAD, title or ("It could not be judged" if words else ""))
        self.arm_button.setText("Arm anew …" if entry.state == ON else "Arm …")
        self.arm_button.setVisible(entry.state != ON or bool(entry.tripped))
        self.dry_button.setVisible(entry.state != DRY_RUN)
        self.off_button.setVisible(entry.state != OFF)

    def current(self) -> PlaybookEntry | None:
        """The playbook that is chosen."""
        found: PlaybookEntry | None = self.table.current()
        return found

    def _chosen(self) -> None:
        self._tell()
        if (entry := self.current()) is not None:
            self.chosen.emit(entry)

    # asking

    def _ask(self, what: str) -> None:
        if (entry := self.current()) is not None:
            self.asked.emit(what, entry)

    def _ask_row(self) -> None:
        if (row := self.rows_table.current()) is not None:
            self.rowAsked.emit(row)

    def _key_pressed(self, key: int) -> None:
        self._ask(DELETE if key == Qt.Key.Key_Delete else EDIT)

    def _fill(self, menu: QMenu) -> None:
        run = menu.addAction("Run on History …", self._asks(RUN))
        run.setToolTip("Only what is armed can be run on history.")
        menu.aboutToShow.connect(lambda: run.setEnabled(self._is_armed()))
        menu.addSeparator()
        menu.addAction("Clone", self._asks(CLONE))
        menu.addAction("Export …", self._asks(EXPORT))
        menu.addAction("History of Versions …", self._asks(HISTORY))
        menu.addSeparator()
        menu.addAction("Delete …", self._asks(DELETE))

    def _is_armed(self) -> bool:
        entry = self.current()
        return entry is not None and entry.state == ON and not entry.tripped

    def _asks(self, what: str) -> Callable[[], None]:
        return lambda: self._ask(what)

    def menu(self) -> QMenu | None:
        """What can be done with the current playbook."""
        entry = self.current()
        if entry is None:
            return None
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction("Edit", self._asks(EDIT))
        menu.addSeparator()
        if entry.state != ON or entry.tripped:
            menu.addAction("Arm …", self._asks(ARM))
        if entry.state != DRY_RUN:
            menu.addAction("Put in Dry Run", self._asks(DRY_RUN))
        if entry.state != OFF:
            menu.addAction("Turn Off", self._asks(OFF))
        menu.addSeparator()
        self._fill(menu)
        return menu

    def _menu_at(self, place: QPoint) -> None:
        if menu := self.menu():
            menu.popup(place)

    def focus_first(self) -> None:
        """Go to the list, or to the first button where there is none."""
        if self._seen.entries:
            self.table.setFocus()
        else:
            buttons = self._empty.findChildren(Button)
            (buttons[0] if buttons else self).setFocus()

    def restyle(self) -> None:
        """Times or colours are others from now on."""
        self.table.viewport().update()
        self.rows_table.viewport().update()
        self._tell()
