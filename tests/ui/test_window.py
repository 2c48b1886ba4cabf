"""The frame: pages, menus, themes, status, palette, bugs, closing; all of it by keyboard."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from fakedesk import Counters, FakeDesk, row, stream
from PySide6.QtCore import QMimeData, QPointF, QSize, Qt, QUrl
from PySide6.QtGui import QAction, QColor, QDropEvent, QFont, QFontMetrics, QKeySequence
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QHBoxLayout,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QWidget,
)
from pytestqt.qtbot import QtBot
from shiboken6 import isValid

from pod_desktop.core import status
from pod_desktop.core.clock import HOUR, parse_iso
from pod_desktop.services import hours
from pod_desktop.services.hours import Hour
from pod_desktop.ui import bugs, fonts, theme
from pod_desktop.ui.bridge import Overview
from pod_desktop.ui.commands import plain_words
from pod_desktop.ui.events.columns import COLUMNS, INDEX
from pod_desktop.ui.moments import Zone
from pod_desktop.ui.palette import CommandPalette, ShortcutsDialog, ranked
from pod_desktop.ui.rail import HUNT, MANAGE, Page, RailButton
from pod_desktop.ui.statusbar import StatusBar, lost_records
from pod_desktop.ui.text import PlainLabel
from pod_desktop.ui.widgets import EmptyState
from pod_desktop.ui.widgets.hourstrip import HourStrip
from pod_desktop.ui.window import EVENTS, SETTINGS, MainWindow, first_size

Make = Callable[..., MainWindow]


def test_the_rail_shows_only_pages_that_exist(make_window: Make, desk: FakeDesk) -> None:
    window = make_window(desk)
    assert window.rail.button("automation") is None
    assert window.rail.button(EVENTS) is not None
    window.add_page(Page(key="lists", group=HUNT, title="Lists", make=EmptyState))
    window.go("lists")
    assert isinstance(window.stack.currentWidget(), EmptyState)


def test_a_page_that_comes_later_stands_above_settings_and_in_the_go_menu(
    qtbot: QtBot, make_window: Make, desk: FakeDesk
) -> None:
    window = make_window(desk)
    window.add_page(Page(key="connectors", group=MANAGE, title="Connectors", make=EmptyState))
    connectors, settings = window.rail.button("connectors"), window.rail.button(SETTINGS)
    assert connectors is not None and settings is not None
    qtbot.waitUntil(lambda: 0 < connectors.y() < settings.y())
    go = [action.text() for action in window.commands.menus["Go"].actions()]
    assert go[:3] == ["&Events", "Connectors", "&Settings"]
    next(action for action in window.commands.actions if action.text() == "Connectors").trigger()
    assert window.stack.currentWidget() is window.page("connectors")


def test_a_fresh_profile_shows_the_first_run_until_there_is_something(
    qtbot: QtBot, make_window: Make
) -> None:
    desk = FakeDesk(connectors=0)
    window = make_window(desk)
    window.set_first_run(lambda: EmptyState("Nothing is collected yet"))
    assert window.stack.currentWidget() is not window.events
    desk.add([row(1, 1)])
    qtbot.waitUntil(lambda: window.stack.currentWidget() is window.events)


@pytest.mark.parametrize(
    ("screen", "fits"),
    [
        (QSize(1440, 900), QSize(1432, 860)),
        (QSize(1440, 1080), QSize(1432, 900)),
        (QSize(1920, 1040), QSize(1440, 900)),
        (QSize(1280, 720), QSize(1272, 680)),
    ],
)
def test_the_first_window_leaves_room_for_its_frame(screen: QSize, fits: QSize) -> None:
    assert first_size(screen) == fits


@pytest.mark.parametrize("choice", [theme.LIGHT, theme.DARK])
def test_a_theme_is_worn_at_once_and_remembered(make_window: Make, desk: FakeDesk, choice: str) -> None:
    window = make_window(desk)
    window.choose_theme(choice)
    assert window.preferences.theme == choice
    picture = window.grab().toImage()
    assert picture.pixelColor(20, 400) == QColor(theme.tokens().window)
    assert theme.tokens().name == choice


def test_words_stand_out_from_their_ground_in_both_themes() -> None:
    def light(colour: str) -> float:
        parts = [
            part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
            for part in QColor(colour).getRgbF()[:3]
        ]  # type: ignore[index]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    for worn in (theme._LIGHT, theme._DARK):
        inks = [
            (worn.text, worn.window),
            (worn.note, worn.window),
            (worn.text, worn.selection),
            (worn.on_accent, worn.accent),
        ]
        inks += [tuple(getattr(worn, tone)) for tone in ("good", "warn", "bad", "info", "muted", "special")]
        for fore, back in inks:
            high, low = sorted((light(fore), light(back)), reverse=True)
            assert (high + 0.05) / (low + 0.05) >= 4.5, (worn.name, fore, back)


def test_times_change_to_utc_by_a_click_on_the_zone(
    qtbot: QtBot, make_window: Make, desk: FakeDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    import time

    monkeypatch.setenv("TZ", "Asia/Kolkata")
    time.tzset()
    try:
        window = make_window(desk)
        window.use_utc(False)
        index = window.events.model.index(0, 0)
        local = index.data()
        assert window.status._zone_button.text() == "UTC+05:30"
        qtbot.mouseClick(window.status._zone_button, Qt.MouseButton.LeftButton)
        assert window.status._zone_button.text() == "UTC"
        assert index.data() != local
    finally:
        monkeypatch.undo()
        time.tzset()


def test_the_status_bar_tells_state_rate_lag_and_loss(
    qtbot: QtBot, make_window: Make, desk: FakeDesk
) -> None:
    counters = Counters(received=100, stored=90, duplicates=5, filtered=3, quarantined=2)
    desk.streams = (stream("acme", "message", rate=38.0, lag_s=0.4, counters=counters),)
    window = make_window(desk)
    bar = window.status
    assert bar._collectors[0].accessibleName() == "Collector acme live · 38/s"
    assert bar._lag.text() == "lag 0.4 s"
    assert "lost 0" in bar._counts.text()
    assert lost_records(Counters(received=10, stored=9)) == 1


def test_the_status_bar_says_where_received_records_are_that_are_not_stored(qtbot: QtBot) -> None:
    bar = StatusBar(Zone())
    qtbot.addWidget(bar)
    bar.resize(1_400, 26)
    counters = Counters(received=1_100, stored=1_000, duplicates=60, filtered=39, quarantined=1)
    overview = Overview(streams=(stream("acme", "message", counters=counters),))
    bar.show_overview(overview)
    assert (
        bar._counts.text()
        == "received 1,100 · stored 1,000 · duplicates 60 · filtered 39 · unreadable 1 · lost 0"
    )
    bar.resize(480, 26)
    bar.show_overview(overview)
    assert "duplicates" not in bar._counts.text()
    assert "lost 0" in bar._counts.text()


def test_a_state_is_explained_and_the_words_close_by_key(
    qtbot: QtBot, make_window: Make, desk: FakeDesk
) -> None:
    desk.streams = (
        stream(
            "acme", "message", status.STOPPED_FAULT, what="401: the credential is invalid.",
            hint="Check the API key.", code="401", next_try=2**51,
        ),
    )  # fmt: skip
    window = make_window(desk)
    qtbot.mouseClick(window.status._collectors[0], Qt.MouseButton.LeftButton)
    popup = window.status.popup
    assert popup is not None and popup.isVisible()
    words = " ".join(label.accessibleDescription() for label in popup.findChildren(QWidget))
    for part in ("401: the credential is invalid.", "Check the API key.", "Next try"):
        assert part in words
    qtbot.keyClick(popup, Qt.Key.Key_Escape)
    assert not popup.isVisible()


def _hours(count: int) -> tuple[Hour, ...]:
    begin = parse_iso("2026-10-25T12:00Z")
    return tuple(Hour(begin + number * HOUR, hours.ARCHIVED, 0, 9, 9) for number in range(count))


@pytest.mark.parametrize("streams", [2, 12])
def test_an_explained_state_shows_every_line_and_the_hours(
    qtbot: QtBot, make_window: Make, desk: FakeDesk, streams: int
) -> None:
    kinds = ("maillog", "message")
    desk.streams = tuple(
        stream(
            f"acme-{number // 2}",
            kinds[number % 2],
            what="Receiving as mail flows.",
            hours=(("archived", 720),),
        )
        for number in range(streams)
    )
    window = make_window(desk, size=(1100, 700))
    asked: list[str] = []
    window.status.hours_wanted.connect(asked.append)
    window.status._explain_all()
    popup = window.status.popup
    assert popup is not None and asked == [f"acme-{number}" for number in range(streams // 2)]
    assert "720 archived. Details" in _said(popup)
    for name in asked:
        window.status.show_hours(name, dict.fromkeys(kinds, _hours(720)))
    popup.refresh(window.status._overview)
    strips = popup.findChildren(HourStrip)
    assert [len(strip.hours) for strip in strips] == [720] * streams
    assert "Details" not in _said(popup)
    bar = popup.area.verticalScrollBar()
    qtbot.waitUntil(lambda: (bar.maximum() > 0) == (streams == 12))
    told = [label for label in popup.findChildren(PlainLabel) if label.isVisible() and label.wordWrap()]
    qtbot.waitUntil(lambda: all(label.height() >= label.heightForWidth(label.width()) for label in told))
    assert len(told) == 2 * streams
    assert popup.y() >= window.y()
    # The place of the arrow keys outlives the next second.
    qtbot.keyClick(strips[0], Qt.Key.Key_End)
    popup.refresh(window.status._overview)
    assert popup.findChildren(HourStrip)[0].chosen == _hours(720)[-1]
    if streams == 12:
        qtbot.keyClick(popup, Qt.Key.Key_PageDown)
        assert bar.value() > 0
    qtbot.keyClick(strips[0], Qt.Key.Key_Escape)
    assert not popup.isVisible()


def _said(widget: QWidget) -> str:
    return " ".join(label.accessibleDescription() for label in widget.findChildren(QWidget))


@pytest.mark.parametrize("width", [1440, 1100, 900])
def test_nothing_in_the_status_bar_is_cut_off(
    qtbot: QtBot, make_window: Make, desk: FakeDesk, width: int
) -> None:
    counters = Counters(received=4_112_908, stored=4_112_908)
    desk.streams = tuple(
        stream(f"collector-number-{number}", "message", rate=212.0, lag_s=0.4, counters=counters)
        for number in range(6)
    )
    window = make_window(desk, size=(width, 700))
    buttons = [button for button in window.status.findChildren(QAbstractButton) if button.isVisible()]
    assert buttons
    qtbot.waitUntil(lambda: all(button.width() >= button.sizeHint().width() for button in buttons))
    assert window.status._line.sizeHint().width() <= window.status.width()


def test_a_small_window_shows_whole_titles_and_every_column(
    qtbot: QtBot, make_window: Make, desk: FakeDesk
) -> None:
    window = make_window(desk, size=(1100, 700))
    table, columns = window.events.table, window.events.table.columns
    wide = COLUMNS[INDEX["sender"]].width
    qtbot.waitUntil(lambda: columns.sectionSize(INDEX["sender"]) < wide)
    subject = INDEX["subject"]
    assert columns.sectionSize(subject) >= columns.sectionSizeHint(subject)
    assert table.horizontalScrollBar().maximum() == 0
    window.resize(1440, 900)
    qtbot.waitUntil(lambda: columns.sectionSize(INDEX["sender"]) == wide)
    window.resize(1100, 700)
    qtbot.waitUntil(lambda: columns.sectionSize(INDEX["sender"]) < wide)
    columns.show_column("score", False)
    kept = {one["key"]: one["width"] for one in window.preferences.data("events/columns")}
    assert kept["sender"] == wide, "what it gave up is not what somebody chose"
    columns.resizeSection(INDEX["sender"], 150)
    assert columns.sectionSize(INDEX["sender"]) == 150
    kept = {one["key"]: one["width"] for one in window.preferences.data("events/columns")}
    assert kept["sender"] == 150


def test_no_mnemonic_is_twice_in_one_menu(make_window: Make, desk: FakeDesk) -> None:
    window = make_window(desk)

    def keys(actions: list[QAction]) -> list[str]:
        return [QKeySequence.mnemonic(action.text()).toString() for action in actions if "&" in action.text()]

    menus = [window.menu_bar.actions(), *(menu.actions() for menu in window.commands.menus.values())]
    for actions in menus:
        twice = [key for key, count in Counter(keys(actions)).items() if count > 1]
        assert twice == [], [action.text() for action in actions]
    buttons = [
        button.text()
        for button in window.findChildren(QAbstractButton)
        if "&" in button.text().replace("&&", "")
    ]
    assert buttons == []


def test_no_shortcut_is_given_twice(make_window: Make, desk: FakeDesk) -> None:
    window = make_window(desk)
    keys = Counter(keys.toString() for action in window.commands.actions for keys in action.shortcuts())
    assert [key for key, count in keys.items() if count > 1] == []


def test_every_control_has_a_name_for_a_screen_reader(make_window: Make, desk: FakeDesk) -> None:
    window = make_window(desk)
    window.go(SETTINGS)
    nameless = [
        control
        for kind in (QAbstractButton, QLineEdit, QPlainTextEdit)
        for control in window.findChildren(kind)
        if control.focusPolicy() != Qt.FocusPolicy.NoFocus
        and not control.accessibleName()
        and not (isinstance(control, QAbstractButton) and control.text())
        and not control.objectName().startswith("qt_")
    ]
    assert nameless == []


def test_tab_goes_round_the_window_and_is_trapped_nowhere(
    qtbot: QtBot, make_window: Make, desk: FakeDesk
) -> None:
    window = make_window(desk)
    window.events.table.go_to(0)
    window.activateWindow()
    window.events.table.setFocus()
    seen: list[QWidget] = []
    for _press in range(60):
        focus = QApplication.focusWidget()
        assert focus is not None
        if seen and focus is seen[0]:
            break
        seen.append(focus)
        qtbot.keyClick(focus, Qt.Key.Key_Tab)
    else:
        pytest.fail("Tab never came back")
    assert window.events.query.line in seen
    assert window.events.detail.tabs in seen
    assert any(window.status.isAncestorOf(widget) for widget in seen)


def test_the_palette_finds_commands_and_runs_them(qtbot: QtBot, make_window: Make, desk: FakeDesk) -> None:
    window = make_window(desk)
    window.open_palette()
    palette = window.findChild(CommandPalette)
    assert palette is not None
    qtbot.keyClicks(palette.line, "settings")
    qtbot.keyClick(palette.line, Qt.Key.Key_Return)
    assert window.stack.currentWidget() is window.page(SETTINGS)
    assert [plain_words(action) for action in ranked(window.commands.actions, "dark")] == ["Theme: Dark"]


def test_every_menu_command_is_in_the_palette(make_window: Make, desk: FakeDesk) -> None:
    window = make_window(desk)
    offered = {action.text() for action in window.commands.actions}
    for name, menu in window.commands.menus.items():
        for action in menu.actions():
            if not action.isSeparator() and action.menu() is None:
                assert action.text() in offered, name


def test_the_question_mark_lists_every_shortcut(qtbot: QtBot, make_window: Make, desk: FakeDesk) -> None:
    window = make_window(desk)
    window.events.table.setFocus()
    qtbot.keyClicks(window.events.table, "?")
    dialog = window.findChild(ShortcutsDialog)
    assert dialog is not None
    shown = {dialog.table.item(line, 2).text() for line in range(dialog.table.rowCount())}  # type: ignore[union-attr]
    assert {plain_words(action) for action in window.commands.actions if action.shortcuts()} <= shown
    dialog.reject()


def test_dropped_files_are_asked_to_be_imported(
    qtbot: QtBot, make_window: Make, desk: FakeDesk, tmp_path: Path
) -> None:
    window = make_window(desk)
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(tmp_path / "mail.ndjson")), QUrl("https://evil.example/x")])
    event = QDropEvent(
        QPointF(5, 5),
        Qt.DropAction.CopyAction,
        data,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    with qtbot.waitSignal(window.importRequested) as asked:
        window.dropEvent(event)
    assert asked.args == [[tmp_path / "mail.ndjson"]]


def test_an_activity_shows_progress_then_its_bad_lines(
    qtbot: QtBot, make_window: Make, desk: FakeDesk
) -> None:
    window = make_window(desk)
    panel = window.start_activity("Importing mail.ndjson")
    panel.progress(500, 1_000)
    assert panel._bar.value() == 500
    with qtbot.waitSignal(panel.cancelled):
        qtbot.mouseClick(panel._stop, Qt.MouseButton.LeftButton)
    panel.finish("2 lines are no records", ["line 7: <b>x</b>", "line 9: \u202e"])
    qtbot.mouseClick(panel._more, Qt.MouseButton.LeftButton)
    assert panel._lines.isVisible()
    assert panel._lines.toPlainText() == "line 7: <b>x</b>\nline 9: ‹U+202E›"
    qtbot.mouseClick(panel._stop, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not isValid(panel))


def test_a_bug_is_told_once_however_often_it_happens(qtbot: QtBot, make_window: Make, desk: FakeDesk) -> None:
    window = make_window(desk)
    told: list[str] = []
    bugs.bugs().seen.connect(lambda line, _whole: told.append(line))
    for _time in range(3):
        try:
            {}["missing"]
        except KeyError as error:
            bugs.report(error)
    qtbot.waitUntil(window.bug_bar.isVisible)
    assert len(told) == 1


def test_closing_asks_to_quit_and_says_whether_collecting_goes_on(
    qtbot: QtBot, make_window: Make, desk: FakeDesk
) -> None:
    window = make_window(desk)
    with qtbot.waitSignal(window.quitRequested) as asked:
        window.close()
    assert asked.args == [False]
    window._closing = False
    window.preferences.keep_collecting = False
    with qtbot.waitSignal(window.quitRequested) as asked:
        window.close()
    assert asked.args == [True]


@pytest.mark.parametrize("words", ["F9", "F8"])
def test_a_pane_that_was_closed_stays_closed_in_the_next_window(
    qtbot: QtBot, make_window: Make, desk: FakeDesk, words: str
) -> None:
    window = make_window(desk)
    part = (lambda one: one.events.detail) if words == "F9" else (lambda one: one.events.strip)
    assert part(window).isVisible()
    next(action for action in window.commands.actions if action.shortcut().toString() == words).trigger()
    assert not part(window).isVisible()
    assert not part(make_window(desk)).isVisible()


def test_the_keys_of_pages_go_from_the_top_of_the_rail_whenever_they_are_added(
    make_window: Make, desk: FakeDesk
) -> None:
    window = make_window(desk)
    for title in ("Connectors", "Statistics", "Lists", "Elsewhere"):
        window.add_page(Page(key=title, group=MANAGE, title=title, make=EmptyState))
    go = [(plain_words(one), one.shortcut().toString()) for one in window.commands.menus["Go"].actions()[:6]]
    assert go == [
        ("Events", "Ctrl+1"),
        ("Statistics", "Ctrl+2"),
        ("Connectors", "Ctrl+5"),
        ("Lists", "Ctrl+6"),
        ("Elsewhere", "Ctrl+7"),
        ("Settings", "Ctrl+,"),
    ]


def test_a_new_page_begins_where_it_wants_and_a_page_that_was_left_goes_on(
    qtbot: QtBot, make_window: Make, desk: FakeDesk
) -> None:
    class Buttons(QWidget):
        def __init__(self) -> None:
            super().__init__()
            row = QHBoxLayout(self)
            self.stop, self.line, self.last = QPushButton("Stop all"), QLineEdit(), QLineEdit()
            for part in (self.stop, self.line, self.last):
                row.addWidget(part)

        def focus_first(self) -> None:
            self.line.setFocus()

    window = make_window(desk)
    window.add_page(Page(key="lists", group=MANAGE, title="Lists", make=Buttons))
    window.events.focus_first()
    window.go("lists")
    page = window.page("lists")
    assert isinstance(page, Buttons)
    assert window.focusWidget() is page.line
    page.last.setFocus()
    window.go(EVENTS)
    window.go("lists")
    assert window.focusWidget() is page.last


def test_three_digits_in_a_badge_cover_no_title(qtbot: QtBot) -> None:
    button = RailButton("Action History")
    qtbot.addWidget(button)
    button.resize(button.sizeHint())

    def inked(words: str) -> set[int]:
        """Columns that the badge changes."""
        button.badge("")
        plain = button.grab().toImage()
        button.badge(words, alarm=True)
        told = button.grab().toImage()
        rows = range(plain.height())
        return {x for x in range(plain.width()) if any(plain.pixel(x, y) != told.pixel(x, y) for y in rows)}

    title = 10 + QFontMetrics(fonts.text(weight=QFont.Weight.Medium)).horizontalAdvance("Action History")
    for words in ("1", "239", "999+"):
        covered = inked(words)
        assert covered and min(covered) >= title
