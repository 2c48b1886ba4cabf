"""Playbooks for people: files checked and taken in, templates to begin with, backtests against what is set up."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from pod_desktop import responders
from pod_desktop.core.clock import DAY
from pod_desktop.core.faults import UserFault
from pod_desktop.core.guards import Surroundings
from pod_desktop.core.playbook import (
    OFF,
    ON,
    WEBHOOK_RESPONDER,
    Playbook,
    PlaybookAction,
    check_playbook_name,
    playbook_from_file,
)
from pod_desktop.core.playbook_guards import keeps_away
from pod_desktop.core.playbook_limits import ACT, HELD
from pod_desktop.core.resources import resource
from pod_desktop.core.responder import TYPES, RespondConnector
from pod_desktop.query import QueryFault
from pod_desktop.services.automate_fire import Desk, actions_by_value, delivered_from
from pod_desktop.services.automate_match import compile_rule
from pod_desktop.services.backtest import Report, backtest
from pod_desktop.services.connector_file import read_json_file
from pod_desktop.store import Journal, Part, PlaybookEntry, Playbooks, Reader, Turn, counted
from pod_desktop.store.playbook_rows import APPROVED, SENT
from pod_desktop.template import check_body, parse

TEMPLATES: Final = "playbooks"
BACKTEST: Final = 7 * DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A playbook to begin with."""

    file: str
    explanation: str
    playbook: Playbook

    def for_tenant(self, tenant: str, responder: str = "") -> Playbook:
        """The playbook for this tenant, acting through this responder where one is named."""
        actions = tuple(
            replace(action, responder=responder or action.responder) if action.responder else action
            for action in self.playbook.actions
        )
        return replace(self.playbook, tenant=tenant, actions=actions)


def templates() -> list[Template]:
    """The templates that come with the program, by name."""
    found = []
    for path in sorted(resource(TEMPLATES).glob("*.json")):
        data = read_json_file(path)
        found.append(
            Template(
                file=path.name,
                explanation=str(data["explanation"]),
                playbook=playbook_from_file(data["playbook"]),
            )
        )
    return found


def read_playbook_file(
    path: Path, taken: Sequence[str] = (), connectors: Sequence[RespondConnector] = ()
) -> Playbook:
    """The playbook that a file defines, checked as check() does.

    Raises:
        UserFault: it cannot be read, is no strict JSON object, or does not fit.
    """
    playbook = playbook_from_file(read_json_file(path), taken)
    check(playbook, 0, connectors)
    return playbook


def lets_through(connector: RespondConnector) -> bool:
    """Whether what it does lets mail through that would be kept away: never a playbook's business."""
    responder = responders.RESPONDERS[connector.type]
    return not keeps_away(responder.action, responder.list)


def check(playbook: Playbook, now: int, connectors: Sequence[RespondConnector] = ()) -> None:
    """See that query, field and templates can be read, and that its responders are some for playbooks.

    Args:
        connectors: responders as they are set up; of one that is none of them nothing is known yet.

    Raises:
        UserFault: they cannot; `where` names the key.
    """
    try:
        compile_rule(playbook, now)
    except QueryFault as fault:
        fault.where = f"query, {fault.where}".rstrip(", ")
        raise
    for number, action in enumerate(playbook.actions):
        try:
            _check_action(action, connectors)
        except UserFault as fault:
            fault.where = f"actions[{number}]: {fault.where}".rstrip(": ")
            raise


def _check_action(action: PlaybookAction, connectors: Sequence[RespondConnector]) -> None:
    found = next((one for one in connectors if one.name.casefold() == action.responder.casefold()), None)
    if action.type == WEBHOOK_RESPONDER and found is not None and lets_through(found):
        raise UserFault(
            f"{found.name} lets mail through ({found.title}); a playbook never does that.",
            "responder",
            "Let it notify, and act on what it finds yourself.",
        )
    parse(action.path_and_query)
    parse(action.text)
    if action.body:
        check_body(action.body)


def warnings(playbook: Playbook, connectors: Sequence[RespondConnector]) -> list[str]:
    """What would keep a playbook from acting as it is set up now."""
    found = []
    known = {one.name.casefold(): one for one in connectors}
    for action in playbook.actions:
        if action.type != WEBHOOK_RESPONDER:
            continue
        connector = known.get(action.responder.casefold())
        if connector is None:
            found.append(
                f"There is no enabled responder named {action.responder}: what it should do is held."
            )
        elif not (playbook.tenant == connector.tenant or connector.may_act_on(playbook.tenant)):
            found.append(
                f"{connector.name} acts on the tenant {connector.tenant}; this playbook is of {playbook.tenant}."
            )
    return found


