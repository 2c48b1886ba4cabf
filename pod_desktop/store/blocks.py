"""Raw records in compressed blocks: exactly the bytes received, with a checksum.

A block is one zstd frame of: first seq, number of records, their lengths, their bytes. The frame carries a
checksum of the content, and the header binds it to its place, so that damage or a block in the wrong
place is an error and never another record.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from typing import Final

import zstandard

from pod_desktop.core.limits import BLOCK_RECORDS, MIB

BLOCK_BYTES: Final = 1 * MIB
"""A block is closed at this many raw bytes; one larger record is a block of its own."""
_HEADER: Final = struct.Struct("<QI")


class Damaged(Exception):
    """A block does not hold what was written."""


class Packer:
    """Makes blocks; keeps the compressor's memory. One thread at a time."""

    def __init__(self, level: int = 1) -> None:
        self._compressor = zstandard.ZstdCompressor(level=level, write_checksum=True, write_content_size=True)

    def pack(self, first: int, records: Sequence[bytes]) -> bytes:
        count = len(records)
        head = _HEADER.pack(first, count) + struct.pack(f"<{count}I", *map(len, records))
        return self._compressor.compress(b"".join((head, *records)))


class Block:
    """Raw records that were compressed together; each is cut out only when it is asked for."""

    __slots__ = ("_starts", "data")

    def __init__(self, data: bytes, starts: list[int]) -> None:
        self.data = data
        """All of them, one behind the other, after a header."""
        self._starts = starts

    def __len__(self) -> int:
        return len(self._starts) - 1

    def __getitem__(self, place: int) -> bytes:
        return self.data[self._starts[place] : self._starts[place + 1]]

    def worth(self, spots: Callable[[bytes, Sequence[int]], Sequence[int]]) -> Sequence[int]:
        """The places of the records that these name (port.Spots)."""
        return spots(self.data, self._starts)


class Unpacker:
    """Opens blocks. One thread at a time."""

    def __init__(self) -> None:
        self._decompressor = zstandard.ZstdDecompressor()

    def unpack(self, first: int, block: bytes) -> list[bytes]:
        """The records of a block; raises as open() does."""
        opened = self.open(first, block)
        return [opened[place] for place in range(len(opened))]

    def open(self, first: int, block: bytes) -> Block:
        """The block itself.

        Raises:
            Damaged: checksum, place or lengths are wrong.
        """
        try:
            data = self._decompressor.decompress(block)
            place, count = _HEADER.unpack_from(data)
            lengths = struct.unpack_from(f"<{count}I", data, _HEADER.size)
        except (zstandard.ZstdError, struct.error, MemoryError) as error:
            raise Damaged(str(error)) from None
        starts = list(accumulate(lengths, initial=_HEADER.size + 4 * count))
        if place != first or starts[-1] != len(data):
            raise Damaged("the block belongs elsewhere or has another length")
        return Block(data, starts)


def split(records: Sequence[bytes]) -> Iterator[tuple[int, Sequence[bytes]]]:
    """Cut records into nearly equal blocks within both limits: (place of the first, records)."""
    blocks = -(-len(records) // BLOCK_RECORDS)
    at_most = -(-len(records) // blocks) if blocks else 1
    begin = size = 0
    for end, record in enumerate(records):
        if end > begin and (end - begin >= at_most or size + len(record) > BLOCK_BYTES):
            yield begin, records[begin:end]
            begin, size = end, 0
        size += len(record)
    if begin < len(records):
        yield begin, records[begin:]
