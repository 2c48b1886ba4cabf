"""The simulated token endpoint and lists, asked with a real HTTP client."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from pod_desktop.core.clock import parse_iso
from pod_desktop.simulator import ManualClock, Reply, Simulator
from pod_desktop.simulator.api import (
    BLOCK,
    CUT_AFTER_PROCESS,
    DUPLICATE,
    HANG_AFTER_PROCESS,
    HANG_AFTER_READ,
    HANG_BEFORE_READ,
    LIST_PATH,
    RESET_AFTER_PROCESS,
    RESET_AFTER_READ,
    RESET_BEFORE_READ,
    SAFE,
)

ENTRY = {"attribute": "$from", "operator": "equal", "value": "Billing@bad.example"}
Work = Callable[[Simulator, httpx.AsyncClient], Awaitable[None]]


def run(work: Work, **options: Any) -> None:
    async def main() -> None:
        async with (
            Simulator(rate=0, **options) as sim,
            httpx.AsyncClient(base_url=sim.api_url, trust_env=False, timeout=20.0) as client,
        ):
            await work(sim, client)

    asyncio.run(asyncio.wait_for(main(), 100))


async def authorise(sim: Simulator, client: httpx.AsyncClient) -> httpx.Response:
    form = {
        "grant_type": "client_credentials",
        "client_id": sim.client_id,
        "client_secret": sim.client_secret,
    }
    answer = await client.post(sim.token_url, data=form)
    client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
    return answer


def path(sim: Simulator, name: str = BLOCK) -> str:
    return f"{LIST_PATH}{name}?clusterId={sim.cluster_id}"


async def change(
    sim: Simulator, client: httpx.AsyncClient, action: str = "add", name: str = BLOCK, **more: Any
) -> httpx.Response:
    return await client.post(path(sim, name), json={"action": action, **ENTRY, **more})


def test_a_token_is_given_for_the_right_secret_only() -> None:
    async def work(sim: Simulator, client: httpx.AsyncClient) -> None:
        answer = await authorise(sim, client)
        assert answer.json().keys() == {"access_token", "token_type", "expires_in"}
        assert answer.json()["token_type"].lower() == "bearer" and answer.json()["expires_in"] == 3600
        for form, status in (
            ({"grant_type": "client_credentials", "client_id": sim.client_id, "client_secret": "no"}, 401),
            ({"grant_type": "password"}, 400),
        ):
            refused = await client.post(sim.token_url, data=form)
            assert refused.status_code == status and "error" in refused.json()
        assert (await client.get(sim.token_url)).status_code == 405
        assert (await client.post(sim.token_url, json={})).status_code == 415
        assert sim.api.token_requests == 5

    run(work)


def test_add_read_and_delete_go_by_attribute_operator_and_value_without_case() -> None:
    async def work(sim: Simulator, client: httpx.AsyncClient) -> None:
        await authorise(sim, client)
        added = await change(sim, client, comment="ticket 4711")
        assert (added.status_code, added.content) == (200, b"")
        listed = await client.get(path(sim))
        assert listed.json() == {"entries": [{**ENTRY, "comment": "ticket 4711"}]}
        twice = await change(sim, client, value="BILLING@bad.example")
        assert twice.status_code == 400 and twice.json()["errorMessage"] == DUPLICATE
        assert (await change(sim, client, operator="contain")).status_code == 200
        assert (await change(sim, client, "delete", value="billing@BAD.example")).status_code == 200
        assert sim.api.entries() == [{**ENTRY, "operator": "contain"}]
        assert sim.api.entries(SAFE) == []
        assert sim.api.requests(BLOCK)[0].json == {"action": "add", **ENTRY, "comment": "ticket 4711"}

    run(work)


@pytest.mark.parametrize(
    ("name", "body"),
    [
        (BLOCK, b"{"),
        (BLOCK, b"[]"),
        (BLOCK, {"action": "remove"}),
        (BLOCK, {"attribute": "from"}),
        (BLOCK, {"attribute": ["$from"]}),
        (BLOCK, {"operator": "matches"}),
        (SAFE, {"operator": "not_contain"}),
        (BLOCK, {"value": ""}),
        (BLOCK, {"value": 7}),
        (BLOCK, {"comment": "x" * 151}),
        (BLOCK, {"expires": "30d"}),
    ],
)
def test_a_bad_change_is_400_but_no_duplicate(name: str, body: Any) -> None:
    async def work(sim: Simulator, client: httpx.AsyncClient) -> None:
        await authorise(sim, client)
        if isinstance(body, bytes):
            answer = await client.post(path(sim, name), content=body)
        else:
            answer = await change(sim, client, **{"name": name, **body})
        assert answer.status_code == 400
        assert answer.json()["errorMessage"] and DUPLICATE not in answer.text
        assert not sim.api.entries(name)

    run(work)


def test_who_may_ask() -> None:
    async def work(sim: Simulator, client: httpx.AsyncClient) -> None:
        assert (await client.get(path(sim))).status_code == 401
        await authorise(sim, client)
        assert (await client.get(path(sim))).status_code == 200
        assert (await client.get(f"{LIST_PATH}{BLOCK}?clusterId=other")).status_code == 403
        assert (await client.get(LIST_PATH + BLOCK)).status_code == 400
        assert (await client.get(LIST_PATH + "orgGreyList")).status_code == 404
        assert (await client.put(path(sim), json={})).status_code == 405
        sim.api.behaviour.licensed = False
        assert (await client.get(path(sim))).status_code == 403
        sim.api.behaviour.licensed = True
        sim.api.revoke()
        assert (await client.get(path(sim))).status_code == 401

    run(work)


def test_a_token_runs_out() -> None:
    clock = ManualClock(parse_iso("2026-11-24T12:00:00Z"))

    async def work(sim: Simulator, client: httpx.AsyncClient) -> None:
        sim.api.behaviour.expires_in = 60
        await authorise(sim, client)
        clock.advance(59)
        assert (await client.get(path(sim))).status_code == 200
        clock.advance(2)
        assert (await client.get(path(sim))).status_code == 401

    run(work, clock=clock)


@pytest.mark.parametrize(("shape", "content"), [("json", b"{"), ("text", b"OK"), ("empty", b"")])
def test_success_can_have_any_body(shape: str, content: bytes) -> None:
    async def work(sim: Simulator, client: httpx.AsyncClient) -> None:
        await authorise(sim, client)
        sim.api.behaviour.post_body = shape
        answer = await change(sim, client)
        assert answer.status_code == 200 and answer.content.startswith(content)

    run(work)


@pytest.mark.parametrize("shape", ["errors", "text", "errorMessage"])
def test_errors_can_have_any_shape(shape: str) -> None:
    async def work(sim: Simulator, client: httpx.AsyncClient) -> None:
        await authorise(sim, client)
        sim.api.behaviour.error_shape = shape
        await change(sim, client)
        assert DUPLICATE in (await change(sim, client)).text

    run(work)


def test_what_is_not_known_of_deletes_and_both_lists_can_be_chosen() -> None:
    async def work(sim: Simulator, client: httpx.AsyncClient) -> None:
        await authorise(sim, client)
        assert (await change(sim, client, "delete")).status_code == 200
        sim.api.behaviour.missing_delete = 404
        assert (await change(sim, client, "delete")).status_code == 404
        sim.api.add(SAFE, ENTRY["attribute"], ENTRY["operator"], ENTRY["value"].upper())
        sim.api.behaviour.both_lists = False
        refused = await change(sim, client)
        assert refused.status_code == 400 and DUPLICATE not in refused.text
        sim.api.behaviour.both_lists = True
        assert (await change(sim, client)).status_code == 200

    run(work)


@pytest.mark.parametrize("status", [401, 403, 404, 429, 500, 502, 503])
def test_an_ordered_status_is_answered_once(status: int) -> None:
    async def work(sim: Simulator, client: httpx.AsyncClient) -> None:
        await authorise(sim, client)
        sim.api.next(status, where="list")
        assert (await change(sim, client)).status_code == status
        assert not sim.api.entries()
        assert (await change(sim, client)).status_code == 200

    run(work)


@pytest.mark.parametrize(
    ("order", "error", "done"),
    [
        (RESET_BEFORE_READ, (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError), False),
        (RESET_AFTER_READ, httpx.ReadError, False),
        (RESET_AFTER_PROCESS, httpx.ReadError, True),
        (CUT_AFTER_PROCESS, (httpx.RemoteProtocolError, httpx.ReadError), True),
        (HANG_BEFORE_READ, httpx.ReadTimeout, False),
        (HANG_AFTER_READ, httpx.ReadTimeout, False),
        (HANG_AFTER_PROCESS, httpx.ReadTimeout, True),
    ],
)
def test_an_exchange_breaks_where_it_was_ordered_to(order: str, error: Any, done: bool) -> None:
    # Only where no answer is to come is it not waited for.
    seconds = 0.4 if error is httpx.ReadTimeout else 20.0

    async def work(sim: Simulator, client: httpx.AsyncClient) -> None:
        await authorise(sim, client)
        sim.api.behaviour.post_body = "json"
        token = client.headers["Authorization"]
        async with httpx.AsyncClient(base_url=sim.api_url, trust_env=False, timeout=seconds) as fresh:
            fresh.headers["Authorization"] = token
            sim.api.next(order)
            with pytest.raises(error):
                await change(sim, fresh)
        assert bool(sim.api.entries()) is done
        assert (await client.get(path(sim))).status_code == 200

    run(work)


def test_html_and_redirects_and_a_delay() -> None:
    async def work(sim: Simulator, client: httpx.AsyncClient) -> None:
        await authorise(sim, client)
        elsewhere = Reply(307, headers=(("Location", f"{sim.api_url}/elsewhere"),))
        sim.api.next(Reply(200, b"<html>log in", "text/html"), elsewhere)
        assert (await client.get(path(sim))).headers["content-type"] == "text/html"
        moved = await client.get(path(sim))
        assert moved.status_code == 307 and not sim.api.requests("/elsewhere")
        sim.api.behaviour.delay = 5
        with pytest.raises(httpx.ReadTimeout):
            await client.get(path(sim), timeout=0.5)

    run(work)


@pytest.mark.parametrize(
    "noise",
    [
        b"\x16\x03\x01\x02\x00\x01",
        b"GET /\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: -4\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nnonsense\r\n\r\n",
        b"A" * 100_000 + b"\r\n",
    ],
)
def test_what_is_no_http_is_400(noise: bytes) -> None:
    async def work(sim: Simulator, client: httpx.AsyncClient) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(sim.api_url).port)
        writer.write(noise + b"\r\n")
        try:
            assert (await reader.read()).startswith(b"HTTP/1.1 400 ")
        finally:
            writer.close()
            await writer.wait_closed()

    run(work)


def test_bodies_in_chunks_and_with_expect_are_read() -> None:
    async def work(sim: Simulator, client: httpx.AsyncClient) -> None:
        form = f"grant_type=client_credentials&client_id={sim.client_id}&client_secret=x"

        async def pieces() -> Any:
            for at in range(0, len(form), 7):
                yield form[at : at + 7].encode()

        answer = await client.post(
            sim.token_url,
            content=pieces(),
            headers={"Content-Type": "application/x-www-form-urlencoded", "Expect": "100-continue"},
        )
        assert answer.status_code == 401
        assert sim.api.exchanges[0].body == form.encode()

    run(work)


def test_orders_must_be_known() -> None:
    with pytest.raises(ValueError, match="reset before read"):
        Simulator().api.next("explode")
