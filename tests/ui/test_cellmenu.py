"""The menu of a cell and of a field: what it offers, and what comes of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest
from fakedesk import FakeDesk, row
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtWidgets import QApplication, QMenu
from pytestqt.qtbot import QtBot

from pod_desktop.core.clock import MINUTE
from pod_desktop.query import parse
from pod_desktop.query.tree import Equals, Term
from pod_desktop.ui.events.cellmenu import RecordCommand, Target, leaf_targets, path_field, targets_of
from pod_desktop.ui.events.columns import COLUMNS, INDEX
from pod_desktop.ui.events.dialogs import LineDialog
from pod_desktop.ui.window import MainWindow

Make = Callable[..., MainWindow]


def _menu(window: MainWindow, number: int, key: str) -> dict[str, Callable[[], None]]:
    """Words of a cell's menu and how to choose them."""
    place = window.events.model.place_of(key)
    assert place is not None
    found = window.events.model.row(number)
    window.events.table.menu_asked.emit(found, place, QPoint(100, 100))
    return _actions()


def _actions() -> dict[str, Callable[[], None]]:
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    return {action.text(): action.trigger for action in menu.actions() if action.text()}


@pytest.fixture(autouse=True)
def no_menu_stays() -> Iterator[None]:
    yield
    while (menu := QApplication.activePopupWidget()) is not None:
        menu.close()


def test_an_address_is_filtered_on_left_out_or_its_domain_asked_for(
    qtbot: QtBot, make_window: Make, desk: FakeDesk
) -> None:
    window = make_window(desk)
    menu = _menu(window, 0, "sender")
    menu["Filter on sender299@contoso.example"]()
    assert window.events.query.text == "sender:sender299@contoso.example"
    _menu(window, 0, "sender")["Exclude sender299@contoso.example"]()
    assert window.events.query.text.endswith("AND NOT sender:sender299@contoso.example")
    window.events.query.set_text("")
    menu["Filter on Domain contoso.example"]()
    assert window.events.query.text == "sender.domain:contoso.example"


def test_a_right_click_asks_for_the_cell_below_it(qtbot: QtBot, make_window: Make, desk: FakeDesk) -> None:
    window = make_window(desk)
    asked: list[tuple[int, int]] = []
    window.events.table.menu_asked.disconnect()
    window.events.table.menu_asked.connect(lambda row, place, _where: asked.append((row.seq, place)))
    header = window.events.table.columns
    x = header.sectionViewportPosition(INDEX["score"]) + 5
    place = QPoint(x, 27 * 2 + 5)
    viewport = window.events.table.viewport()
    qtbot.mouseClick(viewport, Qt.MouseButton.RightButton, pos=place)
    for reason, where in (
        (QContextMenuEvent.Reason.Mouse, place),
        (QContextMenuEvent.Reason.Keyboard, QPoint(0, 0)),
    ):
        event = QContextMenuEvent(reason, where, viewport.mapToGlobal(where), Qt.KeyboardModifier.NoModifier)
        QApplication.sendEvent(viewport, event)
    assert (297, INDEX["score"]) in asked
    assert asked[-1][0] == 297, "by key it is the current row's"


def test_values_are_copied_as_such_as_query_as_csv_and_as_json(
    qtbot: QtBot, make_window: Make, desk: FakeDesk
) -> None:
    desk.add([row(900, desk.rows[-1].time + 1, sender="=cmd@evil.example", subject='a\tb, "c"')])
    desk.raws[900] = b'{"guid": "g",  "kept": [1.0]}'
    window = make_window(desk)
    window.events.table.go_to(0)
    clipboard = QApplication.clipboard()
    menu = _menu(window, 0, "sender")
    menu["Copy Value"]()
    assert clipboard.text() == "=cmd@evil.example"
    menu["Copy as Query"]()
    assert parse(clipboard.text(), 0) == Term("sender", Equals("=cmd@evil.example"))
    menu["Copy Row as CSV"]()
    names, cells = clipboard.text().splitlines()[:2]
    assert names.startswith("Time,Outcome,Sender")
    assert "'=cmd@evil.example" in cells and 'b, ""c"""' in cells
    menu["Copy Record as JSON"]()
    qtbot.waitUntil(lambda: clipboard.text() == '{"guid": "g",  "kept": [1.0]}')


def test_a_time_bounds_what_is_shown(qtbot: QtBot, make_window: Make, desk: FakeDesk) -> None:
    window = make_window(desk)
    _menu(window, 100, "time")["From Here On"]()
    qtbot.waitUntil(lambda: window.events.model.total == 101)
    assert window.events.range.text().startswith("Since ")
    _menu(window, 50, "time")["Up to Here"]()
    qtbot.waitUntil(lambda: window.events.model.total == 300 - 50)
    moment = window.events.model.row(0)
    assert moment is not None
    _menu(window, 0, "time")["Around Here (±5 min)"]()
    assert window.events.range.since == moment.time // MINUTE * MINUTE - 5 * MINUTE


