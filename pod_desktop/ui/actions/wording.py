"""Actions in words: status, who, what would happen. Pure; the same words in the form, the history and the lists."""

from __future__ import annotations

from typing import Final, NamedTuple

from pod_desktop.core import blocks, guards
from pod_desktop.core.action import (
    ADD,
    BLOCK,
    DELETE,
    FAILED,
    HELD,
    IN_PROGRESS,
    SAFE,
    SUCCEEDED,
    UNDONE,
    UNKNOWN,
    WAITING,
    Action,
)
from pod_desktop.core.http_words import http_words
from pod_desktop.core.record import MAILLOG
from pod_desktop.core.text import disguise, domain_of, unicode_domain
from pod_desktop.services.impact import Impact, Standing
from pod_desktop.services.prepare import Prepared
from pod_desktop.ui.text import cell

LIST_WORD: Final = {BLOCK: "block list", SAFE: "safe list"}
OTHER_LIST: Final = {BLOCK: SAFE, SAFE: BLOCK}
STATUS_WORD: Final = {
    WAITING: "Waiting",
    IN_PROGRESS: "In progress",
    SUCCEEDED: "Succeeded",
    FAILED: "Failed",
    UNKNOWN: "Unknown",
    HELD: "Held",
    UNDONE: "Undone",
}
STATUS_TONE: Final = {
    WAITING: blocks.MUTED,
    IN_PROGRESS: blocks.INFO,
    SUCCEEDED: blocks.GOOD,
    FAILED: blocks.BAD,
    UNKNOWN: blocks.INFO,
    HELD: blocks.WARN,
    UNDONE: blocks.MUTED,
}
RECIPIENTS_NAMED: Final = 3


class Finding(NamedTuple):
    """A sentence in a coloured box."""

    words: str
    tone: str


def action_title(action: Action) -> str:
    """`Add to Org Block List`."""
    verb = "Add to" if action.action == ADD else "Delete From"
    return f"{verb} Org {'Block' if action.list == BLOCK else 'Safe'} List"


def actor_words(actor: str) -> str:
    """`m.keller`, `playbook: Wire fraud burst`, `Remove after`."""
    kind, _, name = actor.partition(" ")
    if kind == "person" and name:
        return name
    if kind == "playbook" and name:
        return f"playbook: {name}"
    return "Remove after" if actor == "expiry" else actor


def status_words(action: Action) -> str:
    return STATUS_WORD.get(action.status, action.status)


def http_status_words(status: int) -> str:
    """`403 Forbidden`, '' where there was no answer."""
    if not status:
        return ""
    return f"{status} {'OK' if status == 200 else http_words(status).name}".strip()


def took_words(action: Action) -> str:
    """`318 ms`, `4.2 s`, '' while it has not ended."""
    took = action.took
    if took is None:
        return ""
    return f"{took / 1000:.0f} ms" if took < 1_000_000 else f"{took / 1_000_000:.1f} s"


def needs_person(action: Action) -> bool:
    """Failed or unknown: nobody will do anything about it by itself."""
    return action.status in (FAILED, UNKNOWN)


def what_next(action: Action) -> str:
    """The one thing to do with an action at the end of its row; '' where there is none."""
    if action.status == SUCCEEDED:
        return "" if action.unchanged else "Undo"
    return {FAILED: "Retry", UNKNOWN: "Check", HELD: "Review"}.get(action.status, "")


def outcome_finding(action: Action) -> Finding:
    """How an action ended, or that it has not."""
    about = f"{cell(action.entry.value, 120)} · {action_title(action)}"
    words = f"{about}: {action.message}" if action.message else about
    return Finding(words, STATUS_TONE.get(action.status, blocks.MUTED))


