"""Playbooks at work on a real store and a simulated API: what fires, what is sent, and what never is."""

import asyncio
import json
from dataclasses import replace

import pytest
from automating import BLOCK, SAFELIST, SOURCE, definition, run
from collecting import Desk

from builders import message
from pod_desktop import store
from pod_desktop.core.action import DELETE, SUCCEEDED, Entry
from pod_desktop.core.clock import DAY, HOUR, MINUTE, SECOND, SystemClock
from pod_desktop.core.faults import UserFault
from pod_desktop.core.guards import Surroundings
from pod_desktop.core.playbook import DRY_RUN, OFF, ON, playbook_from_file
from pod_desktop.core.playbook_limits import ACT, HELD, LIMITED, MUTED, WOULD_ACT
from pod_desktop.services import automate_match
from pod_desktop.services.automate_judge import LATE
from pod_desktop.services.playbooks import clone, run_on_history, try_out
from pod_desktop.services.surroundings import LEARNED, set_own_domains


def test_in_dry_run_everything_is_said_and_nothing_is_sent(tmp_path):
    async def story(world):
        entry = world.add(armed=False)
        assert entry.state == DRY_RUN
        world.store(world.raw())
        await world.rounds()
        (row,) = world.playbooks.rows()
        assert (row.outcome, row.dry, row.version) == (WOULD_ACT, True, 1)
        assert json.loads(row.body)["value"] == "billing@bad.test"
        assert world.posts == []
        assert world.entry().counters["would_act"] == 1

    run(tmp_path, story)


def test_an_armed_playbook_sends_exactly_what_it_filled_and_names_its_version(tmp_path):
    async def story(world):
        world.add(
            group_by="sender", at_least=2,
            actions=[BLOCK | {"body": {
                "action": "add", "attribute": "$from", "operator": "equal", "value": "{key}",
                "comment": "{playbook.name} {count} {records[0].guid}",
            }}],
        )  # fmt: skip
        world.store(world.raw(guid="first"), world.raw(guid="second"))
        await world.rounds()
        (post,) = world.posts
        assert json.loads(post.body)["comment"] == "Wave 2 first"
        (row,) = world.playbooks.rows()
        assert (row.outcome, row.status, row.records) == (ACT, "sent", ("message:first", "message:second"))
        action = world.journal.action(row.action_id)
        assert (action.status, action.actor, action.record_id) == (
            SUCCEEDED,
            "playbook Wave v1",
            "message:second",
        )
        assert world.blocked() == ["billing@bad.test"]

    run(tmp_path, story)


def test_records_count_by_key_across_turns(tmp_path):
    async def story(world):
        world.add(group_by="sender", at_least=3, within="10m")
        for number in range(3):
            assert world.posts == []
            world.store(world.raw(), world.raw(sender=f"other{number}@bad.test"))
            await world.rounds()
            world.clock.turn(5 * MINUTE)
        assert world.blocked() == ["billing@bad.test"]

    run(tmp_path, story)


def test_only_records_of_the_tenant_the_index_and_the_query_count(tmp_path):
    async def story(world):
        world.add()
        world.store(world.raw(), source=replace(SOURCE, tenant="Other"))
        world.store(world.raw(disposition="continue", folder=""))
        await world.rounds()
        assert world.playbooks.rows() == []

    run(tmp_path, story)


def test_backfilled_and_late_records_fire_nothing(tmp_path):
    async def story(world):
        world.add()
        world.backfill(world.raw(sender="backfilled@bad.test"))
        world.store(world.raw(sender="late@bad.test", ago=LATE + SECOND))
        world.store(world.raw(sender="in-time@bad.test", ago=LATE - SECOND))
        await world.rounds()
        assert world.blocked() == ["in-time@bad.test"]
        assert world.entry().counters["late"] == 1

    run(tmp_path, story)


def test_ten_thousand_senders_in_a_minute_are_ten_posts(tmp_path):
    async def story(world):
        world.add()
        world.store(*(world.raw(sender=f"s{number}@bad{number % 97}.test") for number in range(10_000)))
        await world.rounds()
        assert len(world.posts) == 10
        counters = world.entry().counters
        assert (counters["acted"], counters["limited"], counters["matches"]) == (10, 9_990, 10_000)
        assert len(world.playbooks.rows(outcome=LIMITED)) <= 9_990

    run(tmp_path, story)


