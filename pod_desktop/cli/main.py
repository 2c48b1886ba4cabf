"""From arguments to an exit code: runs a command, and tells faults in words, never by a traceback."""

from __future__ import annotations

import errno
import json
import os
import sys
import traceback
from argparse import Namespace
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from pod_desktop.cli import arguments as command_line
from pod_desktop.cli.options import App
from pod_desktop.cli.terminal import Out, visible, warn
from pod_desktop.core.faults import Fault, Outage, UserFault

DONE = 0
FAILED = 1
BAD_USE = 2
INTERRUPTED = 130
"""As shells have it for Ctrl+C."""

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)

Command = Callable[[Namespace, App, Out], int]


def main(arguments: list[str], app: Callable[[], App]) -> int:
    """Run one command; `app` loads the rest of the program where a command needs it."""
    out = Out()
    wants_json = "--json" in arguments
    options = Namespace(data_dir=None)
    try:
        options = command_line.parse(arguments)
        code = _command(options)(options, app(), out)
        out.flush()
        return code
    except Fault as fault:
        return _tell_fault(fault, wants_json, out)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader has seen enough (`| head`). Python would complain again when it flushes at its end.
        _hush()
        return DONE
    except Exception as error:
        if isinstance(error, OSError) and error.errno in _NO_ROOM and error.filename is None:
            _hush()
            return _tell_fault(
                Outage(f"What was found cannot be written ({error.strerror}).", "standard output"), False, out
            )
        return _tell_bug(error, options.data_dir, wants_json, out)


def _hush() -> None:
    """Nothing more goes to standard output; what is still in its buffer neither."""
    with suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _command(options: Namespace) -> Command:
    """The function of a command; only its own module is loaded."""
    match options.command:
        case None | "collect" | "simulate":
            from pod_desktop.cli import running

            return getattr(running, options.command or "window")  # type: ignore[no-any-return]
        case "import":
            from pod_desktop.cli import importing

            return importing.import_files
        case "connector":
            from pod_desktop.cli import connectors

            return connectors.connector
        case "settings":
            from pod_desktop.cli import settings

            return settings.settings
        case "filter":
            from pod_desktop.cli import filters

            return filters.log_filter
        case "act" | "undo" | "history" | "lists":
            from pod_desktop.cli import actions

            return getattr(actions, options.command)  # type: ignore[no-any-return]
        case "playbook":
            from pod_desktop.cli import playbooks

            return playbooks.playbook
        case "column":
            from pod_desktop.cli import columns

            return columns.column
        case "retention":
            from pod_desktop.cli import retention

            return retention.retention
        case "status" | "verify":
            from pod_desktop.cli import health

            return health.status if options.command == "status" else health.verify
        case _:
            from pod_desktop.cli import asking

            return getattr(asking, options.command)  # type: ignore[no-any-return]


def _tell_fault(fault: Fault, wants_json: bool, out: Out) -> int:
    words = str(fault)
    warn(words if words.startswith("pod-desktop") else f"pod-desktop: {words}")
    if wants_json:
        _tell_json(out, fault.what, fault.where, fault.hint)
    return BAD_USE if isinstance(fault, UserFault) else FAILED


def _tell_bug(error: Exception, data_dir: Path | None, wants_json: bool, out: Out) -> int:
    what = f"This is a fault of the program ({type(error).__name__})."
    log = _log_bug(error, data_dir)
    hint = (
        f"Its details are in {log}; please report them." if log else "Its details could not be written down."
    )
    warn(f"pod-desktop: {what} {hint}")
    if wants_json:
        _tell_json(out, what, "", hint)
    return FAILED


def _tell_json(out: Out, what: str, where: str, hint: str) -> None:
    with suppress(OSError, ValueError):
        out.line(
            json.dumps({"error": {"what": visible(what), "where": visible(where), "hint": visible(hint)}})
        )
        out.flush()


def _log_bug(error: Exception, data_dir: Path | None) -> Path | None:
    """Append the traceback to the data directory's log, else to a file of its own; None where neither works."""
    import tempfile
    from datetime import UTC, datetime

    entry = f"{datetime.now(UTC).isoformat()} command line\n{''.join(traceback.format_exception(error))}\n"
    data = entry.encode("utf-8", "backslashreplace")
    with suppress(Exception):  # the fault may lie in these very modules
        from pod_desktop.store import DataDir, default_root

        path = DataDir(data_dir or default_root()).log
        with path.open("ab") as log:
            log.write(data)
        return path
    with suppress(OSError):
        handle, name = tempfile.mkstemp(prefix="pod-desktop-", suffix=".log")
        with os.fdopen(handle, "wb") as log:
            log.write(data)
        return Path(name)
    return None
