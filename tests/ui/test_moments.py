"""How moments are named: as short as they can be without being taken for others."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from pod_desktop.core.clock import DAY, HOUR, MINUTE, SECOND
from pod_desktop.ui.events.timerange import range_words
from pod_desktop.ui.moments import Zone

YEAR = datetime.now(UTC).year
ZONE = Zone(utc=True)


def at(year: int, month: int = 6, day: int = 1, hour: int = 0, minute: int = 0, second: int = 0) -> int:
    return round(datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp()) * SECOND


def test_hours_and_minutes_of_this_year_have_day_and_time() -> None:
    assert ZONE.label([at(YEAR, hour=9), at(YEAR, hour=10)], HOUR) == ["Jun 01 09:00", "Jun 01 10:00"]
    assert ZONE.label([at(YEAR, hour=9)], MINUTE) == ["Jun 01 09:00"]


def test_seconds_are_told_apart() -> None:
    start = at(YEAR, hour=9)
    names = ZONE.label([start, start + 15 * SECOND], 15 * SECOND)
    assert names == ["Jun 01 09:00:00", "Jun 01 09:00:15"]


def test_days_have_no_time() -> None:
    assert ZONE.label([at(YEAR, 6, 1), at(YEAR, 6, 3)], 2 * DAY) == ["Jun 01", "Jun 03"]
    assert ZONE.label([at(YEAR, 6, 1)], HOUR) == ["Jun 01 00:00"]


def test_a_year_stands_where_it_is_not_this_one_or_more_than_one() -> None:
    assert ZONE.label([at(YEAR - 2)], 30 * DAY) == [f"{YEAR - 2}-06-01"]
    assert ZONE.label([at(YEAR - 1, 12, 31), at(YEAR, 1, 1)], DAY) == [f"{YEAR - 1}-12-31", f"{YEAR}-01-01"]
    assert ZONE.label([at(YEAR - 1, 6, 1, 9)], HOUR) == [f"{YEAR - 1}-06-01 09:00"]


def test_a_year_stands_where_what_was_asked_for_goes_over_one() -> None:
    assert ZONE.label([at(YEAR)], DAY, (at(YEAR - 1), at(YEAR, 6, 2))) == [f"{YEAR}-06-01"]
    assert ZONE.label([at(YEAR, 12, 31)], 2 * DAY) == [f"{YEAR}-12-31"]


def test_of_nothing_nothing_is_named() -> None:
    assert ZONE.label([], HOUR) == []


def test_absurd_moments_have_a_name() -> None:
    assert ZONE.label([-(1 << 62), 1 << 61], DAY)[0].startswith("1-01-01")


@pytest.fixture
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[Zone]:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield Zone()
    monkeypatch.undo()
    time.tzset()


def test_the_hour_that_comes_twice_is_told_apart_by_its_offset(berlin: Zone) -> None:
    begin = at(2019, 10, 27)  # clocks go back at 01:00 UTC
    assert berlin.label([begin, begin + HOUR], HOUR) == [
        "2019-10-27 02:00 +02:00",
        "2019-10-27 02:00 +01:00",
    ]


def test_days_that_begin_at_another_hour_of_the_zone_say_so(berlin: Zone) -> None:
    assert berlin.label([at(2019, 6, 1), at(2019, 6, 2)], DAY) == ["2019-06-01 02:00", "2019-06-02 02:00"]


def test_a_range_in_words_has_years_where_they_are_not_plain() -> None:
    assert range_words(ZONE, at(YEAR, 6, 1, 9), at(YEAR, 6, 1, 10)) == "Jun 01 09:00:00 – 10:00:00"
    assert range_words(ZONE, at(YEAR, 6, 1), at(YEAR, 6, 3)) == "Jun 01 00:00 – Jun 03 00:00"
    earlier = YEAR - 1
    assert range_words(ZONE, at(earlier), at(YEAR)) == f"{earlier}-06-01 00:00 – {YEAR}-06-01 00:00"
    assert range_words(ZONE, at(earlier), at(earlier, hour=1)) == f"{earlier}-06-01 00:00:00 – 01:00:00"
    assert range_words(ZONE, at(earlier), None) == f"Since {earlier}-06-01 00:00"
    assert range_words(ZONE, None, at(YEAR)) == "Until Jun 01 00:00"
