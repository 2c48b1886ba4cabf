"""The whole program: the window over a real store and a real service process, fed by a simulated cluster."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

os.environ["QT_QPA_PLATFORM"] = os.environ.get("POD_DESKTOP_TEST_PLATFORM", "offscreen")

import psutil
import pytest
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from builders import as_bytes, message
from pod_desktop.app import Home, open_home
from pod_desktop.core.connector import CollectConnector
from pod_desktop.core.secret import Secret
from pod_desktop.services.connectors import Connectors
from pod_desktop.simulator import running
from pod_desktop.store import Ask, lock_holder
from pod_desktop.ui.session import Session

LONG = 30_000
"""Milliseconds for anything to happen on a busy machine."""


class NoLoop(QObject):
    """Stands in for ui.loop.WindowLoop: the test turns Qt's own loop."""

    def __init__(self) -> None:
        super().__init__()
        self.stopped = False

    def stop(self) -> None:
        self.stopped = True


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    secrets = tmp_path / "secrets"
    secrets.mkdir(mode=0o700)
    monkeypatch.setenv("POD_DESKTOP_SECRETS_DIR", str(secrets))
    made = open_home(tmp_path / "data")
    yield made
    made.close()
    if pid := lock_holder(made.data_dir.service_lock):
        os.kill(pid, signal.SIGKILL)
        pytest.fail("a service was left behind")


@pytest.fixture
def open_session(qapp: QApplication, qtbot: QtBot, home: Home) -> Iterator[Callable[..., Session]]:
    made: list[Session] = []

    def make(**options: object) -> Session:
        session = Session(qapp, NoLoop(), home, None)  # type: ignore[arg-type]
        made.append(session)
        qtbot.addWidget(session.window)
        session.start(**options)  # type: ignore[arg-type]
        return session

    yield make
    for session in made:
        end(session, collecting=False)


def end(session: Session, *, collecting: bool) -> None:
    """Close the window as a person would, and wait for the service if it is to end."""
    coroutine = session.closed()
    session._ends_service = not collecting
    with pytest.raises(StopIteration):
        coroutine.send(None)
    if not collecting:
        wait(lambda: lock_holder(session._home.data_dir.service_lock) is None)


def wait(condition: Callable[[], object], seconds: float = LONG / 1000) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def connect(home: Home, sim: object) -> None:
    connector = CollectConnector(
        name="acme",
        tenant="Acme",
        cluster_id=sim.cluster_id,  # type: ignore[attr-defined]
        content_types=("message", "maillog"),
        collect_from="now",
        stream_url=sim.stream_url,  # type: ignore[attr-defined]
    )
    Connectors(home.ledger, home.vault, home.clock).create(
        connector,
        {"api_key": Secret(sim.api_keys[0])},  # type: ignore[attr-defined]
    )


def test_rows_appear_as_mail_arrives_and_go_on_after_the_service_was_killed(
    open_session: Callable[..., Session], home: Home, qtbot: QtBot
) -> None:
    with running(rate=20, seed=3) as sim:
        connect(home, sim)
        session = open_session()
        model = session.window.events.model
        qtbot.waitUntil(lambda: model.total > 20, timeout=LONG)
        first = session.service.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        qtbot.waitUntil(lambda: session.service.pid not in (None, first), timeout=LONG)
        before = model.total
        qtbot.waitUntil(lambda: model.total > before + 20, timeout=LONG)
        assert session.window.events.table.following


def test_a_closed_window_leaves_the_service_collecting_and_the_next_one_adopts_it(
    open_session: Callable[..., Session], home: Home, qtbot: QtBot
) -> None:
    with running(rate=20, seed=4) as sim:
        connect(home, sim)
        session = open_session()
        qtbot.waitUntil(lambda: session.window.events.model.total > 5, timeout=LONG)
        pid = session.service.pid
        end(session, collecting=True)
        records = home.reader.totals().records
        wait(lambda: home.reader.totals().records > records)
        again = open_session()
        qtbot.waitUntil(lambda: again.window.events.model.total > records, timeout=LONG)
        assert again.service.pid is None
        assert lock_holder(home.data_dir.service_lock) == pid


