"""Rebuilding what is damaged in the event store, while nobody writes to it."""

from __future__ import annotations

from collections.abc import Callable

from pod_desktop import content, store
from pod_desktop.core.faults import Outage
from pod_desktop.store import DataDir, Lock, Repaired


def repair_now(data_dir: DataDir, tell: Callable[[str], None] | None = None) -> list[Repaired]:
    """Rebuild every damaged segment whose raw records are sound; what became of each.

    Args:
        tell: hears which file is looked at.

    Raises:
        Outage: a service is collecting on this data directory; nothing was changed.
    """
    lock = Lock(data_dir.service_lock)
    if (holder := lock.acquire()) is not None:
        raise Outage(
            f"The collector service (process {holder}) uses this store.",
            str(data_dir.root),
            "Stop it, and close the windows, then repair.",
        )
    try:
        return store.repair(data_dir.events, content.read, content.sniff, tell)
    finally:
        lock.release()


def words(done: Repaired) -> str:
    """What became of a segment, in a sentence."""
    if done.removed:
        return f"{done.file}: removed; the collector service makes it anew."
    if done.why_not:
        return f"{done.file}: not repaired. {done.why_not}"
    return f"{done.file}: rebuilt from {done.records:,} raw records."
