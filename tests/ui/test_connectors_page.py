"""The Connectors page: its table, what can be done with a row, and what one connector says of itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAccessible, QColor, QFontMetrics
from PySide6.QtWidgets import QApplication, QLabel, QMenu, QStyleOptionViewItem, QWidget
from pytestqt.qtbot import QtBot

from pod_desktop.core import status
from pod_desktop.core.clock import SECOND
from pod_desktop.core.connector import CollectConnector
from pod_desktop.core.faults import Outage
from pod_desktop.core.secret import Secret
from pod_desktop.core.status import Counters, StreamStatus
from pod_desktop.services.connectors import Connectors
from pod_desktop.store import Ledger
from pod_desktop.ui import theme
from pod_desktop.ui.bridge import Worker
from pod_desktop.ui.connectors.confirm import Confirm
from pod_desktop.ui.connectors.details import Details
from pod_desktop.ui.connectors.model import ACTIONS, COLUMNS, NAMES, STATUS, links
from pod_desktop.ui.connectors.page import ConnectorsPage, hidden_columns
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
def page(qtbot: QtBot, desk: Desk) -> Iterator[ConnectorsPage]:
    worker = Worker("connectors of a test")
    made = ConnectorsPage(desk, worker, clock=Clock())
    qtbot.addWidget(made)
    made.resize(1290, 600)
    made.changed.connect(lambda: made.refresh(desk.entries(), STREAMS))
    with qtbot.waitExposed(made):
        made.show()
    made.refresh(desk.entries(), STREAMS)
    yield made
    assert worker.stop(10)


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
        "Actions": "Events · ···",
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


def test_events_is_one_click_away(qtbot: QtBot, page: ConnectorsPage) -> None:
    number = page.model.number_of("acme-message")
    room = page.table.visualRect(page.model.index(number, ACTIONS))
    option = QStyleOptionViewItem()
    page.table.initViewItemOption(option)
    _, place = links(room, QFontMetrics(option.font))[0]
    with qtbot.waitSignal(page.viewEvents) as signal:
        qtbot.mouseClick(page.table.viewport(), Qt.MouseButton.LeftButton, pos=place.center())
    assert signal.args == ["acme-message"]


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
    assert len(letters) == len(set(letters)) == 4
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

    assert left(1290) == set(NAMES)
    assert left(950) >= {"name", "content_type", "tenant", "status", "last_activity", "detail", ""}
    assert sum(width for name, _, width in COLUMNS if name in left(950)) <= 950
    assert left(100) >= {"name", "status", "detail", ""}
