"""Bulk runs that did not come to their end: what is left of them, and giving it up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from pod_desktop.core.action import IN_PROGRESS, UNKNOWN, WAITING
from pod_desktop.core.clock import DAY
from pod_desktop.core.faults import UserFault
from pod_desktop.services.bulk import at_work, never_answered
from pod_desktop.store import Journal

KEPT_DAYS: Final = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Interrupted:
    """A run of which something is left to do, and that nobody is carrying out now."""

    id: str
    at: int
    """When it was begun, or last gone on with; microseconds UTC."""
    responder: str
    type: str
    """Of the responder, as in core.responder.TYPES."""
    actor: str
    total: int
    done: int
    """How many values have an outcome, good or bad."""

    @property
    def left(self) -> int:
        return self.total - self.done


def interrupted(journal: Journal, now: int) -> list[Interrupted]:
    """Runs of the last 30 days, newest first; older ones are forgotten.

    Raises:
        Outage: the journal cannot be read.
    """
    found = []
    for bulk_id, at, state in journal.bulks():
        if at < now - KEPT_DAYS * DAY:
            forget(journal, bulk_id, now)
        elif not at_work(bulk_id, state):
            run = Interrupted(
                id=bulk_id,
                at=at,
                responder=str(state["responder"]),
                type=str(state["type"]),
                actor=str(state["actor"]),
                total=len(state["rows"]),
                done=sum(_has_outcome(journal, row) for row in state["rows"]),
            )
            if run.left:
                found.append(run)
            else:  # its process died between the last outcome and this
                forget(journal, bulk_id, now)
    return found


def forget(journal: Journal, bulk_id: str, now: int) -> None:
    """Give up what is left of a run; what was sent stays, in the list and in the history."""
    journal.put_bulk(bulk_id, None, at=now)


def _has_outcome(journal: Journal, row: dict[str, Any]) -> bool:
    try:
        action = journal.action(str(row["action_id"]))
    except UserFault:
        return False
    return action.status not in (WAITING, IN_PROGRESS, UNKNOWN) and not never_answered(action)
