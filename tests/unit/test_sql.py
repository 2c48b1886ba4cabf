"""One law: what SQL and the judge find together is what the predicate says, for any records and any query."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import Phase, example, given, seed, settings
from hypothesis import strategies as st

from pod_desktop import store
from pod_desktop.core.clock import SystemClock
from pod_desktop.core.interflow import interflow
from pod_desktop.core.record import (
    FLAG_HIDDEN_CHARACTERS,
    FLAG_REPAIRED,
    FLAG_TRUNCATED,
    OUTCOMES,
    Arrival,
    Columns,
)
from pod_desktop.core.text import domain_of
from pod_desktop.query import FLAGS, matcher, sql
from pod_desktop.query.tree import (
    ANY,
    ONE,
    And,
    Equals,
    Everything,
    Exists,
    Like,
    Network,
    Node,
    Not,
    Or,
    Range,
    Regex,
    Term,
    Text,
    Words,
)
from pod_desktop.store import BACKFILL, LIVE, Ask, Commit, Source
from pod_desktop.store.segment import Segment
from pod_desktop.store.writer import SegmentWriter

NOON = 1_790_000_000_000_000
HERE = Source(connector="Acme-PoD", tenant="Acme", cluster_id="acme_hosted")
THERE = Source(connector="other", tenant="", cluster_id="other_hosted")

# Words that meet each other's halves; case, ß (folds to two letters), Turkish and Greek i's and sigmas, the
# Kelvin sign (folds to ASCII), combining marks, private use, emoji, CJK, and all that LIKE and FTS5 take for syntax.
PIECES = [
    "invoice", "INVOICE", "voice", "pay", "paypal", "Straße", "STRASSE", "ss", "é", "e\u0301", "\u0301", "İ", "ı", "i",
    "Σίσυφος", "σ", "\u212aelvin", "kelvin", "漢字", "字", "\ue000", "\U0001f4e7", "ﬁn", "fin", "_", "%", "\\", "*", "?",
    '"', "'", "-", "@", ".", "a", "ab", "abc", "10", "1", "0", "²", "٣", "(", ")", "^", "AND", "\u200b", "'x", "a_b", "ǆ",
    "d41d8cd98f00b204e9800998ecf8427e", "d41d8cd98f00b204", "d41d8cd98f00b204e980", "\n", "d41d8cd98f00b20",
]  # fmt: skip
words = st.lists(st.sampled_from([*PIECES, " ", " "]), min_size=1, max_size=5).map("".join)
value = st.one_of(st.just(""), words)
address = st.one_of(
    st.just(""),
    st.builds("{}@{}".format, st.sampled_from(["ann", "Bob", "Straße", "x_y", "a%"]), st.sampled_from(["Example.com", "evil.example", "ÉCOLE.fr", ""])),
    words,
)  # fmt: skip
host = st.sampled_from(["", "192.0.2.1", "192.0.2.77", "10.1.2.3", "2001:DB8::1", "2001:db8:0:0:0:0:0:1", "[192.0.2.9]", "::ffff:10.0.0.1", "no ip"])  # fmt: skip
number = st.one_of(
    st.none(), st.sampled_from([0, 1, 39, 40, 41, 100, -5, 2**63 - 1, -(2**63), 2**53, 2**53 + 1])
)

columns = st.builds(
    Columns,
    kind=st.sampled_from(["message", "maillog", "audit", "unreadable"]),
    rid=words,
    time=st.integers(-3, 3).map(lambda at: NOON + at),
    cluster=st.sampled_from(["", "acme_hosted", "Acme_Hosted"]),
    qid=value,
    message_id=value,
    sender=address,
    header_from=address,
    recipients=st.lists(address, max_size=4).map(tuple),
    subject=value,
    ip=host,
    country=st.sampled_from(["", "de", "DE", "us"]),
    outcome=st.sampled_from(OUTCOMES),
    disposition=st.sampled_from(["", "Continue", "discard"]),
    stat=st.sampled_from(["", "Sent", "Deferred"]),
    rule=value,
    module=st.sampled_from(["", "spam", "av"]),
    folder=value,
    direction=st.sampled_from(["", "inbound"]),
    score=number,
    size=number,
    flags=st.sampled_from([0, FLAG_REPAIRED, FLAG_HIDDEN_CHARACTERS, FLAG_REPAIRED | FLAG_HIDDEN_CHARACTERS, FLAG_TRUNCATED]),
    text=st.one_of(value, st.lists(words, max_size=3).map("\n".join)),
).map(lambda one: one if one.kind != "message" or one.flags & FLAG_TRUNCATED else one._replace(text=f"{one.text}\n{one.subject}"))  # fmt: skip

NAMES = sorted(sql.COLUMNS)
pattern = st.lists(
    st.one_of(st.sampled_from([ANY, ONE]), st.sampled_from(PIECES)), min_size=1, max_size=5
).map(tuple)
bound = st.one_of(st.none(), st.sampled_from([0, 40, 40.5, -1, 2**53 + 1, 2.0**63, NOON, NOON + 1]))
text_bound = st.one_of(st.none(), words)
networks = st.sampled_from(["192.0.2.0/24", "10.0.0.0/8", "2001:db8::/32", "2001:db8::1/128", "192.0.2.1/32", "0.0.0.0/0", "::ffff:10.0.0.0/104"])  # fmt: skip
regexes = st.sampled_from(
    ["inv.*", ".*", "", "[a-z]+", ".*pay(pal)?.*", "straße", "k.*", "\\d+", "19.*", "ann@.*|bob@.*"]
)
ranges = st.one_of(
    st.builds(Range, bound, bound, st.booleans(), st.booleans()),
    st.builds(Range, text_bound, text_bound, st.booleans(), st.booleans()),
).filter(lambda test: (test.low, test.high) != (None, None))
known = st.sampled_from(
    ["message", "40", "39.0", "1e2", "Example.com", "ann@example.com", "BOB@EVIL.EXAMPLE", "acme", "ACME-POD", "delivered", "Syslog",
     "proofpoint", "proofpoint_on_demand_maillog", "de", "sent", "192.0.2.1", "hidden", "repaired", "acme_hosted", "strasse"]
)  # fmt: skip
tests = st.one_of(
    st.just(Exists()),
    st.builds(Equals, st.one_of(known, words)),
    st.builds(Like, pattern),
    st.builds(Words, words, st.booleans()),
    ranges,
    st.builds(Regex, regexes),
    st.builds(Network, networks),
)
leaves: st.SearchStrategy[Node] = st.one_of(
    st.just(Everything()),
    st.builds(Text, words, st.booleans()),
    st.builds(Term, st.sampled_from([*NAMES, "a.raw.path"]), tests),
)
many_equal: st.SearchStrategy[Node] = st.builds(
    lambda name, values: Or(tuple(Term(name, Equals(one)) for one in values)),
    st.sampled_from(
        ["sender", "recipient", "qid", "rule", "sender.domain", "ip", "id", "score", "msg_class"]
    ),
    st.lists(st.one_of(known, words), min_size=2, max_size=12),
)
trees = st.recursive(
    st.one_of(leaves, leaves, leaves, many_equal),
    lambda inner: st.one_of(
        st.builds(Not, inner),
        st.lists(inner, min_size=2, max_size=3).map(tuple).map(And),
        st.lists(inner, min_size=2, max_size=3).map(tuple).map(Or),
    ),
    max_leaves=6,
)


class Seen:
    """Columns as the query language sees a record (query.Values)."""

    def __init__(self, columns: Columns, source: Source, raw_value: int) -> None:
        self._columns = columns
        self._source = source
        self._raw_value = raw_value

    def text(self) -> str:
        return self._columns.text

    def values(self, field: str) -> list[str | int | float]:
        if field.endswith(".domain"):
            return [domain for one in self.values(field[:-7]) if (domain := domain_of(str(one)))]
        columns, source = self._columns, self._source
        ours = {
            **interflow(columns.kind, source.tenant),
            "tenant": source.tenant,
            "connector": source.connector,
        }
        found: list[str | int | float | None]
        if field == "a.raw.path":
            found = [self._raw_value]
        elif field == "flag":
            found = [name for name, bit in FLAGS.items() if columns.flags & bit]
        elif field == "recipient":
            found = list(columns.recipients)
        elif field in ours:
            found = [ours[field]]
        else:
            found = [getattr(columns, {"type": "kind", "id": "rid"}.get(field, field))]
        return [one for one in found if one is not None and one != ""]


class Corpus:
    """A store of generated records in sealed and active segments, and the records themselves."""

    def __init__(self, folder: Path) -> None:
        self.columns: list[Columns] = []
        self.sources: list[Source] = []
        self._fill()
        self._writer = SegmentWriter(folder, clock=SystemClock(), segment_records=40)
        for part in range(0, len(self.columns), 25):
            source = self.sources[part]
            arrivals = [
                Arrival(one, str(part + place).encode())
                for place, one in enumerate(self.columns[part : part + 25])
            ]
            lane = (LIVE, BACKFILL)[part // 25 % 2]
            self._writer.commit(Commit(source=source, lane=lane, records=arrivals, stream="s"))
        self._wait()
        self.reader = store.open_reader(folder)

    def _fill(self) -> None:
        @seed(20_261_124)
        @settings(max_examples=150, deadline=None, database=None, phases=[Phase.generate])
        @given(columns)
        def add(one: Columns) -> None:
            self.columns.append(one._replace(rid=f"{one.rid}{len(self.columns)}"))

        add()
        self.sources = [(HERE, THERE)[place // 25 % 2] for place in range(len(self.columns))]

    def _wait(self) -> None:
        import time

        until = time.monotonic() + 30
        while self._writer.busy():
            assert time.monotonic() < until
            time.sleep(0.005)
        assert not self._writer.problems()

    def seen(self, place: int) -> Seen:
        return Seen(self.columns[place], self.sources[place], place % 7)

    def close(self) -> None:
        self.reader.close()
        self._writer.close()


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Corpus]:
    made = Corpus(tmp_path_factory.mktemp("law") / "events")
    yield made
    made.close()


def wanted(corpus: Corpus, tree: Node) -> set[str]:
    matches = matcher(tree)
    return {corpus.columns[place].rid for place in range(len(corpus.columns)) if matches(corpus.seen(place))}


BOTH_WAYS = Or((Text("_", False), Or((Term("qid", Equals("message")), Term("qid", Equals("message"))))))
"""A text that no index can decide beside equalities that one can: a row must be found, and counted, once."""


@settings(max_examples=400, deadline=None)
@given(tree=trees)
@example(tree=BOTH_WAYS)
@example(tree=Or((Text("_", False), Term("qid", Equals("message")))))
@example(tree=Not(BOTH_WAYS))
def test_sql_and_predicate_agree(corpus: Corpus, tree: Node) -> None:
    matches = matcher(tree)
    ask = Ask(tree=tree, matches=lambda kind, raw, source: matches(corpus.seen(int(raw))))
    found = [row.rid for row in corpus.reader.search(ask)]
    assert set(found) == wanted(corpus, tree)
    assert len(found) == len(set(found)) == corpus.reader.count(ask)
    assert not corpus.reader.problems()


@settings(max_examples=250, deadline=None)
@given(tree=trees)
def test_a_search_in_order_of_time_and_a_look_at_the_newest_agree_too(corpus: Corpus, tree: Node) -> None:
    """The ways for questions that match much (no index but that of time) and for rows that just came."""
    matches = matcher(tree)
    ask = Ask(tree=tree, matches=lambda kind, raw, source: matches(corpus.seen(int(raw))))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Segment, "_is_sparse", lambda *_: False)
        assert {row.rid for row in corpus.reader.search(ask)} == wanted(corpus, tree)
    marks = corpus.reader.marks()
    seen = {segment: last - 17 for segment, last in marks.items()}
    news = {row.rid for row in corpus.reader.search(Ask()) if row.seq > seen[row.seq >> 24]}
    keys = corpus.reader.keys(ask, marks, seen)
    assert {row.rid for row in corpus.reader.rows([key.seq for key in keys])} == wanted(corpus, tree) & news
    assert keys == sorted(keys, reverse=True)


@settings(max_examples=200, deadline=None)
@given(tree=leaves)
def test_columns_decide_without_the_raw_record(corpus: Corpus, tree: Node) -> None:
    condition = sql.compile_tree(tree)
    if isinstance(tree, Term) and tree.field in sql.COLUMNS:
        assert condition.exact
    if condition.exact:
        assert corpus.reader.count(Ask(tree=tree)) == len(wanted(corpus, tree))


@settings(max_examples=200, deadline=None)
@given(text=st.builds(Text, words, st.booleans()))
def test_what_sql_is_sure_of_is_never_wrong(corpus: Corpus, text: Text) -> None:
    asked: list[int] = []

    def never(kind: str, raw: bytes, source: Source) -> bool:
        asked.append(int(raw))
        return False

    sure = {row.rid for row in corpus.reader.search(Ask(tree=text, matches=never))}
    maybe = sure | {corpus.columns[place].rid for place in asked}
    assert sure <= wanted(corpus, text) <= maybe


def test_a_single_word_is_decided_by_the_index(corpus: Corpus) -> None:
    asked: list[int] = []

    def judge(kind: str, raw: bytes, source: Source) -> bool:
        asked.append(int(raw))
        return bool(matcher(Text("invoice", False))(corpus.seen(int(raw))))

    found = {row.rid for row in corpus.reader.search(Ask(tree=Text("invoice", False), matches=judge))}
    assert found == wanted(corpus, Text("invoice", False))
    strange = [place for place in asked if corpus.columns[place].text.isascii()]
    assert not strange


def test_thousands_of_indicators_are_one_question(corpus: Corpus) -> None:
    terms = tuple(Term("sender", Equals(f"nobody{number}@example.com")) for number in range(5_000))
    tree = Or((*terms, Term("sender", Equals("ANN@EXAMPLE.COM")), Term("score", Equals("40"))))
    assert {row.rid for row in corpus.reader.search(Ask(tree=tree))} == wanted(corpus, tree)


def test_a_wide_tree_stays_within_the_limits_of_the_engine(corpus: Corpus) -> None:
    tree = Or(tuple(Term("subject", Like((ANY, f"w{number}", ANY))) for number in range(3_000)))
    assert list(corpus.reader.search(Ask(tree=tree))) == []


def test_deep_trees_are_taken(corpus: Corpus) -> None:
    tree: Node = Term("outcome", Equals("delivered"))
    for _ in range(64):
        tree = And((Not(tree), Everything()))
    assert {row.rid for row in corpus.reader.search(Ask(tree=tree))} == wanted(corpus, tree)


def test_values_never_become_part_of_the_statement() -> None:
    hostile = "x' OR 1=1; drop table ev --"
    for name in NAMES:
        for test in (Equals(hostile), Like((hostile, ANY)), Words(hostile, True), Range(hostile, hostile)):
            condition = sql.compile_tree(Term(name, test), subjects=True)
            assert "drop" not in condition.maybe
            assert "drop" not in condition.sure


def test_marks_of_the_index_are_quoted() -> None:
    assert (
        sql.word_match('a AND "b" OR c*d NEAR(e)', True)
        == '"near" AND "and" AND "or" AND "a" AND "b" AND "c" AND "d" AND "e"'
    )
    assert sql.word_match("---", False) is None
    assert sql.word_match("pay*al", False) == '"pay"*'
    assert sql.word_match("paypa", False) == '"paypa"*'
    assert sql.word_match("paypal", True) == '"paypal"'


def test_an_unknown_judge_is_a_fault_not_a_guess(corpus: Corpus) -> None:
    from pod_desktop.core.faults import UserFault

    with pytest.raises(UserFault):
        corpus.reader.count(replace(Ask(), tree=Not(Term("a.raw.path", Exists()))))
