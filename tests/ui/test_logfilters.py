"""The Log Filters dialog over a real store: conditions judged in place, tried, kept, attached, deleted."""

from __future__ import annotations

import time
from contextlib import closing

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLineEdit
from wizarding import press, words

from builders import as_bytes, message
from pod_desktop import content, query, store
from pod_desktop.core.clock import DAY, SystemClock
from pod_desktop.core.connector import CollectConnector
from pod_desktop.core.record import Arrival
from pod_desktop.services.filters import LogFilters
from pod_desktop.store import LIVE, Commit, Ledger, Source
from pod_desktop.ui.bridge import Span, Worker
from pod_desktop.ui.connectors.confirm import Confirm
from pod_desktop.ui.connectors.logfilters import FilterDesk, LogFiltersDialog
from pod_desktop.ui.moments import Zone

pytestmark = pytest.mark.usefixtures("worn")
NOW = time.time_ns() // 1000


class Home:
    """A data directory with records of today and of a fortnight ago, and one collector."""

    def __init__(self, root):
        self.events = root / "events"
        self.ledger = Ledger(root / "ledger.db")
        self.filters = LogFilters(self.ledger)
        self.ledger.add_connectors(
            [(CollectConnector(name="acme", tenant="t", cluster_id="c", content_types=("message",)), True)], now=NOW
        )  # fmt: skip
        records = [("a", "Newsletter <b>May</b>", 0), ("b", "Newsletter June", 0), ("c", "Invoice", 0),
                   ("d", "Newsletter of old", 14 * DAY)]  # fmt: skip
        with closing(store.open_writer(self.events, clock=SystemClock())) as writer:
            raws = [
                as_bytes(message(guid=guid, subject=subject, time=NOW - ago))
                for guid, subject, ago in records
            ]
            arrivals = [Arrival(content.read("message", raw, NOW), raw) for raw in raws]
            source = Source(connector="acme", tenant="t", cluster_id="c")
            writer.commit(Commit(source=source, lane=LIVE, records=arrivals, stream="acme/message"))

    def preview(self, log_filter, since, wanted):
        with closing(store.open_reader(self.events)) as reader:
            return self.filters.preview(log_filter, reader, since=since, wanted=wanted)

    def check(self, text):
        query.parse(text, NOW)
        return [Span(one.start, one.end, str(one.role)) for one in query.spans(text)]

    def attached(self):
        (entry,) = self.ledger.collectors()
        return entry.connector.log_filters


@pytest.fixture
def home(tmp_path):
    made = Home(tmp_path)
    yield made
    made.ledger.close()


@pytest.fixture
def open_dialog(qtbot, home):
    worker = Worker("log filters of a test")

    def opened():
        desk = FilterDesk(
            filters=home.filters, preview=home.preview, check=home.check, complete=None, clock=SystemClock(), zone=Zone(),
            collectors=lambda: [entry.connector.name for entry in home.ledger.collectors()],
        )  # fmt: skip
        made = LogFiltersDialog(desk, worker)
        made.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
        qtbot.addWidget(made)
        with qtbot.waitExposed(made):
            made.open()
        return made

    yield opened
    assert worker.stop(10)


@pytest.fixture
def dialog(open_dialog):
    return open_dialog()


def fill(dialog, name, *conditions):
    dialog.begin()
    dialog.name.setText(name)
    for place, text in enumerate(conditions):
        if place:
            dialog.add_button.click()
        dialog.conditions[place].show_text(text)


def test_a_filter_is_tried_kept_attached_and_detached(qtbot, dialog, home):
    fill(dialog, "news", "subject:newsletter", "NOT subject:june")
    dialog.preview_button.click()
    qtbot.waitUntil(lambda: "would have dropped" in dialog.preview_words.text())
    said = dialog.preview_words.text().replace("\u200b", "")
    assert "1 of 3 records of the last 7 days (33.3%)" in said
    assert "Newsletter <b>May</b>" in said and "old" not in said
    dialog.conditions[0].bar._judge()  # colours, which come when typing has paused
    assert "would have dropped" in dialog.preview_words.text()
    assert home.filters.all() == []
    with qtbot.waitSignal(dialog.changed):
        dialog.save_button.click()
    assert home.filters.get("news").conditions == ("subject:newsletter", "NOT subject:june")
    assert home.attached() == ()
    assert dialog.list.currentItem().text() == "news · not attached"
    dialog.attached.item(0).setCheckState(Qt.CheckState.Checked)
    assert home.attached() == ("news",)
    assert dialog.list.currentItem().text() == "news · 1 connector"
    dialog.attached.item(0).setCheckState(Qt.CheckState.Unchecked)
    assert home.attached() == ()


