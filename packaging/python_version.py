"""Which Python may run us. Kept in syntax that old ones understand, so that they can say what is wrong."""

import os
import shutil
import sys

LOWEST = (3, 11)
HIGHEST = (3, 13)
"""As pyproject.toml's requires-python says; tests/house compares them."""


def require():
    """Go on under a Python that fits: this one, else another on the PATH, else say so and end with 2."""
    if LOWEST <= sys.version_info[:2] <= HIGHEST:
        return
    other = _other()
    if other and not os.environ.get("POD_DESKTOP_PYTHON_FOUND"):
        os.environ["POD_DESKTOP_PYTHON_FOUND"] = "1"
        os.execv(other, [other, *sys.argv])
    sys.stderr.write(refusal(sys.version_info) + "\n")
    sys.exit(2)


def refusal(version):
    """The sentence for a Python that does not fit."""
    return (
        "POD Desktop needs Python %d.%d to %d.%d; this is Python %d.%d and no other was found on the PATH."
        % (LOWEST + HIGHEST + tuple(version[:2]))
    )


def _other():
    for minor in range(HIGHEST[1], LOWEST[1] - 1, -1):
        found = shutil.which("python3.%d" % minor)
        if found:
            return found
    return None
