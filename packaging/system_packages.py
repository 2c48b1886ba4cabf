"""What the system must bring: Python's venv, and the libraries that Qt loads. Installed by apt where it may."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

Say = Callable[[str], None]

# Debian 12 and Ubuntu 22.04-24.04 names; what a bare system lacks for the PySide6 wheels (measured).
QT = (
    "libegl1",
    "libgl1",
    "libxkbcommon0",
    "libdbus-1-3",
    "libfontconfig1",
    "libglib2.0-0",
    "libgssapi-krb5-2",
)
XCB = (
    "libxcb-cursor0", "libxcb-icccm4", "libxcb-keysyms1", "libxcb-image0", "libxcb-render-util0",
    "libxcb-shape0", "libxcb-xkb1", "libxkbcommon-x11-0",
)  # fmt: skip
WAYLAND = ("libwayland-client0", "libwayland-cursor0", "libwayland-egl1")
PACKAGES = {"": QT, "xcb": QT + XCB, "wayland": QT + WAYLAND}

# Loads what the window would load, without a display: an ImportError or OSError names the missing library.
_PROBE = """
import ctypes, pathlib, sys
import PySide6.QtCore, PySide6.QtGui, PySide6.QtNetwork, PySide6.QtSvg, PySide6.QtWidgets
if len(sys.argv) > 1:
    folder = pathlib.Path(PySide6.QtCore.__file__).parent / "Qt" / "plugins" / "platforms"
    for plugin in sorted(folder.glob("libq" + sys.argv[1] + "*.so")):
        ctypes.CDLL(str(plugin))
"""


def require_venv(say: Say) -> None:
    """Debian's python3 comes without ensurepip: install it, or print the line that does and end with 2."""
    if _has_venv():
        return
    package = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
    _require((package,), "Python's venv module is not installed.", say)
    importlib.invalidate_caches()
    if not _has_venv():
        say(f"{sys.executable} still has no venv and ensurepip; install them for this Python.")
        raise SystemExit(2)


def _has_venv() -> bool:
    return all(importlib.util.find_spec(name) for name in ("venv", "ensurepip"))


def require_qt(python: Path, platform: str, say: Say) -> None:
    """Install what Qt cannot load, or print the line that does and end with 2."""
    problem = _qt_problem(python, platform)
    if not problem:
        return
    _require(PACKAGES[platform], f"Qt needs system libraries that are missing ({problem}).", say)
    problem = _qt_problem(python, platform)
    if problem:
        say(f"Qt still cannot be loaded: {problem}")
        raise SystemExit(2)


def _qt_problem(python: Path, platform: str) -> str:
    """The missing library, else the last words of the failure; '' when Qt loads."""
    answer = subprocess.run(
        [str(python), "-c", _PROBE, *([platform] if platform else [])],
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        stdin=subprocess.DEVNULL,
    )
    if answer.returncode == 0:
        return ""
    found = re.search(r"(\S+): cannot open shared object file", answer.stderr)
    if found:
        return found[1]
    lines = answer.stderr.strip().splitlines()
    return lines[-1] if lines else f"it ended with {answer.returncode}"


def _require(packages: tuple[str, ...], problem: str, say: Say) -> None:
    """Install by apt as root or with a password-less sudo; else name the line and end with 2."""
    sudo = "" if os.geteuid() == 0 else "sudo "
    line = f"{sudo}apt-get update && {sudo}apt-get install --no-install-recommends {' '.join(packages)}"
    if not shutil.which("apt-get"):
        say(f"{problem} Install what Debian calls: {' '.join(packages)}")
        raise SystemExit(2)
    prefix = _privilege()
    if prefix is None:
        say(f"{problem} Run this, then start again:\n  {line}")
        raise SystemExit(2)
    say(f"{problem} Installing by apt: {' '.join(packages)}")
    if not _apt(prefix, "install", "-y", "--no-install-recommends", *packages):
        # A fresh image has no package lists, an old one has lists of versions that are gone.
        _apt(prefix, "update")
        if not _apt(prefix, "install", "-y", "--no-install-recommends", *packages):
            say(f"apt-get failed, see above. Run this, then start again:\n  {line}")
            raise SystemExit(2)


def _privilege() -> list[str] | None:
    """What goes before apt-get; None when it may not be run without asking a person."""
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo"):
        asked = subprocess.run(
            ["sudo", "-n", "true"], capture_output=True, check=False, stdin=subprocess.DEVNULL
        )
        if asked.returncode == 0:
            return ["sudo", "-n"]
    return None


def _apt(prefix: list[str], *arguments: str) -> bool:
    wait = ["-q", "-o", "DPkg::Lock::Timeout=120"]
    return (
        subprocess.run(
            [*prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", *wait, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr,
            check=False,
        ).returncode
        == 0
    )
