"""Promoted fields, called search columns where people read: which there are, what one would cost, how far each is, and how it reads a raw record.

A search by a field that is no column reads every raw record. Promoted, its values are copied out of them in the
background (services.promoting), and where they are the search asks an index instead, with the same answer.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple

from pod_desktop import store
from pod_desktop.core.clock import Clock, iso
from pod_desktop.core.faults import Outage, UserFault
from pod_desktop.core.text import plural
from pod_desktop.query import is_path, name, parse, promoted, sql
from pod_desktop.query.tree import Node, Term
from pod_desktop.services import needles, noted
from pod_desktop.services.asking import field_values
from pod_desktop.store import (
    ColumnInfo,
    ColumnPart,
    ColumnValues,
    DataDir,
    Extent,
    Ledger,
    Source,
    Spots,
    lock_holder,
)

SETTING: Final = "columns"
"""Of the ledger: `[{"path", "made"}]`, `made` in microseconds UTC."""
JOB: Final = "columns"
"""The ledger's job in which the service says what it is doing: see services.promoting."""
GROWN_RECORDS: Final = 5_000
"""Of a part that is still being filled so many more records are worth a longer copy."""
MOST: Final = 16
PATH_CHARS: Final = 500
READY: Final = "ready"
MAKING: Final = "making"
WAITING: Final = "waiting"
"""For the service to run, or for its turn."""
FAILED: Final = "failed"
"""Something stands in the way; it is tried again."""
_SAMPLED: Final = 2_000
_LAST_NAME: Final = re.compile(r"[A-Za-z0-9_-]+$")
_NAME_CHARS: Final = 64
_COLON: Final = re.compile(rb"[ \t\r\n]*:")
"""The end of a member's name in which a letter is written as an escape."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A field that is promoted, or on the way to it."""

    path: str
    """As query trees have it."""
    made: int
    """When somebody asked for it: microseconds UTC."""


# --- which there are


def defined(ledger: Ledger) -> list[Column]:
    """All of them, the oldest first; what a ledger of another version holds beyond that is passed over."""
    listed = ledger.setting(SETTING, [])
    found = []
    for one in listed if isinstance(listed, list) else []:
        if isinstance(one, dict) and isinstance(one.get("path"), str) and isinstance(one.get("made"), int):
            found.append(Column(path=one["path"], made=one["made"]))
    return found


def add(ledger: Ledger, text: str, clock: Clock) -> Column:
    """Ask for a field to be promoted; asking twice changes nothing.

    Raises:
        UserFault: there is no such field, it is a column already, or there are too many.
    """
    path = checked(text)
    columns = defined(ledger)
    for column in columns:
        if column.path == path:
            return column
    if len(columns) >= MOST:
        raise UserFault(f"There are {MOST} search columns already.", "path", "Remove one of them first.")
    column = Column(path=path, made=clock.now())
    _save(ledger, [*columns, column])
    return column


def remove(ledger: Ledger, text: str) -> None:
    """Ask for it no more; its files are deleted by whoever writes the store.

    Raises:
        UserFault: it is not promoted.
    """
    columns = defined(ledger)
    left = [one for one in columns if one.path != text]
    if len(left) == len(columns):
        listed = ", ".join(one.path for one in columns) or "none"
        raise UserFault(f"{text[:PATH_CHARS]} is no search column.", "path", f"Search columns: {listed}.")
    _save(ledger, left)


def _save(ledger: Ledger, columns: Sequence[Column]) -> None:
    ledger.set_setting(SETTING, [{"path": one.path, "made": one.made} for one in columns])


def checked(text: str) -> str:
    """The field as query trees have it.

    Raises:
        UserFault: there is no such field, or it needs no promotion.
    """
    if not text.strip() or len(text) > PATH_CHARS:
        raise UserFault("This is no path.", "path", "Write for example filter.modules.spam.version.")
    try:
        tree = parse(f"{name(text)}:*", 0)
    except UserFault as fault:
        raise UserFault(fault.what, "path", fault.hint) from None
    if not isinstance(tree, Term):
        raise UserFault(f"{text} stands for several fields.", "path", "Name one of them.")
    if not can_be_promoted(tree.field):
        raise UserFault(f"{tree.field} is a column already.", "path", "Searching by it is quick as it is.")
    return tree.field


