"""Rows as text and as JSON, for the clipboard."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pod_desktop.core.record import EventRow
from pod_desktop.ui.events.columns import COLUMNS
from pod_desktop.ui.events.table import EventTable
from pod_desktop.ui.moments import Zone


def rows_as_text(table: EventTable, zone: Zone) -> str:
    """The selected rows, a line each, tabs between the visible columns; times whole."""
    places = table.columns.shown()
    lines = []
    for row in table.chosen_rows():
        cells = [
            zone.whole(row.time)
            if COLUMNS[place].key == "time"
            else _raw_cell(COLUMNS[place].key, row, zone, place)
            for place in places
        ]
        lines.append(
            "\t".join(cell.replace("\t", " ").replace("\n", " ").replace("\r", " ") for cell in cells)
        )
    return "\n".join(lines)


def _raw_cell(key: str, row: EventRow, zone: Zone, place: int) -> str:
    """What the record says, not how it is marked on the screen."""
    if key == "recipients":
        more = row.recipient_count - len(row.recipients)
        return ", ".join([*row.recipients, *([f"+{more}"] if more > 0 else [])])
    value: Any = getattr(row, key, None)
    return value if isinstance(value, str) else COLUMNS[place].text(row, zone)


def rows_as_json(rows: Sequence[EventRow]) -> str:
    """One object a line, as `search --format ndjson` prints them; recipients as far as rows carry them."""
    from pod_desktop.services import exporting

    found = (exporting.Found(row, lambda: b"", lambda row=row: row.recipients) for row in rows)  # type: ignore[misc]
    return "\n".join(exporting.dumps(exporting.as_object(one)).decode() for one in found)
