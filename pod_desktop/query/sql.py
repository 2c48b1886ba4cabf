"""The query tree as SQL conditions on a segment's tables (store.schema).

Each node gives two conditions: `maybe` holds for every record that matches (and perhaps for more), `sure`
only for records that match (and perhaps not for all of them). Where both are the same, SQL alone decides;
else the records between them are judged by their raw bytes. Negation swaps the two.

A value and its folded copy: the copy is stored only where Unicode case-folding gives something else than
lower-casing ASCII would, so `coalesce(folded, value)` compared without regard to ASCII case is exact.
"""

from __future__ import annotations

import ipaddress
import itertools
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import Any, Final

from pod_desktop.core.interflow import INDEX, MSG_CLASS, ORIGIN
from pod_desktop.core.limits import COLUMN_CHARS
from pod_desktop.core.record import FLAG_TRUNCATED, MESSAGE
from pod_desktop.query import promoted as copies
from pod_desktop.query.fields import FLAGS
from pod_desktop.query.matching import as_number
from pod_desktop.query.predicate import value_test
from pod_desktop.query.tree import (
    ANY,
    ONE,
    And,
    Equals,
    Everything,
    Exists,
    Like,
    Mark,
    Network,
    Node,
    Not,
    Or,
    Range,
    Term,
    Test,
    Text,
    Words,
)

Predicate = Callable[[Any], bool]
HASH_CHARS: Final = 16
"""Of a hash that is a line of its own, the word index has this beginning only."""
NOT_INDEXED: Final = 0
INDEXED: Final = 1
"""In a sealed segment."""
INDEXED_ALWAYS: Final = 2
"""By the word index, which every segment has."""

TRUE: Final = "1"
FALSE: Final = "0"
_CODES: Final = {
    "type": "kind",
    "cluster": "cluster",
    "country": "country",
    "outcome": "outcome",
    "disposition": "disposition",
    "stat": "stat",
    "rule": "rule",
    "module": "module",
    "folder": "folder",
    "direction": "direction",
}
_TEXTS: Final = {"id": "rid", "qid": "qid", "message_id": "message_id", "subject": "subject"}
_INDEXED: Final = frozenset({"rid", "qid", "message_id"})
_ADDRESSES: Final = {"sender": True, "header_from": False, "ip": True}
"""Columns that point into `addr`, and whether they have an index."""
_NUMBERS: Final = frozenset({"score", "size", "time"})
_SOURCES: Final = {"tenant": "tenant", "tenant_name": "tenant", "connector": "connector"}
_GATHERED: Final = frozenset(
    {*_CODES, *_TEXTS, *_ADDRESSES, "recipient", "sender.domain", "header_from.domain", "recipient.domain"}
)
_CONSTANTS: Final[dict[str, dict[str, str]]] = {
    "index": dict.fromkeys(MSG_CLASS, INDEX),
    "msg_class": dict(MSG_CLASS),
    **{name: dict.fromkeys(MSG_CLASS, value) for name, value in ORIGIN.items()},
}
COLUMNS: Final = frozenset(
    {*_CODES, *_TEXTS, *_ADDRESSES, *_NUMBERS, *_SOURCES, *_CONSTANTS, "flag", "recipient", "sender.domain",
     "header_from.domain", "recipient.domain"}
)  # fmt: skip
"""Fields that the store decides without the raw record."""

_LIKE_MARKS: Final = {ANY: "%", ONE: "_"}
_LIKE_CHARS: Final = 10_000
"""SQLite refuses patterns of 50,000 bytes; no column holds as much as this."""
_MOST_TOKENS: Final = 24
_TOKEN: Final = re.compile(r"[^\W_]+")
_keys: Final = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Condition:
    """What one query means for a segment."""

    maybe: str
    sure: str
    values: dict[str, str | int | float] = field(default_factory=dict)
    """Bound parameters by name."""
    tests: dict[int, Predicate] = field(default_factory=dict)
    """What the SQL function holds(key, value) calls."""
    indexed: int = NOT_INDEXED
    """Whether an index finds the records without looking at the others."""

    @property
    def exact(self) -> bool:
        return self.maybe == self.sure


