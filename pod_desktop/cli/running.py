"""What runs for a while: the window, the collector service, the simulator."""

from __future__ import annotations

import re
import sys
from argparse import Namespace
from collections.abc import Iterable
from contextlib import closing, suppress
from typing import Any

from pod_desktop.cli.formats import dumps
from pod_desktop.cli.options import App, CollectOptions, WindowOptions
from pod_desktop.cli.terminal import Out, visible, warn
from pod_desktop.core import clock
from pod_desktop.core.faults import UserFault
from pod_desktop.core.status import StreamStatus

NO_DISPLAY = "There is no display for the window (neither DISPLAY nor WAYLAND_DISPLAY is set)."


def without_display() -> str:
    """What works all the same."""
    from pod_desktop.cli import arguments

    return f"Without one work {', '.join(sorted(arguments.commands()))}."


def window(options: Namespace, app: App, out: Out) -> int:
    """Open the window."""
    _require_display()
    return app.run_window(
        WindowOptions(data_dir=options.data_dir, demo=options.demo, files=tuple(options.files))
    )


def _require_display() -> None:
    """Qt would abort the process instead of saying this."""
    import os

    if not sys.platform.startswith("linux") or os.environ.get("QT_QPA_PLATFORM"):
        return
    if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        raise UserFault(NO_DISPLAY, "", without_display())
    display = os.environ.get("DISPLAY", "")
    if not os.environ.get("WAYLAND_DISPLAY") and not _answers(display):
        raise UserFault(f"The display {display!r} cannot be reached.", "DISPLAY", without_display())


_DISPLAY = re.compile(r"(?P<host>[\w.-]*):(?P<number>\d{1,5})(\.\d+)?", re.ASCII)
_DISPLAY_SECONDS = 3.0


def _answers(display: str) -> bool:
    """Does an X server listen where $DISPLAY says (X(7), "Display names")? What is written otherwise Qt may try."""
    import socket

    named = _DISPLAY.fullmatch(display)
    if named is None:
        return True
    places: list[tuple[int, Any]]
    if named["host"] in ("", "unix"):
        path = f"/tmp/.X11-unix/X{named['number']}"
        places = [(socket.AF_UNIX, f"\0{path}"), (socket.AF_UNIX, path)]
    else:
        places = [(socket.AF_INET, (named["host"], 6000 + int(named["number"])))]
    for family, place in places:
        with socket.socket(family) as probe, suppress(OSError, OverflowError):
            probe.settimeout(_DISPLAY_SECONDS)
            probe.connect(place)
            return True
    return False


def collect(options: Namespace, app: App, out: Out) -> int:
    """Run the collector service here."""
    code = app.run_collect(
        CollectOptions(
            data_dir=options.data_dir,
            names=tuple(options.names),
            seconds=options.seconds,
            until_caught_up=options.until_caught_up,
            secrets_stdin=options.secrets_stdin,
            detached=options.detached,
            until_eof=options.until_eof,
            metrics=options.metrics,
        ),
        Teller(out, options.json).tell,
    )
    if options.until_caught_up and code == 0:
        _tell_what_is_left(options, app)
    return code


def _tell_what_is_left(options: Namespace, app: App) -> None:
    """Caught up is what can be had now; hours that broke off or were refused are asked for again later."""
    from pod_desktop.cli.health import hours_to_fetch

    with closing(app.open_home(options.data_dir)) as home:
        left = hours_to_fetch(home, options.names)
    if left:
        warn(
            f"pod-desktop: {left:,} hour{'' if left == 1 else 's'} could not be fetched whole from the archive yet. "
            "They are asked for again when the service runs; pod-desktop status names them."
        )


class Teller:
    """Prints a line whenever a stream's state has changed, and nothing while only its counters move."""

    def __init__(self, out: Out, json: bool) -> None:
        self._out, self._json = out, json
        self._said: dict[tuple[str, str], tuple[str, str]] = {}

    def tell(self, streams: Iterable[StreamStatus]) -> None:
        for stream in streams:
            key, said = (stream.connector, stream.kind), (stream.state, stream.what)
            if self._said.get(key) != said:
                self._said[key] = said
                self._print(stream)
        self._out.flush()

    def _print(self, stream: StreamStatus) -> None:
        if self._json:
            self._out.bytes(dumps(stream.to_json() | {"since": clock.iso(stream.since)}) + b"\n")
            return
        counters = stream.counters
        self._out.line(
            f"{clock.iso(stream.since)[:19]}Z  {visible(stream.connector)}/{stream.kind}  "
            f"{stream.state.replace('_', ' ')}  received {counters.received:,}, stored {counters.stored:,}"
            + visible(f"  {stream.what} {stream.hint}".rstrip())
        )


def simulate(options: Namespace, app: App, out: Out) -> int:
    """Run a simulated cluster; its first line says how to reach it."""
    from pod_desktop import simulator

    for name in ("port", "api_port"):
        if not 0 <= getattr(options, name) <= 65_535:
            raise UserFault("A port is a number from 0 to 65535.", f"--{name.replace('_', '-')}")
    for name in ("rate", "archive_rate"):
        if not 0 <= (getattr(options, name) or 0) <= 1e6:
            raise UserFault("That is no number of records a second.", f"--{name.replace('_', '-')}")
    return simulator.run(options)
