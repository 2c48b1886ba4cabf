"""The Action History: what it shows, how it is filtered, and what can be done about an action."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakeactions import FakeActions, an_action
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QMenu, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from pod_desktop.core.action import (
    ADD,
    BLOCK,
    DELETE,
    FAILED,
    HELD,
    IN_PROGRESS,
    SAFE,
    SUCCEEDED,
    UNDONE,
    UNKNOWN,
    Action,
    Entry,
)
from pod_desktop.core.clock import DAY, SystemClock
from pod_desktop.core.faults import Outage
from pod_desktop.ui.actions.calls import Calls
from pod_desktop.ui.actions.confirm import TypeAgain
from pod_desktop.ui.history.page import HistoryPage
from pod_desktop.ui.moments import Zone
from pod_desktop.ui.rail import WIDTH
from pod_desktop.ui.theme import Theme


def entry(value: str) -> Entry:
    return Entry(attribute="$from", operator="equal", value=value)


@pytest.fixture
def actions() -> FakeActions:
    return FakeActions(
        history=[
            an_action(entry=entry("billing@bad.example"), expires=SystemClock().now() + 30 * DAY),
            an_action(entry=entry("ceo@bad.example"), actor="playbook Wire fraud"),
            an_action(
                entry=entry("news@contoso.example"), responder="acme-safe", list=SAFE, status=FAILED,
                http_status=403, message="403: insufficient_scope", response='{"error": "insufficient_scope"}',
            ),
            an_action(entry=entry("x9@mailer.example"), status=UNKNOWN, http_status=0, message="No answer.", ended=0),
            an_action(entry=entry("old@bad.example"), status=UNDONE, undone_by="abc"),
        ]
    )  # fmt: skip


@pytest.fixture
def page(qtbot: QtBot, worn: Theme, actions: FakeActions) -> Iterator[HistoryPage]:
    calls = Calls()
    made = HistoryPage(actions, calls, SystemClock(), Zone(utc=True))
    qtbot.addWidget(made)
    made.resize(1290, 840)
    made.show()
    qtbot.waitUntil(lambda: made._loaded)
    yield made
    made._tick.stop()
    assert calls.stop()


def values(page: HistoryPage) -> list[str]:
    return [action.entry.value for action in page.model.rows]


def choose(qtbot: QtBot, page: HistoryPage, action: Action) -> None:
    page.table.choose(action.id)
    qtbot.waitUntil(lambda: page.detail._detail is not None and page.detail._detail.action.id == action.id)


def text(page: HistoryPage, row: int, key: str) -> str:
    column = [one.key for one in page.model.columns].index(key)
    return page.model.index(row, column).data()


def test_each_row_says_who_did_what_and_how_it_ended(page) -> None:
    assert [text(page, 0, key) for key in ("by", "responder", "action", "value", "status", "http", "took")] == [
        "m.keller", "acme-block", "Add to Org Block List", "billing@bad.example", "Succeeded", "200 OK", "318 ms",
    ]  # fmt: skip
    assert text(page, 0, "expires") == "in 30 d"
    assert text(page, 1, "by") == "playbook: Wire fraud"
    assert [text(page, row, "next") for row in range(5)] == ["Undo", "Undo", "Retry", "Check", ""]
    assert text(page, 2, "http") == "403 Forbidden"


def test_steps_of_any_process_appear_by_themselves(qtbot, actions, page) -> None:
    actions.history.insert(0, an_action(entry=entry("fresh@bad.example"), status=IN_PROGRESS, ended=0))
    actions.touch()
    qtbot.waitUntil(lambda: values(page)[0] == "fresh@bad.example")
    assert text(page, 0, "status") == "In progress"


def test_what_is_read_stays_where_it_is_when_rows_arrive(qtbot, actions, page) -> None:
    chosen = actions.history[2]
    choose(qtbot, page, chosen)
    actions.history.insert(0, an_action(entry=entry("fresh@bad.example")))
    actions.touch()
    qtbot.waitUntil(lambda: len(values(page)) == 6)
    assert page.table.current().id == chosen.id
    assert page.detail._action.id == chosen.id


def test_failed_and_unknown_actions_are_counted_until_somebody_cares(qtbot, actions, page) -> None:
    seen: list[int] = []
    page.troubled.connect(seen.append)
    actions.touch()
    qtbot.waitUntil(lambda: seen == [2])
    again = an_action(entry=entry("news@contoso.example"), list=SAFE, status=SUCCEEDED)
    actions.history.insert(0, again)
    actions.touch()
    qtbot.waitUntil(lambda: seen[-1] == 1)


def test_the_detail_shows_request_response_and_why(qtbot, actions, page) -> None:
    choose(qtbot, page, actions.history[2])
    detail = page.detail
    assert "orgBlockList?clusterId=acme_hosted" in detail.request.toPlainText()
    assert "Authorization: Bearer ********" in detail.request.toPlainText()
    assert '{"error": "insufficient_scope"}' in detail.response.toPlainText()
    assert "not allowed" in detail.verdict.accessibleName()
    assert "Intent committed." in detail.steps.text()
    assert detail.retry_button.isVisibleTo(page) and not detail.undo_button.isVisibleTo(page)


# filters


def test_filters_and_search_narrow_what_is_shown(qtbot, page) -> None:
    page.filters.status.choose("Failed", FAILED)
    assert values(page) == ["news@contoso.example"]
    page.filters.status.reset()
    page.filters.by.choose("Playbooks", "playbook")
    assert values(page) == ["ceo@bad.example"]
    page.filters.by.reset()
    page.filters.responder.choose("acme-safe", "acme-safe")
    assert values(page) == ["news@contoso.example"]
    page.filters.responder.reset()
    QTest.keyClicks(page.filters.search, "mailer no")
    qtbot.waitUntil(lambda: values(page) == ["x9@mailer.example"])


def test_widths_that_were_given_to_columns_are_there_again(qtbot, page, preferences) -> None:
    def width(key: str) -> int:
        return page.table.columnWidth([one.key for one in page.model.columns].index(key))

    def drag(key: str, wide: int) -> None:
        page.table.horizontalHeader().resizeSection([one.key for one in page.model.columns].index(key), wide)

    page.remember(preferences)
    before = {key: width(key) for key in ("by", "value", "message")}
    drag("by", before["by"] + 60)
    assert width("value") < before["value"], "what stretches makes room"
    drag("value", 120)
    assert preferences.data("history/columns") == {"by": before["by"] + 60, "value": 120}
    page.resize(page.width() - 40, page.height())
    assert (width("by"), width("value")) == (before["by"] + 60, 120)

    preferences.use_profile("Nights")
    drag("value", 333)
    preferences.use_profile("")
    page.recall()
    assert (width("by"), width("value")) == (before["by"] + 60, 120)
    page.table.horizontalHeader().sectionHandleDoubleClicked.emit(
        [one.key for one in page.model.columns].index("by")
    )
    assert width("by") == before["by"]
    preferences.set_data("history/columns", {"by": "wide", "nothing": 5, "took": 10**9})
    page.recall()
    assert width("by") == before["by"]


def test_a_search_without_a_match_says_so_and_comes_back(qtbot, page) -> None:
    page.filters.search.setText("nobody")
    qtbot.waitUntil(page._no_match.isVisible)
    page.filters.clear()
    qtbot.waitUntil(page.table.isVisible)
    assert len(values(page)) == 5


def test_an_action_that_is_asked_for_is_shown_whatever_the_filters_say(qtbot, actions, page) -> None:
    page.filters.status.choose("Failed", FAILED)
    page.show_action(actions.history[4].id)
    qtbot.waitUntil(
        lambda: page.table.current() is not None and page.table.current().id == actions.history[4].id
    )


def test_menus_offer_the_names_that_there_are(page) -> None:
    page.filters.responder.menu().aboutToShow.emit()
    assert [one.text() for one in page.filters.responder.menu().actions()] == [
        "Any responder", "acme-block", "acme-safe",
    ]  # fmt: skip


# what can be done


def test_undo_makes_a_row_of_its_own_that_names_the_first(qtbot, actions, page) -> None:
    first = actions.history[0]
    choose(qtbot, page, first)
    page.detail.undo_button.click()
    qtbot.waitUntil(lambda: len(values(page)) == 6)
    assert actions.posts[0].action == DELETE and actions.posts[0].undoes == first.id
    qtbot.waitUntil(lambda: page.table.current().id == actions.posts[0].id)
    assert text(page, 1, "status") == "Undone"


def test_the_link_at_the_end_of_a_row_does_what_it_says(qtbot, actions, page) -> None:
    column = len(page.model.columns) - 1
    place = page.table.visualRect(page.model.index(3, column))
    QTest.mouseClick(page.table.viewport(), Qt.MouseButton.LeftButton, pos=place.center())
    qtbot.waitUntil(lambda: text(page, 3, "status") == "Failed")
    assert not actions.posts, "a check sends nothing"


def test_a_retry_is_sent_only_after_the_value_was_typed_where_a_guard_asks(qtbot, actions, page) -> None:
    actions.retry_reasons = "contoso.example is your own domain."
    choose(qtbot, page, actions.history[2])
    page.detail.retry_button.click()
    qtbot.waitUntil(lambda: page.findChildren(TypeAgain) != [])
    (dialog,) = page.findChildren(TypeAgain)
    assert not dialog.go_button.isEnabled() and not actions.posts
    QTest.keyClicks(dialog.edit, "news@contoso.example")
    dialog.go_button.click()
    qtbot.waitUntil(lambda: len(actions.posts) == 1)


def test_what_cannot_be_done_is_said_beside_the_action(qtbot, actions, page, monkeypatch) -> None:
    async def refuse(_action_id: str) -> Action:
        raise Outage("No responder can do this.", hint="Add one.")

    monkeypatch.setattr(actions, "undo", refuse)
    choose(qtbot, page, actions.history[0])
    page.detail.undo_button.click()
    qtbot.waitUntil(lambda: "No responder can do this. Add one." in page.detail.verdict.accessibleName())
    assert page.detail.undo_button.isEnabled()


def test_remove_after_can_be_changed_and_cancelled(qtbot, actions, page) -> None:
    choose(qtbot, page, actions.history[0])
    page.detail.remove_after.choose_days(7)
    qtbot.waitUntil(lambda: len(actions.expiries) == 1)
    assert abs(actions.expiries[0][1] - SystemClock().now() - 7 * DAY) < DAY
    qtbot.waitUntil(lambda: text(page, 0, "expires") == "in 7 d")
    page.detail.remove_after.choose_days(0)
    qtbot.waitUntil(lambda: [expires for _, expires in actions.expiries][1:] == [0])


def test_the_record_can_be_opened(qtbot, actions, page) -> None:
    choose(qtbot, page, actions.history[0])
    with qtbot.waitSignal(page.openRecord) as heard:
        page.detail.record_button.click()
    assert heard.args == ["message:guid-1"]


def test_a_history_that_was_changed_is_told(qtbot, actions, page) -> None:
    choose(qtbot, page, actions.history[0])
    page.detail.verify_button.click()
    qtbot.waitUntil(lambda: "Unchanged" in page.detail.verified.text())
    actions.chain = "Action history: event 3 (action abc) was changed."
    page.detail.verify_button.click()
    qtbot.waitUntil(lambda: "event 3" in page.notice.accessibleName())


def test_held_actions_have_a_segment_only_when_somebody_fills_it(page) -> None:
    assert page.segments.count() == 1
    view = QWidget()
    page.show_held(view, 3)
    page.show_held(view, 2)
    assert [page.segments.tabText(at) for at in range(2)] == ["Webhook Actions", "Held (2)"]
    page.show_held(view, 239)
    page.segments.setCurrentIndex(0)
    page.resize(1_100 - WIDTH, 600)
    page.layout().activate()
    assert page.segments.width() >= page.segments.sizeHint().width()
    page.segments.setCurrentIndex(1)
    assert view.isVisible() and not page.table.isVisible()


def test_a_held_action_leads_to_the_held_segment(qtbot, actions, page) -> None:
    page.show_held(QWidget(), 1)
    held = an_action(entry=entry("held@bad.example"), status=HELD, ended=0)
    actions.history.insert(0, held)
    actions.touch()
    qtbot.waitUntil(lambda: values(page)[0] == "held@bad.example")
    page._link_pressed(held)
    assert page.segments.currentIndex() == 1


# export, failure, hostile text


def test_what_is_shown_is_exported(qtbot, page, tmp_path: Path) -> None:
    page.filters.status.choose("Failed", FAILED)
    page.export_to(tmp_path / "history.csv", "csv")
    page.export_to(tmp_path / "history.ndjson", "ndjson")
    qtbot.waitUntil(lambda: (tmp_path / "history.csv").exists() and (tmp_path / "history.ndjson").exists())
    (row,) = csv.DictReader((tmp_path / "history.csv").read_text(encoding="utf-8").splitlines())
    (line,) = (tmp_path / "history.ndjson").read_text().splitlines()
    assert row["value"] == json.loads(line)["value"] == "news@contoso.example"


def test_an_export_leads_to_where_it_is(qtbot, page, tmp_path: Path) -> None:
    page.export_to(tmp_path / "history.csv", "csv")
    qtbot.waitUntil(lambda: "written to" in page.notice.accessibleName())
    (button,) = [one for one in page.notice.findChildren(QPushButton) if one.text() == "Copy path"]
    button.click()
    assert QGuiApplication.clipboard().text() == str(tmp_path / "history.csv")


def test_an_export_that_cannot_be_written_says_so(qtbot, page, tmp_path: Path) -> None:
    page.export_to(tmp_path / "no such folder" / "history.csv", "csv")
    qtbot.waitUntil(lambda: "Nothing complete was written" in page.notice.accessibleName())


def test_a_journal_that_cannot_be_read_is_told_and_tried_again(qtbot, actions, page, monkeypatch) -> None:
    async def broken() -> int:
        raise Outage("The journal of actions is damaged.", hint="Restore it from a backup.")

    with monkeypatch.context() as patch:
        patch.setattr(actions, "version", broken)
        qtbot.waitUntil(lambda: "damaged" in page.notice.accessibleName())
    qtbot.waitUntil(lambda: not page.notice.isVisible())


@pytest.mark.parametrize(
    "poison",
    ["<b>x</b><img src='file:///dev/zero'>", "\u202egpj.exe \u2066", "A" * 2_000_000, "&x [*] %1\n\r\0"],
)
def test_hostile_text_is_shown_as_it_is(qtbot, actions, page, poison) -> None:
    hostile = an_action(
        entry=entry(poison), message=poison, response=poison, why=poison, responder=poison[:100], record_id=poison[:100],
    )  # fmt: skip
    actions.history.insert(0, hostile)
    actions.touch()
    qtbot.waitUntil(lambda: len(values(page)) == 6)
    choose(qtbot, page, hostile)
    for label in page.findChildren(QLabel):
        assert label.textFormat() == Qt.TextFormat.PlainText
        assert len(label.text()) < 10_000
    page.filters.responder.menu().aboutToShow.emit()
    words = [one.text() for one in page.findChildren(QPushButton)]
    words += [action.text() for menu in page.findChildren(QMenu) for action in menu.actions()]
    assert not [word for word in words if "gpj" in word or "img" in word]
    assert len(text(page, 0, "value")) <= 512
    page.table.grab()


def test_values_are_copied_from_the_menu(qtbot, actions, page) -> None:
    choose(qtbot, page, actions.history[0])
    menu = page.menu()
    next(one for one in menu.actions() if one.text() == "Copy Value").trigger()
    assert QGuiApplication.clipboard().text() == "billing@bad.example"


def test_an_empty_history_says_how_to_begin(qtbot, worn, qapp: QApplication) -> None:
    calls = Calls()
    page = HistoryPage(FakeActions(), calls, SystemClock(), Zone())
    qtbot.addWidget(page)
    page.show()
    qtbot.waitUntil(lambda: page._loaded)
    assert page._none.isVisible() and not page.detail.isVisible()
    page._tick.stop()
    assert calls.stop()


def test_the_page_can_be_walked_by_keyboard(qtbot, actions, page) -> None:
    choose(qtbot, page, actions.history[0])
    page.window().activateWindow()
    page.focus_first()
    assert page.table.hasFocus() or page.table.isAncestorOf(page.window().focusWidget())
    QTest.keyClick(page.table, Qt.Key.Key_Down)
    assert page.table.current().id == actions.history[1].id
    names = set()
    for _ in range(25):
        focused = page.window().focusWidget()
        names.add(focused.accessibleName())
        QTest.keyClick(focused, Qt.Key.Key_Tab)
    assert {"Actions", "Request", "Response", "Undo", "Filter the history"} <= names
    assert "" not in names


def test_kinds_of_lists_are_named_as_the_responders_are() -> None:
    from pod_desktop.ui.actions.wording import action_title

    titles = {
        action_title(an_action(action=action, list=which))
        for action in (ADD, DELETE)
        for which in (BLOCK, SAFE)
    }
    assert titles == {
        "Add to Org Block List", "Add to Org Safe List", "Delete From Org Block List", "Delete From Org Safe List",
    }  # fmt: skip
