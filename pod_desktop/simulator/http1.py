"""A small HTTP/1.1 server on asyncio streams: bodies, keep-alive, and every way to break an answer off."""

from __future__ import annotations

import asyncio
import contextlib
import http
import ssl
from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple

from pod_desktop.simulator import tcp

LINE_BYTES: Final = 64 * 1024
BODY_BYTES: Final = 8 * 1024 * 1024


class Request(NamedTuple):
    method: str
    target: str
    """Path and query as sent."""
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes


class Reply(NamedTuple):
    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()
    how: str = ""
    """"" sends it; "reset" ends with TCP RST, "abort" hangs up, "hang" never answers, "cut" stops in the body."""


class BadRequest(Exception):
    """What came is no HTTP request."""


Handler = Callable[[Request], Awaitable[Reply]]


class HttpServer:
    """Serves one handler.

    before: asked for each connection before anything is read; "reset" or "hang" breaks it there.
    """

    def __init__(self, handler: Handler, before: Callable[[], str]) -> None:
        self._handler = handler
        self._before = before
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0

    async def start(self, host: str, port: int, tls: ssl.SSLContext | None) -> None:
        self._server = await asyncio.start_server(self._connected, host, port, ssl=tls, limit=LINE_BYTES)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server is None:
            return
        server, self._server = self._server, None
        server.close()
        for task in self._tasks:
            task.cancel()
        for writer in self._writers:
            writer.transport.abort()
        if self._tasks:
            await asyncio.wait(self._tasks)
        await server.wait_closed()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._writers.add(writer)
        self._tasks.add(task)
        try:
            await self._serve(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            writer.transport.abort()
        finally:
            self._writers.discard(writer)
            self._tasks.discard(task)
            writer.close()
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await writer.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not await _break_off(self._before(), writer):
            return
        while True:
            try:
                request = await read_request(reader, writer)
            except (BadRequest, ValueError):
                writer.write(encode(Reply(400, b"Bad Request\r\n", "text/plain"), close=True))
                await writer.drain()
                return
            if request is None:
                return
            reply = await self._handler(request)
            if not await _break_off(reply.how, writer):
                return
            close = request.headers.get("connection", "").lower() == "close"
            data = encode(reply, close, head_only=request.method == "HEAD")
            if reply.how == "cut":
                writer.write(data[: len(data) - len(reply.body) // 2 - 1])
                await writer.drain()
                return
            writer.write(data)
            await writer.drain()
            if close:
                return


async def _break_off(how: str, writer: asyncio.StreamWriter) -> bool:
    """Break the connection off in this manner; False when it is gone."""
    if how == "reset":
        tcp.reset(writer.transport)
        return False
    if how == "abort":
        writer.transport.abort()
        return False
    if how == "hang":
        await asyncio.Event().wait()
    return True


async def read_request(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Request | None:
    """The next request; None when the client has hung up between requests.

    Raises:
        BadRequest: what came is none.
        OSError, asyncio.IncompleteReadError: the connection broke.
    """
    first = await reader.readline()
    if not first.strip():
        return None
    words = first.decode("latin-1").split()
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        raise BadRequest("request line")
    headers: dict[str, str] = {}
    while line := (await reader.readline()).decode("latin-1").rstrip("\r\n"):
        name, colon, value = line.partition(":")
        if not colon or len(headers) > 200:
            raise BadRequest("header")
        headers[name.strip().lower()] = value.strip()
    if headers.get("expect", "").lower() == "100-continue":
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    return Request(words[0], words[1], headers, await _body(reader, headers))


async def _body(reader: asyncio.StreamReader, headers: dict[str, str]) -> bytes:
    if "chunked" in headers.get("transfer-encoding", "").lower():
        chunks = []
        while size := int((await reader.readline()).split(b";")[0], 16):
            if size > BODY_BYTES:
                raise BadRequest("body too large")
            chunks.append(await reader.readexactly(size))
            await reader.readline()
        while (await reader.readline()).strip():
            pass
        return b"".join(chunks)
    length = int(headers.get("content-length", "0"))
    if not 0 <= length <= BODY_BYTES:
        raise BadRequest("body too large")
    return await reader.readexactly(length)


def encode(reply: Reply, close: bool, head_only: bool = False) -> bytes:
    """The reply as bytes."""
    try:
        phrase = http.HTTPStatus(reply.status).phrase
    except ValueError:
        phrase = "Unknown"
    lines = [f"HTTP/1.1 {reply.status} {phrase}", f"Content-Length: {len(reply.body)}"]
    if reply.body:
        lines.append(f"Content-Type: {reply.content_type}")
    lines += [f"{name}: {value}" for name, value in reply.headers]
    lines.append("Connection: close" if close else "Connection: keep-alive")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + (b"" if head_only else reply.body)
