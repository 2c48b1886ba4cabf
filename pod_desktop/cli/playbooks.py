"""playbook add, import-sigma, list, show, backtest, run, enable, arm, dry-run, disable, remove, held, approve, dismiss, stop, go."""

from __future__ import annotations

import getpass
from argparse import Namespace
from collections.abc import Callable, Sequence
from contextlib import closing
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from pod_desktop.cli.formats import dumps
from pod_desktop.cli.options import App, Home
from pod_desktop.cli.terminal import Out, clear_line, progress, visible, warn
from pod_desktop.core import clock
from pod_desktop.core.connector import check_tenant
from pod_desktop.core.faults import UserFault
from pod_desktop.core.playbook import DRY_RUN, OFF, ON, difference, playbook_to_file
from pod_desktop.core.text import plural

if TYPE_CHECKING:
    from pod_desktop.core.playbook import Playbook
    from pod_desktop.core.responder import RespondConnector
    from pod_desktop.services.backtest import Report
    from pod_desktop.store import FiringRow, PlaybookEntry, Playbooks

_STATES: Final = {"enable": ON, "arm": ON, "dry-run": DRY_RUN, "disable": OFF}
_SAID: Final = {
    ON: "acts from now on, while the service runs",
    DRY_RUN: "only says what it would do",
    OFF: "is off",
}
_ROWS: Final = 20
_FIRINGS_SHOWN: Final = 50


def playbook(options: Namespace, app: App, out: Out) -> int:
    """One of the playbook commands."""
    from pod_desktop.store import Playbooks

    with (
        closing(app.open_home(options.data_dir)) as home,
        closing(Playbooks(home.data_dir.playbooks)) as found,
    ):
        return _COMMANDS[options.action](options, home, found, out)


def _add(options: Namespace, home: Home, playbooks: Playbooks, out: Out) -> int:
    from pod_desktop.services.playbooks import read_playbook_file

    taken = [entry.playbook.name for entry in playbooks.entries()]
    made = read_playbook_file(options.file, taken, _responders(home))
    entry = playbooks.add(made, author=_login(), now=_now())
    _warn(made, home)
    words = f"Added {made.name}; it is in dry run. Try it (playbook backtest), then arm it (playbook arm)."
    _print(entry, options.json, out, words)
    return 0


def _import_sigma(options: Namespace, home: Home, playbooks: Playbooks, out: Out) -> int:
    from pod_desktop.core.responder import ALL_TENANTS
    from pod_desktop.services.playbooks import check
    from pod_desktop.services.sigma_file import read_sigma_file, sigma_playbook

    rule = read_sigma_file(options.file)
    tenant = options.tenant or next(iter(home.ledger.tenants()), ALL_TENANTS)
    made = sigma_playbook(rule, check_tenant(tenant), [one.playbook.name for one in playbooks.entries()])
    check(made, _now(), _responders(home))
    entry = playbooks.add(made, author=_login(), now=_now(), state=OFF)
    for words in rule.unmapped:
        warn(f"Not in the query: {words}.")
    if options.json:
        found = {"playbook": _as_object(entry), "unmapped": list(rule.unmapped)}
        out.bytes(dumps(found) + b"\n")
    else:
        out.line(visible(f"Added {made.name}; it is off, and only notifies. Its query: {made.query}"))
    return 0


def _list(options: Namespace, home: Home, playbooks: Playbooks, out: Out) -> int:
    entries = playbooks.entries()
    if stopped := _stopped(home, playbooks):
        warn(stopped)
    if options.json:
        out.bytes(dumps([_as_object(entry) for entry in entries]) + b"\n")
    elif entries:
        titles = ("NAME", "STATE", "VERSION", "LAST RUN (UTC)", "MATCHES", "ACTED", "HELD", "MUTED", "LIMITED", "ERRORS", "NOTE")  # fmt: skip
        out.table(titles, [_row(entry) for entry in entries])
    else:
        warn("There are no playbooks yet; playbook add --file FILE makes one.")
    return 0


