"""The commonest values from the lists of each segment: exact, or not answered at all."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from random import Random

import apsw
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pod_desktop import store
from pod_desktop.core.clock import SECOND, SystemClock
from pod_desktop.core.record import OUTCOMES, Arrival, Columns
from pod_desktop.query import parse
from pod_desktop.store import Ask, Commit, Source, counting, schema, tops
from pod_desktop.store.commonest import ranked
from pod_desktop.store.writer import SegmentWriter

NOON = 1_790_000_000_000_000
HERE = Source(connector="acme-pod", tenant="acme", cluster_id="acme_hosted")
KINDS = ("message", "maillog", "audit")


def columns(dice: Random, number: int) -> Columns:
    def address(among: int) -> str:
        person = min(dice.randrange(among), dice.randrange(among), dice.randrange(among))
        name = dice.choice((f"p{person}", f"P{person}", f"Straße{person}", f"STRASSE{person}"))
        return (
            f"{name}@{dice.choice(('a.example', 'A.example', 'ß.example', 'b.example'))}"
            if person % 9
            else ""
        )

    recipients = tuple(address(600) or "x@y.example" for _ in range(dice.choice((0, 1, 1, 1, 2, 5))))
    return Columns(
        kind=dice.choice(KINDS), rid=f"id-{number}", time=NOON + number * SECOND, cluster="acme_hosted", qid="", message_id="",
        sender=address(900), header_from=address(40), recipients=recipients, subject="", ip=f"192.0.2.{dice.randrange(3)}",
        country=dice.choice(("", "de", "DE", "us")), outcome=dice.choice(OUTCOMES), disposition=dice.choice(("", "disposition", "Disposition")), stat=dice.choice(("", "stat", "Stat")), rule=dice.choice(("Clean", "clean", "phish")),
        module=dice.choice(("", "module", "Module")), folder=dice.choice(("", "folder", "Folder")), direction=dice.choice(("", "direction", "Direction")), score=dice.choice((None, 0, 40, 99, 100)), size=None, flags=0, text="",
    )  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five sealed segments, one of them of an earlier version, and one that is being written."""
    made = tmp_path_factory.mktemp("tops") / "events"
    writer = SegmentWriter(made, clock=SystemClock(), segment_records=4_000)
    dice = Random(5)
    for part in range(21):
        records = [Arrival(columns(dice, part * 1_000 + at), b"{}") for at in range(1_000)]
        writer.commit(Commit(source=HERE, lane=store.LIVE, records=records, stream="s"))
        writer.tidy()
    while writer.busy():
        writer.tidy()
    writer.close()
    with apsw.Connection(str(schema.segment_path(made, 3))) as old:
        old.execute("drop table top")
    return made


ASKS = {
    "all": Ask(),
    "one type": Ask(kinds=("message",)),
    "from within a segment on": Ask(since=NOON + 6_500 * SECOND),
    "within segments": Ask(since=NOON + 2_500 * SECOND, until=NOON + 14_500 * SECOND, kinds=("message", "audit")),
}  # fmt: skip


