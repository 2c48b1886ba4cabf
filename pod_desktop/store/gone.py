"""Which records retention has deleted, for as long as the service's archive could bring them back.

An hour of the archive may be fetched again (a gap, a connector made anew). What was deleted for the store's
size would come back with it, only to be deleted again; so the ids of deleted records are kept, 8 bytes each,
until the archive does not reach back to them any more. Imports by a person are not held back.
"""

from __future__ import annotations

import re
import struct
from bisect import bisect_left
from collections.abc import Iterable
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import Final, NamedTuple

from pod_desktop.core import limits
from pod_desktop.core.clock import DAY
from pod_desktop.store.schema import outage

REACH: Final = (limits.ARCHIVE_DAYS + 1) * DAY
"""Older than this nothing can be fetched again."""
_MAGIC: Final = b"PODgone1"
_HEAD: Final = struct.Struct("<8sqqQ")
_WIDTH: Final = 8
_NAME: Final = re.compile(r"gone-(\d{1,12})\.ids")


class _Part(NamedTuple):
    """The ids of one deleted segment."""

    lo: int
    hi: int
    digests: bytes
    """Sorted, 8 bytes each, big-endian."""

    def holds(self, digest: bytes) -> bool:
        places = range(len(self.digests) // _WIDTH)
        place = bisect_left(places, digest, key=lambda at: self.digests[at * _WIDTH : (at + 1) * _WIDTH])
        return self.digests[place * _WIDTH : (place + 1) * _WIDTH] == digest


def _digest(key: str) -> bytes:
    return blake2b(key.encode("utf-8", "surrogatepass"), digest_size=_WIDTH).digest()


def ids_path(folder: Path, segment: int) -> Path:
    return folder / f"gone-{segment}.ids"


def write(folder: Path, segment: int, lo: int, hi: int, keys: Iterable[str]) -> None:
    """Remember the records of a segment that is about to be deleted (dedupe.key of each).

    Raises:
        Outage: the disk is full or failing.
    """
    digests = b"".join(sorted(map(_digest, keys)))
    path = ids_path(folder, segment)
    beside = path.with_suffix(".new")
    with outage(path):
        beside.write_bytes(_HEAD.pack(_MAGIC, lo, hi, len(digests)) + digests)
        beside.replace(path)


class Gone:
    """What is remembered; asked for every record that arrives with a time that old."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._parts: dict[int, _Part] = {}
        self.newest = -1
        """No deleted record is newer: microseconds UTC."""

    def load(self, segments: Iterable[int], now: int) -> None:
        """Read what belongs to these deleted segments; forget what cannot come again, and what is no memory."""
        wanted = set(segments)
        self._parts.clear()
        for file in self._folder.glob("gone-*"):
            match = _NAME.fullmatch(file.name)
            part = _read(file) if match and int(match[1]) in wanted else None
            if part is None or part.hi < now - REACH:
                with suppress(OSError):
                    file.unlink()
            elif match:
                self._parts[int(match[1])] = part
        self.newest = max((part.hi for part in self._parts.values()), default=-1)

    def holds(self, key: str, time: int) -> bool:
        """Was this record deleted?"""
        if time > self.newest:
            return False
        digest = _digest(key)
        return any(part.lo <= time <= part.hi and part.holds(digest) for part in self._parts.values())


def _read(path: Path) -> _Part | None:
    """None where the file is not whole: then a record may come twice, but none is lost."""
    try:
        data = path.read_bytes()
        magic, lo, hi, size = _HEAD.unpack_from(data)
    except (OSError, struct.error):
        return None
    whole = magic == _MAGIC and size == len(data) - _HEAD.size and size % _WIDTH == 0
    return _Part(lo, hi, data[_HEAD.size :]) if whole else None
