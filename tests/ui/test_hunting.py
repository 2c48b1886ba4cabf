"""Journey, Seen before and Statistics in the window: off its thread, in words, by keyboard, never fooled."""

from __future__ import annotations

import csv
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from fakedesk import FakeDesk, outage, row
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu, QPushButton
from pytestqt.qtbot import QtBot

from pace import quick
from pod_desktop.core.faults import Unwanted
from pod_desktop.core.record import AUDIT, MAILLOG, EventRow
from pod_desktop.services.journey import Event, Journey, RecipientOutcome
from pod_desktop.services.seen import Seen
from pod_desktop.services.statistics import OVER_TIME, RANKED, TITLES, Bar, Part
from pod_desktop.ui.bridge import Job
from pod_desktop.ui.detail.journey import MOST_EVENTS, JourneyView, RecipientButton, StepButton
from pod_desktop.ui.detail.seen import SeenBefore
from pod_desktop.ui.events.rangedialog import RangeDialog
from pod_desktop.ui.hunting import STATISTICS, Hunting, add_hunting
from pod_desktop.ui.statistics.page import StatisticsPage
from pod_desktop.ui.text import PlainLabel
from pod_desktop.ui.theme import DARK
from pod_desktop.ui.window import MainWindow

Make = Callable[..., MainWindow]
SECOND = 1_000_000


@dataclass
class HuntDesk(FakeDesk):
    """Journeys of two records each; everything seen ten times; statistics of one bar a part."""

    journeys: dict[int, Journey] = field(default_factory=dict)
    journey_fault: Exception | None = None
    slow: float = 0.0
    slowly: int = 0
    given_up: int = 0
    seen_asked: list[int] = field(default_factory=list)
    label: str = "a@b.example"
    counted: list[tuple[int | None, int]] = field(default_factory=list)

    def _wait(self, job: Job) -> None:
        self.slowly += bool(self.slow)
        until = time.monotonic() + self.slow
        while time.monotonic() < until:
            if job.cancelled:
                self.given_up += 1
                raise Unwanted("No longer wanted.")
            time.sleep(0.002)

    def journey(self, found: EventRow, job: Job) -> Journey:
        self._wait(job)
        if self.journey_fault is not None:
            raise self.journey_fault
        return self.journeys.get(found.seq) or journey_of(found, self.rows[0])

    def seen(self, found: EventRow, job: Job) -> Sequence[Seen]:
        self.seen_asked.append(found.seq)
        self._wait(job)
        return (
            Seen(
                label="This sender", value=found.sender, query=f'sender:"{found.sender}"', kind="message",
                since=found.time - 7, until=found.time + 1, records=10, delivered=4,
            ),
        )  # fmt: skip

    def statistics(self, since: int | None, until: int, job: Job) -> Iterator[Part]:
        self.counted.append((since, until))
        for key in TITLES:
            self._wait(job)
            if self.fault is not None:
                raise self.fault
            if key == "countries":
                yield Part(key=key, form=RANKED, bars=(), kinds=("message",))
                continue
            over = key == "volume"
            bars = tuple(
                Bar(
                    label=f"{self.label} {number}", count=10 - number, query="" if over else f"{key}:{number}",
                    stack=(("delivered", 6), ("rejected", 4 - number)) if over else (),
                    since=number * SECOND if over else None, until=(number + 1) * SECOND if over else None,
                )
                for number in range(4)
            )  # fmt: skip
            yield Part(key=key, form=OVER_TIME if over else RANKED, bars=bars, kinds=("message",), note="Approximate: from 5 of 9 records.")  # fmt: skip


def journey_of(
    first: EventRow, other: EventRow, title: str = "Sent: j@acme.example", events: int = 2
) -> Journey:
    rows = (first, other)
    steps = tuple(
        Event(first.time + number, rows[number % 2].kind, title, "250 Ok", "good", rows[number % 2].record_id, rows[number % 2].seq)
        for number in range(events)
    )  # fmt: skip
    people = (RecipientOutcome("j@acme.example", "delivered", "250 Ok", first.time, 1_204, 3, other.seq),)
    return Journey(
        events=steps, recipients=people, note="2 records, joined by queue id", verdict="Delivered to 1 of 1 recipient",
        tone="good", rows=rows,
    )  # fmt: skip


