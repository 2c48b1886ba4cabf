"""Ratchets: no file grows past what can be read in one sitting."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MOST_LINES = 500


def test_no_file_has_grown_past_reading() -> None:
    places = ("pod_desktop", "packaging", "tests")
    paths = [path for place in places for path in (ROOT / place).rglob("*.py")]
    long = {
        str(path.relative_to(ROOT)): lines
        for path in paths
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > MOST_LINES
    }
    assert not long, "would two rooms read better?"
