"""Marks and comments in the window: by key, in the table and the pane, found again, changed by others too."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from fakedesk import FakeDesk, outage
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from pod_desktop.store import Note
from pod_desktop.ui import theme
from pod_desktop.ui.events.columns import INDEX
from pod_desktop.ui.events.dialogs import TextDialog
from pod_desktop.ui.window import MainWindow

Make = Callable[..., MainWindow]


def _spoken(window: MainWindow, number: int) -> str:
    index = window.events.model.index(number, INDEX["subject"])
    return str(index.data(Qt.ItemDataRole.AccessibleTextRole))


def test_m_marks_and_takes_the_mark_away(qtbot: QtBot, make_window: Make, desk: FakeDesk) -> None:
    window = make_window(desk)
    table = window.events.table
    table.setFocus()
    table.go_to(1)
    qtbot.keyClick(table, Qt.Key.Key_M)
    qtbot.waitUntil(lambda: _spoken(window, 1).endswith("; marked"))
    assert desk.noted["message:guid-298"].marked
    picture = table.viewport().grab().toImage()
    accent = QColor(theme.tokens().accent).name()
    assert picture.pixelColor(1, 27 + 13).name() == accent != picture.pixelColor(1, 13).name()
    assert window.events.detail.note.accessibleName() == "Marked"
    qtbot.keyClick(table, Qt.Key.Key_M)
    qtbot.waitUntil(lambda: "marked" not in _spoken(window, 1))
    assert not desk.noted


def test_several_selected_records_are_marked_at_once(qtbot: QtBot, make_window: Make, desk: FakeDesk) -> None:
    window = make_window(desk)
    window.events.table.selectAll()
    window.events.on_records.mark()
    qtbot.waitUntil(lambda: len(desk.noted) == 300)
    qtbot.waitUntil(lambda: window.events.notes.marks == 300)


def test_a_comment_is_written_shown_and_taken_away(qtbot: QtBot, make_window: Make, desk: FakeDesk) -> None:
    window = make_window(desk)
    table = window.events.table
    table.setFocus()
    table.go_to(0)
    qtbot.keyClick(table, Qt.Key.Key_C)
    dialog = window.findChild(TextDialog)
    assert dialog is not None
    assert dialog.focusWidget() is dialog.lines
    qtbot.keyClicks(dialog.lines, "Asked <b>finance</b>")
    qtbot.keyClick(dialog.lines, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: "comment" in _spoken(window, 0))
    assert desk.noted["message:guid-299"].comment == "Asked <b>finance</b>"
    assert "Asked <b>finance</b>" in window.events.detail.note.accessibleName()
    tip = window.events.model.index(0, INDEX["subject"]).data(Qt.ItemDataRole.ToolTipRole)
    assert "&lt;b&gt;finance" in tip
    table.columns.show_column("comment", True)
    assert window.events.model.index(0, INDEX["comment"]).data() == "Asked <b>finance</b>"
    window.events.notes.comment(["message:guid-299"], "")
    qtbot.waitUntil(lambda: not window.events.detail.note.isVisible())


def test_next_and_previous_mark_go_round(qtbot: QtBot, make_window: Make, desk: FakeDesk) -> None:
    for number in (290, 150, 5):
        desk.noted[f"message:guid-{number}"] = Note(f"message:guid-{number}", True, "", 0)
    window = make_window(desk)
    table = window.events.table
    table.setFocus()
    table.go_to(20)
    for key, wanted in ((Qt.Key.Key_N, 149), (Qt.Key.Key_N, 294), (Qt.Key.Key_N, 9)):
        qtbot.keyClick(table, key)
        qtbot.waitUntil(lambda wanted=wanted: table.currentIndex().row() == wanted)
    qtbot.keyClick(table, Qt.Key.Key_N, Qt.KeyboardModifier.ShiftModifier)
    qtbot.waitUntil(lambda: table.currentIndex().row() == 294)


def test_what_others_note_appears_by_itself(qtbot: QtBot, make_window: Make, desk: FakeDesk) -> None:
    window = make_window(desk)
    window.events.query.set_text("marked:true")
    feed = window.events.feed
    qtbot.waitUntil(lambda: window.events.model.total == 0 and feed.came and not feed.searching)
    desk.mark(["message:guid-7"], True)
    qtbot.waitUntil(lambda: window.events.model.total == 1)
    qtbot.waitUntil(lambda: _spoken(window, 0).endswith("; marked"))


def test_a_mark_that_is_not_kept_is_told(qtbot: QtBot, make_window: Make, desk: FakeDesk) -> None:
    window = make_window(desk)

    def refuse(_ids: object, _marked: bool) -> None:
        raise outage("The disk is full.")

    desk.mark = refuse  # type: ignore[method-assign]
    window.events.table.go_to(0)
    window.events.on_records.mark()
    qtbot.waitUntil(lambda: "not kept: The disk is full." in window.events.fault.accessibleName())


def test_marked_selected_and_visible_records_are_exported(
    qtbot: QtBot, make_window: Make, desk: FakeDesk, tmp_path: Path
) -> None:
    desk.noted["message:guid-7"] = Note("message:guid-7", True, "", 0)
    window = make_window(desk)

    def lines(which: str) -> list[str]:
        path = tmp_path / f"{which}.csv"
        panel = window.files.export_to(path, "csv", which)
        qtbot.waitUntil(lambda: not panel.running)
        return path.read_text().split() if path.exists() else [panel.accessibleDescription()]

    assert lines("marked") == ["message:guid-7"]
    assert lines("selected") == ["Nothing complete was written: No record is selected."]
    window.events.table.go_to(3)
    assert lines("selected") == ["message:guid-296"]
    window.events.table.selectAll()
    assert len(lines("selected")) == 300 == len(lines("all"))
    visible = lines("visible")
    assert visible[0] == "message:guid-299" and 10 < len(visible) < 60


def test_copies_take_rows_that_are_not_loaded(qtbot: QtBot, make_window: Make, desk: FakeDesk) -> None:
    now = desk.rows[-1].time
    from fakedesk import row

    desk.add([row(1_000 + one, now + 1 + one) for one in range(2_000)])
    window = make_window(desk)
    window.events.table.selectAll()
    window.events.on_records.copy_csv()
    qtbot.waitUntil(lambda: QApplication.clipboard().text().count("\n") == 2_301)
    assert QApplication.clipboard().text().startswith("Time,Outcome,Sender")
