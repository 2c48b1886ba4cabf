"""A disk that runs full while files are imported: said with how far it came, and done again without doubles."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from pod_desktop import app, cli, store
from pod_desktop.store import Ask
from tests.faults.test_store_faults import limit_files, small_files  # noqa: F401 (a fixture)
from tests.faults.weakdisk import WRITES, WeakDisk

RECORDS = 9_000
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Run a command on a data directory of its own; (code, standard output, standard error)."""
    monkeypatch.setenv("POD_DESKTOP_SECRETS_DIR", str(tmp_path / "secrets"))

    def call(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO()))
        code = cli.main(["--data-dir", str(tmp_path / "data"), *words], lambda: app)
        return code, *capfd.readouterr()

    return call


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path, dice = tmp_path / "exported.ndjson", Random(1)
    with path.open("w") as lines:
        for number in range(RECORDS):
            pad = dice.randbytes(200).hex()
            record = {"guid": f"g{number}", "ts": "2026-11-24T09:00:00.000000+0000", "pad": pad}
            lines.write(json.dumps(record) + "\n")
    return path


def count(tmp_path: Path) -> int:
    reader = store.open_reader(tmp_path / "data" / "events")
    try:
        rids = [row.rid for row in reader.search(Ask())]
    finally:
        reader.close()
    assert len(rids) == len(set(rids))
    return len(rids)


def told_and_done_again(run: Run, tmp_path: Path, file: Path, part: str, mend: Callable[[], None]) -> None:
    """The first import fails with words; after `mend` the same once more takes in the rest."""
    code, _, err = run("import", str(file))
    stored = count(tmp_path)
    assert 0 < stored < RECORDS
    assert code == 1 and part in err and "Traceback" not in err
    assert f"{stored:,} records had been stored, the last from line {stored:,} of exported.ndjson" in err
    assert "import the same files again" in err and "goes on by itself" not in err
    mend()
    code, out, _ = run("import", str(file), "--json")
    done = json.loads(out)
    assert code == 0 and (done["stored"], done["duplicates"]) == (RECORDS - stored, stored)
    assert count(tmp_path) == RECORDS
    assert store.verify(tmp_path / "data" / "events") == []


@pytest.mark.usefixtures("small_files")
def test_a_disk_that_runs_full_during_an_import_is_said_and_resumed(
    run: Run, tmp_path: Path, file: Path
) -> None:
    import resource

    limit_files(3_000_000)
    told_and_done_again(run, tmp_path, file, "full.", lambda: limit_files(resource.RLIM_INFINITY))


def test_a_disk_that_fails_during_an_import_is_said_and_resumed(
    run: Run, tmp_path: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pod_desktop.store.writer import SegmentWriter

    with WeakDisk() as disk:
        commit, commits = SegmentWriter.commit, []

        def failing(self: SegmentWriter, given: store.Commit) -> store.Committed:
            commits.append(given)
            if len(commits) == 3:
                disk.fault = WRITES
            try:
                return commit(self, given)
            finally:
                disk.fault = ""

        monkeypatch.setattr(SegmentWriter, "commit", failing)
        told_and_done_again(run, tmp_path, file, "disk fails", lambda: None)
        assert disk.refused[WRITES] > 0
