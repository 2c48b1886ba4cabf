"""ruff and mypy as tests, so that pytest alone tells whether the house is in order."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *words], cwd=ROOT, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("words", [("check",), ("format", "--check")], ids=["lint", "format"])
def test_ruff_finds_nothing(words: tuple[str, ...]) -> None:
    answer = run("ruff", *words)
    assert answer.returncode == 0, answer.stdout + answer.stderr


@pytest.mark.timeout(400)
def test_mypy_finds_nothing() -> None:
    # Without its cache, which forgets modules that have come since.
    answer = run("mypy", "--cache-dir", os.devnull)
    assert answer.returncode == 0, answer.stdout + answer.stderr
