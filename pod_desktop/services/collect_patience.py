"""Waiting between tries: as long as the verdict says, but never longer than someone who asks to try now."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from pod_desktop.core.clock import SECOND, Clock
from pod_desktop.core.status import WAITING
from pod_desktop.stream import Attempts, Verdict, delay

Say = Callable[[Verdict, int, int], None]
"""(what happened, microseconds UTC of the next try, tries in a row)."""
_log: Final = logging.getLogger("pod_desktop.services.collect_stream")


@dataclass(slots=True)
class Patience:
    """The back-off of one side of a stream: live and archive fail, and recover, each by itself."""

    key: str
    clock: Clock
    backoff: float
    """Factor on all waits."""
    say: Say
    stopping: asyncio.Event
    stuck: asyncio.Event
    """Set while a person has to mend something."""
    chance: Callable[[], float] = random.random
    attempts: Attempts = field(default_factory=Attempts)
    _now: asyncio.Event = field(default_factory=asyncio.Event)

    def try_now(self) -> None:
        """End a wait at once."""
        self._now.set()

    async def asked(self) -> None:
        """Wait until someone asks to try now, or to stop."""
        self._now.clear()
        if not self.stopping.is_set():
            await self._now.wait()

    async def wait_out(self, why: Verdict, held: float) -> None:
        """Say what happened and wait.

        Args:
            held: seconds that the connection had held before; long enough, and the back-off begins anew.
        """
        if self.stopping.is_set():
            return
        attempt = self.attempts.failed(held)
        _log.info("%s: %s %s", self.key, why.code, why.what)
        if why.state == WAITING:
            self.stuck.clear()
        else:
            self.stuck.set()
        if await self.pause(why, attempt):
            self.attempts.forget()

    async def pause(self, why: Verdict, attempt: int) -> bool:
        """Wait; True when someone asked to try now."""
        seconds = delay(why, attempt, self.chance()) * self.backoff
        self.say(why, self.clock.now() + int(seconds * SECOND), attempt + 1)
        self._now.clear()
        if self.stopping.is_set():
            return False
        try:
            async with asyncio.timeout(seconds):
                await self._now.wait()
        except TimeoutError:
            return False
        return True
