"""Long scans on the Events screen: rows, counts and facets by workers, how far they are, stopping, damaged parts."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import apsw
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from builders import as_bytes, message
from pod_desktop import content, store
from pod_desktop.core.clock import SECOND, SystemClock
from pod_desktop.core.record import Arrival
from pod_desktop.services import scanning
from pod_desktop.services.scan_pool import Pool
from pod_desktop.services.scanning import Help, ScanningReader
from pod_desktop.store import LIVE, Commit, Ledger, Source
from pod_desktop.store.writer import SegmentWriter
from pod_desktop.ui.desk import StoreDesk
from pod_desktop.ui.moments import Zone
from pod_desktop.ui.window import MainWindow

HERE = Source(connector="acme", tenant="Acme", cluster_id="acme_hosted")
COUNT = 600


class ScanningDesk(StoreDesk):
    """Over a store of its own whose scans are done by one worker."""

    def __init__(self, root: Path) -> None:
        self.folder = root / "events"
        self.pool = Pool(self.folder, workers=1)
        self.rows = range(COUNT)
        self._readers: list[ScanningReader] = []
        self._ledger_file = Ledger(root / "ledger.db")
        super().__init__(self._open, self._ledger_file, SystemClock(), Zone(utc=True), lambda: True)

    def _open(self) -> ScanningReader:
        self._readers.append(ScanningReader(store.open_reader(self.folder), self.pool, Help(0.0, False)))
        return self._readers[-1]

    def shut(self) -> None:
        for pid in self.pool.pids:
            os.kill(pid, signal.SIGCONT)
        self.pool.close()
        for reader in self._readers:
            reader.close()
        self._ledger_file.close()


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ScanningDesk]:
    monkeypatch.setattr(scanning, "FEW_RECORDS", 1)
    monkeypatch.setattr(scanning, "PIECE_RECORDS", 16)
    monkeypatch.setattr("pod_desktop.services.browse.OPEN_SECONDS", -1.0)
    now = time.time_ns() // 1000
    writer = SegmentWriter(tmp_path / "events", clock=SystemClock(), segment_records=200)
    for part in range(0, COUNT, 100):
        raws = [
            as_bytes(message(guid=f"guid-{number}", time=now - (COUNT - number) * SECOND, odd={"n": number}))
            for number in range(part, part + 100)
        ]
        records = [Arrival(content.read("message", raw, now), raw) for raw in raws]
        writer.commit(Commit(source=HERE, lane=LIVE, records=records, stream="acme/message"))
        while writer.busy():
            time.sleep(0.002)
        writer.tidy()
    writer.close()
    opened = ScanningDesk(tmp_path)
    yield opened
    opened.shut()


@pytest.fixture
def make(make_window: Callable[..., MainWindow]) -> Callable[..., MainWindow]:
    """The desk outlives the window: fixtures end in this order."""
    return make_window


@pytest.fixture
def window(desk: ScanningDesk, make: Callable[..., MainWindow]) -> MainWindow:
    return make(desk)


def test_rows_bars_and_facets_of_a_scan_agree(qtbot: QtBot, window: MainWindow, desk: ScanningDesk) -> None:
    events = window.events
    events.query.set_text("$.odd.n:>=250")
    qtbot.waitUntil(lambda: events.model.total == COUNT - 250 and not events.feed.searching)
    assert events.feed.progress == 1
    box = next(one for one in events.facets.boxes if one.field == "rule")
    qtbot.waitUntil(lambda: box.values == [("notspam", str(COUNT - 250))])
    assert not events.partial.isVisible()
    assert len(desk.pool.pids) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="stopped by a signal")
def test_escape_stops_a_scan_at_once(qtbot: QtBot, window: MainWindow, desk: ScanningDesk) -> None:
    events = window.events
    events.query.set_text("$.odd.n:>=1")
    qtbot.waitUntil(lambda: events.model.total == COUNT - 1 and not events.feed.searching)
    (pid,) = desk.pool.pids
    os.kill(pid, signal.SIGSTOP)
    events.query.set_text("$.odd.n:>=2")
    qtbot.waitUntil(lambda: events.strip.took.text().startswith("0% ·"))
    qtbot.waitUntil(lambda: desk.pool.busy == [pid])
    events.query.line.setFocus()
    qtbot.keyClick(events.query.line, Qt.Key.Key_Escape)
    assert not events.feed.searching
    assert events.strip.took.text().startswith("stopped")
    os.kill(pid, signal.SIGCONT)
    qtbot.waitUntil(lambda: not desk.pool.busy)
    assert desk.pool.pids == [pid]


def test_a_damaged_segment_is_named_above_the_rows(
    qtbot: QtBot, desk: ScanningDesk, make: Callable[..., MainWindow]
) -> None:
    broken = apsw.Connection(str(desk.folder / "segment-1.db"))
    broken.execute("update raw set block = zeroblob(length(block))")
    broken.close()
    window = make(desk)
    events = window.events
    assert not events.partial.isVisible()
    events.query.set_text("$.odd.n:>=0")
    qtbot.waitUntil(lambda: not events.feed.searching and events.feed.came)
    qtbot.waitUntil(events.partial.isVisible)
    assert "segment-1.db" in events.partial.accessibleName()
    assert 0 < events.model.total < COUNT
