"""A journey as lines of text."""

from __future__ import annotations

from collections.abc import Iterator

from pod_desktop.cli.terminal import visible
from pod_desktop.content import title
from pod_desktop.core.clock import iso
from pod_desktop.core.record import OTHER
from pod_desktop.services.journey import Journey

_OUTCOME_WIDTH = 12


def as_text(journey: Journey) -> Iterator[str]:
    """What was joined, then one event after the other, then what became of whom."""
    yield visible(journey.note)
    yield ""
    for event in journey.events:
        time = iso(event.time)[:23].replace("T", " ") + "Z"
        yield f"{time}  {visible(event.title)}  [{title(event.kind)}]"
        if event.detail:
            yield f"{'':26}{visible(event.detail)}"
        yield f"{'':26}{visible(event.record_id)}"
    if journey.recipients:
        yield ""
    for one in journey.recipients:
        tries = f" · {one.tries:,} tries" if one.tries > 1 else ""
        outcome = "not known" if one.outcome == OTHER else one.outcome
        yield f"  {outcome:<{_OUTCOME_WIDTH}}{visible(one.recipient)}"
        yield f"{'':{_OUTCOME_WIDTH + 4}}{visible(one.detail)}{tries}"
    if journey.verdict:
        yield ""
        yield visible(journey.verdict)
