"""Ten million rows: jumping by the scroll bar shows rows at once, and keys never walk through them all."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable

from fakedesk import Advance, FakeDesk, FakeView, row
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from pod_desktop.core.record import EventRow
from pod_desktop.ui.bridge import Question
from pod_desktop.ui.window import MainWindow

Make = Callable[..., MainWindow]
ROWS = 10_000_000
PAGE_SECONDS = 0.02
BLANK_SECONDS = 0.150
BUSY = 10.0
"""Tests share a machine with others; the bench measures the goal itself."""


class HugeView(FakeView):
    """Rows that are made when they are looked at."""

    def __init__(self, desk: FakeDesk, question: Question) -> None:
        super().__init__(desk, question)
        self._told = False
        self._now = time.time_ns() // 1000

    @property
    def total(self) -> int:
        return ROWS

    def step(self) -> bool:
        return False

    def advance(self) -> Advance:
        first, self._told = not self._told, True
        return Advance(ROWS, ((0, ROWS),) if first else ())

    def rows(self, first: int, count: int) -> list[EventRow]:
        assert isinstance(self._desk, HugeDesk)
        self._desk.pages_read += 1
        time.sleep(self._desk.read_seconds)
        return [row(ROWS - place, self._now - place * 1_000) for place in range(first, first + count)]

    def row_of(self, seq: int) -> int | None:
        return ROWS - seq


class HugeDesk(FakeDesk):
    pages_read = 0
    read_seconds = PAGE_SECONDS

    def open(self, question: Question) -> HugeView:
        return HugeView(self, question)


def test_no_jump_by_the_bar_stays_blank(qtbot: QtBot, make_window: Make) -> None:
    window = make_window(HugeDesk(), rows=ROWS)
    table, bar = window.events.table, window.events.table.verticalScrollBar()
    chance = random.Random(7)
    waits = []
    for _jump in range(25):
        bar.setValue(chance.randrange(bar.maximum()))
        began = time.perf_counter()
        while any(window.events.model.row(bar.value() + seen) is None for seen in (0, 12, 24)):
            QApplication.processEvents()
            assert time.perf_counter() - began < 100
        waits.append(time.perf_counter() - began)
        assert len(table.visible_rows()) > 20
    # The median: on a busy machine any single wait may be somebody else's; the bench has the longest.
    assert statistics.median(waits) < BLANK_SECONDS * BUSY, waits


def test_dragging_through_all_rows_never_falls_behind(qtbot: QtBot, make_window: Make) -> None:
    desk = HugeDesk()
    window = make_window(desk, rows=ROWS)
    bar = window.events.table.verticalScrollBar()
    desk.read_seconds = 0.1
    for step in range(80):  # a drag of 1.3 s, a new place every 16 ms, each read in 100 ms
        bar.setValue(bar.maximum() * step // 80)
        qtbot.wait(16)
    before = desk.pages_read
    qtbot.waitUntil(lambda: window.events.model.row(bar.value()) is not None)
    assert desk.pages_read - before < 10, "pages that were passed are not waited for"


def test_keys_and_selections_cost_no_walk(qtbot: QtBot, make_window: Make) -> None:
    window = make_window(HugeDesk(), rows=ROWS)
    table = window.events.table
    table.setFocus()
    began = time.perf_counter()
    for key in (Qt.Key.Key_End, Qt.Key.Key_X, Qt.Key.Key_Q, Qt.Key.Key_Home, Qt.Key.Key_PageDown):
        qtbot.keyClick(table, key)
    table.selectAll()
    assert table.chosen_count() == ROWS
    assert time.perf_counter() - began < 2.0 * BUSY
