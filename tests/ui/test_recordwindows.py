"""Records in windows of their own, two beside each other, and JSON that folds."""

from __future__ import annotations

import json
from collections.abc import Callable

from fakedesk import FakeDesk
from PySide6.QtCore import Qt
from PySide6.QtGui import QTextCursor
from pytestqt.qtbot import QtBot

from pod_desktop.ui.detail.compare import CompareView, Pair, pairs
from pod_desktop.ui.detail.folding import FoldingViewer, regions
from pod_desktop.ui.detail.pane import DetailPane
from pod_desktop.ui.window import MainWindow

Make = Callable[..., MainWindow]


def test_a_record_floats_in_its_own_window_while_the_table_goes_on(
    qtbot: QtBot, make_window: Make, desk: FakeDesk
) -> None:
    window = make_window(desk)
    window.events.table.go_to(0)
    window.float_current()
    (floating,) = window.records.all
    pane = floating.inside
    assert isinstance(pane, DetailPane)
    qtbot.waitUntil(lambda: pane.record is not None and pane.record.row.seq == 299)
    window.events.table.go_to(5)
    qtbot.waitUntil(lambda: window.events.detail.record.row.seq == 294)  # type: ignore[union-attr]
    assert pane.record is not None and pane.record.row.seq == 299
    assert "Subject" not in floating.windowTitle()
    qtbot.keyClick(floating, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: window.records.all == [])


def test_windows_close_with_the_main_window(qtbot: QtBot, make_window: Make, desk: FakeDesk) -> None:
    window = make_window(desk)
    for number in range(25):
        window.events.table.go_to(number)
        window.float_current()
    assert len(window.records.all) == 20, "the oldest make room"
    windows = window.records.all
    window.stop()
    assert not any(one.isVisible() for one in windows)


def test_two_records_stand_beside_each_other_with_what_differs_marked(
    qtbot: QtBot, make_window: Make, desk: FakeDesk
) -> None:
    desk.raws[299] = json.dumps({"a": {"b": 1}, "same": [1, "x"], "only": None}).encode()
    desk.raws[298] = json.dumps({"a": {"b": 2}, "same": [1, "x"], "<b>new</b>": "\u202e"}).encode()
    window = make_window(desk)
    window.events.table.go_to(0)
    window.compare_selected()
    assert "Select two rows" in window.bug_bar.accessibleName()
    window.events.table.selectAll()
    rows = window.events.table.chosen_rows()
    view = window.records.compare(rows[0], rows[1]).inside
    assert isinstance(view, CompareView)
    qtbot.waitUntil(lambda: view.model.rowCount() == 5)
    assert view.model.differences == 3
    view.only.setChecked(True)
    found = [view.model.pair(row) for row in range(view.model.rowCount())]
    assert found == [Pair("a.b", "1", "2"), Pair("only", "null", None), Pair("<b>new</b>", None, "\u202e")]
    shown = [[view.model.index(row, column).data() for column in range(4)] for row in range(3)]
    assert shown[2] == ["≠", "<b>new</b>", "—", "‹U+202E›"]
    spoken = view.model.index(2, 2).data(Qt.ItemDataRole.AccessibleTextRole)
    assert spoken == "not there"
    view.grab()


def test_numbers_texts_and_empty_lists_are_compared_as_they_are_written() -> None:
    assert [
        pair.differs for pair in pairs({"a": True, "b": [], "c": 1}, {"a": "true", "b": {}, "c": "1"})
    ] == [
        False,
        True,
        False,
    ]
    assert pairs(None, None) == [Pair("", "null", "null")]


TEXT = """{
  "a": {
    "b": 1,
    "c": [
      2,
      3
    ]
  },
  "d": "{",
  "e": {},
  "f": [
    4
  ]
}"""


def test_regions_are_found_by_their_brackets() -> None:
    assert regions(TEXT.split("\n")) == {0: 12, 1: 7, 3: 6, 10: 12} | {0: 13}
    assert regions(["}", "]", "{"]) == {}


def test_objects_and_lists_fold_by_key_and_by_click(qtbot: QtBot, worn: object) -> None:
    viewer = FoldingViewer()
    qtbot.addWidget(viewer)
    viewer.resize(400, 400)
    viewer.show()
    viewer.show_text(TEXT)

    def visible() -> list[str]:
        block, found = viewer.document().firstBlock(), []
        while block.isValid():
            if block.isVisible():
                found.append(block.text().strip())
            block = block.next()
        return found

    viewer.fold_all()
    assert visible() == ["{", '"a": {', "},", '"d": "{",', '"e": {},', '"f": [', "]", "}"]
    tall = viewer.document().size().height()
    viewer.unfold_all()
    assert len(visible()) == 14
    assert viewer.document().size().height() > tall
    cursor = QTextCursor(viewer.document().findBlockByNumber(3))
    viewer.setTextCursor(cursor)
    qtbot.keyClick(viewer, Qt.Key.Key_Return)
    assert viewer.folded() == {3}
    assert "2," not in visible() and '"b": 1,' in visible()
    viewer.toggle_at(round(viewer.blockBoundingGeometry(viewer.document().findBlockByNumber(1)).center().y()))
    assert viewer.folded() == {1, 3}
    assert '"b": 1,' not in visible()
    viewer.grab()
    viewer.show_text("other")
    assert viewer.folded() == set() and visible() == ["other"]
