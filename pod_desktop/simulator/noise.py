"""What goes wrong with frames on the way: twice, late, empty, binary, broken, huge."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Final

from pod_desktop.core.clock import MINUTE
from pod_desktop.simulator.chance import seed_of
from pod_desktop.simulator.item import Item
from pod_desktop.simulator.scenarios import Noise

QUIET: Final = Noise()
LATEST: Final = 21 * MINUTE
"""No frame is handed out later than this after its time."""
_LATE: Final = 20 * MINUTE


def disturbed(items: list[Item], noise: Noise) -> list[Item]:
    """The items with their share of noise; the same noise for the same items."""
    found = []
    for item in items:
        rng = Random(seed_of(item.rid, item.kind))
        if rng.random() < noise.late:
            item = item._replace(release=item.release + rng.randrange(_LATE))
        if rng.random() < noise.huge:
            item = item._replace(frame=_grown(item.frame, rng.randrange(1 << 20, 8 << 20)))
        if rng.random() < noise.binary:
            item = item._replace(binary=True)
        found.append(item)
        if rng.random() < noise.duplicates:
            found.append(item._replace(release=item.release + rng.randrange(MINUTE)))
        if rng.random() < noise.empty:
            found.append(item._replace(rid="", frame=b""))
        if rng.random() < noise.broken:
            found.append(broken(item, rng))
    return found


def broken(item: Item, rng: Random) -> Item:
    """Something beside this item that is no proper record; it keeps the item's id only where that can be read."""
    name = rng.choice(tuple(BREAKAGES))
    frame = BREAKAGES[name](item.frame.replace(item.rid.encode(), item.rid[::-1].encode()), rng)
    rid = item.rid[::-1] if name in ("invalid UTF-8", "raw control characters") else ""
    return item._replace(frame=frame, rid=rid)


def _grown(frame: bytes, size: int) -> bytes:
    """The record with a body part of that many bytes, as attachments' extracted text comes."""
    return frame.rstrip()[:-1] + b',"textExtracted":"' + b"TG9yZW0gaXBzdW0g" * (size // 16) + b'"}'


def _cut(frame: bytes, rng: Random) -> bytes:
    return frame[: rng.randrange(1, len(frame) // 2)]


def _invalid_utf8(frame: bytes, rng: Random) -> bytes:
    return frame.replace(b'"ts":"', b'"x-raw":"caf\xe9 \xff\xfe \xc0\xaf \xed\xa0\x80","ts":"', 1)


def _control_characters(frame: bytes, rng: Random) -> bytes:
    return frame.replace(b'"ts":"', b'"x-raw":"tab\there, bell\x07, esc\x1b[31m, newline\nhere","ts":"', 1)


BREAKAGES: Final[dict[str, Callable[[bytes, Random], bytes]]] = {
    "cut JSON": _cut,
    "invalid UTF-8": _invalid_utf8,
    "raw control characters": _control_characters,
    "an array": lambda frame, rng: b"[" + frame.strip() + b"]",
    "a bare string": lambda frame, rng: b'"keep-alive"',
    "null": lambda frame, rng: b"null",
    "a number": lambda frame, rng: b"42",
    "plain text": lambda frame, rng: f"server busy {rng.randrange(10**9)}, please wait\r\n".encode(),
    "HTML": lambda frame, rng: f"<html><body><h1>504</h1>ref {rng.randrange(10**9)}</body></html>".encode(),
    "blanks": lambda frame, rng: b" \r\n\t ",
    "bytes": lambda frame, rng: rng.randbytes(rng.randrange(1, 400)),
    "UTF-16": lambda frame, rng: frame[:200].decode("utf-8", "replace").encode("utf-16"),
    "byte order mark": lambda frame, rng: b"\xef\xbb\xbf{}",
}
