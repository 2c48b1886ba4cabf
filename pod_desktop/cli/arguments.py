"""Every command and option of the command line. People script it: what is here stays."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import NoReturn, TypeAlias

from pod_desktop import __version__
from pod_desktop.core.faults import UserFault
from pod_desktop.core.record import CONTENT_TYPES

FORMATS = ("table", "ndjson", "csv", "parquet")
ALL_TYPES = "syslog"
"""An index name that holds all content types, as SIEM users know it."""


class _Parser(argparse.ArgumentParser):
    """Bad use is a UserFault like any other, so that it is told in the same way."""

    def error(self, message: str) -> NoReturn:
        raise UserFault(_sentence(message), self.prog, f"Try {self.prog} --help.")


def _sentence(message: str) -> str:
    return message[:1].upper() + message[1:] + ("" if message.endswith((".", "!", "?")) else ".")


def parse(arguments: list[str]) -> argparse.Namespace:
    """The arguments as values.

    Raises:
        UserFault: they are none of ours.
        SystemExit: --help or --version has been answered.
    """
    return parser(simulator="simulate" in arguments).parse_args(arguments)


def commands() -> tuple[str, ...]:
    """The names of all commands."""
    (subparsers,) = (
        action
        for action in parser(simulator=False)._actions
        if isinstance(action, argparse._SubParsersAction)
    )
    return tuple(subparsers.choices)


def parser(*, simulator: bool = True) -> argparse.ArgumentParser:
    """All of the command line; the simulator's own options only where they are asked for: they load it."""
    top = _Parser(
        prog="pod-desktop",
        description="Proofpoint on Demand mail logs on your desktop: collect, watch, search. "
        "Without a command it opens the window.",
        allow_abbrev=False,
    )
    top.add_argument("--version", action="version", version=f"pod-desktop {__version__}")
    top.add_argument(
        "--data-dir", type=_folder, default=None, metavar="DIR", help="where records and settings are"
    )
    top.add_argument("--demo", action="store_true", help="open the window on a simulated cluster")
    top.add_argument(
        "--import", dest="files", type=Path, nargs="+", default=[], metavar="FILE",
        help="open the window on exported records (.ndjson, .gz, .zst, or a folder)",
    )  # fmt: skip
    commands = top.add_subparsers(dest="command", metavar="COMMAND", parser_class=_Parser)
    _connector(commands)
    _settings(commands)
    _filter(commands)
    _collect(commands)
    _import(commands)
    _search(commands)
    _count(commands)
    _show(commands)
    _act(commands)
    _undo(commands)
    _history(commands)
    _lists(commands)
    _playbook(commands)
    _status(commands)
    _verify(commands)
    _retention(commands)
    _column(commands)
    _simulate(commands, simulator)
    return top


Commands: TypeAlias = "argparse._SubParsersAction[_Parser]"


def _folder(text: str) -> Path:
    if not text:
        raise argparse.ArgumentTypeError("it is empty; leave the option out for the usual place")
    return Path(text)


def _command(commands: Commands, name: str, words: str, *, json: bool = True) -> argparse.ArgumentParser:
    """A command; --data-dir is taken before and behind its name."""
    command = commands.add_parser(
        name, help=words, description=words[:1].upper() + words[1:] + ".", allow_abbrev=False
    )
    command.add_argument(
        "--data-dir",
        type=_folder,
        default=argparse.SUPPRESS,
        metavar="DIR",
        help="where records and settings are",
    )
    if json:
        command.add_argument("--json", action="store_true", help="answer, and tell faults, as JSON")
    return command


def _connector(commands: Commands) -> None:
    connector = commands.add_parser(
        "connector",
        help="add, list, show, test, edit, enable, disable, copy, export, import, remove connectors",
        allow_abbrev=False,
    )
    actions = connector.add_subparsers(dest="action", metavar="ACTION", required=True, parser_class=_Parser)
    add = _command(actions, "add", "add a connector from a JSON file; it is active at once")
    _definition(add, required=True)
    add.add_argument(
        "--all-four",
        action="store_true",
        help="make the responders of all four actions from this one's values and secrets",
    )
    _command(actions, "list", "list the connectors")
    for name, words in {
        "show": "show one connector",
        "test": "try all that a connector needs, step by step; its live session is left alone",
        "enable": "collect or respond again",
        "disable": "stop collecting or responding; nothing is deleted",
        "remove": "forget a connector and its secrets; its records stay",
    }.items():
        _command(actions, name, words).add_argument("name", metavar="NAME")
    edit = _command(actions, "edit", "change a connector's definition or secrets")
    edit.add_argument("name", metavar="NAME")
    _definition(edit, required=False)
    edit.add_argument(
        "--remove-second-key",
        action="store_true",
        help="forget the second API key: live then pauses while hours of the archive are fetched",
    )
    copy = _command(actions, "duplicate", "copy a definition; the copy is disabled and has no secrets")
    copy.add_argument("name", metavar="NAME")
    copy.add_argument("--name", dest="new_name", default="", metavar="NEW", help="what the copy is called")
    copy.add_argument("--tenant", default="", metavar="TENANT", help="the copy's tenant")
    export = _command(actions, "export", "write a definition as JSON, without secrets", json=False)
    export.add_argument("name", metavar="NAME")
    export.add_argument(
        "--output", type=Path, metavar="FILE", help="write there instead of to standard output"
    )
    take = _command(actions, "import", "add an exported definition; it is disabled and has no secrets")
    take.add_argument("file", type=Path, metavar="FILE", help="the connector as JSON; - is standard input")


