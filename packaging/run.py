"""Set POD Desktop up in .venv where that is not done yet, then start it with the arguments given here."""

import sys

import python_version

python_version.require()

import setup_env  # noqa: E402

if __name__ == "__main__":
    sys.exit(setup_env.run(sys.argv[1:]))
