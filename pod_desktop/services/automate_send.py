"""Sending what playbooks decided: one row, one action, paced, and stopped by whatever says stop.

A row names its action before anything is begun, and the journal begins no action twice. So a row that is
found again after a crash is begun if it was not, and never a second time if it was.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, defaultdict, deque
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol

from pod_desktop import responders, webhook
from pod_desktop.core.action import FAILED, UNKNOWN, Action
from pod_desktop.core.clock import HOUR, Clock, iso
from pod_desktop.core.faults import Fault, UserFault
from pod_desktop.core.guards import CONFIRM, GO, REFUSE, Reason, Surroundings, judge
from pod_desktop.core.playbook import ON, Limits
from pod_desktop.core.playbook_guards import HOLD
from pod_desktop.core.playbook_limits import FAILURES, HELD
from pod_desktop.core.responder import RespondConnector
from pod_desktop.core.text import plural
from pod_desktop.services.automate_fire import HELD_DAYS
from pod_desktop.services.prepare import Prepared
from pod_desktop.services.respond import new_action_id
from pod_desktop.services.tasks import Tasks
from pod_desktop.store import FiringRow, Journal, PlaybookEntry, Playbooks
from pod_desktop.store.playbook_rows import APPROVED, NOTHING, OPEN, SENT, WAITING

STALE: Final = HOUR
"""What was not sent within this is held."""
_MINUTE: Final = 60.0
_log: Final = logging.getLogger(__name__)


class Submits(Protocol):
    """What is needed of services.respond.Responding."""

    async def submit(
        self, prepared: Prepared, *, actor: str, why: str = "", confirmed: str = "", action_id: str = ""
    ) -> Action: ...


class Changed(UserFault):
    """The request is not the one that was decided on."""


def stopped_by(playbooks: Playbooks, stop_file: Path) -> str:
    """Why all playbooks are stopped; '' while nothing stops them."""
    if stop_file.exists():
        return f"All playbooks are stopped: the file {stop_file.name} is there."
    by = playbooks.stopped()
    return f"All playbooks are stopped by {by}." if by else ""


class Outbox:
    """Sends rows that wait. step() is called often, on the event loop; it begins what may begin."""

    def __init__(
        self,
        *,
        playbooks: Playbooks,
        journal: Journal,
        respond: Submits,
        connectors: Callable[[], list[RespondConnector]],
        around: Callable[[str], Surroundings],
        clock: Clock,
        stop_file: Path,
    ) -> None:
        self._playbooks = playbooks
        self._journal = journal
        self._respond = respond
        self._connectors = connectors
        self._around = around
        self._clock = clock
        self._stop_file = stop_file
        self._tasks = Tasks("automation", _report)
        self._under_way: dict[int, int] = {}
        """Row -> playbook."""
        self._failures: dict[int, int] = {}
        """Playbook -> failures in a row, as soon as they are known: what was read before may be older."""
        self._decided: object = None
        self._begun: dict[int, deque[float]] = defaultdict(deque)
        """Playbook -> monotonic seconds at which actions began within the last minute."""

    async def step(self) -> None:
        """Begin what may begin, hold what may not."""
        rows = [
            row for row in await asyncio.to_thread(self._playbooks.to_send) if row.id not in self._under_way
        ]
        if not rows:
            return
        if (decided := await asyncio.to_thread(self._playbooks.decided)) != self._decided:
            self._decided = decided
            self._failures.clear()  # a person may have armed it anew; what counts is read next
        entries = {entry.id: entry for entry in await asyncio.to_thread(self._playbooks.entries)}
        for row in rows:
            # Asked before each: the switch works between two actions.
            stopped = await asyncio.to_thread(stopped_by, self._playbooks, self._stop_file)
            if why := self._why_not(row, entries.get(row.playbook_id), stopped):
                await asyncio.to_thread(self._hold, row, why, HOLD)
            elif not stopped and self._has_room(row, entries.get(row.playbook_id)):
                self._begin(row)

    async def sent(self, seconds: float | None = None) -> None:
        """Return when nothing is under way, or after so long."""
        if self._tasks.running:
            await asyncio.wait(self._tasks.running, timeout=seconds)

    async def stop(self, seconds: float) -> None:
        """Let what is under way end; what does not in time is cut off and checked at the next start."""
        await self.sent(seconds)
        await self._tasks.stop(1.0)

    def _why_not(self, row: FiringRow, entry: PlaybookEntry | None, stopped: str) -> str:
        """Why a row that waits needs a person after all; '' if it does not. A person's word stands."""
        if row.status == APPROVED:
            return ""
        if entry is None or entry.state != ON or entry.version != row.version:
            return "The playbook was changed or switched off before this was sent."
        if entry.tripped:
            return f"The playbook was stopped: {entry.tripped}"
        if self._clock.now() - row.at >= STALE:
            return f"It was not sent within an hour of {iso(row.at)}."
        return stopped

    def _has_room(self, row: FiringRow, entry: PlaybookEntry | None) -> bool:
        """Whether pace and the failures so far allow one more; monotonic, so that no clock can be jumped."""
        limits = entry.playbook.limits if entry else Limits()
        begun, now = self._begun[row.playbook_id], self._clock.monotonic()
        while begun and now - begun[0] >= _MINUTE:
            begun.popleft()
        under_way = Counter(self._under_way.values())[row.playbook_id]
        failures = max(entry.failures if entry else 0, self._failures.get(row.playbook_id, 0))
        alone = row.status == APPROVED and not under_way
        return len(begun) < limits.per_minute and (alone or failures + under_way < FAILURES)

    def _begin(self, row: FiringRow) -> None:
        self._under_way[row.id] = row.playbook_id
        self._begun[row.playbook_id].append(self._clock.monotonic())
        self._tasks.spawn(self._send(row), f"row {row.id}")

    async def _send(self, row: FiringRow) -> None:
        try:
            await self._send_once(row)
        except Fault as fault:
            _log.warning("row %d of playbook %s: %s", row.id, row.playbook, fault)
        finally:
            self._under_way.pop(row.id, None)

    async def _send_once(self, row: FiringRow) -> None:
        if not row.action_id:
            action_id = new_action_id(self._clock.now())
            row = await asyncio.to_thread(
                self._playbooks.change, row.id, expect=(WAITING, APPROVED), action_id=action_id
            )
        if await asyncio.to_thread(self._is_begun, row.action_id):
            await asyncio.to_thread(self._sent, row)
            return
        try:
            prepared = await asyncio.to_thread(self._prepared, row)
            action = await self._respond.submit(
                prepared,
                actor=self._actor(row),
                why=_why(row),
                confirmed=row.confirmed,
                action_id=row.action_id,
            )
        except UserFault as fault:
            if not await asyncio.to_thread(self._is_begun, row.action_id):
                await asyncio.to_thread(
                    self._hold, row, str(fault), REFUSE if isinstance(fault, Changed) else CONFIRM
                )
                return
            await asyncio.to_thread(self._sent, row)
            return
        self._failures[row.playbook_id] = await asyncio.to_thread(self._ended, row, action)

    def _is_begun(self, action_id: str) -> bool:
        try:
            return self._journal.action(action_id).id == action_id
        except UserFault:
            return False

    def _prepared(self, row: FiringRow) -> Prepared:
        """The request as it was decided on.

        Raises:
            UserFault: the responder is gone, the request would be another one, or a playbook may no more.
        """
        connector = next((one for one in self._connectors() if one.name == row.responder), None)
        if connector is None or connector.type != row.responder_type or row.entry is None:
            raise UserFault(f"The responder {row.responder} is missing or disabled.", "responder")
        request = webhook.build(connector, row.path, row.body.encode())
        if request.digest != row.digest:
            raise Changed(f"The responder {row.responder} was changed since.", "responder")
        judgement = judge(row.action, row.list, row.entry, self._around(row.tenant))
        if judgement.answer != GO and row.status != APPROVED:
            raise UserFault(" ".join(reason.text for reason in judgement.reasons), "value")
        return Prepared(
            connector=connector,
            responder=responders.RESPONDERS[connector.type],
            request=request,
            entry=row.entry,
            judgement=judgement,
            record_id=row.record_id,
            tenant=row.tenant,
        )

    @staticmethod
    def _actor(row: FiringRow) -> str:
        return f"person {row.by}" if row.status == APPROVED else f"playbook {row.playbook} v{row.version}"

    def _hold(self, row: FiringRow, why: str, answer: str) -> None:
        """Keep it for a person; an approved row too, when it cannot be sent as it was approved."""
        self._playbooks.change(
            row.id,
            expect=(WAITING, APPROVED),
            status=OPEN,
            outcome=HELD,
            reason=why,
            reasons=(*row.reasons, Reason("not_sent", answer, why)),
            action_id="",
            expires=self._clock.now() + HELD_DAYS * 24 * HOUR,
        )

    def _sent(self, row: FiringRow) -> None:
        self._playbooks.change(row.id, expect=(WAITING, APPROVED, SENT, NOTHING), status=SENT)

    def _ended(self, row: FiringRow, action: Action) -> int:
        """Failures in a row by now."""
        self._sent(row)
        failures = self._playbooks.ended(row.playbook_id, failed=action.status in (FAILED, UNKNOWN))
        if failures >= FAILURES:
            self._playbooks.trip(row.playbook_id, f"{failures} actions failed in a row. {action.message}")
        return failures


def _why(row: FiringRow) -> str:
    records = plural(len(row.records), "record")
    key = f" of {row.key}" if row.key else ""
    words = f"{records}{key}, the last at {iso(row.time)}"
    if row.status == APPROVED:
        return f"Approved for playbook {row.playbook} v{row.version}: {words}. {row.reason}".strip()
    return f"Condition met: {words}."


def _report(name: str, error: BaseException) -> None:
    _log.error("%s ended: %s", name, type(error).__name__, exc_info=error)
