"""What was pasted, split before anything is sent: new, already there, doubtful, invalid."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import maillog_from, message
from pod_desktop.core.action import ADD, BLOCK, DELETE, Entry
from pod_desktop.core.faults import UserFault
from pod_desktop.core.guards import Surroundings
from pod_desktop.services.bulk_plan import (
    DOUBTFUL,
    GROUPS,
    INVALID,
    NEW,
    THERE,
    distinct,
    read,
    refang,
    split,
)

AROUND = Surroundings(own_domains=frozenset({"acme.example"}))


def plan(text, action=ADD, on_list=(), **more):
    return split(read(text, **more), action=action, which=BLOCK, on_list=on_list, around=AROUND)


def entry(value, attribute="$from"):
    return Entry(attribute=attribute, operator="equal", value=value)


def test_one_value_a_line_is_read_as_people_write_it():
    text = (
        '# campaign\n a@bad.test \n"b@bad.test",\n<c@bad.test>;\n\n185.1.2.3\nbad[.]test\nd[at]bad[.]test\n'
    )
    found = [(line, one.attribute, one.value) for line, one in read(text)]
    assert found == [
        (2, "$from", "a@bad.test"),
        (3, "$from", "b@bad.test"),
        (4, "$from", "c@bad.test"),
        (6, "$ip", "185.1.2.3"),
        (7, "$from", "bad.test"),
        (8, "$from", "d@bad.test"),
    ]


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_a_table_with_a_header_fills_what_it_names(mark):
    lines = [
        ["Comment", "VALUE", "operator", "attribute", "other"],
        ["wave 7", "bad.test", "contain", "hfrom", "x"],
        ["", "a@b.test", "", "", ""],
    ]
    text = "\n".join(mark.join(cells) for cells in lines)
    first, second = [one for _, one in read("\ufeff" + text, comment="pasted")]
    assert first == Entry(attribute="$hfrom", operator="contain", value="bad.test", comment="wave 7")
    assert second == Entry(attribute="$from", operator="equal", value="a@b.test", comment="pasted")


def test_everything_is_split_with_a_reason():
    text = "new@bad.test\nTHERE@bad.test\nNEW@bad.test\ncom\n127.0.0.1\nboss@acme.example\nhttps://bad.test/x\n@\n"
    found = plan(text, on_list=[entry("there@bad.test")])
    assert [row.group for row in found.rows] == [
        NEW,
        THERE,
        THERE,
        INVALID,
        INVALID,
        DOUBTFUL,
        INVALID,
        INVALID,
    ]
    assert all(row.why for row in found.rows if row.group != NEW)
    assert "line 1" in found.rows[2].why and "web address" in found.rows[6].why
    assert [row.entry.value for row in found.to_send] == ["new@bad.test"]


def test_a_doubtful_value_goes_along_when_it_was_typed_once_more():
    found = plan("boss@acme.example")
    (row,) = found.of(DOUBTFUL)
    with pytest.raises(UserFault):
        found.confirm(row, "boss")
    assert found.confirm(row, "boss@acme.example").to_send[0].confirmed


def test_for_deleting_there_means_not_there():
    found = plan("a@bad.test\nb@bad.test", action=DELETE, on_list=[entry("A@bad.test")])
    assert [row.group for row in found.rows] == [NEW, THERE]
    assert "does not hold" in found.rows[1].why


def test_too_much_is_refused_before_it_costs_anything():
    with pytest.raises(UserFault, match="more than 20,000"):
        read("a@bad.test\n" * 20_001)
    with pytest.raises(UserFault, match="characters"):
        read("x" * 10_000_001)


@given(st.text(max_size=400))
def test_whatever_is_pasted_is_split_and_never_raises(text):
    found = plan(text)
    assert all(row.group in GROUPS for row in found.rows)
    assert len({row.entry.identity for row in found.to_send}) == len(found.to_send)
    table = plan("value,comment\n" + text)
    assert all(row.group in GROUPS for row in table.rows)


@given(st.from_regex(r"[a-z0-9]{1,8}@[a-z]{1,8}\.[a-z]{2,4}", fullmatch=True))
def test_a_defanged_value_is_read_as_meant(value):
    assert refang(value.replace(".", "[.]").replace("@", "[@]")) == value


def test_a_quote_that_is_never_closed_is_no_crash():
    assert all(row.group in GROUPS for row in plan('value\n"a@bad.test\nb@bad.test').rows)


def test_selected_records_give_distinct_values_and_say_how_many_have_each():
    records = [
        ("message:1", "message", message(sender="A@bad.test")),
        ("maillog:2", "maillog", maillog_from(sender="a@bad.test")),
        ("message:3", "message", message(sender="b@bad.test")),
        ("message:4", "message", message(sender="")),
    ]
    found, origin, without = distinct(records, "$from")
    assert [(line, one.value) for line, one in found] == [(1, "A@bad.test"), (2, "b@bad.test")]
    assert origin == {1: ("message:1", 2), 2: ("message:3", 1)}
    assert without == ["message:4"]
    made = split(found, action=ADD, which=BLOCK, on_list=(), around=AROUND, origin=origin)
    assert [(row.record_id, row.records) for row in made.rows] == [("message:1", 2), ("message:3", 1)]
    domains, _, _ = distinct(records, "$from", domain=True)
    assert [one.value for _, one in domains] == ["@bad.test"]
    with pytest.raises(UserFault):
        distinct(records, "$subject")
