"""What is built and given away: one version, a licence, and the resources inside the wheel."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import pod_desktop
from pod_desktop.core.resources import resource

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT, check=True, capture_output=True,
    )  # fmt: skip
    (path,) = folder.glob("*.whl")
    return path


def test_the_wheel_holds_program_resources_and_licence(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert wheel.name == f"pod_desktop-{pod_desktop.__version__}-py3-none-any.whl"
    assert "pod_desktop/__main__.py" in names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    kept = [
        path for path in (ROOT / "resources").rglob("*") if path.is_file() and "screenshots" not in path.parts
    ]
    assert kept
    assert {f"pod_desktop/{path.relative_to(ROOT).as_posix()}" for path in kept} <= names


def test_the_wheel_holds_nothing_else(wheel: Path) -> None:
    tops = {name.partition("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert tops == {"pod_desktop", f"pod_desktop-{pod_desktop.__version__}.dist-info"}


def test_resources_are_found_from_a_wheel(wheel: Path, tmp_path: Path) -> None:
    zipfile.ZipFile(wheel).extractall(tmp_path)
    probe = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "from pod_desktop.core.resources import resource; print(resource('help/search.md'))"
    )
    answer = subprocess.run(
        [sys.executable, "-I", "-c", probe], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert (
        Path(answer.stdout.strip()) == tmp_path.resolve() / "pod_desktop" / "resources" / "help" / "search.md"
    )


def test_resources_are_found_from_a_checkout() -> None:
    assert resource("help/search.md") == ROOT / "resources" / "help" / "search.md"


@pytest.mark.parametrize("name", ["../pyproject.toml", "/etc/passwd"])
def test_a_resource_is_nothing_else(name: str) -> None:
    with pytest.raises(ValueError, match="no resource"):
        resource(name)


def test_a_missing_resource_says_so() -> None:
    with pytest.raises(FileNotFoundError, match="not installed whole"):
        resource("help/none.md")


def test_the_version_stands_in_one_place() -> None:
    version = re.escape(pod_desktop.__version__)
    found = [
        path.relative_to(ROOT).as_posix()
        for path in (*ROOT.glob("pod_desktop/**/*.py"), ROOT / "pyproject.toml")
        if re.search(rf"['\"]{version}['\"]", path.read_text(encoding="utf-8"))
    ]
    assert found == ["pod_desktop/__init__.py"]


def test_the_licence_is_mit() -> None:
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert text.startswith("MIT License") and "WITHOUT WARRANTY OF ANY KIND" in text
