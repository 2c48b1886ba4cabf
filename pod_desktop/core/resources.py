"""Where the files that come with the program are: icons, help pages, demo records."""

from __future__ import annotations

from functools import cache
from pathlib import Path


@cache
def _folder() -> Path:
    package = Path(__file__).resolve().parent.parent
    installed = package / "resources"  # as the wheel lays it
    return installed if installed.is_dir() else package.parent / "resources"  # as a checkout has it


def resource(name: str) -> Path:
    """The path of a file or folder under `resources/`, for example `help/search.md`.

    Raises:
        FileNotFoundError: the program is not installed whole.
        ValueError: the name leads out of the folder.
    """
    folder = _folder()
    path = (folder / name).resolve()
    if not path.is_relative_to(folder):
        raise ValueError(f"{name!r} is no resource")
    if not path.exists():
        raise FileNotFoundError(f"{name} is missing from {folder}; the program is not installed whole")
    return path
