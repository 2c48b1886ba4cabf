"""How often each value of a field occurs in a segment, and how many records each stretch of time has."""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

from pod_desktop.core.clock import HOUR, MINUTE
from pod_desktop.core.faults import UserFault
from pod_desktop.core.interflow import INDEX, MSG_CLASS, ORIGIN
from pod_desktop.query import FLAGS
from pod_desktop.query.promoted import Promoted, unsure
from pod_desktop.query.tree import Everything, Text
from pod_desktop.store import tops
from pod_desktop.store.port import Ask
from pod_desktop.store.segment import Segment

_CODES: Final = (
    "cluster", "country", "outcome", "disposition", "stat", "rule", "module", "folder", "direction",
)  # fmt: skip
_ADDRESSES: Final = ("sender", "header_from", "ip")
_VALUES: Final = {
    "id": "rid",
    "qid": "qid",
    "message_id": "message_id",
    "subject": "subject",
    "score": "score",
    "size": "size",
    "time": "time",
}
_SOURCES: Final = {"tenant": "tenant", "tenant_name": "tenant", "connector": "connector"}
_KINDS: Final[dict[str, dict[str, str]]] = {
    "type": {kind: kind for kind in MSG_CLASS},
    "index": dict.fromkeys(MSG_CLASS, INDEX),
    "msg_class": dict(MSG_CLASS),
    **{name: dict.fromkeys(MSG_CLASS, value) for name, value in ORIGIN.items()},
}

_HOUR_MINUTES: Final = HOUR // MINUTE


def count_in(segment: Segment, ask: Ask) -> int:
    """Matching records of a segment."""
    if isinstance(ask.tree, Text) and ask == Ask(tree=ask.tree, matches=ask.matches, values=ask.values):
        return segment.count_words(ask)
    if (known := tops.count(segment, ask)) is not None:
        return known
    conditions = segment.exact(ask)
    with segment.using(conditions.tests):
        found: int = segment.execute(
            f"select count(*) from ev where {conditions.where}", conditions.values
        ).get
    return found


def counts_by(segment: Segment, ask: Ask, name: str) -> Counter[str]:
    """Values of a field with the number of matching records that have them."""
    statement = _statement(name)
    if statement is None and name not in (*_KINDS, *_SOURCES, "flag"):
        promoted = segment.promoted([name]).get(name)
        return (
            _from_raw(segment, ask, name) if promoted is None else _from_copies(segment, ask, name, promoted)
        )
    conditions = segment.exact(ask)
    total: Counter[str] = Counter()
    with segment.using(conditions.tests):
        for value, count in segment.execute(
            (statement or _grouped(_column_of(name))).format(where=conditions.where), conditions.values
        ):
            for shown in _shown(segment, name, value):
                total[shown] += count
    return total


def _column_of(name: str) -> str:
    return "kind" if name in _KINDS else "source" if name in _SOURCES else "flags"


def _grouped(column: str) -> str:
    return f"select {column}, count(*) from ev where {{where}} group by 1"


def _statement(name: str) -> str | None:
    """SQL that gives (value, count); `{where}` is to be put in."""
    base = name.removesuffix(".domain")
    wanted = "domain" if base != name else "address"
    if name in _CODES:
        return (
            f"select value, n from (select {name} as c, count(*) as n from ev where {{where}} group by 1)"
            " join code on code.id = c where c != 0"
        )
    if base in _ADDRESSES and (base == name or base != "ip"):
        return (
            f"select {wanted}, sum(n) from (select {base} as a, count(*) as n from ev where {{where}} group by 1)"
            f" join addr on addr.id = a where a != 0 and {wanted} is not null group by 1"
        )
    if base == "recipient":
        # Each record counts once for a value, however many of its recipients have it, however they are written.
        value = "domain" if base != name else "coalesce(folded, lower(address))"
        return (
            "with matching(s, r) as materialized (select seq, recipient from ev where {where} and recipients > 0)"
            f" select value, count(*) from (select s, {value} as value from matching join addr on addr.id = r"
            f" union select s, {value} from matching join recipient on recipient.seq = s"
            " join addr on addr.id = recipient.addr) where value != '' group by 1"
        )
    if name in _VALUES:
        column = _VALUES[name]
        return f"select {column}, count(*) from ev where {{where}} and {column} != '' group by 1"
    return None


