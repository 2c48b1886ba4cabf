"""One session of the log stream: the only user of websockets.

A session reads, and does nothing else: each frame goes into a bounded queue with its time of arrival.
What ends it becomes a Verdict; no exception text of a library, which may hold the key, leaves here.
"""

from __future__ import annotations

import asyncio
import logging
import re
import socket
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final

from pod_desktop.core import limits
from pod_desktop.core.clock import SECOND, Clock, from_datetime
from pod_desktop.core.faults import UserFault
from pod_desktop.core.secret import Secret
from pod_desktop.core.tls import client_context
from pod_desktop.stream import verdict
from pod_desktop.stream.arrivals import Arrivals
from pod_desktop.stream.verdict import Verdict

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection

_CLOSE_SECONDS: Final = 3.0
"""How long a clean end waits for the other side's goodbye."""
_SKEW_SECONDS: Final = 3_000.0
"""Clocks that differ by more than this do not differ by running wrong."""
_LIBRARY_QUEUE: Final = 256
"""Frames that wait inside the library before it pauses the socket; the bound that counts is ours."""

# X509_V_ERR_ numbers of OpenSSL.
_EARLY: Final = 9
_EXPIRED: Final = 10
_WRONG_HOST: Final = frozenset({62, 64})
_UNKNOWN_CA: Final = frozenset({18, 19, 20, 21, 24, 26, 27})


_NOT_REACHED: Final = frozenset({"dns", "refused", "timeout", "no_route"})


class Failed(Exception):
    """A session could not be opened, or has ended; the verdict says why and what next."""

    def __init__(self, why: Verdict) -> None:
        super().__init__(f"{why.code}: {why.what}")
        self.verdict = why


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where a session goes, and with what."""

    url: str
    key: Secret
    ca_file: str = ""
    proxy: str = ""
    """`http://host:port`; '' connects directly, whatever the environment says."""
    ping_seconds: float = limits.PING_SECONDS
    pong_seconds: float = limits.PONG_SECONDS
    connect_seconds: float = limits.CONNECT_SECONDS
    frame_bytes: int = limits.FRAME_BYTES


@dataclass(slots=True)
class Session:
    """An open session. Take frames from `arrivals`; once these have ended and are empty, see `ended`."""

    connection: ClientConnection
    target: Target
    clock: Clock
    arrivals: Arrivals = field(default_factory=Arrivals)
    ended: Verdict | None = None
    """Why the session is over; None while it is open."""
    clean: bool = False
    """Did it end by a closing handshake, so that all that was sent has come?"""
    cut: bool = False
    """Did it end by an error of the network rather than by the other side's will?"""
    heard: float = 0.0
    """Monotonic seconds of the last sign of life."""
    behind: float = 0.0
    """Seconds that the server's clock is behind this computer's; 0 when it is not, or does not say."""

    async def read(self) -> None:
        """Put frames into the queue until the session ends. Never raises but CancelledError."""
        arrivals, recv, now = self.arrivals, self.connection.recv, self.clock.now
        try:
            while True:
                if arrivals.add(await recv(decode=False), now()):
                    await arrivals.room()
        except asyncio.CancelledError:
            raise
        except Exception as error:
            self._end(error)
        finally:
            arrivals.end()

    def _end(self, error: Exception) -> None:
        if self.ended is None:
            self.ended = _why_ended(error, self.target)
        received = getattr(error, "rcvd", None)
        self.clean = received is not None and getattr(error, "sent", None) is not None
        self.cut = received is None and isinstance(error.__cause__, OSError)

    async def keep_alive(self) -> None:
        """Ping now and then; give the session up when it has been silent for too long.

        The library's own keep-alive would give up a connection whose pongs wait behind data that a busy
        or full store has not taken yet: here any frame counts as life, and waiting for room does too.
        """
        target, seen = self.target, 0
        self.heard = time.monotonic()
        every = min(target.ping_seconds, target.pong_seconds / 18)
        next_ping = self.heard + target.ping_seconds
        while self.ended is None and not self.arrivals.ended:
            await asyncio.sleep(every)
            now = time.monotonic()
            if self.arrivals.full or self.arrivals.total != seen:
                self.heard, seen = now, self.arrivals.total
            if now - self.heard >= target.pong_seconds:
                self.give_up(verdict.of("silent"))
                return
            if now >= next_ping:
                next_ping = now + target.ping_seconds
                with suppress(Exception):
                    pong = await self.connection.ping()
                    if isinstance(pong, asyncio.Future):
                        pong.add_done_callback(self._pong)

    def _pong(self, pong: asyncio.Future[float]) -> None:
        if not pong.cancelled() and pong.exception() is None:
            self.heard = time.monotonic()

    def give_up(self, why: Verdict) -> None:
        """End the session at once, without a goodbye that nobody may hear."""
        if self.ended is None:
            self.ended = why
            self.cut = True
            self.connection.transport.abort()

    async def finish(self) -> None:
        """Say goodbye. What the other side sent before it heard so still arrives in the queue."""
        with suppress(Exception):
            await asyncio.wait_for(self.connection.close(), _CLOSE_SECONDS)


