"""From a met condition to rows: templates filled, guards asked, and what becomes of each action.

Live and backtest go through this one function, so that a backtest shows what would truly happen. Nothing is
sent or stored here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from pod_desktop import responders, template
from pod_desktop.core.action import Action, Entry
from pod_desktop.core.clock import DAY, iso
from pod_desktop.core.faults import UserFault
from pod_desktop.core.guards import PARTNER_MESSAGES, REFUSE, Judgement, Reason, Surroundings
from pod_desktop.core.playbook import NOTIFY, WEBHOOK_RESPONDER, Playbook, PlaybookAction
from pod_desktop.core.playbook_guards import HOLD, opposes, reasons_to_hold
from pod_desktop.core.playbook_limits import ACT, HELD, MUTED, Budget, Verdict
from pod_desktop.core.playbook_window import Firing
from pod_desktop.core.responder import RespondConnector
from pod_desktop.query import quote
from pod_desktop.services.asking import ask
from pod_desktop.services.automate_match import Facts
from pod_desktop.services.prepare import Prepared, prepare, scope_of
from pod_desktop.store import FiringRow, Reader
from pod_desktop.store.playbook_rows import NOTHING, OPEN, SENT, WAITING

RECORDS_NAMED: Final = 50
"""Records of a firing that expressions may name as {records[0]…}."""
WORDS: Final = "{playbook.name}: {count} records"
"""What a notification says where nobody has written anything else."""
HELD_DAYS: Final = 7
OPPOSITE: Final = DAY
"""An action against another one on the same value within this needs a person."""

Delivered = Callable[[str, int], int]
"""(IP address, microseconds UTC) -> messages delivered from there in the 30 days before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What a decision is made by, beside the playbook itself."""

    responders: Mapping[str, RespondConnector]
    """Enabled ones, by folded name."""
    around: Callable[[str], Surroundings]
    """What is known of a tenant."""
    actions: Mapping[str, Sequence[Action]] = field(default_factory=dict)
    """Of the journal, of the time around the decision, by bare_value()."""
    delivered: Delivered = lambda address, at: 0
    stopped: str = ""
    """Why everything is held; '' while nothing stops."""
    replay: bool = False
    """The decision is one of the past: what was done after it does not count."""


@dataclass(slots=True)
class Account:
    """What a playbook has done lately, and what of it waits for a person."""

    web: Budget
    """Actions of responders."""
    quiet: Budget
    """Notifications, marks and comments."""
    held: dict[tuple[str, ...], int] = field(default_factory=dict)
    """Value -> id of the row that holds it (0 until it is stored)."""
    tripped: str = ""

    def of(self, action: PlaybookAction) -> Budget:
        return self.web if action.type == WEBHOOK_RESPONDER else self.quiet


def new_account(playbook: Playbook, since: int) -> Account:
    """`since`: microseconds UTC when it began to act."""
    return Account(
        Budget(playbook.limits, run=playbook.run, since=since),
        Budget(playbook.limits, run=playbook.run, since=since),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A firing with all that its actions may name."""

    playbook: Playbook
    playbook_id: int
    version: int
    firing: Firing
    facts: Sequence[Facts]
    """Of the firing's records, in their order; perhaps only the first and the last ones."""
    at: int
    """Microseconds UTC of the decision."""

    @property
    def last(self) -> Facts:
        return self.facts[-1]

    def scope(self, connector: RespondConnector | None) -> dict[str, Any]:
        """What expressions may name: the newest record, {key}, {count}, {records[0]…}, {playbook.…}."""
        found = scope_of(self.last.document, connector) if connector else dict(self.last.document)
        found["playbook"] = {"name": self.playbook.name, "version": self.version}
        found["count"] = len(self.firing.records)
        found["records"] = [one.document for one in self.facts[:RECORDS_NAMED]]
        if self.firing.key:
            found["key"] = self.firing.key
        else:
            found.pop("key", None)
        return found


