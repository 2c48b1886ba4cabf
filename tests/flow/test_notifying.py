"""What the service tells on the desktop: once, whoever tells it, never what a record says, and quietly nothing."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from builders import as_bytes, message
from pod_desktop import content, store
from pod_desktop.core import status
from pod_desktop.core.clock import MINUTE, SECOND, SystemClock
from pod_desktop.core.connector import CollectConnector
from pod_desktop.core.playbook import NOTIFY, ON, playbook_from_file
from pod_desktop.core.record import Arrival
from pod_desktop.core.settings import NOTIFICATIONS
from pod_desktop.core.status import StreamStatus
from pod_desktop.services.desktop import Desktop
from pod_desktop.services.notifying import SAID, Notifying, claim_stall
from pod_desktop.services.settings import Settings
from pod_desktop.store.playbook_rows import SENT, FiringRow, Part, Turn
from pod_desktop.store.port import LIVE, Commit, Source

ROOT = Path(__file__).resolve().parents[2]
BUS = "DBUS_SESSION_BUS_ADDRESS"
needs_bus = pytest.mark.skipif(not shutil.which("dbus-daemon"), reason="there is no dbus-daemon here")


class Told:
    """A desktop that keeps what it is told."""

    def __init__(self):
        self.problem = ""
        self.told = []

    async def ready(self):
        return not self.problem

    async def tell(self, title, words):
        self.told.append((title, words))
        return True

    async def close(self):
        pass


class Clock:
    def __init__(self):
        self.time, self.seconds = 1_764_000_000_000_000, 1_000.0

    def now(self):
        return self.time

    def monotonic(self):
        return self.seconds

    def turn(self, seconds):
        self.time += int(seconds * SECOND)
        self.seconds += seconds


class Service:
    """A data directory with one connector and one playbook, and what tells of them."""

    def __init__(self, folder):
        self.folder = folder
        self.clock = Clock()
        self.ledger = store.Ledger(folder / "ledger.db")
        self.book = store.Playbooks(folder / "playbooks.db")
        acme = CollectConnector(name="acme", tenant="t", cluster_id="c", content_types=("message",))
        self.ledger.add_connector(acme, now=1)
        self.playbook("Wave")
        self.desktop = Told()
        self.begin()

    def begin(self):
        self.notifying = Notifying(
            self.ledger, self.folder / "playbooks.db", self.desktop, self.clock, pid=os.getpid()
        )

    def playbook(self, name):
        made = playbook_from_file(
            {"name": name, "tenant": "t", "query": "", "actions": [{"type": NOTIFY}]}, ()
        )
        self.book.add(made, author="ann", now=1)

    def is_now(self, state, **more):
        self.ledger.put_statuses(
            [StreamStatus(connector="acme", kind="message", state=state, since=self.clock.now(), **more)],
            now=self.clock.now(),
        )

    def fires(self, name="Wave", *, text="ceo@victim.example", public="Wave: 3 records", at=None):
        entry = self.book.entry(name)
        at = self.clock.now() if at is None else at
        row = FiringRow(
            playbook_id=entry.id, playbook=name, version=1, slot=0, type=NOTIFY, at=at, time=at, key="k",
            records=("message:1",), outcome="act", status=SENT, text=text, public=public,
        )  # fmt: skip
        part = Part(playbook_id=entry.id, version=1, state=entry.state, rows=[row])
        kept, _ = self.book.commit(Turn(now=at, parts=[part]))
        return kept[0].id

    def later(self, seconds):
        """What has been told after so long."""
        self.clock.turn(seconds)
        before = len(self.desktop.told)
        asyncio.run(self.notifying.step())
        return self.desktop.told[before:]


@pytest.fixture
def service(tmp_path):
    made = Service(tmp_path)
    yield made
    made.notifying._close()
    made.book.close()
    made.ledger.close()


def test_a_connector_that_stops_is_told_once_and_after_it_was_over_not_before_ten_minutes(service):
    assert service.later(1) == []
    service.is_now(status.STOPPED_FAULT, what="<b>from outside</b>")
    assert service.later(1) == []  # a window has its chance
    assert service.later(3) == [("Connectors", "acme (Message) has stopped and needs attention.")]
    assert service.later(60) == []
    service.is_now(status.LIVE)
    service.later(1)
    service.is_now(status.STOPPED_FAULT)
    assert service.later(1) + service.later(30) == []
    service.is_now(status.LIVE)
    service.later(600)
    service.is_now(status.STOPPED_FAULT)
    assert len(service.later(1) + service.later(4)) == 1


def test_what_is_over_within_a_moment_is_not_told(service):
    service.is_now(status.STOPPED_FAULT)
    service.later(1)
    service.is_now(status.LIVE)
    assert service.later(4) + service.later(20) == []


def test_what_a_window_has_claimed_is_not_told_again(service):
    service.is_now(status.STOPPED_FAULT)
    service.later(1)
    (stall,) = service.notifying._watch.stalls.values()
    assert claim_stall(service.ledger, stall, service.clock.now())
    newest = service.fires()
    assert service.book.claim_told(newest) == 0
    assert service.later(5) + service.later(20) == []
    assert not claim_stall(service.ledger, stall, service.clock.now())


def test_what_a_playbook_tells_is_told_without_what_records_say(service):
    service.fires()
    assert service.later(1) == []
    assert service.later(3) == [("Playbook Wave", "Wave: 3 records.")]
    assert service.later(60) == []


def test_a_flood_is_one_notification_in_ten_seconds(service):
    service.playbook("Burst")
    for number in range(50):
        service.fires("Wave" if number % 2 else "Burst")
    assert service.later(4) == [("Playbooks", "50 notifications of Wave, Burst.")]
    service.fires()
    assert service.later(4) == []
    assert service.later(6) == [("Playbook Wave", "Wave: 3 records.")]


def test_what_is_old_or_told_before_a_restart_is_no_news(service):
    service.fires(at=service.clock.now() - 11 * MINUTE)
    assert service.later(4) == []
    service.fires()
    assert len(service.later(4)) == 1
    service.notifying._close()
    service.begin()
    assert service.later(4) == []


def test_where_the_settings_want_none_nothing_is_told(service):
    Settings(service.ledger).set(NOTIFICATIONS, False)
    service.fires()
    service.is_now(status.STOPPED_FAULT)
    assert service.later(4) + service.later(20) == []


def test_without_a_desktop_nothing_is_told_and_the_ledger_says_why(service):
    service.desktop.problem = "There is no desktop session here."
    service.fires()
    service.is_now(status.STOPPED_FAULT)
    assert service.later(4) + service.later(20) == []
    assert service.ledger.setting(SAID) == {
        "pid": os.getpid(),
        "problem": "There is no desktop session here.",
    }
    service.desktop.problem = ""
    assert len(service.later(300)) == 2  # the session has begun
    assert service.ledger.setting(SAID)["problem"] == ""


# the real thing: a bus and a notification server of our own


@asynccontextmanager
async def bus(monkeypatch, folder):
    """A private session bus; yields its process."""
    address = f"unix:path={folder}/bus"
    process = await asyncio.create_subprocess_exec(
        "dbus-daemon", "--session", "--nofork", "--print-address", f"--address={address}",
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    assert process.stdout is not None
    await asyncio.wait_for(process.stdout.readline(), 20)
    monkeypatch.setenv(BUS, address)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


@asynccontextmanager
async def notification_server():
    """Answers as org.freedesktop.Notifications; yields what it was told: (application, title, words)."""
    from dbus_fast.aio import MessageBus

    from tests.flow.notification_server import Server

    connection = await MessageBus().connect()
    server = Server()
    connection.export("/org/freedesktop/Notifications", server)
    await connection.request_name("org.freedesktop.Notifications")
    try:
        yield server.told
    finally:
        connection.disconnect()
        await connection.wait_for_disconnect()


@needs_bus
def test_a_desktop_shows_it_and_one_that_goes_and_comes_is_reached_again(monkeypatch, tmp_path):
    async def work():
        desktop = Desktop()
        async with bus(monkeypatch, tmp_path):
            assert not await desktop.tell("Early", "Nobody answers.")
            assert "no notifications" in desktop.problem
            async with notification_server() as told:
                assert await desktop.tell("Playbook <b>A</b>", "3 records & more")
                assert told == [("POD Desktop", "Playbook ‹b›A‹/b›", "3 records + more")]
                assert desktop.problem == ""
            assert not await desktop.tell("Gone", "Nobody answers.")
            async with notification_server() as told:
                assert await desktop.tell("Back", "Here.")
                assert told == [("POD Desktop", "Back", "Here.")]
            await desktop.close()

    asyncio.run(asyncio.wait_for(work(), 200))


def test_without_a_session_there_is_a_word_and_no_noise(monkeypatch, tmp_path, caplog):
    monkeypatch.delenv(BUS, raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setattr(sys, "platform", "linux")

    async def work():
        desktop = Desktop()
        assert not await desktop.ready()
        assert not await desktop.tell("A", "b")
        assert desktop.problem == "There is no desktop session here (no session bus)."

    asyncio.run(work())
    assert caplog.records == []


def stored(folder, count):
    """Quarantined mail of one sender, as a service has it that has just collected."""
    clock = SystemClock()
    writer = store.open_writer(folder / "events", clock=clock)
    raws = [
        as_bytes(message(sender="canary@bad.test", time=clock.now(), disposition="discard", folder="Phish"))
        for _ in range(count)
    ]
    arrivals = [Arrival(content.read("message", raw, clock.now()), raw) for raw in raws]
    source = Source(connector="acme", tenant="Acme", cluster_id="c")
    writer.commit(Commit(source=source, lane=LIVE, records=arrivals, stream="acme/message"))
    writer.close()


@needs_bus
def test_a_service_without_a_window_notifies_what_a_playbook_is_to(monkeypatch, tmp_path):
    home = store.DataDir(tmp_path / "data")
    tell = {"type": NOTIFY, "text": "{count} mails of {key}"}
    wave = {"name": "Wave", "tenant": "Acme", "query": "folder:phish", "group_by": "sender", "at_least": 3, "actions": [tell]}  # fmt: skip

    async def ran(*words):
        return await asyncio.create_subprocess_exec(
            sys.executable, "-m", "pod_desktop", "--data-dir", str(home.root), *words,
            stdout=asyncio.subprocess.PIPE, cwd=ROOT,
            env={**os.environ, "POD_DESKTOP_SECRETS_DIR": str(tmp_path / "secrets")},
        )  # fmt: skip

    async def work():
        async with bus(monkeypatch, tmp_path), notification_server() as told:
            file = tmp_path / "wave.json"
            file.write_text(json.dumps(wave))
            assert await (await ran("playbook", "add", "--file", str(file))).wait() == 0
            book = store.Playbooks(home.playbooks)
            book.set_state("Wave", ON, by="ann", now=SystemClock().now())
            # The first turn marks where the store stands; what comes afterwards is live.
            book.commit(Turn(now=1, marks={}))
            stored(home.root, 3)
            service = await ran("collect")
            async with asyncio.timeout(60):
                while not told:  # noqa: ASYNC110 - told by another process
                    await asyncio.sleep(0.05)
            out, _ = await (await ran("status", "--json")).communicate()
            assert json.loads(out)["service"]["notifications"] == {"ok": True, "problem": ""}
            service.send_signal(signal.SIGTERM)
            await service.communicate()
            # The words name the key, which a record said: the desktop hears how many there are.
            assert told == [("POD Desktop", "Playbook Wave", "Wave: 3 records.")]
            assert book.rows()[0].text == "3 mails of canary@bad.test"
            book.close()

    asyncio.run(asyncio.wait_for(work(), 200))
