"""An action before it is sent: structure that no value can change, and requests that people can check."""

import json
import shutil
import subprocess

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pod_desktop import responders, template
from pod_desktop.core.action import BLOCK, Entry, Request
from pod_desktop.core.faults import UserFault
from pod_desktop.core.guards import Surroundings
from pod_desktop.core.responder import TYPES, RespondConnector
from pod_desktop.services.bulk_plan import check_pickers
from pod_desktop.services.prepare import (
    as_curl,
    body_for,
    body_with,
    comment_left,
    literal,
    prepare,
    prepare_entry,
    scope_of,
    shown_request,
)

CONNECTOR = RespondConnector(name="block", tenant="Acme", type=TYPES[0], cluster_id="acme_hosted")
RESPONDER = responders.RESPONDERS[TYPES[0]]
HOSTILE = (
    '"', '","action":"delete', "\\", "\n\r\t", "\x00\x07\x1b[31m", "{envelope.from}", "{{", "}", "%s%n", "\u2028\u202e",
    "'; rm -rf / #", "$(id)", "`id`", "</script>", "a" * 400, "😀", "&clusterId=other", "../../..", "\ufeff",
)  # fmt: skip
TEXT = st.text(max_size=60) | st.sampled_from(HOSTILE)
LEAF = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT
RECORD = st.dictionaries(
    TEXT | st.sampled_from(["envelope", "msg", "connector", "connector.cluster_id", "sm"]),
    st.recursive(LEAF, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3), max_leaves=6),
    max_size=4,
)  # fmt: skip


def shape(value):
    """The structure without what strings hold."""
    if isinstance(value, dict):
        return {key: shape(child) for key, child in value.items()}
    if isinstance(value, list):
        return [shape(child) for child in value]
    return str if isinstance(value, str) else value


@given(record=RECORD, data=st.data())
def test_whatever_a_record_holds_a_filled_body_is_json_of_the_templates_structure(record, data):
    scope = scope_of(record, CONNECTOR)
    paths = [f"{{{template.write_path(path)}}}" for path, _ in template.paths_of(scope)]
    pieces = st.sampled_from([*paths, "plain", '"', "{{", "}}", "\\", "\n"])
    written = data.draw(
        st.recursive(
            st.lists(pieces, max_size=3).map("".join) | st.booleans() | st.integers() | st.none(),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    TEXT.map(lambda key: key.replace("{", "").replace("}", "")), inner, max_size=3
                )
            ),
            max_leaves=5,
        )
    )
    text = json.dumps(written)
    try:
        filled = template.fill_body(text, scope)
    except UserFault:
        return
    assert shape(json.loads(filled)) == shape(written)


@given(value=TEXT, comment=TEXT)
@example(value="x{y}@bad.test", comment="{envelope.from}")
def test_a_literal_entry_is_sent_exactly_as_it_is(value, comment):
    entry = Entry(attribute="$from", operator="equal", value=value, comment=comment[:150])
    try:
        prepared = prepare_entry(CONNECTOR, entry, around=Surroundings())
    except UserFault:
        assert any(0xD800 <= ord(char) < 0xE000 for char in value + comment)
        return
    assert prepared.entry == entry
    sent = json.loads(prepared.request.body)
    assert (sent["value"], sent.get("comment", "")) == (value, entry.comment)
    assert set(sent) <= {"action", "attribute", "operator", "value", "comment"}
    assert prepared.request.url.endswith("orgBlockList?clusterId=acme_hosted")


@given(value=TEXT)
def test_a_records_value_cannot_change_the_address_or_the_action(value):
    scope = scope_of({"envelope": {"from": value}, "connector": {"cluster_id": value}}, CONNECTOR)
    try:
        prepared = prepare(
            CONNECTOR, path_and_query=RESPONDER.path_and_query,
            body=RESPONDER.body(value="{envelope.from}").replace("POD Desktop {guid | id}", "x"),
            scope=scope, around=Surroundings(),
        )  # fmt: skip
    except UserFault:
        return
    sent = json.loads(prepared.request.body)
    assert sent["action"] == "add"
    assert prepared.request.url == f"{CONNECTOR.origin}{responders.LIST_PATHS[BLOCK]}?clusterId=acme_hosted"


