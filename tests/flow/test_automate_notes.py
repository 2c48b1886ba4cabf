"""Marks and comments of playbooks on a real store: they become notes that are seen and searched, each once."""

from __future__ import annotations

from contextlib import closing

import pytest
from automating import run

from pod_desktop import store
from pod_desktop.core.clock import MINUTE
from pod_desktop.core.faults import Outage
from pod_desktop.services import asking
from pod_desktop.services.automate_notes import Carrying

MARK = {"type": "mark", "text": "wave"}
COMMENT = {"type": "comment", "text": "see {guid}"}


def notes_of(world):
    with closing(store.Notes(world.notes_file)) as notes:
        return {one.record_id: (one.marked, one.comment) for one in notes.all().values()}


def found(world, query):
    with closing(store.Notes(world.notes_file)) as notes, closing(store.open_reader(world.events)) as reader:
        noted = list(notes.all().values())
        ask = asking.ask(query, now=world.clock.now(), notes=lambda: noted)
        return sorted(row.record_id for row in reader.search(ask, limit=10))


def test_what_a_playbook_marks_and_says_is_found_like_what_a_person_did(tmp_path):
    async def story(world):
        world.add(actions=[MARK, COMMENT])
        world.store(world.raw(guid="g1"), world.raw(guid="g2", disposition="continue", folder=""))
        await world.rounds()
        assert notes_of(world) == {"message:g1": (True, "wave\nsee g1")}
        assert found(world, "marked:true") == ["message:g1"]
        assert found(world, "comment:*see*") == ["message:g1"]

    run(tmp_path, story)


def test_a_dry_run_notes_nothing(tmp_path):
    async def story(world):
        world.add(armed=False, actions=[MARK, COMMENT])
        world.store(world.raw(guid="g1"))
        await world.rounds()
        assert len(world.playbooks.rows()) == 2
        assert not world.notes_file.exists()

    run(tmp_path, story)


def test_every_record_of_a_firing_is_noted_and_a_person_s_words_stay(tmp_path):
    async def story(world):
        with closing(store.Notes(world.notes_file)) as notes:
            notes.comment(["message:g1"], "asked Ann", 1)
        world.add(actions=[COMMENT], group_by="sender", at_least=2)
        world.store(world.raw(guid="g1"), world.raw(guid="g2"))
        await world.rounds()
        kept = notes_of(world)
        assert kept["message:g1"] == (False, "asked Ann\nsee g2")
        assert kept["message:g2"] == (False, "see g2")

    run(tmp_path, story)


def test_what_a_person_takes_away_does_not_come_back_with_a_restart(tmp_path):
    async def story(world):
        world.add(actions=[MARK])
        world.store(world.raw(guid="g1"))
        await world.rounds()
        with closing(store.Notes(world.notes_file)) as notes:
            notes.mark(["message:g1"], False, world.clock.now())
            notes.comment(["message:g1"], "", world.clock.now())
        await world.end()
        world.begin()
        world.clock.turn(MINUTE)
        await world.rounds()
        assert notes_of(world) == {}

    run(tmp_path, story)


@pytest.mark.parametrize(
    "kept", [False, True], ids=["before the notes were kept", "after the notes were kept"]
)
def test_a_service_that_dies_while_carrying_notes_each_row_once(tmp_path, monkeypatch, kept):
    class Died(Exception):
        pass

    async def story(world):
        carry = store.Notes.carry

        def die(self, *args):
            if kept:
                carry(self, *args)
            raise Died

        world.add(actions=[COMMENT])
        world.store(world.raw(guid="g1"))
        monkeypatch.setattr(store.Notes, "carry", die)
        with pytest.raises(Died):
            await world.rounds()
        monkeypatch.undo()
        with closing(store.Notes(world.notes_file)) as notes:
            assert notes.all().keys() == ({"message:g1"} if kept else set())
            # A line that is there is not doubled in any case: this tells the second carrying apart.
            notes.comment(["message:g1"], "" if kept else "mine", 5)
        await world.end()
        world.begin()
        await world.rounds()
        assert notes_of(world) == ({} if kept else {"message:g1": (False, "mine\nsee g1")})

    run(tmp_path, story)


def test_notes_that_cannot_be_opened_are_carried_later(tmp_path):
    async def story(world):
        world.add(actions=[MARK])
        world.store(world.raw(guid="g1"))
        await world.rounds()
        world.notes_file.unlink()
        tries = []

        def opened():
            tries.append(1)
            if len(tries) == 1:
                raise Outage("The disk is full.")
            return store.Notes(world.notes_file)

        carrying = Carrying(world.playbooks, opened)
        with pytest.raises(Outage):
            carrying.carry(1)
        assert carrying.carry(2) == 1
        carrying.close()
        assert notes_of(world) == {"message:g1": (True, "wave")}

    run(tmp_path, story)


def test_another_playbooks_file_counts_its_rows_anew(tmp_path):
    notes = store.Notes(tmp_path / "notes.db")
    first = [store.Noting(9, ("message:a",), True, "")]
    assert notes.carry("one file", first, 1) == 1
    assert notes.carry("one file", first, 2) == 0
    assert notes.carry("another file", [store.Noting(1, ("message:b",), False, "x" * 5_000)], 3) == 1
    assert notes.of("message:b").comment == "x" * 4_000
    notes.close()
