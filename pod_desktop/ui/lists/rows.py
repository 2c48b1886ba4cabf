"""The columns of a list's table, and what stands in them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from pod_desktop.core import blocks
from pod_desktop.core.action import ATTRIBUTES
from pod_desktop.services.lists import ListRow
from pod_desktop.ui.actions import wording
from pod_desktop.ui.actions.tables import Cell, CellOf, Column
from pod_desktop.ui.moments import Zone, ago

COLUMNS: Final = (
    Column("value", "Value", 220, stretch=True, sorts=True),
    Column("attribute", "Attribute", 128, gives_way=6, sorts=True),
    Column("operator", "Operator", 86, gives_way=5, sorts=True),
    Column("mark", "Note", 108),
    Column("comment", "Comment", 150, gives_way=4, stretch=True, sorts=True),
    Column("by", "Added By", 130, sorts=True),
    Column("added", "Added", 116, gives_way=3, sorts=True),
    Column("why", "Why", 120, gives_way=1),
    Column("expires", "Expires", 90, gives_way=2, sorts=True),
    Column("remove", "", 84),
)


def cells(zone: Zone, now: Callable[[], int]) -> CellOf:
    """What stands in a column of an entry's row."""

    def cell_of(row: ListRow, key: str) -> Cell:
        return _CELLS[key](row, zone, now())

    return cell_of


def marks(row: ListRow) -> list[tuple[str, str, str]]:
    """(chip, tone, sentence) of everything that a person should look at, the gravest first."""
    found = []
    if row.conflict:
        found.append(
            ("Conflict", blocks.BAD, "The other list holds it too: which of them wins is not documented.")
        )
    if row.duplicate:
        found.append(("Duplicate", blocks.WARN, "The list holds it more than once, in another case."))
    if row.covered_by:
        words = f"{row.covered_by} on this list catches all that this entry catches."
        found.append(("Covered", blocks.WARN, words))
    if row.fresh:
        found.append(("New", blocks.INFO, "It was not there at the last look."))
    return found


def _mark(row: ListRow, _zone: Zone, _now: int) -> Cell:
    found = marks(row)
    if not found:
        return Cell("")
    more = f" +{len(found) - 1}" if len(found) > 1 else ""
    return Cell(found[0][0] + more, tone=found[0][1], tip="\n".join(words for _, _, words in found))


def _by(row: ListRow, _zone: Zone, _now: int) -> Cell:
    if row.elsewhere:
        return Cell("Elsewhere", dim=True, tip="It was not added by this program, or not on this computer.")
    return Cell(wording.actor_words(row.actor))


def _added(row: ListRow, zone: Zone, now: int) -> Cell:
    if not row.time:
        return Cell("")
    return Cell(zone.short(row.time), dim=True, tip=f"{zone.whole(row.time)}, {ago(row.time, now)}")


def _expires(row: ListRow, zone: Zone, now: int) -> Cell:
    if not row.expires:
        return Cell("")
    words = "due" if row.expires <= now else ago(row.expires, now)
    return Cell(words, dim=True, tip=f"Removed on {zone.whole(row.expires)}")


_CELLS: Final[dict[str, Callable[[ListRow, Zone, int], Cell]]] = {
    "value": lambda row, _zone, _now: Cell(row.entry.value, mono=True),
    "attribute": lambda row, _zone, _now: Cell(
        ATTRIBUTES.get(row.entry.attribute, row.entry.attribute), tip=row.entry.attribute
    ),
    "operator": lambda row, _zone, _now: Cell(row.entry.operator),
    "mark": _mark,
    "comment": lambda row, _zone, _now: Cell(row.entry.comment, dim=True),
    "by": _by,
    "added": _added,
    "why": lambda row, _zone, _now: Cell(row.why, dim=True),
    "expires": _expires,
    "remove": lambda _row, _zone, _now: Cell("Remove…", link=True),
}
