"""The program's one entrance: hand the arguments to the command line, which opens the window when asked to."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pod_desktop.cli import App


def _app() -> App:
    from pod_desktop import app

    return app


def main() -> int:
    """Run the program with this process's arguments; gives the exit code."""
    from pod_desktop import cli

    return cli.main(sys.argv[1:], _app)


if __name__ == "__main__":
    sys.exit(main())
