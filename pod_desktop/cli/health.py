"""status and verify: what every connector does and has, and whether what is stored is sound."""

from __future__ import annotations

from argparse import Namespace
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from contextlib import closing
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from pod_desktop.cli.formats import dumps
from pod_desktop.cli.options import App, Home
from pod_desktop.cli.terminal import Out, clear_line, progress, visible
from pod_desktop.core import clock
from pod_desktop.core import status as states
from pod_desktop.core.faults import Outage
from pod_desktop.core.status import Counters, StreamStatus
from pod_desktop.core.text import plural

if TYPE_CHECKING:
    from pod_desktop.store import ConnectorEntry
    from pod_desktop.store.port import Totals

_WORST_FIRST = (
    states.STOPPED_FAULT, states.WAITING, states.CONNECTING, states.STARTING, states.CATCHING_UP, states.LIVE,
)  # fmt: skip


def service_runs(home: Home) -> bool:
    """Does a collector service hold this data directory, in whatever process?"""
    from pod_desktop.store import lock_holder

    return lock_holder(home.data_dir.service_lock) is not None


def state_of(entry: ConnectorEntry, running: bool, streams: Iterable[StreamStatus]) -> str:
    """The connector's state in one word, the worst of its streams'; `running`: is there a service?"""
    if not entry.enabled:
        return states.DISABLED
    mine = [stream for stream in streams if stream.connector == entry.connector.name]
    if entry.connector.function == "respond":
        # It acts without the service too, which only looks after it.
        return mine[0].state if mine else states.STARTING if running else states.NOT_TESTED
    return worst(mine) if running else states.STOPPED


def state_words(entry: ConnectorEntry, state: str) -> str:
    """The state as a table shows it: a responder that is well waits for actions, and receives nothing."""
    if entry.connector.function == "respond" and state == states.LIVE:
        return "ready"
    return state.replace("_", " ")


def worst(streams: Iterable[StreamStatus]) -> str:
    """One state for several streams: that which asks most for attention."""
    found = {stream.state for stream in streams}
    return next((state for state in _WORST_FIRST if state in found), states.STARTING)


def status(options: Namespace, app: App, out: Out) -> int:
    """Print the state and the figures of every connector, and of the store."""
    with closing(app.open_home(options.data_dir)) as home:
        answer = _status(home)
    if options.json:
        out.bytes(dumps(answer) + b"\n")
    else:
        _print_status(answer, out)
    return 0


def _status(home: Home) -> dict[str, Any]:
    totals = home.reader.totals()
    running = service_runs(home)
    service = home.ledger.service() if running else None
    streams = home.ledger.statuses()
    return {
        "service": {
            "running": running,
            "pid": service.pid if service else None,
            "notifications": _notifications(home, service.pid) if service else None,
        },
        "connectors": [
            _connector(home, entry, state_of(entry, running, streams), streams, totals, running)
            for entry in home.ledger.connectors()
        ],
        "store": {
            "records": totals.records,
            "bytes_raw": totals.bytes_raw,
            "bytes_disk": totals.bytes_disk,
            "oldest": _iso(totals.oldest),
            "newest": _iso(totals.newest),
            "path": str(home.data_dir.root),
            "problems": home.reader.problems(),
        },
    }


def _notifications(home: Home, pid: int) -> dict[str, Any] | None:
    """Whether the service can tell anything on the desktop; None while it has not said so."""
    from pod_desktop.services.notifying import SAID

    said = home.ledger.setting(SAID) or {}
    if said.get("pid") != pid:
        return None
    problem = str(said.get("problem", ""))
    return {"ok": not problem, "problem": problem}


