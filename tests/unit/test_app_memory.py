"""What a process asks of the system: keys in memory stay there, and there are files enough for a large store."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from builders import NOW, as_bytes, message
from pod_desktop import content
from pod_desktop.core.clock import HOUR, SystemClock
from pod_desktop.core.record import Arrival
from pod_desktop.store import LIVE, Commit, Source
from pod_desktop.store.writer import SegmentWriter

CODE = """
import ctypes, resource
from pod_desktop.core.process import keep_memory_private
keep_memory_private()
dumpable = ctypes.CDLL(None).prctl(3, 0, 0, 0, 0)  # PR_GET_DUMPABLE
print(resource.getrlimit(resource.RLIMIT_CORE)[0], dumpable)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="prctl is Linux's")
def test_a_process_that_holds_keys_leaves_no_core_and_cannot_be_dumped() -> None:
    answer = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    assert answer.stdout.split() == ["0", "0"]


FILES = """
import resource
from pod_desktop.core.process import have_files_enough
from pod_desktop.store import schema
for limits in ((256, 1_000), (256, 100_000), (8_192, 100_000)):
    resource.setrlimit(resource.RLIMIT_NOFILE, (limits[0], resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    before = schema.most_open()
    if limits[1] == 1_000:
        print(before, end=" ")
        continue
    have_files_enough()
    print(resource.getrlimit(resource.RLIMIT_NOFILE)[0], schema.most_open(), end=" ")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")
def test_a_process_asks_for_files_enough_and_never_for_fewer() -> None:
    answer = subprocess.run([sys.executable, "-c", FILES], capture_output=True, text=True, check=True)
    assert answer.stdout.split() == ["8", "4096", "64", "8192", "64"]


MANY_PARTS = """
import resource, sys
from pathlib import Path
resource.setrlimit(resource.RLIMIT_NOFILE, (128, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
from pod_desktop import store
from pod_desktop.store import Ask
readers = [store.open_reader(Path(sys.argv[1])) for _ in range(3)]
for reader in readers:
    print(len(list(reader.search(Ask()))), reader.count_by(Ask(), "outcome", 5)[0][1], *reader.problems())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")
def test_a_store_of_many_parts_is_read_with_few_files(tmp_path: Path) -> None:
    writer = SegmentWriter(tmp_path, clock=SystemClock(), segment_records=5)
    source = Source(connector="acme", tenant="acme", cluster_id="acme_hosted")
    for part in range(60):
        raws = [as_bytes(message(time=NOW + part * HOUR)) for _ in range(5)]
        records = [Arrival(content.read("message", raw, 0), raw) for raw in raws]
        writer.commit(Commit(source=source, lane=LIVE, records=records, stream="s"))
        writer.tidy()
    while writer.busy():
        writer.tidy()
    writer.close()
    answer = subprocess.run(
        [sys.executable, "-c", MANY_PARTS, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert answer.stdout.splitlines() == ["300 300"] * 3
