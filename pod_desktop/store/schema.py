"""The event store's files: names, tables, and how a connection to one of them is opened.

A folder holds `catalog.db` (which segments there are) and one `segment-N.db` for each run of records.
While it is written a segment carries the time index and the word index only; the rest is built in bulk
when it is sealed. Imports apsw; nothing outside this room does.
"""

from __future__ import annotations

import os
import sys
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import apsw

from pod_desktop.core.faults import Outage

FORMAT: Final = 1
"""Version of the tables; a higher number was written by a newer program."""
APPLICATION_ID: Final = 0x506F4445
PAGE_BYTES: Final = 8192

ACTIVE: Final = "active"
SEALING: Final = "sealing"
SEALED: Final = "sealed"

_FILES_EACH: Final = 32
"""Of eight readers in one process, the files of one segment."""
_FEWEST_OPEN: Final = 8
_MOST_OPEN: Final = 64
"""Ten million records are forty segments. Opening one takes five times as long as looking a record up in it."""
MAKING: Final = ".making"
"""Ends the name of a file that is not whole yet; a kill may leave one behind."""
SEQ_BITS: Final = 24
"""seq = segment << SEQ_BITS | place in the segment."""
MAX_PLACE: Final = (1 << SEQ_BITS) - 1

CATALOG: Final = """
create table segment(
    id integer primary key, lane text not null, state text not null,
    n integer not null, lo integer, hi integer, bytes_raw integer not null);
create table stream(stream text primary key, number integer not null, progress text not null,
    counters text not null) without rowid;
"""
"""n, lo, hi and bytes_raw hold from the seal on; of other segments their own `meta` tells. `stream` is
what sealed segments knew: the row with the highest commit number, here or in a segment, is true."""

CATALOG_OF_GONE: Final = """
create table if not exists gone(id integer primary key, lane text not null, n integer not null, lo integer, hi integer);
create table if not exists exchange(one integer primary key check(one = 1), segment integer not null, old text not null);
"""
"""Segments that retention has deleted, and the exchange of segments that is under way (store.retention)."""

SEGMENT: Final = """
create table meta(
    one integer primary key check(one = 1), segment integer not null, lane text not null, sealed integer not null,
    n integer not null, lo integer, hi integer, bytes_raw integer not null);
create table stream(stream text primary key, number integer not null, progress text not null,
    counters text not null) without rowid;
create table source(id integer primary key, connector text not null, tenant text not null, cluster text not null);
create table code(id integer primary key, value text not null, folded text);
create table addr(id integer primary key, address text not null, folded text, domain text);
create table ev(
    seq integer primary key, time integer not null, kind integer not null, source integer not null,
    rid text not null, cluster integer not null, qid text not null, message_id text not null,
    sender integer not null, header_from integer not null, recipient integer not null, recipients integer not null,
    subject text not null, ip integer not null, country integer not null, outcome integer not null,
    disposition integer not null, stat integer not null, rule integer not null, module integer not null,
    folder integer not null, direction integer not null, score integer, size integer, flags integer not null,
    rid_folded text, qid_folded text, message_id_folded text, subject_folded text);
create table recipient(seq integer not null, place integer not null, addr integer not null,
    primary key(seq, place)) without rowid;
create table raw(first integer primary key, n integer not null, block blob not null);
create table unsure(seq integer primary key);
create index ev_time on ev(time);
create virtual table words using fts5(text, content='', columnsize=0, detail=none, tokenize='ascii');
"""
"""A *_folded column is null where the value is ASCII or folded already (see query.sql). ev.recipient is the first
recipient; table `recipient` has the others. addr and code 0 are the empty text. raw.first is the first seq of a
block, whose records follow each other without a gap. `addr` holds
addresses of people and of hosts. `unsure` lists records in whose text words may begin behind a mark or private-use
character, where the word index sees a boundary and the query language does not."""

