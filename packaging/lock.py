"""Make the two lock files anew from pyproject.toml: `python3 packaging/lock.py [--upgrade]`.

Without --upgrade only what pyproject.toml asks for changes. uv resolves for all systems and Pythons at
once; it is installed into a throw-away environment and asks the index of its own configuration.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import tomllib
import venv
from pathlib import Path

import setup_env

ROOT = setup_env.ROOT


def main(arguments: list[str]) -> int:
    if arguments not in ([], ["--upgrade"]):
        print(__doc__, file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as folder:
        scripts = Path(folder) / "venv" / setup_env.Environment().scripts.name
        venv.create(Path(folder) / "venv", with_pip=True)
        subprocess.run([scripts / "python", "-m", "pip", "install", "--quiet", "uv"], check=True)
        _lock(scripts / "uv", "app", _build_tools(Path(folder)), *arguments)
        constraint = ["--group", "test", "--constraint", _name("app")]
        _lock(scripts / "uv", "test", [*_build_tools(Path(folder)), *constraint], *arguments)
    return 0


def _build_tools(folder: Path) -> list[str]:
    """The build tools are locked like the rest: so the project itself is installed without asking an index."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    path = folder / "build.in"
    path.write_text("\n".join(project["build-system"]["requires"]), encoding="utf-8")
    return [str(path)]


def _lock(uv: Path, lock: str, sources: list[str], *more: str) -> None:
    options = ["--universal", "--python-version", "3.11", "--generate-hashes", "--only-binary", ":all:"]
    quiet = ["--quiet", "--no-header", "--no-annotate"]
    subprocess.run(
        [
            uv,
            "pip",
            "compile",
            *options,
            *quiet,
            "--output-file",
            _name(lock),
            "pyproject.toml",
            *sources,
            *more,
        ],
        cwd=ROOT,
        check=True,
    )


def _name(lock: str) -> str:
    return setup_env.LOCKS[lock].relative_to(ROOT).as_posix()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
