"""Actions in the whole window: from the table's menu to the form, the history's badge, and back to the record."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from fakeactions import FakeActions, an_action, responder
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot

from pod_desktop.core.action import BLOCK, FAILED, SAFE
from pod_desktop.core.clock import SystemClock
from pod_desktop.ui.actions.commands import HISTORY, LISTS, add_actions
from pod_desktop.ui.actions.wiring import ActionsWiring
from pod_desktop.ui.lists.bulk import BulkDialog
from pod_desktop.ui.window import MainWindow


class World:
    def __init__(self, window: MainWindow, actions: FakeActions) -> None:
        self.window, self.actions = window, actions
        self.wiring: ActionsWiring | None = None
        self.tab_number = add_actions(window, self.acting)

    def acting(self) -> ActionsWiring:
        if self.wiring is None:
            self.wiring = ActionsWiring(self.window, self.actions, SystemClock(), self.tab_number)
        return self.wiring

    @property
    def tab(self):
        return self.acting()._tab()

    def command(self, words: str):
        actions = self.window.menus.commands.actions
        return next(one for one in actions if one.text().replace("&", "") == words)


@pytest.fixture
def world(make_window, desk, qtbot: QtBot) -> Iterator[World]:
    made = World(make_window(desk), FakeActions())
    yield made
    if made.wiring is not None:
        assert made.wiring.stop()


def test_nothing_of_actions_is_made_before_it_is_used(world) -> None:
    world.window.events.table.go_to(0)
    assert world.wiring is None


def test_block_sender_opens_the_form_filled_with_the_selected_record(world, qtbot) -> None:
    world.window.events.table.go_to(2)
    world.command("Block Sender …").trigger()
    qtbot.waitUntil(lambda: world.tab.form.prepared is not None)
    prepared = world.tab.form.prepared
    assert prepared.entry.value == "sender297@contoso.example" and prepared.responder.list == BLOCK
    assert world.tab.isVisible() and not world.actions.posts


def field_menu(world, number: int) -> dict[str, Callable[[], None]]:
    """What the menu of a field offers, in the pane or in a window of the record."""
    found = world.window.events.model.row(number)
    world.window.events.detail.field_menu_asked.emit(found, "", "a.b", "x", QPoint(10, 10))
    menu = QApplication.activePopupWidget()
    return {one.text().replace("&", ""): one.trigger for one in menu.actions() if one.text()}


def test_the_menu_of_a_field_blocks_the_sender_of_the_record_it_is_in(world, qtbot) -> None:
    world.window.events.table.go_to(2)
    menu = field_menu(world, 2)
    assert "Safelist Sender …" in menu
    menu["Block Sender …"]()
    qtbot.waitUntil(lambda: world.tab.form.prepared is not None)
    assert world.tab.form.prepared.entry.value == "sender297@contoso.example"
    QApplication.activePopupWidget().close()
    assert "Block Sender …" not in field_menu(world, 5)  # a window's: not the record that would be acted on
    QApplication.activePopupWidget().close()


def test_safelist_sender_fills_the_other_responder_even_when_the_tab_is_open(world, qtbot) -> None:
    world.window.events.table.go_to(0)
    world.command("Block Sender …").trigger()
    qtbot.waitUntil(lambda: world.tab.form.prepared is not None)
    world.window.events.table.go_to(1)
    world.command("Safelist Sender …").trigger()
    qtbot.waitUntil(
        lambda: world.tab.form.prepared is not None and world.tab.form.prepared.responder.list == SAFE
    )  # fmt: skip
    assert world.tab.form.prepared.entry.value == "sender298@contoso.example"


def test_moving_on_never_leaves_the_last_record_s_request_to_be_sent(world, qtbot, desk) -> None:
    world.window.events.table.go_to(0)
    world.command("Block Sender …").trigger()
    qtbot.waitUntil(world.tab.form.submit_button.isEnabled)
    desk.record_seconds = 0.1
    world.window.events.table.go_to(1)
    assert not world.tab.form.submit_button.isEnabled()
    qtbot.waitUntil(world.tab.form.submit_button.isEnabled)
    assert world.tab.form.prepared.entry.value == "sender298@contoso.example"


def test_a_record_without_a_sender_offers_no_block_of_one(world, qtbot) -> None:
    events = world.window.events
    events.table.go_to(0)
    (block,) = [
        button for button in events.detail.findChildren(QPushButton) if button.text() == "Block sender…"
    ]
    qtbot.waitUntil(lambda: events.detail.record is not None and block.isEnabled())
    record = events.detail.record
    events.detail.came.emit(replace(record, row=record.row._replace(sender="")))
    assert not block.isEnabled() and "names no sender" in block.toolTip()


def test_the_menus_offer_no_block_of_a_sender_that_a_record_does_not_name(world, qtbot, desk) -> None:
    desk.rows[-1] = desk.rows[-1]._replace(sender="", kind="maillog")
    world.window.events.ask()
    table = world.window.events.table
    qtbot.waitUntil(lambda: world.window.events.model.row(0) and not world.window.events.model.row(0).sender)
    both = [world.command("Block Sender …"), world.command("Safelist Sender …")]
    table.go_to(1)
    assert all(command.isEnabled() for command in both)
    table.go_to(0)
    assert not any(command.isEnabled() for command in both)
    QTest.keyClick(table, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    assert table.chosen_count() == 2 and all(command.isEnabled() for command in both)
    table.go_to(0)
    assert not any(command.isEnabled() for command in both)


def test_several_selected_records_open_one_run(world, qtbot) -> None:
    table = world.window.events.table
    table.go_to(0)
    for _ in range(2):
        QTest.keyClick(table, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    assert table.chosen_count() == 3
    world.command("Block Sender …").trigger()
    qtbot.waitUntil(lambda: world.window.findChildren(BulkDialog) != [])
    (dialog,) = world.window.findChildren(BulkDialog)
    qtbot.waitUntil(lambda: dialog.send_button.text() == "Send 3")
    dialog.reject()


def test_records_of_tenants_without_a_common_responder_are_told(world, qtbot) -> None:
    world.actions.connectors = [responder(0, "another")]
    table = world.window.events.table
    table.go_to(0)
    QTest.keyClick(table, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    world.command("Block Sender …").trigger()
    qtbot.waitUntil(lambda: world.window.activities.count() == 1)
    assert (
        "No responder adds to the Org Block List"
        in world.window.activities.itemAt(0).widget().accessibleDescription()
    )


def test_what_needs_a_person_shows_in_the_rail(world, qtbot) -> None:
    world.actions.history = [an_action(status=FAILED)]
    world.acting().history()
    button = world.window.rail.button(HISTORY)
    qtbot.waitUntil(lambda: button.accessibleDescription() == "1 failed or unknown")
    world.actions.history = [an_action()]
    world.actions.touch()
    qtbot.waitUntil(lambda: button.accessibleDescription() == "")


def test_an_interrupted_bulk_run_shows_in_the_rail_too(world, qtbot) -> None:
    world.actions.leave(responder(0), ["a@bad.example", "b@bad.example"], 1)
    world.acting().history()
    button = world.window.rail.button(HISTORY)
    qtbot.waitUntil(lambda: button.accessibleDescription() == "1 interrupted")


def test_show_in_action_history_goes_there_and_open_record_comes_back(world, qtbot) -> None:
    world.window.events.table.go_to(0)
    world.command("Block Sender …").trigger()
    qtbot.waitUntil(world.tab.form.submit_button.isEnabled)
    world.tab.form.submit()
    qtbot.waitUntil(world.tab.form.outcome.history_button.isVisible)
    world.tab.form.outcome.history_button.click()
    page = world.acting().history()
    qtbot.waitUntil(lambda: page.isVisible() and page.table.current() is not None)
    assert page.table.current().id == world.actions.posts[0].id
    page.detail.record_button.click()
    assert world.window.events.isVisible() and "guid-299" in world.window.events.query.text


def test_the_lists_are_read_again_when_something_was_done_elsewhere(world, qtbot) -> None:
    window = world.window
    window.go(LISTS)
    lists = world.acting().lists()
    qtbot.waitUntil(lambda: lists._lists is not None)
    assert lists.model.rows == []
    window.events.table.go_to(0)
    world.command("Block Sender …").trigger()
    qtbot.waitUntil(world.tab.form.submit_button.isEnabled)
    world.tab.form.submit()
    qtbot.waitUntil(world.tab.form.outcome.history_button.isVisible)
    window.go(LISTS)
    qtbot.waitUntil(lambda: len(lists.model.rows) == 1)
    page = world.acting().history()
    page.do("Undo", world.actions.posts[0].id)
    window.go(HISTORY)
    qtbot.waitUntil(lambda: world.actions.held[BLOCK] == [])
    qtbot.waitUntil(lambda: lists._outdated)
    window.go(LISTS)
    qtbot.waitUntil(lambda: lists.model.rows == [])


def test_the_pages_stand_in_the_rail_and_answer_their_keys(world, qtbot) -> None:
    for key in (HISTORY, LISTS):
        world.window.rail.button(key).click()
        assert world.window.page(key).isVisible()
    world.window.use_utc(True)
    world.window.restyle()
