"""Which hours are covered, and which the archive must give: pure arithmetic."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pod_desktop.core.clock import DAY, HOUR, MINUTE, SECOND, parse_iso
from pod_desktop.services.backfill import BUFFER, GRACE, SETTLE, Coverage
from pod_desktop.stream import first_in_reach, hour_begin, hour_of

NOON = parse_iso("2026-11-24T12:00Z")
NOW = NOON + 20 * MINUTE


def fresh(span: int = 5 * HOUR, *, created: int = NOW, backfill: bool = True) -> Coverage:
    return Coverage.begin(created - span, created=created, backfill=backfill)


def test_a_new_stream_misses_every_hour_since_its_start_newest_first() -> None:
    hours = fresh().missing(NOW)
    assert hours == [hour_of(NOON) - back for back in range(1, 6)]
    assert fresh().unfinished(NOW, unbroken=False) == (NOON, NOW)


def test_an_hour_is_asked_for_only_once_it_has_settled() -> None:
    covered = fresh()
    hour = hour_of(NOON)
    end = hour_begin(hour + 1)
    assert hour not in covered.missing(end + SETTLE - 1)
    assert covered.missing(end + SETTLE)[0] == hour


def test_fetched_hours_are_not_missing_any_more() -> None:
    covered = fresh()
    for hour in covered.missing(NOW):
        covered = covered.fetched(hour)
    assert covered.missing(NOW) == []
    assert covered.missing(NOW + HOUR) == [hour_of(NOON)]


def test_an_hour_within_one_unbroken_live_session_needs_no_archive() -> None:
    covered = fresh(HOUR).fetched(hour_of(NOON) - 1).connected(NOON - 1, unbroken=False).heard(NOON + HOUR)
    assert hour_of(NOON) not in covered.missing(NOON + 2 * HOUR)
    assert hour_of(NOON) + 1 in covered.missing(NOON + 3 * HOUR)


def test_the_hour_in_which_a_session_broke_is_fetched_once_it_is_over() -> None:
    covered = fresh(0, backfill=False).connected(NOW, unbroken=False).heard(NOW + 2 * HOUR)
    covered = covered.connected(NOW + 2 * HOUR + SECOND, unbroken=False).heard(NOW + 4 * HOUR)
    assert covered.missing(NOW + 4 * HOUR) == [hour_of(NOON) + 2]


def test_a_goodbye_and_a_prompt_return_leave_the_session_unbroken() -> None:
    covered = fresh(0, backfill=False).connected(NOW, unbroken=False).heard(NOW + HOUR)
    covered = covered.connected(NOW + HOUR + BUFFER, unbroken=True).heard(NOW + 3 * HOUR)
    assert covered.missing(NOW + 3 * HOUR) == []


def test_a_return_after_more_than_the_service_keeps_is_a_break() -> None:
    covered = fresh(0, backfill=False).connected(NOW, unbroken=False).heard(NOW + HOUR)
    later = NOW + HOUR + BUFFER + 1
    assert not covered.bridged(later)
    covered = covered.connected(later, unbroken=True).heard(later + HOUR)
    assert covered.missing(later + HOUR) == [hour_of(NOON) + 2, hour_of(NOON) + 1]


@pytest.mark.parametrize(("late", "missing"), [(GRACE, []), (GRACE + 1, [hour_of(NOON)])])
def test_without_backfill_only_a_late_first_connection_asks_the_archive(
    late: int, missing: list[int]
) -> None:
    covered = fresh(0, backfill=False)
    assert covered.missing(NOW) == [] and covered.unfinished(NOW, unbroken=False) is None
    covered = covered.connected(NOW + late, unbroken=False).heard(NOW + 2 * HOUR)
    assert covered.missing(NOW + HOUR) == missing


def test_a_break_in_the_first_moments_without_backfill_is_filled_too() -> None:
    covered = fresh(0, backfill=False).connected(NOW + SECOND, unbroken=False).heard(NOW + 20 * SECOND)
    killed = covered.connected(NOW + 30 * SECOND, unbroken=False).heard(NOW + 3 * HOUR)
    assert covered.unfinished(NOW + 30 * SECOND, unbroken=False) == (NOON, NOW + 30 * SECOND)
    assert killed.missing(NOW + 3 * HOUR) == [hour_of(NOON)]
    # Also where the hour turns between the first connection and the end of its grace.
    edge = NOON - 30 * SECOND
    late = Coverage.begin(edge, created=edge, backfill=False).connected(edge + 1, unbroken=False)
    broken = late.heard(edge + SECOND).connected(edge + 2 * SECOND, unbroken=False).heard(NOON + 3 * HOUR)
    assert broken.missing(NOON + 3 * HOUR) == [hour_of(NOON) - 1]


def test_the_hour_under_way_is_not_asked_for_while_an_unbroken_session_has_it() -> None:
    covered = fresh(HOUR).connected(NOON - 1, unbroken=False).heard(NOW)
    assert covered.unfinished(NOW, unbroken=True) is None
    assert covered.unfinished(NOW, unbroken=False) == (NOON, NOW)


def test_a_postponed_hour_waits_and_comes_back() -> None:
    covered = fresh(2 * HOUR)
    first = covered.missing(NOW)[0]
    covered = covered.postpone(first, NOW + 10 * MINUTE)
    assert first not in covered.missing(NOW + 10 * MINUTE - 1)
    assert first in covered.missing(NOW + 10 * MINUTE)
    assert covered.fetched(first).postponed == {}


def test_nothing_beyond_the_archives_reach_is_asked_for() -> None:
    covered = fresh(40 * DAY)
    assert covered.missing(NOW)[-1] == first_in_reach(NOW)
    assert covered.out_of_reach(NOW).gaps == ()


def test_what_fell_out_of_reach_is_a_gap_and_named_once() -> None:
    covered = fresh(2 * HOUR)
    later = NOW + 31 * DAY
    gone = covered.out_of_reach(later)
    [(begin, end)] = gone.gaps
    assert begin == hour_begin(covered.first) and end == hour_begin(first_in_reach(later))
    assert gone.out_of_reach(later) == gone
    assert gone.missing(later)[-1] == first_in_reach(later)
    again = Coverage.load(json.loads(json.dumps(gone.values())), fresh(2 * HOUR))
    assert again.out_of_reach(later).gaps == gone.gaps


def test_a_start_moved_back_by_its_user_asks_for_the_hours_before() -> None:
    covered = fresh(2 * HOUR)
    for hour in covered.missing(NOW):
        covered = covered.fetched(hour)
    edited = Coverage.load(covered.values(), fresh(4 * HOUR))
    assert edited.missing(NOW) == [hour_of(NOON) - 3, hour_of(NOON) - 4]


def test_the_same_record_that_breaks_every_reconnect_is_one_gap() -> None:
    covered = fresh()
    for attempt in range(5):
        covered = covered.lost(NOW + attempt * 5 * MINUTE, NOW + attempt * 5 * MINUTE + SECOND)
    assert covered.gaps == ((NOW, NOW + 20 * MINUTE + SECOND),)
    assert len(covered.lost(NOW + HOUR, NOW + HOUR).gaps) == 2


def test_what_is_stored_reads_back_the_same() -> None:
    covered = fresh().fetched(hour_of(NOON) - 2).connected(NOW, unbroken=False).heard(NOW + 5).lost(1, 2)
    assert Coverage.load(json.loads(json.dumps(covered.values())), fresh()) == covered


@pytest.mark.parametrize("values", [{}, {"first": "x"}, {"first": None, "archived": 3}])
def test_nonsense_in_the_store_begins_anew(values: dict[str, object]) -> None:
    assert Coverage.load(values, fresh()) == fresh()


def test_nonsense_beside_a_good_start_is_left_out() -> None:
    values = {**fresh().values(), "archived": [["a"]], "live": [[2, 1], "x", [1, 2]], "gaps": 7}
    assert Coverage.load(values, fresh()).live == ((1, 2),)


moves = st.lists(
    st.tuples(st.integers(1, 90 * MINUTE), st.sampled_from(["drop", "goodbye", "stay"])), max_size=30
)


@given(moves)
def test_an_hour_counts_as_live_only_when_no_moment_of_it_was_outside_a_session(
    walk: list[tuple[int, str]],
) -> None:
    covered = fresh(0, backfill=False).connected(NOW, unbroken=False)
    now, broken = NOW, [NOW]
    for step, how in walk:
        now += step
        if how == "stay":
            covered = covered.heard(now)
        else:
            last = covered.live[-1][1]
            unbroken = how == "goodbye"
            if not (unbroken and now - last <= BUFFER):
                broken += [last, now]
            covered = covered.connected(now, unbroken=unbroken).heard(now)
    for hour in range(hour_of(NOON) + 1, hour_of(now)):
        touched = any(hour_begin(hour) < moment < hour_begin(hour + 1) for moment in broken)
        across = any(
            a <= hour_begin(hour) and b >= hour_begin(hour + 1) and a != b
            for a, b in zip(broken[1::2], broken[2::2], strict=False)
        )
        if covered.has(hour):
            assert not touched and not across


@given(moves)
def test_heard_never_goes_backwards(walk: list[tuple[int, str]]) -> None:
    covered = fresh().connected(NOW, unbroken=False)
    for step, _ in walk:
        covered = covered.heard(NOW + step)
        assert covered.live[-1][1] >= NOW
    assert covered.live[-1][1] == max([NOW, *(NOW + step for step, _ in walk)])