@asynccontextmanager
async def open_session(target: Target, clock: Clock) -> AsyncIterator[Session]:
    """One attempt to open a session; it reads until the block is left.

    Raises:
        Failed: it could not be opened.
    """
    connection = await _connect(target)
    session = Session(connection, target, clock, behind=_seconds_behind(connection, clock))
    loop = asyncio.get_running_loop()
    tasks = [
        loop.create_task(session.read(), name="stream: read"),
        loop.create_task(session.keep_alive(), name="stream: keep alive"),
    ]
    try:
        yield session
    finally:
        for task in tasks:
            task.cancel()
        with suppress(Exception):
            if not session.arrivals.ended:
                await asyncio.wait_for(connection.close(), 1.0)
        connection.transport.abort()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _connect(target: Target) -> ClientConnection:
    # Late: 88 ms of a window's start that only the service needs.
    from websockets.asyncio.client import connect

    class Once(connect):
        """One attempt: redirects are refused, and with them the key stays with the address entered."""

        def process_redirect(self, exc: Exception) -> Exception | str:
            return exc

    options: dict[str, Any] = {}
    if target.url.startswith("wss:"):
        options["ssl"] = _tls(target.ca_file)
    failed: Verdict
    try:
        return await Once(
            target.url,
            additional_headers={"Authorization": f"Bearer {target.key.reveal()}"},
            user_agent_header="pod-desktop",
            proxy=target.proxy or None,
            compression="deflate",
            open_timeout=target.connect_seconds,
            ping_interval=None,
            close_timeout=_CLOSE_SECONDS,
            max_size=target.frame_bytes,
            max_queue=_LIBRARY_QUEUE,
            logger=_quiet_logger(),
            happy_eyeballs_delay=0.25,
            **options,
        )
    except Exception as error:
        failed = _why_not_opened(error, target)
    # Raised outside the handler: the library's exception does not travel along as its context.
    raise Failed(failed)


def _seconds_behind(connection: ClientConnection, clock: Clock) -> float:
    stated = connection.response.headers.get("Date") if connection.response else None
    try:
        server = from_datetime(parsedate_to_datetime(stated)) if stated else clock.now()
    except (ValueError, OverflowError):
        return 0.0
    behind = (clock.now() - server) / SECOND
    return behind if 1 < behind < _SKEW_SECONDS else 0.0


def _quiet_logger() -> logging.Logger:
    """The library logs request headers, key included, when logging is at DEBUG: never let it."""
    logger = logging.getLogger("pod_desktop.stream.library")
    logger.setLevel(logging.CRITICAL)
    logger.propagate = False
    return logger


def _tls(ca_file: str) -> ssl.SSLContext:
    """Raises Failed when the CA file cannot be used."""
    try:
        return client_context(ca_file)
    except UserFault as fault:
        failed = verdict.told("ca_file", fault.what, fault.hint)
    except ValueError:
        failed = verdict.told("ca_file", "The name of the CA file is no file name.")
    raise Failed(failed)


