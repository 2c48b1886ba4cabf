"""Files of the window: which to open, where to export to, what is dropped onto it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from PySide6.QtCore import QMimeData, QObject, Qt, QTimer, Signal
from PySide6.QtWidgets import QFileDialog, QWidget
from shiboken6 import isValid

from pod_desktop import query
from pod_desktop.core.faults import UserFault
from pod_desktop.core.record import EventRow
from pod_desktop.core.text import plural
from pod_desktop.ui.bridge import Desk, Job, Question, Worker
from pod_desktop.ui.events.page import EventsPage
from pod_desktop.ui.events.toolbar import ALL, CHOSEN, MARKED, VISIBLE, WHICH
from pod_desktop.ui.widgets.activity import ActivityPanel

_FILTER: Final = "Log files (*.ndjson *.jsonl *.json *.log *.txt *.gz *.zst);;All files (*)"
_WATCH_MS: Final = 200
MOST_CHOSEN: Final = 200_000
"""Selected records that are fetched for an export; a selection of everything is searched anew instead."""


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

    def export(self, form: str, which: str = ALL) -> None:
        """Ask where to write records (all matching, selected, marked or visible), then write them beside the work."""
        name = f"Export {WHICH[which]} Records as {form.upper()}"
        dialog = QFileDialog(self._window, name)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setFileMode(QFileDialog.FileMode.AnyFile)
        dialog.setDefaultSuffix(form)
        dialog.setNameFilter(f"{form.upper()} (*.{form})")
        dialog.selectFile(f"records.{form}")
        dialog.fileSelected.connect(lambda name: self.export_to(Path(name), form, which))
        dialog.open()

    def export_to(self, path: Path, form: str, which: str = ALL) -> ActivityPanel:
        """Write records to a file; all of them match the question shown."""
        events = self._events
        question, job = events.question(), Job()
        panel = self._start_activity(f"Exporting to {path.name}"[:80])
        panel.cancelled.connect(job.cancel)
        watch = QTimer(panel, interval=_WATCH_MS)
        watch.timeout.connect(lambda: panel.progress(job.done, job.total))
        watch.start()

        def done(count: int) -> None:
            watch.stop()
            if job.cancelled:
                panel.finish(f"Cancelled after {plural(count, 'record')}; nothing was written")
            else:
                panel.finish(f"{plural(count, 'record')} written to {path}", written=path)

        def failed(error: BaseException) -> None:
            watch.stop()
            panel.finish(f"Nothing complete was written: {error}", failed=True)

        def write(asked: Question, rows: Sequence[EventRow] | None, total: int) -> None:
            job.total = total
            self._worker.ask(
                lambda: self._desk.export(asked, path, form, job, rows), done, failed, owner=panel
            )

        def write_rows(rows: list[EventRow]) -> None:
            if not rows:
                failed(UserFault("No record is selected." if which == CHOSEN else "No record is in sight."))
            elif isValid(panel):
                write(question, rows, len(rows))

        if which == VISIBLE:
            write_rows(events.table.visible_rows())
        elif which == CHOSEN and 0 < events.table.chosen_count() < events.model.total:
            events.feed.rows_of(events.table.chosen_ranges(), MOST_CHOSEN, write_rows, failed)
        elif which == CHOSEN and not events.table.chosen_count():
            write_rows([])
        elif which == MARKED:
            text = query.conjoin(question.text, query.term("marked", "true"))
            write(replace(question, text=text), None, 0)
        else:
            write(question, None, events.model.total)
        return panel

    def stop(self) -> None:
        """No more exporting; what is being written is given up."""
        self._worker.stop()