def value_finding(value: str) -> Finding | None:
    """What a value really is, where it does not look so: punycode, scripts, styled letters."""
    domain = domain_of(value) or value
    found = disguise(domain[:300])
    if found is None:
        return None
    scripts = f" ({', '.join(found.scripts)})" if found.scripts else ""
    return Finding(
        f"{cell(unicode_domain(domain[:300]))} {found.reason}{scripts}. It travels as {cell(found.punycode, 200)}; "
        "exactly the value shown is sent.",
        blocks.WARN,
    )


def guard_findings(prepared: Prepared) -> list[Finding]:
    """Why the guards ask, or refuse."""
    tones = {guards.REFUSE: blocks.BAD, guards.CONFIRM: blocks.WARN}
    found = []
    for answer in (guards.REFUSE, guards.CONFIRM):
        reasons = [reason.text for reason in prepared.judgement.reasons if reason.answer == answer]
        if reasons:
            lead = "Refused. " if answer == guards.REFUSE else ""
            found.append(Finding(lead + " ".join(reasons), tones[answer]))
    return found


def standing_finding(prepared: Prepared, standing: Standing) -> Finding:
    """Whether the list holds it already, and the other list."""
    which, action = prepared.responder.list, prepared.responder.action
    name, other = LIST_WORD[which], LIST_WORD[OTHER_LIST[which]]
    there = standing.there is not None
    good = there if action == DELETE else not there
    if standing.problem and not there:
        words = [f"Whether it is on the {name} cannot be told. {standing.problem}"]
        good = False
    elif action == DELETE:
        words = [f"On the {name}." if there else f"Not on the {name}: there is nothing to remove."]
    else:
        words = [f"Already on the {name}: nothing would change." if there else f"Not on the {name}."]
    if standing.there is not None and standing.there.comment:
        words.append(f"Its comment: {cell(standing.there.comment, 160)}.")
    if standing.other is not None:
        words.append(f"It is on the {other} too; which of them wins is not documented.")
        good = False
    elif standing.problem and there:
        words.append(f"The {other} could not be read. {standing.problem}")
        good = False
    return Finding(" ".join(words), blocks.GOOD if good else blocks.WARN)


def impact_finding(prepared: Prepared, impact: Impact) -> Finding:
    """How many stored messages it would have hit, and whose mail that was."""
    if impact.problem:
        return Finding(impact.problem, blocks.MUTED)
    one, many = ("message", "messages") if impact.kind != MAILLOG else ("mail-log line", "mail-log lines")
    if not impact.days_30.matching:
        earlier = f" {impact.ever.matching:,} earlier ones do." if impact.ever.matching else ""
        return Finding(f"No stored {one} of the last 30 days matches.{earlier}", blocks.MUTED)
    verb = {
        (ADD, BLOCK): "Would have stopped",
        (ADD, SAFE): "Would have let through",
        (DELETE, BLOCK): "No longer stops mail like the",
        (DELETE, SAFE): "No longer lets through mail like the",
    }[prepared.responder.action, prepared.responder.list]
    count = impact.days_30.matching
    words = (
        f"{verb} {count:,} stored {one if count == 1 else many} of the last 30 days "
        f"({impact.days_7.matching:,} of the last 7), {impact.days_30.delivered:,} of them delivered"
    )
    if impact.days_30.delivered and impact.recipients:
        named = ", ".join(
            f"{cell(name, 80)} ({number:,})" for name, number in impact.recipients[:RECIPIENTS_NAMED]
        )
        words += f", to {named}" + (" and others" if len(impact.recipients) > RECIPIENTS_NAMED else "")
    stops_wanted = (prepared.responder.action, prepared.responder.list) == (ADD, BLOCK)
    return Finding(words + ".", blocks.WARN if stops_wanted and impact.days_30.delivered else blocks.GOOD)


_GRAVE: Final = (blocks.MUTED, blocks.INFO, blocks.GOOD, blocks.WARN, blocks.BAD)


def joined(*findings: Finding) -> Finding:
    """Several findings in one box, in the gravest of their tones."""
    tone = max((finding.tone for finding in findings), key=_GRAVE.index)
    return Finding(" ".join(finding.words for finding in findings), tone)
