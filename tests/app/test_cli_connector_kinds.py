"""Connectors of both kinds on the command line: test, edit, copy, export, import; settings."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pod_desktop import app, cli
from pod_desktop.simulator import faults, threaded

CANARY = "canary-0123456789-secret"
CLIENT = json.dumps({"client_id": "canary-id-0123456789", "client_secret": CANARY}).encode()
Run = Callable[..., tuple[int, str, str]]
RESPONDER = {
    "name": "acme-block",
    "category": "webhook",
    "type": "Proofpoint on Demand Add to Org Block List",
    "tenant": "All Tenants",
    "run_on": "this_computer",
    "hostname": "threatprotection-api.proofpoint.com",
    "protocol": "HTTPS",
    "verify_tls": True,
    "token_url": "https://auth.proofpoint.com/v1/token",
    "cluster_id": "acme_hosted",
}


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Run a command on a data directory of its own; (code, standard output, standard error)."""
    monkeypatch.setenv("POD_DESKTOP_SECRETS_DIR", str(tmp_path / "secrets"))

    def call(*words: str, stdin: bytes = b"") -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        code = cli.main(["--data-dir", str(tmp_path / "data"), *words], lambda: app)
        return code, *capfd.readouterr()

    return call


@pytest.fixture(scope="module")
def sim() -> Iterator[threaded.ThreadedSimulator]:
    with threaded.running(seed=7) as running:
        yield running


def write(tmp_path: Path, value: object, name: str = "connector.json") -> str:
    path = tmp_path / name
    path.write_text(json.dumps(value))
    return str(path)


def of(sim: threaded.ThreadedSimulator) -> tuple[dict[str, Any], bytes]:
    """The simulator's responder file and its secrets."""
    where = {
        "hostname": sim.hostname, "protocol": "HTTP", "token_url": sim.token_url, "cluster_id": sim.cluster_id,
    }  # fmt: skip
    secrets = {"client_id": sim.client_id, "client_secret": sim.client_secret}
    return {**RESPONDER, **where}, json.dumps(secrets).encode()


def collector_of(sim: threaded.ThreadedSimulator) -> tuple[dict[str, Any], bytes]:
    made = {
        "name": "acme", "category": "email", "type": "proofpoint_on_demand", "tenant": "Acme",
        "cluster_id": sim.cluster_id, "content_types": ["message"], "stream_url": sim.stream_url,
    }  # fmt: skip
    return made, json.dumps({"api_key": sim.api_keys[0]}).encode()


def add(run: Run, tmp_path: Path, made: dict[str, Any], secrets: bytes, *more: str) -> None:
    code, _, err = run(
        "connector", "add", "--file", write(tmp_path, made), "--secrets-stdin", *more, stdin=secrets
    )
    assert code == 0, err


def test_a_responder_is_added_and_shown_as_its_file(run: Run, tmp_path: Path) -> None:
    add(run, tmp_path, RESPONDER, CLIENT)
    code, out, _ = run("connector", "show", "acme-block", "--json")
    shown = json.loads(out)
    assert code == 0 and {key: shown[key] for key in RESPONDER} == RESPONDER
    assert shown["function"] == "respond" and shown["enabled"] is True
    assert "canary" not in out
    assert {path.name for path in (tmp_path / "secrets").glob("[!.]*")} == {
        "acme-block.client_id",
        "acme-block.client_secret",
    }
    (row,) = json.loads(run("connector", "list", "--json")[1])
    assert row["state"] == "not_tested"
    assert " not tested" in run("connector", "list")[1]
    assert json.loads(run("status", "--json")[1])["connectors"][0]["name"] == "acme-block"


def test_http_and_unverified_certificates_warn(run: Run, tmp_path: Path) -> None:
    file = write(tmp_path, {**RESPONDER, "protocol": "HTTP"})
    code, _, err = run("connector", "add", "--file", file)
    assert code == 0 and "clear text" in err and "Client ID and Client Secret" in err
    file = write(tmp_path, {**RESPONDER, "name": "second", "verify_tls": False})
    assert "not verified" in run("connector", "add", "--file", file)[2]


