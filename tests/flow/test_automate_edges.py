"""Playbooks at their edges, in the service's own way: thresholds, window edges, disorder, a flood over time, the kill file."""

from __future__ import annotations

import asyncio

import pytest
from automating import DELETE_SAFE, SAFELIST, run

from pod_desktop.core.clock import DAY, MINUTE, SECOND, SystemClock
from pod_desktop.core.playbook_limits import LIMITED


@pytest.mark.parametrize(("count", "posts"), [(2, 0), (3, 1), (4, 1), (5, 1), (6, 1)])
@pytest.mark.parametrize("turns", [False, True])
def test_one_below_at_and_above_the_threshold(tmp_path, count, posts, turns):
    async def story(world):
        world.add(group_by="sender", at_least=3)
        raws = [world.raw(ago=number * SECOND) for number in range(count)]
        for part in [[one] for one in raws] if turns else [raws]:
            world.store(*part)
            await world.rounds()
        assert len(world.posts) == posts
        counters = world.entry().counters
        assert (counters["matches"], counters["firings"]) == (count, count // 3)

    run(tmp_path, story)


@pytest.mark.parametrize(("apart_ms", "fires"), [(599_999, 1), (600_000, 1), (600_001, 0)])
@pytest.mark.parametrize("newest_first", [False, True])
def test_both_edges_of_the_window_belong_to_it_in_whatever_order_records_come(
    tmp_path, apart_ms, fires, newest_first
):
    async def story(world):
        world.add(group_by="sender", at_least=2)
        raws = [world.raw(ago=apart_ms * 1_000), world.raw(ago=0)]
        for one in reversed(raws) if newest_first else raws:
            world.store(one)
            await world.rounds()
        assert world.entry().counters["firings"] == fires

    run(tmp_path, story)


def test_a_flood_of_ten_thousand_senders_over_a_minute_is_ten_posts_whatever_is_restarted(tmp_path):
    """Twenty parts, three seconds apart, the service begun anew in between: the first minute has ten POSTs."""

    async def story(world):
        world.add()
        seen = []
        for part in range(20):
            world.store(
                *(world.raw(sender=f"s{part}-{number}@bad{number % 97}.test") for number in range(500))
            )
            await world.rounds()
            seen.append(len(world.posts))
            if part % 5 == 4:
                await world.end()
                world.begin()
            if part < 19:
                world.clock.turn(3 * SECOND)
        assert seen[-1] == max(seen) == 10
        counters = world.entry().counters
        assert (counters["matches"], counters["acted"], counters["limited"]) == (10_000, 10, 9_990)
        # Nothing of the flood is made up for later on.
        world.clock.turn(5 * MINUTE)
        await world.rounds()
        assert len(world.posts) == 10
        world.store(world.raw(sender="later@bad.test"))
        await world.rounds()
        assert len(world.posts) == 11

    run(tmp_path, story)


def test_no_day_has_more_than_a_hundred_posts(tmp_path):
    async def story(world):
        world.add()
        for part in range(15):
            world.store(*(world.raw(sender=f"s{part}-{number}@bad.test") for number in range(12)))
            await world.rounds()
            world.clock.turn(2 * MINUTE)
        assert len(world.posts) == 100
        assert world.playbooks.rows(outcome=LIMITED, limit=1)[0].reason.startswith("100 actions within a day")
        world.clock.turn(DAY)
        world.store(world.raw(sender="tomorrow@bad.test"))
        await world.rounds()
        assert len(world.posts) == 101

    run(tmp_path, story)


def test_the_kill_file_ends_a_flood_and_its_removal_sends_nothing_of_it(tmp_path):
    async def story(world):
        world.add()
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            group.create_task(world.automation.run(stop))
            world.store(*(world.raw(sender=f"s{number}@bad.test") for number in range(4)))
            await world.until(lambda: len(world.posts) == 4)
            world.stop_file.touch()
            world.store(*(world.raw(sender=f"t{number}@bad.test") for number in range(4)))
            await world.until(lambda: len(world.playbooks.held()) == 4)
            world.stop_file.unlink()
            world.store(world.raw(sender="next@bad.test"))
            await world.until(lambda: len(world.posts) == 5)
            assert world.blocked() == ["next@bad.test", *(f"s{number}@bad.test" for number in range(4))]
            assert len(world.playbooks.held()) == 4
            stop.set()

    run(tmp_path, story, clock=SystemClock())


def test_a_playbook_may_take_from_the_safe_list_what_turns_out_bad(tmp_path):
    """Narrower than before: the one removal that lets nothing through."""

    async def story(world):
        world.store(world.raw())
        world.add(name="Safe", actions=[SAFELIST])
        await world.rounds()
        (held,) = world.playbooks.held()
        world.playbooks.approve(held.id, by="ann")
        await world.rounds()
        assert world.blocked("orgSafeList") == ["billing@bad.test"]
        world.playbooks.remove("Safe")
        world.connectors.append(world._connector("Unsafe", DELETE_SAFE))
        world.clock.turn(2 * DAY)  # what a person did has its day
        world.add(actions=[{"type": "webhook_responder", "responder": "Unsafe"}])
        world.store(world.raw())
        await world.rounds()
        assert world.blocked("orgSafeList") == []
        assert world.entry().counters["acted"] == 1

    run(tmp_path, story)
