"""An actions desk in memory: two lists that tests fill, and answers that they order or hold back."""

from __future__ import annotations

import asyncio
import itertools
import json
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from pod_desktop import responders
from pod_desktop.core.action import (
    ADD,
    BLOCK,
    DELETE,
    FAILED,
    SAFE,
    SUCCEEDED,
    UNDONE,
    UNKNOWN,
    Action,
    Entry,
    Request,
)
from pod_desktop.core.faults import UserFault
from pod_desktop.core.guards import CONFIRM, Surroundings
from pod_desktop.core.responder import TYPES, RespondConnector
from pod_desktop.services import bulk_plan
from pod_desktop.services import prepare as preparing
from pod_desktop.services.bulk import BulkProgress, BulkRow
from pod_desktop.services.bulk_left import Interrupted
from pod_desktop.services.bulk_plan import Candidate, Plan
from pod_desktop.services.history import Detail
from pod_desktop.services.impact import Hits, Impact, Standing
from pod_desktop.services.lists import Listing, Lists, join
from pod_desktop.services.respond import responder_for
from pod_desktop.ui.actions.desk import Draft, Pasted, Selected

NAMES = ("acme-block", "acme-safe", "acme-unblock", "acme-unsafe")
ADD_BLOCK, ADD_SAFE, DELETE_BLOCK, DELETE_SAFE = TYPES


def responder(number: int, tenant: str = "acme", **more: object) -> RespondConnector:
    """One of the four."""
    values: dict[str, object] = {
        "name": NAMES[number], "tenant": tenant, "type": TYPES[number], "cluster_id": "acme_hosted",
    }  # fmt: skip
    return RespondConnector(**(values | more))  # type: ignore[arg-type]


def four() -> list[RespondConnector]:
    return [responder(0, "All Tenants"), *(responder(number) for number in (1, 2, 3))]


_NUMBERS = itertools.count(1)


def an_action(value: str = "billing@bad.example", **more: object) -> Action:
    """A row of the history; give what matters."""
    number = next(_NUMBERS)
    moment = time.time_ns() // 1000 - 60_000_000
    entry = Entry(attribute="$from", operator="equal", value=value, comment="POD Desktop g1")
    body = json.dumps({"action": "add", "attribute": "$from", "operator": "equal", "value": value}).encode()
    values: dict[str, object] = {
        "id": f"{number:016x}-aaaa", "time": moment, "actor": "person m.keller", "responder": "acme-block",
        "type": TYPES[0], "tenant": "acme", "cluster_id": "acme_hosted", "action": ADD, "list": BLOCK,
        "entry": entry, "request": Request(
            method="POST", url="https://threatprotection-api.proofpoint.com/api/v1/emailProtection/modules/spam/"
            "orgBlockList?clusterId=acme_hosted", body=body, digest="d" * 64,
        ),
        "record_id": "message:guid-1", "status": SUCCEEDED, "http_status": 200, "attempts": 1,
        "message": "Done: the list confirms it.", "ended": moment + 318_000,
    }  # fmt: skip
    values.update(more)
    return Action(**values)  # type: ignore[arg-type]


def impact(month: int, week: int = 0, delivered: int = 0, *recipients: tuple[str, int]) -> Impact:
    """Messages that an entry would have hit."""
    hits = Hits(month, delivered)
    return Impact(ever=hits, days_30=hits, days_7=Hits(week, 0), recipients=recipients)


