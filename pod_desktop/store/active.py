"""A segment while it is written: columns into tables, raw records into blocks, words into the index."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, NamedTuple

import apsw

from pod_desktop.core.limits import BLOCK_RECORDS, ROW_RECIPIENTS
from pod_desktop.core.record import UNREADABLE, Arrival
from pod_desktop.core.status import Counters
from pod_desktop.core.text import domain_of
from pod_desktop.query.sql import HASH_CHARS
from pod_desktop.store import schema
from pod_desktop.store.blocks import BLOCK_BYTES, Packer, split
from pod_desktop.store.dedupe import key
from pod_desktop.store.port import Progress, Source
from pod_desktop.store.schema import outage

_SEPARATORS: Final = re.compile(r"[\W_]+")
_STRANGE: Final = re.compile(r"[^\w\s\x00-\x7f]")
_HASHES: Final = frozenset({32, 40, 64})
"""Hexadecimal digits of MD5, SHA-1 and SHA-256."""
_SHORT: Final = 900
_LAST_LINES: Final = 16
_SMALL: Final = BLOCK_RECORDS // 2
"""Commits of fewer records make small blocks, which are joined later."""
_PLAIN: Final[tuple[str | None, ...]] = (None, None, None, None)
_WHOLE: Final = 1 << 63
SHOWN: Final = ROW_RECIPIENTS


class Meta(NamedTuple):
    """What a segment says of itself."""

    segment: int
    lane: str
    sealed: bool
    n: int
    lo: int | None
    hi: int | None
    bytes_raw: int


class StreamRow(NamedTuple):
    """A stream's absolute state after its commit `number`."""

    number: int
    progress: str
    counters: str


def read_meta(connection: apsw.Connection) -> Meta:
    row = connection.execute("select segment, lane, sealed, n, lo, hi, bytes_raw from meta").fetchone()
    if row is None:
        raise apsw.CorruptError("no meta row")
    return Meta(row[0], row[1], bool(row[2]), *row[3:])


def read_streams(connection: apsw.Connection) -> dict[str, StreamRow]:
    rows = connection.execute("select stream, number, progress, counters from stream")
    return {stream: StreamRow(*rest) for stream, *rest in rows}


def newest_streams(parts: Iterable[dict[str, StreamRow]]) -> dict[str, StreamRow]:
    """Of each stream the row with the highest commit number."""
    merged: dict[str, StreamRow] = {}
    for part in parts:
        for stream, row in part.items():
            if stream not in merged or row.number > merged[stream].number:
                merged[stream] = row
    return merged


def read_progress(row: StreamRow | None) -> Progress:
    """A stream's progress; nothing yet where it never committed."""
    if row is None:
        return Progress({}, Counters())
    known = Counters.__dataclass_fields__
    counted = {name: value for name, value in json.loads(row.counters).items() if name in known}
    return Progress(json.loads(row.progress), Counters(**counted))


def stream_row(number: int, progress: dict[str, object], counters: Counters) -> StreamRow:
    values = {name: getattr(counters, name) for name in Counters.__dataclass_fields__}
    return StreamRow(number, json.dumps(progress), json.dumps(values))


@lru_cache(maxsize=4096)
def _is_word(character: str) -> bool:
    return unicodedata.category(character)[0] == "M" or unicodedata.category(character) == "Co"


def index_text(text: str) -> tuple[str, bool]:
    """Text as the word index takes it, and whether its word boundaries differ from the query language's.

    FTS5's `ascii` tokenizer takes ASCII letters, digits and everything from U+0080 on; so what is no letter or
    digit becomes a space here. Marks and private-use characters are part of a word to the query language only.
    Of the hashes at the end of a text the beginning is enough (query.sql knows); whole they would be a third of the
    index.
    """
    if len(text) > _SHORT:  # few hashes are not worth the look
        text = _with_short_hashes(text)
    if text.isascii():
        return text, False  # the tokenizer folds ASCII by itself
    unsure = False
    lines = text.split("\n")
    for place, line in enumerate(lines):
        if not line.isascii():
            lines[place], strange = (
                _index_line(line) if len(line) <= _SHORT else _index_line.__wrapped__(line)
            )
            unsure = unsure or strange
    return "\n".join(lines), unsure


def _with_short_hashes(text: str) -> str:
    """The text with only the beginning of each of the last hashes at its end."""
    lines = text.rsplit("\n", _LAST_LINES)
    at = len(lines)
    while at and len(line := lines[at - 1]) in _HASHES and line.isalnum():
        at -= 1
    if at == len(lines):
        return text
    lines[at:] = [line[:HASH_CHARS] for line in lines[at:]]
    return "\n".join(lines)


@lru_cache(maxsize=2_048)
def _index_line(line: str) -> tuple[str, bool]:
    """One line that is not ASCII; kept, for names of senders and recipients come again."""
    line = line.casefold()
    return _SEPARATORS.sub(" ", line), any(map(_is_word, _STRANGE.findall(line)))


