"""What can be done with the records of the table: menus, marks, comments, copies, columns, colours."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, QPoint
from PySide6.QtWidgets import QMenu

from pod_desktop import query
from pod_desktop.core.faults import Fault, UserFault
from pod_desktop.core.record import EventRow
from pod_desktop.core.text import plural
from pod_desktop.services.columns import can_be_promoted
from pod_desktop.ui.bridge import ColourRule, Dress, Record
from pod_desktop.ui.copying import rows_as_csv, rows_as_json, rows_as_text
from pod_desktop.ui.detail.jsonview import as_received
from pod_desktop.ui.events import cellmenu
from pod_desktop.ui.events.cellmenu import RecordCommand
from pod_desktop.ui.events.columns import COLUMNS, INDEX
from pod_desktop.ui.events.dialogs import LineDialog, TextDialog
from pod_desktop.ui.events.rules import RulesDialog, keep_rules, kept_rules
from pod_desktop.ui.text import cell, clip, copy
from pod_desktop.ui.widgets import MenuButton

if TYPE_CHECKING:
    from pod_desktop.ui.events.page import EventsPage

_FIELD_CHARS: Final = 300
_TERM_CHARS: Final = 60
_MOST_FILTERS: Final = 2
FILTERED: Final = ("sender", "recipients", "subject", "ip", "rule", "outcome")
"""Columns that the record's own filter menu offers."""
NOT_IN_MENU: Final = "not_in_menu"
"""A property of actions of the table that would only crowd the menu of a cell."""
ON_FIELDS: Final = "on_fields"
"""A property of actions of the table that the menu of a field offers, too."""
COPIED_ROWS: Final = 10_000


