"""The door: any record, of any release, to columns."""

from __future__ import annotations

import pytest

from builders import MISSING, NOW, as_bytes, audit, maillog_from, maillog_to, message, part, real
from pod_desktop import content
from pod_desktop.core import limits
from pod_desktop.core.record import (
    FLAG_HIDDEN_CHARACTERS,
    FLAG_NO_ID,
    FLAG_REPAIRED,
    FLAG_TIME_GUESSED,
    FLAG_TRUNCATED,
    Columns,
)

ARRIVED = 1_700_000_000_000_000


def read(record: object, kind: str = "message") -> Columns:
    return content.read(kind, record if isinstance(record, bytes) else as_bytes(record), ARRIVED)


def test_a_real_message_reads_as_it_is() -> None:
    found = read(real("message")[0])

    assert found.rid == "rkuzwIede_tYDQ-P7qUoNlwm6Hz3u1R5"
    assert found.time == 1_661_473_521_071_953
    assert found.cluster == "proofpointdemo_cloudadminuidemo_hosted"
    assert found.qid == "27Q0O7ss000303"
    assert found.message_id == "1C30CBDA666538428B33679A1FB67AFDBA380B@mail.example.edu"
    assert found.sender == "kpereira@cloudadminuidemo.com"
    assert found.header_from == "jane.doe@example.edu"
    assert found.recipients == ("amartinez@thopedia.com",)
    assert found.subject == "[wmoms] ctts"
    assert (found.ip, found.country, found.direction) == ("66.218.66.103", "us", "outbound")
    assert (found.outcome, found.disposition) == ("delivered", "continue")
    assert (found.rule, found.module, found.folder) == ("clean", "av", "")
    assert (found.score, found.size, found.flags) == (0, 4_857, 0)
    assert "3b9778951a276e13059b1d2254cc93ab9744b6e71081c29918ba20ccaa80db9d" in found.text
    assert "http://docs.yahoo.com/info/terms/" in found.text.splitlines()


def test_an_accepted_message_with_a_copy_for_audit_is_delivered() -> None:
    found = read(real("message")[1])

    assert (found.outcome, found.folder, found.score) == ("delivered", "Audit", None)
    assert found.cluster == "pphosted_prodmgt_hosted"


def test_a_line_that_drops_a_message_is_discarded() -> None:
    found = read(real("maillog")[0], "maillog")

    assert found.rid == "41K7tSNsqcyiZCuOX1wmnQ"
    assert (found.outcome, found.stat, found.recipients) == ("discarded", "Sent", ("/dev/null",))
    assert found.subject == "Sent · to /dev/null"
    assert "jcarpenter@bobsbank.ca" in found.text


@pytest.mark.parametrize(
    ("disposition", "quarantine", "action", "outcome"),
    [
        ("accept", {}, "accept", "delivered"),
        ("continue", {}, "continue", "delivered"),
        ("Continue", {}, "continue", "delivered"),
        ("discard", {}, "discard", "discarded"),
        ("reject", {}, "reject", "rejected"),
        ("retry", {}, "retry", "deferred"),
        ("", {}, "", "other"),
        ("something new", {}, "", "other"),
        ("discard", {"folder": "Phish", "rule": "phish"}, "discard", "quarantined"),
        ("discard", {"folder": "Quarantine", "rule": ""}, "discard", "quarantined"),
        ("reject", {"folder": "Virus", "rule": "virus"}, "reject", "quarantined"),
        ("continue", {"folder": "Spam", "rule": "spam_definite"}, "continue", "quarantined"),
        ("accept", {"folder": "Audit", "rule": ""}, "accept", "delivered"),
        ("continue", {"folder": "Bulk", "rule": "audit"}, "continue", "delivered"),
        ("continue", {"folder": "Audit", "rule": "audit"}, "quarantine", "quarantined"),
        ("discard", {}, "quarantine", "quarantined"),
        ("quarantine", {}, "", "quarantined"),
    ],
)
def test_the_outcome_of_a_message(disposition: str, quarantine: dict, action: str, outcome: str) -> None:
    record = message(
        **{
            "filter.disposition": disposition,
            "filter.quarantine": quarantine,
            "filter.actions": [{"action": action, "isFinal": True, "rule": "r", "module": "m"}],
        }
    )

    assert read(record).outcome == outcome


