"""What the store remembers of records it has: nothing stored is forgotten, nothing deleted stays in memory."""

from __future__ import annotations

from pathlib import Path
from random import Random

from pod_desktop.store.dedupe import CAPACITY, KEY_BYTES, Filter, Known, key, load


def keys(first: int, count: int) -> list[bytes]:
    return [key("message", f"guid-{number}") for number in range(first, first + count)]


def known_of(*segments: int) -> Known:
    known = Known()
    for segment in segments:
        room = known.room()
        room.add(keys(segment * 1_000, 1_000))
        room.publish(segment, CAPACITY)  # full, so that the next one has a filter of its own
    return known


def test_kinds_and_ids_do_not_run_into_each_other() -> None:
    pairs = [
        ("message", "x"),
        ("maillog", "x"),
        ("message", "x:"),
        ("message", "xx"),
        ("message", "ü" * 5_000),
    ]
    assert len({key(*pair) for pair in pairs}) == len(pairs)
    assert {len(key(*pair)) for pair in pairs} == {KEY_BYTES}


def test_every_stored_record_is_suspected_in_its_segment_and_few_others_are() -> None:
    known = known_of(1, 2)
    found = known.suspects(keys(1_000, 3_000))
    assert all(1 in found[one] for one in keys(1_000, 1_000))
    assert all(2 in found[one] for one in keys(2_000, 1_000))
    assert len(found) < 2_010


def test_a_filter_that_is_filling_up_suspects_hardly_any_stranger() -> None:
    filled = Filter()
    for part in range(16):
        made = Random(part).randbytes(KEY_BYTES * (CAPACITY >> 6))
        filled.add(made[at : at + KEY_BYTES] for at in range(0, len(made), KEY_BYTES))
    assert len(filled.suspects(keys(0, 100_000))) < 3  # a quarter full: one of eight million


def test_a_filter_goes_with_the_last_of_its_segments() -> None:
    known = known_of(1, 2)
    known.forget({2})
    assert known.segments == {2}
    assert known.suspects(keys(1_000, 1_000)) == {}
    assert len(known._filters) == 1


def test_a_filter_that_a_seal_is_filling_stays() -> None:
    known = known_of(1)
    room = known.room()
    room.add(keys(2_000, 1_000))
    known.forget(set())
    room.publish(2, 1_000)
    assert known.suspects(keys(2_000, 1)) == {keys(2_000, 1)[0]: {2}}


def test_what_is_saved_is_known_again(tmp_path: Path) -> None:
    known_of(1, 2).save(tmp_path / "known.filter")
    again = load(tmp_path / "known.filter")
    assert again.segments == {1, 2}
    assert len(again.suspects(keys(1_000, 2_000))) == 2_000
