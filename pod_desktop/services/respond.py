"""Actions on the org lists: submitted, checked, repeated, taken back, and put right after a crash.

The law: after recovery our state equals the list's state, and no action is POSTed more than twice. The intent
is committed before the first byte; what is sent is exactly what was shown.
"""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

from pod_desktop import responders, webhook
from pod_desktop.core import guards
from pod_desktop.core.action import (
    ADD,
    FAILED,
    IN_PROGRESS,
    SUCCEEDED,
    UNDONE,
    UNKNOWN,
    WAITING,
    Action,
    Entry,
)
from pod_desktop.core.clock import Clock, iso
from pod_desktop.core.faults import Fault, UserFault
from pod_desktop.core.responder import RespondConnector
from pod_desktop.services.carrying import Carrier, CredentialsOf
from pod_desktop.services.prepare import (
    Prepared,
    body_for,
    needs,
    prepare,
    prepare_entry,
    read_body,
    scope_of,
)
from pod_desktop.services.processes import own_mark, owner_lives
from pod_desktop.store import Journal

__all__ = [
    "CredentialsOf",
    "Prepared",
    "Responding",
    "body_for",
    "new_action_id",
    "prepare",
    "prepare_entry",
    "read_body",
    "responder_for",
    "scope_of",
]

EXPIRY: Final = "expiry"
"""Actor of what is taken back because its time has come."""
_UNDER_WAY: Final[set[str]] = set()
"""Ids of the actions that this process is carrying out, whoever in it does."""


def new_action_id(now: int) -> str:
    """Ascends with time, unique without asking anybody."""
    return f"{now:016x}-{secrets.token_hex(4)}"


def responder_for(
    connectors: Iterable[RespondConnector], type: str, cluster_id: str, tenant: str, *, like: str = ""
) -> RespondConnector:
    """The responder of this type for a cluster and tenant, or another of theirs with only the template changed.

    Args:
        type: core.responder.TYPES.
        like: name of the responder whose credentials may serve where none of the type is there.

    Raises:
        UserFault: there is none of that cluster.
    """
    there = [one for one in connectors if one.cluster_id == cluster_id]
    # The cluster decides whose list it is; a tenant may have been renamed since.
    there.sort(key=lambda one: not one.may_act_on(tenant))
    for connector in there:
        if connector.type == type:
            return connector
    for connector in there:
        if connector.name == like:
            # The same credentials can do both; only the template differs.
            return replace(connector, type=type)
    raise UserFault(f"No responder can do this: {type} is missing for this cluster.", "responder", "Add one.")


