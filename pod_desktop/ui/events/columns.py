"""The columns of the Events table: what each is called, says, and how it stands there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from pod_desktop.core import blocks
from pod_desktop.core.record import (
    AUDIT,
    FLAG_HIDDEN_CHARACTERS,
    FLAG_NO_ID,
    FLAG_REPAIRED,
    FLAG_TIME_GUESSED,
    FLAG_TRUNCATED,
    MAILLOG,
    MESSAGE,
    OTHER,
    UNREADABLE,
    EventRow,
)
from pod_desktop.query import FIELDS
from pod_desktop.ui import theme
from pod_desktop.ui.moments import Zone, size
from pod_desktop.ui.text import cell, clip

KIND_WORD: Final = {MESSAGE: "Message", MAILLOG: "Mail Log", AUDIT: "Audit", UNREADABLE: "Unreadable"}
FLAG_WORD: Final = {
    FLAG_HIDDEN_CHARACTERS: "holds hidden characters",
    FLAG_REPAIRED: "text was repaired; the record as received is whole",
    FLAG_TIME_GUESSED: "carries no readable time; the time of arrival stands in",
    FLAG_TRUNCATED: "cut for the list; the record is whole",
    FLAG_NO_ID: "carries no id of its own",
}
_STAT_CHARS: Final = 16
_TITLE_CHARS: Final = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column."""

    key: str
    title: str
    text: Callable[[EventRow, Zone], str]
    """One line, safe to show."""
    width: int
    mono: bool = False
    right: bool = False
    shown: bool = True
    field: str = ""
    """What queries call it; '' where it is no field."""


def outcome_chip(row: EventRow) -> tuple[str, str]:
    """(word, tone) of the chip; ('', '') where there is nothing to say."""
    if row.kind == UNREADABLE:
        return "Unreadable", blocks.BAD
    if row.kind == AUDIT:
        return "Audit", blocks.INFO
    if row.kind == MAILLOG:
        if not row.stat:
            return "", ""
        bad = row.outcome in ("bounced", "rejected")
        return f"stat={cell(clip(row.stat, _STAT_CHARS))}", blocks.WARN if bad else blocks.MUTED
    if row.outcome == OTHER:
        if row.disposition == "continue":
            return "Continued", "special"
        return cell(clip(row.disposition, _STAT_CHARS)).capitalize() or "Other", blocks.MUTED
    return row.outcome.capitalize(), theme.OUTCOME_TONE.get(row.outcome, blocks.MUTED)


def flag_words(flags: int) -> list[str]:
    """What to know before reading on."""
    return [words for bit, words in FLAG_WORD.items() if flags & bit]


def _recipients(row: EventRow, _zone: Zone) -> str:
    if not row.recipients:
        return ""
    more = row.recipient_count - 1
    first = cell(row.recipients[0])
    return f"{first} +{more}" if more > 0 else first


def _sender(row: EventRow, _zone: Zone) -> str:
    return cell(row.sender)


COLUMNS: Final = (
    Column(
        key="time",
        field="time",
        title="Time",
        text=lambda row, zone: zone.short(row.time),
        width=126,
        mono=True,
    ),
    Column(
        key="outcome",
        field="outcome",
        title="Outcome",
        text=lambda row, _zone: outcome_chip(row)[0],
        width=110,  # stat=Deferred is whole
    ),
    Column(key="sender", field="sender", title="Sender", text=_sender, width=164),
    Column(key="recipients", field="recipient", title="Recipients", text=_recipients, width=172),
    Column(
        key="subject",
        field="subject",
        title="Subject / log line",
        text=lambda row, _zone: cell(row.subject),
        width=240,
    ),
    Column(
        key="score",
        field="score",
        title="Score",
        text=lambda row, _zone: "" if row.score is None else str(row.score),
        width=52,
        right=True,
    ),
    Column(
        key="ip",
        field="ip",
        title="IP",
        text=lambda row, _zone: cell(row.ip),
        width=116,
        mono=True,
        shown=False,
    ),
    Column(
        key="tenant",
        field="tenant",
        title="Tenant",
        text=lambda row, _zone: cell(row.tenant),
        width=100,
        shown=False,
    ),
    Column(
        key="connector",
        field="connector",
        title="Connector",
        text=lambda row, _zone: cell(row.connector),
        width=120,
        shown=False,
    ),
    Column(
        key="type",
        field="type",
        title="Type",
        text=lambda row, _zone: KIND_WORD.get(row.kind, cell(row.kind)),
        width=84,
        shown=False,
    ),
    Column(
        key="rule", field="rule", title="Rule", text=lambda row, _zone: cell(row.rule), width=120, shown=False
    ),
    Column(
        key="disposition",
        field="disposition",
        title="Disposition",
        text=lambda row, _zone: cell(row.disposition),
        width=96,
        shown=False,
    ),
    Column(
        key="size",
        field="size",
        title="Size",
        text=lambda row, _zone: "" if row.size is None else size(row.size),
        width=76,
        right=True,
        shown=False,
    ),
    Column(
        key="id",
        field="id",
        title="Record id",
        text=lambda row, _zone: cell(row.record_id),
        width=230,
        mono=True,
        shown=False,
    ),
    Column(
        key="comment", field="comment", title="Comment", text=lambda _row, _zone: "", width=180, shown=False
    ),
    Column(key="more", title="", text=lambda _row, _zone: "···", width=36, right=True),
)
INDEX: Final = {column.key: place for place, column in enumerate(COLUMNS)}
"""Where the columns of rows stand; columns of other fields stand behind them."""
OTHER_FIELD: Final = "field:"
"""Begins the key of a column of any other field."""


def field_column(field: str) -> Column:
    """A column of any field or path; its text comes from the looks of rows (services.looks)."""
    known = FIELDS.get(field)
    number = known is not None and known.type == "number"
    return Column(
        key=f"{OTHER_FIELD}{field}",
        field=field,
        title=known.title if known else clip(cell(field.removeprefix("$.")), _TITLE_CHARS),
        text=lambda _row, _zone: "",
        width=120,
        mono=known is None or known.type in ("address", "domain", "ip"),
        right=number,
    )
