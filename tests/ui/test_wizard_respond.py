"""The wizard for responders, for all four at once, for collecting and responding in one pass, and for edits."""

# ruff: noqa: F811 (fixtures are imported by name)
from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from faketester import FakeTester
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QLabel, QLineEdit, QTabBar, QWidget
from pytestqt.qtbot import QtBot
from wizarding import (  # noqa: F401 (fixtures)
    CANARY,
    Keychain,
    desk,
    keychain,
    opened,
    paste,
    press,
    tab_to,
    type_into,
    wizard,
    words,
    worker,
)

from pod_desktop.core.connector import CollectConnector
from pod_desktop.core.responder import (
    ALL_TENANTS,
    DEFAULT_HOSTNAME,
    DEFAULT_TOKEN_URL,
    HTTP,
    TYPES,
    WEBHOOK,
    RespondConnector,
)
from pod_desktop.core.secret import Secret
from pod_desktop.services.connectors import Connectors
from pod_desktop.ui.bridge import Worker
from pod_desktop.ui.connectors.general import ALL_FOUR
from pod_desktop.ui.connectors.runner import Runner
from pod_desktop.ui.connectors.wizard import CONFIGURATION, DONE, GENERAL, RESPONDERS, AddConnector

pytestmark = pytest.mark.usefixtures("worn")
CLIENT = "client-7f"


def to_responding(wizard: AddConnector, kind: str = TYPES[0], tenant: str = "acme") -> None:
    wizard.general.choose(WEBHOOK, kind)
    wizard.general.tenant.setText(tenant)
    wizard.next_button.click()
    assert wizard.step == CONFIGURATION and wizard.stack.currentWidget() is wizard.responding


def fill(wizard: AddConnector) -> None:
    wizard.responding.client_id.setText(CLIENT)
    wizard.responding.client_secret.setText(CANARY)
    wizard.responding.cluster_id.setText("acme_hosted")


def submit(qtbot: QtBot, wizard: AddConnector) -> tuple[Any, ...]:
    while wizard.step != DONE:
        before = wizard.step
        wizard.next_button.click()
        assert wizard.step != before, words(wizard)
    with qtbot.waitSignal(wizard.created) as signal:
        wizard.next_button.click()
    made: tuple[Any, ...] = signal.args[0]
    return made


# the way through


def test_by_keyboard_alone_a_responder_is_made(
    qtbot: QtBot, wizard: AddConnector, desk: Connectors, keychain: Keychain
) -> None:
    tab_to(qtbot, wizard.general.category)
    press(qtbot, Qt.Key.Key_Down)
    assert wizard.general.category.currentText() == "Webhook"
    tab_to(qtbot, wizard.general.type)
    press(qtbot, Qt.Key.Key_Down)
    assert wizard.general.type.currentText() == "Proofpoint on Demand Add to Org Safe List"
    tab_to(qtbot, wizard.general.tenant_box)
    type_into(qtbot, wizard, "Acme")
    press(qtbot, Qt.Key.Key_Return)
    assert wizard.step == CONFIGURATION
    tab_to(qtbot, wizard.responding.client_id)
    type_into(qtbot, wizard, CLIENT)
    tab_to(qtbot, wizard.responding.client_secret)
    type_into(qtbot, wizard, CANARY)
    tab_to(qtbot, wizard.responding.cluster_id)
    type_into(qtbot, wizard, "acme_hosted")
    press(qtbot, Qt.Key.Key_Return)
    assert wizard.step == DONE
    with qtbot.waitSignal(wizard.created):
        press(qtbot, Qt.Key.Key_Return)
    (entry,) = desk.entries()
    assert entry.connector == RespondConnector(
        name="acme-safe", tenant="Acme", type=TYPES[1], cluster_id="acme_hosted"
    )
    assert entry.enabled
    assert keychain.kept == {
        ("acme-safe", "client_id"): Secret(CLIENT),
        ("acme-safe", "client_secret"): Secret(CANARY),
    }
    assert wizard.responding.client_secret.text() == "" and wizard.responding.client_id.text() == ""


