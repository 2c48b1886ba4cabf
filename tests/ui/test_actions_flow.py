"""From the click to the list and back: the tab, the history and the lists over the real rooms and a simulated API."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fakedesk import row
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from pod_desktop import app
from pod_desktop.core.action import FAILED, SUCCEEDED, UNDONE
from pod_desktop.core.clock import DAY
from pod_desktop.core.responder import TYPES, RespondConnector
from pod_desktop.core.secret import Secret
from pod_desktop.services.connectors import Connectors
from pod_desktop.simulator.api import RESET_AFTER_PROCESS, RESET_AFTER_READ
from pod_desktop.simulator.threaded import ThreadedSimulator, running
from pod_desktop.ui.actions.calls import Calls
from pod_desktop.ui.actions.realdesk import RealDesk
from pod_desktop.ui.actions.tab import ActionsTab
from pod_desktop.ui.bridge import Record
from pod_desktop.ui.history.page import HistoryPage
from pod_desktop.ui.lists.page import ListsPage
from pod_desktop.ui.moments import Zone
from pod_desktop.ui.theme import Theme

NAMES = ("block", "safe", "unblock", "unsafe")
HOSTILE = (
    '"},"action":"delete","value":"x@bad.test',
    "{guid}@bad.test",
    "<b>x</b>@bad.test",
    "&x%2e%2e/..@bad.test",
    "пример@пример.test",
    "\\u0022@bad.test",
)


@pytest.fixture(scope="module")
def served() -> Iterator[ThreadedSimulator]:
    with running(seed=7, rate=0.001) as simulator:
        yield simulator


class World:
    """A data directory with four responders, and what a window would show of it."""

    def __init__(self, qtbot: QtBot, home: app.Home, sim: ThreadedSimulator) -> None:
        self.qtbot, self.home, self.sim = qtbot, home, sim
        self.calls = Calls()
        self.desk = RealDesk(home)
        self.tab = ActionsTab(self.desk, self.calls, home.clock, Zone(utc=True))
        self.tab.form._pause.setInterval(0)
        self.tab.form._look.setInterval(0)
        self.tab.resize(420, 760)
        qtbot.addWidget(self.tab)
        self.tab.show()

    def show(self, sender: str, seq: int = 1) -> None:
        value = {"guid": f"g{seq}", "envelope": {"from": sender, "rcpts": ["j@acme.test"]}}
        self.tab.show_record(
            Record(row=row(seq, 1, tenant="Acme", rid=f"g{seq}"), raw=json.dumps(value).encode(), value=value)
        )
        self.qtbot.waitUntil(lambda: self.tab.form.prepared is not None)

    def submit(self) -> str:
        self.qtbot.waitUntil(self.tab.form.submit_button.isEnabled)
        QTest.mouseClick(self.tab.form.submit_button, Qt.MouseButton.LeftButton)
        QTest.mouseDClick(self.tab.form.submit_button, Qt.MouseButton.LeftButton)
        self.qtbot.waitUntil(lambda: not self.tab.form.busy)
        return self.tab.form.outcome.accessibleName()

    def values(self, name: str = "orgBlockList") -> list[str]:
        return [entry["value"] for entry in self.sim.do(lambda one: one.api.entries(name))]

    def posts(self) -> list[Any]:
        return [one for one in self.sim.do(lambda one: one.api.requests("org")) if one.method == "POST"]

    def actions(self) -> list[Any]:
        return self.home.journal.actions()


@pytest.fixture
def world(
    qtbot: QtBot, worn: Theme, served: ThreadedSimulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[World]:
    monkeypatch.setenv("POD_DESKTOP_SECRETS_DIR", str(tmp_path / "secrets"))

    def fresh(simulator: Any) -> None:
        for entries in simulator.api.lists.values():
            entries.clear()
        simulator.api.exchanges.clear()
        simulator.api.behaviour.licensed = True
        simulator.api.behaviour.delay = 0.0

    served.do(fresh)
    home = app.open_home(tmp_path / "data")
    home.use_memory_vault("test")
    connectors = Connectors(home.ledger, home.vault, home.clock)
    secrets = {"client_id": Secret(served.client_id), "client_secret": Secret(served.client_secret)}
    for name, kind in zip(NAMES, TYPES, strict=True):
        connector = RespondConnector(
            name=name, tenant="Acme", type=kind, cluster_id=served.cluster_id, hostname=served.hostname,
            protocol="HTTP", token_url=served.token_url,
        )  # fmt: skip
        connectors.create(connector, secrets)
    made = World(qtbot, home, served)
    yield made
    assert made.calls.stop(made.desk.close)
    assert home.journal.verify() == []
    home.close()


def test_a_click_puts_the_sender_on_the_list_once_and_undo_takes_it_off(world: World) -> None:
    world.show("billing@bad.test")
    shown = world.tab.form.prepared.request
    assert "Succeeded · 200 OK" in world.submit()
    assert world.values() == ["billing@bad.test"]
    (post,) = world.posts()
    assert post.body == shown.body
    assert world.actions()[0].record_id == "message:g1"
    world.tab.form.outcome.next_button.click()
    world.qtbot.waitUntil(lambda: world.values() == [])
    world.qtbot.waitUntil(lambda: [one.status for one in world.actions()] == [SUCCEEDED, UNDONE])


def test_what_the_lists_and_the_store_say_stands_below_the_request(world: World) -> None:
    world.show("billing@bad.test")
    form = world.tab.form
    world.qtbot.waitUntil(lambda: form._standing is not None and form._impact is not None)
    assert "Not on the block list." in form.findings.words()
    assert "No stored message of the last 30 days matches." in form.findings.words()
    world.submit()
    form.fields.comment_edit.set_text("again")
    world.qtbot.waitUntil(lambda: "Already on the block list" in form.findings.words())


def test_a_key_without_the_list_module_is_told_before_and_after(world: World) -> None:
    world.sim.do(lambda one: setattr(one.api.behaviour, "licensed", False))
    world.show("billing@bad.test")
    form = world.tab.form
    world.qtbot.waitUntil(lambda: form._standing is not None)
    assert "cannot be told" in form.findings.words() and "403" in form.findings.words()
    assert "Failed · 403 Forbidden" in world.submit()
    assert world.actions()[0].status == FAILED


@pytest.mark.parametrize("strike", [RESET_AFTER_READ, RESET_AFTER_PROCESS])
def test_an_answer_that_never_came_ends_as_the_list_says(world: World, strike: str) -> None:
    world.show("billing@bad.test")
    world.sim.do(lambda one: one.api.next(strike, where="list"))
    # The form has read the list by now, or reads it later: either way the POST is not doubled.
    world.submit()
    world.qtbot.waitUntil(lambda: world.actions()[0].status in (SUCCEEDED, FAILED))
    assert (world.values() == ["billing@bad.test"]) == (world.actions()[0].status == SUCCEEDED)
    assert len(world.posts()) <= 2


@pytest.mark.parametrize("sender", HOSTILE)
def test_hostile_senders_arrive_as_they_are(world: World, sender: str) -> None:
    world.show(sender)
    value = json.loads(world.tab.form.prepared.request.body)["value"]
    if world.tab.form.submit_button.isEnabled():
        world.submit()
        assert world.values() == [value]


def test_the_history_follows_and_can_take_back(world: World) -> None:
    page = HistoryPage(world.desk, world.calls, world.home.clock, Zone(utc=True))
    world.qtbot.addWidget(page)
    page.resize(1290, 840)
    page.show()
    world.show("billing@bad.test")
    world.tab.form.footer.remove_after.choose_days(7)
    world.qtbot.waitUntil(lambda: world.tab.form.prepared is not None)
    world.submit()
    world.qtbot.waitUntil(lambda: len(page.model.rows) == 1)
    page.table.selectRow(0)
    world.qtbot.waitUntil(lambda: page.detail._detail is not None)
    assert "Intent committed." in page.detail.steps.text()
    page.detail.remove_after.choose_days(30)
    due = world.home.clock.now() + 29 * DAY
    world.qtbot.waitUntil(lambda: world.actions()[0].expires > due)
    page.detail.verify_button.click()
    world.qtbot.waitUntil(lambda: "Unchanged" in page.detail.verified.text())
    world.qtbot.waitUntil(page.detail.undo_button.isEnabled)
    page.detail.undo_button.click()
    world.qtbot.waitUntil(lambda: len(page.model.rows) == 2)
    assert world.values() == []
    page.stop()


def test_a_bulk_of_pasted_values_ends_on_the_list(world: World) -> None:
    page = ListsPage(world.desk, world.calls, world.home.clock, Zone(utc=True))
    world.qtbot.addWidget(page)
    page.show()
    world.qtbot.waitUntil(lambda: page._lists is not None)
    block = next(one for one in page._responders if one.type == TYPES[0])
    dialog = page.open_bulk(block, "\n".join(f"user{number}@bulk.test" for number in range(120)) + "\ncom\n")
    world.qtbot.waitUntil(lambda: dialog.send_button.text() == "Send 120")
    longest, beat = _gap(
        world.qtbot, dialog.send_button.click, lambda: "Done: 120 of 120" in dialog.words.text()
    )
    assert len(world.values()) == len(world.posts()) == 120
    assert beat and longest < 1.0, longest
    world.qtbot.waitUntil(lambda: len(page.model.rows) == 120)
    dialog.reject()


def _gap(qtbot: QtBot, start: Callable[[], object], done: Callable[[], bool]) -> tuple[float, int]:
    """The longest time that the window's loop did not come round while something went on."""
    longest, last, beats = 0.0, time.perf_counter(), 0
    start()
    while not done():
        qtbot.wait(5)
        now = time.perf_counter()
        longest, last, beats = max(longest, now - last), now, beats + 1
        assert beats < 6_000
    return longest, beats
