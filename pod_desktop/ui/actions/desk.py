"""What the Actions tab, the Action History and the Lists page ask of the rooms below.

Every coroutine runs on the actions' own loop (calls.Calls), never on the window's thread; whoever implements
them takes blocking work to other threads. Tests put a desk in memory here, the program RealDesk.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from pod_desktop.core.action import Action, Entry
from pod_desktop.core.record import EventRow
from pod_desktop.core.responder import RespondConnector
from pod_desktop.services.bulk import BulkProgress
from pod_desktop.services.bulk_left import Interrupted
from pod_desktop.services.bulk_plan import Candidate, Plan
from pod_desktop.services.history import Detail
from pod_desktop.services.impact import Impact, Standing
from pod_desktop.services.lists import Lists
from pod_desktop.services.prepare import Prepared


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Pasted:
    """Values as they were pasted, and what they are taken for."""

    text: str
    attribute: str
    """bulk_plan.AUTOMATIC, or one of core.action.ATTRIBUTES."""
    operator: str = "equal"
    comment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selected:
    """Records that were selected, and what of them is acted on."""

    rows: tuple[EventRow, ...]
    attribute: str = "$from"
    domain: bool = False
    """The sender's whole domain instead of the address."""
    comment: str = ""


class Run(Protocol):
    """A bulk run (services.bulk.BulkRun). All of it is called on the actions' loop, `progress` apart."""

    @property
    def progress(self) -> BulkProgress: ...
    async def run(self) -> BulkProgress: ...
    def pause(self) -> None: ...
    def go_on(self) -> None: ...
    def cancel(self) -> None: ...


class ActionsDesk(Protocol):
    """All raise Fault where something is wrong that people can be told."""

    async def version(self) -> int:
        """Changes with every step of any action, in any process."""
        ...

    def new_action_id(self) -> str:
        """Once for every form: the same id is never begun twice. Quick."""
        ...

    async def responders(self) -> Sequence[RespondConnector]:
        """Those that are enabled."""
        ...

    # one action

    async def prepare(self, draft: Draft) -> Prepared:
        """Raises UserFault (TemplateFault with its place) when it cannot be sent like this."""
        ...

    async def prepare_entry(
        self, connector: RespondConnector, entry: Entry, *, record_id: str = "", tenant: str = ""
    ) -> Prepared:
        """What a bulk run would send for one entry."""
        ...

    async def standing(self, prepared: Prepared) -> Standing:
        """By reading the lists, or from a reading of a moment ago. A list that cannot be read is told in it."""
        ...

    async def impact(self, prepared: Prepared) -> Impact: ...

    async def submit(
        self, prepared: Prepared, *, action_id: str, confirmed: str = "", expires: int = 0, why: str = ""
    ) -> Action: ...

    # what was done

    async def undo(self, action_id: str) -> Action: ...
    async def check(self, action_id: str) -> Action: ...
    async def retry_needs(self, action_id: str) -> str:
        """Why the value has to be typed again before a retry; '' where it need not."""
        ...

    async def retry(self, action_id: str, *, confirmed: str = "") -> Action: ...

    async def reschedule(self, action_id: str, expires: int) -> Action:
        """Remove it at another time; 0: never."""
        ...

    async def actions(self) -> Sequence[Action]:
        """Newest first, bounded."""
        ...

    async def detail(self, action_id: str) -> Detail: ...

    async def verify(self) -> str:
        """What is wrong with the history's chain; '' when nothing is."""
        ...

    # lists

    async def lists(self, connector: RespondConnector) -> Lists:
        """Read both lists of the connector's cluster. What cannot be read says so in the listing."""
        ...

    async def doer(self, connector: RespondConnector, action: str, which: str) -> RespondConnector:
        """The responder that adds to, or deletes from, a list of this cluster. Raises UserFault when none can."""
        ...

    async def plan(self, connector: RespondConnector, wanted: Pasted | Selected) -> Plan:
        """What would become of many values, judged against the list as it is now."""
        ...

    async def start(
        self,
        connector: RespondConnector,
        rows: Sequence[Candidate],
        *,
        expires: int = 0,
        why: str = "",
        changed: Callable[[BulkProgress], None],
    ) -> Run:
        """A run of a plan's rows; nothing is sent before Run.run(). `changed` is called on the loop's thread."""
        ...

    # bulk runs that were broken off

    async def interrupted(self) -> Sequence[Interrupted]:
        """Runs of which something is left, and that nobody carries out now; newest first."""
        ...

    async def resume(
        self, bulk_id: str, *, changed: Callable[[BulkProgress], None]
    ) -> tuple[RespondConnector, Run]:
        """The run as it stands; nothing is sent before Run.run(). Raises UserFault where it cannot go on."""
        ...

    async def discard(self, bulk_id: str) -> None:
        """Give up what is left of a run; what was sent stays."""
        ...
