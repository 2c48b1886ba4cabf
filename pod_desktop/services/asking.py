"""Questions as people type them, made ready for the store."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, tzinfo
from typing import Final

from pod_desktop import content
from pod_desktop.content import Document
from pod_desktop.core.interflow import interflow
from pod_desktop.core.record import FLAG_TIME_GUESSED, Columns
from pod_desktop.core.text import domain_of
from pod_desktop.query import FLAGS, Matcher, is_path, matcher, parse, sql
from pod_desktop.query.tree import And, Everything, Node, Term
from pod_desktop.services import noted
from pod_desktop.store import Ask, Matches, Source

Value = str | int | float
_COLUMNS: Final = {
    "type": "kind",
    "id": "rid",
    **{
        name: name
        for name in (
            "time", "cluster", "qid", "message_id", "sender", "header_from", "subject", "ip", "country", "outcome",
            "disposition", "stat", "rule", "module", "folder", "direction", "score", "size",
        )
    },
}  # fmt: skip
_PLAIN: Final = re.compile(r"[A-Za-z0-9_-]+$")
_DOMAINS: Final = {f"{name}.domain": name for name in ("sender", "header_from", "recipient")}


def ask(
    text: str,
    *,
    now: int,
    since: int | None = None,
    until: int | None = None,
    kinds: Sequence[str] = (),
    connectors: Sequence[str] = (),
    zone: tzinfo = UTC,
    notes: noted.NotesSeen = tuple,
    wanted: Callable[[], bool] | None = None,
) -> Ask:
    """The question behind a query's text.

    Args:
        now: microseconds UTC; what `now-15m` is relative to.
        since, until: microseconds UTC; `until` is not included.
        kinds, connectors: empty for all.
        zone: of times in the query that name none.
        notes: what people noted, for `marked:` and `comment:`; asked only if the query names them.
        wanted: see store.Ask.

    Raises:
        UserFault: the query cannot be understood (query.QueryFault says where).
    """
    tree = noted.resolve(parse(text, now, zone), notes)
    return Ask(
        tree=tree,
        since=since,
        until=until,
        kinds=tuple(kinds),
        connectors=tuple(connectors),
        matches=judge(tree),
        values=field_values,
        wanted=wanted,
    )


def judge(tree: Node) -> Matches:
    """The tree as a predicate on raw records, for those that the store's columns leave undecided."""
    left = _undecided(tree)
    matches: Matcher = matcher(left)
    keys = _needed_keys(left)

    def decide(kind: str, raw: bytes, source: Source) -> bool:
        if keys and not all(key in raw for key in keys) and b"\\u" not in raw:
            return False
        return matches(Record(kind, raw, source))

    return decide


def _undecided(tree: Node) -> Node:
    """Without the conditions that must hold anyway and that columns decide: the store has seen to them."""
    if not isinstance(tree, And):
        return tree
    left = tuple(part for part in tree.parts if not sql.compile_tree(part).exact)
    return And(left) if left else Everything()


def _needed_keys(tree: Node) -> list[bytes]:
    """Member names that a matching record must hold: many records need not even be parsed.

    A path ends within the name of a member, which stands in the record as it is unless written with \\u.
    """
    parts = tree.parts if isinstance(tree, And) else (tree,)
    paths = [part.field for part in parts if isinstance(part, Term) and is_path(part.field)]
    return [found[0].encode() for path in paths if (found := _PLAIN.search(path))]


def field_values(kind: str, raw: bytes, source: Source, field: str) -> Sequence[Value]:
    """All values of a field of a raw record."""
    return Record(kind, raw, source).values(field)


class Record:
    """A raw record as the query language sees it (query.Values): what is a column reads as it was stored."""

    def __init__(self, kind: str, raw: bytes, source: Source) -> None:
        self._kind = kind
        self._raw = raw
        self._source = source
        self._columns: Columns | None = None
        self._document: Document | None = None

    @property
    def columns(self) -> Columns:
        if self._columns is None:
            self._columns = content.read(self._kind, self._raw, 0)
        return self._columns

    def text(self) -> str:
        return self.columns.text

    def values(self, field: str) -> Sequence[Value]:
        if field in _COLUMNS:
            return self._column(_COLUMNS[field])
        if field == "recipient":
            return [address for address in self.columns.recipients if address]
        if base := _DOMAINS.get(field):
            return [domain for value in self.values(base) if (domain := domain_of(str(value)))]
        if field == "flag":
            return [flag for flag, bit in FLAGS.items() if self.columns.flags & bit]
        return self._ours(field) or self._from_document(field)

    def _column(self, name: str) -> Sequence[Value]:
        if name == "time" and self.columns.flags & FLAG_TIME_GUESSED:
            return ()  # the time of arrival, which only the store knows
        value = getattr(self.columns, name)
        return () if value in ("", None) else (value,)

    def _ours(self, field: str) -> Sequence[Value]:
        """What the connector adds to a record."""
        added = {
            **interflow(self._kind, self._source.tenant),
            "tenant": self._source.tenant,
            "connector": self._source.connector,
        }
        return (added[field],) if added.get(field) else ()

    def _from_document(self, field: str) -> Sequence[Value]:
        if self._document is None:
            self._document = content.document(self._raw)
        return content.values(self._kind, self._document.value, field)
