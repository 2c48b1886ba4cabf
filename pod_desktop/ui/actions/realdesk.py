"""The actions desk over the real rooms: journal, responding, store and settings.

Responding and its connections are made on the actions' loop at first use, so that the window starts without
loading the HTTP library. What blocks goes to three threads: journal and settings, judging (which learns from
the store once an hour), and counting stored messages, which may take seconds and must hold up nothing else.
"""

from __future__ import annotations

import asyncio
import getpass
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from pod_desktop import content
from pod_desktop.core import guards
from pod_desktop.core.action import BLOCK, SAFE, Action, Entry
from pod_desktop.core.clock import Clock
from pod_desktop.core.faults import Fault
from pod_desktop.core.guards import Surroundings
from pod_desktop.core.record import EventRow
from pod_desktop.core.responder import RespondConnector
from pod_desktop.services.prepare import Prepared, prepare, prepare_entry, scope_of
from pod_desktop.store import DataDir, Journal, Ledger, Reader
from pod_desktop.ui.actions.desk import Draft, Pasted, Run, Selected

if TYPE_CHECKING:
    from pod_desktop.services.bulk import BulkProgress
    from pod_desktop.services.bulk_left import Interrupted
    from pod_desktop.services.bulk_plan import Candidate, Plan
    from pod_desktop.services.history import Detail
    from pod_desktop.services.impact import Impact, Standing
    from pod_desktop.services.lists import Lists
    from pod_desktop.services.respond import Responding

T = TypeVar("T")
LIST_SECONDS: Final = 20.0
"""A reading of a list serves so long while one fills in a form; what is sent is confirmed afresh anyway."""
HISTORY_SHOWN: Final = 5_000


class HomePort(Protocol):
    """What is needed of the opened data directory (app.Home)."""

    clock: Clock
    ledger: Ledger
    data_dir: DataDir

    @property
    def journal(self) -> Journal: ...
    def responding(self, changed: Callable[[Action], None] = ...) -> Responding: ...
    def new_reader(self) -> Reader: ...


def person() -> str:
    """Who sits here, as the history writes it."""
    try:
        return f"person {getpass.getuser()}"
    except (OSError, KeyError):  # no user name in this environment
        return "person unknown"


class _StoreThread:
    """A thread with a reader of its own, opened there at first use."""

    def __init__(self, home: HomePort, name: str) -> None:
        self.threads = ThreadPoolExecutor(1, name)
        self._home = home
        self._reader: Reader | None = None

    async def run(self, work: Callable[[Reader], T]) -> T:
        def on_thread() -> T:
            if self._reader is None:
                self._reader = self._home.new_reader()
            return work(self._reader)

        return await asyncio.get_running_loop().run_in_executor(self.threads, on_thread)


