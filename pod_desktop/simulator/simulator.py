"""The simulator itself: puts population, stream and API together, and gives tests the controls."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections import Counter, defaultdict
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

from pod_desktop.core.clock import HOUR, MINUTE, SECOND, Clock, SystemClock, parse_iso
from pod_desktop.core.limits import LIVE_BUFFER_SECONDS
from pod_desktop.core.record import CONTENT_TYPES
from pod_desktop.simulator import keys, sessions
from pod_desktop.simulator.api import TOKEN_PATH, Api
from pod_desktop.simulator.chance import seed_of
from pod_desktop.simulator.faults import Faults
from pod_desktop.simulator.generator import DEFAULT_ARCHIVE_RATE, Flow, Generator
from pod_desktop.simulator.item import Item
from pod_desktop.simulator.journal import Journal
from pod_desktop.simulator.request import Refusal, StreamRequest
from pod_desktop.simulator.scenarios import scenario
from pod_desktop.simulator.server import StreamServer, encode_frames
from pod_desktop.simulator.sessions import Sessions

TICK: Final = 0.04
"""Seconds between looks at the clock: how finely live records are spread."""
STEP: Final = SECOND // 4
WARM_UP: Final = 4 * SECOND
"""The live rate begins so long before the start, as a mail's lines come seconds after it."""
HOST: Final = "127.0.0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How the simulated service behaves, where the real one's behaviour is known or may vary."""

    seed: int = 1
    scenario: str = "calm"
    cluster_id: str = "acme_hosted"
    rate: float | None = None
    """Live records a second over all types; None = the scenario's."""
    archive_rate: float = DEFAULT_ARCHIVE_RATE
    """Records a second, on average, of the time before the start."""
    port: int = 0
    api_port: int = 0
    tls: tuple[str, str] | None = None
    """Paths of certificate chain and key: wss and https."""
    deflate: bool = True
    buffer_scope: str = sessions.PER_KEY_AND_TYPE
    buffer_seconds: float = LIVE_BUFFER_SECONDS
    first_live: str = "now"
    """Where a key that never came before begins: "now", or "hour" for what is buffered."""
    resume_overlap: float = 5.0
    """Seconds that a resumed live session repeats; 0 = exactly where the last one stopped sending."""
    archive_counts: bool = True
    """Whether an archive session takes the place of the live one (409)."""
    archive_ends: str = "close"
    """"close" with 1000, or "drop" without a close frame."""
    since_alone: str = "close"
    """A request with sinceTime alone: "close" when caught up, or "live" to go on."""
    archive_visible_after: float | None = None
    """Seconds after its end when an hour can be read (120 = from minute 2); None = at once, the running one too."""
    idle_seconds: float = 300.0
    linger: float | None = None
    """Seconds that a dropped session keeps its place; None = the scenario's."""
    track: bool = True
    """Keep the ids of what was sent and released, for tests; costs memory for ever."""


class Handshake(NamedTuple):
    """One handshake as it was answered."""

    at: float
    """Monotonic seconds."""
    kind: str
    target: str
    status: int | str
    why: str


