"""An event loop of its own, beside the window: actions and lists are asked for there, answered here.

Sockets do not live on the window's loop (qasync's timers and callbacks are coarse), and the responding room
wants one loop for all that it does. The thread begins with the first call.
"""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass
from typing import Any, TypeVar

from PySide6.QtCore import QObject, Qt, Signal
from shiboken6 import isValid

from pod_desktop.core.faults import Fault
from pod_desktop.ui import bugs

T = TypeVar("T")
Make = Callable[[], Coroutine[Any, Any, T]]


@dataclass(frozen=True, slots=True)
class _Call:
    number: int
    then: Callable[[Any], None]
    failed: Callable[[BaseException], None] | None
    owner: QObject | None
    key: str


class Calls(QObject):
    """Runs coroutines on its own loop; their results come back to the window's thread."""

    _ended = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._numbers = itertools.count(1)
        self._newest: dict[str, tuple[int, Future[Any] | None]] = {}
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._stopping = False
        # A call that has ended before anybody listens is told on the asking thread: even then not from within ask().
        self._ended.connect(self._deliver, Qt.ConnectionType.QueuedConnection)

    def ask(
        self,
        make: Make[T],
        then: Callable[[T], None],
        failed: Callable[[BaseException], None] | None = None,
        *,
        owner: QObject | None = None,
        key: str = "",
    ) -> None:
        """Run what `make` makes on the loop, then `then` or `failed` on the window's thread.

        A later call with the same `key` cancels an earlier one that has not ended: only for questions, never
        for what changes something. Nothing is delivered once `owner` is gone.
        """
        if self._stopping:
            return
        call = _Call(next(self._numbers), then, failed, owner, key)
        self.forget(key)
        if key:
            self._newest[key] = (call.number, None)
        future: Future[Any] = asyncio.run_coroutine_threadsafe(make(), self._running())
        if key:
            self._newest[key] = (call.number, future)
        future.add_done_callback(lambda done: self._emit(call, done))

    def forget(self, key: str) -> None:
        """Give up what was asked under this key."""
        if key and (held := self._newest.pop(key, None)) is not None and held[1] is not None:
            held[1].cancel()

    def stop(self, end: Callable[[], Awaitable[None]] | None = None, seconds: float = 3.0) -> bool:
        """Cancel what runs, await `end()` on the loop, and end the thread; False if that took longer."""
        self._stopping = True
        loop, thread = self._loop, self._thread
        if loop is None or thread is None:
            return True
        asyncio.run_coroutine_threadsafe(_wind_up(end, seconds), loop).add_done_callback(
            lambda _done: loop.call_soon_threadsafe(loop.stop)
        )
        thread.join(seconds + 1.0)
        return not thread.is_alive()

    def _running(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(
                    target=_serve, args=(self._loop,), name="actions", daemon=True
                )
                self._thread.start()
            return self._loop

    def _emit(self, call: _Call, done: Future[Any]) -> None:
        try:
            answer, error = done.result(), None
        except (CancelledError, asyncio.CancelledError):
            return
        except BaseException as caught:
            answer, error = None, caught
        try:
            if isValid(self):
                self._ended.emit((call, answer, error))
        except RuntimeError:  # the window is gone
            return

    def _deliver(self, ended: tuple[_Call, Any, BaseException | None]) -> None:
        call, answer, error = ended
        if self._stopping or (call.owner is not None and not isValid(call.owner)):
            return
        if call.key:
            if self._newest.get(call.key, (0, None))[0] != call.number:
                return
            del self._newest[call.key]
        if error is None:
            call.then(answer)
            return
        if not isinstance(error, Fault):
            bugs.report(error)
        if call.failed is not None:
            call.failed(error)


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    try:
        loop.run_forever()
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()


async def _wind_up(end: Callable[[], Awaitable[None]] | None, seconds: float) -> None:
    """What is being sent becomes unknown (and is checked at the next start) rather than waited for."""
    me = asyncio.current_task()
    others = [task for task in asyncio.all_tasks() if task is not me]
    for task in others:
        task.cancel()
    if others:
        await asyncio.wait(others, timeout=seconds)
    if end is not None:
        await end()
