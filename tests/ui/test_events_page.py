"""Asking: query, index, range, faults, empty and loading states, copy, export."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from fakedesk import FakeDesk, outage, row
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QGuiApplication
from pytestqt.qtbot import QtBot

from pod_desktop.core.record import MAILLOG
from pod_desktop.ui import theme
from pod_desktop.ui.events.querybar import PAUSE_MS, QUICK_MS
from pod_desktop.ui.window import MainWindow

Make = Callable[..., MainWindow]


def _type(qtbot: QtBot, window: MainWindow, text: str) -> None:
    window.to_query()
    qtbot.keyClicks(window.events.query.line, text)


def test_a_query_applies_when_typing_pauses(qtbot: QtBot, make_window: Make, desk: FakeDesk) -> None:
    window = make_window(desk)
    _type(qtbot, window, "sender29@")
    qtbot.waitUntil(lambda: window.events.model.total == 1)
    assert window.events.query.line.property("state") == "valid"
    assert desk.asked[-1].text == "sender29@"
    assert "of 300" in window.events.strip.of.text()


def test_the_pause_is_short_where_indexes_answer_however_long_the_last_search_took(
    qtbot: QtBot, make_window: Make, desk: FakeDesk
) -> None:
    bar = make_window(desk).events.query
    pauses = []
    for seconds, text in ((5.0, "sender29@"), (5.0, "filter.x:5"), (0.01, "filter.x:56")):
        bar.answered(seconds)
        bar.line.setPlainText(text)
        pauses.append(bar.pause_ms)
    assert pauses == [QUICK_MS, PAUSE_MS, QUICK_MS]


def test_enter_applies_at_once_and_the_query_is_remembered(
    qtbot: QtBot, make_window: Make, desk: FakeDesk
) -> None:
    window = make_window(desk)
    _type(qtbot, window, "sender29@")
    qtbot.keyClick(window.events.query.line, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: window.events.model.total == 1)
    window.events.query.set_text("")
    qtbot.keyClick(window.events.query.line, Qt.Key.Key_Up)
    assert window.events.query.text == "sender29@"


def test_a_bad_query_shows_place_and_reason_and_the_last_result_stays(
    qtbot: QtBot, make_window: Make, desk: FakeDesk
) -> None:
    window = make_window(desk)
    _type(qtbot, window, "sender29@")
    qtbot.waitUntil(lambda: window.events.model.total == 1)
    asked = len(desk.asked)
    _type(qtbot, window, "outcome:((x")
    query = window.events.query
    qtbot.waitUntil(lambda: query.line.property("state") == "fault")
    assert query.popup.isVisible()
    assert "column 9" in query.line.accessibleDescription()
    qtbot.wait(400)
    assert len(desk.asked) == asked
    assert window.events.model.total == 1


def test_escape_takes_back_what_was_typed(qtbot: QtBot, make_window: Make, desk: FakeDesk) -> None:
    window = make_window(desk)
    _type(qtbot, window, "x")
    qtbot.keyClick(window.events.query.line, Qt.Key.Key_Escape)
    assert window.events.query.text == ""


def test_slash_and_control_f_go_to_the_query(qtbot: QtBot, make_window: Make, desk: FakeDesk) -> None:
    window = make_window(desk)
    for key, modifier in (
        (Qt.Key.Key_Slash, Qt.KeyboardModifier.NoModifier),
        (Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier),
    ):
        window.events.table.setFocus()
        qtbot.keyClick(window.events.table, key, modifier)
        assert window.events.query.line.hasFocus()
    qtbot.keyClicks(window.events.query.line, "/")
    assert window.events.query.text == "/"


def test_what_is_pasted_into_the_query_becomes_one_line(
    qtbot: QtBot, make_window: Make, desk: FakeDesk
) -> None:
    window = make_window(desk)
    QGuiApplication.clipboard().setText("a\nb\r\nc\td")
    window.events.query.line.paste()
    assert "\n" not in window.events.query.line.toPlainText()
    assert window.events.query.text.split() == ["a", "b", "c", "d"]


def test_the_index_and_the_range_are_part_of_the_question(
    qtbot: QtBot, make_window: Make, desk: FakeDesk
) -> None:
    desk.add([row(900, desk.rows[0].time, kind=MAILLOG, stat="Sent")])
    window = make_window(desk)
    for kind, action in window.events.toolbar._kind_actions.items():
        action.setChecked(kind == MAILLOG)
    qtbot.waitUntil(lambda: window.events.model.total == 1)
    assert desk.asked[-1].kinds == (MAILLOG,)
    assert "Mail Log" in window.events.toolbar.index.text()
    window.events.range.choose(15 * 60_000_000)
    qtbot.waitUntil(lambda: desk.asked[-1].span == 15 * 60_000_000)


def test_records_leave_a_moving_range_and_what_is_read_stays_chosen(
    qtbot: QtBot, make_window: Make, desk: FakeDesk
) -> None:
    window = make_window(desk)
    page = window.events
    page.range.span = 60_000_000
    page.ask()
    qtbot.waitUntil(lambda: page.model.total < 100)
    page.table.go_to(0)
    qtbot.waitUntil(lambda: page.table.current() is not None)
    chosen = page.table.current()
    assert chosen is not None
    desk.add([row(900, chosen.time + 1)])
    before = page.model.total

    def left() -> bool:
        page.feed._asked_at = 0.0
        page.refresh()
        return page.model.total < before

    qtbot.waitUntil(left)

    def still_chosen() -> bool:
        current = page.table.current()
        return current is not None and current.seq == chosen.seq

    qtbot.waitUntil(still_chosen)


def test_dragging_over_the_histogram_chooses_a_range(qtbot: QtBot, make_window: Make, desk: FakeDesk) -> None:
    window = make_window(desk)
    bars = window.events.histogram
    qtbot.waitUntil(lambda: bars.peak > 0)
    with qtbot.waitSignal(bars.picked) as picked:
        qtbot.mousePress(bars, Qt.MouseButton.LeftButton, pos=bars.rect().center() / 2)
        qtbot.mouseMove(bars, bars.rect().center())
        qtbot.mouseRelease(bars, Qt.MouseButton.LeftButton, pos=bars.rect().center())
    since, until = picked.args
    assert since < until
    qtbot.waitUntil(lambda: desk.asked[-1].since == since and desk.asked[-1].until == until)
    qtbot.mouseDClick(bars, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: desk.asked[-1].since is None)


def test_the_histogram_counts_what_is_under_the_mouse(
    qtbot: QtBot, make_window: Make, desk: FakeDesk
) -> None:
    window = make_window(desk)
    bars = window.events.histogram
    qtbot.waitUntil(lambda: bars.peak > 0)
    counts = [bars.words_at(x) for x in range(bars.width())]
    assert any("delivered" in words for words in counts)


def test_no_match_says_so_and_what_to_do(qtbot: QtBot, make_window: Make, desk: FakeDesk) -> None:
    window = make_window(desk)
    window.events.query.set_text("zzzz")
    qtbot.waitUntil(
        lambda: window.events._empty.isVisible() and "zzzz" in window.events._empty.accessibleName()
    )
    assert "No record matches zzzz" in window.events._empty.accessibleName()


def test_an_empty_store_waits_for_the_first_record(qtbot: QtBot, make_window: Make) -> None:
    desk = FakeDesk()
    window = make_window(desk)
    qtbot.waitUntil(lambda: "Waiting for the first record" in window.events._empty.accessibleName())
    desk.add([row(1, 1)])
    qtbot.waitUntil(lambda: window.events.table.isVisible() and window.events.model.total == 1)


def test_an_outage_is_told_and_passes_by_itself(qtbot: QtBot, make_window: Make, desk: FakeDesk) -> None:
    window = make_window(desk)
    desk.fault = outage("The disk does not answer.")
    qtbot.waitUntil(window.events.fault.isVisible)
    assert "The disk does not answer." in window.events.fault.accessibleName()
    assert window.events.model.total == 300
    desk.fault = None
    qtbot.waitUntil(lambda: not window.events.fault.isVisible())


def test_copied_rows_hold_no_control_characters(qtbot: QtBot, make_window: Make, desk: FakeDesk) -> None:
    desk.add([row(900, desk.rows[-1].time + 1, subject="a\x1b[31mb\nc\u202ed")])
    window = make_window(desk)
    window.events.table.go_to(0)
    window.events.table.setFocus()
    qtbot.keyClick(window.events.table, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    copied = QGuiApplication.clipboard().text()
    assert "a[31mb cd" in copied
    assert copied.count("\n") == 0
    assert copied.split("\t")[2] == "sender900@contoso.example"


def test_rows_are_copied_as_json_as_the_command_line_prints_them(
    qtbot: QtBot, make_window: Make, desk: FakeDesk
) -> None:
    window = make_window(desk)
    window.events.table.go_to(0)
    window.copy_json()
    copied = json.loads(QGuiApplication.clipboard().text())
    assert copied["id"] == "message:guid-299"
    assert copied["recipients"] == ["j.meyer@acme.example"]


def test_export_writes_what_matches_and_says_how_many(
    qtbot: QtBot, make_window: Make, desk: FakeDesk, tmp_path: Path
) -> None:
    window = make_window(desk)
    panel = window.files.export_to(tmp_path / "out.ndjson", "ndjson")
    qtbot.waitUntil(lambda: not panel.running)
    assert "300 records written" in panel.accessibleDescription()
    assert len((tmp_path / "out.ndjson").read_text().splitlines()) == 300


def test_an_export_that_fails_says_why(
    qtbot: QtBot, make_window: Make, desk: FakeDesk, tmp_path: Path
) -> None:
    window = make_window(desk)
    panel = window.files.export_to(tmp_path / "missing" / "out.csv", "csv")
    desk.fault = outage("Disk full.")
    qtbot.waitUntil(lambda: not panel.running)
    assert "Disk full." in panel.accessibleDescription()


def test_chips_are_painted_in_the_colours_of_their_outcome(
    qtbot: QtBot, make_window: Make, desk: FakeDesk
) -> None:
    newest = desk.rows[-1].time
    desk.add([row(900, newest + 2, outcome="quarantined"), row(901, newest + 1, outcome="discarded")])
    window = make_window(desk)
    for choice in (theme.LIGHT, theme.DARK):
        window.choose_theme(choice)
        picture = window.events.table.viewport().grab().toImage()
        worn = theme.tokens()
        seen = {
            line: {picture.pixelColor(x, 27 * line + 13).name() for x in range(104, 208)} for line in range(3)
        }
        assert QColor(worn.bad.back).name() in seen[0]
        assert QColor(worn.warn.back).name() in seen[1]
        assert QColor(worn.good.back).name() in seen[2]


def test_columns_are_shown_moved_and_remembered(qtbot: QtBot, make_window: Make, desk: FakeDesk) -> None:
    window = make_window(desk)
    table = window.events.table
    table.columns.show_column("ip", True)
    table.horizontalHeader().moveSection(4, 2)
    again = make_window(desk).events.table
    assert again.columns.shown() == table.columns.shown()
    assert not again.isColumnHidden(6)


def test_every_cell_has_words_for_a_screen_reader(qtbot: QtBot, make_window: Make, desk: FakeDesk) -> None:
    window = make_window(desk)
    model = window.events.model
    for column, words in (
        (1, "Outcome: Delivered"),
        (2, "Sender: sender299@contoso.example"),
        (5, "Score: 2"),
    ):
        assert model.index(0, column).data(Qt.ItemDataRole.AccessibleTextRole) == words
