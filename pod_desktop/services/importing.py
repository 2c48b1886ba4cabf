"""Importing exported records: files and folders into the store, bad lines named, the rest taken in.

A record is known by its own id, so importing a file twice, or a file of what was collected, adds nothing.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from pod_desktop import content
from pod_desktop.core import limits
from pod_desktop.core.clock import Clock
from pod_desktop.core.faults import Outage
from pod_desktop.core.record import UNREADABLE, Arrival
from pod_desktop.core.status import Counters
from pod_desktop.core.text import plural
from pod_desktop.services.importing_lines import Line, Source, find_files, lines
from pod_desktop.store import port
from pod_desktop.stream import objects

TENANT: Final = "imported"
BAD_LINES_NAMED: Final = 100
"""Bad lines of one file that are listed; all are counted."""
FOREIGN_LINES: Final = 10_000
"""A file with no record in so many lines is something else."""
_BATCH_BYTES: Final = 16 * limits.MIB
_OBJECTS: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class BadLine:
    """A line that is no record."""

    line: int
    """1 for the first."""
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FileReport:
    """What became of one file."""

    path: Path
    records: int = 0
    """Records read."""
    stored: int = 0
    duplicates: int = 0
    """Records that the store had already."""
    bad: int = 0
    bad_lines: tuple[BadLine, ...] = ()
    """The first of them."""
    damage: str = ""
    """Where and why the file could not be read to its end; '' when it could."""
    refused: str = ""
    """Why nothing of the file was taken; '' when something was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """What became of an import."""

    files: tuple[FileReport, ...] = ()
    cancelled: bool = False

    @property
    def records(self) -> int:
        return sum(file.records for file in self.files)

    @property
    def stored(self) -> int:
        return sum(file.stored for file in self.files)

    @property
    def duplicates(self) -> int:
        return sum(file.duplicates for file in self.files)

    @property
    def bad(self) -> int:
        return sum(file.bad for file in self.files)

    @property
    def whole(self) -> bool:
        """Was everything taken in, with nothing bad, damaged, refused or cancelled?"""
        return not self.cancelled and not any(file.bad or file.damage or file.refused for file in self.files)

    def words(self) -> list[str]:
        """What is to be said about the import, one sentence each, the sum first."""
        said = [
            f"{plural(self.stored, 'record')} imported from {plural(len(self.files), 'file')}"
            + (f", {self.duplicates:,} were here already" if self.duplicates else "")
            + ("; cancelled" if self.cancelled else "")
            + "."
        ]
        for file in self.files:
            name = file.path.name
            if file.refused:
                said.append(f"{name}: {file.refused}")
            said += [f"{name}, line {bad.line:,}: {bad.why}" for bad in file.bad_lines]
            if file.bad > len(file.bad_lines):
                said.append(f"{name}: {file.bad - len(file.bad_lines):,} more lines are no records.")
            if file.damage:
                said.append(f"{name}: {file.damage}")
        return said


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportProgress:
    """How far an import is."""

    file: str
    number: int
    """1 for the first file."""
    files: int
    share: float
    """0-1 of this file."""
    records: int
    """Records read so far, of all files."""


