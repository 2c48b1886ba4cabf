"""What is left of the faults that collecting must survive: close codes, 409 again and again, times offline, mail
that is hostile."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pod_desktop import content
from pod_desktop.core import limits
from pod_desktop.core.clock import DAY, HOUR, MINUTE
from pod_desktop.core.status import LIVE, STOPPED_FAULT, WAITING
from pod_desktop.services import hours
from pod_desktop.services.backfill import Coverage
from pod_desktop.simulator import Simulator
from pod_desktop.simulator.faults import CLOSE_CODES
from pod_desktop.stream import hour_of
from tests.flow.collecting import QUICK, Desk, TurnedClock, lost_and_doubled
from tests.flow.trying import certificate


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    desk.close()


def run(work: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(work(), 200))


def at_twenty_past() -> TurnedClock:
    """A clock at which no hour is about to end or to be asked for."""
    clock = TurnedClock()
    clock.ahead = HOUR - clock.now() % HOUR + 20 * MINUTE
    return clock


def asked_of_archive(sim: Simulator, since: int = 0) -> list[str]:
    return [shake.target for shake in sim.handshakes[since:] if "sinceTime" in shake.target]


@pytest.mark.parametrize("code", [*CLOSE_CODES, 1014, 3000, 4001])
def test_each_close_code_is_survived_and_told(desk: Desk, code: int) -> None:
    """4001 stands for whatever the service may send that nobody has published."""
    desk.timing = replace(QUICK, backoff=0.003)

    async def work() -> None:
        async with Simulator(rate=100) as sim:
            desk.add(sim, content_types=("message",))
            async with desk.running():
                await desk.all_live(1)
                await desk.until(lambda: desk.status().counters.stored > 3)
                await sim.drop_all(code)
                await desk.until(lambda: len(sim.handshakes) > 1 and desk.status().state == LIVE)
                count = len(sim.emitted["message"])
                await desk.until(lambda: len(sim.emitted["message"]) > count + 3)
                await desk.until(lambda: desk.has({"message": set(sim.emitted["message"])}))
            assert lost_and_doubled(desk, sim.emitted) == (0, 0)

    run(work)
    assert str(code) in desk.codes()
    # Only a record that is too large to be had leaves a gap.
    assert bool(desk.status().gaps) is (code == 1009)


def test_a_rule_of_the_service_asks_for_a_person(desk: Desk) -> None:
    desk.timing = replace(QUICK, backoff=1.0)

    async def work() -> None:
        async with Simulator(rate=50) as sim:
            desk.add(sim, content_types=("message",))
            async with desk.running():
                await desk.all_live(1)
                await sim.drop_all(1008)
                await desk.until(lambda: desk.status().code == "1008")
                assert desk.status().state == STOPPED_FAULT and "permissions" in desk.status().hint

    run(work)


@pytest.mark.parametrize(
    ("made", "trusted", "code"),
    [
        ({"expired": True}, True, "tls_expired"),
        ({"host": "elsewhere.example"}, True, "tls_wrong_host"),
        ({}, False, "tls_unknown_ca"),
    ],
)
def test_a_certificate_that_cannot_be_trusted_stops_the_collector_before_it_sends_its_key(
    desk: Desk, tmp_path: Path, made: dict[str, Any], trusted: bool, code: str
) -> None:
    async def work() -> None:
        with certificate(tmp_path, **made) as (tls, ca_file):
            async with Simulator(rate=50, tls=tls) as sim:
                trust = {"ca_file": ca_file} if trusted else {}
                desk.add(sim, content_types=("message",), **trust)
                async with desk.running():
                    await desk.until(lambda: desk.status().code == code)
                    told = desk.status()
                    assert told.state == STOPPED_FAULT and told.what and told.hint
                    assert told.next_try is not None
                assert not sim.handshakes

    run(work)
    assert desk.status().counters.received == 0


def test_409_five_times_in_a_row_is_waited_for_longer_and_longer(desk: Desk) -> None:
    async def work() -> None:
        async with Simulator(rate=50) as sim:
            sim.faults.next_handshakes(*[409] * 5)
            desk.add(sim, content_types=("message",))
            async with desk.running():
                await desk.all_live(1)
                await desk.until(lambda: desk.status().counters.stored > 3)
            assert [shake.status for shake in sim.handshakes[:6]] == [409] * 5 + [101]
            assert lost_and_doubled(desk, sim.emitted) == (0, 0)

    run(work)
    told = [status for status in desk.said if status.code == "409"]
    assert told and {status.state for status in told} == {WAITING}
    assert max(status.attempts for status in told) >= 2 and "own API key" in told[0].hint


def test_a_silent_connection_is_left_within_95_seconds() -> None:
    """The flow is tested with shorter times; these are the ones that count."""
    looked_at_every = min(limits.PING_SECONDS, limits.PONG_SECONDS / 18)
    assert limits.PONG_SECONDS + looked_at_every <= 95


def test_ten_minutes_offline_are_filled_by_the_services_buffer(desk: Desk) -> None:
    clock = desk.clock = at_twenty_past()

    async def work() -> None:
        async with Simulator(clock=clock, rate=5) as sim:
            desk.add(sim)
            async with desk.running():
                await desk.all_live()
            clock.ahead += 10 * MINUTE
            sent = {kind: set(sim.produced[kind]) for kind in ("message", "maillog")}
            await sim.settled()
            missed = {kind: sim.produced[kind] - sent[kind] for kind in sent}
            assert all(len(ids) > 300 for ids in missed.values())
            before = len(sim.handshakes)
            async with desk.running():
                await desk.until(lambda: desk.has(missed))
                await desk.all_live()
            assert asked_of_archive(sim, before) == []
            assert lost_and_doubled(desk, sim.emitted) == (0, 0)

    run(work)


def test_three_days_offline_are_filled_from_the_archive(desk: Desk) -> None:
    clock = desk.clock = at_twenty_past()
    desk.timing = replace(QUICK, visit=600)

    async def work() -> None:
        async with Simulator(clock=clock, rate=0.002, archive_rate=0.002, seed=4) as sim:
            desk.add(sim, content_types=("message",))
            async with desk.running():
                await desk.all_live(1)
            clock.ahead += 3 * DAY
            async with desk.running(until_caught_up=True):
                await desk.all_stopped()
            assert desk.ended is True
            assert 71 <= len(set(asked_of_archive(sim))) <= 75
            assert lost_and_doubled(desk, sim.emitted) == (0, 0)

    run(work)
    states = Counter(
        one.state for one in desk.hours("message") if one.begin + HOUR < clock.now() - 4 * MINUTE
    )
    assert states.keys() == {hours.ARCHIVED} and states.total() >= 72
    assert desk.status().gaps == ()


def test_ten_thousand_hostile_records_are_accounted_for(desk: Desk) -> None:
    async def work() -> None:
        async with Simulator(rate=20, archive_rate=1.2, scenario="hostile") as sim:
            desk.add(sim, collect_from="4h")
            async with desk.running(until_caught_up=True):
                await desk.all_stopped()
            assert desk.ended is True
            assert sum(map(len, sim.emitted.values())) > 10_000
            assert lost_and_doubled(desk, sim.emitted)[1] == 0
            for kind in ("message", "maillog"):
                # Not by their ids, which are hostile too: every frame is counted, empty ones apart.
                frames = sim.emitted[kind].total() + sim.idless[kind]
                counted = desk.status(kind=kind).counters
                assert counted.received + counted.empty >= frames > 2_000

    run(work)
    for kind in ("message", "maillog"):
        counted = desk.status(kind=kind).counters
        assert (
            counted.received == counted.stored + counted.duplicates + counted.filtered + counted.quarantined
        )
        with desk.reader() as reader:
            values, kept = reader.progress(f"acme/{kind}")
        assert hours.check_sums(f"acme/{kind}", values, kept.stored + kept.quarantined, kept.filtered) == []


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="this system's time zone cannot be set by a program")
@pytest.mark.parametrize(
    ("before", "after"),
    [
        # The hour that comes twice in autumn, and the one that is left out in spring.
        ("2026-11-01T01:30:00.000000-0400", "2026-11-01T01:30:00.000000-0500"),
        ("2026-03-08T01:30:00.000000-0500", "2026-03-08T03:30:00.000000-0400"),
    ],
)
def test_a_change_of_summer_time_makes_no_hole_and_no_double(
    monkeypatch: pytest.MonkeyPatch, before: str, after: str
) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        times = [
            content.read("message", json.dumps({"guid": ts, "ts": ts}).encode(), 0).time
            for ts in (before, after)
        ]
        assert hour_of(times[1]) - hour_of(times[0]) == 1
        night = Coverage.begin(times[0] - 5 * HOUR, created=times[0] - 5 * HOUR, backfill=True)
        wanted = night.missing(times[1] + 5 * HOUR)
        assert wanted == list(range(wanted[0], wanted[-1] - 1, -1)) and len(wanted) == 11
        assert {hour_of(one) for one in times} <= set(wanted)
    finally:
        monkeypatch.undo()
        time.tzset()
