"""Scanning workers as one process keeps them: started late, fed piece by piece, noticed when they die.

Whoever wants records looked through (services.scanning) puts pieces up here and waits. What a piece brought is
kept for a while, because a window asks the same of the same records for its rows, its histogram and its facets.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import time
import weakref
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, Protocol

from pod_desktop.core.text import plural
from pod_desktop.services import scan_wire, scan_worker
from pod_desktop.services.scan_wire import Task
from pod_desktop.services.supervise import program
from pod_desktop.store import Piece, Reader

MOST_WORKERS: Final = 8
AT_ONCE: Final = 2
"""Pieces that a worker has at a time: the next lies there when one is done."""
TRIES: Final = 2
"""A piece that so many workers died over is given up, and the answer says so."""
STILLBORN: Final = 3
"""So many workers in a row that died before their first answer, and no more are started."""
HUNG_SECONDS: Final = 120.0
STOP_SECONDS: Final = 1.0
_PIECES_A_WORKER: Final = 4
"""With fewer than this to do it is not worth the start."""
_KEPT_TASKS: Final = 4
_KEPT_BYTES: Final = 48 << 20
_log: Final = logging.getLogger(__name__)


def usual_workers() -> int:
    """As many as leave one processor to whoever asks."""
    try:
        processors = len(os.sched_getaffinity(0))
    except AttributeError:  # not on this system
        processors = os.cpu_count() or 1
    return max(1, min(MOST_WORKERS, processors - 1))


class Answers:
    """What is known of one question, piece by piece."""

    def __init__(self, number: int, task: Task) -> None:
        self.number = number
        self.task = task
        self.known: dict[Piece, bytes] = {}
        """Keys found, packed."""
        self.flying: set[Piece] = set()
        self.failed: dict[Piece, str] = {}
        """Pieces that could not be looked through, and why."""
        self.damaged: dict[int, str] = {}
        """Segments that were set aside, and why."""
        self.bug = ""
        self.tries: Counter[Piece] = Counter()
        self.size = 0

    def put(self, piece: Piece, data: bytes) -> None:
        """Take in what a piece brought."""
        self.flying.discard(piece)
        if piece not in self.known:
            self.known[piece] = data
            self.size += len(data)

    def is_open(self, piece: Piece) -> bool:
        """Has somebody still to look through it?"""
        return not (
            piece in self.known
            or piece in self.flying
            or piece in self.failed
            or piece.segment in self.damaged
        )

    def try_again(self) -> None:
        """Who asks again may have better luck."""
        self.failed.clear()
        self.damaged.clear()
        self.tries.clear()
        self.bug = ""


class Wish(Protocol):
    """Somebody who waits for pieces of a question."""

    @property
    def answers(self) -> Answers: ...

    def is_live(self) -> bool:
        """Is it still waited for? Called with the pool's lock held."""
        ...

    def open_pieces(self) -> Iterator[Piece]:
        """Pieces to be looked through, the most wanted first; called with the pool's lock held."""
        ...


class _Worker:
    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self.ready = False
        self.answered = False
        self.told: set[int] = set()
        """Numbers of the questions it knows."""
        self.flying: deque[tuple[Answers, Piece]] = deque()
        self.heard = time.monotonic()
        self.thread: threading.Thread | None = None

    def send(self, data: bytes) -> bool:
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(data)
            self.process.stdin.flush()
        except (OSError, ValueError):
            return False  # it has died: whoever listens to it notices
        return True


