"""What a service does about actions by itself: what is due goes, what died is put right, at the right time."""

import asyncio
import contextlib
from pathlib import Path

import pytest

from pod_desktop.core.action import FAILED, IN_PROGRESS, SUCCEEDED, UNDONE, UNKNOWN
from pod_desktop.core.clock import DAY, HOUR, SECOND, parse_iso
from pod_desktop.core.faults import UserFault
from pod_desktop.services import respond
from pod_desktop.services.expiry import Expiry, parse_expiry
from pod_desktop.services.processes import mark_of, own_mark, owner_lives
from tests.flow.responding import ADD_BLOCK, DELETE_BLOCK, run

NOW = parse_iso("2026-11-24T12:00Z")


@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("30d", NOW + 30 * DAY),
        ("12h", NOW + 12 * HOUR),
        ("1w", NOW + 7 * DAY),
        ("2026-12-01", parse_iso("2026-12-02")),
        ("2026-12-01T09:30Z", parse_iso("2026-12-01T09:30Z")),
        ("2026-12-01T09:30+02:00", parse_iso("2026-12-01T07:30Z")),
        ("never", 0),
        ("", 0),
    ],
)
def test_a_time_to_remove_is_read_as_people_mean_it(text, when):
    assert parse_expiry(text, NOW) == when


@pytest.mark.parametrize(
    "text", ["soon", "-5d", "0d", "2026-11-01", "9999d", "9" * 400 + "d", "30", "d", "10000-01-01"]
)
def test_what_is_no_time_to_come_is_refused(text):
    with pytest.raises(UserFault):
        parse_expiry(text, NOW)


@contextlib.asynccontextmanager
async def looking_after(world):
    """The service's part, with the test's Responding."""
    yield Expiry(world.journal, lambda: world.respond, world.clock)


def test_what_came_due_while_nothing_ran_goes_at_the_start(tmp_path):
    async def story(world):
        due = await world.respond.submit(world.prepared(), actor="p", expires=world.clock.now() + HOUR)
        await world.respond.submit(world.prepared(value="stays@bad.test"), actor="p")
        world.clock.ahead = 3 * DAY
        async with looking_after(world) as expiry:
            (ended,) = await expiry.step()
            assert (ended.undoes, ended.actor, ended.status) == (due.id, "expiry", SUCCEEDED)
            assert world.values() == ["stays@bad.test"]
            assert world.journal.action(due.id).status == UNDONE
            assert await expiry.step() == []

    run(tmp_path, story)


def test_it_goes_on_until_it_is_stopped(tmp_path):
    async def story(world):
        await world.respond.submit(world.prepared(), actor="p", expires=world.clock.now() + 10 * SECOND)
        stop = asyncio.Event()
        expiry = Expiry(world.journal, lambda: world.respond, world.clock)
        async with asyncio.TaskGroup() as group:
            group.create_task(expiry.run(stop))
            await asyncio.sleep(0)
            assert world.values() == ["billing@bad.test"]
            world.clock.ahead = 20 * SECOND
            for _ in range(500):
                if not world.values():
                    break
                await asyncio.sleep(0.01)
            stop.set()
        assert world.values() == []

    run(tmp_path, story)


def test_an_entry_that_is_gone_already_is_undone_without_a_request(tmp_path):
    async def story(world):
        due = await world.respond.submit(world.prepared(), actor="p", expires=world.clock.now() + HOUR)
        world.sim.api.lists["orgBlockList"].clear()
        posts = len(world.posts)
        world.clock.ahead = DAY
        (ended,) = await world.respond.expire()
        assert (ended.id, ended.status) == (due.id, UNDONE)
        assert "gone" in ended.message
        assert len(world.posts) == posts

    run(tmp_path, story)


def test_a_service_that_cannot_be_reached_is_asked_later_and_later_and_no_rows_pile_up(tmp_path):
    async def story(world):
        due = await world.respond.submit(world.prepared(), actor="p", expires=world.clock.now() + HOUR)
        world.clock.ahead = DAY
        world.sim.api.behaviour.licensed = False
        async with looking_after(world) as expiry:
            for _ in range(5):
                await expiry.step()
            assert len(world.journal.actions()) == 1
            assert "403" in world.journal.action(due.id).message
            reads = len(world.sim.api.requests("org"))
            world.sim.api.behaviour.licensed = True
            await expiry.step()
            assert len(world.sim.api.requests("org")) == reads  # not yet
            world.clock.monotonic = lambda: 1e9
            (ended,) = await expiry.step()
            assert ended.undoes == due.id and world.values() == []

    run(tmp_path, story)


def test_it_can_be_changed_and_cancelled(tmp_path):
    async def story(world):
        now = world.clock.now()
        action = await world.respond.submit(world.prepared(), actor="p", expires=now + HOUR)
        changed = world.respond.reschedule(action.id, now + 5 * DAY, actor="person ann")
        assert changed.expires == now + 5 * DAY and "person ann" in changed.message
        world.clock.ahead = DAY
        assert await world.respond.expire() == []
        assert world.respond.reschedule(action.id, 0, actor="person ann").expires == 0
        world.clock.ahead = 30 * DAY
        assert await world.respond.expire() == []
        assert world.values() == ["billing@bad.test"]
        with pytest.raises(UserFault, match="over already"):
            world.respond.reschedule(action.id, now, actor="p")
        await world.respond.undo(action.id, actor="p")
        with pytest.raises(UserFault):
            world.respond.reschedule(action.id, world.clock.now() + DAY, actor="p")

    run(tmp_path, story)


