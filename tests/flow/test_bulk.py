"""Many entries at once: one by one, paused, cancelled, broken off, resumed; and the lists with our history."""

import asyncio
import json
import os
from collections import Counter

import pytest

from pod_desktop.core.action import ADD, BLOCK, FAILED, IN_PROGRESS, SAFE, SUCCEEDED, Entry
from pod_desktop.core.clock import DAY
from pod_desktop.core.faults import UserFault
from pod_desktop.core.guards import Surroundings
from pod_desktop.services import bulk, bulk_left, bulk_plan, lists, processes
from pod_desktop.services.bulk import BulkRun
from tests.flow.responding import ADD_BLOCK, DELETE_BLOCK, run

AROUND = Surroundings()


def plan(values, **more):
    return bulk_plan.split(
        bulk_plan.read("\n".join(values)), action=ADD, which=BLOCK, on_list=(), around=AROUND, **more
    )


def a_run(world, values, **more):
    return BulkRun(
        world.respond, world.of(ADD_BLOCK), plan(values).to_send, around=AROUND, actor="person tester", **more
    )


def addresses(count, start=0):
    return [f"v{number:04d}@bad.test" for number in range(start, start + count)]


async def until(condition):
    for _ in range(20_000):
        if condition():
            return
        await asyncio.sleep(0.002)
    raise TimeoutError


def test_every_value_is_one_action_and_one_request(tmp_path):
    async def story(world):
        seen = []
        ended = await a_run(
            world, addresses(120), why="campaign", changed=lambda progress: seen.append(progress.done)
        ).run()
        assert (ended.state, ended.done, ended.succeeded) == (bulk.ENDED, 120, 120)
        assert world.values() == addresses(120)
        assert len(world.posts) == 120
        assert Counter(json.loads(post.body)["value"] for post in world.posts).most_common(1)[0][1] == 1
        actions = world.journal.actions()
        assert {action.status for action in actions} == {SUCCEEDED}
        assert {action.why for action in actions} == {"campaign"}
        assert [action.entry.value for action in reversed(actions)] == addresses(120)
        assert len([one for one in world.sim.api.requests("org") if one.method == "GET"]) == 3
        assert seen == sorted(seen) and seen[-1] == 120
        assert bulk_left.interrupted(world.journal, world.clock.now()) == []

    run(tmp_path, story)


def test_every_intent_is_committed_before_its_request(tmp_path):
    async def story(world):
        send = world.sender.send

        async def watched(connector, credentials, request):
            if request.method == "POST":
                value = json.loads(request.body)["value"]
                found = [one for one in world.journal.actions() if one.entry.value == value]
                assert [one.status for one in found] == [IN_PROGRESS]
            return await send(connector, credentials, request)

        world.sender.send = watched
        ended = await a_run(world, addresses(7), batch=3).run()
        assert ended.succeeded == 7

    run(tmp_path, story)


def test_a_run_that_is_paused_goes_on_and_one_that_is_cancelled_can_be_resumed(tmp_path):
    async def story(world):
        world.sim.api.behaviour.delay = 0.005
        made = a_run(world, addresses(30), batch=10)
        send, begun = world.sender.send, []

        async def watched(connector, credentials, request):
            begun.extend([request] if request.method == "POST" else [])
            return await send(connector, credentials, request)

        world.sender.send = watched
        async with asyncio.TaskGroup() as group:
            task = group.create_task(made.run())
            await until(lambda: len(world.posts) >= 3)
            made.pause()
            at_rest = len(begun)
            await until(lambda: made.progress.rows[at_rest - 1].status)
            await asyncio.sleep(0.05)
            assert len(world.posts) == len(begun) == at_rest and made.progress.state == bulk.PAUSED
            made.go_on()
            await until(lambda: len(world.posts) >= 14)
            made.cancel()
        ended = task.result()
        assert ended.state == bulk.CANCELLED
        assert 14 <= ended.done < 30 and ended.done == ended.succeeded == len(world.posts)
        (left,) = bulk_left.interrupted(world.journal, world.clock.now())
        assert (left.id, left.responder, left.total) == (made.id, "Add to Org Block List", 30)
        assert (left.done, left.left) == (ended.done, 30 - ended.done)
        again = BulkRun.resume(world.respond, left.id, around=AROUND)
        assert again.progress.done == ended.done
        assert (await again.run()).succeeded == 30
        assert world.values() == addresses(30) and len(world.posts) == 30
        assert bulk_left.interrupted(world.journal, world.clock.now()) == []

    run(tmp_path, story)


