"""Which records retention has deleted, for as long as the service's archive could bring them back.

An hour of the archive may be fetched again (a gap, a connector made anew). What was deleted for the store's
size would come back with it, only to be deleted again; so the ids of deleted records are kept, 8 bytes each,
until the archive does not reach back to them any more. Imports by a person are not held back.
"""

from __future__ import annotations

import os
import re
import struct
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from pod_desktop.core import limits
from pod_desktop.core.clock import DAY
from pod_desktop.store.schema import outage, sync_folder

REACH: Final = (limits.ARCHIVE_DAYS + 1) * DAY
"""Older than this nothing can be fetched again."""
_MAGIC: Final = b"PODgone2"
_HEAD: Final = struct.Struct("<8sqqQ")
_WIDTH: Final = 8
_LOADED: Final = 8
"""Files held in memory, of 2 MB each."""
_NAME: Final = re.compile(r"gone-(\d{1,12})\.ids")


class _Part(NamedTuple):
    """The file about one deleted segment."""

    path: Path
    lo: int
    hi: int


def ids_path(folder: Path, segment: int) -> Path:
    return folder / f"gone-{segment}.ids"


def write(folder: Path, segment: int, lo: int, hi: int, keys: Iterable[bytes]) -> None:
    """Remember the records of a segment that is about to be deleted (dedupe.key of each).

    Raises:
        Outage: the disk is full or failing.
    """
    digests = b"".join(sorted(key[:_WIDTH] for key in keys))
    path = ids_path(folder, segment)
    beside = path.with_suffix(".new")
    with outage(path):
        # On the disk before the segment goes: else a power cut could bring its records back.
        with beside.open("wb") as file:
            file.write(_HEAD.pack(_MAGIC, lo, hi, len(digests)) + digests)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
        sync_folder(folder)


class Gone:
    """What is remembered; asked for every record that arrives with a time that old."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._parts: list[_Part] = []
        self._loaded: OrderedDict[Path, bytes] = OrderedDict()
        self.newest = -1
        """No deleted record is newer: microseconds UTC."""

    def load(self, segments: Iterable[int], now: int) -> None:
        """Look what there is about these deleted segments; forget what cannot come again, and what is no memory."""
        wanted = set(segments)
        self._parts.clear()
        for file in self._folder.glob("gone-*"):
            match = _NAME.fullmatch(file.name)
            part = _head(file) if match and int(match[1]) in wanted else None
            if part is None or part.hi < now - REACH:
                with suppress(OSError):
                    file.unlink()
            else:
                self._parts.append(part)
        self.newest = max((part.hi for part in self._parts), default=-1)

    def holds(self, key: bytes, time: int) -> bool:
        """Was this record deleted?"""
        if time > self.newest:
            return False
        digest = key[:_WIDTH]
        return any(part.lo <= time <= part.hi and _is_in(self._digests(part), digest) for part in self._parts)

    def _digests(self, part: _Part) -> bytes:
        """Sorted, 8 bytes each; few parts are in memory, for an hour fetched again is in one or two of them."""
        found = self._loaded.pop(part.path, None)
        if found is None:
            try:
                found = part.path.read_bytes()[_HEAD.size :]
            except OSError:
                found = b""
        self._loaded[part.path] = found
        if len(self._loaded) > _LOADED:
            self._loaded.popitem(last=False)
        return found


def _is_in(digests: bytes, digest: bytes) -> bool:
    places = range(len(digests) // _WIDTH)
    place = bisect_left(places, digest, key=lambda at: digests[at * _WIDTH : (at + 1) * _WIDTH])
    return digests[place * _WIDTH : (place + 1) * _WIDTH] == digest


def _head(path: Path) -> _Part | None:
    """None where the file is not whole: then a record may come twice, but none is lost."""
    try:
        with path.open("rb") as file:
            magic, lo, hi, size = _HEAD.unpack(file.read(_HEAD.size))
        whole = magic == _MAGIC and size % _WIDTH == 0 and path.stat().st_size == _HEAD.size + size
    except (OSError, struct.error):
        return None
    return _Part(path, lo, hi) if whole else None
