"""What the Actions tab, the Action History and the Lists page ask of the rooms below.

Every coroutine runs on the actions' own loop (calls.Calls), never on the window's thread; whoever implements
them takes blocking work to other threads. Tests put a desk in memory here, the program RealDesk.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, Protocol

from pod_desktop.core.action import Action, Entry
from pod_desktop.core.responder import RespondConnector
from pod_desktop.services.impact import Impact, Standing
from pod_desktop.services.prepare import Prepared

NEW: Final = "new"
THERE: Final = "already there"
INVALID: Final = "invalid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A form as it is filled in: templates, and what they are filled from."""

    connector: RespondConnector
    path_and_query: str
    body: str
    record: Mapping[str, object] = field(default_factory=dict)
    """The record's clean view; empty where there is none."""
    record_id: str = ""
    tenant: str = ""


class Step(NamedTuple):
    """One thing that happened to an action."""

    time: int
    """Microseconds UTC."""
    change: Mapping[str, Any]
    """Fields of the Action, as the journal keeps them."""


class Shown(NamedTuple):
    """One entry of a list, with what we know of it."""

    entry: Entry
    action: Action | None
    """Ours that put it there; None: it was added elsewhere."""
    marks: tuple[str, ...]
    """What to look at: `conflict`, `duplicate`, `new`."""
    notes: tuple[str, ...] = ()
    """The marks in sentences."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListLook:
    """A list as the service tells it, with our history joined."""

    entries: tuple[Shown, ...]
    at: int
    """Microseconds UTC when it was read."""
    before: int = 0
    """Microseconds UTC of the look before; 0: there was none."""
    added: int = 0
    removed: tuple[Entry, ...] = ()
    """Gone since the look before."""
    problem: str = ""
    """What could not be found out, such as the other list; '' if nothing."""


class Line(NamedTuple):
    """One line of what was pasted."""

    number: int
    text: str
    """As pasted."""
    entry: Entry | None
    verdict: str
    """NEW, THERE or INVALID."""
    reason: str
    """Why it is not new, or what to confirm."""
    confirm: bool = False
    """It is sent only when a person confirms it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What would be done with many values, before anything is sent."""

    lines: tuple[Line, ...]

    def count(self, verdict: str) -> int:
        return sum(1 for line in self.lines if line.verdict == verdict)


class Done(NamedTuple):
    """How one entry of a bulk run ended."""

    number: int
    """The line's number."""
    action: Action


class BulkRun(Protocol):
    """A run of many actions, told to pause and to stop from any thread."""

    def pause(self) -> None: ...
    def resume(self) -> None: ...
    def cancel(self) -> None:
        """Send nothing more; what is under way is finished."""
        ...


class ActionsDesk(Protocol):
    """All raise Fault where something is wrong that people can be told."""

    def version(self) -> int:
        """Changes with every step of any action. Quick; asked from the window's thread."""
        ...

    def new_action_id(self) -> str:
        """Once for every form: the same id is never begun twice. Quick."""
        ...

    async def responders(self) -> Sequence[RespondConnector]:
        """Those that are enabled."""
        ...

    async def prepare(self, draft: Draft) -> Prepared:
        """Raises UserFault (TemplateFault with its place) when it cannot be sent like this."""
        ...

    async def standing(self, prepared: Prepared) -> Standing:
        """By reading the lists, or from a reading of a moment ago. A list that cannot be read is told in it."""
        ...

    async def impact(self, prepared: Prepared) -> Impact: ...

    async def submit(
        self, prepared: Prepared, *, action_id: str, confirmed: str = "", expires: int = 0, why: str = ""
    ) -> Action: ...

    async def undo(self, action_id: str) -> Action: ...
    async def check(self, action_id: str) -> Action: ...
    async def retry(self, action_id: str, *, confirmed: str = "") -> Action: ...

    async def set_expiry(self, action_id: str, expires: int) -> Action:
        """Remove it at another time; 0: never."""
        ...

    async def action(self, action_id: str) -> Action: ...

    async def actions(self) -> Sequence[Action]:
        """Newest first, bounded."""
        ...

    async def steps(self, action_id: str) -> Sequence[Step]:
        """Oldest first."""
        ...

    async def verify(self) -> str:
        """What is wrong with the history's chain; '' when nothing is."""
        ...

    async def look(self, connector: RespondConnector, which: str) -> ListLook:
        """Read a list ("block" or "safe") of the connector's cluster."""
        ...

    async def plan(
        self,
        connector: RespondConnector,
        text: str,
        *,
        attribute: str,
        operator: str,
        comment: str = "",
        tenant: str = "",
    ) -> Plan:
        """Judge many values, one a line or as CSV, against the list as it is now."""
        ...

    async def run_bulk(
        self,
        connector: RespondConnector,
        lines: Sequence[Line],
        *,
        expires: int,
        why: str,
        told: Callable[[Done], None],
        begun: Callable[[BulkRun], None],
    ) -> Sequence[Done]:
        """Carry the lines out one after the other; `told` hears of each, from the actions' thread."""
        ...