@pytest.fixture
def desk() -> HuntDesk:
    now = time.time_ns() // 1000
    return HuntDesk(rows=[row(number, now - (300 - number) * SECOND) for number in range(300)])


@pytest.fixture
def hunt(make_window: Make, desk: HuntDesk) -> Iterator[Hunting]:
    window = make_window(desk)
    made = add_hunting(window)
    yield made
    made.give_up()
    assert made.worker().stop()
    if STATISTICS in window._made:
        page = window.page(STATISTICS)
        assert isinstance(page, StatisticsPage)
        page.stop()


def journey_tab(qtbot: QtBot, hunt: Hunting, at: int = 0) -> JourneyView:
    window = hunt._window
    window.events.table.go_to(at)
    window.show_tab(hunt.journey_tab)
    view = window.events.detail.view(hunt.journey_tab)
    assert isinstance(view, JourneyView)
    return view


def labels(view: JourneyView) -> str:
    return "\n".join(label.text().replace("\u200b", "") for label in view.widget().findChildren(PlainLabel))


class TestJourney:
    def test_the_menu_of_a_cell_shows_it(self, qtbot: QtBot, hunt: Hunting, desk: HuntDesk) -> None:
        window = hunt._window
        place = window.events.model.place_of("subject")
        window.events.table.menu_asked.emit(window.events.model.row(3), place, QPoint(100, 100))
        menu = QApplication.activePopupWidget()
        assert isinstance(menu, QMenu)
        next(action for action in menu.actions() if action.text() == "Show Journey").trigger()
        menu.close()
        view = window.events.detail.view(hunt.journey_tab)
        assert isinstance(view, JourneyView) and view.isVisible()
        qtbot.waitUntil(lambda: view.journey is not None)
        assert window.events.detail.row == window.events.model.row(3)

    def test_a_record_that_no_journey_is_made_of_offers_none(self, qtbot: QtBot, hunt: Hunting) -> None:
        (command,) = [
            one for one in hunt._window.events.on_records.record_commands if one.words == "Show Journey"
        ]
        message = row(1, 0)
        assert command.fits(message) and command.fits(message._replace(kind=MAILLOG))
        assert not command.fits(message._replace(kind=AUDIT))

    def test_events_stand_on_a_line_and_recipients_below(self, qtbot: QtBot, hunt: Hunting) -> None:
        view = journey_tab(qtbot, hunt)
        qtbot.waitUntil(lambda: view.journey is not None)
        shown = labels(view)
        for words in (
            "joined by queue id",
            "Sent: j@acme.example",
            "Delivered to 1 of 1 recipient",
            "3 tries",
        ):
            assert words in shown
        steps = view.findChildren(StepButton)
        assert len(steps) == 2
        assert "Sent: j@acme.example" in steps[0].accessibleName()
        assert "the record shown" in steps[0].accessibleName()

    def test_a_click_opens_the_record_that_tells_it_and_the_tab_stays(self, qtbot: QtBot, hunt: Hunting, desk: HuntDesk) -> None:  # fmt: skip
        view = journey_tab(qtbot, hunt)
        qtbot.waitUntil(lambda: len(view.findChildren(StepButton)) == 2)
        qtbot.mouseClick(view.findChildren(StepButton)[1], Qt.MouseButton.LeftButton)
        pane = hunt._window.events.detail
        assert pane.row is not None and pane.row.seq == desk.rows[0].seq
        assert pane.tabs.currentIndex() == hunt.journey_tab
        qtbot.waitUntil(lambda: desk.read[-1] == desk.rows[0].seq)

    def test_by_keyboard_too(self, qtbot: QtBot, hunt: Hunting, desk: HuntDesk) -> None:
        view = journey_tab(qtbot, hunt)
        qtbot.waitUntil(lambda: bool(view.findChildren(RecipientButton)))
        button = view.findChildren(RecipientButton)[0]
        button.setFocus()
        qtbot.keyClick(button, Qt.Key.Key_Space)
        pane = hunt._window.events.detail
        assert pane.row is not None and pane.row.seq == desk.rows[0].seq

    def test_it_is_not_asked_for_before_it_is_looked_at(
        self, qtbot: QtBot, hunt: Hunting, desk: HuntDesk
    ) -> None:
        desk.journey_fault = AssertionError("nobody looked")
        window = hunt._window
        window.events.table.go_to(3)
        qtbot.waitUntil(lambda: bool(desk.seen_asked))
        assert not window.events.detail.has_view(hunt.journey_tab)

    def test_the_window_does_not_wait_and_what_is_not_wanted_is_given_up(self, qtbot: QtBot, hunt: Hunting, desk: HuntDesk) -> None:  # fmt: skip
        desk.slow = 60.0
        view = journey_tab(qtbot, hunt)
        with quick(3):
            for at in range(1, 4):
                hunt._window.events.table.go_to(at)
                qtbot.waitUntil(lambda at=at: desk.read[-1:] == [299 - at])
        qtbot.waitUntil(lambda: "Looking for what belongs to it" in labels(view))
        qtbot.waitUntil(lambda: desk.slowly > 0)
        desk.slow = 0.0
        hunt._window.events.table.go_to(4)
        qtbot.waitUntil(lambda: view.journey is not None and view.journey.row(295) is not None)
        qtbot.waitUntil(lambda: desk.given_up > 0)

    def test_what_cannot_be_told_says_why(self, qtbot: QtBot, hunt: Hunting, desk: HuntDesk) -> None:
        desk.journey_fault = outage("Its block is damaged.")
        view = journey_tab(qtbot, hunt)
        qtbot.waitUntil(lambda: "Its block is damaged." in labels(view))

    def test_long_and_hostile_journeys_are_drawn_in_part_and_as_text(self, qtbot: QtBot, hunt: Hunting, desk: HuntDesk) -> None:  # fmt: skip
        evil = "<img src=file:///etc/passwd>&File \u202egpj" + "x" * 5_000
        found = desk.rows[299]
        desk.journeys[299] = journey_of(found, desk.rows[0], evil, events=MOST_EVENTS + 50)
        view = journey_tab(qtbot, hunt)
        qtbot.waitUntil(lambda: len(view.findChildren(StepButton)) == MOST_EVENTS)
        assert "and 50 more events" in labels(view)
        for label in view.widget().findChildren(PlainLabel):
            assert label.textFormat() == Qt.TextFormat.PlainText
            assert "\u202e" not in label.text()

    @pytest.mark.parametrize("size", [(1100, 700), (1440, 900)])
    def test_nothing_is_cut_off_at_any_width(
        self, qtbot: QtBot, hunt: Hunting, size: tuple[int, int]
    ) -> None:
        hunt._window.resize(*size)
        view = journey_tab(qtbot, hunt)
        qtbot.waitUntil(lambda: bool(view.findChildren(StepButton)))
        QTest.qWait(50)
        for button in view.findChildren(QPushButton):
            for label in button.findChildren(PlainLabel):
                place = label.mapTo(button, QPoint(0, 0))
                assert place.y() + label.heightForWidth(label.width()) <= button.height() + 1
                assert place.x() + label.width() <= button.width() + 1


