"""Facets, looks and completion over a real store: counted right, bounded in time, given up when unwanted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from builders import NOW, as_bytes, maillog_to, message
from pod_desktop import content, store
from pod_desktop.core.clock import MINUTE, SECOND, SystemClock
from pod_desktop.core.faults import Unwanted
from pod_desktop.core.record import Arrival
from pod_desktop.query import parse
from pod_desktop.services import asking
from pod_desktop.services.completing import Completer
from pod_desktop.services.facets import facet, sample
from pod_desktop.services.looks import Look, Rule, looks
from pod_desktop.store import LIVE, Commit, Reader, Source
from pod_desktop.store.writer import SegmentWriter

HERE = Source(connector="acme", tenant="Acme", cluster_id="acme_hosted")


def _records() -> list[tuple[str, bytes]]:
    made = []
    for number in range(90):
        made.append(
            (
                "message",
                as_bytes(
                    message(
                        time=NOW - number * SECOND, sender=f"user{number % 7}@{'evil' if number % 3 else 'good'}.example",
                        rule="phish" if number % 2 else "notspam", score=number,
                        **{"filter.routes": ["default_inbound", "Spfsafe" if number % 4 else "SPFSAFE"]},
                    )
                ),
            )
        )  # fmt: skip
    made.append(("maillog", as_bytes(maillog_to(time=NOW - MINUTE))))
    return made


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    folder: Path = tmp_path_factory.mktemp("store") / "events"
    writer = SegmentWriter(folder, clock=SystemClock(), segment_records=40)
    for kind, raw in _records():
        writer.commit(
            Commit(
                source=HERE, lane=LIVE, records=[Arrival(content.read(kind, raw, NOW), raw)], stream=f"acme/{kind}"
            )
        )  # fmt: skip
    opened = store.open_reader(folder)
    yield opened
    opened.close()
    writer.close()


def _yes() -> bool:
    return True


def test_columns_are_counted_over_all_records_of_the_question(reader: Reader) -> None:
    found = facet(reader, asking.ask("score:>=10", now=NOW), "sender.domain", 5, _yes)
    assert found.values == (("evil.example", 54), ("good.example", 26))
    assert found.sampled == 0


def test_other_fields_are_counted_once_a_record_without_regard_to_case(reader: Reader) -> None:
    found = sample(reader, asking.ask("", now=NOW), "route", 5, _yes, seconds=60.0)
    assert {(value.casefold(), count) for value, count in found.values} == {
        ("default_inbound", 90),
        ("spfsafe", 90),
    }
    assert found.sampled == 0, "all were looked at"
    part = sample(reader, asking.ask("", now=NOW), "route", 5, _yes, records=64)
    assert part.sampled == 64
    late = sample(reader, asking.ask("", now=NOW), "route", 5, _yes, seconds=-1.0)
    assert late.sampled == 64, "a first few are looked at, however long it takes"
    assert late.values
    assert facet(reader, asking.ask("", now=NOW), "route", 5, _yes).values


@pytest.mark.parametrize("field", ["outcome", "route"])
def test_what_nobody_waits_for_is_given_up(reader: Reader, field: str) -> None:
    with pytest.raises(Unwanted):
        facet(reader, asking.ask("", now=NOW), field, 5, lambda: False)


def test_a_scan_is_given_up_between_parts(reader: Reader) -> None:
    answers = iter([True, True, False])
    ask = asking.ask("filter.modules.spam.version.engine:8*", now=NOW, wanted=lambda: next(answers))
    with pytest.raises(Unwanted):
        reader.count(ask)
    assert reader.count(asking.ask("filter.modules.spam.version.engine:8*", now=NOW)) == 90
    assert reader.problems() == [], "giving up sets no segment aside"


def test_rows_get_values_of_any_field_and_the_colour_of_the_first_rule(reader: Reader) -> None:
    rows = list(reader.search(asking.ask("", now=NOW), limit=100))
    rules = [Rule(parse("score:>=80", NOW), "bad"), Rule(parse("type:message", NOW), "info")]
    found = looks(reader, rows, ["route", "filter.modules.spam.scores.overall", "nowhere.at.all"], rules)
    by_kind = dict(zip([row.record_id for row in rows], found, strict=True))
    assert len(by_kind) == 91
    for row in rows:
        look = by_kind[row.record_id]
        if row.kind == "maillog":
            assert look == Look(("", "", ""), "")
        else:
            assert look.values[0].casefold() == "default_inbound, spfsafe"
            assert look.values[1:] == (str(row.score), "")
            assert look.tone == ("bad" if (row.score or 0) >= 80 else "info")


def test_rows_that_are_gone_look_like_nothing(reader: Reader) -> None:
    (row,) = reader.search(asking.ask("", now=NOW), limit=1)
    gone = row._replace(seq=row.seq + 10_000_000)
    assert looks(reader, [gone], ["route"], []) == [Look(("",), "")]
    assert looks(reader, [gone], [], []) == [Look((), "")]


def _offered(completer: Completer, text: str) -> list[str]:
    return [text[: one.start] + one.insert for one in completer.complete(text, len(text))]


def test_values_that_records_hold_are_offered_commonest_first(reader: Reader) -> None:
    completer = Completer(lambda: reader)
    assert _offered(completer, "sender.domain:") == [
        "sender.domain:evil.example",
        "sender.domain:good.example",
    ]
    assert _offered(completer, "sender.domain:go") == ["sender.domain:good.example"]
    assert _offered(completer, "sender.domain:xample")[:1] == ["sender.domain:evil.example"]
    assert _offered(completer, "rule:ph") == ["rule:phish"]
    assert _offered(completer, "rule:zz") == []
    assert "route:default_inbound" in _offered(completer, "route:d")
    assert len(_offered(completer, "sender:")) <= 14


def test_paths_that_records_have_are_offered(reader: Reader) -> None:
    completer = Completer(lambda: reader)
    assert _offered(completer, "filter.modules.spam.sc") == [
        f"filter.modules.spam.scores.{name}:"
        for name in ("classifiers.bulk", "classifiers.mlxlog", "classifiers.phish", "engine", "overall")
    ]
    assert _offered(completer, "a AND msgParts.sh") == ["a AND msgParts.sha256:"]
    assert "$.filter.qid:" in _offered(completer, "$.filter.q")
    assert _offered(completer, "nothing.like.this") == []
    assert _offered(completer, 'subject:"filter.q') == []


def test_completion_of_an_empty_store_offers_what_is_known(tmp_path: Path) -> None:
    empty = store.open_reader(tmp_path / "nothing")
    completer = Completer(lambda: empty)
    assert _offered(completer, "sender:x") == []
    assert "outcome:delivered" in _offered(completer, "outcome:del")
    empty.close()
