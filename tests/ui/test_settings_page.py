"""The Settings page: every declared setting, each change at once, faults beside the field."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QSettings, Qt
from PySide6.QtGui import QAccessible, QAction, QKeySequence
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QApplication,
    QComboBox,
    QKeySequenceEdit,
    QLabel,
    QLineEdit,
    QMainWindow,
    QPlainTextEdit,
    QSpinBox,
    QWidget,
)
from pytestqt.qtbot import QtBot

from pod_desktop.core import settings as declared
from pod_desktop.core.connector import CollectConnector
from pod_desktop.core.faults import Outage
from pod_desktop.services.settings import Settings
from pod_desktop.store import Ledger
from pod_desktop.ui.bridge import Worker
from pod_desktop.ui.connectors.confirm import Confirm
from pod_desktop.ui.preferences import Preferences
from pod_desktop.ui.settings import Keymap, SettingsDesk, SettingsPage
from pod_desktop.ui.settings.controls import Flag, Number, Text, Texts

pytestmark = pytest.mark.usefixtures("worn")


class World:
    """A data directory's settings, a window with commands, and the page over both."""

    def __init__(self, folder: Path) -> None:
        self.ledger = Ledger(folder / "ledger.db")
        self.settings = Settings(self.ledger)
        self.preferences = Preferences(QSettings(str(folder / "window.ini"), QSettings.Format.IniFormat))
        self.worker = Worker("settings of a test")
        self.window = QMainWindow()
        self.done: list[str] = []
        self.opened: list[str] = []
        self.actions = [
            self.action("&Find", "Ctrl+F", "/"),
            self.action("&Quit", "Ctrl+Q"),
            self.action("Command &Palette …", "Ctrl+K"),
            self.action("&About"),
        ]
        self.keymap = Keymap(lambda: self.actions)
        self.page = SettingsPage(
            self.preferences,
            str(folder),
            desk=SettingsDesk(self.preferences, self.settings, self.worker),
            keymap=self.keymap,
            tenants=self.ledger.tenants,
            open_folder=self.opened.append,
        )
        self.window.setCentralWidget(self.page)
        self.window.resize(1000, 700)

    def action(self, words: str, *keys: str) -> QAction:
        made = QAction(words, self.window)
        made.setShortcuts([QKeySequence(key) for key in keys])
        made.triggered.connect(lambda: self.done.append(words))
        self.window.addAction(made)
        return made

    def texts(self, key: str) -> Texts:
        control = self.page.controls[key]
        assert isinstance(control, Texts)
        return control

    def number(self, key: str) -> Number:
        control = self.page.controls[key]
        assert isinstance(control, Number)
        return control


