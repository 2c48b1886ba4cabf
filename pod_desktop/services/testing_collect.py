"""The test of a collector: name, port, TLS, and the authorisation of each content type."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from pod_desktop.core.clock import HOUR, Clock
from pod_desktop.core.connector import CONTENT_TYPE_TITLES, CollectConnector, full_address
from pod_desktop.core.secret import Secret
from pod_desktop.services.testing_steps import StepFailed, Steps
from pod_desktop.stream import Failed, Target, probe, stream_url, verdict

if TYPE_CHECKING:
    from pod_desktop.services.testing import OwnSession

RESOLVE: Final = "Resolve host"
CONNECT: Final = "Connect"
TLS: Final = "TLS"
STEP_SECONDS: Final = 15.0
"""One step's own limit, so that the next ones are not without time."""


def names(connector: CollectConnector) -> tuple[str, ...]:
    """The steps in their order."""
    secure = (TLS,) if connector.stream_url.startswith("wss:") and not connector.proxy else ()
    return (RESOLVE, CONNECT, *secure, *(_authorise(kind) for kind in connector.content_types))


def _authorise(kind: str) -> str:
    return f"Authorise {CONTENT_TYPE_TITLES.get(kind, kind)}"


async def run(
    connector: CollectConnector,
    key: Secret,
    steps: Steps,
    exchange: list[str],
    clock: Clock,
    seconds: float,
    sessions: Mapping[str, OwnSession],
) -> None:
    """Go through the steps; what they find is in `steps` and `exchange`."""
    # Through a proxy, names and certificates of the service are seen only behind it: the handshake tells.
    parts = urlsplit(connector.proxy or full_address(connector.stream_url))
    host, port = parts.hostname or "", parts.port or 0
    limit = min(STEP_SECONDS, seconds)
    hint = verdict.of("proxy").hint if connector.proxy else ""
    if await steps.take(RESOLVE, _resolve(host, port, hint)) is None:
        return
    if await steps.take(CONNECT, _connect(host, port, limit, hint)) is None:
        return
    if parts.scheme == "wss" and await steps.take(TLS, _secure(connector, host, port, limit, clock)) is None:
        return
    for kind in connector.content_types:
        own = sessions.get(kind)
        await steps.take(_authorise(kind), _try(connector, kind, key, own, exchange, clock, limit))


async def _resolve(host: str, port: int, hint: str) -> tuple[str, bool]:
    try:
        addresses = await probe.resolve(host, port)
    except Failed as failed:
        raise _step_failed(failed, host, hint) from None
    return f"{host} is {', '.join(addresses[:4])}", True


async def _connect(host: str, port: int, seconds: float, hint: str) -> tuple[str, bool]:
    try:
        await probe.reach(host, port, seconds)
    except Failed as failed:
        raise _step_failed(failed, f"{host}:{port}", hint) from None
    return f"port {port} answers", True


async def _secure(
    connector: CollectConnector, host: str, port: int, seconds: float, clock: Clock
) -> tuple[str, bool]:
    try:
        found = await probe.secure(host, port, seconds, ca_file=connector.ca_file)
    except Failed as failed:
        raise _step_failed(failed, host) from None
    return found.words(clock.now()), True


async def _try(
    connector: CollectConnector,
    kind: str,
    key: Secret,
    own: OwnSession | None,
    exchange: list[str],
    clock: Clock,
    seconds: float,
) -> tuple[str, bool]:
    if own is not None and own.live:
        return f"{own.connector} has a live session with this key, which proves it; it was left alone", True
    archive = own is not None and own.collected
    url = _url(connector, kind, clock.now() if archive else None)
    target = Target(
        url=url, key=key, ca_file=connector.ca_file, proxy=connector.proxy, connect_seconds=seconds
    )
    handshake = await probe.authorise(target)
    exchange.append(handshake.exchange)
    if handshake.failed is not None:
        failed = handshake.failed
        raise StepFailed(failed.what, failed.hint, failed.code)
    if archive:
        return "the key is accepted (asked for the archive, so that nothing live is taken away)", True
    return "the key is accepted", True


def _url(connector: CollectConnector, kind: str, now: int | None) -> str:
    """The live stream, or the last whole hour of the archive.

    Where the connector has collected before, the service keeps what came since then for it, and would give
    it to whoever opens the live stream next.
    """
    if now is None:
        return stream_url(connector.stream_url, connector.cluster_id, kind)
    end = now - now % HOUR
    return stream_url(connector.stream_url, connector.cluster_id, kind, since=end - HOUR, until=end)


def _step_failed(failed: Failed, place: str, hint: str = "") -> StepFailed:
    """In the verdict's words; `hint` says what to check instead, where a proxy is what was not reached."""
    why = failed.verdict
    return StepFailed(f"{place}: {why.what}", hint or why.hint, why.code)
