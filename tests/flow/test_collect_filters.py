"""Log filters on a collector: what they drop is counted and nothing else is touched."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from pod_desktop import content, store
from pod_desktop.core import limits
from pod_desktop.core.clock import SystemClock
from pod_desktop.core.faults import UserFault
from pod_desktop.core.logfilter import SETTING, LogFilter
from pod_desktop.core.record import Arrival
from pod_desktop.core.status import LIVE, STOPPED_FAULT
from pod_desktop.services import hours
from pod_desktop.services.connectors import Connectors
from pod_desktop.services.filters import LogFilters, Sieve
from pod_desktop.simulator import Simulator
from pod_desktop.store import Source
from pod_desktop.vault import SessionVault
from tests.flow.collecting import Desk

SOURCE = Source(connector="acme", tenant="acme inc", cluster_id="acme_hosted")


@pytest.fixture
def desk(tmp_path: Path) -> Any:
    desk = Desk(tmp_path)
    yield desk
    desk.close()


@pytest.fixture
def filters(desk: Desk) -> LogFilters:
    return LogFilters(desk.ledger, desk.clock)


def run(work: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(work(), 200))


def record(name: str, sender: str, subject: str = "", score: int = 0) -> dict[str, Any]:
    return {
        "guid": name,
        "ts": "2026-11-24T09:00:00.000000+0000",
        "envelope": {"from": sender},
        "msg": {"normalizedHeader": {"subject": [subject]}},
        "filter": {"modules": {"spam": {"scores": {"classifiers": {"bulk": score}}}}},
    }


RECORDS = [
    record("a", "news@shop.example", "Sale", 90),
    record("b", "news@shop.example", "Sale", 10),
    record("c", "boss@corp.example", "Sale", 99),
    record("d", "bot@ci.example", "Build failed"),
    record("e", "friend@mail.example", "Hello"),
]


def test_attached_filters_drop_what_they_match_and_the_sums_stay_exact(
    desk: Desk, filters: LogFilters
) -> None:
    bulk = "filter.modules.spam.scores.classifiers.bulk:>50"
    filters.add({"name": "newsletters", "conditions": ["sender.domain:shop.example", bulk]})
    filters.add({"name": "builds", "conditions": ['subject:"Build failed"']})
    filters.add({"name": "unused", "conditions": ["sender:friend@mail.example"]})

    async def work() -> None:
        async with Simulator(rate=0.001) as sim:
            desk.add(sim, content_types=("message",))
            filters.attach("Newsletters", "acme")
            filters.attach("builds", "acme")
            async with desk.running():
                await desk.all_live(1)
                sim.publish_all("message", [*map(json.dumps, RECORDS), "<no record>"])
                await desk.until(lambda: ("message", "e") in desk.stored())
                await desk.until(lambda: desk.status().counters.quarantined == 1)

    run(work)
    assert {rid for kind, rid in desk.stored("message")} == {"b", "c", "e"}
    counters = desk.status().counters
    assert (counters.received, counters.stored, counters.filtered, counters.quarantined) == (6, 3, 2, 1)
    assert dict(desk.status().filters) == {"newsletters": 1, "builds": 1}
    with desk.reader() as reader:
        values, counted = reader.progress("acme/message")
        assert values["filters"] == {"newsletters": 1, "builds": 1}
        kept = counted.stored + counted.quarantined
        assert hours.check_sums("acme/message", values, kept, counted.filtered) == []
    assert store.verify(desk.folder / "events") == []


def test_a_filter_is_attached_changed_and_detached_while_records_flow(
    desk: Desk, filters: LogFilters
) -> None:
    filters.add({"name": "shop", "conditions": ["sender.domain:shop.example"]})

    async def work() -> None:
        async with Simulator(rate=0.001) as sim:
            desk.add(sim, content_types=("message",))

            async def sent(name: str, sender: str) -> None:
                count = desk.status().counters.received
                sim.publish("message", json.dumps(record(name, sender)))
                await desk.until(lambda: desk.status().counters.received > count)

            async with desk.running() as service:
                await desk.all_live(1)
                await sent("1", "x@shop.example")
                filters.attach("shop", "acme")
                shaken = len(sim.handshakes)
                await desk.until(lambda: _sieve(service) is not None)
                await sent("2", "x@shop.example")
                filters.change({"name": "shop", "conditions": ["sender.domain:other.example"]})
                await desk.until(lambda: "other" in str(_sieve(service).filters))
                await sent("3", "x@shop.example")
                await sent("4", "x@other.example")
                filters.detach("shop", "acme")
                await desk.until(lambda: _sieve(service) is None)
                await sent("5", "x@other.example")
                # Filters are gone by at once, on the session that stands.
                assert len(sim.handshakes) == shaken and desk.status().state == LIVE

    run(work)
    assert {rid for _, rid in desk.stored("message")} == {"1", "3", "5"}
    assert desk.status().counters.filtered == 2


def _sieve(service: Any) -> Any:
    found = [running.task.book.sieve for running in service._streams.values()]
    return found[0] if found else None


def test_a_filter_that_cannot_be_used_stops_receiving_and_says_so(desk: Desk, filters: LogFilters) -> None:
    filters.add({"name": "shop", "conditions": ["sender.domain:shop.example"]})

    async def work() -> None:
        async with Simulator(rate=20) as sim:
            desk.add(sim, content_types=("message",))
            filters.attach("shop", "acme")
            async with desk.running():
                await desk.all_live(1)
                kept = desk.ledger.setting(SETTING)
                desk.ledger.set_setting(SETTING, [])
                await desk.until(lambda: desk.status().code == "filters" and sim.open_sessions == [])
                assert desk.status().state == STOPPED_FAULT and "shop" in desk.status().what
                desk.ledger.set_setting(SETTING, kept)
                await desk.all_live(1)

    run(work)


def test_a_preview_tells_what_of_the_stored_would_have_been_dropped(desk: Desk, filters: LogFilters) -> None:
    async def work() -> None:
        async with Simulator(rate=0.001) as sim:
            desk.add(sim, content_types=("message",))
            async with desk.running():
                await desk.all_live(1)
                sim.publish_all("message", map(json.dumps, RECORDS))
                await desk.until(lambda: len(desk.stored("message")) == len(RECORDS))

    run(work)
    found = LogFilter(
        name="try", conditions=("subject:Sale", "filter.modules.spam.scores.classifiers.bulk:>50")
    )
    with desk.reader() as reader:
        told = filters.preview(found, reader)
        assert (told.looked_at, told.dropped) == (len(RECORDS), 2)
        assert {row.rid for row in told.examples} == {"a", "c"}
        # What the preview says is what the sieve does.
        arrivals = [
            Arrival(content.read("message", json.dumps(one).encode(), 0), json.dumps(one).encode())
            for one in RECORDS
        ]
        kept, dropped = Sieve([found], desk.clock.now()).sift(arrivals, SOURCE)
        assert {one.columns.rid for one in kept} == {"b", "d", "e"} and dropped == {"try": 2}
    assert filters.all() == []


def test_a_record_counts_for_the_first_filter_that_drops_it(filters: LogFilters) -> None:
    both = [LogFilter(name=name, conditions=("sender:x@y.example",)) for name in ("one", "two")]
    raw = json.dumps(record("a", "x@y.example")).encode()
    kept, dropped = Sieve(both, 0).sift([Arrival(content.read("message", raw, 0), raw)], SOURCE)
    assert kept == [] and dropped == {"one": 1}


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ({"name": "x", "conditions": []}, "drop nothing"),
        ({"name": "x", "conditions": ["*"]}, "drop everything"),
        ({"name": "x", "conditions": ["( )"]}, ""),
        ({"name": "x", "conditions": ["sender:(a"]}, ""),
        ({"name": "x", "conditions": ["nosuchfield:1"]}, "nosuchfield"),
        ({"name": "x", "conditions": ["time:>now-15m"]}, "now"),
        ({"name": "x", "conditions": ["sender:a"] * (limits.FILTER_CONDITIONS + 1)}, "10 is the most"),
        ({"name": " ", "conditions": ["sender:a"]}, "name"),
        ({"name": "x", "conditions": "sender:a"}, "list"),
        ({"name": "x", "conditions": ["sender:a"], "drop": True}, "Unknown key"),
        ([], "JSON object"),
    ],
)
def test_a_bad_filter_is_refused_in_words(filters: LogFilters, data: object, says: str) -> None:
    with pytest.raises(UserFault) as caught:
        filters.add(data)
    assert says in str(caught.value) and len(caught.value.what) > 10
    assert filters.all() == []


def test_ten_conditions_are_taken_and_a_name_once(filters: LogFilters) -> None:
    filters.add({"name": "x", "conditions": ["sender:a"] * limits.FILTER_CONDITIONS})
    with pytest.raises(UserFault):
        filters.add({"name": "X", "conditions": ["sender:a"]})
    assert [one.filter.name for one in filters.all()] == ["x"]


def test_a_filter_in_use_is_not_removed_and_a_connector_names_only_filters_that_exist(
    desk: Desk, filters: LogFilters
) -> None:
    async def work() -> None:
        async with Simulator(rate=0.001) as sim:
            made = desk.add(sim, content_types=("message",))
            connectors = Connectors(desk.ledger, SessionVault(desk.vault), SystemClock())
            filters.add({"name": "shop", "conditions": ["sender.domain:shop.example"]})
            filters.attach("shop", "acme")
            assert filters.all()[0].connectors == ("acme",)
            with pytest.raises(UserFault, match="acme uses this filter"):
                filters.remove("shop")
            filters.detach("shop", "acme")
            with pytest.raises(UserFault, match="does not use"):
                filters.detach("shop", "acme")
            filters.remove("shop")
            from dataclasses import replace

            with pytest.raises(UserFault, match="no log filter named 'shop'"):
                connectors.checked(replace(made, name="other", log_filters=("shop",)))

    run(work)
