"""Marks and comments of playbooks, carried from the playbooks' file to the notes that people see and search.

The firing's row is the intent. The note and how far rows were carried are one transaction of the notes' file,
so each row is carried once, whenever the process ends, and what a person takes away afterwards stays away.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from pod_desktop.core.playbook import MARK
from pod_desktop.store import Notes, Noting, Playbooks

BATCH: Final = 200
"""Rows of one transaction."""


class Carrying:
    """From one file to the other. Used from one thread."""

    def __init__(self, playbooks: Playbooks, open_notes: Callable[[], Notes]) -> None:
        """`open_notes` gives the notes, which this closes; called when there is something to carry."""
        self._playbooks = playbooks
        self._open = open_notes
        self._notes: Notes | None = None
        self._source = ""
        self._after = 0

    def carry(self, now: int) -> int:
        """Carry what is new; how many rows. `now` in microseconds UTC.

        Raises:
            Outage: one of the files is failing; what was not carried is carried the next time.
        """
        carried, newest = 0, self._playbooks.newest_row()
        while self._after < newest and (rows := self._playbooks.to_note(self._after, BATCH)):
            if self._notes is None:
                self._notes = self._open()
                self._source = self._playbooks.identity()
                if done := self._notes.carried(self._source):
                    self._after = done
                    continue
            self._notes.carry(
                self._source, [Noting(row.id, row.records, row.type == MARK, row.text) for row in rows], now
            )
            self._after = rows[-1].id
            carried += len(rows)
        # What was read before the rows were: a row that came meanwhile has a higher number.
        self._after = max(self._after, newest)
        return carried

    def close(self) -> None:
        """Let go of the notes."""
        if self._notes is not None:
            self._notes.close()
            self._notes = None