@pytest.mark.parametrize(
    ("stat", "dsn", "outcome", "keyword"),
    [
        ("Sent", "2.0.0", "delivered", "Sent"),
        ("Sent (Ok: queued)", "2.0.0", "delivered", "Sent"),
        ("Deferred: 451 4.7.1 Greylisted", "4.7.1", "deferred", "Deferred"),
        ("Deferred", "", "deferred", "Deferred"),
        ("Deferred (host unreachable: x)", "4.0.0", "deferred", "Deferred"),
        ("User unknown", "5.1.1", "bounced", "User unknown"),
        ("User unknown", "", "bounced", "User unknown"),
        ("Service unavailable", "5.0.0", "bounced", "Service unavailable"),
        ("Host unknown (Name server: x.example: host not found)", "5.1.2", "bounced", "Host unknown"),
        ("Insufficient system storage", "4.3.1", "deferred", "Insufficient system storage"),
        ("something else", "5.7.1", "bounced", "something else"),
        ("queued", "2.0.0", "other", "queued"),
        ("", "", "other", ""),
    ],
)
def test_the_outcome_of_a_to_line(stat: str, dsn: str, outcome: str, keyword: str) -> None:
    found = read(maillog_to(stat=stat, dsn=dsn), "maillog")

    assert (found.outcome, found.stat) == (outcome, keyword)


def test_a_refused_recipient_is_rejected() -> None:
    record = maillog_to(
        **{
            "sm": {
                "qid": "4Tk",
                "ruleset": "check_rcpt",
                "arg1": "<x@acme.example>",
                "relay": "evil [192.0.2.1]",
                "reject": "550 5.7.1 Relaying denied",
            },
            "data": "2026-11-24T02:41:07-07:00 m sendmail[1]: 4Tk: ruleset=check_rcpt, reject=550 5.7.1",
        }
    )

    assert read(record, "maillog").outcome == "rejected"


def test_lines_of_the_mail_log_read_as_one_line() -> None:
    sent = read(
        maillog_to(to=["<a@acme.example>", "b@acme.example"], stat="Deferred: 451 4.7.1 Greylisted"),
        "maillog",
    )
    taken = read(maillog_from(size=1557, nrcpts=2), "maillog")
    other = read(
        maillog_to(sm=MISSING, data="2026-11-24T02:41:07.4-07:00 m0000123 sendmail[22003]: STARTTLS, done"),
        "maillog",
    )

    assert sent.subject == (
        "Deferred · to a@acme.example +1 · relay=mx1.acme.example. [192.0.2.41] · 451 4.7.1 Greylisted"
    )
    assert (sent.recipients, sent.ip) == (("a@acme.example", "b@acme.example"), "")
    assert taken.subject == (
        "from=<billing@supplier.example>, size=1557, nrcpts=2, relay=m0000123.ppops.net [127.0.0.1]"
    )
    assert (taken.sender, taken.size) == ("billing@supplier.example", 1_557)
    assert taken.message_id == "1.2@mail.supplier.example"
    assert other.subject == "STARTTLS, done"


def test_recipients_in_one_text_are_told_apart() -> None:
    found = read(maillog_to(to='<a@x.example>,<b@x.example>, "c,d"@x.example'), "maillog")

    assert found.recipients == ("a@x.example", "b@x.example", '"c,d"@x.example')


def test_a_line_without_sm_is_read_from_its_text() -> None:
    whole = maillog_to(stat="Deferred: 451 4.7.1 Greylisted", dsn="4.7.1")
    bare = {name: member for name, member in whole.items() if name != "sm"}

    with_sm, without = read(whole, "maillog"), read(bare, "maillog")

    assert without == with_sm._replace(text=without.text)


def test_an_ipv6_relay_gives_its_address() -> None:
    assert read(maillog_from(relay="a.example. [IPv6:2a02:cf40::1]"), "maillog").ip == "2a02:cf40::1"