def test_by_mouse_alone_a_responder_is_made(qtbot: QtBot, wizard: AddConnector, desk: Connectors) -> None:
    def click(widget: QWidget) -> None:
        qtbot.mouseClick(widget, Qt.MouseButton.LeftButton)

    wizard.general.choose(WEBHOOK, TYPES[2])
    click(wizard.general.tenant)
    paste(wizard.general.tenant, ALL_TENANTS)
    click(wizard.next_button)
    for edit, text in (
        (wizard.responding.hostname, " TP.example:8443 "),
        (wizard.responding.client_id, CLIENT),
        (wizard.responding.client_secret, CANARY),
        (wizard.responding.cluster_id, "acme_hosted"),
    ):
        click(edit)
        paste(edit, text)
    click(wizard.next_button)
    assert "tp.example:8443" in words(wizard.summary)
    with qtbot.waitSignal(wizard.created):
        click(wizard.next_button)
    (entry,) = desk.entries()
    assert entry.connector.hostname == "tp.example:8443"  # type: ignore[union-attr]
    assert entry.connector.tenant == ALL_TENANTS


def test_the_guide_s_defaults_and_names(wizard: AddConnector) -> None:
    wizard.general.choose(WEBHOOK)
    types = [wizard.general.type.itemText(place) for place in range(wizard.general.type.count())]
    assert types[:4] == list(TYPES)
    assert wizard.general.function.text() == "Respond" and wizard.general.function.isChecked()
    assert not wizard.general.function.isEnabled()
    assert "cannot be changed" in words(wizard.general)
    to_responding(wizard)
    assert wizard.responding.hostname.text() == DEFAULT_HOSTNAME
    assert wizard.responding.protocol.currentText() == "HTTPS"
    assert wizard.responding.token_url.text() == DEFAULT_TOKEN_URL
    said = [label.text() for label in wizard.responding.findChildren(QLabel)]
    for title in ("Hostname", "Protocol", "Token URL", "Client ID", "Client Secret", "Cluster ID"):
        assert f"{title} *" in said


def test_all_four_actions_come_from_the_same_credentials(
    qtbot: QtBot, wizard: AddConnector, desk: Connectors, keychain: Keychain
) -> None:
    to_responding(wizard, ALL_FOUR)
    fill(wizard)
    wizard.next_button.click()
    said = words(wizard.summary)
    for part in ("4 connectors", "acme-block", "acme-unsafe", *TYPES, "GNOME Keyring"):
        assert part in said
    made = submit(qtbot, wizard)
    assert [one.type for one in made] == list(TYPES)
    assert desk.names() == ("acme-block", "acme-safe", "acme-unblock", "acme-unsafe")
    assert len(keychain.kept) == 8


def test_one_pass_makes_collector_and_responders_of_a_new_cluster(
    qtbot: QtBot, wizard: AddConnector, desk: Connectors
) -> None:
    wizard.general.tenant.setText("acme")
    wizard.general.also_respond.setChecked(True)
    tabs = [wizard.tabs.tabText(place) for place in range(wizard.tabs.count())]
    assert tabs == ["1 General", "2 Configuration", "3 Responders", "4 Done"]
    wizard.next_button.click()
    wizard.configuration.cluster_id.setText("acme_hosted")
    wizard.configuration.api_key.setText("the-api-key")
    wizard.next_button.click()
    assert wizard.step == RESPONDERS and not wizard.responding.cluster_id.isVisible()
    wizard.responding.client_id.setText(CLIENT)
    wizard.responding.client_secret.setText(CANARY)
    wizard.next_button.click()
    assert "5 connectors" in words(wizard.summary) and CANARY not in words(wizard.summary)
    made = submit(qtbot, wizard)
    assert isinstance(made[0], CollectConnector) and made[0].name == "acme-proofpoint-on-demand"
    assert {one.cluster_id for one in made} == {"acme_hosted"}
    assert len(desk.entries()) == 5


def test_all_or_none_are_made(
    qtbot: QtBot, wizard: AddConnector, desk: Connectors, keychain: Keychain
) -> None:
    to_responding(wizard, ALL_FOUR)
    fill(wizard)
    wizard.next_button.click()
    keychain.locked = True
    wizard.next_button.click()
    qtbot.waitUntil(wizard.summary.session_button.isVisible)
    assert desk.entries() == [] and keychain.kept == {}


def test_back_keeps_what_was_typed_even_over_another_category(wizard: AddConnector) -> None:
    to_responding(wizard)
    fill(wizard)
    wizard.back_button.click()
    wizard.general.choose("email")
    assert wizard.tabs.count() == 3
    wizard.general.choose(WEBHOOK, TYPES[3])
    wizard.next_button.click()
    assert wizard.responding.client_secret.text() == CANARY
    assert wizard.general.tenant.text() == "acme" and wizard.general.name.text() == "acme-unsafe"


