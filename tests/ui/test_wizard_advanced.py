"""The folded part of Configuration: proxy, second key, order, reconciliation and log filters."""

# ruff: noqa: F811 (fixtures are imported by name)
from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from wizarding import (  # noqa: F401 (fixtures)
    CANARY,
    desk,
    keychain,
    opened,
    paste,
    press,
    tab_to,
    to_configuration,
    wizard,
    words,
    worker,
)

from pod_desktop.core.connector import OLDEST, PROXY_WARNING, CollectConnector
from pod_desktop.core.secret import Secret
from pod_desktop.services.filters import LogFilters
from pod_desktop.ui.connectors.wizard import CONFIGURATION, DONE

pytestmark = pytest.mark.usefixtures("worn")


def filters_of(desk):
    return LogFilters(desk._ledger)


def filled(wizard):
    to_configuration(wizard)
    wizard.configuration.cluster_id.setText("acme_hosted")
    wizard.configuration.api_key.setText(CANARY)
    return wizard.configuration


def test_everything_of_the_folded_part_is_made_and_said(qtbot, desk, worker, keychain):
    filters_of(desk).add({"name": "newsletters", "conditions": ["subject:newsletter"]})
    wizard = opened(qtbot, desk, worker)
    form = filled(wizard)
    form.proxy.setText("HTTP://Proxy.Example:3128")
    form.second_key.setText("second-9f")
    form.order.setCurrentIndex(form.order.findData(OLDEST))
    form.reconcile.setChecked(True)
    form.filters.item(0).setCheckState(Qt.CheckState.Checked)
    wizard.next_button.click()
    assert wizard.step == DONE
    said = words(wizard.summary)
    for part in (
        "Second API Key",
        "HTTP proxy",
        PROXY_WARNING,
        "Oldest hours first",
        "Reconciliation",
        "newsletters",
    ):
        assert part in said
    assert "second-9f" not in said
    with qtbot.waitSignal(wizard.created):
        wizard.next_button.click()
    (entry,) = desk.entries()
    made = entry.connector
    assert (made.proxy, made.backfill_order, made.reconcile) == ("http://proxy.example:3128", OLDEST, True)
    assert made.log_filters == ("newsletters",)
    assert keychain.kept[made.name, "api_key_2"].reveal() == "second-9f"
    assert form.second_key.text() == ""


def test_by_keyboard_alone_a_filter_is_attached(qtbot, desk, worker):
    filters_of(desk).add({"name": "newsletters", "conditions": ["subject:newsletter"]})
    wizard = opened(qtbot, desk, worker)
    form = filled(wizard)
    form.api_key.setFocus()
    tab_to(qtbot, wizard.next_button)
    form.api_key.setFocus()
    tab_to(qtbot, form.advanced)
    press(qtbot, Qt.Key.Key_Space)
    tab_to(qtbot, form.filters)
    press(qtbot, Qt.Key.Key_Down)
    press(qtbot, Qt.Key.Key_Space)
    assert form.filters.chosen() == ("newsletters",)
    press(qtbot, Qt.Key.Key_Tab)
    assert QApplication.focusWidget() is not form.filters


@pytest.mark.parametrize(
    ("typed", "part"),
    [
        ("proxy.example:3128", "no HTTP proxy"),
        ("http://proxy.example", "no HTTP proxy"),
        ("http://ann:secret@proxy.example:3128", "sign-in is not supported"),
        ("socks5://proxy.example:1080", "no HTTP proxy"),
    ],
)
def test_a_proxy_that_does_not_fit_is_told_beside_its_field(wizard, typed, part):
    form = filled(wizard)
    form.proxy.setText(typed)
    assert not form.proxy.isVisible()
    wizard.next_button.click()
    assert wizard.step == CONFIGURATION
    assert form.proxy.isVisible()
    assert part in words(form)


def test_the_proxy_s_warning_stands_there_as_soon_as_one_is_typed(wizard):
    form = filled(wizard)
    form.advanced.setChecked(True)
    assert "unreliable" not in words(form)
    form.proxy.setText("http://proxy.example:3128")
    assert PROXY_WARNING in words(form)


def test_a_second_key_is_another_one(wizard):
    form = filled(wizard)
    form.advanced.setChecked(True)
    paste(form.second_key, f" Bearer {CANARY} ")
    assert "first one again" in words(form)
    wizard.next_button.click()
    assert wizard.step == CONFIGURATION
    form.api_key.setText("another")
    assert "first one again" not in words(form)
    assert form.second_key.echoMode() == form.second_key.EchoMode.Password


