"""Laws of the query language, on generated text, trees and records."""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from pod_desktop.core.clock import from_datetime
from pod_desktop.query import FIELDS, QueryFault, complete, conjoin, matcher, parse, spans, term, to_text
from pod_desktop.query.fault import is_invisible
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
    Regex,
    Term,
    Test,
    Text,
    Words,
)

NOW = from_datetime(datetime(2026, 11, 24, 9, 41, tzinfo=UTC))
few = settings(max_examples=300, deadline=None)

# ---- what is generated

letters = st.sampled_from("abAB01.@-_+:/ \"\\*?()<>[]{}~^!&|=ßİéé\u202e\u200b例🎁\n“”'%")
hostile = st.text(letters, max_size=8)
filled = hostile.filter(bool)
pieces_of_queries = st.sampled_from(' ()[]{}"/\\:*?-+!<>=~^aé\u202e\ud800') | st.sampled_from(
    """ AND | or | NOT |&&|sender:|score:|time:|ip:|type:|subject:|filter.x:|_exists_:|now-1d|2026-11-24|10.0.0.0/8| TO |message""".split(
        "|"
    )
)
query_like = st.lists(pieces_of_queries, max_size=14).map("".join) | st.text(max_size=20)
WHOLE = ("sender", "recipient", "rule", "host", "filter.a b", "$.subject", "a.b:c")
WORDY = ("subject", "url", "attachment.name")


def is_canonical_words(words: str) -> bool:
    return any(char not in "*?" for char in words) and "**" not in words


words = st.one_of(
    hostile.filter(bool).filter(is_canonical_words).map(lambda text: (text, False)),
    hostile.filter(lambda text: bool(text.strip())).map(lambda text: (text, True)),
)
numbers = st.integers(-(2**63) + 1, 2**63 - 1) | st.floats(
    allow_nan=False, allow_infinity=False, min_value=0.5
).filter(lambda number: not (number.is_integer() and number < 2**63))
moments = st.integers(0, 4_000_000_000_000_000)


def whole_value(text: str) -> bool:
    """Not what the parser takes apart on address fields."""
    return bool(text) and not text.startswith(("@", "<"))


@st.composite
def patterns(draw: st.DrawFn) -> tuple[str | Mark, ...]:
    parts: list[str | Mark] = []
    for piece in draw(
        st.lists(st.sampled_from([ANY, ONE]) | filled.filter(whole_value), min_size=2, max_size=5)
    ):
        if isinstance(piece, str) and parts and isinstance(parts[-1], str):
            parts[-1] += piece
        elif not (piece == ANY and parts and parts[-1] == ANY):
            parts.append(piece)
    if tuple(parts) == (ANY,) or not any(isinstance(part, Mark) for part in parts):
        parts.append(ONE)
    return tuple(parts)


@st.composite
def ranges(draw: st.DrawFn, bounds: st.SearchStrategy[object], *, half_open: bool = False) -> Range:
    low, high = draw(bounds), draw(bounds)
    key = (lambda bound: bound.casefold()) if isinstance(low, str) else (lambda bound: bound)
    if key(low) > key(high):  # type: ignore[no-untyped-call]
        low, high = high, low
    included = (True, False) if half_open else (draw(st.booleans()), draw(st.booleans()))
    if key(low) == key(high) or draw(st.booleans()):  # type: ignore[no-untyped-call]
        if draw(st.booleans()):
            return Range(low, None, included[0], True)  # type: ignore[arg-type]
        return Range(None, high, True, included[1])  # type: ignore[arg-type]
    return Range(low, high, *included)  # type: ignore[arg-type]


networks = st.ip_addresses().map(
    lambda address: Network(f"{address}/{address.max_prefixlen}")
) | st.sampled_from([Network("10.0.0.0/8"), Network("2001:db8::/32")])
regexes = st.sampled_from(["a|b", "re: .*", "a/b", r"a\/b", r"\d+", "[/]x", "(a+)+", "é"]).map(
    lambda text: Regex(text.replace("\\/", "/"))
)
leaves: st.SearchStrategy[Node] = st.one_of(
    words.map(lambda pair: Text(*pair)),
    st.builds(Term, st.sampled_from(WORDY), words.map(lambda pair: Words(*pair)) | regexes),
    st.builds(
        Term, st.sampled_from(WHOLE), filled.filter(whole_value).map(Equals) | patterns().map(Like) | regexes
    ),
    st.builds(Term, st.sampled_from([*FIELDS, "filter.a b", "$.subject"]), st.just(Exists())),
    st.builds(Term, st.sampled_from(["score", "size", "filter.n"]), ranges(numbers)),
    st.builds(Term, st.just("time"), ranges(moments, half_open=True)),
    st.builds(Term, st.just("filter.s"), ranges(filled)),
    st.builds(Term, st.sampled_from(["ip", "connection.ip"]), networks),
    st.sampled_from(
        [Term("type", Equals("message")), Term("flag", Equals("hidden")), Term("score", Equals("40"))]
    ),
)


