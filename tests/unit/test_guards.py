"""What may go on an org list: the wrong thing is hard, and every answer says why."""

import pytest

from pod_desktop.core.action import ADD, BLOCK, DELETE, SAFE, Entry
from pod_desktop.core.guards import CONFIRM, GO, REFUSE, Surroundings, judge

AROUND = Surroundings(
    own_domains=frozenset({"acme.example"}),
    protected=frozenset({"ceo@partner.example", "bank.example", "203.0.113.9"}),
    partners={"supplier.example": 400, "rare.example": 3},
)


def entry(value, attribute="$from", operator="equal", comment=""):
    return Entry(attribute=attribute, operator=operator, value=value, comment=comment)


TABLE = [
    # an ordinary block
    ("billing@bad.test", "$from", "equal", GO, ""),
    ("bad.test", "$from", "equal", GO, ""),
    ("@bad.test", "$from", "contain", GO, ""),
    ("paypa1-secure.test", "$from", "contain", GO, ""),
    ("bounce+17@news.test", "$from", "equal", GO, ""),
    ("someone@gmail.com", "$from", "equal", GO, ""),
    ("someone@rare.example", "$from", "equal", GO, ""),
    ("rare.example", "$from", "equal", GO, ""),
    ("someone@supplier.example", "$from", "equal", GO, ""),
    ("185.220.101.7", "$ip", "equal", GO, ""),
    ("2a03:2880::1", "$ip", "equal", GO, ""),
    ("mail.bad.test", "$host", "equal", GO, ""),
    ("mail.bad.test", "$helo", "equal", GO, ""),
    ("пример.испытание", "$from", "equal", GO, ""),
    ("xn--e1afmkfd.test", "$from", "contain", GO, ""),
    # what a header or a mail-log line looks like
    ("<billing@bad.test>", "$from", "equal", CONFIRM, "brackets"),
    ("<>", "$from", "equal", CONFIRM, "brackets"),
    ("<x", "$from", "equal", CONFIRM, "no_address"),
    # what cannot be what the attribute holds
    ("a", "$from", "equal", CONFIRM, "no_address"),
    ("two words", "$hfrom", "equal", CONFIRM, "no_address"),
    ("x@", "$from", "equal", CONFIRM, "no_address"),
    ("bad..test", "$rcpt", "not_equal", CONFIRM, "no_address"),
    ("999.1.1.1", "$from", "equal", CONFIRM, "no_address"),
    ("185.220.101.7", "$from", "equal", CONFIRM, "no_address"),
    ("2a03:2880::1", "$from", "equal", CONFIRM, "no_address"),
    ("x@server1", "$from", "equal", GO, ""),
    ('"a b"@bad.test', "$from", "equal", GO, ""),
    ("x@[192.0.2.1]", "$from", "equal", GO, ""),
    ("sub.bad-site.test", "$from", "equal", GO, ""),
    ("3m.test", "$from", "equal", GO, ""),
    ("xn--e1afmkfd.xn--p1ai", "$from", "equal", GO, ""),
    ("a b", "$host", "equal", CONFIRM, "no_host"),
    ("x@bad.test", "$helo", "equal", CONFIRM, "no_host"),
    ("[192.0.2.1]", "$helo", "equal", GO, ""),
    ("WIN-0A1B2C", "$helo", "equal", GO, ""),
    # nothing, or everything
    ("", "$from", "equal", REFUSE, "empty"),
    ("   ", "$from", "contain", REFUSE, "empty"),
    ("*", "$from", "equal", REFUSE, "everything"),
    ("@", "$from", "contain", REFUSE, "everything"),
    (".", "$from", "contain", REFUSE, "everything"),
    ("*@*", "$from", "equal", REFUSE, "everything"),
    ("*.*", "$from", "equal", REFUSE, "everything"),
    ("%", "$from", "contain", REFUSE, "everything"),
    ("@.", "$from", "contain", REFUSE, "everything"),
    ("com", "$from", "contain", REFUSE, "suffix"),
    (".com", "$from", "contain", REFUSE, "suffix"),
    ("@com", "$from", "contain", REFUSE, "suffix"),
    ("*.com", "$from", "equal", REFUSE, "suffix"),
    ("co.uk", "$from", "equal", REFUSE, "suffix"),
    ("COM", "$from", "equal", REFUSE, "suffix"),
    ("de", "$host", "contain", REFUSE, "suffix"),
    ("net", "$helo", "contain", REFUSE, "suffix"),
    ("org", "$rcpt", "contain", REFUSE, "suffix"),
    (".support", "$from", "contain", REFUSE, "suffix"),
    ("@ninja", "$from", "equal", REFUSE, "suffix"),
    ("*.security", "$host", "contain", REFUSE, "suffix"),
    ("a", "$from", "contain", REFUSE, "short"),
    ("ab", "$from", "contain", REFUSE, "short"),
    ("abc", "$from", "contain", REFUSE, "short"),
    ("@ab", "$from", "contain", REFUSE, "short"),
    ("abcd", "$from", "contain", CONFIRM, "shortish"),
    ("abcde", "$from", "contain", CONFIRM, "shortish"),
    ("abcdef", "$from", "contain", GO, ""),
    ("bad*.test", "$from", "equal", CONFIRM, "wildcard"),
    ("bad?.test", "$from", "equal", CONFIRM, "wildcard"),
    # what would never match
    (" bad.test", "$from", "equal", REFUSE, "blanks"),
    ("bad.test\n", "$from", "equal", REFUSE, "blanks"),
    ("bad\u202e.test", "$from", "equal", REFUSE, "blanks"),
    ("bad\x00.test", "$from", "equal", REFUSE, "blanks"),
    ("a" * 488 + "@bad.example", "$from", "equal", GO, ""),
    ("a" * 501, "$from", "equal", REFUSE, "long"),
    # what the list does not know
    ("bad.test", "from", "equal", REFUSE, "attribute"),
    ("bad.test", "$subject", "equal", REFUSE, "attribute"),
    ("bad.test", "", "equal", REFUSE, "attribute"),
    ("bad.test", "$from", "regex", REFUSE, "operator"),
    ("bad.test", "$from", "Equal", REFUSE, "operator"),
    ("bad.test", "$from", "", REFUSE, "operator"),
    # all but
    ("bad.test", "$from", "not_equal", CONFIRM, "negated"),
    ("bad.test", "$from", "not_contain", CONFIRM, "negated"),
    ("bad.test", "$from", "is_in_list", CONFIRM, "in_list"),
    # ourselves
    ("boss@acme.example", "$from", "equal", CONFIRM, "own"),
    ("boss@ACME.example", "$from", "equal", CONFIRM, "own"),
    ("acme.example", "$from", "equal", CONFIRM, "own"),
    ("@acme.example", "$from", "contain", CONFIRM, "own"),
    ("x@mail.acme.example", "$from", "equal", CONFIRM, "own"),
    ("boss@acme.example", "$hfrom", "equal", CONFIRM, "own"),
    ("mx.acme.example", "$host", "equal", CONFIRM, "own_host"),
    ("acme.example", "$helo", "equal", CONFIRM, "own_host"),
    ("notacme.example", "$from", "equal", GO, ""),
    ("acme.exam", "$from", "contain", CONFIRM, "own"),
    ("cme.example", "$from", "contain", CONFIRM, "own"),
    ("@acme.ex", "$from", "contain", CONFIRM, "own"),
    ("@cme.example", "$from", "contain", GO, ""),
    ("@example.test", "$from", "equal", GO, ""),
    ("acme.example.bad.test", "$from", "equal", GO, ""),
    ("j.meyer@acme.example", "$rcpt", "equal", CONFIRM, "own_recipient"),
    ("acme.example", "$rcpt", "contain", CONFIRM, "own_recipient"),
    # protected
    ("ceo@partner.example", "$from", "equal", CONFIRM, "protected"),
    ("CEO@partner.example", "$from", "equal", CONFIRM, "protected"),
    ("other@partner.example", "$from", "equal", GO, ""),
    ("x@bank.example", "$from", "equal", CONFIRM, "protected"),
    ("bank.example", "$from", "contain", CONFIRM, "protected"),
    ("ank.exampl", "$from", "contain", CONFIRM, "protected"),
    ("x@login.bank.example", "$from", "equal", CONFIRM, "protected"),
    ("203.0.113.9", "$ip", "equal", CONFIRM, "protected"),
    # many people
    ("gmail.com", "$from", "equal", CONFIRM, "free_mail"),
    ("@gmail.com", "$from", "contain", CONFIRM, "free_mail"),
    ("GMX.de", "$hfrom", "equal", CONFIRM, "free_mail"),
    ("x@gmail.com", "$from", "contain", CONFIRM, "free_mail"),
    ("supplier.example", "$from", "equal", CONFIRM, "partner"),
    ("@supplier.example", "$from", "contain", CONFIRM, "partner"),
    ("supplier.example", "$hfrom", "contain", CONFIRM, "partner"),
    ("supplier.exa", "$from", "contain", CONFIRM, "partner"),
    ("rare.exa", "$from", "contain", GO, ""),
    # the way in
    ("127.0.0.1", "$ip", "equal", REFUSE, "loopback"),
    ("127.8.8.8", "$ip", "equal", REFUSE, "loopback"),
    ("::1", "$ip", "equal", REFUSE, "loopback"),
    ("0.0.0.0", "$ip", "equal", REFUSE, "loopback"),
    ("::ffff:127.0.0.1", "$ip", "equal", REFUSE, "loopback"),
    ("::ffff:10.0.0.1", "$ip", "equal", CONFIRM, "private"),
    ("100.64.0.1", "$ip", "equal", CONFIRM, "private"),
    ("198.51.100.23", "$ip", "equal", GO, ""),
    ("127.0.0.0/24", "$ip", "equal", REFUSE, "loopback"),
    ("10.1.2.3", "$ip", "equal", CONFIRM, "private"),
    ("192.168.1.1", "$ip", "equal", CONFIRM, "private"),
    ("fe80::1", "$ip", "equal", CONFIRM, "private"),
    ("0.0.0.0/0", "$ip", "equal", REFUSE, "loopback"),
    ("8.0.0.0/8", "$ip", "equal", REFUSE, "wide_network"),
    ("8.8.0.0/16", "$ip", "equal", CONFIRM, "network"),
    ("8.8.8.0/24", "$ip", "equal", CONFIRM, "network"),
    ("not an ip", "$ip", "equal", REFUSE, "no_ip"),
    ("999.1.1.1", "$ip", "equal", REFUSE, "no_ip"),
    ("999.1.1.1", "$ip", "not_equal", REFUSE, "no_ip"),
    ("192.0.2.0/33", "$ip", "equal", REFUSE, "no_ip"),
    ("185.220.", "$ip", "contain", CONFIRM, "ip_piece"),
    ("bad.test", "$ip", "contain", REFUSE, "no_ip"),
    ("localhost", "$host", "equal", REFUSE, "localhost"),
    ("LOCALHOST", "$helo", "equal", REFUSE, "localhost"),
    ("localhost.localdomain", "$host", "equal", REFUSE, "localhost"),
]