# tenants


def test_known_tenants_are_offered_and_all_tenants_to_responders_only(
    qtbot: QtBot, desk: Connectors, worker: Worker
) -> None:
    desk.create(
        CollectConnector(name="x", tenant="beta", cluster_id="c", content_types=("audit",)),
        {"api_key": Secret("k")},
    )
    wizard = opened(qtbot, desk, worker)

    def offered() -> list[str]:
        box = wizard.general.tenant_box
        return [box.itemText(place) for place in range(box.count())]

    assert offered() == ["beta"]
    wizard.general.choose(WEBHOOK)
    assert offered() == [ALL_TENANTS, "beta"]
    wizard.general.choose("email")
    wizard.general.tenant.setText("all tenants")
    assert "for responders only" in words(wizard.general)
    wizard.next_button.click()
    assert wizard.step == GENERAL


def test_a_name_taken_by_one_of_the_four_is_told(qtbot: QtBot, desk: Connectors, worker: Worker) -> None:
    taken = RespondConnector(name="acme-unblock", tenant="acme", type=TYPES[2], cluster_id="c")
    desk.create(taken, {})
    wizard = opened(qtbot, desk, worker)
    wizard.general.choose(WEBHOOK, ALL_FOUR)
    wizard.general.tenant.setText("acme")
    assert wizard.general.name.text() == "acme-2"
    wizard.general.name.setText("acme")
    assert "A connector named acme-unblock exists already" in words(wizard.general)
    wizard.next_button.click()
    assert wizard.step == GENERAL


# faults beside the fields


@pytest.mark.parametrize(
    ("pasted", "part"),
    [
        ("https://threatprotection-api.proofpoint.com", "Leave https:// out"),
        ("HTTP://x", "Leave HTTP:// out"),
        ("user:pass@host", "user name"),
        ("host/path", "path"),
        ("host?x=1", "path or a query"),
        ("host#x", "path or a query"),
        ("ho st", "blank"),
        ("host\x07", "control"),
        ("host:0", "no port"),
        ("host:65536", "no port"),
        ("host:port", "no port"),
        ("h" * 10_000, "no host name"),
        ("-bad-.example", "no host name"),
        ("::1", "brackets"),
        ("", "Give the Hostname"),
    ],
)
def test_a_hostname_that_is_none_is_refused_in_words(wizard: AddConnector, pasted: str, part: str) -> None:
    to_responding(wizard)
    fill(wizard)
    wizard.responding.hostname.setText(pasted)
    wizard.next_button.click()
    assert wizard.step == CONFIGURATION and part in words(wizard.responding)
    assert QApplication.focusWidget() is wizard.responding.hostname
    assert wizard.responding.client_secret.text() == CANARY


def test_an_international_hostname_becomes_what_is_sent(wizard: AddConnector) -> None:
    to_responding(wizard)
    fill(wizard)
    wizard.responding.hostname.setText("bücher.example:8443")
    wizard.next_button.click()
    assert "xn--bcher-kva.example:8443" in words(wizard.summary)


@pytest.mark.parametrize(
    "pasted",
    [
        "http://auth.proofpoint.com/v1/token", "ftp://auth.example", "javascript:alert(1)", "auth.proofpoint.com",
        "https://user@auth.example/", "https://auth.example:99999/", "https://", "https://x y", "", "x" * 10_000,
    ],
)  # fmt: skip
def test_a_token_url_that_is_none_is_refused(wizard: AddConnector, pasted: str) -> None:
    to_responding(wizard)
    fill(wizard)
    wizard.responding.token_url.setText(pasted)
    wizard.next_button.click()
    assert wizard.step == CONFIGURATION
    assert QApplication.focusWidget() is wizard.responding.token_url


@pytest.mark.parametrize("pasted", ["", "  ", "cana ry", "cana\x07ry", "canaré", "c" * 20_000])
def test_credentials_that_are_none_are_refused_and_never_repeated(wizard: AddConnector, pasted: str) -> None:
    to_responding(wizard)
    fill(wizard)
    wizard.responding.client_secret.setText(pasted)
    wizard.next_button.click()
    assert wizard.step == CONFIGURATION and "Client Secret" in words(wizard.responding)
    assert "cana" not in words(wizard.responding)
    assert QApplication.focusWidget() is wizard.responding.client_secret


