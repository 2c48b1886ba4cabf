"""What a record offers to actions, and the trap of each value."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import DATA, MISSING, maillog_from, maillog_to, message
from pod_desktop import content, template
from pod_desktop.content import Offer, fillable
from pod_desktop.core.addresses import is_internal, is_loopback, one_off


def offered(kind, record, attribute):
    return [offer for offer in content.offers(kind, record) if offer.attribute == attribute]


def first(kind, record, attribute):
    return offered(kind, record, attribute)[0]


def test_a_message_offers_a_value_for_every_attribute_and_the_domains():
    found = content.offers("message", message(sender="<ann@Bad.test>", **{"envelope.from": "<ann@Bad.test>"}))
    assert {offer.attribute for offer in found} == {"$from", "$hfrom", "$ip", "$host", "$helo", "$rcpt"}
    assert [offer.value for offer in found if offer.attribute == "$from"] == ["ann@Bad.test", "@bad.test"]


def test_a_mail_log_record_offers_its_sender_without_brackets():
    offer = first("maillog", maillog_from(sender="ann@bad.test"), "$from")
    assert (offer.value, offer.expression) == ("ann@bad.test", "{sm.from}")
    assert "filter itself" in first("maillog", maillog_from(), "$ip").trap


def test_a_delivery_line_offers_its_recipients_before_the_server_that_took_the_mail():
    found = content.offers("maillog", maillog_to())
    assert [offer.attribute for offer in found] == ["$rcpt", "$ip", "$host"]
    assert found[0].value == "j.meyer@acme.example" and "names no sender" in found[0].trap
    assert all("server that took the mail" in offer.trap for offer in found[1:])


def test_a_mail_log_record_without_sm_offers_what_its_line_says():
    record = maillog_from(sender="ann@bad.test") | {"sm": MISSING}
    record.pop("sm")
    offer = first("maillog", record, "$from")
    assert template.fill_text(offer.expression, fillable(record)) == offer.value == "ann@bad.test"


@pytest.mark.parametrize(
    "address",
    [
        "bounces+1234567-abcd-jane=acme.example@em.sendgrid.net",
        "0100018bfa31c2d1-6f3a-4a4b@amazonses.com",
        "msprvs1=19sJkAbc=bounces-2@news.test",
        "prvs=0123abcdef=joe@x.test",
        "SRS0=abc=de=ex.com=joe@fwd.test",
        "bounce-17265_HTML-99181@bounce.news.test",
        "b-123456@news.test",
        "a1b2c3d4e5f60718293a4b5c@news.test",
    ],
)
def test_an_address_made_for_one_message_is_recognised(address):
    assert one_off(address)
    trap = first("message", message(sender=address), "$from").trap
    assert "never match again" in trap and "sender domain" in trap


@pytest.mark.parametrize(
    "address",
    ["billing@bad.test", "bounce+17@news.test", "no-reply@accounts.google.com", "", "@", "x", "a=b@c.test"],
)
def test_an_ordinary_address_is_not(address):
    assert not one_off(address)


def test_a_header_sender_is_trusted_with_spf_or_dmarc_only():
    forged = {"filter.modules.spf.result": "fail", "filter.modules.dmarc.filterdResult": "fail"}
    assert "impersonated" in first("message", message(**forged), "$hfrom").trap
    assert "impersonated" in first("message", message(**{"filter.modules": {}}), "$hfrom").trap
    for passed in ("filter.modules.spf.result", "filter.modules.dmarc.filterdResult"):
        assert first("message", message(**(forged | {passed: "pass"})), "$hfrom").trap == ""


def test_the_filter_itself_and_machines_of_ours_are_named():
    for ip in ("127.0.0.1", "[127.0.0.1]", "::1", "::ffff:127.0.0.1", "0.0.0.0"):
        assert "filter itself" in first("message", message(ip=ip), "$ip").trap
    assert "machine of yours" in first("message", message(ip="10.1.2.3"), "$ip").trap
    assert first("message", message(ip="203.0.113.9"), "$ip").trap == ""
    record = message(**{"connection.host": "LOCALHOST.", "connection.helo": "localhost"})
    assert "filter itself" in first("message", record, "$host").trap
    assert is_loopback("127.9.9.9") and not is_loopback("128.0.0.1")
    assert is_internal("fe80::1") and not is_internal("bad.test")


def test_outbound_mail_blocks_oneself_and_says_so():
    record = message(direction="outbound")
    for attribute in ("$from", "$hfrom"):
        assert all("blocks yourself" in offer.trap for offer in offered("message", record, attribute))
    assert "own servers" in first("message", record, "$ip").trap


def test_a_free_mail_domain_and_hidden_characters_are_named():
    assert "anybody" in offered("message", message(sender="x@gmail.com"), "$from")[1].trap
    assert "cannot be seen" in first("message", message(sender="x\u200b@bad.test"), "$from").trap


def test_recipients_and_the_null_sender():
    record = message(sender="", recipients=[f"u{number}@acme.example" for number in range(50)])
    assert offered("message", record, "$from") == []
    assert len(offered("message", record, "$rcpt")) == 20
    assert offered("message", record, "$rcpt")[7].expression == "{envelope.rcpts[7]}"


def test_what_is_no_record_offers_what_its_row_has():
    columns = content.read("message", json.dumps(message(sender="ann@bad.test")).encode(), 1)
    assert content.offers("message", None) == ()
    (offer,) = content.offers("unreadable", None, columns)
    assert offer == Offer("$from", "Envelope sender", "ann@bad.test", "", "ann@bad.test")


@pytest.mark.parametrize("kind", ["message", "maillog"])
def test_published_records_fill_what_they_offer(kind):
    for line in (DATA / f"{kind}.ndjson").read_bytes().splitlines():
        value = content.document(line).value
        found = content.offers(kind, value)
        assert found or value["sm"].get("to")  # a delivery line names no sender
        for offer in found:
            assert template.fill_text(offer.expression, fillable(value)) == offer.value


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
ADDRESS = st.text(max_size=30) | st.sampled_from(["<a@b.test>", "{x}@b.test", "a@b", '"q" <a@b.test>', "<>"])


@given(
    kind=st.sampled_from(["message", "maillog", "audit"]),
    changes=st.dictionaries(
        st.sampled_from(
            ["envelope", "envelope.from", "envelope.rcpts", "connection", "connection.ip", "msg", "filter", "msg.parsedAddresses",
             "sm", "sm.from", "sm.to", "sm.relay", "data"]
        ),
        JSON | ADDRESS | st.lists(ADDRESS, max_size=3),
        max_size=4,
    ),
)  # fmt: skip
def test_whatever_a_record_holds_each_expression_gives_its_value(kind, changes):
    record = message() if kind == "message" else maillog_from()
    for name, value in sorted(changes.items()):
        *parents, last = name.split(".")
        place = record
        for parent in parents:
            if not isinstance(place.get(parent), dict):
                place[parent] = {}
            place = place[parent]
        place[last] = value
    for offer in content.offers(kind, record):
        assert offer.value.strip()
        assert template.fill_text(offer.expression, fillable(record)) == offer.value