def _definition(command: argparse.ArgumentParser, *, required: bool) -> None:
    command.add_argument(
        "--file",
        type=Path,
        required=required,
        metavar="FILE",
        help="the connector as JSON; - is standard input",
    )
    command.add_argument(
        "--secrets-stdin",
        action="store_true",
        help='read its secrets as JSON from standard input: {"api_key": "…"}, or {"client_id": "…", '
        '"client_secret": "…"}',
    )


def _settings(commands: Commands) -> None:
    settings = commands.add_parser("settings", help="list, get and set settings", allow_abbrev=False)
    actions = settings.add_subparsers(dest="action", metavar="ACTION", required=True, parser_class=_Parser)
    _command(actions, "list", "list the settings with their values")
    _command(actions, "get", "tell one setting").add_argument("key", metavar="KEY")
    change = _command(actions, "set", "change one setting")
    change.add_argument("key", metavar="KEY")
    change.add_argument(
        "value",
        metavar="VALUE",
        help="entries of a list with commas between; default goes back to the default",
    )


def _filter(commands: Commands) -> None:
    log_filter = commands.add_parser(
        "filter", help="log filters: drop matching records before they are stored", allow_abbrev=False
    )
    actions = log_filter.add_subparsers(dest="action", metavar="ACTION", required=True, parser_class=_Parser)
    add = _command(actions, "add", "keep a log filter; it does nothing until it is attached")
    preview = _command(actions, "preview", "tell what a filter would have dropped of what is stored")
    for command in (add, preview):
        command.add_argument("name", nargs="?", default="", metavar="NAME")
        command.add_argument(
            "--where",
            action="append",
            metavar="QUERY",
            help="a condition; records that fulfil all are dropped",
        )
        command.add_argument(
            "--file", type=Path, metavar="FILE", help="the filter as JSON; - is standard input"
        )
    add.add_argument("--replace", action="store_true", help="change the filter of that name")
    preview.add_argument("--since", metavar="T", help="from this time on: 2026-11-24T09:00Z, now-15m, 7d")
    preview.add_argument("--until", metavar="T", help="before this time")
    preview.add_argument("--connector", action="append", metavar="NAME", help="only this one's records")
    _command(actions, "list", "list the log filters and who uses them")
    for name, words in {
        "attach": "let a filter drop a connector's records from now on",
        "detach": "let a filter drop nothing of a connector any more",
    }.items():
        command = _command(actions, name, words)
        command.add_argument("name", metavar="FILTER")
        command.add_argument("connector", metavar="CONNECTOR")
    _command(actions, "remove", "forget a log filter").add_argument("name", metavar="NAME")


def _collect(commands: Commands) -> None:
    collect = _command(commands, "collect", "run the collector service here, until Ctrl+C")
    collect.add_argument(
        "names", nargs="*", metavar="NAME", help="connectors; all that are enabled when left out"
    )
    end = collect.add_mutually_exclusive_group()
    end.add_argument(
        "--for", dest="seconds", type=_seconds, metavar="SECONDS", help="stop after so many seconds"
    )
    end.add_argument(
        "--until-caught-up", action="store_true", help="stop when the archive has been read up to now"
    )
    collect.add_argument(
        "--metrics",
        type=lambda text: _whole(text, 1, 65_535, "a port"),
        metavar="PORT",
        help="tell Prometheus the figures, on this computer only",
    )
    collect.add_argument("--secrets-stdin", action="store_true", help=argparse.SUPPRESS)
    collect.add_argument("--detached", action="store_true", help=argparse.SUPPRESS)
    collect.add_argument("--until-eof", action="store_true", help=argparse.SUPPRESS)


def _import(commands: Commands) -> None:
    command = _command(commands, "import", "store exported records (.ndjson, .gz, .zst, or a folder)")
    command.add_argument("files", nargs="+", type=Path, metavar="FILE")


