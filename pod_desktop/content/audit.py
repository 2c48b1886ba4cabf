"""`audit` records: what administrators and services did."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from pod_desktop.content.fit import text_of
from pod_desktop.content.kind import (
    Kind,
    Named,
    first_moment,
    hidden,
    identity,
    joined,
    short_id,
    time_or_arrival,
)
from pod_desktop.content.paths import leaves
from pod_desktop.content.wording import fact, facts, shown, text_at
from pod_desktop.core.blocks import INFO, Block, Fact, Lines, Notice
from pod_desktop.core.record import AUDIT, FLAG_HIDDEN_CHARACTERS, FLAG_TRUNCATED, OTHER, Columns, EventRow

_Record = Mapping[str, Any]
_ACTION: Final = ("audit.action",)
_USER: Final = ("audit.user.email", "audit.user.id", "audit.user", "audit.service.id")
_RESOURCE: Final = ("audit.resourceName", "audit.resourceType")
_IP: Final = ("audit.user.ipAddress", "audit.service.ipAddress")
_CLUSTER: Final = ("metadata.origin.data.cid", "pps.cid", "audit.service.cid")


def who(record: _Record) -> str:
    return text_at(record, *_USER)


def action(record: _Record) -> str:
    return text_at(record, *_ACTION)


def resource(record: _Record) -> str:
    return " ".join(part for path in _RESOURCE if (part := text_at(record, path)))


def where(record: _Record) -> str:
    return text_at(record, *_IP).strip("[] ")


def story(record: _Record) -> str:
    """One readable line: who did what to which resource from where."""
    pieces = [who(record), " ".join(filter(None, (action(record), resource(record))))]
    if ip := where(record):
        pieces.append(f"from {ip}")
    return " · ".join(piece for piece in pieces if piece)


def _texts(record: _Record) -> Iterator[str]:
    return (value for value in leaves(record) if isinstance(value, str))


def _times(record: _Record) -> tuple[str, ...]:
    return (text_of(record.get("ts")), text_of(record.get("timestamp")))


def columns(record: _Record, raw: bytes, arrived: int) -> Columns:
    rid, flags = identity(text_of(record.get("guid")), raw)
    time, more = time_or_arrival(_times(record), arrived)
    subject = story(record)
    text, cut = joined(_texts(record))
    flags |= more
    if cut:
        flags |= FLAG_TRUNCATED
    if hidden("", "", subject, ()):
        flags |= FLAG_HIDDEN_CHARACTERS
    return Columns(
        kind=AUDIT,
        rid=rid,
        time=time,
        cluster=text_at(record, *_CLUSTER),
        qid="",
        message_id="",
        sender="",
        header_from="",
        recipients=(),
        subject=subject,
        ip=where(record),
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
        flags=flags,
        text=text,
    )


def summary(value: Any, columns: Columns | EventRow) -> tuple[Block, ...]:
    """Who did what to which resource from where."""
    blocks: list[Block] = [Notice(shown(story(value) or "An audit record without words."), INFO)]
    blocks += facts(_facts(value))
    tags = [line for line in _tags(value) if line]
    if tags:
        blocks.append(Lines("Details", tuple(tags)))
    return tuple(blocks)


def _facts(record: _Record) -> Iterator[Fact]:
    yield fact("Who", who(record), mono=True)
    yield fact("Action", action(record))
    yield fact("Resource", text_at(record, "audit.resourceName"))
    yield fact("Kind of resource", text_at(record, "audit.resourceType"))
    yield fact("From", where(record), mono=True)
    yield fact("Level", text_at(record, "audit.level"))
    yield fact("Cluster", text_at(record, *_CLUSTER), mono=True)


def _tags(record: _Record) -> Iterator[str]:
    audit = record.get("audit")
    tags = audit.get("tags") if isinstance(audit, dict) else None
    for tag in (tags if isinstance(tags, list) else [])[:100]:
        if isinstance(tag, dict) and (value := text_of(tag.get("value"))):
            yield shown(f"{text_of(tag.get('name'))}: {value}")


def _user_values(record: _Record) -> tuple[str, ...]:
    found = (text_at(record, "audit.user.email"), text_at(record, "audit.user.id"))
    return found if any(found) else (who(record),)


def _resource_values(record: _Record) -> tuple[str, ...]:
    return tuple(text_at(record, path) for path in _RESOURCE)


KIND: Final = Kind(
    name=AUDIT,
    title="Audit",
    fit=lambda value: value,
    columns=columns,
    text=lambda record: joined(_texts(record))[0],
    summary=summary,
    named={
        "id": Named(("guid",), lambda record: (short_id(text_of(record.get("guid"))),)),
        "time": Named(("ts", "timestamp"), lambda record: (first_moment(_times(record)),)),
        "cluster": Named(("metadata", "pps", "audit"), lambda record: (text_at(record, *_CLUSTER),)),
        "subject": Named(("audit",), lambda record: (story(record),)),
        "ip": Named(("audit",), lambda record: (where(record),)),
        "outcome": Named((), lambda record: (OTHER,)),
        "action": Named(("audit",), lambda record: (action(record),)),
        "user": Named(("audit",), _user_values),
        "resource": Named(("audit",), _resource_values),
    },
)
