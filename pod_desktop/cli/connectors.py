"""connector add, list, show, test, edit, enable, disable, duplicate, export, import, remove."""

from __future__ import annotations

import sys
from argparse import Namespace
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pod_desktop.cli.formats import dumps
from pod_desktop.cli.options import App, Home
from pod_desktop.cli.terminal import Out, visible, warn
from pod_desktop.core import clock
from pod_desktop.core.connector import DEFAULT_STREAM_URL, SECOND_KEY
from pod_desktop.core.definition import (
    SECRET_TITLES,
    Connector,
    connector_to_file,
    secret_names,
    warnings,
)
from pod_desktop.core.faults import UserFault

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pod_desktop.core.secret import Secret
    from pod_desktop.services.connectors import Connectors
    from pod_desktop.store import ConnectorEntry

STDIN = Path("-")


def connector(options: Namespace, app: App, out: Out) -> int:
    """One of the connector commands."""
    with closing(app.open_home(options.data_dir)) as home:
        return {
            "add": _add,
            "list": _list,
            "show": _show,
            "test": _test,
            "edit": _edit,
            "enable": _enable,
            "disable": _disable,
            "duplicate": _duplicate,
            "export": _export,
            "import": _import,
            "remove": _remove,
        }[options.action](options, home, out)


def _connectors(home: Home) -> Connectors:
    from pod_desktop.services.connectors import Connectors

    return Connectors(home.ledger, home.vault)


def _add(options: Namespace, home: Home, out: Out) -> int:
    from pod_desktop.core.responder import RespondConnector

    connectors = _connectors(home)
    definition = _definition(options, () if options.all_four else connectors.names())
    secrets = _secrets() if options.secrets_stdin else {}
    if options.all_four:
        if not isinstance(definition, RespondConnector):
            raise UserFault("All four actions are those of a responder.", "--all-four", "Leave it out.")
        made: tuple[Connector, ...] = connectors.create_all_four(definition, secrets, must_last=True)
    else:
        made = (connectors.create(definition, secrets, must_last=True),)
    for one in made:
        _warn_of(one, secrets)
    entries = [home.ledger.connector(one.name) for one in made]
    words = f"Added {', '.join(one.name for one in made)}; {_active(made, home)}."
    if options.json and options.all_four:
        out.bytes(dumps([_as_object(entry) for entry in entries]) + b"\n")
    else:
        _print(entries[0], options.json, out, words)
    return 0


def _definition(options: Namespace, taken: Iterable[str]) -> Connector:
    from pod_desktop.core import limits
    from pod_desktop.services.connectors import read_connector, read_connector_file

    if options.file != STDIN:
        return read_connector_file(options.file, taken)
    if getattr(options, "secrets_stdin", False):
        raise UserFault(
            "Standard input cannot be the definition and the secrets.",
            "--file",
            "Give the definition as a file.",
        )
    return read_connector(
        sys.stdin.buffer.read(limits.CONNECTOR_FILE_BYTES + 1) if sys.stdin else b"", "standard input", taken
    )


def _warn_of(made: Connector, secrets: dict[str, Secret]) -> None:
    for words in warnings(made):
        warn(f"{made.name}: {words}")
    lacking = [name for name in secret_names(made) if name not in secrets]
    if lacking:
        titles = " and ".join(_title(name) for name in lacking)
        files = " and ".join(f"{made.name}.{name}" for name in lacking)
        warn(
            f"{made.name} has no {titles} yet: give it with connector edit {made.name} --secrets-stdin, in the "
            f"window, or as the file {files} of the secrets directory."
        )


def _title(name: str) -> str:
    return "API key" if name == "api_key" else SECRET_TITLES[name]


def _active(made: tuple[Connector, ...], home: Home) -> str:
    if made[0].function == "respond":
        return "ready to respond" if len(made) == 1 else "all are ready to respond"
    return f"it is active{_while(home)}"


def _while(home: Home) -> str:
    from pod_desktop.cli.health import service_runs

    return "" if service_runs(home) else " as soon as the service runs (pod-desktop collect, or the window)"


def _secrets() -> dict[str, Secret]:
    from pod_desktop.services.connector_file import SECRETS_BYTES, read_secrets

    if sys.stdin is None:
        raise UserFault(
            "Standard input is closed.", "--secrets-stdin", "Redirect the file of the secrets to it."
        )
    if sys.stdin.isatty():
        raise UserFault(
            "Secrets are not typed into a terminal, where they would be seen.",
            "--secrets-stdin",
            "Redirect a file that only you can read: --secrets-stdin < secrets.json",
        )
    return read_secrets(sys.stdin.buffer.read(SECRETS_BYTES + 1))


def _list(options: Namespace, home: Home, out: Out) -> int:
    from pod_desktop.cli.health import service_runs, state_of, state_words

    entries, running, streams = home.ledger.connectors(), service_runs(home), home.ledger.statuses()
    states = [state_of(entry, running, streams) for entry in entries]
    if options.json:
        rows = [_as_object(entry) | {"state": state} for entry, state in zip(entries, states, strict=True)]
        out.bytes(dumps(rows) + b"\n")
    elif entries:
        out.table(
            ("NAME", "CATEGORY", "TYPE", "CONTENT TYPE", "FUNCTION", "TENANT", "RUN ON", "STATE"),
            [_row(entry, state_words(entry, state)) for entry, state in zip(entries, states, strict=True)],
        )
    else:
        warn("There are no connectors yet; connector add --file FILE makes one.")
    return 0


def _row(entry: ConnectorEntry, state: str) -> tuple[str, ...]:
    made = entry.connector
    types = ", ".join(made.content_types)
    return (made.name, made.category, made.type, types, made.function, made.tenant, made.run_on, state)