class TestSeenBefore:
    def test_it_comes_after_the_summary_and_leads_to_the_search(self, qtbot: QtBot, hunt: Hunting, desk: HuntDesk) -> None:  # fmt: skip
        window = hunt._window
        window.events.table.go_to(0)
        summary = window.events.detail.summary
        qtbot.waitUntil(lambda: bool(summary.findChildren(SeenBefore)))
        (seen,) = summary.findChildren(SeenBefore)
        (link,) = seen.findChildren(QPushButton)
        assert link.text() == "10 messages" and "4 delivered" in link.accessibleName()
        link.click()
        question = window.events.question()
        assert question.text == 'sender:"sender299@contoso.example"'
        assert question.kinds == ("message",)
        time_of = desk.rows[299].time
        assert question.since == time_of - 7 and question.until is not None and question.until > time_of

    def test_it_never_delays_the_record(self, qtbot: QtBot, hunt: Hunting, desk: HuntDesk) -> None:
        desk.slow = 30.0
        window = hunt._window
        for at in range(4):
            window.events.table.go_to(at)
            qtbot.waitUntil(lambda at=at: desk.read[-1:] == [299 - at])
        assert not window.events.detail.summary.findChildren(SeenBefore)

    def test_it_is_about_the_record_shown_also_on_another_tab(self, qtbot: QtBot, hunt: Hunting, desk: HuntDesk) -> None:  # fmt: skip
        window = hunt._window
        window.events.table.go_to(0)
        summary = window.events.detail.summary
        qtbot.waitUntil(lambda: bool(summary.findChildren(SeenBefore)))
        window.show_tab(2)
        window.events.table.go_to(7)
        qtbot.waitUntil(lambda: desk.seen_asked[-1] == 292)
        QTest.qWait(50)
        window.show_tab(0)
        (seen,) = summary.findChildren(SeenBefore)
        assert seen.findChildren(QPushButton)[0].toolTip().find("sender292@contoso.example") >= 0


