"""The one door out: tokens and requests over HTTP. The only user of httpx."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

import httpx

from pod_desktop.core.action import Answer, Request
from pod_desktop.core.clock import Clock
from pod_desktop.core.exchange import MASK, exchange_text
from pod_desktop.core.faults import Outage, UserFault
from pod_desktop.core.http_words import http_words, is_web_page
from pod_desktop.core.responder import RespondConnector
from pod_desktop.core.secret import Secret
from pod_desktop.core.tls import client_context
from pod_desktop.webhook.request import build, digest

ANSWER_BYTES: Final = 1024 * 1024
ACTION_SECONDS: Final = 30.0
"""For one action in all, waits and tries included."""
TOKEN_EARLY_SECONDS: Final = 300.0
"""A token is renewed this long before it ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """Client ID and Client Secret of a responder."""

    client_id: Secret
    client_secret: Secret


@dataclass(slots=True, eq=False)
class NoToken(Outage):
    """The token service gave none."""

    status: int = 0
    """What it answered; 0: nothing."""
    page: bool = False
    """A web page answered in its place."""
    code: str = ""
    """Where there was no answer: as core.action.Answer.code."""


@dataclass(slots=True)
class _Token:
    secret: Secret
    ends: float
    """On the monotonic clock."""


class Sender:
    """Sends to any number of responders on one event loop; tokens stay in memory only."""

    def __init__(
        self,
        clock: Clock,
        *,
        seconds: float = ACTION_SECONDS,
        on_exchange: Callable[[str], None] | None = None,
    ) -> None:
        """`on_exchange` hears every exchange as text with its secrets masked, for a test's report."""
        _hush_libraries()
        self._clock = clock
        self._seconds = seconds
        self._on_exchange = on_exchange
        self._clients: dict[tuple[str, bool], httpx.AsyncClient] = {}
        self._tokens: dict[str, _Token] = {}
        self._renewing: dict[str, asyncio.Lock] = {}

    async def close(self) -> None:
        for client in self._clients.values():
            await client.aclose()
        self._clients.clear()
        self._tokens.clear()

    async def send(self, connector: RespondConnector, credentials: Credentials, request: Request) -> Answer:
        """Send exactly these bytes, within the deadline; a 401 renews the token once.

        Never raises for what the network or the service does: that is the Answer.

        Raises:
            UserFault: the request is not the one that was shown, or not for this responder.
            Outage: no token could be had; nothing was sent.
        """
        rebuilt = build(connector, request.url.removeprefix(connector.origin), request.body, request.method)
        if rebuilt.digest != request.digest or rebuilt.url != request.url:
            raise UserFault("The request is not the one that was shown.", "Will send", "Look at it again.")
        sending = False
        try:
            # One deadline for all of it: the token, the request, and once more after a 401.
            async with asyncio.timeout(self._seconds):
                token = await self._token(connector, credentials)
                sending = True
                answer = await self._once(connector, credentials, request, token)
                if answer.status == 401:
                    self._forget(connector, credentials, token)
                    token = await self._token(connector, credentials)
                    answer = await self._once(connector, credentials, request, token)
                return answer
        except TimeoutError:
            if not sending:
                raise _no_answer(connector) from None
            return Answer(
                status=0,
                message=f"No answer within {self._seconds:.0f} s.",
                sent=True,
                whole=False,
                code="timeout",
            )

    async def get(self, connector: RespondConnector, credentials: Credentials, path: str) -> Answer:
        """Read a list of the responder's cluster; see send()."""
        url = f"{path}?clusterId={quote(connector.cluster_id, safe='')}"
        return await self.send(connector, credentials, build(connector, url, b"", "GET"))

    async def token(self, connector: RespondConnector, credentials: Credentials) -> None:
        """Get a token if none is at hand: a test's first step.

        Raises:
            NoToken: with the service's words.
        """
        try:
            async with asyncio.timeout(self._seconds):
                await self._token(connector, credentials)
        except TimeoutError:
            raise _no_answer(connector) from None

    # one request

    async def _once(
        self, connector: RespondConnector, credentials: Credentials, request: Request, token: Secret
    ) -> Answer:
        headers = {"Authorization": f"Bearer {token.reveal()}", "Accept": "application/json"}
        if request.method != "GET":
            headers["Content-Type"] = "application/json"
        client = self._client(connector)
        message = client.build_request(request.method, request.url, headers=headers, content=request.body)
        # httpx normalises addresses; what is sent must be what was shown.
        if digest(request.method, str(message.url), request.body) != request.digest:
            raise UserFault(
                "The address would be changed on its way.", "Path and Query", "Restore the template."
            )
        secrets = (token, credentials.client_id, credentials.client_secret)
        return await self._exchange(client, message, secrets)

    async def _exchange(
        self, client: httpx.AsyncClient, message: httpx.Request, secrets: tuple[Secret, ...], form: str = ""
    ) -> Answer:
        """Send and read; `form` is how the body is told to on_exchange, `secrets` what it must not hold."""
        try:
            answer, response = await self._send_and_read(client, message)
        except asyncio.CancelledError:
            self._tell(message, form, "no answer in time", None, b"", secrets)
            raise
        status = f"HTTP/1.1 {answer.status} {http_words(answer.status).name}".rstrip()
        self._tell(message, form, status if answer.status else answer.message, response, answer.body, secrets)
        return answer

    def _tell(
        self,
        message: httpx.Request,
        form: str,
        outcome: str,
        response: httpx.Response | None,
        body: bytes,
        secrets: tuple[Secret, ...],
    ) -> None:
        if self._on_exchange is None:
            return
        self._on_exchange(
            exchange_text(
                request=f"{message.method} {message.url}",
                request_headers=message.headers.multi_items(),
                request_body=form or message.content.decode("utf-8", "replace"),
                response=outcome,
                response_headers=response.headers.multi_items() if response is not None else (),
                body=body,
                secrets=secrets,
            )
        )

    async def _send_and_read(
        self, client: httpx.AsyncClient, message: httpx.Request
    ) -> tuple[Answer, httpx.Response | None]:
        try:
            response = await client.send(message, stream=True)
        except (
            httpx.ConnectError,
            httpx.ConnectTimeout,
            httpx.PoolTimeout,
            httpx.UnsupportedProtocol,
        ) as error:
            return _unanswered(error, sent=False), None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return _unanswered(error, sent=True), None
        body = bytearray()
        whole = True
        try:
            async for part in response.aiter_bytes():
                body += part
                if len(body) > ANSWER_BYTES:
                    del body[ANSWER_BYTES:]
                    whole = False
                    break
        except (httpx.HTTPError, httpx.StreamError):
            whole = False
        finally:
            await response.aclose()
        answer = Answer(
            status=response.status_code,
            message="",
            sent=True,
            whole=whole,
            body=bytes(body),
            retry_after=_seconds(response.headers.get("Retry-After", "")),
        )
        return answer, response

    def _client(self, connector: RespondConnector) -> httpx.AsyncClient:
        key = (connector.ca_file, connector.verify_tls)
        if key not in self._clients:
            context: ssl.SSLContext = client_context(connector.ca_file, connector.verify_tls)
            self._clients[key] = httpx.AsyncClient(
                verify=context, trust_env=False, follow_redirects=False, timeout=httpx.Timeout(self._seconds)
            )
        return self._clients[key]

    # tokens

    def _key(self, connector: RespondConnector, credentials: Credentials) -> str:
        parts = (
            connector.token_url,
            connector.ca_file,
            str(connector.verify_tls),
            credentials.client_id.reveal(),
            credentials.client_secret.reveal(),
        )
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()

    async def _token(self, connector: RespondConnector, credentials: Credentials) -> Secret:
        key = self._key(connector, credentials)
        async with self._renewing.setdefault(key, asyncio.Lock()):
            held = self._tokens.get(key)
            if held is None or self._clock.monotonic() >= held.ends:
                held = await self._ask_token(connector, credentials)
                self._tokens[key] = held
            return held.secret

    def _forget(self, connector: RespondConnector, credentials: Credentials, token: Secret) -> None:
        key = self._key(connector, credentials)
        held = self._tokens.get(key)
        # Another action may have renewed it already.
        if held is not None and held.secret == token:
            del self._tokens[key]

    async def _ask_token(self, connector: RespondConnector, credentials: Credentials) -> _Token:
        client = self._client(connector)
        form = {
            "grant_type": "client_credentials",
            "client_id": credentials.client_id.reveal(),
            "client_secret": credentials.client_secret.reveal(),
        }
        message = client.build_request(
            "POST", connector.token_url, data=form, headers={"Accept": "application/json"}
        )
        told = f"grant_type=client_credentials&client_id={MASK}&client_secret={MASK}"
        secrets = (credentials.client_id, credentials.client_secret)
        answer = await self._exchange(client, message, secrets, told)
        if answer.status != 200 or not answer.whole:
            raise _token_outage(connector, answer)
        return self._read_token(connector, answer)

    def _read_token(self, connector: RespondConnector, answer: Answer) -> _Token:
        try:
            data = json.loads(answer.body)
            token = data["access_token"]
            lasts = float(data.get("expires_in", 3600))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            token, lasts = None, 0.0
        if not isinstance(token, str) or not token or not token.isascii() or not token.isprintable():
            raise NoToken(
                "The token service answered 200, but without a token.",
                connector.token_url,
                "Is the Token URL right? A proxy or a login page may have answered.",
                status=200,
                page=is_web_page(answer.body),
            )
        early = min(TOKEN_EARLY_SECONDS, lasts / 2)
        return _Token(Secret(token), self._clock.monotonic() + max(lasts - early, 1.0))


