"""The Actions tab: from a record to the exact bytes, one POST, the outcome, and back."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fakeactions import FakeActions, impact, responder
from fakedesk import row
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from pod_desktop import content
from pod_desktop.core.action import ADD, BLOCK, DELETE, FAILED, SAFE, UNDONE, UNKNOWN, Entry
from pod_desktop.core.clock import DAY, SystemClock
from pod_desktop.core.faults import Outage
from pod_desktop.core.guards import Surroundings
from pod_desktop.ui.actions.calls import Calls
from pod_desktop.ui.actions.tab import ActionsTab
from pod_desktop.ui.bridge import Record
from pod_desktop.ui.moments import Zone
from pod_desktop.ui.theme import Theme

RECORD = {
    "guid": "guid-1",
    "envelope": {"from": "billing@bad.example", "rcpts": ["j.meyer@acme.example", "t.ito@acme.example"]},
    "msg": {"parsedAddresses": {"from": ["ceo@acme.example"]}},
    "connection": {"ip": "185.220.101.7", "host": "mail.bad.example", "helo": "bad.example"},
    "filter": {"routeDirection": "inbound"},
}
HOSTILE = (
    '"},"action":"delete","value":"x',
    "a\u202eb@bad.example",
    "{envelope.rcpts[0]}@bad.example",
    "<b>x</b><img src='file:///etc/passwd'>@bad.example",
    "&File\n\r\t%n@bad.example",
    "a\u00a0b\u2028c@bad.example",
    "\U000e0041\u200b@bad.example",
    "x" * 300 + "@bad.example",
    "\\u0022\\@bad.example",
    "пример@пример.example",
)


def record(value: Any = None, seq: int = 1, **more: object) -> Record:
    shown = RECORD if value is None else value
    return Record(row=row(seq, 1_000_000, **more), raw=json.dumps(shown).encode(), value=shown)


@pytest.fixture
def calls() -> Iterator[Calls]:
    made = Calls()
    yield made
    assert made.stop()


@pytest.fixture
def actions() -> Iterator[FakeActions]:
    desk = FakeActions()
    yield desk
    desk.gate.set()


@pytest.fixture
def tab(qtbot: QtBot, worn: Theme, actions: FakeActions, calls: Calls) -> ActionsTab:
    made = ActionsTab(actions, calls, SystemClock(), Zone(utc=True))
    qtbot.addWidget(made)
    made.form._pause.setInterval(0)
    made.form._look.setInterval(0)
    made.resize(405, 760)
    made.show()
    return made


@pytest.fixture
def shown(qtbot: QtBot, tab: ActionsTab) -> Callable[..., ActionsTab]:
    """Shows a record and waits until its request is ready (or refused)."""

    def show(one: Record | None = None) -> ActionsTab:
        tab.show_record(one or record())
        ready(qtbot, tab)
        return tab

    return show


def ready(qtbot: QtBot, tab: ActionsTab) -> None:
    qtbot.waitUntil(lambda: tab.form.prepared is not None)


def looked(qtbot: QtBot, tab: ActionsTab) -> str:
    form = tab.form
    qtbot.waitUntil(lambda: form._standing is not None and form._impact is not None)
    return form.findings.words()


def body_of(tab: ActionsTab) -> dict[str, str]:
    assert tab.form.prepared is not None
    return json.loads(tab.form.prepared.request.body)


def press(qtbot: QtBot, tab: ActionsTab, times: int = 1) -> None:
    for _ in range(times):
        QTest.mouseClick(tab.form.submit_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not tab.form.busy)


# what is offered


def test_responders_of_the_record_s_tenant_and_of_all_tenants_are_offered(actions, shown) -> None:
    actions.connectors = [responder(0, "All Tenants"), responder(1, "acme"), responder(2, "other")]
    assert [card.connector.name for card in shown().cards.cards] == ["acme-block", "acme-safe"]


def test_without_a_responder_the_tab_says_how_to_create_one(qtbot, actions, tab) -> None:
    actions.connectors = [responder(0, "another tenant")]
    tab.show_record(record())
    qtbot.waitUntil(tab._none.isVisible)
    button = next(one for one in tab._none.findChildren(QPushButton) if one.text() == "Create responder")
    with qtbot.waitSignal(tab.createResponder):
        button.click()


def test_choosing_a_responder_fills_path_and_body_from_its_template(qtbot, shown) -> None:
    tab = shown()
    assert tab.form.fields.path_and_query.endswith("orgBlockList?clusterId={connector.cluster_id}")
    assert '"value": "{envelope.from}"' in tab.form.fields.body_text
    tab.cards.cards[3].click()
    ready(qtbot, tab)
    assert tab.form.prepared.request.url.endswith("orgSafeList?clusterId=acme_hosted")
    assert body_of(tab) == {
        "action": "delete", "attribute": "$from", "operator": "equal", "value": "billing@bad.example",
    }  # fmt: skip


def test_chips_offer_what_the_record_holds_and_explain_their_traps(qtbot, shown) -> None:
    tab = shown()
    chips = {chip.title: chip for chip in tab.form.fields.chips.chips}
    assert {"Envelope sender", "Header from", "Source IP", "Source host", "HELO name", "Recipient 2"} <= set(
        chips
    )
    chips["Header from"].click()
    assert "impersonated" in tab.form.fields.trap.accessibleName()
    ready(qtbot, tab)
    assert (body_of(tab)["attribute"], body_of(tab)["value"]) == ("$hfrom", "ceo@acme.example")


def test_pickers_offer_only_what_the_list_accepts_and_write_into_the_body(qtbot, shown) -> None:
    tab = shown()
    box = tab.form.fields.operator
    assert [box.itemData(at) for at in range(box.count())] == [
        "equal", "not_equal", "contain", "not_contain", "is_in_list",
    ]  # fmt: skip
    box.setCurrentIndex(2)
    ready(qtbot, tab)
    assert body_of(tab)["operator"] == "contain"
    tab.cards.cards[1].click()
    assert [box.itemData(at) for at in range(box.count())] == ["equal", "contain", "is_in_list"]


def test_pickers_follow_what_is_typed_into_the_body(qtbot, shown) -> None:
    tab = shown()
    edit = tab.form.fields.body_edit
    edit.set_text(edit.toPlainText().replace('"$from"', '"$ip"').replace("envelope.from", "connection.ip"))
    ready(qtbot, tab)
    assert tab.form.fields.attribute.currentData() == "$ip"
    assert tab.form.fields.chips.current().title == "Source IP"


def test_a_mail_log_record_is_acted_on_without_its_angle_brackets(shown) -> None:
    line = {"id": "q1", "sm": {"from": "<news@contoso.example>", "relay": "mx [192.0.2.7]"}, "data": ""}
    tab = shown(record(line, kind="maillog"))
    assert body_of(tab)["value"] == "news@contoso.example"


def test_a_delivery_line_has_no_recipient_or_relay_chosen_for_it(tab, qtbot) -> None:
    said = {"to": ["<ann@acme.example>"], "relay": "mx1.acme.example. [192.0.2.41]", "stat": "Sent"}
    tab.show_record(record({"id": "q2", "sm": said, "data": ""}, kind="maillog"))
    fields = tab.form.fields
    qtbot.waitUntil(lambda: fields.body_field.faulty)
    assert fields.chips.current() is None and "names no sender" in fields.trap.accessibleName()
    assert not tab.form.submit_button.isEnabled()
    assert [offer.title for offer in tab.offers()] == ["Recipient", "Relay IP", "Relay host"]


# what would be sent


def test_will_send_shows_the_bytes_that_are_sent(qtbot, actions, shown) -> None:
    tab = shown()
    request = tab.form.prepared.request
    assert tab.form.will_send.text.toPlainText() == f"POST {request.url}\n{request.body.decode()}"
    press(qtbot, tab)
    assert actions.posts[0].request == request


def test_a_missing_field_is_named_beside_its_editor_and_nothing_can_be_sent(qtbot, shown) -> None:
    tab = shown()
    tab.form.fields.body_edit.set_text(tab.form.fields.body_text.replace("envelope.from", "envelope.form"))
    qtbot.waitUntil(lambda: tab.form.fields.body_field.faulty)
    below = tab.form.fields.body_edit.accessibleDescription()
    assert "{envelope.form} is not in this record" in below and "{envelope.from}" in below
    assert not tab.form.submit_button.isEnabled()
    tab.form.fields.body_edit.set_text(tab.form.fields.body_text.replace("envelope.form", "envelope.from"))
    ready(qtbot, tab)
    assert not tab.form.fields.body_field.faulty


def test_a_path_that_leaves_the_list_is_refused_beside_its_editor(qtbot, shown) -> None:
    tab = shown()
    for bad in ("//evil.example/x?clusterId=acme_hosted", "/api/v1/../x?clusterId=acme_hosted", "/api/v1/x"):
        tab.form.fields.path_edit.set_text(bad)
        qtbot.waitUntil(lambda: tab.form.fields.path_field.faulty)
        assert not tab.form.submit_button.isEnabled()
        tab.form.fields.clear_faults()


def test_between_a_change_and_its_preview_nothing_can_be_sent(shown) -> None:
    tab = shown()
    assert tab.form.submit_button.isEnabled()
    tab.form.fields.body_edit.insertPlainText(" ")
    assert tab.form.prepared is None and not tab.form.submit_button.isEnabled()


@pytest.mark.parametrize("value", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_values_stay_one_value_of_the_body(qtbot, actions, shown, value) -> None:
    tab = shown(record({**RECORD, "envelope": {"from": value}}))
    body = body_of(tab)
    assert set(body) == {"action", "attribute", "operator", "value", "comment"}
    assert body["action"] == "add"
    assert body["value"] == content.bare(value)
    for chip in tab.form.fields.chips.chips:
        chip.click()
        ready(qtbot, tab)
        assert body_of(tab)["value"] == chip.offer.value


def test_look_alike_letters_are_told(qtbot, shown) -> None:
    words = looked(qtbot, shown(record({**RECORD, "envelope": {"from": "x@аpple.example"}})))
    assert "xn--" in words and "Cyrillic" in words


# what it would do


def test_lists_and_stored_messages_are_asked_before_anything_is_sent(qtbot, actions, shown) -> None:
    actions.impact_of = impact(1_204, 210, 3, ("j.meyer@acme.example", 2), ("t.ito@acme.example", 1))
    actions.held[SAFE] = [Entry(attribute="$from", operator="equal", value="BILLING@bad.example")]
    words = looked(qtbot, shown())
    assert "Not on the block list." in words and "on the safe list too" in words
    assert "1,204 stored messages of the last 30 days (210 of the last 7), 3 of them delivered" in words
    assert "t.ito@acme.example" in words


def test_an_entry_that_is_there_already_is_told(qtbot, actions, shown) -> None:
    actions.held[BLOCK] = [
        Entry(attribute="$from", operator="equal", value="billing@bad.example", comment="ticket 4711")
    ]
    words = looked(qtbot, shown())
    assert "Already on the block list" in words and "ticket 4711" in words


def test_a_list_that_cannot_be_read_is_told_and_sending_stays_possible(qtbot, actions, shown) -> None:
    actions.list_fault = Outage(
        "403: insufficient_scope", "acme-block", "Does this key have the permissions?"
    )
    tab = shown()
    assert "403: insufficient_scope" in looked(qtbot, tab)
    assert tab.form.submit_button.isEnabled()


def test_what_the_guards_refuse_cannot_be_sent_and_is_explained(qtbot, shown) -> None:
    tab = shown(record({**RECORD, "envelope": {"from": "com"}}))
    assert "Refused" in tab.form.findings.words() and "top-level domain" in tab.form.findings.words()
    assert not tab.form.submit_button.isEnabled() and not tab.form.fields.confirm.isVisibleTo(tab)


def test_ones_own_domain_is_sent_only_when_the_value_is_typed_again(qtbot, actions, shown) -> None:
    actions.around = Surroundings(own_domains=frozenset({"bad.example"}))
    tab = shown()
    assert "your own domain" in tab.form.findings.words()
    assert tab.form.fields.confirm.isVisibleTo(tab) and not tab.form.submit_button.isEnabled()
    QTest.keyClicks(tab.form.fields.confirm_edit, "billing@bad.exampl")
    assert not tab.form.submit_button.isEnabled()
    QTest.keyClicks(tab.form.fields.confirm_edit, "e")
    assert tab.form.submit_button.isEnabled()
    press(qtbot, tab)
    assert len(actions.posts) == 1


def test_a_confirmation_is_for_one_value_only(qtbot, actions, shown) -> None:
    actions.around = Surroundings(own_domains=frozenset({"bad.example"}))
    tab = shown()
    QTest.keyClicks(tab.form.fields.confirm_edit, "billing@bad.example")
    next(chip for chip in tab.form.fields.chips.chips if chip.title == "Sender domain").click()
    ready(qtbot, tab)
    assert tab.form.fields.confirm_edit.text() == "" and not tab.form.submit_button.isEnabled()


# sending


def test_a_double_click_is_one_post(qtbot, actions, shown) -> None:
    tab = shown()
    actions.gate.clear()
    for _ in range(3):
        QTest.mouseClick(tab.form.submit_button, Qt.MouseButton.LeftButton)
        QTest.mouseDClick(tab.form.submit_button, Qt.MouseButton.LeftButton)
        tab.form.submit()
    assert tab.form.busy and "In progress" in tab.form.outcome.accessibleName()
    actions.gate.set()
    qtbot.waitUntil(lambda: not tab.form.busy)
    assert len(actions.posts) == 1
    press(qtbot, tab, 3)
    assert len(actions.posts) == 1, "what has been done is not done again without a change"


def test_an_action_is_numbered_when_it_is_sent_not_when_the_form_opened(qtbot, actions, shown) -> None:
    tab = shown()
    later = actions.new_action_id()
    press(qtbot, tab)
    assert actions.history[-1].id > later, "the history goes by the number"


def test_the_outcome_appears_in_place_and_can_be_taken_back(qtbot, actions, shown) -> None:
    tab = shown()
    press(qtbot, tab)
    assert "Succeeded · 200 OK · 318 ms" in tab.form.outcome.accessibleName()
    assert [one.value for one in actions.held[BLOCK]] == ["billing@bad.example"]
    assert tab.form.outcome.next_button.text() == "Undo"
    tab.form.outcome.next_button.click()
    qtbot.waitUntil(lambda: len(actions.posts) == 2)
    qtbot.waitUntil(lambda: "Delete From Org Block List" in tab.form.outcome.accessibleName())
    assert actions.posts[1].action == DELETE and actions.posts[1].undoes == actions.posts[0].id
    assert actions.held[BLOCK] == [] and actions.history[1].status == UNDONE


def test_a_failure_is_shown_with_the_service_s_words_and_can_be_repeated(qtbot, actions, shown) -> None:
    actions.ending = {"status": FAILED, "http_status": 403, "message": "403: insufficient_scope"}
    tab = shown()
    press(qtbot, tab)
    said = tab.form.outcome.accessibleName()
    assert "Failed · 403 Forbidden" in said and "insufficient_scope" in said
    actions.ending = {}
    tab.form.outcome.next_button.click()
    qtbot.waitUntil(lambda: "Succeeded" in tab.form.outcome.accessibleName())
    assert len(actions.posts) == 2


def test_an_unknown_end_is_checked_and_never_sent_again(qtbot, actions, shown) -> None:
    actions.ending = {"status": UNKNOWN, "http_status": 0, "message": "No answer within 30 s."}
    tab = shown()
    press(qtbot, tab)
    assert tab.form.outcome.next_button.text() == "Check" and not tab.form.submit_button.isEnabled()
    actions.held[BLOCK].append(actions.posts[0].entry)
    tab.form.outcome.next_button.click()
    qtbot.waitUntil(lambda: "Succeeded" in tab.form.outcome.accessibleName())
    assert len(actions.posts) == 1


def test_what_could_not_be_submitted_is_told_and_may_be_tried_again(qtbot, actions, shown) -> None:
    actions.fault = Outage("The disk is full.", hint="Free some space.")
    tab = shown()
    press(qtbot, tab)
    assert "Nothing was sent" in tab.form.outcome.accessibleName()
    assert "The disk is full." in tab.form.outcome.accessibleName()
    actions.fault = None
    press(qtbot, tab)
    assert len(actions.posts) == 1


def test_an_awaited_outcome_stays_while_another_record_is_read(qtbot, actions, shown) -> None:
    tab = shown()
    actions.gate.clear()
    QTest.mouseClick(tab.form.submit_button, Qt.MouseButton.LeftButton)
    tab.show_record(record({**RECORD, "envelope": {"from": "other@x.example"}}, seq=2))
    ready(qtbot, tab)
    assert not tab.form.submit_button.isEnabled()
    actions.gate.set()
    qtbot.waitUntil(lambda: not tab.form.busy)
    assert "billing@bad.example" in tab.form.outcome.accessibleName()
    assert body_of(tab)["value"] == "other@x.example"
    assert tab.form.submit_button.isEnabled(), "the other record's action was never sent"


def test_remove_after_is_never_unless_chosen_and_counts_from_submit(qtbot, actions, shown) -> None:
    tab = shown()
    assert tab.form.footer.remove_after.expires == 0
    tab.form.footer.remove_after.choose_days(7)
    ready(qtbot, tab)
    before = SystemClock().now()
    press(qtbot, tab)
    assert before + 7 * DAY <= actions.posts[0].expires <= SystemClock().now() + 7 * DAY


def test_a_deletion_has_nothing_to_remove_after(qtbot, actions, shown) -> None:
    tab = shown()
    tab.form.footer.remove_after.choose_days(7)
    tab.cards.cards[2].click()
    ready(qtbot, tab)
    assert not tab.form.footer.remove_after.isVisible()
    press(qtbot, tab)
    assert actions.posts[0].expires == 0


def test_copy_as_curl_masks_the_token(shown) -> None:
    tab = shown()
    tab.form.footer.curl_button.click()
    copied = QGuiApplication.clipboard().text()
    assert copied.startswith("curl --request POST") and "billing@bad.example" in copied
    assert "$TOKEN" in copied


def test_submit_is_no_default_button_and_enter_sends_nothing(qtbot, actions, shown) -> None:
    tab = shown()
    assert not tab.form.submit_button.isDefault() and not tab.form.submit_button.autoDefault()
    fields = tab.form.fields
    for edit in (fields.path_edit, fields.comment_edit, fields.confirm_edit, fields.body_edit):
        QTest.keyClick(edit, Qt.Key.Key_Return)
    assert actions.posts == []


# from outside, and the keyboard


def test_safelist_sender_opens_the_same_form_filled(qtbot, tab) -> None:
    tab.show_record(record())
    tab.act(SAFE)
    ready(qtbot, tab)
    assert tab.cards.current().name == "acme-safe"
    assert tab.form.prepared.responder.list == SAFE and tab.form.prepared.responder.action == ADD


def test_the_form_can_be_walked_by_keyboard_alone(qtbot, actions, shown) -> None:
    tab = shown()
    looked(qtbot, tab)
    window = tab.window()
    window.activateWindow()
    tab.focus_first()
    names = []
    for _ in range(40):
        focused = window.focusWidget()
        name = focused.accessibleName()
        assert name, focused
        names.append(name)
        if focused is tab.form.submit_button:
            break
        QTest.keyClick(focused, Qt.Key.Key_Tab)
    assert names[-1] == "Submit", names
    at = [next(place for place, name in enumerate(names) if part in name) for part in (
        "Add to Org Block List", "Envelope sender", "Attribute", "Operator", "Path and Query", "JSON Body",
        "Will send", "Remove after", "curl", "Submit",
    )]  # fmt: skip
    assert at == sorted(at), names
    QTest.keyClick(tab.form.submit_button, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: len(actions.posts) == 1)


def test_arrows_move_between_cards(qtbot, shown) -> None:
    tab = shown()
    tab.cards.cards[0].setFocus()
    QTest.keyClick(tab.cards.cards[0], Qt.Key.Key_Right)
    assert tab.cards.current().name == "acme-safe"
    QTest.keyClick(tab.cards.cards[1], Qt.Key.Key_Left)
    assert tab.cards.current().name == "acme-block"


def test_no_record_text_reaches_buttons_or_menus(qtbot, shown) -> None:
    canary = "canary-9b1f"
    tab = shown(record({**RECORD, "envelope": {"from": f"{canary}@{canary}.example"}, "guid": canary}))
    looked(qtbot, tab)
    press(qtbot, tab)
    assert not [button.text() for button in tab.findChildren(QPushButton) if canary in button.text()]


def test_paths_of_the_record_are_completed_inside_braces(qtbot, shown) -> None:
    tab = shown()
    edit = tab.form.fields.comment_edit
    edit.setFocus()
    edit.set_text("")
    QTest.keyClicks(edit, "from {connection.i")
    assert edit.popup.isVisible()
    QTest.keyClick(edit, Qt.Key.Key_Return)
    assert edit.toPlainText() == "from {connection.ip}"
    ready(qtbot, tab)
    assert body_of(tab)["comment"] == "from 185.220.101.7"
