"""What acting costs: a bulk run of many values against a bare httpx loop on the same simulated API.

    python tests/bench/bench_actions.py [--values N] [--delay SECONDS]

Prints one JSON object. The API is a process of its own. `bare` is a loop that only POSTs; `bulk` commits every
intent, sends, confirms by the list and writes every outcome down; `single` is the same action by action, as a
click does it, each confirmed by a reading of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

import httpx

from pod_desktop import responders, webhook
from pod_desktop.core.action import ADD, BLOCK, SUCCEEDED
from pod_desktop.core.clock import SystemClock
from pod_desktop.core.guards import Surroundings
from pod_desktop.core.responder import TYPES, RespondConnector
from pod_desktop.core.secret import Secret
from pod_desktop.services import bulk_plan, respond
from pod_desktop.services.bulk import BulkRun
from pod_desktop.simulator import Simulator
from pod_desktop.store import Journal

AROUND = Surroundings()


async def serve(delay: float) -> None:
    """Serve until standard input ends."""
    async with Simulator(seed=7, rate=0.001) as sim:
        sim.api.behaviour.delay = delay
        said = {
            name: getattr(sim, name)
            for name in ("hostname", "token_url", "cluster_id", "client_id", "client_secret")
        }
        print(json.dumps(said), flush=True)
        await asyncio.to_thread(sys.stdin.read)


async def bare(said: dict[str, Any], values: list[str]) -> float:
    """Requests a second of a loop that does nothing else."""
    form = {
        "grant_type": "client_credentials",
        "client_id": said["client_id"],
        "client_secret": said["client_secret"],
    }
    url = f"http://{said['hostname']}{responders.LIST_PATHS[BLOCK]}?clusterId={said['cluster_id']}"
    async with httpx.AsyncClient(trust_env=False) as client:
        token = (await client.post(said["token_url"], data=form)).json()["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        begin = time.perf_counter()
        for value in values:
            body = {"action": "add", "attribute": "$from", "operator": "equal", "value": value}
            answer = await client.post(url, json=body, headers=headers)
            assert answer.status_code == 200
        return len(values) / (time.perf_counter() - begin)


class Gaps:
    """The longest time that the event loop did not come round: what a window on it would feel."""

    def __init__(self) -> None:
        self.worst = 0.0

    async def watch(self) -> None:
        before = time.perf_counter()
        while True:
            await asyncio.sleep(0.002)
            now = time.perf_counter()
            self.worst = max(self.worst, now - before - 0.002)
            before = now


def responding(said: dict[str, Any], folder: Path) -> tuple[respond.Responding, RespondConnector]:
    connector = RespondConnector(
        name="block", tenant="Acme", type=TYPES[0], cluster_id=said["cluster_id"], hostname=said["hostname"],
        protocol="HTTP", token_url=said["token_url"],
    )  # fmt: skip
    credentials = webhook.Credentials(
        client_id=Secret(said["client_id"]), client_secret=Secret(said["client_secret"])
    )
    clock = SystemClock()
    return respond.Responding(
        journal=Journal(folder / "actions.db"),
        sender=webhook.Sender(clock),
        credentials=lambda one: credentials,
        connectors=lambda: [connector],
        clock=clock,
    ), connector


async def measure(said: dict[str, Any], count: int) -> dict[str, Any]:
    answer: dict[str, Any] = {"values": count}
    rate = await bare(said, [f"bare{number}@bad.test" for number in range(count)])
    answer["bare_per_s"] = round(rate, 1)
    with tempfile.TemporaryDirectory() as folder:
        desk, connector = responding(said, Path(folder))
        text = "\n".join(f"bulk{number}@bad.test" for number in range(count))
        begin = time.perf_counter()
        found = bulk_plan.split(bulk_plan.read(text), action=ADD, which=BLOCK, on_list=(), around=AROUND)
        answer["plan_ms"] = round(1000 * (time.perf_counter() - begin), 1)
        gaps = Gaps()
        watch = asyncio.get_running_loop().create_task(gaps.watch())
        begin = time.perf_counter()
        ended = await BulkRun(desk, connector, found.to_send, around=AROUND, actor="bench").run()
        answer["bulk_per_s"] = round(count / (time.perf_counter() - begin), 1)
        answer["bulk_part_of_bare"] = round(answer["bulk_per_s"] / rate, 3)
        answer["loop_gap_ms"] = round(1000 * gaps.worst, 1)
        watch.cancel()
        assert ended.succeeded == count, ended
        took = []
        for number in range(50):
            body = json.dumps(
                {"action": "add", "attribute": "$ip", "operator": "equal", "value": f"185.1.2.{number}"}
            )
            begin = time.perf_counter()
            prepared = respond.prepare(
                connector, path_and_query=responders.RESPONDERS[TYPES[0]].path_and_query, body=body,
                scope=respond.scope_of({}, connector), around=AROUND,
            )  # fmt: skip
            action = await desk.submit(prepared, actor="bench")
            took.append(1000 * (time.perf_counter() - begin))
            assert action.status == SUCCEEDED
        answer["single_p50_ms"] = round(statistics.median(took), 1)
        answer["single_p95_ms"] = round(sorted(took)[int(len(took) * 0.95)], 1)
        begin = time.perf_counter()
        assert desk.journal.verify() == []
        answer["verify_ms"] = round(1000 * (time.perf_counter() - begin), 1)
        await desk.close()
        desk.journal.close()
    return answer


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--values", type=int, default=1_000)
    parser.add_argument("--delay", type=float, default=0.0, help="seconds that the API takes for each answer")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        asyncio.run(serve(options.delay))
        return
    command = [sys.executable, __file__, "--serve", "--delay", str(options.delay)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
        assert server.stdout is not None and server.stdin is not None
        try:
            said = json.loads(server.stdout.readline())
            print(json.dumps(asyncio.run(measure(said, options.values)) | {"delay_s": options.delay}))
        finally:
            server.stdin.close()


if __name__ == "__main__":
    main()