def _shown(segment: Segment, name: str, value: Any) -> list[str]:
    if name in _KINDS:
        kind = segment.code(value)
        return [_KINDS[name][kind]] if kind in _KINDS[name] else []
    if name in _SOURCES:
        shown: str = getattr(segment.source_of(value), _SOURCES[name])
        return [shown] if shown else []
    if name == "flag":
        return [flag for flag, bit in FLAGS.items() if value & bit]
    return [str(value)]


def _from_copies(segment: Segment, ask: Ask, name: str, column: Promoted) -> Counter[str]:
    """Of a promoted field; in the order in which the raw records would give the values."""
    total: Counter[str] = Counter()
    if not column.whole:
        total = _from_raw(segment, ask, name, f" and {unsure(column)}")
    conditions = segment.exact(ask)
    with segment.using(conditions.tests):
        total.update(
            dict(
                segment.execute(
                    f"with matching(place) as materialized (select seq - {column.first} from ev"
                    f" where {conditions.where}) select coalesce(original, text), count(distinct place)"
                    f" from matching join {column.schema}.at using(place) join {column.schema}.val on id = val"
                    " group by 1 order by min(place)",
                    conditions.values,
                )
            )
        )
    return total


def _from_raw(segment: Segment, ask: Ask, name: str, among: str = "") -> Counter[str]:
    read = ask.values
    if read is None:
        raise UserFault(f"{name!r} is no column; counting it needs the whole records.", "by")
    total: Counter[str] = Counter()
    conditions = segment.exact(ask)
    with segment.using(conditions.tests):
        listed = segment.execute(
            f"select seq, kind, source from ev where {conditions.where}{among} order by seq",
            conditions.values,
        ).fetchall()
    for seq, kind, source in listed:
        found = read(segment.code(kind), segment.raw(seq), segment.source_of(source), name)
        total.update({str(value) for value in found})
    return total


def counts_by_time(segment: Segment, ask: Ask, every: int) -> Counter[tuple[int, str]]:
    """Matching records by (start of interval, outcome)."""
    total: Counter[tuple[int, str]] = Counter()
    if (statement := _from_roll_ups(segment, ask, every)) is not None:
        counted = segment.execute(statement)
    else:
        conditions = segment.exact(ask)
        statement = f"select time / {every} * {every}, outcome, count(*) from ev where {conditions.where} group by 1, 2"
        with segment.using(conditions.tests):
            counted = segment.execute(statement, conditions.values).fetchall()
    for start, outcome, count in counted:
        total[start, segment.code(outcome)] += count
    return total


def _from_roll_ups(segment: Segment, ask: Ask, every: int) -> str | None:
    """The statement where the counts made at the seal can answer: hours, minutes at the edges, rows at their edges."""
    meta = segment.meta
    if not (meta.sealed and isinstance(ask.tree, Everything) and ask.seqs is None and every % MINUTE == 0):
        return None
    if meta.lo is None or meta.hi is None or meta.lo < 0:
        return None
    # What the question does not cut is taken up to the ends of its minutes.
    low = meta.lo // MINUTE * MINUTE if ask.since is None or ask.since <= meta.lo else ask.since
    high = -(-(meta.hi + 1) // MINUTE) * MINUTE if ask.until is None or ask.until > meta.hi else ask.until
    first, last = -(-low // MINUTE), high // MINUTE
    if first >= last:
        return None
    hours = (first, first)
    if segment.has_hours and every % HOUR == 0:
        hours = (-(-first // _HOUR_MINUTES), last // _HOUR_MINUTES)
    if hours[0] >= hours[1]:
        spans = [("minute", "n", MINUTE, first, last)]
    else:
        begin, end = (hour * _HOUR_MINUTES for hour in hours)
        spans = [
            ("hour", "n", HOUR, *hours),
            ("minute", "n", MINUTE, first, begin),
            ("minute", "n", MINUTE, end, last),
        ]
    spans += [("time", "1", 1, low, first * MINUTE), ("time", "1", 1, last * MINUTE, high)]
    chosen = [
        f" and {name} in ({', '.join(map(str, ids))})" for name, ids in segment.restrictions(ask).items()
    ]
    return " union all ".join(
        f"select {name} * {unit} / {every} * {every}, outcome, sum({n}) from {'ev' if name == 'time' else name}"
        f" where {name} >= {begin} and {name} < {end}{''.join(chosen)} group by 1, 2"
        for name, n, unit, begin, end in spans
        if begin < end
    )
