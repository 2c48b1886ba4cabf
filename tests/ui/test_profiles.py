"""Saved queries, time ranges and profiles: what was set up is there again, each profile for itself."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from fakedesk import FakeDesk
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot

from pod_desktop.core.clock import DAY, HOUR, SECOND
from pod_desktop.core.faults import UserFault
from pod_desktop.core.record import MAILLOG
from pod_desktop.ui.events.dialogs import LineDialog
from pod_desktop.ui.events.rangedialog import RangeDialog, moment_of
from pod_desktop.ui.events.saved import ManageDialog, Saved
from pod_desktop.ui.moments import Zone
from pod_desktop.ui.preferences import Preferences
from pod_desktop.ui.window import MainWindow

Make = Callable[..., MainWindow]


def _menu(menu: QMenu) -> dict[str, Callable[[], None]]:
    menu.aboutToShow.emit()
    return {action.text(): action.trigger for action in menu.actions() if action.text()}


def _saved(window: MainWindow) -> dict[str, Callable[[], None]]:
    menu = window.events.toolbar.saved.menu()
    assert menu is not None
    return _menu(menu)


def test_a_query_is_saved_with_its_index_and_range_and_chosen_again(
    qtbot: QtBot, make_window: Make, desk: FakeDesk
) -> None:
    window = make_window(desk)
    events = window.events
    events.toolbar.choose_kinds((MAILLOG,))
    events.range.choose(HOUR)
    events.query.set_text("subject & more")
    _saved(window)["Save This Query …"]()
    dialog = window.findChild(LineDialog)
    assert dialog is not None
    dialog.line.setText("R&D <b>")
    qtbot.keyClick(dialog.line, Qt.Key.Key_Return)
    events.query.set_text("")
    events.range.choose(None)
    events.toolbar.choose_kinds(())
    _saved(window)["R&&D <b>"]()
    assert events.question().text == "subject & more"
    assert events.question().kinds == (MAILLOG,)
    assert events.question().span == HOUR
    assert _saved(window)["subject && more"], "what was asked lately is there too"


def test_saved_queries_are_renamed_and_deleted(qtbot: QtBot, make_window: Make, desk: FakeDesk) -> None:
    window = make_window(desk)
    queries = window.events.toolbar.saved.queries
    for name in ("one", "two"):
        queries.save(Saved(name=name, query=f"{name}:x"))
    queries.save(Saved(name="One", query="better"))
    assert [(one.name, one.query) for one in queries.all()] == [("One", "better"), ("two", "two:x")]
    window.events.toolbar.saved.manage()
    manage = window.findChild(ManageDialog)
    assert manage is not None
    manage.rename()
    dialog = manage.findChild(LineDialog)
    assert dialog is not None
    dialog.line.setText("two")
    assert not dialog.ok.isEnabled(), "that name is taken"
    dialog.line.setText("three")
    qtbot.keyClick(dialog.line, Qt.Key.Key_Return)
    manage.list.setCurrentRow(1)
    manage.delete()
    assert [one.name for one in queries.all()] == ["three"]
    assert "three" in _saved(window)


def test_nothing_is_saved_while_the_query_is_not_understood(
    qtbot: QtBot, make_window: Make, desk: FakeDesk
) -> None:
    window = make_window(desk)
    window.events.query.set_text("outcome:((")
    menu = window.events.toolbar.saved.menu()
    assert menu is not None
    menu.aboutToShow.emit()
    save = next(action for action in menu.actions() if action.text() == "Save This Query …")
    assert not save.isEnabled()


def test_a_time_range_is_typed_as_two_moments(qtbot: QtBot, make_window: Make, desk: FakeDesk) -> None:
    window = make_window(desk)
    window.use_utc(True)
    window.events.choose_range()
    dialog = window.findChild(RangeDialog)
    assert dialog is not None
    newest = desk.rows[-1].time
    stamp = datetime.fromtimestamp(newest / SECOND - 99.5, UTC)
    dialog.since.setText("tomorrow-ish")
    assert not dialog.ok.isEnabled()
    dialog.since.setText(f"{stamp:%Y-%m-%d %H:%M:%S.%f}")
    dialog.until.setText("now-2d")
    assert not dialog.ok.isEnabled() and "not after" in dialog.until.accessibleDescription()
    dialog.until.setText("")
    qtbot.keyClick(dialog.since, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: window.events.model.total == 100)
    assert window.events.range.text().startswith("Since")


def test_moments_are_read_as_queries_read_them() -> None:
    zone = Zone(utc=True)
    day = 1_795_478_400_000_000  # 2026-11-24T00:00Z
    assert moment_of("2026-11-24", zone, end=False) == day
    assert moment_of("2026-11-24", zone, end=True) == day + DAY
    assert moment_of("2026-11-24T09:00+01:00", zone, end=False) == day + 8 * HOUR
    assert moment_of("  ", zone, end=True) is None
    with pytest.raises(UserFault):
        moment_of('x" OR y', zone, end=False)


def test_profiles_remember_what_was_set_up_in_each(qtbot: QtBot, make_window: Make, desk: FakeDesk) -> None:
    window = make_window(desk)
    window.events.on_records.add_column("filter.qid")
    window.events.facets.set_field("connector", True)
    window.events.toolbar.saved.queries.save(Saved(name="kept", query="a"))
    window.profiles.use("Phishing & more")
    assert window.events.model.other_fields == ("filter.qid",), "a new one begins as a copy"
    window.events.table.columns.show_column("field:filter.qid", False)
    window.events.table.columns.show_column("tenant", True)
    window.events.toolbar.choose_kinds((MAILLOG,))
    window.events.toolbar.saved.queries.delete("kept")
    menu = QMenu()
    window.profiles.fill_menu(menu)
    words = [action.text() for action in menu.actions() if action.text()]
    assert words == ["Standard", "Phishing && more", "New Profile …", "Delete Phishing && more"]
    window.profiles.use("")
    assert window.events.model.other_fields == ("filter.qid",)
    assert window.events.kinds() == ()
    assert [one.name for one in window.events.toolbar.saved.queries.all()] == ["kept"]
    again = make_window(desk)
    again.profiles.use("Phishing & more")
    assert again.events.model.other_fields == ()
    assert again.events.kinds() == (MAILLOG,)
    again.profiles.drop("Phishing & more")
    assert again.preferences.profile == "" and again.preferences.profiles == ()
    assert again.events.model.other_fields == ("filter.qid",)


def test_two_profiles_never_share_a_key(preferences: Preferences) -> None:
    preferences.set_words("events/x", "first")
    preferences.use_profile("a/b")
    assert preferences.words("events/x") == "first"
    preferences.set_words("events/x", "second")
    preferences.use_profile("a")
    preferences.set_words("events/x", "third")
    preferences.use_profile("a/b")
    assert preferences.words("events/x") == "second"
    preferences.drop_profile("a")
    assert preferences.profile == "a/b" and preferences.words("events/x") == "second"
    preferences.use_profile("")
    assert preferences.words("events/x") == "first"
    assert preferences.theme == "system", "the theme is everybody's"
