"""`maillog` records: one for each line that sendmail writes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import msgspec

from pod_desktop.content.fit import fit
from pod_desktop.content.kind import (
    Kind,
    Named,
    column,
    first_moment,
    hidden,
    identity,
    moment,
    short_id,
    time_or_arrival,
)
from pod_desktop.content.maillog_offers import offers
from pod_desktop.content.maillog_record import (
    Line,
    Said,
    cluster,
    delay_of,
    mailer,
    message_id,
    outcome,
    search_text,
    size_of,
    source_ip,
    story,
    times,
    understand,
)
from pod_desktop.content.maillog_summary import summary
from pod_desktop.core import limits
from pod_desktop.core.record import FLAG_HIDDEN_CHARACTERS, FLAG_TRUNCATED, MAILLOG, Columns


def columns(record: Line, raw: bytes, arrived: int) -> Columns:
    rid, flags = identity(record.id, raw)
    time, more = moment(record.ts), 0
    if time is None:
        time, more = time_or_arrival(times(record), arrived)
    said = understand(record)
    subject = story(record, said)
    text, cut = search_text(record, said)
    flags |= more
    if cut:
        flags |= FLAG_TRUNCATED
    if hidden(said.sender, said.relay, said.why or subject, said.recipients):
        flags |= FLAG_HIDDEN_CHARACTERS
    # Not Columns(…), which is two calls more.
    return tuple.__new__(
        Columns,
        (
            MAILLOG,
            rid,
            time,
            cluster(record),
            said.qid,
            message_id(said),
            said.sender,
            "",
            said.recipients,
            subject,
            source_ip(said),
            "",
            outcome(said),
            "",
            said.stat,
            "",
            "",
            "",
            "",
            None,
            size_of(said),
            flags,
            text,
        ),
    )


def _fit(value: Mapping[str, Any]) -> Line:
    return fit(Line, value)


def _recipients(said: Said) -> Iterable[str]:
    return [column(address) for address in said.recipients[: limits.RECIPIENTS]]


def _said(get: Callable[[Said], str | int | None]) -> Named:
    return Named(("sm", "data"), lambda record: (get(understand(record)),))


KIND: Final = Kind(
    name=MAILLOG,
    title="Mail Log",
    decode=msgspec.json.Decoder(Line).decode,
    fit=_fit,
    columns=columns,
    text=lambda record: search_text(record, understand(record))[0],
    summary=summary,
    offers=offers,
    named={
        "id": Named(("id",), lambda record: (short_id(record.id),)),
        "time": Named(("ts", "data"), lambda record: (first_moment(times(record)),)),
        "cluster": Named(("metadata", "pps"), lambda record: (cluster(record),)),
        "qid": _said(lambda said: said.qid),
        "message_id": _said(message_id),
        "sender": _said(lambda said: said.sender),
        "recipient": Named(("sm", "data"), lambda record: _recipients(understand(record))),
        "subject": Named(("sm", "data"), lambda record: (story(record, understand(record)),)),
        "ip": _said(source_ip),
        "outcome": _said(outcome),
        "stat": _said(lambda said: said.stat),
        "size": _said(size_of),
        "dsn": _said(lambda said: said.dsn),
        "relay": _said(lambda said: said.relay),
        "mailer": _said(mailer),
        "delay": _said(delay_of),
    },
)
