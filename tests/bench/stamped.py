"""An hour of records made once and stamped with any hour: an archive as fast as the loopback takes it."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from itertools import cycle, islice

from pod_desktop.core.clock import HOUR, SystemClock, iso
from pod_desktop.core.record import MAILLOG, MESSAGE
from pod_desktop.simulator.generator import Flow, Generator

KINDS = (MESSAGE, MAILLOG)
PIECE = 1 << 18
_TS = re.compile(rb'"ts"\s*:\s*"(?=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}[+-]\d{4}")')
_MARK = 12
"""Characters of an id that are stamped: hour and place; the others stay as they were."""


class StampedHour:
    """One kind's hour, as WebSocket frames of which ids and times are overwritten in place."""

    def __init__(self, frames: list[tuple[bytes, str]], count: int) -> None:
        """`frames`: (record, its id); they are repeated until there are `count`."""
        data = bytearray()
        self._hours: list[int] = []
        self._ids: list[int] = []
        for place, (frame, rid) in enumerate(islice(cycle(frames), count)):
            data += _head(len(frame))
            at, stamp, identity = len(data), *_places(frame, rid)
            data += frame
            second = place * 3_600_000_000 // count
            rest = b":%02d:%02d.%06d+0000" % (
                second // 60_000_000,
                second // 1_000_000 % 60,
                second % 1_000_000,
            )
            data[at + stamp + 13 : at + stamp + 13 + len(rest)] = rest
            data[at + identity + 6 : at + identity + _MARK] = b"%06d" % place
            self._hours.append(at + stamp)
            self._ids.append(at + identity)
        self._data = data
        self.count = count

    def pieces(self, hour: int) -> Iterator[bytes]:
        """The frames of this hour (since 1970), in pieces."""
        data = bytearray(self._data)
        moment, mark = iso(hour * HOUR)[:13].encode(), b"%06d" % hour
        for at in self._hours:
            data[at : at + 13] = moment
        for at in self._ids:
            data[at : at + 6] = mark
        for at in range(0, len(data), PIECE):
            yield bytes(data[at : at + PIECE])


def _places(frame: bytes, rid: str) -> tuple[int, int]:
    """Where a record's time and its id stand; (-1, -1) where they cannot be stamped."""
    found, identity = _TS.search(frame), frame.find(rid.encode()) if len(rid) > _MARK else -1
    return (found.end(), identity) if found is not None and identity >= 0 else (-1, -1)


def _head(length: int) -> bytes:
    """Of an unmasked text frame (RFC 6455, section 5.2)."""
    if length < 126:
        return bytes((0x81, length))
    if length < 1 << 16:
        return struct.pack("!BBH", 0x81, 126, length)
    return struct.pack("!BBQ", 0x81, 127, length)


def stamped_hours(rate: float, template: int = 20_000, seed: int = 1) -> dict[str, StampedHour]:
    """Hours of `rate` records a second over both kinds, made of about so many different ones."""
    begin = (SystemClock().now() // HOUR - 2) * HOUR
    flow = Flow(Generator(seed, "acme_hosted", "calm", archive_rate=50.0, live_from=None), KINDS, begin)
    made: dict[str, list[tuple[bytes, str]]] = {kind: [] for kind in KINDS}
    total = min(template, int(rate * 3600))
    while sum(map(len, made.values())) < total:
        begin += 10_000_000
        for item in flow.until(begin):
            if _places(item.frame, item.rid)[0] > 0 and len(item.frame) < 1 << 16:
                made[item.kind].append((item.frame, item.rid))
    got = sum(map(len, made.values()))
    return {kind: StampedHour(made[kind], round(rate * 3600 * len(made[kind]) / got)) for kind in KINDS}
