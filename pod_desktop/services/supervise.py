"""Starting the collector service from a window, and starting it again when it has died.

The service is a process of its own and outlives the window. A window that finds one running adopts it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

RESTART_SECONDS: Final = (0.5, 1.0, 2.0, 4.0)
"""Waits before the next start after deaths in a row; the last one repeats."""
HEALTHY_SECONDS: Final = 60.0
"""A service that lived this long before it died is started again at once."""


def program(*arguments: str) -> list[str]:
    """The command line that runs this program again with these arguments."""
    if getattr(sys, "frozen", False):
        return [sys.executable, *arguments]
    return [sys.executable, "-m", "pod_desktop", *arguments]


def service_command(data_dir: Path, *, until_eof: bool = False) -> list[str]:
    """What starts the service on this data directory; secrets of this session come on its standard input.

    With `until_eof` it ends with whoever holds its standard input.
    """
    end = ["--until-eof"] if until_eof else []
    return program("--data-dir", str(data_dir), "collect", "--secrets-stdin", "--detached", *end)


def restart_wait(deaths: int) -> float:
    """Seconds to wait after so many deaths in a row (1 = the first)."""
    return RESTART_SECONDS[min(max(deaths, 1), len(RESTART_SECONDS)) - 1]


class ServiceProcess:
    """The service as a window keeps it running. Call tick() now and then; it never blocks."""

    def __init__(
        self,
        arguments: Sequence[str],
        *,
        output: Path,
        holder: Callable[[], int | None],
        monotonic: Callable[[], float],
        secrets: Callable[[], Iterable[str]] = tuple,
    ) -> None:
        """
        Args:
            arguments: what starts it, see service_command().
            output: gets what the service prints.
            holder: gives the process id of whoever holds the service lock, or None.
            monotonic: a clock in seconds.
            secrets: gives this session's secrets as lines (vault.SessionVault.lines), for each start.
        """
        self._arguments = list(arguments)
        self._output = output
        self._holder = holder
        self._monotonic = monotonic
        self._process: subprocess.Popen[bytes] | None = None
        self._secrets = secrets
        self._deaths = 0
        self._started = 0.0
        self._not_before = 0.0
        self._stdin_lock = threading.Lock()
        self.wanted = True

    @property
    def pid(self) -> int | None:
        """Process id of the child that this window started, while it runs."""
        if self._process is None or self._process.poll() is not None:
            return None
        return self._process.pid

    @property
    def deaths(self) -> int:
        """How often in a row the service has died soon after its start."""
        return self._deaths

    def tick(self) -> bool:
        """Start the service if it is wanted and nobody runs it. True while one runs or has just started."""
        now = self._monotonic()
        if self._process is not None:
            if self._process.poll() is None:
                return True
            self._forget(now)
        if self._holder() is not None:
            return True
        if not self.wanted or now < self._not_before:
            return False
        self._start(now)
        return True

    def give_secrets(self) -> bool:
        """Hand this session's secrets to the child; False if the service that runs is not this window's."""
        if self.pid is None:
            return False
        for line in self._secrets():
            self._send(line)
        return True

    def stop(self, seconds: float) -> bool:
        """Ask this window's child to stop cleanly, wait, then end it. False if it had to be killed."""
        self.wanted = False
        process, self._process = self._process, None
        if process is None:
            return True
        process.terminate()
        try:
            process.wait(seconds)
            return True
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            return False
        finally:
            if process.stdin is not None:
                with suppress(OSError):
                    process.stdin.close()

    def leave(self) -> None:
        """Let the child go on without this window."""
        if self._process is not None and self._process.stdin is not None:
            with suppress(OSError):
                self._process.stdin.close()
            # Its parent ends now and init takes over: this is no zombie in the making.
            self._process.returncode = 0
        self._process = None

    def _start(self, now: float) -> None:
        environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
        with self._output.open("ab") as output:
            self._process = subprocess.Popen(
                self._arguments,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment,
                # A Ctrl+C meant for the window must not reach the service.
                start_new_session=True,
            )
        self._started = now
        self.give_secrets()

    def _forget(self, now: float) -> None:
        self._deaths = 1 if now - self._started >= HEALTHY_SECONDS else self._deaths + 1
        self._not_before = now + restart_wait(self._deaths)
        if self._process is not None and self._process.stdin is not None:
            with suppress(OSError):
                self._process.stdin.close()
        self._process = None

    def _send(self, line: str) -> None:
        process = self._process
        if process is None or process.stdin is None:
            return
        with self._stdin_lock, suppress(OSError):
            process.stdin.write(line.rstrip("\n").encode() + b"\n")
            process.stdin.flush()
