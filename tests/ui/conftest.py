"""Tests of the window: no display needed, and a fixed theme and font for every one of them."""

from __future__ import annotations

import functools
import gc
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

os.environ["QT_QPA_PLATFORM"] = os.environ.get("POD_DESKTOP_TEST_PLATFORM", "offscreen")
os.environ.setdefault("QT_API", "pyside6")

import pytest
from fakedesk import FakeDesk, row
from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from pod_desktop.ui.preferences import Preferences
from pod_desktop.ui.theme import LIGHT, Theme
from pod_desktop.ui.window import MainWindow

PATIENCE_MS = 60_000
"""How long a state is waited for: a machine may be busy, and what never comes fails all the same."""
for _name in ("waitUntil", "waitSignal", "waitSignals", "waitExposed", "waitActive", "waitCallback"):
    _wait = getattr(QtBot, _name)
    setattr(QtBot, _name, functools.wraps(_wait)(functools.partialmethod(_wait, timeout=PATIENCE_MS)))


@pytest.fixture(autouse=True)
def garbage_of_this_thread() -> Iterator[None]:
    """As ui.garbage does it in the program: no worker thread may destroy what a test before has left."""
    gc.disable()
    yield
    gc.collect(1)
    gc.enable()


@pytest.fixture(scope="session")
def worn(qapp: QApplication) -> Theme:
    """The application dressed as the user sees it."""
    return Theme(qapp, LIGHT)


@pytest.fixture
def desk() -> FakeDesk:
    """300 records, one a second, the newest now."""
    now = time.time_ns() // 1000
    return FakeDesk(rows=[row(number, now - (300 - number) * 1_000_000) for number in range(300)])


@pytest.fixture
def preferences(tmp_path: Path) -> Preferences:
    """Nothing chosen yet."""
    return Preferences(QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat))


@pytest.fixture
def make_window(qtbot: QtBot, worn: Theme, preferences: Preferences) -> Iterator[Callable[..., MainWindow]]:
    """Makes windows over a desk, shown and filled; stops them in the end."""
    made: list[MainWindow] = []

    def make(desk: FakeDesk, *, rows: int | None = None, size: tuple[int, int] = (1440, 900)) -> MainWindow:
        window = MainWindow(desk, preferences, worn, data_dir="/tmp/data")
        made.append(window)
        qtbot.addWidget(window)
        window.resize(*size)
        window.show()
        wanted = len(desk.rows) if rows is None else rows
        qtbot.waitUntil(lambda: window.events.model.total == wanted and window._overview is not None)
        return window

    yield make
    for window in made:
        window.stop()
    worn.choose(LIGHT)