def test_http_warns_and_hides_what_is_for_https(wizard: AddConnector) -> None:
    to_responding(wizard)
    form = wizard.responding
    assert form.unverified.isVisible() and form.ca_file.isVisible()
    form.protocol.setCurrentIndex(form.protocol.findData(HTTP))
    assert "clear text" in words(form)
    assert not form.unverified.isVisible() and not form.ca_file.isVisible()
    form.protocol.setCurrentIndex(0)
    assert "clear text" not in words(form)


def test_not_verifying_warns_and_leaves_the_ca_file_out(
    qtbot: QtBot, wizard: AddConnector, desk: Connectors
) -> None:
    to_responding(wizard)
    fill(wizard)
    wizard.responding.ca_file.edit.setText("/no/such/file.pem")
    assert "CA file cannot be read" in words(wizard.responding)
    wizard.responding.unverified.setChecked(True)
    assert "Certificates are not verified" in words(wizard.responding)
    assert not wizard.responding.ca_file.edit.isEnabled()
    wizard.next_button.click()
    assert "Certificates are not verified" in words(wizard.summary)
    (made,) = submit(qtbot, wizard)
    assert (made.verify_tls, made.ca_file) == (False, "")


@pytest.mark.parametrize("how", ["missing", "folder", "no certificate", "unreadable"])
def test_a_ca_file_that_cannot_be_used_is_refused(wizard: AddConnector, tmp_path: Path, how: str) -> None:
    path = tmp_path / "ca.pem"
    if how == "folder":
        path.mkdir()
    elif how == "no certificate":
        path.write_text("-----BEGIN NONSENSE-----")
    elif how == "unreadable":
        path = Path("/proc/1/mem")
    to_responding(wizard)
    fill(wizard)
    wizard.responding.ca_file.edit.setText(str(path))
    wizard.next_button.click()
    assert wizard.step == CONFIGURATION and "CA file" in words(wizard.responding)


# editing


@pytest.fixture
def kept(desk: Connectors) -> RespondConnector:
    made = RespondConnector(name="acme-block", tenant="acme", type=TYPES[0], cluster_id="acme_hosted")
    return desk.create(made, {"client_id": Secret(CLIENT), "client_secret": Secret(CANARY)})


@pytest.fixture
def collecting(desk: Connectors) -> CollectConnector:
    made = CollectConnector(name="acme", tenant="acme", cluster_id="c", content_types=("message",))
    return desk.create(made, {"api_key": Secret(CANARY)})


def test_general_is_read_only_when_editing(
    qtbot: QtBot, desk: Connectors, worker: Worker, kept: RespondConnector
) -> None:
    wizard = opened(qtbot, desk, worker, edit=kept)
    assert wizard.step == CONFIGURATION
    wizard.tabs.setCurrentIndex(0)
    general = wizard.general
    for control in (general.category, general.type, general.name, general.tenant_box, general.run_on):
        assert not control.isEnabled()
    assert "cannot be changed" in words(general)
    assert (general.name.text(), general.tenant.text()) == ("acme-block", "acme")
    assert general.type.currentText() == TYPES[0]


def test_an_edit_keeps_its_secrets_and_says_what_changes(
    qtbot: QtBot, desk: Connectors, worker: Worker, kept: RespondConnector, keychain: Keychain
) -> None:
    wizard = opened(qtbot, desk, worker, edit=kept)
    before = dict(keychain.kept)
    wizard.responding.cluster_id.setText("other_hosted")
    wizard.next_button.click()
    said = words(wizard.summary)
    assert "acme_hosted → other_hosted" in said and "Hostname" not in said
    submit(qtbot, wizard)
    assert desk.entry("acme-block").connector.cluster_id == "other_hosted"
    assert keychain.kept == before


