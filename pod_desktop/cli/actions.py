"""act, undo, history, lists: what is done to the org lists, and what was."""

from __future__ import annotations

import asyncio
import getpass
from argparse import Namespace
from collections.abc import Awaitable, Callable
from contextlib import closing
from typing import TYPE_CHECKING, Any, TypeVar

from pod_desktop.cli.asking import find_record
from pod_desktop.cli.formats import dumps
from pod_desktop.cli.options import App, Home
from pod_desktop.cli.terminal import Out, visible, warn
from pod_desktop.core import clock
from pod_desktop.core.action import ADD, ATTRIBUTES, SUCCEEDED, Action
from pod_desktop.core.faults import Outage, UserFault
from pod_desktop.core.guards import GO, REFUSE

if TYPE_CHECKING:
    from pod_desktop.core.responder import RespondConnector
    from pod_desktop.services.prepare import Prepared
    from pod_desktop.services.respond import Responding

_T = TypeVar("_T")


def act(options: Namespace, app: App, out: Out) -> int:
    """Carry out one action, or with --dry-run tell what it would be and do."""
    with closing(app.open_home(options.data_dir)) as home:
        prepared = _prepared(options, home)
        expires = _expires(options, home, prepared)
        if options.dry_run:
            return _tell_dry_run(options, home, prepared, out)
        action = _run(
            home,
            lambda responding: responding.submit(
                prepared,
                actor=_person(),
                why=options.why or "",
                confirmed=options.confirm or "",
                expires=expires,
            ),
        )
    return _tell_outcome(options, action, out)


def undo(options: Namespace, app: App, out: Out) -> int:
    """Take an action back."""
    with closing(app.open_home(options.data_dir)) as home:
        action = _run(home, lambda responding: responding.undo(options.id, actor=_person()))
    return _tell_outcome(options, action, out)


def history(options: Namespace, app: App, out: Out) -> int:
    """Print what was done, newest first."""
    from pod_desktop.services import history as telling

    with closing(app.open_home(options.data_dir)) as home:
        if home.journal.open_actions():
            # Without asking the network: only what no process is carrying out any more is called unknown.
            _run(home, _find_lost, recover=False)
        actions = telling.find(home.journal, limit=options.limit or 1_000_000)
    if options.json or options.format == "json":
        out.bytes(telling.to_json(actions))
    elif options.format == "csv":
        out.bytes(telling.to_csv(actions))
    elif actions:
        out.table(
            (
                "TIME (UTC)",
                "BY",
                "RESPONDER",
                "ACTION",
                "ATTRIBUTE",
                "OPERATOR",
                "VALUE",
                "STATUS",
                "MESSAGE",
                "ID",
            ),
            [_history_row(action) for action in actions],
        )
    else:
        warn("There were no actions yet.")
    return 0


def lists(options: Namespace, app: App, out: Out) -> int:
    """Print a list as the service tells it, with what we know of its entries."""
    from pod_desktop.services.lists import look

    with closing(app.open_home(options.data_dir)) as home:
        connector = _responder(home, options.responder)
        found = _run(home, lambda responding: look(responding, connector, remember=False)).of(options.list)
    if found.problem:
        raise Outage(found.problem)
    if options.json:
        out.bytes(dumps({"entries": [row.to_json() for row in found.rows]}) + b"\n")
        return 0
    if not found.rows:
        warn("The list is empty.")
        return 0
    cells = [
        (
            row.entry.attribute,
            row.entry.operator,
            row.entry.value,
            row.entry.comment,
            row.actor or "elsewhere",
            clock.iso(row.expires)[:16] + "Z" if row.expires else "",
            "on both lists" if row.conflict else "twice" if row.duplicate else "",
        )
        for row in found.rows
    ]
    out.table(("ATTRIBUTE", "OPERATOR", "VALUE", "COMMENT", "BY", "EXPIRES", "NOTE"), cells)
    return 0


# what is asked for


def _responder(home: Home, name: str) -> RespondConnector:
    entries = home.ledger.responders()
    for entry in entries:
        if entry.connector.name.casefold() == name.casefold():
            if not entry.enabled:
                raise UserFault(
                    f"{entry.connector.name} is disabled.", "RESPONDER", "Enable it: connector enable NAME."
                )
            return entry.connector
    names = ", ".join(entry.connector.name for entry in entries)
    raise UserFault(
        f"There is no responder named {name!r}.",
        "RESPONDER",
        f"Responders: {names}." if names else "Add one: connector add --file FILE.",
    )


def _prepared(options: Namespace, home: Home) -> Prepared:
    """The action that the options ask for, judged.

    Raises:
        UserFault: no such responder or record, the record has no such value, or a value does not fit.
    """
    from pod_desktop import content, responders
    from pod_desktop.services.prepare import body_with, literal, prepare, scope_of
    from pod_desktop.services.surroundings import surroundings

    connector = _responder(home, options.responder)
    responder = responders.RESPONDERS[connector.type]
    scope: dict[str, Any] = {}
    record_id = tenant = ""
    comment = options.comment
    if options.record is not None:
        row = find_record(home, options.record)
        document = content.document(home.reader.raw(row.seq)).value
        attribute = _attribute(options.attribute, "$from")
        value = _from_record(content.offers(row.kind, document, row), attribute, options.record)
        scope = document if isinstance(document, dict) else {}
        record_id, tenant = row.record_id, row.tenant
        comment = f"POD Desktop {row.rid}"[:150] if comment is None else comment
    else:
        from pod_desktop.services.bulk_plan import guess_attribute

        value = literal(options.value)
        attribute = _attribute(options.attribute, guess_attribute(options.value))
    return prepare(
        connector,
        path_and_query=responder.path_and_query,
        body=body_with(
            responder,
            attribute=attribute,
            operator=options.operator,
            value=value,
            comment=literal(comment or ""),
        ),
        scope=scope_of(scope, connector),
        around=surroundings(home.ledger, home.reader, clock.SystemClock().now()),
        record_id=record_id,
        tenant=tenant,
    )