def test_the_same_value_is_muted_for_its_time_so_that_nothing_loops(tmp_path):
    async def story(world):
        world.add(actions=[BLOCK | {"mute": "2h"}])
        for _ in range(3):
            world.store(world.raw())
            await world.rounds()
        assert world.outcomes() == [ACT, MUTED, MUTED]
        world.clock.turn(2 * HOUR)
        world.store(world.raw())
        await world.rounds()
        assert world.outcomes()[-1] == ACT

    run(tmp_path, story)


def test_two_playbooks_do_not_do_the_same_twice(tmp_path):
    async def story(world):
        world.add()
        world.add(name="Other")
        world.store(world.raw())
        await world.rounds()
        world.store(world.raw())
        await world.rounds()
        assert {row.outcome for row in world.playbooks.rows(name="Other")} <= {ACT, MUTED}
        assert world.blocked() == ["billing@bad.test"]
        assert len(world.posts) <= 2

    run(tmp_path, story)


def test_an_own_domain_is_held_once_and_a_person_decides(tmp_path):
    async def story(world):
        set_own_domains(world.ledger, ["acme.test"])
        await world.end()
        world.begin()
        world.add()
        for _ in range(3):
            world.store(world.raw(sender="boss@acme.test"))
            await world.rounds()
        (row,) = world.playbooks.held()
        assert (row.outcome, row.again) == (HELD, 2)
        assert "own" in {reason.code for reason in row.reasons}
        assert world.posts == []
        with pytest.raises(UserFault, match="Type the value"):
            world.playbooks.approve(row.id, by="ann")
        world.playbooks.approve(row.id, by="ann", confirmed="boss@acme.test")
        await world.rounds()
        assert world.blocked() == ["boss@acme.test"]
        action = world.journal.action(world.playbooks.row(row.id).action_id)
        assert action.actor == "person ann"
        assert "playbook Wave v1" in action.why

    run(tmp_path, story)


def test_what_is_dismissed_is_left_alone_and_what_nobody_decides_expires(tmp_path):
    async def story(world):
        world.add(actions=[SAFELIST])
        world.store(world.raw(sender="a@bad.test"), world.raw(sender="b@bad.test"))
        await world.rounds()
        first, second = world.playbooks.held()
        world.playbooks.dismiss(first.id, by="ann")
        world.store(world.raw(sender="a@bad.test"))
        await world.rounds()
        assert world.outcomes()[-1] == MUTED
        with pytest.raises(UserFault, match="not held"):
            world.playbooks.approve(first.id, by="ann")
        world.clock.turn(8 * DAY)
        await world.rounds()
        assert world.playbooks.row(second.id).status == "expired"
        assert world.posts == []

    run(tmp_path, story)


def test_a_playbook_never_safelists_by_itself(tmp_path):
    async def story(world):
        world.add(actions=[SAFELIST])
        world.store(world.raw())
        await world.rounds()
        (row,) = world.playbooks.held()
        assert [reason.code for reason in row.reasons] == ["safelist"]
        world.playbooks.approve(row.id, by="ann")
        await world.rounds()
        assert world.blocked("orgSafeList") == ["billing@bad.test"]

    run(tmp_path, story)


def test_forged_mail_of_a_partner_blocks_no_partner(tmp_path):
    """Reflected blocking: what looks like an attack by a partner comes from somebody else."""

    async def story(world):
        world.backfill(
            *(
                world.raw(sender=f"p{number}@partner.test", ago=DAY, disposition="continue", folder="")
                for number in range(50)
            )
        )
        world.ledger.set_setting(LEARNED, {})  # an hour has gone by
        await world.end()
        world.begin()
        world.add()
        by_author = {"action": "add", "attribute": "$hfrom", "operator": "equal", "value": "{key}"}
        world.add(name="Author", group_by="header_from", actions=[BLOCK | {"body": by_author}])
        world.store(
            world.raw(
                sender="ceo@partner.test", header_from="ceo@unknown.test",
                **{"filter.modules.spf.result": "fail", "filter.modules.dmarc.filterdResult": "fail"},
            ),
            world.raw(sender="x@evil.test", header_from="victim@honest.test", **{"filter.modules.dmarc.filterdResult": "none"}),
        )  # fmt: skip
        await world.rounds()
        assert world.blocked() == ["x@evil.test"]
        codes = {reason.code for row in world.playbooks.held() for reason in row.reasons}
        assert {"partner", "forged_author"} <= codes

    run(tmp_path, story)


