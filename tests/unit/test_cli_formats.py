"""Found records as ndjson, csv, parquet and table."""

from __future__ import annotations

import base64
import csv
import io
import json
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pod_desktop.cli.formats import PRINTERS
from pod_desktop.cli.terminal import Out
from pod_desktop.core import clock
from pod_desktop.core.interflow import FIELDS
from pod_desktop.core.record import EventRow
from pod_desktop.services.exporting import Found, cell, with_raw

NOON = clock.parse_iso("2026-11-24T12:00:00Z")


def row(**values: object) -> EventRow:
    usual: dict[str, object] = {
        "seq": 1, "time": NOON, "kind": "message", "rid": "abc", "tenant": "Acme", "connector": "acme",
        "sender": "a@x.example", "recipients": ("b@y.example",), "recipient_count": 1, "subject": "Hello",
        "ip": "192.0.2.1", "outcome": "delivered", "disposition": "continue", "stat": "", "rule": "clean",
        "score": 3, "size": 900, "flags": 0,
    }  # fmt: skip
    return EventRow(**{**usual, **values})  # type: ignore[arg-type]


def printed(name: str, *rows: EventRow, raw: bytes = b'{"guid":"abc"}', with_raw: bool = False) -> bytes:
    stream = io.BytesIO()
    printer = PRINTERS[name](Out(stream), with_raw)
    for each in rows:
        printer.add(Found(each, partial(bytes, raw), partial(tuple, each.recipients)))
    printer.finish()
    return stream.getvalue()


def test_an_ndjson_line_has_the_documented_members_and_the_interflow_fields() -> None:
    assert json.loads(printed("ndjson", row())) == {
        "id": "message:abc",
        "time": "2026-11-24T12:00:00.000000Z",
        "type": "message",
        "connector": "acme",
        "tenant": "Acme",
        "outcome": "delivered",
        "sender": "a@x.example",
        "recipients": ["b@y.example"],
        "subject": "Hello",
        "index": "Syslog",
        "msg_class": "proofpoint_on_demand_message",
        "msg_origin": {"source": "proofpoint_on_demand", "vendor": "proofpoint", "category": "email"},
        "tenant_name": "Acme",
    }


def test_the_raw_record_is_spliced_in_byte_for_byte() -> None:
    raw = b'{ "n":1.0e400, "big":123456789012345678901234567890,  "k":1, "k":2, "s":"\\u00e9" }'.replace(
        b"1.0e400", b"1.50"
    )
    line = printed("ndjson", row(), raw=raw + b"\r\n", with_raw=True)
    assert b'"raw":' + raw + b"}\n" in line


def test_a_raw_record_over_several_lines_stays_one_line() -> None:
    raw = b'{\n  "guid": "abc"\r\n}'
    line = printed("ndjson", row(), raw=raw, with_raw=True)
    assert line.count(b"\n") == 1
    assert json.loads(line)["raw"] == {"guid": "abc"}
    assert base64.b64decode(json.loads(line)["raw_base64"]) == raw


@given(st.binary(max_size=60))
def test_any_bytes_can_be_got_back_from_a_line_that_is_always_json(raw: bytes) -> None:
    line = with_raw(b'{"id":"x"}', raw)
    assert b"\n" not in line
    value = json.loads(line)
    if "raw_base64" in value:
        assert base64.b64decode(value["raw_base64"]) == raw
    else:
        assert value["raw"] == json.loads(raw)


def test_ndjson_holds_no_character_that_steers_a_terminal() -> None:
    line = printed("ndjson", row(subject="a\x1b[2J\x9b31m\x7f\u2028b"))
    assert json.loads(line)["subject"] == "a\x1b[2J\x9b31m\x7f\u2028b"
    assert not any(character in line.decode().rstrip("\n") for character in "\x1b\x9b\x7f\u2028\n")


@pytest.mark.parametrize("value", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "  =1", "＝1", "\r=1"])
def test_a_spreadsheet_computes_no_cell(value: str) -> None:
    assert cell(value).startswith("'")


def test_csv_names_its_columns_and_joins_recipients() -> None:
    text = printed(
        "csv", row(recipients=("b@y", "c@y"), recipient_count=2, subject='=cmd|" /C calc"!A0, "x"')
    ).decode()
    names, values = csv.reader(io.StringIO(text))
    assert names[:9] == [
        "id",
        "time",
        "type",
        "connector",
        "tenant",
        "outcome",
        "sender",
        "recipients",
        "subject",
    ]
    assert names[9:] == list(FIELDS)
    assert dict(zip(names, values, strict=True))["recipients"] == "b@y; c@y"
    assert dict(zip(names, values, strict=True))["subject"] == '\'=cmd|" /C calc"!A0, "x"'


def test_parquet_keeps_types_and_raw_bytes() -> None:
    from pyarrow import parquet

    data = printed("parquet", row(), row(rid="def"), raw=b"\xff\x00", with_raw=True)
    table = parquet.read_table(io.BytesIO(data)).to_pylist()
    assert [each["id"] for each in table] == ["message:abc", "message:def"]
    assert clock.from_datetime(table[0]["time"]) == NOON
    assert table[0]["recipients"] == ["b@y.example"]
    assert table[0]["raw"] == b"\xff\x00"
    assert table[0]["msg_origin.vendor"] == "proofpoint"


def test_an_empty_parquet_file_still_has_its_columns() -> None:
    from pyarrow import parquet

    assert parquet.read_table(io.BytesIO(printed("parquet"))).column_names[0] == "id"


@pytest.mark.parametrize("columns", [40, 80, 132, 200])
def test_a_table_line_is_no_wider_than_the_terminal(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    from pod_desktop.cli.terminal import width_of

    monkeypatch.setenv("COLUMNS", str(columns))
    lines = printed("table", row(subject="東京" * 80, sender="x" * 300, rid="r" * 32)).decode().splitlines()
    assert all(width_of(line) <= max(columns, 67) for line in lines)
    assert ("message:" in lines[1]) == (columns >= 132)


def test_a_table_names_how_many_recipients_do_not_fit() -> None:
    line = printed("table", row(recipients=("b@y",), recipient_count=12)).decode().splitlines()[1]
    assert "b@y +11" in line
