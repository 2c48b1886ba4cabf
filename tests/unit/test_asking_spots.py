"""A long scan reads only the records that are worth it: it must never pass by one that matches."""

from __future__ import annotations

import base64
import json
from functools import partial
from itertools import accumulate
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pod_desktop.query import parse
from pod_desktop.query.tree import ANY as STAR
from pod_desktop.query.tree import And, Equals, Exists, Like, Node, Not, Or, Range, Term, Text
from pod_desktop.services import asking, needles
from pod_desktop.store import Source, Spots
from pod_desktop.store.blocks import Packer, Unpacker

HERE = Source(connector="acme", tenant="Acme", cluster_id="acme_hosted")
NAMES = ["score", "a.score", "x", "x y", "é", "score-2"]
names = st.sampled_from(NAMES)
scalars = st.one_of(
    st.integers(-3, 12), st.sampled_from([2**70, -0.5, 1e300, 5.0]), st.booleans(), st.none(),
    st.sampled_from(["5", "5.0", "spam", "SPAM", 'a"b', "é", "\n", "\x00", "true", ""]),
)  # fmt: skip
values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(names, inner, max_size=3)),
    max_leaves=12,
)
documents = st.dictionaries(names, values, min_size=1, max_size=4)
tests = st.one_of(
    st.just(Exists()),
    st.builds(Equals, st.sampled_from(["5", "spam", "true", "é", "null", ""])),
    st.builds(Range, st.sampled_from([None, -1, 3.5]), st.sampled_from([5, 6.5])),
    st.builds(Range, st.sampled_from(["a", "s"]), st.none()),
    st.builds(
        Like,
        st.sampled_from(
            [
                ("5", STAR),
                (STAR, "PA", STAR),
                (STAR, "é"),
                (STAR, ".0", STAR),
                ("t", STAR, "e"),
                (STAR, "e+3", STAR),
            ]
        ),
    ),
)
PIECES = [
    "invoice",
    "INVOICE",
    "voice",
    "x07",
    "ff",
    "ß",
    "strasse",
    "straße",
    "K",
    "ﬁne",
    "fine",
    "é",
    "7",
    " ",
    "/",
]
terms: st.SearchStrategy[Node] = st.builds(
    Term, st.sampled_from(["score", "a.score", "x.score", "x.x", "x[0]", "é.score", "score-2", "a.x"]), tests
)


def worth(spots: Spots, *records: bytes) -> list[int]:
    """Which of these records, joined behind a header, may match."""
    starts = list(accumulate(map(len, records), initial=7))
    return list(spots(b"\xff\\u=?\x00\x01" + b"".join(records), starts))


def escaped(text: str, at: int) -> str:
    """The same JSON with a letter written as an escape."""
    return text[:at] + f"\\u{ord(text[at]):04x}" + text[at + 1 :]


def written(document: dict[str, Any], style: int, at: int) -> bytes:
    """The document as services of different habits write it."""
    if style == 1:
        return b"\xef\xbb\xbf" + json.dumps(document, indent=1).encode()
    text = json.dumps(
        document, separators=(" , ", " : ") if style == 2 else (",", ":"), ensure_ascii=style != 3
    )
    letters = [place for place, one in enumerate(text) if one in "scorex" and text[place - 1] != "\\"]
    if style == 4 and letters:
        text = escaped(text, letters[at % len(letters)])
    return text.encode()


@settings(max_examples=600, deadline=None)
@given(document=documents, term=terms, style=st.integers(0, 4), at=st.integers(0, 40))
def test_no_record_that_matches_is_passed_by(
    document: dict[str, Any], term: Node, style: int, at: int
) -> None:
    raw = written(document, style, at)
    spots = asking.spots(term)
    if spots is None:
        return
    if asking.judge(term)("message", raw, HERE):
        assert worth(spots, raw) == [0]
        assert worth(spots, b'{"score":1}', raw, raw, b"")[-2:] == [1, 2]


@settings(max_examples=600, deadline=None)
@given(
    words=st.lists(st.sampled_from(PIECES), min_size=1, max_size=3),
    asked=st.lists(st.sampled_from([*PIECES, "*", "?", " "]), min_size=1, max_size=3),
    phrase=st.booleans(),
    place=st.sampled_from(["subject", "helo", "line", "no json"]),
    style=st.integers(0, 3),
)
def test_no_record_that_holds_the_words_is_passed_by(
    words: list[str], asked: list[str], phrase: bool, place: str, style: int
) -> None:
    tree = Text("".join(asked), phrase)
    spots = asking.spots(tree)
    if spots is None:
        return
    kind, raw = with_words("".join(words), place, style)
    if asking.judge(tree)(kind, raw, HERE):
        assert worth(spots, raw) == [0], (tree, raw)
        assert worth(spots, *[b"{}"] * 3_000, raw) == [3_000]


