"""One segment opened to read: its rows, its raw records, its counts. Knows nothing of other segments."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

import apsw

from pod_desktop.core.faults import Outage, UserFault
from pod_desktop.core.limits import ROW_RECIPIENTS
from pod_desktop.core.record import EventRow
from pod_desktop.query import sql
from pod_desktop.query.promoted import Promoted, fields
from pod_desktop.query.tree import Node, Text
from pod_desktop.store import schema
from pod_desktop.store.active import Meta, read_meta
from pod_desktop.store.copies import DAMAGE, Attached
from pod_desktop.store.judging import Conditions, Judging
from pod_desktop.store.minutes import MinuteCounts
from pod_desktop.store.port import Ask, Candidates, Order, Piece, Place, Source, StoredRecord
from pod_desktop.store.rawblocks import Kept, RawBlocks

_Answer = TypeVar("_Answer")
FEW: Final = 2_000
"""Up to here matching rows are collected through an index and sorted; more are read in order of time."""


_COLUMNS: Final = """seq, time, kind, rid, source, (select address from addr where id = ev.sender),
 (select address from addr where id = ev.recipient), recipients, subject,
 (select address from addr where id = ev.ip), outcome, disposition, stat, rule, score, size, flags"""


class Segment:
    """A read-only connection to one segment, with its dictionaries."""

    def __init__(self, folder: Path, segment: int, kept: Kept | None = None) -> None:
        self.segment = segment
        self.path = schema.segment_path(folder, segment)
        if not self.path.exists():
            raise Outage("The file is missing.", self.path.name, "Restore it from a backup.")
        self.connection = self._connection = schema.open_to_read(self.path)
        self.users = 0
        """Iterations under way; it is not closed below them."""
        self._tests: dict[int, sql.Predicate] = {}
        self._codes = _Codes(self._connection)
        self.code = self._codes.__getitem__
        self._ids: dict[str, list[int]] | None = None
        self._sources: dict[int, Source] = {}
        self._hours: bool | None = None
        self._tops: bool | None = None
        self.columns = Attached(folder, segment, self._connection)
        self.minutes = MinuteCounts(self, self.bounds).of
        self._raw = RawBlocks(self.path, self._connection, kept)
        self._judging = Judging(self, self._raw)
        try:
            schema.check_format(self._connection, self.path)
            self._connection.create_scalar_function("holds", self._holds, 2, deterministic=True)
            self.refresh()
        except BaseException:
            self._connection.close()
            raise

    def _holds(self, *arguments: Any) -> bool:
        key, value = arguments
        return self._tests[key](value)

    def refresh(self) -> Meta:
        """Read again what the segment holds."""
        with schema.outage(self.path):
            self.meta = read_meta(self._connection)
        return self.meta

    def data_version(self) -> int:
        """Changes when another connection has committed."""
        with schema.outage(self.path):
            return int(self._connection.pragma("data_version"))

    @property
    def has_hours(self) -> bool:
        """Are there counts by hour? Never before the seal."""
        if self._hours is None and self.meta.sealed:
            self._hours = schema.has_table(self._connection, "hour")
        return bool(self._hours)

    @property
    def has_tops(self) -> bool:
        """Are there lists of the commonest values (store.tops)? Never before the seal."""
        if self._tops is None and self.meta.sealed:
            self._tops = schema.has_table(self._connection, "top")
        return bool(self._tops)

    def close(self) -> None:
        self._connection.close()

    def execute(self, statement: str, values: Any = ()) -> Any:
        return self._connection.execute(statement, values)

    # --- dictionaries

    def _ids_of_codes(self) -> dict[str, list[int]]:
        """Ids by folded value; read again while the segment grows."""
        if self._ids is not None:
            return self._ids
        sealed = self.meta.sealed
        ids: dict[str, list[int]] = {}
        for id, value in self.execute("select id, value from code where id != 0"):
            ids.setdefault(value.casefold(), []).append(id)
        self._ids = ids if sealed else None
        return ids

    def source_of(self, id: int) -> Source:
        found = self._sources.get(id)
        if found is None:
            for one, connector, tenant, cluster in self.execute(
                "select id, connector, tenant, cluster from source"
            ):
                self._sources[one] = Source(connector=connector, tenant=tenant, cluster_id=cluster)
            if (found := self._sources.get(id)) is None:
                raise apsw.CorruptError("a row names a source that is not there")
        return found

    # --- a question as SQL

    def conditions(
        self,
        ask: Ask,
        *,
        most: int | None = None,
        above: int | None = None,
        plain: bool = False,
        ordered: bool = False,
    ) -> Conditions:
        """What to ask this segment.

        Args:
            most, above: only records up to this seq, and behind that one.
            plain: the order of rows does not matter; the engine chooses its way.
            ordered: so many match that they are read in order of time.
        """
        bounds, values = self.bounds(ask, most)
        first, sealed = schema.first_seq(self.segment), self.meta.sealed
        few = above is not None and self.last() - above <= FEW
        if above is not None:
            bounds.append("seq > :above")
            values["above"] = above
        codes = self._ids_of_codes()
        promoted = self.promoted(fields(ask.tree))
        condition = sql.compile_tree(
            ask.tree, subjects=sealed and not few, first=first, by_row=few, above=above, codes=codes,
            promoted=promoted,
        )  # fmt: skip
        if not condition.exact and ask.matches is None:
            raise UserFault(
                "This search needs the whole records, and was asked without a way to judge them.", "query"
            )
        hint = "not indexed" if few else ""
        if ordered or (not plain and not self._is_sparse(ask.tree, condition, bounds, values)):
            hint = "indexed by ev_time"
            condition = sql.compile_tree(ask.tree, first=first, by_row=True, codes=codes, promoted=promoted)
        where = " and ".join([*bounds, condition.maybe])
        return Conditions(
            where, condition.sure, values | condition.values, condition.exact, hint, condition.tests,
            self._is_indexed(condition), few,
        )  # fmt: skip

    def answer(self, work: Callable[[Segment], _Answer]) -> _Answer:
        """What `work` finds; once more without the promoted fields, should one of them be what is damaged."""
        try:
            return work(self)
        except DAMAGE:
            if not self.columns.give_up():
                raise
            return work(self)

    def promoted(self, names: Iterable[str]) -> dict[str, Promoted]:
        """Those of the fields whose values are copied here."""
        wanted = set(names) - sql.COLUMNS
        return self.columns.of(wanted, self.meta.n, self.meta.sealed) if wanted else {}

    def _is_indexed(self, condition: sql.Condition) -> bool:
        return condition.indexed >= (sql.INDEXED if self.meta.sealed else sql.INDEXED_ALWAYS)

    def _is_sparse(
        self, tree: Node, condition: sql.Condition, bounds: list[str], values: dict[str, Any]
    ) -> bool:
        """Do so few rows match, and does an index find them, that sorting them is the quicker way?"""
        if not self._is_indexed(condition) or (isinstance(tree, Text) and self._is_common(tree)):
            return False
        where = " and ".join([*bounds, condition.maybe])
        statement = f"select count(*) from (select 1 from ev where {where} limit {FEW + 1})"
        with self.using(condition.tests):
            found: int = self.execute(statement, values | condition.values).get
        return found <= FEW

    def _is_common(self, text: Text) -> bool:
        """Of one text: is it in many records? Counted in the word index, without making a list of all."""
        statement = f"select count(*) from (select 1 from words where words match ? limit {FEW + 1})"
        found: int = self.execute(statement, (sql.word_match(text.words, text.phrase),)).get
        return found > FEW

    def bounds(self, ask: Ask, most: int | None) -> tuple[list[str], dict[str, Any]]:
        parts: list[str] = []
        values: dict[str, Any] = {}
        all_of_it = self.meta.sealed and self.is_within(ask)
        if ask.since is not None and not all_of_it:
            parts.append("time >= :since")
            values["since"] = ask.since
        if ask.until is not None and not all_of_it:
            parts.append("time < :until")
            values["until"] = ask.until
        # While it is written it may have grown since `meta` was read: then last() is not the last any more.
        if most is not None and (most < self.last() or not self.meta.sealed):
            parts.append("seq <= :most")
            values["most"] = most
        for name, chosen in self.restrictions(ask).items():
            parts.append(f"{name} in ({', '.join(map(str, chosen))})")
        if ask.seqs is not None:
            parts.append("seq in (select value from json_each(:seqs))")
            values["seqs"] = json.dumps(list(schema.seqs_in(self.segment, ask.seqs)))
        return parts, values

    def restrictions(self, ask: Ask) -> dict[str, list[int]]:
        """Ids of the kinds and sources that the question is about, where it names any."""
        found: dict[str, list[int]] = {}
        if ask.kinds:
            listed = self.execute("select id, value from code")
            found["kind"] = [id for id, value in listed if value in ask.kinds]
        if ask.connectors:
            listed = self.execute("select id, connector from source")
            found["source"] = [id for id, value in listed if value in ask.connectors]
        return found

    def using(self, tests: dict[int, sql.Predicate]) -> _Tests:
        """Make a question's tests known while a statement of it runs."""
        return _Tests(self._tests, tests)

    # --- rows

    def rows(
        self, ask: Ask, *, order: Order = "newest", after: Place | None = None, most: int | None = None
    ) -> Iterator[EventRow]:
        """Matching rows in order of time, then seq."""
        while True:
            try:
                for row in self._rows(ask, order, after, most):
                    after = Place(row.time, row.seq)
                    yield row
                return
            except DAMAGE:
                if not self.columns.give_up():
                    raise

    def _rows(self, ask: Ask, order: Order, after: Place | None, most: int | None) -> Iterator[EventRow]:
        conditions = self.conditions(ask, most=most)
        where, values = self._after(conditions, order, after)
        descending = "desc" if order == "newest" else ""
        columns = _COLUMNS if conditions.exact else f"seq, time, kind, source, {conditions.sure}"
        statement = (
            f"select {columns} from ev {conditions.hint} where {where}"
            f" order by time {descending}, seq {descending}"
        )
        with self.using(conditions.tests):
            found = self.execute(statement, values)
            if conditions.exact:
                for row in found:
                    yield self._row(row, brief=ask.brief)
            else:
                for part in self._judging.judged(ask, found):
                    rows = {row.seq: row for row in self.rows_of([one[0] for one in part], brief=ask.brief)}
                    yield from (rows[one[0]] for one in part)

    def _after(self, conditions: Conditions, order: Order, after: Place | None) -> tuple[str, dict[str, Any]]:
        if after is None:
            return conditions.where, conditions.values
        sign = "<" if order == "newest" else ">"
        place = f"time {sign}= :at and (time {sign} :at or seq {sign} :place)"
        return f"{place} and {conditions.where}", conditions.values | {"at": after.time, "place": after.seq}

    def is_within(self, ask: Ask) -> bool:
        """Does the question's time cover all of the segment?"""
        meta = self.meta
        return (ask.since is None or (meta.lo or 0) >= ask.since) and (
            ask.until is None or (meta.hi or 0) < ask.until
        )

    def _row(self, row: Any, *, brief: bool = False) -> EventRow:
        (seq, time, kind, rid, source, sender, recipient, count, subject, ip, outcome, disposition, stat, rule,
         score, size, flags, *_) = row  # fmt: skip
        where = self.source_of(source)
        recipients: tuple[str, ...] = ()
        if count:
            recipients = (recipient,) if brief or count == 1 else (recipient, *self._more_recipients(seq))
        code = self._codes
        return EventRow(
            seq, time, code[kind], rid, where.tenant, where.connector, sender, recipients, count, subject, ip,
            code[outcome], code[disposition], code[stat], code[rule], score, size, flags,
        )  # fmt: skip

    def _more_recipients(self, seq: int) -> list[str]:
        return [
            address
            for (address,) in self.execute(
                "select address from recipient join addr on addr.id = recipient.addr"
                " where seq = ? and place < ? order by place",
                (seq, ROW_RECIPIENTS),
            )
        ]

    def row(self, seq: int) -> EventRow | None:
        found = self.execute(f"select {_COLUMNS} from ev where seq = ?", (seq,)).fetchone()
        return None if found is None else self._row(found)

    def rows_of(self, seqs: Sequence[int], *, brief: bool = False) -> list[EventRow]:
        statement = f"select {_COLUMNS} from ev where seq in (select value from json_each(?))"
        found = self.execute(statement, (json.dumps(list(seqs)),))
        return [self._row(row, brief=brief) for row in found]

    def find(self, kind: str, rid: str) -> EventRow | None:
        equal = "rid = ?1 collate nocase and rid != '' and" if self.meta.sealed else ""
        statement = f"select {_COLUMNS} from ev where {equal} rid = ?1"
        for found in self.execute(statement, (rid,)):
            if self.code(found[2]) == kind:
                return self._row(found)
        return None

    # --- raw records

    def raw(self, seq: int) -> bytes:
        """The record exactly as received.

        Raises:
            KeyError: no such record.
            Outage: its block is damaged or missing.
        """
        first, records = self._raw.of(seq)
        return records[seq - first]

    def stored(self, first: int, last: int, limit: int) -> Iterator[StoredRecord]:
        """Records by seq; raw is empty where its block is damaged."""
        rows = self.execute(
            "select seq, time, kind, source from ev where seq between ? and ? order by seq limit ?",
            (first, last, limit),
        ).fetchall()
        for seq, time, kind, source in rows:
            try:
                raw = self.raw(seq)
            except (Outage, KeyError):
                raw = b""
            yield StoredRecord(seq, time, self.code(kind), self.source_of(source), raw)

    # --- keys and counts

    def last(self) -> int:
        """The highest seq; one below the first where there is none."""
        return schema.first_seq(self.segment) + self.meta.n - 1

    def keys(self, ask: Ask, *, most: int, above: int | None = None, limit: int | None = None) -> list[Place]:
        """Keys of matching rows, unsorted; only those stored after seq `above`.

        Args:
            limit: stop at so many, where the columns decide.
        """
        conditions = self.conditions(ask, most=most, above=above, plain=True)
        source = f"from ev {conditions.hint} where {conditions.where}"
        with self.using(conditions.tests):
            if conditions.exact:
                cut = "" if limit is None else f" limit {limit}"
                found = self.execute(f"select time, seq {source}{cut}", conditions.values)
                return list(map(Place._make, found))
            judged = self._judging.judged(ask, self._judging.to_judge(ask, conditions, most, above))
            return [Place(row[1], row[0]) for part in judged for row in part]

    def few_keys(self, ask: Ask, *, most: int) -> list[Place] | None:
        """Keys of matching rows, unsorted, where the columns decide; None where there are more than a few."""
        found = self.keys(ask, most=most, limit=FEW + 1)
        return None if len(found) > FEW else found

    def newest_keys(self, ask: Ask, *, most: int, limit: int) -> list[Place]:
        """Keys of the newest of many rows, where the columns decide, newest first."""
        conditions = self.conditions(ask, most=most, ordered=True)
        statement = (
            f"select time, seq from ev {conditions.hint} where {conditions.where}"
            f" order by time desc, seq desc limit {limit}"
        )
        with self.using(conditions.tests):
            return list(map(Place._make, self.execute(statement, conditions.values)))

    def time_of(self, newest: int, records: int) -> int | None:
        """The time of the last of so many records, counted back from a time; None where there are none."""
        statement = "select min(time) from (select time from ev indexed by ev_time where time <= ? order by time desc limit ?)"
        found: int | None = self.execute(statement, (newest, records)).get
        return found

    def undecided(self, ask: Ask, *, most: int) -> list[Any]:
        """Rows, as matching() takes them, that an index finds and the columns may leave undecided, unsorted."""
        conditions = self.conditions(ask, most=most, plain=True)
        with self.using(conditions.tests):
            return list(self._judging.to_judge(ask, conditions, most))

    def undecided_next(self, ask: Ask, *, most: int, after: Place | None, limit: int) -> list[Any]:
        """The next such rows in order of time, newest first."""
        conditions = self.conditions(ask, most=most)
        where, values = self._after(conditions, "newest", after)
        statement = (
            f"select seq, time, kind, source, ifnull({conditions.sure}, 0) from ev {conditions.hint}"
            f" where {where} order by time desc, seq desc limit {limit}"
        )
        with self.using(conditions.tests):
            return list(self.execute(statement, values))

    def matching(self, ask: Ask, rows: Sequence[Any]) -> list[Place]:
        """Those that match of rows (seq, time, kind, source, does it surely match)."""
        return [Place(row[1], row[0]) for part in self._judging.judged(ask, iter(rows)) for row in part]

    def cut(self, piece: Piece, records: int) -> list[Piece]:
        """See store.port.Reader.cut; read from the index of times alone."""
        parts = self.execute(
            "select min(seq), max(seq), min(time), max(time), count(*) from ev indexed by ev_time"
            " where seq between ? and ? group by (seq - ?) / ?",
            (piece.low, piece.high, schema.first_seq(self.segment), records),
        )
        return [Piece(self.segment, *part) for part in parts]

    def candidates(self, ask: Ask, last: int, most: int) -> Candidates:
        """See store.port.Reader.candidates."""
        conditions = self.conditions(ask, most=last, plain=True)
        if conditions.exact:
            return Candidates(0, True)
        if not conditions.indexed:
            return Candidates(last - schema.first_seq(self.segment) + 1, False)
        unsure = f"{conditions.where} and not ifnull({conditions.sure}, 0)"
        statement = f"select count(*) from (select 1 from ev where {unsure} limit {most})"
        with self.using(conditions.tests):
            return Candidates(self.execute(statement, conditions.values).get, True)

    def exact(self, ask: Ask, most: int | None = None) -> Conditions:
        """Conditions that SQL alone decides; what it cannot decide has been judged record by record."""
        conditions = self.conditions(ask, most=most, plain=True)
        if conditions.exact:
            return conditions
        parts, values = conditions.where, dict(conditions.values)
        unsure = conditions._replace(where=f"{parts} and not ifnull({conditions.sure}, 0)", sure=sql.FALSE)
        with self.using(conditions.tests):
            judged = [
                row[0]
                for part in self._judging.judged(ask, self._judging.to_judge(ask, unsure, most))
                for row in part
            ]
        sure = f"({conditions.sure})"
        if judged:
            sure = f"({conditions.sure} or seq in (select value from json_each(:judged)))"
            values["judged"] = json.dumps(judged)
        return Conditions(f"{parts} and {sure}", sure, values, True, "", conditions.tests, conditions.indexed)

    def count_words(self, ask: Ask) -> int:
        """Records with one word: counted in the word index alone, but for the few it is not sure of."""
        assert isinstance(ask.tree, Text)
        match = sql.word_match(ask.tree.words, ask.tree.phrase)
        if match is None or not sql.is_decided(ask.tree.words, ask.tree.phrase):
            return len(self.keys(ask, most=self.last()))
        matching = "select rowid + ?2 from words where words match ?1"
        first = schema.first_seq(self.segment)
        in_all: int = self.execute("select count(*) from words where words match ?", (match,)).get
        unsure = self.execute(
            f"select seq, kind, source from ev where seq in (select seq from unsure) and seq in ({matching})",
            (match, first),
        ).fetchall()
        return in_all - len(unsure) + len(self._judging.matching(ask, unsure))


class _Codes(dict[int, str]):
    """The segment's dictionary of codes, read again when a row names one that is not known yet."""

    def __init__(self, connection: apsw.Connection) -> None:
        super().__init__()
        self._connection = connection

    def __missing__(self, id: int) -> str:
        self.update(self._connection.execute("select id, value from code"))
        if id not in self:
            raise apsw.CorruptError("a row names a code that is not there")
        return self[id]


class _Tests:
    """Tests that the SQL function holds() may call, for as long as a statement runs."""

    def __init__(self, registry: dict[int, sql.Predicate], tests: dict[int, sql.Predicate]) -> None:
        self._registry = registry
        self._tests = tests

    def __enter__(self) -> None:
        self._registry.update(self._tests)

    def __exit__(self, *_: object) -> None:
        for key in self._tests:
            self._registry.pop(key, None)
