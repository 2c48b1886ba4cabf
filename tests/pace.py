"""How long work may take on a machine that is shared, traced by coverage, or simply slow.

A test of hostile input guards against work that grows with the square of the input: minutes, not a little more than
a second. So its limit is CPU time of its own thread, generous, and scaled by how slow this machine is at that moment;
what the speed really is, the benches measure.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

NOMINAL_SECONDS = 0.004
"""What `_stint` takes on the machine that the limits were chosen on."""
GENEROUS = 5.0


def _stint() -> float:
    begun = time.thread_time()
    words: dict[str, int] = {}
    for number in range(30_000):
        word = str(number & 1023)
        words[word] = words.get(word, 0) + len(word)
    return time.thread_time() - begun


@contextmanager
def quick(seconds: float) -> Iterator[None]:
    """The body may use `seconds` of this thread's CPU time, times what a slow or busy machine needs.

    Raises:
        AssertionError: it used more.
    """
    before = _stint()
    begun = time.thread_time()
    yield
    used = time.thread_time() - begun
    limit = seconds * GENEROUS * max(1.0, before / NOMINAL_SECONDS, _stint() / NOMINAL_SECONDS)
    assert used < limit, f"{used:.2f} s of CPU, {limit:.2f} s at most"
