"""The ledger of hours: what a stream has of each, and sums that always add up."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pod_desktop import content
from pod_desktop.core.clock import DAY, HOUR, MINUTE, iso, parse_iso
from pod_desktop.core.record import Arrival
from pod_desktop.services import hours
from pod_desktop.services.backfill import Coverage
from pod_desktop.services.hours import ARCHIVED, GAP, LIVE, OUT_OF_REACH, PARTIAL, Count, Counts
from pod_desktop.stream import hour_of

NOON = parse_iso("2026-11-24T12:00Z")
NOW = NOON + 20 * MINUTE


def arrivals(*times: int) -> list[Arrival]:
    made = []
    for number, time in enumerate(times):
        raw = json.dumps({"guid": f"{time}-{number}", "ts": iso(time)}).encode()
        made.append(Arrival(content.read("message", raw, time), raw))
    return made


def collected(span: int = 5 * HOUR) -> Coverage:
    return Coverage.begin(NOW - span, created=NOW, backfill=True)


def states(coverage: Coverage, now: int = NOW) -> list[str]:
    return [hour.state for hour in hours.hours_of(coverage.values(), now)]


def test_a_stream_that_never_committed_has_no_hours() -> None:
    assert hours.hours_of({}, NOW) == ()


def test_a_new_stream_has_gaps_that_are_filled_one_by_one() -> None:
    new = collected(3 * HOUR)
    assert states(new) == [GAP, GAP, GAP, PARTIAL]
    assert states(new.fetched(hour_of(NOON) - 1)) == [GAP, GAP, ARCHIVED, PARTIAL]


def test_an_hour_is_live_only_when_one_session_covered_it() -> None:
    live = collected(2 * HOUR).connected(NOON - HOUR, unbroken=False).heard(NOW)
    assert states(live) == [GAP, LIVE, LIVE]
    broken = collected(2 * HOUR).connected(NOON - HOUR, unbroken=False).heard(NOON - MINUTE)
    broken = broken.connected(NOON + MINUTE, unbroken=False).heard(NOW)
    assert states(broken) == [GAP, PARTIAL, PARTIAL]


def test_what_cannot_be_had_is_out_of_reach_and_a_lost_record_makes_an_hour_partial() -> None:
    old = collected(3 * HOUR).fetched(hour_of(NOON) - 1)
    later = NOW + 30 * DAY
    assert states(old.out_of_reach(later), later)[0] == OUT_OF_REACH
    begin = NOON - HOUR
    assert states(old.lost(begin, begin + MINUTE))[2] == PARTIAL


def test_the_archive_fills_a_gap_that_live_named() -> None:
    lost = collected(2 * HOUR).lost(NOON - MINUTE, NOON + MINUTE)
    assert lost.fetched(hour_of(NOON) - 1).gaps == ((NOON, NOON + MINUTE),)


def test_live_and_archive_are_counted_apart_and_their_difference_is_told() -> None:
    values: dict[str, Any] = collected(2 * HOUR).fetched(hour_of(NOON) - 1).values()
    hour = NOON - HOUR
    values |= hours.tally(NOW, live=True, before=0)(values, arrivals(hour, hour + 1, hour + 2))
    values |= hours.tally(NOW, live=False, before=0)(values, arrivals(hour + 3, hour + 4))
    values |= hours.fetched(hour_of(hour), 5, NOW, before=0)(values, [])
    [told] = [one for one in hours.hours_of(json.loads(json.dumps(values)), NOW) if one.begin == hour]
    assert (told.live, told.added, told.archive) == (3, 2, 5)
    assert hours.difference(told) == "The archive added 2 that live had not given."
    assert hours.difference(told._replace(added=0, archive=3)) == "Live and archive agree."
    assert hours.check_sums("acme/message", values, stored=5, filtered=0) == []
    [problem] = hours.check_sums("acme/message", values, stored=6, filtered=0)
    assert "5 records, but 6" in problem


def test_records_from_before_hours_were_counted_and_from_other_times_are_kept_in_the_sum() -> None:
    values: dict[str, Any] = hours.tally(NOW, live=True, before=40)(
        {}, arrivals(NOW - 400 * DAY, NOW + 400 * DAY, NOON)
    )  # type: ignore[assignment]
    counts = hours.read_counts(values)
    assert counts.hours == {hour_of(NOON): Count(live=1)} and counts.elsewhere == 42
    assert counts.total() == 43


@given(
    st.dictionaries(
        st.integers(hour_of(NOW) - hours.SHOWN, hour_of(NOW)),
        st.builds(Count, st.integers(0, 10**9), st.integers(0, 10**9), st.none() | st.integers(0, 10**9)),
        max_size=40,
    ),
    st.integers(0, 10**12),
)
def test_counts_read_back_as_they_were_packed(found: dict[int, Count], elsewhere: int) -> None:
    counts = Counts(dict(found), elsewhere)
    packed = json.loads(json.dumps({hours.COUNTS: hours.pack_counts(counts, NOW)}))
    back = hours.read_counts(packed)
    assert back.total() == counts.total()
    assert {hour: count for hour, count in back.hours.items() if count != Count()} == {
        hour: count for hour, count in found.items() if count != Count()
    }


def test_a_full_month_of_counts_is_small_enough_to_be_committed_with_every_batch() -> None:
    month = {hour_of(NOW) - back: Count(2176, 3, 2179) for back in range(hours.SHOWN)}
    assert len(json.dumps(hours.pack_counts(Counts(month), NOW))) < 10_000


@pytest.mark.parametrize(
    "values", [{"counts": 7}, {"counts": {"first": 1, "hours": "x;-1;1,2,3,4", "elsewhere": 0}}]
)
def test_nonsense_counts_are_no_counts(values: dict[str, Any]) -> None:
    assert hours.read_counts(values, 3).hours == {}


def test_runs_of_one_state_are_told_together() -> None:
    values = collected(4 * HOUR).fetched(hour_of(NOON) - 1).fetched(hour_of(NOON) - 2).values()
    runs = hours.runs_of(hours.hours_of(values, NOW), "message")
    assert [(run["state"], run["hours"]) for run in runs] == [(GAP, 2), (ARCHIVED, 2), (PARTIAL, 1)]
    assert runs[0]["to"] == runs[1]["from"] == "2026-11-24T10:00:00.000000Z"
    assert all(hours.words(hour) for hour in hours.hours_of(values, NOW))


def test_with_reconciliation_live_hours_are_fetched_too_and_oldest_first_if_chosen() -> None:
    live = Coverage.begin(NOW - 3 * HOUR, created=NOW, backfill=True, reconcile=True, oldest_first=True)
    live = live.connected(NOW - 3 * HOUR, unbroken=False).heard(NOW)
    missing = live.missing(NOW)
    assert missing == [hour_of(NOON) - 3, hour_of(NOON) - 2, hour_of(NOON) - 1]
    assert states(live)[1:] == [LIVE, LIVE, LIVE]
    # What live had and the archive no longer reaches is no gap.
    assert live.heard(NOW + HOUR).out_of_reach(NOW + 31 * DAY).gaps[0][0] > NOW


def test_a_clock_set_back_takes_the_future_back() -> None:
    ahead = collected(2 * HOUR).connected(NOON, unbroken=False).heard(NOW + 5 * HOUR)
    ahead = ahead.fetched(hour_of(NOON) + 3)
    back = ahead.rewound(NOW)
    assert back.live == ((NOON, NOW),) and back.archived == frozenset()
    assert hour_of(NOON) + 3 in back.missing(NOW + 6 * HOUR)
    assert collected().rewound(NOW) == collected()