def test_all_four_are_added_from_one_file(run: Run, tmp_path: Path) -> None:
    add(run, tmp_path, {**RESPONDER, "name": "acme"}, CLIENT, "--all-four")
    names = [row["name"] for row in json.loads(run("connector", "list", "--json")[1])]
    assert names == ["acme-block", "acme-safe", "acme-unblock", "acme-unsafe"]
    code, _, err = run(
        "connector", "add", "--all-four", "--file", write(tmp_path, {**RESPONDER, "name": "acme"})
    )
    assert code == 2 and "exists already" in err


@pytest.mark.parametrize("kind", ["collect", "respond"])
def test_a_good_connector_passes_its_test(
    run: Run, tmp_path: Path, sim: threaded.ThreadedSimulator, kind: str
) -> None:
    made, secrets = collector_of(sim) if kind == "collect" else of(sim)
    add(run, tmp_path, made, secrets)
    code, out, _ = run("connector", "test", made["name"], "--json")
    report = json.loads(out)
    assert code == 0 and report["ok"] is True and report["recommendation"] == ""
    for step in report["steps"]:
        assert set(step) == {"name", "ok", "detail", "ms"} and step["ok"] is True
    code, out, _ = run("connector", "test", made["name"])
    assert code == 0 and "Success" in out and out.count("ok ") >= 3
    if kind == "respond":
        assert json.loads(run("connector", "list", "--json")[1])[0]["state"] == "live"


def test_a_failing_test_is_exit_code_1_with_the_recommendation(
    run: Run, tmp_path: Path, sim: threaded.ThreadedSimulator
) -> None:
    made, secrets = collector_of(sim)
    add(run, tmp_path, made, secrets)
    sim.do(lambda one: one.faults.next_handshakes(faults.answer(429), faults.answer(429)))
    code, out, err = run("connector", "test", "acme", "--json")
    report = json.loads(out)
    assert code == 1 and report["ok"] is False and report["code"] == "429" and report["recommendation"]
    assert [step["ok"] for step in report["steps"]] == [True, True, False]
    code, out, err = run("connector", "test", "acme")
    assert code == 1 and "FAILED" in out and "Traceback" not in err


def test_a_missing_secret_is_a_failed_test_and_an_unknown_name_bad_use(run: Run, tmp_path: Path) -> None:
    assert run("connector", "add", "--file", write(tmp_path, RESPONDER))[0] == 0
    code, out, _ = run("connector", "test", "acme-block", "--json")
    report = json.loads(out)
    assert code == 1 and report["code"] == "no_key" and {step["ok"] for step in report["steps"]} == {None}
    assert run("connector", "test", "nobody")[0] == 2


def test_an_edit_that_goes_elsewhere_asks_for_the_secrets(run: Run, tmp_path: Path) -> None:
    add(run, tmp_path, RESPONDER, CLIENT)
    moved = write(tmp_path, {**RESPONDER, "hostname": "api.example"})
    code, out, err = run("connector", "edit", "acme-block", "--file", moved, "--json")
    assert code == 2 and json.loads(out)["error"]["where"] == "client_id" and "canary" not in out + err
    code, _, _ = run("connector", "edit", "ACME-block", "--file", moved, "--secrets-stdin", stdin=CLIENT)
    assert code == 0
    assert json.loads(run("connector", "show", "acme-block", "--json")[1])["hostname"] == "api.example"
    assert run("connector", "edit", "acme-block", "--secrets-stdin", stdin=CLIENT)[0] == 0
    assert run("connector", "edit", "acme-block")[0] == 2
    renamed = write(tmp_path, {**RESPONDER, "name": "other"})
    assert run("connector", "edit", "acme-block", "--file", renamed)[0] == 2


def test_a_second_key_is_removed_from_the_command_line(run: Run, tmp_path: Path) -> None:
    collector = {"name": "acme", "category": "email", "type": "proofpoint_on_demand", "tenant": "Acme",
                 "run_on": "this_computer", "cluster_id": "acme_hosted", "content_types": ["message"]}  # fmt: skip
    both = json.dumps({"api_key": CANARY, "api_key_2": CANARY + "2"}).encode()
    add(run, tmp_path, collector, both)
    second = tmp_path / "secrets" / "acme.api_key_2"
    assert second.exists()
    code, _, err = run("connector", "edit", "acme", "--remove-second-key", "--secrets-stdin", stdin=both)
    assert code == 2 and "given and removed at once" in err and second.exists()
    moved = write(tmp_path, {**collector, "stream_url": "wss://log.example:443"})
    one = json.dumps({"api_key": CANARY}).encode()
    words = ("connector", "edit", "acme", "--file", moved, "--secrets-stdin")
    code, out, _ = run(*words, "--json", stdin=one)
    assert code == 2 and json.loads(out)["error"]["where"] == "api_key_2" and second.exists()
    assert run(*words, "--remove-second-key", stdin=one)[0] == 0
    assert not second.exists() and (tmp_path / "secrets" / "acme.api_key").exists()