def test_an_audit_record_says_who_did_what() -> None:
    found = read(audit(), "audit")

    assert found.subject == "admin@acme.example · edit default_inbound policy_routes · from 203.0.113.9"
    assert (found.sender, found.outcome, found.ip) == ("", "other", "203.0.113.9")
    assert "policyRoutes" in found.text.splitlines()


def test_an_audit_record_of_a_service_is_read() -> None:
    record = audit(
        **{"audit.user": MISSING, "audit.service": {"id": "svc-1", "cid": "c", "ipAddress": "192.0.2.9"}}
    )

    assert read(record, "audit").subject == "svc-1 · edit default_inbound policy_routes · from 192.0.2.9"


def test_older_releases_name_the_cluster_in_pps() -> None:
    old = message(
        metadata=MISSING,
        pps={"agent": "m.ppops.net", "cid": "old_hosted", "version": "8.14"},
        **{"envelope.fromHashed": "a784@x", "envelope.rcptsHashed": ["a784@x"], "msg.header.toHashed": ["x"]},
    )
    line = maillog_to(metadata=MISSING, tls=MISSING, **{"sm.tls": {"verify": "NONE"}, "sm.pri": 35_342})

    assert read(old).cluster == "old_hosted"
    assert read(line, "maillog").cluster == "acme_hosted"
    assert read(line, "maillog").stat == "Sent"


@pytest.mark.parametrize(
    ("written", "micros"),
    [
        ("2022-08-25T17:06:21.935763-0700", 1_661_472_381_935_763),
        ("2022-08-25T17:06:21.935763-07:00", 1_661_472_381_935_763),
        ("2022-08-25T17:06:21-0700", 1_661_472_381_000_000),
        ("2022-08-26T00:06:21.935763Z", 1_661_472_381_935_763),
        ("2022-08-26T00:06:21.935", 1_661_472_381_935_000),
        ("2022-08-26 00:06:21", 1_661_472_381_000_000),
        ("2022-08-26T05:51:21.935763+0545", 1_661_472_381_935_763),
        (" 2022-08-26T00:06:21Z ", 1_661_472_381_000_000),
        ("1661472381", 1_661_472_381_000_000),
        (1_661_472_381_935, 1_661_472_381_935_000),
    ],
)
def test_times_are_read_in_all_the_ways_they_are_written(written: object, micros: int) -> None:
    found = read(message(ts=written))

    assert (found.time, found.flags) == (micros, 0)


@pytest.mark.parametrize(
    "absurd",
    ["", "yesterday", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "1969-12-31T23:59:59Z",
     "2200-01-01T00:00:00Z", "2022-13-45T99:99:99Z", "9" * 400, None, [], {}, True, -1, 1e300, "nan", "inf"],
)  # fmt: skip
def test_without_a_readable_time_the_arrival_stands_in(absurd: object) -> None:
    found = read(message(ts=absurd))

    assert (found.time, found.flags) == (ARRIVED, FLAG_TIME_GUESSED)


def test_another_time_of_the_record_is_better_than_the_arrival() -> None:
    moment = "2022-08-25T17:06:21.935763-0700"

    assert read(message(ts=MISSING, **{"filter.startTime": moment})).time == 1_661_472_381_935_763
    line = read(maillog_to(ts=MISSING), "maillog")
    assert (line.time, line.flags) == (NOW, 0)


def test_a_record_without_id_gets_one_from_its_bytes() -> None:
    one, other = read(message(guid="")), read(message(guid=MISSING))

    assert one.flags == other.flags == FLAG_NO_ID
    assert len(one.rid) == 32
    assert one.rid != other.rid
    raw = as_bytes(message(guid="  "))
    assert read(raw).rid == read(raw).rid


def test_ids_beyond_64_bits_keep_all_their_digits() -> None:
    assert read(as_bytes(message(guid="X")).replace(b'"X"', b"123456789012345678901234")).rid == (
        "123456789012345678901234"
    )
    long = "9" * 5_000
    assert read(as_bytes(message(guid="X")).replace(b'"X"', long.encode())).kind == "message"