def can_be_promoted(field: str) -> bool:
    """Is it a field of the raw record that the store has no column for?"""
    return field not in sql.COLUMNS and field not in (noted.MARKED, noted.COMMENT)


def promotable(tree: Node) -> list[str]:
    """The fields for which a search has to read every raw record, each once."""
    return [one for one in dict.fromkeys(promoted.fields(tree)) if can_be_promoted(one)]


# --- how one reads a record


def values_of(path: str) -> ColumnValues:
    """What is copied: exactly what the judge of a search sees."""

    def values(kind: str, raw: bytes, source: Source) -> Sequence[str | int | float]:
        return field_values(kind, raw, source, path)

    return values


def spots_of(path: str) -> Spots | None:
    """Which raw records can have the path: its last name stands there as it is, or written with escapes."""
    last = _LAST_NAME.search(path)
    if not is_path(path) or last is None or len(last[0]) > _NAME_CHARS:
        return None
    end = last[0].encode() + b'"'

    def member(data: bytes, at: int) -> int:
        while (at := needles.find(data, end, at)) >= 0 and _COLON.match(data, at + len(end)) is None:
            at += 1
        return at

    return partial(needles.members, next_from=member)


# --- what one would cost


class Cost(NamedTuple):
    """What promoting a field would take, judged by a sample."""

    records: int
    """All that there are."""
    share: float
    """Of the records, how many have the field."""
    seconds: float
    bytes_disk: int

    def words(self) -> str:
        if not self.records:
            return "Nothing is stored yet that it would be made for."
        if not self.share:
            return f"None of the records that were looked at has it; about {span(self.seconds)} and no disk."
        return (
            f"About {span(self.seconds)} in the background and {megabytes(self.bytes_disk)} of disk for "
            f"{plural(self.records, 'record')} ({self.share:.0%} of them have it)."
        )


def cost(folder: Path, path: str) -> Cost:
    """Look at a few thousand records of the newest full part, for about a tenth of a second.

    Raises:
        Outage: the store cannot be read.
    """
    extents = store.extents(folder)
    records = sum(one.records for one in extents)
    if not extents:
        return Cost(0, 0.0, 0.0, 0)
    newest = next((one for one in extents if one.sealed), extents[0])
    begun = time.monotonic()
    sample = store.sample_column(folder, newest.segment, values_of(path), spots_of(path), _SAMPLED)
    spent = time.monotonic() - begun
    factor = records / max(sample.records, 1)
    return Cost(
        records, sample.found / max(sample.records, 1), spent * factor, int(sample.bytes_disk * factor)
    )


def span(seconds: float) -> str:
    """A length of time in words."""
    if seconds < 1:
        return "1 second"
    if seconds < 90:
        return f"{seconds:.0f} seconds"
    return f"{seconds / 60:.0f} minutes" if seconds < 5_400 else f"{seconds / 3600:.1f} hours"


def megabytes(count: int) -> str:
    return f"{count / 1e9:,.2f} GB" if count >= 1e9 else f"{count / 1e6:,.1f} MB"


# --- how far each is


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnState:
    """A promoted field as people see it."""

    path: str
    made: int
    state: str
    words: str
    records: int
    """All there are; of a part that is being filled all but the last few thousand are copied."""
    records_done: int
    bytes_disk: int
    kinds: Mapping[str, int]
    """Records that have it, by content type."""

    @property
    def share(self) -> float:
        """How much of it is there, 0 to 1."""
        return self.records_done / self.records if self.records else 1.0

    def to_json(self) -> dict[str, Any]:
        return {
            "path": self.path,
            "made": iso(self.made),
            "state": self.state,
            "words": self.words,
            "records": self.records,
            "records_done": self.records_done,
            "bytes": self.bytes_disk,
            "kinds": dict(self.kinds),
        }


