"""Completion, colours, the pieces other rooms build queries from, and the table of fields."""

from __future__ import annotations

import pytest

from pod_desktop.query import ALIASES, FIELDS, TOP_KEYS, complete, conjoin, parse, resolve, spans, term
from pod_desktop.query.tree import And, Equals, Not, Term, Words

ARCHITECTURE = (
    "time type tenant connector sender sender.domain header_from header_from.domain recipient recipient.domain subject"
    " outcome disposition rule module folder score ip host helo country direction route qid message_id size"
    " attachment.name attachment.sha256 url spf dkim dmarc virus stat dsn relay mailer delay"
)
SEEN = {"sender": ["bob@x.example", 'o"neil@x.example'], "rule": ["phish", "inbound spam"]}


def offered(text: str, cursor: int | None = None) -> list[str]:
    """The whole text after each completion."""
    at = len(text) if cursor is None else cursor

    def seen(field: str, prefix: str) -> list[str]:
        return [value for value in SEEN.get(field, []) if value.startswith(prefix)]

    return [text[: offer.start] + offer.insert + text[offer.end :] for offer in complete(text, at, seen)]


def test_every_field_of_the_interface_is_there_and_explained() -> None:
    assert set(ARCHITECTURE.split()) <= set(FIELDS)
    for name, field in FIELDS.items():
        assert name == field.name == name.casefold()
        assert field.help.endswith(".") and field.title and field.kinds
        assert (field.type != "choice") or field.choices


def test_aliases_stand_for_fields_and_hide_none() -> None:
    assert all(target in FIELDS for targets in ALIASES.values() for target in targets)
    assert not set(ALIASES) & (set(FIELDS) | set(TOP_KEYS))
    assert all(resolve(key) == (key,) for key in TOP_KEYS)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sen", "sender:"),
        ("a AND sub", "a AND subject:"),
        ("fil", "filter."),
        ("a ", "a AND"),
        ("a o", "a OR"),
        ("type:", "type:message"),
        ("outcome:DEL", "outcome:delivered"),
        ("type:(message OR mail", "type:(message OR maillog"),
        ("sender:b", "sender:bob@x.example"),
        ("sender:o", 'sender:"o\\"neil@x.example"'),
        ("rule:", 'rule:"inbound spam"'),
        ('rule:"inb', 'rule:"inbound spam"'),
        ("from:b", "from:bob@x.example"),
        ("score:", "score:>="),
        ("time:", "time:>=now-15m"),
        ("time:>=", "time:>=now-15m"),
        ("time:[", "time:[now-15m"),
        ("_exi", "_exists_:"),
        ("_exists_:sub", "_exists_:subject"),
        ("", "time:"),
        ("(", "(time:"),
        ("NOT send", "NOT sender:"),
    ],
)
def test_completion_offers(text: str, expected: str) -> None:
    assert expected in offered(text)


def test_completion_replaces_the_piece_the_cursor_is_in() -> None:
    assert "sender:x" in offered("send:x", 3)
    assert "sender:bob@x.example AND y" in offered("sender:b AND y", 8)
    assert 'rule:"inbound spam" AND y' in offered('rule:"inb" AND y', 9)


def test_completion_offers_nothing_inside_a_phrase() -> None:
    assert offered('"sen') == []


def test_every_offer_of_a_value_is_a_good_query() -> None:
    for text in ("sender:", "rule:", "type:", "outcome:", "time:", "stat:"):
        for query in offered(text):
            assert parse(query, 10**15)


def roles(text: str) -> list[tuple[str, str]]:
    return [(text[start:end], role) for start, end, role in spans(text)]


def test_colours_show_the_parts_of_a_query() -> None:
    assert roles('sender:a@b and score:>=40 "x y"') == [
        ("sender", "field"),
        (":", "operator"),
        ("a@b", "string"),
        ("and", "keyword"),
        ("score", "field"),
        (":", "operator"),
        (">=", "operator"),
        ("40", "number"),
        ('"x y"', "string"),
    ]


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("sendr:x", "sendr"),
        ('a "open', '"open'),
        ("(a", "("),
        ("a)", ")"),
        ("a~2", "a~2"),
        ("sm.to:/dev/null", "/dev/null"),
    ],
)
def test_colours_show_what_is_wrong(text: str, wrong: str) -> None:
    assert (wrong, "error") in roles(text)


@pytest.mark.parametrize(
    ("field", "value", "query"),
    [
        ("sender", "a+b=c@x.example", "sender:a+b=c@x.example"),
        ("subject", "Your invoice", 'subject:"Your invoice"'),
        ("subject", "pay\u202elapyap.exe", 'subject:"pay\\u{202e}lapyap.exe"'),
        ("mailer", "*file*", 'mailer:"*file*"'),
        ("recipient", "/dev/null", 'recipient:"/dev/null"'),
        ("rule", 'a") OR *:* OR ("', 'rule:"a\\") OR *:* OR (\\""'),
        ("country", "OR", 'country:"OR"'),
        ("score", "42", "score:42"),
        ("a.b c:d", "x", "a.b\\ c\\:d:x"),
        ("sender", "", 'sender:""'),
    ],
)
def test_a_value_becomes_a_query_of_its_own(field: str, value: str, query: str) -> None:
    assert term(field, value) == query


def test_a_hostile_value_stays_a_value() -> None:
    value = 'a") OR *:* OR ("\\'
    assert parse(term("rule", value), 0) == Term("rule", Equals(value))
    assert parse(term("subject", value), 0) == Term("subject", Words(value, True))


@pytest.mark.parametrize(
    ("text", "more", "negate", "query"),
    [
        ("", "a", False, "a"),
        ("  ", "a", True, "NOT a"),
        ("a", "b", False, "a AND b"),
        ("a OR b", "c", False, "(a OR b) AND c"),
        ("a", "b OR c", False, "a AND (b OR c)"),
        ("a (b OR c)", "d", False, "a (b OR c) AND d"),
        ("a", "b c", True, "a AND NOT (b c)"),
        ("a", "sender:x@y", True, "a AND NOT sender:x@y"),
        ("*", "a", False, "a"),
        ("a", "", False, "a"),
        ('"x or y"', "a", False, '"x or y" AND a'),
    ],
)
def test_queries_are_conjoined_with_no_more_parentheses_than_needed(
    text: str, more: str, negate: bool, query: str
) -> None:
    assert conjoin(text, more, negate=negate) == query


def test_exclude_this_excludes() -> None:
    query = conjoin("type:message", term("sender", "a@b"), negate=True)
    assert parse(query, 0) == And((Term("type", Equals("message")), Not(Term("sender", Equals("a@b")))))
