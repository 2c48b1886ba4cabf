"""The ledger: what is committed is there for every process, and faults have words."""

import os
import stat
import subprocess
import sys

import apsw
import pytest

from pod_desktop import store
from pod_desktop.core.clock import DAY
from pod_desktop.core.connector import CollectConnector
from pod_desktop.core.faults import Outage, UserFault
from pod_desktop.core.status import Counters, StreamStatus


def connector(name="acme", **changes):
    values = {"tenant": "Acme", "cluster_id": "acme_hosted", "content_types": ("message",)}
    return CollectConnector(name=name, **{**values, **changes})


@pytest.fixture
def ledger(tmp_path):
    ledger = store.Ledger(tmp_path / "ledger.db")
    yield ledger
    ledger.close()


def test_a_connector_comes_back_as_it_was_added(ledger):
    ledger.add_connector(connector(), now=7)
    entry = ledger.connector("ACME")
    assert entry.connector == connector()
    assert (entry.enabled, entry.created) == (True, 7)


def test_a_name_is_taken_whatever_its_case(ledger):
    ledger.add_connector(connector("acme"), now=1)
    with pytest.raises(UserFault, match="exists already"):
        ledger.add_connector(connector("Acme"), now=2)
    assert len(ledger.connectors()) == 1


def test_an_unknown_name_is_answered_with_the_known_ones(ledger):
    ledger.add_connector(connector("acme"), now=1)
    with pytest.raises(UserFault, match="acme"):
        ledger.set_enabled("acmee", True, now=2)


def test_removing_a_connector_takes_its_status_along(ledger):
    ledger.add_connector(connector(), now=1)
    ledger.put_statuses([StreamStatus(connector="acme", kind="message", state="live", since=1)], now=1)
    ledger.remove_connector("acme")
    assert ledger.connectors() == []
    assert ledger.statuses() == []


def test_a_status_comes_back_with_its_counters(ledger):
    status = StreamStatus(
        connector="acme", kind="message", state="waiting", since=5, code="409",
        counters=Counters(received=3, stored=2, duplicates=1), gaps=((1, 2),),
    )  # fmt: skip
    ledger.put_statuses([status], now=5)
    assert ledger.statuses() == [status]


def test_every_commit_changes_the_version_seen_by_another_ledger(ledger, tmp_path):
    other = store.Ledger(tmp_path / "ledger.db")
    before = other.version()
    assert other.version() == before
    ledger.set_setting("theme", "dark")
    after = other.version()
    assert after != before
    assert other.setting("theme") == "dark"
    own = ledger.version()
    ledger.set_setting("theme", "light")
    assert ledger.version() != own
    other.close()


def test_a_command_is_taken_once_and_in_order(ledger):
    ledger.post("try_now", {"connector": "a"}, now=1)
    ledger.post("try_now", {"connector": "b"}, now=2)
    assert [command.args["connector"] for command in ledger.take_commands()] == ["a", "b"]
    assert ledger.take_commands() == []


def test_a_job_is_heard_of_until_a_day_after(ledger):
    ledger.put_job("one", {"done": 5}, now=0)
    ledger.put_job("one", {"done": 7}, now=1)
    assert ledger.job("one") == {"done": 7}
    ledger.put_job("two", {}, now=DAY + 2)
    assert ledger.job("one") is None


def test_a_ledger_of_a_newer_version_is_refused_with_words(tmp_path):
    path = tmp_path / "ledger.db"
    store.Ledger(path).close()
    database = apsw.Connection(str(path))
    database.pragma("user_version", 99)
    database.close()
    with pytest.raises(Outage, match="newer version"):
        store.Ledger(path)


def test_a_file_that_is_no_database_is_refused_with_words(tmp_path):
    path = tmp_path / "ledger.db"
    path.write_bytes(b"not a database at all, but long enough to be read as a header" * 20)
    with pytest.raises(Outage, match="damaged or is no database"):
        store.Ledger(path)


def test_a_data_directory_is_private_and_opens_twice(tmp_path):
    home = store.DataDir(tmp_path / "data").open()
    assert stat.S_IMODE(home.root.stat().st_mode) == 0o700
    assert home.open() == home


def test_a_newer_data_directory_is_refused_and_left_alone(tmp_path):
    home = store.DataDir(tmp_path).open()
    (tmp_path / "pod-desktop.version").write_text("99\n")
    with pytest.raises(Outage, match="newer version"):
        home.open()
    assert (tmp_path / "pod-desktop.version").read_text() == "99\n"


def test_a_file_in_place_of_the_directory_has_words(tmp_path):
    (tmp_path / "data").write_text("")
    with pytest.raises(Outage, match="not a directory"):
        store.DataDir(tmp_path / "data").open()


def test_a_full_disk_has_words(tmp_path, monkeypatch):
    def full(fd):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Outage, match="disk is full"):
        store.DataDir(tmp_path).open()


def test_a_lock_is_held_by_one_process_and_names_it(tmp_path):
    path = tmp_path / "service.lock"
    code = (
        "import sys; from pathlib import Path; from pod_desktop.store import Lock\n"
        "lock = Lock(Path(sys.argv[1])); assert lock.acquire() is None\n"
        "print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout.readline() == b"held\n"
        assert store.lock_holder(path) == holder.pid
        assert store.Lock(path).acquire() == holder.pid
        holder.kill()
        holder.wait()
    assert store.lock_holder(path) is None
    mine = store.Lock(path)
    assert mine.acquire() is None
    mine.release()
