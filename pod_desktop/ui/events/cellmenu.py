"""What can be done with a cell or a field of a record: ask for it, leave it out, copy it, show it as a column."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, Protocol

from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QMenu, QWidget

from pod_desktop import query
from pod_desktop.core.clock import MINUTE, iso
from pod_desktop.core.record import MAILLOG, EventRow
from pod_desktop.core.text import domain_of
from pod_desktop.services.completing import leaf_paths
from pod_desktop.ui.events.columns import Column
from pod_desktop.ui.text import cell, clip, copy

_SHOWN_CHARS: Final = 48
_VALUE_CHARS: Final = 2_000
"""Longer values make no useful query."""
_MOST_VALUES: Final = 6
_MOST_PATHS: Final = 2_000
_ADDRESSES: Final = {
    "sender": "sender.domain",
    "header_from": "header_from.domain",
    "recipient": "recipient.domain",
}


@dataclass(frozen=True, slots=True)
class Target:
    """A value of a record, and the field that asks for it."""

    field: str
    value: str

    @property
    def term(self) -> str:
        """As query text."""
        return query.term(self.field, self.value)

    @property
    def domain_term(self) -> str:
        """Query text for the value's domain; '' where it has none."""
        if "@" not in self.value or len(self.value) > _VALUE_CHARS:
            return ""
        domain = domain_of(self.value)
        field = _ADDRESSES.get(self.field, "domain" if self.field not in query.FIELDS else "")
        return query.term(field, domain) if domain and field else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordCommand:
    """Something that another part of the window can do with a record: Show journey, Block sender …"""

    words: str
    run: Callable[[EventRow], object]
    fits: Callable[[EventRow], bool] = lambda _row: True


class Asking(Protocol):
    """Who puts what was chosen into the query, and the like (the Events page)."""

    def narrow(self, term: str, *, exclude: bool = False) -> None:
        """Ask for this too, or leave it out."""
        ...

    def add_column(self, field: str) -> None: ...
    def can_be_search_column(self, field: str) -> bool: ...
    def make_search_column(self, field: str) -> None: ...
    def copy_csv(self) -> None: ...
    def copy_record(self, row: EventRow) -> None: ...
    def show_times(self, since: int | None, until: int | None) -> None: ...

    @property
    def record_commands(self) -> Sequence[RecordCommand]: ...


def targets_of(row: EventRow, column: Column, text: str) -> list[Target]:
    """What a cell of the table stands for."""
    if column.key == "outcome" and row.kind == MAILLOG and row.stat:
        return [Target("stat", row.stat), Target("outcome", row.outcome)]
    if column.key == "recipients":
        return [Target("recipient", value) for value in row.recipients]
    if column.key == "id":
        return [Target("id", row.record_id)]
    if column.key == "type":
        return [Target("type", row.kind)]
    if column.key in ("time", "more", "") or not column.field:
        return []
    value: Any = getattr(row, column.key, None)
    if value is None:
        value = text  # a column of another field: what is shown of it
    return [Target(column.field, str(value))] if str(value) else []


def leaf_targets(field: str, value: Any) -> list[Target]:
    """What a value of the record stands for; an object or list for nothing."""
    if isinstance(value, dict | list) or value is None or not field:
        return []
    words = ("true" if value else "false") if isinstance(value, bool) else str(value)
    return [Target(field, words)] if words else []


def path_field(path: str) -> str:
    """How queries name a path of the raw record; a place in a list stands for the whole list."""
    plain = _without_places(path)
    known = query.resolve(plain)
    return plain if known == (plain,) and query.is_path(plain) else f"{query.RAW}{plain}"


def _without_places(path: str) -> str:
    pieces = path.split("[")
    kept = pieces[0]
    for piece in pieces[1:]:
        number, closed, behind = piece.partition("]")
        kept += behind if closed and number.isdecimal() else f"[{piece}"
    return kept


def fill(menu: QMenu, asking: Asking, targets: Sequence[Target], row: EventRow, *, column: str = "") -> None:
    """Put the commands into a menu. `column`: the field that could become a column."""
    for target in targets[:_MOST_VALUES]:
        _ask_for(menu, asking, target)
    if targets:
        menu.addSeparator()
        values = [target.value for target in targets]
        menu.addAction("Copy Value", lambda: copy("\n".join(values)))
        terms = [target.term for target in targets if len(target.value) <= _VALUE_CHARS]
        menu.addAction("Copy as Query", lambda: copy(" OR ".join(terms))).setEnabled(bool(terms))
    menu.addAction("Copy Row as CSV", asking.copy_csv)
    menu.addAction("Copy Record as JSON", lambda: asking.copy_record(row))
    if column:
        menu.addSeparator()
        menu.addAction("Add as Column", lambda: asking.add_column(column))
        if asking.can_be_search_column(column):
            menu.addAction("Make Search Column …", lambda: asking.make_search_column(column))
    fitting = [one for one in asking.record_commands if one.fits(row)]
    if fitting:
        menu.addSeparator()
    for one in fitting:
        menu.addAction(one.words, lambda one=one: one.run(row))  # type: ignore[misc]


def _ask_for(menu: QMenu, asking: Asking, target: Target) -> None:
    if len(target.value) > _VALUE_CHARS:
        return
    shown = clip(cell(target.value), _SHOWN_CHARS).replace("&", "&&")
    menu.addAction(f"Filter on {shown}", lambda: asking.narrow(target.term))
    menu.addAction(f"Exclude {shown}", lambda: asking.narrow(target.term, exclude=True))
    if term := target.domain_term:
        domain = clip(cell(domain_of(target.value)), _SHOWN_CHARS).replace("&", "&&")
        menu.addAction(f"Filter on Domain {domain}", lambda: asking.narrow(term))


def fill_times(menu: QMenu, asking: Asking, row: EventRow) -> None:
    """What a moment is good for."""
    minute = row.time // MINUTE * MINUTE
    menu.addAction("From Here On", lambda: asking.show_times(row.time, None))
    menu.addAction("Up to Here", lambda: asking.show_times(None, row.time + 1))
    menu.addAction(
        "Around Here (±5 min)", lambda: asking.show_times(minute - 5 * MINUTE, minute + 6 * MINUTE)
    )
    menu.addSeparator()
    menu.addAction("Copy Value", lambda: copy(iso(row.time)))


def open_menu(parent: QWidget, build: Callable[[QMenu], None], place: QPoint) -> QMenu:
    """Show a menu at a place of the screen."""
    menu = QMenu(parent)
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    build(menu)
    menu.popup(place)
    return menu


def paths_in(value: Any) -> set[str]:
    """Paths of a record's leaves, as queries name them."""
    return {path_field(path) for path, _value in islice(leaf_paths(value), _MOST_PATHS)}
