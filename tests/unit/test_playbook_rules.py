"""Playbook files, guards beyond a person's, mute, limits and breaker."""

import json

import pytest

from pod_desktop.core.action import ADD, BLOCK, DELETE, SAFE, Entry
from pod_desktop.core.clock import DAY, HOUR, MINUTE, SECOND
from pod_desktop.core.faults import UserFault
from pod_desktop.core.guards import Surroundings
from pod_desktop.core.playbook import Limits, difference, playbook_from_file, playbook_to_file, renamed
from pod_desktop.core.playbook_guards import opposes, reasons_to_hold
from pod_desktop.core.playbook_limits import ACT, HELD, LIMITED, MUTED, Budget, outcome_of

FILE = {
    "name": "Wave", "tenant": "Acme", "index": ["message"], "query": "outcome:quarantined", "group_by": "sender",
    "at_least": 3, "within": "10m", "every": None,
    "actions": [{"trigger": "condition_met", "type": "webhook_responder", "responder": "Block", "mute": "24h"}],
    "limits": {"per_minute": 10, "per_day": 100, "distinct": 25},
}  # fmt: skip


def test_a_playbook_file_is_read_and_written_alike():
    playbook = playbook_from_file(FILE)
    assert (playbook.at_least, playbook.within, playbook.every) == (3, 10 * MINUTE, None)
    assert playbook.actions[0].mute == DAY
    written = playbook_to_file(playbook)
    assert playbook_from_file(json.loads(json.dumps(written))) == playbook


def test_what_may_be_left_out_has_the_documented_defaults():
    playbook = playbook_from_file({key: FILE[key] for key in ("name", "tenant", "query", "actions")})
    assert playbook_to_file(playbook) == FILE | {"group_by": None, "at_least": 1, "actions": [{**FILE["actions"][0], "mute": "24h"}]}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"color": "red"}, "color"),
        ({"name": " "}, "name"),
        ({"name": "a\u202eb"}, "name"),
        ({"tenant": 7}, "tenant"),
        ({"index": ["mail"]}, "index"),
        ({"index": []}, "index"),
        ({"at_least": 0}, "at_least"),
        ({"at_least": True}, "at_least"),
        ({"within": "10 minutes"}, "within"),
        ({"within": "0s"}, "within"),
        ({"every": "10s"}, "every"),
        ({"group_by": ""}, "group_by"),
        ({"actions": []}, "actions"),
        ({"actions": [{"type": "shell"}]}, "actions[0].type"),
        ({"actions": [{"type": "webhook_responder"}]}, "actions[0].responder"),
        ({"actions": [{"type": "webhook_responder", "responder": "B", "url": "x"}]}, "actions[0]"),
        ({"actions": [{"type": "notify", "trigger": "always"}]}, "actions[0].trigger"),
        ({"limits": {"per_minute": 11}}, "limits.per_minute"),
        ({"limits": {"per_hour": 1}}, "limits"),
    ],
)
def test_a_file_that_does_not_fit_is_refused_with_the_place(change, where):
    with pytest.raises(UserFault) as fault:
        playbook_from_file(FILE | change)
    assert fault.value.where == where


def test_a_missing_key_and_a_taken_name_are_named():
    with pytest.raises(UserFault, match="'query' is missing"):
        playbook_from_file({key: value for key, value in FILE.items() if key != "query"})
    with pytest.raises(UserFault, match="exists already"):
        playbook_from_file(FILE, taken=["wave"])


def test_a_body_may_be_written_as_the_object_that_it_is():
    body = {"action": "add", "attribute": "$ip", "operator": "equal", "value": "{key}"}
    playbook = playbook_from_file(FILE | {"actions": [FILE["actions"][0] | {"body": body}]})
    assert json.loads(playbook.actions[0].body) == body


def test_two_versions_differ_by_key():
    old = playbook_from_file(FILE)
    assert difference(old, playbook_from_file(FILE | {"at_least": 4, "within": "1h"})) == [
        ("at_least", "3", "4"),
        ("within", "10m", "1h"),
    ]
    assert difference(old, renamed(old, "Other")) == [("name", "Wave", "Other")]


AROUND = Surroundings(
    own_domains=frozenset({"acme.example"}),
    protected=frozenset({"bank.example"}),
    partners={"partner.example": 50, "rare.example": 49},
)


def codes(value, attribute="$from", operator="equal", action=ADD, which=BLOCK, proved=False):
    entry = Entry(attribute=attribute, operator=operator, value=value)
    return [
        reason.code for reason in reasons_to_hold(action, which, entry, AROUND, author_proved=lambda: proved)
    ]


@pytest.mark.parametrize(
    ("value", "more"),
    [
        ("billing@bad.example.net", {}),
        ("198.51.100.7", {"attribute": "$ip"}),
        ("@bad.example.net", {"operator": "contain"}),
        ("x@rare.example", {}),
        ("mail.bad.example.net", {"attribute": "$host"}),
        ("author@bad.example.net", {"attribute": "$hfrom", "proved": True}),
        ("x@bad.example.net", {"action": DELETE, "which": SAFE}),
    ],
)
def test_a_plain_value_goes_on(value, more):
    if more.get("attribute") == "$ip":
        value = "8.8.8.8"  # documentation addresses are not public ones
    assert codes(value, **more) == []


