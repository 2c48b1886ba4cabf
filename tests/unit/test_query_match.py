"""What queries find, in the words of an analyst."""

from __future__ import annotations

import pickle
from collections.abc import Sequence

import pytest

from pod_desktop import content
from pod_desktop.query import matcher, parse


class Record:
    def __init__(self, text: str = "", raw: object = None, **fields: Sequence[str | int | float]) -> None:
        self._text, self._raw, self._fields = text, raw, fields

    def values(self, field: str) -> Sequence[str | int | float]:
        return self._fields[field] if field in self._fields else content.values("message", self._raw, field)

    def text(self) -> str:
        return self._text


MAIL = Record(
    "bob@paypal.example cfo@corp.example Your PayPal Straßen-Rechnung n°7",
    {
        "filter": {
            "modules": {"spam": {"scores": {"overall": 42, "classifiers": {"phish": 99.5}}}, "dmarc": {"authResults": [{"emailIdentities": {"smtp.mailfrom": "x.example"}}]}},
            "isMsgEncrypted": False,
            "big": 12345678901234567890123,
        },
        "msgParts": [{"md5": "A1", "metadata": {"": "blank", "a b": 1}}, {"md5": "b2", "urls": [{"url": "http://x/"}, {"url": "http://y/"}]}],
        "sm": {"sizeBytes": "2048"},
        "tls": None,
    },
    sender=["Bob@PayPal.example"],
    recipient=["cfo@corp.example", "ceo@corp.example"],
    subject=["Your PayPal Straßen-Rechnung n°7"],
    score=[42],
    ip=["10.1.2.3"],
)  # fmt: skip


def found(query: str) -> bool:
    return matcher(parse(query, 0))(MAIL)


@pytest.mark.parametrize(
    "query",
    [
        "",
        "paypa",
        '"your paypal"',
        "STRASSEN",
        "pay*rechnung",
        "@paypal.example",
        '"°7"',
        "sender:bob@paypal.EXAMPLE",
        "sender:*@paypal.example",
        "recipient:ceo@corp.example",
        "recipient:(cfo@corp.example AND ceo@corp.example)",
        "subject:rech",
        'subject:"paypal straßen-rechnung"',
        r"subject:/your .* n.\d/",
        "score:[40 TO 42]",
        "score:42.0",
        "ip:10.0.0.0/8",
        "ip:[10.1.2.0 TO 10.1.2.9]",
        "_exists_:subject",
        "NOT _exists_:rule",
        'rule:""',
        "filter.modules.spam.scores.classifiers.phish:>50",
        "filter.modules.spam.scores:42",
        "filter.modules.dmarc.authResults.emailIdentities.smtp.mailfrom:X.example",
        "filter.isMsgEncrypted:false",
        "filter.big:12345678901234567890123",
        "filter.big:>=99999999999999999999",
        "msgParts.md5:(a1 AND B2)",
        "msgParts[1].md5:b2",
        "msgParts.metadata.:blank",
        r"msgParts.metadata.a\ b:1",
        "msgParts.urls.url:*y*",
        "sm.sizeBytes:>1000",
        "_exists_:filter",
    ],
)
def test_these_queries_find_the_mail(query: str) -> None:
    assert found(query)
    if query:
        assert not found(f"NOT ({query})")


@pytest.mark.parametrize(
    "query",
    [
        "aypal",
        '"your paypa"',
        "sender:bob",
        "sender:paypal.example",
        'subject:"rechn"',
        "subject:/your/",
        "score:>42",
        "ip:10.2.0.0/16",
        "rule:*",
        "rule:x OR NOT sender:*",
        "tls:*",
        "filter.isMsgEncrypted:true",
        "filter.modules.spam.scores.overall:4",
        "sm.sizeBytes:>abc",
        "msgParts.urls:x",
    ],
)
def test_these_queries_do_not(query: str) -> None:
    assert not found(query)


def test_ipv4_written_as_ipv6_is_in_its_ipv4_network() -> None:
    inside = matcher(parse("ip:10.0.0.0/8", 0))
    assert inside(Record(ip=["::ffff:10.9.9.9"])) and inside(Record(ip=["[10.9.9.9]"]))
    assert not inside(Record(ip=["localhost"])) and not inside(Record(ip=[""]))


def test_a_long_list_of_indicators_is_one_look_up() -> None:
    many = matcher(parse("sender:(" + " OR ".join(f"u{i}@x.example" for i in range(3_000)) + ")", 0))
    assert many(Record(sender=["U2999@X.example"]))
    assert not many(Record(sender=["u3000@x.example"]))


def test_a_tree_sent_to_another_process_still_means_the_same() -> None:
    tree = parse("pay*l sender:*@paypal.* subject:?our", 0)
    assert matcher(pickle.loads(pickle.dumps(tree)))(MAIL) == matcher(tree)(MAIL) == found("subject:?our")  # noqa: S301


def test_broken_characters_do_not_break_a_search() -> None:
    for query in ("subject:/.*x/", "subject:a?*x", "a*x", "subject:x"):
        assert matcher(parse(query, 0))(Record("a\ud800x", subject=["a\ud800 x"])) in {True, False}


@pytest.mark.parametrize("between", [" ", "   ", "\t", "\r\n ", "\n\t", "\u00a0", "\u3000"])
def test_words_of_a_phrase_are_next_to_each_other_whatever_space_is_between(between: str) -> None:
    subject = f"Your account{between}suspended today"
    record = Record(f"bob@x.example {subject}", subject=[subject])
    for query in ('"account suspended"', 'subject:"account suspended"', '"account  suspended"'):
        assert matcher(parse(query, 0))(record), query
    assert not matcher(parse('"account today"', 0))(record)
    assert not matcher(parse('"account suspend"', 0))(record)
