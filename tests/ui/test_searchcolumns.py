"""Search columns in the window: offered where a search is slow, followed while they are made, removed in Settings."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import pytest
from fakedesk import FakeDesk
from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QApplication, QMenu
from pytestqt.qtbot import QtBot

from pod_desktop.core.faults import Outage, UserFault
from pod_desktop.query import parse
from pod_desktop.services.columns import FAILED, MAKING, READY, ColumnState, Cost, promotable
from pod_desktop.ui.connectors.confirm import Confirm
from pod_desktop.ui.events.slowpath import SlowPath
from pod_desktop.ui.searchcolumns import Columns, ColumnsDesk
from pod_desktop.ui.settings.columns import SearchColumns
from pod_desktop.ui.text import PlainLabel
from pod_desktop.ui.window import MainWindow

pytestmark = pytest.mark.usefixtures("worn")
PATH = "filter.modules.spam.scores.classifiers.phish"
QUERY = f"{PATH}:>50"


@dataclass
class World:
    """What promoting does, made up."""

    found: list[ColumnState] = field(default_factory=list)
    fault: Exception | None = None
    threads: set[int] = field(default_factory=set)

    def desk(self) -> ColumnsDesk:
        return ColumnsDesk(
            states=self._states, cost=self._cost, add=self._add, remove=self._remove, slow=self._slow
        )

    def _told(self) -> None:
        self.threads.add(threading.get_ident())
        if self.fault is not None:
            raise self.fault

    def _states(self) -> Sequence[ColumnState]:
        self._told()
        return list(self.found)

    def _cost(self, path: str) -> Cost:
        self._told()
        return Cost(1_000_000, 0.3, 42.0, 5_000_000)

    def _add(self, path: str) -> None:
        self._told()
        self.found.append(state(path, MAKING, "12 % done, about 40 seconds left.", 120))

    def _remove(self, path: str) -> None:
        self._told()
        self.found = [one for one in self.found if one.path != path]

    def _slow(self, text: str) -> Sequence[str]:
        self._told()
        return [one for one in promotable(parse(text, 0)) if one not in {known.path for known in self.found}]


def state(path: str, now: str, words: str, done: int) -> ColumnState:
    return ColumnState(
        path=path, made=0, state=now, words=words, records=1_000, records_done=done, bytes_disk=5_000_000,
        kinds={"message": 300},
    )  # fmt: skip


def words_of(widget: SlowPath | SearchColumns) -> str:
    return " ".join(
        label.text() for label in widget.findChildren(PlainLabel) if label.isVisibleTo(widget)
    ).replace("\u200b", "")


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def notice(qtbot: QtBot, world: World) -> Iterator[SlowPath]:
    made = SlowPath()
    made.columns = Columns(world.desk(), made)
    qtbot.addWidget(made)
    yield made
    made.stop()
    assert threading.get_ident() not in world.threads


def question(qtbot: QtBot, widget: SlowPath | MainWindow) -> Confirm:
    qtbot.waitUntil(lambda: bool(widget.findChildren(Confirm)))
    return widget.findChildren(Confirm)[0]


def test_a_quick_search_and_one_by_columns_of_the_store_offer_nothing(
    qtbot: QtBot, notice: SlowPath, world: World
) -> None:
    notice.told(QUERY, 0.4)
    notice.told("sender:bob@contoso.example", 5.0)
    qtbot.waitUntil(lambda: bool(world.threads))
    notice.told("", 5.0)
    qtbot.wait(50)
    assert notice.isHidden()


def test_a_slow_search_offers_it_tells_the_cost_and_follows_it_to_its_end(
    qtbot: QtBot, notice: SlowPath, world: World
) -> None:
    notice.told(QUERY, 1.5)
    qtbot.waitUntil(lambda: not notice.isHidden())
    assert f"{PATH} has no index, so every record is read." in words_of(notice)
    notice.make.click()
    asked = question(qtbot, notice)
    said = " ".join(label.text() for label in asked.findChildren(PlainLabel)).replace("\u200b", "")
    assert "42 seconds" in said and "5.0 MB" in said and "1,000,000" in said
    assert not world.found
    asked.way_on.click()
    qtbot.waitUntil(lambda: "12 % done" in words_of(notice))
    assert notice.make.isHidden()
    notice.told("another", 0.1)
    assert not notice.isHidden()
    world.found = [
        replace(world.found[0], state=FAILED, words="The disk is full. It is tried again by itself.")
    ]
    qtbot.waitUntil(lambda: "The disk is full" in words_of(notice))
    world.found = [replace(world.found[0], state=READY, words="Ready; 5.0 MB on the disk.")]
    qtbot.waitUntil(lambda: "is a search column now" in words_of(notice))
    with qtbot.waitSignal(notice.search_again):
        notice.again.click()
    assert notice.isHidden()


def test_what_was_declined_is_not_offered_again(qtbot: QtBot, notice: SlowPath, world: World) -> None:
    notice.told(QUERY, 1.5)
    qtbot.waitUntil(lambda: not notice.isHidden())
    notice.away.click()
    assert notice.isHidden()
    world.threads.clear()
    notice.told(f"{PATH}:>60", 1.5)
    qtbot.waitUntil(lambda: bool(world.threads))
    qtbot.wait(50)
    assert notice.isHidden()


def test_another_question_takes_the_offer_away(qtbot: QtBot, notice: SlowPath) -> None:
    notice.told(QUERY, 1.5)
    qtbot.waitUntil(lambda: not notice.isHidden())
    notice.told("sender:bob@contoso.example", 0.0)
    assert notice.isHidden()


def test_why_it_cannot_be_made_is_told(qtbot: QtBot, notice: SlowPath, world: World) -> None:
    notice.told(QUERY, 1.5)
    qtbot.waitUntil(lambda: not notice.isHidden())
    world.fault = UserFault("There are 16 search columns already.", "path", "Remove one of them first.")
    notice.make.click()
    asked = question(qtbot, notice)
    said = " ".join(label.text() for label in asked.findChildren(PlainLabel))
    assert "16 search columns" in said and asked.way_on.isHidden() and asked.cancel.text() == "Close"
    asked.cancel.click()


def test_settings_list_them_with_progress_and_remove_them(qtbot: QtBot, world: World) -> None:
    world.found = [
        state(PATH, MAKING, "12 % done.", 120),
        state("filter.qid", READY, "Ready; 5.0 MB on the disk.", 1_000),
    ]
    card = SearchColumns(world.desk())
    qtbot.addWidget(card)
    card.show()
    qtbot.waitUntil(lambda: len(card.rows) == 2)
    first, second = card.rows
    assert first.bar.value() == 120 and not first.bar.isHidden() and second.bar.isHidden()
    qtbot.waitUntil(lambda: "12 % done. In 300 message records." in words_of(card))
    first.remove.click()
    qtbot.waitUntil(lambda: len(card.rows) == 1)
    world.fault = Outage("The disk is full.", "ledger.db")
    second.remove.click()
    qtbot.waitUntil(lambda: "The disk is full." in words_of(card))
    assert second.remove.isEnabled()
    world.fault, world.found = None, []
    card.refresh()
    qtbot.waitUntil(lambda: not card.rows)
    assert "There are none." in words_of(card) and card.fault.isHidden()
    card.stop()


def test_the_menu_of_a_field_offers_it_where_it_helps(
    qtbot: QtBot, make_window: Callable[..., MainWindow], desk: FakeDesk, world: World
) -> None:
    window = make_window(desk)
    page = window.events

    def menu(path: str) -> QMenu:
        page.detail.field_menu_asked.emit(page.model.row(0), "", path, 7, QPoint(100, 100))
        found = QApplication.activePopupWidget()
        assert isinstance(found, QMenu)
        return found

    def words(found: QMenu) -> list[str]:
        found.close()
        return [action.text() for action in found.actions()]

    assert "Make Search Column …" not in words(menu(PATH))
    page.slow_path.columns = Columns(world.desk(), page)
    shown = menu(PATH)
    next(one for one in shown.actions() if one.text() == "Make Search Column …").trigger()
    shown.close()
    question(qtbot, window).way_on.click()
    qtbot.waitUntil(lambda: "12 % done" in words_of(page.slow_path))
    page.detail.field_menu_asked.emit(page.model.row(0), "subject", "", "x", QPoint(100, 100))
    found = QApplication.activePopupWidget()
    assert isinstance(found, QMenu) and "Make Search Column …" not in words(found)