def try_out(
    playbook: Playbook,
    *,
    reader: Reader,
    connectors: Sequence[RespondConnector],
    surroundings: Surroundings,
    now: int,
    since: int | None = None,
    until: int | None = None,
    journal: Journal | None = None,
    on_progress: Callable[[Report], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Report:
    """A backtest with what is set up; over the last seven days unless told otherwise. Blocks.

    A responder that does not exist yet is shown as if it added to the Org Block List; the report says so.

    Raises:
        UserFault: see services.backtest.backtest().
    """
    begin = now - BACKTEST if since is None else since
    end = now + 1 if until is None else until
    known = {one.name.casefold(): one for one in connectors}
    missing = [
        action.responder
        for action in playbook.actions
        if action.type == WEBHOOK_RESPONDER and action.responder.casefold() not in known
    ]
    stand_ins = {name.casefold(): _stand_in(name, playbook.tenant) for name in missing}
    report = backtest(
        reader,
        playbook,
        since=begin,
        until=end,
        now=now,
        desk=Desk(
            responders={**known, **stand_ins},
            around=lambda tenant: surroundings,
            actions=actions_by_value(journal.actions(since=begin - 30 * DAY)) if journal else {},
            delivered=delivered_from(reader),
        ),
        on_progress=on_progress,
        cancelled=cancelled,
    )
    report.problems += [
        f"There is no enabled responder named {name}; shown as if it added to the Org Block List."
        for name in dict.fromkeys(missing)
    ]
    return report


def _stand_in(name: str, tenant: str) -> RespondConnector:
    return RespondConnector(name=name, tenant=tenant, type=TYPES[0], cluster_id="cluster_id")


def clone(playbooks: Playbooks, name: str, new_name: str, *, author: str, now: int) -> PlaybookEntry:
    """A copy under another name, switched off. Raises UserFault when the name does not fit or is taken."""
    old = playbooks.entry(name).playbook
    taken = [entry.playbook.name for entry in playbooks.entries()]
    return playbooks.add(
        replace(old, name=check_playbook_name(new_name, taken)), author=author, now=now, state=OFF
    )


def count_of_run(report: Report) -> int:
    """How many actions run_on_history() would do."""
    return sum(row.outcome == ACT for fired in report.firings for row in fired.rows)


def run_on_history(playbooks: Playbooks, name: str, report: Report, *, by: str, now: int) -> int:
    """Do what a backtest has shown that it would have done; how many actions that is.

    They are that person's decision, and sent by the service at the playbook's pace.

    Raises:
        UserFault: the playbook is not armed, or was changed since the backtest (report.playbook differs).
    """
    entry = playbooks.entry(name)
    if entry.state != ON:
        raise UserFault(f"{entry.playbook.name} is not armed.", "state", "Arm it first.")
    if report.playbook != entry.playbook:
        raise UserFault(f"{entry.playbook.name} was changed since the backtest.", "name", "Run it again.")
    waiting = {row.value for row in playbooks.to_send() if row.playbook_id == entry.id}
    rows = [
        replace(
            row,
            playbook_id=entry.id,
            playbook=entry.playbook.name,
            version=entry.version,
            at=now,
            outcome=HELD if row.entry else ACT,
            status=APPROVED if row.entry else SENT,
            reason="Run on history." if row.entry else "",
            by=by,
            confirmed="",
        )
        for fired in report.firings
        for row in fired.rows
        # Asked for twice before the service could do it: once is meant.
        if row.outcome == ACT and not (row.entry and row.value in waiting)
    ]
    part = Part(
        playbook_id=entry.id, version=entry.version, state=entry.state, rows=rows, counts=counted(rows)
    )
    kept, changed = playbooks.commit(Turn(now=now, parts=[part]))
    if changed:
        raise UserFault(f"{entry.playbook.name} was changed meanwhile.", "name", "Run the backtest again.")
    return len(kept)


def report_to_json(report: Report) -> dict[str, Any]:
    """The documented shape, and beside it what each action would have done."""
    from pod_desktop.core.clock import iso

    return {
        "records": report.records,
        "looked_through": report.looked_through,
        "firings": [
            {
                "time": iso(one.time),
                "key": one.key or None,
                "records": list(one.records),
                "outcome": one.outcome,
                "actions": [_row_to_json(row) for row in one.rows],
            }
            for one in report.firings
        ],
    }


def _row_to_json(row: Any) -> Mapping[str, object]:
    found: dict[str, object] = {"type": row.type, "outcome": row.outcome}
    if row.reason:
        found["reason"] = row.reason
    if row.responder:
        found["responder"] = row.responder
    if row.body:
        found["body"] = row.body
    if row.text:
        found["text"] = row.text
    return found
