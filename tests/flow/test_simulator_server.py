"""The simulated log stream, spoken to over real sockets: handshake, archive, live buffer, sessions, faults."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import pytest
import trustme
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidMessage, InvalidStatus

from pod_desktop.core.clock import HOUR, iso, parse_iso
from pod_desktop.simulator import (
    ABORT,
    RESET,
    SILENCE,
    ManualClock,
    Simulator,
    answer,
    proxy_page,
    redirect,
    running,
    slow,
)

NOON = parse_iso("2026-11-24T12:10:00Z")


def run(work: Callable[[], Coroutine[Any, Any, None]], seconds: float = 20) -> None:
    asyncio.run(asyncio.wait_for(work(), seconds))


def target(sim: Simulator, kind: str = "message", **more: str) -> str:
    return f"{sim.stream_url}/v1/stream?" + urlencode({"cid": sim.cluster_id, "type": kind, **more})


def opening(sim: Simulator, kind: str = "message", key: int = 0, **more: str) -> connect:
    return connect(
        target(sim, kind, **more),
        additional_headers={"Authorization": f"Bearer {sim.api_keys[key]}"},
        max_size=16 << 20,
        ping_interval=None,
        proxy=None,
        close_timeout=1,
    )


async def status_of(url: str, token: str = "") -> tuple[int, bytes]:
    try:
        async with connect(
            url, additional_headers={"Authorization": f"Bearer {token}"} if token else {}, proxy=None
        ):
            return 101, b""
    except InvalidStatus as refused:
        return refused.response.status_code, bytes(refused.response.body or b"")


async def drained(ws: ClientConnection) -> list[bytes]:
    """Everything up to the end of the connection."""
    found = []
    try:
        while True:
            found.append(bytes(await ws.recv(decode=False)))
    except ConnectionClosed:
        return found


def ids(frames: list[bytes]) -> list[str]:
    return [record.get("guid") or record["id"] for record in map(json.loads, frames)]


def record(name: str, when: int = NOON) -> dict[str, str]:
    return {"guid": name, "ts": iso(when)}


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


async def until(true: Callable[[], Any], seconds: float = 5) -> None:
    async with asyncio.timeout(seconds):
        while not true():  # noqa: ASYNC110 - what is waited for happens in another task
            await asyncio.sleep(0.01)


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
            assert 0.7 < time.monotonic() - began < 4
            ages = [sim.now() - parse_iso(json.loads(frame)["ts"]) for frame in got]
            assert min(ages) > -1_000_000 and max(ages) < 3_000_000
            assert len(set(ids(got))) == 200

    run(work)


# Faults


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 429, 500, 502, 503])
def test_a_handshake_can_be_refused_on_order(status: int) -> None:
    async def work() -> None:
        async with Simulator(rate=0) as sim:
            sim.faults.next_handshakes(status, status, kind="message")
            async with opening(sim, "maillog"):
                pass
            for expected in (status, status, 101):
                assert (await status_of(target(sim), sim.api_keys[0]))[0] == expected
            with sim.faults.every_handshake(answer(status, headers=(("Retry-After", "7"),))):
                with pytest.raises(InvalidStatus) as refused:
                    await opening(sim)
                assert refused.value.response.headers["Retry-After"] == "7"
            assert sim.faults.pending == 0

    run(work)


def test_a_proxy_page_a_redirect_and_a_slow_answer() -> None:
    async def work() -> None:
        async with Simulator(rate=0) as sim:
            sim.faults.next_handshakes(proxy_page(403), redirect("ws://127.0.0.1:9/other", 307), slow(0.3))
            status, body = await status_of(target(sim), sim.api_keys[0])
            assert status == 403 and body.startswith(b"<!DOCTYPE html>")
            reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(sim.stream_url).port)
            path = urlsplit(target(sim))
            writer.write(f"GET {path.path}?{path.query} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            reply = await reader.read()
            assert b" 307 " in reply and b"Location: ws://127.0.0.1:9/other" in reply
            writer.close()
            await writer.wait_closed()
            began = time.monotonic()
            async with opening(sim):
                assert time.monotonic() - began >= 0.3

    run(work)


@pytest.mark.parametrize("how", [ABORT, RESET])
def test_a_handshake_can_break(how: str) -> None:
    async def work() -> None:
        async with Simulator(rate=0) as sim:
            sim.faults.next_handshakes(how)
            with pytest.raises((InvalidMessage, OSError, EOFError)):
                await opening(sim)
            assert sim.handshakes[-1].status == how

    run(work)


def test_a_handshake_can_stay_unanswered() -> None:
    async def work() -> None:
        async with Simulator(rate=0) as sim:
            sim.faults.next_handshakes(SILENCE)
            with pytest.raises(TimeoutError):
                await connect(target(sim), open_timeout=0.3, proxy=None)

    run(work)


@pytest.mark.parametrize("code", [1000, 1001, 1007, 1009, 1011])
def test_a_session_ends_with_the_code_that_was_ordered(code: int) -> None:
    async def work() -> None:
        async with Simulator(rate=0) as sim:
            async with opening(sim) as ws:
                assert await sim.drop_all(code) == 1
                assert await drained(ws) == []
            assert ws.close_code == code

    run(work)


@pytest.mark.parametrize("how", [ABORT, RESET, 1011])
def test_a_session_ends_after_so_many_frames(how: str | int) -> None:
    async def work() -> None:
        async with Simulator(rate=0, archive_rate=0, resume_overlap=0) as sim:
            sim.faults.end_after(3, how, kind="message")
            async with opening(sim) as ws:
                await until(lambda: sim.open_sessions)
                sim.publish_all("message", [record(f"r{number}", sim.now()) for number in range(5)])
                first = await drained(ws)
            assert ws.close_code == (how if isinstance(how, int) else 1006)
            assert sim.emitted["message"].total() == 3
            await until(lambda: not sim.open_sessions)
            async with opening(sim) as ws:
                rest = [bytes(await ws.recv(decode=False)) for _ in range(2)]
            assert ids(rest) == ["r3", "r4"]
            assert how == RESET or ids(first) == ["r0", "r1", "r2"]

    run(work)


def test_a_silent_session_answers_no_ping_and_frees_its_place() -> None:
    async def work() -> None:
        async with Simulator(rate=0) as sim, opening(sim) as ws:
            assert await asyncio.wait_for(await ws.ping(), 2) >= 0
            await sim.drop_all(SILENCE)
            sim.publish("message", record("unheard", sim.now()))
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(asyncio.shield(await ws.ping()), 0.3)
            ws.transport.abort()
            async with opening(sim) as again:
                assert ids([bytes(await again.recv(decode=False))]) == ["unheard"]

    run(work)


def test_an_idle_connection_is_dropped_and_a_ping_keeps_it() -> None:
    async def work() -> None:
        async with Simulator(rate=0, archive_rate=0, idle_seconds=0.4) as sim:
            async with opening(sim) as ws:
                for _ in range(6):
                    await asyncio.sleep(0.1)
                    await (await ws.ping())
                assert sim.open_sessions
                assert await drained(ws) == []
            assert ws.close_code == 1006

    run(work)


def test_a_muted_stream_holds_back_and_then_delivers() -> None:
    async def work() -> None:
        async with Simulator(rate=0, archive_rate=0) as sim, opening(sim) as ws:
            sim.faults.muted = True
            sim.publish("message", record("held", sim.now()))
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(ws.recv(), 0.2)
            sim.faults.muted = False
            sim.publish("message", record("next", sim.now()))
            assert ids([bytes(await ws.recv(decode=False)) for _ in range(2)]) == ["held", "next"]

    run(work)


def test_chaos_drops_sessions_and_sends_what_is_no_record() -> None:
    async def work() -> None:
        clock = ManualClock(NOON)
        async with Simulator(rate=0, archive_rate=1, scenario="chaos", clock=clock, linger=0) as sim:
            got: list[bytes] = []
            while True:
                try:
                    async with opening(sim, sinceTime=iso(NOON - 2 * HOUR), toTime=iso(NOON)) as ws:
                        got = await drained(ws)
                    if ws.close_code == 1000:
                        break
                except InvalidStatus:
                    continue
            begin = NOON // HOUR * HOUR - 2 * HOUR
            known = sim.generator.records("message", begin, NOON)
            frames = [item.frame for item in known if item.release <= NOON]
            assert got == frames
            assert {shake.status for shake in sim.handshakes} <= {101, 502, 503}
            assert b"" in got and max(map(len, got)) > 1 << 20
            assert len(set(got)) < len(got)

    run(work, 40)


# Carriage


@pytest.mark.parametrize("deflate", [True, False])
def test_compression_is_offered_or_not(deflate: bool) -> None:
    async def work() -> None:
        async with Simulator(rate=0, deflate=deflate) as sim, opening(sim) as ws:
            assert bool(ws.protocol.extensions) is deflate
            sim.publish("message", record("x", sim.now()))
            assert ids([bytes(await ws.recv(decode=False))]) == ["x"]

    run(work)


def test_frames_from_memory_arrive_whole_and_fast() -> None:
    frames = [
        json.dumps({"guid": str(number), "pad": "x" * (number % 70_000)}).encode()
        for number in range(0, 140_000, 35)
    ]

    async def work() -> None:
        async with Simulator(rate=0, preencoded={"message": frames}) as sim:
            async with opening(sim) as ws:
                assert [bytes(await ws.recv(decode=False)) for _ in frames] == frames
            async with opening(sim, sinceTime=iso(sim.now() - HOUR)) as ws:
                assert await drained(ws) == frames
            assert ws.close_code == 1000

    run(work)


def test_tls_with_a_certificate_of_ones_own(tmp_path: Path) -> None:
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    chain, key = tmp_path / "chain.pem", tmp_path / "key.pem"
    certificate.private_key_pem.write_to_path(key)
    for blob in certificate.cert_chain_pems:
        blob.write_to_path(chain, append=True)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)

    async def work() -> None:
        async with Simulator(rate=0, tls=(str(chain), str(key))) as sim:
            assert sim.stream_url.startswith("wss://") and sim.token_url.startswith("https://")
            token = {"Authorization": f"Bearer {sim.api_keys[0]}"}
            async with connect(target(sim), ssl=trusting, additional_headers=token, proxy=None) as ws:
                sim.publish("message", record("x", sim.now()))
                assert ids([bytes(await ws.recv(decode=False))]) == ["x"]
                await sim.drop_all(RESET)
                assert await drained(ws) == []
            with pytest.raises(ssl.SSLCertVerificationError):
                await connect(
                    target(sim), ssl=ssl.create_default_context(), additional_headers=token, proxy=None
                )

    run(work)


def test_leaving_closes_sessions_with_1001_and_frees_the_port() -> None:
    async def work() -> None:
        async with Simulator(rate=0) as sim:
            ws = await opening(sim)
            port = urlsplit(sim.stream_url).port
        await drained(ws)
        assert ws.close_code == 1001
        await ws.close()
        with pytest.raises(OSError):
            await asyncio.open_connection("127.0.0.1", port)

    run(work)


def test_a_failure_inside_the_block_comes_out_as_it_is() -> None:
    async def work() -> None:
        async with Simulator(rate=0):
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        run(work)


# From outside an event loop


def test_a_simulator_in_a_thread_can_be_steered() -> None:
    with running(rate=0, archive_rate=0) as sim:

        async def work() -> None:
            async with opening(sim.simulator) as ws:
                await asyncio.to_thread(sim.publish, "message", record("x", NOON))
                assert ids([bytes(await ws.recv(decode=False))]) == ["x"]
                assert await asyncio.to_thread(sim.drop_all, 1011) == 1
                assert await drained(ws) == []

        run(work)
        assert sim.emitted["message"] == {"x": 1}
        with pytest.raises(ZeroDivisionError):
            sim.do(lambda simulator: 1 / 0)


def test_a_taken_port_is_told_to_the_thread_that_asked() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(OSError),
        running(port=taken.getsockname()[1]),
    ):
        pass


COMMAND = [
    sys.executable,
    "-W",
    "error",
    "-c",
    "import sys; from pod_desktop.simulator import main; sys.exit(main(sys.argv[1:]))",
]


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_the_command_prints_one_json_line_and_ends_with_a_signal(how: signal.Signals) -> None:
    process = subprocess.Popen(
        [*COMMAND, "--rate", "50", "--seed", "9"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    try:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        assert told["pid"] == process.pid
        assert (
            told["api_url"].endswith(told["hostname"]) and told["token_url"] == told["api_url"] + "/v1/token"
        )

        async def work() -> None:
            url = f"{told['stream_url']}/v1/stream?cid={quote(told['cluster_id'])}&type=maillog"
            token = {"Authorization": f"Bearer {told['api_keys'][1]}"}
            async with connect(url, additional_headers=token, proxy=None) as ws:
                assert json.loads(await ws.recv())["id"]
                process.send_signal(how)
                await drained(ws)
                assert ws.close_code == 1001

        run(work)
        out, err = process.communicate(timeout=10)
        assert (process.returncode, out, err) == (0, b"", b"")
    finally:
        process.kill()
        process.wait()


def test_the_command_writes_a_file_of_records(tmp_path: Path) -> None:
    from pod_desktop.simulator import main

    file = tmp_path / "deep" / "x.ndjson"
    assert main(["--export", str(file), "--records", "300", "--kind", "maillog"]) == 0
    lines = file.read_bytes().splitlines()
    assert len(lines) == 300 == len(set(ids(lines)))


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--scenario", "none"], 2),
        (["--no-such-option"], 2),
        (["--help"], 0),
        (["--tls", "/nowhere", "/nowhere"], 1),
    ],
)
def test_bad_use_of_the_command_has_an_exit_code(
    words: list[str], code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    from pod_desktop.simulator import main

    assert main(words) == code
    said = capsys.readouterr()
    assert re.search(r"\w", said.err if code else said.out)