def delivered_from(reader: Reader) -> Delivered:
    """Counts in this store."""

    def count(address: str, at: int) -> int:
        query = f"outcome:delivered and ip:{quote(address)}"
        return reader.count(ask(query, now=at, since=at - 30 * DAY, until=at + 1, kinds=("message",)))

    return count


def named_records(playbook: Playbook) -> int:
    """How many records of a firing its actions look at: one, unless they name others or need proof of all."""
    templates = [
        text for action in playbook.actions for text in (action.body, action.path_and_query, action.text)
    ]
    return RECORDS_NAMED if any("records" in text or "$hfrom" in text for text in templates) else 1


def decide(case: Case, desk: Desk, account: Account) -> list[FiringRow]:
    """One row for each action of the playbook; the account is told what acts or is held."""
    return [
        _decide_one(case, slot, action, desk, account) for slot, action in enumerate(case.playbook.actions)
    ]


def _decide_one(case: Case, slot: int, action: PlaybookAction, desk: Desk, account: Account) -> FiringRow:
    blank = FiringRow(
        playbook_id=case.playbook_id,
        playbook=case.playbook.name,
        version=case.version,
        slot=slot,
        type=action.type,
        at=case.at,
        time=case.firing.time,
        key=case.firing.key,
        records=tuple(one.record_id for one in case.firing.records),
        record_id=case.firing.records[-1].record_id,
        tenant=case.last.source.tenant,
        outcome=HELD,
    )
    if limited := account.of(action).exhausted(case.at):
        # Whatever it is about: in a flood nothing more is worked out.
        return _with(blank, limited)
    try:
        row, judged = _filled(case, action, desk, blank)
    except UserFault as fault:
        return _held(
            replace(blank, responder=action.responder), (Reason("unfit", REFUSE, str(fault)),), account
        )
    return _judged(case, action, row, judged, desk, account)


def _filled(
    case: Case, action: PlaybookAction, desk: Desk, row: FiringRow
) -> tuple[FiringRow, Judgement | None]:
    """The row with its request and the judgement on that, or with its text.

    Raises:
        UserFault: it cannot be filled.
    """
    if action.type != WEBHOOK_RESPONDER:
        text = template.fill_text(action.text or WORDS, case.scope(None), hints=False)
        return replace(row, text=text, public=_public(action, case), status=SENT), None
    prepared = fill(case, action, desk)
    row = replace(
        row,
        responder=prepared.connector.name,
        responder_type=prepared.connector.type,
        list=prepared.responder.list,
        action=prepared.responder.action,
        entry=prepared.entry,
        path=prepared.request.url.removeprefix(prepared.connector.origin),
        body=prepared.request.body.decode(),
        digest=prepared.request.digest,
        status=WAITING,
    )
    return row, prepared.judgement


def _public(action: PlaybookAction, case: Case) -> str:
    """The words where they name nothing but the playbook and the count; else how many records there are."""
    if action.type != NOTIFY:
        return ""
    playbook = {"name": case.playbook.name, "version": case.version}
    said = {"playbook": playbook, "count": len(case.firing.records)}
    try:
        return template.fill_text(action.text or WORDS, said, hints=False)
    except UserFault:
        return template.fill_text(WORDS, said)


def fill(case: Case, action: PlaybookAction, desk: Desk) -> Prepared:
    """The exact request of an action.

    Raises:
        UserFault: the responder is missing or may not act on the tenant, or a template cannot be filled.
    """
    connector = desk.responders.get(action.responder.casefold())
    if connector is None:
        raise UserFault(
            f"The responder {action.responder} is missing or disabled.", "responder", "Add it again."
        )
    responder = responders.RESPONDERS[connector.type]
    return prepare(
        connector,
        path_and_query=action.path_and_query or responder.path_and_query,
        body=action.body or responder.body(),
        scope=case.scope(connector),
        around=desk.around(case.last.source.tenant),
        record_id=case.firing.records[-1].record_id,
        tenant="" if case.playbook.tenant == connector.tenant else case.last.source.tenant,
        hints=False,
    )


