"""Actions against a simulated API: our state equals the list's, whatever goes wrong on the way."""

import asyncio
import os

import pytest

from pod_desktop import responders
from pod_desktop.core.action import FAILED, IN_PROGRESS, SUCCEEDED, UNDONE, UNKNOWN, Entry
from pod_desktop.core.clock import DAY, HOUR
from pod_desktop.core.faults import UserFault
from pod_desktop.core.guards import Surroundings
from pod_desktop.services import respond
from pod_desktop.simulator.api import STRIKES
from tests.flow.responding import ADD_BLOCK, ADD_SAFE, DELETE_BLOCK, QUICK, RECORD, run, world


def test_a_block_is_sent_as_shown_and_confirmed_by_the_list(tmp_path):
    async def story(world):
        prepared = world.prepared()
        action = await world.respond.submit(prepared, actor="person tester", why="ticket 4711")
        assert (action.status, action.http_status, action.attempts) == (SUCCEEDED, 200, 1)
        assert world.values() == ["billing@bad.test"]
        (post,) = world.posts
        assert post.body == prepared.request.body
        assert post.headers["content-type"] == "application/json"
        assert world.journal.action(action.id).why == "ticket 4711"

    run(tmp_path, story)


def test_the_intent_is_committed_before_the_first_byte_leaves(tmp_path):
    async def story(world):
        seen = []
        send = world.sender.send

        async def watched(connector, credentials, request):
            if request.method == "POST":
                seen.append([action.status for action in world.journal.actions()])
            return await send(connector, credentials, request)

        world.sender.send = watched
        await world.submit()
        assert seen == [[IN_PROGRESS]]

    run(tmp_path, story)


def test_an_entry_that_is_there_already_is_no_failure(tmp_path):
    async def story(world):
        await world.submit()
        again = await world.submit()
        assert again.status == SUCCEEDED
        assert "Already there" in again.message
        assert world.values() == ["billing@bad.test"]

    run(tmp_path, story)


def test_any_other_400_is_a_failure_with_the_services_words(tmp_path):
    async def story(world):
        world.sim.api.next(400, where="list")
        action = await world.submit()
        assert action.status == FAILED
        assert action.message.startswith("400: ")
        assert world.values() == []

    run(tmp_path, story)


@pytest.mark.parametrize("status", [401, 403, 404, 301, 307])
def test_a_refusal_is_a_failure_and_nothing_is_on_the_list(tmp_path, status):
    async def story(world):
        world.sim.api.next(status, status, where="list")
        action = await world.submit()
        assert action.status == FAILED
        assert str(status) in action.message
        assert world.values() == []
        assert len(world.posts) <= 2

    run(tmp_path, story)


def test_a_token_that_ended_in_flight_is_renewed_once(tmp_path):
    async def story(world):
        await world.submit()
        world.sim.api.revoke()
        action = await world.submit(value="other@bad.test")
        assert action.status == SUCCEEDED
        assert world.sim.api.token_requests == 2

    run(tmp_path, story)


def test_twenty_actions_at_once_ask_for_one_token(tmp_path):
    async def story(world):
        actions = await asyncio.gather(*(world.submit(value=f"a{n}@bad.test") for n in range(20)))
        assert {action.status for action in actions} == {SUCCEEDED}
        assert world.sim.api.token_requests == 1
        assert len(world.values()) == 20

    run(tmp_path, story)


@pytest.mark.parametrize("status", [400, 401, 403, 429, 500, 503])
def test_without_a_token_nothing_is_sent_and_the_words_say_so(tmp_path, status):
    async def story(world):
        world.sim.api.next(status, where="token")
        action = await world.submit()
        assert action.status == FAILED
        assert "Nothing was sent" in action.message
        assert str(status) in action.message
        assert world.posts == []
        assert world.sim.client_secret not in action.message

    run(tmp_path, story)


FAULTS = [*STRIKES, 429, 500, 502, 503, 504]


async def recovered(path, kind, first, second):
    async with world(path, QUICK) as made:
        if kind == DELETE_BLOCK:
            entry = {"attribute": "$from", "operator": "equal", "value": "billing@bad.test"}
            made.sim.api.lists["orgBlockList"][tuple(entry.values())] = entry
        before = len(made.posts)
        made.sim.api.next(first, *([second] if second else []), where="list")
        action = await made.submit(kind)
        for _ in range(3):
            (action,) = await made.respond.recover(lambda action: False) or [action]
        there = made.values() == ["billing@bad.test"]
        return action, there, len(made.posts) - before


