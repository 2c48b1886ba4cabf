"""What a `message` record adds to a journey: where the mail came from, and what the filter decided."""

from __future__ import annotations

import math
from typing import Any, Final

from pod_desktop.content.fit import fit
from pod_desktop.content.journey import FILTER, Keys, Step, Told, Word
from pod_desktop.content.kind import moment
from pod_desktop.content.message_record import (
    Message,
    cluster,
    message_id,
    module,
    outcome,
    rule,
    score,
    source_ip,
)
from pod_desktop.content.mime import split_addresses
from pod_desktop.content.wording import few, shown, text_at, texts_at
from pod_desktop.core import limits
from pod_desktop.core.blocks import BAD, GOOD, INFO, WARN
from pod_desktop.core.clock import DAY, SECOND
from pod_desktop.core.record import DEFERRED, DELIVERED, DISCARDED, QUARANTINED, REJECTED

_TONES: Final = {DELIVERED: GOOD, QUARANTINED: BAD, REJECTED: BAD, DISCARDED: WARN, DEFERRED: WARN}
_PASSED: Final = "passed the filter"


def told(value: Any) -> Told:
    record = fit(Message, value)
    became = outcome(record)
    keys = Keys(
        cluster=cluster(record),
        agent=text_at(value, "metadata.origin.data.agent", "pps.agent"),
        qid=record.filter.qid,
        message_id=message_id(record),
        guid=record.guid,
        parent=text_at(value, "filter.origGuid"),
    )
    return Told(keys, (_arrival(record, value), _decision(record, value, became)), _words(record, became))


def _arrival(record: Message, value: Any) -> Step:
    ip = source_ip(record)
    host = record.connection.host if record.connection.host.strip("[]") != ip else ""
    secure = text_at(value, "connection.tls.inbound.version").replace("TLSv", "TLS ")
    if not secure and ip and not texts_at(value, "connection.tls.inbound.cipher"):
        secure = "no TLS"
    spf = text_at(value, "filter.modules.spf.result")
    dkim = few(texts_at(value, "filter.modules.dkimv.result"), 2)
    if text_at(value, "filter.origGuid"):
        who = few(split_addresses(record.envelope.rcpts), 3)
        return Step("Split off", _dotted(f"a copy for {who}" if who else ""), INFO, time=_started(record))
    return Step(
        f"Accepted from {shown(ip, 100)}" if ip else "Accepted",
        _dotted(host, secure, f"SPF {spf}" if spf else "", f"DKIM {dkim}" if dkim else ""),
        GOOD,
        time=_started(record),
    )


def _decision(record: Message, value: Any, became: str) -> Step:
    found = record.filter
    seconds = _seconds(value)
    spam = score(record)
    words = "quarantined" if became == QUARANTINED else found.disposition or became
    folder = found.quarantine.folder
    routes = few(texts_at(value, "filter.routes"), 3)
    started = _started(record)
    after = int(seconds * SECOND)
    return Step(
        f"Filter: {shown(words, 100)}",
        _dotted(
            f"folder {folder}" if folder else "",
            "" if spam is None else f"spam {spam}",
            f"rule {rule(record)}" if rule(record) else f"module {module(record)}" if module(record) else "",
            f"route {routes}" if routes else "",
            f"{seconds:.2f} s" if seconds else "",
        ),
        _TONES.get(became, INFO),
        offset=after,
        time=None if started is None else started + after,
    )


def _started(record: Message) -> int | None:
    """When the filter began, where the record says so."""
    return moment(record.filter.startTime)


def _seconds(value: Any) -> float:
    """How long the filter took; 0 where that is not told or absurd."""
    try:
        seconds = float(text_at(value, "filter.durationSecs")[:40] or 0)
    except ValueError:
        return 0.0
    return seconds if math.isfinite(seconds) and 0 <= seconds * SECOND < DAY else 0.0


def _words(record: Message, became: str) -> tuple[Word, ...]:
    decided = f"rule {rule(record)}" if rule(record) and became != DELIVERED else ""
    detail = _PASSED if became == DELIVERED else shown(_dotted(f"{became} by the filter", decided), 300)
    people = split_addresses(record.envelope.rcpts)[: limits.RECIPIENTS]
    return tuple(Word(shown(one, 400), became, detail, weight=FILTER) for one in people)


def _dotted(*pieces: str) -> str:
    return shown(" · ".join(piece for piece in pieces if piece), 500)