def test_ids_too_long_for_a_column_stay_unique() -> None:
    one, other = read(message(guid="a" * 5_000)), read(message(guid="a" * 5_001))

    assert one.rid != other.rid
    assert len(one.rid) == 32
    assert read(message(guid="a" * 5_000)).rid == one.rid


@pytest.mark.parametrize(
    ("name", "value", "column", "expected"),
    [
        ("filter.mid", "77", "subject", "Invoice 20931 attached"),
        ("filter.pe.rcpts", [{"rcpt": "a@b"}], "subject", "Invoice 20931 attached"),
        ("filter.msgSizeBytes", "4857", "size", 4_857),
        ("filter.msgSizeBytes", 4857.0, "size", 4_857),
        ("filter.msgSizeBytes", -1, "size", 47_804),
        ("filter.msgSizeBytes", 2**70, "size", 47_804),
        ("filter.msgSizeBytes", "many", "size", 47_804),
        ("filter.modules.spam.scores.overall", "98", "score", 98),
        ("filter.modules.spam.scores.overall", 97.6, "score", 97),
        ("filter.modules.spam", None, "score", None),
        ("envelope.rcpts", "a@x.example", "recipients", ("a@x.example",)),
        ("envelope.rcpts", None, "recipients", ()),
        ("envelope.rcpts", [{"address": "a@x.example"}, None, 7], "recipients", ("a@x.example", "7")),
        ("envelope.from", None, "sender", ""),
        ("envelope.from", "<>", "sender", ""),
        ("envelope.from", "<a@x.example>", "sender", "a@x.example"),
        ("envelope", "nonsense", "sender", ""),
        ("envelope", [{"from": "a@x.example"}], "sender", "a@x.example"),
        ("filter.actions", {"rule": "r", "isFinal": "true"}, "rule", "r"),
        ("filter.actions", MISSING, "rule", ""),
        ("filter.actions", [None, 3, {"rule": "r", "isFinal": 1}], "rule", "r"),
        ("connection.ip", None, "ip", ""),
        ("connection.country", "**", "country", ""),
        ("msg", [], "subject", ""),
        ("msgParts", None, "subject", "Invoice 20931 attached"),
        ("msgParts", [{"urls": ["https://x.example"]}], "subject", "Invoice 20931 attached"),
        ("msg.normalizedHeader", {"subject": "plain text"}, "subject", "plain text"),
        ("msg.normalizedHeader", {"subject": [""]}, "subject", "Invoice 20931 attached"),
    ],
)  # fmt: skip
def test_members_of_unusual_types_are_read_as_meant(
    name: str, value: object, column: str, expected: object
) -> None:
    found = read(message(**{name: value}))

    assert found.kind == "message"
    assert getattr(found, column) == expected
    assert not found.flags & FLAG_REPAIRED


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("=?utf-8?B?R3LDvMOfZQ==?=", "Grüße"),
        ("=?UTF-8?Q?Gr=C3=BC=C3=9Fe_aus?=", "Grüße aus"),
        ("=?utf-8?B?R3LDvA==?= =?utf-8?B?w59l?=", "Grüße"),
        ("=?utf-8?B?R3LD?=\r\n =?utf-8?B?vMOfZQ==?=", "Grüße"),
        ("Re: =?iso-8859-1?Q?caf=E9?= today", "Re: café today"),
        ("=?x-unknown?Q?caf=C3=A9?=", "café"),
        ("=?utf-8?B?R3LDvMOfZQ?=", "Grüße"),
        ("=?utf-8?B?!!!!?=", ""),
        ("=?utf-8?Q?=FF=FE?=", "\ufffd\ufffd"),
        ("=?utf-8?Q?a=00b?=", "a\ufffdb"),
        ("=?idna?Q?abc?=", "abc"),
        ("=?utf-8*en?Q?abc?=", "abc"),
        ("=?gb2312?B?xOO6ww==?=", "你好"),
        ("=?utf-8?Q?unfinished", "=?utf-8?Q?unfinished"),
        ("folded\r\n\tline", "folded line"),
        ("a =? b ?= c", "a =? b ?= c"),
    ],
)
def test_raw_headers_are_decoded(written: str, expected: str) -> None:
    found = read(message(**{"msg.normalizedHeader": {}, "msg.header.subject": [written]}))

    assert found.subject == expected


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("a@x.example", "a@x.example"),
        ("Ann <a@x.example>", "a@x.example"),
        ('"Bank <fake@bank.example>" <b@else.example>', "b@else.example"),
        ("Bank <fake@bank.example> <b@else.example>", "b@else.example"),
        ("=?utf-8?Q?=3Cfake@bank.example=3E?= <b@else.example>", "b@else.example"),
        ("root@m.example (Cron Daemon)", "root@m.example"),
        ('"john doe"@x.example', '"john doe"@x.example'),
        ("A <a@x.example>, B <b@x.example>", "a@x.example"),
        ("Ann\r\n <a@x.example>", "a@x.example"),
        ("nobody", ""),
        ("", ""),
        ("<>", ""),
    ],
)
def test_the_author_is_the_address_of_the_from_header(written: str, address: str) -> None:
    record = message(**{"msg.parsedAddresses": {}, "msg.normalizedHeader": {}, "msg.header.from": [written]})

    assert read(record).header_from == address


