"""The Settings page tells what its limits delete, before they do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QSettings
from pytestqt.qtbot import QtBot

from pod_desktop.core import settings as declared
from pod_desktop.core.faults import Outage
from pod_desktop.services.settings import Settings
from pod_desktop.store import Ledger
from pod_desktop.ui.bridge import Worker
from pod_desktop.ui.connectors.confirm import Confirm
from pod_desktop.ui.preferences import Preferences
from pod_desktop.ui.settings import Plan, RetentionDesk, SettingsDesk, SettingsPage
from pod_desktop.ui.settings.controls import Number

pytestmark = pytest.mark.usefixtures("worn")


class World:
    """A page over a ledger; what retention would do is made up."""

    def __init__(self, folder: Path) -> None:
        self.ledger = Ledger(folder / "ledger.db")
        self.settings = Settings(self.ledger)
        self.worker = Worker("settings of a test")
        self.asked: list[tuple[int | None, int | None]] = []
        self.plan = Plan("Up to 20 records are to be deleted.", 20)
        self.fault: Outage | None = None
        self.applied = 0
        preferences = Preferences(QSettings(str(folder / "window.ini"), QSettings.Format.IniFormat))
        self.page = SettingsPage(
            preferences, str(folder), desk=SettingsDesk(preferences, self.settings, self.worker),
            retention=RetentionDesk(plan=self._plan, apply=self._apply),
        )  # fmt: skip
        self.page.resize(1000, 700)

    def _plan(self, days: int | None, gigabytes: int | None) -> Plan:
        self.asked.append((days, gigabytes))
        if self.fault is not None:
            raise self.fault
        return self.plan

    def _apply(self) -> str:
        if self.fault is not None:
            raise self.fault
        self.applied += 1
        return "20 records deleted."

    def told(self) -> str:
        assert self.page.retention is not None
        return self.page.retention.told.text().replace("\u200b", "")


@pytest.fixture
def world(qtbot: QtBot, tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    qtbot.addWidget(made.page)
    made.page.show()
    qtbot.waitUntil(lambda: bool(made.told()))
    yield made
    assert made.page.retention is not None
    made.page.retention.stop()
    made.worker.stop()
    made.ledger.close()


def question(world: World) -> Confirm:
    (found,) = world.page.findChildren(Confirm)
    return found


def test_what_will_go_stands_below_the_limits(world: World) -> None:
    assert (
        world.told() == "Up to 20 records are to be deleted. The collector service does it within the hour."
    )
    assert world.page.retention is not None and world.page.retention.now.isVisible()


def test_a_narrower_limit_is_asked_for_with_what_it_deletes(qtbot: QtBot, world: World) -> None:
    control = world.page.controls[declared.RETENTION_DAYS]
    assert isinstance(control, Number)
    control.chosen.emit(7)
    qtbot.waitUntil(lambda: bool(world.page.findChildren(Confirm)))
    assert world.asked[-1] == (7, None)
    assert "Up to 20 records are to be deleted." in question(world).accessibleName()
    question(world).way_on.click()
    qtbot.waitUntil(lambda: world.settings.get(declared.RETENTION_DAYS) == 7)
    qtbot.waitUntil(lambda: world.asked[-1] == (None, None))


def test_deleting_now_asks_once_and_tells_what_came_of_it(qtbot: QtBot, world: World) -> None:
    assert world.page.retention is not None
    world.page.retention.now.click()
    assert "cannot be brought back" in question(world).accessibleName()
    assert world.applied == 0
    question(world).way_on.click()
    qtbot.waitUntil(lambda: world.told() == "20 records deleted.")
    assert world.applied == 1


def test_where_nothing_goes_nothing_can_be_deleted(qtbot: QtBot, world: World) -> None:
    world.plan = Plan("Nothing is to be deleted.", 0)
    assert world.page.retention is not None
    world.page.retention.refresh()
    qtbot.waitUntil(lambda: world.told() == "Nothing is to be deleted.")
    assert not world.page.retention.now.isVisible()


def test_what_cannot_be_told_or_done_says_why(qtbot: QtBot, world: World) -> None:
    world.fault = Outage("The disk fails.")
    assert world.page.retention is not None
    world.page.retention.now.click()
    question(world).way_on.click()
    qtbot.waitUntil(lambda: world.told() == "Not deleted: The disk fails.")
    world.page.retention.refresh()
    qtbot.waitUntil(lambda: "cannot be told: The disk fails." in world.told())
