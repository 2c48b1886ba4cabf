"""A bulk run: planned entries sent one by one, with pause, cancel and resume, each an action of its own.

Intents are committed a batch at a time before the first of the batch is sent, and after a batch one reading of
the list confirms it: so a value costs one request, and not a reading of a list that grows with every value.
A run that is cut off anywhere is resumed where it was: every row names its action before it begins, the
journal begins no action twice, and what was under way is checked by the list.
"""

from __future__ import annotations

import asyncio
import os
from collections import Counter, deque
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from pod_desktop.core.action import FAILED, IN_PROGRESS, SUCCEEDED, UNKNOWN, Action, Answer, Entry
from pod_desktop.core.faults import Fault, UserFault
from pod_desktop.core.guards import Surroundings
from pod_desktop.core.responder import RespondConnector
from pod_desktop.services.bulk_plan import Candidate
from pod_desktop.services.carrying import response_text
from pod_desktop.services.prepare import Prepared, prepare_entry
from pod_desktop.services.processes import lives, own_mark
from pod_desktop.services.respond import Responding, new_action_id, under_way

BATCH: Final = 50
FAILURES: Final = 3
"""Failures in a row after which a run pauses by itself: what is wrong is not the value."""
CLOSED: Final = "The program was closed while this was under way."

READY: Final = "ready"
RUNNING: Final = "running"
PAUSED: Final = "paused"
CANCELLED: Final = "cancelled"
ENDED: Final = "ended"

_AT_WORK: set[str] = set()
"""Ids of this process's runs between the beginning and the end of run()."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkRow:
    """One value of a run."""

    action_id: str
    entry: Entry
    record_id: str = ""
    confirmed: bool = False
    status: str = ""
    """Of the action; '' = not begun. `sent` while the list has yet to confirm it."""
    message: str = ""


SENT: Final = "sent"


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkProgress:
    """How far a run is."""

    id: str
    state: str
    rows: Sequence[BulkRow]
    """The run's own list: it goes on changing."""
    done: int
    succeeded: int
    failed: int
    unknown: int
    why: str = ""
    """Why it has paused by itself."""

    @property
    def total(self) -> int:
        return len(self.rows)


