"""The Lists page: what the service holds, what we know of it, and changing many entries at once."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakeactions import FakeActions, an_action, responder
from fakedesk import row
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QPushButton
from pytestqt.qtbot import QtBot

from pace import quick
from pod_desktop.core.action import ADD, BLOCK, DELETE, FAILED, SAFE, Entry
from pod_desktop.core.clock import DAY, HOUR, SystemClock
from pod_desktop.core.faults import Outage
from pod_desktop.core.guards import Surroundings
from pod_desktop.services.bulk_left import Interrupted
from pod_desktop.ui.actions.calls import Calls
from pod_desktop.ui.actions.confirm import TypeAgain
from pod_desktop.ui.actions.desk import Selected
from pod_desktop.ui.lists.bulk import BulkDialog
from pod_desktop.ui.lists.bulk_input import read_values
from pod_desktop.ui.lists.entrydialog import EntryDialog
from pod_desktop.ui.lists.page import ListsPage
from pod_desktop.ui.moments import Zone
from pod_desktop.ui.theme import Theme


def entry(value: str, attribute: str = "$from", comment: str = "") -> Entry:
    return Entry(attribute=attribute, operator="equal", value=value, comment=comment)


@pytest.fixture
def actions() -> Iterator[FakeActions]:
    ours = entry("billing@bad.example", comment="POD Desktop g1")
    now = SystemClock().now()
    desk = FakeActions(history=[an_action(entry=ours, why="phishing wave", expires=now + 30 * DAY)])
    desk.held = {
        BLOCK: [ours, entry("zebra.example"), entry("a@zebra.example"), entry("news@contoso.example")],
        SAFE: [entry("news@contoso.example")],
    }
    yield desk
    desk.gate.set()


@pytest.fixture
def calls() -> Iterator[Calls]:
    made = Calls()
    yield made
    assert made.stop()


@pytest.fixture
def page(qtbot: QtBot, worn: Theme, actions: FakeActions, calls: Calls) -> ListsPage:
    made = ListsPage(actions, calls, SystemClock(), Zone(utc=True))
    qtbot.addWidget(made)
    made.resize(1290, 840)
    made.show()
    qtbot.waitUntil(lambda: made._lists is not None)
    return made


def values(page: ListsPage) -> list[str]:
    return [shown.entry.value for shown in page.model.rows]


def text(page: ListsPage, number: int, key: str) -> str:
    column = [one.key for one in page.model.columns].index(key)
    return page.model.index(number, column).data()


def opened(qtbot: QtBot, kind: type, page: ListsPage) -> object:
    qtbot.waitUntil(lambda: page.window().findChildren(kind) != [])
    return page.window().findChildren(kind)[-1]


def planned(qtbot: QtBot, page: ListsPage, pasted: str) -> BulkDialog:
    dialog = page.open_bulk(page._responders[0], pasted)
    qtbot.waitUntil(lambda: dialog._plan is not None)
    return dialog


def tabs(dialog: BulkDialog) -> list[str]:
    return [dialog.groups.tabText(at) for at in range(dialog.groups.count())]


# what is shown


def test_entries_are_shown_with_who_added_them_and_when_they_go(page) -> None:
    assert values(page)[0] == "billing@bad.example"
    assert [text(page, 0, key) for key in ("by", "why", "expires")] == [
        "m.keller",
        "phishing wave",
        "in 30 d",
    ]
    assert text(page, 1, "by") == "Elsewhere"
    assert [page.segments.tabText(at) for at in (0, 1)] == ["Org Block List (4)", "Org Safe List (1)"]


def test_conflicts_and_entries_that_others_cover_are_marked(page) -> None:
    assert text(page, 3, "mark") == "Conflict"
    assert text(page, 2, "mark") == "Covered"
    page.segments.setCurrentIndex(1)
    assert values(page) == ["news@contoso.example"] and text(page, 0, "mark") == "Conflict"


def test_search_and_filters_narrow_the_list(qtbot, page) -> None:
    page.search.setText("phishing")
    qtbot.waitUntil(lambda: values(page) == ["billing@bad.example"])
    page.search.clear()
    qtbot.waitUntil(lambda: len(values(page)) == 4)
    page.shown.choose("Added elsewhere", {"elsewhere": True})
    assert "billing@bad.example" not in values(page) and len(values(page)) == 3
    page.shown.choose("Conflicts", {"conflicts": True})
    assert values(page) == ["news@contoso.example"]


def test_a_column_sorts_up_then_down_then_not(page) -> None:
    first = values(page)
    page.table.sortAsked.emit("value")
    assert values(page) == sorted(first)
    page.table.sortAsked.emit("value")
    assert values(page) == sorted(first, reverse=True)
    page.table.sortAsked.emit("value")
    assert values(page) == first


def test_what_changed_since_the_last_look_is_told(qtbot, actions, page) -> None:
    actions.held[BLOCK] = [*actions.held[BLOCK][1:], entry("fresh@bad.example")]
    page.read()
    qtbot.waitUntil(lambda: "1 new and 1 gone" in page.notice.accessibleName())
    assert "billing@bad.example" in page.notice.accessibleName()
    page.shown.choose("New since last look", {"fresh": True})
    assert values(page) == ["fresh@bad.example"]


def test_a_list_that_cannot_be_read_says_why_and_can_be_read_again(qtbot, worn, actions, calls) -> None:
    actions.list_fault = Outage(
        "403: insufficient_scope", "acme-block", "Does this key have the permissions?"
    )
    page = ListsPage(actions, calls, SystemClock(), Zone())
    qtbot.addWidget(page)
    page.show()
    qtbot.waitUntil(lambda: "insufficient_scope" in page._state.accessibleName())
    actions.list_fault = None
    page._again.click()
    qtbot.waitUntil(lambda: len(values(page)) == 4)


def test_without_a_responder_the_page_says_how_to_create_one(qtbot, worn, actions, calls) -> None:
    actions.connectors = []
    page = ListsPage(actions, calls, SystemClock(), Zone())
    qtbot.addWidget(page)
    page.show()
    qtbot.waitUntil(page._no_responder.isVisible)
    with qtbot.waitSignal(page.createResponder):
        page._no_responder.findChild(QPushButton).click()
    actions.connectors = [responder(0)]
    page.refresh()
    qtbot.waitUntil(lambda: len(values(page)) == 4)


def test_clusters_can_be_chosen_where_there_are_several(qtbot, actions, page) -> None:
    assert not page.cluster.isVisible()
    actions.connectors.append(responder(0, "other", name="other-block", cluster_id="other_hosted"))
    page.refresh()
    qtbot.waitUntil(page.cluster.isVisible)
    assert [words for words, _ in page._clusters()] == ["acme_hosted · All Tenants", "other_hosted · other"]


# one entry


def test_an_entry_is_added_by_hand_with_the_same_form(qtbot, actions, page) -> None:
    page.add_entry()
    dialog = opened(qtbot, EntryDialog, page)
    assert isinstance(dialog, EntryDialog)
    qtbot.waitUntil(lambda: "type it first" in dialog.form.findings.words())
    assert not dialog.form.submit_button.isEnabled()
    QTest.keyClicks(dialog.form.fields.value_edit, "typed@bad.example")
    qtbot.waitUntil(dialog.form.submit_button.isEnabled)
    dialog.form.submit_button.click()
    qtbot.waitUntil(lambda: "typed@bad.example" in values(page))
    assert [post.action for post in actions.posts] == [ADD]


def test_an_entry_is_removed_through_the_form_filled_with_it(qtbot, actions, page) -> None:
    page.remove([page.model.rows[1]])
    dialog = opened(qtbot, EntryDialog, page)
    assert isinstance(dialog, EntryDialog)
    qtbot.waitUntil(dialog.form.submit_button.isEnabled)
    assert json.loads(dialog.form.prepared.request.body) == {
        "action": "delete", "attribute": "$from", "operator": "equal", "value": "zebra.example",
    }  # fmt: skip
    dialog.form.submit_button.click()
    qtbot.waitUntil(lambda: "zebra.example" not in values(page))


def test_an_entry_with_braces_and_hidden_characters_is_removed_exactly(qtbot, actions, page) -> None:
    odd = entry('{a|b}\u202e\u00a0"\\@bad.example')
    actions.held[BLOCK] = [odd]
    page.read()
    qtbot.waitUntil(lambda: len(values(page)) == 1)
    page.remove([page.model.rows[0]])
    dialog = opened(qtbot, EntryDialog, page)
    assert isinstance(dialog, EntryDialog)
    qtbot.waitUntil(lambda: dialog.form.prepared is not None)
    assert json.loads(dialog.form.prepared.request.body)["value"] == odd.value


# many entries


def test_pasted_values_are_split_before_anything_is_sent(qtbot, actions, page) -> None:
    actions.around = Surroundings(own_domains=frozenset({"acme.example"}))
    dialog = planned(
        qtbot, page, "one@bad.example\nbilling@bad.example\nboss@acme.example\ncom\n\n# a note\ntwo[@]bad[.]example\n"
    )  # fmt: skip
    assert tabs(dialog) == ["All 5", "New 2", "Already there 1", "To confirm 1", "Invalid 1"]
    assert dialog.send_button.text() == "Send 2" and not actions.posts
    dialog.groups.setCurrentIndex(4)
    (only,) = dialog.model.rows
    assert only.candidate.entry.value == "com" and "top-level" in only.candidate.why
    dialog.reject()


def test_a_run_sends_what_is_new_and_shows_each_result(qtbot, actions, page) -> None:
    dialog = planned(qtbot, page, "one@bad.example\nbilling@bad.example\ntwo@bad.example")
    dialog.remove_after.choose_days(7)
    dialog.send_button.click()
    dialog.send_button.click()
    dialog.send()
    qtbot.waitUntil(lambda: "Done: 2 of 2" in dialog.words.text())
    assert [post.entry.value for post in actions.posts] == ["one@bad.example", "two@bad.example"]
    assert all(post.expires for post in actions.posts)
    states = {shown.candidate.line: shown.status for shown in dialog.rows()}
    assert states == {1: "succeeded", 2: "", 3: "succeeded"}
    qtbot.waitUntil(lambda: "two@bad.example" in values(page))
    dialog.reject()


def test_a_run_can_be_paused_resumed_and_stopped(qtbot, actions, page) -> None:
    dialog = planned(qtbot, page, "\n".join(f"u{number}@bad.example" for number in range(6)))
    actions.gate.clear()
    dialog.send_button.click()
    qtbot.waitUntil(lambda: bool(actions.runs) and actions.runs[0].state == "running")
    assert not dialog.close_button.isEnabled() and not dialog.input.edit.isEnabled()
    dialog.pause_button.click()
    qtbot.waitUntil(lambda: dialog.pause_button.text() == "Resume")
    dialog.pause_button.click()
    qtbot.waitUntil(lambda: dialog.pause_button.text() == "Pause")
    dialog.stop_button.click()
    qtbot.waitUntil(lambda: actions.runs[0].state == "cancelled")
    actions.gate.set()
    qtbot.waitUntil(lambda: not dialog._running)
    assert "Stopped: 0 of 6" in dialog.words.text() and not actions.posts
    dialog.reject()


def test_closing_a_running_dialog_stops_the_run_and_shows_what_was_done(qtbot, actions, page) -> None:
    dialog = planned(qtbot, page, "a1@bad.example\na2@bad.example")
    actions.gate.clear()
    dialog.send_button.click()
    qtbot.waitUntil(lambda: bool(actions.runs) and dialog._run is not None)
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    assert dialog.isVisible()
    qtbot.waitUntil(lambda: actions.runs[0].state == "cancelled")
    actions.gate.set()
    qtbot.waitUntil(lambda: not dialog._running)
    dialog.reject()


def test_a_run_that_was_broken_off_is_shown_and_gone_on_with(qtbot, actions, page) -> None:
    assert not page.interrupted.isVisible()
    actions.leave(responder(0), [f"u{number}@bad.example" for number in range(5)], 2)
    page.read()
    qtbot.waitUntil(page.interrupted.isVisible)
    (notice,) = page.interrupted.notices
    assert "2 of 5 done, interrupted" in notice.accessibleName()
    assert "through acme-block" in notice.accessibleName() and "by m.keller" in notice.accessibleName()
    resume, _ = notice.findChildren(QPushButton)
    resume.click()
    dialog = opened(qtbot, BulkDialog, page)
    assert isinstance(dialog, BulkDialog)
    assert dialog.send_button.text() == "Send 3" and not dialog.input.isVisible() and not actions.posts
    assert [shown.status for shown in dialog.rows()] == ["succeeded", "succeeded", "", "", ""]
    dialog.send_button.click()
    dialog.send()
    qtbot.waitUntil(lambda: "Done: 5 of 5" in dialog.words.text())
    assert [post.entry.value for post in actions.posts] == [f"u{number}@bad.example" for number in (2, 3, 4)]
    assert not dialog.send_button.isVisible()
    dialog.reject()
    qtbot.waitUntil(lambda: not page.interrupted.isVisible())


def test_a_resumed_run_that_is_stopped_can_be_gone_on_with_from_the_same_dialog(qtbot, actions, page) -> None:
    run = actions.leave(responder(0), [f"u{number}@bad.example" for number in range(3)], 1)
    page.interrupted.resume(_only(qtbot, page))
    dialog = opened(qtbot, BulkDialog, page)
    assert isinstance(dialog, BulkDialog)
    actions.gate.clear()
    dialog.send_button.click()
    qtbot.waitUntil(lambda: run.state == "running")
    dialog.stop_button.click()
    qtbot.waitUntil(lambda: run.state == "cancelled")
    actions.gate.set()
    qtbot.waitUntil(lambda: not dialog._running)
    assert dialog.send_button.isVisible() and dialog.send_button.text() == "Send 2"
    dialog.send_button.click()
    qtbot.waitUntil(lambda: "Done: 3 of 3" in dialog.words.text())
    dialog.reject()


def test_what_is_left_of_a_run_is_given_up_after_one_question(qtbot, actions, page) -> None:
    actions.leave(responder(0), ["a@bad.example", "b@bad.example"], 1)
    page.interrupted.ask_discard(_only(qtbot, page)).reject()
    assert len(actions.left) == 1
    question = page.interrupted.ask_discard(_only(qtbot, page))
    assert "1 values are not sent" in question.accessibleName()
    question.way_on.click()
    qtbot.waitUntil(lambda: not page.interrupted.isVisible())
    assert not actions.left and not actions.posts


def test_a_run_that_cannot_go_on_says_why(qtbot, actions, page) -> None:
    actions.leave(responder(0), ["a@bad.example", "b@bad.example"], 1)
    run = _only(qtbot, page)
    actions.left.clear()
    page.interrupted.resume(run)
    qtbot.waitUntil(lambda: "no such bulk run" in page.interrupted.fault.accessibleName())


def _only(qtbot: QtBot, page: ListsPage) -> Interrupted:
    page.interrupted.refresh()
    qtbot.waitUntil(lambda: bool(page.interrupted._runs))
    (run,) = page.interrupted._runs or []
    return run


def test_a_doubtful_value_is_sent_only_after_it_was_typed(qtbot, actions, page) -> None:
    actions.around = Surroundings(own_domains=frozenset({"acme.example"}))
    dialog = planned(qtbot, page, "boss@acme.example")
    assert not dialog.send_button.isEnabled()
    dialog.table.selectRow(0)
    QTest.keyClick(dialog.table, Qt.Key.Key_Return)
    (again,) = dialog.findChildren(TypeAgain)
    QTest.keyClicks(again.edit, "boss@acme.example")
    again.go_button.click()
    qtbot.waitUntil(lambda: dialog.send_button.text() == "Send 1" and dialog.send_button.isEnabled())
    dialog.send_button.click()
    qtbot.waitUntil(lambda: len(actions.posts) == 1)
    qtbot.waitUntil(lambda: not dialog._running)
    dialog.reject()


def test_failures_are_shown_row_by_row(qtbot, actions, page) -> None:
    actions.ending = {"status": FAILED, "http_status": 403, "message": "403: insufficient_scope"}
    dialog = planned(qtbot, page, "a@bad.example")
    dialog.send_button.click()
    qtbot.waitUntil(lambda: "1 failed" in dialog.words.text())
    assert dialog.model.rows[0].message == "403: insufficient_scope"
    dialog.reject()


def test_each_value_has_its_exact_request_shown(qtbot, page) -> None:
    dialog = planned(qtbot, page, "a@bad.example")
    dialog.table.selectRow(0)
    qtbot.waitUntil(lambda: '"value":"a@bad.example"' in dialog.will_send.text.toPlainText())
    qtbot.waitUntil(lambda: "Not on the block list" in dialog.findings.words())
    dialog.reject()


def test_several_selected_entries_are_removed_in_one_run(qtbot, actions, page) -> None:
    page.table.selectAll()
    page._key_pressed(Qt.Key.Key_Delete)
    dialog = opened(qtbot, BulkDialog, page)
    assert isinstance(dialog, BulkDialog)
    qtbot.waitUntil(lambda: dialog._plan is not None)
    assert dialog.send_button.text() == "Remove 4" and not dialog.remove_after.isVisible()
    dialog.send_button.click()
    qtbot.waitUntil(lambda: actions.held[BLOCK] == [])
    assert {post.action for post in actions.posts} == {DELETE}
    qtbot.waitUntil(lambda: not dialog._running)
    dialog.reject()


def test_selected_records_become_one_request_for_each_distinct_value(qtbot, actions, page) -> None:
    rows = tuple(
        row(number, 1, sender=sender)
        for number, sender in enumerate(("a@x.example", "A@x.example", "b@y.example"))
    )
    dialog = page.open_bulk(page._responders[0], Selected(rows=rows))
    qtbot.waitUntil(lambda: dialog._plan is not None)
    assert [(shown.candidate.entry.value, shown.candidate.records) for shown in dialog.model.rows] == [
        ("a@x.example", 2), ("b@y.example", 1),
    ]  # fmt: skip
    dialog.input.attribute.setCurrentIndex(1)
    qtbot.waitUntil(
        lambda: [shown.candidate.entry.value for shown in dialog.rows()] == ["@x.example", "@y.example"]
    )
    dialog.reject()


def test_a_plan_that_cannot_be_made_says_why(qtbot, actions, page) -> None:
    actions.list_fault = Outage("503: try later", "acme-block")
    dialog = page.open_bulk(page._responders[0], "a@bad.example")
    qtbot.waitUntil(lambda: "503" in dialog.notice.accessibleName())
    assert not dialog.send_button.isEnabled()
    dialog.reject()


def test_files_are_read_in_the_encodings_that_people_have(tmp_path: Path) -> None:
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "cp1252"):
        (tmp_path / encoding).write_bytes("müller@bad.example\n".encode(encoding))
        assert read_values(tmp_path / encoding) == "müller@bad.example\n"
    (tmp_path / "large").write_bytes(b"x" * 10_000_001)
    for bad in (tmp_path / "large", tmp_path / "missing"):
        with pytest.raises(Outage):
            read_values(bad)


def test_a_file_fills_the_values(qtbot, page, tmp_path: Path) -> None:
    (tmp_path / "values.csv").write_text("attribute,value\n$ip,192.0.2.77\n$from,x@bad.example\n")
    dialog = page.open_bulk(page._responders[0])
    dialog.input.open_file(tmp_path / "values.csv")
    qtbot.waitUntil(lambda: dialog.send_button.text() == "Send 2")
    dialog.input.open_file(tmp_path / "missing.csv")
    assert "cannot be read" in dialog.notice.accessibleName()
    dialog.reject()


# export, hostile text


def test_what_is_shown_is_exported_and_taken_back_by_paste(qtbot, page, tmp_path: Path) -> None:
    page.export_to(tmp_path / "block.csv", "csv")
    page.export_to(tmp_path / "block.ndjson", "ndjson")
    qtbot.waitUntil(lambda: (tmp_path / "block.csv").exists() and (tmp_path / "block.ndjson").exists())
    written = (tmp_path / "block.csv").read_text(encoding="utf-8")
    assert [line["value"] for line in csv.DictReader(written.splitlines())] == values(page)
    assert len((tmp_path / "block.ndjson").read_text().splitlines()) == 4
    dialog = planned(qtbot, page, written)
    assert tabs(dialog)[:3] == ["All 4", "New 0", "Already there 4"]
    dialog.reject()


@pytest.mark.parametrize(
    "poison", ["<b>x</b><img src='file:///dev/zero'>", "\u202egpj.exe", "A" * 5_000_000, "word " * 200_000]
)
def test_hostile_entries_are_shown_as_they_are(qtbot, actions, page, poison) -> None:
    actions.held[BLOCK] = [entry(poison, comment=poison)]
    page.read()
    qtbot.waitUntil(lambda: len(page.model.rows) == 1 and len(values(page)) == 1)
    page.table.grab()
    assert len(text(page, 0, "value")) <= 512
    dialog = planned(qtbot, page, poison)
    dialog.table.selectRow(0)
    dialog.grab()
    page.remove([page.model.rows[0]])
    opened(qtbot, EntryDialog, page).grab()
    for label in (*page.findChildren(QLabel), *dialog.findChildren(QLabel)):
        assert label.textFormat() == Qt.TextFormat.PlainText and len(label.text()) < 10_000
    dialog.reject()


def test_fifty_thousand_entries_do_not_hold_the_window_up(qtbot, actions, page, qapp: QApplication) -> None:
    actions.held[BLOCK] = [entry(f"user{number}@domain{number % 700}.example") for number in range(50_000)]
    page.read()
    qtbot.waitUntil(lambda: len(page.model.rows) == 50_000)
    with quick(1.0):
        page.table.scrollToBottom()
        page.table.grab()


def test_the_page_and_its_dialog_can_be_walked_by_keyboard(qtbot, page) -> None:
    page.window().activateWindow()
    page.focus_first()
    dialog = planned(qtbot, page, "a@bad.example")
    dialog.activateWindow()
    dialog.input.edit.setFocus()
    names = set()
    for _ in range(20):
        focused = dialog.focusWidget()
        names.add(focused.accessibleName())
        QTest.keyClick(focused, Qt.Key.Key_Tab)
    assert {"Values, required", "Attribute", "Values", "Close", "Send 1 entries"} <= names
    assert not dialog.send_button.isDefault() and not dialog.send_button.autoDefault()
    dialog.reject()


def test_the_time_of_the_last_look_is_in_words(qtbot, actions, page) -> None:
    actions.looks[BLOCK] = (SystemClock().now() - 2 * HOUR, [])
    page.read()
    qtbot.waitUntil(lambda: "2 h ago: 4 new" in page.notice.accessibleName())
