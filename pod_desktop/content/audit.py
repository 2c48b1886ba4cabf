"""`audit` records: what administrators and services did."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from pod_desktop.content.audit_summary import summary
from pod_desktop.content.fit import text_of
from pod_desktop.content.kind import Kind, Named, hidden, identity, joined, moment, short_id, time_or_arrival
from pod_desktop.content.paths import leaves, lookup
from pod_desktop.core.record import AUDIT, FLAG_HIDDEN_CHARACTERS, FLAG_TRUNCATED, OTHER, Columns

_Record = Mapping[str, Any]
_ACTION: Final = ("audit.action",)
_USER: Final = ("audit.user.email", "audit.user.id", "audit.user", "audit.service.id")
_RESOURCE: Final = ("audit.resourceName", "audit.resourceType")
_IP: Final = ("audit.user.ipAddress", "audit.service.ipAddress")
_CLUSTER: Final = ("metadata.origin.data.cid", "pps.cid", "audit.service.cid")


def first(record: _Record, paths: tuple[str, ...]) -> str:
    """The first value at any of the paths, as text."""
    for path in paths:
        for value in lookup(record, path):
            if text := text_of(value):
                return text
    return ""


def who(record: _Record) -> str:
    return first(record, _USER)


def action(record: _Record) -> str:
    return first(record, _ACTION)


def resource(record: _Record) -> str:
    return " ".join(part for path in _RESOURCE if (part := first(record, (path,))))


def where(record: _Record) -> str:
    return first(record, _IP).strip("[] ")


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


def _time(record: _Record) -> int | None:
    return next((micros for text in _times(record) if (micros := moment(text)) is not None), None)


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
        cluster=first(record, _CLUSTER),
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


def _user_values(record: _Record) -> tuple[str, ...]:
    found = (first(record, ("audit.user.email",)), first(record, ("audit.user.id",)))
    return found if any(found) else (who(record),)


def _resource_values(record: _Record) -> tuple[str, ...]:
    return tuple(first(record, (path,)) for path in _RESOURCE)


KIND: Final = Kind(
    name=AUDIT,
    title="Audit",
    fit=lambda value: value,
    columns=columns,
    text=lambda record: joined(_texts(record))[0],
    summary=summary,
    named={
        "id": Named(("guid",), lambda record: (short_id(text_of(record.get("guid"))),)),
        "time": Named(("ts", "timestamp"), lambda record: (_time(record),)),
        "cluster": Named(("metadata", "pps", "audit"), lambda record: (first(record, _CLUSTER),)),
        "subject": Named(("audit",), lambda record: (story(record),)),
        "ip": Named(("audit",), lambda record: (where(record),)),
        "outcome": Named((), lambda record: (OTHER,)),
        "action": Named(("audit",), lambda record: (action(record),)),
        "user": Named(("audit",), _user_values),
        "resource": Named(("audit",), _resource_values),
    },
)