def _why_not_opened(error: Exception, target: Target) -> Verdict:
    from websockets import exceptions as library

    if isinstance(error, Failed):
        return error.verdict
    if isinstance(error, library.InvalidStatus):
        response = error.response
        headers = dict(response.headers.raw_items())
        body = _without_key(bytes(response.body or b"")[:4096], target.key)
        return verdict.of_status(response.status_code, headers, body)
    if isinstance(error, TimeoutError) and not isinstance(error, ConnectionError):
        return verdict.of("timeout")
    if isinstance(error, library.InvalidProxyStatus):
        status = error.response.status_code
        return verdict.of("407") if status == 407 else verdict.of("proxy", f"HTTP {status}")
    if isinstance(error, library.ProxyError):
        return verdict.of("proxy")
    if isinstance(error, library.InvalidMessage):
        if status := _status_of_old(error):
            return verdict.of_status(status)
        return verdict.of("reset" if _no_bytes(error) else "not_websocket")
    if isinstance(error, library.WebSocketException):
        return verdict.of("not_websocket")
    if isinstance(error, OSError):
        found = _network(error)
        if target.proxy and found.code in _NOT_REACHED:
            return verdict.told("proxy", f"{found.what} This connector goes through {target.proxy}.")
        return found
    logging.getLogger(__name__).error("unforeseen %s while connecting", type(error).__name__)
    return verdict.told("bug", f"This program made an error while connecting ({type(error).__name__}).")


def _no_bytes(error: BaseException | None) -> bool:
    """Did the other side hang up before it said anything? The library says so deep in its chain of causes."""
    while error is not None:
        if isinstance(error, EOFError) and " after 0 bytes" in str(error):
            return True
        error = error.__cause__
    return False


_STATUS_LINE: Final = re.compile(r"HTTP/1\.[01] (\d{3})\b")


def _status_of_old(error: BaseException | None) -> int:
    """The status of an answer that the library does not read: HTTP/1.0, or without a reason. 0: there is none."""
    while error is not None:
        if isinstance(error, ValueError) and (found := _STATUS_LINE.search(str(error))):
            return int(found[1])
        error = error.__cause__
    return 0


_ERRNO: Final = re.compile(r"\[Errno (\d+)\]")


def _network(error: OSError) -> Verdict:
    """The verdict on an error of TLS, name lookup or the network."""
    import errno

    if isinstance(error, ssl.SSLError):
        return _tls_verdict(error)
    if isinstance(error, socket.gaierror):
        return verdict.of("dns")
    # asyncio joins the errors of a host's several addresses into one text without a number (Python 3.11).
    found = {error.errno} if error.errno else {int(number) for number in _ERRNO.findall(str(error))}
    if errno.ECONNREFUSED in found or isinstance(error, ConnectionRefusedError):
        return verdict.of("refused")
    if errno.ETIMEDOUT in found:
        return verdict.of("timeout")
    if found & {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EADDRNOTAVAIL}:
        return verdict.of("no_route")
    if isinstance(error, ConnectionError) or errno.ECONNRESET in found:
        return verdict.of("reset")
    words = "; ".join(filter(None, (errno.errorcode.get(number or 0, "") for number in sorted(found))))
    return verdict.of("network", words)


def _tls_verdict(error: ssl.SSLError) -> Verdict:
    if isinstance(error, ssl.SSLCertVerificationError):
        if error.verify_code == _EXPIRED:
            return verdict.of("tls_expired")
        if error.verify_code == _EARLY:
            return verdict.of("tls_early")
        if error.verify_code in _WRONG_HOST:
            return verdict.of("tls_wrong_host")
        if error.verify_code in _UNKNOWN_CA:
            return verdict.of("tls_unknown_ca")
        return verdict.of("tls", error.verify_message or "")
    reason = error.reason or ""
    if reason in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG"):
        return verdict.of("not_tls")
    return verdict.of("tls", reason.replace("_", " ").lower())


def _why_ended(error: Exception, target: Target) -> Verdict:
    from websockets.exceptions import ConnectionClosed

    if not isinstance(error, ConnectionClosed):
        logging.getLogger(__name__).error("unforeseen %s while reading", type(error).__name__)
        return verdict.told("bug", f"This program made an error while reading ({type(error).__name__}).")
    if error.rcvd is not None:
        reason = _without_key(error.rcvd.reason.encode(), target.key).decode("utf-8", "replace")
        return verdict.of_close(error.rcvd.code, reason)
    if error.sent is not None and error.sent.code not in (1000, 1001):
        # Our side found fault with what came (1002, 1007, 1009); the other never answered.
        return verdict.of_close(error.sent.code)
    return verdict.of_close(None)


def _without_key(words: bytes, key: Secret) -> bytes:
    """A server may repeat the key in its answer."""
    secret = key.reveal().encode()
    return words.replace(secret, "••••".encode()) if secret else words
