"""Playbooks in words: states, conditions, actions, outcomes. Pure; the same words wherever they are shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from pod_desktop.core import blocks
from pod_desktop.core.action import ADD, BLOCK
from pod_desktop.core.clock import DAY, HOUR, MINUTE, SECOND
from pod_desktop.core.faults import Fault
from pod_desktop.core.playbook import (
    COMMENT,
    DRY_RUN,
    MARK,
    NOTIFY,
    OFF,
    ON,
    WEBHOOK_RESPONDER,
    Playbook,
    PlaybookAction,
)
from pod_desktop.core.playbook_limits import ACT, HELD, LIMITED, MUTED, WOULD_ACT, outcome_of
from pod_desktop.core.record import AUDIT, MAILLOG, MESSAGE
from pod_desktop.core.responder import ALL_TENANTS
from pod_desktop.core.text import plural
from pod_desktop.store import FiringRow, PlaybookEntry
from pod_desktop.ui.text import cell

if TYPE_CHECKING:
    from pod_desktop.services.backtest import Fired, Report

STATE_WORD: Final = {ON: "On", DRY_RUN: "Dry run", OFF: "Off"}
STATE_TONE: Final = {ON: blocks.GOOD, DRY_RUN: blocks.WARN, OFF: blocks.MUTED}
TYPE_WORD: Final = {
    WEBHOOK_RESPONDER: "Webhook Responder",
    NOTIFY: "Notify on the Desktop",
    MARK: "Mark Records",
    COMMENT: "Comment on Records",
}
KIND_WORD: Final = {MESSAGE: "Message", MAILLOG: "Mail Log", AUDIT: "Audit"}
KEY_WORD: Final = {
    "sender": "envelope sender",
    "sender.domain": "sender domain",
    "header_from": "header from",
    "header_from.domain": "header-from domain",
    "ip": "source IP",
    "subject": "subject",
    "recipient": "recipient",
    "rule": "rule",
    "connection.helo": "HELO name",
}
"""Fields that records are grouped by most; any other may be typed."""
OUTCOME_TONE: Final = {
    ACT: blocks.BAD,
    WOULD_ACT: blocks.INFO,
    HELD: blocks.WARN,
    MUTED: blocks.MUTED,
    LIMITED: "special",
}
"""What acts stands out, because it changes who can send mail."""
_UNITS: Final = ((DAY, "day"), (HOUR, "hour"), (MINUTE, "minute"), (SECOND, "second"))


def state_words(entry: PlaybookEntry, stopped: str = "") -> tuple[str, str]:
    """(chip, tone): what it does at this moment, not only what it was told to."""
    if entry.state == ON and (entry.tripped or stopped):
        return "Stopped", blocks.BAD
    return STATE_WORD[entry.state], STATE_TONE[entry.state]


def span_words(micros: int) -> str:
    """`10 minutes`, `1 day`."""
    for size, unit in _UNITS:
        if micros % size == 0:
            return plural(micros // size, unit)
    return plural(micros // SECOND, "second")


def key_words(group_by: str | None) -> str:
    """How people call what records are grouped by."""
    return "" if group_by is None else KEY_WORD.get(group_by, group_by)


def condition_words(playbook: Playbook) -> str:
    """When it fires, as a sentence's middle: `at least 3 records per envelope sender within 10 minutes`."""
    per = f" per {cell(key_words(playbook.group_by), 60)}" if playbook.group_by else ""
    if playbook.at_least == 1:
        return f"each record{per}"
    return f"at least {plural(playbook.at_least, 'record')}{per} within {span_words(playbook.within)}"


def run_words(playbook: Playbook) -> str:
    return "live" if playbook.every is None else f"every {span_words(playbook.every)}"


def action_words(action: PlaybookAction) -> str:
    """`acme-block`, `notify`, `mark: suspicious`."""
    if action.type == WEBHOOK_RESPONDER:
        return cell(action.responder, 80)
    words = {NOTIFY: "notify", MARK: "mark", COMMENT: "comment"}[action.type]
    return f"{words}: {cell(action.text, 60)}" if action.text else words


def summary(playbook: Playbook) -> str:
    """What it looks for and does, in two sentences."""
    tenant = "all tenants" if playbook.tenant == ALL_TENANTS else cell(playbook.tenant, 60)
    kinds = ", ".join(KIND_WORD.get(kind, kind) for kind in playbook.index)
    does = "; ".join(action_words(action) for action in playbook.actions)
    return f"Looks at {kinds} of {tenant}, {run_words(playbook)}; fires on {condition_words(playbook)}. Then: {does}."