def _row(entry: PlaybookEntry) -> tuple[str, ...]:
    counts = entry.counters
    last = clock.iso(entry.last_run)[:19].replace("T", " ") if entry.last_run else "never"
    acted = counts["acted"] if entry.state == ON else f"{counts['acted']} (+{counts['would_act']} dry)"
    numbers = [acted, *(counts[name] for name in ("held", "muted", "limited", "errors"))]
    note = entry.tripped or entry.problem
    return (
        entry.playbook.name, entry.state.replace("_", " "), str(entry.version), last, str(counts["matches"]),
        *map(str, numbers), note,
    )  # fmt: skip


def _show(options: Namespace, home: Home, playbooks: Playbooks, out: Out) -> int:
    entry = playbooks.entry(options.name)
    versions = playbooks.history(options.name)
    rows = playbooks.rows(name=options.name, limit=_ROWS)
    changes = [difference(old.playbook, new.playbook) for new, old in pairwise(versions)] + [[]]
    if options.json:
        history = [
            {
                "version": one.version, "time": clock.iso(one.at), "author": one.author, "note": one.note,
                "changes": [dict(zip(("key", "before", "after"), change, strict=True)) for change in changed],
            }
            for one, changed in zip(versions, changes, strict=True)
        ]  # fmt: skip
        found = _as_object(entry) | {"history": history, "firings": [_row_as_object(row) for row in rows]}
        out.bytes(dumps(found) + b"\n")
        return 0
    _print(entry, False, out, "")
    out.line("history")
    for one, changed in zip(versions, changes, strict=True):
        out.line(
            f"    {clock.iso(one.at)[:19]}Z  v{one.version} {visible(one.note)} by {visible(one.author)}"
        )
        for key, before, after in changed:
            out.line(visible(f"        {key}: {before} -> {after}"))
    if rows:
        out.line("last firings")
        _rows_table(rows, out)
    return 0


def _backtest(options: Namespace, home: Home, playbooks: Playbooks, out: Out) -> int:
    found = playbooks.entry(options.name).playbook
    report = _tried(found, home, options.since, options.until)
    for problem in report.problems:
        warn(problem)
    if options.json:
        from pod_desktop.services.playbooks import report_to_json

        out.bytes(dumps(report_to_json(report)) + b"\n")
        return 0
    _print_report(report, out)
    return 0


def _run(options: Namespace, home: Home, playbooks: Playbooks, out: Out) -> int:
    """What a backtest shows as done is shown, and done once a person has said so."""
    from pod_desktop.services.playbooks import count_of_run, run_on_history

    entry = playbooks.entry(options.name)
    if entry.state != ON and not options.dry_run:
        raise UserFault(f"{entry.playbook.name} is not armed.", "name", "Arm it first, or add --dry-run.")
    report = _tried(entry.playbook, home, options.since, options.until)
    for problem in report.problems:
        warn(problem)
    many = count_of_run(report)
    if not options.json:
        _print_report(report, out)
    if not options.dry_run and many and not options.yes:
        raise UserFault(
            f"This does {many:,} action{'' if many == 1 else 's'} at once; nothing is done yet.",
            "--yes",
            "Add --yes when this is what is meant, or --dry-run to look only.",
        )
    done = 0
    if not options.dry_run:
        done = run_on_history(playbooks, options.name, report, by=_login(), now=_now())
    if options.json:
        from pod_desktop.services.playbooks import report_to_json

        out.bytes(dumps({**report_to_json(report), "actions": many, "done": done}) + b"\n")
    elif options.dry_run:
        out.line(f"{many:,} actions would be done; nothing is done.")
    else:
        out.line(f"{done:,} actions are done by the service, at the playbook's pace, as soon as it runs.")
    if done and (stopped := _stopped(home, playbooks)):
        warn(stopped)
    return 0


