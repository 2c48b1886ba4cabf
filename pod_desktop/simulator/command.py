"""The command `simulate`: serve a simulated Proofpoint on Demand, or write its records to a file."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

from pod_desktop.core.clock import DAY, HOUR, SystemClock
from pod_desktop.core.faults import UserFault
from pod_desktop.core.record import CONTENT_TYPES
from pod_desktop.simulator.generator import DEFAULT_ARCHIVE_RATE, Flow, Generator
from pod_desktop.simulator.item import Item
from pod_desktop.simulator.scenarios import SCENARIOS
from pod_desktop.simulator.simulator import Simulator


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    about = "; ".join(f"{one.name}: {one.about}" for one in SCENARIOS.values())
    parser.add_argument("--port", type=int, default=0, help="port of the log stream; default: any free one")
    parser.add_argument("--api-port", type=int, default=0, help="port of token endpoint and lists")
    parser.add_argument(
        "--rate", type=float, default=None, metavar="N", help="live records a second; default: the scenario's"
    )
    parser.add_argument(
        "--archive-rate",
        type=float,
        default=DEFAULT_ARCHIVE_RATE,
        metavar="N",
        help="records a second of the time before the start",
    )
    parser.add_argument("--scenario", default="calm", metavar="NAME", help=about)
    parser.add_argument(
        "--seed",
        type=int,
        default=1,
        metavar="S",
        help="the same seed makes the same people, keys and records",
    )
    parser.add_argument("--cluster-id", default="acme_hosted", metavar="ID")
    parser.add_argument(
        "--tls",
        nargs=2,
        default=None,
        metavar=("CERT", "KEY"),
        help="serve wss and https with this certificate chain and key",
    )
    parser.add_argument("--no-deflate", action="store_true", help="refuse permessage-deflate")
    parser.add_argument(
        "--export",
        type=Path,
        default=None,
        metavar="FILE",
        help="write records to this NDJSON file instead of serving",
    )
    parser.add_argument(
        "--records", type=int, default=10_000, metavar="N", help="how many records --export writes"
    )
    parser.add_argument("--kind", choices=CONTENT_TYPES, default=None, help="write only this content type")

    parser.add_argument("--until-eof", action="store_true", help=argparse.SUPPRESS)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code: 0 done, 1 it failed, 2 bad use."""
    parser = argparse.ArgumentParser(prog="pod-desktop simulate", description=__doc__)
    add_arguments(parser)
    try:
        given = parser.parse_args(argv)
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 2
    return run(given)


def run(given: argparse.Namespace) -> int:
    """As main(), with parsed options."""
    try:
        if given.export is not None:
            return _export(given)
        return asyncio.run(_serve(given))
    except UserFault as fault:
        print(fault, file=sys.stderr)
        return 2
    except OSError as error:
        print(f"simulate: {error}", file=sys.stderr)
        return 1


async def _serve(given: argparse.Namespace) -> int:
    stop = asyncio.Event()
    if given.until_eof:
        _stop_at_eof(stop)
    with _stopped_by_signals(stop):
        async with Simulator(
            port=given.port,
            api_port=given.api_port,
            rate=given.rate,
            archive_rate=given.archive_rate,
            scenario=given.scenario,
            seed=given.seed,
            cluster_id=given.cluster_id,
            tls=tuple(given.tls) if given.tls else None,
            deflate=not given.no_deflate,
            track=False,
        ) as simulator:
            print(json.dumps(simulator.coordinates() | {"pid": os.getpid()}), flush=True)
            await stop.wait()
    return 0


def _stop_at_eof(stop: asyncio.Event) -> None:
    """End with whoever holds our standard input, however that one ends."""
    loop = asyncio.get_running_loop()

    def wait() -> None:
        while sys.stdin.buffer.read(4096):
            pass
        with contextlib.suppress(RuntimeError):  # the loop has closed meanwhile
            loop.call_soon_threadsafe(stop.set)

    threading.Thread(target=wait, name="standard input", daemon=True).start()


@contextlib.contextmanager
def _stopped_by_signals(stop: asyncio.Event) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.getsignal(number) for number in numbers]
    for number in numbers:
        try:
            loop.add_signal_handler(number, stop.set)
        except (NotImplementedError, RuntimeError):  # Windows, or not the main thread
            with contextlib.suppress(ValueError):
                signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.set))
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            with contextlib.suppress(NotImplementedError, RuntimeError):
                loop.remove_signal_handler(number)
            with contextlib.suppress(ValueError, TypeError):
                signal.signal(number, handler)


def _export(given: argparse.Namespace) -> int:
    """Write so many of the newest records that one day holds, oldest first."""
    kinds = (given.kind,) if given.kind else CONTENT_TYPES
    share = {"message": 0.27, "maillog": 0.71, "audit": 0.014}
    rate = given.records / sum(share[kind] for kind in kinds) / 86_400 * 1.3
    generator = Generator(given.seed, given.cluster_id, given.scenario, archive_rate=rate)
    begin = SystemClock().now() // DAY * DAY - 7 * DAY
    written = 0
    given.export.parent.mkdir(parents=True, exist_ok=True)
    with given.export.open("wb") as file:
        for item in _endless(generator, kinds, begin):
            if written == given.records:
                break
            if line := item.frame.replace(b"\n", b" ").strip():
                file.write(line + b"\n")
                written += 1
    print(json.dumps({"file": str(given.export), "records": written}), flush=True)
    return 0


def _endless(generator: Generator, kinds: Sequence[str], begin: int) -> Iterator[Item]:
    flow = Flow(generator, kinds, begin)
    moment = begin
    while True:
        moment += HOUR // 60
        yield from flow.until(moment)
