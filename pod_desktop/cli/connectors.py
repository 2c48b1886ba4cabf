"""connector add, list, show, enable, disable, remove."""

from __future__ import annotations

import sys
from argparse import Namespace
from contextlib import closing
from typing import TYPE_CHECKING, Any

from pod_desktop.cli.formats import dumps
from pod_desktop.cli.options import App, Home
from pod_desktop.cli.terminal import Out, visible, warn
from pod_desktop.core import clock
from pod_desktop.core.connector import DEFAULT_STREAM_URL
from pod_desktop.core.definition import connector_to_file
from pod_desktop.core.faults import UserFault

if TYPE_CHECKING:
    from pod_desktop.core.secret import Secret
    from pod_desktop.store import ConnectorEntry


def connector(options: Namespace, app: App, out: Out) -> int:
    """One of the connector commands."""
    with closing(app.open_home(options.data_dir)) as home:
        return {
            "add": _add,
            "list": _list,
            "show": _show,
            "enable": _enable,
            "disable": _disable,
            "remove": _remove,
        }[options.action](options, home, out)


def _add(options: Namespace, home: Home, out: Out) -> int:
    from pod_desktop.services.connectors import Connectors, read_connector_file

    taken = [entry.connector.name for entry in home.ledger.connectors()]
    definition = read_connector_file(options.file, taken)
    secrets = _secrets() if options.secrets_stdin else {}
    made = Connectors(home.ledger, home.vault).create(definition, secrets, must_last=True)
    if not secrets:
        warn(
            f"{made.name} has no API key yet: give it with --secrets-stdin, in the window, or as the file "
            f"{made.name}.api_key of the secrets directory."
        )
    entry = home.ledger.connector(made.name)
    _print(entry, options.json, out, f"Added {made.name}; it is active{_while(home)}.")
    return 0


def _while(home: Home) -> str:
    from pod_desktop.cli.health import service_runs

    return "" if service_runs(home) else " as soon as the service runs (pod-desktop collect, or the window)"


def _secrets() -> dict[str, Secret]:
    from pod_desktop.services.connector_file import SECRETS_BYTES, read_secrets

    if sys.stdin is None or sys.stdin.isatty():
        raise UserFault(
            "Secrets are not typed into a terminal, where they would be seen.",
            "--secrets-stdin",
            "Redirect a file that only you can read: --secrets-stdin < secrets.json",
        )
    return read_secrets(sys.stdin.buffer.read(SECRETS_BYTES + 1))


def _list(options: Namespace, home: Home, out: Out) -> int:
    from pod_desktop.cli.health import service_runs, state_of

    entries, running, streams = home.ledger.connectors(), service_runs(home), home.ledger.statuses()
    states = [state_of(entry, running, streams) for entry in entries]
    if options.json:
        rows = [_as_object(entry) | {"state": state} for entry, state in zip(entries, states, strict=True)]
        out.bytes(dumps(rows) + b"\n")
    elif entries:
        out.table(
            ("NAME", "CATEGORY", "TYPE", "CONTENT TYPE", "FUNCTION", "TENANT", "RUN ON", "STATE"),
            [_row(entry, state) for entry, state in zip(entries, states, strict=True)],
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


def _enable(options: Namespace, home: Home, out: Out) -> int:
    home.ledger.set_enabled(options.name, True, now=clock.SystemClock().now())
    return _told(options, home, out, f"is enabled{_while(home)}.")


def _disable(options: Namespace, home: Home, out: Out) -> int:
    home.ledger.set_enabled(options.name, False, now=clock.SystemClock().now())
    return _told(options, home, out, "is disabled; its records stay.")


def _told(options: Namespace, home: Home, out: Out, words: str) -> int:
    entry = home.ledger.connector(options.name)
    _print(entry, options.json, out, f"{entry.connector.name} {words}")
    return 0


def _remove(options: Namespace, home: Home, out: Out) -> int:
    from pod_desktop.services.connectors import Connectors

    entry = home.ledger.connector(options.name)
    Connectors(home.ledger, home.vault).remove(options.name)
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