def _attribute(text: str | None, default: str) -> str:
    """An attribute with or without its $, which shells take for their own."""
    if text is None:
        return default
    found = text if text.startswith("$") else f"${text}"
    if found not in ATTRIBUTES:
        names = ", ".join(name[1:] for name in ATTRIBUTES)
        raise UserFault(f"{text!r} is no attribute of the list.", "--attribute", f"Use {names}.")
    return found


def _from_record(offers: tuple[Any, ...], attribute: str, record_id: str) -> str:
    for offer in offers:
        if offer.attribute == attribute:
            if offer.trap:
                warn(f"pod-desktop: {offer.title} {offer.value}: {offer.trap}")
            return str(offer.expression)
    has = ", ".join(dict.fromkeys(offer.attribute[1:] for offer in offers)) or "none"
    raise UserFault(
        f"The record {record_id} has no {ATTRIBUTES[attribute]}.", "--attribute", f"It has: {has}."
    )


def _expires(options: Namespace, home: Home, prepared: Prepared) -> int:
    from pod_desktop.services.expiry import parse_expiry

    if options.expires is None:
        return 0
    if prepared.responder.action != ADD:
        raise UserFault("Only what is added can be removed by itself.", "--expires")
    return parse_expiry(options.expires, clock.SystemClock().now())


def _person() -> str:
    try:
        return f"person {getpass.getuser()}"
    except (OSError, KeyError, ImportError):  # a user id without a name
        return "person"


# doing it


def _run(home: Home, work: Callable[[Responding], Awaitable[_T]], *, recover: bool = True) -> _T:
    """Do something with what carries actions out, after putting right what died before."""

    async def scene() -> _T:
        responding = home.responding()
        try:
            if recover and home.journal.open_actions():
                await responding.recover()
            return await work(responding)
        finally:
            await responding.close()

    return asyncio.run(scene())


async def _find_lost(responding: Responding) -> list[Action]:
    return responding.find_lost()


# telling


def _tell_outcome(options: Namespace, action: Action, out: Out) -> int:
    from pod_desktop.services.history import as_outcome

    if options.json:
        out.bytes(dumps(as_outcome(action)) + b"\n")
    else:
        words = f"{action.status.replace('_', ' ').capitalize()}: {_what(action)}. {action.message}"
        out.line(visible(words.strip()))
        out.line(f"Action {action.id}")
    return 0 if action.status == SUCCEEDED else 1


def _what(action: Action) -> str:
    entry = action.entry
    return f"{action.action} {entry.attribute} {entry.operator} {entry.value} ({action.list} list)"


def _tell_dry_run(options: Namespace, home: Home, prepared: Prepared, out: Out) -> int:
    from pod_desktop.services.history import request_object
    from pod_desktop.services.impact import impact
    from pod_desktop.services.prepare import needs, shown_request

    if prepared.judgement.answer == REFUSE:
        raise UserFault(needs(prepared, REFUSE), "value", "Choose another value.")
    found = impact(home.reader, prepared.entry, clock.SystemClock().now())
    request = prepared.request
    if options.json:
        answer = {
            "request": request_object(request.method, request.url, request.body),
            "impact": found.to_json(),
            "judgement": {
                "answer": prepared.judgement.answer,
                "reasons": [
                    {"code": reason.code, "text": reason.text} for reason in prepared.judgement.reasons
                ],
            },
        }
        out.bytes(dumps(answer) + b"\n")
    else:
        for line in shown_request(request).splitlines():
            out.line(visible(line))
        out.line()
        for name, hits in (("7 days", found.days_7), ("30 days", found.days_30), ("all", found.ever)):
            out.line(f"{name:>8}: {hits.matching:,} matching, {hits.delivered:,} of them delivered")
        for recipient, count in found.recipients:
            out.line(visible(f"          {count:,} to {recipient}"))
        out.line("Nothing was sent.")
    if found.problem:
        warn(f"pod-desktop: {found.problem}")
    if prepared.judgement.answer != GO:
        warn(f"pod-desktop: {needs(prepared, prepared.judgement.answer)} Confirm with --confirm VALUE.")
    return 0


def _said(action: Action) -> str:
    """Status and message; a failure's message begins with its status."""
    status = str(action.http_status or "")
    return action.message if action.message.startswith(f"{status}:") else f"{status} {action.message}".strip()


def _history_row(action: Action) -> tuple[str, ...]:
    entry = action.entry
    return (
        clock.iso(action.time)[:19].replace("T", " ") + "Z",
        action.actor,
        action.responder,
        f"{action.action} ({action.list})",
        entry.attribute,
        entry.operator,
        entry.value,
        action.status.replace("_", " "),
        _said(action)[:80],
        action.id,
    )
