"""column on a real store: what it would cost, making it, and letting it go."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from builders import as_bytes, message
from pod_desktop import app, cli, content, store
from pod_desktop.core.clock import MINUTE, SystemClock
from pod_desktop.core.record import MESSAGE, Arrival
from pod_desktop.core.status import Counters
from pod_desktop.store import LIVE, Commit, Lock, Source
from pod_desktop.store.writer import SegmentWriter

Run = Callable[..., tuple[int, str, str]]
NOW = SystemClock().now()
PATH = "filter.modules.spam.version"
QUERY = f"{PATH}:v7"


@pytest.fixture
def run(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> Run:
    home = app.open_home(tmp_path)
    writer = SegmentWriter(home.data_dir.events, clock=home.clock, segment_records=10)
    source = Source(connector="acme", tenant="Acme", cluster_id="acme_hosted")
    for number in range(55):
        record = message(guid=f"g{number}", time=NOW - number * MINUTE)
        record["filter"]["modules"]["spam"]["version"] = f"V{number % 11}"
        raw = as_bytes(record)
        arrivals = [Arrival(content.read(MESSAGE, raw, NOW), raw)]
        counters = Counters(received=1)
        writer.commit(
            Commit(source=source, lane=LIVE, records=arrivals, stream="a/message", counters=counters)
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


def test_a_field_is_made_a_column_and_let_go_with_the_same_answers(run: Run, tmp_path: Path) -> None:
    def answers() -> list[str]:
        return [run(*words)[1] for words in (
            ("search", QUERY, "--format", "ndjson"), ("count", QUERY), ("count", "--by", PATH, "--json"),
            ("count", QUERY, "--every", "1h", "--json"),
        )]  # fmt: skip

    before = answers()
    assert len(before[0].splitlines()) == 5
    code, out, _ = run("column", "add", PATH, "--dry-run", "--json")
    told = json.loads(out)
    assert code == 0 and told["path"] == PATH and told["records"] == 55 and told["share"] == 1.0
    assert told["bytes"] > 0 and told["seconds"] >= 0 and "of disk" in told["words"]
    assert json.loads(run("column", "list", "--json")[1]) == []

    code, out, _ = run("column", "add", PATH)
    assert code == 0 and out.startswith(f"{PATH}: Ready;")
    (listed,) = json.loads(run("column", "list", "--json")[1])
    assert (listed["state"], listed["records"], listed["records_done"]) == ("ready", 55, 50)
    assert listed["bytes"] > 0 and listed["kinds"] == {"message": 50}
    assert PATH in run("column", "list")[1]
    assert len(store.column_parts(tmp_path / "events")) == 5
    assert answers() == before
    assert run("verify")[0] == 0

    assert run("column", "remove", PATH)[0] == 0
    assert store.column_parts(tmp_path / "events") == []
    assert json.loads(run("column", "list", "--json")[1]) == []
    assert answers() == before


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("subject", "is a column already"),
        ("marked", "is a column already"),
        ("sendr", "Did you mean"),
        ("from", "stands for several fields"),
        ("", "no path"),
    ],
)
def test_what_cannot_be_a_column_is_told(run: Run, path: str, words: str) -> None:
    code, out, err = run("column", "add", path)
    assert (code, out) == (2, "") and words in err


def test_removing_what_is_none_names_those_that_are(run: Run) -> None:
    run("column", "add", PATH)
    code, _, err = run("column", "remove", "filter.nothing")
    assert code == 2 and PATH in err


def test_a_service_that_runs_is_left_to_do_it(run: Run, tmp_path: Path) -> None:
    run("column", "add", PATH)
    lock = Lock(app.open_home(tmp_path).data_dir.service_lock)
    assert lock.acquire() is None
    code, out, _ = run("column", "remove", PATH)
    assert code == 0 and "the collector service deletes" in out
    assert len(store.column_parts(tmp_path / "events")) == 5
    lock.release()


def test_verify_names_a_damaged_copy_and_repair_removes_it(run: Run, tmp_path: Path) -> None:
    run("column", "add", PATH)
    part = store.column_parts(tmp_path / "events")[2]
    data = bytearray(part.path.read_bytes())
    data[data.index(b"v7")] ^= 1
    part.path.write_bytes(data)
    code, out, _ = run("verify")
    assert code == 1 and part.path.name in out
    code, out, _ = run("verify", "--repair")
    assert code == 0 and "removed; the collector service makes it anew" in out
    assert len(store.column_parts(tmp_path / "events")) == 4
    assert run("column", "add", PATH)[0] == 0
    assert len(store.column_parts(tmp_path / "events")) == 5
