"""Found records as files and streams for other programs: ndjson, csv, parquet."""

from __future__ import annotations

import base64
import csv
import io
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from pod_desktop.core import clock
from pod_desktop.core.interflow import interflow
from pod_desktop.core.record import EventRow
from pod_desktop.core.text import one_line

if TYPE_CHECKING:
    import pyarrow

TEXT_COLUMNS = ("id", "time", "type", "connector", "tenant", "outcome", "sender", "recipients", "subject")
PARQUET_BATCH = 5_000
FORMULA = re.compile(r"\s*[=+\-@\t\r＝＋－＠]")
"""How a cell begins that a spreadsheet would compute instead of show (OWASP, CSV injection)."""


@dataclass(frozen=True, slots=True)
class Found:
    """A row that was found, and how to get what a row does not carry."""

    row: EventRow
    raw: Callable[[], bytes]
    recipients: Callable[[], tuple[str, ...]]
    """All of them: a row carries the first few only."""


def fields(found: Found) -> dict[str, Any]:
    """What every format but the table says of a record; the Interflow fields by their dotted names."""
    row = found.row
    return {
        "id": row.record_id,
        "time": clock.iso(row.time),
        "type": row.kind,
        "connector": row.connector,
        "tenant": row.tenant,
        "outcome": row.outcome,
        "sender": row.sender,
        "recipients": list(found.recipients()),
        "subject": row.subject,
        **interflow(row.kind, row.tenant),
    }


def as_object(found: Found) -> dict[str, Any]:
    """The fields as one JSON object, dotted names nested as they are in an Interflow record."""
    nested: dict[str, Any] = {}
    for name, value in fields(found).items():
        head, dot, tail = name.partition(".")
        if dot:
            nested.setdefault(head, {})[tail] = value
        else:
            nested[name] = value
    return nested


_CONTROLS = re.compile(r"[\x7f-\x9f\u2028\u2029]")


def dumps(value: Any) -> bytes:
    """JSON as UTF-8 without a character that steers a terminal or ends a line."""
    import orjson

    text = orjson.dumps(value)
    if text.isascii() and b"\x7f" not in text:
        return text
    return _CONTROLS.sub(lambda match: f"\\u{ord(match[0]):04x}", text.decode()).encode()


def with_raw(head: bytes, raw: bytes) -> bytes:
    """The object `head` with the member `raw`: the record's own bytes, spliced in as they are.

    A record that is no JSON goes in as text, and whole as base64. Line breaks between a record's
    members become blanks, because in ndjson a line is a record; such a record goes in whole as base64 too.
    """
    import orjson

    record = raw.strip(b" \t\r\n")
    try:
        orjson.loads(record)
    except ValueError:
        text = raw.decode("utf-8", "replace")
        member = b'"raw":%b,"raw_base64":"%b"' % (dumps(text), base64.b64encode(raw))
    else:
        member = b'"raw":' + record.replace(b"\r", b" ").replace(b"\n", b" ")
        if b"\n" in record or b"\r" in record:
            member += b',"raw_base64":"%b"' % base64.b64encode(raw)
    return b"%b,%b}" % (head[:-1], member)


class Printer(ABC):
    """Prints found records one after the other, with the raw ones if asked; finish() when there are no more."""

    def __init__(self, stream: BinaryIO, raw: bool) -> None:
        self._stream, self._raw = stream, raw

    @abstractmethod
    def add(self, found: Found) -> None: ...

    def finish(self) -> None:
        """Print what is still held back."""
        self._stream.flush()


class Ndjson(Printer):
    """One JSON object a line."""

    def add(self, found: Found) -> None:
        line = dumps(as_object(found))
        self._stream.write((with_raw(line, found.raw()) if self._raw else line) + b"\n")


def cell(value: str) -> str:
    """A value as a spreadsheet may have it: nothing is computed, nothing steers a terminal."""
    text = one_line(value)
    return "'" + text if FORMULA.match(text) or FORMULA.match(value) else text


class Csv(Printer):
    """For spreadsheets: RFC 4180, with a line of names first, and no cell that computes."""

    def __init__(self, stream: BinaryIO, raw: bool) -> None:
        super().__init__(stream, raw)
        self._text = io.StringIO()
        self._writer = csv.writer(self._text, lineterminator="\r\n")
        self._names: list[str] = []

    def add(self, found: Found) -> None:
        values = fields(found)
        values["recipients"] = "; ".join(values["recipients"])
        if self._raw:
            values["raw"] = found.raw().decode("utf-8", "backslashreplace")
        if not self._names:
            self._names = list(values)
            self._write(self._names)
        self._write([cell(str(value)) for value in values.values()])

    def _write(self, cells: Iterable[str]) -> None:
        self._writer.writerow(cells)
        self._stream.write(self._text.getvalue().encode("utf-8", "replace"))
        self._text.seek(0)
        self._text.truncate()


class Parquet(Printer):
    """Written in batches, so that millions of records take no more memory than thousands."""

    def __init__(self, stream: BinaryIO, raw: bool) -> None:
        super().__init__(stream, raw)
        self._rows: list[dict[str, Any]] = []
        self._schema = _parquet_schema(raw)
        self._writer = _parquet_writer(stream, self._schema)

    def add(self, found: Found) -> None:
        values = fields(found)
        values["time"] = found.row.time
        if self._raw:
            values["raw"] = found.raw()
        self._rows.append(values)
        if len(self._rows) >= PARQUET_BATCH:
            self._write()

    def finish(self) -> None:
        self._write()
        self._writer.close()
        super().finish()

    def _write(self) -> None:
        import pyarrow

        if self._rows:
            self._writer.write_table(pyarrow.Table.from_pylist(self._rows, schema=self._schema))
            self._rows = []


def _parquet_schema(raw: bool) -> pyarrow.Schema:
    import pyarrow

    special = {"time": pyarrow.timestamp("us", "UTC"), "recipients": pyarrow.list_(pyarrow.string())}
    names = (*TEXT_COLUMNS, *interflow("message", ""))
    columns = [(name, special.get(name, pyarrow.string())) for name in names]
    return pyarrow.schema([*columns, *([("raw", pyarrow.binary())] if raw else [])])


def _parquet_writer(stream: BinaryIO, schema: pyarrow.Schema) -> Any:
    from pyarrow import parquet

    return parquet.ParquetWriter(stream, schema, compression="zstd")


def recipients_of(row: EventRow, raw: Callable[[], bytes]) -> tuple[str, ...]:
    """All recipients of a record; its row carries the first few."""
    if row.recipient_count <= len(row.recipients):
        return row.recipients
    from pod_desktop import content

    return content.read(row.kind, raw(), row.time).recipients


def found(row: EventRow, raw: Callable[[], bytes]) -> Found:
    """A row and the way to the rest of it."""
    return Found(row, raw, lambda: recipients_of(row, raw))


FORMS: Final[dict[str, Callable[[BinaryIO, bool], Printer]]] = {
    "ndjson": Ndjson,
    "csv": Csv,
    "parquet": Parquet,
}
"""By name: made of a stream and whether raw records go along."""
