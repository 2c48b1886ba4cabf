"""Who may import what: floors, doors of third-party libraries, rooms instead of their furniture."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "pod_desktop"

DOORS = {
    "PySide6": ("ui", "app.py"),
    "qasync": ("ui", "app.py"),
    "pyqtgraph": ("ui",),
    "websockets": ("stream", "simulator"),
    "httpx": ("webhook",),
    "keyring": ("vault",),
    "apsw": ("store",),
    "zstandard": ("store", "services"),  # sealed blocks; imported .zst files
    "re2": ("query",),
    "stringzilla": ("services",),
    "pyarrow": ("services",),
    "platformdirs": ("store",),
    "desktop_notifier": ("services",),
    "yaml": ("services",),
}
"""Third-party library -> rooms that may name it. One door each, so that one place changes with it."""


@cache
def modules() -> tuple[tuple[Path, ast.Module], ...]:
    paths = sorted(PACKAGE.rglob("*.py"))
    return tuple((path, ast.parse(path.read_text(encoding="utf-8"), str(path))) for path in paths)


def imports(tree: ast.Module) -> Iterator[tuple[int, str, tuple[str, ...]]]:
    """(line, module, names) of every import, wherever in the file it stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name, ()) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.lineno, node.module, tuple(alias.name for alias in node.names)


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0]


def test_imports_go_one_way() -> None:
    answer = subprocess.run(
        [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert answer.returncode == 0, answer.stdout + answer.stderr


@pytest.mark.parametrize("library", DOORS)
def test_a_library_is_named_behind_its_door_only(library: str) -> None:
    strangers = [
        f"{path.relative_to(ROOT)}:{line}"
        for path, tree in modules()
        for line, module, _ in imports(tree)
        if module.partition(".")[0] == library and room(path) not in DOORS[library]
    ]
    assert not strangers, f"{library} is the business of {', '.join(DOORS[library])}"


def test_the_core_needs_the_standard_library_only() -> None:
    foreign = [
        f"{path.relative_to(ROOT)}:{line} {module}"
        for path, tree in modules()
        if room(path) == "core"
        for line, module, _ in imports(tree)
        if module.partition(".")[0] not in {*sys.stdlib_module_names, "pod_desktop"}
    ]
    assert not foreign


def exported(of: str) -> set[str]:
    """What a room's __init__ offers by name."""
    tree = ast.parse((PACKAGE / of / "__init__.py").read_text(encoding="utf-8"))
    return {name for _, _, names in imports(tree) for name in names}


CONTRACTS = ("store.port", "vault.port", "query.tree", "cli.options")
"""Modules of values and protocols only: importing them loads nothing else of their room."""


def test_rooms_are_imported_not_their_furniture() -> None:
    rooms = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").exists()} - {
        "core",
        "services",
    }
    offered = {name: exported(name) for name in rooms}
    wrong = [
        f"{path.relative_to(ROOT)}:{line} takes {name} from {module}; pod_desktop.{parts[1]} offers it"
        for path, tree in modules()
        for line, module, names in imports(tree)
        if len(parts := module.split(".")) > 2
        and parts[0] == "pod_desktop"
        and parts[1] in rooms - {room(path)}
        if ".".join(parts[1:]) not in CONTRACTS
        for name in names
        if name in offered[parts[1]]
    ]
    assert not wrong, "\n".join(wrong)


def test_every_module_says_what_lives_in_it() -> None:
    silent = [str(path.relative_to(ROOT)) for path, tree in modules() if not ast.get_docstring(tree)]
    assert not silent


def test_no_module_has_a_name_that_says_nothing() -> None:
    empty = {"utils", "util", "helpers", "helper", "manager", "managers", "misc", "common"}
    assert not [path for path, _ in modules() if path.stem in empty]