@dataclass
class FakeActions:
    """ActionsDesk without files and network. `gate` closed holds every submit back."""

    connectors: list[RespondConnector] = field(default_factory=four)
    around: Surroundings = field(default_factory=Surroundings)
    held: dict[str, list[Entry]] = field(default_factory=lambda: {BLOCK: [], SAFE: []})
    history: list[Action] = field(default_factory=list)
    looks: dict[str, tuple[int, list[Entry]]] = field(default_factory=dict)
    impact_of: Impact = field(default_factory=lambda: impact(0))
    ending: dict[str, object] = field(default_factory=dict)
    """Changes to how the next submits end."""
    fault: Exception | None = None
    """Raised by submit."""
    list_fault: Exception | None = None
    prepare_fault: Exception | None = None
    posts: list[Action] = field(default_factory=list)
    expiries: list[tuple[str, int]] = field(default_factory=list)
    chain: str = ""
    retry_reasons: str = ""
    runs: list[FakeRun] = field(default_factory=list)
    left: dict[str, FakeRun] = field(default_factory=dict)
    """Bulk runs that were broken off."""

    def __post_init__(self) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self._version = 0
        self._ids = itertools.count(1)
        self._begun: set[str] = set()

    def touch(self) -> None:
        self._version += 1

    async def version(self) -> int:
        return self._version

    def new_action_id(self) -> str:
        return f"{next(self._ids):08x}-form"

    async def responders(self) -> Sequence[RespondConnector]:
        return list(self.connectors)

    async def prepare(self, draft: Draft) -> preparing.Prepared:
        if self.prepare_fault is not None:
            raise self.prepare_fault
        return preparing.prepare(
            draft.connector, path_and_query=draft.path_and_query, body=draft.body,
            scope=preparing.scope_of(draft.record, draft.connector), around=self.around,
            record_id=draft.record_id, tenant=draft.tenant,
        )  # fmt: skip

    def _held(self, which: str, entry: Entry) -> Entry | None:
        return next((one for one in self.held[which] if one.identity == entry.identity), None)

    async def standing(self, prepared: preparing.Prepared) -> Standing:
        if self.list_fault is not None:
            return Standing(problem=str(self.list_fault))
        which = prepared.responder.list
        other = SAFE if which == BLOCK else BLOCK
        return Standing(there=self._held(which, prepared.entry), other=self._held(other, prepared.entry))

    async def impact(self, prepared: preparing.Prepared) -> Impact:
        return self.impact_of

    async def _gated(self) -> None:
        await asyncio.to_thread(self.gate.wait, 10)

    async def submit(
        self,
        prepared: preparing.Prepared,
        *,
        action_id: str,
        confirmed: str = "",
        expires: int = 0,
        why: str = "",
    ) -> Action:
        await self._gated()
        if self.fault is not None:
            raise self.fault
        if action_id in self._begun:
            raise UserFault("This action has been begun already.", action_id)
        if prepared.judgement.answer == CONFIRM and confirmed != prepared.entry.value:
            raise UserFault("Type the value once more to confirm that it is meant.", "value")
        self._begun.add(action_id)
        action = an_action(
            id=action_id, responder=prepared.connector.name, type=prepared.connector.type,
            action=prepared.responder.action, list=prepared.responder.list, entry=prepared.entry,
            request=prepared.request, record_id=prepared.record_id, expires=expires, why=why,
        )  # fmt: skip
        action = replace(action, **self.ending)  # type: ignore[arg-type]
        self.posts.append(action)
        self._keep(action)
        return action

    def _keep(self, action: Action) -> None:
        self.history = [action, *(one for one in self.history if one.id != action.id)]
        if action.status == SUCCEEDED:
            held = self._held(action.list, action.entry)
            if action.action == ADD and held is None:
                self.held[action.list].append(action.entry)
            elif action.action == DELETE and held is not None:
                self.held[action.list].remove(held)
        self.touch()

    async def undo(self, action_id: str) -> Action:
        first = await self.action(action_id)
        inverse = next(kind for kind in TYPES if responders.RESPONDERS[first.type].inverse == kind)
        action = an_action(
            id=self.new_action_id(), entry=first.entry, type=inverse,
            action=DELETE if first.action == ADD else ADD, list=first.list, undoes=first.id,
        )  # fmt: skip
        self.posts.append(action)
        self.history = [
            replace(one, status=UNDONE, undone_by=action.id) if one.id == first.id else one
            for one in self.history
        ]
        self._keep(action)
        return action

    async def check(self, action_id: str) -> Action:
        first = await self.action(action_id)
        there = self._held(first.list, first.entry) is not None
        status = SUCCEEDED if there == first.wanted else FAILED
        return self._replace(replace(first, status=status, message="The list has been read."))

    async def retry_needs(self, action_id: str) -> str:
        return self.retry_reasons

    async def retry(self, action_id: str, *, confirmed: str = "") -> Action:
        first = await self.action(action_id)
        if self.retry_reasons and confirmed != first.entry.value:
            raise UserFault(self.retry_reasons, "value")
        action = replace(first, id=self.new_action_id(), status=SUCCEEDED, message="Done.", http_status=200)
        self.posts.append(action)
        self._keep(action)
        return action

    async def reschedule(self, action_id: str, expires: int) -> Action:
        self.expiries.append((action_id, expires))
        return self._replace(replace(await self.action(action_id), expires=expires))

    def _replace(self, action: Action) -> Action:
        self.history = [action if one.id == action.id else one for one in self.history]
        self.touch()
        return action

    async def action(self, action_id: str) -> Action:
        found = next((one for one in self.history if one.id == action_id), None)
        if found is None:
            raise UserFault("There is no such action.", action_id)
        return found

    async def actions(self) -> Sequence[Action]:
        return list(self.history)

    async def detail(self, action_id: str) -> Detail:
        action = await self.action(action_id)
        return Detail(
            action=action, request=preparing.shown_request(action.request), response=action.response,
            steps=((action.time, "Intent committed."), (action.ended, f"{action.status}. {action.message}")),
        )  # fmt: skip

    async def verify(self) -> str:
        return self.chain

    async def lists(self, connector: RespondConnector) -> Lists:
        await self._gated()
        if self.list_fault is not None:
            return Lists(
                block=Listing(list=BLOCK, problem=str(self.list_fault)),
                safe=Listing(list=SAFE, problem=str(self.list_fault)),
            )
        now = time.time_ns() // 1000
        ours = {
            (one.list, one.entry.identity): one
            for one in reversed(self.history)
            if one.status == SUCCEEDED and one.action == ADD
        }
        made = {}
        for which, other in ((BLOCK, SAFE), (SAFE, BLOCK)):
            beside = frozenset(one.identity for one in self.held[other])
            since, before = self.looks.get(which, (0, []))
            made[which] = join(which, self.held[which], beside, ours, at=now, since=since, before=before)
            self.looks[which] = (now, list(self.held[which]))
        return Lists(block=made[BLOCK], safe=made[SAFE])

    async def doer(self, connector: RespondConnector, action: str, which: str) -> RespondConnector:
        kind = responders.Responder(action=action, list=which).type
        return responder_for(
            self.connectors, kind, connector.cluster_id, connector.tenant, like=connector.name
        )

    async def prepare_entry(
        self, connector: RespondConnector, entry: Entry, *, record_id: str = "", tenant: str = ""
    ) -> preparing.Prepared:
        return preparing.prepare_entry(
            connector, entry, around=self.around, record_id=record_id, tenant=tenant
        )

    async def plan(self, connector: RespondConnector, wanted: Pasted | Selected) -> Plan:
        if self.list_fault is not None:
            raise self.list_fault
        responder = responders.RESPONDERS[connector.type]
        origin: dict[int, tuple[str, int]] = {}
        if isinstance(wanted, Pasted):
            found = bulk_plan.read(
                wanted.text, attribute=wanted.attribute, operator=wanted.operator, comment=wanted.comment
            )
        else:
            records = [(row.record_id, row.kind, {"envelope": {"from": row.sender}}) for row in wanted.rows]
            found, origin, _ = bulk_plan.distinct(records, wanted.attribute, domain=wanted.domain)
        other = SAFE if responder.list == BLOCK else BLOCK
        return bulk_plan.split(
            found, action=responder.action, which=responder.list, on_list=self.held[responder.list],
            on_other=self.held[other], around=self.around, origin=origin,
        )  # fmt: skip

    async def start(
        self, connector: RespondConnector, rows: Sequence[Candidate], *, expires: int = 0, why: str = "",
        changed: Callable[[BulkProgress], None],
    ) -> FakeRun:  # fmt: skip
        self.runs.append(FakeRun(self, connector, rows, expires, changed))
        return self.runs[-1]

    async def interrupted(self) -> Sequence[Interrupted]:
        return [
            Interrupted(
                id=name, at=time.time_ns() // 1000 - 3_600_000_000, responder=run.connector.name,
                type=run.connector.type, actor="person m.keller", total=run.progress.total, done=run.progress.done,
            )
            for name, run in self.left.items() if run.state != "running" and run.progress.done < run.progress.total
        ]  # fmt: skip

    async def resume(
        self, bulk_id: str, *, changed: Callable[[BulkProgress], None]
    ) -> tuple[RespondConnector, FakeRun]:
        if bulk_id not in self.left:
            raise UserFault("There is no such bulk run to resume.", bulk_id)
        run = self.left[bulk_id]
        run._changed = changed
        return run.connector, run

    async def discard(self, bulk_id: str) -> None:
        self.left.pop(bulk_id, None)
        self.touch()

    def leave(self, connector: RespondConnector, values: Sequence[str], done: int) -> FakeRun:
        """A run that was broken off after some of its values."""
        rows = [
            Candidate(line=at, entry=Entry(attribute="$from", operator="equal", value=value), group=bulk_plan.NEW)
            for at, value in enumerate(values, 1)
        ]  # fmt: skip
        run = self.left[f"run-{len(self.left)}"] = FakeRun(self, connector, rows, 0, lambda progress: None)
        run.rows[:done] = [replace(row, status=SUCCEEDED, message="Done.") for row in run.rows[:done]]
        run.state = "cancelled"
        self.touch()
        return run


