"""The Events screen over a real store: from what is typed to rows, facets, columns, notes and files."""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from builders import as_bytes, maillog_to, message
from pod_desktop import content, store
from pod_desktop.core.clock import SECOND, SystemClock
from pod_desktop.core.faults import Outage
from pod_desktop.core.record import Arrival
from pod_desktop.store import LIVE, NOTES_FILE, Commit, Ledger, Notes, Source
from pod_desktop.store.writer import SegmentWriter
from pod_desktop.ui.bridge import Job
from pod_desktop.ui.desk import StoreDesk
from pod_desktop.ui.moments import Zone
from pod_desktop.ui.window import MainWindow

Make = Callable[..., MainWindow]
HERE = Source(connector="acme", tenant="Acme", cluster_id="acme_hosted")
COUNT = 120


class RealDesk(StoreDesk):
    """Over a store of its own; `rows` for the fixture that waits for them."""

    def __init__(self, root: Path) -> None:
        self._readers: list[store.Reader] = []
        self._root = root
        self.writer = SegmentWriter(root / "events", clock=SystemClock(), segment_records=50)
        self.ledger = Ledger(root / "ledger.db")
        self.now = time.time_ns() // 1000
        self.rows: list[int] = []
        super().__init__(
            self._open, self.ledger, SystemClock(), Zone(utc=True), lambda: True, lambda: Notes(root / NOTES_FILE)
        )  # fmt: skip

    def _open(self) -> store.Reader:
        self._readers.append(store.open_reader(self._root / "events"))
        return self._readers[-1]

    def add(self, kind: str, raw: bytes) -> None:
        records = [Arrival(content.read(kind, raw, self.now), raw)]
        self.writer.commit(Commit(source=HERE, lane=LIVE, records=records, stream=f"acme/{kind}"))
        self.rows.append(len(self.rows))

    def shut(self) -> None:
        self.close()
        for reader in self._readers:
            reader.close()
        self.writer.close()
        self.ledger.close()


@pytest.fixture
def real(tmp_path: Path) -> Iterator[RealDesk]:
    desk = RealDesk(tmp_path)
    for number in range(COUNT):
        desk.add(
            "message",
            as_bytes(
                message(
                    guid=f"guid-{number}", time=desk.now - (COUNT - number) * SECOND, score=number % 100,
                    sender=f"=user{number % 5}@{'evil' if number % 4 == 0 else 'good'}.example",
                    subject=f"Invoice {number}",
                )
            ),
        )  # fmt: skip
    desk.add("maillog", as_bytes(maillog_to(time=desk.now)))
    yield desk
    desk.shut()


@pytest.fixture
def make(make_window: Make) -> Make:
    """The desk outlives the window: fixtures end in this order."""
    return make_window


@pytest.fixture
def window(real: RealDesk, make: Make) -> MainWindow:
    return make(real)


def test_a_query_is_completed_from_the_records_and_found(qtbot: QtBot, window: MainWindow) -> None:
    events = window.events
    window.to_query()
    qtbot.keyClicks(events.query.line, "sender.domain:")
    qtbot.waitUntil(events.query.offers.isVisible)
    assert [offer.label for offer in events.query.offers.offers[:2]] == ["good.example", "evil.example"]
    qtbot.keyClicks(events.query.line, "ev")
    qtbot.waitUntil(lambda: [one.label for one in events.query.offers.offers] == ["evil.example"])
    qtbot.keyClick(events.query.line, Qt.Key.Key_Tab)
    assert events.query.text == "sender.domain:evil.example"
    qtbot.waitUntil(lambda: events.model.total == COUNT // 4)
    box = next(one for one in events.facets.boxes if one.field == "sender.domain")
    qtbot.waitUntil(lambda: box.values == [("evil.example", "30")])


def test_a_path_of_the_raw_record_becomes_a_column(qtbot: QtBot, window: MainWindow) -> None:
    path = "filter.modules.spam.scores.overall"
    window.events.on_records.add_column(path)
    place = window.events.model.place_of(f"field:{path}")
    assert place is not None
    window.events.table.grab()
    qtbot.waitUntil(lambda: window.events.model.index(1, place).data() == str((COUNT - 1) % 100))
    assert window.events.model.index(0, place).data() == "", "a mail-log line has no such path"


def test_marks_are_searched_and_outlive_the_window(
    qtbot: QtBot, window: MainWindow, real: RealDesk, make: Make
) -> None:
    window.events.table.setFocus()
    window.events.table.go_to(3)
    qtbot.keyClick(window.events.table, Qt.Key.Key_M)
    qtbot.waitUntil(lambda: window.events.notes.marks == 1)
    window.events.notes.comment(["message:guid-7"], "odd invoice")
    window.events.query.set_text("marked:true OR comment:invoice")
    qtbot.waitUntil(lambda: window.events.model.total == 2)
    window.events.notes.comment(["message:guid-7"], "")
    qtbot.waitUntil(lambda: window.events.model.total == 1)
    again = make(real, rows=COUNT + 1)
    qtbot.waitUntil(lambda: again.events.notes.marks == 1)


def test_exports_of_every_form_hold_what_was_found(qtbot: QtBot, window: MainWindow, tmp_path: Path) -> None:
    from pyarrow import parquet

    window.events.query.set_text("sender.domain:evil.example")
    qtbot.waitUntil(lambda: window.events.model.total == 30)
    for form in ("csv", "ndjson", "parquet"):
        panel = window.files.export_to(tmp_path / f"out.{form}", form)
        qtbot.waitUntil(lambda panel=panel: not panel.running)
        assert "30 records written" in panel.accessibleDescription()
    with (tmp_path / "out.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 30
    assert all(row["sender"].startswith("'=user") for row in rows), "no cell computes"
    lines = (tmp_path / "out.ndjson").read_text(encoding="utf-8").splitlines()
    assert {json.loads(line)["raw"]["guid"] for line in lines} == {row["id"].split(":")[1] for row in rows}
    table = parquet.read_table(tmp_path / "out.parquet")
    assert table.num_rows == 30 and table.column("sender")[0].as_py().startswith("=user")
    assert not list(tmp_path.glob("*.part"))


def test_a_cancelled_export_leaves_no_file(real: RealDesk, tmp_path: Path) -> None:
    from pod_desktop.ui.bridge import Question

    job = Job()
    job.cancel()
    assert real.export(Question(), tmp_path / "out.csv", "csv", job) == 0
    assert list(tmp_path.glob("out*")) == []
    with pytest.raises(Outage):
        real.export(Question(), tmp_path / "nowhere" / "out.csv", "csv", Job())


def test_rules_are_judged_on_the_raw_record(qtbot: QtBot, window: MainWindow, real: RealDesk) -> None:
    from pod_desktop.ui.bridge import ColourRule, Dress

    rows = [row for number in range(4) if (row := window.events.model.row(number)) is not None]
    bad, rules = ColourRule("((", "bad"), ColourRule("filter.modules.spam.scores.overall:>=19", "warn")
    found = real.looks(rows, Dress((), (bad, rules)))
    assert [look.tone for look in found] == ["", "warn", "", ""]


def test_the_desk_answers_all_that_the_window_asks() -> None:
    def asked(kind: type) -> set[str]:
        return {name for name in dir(kind) if not name.startswith("_")}

    from pod_desktop.ui.bridge import Desk

    wanted = asked(Desk)
    assert wanted <= asked(StoreDesk)
