"""search, count, show, status and verify on a real store, written as the service writes it."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pod_desktop import app, cli, content
from pod_desktop.core import clock
from pod_desktop.core.connector import CollectConnector
from pod_desktop.core.record import Arrival
from pod_desktop.core.status import Counters
from pod_desktop.store.port import LIVE, Commit, Source

NOON = clock.parse_iso("2026-11-24T12:00:00Z")
Run = Callable[..., tuple[int, str, str]]


def message(number: int, **envelope: Any) -> bytes:
    """A message record, one minute after the one before, spelt as no JSON library would."""
    value = {
        "guid": f"guid-{number}",
        "ts": clock.iso(NOON + number * clock.MINUTE).replace("Z", "+0000"),
        "envelope": {"from": f"sender{number}@a.example", "rcpts": ["ann@b.example"], **envelope},
        "filter": {"disposition": "continue", "modules": {"spam": {"scores": {"overall": number * 10}}}},
        "msg": {"normalizedHeader": {"subject": [f"Invoice {number}"]}},
    }
    return json.dumps(value, indent=None, separators=(" ,", ":  ")).encode()


RECORDS = [message(number) for number in range(5)]
MANY = message(5, rcpts=[f"rcpt{number}@b.example" for number in range(9)])
LINE = (
    b'{"id":"line/1+a","ts":"2026-11-24T12:00:30+0000","data":"2026-11-24 host sendmail[1]: q1: to=<x@y.example>, stat=Sent",'
    b'"sm":{"qid":"q1","to":["<x@y.example>"],"stat":"Sent"}}'
)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    home = app.open_home(root)
    acme = CollectConnector(
        name="acme", tenant="Acme", cluster_id="acme_hosted", content_types=("message", "maillog")
    )
    home.ledger.add_connector(acme, now=NOON)
    writer = home.open_writer()
    source = Source(connector="acme", tenant="Acme", cluster_id="acme_hosted")
    for kind, raws in (("message", [*RECORDS, MANY, b"\xff no record"]), ("maillog", [LINE])):
        arrivals = [Arrival(content.read(kind, raw, NOON), raw) for raw in raws]
        writer.commit(
            Commit(
                source=source, lane=LIVE, records=arrivals, stream=f"acme/{kind}",
                counters=Counters(received=len(raws)),
            )
        )  # fmt: skip
    writer.close()
    home.close()
    return root


@pytest.fixture
def run(data: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> Run:
    def call(*words: str) -> tuple[int, str, str]:
        code = cli.main(["--data-dir", str(data), *words], lambda: app)
        out, err = capfdbinary.readouterr()
        return code, out.decode(), err.decode()

    return call


def found(run: Run, *words: str) -> list[Any]:
    code, out, err = run("search", *words, "--format", "ndjson")
    assert code == 0, err
    return [json.loads(line) for line in out.splitlines()]


def test_all_records_newest_first(run: Run) -> None:
    ids = [row["id"] for row in found(run, "--index", "message")]
    assert ids == [f"message:guid-{number}" for number in (5, 4, 3, 2, 1, 0)]


def test_oldest_first_and_a_limit(run: Run) -> None:
    ids = [row["id"] for row in found(run, "--index", "message", "--order", "oldest", "--limit", "2")]
    assert ids == ["message:guid-0", "message:guid-1"]


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("sender3@a.example", ["message:guid-3"]),
        ("sender:SENDER3@a.example", ["message:guid-3"]),
        ("invoice 2", ["message:guid-2"]),
        ("sender:sender1@a.example OR sender:sender2@a.example", ["message:guid-2", "message:guid-1"]),
        ("invoice NOT sender:sender*", []),
        ("qid:q1", ["maillog:line/1+a"]),
        ("filter.modules.spam.scores.overall:>=40", ["message:guid-5", "message:guid-4"]),
        ("msg_class:proofpoint_on_demand_maillog", ["maillog:line/1+a"]),
        ("index:Syslog tenant_name:Acme msg_origin.vendor:proofpoint qid:q1", ["maillog:line/1+a"]),
    ],
)
def test_what_a_query_finds(run: Run, query: str, ids: list[str]) -> None:
    assert [row["id"] for row in found(run, query)] == ids


def test_since_is_included_and_until_is_not(run: Run) -> None:
    rows = found(
        run, "--index", "message", "--since", "2026-11-24T12:01:00Z", "--until", "2026-11-24T12:03:00Z"
    )
    assert [row["id"] for row in rows] == ["message:guid-2", "message:guid-1"]


def test_the_raw_record_is_what_was_received(run: Run) -> None:
    _, out, _ = run("search", "sender:sender1@a.example", "--raw")
    assert f'"raw":{RECORDS[1].decode()}}}\n' in out
    assert run("show", "message:guid-1", "--raw")[1] == RECORDS[1].decode()


def test_all_recipients_are_told(run: Run) -> None:
    (row,) = found(run, "sender:sender5@a.example")
    assert row["recipients"] == [f"rcpt{number}@b.example" for number in range(9)]


def test_what_is_no_record_is_found_whole(run: Run) -> None:
    (row,) = found(run, "--index", "unreadable", "--raw")
    assert row["type"] == "unreadable"
    assert row["raw_base64"] == "/yBubyByZWNvcmQ="


def test_csv_goes_to_a_file_whole(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "found.csv"
    assert run("search", "--index", "message", "--format", "csv", "--output", str(path)) == (0, "", "")
    assert len(list(csv.reader(io.StringIO(path.read_text())))) == 7
    assert [each.name for each in tmp_path.iterdir()] == ["found.csv"]


def test_a_failed_search_leaves_no_file(run: Run, tmp_path: Path) -> None:
    code, *_ = run("search", "nofield:1", "--format", "csv", "--output", str(tmp_path / "found.csv"))
    assert code == 2
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_written_is_a_sentence(run: Run, tmp_path: Path) -> None:
    code, _, err = run("search", "--format", "csv", "--output", str(tmp_path / "none" / "found.csv"))
    assert code == 2
    assert err.count("\n") == 1


def test_the_table_says_when_nothing_matches(run: Run) -> None:
    assert run("search", "nothingofthekind") == (0, "", "No record matches.\n")


def test_counts(run: Run) -> None:
    assert json.loads(run("count", "--json")[1]) == {"count": 8}
    assert run("count", "invoice")[1] == "6\n"
    by = json.loads(run("count", "--by", "type", "--json")[1])["buckets"]
    assert {bucket["key"]: bucket["count"] for bucket in by} == {"message": 6, "maillog": 1, "unreadable": 1}
    by = json.loads(run("count", "--index", "message", "--every", "2m", "--json")[1])["buckets"]
    assert [bucket["count"] for bucket in by] == [2, 2, 2]
    assert by[0]["key"] == "2026-11-24T12:00:00.000000Z"


@pytest.mark.parametrize(
    ("words", "where"),
    [
        (["search", "nofield:1"], "column"), (["search", "a AND"], "column"), (["search", "(a"], "column"),
        (["search", "--since", "yesterday"], "--since"), (["search", "--since", "1h", "--until", "2h"], "--since"),
        (["count", "--by", "sendr"], "--by"), (["count", "--every", "often"], "--every"), (["count", "--every", "0m"], "--every"),
        (["show", "guid-1"], "RECORD-ID"),
    ],
)  # fmt: skip
def test_a_question_that_does_not_fit_is_told_with_its_place(run: Run, words: list[str], where: str) -> None:
    code, out, err = run(*words, "--json")
    assert code == 2
    assert where in json.loads(out)["error"]["where"]
    assert err.count("\n") == 1


def test_a_record_that_is_not_there_is_a_failure(run: Run) -> None:
    assert run("show", "message:none")[0] == 1


def test_show_tells_the_summary(run: Run) -> None:
    code, out, _ = run("show", "message:guid-1")
    assert code == 0
    assert "sender1@a.example" in out and "Invoice 1" in out
    assert "proofpoint_on_demand_message" in out
    shown = json.loads(run("show", "message:guid-1", "--json", "--raw")[1])
    assert shown["summary"] and shown["raw"]["guid"] == "guid-1"


def test_show_of_what_is_no_record_works_too(run: Run) -> None:
    (row,) = found(run, "--index", "unreadable")
    code, out, _ = run("show", row["id"])
    assert code == 0 and "no record" in out


def test_status_tells_every_figure(run: Run) -> None:
    answer = json.loads(run("status", "--json")[1])
    (acme,) = answer["connectors"]
    assert acme["state"] == "stopped"
    assert (acme["received"], acme["stored"], acme["duplicates"], acme["filtered"], acme["quarantined"]) == (
        8,
        7,
        0,
        0,
        1,
    )
    assert acme["bytes_raw"] == sum(map(len, (*RECORDS, MANY, LINE, b"\xff no record")))
    assert acme["bytes_disk"] > 0
    assert acme["gaps"] == []
    assert answer["service"] == {"running": False, "pid": None, "notifications": None}
    assert "acme" in run("status")[1]


def test_verify_finds_a_sound_store_sound(run: Run) -> None:
    assert json.loads(run("verify", "--json")[1]) == {"ok": True, "records": 8, "problems": []}
    assert run("verify") == (0, "8 records, all sound.\n", "")


def test_verify_names_a_damaged_file(data: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(data, copy)
    (segment, *_) = (copy / "events").glob("segment-*.db")
    segment.write_bytes(b"\0" * segment.stat().st_size)
    assert cli.main(["--data-dir", str(copy), "verify", "--json"], lambda: app) == 1
    answer = json.loads(capfd.readouterr().out)
    assert answer["ok"] is False
    assert any(segment.name in problem for problem in answer["problems"])


@pytest.mark.parametrize("command", [["count"], ["search"], ["count", "--by", "sender"]])
def test_an_answer_without_a_damaged_part_of_the_store_is_no_success(
    data: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], command: list[str]
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(data, copy)
    (segment, *_) = (copy / "events").glob("segment-*.db")
    segment.write_bytes(b"\0" * segment.stat().st_size)
    assert cli.main(["--data-dir", str(copy), *command], lambda: app) == 1
    told = capfd.readouterr().err
    assert segment.name in told and "The answer is partial" in told
    assert "No record matches" not in told


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's /dev/full")
def test_where_the_answer_cannot_be_written_is_said_in_a_sentence(data: Path) -> None:
    command = [sys.executable, "-m", "pod_desktop", "--data-dir", str(data), "search", "*", "--raw"]
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, timeout=60, check=False)
    assert done.returncode == 1
    assert done.stderr == (
        b"pod-desktop: standard output: What was found cannot be written (No space left on device).\n"
    )


@pytest.mark.skipif(os.name == "nt", reason="closes a descriptor as POSIX shells do")
def test_a_closed_standard_output_is_no_fault(data: Path) -> None:
    command = f"exec '{sys.executable}' -m pod_desktop --data-dir '{data}' count >&-"
    done = subprocess.run(["/bin/sh", "-c", command], stderr=subprocess.PIPE, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


def test_an_empty_data_directory_is_not_the_one_we_stand_in(run: Run) -> None:
    code, _, err = run("count", "--data-dir", "")
    assert code == 2 and "--data-dir" in err


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="X11 of Linux")
def test_a_display_that_does_not_answer_is_said_before_qt_aborts(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("QT_QPA_PLATFORM", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        for display in (":9876", f"127.0.0.1:{closed.getsockname()[1] - 6000}"):
            monkeypatch.setenv("DISPLAY", display)
            code, _, err = run()
            assert code == 2 and display in err and "search" in err


def test_marks_and_comments_of_the_window_are_found(run: Run, data: Path) -> None:
    from pod_desktop.store import NOTES_FILE, Notes

    assert found(run, "marked:true") == []
    notes = Notes(data / NOTES_FILE)
    notes.mark(["message:guid-1"], True, NOON)
    notes.comment(["message:guid-3"], "asked finance", NOON)
    notes.close()
    try:
        assert [one["id"] for one in found(run, "marked:true")] == ["message:guid-1"]
        assert [one["id"] for one in found(run, "comment:finance")] == ["message:guid-3"]
        assert json.loads(run("count", "marked:true OR comment:*", "--json")[1]) == {"count": 2}
    finally:
        (data / NOTES_FILE).unlink()
