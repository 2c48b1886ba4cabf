"""Questions as people type them, made ready for the store."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, tzinfo
from typing import Final

import msgspec

from pod_desktop import content
from pod_desktop.content import Document
from pod_desktop.core.interflow import interflow
from pod_desktop.core.record import FLAG_TIME_GUESSED, Columns
from pod_desktop.core.text import domain_of
from pod_desktop.query import FLAGS, Matcher, is_path, matcher, parse, sql, value_test
from pod_desktop.query.tree import And, Equals, Everything, Like, Mark, Node, Term, Test, Text
from pod_desktop.services import needles, noted
from pod_desktop.services.text_spots import TextFinder, text_finder
from pod_desktop.store import Ask, Matches, Source, Spots

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
_NAME_CHARS: Final = 64
_VALUE: Final = rb'[ \t\r\n]*:[ \t\r\n]*("[^"\\\x00-\x1f\x80-\xff]*"|[^\s,}\]\[{"]*)'
_REMEMBERED: Final = 4_096
_REMEMBERED_BYTES: Final = 64
_TRUTHS: Final = frozenset({b"true", b"false"})
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
        spots=spots(tree),
        values=field_values,
        wanted=wanted,
    )


class Judge:
    """A tree as a predicate on raw records, for those that the store's columns leave undecided."""

    def __init__(self, tree: Node) -> None:
        left = _undecided(tree)
        self.tree = tree
        self._matches: Matcher = matcher(left)
        self._keys = _needed_keys(left)

    def __call__(self, kind: str, raw: bytes, source: Source) -> bool:
        if self._keys and not all(key in raw for key in self._keys) and b"\\u" not in raw:
            return False
        return self._matches(Record(kind, raw, source))


def judge(tree: Node) -> Matches:
    """The tree as the store takes it (store.Ask.matches)."""
    return Judge(tree)


def spots(tree: Node) -> Spots | None:
    """In which raw records a value stands that may make them match; None where any record may.

    A path of the tree ends with the name of a member. That name stands in the record as it is, unless it is
    written with \\u, and behind it the value: a number, a text, or more than that, which is left to the judge.
    """
    left = _undecided(tree)
    parts = left.parts if isinstance(left, And) else (left,)
    finders = [finder for part in parts if (finder := _finder(part)) is not None]
    return min(finders, key=lambda one: -len(one.name)) if finders else None


class _Finder:
    """Finds the records with a member of a name whose value passes a test, or cannot be told."""

    def __init__(self, name: str, test: Test) -> None:
        self.name = name
        self._end = name.encode() + b'"'
        self._value = re.compile(re.escape(self._end) + _VALUE)
        self._test = value_test(test)
        self._needle = _needle(test)
        self._failed: set[bytes] = set()
        """Values that were tested before: most records have one of a few."""

    def __call__(self, data: bytes, starts: Sequence[int]) -> list[int]:
        return needles.members(data, starts, self._next)

    def _next(self, data: bytes, at: int) -> int:
        find, end, value, failed = needles.find, self._end, self._value.match, self._failed
        while (at := find(data, end, at)) >= 0:
            found = value(data, at)
            if found is not None and (read := found[1]) not in failed and self._passes(read):
                return at
            at += 1
        return -1

    def _passes(self, value: bytes) -> bool:
        """Does the value match, or may it?"""
        if self._needle and value[:1] == b'"' and self._needle not in value.lower():
            return False
        passes = self._may_pass(value)
        if not passes and len(value) <= _REMEMBERED_BYTES:
            if len(self._failed) >= _REMEMBERED:
                self._failed.clear()
            self._failed.add(value)
        return passes

    def _may_pass(self, value: bytes) -> bool:
        try:
            if value[:1] == b'"':
                return self._test(value[1:-1].decode("ascii"))
            if value == b"null":
                return False
            return self._test(value.decode() if value in _TRUTHS else msgspec.json.decode(value))
        except (
            msgspec.MsgspecError,
            ValueError,
            TypeError,
        ):  # no number, no ASCII, or a list or object begins
            return True


def _finder(part: Node) -> _Finder | TextFinder | None:
    if isinstance(part, Text):
        return text_finder(part)
    if isinstance(part, Term) and is_path(part.field):
        found = _PLAIN.search(part.field)
        if found and len(found[0]) <= _NAME_CHARS:
            return _Finder(found[0], part.test)
    return None


def _needle(test: Test) -> bytes:
    """What stands, in lower case, in every ASCII text that passes; b"" where nothing must."""
    match test:
        case Equals(value):
            pieces = [value.casefold()]
        case Like(pattern):
            pieces = [piece.casefold() for piece in pattern if not isinstance(piece, Mark)]
        case _:
            return b""
    return max((piece.encode() for piece in pieces if piece.isascii()), key=len, default=b"")


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
