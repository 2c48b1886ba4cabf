"""A scanning worker: a process that looks through raw records for another one and ends with it.

It is told what to do on its standard input (services.scan_wire), and ends when that ends: with whoever
started it, however that one went. Without work it ends by itself after a while.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import traceback
from collections import deque
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, Final, NoReturn

from pod_desktop.core.faults import Fault, Unwanted
from pod_desktop.services import scan_wire
from pod_desktop.services.asking import judge, spots
from pod_desktop.store import Ask, Piece, open_reader

ARGUMENT: Final = "--scan-worker"
"""Of the program's command line; behind it the folder of the events."""
IDLE_SECONDS: Final = 10.0
NICENESS: Final = 10


class _Work:
    """What is to be done, filled by the thread that listens."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._pieces: deque[tuple[int, Piece]] = deque()
        self._asks: dict[int, Ask] = {}

    def hear(self, message: dict[str, Any]) -> None:
        """Take in one message."""
        with self._changed:
            if "tree" in message:
                number, task = message["ask"], scan_wire.task_of(message)
                self._asks[number] = Ask(
                    tree=task.tree,
                    kinds=task.kinds,
                    connectors=task.connectors,
                    matches=judge(task.tree),
                    spots=spots(task.tree),
                    wanted=lambda: number in self._asks,
                )
            elif "forget" in message:
                self._asks.pop(message["forget"], None)
            else:
                self._pieces.append((message["ask"], Piece(*message["piece"])))
            self._changed.notify()

    def next(self) -> tuple[int, Piece, Ask | None] | None:
        """What to do now; None once there has been nothing for a while."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._pieces, IDLE_SECONDS):
                return None
            number, piece = self._pieces.popleft()
            return number, piece, self._asks.get(number)


def run(folder: Path) -> NoReturn:
    """Work until standard input ends or there is nothing to do; never returns."""
    for name in ("SIGINT", "SIGHUP"):  # meant for whoever started this; its end is noticed
        with suppress(AttributeError, ValueError, OSError):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    with suppress(AttributeError, OSError):  # Windows: the starter has set the priority
        os.nice(NICENESS)
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # whatever prints does not disturb
    work = _Work()
    threading.Thread(target=_listen, args=(sys.stdin.buffer, work), name="orders", daemon=True).start()
    code = 1
    try:
        _work_off(folder, work, answers)
        code = 0
    except BrokenPipeError:
        code = 0
    finally:
        os._exit(code)  # the other thread waits for input and cannot be interrupted


def _listen(orders: BinaryIO, work: _Work) -> None:
    try:
        for line in orders:
            work.hear(scan_wire.parsed(line))
    finally:
        os._exit(0)


def _work_off(folder: Path, work: _Work, answers: BinaryIO) -> None:
    reader = open_reader(folder)
    answers.write(scan_wire.line({"ready": os.getpid()}))
    answers.flush()
    while (order := work.next()) is not None:
        number, piece, ask = order
        answer: dict[str, Any] = {"ask": number, "piece": piece}
        data = b""
        try:
            if ask is None:
                raise Unwanted("No longer wanted.")
            places = reader.keys(ask, {piece.segment: piece.high}, {piece.segment: piece.low - 1})
            data = scan_wire.packed(places)
            answer |= {"found": len(places), "problem": reader.problem_of(piece.segment)}
        except Unwanted:
            answer["unwanted"] = True
        except Fault as fault:
            answer["outage"] = str(fault)
        except Exception:
            answer["bug"] = traceback.format_exc()
        answers.write(scan_wire.line(answer) + data)
        answers.flush()
