"""The command line: the headless front end on the same services as the window."""

from __future__ import annotations

from pod_desktop import __version__


def main(arguments: list[str]) -> int:
    print(f"pod-desktop {__version__}")
    return 0