SEAL_INDEXES: Final = """
create index ev_rid on ev(rid collate nocase) where rid != '';
create index ev_qid on ev(qid collate nocase) where qid != '';
create index ev_message_id on ev(message_id collate nocase) where message_id != '';
create index ev_sender on ev(sender);
create index ev_recipient on ev(recipient);
create index ev_ip on ev(ip);
create index ev_rid_folded on ev(rid_folded) where rid_folded is not null;
create index ev_qid_folded on ev(qid_folded) where qid_folded is not null;
create index ev_message_id_folded on ev(message_id_folded) where message_id_folded is not null;
create index recipient_addr on recipient(addr, seq);
create index addr_address on addr(coalesce(folded, address) collate nocase);
create index addr_domain on addr(domain collate nocase);
create table minute(minute integer not null, kind integer not null, source integer not null,
    outcome integer not null, n integer not null, primary key(minute, kind, source, outcome)) without rowid;
"""

HOURS: Final = """
create table hour(hour integer not null, kind integer not null, source integer not null,
    outcome integer not null, n integer not null, primary key(hour, kind, source, outcome)) without rowid;
insert into hour select minute / 60, kind, source, outcome, sum(n) from minute group by 1, 2, 3, 4;
"""
"""Made at the seal after the minutes; segments that were sealed by earlier versions have none."""


def has_table(connection: apsw.Connection, name: str) -> bool:
    """Has the segment this table? Those sealed by earlier versions lack some."""
    found = connection.execute("select 1 from sqlite_master where type = 'table' and name = ?", (name,))
    return found.fetchone() is not None


def segment_path(folder: Path, segment: int) -> Path:
    return folder / f"segment-{segment}.db"


def column_path(folder: Path, segment: int, digest: str) -> Path:
    """The copied values of one promoted field of a segment (store.copies)."""
    return folder / f"segment-{segment}.column-{digest}.db"


def files_of(folder: Path, segment: int) -> list[Path]:
    """Every file that a segment may have: its own, what SQLite keeps beside it, its promoted fields."""
    path = segment_path(folder, segment)
    own = [path, *(path.with_name(path.name + ending) for ending in ("-wal", "-shm"))]
    return [*own, *folder.glob(f"segment-{segment}.column-*")]


def catalog_path(folder: Path) -> Path:
    return folder / "catalog.db"


def segment_of(seq: int) -> int:
    return seq >> SEQ_BITS


def first_seq(segment: int) -> int:
    return segment << SEQ_BITS


def seqs_in(segment: int, seqs: Sequence[int]) -> Sequence[int]:
    """Those of ascending seqs that belong to a segment."""
    return seqs[bisect_left(seqs, first_seq(segment)) : bisect_left(seqs, first_seq(segment + 1))]