def test_a_run_is_interrupted_only_while_nobody_carries_it_out(tmp_path):
    async def story(world):
        def interrupted():
            return [run.id for run in bulk_left.interrupted(world.journal, world.clock.now())]

        world.sim.api.behaviour.delay = 0.005
        made = a_run(world, addresses(6))
        async with asyncio.TaskGroup() as group:
            group.create_task(made.run())
            await until(lambda: world.posts)
            assert interrupted() == []
            with pytest.raises(UserFault, match="under way"):
                BulkRun.resume(world.respond, made.id, around=AROUND)
            made.cancel()
        assert interrupted() == [made.id]
        # Another process that lives has it: this one's parent stands for it.
        ((_, at, state),) = world.journal.bulks()
        elsewhere = {**state, "owner": os.getppid(), "owner_mark": processes.mark_of(os.getppid())}
        world.journal.put_bulk(made.id, elsewhere, at=at)
        assert interrupted() == []
        world.journal.put_bulk(made.id, {**elsewhere, "owner_mark": "of one that died"}, at=at)
        assert interrupted() == [made.id]
        bulk_left.forget(world.journal, made.id, world.clock.now())
        assert interrupted() == []

    run(tmp_path, story)


def test_a_run_whose_process_died_after_its_last_value_is_forgotten(tmp_path):
    async def story(world):
        made = a_run(world, addresses(2))
        ((_, at, state),) = world.journal.bulks()
        await made.run()
        world.journal.put_bulk(made.id, state, at=at)
        assert bulk_left.interrupted(world.journal, world.clock.now()) == []
        assert world.journal.bulks() == []

    run(tmp_path, story)


def test_a_run_whose_process_died_is_resumed_by_what_the_list_tells(tmp_path):
    async def story(world):
        made = a_run(world, addresses(10), batch=10)
        prepared = made._begin(
            list(range(10))
        )  # intents committed, then four of ten sent, then the process dies
        for _, action in prepared:
            world.journal.change(action.id, at=1, owner=2**22 + 1)
        for value in addresses(4):
            world.sim.api.add("orgBlockList", "$from", "equal", value)
        again = BulkRun.resume(world.respond, made.id, around=AROUND)
        ended = await again.run()
        assert ended.succeeded == 10 and world.values() == addresses(10)
        assert sorted(json.loads(post.body)["value"] for post in world.posts) == addresses(6, start=4)

    run(tmp_path, story)


def test_closing_the_program_in_the_middle_leaves_no_action_open_and_tells_sent_from_not_sent(tmp_path):
    async def story(world):
        world.sim.api.behaviour.delay = 0.005
        made = a_run(world, addresses(20), batch=20)
        async with asyncio.TaskGroup() as group:
            task = group.create_task(made.run())
            await until(lambda: len(world.posts) >= 5)
            task.cancel()
        world.sim.api.behaviour.delay = 0.0
        await world.respond.recover()
        by_value = {action.entry.value: action.status for action in world.journal.actions()}
        assert set(by_value.values()) == {SUCCEEDED, FAILED}
        assert sorted(value for value, status in by_value.items() if status == SUCCEEDED) == world.values()
        ended = await BulkRun.resume(world.respond, made.id, around=AROUND).run()
        assert ended.succeeded == 20 and world.values() == addresses(20)

    run(tmp_path, story)


@pytest.mark.parametrize("fault", ["reset after process", "reset after read", 429, 500, 502])
def test_a_fault_on_the_way_touches_its_own_value_only(tmp_path, fault):
    async def story(world):
        made = a_run(world, addresses(6), batch=6)
        async with asyncio.TaskGroup() as group:
            world.sim.api.behaviour.delay = 0.003
            task = group.create_task(made.run())
            await until(lambda: len(world.posts) >= 2)
            world.sim.api.next(fault, where="list")
        assert task.result().succeeded == 6
        assert world.values() == addresses(6)
        assert len(world.posts) <= 7

    run(tmp_path, story)


def test_what_fails_for_every_value_pauses_the_run_by_itself(tmp_path):
    async def story(world):
        world.sim.api.behaviour.licensed = False
        made = a_run(world, addresses(40), batch=10)
        async with asyncio.TaskGroup() as group:
            task = group.create_task(made.run())
            await until(lambda: made.progress.state == bulk.PAUSED)
            assert "403" in made.progress.why and made.progress.failed == bulk.FAILURES
            world.sim.api.behaviour.licensed = True
            made.go_on()
        assert task.result().succeeded == 37

    run(tmp_path, story)


def test_values_that_are_there_already_are_no_failure(tmp_path):
    async def story(world):
        for value in addresses(5):
            world.sim.api.add("orgBlockList", "$from", "equal", value)
        ended = await a_run(world, addresses(8)).run()
        assert ended.succeeded == 8 and len(world.values()) == 8

    run(tmp_path, story)