@pytest.mark.parametrize(("value", "attribute", "operator", "answer", "code"), TABLE)
def test_a_value_for_the_block_list_is_judged(value, attribute, operator, answer, code):
    judgement = judge(ADD, BLOCK, entry(value, attribute, operator), AROUND)
    assert judgement.answer == answer
    assert code in [reason.code for reason in judgement.reasons] or (code == "" and not judgement.reasons)
    assert all(reason.text.endswith(".") for reason in judgement.reasons)


@pytest.mark.parametrize(
    ("value", "attribute", "operator", "answer", "code"),
    [
        ("news@partner.test", "$from", "equal", GO, ""),
        ("acme.example", "$from", "equal", CONFIRM, "own_safe"),
        ("gmail.com", "$from", "equal", CONFIRM, "free_mail"),
        ("partner.test", "$from", "contain", CONFIRM, "safe_contain"),
        ("ceo@partner.test", "$hfrom", "equal", CONFIRM, "forgeable"),
        ("mx.partner.test", "$helo", "equal", CONFIRM, "forgeable"),
        ("partner.test", "$from", "not_equal", REFUSE, "operator"),
        ("com", "$from", "contain", REFUSE, "suffix"),
        ("", "$from", "equal", REFUSE, "empty"),
        ("supplier.example", "$from", "equal", GO, ""),
    ],
)
def test_a_value_for_the_safe_list_is_judged(value, attribute, operator, answer, code):
    judgement = judge(ADD, SAFE, entry(value, attribute, operator), AROUND)
    assert judgement.answer == answer
    assert not code or code in [reason.code for reason in judgement.reasons]