def most_open() -> int:
    """How many sealed segments may be held open at once, with the files that the system lets this process have.

    Each takes up to four, and a window has several readers.
    """
    if sys.platform == "win32":
        return _MOST_OPEN
    import resource

    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files == resource.RLIM_INFINITY:
        return _MOST_OPEN
    return max(_FEWEST_OPEN, min(_MOST_OPEN, files // _FILES_EACH))


def bytes_in(folder: Path) -> int:
    """What all files of the store take on the disk."""
    total = 0
    if folder.is_dir():
        for file in folder.iterdir():
            try:
                total += file.stat().st_size
            except FileNotFoundError:
                continue  # a log that was just written back
    return total


_WRITE: Final = (
    "pragma synchronous=full",
    "pragma temp_store=memory",
    "pragma wal_autocheckpoint=0",
)


def open_to_write(path: Path, *, cache_kib: int = 16_384) -> apsw.Connection:
    """A connection that writes: WAL, each commit on the disk before it returns.

    Four times the cache was measured: no quicker, as commits append and a seal sorts, and 60 MB more.
    """
    with outage(path):
        connection = apsw.Connection(str(path))
        connection.set_busy_timeout(10_000)
        # The first two matter for a new file only; pages that sealing frees can be given back.
        for pragma in (
            f"pragma page_size={PAGE_BYTES}",
            "pragma auto_vacuum=incremental",
            "pragma journal_mode=wal",
            *_WRITE,
        ):
            connection.execute(pragma)
        connection.execute(f"pragma cache_size=-{cache_kib}")
    return connection


def open_to_read(path: Path, *, cache_kib: int = 1_024) -> apsw.Connection:
    """A connection that only reads and never checkpoints.

    Raises:
        Outage: missing or damaged, with the file's name.
    """
    with outage(path):
        connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
        connection.set_busy_timeout(5_000)
        connection.execute("pragma query_only=1")
        connection.execute(f"pragma cache_size=-{cache_kib}")
        connection.execute("pragma mmap_size=0")
    return connection


def create(path: Path, tables: str, rows: Callable[[apsw.Connection], None] | None = None) -> apsw.Connection:
    """Make a database with these tables and first rows; under its name it is whole or not there.

    Raises:
        Outage: the disk is full or failing.
    """
    making = path.with_name(path.name + MAKING)
    remove(making)
    connection = open_to_write(making)
    try:
        # Nothing of it counts before it has its name, so one flush at the end is enough.
        connection.execute("pragma synchronous=off")
        with outage(path), transaction(connection):
            connection.execute(f"pragma application_id={APPLICATION_ID}")
            connection.execute(f"pragma user_version={FORMAT}")
            connection.execute(tables)
            if rows is not None:
                rows(connection)
    finally:
        # Closing writes the log back and removes it, so that the file alone is the database.
        connection.close()
    with outage(path):
        with making.open("r+b") as file:
            os.fsync(file.fileno())
        making.replace(path)
        sync_folder(path.parent)
    return open_to_write(path)


def let_go(connection: apsw.Connection) -> None:
    """Close a connection that wrote, also on a disk that fails: what could not be moved out of the log is
    found there by whoever opens the database next."""
    with suppress(apsw.Error):
        connection.close()


def remove(path: Path) -> None:
    """Delete a database and what SQLite keeps beside it."""
    with outage(path):
        for ending in ("", "-wal", "-shm", "-journal"):
            path.with_name(path.name + ending).unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Make a new name durable; Windows does so by itself."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def check_format(connection: apsw.Connection, path: Path) -> None:
    """Refuse what this program did not write or cannot know.

    Raises:
        Outage: of a newer version, or no store of ours.
    """
    with outage(path):
        version = connection.pragma("user_version")
        owner = connection.pragma("application_id")
    if owner != APPLICATION_ID:
        raise Outage("This file is not an event store.", path.name, "Restore it from a backup.")
    if version > FORMAT:
        raise Outage(
            f"The events were stored by a newer version (format {version}, this program knows {FORMAT}).",
            str(path),
            "Update POD Desktop, or choose another directory with --data-dir.",
        )


@contextmanager
def transaction(connection: apsw.Connection) -> Iterator[None]:
    """All of it, on the disk, or nothing."""
    connection.execute("begin immediate")
    try:
        yield
        connection.execute("commit")
    except BaseException:
        # A full or failing disk makes SQLite roll back by itself.
        with suppress(apsw.Error):
            if connection.in_transaction:
                connection.execute("rollback")
        raise


_WORDS: Final[tuple[tuple[type[apsw.Error], str, str], ...]] = (
    (apsw.FullError, "The disk is full.", "Free some space; collecting goes on by itself."),
    (apsw.ReadOnlyError, "The disk is read-only.", "Make it writable; collecting goes on by itself."),
    (apsw.CorruptError, "{title} is damaged.", "Run `pod-desktop verify`."),
    (apsw.NotADBError, "{title} is damaged.", "Run `pod-desktop verify`."),
    (apsw.CantOpenError, "{title} is missing or cannot be opened.", "Check the disk and the permissions."),
    (apsw.BusyError, "Another program holds the file.", "Close what else uses the data directory."),
    (apsw.PermissionsError, "{title} may not be accessed.", "Check its permissions."),
    (apsw.IOError, "The disk fails or is full.", "Check the disk."),
)


@contextmanager
def outage(path: Path, title: str = "The file") -> Iterator[None]:
    """Turn the engine's and the system's failures into an Outage that names the file."""
    try:
        yield
    except apsw.Error as error:
        for kind, what, hint in _WORDS:
            if isinstance(error, kind):
                raise Outage(what.format(title=title), path.name, hint) from error
        raise
    except OSError as error:
        raise Outage(f"{error.strerror or error}.", path.name, "Check the disk.") from error
    except MemoryError as error:
        raise Outage("Memory is used up.", path.name, "Close other programs.") from error