@pytest.fixture
def world(qtbot: QtBot, tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    qtbot.addWidget(made.window)
    with qtbot.waitExposed(made.window):
        made.window.show()
    settle(qtbot, made)
    yield made
    assert made.worker.stop(10)
    made.ledger.close()


def settle(qtbot: QtBot, world: World) -> None:
    """Until everything asked so far has been answered."""
    answered: list[bool] = []
    world.worker.ask(lambda: True, answered.append, urgency=9)
    qtbot.waitUntil(lambda: bool(answered))
    world.worker.ask(lambda: True, answered.append, urgency=9)
    qtbot.waitUntil(lambda: len(answered) == 2)


def words(widget: QWidget) -> str:
    shown = [label.text() for label in widget.findChildren(QLabel) if label.isVisibleTo(widget)]
    return "\n".join(shown).replace("\u200b", "")


def question(qtbot: QtBot, world: World) -> Confirm:
    qtbot.waitUntil(lambda: any(found.isVisible() for found in world.page.findChildren(Confirm)))
    return next(found for found in world.page.findChildren(Confirm) if found.isVisible())


# what is there


def test_every_declared_setting_has_its_control(world: World) -> None:
    shown = set(world.page.controls)
    if world.page.shortcuts is not None:
        shown.add(declared.SHORTCUTS)
    if world.page.tenants is not None:
        shown.add(declared.TENANTS)
    assert shown == set(declared.SETTINGS)


def test_help_and_title_are_those_declared(world: World) -> None:
    said = words(world.page)
    for setting in declared.SETTINGS.values():
        if setting.key not in (declared.SHORTCUTS, declared.KEEP_COLLECTING, declared.NOTIFICATIONS):
            assert setting.title in said and (setting.help in said), setting.key


def test_it_says_that_nothing_is_updated_and_where_the_data_is(world: World, tmp_path: Path) -> None:
    said = words(world.page)
    assert "never looks for, downloads or installs" in said and str(tmp_path) in said
    (button,) = [one for one in world.page.findChildren(QAbstractButton) if one.text() == "Open folder"]
    button.click()
    assert world.opened == [str(tmp_path)]


def test_no_proxy_is_the_default_and_environment_variables_do_not_count(world: World) -> None:
    control = world.page.controls[declared.PROXY]
    assert isinstance(control, Text) and control.line.text() == ""
    assert "never used" in words(control)


def test_a_proxy_is_checked_as_it_is_typed_and_kept_when_the_line_is_left(qtbot: QtBot, world: World) -> None:
    control = world.page.controls[declared.PROXY]
    assert isinstance(control, Text)
    qtbot.keyClicks(control.line, "https://proxy.example")
    assert "is no HTTP proxy" in words(control)
    qtbot.keyClick(control.line, Qt.Key.Key_Return)
    settle(qtbot, world)
    assert world.settings.get(declared.PROXY) == ""
    control.line.clear()
    qtbot.keyClicks(control.line, "HTTP://Proxy.Example:3128/")
    assert "is no HTTP proxy" not in words(control)
    qtbot.keyClick(control.line, Qt.Key.Key_Return)
    settle(qtbot, world)
    assert world.settings.get(declared.PROXY) == "http://proxy.example:3128" == control.line.text()


def test_without_a_data_directory_there_are_the_windows_own(qtbot: QtBot, tmp_path: Path) -> None:
    preferences = Preferences(QSettings(str(tmp_path / "x.ini"), QSettings.Format.IniFormat))
    page = SettingsPage(preferences, "/data")
    qtbot.addWidget(page)
    page.show()
    assert set(page.controls) == {declared.THEME, declared.TIME_ZONE, declared.KEEP_COLLECTING}
    flag = page.controls[declared.KEEP_COLLECTING]
    assert isinstance(flag, Flag) and flag.box.isChecked()
    assert "Open folder" not in [one.text() for one in page.findChildren(QAbstractButton)]
    flag.box.click()
    assert preferences.keep_collecting is False


# at once


def choose(control: Any, value: Any) -> None:
    box: QComboBox = control.box
    box.setCurrentIndex(box.findData(value))
    box.activated.emit(box.currentIndex())


def test_the_theme_changes_at_once_and_is_kept_twice(qtbot: QtBot, world: World) -> None:
    with qtbot.waitSignal(world.page.theme_chosen) as signal:
        choose(world.page.controls[declared.THEME], "dark")
    assert signal.args == ["dark"]
    assert (world.preferences.theme, world.settings.get(declared.THEME)) == ("dark", "dark")


def test_the_zone_changes_at_once(qtbot: QtBot, world: World) -> None:
    with qtbot.waitSignal(world.page.zone_chosen) as signal:
        choose(world.page.controls[declared.TIME_ZONE], "utc")
    assert signal.args == [True] and world.preferences.utc


def test_a_switch_is_kept_at_once(qtbot: QtBot, world: World) -> None:
    control = world.page.controls[declared.NOTIFICATIONS]
    assert isinstance(control, Flag)
    with qtbot.waitSignal(world.page.changed):
        qtbot.keyClick(control.box, Qt.Key.Key_Space)
    assert world.settings.get(declared.NOTIFICATIONS) is False


def test_what_a_command_changed_meanwhile_is_shown(qtbot: QtBot, world: World) -> None:
    world.settings.set(declared.RETENTION_GB, 77)
    world.settings.set(declared.THEME, "dark")
    world.page.hide()
    world.page.show()
    qtbot.waitUntil(lambda: world.number(declared.RETENTION_GB).spin.value() == 77)
    assert world.preferences.theme == "dark"


# numbers


def test_half_a_number_is_none(qtbot: QtBot, world: World) -> None:
    spin = world.number(declared.RETENTION_DAYS).spin
    spin.setFocus()
    spin.selectAll()
    qtbot.keyClicks(spin, "365")
    assert world.settings.get(declared.RETENTION_DAYS) == 30
    with qtbot.waitSignal(world.page.changed):
        qtbot.keyClick(spin, Qt.Key.Key_Return)
    assert world.settings.get(declared.RETENTION_DAYS) == 365
    assert not world.page.findChildren(Confirm)


def test_keeping_less_asks_once_because_it_deletes(qtbot: QtBot, world: World) -> None:
    spin = world.number(declared.RETENTION_DAYS).spin
    spin.setValue(7)
    asked = question(qtbot, world)
    assert "Records older than 7 days are deleted" in words(asked)
    qtbot.keyClick(asked, Qt.Key.Key_Return)  # Cancel is the default
    qtbot.waitUntil(lambda: spin.value() == 30)
    assert world.settings.get(declared.RETENTION_DAYS) == 30
    spin.setValue(7)
    with qtbot.waitSignal(world.page.changed):
        question(qtbot, world).way_on.click()
    assert world.settings.get(declared.RETENTION_DAYS) == 7


def test_no_limit_asks_nothing(qtbot: QtBot, world: World) -> None:
    spin = world.number(declared.RETENTION_GB).spin
    with qtbot.waitSignal(world.page.changed):
        spin.setValue(0)
    assert spin.text() == "No limit" and world.settings.get(declared.RETENTION_GB) == 0


# lists


def test_what_does_not_fit_is_told_as_one_types_and_nothing_is_lost(qtbot: QtBot, world: World) -> None:
    control = world.texts(declared.OWN_DOMAINS)
    control.lines.setPlainText("acme.example\nnot a domain")
    assert "'not a domain' is no domain" in words(control)
    assert world.settings.get(declared.OWN_DOMAINS) == []
    control._finish()
    assert control.lines.toPlainText() == "acme.example\nnot a domain"
    with qtbot.waitSignal(world.page.changed):
        control.lines.setPlainText("Acme.EXAMPLE, @bücher.example\n\n*.acme.example")
    assert "is no domain" not in words(control)
    assert world.settings.get(declared.OWN_DOMAINS) == ["acme.example", "xn--bcher-kva.example"]


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("a" * 10_000, "is no domain"),
        ("exa\x07mple.com", "is no domain"),
        ("\n".join(f"d{n}.example" for n in range(1_001)), "1,001 entries"),
        ("<b>x</b>", "<b>x</b>"),
        ("d" * 200_000, "more than 100,000 characters"),
    ],
)
def test_hostile_lists_are_refused_in_words(world: World, text: str, part: str) -> None:
    control = world.texts(declared.OWN_DOMAINS)
    control.lines.setPlainText(text)
    assert part in words(control)
    control._finish()
    assert world.settings.get(declared.OWN_DOMAINS) == []
    assert all(label.textFormat() == Qt.TextFormat.PlainText for label in control.findChildren(QLabel))


