"""verify --repair: rebuilds what is damaged, says what it did, and does nothing beside a service."""

from __future__ import annotations

import json
import time
from contextlib import closing

import apsw
import pytest

from builders import as_bytes, message
from pod_desktop import app, cli, content
from pod_desktop.core.clock import SystemClock
from pod_desktop.core.record import MESSAGE, Arrival
from pod_desktop.core.status import Counters
from pod_desktop.store import LIVE, Commit, Lock, Source
from pod_desktop.store.writer import SegmentWriter

NOW = SystemClock().now()


@pytest.fixture
def run(tmp_path, capfdbinary):
    with closing(app.open_home(tmp_path)) as home:
        writer = SegmentWriter(home.data_dir.events, clock=home.clock, segment_records=10)
        for number in range(20):
            raw = as_bytes(message(guid=f"g{number}", time=NOW))
            writer.commit(
                Commit(
                    source=Source(connector="acme", tenant="Acme", cluster_id="acme_hosted"),
                    lane=LIVE,
                    records=[Arrival(content.read(MESSAGE, raw, NOW), raw)],
                    stream="acme/message",
                    counters=Counters(received=1),
                )
            )
        while writer.busy():
            time.sleep(0.002)
        writer.close()

    def call(*words):
        code = cli.main(["--data-dir", str(tmp_path), *words], lambda: app)
        out, err = capfdbinary.readouterr()
        return code, out.decode(), err.decode()

    return call


def damage(tmp_path):
    with closing(apsw.Connection(str(tmp_path / "events" / "segment-1.db"))) as db:
        db.execute("drop index ev_sender")


def test_what_is_damaged_is_named_then_rebuilt_then_sound(run, tmp_path):
    damage(tmp_path)
    code, out, _ = run("verify")
    assert code == 1 and "segment-1.db: Its index or table ev_sender is missing." in out
    code, out, _ = run("verify", "--repair")
    assert code == 0
    assert "segment-1.db: rebuilt from 10 raw records." in out and "20 records, all sound." in out
    code, out, _ = run("verify", "--repair", "--json")
    assert (code, json.loads(out)["repaired"]) == (0, [])
    assert "repaired" not in json.loads(run("verify", "--json")[1])


def test_beside_a_service_nothing_is_repaired(run, tmp_path):
    damage(tmp_path)
    with closing(app.open_home(tmp_path)) as home:
        lock = Lock(home.data_dir.service_lock)
    assert lock.acquire() is None
    try:
        code, _, err = run("verify", "--repair")
    finally:
        lock.release()
    assert code == 1 and "The collector service" in err
    assert run("verify")[0] == 1
