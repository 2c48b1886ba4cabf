"""The strip above the rows: how many there are, how long that took, and when they were."""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from pod_desktop.ui.events.histogram import Histogram
from pod_desktop.ui.events.timerange import bar_words
from pod_desktop.ui.moments import Zone
from pod_desktop.ui.text import PlainLabel
from pod_desktop.ui.widgets import Button, hairline


class Strip(QWidget):
    """`1,946 of 4,112,908`, `11 ms · 1 bar = 10 s`, and the histogram."""

    def __init__(self, zone: Zone, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.histogram = Histogram(zone)
        self.shown = PlainLabel("", "strong")
        self.of = PlainLabel("")
        self.took = PlainLabel("", "note")
        self.cancel = Button("Cancel", "link", name="Stop searching")
        self.cancel.hide()
        top = QHBoxLayout()
        top.setSpacing(4)
        top.addWidget(self.shown)
        top.addWidget(self.of, 1)
        below = QHBoxLayout()
        below.setSpacing(4)
        below.addWidget(self.took)
        below.addWidget(self.cancel)
        below.addStretch(1)
        words = QVBoxLayout()
        words.setContentsMargins(0, 0, 0, 0)
        words.setSpacing(2)
        words.addStretch(1)
        words.addLayout(top)
        words.addLayout(below)
        words.addStretch(1)
        left = QWidget()
        left.setLayout(words)
        left.setFixedWidth(160)
        inner = QWidget()
        inner.setFixedHeight(63)
        row = QHBoxLayout(inner)
        row.setContentsMargins(12, 6, 12, 6)
        row.setSpacing(12)
        row.addWidget(left)
        row.addWidget(self.histogram, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(inner)
        column.addWidget(hairline())

    def tell(
        self,
        total: int,
        whole: int | None,
        *,
        searching: float | None,
        progress: float | None,
        stopped: bool,
        seconds: float,
        every: int,
    ) -> None:
        """Say how many, of how many (None: that is all), how long it takes or took, and what a bar is.

        Args:
            searching: seconds since the search began; None when it is over.
            progress: how much of a long one is done, 0 to 1.
            seconds: how long it took; 0 where nothing was searched.
            every: width of a bar, microseconds; 0 where there is none.
        """
        self.shown.setText(f"{total:,}")
        self.of.setText("records" if whole is None else f"of {max(whole, total):,}")
        self.cancel.setVisible(searching is not None)
        words = []
        if searching is not None:
            done = "searching" if progress is None else f"{progress:.0%} ·"
            words.append(f"{done} {searching:.1f} s")
        elif stopped:
            words.append("stopped")
        elif seconds:
            words.append(took_words(seconds))
        if every and searching is None:
            words.append(bar_words(every))
        self.took.setText(" · ".join(words))


def took_words(seconds: float) -> str:
    """`11 ms`, `2.4 s`."""
    return f"{seconds * 1000:,.0f} ms" if seconds < 1 else f"{seconds:,.1f} s"