class TestStatistics:
    def page(self, qtbot: QtBot, hunt: Hunting) -> StatisticsPage:
        hunt._window.go(STATISTICS)
        page = hunt._window.page(STATISTICS)
        assert isinstance(page, StatisticsPage)
        qtbot.waitUntil(lambda: not page.running)
        return page

    def test_every_part_is_a_plot_with_words_and_a_table(self, qtbot: QtBot, hunt: Hunting) -> None:
        page = self.page(qtbot, hunt)
        for key, card in page.cards.items():
            assert card.part is not None
            if key == "countries":
                assert not card.toggle.isVisible()
                continue
            assert card.plot is not None and card.plot.accessibleDescription().startswith(TITLES[key])
            assert card.table.rowCount() == 4 and card.table.item(0, 1).text() == "10"
            assert card.note.text() == "Approximate: from 5 of 9 records."
        card = page.cards["senders"]
        card.toggle.click()
        assert card.table.isVisible() and card.toggle.text() == "Show as plot"

    def test_a_click_on_a_bar_leads_to_its_search(self, qtbot: QtBot, hunt: Hunting, desk: HuntDesk) -> None:
        page = self.page(qtbot, hunt)
        page._scroll.ensureWidgetVisible(page.cards["senders"])
        plot = page.cards["senders"].plot
        assert plot is not None
        QTest.qWait(50)
        place = next(
            QPoint(plot.width() // 2, y) for y in range(0, plot.height(), 3) if plot.bar_at(QPoint(plot.width() // 2, y).toPointF()) == 2
        )  # fmt: skip
        qtbot.mouseClick(plot.viewport(), Qt.MouseButton.LeftButton, pos=place)
        window = hunt._window
        assert window.stack.currentWidget() is window.events
        question = window.events.question()
        assert (question.text, question.kinds) == ("senders:2", ("message",))
        assert (question.since, question.until) == desk.counted[-1]

    def test_bars_over_time_lead_to_their_stretch(self, qtbot: QtBot, hunt: Hunting) -> None:
        page = self.page(qtbot, hunt)
        plot = page.cards["volume"].plot
        assert plot is not None
        plot.setFocus(Qt.FocusReason.TabFocusReason)
        qtbot.keyClick(plot, Qt.Key.Key_Right)
        assert (
            "6 delivered" not in plot.accessibleDescription() and "9 records" in plot.accessibleDescription()
        )
        with qtbot.waitSignal(page.search_asked) as asked:
            qtbot.keyClick(plot, Qt.Key.Key_Return)
        assert asked.args == ["", ("message",), SECOND, 2 * SECOND]

    def test_nothing_is_counted_before_it_is_looked_at(
        self, qtbot: QtBot, hunt: Hunting, desk: HuntDesk
    ) -> None:
        QTest.qWait(50)
        assert desk.counted == []

    def test_a_range_is_chosen_and_counted(self, qtbot: QtBot, hunt: Hunting, desk: HuntDesk) -> None:
        page = self.page(qtbot, hunt)
        self.pick(qtbot, page, "All time")
        assert desk.counted[-1][0] is None
        self.pick(qtbot, page, "Last hour")
        since, until = desk.counted[-1]
        assert since is not None and until - since == 3_600 * SECOND

    def pick(self, qtbot: QtBot, page: StatisticsPage, words: str) -> None:
        next(one for one in page.range.menu().actions() if one.text() == words).trigger()
        qtbot.waitUntil(lambda: not page.running)

    def typed(self, qtbot: QtBot, page: StatisticsPage, since: str, until: str) -> None:
        page.choose_range()
        dialog = page.window().findChild(RangeDialog)
        assert dialog is not None
        dialog.since.setText(since)
        dialog.until.setText(until)
        assert dialog.ok.isEnabled()
        dialog.take()
        qtbot.waitUntil(lambda: not page.running and page.window().findChild(RangeDialog) is None)

    def test_two_moments_are_typed_in_the_zone_of_the_window_and_carried_into_the_search(
        self, qtbot: QtBot, hunt: Hunting, desk: HuntDesk
    ) -> None:
        hunt._window.use_utc(True)
        page = self.page(qtbot, hunt)
        self.typed(qtbot, page, "2024-12-30", "2025-01-02 06:00:00")
        begin = 1_735_516_800 * SECOND
        assert desk.counted[-1] == (begin, begin + (3 * 86_400 + 6 * 3_600 + 1) * SECOND)
        assert "2024-12-30 00:00 – 2025-01-02 06:00" in page.range.text()
        plot = page.cards["senders"].plot
        assert plot is not None
        plot.chosen.emit(page.cards["senders"].part.bars[1])
        question = hunt._window.events.question()
        assert (question.text, question.since, question.until) == ("senders:1", *desk.counted[-1])
        page = self.page(qtbot, hunt)
        self.typed(qtbot, page, "", "2025-01-01")
        assert desk.counted[-1] == (None, begin + 3 * 86_400 * SECOND)
        self.typed(qtbot, page, "2025-01-01", "")
        assert desk.counted[-1][0] == begin + 2 * 86_400 * SECOND and desk.counted[-1][1] > begin

    def test_what_is_no_range_is_told_beside_it_and_counts_nothing(
        self, qtbot: QtBot, hunt: Hunting, desk: HuntDesk
    ) -> None:
        page = self.page(qtbot, hunt)
        before = len(desk.counted)
        hunt._window.menus._choose_range()  # Ctrl+T: of the page in front
        dialog = hunt._window.findChild(RangeDialog)
        assert dialog is not None and hunt._window.stack.currentWidget() is page
        for since, until, line, words in (
            ("the other day", "", dialog.since, "the other day"),
            ("2025-01-02", "2025-01-01", dialog.until, "not after From"),
            ("now+2d", "", dialog.since, "still to come"),
        ):
            dialog.since.setText(since)
            dialog.until.setText(until)
            assert not dialog.ok.isEnabled() and words in line.accessibleDescription()
            dialog.take()
        dialog.reject()
        assert len(desk.counted) == before

    def test_the_range_of_the_events_page_is_taken_over(
        self, qtbot: QtBot, hunt: Hunting, desk: HuntDesk
    ) -> None:
        page = self.page(qtbot, hunt)
        hunt._window.events.range.fix(5 * SECOND, 9 * SECOND)
        self.pick(qtbot, page, "As in Events")
        assert desk.counted[-1] == (5 * SECOND, 9 * SECOND)
        hunt._window.events.range.choose(15 * 60 * SECOND)
        self.pick(qtbot, page, "As in Events")
        since, until = desk.counted[-1]
        assert since is not None and until - since == 900 * SECOND
        assert page.range.text().startswith("Last 15 minutes")

    def test_the_range_is_remembered_by_profile(self, qtbot: QtBot, hunt: Hunting, desk: HuntDesk) -> None:
        window = hunt._window
        page = self.page(qtbot, hunt)
        assert page.range.span == 86_400 * SECOND
        self.pick(qtbot, page, "Last 7 days")
        window.profiles.use("of a case")
        page.range.fix(5 * SECOND, 9 * SECOND)
        kept = StatisticsPage(desk, window.zone, window.preferences, lambda: (None, None, None))
        qtbot.addWidget(kept)
        assert (kept.range.span, kept.range.since, kept.range.until) == (None, 5 * SECOND, 9 * SECOND)
        kept.stop()
        window.profiles.use("")
        qtbot.waitUntil(lambda: not page.running)
        since, until = desk.counted[-1]
        assert since is not None and until - since == 7 * 86_400 * SECOND
        window.preferences.set_data("statistics/range", ["x", None])
        page.reload()
        assert page.range.span == 86_400 * SECOND
        qtbot.waitUntil(lambda: not page.running)

    def test_another_zone_names_the_bars_anew(self, qtbot: QtBot, hunt: Hunting, desk: HuntDesk) -> None:
        page = self.page(qtbot, hunt)
        before = len(desk.counted)
        hunt._window.restyle()
        assert len(desk.counted) == before, "colours alone count nothing"
        page._counted_zone = "UTC+99:00"
        hunt._window.restyle()
        qtbot.waitUntil(lambda: not page.running)
        assert len(desk.counted) == before + 1

    def test_counting_is_cancelled_and_the_window_never_waits(self, qtbot: QtBot, hunt: Hunting, desk: HuntDesk) -> None:  # fmt: skip
        desk.slow = 30.0
        with quick(2):
            hunt._window.go(STATISTICS)
            page = hunt._window.page(STATISTICS)
            assert isinstance(page, StatisticsPage)
            qtbot.waitUntil(page.cancel_button.isVisible)
        qtbot.waitUntil(lambda: bool(desk.counted))
        page.cancel_button.click()
        qtbot.waitUntil(lambda: desk.given_up == 1)
        assert page.told.text() == "Stopped" and not page.running

    def test_a_fault_is_told_and_can_be_tried_again(
        self, qtbot: QtBot, hunt: Hunting, desk: HuntDesk
    ) -> None:
        desk.fault = outage("The catalog is damaged.")
        page = self.page(qtbot, hunt)
        assert "The catalog is damaged." in page.fault.accessibleName()
        desk.fault = None
        page.ask()
        qtbot.waitUntil(lambda: page.cards["tls"].part is not None)
        assert not page.fault.isVisible()

    def test_exported_as_table_and_as_picture(self, qtbot: QtBot, hunt: Hunting, desk: HuntDesk, tmp_path: Path) -> None:  # fmt: skip
        desk.label = "=cmd|'x'!a"
        page = self.page(qtbot, hunt)
        page.export_to(tmp_path / "s.csv")
        rows = list(csv.reader((tmp_path / "s.csv").read_text(encoding="utf-8-sig").splitlines()))
        assert len(rows) == 1 + 4 * (len(TITLES) - 1)
        assert all(not cell.startswith("=") for line in rows for cell in line)
        page.export_to(tmp_path / "s.png")
        assert f"Written to {tmp_path / 's.png'}" in page.written.accessibleName()
        image = QImage(str(tmp_path / "s.png"))
        assert image.width() > 600 and image.height() > 900
        page.export_to(tmp_path / "no" / "s.csv")
        assert "cannot be written" in page.written.accessibleName()

    def test_hostile_labels_are_only_text(self, qtbot: QtBot, hunt: Hunting, desk: HuntDesk) -> None:
        desk.label = "<b>x</b>\u202e\n" + "y" * 9_000
        page = self.page(qtbot, hunt)
        card = page.cards["senders"]
        assert "\u202e" not in card.table.item(0, 0).text() and "\n" not in card.table.item(0, 0).text()
        page.grab()

    def test_it_wears_both_themes_and_both_sizes(self, qtbot: QtBot, hunt: Hunting) -> None:
        page = self.page(qtbot, hunt)
        light = page.grab().toImage().pixelColor(300, 20)
        hunt._window.theme.choose(DARK)
        assert page.grab().toImage().pixelColor(300, 20).lightness() < light.lightness()
        plot = page.cards["volume"].plot
        assert plot is not None and plot.backgroundBrush().color().lightness() < 60
        hunt._window.resize(900, 560)
        qtbot.waitUntil(lambda: page._columns == 1)
        qtbot.waitUntil(lambda: page.cards["rules"].x() == page.cards["senders"].x())
