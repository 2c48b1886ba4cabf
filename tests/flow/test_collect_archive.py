"""How the archive is fetched: in the order chosen, beside live with a second key, and to compare with live."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from pod_desktop.core.clock import HOUR, MINUTE
from pod_desktop.core.secret import Secret
from pod_desktop.core.status import LIVE, WAITING
from pod_desktop.services import hours
from pod_desktop.services.collect_rules import unfinished
from pod_desktop.simulator import ABORT, RESET, Simulator
from pod_desktop.stream import Verdict, hour_of
from tests.flow.collecting import Desk, TurnedClock, lost_and_doubled


@pytest.fixture
def desk(tmp_path: Path) -> Any:
    desk = Desk(tmp_path)
    yield desk
    desk.close()


def run(work: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(work(), 200))


def begins(sim: Simulator) -> list[str]:
    return [
        shake.target.partition("sinceTime=")[2][:13]
        for shake in sim.handshakes
        if "sinceTime" in shake.target
    ]


def settled_states(desk: Desk, kind: str) -> set[str]:
    """The states of hours that the archive is asked for by now."""
    ended = desk.clock.now() - 4 * MINUTE
    return {hour.state for hour in desk.hours(kind) if hour.begin + HOUR <= ended}


def test_the_oldest_hour_comes_first_where_that_was_chosen(desk: Desk) -> None:
    async def work() -> None:
        async with Simulator(rate=5, archive_rate=0.05) as sim:
            desk.add(sim, collect_from="6h", content_types=("message",), backfill_order="oldest")
            async with desk.running():
                await desk.all_live(1)
            # First the hour under way, so that nothing falls between archive and live; then in order.
            fetched = begins(sim)[1:]
            assert fetched == sorted(set(fetched)) and len(fetched) in (5, 6, 7)
            assert lost_and_doubled(desk, sim.emitted) == (0, 0)

    run(work)


def test_a_second_key_fetches_the_archive_beside_the_live_stream(desk: Desk) -> None:
    async def work() -> None:
        async with Simulator(rate=40, archive_rate=0.5) as sim:
            made = desk.add(sim, collect_from="8h", content_types=("message", "maillog"))
            desk.vault.put("acme", "api_key_2", made.secret_origin(), Secret(sim.api_keys[1]))
            async with desk.running():
                await desk.until(lambda: desk.status().state == LIVE and desk.status().hours_left > 2)
                # Live from the first moment, and more of it while the archive is under way.
                await desk.until(lambda: any(archive for _, _, archive in sim.open_sessions))
                before = desk.status()
                await desk.until(lambda: desk.status().hours_left < before.hours_left)
                await desk.until(lambda: desk.status().last_record > before.last_record)
                assert desk.status().state == LIVE
                await desk.until(lambda: desk.status().progress is None and not desk.status().notice)
                await desk.until(lambda: settled_states(desk, "maillog") == {"archived"})
                await desk.until(lambda: desk.status(kind="maillog").progress is None)
            assert {shake.status for shake in sim.handshakes} == {101}
            live = [shake for shake in sim.handshakes if "sinceTime" not in shake.target]
            assert len(live) == 2
            assert lost_and_doubled(desk, sim.emitted) == (0, 0)

    run(work)
    told = [status for status in desk.said if status.state == LIVE and status.progress is not None]
    assert any("second API key" in status.notice for status in told)
    assert any(status.time_left_s is not None for status in told)
    assert len({status.last_record for status in told if status.kind == "message"}) > 1
    assert desk.codes() == set()
    for kind in ("message", "maillog"):
        assert settled_states(desk, kind) == {"archived"}


def test_a_second_key_that_is_refused_leaves_live_alone_and_is_told(desk: Desk) -> None:
    async def work() -> None:
        async with Simulator(rate=40, archive_rate=0.2) as sim:
            made = desk.add(sim, collect_from="3h", content_types=("message",))
            desk.vault.put("acme", "api_key_2", made.secret_origin(), Secret("wrong"))
            async with desk.running():
                await desk.until(lambda: "401" in desk.status().notice and desk.status().state == LIVE)
                assert desk.status().code == ""
                desk.vault.put("acme", "api_key_2", made.secret_origin(), Secret(sim.api_keys[1]))
                desk.ledger.post("try_now", {"connector": "acme"}, now=desk.clock.now())
                await desk.until(lambda: settled_states(desk, "message") == {"archived"})
                await desk.until(lambda: desk.status().notice == "" and desk.status().progress is None)
            assert lost_and_doubled(desk, sim.emitted) == (0, 0)

    run(work)
    assert settled_states(desk, "message") == {"archived"}


def test_a_second_key_that_is_the_first_again_is_not_used(desk: Desk) -> None:
    async def work() -> None:
        async with Simulator(rate=40, archive_rate=0.2) as sim:
            made = desk.add(sim, collect_from="2h", content_types=("message",))
            desk.vault.put("acme", "api_key_2", made.secret_origin(), Secret(sim.api_keys[0]))
            async with desk.running():
                await desk.all_live(1)
                assert "first one again" in desk.status().notice
            assert {shake.status for shake in sim.handshakes} == {101}

    run(work)


def test_a_second_key_that_is_taken_away_leaves_the_archive_to_the_first(desk: Desk) -> None:
    clock = desk.clock = TurnedClock()

    async def work() -> None:
        async with Simulator(clock=clock, rate=2, archive_rate=0.2) as sim:
            made = desk.add(sim, collect_from="2h", content_types=("message",))
            desk.vault.put("acme", "api_key_2", made.secret_origin(), Secret(sim.api_keys[1]))
            async with desk.running():
                # Before the archive has begun there is no progress either.
                await desk.until(lambda: settled_states(desk, "message") == {"archived"})
                await desk.until(lambda: desk.status().state == LIVE and desk.status().progress is None)
                desk.vault.delete("acme", "api_key_2")
                before = len(sim.handshakes)
                # The hour in which it began is due now: from the archive, on the one key that is left.
                clock.passes(HOUR)
                await desk.until(lambda: any("sinceTime" in one.target for one in sim.handshakes[before:]))
                await desk.until(lambda: desk.status().state == LIVE and desk.status().hours_left == 0)
                assert desk.status().notice == ""
            live = [one for one in sim.handshakes if "sinceTime" not in one.target]
            assert len(live) >= 2 and {one.status for one in sim.handshakes} == {101}
            assert lost_and_doubled(desk, sim.emitted) == (0, 0)

    run(work)
    assert desk.codes() == set()


def test_until_caught_up_waits_for_the_archive_beside_live(desk: Desk) -> None:
    async def work() -> None:
        async with Simulator(rate=20, archive_rate=0.5) as sim:
            made = desk.add(sim, collect_from="5h", content_types=("message",))
            desk.vault.put("acme", "api_key_2", made.secret_origin(), Secret(sim.api_keys[1]))
            async with desk.running(until_caught_up=True):
                await desk.all_stopped()
            assert desk.ended is True
            assert lost_and_doubled(desk, sim.emitted) == (0, 0)

    run(work)
    assert settled_states(desk, "message") == {"archived"}


@pytest.mark.parametrize("how", [ABORT, RESET])
def test_the_hour_under_way_is_asked_for_again_where_the_archive_broke_off(desk: Desk, how: str) -> None:
    clock = desk.clock = TurnedClock()
    clock.ahead = HOUR - clock.now() % HOUR + 50 * MINUTE

    async def work() -> None:
        async with Simulator(clock=clock, rate=0, archive_rate=0.5) as sim:
            desk.add(sim, collect_from="45m", content_types=("message",))
            sim.faults.end_after(1_000_000, ABORT)  # the live session before it
            sim.faults.end_after(20, how)
            async with desk.running(until_caught_up=True):
                await desk.all_stopped()
            assert desk.ended is True
            assert lost_and_doubled(desk, sim.emitted) == (0, 0)
            # More than the twenty before the break, whatever the hour of the day.
            assert len(begins(sim)) > 1 and len(desk.stored()) > 40

    run(work)


def test_an_hour_on_a_link_that_breaks_goes_on_as_long_as_each_try_gives_something(desk: Desk) -> None:
    clock = desk.clock = TurnedClock()
    clock.ahead = HOUR - clock.now() % HOUR + 50 * MINUTE

    async def work() -> None:
        async with Simulator(clock=clock, rate=5, archive_rate=2) as sim:
            desk.add(sim, collect_from="1h", content_types=("message",))
            for records, how in [(10**6, ABORT), (10**6, ABORT), (20, RESET), (40, RESET), (60, 1011),
                                 (80, ABORT), (100, RESET), (120, 1001)]:  # fmt: skip
                sim.faults.end_after(records, how)
            async with desk.running():
                await desk.until(lambda: "broke off in the hour from" in desk.status().what)
                told = desk.status()
                assert told.state == WAITING and "asked for from its beginning" in told.hint
                await desk.until(lambda: sim.faults.pending == 0)
                await desk.all_live(1)
            tries = begins(sim)
            # The archive knows whole hours only: each try asks for the same.
            assert max(tries.count(begin) for begin in set(tries)) == 7
            assert lost_and_doubled(desk, sim.emitted) == (0, 0)

    run(work)
    counted = desk.status().counters
    assert counted.duplicates >= 20 + 40 + 60 + 80 + 100
    assert settled_states(desk, "message") == {"archived"}


def test_an_hour_that_always_breaks_lets_others_go_first_and_comes_back(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[Verdict] = []

    def watched(begin: int, tries: int, wait: int) -> Verdict:
        told.append(unfinished(begin, tries, wait))
        return told[-1]

    monkeypatch.setattr("pod_desktop.services.collect_archive.unfinished", watched)
    clock = desk.clock = TurnedClock()
    clock.ahead = HOUR - clock.now() % HOUR + 50 * MINUTE

    async def work() -> None:
        async with Simulator(clock=clock, rate=5, archive_rate=1) as sim:
            desk.add(sim, collect_from="3h", content_types=("message",))
            for records, how in [(10**6, ABORT), (10**6, ABORT), *[(20, RESET)] * 4]:
                sim.faults.end_after(records, how)
            async with desk.running():
                # It is said for a moment only where the other hours come quickly.
                await desk.until(lambda: "unfinished" in desk.codes())
                assert "4 times in a row in the hour from" in desk.words("unfinished")
                assert "asked for again in 10 minutes" in told[0].hint
                await desk.all_live(1)
                asked = begins(sim)[1:]
                assert asked[:4] == [asked[0]] * 4 and asked[0] not in asked[4:]
                assert len(asked[4:]) in (2, 3) and "gap" not in settled_states(desk, "message")
                assert "partial" in settled_states(desk, "message")
                clock.passes(11 * MINUTE)
                await desk.until(lambda: settled_states(desk, "message") == {"archived"})
                await desk.all_live(1)
            assert lost_and_doubled(desk, sim.emitted) == (0, 0)

    run(work)


def test_reconciliation_adds_what_live_did_not_give_and_shows_the_difference(desk: Desk) -> None:
    clock = desk.clock = TurnedClock()

    async def work() -> None:
        async with Simulator(clock=clock, rate=0.5) as sim:
            desk.add(sim, content_types=("message",), reconcile=True)
            async with desk.running():
                await desk.all_live(1)
                hour = hour_of(clock.now()) + 1
                # To the beginning of a whole hour, which one session then covers.
                clock.passes((hour * HOUR - clock.now()) + MINUTE)
                await sim.settled()
                await desk.until(lambda: desk.has({"message": set(sim.produced["message"])}))
                # Live never gives this one; the archive has it.
                raw = {"guid": "only-archived", "ts": _iso(hour * HOUR + 5 * MINUTE)}
                _archive_only(sim, hour, raw)
                clock.passes(HOUR - 2 * MINUTE)
                await sim.settled()
                await desk.until(lambda: desk.has({"message": set(sim.produced["message"])}))
                clock.passes(6 * MINUTE)
                await desk.until(lambda: ("message", "only-archived") in desk.stored())
                await desk.until(
                    lambda: any(
                        one.begin == hour * HOUR and one.state == "archived" for one in desk.hours("message")
                    )
                )
                await desk.all_live(1)
                [told] = [one for one in desk.hours("message") if one.begin == hour * HOUR]
                assert told.live > 100 and told.added >= 1
                assert told.archive == told.live + told.added
                assert "live had not given" in hours.difference(told)
            assert lost_and_doubled(desk, sim.emitted) == (0, 0)

    run(work)


def _archive_only(sim: Simulator, hour: int, record: dict[str, Any]) -> None:
    from pod_desktop.simulator.item import Item

    frame = json.dumps(record).encode()
    at = hour * HOUR + 5 * MINUTE
    sim._published["message"][hour].append(Item(at, "message", record["guid"], frame, at, False))


def _iso(micros: int) -> str:
    from pod_desktop.core.clock import iso

    return iso(micros)


def test_a_live_stream_that_is_killed_while_the_archive_is_fetched_beside_it_loses_nothing(
    desk: Desk,
) -> None:
    async def work() -> None:
        async with Simulator(rate=60, archive_rate=0.3, linger=0.0) as sim:
            made = desk.add(sim, collect_from="6h", content_types=("message",))
            desk.vault.put("acme", "api_key_2", made.secret_origin(), Secret(sim.api_keys[1]))
            async with desk.running():
                for _ in range(4):
                    await desk.until(lambda: desk.status().state == LIVE)
                    count = len(sim.handshakes)
                    await asyncio.sleep(0.2)
                    await sim.drop_all(ABORT)
                    await desk.until(lambda count=count: len(sim.handshakes) > count)
                await desk.until(lambda: desk.status().state == LIVE and desk.status().progress is None)
                await desk.until(lambda: desk.has({"message": set(sim.emitted["message"])}))
            assert lost_and_doubled(desk, sim.emitted) == (0, 0)

    run(work)
    with desk.reader() as reader:
        values, counted = reader.progress("acme/message")
        kept = counted.stored + counted.quarantined
        assert hours.check_sums("acme/message", values, kept, counted.filtered) == []
