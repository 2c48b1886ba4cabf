"""One frame of a stream, with what the simulator must know of it."""

from __future__ import annotations

from typing import NamedTuple


class Item(NamedTuple):
    """One frame of one content type."""

    time: int
    """Microseconds UTC that its record states; says to which archive hour it belongs."""
    kind: str
    rid: str
    """The record's guid or id; '' where the frame is no record that has one."""
    frame: bytes
    release: int
    """Microseconds UTC when the live stream hands it out: a little after its time, as on the wire."""
    binary: bool = False
    """Sent as a binary frame, not as text."""
