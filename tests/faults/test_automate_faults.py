"""The service ends at every point of a playbook's work, and begins anew: nothing twice, nothing lost."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from pod_desktop import store
from pod_desktop.core.action import SUCCEEDED
from pod_desktop.core.faults import Outage
from pod_desktop.simulator import Simulator

sys.path.insert(0, str(Path(__file__).parents[1] / "flow"))
from automating import World, run

VALUES = ["a@bad.test", "b@bad.test"]
POINTS = {
    "playbooks": ("commit", "change", "ended", "to_send"),
    "journal": ("begin", "change"),
    "sender": ("send",),
}


class Died(RuntimeError):
    """The process is no more."""


class Fate:
    """Lets a process die at its n-th step, before it or just after it."""

    def __init__(self, at, after):
        self.at, self.after = at, after
        self.steps = 0
        self.dead = False

    def watch(self, thing, name):
        real = getattr(thing, name)
        if asyncio.iscoroutinefunction(real):

            async def step(*args, **kwargs):
                last = self._begin()
                result = await real(*args, **kwargs)
                self._end(last)
                return result

        else:

            def step(*args, **kwargs):
                last = self._begin()
                result = real(*args, **kwargs)
                self._end(last)
                return result

        setattr(thing, name, step)

    def _begin(self):
        if self.dead:
            raise Died
        self.steps += 1
        last = self.steps == self.at
        if last and not self.after:
            self.dead = True
            raise Died
        return last

    def _end(self, last):
        if last or self.dead:
            self.dead = True
            raise Died


async def life(world, fate, at_least):
    """One process from its beginning to its death, or until all is done."""
    world.begin()
    for room, names in POINTS.items():
        for name in names:
            fate.watch(getattr(world, room), name)
    try:
        await world.rounds()
        for value in VALUES:
            world.store(*(world.raw(sender=value) for _ in range(at_least)))
            await world.rounds()
    except Died:
        pass
    finally:
        fate.dead = True
        try:
            await world.end()
        except Died:
            world.automation = None


def reborn(world):
    """Another process on the same files."""
    for thing in (world.playbooks, world.journal):
        thing.close()
    world.playbooks = store.Playbooks(world.folder / "playbooks.db")
    world.journal = store.Journal(world.folder / "actions.db")
    world.sender.__dict__.pop("send", None)


async def story(sim, folder, at, after, at_least):
    folder.mkdir()
    sim.api.lists["orgBlockList"].clear()
    world = World(sim, folder)
    posts = len(world.posts)
    world.add(group_by="sender", at_least=at_least)
    fate = Fate(at, after)
    try:
        await life(world, fate, at_least)
        reborn(world)
        world.begin()
        stored = {row.sender for row in _rows(world)}
        await world.respond.recover(lambda pid: False)
        await world.rounds()
        for value in VALUES:
            if value not in stored:
                world.store(*(world.raw(sender=value) for _ in range(at_least)))
        await world.rounds()
        actions = world.journal.actions()
        rows = world.playbooks.rows()
        assert sorted(action.entry.value for action in actions) == VALUES, f"died at {at}"
        assert sorted(row.key for row in rows) == VALUES
        assert {row.status for row in rows} == {"sent"}
        there = set(world.blocked())
        for action in actions:
            assert (action.status == SUCCEEDED) == (action.entry.value in there)
        assert len(world.posts) - posts <= len(VALUES)
        assert world.entry().counters["acted"] == len(VALUES)
    finally:
        await world.close()
    return fate.steps < at


def _rows(world):
    reader = store.open_reader(world.folder / "events")
    try:
        return list(reader.search(store.Ask()))
    finally:
        reader.close()


@pytest.mark.parametrize("at_least", [1, 2])
@pytest.mark.parametrize("after", [False, True])
def test_dying_at_any_step_neither_doubles_nor_loses_a_firing(tmp_path, after, at_least):
    async def scene():
        async with Simulator(seed=7) as sim:
            at, survived = 1, False
            while not survived:
                survived = await story(sim, tmp_path / str(at), at, after, at_least)
                at += 1
            return at

    assert asyncio.run(scene()) > 25  # so many steps there are to die at


def test_a_full_disk_loses_no_firing(tmp_path):
    async def scene(world):
        world.add()
        commit, full = world.playbooks.commit, [True, True, False]

        def failing(turn):
            if turn.parts and full.pop(0):
                raise Outage("The disk is full.", "playbooks.db")
            return commit(turn)

        world.playbooks.commit = failing
        world.store(world.raw())
        for _ in range(2):
            with pytest.raises(Outage):
                await world.automation.step()
        full.append(False)
        await world.rounds()
        assert world.blocked() == ["billing@bad.test"]
        assert world.entry().counters["matches"] == 1

    run(tmp_path, scene)


def test_a_window_that_holds_half_a_firing_survives_a_restart(tmp_path):
    async def scene(world):
        world.add(group_by="sender", at_least=3)
        for _ in range(3):
            assert world.playbooks.rows() == []
            world.store(world.raw())
            await world.rounds()
            await world.end()
            world.begin()
        await world.rounds()
        assert len(world.playbooks.rows()) == 1
        assert len(world.posts) == 1

    run(tmp_path, scene)


def test_records_that_came_while_nothing_judged_them_are_judged_after_it(tmp_path):
    async def scene(world):
        world.add()
        await world.rounds()
        await world.end()
        world.store(world.raw())
        world.begin()
        await world.rounds()
        assert world.blocked() == ["billing@bad.test"]

    run(tmp_path, scene)


def test_what_was_there_before_the_first_playbook_fires_nothing(tmp_path):
    async def scene(world):
        await world.end()
        world.playbooks.close()
        (world.folder / "playbooks.db").unlink()
        world.playbooks = store.Playbooks(world.folder / "playbooks.db")
        world.store(world.raw())
        world.add()
        world.begin()
        await world.rounds()
        assert world.playbooks.rows() == []

    run(tmp_path, scene)


def test_a_damaged_file_is_said_and_no_other_is_touched(tmp_path):
    path = tmp_path / "playbooks.db"
    path.write_bytes(b"no database at all, but long enough to look at" * 100)
    with pytest.raises(Outage, match="damaged"):
        store.Playbooks(path)
