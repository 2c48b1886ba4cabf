"""Whatever arrives: the door never raises, columns are bounded and valid, nothing takes long."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import as_bytes, maillog_to, message, part
from pace import quick
from pod_desktop import content
from pod_desktop.core import limits
from pod_desktop.core.blocks import Block, Chips, Facts, Lines, Notice, Scores
from pod_desktop.core.record import Columns

ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()), max_size=20)
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ANY_TEXT, inner, max_size=4),
    max_leaves=30,
)
KINDS = ("message", "maillog", "audit")
WHOLE = [as_bytes(record) for record in (message(), maillog_to(), message(parts=[part()]))]


@pytest.fixture(autouse=True)
def no_bug(caplog: pytest.LogCaptureFixture) -> Any:
    """The door's last resort logs an error; no test may need it."""
    yield
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


def assert_sound(found: Columns) -> None:
    for name, value in found._asdict().items():
        for one in value if isinstance(value, tuple) else (value,):
            if isinstance(one, str):
                one.encode()  # no lone surrogate
                assert "\x00" not in one
                assert len(one) <= (limits.TEXT_CHARS if name == "text" else limits.COLUMN_CHARS)
            elif one is not None:
                assert -(2**63) <= one < 2**63
    assert len(found.recipients) <= limits.RECIPIENTS
    assert found.rid


def texts_of(block: Block) -> list[str]:
    if isinstance(block, Notice):
        return [block.text]
    if isinstance(block, Facts):
        return [
            text
            for row in block.rows
            for text in (row.label, row.value, row.tip, *(c.text for c in row.chips))
        ]
    if isinstance(block, Chips):
        return [text for chip in block.chips for text in (chip.text, chip.tip)]
    if isinstance(block, Scores):
        return [row.label for row in block.rows]
    assert isinstance(block, Lines)
    return [block.title, *block.lines]


def assert_summary_sound(kind: str, raw: bytes, found: Columns) -> None:
    for block in content.summary(kind, content.document(raw).value, found):
        for text in texts_of(block):
            text.encode()
            assert len(text) <= 4_096


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(KINDS), st.binary(max_size=60))
def test_no_bytes_make_the_door_fail(kind: str, raw: bytes) -> None:
    found = content.read(kind, raw, 5)

    assert_sound(found)
    assert (found.kind == "unreadable") == (not isinstance(content.document(raw).value, dict))
    assert content.sniff(raw)
    assert isinstance(content.unwrap(raw), bytes)
    assert_summary_sound(kind, raw, found)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(KINDS), ANY_JSON)
def test_no_json_makes_the_door_fail(kind: str, value: Any) -> None:
    raw = json.dumps(value).encode()
    found = content.read(kind, raw, 5)

    assert_sound(found)
    assert (found.kind == kind) == isinstance(value, dict)
    assert_summary_sound(kind, raw, found)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_no_broken_record_makes_the_door_fail(data: st.DataObject) -> None:
    raw = bytearray(data.draw(st.sampled_from(WHOLE)))
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(0, len(raw) - 1))
        raw[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    for kind in KINDS:
        found = content.read(kind, bytes(raw), 5)
        assert_sound(found)
        assert_summary_sound(kind, bytes(raw), found)


@settings(max_examples=60, deadline=None)
@given(ANY_TEXT)
def test_any_text_in_any_header_is_taken(text: str) -> None:
    headers = {name: [text, text] for name in ("from", "to", "cc", "subject", "reply-to", "message-id")}
    record = message(
        sender=text, subject=text, recipients=[text],
        **{"msg.header": headers, "msg.normalizedHeader": {}, "msg.parsedAddresses": {}},
    )  # fmt: skip
    raw = json.dumps(record).encode()
    found = content.read("message", raw, 5)

    assert found.kind == "message"
    assert_sound(found)
    assert_summary_sound("message", raw, found)


HOSTILE = {
    "encoded words without end": "=?a?q?" * 50_000,
    "encoded words": "=?utf-8?B?R3LDvMOfZQ==?= " * 20_000,
    "blanks": " " * 1_000_000 + "\r" + " " * 1_000_000,
    "folds": "\r\n " * 300_000,
    "quotes": '"' * 300_000,
    "escaped quotes": '"' + '\\"' * 300_000,
    "angles": "<" * 300_000,
    "addresses": "a@b," * 300_000,
    "comments": "(" * 300_000,
    "dots": "a." * 300_000,
    "at signs": "@" * 300_000,
    "digits": "9" * 1_000_000,
    "colons": ":00" * 300_000,
    "brackets": "[" * 300_000,
    "bidi": "\u202e" * 300_000,
    "cyrillic": "ж" * 300_000,
    "xn": "xn--" * 100_000,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_no_text_takes_long(text: str) -> None:
    headers = {name: [text] for name in ("from", "to", "subject", "reply-to", "message-id")}
    mail = as_bytes(
        message(
            sender=text, recipients=[text], ip=text, qid=text, ts=text,
            parts=[part(text, urls=[text])],
            **{"msg.header": headers, "msg.normalizedHeader": {}, "msg.parsedAddresses": {}},
        )
    )  # fmt: skip
    line = as_bytes(maillog_to(to=text, relay=text, stat=text, dsn=text, delay=text, data=text))
    bare = as_bytes({"id": "1", "data": text, "ts": text})
    for kind, raw in (("message", mail), ("maillog", line), ("maillog", bare)):
        with quick(2.0):
            found = content.read(kind, raw, 5)
            value = content.document(raw).value
            content.summary(kind, value, found)
            content.values(kind, value, "recipient.domain")
        assert found.kind == kind
        assert_sound(found)


def test_the_clean_view_is_bounded_and_keeps_what_is_small() -> None:
    record = message(recipients=[f"u{n}@x.example" for n in range(60_000)], **{"zz.last": "kept"})
    found = content.document(as_bytes(record))

    assert found.cut
    assert found.value["zz"]["last"] == "kept"
    assert found.value["filter"]["modules"]["spam"]["scores"]["overall"] == 2
    assert count(found.value) <= limits.JSON_KEYS
    assert not content.document(as_bytes(message())).cut


def test_the_clean_view_is_cut_at_its_limit_exactly() -> None:
    for items, cut in ((limits.JSON_KEYS - 1, False), (limits.JSON_KEYS, True)):
        found = content.document(as_bytes({"list": list(range(100_000, 100_000 + items))}))
        assert (found.cut, count(found.value)) == (cut, limits.JSON_KEYS)


def count(value: Any) -> int:
    if isinstance(value, dict):
        return len(value) + sum(count(member) for member in value.values())
    return len(value) + sum(count(item) for item in value) if isinstance(value, list) else 0


@settings(max_examples=50, deadline=None)
@given(ANY_JSON)
def test_the_clean_view_is_the_record_itself_where_nothing_is_wrong(value: Any) -> None:
    text = json.dumps(value, allow_nan=False) if finite(value) else "null"
    if "\\ud" not in text and "\\u0000" not in text:
        found = content.document(text.encode())
        assert (found.value, found.repaired, found.cut, found.problem) == (json.loads(text), False, False, "")


def finite(value: Any) -> bool:
    try:
        json.dumps(value, allow_nan=False)
    except ValueError:
        return False
    return True


def test_a_huge_record_of_many_brackets_is_judged_in_time() -> None:
    for body in (b"[],", b'"[",', b'{"a":{}},', b"[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]],"):
        raw = b'{"x":[' + body * (8_000_000 // len(body)) + b"0]}"
        with quick(6.0):
            assert content.read("message", raw, 5).kind == "message"
