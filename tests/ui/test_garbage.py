"""Widgets in cycles are destroyed on the window's thread, whichever thread allocates."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from pod_desktop.ui.garbage import Garbage


class Told:
    """Says on which thread it was destroyed, and hangs in a cycle."""

    def __init__(self, threads: list[str]) -> None:
        self.threads = threads
        self.myself = self

    def __del__(self) -> None:
        self.threads.append(threading.current_thread().name)


@pytest.fixture
def garbage() -> Iterator[Garbage]:
    parent = QObject()
    made = Garbage(parent)
    yield made
    made.stop()


def test_a_worker_that_allocates_destroys_nothing_and_the_window_does(qtbot: QtBot, garbage: Garbage) -> None:
    threads: list[str] = []
    Told(threads)

    kept: list[list[int]] = []

    def allocate() -> None:
        kept.extend([number] for number in range(20_000))

    worker = threading.Thread(target=allocate, name="worker")
    worker.start()
    worker.join()
    assert threads == []
    qtbot.waitUntil(lambda: threads == [threading.main_thread().name])


def test_the_interpreter_gets_its_collecting_back() -> None:
    parent = QObject()
    made = Garbage(parent)
    assert not gc.isenabled()
    made.stop()
    assert gc.isenabled()
