"""The simulated log stream, spoken to over real sockets: handshake, archive, live buffer."""

from __future__ import annotations

import asyncio
import json
import time
from urllib.parse import urlencode, urlsplit

import pytest

from pod_desktop.core.clock import HOUR, iso, parse_iso
from pod_desktop.simulator import (
    ABORT,
    RESET,
    ManualClock,
    Simulator,
)
from tests.flow.speaking import NOON, drained, ids, opening, record, run, status_of, target, until

# Handshake


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({}, 101),
        ({"cid": ""}, 400),
        ({"type": ""}, 400),
        ({"type": "mail"}, 400),
        ({"sinceTime": "yesterday"}, 400),
        ({"sinceTime": "2026-10-25T00:00:00Z"}, 400),
        ({"sinceTime": "2026-10-25T13:00:00Z"}, 101),
        ({"toTime": "2026-11-24T12:00:00Z"}, 400),
        ({"sinceTime": "2026-11-24T10:00:00Z", "toTime": "2026-11-24T09:00:00Z"}, 400),
        ({"sinceTime": "2026-11-24T10:00:00Z", "toTime": "2026-11-24T14:00:00Z"}, 400),
        ({"sinceTime": "2026-11-24T10:00:00-0000", "toTime": "2026-11-24T12:00:00Z"}, 101),
        ({"cid": "someone_else"}, 401),
    ],
)
def test_a_request_is_judged_as_the_service_does(change: dict[str, str], status: int) -> None:
    async def work() -> None:
        async with Simulator(rate=0, archive_rate=0, clock=ManualClock(NOON)) as sim:
            query = {"cid": sim.cluster_id, "type": "message", **change}
            url = f"{sim.stream_url}/v1/stream?" + urlencode(
                {name: text for name, text in query.items() if text}
            )
            assert (await status_of(url, sim.api_keys[0]))[0] == status
            assert sim.handshakes[-1].status == status

    run(work)


def test_a_wrong_or_missing_token_is_401_and_a_wrong_path_404() -> None:
    async def work() -> None:
        async with Simulator(rate=0) as sim:
            assert (await status_of(target(sim)))[0] == 401
            assert (await status_of(target(sim), "x" * 250))[0] == 401
            assert (await status_of(target(sim).replace("/v1/stream", "/v2/stream"), sim.api_keys[0]))[
                0
            ] == 404
            assert all(len(key) > 200 and key.count(".") == 2 for key in sim.api_keys)

    run(work)


@pytest.mark.parametrize(
    ("request_line", "status"),
    [
        ("POST /v1/stream?cid=a&type=message", 405),
        ("GET /v1/stream?cid=acme_hosted&type=message", 404),
        ("DELETE /", 405),
    ],
)
def test_plain_http_is_turned_away(request_line: str, status: int) -> None:
    async def work() -> None:
        async with Simulator(rate=0) as sim:
            reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(sim.stream_url).port)
            body = "Content-Length: 5\r\n\r\nhello" if request_line.startswith("POST") else "\r\n"
            writer.write(f"{request_line} HTTP/1.1\r\nHost: x\r\n{body}".encode())
            assert (await reader.readline()).startswith(f"HTTP/1.1 {status} ".encode())
            writer.close()
            await writer.wait_closed()

    run(work)


def test_a_second_session_of_key_and_type_is_409_with_the_services_words() -> None:
    async def work() -> None:
        async with Simulator(rate=0) as sim:
            async with opening(sim):
                status, body = await status_of(target(sim), sim.api_keys[0])
                assert (status, body) == (409, b"Exceeded maximum number of sessions per token\r\n")
                async with opening(sim, "maillog"), opening(sim, "message", key=1):
                    assert len(sim.open_sessions) == 3
                since = {"sinceTime": iso(sim.now() - HOUR)}
                assert (await status_of(target(sim, **since), sim.api_keys[0]))[0] == 409
            async with opening(sim):
                pass

    run(work)


