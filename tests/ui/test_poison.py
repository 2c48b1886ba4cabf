"""Hostile records in every view: nothing interpreted, nothing opened, nothing frozen."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import pytest
from fakedesk import FakeDesk, row
from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLabel, QPlainTextEdit, QTextBrowser, QTextEdit
from pytestqt.qtbot import QtBot

from pod_desktop.core import blocks
from pod_desktop.ui.detail.pane import FIELDS, JSON, SUMMARY
from pod_desktop.ui.events.columns import COLUMNS
from pod_desktop.ui.window import MainWindow

Make = Callable[..., MainWindow]
FIRST_PAINT_SECONDS = 0.2
GAP_SECONDS = 0.1
BUSY = 10.0
"""This machine may be busy with other work: the limits are multiplied."""
POISON = {
    "markup": "<b>x</b><img src='file:///dev/zero'>",
    "nested tables": "<table><tr><td>" * 14 + "x",
    "ten megabytes": "A" * 10_000_000,
    "ten megabytes of words": "word <b> " * 1_000_000,
    "ten megabytes of emoji": "👩‍💻" * 2_500_000,
    "bidi": "\u202egpj.exe\u202c \u2066\u2067\u2069 \u05d0\u05d1" * 50,
    "marks": "a" + "\u0301" * 100_000,
    "lines": "line\n" * 1_000_000,
    "half a character": "\ud800 \udfff",
    "controls": "\x00\x07\x1b[31m\x7f\x9b",
    "mnemonics": "&File &&x [*] %1 %n",
    "links": "https://evil.example file:///etc/passwd smb://x search-ms:y",
    "tags": "\U000e0041\U000e007f" * 1_000,
    "arabic letter joined for ever": "\u0640" * 200_000,
}


class Gap(QObject):
    """The longest time that the main loop did not come round."""

    def __init__(self) -> None:
        super().__init__()
        self.longest = 0.0
        self._last = time.thread_time()
        self._timer = QTimer(self, interval=5)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._beat)
        self._timer.start()

    def _beat(self) -> None:
        now = time.thread_time()
        self.longest = max(self.longest, now - self._last)
        self._last = now

    def begin(self) -> None:
        self.longest, self._last = 0.0, time.thread_time()


def _poisoned(desk: FakeDesk, poison: str) -> None:
    newest = desk.rows[-1].time
    stored = poison.encode("utf-8", "replace").decode("utf-8")[:4_096]
    desk.add(
        [
            row(
                900, newest + 1, sender=stored, recipients=(stored,), subject=stored, ip=stored, rule=stored,
                disposition=stored, stat=stored, kind="maillog", tenant=stored, connector=stored, rid=stored,
            )
        ]
    )  # fmt: skip
    # A desk that bounds nothing: the window's own limits must do.
    desk.summaries[900] = (
        blocks.Notice(poison),
        blocks.Facts(
            (blocks.Fact("Rule", poison, mono=True, tip=poison, chips=(blocks.Chip(poison[:40]),)),),
            poison[:80],
        ),
        blocks.Chips("Chips", (blocks.Chip(poison, tip=poison),)),
        blocks.Lines("Lines", (poison,) * 3),
    )
    desk.raws[900] = json.dumps({"subject": poison, poison[:200]: [poison[:1_000]] * 50}).encode()


@pytest.mark.parametrize("name", POISON)
def test_a_poisoned_record_neither_freezes_nor_is_interpreted(
    qtbot: QtBot, make_window: Make, desk: FakeDesk, name: str
) -> None:
    _poisoned(desk, POISON[name])
    window = make_window(desk)
    for column in COLUMNS:
        window.events.table.columns.show_column(column.key, True)
    gap = Gap()
    pane = window.events.detail
    for look in (
        lambda: window.events.table.go_to(0),
        lambda: window.show_tab(SUMMARY),
        lambda: window.show_tab(FIELDS),
        lambda: window.show_tab(JSON),
    ):
        gap.begin()
        started = time.thread_time()
        look()
        window.grab()
        assert time.thread_time() - started < FIRST_PAINT_SECONDS * BUSY, "first paint"
        qtbot.waitUntil(
            lambda: pane._record is not None and pane.tabs.currentIndex() in pane._drawn, timeout=20_000
        )
        gap.begin()
        window.grab()
        QGuiApplication.processEvents()
        assert gap.longest < GAP_SECONDS * BUSY, "main loop"
    for role in (
        Qt.ItemDataRole.DisplayRole,
        Qt.ItemDataRole.AccessibleTextRole,
        Qt.ItemDataRole.ToolTipRole,
    ):
        for column in range(len(COLUMNS)):
            words = window.events.model.index(0, column).data(role) or ""
            assert len(words) < 40_000
            if role == Qt.ItemDataRole.ToolTipRole and words:
                assert words.startswith("<qt>") and "<img" not in words and "<b>" not in words
    for label in window.findChildren(QLabel):
        assert label.textFormat() == Qt.TextFormat.PlainText, label.text()[:80]
        assert not label.openExternalLinks()
    assert window.findChildren(QTextEdit) == [] and window.findChildren(QTextBrowser) == []
    assert all(len(view.toPlainText()) < 200_000 for view in window.findChildren(QPlainTextEdit))
    assert "evil" not in window.windowTitle()
