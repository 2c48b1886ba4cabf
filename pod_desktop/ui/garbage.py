"""Cyclic garbage is collected on the window's thread only.

Python collects on whichever thread happens to allocate. Where that is a worker, it destroys widgets and models
of a closed dialog there, under the feet of the window's thread, and the program crashes.
"""

from __future__ import annotations

import gc
from typing import Final

from PySide6.QtCore import QObject, QTimer

LOOK_MS: Final = 200


class Garbage(QObject):
    """Takes the collecting over from the interpreter until stop()."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._thresholds = gc.get_threshold()
        gc.disable()
        self._timer = QTimer(self, interval=LOOK_MS)
        self._timer.timeout.connect(self.look)
        self._timer.start()

    def look(self) -> None:
        """Collect the oldest generation that the interpreter would have collected by now."""
        counts = gc.get_count()
        for generation in (2, 1, 0):
            if counts[generation] > self._thresholds[generation]:
                gc.collect(generation)
                return

    def stop(self) -> None:
        """Give the collecting back."""
        self._timer.stop()
        gc.enable()