def test_a_record_cannot_pass_for_the_connector_or_the_playbook():
    record = {
        "connector.cluster_id": "other",
        "connector[0]": "x",
        "connector": {"name": "y"},
        "playbook": {"name": "z"},
    }
    scope = scope_of(record, CONNECTOR, playbook="Wave")
    filled = template.fill_text("{connector.cluster_id} {connector.name} {playbook.name}", scope)
    assert filled == "acme_hosted block Wave"
    assert "playbook" not in scope_of(record, CONNECTOR)


def test_secrets_are_nowhere_in_what_expressions_reach():
    paths = {template.write_path(path) for path, _ in template.paths_of(scope_of({}, CONNECTOR))}
    assert paths == {"connector.name", "connector.tenant", "connector.cluster_id", "connector.hostname"}


def test_mail_log_addresses_lose_their_brackets_in_templates():
    scope = scope_of({"id": "m1", "sm": {"from": "<a@b.test>", "to": ["<c@d.test>"]}}, CONNECTOR)
    prepared = prepare(
        CONNECTOR, path_and_query=RESPONDER.path_and_query, body=RESPONDER.body(), scope=scope,
        around=Surroundings(), tenant="Acme",
    )  # fmt: skip
    assert (prepared.entry.value, prepared.entry.comment) == ("a@b.test", "POD Desktop m1")
    with pytest.raises(UserFault, match=r"sm\.form.*\{sm\.from\}"):
        template.fill_text("{sm.form}", scope)


def test_a_responder_of_another_tenant_refuses():
    with pytest.raises(UserFault, match="Globex"):
        prepare_entry(
            CONNECTOR, Entry(attribute="$from", operator="equal", value="a@b.test"), around=Surroundings(),
            tenant="Globex",
        )  # fmt: skip


@pytest.mark.skipif(shutil.which("bash") is None, reason="the command is for a shell")
@pytest.mark.parametrize("value", [one for one in HOSTILE if "\x00" not in one])
def test_the_copied_command_sends_the_very_bytes_and_no_token(value):
    body = json.dumps({"value": value}, ensure_ascii=False).encode("utf-8", "surrogatepass")
    url = "https://api.test/api/v1/x?clusterId=a'b"
    command = as_curl(Request(method="POST", url=url, body=body, digest=""))
    assert command.isprintable() or set(command) - set("\n") == set(command.replace("\n", ""))
    assert all(char.isprintable() or char == "\n" for char in command)
    assert '"Authorization: Bearer $TOKEN"' in command
    script = f"curl() {{ printf '%s\\0' \"$@\"; }}; TOKEN=t; {command}"
    said = subprocess.run(["bash", "-c", script], capture_output=True, check=True).stdout.split(b"\0")
    assert said[said.index(b"--data-raw") + 1] == body
    assert url.encode() in said


def test_what_is_shown_is_the_request_with_the_token_masked():
    prepared = prepare_entry(
        CONNECTOR, Entry(attribute="$from", operator="equal", value="a@b.test"), around=Surroundings()
    )
    shown = shown_request(prepared.request)
    assert shown.endswith(prepared.request.body.decode()) and "Bearer ********" in shown
    assert prepared.request.url in shown


def test_bodies_of_pickers_and_literals():
    entry = Entry(attribute="$from", operator="equal", value="{x}", comment="")
    assert "comment" not in json.loads(body_for(RESPONDER, entry))
    delete = responders.RESPONDERS[TYPES[2]]
    body = json.loads(
        body_with(delete, attribute="$ip", operator="equal", value="{connection.ip}", comment="c")
    )
    assert body == {"action": "delete", "attribute": "$ip", "operator": "equal", "value": "{connection.ip}"}
    assert template.fill_text(literal("{a}}"), {}) == "{a}}"
    assert (comment_left("x" * 150), comment_left("x" * 151)) == (0, -1)


@pytest.mark.parametrize(
    ("which", "attribute", "operator"), [("safe", "$from", "not_equal"), ("block", "$x", "equal")]
)
def test_pickers_take_what_the_list_takes(which, attribute, operator):
    check_pickers("block", "$from", "not_equal")
    with pytest.raises(UserFault):
        check_pickers(which, attribute, operator)
