"""Following, pausing, late records: nothing that is being read jumps."""

from __future__ import annotations

import time
from collections.abc import Callable

from fakedesk import FakeDesk, row
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from pace import quick
from pod_desktop.ui.events.table import EventTable
from pod_desktop.ui.window import MainWindow

Make = Callable[..., MainWindow]


def _now() -> int:
    return time.time_ns() // 1000


def _top(table: EventTable) -> int:
    found = table.events.row(table.verticalScrollBar().value())
    assert found is not None
    return found.seq


def _arrive(qtbot: QtBot, window: MainWindow, desk: FakeDesk, rows: list[object]) -> None:
    total = window.events.model.total
    desk.add(rows)  # type: ignore[arg-type]
    qtbot.waitUntil(lambda: window.events.model.total == total + len(rows))


def test_at_the_live_edge_new_records_appear_at_the_top_and_never_blank(
    qtbot: QtBot, make_window: Make, desk: FakeDesk
) -> None:
    window = make_window(desk)
    table = window.events.table
    blanks: list[int] = []
    window.events.model.missing.connect(blanks.append)
    assert table.following
    _arrive(qtbot, window, desk, [row(900, _now())])
    assert table.verticalScrollBar().value() == 0
    assert _top(table) == 900
    assert blanks == []


def test_scrolled_away_the_top_row_stays_whatever_arrives(
    qtbot: QtBot, make_window: Make, desk: FakeDesk
) -> None:
    window = make_window(desk)
    table = window.events.table
    table.verticalScrollBar().setValue(50)
    top = _top(table)
    assert not table.following
    assert not window.events.toolbar.follow.isChecked()
    _arrive(qtbot, window, desk, [row(900 + number, _now() + number) for number in range(214)])
    assert _top(table) == top
    assert table.unseen == 214
    assert table.pill.isVisible()
    assert table.pill.text() == "214 new ↑"


def test_a_click_on_the_pill_returns_to_the_live_edge(
    qtbot: QtBot, make_window: Make, desk: FakeDesk
) -> None:
    window = make_window(desk)
    table = window.events.table
    table.verticalScrollBar().setValue(50)
    _arrive(qtbot, window, desk, [row(900, _now())])
    qtbot.mouseClick(table.pill, Qt.MouseButton.LeftButton)
    assert table.following
    assert not table.pill.isVisible()
    assert _top(table) == 900


def test_a_late_record_moves_neither_the_top_row_nor_the_selection(
    qtbot: QtBot, make_window: Make, desk: FakeDesk
) -> None:
    window = make_window(desk)
    table = window.events.table
    table.verticalScrollBar().setValue(100)
    table.go_to(105)
    top, chosen = _top(table), table.current()
    assert chosen is not None
    late_above, late_below = desk.rows[290].time + 1, desk.rows[10].time + 1
    _arrive(qtbot, window, desk, [row(900, late_above), row(901, late_below)])
    assert _top(table) == top
    current = table.current()
    assert current is not None and current.seq == chosen.seq
    assert [found.seq for found in table.chosen_rows()] == [chosen.seq]


def test_the_selection_follows_its_record_while_new_ones_arrive(
    qtbot: QtBot, make_window: Make, desk: FakeDesk
) -> None:
    window = make_window(desk)
    table = window.events.table
    table.go_to(3)
    chosen = table.current()
    assert chosen is not None
    _arrive(qtbot, window, desk, [row(900 + number, _now() + number) for number in range(5)])
    current = table.current()
    assert current is not None and current.seq == chosen.seq
    assert window.events.detail.row is not None and window.events.detail.row.seq == chosen.seq


def test_space_holds_the_rows_at_the_top_and_space_again_follows(
    qtbot: QtBot, make_window: Make, desk: FakeDesk
) -> None:
    window = make_window(desk)
    table = window.events.table
    top = _top(table)
    table.setFocus()
    qtbot.keyClick(table, Qt.Key.Key_Space)
    assert not table.following
    _arrive(qtbot, window, desk, [row(900, _now())])
    assert _top(table) == top
    assert table.unseen == 1
    qtbot.keyClick(table, Qt.Key.Key_Space)
    assert table.following
    assert _top(table) == 900


