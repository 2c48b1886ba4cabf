"""Files of the window: which to open, where to export to, what is dropped onto it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from PySide6.QtCore import QMimeData, QObject, Qt, QTimer, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from pod_desktop.ui.bridge import Desk, Job, Worker
from pod_desktop.ui.events.page import EventsPage
from pod_desktop.ui.widgets.activity import ActivityPanel

_FILTER: Final = "Log files (*.ndjson *.jsonl *.json *.log *.txt *.gz *.zst);;All files (*)"
_WATCH_MS: Final = 200


def dropped(data: QMimeData) -> list[Path]:
    """The files and folders of this computer among what is dragged."""
    return [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]


class Files(QObject):
    """Asks for files, never waiting in a dialog, and writes exports beside the work."""

    chosen = Signal(object)
    """A list of Paths to import."""

    def __init__(
        self, window: QWidget, desk: Desk, events: EventsPage, start_activity: Callable[[str], ActivityPanel]
    ) -> None:
        super().__init__(window)
        self._window = window
        self._desk = desk
        self._events = events
        self._start_activity = start_activity
        self._worker = Worker("export", self)

    def choose_files(self) -> None:
        """Ask which log files to open."""
        dialog = QFileDialog(self._window, "Open Log Files", "", _FILTER)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        self._open_dialog(dialog)

    def choose_folder(self) -> None:
        """Ask which folder of log files to open."""
        dialog = QFileDialog(self._window, "Open Log Folder")
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        self._open_dialog(dialog)

    def _open_dialog(self, dialog: QFileDialog) -> None:
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.filesSelected.connect(lambda names: self.chosen.emit([Path(name) for name in names]))
        dialog.open()

    def export(self, form: str) -> None:
        """Ask where to write all matching records, then write them beside the work."""
        dialog = QFileDialog(self._window, f"Export as {form.upper()}")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setFileMode(QFileDialog.FileMode.AnyFile)
        dialog.setDefaultSuffix(form)
        dialog.setNameFilter(f"{form.upper()} (*.{form})")
        dialog.selectFile(f"records.{form}")
        dialog.fileSelected.connect(lambda name: self.export_to(Path(name), form))
        dialog.open()

    def export_to(self, path: Path, form: str) -> ActivityPanel:
        """Write all records that match the question shown."""
        question, job = self._events.question(), Job()
        job.total = self._events.model.total
        panel = self._start_activity(f"Exporting to {path.name}"[:80])
        panel.cancelled.connect(job.cancel)
        watch = QTimer(panel, interval=_WATCH_MS)
        watch.timeout.connect(lambda: panel.progress(job.done, job.total))
        watch.start()

        def done(count: int) -> None:
            watch.stop()
            panel.finish(
                f"Cancelled after {count:,} records"
                if job.cancelled
                else f"{count:,} records written to {path}"
            )

        def failed(error: BaseException) -> None:
            watch.stop()
            panel.finish(f"Nothing complete was written: {error}", failed=True)

        self._worker.ask(lambda: self._desk.export(question, path, form, job), done, failed, owner=panel)
        return panel

    def stop(self) -> None:
        """No more exporting; what is being written is given up."""
        self._worker.stop()
