"""The log stream: WebSocket server on loopback, with the service's handshake, archive, live buffer and faults."""

from __future__ import annotations

import asyncio
import contextlib
import http
import logging
import ssl
import struct
from collections.abc import Callable, Iterable
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Any, Final

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from pod_desktop.core.clock import HOUR, SECOND
from pod_desktop.simulator import faults, tcp
from pod_desktop.simulator.chance import seed_of
from pod_desktop.simulator.faults import ABORT, RESET, SILENCE, Answer
from pod_desktop.simulator.item import Item
from pod_desktop.simulator.request import Refusal, read_request
from pod_desktop.simulator.sessions import Session

if TYPE_CHECKING:
    from pod_desktop.simulator.simulator import Simulator

_NOT_ALLOWED: Final = (
    b"HTTP/1.1 405 Method Not Allowed\r\nAllow: GET\r\nConnection: close\r\n"
    b"Content-Type: text/plain\r\nContent-Length: 20\r\n\r\nMethod Not Allowed\r\n"
)
_FRAGMENT: Final = 1 << 20
_QUIET_LOG: Final = logging.getLogger("pod_desktop.simulator.websockets")
_QUIET_LOG.addHandler(logging.NullHandler())
_QUIET_LOG.propagate = False


class Connection(ServerConnection):
    """A connection that tells when something arrives and when it is gone."""

    def __init__(
        self, everyone: set[Connection], unserved: Callable[[Session], None], *arguments: Any, **options: Any
    ) -> None:
        """`unserved` is told of a session whose client was gone before its handler began."""
        super().__init__(*arguments, **options)
        self._everyone = everyone
        self._unserved = unserved
        self.session: Session | None = None
        self.heard = 0.0
        self.gone = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.heard = self.loop.time()
        self._everyone.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.gone = True
        self._everyone.discard(self)
        if self.session is not None:
            self.session.kick()
            if not self.session.served:
                self._unserved(self.session)

    def data_received(self, data: bytes) -> None:
        self.heard = self.loop.time()
        if self.request is None and not b"GET ".startswith(data[:4]):
            # websockets would read the body of such a request as frames, and hang up without an answer.
            self.transport.write(_NOT_ALLOWED)
            self.transport.close()
            return
        super().data_received(data)

    def reset(self) -> None:
        """End with TCP RST."""
        tcp.reset(self.transport)

    def fall_silent(self) -> None:
        """Neither read nor answer from now on; the connection stands."""
        with contextlib.suppress(RuntimeError):
            self.transport.pause_reading()