def test_an_address_that_much_honest_mail_comes_from_is_held(tmp_path):
    async def story(world):
        world.backfill(
            *(
                world.raw(ip="8.8.8.8", sender=f"p{n}@d{n}.test", ago=DAY, disposition="continue", folder="")
                for n in range(50)
            )
        )
        body = {"action": "add", "attribute": "$ip", "operator": "equal", "value": "{key}"}
        world.add(group_by="ip", actions=[BLOCK | {"body": body}])
        world.store(world.raw(ip="8.8.8.8"), world.raw(ip="9.9.9.9"))
        await world.rounds()
        assert world.blocked() == ["9.9.9.9"]

    run(tmp_path, story)


def test_what_a_person_took_back_is_not_done_again_without_a_person(tmp_path):
    async def story(world):
        world.add(actions=[BLOCK | {"mute": "1m"}])
        world.store(world.raw())
        await world.rounds()
        (row,) = world.playbooks.rows()
        undoing = await world.respond.undo(row.action_id, actor="person ann")
        assert undoing.action == DELETE
        world.clock.turn(HOUR)
        world.store(world.raw())
        await world.rounds()
        assert [reason.code for reason in world.playbooks.held()[0].reasons] == ["opposite"]
        assert world.blocked() == []

    run(tmp_path, story)


def test_five_failures_in_a_row_stop_a_playbook_and_the_rest_is_held(tmp_path):
    async def story(world):
        world.add()
        world.sim.api.next(*[403] * 40, where="list")
        world.store(*(world.raw(sender=f"s{number}@bad.test") for number in range(9)))
        await world.rounds()
        entry = world.entry()
        assert "5 actions failed in a row" in entry.tripped
        assert len(world.posts) == 5
        assert len(world.playbooks.held()) == 4
        world.store(world.raw(sender="later@bad.test"))
        await world.rounds()
        assert len(world.posts) == 5
        world.playbooks.set_state("Wave", ON, by="ann", now=world.clock.now())
        assert world.entry().tripped == ""

    run(tmp_path, story)


@pytest.mark.parametrize("how", ["file", "switch"])
def test_the_kill_switch_holds_everything_and_what_waits(tmp_path, how):
    async def story(world):
        world.add()
        if how == "file":
            world.stop_file.touch()
        else:
            world.playbooks.stop(by="ann", now=world.clock.now())
        world.store(world.raw())
        await world.rounds()
        (row,) = world.playbooks.held()
        assert "stopped" in row.reason
        assert world.posts == []
        world.stop_file.unlink(missing_ok=True)
        world.playbooks.go()
        world.store(world.raw(sender="next@bad.test"))
        await world.rounds()
        assert world.blocked() == ["next@bad.test"]

    run(tmp_path, story)


def test_a_playbook_that_fails_is_shown_and_disturbs_no_other(tmp_path, monkeypatch):
    async def story(world):
        world.add(name="Broken", query="subject:invoice")
        world.add()
        found = automate_match.Rule.found

        def failing(rule, facts):
            if rule.playbook.name == "Broken":
                raise RuntimeError("boom")
            return found(rule, facts)

        monkeypatch.setattr(automate_match.Rule, "found", failing)
        world.store(world.raw())
        await world.rounds()
        assert "boom" in world.entry("Broken").problem
        assert world.entry("Broken").counters["errors"] == 1
        assert world.blocked() == ["billing@bad.test"]
        monkeypatch.undo()
        world.clock.turn(2 * MINUTE)
        world.store(world.raw(sender="next@bad.test"))
        await world.rounds()
        assert world.entry("Broken").problem == ""
        assert world.entry("Broken").counters["matches"] == 1

    run(tmp_path, story)


