"""Collecting from the simulator into the real store: what comes is stored, once, whatever happens on the way."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pod_desktop.core.clock import HOUR, MINUTE
from pod_desktop.core.faults import Outage, UserFault
from pod_desktop.core.status import CATCHING_UP, DISABLED, LIVE, STOPPED, STOPPED_FAULT, WAITING
from pod_desktop.simulator import ABORT, RESET, SILENCE, Simulator, proxy_page, redirect
from pod_desktop.store.port import Ask, Commit, Committed
from pod_desktop.stream import first_in_reach, hour_of
from tests.flow.collecting import QUICK, Desk, TurnedClock, lost_and_doubled


@pytest.fixture
def desk(tmp_path: Path) -> Any:
    desk = Desk(tmp_path)
    yield desk
    desk.close()


def run(work: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(work(), 200))


def test_a_new_connector_gets_its_archive_and_then_live_each_record_once(desk: Desk) -> None:
    async def work() -> None:
        async with Simulator(rate=50, archive_rate=0.5) as sim:
            desk.add(sim, collect_from="4h")
            async with desk.running():
                await desk.all_live()
                await asyncio.sleep(1)
            assert lost_and_doubled(desk, sim.emitted) == (0, 0)
            assert len(desk.stored()) == sum(len(ids) for ids in sim.emitted.values()) > 3_000
            asked = [shake.target for shake in sim.handshakes if shake.kind == "message"]
            assert sum("sinceTime" in target for target in asked) >= 4
            assert {shake.status for shake in sim.handshakes} == {101}

    run(work)
    assert CATCHING_UP in {status.state for status in desk.said}
    for status in desk.statuses():
        counters = status.counters
        assert counters.received == counters.stored + counters.duplicates + counters.quarantined
        assert status.state == STOPPED and status.lag_s is not None and status.lag_s < 2


def test_the_archive_is_fetched_newest_hour_first_and_in_whole_hours(desk: Desk) -> None:
    async def work() -> None:
        async with Simulator(rate=5, archive_rate=0.05) as sim:
            desk.add(sim, collect_from="6h", content_types=("message",))
            async with desk.running():
                await desk.all_live(1)
            begins = [
                shake.target.partition("sinceTime=")[2][:13]
                for shake in sim.handshakes
                if "sinceTime" in shake.target
            ]
            assert begins == sorted(set(begins), reverse=True)
            assert len(begins) in (7, 8)

    run(work)


def test_records_are_the_bytes_that_were_sent_with_connector_and_tenant(desk: Desk) -> None:
    record = {"guid": "g1", "ts": "2026-11-24T09:00:00.000000+0000", "envelope": {"from": "a@b.example"}}
    raw = json.dumps(record, indent=None).encode()

    async def work() -> None:
        async with Simulator(rate=0.1) as sim:
            desk.add(sim)
            async with desk.running():
                await desk.all_live()
                sim.publish("message", raw + b"\n")
                await desk.until(lambda: ("message", "g1") in desk.stored())

    run(work)
    with desk.reader() as reader:
        row = reader.find("message", "g1")
        assert row is not None
        assert reader.raw(row.seq) == raw
        assert reader.source(row.seq).tenant == "acme inc"
        assert (row.connector, row.sender) == ("acme", "a@b.example")


def test_a_stream_that_ends_is_taken_up_again_without_loss(desk: Desk) -> None:
    desk.timing = replace(QUICK, backoff=0.002)

    async def work() -> None:
        async with Simulator(rate=100) as sim:
            desk.add(sim)
            async with desk.running():
                await desk.all_live()
                for how in (ABORT, RESET, 1000, 1001, 1002, 1007, 1009, 1011, 1012, 1013):
                    await desk.until(lambda: len(sim.open_sessions) == 2)
                    before = len(sim.emitted["message"]), len(sim.handshakes)
                    await desk.until(lambda before=before: len(sim.emitted["message"]) > before[0] + 2)
                    assert await sim.drop_all(how) == 2
                    await desk.until(lambda before=before: len(sim.handshakes) >= before[1] + 2)
                await desk.all_live()
                expected = {kind: set(ids) for kind, ids in sim.produced.items() if kind != "audit"}
                await desk.until(lambda: desk.has(expected))
            assert lost_and_doubled(desk, sim.emitted) == (0, 0)

    run(work)
    assert {"1000", "1001", "1002", "1006", "1007", "1009", "1011", "1012", "1013"} <= desk.codes()


def test_a_session_that_lingers_answers_409_for_a_while_and_is_waited_for(desk: Desk) -> None:
    async def work() -> None:
        async with Simulator(rate=50, linger=0.8) as sim:
            desk.add(sim)
            async with desk.running():
                await desk.all_live()
                await sim.drop_all(ABORT)
                await desk.until(lambda: "409" in desk.codes())
                await desk.all_live()
                expected = {kind: set(ids) for kind, ids in sim.produced.items() if kind != "audit"}
                await desk.until(lambda: desk.has(expected))

    run(work)
    told = next(status for status in desk.said if status.code == "409")
    assert told.state == WAITING and told.next_try and "own API key" in told.hint


def test_a_half_open_connection_is_left_and_nothing_is_lost(desk: Desk) -> None:
    desk.timing = replace(QUICK, ping=0.2, pong=0.8)

    async def work() -> None:
        async with Simulator(rate=50) as sim:
            desk.add(sim, content_types=("message",))
            async with desk.running():
                await desk.all_live(1)
                await sim.drop_all(SILENCE)
                await desk.until(lambda: "silent" in desk.codes())
                sim.sessions.release_lingering()
                await desk.until(lambda: len([s for s in sim.handshakes if s.status == 101]) >= 2)
                await desk.all_live(1)
                expected = {"message": set(sim.produced["message"])}
                await desk.until(lambda: desk.has(expected))

    run(work)


def test_a_refused_stream_says_why_while_another_connector_goes_on(desk: Desk) -> None:
    async def work() -> None:
        async with Simulator(rate=50) as bad, Simulator(rate=50, seed=2) as good:
            bad.faults.next_handshakes(*[401] * 50)
            desk.add(bad, "bad")
            desk.add(good, "good")
            async with desk.running():
                await desk.until(lambda: desk.status("bad").code == "401")
                await desk.until(lambda: desk.status("bad", "maillog").code == "401")
                await desk.until(lambda: desk.status("good").counters.stored > 10)
                found = desk.status("bad")
                assert found.state == STOPPED_FAULT
                assert "401" in found.what and found.hint and found.next_try
                assert desk.status("good").state == LIVE

    run(work)


def test_every_refusal_is_survived(desk: Desk) -> None:
    statuses = (400, 401, 403, 404, 405, 409, 429, 500, 502, 503)
    desk.timing = replace(QUICK, backoff=0.0005)

    async def work() -> None:
        async with Simulator(rate=50) as sim:
            sim.faults.next_handshakes(*statuses)
            desk.add(sim, content_types=("message",))
            async with desk.running():
                await desk.all_live(1)
                await desk.until(lambda: desk.status().counters.stored > 5)

    run(work)
    assert {str(status) for status in statuses} <= desk.codes()


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"key": "wrong"}, "401"),
        ({"cluster_id": "other_hosted"}, "401"),
        ({"key": None}, "no_key"),
        ({"ca_file": "/nowhere/ca.pem", "stream_url": "wss://127.0.0.1:9"}, "ca_file"),
        ({"stream_url": "ws://127.0.0.1:9"}, "refused"),
    ],
)
def test_a_wrong_setting_says_what_to_check(desk: Desk, wrong: dict[str, Any], code: str) -> None:
    async def work() -> None:
        async with Simulator(rate=10) as sim:
            desk.add(sim, **wrong)
            async with desk.running():
                await desk.until(lambda: desk.status().code == code)
                assert desk.status().hint
                assert "wrong" not in repr(desk.said)

    run(work)


def test_a_redirect_and_a_web_page_are_said_and_not_followed(desk: Desk) -> None:
    async def work() -> None:
        async with Simulator(rate=10) as sim, Simulator(seed=3) as elsewhere:
            sim.faults.next_handshakes(redirect(f"{elsewhere.stream_url}/v1/stream"), proxy_page(200))
            desk.add(sim, content_types=("message",))
            desk.timing = replace(QUICK, backoff=0.001)
            async with desk.running():
                await desk.all_live(1)
            assert elsewhere.handshakes == []

    run(work)
    assert {"301", "proxy_page"} <= desk.codes()


def test_the_environments_proxies_are_ignored(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "http_proxy",
        "https_proxy",
        "all_proxy",
        "ws_proxy",
    ):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)

    async def work() -> None:
        async with Simulator(rate=10) as sim:
            desk.add(sim)
            async with desk.running():
                await desk.all_live()

    run(work)
    assert desk.codes() == set()


def test_frames_that_are_no_record_are_kept_and_the_feed_goes_on(desk: Desk) -> None:
    big = json.dumps({"guid": "big", "pad": "x" * (8 << 20)}).encode()
    frames: list[bytes | str] = [
        b'{"guid":"one","msg":"\xff\xfe"}',
        "",
        "\n",
        b"<html>no record</html>",
        b'{"guid":"cut","env',
        '[{"guid":"two"},{"guid":"three"}]',
        '{"guid":"four"}\n{"guid":"five"}\n',
        "[" * 5000,
        big,
        '{"guid":"last"}',
    ]

    async def work() -> None:
        async with Simulator(rate=0.01) as sim:
            desk.add(sim, content_types=("message",))
            async with desk.running():
                await desk.all_live(1)
                sim.publish_all("message", frames)
                await desk.until(lambda: ("message", "last") in desk.stored())

    run(work)
    assert {rid for kind, rid in desk.stored("message")} >= {
        "one", "two", "three", "four", "five", "big", "last",
    }  # fmt: skip
    counters = desk.status().counters
    assert (counters.quarantined, counters.empty) == (3, 2)
    assert counters.received == counters.stored + counters.duplicates + counters.quarantined
    with desk.reader() as reader:
        unreadable = {reader.raw(row.seq) for row in reader.search(Ask(kinds=("unreadable",)))}
        assert unreadable == {b"<html>no record</html>", b'{"guid":"cut","env', b"[" * 5000}
        row = reader.find("message", "big")
        assert row is not None and reader.raw(row.seq) == big


def test_chaos_is_survived_without_losing_or_doubling_a_record(desk: Desk) -> None:
    desk.timing = replace(QUICK, ping=0.2, pong=0.8)

    async def work() -> None:
        async with Simulator(rate=150, scenario="chaos", linger=0.3) as sim:
            desk.add(sim)
            async with desk.running():
                await desk.all_live()
                for how in (ABORT, 1011, RESET):
                    await asyncio.sleep(0.5)
                    await sim.drop_all(how)
                await desk.until(lambda: len(sim.open_sessions) == 2)
                await asyncio.sleep(0.5)
            assert lost_and_doubled(desk, sim.emitted) == (0, 0)

    run(work)


def test_a_clean_restart_goes_on_without_the_archive(desk: Desk) -> None:
    async def work() -> None:
        async with Simulator(rate=100, archive_rate=0.2) as sim:
            desk.add(sim, collect_from="3h")
            async with desk.running():
                await desk.all_live()
            before = len(sim.handshakes)
            await asyncio.sleep(0.5)
            async with desk.running():
                await desk.all_live()
                assert not any("sinceTime" in shake.target for shake in sim.handshakes[before:])
                expected = {kind: set(ids) for kind, ids in sim.produced.items() if kind != "audit"}
                await desk.until(lambda: desk.has(expected))
            assert lost_and_doubled(desk, sim.emitted) == (0, 0)

    run(work)


def test_after_a_crash_what_is_live_comes_before_the_hour_under_way(desk: Desk) -> None:
    async def work() -> None:
        async with Simulator(rate=50, archive_rate=0.2) as sim:
            desk.add(sim, content_types=("message",), collect_from="1h")
            async with desk.running():
                await desk.all_live(1)
            before = len(sim.handshakes)
            desk.progress("acme/message", {"clean": False})
            async with desk.running():
                await desk.until(lambda: len(sim.handshakes) >= before + 3)
                await desk.all_live(1)
            asked = ["sinceTime" in shake.target for shake in sim.handshakes[before:]]
            assert asked[:2] == [False, True] and asked[-1] is False
            assert lost_and_doubled(desk, sim.emitted) == (0, 0)

    run(work)


def test_two_hours_offline_are_filled_from_the_archive(desk: Desk) -> None:
    clock = desk.clock = TurnedClock()

    async def work() -> None:
        async with Simulator(clock=clock, rate=2) as sim:
            desk.add(sim)
            async with desk.running():
                await desk.all_live()
            clock.ahead += 2 * HOUR + 10 * MINUTE
            await desk.until(lambda: len(sim.produced["maillog"]) > 5_000)
            expected = {kind: set(ids) for kind, ids in sim.produced.items() if kind != "audit"}
            async with desk.running(until_caught_up=True):
                await desk.all_stopped()
            assert lost_and_doubled(desk, expected) == (0, 0)
            assert lost_and_doubled(desk, sim.emitted) == (0, 0)

    run(work)


def test_thirty_one_days_offline_leave_a_named_gap(desk: Desk) -> None:
    clock = desk.clock = TurnedClock()
    desk.timing = replace(QUICK, visit=60)

    async def work() -> None:
        async with Simulator(clock=clock, rate=0.0001, archive_rate=0.0001, seed=4) as sim:
            desk.add(sim, content_types=("message",))
            async with desk.running():
                await desk.all_live(1)
            clock.ahead += 31 * 24 * HOUR
            # All but a few of the hours that the archive still has are fetched already.
            first, last = first_in_reach(clock.now()) + 5, hour_of(clock.now()) - 5
            desk.progress("acme/message", {"archived": [[first, last]]})
            async with desk.running():
                await desk.until(lambda: desk.status().gaps)
                await desk.all_live(1)
                [(begin, end)] = desk.status().gaps
                assert 22 * HOUR <= end - begin <= 26 * HOUR
                assert end <= clock.now() - 30 * 24 * HOUR + HOUR

    run(work)


@pytest.mark.parametrize("ends", ["close", "drop"])
def test_an_hour_of_the_archive_may_end_with_or_without_a_goodbye(desk: Desk, ends: str) -> None:
    async def work() -> None:
        async with Simulator(rate=1, archive_rate=0.2, archive_ends=ends) as sim:
            desk.add(sim, content_types=("message",), collect_from="2h")
            async with desk.running():
                await desk.all_live(1)
            assert lost_and_doubled(desk, sim.emitted) == (0, 0)

    run(work)


def test_an_hour_that_breaks_in_the_middle_is_fetched_again_whole(desk: Desk) -> None:
    async def work() -> None:
        async with Simulator(rate=1, archive_rate=1) as sim:
            desk.add(sim, content_types=("maillog",), collect_from="1h")
            async with desk.running():
                await desk.until(lambda: any("sinceTime" in shake.target for shake in sim.handshakes))
                sim.faults.end_after(300, RESET)
                sim.faults.end_after(700, 1011)
                await desk.all_live(1)
            assert sim.faults.pending == 0
            hours = [shake.target for shake in sim.handshakes if "sinceTime" in shake.target]
            assert len(hours) > len(set(hours))
            assert lost_and_doubled(desk, sim.emitted) == (0, 0)

    run(work)


def test_an_archive_that_refuses_every_hour_does_not_keep_live_away(desk: Desk) -> None:
    async def work() -> None:
        async with Simulator(rate=50) as sim:
            desk.add(sim, content_types=("message",), collect_from="2d")
            async with desk.running():
                await desk.until(lambda: desk.status().state == CATCHING_UP)
                sim.faults.next_handshakes(*[400] * 4)
                await desk.all_live(1)
                came = len(sim.emitted["message"])
                await desk.until(lambda: len(sim.emitted["message"]) > came + 20)
                refused = [shake.target for shake in sim.handshakes if shake.status == 400]
                assert 3 <= len(refused) <= 4 and all("sinceTime" in target for target in refused)
                # What was refused is asked for again later, and is no gap: the archive may still give it.
                assert desk.status().state == LIVE and desk.status().code == ""
                assert desk.status().gaps == ()
            assert lost_and_doubled(desk, sim.emitted) == (0, 0)

    run(work)
    states = {hour.state for hour in desk.hours("message")}
    assert "gap" in states and "archived" not in states


def test_a_disk_that_takes_nothing_for_a_while_loses_nothing(desk: Desk) -> None:
    full = asyncio.Event()

    class FullWriter:
        def __init__(self, writer: Any) -> None:
            self._writer = writer

        def commit(self, commit: Commit) -> Committed:
            if full.is_set() and commit.records:
                raise Outage("The disk is full.", "here", "Free some space.")
            return self._writer.commit(commit)

        def __getattr__(self, name: str) -> Any:
            return getattr(self._writer, name)

    desk.wrap = FullWriter

    async def work() -> None:
        async with Simulator(rate=200) as sim:
            desk.add(sim)
            async with desk.running():
                await desk.all_live()
                full.set()
                await desk.until(lambda: desk.status().code == "disk")
                assert desk.status().state == WAITING and "disk is full" in desk.status().what
                await asyncio.sleep(0.5)
                full.clear()
                await desk.all_live()
                await desk.until(lambda: desk.status().code == "")
            assert lost_and_doubled(desk, sim.emitted) == (0, 0)
            assert len(sim.handshakes) == 2

    run(work)


def test_the_service_follows_the_ledger(desk: Desk) -> None:
    async def work() -> None:
        async with Simulator(rate=50) as sim:
            async with desk.running():
                acme = desk.add(sim, content_types=("message",))
                await desk.all_live(1)
                desk.ledger.set_enabled("acme", False, now=desk.clock.now())
                await desk.until(lambda: desk.status().state == DISABLED and sim.open_sessions == [])
                desk.ledger.set_enabled("acme", True, now=desk.clock.now())
                await desk.all_live(1)
                desk.ledger.update_connector(
                    replace(acme, content_types=("message", "maillog")), now=desk.clock.now()
                )
                await desk.all_live(2)
                desk.ledger.remove_connector("acme")
                await desk.until(lambda: desk.statuses() == [] and sim.open_sessions == [])
                assert desk.ledger.statuses() == []
                assert desk.ledger.service() is not None
            assert desk.ledger.service() is None
            assert lost_and_doubled(desk, sim.emitted) == (0, 0)

    run(work)


def test_try_now_ends_a_wait(desk: Desk) -> None:
    desk.timing = replace(QUICK, backoff=1.0)

    async def work() -> None:
        async with Simulator(rate=50) as sim:
            sim.faults.next_handshakes(401)
            desk.add(sim, content_types=("message",))
            async with desk.running():
                await desk.until(lambda: desk.status().state == STOPPED_FAULT)
                assert desk.status().next_try > desk.clock.now() + 4 * MINUTE
                desk.ledger.post("try_now", {"connector": "acme"}, now=desk.clock.now())
                await desk.all_live(1)

    run(work)


def test_until_caught_up_ends_by_itself_and_says_whether_it_did(desk: Desk) -> None:
    async def work() -> None:
        async with Simulator(rate=50, archive_rate=0.1) as sim:
            desk.add(sim, collect_from="2h")
            async with desk.running(until_caught_up=True):
                await desk.all_stopped()
            assert desk.ended is True
            assert all(status.code == "" and status.progress is None for status in desk.statuses())
            # Two whole hours of each type, and the one that 2h ago lies in.
            asked = [shake.target for shake in sim.handshakes if "sinceTime" in shake.target]
            assert len(set(asked)) >= 4
            assert lost_and_doubled(desk, sim.emitted) == (0, 0)

    run(work)
    for kind in ("message", "maillog"):
        told = desk.hours(kind)
        ended = desk.clock.now() - 4 * MINUTE
        assert {hour.state for hour in told if hour.begin + HOUR <= ended} == {"archived"} and len(told) >= 3
        assert sum(hour.live + hour.added for hour in told) == len(desk.stored(kind))


def test_a_name_that_no_connector_has_is_said(desk: Desk) -> None:
    async def work() -> None:
        with pytest.raises(ExceptionGroup) as caught:
            async with desk.running(names=["nobody"]):
                pass
        [fault] = caught.value.exceptions
        assert isinstance(fault, UserFault) and "nobody" in fault.what

    run(work)


def test_the_hour_in_which_a_stream_began_is_fetched_once_it_is_over(desk: Desk) -> None:
    clock = desk.clock = TurnedClock()

    async def work() -> None:
        async with Simulator(clock=clock, rate=1) as sim:
            desk.add(sim, content_types=("maillog",), collect_from="1h")
            async with desk.running():
                await desk.all_live(1)
                before = len(sim.handshakes)
                clock.passes(HOUR)
                await desk.until(lambda: len(sim.handshakes) >= before + 2)
                await desk.until(lambda: sim.handshakes[-1].target.endswith("type=maillog"))
                await desk.all_live(1)
                expected = {"maillog": set(sim.produced["maillog"])}
                await desk.until(lambda: desk.has(expected))
            fetched = [shake.target for shake in sim.handshakes[before:] if "sinceTime" in shake.target]
            assert fetched
            assert lost_and_doubled(desk, sim.emitted) == (0, 0)
            assert {shake.status for shake in sim.handshakes} == {101}

    run(work)
    assert desk.codes() == set()


def test_a_long_backfill_lets_live_records_in_between(desk: Desk) -> None:
    desk.timing = replace(QUICK, visit=0.2)

    async def work() -> None:
        async with Simulator(rate=50, archive_rate=0.2) as sim:
            desk.add(sim, content_types=("message",), collect_from="12h")
            async with desk.running():
                await desk.all_live(1)
            order = ["archive" if "sinceTime" in shake.target else "live" for shake in sim.handshakes]
            assert order[0] == "live" and order[-1] == "live"
            assert order[1:-1].count("live") >= 1
            expected = {"message": set(sim.produced["message"])}
            assert lost_and_doubled(desk, sim.emitted) == (0, 0)
            assert lost_and_doubled(desk, expected)[0] <= 5  # released after our goodbye

    run(work)


def test_a_needed_person_ends_catching_up_with_no(desk: Desk) -> None:
    async def work() -> None:
        async with Simulator(rate=10) as sim:
            desk.add(sim, key="wrong")
            ended = []

            async def collect() -> None:
                async with desk.running(until_caught_up=True):
                    await desk.all_stopped()

            await collect()
            assert desk.ended is False
            ended.append(desk.status())
            assert ended[0].code == "401" and "Before it stopped" in ended[0].what

    run(work)


def test_a_time_to_collect_for_ends_it(desk: Desk) -> None:
    async def work() -> None:
        async with Simulator(rate=50) as sim:
            desk.add(sim)
            began = desk.clock.monotonic()
            async with desk.running(for_seconds=1.0):
                await desk.all_stopped()
            assert 0.9 < desk.clock.monotonic() - began < 20
            assert lost_and_doubled(desk, sim.emitted) == (0, 0)

    run(work)


def test_a_clean_stop_under_full_load_commits_what_came_within_its_time(desk: Desk) -> None:
    frames = [b'{"guid":"%d","pad":"%s"}' % (number, b"x" * 1500) for number in range(30_000)]

    async def work() -> None:
        async with Simulator(preencoded={"message": frames}, deflate=False) as sim:
            desk.add(sim, content_types=("message",))
            async with desk.running():
                await desk.until(lambda: desk.status().counters.received > 2_000)
                began = desk.clock.monotonic()
            assert desk.clock.monotonic() - began < 20  # 5 s where nothing else runs

    run(work)
    counters = desk.status().counters
    stored = {rid for _, rid in desk.stored()}
    assert len(stored) == counters.stored == counters.received > 2_000
    assert stored == {str(number) for number in range(len(stored))}
