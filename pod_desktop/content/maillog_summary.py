"""What happened to a message by one mail-log line, in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pod_desktop.content.fit import fit
from pod_desktop.content.maillog_record import (
    NOWHERE,
    Line,
    Said,
    cluster,
    delay_of,
    mailer,
    message_id,
    outcome,
    size_of,
    story,
    understand,
)
from pod_desktop.content.wording import (
    fact,
    facts,
    few,
    outcome_chip,
    seconds_words,
    shown,
    size_words,
    text_at,
)
from pod_desktop.core.blocks import BAD, GOOD, INFO, WARN, Block, Chip, Fact, Lines, Notice
from pod_desktop.core.record import (
    BOUNCED,
    DEFERRED,
    DELIVERED,
    DISCARDED,
    REJECTED,
    Columns,
    EventRow,
)

_TONES = {DELIVERED: GOOD, DEFERRED: WARN, DISCARDED: WARN, BOUNCED: BAD, REJECTED: BAD}


def summary(value: Any, columns: Columns | EventRow) -> tuple[Block, ...]:
    record = fit(Line, value)
    said = understand(record)
    became = outcome(said)
    blocks: list[Block] = [Notice(shown(_words(record, said, became)), _TONES.get(became, INFO))]
    blocks += facts(_facts(record, said, became, value))
    if record.data:
        blocks.append(Lines("Log line", tuple(shown(line) for line in record.data[:16_384].splitlines())))
    return tuple(blocks)


def _words(record: Line, said: Said, became: str) -> str:
    """One sentence."""
    who = few(said.recipients, 3)
    why = f": {said.why}" if said.why else ""
    relay = f" by {said.relay}" if said.relay else ""
    if became == DELIVERED:
        return f"Delivered to {who or 'its recipients'}{f', taken{relay}' if relay else ''}{why}."
    if became == DISCARDED:
        return f"Discarded: written to {NOWHERE}, nobody gets this copy."
    if became == DEFERRED:
        return f"Deferred, sendmail will try again for {who or 'its recipients'}{why}."
    if became == BOUNCED:
        return f"Bounced for {who or 'its recipients'} ({said.stat}){why}."
    if became == REJECTED:
        return f"Rejected{relay}: {text_at(dict(said.pairs), 'reject') or story(record, said)}"
    if "from" in said.pairs:
        return f"Taken into the queue from {said.sender or 'the null sender'}{relay}."
    return story(record, said) or "A line without words."


def _facts(record: Line, said: Said, became: str, value: Any) -> Iterator[Fact]:
    pairs = dict(said.pairs)
    chips = (Chip(shown(f"stat={said.stat}", 100), _TONES.get(became, INFO)),) if said.stat else ()
    yield fact("Outcome", said.why, chips=(outcome_chip(became), *chips))
    if "from" in said.pairs:
        yield fact("Envelope from", said.sender or "<> (no sender)", mono=True)
    yield fact("Recipients", few(said.recipients, 20), mono=True)
    yield fact("Controlled by", text_at(pairs, "ctladdr"), mono=True)
    yield fact("Relay", said.relay, mono=True)
    yield fact("Status code", said.dsn, mono=True)
    for label, name in (("Delay", "delay"), ("Time of this try", "xdelay")):
        seconds = delay_of(said, name)
        yield fact(label, "" if seconds is None else seconds_words(seconds))
    yield fact("Mailer", mailer(said))
    yield fact("Size", size_words(size_of(said)))
    yield fact("Recipients announced", text_at(pairs, "nrcpts"))
    yield fact("TLS", _tls(value))
    yield fact("Queue id", said.qid, mono=True)
    yield fact("Message-ID", message_id(said), mono=True)
    yield fact("Cluster", cluster(record), mono=True)


def _tls(value: Any) -> str:
    version = text_at(value, "tls.version")
    verify = text_at(value, "tls.verify", "sm.tls.verify")
    if version.upper() in ("", "NONE"):
        return "none" if version or verify.upper() == "NONE" else verify
    return " · ".join(piece for piece in (version, text_at(value, "tls.cipher"), f"verify {verify}") if piece)
