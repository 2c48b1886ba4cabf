"""What is counted for the histogram: the right stretch, in a bearable number of bars, never a stale answer."""

from __future__ import annotations

import threading

from fakedesk import FakeDesk, row
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from pod_desktop.core.clock import DAY, HOUR, MINUTE, SECOND
from pod_desktop.ui.bridge import Job, Overview, Question
from pod_desktop.ui.events.counting import Counting, Counts, stretch
from pod_desktop.ui.events.timerange import BARS, bar_width

NOW = 1_700_000_000 * SECOND


@given(st.integers(1, 200 * 365 * DAY))
def test_a_stretch_is_never_more_than_so_many_bars(length: int) -> None:
    assert 1 <= -(-length // bar_width(length)) <= BARS


@given(
    span=st.none() | st.integers(1, 40 * DAY),
    oldest=st.none() | st.integers(-(10**18), 10**18),
    newest=st.none() | st.integers(-(10**18), 10**18),
)
def test_a_stretch_always_has_a_beginning_before_its_end(
    span: int | None, oldest: int | None, newest: int | None
) -> None:
    since, until, every = stretch(Question(span=span), Overview(oldest=oldest, newest=newest), NOW)
    assert since < until
    assert every > 0


def test_the_live_edge_moves_with_the_clock_and_an_archive_ends_at_its_newest() -> None:
    live = stretch(Question(), Overview(oldest=NOW - HOUR, newest=NOW - MINUTE), NOW)
    old = stretch(Question(), Overview(oldest=NOW - 3 * DAY, newest=NOW - 2 * DAY), NOW)
    assert live[:2] == (NOW - HOUR, NOW)
    assert old[:2] == (NOW - 3 * DAY, NOW - 2 * DAY + SECOND)


def test_the_answer_to_an_older_question_is_dropped(qtbot: QtBot) -> None:
    desk = FakeDesk(rows=[row(number, NOW) for number in range(3)])
    held, original = threading.Event(), desk.histogram

    def slow(
        question: Question, since: int, until: int, every: int, job: Job | None = None
    ) -> list[tuple[int, str, int]]:
        if question.text == "first":
            held.wait(5)
        return original(question, since, until, every)

    desk.histogram = slow  # type: ignore[method-assign]
    owner = QObject()
    counting = Counting(desk, Overview, owner)
    seen: list[Counts] = []
    counting.counted.connect(seen.append)
    counting.ask(Question(text="first", since=NOW - HOUR, until=NOW))
    counting.ask(Question(text="subject", since=NOW - DAY, until=NOW + 1))
    held.set()
    qtbot.waitUntil(lambda: bool(seen))
    assert [counts.since for counts in seen[:1]] == [NOW - DAY]
    assert seen[0].of == 3
    counting.stop()
