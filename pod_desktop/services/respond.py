"""Carrying out actions on the org lists: intent first, exactly the bytes that were shown, and the truth after.

The law: after recovery our state equals the list's state, and no action is POSTed more than twice. What may
have been sent is *unknown* until the list has been read; the list is the judge, not the answer.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from pod_desktop import responders, template, webhook
from pod_desktop.core import guards
from pod_desktop.core.action import (
    ADD,
    COMMENT_CHARS,
    DELETE,
    FAILED,
    IN_PROGRESS,
    SUCCEEDED,
    UNDONE,
    UNKNOWN,
    Action,
    Answer,
    Entry,
    Request,
)
from pod_desktop.core.clock import Clock
from pod_desktop.core.faults import Fault, Outage, UserFault
from pod_desktop.core.responder import RespondConnector
from pod_desktop.store import Journal
from pod_desktop.template import TemplateFault

POSTS: Final = 2
"""An action is POSTed at most this often."""
CONFIRM_WAITS: Final = (0.0, 0.5, 1.5)
"""Seconds before each look at the list after a 200: it may be a moment behind."""
BACK_OFF_SECONDS: Final = (1.0, 3.0)
"""Full jitter below these, before a resend after 429 or 503."""
_RESPONSE_CHARS: Final = 4_000


CredentialsOf = Callable[[RespondConnector], webhook.Credentials]
"""Gives a responder's Client ID and Client Secret; raises Outage when the keychain does not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """An action as it is shown before it is submitted."""

    connector: RespondConnector
    responder: responders.Responder
    request: Request
    entry: Entry
    judgement: guards.Judgement
    record_id: str = ""
    tenant: str = ""


def scope_of(record: Mapping[str, object], connector: RespondConnector) -> dict[str, object]:
    """What expressions may name: the record's fields and the connector's public ones, never secrets."""
    return {
        **record,
        "connector": {
            "name": connector.name,
            "tenant": connector.tenant,
            "cluster_id": connector.cluster_id,
            "hostname": connector.hostname,
        },
    }


def prepare(
    connector: RespondConnector,
    *,
    path_and_query: str,
    body: str,
    scope: Mapping[str, object],
    around: guards.Surroundings,
    record_id: str = "",
    tenant: str = "",
) -> Prepared:
    """Fill both templates and judge what they would do. Sends nothing.

    Raises:
        UserFault: an expression has no value, the body is not what the list takes, or the path leaves the
            responder's list.
    """
    responder = responders.RESPONDERS[connector.type]
    path = template.fill_text(path_and_query, scope, encode=webhook.encode_value)
    filled = template.fill_body(body, scope)
    expected = responders.LIST_PATHS[responder.list]
    if path.partition("?")[0] != expected:
        raise UserFault(f"The path must be {expected}.", "Path and Query", "Restore the template.")
    entry = read_body(filled, responder)
    request = webhook.build(connector, path, filled)
    judgement = guards.judge(responder.action, responder.list, entry, around)
    return Prepared(
        connector=connector,
        responder=responder,
        request=request,
        entry=entry,
        judgement=judgement,
        record_id=record_id,
        tenant=tenant or connector.tenant,
    )


_BODY_KEYS: Final = frozenset({"action", "attribute", "operator", "value", "comment"})


def read_body(body: bytes, responder: responders.Responder) -> Entry:
    """The list entry that a filled body is about.

    Raises:
        TemplateFault: not an object of the list's fields, or another action than the responder's.
    """
    data = json.loads(body)
    if not isinstance(data, dict):
        raise TemplateFault("The body must be a JSON object.", "JSON Body", "Restore the template.")
    for key, value in data.items():
        if key not in _BODY_KEYS:
            raise TemplateFault(f"The list knows no field {key!r}.", "JSON Body", "Leave it out.")
        if not isinstance(value, str):
            raise TemplateFault(f"{key!r} must be text in quotes.", "JSON Body")
    for key in ("action", "attribute", "operator", "value"):
        if key not in data:
            raise TemplateFault(f"The field {key!r} is missing.", "JSON Body", "Restore the template.")
    if data["action"] != responder.action:
        raise TemplateFault(
            f"This responder can only {responder.action}, not {data['action']!r}.",
            "JSON Body",
            "Choose the responder of the other action.",
        )
    return Entry(
        attribute=data["attribute"],
        operator=data["operator"],
        value=data["value"],
        comment=data.get("comment", ""),
    )


