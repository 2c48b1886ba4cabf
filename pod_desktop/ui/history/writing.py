"""Writing what a page shows to a file: asking where, and writing it whole or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QWidget

from pod_desktop.core import blocks
from pod_desktop.core.action import Action
from pod_desktop.core.faults import Outage
from pod_desktop.services import history
from pod_desktop.services.exporting import dumps
from pod_desktop.ui.folders import path_buttons
from pod_desktop.ui.widgets import Notice


def ask_where(
    over: QWidget, title: str, name: str, form: str, then: Callable[[Path, str], object]
) -> QFileDialog:
    """Ask for a file of a form (`csv`, `ndjson`); `then` hears of its path and form."""
    dialog = QFileDialog(over, title)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setFileMode(QFileDialog.FileMode.AnyFile)
    dialog.setDefaultSuffix(form)
    dialog.selectFile(f"{name}.{form}")
    dialog.fileSelected.connect(lambda chosen: then(Path(chosen), form))
    dialog.open()
    return dialog


async def write_history(path: Path, actions: Sequence[Action], form: str) -> None:
    """Write CSV (for spreadsheets, no cell computes) or NDJSON (one action a line).

    Raises:
        Outage: the file cannot be written; nothing half is left.
    """

    def bytes_of() -> bytes:
        if form == "csv":
            return history.to_csv(actions)
        return b"".join(dumps(history.as_object(action)) + b"\n" for action in actions)

    await asyncio.to_thread(write_whole, path, bytes_of)


def write_whole(path: Path, bytes_of: Callable[[], bytes]) -> None:
    """Write a file in one go: it is whole, or as it was before."""
    part = path.with_name(path.name + ".part")
    try:
        part.write_bytes(bytes_of())
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise Outage(
            f"The file cannot be written ({error.strerror}).", str(path), "Choose another place."
        ) from None


def tell_written(notice: Notice, what: str, path: Path) -> None:
    """Say what was written and where, with the ways to it."""
    notice.say(f"{what} written to {path}", blocks.GOOD)
    notice.offer(path_buttons(path))
