"""Carrying one action out: send exactly what was shown, and find out by the list how it ended.

What may have been sent is *unknown* until the list has been read; the list is the judge, not the answer.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any, Final

from pod_desktop import responders, webhook
from pod_desktop.core.action import (
    DELETE,
    FAILED,
    SUCCEEDED,
    UNDONE,
    UNKNOWN,
    Action,
    Answer,
    Entry,
)
from pod_desktop.core.clock import Clock
from pod_desktop.core.faults import Fault, Outage
from pod_desktop.core.responder import RespondConnector
from pod_desktop.store import Journal

POSTS: Final = 2
"""An action is POSTed at most this often."""
CONFIRM_WAITS: Final = (0.0, 0.5, 1.5)
"""Seconds before each look at the list: it may be a moment behind."""
BACK_OFF_SECONDS: Final = (1.0, 3.0)
"""Full jitter below these, before a resend after 429 or 503."""
RETRY_AFTER_SECONDS: Final = 10.0
"""The service may ask to wait longer; then the action fails and says so."""
RESPONSE_CHARS: Final = 4_000

CredentialsOf = Callable[[RespondConnector], webhook.Credentials]
"""Gives a responder's Client ID and Client Secret; raises Outage when the keychain does not."""


class Carrier:
    """Sends actions whose intent is committed, and writes down every step. On one event loop."""

    def __init__(
        self,
        *,
        journal: Journal,
        sender: webhook.Sender,
        credentials: CredentialsOf,
        clock: Clock,
        wait: Callable[[float], Awaitable[None]],
        changed: Callable[[Action], None],
    ) -> None:
        self._journal = journal
        self._sender = sender
        self._credentials = credentials
        self._clock = clock
        self._wait = wait
        self._changed = changed

    async def carry_out(self, action: Action, connector: RespondConnector) -> Action:
        """Send a begun action and find out how it ended; never raises for what network or service do."""
        sent = False
        try:
            credentials = await asyncio.to_thread(self._credentials, connector)
            while True:
                action = self.change(action, attempts=action.attempts + 1)
                sent = True
                answer = await self._sender.send(connector, credentials, action.request)
                ended = await self._judge(action, connector, answer)
                if ended is not None:
                    return ended
                action = self._journal.action(action.id)
        except Fault as fault:
            return self._not_sent(action, fault)
        except asyncio.CancelledError:
            if sent:
                self.unknown(action, "The program was closed while this was under way.")
            else:
                self.finish(action, FAILED, "The program was closed before anything was sent.")
            raise

    async def send(
        self, action: Action, connector: RespondConnector, credentials: webhook.Credentials
    ) -> Answer:
        """One POST of an action whose attempt is committed already. Raises Fault when nothing was sent."""
        return await self._sender.send(connector, credentials, action.request)

    async def credentials(self, connector: RespondConnector) -> webhook.Credentials:
        """Client ID and Client Secret. Raises Fault when they cannot be had."""
        return await asyncio.to_thread(self._credentials, connector)

    async def go_on(self, action: Action, connector: RespondConnector, answer: Answer | Fault) -> Action:
        """From the first answer to the end, for an action that was sent with send()."""
        if isinstance(answer, Fault):
            return self._not_sent(action, answer)
        ended = await self._judge(action, connector, answer)
        return ended or await self.carry_out(self._journal.action(action.id), connector)

    def _not_sent(self, action: Action, fault: Fault) -> Action:
        # No token, no credentials, a changed request: nothing has been sent in this attempt.
        if action.attempts > 1:
            return self.unknown(action, str(fault))
        return self.finish(action, FAILED, f"{fault} Nothing was sent.")

    # the list

    async def entries(self, connector: RespondConnector, which: str) -> tuple[Entry, ...]:
        """The list ("block" or "safe") as the service tells it.

        Raises:
            Outage: it cannot be read, with the service's words.
        """
        credentials = await self.credentials(connector)
        answer = await self._sender.get(connector, credentials, responders.LIST_PATHS[which])
        if answer.status != 200 or not answer.whole:
            raise Outage(failure_words(answer), connector.name, failure_hint(answer))
        try:
            return responders.read_entries(answer.body)
        except (ValueError, RecursionError):
            raise Outage(
                "The answer is no list of entries.", connector.name, "Did a proxy or a login page answer?"
            ) from None

    async def is_there(self, connector: RespondConnector, entry: Entry, which: str) -> bool:
        """Whether the list holds this entry. Raises Outage when it cannot be read."""
        return any(other.identity == entry.identity for other in await self.entries(connector, which))

    async def is_as_wanted(self, action: Action, connector: RespondConnector) -> bool:
        """Whether the list shows what the action asked for, within a few looks."""
        for seconds in CONFIRM_WAITS:
            if seconds:
                await self._wait(seconds)
            if await self.is_there(connector, action.entry, action.list) == action.wanted:
                return True
        return False

    # judging

    async def _judge(self, action: Action, connector: RespondConnector, answer: Answer) -> Action | None:
        """How it ended, or None when it should be sent once more."""
        action = self.change(action, http_status=answer.status, response=response_text(answer))
        if not answer.sent:
            return self._not_sent(action, Outage(answer.message))
        if 200 <= answer.status < 300 and answer.whole:
            return await self._confirm(action, connector)
        if responders.is_duplicate(answer) and action.wanted:
            return self.already_there(action)
        if answer.status in (429, 503) and answer.whole:
            return await self._later(action, answer)
        if answer.status == 0 or not answer.whole or answer.status >= 500:
            return await self._ambiguous(action, connector, answer)
        if action.action == DELETE and answer.status in (400, 404):
            return await self._refused_delete(action, connector, answer)
        return self.finish(action, FAILED, failure_words(answer))

    async def _confirm(self, action: Action, connector: RespondConnector) -> Action:
        try:
            done = await self.is_as_wanted(action, connector)
        except Fault as fault:
            return self.unknown(action, f"Accepted, but the list could not be read to confirm it. {fault}")
        if done:
            return self.finish(action, SUCCEEDED, "Done: the list confirms it.")
        return self.finish(action, FAILED, "The service said yes, but the list does not show it.")

    def already_there(self, action: Action) -> Action:
        """The service says that the list holds the entry: ours from before, or somebody else's."""
        if action.attempts > 1:
            # The first try may have done it.
            return self.finish(action, SUCCEEDED, "Done: the list holds it.")
        if self._journal.live(action):
            return self.finish(action, SUCCEEDED, "Already there: an earlier action put it on the list.")
        words = "Already there: the list held this entry before."
        if action.expires:
            words += " It was added elsewhere, so it will not be removed by itself."
        return self.finish(action, SUCCEEDED, words, unchanged=True, expires=0)

    async def _later(self, action: Action, answer: Answer) -> Action | None:
        if action.attempts >= POSTS or answer.retry_after > RETRY_AFTER_SECONDS:
            return self.finish(action, FAILED, failure_words(answer))
        most = BACK_OFF_SECONDS[min(action.attempts, len(BACK_OFF_SECONDS)) - 1]
        await self._wait(answer.retry_after or random.uniform(0, most))
        return None

    async def _ambiguous(self, action: Action, connector: RespondConnector, answer: Answer) -> Action | None:
        words = failure_words(answer)
        last = action.attempts >= POSTS
        try:
            if last:
                done = await self.is_as_wanted(action, connector)
            else:
                done = await self.is_there(connector, action.entry, action.list) == action.wanted
        except Fault as fault:
            return self.unknown(action, f"{words} The list could not be read either. {fault}")
        if done:
            return self.finish(action, SUCCEEDED, f"{words} The list shows that it was carried out.")
        if last:
            return self.finish(action, FAILED, f"{words} The list shows that it was not carried out.")
        return None

    async def _refused_delete(self, action: Action, connector: RespondConnector, answer: Answer) -> Action:
        try:
            there = await self.is_there(connector, action.entry, action.list)
        except Fault:
            return self.finish(action, FAILED, failure_words(answer))
        if there:
            return self.finish(action, FAILED, failure_words(answer))
        return self.finish(action, SUCCEEDED, "Not there: the list does not hold this entry.", unchanged=True)

    # writing down

    def change(self, action: Action, **changes: Any) -> Action:
        """Write a step down and tell of it."""
        action = self._journal.change(action.id, at=self._clock.now(), **changes)
        self._changed(action)
        return action

    def unknown(self, action: Action, message: str) -> Action:
        return self.change(action, status=UNKNOWN, message=message, owner=0)

    def finish(self, action: Action, status: str, message: str, **more: Any) -> Action:
        """Write the end down, and in the same transaction what it means for earlier actions."""
        return self.finish_all([(action, status, message, more)])[0]

    def finish_all(self, ends: list[tuple[Action, str, str, dict[str, Any]]]) -> list[Action]:
        """finish() for several (action, status, message, more changes) in one transaction."""
        now = self._clock.now()
        steps: list[tuple[str, dict[str, Any]]] = []
        for action, status, message, more in ends:
            steps.append(
                (action.id, {"status": status, "message": message, "owner": 0, "ended": now, **more})
            )
            if status == SUCCEEDED:
                steps += self._consequences(action)
        changed = self._journal.change_all(steps, at=now)
        for action in changed:
            self._changed(action)
        ids = {action.id: action for action in changed}
        return [ids[action.id] for action, *_ in ends]

    def _consequences(self, action: Action) -> list[tuple[str, dict[str, Any]]]:
        """The last word counts: what was deleted is undone, what was added again expires with the new action."""
        earlier = self._journal.live(action)
        steps: list[tuple[str, dict[str, Any]]] = []
        ids = [] if action.wanted else [other.id for other in earlier]
        if action.wanted:
            steps += [(one.id, {"expires": 0}) for one in earlier if one.expires and one.id < action.id]
        if action.undoes and action.undoes not in ids:
            ids.append(action.undoes)
        for found in map(self._journal.action, ids):
            if found.status == SUCCEEDED:
                steps.append((found.id, {"status": UNDONE, "undone_by": action.id}))
        return steps


def response_text(answer: Answer) -> str:
    """The service's answer as the journal keeps it."""
    return answer.body[:RESPONSE_CHARS].decode("utf-8", "replace").replace("\x00", "\ufffd")


def failure_words(answer: Answer) -> str:
    """Why it failed: the service's words, or what stood in its place."""
    if answer.status == 0:
        return answer.message
    words = answer.message or responders.message_of(answer.body)
    if 300 <= answer.status < 400:
        words = "The service answered with a redirect, which is never followed."
    elif answer.body.lstrip()[:1] == b"<":
        words = "Something answered with a web page instead of the API: a proxy or a login page?"
    return f"{answer.status}: {words}" if words else f"The service answered {answer.status}."


def failure_hint(answer: Answer) -> str:
    """What to check."""
    return {
        401: "Did you enter the Client ID and Client Secret correctly? Are they expired?",
        403: "Does this key have the permissions for the org lists?",
        404: "Is the Hostname right?",
        429: "The service is busy or the quota is used up; try again later.",
    }.get(answer.status, "Try again later.")
