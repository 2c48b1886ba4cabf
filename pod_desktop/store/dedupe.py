"""Which records are in the store already: a memory of every (kind, rid), small and quick.

Segments being written keep their records' keys in a set. All others share Bloom filters, so that a record never
seen costs well under a microsecond; a hit is confirmed in the segments themselves. The filters are kept
in a file between runs; it is a shortcut only: lost or damaged, it is built again from the segments.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Final

from pod_desktop.core.faults import Outage
from pod_desktop.store.schema import outage

_BITS: Final = 26
"""8 MiB a filter: 16 bits a key at CAPACITY, which is wrong once in about 1,500 strange keys."""
CAPACITY: Final = 1 << (_BITS - 4)
_MASK: Final = (1 << _BITS) - 1
KEY_BYTES: Final = 15
"""120 bits: no two of a billion records share a key, and it takes a third less memory than the id as text."""
_PLACES: Final = 7
_TWO: Final = struct.Struct(f"<II{KEY_BYTES - 8}x")
"""Where a key's first place is, and how far from each place to the next (Kirsch and Mitzenmacher, 2006)."""
_MAGIC: Final = b"PODknown3"
_HEAD: Final = struct.Struct("<9sII")


def key(kind: str, rid: str) -> bytes:
    """The identity of a record, as short as it may be."""
    return blake2b(f"{kind}:{rid}".encode(), digest_size=KEY_BYTES).digest()


class Filter:
    """One Bloom filter over some segments."""

    __slots__ = ("awaited", "bits", "keys", "segments")

    def __init__(self, bits: bytearray | None = None, segments: Iterable[int] = (), keys: int = 0) -> None:
        self.bits = bits if bits is not None else bytearray(1 << (_BITS - 3))
        self.segments = set(segments)
        self.keys = keys
        self.awaited = 0
        """Segments that are about to be published here."""

    def add(self, keys: Iterable[bytes]) -> None:
        bits, mask = self.bits, _MASK
        for one, step in _TWO.iter_unpack(b"".join(keys)):
            step |= 1
            # Unrolled: this is done for every record stored.
            two = one + step
            three = two + step
            four = three + step
            five = four + step
            six = five + step
            seven = six + step
            bits[(one & mask) >> 3] |= 1 << (one & 7)
            bits[(two & mask) >> 3] |= 1 << (two & 7)
            bits[(three & mask) >> 3] |= 1 << (three & 7)
            bits[(four & mask) >> 3] |= 1 << (four & 7)
            bits[(five & mask) >> 3] |= 1 << (five & 7)
            bits[(six & mask) >> 3] |= 1 << (six & 7)
            bits[(seven & mask) >> 3] |= 1 << (seven & 7)

    def publish(self, segment: int, keys: int) -> None:
        """From now on a hit may mean this segment, whose keys have all been added."""
        self.segments.add(segment)
        self.keys += keys
        self.awaited -= 1

    def _holds(self, place: int, step: int) -> bool:
        bits = self.bits
        for _ in range(_PLACES):
            at = place & _MASK
            if not bits[at >> 3] & (1 << (at & 7)):
                return False
            place += step
        return True

    def suspects(self, keys: Sequence[bytes]) -> set[bytes]:
        """Those of the keys that it holds; most are passed by at the first look."""
        bits, mask = self.bits, _MASK
        places = enumerate(_TWO.iter_unpack(b"".join(keys)))
        worth = [
            (number, one, step)
            for number, (one, step) in places
            if bits[(one & mask) >> 3] & (1 << (one & 7))
        ]
        return {keys[number] for number, one, step in worth if self._holds(one, step | 1)}


class Known:
    """The filters of all segments that are full."""

    def __init__(self, filters: list[Filter] | None = None) -> None:
        self._filters = filters or []

    @property
    def segments(self) -> set[int]:
        return set().union(*(one.segments for one in self._filters))

    def room(self) -> Filter:
        """The filter that the next full segment goes into, once it is published there."""
        if not self._filters or self._filters[-1].keys >= CAPACITY:
            self._filters.append(Filter())
        self._filters[-1].awaited += 1
        return self._filters[-1]

    def forget(self, there: set[int]) -> None:
        """Let go of segments that are no more, and of filters that speak of no other.

        Keys cannot be taken out of a filter that stays, but they no longer mean these segments.
        """
        for one in self._filters:
            one.segments &= there
        self._filters = [one for one in self._filters if one.segments or one.awaited > 0]

    def suspects(self, keys: Sequence[bytes]) -> dict[bytes, set[int]]:
        """Those of the keys that may be known, and the segments that may hold them; mostly none."""
        found: dict[bytes, set[int]] = {}
        for one in self._filters:
            for key in one.suspects(keys):
                found[key] = found.get(key, set()) | one.segments
        return found

    def save(self, path: Path) -> None:
        """Write the filters whole or not at all.

        Raises:
            Outage: the disk is full or failing; the old file stands.
        """
        head = json.dumps([[sorted(one.segments), one.keys] for one in self._filters]).encode()
        body = b"".join(one.bits for one in self._filters)
        beside = path.with_suffix(".new")
        with outage(path):
            with beside.open("wb") as file:
                file.write(_HEAD.pack(_MAGIC, len(head), zlib.crc32(body, zlib.crc32(head))))
                file.write(head)
                file.write(body)
            beside.replace(path)


def load(path: Path) -> Known:
    """The saved filters; none where there is no file or it is not whole."""
    try:
        data = path.read_bytes()
        magic, length, crc = _HEAD.unpack_from(data)
        head = data[_HEAD.size : _HEAD.size + length]
        body = memoryview(data)[_HEAD.size + length :]
        if magic != _MAGIC or zlib.crc32(body, zlib.crc32(head)) != crc:
            return Known()
        listed = json.loads(head)
        size = 1 << (_BITS - 3)
        if len(body) != size * len(listed):
            return Known()
        return Known(
            [
                Filter(bytearray(body[place * size : (place + 1) * size]), segments, keys)
                for place, (segments, keys) in enumerate(listed)
            ]
        )
    except (OSError, ValueError, struct.error, Outage):
        return Known()
