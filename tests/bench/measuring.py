"""What the benches share: CPU, percentiles, processes of their own, files that the system forgets."""

from __future__ import annotations

import multiprocessing
import os
import queue
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import psutil

from pod_desktop import store
from pod_desktop.store import Ask


def cpu(work: Callable[[], object]) -> float:
    """Seconds of CPU; the best of three."""
    best = 1e9
    for _ in range(3):
        begun = time.thread_time()
        work()
        best = min(best, time.thread_time() - begun)
    return best


def share(spans: Sequence[float], part: float) -> float:
    return sorted(spans)[min(len(spans) - 1, int(len(spans) * part))] * 1e3


def watch(folder: Path, stop: Any, answer: Any) -> None:
    """What a window does in its own process while records arrive: the newest page, ten times a second and more."""
    reader = store.open_reader(folder)
    spans: list[float] = []
    versions: list[float] = []
    while not stop.is_set():
        before = time.perf_counter()
        reader.version()
        versions.append(time.perf_counter() - before)
        before = time.perf_counter()
        list(reader.search(Ask(), limit=100))
        spans.append(time.perf_counter() - before)
        time.sleep(0.02)
    rss = psutil.Process().memory_info().rss / 2**20
    reader.close()
    answer.put({"spans": spans, "versions": versions, "rss": rss})


def run(target: Callable[..., None], *args: Any) -> dict[str, Any]:
    """A function in a process of its own, its last argument a queue for the answer.

    Raises:
        RuntimeError: the process has ended without an answer.
    """
    context = multiprocessing.get_context("spawn")
    answers: Any = context.Queue()
    process = context.Process(target=target, args=(*args, answers))
    process.start()
    while True:
        alive = process.is_alive()
        try:
            result: dict[str, Any] = answers.get(timeout=1)
        except queue.Empty:
            if not alive:
                raise RuntimeError(f"{target.__name__} ended with exit code {process.exitcode}.") from None
        else:
            process.join()
            return result


def forget(folder: Path) -> None:
    """Have the system read this file, or the files of this folder, from the disk again."""
    for file in [folder] if folder.is_file() else folder.iterdir():
        descriptor = os.open(file, os.O_RDONLY)
        os.fsync(descriptor)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(descriptor)
