"""An automation desk in memory: playbooks that tests put there, backtests that they order or hold back."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pod_desktop.core.action import Entry
from pod_desktop.core.clock import DAY, HOUR, SystemClock
from pod_desktop.core.faults import UserFault
from pod_desktop.core.guards import Reason
from pod_desktop.core.playbook import DRY_RUN, ON, Playbook, playbook_from_file
from pod_desktop.core.playbook_limits import ACT, HELD
from pod_desktop.core.responder import TYPES, RespondConnector
from pod_desktop.services import playbooks as service
from pod_desktop.services.backtest import Fired, Report
from pod_desktop.services.sigma import Converted
from pod_desktop.services.sigma_file import read_sigma_file
from pod_desktop.store import FiringRow, PlaybookEntry, Version
from pod_desktop.store.playbook_rows import APPROVED, COUNTERS, DISMISSED, OPEN
from pod_desktop.ui.automation.commands import add_automation
from pod_desktop.ui.automation.desk import Range, Seen, Setup
from pod_desktop.ui.automation.whencard import Query
from pod_desktop.ui.automation.wiring import AutomationWiring
from pod_desktop.ui.bridge import Job
from pod_desktop.ui.window import MainWindow

NOW = SystemClock().now()


def definition(**changes: object) -> dict[str, object]:
    """A playbook's file: blocks the sender of three quarantined messages."""
    return {
        "name": "Wave", "tenant": "acme", "query": "outcome:quarantined", "group_by": "sender", "at_least": 3,
        "within": "10m", "actions": [{"type": "webhook_responder", "responder": "acme-block"}],
    } | changes  # fmt: skip


def playbook(**changes: object) -> Playbook:
    return playbook_from_file(definition(**changes))


def a_row(value: str = "billing@bad.example", outcome: str = ACT, **more: object) -> FiringRow:
    """An action of a firing; give what matters."""
    body = f'{{"action":"add","attribute":"$from","operator":"equal","value":"{value}"}}'
    values: dict[str, object] = {
        "playbook_id": 1, "playbook": "Wave", "version": 1, "slot": 0, "type": "webhook_responder", "at": NOW - HOUR,
        "time": NOW - HOUR, "key": value, "records": ("message:g1", "message:g2", "message:g3"), "outcome": outcome,
        "responder": "acme-block", "responder_type": TYPES[0], "list": "block", "action": "add",
        "entry": Entry(attribute="$from", operator="equal", value=value), "path": "/orgBlockList?clusterId=x",
        "body": body, "record_id": "message:g3", "tenant": "acme",
    }  # fmt: skip
    return FiringRow(**(values | more))  # type: ignore[arg-type]


def held_row(value: str, answer: str = "hold", **more: object) -> FiringRow:
    """An action that waits for a person."""
    reason = Reason("own", answer, f"{value} is your own domain.")
    values = {"status": OPEN, "reason": reason.text, "reasons": (reason,), "expires": NOW + 6 * DAY}
    return a_row(value, HELD, **(values | more))


def fired(value: str, outcome: str = ACT, *, ago: int = HOUR, reason: str = "") -> Fired:
    """A firing of a backtest."""
    row = a_row(value, outcome, reason=reason, time=NOW - ago)
    return Fired(time=NOW - ago, key=value, records=row.records, outcome=outcome, rows=(row,))


def a_report(*firings: Fired, records: int = 40) -> Report:
    """What a backtest found."""
    return Report(
        playbook=playbook(), since=NOW - 7 * DAY, until=NOW + 1, records=records, fired=len(firings), firings=list(firings),
        outcomes=Counter(one.outcome for one in firings), keys=Counter(one.key for one in firings), share=1.0,
    )  # fmt: skip


