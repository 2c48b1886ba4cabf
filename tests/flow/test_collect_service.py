"""The collecting service beside its computer: sleep, clocks, proxies, other collectors, and news that are fresh."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pod_desktop.core import limits
from pod_desktop.core.clock import HOUR, MINUTE, SECOND
from pod_desktop.core.connector import CollectConnector
from pod_desktop.core.secret import Secret
from pod_desktop.core.status import LIVE, WAITING
from pod_desktop.services.collect_claims import Claims, claim_of
from pod_desktop.simulator import Simulator
from tests.flow.collecting import QUICK, Desk, TurnedClock, lost_and_doubled


@pytest.fixture
def desk(tmp_path: Path) -> Any:
    desk = Desk(tmp_path)
    yield desk
    desk.close()


def run(work: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(work(), 200))


# Sleep and clocks


def test_after_a_sleep_the_stream_is_opened_anew_at_once_and_what_came_meanwhile_is_fetched(
    desk: Desk,
) -> None:
    clock = desk.clock = TurnedClock()
    desk.timing = replace(QUICK, backoff=0.5)

    async def work() -> None:
        async with Simulator(clock=clock, rate=1) as sim:
            desk.add(sim, content_types=("maillog",))
            async with desk.running():
                await desk.all_live(1)
                before = len(sim.handshakes)
                clock.ahead += 2 * HOUR
                awake = clock.monotonic()
                await desk.until(lambda: len(sim.handshakes) > before)
                # Long before the silence would have been noticed.
                assert clock.monotonic() - awake < limits.PONG_SECONDS / 2
                expected = {"maillog": set(sim.produced["maillog"])}
                await desk.until(lambda: desk.has(expected))
                await desk.all_live(1)
            assert lost_and_doubled(desk, sim.emitted) == (0, 0)

    run(work)
    assert "woke" in desk.codes()


def test_a_process_that_was_held_up_opens_its_streams_anew(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "SLEEP_SECONDS", 1.0)

    async def work() -> None:
        async with Simulator(rate=50) as sim:
            desk.add(sim, content_types=("message",))
            async with desk.running():
                await desk.all_live(1)
                # Neither clock tells: it is the look that comes late.
                time.sleep(1.5)  # noqa: ASYNC251 - the loop is what is to be held up
                await desk.until(lambda: "woke" in desk.codes())
                await desk.all_live(1)
                await desk.until(lambda: desk.has({"message": set(sim.emitted["message"])}))
            assert lost_and_doubled(desk, sim.emitted) == (0, 0)

    run(work)


def test_a_sleep_ends_a_long_wait(desk: Desk) -> None:
    clock = desk.clock = TurnedClock()
    desk.timing = replace(QUICK, backoff=1.0)

    async def work() -> None:
        async with Simulator(clock=clock, rate=5) as sim:
            sim.faults.next_handshakes(401)
            desk.add(sim, content_types=("message",))
            async with desk.running():
                await desk.until(lambda: desk.status().code == "401")
                clock.ahead += 20 * MINUTE
                await desk.all_live(1)

    run(work)


def test_a_clock_that_is_set_back_leaves_no_hole(desk: Desk) -> None:
    clock = desk.clock = TurnedClock()
    clock.ahead = 3 * HOUR

    async def work() -> None:
        async with Simulator(rate=150) as sim:
            desk.add(sim, content_types=("message",))
            async with desk.running():
                await desk.all_live(1)
                await desk.until(lambda: desk.status().counters.stored > 20)
                clock.ahead = 0
                await desk.until(lambda: "woke" in desk.codes())
                await desk.all_live(1)
                count = desk.status().counters.stored
                await desk.until(lambda: desk.status().counters.stored > count + 20)
                # Hours of the future that the wrong clock called received are still to come.
                assert all(hour.begin <= clock.now() for hour in desk.hours("message"))
                values = desk.service and desk.service.writer.progress("acme/message").values
                assert values and all(until <= clock.now() + SECOND for _, until in values["live"])  # type: ignore[attr-defined]
            assert lost_and_doubled(desk, sim.emitted) == (0, 0)

    run(work)


# Proxies


@asynccontextmanager
async def proxy(answer: int = 200) -> AsyncIterator[tuple[str, list[str]]]:
    """An HTTP proxy on this computer: its address, and the CONNECT lines it was sent."""
    asked: list[str] = []
    tasks: set[asyncio.Task[None]] = set()

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        asked.append(head)
        if answer != 200:
            writer.write(f"HTTP/1.1 {answer} No\r\nContent-Length: 0\r\n\r\n".encode())
            writer.close()
            return
        host, _, port = head.split(" ")[1].rpartition(":")
        there, back = await asyncio.open_connection(host, int(port))
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        loop = asyncio.get_running_loop()
        tasks.update({loop.create_task(pump(reader, back)), loop.create_task(pump(there, writer))})

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", asked
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def test_a_connector_goes_through_the_proxy_it_names(desk: Desk) -> None:
    async def work() -> None:
        async with Simulator(rate=20) as sim, proxy() as (address, asked):
            desk.add(sim, content_types=("message",), proxy=address)
            async with desk.running():
                await desk.all_live(1)
                await desk.until(lambda: desk.status().counters.stored > 5)
            assert asked and all(head.startswith("CONNECT 127.0.0.1:") for head in asked)
            assert sim.api_keys[0] not in "".join(asked)
            assert lost_and_doubled(desk, sim.emitted) == (0, 0)

    run(work)


@pytest.mark.parametrize(("answer", "code"), [(407, "407"), (403, "proxy"), (502, "proxy")])
def test_a_proxy_that_refuses_is_named_as_the_cause(desk: Desk, answer: int, code: str) -> None:
    async def work() -> None:
        async with Simulator(rate=20) as sim, proxy(answer) as (address, _):
            desk.add(sim, content_types=("message",), proxy=address)
            async with desk.running():
                await desk.until(lambda: desk.status().code == code)
                assert "prox" in desk.status().what.lower() and desk.status().hint
            assert sim.handshakes == []

    run(work)


def test_a_proxy_that_is_not_there_is_named_as_the_cause(desk: Desk) -> None:
    async def work() -> None:
        async with Simulator(rate=20) as sim:
            desk.add(sim, content_types=("message",), proxy="http://127.0.0.1:9")
            async with desk.running():
                await desk.until(lambda: desk.status().code == "proxy")
                assert "http://127.0.0.1:9" in desk.status().what

    run(work)


# Other collectors

CONNECTOR = CollectConnector(
    name="acme",
    tenant="acme",
    cluster_id="acme_hosted",
    content_types=("message",),
    stream_url="wss://a.example",
)


def test_a_claim_is_for_one_key_type_cluster_and_service_and_tells_nothing_of_the_key() -> None:
    key = Secret("eyJ.a-long-key")
    mine = claim_of(CONNECTOR, "message", key)
    assert mine == claim_of(replace(CONNECTOR, name="b", cluster_id="ACME_hosted"), "message", key)
    others = {
        claim_of(CONNECTOR, "maillog", key),
        claim_of(CONNECTOR, "message", Secret("eyJ.another-key")),
        claim_of(replace(CONNECTOR, cluster_id="other"), "message", key),
        claim_of(replace(CONNECTOR, stream_url="wss://b.example"), "message", key),
    }
    assert len(others) == 4 and mine not in others
    assert "eyJ" not in mine


def test_two_connectors_with_one_key_and_type_are_told_apart_in_words(desk: Desk) -> None:
    async def work() -> None:
        async with Simulator(rate=20) as sim:
            desk.add(sim, "first", content_types=("message",))
            desk.add(sim, "second", content_types=("message",))
            async with desk.running():
                await desk.until(lambda: {s.state for s in desk.statuses()} == {LIVE, WAITING})
                waits = next(status for status in desk.statuses() if status.state == WAITING)
                other = "second" if waits.connector == "first" else "first"
                assert waits.code == "claimed" and other in waits.what
                assert {shake.status for shake in sim.handshakes} == {101}
                desk.ledger.set_enabled(other, False, now=desk.clock.now())
                await desk.until(lambda: desk.status(waits.connector).state == LIVE)

    run(work)


def test_a_collector_of_another_process_is_named_and_its_end_lets_this_one_in(
    desk: Desk, tmp_path: Path
) -> None:
    folder = tmp_path / "claims"
    desk.options = {"claims": Claims(folder)}

    async def work() -> None:
        async with Simulator(rate=20) as sim:
            made = desk.add(sim, content_types=("message",))
            claim = claim_of(made, "message", Secret(sim.api_keys[0]))
            folder.mkdir(mode=0o700)
            code = (
                "import sys, pathlib; from pod_desktop.store import Lock;"
                f"lock = Lock(pathlib.Path({str(folder / (claim + '.lock'))!r}));"
                "print(lock.acquire(), flush=True);"
                "sys.stdin.read()"
            )
            other = subprocess.Popen(  # noqa: ASYNC220 - it starts in a moment, and is waited for in a thread
                [sys.executable, "-c", code],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
            )
            try:
                assert (
                    other.stdout is not None and await asyncio.to_thread(other.stdout.readline) == b"None\n"
                )
                async with desk.running():
                    await desk.until(lambda: desk.status().code == "claimed")
                    assert f"process {other.pid}" in desk.status().what
                    assert sim.handshakes == []
                    other.communicate(b"")
                    await desk.all_live(1)
            finally:
                other.kill()
                other.communicate()

    run(work)
    # A clean end leaves nothing claimed.
    assert [path.stat().st_size for path in folder.iterdir()] == [0]


# Fresh news


def test_a_state_is_renewed_every_five_minutes_and_a_change_at_once(desk: Desk) -> None:
    clock = desk.clock = TurnedClock()

    async def work() -> None:
        async with Simulator(rate=0.0001) as sim:
            desk.add(sim, content_types=("message",))
            async with desk.running():
                await desk.all_live(1)
                await desk.until(lambda: [s.state for s in desk.ledger.statuses()] == [LIVE])
                first = desk.ledger.statuses()[0].checked
                await asyncio.sleep(0.6)
                assert desk.ledger.statuses()[0].checked == first
                clock.passes(int((limits.HEALTH_SECONDS + 1) * SECOND))
                await desk.until(lambda: desk.ledger.statuses()[0].checked > first)
                assert desk.ledger.statuses()[0].state == LIVE
                await sim.drop_all("abort")
                await desk.until(lambda: "1006" in desk.codes())

    run(work)


def test_success_clears_a_failed_state_and_a_fault_that_stays_is_back_soon(desk: Desk) -> None:
    desk.timing = replace(QUICK, backoff=0.002)

    async def work() -> None:
        async with Simulator(rate=20) as sim:
            sim.faults.next_handshakes(403, 403, 403)
            desk.add(sim, content_types=("message",))
            async with desk.running():
                await desk.until(lambda: desk.status().code == "403")
                began = desk.clock.monotonic()
                await desk.until(lambda: desk.status().attempts == 2)
                # Tried again, it is said again: never longer than the attempt itself takes.
                assert desk.clock.monotonic() - began < 60 and desk.status().code == "403"
                await desk.all_live(1)
                assert (desk.status().code, desk.status().hint, desk.status().next_try) == ("", "", 0)

    run(work)
