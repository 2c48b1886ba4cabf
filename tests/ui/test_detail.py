"""The detail pane: what it shows, what it drops, how it survives large and broken records."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable

from fakedesk import FakeDesk, outage, row
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from pytestqt.qtbot import QtBot

from pace import quick
from pod_desktop.core import blocks, limits
from pod_desktop.core.record import FLAG_NO_ID
from pod_desktop.ui.detail.fields import MOST_FOUND, FieldsView, Node
from pod_desktop.ui.detail.jsonview import printed
from pod_desktop.ui.detail.pane import FIELDS, JSON, SUMMARY, DetailPane
from pod_desktop.ui.text import PlainLabel
from pod_desktop.ui.window import MainWindow

Make = Callable[..., MainWindow]


def _shown(pane: DetailPane, words: str) -> bool:
    labels = pane.summary.widget().findChildren(PlainLabel)
    return any(words in label.text().replace("\u200b", "") for label in labels)


def test_a_row_is_read_in_the_pane(qtbot: QtBot, make_window: Make, desk: FakeDesk) -> None:
    window = make_window(desk)
    window.events.table.go_to(0)
    pane = window.events.detail
    qtbot.waitUntil(lambda: _shown(pane, "sender299@contoso.example"))
    assert pane._title.text() == "Subject 299"
    assert "→" in pane._subtitle.text()


def test_the_tab_is_kept_while_moving_through_records(
    qtbot: QtBot, make_window: Make, desk: FakeDesk
) -> None:
    window = make_window(desk)
    window.events.table.go_to(0)
    window.show_tab(FIELDS)
    window.events.table.setFocus()
    qtbot.keyClick(window.events.table, Qt.Key.Key_Down, Qt.KeyboardModifier.ControlModifier)
    pane = window.events.detail
    qtbot.waitUntil(lambda: pane._record is not None and pane._record.row.seq == 298)
    assert pane.tabs.currentIndex() == FIELDS
    assert window.events.table.currentIndex().row() == 1


def test_only_the_last_of_many_records_is_shown_and_the_window_does_not_wait(
    qtbot: QtBot, make_window: Make, desk: FakeDesk
) -> None:
    desk.record_seconds = 0.1
    window = make_window(desk)
    with quick(1.0):
        for number in range(20):
            window.events.table.go_to(number)
    pane = window.events.detail
    qtbot.waitUntil(lambda: pane._record is not None and pane._record.row.seq == 280)
    assert len(desk.read) < 20


def test_a_record_that_cannot_be_read_says_why(qtbot: QtBot, make_window: Make, desk: FakeDesk) -> None:
    desk.record_fault = outage("Its block is damaged.")
    window = make_window(desk)
    window.events.table.go_to(0)
    pane = window.events.detail
    qtbot.waitUntil(lambda: "Its block is damaged." in pane._notice.accessibleName())
    desk.record_fault = None
    window.events.table.go_to(1)
    qtbot.waitUntil(lambda: _shown(pane, "sender298@contoso.example"))
    assert not pane._notice.isVisible()


def test_an_unreadable_record_shows_its_bytes(qtbot: QtBot, make_window: Make, desk: FakeDesk) -> None:
    desk.raws[299] = b'{"broken": \xff\xfe'
    window = make_window(desk)
    window.events.table.go_to(0)
    window.show_tab(JSON)
    pane = window.events.detail
    qtbot.waitUntil(lambda: "broken" in pane.json.viewer.toPlainText())
    assert "\ufffd" in pane.json.viewer.toPlainText()
    assert "no JSON" in pane._notice.accessibleName()


def test_why_a_record_is_unreadable_is_said_once(qtbot: QtBot, make_window: Make, desk: FakeDesk) -> None:
    desk.rows[299] = desk.rows[299]._replace(kind="unreadable", subject="It is no JSON.", flags=FLAG_NO_ID)
    desk.raws[299] = b'{"broken": \xff\xfe'
    window = make_window(desk)
    window.events.table.go_to(0)
    pane = window.events.detail
    qtbot.waitUntil(lambda: pane.record is not None)
    assert pane._title.text() == "Unreadable record"
    assert pane._notice.accessibleName() == "This record carries no id of its own."


def test_a_delivery_line_is_not_said_to_have_the_null_sender(make_window: Make, desk: FakeDesk) -> None:
    line = {"kind": "maillog", "sender": "", "recipients": ("ann@acme.example",), "recipient_count": 1}
    desk.rows[299] = desk.rows[299]._replace(**line, stat="Sent")
    desk.rows[298] = desk.rows[298]._replace(**line, stat="")
    window = make_window(desk)
    window.events.table.go_to(0)
    assert window.events.detail._subtitle.text().startswith("→ ")
    window.events.table.go_to(1)
    assert window.events.detail._subtitle.text().startswith("<> → ")


def test_every_kind_of_block_is_drawn(qtbot: QtBot, make_window: Make, desk: FakeDesk) -> None:
    desk.summaries[299] = (
        blocks.Notice("Look at this"),
        blocks.Facts((blocks.Fact("Rule", "phish_strict", chips=(blocks.Chip("Quarantined", blocks.BAD),)),)),
        blocks.Chips("Authentication", (blocks.Chip("SPF fail", blocks.BAD),)),
        blocks.Scores(
            "Spam scores", (blocks.Score("phish", 100.0, tone=blocks.BAD), blocks.Score("odd", 5.0, most=0.0))
        ),
        blocks.Lines("URLs", ("hxxps://evil[.]example",)),
    )
    window = make_window(desk)
    window.events.table.go_to(0)
    pane = window.events.detail
    for words in (
        "Look at this",
        "phish_strict",
        "Quarantined",
        "SPF fail",
        "Spam scores",
        "hxxps://evil[.]example",
    ):
        qtbot.waitUntil(lambda words=words: _shown(pane, words))  # type: ignore[misc]
    pane.summary.grab()


def test_fields_hold_our_own_and_the_records_by_path_value_and_type(
    qtbot: QtBot, make_window: Make, desk: FakeDesk
) -> None:
    window = make_window(desk)
    window.events.table.go_to(0)
    window.show_tab(FIELDS)
    model = window.events.detail.fields._model
    qtbot.waitUntil(lambda: model.rowCount() > 10)
    rows = {model.index(line, 0).data(): model.index(line, 1).data() for line in range(model.rowCount())}
    assert rows["msg_class"] == "proofpoint_on_demand_message"
    assert rows["msg_origin.source"] == "proofpoint_on_demand"
    assert rows["index"] == "Syslog"
    assert rows["cluster"] == "acme_hosted"
    assert rows["guid"] == "guid-299"


def test_the_filter_finds_fields_by_path_and_by_value(qtbot: QtBot) -> None:
    view = FieldsView()
    qtbot.addWidget(view)
    view.show_value(
        {"type": "message"}, {"filter": {"actions": [{"rule": "phish"}, {"rule": "clean"}]}, "size": 2**70}
    )
    view.filter.setText("rule phish")
    qtbot.waitUntil(lambda: view._model.rowCount() == 1)
    assert view._model.index(0, 0).data() == "filter.actions[0].rule"
    view.filter.setText(str(2**70))
    qtbot.waitUntil(lambda: view._model.index(0, 0).data() == "size")
    view.tree.setCurrentIndex(view._model.index(0, 0))
    view.copy_values()
    assert QGuiApplication.clipboard().text() == str(2**70)
    view.copy_paths()
    assert QGuiApplication.clipboard().text() == "size"


def test_a_record_of_fifty_thousand_fields_opens_at_once(qtbot: QtBot) -> None:
    view = FieldsView()
    qtbot.addWidget(view)
    view.resize(400, 600)
    view.show()
    with quick(2.0):
        view.show_value({}, {f"key{number}": {"inner": number} for number in range(limits.JSON_KEYS)})
        view.grab()
    view.filter.setText("inner")
    qtbot.waitUntil(lambda: view._model.rowCount() == MOST_FOUND)


def test_children_are_made_when_they_are_looked_at() -> None:
    root = Node("", "", {"a": {"b": [1, 2, 3]}}, None, 0)
    assert root._children is None
    assert [child.path for child in root.children[0].children[0].children] == ["a.b[0]", "a.b[1]", "a.b[2]"]


def test_a_ten_megabyte_line_becomes_pages_of_short_lines() -> None:
    made = printed("x" * 10_000_000)
    assert made.broken == 1
    assert all(len(page) <= limits.VIEWER_PAGE_CHARS + limits.VIEWER_LINE_CHARS for page in made.pages)
    assert max(len(line) for line in made.pages[0].split("\n")) <= limits.VIEWER_LINE_CHARS
    assert sum(len(page.replace("\n", "")) for page in made.pages) == 10_000_000


def test_pages_are_turned(qtbot: QtBot, make_window: Make, desk: FakeDesk) -> None:
    desk.raws[299] = json.dumps({"list": [f"value {number}" for number in range(5_000)]}).encode()
    window = make_window(desk)
    window.events.table.go_to(0)
    window.show_tab(JSON)
    view = window.events.detail.json
    qtbot.waitUntil(lambda: "value 1" in view.viewer.toPlainText())
    first = view.viewer.toPlainText()
    qtbot.mouseClick(view._later, Qt.MouseButton.LeftButton)
    assert view.viewer.toPlainText() != first
    assert view._where.text().startswith("2 of ")


def test_as_received_is_what_was_received_and_is_copied_so(
    qtbot: QtBot, make_window: Make, desk: FakeDesk
) -> None:
    raw = b'{"b":1,   "a":"\\u202e"}'
    desk.raws[299] = raw
    window = make_window(desk)
    window.events.table.go_to(0)
    window.show_tab(JSON)
    view = window.events.detail.json
    qtbot.waitUntil(lambda: "‹U+202E›" in view.viewer.toPlainText())
    view.received.setChecked(True)
    qtbot.waitUntil(lambda: view.viewer.toPlainText() == raw.decode())
    window.events.detail.copy_raw()
    assert QGuiApplication.clipboard().text() == raw.decode()


def test_nothing_of_the_desk_is_ever_called_on_the_windows_thread(
    qtbot: QtBot, make_window: Make, desk: FakeDesk
) -> None:
    threads: set[str] = set()
    for name in ("open", "count", "histogram", "record", "overview"):
        method = getattr(desk, name)

        def noted(*args: object, method: Callable[..., object] = method) -> object:
            threads.add(threading.current_thread().name)
            return method(*args)

        setattr(desk, name, noted)
    window = make_window(desk)
    window.events.query.set_text("subject")
    window.events.table.go_to(0)
    qtbot.waitUntil(lambda: {"rows", "counts", "record", "overview"} <= threads)
    assert threading.main_thread().name not in threads


def test_summary_is_the_first_tab(make_window: Make, desk: FakeDesk) -> None:
    desk.add([row(900, 1)])
    assert make_window(desk).events.detail.tabs.currentIndex() == SUMMARY
