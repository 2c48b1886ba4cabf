"""The wizard that adds a connector: walked by keyboard and by mouse, fed with what people paste."""

# ruff: noqa: F811 (fixtures are imported by name)
from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QLabel, QLineEdit, QTabBar, QWidget
from pytestqt.qtbot import QtBot
from wizarding import (  # noqa: F401 (fixtures)
    CANARY,
    NOW,
    Keychain,
    desk,
    keychain,
    made,
    opened,
    paste,
    press,
    tab_to,
    to_configuration,
    to_done,
    type_into,
    wait_for_rule,
    wizard,
    words,
    worker,
)

from pod_desktop.core.clock import DAY, MINUTE, parse_iso
from pod_desktop.core.connector import CollectConnector
from pod_desktop.core.secret import Secret
from pod_desktop.services.connectors import Connectors
from pod_desktop.ui.bridge import Worker
from pod_desktop.ui.connectors.wizard import CONFIGURATION, DONE, GENERAL, AddConnector, open_wizard
from pod_desktop.vault import FolderVault, MemoryVault, SessionVault

pytestmark = pytest.mark.usefixtures("worn")


# the way through


def test_by_keyboard_alone_a_connector_is_made(
    qtbot: QtBot, wizard: AddConnector, desk: Connectors, keychain: Keychain
) -> None:
    tab_to(qtbot, wizard.general.tenant_box)
    type_into(qtbot, wizard, "Acme")
    assert wizard.general.name.text() == "acme-proofpoint-on-demand"
    press(qtbot, Qt.Key.Key_Return)
    assert wizard.step == CONFIGURATION
    type_into(qtbot, wizard, "acme_hosted")
    tab_to(qtbot, wizard.configuration.api_key)
    type_into(qtbot, wizard, CANARY)
    tab_to(qtbot, wizard.configuration.content_types.boxes["audit"])
    press(qtbot, Qt.Key.Key_Space)
    tab_to(qtbot, wizard.configuration.collect_from.choice)
    press(qtbot, Qt.Key.Key_Up)
    press(qtbot, Qt.Key.Key_Return)
    assert wizard.step == DONE
    with qtbot.waitSignal(wizard.created) as signal:
        press(qtbot, Qt.Key.Key_Return)
    (entry,) = desk.entries()
    assert entry.enabled and entry.created == NOW
    assert signal.args == [(entry.connector,)]
    assert entry.connector == CollectConnector(
        name="acme-proofpoint-on-demand",
        tenant="Acme",
        cluster_id="acme_hosted",
        content_types=("message", "maillog", "audit"),
        collect_from="3d",
    )
    assert keychain.kept == {("acme-proofpoint-on-demand", "api_key"): Secret(CANARY)}
    assert not wizard.isVisible()
    assert wizard.configuration.api_key.text() == ""


