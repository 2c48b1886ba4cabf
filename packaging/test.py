"""Run all tests without a display. Arguments go to pytest: `packaging/test.py tests/unit -k clock`."""

import sys

import python_version

python_version.require()

import setup_env  # noqa: E402

if __name__ == "__main__":
    sys.exit(setup_env.test(sys.argv[1:]))
