"""The simulated log stream misbehaves as ordered, and carries frames in every way."""

from __future__ import annotations

import asyncio
import json
import ssl
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import trustme
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidMessage, InvalidStatus

from pod_desktop.core.clock import HOUR, iso
from pod_desktop.simulator import (
    ABORT,
    RESET,
    SILENCE,
    ManualClock,
    Simulator,
    answer,
    proxy_page,
    redirect,
    slow,
)
from tests.flow.speaking import NOON, drained, ids, opening, record, run, status_of, target, until

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


@pytest.mark.parametrize("wait", [0.0, 0.05])
def test_a_client_that_dies_inside_the_handshake_keeps_no_place(wait: float) -> None:
    async def work() -> None:
        async with Simulator(rate=0, linger=0.0) as sim:
            path = urlsplit(target(sim))
            for _ in range(10):
                sim.faults.next_handshakes(slow(wait))
                _, writer = await asyncio.open_connection("127.0.0.1", urlsplit(sim.stream_url).port)
                writer.write(
                    f"GET {path.path}?{path.query} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
                    "Connection: Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
                    f"Sec-WebSocket-Version: 13\r\nAuthorization: Bearer {sim.api_keys[0]}\r\n\r\n".encode()
                )
                writer.transport.abort()
                shakes = len(sim.handshakes)
                await asyncio.sleep(wait + 0.02)
                assert len(sim.handshakes) <= shakes + 1
            await until(lambda: not sim.open_sessions)
            async with opening(sim):
                assert len(sim.open_sessions) == 1

    run(work)


def test_a_session_whose_handler_never_began_is_ended_by_its_connection() -> None:
    async def work() -> None:
        async with Simulator(rate=0, linger=0.0) as sim, opening(sim):
            [session] = sim.sessions.open
            session.served = False
            [connection] = sim._stream.connections()
            connection._unserved(session)
            assert sim.open_sessions == [] and session.abnormal

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
            assert await asyncio.wait_for(await ws.ping(), 60) >= 0
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