def _show(options: Namespace, home: Home, out: Out) -> int:
    _print(home.ledger.connector(options.name), options.json, out, "")
    return 0


def _test(options: Namespace, home: Home, out: Out) -> int:
    import asyncio

    from pod_desktop.services import testing
    from pod_desktop.services.testing_steps import Step

    entry = home.ledger.connector(options.name)
    tester = testing.Tester(_connectors(home), home.ledger, testing.lock_path(home.data_dir.root))

    def tell(step: Step) -> None:
        if not options.json:
            mark = {True: "ok", False: "FAILED", None: "not tried"}[step.ok]
            took = "" if step.ok is None else f"{step.ms:,.0f} ms"
            out.line(visible(f"{step.name:<20}{mark:<10}{took:>10}  {step.detail}").rstrip())
            out.flush()

    report = asyncio.run(tester.test(entry.connector, None, tell))
    if options.json:
        out.bytes(
            dumps(
                {
                    "ok": report.ok,
                    "steps": [step._asdict() for step in report.steps],
                    "summary": report.summary,
                    "recommendation": report.recommendation,
                    "code": report.code,
                }
            )
            + b"\n"
        )
    else:
        out.line(visible(f"{report.summary} {report.recommendation}").rstrip())
    return 0 if report.ok else 1


def _edit(options: Namespace, home: Home, out: Out) -> int:
    from pod_desktop.services.connector_secrets import check_lasting

    if options.file is None and not options.secrets_stdin and not options.remove_second_key:
        raise UserFault(
            "There is nothing to change.",
            "connector edit",
            "Give --file FILE, --secrets-stdin or --remove-second-key.",
        )
    connectors = _connectors(home)
    old = home.ledger.connector(options.name).connector
    new = old if options.file is None else _definition(options, ())
    if new.name.casefold() != old.name.casefold():
        raise UserFault(
            f"The file defines {new.name}, not {old.name}: a name cannot be changed.",
            "name",
            "connector duplicate makes a copy under another name.",
        )
    secrets = _secrets() if options.secrets_stdin else {}
    if secrets:
        check_lasting(home.vault)
    forget = [SECOND_KEY] if options.remove_second_key else []
    if forget and SECOND_KEY in secrets:
        raise UserFault(
            "The second API key cannot be given and removed at once.", "--remove-second-key", "Leave one out."
        )
    made = connectors.edit(replace(new, name=old.name), secrets, forget=forget)
    for words in warnings(made):
        warn(f"{made.name}: {words}")
    return _told(options, home, out, "is changed.")


def _duplicate(options: Namespace, home: Home, out: Out) -> int:
    made = _connectors(home).duplicate(options.name, options.new_name, tenant=options.tenant)
    entry = home.ledger.connector(made.name)
    _print(entry, options.json, out, f"Copied {options.name} to {made.name}, which is disabled.")
    _warn_of(made, {})
    return 0


def _export(options: Namespace, home: Home, out: Out) -> int:
    data = _connectors(home).export(options.name)
    if options.output is None:
        out.bytes(data)
        return 0
    try:
        with options.output.open("xb") as file:
            file.write(data)
    except OSError as error:
        raise UserFault(f"The file cannot be written ({error.strerror}).", str(options.output)) from None
    out.line(f"Wrote {visible(str(options.output))}, without secrets.")
    return 0


def _import(options: Namespace, home: Home, out: Out) -> int:
    from pod_desktop.services.connectors import Draft

    connectors = _connectors(home)
    definition = _definition(options, connectors.names())
    (made,) = connectors.create_all([Draft(connector=definition, enabled=False)])
    entry = home.ledger.connector(made.name)
    _print(entry, options.json, out, f"Added {made.name}; it is disabled until you enable it.")
    for words in warnings(made):
        warn(f"{made.name}: {words}")
    _warn_of(made, {})
    return 0


def _enable(options: Namespace, home: Home, out: Out) -> int:
    _connectors(home).enable(options.name)
    collects = home.ledger.connector(options.name).connector.function == "collect"
    return _told(options, home, out, f"is enabled{_while(home) if collects else ''}.")


def _disable(options: Namespace, home: Home, out: Out) -> int:
    _connectors(home).disable(options.name)
    return _told(options, home, out, "is disabled; its records stay.")


def _told(options: Namespace, home: Home, out: Out, words: str) -> int:
    entry = home.ledger.connector(options.name)
    _print(entry, options.json, out, f"{entry.connector.name} {words}")
    return 0


def _remove(options: Namespace, home: Home, out: Out) -> int:
    entry = home.ledger.connector(options.name)
    _connectors(home).remove(options.name)
    _print(entry, options.json, out, f"Removed {entry.connector.name} and its secrets; its records stay.")
    return 0


def _as_object(entry: ConnectorEntry) -> dict[str, Any]:
    """The connector's file, and what the ledger knows beside it."""
    return {
        **connector_to_file(entry.connector),
        "function": entry.connector.function,
        "enabled": entry.enabled,
        "created": clock.iso(entry.created),
        "changed": clock.iso(entry.changed),
    }


def _print(entry: ConnectorEntry, json: bool, out: Out, words: str) -> None:
    """The connector as JSON, else a sentence, else all its values."""
    if json:
        out.bytes(dumps(_as_object(entry)) + b"\n")
    elif words:
        out.line(words)
    else:
        for name, value in _as_object(entry).items():
            shown = ", ".join(value) if isinstance(value, list) else str(value)
            if name == "stream_url" and value == DEFAULT_STREAM_URL:
                shown += " (Proofpoint's)"
            out.line(f"{name:<15}{visible(shown)}".rstrip())