def row_tone(row: FiringRow) -> str:
    """The tone of an action's chip."""
    if row.outcome == ACT and row.type != WEBHOOK_RESPONDER:
        return blocks.INFO
    return OUTCOME_TONE.get(row.outcome, blocks.MUTED)


def fired_tone(fired: Fired) -> str:
    """The tone of a firing's chip."""
    if outcome(fired) == ACT and fired.rows and not any(row.entry for row in fired.rows):
        return blocks.INFO
    return OUTCOME_TONE.get(outcome(fired), blocks.MUTED)


def outcome_words(row: FiringRow) -> str:
    """What became of one action: `block`, `would block`, `held`."""
    if row.outcome in (ACT, WOULD_ACT):
        verb = _verb(row)
        return verb if row.outcome == ACT else f"would {verb}"
    return row.outcome


def _verb(row: FiringRow) -> str:
    if row.type != WEBHOOK_RESPONDER:
        return {NOTIFY: "notify", MARK: "mark", COMMENT: "comment"}.get(row.type, row.type)
    if row.action == ADD:
        return "block" if row.list == BLOCK else "safelist"
    return "unblock" if row.list == BLOCK else "unsafelist"


def outcome(fired: Fired) -> str:
    """What became of a firing: of what changes the lists, where it would; else of anything."""
    rows = [row for row in fired.rows if row.type == WEBHOOK_RESPONDER] or fired.rows
    return outcome_of([row.outcome for row in rows]) if rows else fired.outcome


def fired_words(fired: Fired) -> str:
    """The same as a chip: what it does, or why not."""
    found = outcome(fired)
    if found != ACT:
        return found
    rows = sorted(fired.rows, key=lambda row: row.type != WEBHOOK_RESPONDER)
    return next((_verb(row) for row in rows if row.outcome == ACT), "act")


def row_value(row: FiringRow) -> str:
    """What an action is about."""
    return row.entry.value if row.entry is not None else row.text or row.key


def fired_value(fired: Fired) -> str:
    """What a firing is about: the value that would be sent, else its key."""
    entry = next((row.entry for row in fired.rows if row.entry is not None), None)
    return entry.value if entry is not None else fired.key or next((row.text for row in fired.rows), "")


def action_title(row: FiringRow) -> str:
    """`Add to Org Block List`, or what else it is."""
    if row.type != WEBHOOK_RESPONDER:
        return TYPE_WORD.get(row.type, row.type)
    if not row.list:
        return TYPE_WORD[WEBHOOK_RESPONDER]
    verb = "Add to" if row.action == ADD else "Delete From"
    return f"{verb} Org {'Block' if row.list == BLOCK else 'Safe'} List"


def keys_words(report: Report, playbook: Playbook) -> str:
    """`on 9 envelope senders`; '' where records are not grouped."""
    if playbook.group_by is None or not report.fired:
        return ""
    return f" on {plural(len(report.keys), key_words(playbook.group_by) if playbook.group_by in KEY_WORD else 'value')}"


def matching_words(report: Report) -> str:
    """`12 of 3,456 records`; without what was looked through as long as that is not known."""
    if report.looked_through:
        return f"{report.records:,} of {plural(report.looked_through, 'record')}"
    return plural(report.records, "record")


def report_words(report: Report, playbook: Playbook) -> str:
    """What a backtest found, in a sentence."""
    if not report.fired:
        return "would not have fired"
    times = plural(report.fired, "time")
    return f"would have fired {times}{keys_words(report, playbook)}"


def outcomes_words(counts: Mapping[str, int]) -> str:
    """`9 would act, 1 held, 2 muted`."""
    words = {ACT: "would act", HELD: "held", MUTED: "muted", LIMITED: "over the limits"}
    return ", ".join(f"{counts[name]:,} {word}" for name, word in words.items() if counts.get(name))


def held_words(firings: Sequence[Fired], held: int) -> str:
    """Of a backtest: what would be held, with the first reason; '' where nothing would."""
    if not held:
        return ""
    words = f"{held:,} of {len(firings):,} would be held"
    found = (row for one in firings for row in one.rows if row.outcome == HELD)
    if (row := next(found, None)) is None:
        return f"{words}."
    return f"{words}: {cell(row_value(row), 120)}. {cell(row.reason, 300)}"


def reasons_words(rows: Iterable[FiringRow]) -> str:
    """Why actions are held, muted or limited; each reason once."""
    return " ".join(dict.fromkeys(row.reason for row in rows if row.reason))


def fault_words(error: BaseException) -> tuple[str, str]:
    """(what, hint) of something that failed."""
    if isinstance(error, Fault):
        return (f"{error.where}: {error.what}" if error.where else error.what), error.hint
    return "That did not work.", str(error)
