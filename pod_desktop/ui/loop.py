"""The window's event loop: asyncio on Qt, with what qasync leaves out.

It carries the window's short flows (a connection test, a list fetch). Sockets that stay open and stores do
not live on it.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from typing import Any

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication

from pod_desktop.services.tasks import Tasks
from pod_desktop.ui import bugs

STOP_SECONDS = 2.0
SWITCH_SECONDS = 0.001
"""How long a worker may keep the interpreter while the window waits for it; Python's own 5 ms are felt."""


class WindowLoop:
    """Runs the application and the coroutines of its windows."""

    def __init__(self, app: QApplication) -> None:
        os.environ["QT_API"] = "pyside6"  # qasync would prefer PyQt where both are installed
        import qasync

        sys.setswitchinterval(SWITCH_SECONDS)
        # One shutdown decides when the loop ends, not the closing of whichever window was last.
        app.setQuitOnLastWindowClosed(False)
        self._loop: Any = qasync.QEventLoop(app, already_running=False)
        self._loop.set_exception_handler(self._heard)
        self._hooks = sys.get_asyncgen_hooks()
        self._owners: dict[str, Tasks] = {}
        self._stop: asyncio.Event | None = None
        self._asked_to_stop = False

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The asyncio loop."""
        loop: asyncio.AbstractEventLoop = self._loop
        return loop

    def spawn(self, coroutine: Coroutine[Any, Any, Any], owner: QObject, name: str) -> asyncio.Task[Any]:
        """Run a coroutine until it ends or its owner is destroyed; its error is reported, never lost."""
        key = f"{type(owner).__name__}@{id(owner):x}"
        if key not in self._owners:
            self._owners[key] = Tasks(key, lambda _name, error: bugs.report(error))
            owner.destroyed.connect(lambda: self._cancel(key))
        return self._owners[key].spawn(coroutine, name)

    def run(self, closed: Callable[[], Coroutine[Any, Any, None]] | None = None) -> None:
        """Run until stop(); then cancel all tasks, wait for `closed()`, and close the loop."""
        loop = self._loop
        sys.set_asyncgen_hooks(
            firstiter=getattr(loop, "_asyncgen_firstiter_hook", None),
            finalizer=getattr(loop, "_asyncgen_finalizer_hook", None),
        )
        asyncio.set_event_loop(loop)
        try:
            with loop:
                loop.run_until_complete(self._main(closed))
        finally:
            sys.set_asyncgen_hooks(*self._hooks)
            asyncio.set_event_loop(None)

    def stop(self) -> None:
        """Ask the loop to end; any number of times, also before it runs."""
        self._asked_to_stop = True
        if self._stop is not None:
            self._stop.set()

    async def _main(self, closed: Callable[[], Coroutine[Any, Any, None]] | None) -> None:
        self._stop = asyncio.Event()
        if self._asked_to_stop:
            self._stop.set()
        self._listen_for_signals()
        await self._stop.wait()
        for tasks in list(self._owners.values()):
            await tasks.stop(STOP_SECONDS)
        if closed is not None:
            await closed()
        await self._loop.shutdown_asyncgens()

    def _listen_for_signals(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            try:
                self._loop.add_signal_handler(number, self.stop)
            except (NotImplementedError, RuntimeError, ValueError):  # Windows, or not the main thread
                signal.signal(number, lambda _number, _frame: self.stop())

    def _cancel(self, key: str) -> None:
        if tasks := self._owners.pop(key, None):
            for task in tasks.running:
                task.cancel()

    @staticmethod
    def _heard(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        bugs.report(error if error is not None else RuntimeError(str(context.get("message", context))))
