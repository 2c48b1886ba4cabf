"""Millions of records from the simulator's generator, quickly: `python tests/bench/find/records.py COUNT > FILE`.

The generator makes one week of a cluster's mail (at most 200,000 records, about 90 us each). That week is then told
again until there are enough records: five weeks one behind the other, and where that is not enough in several layers,
each 431 s later than the one below it. Each time the week is told, all its times move with it (as the cluster
writes them), queue ids are made anew from those times, and what identifies a mail or a file (ids of records and of
connections, message ids, hashes, ids within links, bounce addresses) gets other letters, the same ones in all records
of a mail, so that records still belong together. People, domains, subjects, verdicts, relays and IP addresses stay:
a mail's like comes once a week and layer. The same COUNT gives the same bytes each time.

Records come in order of time, one a line, without the line break that some frames of the stream end with.
"""

from __future__ import annotations

import argparse
import heapq
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from random import Random
from typing import BinaryIO, Final, NamedTuple

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[3]))

from pod_desktop.core.clock import DAY, HOUR, SECOND, from_datetime, parse_iso, to_datetime
from pod_desktop.core.record import AUDIT, CONTENT_TYPES, MAILLOG, MESSAGE
from pod_desktop.simulator import localtime
from pod_desktop.simulator.generator import Flow, Generator

BEGIN: Final = from_datetime(datetime(2026, 6, 1, 7, tzinfo=UTC))
"""A Monday, midnight where the cluster is; no change to or from summer time lies in the weeks behind it."""
WEEK: Final = 7 * DAY
WEEKS: Final = 5
MOST_MADE: Final = 200_000
_LAYER: Final = 431 * SECOND
_SPILL: Final = 4 * HOUR
_DIGITS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwx"
"""In which sendmail writes the parts of a queue id's time (sendmail 8.15, queue.c)."""
_PIECES: Final = re.compile(
    rb"""(?P<stamp>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}(?:[-+]\d\d:?\d\d|Z))
    | (?:(?:^\{"guid"|^\{"id"|"origGuid"):")(?P<rid>[A-Za-z0-9_+/-]{22,36})(?=")
    | (?:"qid":"|sendmail\[\d+\]:\ )(?P<qid>[A-Za-z0-9-]+)
    | "sid":"(?P<sid>[a-z0-9]+)
    | (?<![0-9A-Za-z])(?<!-8d3c-)(?P<hex>(?=[0-9]*[a-f])[0-9a-f]{10,})(?![0-9A-Za-z])
    | (?<![0-9A-Za-z])(?P<upper>(?=[0-9]*[A-F])[0-9A-F]{10})(?![0-9A-Za-z])
    | (?<=bounces[+])(?P<bounce>[0-9a-f]+)(?=@) | (?<=bounce-)(?P<copy>[0-9a-f]+)(?=-)""",
    re.VERBOSE,
)
"""What changes each time. The customer's own id (its fourth part is always 8d3c) does not."""


class Template(NamedTuple):
    """A record of the week: text that stays, and at the odd places what changes."""

    time: int
    kind: str
    texts: Sequence[bytes]
    slots: Sequence[Callable[[Telling], bytes]]