def test_a_template_that_cannot_be_filled_is_held_and_can_never_be_sent(tmp_path):
    async def story(world):
        body = {"action": "add", "attribute": "$from", "operator": "equal", "value": "{no.such.field}"}
        world.add(actions=[BLOCK | {"body": body}])
        world.store(world.raw())
        await world.rounds()
        (row,) = world.playbooks.held()
        assert "no.such.field" in row.reason
        assert world.entry().counters["errors"] == 1
        with pytest.raises(UserFault, match="never be sent"):
            world.playbooks.approve(row.id, by="ann", confirmed="x")

    run(tmp_path, story)


def test_a_missing_responder_is_held(tmp_path):
    async def story(world):
        world.add(actions=[BLOCK | {"responder": "Gone"}])
        world.store(world.raw())
        await world.rounds()
        assert "Gone is missing" in world.playbooks.held()[0].reason

    run(tmp_path, story)


def test_a_responder_that_was_changed_sends_no_approved_request(tmp_path):
    async def story(world):
        world.add(actions=[SAFELIST])
        world.store(world.raw())
        await world.rounds()
        (row,) = world.playbooks.held()
        world.playbooks.approve(row.id, by="ann")
        world.connectors[1] = replace(world.connectors[1], hostname="127.0.0.1:9")
        await world.rounds()
        assert "was changed since" in world.playbooks.held()[0].reason
        assert world.posts == []

    run(tmp_path, story)


def test_a_scheduled_playbook_fires_when_its_run_is_due(tmp_path):
    async def story(world):
        world.add(every="5m", group_by="sender", at_least=2)
        await world.rounds()
        world.store(world.raw(), world.raw())
        world.clock.turn(MINUTE)
        await world.rounds()
        assert world.playbooks.rows() == []
        await world.end()
        world.begin()
        world.clock.turn(4 * MINUTE)
        await world.rounds()
        assert world.blocked() == ["billing@bad.test"]

    run(tmp_path, story)


def test_notifications_marks_and_comments_are_rows_of_their_own(tmp_path):
    async def story(world):
        world.add(
            actions=[
                {"type": "notify", "text": "{count} from {envelope.from}"},
                {"type": "mark", "text": "wave"},
                {"type": "comment", "text": "see {guid}"},
            ]
        )
        world.store(world.raw(guid="g1"))
        await world.rounds()
        (notice,) = world.playbooks.rows(type="notify")
        assert (notice.text, notice.outcome) == ("1 from billing@bad.test", ACT)
        assert [row.text for row in world.playbooks.notes("message:g1")] == ["wave", "see g1"]
        assert world.posts == []

    run(tmp_path, story)


@pytest.mark.parametrize(
    ("text", "public"),
    [
        ("", "Wave: 1 records"),
        (
            "Call the mail room! {count} by {playbook.name} v{playbook.version}",
            "Call the mail room! 1 by Wave v1",
        ),
        ("{count} mails of {key}", "Wave: 1 records"),
        ("From {envelope.from}", "Wave: 1 records"),
        ("{records[0].guid}", "Wave: 1 records"),
    ],
)
def test_what_the_desktop_is_told_holds_nothing_that_a_record_says(tmp_path, text, public):
    async def story(world):
        world.add(group_by="sender", actions=[{"type": "notify", "text": text}])
        world.store(world.raw(sender="canary@bad.test"))
        await world.rounds()
        (row,) = world.playbooks.rows()
        assert row.public == public
        assert row.outcome == ACT

    run(tmp_path, story)


def test_an_edit_needs_arming_anew_and_history_says_who_and_what(tmp_path):
    async def story(world):
        world.add()
        edited = playbook_from_file(definition(at_least=2))
        world.playbooks.update("wave", edited, author="bob", now=world.clock.now())
        assert (world.entry().state, world.entry().version) == (DRY_RUN, 2)
        world.playbooks.set_state("Wave", OFF, by="bob", now=world.clock.now())
        world.store(world.raw(), world.raw())
        await world.rounds()
        assert world.playbooks.rows() == []
        history = world.playbooks.history("Wave")
        assert [(one.version, one.author, one.note) for one in history] == [
            (2, "bob", "switched off"),
            (2, "bob", "edited"),
            (1, "ann", "armed"),
            (1, "ann", "created"),
        ]

    run(tmp_path, story)