def _connector(
    home: Home,
    entry: ConnectorEntry,
    state: str,
    all_streams: Sequence[StreamStatus],
    totals: Totals,
    running: bool,
) -> dict[str, Any]:
    name = entry.connector.name
    streams = [stream for stream in all_streams if stream.connector == name]
    counters = sum((_counters(home, name, kind) for kind in entry.connector.content_types), Counters())
    # Segments hold the records of all connectors: a connector's part of the disk is that of its bytes.
    share = counters.bytes_raw / totals.bytes_raw if totals.bytes_raw else 0.0
    lags = [stream.lag_s for stream in streams if stream.lag_s is not None]
    said = next((stream for stream in streams if stream.state == state), None)
    return {
        "name": name,
        "tenant": entry.connector.tenant,
        "enabled": entry.enabled,
        "state": state,
        "what": said.what if said else "",
        "hint": said.hint if said else "",
        "code": said.code if said else "",
        "next_try": _iso(said.next_try) if said else None,
        "lag_s": max(lags, default=None),
        **asdict(counters),
        "bytes_disk": round(totals.bytes_disk * min(1.0, share)),
        "gaps": [_gap(stream.kind, gap) for stream in streams for gap in stream.gaps],
        "last_activity": _iso(max((stream.last_activity for stream in streams), default=0)),
        "notice": " ".join(dict.fromkeys(stream.notice for stream in streams if stream.notice and running)),
        "filters": _filters(streams),
        "hours": _hours(home, entry),
        "streams": [_stream(stream, state) for stream in streams],
    }


def _filters(streams: Iterable[StreamStatus]) -> dict[str, int]:
    """How many records each log filter has dropped."""
    dropped: Counter[str] = Counter()
    for stream in streams:
        dropped.update(dict(stream.filters))
    return dict(dropped)


def _hours(home: Home, entry: ConnectorEntry) -> list[dict[str, Any]]:
    """What the connector has of each hour of the last 30 days, as runs of one state."""
    from pod_desktop.services import hours

    now = clock.SystemClock().now()
    found = []
    for kind in entry.connector.content_types:
        progress = home.reader.progress(f"{entry.connector.name}/{kind}").values
        found += hours.runs_of(hours.hours_of(progress, now), kind)
    return found


def hours_to_fetch(home: Home, names: Collection[str]) -> int:
    """Hours over for ten minutes that these connectors (all enabled ones if empty) still have to get whole."""
    from pod_desktop.services import hours

    over = clock.SystemClock().now() - 10 * clock.MINUTE
    return sum(
        one.begin + clock.HOUR <= over and one.state in (hours.PARTIAL, hours.GAP)
        for entry in home.ledger.collectors()
        if entry.connector.name in names or (not names and entry.enabled)
        for kind in entry.connector.content_types
        for one in hours.hours_of(
            home.reader.progress(f"{entry.connector.name}/{kind}").values, clock.SystemClock().now()
        )
    )


def _counters(home: Home, name: str, kind: str) -> Counters:
    """What is committed: the store counts with its records, whoever may have died since."""
    return home.reader.progress(f"{name}/{kind}").counters


def _gap(kind: str, gap: tuple[int, int]) -> dict[str, str]:
    return {"type": kind, "from": clock.iso(gap[0]), "to": clock.iso(gap[1])}


def _stream(stream: StreamStatus, state: str) -> dict[str, Any]:
    over = state in (states.STOPPED, states.DISABLED)
    return {
        "type": stream.kind,
        "state": state if over else stream.state,
        "what": "" if over else stream.what,
        "hint": "" if over else stream.hint,
        "code": "" if over else stream.code,
        "lag_s": stream.lag_s,
        "rate": 0.0 if over else stream.rate,
        "progress": stream.progress,
        "hours_left": 0 if over else stream.hours_left,
        "time_left_s": None if over else stream.time_left_s,
        "checked": _iso(stream.checked),
        "last_record": _iso(stream.last_record),
    }


def _iso(micros: int | None) -> str | None:
    return clock.iso(micros) if micros else None


