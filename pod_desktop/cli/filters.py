"""filter add, list, preview, attach, detach, remove."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from contextlib import closing
from typing import Any

from pod_desktop.cli.formats import dumps
from pod_desktop.cli.options import App, Home
from pod_desktop.cli.terminal import Out, visible
from pod_desktop.core.clock import SystemClock, iso, parse_when
from pod_desktop.core.faults import UserFault
from pod_desktop.core.logfilter import LogFilter
from pod_desktop.services.filters import LogFilters


def log_filter(options: Namespace, app: App, out: Out) -> int:
    """One of the filter commands."""
    with closing(app.open_home(options.data_dir)) as home:
        filters = LogFilters(home.ledger)
        match options.action:
            case "add":
                _add(filters, options, out)
            case "list":
                _list(filters, options, out)
            case "preview":
                _preview(home, filters, options, out)
            case "remove":
                filters.remove(options.name)
                _said(f"{options.name} is forgotten.", {"removed": options.name}, options.json, out)
            case _:
                _attach(filters, options, out)
    return 0


def _typed(options: Namespace) -> dict[str, Any]:
    if options.file is not None:
        from pod_desktop.services.connectors import read_json_file

        return read_json_file(options.file)
    if not options.name or not options.where:
        raise UserFault("Give the filter as a file, or its name and its conditions.", "--where")
    return {"name": options.name, "conditions": options.where}


def _add(filters: LogFilters, options: Namespace, out: Out) -> None:
    data = _typed(options)
    made = filters.change(data) if options.replace else filters.add(data)
    users = next(one for one in filters.all() if one.filter.name == made.name).connectors
    words = f"at work on {', '.join(users)}" if users else "it does nothing until it is attached"
    _said(f"{made.name} is kept; {words}.", made.to_file() | {"connectors": list(users)}, options.json, out)


def _list(filters: LogFilters, options: Namespace, out: Out) -> None:
    found = filters.all()
    if options.json:
        told = [one.filter.to_file() | {"connectors": list(one.connectors)} for one in found]
        out.bytes(dumps(told) + b"\n")
        return
    out.table(
        ("NAME", "DROPS WHAT FULFILS ALL OF", "CONNECTORS"),
        [
            (one.filter.name, " AND ".join(one.filter.conditions), ", ".join(one.connectors) or "none")
            for one in found
        ],
    )


def _preview(home: Home, filters: LogFilters, options: Namespace, out: Out) -> None:
    # A filter that is not kept yet may be tried as well.
    chosen = filters.checked(_typed(options), replacing=options.name or "") if _is_new(options) else None
    tried: LogFilter = chosen or filters.get(options.name)
    now = SystemClock().now()
    told = filters.preview(
        tried,
        home.reader,
        since=_when(options.since, now),
        until=_when(options.until, now),
        connectors=tuple(options.connector or ()),
    )
    examples = [
        {"id": row.record_id, "time": iso(row.time), "sender": row.sender, "subject": row.subject}
        for row in told.examples
    ]
    share = told.dropped / told.looked_at if told.looked_at else 0.0
    _said(
        f"{tried.name} would have dropped {told.dropped:,} of {told.looked_at:,} stored records ({share:.1%}).",
        {"name": tried.name, "looked_at": told.looked_at, "dropped": told.dropped, "examples": examples},
        options.json,
        out,
    )
    if not options.json and examples:
        _examples(examples, out)


def _is_new(options: Namespace) -> bool:
    return options.file is not None or bool(options.where)


def _examples(examples: Sequence[dict[str, str]], out: Out) -> None:
    out.table(
        ("TIME", "SENDER", "SUBJECT", "ID"),
        [(one["time"][:19], one["sender"], one["subject"][:60], one["id"]) for one in examples],
    )


def _when(text: str | None, now: int) -> int | None:
    if text is None:
        return None
    try:
        return parse_when(text, now)
    except ValueError as error:
        raise UserFault(f"{error}.", "--since or --until") from None


def _attach(filters: LogFilters, options: Namespace, out: Out) -> None:
    change = filters.attach if options.action == "attach" else filters.detach
    made = change(options.name, options.connector)
    named = ", ".join(made.log_filters) or "none"
    _said(
        f"Log filters of {made.name}: {named}.",
        {"connector": made.name, "log_filters": list(made.log_filters)},
        options.json,
        out,
    )


def _said(words: str, told: dict[str, Any], json: bool, out: Out) -> None:
    if json:
        out.bytes(dumps(told) + b"\n")
    else:
        out.line(visible(words))
