"""Marks and comments as the window knows them: read whole, changed on a worker, noticed when others change them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from PySide6.QtCore import QObject, QTimer, Signal

from pod_desktop.store import Note
from pod_desktop.ui.bridge import Desk, Worker

_WATCH_MS: Final = 1_000
_MOST_AT_ONCE: Final = 10_000


class NoteBook(QObject):
    """The notes of the data directory."""

    changed = Signal()
    failed = Signal(object)
    """The exception of a change that was not kept."""

    def __init__(self, desk: Desk, parent: QObject) -> None:
        super().__init__(parent)
        self._desk = desk
        self._worker = Worker("notes", self)
        self._notes: Mapping[str, Note] = {}
        self._version: int | None = None
        self._watch = QTimer(self, interval=_WATCH_MS)
        self._watch.timeout.connect(self.refresh)
        self._watch.start()
        self.refresh()

    def of(self, record_id: str) -> Note | None:
        """What is noted about a record."""
        return self._notes.get(record_id)

    def marked(self, record_id: str) -> bool:
        """Whether the record is marked."""
        note = self._notes.get(record_id)
        return note is not None and note.marked

    @property
    def marks(self) -> int:
        """How many records are marked."""
        return sum(note.marked for note in self._notes.values())

    def toggle_marks(self, record_ids: Sequence[str]) -> None:
        """Mark these records; where all are marked, take the marks away."""
        ids = list(record_ids[:_MOST_AT_ONCE])
        if ids:
            wanted = not all(map(self.marked, ids))
            self._change(lambda: self._desk.mark(ids, wanted))

    def comment(self, record_ids: Sequence[str], words: str) -> None:
        """Say something about records; '' takes their comments away."""
        ids = list(record_ids[:_MOST_AT_ONCE])
        self._change(lambda: self._desk.comment(ids, words))

    def _change(self, work: Callable[[], None]) -> None:
        self._worker.ask(work, lambda _done: self.refresh(), self.failed.emit, owner=self)

    def refresh(self) -> None:
        """Read the notes again if they changed."""
        known = self._version

        def read() -> tuple[int, Mapping[str, Note]] | None:
            version = self._desk.notes_version()
            return None if version == known else (version, self._desk.notes())

        self._worker.ask(read, self._came, lambda _error: None, owner=self, key="read")

    def _came(self, found: tuple[int, Mapping[str, Note]] | None) -> None:
        if found is not None:
            self._version, notes = found
            if notes != self._notes:
                self._notes = notes
                self.changed.emit()

    def stop(self) -> None:
        """No more asking; what is being written is finished."""
        self._watch.stop()
        self._worker.stop()