def import_files(
    paths: Iterable[Path],
    writer: port.Writer,
    clock: Clock,
    on_progress: Callable[[ImportProgress], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
    *,
    tenant: str = TENANT,
) -> ImportReport:
    """Import files and folders (.ndjson, .jsonl, .json, .log, plain or as .gz or .zst). Blocks: for a thread.

    Raises:
        Outage: the store does not take records (disk full or failing). What was committed before stays.
    """
    tell, is_cancelled = on_progress or (lambda progress: None), cancelled or (lambda: False)
    reports: list[FileReport] = []
    found: list[Path] = []
    for path in paths:
        files = find_files(path)
        found += files
        if not files:
            reports.append(FileReport(path=path, refused="The folder holds no file of records."))
    for number, path in enumerate(found, 1):
        if is_cancelled():
            break
        done = sum(report.records for report in reports)
        one = _OneFile(path, writer, clock, tenant, is_cancelled)

        def told(
            share: float, records: int, number: int = number, name: str = path.name, done: int = done
        ) -> None:
            tell(
                ImportProgress(
                    file=name, number=number, files=len(found), share=share, records=done + records
                )
            )

        try:
            reports.append(one.run(told))
        except Outage as outage:
            raise _broken_off(outage, one, sum(report.stored for report in reports)) from outage
    return ImportReport(files=tuple(reports), cancelled=is_cancelled())


def _broken_off(outage: Outage, one: _OneFile, before: int) -> Outage:
    """What the store does not take ends an import; how far it came, and that it may simply be done again."""
    stored = before + one.stored
    reached = f", the last from line {one.kept_line:,} of {one.path.name}" if one.kept_line else ""
    return Outage(
        f"{outage.what} The import ended there: {plural(stored, 'record')} had been stored{reached}.",
        outage.where,
        "Free some space or mend the disk, then import the same files again: what is here already is not "
        "stored twice.",
    )


@dataclass(slots=True)
class _OneFile:
    """The import of one file."""

    path: Path
    writer: port.Writer
    clock: Clock
    tenant: str
    cancelled: Callable[[], bool]
    records: int = 0
    stored: int = 0
    duplicates: int = 0
    bad: int = 0
    bad_lines: list[BadLine] = field(default_factory=list)
    batch: list[Arrival] = field(default_factory=list)
    batch_bytes: int = 0
    last_line: int = 0
    kept_line: int = 0
    """The line that the last stored record is from."""

    def run(self, told: Callable[[float, int], None]) -> FileReport:
        try:
            source = Source(self.path)
        except Outage as outage:
            return FileReport(path=self.path, refused=outage.what)
        try:
            told(0.0, 0)
            refused = self._take_in(source, told)
            self._commit()
            told(1.0, self.records)
        finally:
            source.close()
        damage = source.damage and f"{source.damage} Line {self.last_line:,} was the last that could be read."
        return FileReport(
            path=self.path,
            records=self.records,
            stored=self.stored,
            duplicates=self.duplicates,
            bad=0 if refused else self.bad,
            bad_lines=() if refused else tuple(self.bad_lines),
            damage="" if refused else damage,
            refused=refused,
        )

    def _take_in(self, source: Source, told: Callable[[float, int], None]) -> str:
        """Read the file; why it is refused, or ''."""
        for line in self._records(source):
            self.last_line = line.number
            self._add(line)
            if len(self.batch) >= limits.BATCH_RECORDS or self.batch_bytes >= _BATCH_BYTES:
                self._commit()
                told(min(1.0, source.done / max(source.size, 1)), self.records)
                if self.cancelled():
                    return ""
            elif not self.records and self.bad >= FOREIGN_LINES:
                return _foreign(self.bad_lines)
        if self.records or self.cancelled():
            return ""
        if self.bad:
            return _foreign(self.bad_lines)
        return source.damage or "The file is empty."

    def _records(self, source: Source) -> Iterator[Line]:
        """The lines of the file, or the objects of a document that is not one of lines."""
        found = lines(source.pieces())
        for first in found:
            head = first.data.strip()
            if not head:
                continue
            rest = itertools.chain([first], found)
            if head[:1] == b"[" or (head[:1] == b"{" and content.document(head).problem):
                return _document(rest)
            return rest
        return iter(())

    def _add(self, line: Line) -> None:
        if line.size and not line.data:
            self._name(
                line.number, f"The line has {line.size:,} bytes; {limits.IMPORT_FILE_CHARS:,} is the most."
            )
            return
        raw = line.data.strip()
        if not raw:
            return
        raw = content.unwrap(raw)
        kind = content.sniff(raw)
        columns = content.read(kind, raw, self.clock.now())
        if columns.kind == UNREADABLE:
            self._name(line.number, columns.subject)
            return
        self.records += 1
        self.batch.append(Arrival(columns, raw))
        self.batch_bytes += len(raw)

    def _name(self, number: int, why: str) -> None:
        self.bad += 1
        if len(self.bad_lines) < BAD_LINES_NAMED:
            self.bad_lines.append(BadLine(line=number, why=why))

    def _commit(self) -> None:
        if not self.batch:
            return
        name = self.path.name.encode("utf-8", "replace").decode("utf-8")
        committed = self.writer.commit(
            port.Commit(
                source=port.Source(connector=f"import:{name}", tenant=self.tenant, cluster_id=""),
                lane=port.BACKFILL,
                records=self.batch,
                stream=f"import/{name}",
                counters=Counters(received=len(self.batch)),
            )
        )
        self.writer.tidy()
        self.stored += committed.stored
        self.duplicates += committed.duplicates
        self.batch, self.batch_bytes = [], 0
        self.kept_line = self.last_line


def _document(found: Iterator[Line]) -> Iterator[Line]:
    """The objects of a JSON array, or of documents printed over several lines, with the line each begins in.

    A file too large to be held in memory, or in which no object reads, is given line by line.
    """
    held: list[Line] = []
    size = 0
    for line in found:
        held.append(line)
        size += line.size + 1
        if size > limits.IMPORT_FILE_CHARS or (line.size and not line.data):
            return _array_lines(itertools.chain(held, found))
    whole = b"\n".join(line.data for line in held)
    begin = whole.index(b"[") + 1 if whole.lstrip()[:1] == b"[" else 0
    pieces, end = objects(whole, begin, _OBJECTS)
    if not pieces:
        return iter(held)
    return _located(whole, begin, pieces, end, held[0].number)


def _located(whole: bytes, at: int, pieces: Sequence[bytes], end: int, number: int) -> Iterator[Line]:
    number += whole.count(b"\n", 0, at)
    for piece in pieces:
        begin = whole.index(piece, at)
        number += whole.count(b"\n", at, begin)
        yield Line(number, piece, len(piece))
        number += piece.count(b"\n")
        at = begin + len(piece)
    number += whole.count(b"\n", at, end)
    # What does not read as an object: line by line, so that it is named and what is behind it is taken.
    for offset, data in enumerate(whole[end:].split(b"\n")):
        data = data.strip().rstrip(b",")
        if data not in (b"", b"]"):
            yield Line(number + offset, data, len(data))


def _array_lines(found: Iterator[Line]) -> Iterator[Line]:
    """An array with one record on each line, brackets and commas taken off."""
    for line in found:
        data = line.data.strip().removeprefix(b"[").removesuffix(b"]").rstrip().rstrip(b",")
        if data or not line.data:
            yield line._replace(data=data)


def _foreign(bad: Sequence[BadLine]) -> str:
    why = f" (line {bad[0].line}: {bad[0].why})" if bad else ""
    return f"No line of this file is a record of Proofpoint on Demand{why}"
