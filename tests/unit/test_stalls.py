"""When a connector is told to have stopped or to lag, and when not again."""

from __future__ import annotations

import pytest

from pod_desktop.core import status
from pod_desktop.core.clock import MINUTE, SECOND
from pod_desktop.core.status import StreamStatus
from pod_desktop.services.stalls import LAGGING, STOPPED, WAITING, Watch

NOW = 1_764_000_000_000_000


def stream(state, *, kind="message", since=NOW, **more):
    return StreamStatus(connector="acme", kind=kind, state=state, since=since, **more)


def told(watch, *streams, now=NOW, enabled=("acme",)):
    return [(one.kind, one.why) for one in watch.look(streams, now, enabled)]


def test_a_stop_is_told_at_once_and_once_until_it_was_over():
    watch = Watch()
    stopped = stream(status.STOPPED_FAULT)
    assert told(watch, stopped) == [("message", STOPPED)]
    assert told(watch, stopped, now=NOW + MINUTE) == []
    assert told(watch, stream(status.CONNECTING)) == []
    assert told(watch, stopped) == []
    assert told(watch, stream(status.LIVE)) == []
    assert watch.stalls == {}
    assert told(watch, stopped) == [("message", STOPPED)]


@pytest.mark.parametrize(("seconds", "expected"), [(59, []), (60, []), (61, [("message", WAITING)])])
def test_waiting_is_told_once_it_is_longer_than_a_minute(seconds, expected):
    assert told(Watch(), stream(status.WAITING), now=NOW + seconds * SECOND) == expected


@pytest.mark.parametrize(("lag", "expected"), [(None, []), (300.0, []), (300.1, [("message", LAGGING)])])
def test_a_lag_of_more_than_five_minutes_is_told(lag, expected):
    assert told(Watch(), stream(status.LIVE, lag_s=lag)) == expected


def test_a_lag_about_the_bound_is_told_once():
    watch = Watch()
    lags = [310.0, 290.0, 310.0, 200.0, 310.0]
    assert [bool(told(watch, stream(status.LIVE, lag_s=lag))) for lag in lags] == [
        True,
        False,
        False,
        False,
        True,
    ]


def test_fetching_old_records_is_no_lag():
    assert told(Watch(), stream(status.CATCHING_UP, lag_s=600_000.0)) == []


def test_each_stream_counts_and_a_disabled_or_deleted_connector_does_not():
    watch = Watch()
    both = [stream(status.STOPPED_FAULT), stream(status.LIVE, kind="maillog", lag_s=900.0)]
    assert told(watch, *both) == [("message", STOPPED), ("maillog", LAGGING)]
    assert told(watch, *both, enabled=()) == []
    assert watch.stalls == {}


def test_the_words_hold_nothing_that_came_from_outside():
    outside = "secret subject"
    (stall,) = Watch().look(
        [stream(status.STOPPED_FAULT, what=outside, hint=outside, code=outside, notice=outside)],
        NOW,
        ["ACME"],
    )
    assert stall.words == "acme (Message) has stopped and needs attention."
    (responder,) = Watch().look([stream(status.STOPPED_FAULT, kind=status.RESPOND)], NOW, ["acme"])
    assert responder.words == "acme has stopped and needs attention."