def _asks(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "query", nargs="*", metavar="QUERY", help="words, field:value, AND OR NOT; all records when left out"
    )
    command.add_argument(
        "--index", type=_kinds, default=(), metavar="TYPES",
        help=f"content types with commas between: {', '.join(CONTENT_TYPES)}; {ALL_TYPES} is all",
    )  # fmt: skip
    command.add_argument("--since", metavar="T", help="from this time on: 2026-11-24T09:00Z, now-15m, 7d")
    command.add_argument("--until", metavar="T", help="before this time")


def _search(commands: Commands) -> None:
    search = _command(commands, "search", "find records")
    _asks(search)
    search.add_argument("--limit", type=_positive, metavar="N", help="at most so many records")
    search.add_argument("--order", choices=("newest", "oldest"), default="newest", help="which come first")
    search.add_argument(
        "--format", choices=FORMATS, help="how to print them (table; ndjson with --json or --raw)"
    )
    search.add_argument("--raw", action="store_true", help="with each record exactly as it was received")
    search.add_argument(
        "--output", type=Path, metavar="FILE", help="write there instead of to standard output"
    )


def _count(commands: Commands) -> None:
    count = _command(commands, "count", "count records")
    _asks(count)
    by = count.add_mutually_exclusive_group()
    by.add_argument("--by", metavar="FIELD", help="how many for each value of a field, most first")
    by.add_argument("--every", metavar="SPAN", help="how many in each stretch of time: 5m, 1h, 1d")
    count.add_argument(
        "--limit", type=_positive, default=1_000, metavar="N", help="with --by: at most so many values"
    )


def _show(commands: Commands) -> None:
    show = _command(commands, "show", "show one record")
    show.add_argument("id", metavar="RECORD-ID", help="as search prints it: message:<guid> or maillog:<id>")
    what = show.add_mutually_exclusive_group()
    what.add_argument("--raw", action="store_true", help="the record exactly as it was received")
    what.add_argument(
        "--journey", action="store_true",
        help="the message's way through filter and mail log, and what became of each recipient's copy",
    )  # fmt: skip


def _act(commands: Commands) -> None:
    act = _command(commands, "act", "put a value on an org list, or take it off")
    act.add_argument("responder", metavar="RESPONDER", help="name of the connector that does it")
    source = act.add_mutually_exclusive_group(required=True)
    source.add_argument("--record", metavar="RECORD-ID", help="take the value from this record")
    source.add_argument("--value", metavar="V", help="an address, a domain, a host or an IP address")
    act.add_argument(
        "--attribute", metavar="A",
        help="from (the envelope sender), hfrom, ip, host, helo or rcpt; ip where the value is one, else from",
    )  # fmt: skip
    act.add_argument(
        "--operator", default="equal", metavar="O",
        help="equal (the default), contain, is_in_list; on the block list not_equal and not_contain too",
    )  # fmt: skip
    act.add_argument("--comment", metavar="C", help="kept with the entry; at most 150 characters")
    act.add_argument(
        "--expires", metavar="WHEN", help="remove it again: 30d, 12h, 2026-12-31; the service does it"
    )
    act.add_argument("--why", metavar="WORDS", help="reason for the history, for example a ticket")
    act.add_argument("--confirm", metavar="VALUE", help="the value once more, where it is dangerous")
    act.add_argument(
        "--dry-run", action="store_true", help="show the request and what it would have hit; send nothing"
    )


def _undo(commands: Commands) -> None:
    undo = _command(commands, "undo", "take an action back")
    undo.add_argument("id", metavar="ACTION-ID", help="as history prints it; its beginning will do")


def _history(commands: Commands) -> None:
    history = _command(commands, "history", "list the actions, newest first")
    history.add_argument(
        "--format", choices=("table", "json", "csv"), default="table", help="how to print them"
    )
    history.add_argument("--limit", type=_positive, metavar="N", help="at most so many actions")


def _lists(commands: Commands) -> None:
    lists = _command(commands, "lists", "read an org list from the service")
    lists.add_argument("list", choices=("block", "safe"), help="which list")
    lists.add_argument("responder", metavar="RESPONDER", help="name of a connector of that cluster")