def _hush_libraries() -> None:
    """At their finer levels these log the headers of answers, in which a server may repeat what it was sent."""
    for name in ("httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.WARNING)


def _no_answer(connector: RespondConnector) -> NoToken:
    return NoToken(
        "The token service did not answer in time.", connector.token_url, "Try again.", code="timeout"
    )


def _token_outage(connector: RespondConnector, answer: Answer) -> NoToken:
    if answer.status == 0:
        return NoToken(
            f"No token: {answer.message}",
            connector.token_url,
            "Check the Token URL and the network.",
            code=answer.code,
        )
    hints = {
        400: "Did you enter the Client ID and Client Secret correctly?",
        401: "Did you enter the Client ID and Client Secret correctly? Are they expired?",
        403: "Does this key have the permissions it needs?",
        404: "Is the Token URL right?",
    }
    return NoToken(
        f"No token: the token service answered {answer.status}.",
        connector.token_url,
        hints.get(answer.status, http_words(answer.status).recommendation),
        status=answer.status,
        page=is_web_page(answer.body),
    )


_NETWORK: Final[dict[type[Exception], tuple[str, str]]] = {
    httpx.ConnectTimeout: ("timeout", "No connection in time."),
    httpx.ConnectError: ("network", "No connection (name not found, refused or unreachable)."),
    httpx.ReadTimeout: ("timeout", "Sent, but no answer in time."),
    httpx.ReadError: ("reset", "Sent, but the connection broke before the answer."),
    httpx.WriteError: ("reset", "The connection broke while sending."),
    httpx.WriteTimeout: ("timeout", "Sending took too long."),
    httpx.RemoteProtocolError: ("reset", "The connection ended without a proper answer."),
}


def _unanswered(error: Exception, *, sent: bool) -> Answer:
    """What went wrong, from the kind of error: library texts may hold what was sent."""
    code, words = _network_words(error)
    return Answer(status=0, message=words, sent=sent, whole=False, code=code)


def _network_words(error: Exception) -> tuple[str, str]:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return "tls", f"The certificate was refused: {cause.verify_message}"
        if isinstance(cause, ssl.SSLError):
            return "tls", "The TLS handshake failed."
        cause = cause.__cause__ or cause.__context__
    return _NETWORK.get(type(error), ("network", f"The exchange failed ({type(error).__name__})."))


def _seconds(text: str) -> float:
    try:
        return min(max(float(text), 0.0), 3600.0)
    except ValueError:
        return 0.0