def test_home_returns_to_the_live_edge(qtbot: QtBot, make_window: Make, desk: FakeDesk) -> None:
    window = make_window(desk)
    table = window.events.table
    qtbot.keyClick(table, Qt.Key.Key_End)
    assert table.currentIndex().row() == 299
    assert not table.following
    qtbot.keyClick(table, Qt.Key.Key_Home)
    assert table.following
    assert table.currentIndex().row() == 0


def test_the_window_pulls_fast_at_the_edge_and_calmly_below(
    qtbot: QtBot, make_window: Make, desk: FakeDesk
) -> None:
    window = make_window(desk)
    pump = window.events.feed._pump
    qtbot.waitUntil(lambda: pump.interval() == 50)
    window.events.table.verticalScrollBar().setValue(50)
    assert pump.interval() == 500


def test_rows_far_below_are_blank_until_they_come(qtbot: QtBot, make_window: Make) -> None:
    now = _now()
    desk = FakeDesk(rows=[row(number, now - (30_000 - number) * 1_000) for number in range(30_000)])
    window = make_window(desk)
    table = window.events.table
    place = 20_000
    assert table.events.row(place) is None
    index = table.events.index(place, 2)
    assert index.data() == ""
    table.verticalScrollBar().setValue(place)
    qtbot.waitUntil(lambda: table.events.row(place) is not None)
    found = table.events.row(place)
    assert found is not None and found.seq == 30_000 - 1 - place
    assert all(count <= 256 for _first, count in desk.fetched)


def test_selecting_all_of_two_hundred_thousand_rows_takes_no_time(qtbot: QtBot, make_window: Make) -> None:
    now = _now()
    desk = FakeDesk(rows=[row(number, now - (200_000 - number)) for number in range(200_000)])
    window = make_window(desk)
    with quick(1.0):
        window.events.table.selectAll()
        window.events.table.grab()
    assert window.events.table.chosen_count() == 200_000


def test_the_oldest_records_found_later_join_below(qtbot: QtBot, make_window: Make, desk: FakeDesk) -> None:
    desk.slice_rows, desk.step_seconds = 100, 0.05
    window = make_window(desk, rows=300)
    model = window.events.model
    qtbot.waitUntil(lambda: all(model.row(number) is not None for number in range(300)))
    found = [model.row(number) for number in range(300)]
    assert [one.seq for one in found if one is not None] == list(range(299, -1, -1))


def test_the_pane_stays_on_the_record_that_was_clicked_while_others_arrive(
    qtbot: QtBot, make_window: Make, desk: FakeDesk
) -> None:
    window = make_window(desk)
    table = window.events.table
    place = table.visualRect(table.events.index(4, 2)).center()
    qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=place)
    clicked = table.current()
    assert clicked is not None
    told: list[int] = []
    table.chosen.connect(lambda found: told.append(found.seq))
    for number in range(6):
        _arrive(qtbot, window, desk, [row(900 + number, _now())])
    assert [found.seq for found in table.chosen_rows()] == [clicked.seq]
    assert told == []
    assert window.events.detail.row is not None and window.events.detail.row.seq == clicked.seq


def test_a_record_chosen_while_rows_are_taken_in_is_told_of_afterwards(
    qtbot: QtBot, make_window: Make, desk: FakeDesk
) -> None:
    window = make_window(desk)
    table = window.events.table
    told: list[int] = []
    table.chosen.connect(lambda found: told.append(found.seq))
    model = table.events
    model.rowsAboutToBeInserted.connect(lambda *_place: table.go_to(3))
    wanted = model.row(3)
    assert wanted is not None
    _arrive(qtbot, window, desk, [row(900, _now())])
    assert told == [wanted.seq]
