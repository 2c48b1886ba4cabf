"""The Automation page: the list, the kill switch, creating, arming, versions, files, what is held."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from fakeautomation import (
    NOW,
    FakeAutomation,
    a_report,
    a_row,
    definition,
    fired,
    held_row,
    in_window,
    playbook,
    two_responders,
)
from fakedesk import FakeDesk, row
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible, QAction
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDialog, QMenu, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from pod_desktop.core.clock import DAY, HOUR, SystemClock
from pod_desktop.core.faults import Outage
from pod_desktop.core.playbook import DRY_RUN, OFF, ON
from pod_desktop.core.playbook_limits import HELD, MUTED
from pod_desktop.store import Version
from pod_desktop.ui.actions.confirm import TypeAgain
from pod_desktop.ui.automation import listing
from pod_desktop.ui.automation.arming import ArmDialog
from pod_desktop.ui.automation.dialogs import TemplatesDialog, VersionsDialog, difference_words
from pod_desktop.ui.automation.held import HeldView
from pod_desktop.ui.automation.page import AutomationPage
from pod_desktop.ui.automation.pictures import spark_bars
from pod_desktop.ui.automation.whencard import Query
from pod_desktop.ui.automation.wiring import AutomationWiring
from pod_desktop.ui.commands import plain_words
from pod_desktop.ui.connectors.confirm import Confirm
from pod_desktop.ui.events.saved import Saved
from pod_desktop.ui.moments import Zone
from pod_desktop.ui.theme import Theme
from pod_desktop.ui.window import MainWindow


class Stage:
    """A window with the page, over a desk in memory."""

    def __init__(self, qtbot: QtBot, desk: FakeAutomation) -> None:
        self.desk = desk
        self.window = QWidget()
        qtbot.addWidget(self.window)
        self.window.resize(1290, 845)
        self.wiring = AutomationWiring(
            self.window,
            desk=desk,
            clock=SystemClock(),
            zone=Zone(utc=True),
            make_query=lambda: Query(lambda _text: (), list),
        )
        self.page: AutomationPage = self.wiring.make_page()
        self.held: HeldView = self.wiring.held_view()
        column = QVBoxLayout(self.window)
        column.addWidget(self.page)
        self._qtbot = qtbot
        self.searches: list[tuple[str, object, object]] = []
        self.wiring.searchAsked.connect(lambda *asked: self.searches.append(asked))

    def begin(self) -> Stage:
        self.window.show()
        self.desk.mark += 1
        self.wiring.start()
        self.until(lambda: self.wiring._mark == (self.desk.mark, self.desk.stop_file.exists()))
        return self

    def until(self, true: Callable[[], bool]) -> None:
        self._qtbot.waitUntil(true)

    def dialog(self, kind: type[QDialog]) -> QDialog:
        def shown() -> list[QDialog]:
            return [one for one in self.window.findChildren(kind) if one.isVisible()]

        self.until(lambda: bool(shown()))
        return shown()[0]

    def cells(self, key: str) -> list[str]:
        column = [one.key for one in listing.COLUMNS].index(key)
        model = self.page.list.model
        return [str(model.data(model.index(row, column))) for row in range(model.rowCount())]

    def state(self, name: str = "Wave") -> str:
        return next(one.state for one in self.desk.entries if one.playbook.name == name)


@pytest.fixture
def desk(tmp_path: Path) -> FakeAutomation:
    made = FakeAutomation(tmp_path, responders=two_responders())
    made.report = a_report(
        fired("a@bad.example"),
        fired("b@bad.example", HELD, reason="It is your own."),
        fired("a@bad.example", MUTED),
    )
    return made


@pytest.fixture
def stage(qtbot: QtBot, worn: Theme, desk: FakeAutomation) -> Iterator[Stage]:
    made = Stage(qtbot, desk)
    yield made
    made.wiring.stop()


def test_the_list_tells_state_counts_and_last_run_of_every_playbook(
    stage: Stage, desk: FakeAutomation
) -> None:
    counts = {"matches": 1_200, "acted": 7, "would_act": 3, "held": 2, "muted": 4, "limited": 5, "errors": 1}
    desk.put(playbook(), ON, last_run=SystemClock().now() - 120 * 1_000_000, counters=counts)
    desk.put(playbook(name="Dry"), DRY_RUN)
    desk.put(playbook(name="Gone wrong"), ON, tripped="5 actions failed in a row.")
    desk.put(playbook(name="Asleep"), OFF)
    stage.begin()
    assert stage.cells("name") == ["Wave", "Dry", "Gone wrong", "Asleep"]
    assert stage.cells("state") == ["On", "Dry run", "Stopped", "Off"]
    assert stage.cells("last_run") == ["2 min ago", "never", "never", "never"]
    row = [stage.cells(key)[0] for key in ("matches", "acted", "held", "muted", "limited", "errors", "days")]
    assert row == ["1,200", "7 + 3 dry", "2", "4", "5", "1", "2 in the last 7 days"]
    stage.page.list.table.choose(desk.entries[2].id)
    assert "5 actions failed in a row." in stage.page.list.notice.accessibleName()
    assert stage.page.list.arm_button.text() == "Arm anew …"


def test_the_bars_of_a_row_count_the_last_seven_days(stage: Stage) -> None:
    bars = spark_bars([(NOW // HOUR * HOUR, "acted", 2), (NOW - 30 * DAY, "held", 9)], NOW)
    assert len(bars) == 28
    assert bars[-1] == {"acted": 2}
    assert sum(sum(bar.values()) for bar in bars) == 2


def test_the_last_firings_of_a_playbook_name_the_version_that_made_them(
    stage: Stage, desk: FakeAutomation
) -> None:
    desk.put(playbook())
    desk.rows_of["Wave"] = [a_row(id=2, version=2), a_row("x@y.example", HELD, id=1, reason="Free mail.")]
    stage.begin()
    rows = stage.page.list.rows_model
    stage.until(lambda: rows.rowCount() == 2)
    shown = [[str(rows.data(rows.index(row, column))) for column in range(1, 5)] for row in range(2)]
    assert shown == [["v2", "billing@bad.example", "block", ""], ["v1", "x@y.example", "held", "Free mail."]]
    stage.page.list.rows_table.choose(2)
    QTest.keyClick(stage.page.list.rows_table, Qt.Key.Key_Return)
    (search,) = stage.searches
    assert search[0] == "id:g1 OR id:g2 OR id:g3"


# the kill switch


def test_one_press_stops_all_and_says_so_at_once(stage: Stage, desk: FakeAutomation) -> None:
    desk.put(playbook(), ON)
    stage.begin()
    told: list[str] = []
    stage.wiring.stoppedChanged.connect(told.append)
    QTest.mouseClick(stage.page.stop_button, Qt.MouseButton.LeftButton)
    assert stage.page.stopped.isVisible()  # before the answer is there
    assert not stage.page.stop_button.isEnabled()
    stage.until(lambda: told == ["ann stopped them."])
    assert stage.cells("state") == ["Stopped"]
    QTest.mouseClick(stage.page.go_button, Qt.MouseButton.LeftButton)
    stage.until(lambda: not stage.page.stopped.isVisible())
    assert stage.cells("state") == ["On"]


def test_a_kill_file_is_told_with_its_path_and_taken_away_by_the_button(
    stage: Stage, desk: FakeAutomation
) -> None:
    desk.put(playbook(), ON)
    stage.begin()
    assert str(desk.stop_file) in stage.page.file_words.text().replace("\u200b", "")
    desk.stop_file.touch()
    stage.until(stage.page.stopped.isVisible)
    assert str(desk.stop_file) in stage.page.stopped.accessibleName()
    assert stage.page.go_button.text() == "Remove the file and let them act"
    QTest.mouseClick(stage.page.go_button, Qt.MouseButton.LeftButton)
    stage.until(lambda: not stage.page.stopped.isVisible())
    assert not desk.stop_file.exists()


def test_a_switch_that_fails_says_how_else_to_stop(stage: Stage, desk: FakeAutomation) -> None:
    stage.begin()
    told: list[str] = []
    stage.wiring.noticed.connect(told.append)
    desk.fault = Outage("The disk is full.")
    stage.wiring.stop_all()
    stage.until(lambda: bool(told))
    assert "The disk is full." in told[0]
    assert str(desk.stop_file) in told[0]
    stage.until(stage.page.stop_button.isEnabled)


# creating


def test_a_template_opens_in_the_editor_for_this_tenant_and_responder(
    stage: Stage, desk: FakeAutomation
) -> None:
    stage.begin()
    stage.page.creating.of_template()
    dialog = stage.dialog(TemplatesDialog)
    assert isinstance(dialog, TemplatesDialog)
    assert dialog.list.count() == 5
    names = [dialog.list.item(row).text() for row in range(5)]
    dialog.list.setCurrentRow(names.index("Quarantine wave by IP"))
    assert "Three quarantined messages" in dialog.explanation.text()
    dialog.use_button.click()
    editor = stage.page.editor
    stage.until(lambda: editor.isVisible() and editor.backtest.report is not None)
    data = editor.file()
    assert (data["name"], data["tenant"], data["group_by"]) == ("Quarantine wave by IP", "acme", "ip")
    assert data["actions"][0]["responder"] == "acme-block"
    assert desk.entries == []  # nothing is kept before it is saved


def test_an_imported_file_arrives_off_under_a_free_name(
    stage: Stage, desk: FakeAutomation, tmp_path: Path
) -> None:
    desk.put(playbook(), ON)
    stage.begin()
    path = tmp_path / "wave.json"
    path.write_text(json.dumps(definition()), encoding="utf-8")
    stage.page.creating.import_from(path)
    stage.until(lambda: stage.cells("name") == ["Wave", "Wave (2)"])
    assert stage.state("Wave (2)") == OFF
    current = stage.page.list.current()
    assert current is not None
    assert current.playbook.name == "Wave (2)"


def test_a_sigma_rule_opens_in_the_editor_with_what_it_lacks(
    stage: Stage, desk: FakeAutomation, tmp_path: Path
) -> None:
    stage.begin()
    path = tmp_path / "rule.yml"
    text = "title: Invoice\ndetection:\n  s: {subject|contains: invoice}\n  timeframe: 5m\n  condition: s\n"
    path.write_text(text, encoding="utf-8")
    stage.page.creating.of_sigma(path)
    editor = stage.page.editor
    stage.until(editor.notice.isVisible)
    assert (editor.file()["name"], editor.file()["query"]) == ("Invoice", "subject:*invoice*")
    assert editor.file()["actions"][0]["type"] == "notify"
    assert "timeframe" in editor.notice.accessibleName()
    assert desk.entries == []  # nothing is kept before it is saved


def test_a_sigma_rule_that_does_not_map_is_refused_with_the_reason(stage: Stage, tmp_path: Path) -> None:
    stage.begin()
    path = tmp_path / "rule.yml"
    path.write_text("title: Odd\ndetection: {s: {subject|base64: x}, condition: s}\n", encoding="utf-8")
    stage.page.creating.of_sigma(path)
    stage.until(stage.page.notice.isVisible)
    assert "base64" in stage.page.notice.accessibleName()


def test_a_file_with_anything_unknown_is_refused_in_words(
    stage: Stage, desk: FakeAutomation, tmp_path: Path
) -> None:
    stage.begin()
    path = tmp_path / "odd.json"
    path.write_text(json.dumps(definition(armed=True)), encoding="utf-8")
    stage.page.creating.import_from(path)
    stage.until(stage.page.notice.isVisible)
    assert "Unknown key 'armed'" in stage.page.notice.accessibleName()
    assert desk.entries == []


def test_a_clone_is_off_and_an_export_is_written(stage: Stage, desk: FakeAutomation, tmp_path: Path) -> None:
    entry = desk.put(playbook(), ON)
    stage.begin()
    stage.page.do(listing.CLONE, entry)
    stage.until(lambda: stage.cells("name") == ["Wave", "Wave copy"])
    assert stage.state("Wave copy") == OFF
    stage.page.creating.export_to(entry.playbook, tmp_path / "out.json")
    stage.until((tmp_path / "out.json").exists)


def test_deleting_asks_once_and_says_what_waits(stage: Stage, desk: FakeAutomation) -> None:
    entry = desk.put(playbook())
    desk.held = [held_row("a@acme.example", id=1)]
    stage.begin()
    stage.page.list.table.setFocus()
    QTest.keyClick(stage.page.list.table, Qt.Key.Key_Delete)
    dialog = stage.dialog(Confirm)
    assert isinstance(dialog, Confirm)
    assert "1 action of it" in dialog.accessibleName()
    assert dialog.cancel.isDefault()
    dialog.way_on.click()
    stage.until(lambda: stage.page.list.model.rowCount() == 0)
    assert entry not in desk.entries


# arming


def test_arming_shows_the_backtest_first_and_says_what_will_happen(
    stage: Stage, desk: FakeAutomation
) -> None:
    entry = desk.put(playbook())
    stage.begin()
    dialog = stage.page.arm(entry)
    assert isinstance(dialog, ArmDialog)
    assert not dialog.go_button.isEnabled()
    assert "at least 3 records per envelope sender within 10 minutes" in dialog.will.text()
    assert "10 actions a minute and 100 a day" in dialog.will.text()
    stage.until(dialog.go_button.isEnabled)
    assert dialog.means.text() == "In the last 7 days it would have acted 1 time without asking anybody."
    assert dialog.focusWidget() is not dialog.go_button  # Enter does not arm
    dialog.go_button.click()
    stage.until(lambda: stage.state() == ON)


def test_a_backtest_that_fails_arms_nothing(stage: Stage, desk: FakeAutomation) -> None:
    entry = desk.put(playbook())
    stage.begin()
    desk.fault = Outage("A part of the store cannot be read.")
    dialog = stage.page.arm(entry)
    stage.until(dialog.backtest.notice.isVisible)
    assert not dialog.go_button.isEnabled()
    dialog.reject()
    assert stage.state() == DRY_RUN


def test_leaving_the_dialog_cancels_its_backtest(stage: Stage, desk: FakeAutomation) -> None:
    import threading

    desk.gate = threading.Event()
    entry = desk.put(playbook())
    stage.begin()
    dialog = stage.page.arm(entry)
    stage.until(lambda: bool(desk.jobs))
    dialog.reject()
    stage.until(lambda: desk.jobs[0].cancelled)
    desk.gate.set()


def test_only_running_on_history_makes_old_records_act_and_shows_what_first(
    stage: Stage, desk: FakeAutomation
) -> None:
    entry = desk.put(playbook(), ON)
    stage.begin()
    dialog = stage.page.run_on_history(entry)
    assert not dialog.go_button.isEnabled()
    stage.until(dialog.go_button.isEnabled)
    assert dialog.means.text() == "1 action will be done."
    dialog.go_button.click()
    stage.until(lambda: desk.ran == [("Wave", desk.report)])
    stage.until(stage.page.notice.isVisible)
    assert "1 action of Wave is done by the collector service" in stage.page.notice.accessibleName()


def test_where_nothing_would_act_there_is_nothing_to_run(stage: Stage, desk: FakeAutomation) -> None:
    entry = desk.put(playbook(), ON)
    desk.report = a_report(fired("b@bad.example", HELD))
    stage.begin()
    dialog = stage.page.run_on_history(entry)
    stage.until(lambda: dialog.backtest.report is not None)
    assert not dialog.go_button.isEnabled()
    assert dialog.means.text() == "There is nothing to do."
    dialog.reject()


# versions


def test_versions_tell_who_changed_what_and_an_old_one_can_be_edited(
    stage: Stage, desk: FakeAutomation
) -> None:
    entry = desk.put(playbook(at_least=5), version=2)
    old, new = playbook(), playbook(at_least=5)
    desk.versions = [
        Version(version=2, at=NOW, author="bob", note="edited", playbook=new),
        Version(version=1, at=NOW - DAY, author="ann", note="created", playbook=old),
    ]
    stage.begin()
    stage.page.do(listing.HISTORY, entry)
    dialog = stage.dialog(VersionsDialog)
    assert isinstance(dialog, VersionsDialog)
    assert dialog.difference.toPlainText() == "at_least\n- 3\n+ 5"
    dialog.table.choose(1)
    assert dialog.difference.toPlainText() == "The beginning: created by ann."
    dialog.restore_button.click()
    editor = stage.page.editor
    stage.until(editor.isVisible)
    assert editor.file()["at_least"] == 3
    assert editor.submit_button.isEnabled()


def test_a_change_of_state_is_no_difference() -> None:
    one = Version(version=1, at=NOW, author="ann", note="armed", playbook=playbook())
    assert difference_words(replace(one, note="created"), one) == "Nothing of the definition: it was armed."


# held


def test_one_key_approves_and_one_dismisses(stage: Stage, desk: FakeAutomation) -> None:
    desk.held = [held_row("a@gmail.com", id=1), held_row("b@gmail.com", id=2), held_row("c@gmail.com", id=3)]
    stage.window.layout().addWidget(stage.held)
    stage.begin()
    decided: list[object] = []
    stage.held.decided.connect(decided.append)
    stage.until(lambda: stage.held.count == 3)
    stage.held.table.choose(1)
    stage.held.table.setFocus()
    QTest.keyClick(stage.held.table, Qt.Key.Key_A)
    assert stage.held.count == 2  # at once
    QTest.keyClick(stage.held.table, Qt.Key.Key_D)
    stage.until(lambda: len(decided) == 2)
    assert [one.id for one in desk.held] == [3]
    assert [(one.id, one.status) for one in decided] == [(1, "approved"), (2, "dismissed")]  # type: ignore[attr-defined]
    assert stage.held.table.current().id == 3


def test_what_is_held_tells_why_what_is_sent_and_until_when(stage: Stage, desk: FakeAutomation) -> None:
    desk.held = [held_row("ceo@acme.example", id=1, again=4)]
    stage.window.layout().addWidget(stage.held)
    stage.begin()
    stage.until(lambda: stage.held.count == 1)
    model = stage.held.model
    shown = [str(model.data(model.index(0, column))) for column in range(1, model.columnCount())]
    assert shown == [
        "Wave v1", "Add to Org Block List", "ceo@acme.example", "ceo@acme.example is your own domain.", "+4", "in 6 d",
    ]  # fmt: skip
    assert '"value": "ceo@acme.example"' in stage.held.sent.toPlainText()
    stage.held.records_button.click()
    assert stage.searches == [("id:g1 OR id:g2 OR id:g3", None, None)]


def test_a_dangerous_value_is_typed_again_before_it_is_approved(stage: Stage, desk: FakeAutomation) -> None:
    desk.held = [held_row("ceo@acme.example", "confirm", id=1)]
    stage.window.layout().addWidget(stage.held)
    stage.begin()
    stage.until(lambda: stage.held.count == 1)
    stage.held.approve()
    dialog = stage.dialog(TypeAgain)
    assert isinstance(dialog, TypeAgain)
    QTest.keyClicks(dialog.edit, "ceo@acme.example")
    dialog.go_button.click()
    stage.until(lambda: desk.confirmed == ["ceo@acme.example"])


def test_what_can_never_be_sent_can_only_be_dismissed(stage: Stage, desk: FakeAutomation) -> None:
    desk.held = [held_row("x", "refuse", id=1)]
    stage.window.layout().addWidget(stage.held)
    stage.begin()
    stage.until(lambda: stage.held.count == 1)
    assert not stage.held.approve_button.isEnabled()
    stage.held.approve()
    assert desk.confirmed == []
    stage.held.dismiss()
    stage.until(lambda: desk.held == [])


def test_a_decision_that_fails_comes_back_to_the_list(stage: Stage, desk: FakeAutomation) -> None:
    desk.held = [held_row("a@gmail.com", id=1)]
    stage.window.layout().addWidget(stage.held)
    stage.begin()
    stage.until(lambda: stage.held.count == 1)
    desk.fault = Outage("The disk is full.")
    stage.held.approve()
    stage.until(lambda: stage.held.count == 1 and stage.held.notice.isVisible())
    assert "The disk is full." in stage.held.notice.accessibleName()


# the frame


def test_the_rail_counts_who_acts_and_rings_for_what_needs_a_person(
    stage: Stage, desk: FakeAutomation
) -> None:
    badges: list[tuple[str, bool, str]] = []
    held: list[int] = []
    stage.wiring.badged.connect(lambda *badge: badges.append(badge))
    stage.wiring.heldChanged.connect(held.append)
    desk.put(playbook(), ON)
    desk.held = [held_row("a@gmail.com", id=1)]
    stage.begin()
    assert badges[-1] == ("1", False, "1 playbook on")
    assert held[-1] == 1
    desk.put(playbook(name="B"), ON, tripped="Too many.")
    stage.until(lambda: badges[-1][:2] == ("1", True))
    desk.stop()
    stage.until(lambda: badges[-1] == ("off", True, "All playbooks are stopped"))


def test_a_hostile_name_is_shown_and_never_interpreted(stage: Stage, desk: FakeAutomation) -> None:
    made = playbook(name="<b>Wave</b> &Co", query="subject:\u202eevil")
    desk.put(made)
    desk.held = [held_row("<img src=x>\u202e@evil.example", id=1)]
    stage.window.layout().addWidget(stage.held)
    stage.begin()
    assert stage.cells("name") == ["<b>Wave</b> &Co"]
    assert stage.page.list.title.textFormat() == Qt.TextFormat.PlainText
    assert "\u202e" not in stage.page.list.query.text()
    stage.until(lambda: stage.held.count == 1)
    assert "\u202e" not in stage.held.title.text() + stage.held.sent.toPlainText()
    assert "‹U+202E›" in stage.held.title.text()


def test_a_desk_that_fails_is_told_and_comes_back(stage: Stage, desk: FakeAutomation) -> None:
    stage.begin()
    see = desk.see

    def broken(_last: object) -> None:
        raise Outage("The playbooks cannot be read.")

    desk.see = broken  # type: ignore[method-assign]
    stage.until(lambda: "cannot be read" in stage.page.notice.accessibleName())
    desk.put(playbook())
    desk.see = see  # type: ignore[method-assign]
    stage.until(lambda: stage.cells("name") == ["Wave"])


def test_controls_of_the_page_have_names(stage: Stage, desk: FakeAutomation) -> None:
    desk.put(playbook())
    stage.begin()
    for control in (
        stage.page.stop_button, stage.page.create_button, stage.page.list.table, stage.page.list.edit_button,
        stage.page.list.arm_button, stage.page.list.rows_table, stage.held.table, stage.held.approve_button,
    ):  # fmt: skip
        interface = QAccessible.queryAccessibleInterface(control)
        assert interface.text(QAccessible.Text.Name)


# commands


def command(window: MainWindow, words: str) -> QAction:
    return next(one for one in window.commands.actions if plain_words(one) == words)


def test_the_query_that_is_shown_becomes_a_playbook(
    qtbot: QtBot, make_window: Callable[..., MainWindow], desk: FakeAutomation
) -> None:
    window = make_window(FakeDesk(rows=[row(1, NOW, sender="x@bad.example")]))
    wiring = in_window(window, desk)
    window.events.query.set_text("bad.example")
    command(window, "Create Playbook from This Query").trigger()
    editor = wiring.make_page().editor
    qtbot.waitUntil(editor.isVisible)
    assert editor.file()["query"] == "bad.example"
    assert editor.file()["actions"][0]["responder"] == "acme-block"
    wiring.stop()


def test_a_saved_query_becomes_a_playbook_from_the_menu_of_saved_queries(
    qtbot: QtBot, make_window: Callable[..., MainWindow], desk: FakeAutomation
) -> None:
    window = make_window(FakeDesk(rows=[row(1, NOW, sender="x@bad.example")]))
    wiring = in_window(window, desk)
    saved = window.events.toolbar.saved
    saved.queries.save(Saved(name="Relayed & bounced", query="stat:bounced", kinds=("maillog",), span=None))
    menu = saved.menu()
    assert menu is not None
    menu.aboutToShow.emit()
    offered = next(one.menu() for one in menu.actions() if one.text() == "Create Playbook From")
    assert isinstance(offered, QMenu)
    assert [one.text() for one in offered.actions()] == ["This Query …", "", "Relayed && bounced …"]
    offered.actions()[-1].trigger()
    editor = wiring.make_page().editor
    qtbot.waitUntil(editor.isVisible)
    assert (editor.file()["query"], editor.file()["index"]) == ("stat:bounced", ["maillog"])
    assert desk.entries == []
    wiring.stop()


def test_a_record_becomes_a_playbook_about_its_sender(
    qtbot: QtBot, make_window: Callable[..., MainWindow], desk: FakeAutomation
) -> None:
    one = row(1, NOW, sender="x@bad.example", tenant="beta")
    window = make_window(FakeDesk(rows=[one]))
    wiring = in_window(window, desk)
    offered = next(found for found in window.events.on_records.record_commands if "Playbook" in found.words)
    offered.run(one)
    editor = wiring.make_page().editor
    qtbot.waitUntil(editor.isVisible)
    data = editor.file()
    assert (data["query"], data["tenant"], data["group_by"]) == ("sender:x@bad.example", "beta", "sender")
    wiring.stop()


def test_f12_stops_all_from_any_page_and_is_listed(
    qtbot: QtBot, make_window: Callable[..., MainWindow], desk: FakeAutomation
) -> None:
    window = make_window(FakeDesk(rows=[row(1, NOW)]))
    wiring = in_window(window, desk)
    desk.put(playbook(), ON)
    stop = command(window, "Stop All Playbooks")
    assert stop.shortcut().toString() == "F12"
    keys = [one.shortcut().toString() for one in window.commands.actions if one.shortcut().toString()]
    assert len(keys) == len(set(keys))
    stop.trigger()
    assert wiring.make_page().stopped.isVisible()
    qtbot.waitUntil(lambda: desk.stopped != "")
    wiring.stop()


def test_what_is_changed_in_the_editor_is_not_lost_without_a_question(
    qtbot: QtBot, stage: Stage, desk: FakeAutomation
) -> None:
    entry = desk.put(playbook())
    stage.begin()
    stage.page.edit(entry)
    editor = stage.page.editor
    editor.when.at_least.setValue(7)
    editor.back_button.click()
    dialog = stage.dialog(Confirm)
    assert isinstance(dialog, Confirm)
    dialog.cancel.click()
    assert editor.isVisible()
    assert editor.file()["at_least"] == 7
    editor.discard_button.click()
    assert not editor.isVisible()
