"""What this process asks of the system for itself."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import Final

_FILES: Final = 4_096


def keep_memory_private() -> None:
    """No core file, and no reading of this process's memory by others of the same user: it holds keys."""
    if sys.platform == "win32":
        return
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    if sys.platform == "linux":
        import ctypes

        # prctl(2): PR_SET_DUMPABLE = 4; also takes /proc/PID/mem and environ from other processes.
        ctypes.CDLL(None, use_errno=True).prctl(4, 0, 0, 0, 0)


def have_files_enough() -> None:
    """Ask the system for more open files where it gives few by default (256 on macOS): a large store is many."""
    if sys.platform == "win32":
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _FILES if hard == resource.RLIM_INFINITY else min(_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