class Responding:
    """Submits, checks, repeats and takes back actions. On one event loop; close() it in the end."""

    def __init__(
        self,
        *,
        journal: Journal,
        sender: webhook.Sender,
        credentials: CredentialsOf,
        connectors: Callable[[], list[RespondConnector]],
        clock: Clock,
        wait: Callable[[float], Awaitable[None]] = asyncio.sleep,
        changed: Callable[[Action], None] = lambda action: None,
    ) -> None:
        """`changed` is told of every step; `connectors` gives the enabled responders."""
        self.journal = journal
        self.clock = clock
        self.connectors = connectors
        self.carrier = Carrier(
            journal=journal, sender=sender, credentials=credentials, clock=clock, wait=wait, changed=changed
        )
        self._sender = sender
        self._changed = changed

    async def close(self) -> None:
        """Close the connections and forget the tokens."""
        await self._sender.close()

    # asking for something

    async def submit(
        self,
        prepared: Prepared,
        *,
        actor: str,
        why: str = "",
        confirmed: str = "",
        expires: int = 0,
        undoes: str = "",
        action_id: str = "",
    ) -> Action:
        """Commit the intent, send, and find out how it ended.

        Args:
            confirmed: the value typed as a confirmation, where the judgement asks for one.
            expires: microseconds UTC when the inverse is due; 0 = never.
            action_id: from new_action_id(); the same id is never begun twice (a double click).

        Raises:
            UserFault: refused by a guard, or not confirmed; nothing was recorded or sent.
        """
        action = self.intent(
            prepared,
            actor=actor,
            why=why,
            confirmed=confirmed,
            expires=expires,
            undoes=undoes,
            action_id=action_id,
        )
        self.journal.begin(action)
        self._changed(action)
        return await self._carry_out(action, prepared.connector)

    def intent(
        self,
        prepared: Prepared,
        *,
        actor: str,
        why: str = "",
        confirmed: str = "",
        expires: int = 0,
        undoes: str = "",
        action_id: str = "",
    ) -> Action:
        """The action that submit() would begin; nothing is recorded. Arguments and faults as there."""
        check_allowed(prepared, confirmed)
        now = self.clock.now()
        if expires and expires <= now:
            raise UserFault("That time is over already.", "expires", "Choose a time to come.")
        return Action(
            id=action_id or new_action_id(now),
            time=now,
            actor=actor,
            responder=prepared.connector.name,
            type=prepared.connector.type,
            tenant=prepared.tenant,
            cluster_id=prepared.connector.cluster_id,
            action=prepared.responder.action,
            list=prepared.responder.list,
            entry=prepared.entry,
            request=prepared.request,
            record_id=prepared.record_id,
            why=why,
            status=IN_PROGRESS,
            owner=os.getpid(),
            owner_mark=own_mark(),
            expires=expires if prepared.responder.action == ADD else 0,
            undoes=undoes,
        )

    async def check(self, action_id: str) -> Action:
        """Find out by the list how an unknown action ended; never sends it again.

        Raises:
            UserFault: no such action, it is not unknown, or its responder is gone.
        """
        action = self.journal.action(action_id)
        if action.status != UNKNOWN:
            raise UserFault(f"This action is {action.status}; only an unknown one is checked.", action.id)
        connector = self._connector(action)
        try:
            done = await self.carrier.is_as_wanted(action, connector)
        except Fault as fault:
            return self._say(action, f"Still unknown: the list could not be read. {fault}")
        if done:
            return self.carrier.finish(action, SUCCEEDED, "The list shows that it was carried out.")
        return self.carrier.finish(action, FAILED, "The list shows that it was not carried out.")

    async def retry(
        self, action_id: str, *, actor: str, confirmed: str = "", around: guards.Surroundings
    ) -> Action:
        """Ask for the same again, as a new action that names the first.

        Raises:
            UserFault: it has not failed, or its responder is gone.
        """
        action = self.journal.action(action_id)
        if action.status != FAILED:
            raise UserFault(f"This action is {action.status}; only a failed one is repeated.", action.id)
        prepared = self._again(action, self._connector(action), around)
        expires = self.clock.now() + action.expires - action.time if action.expires else 0
        return await self.submit(
            prepared,
            actor=actor,
            why=f"Again: {action.id}",
            confirmed=confirmed,
            expires=expires,
            undoes=action.undoes,
        )

    # taking back

    async def undo(self, action_id: str, *, actor: str, why: str = "") -> Action:
        """Send the inverse as a new action that names the first.

        Raises:
            UserFault: it did not succeed, changed nothing, was taken back already, or no responder can do
                the inverse.
        """
        action = self.journal.action(action_id)
        prepared = self.prepare_undo(action)
        return await self.submit(
            prepared,
            actor=actor,
            why=why or f"Takes back {action.id}",
            confirmed=action.entry.value,
            undoes=action.id,
        )

    def prepare_undo(self, action: Action) -> Prepared:
        """What undo() would send, to be shown before. Raises as undo()."""
        if action.status != SUCCEEDED:
            raise UserFault(
                f"This action is {action.status}; only one that succeeded can be taken back.", action.id
            )
        if action.unchanged:
            raise UserFault(
                "This action changed nothing: the list was so before.",
                action.id,
                "To change the list all the same, use the responder of the other action.",
            )
        connector = responder_for(
            self.connectors(),
            responders.RESPONDERS[action.type].inverse,
            action.cluster_id,
            action.tenant,
            like=action.responder,
        )
        return self._again(action, connector, guards.Surroundings())

    def reschedule(self, action_id: str, expires: int, *, actor: str) -> Action:
        """Change when an action is taken back by itself.

        Args:
            expires: microseconds UTC; 0 = never.

        Raises:
            UserFault: it does not stand on the list, or the time is over.
        """
        action = self.journal.action(action_id)
        if action.status != SUCCEEDED or not action.wanted or action.undone_by:
            raise UserFault(
                f"This action is {action.status}; only an entry that was added can be removed later.",
                action.id,
            )
        if action.unchanged and expires:
            raise UserFault("The entry was added elsewhere; it is not removed by itself.", action.id)
        if expires and expires <= self.clock.now():
            raise UserFault("That time is over already.", "expires", "Choose a time to come, or undo it.")
        words = f"Will be removed at {iso(expires)[:16]}Z" if expires else "Will not be removed by itself"
        action = self.journal.change(
            action.id,
            at=self.clock.now(),
            expect=SUCCEEDED,
            expires=expires,
            message=f"{words} (changed by {actor}).",
        )
        self._changed(action)
        return action

    async def expire(self, due: Iterable[Action] | None = None) -> list[Action]:
        """Take back what is due, each as an action of its own; nothing is sent for what is gone already.

        Args:
            due: of journal.due(); None for all that are.

        Returns:
            The actions that took something back, and those that were found gone. What could not be done
            stays due, and says why.
        """
        ended = []
        for action in self.journal.due(self.clock.now()) if due is None else due:
            try:
                ended.append(await self._expire(action))
            except Fault as fault:
                self._say(action, f"Due to be removed, but: {fault}")
        return ended

    async def _expire(self, action: Action) -> Action:
        prepared = self.prepare_undo(action)
        # Reading first: while the service cannot be reached no row is begun that could only fail.
        if not await self.carrier.is_there(prepared.connector, action.entry, action.list):
            gone = "It was gone from the list already when it was due to be removed."
            changed = self.journal.change(
                action.id, at=self.clock.now(), expect=SUCCEEDED, status=UNDONE, message=gone
            )
            self._changed(changed)
            return changed
        return await self.submit(
            prepared,
            actor=EXPIRY,
            why=f"Remove after: {action.id}",
            confirmed=action.entry.value,
            undoes=action.id,
        )

    # after a crash

    def find_lost(self, alive: Callable[[Action], bool] = owner_lives) -> list[Action]:
        """Actions whose process died on the way become unknown, or failed where nothing can have been sent."""
        found = []
        for action in self.journal.actions(statuses=(IN_PROGRESS, WAITING)):
            if action.id in _UNDER_WAY or (action.owner != os.getpid() and alive(action)):
                continue
            now = self.clock.now()
            sent = action.attempts > 0
            words = "The program ended " + ("while this was under way." if sent else "before this was sent.")
            try:
                action = self.journal.change(
                    action.id,
                    at=now,
                    expect=action.status,
                    status=UNKNOWN if sent else FAILED,
                    owner=0,
                    ended=0 if sent else now,
                    message=words,
                )
            except UserFault:  # another process was quicker
                continue
            self._changed(action)
            found.append(action)
        return found

    async def recover(self, alive: Callable[[Action], bool] = owner_lives) -> list[Action]:
        """find_lost(), and then the lists tell how the unknown ones ended. Nothing is sent again.

        A list is read once for all of them; one that cannot be read leaves its actions unknown.
        """
        lost = self.find_lost(alive)
        lists: dict[tuple[str, str], frozenset[tuple[str, str, str]] | Fault] = {}
        ended = [action for action in lost if action.status != UNKNOWN]
        for action in self.journal.actions(statuses=(UNKNOWN,)):
            if action.id not in _UNDER_WAY:
                ended.append(await self._recovered(action, lists))
        return ended

    async def _recovered(
        self, action: Action, lists: dict[tuple[str, str], frozenset[tuple[str, str, str]] | Fault]
    ) -> Action:
        try:
            connector = self._connector(action)
        except UserFault as fault:
            return self._say(action, str(fault))
        place = (connector.name, action.list)
        if place not in lists:
            try:
                entries = await self.carrier.entries(connector, action.list)
                lists[place] = frozenset(entry.identity for entry in entries)
            except Fault as fault:
                lists[place] = fault
        found = lists[place]
        if isinstance(found, Fault):
            return self._say(action, f"Still unknown: the list could not be read. {found}")
        if (action.entry.identity in found) == action.wanted:
            return self.carrier.finish(action, SUCCEEDED, "The list shows that it was carried out.")
        # The list may be a moment behind: looked at again before it is called failed.
        try:
            return await self.check(action.id)
        except UserFault:
            return self.journal.action(action.id)

    # the lists

    async def entries(self, connector: RespondConnector, which: str) -> tuple[Entry, ...]:
        """The list ("block" or "safe") as the service tells it. Raises Outage when it cannot be read."""
        return await self.carrier.entries(connector, which)

    # small things

    async def _carry_out(self, action: Action, connector: RespondConnector) -> Action:
        with under_way(action.id):
            return await self.carrier.carry_out(action, connector)

    def _again(self, action: Action, connector: RespondConnector, around: guards.Surroundings) -> Prepared:
        tenant = action.tenant if connector.may_act_on(action.tenant) else ""
        return prepare_entry(
            connector, action.entry, around=around, record_id=action.record_id, tenant=tenant
        )

    def _say(self, action: Action, message: str) -> Action:
        """Write a message down, unless it is the same as before."""
        if action.message == message:
            return action
        return self.carrier.change(action, message=message)

    def _connector(self, action: Action) -> RespondConnector:
        for connector in self.connectors():
            if connector.name == action.responder:
                # An undo may have used the credentials of a responder of another type.
                return replace(connector, type=action.type)
        raise UserFault(f"The responder {action.responder} is gone or disabled.", action.id, "Add it again.")


@contextmanager
def under_way(*ids: str) -> Iterator[None]:
    """While the block runs, recovery in this process leaves these actions alone."""
    _UNDER_WAY.update(ids)
    try:
        yield
    finally:
        _UNDER_WAY.difference_update(ids)


def check_allowed(prepared: Prepared, confirmed: str = "") -> None:
    """Raises UserFault when a guard refuses, or asks for a confirmation that was not typed."""
    if prepared.judgement.answer == guards.REFUSE:
        raise UserFault(needs(prepared, guards.REFUSE), "value", "Choose another value.")
    if prepared.judgement.answer == guards.CONFIRM and confirmed != prepared.entry.value:
        raise UserFault(
            needs(prepared, guards.CONFIRM),
            "value",
            "Type the value once more to confirm that it is meant.",
        )
