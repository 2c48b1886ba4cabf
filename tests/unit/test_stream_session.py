"""A session against servers on loopback that misbehave: what ends it, and what never leaves it."""

from __future__ import annotations

import asyncio
import datetime
import logging
import socket
import ssl
import struct
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trustme
from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from pod_desktop.core.clock import SystemClock
from pod_desktop.core.secret import Secret
from pod_desktop.stream import Failed, Frame, Session, Target, Verdict, open_session

CANARY = "can4ry+/=~{}%\\\"'<>&"
Handler = Callable[[ServerConnection], Awaitable[None]]


def target(port: int, **more: Any) -> Target:
    scheme = more.pop("scheme", "ws")
    host = more.pop("host", "127.0.0.1")
    return Target(
        url=f"{scheme}://{host}:{port}/v1/stream?cid=a&type=message",
        key=Secret(CANARY),
        connect_seconds=5,
        **more,
    )


@asynccontextmanager
async def stream_server(handler: Handler, **more: Any) -> AsyncIterator[int]:
    async with serve(handler, "127.0.0.1", 0, **more) as server:
        yield server.sockets[0].getsockname()[1]


@asynccontextmanager
async def raw_server(
    answer: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[int]:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await answer(reader, writer)
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(speak, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def drain(session: Session) -> list[Frame]:
    """Everything that the session gives until it has ended."""
    frames: list[Frame] = []
    async with asyncio.timeout(10):
        while session.arrivals or not session.arrivals.ended:
            await session.arrivals.wait(1, 0.05)
            frames += session.arrivals.take(1000, 1 << 30)
    return frames


async def refusal(where: Target) -> Verdict:
    with pytest.raises(Failed) as caught:
        async with open_session(where, SystemClock()):
            pass
    shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value.verdict)
    assert CANARY not in shown
    return caught.value.verdict


def status_server(status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> Any:
    def answer(connection: ServerConnection, request: Request) -> Response:
        return Response(
            status, "Whatever", Headers({"Content-Length": str(len(body)), **(headers or {})}), body
        )

    async def never(connection: ServerConnection) -> None:
        raise AssertionError("the handshake should have been refused")

    return stream_server(never, process_request=answer)


def test_frames_arrive_as_bytes_whatever_they_are() -> None:
    sent: list[str | bytes] = ['{"a":"ä"}\n', b'{"b":1}', "", b"\xff\xfe\x00", '{"c":"\x01"}']

    async def serve_frames(connection: ServerConnection) -> None:
        for frame in sent:
            await connection.send(frame, text=True)

    async def go() -> tuple[list[Frame], Session]:
        async with stream_server(serve_frames) as port, open_session(target(port), SystemClock()) as session:
            return await drain(session), session

    frames, session = asyncio.run(go())
    assert [frame.data for frame in frames] == [
        item if isinstance(item, bytes) else item.encode() for item in sent
    ]
    assert session.ended is not None and session.ended.code == "1000" and session.clean
    assert frames[0].arrived <= frames[-1].arrived


def test_the_key_travels_in_the_authorization_header_only() -> None:
    seen: list[Request] = []

    async def look(connection: ServerConnection) -> None:
        assert connection.request is not None
        seen.append(connection.request)

    async def go() -> None:
        async with stream_server(look) as port, open_session(target(port), SystemClock()) as session:
            await drain(session)

    asyncio.run(go())
    assert seen[0].headers["Authorization"] == f"Bearer {CANARY}"
    assert CANARY not in seen[0].path
    assert "permessage-deflate" in seen[0].headers["Sec-WebSocket-Extensions"]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 409, 429, 500, 502, 503])
def test_a_refused_handshake_becomes_its_verdict(status: int) -> None:
    async def go() -> Verdict:
        async with status_server(status) as port:
            return await refusal(target(port))

    assert asyncio.run(go()).code == str(status)


def test_a_server_that_repeats_the_key_does_not_get_it_into_the_words() -> None:
    async def go() -> Verdict:
        async with status_server(401, f"bad token {CANARY}!".encode()) as port:
            return await refusal(target(port))

    assert "bad token ••••!" in asyncio.run(go()).what


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_never_followed_not_even_on_the_same_host(status: int) -> None:
    visits: list[str] = []

    async def elsewhere(connection: ServerConnection) -> None:
        visits.append("followed")

    async def go() -> Verdict:
        async with stream_server(elsewhere) as other:
            location = {"Location": f"ws://127.0.0.1:{other}/v1/stream"}
            async with status_server(status, headers=location) as port:
                return await refusal(target(port))

    assert asyncio.run(go()).code == str(status)
    assert visits == []


