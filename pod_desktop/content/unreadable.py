"""Frames and lines that are no record: kept raw, shown with the reason."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pod_desktop.content.kind import Kind, raw_id
from pod_desktop.core.blocks import BAD, Block, Lines, Notice
from pod_desktop.core.faults import Unreadable
from pod_desktop.core.record import FLAG_NO_ID, FLAG_TIME_GUESSED, OTHER, UNREADABLE, Columns, EventRow
from pod_desktop.core.text import printable

EXCERPT_CHARS: Final = 2_000


def columns(raw: bytes, arrived: int, why: str) -> Columns:
    """The columns of bytes that are no record; `why` is one sentence."""
    return Columns(
        kind=UNREADABLE,
        rid=raw_id(raw),
        time=arrived,
        cluster="",
        qid="",
        message_id="",
        sender="",
        header_from="",
        recipients=(),
        subject=why,
        ip="",
        country="",
        outcome=OTHER,
        disposition="",
        stat="",
        rule="",
        module="",
        folder="",
        direction="",
        score=None,
        size=None,
        flags=FLAG_NO_ID | FLAG_TIME_GUESSED,
        text=printable(raw, EXCERPT_CHARS),
    )


def _columns(record: object, raw: bytes, arrived: int) -> Columns:
    return columns(raw, arrived, "It is JSON, but no record of a known type.")


def _refuse(value: Mapping[str, Any]) -> Any:
    raise Unreadable("It is JSON, but no record of a known type.")


def summary(value: Any, columns: Columns | EventRow) -> tuple[Block, ...]:
    """Why, and how it begins; `value` may be the excerpt (Document.excerpt) where there is no value."""
    excerpt = value if isinstance(value, str) else getattr(columns, "text", "")
    blocks: tuple[Block, ...] = (Notice(columns.subject or "This is no record.", BAD),)
    return (*blocks, Lines("As received", tuple(excerpt.splitlines()[:200]))) if excerpt else blocks


KIND: Final = Kind(name=UNREADABLE, title="Unreadable", fit=_refuse, columns=_columns, summary=summary)