def test_another_host_asks_for_the_secret_again_in_words(
    qtbot: QtBot, desk: Connectors, worker: Worker, kept: RespondConnector, keychain: Keychain
) -> None:
    wizard = opened(qtbot, desk, worker, edit=kept)
    assert wizard.responding.client_secret.placeholderText().startswith("Unchanged")
    wizard.responding.hostname.setText("evil.example")
    said = words(wizard.responding)
    assert f"The host changed from {DEFAULT_HOSTNAME} to evil.example" in said
    assert "is not sent to the new one" in said
    assert wizard.responding.client_secret.placeholderText() == ""
    wizard.next_button.click()
    assert wizard.step == CONFIGURATION and "Give the Client ID" in words(wizard.responding)
    wizard.responding.hostname.setText(DEFAULT_HOSTNAME.upper())
    assert "changed from" not in words(wizard.responding)
    wizard.responding.hostname.setText("evil.example")
    fill(wizard)
    submit(qtbot, wizard)
    assert desk.missing_secrets("acme-block") == ()


def test_another_stream_address_asks_for_the_key_again(
    qtbot: QtBot, desk: Connectors, worker: Worker, collecting: CollectConnector
) -> None:
    wizard = opened(qtbot, desk, worker, edit=collecting)
    assert not wizard.configuration.collect_from.choice.isEnabled()
    wizard.next_button.click()
    assert wizard.step == DONE and "Nothing is changed of acme" in words(wizard.summary)
    wizard.back_button.click()
    wizard.configuration.advanced.setChecked(True)
    wizard.configuration.stream_url.setText("wss://other.example")
    assert "stream address changed" in words(wizard.configuration)
    wizard.next_button.click()
    assert wizard.step == CONFIGURATION and "Give the API key" in words(wizard.configuration)


def test_leaving_an_edit_asks_only_when_something_changed(
    qtbot: QtBot, desk: Connectors, worker: Worker, kept: RespondConnector
) -> None:
    wizard = opened(qtbot, desk, worker, edit=kept)
    wizard.responding.cluster_id.setText("x")
    press(qtbot, Qt.Key.Key_Escape)
    assert "Nothing has been changed yet." in words(wizard)
    wizard.keep_button.click()
    wizard.responding.cluster_id.setText("acme_hosted")
    press(qtbot, Qt.Key.Key_Escape)
    assert not wizard.isVisible()


# Test, before anything is made


@pytest.fixture
def fake() -> FakeTester:
    return FakeTester()


@pytest.fixture
def runner(fake: FakeTester) -> Iterator[Runner]:
    made = Runner(fake.test)
    yield made
    fake.go.set()
    assert made.stop(10)


@pytest.fixture
def trying(qtbot: QtBot, desk: Connectors, worker: Worker, runner: Runner) -> AddConnector:
    return opened(qtbot, desk, worker, tester=runner)


def outcome(wizard: AddConnector) -> str:
    form = wizard.stack.currentWidget()
    return words(form.test)  # type: ignore[attr-defined]


def tried(qtbot: QtBot, wizard: AddConnector) -> None:
    wizard.testing.button.click()
    qtbot.waitUntil(lambda: wizard.testing.button.text() == "Test" and "Testing…" not in outcome(wizard))


def test_test_tries_what_is_typed_and_makes_nothing(
    qtbot: QtBot, trying: AddConnector, fake: FakeTester, desk: Connectors, keychain: Keychain
) -> None:
    assert not trying.testing.button.isVisible()
    trying.general.tenant.setText("acme")
    trying.next_button.click()
    assert trying.testing.button.isVisible()
    trying.testing.button.click()
    assert "Give the Cluster ID" in words(trying.configuration) and fake.asked == []
    trying.configuration.cluster_id.setText("acme_hosted")
    trying.configuration.api_key.setText(CANARY)
    fake.fails_at = "Authorise Message"
    tried(qtbot, trying)
    said = outcome(trying)
    assert "Test failed: 401 Unauthorized" in said and "Did you enter your credentials correctly?" in said
    assert "Resolve host" not in said
    trying.configuration.test.more.click()
    # Qt shows rows that were just laid out when its loop comes round.
    qtbot.waitUntil(lambda: "Resolve host" in outcome(trying))
    assert trying.configuration.test.exchange.isVisible()
    (asked,) = fake.asked
    assert asked[0].cluster_id == "acme_hosted" and asked[1] == {"api_key": Secret(CANARY)}
    assert desk.entries() == [] and keychain.kept == {}
    trying.configuration.cluster_id.setText("acme_hosted2")
    assert outcome(trying) == ""


def test_all_four_are_tested_on_both_lists(qtbot: QtBot, trying: AddConnector, fake: FakeTester) -> None:
    to_responding(trying, ALL_FOUR)
    fill(trying)
    tried(qtbot, trying)
    assert "Test succeeded" in outcome(trying)
    assert [asked.type for asked, _ in fake.asked] == [TYPES[0], TYPES[1]]


