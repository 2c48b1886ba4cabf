"""Many playbooks asked of one record: looking up by value never misses what the whole query finds."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import as_bytes, maillog_to, message
from pod_desktop.core.faults import UserFault
from pod_desktop.core.playbook import NOTIFY, Playbook, PlaybookAction
from pod_desktop.query import parse
from pod_desktop.services.automate_match import Facts, Rules, compile_rule, needed
from pod_desktop.store import Source

SOURCE = Source(connector="acme", tenant="Acme", cluster_id="acme_hosted")


def rule(query, *, tenant="Acme", index=("message",), group_by=None, name="P"):
    playbook = Playbook(
        name=name,
        tenant=tenant,
        query=query,
        index=index,
        group_by=group_by,
        actions=(PlaybookAction(type=NOTIFY),),
    )
    return compile_rule(playbook, 0)


def facts(kind="message", **changes):
    record = message(**changes) if kind == "message" else maillog_to(**changes)
    return Facts(kind, as_bytes(record), SOURCE, time=0, seq=1)


@pytest.mark.parametrize(
    ("query", "needs"),
    [
        ("outcome:quarantined", ("outcome", {"quarantined"})),
        ("outcome:quarantined AND sender:A@b.test", ("sender", {"a@b.test"})),
        ("rule:phish OR rule:Impostor", ("rule", {"phish", "impostor"})),
        ("rule:(phish OR spam) subject:x", ("rule", {"phish", "spam"})),
        ("rule:phish OR folder:Phish", None),
        ("NOT outcome:quarantined", None),
        ("score:>50", None),
        ("sender:*@b.test", None),
        ("from:a@b.test", None),
    ],
)
def test_what_a_query_demands(query, needs):
    found = needed(parse(query, 0))
    assert found == (needs and (needs[0], frozenset(needs[1])))


QUERIES = [
    "outcome:quarantined", "sender:a@b.test", "sender:a@b.test OR sender:c@d.test", "rule:phish AND score:>50",
    "NOT rule:phish", "subject:invoice", "rule:phish OR score:>90", "ip:192.0.2.0/24", "ip:192.0.2.1 outcome:quarantined",
    "folder:Phish (sender.domain:b.test OR sender.domain:d.test)", "filter.disposition:discard", "country:de",
]  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.sampled_from(QUERIES), min_size=1, max_size=12),
    st.sampled_from(["a@b.test", "A@B.test", "c@d.test", ""]),
    st.sampled_from(["phish", "Phish", "spam"]),
    st.sampled_from(["192.0.2.1", "198.51.100.1"]),
    st.integers(0, 100),
    st.booleans(),
)
def test_looking_up_finds_what_asking_everything_finds(queries, sender, name, ip, score, stopped):
    record = facts(
        sender=sender, rule=name, ip=ip, score=score, country="DE",
        disposition="discard" if stopped else "continue", folder="Phish" if stopped else "",
    )  # fmt: skip
    rules = [rule(query) for query in queries]
    asked = [one for one in rules if one.found(record)]
    found = [one for one in Rules(rules).candidates(record) if one.found(record)]
    assert sorted(map(id, found)) == sorted(map(id, asked))


def test_tenant_and_content_type_are_asked_first():
    record = facts()
    rules = Rules(
        [rule("", tenant="Other"), rule("", index=("maillog",)), rule("", tenant="All Tenants"), rule("")]
    )
    assert [one.playbook.tenant for one in rules.candidates(record)] == ["All Tenants", "Acme"]


def test_keys_are_the_values_each_once_whatever_their_case():
    record = facts(recipients=["a@x.test", "A@x.test", "b@x.test"])
    assert [one.key for one in rule("", group_by="recipient").found(record)] == ["a@x.test", "b@x.test"]
    assert [one.key for one in rule("").found(record)] == [""]
    assert rule("", group_by="folder").found(record) == []


def test_a_record_is_worked_out_once(monkeypatch):
    record = facts()
    first = record.values("sender.domain")
    assert record.values("sender.domain") is first


@pytest.mark.parametrize(
    ("changes", "proved"),
    [
        ({}, True),
        ({"filter.modules.dmarc.filterdResult": "fail"}, True),  # SPF of the same domain
        ({"filter.modules.dmarc.filterdResult": "fail", "filter.modules.spf.result": "fail"}, False),
        ({"filter.modules.dmarc.filterdResult": "fail", "header_from": "x@other.test"}, False),
        ({"header_from": "x@other.test"}, True),
    ],
)
def test_an_author_is_proved_by_dmarc_or_by_spf_of_the_same_domain(changes, proved):
    assert facts(**changes).author_proved is proved


def test_a_query_that_speaks_of_now_is_read_anew():
    assert rule("time:>=now-15m").moving
    assert not rule("outcome:quarantined").moving


@pytest.mark.parametrize(
    "query",
    [
        "marked:true",
        "NOT marked:true",
        "_exists_:marked",
        "outcome:quarantined AND (comment:x OR sender:a@b.test)",
    ],
)
def test_what_people_note_later_is_no_question_for_a_playbook(query):
    with pytest.raises(UserFault, match="before anybody has marked them"):
        rule(query)
