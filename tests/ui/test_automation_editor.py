"""The editor of a playbook: faults beside their fields, the backtest beside the cards, saving, completion."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fakeautomation import (
    NOW,
    FakeAutomation,
    a_report,
    fired,
    playbook,
    two_responders,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from pod_desktop import query
from pod_desktop.core.clock import DAY, HOUR, SystemClock
from pod_desktop.core.faults import Outage
from pod_desktop.core.playbook import DRY_RUN, ON, playbook_from_file, playbook_to_file
from pod_desktop.core.playbook_limits import HELD, LIMITED, MUTED
from pod_desktop.ui.automation import draft
from pod_desktop.ui.automation.desk import Range
from pod_desktop.ui.automation.editor import PlaybookEditor
from pod_desktop.ui.automation.whencard import Query
from pod_desktop.ui.bridge import Span, Worker
from pod_desktop.ui.moments import Zone
from pod_desktop.ui.theme import Theme


def check(text: str) -> list[Span]:
    query.parse(text, NOW)
    return []


class Bench:
    """An editor over a desk in memory."""

    def __init__(self, qtbot: QtBot, desk: FakeAutomation) -> None:
        self.desk = desk
        self._qtbot = qtbot
        self.holder = QWidget()
        qtbot.addWidget(self.holder)
        self.workers = [Worker(name, self.holder) for name in ("quick", "help", "backtest")]
        self.editor = PlaybookEditor(
            desk, *self.workers, Query(check, list), SystemClock(), Zone(utc=True), self.holder
        )
        self.holder.resize(1290, 845)
        self.editor.resize(1290, 845)
        self.holder.show()

    def until(self, true: Callable[[], bool]) -> None:
        self._qtbot.waitUntil(true)

    def tried(self) -> None:
        self.until(lambda: self.editor.backtest.report is not None and not self.editor.backtest.running)

    def begin(self, **changes: object) -> PlaybookEditor:
        self.editor.begin(playbook_to_file(playbook(**changes)))
        self.until(lambda: bool(self.editor._setup.tenants))
        return self.editor

    def flaws(self) -> list[str]:
        self.editor.judge()
        return [flaw.key for flaw in self.editor.flaws]


@pytest.fixture
def desk(tmp_path: Path) -> FakeAutomation:
    made = FakeAutomation(tmp_path, responders=two_responders())
    made.record = {"guid": "g1", "envelope": {"from": "<a@bad.example>"}, "connection": {"ip": "192.0.2.9"}}
    made.report = a_report(
        fired("a@bad.example", ago=3 * HOUR),
        fired("b@bad.example", HELD, ago=2 * HOUR, reason="bad.example is your own domain."),
        fired("a@bad.example", MUTED, ago=HOUR),
    )
    return made


@pytest.fixture
def bench(qtbot: QtBot, worn: Theme, desk: FakeAutomation) -> Iterator[Bench]:
    made = Bench(qtbot, desk)
    yield made
    made.editor.end()
    for worker in made.workers:
        worker.stop()


# what the cards hold is the file


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"at_least": 1, "group_by": None, "every": "2h", "index": ["maillog", "audit"]},
        {"within": "90s", "group_by": "connection.helo", "at_least": 10_000, "tenant": "All Tenants"},
        {"limits": {"per_minute": 1, "per_day": 2, "distinct": 3}},
        {
            "actions": [
                {"type": "notify", "text": "{count} of {key}", "mute": "90d"},
                {"type": "mark", "text": "bad"},
                {"type": "comment", "text": "{playbook.name}"},
                {
                    "type": "webhook_responder",
                    "responder": "gone",
                    "body": '{"value": "{key}"}',
                    "path_and_query": "/x",
                },
            ]
        },
    ],
)
def test_what_is_filled_in_comes_out_as_the_same_file(bench: Bench, changes: dict[str, object]) -> None:
    made = playbook(**changes)
    editor = bench.begin(**changes)
    out = playbook_from_file(editor.file())
    if made.at_least == 1:  # its window does not matter
        assert out.within == made.within
    assert out == made
    assert not editor.changed


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.text(st.characters(categories=("L", "N", "P", "S", "Zs")), min_size=1, max_size=40),
    seconds=st.integers(1, 604_800),
    at_least=st.integers(2, 10_000),
    path=st.from_regex(r"[a-z]{1,8}(\.[a-zA-Z]{1,8}){0,2}", fullmatch=True),
)
def test_any_playbook_survives_the_editor(
    bench: Bench, name: str, seconds: int, at_least: int, path: str
) -> None:
    try:
        made = playbook(name=name, within=f"{seconds}s", at_least=at_least, group_by=path)
    except Exception:  # no playbook at all: the name holds what cannot be seen
        return
    bench.editor.begin(playbook_to_file(made))
    out = playbook_from_file(bench.editor.file())
    assert (out.within, out.at_least, out.group_by) == (made.within, made.at_least, made.group_by)


# faults


def test_every_fault_stands_beside_its_own_field_at_the_same_time(bench: Bench) -> None:
    editor = bench.begin(actions=[{"type": "webhook_responder", "responder": "acme-block"}, {"type": "mark"}])
    editor.when.query.line.setPlainText("outcome:quarantined AND (")
    editor.when.key.setEditText("no such field at all")
    editor.when.name_edit.setText("")
    editor.actions_card.forms[0].body_edit.set_text('{"value": "{envelope.from"}')
    editor.actions_card.forms[1].text_edit.set_text("")
    assert bench.flaws() == ["name", "query", "group_by", "actions", "actions"]
    assert "never closed" in editor.when.query_line.words
    assert editor.when.query_line.words.startswith("column 25:")
    assert "There is no field" in editor.when.condition_line.words
    assert "never closed" in editor.actions_card.forms[0].body_line.words
    assert editor.actions_card.forms[1].text_line.words == "This is empty."
    assert "is empty" in editor.actions_card.forms[1].text_line.words
    assert "Give the playbook a name." in editor.when.name_line.words
    assert not editor.when.query.popup.isVisible()  # it would cover the next field
    editor.when.query.line.setPlainText("outcome:quarantined")
    editor.judge()
    assert editor.when.query_line.words == ""
    assert "There is no field" in editor.when.condition_line.words


def test_a_new_playbook_is_not_scolded_before_it_is_saved(bench: Bench, desk: FakeAutomation) -> None:
    editor = bench.editor
    editor.begin(draft.blank("acme", desk.responders[0]))
    assert editor.when.name_line.words == ""
    editor.submit_button.click()
    assert "Give the playbook a name." in editor.when.name_line.words
    assert bench.holder.focusWidget() is editor.when.name_edit
    assert desk.entries == []


def test_a_name_that_is_taken_is_told_while_typing(bench: Bench) -> None:
    editor = bench.editor
    editor.begin(playbook_to_file(playbook(name="New")), taken=["Wave"])
    QTest.keyClicks(editor.when.name_edit, "")
    editor.when.name_edit.setText("wave")
    assert bench.flaws() == ["name"]
    assert "exists already" in editor.when.name_line.words


def test_a_fault_in_the_path_is_not_blamed_on_the_body(bench: Bench) -> None:
    editor = bench.begin()
    form = editor.actions_card.forms[0]
    form.path_edit.set_text("/x?id={connector.cluster_id")
    assert bench.flaws() == ["actions"]
    assert "never closed" in form.path_line.words
    assert form.body_line.words == ""


def test_without_a_responder_it_says_where_to_make_one(bench: Bench, desk: FakeAutomation) -> None:
    desk.responders = []
    editor = bench.editor
    editor.begin(draft.blank("acme", None))
    bench.until(lambda: bool(editor._setup.tenants))
    form = editor.actions_card.forms[0]
    assert form.type.currentData() == "notify"
    form.type.choose("webhook_responder")
    editor.judge()
    assert "under Connectors" in form.responder_line.words


def test_a_missing_responder_is_named_and_warned_of(bench: Bench) -> None:
    editor = bench.begin(actions=[{"type": "webhook_responder", "responder": "gone"}])
    assert editor.actions_card.forms[0].responder.currentText() == "gone · missing or disabled"
    bench.until(editor.warning.isVisible)
    assert "no enabled responder named gone" in editor.warning.accessibleName()


# actions


def test_another_responder_brings_its_template_and_keeps_what_is_acted_on(bench: Bench) -> None:
    editor = bench.begin()
    form = editor.actions_card.forms[0]
    form.target.choose(("$ip", "equal", "{key}"))
    assert json.loads(form.body_edit.toPlainText())["attribute"] == "$ip"
    form.responder.choose("acme-safe")
    assert "orgSafeList" in form.path_edit.toPlainText()
    body = json.loads(form.body_edit.toPlainText())
    assert (body["attribute"], body["value"]) == ("$ip", "{key}")
    assert form.target.currentText() == "The key, as source IP"


def test_the_picker_follows_what_is_typed_into_the_body(bench: Bench) -> None:
    form = bench.begin().actions_card.forms[0]
    assert form.target.currentText() == "Envelope sender"
    form.body_edit.set_text('{"action": "add", "attribute": "$helo", "operator": "equal", "value": "x"}')
    assert form.target.currentText() == "As the body says"


def test_the_mute_of_an_action_is_overridden_only_where_it_is_ticked(bench: Bench) -> None:
    editor = bench.begin()
    form = editor.actions_card.forms[0]
    assert not form.mute.isEnabled()
    form.override.setChecked(True)
    form.mute.number.setText("3")
    form.mute.unit.choose("h")
    assert form.file()["mute"] == "3h"
    form.override.setChecked(False)
    assert form.file()["mute"] == "24h"


def test_actions_are_added_and_removed_and_one_stays(bench: Bench) -> None:
    card = bench.begin().actions_card
    for _ in range(12):
        card.add_button.click()
    assert len(card.forms) == 10
    assert not card.add_button.isEnabled()
    for form in list(card.forms):
        card.remove(form)
    assert len(card.forms) == 1


@pytest.mark.parametrize(
    ("typed", "offered"), [("{k", "key"), ("{coun", "count"), ("{records[0].g", "records[0].guid")]
)
def test_expressions_are_completed_with_what_a_firing_has(bench: Bench, typed: str, offered: str) -> None:
    editor = bench.begin(actions=[{"type": "comment", "text": "x"}])
    bench.until(lambda: "guid" in editor._scope)
    edit = editor.actions_card.forms[0].text_edit
    edit.set_text("")
    edit.setFocus()
    QTest.keyClicks(edit, typed)
    assert edit.popup.isVisible()
    QTest.keyClick(edit, Qt.Key.Key_Return)
    assert edit.toPlainText() == "{" + offered + "}"


# the backtest


def test_the_backtest_runs_by_itself_and_shows_what_it_found(bench: Bench) -> None:
    editor = bench.begin()
    bench.tried()
    pane = editor.backtest
    assert (
        pane.fired.text() == "Would have fired 3 times on 2 envelope senders: 1 would act, 1 held, 1 muted."
    )
    assert pane.found.text().startswith("40 records of the last 7 days match · ")
    assert (
        pane.notice.accessibleName() == "1 of 3 would be held: b@bad.example. bad.example is your own domain."
    )
    shown = [
        [str(pane.model.data(pane.model.index(row, column))) for column in (1, 2, 3)] for row in range(3)
    ]
    assert shown == [
        ["a@bad.example", "3", "block"],
        ["b@bad.example", "3", "held"],
        ["a@bad.example", "3", "muted"],
    ]
    assert sum(sum(bar.values()) for bar in pane.picture.bars.values()) == 3
    pane.table.choose(pane.model.key_at(1))
    assert "bad.example is your own domain." in pane.firing.why.accessibleName()
    assert '"value": "b@bad.example"' in pane.firing.sent.toPlainText()


def test_typing_starts_it_anew_once_and_cancels_what_ran(bench: Bench, desk: FakeAutomation) -> None:
    desk.gate = threading.Event()
    editor = bench.begin()
    bench.until(lambda: len(desk.tried) == 1)
    QTest.keyClick(editor.when.query.line, Qt.Key.Key_End)
    QTest.keyClicks(editor.when.query.line, " x")
    bench.until(lambda: desk.jobs[0].cancelled)
    bench.until(lambda: len(desk.tried) == 2)
    desk.gate.set()
    bench.tried()
    assert [one.query for one, _ in desk.tried] == ["outcome:quarantined", desk.tried[1][0].query]
    assert "x" in desk.tried[1][0].query


def test_what_changes_nothing_is_not_tried_again(bench: Bench, desk: FakeAutomation) -> None:
    editor = bench.begin()
    bench.tried()
    editor.judge()
    editor.judge()
    assert not editor.backtest.running
    assert len(desk.tried) == 1


def test_while_there_is_a_fault_the_last_result_stays(bench: Bench, desk: FakeAutomation) -> None:
    editor = bench.begin()
    bench.tried()
    editor.when.query.line.setPlainText("(")
    editor.judge()
    assert editor.backtest.found.text() == "Mend what is marked; the last result stays."
    assert editor.backtest.model.rowCount() == 3
    assert len(desk.tried) == 1


def test_escape_cancels_and_what_was_found_so_far_stays(bench: Bench, desk: FakeAutomation) -> None:
    desk.gate = threading.Event()
    editor = bench.begin()
    pane = editor.backtest
    bench.until(lambda: pane.model.rowCount() == 3)  # told half-way
    pane.table.setFocus()
    QTest.keyClick(pane.table, Qt.Key.Key_Escape)
    bench.until(lambda: desk.jobs[0].cancelled)
    assert not pane.running
    assert "only a part" in pane.found.text()
    assert pane.model.rowCount() == 3
    desk.gate.set()


def test_another_range_is_tried_at_once(bench: Bench, desk: FakeAutomation) -> None:
    editor = bench.begin()
    bench.tried()
    editor.backtest.range.choose_span(30 * DAY)
    bench.until(lambda: len(desk.tried) == 2)
    editor.backtest.range.choose_between(NOW - DAY, NOW)
    bench.until(lambda: len(desk.tried) == 3)
    ranges = [wanted for _, wanted in desk.tried]
    assert ranges == [Range(span=7 * DAY), Range(span=30 * DAY), Range(since=NOW - DAY, until=NOW)]


def test_a_range_that_ends_before_it_begins_is_refused(bench: Bench) -> None:
    editor = bench.begin()
    dialog = editor.backtest.range.ask_between()
    dialog.until.setDateTime(dialog.since.dateTime().addDays(-1))
    dialog._take()
    assert dialog.isVisible()
    assert dialog._until_field.faulty
    dialog.reject()


def test_a_backtest_that_fails_says_why(bench: Bench, desk: FakeAutomation) -> None:
    desk.fault = Outage("The disk does not answer.")
    editor = bench.begin()
    bench.until(lambda: "The disk does not answer." in editor.backtest.notice.accessibleName())
    assert not editor.backtest.running


def test_a_playbook_without_a_name_is_tried_all_the_same(bench: Bench, desk: FakeAutomation) -> None:
    bench.editor.begin(draft.blank("acme", desk.responders[0], "outcome:quarantined"))
    bench.tried()
    assert desk.tried[0][0].name == draft.STAND_IN


def test_the_records_behind_a_firing_are_asked_for(bench: Bench) -> None:
    editor = bench.begin()
    bench.tried()
    asked: list[object] = []
    editor.recordsAsked.connect(lambda *what: asked.extend(what))
    editor.backtest.table.choose(editor.backtest.model.key_at(0))
    QTest.keyClick(editor.backtest.table, Qt.Key.Key_Return)
    made, one = asked
    assert made == playbook()
    assert one.records == ("message:g1", "message:g2", "message:g3")  # type: ignore[attr-defined]


def test_many_firings_are_counted_and_the_first_are_listed(bench: Bench, desk: FakeAutomation) -> None:
    desk.report = a_report(*(fired(f"s{number}@bad.example", LIMITED, ago=number) for number in range(2_500)))
    editor = bench.begin()
    bench.tried()
    assert "2,500 times on 2,500 envelope senders: 2,500 over the limits" in editor.backtest.fired.text()
    assert editor.backtest.model.rowCount() == 2_000
    assert "The first 2,000 are listed." in editor.backtest.notice.accessibleName()


# saving


def test_saving_makes_a_dry_run_and_arming_is_another_step(bench: Bench, desk: FakeAutomation) -> None:
    editor = bench.begin()
    assert editor.arm_button.isHidden()
    editor.submit_button.click()
    bench.until(lambda: len(desk.entries) == 1)
    bench.until(lambda: not editor.arm_button.isHidden())
    assert desk.entries[0].state == DRY_RUN
    assert editor.chip.text() == "Dry run"
    asked: list[object] = []
    editor.armAsked.connect(asked.append)
    editor.arm_button.click()
    assert asked == [desk.entries[0]]


def test_what_is_not_saved_cannot_be_armed(bench: Bench, desk: FakeAutomation) -> None:
    editor = bench.editor
    editor.begin_entry(desk.put(playbook()), ["Wave"])
    bench.until(lambda: bool(editor._setup.tenants))
    assert editor.arm_button.isEnabled()
    assert not editor.submit_button.isEnabled()
    editor.when.at_least.setValue(4)
    editor.judge()
    assert not editor.arm_button.isEnabled()
    assert editor.submit_button.isEnabled()
    editor.when.at_least.setValue(3)
    editor.judge()
    assert not editor.submit_button.isEnabled()


def test_a_change_to_one_that_acts_puts_it_in_dry_run_and_says_so(bench: Bench, desk: FakeAutomation) -> None:
    editor = bench.editor
    editor.begin_entry(desk.put(playbook(), ON), ["Wave"])
    editor.when.at_least.setValue(9)
    editor.submit_button.click()
    bench.until(lambda: desk.entries[0].state == DRY_RUN)
    bench.until(lambda: "It acted before" in editor.notice.accessibleName())


def test_a_save_that_fails_loses_nothing(bench: Bench, desk: FakeAutomation) -> None:
    editor = bench.begin()
    bench.tried()
    desk.fault = Outage("The disk is full.")
    editor.submit_button.click()
    bench.until(lambda: "The disk is full." in editor.notice.accessibleName())
    assert editor.submit_button.isEnabled()
    assert editor.file()["name"] == "Wave"


def test_a_double_press_saves_once(bench: Bench, desk: FakeAutomation) -> None:
    editor = bench.begin()
    editor.save()
    editor.save()
    bench.until(lambda: len(desk.entries) == 1)
    bench.until(lambda: not editor.submit_button.isEnabled())
    assert len(desk.entries) == 1


# keyboard


def test_tab_goes_through_the_cards_as_they_are_read(bench: Bench) -> None:
    editor = bench.begin()
    editor.when.name_edit.setFocus()
    seen: list[QWidget] = []
    for _ in range(32):
        QTest.keyClick(bench.holder.focusWidget(), Qt.Key.Key_Tab)
        seen.append(bench.holder.focusWidget())
    form = editor.actions_card.forms[0]
    wanted = [
        editor.when.query.line, editor.when.tenant, editor.when.index, editor.when.mode, editor.when.at_least,
        editor.when.key, editor.when.within.number, editor.when.within.unit, editor.when.how, form.trigger, form.type,
        form.responder, form.target, form.path_edit, form.body_edit, form.override,
    ]  # fmt: skip
    places = [seen.index(widget) for widget in wanted]
    assert places == sorted(places)


def test_a_number_stays_within_its_bounds(bench: Bench) -> None:
    limit = bench.begin().limits.per_minute
    limit.setText("99")
    limit.editingFinished.emit()
    assert limit.value() == 10
    limit.setText("")
    limit.editingFinished.emit()
    assert (limit.text(), limit.value()) == ("10", 10)
    QTest.keyClick(limit, Qt.Key.Key_Down)
    assert limit.value() == 9
    limit.setText("0")
    limit.editingFinished.emit()
    assert limit.value() == 1


@pytest.mark.parametrize("width", [950, 1290])
def test_nothing_is_cut_off_at_the_side(bench: Bench, width: int) -> None:
    editor = bench.begin(query="outcome:quarantined AND " * 40 + "x", name="N" * 128)
    bench.tried()
    bench.holder.resize(width, 645)
    editor.resize(width, 645)
    QTest.qWait(20)
    cards = editor.scroller.widget()
    assert cards.width() <= editor.scroller.viewport().width()
    for part in (editor.submit_button, editor.backtest.range, editor.backtest.table):
        right = part.mapTo(editor, part.rect().topRight()).x()
        assert right <= width


def test_a_definition_of_a_file_with_line_breaks_in_its_query_is_kept(bench: Bench) -> None:
    editor = bench.editor
    editor.begin(playbook_to_file(playbook(query="outcome:quarantined\nAND sender:x")))
    assert editor.file()["query"] == "outcome:quarantined AND sender:x"