def flat(kind: type[And] | type[Or], parts: list[Node]) -> Node:
    """As the parser makes it: nothing in it twice, and alone if it is one."""
    inner = dict.fromkeys(
        grand for part in parts for grand in (part.parts if isinstance(part, kind) else (part,))
    )
    return kind(tuple(inner)) if len(inner) > 1 else next(iter(inner))


trees: st.SearchStrategy[Node] = st.recursive(
    leaves,
    lambda inner: st.one_of(
        inner.map(Not),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: flat(And, parts)),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: flat(Or, parts)),
    ),
    max_leaves=6,
)

# ---- writing and reading


@few
@given(trees)
def test_a_tree_written_as_text_reads_as_the_same_tree(tree: Node) -> None:
    assert parse(to_text(tree), NOW) == tree


@few
@given(query_like)
def test_any_text_is_a_query_or_a_fault_within_it(text: str) -> None:
    fault = QueryFault("")
    try:
        tree = parse(text, NOW)
    except QueryFault as caught:
        fault = caught
    else:
        assert parse(to_text(tree), NOW) == tree
    assert 0 <= fault.column <= fault.column + fault.length <= len(text)
    assert not any(map(is_invisible, str(fault)))


@few
@given(query_like, st.integers(0, 30))
def test_help_bears_any_text(text: str, cursor: int) -> None:
    coloured = spans(text)
    assert all(span.start < span.end <= len(text) for span in coloured)
    assert all(before.end <= after.start for before, after in pairwise(coloured))
    for offer in complete(text, cursor, lambda field, prefix: [prefix + "x"]):
        assert 0 <= offer.start <= offer.end <= len(text)


@few
@given(st.sampled_from(["sender", "subject", "rule", "filter.a b", "$.subject", "url"]), st.text() | hostile)
def test_filter_on_this_finds_the_record_it_came_from(field: str, value: str) -> None:
    value = value.encode("utf-8", "replace").decode()
    record = Record({field: [value]}, "")
    if field in {"sender"} and value[:1] in {"<", "@"}:
        return
    assert matcher(parse(term(field, value), NOW))(record)
    assert not matcher(parse(conjoin("", term(field, value), negate=True), NOW))(record)


@few
@given(trees, trees, st.booleans())
def test_conjoined_queries_mean_both(left: Node, right: Node, negate: bool) -> None:
    joined = parse(conjoin(to_text(left), to_text(right), negate=negate), NOW)
    assert joined == flat(And, [left, Not(right) if negate else right])


# ---- meaning: against a reading of the documentation that is as simple as can be


class Record:
    """A record as the predicate sees it."""

    def __init__(self, fields: dict[str, Sequence[str | int | float]], text: str) -> None:
        self._fields, self._text = fields, text

    def values(self, field: str) -> Sequence[str | int | float]:
        return self._fields.get(field, ())

    def text(self) -> str:
        return self._text


def in_word(char: str) -> bool:
    category = unicodedata.category(char)
    return category[0] in "LNM" or category == "Co"


def is_edge(text: str, at: int) -> bool:
    return at == 0 or at == len(text) or not (in_word(text[at - 1]) and in_word(text[at]))


def fits(pattern: Sequence[str | Mark], text: str) -> set[int]:
    """All lengths of the beginnings of text that fit the pattern."""
    ends = {0}
    for piece in pattern:
        if isinstance(piece, str):
            ends = {end + len(piece) for end in ends if text.startswith(piece, end)}
        elif piece == ONE:
            ends = {end + 1 for end in ends if end < len(text)}
        elif ends:
            ends = set(range(min(ends), len(text) + 1))
    return ends