def test_an_export_comes_back_disabled_and_without_secrets(run: Run, tmp_path: Path) -> None:
    add(run, tmp_path, RESPONDER, CLIENT)
    code, out, _ = run("connector", "export", "acme-block")
    assert code == 0 and "canary" not in out
    target = tmp_path / "exported.json"
    assert run("connector", "export", "acme-block", "--output", str(target))[0] == 0
    assert target.read_text() == out
    assert run("connector", "export", "acme-block", "--output", str(target))[0] == 2
    assert run("connector", "remove", "acme-block")[0] == 0
    code, _, err = run("connector", "import", "-", stdin=out.encode())
    assert code == 0 and "Client ID and Client Secret" in err
    (row,) = json.loads(run("connector", "list", "--json")[1])
    assert row["enabled"] is False and row["state"] == "disabled"
    code, _, err = run("connector", "import", str(target))
    assert code == 2 and "exists already" in err


def test_a_duplicate_is_disabled(run: Run, tmp_path: Path) -> None:
    add(run, tmp_path, RESPONDER, CLIENT)
    code, out, _ = run(
        "connector", "duplicate", "acme-block", "--name", "beta-block", "--tenant", "Beta", "--json"
    )
    made = json.loads(out)
    assert code == 0 and (made["name"], made["tenant"], made["enabled"]) == ("beta-block", "Beta", False)


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"a": 1, "a": 2}', "[" * 5_000, '{"api_key": "' + CANARY + '"}']
)
def test_a_file_that_does_not_fit_is_one_sentence(run: Run, text: str) -> None:
    code, out, err = run("connector", "import", "-", stdin=text.encode())
    assert code == 2 and err.count("\n") == 1 and CANARY not in out + err


def test_no_secret_is_ever_an_argument_or_in_a_file_but_its_own(
    tmp_path: Path, sim: threaded.ThreadedSimulator
) -> None:
    """A whole process: what it is called with, what it prints, what it leaves behind."""
    made, _ = of(sim)
    file = write(tmp_path, made)
    command = [sys.executable, "-m", "pod_desktop", "--data-dir", str(tmp_path / "data")]
    environment = {**os.environ, "POD_DESKTOP_SECRETS_DIR": str(tmp_path / "secrets")}
    said = b""
    for words, stdin in (
        (["connector", "add", "--file", file, "--secrets-stdin"], CLIENT),
        (["connector", "test", "acme-block", "--json"], b""),
        (["connector", "export", "acme-block"], b""),
    ):
        done = subprocess.run(
            [*command, *words], input=stdin, env=environment, capture_output=True, timeout=60, check=False
        )
        said += done.stdout + done.stderr
        assert b"Traceback" not in done.stderr
    assert b"401" in said and b"canary" not in said
    holding = [
        path for path in (tmp_path / "data").rglob("*") if path.is_file() and b"canary" in path.read_bytes()
    ]
    assert holding == []


# settings


def test_settings_are_listed_read_and_set(run: Run) -> None:
    assert json.loads(run("settings", "list", "--json")[1])["retention_days"] == 30
    code, out, _ = run("settings", "set", "own_domains", "Acme.example, beta.example", "--json")
    assert code == 0 and json.loads(out) == {"own_domains": ["acme.example", "beta.example"]}
    assert run("settings", "get", "own_domains")[1] == "own_domains: acme.example, beta.example\n"
    assert json.loads(run("settings", "set", "own_domains", "default", "--json")[1]) == {"own_domains": []}
    assert "retention_days" in run("settings", "list")[1]


@pytest.mark.parametrize(("key", "value"), [("colour", "red"), ("theme", "pink"), ("retention_days", "-3")])
def test_a_setting_that_does_not_fit_is_bad_use(run: Run, key: str, value: str) -> None:
    code, out, err = run("settings", "set", "--json", "--", key, value)
    assert code == 2 and json.loads(out)["error"]["what"] and "Traceback" not in err