def test_archive_sessions_can_have_a_place_of_their_own() -> None:
    async def work() -> None:
        async with (
            Simulator(rate=0, archive_rate=0.1, archive_counts=False) as sim,
            opening(sim),
            opening(sim, sinceTime=iso(sim.now() - 2 * HOUR), toTime=iso(sim.now())) as archive,
        ):
            assert await drained(archive)

    run(work)


def test_a_dropped_session_lingers_and_gives_409_until_it_is_released() -> None:
    async def work() -> None:
        clock = ManualClock(NOON)
        async with Simulator(rate=0, linger=30, clock=clock) as sim:
            async with opening(sim) as ws:
                await sim.drop_all(RESET)
                await drained(ws)
            assert (await status_of(target(sim), sim.api_keys[0]))[0] == 409
            clock.advance(31)
            async with opening(sim) as ws:
                await ws.close()
            await until(lambda: not sim.open_sessions)
            async with opening(sim):
                pass

    run(work)


# Archive


def test_the_archive_rounds_to_whole_hours_and_ends_with_1000() -> None:
    async def work() -> None:
        async with Simulator(rate=0, archive_rate=0.5, clock=ManualClock(NOON)) as sim:
            window = {"sinceTime": "2026-11-24T08:40:00Z", "toTime": "2026-11-24T09:20:00-0000"}
            async with opening(sim, **window) as ws:
                got = await drained(ws)
            assert ws.close_code == 1000
            begin = parse_iso("2026-11-24T08:00Z")
            expected = [item.frame for item in sim.generator.records("message", begin, begin + 2 * HOUR)]
            assert got == expected and len(got) > 150
            assert sim.emitted["message"].keys() == set(ids(got))

    run(work)


def test_archive_and_live_hold_the_same_records() -> None:
    async def work() -> None:
        clock = ManualClock(NOON)
        async with Simulator(rate=5, archive_rate=0.2, clock=clock, first_live="hour") as sim:
            clock.advance(600)
            await sim.settled()
            assert len(sim.produced["maillog"]) > 1_500
            async with opening(sim, "maillog", sinceTime=iso(NOON), toTime=iso(clock.now())) as archive:
                stored = await drained(archive)
            assert sim.produced["maillog"] <= set(ids(stored))
            async with opening(sim, "maillog") as live:
                sent = [bytes(await live.recv(decode=False)) for _ in sim.produced["maillog"]]
            assert sim.produced["maillog"] == set(ids(sent))
            assert set(sent) <= set(stored)

    run(work)


def test_the_archive_may_end_in_a_plain_drop_and_sincetime_alone_may_go_on_live() -> None:
    async def work() -> None:
        async with Simulator(rate=0, archive_rate=0.1, archive_ends="drop") as sim:
            async with opening(sim, sinceTime=iso(sim.now() - HOUR), toTime=iso(sim.now())) as ws:
                assert await drained(ws)
            assert ws.close_code == 1006
        async with Simulator(rate=0, archive_rate=0.1) as sim:
            async with opening(sim, sinceTime=iso(sim.now() - HOUR)) as ws:
                assert await drained(ws)
            assert ws.close_code == 1000
        async with (
            Simulator(rate=0, archive_rate=0.1, since_alone="live") as sim,
            opening(sim, sinceTime=iso(sim.now() - HOUR)) as ws,
        ):
            await until(lambda: sim.emitted["message"])
            sim.publish("message", record("after", sim.now()))
            while ids([bytes(await ws.recv(decode=False))]) != ["after"]:
                pass

    run(work)


def test_a_finished_hour_may_appear_in_the_archive_only_after_two_minutes() -> None:
    async def work() -> None:
        clock = ManualClock(parse_iso("2026-11-24T12:01:00Z"))
        async with Simulator(rate=0, archive_rate=0.2, archive_visible_after=120, clock=clock) as sim:
            window = {"sinceTime": "2026-11-24T11:00:00Z", "toTime": "2026-11-24T12:00:00Z"}
            async with opening(sim, **window) as ws:
                assert await drained(ws) == []
            clock.advance(61)
            async with opening(sim, **window) as ws:
                assert await drained(ws)

    run(work)


