"""What the service tells on the desktop: connectors that stop or lag, and playbooks that are to notify.

A window that is open tells first and by itself; what nobody has claimed within a moment is told from here. What
comes faster than people read becomes one notification.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Protocol

from pod_desktop.core.clock import MINUTE, SECOND, Clock
from pod_desktop.core.faults import Fault
from pod_desktop.core.playbook import NOTIFY
from pod_desktop.core.playbook_limits import ACT
from pod_desktop.core.settings import NOTIFICATIONS
from pod_desktop.core.text import plural
from pod_desktop.services.settings import Settings
from pod_desktop.services.stalls import Stall, Watch
from pod_desktop.store import FiringRow, Ledger, Playbooks

SAID: Final = "notifying"
"""The setting in which the service says whether it can tell anything."""
GRACE: Final = 3 * SECOND
"""So long a window has to tell it."""
STALL_EVERY: Final = 10 * MINUTE
"""The same of the same stream is told at most so often, whoever tells it."""
OLD: Final = 10 * MINUTE
"""What a playbook wanted to tell longer ago is no news."""
APART_SECONDS: Final = 10.0
"""Between two notifications."""
PROBE_SECONDS: Final = 300.0
POLL_SECONDS: Final = 1.0
ROWS: Final = 200
WORDS_CHARS: Final = 240
_log: Final = logging.getLogger(__name__)


class Tells(Protocol):
    """What is needed of services.desktop.Desktop."""

    problem: str

    async def ready(self) -> bool: ...
    async def tell(self, title: str, words: str) -> bool: ...
    async def close(self) -> None: ...


def claim_stall(ledger: Ledger, stall: Stall, now: int) -> bool:
    """Whether the caller is the one to tell of it."""
    return ledger.claim(f"{stall.connector.casefold()}/{stall.kind}/{stall.why}", now=now, every=STALL_EVERY)


def stall_words(stalls: Sequence[Stall]) -> tuple[str, str]:
    """Title and words of one notification about these, oldest first."""
    more = len(stalls) - 1
    return "Connectors", stalls[-1].words + (f" And {more:,} more." if more else "")


def playbook_words(rows: Sequence[FiringRow]) -> tuple[str, str]:
    """Title and words of one notification about these, oldest first. Nothing in them is from a record."""
    if len(rows) == 1:
        (row,) = rows
        return f"Playbook {row.playbook}", _public(row)
    names = list(dict.fromkeys(row.playbook for row in reversed(rows)))
    if len(names) == 1:
        return f"Playbook {names[0]}", f"{_public(rows[-1])} And {len(rows) - 1:,} more."
    named = ", ".join(names[:3]) + (f" and {len(names) - 3:,} more" if len(names) > 3 else "")
    return "Playbooks", f"{len(rows):,} notifications of {named}."[:WORDS_CHARS]


def _public(row: FiringRow) -> str:
    words = (row.public or f"{row.playbook}: {plural(len(row.records), 'record')}")[:WORDS_CHARS].rstrip()
    return words if words.endswith((".", "!", "?")) else f"{words}."


class Notifying:
    """Looks and tells until it is stopped. One in the collector service."""

    def __init__(
        self,
        ledger: Ledger,
        playbooks_file: Path,
        desktop: Tells,
        clock: Clock,
        *,
        pid: int,
        poll: float = POLL_SECONDS,
    ) -> None:
        """
        Args:
            playbooks_file: opened when there is one.
            pid: of the service, beside what it says of itself in the ledger.
        """
        self._ledger = ledger
        self._file = playbooks_file
        self._desktop = desktop
        self._clock = clock
        self._pid = pid
        self._poll = poll
        self._settings = Settings(ledger, clock)
        self._watch = Watch()
        self._stalls: dict[Stall, int] = {}
        """What began to stall and is not told yet, and when that was seen."""
        self._playbooks: Playbooks | None = None
        self._newest = 0
        """Rows of playbooks up to this id are settled: told, claimed by a window, or too old."""
        self._told = -APART_SECONDS
        self._probed = -PROBE_SECONDS
        self._can = False
        self._said = ""

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set; no fault of file or desktop ends it."""
        try:
            while not stop.is_set():
                try:
                    await self.step()
                except Fault as fault:
                    _log.warning("notifications: %s", fault)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), self._poll)
        finally:
            await self._desktop.close()
            await asyncio.to_thread(self._close)

    async def step(self) -> None:
        """One look, and what is to be told by it.

        Raises:
            Fault: the ledger or the playbooks' file is failing.
        """
        await self._probe()
        due = await asyncio.to_thread(self._look, self._may_tell())
        for title, words in due:
            self._told = self._clock.monotonic()
            self._can = await self._desktop.tell(title, words)

    def _may_tell(self) -> bool:
        return self._can and self._clock.monotonic() - self._told >= APART_SECONDS

    async def _probe(self) -> None:
        """See now and then whether there is a desktop, and say so where `status` finds it."""
        now = self._clock.monotonic()
        if not self._can and now - self._probed >= PROBE_SECONDS:
            self._probed = now
            self._can = await self._desktop.ready()
        said = json.dumps({"pid": self._pid, "problem": "" if self._can else self._desktop.problem})
        if said != self._said:
            await asyncio.to_thread(self._ledger.set_setting, SAID, json.loads(said))
            self._said = said

    def _look(self, may_tell: bool) -> list[tuple[str, str]]:
        """Titles and words that are this process's to tell now."""
        now = self._clock.now()
        enabled = [entry.connector.name for entry in self._ledger.connectors() if entry.enabled]
        for stall in self._watch.look(self._ledger.statuses(), now, enabled):
            self._stalls.setdefault(stall, now)
        on = set(self._watch.stalls.values())
        self._stalls = {stall: at for stall, at in self._stalls.items() if stall in on}
        if not may_tell or not self._settings.get(NOTIFICATIONS):
            return []
        found = []
        due = [stall for stall, at in self._stalls.items() if not 0 <= now - at < GRACE]
        for stall in due:
            del self._stalls[stall]
        if mine := [stall for stall in due if claim_stall(self._ledger, stall, now)]:
            found.append(stall_words(mine))
        if rows := self._rows(now):
            found.append(playbook_words(rows))
        return found

    def _rows(self, now: int) -> list[FiringRow]:
        """Of the notifications of playbooks those that no window has told in time, oldest first."""
        if self._playbooks is None and not self._file.exists():
            return []
        book = self._playbooks = self._playbooks or Playbooks(self._file)
        rows = book.rows(type=NOTIFY, outcome=ACT, after=self._newest, limit=ROWS)
        due = [row for row in reversed(rows) if not 0 <= now - row.at < GRACE]
        if not due:
            return []
        self._newest = due[-1].id
        before = book.claim_told(self._newest)
        return [row for row in due if row.id > before and now - row.at < OLD]

    def _close(self) -> None:
        if self._playbooks is not None:
            self._playbooks.close()