class StreamServer:
    """Serves one simulator's records."""

    def __init__(self, simulator: Simulator) -> None:
        self._sim = simulator
        self._server: Server | None = None
        self._everyone: set[Connection] = set()
        self._sessions_begun = 0
        self.port = 0

    async def start(self, port: int, tls: ssl.SSLContext | None) -> None:
        self._server = await serve(
            self._handle,
            "127.0.0.1",
            port,
            ssl=tls,
            process_request=self._answer,  # type: ignore[arg-type]
            server_header=None,
            create_connection=partial(Connection, self._everyone, self._unserved),  # type: ignore[arg-type]
            compression="deflate" if self._sim.options.deflate else None,
            open_timeout=None,
            ping_interval=None,
            close_timeout=1.0,
            write_limit=(1 << 18, 1 << 16),
            logger=_QUIET_LOG,
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close every connection with 1001, those that do not answer without it."""
        if self._server is None:
            return
        server, self._server = self._server, None
        for connection in self.connections():
            if connection.session is None or connection.session.silent:
                connection.transport.abort()
        server.close()
        try:
            async with asyncio.timeout(1.5):
                await server.wait_closed()
        except TimeoutError:
            for connection in self.connections():
                connection.transport.abort()
            await server.wait_closed()

    def connections(self) -> list[Connection]:
        return list(self._everyone)

    # Handshake

    async def _answer(self, connection: Connection, request: Request) -> Response | None:
        sim = self._sim
        asked = read_request(request.method, request.path, request.headers, sim)
        ordered = sim.faults.take_handshake(asked.kind) or self._trouble()
        if ordered is not None:
            if ordered.delay:
                await asyncio.sleep(ordered.delay)
            if ordered.how:
                sim.note_handshake(asked, ordered.how)
                await self._unanswered(connection, ordered.how)
                return _response(Answer(status=503))
            if ordered.status:
                sim.note_handshake(asked, ordered.status)
                return _response(ordered)
        if isinstance(asked, Refusal):
            sim.note_handshake(asked, asked.status)
            return _response(faults.answer(asked.status))
        if connection.gone:
            return _response(Answer(status=503))
        slot = sim.sessions.slot(asked.key, asked.kind, asked.archive is not None)
        if sim.sessions.taken(slot, sim.clock.monotonic()):
            sim.note_handshake(asked, 409)
            return _response(faults.answer(409))
        session = Session(asked.key, asked.kind, asked.archive, slot)
        if session.archive is None:
            # Now, not when the sender first runs: what is released in between belongs to this session.
            session.position = sim.sessions.resume_at(session, sim.now(), sim.journals[session.kind].last)
        sim.sessions.begin(session)
        sim.note_handshake(asked, 101)
        connection.session = session
        return None

    async def _unanswered(self, connection: Connection, how: str) -> None:
        if how == SILENCE:
            connection.fall_silent()
        elif how == RESET:
            connection.reset()
        else:
            connection.transport.abort()
        await connection.wait_closed()

    def _trouble(self) -> Answer | None:
        if self._sim.dice.random() < self._sim.trouble.refuse:
            return faults.answer(self._sim.dice.choice((502, 503)))
        return None

    # Sessions

    async def _handle(self, connection: ServerConnection) -> None:
        assert isinstance(connection, Connection)
        session = connection.session
        assert session is not None
        session.served = True
        self._sessions_begun += 1
        sender = Sender(self._sim, connection, session, self._sessions_begun)
        session.kick = sender.wake.set
        try:
            await sender.run()
        except (ConnectionClosed, OSError):
            session.abnormal = session.abnormal or connection.close_code != 1000
        finally:
            linger = self._sim.linger if session.abnormal or connection.close_code in (None, 1006) else 0.0
            self._sim.sessions.end(session, self._sim.clock.monotonic(), linger)

    def _unserved(self, session: Session) -> None:
        """A client died inside the handshake: nobody else would free its place."""
        session.abnormal = True
        self._sim.sessions.end(session, self._sim.clock.monotonic(), self._sim.linger)

    async def end_all(self, how: str | int, kind: str | None) -> int:
        """End the open sessions (of one kind, or all) so; returns how many."""
        ended = 0
        for connection in self.connections():
            session = connection.session
            if session is None or (kind and session.kind != kind) or connection.gone:
                continue
            ended += 1
            await end(self._sim, connection, session, how)
        return ended


async def end(sim: Simulator, connection: Connection, session: Session, how: str | int) -> None:
    """End one session in this manner."""
    session.abnormal = how not in (1000, 1001)
    if how == SILENCE:
        session.silent = True
        connection.fall_silent()
        sim.sessions.end(session, sim.clock.monotonic(), sim.linger)
    elif how in (RESET, ABORT):
        connection.reset() if how == RESET else connection.transport.abort()
        # The end is noticed in the loop's next turn only; without a wait the sender would not let it come.
        await connection.wait_closed()
    else:
        await connection.close(int(how), "simulated")
    session.kick()


class Sender:
    """Sends one session's frames until it ends."""

    def __init__(self, sim: Simulator, connection: Connection, session: Session, number: int) -> None:
        self._sim = sim
        self._connection = connection
        self._session = session
        self.wake = asyncio.Event()
        self._rng = Random(seed_of(sim.options.seed, "session", number))
        self._next_drop = self._after(sim.trouble.drop_every)
        self._next_silence = self._after(sim.trouble.silence_every)
        self._written = connection.loop.time()

    async def run(self) -> None:
        sim, session = self._sim, self._session
        session.order = sim.faults.take_end(session.kind)
        if session.kind in sim.preencoded:
            await self._send_encoded(sim.preencoded[session.kind])
            if session.archive is None:
                await self._connection.wait_closed()
            return
        if session.archive is None:
            await self._live(session.position)
            return
        begin, until = session.archive
        if not await self._archive(begin, sim.clock.now() if until is None else until):
            return
        if until is None and sim.options.since_alone == "live":
            await self._live(sim.clock.now() - int(sim.options.resume_overlap * SECOND))
        elif sim.options.archive_ends == "drop":
            self._connection.transport.abort()
        else:
            await self._connection.close(1000)

    async def _archive(self, begin: int, end: int) -> bool:
        """Send the hours that touch [begin, end); False when the session has come to its end before."""
        hours = begin - begin % HOUR, -(-end // HOUR) * HOUR
        if (encoded := self._sim.encoded_hours) is not None:
            for hour in range(hours[0] // HOUR, min(hours[1], self._sim.clock.now()) // HOUR):
                await self._send_encoded(encoded(self._session.kind, hour))
            return not self._connection.gone
        frames = self._sim.archive(self._session.kind, *hours, lambda: not self._connection.gone)
        async with contextlib.aclosing(frames):
            async for item in frames:
                if not await self._send(item):
                    return False
        return not self._connection.gone

    async def _live(self, position: int) -> None:
        sim, session, connection = self._sim, self._session, self._connection
        journal = sim.journals[session.kind]
        sim.sessions.delivered(session, position)
        journal.listeners.add(self.wake.set)
        try:
            while not connection.gone:
                entries = [] if sim.faults.muted or session.silent else journal.after(session.position)
                for entry in entries:
                    if not await self._send(entry.item):
                        return
                    sim.sessions.delivered(session, entry.at)
                if not entries:
                    await self._rest()
        finally:
            journal.listeners.discard(self.wake.set)

    async def _rest(self) -> None:
        """Wait for something to send, or for something to go wrong."""
        loop, idle = self._connection.loop, self._sim.options.idle_seconds
        quiet_since = max(self._connection.heard, self._written)
        if loop.time() - quiet_since >= idle:
            await end(self._sim, self._connection, self._session, ABORT)
            return
        await self._misbehave()
        due = min(quiet_since + idle, self._next_drop, self._next_silence)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(due):
                await self.wake.wait()
        self.wake.clear()

    async def _send(self, item: Item) -> bool:
        """Send one frame; False when the session has come to its end before it."""
        connection, session = self._connection, self._session
        if session.order is None:
            session.order = self._sim.faults.take_end(session.kind)
        if session.order is not None and session.order[0] <= 0:
            how, session.order = session.order[1], None
            await end(self._sim, connection, session, how)
        await self._misbehave()
        if session.silent:
            while not connection.gone:
                await self._rest()
        if connection.gone:
            return False
        frame = item.frame
        if len(frame) > _FRAGMENT:
            parts = [frame[at : at + _FRAGMENT] for at in range(0, len(frame), _FRAGMENT)]
            await connection.send(parts, text=not item.binary)
        else:
            await connection.send(frame, text=not item.binary)
        self._written = connection.loop.time()
        session.sent += 1
        self._sim.note_sent(item)
        if session.order is not None:
            session.order = session.order[0] - 1, session.order[1]
        return True

    async def _send_encoded(self, chunks: Iterable[bytes]) -> None:
        """Ready-made WebSocket frames in large pieces: as fast as the loopback takes them."""
        for chunk in chunks:
            if self._connection.gone:
                return
            self._connection.transport.write(chunk)
            await self._connection.drain()

    def _after(self, mean: float) -> float:
        return self._connection.loop.time() + self._rng.expovariate(1 / mean) if mean else float("inf")

    async def _misbehave(self) -> None:
        now = self._connection.loop.time()
        if now >= self._next_drop:
            self._next_drop = self._after(self._sim.trouble.drop_every)
            await end(
                self._sim,
                self._connection,
                self._session,
                self._rng.choice((RESET, ABORT, 1001, 1011, RESET)),
            )
        elif now >= self._next_silence:
            self._next_silence = float("inf")
            await end(self._sim, self._connection, self._session, SILENCE)


def _response(answer: Answer) -> Response:
    status = http.HTTPStatus(answer.status)
    headers = Headers(
        [
            ("Connection", "close"),
            ("Content-Type", answer.content_type),
            ("Content-Length", str(len(answer.body))),
            *answer.headers,
        ]
    )
    return Response(status.value, status.phrase, headers, answer.body)


def encode_frames(frames: list[bytes], piece: int = 1 << 18) -> list[bytes]:
    """Text frames of these messages, joined to pieces of about this size (RFC 6455, section 5.2)."""
    pieces: list[bytes] = []
    part: list[bytes] = []
    size = 0
    for frame in frames:
        length = len(frame)
        if length < 126:
            head = bytes((0x81, length))
        elif length < 1 << 16:
            head = struct.pack("!BBH", 0x81, 126, length)
        else:
            head = struct.pack("!BBQ", 0x81, 127, length)
        part += (head, frame)
        size += len(head) + length
        if size >= piece:
            pieces.append(b"".join(part))
            part, size = [], 0
    if part:
        pieces.append(b"".join(part))
    return pieces