def test_hand_made_records_go_live_and_into_the_archive() -> None:
    async def work() -> None:
        async with Simulator(rate=0, archive_rate=0, clock=ManualClock(NOON)) as sim:
            async with opening(sim) as ws:
                sim.publish("message", record("one", NOON - 3 * HOUR))
                sim.publish("message", b"\xff\xfe not a record")
                sim.publish("message", "plain", binary=True)
                got = [await ws.recv(decode=False) for _ in range(3)]
            assert ids([bytes(got[0])]) == ["one"] and got[1:] == [b"\xff\xfe not a record", b"plain"]
            assert sim.emitted["message"] == {"one": 1} and sim.idless["message"] == 2
            await until(lambda: not sim.open_sessions)
            async with opening(sim, sinceTime=iso(NOON - 3 * HOUR), toTime=iso(NOON - 2 * HOUR)) as ws:
                assert ids(await drained(ws)) == ["one"]

    run(work)


# Live buffer


@pytest.mark.parametrize(
    ("away", "expected"),
    [(20 * 60, ["a", "b", "c"]), (3 * 3600, ["b", "c"])],
    ids=["back within the hour", "back after three hours"],
)
def test_after_a_drop_delivery_goes_on_or_only_the_last_hour_is_replayed(
    away: int, expected: list[str]
) -> None:
    async def work() -> None:
        clock = ManualClock(NOON)
        async with Simulator(rate=0, archive_rate=0, clock=clock, resume_overlap=0) as sim:
            async with opening(sim) as ws:
                sim.publish("message", record("before"))
                await ws.recv()
                await sim.drop_all(ABORT)
                await drained(ws)
            for name in ("a", "b"):
                clock.advance(away / 2 - 300)
                sim.publish("message", record(name, clock.now()))
            clock.advance(600)
            sim.publish("message", record("c", clock.now()))
            async with opening(sim) as ws:
                sim.publish("message", record("end", clock.now()))
                got = []
                while not got or got[-1] != "end":
                    got += ids([bytes(await ws.recv(decode=False))])
            assert got == [*expected, "end"]

    run(work)


@pytest.mark.parametrize(("scope", "overtaken"), [("key_and_type", False), ("key", False), ("cluster", True)])
def test_whose_buffer_it_is_can_be_chosen(scope: str, overtaken: bool) -> None:
    async def work() -> None:
        clock = ManualClock(NOON)
        async with Simulator(
            rate=0, archive_rate=0, clock=clock, buffer_scope=scope, resume_overlap=0
        ) as sim:
            async with opening(sim) as ws:
                sim.publish("message", record("first"))
                await ws.recv()
            clock.advance(60)
            async with opening(sim, key=1) as other:
                sim.publish("message", record("missed", clock.now()))
                await other.recv()
                await until(lambda: sim.emitted["message"]["missed"])
            async with opening(sim) as ws:
                sim.publish("message", record("last", clock.now()))
                got = ids([bytes(await ws.recv(decode=False))])
            assert got == (["last"] if overtaken else ["missed"])

    run(work)


def test_a_resumed_stream_repeats_a_little() -> None:
    async def work() -> None:
        clock = ManualClock(NOON)
        async with Simulator(rate=0, archive_rate=0, clock=clock, resume_overlap=5) as sim:
            for _ in range(2):
                async with opening(sim) as ws:
                    if not sim.emitted["message"]:
                        sim.publish("message", record("again"))
                    assert ids([bytes(await ws.recv(decode=False))]) == ["again"]
                    await ws.close()
                await until(lambda: not sim.open_sessions)
            assert sim.emitted["message"]["again"] == 2

    run(work)


def test_live_records_are_of_now_and_come_at_the_rate() -> None:
    async def work() -> None:
        async with Simulator(rate=200) as sim, opening(sim, "maillog") as ws:
            began = time.monotonic()
            got = [bytes(await ws.recv(decode=False)) for _ in range(200)]
            assert 0.7 < time.monotonic() - began < 20
            ages = [sim.now() - parse_iso(json.loads(frame)["ts"]) for frame in got]
            assert min(ages) > -1_000_000 and max(ages) < 20_000_000
            assert len(set(ids(got))) == 200

    run(work)
