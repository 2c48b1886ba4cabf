"""What flow tests of connection tests share: connectors of a simulator, its secrets, certificates."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import trustme

from pod_desktop.core.connector import CollectConnector
from pod_desktop.core.responder import TYPES, RespondConnector
from pod_desktop.core.secret import Secret
from pod_desktop.services import testing
from pod_desktop.simulator import Simulator

CANARY = "canary-" + "0a1b2c3d4e5f" * 4
Story = Callable[[Simulator], Awaitable[None]]


def collector(sim: Simulator, **changes: Any) -> CollectConnector:
    made = CollectConnector(
        name="acme",
        tenant="Acme",
        cluster_id=sim.cluster_id,
        content_types=("message", "maillog"),
        stream_url=sim.stream_url,
    )
    return replace(made, **changes)


def responder(sim: Simulator, **changes: Any) -> RespondConnector:
    made = RespondConnector(
        name="acme-block",
        tenant="Acme",
        type=TYPES[0],
        cluster_id=sim.cluster_id,
        hostname=sim.hostname,
        protocol="HTTPS" if sim.options.tls else "HTTP",
        token_url=sim.token_url,
    )
    return replace(made, **changes)


def key(sim: Simulator) -> dict[str, Secret]:
    return {"api_key": Secret(sim.api_keys[0])}


def client(sim: Simulator) -> dict[str, Secret]:
    return {"client_id": Secret(sim.client_id), "client_secret": Secret(sim.client_secret)}


def run(story: Story, **options: Any) -> None:
    async def scene() -> None:
        async with Simulator(seed=7, **options) as sim:
            await story(sim)

    asyncio.run(scene())


def states_of(report: testing.TestReport) -> list[tuple[str, bool | None]]:
    return [(step.name, step.ok) for step in report.steps]


async def until(true: Callable[[], Any], seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while not true():  # noqa: ASYNC110 - the other side's state
            await asyncio.sleep(0.02)


@contextlib.contextmanager
def certificate(
    folder: Path, host: str = "localhost", expired: bool = False
) -> Iterator[tuple[tuple[str, str], str]]:
    """((chain, key), CA file) of a server on this computer."""
    ca = trustme.CA()
    ends = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC) if expired else None
    leaf = ca.issue_cert(host, "127.0.0.1" if host == "localhost" else host, not_after=ends)
    chain, private, trust = folder / "chain.pem", folder / "key.pem", folder / "ca.pem"
    for part in leaf.cert_chain_pems:
        part.write_to_path(str(chain), append=True)
    leaf.private_key_pem.write_to_path(str(private))
    ca.cert_pem.write_to_path(str(trust))
    yield (str(chain), str(private)), str(trust)
