"""The program's one entrance: hand the arguments to the command line, which opens the window when asked to."""

from __future__ import annotations

import sys


def main() -> int:
    from pod_desktop import cli

    return cli.main(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
