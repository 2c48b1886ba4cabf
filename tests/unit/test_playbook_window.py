"""When a playbook fires: thresholds, window edges, any order of arrival, and forgetting what is settled."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pod_desktop.core.clock import MINUTE, SECOND
from pod_desktop.core.playbook_window import Firing, Match, Replay, Window

NEVER = -(10**18)
"""Nothing is settled."""


def match(time, key="a@bad.test", name=None):
    return Match(time, name or f"message:{time}", time, key)


def fired(window, *times, key="a@bad.test", settled=NEVER):
    for time in times:
        window.add(match(time, key))
    return [[one.time for one in firing.records] for firing in window.due(settled)]


@pytest.mark.parametrize(("at_least", "records", "firings"), [(3, 2, 0), (3, 3, 1), (3, 4, 1), (3, 6, 2), (1, 1, 1), (1, 3, 3)])  # fmt: skip
def test_a_key_fires_when_it_has_at_least_so_many_records_and_they_are_used_up(at_least, records, firings):
    assert len(fired(Window(at_least, MINUTE), *range(records))) == firings


@pytest.mark.parametrize(("apart", "fires"), [(MINUTE - 1, True), (MINUTE, True), (MINUTE + 1, False)])
def test_both_edges_belong_to_the_window(apart, fires):
    assert bool(fired(Window(2, MINUTE), 0, apart)) == fires


def test_a_record_outside_the_window_does_not_help_those_after_it():
    window = Window(3, 10)
    assert fired(window, 0, 9, 11) == []
    assert fired(window, 19) == [[9, 11, 19]]


def test_keys_count_by_themselves_whatever_their_case():
    window = Window(2, MINUTE)
    window.add(match(1, "A@bad.test"))
    window.add(match(2, "b@bad.test"))
    assert window.due(NEVER) == []
    window.add(match(3, "a@BAD.test"))
    (firing,) = window.due(NEVER)
    assert firing.key == "A@bad.test"
    assert [one.time for one in firing.records] == [1, 3]


def test_the_same_record_twice_counts_once():
    window = Window(2, MINUTE)
    window.add(match(1))
    window.add(match(1))
    assert window.due(NEVER) == []


def test_a_record_that_comes_late_completes_a_firing_in_its_own_place():
    window = Window(3, 10)
    assert fired(window, 0, 8, 30) == []
    assert fired(window, 4) == [[0, 4, 8]]


def test_a_record_that_comes_late_never_calls_back_a_firing_nor_doubles_it():
    window = Window(2, 10)
    assert fired(window, 8, 16) == [[8, 16]]
    assert fired(window, 0) == []
    assert len(fired(window, 24)) == 1


def test_what_is_settled_is_forgotten():
    window = Window(2, 10)
    fired(window, 0, 5, 100, settled=0)
    assert len(window) == 3
    window.sweep(settled=111)
    assert len(window) == 0
    change = window.changes()
    assert (change.added, change.removed, change.used) == ([], [], [])


def test_a_scheduled_firing_is_not_forgotten_before_it_is_given_out():
    window = Window(2, 10)
    for time in (0, 5):
        window.add(match(time))
    window.changes()
    window.sweep(settled=1_000)
    assert len(window.due(1_000)) == 1


RECORDS = st.lists(
    st.tuples(st.integers(0, 60), st.sampled_from(["a", "b", "A"])), max_size=40
).map(lambda pairs: [Match(time * SECOND, f"message:{number}", number, key) for number, (time, key) in enumerate(pairs)])  # fmt: skip


def backtest(records, at_least, within):
    """All of them at once, in order of time: the definition."""
    window = Window(at_least, within)
    for one in sorted(records):
        window.add(one)
    return window.due(NEVER)


def by_key(firings):
    return Counter(firing.key.casefold() for firing in firings)


@settings(max_examples=300, deadline=None)
@given(RECORDS, st.integers(1, 4), st.integers(0, 20), st.data())
def test_live_fires_as_often_as_the_backtest_whatever_the_order_of_arrival(records, at_least, within, data):
    arrival = data.draw(st.permutations(records))
    window = Window(at_least, within * SECOND)
    live, batch = [], []
    for one in arrival:
        batch.append(one)
        if data.draw(st.booleans()):
            for late in batch:
                window.add(late)
            batch = []
            live += window.due(NEVER)
    for late in batch:
        window.add(late)
    live += window.due(NEVER)
    assert by_key(live) == by_key(backtest(records, at_least, within * SECOND))
    for firing in live:
        times = [one.time for one in firing.records]
        assert len(times) == at_least and times == sorted(times) and times[-1] - times[0] <= within * SECOND


@settings(max_examples=300, deadline=None)
@given(RECORDS, st.integers(1, 4), st.integers(0, 20), st.integers(0, 30), st.data())
def test_forgetting_and_restarting_change_nothing(records, at_least, within, late, data):
    """Arrival up to `late` seconds out of order, a restart between any two records."""
    within, late = within * SECOND, late * SECOND
    arrival = sorted(records, key=lambda one: (one.time + data.draw(st.integers(0, late)), one.seq))
    window, live, rows = Window(at_least, within), [], Rows()
    settled = NEVER
    for number, one in enumerate(arrival):
        window.add(one)
        # Nothing that is still to come is before this.
        settled = min((other.time for other in arrival[number + 1 :]), default=10**12)
        live += window.due(settled)
        if data.draw(st.booleans()):
            window.sweep(settled)
        rows.take(window.changes())
        if data.draw(st.booleans()):
            window = rows.restored(at_least, within)
    assert by_key(live) == by_key(backtest(records, at_least, within))
    assert window.due(10**12) == []
    window.sweep(10**12)
    assert len(window) == 0


@settings(max_examples=200, deadline=None)
@given(RECORDS, st.integers(1, 4), st.integers(0, 20))
def test_in_order_each_firing_holds_the_records_of_the_backtest(records, at_least, within):
    window, live = Window(at_least, within * SECOND), []
    for one in sorted(records):
        window.add(one)
        live += window.due(one.time)
    assert set(live) == set(backtest(records, at_least, within * SECOND))


@settings(max_examples=300, deadline=None)
@given(RECORDS, st.integers(1, 4), st.integers(0, 20))
def test_a_replay_of_history_is_the_definition(records, at_least, within):
    replay = Replay(at_least, within * SECOND)
    replayed = [firing for one in sorted(records) if (firing := replay.add(one.key, one))]
    assert set(replayed) == set(backtest(records, at_least, within * SECOND))


def test_a_replay_lets_go_of_quiet_keys(monkeypatch):
    monkeypatch.setattr("pod_desktop.core.playbook_window.KEYS", 10)
    replay = Replay(2, 5)
    for number in range(100):
        assert replay.add(f"{number}@bad.test", match(number, f"{number}@bad.test")) is None
    assert len(replay._keys) < 20


class Rows:
    """What a store keeps of a window."""

    def __init__(self):
        self.records, self.told = {}, {}

    def take(self, change):
        for folded, one in change.added:
            assert (folded, one.record_id) not in self.records
            self.records[folded, one.record_id] = [one, False]
        for pair in change.used:
            self.records[pair][1] = True
        for pair in change.removed:
            del self.records[pair]
        self.told |= change.told

    def restored(self, at_least, within):
        window = Window(at_least, within)
        window.restore(
            [(folded, one, used) for (folded, _), (one, used) in self.records.items()],
            list(self.told.items()),
        )
        return window


def test_a_hot_key_is_bounded(monkeypatch):
    monkeypatch.setattr("pod_desktop.core.playbook_window.KEY_RECORDS", 10)
    window = Window(3, MINUTE)
    firings = [firing for time in range(100) for firing in _one(window, time)]
    assert len(firings) == 33
    assert len(window) <= 12


def _one(window, time) -> list[Firing]:
    window.add(match(time))
    return window.due(NEVER)


def test_many_keys_are_bounded(monkeypatch):
    monkeypatch.setattr("pod_desktop.core.playbook_window.KEYS", 10)
    window = Window(2, MINUTE)
    for number in range(100):
        window.add(match(number, f"{number}@bad.test"))
    assert window.due(NEVER) == []
    assert len(window) == 10
    window.add(match(101, "99@bad.test"))
    assert len(window.due(NEVER)) == 1
