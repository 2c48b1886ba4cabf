"""Judging new records by all playbooks, in one thread: what matches, what fires, what becomes of it.

Follows the live lane of the store only. What a turn found and how far it read are committed together; a turn
that was not committed never happened and is made again, from what the file says.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from pod_desktop.core.clock import DAY, MINUTE, Clock
from pod_desktop.core.faults import Fault, Outage, UserFault
from pod_desktop.core.limits import MIB
from pod_desktop.core.playbook import DRY_RUN, OFF
from pod_desktop.core.playbook_limits import ACT, BREAKER_DAYS, HELD, WOULD_ACT
from pod_desktop.core.playbook_window import Firing, Match, Window
from pod_desktop.services.automate_fire import Account, Case, Desk, decide, named_records, new_account
from pod_desktop.services.automate_match import Facts, Rule, Rules, compile_rule
from pod_desktop.store import LIVE, FiringRow, Marks, Part, PlaybookEntry, Playbooks, Reader, Turn, counted

LATE: Final = 15 * MINUTE
"""A record that is older than this when it is judged fires nothing; it is counted."""
BATCH_RECORDS: Final = 1_000
BATCH_BYTES: Final = 16 * MIB
_AGAIN: Final = MINUTE
"""Queries that speak of now are read anew, and playbooks with a problem tried again, after this."""
_IDLE_RECORDS: Final = 20_000
"""Records without any match after which the cursor is committed all the same."""
_log: Final = logging.getLogger(__name__)


@dataclass(slots=True)
class _Running:
    """A playbook at work."""

    entry: PlaybookEntry
    rule: Rule
    window: Window
    account: Account
    last_run: int
    compiled: int
    """Microseconds UTC."""
    hits: list[Match] = field(default_factory=list)
    late: int = 0
    broken: str = ""

    def due(self, now: int) -> bool:
        every = self.entry.playbook.every
        return every is None or not 0 <= now - self.last_run < every

    def has_work(self, now: int) -> bool:
        scheduled = self.entry.playbook.every is not None
        return bool(self.broken or self.hits or self.late) or (scheduled and self.due(now))


class Judge:
    """All playbooks on the records of one store. Use from one thread at a time."""

    def __init__(
        self, playbooks: Playbooks, reader: Reader, clock: Clock, desk: Callable[[int], Desk]
    ) -> None:
        """`desk(now)` gives what decisions are made by; it is asked once a turn, and only when one is due."""
        self._playbooks = playbooks
        self._reader = reader
        self._clock = clock
        self._desk = desk
        self._running: dict[int, _Running] = {}
        self._rules = Rules(())
        self._decided: object = None
        self._cursor: Marks = {}
        self._begun = False
        self._idle = 0
        self._problems: dict[int, tuple[int, str]] = {}
        self._swept = 0
        self._desk_now: Desk | None = None

    def turn(self) -> bool:
        """Judge what is new; whether there is more to do at once.

        Raises:
            Outage: store or file failing; nothing of the turn was kept.
        """
        now = self._clock.now()
        try:
            self._begin()
            self._follow(now)
            return self._turn(now)
        except BaseException:
            # What stands in memory may be half of a turn: the file is what counts.
            self._running.clear()
            self._decided, self._begun = None, False
            raise

    def finish(self) -> None:
        """Note how far was read."""
        if self._begun and self._idle:
            self._playbooks.commit(Turn(now=self._clock.now(), marks=self._cursor))
            self._idle = 0

    # what is judged

    def _begin(self) -> None:
        if self._begun:
            return
        cursor = self._playbooks.cursor()
        if cursor is None:
            cursor = self._live_marks()
            self._playbooks.commit(Turn(now=self._clock.now(), marks=cursor))
        self._cursor = cursor
        self._begun = True

    def _live_marks(self) -> Marks:
        lanes = self._reader.lanes()
        return {part: last for part, last in self._reader.marks().items() if lanes.get(part) == LIVE}

    def _follow(self, now: int) -> None:
        """Take over definitions, states and decisions, and try what had a problem again."""
        decided = self._playbooks.decided()
        again = any(not 0 <= now - at < _AGAIN for at, _ in self._problems.values())
        if decided != self._decided or again:
            old, self._running = self._running, {}
            for entry in self._playbooks.entries():
                if entry.state != OFF:
                    self._take(entry, old.get(entry.id), now)
            self._decided = decided
            self._rules = Rules(one.rule for one in self._running.values())
        moved = [one for one in self._running.values() if one.rule.moving and now - one.compiled >= _AGAIN]
        for one in moved:
            one.rule, one.compiled = compile_rule(one.entry.playbook, now), now
        if moved:
            self._rules = Rules(one.rule for one in self._running.values())

    def _take(self, entry: PlaybookEntry, old: _Running | None, now: int) -> None:
        same = old is not None and old.entry.version == entry.version
        try:
            rule = old.rule if same and old else compile_rule(entry.playbook, now)
            window = old.window if same and old else self._window(entry)
        except Exception as error:
            self._has_problem(entry, error, now)
            return
        if self._problems.pop(entry.id, None) or entry.problem:
            part = Part(playbook_id=entry.id, version=entry.version, state=entry.state, problem="")
            self._playbooks.commit(Turn(now=now, parts=[part]))
        account = self._account(entry, now)
        self._running[entry.id] = _Running(entry, rule, window, account, entry.last_run, now)

    def _window(self, entry: PlaybookEntry) -> Window:
        window = Window(entry.playbook.at_least, entry.playbook.within)
        window.restore(*self._playbooks.window(entry.id))
        return window

    def _account(self, entry: PlaybookEntry, now: int) -> Account:
        """What the playbook has done lately, out of its rows."""
        account = new_account(entry.playbook, entry.armed or now)
        account.tripped = entry.tripped
        mute = max(action.mute for action in entry.playbook.actions)
        dry = entry.state == DRY_RUN
        for row in self._playbooks.lately(entry.id, now - max(mute, (BREAKER_DAYS + 1) * DAY)):
            if row.dry != dry:
                continue
            budget = account.quiet if row.entry is None else account.web
            if row.outcome in (ACT, WOULD_ACT):
                budget.act(row.at, row.value)
            else:
                budget.quiet(row.at, row.value)
        if not dry:
            account.held = {
                row.value: row.id for row in self._playbooks.held() if row.playbook_id == entry.id
            }
        return account

    def _has_problem(self, entry: PlaybookEntry, error: Exception, now: int) -> None:
        words = str(error) if isinstance(error, Fault) else f"{type(error).__name__}: {error}"[:500]
        if not isinstance(error, UserFault):
            _log.warning("playbook %s: %s", entry.playbook.name, words, exc_info=error)
        self._problems[entry.id] = (now, words)
        if words != entry.problem:
            part = Part(
                playbook_id=entry.id,
                version=entry.version,
                state=entry.state,
                problem=words,
                counts={"errors": 1},
            )
            self._playbooks.commit(Turn(now=now, parts=[part]))

    # one turn

    def _turn(self, now: int) -> bool:
        marks = self._live_marks()
        if not self._running:
            self._idle += marks != self._cursor
            self._cursor = marks
            return False
        records, reached = self._reader.stored(
            marks, self._cursor, limit=BATCH_RECORDS, most_bytes=BATCH_BYTES
        )
        batch = [Facts(one.kind, one.raw, one.source, time=one.time, seq=one.seq) for one in records]
        self._match(batch, now - LATE)
        parts = self._parts({facts.seq: facts for facts in batch}, now)
        self._idle += len(batch)
        if parts or self._idle >= _IDLE_RECORDS:
            kept, changed = self._playbooks.commit(Turn(now=now, marks=reached, parts=parts))
            self._idle = 0
            self._after(kept, changed)
        self._cursor = reached
        return len(records) >= BATCH_RECORDS or any(reached.get(part) != last for part, last in marks.items())

    def _match(self, batch: Sequence[Facts], late: int) -> None:
        by_rule = {id(one.rule): one for one in self._running.values()}
        for facts in batch:
            for rule in self._rules.candidates(facts):
                running = by_rule[id(rule)]
                if running.broken:
                    continue
                try:
                    found = rule.found(facts)
                except Exception as error:
                    running.broken = f"{type(error).__name__}: {error}"[:500]
                    _log.warning("playbook %s", running.entry.playbook.name, exc_info=error)
                    continue
                if facts.time < late:
                    running.late += bool(found)
                else:
                    running.hits += found

    def _parts(self, facts: dict[int, Facts], now: int) -> list[Part]:
        self._desk_now = None
        parts = []
        sweep = not 0 <= now - self._swept < MINUTE
        self._swept = now if sweep else self._swept
        for running in list(self._running.values()):
            if not (running.has_work(now) or sweep):
                continue
            part = Part(
                playbook_id=running.entry.id, version=running.entry.version, state=running.entry.state
            )
            try:
                self._judge(running, part, facts, now, sweep)
            except Outage:
                raise
            except Exception as error:
                running.broken = f"{type(error).__name__}: {error}"[:500]
                _log.warning("playbook %s", running.entry.playbook.name, exc_info=error)
            if running.broken:
                part = self._set_aside(running, now)
            running.hits, running.late = [], 0
            if part.counts or part.change or part.rows or part.last_run or part.problem is not None:
                parts.append(part)
        return parts

    def _judge(self, running: _Running, part: Part, facts: dict[int, Facts], now: int, sweep: bool) -> None:
        if running.broken:
            return
        settled = now - LATE
        for match in sorted(running.hits):
            running.window.add(match)
        part.counts = {"matches": len(running.hits), "late": running.late}
        if running.due(now):
            firings = running.window.due(settled)
            if running.entry.playbook.every is not None:
                part.last_run = running.last_run = now
            elif firings:
                part.last_run = now
            part.counts["firings"] = len(firings)
            for firing in firings:
                self._fire(running, part, firing, facts, now)
        if sweep:
            running.window.sweep(settled)
        part.change = running.window.changes() or None
        part.counts = {name: number for name, number in part.counts.items() if number}

    def _fire(self, running: _Running, part: Part, firing: Firing, facts: dict[int, Facts], now: int) -> None:
        entry, dry = running.entry, running.entry.state == DRY_RUN
        case = Case(
            playbook=entry.playbook,
            playbook_id=entry.id,
            version=entry.version,
            firing=firing,
            facts=self._facts(running, firing, facts),
            at=now,
        )
        desk = self._desk_now = self._desk_now or self._desk(now)
        rows = decide(case, replace(desk, stopped="") if dry else desk, running.account)
        for row in rows:
            self._keep(running, part, row, dry)
        if running.account.tripped and not entry.tripped and not dry:
            part.tripped = running.account.tripped

    def _keep(self, running: _Running, part: Part, row: FiringRow, dry: bool) -> None:
        if dry:
            outcome = WOULD_ACT if row.outcome == ACT else row.outcome
            row = replace(row, dry=True, status="", outcome=outcome, expires=0)
        for name, number in counted([row]).items():
            part.counts[name] = part.counts.get(name, 0) + number
        if row.reasons and row.reasons[0].code == "unfit":
            part.counts["errors"] = part.counts.get("errors", 0) + 1
        if not row.again:
            part.rows.append(row)
        elif known := running.account.held.get(row.value):
            part.again.append(known)

    def _facts(self, running: _Running, firing: Firing, facts: dict[int, Facts]) -> list[Facts]:
        """The firing's first records and its last, read again where they came in an earlier turn."""
        most = named_records(running.entry.playbook)
        named = (*firing.records[: most - 1], *firing.records[most - 1 :][-1:])
        found = [one for match in named if (one := facts.get(match.seq) or self._read(match.seq))]
        if not found:
            raise UserFault("The records of a firing cannot be read any more.")
        return found

    def _read(self, seq: int) -> Facts | None:
        try:
            row = self._reader.row(seq)
            return Facts(row.kind, self._reader.raw(seq), self._reader.source(seq), time=row.time, seq=seq)
        except (KeyError, Outage):
            return None

    def _set_aside(self, running: _Running, now: int) -> Part:
        """What is kept of a playbook that failed: nothing but that it did."""
        entry = running.entry
        del self._running[entry.id]
        self._problems[entry.id] = (now, running.broken)
        self._rules = Rules(one.rule for one in self._running.values())
        return Part(
            playbook_id=entry.id,
            version=entry.version,
            state=entry.state,
            problem=running.broken,
            counts={"errors": 1},
        )

    def _after(self, kept: list[FiringRow], changed: set[int]) -> None:
        if changed:
            self._decided = None
            for one in changed:
                self._running.pop(one, None)
        for row in kept:
            running = self._running.get(row.playbook_id)
            if running and row.outcome == HELD:
                running.account.held[row.value] = row.id
