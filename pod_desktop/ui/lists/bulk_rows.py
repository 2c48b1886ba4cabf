"""The columns of a bulk run's table: what was pasted or selected, what would become of it, and what did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pod_desktop.core import blocks
from pod_desktop.core.action import FAILED, SUCCEEDED, UNKNOWN
from pod_desktop.services.bulk import SENT
from pod_desktop.services.bulk_plan import DOUBTFUL, INVALID, NEW, THERE, Candidate
from pod_desktop.ui.actions.tables import Cell, Column

GROUP_WORDS: Final = {NEW: "New", THERE: "Already there", DOUBTFUL: "To confirm", INVALID: "Invalid"}
REMOVAL_WORDS: Final = {**GROUP_WORDS, NEW: "To remove", THERE: "Not there"}
GROUP_TONE: Final = {NEW: blocks.GOOD, THERE: blocks.MUTED, DOUBTFUL: blocks.WARN, INVALID: blocks.BAD}
COLUMNS: Final = (
    Column("line", "Line", 56),
    Column("value", "Value", 200, stretch=True),
    Column("attribute", "Attribute", 78, gives_way=3),
    Column("operator", "Operator", 86, gives_way=2),
    Column("state", "State", 116),
    Column("why", "Why", 210, gives_way=4, stretch=True),
    Column("records", "Records", 66, gives_way=1),
    Column("link", "", 78),
)
_STATUS: Final = {
    SENT: ("Sent", blocks.INFO),
    SUCCEEDED: ("Succeeded", blocks.GOOD),
    FAILED: ("Failed", blocks.BAD),
    UNKNOWN: ("Unknown", blocks.INFO),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRow:
    """A candidate, and how its action stands."""

    candidate: Candidate
    removes: bool = False
    status: str = ""
    message: str = ""


def cell_of(row: PlanRow, key: str) -> Cell:
    """What stands in a column."""
    candidate = row.candidate
    entry = candidate.entry
    if key == "state":
        if row.status:
            words, tone = _STATUS.get(row.status, (row.status, blocks.MUTED))
            return Cell(words, tone=tone)
        if candidate.group == DOUBTFUL and candidate.confirmed:
            return Cell("Confirmed", tone=blocks.GOOD)
        words = (REMOVAL_WORDS if row.removes else GROUP_WORDS)[candidate.group]
        return Cell(words, tone=GROUP_TONE[candidate.group])
    if key == "why":
        return Cell(row.message or candidate.why, dim=True)
    if key == "link":
        asks = candidate.group == DOUBTFUL and not candidate.confirmed and not row.status
        return Cell("Confirm…" if asks else "", link=True)
    texts = {
        "line": f"{candidate.line:,}",
        "value": entry.value,
        "attribute": entry.attribute,
        "operator": entry.operator,
        "records": f"{candidate.records:,}" if candidate.records else "",
    }
    return Cell(texts[key], mono=key in ("value", "attribute"), dim=key in ("line", "records"))
