"""What a playbook would have done over a stretch of the past: firings, requests, what is held, muted, limited.

The same window, guards and account as live (services.automate_fire), fed in order of time, as if each record
had been judged at its own moment. Nothing is sent or stored. Blocks: for a thread, with a reader of its own.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import compress, islice, repeat
from operator import attrgetter
from typing import Final, NamedTuple

from pod_desktop.core.clock import SECOND
from pod_desktop.core.faults import Outage
from pod_desktop.core.playbook import Playbook
from pod_desktop.core.playbook_limits import ACT, HELD, LIMITED, MUTED, outcome_of
from pod_desktop.core.playbook_window import Firing, Met, Replay
from pod_desktop.core.record import EventRow
from pod_desktop.core.text import domain_of
from pod_desktop.query.tree import And, Equals, Node, Or, Term
from pod_desktop.services.asking import ask
from pod_desktop.services.automate_fire import Case, Desk, decide, named_records, new_account
from pod_desktop.services.automate_match import Facts, Rule, compile_rule, tenants_of
from pod_desktop.store import Ask, FiringRow, Reader, Source

OUTCOMES: Final = (ACT, HELD, MUTED, LIMITED)
DETAILED: Final = 5_000
"""Firings whose filled requests are kept; of those after them the outcome is."""
FIRINGS: Final = 200_000
"""Firings that are listed; all are counted."""
_TOLD_EVERY: Final = 256
_ASKED_EVERY: Final = 64
"""Firings after which it is asked whether anybody still waits."""
_AT_ONCE: Final = 2_048
"""Records of one part."""
_FETCHED: Final = 64
"""Whole records that are read at once where something fires."""


class Fired(NamedTuple):
    """One firing as it would have been."""

    time: int
    """Microseconds UTC of the record that met the condition."""
    key: str
    """'' where records are not grouped."""
    records: tuple[str, ...]
    """Record ids, in order of time."""
    outcome: str
    """act, held, muted or limited: of its actions the weightiest."""
    rows: tuple[FiringRow, ...]
    """One for each action, with what it would have sent and why it would not; empty beyond DETAILED, and
    where the limits let nothing more through."""


@dataclass(slots=True, kw_only=True)
class Report:
    """What a backtest has found so far."""

    playbook: Playbook
    since: int
    until: int
    records: int = 0
    """Matching records."""
    looked_through: int = 0
    """Records of its content types and tenant in the whole range, matching or not; 0 until it has ended."""
    fired: int = 0
    firings: list[Fired] = field(default_factory=list)
    """The first of them, in order of time."""
    outcomes: Counter[str] = field(default_factory=Counter)
    keys: Counter[str] = field(default_factory=Counter)
    """Firings by folded key."""
    share: float = 0.0
    """0-1 of the range."""
    cancelled: bool = False
    problems: list[str] = field(default_factory=list)
    """Parts of the store that could not be read, in words."""

    def histogram(self, every: int) -> list[tuple[int, str, int]]:
        """(start of bucket in microseconds UTC, outcome, firings), ascending; `every` in microseconds."""
        found = Counter((one.time // every * every, one.outcome) for one in self.firings)
        return [(start, outcome, number) for (start, outcome), number in sorted(found.items())]


def backtest(
    reader: Reader,
    playbook: Playbook,
    *,
    since: int,
    until: int,
    now: int,
    desk: Desk,
    on_progress: Callable[[Report], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Report:
    """Try a playbook on what is stored.

    Args:
        since, until: microseconds UTC; `until` is not included.
        now: what a query's `now` is.
        desk: what decisions are made by; its `stopped` does not count.
        on_progress: told now and then; the report goes on growing after it.
        cancelled: asked now and then; the report then says that it was cut short.

    Raises:
        UserFault: the query or the field cannot be understood.
    """
    tell, is_cancelled = on_progress or (lambda report: None), cancelled or (lambda: False)
    rule = compile_rule(playbook, now)
    run = _Run(reader, rule, replace(desk, stopped="", replay=True), since)
    report = Report(playbook=playbook, since=since, until=until)
    span = max(until - since, SECOND)
    rows = reader.search(run.question(since=since, until=until, now=now), order="oldest")
    size = _TOLD_EVERY
    while part := list(islice(rows, size)):
        for met in run.take(part):
            fired = run.fire(met, part[met.place], detailed=report.fired < DETAILED)
            report.fired += 1
            report.outcomes[fired.outcome] += 1
            report.keys[fired.key.casefold()] += 1
            if report.fired <= FIRINGS:
                report.firings.append(fired)
            if report.fired % _ASKED_EVERY == 0 and is_cancelled():
                report.records += met.place + 1
                report.cancelled = True
                return report
        report.records += len(part)
        report.share = (part[-1].time - since) / span
        tell(report)
        if is_cancelled():
            report.cancelled = True
            return report
        size = min(size * 2, _AT_ONCE)
    report.looked_through = max(report.records, _all_records(reader, rule, since, until, now))
    report.share = 1.0
    report.problems = reader.problems()
    tell(report)
    return report


def question(rule: Rule, *, since: int | None, until: int | None, now: int) -> Ask:
    """What the store is asked for a playbook's records."""
    playbook = rule.playbook
    found = ask(playbook.query, now=now, since=since, until=until, kinds=playbook.index)
    if not (tenants := tenants_of(playbook)):
        return found
    parts: tuple[Node, ...] = tuple(Term("tenant", Equals(tenant)) for tenant in tenants)
    return replace(found, tree=And((Or(parts), found.tree)))


