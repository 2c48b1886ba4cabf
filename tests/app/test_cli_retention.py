"""retention on a real store: what would go, letting it go, and keeping what is marked."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from builders import as_bytes, message
from pod_desktop import app, cli, content
from pod_desktop.core.clock import DAY, SystemClock
from pod_desktop.core.record import MESSAGE, Arrival
from pod_desktop.core.status import Counters
from pod_desktop.services.retention import RETENTION
from pod_desktop.store import LIVE, NOTES_FILE, Commit, Lock, Notes, Source
from pod_desktop.store.writer import SegmentWriter

Run = Callable[..., tuple[int, str, str]]
NOW = SystemClock().now()


@pytest.fixture
def run(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> Run:
    home = app.open_home(tmp_path)
    writer = SegmentWriter(home.data_dir.events, clock=home.clock, segment_records=10)
    source = Source(connector="acme", tenant="Acme", cluster_id="acme_hosted")
    for number in range(50):
        raw = as_bytes(message(guid=f"g{number}", time=NOW - (49 - number) * DAY - 1))
        arrivals = [Arrival(content.read(MESSAGE, raw, NOW), raw)]
        writer.commit(
            Commit(
                source=source, lane=LIVE, records=arrivals, stream="a/message", counters=Counters(received=1)
            )
        )
    while writer.busy():
        time.sleep(0.002)
    writer.close()
    home.close()

    def call(*words: str) -> tuple[int, str, str]:
        code = cli.main(["--data-dir", str(tmp_path), *words], lambda: app)
        out, err = capfdbinary.readouterr()
        return code, out.decode(), err.decode()

    return call


def count(run: Run) -> int:
    return int(run("count")[1])


def test_a_dry_run_tells_and_deletes_nothing(run: Run) -> None:
    code, out, _ = run("retention")
    assert code == 0
    assert "Up to 20 records until" in out and out.count("too old") == 3
    plan = json.loads(run("retention", "--dry-run", "--json")[1])
    assert (plan["days"], plan["gigabytes"], plan["records"], len(plan["parts"])) == (30, 20, 20, 2)
    assert 0 < plan["bytes"] < plan["bytes_disk"]
    assert count(run) == 50


def test_applied_it_keeps_what_is_marked(run: Run, tmp_path: Path) -> None:
    notes = Notes(tmp_path / NOTES_FILE)
    notes.mark(["message:g3"], True, NOW)
    notes.comment(["message:g12"], "keep me", NOW)
    notes.close()
    code, out, err = run("retention", "--apply", "--json")
    assert code == 0, err
    done = json.loads(out)
    assert (done["records"], done["kept"], done["problems"]) == (18, 2, [])
    assert count(run) == 32
    assert run("show", "message:g3", "--raw")[0] == 0
    assert run("show", "message:g4")[0] == 1
    assert json.loads(run("verify", "--json")[1])["ok"]
    assert "Nothing is to be deleted" in run("retention")[1]


def test_without_limits_nothing_goes(run: Run) -> None:
    run("settings", "set", "retention_days", "0")
    run("settings", "set", "retention_gb", "0")
    assert run("retention", "--apply")[1] == "Nothing was to be deleted.\n"
    assert "There is no limit" in run("retention")[1]


def test_a_running_service_is_asked_to_do_it(run: Run, tmp_path: Path) -> None:
    home = app.open_home(tmp_path)
    lock = Lock(home.data_dir.service_lock)
    assert lock.acquire() is None
    heard: list[str] = []

    def serve() -> None:
        until = time.monotonic() + 20
        while not heard and time.monotonic() < until:
            for command in home.ledger.take_commands():
                heard.append(command.name)
                state = {
                    "state": "done",
                    "words": "7 records deleted.",
                    "records": 7,
                    "bytes": 1,
                    "kept": 0,
                    "problems": [],
                }
                home.ledger.put_job(command.args["job"], state, now=NOW)
            time.sleep(0.01)

    thread = threading.Thread(target=serve)
    thread.start()
    code, out, _ = run("retention", "--apply")
    thread.join()
    lock.release()
    home.close()
    assert (code, out, heard) == (0, "7 records deleted.\n", [RETENTION])
    assert count(run) == 50