def test_files_are_imported_and_their_bad_lines_named(
    open_session: Callable[..., Session], qtbot: QtBot, tmp_path: Path
) -> None:
    good = [as_bytes(message(guid=f"guid-{number}")) for number in range(50)]
    path = tmp_path / "exported.ndjson"
    path.write_bytes(b"\n".join([*good[:25], b"no record", *good[25:]]))
    session = open_session(files=[path])
    events = session.window.events
    qtbot.waitUntil(lambda: events.model.total == 50, timeout=LONG)
    (panel,) = [
        session.window.activities.itemAt(number).widget()
        for number in range(session.window.activities.count())
    ]
    qtbot.waitUntil(lambda: "line 26" in panel._details, timeout=LONG)


def test_nothing_is_left_running_where_no_connector_is_active(
    open_session: Callable[..., Session], home: Home, qtbot: QtBot
) -> None:
    session = open_session()
    qtbot.waitUntil(lambda: home.ledger.service() is not None, timeout=LONG)
    end(session, collecting=True)
    wait(lambda: lock_holder(home.data_dir.service_lock) is None)


def start_demo(tmp_path: Path) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "TMPDIR": str(tmp_path), "QT_QPA_PLATFORM": "offscreen"}
    return subprocess.Popen(
        [sys.executable, "-m", "pod_desktop", "--demo"],
        env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def demo_records(tmp_path: Path) -> int:
    for root in tmp_path.glob("pod-desktop-demo-*"):
        if (root / "events").exists() and (root / "ledger.db").exists():
            home = open_home(root)
            try:
                return home.reader.totals().records
            finally:
                home.close()
    return 0


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_the_demo_collects_and_ends_whole_however_its_window_ends(
    tmp_path: Path, how: signal.Signals
) -> None:
    demo = start_demo(tmp_path)
    try:
        wait(lambda: demo_records(tmp_path) > 100)
        family = psutil.Process(demo.pid).children(recursive=True)
        assert len(family) >= 2, "a cluster and a service"
        demo.send_signal(how)
        code = demo.wait(LONG / 1000)
        assert code == (0 if how == signal.SIGTERM else -signal.SIGKILL)
        _gone, alive = psutil.wait_procs(family, timeout=LONG / 1000)
        assert not alive
        assert how == signal.SIGKILL or not list(tmp_path.glob("pod-desktop-demo-*"))
        assert demo.stdout is not None
        assert demo.stdout.read() == b""
    finally:
        demo.kill()
        demo.wait()
        if demo.stdout is not None:
            demo.stdout.close()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSEGV])
def test_a_window_that_dies_leaves_the_service_collecting_without_loss(
    home: Home, how: signal.Signals
) -> None:
    with running(rate=30, seed=6) as sim:
        connect(home, sim)
        window = subprocess.Popen(
            [sys.executable, "-m", "pod_desktop", "--data-dir", str(home.data_dir.root)],
            env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            wait(lambda: home.reader.totals().records > 20)
            service = lock_holder(home.data_dir.service_lock)
            assert service not in (None, 0, window.pid)
            window.send_signal(how)
            assert window.wait(LONG / 1000) == -how
            died = home.reader.totals().records
            wait(lambda: home.reader.totals().records > died + 60)
            assert lock_holder(home.data_dir.service_lock) == service
            sent = {(kind, rid) for kind, ids in sim.emitted.items() for rid in tuple(ids)}
            wait(lambda: sent <= {(row.kind, row.rid) for row in home.reader.search(Ask())})
            # One pair of sessions served it all: nothing was opened anew.
            assert len(sim.handshakes) == 2
        finally:
            window.kill()
            window.wait()
            if pid := lock_holder(home.data_dir.service_lock):
                os.kill(pid, signal.SIGTERM)
                wait(lambda: lock_holder(home.data_dir.service_lock) is None)
    rows = [(row.kind, row.rid) for row in home.reader.search(Ask())]
    assert len(rows) == len(set(rows))


def test_a_second_window_on_the_same_data_is_refused_with_words(home: Home) -> None:
    from pod_desktop.app import hold_window

    lock = hold_window(home.data_dir)
    try:
        answer = subprocess.run(
            [sys.executable, "-m", "pod_desktop", "--data-dir", str(home.data_dir.root)],
            env={**os.environ, "QT_QPA_PLATFORM": "offscreen"}, capture_output=True, timeout=60, check=False,
        )  # fmt: skip
    finally:
        lock.release()
    assert answer.returncode == 1
    assert f"process {os.getpid()}".encode() in answer.stderr
    assert b"Traceback" not in answer.stderr
