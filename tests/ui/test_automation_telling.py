"""What playbooks tell: a strip in the window, and on the desktop what the service has not told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from fakeautomation import NOW, FakeAutomation, a_row, in_window
from fakedesk import FakeDesk, row
from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from pod_desktop.ui.automation.notifying import Notifier
from pod_desktop.ui.telling import Tray
from pod_desktop.ui.widgets.activity import ActivityPanel
from pod_desktop.ui.window import MainWindow


@pytest.fixture
def desk(tmp_path: Path) -> FakeAutomation:
    return FakeAutomation(tmp_path)


def test_what_a_playbook_tells_is_one_strip_in_the_window_however_much_it_is(
    qtbot: QtBot, make_window: Callable[..., MainWindow], desk: FakeAutomation
) -> None:
    window = make_window(FakeDesk(rows=[row(1, NOW)]))
    desk.notified = [a_row(id=1, type="notify", entry=None, text="from before")]
    wiring = in_window(window, desk)
    told: list[str] = []
    wiring.notified.connect(lambda rows: told.extend(one.text for one in rows))
    wiring.notified.connect(Notifier(window, window.zone, wiring.claim_told).show_rows)
    qtbot.waitUntil(lambda: wiring._mark is not None)

    def tell(number: int, words: str) -> None:
        desk.notified.insert(0, a_row(id=number, type="notify", entry=None, text=words))
        desk.mark += 1

    tell(2, "<b>3</b> messages from \u202ex")
    qtbot.waitUntil(lambda: len(told) == 1)
    tell(3, "4 messages")
    qtbot.waitUntil(lambda: len(told) == 2)
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    panels = window.findChildren(ActivityPanel)
    assert told == ["<b>3</b> messages from \u202ex", "4 messages"]
    assert [one.accessibleDescription() for one in panels] == ["4 messages (and 1 more)"]
    assert "‹U+202E›" in panels[0]._details
    wiring.stop()


def test_the_desktop_is_told_what_the_service_has_not_told_and_nothing_that_a_record_says(
    qtbot: QtBot,
    make_window: Callable[..., MainWindow],
    desk: FakeAutomation,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: list[tuple[str, str]] = []
    monkeypatch.setattr(Tray, "able", lambda: True)
    monkeypatch.setattr(Tray, "tell", lambda _self, title, words, _page: told.append((title, words)))
    window = make_window(FakeDesk(rows=[row(1, NOW)]))
    wiring = in_window(window, desk)
    wiring.notified.connect(Notifier(window, window.zone, wiring.claim_told).show_rows)
    qtbot.waitUntil(lambda: wiring._mark is not None)
    wiring._told = 0

    def tell(number: int) -> None:
        desk.notified.insert(
            0, a_row(id=number, type="notify", entry=None, text="x@victim.example", public="Wave: 3 records")
        )
        desk.mark += 1
        qtbot.waitUntil(lambda: desk.told == number)

    tell(2)
    qtbot.waitUntil(lambda: told == [("Playbook Wave", "Wave: 3 records.")])
    desk.told = 3  # the service came first
    desk.notified.insert(0, a_row(id=3, type="notify", entry=None, text="again"))
    desk.mark += 1
    qtbot.waitUntil(lambda: wiring._told == 3)
    tell(4)
    qtbot.waitUntil(lambda: len(told) == 2)
    wiring.stop()
