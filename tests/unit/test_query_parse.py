"""Query text becomes the tree that a person meant, or a fault that says where and what."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from pod_desktop.core.clock import DAY, HOUR, MINUTE, SECOND, from_datetime
from pod_desktop.core.limits import QUERY_CHARS, QUERY_DEPTH, QUERY_REGEXES, QUERY_TERMS, REGEX_CHARS
from pod_desktop.query import QueryFault, parse
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

NOW = from_datetime(datetime(2026, 11, 24, 9, 41, 7, 412345, tzinfo=UTC))
TODAY = from_datetime(datetime(2026, 11, 24, tzinfo=UTC))
A, B, C = Text("a", False), Text("b", False), Text("c", False)


def read(text: str) -> Node:
    return parse(text, NOW)


def refused(text: str) -> QueryFault:
    with pytest.raises(QueryFault) as caught:
        read(text)
    return caught.value


@pytest.mark.parametrize("text", ["", "   ", "*", "*:*", "* AND *", "a OR *", "(*)", "**"])
def test_nothing_and_a_lone_star_mean_everything(text: str) -> None:
    assert read(text) == Everything()


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("a b", And((A, B))),
        ("a AND b", And((A, B))),
        ("a and b", And((A, B))),
        ("a && b", And((A, B))),
        ("a or b", Or((A, B))),
        ("a || b", Or((A, B))),
        ("a b OR c", Or((And((A, B)), C))),
        ("a OR b AND c", Or((A, And((B, C))))),
        ("(a OR b) c", And((Or((A, B)), C))),
        ("a (b c)", And((A, B, C))),
        ("NOT a", Not(A)),
        ("not a b", And((Not(A), B))),
        ("-a", Not(A)),
        ("!a", Not(A)),
        ("+a b", And((A, B))),
        ("a OR NOT b", Or((A, Not(B)))),
        ("NOT(a)", Not(A)),
        ("-(a OR b)", Not(Or((A, B)))),
        ("* a", A),
        ("((((a))))", A),
    ],
)
def test_operators_bind_as_documented(text: str, tree: Node) -> None:
    assert read(text) == tree


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("paypa", Text("paypa", False)),
        ("pay*l", Text("pay*l", False)),
        ('"pay*l now"', Text("pay*l now", True)),
        (r"a\*b", Text("a*b", True)),
        (r"a\ b", Text("a b", False)),
        (r'"a \"b\" c\\d"', Text('a "b" c\\d', True)),
        (r"DOMAIN\user", Text("DOMAIN\\user", False)),
        (r"\u0041ND", Text("AND", False)),
        (r'"x\u{202e}y"', Text("x\u202ey", True)),
        ("[EXTERNAL]", Text("[EXTERNAL]", False)),
        ("bücher@例え.example", Text("bücher@例え.example", False)),
        ("a&&b", Text("a&&b", False)),
        ("to", Text("to", False)),
        ("mid-word+sign", Text("mid-word+sign", False)),
    ],
)
def test_words_without_a_field_are_free_text(text: str, tree: Node) -> None:
    assert read(text) == tree


@pytest.mark.parametrize(
    ("text", "field", "test"),
    [
        ("sender:Bob@x.example", "sender", Equals("Bob@x.example")),
        ("SENDER:a@b", "sender", Equals("a@b")),
        ("sender: a@b", "sender", Equals("a@b")),
        ("sender:<a@b>", "sender", Equals("a@b")),
        ("sender:+a=b@x", "sender", Equals("+a=b@x")),
        ("sender:-a@b", "sender", Equals("-a@b")),
        ("sender:*@bad.example", "sender", Like((ANY, "@bad.example"))),
        ("sender:@bad.example", "sender", Like((ANY, "@bad.example"))),
        ("sender.domain:*.bad.example", "sender.domain", Like((ANY, ".bad.example"))),
        ("sender.domain:@bad.example.", "sender.domain", Equals("bad.example")),
        ("to:a@b", "recipient", Equals("a@b")),
        ("message_id:<x+1/y@z>", "message_id", Equals("x+1/y@z")),
        ('mailer:"*file*"', "mailer", Equals("*file*")),
        (r"mailer:\*file*", "mailer", Like(("*file", ANY))),
        ("dsn:5.?.*", "dsn", Like(("5.", ONE, ".", ANY))),
        ("country:NO", "country", Equals("NO")),
        ("country:OR", "country", Equals("OR")),
        ("subject:invoice", "subject", Words("invoice", False)),
        ("subject:inv*", "subject", Words("inv*", False)),
        ('subject:"Your invoice"', "subject", Words("Your invoice", True)),
        ("subject:🎁*", "subject", Words("🎁*", False)),
        ("url:https://x.example/a?b", "url", Words("https://x.example/a?b", False)),
        ("subject:/re: .*\\/x/", "subject", Regex("re: .*/x")),
        ("rule:/a|b/", "rule", Regex("a|b")),
        ("subject:*", "subject", Exists()),
        ("_exists_:subject", "subject", Exists()),
        ("subject:[* TO *]", "subject", Exists()),
        ("outcome:Delivered", "outcome", Equals("delivered")),
        ("outcome:de*", "outcome", Like(("de", ANY))),
        ("score:40", "score", Equals("40")),
        ("score:>=40", "score", Range(40, None, True, True)),
        ("score:> 40", "score", Range(40, None, False, True)),
        ("score:<-4.5", "score", Range(None, -4.5, True, False)),
        ("score:<=40", "score", Range(None, 40, True, True)),
        ("score:[1 TO 5}", "score", Range(1, 5, True, False)),
        ("score:{1 to 5]", "score", Range(1, 5, False, True)),
        ("score:[* TO 5]", "score", Range(None, 5, True, True)),
        ("score:99999999999999999999", "score", Equals("1e+20")),
        ("score:>9223372036854775807", "score", Range(9223372036854775807, None, False, True)),
        ("score:>9223372036854775808", "score", Range(9.223372036854775808e18, None, False, True)),
        ("size:>10MB", "size", Range(10 << 20, None, False, True)),
        ("size:1.5kb", "size", Equals("1536")),
        ("delay:>5m", "delay", Range(300, None, False, True)),
        ("delay:1+00:00:05", "delay", Equals("86405")),
        ("ip:10.0.0.1", "ip", Equals("10.0.0.1")),
        ("index:message", "type", Equals("message")),
        ("index:MailLog", "type", Equals("maillog")),
        ("index:syslog", "index", Equals("syslog")),
        ("ip:10.1.2.3/8", "ip", Network("10.0.0.0/8")),
        ("ip:2001:DB8:0::1", "ip", Network("2001:db8::1/128")),
        ("ip:2001:db8::/32", "ip", Network("2001:db8::/32")),
        ("ip:::ffff:10.0.0.1", "ip", Equals("10.0.0.1")),
        ("ip:10.0.*", "ip", Like(("10.0.", ANY))),
        ("filter.qid:x", "filter.qid", Equals("x")),
        (
            "filter.modules.spam.scores.classifiers.phish:>50",
            "filter.modules.spam.scores.classifiers.phish",
            Range(50, None, False, True),
        ),
        ("guid:abc", "guid", Equals("abc")),
        ("connection.ip:10.0.0.0/8", "connection.ip", Network("10.0.0.0/8")),
        ('connection.ip:"10.0.0.0/8"', "connection.ip", Equals("10.0.0.0/8")),
        (r"msgParts.metadata.a\ b\:c:1", "msgParts.metadata.a b:c", Equals("1")),
        ("a..b:1", "a..b", Equals("1")),
        ("$.newKey:1", "$.newKey", Equals("1")),
        ("$.filter.qid:1", "filter.qid", Equals("1")),
        ("$.subject:x", "$.subject", Equals("x")),
        ('filter.x:>"50"', "filter.x", Range("50", None, False, True)),
        ("filter.x:[10 TO abc]", "filter.x", Range("10", "abc", True, True)),
        ("flag:hidden", "flag", Equals("hidden")),
    ],
)
def test_a_value_means_what_its_field_says(text: str, field: str, test: object) -> None:
    assert read(text) == Term(field, test)  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ['sender:""', "sender:<>", "NOT _exists_:sender", "-sender:*"])
def test_an_empty_value_asks_for_records_without_the_field(text: str) -> None:
    assert read(text) == Not(Term("sender", Exists()))


def test_from_asks_for_both_senders() -> None:
    either = Or((Term("sender", Equals("a@b")), Term("header_from", Equals("a@b"))))
    assert read("from:a@b") == either
    assert read("NOT from:a@b") == Not(either)


def test_a_record_id_asks_for_its_type_and_id() -> None:
    assert read("id:message:41K7/t+x==") == And(
        (Term("type", Equals("message")), Term("id", Equals("41K7/t+x==")))
    )


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("type:(message OR maillog)", Or((Term("type", Equals("message")), Term("type", Equals("maillog"))))),
        ("subject:(a b)", And((Term("subject", Words("a", False)), Term("subject", Words("b", False))))),
        (
            "score:(>50 <80)",
            And((Term("score", Range(50, None, False, True)), Term("score", Range(None, 80, True, False)))),
        ),
        ("score:([1 TO 2] OR 9)", Or((Term("score", Range(1, 2)), Term("score", Equals("9"))))),
        (
            "recipient:(a@b -c@d)",
            And((Term("recipient", Equals("a@b")), Not(Term("recipient", Equals("c@d"))))),
        ),
        ("ip:(::1 OR 10.0.0.1)", Or((Term("ip", Network("::1/128")), Term("ip", Equals("10.0.0.1"))))),
        (
            "url:(https://a OR http://b)",
            Or((Term("url", Words("https://a", False)), Term("url", Words("http://b", False)))),
        ),
        ("rule:(a OR sender:b)", Or((Term("rule", Equals("a")), Term("sender", Equals("b"))))),
        (
            "rule:(a OR (b AND NOT c))",
            Or((Term("rule", Equals("a")), And((Term("rule", Equals("b")), Not(Term("rule", Equals("c"))))))),
        ),
    ],
)
def test_a_field_holds_for_everything_in_its_parentheses(text: str, tree: Node) -> None:
    assert read(text) == tree


def test_a_range_of_addresses_becomes_its_networks() -> None:
    nets = ("10.0.0.1/32", "10.0.0.2/31", "10.0.0.4/32")
    assert read("ip:[10.0.0.1 TO 10.0.0.5}") == Or(tuple(Term("ip", Network(net)) for net in nets))


# ---- times


@pytest.mark.parametrize(
    ("value", "low", "high"),
    [
        ("2026-11-24", TODAY, TODAY + DAY),
        ("2026-11-24T09", TODAY + 9 * HOUR, TODAY + 10 * HOUR),
        ("2026-11-24T09:41", TODAY + 9 * HOUR + 41 * MINUTE, TODAY + 9 * HOUR + 42 * MINUTE),
        ("2026-11-24T09:41:07Z", NOW - 412345, NOW - 412345 + SECOND),
        ("2026-11-24T09:41:07.412", NOW - 345, NOW + 655),
        ("2026-11-24T09:41:07.412345", NOW, NOW + 1),
        ("2026-11-24T01:41:07-0800", NOW - 412345, NOW - 412345 + SECOND),
        ("2026-11-24T10:41:07+01:00", NOW - 412345, NOW - 412345 + SECOND),
        ('"2026-11-24 09:41"', TODAY + 9 * HOUR + 41 * MINUTE, TODAY + 9 * HOUR + 42 * MINUTE),
        ('"Tue, 24 Nov 2026 10:41:07 +0100"', NOW - 412345, NOW - 412345 + SECOND),
        ("1795513267", NOW - 412345, NOW - 412345 + SECOND),
        ("1795513267412", NOW - 345, NOW + 655),
        ("now/d", TODAY, TODAY + DAY),
        ("now-1d/d", TODAY - DAY, TODAY),
        ("now/w", TODAY - DAY, TODAY + 6 * DAY),
        ("now/M", TODAY - 23 * DAY, TODAY + 7 * DAY),
        ("2026-11-24||-1d/d", TODAY - DAY, TODAY),
    ],
)
def test_a_time_means_all_of_what_is_written(value: str, low: int, high: int) -> None:
    assert read(f"time:{value}") == Term("time", Range(low, high, True, False))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("time:>=now-15m", Range(NOW - 15 * MINUTE, None, True, True)),
        ("ts:>=now-15m", Range(NOW - 15 * MINUTE, None, True, True)),
        ("time:>2026-11-24", Range(TODAY + DAY, None, True, True)),
        ("time:>=2026-11-24", Range(TODAY, None, True, True)),
        ("time:<2026-11-24", Range(None, TODAY, True, False)),
        ("time:<=2026-11-24", Range(None, TODAY + DAY, True, False)),
        ("time:[2026-11-23 TO 2026-11-24]", Range(TODAY - DAY, TODAY + DAY, True, False)),
        ("time:[2026-11-23 TO 2026-11-24}", Range(TODAY - DAY, TODAY, True, False)),
        ("time:[* TO now]", Range(None, NOW + 1, True, False)),
    ],
)
def test_ranges_of_time_take_whole_days_where_days_are_written(text: str, expected: Range) -> None:
    assert read(text) == Term("time", expected)


def test_a_time_without_offset_is_a_time_of_the_zone() -> None:
    zone = timezone(timedelta(hours=-8))
    assert parse("time:2026-11-24", NOW, zone) == Term(
        "time", Range(TODAY + 8 * HOUR, TODAY + 32 * HOUR, True, False)
    )


def test_a_day_of_changing_clocks_is_as_long_as_it_was() -> None:
    tree = parse("time:2026-10-25", NOW, ZoneInfo("Europe/Berlin"))
    assert isinstance(tree, Term) and isinstance(tree.test, Range)
    assert (tree.test.high, tree.test.low) == (
        from_datetime(datetime(2026, 10, 25, 23, tzinfo=UTC)),
        from_datetime(datetime(2026, 10, 24, 22, tzinfo=UTC)),
    )


def test_a_month_ago_ends_with_the_shorter_month() -> None:
    march = from_datetime(datetime(2027, 3, 31, 12, tzinfo=UTC))
    assert parse("time:>=now-1M", march) == Term(
        "time", Range(from_datetime(datetime(2027, 2, 28, 12, tzinfo=UTC)), None, True, True)
    )


# ---- faults


@pytest.mark.parametrize(
    ("text", "column", "length", "hint"),
    [
        ("outcome:delivred", 8, 8, "delivered"),
        ("type:messages", 5, 8, "message"),
        ("outcome:x*", 8, 2, "quarantined"),
        ("x AND sendr:a", 6, 5, "sender"),
        ("sender.domian:x", 0, 13, "sender.domain"),
        ("http://x.example", 0, 4, "quotes"),
        ("score:>abc", 7, 3, "score:>=40"),
        ("score:4*", 6, 2, "score:>=40"),
        ("time:foo", 5, 3, "2026-11-24"),
        ("time:>=7d", 7, 2, "now-7d"),
        ("time:now-5m", 5, 6, "time:>=now-5m"),
        ("time:2026-02-30", 5, 10, "2026-11-24"),
        ("filter.startTime:>now-1d", 18, 6, "time:>=now-1d"),
        ("ip:10.0", 3, 4, "10.0.*"),
        ("ip:10.0.0.0/64", 3, 11, "10.0.0.0/8"),
        ("ip:>10.0.0.0", 3, 1, "10.0.0.0/8"),
        ("outcome:>a", 8, 1, "outcome:(a OR b)"),
        ("score:[5 TO 1]", 6, 8, "lower end first"),
        ("score:{5 TO 5]", 6, 8, "lower end first"),
        ("score:[1 5]", 6, 4, "quotes"),
        ("subject:[EXTERNAL]", 8, 10, "quotes"),
        ("score:[1 TO", 6, 5, "quotes"),
        ("[a TO b]", 0, 2, "field:[low TO high]"),
        ("score>40", 0, 8, "score:>40"),
        ("type=message", 0, 12, "type:message"),
        ("a b)", 3, 1, "\\)"),
        ("a (b", 2, 1, "Add )"),
        ("a ()", 2, 2, "term"),
        ("a AND", 2, 3, "both sides"),
        ("a AND OR b", 2, 3, "both sides"),
        ("OR a", 0, 2, "both sides"),
        ("NOT", 0, 3, "term"),
        ("sender:", 0, 7, "*"),
        ("sender: AND b", 0, 7, "*"),
        ("score:>", 6, 1, ">=40"),
        ('subject:"open', 8, 5, 'Add "'),
        ('a"b c"', 0, 1, "quotes"),
        ('"a"b', 0, 3, '\\"'),
        ("subject:“x”", 8, 3, 'straight'),
        ("subject:/open", 8, 5, "/"),
        ("subject:/a(/", 8, 4, "RE2"),
        ("subject:/(?=a)/", 8, 7, "RE2"),
        ("sm.to:/dev/null", 6, 9, '"/dev/null"'),
        ("/a.*/", 0, 5, "subject:/a.*/"),
        ("score:/4/", 6, 3, "score:[low TO high]"),
        ("foo~", 0, 4, "quotes"),
        ("foo~0.8", 0, 7, "quotes"),
        ("foo^2", 0, 5, "quotes"),
        ('"a b"~3', 0, 5, "Leave it out"),
        ("a\\", 0, 2, "quotes"),
        ("a\\*b*", 0, 5, "?"),
        ("subject:?", 8, 1, "letter"),
        ("a - b", 2, 1, '"-"'),
        ("type:(message maillog)", 14, 7, "a OR b"),
        ("index:messages", 6, 8, "type:message"),
        ("index:other", 6, 5, "All are in Syslog"),
        ("index:other*", 6, 6, "All are in Syslog"),
        ("_exists_:foo", 9, 3, "$.foo"),
        ("_exists_:sub*", 9, 4, "_exists_:subject"),
        ("\u200esender:x", 0, 8, ""),
        ("a \ud800", 2, 1, "Delete"),
    ],
)  # fmt: skip
def test_a_fault_says_where_and_what_would_work(text: str, column: int, length: int, hint: str) -> None:
    fault = refused(text)
    assert (fault.column, fault.length) == (column, length)
    assert hint in fault.hint
    assert fault.what and fault.where == f"column {column + 1}"


def test_a_fault_spells_invisible_characters_out() -> None:
    assert "\\u{202e}" in refused("\u202esender:x").what
    assert "\u202e" not in str(refused("score:\u202e4"))


def test_limits_hold_at_their_edges() -> None:
    assert read("a" * QUERY_CHARS) == Text("a" * QUERY_CHARS, False)
    assert refused("a" * (QUERY_CHARS + 1)).column == QUERY_CHARS
    assert read("(" * QUERY_DEPTH + "a" + ")" * QUERY_DEPTH) == A
    assert refused("(" * (QUERY_DEPTH + 1) + "a" + ")" * (QUERY_DEPTH + 1)).column == QUERY_DEPTH
    assert refused("-" + "NOT " * QUERY_DEPTH + "a").column == 1 + 4 * (QUERY_DEPTH - 1)
    assert read(f"subject:/{'a' * REGEX_CHARS}/") == Term("subject", Regex("a" * REGEX_CHARS))
    assert refused(f"subject:/{'a' * (REGEX_CHARS + 1)}/").column == 8


@pytest.mark.parametrize(
    ("form", "most"),
    [
        ("w{}", QUERY_TERMS),
        ("size:>{}", QUERY_TERMS),
        ("sender:*{}*", QUERY_TERMS),
        ("url:/{}/", QUERY_REGEXES),
    ],
)
def test_a_query_takes_so_many_different_terms_and_no_more(form: str, most: int) -> None:
    terms = [form.format(number) for number in range(most + 1)]
    whole = " OR ".join(terms[:most])
    assert isinstance(read(whole), Or)
    assert read(f"{whole} OR {terms[0]}") == read(whole)
    fault = refused(f"{whole} OR {terms[most]}")
    assert fault.column >= len(whole) + 4
    assert f"{most:,}" in fault.what and fault.hint


def test_whole_values_may_be_as_many_as_fit() -> None:
    found = read(f"sender:({' OR '.join(f'a{number}@b.example' for number in range(4_000))})")
    assert isinstance(found, Or) and len(found.parts) == 4_000


def test_a_term_said_again_is_one_term() -> None:
    assert read("a " * 50_000) == A
    assert read("a OR a OR b") == Or((A, B))
    assert read("a AND (a AND b)") == And((A, B))


HOSTILE = (
    "(" * 99_999,
    "-" * 99_999,
    '"' * 99_999,
    "\\" * 99_999,
    "*" * 99_999,
    "a* " * 33_000,
    "rule:(" + "< " * 49_000,
    "a.b:/" * 19_000,
    "rule:[b " * 12_000,
    "score:" + "9" * 99_000,
    "time:now" + "-1d" * 33_000,
    "sender:" + "<" * 99_000,
    "sender:" + "<" * 49_000 + ">" * 49_000,
    " OR ".join(f"sender:u{i}@x.example" for i in range(3_700)),
    "subject:/" + "(" * 900 + "/",
    "a" + " AND" * 24_000,
)


@pytest.mark.timeout(20)
@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_long_hostile_queries_are_answered(text: str) -> None:
    column = 0
    try:
        read(text)
    except QueryFault as fault:
        column = fault.column
    assert 0 <= column <= len(text)


def test_regular_expressions_that_explode_elsewhere_are_refused_or_linear() -> None:
    assert "not valid" in refused("subject:/((a{100}){100}){100}/").what
    assert read("subject:/(a+)+$/") == Term("subject", Regex("(a+)+$"))


def test_threads_do_not_meet_in_the_parser() -> None:
    texts = [f"sender:u{i}@x.example AND (score:>{i} OR subject:w{i})" for i in range(40)]
    alone = [read(text) for text in texts]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(read, texts * 5)) == alone * 5
