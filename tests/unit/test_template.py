"""Curly-brace expressions: whatever a record holds, the body stays the JSON that was written."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pod_desktop import template
from pod_desktop.template import TemplateFault

RECORD = {
    "guid": "abc",
    "envelope": {"from": "billing@bad.example", "rcpts": ["a@acme.example", "b@acme.example"]},
    "msg": {"parsedAddresses": {"from": ["service@paypal.example"]}, "normalizedHeader": {}},
    "filter": {"modules": {"spam": {"scores": {"overall": 98}}}, "isMsgEncrypted": False},
    "auth": [{"emailIdentities": {"smtp.mailfrom": "bad.example", "header from": "x"}}],
    "connector": {"cluster_id": "acme_hosted"},
    "empty": "",
}
BODY = '{"action":"add","value":"{envelope.from}","comment":"POD {guid}","n":[1,true,null,"{{x}}"]}'


def test_leaves_are_filled_and_all_else_stays():
    assert json.loads(template.fill_body(BODY, RECORD)) == {
        "action": "add",
        "value": "billing@bad.example",
        "comment": "POD abc",
        "n": [1, True, None, "{x}"],
    }


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("{msg.parsedAddresses.from[0]}", "service@paypal.example"),
        ("{envelope.rcpts[1]}", "b@acme.example"),
        ("{msg.normalizedHeader.from[0] | envelope.from}", "billing@bad.example"),
        ("{ empty|guid }", "abc"),
        ("{filter.modules.spam.scores.overall}", "98"),
        ("{filter.isMsgEncrypted}", "false"),
        ("{auth[0].emailIdentities.smtp.mailfrom}", "bad.example"),
        ('{auth[0].emailIdentities["smtp.mailfrom"]}', "bad.example"),
        ('{auth[0].emailIdentities["header from"]}', "x"),
        ("{connector.cluster_id}", "acme_hosted"),
        ("{{{guid}}}", "{abc}"),
        ("no braces", "no braces"),
        ("", ""),
    ],
)
def test_an_expression_is_replaced_by_its_value(text, filled):
    assert template.fill_text(text, RECORD) == filled


@pytest.mark.parametrize(
    ("text", "words", "hint"),
    [
        ("{envelope.form}", "not in this record", "envelope.from"),
        ("{envelope.rcpts}", "is a list", "envelope.rcpts[0]"),
        ("{envelope}", "several fields", "envelope.from"),
        ("{empty}", "is empty", "another field"),
        ("{msg.normalizedHeader.from[0]}", "not in this record", "msg.parsedAddresses.from[0]"),
        ("{envelope.rcpts[7]}", "not in this record", "envelope.rcpts"),
    ],
)
def test_a_missing_value_is_named_with_the_nearest_that_exists(text, words, hint):
    with pytest.raises(TemplateFault) as fault:
        template.fill_text(text, RECORD)
    assert words in fault.value.what
    assert text[1:-1].split("[")[0] in fault.value.what
    assert hint in fault.value.hint


@pytest.mark.parametrize(
    ("text", "column"),
    [("{", 0), ("a{b", 1), ("}", 0), ("ab}c", 2), ("{}", 1), ("{a.}", 3), ("{a b}", 3), ("{a|}", 3), ("{a[x]}", 2), ("{a | ", 0)],
)  # fmt: skip
def test_what_cannot_be_read_is_told_with_its_place(text, column):
    with pytest.raises(TemplateFault) as fault:
        template.parse(text)
    assert fault.value.column == column


@pytest.mark.parametrize(
    "body",
    ['{"a":', "{envelope.from}", '{"a":1,"a":2}', '{"{guid}":1}', '{"a":NaN}', "[" * 5000, '{"a":"{"}'],
)
def test_a_body_that_is_no_template_is_refused_with_words(body):
    with pytest.raises(TemplateFault) as fault:
        template.fill_body(body, RECORD)
    assert fault.value.what


text = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
leaves = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["{value}", "x {value} y", "{{", "plain"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abcd"), inner, max_size=3),
    max_leaves=12,
)


def shape(value):
    if isinstance(value, dict):
        return {key: shape(child) for key, child in value.items()}
    if isinstance(value, list):
        return [shape(child) for child in value]
    return type(value)


@given(leaves, text)
def test_for_any_value_the_output_is_json_with_the_templates_own_structure(body, value):
    written = json.dumps(body)
    filled = json.loads(template.fill_body(written, {"value": value}))
    assert shape(filled) == shape(body)


@given(
    st.lists(st.text(min_size=1) | st.integers(0, 10**9 - 1), min_size=1, max_size=5).filter(
        lambda path: isinstance(path[0], str)
    )
)
def test_a_written_path_reads_back_as_itself(path):
    (expression,) = template.parse("{" + template.write_path(tuple(path)) + "}")
    assert expression.alternatives == (tuple(path),)


def test_completion_offers_what_begins_with_the_word_first():
    begin, offers = template.complete('{"value":"{envelope.f', 21, RECORD)
    assert begin == 11
    assert offers[0] == ("envelope.from", "billing@bad.example")


def test_completion_is_silent_outside_braces():
    assert template.complete("abc {guid} de", 12, RECORD)[1] == []