class OnRecords(QObject):
    """Commands on the records of an Events page; `cellmenu.Asking` for its menus."""

    def __init__(self, page: EventsPage) -> None:
        super().__init__(page)
        self._page = page
        self._commands: list[RecordCommand] = []
        page.table.menu_asked.connect(self._cell_menu)
        page.table.columns.choose_field.connect(self.choose_column)
        page.table.columns.fields_changed.connect(self.dress)
        page.detail.field_menu_asked.connect(self._field_menu)
        page.notes.failed.connect(self._not_noted)
        page.notes.changed.connect(self._noted)
        menu = QMenu(page)
        menu.aboutToShow.connect(lambda: self._fill_filter_menu(menu))
        page.detail.add_to_footer(MenuButton("Filter on this", menu), last=True)
        self.dress()

    # Menus

    @property
    def record_commands(self) -> Sequence[RecordCommand]:
        """What other parts of the window can do with a record."""
        return self._commands

    def offer(self, command: RecordCommand) -> None:
        """Let the menus of cells and fields offer this too."""
        self._commands.append(command)

    def _cell_menu(self, row: EventRow, place: int, where: QPoint) -> None:
        page = self._page
        column = page.model.column(place)
        targets = cellmenu.targets_of(row, column, page.model.text(row, place))

        def build(menu: QMenu) -> None:
            if place == INDEX["time"]:
                cellmenu.fill_times(menu, self, row)
            cellmenu.fill(menu, self, targets, row)
            menu.addSeparator()
            menu.addActions([one for one in page.table.actions() if one.property(NOT_IN_MENU) is not True])

        cellmenu.open_menu(page.table, build, where)

    def _field_menu(self, row: EventRow, field: str, path: str, value: object, where: QPoint) -> None:
        column = field or (cellmenu.path_field(path) if path else "")
        targets = cellmenu.leaf_targets(column, value)

        def build(menu: QMenu) -> None:
            cellmenu.fill(menu, self, targets, row, column=column)
            menu.addAction("Copy Path", lambda: copy(path))
            if self._is_the_chosen_one(row):
                menu.addSeparator()
                actions = self._page.table.actions()
                menu.addActions([one for one in actions if one.property(ON_FIELDS) is True])

        cellmenu.open_menu(self._page, build, where)

    def _is_the_chosen_one(self, row: EventRow) -> bool:
        """Would a command of the table be about this record alone? Record windows may show another."""
        table, current = self._page.table, self._page.table.current()
        return current is not None and current.seq == row.seq and table.chosen_count() <= 1

    def _fill_filter_menu(self, menu: QMenu) -> None:
        """What the record that is read could be filtered on."""
        menu.clear()
        row = self._page.detail.row
        if row is None:
            return
        model = self._page.model
        for key in FILTERED:
            column = COLUMNS[INDEX[key]]
            targets = cellmenu.targets_of(row, column, model.text(row, INDEX[key]))
            for target in targets[:_MOST_FILTERS]:
                for term in filter(None, (target.term, target.domain_term)):
                    shown = clip(cell(term), _TERM_CHARS).replace("&", "&&")
                    menu.addAction(shown, lambda term=term: self.narrow(term))  # type: ignore[misc]

    # Asking

    def narrow(self, term: str, *, exclude: bool = False) -> None:
        """Ask for this too, or leave it out."""
        bar = self._page.query
        text = bar.text if bar.valid else self._page.question().text
        bar.set_text(query.conjoin(text, term, negate=exclude))

    def pick_facet(self, field: str, value: str, exclude: bool) -> None:
        """A facet's value was clicked."""
        self.narrow(query.term(field, value), exclude=exclude)

    def show_times(self, since: int | None, until: int | None) -> None:
        """Show a stretch of time."""
        self._page.range.fix(since, until)

    # Columns and colours

    def dress(self) -> None:
        """Ask for what the columns and rules need."""
        page = self._page
        dress = Dress(page.model.other_fields, kept_rules(page.preferences))
        if dress != page.looks.dress:
            page.looks.wear(dress)
            page.table.redraw()

    def add_column(self, field: str) -> None:
        """Show a column of any field."""
        self._page.table.columns.add_field(field)

    def can_be_search_column(self, field: str) -> bool:
        """Does searching by it read every record?"""
        return self._page.slow_path.columns is not None and can_be_promoted(field)

    def make_search_column(self, field: str) -> None:
        """Ask whether to, and do it."""
        self._page.slow_path.offer(field)

    def choose_column(self) -> None:
        """Ask of which field."""
        self.choose_field("Add Column", self.add_column)

    def choose_field(self, title: str, take: Callable[[str], None]) -> None:
        """Ask for the name of a field or the path of one."""
        record = self._page.detail.record
        paths = sorted(cellmenu.paths_in(record.value)) if record is not None else []
        dialog = LineDialog(
            title, "Field or path", self._page.window(), accept="Add", judge=judge_field,
            note="A field such as header_from, or a path such as filter.modules.spam.scores.classifiers.phish",
            offers=[*query.FIELDS, *paths], most=_FIELD_CHARS,
        )  # fmt: skip
        dialog.answered.connect(lambda text: take(known_field(text)))
        dialog.open()

    def edit_rules(self) -> None:
        """The list of colour rules."""
        page = self._page
        dialog = RulesDialog(kept_rules(page.preferences), page.desk.check, page.window())

        def changed(rules: tuple[ColourRule, ...]) -> None:
            keep_rules(page.preferences, rules)
            self.dress()

        dialog.changed.connect(changed)
        dialog.open()

    # Marks and comments

    def mark(self) -> None:
        """Mark the selected records, or take their marks away."""
        self._with_chosen(lambda rows: self._page.notes.toggle_marks(_ids(rows)))

    def comment(self) -> None:
        """Say something about the selected records."""
        self._with_chosen(lambda rows: self._ask_comment(_ids(rows)))

    def _ask_comment(self, ids: list[str]) -> None:
        if not ids:
            return
        note = self._page.notes.of(ids[0])
        what = "this record" if len(ids) == 1 else plural(len(ids), "record")
        dialog = TextDialog(
            "Comment", f"What is to be known about {what}", self._page.window(),
            text=note.comment if note is not None else "",
            note="Found by comment: in queries, kept when the record's time has passed. Ctrl+Enter saves.",
        )  # fmt: skip
        dialog.answered.connect(lambda words: self._page.notes.comment(ids, words))
        dialog.open()

    def next_mark(self, step: int) -> None:
        """Go to the next marked record further down (1) or up (-1)."""
        current = self._page.table.current()
        self._page.feed.find_marked(self._page.question(), current, step, self._page.table.go_to)

    def _noted(self) -> None:
        page = self._page
        page.detail.show_note()
        text = page.question().text
        if "marked" in text or "comment" in text:
            page.feed.refresh(page.question())
        if any("marked" in rule.query or "comment" in rule.query for rule in page.looks.dress.rules):
            page.looks.forget()
            page.table.redraw()

    def _not_noted(self, error: BaseException) -> None:
        what, hint = (error.what, error.hint) if isinstance(error, Fault) else (str(error), "")
        self._page.fault.say(
            hint or "Nothing was changed.", "bad", f"The mark or comment was not kept: {what}"
        )

    # Copies

    def _with_chosen(self, take: Callable[[list[EventRow]], object]) -> None:
        """Give the selected rows, fetched first where they are not here; the current one where none is selected."""
        table = self._page.table
        here = table.chosen_rows()
        if not table.chosen_count() and (current := table.current()) is not None:
            here = [current]
        wanted = min(table.chosen_count(), COPIED_ROWS)
        if len(here) >= wanted:
            take(here)
        else:
            self._page.feed.rows_of(table.chosen_ranges(), COPIED_ROWS, take)

    def copy_text(self) -> None:
        """The selected rows as text, tabs between the visible columns."""
        page = self._page
        self._with_chosen(lambda rows: copy(rows_as_text(page.table, rows, page.zone)))

    def copy_json(self) -> None:
        """The selected rows as JSON, one a line, as the command line prints them."""
        self._with_chosen(lambda rows: copy(rows_as_json(rows)))

    def copy_csv(self) -> None:
        """The selected rows as a spreadsheet takes them, with a line of names."""
        page = self._page
        self._with_chosen(lambda rows: copy(rows_as_csv(page.table, rows, page.zone)))

    def copy_record(self, row: EventRow) -> None:
        """The record as it was received."""

        def came(record: Record) -> None:
            copy(as_received(record.raw))

        self._page.read(row, came)


def _ids(rows: Sequence[EventRow]) -> list[str]:
    return [row.record_id for row in rows]


def known_field(text: str) -> str:
    """A field's or path's name as the tree has it.

    Raises:
        UserFault: no such field; of an alias for several the first is meant.
    """
    found = query.resolve(text)
    if found:
        return found[0]
    query.parse(f"{query.name(text)}:x", 0)  # says what is wrong, and what is near
    raise UserFault(f"There is no field “{text}”.")


def judge_field(text: str) -> str:
    """What a field's name stands for."""
    field = query.FIELDS.get(known_field(text))
    return field.help if field is not None else "A path of the raw record."