def test_a_redirect_to_its_own_path_is_not_followed_either() -> None:
    asked: list[str] = []

    def answer(connection: ServerConnection, request: Request) -> Response:
        asked.append(request.path)
        return Response(307, "x", Headers({"Location": "/v2/stream", "Content-Length": "0"}), b"")

    async def never(connection: ServerConnection) -> None: ...

    async def go() -> Verdict:
        async with stream_server(never, process_request=answer) as port:
            return await refusal(target(port))

    assert asyncio.run(go()).code == "307"
    assert len(asked) == 1


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async def hello(connection: ServerConnection) -> None:
        await connection.send("{}")

    async def go() -> list[Frame]:
        async with stream_server(hello) as port:
            for name in ("http_proxy", "https_proxy", "all_proxy", "ws_proxy", "wss_proxy"):
                monkeypatch.setenv(name, "http://127.0.0.1:1")
                monkeypatch.setenv(name.upper(), "http://127.0.0.1:1")
            monkeypatch.delenv("no_proxy", raising=False)
            monkeypatch.delenv("NO_PROXY", raising=False)
            async with open_session(target(port), SystemClock()) as session:
                return await drain(session)

    assert len(asyncio.run(go())) == 1


@pytest.mark.parametrize("code", [1000, 1001, 1002, 1003, 1007, 1008, 1011, 1012, 1013, 4000])
def test_what_came_before_a_close_is_there_after_it(code: int) -> None:
    async def some_then_close(connection: ServerConnection) -> None:
        for number in range(500):
            await connection.send(f'{{"n":{number}}}')
        await connection.close(code, "so it is")

    async def go() -> tuple[list[Frame], Session]:
        async with (
            stream_server(some_then_close) as port,
            open_session(target(port), SystemClock()) as session,
        ):
            return await drain(session), session

    frames, session = asyncio.run(go())
    assert len(frames) == 500
    assert session.ended is not None and session.ended.code == str(code)
    assert "so it is" in session.ended.what


def test_what_came_before_a_cut_is_there_after_it() -> None:
    async def some_then_cut(connection: ServerConnection) -> None:
        for number in range(3000):
            await connection.send(f'{{"n":{number}}}')
        await (await connection.ping())
        connection.transport.abort()

    async def go() -> tuple[list[Frame], Session]:
        async with stream_server(some_then_cut) as port, open_session(target(port), SystemClock()) as session:
            await session.arrivals.wait(3000, 5)
            await session.connection.wait_closed()
            return await drain(session), session

    frames, session = asyncio.run(go())
    assert len(frames) == 3000
    assert session.ended is not None and session.ended.code == "1006" and not session.clean


def test_a_reset_counts_as_cut_by_the_network() -> None:
    async def reset(connection: ServerConnection) -> None:
        sock = connection.transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.transport.abort()

    async def go() -> Session:
        async with stream_server(reset) as port, open_session(target(port), SystemClock()) as session:
            await drain(session)
            return session

    session = asyncio.run(go())
    assert session.ended is not None and session.ended.code == "1006"
    assert session.cut


@pytest.mark.parametrize(("size", "code"), [(4095, "1000"), (4096, "1000"), (4097, "1009")])
def test_the_frame_limit_bites_behind_its_last_byte_and_is_1009(size: int, code: str) -> None:
    async def big(connection: ServerConnection) -> None:
        await connection.send("x" * size)

    async def go() -> Session:
        async with (
            stream_server(big, compression=None) as port,
            open_session(target(port, frame_bytes=4096), SystemClock()) as session,
        ):
            await drain(session)
            return session

    session = asyncio.run(go())
    assert session.ended is not None and session.ended.code == code


def test_a_compressed_bomb_stops_at_the_frame_limit() -> None:
    async def bomb(connection: ServerConnection) -> None:
        await connection.send(b"\0" * (8 << 20))

    async def go() -> Session:
        async with (
            stream_server(bomb) as port,
            open_session(target(port, frame_bytes=1 << 20), SystemClock()) as session,
        ):
            assert await drain(session) == []
            return session

    session = asyncio.run(go())
    assert session.ended is not None and session.ended.code == "1009"