@pytest.mark.parametrize(
    ("value", "more", "code"),
    [
        ("boss@acme.example", {}, "own"),
        ("boss@mail.acme.example", {}, "own"),
        ("mail.acme.example", {"attribute": "$host"}, "own"),
        ("x@bank.example", {}, "protected"),
        ("someone@gmail.com", {}, "free_mail"),
        ("@gmail.com", {"operator": "contain"}, "free_mail"),
        ("x@partner.example", {}, "partner"),
        ("x@mail.partner.example", {}, "partner"),
        ("mail.partner.example", {"attribute": "$host"}, "partner"),
        ("bad.example.net", {"operator": "contain"}, "operator"),
        ("x@bad.example.net", {"operator": "not_equal"}, "operator"),
        ("author@bad.example.net", {"attribute": "$hfrom"}, "forged_author"),
        ("mail.bad.example.net", {"attribute": "$helo"}, "forged_helo"),
        ("x@bad.example.net", {"attribute": "$rcpt"}, "recipient"),
        ("x@bad.example.net", {"which": SAFE}, "safelist"),
        ("x@bad.example.net", {"action": DELETE}, "unblock"),
        ("x@acrne.example", {}, "look_alike"),
        ("x@partn\u0435r.test", {}, "mixed"),
        ("x@xn--prtner-4ve.test", {}, "look_alike"),
        ("p\u0430ul@bad.example.net", {}, "mixed"),
        ("127.0.0.1", {"attribute": "$ip"}, "loopback"),
        ("10.1.2.3", {"attribute": "$ip"}, "private"),
        ("", {}, "empty"),
        ("*", {}, "everything"),
    ],
)
def test_a_value_that_needs_a_person_says_why(value, more, code):
    assert code in codes(value, **more)


def test_blocking_and_unblocking_oppose_each_other():
    assert opposes(ADD, BLOCK, DELETE, BLOCK)
    assert opposes(ADD, BLOCK, ADD, SAFE)
    assert not opposes(ADD, BLOCK, DELETE, SAFE)
    assert not opposes(ADD, BLOCK, ADD, BLOCK)


def budget(**limits):
    return Budget(Limits(**limits), run=MINUTE, since=0)


def test_the_same_value_is_muted_until_its_time_is_over():
    account = budget()
    account.act(0, ("a",))
    assert account.muted(DAY - 1, ("a",), DAY).outcome == MUTED
    assert account.muted(DAY, ("a",), DAY) is None
    assert account.muted(1, ("b",), DAY) is None


def spend(account, times):
    outcomes = []
    for number, at in enumerate(times):
        verdict = account.limited(at, (str(number),))
        outcomes.append(ACT if verdict is None else verdict.outcome)
        if verdict is None:
            account.act(at, (str(number),))
    return outcomes


def test_ten_a_minute_a_hundred_a_day():
    assert spend(budget(), range(0, MINUTE, MINUTE // 20)).count(ACT) == 10
    assert spend(budget(), range(0, DAY, 10 * MINUTE)).count(ACT) == 100
    assert spend(budget(per_minute=3), [0, 1, 2, 3, MINUTE, MINUTE + 1]) == [ACT, ACT, ACT, LIMITED, ACT, ACT]


def test_distinct_values_in_a_run():
    account = Budget(Limits(distinct=2), run=5 * MINUTE, since=0)
    account.act(0, ("a",))
    account.act(MINUTE, ("b",))
    assert account.limited(3 * MINUTE, ("c",)).outcome == LIMITED
    assert account.limited(3 * MINUTE, ("b",)) is None
    assert account.limited(5 * MINUTE, ("c",)) is None


def test_a_clock_put_back_lets_nothing_more_through():
    account = budget(per_minute=2)
    account.act(HOUR, ("a",))
    account.act(HOUR, ("b",))
    assert account.limited(0, ("c",)).outcome == LIMITED
    assert account.muted(0, ("a",), DAY).outcome == MUTED


def test_the_breaker_compares_with_three_times_the_mean_of_seven_days():
    account = budget()
    now = 8 * DAY
    for number in range(35):  # five a day
        account.act(number * (7 * DAY // 35) + SECOND, (str(number),))
    for number in range(14):
        account.act(now - 14 + number, (f"today {number}",))
    assert account.breaks(now) == ""
    account.act(now, ("one more",))
    assert "16 actions within a day" in account.breaks(now)


def test_the_breaker_leaves_young_playbooks_and_few_actions_alone():
    young = Budget(Limits(), run=MINUTE, since=2 * DAY)
    quiet = budget()
    for number in range(50):
        young.act(8 * DAY, (str(number),))
    for number in range(9):
        quiet.act(8 * DAY, (str(number),))
    assert young.breaks(8 * DAY) == quiet.breaks(8 * DAY) == ""


def test_the_outcome_of_a_firing_is_the_weightiest_of_its_actions():
    assert outcome_of([MUTED, HELD, ACT]) == ACT
    assert outcome_of([MUTED, LIMITED]) == LIMITED
    assert outcome_of([MUTED, HELD, LIMITED]) == HELD
