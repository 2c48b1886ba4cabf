"""What playbooks cost the service that collects: commit latency and CPU without any and with many, on the same stream.

    python tests/bench/bench_automate_ingest.py [--rate R] [--seconds S] [--playbooks N]

Prints one JSON object. The server is a process of its own; the service and its playbooks share one, as in life.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))
sys.path.insert(0, str(Path(__file__).parent))

from bench_receive import make_service, start_server

from pod_desktop import store
from pod_desktop.core.clock import SystemClock
from pod_desktop.core.guards import Surroundings
from pod_desktop.core.playbook import NOTIFY, ON, playbook_from_file
from pod_desktop.services import collect_commit
from pod_desktop.services.automate import Automation
from pod_desktop.store import Playbooks

WARM_SECONDS = 3.0
QUERIES = (
    # query, index, grouped by, at least
    ("outcome:quarantined AND rule:phish", "message", "sender", 5),
    ("sender:ceo{n}@evil.test", "message", "sender", 1),
    ("sender.domain:bad{n}.test AND score:>50", "message", "ip", 3),
    ("direction:inbound AND NOT dmarc:pass AND score:>=50", "message", "header_from.domain", 10),
    ("subject:invoice{n} AND outcome:delivered", "message", "sender.domain", 3),
    ("attachment.name:*.iso", "message", "sender", 2),
    ("filter.modules.spam.scores.classifiers.impostor:>=70", "message", "sender", 1),
    ("ip:203.0.{n}.0/24", "message", "ip", 20),
    ("stat:deferred*", "maillog", "relay", 20),
    ("outcome:bounced AND recipient.domain:acme.example", "maillog", "recipient", 5),
)


def playbook(number: int) -> Any:
    query, index, key, least = QUERIES[number % len(QUERIES)]
    return playbook_from_file(
        {
            "name": f"P{number}", "tenant": "bench", "query": query.format(n=number), "index": [index], "group_by": key,
            "at_least": least, "within": "10m", "every": "5m" if number % 7 == 3 else None,
            "actions": [{"type": NOTIFY}],
        }
    )  # fmt: skip


@contextlib.contextmanager
def timed(owner: Any, name: str, told: Callable[..., None]) -> Any:
    """`told(seconds, the call's arguments)` after each call of a method."""
    plain = getattr(owner, name)

    def call(*arguments: Any, **more: Any) -> Any:
        began = time.perf_counter()
        answer = plain(*arguments, **more)
        told(time.perf_counter() - began, *arguments)
        return answer

    setattr(owner, name, call)
    try:
        yield
    finally:
        setattr(owner, name, plain)


class Nobody:
    """Sends nothing: these playbooks only notify."""

    async def submit(self, *_arguments: Any, **_more: Any) -> Any:
        raise AssertionError("nothing is to be sent")


async def measure(server: dict[str, Any], seconds: float, playbooks: int) -> dict[str, Any]:
    waits: list[float] = []
    commits: list[float] = []
    intents: list[float] = []
    lags: list[float] = []
    clock, began = SystemClock(), time.perf_counter()

    def warm() -> bool:
        return time.perf_counter() - began > WARM_SECONDS

    def stored(took: float, _committer: Any, batch: Any) -> None:
        if batch.frames and warm():
            done = clock.now()
            commits.append(took * 1e3)
            waits.extend((done - frame.arrived) / 1e3 for frame in batch.frames)

    def kept(_took: float, _book: Any, turn: Any) -> None:
        if warm():
            done = clock.now()
            intents.extend((done - row.time) / 1e3 for part in turn.parts for row in part.rows)

    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        stack.enter_context(timed(collect_commit.Committer, "_store", stored))
        stack.enter_context(timed(Playbooks, "commit", kept))
        service, stop = make_service(folder, server), asyncio.Event()
        book, journal = Playbooks(folder / "playbooks.db"), store.Journal(folder / "actions.db")
        for number in range(playbooks):
            book.add(playbook(number), author="bench", now=clock.now())
            book.set_state(f"P{number}", ON, by="bench", now=clock.now())
        automation = Automation(
            playbooks=book,
            journal=journal,
            open_reader=lambda: store.open_reader(folder / "events"),
            open_notes=lambda: store.Notes(folder / store.NOTES_FILE),
            respond=Nobody(),
            connectors=lambda: [],
            clock=clock,
            stop_file=folder / "automation.stop",
            surroundings=lambda reader: Surroundings(),
        )
        async with asyncio.TaskGroup() as group:
            group.create_task(service.run(stop))
            if playbooks:
                group.create_task(automation.run(stop))
            await asyncio.sleep(WARM_SECONDS)
            cpu, at = time.process_time(), time.perf_counter()
            while time.perf_counter() - at < seconds:
                await asyncio.sleep(0.1)
                lags += [(one.lag_s or 0.0) * 1e3 for one in service.statuses() if one.lag_s is not None]
            used, took = time.process_time() - cpu, time.perf_counter() - at
            behind = await asyncio.to_thread(_behind, folder, book) if playbooks else 0
            stop.set()
        counters = [entry.counters for entry in book.entries()]
        book.close()
        journal.close()
    return {
        "records_a_second": round(len(waits) / took),
        "cpu_us_a_record": round(used / max(len(waits), 1) * 1e6, 1),
        "arrival_to_commit_ms": _spread(waits),
        "commit_ms": _spread(commits),
        "record_time_to_commit_ms": _spread(lags),
        "record_time_to_intent_ms": _spread(intents),
        "matches": sum(one["matches"] for one in counters),
        "firings": sum(one["firings"] for one in counters),
        "not_judged_yet": behind,
    }


def _behind(folder: Path, book: Playbooks) -> int:
    """Records that are stored and not judged; the cursor is committed when something matched, or now and then."""
    reader = store.open_reader(folder / "events")
    marks, cursor = reader.marks(), book.cursor() or {}
    reader.close()
    return sum(last - cursor.get(part, last) for part, last in marks.items())


def _spread(values: list[float]) -> dict[str, float]:
    if len(values) < 2:
        return {}
    cuts = statistics.quantiles(values, n=100)
    return {
        "n": len(values),
        "p50": round(cuts[49], 1),
        "p95": round(cuts[94], 1),
        "max": round(max(values), 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=2_000)
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--playbooks", type=int, default=50)
    asked = parser.parse_args()
    report: dict[str, Any] = {}
    for count in (0, asked.playbooks):
        process, server = start_server(0, asked.rate)
        try:
            report[f"{count} playbooks"] = asyncio.run(measure(server, asked.seconds, count))
        finally:
            process.communicate("")
    without, having = report.values()
    more = having["cpu_us_a_record"] - without["cpu_us_a_record"]
    report["cpu_us_a_record_and_playbook"] = round(more / max(asked.playbooks, 1), 2)
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
