"""The event store on segments: what other rooms open it by."""

from __future__ import annotations

from pathlib import Path

from pod_desktop.core.clock import Clock
from pod_desktop.store.port import Reader, Writer
from pod_desktop.store.reader import SegmentReader
from pod_desktop.store.writer import SegmentWriter


def open_writer(folder: Path, *, clock: Clock) -> Writer:
    """The one writer of the events in this folder.

    Raises:
        Outage: another program writes here, the disk is full or failing, or a newer version wrote the events.
    """
    return SegmentWriter(folder, clock=clock)


def open_reader(folder: Path) -> Reader:
    """A reader of the events in this folder; there may be none yet.

    Raises:
        Outage: the catalog is damaged, or a newer version wrote the events.
    """
    return SegmentReader(folder)
