"""Keeping the store within its limits: by age and by size, whole segments, never what people marked.

What would go is planned from the catalog; each segment is then looked through for what is to be kept, beside the
writer, and exchanged in the writer's own thread, which takes milliseconds.
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Callable, Collection
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from pod_desktop import store
from pod_desktop.core.clock import DAY, Clock, iso
from pod_desktop.core.faults import Fault, Outage
from pod_desktop.core.settings import RETENTION_DAYS, RETENTION_GB
from pod_desktop.core.text import plural
from pod_desktop.services.settings import Settings
from pod_desktop.store import (
    NOTES_FILE,
    Cleared,
    Command,
    DataDir,
    Doomed,
    Ledger,
    Limits,
    Lock,
    Notes,
    Plan,
    Prepared,
    Retaining,
)
from pod_desktop.store.retention import AGE, Read

RETENTION: Final = "retention"
"""Command of a window or of the command line: `{"job": ID}`; do it now, and tell the ledger's job of that id."""
FIRST_SECONDS: Final = 60.0
"""After its start the service has other things to do."""
EVERY_SECONDS: Final = 3_600.0
LOOK_SECONDS: Final = 0.5
ANSWER_SECONDS: Final = 600.0
"""A service that has much to delete takes a while; one that does not answer at all is told of after this."""
SPANS: Final = 4
"""A segment spans at most this part of the age limit, so that records go soon after they have become too old."""
_TRIES: Final = 5
Keep = Callable[[], Collection[str]]
"""Ids of the records that are never deleted (marked or commented)."""
Inside = Callable[[Callable[[Any], Any]], Any]
"""Runs something with the writer (store.Retaining), in the thread that may use it."""
_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Freed:
    """What a run of retention did."""

    records: int = 0
    bytes_disk: int = 0
    kept: int = 0
    problems: tuple[str, ...] = ()

    def words(self) -> str:
        if not self.records:
            return "Nothing was to be deleted."
        kept = f"; {self.kept:,} marked or commented ones were kept" if self.kept else ""
        return f"{plural(self.records, 'record')} deleted, {self.bytes_disk / 1e9:,.2f} GB freed{kept}."

    def to_json(self) -> dict[str, Any]:
        return {
            "records": self.records,
            "bytes": self.bytes_disk,
            "kept": self.kept,
            "problems": list(self.problems),
        }


def limits_of(ledger: Ledger) -> Limits:
    """The limits that are set."""
    settings = Settings(ledger)
    return Limits(days=settings.get(RETENTION_DAYS), gigabytes=settings.get(RETENTION_GB))


def planned(data_dir: DataDir, limits: Limits, now: int) -> Plan:
    """What would be deleted now, from any process; marked and commented records are still among them.

    Raises:
        Outage: the store cannot be read.
    """
    return store.plan_retention(data_dir.events, limits, now)


def plan_words(plan: Plan, limits: Limits) -> str:
    """One or two sentences for people."""
    if not limits.days and not limits.gigabytes:
        return "There is no limit: nothing is deleted."
    if not plan.doomed:
        return f"Nothing is to be deleted: the store has {plan.bytes_disk / 1e9:,.2f} GB."
    until = iso(max(one.newest for one in plan.doomed))[:10]
    why = {one.why for one in plan.doomed}
    reason = " and ".join(
        words for key, words in ((AGE, "they are too old"), ("size", "the store is too large")) if key in why
    )
    return (
        f"Up to {plural(plan.records, 'record')} until {until} are to be deleted because {reason}; that frees "
        f"{plan.bytes_freed / 1e9:,.2f} of {plan.bytes_disk / 1e9:,.2f} GB. Marked and commented records are kept."
    )


