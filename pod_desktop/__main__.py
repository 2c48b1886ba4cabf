"""The program's one entrance: hand the arguments to the command line, which opens the window when asked to.

A process that a search has started to help goes its own way, and loads only what that needs.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pod_desktop.cli import App


def _app() -> App:
    from pod_desktop import app

    return app


def main() -> int:
    """Run the program with this process's arguments; gives the exit code."""
    if sys.argv[1:2] == ["--scan-worker"]:
        from pod_desktop.services import scan_worker

        scan_worker.run(Path(sys.argv[2]))
    from pod_desktop import cli

    return cli.main(sys.argv[1:], _app)


if __name__ == "__main__":
    sys.exit(main())