def _tried(found: Playbook, home: Home, since: str | None = None, until: str | None = None) -> Report:
    from pod_desktop.services.playbooks import try_out
    from pod_desktop.services.surroundings import surroundings

    now = _now()
    begin, end = _when(since, "--since", now), _when(until, "--until", now)
    if begin is not None and begin >= (now + 1 if end is None else end):
        raise UserFault("That time is not before the end.", "--since")
    try:
        return try_out(
            found,
            reader=home.reader,
            connectors=_connectors(home),
            surroundings=surroundings(home.ledger, home.reader, now),
            journal=home.journal,
            now=now,
            since=begin,
            until=end,
            on_progress=lambda report: progress(f"{report.share:.0%}: {plural(report.records, 'record')}"),
        )
    finally:
        clear_line()


def _print_report(report: Report, out: Out) -> None:
    out.line(_summary(report))
    if not report.firings:
        return
    rows = []
    for fired in report.firings[:_FIRINGS_SHOWN]:
        first = fired.rows[0] if fired.rows else None
        value = first.entry.value if first and first.entry else ""
        reason = next((row.reason for row in fired.rows if row.reason), "")
        rows.append(
            (
                clock.iso(fired.time)[:19] + "Z",
                fired.key,
                str(len(fired.records)),
                fired.outcome,
                value,
                reason,
            )
        )
    out.table(("TIME (UTC)", "KEY", "RECORDS", "OUTCOME", "VALUE", "WHY"), rows)
    if report.fired > _FIRINGS_SHOWN:
        warn(f"{report.fired - _FIRINGS_SHOWN:,} more; --json lists all.")


def _summary(report: Report) -> str:
    counts = ", ".join(f"{number:,} {outcome}" for outcome, number in report.outcomes.most_common())
    of = f" of {report.looked_through:,}" if report.looked_through else ""
    return f"{report.records:,}{of} records match; it would have fired {report.fired:,} times" + (
        f": {counts}." if counts else "."
    )


def _switch(options: Namespace, home: Home, playbooks: Playbooks, out: Out) -> int:
    from pod_desktop.services.playbooks import check

    state = _STATES[options.action]
    entry = playbooks.entry(options.name)
    if state == ON:
        check(entry.playbook, _now(), _responders(home))
        _warn(entry.playbook, home)
        warn(f"The last 7 days: {_summary(_tried(entry.playbook, home))}")
    entry = playbooks.set_state(options.name, state, by=_login(), now=_now())
    _print(entry, options.json, out, f"{entry.playbook.name} {_SAID[state]}.")
    if state == ON and (stopped := _stopped(home, playbooks)):
        warn(stopped)
    return 0


def _remove(options: Namespace, home: Home, playbooks: Playbooks, out: Out) -> int:
    entry = playbooks.remove(options.name)
    _print(entry, options.json, out, f"Removed {entry.playbook.name}; what it did stays in the history.")
    return 0


def _held(options: Namespace, home: Home, playbooks: Playbooks, out: Out) -> int:
    rows = playbooks.held()
    if options.json:
        out.bytes(dumps([_row_as_object(row) for row in rows]) + b"\n")
    elif rows:
        _rows_table(rows, out)
    else:
        warn("Nothing waits for a decision.")
    return 0


def _approve(options: Namespace, home: Home, playbooks: Playbooks, out: Out) -> int:
    try:
        row = playbooks.approve(options.id, by=_login(), confirmed=options.confirm)
    except UserFault as fault:
        if "Type the value" in fault.hint:
            fault.hint = "Add --confirm with the value to say that it is meant."
        raise
    return _decided(row, options.json, out, "is sent by the service, as soon as it runs.")


def _dismiss(options: Namespace, home: Home, playbooks: Playbooks, out: Out) -> int:
    return _decided(playbooks.dismiss(options.id, by=_login()), options.json, out, "is not done.")


def _decided(row: FiringRow, json: bool, out: Out, words: str) -> int:
    if json:
        out.bytes(dumps(_row_as_object(row)) + b"\n")
    else:
        out.line(visible(f"{row.playbook}: {row.entry.value if row.entry else row.key} {words}"))
    return 0


def _stop(options: Namespace, home: Home, playbooks: Playbooks, out: Out) -> int:
    playbooks.stop(by=_login(), now=_now())
    return _told(options, home, playbooks, out, "All playbooks are stopped; what fires is held.")