def _judged(
    case: Case, action: PlaybookAction, row: FiringRow, judged: Judgement | None, desk: Desk, account: Account
) -> FiringRow:
    budget, value = account.of(action), row.value
    if reasons := _reasons(case, row, judged, desk):
        muted = budget.muted(case.at, value, action.mute)
        if muted and value not in account.held:  # a person decided on it
            return _with(row, muted)
        return _held(row, reasons, account)
    if muted := budget.muted(case.at, value, action.mute) or _done(row, desk, action, case.at):
        return _with(row, muted)
    if row.entry is not None and (why := desk.stopped or account.tripped or _trips(budget, case.at, account)):
        return _held(row, (Reason("stopped", HOLD, why),), account)
    if limited := budget.limited(case.at, value):
        return _with(row, limited)
    if reason := _shared_address(row.entry, desk, case.at):
        return _held(row, (reason,), account)
    budget.act(case.at, value)
    return replace(row, outcome=ACT)


def _with(row: FiringRow, verdict: Verdict) -> FiringRow:
    return replace(row, outcome=verdict.outcome, reason=verdict.reason, status=NOTHING)


def _held(row: FiringRow, reasons: tuple[Reason, ...], account: Account) -> FiringRow:
    words = " ".join(reason.text for reason in reasons)
    again = row.value in account.held
    account.held.setdefault(row.value, 0)
    return replace(
        row,
        outcome=HELD,
        reason=words,
        reasons=reasons,
        status=NOTHING if again else OPEN,
        expires=0 if again else row.at + HELD_DAYS * DAY,
        again=int(again),
    )


def _reasons(case: Case, row: FiringRow, judged: Judgement | None, desk: Desk) -> tuple[Reason, ...]:
    """Why it needs a person, by what it is."""
    if row.entry is None:
        return ()
    found = reasons_to_hold(
        row.action,
        row.list,
        row.entry,
        desk.around(row.tenant),
        author_proved=lambda: all(one.author_proved for one in case.facts),
        judged=judged,
    )
    for other in desk.actions.get(bare_value(row.entry.value), ()):
        ago = case.at - other.time
        near = 0 <= ago < OPPOSITE or (not desk.replay and abs(ago) < OPPOSITE)
        if near and opposes(row.action, row.list, other.action, other.list):
            words = f"The opposite was asked by {other.actor} at {iso(other.time)}."
            return (*found, Reason("opposite", HOLD, words))
    return found


def bare_value(value: str) -> str:
    """What two entries have in common that are about the same sender, whatever their attribute."""
    return value.casefold().lstrip("@")


def actions_by_value(actions: Iterable[Action]) -> dict[str, list[Action]]:
    """Actions of the journal as Desk takes them."""
    found: dict[str, list[Action]] = {}
    for action in actions:
        found.setdefault(bare_value(action.entry.value), []).append(action)
    return found


def _done(row: FiringRow, desk: Desk, action: PlaybookAction, at: int) -> Verdict | None:
    """The same was done lately by somebody else, and stands."""
    if row.entry is None:
        return None
    for other in desk.actions.get(bare_value(row.entry.value), ()):
        same = (other.action, other.list, other.entry.identity) == (row.action, row.list, row.entry.identity)
        if (
            same
            and other.status in ("succeeded", "in_progress", "unknown")
            and 0 <= at - other.time < action.mute
        ):
            return Verdict(MUTED, f"Done by {other.actor} at {iso(other.time)}.")
    return None


def _trips(budget: Budget, at: int, account: Account) -> str:
    account.tripped = budget.breaks(at)
    return account.tripped


def _shared_address(entry: Entry | None, desk: Desk, at: int) -> Reason | None:
    """An address that much honest mail comes from; asked last, because the store has to count."""
    if entry is None or entry.attribute != "$ip":
        return None
    messages = desk.delivered(entry.value, at)
    if messages < PARTNER_MESSAGES:
        return None
    words = f"{messages:,} messages from {entry.value} were delivered in the last 30 days."
    return Reason("partner_address", HOLD, words)