@pytest.mark.parametrize(
    ("typed", "part"),
    [
        ("subject:(a OR", "has nothing behind it"),
        ("foldr:x", "foldr"),
        ("*", "Every record fulfils"),
        ("time:<now-1d", "cannot speak of now"),
        ("NOT marked:true", "nobody has marked them yet"),
        ("", "is empty"),
    ],
)
def test_a_condition_that_does_not_fit_is_told_below_it_and_nothing_is_kept(qtbot, dialog, home, typed, part):
    fill(dialog, "news", "subject:newsletter", typed)
    dialog.save_button.click()
    assert home.filters.all() == []
    assert dialog.conditions[0].words == ""
    assert part in dialog.conditions[1].words
    dialog.conditions[1].show_text("subject:june")
    qtbot.waitUntil(lambda: dialog.conditions[1].words == "")


def test_a_fault_shows_as_one_types(qtbot, dialog):
    bar = dialog.conditions[0].bar
    qtbot.keyClicks(bar.line, "subject:(a")
    qtbot.waitUntil(lambda: dialog.conditions[0].words != "")


def test_a_name_that_is_taken_is_told_beside_it(dialog, home):
    home.filters.add({"name": "news", "conditions": ["subject:newsletter"]})
    fill(dialog, "News", "subject:x")
    dialog.save_button.click()
    assert "exists already" in words(dialog)
    assert QApplication.focusWidget() is dialog.name


def test_ten_conditions_are_the_most_and_one_the_least(dialog):
    dialog.begin()
    assert not dialog.conditions[0].remove_button.isEnabled()
    for _ in range(9):
        dialog.add_button.click()
    assert len(dialog.conditions) == 10 and not dialog.add_button.isEnabled()
    dialog.conditions[3].remove_button.click()
    assert len(dialog.conditions) == 9 and dialog.add_button.isEnabled()
    assert [one.bar.line.accessibleName() for one in dialog.conditions] == [
        f"Condition {n}" for n in range(1, 10)
    ]


def test_an_edit_keeps_the_name_and_changes_what_is_attached_at_once(open_dialog, home):
    home.filters.add({"name": "news", "conditions": ["subject:newsletter"]})
    home.filters.attach("news", "acme")
    dialog = open_dialog()
    assert dialog.name.isReadOnly() and dialog.attached.chosen() == ("acme",)
    dialog.conditions[0].show_text("subject:june")
    dialog.save_button.click()
    assert home.filters.get("news").conditions == ("subject:june",)
    assert home.attached() == ("news",)


def test_a_filter_that_is_attached_cannot_be_deleted_until_it_is_not(qtbot, open_dialog, home):
    home.filters.add({"name": "news", "conditions": ["subject:newsletter"]})
    home.filters.attach("news", "acme")
    dialog = open_dialog()

    def delete():
        dialog.delete_button.click()
        qtbot.waitUntil(lambda: any(one.isVisible() for one in dialog.findChildren(Confirm)))
        next(one for one in dialog.findChildren(Confirm) if one.isVisible()).way_on.click()

    delete()
    assert "acme uses this filter" in words(dialog)
    dialog.attached.item(0).setCheckState(Qt.CheckState.Unchecked)
    delete()
    assert home.filters.all() == []
    assert dialog.list.count() == 0 and not dialog.delete_button.isEnabled()


def test_by_keyboard_one_gets_from_the_list_to_save(qtbot, open_dialog, home):
    home.filters.add({"name": "news", "conditions": ["subject:newsletter"]})
    dialog = open_dialog()
    dialog.activateWindow()
    dialog.list.setFocus()
    seen = set()
    for _ in range(25):
        focus = QApplication.focusWidget()
        assert isinstance(focus, QLineEdit) or focus.accessibleName()
        seen.add(focus)
        press(qtbot, Qt.Key.Key_Tab)
    assert {dialog.conditions[0].bar.line, dialog.preview_button, dialog.attached, dialog.save_button} <= seen


def test_closing_ends_a_preview(qtbot, dialog, home):
    fill(dialog, "news", "subject:newsletter")
    dialog.preview_button.click()
    job = dialog._job
    dialog.reject()
    assert job.cancelled