def test_a_bulk_delete_takes_off_and_ends_what_was_due(tmp_path):
    async def story(world):
        await a_run(world, addresses(5), expires=world.clock.now() + DAY).run()
        found = bulk_plan.split(
            bulk_plan.read("\n".join(addresses(6))), action="delete", which=BLOCK,
            on_list=await world.respond.entries(world.of(ADD_BLOCK), BLOCK), around=AROUND,
        )  # fmt: skip
        assert [row.group for row in found.rows] == [bulk_plan.NEW] * 5 + [bulk_plan.THERE]
        ended = await BulkRun(
            world.respond, world.of(DELETE_BLOCK), found.to_send, around=AROUND, actor="p"
        ).run()
        assert ended.succeeded == 5 and world.values() == []
        assert world.journal.due(world.clock.now() + 2 * DAY) == []

    run(tmp_path, story)


def test_the_list_is_joined_with_who_added_what_and_why(tmp_path):
    async def story(world):
        world.sim.api.add("orgBlockList", "$from", "equal", "elsewhere@bad.test", "by hand")
        world.sim.api.add("orgSafeList", "$from", "equal", "BILLING@bad.test")
        action = await world.respond.submit(
            world.prepared(), actor="person ann", why="ticket 4711", expires=world.clock.now() + DAY
        )
        found = await lists.look(world.respond, world.of(ADD_BLOCK))
        rows = {row.entry.value: row for row in found.block.rows}
        ours, other = rows["billing@bad.test"], rows["elsewhere@bad.test"]
        assert (ours.actor, ours.why, ours.expires) == ("person ann", "ticket 4711", action.expires)
        assert ours.conflict and not ours.elsewhere
        assert other.elsewhere and not other.conflict and other.to_json()["added_by"] is None
        assert found.safe.rows[0].conflict and found.safe.rows[0].elsewhere
        deleter = lists.deleter_for(world.respond, other, world.of(ADD_BLOCK))
        assert deleter.type == DELETE_BLOCK

    run(tmp_path, story)


def test_a_look_tells_what_has_come_and_gone_since_the_last(tmp_path):
    async def story(world):
        connector = world.of(ADD_BLOCK)
        world.sim.api.add("orgBlockList", "$from", "equal", "a@bad.test")
        first = await lists.look(world.respond, connector)
        assert first.block.since == 0 and first.block.fresh == () == first.block.gone
        world.sim.api.lists["orgBlockList"].clear()
        world.sim.api.add("orgBlockList", "$from", "equal", "b@bad.test")
        for _ in range(2):  # a look that is not remembered changes nothing
            found = await lists.look(world.respond, connector, remember=False)
            assert [row.entry.value for row in found.block.fresh] == ["b@bad.test"]
            assert [entry.value for entry in found.block.gone] == ["a@bad.test"]
            assert found.block.since == first.block.at
        await lists.look(world.respond, connector)
        assert (await lists.look(world.respond, connector)).block.fresh == ()

    run(tmp_path, story)


def test_a_list_that_cannot_be_read_says_so_and_is_no_empty_list(tmp_path):
    async def story(world):
        world.sim.api.add("orgSafeList", "$from", "equal", "a@bad.test")
        await lists.look(world.respond, world.of(ADD_BLOCK))
        world.sim.api.next(502, where="list")
        found = await lists.look(world.respond, world.of(ADD_BLOCK))
        assert "502" in found.block.problem and found.block.rows == () == found.block.gone
        assert len(found.safe.rows) == 1 and found.safe.problem == ""

    run(tmp_path, story)


def test_rows_are_searched_sorted_exported_and_read_back():
    entries = [
        Entry(attribute="$from", operator="equal", value=value, comment=comment)
        for value, comment in (("b.test", ""), ("x@a.b.test", "Ann"), ("@c.test", "=1+1"), ("B.TEST", ""))
    ]
    listing = lists.join(BLOCK, entries, frozenset(), {}, at=1)
    assert [row.covered_by for row in listing.rows] == ["", "B.TEST", "", ""]
    assert [row.duplicate for row in listing.rows] == [True, False, False, True]
    values = [row.entry.value for row in lists.select(listing.rows, by="value")]
    assert values == ["b.test", "B.TEST", "@c.test", "x@a.b.test"]
    found = lists.select(listing.rows, lists.ListFilter(text="ann a.b"))
    assert [row.entry.value for row in found] == ["x@a.b.test"]
    assert len(lists.select(listing.rows, lists.ListFilter(duplicates=True))) == 3
    assert lists.select(listing.rows, lists.ListFilter(elsewhere=False)) == []
    for by in lists.SORTS:
        assert len(lists.select(listing.rows, by=by, reverse=True)) == 4
    exported = lists.to_csv(listing.rows).decode()
    assert "'=1+1" in exported
    assert [entry for _, entry in bulk_plan.read(exported)] == entries


def test_what_is_on_the_other_list_is_told_before_it_is_sent():
    found = plan(["a@bad.test"], on_other=[Entry(attribute="$from", operator="equal", value="A@bad.test")])
    (row,) = found.rows
    assert row.group == bulk_plan.NEW and row.on_other_list and "Org Safe List" in row.why
    assert lists.OTHER[BLOCK] == SAFE
