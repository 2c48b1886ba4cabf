"""The floor that the store's costs are given in multiples of, measured in the same run on the same records.

F = typed decode + reading the columns' members + zstd-1 in blocks of 128, CPU of one core, a record;
S = bytes of raw records that one core can unpack and look through in a second.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
import zstandard
from measuring import cpu

from pod_desktop import content
from pod_desktop.core.record import MESSAGE


class Floor(NamedTuple):
    f: float
    """Microseconds of CPU a record."""
    read: float
    """The same of content.read alone."""
    s: float
    """MB of raw records a second and core."""
    packed: float
    """Compressed bytes a raw byte of the blocks alone."""


class _Scores(msgspec.Struct, gc=False, frozen=True):
    overall: int | None = None


class _Spam(msgspec.Struct, gc=False, frozen=True):
    scores: _Scores = _Scores()


class _Modules(msgspec.Struct, gc=False, frozen=True):
    spam: _Spam = _Spam()


class _Filter(msgspec.Struct, gc=False, frozen=True):
    qid: str = ""
    disposition: str = ""
    routeDirection: str = ""
    msgSizeBytes: int = 0
    modules: _Modules = _Modules()


class _Connection(msgspec.Struct, gc=False, frozen=True):
    ip: str = ""
    country: str = ""


class _Envelope(msgspec.Struct, gc=False, frozen=True):
    sender: str = msgspec.field(default="", name="from")
    rcpts: list[str] = []


class _Header(msgspec.Struct, gc=False, frozen=True):
    subject: list[str] = []
    message_id: list[str] = msgspec.field(default_factory=list, name="message-id")


class _Msg(msgspec.Struct, gc=False, frozen=True):
    header: _Header = _Header()


class _Message(msgspec.Struct, gc=False, frozen=True):
    guid: str = ""
    ts: str = ""
    connection: _Connection = _Connection()
    envelope: _Envelope = _Envelope()
    filter: _Filter = _Filter()
    msg: _Msg = _Msg()


class _Sm(msgspec.Struct, gc=False, frozen=True):
    qid: str = ""
    sender: str = msgspec.field(default="", name="from")
    to: list[str] = []
    stat: str = ""
    relay: str = ""


class _Line(msgspec.Struct, gc=False, frozen=True):
    id: str = ""
    ts: str = ""
    data: str = ""
    sm: _Sm = _Sm()


def floor(sample: Sequence[tuple[str, bytes]]) -> Floor:
    """Measured on these records, (kind, raw) each; 12,800 are enough."""
    raws = [raw for _, raw in sample]
    message, line = msgspec.json.Decoder(_Message), msgspec.json.Decoder(_Line)
    compressor = zstandard.ZstdCompressor(level=1)

    def decode() -> list[tuple[Any, ...]]:
        rows = []
        for kind, raw in sample:
            if kind == MESSAGE:
                found = message.decode(raw)
                at = found.filter
                rows.append((found.guid, found.ts, at.qid, at.disposition, at.routeDirection, at.msgSizeBytes, at.modules.spam.scores.overall, found.connection.ip, found.connection.country, found.envelope.sender, found.envelope.rcpts[:1], len(found.envelope.rcpts), found.msg.header.subject[:1], found.msg.header.message_id[:1]))  # fmt: skip
            else:
                one = line.decode(raw)
                sm = one.sm
                rows.append(
                    (
                        one.id,
                        one.ts,
                        sm.qid,
                        sm.sender,
                        sm.to[0] if sm.to else "",
                        sm.stat,
                        sm.relay,
                        one.data,
                    )
                )
        return rows

    def compress() -> list[bytes]:
        return [compressor.compress(b"\n".join(raws[at : at + 128])) for at in range(0, len(raws), 128)]

    def read() -> None:
        for kind, raw in sample:
            content.read(kind, raw, 0)

    blocks = compress()
    decompressor = zstandard.ZstdDecompressor()

    def scan() -> None:
        for block in blocks:
            decompressor.decompress(block).find(b"needle that is not there")

    total = sum(map(len, raws))
    f = (cpu(decode) + cpu(compress)) / len(sample) * 1e6
    return Floor(f, cpu(read) / len(sample) * 1e6, total / cpu(scan) / 1e6, sum(map(len, blocks)) / total)
