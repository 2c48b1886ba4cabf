"""Facets: counted after the rows, given up when the question changes, a click away from being asked for."""

from __future__ import annotations

from collections.abc import Callable

from fakedesk import FakeDesk, row
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from pod_desktop.services.facets import Facet
from pod_desktop.ui.events.facets import FIRST_DAY, FacetBox, share_words
from pod_desktop.ui.window import MainWindow

Make = Callable[..., MainWindow]


def _box(window: MainWindow, field: str) -> FacetBox:
    return next(box for box in window.events.facets.boxes if box.field == field)


def _filled(qtbot: QtBot, window: MainWindow, field: str = "outcome") -> FacetBox:
    box = _box(window, field)
    qtbot.waitUntil(lambda: bool(box.values) and box.button(box.values[0][0]).isEnabled())
    return box


def _mixed(desk: FakeDesk) -> None:
    newest = desk.rows[-1].time
    desk.add(
        [row(900 + one, newest + 1 + one, outcome="rejected", sender="x@evil.example") for one in range(100)]
    )


def test_the_first_days_fields_are_counted_for_the_question(
    qtbot: QtBot, make_window: Make, desk: FakeDesk
) -> None:
    _mixed(desk)
    window = make_window(desk)
    assert [box.field for box in window.events.facets.boxes] == list(FIRST_DAY)
    assert _filled(qtbot, window).values == [("delivered", "75%"), ("rejected", "25%")]
    assert _filled(qtbot, window, "sender.domain").values == [
        ("contoso.example", "300"),
        ("evil.example", "100"),
    ]
    window.events.query.set_text("outcome:rejected")
    qtbot.waitUntil(lambda: _box(window, "outcome").values == [("rejected", "100%")])


def test_a_click_includes_a_value_and_alt_click_excludes_it(
    qtbot: QtBot, make_window: Make, desk: FakeDesk
) -> None:
    _mixed(desk)
    window = make_window(desk)
    button = _filled(qtbot, window).button("rejected")
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert window.events.query.text == "outcome:rejected"
    window.events.query.set_text("subject")
    box = _filled(qtbot, window, "sender.domain")
    qtbot.mouseClick(box.button("evil.example"), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.AltModifier)
    assert window.events.query.text == "subject AND NOT sender.domain:evil.example"


def test_values_are_reached_and_chosen_by_keys(qtbot: QtBot, make_window: Make, desk: FakeDesk) -> None:
    _mixed(desk)
    window = make_window(desk)
    first = _filled(qtbot, window).button("delivered")
    first.setFocus()
    assert first.accessibleName() == "Outcome: Delivered, 75%"
    qtbot.keyClick(first, Qt.Key.Key_Down)
    second = _box(window, "outcome").button("rejected")
    assert second.hasFocus()
    qtbot.keyClick(second, Qt.Key.Key_Return, Qt.KeyboardModifier.AltModifier)
    assert window.events.query.text == "NOT outcome:rejected"


def test_counting_is_given_up_when_the_question_changes(
    qtbot: QtBot, make_window: Make, desk: FakeDesk
) -> None:
    desk.facet_seconds = 30.0
    window = make_window(desk)
    qtbot.waitUntil(lambda: len(desk.facets_asked) == 1)
    assert not _box(window, "outcome").values, "rows are there before any count"
    desk.facet_seconds = 0.0
    window.events.query.set_text("subject")
    qtbot.waitUntil(lambda: desk.facets_given_up == 1)
    qtbot.waitUntil(lambda: bool(_box(window, "outcome").values))
    assert {question.text for question, _field in desk.facets_asked[1:]} == {"subject"}


def test_while_another_question_is_counted_the_old_values_cannot_be_chosen(
    qtbot: QtBot, make_window: Make, desk: FakeDesk
) -> None:
    window = make_window(desk)
    button = _filled(qtbot, window).button("delivered")
    desk.facet_seconds = 0.2
    window.events.query.set_text("subject")
    assert not button.isEnabled()
    qtbot.waitUntil(button.isEnabled)


def test_narrow_windows_hide_facets_until_somebody_wants_them(
    qtbot: QtBot, make_window: Make, desk: FakeDesk
) -> None:
    window = make_window(desk, size=(1_100, 700))
    assert window.events.facets.isHidden()
    qtbot.wait(300)
    assert not desk.facets_asked, "nobody looks, so nobody counts"
    window.menus.facets.trigger()
    assert not window.events.facets.isHidden() and window.menus.facets.isChecked()
    qtbot.waitUntil(lambda: bool(_box(window, "outcome").values))
    window.resize(1_440, 900)
    window.menus.facets.trigger()
    assert window.events.facets.isHidden()
    window.resize(1_100, 700)
    qtbot.waitUntil(lambda: not window.events.facets.isHidden())


def test_fields_are_chosen_and_remembered(qtbot: QtBot, make_window: Make, desk: FakeDesk) -> None:
    window = make_window(desk)
    window.events.facets.set_field("route", False)
    window.events.facets.set_field("connector", True)
    again = make_window(desk)
    fields = [box.field for box in again.events.facets.boxes]
    assert fields == [*(field for field in FIRST_DAY if field != "route"), "connector"]
    assert _filled(qtbot, again, "connector").values == [("acme-message", "300")]


def test_more_values_are_shown_when_asked_for(qtbot: QtBot, make_window: Make, desk: FakeDesk) -> None:
    window = make_window(desk)
    window.events.facets.set_field("sender", True)
    box = _filled(qtbot, window, "sender")
    assert len(box.values) == 5
    box._more.click()
    qtbot.waitUntil(lambda: len(box.values) == 15)
    box._more.click()
    assert len(box.values) == 5


def test_a_sample_says_that_it_is_one(qtbot: QtBot, worn: object) -> None:
    box = FacetBox("filter.modules.spam.rule")
    qtbot.addWidget(box)
    box.show_facet(Facet(field=box.field, values=(("a\u202eb", 30), ("c", 1)), sampled=200))
    assert box.values == [("a\u202eb", "15%"), ("c", "<1%")]
    assert box.button("c").accessibleName().endswith("c, <1%")
    assert "‹U+202E›" in box.button("a\u202eb").text()
    assert "of the newest 200" in box._note.text()
    box.grab()


def test_shares_are_never_rounded_to_nothing() -> None:
    assert [share_words(*pair) for pair in ((0, 10), (1, 1_000), (1, 2), (7, 7), (9, 7), (1, 0))] == [
        "0%",
        "<1%",
        "50%",
        "100%",
        "100%",
        "0%",
    ]