@dataclass(frozen=True, slots=True)
class _Part:
    maybe: str
    sure: str
    indexed: int = NOT_INDEXED


@dataclass(frozen=True, slots=True)
class _OneOf:
    """Equals to any of these, folded: a list of indicators is one condition, not thousands."""

    values: tuple[str, ...]


def compile_tree(
    node: Node,
    *,
    subjects: bool = False,
    first: int = 0,
    by_row: bool = False,
    above: int | None = None,
    codes: Mapping[str, Sequence[int]] | None = None,
    promoted: copies.Columns = MappingProxyType({}),
) -> Condition:
    """The conditions of a tree.

    Args:
        subjects: the segment has an index of subjects' trigrams, and it is to be used.
        first: the segment's first seq, which its indexes of words count from.
        by_row: look addresses up row by row, not once among all; quicker where few rows are looked at.
        above: only records behind this seq are asked for.
        codes: ids of the segment's codes by folded value; a value that is not among them is in no record.
        promoted: fields whose values the segment has copied out of its raw records.

    Raises:
        ValueError: a tree not made by parse() holds an invalid regular expression or network.
    """
    compiler = _Compiler(subjects, first, by_row, above, codes, promoted)
    part = compiler.node(node)
    return Condition(part.maybe, part.sure, compiler.values, compiler.tests, part.indexed)


