"""Rows as text, as CSV and as JSON, for the clipboard."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from pod_desktop.core.record import EventRow
from pod_desktop.ui.events.columns import OTHER_FIELD
from pod_desktop.ui.events.model import EventModel
from pod_desktop.ui.events.table import EventTable
from pod_desktop.ui.moments import Zone


def rows_as_text(table: EventTable, rows: Sequence[EventRow], zone: Zone) -> str:
    """A line for each row, tabs between the visible columns; times whole."""
    return "\n".join(
        "\t".join(cell.replace("\t", " ").replace("\n", " ").replace("\r", " ") for cell in cells)
        for cells in _cells(table, rows, zone)
    )


def rows_as_csv(table: EventTable, rows: Sequence[EventRow], zone: Zone) -> str:
    """The visible columns for a spreadsheet, names first; no cell is taken for a formula."""
    import csv
    import io

    from pod_desktop.services import exporting

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(exporting.cell(table.events.column(place).title) for place in table.columns.shown())
    for cells in _cells(table, rows, zone):
        writer.writerow(map(exporting.cell, cells))
    return text.getvalue()


def _cells(table: EventTable, rows: Sequence[EventRow], zone: Zone) -> Iterator[list[str]]:
    places = table.columns.shown()
    for row in rows:
        yield [
            zone.whole(row.time)
            if table.events.column(place).key == "time"
            else raw_cell(table.events, row, place)
            for place in places
        ]


def raw_cell(model: EventModel, row: EventRow, place: int) -> str:
    """What the record says, not how it is marked on the screen."""
    column = model.column(place)
    if column.key == "recipients":
        more = row.recipient_count - len(row.recipients)
        return ", ".join([*row.recipients, *([f"+{more}"] if more > 0 else [])])
    if column.key == "comment":
        return model.comment(row)
    if column.key.startswith(OTHER_FIELD) and model.looks is not None:
        return model.looks.value(row, column.field)
    value: Any = getattr(row, column.key, None)
    return value if isinstance(value, str) else model.text(row, place)


def rows_as_json(rows: Sequence[EventRow]) -> str:
    """One object a line, as `search --format ndjson` prints them; recipients as far as rows carry them."""
    from pod_desktop.services import exporting

    found = (exporting.Found(row, lambda: b"", lambda row=row: row.recipients) for row in rows)  # type: ignore[misc]
    return "\n".join(exporting.dumps(exporting.as_object(one)).decode() for one in found)
