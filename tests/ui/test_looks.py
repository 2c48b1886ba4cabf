"""Columns of any field and colours by rule: fetched for what is in sight, never in the way of the rows."""

from __future__ import annotations

import threading
from collections.abc import Callable

from fakedesk import FakeDesk, row
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from pytestqt.qtbot import QtBot

from pod_desktop.ui import theme
from pod_desktop.ui.bridge import ColourRule
from pod_desktop.ui.events.columns import COLUMNS, INDEX
from pod_desktop.ui.events.rules import RulesDialog, keep_rules
from pod_desktop.ui.painting import ChipPainter
from pod_desktop.ui.theme import Theme
from pod_desktop.ui.window import MainWindow

Make = Callable[..., MainWindow]


def test_values_are_fetched_for_the_rows_in_sight_only(
    qtbot: QtBot, make_window: Make, desk: FakeDesk
) -> None:
    window = make_window(desk)
    assert not desk.looked_at, "without other columns or rules no record is opened"
    window.events.on_records.add_column("filter.qid")
    qtbot.waitUntil(lambda: window.events.model.looks is not None and len(desk.looked_at) > 10)
    qtbot.wait(100)
    assert 10 < len({seq for seq, _dress in desk.looked_at}) < 64
    place = window.events.model.place_of("field:filter.qid")
    assert place is not None
    assert window.events.model.index(0, place).data() == "filter.qid of 299"
    spoken = window.events.model.index(0, place).data(Qt.ItemDataRole.AccessibleTextRole)
    assert spoken == "filter.qid: filter.qid of 299"


def test_slow_values_leave_the_rows_readable(qtbot: QtBot, make_window: Make, desk: FakeDesk) -> None:
    window = make_window(desk)
    real = desk.looks
    held = threading.Event()

    def slow(rows: object, dress: object) -> object:
        held.wait(60)
        return real(rows, dress)  # type: ignore[arg-type]

    desk.looks = slow  # type: ignore[method-assign,assignment]
    window.events.on_records.add_column("filter.qid")
    bar = window.events.table.verticalScrollBar()
    bar.setValue(200)
    qtbot.waitUntil(lambda: window.events.model.row(200) is not None)
    held.set()


def test_other_columns_are_kept_with_their_place_and_width(
    qtbot: QtBot, make_window: Make, desk: FakeDesk
) -> None:
    window = make_window(desk)
    table = window.events.table
    window.events.on_records.add_column("filter.qid")
    window.events.on_records.add_column("header_from")
    place = window.events.model.place_of("field:header_from")
    assert place is not None
    table.columns.moveSection(table.columns.visualIndex(place), 1)
    table.columns.resizeSection(place, 90)
    again = make_window(desk).events
    assert again.model.other_fields == ("header_from", "filter.qid")
    shown = [again.model.column(one).key for one in again.table.columns.shown()]
    assert shown[:2] == ["time", "field:header_from"]
    found = again.model.place_of("field:header_from")
    assert found is not None
    assert again.table.columns.sectionSize(found) == 90
    last = again.table.columns.logicalIndex(again.table.columns.count() - 1)
    assert again.model.column(last).key == "more"
    again.table.columns.show_column("field:filter.qid", False)
    assert again.model.other_fields == ("header_from",)
    again.table.columns.reset_columns()
    assert again.model.other_fields == ()


def test_what_was_kept_badly_is_as_if_never_kept(qtbot: QtBot, make_window: Make, desk: FakeDesk) -> None:
    preferences = make_window(desk).preferences
    for bad in ("{", "[1, null]", '[{"key": 3, "width": "x"}]', '[{"key": "nowhere", "width": 5}]'):
        preferences.set_words("events/columns", bad)
        preferences.set_words("events/facets", bad)
        preferences.set_words("events/rules", bad)
        preferences.set_words("events/saved", bad)
        window = make_window(desk)
        shown = [window.events.model.column(one).key for one in window.events.table.columns.shown()]
        assert shown[:3] == ["time", "outcome", "sender"]


def test_rows_that_match_a_rule_get_its_colour(qtbot: QtBot, make_window: Make, desk: FakeDesk) -> None:
    desk.add([row(900, desk.rows[-1].time + 1, outcome="rejected")])
    window = make_window(desk)
    table = window.events.table
    x = table.columns.sectionViewportPosition(INDEX["sender"]) + 2

    def ground(number: int) -> QColor:
        return table.viewport().grab().toImage().pixelColor(x, 27 * number + 3)

    plain = ground(0).name()
    assert plain == QColor(theme.tokens().window).name()
    keep_rules(window.preferences, (ColourRule("outcome:rejected", "bad"), ColourRule("subject", "good")))
    window.events.on_records.dress()
    qtbot.waitUntil(lambda: ground(0).name() != plain and ground(1).name() != plain)
    assert ground(0).red() > ground(0).green(), "the first rule that fits decides"
    assert ground(1).green() > ground(1).red()


def test_rules_are_edited_judged_and_kept(qtbot: QtBot, make_window: Make, desk: FakeDesk) -> None:
    window = make_window(desk)
    window.events.on_records.edit_rules()
    dialog = window.findChild(RulesDialog)
    assert dialog is not None
    dialog.lines[0].query.setText("outcome:((")
    assert dialog.lines[0].faulty
    assert window.events.looks.dress.rules == ()
    dialog.lines[0].query.setText("outcome:delivered")
    dialog.add(ColourRule("subject", "special"))
    assert window.events.looks.dress.rules == (
        ColourRule("outcome:delivered", "bad"),
        ColourRule("subject", "special"),
    )
    dialog.lines[1].moved.emit(-1)
    assert [rule.query for rule in window.events.looks.dress.rules] == ["subject", "outcome:delivered"]
    dialog.lines[0].removed.emit()
    again = make_window(desk)
    assert again.events.looks.dress.rules == (ColourRule("outcome:delivered", "bad"),)


def test_a_chip_is_cut_with_dots_where_its_column_ends(qtbot: QtBot, worn: Theme) -> None:
    chips = ChipPainter()
    assert chips.fitted("Quarantined", 200) == "Quarantined"
    room = COLUMNS[INDEX["outcome"]].width - 10
    assert all(chips.fitted(words, room) == words for words in ("stat=Deferred", "Quarantined", "Unreadable"))
    cut = chips.fitted("90071992547409930000", 90)
    assert cut.endswith("…") and chips.width(cut) <= 90