@pytest.mark.parametrize(
    ("change", "marked"),
    [
        ((b"attached", b"attach\xff\xfeed"), "Invoice 20931 attach\ufffd\ufffded"),
        ((b"attached", b"attach\\ud800ed"), "Invoice 20931 attach\ufffded"),
        ((b"attached", b"attach\\u0000ed"), "Invoice 20931 attach\ufffded"),
        ((b"attached", b"attach\x00ed"), "Invoice 20931 attach\ufffded"),
        ((b"attached", b"attach\xed\xa0\x80ed"), "Invoice 20931 attach\ufffd\ufffd\ufffded"),
    ],
)
def test_what_is_no_text_is_replaced_and_said(change: tuple[bytes, bytes], marked: str) -> None:
    raw = as_bytes(message()).replace(*change)
    found = read(raw)

    assert found.subject == marked
    assert found.flags == FLAG_REPAIRED
    assert content.document(raw).repaired


def test_repairs_are_said_where_no_column_looks() -> None:
    for wrong in (b"\xff", b"\\ud800", b"\\u0000"):
        raw = as_bytes(message(unknown={"deep": "X-X"})).replace(b"X-X", wrong)
        assert read(raw).flags == FLAG_REPAIRED
        assert content.document(raw).repaired


@pytest.mark.parametrize("odd", [b"NaN", b"-Infinity", b"1e400", b"9" * 30, b"9" * 9_000, b"-0", b"1E-400"])
def test_odd_numbers_do_not_cost_the_record(odd: bytes) -> None:
    for place in ("filter.durationSecs", "filter.msgSizeBytes"):
        raw = as_bytes(message(**{place: "ODD"})).replace(b'"ODD"', odd)
        assert read(raw).subject == "Invoice 20931 attached"
        assert content.document(raw).problem == ""


def test_of_duplicate_members_the_last_counts() -> None:
    raw = as_bytes(message())[:-1] + b',"guid":7,"guid":"last","ts":{},"envelope":{"from":"last@x.example"}}'

    found = read(raw)

    assert (found.rid, found.sender, found.flags) == ("last", "last@x.example", FLAG_TIME_GUESSED)
    assert content.document(raw).value["guid"] == "last"


