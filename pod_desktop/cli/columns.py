"""column add, list, remove: fields of the raw record that are searched by index."""

from __future__ import annotations

import shutil
from argparse import Namespace
from contextlib import closing
from typing import TYPE_CHECKING

from pod_desktop.cli.formats import dumps
from pod_desktop.cli.options import App, Home
from pod_desktop.cli.terminal import Out, clear_line, progress, visible
from pod_desktop.core.clock import SystemClock

if TYPE_CHECKING:
    from pod_desktop.services.columns import ColumnState


def column(options: Namespace, app: App, out: Out) -> int:
    """One of the column commands."""
    with closing(app.open_home(options.data_dir)) as home:
        match options.action:
            case "add" if options.dry_run:
                return _tell_cost(home, options, out)
            case "add":
                return _add(home, options, out)
            case "remove":
                return _remove(home, options, out)
            case _:
                return _list(home, options, out)


def _tell_cost(home: Home, options: Namespace, out: Out) -> int:
    from pod_desktop.services import columns

    path = columns.checked(options.path)
    cost = columns.cost(home.data_dir.events, path)
    told = {
        "path": path, "words": cost.words(), "records": cost.records, "share": round(cost.share, 4),
        "seconds": round(cost.seconds, 1), "bytes": cost.bytes_disk,
    }  # fmt: skip
    out.bytes(dumps(told) + b"\n") if options.json else out.line(visible(f"{path}: {cost.words()}"))
    return 0


def _add(home: Home, options: Namespace, out: Out) -> int:
    from pod_desktop.services import columns, promoting

    path = columns.add(home.ledger, options.path, SystemClock()).path
    state = promoting.wait_for(
        home.data_dir, home.ledger, SystemClock(), path, lambda: _free(home), _tell_progress
    )
    clear_line()
    _say(state, options.json, out)
    return 1 if state.state == columns.FAILED else 0


def _remove(home: Home, options: Namespace, out: Out) -> int:
    from pod_desktop.services import columns, promoting

    columns.remove(home.ledger, options.path)
    here = promoting.work_now(home.data_dir, home.ledger, SystemClock(), lambda: _free(home))
    words = "its files are deleted" if here else "the collector service deletes its files"
    if options.json:
        out.bytes(dumps({"removed": options.path}) + b"\n")
    else:
        out.line(visible(f"{options.path} is no search column any more; {words}."))
    return 0


def _list(home: Home, options: Namespace, out: Out) -> int:
    from pod_desktop.services.columns import ColumnStates, megabytes

    found = ColumnStates(home.data_dir, home.ledger).all()
    if options.json:
        out.bytes(dumps([one.to_json() for one in found]) + b"\n")
    elif not found:
        out.line("There are no search columns.")
    else:
        out.table(
            ("PATH", "SIZE", "STATE"),
            [(visible(one.path), megabytes(one.bytes_disk), visible(one.words)) for one in found],
        )
    return 0


def _say(state: ColumnState, json: bool, out: Out) -> None:
    out.bytes(dumps(state.to_json()) + b"\n") if json else out.line(visible(f"{state.path}: {state.words}"))


def _tell_progress(state: ColumnState) -> None:
    progress(f"{visible(state.path)[-40:]}  {state.words}")


def _free(home: Home) -> int:
    return shutil.disk_usage(home.data_dir.events).free