class Pool:
    """The workers of one process on one store, for all of its threads."""

    def __init__(
        self,
        folder: Path,
        *,
        workers: int | None = None,
        command: Callable[[Path], Sequence[str]] | None = None,
    ) -> None:
        """
        Args:
            folder: where the events are.
            workers: how many at most; None: usual_workers(); 0: none, whoever asks looks for itself.
            command: what starts one on a folder.
        """
        self._folder = folder.absolute()
        self._most = usual_workers() if workers is None else workers
        self._command = command or (lambda folder: program(scan_worker.ARGUMENT, str(folder)))
        self.changed = threading.Condition()
        """Held wherever anything of answers or wishes changes; notified when a piece is done."""
        self._starting = threading.Lock()
        self._workers: list[_Worker] = []
        self._wishes: weakref.WeakSet[Wish] = weakref.WeakSet()
        self._answers: OrderedDict[Task, Answers] = OrderedDict()
        self._cuts: dict[tuple[int, int], tuple[Piece, list[Piece]]] = {}
        self._numbers = 0
        self._stillborn = 0
        self._closed = False

    # --- what is asked

    def answers(self, task: Task) -> Answers:
        """What is known of a question, kept while it is asked again and again."""
        with self.changed:
            found = self._answers.get(task)
            if found is None:
                self._numbers += 1
                found = self._answers[task] = Answers(self._numbers, task)
            self._answers.move_to_end(task)
            found.try_again()
            self._forget_old(found)
            return found

    def _forget_old(self, kept: Answers) -> None:
        wanted = {wish.answers for wish in self._wishes if wish.is_live()} | {kept}
        size = sum(one.size for one in self._answers.values())
        for task, one in list(self._answers.items()):
            if len(self._answers) <= _KEPT_TASKS and size <= _KEPT_BYTES:
                break
            if one not in wanted:
                del self._answers[task]
                size -= one.size
                self._tell_to_forget(one)

    def cut(self, reader: Reader, part: Piece, records: int) -> list[Piece]:
        """A part of the store in pieces; remembered, because all who ask need the same."""
        key = part.segment, records
        with self.changed:
            known = self._cuts.get(key)
        if known is not None and known[0] == part:
            return known[1]
        pieces = reader.cut(part, records)
        with self.changed:
            self._cuts[key] = part, pieces
        return pieces

    def join(self, wish: Wish) -> None:
        """Somebody waits from now on, until it is let go."""
        with self.changed:
            self._wishes.add(wish)

    def leave(self, wish: Wish) -> None:
        """It does not wait any longer: what is under way for it alone is broken off."""
        with self.changed:
            self._wishes.discard(wish)
            if not any(other.answers is wish.answers and other.is_live() for other in self._wishes):
                self._tell_to_forget(wish.answers)
            self.changed.notify_all()

    def _tell_to_forget(self, answers: Answers) -> None:
        for worker in self._workers:
            if answers.number in worker.told:
                worker.told.discard(answers.number)
                worker.send(scan_wire.line({"forget": answers.number}))

    # --- workers

    @property
    def pids(self) -> list[int]:
        """Process ids of the workers that run."""
        with self.changed:
            return [worker.process.pid for worker in self._workers]

    @property
    def busy(self) -> list[int]:
        """Process ids of those that have something to do."""
        with self.changed:
            return [worker.process.pid for worker in self._workers if worker.flying]

    @property
    def helps(self) -> bool:
        """Do workers run, or may they be started?"""
        return not self._closed and self._most > 0 and self._stillborn < STILLBORN

    def is_up(self) -> bool:
        """Is a worker ready? Called with the lock held."""
        return any(worker.ready for worker in self._workers)

    def work(self, pieces: int) -> None:
        """Have enough workers for so many pieces, and give each something to do."""
        self._start_missing(min(self._most, -(-pieces // _PIECES_A_WORKER)))
        with self.changed:
            now = time.monotonic()
            for worker in self._workers:
                self._feed(worker)
                if worker.flying and now - worker.heard > HUNG_SECONDS:
                    worker.process.kill()

    def _start_missing(self, wanted: int) -> None:
        with self._starting:
            while self.helps and len(self._workers) < wanted:
                try:
                    self._start()
                except OSError as error:
                    _log.warning("no scanning worker can be started: %s", error)
                    self._stillborn = STILLBORN

    def _start(self) -> None:
        flags = 0
        if sys.platform == "win32":
            flags = subprocess.BELOW_NORMAL_PRIORITY_CLASS | subprocess.CREATE_NO_WINDOW
        process = subprocess.Popen(
            self._command(self._folder),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            creationflags=flags,
        )
        worker = _Worker(process)
        worker.thread = threading.Thread(target=self._listen, args=(worker,), name="scan", daemon=True)
        with self.changed:
            self._workers.append(worker)
        worker.thread.start()

    def _feed(self, worker: _Worker) -> None:
        """Give a worker its next pieces; called with the lock held."""
        while worker.ready and not self._closed and len(worker.flying) < AT_ONCE:
            found = self._next()
            if found is None:
                return
            answers, piece = found
            number = answers.number
            answers.flying.add(piece)
            if not worker.flying:
                worker.heard = time.monotonic()
            worker.flying.append(found)
            message = b"" if number in worker.told else scan_wire.ask_line(number, answers.task)
            worker.told.add(number)
            if not worker.send(message + scan_wire.line({"ask": number, "piece": piece})):
                return

    def _next(self) -> tuple[Answers, Piece] | None:
        for wish in list(self._wishes):
            if wish.is_live():
                for piece in wish.open_pieces():
                    return wish.answers, piece
        return None

    def _listen(self, worker: _Worker) -> None:
        """Take in a worker's answers until it has ended."""
        assert worker.process.stdout is not None
        answers = worker.process.stdout
        # Cut off in the middle of an answer, or no worker of ours at all.
        with suppress(OSError, ValueError, LookupError, TypeError):
            while line := answers.readline():
                message = scan_wire.parsed(line)
                size = message.get("found", 0) * scan_wire.PLACE_BYTES
                data = answers.read(size) if size else b""
                if len(data) < size:
                    break
                with self.changed:
                    worker.heard = time.monotonic()
                    if "ready" in message:
                        worker.ready = True
                    else:
                        self._take_in(worker, message, data)
                    self._feed(worker)
                    self.changed.notify_all()
        if self._closed:
            return
        worker.process.kill()  # if it lives, it does not make sense any more
        code = worker.process.wait()
        with self.changed:
            self._bury(worker, code)
            self.changed.notify_all()

    def _take_in(self, worker: _Worker, message: dict[str, Any], data: bytes) -> None:
        answers, piece = worker.flying.popleft()
        worker.answered = True
        self._stillborn = 0
        answers.flying.discard(piece)
        if "bug" in message:
            answers.bug = message["bug"]
        elif "outage" in message:
            answers.failed[piece] = message["outage"]
        elif message.get("problem"):
            answers.damaged[piece.segment] = message["problem"]
        elif "unwanted" not in message:
            answers.put(piece, data)

    def _bury(self, worker: _Worker, code: int) -> None:
        """A worker has ended: what it had is done again, or given up if that is what it died of."""
        if worker in self._workers:
            self._workers.remove(worker)
        for stream in (worker.process.stdin, worker.process.stdout):
            if stream is not None:
                with suppress(OSError):
                    stream.close()
        # It does one after the other, so it can have died of the first only.
        for answers, piece in list(worker.flying)[: 1 if code else 0]:
            answers.tries[piece] += 1
            if answers.tries[piece] >= TRIES:
                answers.failed[piece] = (
                    f"{plural(piece.records, 'record')} could not be searched: the process that looked through them died"
                    f" {TRIES} times."
                )
        for answers, piece in worker.flying:
            answers.flying.discard(piece)
        if code:
            _log.warning("a scanning worker ended with %d", code)
        if not worker.ready or (code and not worker.answered):
            self._stillborn += 1

    def close(self) -> None:
        """End all workers."""
        with self._starting:
            self._closed = True
        with self.changed:
            workers, self._workers = self._workers, []
            self.changed.notify_all()
        for worker in workers:
            assert worker.process.stdin is not None
            with suppress(OSError):
                worker.process.stdin.close()
        for worker in workers:
            try:
                worker.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                worker.process.kill()
                worker.process.wait()
            if worker.thread is not None:
                worker.thread.join()
            if worker.process.stdout is not None:
                worker.process.stdout.close()