def test_a_full_queue_makes_the_server_wait_and_loses_nothing() -> None:
    sent = 0

    async def flood(connection: ServerConnection) -> None:
        nonlocal sent
        for number in range(2000):
            await connection.send(f"{number:06}" + "x" * 10_000)
            sent = number + 1

    async def go() -> list[Frame]:
        async with (
            stream_server(flood, compression=None) as port,
            open_session(target(port), SystemClock()) as session,
        ):
            session.arrivals._most = 50
            await session.arrivals.wait(50, 5)
            await asyncio.sleep(0.3)
            assert len(session.arrivals) <= 51
            assert sent < 2000
            return await drain(session)

    frames = asyncio.run(go())
    assert [int(frame.data[:6]) for frame in frames] == list(range(2000))


def test_a_half_open_connection_is_noticed_by_the_silence() -> None:
    thaw = asyncio.Event()

    async def freeze(connection: ServerConnection) -> None:
        await connection.send("{}")
        connection.transport.pause_reading()
        await thaw.wait()

    async def go() -> tuple[list[Frame], Session, float]:
        loop = asyncio.get_running_loop()
        async with serve(freeze, "127.0.0.1", 0, close_timeout=0.1) as server:
            port = server.sockets[0].getsockname()[1]
            where = target(port, ping_seconds=0.1, pong_seconds=0.4)
            async with open_session(where, SystemClock()) as session:
                began = loop.time()
                frames = await drain(session)
                took = loop.time() - began
            for connection in server.connections:
                connection.transport.abort()
            thaw.set()
            return frames, session, took

    frames, session, took = asyncio.run(go())
    assert len(frames) == 1
    assert session.ended is not None and session.ended.code == "silent"
    assert 0.3 < took < 20


def test_a_slow_store_does_not_look_like_a_silent_server() -> None:
    async def flood(connection: ServerConnection) -> None:
        for _ in range(200):
            await connection.send("x" * 100_000)

    async def go() -> list[Frame]:
        async with stream_server(flood, compression=None) as port:
            where = target(port, ping_seconds=0.05, pong_seconds=0.2)
            async with open_session(where, SystemClock()) as session:
                session.arrivals._most = 5
                await asyncio.sleep(0.8)
                assert session.ended is None
                return await drain(session)

    assert len(asyncio.run(go())) == 200


def test_after_our_goodbye_what_was_on_its_way_still_arrives() -> None:
    sent = 0

    async def flood(connection: ServerConnection) -> None:
        nonlocal sent
        while True:
            await connection.send(f"{sent:2000}")
            sent += 1

    async def go() -> tuple[list[Frame], Session]:
        async with (
            stream_server(flood, compression=None) as port,
            open_session(target(port), SystemClock()) as session,
        ):
            await session.arrivals.wait(100, 5)
            goodbye = asyncio.get_running_loop().create_task(session.finish())
            frames = await drain(session)
            await goodbye
            return frames, session

    frames, session = asyncio.run(go())
    assert session.clean
    assert [int(frame.data) for frame in frames] == list(range(len(frames)))
    assert len(frames) >= sent - 1


def certificate(
    tmp_path: Path, *, host: str = "127.0.0.1", expired: bool = False, early: bool = False
) -> tuple[ssl.SSLContext, str]:
    authority = trustme.CA()
    now = datetime.datetime.now(datetime.UTC)
    day = datetime.timedelta(days=1)
    if expired:
        issued = authority.issue_cert(host, not_before=now - 3 * day, not_after=now - day)
    elif early:
        issued = authority.issue_cert(host, not_before=now + day, not_after=now + 3 * day)
    else:
        issued = authority.issue_cert(host)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    issued.configure_cert(context)
    ca_file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(ca_file))
    return context, str(ca_file)


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("good", ""),
        ("expired", "tls_expired"),
        ("early", "tls_early"),
        ("host", "tls_wrong_host"),
        ("ca", "tls_unknown_ca"),
    ],
)
def test_a_certificate_is_checked_and_its_fault_named(kind: str, code: str, tmp_path: Path) -> None:
    context, ca_file = certificate(
        tmp_path,
        host="elsewhere.example" if kind == "host" else "127.0.0.1",
        expired=kind == "expired",
        early=kind == "early",
    )

    async def hello(connection: ServerConnection) -> None:
        await connection.send("{}")

    async def go() -> str:
        async with stream_server(hello, ssl=context) as port:
            where = target(port, scheme="wss", ca_file="" if kind == "ca" else ca_file)
            if code:
                return (await refusal(where)).code
            async with open_session(where, SystemClock()) as session:
                assert len(await drain(session)) == 1
            return ""

    assert asyncio.run(go()) == code


