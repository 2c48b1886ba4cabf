"""The Connectors page: its table, what can be done with a row, and what one connector says of itself."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from faketester import FakeTester
from PySide6.QtCore import QByteArray, QPoint, QSettings, Qt
from PySide6.QtGui import QAccessible, QColor, QFontMetrics
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QMenu, QStyleOptionViewItem, QWidget
from pytestqt.qtbot import QtBot

from pod_desktop.core import status
from pod_desktop.core.clock import SECOND
from pod_desktop.core.connector import CollectConnector
from pod_desktop.core.faults import Outage
from pod_desktop.core.responder import ALL_TENANTS, TYPES, RespondConnector
from pod_desktop.core.secret import Secret
from pod_desktop.core.status import Counters, StreamStatus
from pod_desktop.services.connectors import Connectors
from pod_desktop.store import Ledger
from pod_desktop.ui import theme
from pod_desktop.ui.bridge import Worker
from pod_desktop.ui.connectors.columns import hidden_columns
from pod_desktop.ui.connectors.confirm import Confirm
from pod_desktop.ui.connectors.details import Details
from pod_desktop.ui.connectors.model import ACTIONS, COLUMNS, NAMES, STATUS, links
from pod_desktop.ui.connectors.page import ConnectorsPage
from pod_desktop.ui.connectors.runner import Runner
from pod_desktop.ui.connectors.testdialog import TestDialog
from pod_desktop.ui.connectors.wizard import CONFIGURATION, GENERAL, AddConnector
from pod_desktop.ui.preferences import Preferences
from pod_desktop.vault import MemoryVault, SessionVault

NOW = 1_764_000_000_000_000
pytestmark = pytest.mark.usefixtures("worn")


class Clock:
    def now(self) -> int:
        return NOW

    def monotonic(self) -> float:
        return 0.0


class Desk(Connectors):
    """Counts what it is asked; can be as if the keychain were locked."""

    locked = False

    def __init__(self, ledger: Ledger) -> None:
        super().__init__(ledger, SessionVault(MemoryVault()), Clock())
        self.ledger = ledger

    def remove(self, name: str, *, keep_secrets: bool = False) -> None:
        if self.locked and not keep_secrets:
            raise Outage("The keychain is locked.", "keychain", "Unlock it.")
        super().remove(name, keep_secrets=keep_secrets)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    ledger = Ledger(tmp_path / "ledger.db")
    made = Desk(ledger)
    for name, tenant, kinds in (
        ("acme-maillog", "acme", ("maillog",)),
        ("acme-message", "acme", ("message",)),
        ("beta-both", "beta", ("message", "maillog")),
    ):
        connector = CollectConnector(name=name, tenant=tenant, cluster_id="c_" + tenant, content_types=kinds)
        made.create(connector, {"api_key": Secret(name)})
    yield made
    ledger.close()


@pytest.fixture
def fake() -> FakeTester:
    return FakeTester()


@pytest.fixture
def page(qtbot: QtBot, desk: Desk, fake: FakeTester, tmp_path: Path) -> Iterator[ConnectorsPage]:
    worker = Worker("connectors of a test")
    runner = Runner(fake.test)
    preferences = Preferences(QSettings(str(tmp_path / "window.ini"), QSettings.Format.IniFormat))
    made = ConnectorsPage(desk, worker, tester=runner, preferences=preferences, clock=Clock())
    qtbot.addWidget(made)
    made.resize(1360, 600)
    made.changed.connect(lambda: made.refresh(desk.entries(), STREAMS))
    with qtbot.waitExposed(made):
        made.show()
    made.refresh(desk.entries(), STREAMS)
    yield made
    fake.go.set()
    assert runner.stop(10) and worker.stop(10)


def stream(connector: str, kind: str, state: str, **more: object) -> StreamStatus:
    return StreamStatus(connector=connector, kind=kind, state=state, since=NOW - 60 * SECOND, **more)  # type: ignore[arg-type]


STREAMS = [
    stream("acme-maillog", "maillog", status.LIVE, rate=212.0, lag_s=0.4, last_activity=NOW - 400_000),
    stream("acme-message", "message", status.CATCHING_UP, progress=0.63, last_record=NOW - 3600 * SECOND),
    stream("beta-both", "message", status.LIVE, rate=3.0, last_activity=NOW - 5 * SECOND),
    stream(
        "beta-both",
        "maillog",
        status.STOPPED_FAULT,
        code="401",
        what="401 Unauthorized: the key is not accepted.",
        hint="Did you enter your credentials correctly?",
        next_try=NOW + 240 * SECOND,
        counters=Counters(received=12_345, stored=12_000, duplicates=300, filtered=40, quarantined=4),
    ),
]


def shown(page: ConnectorsPage, name: str) -> dict[str, str]:
    number = page.model.number_of(name)
    assert number >= 0
    return {
        title: page.model.data(page.model.index(number, column), Qt.ItemDataRole.DisplayRole)
        for column, (_, title, _) in enumerate(COLUMNS)
    }


def names(page: ConnectorsPage) -> list[str]:
    return [shown_name(page, number) for number in range(page.model.rowCount())]


def shown_name(page: ConnectorsPage, number: int) -> str:
    row = page.model.row_at(number)
    assert row is not None
    return row.name


def words(widget: QWidget) -> str:
    found = [label.text() for label in widget.findChildren(QLabel) if label.isVisibleTo(widget)]
    return "\n".join(found).replace("\u200b", "")


def action(menu: QMenu, part: str):
    (found,) = [one for one in menu.actions() if part in one.text().replace("&", "")]
    return found


def question(qtbot: QtBot, page: ConnectorsPage) -> Confirm:
    qtbot.waitUntil(lambda: any(found.isVisible() for found in page.findChildren(Confirm)))
    return next(found for found in page.findChildren(Confirm) if found.isVisible())


def test_a_row_says_what_a_connector_is_and_how_it_does(page: ConnectorsPage) -> None:
    row = shown(page, "acme-maillog")
    assert row == {
        "Name": "acme-maillog",
        "Category": "Email",
        "Type": "Proofpoint on Demand",
        "Content Type": "Mail Log",
        "Function": "Collect",
        "Tenant": "acme",
        "Run On": "This computer",
        "Status": "Live · 212/s",
        "Last Activity": "0.4 s ago",
        "Detail": "caught up · lag 0.4 s",
        "Actions": "Test · Edit · ···",
    }
    assert shown(page, "acme-message")["Status"] == "Catching up · 63%"


def test_the_worst_stream_stands_for_the_connector(page: ConnectorsPage) -> None:
    row = shown(page, "beta-both")
    assert row["Status"] == "Needs attention"
    assert row["Detail"] == "Mail Log: 401 Unauthorized: the key is not accepted. · next try in 4 min"
    assert row["Last Activity"] == "5 s ago" or row["Last Activity"] == "5.0 s ago"


def test_a_connector_nobody_has_spoken_of_waits(page: ConnectorsPage, desk: Desk) -> None:
    page.refresh(desk.entries(), [])
    row = shown(page, "acme-message")
    assert (row["Status"], row["Last Activity"]) == ("Starting", "never")


def test_streams_of_others_or_of_types_no_longer_collected_do_not_count(
    page: ConnectorsPage, desk: Desk
) -> None:
    page.refresh(
        desk.entries(),
        [
            stream("acme-maillog", "maillog", status.LIVE),
            stream("acme-maillog", "message", status.STOPPED_FAULT),
            stream("nobody", "maillog", status.STOPPED_FAULT),
        ],
    )
    assert shown(page, "acme-maillog")["Status"].startswith("Live")


def test_refreshing_keeps_the_choice_even_when_rows_move(page: ConnectorsPage, desk: Desk) -> None:
    page.select("beta-both")
    page.refresh(desk.entries(), STREAMS)
    assert page.selected() == "beta-both"
    desk.remove("acme-maillog")
    page.refresh(desk.entries(), STREAMS)
    assert page.selected() == "beta-both"
    assert page.table.selectionModel().isRowSelected(page.model.number_of("beta-both"))


def test_the_filter_takes_words_of_any_column(qtbot: QtBot, page: ConnectorsPage) -> None:
    page.select("acme-message")
    qtbot.keyClicks(page.filter, "BETA attention")
    assert names(page) == ["beta-both"]
    page.filter.setText("nothing like it")
    assert page.stack.currentWidget() is not page.table and "No connector matches" in words(page)
    page.filter.setText("acme")
    assert names(page) == ["acme-maillog", "acme-message"]


def test_with_no_connector_the_page_offers_to_create_one(qtbot: QtBot, page: ConnectorsPage) -> None:
    page.refresh([], [])
    assert "No connectors yet" in words(page)
    with qtbot.waitSignal(page.createConnector):
        qtbot.mouseClick(page.create_button, Qt.MouseButton.LeftButton)


def test_disable_and_enable_from_the_menu(qtbot: QtBot, page: ConnectorsPage, desk: Desk) -> None:
    page.select("acme-maillog")
    menu = page.menu()
    assert menu is not None
    with qtbot.waitSignal(page.changed):
        action(menu, "Disable").trigger()
    assert not desk.entries()[0].enabled
    assert shown(page, "acme-maillog")["Status"] == "Disabled"
    again = page.menu()
    assert again is not None
    with qtbot.waitSignal(page.changed):
        action(again, "Enable").trigger()
    assert desk.entries()[0].enabled
    menu.deleteLater()
    again.deleteLater()


def press_link(qtbot: QtBot, page: ConnectorsPage, name: str, words: str) -> None:
    room = page.table.visualRect(page.model.index(page.model.number_of(name), ACTIONS))
    option = QStyleOptionViewItem()
    page.table.initViewItemOption(option)
    places = dict(links(room, QFontMetrics(option.font), page.model.links))
    qtbot.mouseClick(page.table.viewport(), Qt.MouseButton.LeftButton, pos=places[words].center())


def test_test_is_one_click_away(qtbot: QtBot, page: ConnectorsPage, fake: FakeTester) -> None:
    press_link(qtbot, page, "acme-message", "Test")
    (dialog,) = page.findChildren(TestDialog)
    qtbot.waitUntil(lambda: not dialog.running)
    assert [asked.name for asked, _ in fake.asked] == ["acme-message"]
    assert "Success" in words(dialog)


def wizard_of(qtbot: QtBot, page: ConnectorsPage) -> AddConnector:
    qtbot.waitUntil(lambda: any(found.isVisible() for found in page.findChildren(AddConnector)))
    return next(found for found in page.findChildren(AddConnector) if found.isVisible())


def test_edit_is_one_click_away(qtbot: QtBot, page: ConnectorsPage, desk: Desk) -> None:
    press_link(qtbot, page, "acme-message", "Edit")
    wizard = wizard_of(qtbot, page)
    assert wizard.step == CONFIGURATION and wizard.windowTitle() == "Edit acme-message"
    assert wizard.configuration.cluster_id.text() == "c_acme"
    wizard.configuration.cluster_id.setText("other_hosted")
    wizard.next_button.click()
    with qtbot.waitSignal(page.secretsChanged):
        wizard.next_button.click()
    assert desk.entry("acme-message").connector.cluster_id == "other_hosted"
    assert desk.missing_secrets("acme-message") == ()


def test_from_the_test_one_gets_to_edit(qtbot: QtBot, page: ConnectorsPage) -> None:
    press_link(qtbot, page, "beta-both", "Test")
    (dialog,) = page.findChildren(TestDialog)
    qtbot.waitUntil(lambda: not dialog.running)
    dialog.edit_button.click()
    assert wizard_of(qtbot, page).windowTitle() == "Edit beta-both"


@pytest.mark.parametrize(
    ("key", "modifier", "kind"),
    [
        (Qt.Key.Key_F2, Qt.KeyboardModifier.NoModifier, AddConnector),
        (Qt.Key.Key_T, Qt.KeyboardModifier.ControlModifier, TestDialog),
        (Qt.Key.Key_Return, Qt.KeyboardModifier.NoModifier, Details),
    ],
)
def test_keys_of_the_table(
    qtbot: QtBot, page: ConnectorsPage, key: Qt.Key, modifier: Qt.KeyboardModifier, kind: type
) -> None:
    page.select("acme-message")
    page.table.setFocus()
    qtbot.keyClick(page.table, key, modifier)
    qtbot.waitUntil(lambda: any(found.isVisible() for found in page.findChildren(kind)))


# responders


def with_responders(page: ConnectorsPage, desk: Desk) -> None:
    made = {"tenant": ALL_TENANTS, "cluster_id": "c_acme"}
    secrets = {"client_id": Secret("id"), "client_secret": Secret("secret")}
    desk.create(RespondConnector(name="acme-block", type=TYPES[0], **made), secrets)
    desk.create(RespondConnector(name="acme-safe", type=TYPES[1], verify_tls=False, **made), secrets)
    streams = [
        stream("acme-block", status.RESPOND, status.LIVE, last_activity=NOW - 60 * SECOND),
        stream("acme-safe", status.RESPOND, status.STOPPED_FAULT, what="No token.", code="401"),
    ]
    page.refresh(desk.entries(), [*STREAMS, *streams])


def test_a_responder_is_a_row_of_its_own_kind(page: ConnectorsPage, desk: Desk) -> None:
    with_responders(page, desk)
    row = shown(page, "acme-block")
    assert (row["Category"], row["Type"]) == ("Webhook", "Proofpoint on Demand Add to Org Block List")
    assert (row["Function"], row["Tenant"], row["Content Type"]) == ("Respond", "All Tenants", "")
    assert (row["Status"], row["Last Activity"]) == ("Ready", "1 min ago")


def test_unverified_certificates_stay_visible_in_table_and_details(
    qtbot: QtBot, page: ConnectorsPage, desk: Desk
) -> None:
    with_responders(page, desk)
    row = shown(page, "acme-safe")
    assert row["Detail"].startswith("⚠ Certificates are not verified") and "No token." in row["Detail"]
    said = words(details(qtbot, page, "acme-safe"))
    assert "Certificates are not verified" in said and "No token." in said and "Received" not in said


def test_a_responder_nobody_tested_says_so(page: ConnectorsPage, desk: Desk) -> None:
    with_responders(page, desk)
    page.refresh(desk.entries(), [])
    row = shown(page, "acme-block")
    assert row["Status"] == "Not tested" and "Test it" in row["Detail"]


def test_deleting_a_responder_says_what_that_means(qtbot: QtBot, page: ConnectorsPage, desk: Desk) -> None:
    with_responders(page, desk)
    page.select("acme-block")
    page.ask_delete()
    asked = question(qtbot, page)
    assert "Client ID and Client Secret are deleted" in words(asked) and "playbooks" in words(asked)
    with qtbot.waitSignal(page.changed):
        asked.way_on.click()
    assert "acme-block" not in desk.names()


# copies and files


def test_duplicating_begins_with_its_values_and_without_its_key(
    qtbot: QtBot, page: ConnectorsPage, desk: Desk
) -> None:
    page.select("acme-maillog")
    menu = page.menu()
    assert menu is not None
    action(menu, "Duplicate").trigger()
    wizard = wizard_of(qtbot, page)
    assert wizard.step == GENERAL and wizard.general.name.text() == "acme-maillog-copy"
    assert wizard.general.tenant.text() == "acme"
    wizard.next_button.click()
    assert wizard.configuration.content_types.chosen() == ("maillog",)
    assert wizard.configuration.api_key.text() == ""
    wizard.next_button.click()
    assert wizard.step == CONFIGURATION and "Give the API key" in words(wizard)
    wizard.configuration.api_key.setText("another-key")
    wizard.next_button.click()
    with qtbot.waitSignal(page.changed):
        wizard.next_button.click()
    assert "acme-maillog-copy" in names(page)
    menu.deleteLater()


def test_an_export_holds_the_definition_and_no_secret(
    qtbot: QtBot, page: ConnectorsPage, tmp_path: Path
) -> None:
    path = tmp_path / "out.json"
    page.actions_of.export_to("beta-both", path)
    qtbot.waitUntil(lambda: "was exported" in words(page.notice))
    text = path.read_text()
    assert json.loads(text)["cluster_id"] == "c_beta" and "api_key" not in text


def test_an_export_that_cannot_be_written_is_said(qtbot: QtBot, page: ConnectorsPage, tmp_path: Path) -> None:
    page.actions_of.export_to("beta-both", tmp_path / "no such folder" / "out.json")
    qtbot.waitUntil(lambda: "could not be written" in words(page.notice))


def test_an_import_arrives_disabled_and_asks_for_its_secrets(
    qtbot: QtBot, page: ConnectorsPage, desk: Desk, tmp_path: Path
) -> None:
    path = tmp_path / "in.json"
    path.write_bytes(desk.export("beta-both").replace(b"beta-both", b"gamma"))
    page.actions_of.import_from(path)
    wizard = wizard_of(qtbot, page)
    assert not desk.entry("gamma").enabled
    assert "Nothing is kept for this connector yet" in words(wizard)
    wizard.next_button.click()
    assert wizard.step == CONFIGURATION and "Give the API key" in words(wizard)
    wizard.configuration.api_key.setText("a-new-key")
    wizard.next_button.click()
    with qtbot.waitSignal(page.changed):
        wizard.next_button.click()
    assert desk.missing_secrets("gamma") == () and not desk.entry("gamma").enabled
    assert "gamma is disabled" in words(page.notice)
    with qtbot.waitSignal(page.changed):
        page.actions_of.offer.click()
    assert desk.entry("gamma").enabled


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("{", "no JSON"),
        ("[]", "no object"),
        ('{"name": "a", "name": "b"}', "there twice"),
        ('{"name": "a", "evil": 1}', "Unknown key"),
        ('{"category": "x"}', "no category"),
        ("[" * 100_000, "deeper"),
        ('{"name": "' + "x" * 2_000_000 + '"}', "larger"),
    ],
)
def test_an_import_that_is_none_is_refused_in_words(
    qtbot: QtBot, page: ConnectorsPage, desk: Desk, tmp_path: Path, text: str, part: str
) -> None:
    path = tmp_path / "in.json"
    path.write_text(text)
    before = desk.names()
    page.actions_of.import_from(path)
    qtbot.waitUntil(lambda: part in words(page.notice))
    assert desk.names() == before


# columns


def visible(page: ConnectorsPage) -> list[str]:
    return [title for place, (_, title, _) in enumerate(COLUMNS) if not page.table.isColumnHidden(place)]


def test_columns_are_chosen_and_remembered(
    qtbot: QtBot, page: ConnectorsPage, desk: Desk, tmp_path: Path
) -> None:
    assert visible(page) == [title for _, title, _ in COLUMNS]
    menu = page.columns_button.menu()
    menu.aboutToShow.emit()
    offered = [one.text() for one in menu.actions() if one.isCheckable()]
    assert "Name" not in offered and "Actions" not in offered
    action(menu, "Category").trigger()
    assert "Category" not in visible(page)
    page.table.setColumnWidth(NAMES.index("name"), 222)
    qtbot.waitUntil(lambda: b"222" in bytes(page.columns._preferences.state("connectors/columns").data()))
    again = ConnectorsPage(desk, page.actions_of._worker, preferences=page.columns._preferences)
    qtbot.addWidget(again)
    again.resize(1360, 600)
    again.show()
    again.refresh(desk.entries(), [])
    qtbot.waitUntil(lambda: "Category" not in visible(again))
    assert again.table.columnWidth(NAMES.index("name")) == 222
    again.columns.reset()
    assert "Category" in visible(again)


def test_kept_columns_that_make_no_sense_are_as_if_never_kept(
    qtbot: QtBot, desk: Desk, page: ConnectorsPage, tmp_path: Path
) -> None:
    settings = QSettings(str(tmp_path / "other.ini"), QSettings.Format.IniFormat)
    for nonsense in (
        b"\xff{",
        b"[]",
        b'{"hidden": ["name", "", 7, "status"], "widths": {"type": 1e99, "name": -5}}',
    ):
        Preferences(settings).keep("connectors/columns", QByteArray(nonsense))
        made = ConnectorsPage(desk, page.actions_of._worker, preferences=Preferences(settings))
        qtbot.addWidget(made)
        made.show()
        assert not made.table.isColumnHidden(0) and not made.table.isColumnHidden(ACTIONS)
        assert made.table.columnWidth(0) == COLUMNS[0][2]


def test_every_control_of_the_page_has_a_name(page: ConnectorsPage) -> None:
    for control in [*page.findChildren(QAbstractButton), page.filter, page.table]:
        if control.isVisibleTo(page) and not control.objectName().startswith("qt_"):
            reads = QAccessible.queryAccessibleInterface(control)
            assert reads.text(QAccessible.Text.Name), control


def test_the_menu_opens_by_mouse_and_by_key(qtbot: QtBot, page: ConnectorsPage) -> None:
    page.select("acme-message")
    page.table.customContextMenuRequested.emit(QPoint(5, 5))
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    with qtbot.waitSignal(page.viewEvents):
        action(menu, "View Events").trigger()
    menu.close()


def test_mnemonics_of_the_menu_are_each_their_own(page: ConnectorsPage) -> None:
    page.select("acme-message")
    menu = page.menu()
    assert menu is not None
    letters = [one.text()[one.text().index("&") + 1].lower() for one in menu.actions() if "&" in one.text()]
    assert len(letters) == len(set(letters)) == 9
    menu.deleteLater()


def test_deleting_says_what_happens_to_records_and_secrets(
    qtbot: QtBot, page: ConnectorsPage, desk: Desk
) -> None:
    page.select("acme-maillog")
    page.table.setFocus()
    qtbot.keyClick(page.table, Qt.Key.Key_Delete)
    asked = question(qtbot, page)
    said = words(asked)
    assert (
        "Delete acme-maillog?" in said
        and "API key is deleted" in said
        and "records it collected stay" in said
    )
    qtbot.keyClick(asked, Qt.Key.Key_Return)  # Cancel is the default
    qtbot.waitUntil(lambda: not asked.isVisible())
    assert "acme-maillog" in desk.names()
    page.ask_delete()
    with qtbot.waitSignal(page.changed):
        question(qtbot, page).way_on.click()
    assert names(page) == ["acme-message", "beta-both"]
    assert desk.vault.session.has("acme-maillog", "api_key") is False


def test_a_keychain_that_keeps_the_key_asks_again(qtbot: QtBot, page: ConnectorsPage, desk: Desk) -> None:
    desk.locked = True
    page.select("acme-maillog")
    page.ask_delete()
    question(qtbot, page).way_on.click()
    qtbot.waitUntil(lambda: any("keychain is locked" in words(found) for found in page.findChildren(Confirm)))
    assert "acme-maillog" in desk.names()
    asked = next(found for found in page.findChildren(Confirm) if "locked" in words(found))
    with qtbot.waitSignal(page.changed):
        asked.way_on.click()
    assert "acme-maillog" not in desk.names()


def test_what_cannot_be_done_is_said_on_the_page(qtbot: QtBot, page: ConnectorsPage, desk: Desk) -> None:
    page.select("acme-maillog")
    menu = page.menu()
    assert menu is not None
    desk.remove("acme-maillog")
    action(menu, "Disable").trigger()
    qtbot.waitUntil(page.notice.isVisible)
    assert "no connector named" in words(page.notice)
    menu.deleteLater()


def details(qtbot: QtBot, page: ConnectorsPage, name: str) -> Details:
    page.select(name)
    page.table.setFocus()
    qtbot.keyClick(page.table, Qt.Key.Key_Return)
    (dialog,) = page.findChildren(Details)
    assert dialog.isVisible()
    return dialog


def test_details_say_what_is_wrong_what_to_do_and_what_was_counted(
    qtbot: QtBot, page: ConnectorsPage
) -> None:
    said = words(details(qtbot, page, "beta-both"))
    for part in (
        "Needs attention",
        "401 Unauthorized: the key is not accepted.",
        "Did you enter your credentials correctly?",
        "Next try in 4 min.",
        "12,345",
        "12,000",
    ):
        assert part in said
    lost = 12_345 - 12_000 - 300 - 40 - 4
    cards = page.findChildren(Details)[0]._cards
    assert cards["maillog"]._amounts["Lost"].text() == str(lost)
    assert cards["maillog"]._amounts["Quarantined"].text() == "4"
    assert cards["message"].try_button.isHidden() and not cards["maillog"].try_button.isHidden()


def test_try_now_asks_the_service(qtbot: QtBot, page: ConnectorsPage, desk: Desk) -> None:
    from pod_desktop.services.collect import TRY_NOW

    dialog = details(qtbot, page, "beta-both")
    with qtbot.waitSignal(page.changed):
        dialog._cards["maillog"].try_button.click()
    (command,) = desk.ledger.take_commands()
    assert (command.name, command.args) == (TRY_NOW, {"connector": "beta-both"})


def test_details_follow_the_ledger_and_go_with_their_connector(
    qtbot: QtBot, page: ConnectorsPage, desk: Desk
) -> None:
    dialog = details(qtbot, page, "beta-both")
    page.show_details()
    assert len(page.findChildren(Details)) == 1
    page.refresh(desk.entries(), [stream("beta-both", "maillog", status.LIVE, rate=1.0)])
    assert "Live" in words(dialog) and "401" not in words(dialog)
    desk.remove("beta-both")
    page.refresh(desk.entries(), [])
    qtbot.waitUntil(lambda: not page.findChildren(Details))


def test_outside_text_is_shown_as_it_is(qtbot: QtBot, page: ConnectorsPage, desk: Desk) -> None:
    evil = "<b>x</b><img src='file:///etc/passwd'>\u202e\x1b[31m" + "A" * 100_000
    page.refresh(
        desk.entries(),
        [stream("acme-maillog", "maillog", status.STOPPED_FAULT, what=evil, hint=evil, code="x")],
    )
    detail = shown(page, "acme-maillog")["Detail"]
    assert detail.startswith("<b>x</b>") and "‹U+202E›" in detail and len(detail) < 1_000
    index = page.model.index(0, NAMES.index("detail"))
    hover = page.model.data(index, Qt.ItemDataRole.ToolTipRole)
    assert "&lt;b&gt;" in hover and "<b>" not in hover
    dialog = details(qtbot, page, "acme-maillog")
    assert all(label.textFormat() == Qt.TextFormat.PlainText for label in dialog.findChildren(QLabel))
    page.table.grab()


def test_a_screen_reader_hears_the_state_in_words(page: ConnectorsPage) -> None:
    table = QAccessible.queryAccessibleInterface(page.table)
    assert table.text(QAccessible.Text.Name) == "Connectors"
    said = [table.child(number).text(QAccessible.Text.Name) for number in range(table.childCount())]
    row = said.index("beta-both")
    assert said[row + STATUS] == "Needs attention"


def test_tab_leaves_the_table(qtbot: QtBot, page: ConnectorsPage) -> None:
    page.activateWindow()
    page.table.setFocus()
    qtbot.waitUntil(page.table.hasFocus)
    qtbot.keyClick(page.table, Qt.Key.Key_Tab)
    assert not page.table.hasFocus()


@pytest.mark.parametrize(("state", "tone"), [(status.LIVE, "good"), (status.STOPPED_FAULT, "bad")])
def test_the_dot_has_the_colour_of_the_state(page: ConnectorsPage, desk: Desk, state: str, tone: str) -> None:
    page.refresh(desk.entries(), [stream("acme-maillog", "maillog", state)])
    room = page.table.visualRect(page.model.index(0, STATUS))
    picture = page.table.viewport().grab().toImage()
    ratio = picture.devicePixelRatio()
    seen = picture.pixelColor(int((room.left() + 12) * ratio), int((room.center().y() + 0.5) * ratio))
    assert seen == QColor(theme.dot(tone))


def test_a_narrow_table_keeps_what_matters() -> None:
    def left(room: int) -> set[str]:
        hidden = hidden_columns(room)
        return {name for number, name in enumerate(NAMES) if number not in hidden}

    assert left(1360) == set(NAMES)
    assert left(950) >= {"name", "type", "tenant", "status", "last_activity", "detail", ""}
    assert sum(width for name, _, width in COLUMNS if name in left(950)) <= 950
    assert left(100) >= {"name", "status", "detail", ""}