class Simulator:
    """A Proofpoint on Demand on loopback: `async with Simulator(rate=50) as sim: …`.

    options: fields of Options. clock: what time it is there. preencoded: frames by kind that are served
    from memory at full speed instead of generated ones. encoded_hours: (kind, hours since 1970) -> the WebSocket
    frames of a finished archive hour, joined to pieces, where generating them would be the slowest part.
    """

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        preencoded: Mapping[str, Sequence[bytes]] | None = None,
        encoded_hours: Callable[[str, int], Iterable[bytes]] | None = None,
        **options: Any,
    ) -> None:
        self.options = Options(**options)
        self.clock: Clock = clock or SystemClock()
        self.scenario = scenario(self.options.scenario)
        self.trouble = self.scenario.trouble
        self.faults = Faults()
        self.cluster_id = self.options.cluster_id
        self.api_keys = [keys.api_key(self.options.seed, self.cluster_id, number) for number in (1, 2)]
        self.client_id, self.client_secret = keys.client(self.options.seed, self.cluster_id)
        self.dice = Random(seed_of(self.options.seed, "handshakes"))
        self.preencoded = {kind: encode_frames(list(frames)) for kind, frames in (preencoded or {}).items()}
        self.encoded_hours = encoded_hours
        self.sessions = Sessions(
            self.options.buffer_scope,
            self.options.archive_counts,
            self.options.resume_overlap,
            self.options.buffer_seconds,
            self.options.first_live,
        )
        self.journals = {kind: Journal(self.options.buffer_seconds) for kind in CONTENT_TYPES}
        self.emitted: dict[str, Counter[str]] = {kind: Counter() for kind in CONTENT_TYPES}
        """By kind: the ids put on a wire, with how many times."""
        self.produced: dict[str, set[str]] = {kind: set() for kind in CONTENT_TYPES}
        """By kind: the ids that the live stream released, whether or not somebody was connected."""
        self.idless: dict[str, int] = dict.fromkeys(CONTENT_TYPES, 0)
        """By kind: frames put on a wire that carry no id (empty, broken)."""
        self.handshakes: list[Handshake] = []
        self.generator = self._population()
        self._published: dict[str, dict[int, list[Item]]] = {
            kind: defaultdict(list) for kind in CONTENT_TYPES
        }
        self.api = Api(self.options.seed, self.cluster_id, (self.client_id, self.client_secret), self.clock)
        self._released_until = 0
        self._stream = StreamServer(self)
        self._group: asyncio.TaskGroup | None = None
        self._feeder: asyncio.Task[None] | None = None

    @property
    def linger(self) -> float:
        return self.trouble.linger if self.options.linger is None else self.options.linger

    def now(self) -> int:
        return self.clock.now()

    # Life

    async def __aenter__(self) -> Self:
        self.generator = self._population()
        context = _server_context(self.options.tls) if self.options.tls else None
        await self._stream.start(self.options.port, context)
        try:
            await self.api.start(HOST, self.options.api_port, context)
        except OSError:
            await self._stream.stop()
            raise
        self._group = asyncio.TaskGroup()
        await self._group.__aenter__()
        self._feeder = self._group.create_task(self._feed(), name="simulator feed")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._group is not None and self._feeder is not None
        self._feeder.cancel()
        await self._stream.stop()
        await self.api.stop()
        await self._group.__aexit__(None, None, None)

    def _population(self) -> Generator:
        return Generator(
            self.options.seed,
            self.cluster_id,
            self.options.scenario,
            archive_rate=self.options.archive_rate,
            rate=self.options.rate,
            live_from=self.clock.now() - WARM_UP,
        )

    # Addresses

    @property
    def stream_url(self) -> str:
        return f"{'wss' if self.options.tls else 'ws'}://{HOST}:{self._stream.port}"

    @property
    def hostname(self) -> str:
        """What goes into a responder's Hostname: host and port, no scheme."""
        return f"{HOST}:{self.api.port}"

    @property
    def api_url(self) -> str:
        return f"{'https' if self.options.tls else 'http'}://{self.hostname}"

    @property
    def token_url(self) -> str:
        return self.api_url + TOKEN_PATH

    def coordinates(self) -> dict[str, Any]:
        """Everything that a connector or responder is set up with, secrets included: they open nothing but this."""
        return {
            "stream_url": self.stream_url,
            "token_url": self.token_url,
            "api_url": self.api_url,
            "hostname": self.hostname,
            "cluster_id": self.cluster_id,
            "api_keys": self.api_keys,
            "client_id": self.client_id,
            "client_secret": self.client_secret,
        }

    # Control

    async def drop_all(self, how: str | int = "abort", kind: str | None = None) -> int:
        """End all sessions (of one kind): "abort", "reset", "silence" or a close code; returns how many."""
        return await self._stream.end_all(how, kind)

    def publish(self, kind: str, raw: bytes | str | Mapping[str, Any], *, binary: bool = False) -> Item:
        """Put a hand-made record or frame into the live stream now, and into the archive at its time."""
        if isinstance(raw, Mapping):
            raw = json.dumps(raw, ensure_ascii=False)
        frame = raw if isinstance(raw, bytes) else raw.encode("utf-8", "surrogatepass")
        rid, time = _identity(frame, self.clock.now())
        item = Item(time, kind, rid, frame, self.clock.now(), binary)
        self._published[kind][time // HOUR].append(item)
        self._release(item)
        return item

    def publish_all(self, kind: str, frames: Iterable[bytes | str | Mapping[str, Any]]) -> list[Item]:
        return [self.publish(kind, frame) for frame in frames]

    async def settled(self) -> None:
        """Return when the live stream has released everything up to the clock's time."""
        wanted = self.clock.now()
        while self._released_until < wanted:  # noqa: ASYNC110 - as often as the feed looks
            await asyncio.sleep(TICK / 4)

    @property
    def open_sessions(self) -> list[tuple[int, str, bool]]:
        """Key number, kind and whether it is an archive request, of each session."""
        return [(session.key, session.kind, session.archive is not None) for session in self.sessions.open]

    # For the stream server

    async def archive(
        self, kind: str, begin: int, end: int, wanted: Callable[[], bool] = lambda: True
    ) -> AsyncGenerator[Item, None]:
        """The frames of these whole hours that exist by now and may be seen already, while they are wanted."""
        flow = Flow(self.generator, (kind,), begin)
        hidden = self.options.archive_visible_after
        for hour in range(begin, end, HOUR):
            if hidden is not None and hour + HOUR + hidden * SECOND > self.clock.now():
                return
            for moment in range(hour + MINUTE, hour + HOUR + MINUTE, MINUTE):
                if moment - MINUTE > self.clock.now() or not wanted():
                    break
                for item in flow.until(moment):
                    if item.release <= self.clock.now():
                        yield item
                await asyncio.sleep(0)
            for item in tuple(self._published[kind].get(hour // HOUR, ())):
                yield item

    def note_sent(self, item: Item) -> None:
        if not item.rid:
            self.idless[item.kind] += 1
        elif self.options.track:
            self.emitted[item.kind][item.rid] += 1

    def note_handshake(self, asked: StreamRequest | Refusal, status: int | str) -> None:
        why = asked.why if isinstance(asked, Refusal) else ""
        self.handshakes.append(Handshake(self.clock.monotonic(), asked.kind, asked.target, status, why))
        if not self.options.track:
            del self.handshakes[:-100]

    # The live stream

    async def _feed(self) -> None:
        assert self.generator.live_from is not None
        begin = self.generator.live_from + WARM_UP
        flow = Flow(self.generator, begin=begin, by_release=True)
        moment = self.generator.live_from
        while True:
            now = self.clock.now()
            while moment < now:
                # In small steps, so that a high rate or a clock put forward does not hold up the sockets.
                moment = min(now, moment + STEP)
                for item in flow.until(moment):
                    self._release(item)
                await asyncio.sleep(0)
            self._released_until = moment
            await asyncio.sleep(TICK)

    def _release(self, item: Item) -> None:
        if item.rid and self.options.track:
            self.produced[item.kind].add(item.rid)
        self.journals[item.kind].append(item, self.clock.now())


def _server_context(tls: tuple[str, str]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*tls)
    return context


def _identity(frame: bytes, now: int) -> tuple[str, int]:
    """Id and time of a hand-made frame, as far as it has them."""
    try:
        record = json.loads(frame)
    except (ValueError, RecursionError):
        return "", now
    if not isinstance(record, dict):
        return "", now
    rid = record.get("guid", record.get("id", ""))
    try:
        time = parse_iso(str(record.get("ts", "")))
    except ValueError:
        time = now
    return rid if isinstance(rid, str) else "", time