def test_an_edit_is_tested_with_the_secrets_that_are_kept(
    qtbot: QtBot, desk: Connectors, worker: Worker, kept: RespondConnector, runner: Runner, fake: FakeTester
) -> None:
    wizard = opened(qtbot, desk, worker, edit=kept, tester=runner)
    tried(qtbot, wizard)
    assert fake.asked == [(kept, None)]


def test_typing_on_while_it_runs_cancels_it(
    qtbot: QtBot, trying: AddConnector, fake: FakeTester, runner: Runner
) -> None:
    to_responding(trying)
    fill(trying)
    fake.waits_at = "Connect"
    trying.testing.button.click()
    qtbot.waitUntil(lambda: len(trying.responding.test.steps) == 1)
    assert trying.testing.button.text() == "Cancel test"
    trying.responding.cluster_id.setText("another")
    qtbot.waitUntil(lambda: runner.busy == "" and "Cancelled" in outcome(trying))
    assert fake.cancelled == 1


def test_leaving_the_wizard_cancels_its_test(
    qtbot: QtBot, trying: AddConnector, fake: FakeTester, runner: Runner
) -> None:
    to_responding(trying)
    fill(trying)
    fake.waits_at = "Connect"
    trying.testing.button.click()
    qtbot.waitUntil(lambda: len(trying.responding.test.steps) == 1)
    trying.cancel_button.click()
    trying.discard_button.click()
    assert not trying.isVisible()
    qtbot.waitUntil(lambda: runner.busy == "")


# for everybody


def test_every_control_has_a_name(wizard: AddConnector) -> None:
    to_responding(wizard)
    controls = (QAbstractButton, QLineEdit, QComboBox, QTabBar)
    for control in wizard.findChildren(QWidget):
        if isinstance(control, controls) and not control.objectName().startswith("qt_"):
            reads = QAccessible.queryAccessibleInterface(control)
            assert reads.text(QAccessible.Text.Name), control


def test_help_stands_beside_the_fields(qtbot: QtBot, wizard: AddConnector) -> None:
    to_responding(wizard)
    links = [one for one in wizard.responding.findChildren(QAbstractButton) if "Where" in one.text()]
    assert len(links) == 3
    for link in links:
        tab_to(qtbot, link)
        press(qtbot, Qt.Key.Key_Space)
    said = words(wizard.responding)
    assert "API Key Management" in said and "threatprotection-api.proofpoint.com" in said


def test_markup_is_shown_and_not_obeyed(wizard: AddConnector) -> None:
    to_responding(wizard, tenant="<b>x</b><img src='file:///etc/passwd'>")
    fill(wizard)
    wizard.responding.cluster_id.setText("<i>c")
    wizard.next_button.click()
    assert wizard.step == DONE and "<i>c" in words(wizard.summary)
    assert all(label.textFormat() == Qt.TextFormat.PlainText for label in wizard.findChildren(QLabel))


def test_the_client_secret_is_hidden_until_show(qtbot: QtBot, wizard: AddConnector) -> None:
    to_responding(wizard)
    edit = wizard.responding.client_secret
    edit.setText(CANARY)
    assert CANARY not in edit.displayText()
    assert edit.show_button.accessibleName() == "Show the Client Secret"
    qtbot.mouseClick(edit.show_button, Qt.MouseButton.LeftButton)
    assert edit.displayText() == CANARY
    wizard.back_button.click()
    assert edit.echoMode() == QLineEdit.EchoMode.Password


def test_tab_goes_past_what_is_hidden(qtbot: QtBot, wizard: AddConnector) -> None:
    wizard.general.tenant.setText("acme")
    wizard.general.also_respond.setChecked(True)
    wizard.next_button.click()
    fields = wizard.configuration
    fields.cluster_id.setText("c")
    fields.api_key.setText("k")
    fields.collect_from.choice.setFocus()
    tab_to(qtbot, wizard.next_button)
    wizard.next_button.click()
    form = wizard.responding
    form.protocol.setCurrentIndex(form.protocol.findData(HTTP))
    for control in (form.hostname, form.protocol, form.token_url, form.client_id, form.client_secret):
        tab_to(qtbot, control)
    tab_to(qtbot, wizard.next_button)
