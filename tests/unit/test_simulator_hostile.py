"""The corpus of attacks, and what goes wrong with frames: all there, all bounded, each in its place."""

from __future__ import annotations

import json
import unicodedata
from random import Random

import pytest

from pod_desktop.core.clock import HOUR, MINUTE, parse_iso
from pod_desktop.simulator import Generator, Item, faults, hostile, noise
from pod_desktop.simulator.journal import Journal
from pod_desktop.simulator.scenarios import SCENARIOS, Noise

MORNING = parse_iso("2026-11-24T17:00:00Z")


def test_the_corpus_holds_what_the_threats_name() -> None:
    together = "".join(hostile.CORPUS.values())
    assert all(chr(code) in together for code in range(32)), "each control character"
    assert {"\u202e", "\u200b", "\u00ad", "\ufeff", "\U000e0068"} <= set(together)
    assert "<img src='file:///" in together and "=cmd|" in together and "\x1b]" in together
    assert hostile.CORPUS["nested tables 18"].count("<table>") == 18
    assert max(len(text.encode()) for text in hostile.CORPUS.values()) <= 1_100_000
    assert {unicodedata.category(char) for char in together} >= {"Cc", "Cf", "Cn", "Co", "Mn", "Zl", "Zp"}
    assert all(text.encode().decode() == text for text in hostile.CORPUS.values()), "texts are valid Unicode"


def test_every_attack_goes_into_every_field_once() -> None:
    records = list(hostile.every_record())
    fields = sum(map(len, hostile.FIELDS.values()))
    attacks = len(hostile.CORPUS) + len(hostile.FRAGMENTS)
    assert len(records) == fields * attacks + len(hostile.ODD_KEYS) * 2 > 10_000
    named = [item.rid for item in records if item.rid]
    assert len(set(named)) == len(named) > len(records) * 0.95
    assert len({item.frame for item in records}) == len(records)


def test_an_attack_lies_where_it_was_put_and_the_rest_is_untouched() -> None:
    model = next(Generator(archive_rate=1).records("message", MORNING, MORNING + HOUR))
    for path in hostile.FIELDS["message"]:
        found = json.loads(hostile.infected(model, path, hostile.attack("right-to-left override")).frame)
        assert found.keys() >= json.loads(model.frame).keys()
        for step in path:
            found = found[step]
        assert found == "invoice\u202efdp.exe"


def test_an_odd_member_comes_on_top() -> None:
    model = next(Generator(archive_rate=1).records("maillog", MORNING, MORNING + HOUR))
    for key in hostile.ODD_KEYS:
        item = hostile.infected(model, ("sm", "stat"), b"null", key)
        assert json.loads(item.frame)[key] == "odd" and item.rid == model.rid


def test_the_hostile_scenario_attacks_the_share_it_names() -> None:
    calm, attacked = (
        list(Generator(archive_rate=1, scenario_name=name).records("maillog", MORNING, MORNING + 10 * MINUTE))
        for name in ("calm", "hostile")
    )
    assert [item.time for item in calm] == [item.time for item in attacked]
    changed = sum(one.frame != other.frame for one, other in zip(calm, attacked, strict=True))
    assert changed / len(calm) == pytest.approx(SCENARIOS["hostile"].hostile, abs=0.08)


@pytest.mark.parametrize("name", sorted(noise.BREAKAGES))
def test_a_broken_frame_is_no_sound_record(name: str) -> None:
    model = next(Generator(archive_rate=1).records("message", MORNING, MORNING + HOUR))
    frame = noise.BREAKAGES[name](model.frame, Random(1))
    assert frame != model.frame
    try:
        sound = bool(json.loads(frame)["guid"])
    except (ValueError, TypeError, KeyError):
        sound = False
    assert not sound


def test_noise_comes_in_the_share_it_names_and_leaves_the_rest_alone() -> None:
    items = [
        Item(MORNING + n, "maillog", f"id{n}", b'{"id":"id%d","ts":"x"}' % n, MORNING + n)
        for n in range(4_000)
    ]
    assert noise.disturbed(items, Noise()) == items
    loud = noise.disturbed(items, Noise(duplicates=0.1, late=0.2, empty=0.05, binary=0.1, broken=0.05))
    assert len(loud) == pytest.approx(4_000 * 1.2, rel=0.03)
    assert sum(item.binary for item in loud) == pytest.approx(480, rel=0.2)
    assert sum(item.frame == b"" for item in loud) == pytest.approx(200, rel=0.3)
    assert max(item.release - item.time for item in loud) <= noise.LATEST
    assert {item.rid for item in items} <= {item.rid for item in loud}
    huge = noise.disturbed(items[:3], Noise(huge=1.0))
    assert all(1 << 20 <= len(item.frame) <= 9 << 20 and json.loads(item.frame) for item in huge)


def test_the_live_buffer_keeps_an_hour_and_reads_on_from_any_moment() -> None:
    journal = Journal()
    for n in range(5_000):
        journal.append(Item(n, "maillog", str(n), b"x", MORNING + n * 1_000_000), MORNING + n * 1_000_000)
    oldest = journal.after(0, most=1)[0]
    assert int(oldest.item.rid) == 4_999 - 3_600
    read, at = [], 0
    while entries := journal.after(at, most=77):
        read += [int(entry.item.rid) for entry in entries]
        at = entries[-1].at
    assert read == list(range(1_399, 5_000))
    assert journal.after(journal.last) == []


def test_records_released_in_the_same_moment_keep_places_of_their_own() -> None:
    journal = Journal()
    for n in range(10):
        journal.append(Item(0, "maillog", str(n), b"x", MORNING - n), MORNING)
    moments = [entry.at for entry in journal.after(0)]
    assert moments == sorted(set(moments)) and len(moments) == 10


def test_an_unknown_way_to_end_is_refused() -> None:
    orders = faults.Faults()
    for bad in (lambda: orders.next_handshakes("explode"), lambda: orders.end_after(1, 1006)):
        with pytest.raises(ValueError, match="no way to end"):
            bad()
    assert orders.pending == 0
