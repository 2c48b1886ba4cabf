"""Sigma rules as queries: what maps means the same, what does not is said."""

import pytest

from builders import as_bytes, message, part
from pod_desktop.core.faults import UserFault
from pod_desktop.query import matcher, parse
from pod_desktop.services.automate_match import Facts
from pod_desktop.services.sigma import convert
from pod_desktop.store import Source


def rule(condition="selection", **detection):
    return {
        "title": "A rule",
        "logsource": {"category": "email"},
        "detection": {**detection, "condition": condition},
    }


def matches(converted, **changes):
    source = Source(connector="c", tenant="Acme", cluster_id="x")
    facts = Facts("message", as_bytes(message(**changes)), source, time=0)
    return matcher(parse(converted.query, 0))(facts)


@pytest.mark.parametrize(
    ("detection", "condition", "hit", "miss"),
    [
        ({"selection": {"sender|endswith": "@bad.test"}}, "selection", {"sender": "x@BAD.test"}, {"sender": "x@good.test"}),
        ({"selection": {"subject|contains": ["invoice", "facture"]}}, "selection", {"subject": "Votre Facture 7"}, {"subject": "Hello"}),
        ({"selection": {"subject|contains|all": ["pay", "now"]}}, "selection", {"subject": "Pay it now"}, {"subject": "Pay later"}),
        ({"selection": {"SenderIPv4|cidr": "192.0.2.0/24"}}, "selection", {"ip": "192.0.2.9"}, {"ip": "198.51.100.9"}),
        ({"selection": {"score|gte": 50}}, "selection", {"score": 50}, {"score": 49}),
        ({"selection": {"subject|re": "inv[o0]ice"}}, "selection", {"subject": "your inv0ice"}, {"subject": "invite"}),
        ({"selection": [{"sender": "a@b.test"}, {"sender": "c@d.test"}]}, "selection", {"sender": "c@d.test"}, {"sender": "e@f.test"}),
        ({"s": {"sender": "*@b.test"}, "filter": {"subject": "fine"}}, "s and not filter", {"sender": "x@b.test"}, {"sender": "x@b.test", "subject": "Fine"}),
        ({"sel_a": {"sender": "a@b.test"}, "sel_b": {"ip": "192.0.2.1"}}, "1 of sel_*", {"ip": "192.0.2.1"}, {"ip": "192.0.2.2"}),
        ({"sel_a": {"sender": "a@b.test"}, "sel_b": {"ip": "192.0.2.1"}}, "all of them", {"sender": "a@b.test", "ip": "192.0.2.1"}, {"ip": "192.0.2.1"}),
        ({"keywords": ["invoice*", "gift card"]}, "keywords", {"subject": "A gift card"}, {"subject": "A letter"}),
        ({"selection": {"AttachmentName|endswith": [".iso", ".img"]}}, "selection", {"parts": [part("a.ISO")]}, {"parts": [part("a.pdf")]}),
        ({"selection": {"sender": r"a\*b@c.test"}}, "selection", {"sender": "a*b@c.test"}, {"sender": "axb@c.test"}),
        ({"selection": {"connection.helo": "evil"}}, "selection", {"connection.helo": "EVIL"}, {"connection.helo": "good"}),
    ],
)  # fmt: skip
def test_a_rule_means_as_a_query_what_it_means_in_sigma(detection, condition, hit, miss):
    converted = convert(rule(condition, **detection))
    assert matches(converted, **hit)
    assert not matches(converted, **miss)


@pytest.mark.parametrize(
    ("detection", "condition", "words"),
    [
        ({"selection": {"CommandLine": "x"}}, "selection", "'CommandLine' is not known"),
        ({"selection": {"subject|base64offset|contains": "x"}}, "selection", "base64offset"),
        ({"selection": {"sender": "x"}}, "selection | count() > 5", "aggregation"),
        ({"selection": {"sender": "x"}}, "selection and", "ends too early"),
        ({"selection": {"sender": "x"}}, "other", "no selection 'other'"),
        ({"selection": {"sender": "x"}}, "(" * 50 + "selection" + ")" * 50, "nested too deeply"),
        ({"selection": {"sender": []}}, "selection", "empty list"),
        ({"selection": {"subject|re": "a(b"}}, "selection", ""),
        ({"selection": {"ip|cidr": "nowhere/8"}}, "selection", ""),
    ],
)
def test_what_does_not_map_gives_no_query_and_says_why(detection, condition, words):
    converted = convert(rule(condition, **detection))
    assert converted.query == ""
    assert words in converted.unmapped[-1]


def test_what_is_taken_otherwise_is_noted():
    converted = convert(rule(selection={"foo.bar": 1}) | {"logsource": {"category": "proxy"}})
    assert converted.query
    assert any("path of the raw record" in note for note in converted.unmapped)
    assert any("not for mail" in note for note in converted.unmapped)


@pytest.mark.parametrize("broken", [{}, {"detection": []}, {"detection": {"selection": {}}}])
def test_no_rule_is_said(broken):
    with pytest.raises(UserFault, match="no Sigma rule"):
        convert(broken)
