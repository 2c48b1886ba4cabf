"""The whole program: `python tests/bench/bench_program.py [--records 1000000] [--rate 500] [--only start|visible|memory]`.

Start: from exec to the first painted window, against `import PySide6.QtWidgets` in the same interpreter.
Visible: from a record's own time (the moment the simulated cluster lets it go) to its row in the table.
Memory: of service and window on a store of so many records, with the window's first page shown.
"""

from __future__ import annotations

import argparse
import compileall
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

os.environ["QT_QPA_PLATFORM"] = os.environ.get("QT_QPA_PLATFORM", "offscreen")

import psutil

import pod_desktop

IMPORT = "import PySide6.QtWidgets"
FIRST_PAINT = """
import sys, time, os
from pathlib import Path
from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QApplication
from pod_desktop import app as program
from pod_desktop.ui import session as sessions
begun = float(os.environ["BEGUN"])
class Watch(QObject):
    def eventFilter(self, seen, event):
        if event.type() == QEvent.Type.Paint and seen is window:
            print(time.time() - begun, flush=True)
            os._exit(0)  # what comes after the first paint is not measured
        return False
home = program.open_home(Path(sys.argv[1]))
app = QApplication([])
session = sessions.Session(app, sessions.WindowLoop(app), home, None)
window = session.window
watch = Watch()
app.installEventFilter(watch)
session.start()
app.exec()
"""


def seconds(code: str, *arguments: str) -> float:
    """Wall time of a child that runs this code; or what it prints, if it prints a number."""
    begun = time.time()
    answer = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env={**os.environ, "BEGUN": str(begun)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    took = time.time() - begun
    return float(answer.stdout) if answer.stdout.strip() else took


def start(folder: Path, rounds: int = 7) -> None:
    # As packaging/run.py installs it.
    compileall.compile_dir(Path(pod_desktop.__file__).parent, quiet=1)
    for code, arguments in ((IMPORT, ()), (FIRST_PAINT, (str(folder),))):
        seconds(code, *arguments)
    pairs = [(seconds(IMPORT), seconds(FIRST_PAINT, str(folder))) for _ in range(rounds)]
    imports, paints = zip(*pairs, strict=True)
    ratio = statistics.median(paint / plain for plain, paint in pairs)
    print(f"import PySide6.QtWidgets      {statistics.median(imports) * 1000:.0f} ms")
    print(
        f"exec to first painted window  {statistics.median(paints) * 1000:.0f} ms = {ratio:.1f} x   (goal <= 3.5 x)"
    )


@contextmanager
def program(folder: Path, rate: float | None) -> Iterator[tuple[object, object]]:
    """A window over this folder with its service; fed by a simulated cluster if a rate is given."""
    from PySide6.QtCore import QObject
    from PySide6.QtWidgets import QApplication

    from pod_desktop.app import open_home
    from pod_desktop.ui.demo import Demo, connect_demo
    from pod_desktop.ui.session import Session

    class NoLoop(QObject):
        def stop(self) -> None: ...

    home = open_home(folder)
    home.use_memory_vault("a bench keeps its keys in memory")
    app = QApplication.instance() or QApplication([])
    session = Session(app, NoLoop(), home, None)  # type: ignore[arg-type]
    session.start()
    demo = Demo()
    try:
        if rate is not None:
            from pod_desktop.services.connectors import Connectors
            from pod_desktop.ui import demo as demos

            demos.RATE = rate  # type: ignore[misc, assignment]
            coordinates = demo.start()
            connect_demo(Connectors(home.ledger, home.vault, home.clock), coordinates)
            session.secrets_changed()
        yield app, session
    finally:
        coroutine = session.closed()
        session._ends_service = True
        with suppress(StopIteration):
            coroutine.send(None)
        demo.remove()
        home.close()


def visible(folder: Path, rate: float, length: float = 20.0) -> None:
    """How old the newest row is whenever a newer one has appeared."""
    with program(folder, rate) as (app, session):
        model = session.window.events.model  # type: ignore[attr-defined]
        deadline = time.monotonic() + 240
        while time.monotonic() < deadline:
            app.processEvents()  # type: ignore[attr-defined]
            states = {status.state for status in session._statuses if status.kind in ("message", "maillog")}  # type: ignore[attr-defined]
            if states == {"live"}:
                break
            time.sleep(0.01)
        delays: list[float] = []
        newest, end = 0, time.monotonic() + length
        first = model.total
        while time.monotonic() < end:
            app.processEvents()  # type: ignore[attr-defined]
            row = model.row(0)
            if row is not None and row.time > newest:
                delays.append(time.time() - row.time / 1e6)
                newest = row.time
            time.sleep(0.002)
        came = (model.total - first) / length
    ordered = sorted(delays)
    p50, p95 = ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.95)]
    print(
        f"record's time to its row, {came:.0f} records/s came (asked {rate:.0f}): "
        f"p50 {p50 * 1000:.0f} ms, p95 {p95 * 1000:.0f} ms over {len(ordered)} first rows   (goal p95 <= 300 ms)"
    )


def memory(folder: Path, records: int) -> None:
    """Import so many records, then open the window on them."""
    file = folder.parent / "records.ndjson"
    command = [sys.executable, "-m", "pod_desktop"]
    subprocess.run([*command, "simulate", "--export", str(file), "--records", str(records)], check=True, stdout=subprocess.DEVNULL)  # fmt: skip
    begun = time.monotonic()
    subprocess.run([*command, "--data-dir", str(folder), "import", str(file)], check=True)
    print(f"imported in {time.monotonic() - begun:.0f} s")
    file.unlink()
    with program(folder, None) as (app, session):
        model = session.window.events.model  # type: ignore[attr-defined]
        end = time.monotonic() + 10
        while time.monotonic() < end or model.total < records:
            app.processEvents()  # type: ignore[attr-defined]
            time.sleep(0.01)
        window = psutil.Process().memory_info().rss / 1e6
        service = psutil.Process(session.service.pid).memory_info().rss / 1e6  # type: ignore[attr-defined]
        print(f"{model.total:,} records: window {window:.0f} MB, service {service:.0f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--rate", type=float, default=500)
    parser.add_argument("--only", choices=("start", "visible", "memory"))
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        if given.only in (None, "start"):
            start(Path(scratch) / "start")
        if given.only in (None, "visible"):
            visible(Path(scratch) / "visible", given.rate)
        if given.only in (None, "memory"):
            memory(Path(scratch) / "memory", given.records)


if __name__ == "__main__":
    main()