def with_words(words: str, place: str, style: int) -> tuple[str, bytes]:
    """A record that shows these words, of one type or another, written in one way or another."""
    if place == "no json":
        return "unreadable", b"\x07\xff" + words.encode() + b"\x1b{"
    record: dict[str, Any] = {"connection": {"helo": words}}
    if place == "subject":
        encoded = "=?utf-8?B?" + base64.b64encode(words.encode()).decode() + "?="
        record = {"msg": {"header": {"subject": [encoded if style == 3 else words]}}}
    if place == "line":
        record = {"data": words, "sm": {"stat": words}}
    raw = json.dumps(record, ensure_ascii=style == 1).encode()
    if style == 2:
        raw = raw.replace(b"oice", b"o\\u0069ce")
    return "maillog" if place == "line" else "message", raw


def test_few_records_are_worth_reading_for_a_word() -> None:
    spots = asking.spots(parse("*Invoice*", 0))
    assert spots is not None
    assert worth(spots, *[b'{"a":"in voice"}'] * 500) == []
    assert worth(spots, b'{"a":"x"}', b'{"a":"INVOICES, invoices"}', b'{"a":"\\n"}') == [1]
    for other in (b"\\u0049", b"=?utf-8?Q?", "ß".encode()):
        assert worth(spots, *[b'{"a":"x"}'] * 1_000, other, b"{}", other * 9) == [1_000, 1_002]
    for nothing_certain in ("*x07*", "*12*", "*ÄÖ*", "*?*a", "*inf*"):
        assert asking.spots(parse(nothing_certain, 0)) is None


def test_values_that_fail_are_no_spots() -> None:
    spots = asking.spots(parse("filter.modules.spam.scores.classifiers.mlx:>=90", 0))
    assert spots is not None
    assert not worth(
        spots, b'{"mlx":5}', b'{"mlx": 89.9}{"mlx":"7"}', b'{"mlx":null}{"mlxlog":95}', b'["mlx"]'
    )
    assert worth(spots, b'{"mlx":5}', b'{"mlx":90}') == [1]
    assert worth(spots, b'{"mlx":[5]}', b'{"mlx":"99"}') == [0, 1]
    assert worth(spots, b'{"mlx":"mlx","mlx":1,"mlx":95,"mlx":96}', b"{}") == [0]


@pytest.mark.parametrize("tree", [Not(Term("a.b", Exists())), Text("x", False), Not(Text("invoice", False)), Or((Term("a.b", Exists()), Text("x", True))), Term("sender", Equals("a"))])  # fmt: skip
def test_what_may_match_without_a_value_is_never_passed_by(tree: Node) -> None:
    assert asking.spots(tree) is None


def test_the_rarest_name_of_several_is_looked_for() -> None:
    spots = asking.spots(And((Term("a.b", Exists()), Term("c.longest_name", Exists()))))
    assert spots is not None
    assert worth(spots, b'{"b":1}', b'{"longest_name":2}') == [1]


def test_offsets_are_told_apart_by_record() -> None:
    records = [b"0" * 10, b"", b"1" * 5, b"2"]
    block = Unpacker().open(7, Packer().pack(7, records))
    assert len(block) == 4
    assert [block[place] for place in range(4)] == records

    def held(sought: bytes) -> list[int]:
        return list(block.worth(partial(needles.records, next_from=needles.following(sought))))

    assert [held(sought) for sought in (b"0", b"1", b"2", b"\x07", b"01")] == [[0], [2], [3], [], [0]]


@settings(max_examples=300, deadline=None)
@given(
    records=st.lists(st.binary(max_size=300), min_size=1, max_size=20),
    needle=st.binary(min_size=1, max_size=4),
)
def test_bytes_are_found_wherever_they_stand(records: list[bytes], needle: bytes) -> None:
    data, starts = b"".join(records), list(accumulate(map(len, records), initial=0))
    begin = data.find(needle)
    assert needles.find(data, needle, 0) == begin
    assert needles.find(data, needle, begin + 1) == data.find(needle, begin + 1)
    assert needles.find(data, needle, len(data)) == -1
    found = needles.records(data, starts, needles.beyond_ascii)
    assert found == [place for place, one in enumerate(records) if not one.isascii()]
    held = {place for place, one in enumerate(records) if needle in one}
    assert held <= set(needles.records(data, starts, needles.following(needle)))