def _print_status(answer: dict[str, Any], out: Out) -> None:
    connectors: Sequence[dict[str, Any]] = answer["connectors"]
    service = answer["service"]
    out.line(f"Service: {'running, process ' + str(service['pid']) if service['running'] else 'not running'}")
    if (told := service["notifications"]) and told["problem"]:
        out.line(visible(f"Notifications: none from the service. {told['problem']}"))
    if connectors:
        out.table(
            (
                "NAME",
                "STATE",
                "LAG",
                "RECEIVED",
                "STORED",
                "DUPLICATES",
                "FILTERED",
                "QUARANTINED",
                "GAPS",
                "RAW",
                "DISK",
            ),
            [_row(connector) for connector in connectors],
        )
    for connector in connectors:
        if connector["what"]:
            out.line(visible(f"{connector['name']}: {connector['what']} {connector['hint']}").rstrip())
        if connector["notice"]:
            out.line(visible(f"{connector['name']}: {connector['notice']}"))
        if words := _hour_words(connector["hours"]):
            out.line(visible(f"{connector['name']}: {words}"))
    store = answer["store"]
    for problem in store["problems"]:
        out.line(visible(problem))
    out.line(
        f"Store: {store['records']:,} records, {size(store['bytes_raw'])} as received, "
        f"{size(store['bytes_disk'])} on disk, in {visible(store['path'])}"
    )


def _hour_words(runs: Iterable[dict[str, Any]]) -> str:
    """`last 30 days: 700 hours archived, 20 live, 1 gap`."""
    hours: Counter[str] = Counter()
    for run in runs:
        hours[run["state"]] += run["hours"]
    told = ", ".join(f"{count:,} {state.replace('_', ' ')}" for state, count in hours.most_common())
    return f"hours of the last 30 days: {told}." if told else ""


def _row(connector: dict[str, Any]) -> tuple[str, ...]:
    lag = connector["lag_s"]
    counted = [
        f"{connector[key]:,}" for key in ("received", "stored", "duplicates", "filtered", "quarantined")
    ]
    return (
        connector["name"],
        connector["state"].replace("_", " "),
        "" if lag is None else f"{lag:.1f} s",
        *counted,
        str(len(connector["gaps"])),
        size(connector["bytes_raw"]),
        size(connector["bytes_disk"]),
    )


def size(number: int) -> str:
    """Bytes for people: 1.4 GB, of 1,000."""
    value = float(number)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1_000:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1_000
    return f"{value:.1f} TB"


def verify(options: Namespace, app: App, out: Out) -> int:
    """Read everything that is stored and say what is damaged; 1 when anything is."""
    from pod_desktop import store

    with closing(app.open_home(options.data_dir)) as home:
        repaired = _repaired(home) if options.repair else None
        problems = store.verify(home.data_dir.events, _tell_file)
        problems += [*_sum_problems(home), *_history_problems(home)]
        records = _records(home)
    clear_line()
    if options.json:
        more = {} if repaired is None else {"repaired": repaired}
        out.bytes(dumps({"ok": not problems, "records": records, "problems": problems, **more}) + b"\n")
    else:
        for line in repaired or ():
            out.line(visible(line))
        for problem in problems:
            out.line(visible(problem))
        out.line(
            f"{plural(records, 'record')}, {plural(len(problems), 'problem')}."
            if problems
            else f"{plural(records, 'record')}, all sound."
        )
    return 1 if problems else 0


def _repaired(home: Home) -> list[str]:
    """What became of each damaged segment."""
    from pod_desktop.services import repairing

    return [repairing.words(one) for one in repairing.repair_now(home.data_dir, _tell_file)]


def _sum_problems(home: Home) -> list[str]:
    """Where hours or log filters do not add up to what the streams counted."""
    from pod_desktop.services import hours

    problems = []
    try:
        for stream in home.reader.streams():
            progress = home.reader.progress(stream)
            counters = progress.counters
            kept = counters.stored + counters.quarantined
            problems += hours.check_sums(stream, progress.values, kept, counters.filtered)
    except Outage:  # named among the problems already
        pass
    return problems


def _history_problems(home: Home) -> list[str]:
    """What is wrong with the history of actions."""
    try:
        return home.journal.verify() if home.data_dir.actions.exists() else []
    except Outage as fault:
        return [str(fault)]


def _tell_file(name: str) -> None:
    progress(f"reading {name}")


def _records(home: Home) -> int:
    try:
        return home.reader.totals().records
    except Outage:  # named among the problems already
        return 0