def _all_records(reader: Reader, rule: Rule, since: int, until: int, now: int) -> int:
    """What the range holds; counted from what the store has summed up, where no tenant narrows it."""
    everything = replace(rule, playbook=replace(rule.playbook, query=""))
    try:
        return reader.count(question(everything, since=since, until=until, now=now))
    except Outage:
        return 0  # told among the report's problems


class _Run:
    """The state of one backtest."""

    def __init__(self, reader: Reader, rule: Rule, desk: Desk, since: int) -> None:
        self._reader = reader
        self._rule = rule
        self._desk = desk
        playbook = rule.playbook
        self._playbook = playbook
        self._replay = Replay(playbook.at_least, playbook.within)
        self._account = new_account(playbook, since)
        self._named = named_records(playbook)
        self._every = playbook.every
        budgets = {id(budget): budget for budget in map(self._account.of, playbook.actions)}
        self._budgets = tuple(budgets.values())
        """Those that its actions count on."""
        self._ahead: deque[int] = deque()
        """Of this part the records by which something fires, that of the firing at hand first."""
        self._raws: dict[int, bytes] = {}
        self._fetched = 1

    def question(self, *, since: int, until: int, now: int) -> Ask:
        """What the store is asked; rows need no more of their recipients than keys do."""
        asked = question(self._rule, since=since, until=until, now=now)
        return replace(asked, brief=self._rule.group_by != "recipient")

    def take(self, part: Sequence[EventRow]) -> list[Met[EventRow]]:
        """The next matching records in order of time, and what fires by them.

        What is read of many records is read at once; whole records only where something fires, or where the
        keys are in no column.
        """
        found = self._replay.feed(self._keyed(part))
        self._ahead = deque(part[met.place].seq for met in found)
        self._raws, self._fetched = {}, 1
        return found

    def _keyed(self, part: Sequence[EventRow]) -> Iterable[tuple[int, str, EventRow]]:
        """(place, key, record) for each key of each record."""
        name = self._rule.group_by
        if name is None:
            return zip(range(len(part)), repeat(""), part, strict=False)
        if (one_of := _KEY.get(name)) is not None:
            return _with_key(part, [one_of(row) for row in part])
        if name == "recipient":
            carried = [_recipients(row) for row in part]
            within = self._keys_within([row for row, keys in zip(part, carried, strict=True) if keys is None])
            return _with_keys(part, [next(within) if keys is None else keys for keys in carried])
        if (stored := self._reader.values_of([row.seq for row in part], name)) is not None:
            return _with_key(part, [stored.get(row.seq, "") for row in part])
        return _with_keys(part, self._keys_within(part))

    def _keys_within(self, rows: Sequence[EventRow]) -> Iterator[Sequence[str]]:
        """Of whole records, of which few are held at a time: one may be large."""
        for at in range(0, len(rows), _FETCHED):
            some = rows[at : at + _FETCHED]
            raws = self._reader.raws([row.seq for row in some])
            for row in some:
                raw = raws.get(row.seq)
                yield () if raw is None else tuple(self._rule.keys(_facts_of(row, raw)))

    def fire(self, met: Met[EventRow], row: EventRow, *, detailed: bool) -> Fired:
        """What becomes of a firing; `row` is that of the record which met the condition."""
        at = row.time if self._every is None else _judged_at(row.time, self._every)
        rows: list[FiringRow] = []
        outcome = LIMITED
        # As decide() would say, without reading the records: in a flood most firings end here.
        if not all(budget.is_exhausted(at) for budget in self._budgets):
            firing = met.firing()
            case = Case(
                playbook=self._playbook,
                playbook_id=0,
                version=0,
                firing=firing,
                facts=self._all_facts(firing, row),
                at=at,
            )
            rows = decide(case, self._desk, self._account)
            outcome = outcome_of([one.outcome for one in rows])
        return Fired(
            time=row.time,
            key=met.key,
            records=tuple([one.record_id for _, _, one in met.entries]),
            outcome=outcome,
            rows=tuple(rows) if detailed else (),
        )

    def _all_facts(self, firing: Firing, row: EventRow) -> list[Facts]:
        found: list[Facts] = []
        if seqs := [one.seq for one in firing.records[: self._named - 1] if one.seq != row.seq]:
            raws = self._reader.raws(seqs)
            found = [_facts_of(one, raws[one.seq]) for one in self._reader.rows(seqs) if one.seq in raws]
        return [*found, self._last_facts(row)]

    def _last_facts(self, row: EventRow) -> Facts:
        if row.seq not in self._raws:
            while self._ahead and self._ahead[0] != row.seq:
                self._ahead.popleft()
            self._raws = dict(self._reader.raws([*islice(self._ahead, self._fetched)] or [row.seq]))
            # More each time: in a flood only the first of a part are decided on.
            self._fetched = min(self._fetched * 4, _FETCHED)
        return _facts_of(row, self._raws.get(row.seq, b"{}"))


