"""What playbooks cost: CPU a record and playbook, records a second, time to the intent, backtest against search.

    python tests/bench/bench_automate.py [--records N] [--playbooks N]

Not collected by pytest; prints one figure a line. Records are the simulator's.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[1] / "flow"))

from automating import START, World

from pod_desktop import content, store
from pod_desktop.core.clock import DAY, MINUTE, SystemClock
from pod_desktop.core.guards import Surroundings
from pod_desktop.core.playbook import NOTIFY, Playbook, PlaybookAction, playbook_from_file
from pod_desktop.core.record import Arrival
from pod_desktop.services import playbooks
from pod_desktop.services.asking import ask
from pod_desktop.services.automate_fire import Desk
from pod_desktop.services.automate_judge import Judge
from pod_desktop.services.automate_match import Facts, Rules, compile_rule
from pod_desktop.simulator import Simulator
from pod_desktop.simulator.generator import Generator
from pod_desktop.store.port import BACKFILL, LIVE, Commit, Source

SOURCE = Source(connector="acme", tenant="Acme", cluster_id="acme_hosted")
QUERIES = (
    "outcome:quarantined AND rule:phish", "sender:ceo{n}@evil.test", "sender.domain:bad{n}.test AND score:>50",
    "direction:inbound AND NOT dmarc:pass AND score:>=50", "subject:invoice{n} AND outcome:delivered",
    "attachment.name:*.iso", "filter.modules.spam.scores.classifiers.impostor:>=70", "ip:203.0.{n}.0/24",
    "folder:Phish AND country:ru", "rule:(spam_definite OR bulk) AND recipient.domain:acme.example",
)  # fmt: skip


def playbook(number: int) -> Playbook:
    return Playbook(
        name=f"P{number}", tenant="Acme", query=QUERIES[number % len(QUERIES)].format(n=number), group_by="sender",
        at_least=5, actions=(PlaybookAction(type=NOTIFY),),
    )  # fmt: skip


def frames(count: int, *, days: int = 7, until: int = START) -> list[bytes]:
    items = Generator(1, "acme_hosted", archive_rate=count / (days * 86_400) * 4).records("message", until - days * DAY, until)  # fmt: skip
    return [item.frame for _, item in zip(range(count), items, strict=False)]


def commit(writer: store.Writer, raws: list[bytes], lane: str) -> None:
    for at in range(0, len(raws), 2_000):
        records = [Arrival(content.read("message", raw, START), raw) for raw in raws[at : at + 2_000]]
        writer.commit(Commit(source=SOURCE, lane=lane, records=records, stream="acme/message"))


def matching(raws: list[bytes], count: int) -> None:
    rules = Rules([compile_rule(playbook(number), START) for number in range(count)])
    for name, chosen in (("nobody", Rules(())), (f"{count} playbooks", rules)):
        begin = time.process_time()
        for raw in raws:
            facts = Facts("message", raw, SOURCE, time=0)
            _ = facts.columns
            for rule in chosen.candidates(facts):
                rule.found(facts)
        spent = time.process_time() - begin
        print(f"CPU a record, {name}: {spent / len(raws) * 1e6:.1f} us")
        if count and chosen is rules:
            print(f"CPU a record and playbook: {spent / len(raws) / count * 1e6:.2f} us")


def judging(folder: Path, raws: list[bytes], count: int) -> None:
    clock = SystemClock()
    writer = store.open_writer(folder / "events", clock=clock)
    reader = store.open_reader(folder / "events")
    book = store.Playbooks(folder / "playbooks.db")
    for number in range(count):
        book.add(playbook(number), author="bench", now=START)
    judge = Judge(book, reader, clock, lambda now: Desk(responders={}, around=lambda tenant: Surroundings()))
    judge.turn()
    commit(writer, raws, LIVE)
    begin, cpu = time.perf_counter(), time.process_time()
    while judge.turn():
        pass
    took, spent = time.perf_counter() - begin, time.process_time() - cpu
    matches = sum(entry.counters["matches"] + entry.counters["late"] for entry in book.entries())
    print(f"judged: {len(raws) / took:,.0f} records/s by {count} playbooks ({matches:,} matches)")
    print(f"CPU at 2,000 records/s: {spent / len(raws) * 2_000:.0%} of a core")
    for thing in (reader, writer, book):
        thing.close()


async def latency(folder: Path, rounds: int = 40) -> None:
    """From the commit of a record to the committed intent of its action."""
    async with Simulator(seed=7) as sim:
        world = World(sim, folder, SystemClock())
        automation = world.begin()
        automation._poll = 0.1
        for number in range(rounds):  # each is one action: limits are not what is measured here
            world.add(name=f"P{number}", query=f"sender:s{number}@bad.test")
        stop, took = asyncio.Event(), []
        async with asyncio.TaskGroup() as group:
            group.create_task(automation.run(stop))
            await asyncio.sleep(0.5)
            for number in range(rounds):
                world.store(world.raw(sender=f"s{number}@bad.test"))
                stored = time.time_ns() // 1000
                await world.until(lambda n=number: len(world.journal.actions()) > n)
                took.append((world.journal.actions(limit=1)[0].time - stored) / 1e6)
                await asyncio.sleep(number % 7 * 0.013)
            killed = await kill(world)
            stop.set()
        took.sort()
        print(
            f"stored to intent: median {statistics.median(took) * 1e3:.0f} ms, p95 {took[int(len(took) * 0.95)] * 1e3:.0f} ms"
        )
        print(f"kill file to the first record that is held instead of sent: {killed * 1e3:.0f} ms")
        await world.close()


async def kill(world: World) -> float:
    """Seconds from the kill file to a record that is held for it."""
    world.add(name="Last", query="sender:last@bad.test")
    world.stop_file.touch()
    began = time.perf_counter()
    world.store(world.raw(sender="last@bad.test"))
    await world.until(lambda: bool(world.playbooks.held()))
    return time.perf_counter() - began


def against_search(folder: Path, raws: list[bytes]) -> None:
    writer = store.open_writer(folder / "events", clock=SystemClock())
    commit(writer, raws, BACKFILL)
    writer.close()
    reader = store.open_reader(folder / "events")
    action = {"type": "webhook_responder", "responder": "Block"}
    for name, changes in {
        "column, each record": {"query": "outcome:quarantined"},
        "column, five of a sender": {"query": "outcome:quarantined", "group_by": "sender", "at_least": 5, "within": "1h"},
        "all records, 20 of a domain": {"query": "", "group_by": "sender.domain", "at_least": 20, "within": "1h"},
        "column that no row carries": {"query": "outcome:quarantined", "group_by": "header_from.domain", "at_least": 5, "within": "1h"},
        "number, ten of a sender": {"query": "score:>=50", "group_by": "sender", "at_least": 10, "within": "1h"},
        "raw path": {"query": "filter.modules.spam.scores.classifiers.impostor:>=70"},
    }.items():  # fmt: skip
        made = playbook_from_file({"name": "B", "tenant": "Acme", "actions": [action], **changes})
        times = {"search": [], "backtest": []}
        for _ in range(3):
            begin = time.perf_counter()
            question = ask(
                made.query, now=START, since=START - 8 * DAY, until=START + MINUTE, kinds=made.index
            )
            found = sum(1 for _ in reader.search(question, order="oldest"))
            middle = time.perf_counter()
            report = playbooks.try_out(
                made,
                reader=reader,
                connectors=[],
                surroundings=Surroundings(),
                now=START,
                since=START - 8 * DAY,
            )
            times["search"].append(middle - begin)
            times["backtest"].append(time.perf_counter() - middle)
        search, tried = min(times["search"]), min(times["backtest"])
        decided = report.fired - report.outcomes["limited"]
        print(
            f"backtest, {name}: {found:,} records, {report.fired:,} firings, {decided:,} decided on, {tried:.3f} s,"
            f" search {search:.3f} s: x {tried / search:.2f}"
        )
    reader.close()


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--records", type=int, default=10_000)
    options.add_argument("--playbooks", type=int, default=50)
    chosen = options.parse_args()
    raws = frames(chosen.records)
    print(f"{len(raws):,} records of {sum(map(len, raws)) // len(raws):,} bytes")
    matching(raws[:4_000], chosen.playbooks)
    fresh = frames(chosen.records, days=1, until=SystemClock().now())
    past = frames(chosen.records * 4)
    for number, work in enumerate((judging, lambda folder, raws, _: against_search(folder, raws))):
        with tempfile.TemporaryDirectory() as folder:
            work(Path(folder), (fresh, past)[number], chosen.playbooks)
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(latency(Path(folder)))


if __name__ == "__main__":
    main()
