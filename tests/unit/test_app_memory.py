"""Keys in memory stay there: no core file, no reading by other processes of the same user."""

from __future__ import annotations

import subprocess
import sys

import pytest

CODE = """
import ctypes, resource
from pod_desktop.app import keep_memory_private
keep_memory_private()
dumpable = ctypes.CDLL(None).prctl(3, 0, 0, 0, 0)  # PR_GET_DUMPABLE
print(resource.getrlimit(resource.RLIMIT_CORE)[0], dumpable)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="prctl is Linux's")
def test_a_process_that_holds_keys_leaves_no_core_and_cannot_be_dumped() -> None:
    answer = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    assert answer.stdout.split() == ["0", "0"]