@pytest.mark.parametrize("around", [(b"", b"\n"), (b"", b"\r\n"), (b" \n", b"  "), (b"\xef\xbb\xbf", b"\n")])
def test_white_space_and_a_byte_order_mark_are_fine(around: tuple[bytes, bytes]) -> None:
    plain = as_bytes(message(guid="same"))

    assert read(around[0] + plain + around[1]) == read(plain)


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"", "It is empty."),
        (b" \n", "It is empty."),
        (b"not json", "It is no JSON: expecting value at character 1 of 8."),
        (b'{"guid":"a"', "It is no JSON: it breaks off after 11 characters, expecting ',' delimiter."),
        (b'{"guid":"a"} x', "It is no JSON: extra data at character 14 of 14."),
        (b"[1,2]", "It is JSON, but a list and not an object."),
        (b"null", "It is JSON, but null and not an object."),
        (b"12", "It is JSON, but a number and not an object."),
        (b'"text"', "It is JSON, but a text and not an object."),
        (b"\xff\xfe\x00", "It is no JSON: expecting value at character 1 of 3."),
    ],
)
@pytest.mark.parametrize("kind", ["message", "maillog", "audit", "unheard-of"])
def test_bytes_that_are_no_record_are_kept_and_say_why(raw: bytes, why: str, kind: str) -> None:
    found = content.read(kind, raw, ARRIVED)

    assert (found.kind, found.subject) == ("unreadable", why)
    assert found.time == ARRIVED
    assert len(found.rid) == 32
    assert found.outcome == "other"


def test_the_text_of_an_unreadable_record_is_printable() -> None:
    assert content.read("message", b"\x1b[31mnot json\xff", ARRIVED).text == "\\x1b[31mnot json\\xff"


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'[{"a":'])
def test_nesting_is_taken_to_the_limit_and_no_deeper(opening: bytes) -> None:
    levels = opening.count(b"[") + opening.count(b"{")
    closing = b"".join(b"]" if char == ord("[") else b"}" for char in reversed(opening.replace(b'"a":', b"")))

    def nested(depth: int) -> bytes:  # the record itself is one level
        times, rest = divmod(depth - 1, levels)
        inner = b"[" * rest + b"1" + b"]" * rest
        return as_bytes(message())[:-1] + b',"x":' + opening * times + inner + closing * times + b"}"

    for depth in (limits.JSON_DEPTH - 1, limits.JSON_DEPTH):
        assert read(nested(depth)).kind == "message"
        assert content.document(nested(depth)).problem == ""
    for depth in (limits.JSON_DEPTH + 1, 1_000, 5_000, 200_000):
        found = read(nested(depth))
        assert (found.kind, found.subject) == ("unreadable", "It nests deeper than 64 levels.")
        assert content.document(nested(depth)).problem == "It nests deeper than 64 levels."


def test_brackets_in_texts_are_no_nesting() -> None:
    for inside in ("[" * 500, "{" * 500, '\\"' + "[" * 500 + '"', "]" * 500 + "[" * 500, "\\" + "[" * 70):
        assert read(message(subject=inside)).subject == inside


def test_brackets_in_texts_do_not_hide_nesting() -> None:
    deep = b'["]",' * 100 + b"1" + b"]" * 100
    found = read(as_bytes(message())[:-1] + b',"x":' + deep + b"}")

    assert found.kind == "unreadable"


def test_unclosed_nesting_is_no_crash() -> None:
    for raw in (b"[" * 1_000_000, b'{"a":' * 300_000, b"]" * 1_000_000, b'"' * 1_000_001, b"[]" * 500_000):
        assert read(raw).kind == "unreadable"


def test_columns_are_cut_at_their_limit_and_say_so() -> None:
    for length, flags in (
        (limits.COLUMN_CHARS - 1, 0),
        (limits.COLUMN_CHARS, 0),
        (limits.COLUMN_CHARS + 1, FLAG_TRUNCATED),
    ):
        found = read(message(subject="s" * length))
        assert len(found.subject) == min(length, limits.COLUMN_CHARS)
        assert found.flags == flags


def test_recipients_are_counted_to_their_limit() -> None:
    for count, flags in ((999, 0), (1_000, 0), (1_001, FLAG_TRUNCATED)):
        found = read(message(recipients=[f"u{n}@x.example" for n in range(count)], **{"msg": {}}))
        assert len(found.recipients) == min(count, limits.RECIPIENTS)
        assert found.flags == flags