@dataclass
class FakeAutomation:
    """Put entries and rows in; `gate` holds backtests back; `fault` makes the next change fail."""

    folder: Path
    entries: list[PlaybookEntry] = field(default_factory=list)
    held: list[FiringRow] = field(default_factory=list)
    rows_of: dict[str, list[FiringRow]] = field(default_factory=dict)
    report: Report = field(default_factory=a_report)
    responders: list[RespondConnector] = field(default_factory=list)
    record: Mapping[str, object] = field(default_factory=dict)
    notified: list[FiringRow] = field(default_factory=list)
    versions: list[Version] = field(default_factory=list)
    fault: Exception | None = None
    gate: threading.Event | None = None
    asked_warnings: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.tried: list[tuple[Playbook, Range]] = []
        self.jobs: list[Job] = []
        self.confirmed: list[str] = []
        self.ran: list[tuple[str, Report]] = []
        self.stopped = ""
        self.mark = 0
        self.told = 0
        self._ids = 0

    @property
    def stop_file(self) -> Path:
        return self.folder / "automation.stop"

    def put(self, made: Playbook, state: str = DRY_RUN, **more: object) -> PlaybookEntry:
        """A playbook that is there."""
        self._ids += 1
        counts = dict.fromkeys(COUNTERS, 0) | dict(more.pop("counters", {}))  # type: ignore[call-overload]
        values: dict[str, object] = {
            "id": self._ids, "playbook": made, "state": state, "version": 1, "author": "ann", "created": NOW - DAY,
            "changed": NOW - HOUR, "armed": 0, "tripped": "", "failures": 0, "problem": "", "last_run": 0,
            "counters": counts,
        }  # fmt: skip
        entry = PlaybookEntry(**(values | more))  # type: ignore[arg-type]
        self.entries.append(entry)
        self.mark += 1
        return entry

    def _may(self) -> None:
        if self.fault is not None:
            fault, self.fault = self.fault, None
            raise fault

    def _change(self, name: str, **changes: object) -> PlaybookEntry:
        self._may()
        place = next(i for i, one in enumerate(self.entries) if one.playbook.name == name)
        self.entries[place] = replace(self.entries[place], **changes)  # type: ignore[arg-type]
        self.mark += 1
        return self.entries[place]

    # the desk

    def see(self, last: object) -> tuple[object, Seen] | None:
        mark = self.mark, self.stop_file.exists()
        if mark == last:
            return None
        why = "The file is there." if mark[1] else self.stopped
        return mark, Seen(
            entries=list(self.entries), held=list(self.held), notified=list(self.notified), stopped=why, by_file=mark[1],
            hours={one.id: [(NOW // HOUR * HOUR, "acted", 2)] for one in self.entries},
        )  # fmt: skip

    def claim_told(self, newest: int) -> int:
        before, self.told = self.told, max(self.told, newest)
        return before

    def setup(self) -> Setup:
        return Setup(tenants=("acme", "beta"), responders=self.responders)

    def sample(self, query: str, kinds: Sequence[str]) -> Mapping[str, object]:
        return self.record

    def check(self, one: Playbook) -> None:
        service.check(one, NOW)

    def warnings(self, one: Playbook) -> Sequence[str]:
        self.asked_warnings.append(one.name)
        return service.warnings(one, self.responders)

    def try_out(
        self, one: Playbook, wanted: Range, job: Job, told: Callable[[Report], None]
    ) -> Report | None:
        self.tried.append((one, wanted))
        self.jobs.append(job)
        if self.gate is not None:
            told(replace(self.report, share=0.5))
            while not self.gate.wait(0.01):
                if job.cancelled:
                    return None
        self._may()
        return None if job.cancelled else self.report

    def run_on_history(self, name: str, report: Report) -> int:
        self._may()
        self.ran.append((name, report))
        return sum(row.outcome == ACT for one in report.firings for row in one.rows)

    def templates(self) -> Sequence[service.Template]:
        return service.templates()

    def add(self, made: Playbook, *, state: str) -> PlaybookEntry:
        self._may()
        if any(one.playbook.name == made.name for one in self.entries):
            raise UserFault(f"A playbook named {made.name} exists already.", "name")
        return self.put(made, state)

    def update(self, name: str, made: Playbook) -> PlaybookEntry:
        old = next(one for one in self.entries if one.playbook.name == name)
        state = DRY_RUN if old.state == ON else old.state
        return self._change(name, playbook=made, state=state, version=old.version + 1)

    def set_state(self, name: str, state: str) -> PlaybookEntry:
        return self._change(name, state=state, tripped="")

    def remove(self, name: str) -> PlaybookEntry:
        self._may()
        entry = next(one for one in self.entries if one.playbook.name == name)
        self.entries.remove(entry)
        self.mark += 1
        return entry

    def history(self, name: str) -> Sequence[Version]:
        return self.versions

    def rows(self, name: str) -> Sequence[FiringRow]:
        return self.rows_of.get(name, [])

    def read_file(self, path: Path) -> Playbook:
        return service.read_playbook_file(path)

    def read_sigma(self, path: Path) -> Converted:
        return read_sigma_file(path)

    def write_file(self, made: Playbook, path: Path) -> None:
        self._may()
        path.write_text(made.name, encoding="utf-8")

    def _decide(self, row_id: int, status: str) -> FiringRow:
        self._may()
        row = next(one for one in self.held if one.id == row_id)
        self.held.remove(row)
        self.mark += 1
        return replace(row, status=status)

    def approve(self, row_id: int, confirmed: str = "") -> FiringRow:
        self.confirmed.append(confirmed)
        return self._decide(row_id, APPROVED)

    def dismiss(self, row_id: int) -> FiringRow:
        return self._decide(row_id, DISMISSED)

    def stop(self) -> None:
        self._may()
        self.stopped = "ann stopped them."
        self.mark += 1

    def go(self) -> None:
        self.stop_file.unlink(missing_ok=True)
        self.stopped = ""
        self.mark += 1


def two_responders() -> list[RespondConnector]:
    names = ("acme-block", "acme-safe")
    return [
        RespondConnector(name=name, tenant="acme", type=kind, cluster_id="acme_hosted")
        for name, kind in zip(names, TYPES, strict=False)
    ]


def in_window(window: MainWindow, fake: FakeAutomation) -> AutomationWiring:
    wiring = AutomationWiring(
        window,
        desk=fake,
        clock=SystemClock(),
        zone=window.zone,
        make_query=lambda: Query(lambda _text: (), list),
    )
    add_automation(window, lambda: wiring)
    wiring.start()
    return wiring