class FakeRun:
    """One value after the other; `gate` of the desk holds each back."""

    def __init__(
        self, desk: FakeActions, connector: RespondConnector, rows: Sequence[Candidate], expires: int,
        changed: Callable[[BulkProgress], None],
    ) -> None:  # fmt: skip
        self._desk, self.connector, self._expires, self._changed = desk, connector, expires, changed
        self.rows = [
            BulkRow(action_id=f"row-{place}", entry=row.entry, confirmed=row.confirmed)
            for place, row in enumerate(rows)
        ]
        self.state = "paused"
        self.why = ""
        self.goes = threading.Event()
        self.goes.set()

    @property
    def progress(self) -> BulkProgress:
        ended = [row.status for row in self.rows if row.status]
        return BulkProgress(
            id="run", state=self.state, rows=tuple(self.rows), done=len(ended), why=self.why,
            succeeded=ended.count(SUCCEEDED), failed=ended.count(FAILED), unknown=ended.count(UNKNOWN),
        )  # fmt: skip

    async def run(self) -> BulkProgress:
        self.state = "running"
        for place, row in enumerate(self.rows):
            await asyncio.to_thread(self._desk.gate.wait, 10)
            await asyncio.to_thread(self.goes.wait, 10)
            if self.state == "cancelled":
                break
            if row.status:
                continue
            kind = responders.RESPONDERS[self.connector.type]
            action = an_action(
                id=self._desk.new_action_id(), entry=row.entry, action=kind.action, list=kind.list,
                type=self.connector.type, expires=self._expires,
            )  # fmt: skip
            action = replace(action, **self._desk.ending)  # type: ignore[arg-type]
            self._desk.posts.append(action)
            self._desk._keep(action)
            self.rows[place] = replace(row, status=action.status, message=action.message)
            self._changed(self.progress)
        if self.state != "cancelled":
            self.state = "ended"
        self._changed(self.progress)
        return self.progress

    def pause(self) -> None:
        self.state = "paused"
        self.goes.clear()
        self._changed(self.progress)

    def go_on(self) -> None:
        self.state, self.why = "running", ""
        self.goes.set()
        self._changed(self.progress)

    def cancel(self) -> None:
        self.state = "cancelled"
        self.goes.set()


__all__ = ["FAILED", "UNKNOWN", "FakeActions", "FakeRun", "an_action", "four", "impact", "responder"]