def _whole(number: int | None) -> int | None:
    return number if number is None or -_WHOLE <= number < _WHOLE else None


def _folded(text: str) -> str | None:
    if text.isascii():
        return None
    folded = text.casefold()
    return None if folded == text else folded


class _Ids(dict[str, int]):
    """A dictionary of the segment: a new text gets the next number, and can be taken back."""

    def __init__(self, known: Iterable[tuple[Any, Any]]) -> None:
        super().__init__(known)
        self.fresh: list[str] = []
        """Not yet in the file."""

    def __missing__(self, text: str) -> int:
        number = self[text] = len(self)
        self.fresh.append(text)
        return number

    def keep(self) -> None:
        self.fresh.clear()

    def take_back(self) -> None:
        for text in self.fresh:
            del self[text]
        self.fresh.clear()


class _Pending:
    """The rows that one commit adds."""

    def __init__(self, meta: Meta) -> None:
        self.meta = meta
        self.sources: dict[Source, int] = {}
        self.ev: list[tuple[object, ...]] = []
        self.recipients: list[tuple[int, int, int]] = []
        self.words: list[tuple[int, str]] = []
        self.unsure: list[tuple[int]] = []
        self.blocks: list[tuple[int, int, bytes]] = []
        self.joined: int | None = None
        """From this seq on the new blocks replace the small ones."""
        self.tail: list[bytes] = []
        """Records at the end that are in small blocks once this is committed."""


