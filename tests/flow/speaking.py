"""What tests of the simulated stream share: a client, and waiting."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import urlencode

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from pod_desktop.core.clock import iso, parse_iso
from pod_desktop.simulator import (
    Simulator,
)

NOON = parse_iso("2026-11-24T12:10:00Z")


def run(work: Callable[[], Coroutine[Any, Any, None]], seconds: float = 100) -> None:
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


async def until(true: Callable[[], Any], seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while not true():  # noqa: ASYNC110 - what is waited for happens in another task
            await asyncio.sleep(0.01)