def test_session_keys_are_not_written_where_the_environment_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context, ca_file = certificate(tmp_path)
    log = tmp_path / "keys.log"
    monkeypatch.setenv("SSLKEYLOGFILE", str(log))

    async def hello(connection: ServerConnection) -> None:
        await connection.send("{}")

    async def go() -> None:
        async with (
            stream_server(hello, ssl=context) as port,
            open_session(target(port, scheme="wss", ca_file=ca_file), SystemClock()) as session,
        ):
            await drain(session)

    asyncio.run(go())
    assert not log.exists()


def test_tls_to_a_port_without_it_is_named() -> None:
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()
        await reader.read(1000)

    async def go() -> Verdict:
        async with raw_server(plain) as port:
            return await refusal(target(port, scheme="wss"))

    assert asyncio.run(go()).code == "not_tls"


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (b"", "reset"),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "not_websocket"),
        (b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 3\r\n\r\nhi!", "proxy_page"),
        (b"HTTP/1.1 101 Switching\r\nUpgrade: nothing\r\nConnection: Upgrade\r\n\r\n", "not_websocket"),
        (
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: wrong\r\n\r\n",
            "not_websocket",
        ),
        (b"X" * 100_000, "not_websocket"),
        (b"HTTP/1.0 401 Unauthorized\r\nContent-Type: text/plain\r\n\r\nno", "401"),
        (b"HTTP/1.0 503 X\r\n\r\n", "503"),
        (b"HTTP/1.1 409\r\n\r\n", "409"),
        (b"HTTP/1.0 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n", "not_websocket"),
        (b"HTTP/1.1 403 X\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n", "403"),
    ],
)
def test_what_is_no_stream_server_is_named(said: bytes, code: str) -> None:
    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(said)
        await writer.drain()

    async def go() -> Verdict:
        async with raw_server(babble) as port:
            return await refusal(target(port))

    assert asyncio.run(go()).code == code


def test_a_server_that_never_answers_times_out() -> None:
    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(-1)

    async def go() -> Verdict:
        async with raw_server(mute) as port:
            where = target(port)
            return await refusal(Target(url=where.url, key=where.key, connect_seconds=0.2))

    assert asyncio.run(go()).code == "timeout"


def test_nobody_there_is_refused_on_one_address_and_on_several() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert asyncio.run(refusal(target(port))).code == "refused"
    assert asyncio.run(refusal(target(port, host="localhost"))).code == "refused"


def test_a_host_without_an_address_is_dns(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere(*args: object, **more: object) -> object:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", nowhere)
    assert asyncio.run(refusal(target(443, host="nowhere.invalid"))).code == "dns"


@pytest.mark.parametrize("content", [None, "", "no certificate"])
def test_a_ca_file_that_is_none_is_named(content: str | None, tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)
    found = asyncio.run(refusal(target(1, scheme="wss", ca_file=str(path))))
    assert found.code == "ca_file"


def test_a_key_with_a_line_break_does_not_leave_by_an_exception() -> None:
    async def hello(connection: ServerConnection) -> None: ...

    async def go() -> Verdict:
        async with stream_server(hello) as port:
            where = Target(url=target(port).url, key=Secret(f"{CANARY}\r\nX: y"), connect_seconds=2)
            return await refusal(where)

    assert asyncio.run(go()).what


def test_nothing_is_logged_with_the_key_in_it(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("websockets").setLevel(logging.DEBUG)

    async def hello(connection: ServerConnection) -> None:
        await connection.send("{}")

    async def go() -> None:
        quiet = logging.getLogger("test.server")
        quiet.setLevel(logging.CRITICAL)
        async with (
            stream_server(hello, logger=quiet) as port,
            open_session(target(port), SystemClock()) as session,
        ):
            await drain(session)

    asyncio.run(go())
    assert CANARY not in caplog.text