class RealDesk:
    """ActionsDesk of the program. close() it on the actions' loop in the end."""

    def __init__(self, home: HomePort) -> None:
        self._home = home
        self._actor = person()
        self._responding: Responding | None = None
        self._counting = _StoreThread(home, "actions count")
        self._judging = _StoreThread(home, "actions judge")
        self._quick = ThreadPoolExecutor(1, "actions journal")
        self._read: dict[tuple[str, str, str], tuple[float, asyncio.Task[tuple[Entry, ...]]]] = {}

    async def close(self) -> None:
        """End the connections and threads."""
        if self._responding is not None:
            await self._responding.close()
        for threads in (self._counting.threads, self._judging.threads, self._quick):
            threads.shutdown(wait=False, cancel_futures=True)

    # threads

    async def _in_journal(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._quick, work)

    async def _at_work(self) -> Responding:
        if self._responding is None:
            made = await self._in_journal(self._home.responding)
            self._responding = self._responding or made
        return self._responding

    # quick things

    async def version(self) -> int:
        def read() -> int:
            return self._home.journal.version()  # the first use opens it

        return await self._in_journal(read)

    def new_action_id(self) -> str:
        from pod_desktop.services.respond import new_action_id

        return new_action_id(self._home.clock.now())

    async def responders(self) -> Sequence[RespondConnector]:
        def read() -> list[RespondConnector]:
            return [entry.connector for entry in self._home.ledger.responders() if entry.enabled]

        return await self._in_journal(read)

    # one action

    async def _surroundings(self) -> Surroundings:
        """As they are set now; what was learned from mail is as old as an hour."""
        from pod_desktop.services.surroundings import surroundings

        now = self._home.clock.now()
        return await self._judging.run(lambda reader: surroundings(self._home.ledger, reader, now))

    async def prepare(self, draft: Draft) -> Prepared:
        around = await self._surroundings()

        def fill() -> Prepared:
            return prepare(
                draft.connector,
                path_and_query=draft.path_and_query,
                body=draft.body,
                scope=scope_of(draft.record, draft.connector),
                around=around,
                record_id=draft.record_id,
                tenant=draft.tenant,
            )

        return await self._in_journal(fill)

    async def prepare_entry(
        self, connector: RespondConnector, entry: Entry, *, record_id: str = "", tenant: str = ""
    ) -> Prepared:
        around = await self._surroundings()
        return prepare_entry(connector, entry, around=around, record_id=record_id, tenant=tenant)

    async def standing(self, prepared: Prepared) -> Standing:
        from pod_desktop.services.impact import Standing

        which = prepared.responder.list
        found: dict[str, Entry | None] = {}
        problem = ""
        for name in (which, SAFE if which == BLOCK else BLOCK):
            try:
                entries = await self._entries(prepared.connector, name)
            except Fault as fault:
                problem = problem or str(fault)
                continue
            same = (entry for entry in entries if entry.identity == prepared.entry.identity)
            found[name] = next(same, None)
        other = found.get(SAFE if which == BLOCK else BLOCK)
        return Standing(there=found.get(which), other=other, problem=problem)

    async def _entries(self, connector: RespondConnector, which: str) -> tuple[Entry, ...]:
        """The list, or a reading of some seconds ago; several that ask at once share one reading."""
        from pod_desktop.services.tasks import Tasks

        key = (connector.name, connector.cluster_id, which)
        now = asyncio.get_running_loop().time()
        held = self._read.get(key)
        if held is None or now - held[0] > LIST_SECONDS:
            responding = await self._at_work()
            tasks = Tasks("lists", lambda _name, _error: None)
            held = self._read[key] = (now, tasks.spawn(responding.entries(connector, which), which))
        try:
            return await asyncio.shield(held[1])
        except BaseException:
            if held[1].done() and self._read.get(key) is held:
                del self._read[key]
            raise

    def _forget(self) -> None:
        """What was read of the lists is no longer so."""
        self._read.clear()

    async def impact(self, prepared: Prepared) -> Impact:
        from pod_desktop.services.impact import impact

        gone = Event()
        now = self._home.clock.now()
        try:
            return await self._counting.run(
                lambda reader: impact(reader, prepared.entry, now, cancelled=gone.is_set)
            )
        except asyncio.CancelledError:
            gone.set()
            raise

    async def submit(
        self, prepared: Prepared, *, action_id: str, confirmed: str = "", expires: int = 0, why: str = ""
    ) -> Action:
        responding = await self._at_work()
        try:
            return await responding.submit(
                prepared,
                actor=self._actor,
                why=why,
                confirmed=confirmed,
                expires=expires,
                action_id=action_id,
            )
        finally:
            self._forget()

    # what was done

    async def undo(self, action_id: str) -> Action:
        responding = await self._at_work()
        try:
            return await responding.undo(action_id, actor=self._actor)
        finally:
            self._forget()

    async def check(self, action_id: str) -> Action:
        return await (await self._at_work()).check(action_id)

    async def retry_needs(self, action_id: str) -> str:
        action = await self._in_journal(lambda: self._home.journal.action(action_id))
        around = await self._surroundings()
        judgement = guards.judge(action.action, action.list, action.entry, around)
        if judgement.answer != guards.CONFIRM:
            return ""
        return " ".join(reason.text for reason in judgement.reasons if reason.answer == guards.CONFIRM)

    async def retry(self, action_id: str, *, confirmed: str = "") -> Action:
        responding = await self._at_work()
        around = await self._surroundings()
        try:
            return await responding.retry(action_id, actor=self._actor, confirmed=confirmed, around=around)
        finally:
            self._forget()

    async def reschedule(self, action_id: str, expires: int) -> Action:
        responding = await self._at_work()
        return await self._in_journal(lambda: responding.reschedule(action_id, expires, actor=self._actor))

    async def actions(self) -> Sequence[Action]:
        return await self._in_journal(lambda: self._home.journal.actions(limit=HISTORY_SHOWN))

    async def detail(self, action_id: str) -> Detail:
        from pod_desktop.services.history import detail

        return await self._in_journal(lambda: detail(self._home.journal, action_id))

    async def verify(self) -> str:
        """Over a connection of its own: reading every step must not hold up an action's next one."""

        def read() -> str:
            journal = Journal(self._home.data_dir.actions)
            try:
                return "; ".join(journal.verify())
            finally:
                journal.close()

        return await asyncio.to_thread(read)

    # lists

    async def lists(self, connector: RespondConnector) -> Lists:
        from pod_desktop.services.lists import look

        self._forget()
        return await look(await self._at_work(), connector)

    async def doer(self, connector: RespondConnector, action: str, which: str) -> RespondConnector:
        from pod_desktop.responders import Responder
        from pod_desktop.services.respond import responder_for

        kind = Responder(action=action, list=which).type
        found = await self.responders()
        return responder_for(found, kind, connector.cluster_id, connector.tenant, like=connector.name)

    async def plan(self, connector: RespondConnector, wanted: Pasted | Selected) -> Plan:
        from dataclasses import replace

        from pod_desktop.responders import RESPONDERS
        from pod_desktop.services import bulk_plan

        responder = RESPONDERS[connector.type]
        which, other = responder.list, SAFE if responder.list == BLOCK else BLOCK
        origin: dict[int, tuple[str, int]] = {}
        if isinstance(wanted, Pasted):
            bulk_plan.check_pickers(which, wanted.attribute, wanted.operator)
            found = await self._in_journal(
                lambda: bulk_plan.read(
                    wanted.text,
                    attribute=wanted.attribute,
                    operator=wanted.operator,
                    comment=wanted.comment,
                )
            )
        else:
            selected = wanted
            found, origin, _ = await self._counting.run(
                lambda reader: bulk_plan.distinct(
                    _records(reader, selected.rows), selected.attribute, domain=selected.domain
                )
            )
            found = [(line, replace(entry, comment=selected.comment)) for line, entry in found]
        around = await self._surroundings()
        self._forget()
        on_list = await self._entries(connector, which)
        try:
            on_other = await self._entries(connector, other)
        except Fault:  # the list that is changed counts; a conflict is told when it can be seen
            on_other = ()
        return await self._in_journal(
            lambda: bulk_plan.split(
                found,
                action=responder.action,
                which=which,
                on_list=on_list,
                on_other=on_other,
                around=around,
                origin=origin,
            )
        )

    async def start(
        self,
        connector: RespondConnector,
        rows: Sequence[Candidate],
        *,
        expires: int = 0,
        why: str = "",
        changed: Callable[[BulkProgress], None],
    ) -> Run:
        from pod_desktop.services.bulk import BulkRun

        responding = await self._at_work()
        around = await self._surroundings()
        self._forget()
        return BulkRun(
            responding,
            connector,
            rows,
            around=around,
            actor=self._actor,
            why=why,
            expires=expires,
            changed=changed,
        )

    # bulk runs that were broken off

    async def interrupted(self) -> Sequence[Interrupted]:
        from pod_desktop.services.bulk_left import interrupted

        return await self._in_journal(lambda: interrupted(self._home.journal, self._home.clock.now()))

    async def resume(
        self, bulk_id: str, *, changed: Callable[[BulkProgress], None]
    ) -> tuple[RespondConnector, Run]:
        from pod_desktop.services.bulk import BulkRun

        responding = await self._at_work()
        around = await self._surroundings()
        self._forget()
        run = BulkRun.resume(responding, bulk_id, around=around, changed=changed)
        return run.connector, run

    async def discard(self, bulk_id: str) -> None:
        from pod_desktop.services.bulk_left import forget

        await self._in_journal(lambda: forget(self._home.journal, bulk_id, self._home.clock.now()))


def _records(reader: Reader, rows: Sequence[EventRow]) -> list[tuple[str, str, object]]:
    """(record id, content type, clean view) of rows whose record is still stored."""
    found: list[tuple[str, str, object]] = []
    for row in rows:
        try:
            raw = reader.raw(row.seq)
        except KeyError:
            continue
        found.append((row.record_id, row.kind, content.document(raw).value))
    return found
