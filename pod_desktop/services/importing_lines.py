"""The lines of a file from anywhere: plain, gzip or zstd, UTF-8 or UTF-16, of any length, in bounded memory."""

from __future__ import annotations

import codecs
import gzip
import os
import stat
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final, NamedTuple

from pod_desktop.core import limits
from pod_desktop.core.faults import Outage

SUFFIXES: Final = (".ndjson", ".jsonl", ".json", ".log", ".gz", ".zst")
"""What is taken from a folder; a file that is named may be called anything."""
_CHUNK: Final = 256 * limits.KIB
_ZSTD_CHUNK: Final = 1 * limits.KIB
"""Small on purpose: four bytes of zstd can hold 128 KiB, so this much becomes 32 MiB at the very most."""
_BOM: Final = codecs.BOM_UTF8
_UTF16: Final = (
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


class Line(NamedTuple):
    """One line of a file, without its end."""

    number: int
    """1 for the first."""
    data: bytes
    size: int
    """Bytes of the whole line; more than len(data) where it is longer than the limit (data is b'')."""


class Source:
    """An open file that gives its content in pieces, decompressed and as UTF-8."""

    def __init__(self, path: Path) -> None:
        """Open the file.

        Raises:
            Outage: it is missing, no regular file, or may not be read.
        """
        self.path = path
        self.damage = ""
        """Why the content ends early, in words; '' while nothing is wrong."""
        try:
            mode = path.stat().st_mode
            if not stat.S_ISREG(mode):
                raise Outage("It is no regular file.", str(path))
            self._file: IO[bytes] = path.open("rb")
            self.size = os.fstat(self._file.fileno()).st_size
        except OSError as error:
            raise Outage(f"It cannot be opened ({error.strerror}).", str(path)) from None

    def close(self) -> None:
        self._file.close()

    @property
    def done(self) -> int:
        """Bytes of the file read so far, compressed where it is compressed."""
        return self._file.tell()

    def pieces(self) -> Iterator[bytes]:
        """The content, decompressed, in UTF-8 without a byte order mark. Ends early where it is damaged."""
        content = self._decompressed()
        first = b""
        for piece in content:
            first += piece
            if len(first) >= 4:
                break
        for mark, name in _UTF16:
            if first.startswith(mark):
                yield from self._recoded(first[len(mark) :], content, name)
                return
        if first[:4].count(0) == 2 and first[:1] + first[2:3] in (b"\0\0",):
            yield from self._recoded(first, content, "utf-16-be")
            return
        if first[:4].count(0) == 2 and first[1:2] + first[3:4] == b"\0\0":
            yield from self._recoded(first, content, "utf-16-le")
            return
        yield first.removeprefix(_BOM)
        yield from content

    def _recoded(self, first: bytes, rest: Iterator[bytes], encoding: str) -> Iterator[bytes]:
        decoder = codecs.getincrementaldecoder(encoding)("replace")
        yield decoder.decode(first).encode("utf-8", "replace")
        for piece in rest:
            yield decoder.decode(piece).encode("utf-8", "replace")
        yield decoder.decode(b"", final=True).encode("utf-8", "replace")

    def _decompressed(self) -> Iterator[bytes]:
        head = self._file.read(4)
        self._file.seek(0)
        try:
            if head[:2] == b"\x1f\x8b":
                yield from _gunzip(self._file)
            elif head == b"\x28\xb5\x2f\xfd":
                yield from self._unzstd()
            else:
                while piece := self._file.read(_CHUNK):
                    yield piece
        except EOFError:
            self.damage = "The compressed file ends early: it was cut off."
        except (gzip.BadGzipFile, zlib.error) as error:
            self.damage = f"The gzip data are damaged here ({error})."
        except OSError as error:
            self.damage = f"The file cannot be read on from here ({error.strerror or error})."

    def _unzstd(self) -> Iterator[bytes]:
        import zstandard

        try:
            decompressor = zstandard.ZstdDecompressor()
            frame = decompressor.decompressobj()
            begun = False
            while chunk := self._file.read(_ZSTD_CHUNK):
                while chunk:
                    begun = True
                    if piece := frame.decompress(chunk):
                        yield piece
                    chunk = b""
                    if frame.eof:
                        chunk, frame, begun = frame.unused_data, decompressor.decompressobj(), False
            if begun:
                self.damage = "The compressed file ends early: it was cut off."
        except zstandard.ZstdError as error:
            self.damage = f"The zstd data are damaged here ({error})."


def _gunzip(file: IO[bytes]) -> Iterator[bytes]:
    with gzip.GzipFile(fileobj=file, mode="rb") as content:
        while piece := content.read1(_CHUNK):
            yield piece


def lines(pieces: Iterator[bytes], most: int = limits.IMPORT_FILE_CHARS) -> Iterator[Line]:
    """Lines of at most so many bytes; of a longer one only its number and size are given."""
    kept: list[bytes] = []
    size, number = 0, 0

    def line() -> Line:
        return Line(number, b"".join(kept).rstrip(b"\r") if size <= most else b"", size)

    for piece in pieces:
        begin = 0
        while (end := piece.find(b"\n", begin)) >= 0:
            size += end - begin
            if size <= most:
                kept.append(piece[begin:end])
            number += 1
            yield line()
            kept, size, begin = [], 0, end + 1
        size += len(piece) - begin
        if size <= most:
            kept.append(piece[begin:])
        else:
            kept = []
    if size:
        number += 1
        yield line()


def find_files(path: Path) -> list[Path]:
    """The file itself, or the importable files in a folder and below, by name."""
    if not path.is_dir():
        return [path]
    found = []
    for folder, folders, names in os.walk(path):
        folders.sort()
        found += [
            Path(folder, name) for name in sorted(names) if name.lower().endswith(SUFFIXES) and name[0] != "."
        ]
    return found
