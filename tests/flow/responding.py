"""What tests of actions share: a simulated API, the four responders with its credentials, and a journal."""

from __future__ import annotations

import asyncio
import contextlib

from pod_desktop import responders, store, webhook
from pod_desktop.core.clock import SystemClock
from pod_desktop.core.guards import Surroundings
from pod_desktop.core.responder import TYPES, RespondConnector
from pod_desktop.core.secret import Secret
from pod_desktop.services import respond
from pod_desktop.simulator import Simulator

ADD_BLOCK, ADD_SAFE, DELETE_BLOCK, DELETE_SAFE = TYPES
RECORD = {"guid": "g1", "envelope": {"from": "billing@bad.test"}, "subject": 'quotes " and \n newlines'}
QUICK = 0.7
"""Seconds for an answer where one is kept back: hangs must not make the tests slow."""
PATIENT = 20.0
"""Seconds for an answer everywhere else: a busy machine may need some."""


class ShiftedClock(SystemClock):
    """The computer's clock, and what a test adds to it."""

    ahead = 0

    def now(self):
        return super().now() + self.ahead


class World:
    """A simulator, four responders with its credentials, and a journal."""

    def __init__(self, sim, path, seconds=PATIENT):
        self.sim = sim
        self.clock = ShiftedClock()
        self.journal = store.Journal(path)
        self.sender = webhook.Sender(self.clock, seconds=seconds)
        self.connectors = [
            RespondConnector(
                name=kind.rpartition("Demand ")[2], tenant="Acme", type=kind, cluster_id=sim.cluster_id,
                hostname=sim.hostname, protocol="HTTP", token_url=sim.token_url,
            )
            for kind in TYPES
        ]  # fmt: skip
        self.respond = respond.Responding(
            journal=self.journal,
            sender=self.sender,
            credentials=lambda connector: webhook.Credentials(
                client_id=Secret(sim.client_id), client_secret=Secret(sim.client_secret)
            ),
            connectors=lambda: self.connectors,
            clock=self.clock,
            wait=self._no_wait,
        )

    @staticmethod
    async def _no_wait(seconds):
        await asyncio.sleep(0)

    def of(self, kind):
        return next(connector for connector in self.connectors if connector.type == kind)

    def prepared(self, kind=ADD_BLOCK, record=RECORD, around=None, **body):
        connector = self.of(kind)
        responder = responders.RESPONDERS[kind]
        return respond.prepare(
            connector,
            path_and_query=responder.path_and_query,
            body=responder.body(**body),
            scope=respond.scope_of(record, connector),
            around=around or Surroundings(),
            record_id="message:g1",
        )

    async def submit(self, kind=ADD_BLOCK, **body):
        return await self.respond.submit(self.prepared(kind, **body), actor="person tester")

    def values(self, name="orgBlockList"):
        return sorted(entry["value"] for entry in self.sim.api.entries(name))

    @property
    def posts(self):
        return [exchange for exchange in self.sim.api.requests("org") if exchange.method == "POST"]


@contextlib.asynccontextmanager
async def world(tmp_path, seconds=PATIENT):
    async with Simulator(seed=7) as sim:
        made = World(sim, tmp_path / "actions.db", seconds)
        try:
            yield made
        finally:
            await made.sender.close()
            assert made.journal.verify() == []
            made.journal.close()


def run(tmp_path, story, seconds=PATIENT):
    async def scene():
        async with world(tmp_path, seconds) as made:
            await story(made)

    asyncio.run(scene())