def test_a_time_that_is_over_is_refused_before_anything_is_recorded(tmp_path):
    async def story(world):
        with pytest.raises(UserFault, match="over already"):
            await world.respond.submit(world.prepared(), actor="p", expires=world.clock.now() - 1)
        assert world.journal.actions() == [] and world.posts == []

    run(tmp_path, story)


def test_what_others_had_put_there_is_not_removed(tmp_path):
    async def story(world):
        world.sim.api.add("orgBlockList", "$from", "equal", "billing@bad.test")
        action = await world.respond.submit(world.prepared(), actor="p", expires=world.clock.now() + HOUR)
        assert (action.status, action.expires, action.unchanged) == (SUCCEEDED, 0, True)
        world.clock.ahead = DAY
        assert await world.respond.expire() == []
        assert world.values() == ["billing@bad.test"]

    run(tmp_path, story)


def test_the_last_word_on_an_entry_decides_when_it_goes(tmp_path):
    async def story(world):
        now = world.clock.now()
        first = await world.respond.submit(world.prepared(), actor="p", expires=now + HOUR)
        second = await world.respond.submit(world.prepared(), actor="p", expires=now + 5 * DAY)
        assert world.journal.action(first.id).expires == 0
        assert second.expires == now + 5 * DAY and not second.unchanged
        world.clock.ahead = DAY
        assert await world.respond.expire() == []
        world.clock.ahead = 6 * DAY
        (ended,) = await world.respond.expire()
        assert ended.undoes == second.id and world.values() == []
        assert {world.journal.action(one.id).status for one in (first, second)} == {UNDONE}

    run(tmp_path, story)


def test_a_delete_by_hand_ends_what_was_due(tmp_path):
    async def story(world):
        now = world.clock.now()
        action = await world.respond.submit(world.prepared(), actor="p", expires=now + HOUR)
        deleting = await world.submit(DELETE_BLOCK)
        undone = world.journal.action(action.id)
        assert (undone.status, undone.undone_by) == (UNDONE, deleting.id)
        world.sim.api.add("orgBlockList", "$from", "equal", "billing@bad.test")  # by somebody, for good
        world.clock.ahead = DAY
        assert await world.respond.expire() == []
        assert world.values() == ["billing@bad.test"]

    run(tmp_path, story)


def test_an_undo_that_was_cut_off_is_finished_by_the_list(tmp_path):
    async def story(world):
        action = await world.submit()
        world.sim.api.next("reset after process", 500, where="list")
        undoing = await world.respond.undo(action.id, actor="p")
        assert undoing.status == UNKNOWN
        assert world.journal.action(action.id).status == SUCCEEDED
        async with looking_after(world) as expiry:
            await expiry.step()
        assert world.journal.action(undoing.id).status == SUCCEEDED
        assert world.journal.action(action.id).undone_by == undoing.id

    run(tmp_path, story)


def test_what_died_before_its_first_byte_failed_and_no_list_is_asked(tmp_path):
    async def story(world):
        action = await world.submit()
        world.journal.change(action.id, at=1, status=IN_PROGRESS, attempts=0, owner=2**22 + 1, ended=0)
        reads = len(world.sim.api.exchanges)
        (found,) = await world.respond.recover()
        assert found.status == FAILED and "before this was sent" in found.message
        assert len(world.sim.api.exchanges) == reads

    run(tmp_path, story)


def test_one_reading_of_a_list_serves_all_that_are_unknown(tmp_path):
    async def story(world):
        for number in range(10):
            action = await world.submit(value=f"v{number}@bad.test")
            world.journal.change(action.id, at=1, status=UNKNOWN)
        reads = len(world.sim.api.exchanges)
        found = await world.respond.recover()
        assert {one.status for one in found} == {SUCCEEDED} and len(found) == 10
        assert len(world.sim.api.exchanges) == reads + 1

    run(tmp_path, story)


def test_a_process_that_took_over_the_id_of_a_dead_one_is_not_its_owner(tmp_path):
    async def story(world):
        action = await world.submit()
        parent = 1 if not Path("/proc/self").exists() else int(Path("/proc/self/stat").read_text().split()[3])
        for mark, lives in ((mark_of(parent), True), ("another:1", False)):
            world.journal.change(action.id, at=1, status=IN_PROGRESS, owner=parent, owner_mark=mark)
            assert owner_lives(world.journal.action(action.id)) is lives
        assert own_mark() and mark_of(2**22 + 1) == "" == mark_of(0)

    run(tmp_path, story)


def test_an_action_under_way_in_this_process_is_left_alone(tmp_path):
    async def story(world):
        world.sim.api.behaviour.delay = 0.2
        other = respond.Responding(
            journal=world.journal, sender=world.sender, credentials=lambda connector: None,
            connectors=lambda: world.connectors, clock=world.clock,
        )  # fmt: skip
        async with asyncio.TaskGroup() as group:
            task = group.create_task(world.submit(ADD_BLOCK))
            for _ in range(200):
                if world.journal.open_actions():
                    break
                await asyncio.sleep(0.005)
            assert await other.recover() == []
        assert task.result().status == SUCCEEDED

    run(tmp_path, story)
