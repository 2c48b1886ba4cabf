"""From arguments to exit codes: faults in words, bugs in a log, and quiet where nobody listens."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pod_desktop import cli
from pod_desktop.cli import arguments
from pod_desktop.core.faults import Outage, UserFault


class NoApp:
    """Fails as it is told, whatever is asked."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error
        self.options: object = None

    def __getattr__(self, name: str) -> Callable[..., int]:
        def door(options: object, *rest: object) -> int:
            self.options = options
            if self.error:
                raise self.error
            return 0

        return door


def run(*words: str, error: BaseException | None = None) -> tuple[int, NoApp]:
    app = NoApp(error)
    return cli.main(list(words), lambda: app), app  # type: ignore[arg-type,return-value]


def test_bad_use_is_a_sentence_and_code_2(capfd: pytest.CaptureFixture[str]) -> None:
    code, _ = run("search", "--limit", "none")
    out, err = capfd.readouterr()
    assert code == 2
    assert out == ""
    assert err.startswith("pod-desktop search: ") and err.count("\n") == 1


def test_with_json_a_fault_is_told_as_json_too(capfd: pytest.CaptureFixture[str]) -> None:
    code, _ = run("status", "--json", error=Outage("The disk is full.", "/data", "Free some space."))
    out, err = capfd.readouterr()
    assert code == 1
    assert json.loads(out) == {
        "error": {"what": "The disk is full.", "where": "/data", "hint": "Free some space."}
    }
    assert err == "pod-desktop: /data: The disk is full. Free some space.\n"


def test_a_users_fault_is_code_2(capfd: pytest.CaptureFixture[str]) -> None:
    assert run("show", "message:x", error=UserFault("No."))[0] == 2


def test_a_fault_cannot_steer_the_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    run("status", error=UserFault("bad \x1b[2J name"))
    assert "\x1b" not in capfd.readouterr().err


def test_a_bug_is_a_short_line_and_a_log(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    code, _ = run("--data-dir", str(tmp_path), "status", "--json", error=ZeroDivisionError("inner words"))
    out, err = capfd.readouterr()
    log = tmp_path / "pod-desktop.log"
    assert code == 1
    assert "Traceback" not in err and str(log) in err
    assert "ZeroDivisionError" in json.loads(out)["error"]["what"]
    assert "inner words" in log.read_text()


def test_a_bug_without_a_data_directory_is_logged_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    run("--data-dir", str(tmp_path / "none"), "status", error=ZeroDivisionError())
    (log,) = tmp_path.glob("pod-desktop-*.log")
    assert str(log) in capfd.readouterr().err
    assert "ZeroDivisionError" in log.read_text()


def test_ctrl_c_is_quiet(capfd: pytest.CaptureFixture[str]) -> None:
    assert run("status", error=KeyboardInterrupt())[0] == 130
    assert capfd.readouterr() == ("", "")


def test_options_of_collect_reach_the_service() -> None:
    _, app = run("--data-dir", "/d", "collect", "a", "b", "--for", "2.5")
    assert app.options == cli.CollectOptions(data_dir=Path("/d"), names=("a", "b"), seconds=2.5)


def test_the_service_is_started_as_the_window_starts_it() -> None:
    from pod_desktop.services.supervise import service_command

    words = service_command(Path("/d"), until_eof=True)[3:]
    assert run(*words)[1].options == cli.CollectOptions(
        data_dir=Path("/d"), secrets_stdin=True, detached=True, until_eof=True
    )


def test_the_data_directory_may_be_named_behind_the_command() -> None:
    assert run("collect", "--data-dir", "/d")[1].options == cli.CollectOptions(data_dir=Path("/d"))


def test_without_a_command_the_window_opens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    _, app = run("--demo", "--import", "a.ndjson", "b.gz")
    assert app.options == cli.WindowOptions(demo=True, files=(Path("a.ndjson"), Path("b.gz")))


def test_without_a_display_one_sentence_says_what_works(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    code, app = run("--demo")
    assert code == 2
    assert app.options is None
    assert "search" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("text", "kinds"),
    [("message", ("message",)), ("Syslog", ()), ("maillog, message", ("maillog", "message")), ("all", ())],
)
def test_an_index_names_content_types(text: str, kinds: tuple[str, ...]) -> None:
    assert arguments.parse(["search", "x", "--index", text]).index == kinds


@pytest.mark.parametrize(
    "words",
    [
        ["search", "--index", "mail"], ["search", "--limit", "0"], ["search", "--limit", "1.5"],
        ["collect", "--for", "nan"], ["collect", "--for", "1", "--until-caught-up"], ["simulate", "--port", "x"],
        ["simulate", "--frob"], ["connector"], ["connector", "add"], ["count", "--by", "a", "--every", "1h"],
        ["show"], ["import"], ["nothing"], ["search", "--lim", "3"], ["connector", "add", "--api-key", "x"],
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(words: list[str]) -> None:
    with pytest.raises(UserFault):
        arguments.parse(words)


@pytest.mark.parametrize(
    "words", [["--port", "70000"], ["--api-port", "-1"], ["--rate", "nan"], ["--scenario", "none"]]
)
def test_a_simulator_that_cannot_be_is_refused(words: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    assert run("simulate", *words)[0] == 2
    assert capfd.readouterr().err.count("\n") == 1


def test_the_version_needs_neither_qt_nor_a_display_nor_much_time() -> None:
    probe = (
        "import sys; sys.argv = ['pod-desktop', '--version']\n"
        "from pod_desktop.__main__ import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print(sorted({name.partition('.')[0] for name in sys.modules}"
        " & {'PySide6', 'apsw', 'websockets', 'httpx', 'keyring', 'pyarrow', 'asyncio', 'orjson'}))"
    )
    environ = {key: value for key, value in os.environ.items() if not key.startswith("COV")}
    answer = subprocess.run(
        [sys.executable, "-c", probe], capture_output=True, text=True, env=environ, check=True
    )
    version, loaded = answer.stdout.splitlines()
    assert version == f"pod-desktop {cli.arguments.__version__}"
    assert loaded == "[]"


def test_a_reader_that_has_seen_enough_hears_no_complaint() -> None:
    probe = (
        "import sys\n"
        "from pod_desktop import cli\n"
        "from pod_desktop.core.status import StreamStatus\n"
        "class App:\n"
        "    def run_collect(self, options, tell):\n"
        "        for number in range(100_000):\n"
        "            tell([StreamStatus(connector='a', kind='message', state='live', since=0, what=str(number))])\n"
        "sys.exit(cli.main(['collect', '--json'], App))"
    )
    process = subprocess.Popen([sys.executable, "-c", probe], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout and process.stderr
    assert json.loads(process.stdout.readline())["what"] == "0"
    process.stdout.close()
    assert process.wait(20) == 0
    assert process.stderr.read() == b""
    process.stderr.close()
