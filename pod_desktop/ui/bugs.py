"""Bugs of ours: written to the log, told once per distinct traceback, never in the way."""

from __future__ import annotations

import logging
import sys
import threading
import traceback
from types import TracebackType
from typing import Final

from PySide6.QtCore import QObject, Signal

_LOG: Final = logging.getLogger("pod_desktop.bugs")
_MOST: Final = 200
"""Distinct tracebacks remembered; beyond that they are logged only."""


class Bugs(QObject):
    """Hears of every exception that nobody expected."""

    seen = Signal(str, str)
    """(one line, whole traceback) of a bug not seen before."""

    def __init__(self) -> None:
        super().__init__()
        self._known: set[tuple[str, ...]] = set()
        self._lock = threading.Lock()

    def report(self, error: BaseException) -> None:
        """Log it; tell the window if this traceback is new. From any thread."""
        where = tuple(
            f"{frame.filename}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)
        )
        key = (type(error).__name__, *where)
        with self._lock:
            new = key not in self._known and len(self._known) < _MOST
            if new:
                self._known.add(key)
        if not new:
            return
        whole = "".join(traceback.format_exception(error))
        _LOG.error("unexpected error\n%s", whole)
        self.seen.emit(f"{type(error).__name__}: {error}", whole)


_bugs: Bugs | None = None


def bugs() -> Bugs:
    """The program's one listener."""
    global _bugs
    if _bugs is None:
        _bugs = Bugs()
    return _bugs


def report(error: BaseException) -> None:
    """Tell the program's listener."""
    bugs().report(error)


def install() -> None:
    """Hear of what escapes a slot, an event handler or a thread."""

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error, trace)
        else:
            report(error.with_traceback(trace))

    def thread_hook(args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None:
            report(args.exc_value)

    sys.excepthook = hook
    threading.excepthook = thread_hook
