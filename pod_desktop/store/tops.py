"""The commonest values of each column of a segment, counted when it is sealed.

A segment keeps the first KEPT values of a field and content type; store.commonest adds them up over segments.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pod_desktop.query import value_test
from pod_desktop.query.tree import Equals, Exists, Like, Not, Range, Term, Words
from pod_desktop.store.port import Ask

if TYPE_CHECKING:
    import apsw

    from pod_desktop.store.segment import Segment

KEPT: Final = 256
_CODES: Final = (
    "cluster", "country", "outcome", "disposition", "stat", "rule", "module", "folder", "direction",
)  # fmt: skip
_ADDRESSES: Final = ("sender", "header_from", "ip")
_SCORE: Final = "score"
FIELDS: Final = frozenset(
    {_SCORE, *_CODES, *_ADDRESSES, "recipient", "sender.domain", "header_from.domain", "recipient.domain"}
)
_FOLDED: Final = (Exists, Equals, Like, Range, Words)
"""Tests that say the same of all spellings of a value."""

_TABLE: Final = """
create table top(field text not null, kind integer not null, place integer not null, value text not null,
    folded text, n integer not null, primary key(field, kind, place)) without rowid;
"""
_KEEP: Final = f"""
insert into top select '{{field}}', kind, place, value, nullif(same, value), n from
    (select kind, value, same, n, row_number() over (partition by kind order by n desc, same) as place from ({{counted}}))
    where place <= {KEPT};
"""
"""`counted` gives (kind, value as it is shown, value case-folded, n)."""
_CODED: Final = f"""
create temp table coded as select kind, {", ".join(_CODES)}, count(*) as n from ev group by {", ".join(map(str, range(1, len(_CODES) + 2)))};
"""
_ONE: Final = "coalesce(folded, lower(address))"


def statements() -> Iterator[str]:
    """What makes the table in a segment that is being sealed, and has its other indexes."""
    yield _TABLE
    yield _CODED
    for field in _CODES:
        yield _KEEP.format(
            field=field,
            counted="select kind, min(value) as value, coalesce(folded, lower(value)) as same, sum(n) as n"
            f" from temp.coded join code on code.id = coded.{field} where code.id != 0 group by 1, 3",
        )
    yield "drop table temp.coded;"
    for field in _ADDRESSES:
        yield f"create temp table pointed as select kind, {field} as a, count(*) as c from ev where a != 0 group by 1, 2;"
        for name, value, same in (
            (field, "min(address)", _ONE),
            (f"{field}.domain", "min(domain)", "domain"),
        ):
            if name in FIELDS:
                yield _KEEP.format(
                    field=name,
                    counted=f"select kind, {value} as value, {same} as same, sum(c) as n from temp.pointed join addr on addr.id = a"
                    " where same is not null group by 1, 3",
                )
        yield "drop table temp.pointed;"
    yield _KEEP.format(
        field=_SCORE,
        counted="select kind, score as value, score as same, count(*) as n from ev where score is not null group by 1, 2",
    )
    # Each record counts once for a value, however many of its recipients have it.
    yield "create temp table pointed as select kind, recipient as a, count(*) as c from ev where recipients = 1 and a != 0 group by 1, 2;"
    for name, same in (("recipient", _ONE), ("recipient.domain", "domain")):
        first = f"select seq, kind, {same} as v from ev join addr on addr.id = recipient where recipients > 1"
        other = f"select seq, kind, {same} as v from recipient join ev using(seq) join addr on addr.id = addr"
        yield _KEEP.format(
            field=name,
            counted="select kind, v as value, v as same, sum(c) as n from"
            f" (select kind, {same} as v, c from temp.pointed join addr on addr.id = a"
            f" union all select kind, v, count(*) from ({first} union {other}) group by 1, 2) where v != '' group by 1, 3",
        )
    yield "drop table temp.pointed;"


def mistaken(connection: apsw.Connection) -> list[str]:
    """Fields whose lists have other sums than the segment's rows."""
    names = (*_CODES, *_ADDRESSES)
    listed = {
        (field, kind): (total, most)
        for field, kind, total, most in connection.execute(
            "select field, kind, sum(n), count(*) from top group by 1, 2"
        )
    }
    wrong = set()
    for kind, *counts in connection.execute(
        f"select kind, {', '.join(f'sum({name} != 0)' for name in names)} from ev group by 1"
    ):
        for name, count in zip(names, counts, strict=True):
            total, most = listed.pop((name, kind), (0, 0))
            if total > count or (total < count and most < KEPT):
                wrong.add(name)
    return sorted(wrong | {name for name, _ in listed if name in names})


@dataclass(frozen=True, slots=True)
class Part:
    """Counts of one segment and content type."""

    counts: Mapping[str, int]
    """By folded value."""
    shown: Mapping[str, str]
    """How values are written."""
    least: int = 0
    """No value that is missing is in more records than this; 0: none is missing."""
    count: Callable[[str], int] | None = None
    """Counts one value that is missing."""


def lists(segment: Segment, ask: Ask, name: str) -> list[tuple[str, Part]] | None:
    """(content type, its part) of all of the segment; None where they do not answer the question."""
    if ask.seqs is not None or ask.connectors or not segment.has_tops or not segment.is_within(ask):
        return None
    kinds: dict[int, tuple[dict[str, int], dict[str, str]]] = {}
    for kind, value, folded, n in segment.execute(
        "select kind, value, folded, n from top where field = ? order by kind, place", (name,)
    ):
        counts, shown = kinds.setdefault(kind, ({}, {}))
        shown[value if folded is None else folded] = value
        counts[value if folded is None else folded] = n
    found = []
    for kind, (counts, shown) in kinds.items():
        title = segment.code(kind)
        if not ask.kinds or title in ask.kinds:
            least = min(counts.values()) if len(counts) == KEPT else 0
            found.append((title, Part(counts, shown, least)))
    return found


def count(segment: Segment, ask: Ask) -> int | None:
    """Records that one condition on a listed field, or its negation, finds; None where the lists do not tell."""
    term, negated = (ask.tree.part, True) if isinstance(ask.tree, Not) else (ask.tree, False)
    if not isinstance(term, Term) or term.field not in FIELDS or not isinstance(term.test, _FOLDED):
        return None
    if term.field.startswith("recipient") and not isinstance(term.test, Equals):
        return None  # several of a record's values may match
    if (listed := lists(segment, ask, term.field)) is None:
        return None
    test = value_test(term.test)
    found = 0
    for _, part in listed:
        if part.least:
            # The list is cut: it knows the values that are in it.
            wanted = term.test.value.casefold() if isinstance(term.test, Equals) else ""
            if wanted not in part.counts:
                return None
            found += part.counts[wanted]
        else:
            found += sum(n for value, n in part.counts.items() if test(_typed(term.field, value)))
    return _records(segment, ask) - found if negated else found


def _typed(field: str, value: str) -> str | int:
    return int(value) if field == _SCORE else value


def _records(segment: Segment, ask: Ask) -> int:
    """Of the question's content types in all of the segment."""
    counted = segment.execute("select kind, sum(n) from minute group by 1")
    return sum(n for kind, n in counted if not ask.kinds or segment.code(kind) in ask.kinds)