@pytest.mark.parametrize("value", ["acme.example", "gmail.com", "com", "127.0.0.1", "ab"])
def test_whatever_is_on_a_list_may_be_taken_off(value):
    assert judge(DELETE, BLOCK, entry(value), AROUND).answer == GO


def test_a_comment_is_bounded_as_the_service_bounds_it():
    assert judge(ADD, BLOCK, entry("bad.test", comment="c" * 150), AROUND).answer == GO
    assert judge(ADD, BLOCK, entry("bad.test", comment="c" * 151), AROUND).answer == REFUSE


def test_a_parent_of_an_own_domain_means_it_too():
    around = Surroundings(
        own_domains=frozenset({"mail.acme.example"}), protected=frozenset({"a.bank.example"})
    )
    for value, code in (("acme.example", "own"), ("bank.example", "protected")):
        judgement = judge(ADD, BLOCK, entry(value), around)
        assert (judgement.answer, judgement.reasons[0].code) == (CONFIRM, code)
        # With an @ it is that domain only.
        assert judge(ADD, BLOCK, entry(f"@{value}"), around).answer == GO


def test_taking_off_the_list_asks_for_no_confirmation():
    assert judge(DELETE, BLOCK, entry("acme.example"), AROUND).answer == GO
    assert judge(DELETE, BLOCK, entry(""), AROUND).answer == REFUSE