def _playbook(commands: Commands) -> None:
    playbook = commands.add_parser(
        "playbook",
        help="what is done without a person: try it on history, arm it, stop it",
        allow_abbrev=False,
    )
    actions = playbook.add_subparsers(dest="action", metavar="ACTION", required=True, parser_class=_Parser)
    add = _command(
        actions,
        "add",
        "add a playbook from a JSON file; it arrives in dry run (an import in the window arrives off)",
    )
    add.add_argument("--file", type=Path, required=True, metavar="FILE", help="the playbook as JSON")
    sigma = _command(
        actions,
        "import-sigma",
        "make a playbook of a Sigma rule; it is off, and only notifies until you edit it",
    )
    sigma.add_argument("file", type=Path, metavar="FILE", help="the rule as YAML")
    sigma.add_argument("--tenant", default="", metavar="NAME", help="the first tenant when left out")
    for name, words in {
        "list": "list the playbooks, their states and what they did",
        "held": "list what waits for a person's decision",
        "stop": "stop all playbooks within a second",
        "go": "let them act again",
    }.items():
        _command(actions, name, words)
    for name, words in {
        "show": "show one playbook, its versions and its last firings",
        "backtest": "tell when it would have fired, and what it would have done",
        "run": "do on stored records what its backtest shows as done; asks for --yes",
        "enable": "let a playbook act (it begins in dry run)",
        "arm": "the same as enable",
        "dry-run": "let a playbook only say what it would do",
        "disable": "switch a playbook off",
        "remove": "forget a playbook; its actions stay in the history",
    }.items():
        command = _command(actions, name, words)
        command.add_argument("name", metavar="NAME")
        if name in ("backtest", "run"):
            command.add_argument("--since", metavar="T", help="from this time on; 7d when left out")
            command.add_argument("--until", metavar="T", help="before this time; now when left out")
        if name == "run":
            command.add_argument("--dry-run", action="store_true", help="only show what would be done")
            command.add_argument("--yes", action="store_true", help="do it")
    approve = _command(actions, "approve", "let the service send what is held")
    approve.add_argument("id", type=_positive, metavar="ID", help="as held prints it")
    approve.add_argument(
        "--confirm", default="", metavar="VALUE", help="the value once more, where it is asked for"
    )
    dismiss = _command(actions, "dismiss", "decide that what is held is not done")
    dismiss.add_argument("id", type=_positive, metavar="ID", help="as held prints it")


def _status(commands: Commands) -> None:
    _command(commands, "status", "tell what every connector does, what it has stored and what is missing")


def _verify(commands: Commands) -> None:
    words = "check that every stored record can be read and is what was received, and that all sums add up"
    verify = _command(commands, "verify", words)
    verify.add_argument(
        "--repair",
        action="store_true",
        help="first rebuild damaged indexes and columns from the raw records, where those are sound; "
        "the collector service must not run",
    )


def _retention(commands: Commands) -> None:
    retention = _command(
        commands,
        "retention",
        "tell which old records are to be deleted by the limits that are set, or delete them",
    )
    what = retention.add_mutually_exclusive_group()
    what.add_argument("--dry-run", action="store_true", help="tell what would be deleted (also without it)")
    what.add_argument(
        "--apply", action="store_true", help="delete now; the service does it by itself every hour"
    )


def _column(commands: Commands) -> None:
    column = commands.add_parser(
        "column",
        help="search columns: fields of the raw record that are searched by an index",
        allow_abbrev=False,
    )
    actions = column.add_subparsers(dest="action", metavar="ACTION", required=True, parser_class=_Parser)
    words = "make a field a search column, and wait until it is one; interrupted, it goes on in the collector service"
    add = _command(actions, "add", words)
    add.add_argument("path", metavar="PATH", help="as in a query: filter.modules.spam.version")
    add.add_argument("--dry-run", action="store_true", help="only tell what it would take, by a sample")
    _command(actions, "list", "list the search columns, how far each is, and what it takes on the disk")
    _command(
        actions, "remove", "delete a field's index; searches by it read the raw records again"
    ).add_argument("path", metavar="PATH")


def _simulate(commands: Commands, with_options: bool) -> None:
    words = "run a simulated Proofpoint on Demand on this computer"
    command = commands.add_parser(
        "simulate", help=words, description=f"{words.capitalize()}.", allow_abbrev=False
    )
    if with_options:
        from pod_desktop import simulator

        simulator.add_arguments(command)


def _kinds(text: str) -> tuple[str, ...]:
    names = [name.strip().casefold() for name in text.split(",")]
    if ALL_TYPES in names or "all" in names:
        return ()
    for name in names:
        if name not in CONTENT_TYPES and name != "unreadable":
            raise argparse.ArgumentTypeError(
                f"{name!r} is no content type; choose from {', '.join(CONTENT_TYPES)}"
            )
    return tuple(dict.fromkeys(names))


def _number(text: str, low: float, high: float, words: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not low <= value <= high:  # also refuses nan
        raise argparse.ArgumentTypeError(f"{text!r} is not {words}")
    return value


def _seconds(text: str) -> float:
    return _number(text, 0.001, 1e9, "a number of seconds")


def _whole(text: str, low: int, high: int, words: str) -> int:
    value = _number(text, low, high, words)
    if value != int(value):
        raise argparse.ArgumentTypeError(f"{text!r} is not {words}")
    return int(value)


def _positive(text: str) -> int:
    return _whole(text, 1, 2**53, "a whole number above 0")