def _go(options: Namespace, home: Home, playbooks: Playbooks, out: Out) -> int:
    playbooks.go()
    return _told(options, home, playbooks, out, "Playbooks act again.")


def _told(options: Namespace, home: Home, playbooks: Playbooks, out: Out, words: str) -> int:
    stopped = _stopped(home, playbooks)
    if options.json:
        out.bytes(dumps({"stopped": bool(stopped), "why": stopped}) + b"\n")
    else:
        out.line(visible(stopped or words))
    return 0


_Command = Callable[[Namespace, Home, "Playbooks", Out], int]
_COMMANDS: Final[dict[str, _Command]] = {
    "add": _add,
    "import-sigma": _import_sigma,
    "list": _list,
    "show": _show,
    "backtest": _backtest,
    "run": _run,
    **dict.fromkeys(_STATES, _switch),
    "remove": _remove,
    "held": _held,
    "approve": _approve,
    "dismiss": _dismiss,
    "stop": _stop,
    "go": _go,
}


def _stopped(home: Home, playbooks: Playbooks) -> str:
    from pod_desktop.services.automate_send import stopped_by

    return stopped_by(playbooks, home.data_dir.automation_stop)


def _connectors(home: Home) -> list[RespondConnector]:
    return [entry.connector for entry in home.ledger.responders() if entry.enabled]


def _responders(home: Home) -> list[RespondConnector]:
    """All of them, also those that are disabled."""
    return [entry.connector for entry in home.ledger.responders()]


def _warn(found: Playbook, home: Home) -> None:
    from pod_desktop.services.playbooks import warnings

    for words in warnings(found, _connectors(home)):
        warn(words)


def _as_object(entry: PlaybookEntry) -> dict[str, Any]:
    """The playbook's file, and what is known beside it."""
    return {
        **playbook_to_file(entry.playbook),
        "state": entry.state,
        "version": entry.version,
        "author": entry.author,
        "created": clock.iso(entry.created),
        "changed": clock.iso(entry.changed),
        "last_run": clock.iso(entry.last_run) if entry.last_run else None,
        "stopped": entry.tripped,
        "problem": entry.problem,
        **entry.counters,
    }


def _row_as_object(row: FiringRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "time": clock.iso(row.at),
        "playbook": row.playbook,
        "version": row.version,
        "key": row.key or None,
        "records": list(row.records),
        "type": row.type,
        "outcome": row.outcome,
        "status": row.status,
        "reason": row.reason,
        "responder": row.responder,
        "attribute": row.entry.attribute if row.entry else None,
        "operator": row.entry.operator if row.entry else None,
        "value": row.entry.value if row.entry else None,
        "text": row.text,
        "again": row.again,
        "expires": clock.iso(row.expires) if row.expires else None,
        "action_id": row.action_id,
    }


def _rows_table(rows: Sequence[FiringRow], out: Out) -> None:
    out.table(
        ("ID", "TIME (UTC)", "PLAYBOOK", "OUTCOME", "VALUE", "WHY"),
        [
            (
                str(row.id),
                clock.iso(row.at)[:19] + "Z",
                f"{row.playbook} v{row.version}",
                row.outcome,
                row.entry.value if row.entry else row.text or row.key,
                row.reason,
            )
            for row in rows
        ],
    )


def _print(entry: PlaybookEntry, json: bool, out: Out, words: str) -> None:
    """The playbook as JSON, else a sentence, else all its values."""
    if json:
        out.bytes(dumps(_as_object(entry)) + b"\n")
    elif words:
        out.line(visible(words))
    else:
        for name, value in _as_object(entry).items():
            shown = value if isinstance(value, str) else dumps(value).decode()
            out.line(f"{name:<15}{visible(shown)}".rstrip())


def _when(text: str | None, option: str, now: int) -> int | None:
    if text is None:
        return None
    try:
        return clock.parse_when(text, now)
    except (ValueError, OverflowError) as error:
        raise UserFault(f"{error}.", option) from None


def _now() -> int:
    return clock.SystemClock().now()


def _login() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "unknown"