def test_an_edit_shows_what_is_set_and_changes_only_that(qtbot, desk, worker, keychain):
    filters_of(desk).add({"name": "newsletters", "conditions": ["subject:newsletter"]})
    connector = CollectConnector(
        name="acme", tenant="acme", cluster_id="acme_hosted", content_types=("message",),
        proxy="http://proxy.example:3128", reconcile=True, log_filters=("newsletters",),
    )  # fmt: skip
    desk.create(connector, {"api_key": Secret(CANARY), "api_key_2": Secret("second")})
    wizard = opened(qtbot, desk, worker, edit=connector)
    form = wizard.configuration
    assert form.proxy.isVisible() and form.proxy.text() == "http://proxy.example:3128"
    assert form.reconcile.isChecked() and form.filters.chosen() == ("newsletters",)
    assert form.second_key.text() == ""
    form.filters.item(0).setCheckState(Qt.CheckState.Unchecked)
    form.proxy.clear()
    form.second_key.setText("third")
    wizard.next_button.click()
    said = words(wizard.summary)
    assert "newsletters → none" in said and "http://proxy.example:3128 → none" in said
    assert "Second API Key" in said and "Reconciliation" not in said
    with qtbot.waitSignal(wizard.created):
        wizard.next_button.click()
    (entry,) = desk.entries()
    assert (entry.connector.log_filters, entry.connector.proxy, entry.connector.reconcile) == ((), "", True)
    assert keychain.kept["acme", "api_key_2"].reveal() == "third"
    assert keychain.kept["acme", "api_key"].reveal() == CANARY


def with_two_keys(qtbot, desk, worker):
    connector = CollectConnector(
        name="acme", tenant="acme", cluster_id="acme_hosted", content_types=("message",), reconcile=True
    )
    desk.create(connector, {"api_key": Secret(CANARY), "api_key_2": Secret("second")})
    return opened(qtbot, desk, worker, edit=connector, keeps_second=True)


def test_a_second_key_that_is_kept_can_be_removed(qtbot, desk, worker, keychain):
    wizard = with_two_keys(qtbot, desk, worker)
    form = wizard.configuration
    assert form.remove_second.isVisible() and "that is kept" in form.second_key.placeholderText()
    form.second_key.setText("third")
    form.remove_second.setChecked(True)
    assert form.second_key.text() == "" and not form.second_key.isEnabled()
    wizard.next_button.click()
    assert "The one that is kept is removed" in words(wizard.summary)
    with qtbot.waitSignal(wizard.created):
        wizard.next_button.click()
    assert keychain.kept.keys() == {("acme", "api_key")}


def test_another_stream_address_asks_for_both_keys(qtbot, desk, worker, keychain):
    wizard = with_two_keys(qtbot, desk, worker)
    form = wizard.configuration
    form.stream_url.setText("wss://log.example")
    assert "Enter both API keys again" in words(form)
    wizard.next_button.click()
    assert wizard.step == CONFIGURATION
    form.api_key.setText("new")
    wizard.next_button.click()
    assert wizard.step == CONFIGURATION and "was saved for the old address" in words(form)
    form.remove_second.setChecked(True)
    assert "was saved for the old address" not in words(form)
    form.remove_second.setChecked(False)
    form.second_key.setText("new-too")
    wizard.next_button.click()
    with qtbot.waitSignal(wizard.created):
        wizard.next_button.click()
    assert keychain.kept["acme", "api_key"].reveal() == "new"
    assert keychain.kept["acme", "api_key_2"].reveal() == "new-too"


def test_where_no_second_key_is_kept_there_is_none_to_remove(wizard):
    form = filled(wizard)
    form.advanced.setChecked(True)
    assert form.second_key.isVisible() and not form.remove_second.isVisible()


def test_a_filter_that_is_gone_meanwhile_is_told_beside_the_list(qtbot, desk, worker):
    filters_of(desk).add({"name": "newsletters", "conditions": ["subject:newsletter"]})
    wizard = opened(qtbot, desk, worker)
    form = filled(wizard)
    form.filters.item(0).setCheckState(Qt.CheckState.Checked)
    wizard.next_button.click()
    filters_of(desk).remove("newsletters")
    wizard.next_button.click()
    qtbot.waitUntil(lambda: wizard.step == CONFIGURATION)
    assert "no log filter named 'newsletters'" in words(form)
    assert desk.entries() == []


def test_the_settings_proxy_is_offered_in_sight_to_new_collectors_only(qtbot, desk, worker, keychain):
    desk._ledger.set_setting("proxy", "http://proxy.example:3128")
    wizard = opened(qtbot, desk, worker)
    form = filled(wizard)
    assert form.proxy.text() == "http://proxy.example:3128" and form.proxy.isVisible()
    assert PROXY_WARNING in words(form)
    form.proxy.clear()
    wizard.next_button.click()
    with qtbot.waitSignal(wizard.created) as made:
        wizard.next_button.click()
    (connector,) = made.args[0]
    assert connector.proxy == ""
    assert opened(qtbot, desk, worker, edit=connector).configuration.proxy.text() == ""
