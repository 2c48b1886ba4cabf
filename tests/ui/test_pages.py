"""The window of rows in memory: whatever is inserted wherever, a row that is here is the right one."""

from __future__ import annotations

from fakedesk import row
from hypothesis import given
from hypothesis import strategies as st

from pod_desktop.ui.events.pages import KEPT_PAGES, PAGE_ROWS, Pages


def _runs(places: list[int]) -> list[tuple[int, int]]:
    runs: list[tuple[int, int]] = []
    for place in places:
        if runs and sum(runs[-1]) == place:
            runs[-1] = (runs[-1][0], runs[-1][1] + 1)
        else:
            runs.append((place, 1))
    return runs


@given(st.data())
def test_rows_stay_under_their_place_whatever_is_inserted(data: st.DataObject) -> None:
    newest_first = [row(number, number) for number in range(data.draw(st.integers(1, 1_200)))]
    pages = Pages()
    pages.put(0, newest_first[::-1])
    for _round in range(3):
        before = len(newest_first)
        count = data.draw(st.integers(1, 20))
        spots = data.draw(st.sets(st.integers(0, before + count - 1), min_size=count, max_size=count))
        old = iter(newest_first)
        newest_first = [
            row(10_000 + place, place) if place in spots else next(old) for place in range(before + count)
        ]
        pages.shift(before, _runs(sorted(spots)))
        total = len(newest_first)
        for number, expected in enumerate(newest_first):
            found = pages.get(total - 1 - number)
            if number in spots:
                assert found is None
                pages.put(total - 1 - number, [expected])
            else:
                assert found == expected


def test_rows_that_arrive_at_the_top_move_no_page() -> None:
    pages = Pages()
    pages.put(0, [row(1, 1), row(2, 2)])
    pages.shift(2, [(0, 500)])
    assert pages.get(1) == row(2, 2)


def test_pages_not_used_for_long_fall_out() -> None:
    pages = Pages()
    for page in range(KEPT_PAGES + 3):
        pages.put(page * PAGE_ROWS, [row(page, page)])
        pages.get(0)
    assert len(pages) == KEPT_PAGES
    assert pages.get(0) is not None
    assert pages.get(PAGE_ROWS) is None
