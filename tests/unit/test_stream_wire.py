"""The wire: addresses, frames that hold several records, hours."""

import json
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pod_desktop.core import limits
from pod_desktop.core.clock import DAY, HOUR, parse_iso
from pod_desktop.stream import (
    first_in_reach,
    from_runs,
    hour_begin,
    hour_of,
    record_bytes,
    runs,
    split,
    stream_url,
)


def test_a_live_address_names_cluster_and_type_and_no_time() -> None:
    assert (
        stream_url("wss://logstream.proofpoint.com:443", "acme_hosted", "message")
        == "wss://logstream.proofpoint.com:443/v1/stream?cid=acme_hosted&type=message"
    )


def test_an_archive_address_gives_both_ends_in_utc_without_a_raw_plus_or_colon() -> None:
    url = stream_url(
        "wss://h",
        "acme",
        "maillog",
        since=parse_iso("2026-11-24T09:00+01:00"),
        until=parse_iso("2026-11-24T09:00Z"),
    )
    query = url.partition("?")[2]
    assert "+" not in query and ":" not in query
    assert parse_qs(query)["sinceTime"] == ["2026-11-24T08:00:00Z"]
    assert parse_qs(query)["toTime"] == ["2026-11-24T09:00:00Z"]


@pytest.mark.parametrize(("since", "until"), [(1, None), (None, 1)])
def test_half_a_stretch_is_never_asked_for(since: int | None, until: int | None) -> None:
    with pytest.raises(ValueError):
        stream_url("wss://h", "acme", "message", since=since, until=until)


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1))
def test_any_cluster_id_arrives_as_it_was_typed(cluster: str) -> None:
    url = stream_url("wss://h:1", cluster, "message")
    assert urlsplit(url).path == "/v1/stream"
    assert parse_qs(urlsplit(url).query, strict_parsing=True) == {"cid": [cluster], "type": ["message"]}


@pytest.mark.parametrize("frame", [b"", b"\n", b"\r\n", b"  \r\n", "", "\n"])
def test_an_empty_frame_is_a_keep_alive(frame: bytes | str) -> None:
    assert record_bytes(frame) == b""


def test_a_line_end_behind_a_record_is_not_part_of_it() -> None:
    assert record_bytes(b'{"a":1}\r\n') == b'{"a":1}'
    assert record_bytes('{"ä":1}\n') == '{"ä":1}'.encode()
    frame = b'{"a":1}'
    assert record_bytes(frame) is frame


def test_a_text_frame_with_a_lone_surrogate_is_kept() -> None:
    assert record_bytes('{"a":"\ud800"}') == b'{"a":"\xed\xa0\x80"}'


@pytest.mark.parametrize(
    "frame",
    [
        b'[{"a":1},{"b":"[]"}]',
        b' [ {"a":1}\n,\n{"b":"[]"} ] ',
        b'{"a":1}\n{"b":"[]"}\n',
        b'{"a":1}\r\n\r\n{"b":"[]"}',
        b'{"a":1}{"b":"[]"}',
    ],
)
def test_a_frame_of_several_records_falls_into_them(frame: bytes) -> None:
    assert split(frame) == [b'{"a":1}', b'{"b":"[]"}']


def test_a_damaged_line_among_others_stays_a_piece_of_its_own() -> None:
    assert split(b'{"a":1}\n{"b":\n{"c":3}') == [b'{"a":1}', b'{"b":', b'{"c":3}']


def test_pieces_of_an_array_are_the_bytes_as_they_came() -> None:
    assert split(b'[{"a":"\xff\xfe \xc3\xa4"},{"b" : 1e400}]') == [
        b'{"a":"\xff\xfe \xc3\xa4"}',
        b'{"b" : 1e400}',
    ]


@pytest.mark.parametrize(
    "frame",
    [
        b"hello",
        b"<html>",
        b"[1,2,3]",
        b"[",
        b"[]",
        b'[{"a":1}',
        b'{"a":1',
        b"[[[[",
        b'"text"',
        b"\x00\x01",
        b"[" * 5000,
    ],
)
def test_what_is_no_bundle_of_records_stays_whole(frame: bytes) -> None:
    assert split(frame) == []


def test_more_pieces_than_anyone_means_are_not_taken_apart() -> None:
    assert split(b"[" + b",".join([b"{}"] * (limits.JSON_KEYS + 1)) + b"]") == []
    assert len(split(b"[" + b",".join([b"{}"] * limits.JSON_KEYS) + b"]")) == limits.JSON_KEYS


@given(
    st.lists(
        st.dictionaries(st.text(), st.integers() | st.text() | st.lists(st.text())), min_size=2, max_size=8
    )
)
def test_an_array_and_lines_of_the_same_records_fall_into_the_same_pieces(
    records: list[dict[str, object]],
) -> None:
    pieces = [json.dumps(record).encode() for record in records]
    assert split(b"[" + b", ".join(pieces) + b"]") == pieces
    assert split(b"\n".join(pieces) + b"\n") == pieces


@given(st.binary(max_size=200))
def test_any_bytes_are_taken_without_an_error(frame: bytes) -> None:
    split(frame)
    split(b"[" + frame)
    split(b"{" + frame)


def test_hours_count_from_their_beginning() -> None:
    moment = parse_iso("2026-11-24T09:41:07Z")
    assert hour_begin(hour_of(moment)) == parse_iso("2026-11-24T09:00Z")


def test_the_first_hour_in_reach_begins_less_than_thirty_days_ago() -> None:
    now = parse_iso("2026-11-24T09:41:07Z")
    begin = hour_begin(first_in_reach(now))
    assert now - 30 * DAY < begin <= now - 30 * DAY + HOUR


@given(st.sets(st.integers(400_000, 400_400)))
def test_hours_survive_their_compact_form(hours: set[int]) -> None:
    assert from_runs(json.loads(json.dumps(runs(hours)))) == hours


@pytest.mark.parametrize("stored", [None, 5, "x", [[1]], [["a", "b"]], [[5, 1]], [[0, 10**9]], {}])
def test_nonsense_in_place_of_hours_is_no_hour(stored: object) -> None:
    assert from_runs(stored) == set()