class Retention:
    """Retention of one data directory, beside its writer."""

    def __init__(
        self,
        folder: Path,
        limits: Callable[[], Limits],
        keep: Keep,
        inside: Inside,
        clock: Clock,
        *,
        read: Read,
        tell: Callable[[str, dict[str, Any]], None] = lambda job, state: None,
    ) -> None:
        """
        Args:
            folder: of the event store.
            keep: asked anew for every segment.
            inside: runs something with the writer in its own thread.
            read: content.read.
            tell: puts the state of a job where whoever asked for it looks (Ledger.put_job).
        """
        self._folder = folder
        self._limits = limits
        self._keep = keep
        self._inside = inside
        self._clock = clock
        self._read = read
        self._tell = tell
        self._jobs: list[str] = []
        self._stopping = False

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set: a minute after the start, then every hour, and when asked."""
        next_time = self._clock.monotonic() + FIRST_SECONDS
        while not stop.is_set():
            jobs, self._jobs = self._jobs, []
            if jobs or self._clock.monotonic() >= next_time:
                next_time = self._clock.monotonic() + EVERY_SECONDS
                await self._once(jobs, stop)
            try:
                async with asyncio.timeout(LOOK_SECONDS):
                    await stop.wait()
            except TimeoutError:
                continue

    def obey(self, command: Command) -> bool:
        """Take the command to do it now; False if it is none of ours. On the loop's thread."""
        if command.name != RETENTION:
            return False
        self._jobs.append(str(command.args.get("job", "")))
        return True

    async def _once(self, jobs: list[str], stop: asyncio.Event) -> None:
        work = asyncio.get_running_loop().run_in_executor(None, self.apply)
        try:
            while not work.done():
                await asyncio.wait({work}, timeout=LOOK_SECONDS)
                self._stopping = stop.is_set()
            freed = work.result()
        except Fault as fault:
            _log.warning("old records are not deleted: %s", fault)
            state: dict[str, Any] = {"state": "failed", "words": str(fault)}
        except Exception:
            _log.exception("deleting old records failed")
            state = {"state": "failed", "words": "It failed; the details are in the log."}
        else:
            for problem in freed.problems:
                _log.warning("retention: %s", problem)
            if freed.records:
                _log.info("retention: %s", freed.words())
            state = {
                "state": "done",
                "words": freed.words(),
                "details": list(freed.problems),
                **freed.to_json(),
            }
        for job in jobs:
            self._tell(job, state)

    def apply(self) -> Freed:
        """Delete what is to go now; blocks for as long as that takes, and may be called from any thread.

        Raises:
            Outage: the store cannot be read or the disk fails; what was not deleted stays.
        """
        limits, now = self._limits(), self._clock.now()
        if limits.days:
            span = limits.days * DAY // SPANS
            self._inside(lambda writer: writer.rotate_spans(span, span // 2))
        freed = Freed()
        for doomed in store.plan_retention(self._folder, limits, now).doomed:
            if self._stopping:
                break
            freed = self._clear(doomed, now, freed)
        return self._tidy_kept(freed)

    def _clear(self, doomed: Doomed, now: int, freed: Freed) -> Freed:
        try:
            prepared = self._prepared(doomed, now)
            done: Cleared = self._inside(partial(_clear_out, prepared))
        except Outage as fault:
            # One that cannot be looked through stays, rather than lose what is to be kept.
            return replace(freed, problems=(*freed.problems, str(fault)))
        if not done.deleted and not done.kept:
            return freed
        return replace(
            freed,
            records=freed.records + done.deleted,
            bytes_disk=freed.bytes_disk + doomed.bytes_disk,
            kept=freed.kept + done.kept,
        )

    def _prepared(self, doomed: Doomed, now: int) -> Prepared:
        """Made of what is to be kept now: somebody may mark a record while its segment is looked through."""
        keep = frozenset(self._keep())
        for _ in range(_TRIES):
            prepared = store.prepare(self._folder, doomed, keep, self._read, now)
            before, keep = keep, frozenset(self._keep())
            if keep == before:
                return prepared
        raise Outage("Records are being marked; its turn comes later.", f"segment {doomed.segment}")

    def _tidy_kept(self, freed: Freed) -> Freed:
        """Let go of what was kept and is no longer marked."""
        for prepared in store.prepare_kept(self._folder, frozenset(self._keep()), self._read):
            if not self._stopping:
                self._inside(partial(_clear_out, prepared))
        return freed


def noted(data_dir: DataDir) -> Keep:
    """The records that people marked or commented, read anew at every call."""
    path = data_dir.root / NOTES_FILE

    def keep() -> Collection[str]:
        if not path.exists():
            return ()
        with closing(Notes(path)) as notes:
            return notes.record_ids()

    return keep


def _clear_out(prepared: Prepared, writer: Retaining) -> Cleared:
    return writer.clear_out(prepared)


def apply_now(data_dir: DataDir, ledger: Ledger, clock: Clock, read: Read) -> dict[str, Any]:
    """Delete what is to go now: in the service that runs on this data directory, else in this process.

    Returns:
        Freed.to_json() with `words`.

    Raises:
        Outage: the disk fails, or the service does not answer.
    """
    lock = Lock(data_dir.service_lock)
    if lock.acquire() is not None:
        return _ask_service(ledger, clock)
    try:
        freed = _apply_here(data_dir, ledger, clock, read)
        return {"words": freed.words(), **freed.to_json()}
    finally:
        lock.release()


def _ask_service(ledger: Ledger, clock: Clock) -> dict[str, Any]:
    job = uuid.uuid4().hex
    ledger.post(RETENTION, {"job": job}, now=clock.now())
    until = clock.monotonic() + ANSWER_SECONDS
    while (state := ledger.job(job)) is None:
        if clock.monotonic() > until:
            raise Outage("The collector service does not answer.", "", "Stop it, and try again.")
        time.sleep(LOOK_SECONDS / 5)
    if state["state"] == "failed":
        raise Outage(str(state["words"]))
    return {name: state[name] for name in ("words", *Freed().to_json())}


def _apply_here(data_dir: DataDir, ledger: Ledger, clock: Clock, read: Read) -> Freed:
    writer = store.open_writer(data_dir.events, clock=clock)
    try:
        retention = Retention(
            data_dir.events,
            lambda: limits_of(ledger),
            noted(data_dir),
            lambda work: work(writer),
            clock,
            read=read,
        )
        return retention.apply()
    finally:
        writer.close()
