"""Trying a connection step by step, for tests: name, port, TLS, and one handshake of the log stream.

Each step either gives what it found or raises Failed with the verdict that collecting would come to.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pod_desktop.core.clock import SECOND, to_datetime
from pod_desktop.core.exchange import exchange_text
from pod_desktop.core.http_words import http_words
from pod_desktop.stream import verdict
from pod_desktop.stream.session import Failed, Target, _network, _quiet_logger, _tls, _why_not_opened

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection

_GOODBYE_SECONDS = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Secured:
    """What a TLS handshake agreed on."""

    version: str
    """`TLSv1.3`."""
    cipher: str
    until: int | None
    """Microseconds UTC when the certificate ends; None where certificates are not verified."""
    issuer: str

    def words(self, now: int) -> str:
        """`TLSv1.3, certificate of R11 valid until 2027-02-01`."""
        if self.until is None:
            return f"{self.version}, certificate not verified"
        days = (self.until - now) // (24 * 3600 * SECOND)
        soon = f" (in {days} days)" if days < 30 else ""
        of = f" of {self.issuer}" if self.issuer else ""
        return f"{self.version}, certificate{of} valid until {to_datetime(self.until):%Y-%m-%d}{soon}"


async def resolve(host: str, port: int) -> tuple[str, ...]:
    """The addresses of a host name, each once. Raises Failed (dns)."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        found = []
    addresses = tuple(dict.fromkeys(str(entry[4][0]) for entry in found))
    if not addresses:
        raise Failed(verdict.of("dns"))
    return addresses


async def reach(host: str, port: int, seconds: float) -> None:
    """Open a TCP connection and close it again. Raises Failed (refused, timeout, no_route, …)."""
    _, writer = await _open(host, port, seconds)
    await _close(writer)


async def secure(host: str, port: int, seconds: float, *, ca_file: str = "", verify: bool = True) -> Secured:
    """Make a TLS connection and close it again. Raises Failed (tls_expired, tls_wrong_host, not_tls, …)."""
    context = _unverified() if not verify else _tls(ca_file)
    _, writer = await _open(host, port, seconds)
    failed: Failed | None = None
    try:
        async with asyncio.timeout(seconds):
            await writer.start_tls(context, server_hostname=host)
        return _secured(writer.get_extra_info("ssl_object"), verify)
    except TimeoutError:
        failed = Failed(verdict.of("timeout"))
    except OSError as error:
        failed = Failed(_network(error))
    finally:
        await _close(writer)
    raise failed


def _unverified() -> ssl.SSLContext:
    from pod_desktop.core.tls import client_context

    return client_context("", verify=False)


async def _open(host: str, port: int, seconds: float) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    failed: Failed
    try:
        async with asyncio.timeout(seconds):
            return await asyncio.open_connection(host, port, happy_eyeballs_delay=0.25)
    except TimeoutError as error:
        failed = Failed(_network(error) if isinstance(error, ConnectionError) else verdict.of("timeout"))
    except OSError as error:
        failed = Failed(_network(error))
    raise failed


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()
    with suppress(OSError, TimeoutError, ssl.SSLError):
        async with asyncio.timeout(1.0):
            await writer.wait_closed()


def _secured(tls: ssl.SSLObject, verified: bool) -> Secured:
    certificate = tls.getpeercert() if verified else None
    until = None
    if certificate and isinstance(ends := certificate.get("notAfter"), str):
        until = int(ssl.cert_time_to_seconds(ends)) * SECOND
    cipher = tls.cipher()
    return Secured(
        version=tls.version() or "TLS",
        cipher=cipher[0] if cipher else "",
        until=until,
        issuer=_printable(_issuer(certificate)) if certificate else "",
    )


def _issuer(certificate: Any) -> str:
    """The issuing authority's common name, else its organisation."""
    found = {key: value for pairs in certificate.get("issuer", ()) for key, value in pairs}
    return str(found.get("commonName") or found.get("organizationName") or "")


def _printable(text: str) -> str:
    return verdict.outside(text)[:60]


@dataclass(frozen=True, slots=True, kw_only=True)
class Handshake:
    """One handshake of the log stream as it was answered."""

    exchange: str
    """Both sides as text, the key masked."""
    failed: verdict.Verdict | None
    """None: it was granted, and the session is closed again."""


async def authorise(target: Target) -> Handshake:
    """Open a session and close it at once; what the server sends meanwhile is dropped.

    A clean goodbye frees the key's place for the next session; never raises for what the server does.
    """
    # Late: what loads it is only needed here.
    from websockets.asyncio.client import connect

    class Once(connect):
        """One attempt: redirects are refused, and with them the key stays with the address entered."""

        def process_redirect(self, exc: Exception) -> Exception | str:
            return exc

    options: dict[str, Any] = {}
    try:
        if target.url.startswith("wss:"):
            options["ssl"] = _tls(target.ca_file)
        connection = await Once(
            target.url,
            additional_headers={"Authorization": f"Bearer {target.key.reveal()}"},
            user_agent_header="pod-desktop",
            proxy=target.proxy or None,
            compression=None,
            open_timeout=target.connect_seconds,
            ping_interval=None,
            close_timeout=_GOODBYE_SECONDS,
            max_size=target.frame_bytes,
            logger=_quiet_logger(),
            **options,
        )
    except Exception as error:
        why = _why_not_opened(error, target)
        return Handshake(exchange=_refused_text(target, error, why), failed=why)
    try:
        return Handshake(exchange=_granted_text(target, connection), failed=None)
    finally:
        await _say_goodbye(connection)


async def _say_goodbye(connection: ClientConnection) -> None:
    async def drain() -> None:
        async for _ in connection:
            pass

    with suppress(Exception):
        async with asyncio.timeout(_GOODBYE_SECONDS), asyncio.TaskGroup() as group:
            group.create_task(drain())
            group.create_task(connection.close())
    connection.transport.abort()
    with suppress(Exception):
        await connection.wait_closed()


def _granted_text(target: Target, connection: ClientConnection) -> str:
    response = connection.response
    return _text(
        target,
        "HTTP/1.1 101 Switching Protocols",
        response.headers.raw_items() if response is not None else (),
    )


def _refused_text(target: Target, error: Exception, why: verdict.Verdict) -> str:
    response = getattr(error, "response", None)
    if response is None:
        return _text(target, f"no answer: {why.what}")
    status = response.status_code
    name = http_words(status).name
    return _text(
        target,
        f"HTTP/1.1 {status} {name}".rstrip(),
        response.headers.raw_items(),
        bytes(response.body or b"")[:8192],
    )


def _text(target: Target, response: str, headers: Iterable[tuple[str, str]] = (), body: bytes = b"") -> str:
    return exchange_text(
        request=f"GET {target.url}",
        request_headers=(("Authorization", "Bearer"), ("Upgrade", "websocket")),
        response=response,
        response_headers=headers,
        body=body,
        secrets=(target.key,),
    )