def _facts_of(row: EventRow, raw: bytes) -> Facts:
    return Facts(row.kind, raw, _source(row), time=row.time, seq=row.seq)


def _source(row: EventRow) -> Source:
    return Source(connector=row.connector, tenant=row.tenant, cluster_id="")


def _judged_at(time: int, every: int) -> int:
    """When a record of that time would have been judged by a playbook that runs so often."""
    return -(-time // every) * every


def _with_key(part: Sequence[EventRow], keys: Sequence[str]) -> Iterable[tuple[int, str, EventRow]]:
    """Records with the one key of each; those without one have none."""
    places = compress(range(len(part)), keys)
    return zip(places, filter(None, keys), compress(part, keys), strict=True)


def _with_keys(
    part: Sequence[EventRow], keys: Iterable[Sequence[str]]
) -> Iterator[tuple[int, str, EventRow]]:
    for place, (row, several) in enumerate(zip(part, keys, strict=True)):
        for key in several:
            yield place, key, row


def _recipients(row: EventRow) -> Sequence[str] | None:
    """None where a row does not carry all of them, or one twice."""
    if row.recipient_count != len(row.recipients) or len(set(map(str.casefold, row.recipients))) != len(
        row.recipients
    ):
        return None
    return tuple(filter(None, row.recipients))


_KEY: Final[dict[str, Callable[[EventRow], str]]] = {
    "sender": attrgetter("sender"),
    "sender.domain": lambda row: domain_of(row.sender),
    "subject": attrgetter("subject"),
    "ip": attrgetter("ip"),
    "outcome": attrgetter("outcome"),
    "disposition": attrgetter("disposition"),
    "rule": attrgetter("rule"),
    "stat": attrgetter("stat"),
    "type": attrgetter("kind"),
    "tenant": attrgetter("tenant"),
    "connector": attrgetter("connector"),
}
"""Fields that a row carries, so that the record itself need not be read for its key."""
