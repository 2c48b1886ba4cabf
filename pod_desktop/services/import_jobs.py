"""Imports that the service does for a window, beside collecting: one at a time, through the same writer."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Protocol

from pod_desktop.core.clock import Clock
from pod_desktop.core.faults import Fault
from pod_desktop.core.text import plural
from pod_desktop.services.importing import ImportProgress, import_files
from pod_desktop.store import Command, Writer

IMPORT: Final = "import"
"""Command of a window: `{"job": ID, "paths": […]}`; its state is the ledger's job of that id."""
CANCEL_IMPORT: Final = "cancel_import"
PUBLISH_SECONDS: Final = 0.2
RUNNING: Final = "running"
DONE: Final = "done"
FAILED: Final = "failed"
_log: Final = logging.getLogger(__name__)


class JobsPort(Protocol):
    """Where the state of a job is published (store.Ledger)."""

    def put_job(self, job_id: str, state: dict[str, Any], *, now: int) -> None: ...


class ImportJobs:
    """Takes the commands `import` and `cancel_import`."""

    def __init__(self, jobs: JobsPort, writer: Writer, clock: Clock) -> None:
        """`writer` must take commits from this thread beside those of the collectors."""
        self._jobs = jobs
        self._writer = writer
        self._clock = clock
        self._cancelled: set[str] = set()
        self._stopping = False
        self._one = threading.Lock()
        self._threads: list[threading.Thread] = []

    def obey(self, command: Command) -> bool:
        """Do what is asked; False if the command is none of ours."""
        job = str(command.args.get("job", ""))
        if command.name == CANCEL_IMPORT:
            self._cancelled.add(job)
            return True
        if command.name != IMPORT:
            return False
        paths = [Path(str(path)) for path in command.args.get("paths", ())]
        self._publish(job, {"state": RUNNING, "share": 0.0, "words": "Waiting its turn."})
        thread = threading.Thread(target=self._run, args=(job, paths), name=f"import {job}")
        self._threads = [other for other in self._threads if other.is_alive()] + [thread]
        thread.start()
        return True

    def stop(self) -> None:
        """End what runs at its next batch, and wait for it."""
        self._stopping = True
        for thread in self._threads:
            thread.join()

    def _run(self, job: str, paths: list[Path]) -> None:
        with self._one:
            try:
                report = import_files(
                    paths, self._writer, self._clock, self._teller(job), lambda: self._ends(job)
                )
            except Fault as fault:
                self._publish(job, {"state": FAILED, "words": str(fault)})
            except Exception:
                _log.exception("an import failed")
                self._publish(
                    job, {"state": FAILED, "words": "The import failed; the details are in the log."}
                )
            else:
                first, *rest = report.words()
                state = {"state": DONE, "share": 1.0, "words": first, "details": rest, "whole": report.whole}
                self._publish(job, state)
        self._cancelled.discard(job)

    def _ends(self, job: str) -> bool:
        return self._stopping or job in self._cancelled

    def _teller(self, job: str) -> Callable[[ImportProgress], None]:
        published = -PUBLISH_SECONDS

        def tell(progress: ImportProgress) -> None:
            nonlocal published
            now = self._clock.monotonic()
            if now - published < PUBLISH_SECONDS:
                return
            published = now
            whole = (progress.number - 1 + progress.share) / max(progress.files, 1)
            words = f"{progress.file}: {plural(progress.records, 'record')}"
            self._publish(job, {"state": RUNNING, "share": whole, "words": words})

        return tell

    def _publish(self, job: str, state: dict[str, Any]) -> None:
        try:
            self._jobs.put_job(job, state, now=self._clock.now())
        except Fault:
            _log.exception("the state of an import could not be published")
