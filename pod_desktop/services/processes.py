"""Which process is carrying an action out, and whether it still runs: by its id and the moment it began."""

from __future__ import annotations

import os
import sys
from functools import cache
from pathlib import Path
from typing import Final

from pod_desktop.core.action import Action

_DEAD_STATES: Final = frozenset("ZXx")
_UNTOLD: Final = "untold"
"""The system does not say: it is better to wait for a person than to call a living process dead."""


@cache
def own_mark() -> str:
    """When this process began, in the form of mark_of()."""
    return mark_of(os.getpid())


def owner_lives(action: Action) -> bool:
    """Whether the process that began carrying this action out still runs."""
    return lives(action.owner, action.owner_mark)


def lives(pid: int, began: str) -> bool:
    """Whether the process of this id, that began then (own_mark() of it), still runs."""
    if not pid:
        return False
    mark = mark_of(pid)
    return bool(mark) and (mark == began or _UNTOLD in (mark, began or _UNTOLD))


def mark_of(pid: int) -> str:
    """When a process began, as text that differs between processes of one id; '' when there is none."""
    if pid <= 0:
        return ""
    return _linux_mark(pid) if Path("/proc/self/stat").exists() else _other_mark(pid)


def _linux_mark(pid: int) -> str:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii")[:8]
    except OSError:
        return ""
    # proc(5): the name in brackets may hold anything; state and start time are the 3rd and 22nd field.
    rest = stat.rpartition(")")[2].split()
    return "" if len(rest) < 20 or rest[0] in _DEAD_STATES else f"{boot}:{rest[19]}"


if sys.platform == "win32":
    import ctypes
    from ctypes import wintypes

    _QUERY_LIMITED_INFORMATION: Final = 0x1000
    _STILL_ACTIVE: Final = 259

    def _other_mark(pid: int) -> str:
        kernel = ctypes.WinDLL("kernel32", use_last_error=True)
        kernel.OpenProcess.restype = wintypes.HANDLE
        handle = kernel.OpenProcess(_QUERY_LIMITED_INFORMATION, False, pid)
        if not handle:
            return ""
        process = wintypes.HANDLE(handle)
        try:
            code = wintypes.DWORD()
            if not kernel.GetExitCodeProcess(process, ctypes.byref(code)) or code.value != _STILL_ACTIVE:
                return ""
            times = [wintypes.FILETIME() for _ in range(4)]
            if not kernel.GetProcessTimes(process, *map(ctypes.byref, times)):
                return _UNTOLD
            return f"{times[0].dwHighDateTime}:{times[0].dwLowDateTime}"
        finally:
            kernel.CloseHandle(process)

else:
    import subprocess

    def _other_mark(pid: int) -> str:
        try:
            answer = subprocess.run(
                ["ps", "-o", "stat=,lstart=", "-p", str(pid)],
                capture_output=True,
                text=True,
                check=False,
                timeout=5,
            )
        except (OSError, subprocess.TimeoutExpired):
            return _UNTOLD
        state, _, began = answer.stdout.strip().partition(" ")
        return "" if state[:1] in _DEAD_STATES else began.strip()