@pytest.mark.parametrize("ask", ASKS.values(), ids=ASKS)
@pytest.mark.parametrize("name", sorted(tops.FIELDS))
@pytest.mark.parametrize("limit", [1, 10, tops.KEPT])
def test_it_is_what_counting_every_record_gives(
    folder: Path, name: str, ask: Ask, limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = store.open_reader(folder)
    found = reader.count_by(ask, name, limit)
    with monkeypatch.context() as patched:
        patched.setattr("pod_desktop.store.reader.commonest", lambda *_: None)
        wanted = reader.count_by(ask, name, limit)
    reader.close()
    assert [(value.casefold(), n) for value, n in found] == [(value.casefold(), n) for value, n in wanted]
    assert wanted


def test_sealed_segments_are_not_counted_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counted: list[int] = []

    def watched(segment: object, ask: Ask, name: str) -> Counter[str]:
        counted.append(segment.segment)  # type: ignore[attr-defined]
        return counting.counts_by(segment, ask, name)  # type: ignore[arg-type]

    for place in ("commonest", "reader"):
        monkeypatch.setattr(f"pod_desktop.store.{place}.counts_by", watched)
    reader = store.open_reader(folder)
    assert len(reader.count_by(Ask(), "rule", 10)) == 2
    assert sorted(counted) == [3, 6]  # of an earlier version, and not sealed
    counted.clear()
    assert reader.count_by(Ask(tree=parse("country:de", NOON)), "rule", 10)
    assert sorted(counted) == [1, 2, 3, 4, 5, 6]
    reader.close()


@pytest.mark.parametrize("ask", ASKS.values(), ids=ASKS)
@pytest.mark.parametrize(
    "text",
    [
        "outcome:delivered", "not outcome:delivered", "rule:CLEAN", "rule:*l*", "not rule:phish", "country:de", "_exists_:country",
        "not _exists_:disposition", "score:>=40", "score:40", "score:[1 TO 99]", "not score:>99", "score:*", "sender:p0@a.example",
        "sender:p877@a.example", "sender.domain:a.example", "sender.domain:*.example", "not sender.domain:ß.example", "recipient:p3@A.example",
        "recipient:STRASSE1@SS.example", "recipient.domain:b.example", "not recipient.domain:y.example", "recipient.domain:*.example",
        "header_from:p1*", "ip:192.0.2.0/24", "ip:192.0.2.1", "sender:/p1@.*/", "country:zz", "subject:x",
    ],
)  # fmt: skip
def test_counts_are_what_counting_rows_gives(
    folder: Path, text: str, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = replace(ask, tree=parse(text, NOON))
    reader = store.open_reader(folder)
    found = reader.count(ask)
    with monkeypatch.context() as patched:
        patched.setattr(tops, "count", lambda *_: None)
        wanted = reader.count(ask)
    reader.close()
    assert found == wanted


def test_most_of_these_need_no_look_at_rows(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> None:
        raise AssertionError

    reader = store.open_reader(folder)
    monkeypatch.setattr("pod_desktop.store.segment.Segment.exact", never)
    whole = Ask(until=NOON + 8_000 * SECOND)  # the first two segments
    counted = [
        reader.count(replace(whole, tree=parse(text, NOON)))
        for text in ("outcome:delivered", "not outcome:delivered", "score:>=40", "recipient.domain:b.example")
    ]
    assert counted[0] + counted[1] == 8_000
    assert all(counted)
    reader.close()


spread = st.lists(
    st.dictionaries(st.sampled_from("abcdefghijklmnop"), st.integers(1, 40)), min_size=1, max_size=6
)


@settings(max_examples=400, deadline=None)
@given(segments=spread, kept=st.integers(1, 6), limit=st.integers(1, 6))
def test_lists_that_are_cut_give_the_exact_answer_or_none(
    segments: list[dict[str, int]], kept: int, limit: int
) -> None:
    parts = []
    for counts in segments:
        order = sorted(counts.items(), key=lambda one: (-one[1], one[0]))[:kept]
        least = order[-1][1] if order and len(counts) > kept else 0
        parts.append(tops.Part(dict(order), {}, least, lambda value, counts=counts: counts.get(value, 0)))  # type: ignore[misc]
    total: Counter[str] = Counter()
    for counts in segments:
        total.update(counts)
    wanted = sorted(total.items(), key=lambda one: (-one[1], one[0]))[:limit]
    found = ranked(parts, limit)
    assert found is None or found == wanted
    if not any(part.least for part in parts):
        assert found == wanted


def test_one_value_far_ahead_needs_no_counting() -> None:
    def never(value: str) -> int:
        raise AssertionError(value)

    parts = [tops.Part({"a": 100, "b": 90, "c": 2}, {}, 2, never) for _ in range(3)]
    assert ranked(parts, 2) == [("a", 300), ("b", 270)]