def test_the_search_text_is_cut_field_by_field() -> None:
    urls = [f"https://x.example/{n:08d}" for n in range(2_000)]
    found = read(message(parts=[part(urls=urls)], rule="needle"))

    assert "needle" in found.text.splitlines()
    assert limits.TEXT_FIELD_CHARS < len(found.text) <= limits.TEXT_CHARS
    assert found.flags & FLAG_TRUNCATED


def test_a_huge_record_is_read_and_bounded() -> None:
    big = message(
        subject="s" * 8_000_000,
        recipients=["r" * 5_000 + "@x"] * 1_100,
        parts=[part(urls=["u" * 99] * 9_000)],
    )
    found = read(big)

    assert found.kind == "message"
    assert found.flags == FLAG_TRUNCATED
    assert len(found.text) <= limits.TEXT_CHARS
    assert max(map(len, found.recipients)) <= limits.COLUMN_CHARS


@pytest.mark.parametrize(
    "changes",
    [{"subject": "pay\u202epal"}, {"sender": "a\u200b@x.example"}, {"recipients": ["\u2066a@x"]},
     {"header_from": "a\u00ad@x.example"}],
)  # fmt: skip
def test_hidden_characters_are_said(changes: dict) -> None:
    assert read(message(**changes)).flags == FLAG_HIDDEN_CHARACTERS


def test_names_of_body_parts_are_no_attachments() -> None:
    found = read(message(parts=[part("text.html", urls=()), part("invoice.pdf")]))

    assert "invoice.pdf" in found.text.splitlines()
    assert "text.html" not in found.text


@pytest.mark.parametrize(
    ("record", "kind"),
    [
        (message(), "message"),
        ({"guid": "x", "ts": "2026-01-01"}, "message"),
        ({"envelope": {}}, "message"),
        (maillog_to(), "maillog"),
        ({"data": "line", "id": "1"}, "maillog"),
        ({"data": "line"}, "maillog"),
        ({"id": "1", "ts": "2026-01-01"}, "maillog"),
        ({"id": "1", "tls": {}}, "maillog"),
        ({"id": "1"}, "unreadable"),
        ({"id": 7, "name": "a user of something else", "type": "message"}, "unreadable"),
        (audit(), "audit"),
        ({"foo": 1}, "unreadable"),
        ([], "unreadable"),
    ],
)
def test_the_type_of_a_record_is_recognised(record: object, kind: str) -> None:
    raw = as_bytes(record)

    assert content.sniff(raw) == kind
    assert content.sniff(b"\xef\xbb\xbf" + raw + b"\n") == kind


def test_what_is_no_json_is_no_known_type() -> None:
    for raw in (b"", b"x", b"\xff", b"[" * 100_000):
        assert content.sniff(raw) == "unreadable"


def test_our_own_export_holds_the_record_as_it_was() -> None:
    raw = as_bytes(message()).replace(b":", b" : ", 3)
    line = (
        b'{"id":"message:g","time":"2026-11-24T00:00:00Z","type":"message","sender":"a@b","raw":' + raw + b"}"
    )
    text = as_bytes({"id": "unreadable:5", "type": "unreadable", "raw": "not json"})

    whole = as_bytes({"id": "unreadable:6", "type": "unreadable", "raw": "\ufffdx", "raw_base64": "/3g="})

    assert content.unwrap(line) == raw
    assert content.unwrap(text) == b"not json"
    assert content.unwrap(whole) == b"\xffx"


@pytest.mark.parametrize(
    "other",
    [b"", b'"raw"', as_bytes(message(raw={"id": "message:1"})), as_bytes({"id": "message:1", "type": "message"}),
     as_bytes({"id": "x", "type": "message", "raw": {}}), as_bytes({"id": "foo:1", "type": "foo", "raw": {}}),
     b'{"id":"message:1","type":"message","raw":"\\ud800"}',
     as_bytes({"id": "message:1", "type": "message", "raw": {}, "raw_base64": "?"}),
     as_bytes({"id": "message:1", "type": "message", "raw": {}, "raw_base64": "\u00e9"})],
)  # fmt: skip
def test_anything_else_is_not_unwrapped(other: bytes) -> None:
    assert content.unwrap(other) == other