def naive_words(words: str, phrase: bool, text: str) -> bool:
    words, text = words.casefold(), text.casefold()
    if phrase or not set(words) & set("*?"):
        words, text = re.sub(r"\s+", " ", words), re.sub(r"\s+", " ", text)
    pattern = [words] if phrase else [{"*": ANY, "?": ONE}.get(char, char) for char in words]
    for at in range(len(text) + 1):
        begins = is_edge(text, at) if phrase or words[0] not in "*" else True
        if not (begins or not (in_word(words[0]) or words[0] == "?")):
            continue
        ends = {at + end for end in fits(pattern, text[at:])}
        if phrase and in_word(words[-1]):
            ends = {end for end in ends if is_edge(text, end)}
        if ends:
            return True
    return False


def naive_value(test: Test, value: str | int | float) -> bool:
    written = value if isinstance(value, str) else str(value)
    match test:
        case Words(words, phrase):
            return naive_words(words, phrase, written)
        case Equals(wanted):
            if isinstance(value, str):
                return value.casefold() == wanted.casefold()
            return wanted.lstrip("-").isdecimal() and int(wanted) == value
        case Like(pattern):
            folded = [piece.casefold() if isinstance(piece, str) else piece for piece in pattern]
            return len(written.casefold()) in fits(folded, written.casefold())
        case Range(low, high, low_in, high_in):
            if isinstance(low if low is not None else high, str):
                if not isinstance(value, str):
                    return False
                value = value.casefold()
                low = low.casefold() if isinstance(low, str) else None
                high = high.casefold() if isinstance(high, str) else None
            elif isinstance(value, str):
                if not re.fullmatch(r"-?[0-9]+", value):
                    return False
                value = int(value)
            above = low is None or value > low or (low_in and value == low)  # type: ignore[operator]
            return above and (high is None or value < high or (high_in and value == high))  # type: ignore[operator]
        case Network(network):
            try:
                return ipaddress.ip_address(written) in ipaddress.ip_network(network)
            except ValueError:
                return False
        case Exists():
            return value != ""
    raise AssertionError(test)


def naive(node: Node, record: Record) -> bool:
    match node:
        case Everything():
            return True
        case And(parts):
            return all(naive(part, record) for part in parts)
        case Or(parts):
            return any(naive(part, record) for part in parts)
        case Not(part):
            return not naive(part, record)
        case Text(words, phrase):
            return naive_words(words, phrase, record.text())
        case Term(field, test):
            return any(naive_value(test, value) for value in record.values(field))


near = st.text(st.sampled_from("abAB .@*?é\u0301ß例"), max_size=6)
near_words = st.one_of(
    near.filter(lambda text: text and is_canonical_words(text)).map(lambda text: (text, False)),
    near.filter(bool).map(lambda text: (text, True)),
)
near_patterns = st.lists(st.sampled_from([ANY, ONE]) | near.filter(bool), min_size=1, max_size=4).map(tuple)
small = st.integers(-3, 3)
near_tests: st.SearchStrategy[Test] = st.one_of(
    near_words.map(lambda pair: Words(*pair)),
    near.map(Equals) | small.map(lambda number: Equals(str(number))),
    near_patterns.map(Like),
    ranges(small) | ranges(near),
    st.sampled_from([Network("10.0.0.0/30"), Network("2001:db8::/126")]),
    st.just(Exists()),
)
near_trees = st.recursive(
    st.builds(Term, st.sampled_from("xy"), near_tests) | near_words.map(lambda pair: Text(*pair)),
    lambda inner: st.one_of(
        inner.map(Not),
        st.lists(inner, min_size=2, max_size=4).map(lambda parts: flat(And, parts)),
        st.lists(inner, min_size=2, max_size=4).map(lambda parts: flat(Or, parts)),
    ),
    max_leaves=5,
)
values = st.lists(
    near | small | small.map(str) | st.sampled_from(["10.0.0.2", "10.0.0.4", "2001:db8::3", "2001:db8::4"]),
    max_size=3,
)


@settings(max_examples=1_500, deadline=None)
@given(near_trees, values, values, st.text(st.sampled_from("abAB .@*?é\u0301ß例"), max_size=10))
def test_the_predicate_means_what_the_tree_documents(
    tree: Node, x: list[str | int], y: list[str | int], text: str
) -> None:
    record = Record({"x": x, "y": y}, text)
    assert matcher(tree)(record) == naive(tree, record)
