"""When an hour of the archive is whole, and what becomes of one that breaks off: pure rules."""

from __future__ import annotations

from typing import Any

import pytest

from pod_desktop.core.clock import HOUR, MINUTE, parse_iso
from pod_desktop.core.status import WAITING
from pod_desktop.services.collect_rules import (
    LONGEST_WAIT,
    MOST_TRIES,
    TRIES,
    Broken,
    Fetched,
    agree,
    broke_off,
    unfinished,
)
from pod_desktop.stream import verdict

NINE = parse_iso("2026-11-24T09:00Z")


def got(received: int, new: int = 0, code: str = "1006", **more: Any) -> Fetched:
    return Fetched(
        **{"received": received, "kept": received, "new": new, "end": verdict.of(code), "clean": False,
           "cut": False, **more}
    )  # fmt: skip


@pytest.mark.parametrize(
    ("counts", "last", "whole"),
    [
        ([5], got(5), False), ([5, 5], got(5), True), ([5, 6], got(6), False), ([5, 6, 6], got(6), True),
        ([5, 5], got(5, cut=True), False), ([5, 5], got(5, code="1011"), False),
        ([0, 0], got(0), False), ([0, 0, 0], got(0), True), ([5, 0, 0], got(0), False),
    ],
)  # fmt: skip
def test_an_hour_without_a_goodbye_is_whole_when_tries_agree(
    counts: list[int], last: Fetched, whole: bool
) -> None:
    assert agree(counts, last) is whole


def test_tries_go_on_while_they_give_something_new() -> None:
    tries = Broken()
    for number in range(TRIES):
        tries.note(got(20))
        assert tries.spent is (number == TRIES - 1)
    tries.put_off()
    for number in range(MOST_TRIES):
        tries.note(got(20 * number, new=20))
        assert tries.spent is (number == MOST_TRIES - 1)


def test_a_try_that_gives_something_new_counts_the_others_anew() -> None:
    tries = Broken()
    for new in (5, 0, 0, 1, 0, 0):
        tries.note(got(20, new=new))
        assert not tries.spent
    tries.note(got(20))
    assert tries.spent


def test_an_hour_is_put_off_longer_and_longer_up_to_six_hours() -> None:
    tries = Broken()
    waits = [tries.put_off() for _ in range(20)]
    assert waits[:4] == [10 * MINUTE, 20 * MINUTE, 40 * MINUTE, 80 * MINUTE]
    assert waits[-1] == LONGEST_WAIT == 6 * HOUR and waits == sorted(waits)


@pytest.mark.parametrize("end", [verdict.of("1006"), verdict.of("1011"), verdict.of("silent"), None])
def test_a_break_says_which_hour_and_how_much_of_it_came(end: verdict.Verdict | None) -> None:
    why = broke_off(NINE, got(1234, end=end))
    assert "in the hour from 24 November 2026, 09:00 UTC after 1,234 records." in why.what
    assert why.state == WAITING and "not stored twice" in why.hint
    assert why.code == ("silent" if end is None else end.code)


def test_what_a_person_has_to_mend_stays_so() -> None:
    assert broke_off(NINE, got(3, code="1008")).state != WAITING


def test_an_hour_that_is_put_off_says_until_when() -> None:
    told = unfinished(NINE, 4, 20 * MINUTE)
    assert "4 times in a row in the hour from 24 November 2026, 09:00 UTC" in told.what
    assert "asked for again in 20 minutes" in told.hint and told.code == "unfinished"
