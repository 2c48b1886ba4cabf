"""The columns of the Action History, and what stands in them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from pod_desktop.core.action import ATTRIBUTES, UNDONE, Action
from pod_desktop.ui.actions import wording
from pod_desktop.ui.actions.tables import Cell, CellOf, Column
from pod_desktop.ui.moments import Zone, ago

COLUMNS: Final = (
    Column("time", "Time", 116),
    Column("by", "By", 128),
    Column("responder", "Responder", 100),
    Column("action", "Action", 174, gives_way=8),
    Column("attribute", "Attribute", 76, gives_way=5),
    Column("operator", "Operator", 76, gives_way=3),
    Column("value", "Value", 168, stretch=True),
    Column("status", "Status", 96),
    Column("http", "HTTP", 112, gives_way=6),
    Column("took", "Took", 66, gives_way=4),
    Column("message", "Message", 170, gives_way=7, stretch=True),
    Column("record", "Record", 110, gives_way=1),
    Column("expires", "Expires", 104, gives_way=2),
    Column("next", "", 64),
)


def cells(zone: Zone, now: Callable[[], int]) -> CellOf:
    """What stands in a column of an action's row."""

    def cell_of(action: Action, key: str) -> Cell:
        return _CELLS[key](action, zone, now())

    return cell_of


def expires_words(action: Action, now: int) -> str:
    """When it is removed by itself; '' where it never is, or is gone."""
    if not action.expires or action.undone_by or action.status == UNDONE:
        return ""
    return "due" if action.expires <= now else ago(action.expires, now)


def _status(action: Action, _zone: Zone, _now: int) -> Cell:
    tone = wording.STATUS_TONE.get(action.status, "muted")
    return Cell(wording.status_words(action), tone=tone)


def _message(action: Action, _zone: Zone, _now: int) -> Cell:
    if action.undoes and not action.message:
        return Cell(f"takes back {action.undoes}")
    return Cell(action.message)


def _expires(action: Action, zone: Zone, now: int) -> Cell:
    words = expires_words(action, now)
    return Cell(words, dim=True, tip=f"Removed on {zone.whole(action.expires)}" if words else "")


def _record(action: Action, _zone: Zone, _now: int) -> Cell:
    return Cell(action.record_id, mono=True, dim=True)


_CELLS: Final[dict[str, Callable[[Action, Zone, int], Cell]]] = {
    "time": lambda action, zone, now: Cell(
        zone.short(action.time), tip=f"{zone.whole(action.time)}, {ago(action.time, now)}"
    ),
    "by": lambda action, _zone, _now: Cell(wording.actor_words(action.actor)),
    "responder": lambda action, _zone, _now: Cell(action.responder),
    "action": lambda action, _zone, _now: Cell(wording.action_title(action)),
    "attribute": lambda action, _zone, _now: Cell(
        action.entry.attribute, mono=True, tip=ATTRIBUTES.get(action.entry.attribute, "")
    ),
    "operator": lambda action, _zone, _now: Cell(action.entry.operator),
    "value": lambda action, _zone, _now: Cell(action.entry.value, mono=True),
    "status": _status,
    "http": lambda action, _zone, _now: Cell(wording.http_status_words(action.http_status), dim=True),
    "took": lambda action, _zone, _now: Cell(wording.took_words(action), dim=True),
    "message": _message,
    "record": _record,
    "expires": _expires,
    "next": lambda action, _zone, _now: Cell(wording.what_next(action), link=True),
}