def test_leaving_a_list_keeps_it(qtbot: QtBot, world: World) -> None:
    control = world.texts(declared.PROTECTED)
    control.lines.setFocus()
    qtbot.keyClicks(control.lines, "ceo@acme.example")
    with qtbot.waitSignal(world.page.changed):
        control._finish()
    assert world.settings.get(declared.PROTECTED) == ["ceo@acme.example"]


def test_a_ledger_that_does_not_answer_is_told_beside_the_field(
    qtbot: QtBot, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise Outage("The disk is full.", hint="Free some space.")

    monkeypatch.setattr(world.settings, "set", fails)
    world.number(declared.RETENTION_GB).spin.setValue(99)
    qtbot.waitUntil(lambda: "The disk is full. Free some space." in words(world.page))


# tenants


def tenants(world: World) -> Any:
    assert world.page.tenants is not None
    return world.page.tenants


def test_a_tenant_is_added_renamed_and_removed(qtbot: QtBot, world: World) -> None:
    part = tenants(world)
    part.name.setFocus()
    qtbot.keyClicks(part.name, "Acme")
    qtbot.keyClick(part.name, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: part.names() == ["Acme"])
    assert "Acme was added." in words(part)
    part.list.setCurrentRow(0)
    qtbot.keyClicks(part.name, "Beta")
    part.rename.click()
    qtbot.waitUntil(lambda: part.names() == ["Beta"])
    assert "keep the old name" in words(part)
    part.list.setCurrentRow(0)
    part.remove.click()
    qtbot.waitUntil(lambda: part.names() == [])
    assert world.settings.get(declared.TENANTS) == []


def test_a_tenant_that_a_connector_has_cannot_go_but_be_renamed(qtbot: QtBot, world: World) -> None:
    connector = CollectConnector(name="c1", tenant="Acme", cluster_id="c", content_types=("audit",))
    world.ledger.add_connector(connector, now=1)
    part = tenants(world)
    part.refresh()
    qtbot.waitUntil(lambda: part.names() == ["Acme"])
    part.list.setCurrentRow(0)
    part.remove.click()
    qtbot.waitUntil(lambda: "Acme is the tenant of c1." in words(part))
    part.name.setText("Acme GmbH")
    part.rename.click()
    qtbot.waitUntil(lambda: part.names() == ["Acme GmbH"])
    assert "Its connectors now have it: c1." in words(part)
    assert world.ledger.connector("c1").connector.tenant == "Acme GmbH"


@pytest.mark.parametrize("name", ["all tenants", "a,b", "x" * 200, "te\x07nant"])
def test_a_name_that_no_tenant_has_is_refused_as_one_types(world: World, name: str) -> None:
    part = tenants(world)
    part.name.setText(name)
    assert part.field.faulty and not part.add.isEnabled()
    part._add()
    assert world.settings.get(declared.TENANTS) == []


# keys


def editor(world: World) -> Any:
    assert world.page.shortcuts is not None
    return world.page.shortcuts


def press_keys(qtbot: QtBot, world: World, command: str, keys: str) -> None:
    editor(world).choose(command)
    editor(world).keys.setKeySequence(QKeySequence(keys))
    editor(world).keys.editingFinished.emit()
    settle(qtbot, world)


def test_keys_are_rebound_at_once_and_kept(qtbot: QtBot, world: World) -> None:
    press_keys(qtbot, world, "Find", "Ctrl+Shift+B")
    assert [keys.toString() for keys in world.actions[0].shortcuts()] == ["Ctrl+Shift+B"]
    assert world.settings.get(declared.SHORTCUTS) == {"Find": "Ctrl+Shift+B"}
    world.window.activateWindow()
    qtbot.waitUntil(world.window.isActiveWindow)
    qtbot.keyClick(
        world.window, Qt.Key.Key_B, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    )
    assert world.done == ["&Find"]


def test_a_conflict_is_named_and_changes_nothing(qtbot: QtBot, world: World) -> None:
    press_keys(qtbot, world, "Find", "Ctrl+Q")
    assert "Ctrl+Q already does “Quit”." in words(editor(world))
    assert world.actions[0].shortcuts() == [QKeySequence("Ctrl+F"), QKeySequence("/")]
    assert world.settings.get(declared.SHORTCUTS) == {}


@pytest.mark.parametrize(
    ("keys", "part"), [("A", "typed"), ("Shift+A", "typed"), ("Return", "needed"), ("Esc", "needed")]
)
def test_keys_that_fields_need_are_refused(qtbot: QtBot, world: World, keys: str, part: str) -> None:
    press_keys(qtbot, world, "Quit", keys)
    assert part in words(editor(world))
    assert world.actions[1].shortcuts() == [QKeySequence("Ctrl+Q")]


def test_function_keys_stand_alone(qtbot: QtBot, world: World) -> None:
    press_keys(qtbot, world, "About", "F6")
    assert world.actions[3].shortcuts() == [QKeySequence("F6")]


def test_keys_come_back_as_delivered_one_or_all(qtbot: QtBot, world: World) -> None:
    press_keys(qtbot, world, "Find", "Ctrl+B")
    press_keys(qtbot, world, "Quit", "Ctrl+F")
    editor(world).choose("Find")
    editor(world).reset.click()
    assert "Ctrl+F does “Quit” now." in words(editor(world))
    editor(world).reset_all.click()
    settle(qtbot, world)
    assert world.actions[0].shortcuts() == [QKeySequence("Ctrl+F"), QKeySequence("/")]
    assert world.actions[1].shortcuts() == [QKeySequence("Ctrl+Q")]
    assert world.settings.get(declared.SHORTCUTS) == {}
    assert not editor(world).reset_all.isEnabled()


def test_a_command_can_be_left_without_keys(qtbot: QtBot, world: World) -> None:
    editor(world).choose("Quit")
    editor(world).off.click()
    settle(qtbot, world)
    assert world.actions[1].shortcuts() == []
    assert world.settings.get(declared.SHORTCUTS) == {"Quit": ""}
    editor(world).choose("Quit")
    editor(world).reset.click()
    assert world.actions[1].shortcuts() == [QKeySequence("Ctrl+Q")]


def test_keys_of_a_command_that_comes_later_wait_for_it(world: World) -> None:
    world.keymap.apply({"Connectors": "Ctrl+7"})
    world.actions.append(world.action("&Connectors"))
    world.keymap.apply(world.keymap.chosen)
    assert world.actions[-1].shortcuts() == [QKeySequence("Ctrl+7")]


def test_the_filter_takes_words_and_keys(world: World) -> None:
    part = editor(world)
    part.filter.setText("ctrl+k")
    assert [part.table.item(row, 0).text() for row in range(part.table.rowCount())] == ["Command Palette"]
    part.filter.setText("find")
    assert part.table.rowCount() == 1


# for everybody


def test_every_control_has_a_name(world: World) -> None:
    kinds = (
        QAbstractButton, QLineEdit, QComboBox, QSpinBox, QPlainTextEdit, QAbstractItemView, QKeySequenceEdit,
    )  # fmt: skip
    for control in world.page.findChildren(QWidget):
        inner = control.objectName().startswith("qt_") or isinstance(
            control.parentWidget(), QComboBox | QSpinBox | QKeySequenceEdit | QAbstractItemView
        )
        if isinstance(control, kinds) and not inner and control.isVisibleTo(world.page):
            assert QAccessible.queryAccessibleInterface(control).text(QAccessible.Text.Name), control


def test_by_keyboard_every_control_is_reached(qtbot: QtBot, world: World) -> None:
    world.window.activateWindow()
    first = world.page.controls[declared.THEME].box  # type: ignore[attr-defined]
    first.setFocus()
    qtbot.waitUntil(first.hasFocus)
    reached: set[QWidget] = set()
    for _ in range(60):
        focus = QApplication.focusWidget()
        assert focus is not None
        reached.add(focus)
        qtbot.keyClick(focus, Qt.Key.Key_Tab)
    wanted = [
        world.page.controls[declared.TIME_ZONE].box,  # type: ignore[attr-defined]
        world.number(declared.RETENTION_DAYS).spin,
        world.texts(declared.OWN_DOMAINS).lines,
        tenants(world).list,
        tenants(world).name,
        editor(world).filter,
        editor(world).table,
    ]
    assert [control for control in wanted if control not in reached] == []


def test_scrolling_the_page_changes_no_number(qtbot: QtBot, world: World) -> None:
    from PySide6.QtCore import QPoint, QPointF
    from PySide6.QtGui import QWheelEvent

    spin = world.number(declared.RETENTION_DAYS).spin
    assert not spin.hasFocus()
    turned = QWheelEvent(
        QPointF(5, 5), QPointF(5, 5), QPoint(), QPoint(0, -120), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(spin, turned)
    assert spin.value() == 30 and world.settings.get(declared.RETENTION_DAYS) == 30