class Active:
    """One segment file, its connection and its dictionaries."""

    def __init__(self, path: Path, connection: apsw.Connection) -> None:
        self.path = path
        self.connection = connection
        with outage(path):
            self.meta = read_meta(connection)
            self._codes = _Ids(connection.execute("select value, id from code"))
            self._addresses = _Ids(connection.execute("select address, id from addr"))
            self._sources = {
                Source(connector=connector, tenant=tenant, cluster_id=cluster): id
                for id, connector, tenant, cluster in connection.execute(
                    "select id, connector, tenant, cluster from source"
                )
            }
            self.keys = {
                key(kind, rid)
                for kind, rid in connection.execute(
                    "select code.value, ev.rid from ev join code on code.id = ev.kind"
                )
            }
        self._packer = Packer()
        self._tail: list[bytes] = []
        """Records at the end of the segment that are in small blocks."""
        self.log_pages = 0
        """Pages in the write-ahead log."""
        connection.set_wal_hook(self._committed)

    def _committed(self, _connection: apsw.Connection, _name: str, pages: int) -> int:
        self.log_pages = pages
        return apsw.SQLITE_OK

    @classmethod
    def create(cls, folder: Path, segment: int, lane: str, streams: dict[str, StreamRow]) -> Active:
        """A new segment file that knows all streams so far."""
        path = schema.segment_path(folder, segment)

        def fill(connection: apsw.Connection) -> None:
            connection.execute("insert into meta values(1, ?, ?, 0, 0, null, null, 0)", (segment, lane))
            connection.execute("insert into code values(0, '', null)")
            connection.execute("insert into addr values(0, '', null, null)")
            # Parts of the index that about fit a processor's cache. A whole segment of full commits has fewer
            # than are merged before the seal: that would hold up a commit for a second.
            for setting, value in (
                ("hashsize", 1 << 20),
                ("automerge", 0),
                ("crisismerge", 640),
                ("pgsz", 8_000),
            ):
                connection.execute("insert into words(words, rank) values(?, ?)", (setting, value))
            _put_streams(connection, streams)

        return cls(path, schema.create(path, schema.SEGMENT, fill))

    @property
    def segment(self) -> int:
        return self.meta.segment

    @property
    def addresses(self) -> int:
        return len(self._addresses)

    def commit(
        self, source: Source, arrivals: Sequence[Arrival], keys: list[bytes], stream: str, row: StreamRow
    ) -> None:
        """Store records that are known to be new and the stream's state, durably, or nothing.

        Raises:
            Outage: the disk is full or failing.
        """
        try:
            pending = self._prepare(source, arrivals)
            with outage(self.path), schema.transaction(self.connection):
                self._write(pending, stream, row)
        except BaseException:
            self._codes.take_back()
            self._addresses.take_back()
            raise
        self.meta = pending.meta
        self._tail = pending.tail
        self._codes.keep()
        self._addresses.keep()
        self._sources.update(pending.sources)
        self.keys.update(keys)

    def _prepare(self, source: Source, arrivals: Sequence[Arrival]) -> _Pending:
        meta = self.meta
        pending = _Pending(meta)
        first = schema.first_seq(meta.segment) + meta.n
        source_id = self._sources.get(source)
        if source_id is None:
            source_id = pending.sources[source] = len(self._sources) + 1
        self._rows(pending, first, source_id, arrivals)
        raws = [arrival.raw for arrival in arrivals]
        self._blocks(pending, first, raws)
        if arrivals:
            times = [arrival.columns.time for arrival in arrivals]
            lo, hi = min(times), max(times)
            pending.meta = meta._replace(
                n=meta.n + len(arrivals),
                lo=lo if meta.lo is None else min(lo, meta.lo),
                hi=hi if meta.hi is None else max(hi, meta.hi),
                bytes_raw=meta.bytes_raw + sum(map(len, raws)),
            )
        return pending

    def _blocks(self, pending: _Pending, first: int, raws: list[bytes]) -> None:
        """Records of small commits are blocks of their own until there are enough for a whole one."""
        small = 0 < len(raws) < _SMALL
        if small:
            pending.tail = [*self._tail, *raws]
        elif not raws:
            pending.tail = self._tail
        if len(pending.tail) >= BLOCK_RECORDS or sum(map(len, pending.tail)) >= BLOCK_BYTES:
            pending.joined = first - len(self._tail)
            first, raws, pending.tail = pending.joined, pending.tail, []
        for place, records in split(raws):
            pending.blocks.append((first + place, len(records), self._packer.pack(first + place, records)))

    def _rows(self, pending: _Pending, first: int, source: int, arrivals: Sequence[Arrival]) -> None:
        """One loop over all records, in the order of Columns: this is what each record costs."""
        code, addr = self._codes, self._addresses
        ev, words = pending.ev.append, pending.words.append
        place = (first & schema.MAX_PLACE) - 1
        seq = first - 1
        for columns, _ in arrivals:
            (kind, rid, time, cluster, qid, message_id, sender, header_from, recipients, subject, ip, country, outcome,
             disposition, stat, rule, module, folder, direction, score, size, flags, text) = columns  # fmt: skip
            seq += 1
            place += 1
            indexed, unsure = index_text(text)
            words((place, indexed))
            if unsure:
                pending.unsure.append((seq,))
            count = len(recipients)
            to = addr[recipients[0]] if count else 0
            if count > 1:
                more = [(seq, at, addr[recipients[at]]) for at in range(1, count)]
                pending.recipients.extend(more)
            plain = subject.isascii() and rid.isascii() and qid.isascii() and message_id.isascii()
            folds = _PLAIN if plain else (_folded(rid), _folded(qid), _folded(message_id), _folded(subject))
            if score is not None or size is not None:
                score, size = _whole(score), _whole(size)
            ev(
                (seq, time, code[kind], source, rid, code[cluster], qid, message_id, addr[sender], addr[header_from], to,
                 count, subject, addr[ip], code[country], code[outcome], code[disposition], code[stat], code[rule],
                 code[module], code[folder], code[direction], score, size, flags, *folds)
            )  # fmt: skip

    def _write(self, pending: _Pending, stream: str, row: StreamRow) -> None:
        connection, meta = self.connection, pending.meta
        if pending.sources:
            connection.executemany(
                "insert into source values(?, ?, ?, ?)",
                [(id, one.connector, one.tenant, one.cluster_id) for one, id in pending.sources.items()],
            )
        connection.executemany(
            "insert into code values(?, ?, ?)",
            [(self._codes[value], value, _folded(value)) for value in self._codes.fresh],
        )
        connection.executemany(
            "insert into addr values(?, ?, ?, ?)",
            [
                (self._addresses[text], text, _folded(text), domain_of(text).casefold() or None)
                for text in self._addresses.fresh
            ],
        )
        connection.executemany(_INSERT_EV, pending.ev)
        connection.executemany("insert into recipient values(?, ?, ?)", pending.recipients)
        connection.executemany("insert into words(rowid, text) values(?, ?)", pending.words)
        connection.executemany("insert into unsure values(?)", pending.unsure)
        if pending.joined is not None:
            connection.execute("delete from raw where first >= ?", (pending.joined,))
        connection.executemany("insert into raw values(?, ?, ?)", pending.blocks)
        connection.execute(
            "update meta set n = ?, lo = ?, hi = ?, bytes_raw = ?",
            (meta.n, meta.lo, meta.hi, meta.bytes_raw),
        )
        _put_streams(connection, {stream: row})

    def write_back(self) -> None:
        """Move the log into the file as far as readers let it."""
        # Whatever is wrong with the disk, the next commit says.
        with suppress(apsw.Error):
            self.connection.execute("pragma wal_checkpoint(passive)").fetchall()

    def close(self) -> None:
        schema.let_go(self.connection)


_INSERT_EV: Final = f"insert into ev values({', '.join('?' * 29)})"


def _put_streams(connection: apsw.Connection, streams: dict[str, StreamRow]) -> None:
    connection.executemany(
        "insert or replace into stream values(?, ?, ?, ?)",
        [(stream, *row) for stream, row in streams.items()],
    )


def quarantined(arrivals: Iterable[Arrival]) -> int:
    return sum(arrival.columns.kind == UNREADABLE for arrival in arrivals)
