"""Completion in the query bar: offered while one types, taken by Tab, Enter or click, never in the way."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from fakedesk import FakeDesk
from PySide6.QtCore import QModelIndex, Qt
from pytestqt.qtbot import QtBot

from pace import quick
from pod_desktop.query import Completion
from pod_desktop.ui.events.completion import without_notes
from pod_desktop.ui.events.querybar import QueryBar
from pod_desktop.ui.window import MainWindow

Make = Callable[..., MainWindow]
FIELDS = [
    Completion(0, 3, "sender:", "sender", "Envelope sender (MAIL FROM)."),
    Completion(0, 3, "sender.domain:", "sender.domain", "Domain of the envelope sender."),
]
VALUES = [
    Completion(7, 7, "a@b.example", "a@b.example", "Sender"),
    Completion(7, 7, '"x y"', "x y", "Sender"),
]


@pytest.fixture
def bar(make_window: Make, desk: FakeDesk) -> QueryBar:
    desk.completions = {"sen": FIELDS, "sender:": VALUES, "send": FIELDS}
    window = make_window(desk)
    window.to_query()
    return window.events.query


def test_what_could_follow_is_offered_below_the_line(qtbot: QtBot, bar: QueryBar) -> None:
    qtbot.keyClicks(bar.line, "sen")
    qtbot.waitUntil(bar.offers.isVisible)
    assert [offer.label for offer in bar.offers.offers] == ["sender", "sender.domain"]
    assert bar.line.hasFocus()
    line = bar.line.mapTo(bar.window(), bar.line.rect().bottomLeft())
    assert bar.offers.y() >= line.y()
    model = bar.offers.list.model()
    spoken = model.data(model.index(1, 0, QModelIndex()), Qt.ItemDataRole.AccessibleTextRole)
    assert spoken == "sender.domain, Domain of the envelope sender."


def test_tab_takes_the_first_offer_and_its_values_follow(qtbot: QtBot, bar: QueryBar) -> None:
    qtbot.keyClicks(bar.line, "sen")
    qtbot.waitUntil(bar.offers.isVisible)
    qtbot.keyClick(bar.line, Qt.Key.Key_Tab)
    assert bar.text == "sender:"
    assert bar.line.hasFocus()
    qtbot.waitUntil(lambda: bar.offers.isVisible() and len(bar.offers.offers) == 2)
    assert bar.offers.offers[0].label == "a@b.example"
    bar.line.undo()
    assert bar.text == "sen"


def test_enter_takes_a_chosen_offer_and_otherwise_asks(qtbot: QtBot, bar: QueryBar, desk: FakeDesk) -> None:
    qtbot.keyClicks(bar.line, "sender:")
    qtbot.waitUntil(bar.offers.isVisible)
    qtbot.keyClick(bar.line, Qt.Key.Key_Down)
    qtbot.keyClick(bar.line, Qt.Key.Key_Down)
    qtbot.keyClick(bar.line, Qt.Key.Key_Up)
    qtbot.keyClick(bar.line, Qt.Key.Key_Return)
    assert bar.text == "sender:a@b.example"
    assert not bar.offers.isVisible()
    qtbot.keyClick(bar.line, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: desk.asked[-1].text == "sender:a@b.example")


def test_escape_puts_the_offers_away_and_keeps_what_was_typed(qtbot: QtBot, bar: QueryBar) -> None:
    qtbot.keyClicks(bar.line, "sen")
    qtbot.waitUntil(bar.offers.isVisible)
    qtbot.keyClick(bar.line, Qt.Key.Key_Escape)
    assert not bar.offers.isVisible()
    assert bar.text == "sen"
    qtbot.keyClick(bar.line, Qt.Key.Key_Space, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(bar.offers.isVisible)
    assert bar.text == "sen"


def test_up_without_a_choice_browses_the_history(qtbot: QtBot, bar: QueryBar) -> None:
    bar.set_text("outcome:delivered")
    bar.set_text("")
    qtbot.keyClick(bar.line, Qt.Key.Key_Up)
    assert bar.text == "outcome:delivered"
    assert not bar.offers.isVisible(), "what comes from the history is not being typed"


def test_slow_completion_holds_up_neither_typing_nor_rows(
    qtbot: QtBot, bar: QueryBar, desk: FakeDesk
) -> None:
    desk.complete_seconds = 0.4
    desk.completions = {"subject": [Completion(0, 7, "subject:", "subject", "Words of the subject.")]}
    with quick(0.4):
        for letter in "subject":
            qtbot.keyClicks(bar.line, letter)
            qtbot.wait(10)
    assert bar.text == "subject"
    qtbot.waitUntil(bar.offers.isVisible)
    assert bar.offers.offers[0].insert == "subject:", "answers to what was typed before are dropped"
    assert desk.asked[-1].text == "subject", "the rows did not wait for it"


def test_offers_go_when_the_focus_goes(qtbot: QtBot, bar: QueryBar) -> None:
    qtbot.keyClicks(bar.line, "sen")
    qtbot.waitUntil(bar.offers.isVisible)
    window = bar.window()
    assert isinstance(window, MainWindow)
    window.events.table.setFocus()
    qtbot.waitUntil(lambda: not bar.offers.isVisible())


def test_hostile_values_are_offered_as_text(qtbot: QtBot, bar: QueryBar, desk: FakeDesk) -> None:
    evil = "<b>x</b>\u202etxt" + "y" * 5_000
    desk.completions["x"] = [Completion(0, 1, f'"{evil}"', evil, evil)]
    qtbot.keyClicks(bar.line, "x")
    qtbot.waitUntil(bar.offers.isVisible)
    model = bar.offers.list.model()
    shown = model.data(model.index(0, 0, QModelIndex()), Qt.ItemDataRole.DisplayRole)
    assert "‹U+202E›" in shown and len(shown) < 120
    bar.offers.grab()


def test_queries_about_what_arrives_are_not_offered_notes() -> None:
    offers = [Completion(0, 1, f"{name}:", name, "") for name in ("marked", "mailer", "comment", "outcome")]
    left = without_notes(lambda _text, _cursor: offers)("m", 1)
    assert [offer.label for offer in left] == ["mailer", "outcome"]
