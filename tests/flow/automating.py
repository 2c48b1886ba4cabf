"""What tests of playbooks share: a store, a simulated API, a clock that is turned, and playbooks on them."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace

from builders import as_bytes, message
from pod_desktop import content, store, webhook
from pod_desktop.core.clock import SECOND, SystemClock
from pod_desktop.core.playbook import ON, playbook_from_file
from pod_desktop.core.record import Arrival
from pod_desktop.core.responder import TYPES, RespondConnector
from pod_desktop.core.secret import Secret
from pod_desktop.services.automate import Automation
from pod_desktop.services.respond import Responding
from pod_desktop.services.surroundings import surroundings
from pod_desktop.simulator import Simulator
from pod_desktop.store.port import BACKFILL, LIVE, Commit, Source

ADD_BLOCK, ADD_SAFE, DELETE_BLOCK, DELETE_SAFE = TYPES
BLOCK = {"type": "webhook_responder", "responder": "Block"}
SAFELIST = {"type": "webhook_responder", "responder": "Safelist"}
SOURCE = Source(connector="acme", tenant="Acme", cluster_id="acme_hosted")
START = SystemClock().now()


def definition(**changes):
    """A playbook file's object: blocks the sender of each quarantined message."""
    return {"name": "Wave", "tenant": "Acme", "query": "outcome:quarantined", "actions": [BLOCK]} | changes


class TurnedClock:
    """Stands still until it is turned; `monotonic` goes with it unless told otherwise."""

    def __init__(self):
        self.time = START
        self.seconds = 1_000.0

    def now(self):
        return self.time

    def monotonic(self):
        return self.seconds

    def turn(self, micros):
        self.time += micros
        self.seconds += micros / SECOND


class World:
    """One data directory; begin() starts the automation on it, end() stops it, as often as one likes."""

    def __init__(self, sim, folder, clock=None):
        self.sim = sim
        self.folder = folder
        self.clock = clock or TurnedClock()
        self.events = folder / "events"
        self.writer = store.open_writer(folder / "events", clock=self.clock)
        self.playbooks = store.Playbooks(folder / "playbooks.db")
        self.journal = store.Journal(folder / "actions.db")
        self.sender = webhook.Sender(SystemClock(), seconds=20.0)
        self.ledger = store.Ledger(folder / "ledger.db")
        self.notes_file = folder / store.NOTES_FILE
        self.stop_file = store.DataDir(folder).automation_stop
        self.connectors = [self._connector("Block", ADD_BLOCK), self._connector("Safelist", ADD_SAFE)]
        self.automation = None
        self._number = 0

    def _connector(self, name, kind):
        return RespondConnector(
            name=name, tenant="Acme", type=kind, cluster_id=self.sim.cluster_id, hostname=self.sim.hostname,
            protocol="HTTP", token_url=self.sim.token_url,
        )  # fmt: skip

    def begin(self):
        self.respond = Responding(
            journal=self.journal,
            sender=self.sender,
            credentials=lambda connector: webhook.Credentials(
                client_id=Secret(self.sim.client_id), client_secret=Secret(self.sim.client_secret)
            ),
            connectors=lambda: self.connectors,
            clock=self.clock,
            wait=self._no_wait,
        )
        self.automation = Automation(
            playbooks=self.playbooks,
            journal=self.journal,
            open_reader=lambda: store.open_reader(self.events),
            open_notes=lambda: store.Notes(self.notes_file),
            respond=self.respond,
            connectors=lambda: self.connectors,
            clock=self.clock,
            stop_file=self.stop_file,
            surroundings=lambda reader: surroundings(self.ledger, reader, self.clock.now()),
            poll_seconds=0.01,
        )
        return self.automation

    @staticmethod
    async def _no_wait(seconds):
        await asyncio.sleep(0)

    async def end(self):
        if self.automation is not None:
            await self.automation.close()
            self.automation = None

    # records

    def raw(self, *, sender="billing@bad.test", ago=0, **more):
        more = {"disposition": "discard", "folder": "Phish"} | more
        return as_bytes(message(sender=sender, time=self.clock.now() - ago, **more))

    def store(self, *raws, lane=LIVE, source=SOURCE, kind="message"):
        arrivals = [Arrival(content.read(kind, raw, self.clock.now()), raw) for raw in raws]
        self._number += 1
        for at in range(0, len(arrivals), 2_000):
            self.writer.commit(
                Commit(source=source, lane=lane, records=arrivals[at : at + 2_000], stream=f"acme/{kind}")
            )

    def backfill(self, *raws):
        self.store(*raws, lane=BACKFILL)

    # playbooks

    def add(self, armed=True, **changes):
        playbook = playbook_from_file(definition(**changes))
        self.playbooks.add(playbook, author="ann", now=self.clock.now())
        if armed:
            self.playbooks.set_state(playbook.name, ON, by="ann", now=self.clock.now())
        return self.entry(playbook.name)

    def entry(self, name="Wave"):
        return self.playbooks.entry(name)

    async def rounds(self):
        """Judge and send until nothing more can be done at this moment."""
        waiting = None
        while True:
            more = await self.automation.step()
            await self.automation.sent()
            left = [row.id for row in self.playbooks.to_send()]
            if not more and left == waiting:
                return
            waiting = left

    @staticmethod
    async def until(true, seconds=60):
        """Return when it is true."""
        async with asyncio.timeout(seconds):
            while not true():  # noqa: ASYNC110 - what is waited for is in files and at the other side
                await asyncio.sleep(0.01)

    # what came of it

    def outcomes(self):
        return [row.outcome for row in reversed(self.playbooks.rows())]

    @property
    def posts(self):
        return [exchange for exchange in self.sim.api.requests("org") if exchange.method == "POST"]

    def blocked(self, name="orgBlockList"):
        return sorted(entry["value"] for entry in self.sim.api.entries(name))

    async def close(self):
        await self.end()
        await self.sender.close()
        self.writer.close()
        assert self.journal.verify() == []
        self.journal.close()
        self.playbooks.close()
        self.ledger.close()


@contextlib.asynccontextmanager
async def world(folder, clock=None):
    async with Simulator(seed=7) as sim:
        made = World(sim, folder, clock)
        try:
            yield made
        finally:
            await made.close()


def run(folder, story, clock=None):
    """Run a test's story in a fresh world whose automation has begun."""

    async def scene():
        async with world(folder, clock) as made:
            made.begin()
            await made.rounds()
            await story(made)

    asyncio.run(scene())


__all__ = ["BLOCK", "SAFELIST", "START", "World", "definition", "replace", "run", "world"]
