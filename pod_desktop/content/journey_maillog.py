"""What a line of the mail log adds to a journey: queued, tried, sent, deferred, given up."""

from __future__ import annotations

from typing import Any, Final

from pod_desktop.content.fit import fit
from pod_desktop.content.journey import INSIDE, LINE, Keys, Step, Told, Word
from pod_desktop.content.maillog_record import (
    NOWHERE,
    Line,
    Said,
    cluster,
    delay_of,
    happening,
    is_delivery,
    message_id,
    outcome,
    relay_ip,
    size_of,
    understand,
)
from pod_desktop.content.wording import few, seconds_words, shown, text_at
from pod_desktop.core import limits
from pod_desktop.core.blocks import BAD, GOOD, INFO, WARN
from pod_desktop.core.record import BOUNCED, DEFERRED, DELIVERED, DISCARDED, REJECTED

_TONES: Final = {DELIVERED: GOOD, DEFERRED: WARN, DISCARDED: WARN, BOUNCED: BAD, REJECTED: BAD}
_TITLES: Final = {DELIVERED: "Sent", DEFERRED: "Deferred", BOUNCED: "Bounced", REJECTED: "Rejected"}


def told(value: Any) -> Told:
    record = fit(Line, value)
    said = understand(record)
    keys = Keys(
        cluster=cluster(record),
        agent=text_at(value, "metadata.origin.data.agent", "pps.agent"),
        qid=said.qid,
        message_id=message_id(said),
    )
    became = outcome(said)
    if became == DISCARDED:
        step = Step("Discarded", f"written to {NOWHERE}: nobody gets this copy", WARN)
        return Told(keys, (step,), dropped=True)
    return Told(keys, _steps(record, said, became), _words(said, became))


def is_inside(said: Said) -> bool:
    """Is the next host this one? Then it is a hand-over to or from the filter, not a delivery."""
    ip = relay_ip(said)
    return ip.startswith("127.") or ip == "::1" or said.relay.casefold().startswith("localhost")


def _steps(record: Line, said: Said, became: str) -> tuple[Step, ...]:
    if is_delivery(said):
        return (_try(said, became),)
    if became == REJECTED:
        return (Step("Rejected", shown(text_at(dict(said.pairs), "reject"), 500), BAD),)
    if "from" in said.pairs:
        size, count = size_of(said), text_at(dict(said.pairs), "nrcpts")
        detail = _dotted(
            f"nrcpts={count}" if count else "",
            "" if size is None else f"size {size:,}",
            f"from {said.relay}" if said.relay else "",
        )
        return (Step("Queued", detail, GOOD),)
    words = shown(happening(record).replace("\r", " ").replace("\n", " "), 500)
    return (Step("Log line", words, INFO),) if words else ()


def _try(said: Said, became: str) -> Step:
    who = few((shown(one, 400) for one in said.recipients), 3) or "its recipients"
    inside = became == DELIVERED and is_inside(said)
    word = "Handed on" if inside else _TITLES.get(became, said.stat or "Tried")
    delay = delay_of(said)
    late = f"delay {seconds_words(delay)}" if delay is not None and became != DEFERRED and not inside else ""
    return Step(
        f"{shown(word, 100)}: {who}",
        _dotted(_why(said), said.relay, late),
        INFO if inside else _TONES.get(became, INFO),
        whom="\n".join(sorted(one.casefold() for one in said.recipients[:100])),
        deferral=became == DEFERRED,
    )


def _why(said: Said) -> str:
    """`250 2.0.0 Ok`, `451 4.7.1 Greylisted`: what the other side said, with its status code."""
    if said.dsn and said.dsn not in said.why:
        return f"{said.dsn} {said.why}".strip()
    return said.why


def _words(said: Said, became: str) -> tuple[Word, ...]:
    if not said.stat:
        return ()
    inside = became == DELIVERED and is_inside(said)
    detail = _dotted(_why(said), said.relay)
    people = [one for one in said.recipients[: limits.RECIPIENTS] if one != NOWHERE]
    return tuple(
        Word(shown(one, 400), became, detail, delay_of(said), INSIDE if inside else LINE, tried=not inside)
        for one in people
    )


def _dotted(*pieces: str) -> str:
    return shown(" · ".join(piece for piece in pieces if piece), 500)
