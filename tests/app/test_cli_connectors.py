"""The connector commands, with the real ledger and a secrets directory."""

from __future__ import annotations

import io
import json
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pod_desktop import app, cli

FILE = {
    "name": "acme-proofpoint",
    "category": "email",
    "type": "proofpoint_on_demand",
    "tenant": "Acme",
    "run_on": "this_computer",
    "cluster_id": "acme_hosted",
    "content_types": ["message", "maillog"],
    "collect_from": "7d",
    "log_filters": [],
}
KEY = "canary.0123456789.secret-key"
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Run a command on a data directory of its own; (code, standard output, standard error)."""
    monkeypatch.setenv("POD_DESKTOP_SECRETS_DIR", str(tmp_path / "secrets"))

    def call(*words: str, stdin: bytes = b"") -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        code = cli.main(["--data-dir", str(tmp_path / "data"), *words], lambda: app)
        return code, *capfd.readouterr()

    return call


@pytest.fixture
def file(tmp_path: Path) -> Callable[..., str]:
    def write(**changes: Any) -> str:
        path = tmp_path / "connector.json"
        path.write_text(json.dumps({**FILE, **changes}))
        return str(path)

    return write


def added(run: Run, file: Callable[..., str], **changes: Any) -> None:
    code, _, err = run(
        "connector",
        "add",
        "--file",
        file(**changes),
        "--secrets-stdin",
        stdin=json.dumps({"api_key": KEY}).encode(),
    )
    assert code == 0, err


def test_a_connector_is_added_and_shown_as_its_file(run: Run, file: Callable[..., str]) -> None:
    added(run, file)
    code, out, _ = run("connector", "show", "ACME-proofpoint", "--json")
    shown = json.loads(out)
    assert code == 0
    assert {name: shown[name] for name in FILE} == FILE
    assert shown["enabled"] is True and shown["function"] == "collect"


def test_the_key_goes_into_the_secrets_directory_and_nowhere_else(
    run: Run, file: Callable[..., str], tmp_path: Path
) -> None:
    added(run, file)
    secret = tmp_path / "secrets" / "acme-proofpoint.api_key"
    assert secret.read_text() == KEY
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    others = [
        path
        for path in (tmp_path / "data").rglob("*")
        if path.is_file() and KEY.encode() in path.read_bytes()
    ]
    assert not others
    assert KEY not in "".join(
        str(run("connector", action, *rest)) for action, *rest in (["list"], ["show", "acme-proofpoint"])
    )


def test_without_a_key_it_is_made_and_says_what_is_missing(run: Run, file: Callable[..., str]) -> None:
    code, out, err = run("connector", "add", "--file", file())
    assert code == 0
    assert "Added acme-proofpoint" in out and "no API key yet" in err


def test_the_list_names_state_and_switches(run: Run, file: Callable[..., str]) -> None:
    added(run, file)
    assert json.loads(run("connector", "list", "--json")[1])[0]["state"] == "stopped"
    assert run("connector", "disable", "acme-proofpoint")[0] == 0
    (row,) = json.loads(run("connector", "list", "--json")[1])
    assert row["enabled"] is False and row["state"] == "disabled"
    assert run("connector", "enable", "acme-proofpoint")[0] == 0
    assert "acme-proofpoint" in run("connector", "list")[1]
    assert json.loads(run("connector", "list", "--json")[1])[0]["enabled"] is True


def test_removing_takes_the_secret_along(run: Run, file: Callable[..., str], tmp_path: Path) -> None:
    added(run, file)
    assert run("connector", "remove", "acme-proofpoint")[0] == 0
    assert json.loads(run("connector", "list", "--json")[1]) == []
    assert not (tmp_path / "secrets" / "acme-proofpoint.api_key").exists()


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"name": "Ünïcode"}, "name"), ({"cluster_id": " "}, "cluster_id"), ({"content_types": ["mail"]}, "content_types"),
        ({"colour": "red"}, "colour"), ({"stream_url": "ws://example.com"}, "stream_url"), ({"collect_from": "90d"}, "collect_from"),
    ],
)  # fmt: skip
def test_a_value_that_does_not_fit_is_named(
    run: Run, file: Callable[..., str], changes: dict[str, Any], where: str
) -> None:
    code, out, err = run("connector", "add", "--file", file(**changes), "--json")
    assert code == 2
    assert json.loads(out)["error"]["where"] == where
    assert "Traceback" not in err
    assert json.loads(run("connector", "list", "--json")[1]) == []


def test_a_bad_key_is_refused_and_never_repeated(run: Run, file: Callable[..., str]) -> None:
    code, out, err = run(
        "connector",
        "add",
        "--file",
        file(),
        "--secrets-stdin",
        "--json",
        stdin=b'{"api_key":"canary half\\nline"}',
    )
    assert code == 2
    assert "canary" not in out + err


@pytest.mark.parametrize("action", ["show", "enable", "disable", "remove"])
def test_an_unknown_name_is_answered_with_the_known_ones(
    run: Run, file: Callable[..., str], action: str
) -> None:
    added(run, file)
    code, _, err = run("connector", action, "other")
    assert code == 2
    assert "acme-proofpoint" in err


def test_a_data_directory_that_is_no_directory_is_a_sentence(
    run: Run, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    code = cli.main(["--data-dir", str(tmp_path / "file"), "connector", "list"], lambda: app)
    assert code == 1
    assert capfd.readouterr().err.count("\n") == 1


def test_a_data_directory_of_a_newer_version_is_left_alone(
    run: Run, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "pod-desktop.version").write_text("99\n")
    code, _, err = run("status")
    assert code == 1
    assert "newer version" in err and "Traceback" not in err