@pytest.mark.parametrize("jump", [-2 * HOUR, 3 * HOUR, 2 * DAY])
def test_a_clock_that_jumps_lets_no_more_through(tmp_path, jump):
    async def story(world):
        world.add()
        world.store(*(world.raw(sender=f"a{number}@bad.test") for number in range(12)))
        await world.rounds()
        world.clock.time += jump  # the monotonic clock does not go with it
        world.store(*(world.raw(sender=f"b{number}@bad.test") for number in range(12)))
        await world.rounds()
        assert len(world.posts) == 10
        world.clock.turn(MINUTE)
        await world.rounds()
        assert len(world.posts) <= 20

    run(tmp_path, story)


def test_an_entry_of_the_journal_counts_as_done(tmp_path):
    async def story(world):
        world.add()
        world.add(name="Later")
        world.store(world.raw())
        await world.rounds()
        world.clock.turn(MINUTE)
        world.store(world.raw())
        await world.rounds()
        actions = world.journal.actions()
        assert {action.entry for action in actions} == {
            Entry(
                attribute="$from",
                operator="equal",
                value="billing@bad.test",
                comment=actions[0].entry.comment,
            )
        }
        assert len(world.blocked()) == 1

    run(tmp_path, story)


def test_run_on_history_does_what_its_backtest_showed_at_the_playbooks_pace(tmp_path):
    async def story(world):
        world.add()
        world.backfill(
            *(world.raw(sender=f"old{number}@bad.test", ago=DAY + number * MINUTE) for number in range(12))
        )
        await world.rounds()
        assert world.posts == []
        reader = store.open_reader(world.folder / "events")
        how = {
            "reader": reader,
            "connectors": world.connectors,
            "surroundings": Surroundings(),
            "now": world.clock.now(),
        }
        report = try_out(world.entry().playbook, **how)
        assert run_on_history(world.playbooks, "Wave", report, by="ann", now=world.clock.now()) == 12
        assert run_on_history(world.playbooks, "Wave", report, by="ann", now=world.clock.now()) == 0
        await world.rounds()
        assert len(world.posts) == 10
        world.clock.turn(MINUTE)
        await world.rounds()
        assert len(world.blocked()) == 12
        assert {action.actor for action in world.journal.actions()} == {"person ann"}
        world.playbooks.set_state("Wave", DRY_RUN, by="ann", now=world.clock.now())
        with pytest.raises(UserFault, match="not armed"):
            run_on_history(world.playbooks, "Wave", report, by="ann", now=world.clock.now())
        reader.close()

    run(tmp_path, story)


def test_a_clone_arrives_switched_off(tmp_path):
    async def story(world):
        world.add()
        copy = clone(world.playbooks, "wave", "Wave 2", author="bob", now=world.clock.now())
        assert (copy.state, copy.author, copy.playbook.query) == (OFF, "bob", world.entry().playbook.query)
        with pytest.raises(UserFault, match="exists already"):
            clone(world.playbooks, "wave", "WAVE", author="bob", now=world.clock.now())

    run(tmp_path, story)


def test_from_the_log_stream_to_the_block_list(tmp_path):
    """All of it: a record comes over the wire, is stored by the service, fires, and is on the list."""

    async def story(world):
        (tmp_path / "service").mkdir()
        desk = Desk(folder=tmp_path / "service", clock=SystemClock())
        desk.add(world.sim, tenant="Acme")
        async with desk.running():
            await desk.all_live()
            world.events = tmp_path / "service" / "events"
            await world.end()
            world.clock = SystemClock()
            automation = world.begin()
            stop = asyncio.Event()
            async with asyncio.TaskGroup() as group:
                group.create_task(automation.run(stop))
                world.add()
                await asyncio.sleep(0.3)
                world.sim.publish(
                    "message",
                    message(
                        sender="live@bad.test", time=world.clock.now(), disposition="discard", folder="Phish"
                    ),
                )
                await world.until(lambda: "live@bad.test" in world.blocked(), 20)
                stop.set()
        desk.close()

    run(tmp_path, story)