def test_what_others_can_do_with_a_record_is_offered_where_it_fits(
    qtbot: QtBot, make_window: Make, desk: FakeDesk
) -> None:
    window = make_window(desk)
    shown: list[int] = []
    window.events.on_records.offer(
        RecordCommand(
            words="Show Journey", run=lambda row: shown.append(row.seq), fits=lambda row: row.seq != 298
        )
    )
    assert "Show Journey" not in _menu(window, 1, "subject")
    _menu(window, 0, "subject")["Show Journey"]()
    assert shown == [299]


def test_a_field_of_the_record_becomes_a_query_or_a_column(
    qtbot: QtBot, make_window: Make, desk: FakeDesk
) -> None:
    value = {"filter": {"modules": {"spam": {"scores": {"phish": 97}}}}, "parts": [{"sha": "abc"}]}
    desk.raws[299] = json.dumps(value).encode()
    window = make_window(desk)
    window.events.table.go_to(0)
    detail = window.events.detail
    qtbot.waitUntil(lambda: detail.record is not None)
    path = "filter.modules.spam.scores.phish"
    detail.fields.menu_asked.emit("", path, 97, QPoint(10, 10))
    menu = _actions()
    menu["Filter on 97"]()
    assert window.events.query.text == f"{path}:97"
    window.events.query.set_text("")
    menu["Add as Column"]()
    assert window.events.model.other_fields == (path,)
    qtbot.waitUntil(lambda: window.events.model.total == 300)
    place = window.events.model.place_of(f"field:{path}")
    assert place is not None
    qtbot.waitUntil(lambda: window.events.model.index(0, place).data() == f"{path} of 299")
    detail.fields.menu_asked.emit("id", "record id", "message:guid-299", QPoint(10, 10))
    _actions()["Filter on message:guid-299"]()
    assert window.events.query.text == 'id:"message:guid-299"'


def test_cells_stand_for_the_field_that_finds_them() -> None:
    def terms(key: str, **more: object) -> list[str]:
        found = row(1, 0, **more)
        column = COLUMNS[INDEX[key]]
        return [target.term for target in targets_of(found, column, "")]

    assert terms("outcome") == ["outcome:delivered"]
    assert terms("outcome", kind="maillog", stat="Deferred") == ["stat:Deferred", "outcome:delivered"]
    assert terms("recipients", recipients=("a@b.example", "c@d.example")) == [
        "recipient:a@b.example",
        "recipient:c@d.example",
    ]
    assert terms("score") == ["score:2"] and terms("score", score=None) == []
    assert terms("subject", subject='He said "no"') == ['subject:"He said \\"no\\""']
    assert terms("id") == ['id:"message:guid-1"'] or terms("id") == ["id:message\\:guid-1"]
    assert terms("time") == terms("more") == []
    for key in INDEX:
        for term in terms(key, subject="x OR y)", rule="a:b (c"):
            parse(term, 1_000_000)


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("filter.qid", "filter.qid"),
        ("msgParts[3].sha256", "msgParts.sha256"),
        ("guid", "guid"),
        ("subject", "$.subject"),
        ("newKey", "$.newKey"),
        ("time", "$.time"),
        ("filter.a[b].c", "filter.a[b].c"),
    ],
)
def test_paths_are_named_so_that_queries_find_them(path: str, field: str) -> None:
    assert path_field(path) == field
    parse(Target(field, "x").term, 0)


def test_a_list_or_nothing_cannot_be_asked_for() -> None:
    assert leaf_targets("filter", {"a": 1}) == leaf_targets("filter", None) == leaf_targets("", "x") == []
    assert leaf_targets("filter.isFinal", True) == [Target("filter.isFinal", "true")]
    assert Target("filter.mail", "x@y.example").domain_term == "domain:y.example"
    assert Target("score", "3").domain_term == Target("subject", "a@b").domain_term == ""


def test_any_field_can_be_typed_as_a_column(qtbot: QtBot, make_window: Make, desk: FakeDesk) -> None:
    window = make_window(desk)
    window.events.on_records.choose_column()
    dialog = window.findChild(LineDialog)
    assert dialog is not None
    dialog.line.setText("sneder")
    assert not dialog.ok.isEnabled()
    assert "sender" in dialog.line.accessibleDescription()
    dialog.line.setText("header_from")
    assert "From header" in dialog.line.accessibleDescription()
    qtbot.keyClick(dialog.line, Qt.Key.Key_Return)
    assert window.events.model.other_fields == ("header_from",)
    window.events.on_records.add_column("ip")
    assert window.events.model.other_fields == ("header_from",), "the table has a column of its own"
    assert not window.events.table.isColumnHidden(INDEX["ip"])