class Telling:
    """One time that the week is told: how much later, and which letters stand for which."""

    def __init__(self, number: int, shift: int) -> None:
        self.shift = shift
        dice = Random(number)
        self.base64 = _exchanged(dice, b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")
        self.hex = _exchanged(dice, b"0123456789abcdef")
        self.upper = _exchanged(dice, b"0123456789ABCDEF")
        self.session = _exchanged(dice, b"abcdefghijklmnopqrstuvwxyz0123456789")


def _exchanged(dice: Random, letters: bytes) -> bytes:
    return bytes.maketrans(letters, bytes(dice.sample(letters, len(letters))))


def made(count: int) -> Iterator[tuple[str, bytes]]:
    """So many records, (kind, raw) each, in order of time."""
    fresh = min(MOST_MADE, -(-count // WEEKS))
    templates = _week(fresh)
    layers = [_told(templates, layer) for layer in range(max(1, round(count / (WEEKS * len(templates)))))]
    merged = heapq.merge(*layers, key=lambda one: one[0]) if len(layers) > 1 else layers[0]
    for _, kind, raw in islice(merged, count):
        yield kind, raw


def _week(count: int) -> list[Template]:
    generator = Generator(seed=7, archive_rate=count * SECOND / WEEK)
    flow = Flow(generator, CONTENT_TYPES, BEGIN)
    found = []
    for hour in range(BEGIN + HOUR, BEGIN + WEEK + HOUR, HOUR):
        found += [_template(item.time, item.kind, item.frame.strip()) for item in flow.until(hour)]
    return found


def _told(templates: Sequence[Template], layer: int) -> Iterator[tuple[int, str, bytes]]:
    """The week again and again, without end."""
    week = 0
    while True:
        telling = Telling(layer * 1_000 + week, week * WEEK + layer * _LAYER)
        for time, kind, texts, slots in templates:
            parts: list[bytes] = [texts[0]]
            for slot, text in zip(slots, texts[1:], strict=True):
                parts += (slot(telling), text)
            yield time + telling.shift, kind, b"".join(parts)
        week += 1


def _template(time: int, kind: str, raw: bytes) -> Template:
    texts, slots, at = [], [], 0
    for match in _PIECES.finditer(raw):
        name = str(match.lastgroup)
        begin, end = match.span(name)
        texts.append(raw[at:begin])
        slots.append(_SLOTS[name](raw[begin:end]))
        at = end
    return Template(time, kind, [*texts, raw[at:]], slots)


# --- what changes


def _stamp(text: bytes) -> Callable[[Telling], bytes]:
    micros, utc, colon = parse_iso(text.decode()), text.endswith(b"Z"), text[-3:-2] == b":"

    def later(telling: Telling) -> bytes:
        if utc:
            return f"{to_datetime(micros + telling.shift):%Y-%m-%dT%H:%M:%S.%f}Z".encode()
        return localtime.stamp(micros + telling.shift, colon).encode()

    return later


def _rid(text: bytes) -> Callable[[Telling], bytes]:
    head, last = text[:-1], text[-1:]  # the last letter of base64 may hold bits that must be 0
    if text.count(b"-") == 4 and len(text) == 36:
        return lambda telling: text.translate(telling.hex)
    return lambda telling: head.translate(telling.base64) + last


def _qid(text: bytes) -> Callable[[Telling], bytes]:
    session, dash, number = text.partition(b"-")
    if dash:
        return lambda telling: session.translate(telling.session) + dash + number
    micros, rest = _begun(text[:6].decode()), text[6:]
    return lambda telling: localtime.queue_id(micros + telling.shift, 0)[:6].encode() + rest


def _begun(digits: str) -> int:
    """The moment that a queue id tells."""
    year, month, day, hour, minute, second = map(_DIGITS.index, digits)
    years = 2026 - (2026 - 1900 - year) % 60
    local = from_datetime(datetime(years, month + 1, day, hour, minute, second, tzinfo=UTC))
    return local - localtime.offset_hours(local) * HOUR


def _sid(text: bytes) -> Callable[[Telling], bytes]:
    return lambda telling: text.translate(telling.session)


def _hex(text: bytes) -> Callable[[Telling], bytes]:
    return lambda telling: text.translate(telling.hex)


def _upper(text: bytes) -> Callable[[Telling], bytes]:
    return lambda telling: text.translate(telling.upper)


_SLOTS: Final = {
    "stamp": _stamp, "rid": _rid, "qid": _qid, "sid": _sid, "hex": _hex, "upper": _upper, "bounce": _hex, "copy": _hex,
}  # fmt: skip


# --- files


def kind_of(raw: bytes) -> str:
    """The content type of a record of made(): told by its first members, at the price of a look."""
    if raw.startswith(b'{"id"'):
        return MAILLOG
    return AUDIT if b'"audit":{' in raw[:110] else MESSAGE


def read(lines: Iterator[bytes]) -> Iterator[tuple[str, bytes]]:
    """Records of NDJSON that write() wrote."""
    for line in lines:
        raw = line[:-1]
        yield kind_of(raw), raw


def write(count: int, file: BinaryIO) -> None:
    for _, raw in made(count):
        file.write(raw + b"\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", type=int)
    write(parser.parse_args().count, sys.stdout.buffer)