class _Compiler:
    def __init__(
        self,
        subjects: bool,
        first: int,
        by_row: bool,
        above: int | None,
        codes: Mapping[str, Sequence[int]] | None,
        promoted: copies.Columns,
    ) -> None:
        self._codes = codes
        self._promoted = promoted
        self._first = first
        self._by_row = by_row
        self._above = "" if above is None else f" and rowid > {above - first}"
        self.values: dict[str, str | int | float] = {}
        self.tests: dict[int, Predicate] = {}
        self._subjects = subjects

    def bind(self, value: str | float) -> str:
        name = f"p{len(self.values)}"
        # Lone surrogates, from a clipboard say, stand in no record.
        self.values[name] = value.encode("utf-8", "replace").decode() if isinstance(value, str) else value
        return f":{name}"

    def holds(self, test: Test, value: str) -> str:
        key = next(_keys)
        self.tests[key] = value_test(test)
        return f"holds({key}, {value})"

    # --- nodes

    def node(self, node: Node) -> _Part:
        match node:
            case Everything():
                return _Part(TRUE, TRUE)
            case And(parts):
                return _join(" and ", [self.node(part) for part in parts], max)
            case Or(parts):
                return _join(" or ", [self._either(part) for part in self._gathered(parts)], min)
            case Not(part):
                inner = self.node(part)
                return _Part(_negate(inner.sure), _negate(inner.maybe))
            case Text(words, phrase):
                return self._text(words, phrase)
            case Term(name, test):
                return self._term(name, test)

    def _either(self, part: Node | tuple[str, _OneOf]) -> _Part:
        return self._term(*part) if isinstance(part, tuple) else self.node(part)

    def _gathered(self, parts: tuple[Node, ...]) -> list[Node | tuple[str, _OneOf]]:
        """The parts of an Or with many Equals on one field made one."""
        values: dict[str, list[str]] = {}
        others: list[Node | tuple[str, _OneOf]] = []
        for part in parts:
            if isinstance(part, Term) and isinstance(part.test, Equals) and self._is_gathered(part.field):
                values.setdefault(part.field, []).append(part.test.value.casefold())
            else:
                others.append(part)
        for name, wanted in values.items():
            others.append((name, _OneOf(tuple(wanted))) if len(wanted) > 1 else Term(name, Equals(wanted[0])))
        return others

    def _is_gathered(self, name: str) -> bool:
        return name in _GATHERED or name in self._promoted

    def _text(self, words: str, phrase: bool) -> _Part:
        match = word_match(words, phrase)
        if match is None:
            return _Part(TRUE, FALSE)
        maybe = f"seq in (select rowid + {self._first} from words where words match {self.bind(match)}{self._above})"
        if not is_decided(words, phrase):
            return _Part(maybe, self._in_subject(words, phrase), indexed=INDEXED_ALWAYS)
        return _Part(maybe, f"({maybe} and seq not in (select seq from unsure))", indexed=INDEXED_ALWAYS)

    def _in_subject(self, words: str, phrase: bool) -> str:
        """What is in the subject is in the search text of a mail (Columns.text), unless one of them was cut."""
        mail = f"kind in (select id from code where value = {self.bind(MESSAGE)})"
        found = self._value("subject", "subject_folded", Words(words, phrase))
        whole = f"flags & {FLAG_TRUNCATED} = 0 and length(subject) < {COLUMN_CHARS}"
        return f"({mail} and {whole} and subject != '' and {found})"

    def _term(self, name: str, test: Test | _OneOf) -> _Part:
        if (copied := self._promoted.get(name)) is not None:
            return self._copied(copied, test)
        if name in _CODES:
            if self._codes is not None and isinstance(test, Equals | _OneOf):
                return self._code(_CODES[name], self._codes, test)
            chosen = self._value("value", "folded", test)
            return _exact(f"{_CODES[name]} in (select id from code where id != 0 and {chosen})")
        if name in _TEXTS:
            return self._column(_TEXTS[name], test)
        if name in _ADDRESSES:
            return self._points_to(name, self._addresses(test))
        if name in ("sender.domain", "header_from.domain"):
            column = name.removesuffix(".domain")
            return self._points_to(column, self._domains(test))
        if name == "recipient":
            return self._recipient(self._addresses(test))
        if name == "recipient.domain":
            return self._recipient(self._domains(test))
        if name in _NUMBERS:
            return _exact(self._number(name, _single(test)))
        return self._derived(name, _single(test))

    def _copied(self, column: copies.Promoted, test: Test | _OneOf) -> _Part:
        if isinstance(test, _OneOf):
            values = copies.one_of(column, test.values, self.bind)
        else:
            values = copies.passing(column, test, self.bind, partial(self.holds, test))
        sure = f"seq in ({copies.seqs(column, values)})"
        if column.whole:
            return _exact(sure, indexed=INDEXED_ALWAYS)
        return _Part(f"({sure} or {copies.unsure(column)})", sure, INDEXED_ALWAYS)

    def _code(self, column: str, codes: Mapping[str, Sequence[int]], test: Equals | _OneOf) -> _Part:
        values = (test.value.casefold(),) if isinstance(test, Equals) else test.values
        ids = sorted({id for value in values for id in codes.get(value, ())})
        return _exact(f"{column} in ({', '.join(map(str, ids))})" if ids else FALSE)

    def _derived(self, name: str, test: Test) -> _Part:
        if name in _SOURCES:
            column = _SOURCES[name]
            return _exact(
                f"source in (select id from source where {column} != '' and {self.holds(test, column)})"
            )
        holds = value_test(test)
        if name in _CONSTANTS:
            kinds = [self.bind(kind) for kind, value in _CONSTANTS[name].items() if holds(value)]
            return _exact(f"kind in (select id from code where value in ({', '.join(kinds)}))")
        if name == "flag":
            return _exact(f"flags & {sum(bit for flag, bit in FLAGS.items() if holds(flag))} != 0")
        return _Part(TRUE, FALSE)

    # --- tests on text

    # What these two give may be continued with `and`.

    def _addresses(self, test: Test | _OneOf) -> str:
        hosts = self._hosts_near(test.network) if isinstance(test, Network) else ""
        return f"select id from addr where id != 0{hosts} and {self._value('address', 'folded', test)}"

    def _hosts_near(self, network: str) -> str:
        """What an address in the network must look like as text: most others are told apart without reading them."""
        inside = ipaddress.ip_network(network, strict=False)
        plain = " and domain is null"
        if inside.version == 6 or inside.prefixlen < 8:
            return plain
        octets = str(inside.network_address).split(".")[: inside.prefixlen // 8]
        begins = self.bind(".".join(octets) + ".%" if len(octets) < 4 else f"{inside.network_address}%")
        return f"{plain} and (address like {begins} or address like '%:%' or address not glob '[0-9]*')"

    def _domains(self, test: Test | _OneOf) -> str:
        return f"select id from addr where domain is not null and {self._value('domain', None, test)}"

    def _points_to(self, column: str, chosen: str) -> _Part:
        if self._by_row:
            return _exact(f"exists ({chosen} and id = ev.{column})")
        return _exact(f"{column} in ({chosen})", indexed=int(_ADDRESSES[column]))

    def _recipient(self, chosen: str) -> _Part:
        if self._by_row:
            others = "(select addr from recipient where seq = ev.seq)"
            return _exact(
                f"(exists ({chosen} and id = ev.recipient) or exists ({chosen} and id in {others}))"
            )
        others = f"select seq from recipient where addr in ({chosen})"
        return _exact(f"(recipient in ({chosen}) or seq in ({others}))", indexed=INDEXED)

    def _column(self, column: str, test: Test | _OneOf) -> _Part:
        folded = f"{column}_folded"
        if isinstance(test, Equals):
            value = self.bind(test.value.casefold())
            return self._equal(column, f"{column} = {value} collate nocase", f"{folded} = {value}")
        if isinstance(test, _OneOf):
            wanted = f"(select value from json_each({self.bind(json.dumps(test.values))}))"
            return self._equal(column, f"{column} collate nocase in {wanted}", f"{folded} in {wanted}")
        condition = f"{column} != '' and {self._value(column, folded, test)}"
        if column == "subject" and self._subjects and (match := trigram_match(test)):
            found = f"select rowid + {self._first} from subjects where subjects match {self.bind(match)}"
            return _exact(f"(seq in ({found}) and {condition})", indexed=INDEXED)
        return _exact(f"({condition})")

    def _equal(self, column: str, plain: str, folded: str) -> _Part:
        plain = f"{plain} and {column} != ''"
        if column not in _INDEXED:
            return _exact(f"({plain} or {folded})")
        # Joined by hand: for an `or` SQLite does not use the two partial indexes.
        found = f"select seq from ev where {plain} union all select seq from ev where {folded}"
        return _exact(f"seq in ({found} and {column}_folded is not null)", indexed=INDEXED)

    def _value(self, column: str, folded: str | None, test: Test | _OneOf) -> str:
        """A condition on a text that is not ''."""
        shown = f"coalesce({folded}, {column})" if folded else column
        match test:
            case Exists():
                return TRUE
            case Equals(value):
                return f"{shown} = {self.bind(value.casefold())} collate nocase"
            case _OneOf(values):
                wanted = f"select value from json_each({self.bind(json.dumps(values))})"
                return f"{shown} collate nocase in ({wanted})"
            case Like(pattern):
                return self._like(shown, pattern)
            case Words(words, phrase):
                near = [self._like(shown, (ANY, token, ANY)) for token in _pieces_of_words(words, phrase)]
                return " and ".join([*near, self.holds(test, column)])
            case Range(low, high) if isinstance(low, str) or isinstance(high, str):
                return self._bounds(f"lower({shown})", test)
            case _:
                return self.holds(test, column)

    def _like(self, shown: str, pattern: tuple[str | Mark, ...]) -> str:
        text = "".join(
            _LIKE_MARKS[piece] if isinstance(piece, Mark) else _escaped(piece) for piece in pattern
        )
        if len(text) > _LIKE_CHARS:
            return FALSE
        return f"{shown} like {self.bind(text)} escape '\\'"

    def _bounds(self, shown: str, test: Range) -> str:
        parts = []
        if test.low is not None:
            parts.append(f"{shown} {'>=' if test.low_included else '>'} {self.bind(_bound(test.low))}")
        if test.high is not None:
            parts.append(f"{shown} {'<=' if test.high_included else '<'} {self.bind(_bound(test.high))}")
        return f"({' and '.join(parts)})"

    def _number(self, column: str, test: Test) -> str:
        match test:
            case Exists():
                return f"{column} is not null"
            case Range(low, high):
                text = isinstance(low, str) or isinstance(high, str)
                return FALSE if text else self._bounds(column, test)
            case Equals(value):
                number = as_number(value)
                return FALSE if number is None else f"{column} = {self.bind(number)}"
            case _:
                return f"({column} is not null and {self.holds(test, column)})"


def _exact(sql: str, *, indexed: int = NOT_INDEXED) -> _Part:
    return _Part(sql, sql, indexed)


def _join(word: str, parts: list[_Part], indexed: Callable[[Iterable[int]], int]) -> _Part:
    return _Part(
        _balanced(word, [part.maybe for part in parts]),
        _balanced(word, [part.sure for part in parts]),
        indexed(part.indexed for part in parts),
    )


def _balanced(word: str, parts: list[str]) -> str:
    """The parts joined, with parentheses such that SQLite's limit of 1,000 levels is far."""
    if len(parts) <= 8:
        return f"({word.join(parts)})"
    middle = len(parts) // 2
    return f"({_balanced(word, parts[:middle])}{word}{_balanced(word, parts[middle:])})"


def _single(test: Test | _OneOf) -> Test:
    if isinstance(test, _OneOf):
        raise TypeError("only fields of text are gathered")
    return test


def _negate(sql: str) -> str:
    # Comparing with a number that is not there gives null: no match, so its negation is one.
    return f"(not ifnull({sql}, 0))"


def _bound(value: str | float) -> str | float:
    return value.casefold() if isinstance(value, str) else value


def _escaped(text: str) -> str:
    return re.sub(r"([%_\\])", r"\\\1", text.casefold())


def word_match(words: str, phrase: bool) -> str | None:
    """What the word index is asked for: necessary for tree.Text, and sufficient for a single word.

    The index knows runs of letters and digits; None where `words` has no such run that begins at a boundary.
    """
    folded = words.casefold()
    wild = "" if phrase else "*?"
    found: dict[str, None] = {}
    for token in _TOKEN.finditer(folded):
        before, after = folded[: token.start()][-1:], folded[token.end() :][:1]
        if before and before in wild:
            continue
        goes_on = not phrase and (not after or after in wild)
        asked = f'"{token[0]}"*' if goes_on else f'"{token[0]}"'
        if len(token[0]) > HASH_CHARS:
            asked = f'({asked} OR "{token[0][:HASH_CHARS]}")'
        found[asked] = None
    longest = sorted(found, key=len, reverse=True)[:_MOST_TOKENS]
    return " AND ".join(longest) or None


def is_decided(words: str, phrase: bool) -> bool:
    """A single word that no beginning of a hash can be taken for, or that may itself go on."""
    folded = words.casefold()
    most = HASH_CHARS - 1 if phrase else HASH_CHARS
    return len(folded) <= most and _TOKEN.fullmatch(folded) is not None


def trigram_match(test: Test | _OneOf) -> str | None:
    """What the index of subjects is asked for: necessary for the test. None where nothing is long enough."""
    match test:
        case Like(pattern):
            pieces = [piece.casefold() for piece in pattern if isinstance(piece, str)]
        case Words(words, phrase):
            pieces = _pieces_of_words(words, phrase)
        case _:
            return None
    found = dict.fromkeys(piece[at : at + 3] for piece in pieces for at in range(len(piece) - 2))
    quoted = ['"' + trigram.replace('"', '""') + '"' for trigram in found]
    return " AND ".join(quoted[:_MOST_TOKENS]) or None


def _pieces_of_words(words: str, phrase: bool) -> list[str]:
    """Folded pieces that stand in every text which holds the words."""
    folded = words.casefold()
    return [piece for piece in re.split(r"\s+" if phrase else r"[*?]|\s+", folded) if piece]