class Infos:
    """What files of promoted fields say of themselves, each looked into once."""

    def __init__(self) -> None:
        self._known: dict[Path, tuple[int, ColumnInfo | None]] = {}

    def of(self, part: ColumnPart) -> ColumnInfo | None:
        """None where it is damaged, gone or of another version."""
        known = self._known.get(part.path)
        if known is None or known[0] != part.changed:
            try:
                known = part.changed, store.column_info(part.path)
            except Outage:
                known = part.changed, None
            self._known[part.path] = known
        return known[1]


class ColumnStates:
    """Tells how far each is. Safe to use from several threads; the files of a part are looked into once."""

    def __init__(self, data_dir: DataDir, ledger: Ledger, runs: Callable[[], bool] | None = None) -> None:
        """`runs` tells whether a service does the work; by default the service's lock does."""
        self._folder = data_dir.events
        self._ledger = ledger
        self._runs = runs or (lambda: lock_holder(data_dir.service_lock) is not None)
        self._infos = Infos()

    def all(self) -> list[ColumnState]:
        """Raises Outage where the store cannot be read."""
        columns = defined(self._ledger)
        if not columns:
            return []
        entries = {one.segment: one for one in store.extents(self._folder)}
        parts = store.column_parts(self._folder)
        said = self._ledger.job(JOB) or {}
        runs = self._runs()
        return [self._state(one, entries, parts, said, runs) for one in columns]

    def _state(
        self,
        column: Column,
        entries: Mapping[int, Extent],
        parts: Sequence[ColumnPart],
        said: Mapping[str, Any],
        runs: bool,
    ) -> ColumnState:
        digest = store.column_digest(column.path)
        mine = [one for one in parts if one.digest == digest and one.segment in entries]
        copied: dict[int, int] = {}
        size = sum(one.bytes_disk for one in parts if one.digest == digest)
        kinds: Counter[str] = Counter()
        for one in mine:
            if (info := self._infos.of(one)) is not None:
                copied[one.segment] = min(info.records, entries[one.segment].records)
                kinds.update(info.kinds)
        # Of a part that is being filled the last few thousand records are always still to come.
        left = sum(
            one.records - copied.get(one.segment, 0)
            for one in entries.values()
            if one.sealed or (one.segment not in copied and one.records >= GROWN_RECORDS)
        )
        records, done = sum(one.records for one in entries.values()), sum(copied.values())
        state, words = _in_words(column.path, left, done, size, said if runs else {}, runs)
        return ColumnState(
            path=column.path, made=column.made, state=state, words=words, records=records,
            records_done=done + (_under_way(column.path, said) if state == MAKING else 0), bytes_disk=size, kinds=kinds,
        )  # fmt: skip


def _under_way(path: str, said: Mapping[str, Any]) -> int:
    return int(said.get("done", 0)) if said.get("path") == path else 0


def _in_words(
    path: str, left: int, done: int, size: int, said: Mapping[str, Any], runs: bool
) -> tuple[str, str]:
    """`left`: records of which nothing is copied."""
    damaged = said.get("damaged", {}).get(path, 0)
    if not left:
        return READY, f"Ready; {megabytes(size)} on the disk."
    if problem := said.get("problem"):
        return FAILED, f"{problem} It is tried again by itself."
    if not runs:
        return WAITING, f"{_share(done, left)} done; it goes on when the collector service runs."
    if damaged >= left:
        return READY, (
            f"Ready but for {plural(damaged, 'record')} in a damaged part, which are read one by one; "
            "run `pod-desktop verify`."
        )
    if said.get("path") != path:
        return WAITING, f"{_share(done, left)} done; waiting its turn."
    under_way = min(_under_way(path, said), left)
    rate = float(said.get("rate", 0.0))
    ends = f", about {span((left - under_way) / rate)} left" if rate > 0 else ""
    return MAKING, f"{_share(done + under_way, left - under_way)} done{ends}."


def _share(done: int, left: int) -> str:
    # Not 100 % before it is.
    return f"{min(int(100 * done / max(done + left, 1)), 99)} %"