@pytest.mark.parametrize("kind", [ADD_BLOCK, DELETE_BLOCK])
@pytest.mark.parametrize("first", FAULTS)
def test_after_recovery_our_state_is_the_lists_state(tmp_path, kind, first):
    async def scene():
        seconds = [None, *FAULTS]
        for number in range(len(seconds)):
            (tmp_path / str(number)).mkdir()
        return await asyncio.gather(
            *(recovered(tmp_path / str(number), kind, first, second) for number, second in enumerate(seconds))
        )

    for action, there, posts in asyncio.run(scene()):
        assert action.status in (SUCCEEDED, FAILED)
        assert (action.status == SUCCEEDED) == (there == (kind == ADD_BLOCK)), action.message
        assert posts <= 2


def test_an_action_whose_process_died_is_checked_and_never_sent_again(tmp_path):
    async def story(world):
        prepared = world.prepared()
        dead = 2**22 + 1
        for reached in (False, True):
            action = await world.respond.submit(prepared, actor="person tester")
            world.journal.change(action.id, at=1, status=IN_PROGRESS, owner=dead, ended=0)
            if not reached:
                world.sim.api.lists["orgBlockList"].clear()
            posts = len(world.posts)
            (found,) = await world.respond.recover(lambda action: action.owner != dead)
            assert found.status == (SUCCEEDED if reached else FAILED)
            assert len(world.posts) == posts

    run(tmp_path, story)


def test_an_action_of_a_living_process_is_left_alone(tmp_path):
    async def story(world):
        action = await world.submit()
        world.journal.change(action.id, at=1, status=IN_PROGRESS, owner=os.getppid())
        assert await world.respond.recover(lambda action: True) == []
        assert world.journal.action(action.id).status == IN_PROGRESS

    run(tmp_path, story)


def test_a_list_that_cannot_be_read_leaves_the_action_unknown_until_it_can(tmp_path):
    async def story(world):
        world.sim.api.next("reset after process", 500, where="list")
        action = await world.submit()
        assert action.status == UNKNOWN
        checked = await world.respond.check(action.id)
        assert checked.status == SUCCEEDED

    run(tmp_path, story)


@pytest.mark.parametrize("kind", [ADD_BLOCK, ADD_SAFE])
def test_undo_sends_the_inverse_as_an_action_that_names_the_first(tmp_path, kind):
    async def story(world):
        action = await world.submit(kind)
        name = "orgBlockList" if kind == ADD_BLOCK else "orgSafeList"
        assert world.values(name) == ["billing@bad.test"]
        undoing = await world.respond.undo(action.id, actor="person tester")
        assert (undoing.status, undoing.undoes) == (SUCCEEDED, action.id)
        assert world.values(name) == []
        first = world.journal.action(action.id)
        assert (first.status, first.undone_by) == (UNDONE, undoing.id)
        with pytest.raises(UserFault, match="undone"):
            await world.respond.undo(action.id, actor="person tester")

    run(tmp_path, story)


def test_undo_works_with_the_same_credentials_where_the_other_responder_is_missing(tmp_path):
    async def story(world):
        action = await world.submit()
        world.connectors = [world.of(ADD_BLOCK)]
        undoing = await world.respond.undo(action.id, actor="person tester")
        assert undoing.status == SUCCEEDED
        assert world.values() == []

    run(tmp_path, story)


def test_what_is_due_is_taken_back_and_what_is_not_stays(tmp_path):
    async def story(world):
        now = world.clock.now()
        due = await world.respond.submit(world.prepared(), actor="p", expires=now + HOUR)
        later = await world.respond.submit(
            world.prepared(value="later@bad.test"), actor="p", expires=now + DAY
        )
        world.clock.ahead = 2 * HOUR
        (ended,) = await world.respond.expire()
        assert (ended.status, ended.undoes, ended.actor) == (SUCCEEDED, due.id, "expiry")
        assert world.values() == ["later@bad.test"]
        assert await world.respond.expire() == []
        assert world.journal.action(later.id).status == SUCCEEDED

    run(tmp_path, story)