class BulkRun:
    """One run. run() may be called again after pause, cancel, or a restart of the program."""

    def __init__(
        self,
        responding: Responding,
        connector: RespondConnector,
        rows: Sequence[Candidate],
        *,
        around: Surroundings,
        actor: str,
        why: str = "",
        expires: int = 0,
        tenant: str = "",
        changed: Callable[[BulkProgress], None] = lambda progress: None,
        batch: int = BATCH,
    ) -> None:
        """Make a run of the plan's rows (Plan.to_send); nothing is sent before run().

        Args:
            expires: microseconds UTC when the inverses are due; 0 = never.
            changed: told after each row; reading `progress.rows` is cheap.
        """
        now = responding.clock.now()
        self._setup(responding, connector, around, changed, batch)
        self.id = new_action_id(now)
        self._actor, self._why, self._expires, self._tenant = actor, why, expires, tenant
        self._rows = [
            BulkRow(
                # One microsecond apart, so that the history keeps the order of the list.
                action_id=new_action_id(now + place),
                entry=row.entry,
                record_id=row.record_id,
                confirmed=row.confirmed,
            )
            for place, row in enumerate(rows)
        ]
        self._counts = Counter({"": len(self._rows)})
        self._save()

    def _setup(
        self,
        responding: Responding,
        connector: RespondConnector,
        around: Surroundings,
        changed: Callable[[BulkProgress], None],
        batch: int,
    ) -> None:
        self._responding = responding
        self._connector = connector
        self._around = around
        self._changed = changed
        self._batch = max(1, batch)
        self._go = asyncio.Event()
        self._go.set()
        self._state = READY
        self._paused_because = ""
        self._failures = 0

    @classmethod
    def resume(
        cls,
        responding: Responding,
        bulk_id: str,
        *,
        around: Surroundings,
        changed: Callable[[BulkProgress], None] = lambda progress: None,
        batch: int = BATCH,
    ) -> BulkRun:
        """A run of an earlier day or process as it stands; run() goes on with what was not begun.

        Raises:
            UserFault: there is no such run, or its responder is gone.
        """
        states = {one: state for one, _, state in responding.journal.bulks()}
        if bulk_id not in states:
            raise UserFault("There is no such bulk run to resume.", bulk_id)
        state = states[bulk_id]
        if at_work(bulk_id, state):
            raise UserFault("This bulk run is under way already.", bulk_id)
        connector = next((one for one in responding.connectors() if one.name == state["responder"]), None)
        if connector is None or connector.type != state["type"]:
            raise UserFault(
                f"The responder {state['responder']} is gone or disabled.", bulk_id, "Add it again."
            )
        run = cls.__new__(cls)
        run._setup(responding, connector, around, changed, batch)
        run.id = bulk_id
        run._actor, run._why = state["actor"], state["why"]
        run._expires, run._tenant = state["expires"], state["tenant"]
        run._rows = [BulkRow(**{**row, "entry": Entry(**row["entry"])}) for row in state["rows"]]
        run._read_states()
        return run

    # what to do with it

    async def run(self) -> BulkProgress:
        """Send what has not been begun, until the end, pause() with a later cancel(), or cancel()."""
        self._state, self._paused_because, self._failures = RUNNING, "", 0
        self._go.set()
        _AT_WORK.add(self.id)
        try:
            if any(row.status in (IN_PROGRESS, UNKNOWN) for row in self._rows):
                # Of a process that died: the list tells what of them is left to do.
                await self._responding.recover()
                self._read_states()
            while self._state != CANCELLED and (rows := self._next_batch()):
                await self._go.wait()
                if self._state != CANCELLED:
                    await self._send_batch(rows)
        except asyncio.CancelledError:
            self._state = CANCELLED
            raise
        finally:
            _AT_WORK.discard(self.id)
            if self._state != CANCELLED:
                self._state = ENDED
            if not any(row.status == "" for row in self._rows):
                self._responding.journal.put_bulk(self.id, None, at=self._responding.clock.now())
            self._tell()
        return self.progress

    def pause(self) -> None:
        """Stop after the value that is under way; go_on() or run() continues."""
        if self._state == RUNNING:
            self._state = PAUSED
            self._go.clear()
            self._tell()

    def go_on(self) -> None:
        """Continue after pause(), or after the run has paused by itself."""
        if self._state == PAUSED:
            self._state, self._paused_because, self._failures = RUNNING, "", 0
            self._go.set()
            self._tell()

    def cancel(self) -> None:
        """Stop after the value that is under way. What was sent stays; the rest can be resumed."""
        self._state = CANCELLED
        self._go.set()

    @property
    def connector(self) -> RespondConnector:
        """The responder that sends."""
        return self._connector

    @property
    def progress(self) -> BulkProgress:
        counts = self._counts
        return BulkProgress(
            id=self.id,
            state=self._state,
            rows=self._rows,
            done=len(self._rows) - counts[""] - counts[SENT],
            succeeded=counts[SUCCEEDED],
            failed=counts[FAILED],
            unknown=counts[UNKNOWN],
            why=self._paused_because,
        )

    # one batch

    def _next_batch(self) -> list[int]:
        return [place for place, row in enumerate(self._rows) if row.status == ""][: self._batch]

    async def _send_batch(self, places: list[int]) -> None:
        """Intents, requests one by one, one reading of the list, outcomes."""
        try:
            credentials = await self._responding.carrier.credentials(self._connector)
        except Fault as fault:
            self._pause_because(f"{fault} Nothing was sent.")
            await self._go.wait()
            return
        begun = self._begin(places)
        accepted: list[tuple[int, Action, Answer]] = []
        with under_way(*(action.id for _, action in begun)):
            left = deque(begun)
            try:
                while left:
                    await self._go.wait()
                    if self._state == CANCELLED:
                        break
                    place, action = left.popleft()
                    answer = await self._post(action, credentials)
                    if isinstance(answer, Answer) and _plainly_accepted(answer):
                        self._show(place, SENT, "")
                        self._failures = 0
                        accepted.append((place, action, answer))
                    else:
                        self._settle(
                            place, await self._responding.carrier.go_on(action, self._connector, answer)
                        )
            except asyncio.CancelledError:
                for _, action, _ in accepted:
                    self._responding.carrier.unknown(action, CLOSED)
                raise
            finally:
                # Also when the program is being closed: what was not sent is known not to be.
                self._give_back(left)
            await self._confirm(accepted)

    def _begin(self, places: list[int]) -> list[tuple[int, Action]]:
        begun: list[tuple[int, Action]] = []
        for place in places:
            row = self._rows[place]
            try:
                action = self._responding.intent(
                    self._prepared(row),
                    actor=self._actor,
                    why=self._why,
                    confirmed=row.entry.value if row.confirmed else "",
                    expires=self._expires,
                    action_id=row.action_id,
                )
            except UserFault as fault:
                self._show(place, FAILED, str(fault))
                continue
            # The attempt is committed with the intent: one transaction for the batch.
            begun.append((place, replace(action, attempts=1)))
        self._responding.journal.begin_all([action for _, action in begun])
        return begun

    def _prepared(self, row: BulkRow) -> Prepared:
        return prepare_entry(
            self._connector, row.entry, around=self._around, record_id=row.record_id, tenant=self._tenant
        )

    async def _post(self, action: Action, credentials: Any) -> Answer | Fault:
        try:
            return await self._responding.carrier.send(action, self._connector, credentials)
        except Fault as fault:
            return fault
        except asyncio.CancelledError:
            self._responding.carrier.unknown(action, CLOSED)
            raise

    def _give_back(self, left: Collection[tuple[int, Action]]) -> None:
        """Rows of the batch that were not sent: their actions end, and get new ids for another time."""
        if not left:
            return
        now = self._responding.clock.now()
        self._responding.carrier.finish_all(
            [(action, FAILED, "Stopped before this was sent.", {"attempts": 0}) for _, action in left]
        )
        for place, _ in left:
            self._rows[place] = replace(self._rows[place], action_id=new_action_id(now + place))
            self._show(place, "", "")
        self._save()

    async def _confirm(self, accepted: list[tuple[int, Action, Answer]]) -> None:
        """One reading of the list for all that was accepted; what it does not show is looked into one by one."""
        if not accepted:
            return
        carrier, which = self._responding.carrier, accepted[0][1].list
        try:
            entries = await carrier.entries(self._connector, which)
        except Fault:
            found = None
        else:
            found = {entry.identity for entry in entries}
        ends: list[tuple[Action, str, str, dict[str, Any]]] = []
        rest: list[tuple[int, Action, Answer]] = []
        for place, action, answer in accepted:
            if found is not None and (action.entry.identity in found) == action.wanted:
                more = {"http_status": answer.status, "response": response_text(answer)}
                ends.append((action, SUCCEEDED, "Done: the list confirms it.", more))
            else:
                rest.append((place, action, answer))
        by_id = {action.id: place for place, action, _ in accepted}
        for action in carrier.finish_all(ends) if ends else ():
            self._settle(by_id[action.id], action)
        for place, action, answer in rest:
            self._settle(place, await carrier.go_on(action, self._connector, answer))

    # states

    def _settle(self, place: int, action: Action) -> None:
        self._show(place, action.status, action.message)
        if action.status == SUCCEEDED:
            self._failures = 0
            return
        self._failures += 1
        if self._failures >= FAILURES and self._state == RUNNING:
            self._pause_because(f"{self._failures} values in a row failed. {action.message}")

    def _pause_because(self, why: str) -> None:
        if self._state == RUNNING:
            self._paused_because = why
            self._state = PAUSED
            self._go.clear()
            self._tell()

    def _show(self, place: int, status: str, message: str) -> None:
        self._counts[self._rows[place].status] -= 1
        self._counts[status] += 1
        self._rows[place] = replace(self._rows[place], status=status, message=message)
        self._tell()

    def _tell(self) -> None:
        self._changed(self.progress)

    def _read_states(self) -> None:
        """What the journal says of the rows. What never had an answer is to be done, under a new id."""
        now = self._responding.clock.now()
        for place, row in enumerate(self._rows):
            try:
                action = self._responding.journal.action(row.action_id)
            except UserFault:
                action = None
            if action is None or never_answered(action):
                self._rows[place] = replace(row, action_id=new_action_id(now + place), status="", message="")
            else:
                self._rows[place] = replace(row, status=action.status, message=action.message)
        self._counts = Counter(row.status for row in self._rows)
        self._save()

    def _save(self) -> None:
        state = {
            "responder": self._connector.name,
            "type": self._connector.type,
            "actor": self._actor,
            "why": self._why,
            "expires": self._expires,
            "tenant": self._tenant,
            "owner": os.getpid(),
            "owner_mark": own_mark(),
            "rows": [asdict(replace(row, status="", message="")) for row in self._rows],
        }
        self._responding.journal.put_bulk(self.id, state, at=self._responding.clock.now())


def _plainly_accepted(answer: Answer) -> bool:
    return answer.sent and answer.whole and 200 <= answer.status < 300


def at_work(bulk_id: str, state: Mapping[str, Any]) -> bool:
    """Whether this process, or another that still runs, is carrying this run out."""
    if bulk_id in _AT_WORK:
        return True
    owner = int(state.get("owner", 0))
    return owner != os.getpid() and lives(owner, str(state.get("owner_mark", "")))


def never_answered(action: Action) -> bool:
    """Whether an action of a run ended before anything was heard of it: its value is still to be done."""
    return action.status == FAILED and not action.http_status
