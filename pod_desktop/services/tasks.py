"""Tasks with an owner, a name, and someone who hears their errors. The only place that creates tasks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

OnError = Callable[[str, BaseException], None]


class Tasks:
    """The tasks of one owner: started by name, cancelled together, none of their errors unheard."""

    def __init__(self, owner: str, on_error: OnError) -> None:
        """`on_error(task name, exception)` is told of every task that ends by an exception."""
        self._owner = owner
        self._on_error = on_error
        self._running: set[asyncio.Task[Any]] = set()

    def spawn(self, coroutine: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
        """Start a task on the running loop and keep hold of it until it ends."""
        task = asyncio.get_running_loop().create_task(coroutine, name=f"{self._owner}: {name}")
        self._running.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if task.cancelled():
            return
        if (error := task.exception()) is not None:
            self._on_error(task.get_name(), error)

    @property
    def running(self) -> tuple[asyncio.Task[Any], ...]:
        """Tasks that have not ended."""
        return tuple(self._running)

    async def stop(self, seconds: float) -> bool:
        """Cancel all and wait for them; False if some had not ended after that many seconds."""
        tasks = self.running
        for task in tasks:
            task.cancel()
        if not tasks:
            return True
        _, pending = await asyncio.wait(tasks, timeout=seconds)
        return not pending