def test_a_double_click_is_one_post(tmp_path):
    async def story(world):
        prepared = world.prepared()
        action_id = respond.new_action_id(world.clock.now())
        results = await asyncio.gather(
            *(world.respond.submit(prepared, actor="p", action_id=action_id) for _ in range(2)),
            return_exceptions=True,
        )
        assert sum(isinstance(result, UserFault) for result in results) == 1
        assert len(world.posts) == 1

    run(tmp_path, story)


def test_a_guard_asks_for_the_value_to_be_typed(tmp_path):
    async def story(world):
        around = Surroundings(own_domains=frozenset({"bad.test"}))
        prepared = world.prepared(around=around)
        with pytest.raises(UserFault, match="your own domain"):
            await world.respond.submit(prepared, actor="p", confirmed="wrong")
        assert world.journal.actions() == []
        action = await world.respond.submit(prepared, actor="p", confirmed="billing@bad.test")
        assert action.status == SUCCEEDED

    run(tmp_path, story)


def test_a_refused_value_is_neither_recorded_nor_sent(tmp_path):
    async def story(world):
        for value in ("", "*", "com", "127.0.0.1"):
            attribute = "$ip" if value[:1] == "1" else "$from"
            with pytest.raises(UserFault):
                await world.submit(attribute=attribute, value=value)
        assert world.journal.actions() == []
        assert world.posts == []

    run(tmp_path, story)


def test_a_body_changed_after_it_was_shown_is_not_sent(tmp_path):
    async def story(world):
        prepared = world.prepared()
        object.__setattr__(prepared.request, "body", b'{"action":"add"}')
        action = await world.respond.submit(prepared, actor="p")
        assert action.status == FAILED
        assert "not the one that was shown" in action.message
        assert world.posts == []

    run(tmp_path, story)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ('{"action":"delete","attribute":"$from","operator":"equal","value":"x@bad.test"}', "can only add"),
        ('{"action":"add","attribute":"$from","operator":"equal"}', "'value' is missing"),
        ('{"action":"add","attribute":"$from","operator":"equal","value":7}', "must be text"),
        ('{"action":"add","attribute":"$from","operator":"equal","value":"x","more":"y"}', "no field 'more'"),
        ("[]", "must be a JSON object"),
    ],
)
def test_a_body_that_the_list_would_not_take_is_refused_with_words(tmp_path, body, words):
    async def story(world):
        connector = world.of(ADD_BLOCK)
        with pytest.raises(UserFault) as fault:
            respond.prepare(
                connector,
                path_and_query=responders.RESPONDERS[ADD_BLOCK].path_and_query,
                body=body,
                scope=respond.scope_of(RECORD, connector),
                around=Surroundings(),
            )
        assert words in str(fault.value)

    run(tmp_path, story)


@pytest.mark.parametrize(
    "path",
    [
        "https://evil.test/api/v1/emailProtection/modules/spam/orgBlockList?clusterId={connector.cluster_id}",
        "//evil.test/api/v1/emailProtection/modules/spam/orgBlockList?clusterId={connector.cluster_id}",
        "/api/v1/emailProtection/modules/spam/../spam/orgBlockList?clusterId={connector.cluster_id}",
        "/api/v1/emailProtection/modules/spam/orgSafeList?clusterId={connector.cluster_id}",
        "/api/v1/emailProtection/modules/spam/orgBlockList",
        "/api/v1/emailProtection/modules/spam/orgBlockList?clusterId=other",
        "/api/v1/emailProtection/modules/spam/orgBlockList?clusterId={connector.cluster_id}&clusterId=x",
        "/api/v1/emailProtection/modules/spam/orgBlockList?clusterId={connector.cluster_id}#x",
        "/api/v1/emailProtection/modules/spam/orgBlockList?clusterId={subject}",
    ],
)
def test_path_and_query_cannot_leave_the_responders_list(tmp_path, path):
    async def story(world):
        connector = world.of(ADD_BLOCK)
        with pytest.raises(UserFault):
            respond.prepare(
                connector,
                path_and_query=path,
                body=responders.RESPONDERS[ADD_BLOCK].body(),
                scope=respond.scope_of(RECORD, connector),
                around=Surroundings(),
            )

    run(tmp_path, story)


def test_the_list_is_read_with_comments(tmp_path):
    async def story(world):
        await world.submit()
        (entry,) = await world.respond.entries(world.of(ADD_BLOCK), "block")
        assert entry == Entry(
            attribute="$from", operator="equal", value="billing@bad.test", comment="POD Desktop g1"
        )

    run(tmp_path, story)
