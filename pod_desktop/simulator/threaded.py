"""A simulator in a thread of its own, for tests that have no event loop to give it (windows, subprocesses)."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

from pod_desktop.simulator.simulator import Simulator


class ThreadedSimulator:
    """Handle to a running simulator. Read its attributes freely; change things with do()."""

    def __init__(self, simulator: Simulator, loop: asyncio.AbstractEventLoop) -> None:
        self.simulator = simulator
        self._loop = loop

    def __getattr__(self, name: str) -> Any:
        return getattr(self.simulator, name)

    def do(self, action: Callable[[Simulator], Any], seconds: float = 10.0) -> Any:
        """Run `action(simulator)` in the simulator's thread, await what it returns, and hand back the result.

        Raises:
            TimeoutError: it took longer than `seconds`; and whatever the action raises.
        """

        async def call() -> Any:
            result = action(self.simulator)
            return await result if isinstance(result, Awaitable) else result

        return asyncio.run_coroutine_threadsafe(call(), self._loop).result(seconds)

    def drop_all(self, how: str | int = "abort", kind: str | None = None) -> int:
        ended: int = self.do(lambda simulator: simulator.drop_all(how, kind))
        return ended

    def publish(self, kind: str, raw: Any, *, binary: bool = False) -> Any:
        return self.do(lambda simulator: simulator.publish(kind, raw, binary=binary))


@contextmanager
def running(**options: Any) -> Iterator[ThreadedSimulator]:
    """`with running(rate=20) as sim:` the simulator serves in a thread until the block ends."""
    started: Future[ThreadedSimulator] = Future()
    stop = threading.Event()

    async def serve() -> None:
        loop = asyncio.get_running_loop()
        async with Simulator(**options) as simulator:
            started.set_result(ThreadedSimulator(simulator, loop))
            await loop.run_in_executor(None, stop.wait)

    def run() -> None:
        try:
            asyncio.run(serve())
        except BaseException as error:
            if started.done():
                raise
            started.set_exception(error)

    thread = threading.Thread(target=run, name="simulator", daemon=True)
    thread.start()
    try:
        yield started.result(20)
    finally:
        stop.set()
        thread.join(20)
