"""Frames on their way from the socket to the store: a queue bounded by count and by bytes.

The reader appends and, when the queue is full, stops reading: the socket waits and nothing is dropped.
The other side takes in bulk; neither side does anything per record but append.
"""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from pod_desktop.core import limits


class Frame(NamedTuple):
    """One WebSocket message, as it came."""

    data: bytes
    arrived: int
    """Microseconds UTC."""


class Arrivals:
    """One session's frames; used on one event loop, by one reader and one taker."""

    def __init__(self, most: int = limits.QUEUE_RECORDS, most_bytes: int = limits.QUEUE_BYTES) -> None:
        self._frames: list[Frame] = []
        self._bytes = 0
        self.total = 0
        """Frames ever added."""
        self._most = most
        self._most_bytes = most_bytes
        self._ended = False
        self._wanted = 0
        self._taker: asyncio.Future[None] | None = None
        self._reader: asyncio.Future[None] | None = None

    def __len__(self) -> int:
        return len(self._frames)

    @property
    def size(self) -> int:
        """Bytes of the frames that wait."""
        return self._bytes

    @property
    def ended(self) -> bool:
        """No more will be added; what is here may still be taken."""
        return self._ended

    @property
    def full(self) -> bool:
        return len(self._frames) >= self._most or self._bytes >= self._most_bytes

    def add(self, data: bytes, arrived: int) -> bool:
        """Append a frame; True when the queue is full now and the reader must wait for room()."""
        frames = self._frames
        frames.append(Frame(data, arrived))
        self._bytes += len(data)
        self.total += 1
        if self._taker is not None and (len(frames) >= self._wanted or self.full):
            _wake(self._taker)
        return len(frames) >= self._most or self._bytes >= self._most_bytes

    def end(self) -> None:
        """The reader is done."""
        self._ended = True
        _wake(self._taker)

    async def room(self) -> None:
        """Return when frames have been taken."""
        while self.full:
            self._reader = asyncio.get_running_loop().create_future()
            try:
                await self._reader
            finally:
                self._reader = None

    async def wait(self, count: int, seconds: float) -> None:
        """Return when so many frames are here, the queue is full or ended, or the time is over."""
        if len(self._frames) >= count or self._ended or self.full or seconds <= 0:
            return
        loop = asyncio.get_running_loop()
        self._taker, self._wanted = loop.create_future(), count
        timer = loop.call_later(seconds, _wake, self._taker)
        try:
            await self._taker
        finally:
            timer.cancel()
            self._taker = None

    def nudge(self) -> None:
        """End a wait() early."""
        _wake(self._taker)

    def take(self, most: int, most_bytes: int) -> list[Frame]:
        """The oldest frames, at most so many and (but for the first) so many bytes."""
        frames = self._frames
        if len(frames) <= most and self._bytes <= most_bytes:
            taken, self._frames, self._bytes = frames, [], 0
        else:
            size, count = 0, 0
            for frame in frames[:most]:
                if count and size + len(frame.data) > most_bytes:
                    break
                size += len(frame.data)
                count += 1
            taken = frames[:count]
            del frames[:count]
            self._bytes -= size
        if self._reader is not None and not self.full:
            _wake(self._reader)
        return taken


def _wake(waiter: asyncio.Future[None] | None) -> None:
    if waiter is not None and not waiter.done():
        waiter.set_result(None)
