"""Folders of this computer, shown by its own file manager: where an export went, where the data is.

The one door to another program. Its argument is a folder that the user chose or that is ours, never a text of
a record, and it goes as one word of a fixed command: nothing interprets it.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from PySide6.QtCore import QProcess, QProcessEnvironment, QStandardPaths
from PySide6.QtWidgets import QHBoxLayout, QWidget

from pod_desktop.ui.text import copy
from pod_desktop.ui.widgets import Button

_OPENERS: Final = {"win32": "explorer", "darwin": "open"}
_OTHER: Final = "xdg-open"
_FROZEN: Final = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
"""A packed program sets these for itself and keeps the user's own as <name>_ORIG (PyInstaller's manual)."""


def opener() -> str:
    """The program that shows a folder here; '' where there is none."""
    return QStandardPaths.findExecutable(_OPENERS.get(sys.platform, _OTHER))


def open_folder(folder: Path) -> bool:
    """Show a folder; False where that cannot be done."""
    program = opener()
    if not program or not folder.is_absolute() or not folder.is_dir():
        return False
    process = QProcess()
    process.setProgram(program)
    process.setArguments([str(folder)])
    process.setProcessEnvironment(_own_environment())
    process.setStandardOutputFile(QProcess.nullDevice())
    process.setStandardErrorFile(QProcess.nullDevice())
    # The stubs say (started, pid), which the function without a pid to fill does not give.
    return bool(process.startDetached())


def path_buttons(path: Path) -> QWidget:
    """Open the folder of a file (where this computer can), copy the file's path."""
    whole = path.absolute()
    buttons = QWidget()
    row = QHBoxLayout(buttons)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(8)
    if opener():
        row.addWidget(Button("Open folder", "link", lambda: open_folder(whole.parent)))
    row.addWidget(Button("Copy path", "link", lambda: copy(str(whole))))
    return buttons


def _own_environment() -> QProcessEnvironment:
    environment = QProcessEnvironment.systemEnvironment()
    for name in _FROZEN:
        if environment.contains(f"{name}_ORIG"):
            environment.insert(name, environment.value(f"{name}_ORIG"))
        elif getattr(sys, "frozen", False):
            environment.remove(name)
    return environment
