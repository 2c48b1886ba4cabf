"""search, count, show: asking the store, from any process and at any time."""

from __future__ import annotations

import os
from argparse import Namespace
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from pod_desktop.cli import formats
from pod_desktop.cli.options import App, Home
from pod_desktop.cli.terminal import Out, visible, warn
from pod_desktop.core import clock, limits
from pod_desktop.core.faults import Fault, Outage, UserFault
from pod_desktop.core.record import EventRow, split_record_id
from pod_desktop.core.text import plural
from pod_desktop.services import exporting

if TYPE_CHECKING:
    from pod_desktop.core.blocks import Block
    from pod_desktop.store import Note
    from pod_desktop.store.port import Ask, Reader


def search(options: Namespace, app: App, out: Out) -> int:
    """Print matching records, streaming: the first is there before the last is found."""
    name = options.format or ("ndjson" if options.json or options.raw else "table")
    with closing(app.open_home(options.data_dir)) as home:
        ask = _ask(options, home)
        with _target(options.output, out) as target:
            printer = formats.PRINTERS[name](target, options.raw)
            found = 0
            for row in home.reader.search(ask, order=options.order, limit=options.limit):
                printer.add(exporting.found(row, partial(home.reader.raw, row.seq)))
                found += 1
            printer.finish()
        code = _tell_damage(home)
    if name == "table":
        _tell_how_many(found, out, damaged=bool(code))
    return code


def _tell_damage(home: Home) -> int:
    """An answer without parts of the store says so, and gives 1 as the exit code."""
    problems = home.reader.problems()
    for problem in problems:
        warn(f"pod-desktop: {problem}")
    if problems:
        warn("pod-desktop: The answer is partial: records of damaged parts are missing from it.")
    return 1 if problems else 0


def _tell_how_many(found: int, out: Out, *, damaged: bool) -> None:
    if not found:
        warn("No record that could be read matches." if damaged else "No record matches.")
    elif out.is_terminal and out.width < formats.Table.ID_FROM:
        warn(f"{plural(found, 'record')}. A wider terminal or --format ndjson shows the ids that show takes.")


def count(options: Namespace, app: App, out: Out) -> int:
    """Print how many records match: in all, by the values of a field, or by time."""
    with closing(app.open_home(options.data_dir)) as home:
        ask = _ask(options, home)
        if options.by:
            buckets = home.reader.count_by(ask, _field(options.by), options.limit)
        elif options.every:
            buckets = _by_time(home.reader, ask, options.every)
        else:
            number = home.reader.count(ask)
            out.bytes(formats.dumps({"count": number}) + b"\n" if options.json else b"%d\n" % number)
            return _tell_damage(home)
        code = _tell_damage(home)
    if options.json:
        out.bytes(
            formats.dumps({"buckets": [{"key": key, "count": number} for key, number in buckets]}) + b"\n"
        )
    else:
        width = max((len(f"{number:,}") for _, number in buckets), default=0)
        for key, number in buckets:
            out.line(f"{number:>{width},}  {visible(key) or '(empty)'}")
    return code


def _field(name: str) -> str:
    from pod_desktop.query import fields
    from pod_desktop.query.fault import nearest

    names = fields.resolve(name)
    if len(names) == 1:
        return names[0]
    if names:
        raise UserFault(f"{name!r} stands for several fields.", "--by", f"Choose one of {', '.join(names)}.")
    near = nearest(name, fields.suggestions())
    raise UserFault(
        f"There is no field named {name!r}.",
        "--by",
        f"Did you mean {near}?" if near else "See the fields in the README.",
    )


def _by_time(reader: Reader, ask: Ask, every: str) -> list[tuple[str, int]]:
    try:
        span = clock.parse_span(every)
    except ValueError as error:
        raise UserFault(_sentence(error), "--every") from None
    if span < clock.SECOND:
        raise UserFault("A stretch of time of 0 holds nothing.", "--every", "Write for example 5m, 1h or 1d.")
    totals: dict[int, int] = {}
    for start, _, number in reader.histogram(ask, span):
        totals[start] = totals.get(start, 0) + number
    return [(clock.iso(start), number) for start, number in sorted(totals.items())]


def show(options: Namespace, app: App, out: Out) -> int:
    """Print one record: its summary, itself exactly as it was received, or the message's journey."""
    with closing(app.open_home(options.data_dir)) as home:
        row = find_record(home, options.id)
        if options.journey:
            return _show_journey(home, row, options.json, out)
        raw = home.reader.raw(row.seq)
        if options.json:
            out.bytes(_as_json(home, row, raw, options.raw) + b"\n")
        elif options.raw:
            out.bytes(raw)
            if out.is_terminal and not raw.endswith(b"\n"):
                out.line()
        else:
            _print_summary(row, raw, out)
    return 0


