"""Fields of a record by name and by path; one meaning with the columns."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import NOW, as_bytes, audit, maillog_from, maillog_to, message, part
from pod_desktop import content
from pod_desktop.core import limits
from pod_desktop.core.record import FLAG_NO_ID, FLAG_TIME_GUESSED

SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8),
    st.sampled_from(["a@x.example", "<b@y.example>", "<>", "Sent (Ok)", "Deferred: 451", "2022-08-25T17:06:21Z",
                     "reject", "accept", "=?utf-8?Q?a=00?=", "00:01:02", "[192.0.2.1]", "\ud800", "x" * 5_000]),
)  # fmt: skip
NAMES = st.sampled_from(
    "guid id ts data sm pps cid metadata origin envelope from rcpts filter qid disposition actions rule module "
    "isFinal action quarantine folder routeDirection msgSizeBytes modules spam scores overall av virusNames msg "
    "header normalizedHeader parsedAddresses subject message-id sizeBytes to msgParts urls url labeledName "
    "detectedName sha256 connection ip country host stat dsn relay delay mailer nrcpts msgid audit user email "
    "ipAddress resourceName".split()
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=5),
    max_leaves=25,
)
BUILT = st.sampled_from([message, maillog_from, maillog_to, audit])
KINDS = {message: "message", maillog_from: "maillog", maillog_to: "maillog", audit: "audit"}
COLUMN_OF = {
    "cluster": "cluster", "qid": "qid", "message_id": "message_id", "sender": "sender",
    "header_from": "header_from", "subject": "subject", "ip": "ip", "country": "country", "outcome": "outcome",
    "disposition": "disposition", "stat": "stat", "rule": "rule", "module": "module", "folder": "folder",
    "direction": "direction", "score": "score", "size": "size",
}  # fmt: skip


def assert_agree(kind: str, raw: bytes) -> None:
    """The law: values() of a named field is what read() puts into the column."""
    columns = content.read(kind, raw, 5)
    value = content.document(raw).value
    if columns.kind == "unreadable":
        return
    for field, column in COLUMN_OF.items():
        expected = getattr(columns, column)
        assert content.values(kind, value, field) == (() if expected in ("", None) else (expected,)), field
    assert content.values(kind, value, "recipient") == columns.recipients
    assert content.search_text(kind, value) == columns.text
    if not columns.flags & FLAG_TIME_GUESSED:
        assert content.values(kind, value, "time") == (columns.time,)
    else:
        assert content.values(kind, value, "time") == ()
    if not columns.flags & FLAG_NO_ID:
        assert content.values(kind, value, "id") == (columns.rid,)


@settings(max_examples=150, deadline=None)
@given(BUILT, st.lists(st.tuples(NAMES, NAMES, JSON), max_size=4), st.booleans())
def test_values_and_columns_agree_on_records_of_any_shape(
    build: Any, changes: list[tuple[str, str, Any]], ascii_only: bool
) -> None:
    record = build()
    for parent, name, value in changes:
        place = record.get(parent)
        if isinstance(place, dict):
            place[name] = value
        else:
            record[parent] = value
    raw = json.dumps(record, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    assert_agree(KINDS[build], raw)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(["message", "maillog", "audit"]), st.dictionaries(NAMES, JSON, max_size=6))
def test_values_and_columns_agree_on_arbitrary_objects(kind: str, record: dict[str, Any]) -> None:
    assert_agree(kind, as_bytes(record))


def values(record: dict[str, Any], field: str, kind: str = "message") -> tuple[object, ...]:
    return content.values(kind, content.document(as_bytes(record)).value, field)


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (maillog_from(relay="mail.bad.test [203.0.113.9]"), ("203.0.113.9",)),
        (maillog_from(relay="mail.bad.test [IPv6:2001:db8::9]"), ("2001:db8::9",)),
        (maillog_from(relay="localhost. [127.0.0.1]"), ()),
        (maillog_from(relay="localhost [IPv6:::1]"), ()),
        (maillog_to(relay="mx1.acme.example. [192.0.2.41]"), ()),
        (maillog_to(relay="mx1.acme.example. [192.0.2.41]", stat="Deferred: 451"), ()),
    ],
)
def test_the_address_of_a_mail_log_line_is_where_the_mail_came_from(record, expected) -> None:
    assert content.values("maillog", record, "ip") == expected
    assert content.read("maillog", as_bytes(record), 5).ip == (expected[0] if expected else "")


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("time", (NOW,)),
        ("sender.domain", ("supplier.example",)),
        ("recipient", ("j.meyer@acme.example", "t.ito@beta.example")),
        ("recipient.domain", ("acme.example", "beta.example")),
        ("host", ("mail.supplier.example",)),
        ("helo", ("mail.supplier.example",)),
        ("route", ("default_inbound",)),
        ("attachment.name", ("Statement_0924.html",)),
        ("attachment.sha256", ("3b9778951a276e13059b1d2254cc93ab9744b6e71081c29918ba20ccaa80db9d",)),
        ("url", ("https://paypa1-secure.example/login",)),
        ("spf", ("pass",)),
        ("dkim", ("pass",)),
        ("dmarc", ("pass",)),
        ("virus", ()),
        ("score", (2,)),
        ("size", (48_204,)),
        ("stat", ()),
        ("delay", ()),
        ("user", ()),
        ("filter.modules.spam.scores.classifiers.mlxlog", (-93,)),
        ("filter.durationSecs", (0.169678,)),
        ("filter.actions.rule", ("notspam", "clean")),
        ("filter.actions[1].rule", ("clean",)),
        ("filter.actions[-1].rule", ("clean",)),
        ("filter.actions[9].rule", ()),
        ("filter.actions.isFinal", ("true",)),
        ("msgParts[1].labeledName", ("Statement_0924.html",)),
        ("connection.tls.inbound.version", ("TLSv1.3",)),
        ("no.such.path", ()),
        ("", ()),
        (".", ()),
        ("[", ()),
        ("filter.actions[", ()),
        ("filter.actions[x]", ()),
        ("filter.actions[" + "9" * 50 + "]", ()),
    ],
)
def test_a_field_of_a_message(field: str, expected: tuple[object, ...]) -> None:
    record = message(
        recipients=["j.meyer@acme.example", "t.ito@beta.example"], parts=[part("text.txt", urls=()), part()]
    )

    assert values(record, field) == expected


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("relay", ("mx1.acme.example. [192.0.2.41]",)),
        ("dsn", ("4.7.1",)),
        ("stat", ("Deferred",)),
        ("mailer", ("esmtp",)),
        ("delay", (93_784,)),
        ("sm.pri", ("120812",)),
        ("score", ()),
    ],
)
def test_a_field_of_the_mail_log(field: str, expected: tuple[object, ...]) -> None:
    record = maillog_to(stat="Deferred: 451 4.7.1 Greylisted", dsn="4.7.1", delay="1+02:03:04")

    assert values(record, field, "maillog") == expected


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("00:00:00", (0,)), ("01:02:03", (3_723,)), ("12+00:00:01", (1_036_801,)), ("soon", ())],
)
def test_delays_are_seconds(written: str, seconds: tuple[int, ...]) -> None:
    assert values(maillog_to(delay=written), "delay", "maillog") == seconds


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("action", ("edit",)),
        ("user", ("admin@acme.example", "a7e6abcd-1234-4621-1234-abcdefc3b3e6")),
        ("resource", ("default_inbound", "policy_routes")),
        ("audit.level", ("INFO",)),
        ("audit.tags.value", ("policyRoutes",)),
    ],
)
def test_a_field_of_an_audit_record(field: str, expected: tuple[object, ...]) -> None:
    assert values(audit(), field, "audit") == expected


def test_names_with_dots_brackets_and_blanks_are_reached() -> None:
    record = {
        "a.b": {"c": 1, "c.d": 2},
        "a": {"b": {"c": {"d": 3, "e": 4}}},
        "": {"": 5, "x": 6},
        "list[0]": 7,
        "list": [8, [9]],
        "with blank": {" ": 10},
        "dmarc": [{"emailIdentities": {"smtp.mailfrom": "a@b", "smtp.helo": "h"}}],
        "gone": None,
        "empty": "",
    }
    found = {
        "a.b.c": (1,), "a.b.c.d": (2,), "a.b.c.e": (4,), ".": (5,), ".x": (6,), "list[0]": (7,), "list": (8, 9),
        "list[1]": (9,), "list[1][0]": (9,), "with blank. ": (10,), "dmarc.emailIdentities.smtp.mailfrom": ("a@b",),
        "dmarc[0].emailIdentities.smtp.helo": ("h",), "dmarc.emailIdentities": ("a@b", "h"), "gone": (), "empty": ("",),
    }  # fmt: skip

    assert {field: values(record, field) for field in found} == found


def test_a_path_of_any_length_is_answered() -> None:
    deep: object = "bottom"
    for _ in range(limits.JSON_DEPTH - 2):
        deep = {"a": deep, "a.a": {}}

    assert values({"a": deep}, ".".join("a" * (limits.JSON_DEPTH - 1))) == ("bottom",)
    assert values({"a": deep}, ".".join("a" * (limits.QUERY_CHARS // 2))) == ()
    name = "x." * 300 + "y[0]"
    assert values({name: 1, "x": {name[2:]: 2}}, name) == (1,)
    assert values({"x": {name[2:]: {"z": 2}}}, f"{name}.z") == (2,)
    assert values({}, name) == ()


@given(JSON, st.text(alphabet="ab.[]0-", max_size=12))
def test_no_path_makes_a_lookup_fail(value: Any, field: str) -> None:
    for kind in ("message", "maillog", "audit", "unreadable", "unheard-of"):
        assert isinstance(content.values(kind, value, field), tuple)


def test_every_content_type_has_a_title() -> None:
    assert [content.title(kind) for kind in ("message", "maillog", "audit", "unreadable")] == [
        "Message", "Mail Log", "Audit", "Unreadable",
    ]  # fmt: skip
    assert content.title("unheard-of") == "unheard-of"


def test_a_name_of_another_type_is_no_path() -> None:
    assert values({"stat": "x", "sender": "y"}, "stat") == ()
    assert values({"user": "x"}, "user") == ()
