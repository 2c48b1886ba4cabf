"""packaging/: one command on a fresh machine. The pure parts here; the rest was tried on bare systems."""

from __future__ import annotations

import ast
import importlib
import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGING = ROOT / "packaging"


@pytest.fixture
def setup_env(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    names = ("setup_env", "system_packages", "python_version")
    monkeypatch.syspath_prepend(str(PACKAGING))
    yield importlib.import_module("setup_env")
    for name in names:
        sys.modules.pop(name, None)


@pytest.fixture
def checkout(setup_env: Any, tmp_path: Path) -> Any:
    """An environment that looks finished."""
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    environment = setup_env.Environment(tmp_path)
    environment.scripts.mkdir(parents=True)
    environment.python.touch()
    environment.command.touch()
    environment.note(app=environment.wanted("app"), place=environment.place())
    return environment


def test_a_finished_environment_is_ready(checkout: Any) -> None:
    assert checkout.is_ready("app")
    assert not checkout.is_ready("test")


def test_a_changed_project_file_asks_for_a_new_setup(checkout: Any) -> None:
    (checkout.root / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    assert not checkout.is_ready("app")


def test_a_setup_that_was_cut_short_is_not_ready(checkout: Any) -> None:
    checkout.mark.touch()
    assert not checkout.is_ready("app")


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"app": 1}'])
def test_a_damaged_stamp_is_no_stamp(checkout: Any, text: str) -> None:
    checkout.stamp.write_text(text)
    assert not checkout.is_ready("app")


def test_a_carried_away_environment_is_not_ready(checkout: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "base_prefix", "/another/python")
    assert not checkout.is_ready("app")


def test_notes_add_up(checkout: Any) -> None:
    checkout.note(**{"qt xcb": "found"})
    assert json.loads(checkout.stamp.read_text())["app"] == checkout.wanted("app")
    assert checkout.finished()["qt xcb"] == "found"


@pytest.mark.parametrize(
    ("words", "window"),
    [
        ([], True), (["--demo"], True), (["--import", "search", "a.gz"], True), (["--data-dir", "collect"], True),
        (["--data-dir=x"], True), (["--version"], False), (["--help"], False), (["search", "x"], False),
        (["--data-dir", "d", "status"], False), (["simulate", "--port", "1"], False),
    ],
)  # fmt: skip
def test_which_arguments_open_the_window(setup_env: Any, words: list[str], window: bool) -> None:
    assert setup_env.wants_window(words) is window


@pytest.mark.parametrize(
    ("environ", "platform"),
    [
        ({"DISPLAY": ":0"}, "xcb"), ({"WAYLAND_DISPLAY": "wayland-0"}, "wayland"),
        ({"DISPLAY": ":0", "WAYLAND_DISPLAY": "wayland-0"}, "xcb"), ({}, None), ({"DISPLAY": ""}, None),
        ({"QT_QPA_PLATFORM": "offscreen"}, ""), ({"QT_QPA_PLATFORM": "vnc:size=1x1"}, ""),
    ],
)  # fmt: skip
def test_which_plugin_the_window_needs(setup_env: Any, environ: dict[str, str], platform: str | None) -> None:
    assert setup_env.platform_of_window(environ, "linux") == platform
    assert setup_env.platform_of_window(environ, "darwin") == ""


def test_without_a_display_run_says_so_before_it_sets_anything_up(
    setup_env: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(setup_env, "prepare", lambda *_: pytest.fail("it set something up"))
    assert setup_env.run(["--demo"]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert all(name in err for name in setup_env.HEADLESS)


def test_the_commands_named_without_a_display_are_all_there_are(setup_env: Any) -> None:
    from pod_desktop.cli import arguments, running

    assert sorted(arguments.commands()) == sorted(setup_env.HEADLESS)
    assert all(name in running.without_display() for name in setup_env.HEADLESS)


def test_an_unfit_python_is_refused_in_a_sentence(
    setup_env: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    version = importlib.import_module("python_version")
    monkeypatch.setattr(sys, "version_info", (3, 9, 2))
    monkeypatch.setattr(version, "_other", lambda: None)
    with pytest.raises(SystemExit) as end:
        version.require()
    assert end.value.code == 2
    assert "3.11 to 3.13; this is Python 3.9" in capsys.readouterr().err


def test_the_pythons_of_setup_and_project_file_agree(setup_env: Any) -> None:
    version = importlib.import_module("python_version")
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
    (low, high) = version.LOWEST, version.HIGHEST
    assert wanted == f">={low[0]}.{low[1]},<{high[0]}.{high[1] + 1}"


def test_without_rights_the_exact_apt_line_is_printed(
    setup_env: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = importlib.import_module("system_packages")
    said: list[str] = []
    monkeypatch.setattr(system.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(system, "_privilege", lambda: None)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(system, "_qt_problem", lambda *_: "libxcb-cursor.so.0")
    with pytest.raises(SystemExit) as end:
        system.require_qt(Path("python"), "xcb", said.append)
    assert end.value.code == 2
    (words,) = said
    assert "libxcb-cursor.so.0" in words
    assert "sudo apt-get update && sudo apt-get install --no-install-recommends libegl1" in words
    assert "libxcb-cursor0" in words


def test_a_missing_library_is_named(setup_env: Any, tmp_path: Path) -> None:
    system = importlib.import_module("system_packages")
    python = tmp_path / "python"
    python.write_text(
        "#!/bin/sh\necho 'ImportError: libEGL.so.1: cannot open shared object file' >&2\nexit 1\n"
    )
    python.chmod(0o755)
    assert system._qt_problem(python, "") == "libEGL.so.1"


def test_packaging_needs_the_standard_library_only() -> None:
    own = {path.stem for path in PACKAGING.glob("*.py")}
    for path in PACKAGING.glob("*.py"):
        nodes = list(ast.walk(ast.parse(path.read_text())))
        found = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
        found |= {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
        assert {name.partition(".")[0] for name in found} <= sys.stdlib_module_names | own, path


LOCKS = {name: (PACKAGING / name).read_text() for name in ("requirements.lock", "requirements-test.lock")}
LINE = re.compile(r"^([a-z0-9][a-z0-9._-]*)==(\S+)( ; [^\\\n]+)?", re.MULTILINE)


@pytest.mark.parametrize("name", LOCKS)
def test_every_locked_package_has_hashes(name: str) -> None:
    entries = re.split(r"(?m)^(?=[a-z0-9])", LOCKS[name])[1:]
    assert len(entries) > 20
    assert all("--hash=sha256:" in entry for entry in entries)


def test_the_test_lock_holds_all_of_the_apps() -> None:
    app, test = ({match[:2] for match in LINE.findall(text)} for text in LOCKS.values())
    assert app <= test


def test_every_dependency_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    names = {
        "app": project["project"]["dependencies"] + project["build-system"]["requires"],
        "test": project["dependency-groups"]["test"],
    }
    for wanted, text in zip((names["app"], names["test"]), LOCKS.values(), strict=True):
        locked = {name for name, *_ in LINE.findall(text)}
        asked = {re.split(r"[<>=; ]", line)[0].casefold() for line in wanted}
        assert asked <= locked


def test_python_3_11_never_gets_a_pyside_that_aborts_there() -> None:
    found = dict.fromkeys(
        re.findall(
            r"^pyside6-essentials==(\S+) ; python_full_version < '3.12'",
            LOCKS["requirements.lock"],
            re.MULTILINE,
        )
    )
    (version,) = found
    assert tuple(map(int, version.split("."))) < (6, 12)


def test_a_second_start_calls_no_other_program(
    setup_env: Any, checkout: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    became: list[list[str]] = []
    monkeypatch.setattr(setup_env, "Environment", lambda: checkout)
    monkeypatch.setattr(setup_env, "_become", lambda command: became.append(command) or 0)
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: pytest.fail("it called another program"))
    assert setup_env.run(["search", "x y"]) == 0
    assert became == [[str(checkout.command), "search", "x y"]]


def test_nothing_is_resolved_beside_the_locks_and_nothing_is_missing_in_them(
    setup_env: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody's new release may stop a setup; what the locks leave out pip itself would miss."""
    calls: list[tuple[str, ...]] = []
    monkeypatch.setattr(setup_env, "_pip", lambda _environment, _held, *words: calls.append(words))
    setup_env._install(setup_env.Environment(), "test", ())
    assert len(calls) == 2 and all("--no-deps" in words for words in calls)
    found = subprocess.run(
        [sys.executable, "-m", "pip", "check"], capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stdout