def _show_journey(home: Home, row: EventRow, json: bool, out: Out) -> int:
    from pod_desktop.cli import journeys
    from pod_desktop.services.journey import journey

    found = journey(home.reader, row)
    if json:
        out.bytes(formats.dumps({"id": row.record_id, **found.to_json()}) + b"\n")
    else:
        for line in journeys.as_text(found):
            out.line(line)
    return _tell_damage(home)


def find_record(home: Home, record_id: str) -> EventRow:
    """The record of that id. Raises UserFault for what is no id, Fault when there is none."""
    try:
        kind, rid = split_record_id(record_id)
    except ValueError as error:
        raise UserFault(_sentence(error), "RECORD-ID") from None
    row = home.reader.find(kind, rid)
    if row is None:
        raise Fault(
            f"There is no record {record_id}.", "RECORD-ID", "Ids are as search --format ndjson prints them."
        )
    return row


def _as_json(home: Home, row: EventRow, raw: bytes, with_raw: bool) -> bytes:
    from pod_desktop.cli import blocks

    found = exporting.as_object(exporting.found(row, lambda: raw))
    found["summary"] = blocks.as_json(_summary(row, raw))
    head = formats.dumps(found)
    return exporting.with_raw(head, raw) if with_raw else head


def _print_summary(row: EventRow, raw: bytes, out: Out) -> None:
    from pod_desktop.cli import blocks
    from pod_desktop.core.interflow import interflow

    out.line(visible(row.subject) or "(no subject)")
    out.line(
        f"{visible(row.record_id)}  {clock.iso(row.time)}  {row.outcome}  connector {visible(row.connector)}"
    )
    out.line()
    for line in blocks.as_text(_summary(row, raw)):
        out.line(line)
    out.line()
    for name, value in interflow(row.kind, row.tenant).items():
        out.line(f"  {name:<{blocks.LABEL_WIDTH + 4}}{visible(value)}")


def _summary(row: EventRow, raw: bytes) -> tuple[Block, ...]:
    from pod_desktop import content

    document = content.document(raw)
    value = document.excerpt if document.problem else document.value
    # All recipients, of which the row has the first few only.
    return content.summary(row.kind, value, content.read(row.kind, raw, row.time))


def _ask(options: Namespace, home: Home) -> Ask:
    """The question as the store takes it; raises UserFault naming the option that does not fit."""
    from pod_desktop.services import asking

    now = clock.SystemClock().now()
    since = _when(options.since, "--since", now)
    until = _when(options.until, "--until", now)
    if since is not None and until is not None and since >= until:
        raise UserFault("That time is not before the one of --until.", "--since")
    # Under a locale without UTF-8 what was typed arrives as escaped bytes.
    text = os.fsencode(" ".join(options.query)).decode("utf-8", "replace")
    if len(text) > limits.QUERY_CHARS:
        raise UserFault(
            f"The query has {len(text):,} characters; {limits.QUERY_CHARS:,} is the most.", "QUERY"
        )
    return asking.ask(
        text, since=since, until=until, kinds=options.index, now=now, notes=partial(_notes, home)
    )


def _notes(home: Home) -> list[Note]:
    """Marks and comments that were made in the window."""
    from pod_desktop.store import NOTES_FILE, Notes

    path = home.data_dir.root / NOTES_FILE
    if not path.exists():
        return []
    with closing(Notes(path)) as notes:
        return list(notes.all().values())


def _when(text: str | None, option: str, now: int) -> int | None:
    if text is None:
        return None
    try:
        return clock.parse_when(text, now)
    except (ValueError, OverflowError) as error:
        raise UserFault(_sentence(error), option) from None


def _sentence(error: Exception) -> str:
    return f"{error}."


@contextmanager
def _target(path: Path | None, out: Out) -> Iterator[Out]:
    """Where records are printed; a file appears whole under its name, or not at all."""
    if path is None:
        yield out
        return
    part = path.with_name(path.name + ".part")
    try:
        stream: BinaryIO = part.open("wb")
    except OSError as error:
        raise UserFault(f"The file cannot be written ({error.strerror}).", str(path)) from None
    try:
        with stream:
            yield Out(stream)
        part.replace(path)
    except OSError as error:
        raise Outage(
            f"The file cannot be written ({error.strerror or os.strerror(error.errno or 0)}).", str(path)
        ) from None
    finally:
        with suppress(OSError):
            part.unlink()
