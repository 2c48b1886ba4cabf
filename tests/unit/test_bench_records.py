"""The records that benches are fed with are told again and again, and are still those of a mail system."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pod_desktop import content
from pod_desktop.core.record import AUDIT, MAILLOG, MESSAGE, Columns

sys.path.insert(0, str(Path(__file__).parents[1] / "bench"))

from find import records

Found = list[tuple[str, bytes, Columns]]


@pytest.fixture(scope="module")
def found() -> Found:
    return [(kind, raw, content.read(kind, raw, 0)) for kind, raw in records.made(3_000)]


@pytest.fixture(scope="module")
def layered() -> Found:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(records, "MOST_MADE", 200)
        return [(kind, raw, content.read(kind, raw, 0)) for kind, raw in records.made(3_000)]


def test_there_are_as_many_as_asked_for_with_an_id_each(found: Found, layered: Found) -> None:
    for some in (found, layered):
        assert len({(kind, columns.rid) for kind, _, columns in some}) == len(some) == 3_000


def test_they_come_in_order_of_time(found: Found, layered: Found) -> None:
    for some in (found, layered):
        times = [columns.time for _, _, columns in some]
        assert times == sorted(times)


def test_a_mail_and_its_log_lines_keep_their_common_ids(layered: Found) -> None:
    messages = {columns.qid: columns for kind, _, columns in layered if kind == MESSAGE}
    lines = [columns for kind, _, columns in layered if kind == MAILLOG and columns.sender]
    together = [(messages[line.qid], line) for line in lines if line.qid in messages]
    assert len(together) > len(lines) * 3 / 4
    for message, line in together:
        assert message.message_id == line.message_id
        assert message.sender == line.sender


def test_each_queue_id_belongs_to_one_mail(layered: Found) -> None:
    sender: dict[str, str] = {}
    for kind, _, columns in layered:
        if kind == MESSAGE:
            assert sender.setdefault(columns.qid, columns.sender) == columns.sender


def test_their_type_can_be_told_by_a_look(found: Found) -> None:
    assert {kind for kind, _, _ in found} == {MESSAGE, MAILLOG, AUDIT}
    for kind, raw, columns in found:
        assert records.kind_of(raw) == kind == content.sniff(raw)
        assert columns.flags == 0


def test_the_same_number_gives_the_same_bytes(found: Found) -> None:
    assert [raw for _, raw, _ in found] == [raw for _, raw in records.made(3_000)]