def test_by_mouse_alone_a_connector_is_made(qtbot: QtBot, wizard: AddConnector, desk: Connectors) -> None:
    def click(widget: QWidget) -> None:
        qtbot.mouseClick(widget, Qt.MouseButton.LeftButton)

    click(wizard.general.tenant)
    paste(wizard.general.tenant, "acme")
    click(wizard.next_button)
    click(wizard.configuration.cluster_id)
    paste(wizard.configuration.cluster_id, " acme_hosted ")
    paste(wizard.configuration.api_key, CANARY)
    boxes = wizard.configuration.content_types.boxes
    qtbot.mouseClick(
        boxes["maillog"], Qt.MouseButton.LeftButton, pos=QPoint(8, boxes["maillog"].height() // 2)
    )
    click(wizard.next_button)
    with qtbot.waitSignal(wizard.created):
        click(wizard.next_button)
    (entry,) = desk.entries()
    assert (entry.connector.cluster_id, entry.connector.content_types) == ("acme_hosted", ("message",))


def test_the_tabs_say_where_one_is(wizard: AddConnector) -> None:
    def tabs() -> list[str]:
        return [wizard.tabs.tabText(number) for number in range(3)]

    assert tabs() == ["1 General", "2 Configuration", "3 Done"]
    assert not wizard.back_button.isVisible()
    to_configuration(wizard)
    assert tabs() == ["1 General ✓", "2 Configuration", "3 Done"]
    assert not wizard.tabs.isTabEnabled(2)
    wizard.configuration.cluster_id.setText("c")
    wizard.configuration.api_key.setText("k")
    wizard.next_button.click()
    assert tabs() == ["1 General ✓", "2 Configuration ✓", "3 Done"]
    assert wizard.next_button.text() == "Submit"


def test_defaults_are_those_of_the_guide(wizard: AddConnector) -> None:
    assert wizard.general.category.currentText() == "Email"
    assert wizard.general.type.currentText() == "Proofpoint on Demand"
    assert wizard.general.function.isChecked() and not wizard.general.function.isEnabled()
    assert wizard.general.run_on.currentText() == "This computer"
    assert wizard.configuration.content_types.chosen() == ("message", "maillog")
    assert wizard.configuration.collect_from.value() == "7d"
    assert "cannot be changed" in words(wizard.general)
    assert "Remote Syslog" in words(wizard.general) and "proxies" in words(wizard.general)


def test_back_keeps_what_was_typed(wizard: AddConnector) -> None:
    to_done(wizard)
    wizard.configuration.advanced.setChecked(True)
    wizard.back_button.click()
    wizard.back_button.click()
    assert wizard.step == GENERAL
    assert (wizard.general.name.text(), wizard.general.tenant.text()) == ("acme-message", "acme")
    wizard.next_button.click()
    assert wizard.configuration.cluster_id.text() == "acme_hosted"
    assert wizard.configuration.api_key.text() == CANARY


def test_a_tab_already_reached_is_a_way_back_and_forth(wizard: AddConnector) -> None:
    to_done(wizard)
    wizard.tabs.setCurrentIndex(0)
    assert wizard.step == GENERAL
    wizard.tabs.setCurrentIndex(2)
    assert wizard.step == DONE
    wizard.tabs.setCurrentIndex(0)
    wizard.general.name.setText("")
    wizard.tabs.setCurrentIndex(2)
    assert wizard.step == GENERAL and wizard.tabs.currentIndex() == 0


def test_the_last_tab_says_all_that_will_be_made(qtbot: QtBot, wizard: AddConnector) -> None:
    to_done(wizard)
    qtbot.waitUntil(lambda: "msg_class" in words(wizard.summary))
    said = words(wizard.summary)
    for part in (
        "acme-message",
        "Email · Proofpoint on Demand · Collect",
        "This computer",
        "acme_hosted",
        "Message, Mail Log (2 streams)",
        "Syslog",
        "proofpoint_on_demand_message",
        "proofpoint_on_demand_maillog",
        "GNOME Keyring",
        "wss://logstream.proofpoint.com:443",
        "from the archive; then live",
    ):
        assert part in said
    assert "audit" not in said
    assert CANARY not in said


# faults beside the fields


def test_an_empty_wizard_is_not_full_of_faults_until_one_goes_on(wizard: AddConnector) -> None:
    assert "Give the tenant" not in words(wizard.general)
    wizard.next_button.click()
    assert wizard.step == GENERAL
    assert "Give the tenant's name" in words(wizard.general)
    assert QApplication.focusWidget() is wizard.general.tenant_box


@pytest.mark.parametrize(
    ("pasted", "part"),
    [
        ("müller", "no multibyte"),
        ("名前", "no multibyte"),
        ("acme 🔑", "no multibyte"),
        ("a\u200bb", "U+200B"),
        ("n" * 10_000, "10,000 characters"),
        ("a/b", "slash"),
        ("<b>x</b>" * 30, "slash"),
    ],
)
def test_a_name_that_does_not_fit_is_told_as_one_types(wizard: AddConnector, pasted: str, part: str) -> None:
    paste(wizard.general.name, pasted)
    assert part in words(wizard.general)
    wizard.general.tenant.setText("acme")
    wizard.next_button.click()
    assert wizard.step == GENERAL
    assert wizard.general.name.text() == pasted


def test_a_fault_goes_away_as_soon_as_it_is_mended(wizard: AddConnector) -> None:
    wizard.general.name.setText("müller")
    assert "multibyte characters" in words(wizard.general)
    wizard.general.name.setText("muller")
    assert "multibyte characters" not in words(wizard.general)


def test_a_taken_name_is_told_and_another_suggested(qtbot: QtBot, desk: Connectors, worker: Worker) -> None:
    made(desk, "acme-proofpoint-on-demand", ("audit",))
    wizard = opened(qtbot, desk, worker)
    wizard.general.tenant.setText("acme")
    assert wizard.general.name.text() == "acme-proofpoint-on-demand-2"
    wizard.general.name.setText("ACME-Proofpoint-on-Demand")
    assert "exists already" in words(wizard.general)


def test_a_name_that_the_user_wrote_stays_as_it_is(qtbot: QtBot, wizard: AddConnector) -> None:
    wizard.general.name.selectAll()
    qtbot.keyClicks(wizard.general.name, "mine")
    wizard.general.tenant.setText("acme")
    assert wizard.general.name.text() == "mine"


@pytest.mark.parametrize(
    "pasted",
    [
        f"Bearer {CANARY}",
        f'"{CANARY}"',
        f"  {CANARY}\t",
        f"{CANARY}\n",
        f"Authorization: Bearer {CANARY}\r\n",
    ],
)
def test_a_key_is_cleaned_and_that_is_told(
    qtbot: QtBot, wizard: AddConnector, keychain: Keychain, pasted: str
) -> None:
    to_configuration(wizard)
    wizard.configuration.cluster_id.setText("acme_hosted")
    paste(wizard.configuration.api_key, pasted)
    assert "taken off" in words(wizard.configuration)
    wizard.next_button.click()
    assert wizard.step == DONE
    with qtbot.waitSignal(wizard.created):
        wizard.next_button.click()
    assert list(keychain.kept.values()) == [Secret(CANARY)]


@pytest.mark.parametrize(
    "pasted",
    ["cana ry", "cana\nry", "canaré", "cana🔑", "“canary”", "c" * 20_000, "", "   ", "Bearer ", '""'],
)
def test_a_key_that_cannot_be_one_is_refused_beside_the_field(wizard: AddConnector, pasted: str) -> None:
    to_configuration(wizard)
    wizard.configuration.cluster_id.setText("acme_hosted")
    paste(wizard.configuration.api_key, pasted)
    wizard.next_button.click()
    assert wizard.step == CONFIGURATION
    assert "API key" in words(wizard.configuration)
    assert QApplication.focusWidget() is wizard.configuration.api_key
    assert "cana" not in words(wizard.configuration)


def test_a_wrong_cluster_id_is_told_as_one_types(wizard: AddConnector) -> None:
    to_configuration(wizard)
    paste(wizard.configuration.cluster_id, "acme hosted")
    assert "holds a blank" in words(wizard.configuration)


def test_no_content_type_is_a_fault(wizard: AddConnector) -> None:
    to_configuration(wizard)
    for box in wizard.configuration.content_types.boxes.values():
        box.setChecked(False)
    assert "at least one" in words(wizard.configuration)


def test_the_key_is_hidden_until_show_and_again_after(qtbot: QtBot, wizard: AddConnector) -> None:
    to_configuration(wizard)
    edit = wizard.configuration.api_key
    edit.setText(CANARY)
    assert edit.displayText() == "•" * len(CANARY) and edit.echoMode() == QLineEdit.EchoMode.Password
    qtbot.mouseClick(edit.show_button, Qt.MouseButton.LeftButton)
    assert edit.displayText() == CANARY
    wizard.back_button.click()
    assert edit.echoMode() == QLineEdit.EchoMode.Password


def test_a_screen_reader_is_not_told_the_key(wizard: AddConnector) -> None:
    to_configuration(wizard)
    wizard.configuration.api_key.setText(CANARY)
    reads = QAccessible.queryAccessibleInterface(wizard.configuration.api_key)
    assert CANARY not in reads.text(QAccessible.Text.Value)
    assert reads.state().passwordEdit


def test_advanced_unfolds_where_its_fault_is(wizard: AddConnector, tmp_path: Path) -> None:
    to_configuration(wizard)
    wizard.configuration.cluster_id.setText("c")
    wizard.configuration.api_key.setText("k")
    wizard.configuration.stream_url.setText("https://logstream.proofpoint.com")
    wizard.configuration.ca_file.edit.setText(str(tmp_path / "none.pem"))
    assert not wizard.configuration.stream_url.isVisible()
    wizard.next_button.click()
    assert wizard.step == CONFIGURATION
    assert wizard.configuration.stream_url.isVisible()
    assert "no WebSocket address" in words(wizard.configuration)
    assert "CA file cannot be read" in words(wizard.configuration)


def test_an_own_start_lies_within_the_archive(wizard: AddConnector) -> None:
    to_configuration(wizard)
    choice = wizard.configuration.collect_from
    choice.choice.setCurrentIndex(choice.choice.count() - 1)
    assert choice.time.isVisible()
    assert abs(parse_iso(choice.value()) - (NOW - 7 * DAY)) < MINUTE
    choice.time.setDateTime(choice.time.dateTime().addDays(-400))
    assert parse_iso(choice.value()) >= NOW - 30 * DAY - MINUTE
    choice.time.setDateTime(choice.time.dateTime().addDays(4000))
    assert parse_iso(choice.value()) <= NOW


# the rules of API keys


def test_a_key_that_serves_another_type_is_told_to_be_fine(qtbot, desk, worker) -> None:
    made(desk, "acme-maillog", ("maillog",), CANARY)
    wizard = opened(qtbot, desk, worker)
    to_configuration(wizard)
    wizard.configuration.content_types.boxes["maillog"].setChecked(False)
    wizard.configuration.cluster_id.setText("acme_hosted")
    wizard.configuration.api_key.setText(CANARY)
    wait_for_rule(qtbot, wizard, "acme-maillog already uses this API key for Mail Log")
    wizard.next_button.click()
    assert wizard.step == DONE


def test_a_key_that_is_in_use_for_the_same_type_stops_the_way_on(qtbot, desk, worker) -> None:
    made(desk, "acme-maillog", ("maillog",), CANARY)
    wizard = opened(qtbot, desk, worker)
    to_configuration(wizard)
    wizard.configuration.cluster_id.setText("acme_hosted")
    wait_for_rule(qtbot, wizard, "API key of its own")
    wizard.configuration.api_key.setText(CANARY)
    wait_for_rule(qtbot, wizard, "acme-maillog already collects Mail Log with this API key")
    wizard.next_button.click()
    assert wizard.step == CONFIGURATION
    wizard.configuration.api_key.setText("another")
    wizard.next_button.click()
    assert wizard.step == DONE


# what goes wrong at the end


def test_a_locked_keychain_stays_in_the_dialog_and_offers_this_session(
    qtbot: QtBot, wizard: AddConnector, desk: Connectors, keychain: Keychain
) -> None:
    keychain.locked = True
    to_done(wizard)
    assert not wizard.summary.session_button.isVisible()
    wizard.next_button.click()
    qtbot.waitUntil(wizard.summary.session_button.isVisible)
    assert "GNOME Keyring is locked" in words(wizard.summary)
    assert desk.entries() == [] and wizard.isVisible()
    assert QApplication.focusWidget() is wizard.summary.session_button
    with qtbot.waitSignal(wizard.created):
        press(qtbot, Qt.Key.Key_Return)
    assert len(desk.entries()) == 1 and keychain.kept == {}
    assert len(list(desk.vault.lines())) == 1


def test_while_the_keychain_is_asked_nothing_is_sent_twice(
    qtbot: QtBot, wizard: AddConnector, desk: Connectors, keychain: Keychain
) -> None:
    keychain.go.clear()
    to_done(wizard)
    wizard.next_button.click()
    assert "GNOME Keyring…" in words(wizard)
    wizard.next_button.click()
    wizard.reject()
    wizard.close()
    assert wizard.isVisible() and not wizard.next_button.isEnabled()
    with qtbot.waitSignal(wizard.created):
        keychain.go.set()
    assert len(desk.entries()) == 1


def test_a_name_taken_in_the_meantime_leads_back_to_it(
    qtbot: QtBot, wizard: AddConnector, desk: Connectors, keychain: Keychain
) -> None:
    to_done(wizard)
    made(desk, "acme-message", ("audit",))
    kept = dict(keychain.kept)
    wizard.next_button.click()
    qtbot.waitUntil(lambda: wizard.step == GENERAL)
    assert "exists already" in words(wizard.general)
    assert keychain.kept == kept


def test_a_fault_of_the_program_is_said_and_nothing_is_lost(qtbot, wizard, desk, monkeypatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError(CANARY)

    monkeypatch.setattr(desk, "create_all", broken)
    to_done(wizard)
    wizard.next_button.click()
    qtbot.waitUntil(lambda: "was not made" in words(wizard.summary))
    assert CANARY not in words(wizard)
    assert wizard.next_button.isEnabled()


# leaving


def test_escape_leaves_at_once_when_nothing_was_typed(qtbot: QtBot, wizard: AddConnector) -> None:
    press(qtbot, Qt.Key.Key_Escape)
    assert not wizard.isVisible()


def test_opened_over_a_window_it_goes_when_it_is_closed(
    qtbot: QtBot, desk: Connectors, worker: Worker
) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    window.show()
    dialog = open_wizard(desk, worker, window)
    assert dialog.isModal() and window.findChildren(AddConnector) == [dialog]
    dialog.cancel_button.click()
    qtbot.waitUntil(lambda: not window.findChildren(AddConnector))


def test_escape_asks_once_something_was_typed(qtbot: QtBot, wizard: AddConnector) -> None:
    to_configuration(wizard)
    press(qtbot, Qt.Key.Key_Escape)
    assert wizard.isVisible() and "Discard what you typed?" in words(wizard)
    assert QApplication.focusWidget() is wizard.keep_button
    press(qtbot, Qt.Key.Key_Escape)
    assert wizard.isVisible() and wizard.next_button.isVisible()
    assert wizard.general.tenant.text() == "acme"
    wizard.close()
    assert wizard.isVisible()
    tab_to(qtbot, wizard.discard_button)
    press(qtbot, Qt.Key.Key_Return)
    assert not wizard.isVisible()


def test_what_was_typed_and_taken_back_is_nothing(qtbot: QtBot, wizard: AddConnector) -> None:
    wizard.general.tenant.setText("x")
    wizard.general.tenant.setText("")
    press(qtbot, Qt.Key.Key_Escape)
    assert not wizard.isVisible()


# where the key is kept


@pytest.mark.parametrize(
    ("below", "part"),
    [
        (MemoryVault("There is no keychain on this computer."), "kept for this session only"),
        (FolderVault(Path("/tmp/x"), writable=True), "Kept in the folder /tmp/x"),
        (Keychain(), "Kept in this computer's keychain (GNOME Keyring), never in a file."),
    ],
)
def test_it_says_honestly_where_the_key_is_kept(qtbot, desk, worker, below, part) -> None:
    desk.vault = SessionVault(below)
    wizard = opened(qtbot, desk, worker)
    to_configuration(wizard)
    assert part in words(wizard.configuration)


# for everybody


def test_help_unfolds_beside_its_field(qtbot: QtBot, wizard: AddConnector) -> None:
    to_configuration(wizard)
    assert "View Details" not in words(wizard.configuration)
    links = [b for b in wizard.configuration.findChildren(QAbstractButton) if "API key" in b.text()]
    (link,) = [b for b in links if "Where" in b.text()]
    tab_to(qtbot, link)
    press(qtbot, Qt.Key.Key_Space)
    assert "View Details" in words(wizard.configuration)
    assert "API Key Management" in words(wizard.configuration)


def test_every_control_has_a_name(wizard: AddConnector) -> None:
    controls = (QAbstractButton, QLineEdit, QComboBox, QTabBar)
    for control in wizard.findChildren(QWidget):
        if isinstance(control, controls) and not control.objectName().startswith("qt_"):
            reads = QAccessible.queryAccessibleInterface(control)
            assert reads.text(QAccessible.Text.Name), control


def test_required_fields_are_starred(wizard: AddConnector) -> None:
    to_configuration(wizard)
    said = [label.text() for label in wizard.findChildren(QLabel)]
    for title in (
        "Category",
        "Type",
        "Name",
        "Tenant Name",
        "Run On",
        "Cluster ID",
        "API Key",
        "Content Type",
    ):
        assert f"{title} *" in said
    assert "Collect from" in said


def test_tab_goes_through_in_the_order_of_reading(qtbot: QtBot, wizard: AddConnector) -> None:
    to_configuration(wizard)
    wizard.configuration.advanced.setChecked(True)
    seen: list[int] = []
    order = [
        wizard.configuration.cluster_id,
        wizard.configuration.api_key,
        wizard.configuration.api_key.show_button,
        wizard.configuration.content_types.boxes["message"],
        wizard.configuration.content_types.boxes["maillog"],
        wizard.configuration.content_types.boxes["audit"],
        wizard.configuration.collect_from.choice,
        wizard.configuration.advanced,
        wizard.configuration.stream_url,
        wizard.configuration.ca_file.edit,
        wizard.configuration.ca_file.button,
        wizard.configuration.proxy,
        wizard.configuration.second_key,
        wizard.configuration.second_key.show_button,
        wizard.configuration.order,
        wizard.configuration.reconcile,
        wizard.cancel_button,
        wizard.back_button,
        wizard.next_button,
    ]
    for _ in range(40):
        focus = QApplication.focusWidget()
        if focus in order and order.index(focus) not in seen:
            seen.append(order.index(focus))
        press(qtbot, Qt.Key.Key_Tab)
    assert seen == list(range(len(order)))


def test_markup_is_shown_and_not_obeyed(wizard: AddConnector) -> None:
    wizard.general.tenant.setText("<b>x</b><img src='file:///etc/passwd'>")
    wizard.general.name.setText("<b>acme<b>")
    wizard.next_button.click()
    assert wizard.step == CONFIGURATION
    assert "<b>acme<b>" in words(wizard.configuration)
    wizard.configuration.cluster_id.setText("<i>c")
    wizard.configuration.api_key.setText("k")
    wizard.next_button.click()
    assert wizard.step == DONE
    assert all(label.textFormat() == Qt.TextFormat.PlainText for label in wizard.findChildren(QLabel))


def test_it_fits_a_small_screen(wizard: AddConnector) -> None:
    assert wizard.minimumSizeHint().height() <= 560
    wizard.resize(620, 560)
    to_configuration(wizard)
    assert wizard.height() <= 660