def body_for(responder: responders.Responder, entry: Entry) -> str:
    """A body template that holds this entry literally."""

    def literal(text: str) -> str:
        return text.replace("{", "{{").replace("}", "}}")

    fields = {
        "action": responder.action,
        "attribute": entry.attribute,
        "operator": entry.operator,
        "value": literal(entry.value),
    }
    if responder.action == ADD and entry.comment:
        fields["comment"] = literal(entry.comment[:COMMENT_CHARS])
    return json.dumps(fields, indent=2, ensure_ascii=False)


def new_action_id(now: int) -> str:
    """Ascends with time, unique without asking anybody."""
    return f"{now:016x}-{secrets.token_hex(4)}"


class Responding:
    """Submits, checks, repeats and takes back actions. One per process, on one event loop."""

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
        self._journal = journal
        self._sender = sender
        self._credentials = credentials
        self._connectors = connectors
        self._clock = clock
        self._wait = wait
        self._changed = changed
        self._submitted: set[str] = set()

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
        if prepared.judgement.answer == guards.REFUSE:
            raise UserFault(_reasons(prepared, guards.REFUSE), "value", "Choose another value.")
        if prepared.judgement.answer == guards.CONFIRM and confirmed != prepared.entry.value:
            raise UserFault(
                _reasons(prepared, guards.CONFIRM),
                "value",
                "Type the value once more to confirm that it is meant.",
            )
        now = self._clock.now()
        action = Action(
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
            expires=expires if prepared.responder.action == ADD else 0,
            undoes=undoes,
        )
        self._journal.begin(action)
        self._changed(action)
        return await self._carry_out(action, prepared.connector)

    async def check(self, action_id: str) -> Action:
        """Find out by the list how an unknown action ended; never sends it again."""
        action = self._journal.action(action_id)
        connector = self._connector(action)
        try:
            there = await self._is_there(connector, action.entry, action.list)
        except Fault as fault:
            return self._change(action, message=f"Still unknown: the list could not be read. {fault}")
        if there == action.wanted:
            return self._finish(action, SUCCEEDED, "The list shows that it was carried out.")
        return self._finish(action, FAILED, "The list shows that it was not carried out.")

    async def retry(
        self, action_id: str, *, actor: str, confirmed: str = "", around: guards.Surroundings
    ) -> Action:
        """Ask for the same again, as a new action that names the first.

        Raises:
            UserFault: it has not failed, or its responder is gone.
        """
        action = self._journal.action(action_id)
        if action.status != FAILED:
            raise UserFault(f"This action is {action.status}; only a failed one is repeated.", action_id)
        connector = self._connector(action)
        prepared = prepare(
            connector,
            path_and_query=responders.RESPONDERS[connector.type].path_and_query,
            body=body_for(responders.RESPONDERS[connector.type], action.entry),
            scope=scope_of({}, connector),
            around=around,
            record_id=action.record_id,
            tenant=action.tenant,
        )
        return await self.submit(
            prepared, actor=actor, why=f"Again: {action.id}", confirmed=confirmed, expires=action.expires
        )

    async def undo(self, action_id: str, *, actor: str, why: str = "") -> Action:
        """Send the inverse as a new action that names the first.

        Raises:
            UserFault: it did not succeed, was taken back already, or no responder can do the inverse.
        """
        action = self._journal.action(action_id)
        if action.status != SUCCEEDED:
            raise UserFault(
                f"This action is {action.status}; only one that succeeded can be taken back.", action_id
            )
        connector = self._inverse_connector(action)
        responder = responders.RESPONDERS[connector.type]
        prepared = prepare(
            connector,
            path_and_query=responder.path_and_query,
            body=body_for(responder, action.entry),
            scope=scope_of({}, connector),
            around=guards.Surroundings(),
            record_id=action.record_id,
            tenant=action.tenant,
        )
        undoing = await self.submit(
            prepared,
            actor=actor,
            why=why or f"Takes back {action.id}",
            confirmed=action.entry.value,
            undoes=action.id,
        )
        if undoing.status == SUCCEEDED:
            undone = self._journal.change(
                action.id, at=self._clock.now(), status=UNDONE, undone_by=undoing.id
            )
            self._changed(undone)
        return undoing

    async def recover(self, alive: Callable[[int], bool]) -> list[Action]:
        """Actions whose process died on the way become unknown, and the list tells how they ended."""
        found = []
        for action in self._journal.actions(statuses=(IN_PROGRESS,)):
            if action.owner and action.owner != os.getpid() and alive(action.owner):
                continue
            if action.owner == os.getpid() and action.id in self._submitted:
                continue
            try:
                action = self._journal.change(
                    action.id,
                    at=self._clock.now(),
                    expect=IN_PROGRESS,
                    status=UNKNOWN,
                    owner=0,
                    message="The program ended while this was under way.",
                )
            except UserFault:
                continue
            self._changed(action)
            found.append(action)
        unknown = self._journal.actions(statuses=(UNKNOWN,))
        return [await self._check_quietly(action) for action in unknown]

    async def _check_quietly(self, action: Action) -> Action:
        try:
            return await self.check(action.id)
        except UserFault:
            return action

    async def expire(self) -> list[Action]:
        """Take back what is due; each as an action of its own."""
        ended = []
        for action in self._journal.due(self._clock.now()):
            try:
                ended.append(await self.undo(action.id, actor="expiry", why=f"Remove after: {action.id}"))
            except Fault as fault:
                self._change(action, message=f"Due to be removed, but: {fault}")
        return ended

    async def entries(self, connector: RespondConnector, which: str) -> tuple[Entry, ...]:
        """The list as the service tells it.

        Raises:
            Outage: it cannot be read, with the service's words.
        """
        credentials = await asyncio.to_thread(self._credentials, connector)
        answer = await self._sender.get(connector, credentials, responders.LIST_PATHS[which])
        if answer.status != 200 or not answer.whole:
            raise Outage(_failure(answer), connector.name, _hint(answer))
        try:
            return responders.read_entries(answer.body)
        except (ValueError, RecursionError):
            raise Outage(
                "The answer is no list of entries.", connector.name, "Did a proxy or a login page answer?"
            ) from None

    # one action

    async def _carry_out(self, action: Action, connector: RespondConnector) -> Action:
        self._submitted.add(action.id)
        try:
            credentials = await asyncio.to_thread(self._credentials, connector)
            while True:
                action = self._change(action, attempts=action.attempts + 1)
                answer = await self._sender.send(connector, credentials, action.request)
                ended = await self._judge(action, connector, answer)
                if ended is not None:
                    return ended
                action = self._journal.action(action.id)
        except Fault as fault:
            # No token, no credentials, a changed request: nothing has been sent in this attempt.
            if action.attempts > 1:
                return self._unknown(action, str(fault))
            return self._finish(action, FAILED, f"{fault} Nothing was sent.")
        except asyncio.CancelledError:
            self._unknown(action, "The program was closed while this was under way.")
            raise
        finally:
            self._submitted.discard(action.id)

    async def _judge(self, action: Action, connector: RespondConnector, answer: Answer) -> Action | None:
        """How it ended, or None when it should be sent once more."""
        action = self._change(
            action,
            http_status=answer.status,
            response=answer.body[:_RESPONSE_CHARS].decode("utf-8", "replace").replace("\x00", "\ufffd"),
        )
        if not answer.sent:
            return self._finish(action, FAILED, f"{answer.message} Nothing was sent.")
        if 200 <= answer.status < 300 and answer.whole:
            return await self._confirm(action, connector)
        if responders.is_duplicate(answer) and action.wanted:
            return self._finish(action, SUCCEEDED, "Already there: the list held this entry before.")
        if answer.status in (429, 503) and answer.whole:
            return await self._later(action, answer)
        if answer.status == 0 or not answer.whole or answer.status >= 500:
            return await self._ambiguous(action, connector, answer)
        if action.action == DELETE and answer.status in (400, 404):
            return await self._refused_delete(action, connector, answer)
        return self._finish(action, FAILED, _failure(answer))

    async def _confirm(self, action: Action, connector: RespondConnector) -> Action:
        for seconds in CONFIRM_WAITS:
            if seconds:
                await self._wait(seconds)
            try:
                there = await self._is_there(connector, action.entry, action.list)
            except Fault as fault:
                return self._unknown(
                    action, f"Accepted, but the list could not be read to confirm it. {fault}"
                )
            if there == action.wanted:
                return self._finish(action, SUCCEEDED, "Done: the list confirms it.")
        return self._finish(action, FAILED, "The service said yes, but the list does not show it.")

    async def _later(self, action: Action, answer: Answer) -> Action | None:
        if action.attempts >= POSTS:
            return self._finish(action, FAILED, _failure(answer))
        most = BACK_OFF_SECONDS[min(action.attempts, len(BACK_OFF_SECONDS)) - 1]
        await self._wait(min(answer.retry_after, 10.0) or random.uniform(0, most))
        return None

    async def _ambiguous(self, action: Action, connector: RespondConnector, answer: Answer) -> Action | None:
        words = _failure(answer)
        try:
            there = await self._is_there(connector, action.entry, action.list)
        except Fault as fault:
            return self._unknown(action, f"{words} The list could not be read either. {fault}")
        if there == action.wanted:
            return self._finish(action, SUCCEEDED, f"{words} The list shows that it was carried out.")
        if action.attempts >= POSTS:
            return self._finish(action, FAILED, f"{words} The list shows that it was not carried out.")
        return None

    async def _refused_delete(self, action: Action, connector: RespondConnector, answer: Answer) -> Action:
        try:
            there = await self._is_there(connector, action.entry, action.list)
        except Fault:
            return self._finish(action, FAILED, _failure(answer))
        if there:
            return self._finish(action, FAILED, _failure(answer))
        return self._finish(action, SUCCEEDED, "Not there: the list does not hold this entry.")

    async def _is_there(self, connector: RespondConnector, entry: Entry, which: str) -> bool:
        entries = await self.entries(connector, which)
        return any(other.identity == entry.identity for other in entries)

    def _change(self, action: Action, **changes: Any) -> Action:
        action = self._journal.change(action.id, at=self._clock.now(), **changes)
        self._changed(action)
        return action

    def _finish(self, action: Action, status: str, message: str) -> Action:
        return self._change(action, status=status, message=message, owner=0, ended=self._clock.now())

    def _unknown(self, action: Action, message: str) -> Action:
        return self._change(action, status=UNKNOWN, message=message, owner=0)

    # responders by name

    def _connector(self, action: Action) -> RespondConnector:
        for connector in self._connectors():
            if connector.name == action.responder and connector.type == action.type:
                return connector
        raise UserFault(f"The responder {action.responder} is gone or disabled.", action.id, "Add it again.")

    def _inverse_connector(self, action: Action) -> RespondConnector:
        wanted = responders.RESPONDERS[action.type].inverse
        fitting = [
            connector
            for connector in self._connectors()
            if connector.cluster_id == action.cluster_id and connector.may_act_on(action.tenant)
        ]
        for connector in fitting:
            if connector.type == wanted:
                return connector
        for connector in fitting:
            if connector.name == action.responder:
                # The same credentials can do both; only the template differs.
                return replace(connector, type=wanted)
        raise UserFault(
            f"No responder can take this back: {wanted} is missing for this cluster.", action.id, "Add one."
        )


def _reasons(prepared: Prepared, answer: str) -> str:
    return " ".join(reason.text for reason in prepared.judgement.reasons if reason.answer == answer)


def _failure(answer: Answer) -> str:
    if answer.status == 0:
        return answer.message
    words = answer.message or responders.message_of(answer.body)
    if 300 <= answer.status < 400:
        words = "The service answered with a redirect, which is never followed."
    elif answer.body.lstrip()[:1] == b"<":
        words = "Something answered with a web page instead of the API: a proxy or a login page?"
    return f"{answer.status}: {words}" if words else f"The service answered {answer.status}."


def _hint(answer: Answer) -> str:
    return {
        401: "Did you enter the Client ID and Client Secret correctly? Are they expired?",
        403: "Does this key have the permissions for the org lists?",
        404: "Is the Hostname right?",
        429: "The service is busy or the quota is used up; try again later.",
    }.get(answer.status, "Try again later.")
