"""What painting costs: the table's own painter against Qt's default delegate, and how late timers come.

    QT_QPA_PLATFORM=offscreen python tests/bench/bench_window.py [seconds]

Prints one JSON object. Goals: ratio at most 0.35; lateness of a 16 ms timer at 2,000 records a second at most
2 repaints at the 99th percentile.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "ui")]

from fakedesk import FakeDesk, row  # noqa: E402
from PySide6.QtCore import QEventLoop, QSettings, Qt, QTimer  # noqa: E402
from PySide6.QtWidgets import QApplication, QHeaderView, QTableView  # noqa: E402

from pod_desktop.ui.events.columns import COLUMNS, INDEX  # noqa: E402
from pod_desktop.ui.events.table import ROW_HEIGHT, EventTable  # noqa: E402
from pod_desktop.ui.loop import SWITCH_SECONDS  # noqa: E402
from pod_desktop.ui.preferences import Preferences  # noqa: E402
from pod_desktop.ui.theme import LIGHT, Theme  # noqa: E402
from pod_desktop.ui.window import MainWindow  # noqa: E402

ROWS, SHOWN = 42, 9
RECORDS_A_SECOND = 2_000
ROUNDS = 60
OUTCOMES = ("delivered", "quarantined", "discarded", "rejected", "other")


def record(number: int, moment: int) -> object:
    """A record like those of a feed."""
    return row(
        number, moment, outcome=OUTCOMES[number % 5], subject=f"Re: Quarterly numbers, revision {number} of the draft",
        sender=f"someone.{number % 97}@partner{number % 13}.example", score=number % 100,
        recipient_count=number % 3 + 1,
    )  # fmt: skip


def wait(milliseconds: int) -> None:
    """Let the window work."""
    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()


def repaint_ms(table: QTableView) -> float:
    """Median of full repaints, as the screen would get them."""
    times = []
    for _round in range(ROUNDS):
        started = time.perf_counter()
        table.viewport().repaint()
        times.append((time.perf_counter() - started) * 1000)
    return statistics.median(times)


def default_table(window: MainWindow) -> QTableView:
    """The same model in Qt's own table with its own delegate."""
    table = QTableView()
    table.setModel(window.events.model)
    table.verticalHeader().hide()
    table.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
    table.verticalHeader().setDefaultSectionSize(ROW_HEIGHT)
    table.setWordWrap(False)
    return table


def show_nine_columns(table: QTableView) -> None:
    """Nine columns of the same widths in both tables, and room for 42 rows."""
    keys = ("time", "outcome", "sender", "recipients", "subject", "score", "ip", "tenant", "connector")
    header = table.horizontalHeader()
    for column in COLUMNS:
        place = INDEX[column.key]
        header.setSectionHidden(place, column.key not in keys)
        header.resizeSection(place, column.width)
    table.resize(1_240, ROWS * ROW_HEIGHT + header.height() + 2)


def lateness(window: MainWindow, desk: FakeDesk, seconds: float) -> dict[str, float]:
    """How late a 16 ms timer comes while records arrive, and the share of the window's thread."""
    late: list[float] = []
    last = [time.perf_counter()]

    def beat() -> None:
        now = time.perf_counter()
        late.append(max(0.0, (now - last[0]) * 1000 - 16))
        last[0] = now

    def arrive() -> None:
        now = time.time_ns() // 1000
        first = len(desk.rows)
        desk.add(record(first + one, now + one) for one in range(RECORDS_A_SECOND // 20))  # type: ignore[misc]

    timers = []
    for every, slot in ((16, beat), (50, arrive)):
        timer = QTimer()
        timer.setTimerType(Qt.TimerType.PreciseTimer)
        timer.timeout.connect(slot)
        timer.start(every)
        timers.append(timer)
    last[0], cpu, started = time.perf_counter(), time.thread_time(), time.perf_counter()
    before = window.events.model.total
    wait(int(seconds * 1000))
    for timer in timers:
        timer.stop()
    spent = time.perf_counter() - started
    late.sort()
    return {
        "late_p50_ms": round(late[len(late) // 2], 2),
        "late_p99_ms": round(late[int(len(late) * 0.99)], 2),
        "late_max_ms": round(late[-1], 2),
        "window_thread_share": round((time.thread_time() - cpu) / spent, 3),
        "records_shown_a_second": round((window.events.model.total - before) / spent),
    }


def main() -> None:
    """Measure and print."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
    app = QApplication([])
    theme = Theme(app, LIGHT)
    sys.setswitchinterval(SWITCH_SECONDS)
    now = time.time_ns() // 1000
    desk = FakeDesk(rows=[record(number, now - (20_000 - number) * 1_000) for number in range(20_000)])  # type: ignore[misc]
    with tempfile.TemporaryDirectory() as folder:
        settings = QSettings(str(Path(folder) / "s.ini"), QSettings.Format.IniFormat)
        window = MainWindow(desk, Preferences(settings), theme)
        window.resize(1_440, 900)
        window.show()
        wait(800)
        own = EventTable(window.events.model, Preferences(settings))
        theirs = default_table(window)
        for table in (own, theirs):
            show_nine_columns(table)
            table.show()
            wait(300)
        paint = repaint_ms(own)
        sheet = app.styleSheet()
        app.setStyleSheet("")  # Qt's delegate is slower with one: without, it has the better case
        default = repaint_ms(theirs)
        app.setStyleSheet(sheet)
        own.close()
        theirs.close()
        wait(100)
        measured = lateness(window, desk, seconds)
        window.stop()
    ratio = paint / default
    print(
        json.dumps(
            {
                "rows": ROWS,
                "columns": SHOWN,
                "repaint_ms": round(paint, 2),
                "default_delegate_ms": round(default, 2),
                "ratio": round(ratio, 3),
                "ratio_goal": 0.35,
                **measured,
                "late_p99_repaints": round(measured["late_p99_ms"] / paint, 2),
                "late_goal_repaints": 2,
            }
        )
    )


if __name__ == "__main__":
    main()
