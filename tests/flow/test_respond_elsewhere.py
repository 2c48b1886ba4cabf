"""Other implementations of the service, and values that want to do harm: the outcome is still the list's."""

import json

import pytest

from pod_desktop.core.action import FAILED, SUCCEEDED
from pod_desktop.core.faults import UserFault
from pod_desktop.services import lists
from pod_desktop.simulator.http1 import Reply
from tests.flow.responding import ADD_BLOCK, ADD_SAFE, DELETE_BLOCK, run

VALUES = (
    'quote"@bad.test', "back\\slash@bad.test", "{envelope.from}@bad.test", "{{x}}@bad.test", "%0d%0aX:1@bad.test",
    "&clusterId=other@bad.test", "'; drop table event; --@bad.test", "=cmd|' /C calc'!A0@bad.test", "<script>@bad.test",
    "пример@испытание.test", "😀@bad.test", "x" * 480 + "@bad.test", "../../orgSafeList@bad.test", "$(id)@bad.test",
    "null", "true.test", "0.test", "a,b@bad.test", "ЁЖ@bad.test", "ß@bad.test", "İ@bad.test",
)  # fmt: skip


@pytest.mark.parametrize("body", ["empty", "json", "text"])
@pytest.mark.parametrize("shape", ["errorMessage", "errors", "text"])
@pytest.mark.parametrize("missing", [200, 400, 404])
def test_every_shape_of_answer_ends_as_the_list_says(tmp_path, body, shape, missing):
    async def story(world):
        behaviour = world.sim.api.behaviour
        behaviour.post_body, behaviour.error_shape, behaviour.missing_delete = body, shape, missing
        first = await world.submit()
        again = await world.submit()
        assert (first.status, again.status) == (SUCCEEDED, SUCCEEDED)
        assert "Already there" in again.message
        gone = await world.submit(DELETE_BLOCK)
        nothing = await world.submit(DELETE_BLOCK)
        assert (gone.status, nothing.status) == (SUCCEEDED, SUCCEEDED)
        assert world.values() == []
        behaviour.licensed = False
        refused = await world.submit(value="other@bad.test")
        assert refused.status == FAILED and refused.message.startswith("403: User is not authorized")

    run(tmp_path, story)


def test_a_service_that_allows_an_entry_on_one_list_only_is_believed(tmp_path):
    async def story(world):
        world.sim.api.behaviour.both_lists = False
        assert (await world.submit(ADD_SAFE)).status == SUCCEEDED
        refused = await world.submit(ADD_BLOCK)
        assert refused.status == FAILED and "otherlist" in refused.message
        assert world.values() == []

    run(tmp_path, story)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'{"entries":null}',
        b'{"entries":{}}',
        b'{"entries":[1]}',
        b'{"entries":[{"value":7}]}',
        b"<html>Sign in</html>",
        b'{"entries":[' + b"[" * 100_000,
        b"\xff\xfe\x00",
    ],
)
def test_an_answer_that_is_no_list_leaves_nothing_assumed(tmp_path, body):
    async def story(world):
        world.sim.api.next(Reply(200), *[Reply(200, body)] * 4, where="list")
        action = await world.submit()
        assert action.status == "unknown" and "could not be read" in action.message
        (checked,) = await world.respond.recover()
        assert checked.status == "unknown"
        found = await lists.look(world.respond, world.of(ADD_BLOCK))
        assert found.block.problem and found.block.rows == ()
        world.sim.api._orders.clear()
        (checked,) = await world.respond.recover()
        assert checked.status == FAILED  # the 200 was nobody's who keeps a list
        assert world.values() == []

    run(tmp_path, story)


def test_entries_with_unusual_members_are_shown_and_not_assumed_to_be_ours(tmp_path):
    async def story(world):
        entries = [
            {
                "attribute": "$FROM",
                "operator": "Equal",
                "value": "BILLING@bad.test",
                "comment": None,
                "id": 7,
            },
            {"value": "bare"},
            {"attribute": None, "operator": ["x"], "value": "\x1b[31m\u202e", "comment": {"a": 1}},
        ]
        world.sim.api.next(
            Reply(200), Reply(200, json.dumps({"entries": entries, "next": 1}).encode()), where="list"
        )
        action = await world.submit()
        assert action.status == SUCCEEDED  # the same entry, whatever its case
        world.sim.api.next(*[Reply(200, json.dumps({"entries": entries}).encode())] * 2, where="list")
        found = await lists.look(world.respond, world.of(ADD_BLOCK))
        assert [row.entry.value for row in found.block.rows] == ["BILLING@bad.test", "bare", "\x1b[31m\u202e"]
        assert [row.elsewhere for row in found.block.rows] == [False, True, True]
        assert all(row.conflict for row in found.block.rows)
        assert b"\x1b" not in lists.to_csv(found.block.rows)

    run(tmp_path, story)


def test_hostile_values_arrive_as_they_are_and_come_off_again(tmp_path):
    async def story(world):
        for value in VALUES:
            entry_of = {"value": value.replace("{", "{{").replace("}", "}}")}
            try:
                prepared = world.prepared(**entry_of)
                action = await world.respond.submit(prepared, actor="p", confirmed=value)
            except UserFault as fault:
                raise AssertionError(value) from fault
            assert action.status == SUCCEEDED, value
            assert json.loads(world.posts[-1].body)["value"] == value
            assert world.posts[-1].target.endswith(f"orgBlockList?clusterId={world.sim.cluster_id}")
        assert sorted(VALUES) == world.values()
        for action in world.journal.actions():
            assert (await world.respond.undo(action.id, actor="p")).status == SUCCEEDED
        assert world.values() == []
        assert world.sim.api.entries("orgSafeList") == []

    run(tmp_path, story)


def test_a_service_that_asks_to_wait_is_given_time_and_not_hammered(tmp_path):
    async def story(world):
        waited = []

        async def wait(seconds):
            waited.append(seconds)

        world.respond.carrier._wait = wait
        busy = Reply(429, b'{"errorMessage":"slow down"}')
        world.sim.api.next(busy, where="list")
        assert (await world.submit()).status == SUCCEEDED
        assert 0 < waited[0] <= 1.0 and len(world.posts) == 2
        world.sim.api.next(busy, busy, where="list")
        action = await world.submit(value="other@bad.test")
        assert action.status == FAILED and "slow down" in action.message
        assert len(world.posts) == 4

    run(tmp_path, story)
