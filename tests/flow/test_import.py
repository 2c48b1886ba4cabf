"""Importing files into the real store: what can be read is taken, what cannot is named."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import zstandard

from pod_desktop.core import limits
from pod_desktop.core.clock import SystemClock
from pod_desktop.services.importing import (
    BAD_LINES_NAMED,
    FOREIGN_LINES,
    ImportProgress,
    ImportReport,
    import_files,
)
from pod_desktop.services.importing_lines import Line, lines
from pod_desktop.store.port import Ask
from pod_desktop.store.reader import SegmentReader
from pod_desktop.store.writer import SegmentWriter


def message(number: int, **more: Any) -> dict[str, Any]:
    return {
        "guid": f"g{number}",
        "ts": "2026-11-24T09:00:00.000000+0000",
        "envelope": {"from": f"a{number}@b.example", "rcpts": ["c@d.example"]},
        **more,
    }


def packed(records: list[dict[str, Any]], joint: str = "\n") -> bytes:
    return joint.join(json.dumps(record) for record in records).encode() + b"\n"


class Place:
    """A folder for files, and a store to import them into."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.writer = SegmentWriter(folder / "store", clock=SystemClock())
        self.told: list[ImportProgress] = []

    def file(self, name: str, data: bytes) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path

    def take(self, *paths: Path, cancelled: Callable[[], bool] = lambda: False, **more: Any) -> ImportReport:
        return import_files(paths, self.writer, SystemClock(), self.told.append, cancelled, **more)

    def ids(self) -> list[str]:
        reader = SegmentReader(self.folder / "store")
        try:
            return sorted(row.rid for row in reader.search(Ask()))
        finally:
            reader.close()

    def raws(self) -> dict[str, bytes]:
        reader = SegmentReader(self.folder / "store")
        try:
            return {row.rid: reader.raw(row.seq) for row in reader.search(Ask())}
        finally:
            reader.close()


@pytest.fixture
def place(tmp_path: Path) -> Any:
    place = Place(tmp_path)
    yield place
    place.writer.close()


THREE = packed([message(1), message(2), message(3)])


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.ndjson", THREE),
        ("a.log", THREE.replace(b"\n", b"\r\n")),
        ("a.jsonl", b"\xef\xbb\xbf" + THREE),
        ("a.anything", b"\n\n" + THREE.rstrip()),
        ("a.ndjson.gz", gzip.compress(THREE)),
        ("two-members.gz", gzip.compress(THREE[:200]) + gzip.compress(THREE[200:])),
        ("a.ndjson.zst", zstandard.compress(THREE)),
        ("two-frames.zst", zstandard.compress(THREE[:200]) + zstandard.compress(THREE[200:])),
        ("wrong-suffix.txt", zstandard.compress(THREE)),
        ("utf16.json", THREE.decode().encode("utf-16")),
        ("utf16le.json", THREE.decode().encode("utf-16-le")),
        ("utf16be.json", THREE.decode().encode("utf-16-be")),
        ("array.json", json.dumps([message(1), message(2), message(3)]).encode()),
        ("pretty-array.json", json.dumps([message(1), message(2), message(3)], indent=2).encode()),
        ("pretty.json", b"\n".join(json.dumps(message(n), indent=4).encode() for n in (1, 2, 3))),
        ("array-of-lines.json", b"[\n" + THREE.strip().replace(b"\n", b",\n") + b"\n]\n"),
    ],
)
def test_every_common_form_of_a_file_is_read(place: Place, name: str, data: bytes) -> None:
    report = place.take(place.file(name, data))
    assert (report.stored, report.bad) == (3, 0), report.words()
    assert place.ids() == ["g1", "g2", "g3"]
    assert report.whole


def test_a_record_is_kept_as_it_stands_in_its_line(place: Place) -> None:
    line = b'{"guid": "g1",  "envelope":{"from":"\xff\xfe"}, "n":1e400 }'
    place.take(place.file("a.ndjson", line + b"\r\n"))
    assert place.raws() == {"g1": line}


def test_importing_twice_adds_nothing(place: Place) -> None:
    path = place.file("a.ndjson", THREE)
    assert place.take(path).stored == 3
    again = place.take(path)
    assert (again.stored, again.duplicates) == (0, 3)
    assert "3 were here already" in again.words()[0]


def test_our_own_export_is_taken_out_of_its_envelope(place: Place) -> None:
    inner = message(1)
    line = {"id": "message:g1", "time": "2026-11-24T09:00:00Z", "type": "message", "raw": inner}
    place.take(place.file("export.ndjson", packed([line])))
    assert json.loads(place.raws()["g1"]) == inner


def test_connector_and_tenant_name_the_import(place: Place) -> None:
    place.take(place.file("day.ndjson", THREE), tenant="acme inc")
    reader = SegmentReader(place.folder / "store")
    row = reader.find("message", "g1")
    assert row is not None
    source = reader.source(row.seq)
    assert (source.connector, source.tenant) == ("import:day.ndjson", "acme inc")
    assert reader.progress("import/day.ndjson").counters.received == 3
    reader.close()


def test_a_bad_line_is_named_with_its_number_and_the_rest_goes_on(place: Place) -> None:
    good = [json.dumps(message(n)).encode() for n in range(6)]
    data = b"\n".join(
        [good[0], b'{"guid":"cut', good[1], b"", b"hello", good[2], b'{"other":1}', b"[1,2]", good[3]]
    )
    report = place.take(place.file("a.ndjson", data))
    assert place.ids() == ["g0", "g1", "g2", "g3"]
    [file] = report.files
    assert [bad.line for bad in file.bad_lines] == [2, 5, 7, 8]
    assert all(bad.why for bad in file.bad_lines)
    assert any("line 5: " in words for words in report.words())
    assert not report.whole


def test_a_bad_element_of_an_array_is_named_and_the_rest_goes_on(place: Place) -> None:
    data = (
        b"[\n"
        + b",\n".join([json.dumps(message(1)).encode(), b'{"guid": oops}', json.dumps(message(2)).encode()])
        + b"\n]\n"
    )
    report = place.take(place.file("a.json", data))
    assert place.ids() == ["g1", "g2"]
    assert [bad.line for bad in report.files[0].bad_lines] == [3]


def test_many_bad_lines_are_counted_and_the_first_ones_named(place: Place) -> None:
    data = THREE + b"no\n" * (BAD_LINES_NAMED + 50)
    report = place.take(place.file("a.ndjson", data))
    assert report.bad == BAD_LINES_NAMED + 50
    assert len(report.files[0].bad_lines) == BAD_LINES_NAMED
    assert any("50 more lines" in words for words in report.words())


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n\n",
        b"%PDF-1.7\n%\xe2\xe3\n",
        b"a;b;c\n1;2;3\n",
        b"\x00" * 5000,
        b'{"some":"json"}\n',
        b"[]",
        b"[1]",
        b"{}",
    ],
)
def test_a_foreign_file_is_refused_with_words(place: Place, data: bytes) -> None:
    report = place.take(place.file("foreign.ndjson", data))
    assert report.stored == 0 and place.ids() == []
    assert report.files[0].refused


def test_a_large_foreign_file_is_not_read_to_its_end(place: Place) -> None:
    path = place.file("syslog.log", b"Nov 24 host sshd[1]: hello\n" * (FOREIGN_LINES * 4))
    report = place.take(path)
    assert report.files[0].refused.startswith("No line of this file")


@pytest.mark.parametrize("squeeze", [gzip.compress, zstandard.compress])
def test_a_file_that_was_cut_off_gives_what_it_has(place: Place, squeeze: Callable[[bytes], bytes]) -> None:
    data = packed([message(n, pad=os.urandom(200).hex()) for n in range(3_000)])
    whole = squeeze(data)
    report = place.take(place.file("a.ndjson.x", whole[: len(whole) // 2]))
    [file] = report.files
    assert 500 < report.stored < 3_000
    assert "cut off" in file.damage
    assert f"Line {file.records:,} " in file.damage or f"Line {file.records + 1:,} " in file.damage
    assert not report.whole


@pytest.mark.parametrize("squeeze", [gzip.compress, zstandard.ZstdCompressor(write_checksum=True).compress])
def test_a_file_that_is_damaged_in_the_middle_gives_what_is_before(
    place: Place, squeeze: Callable[[bytes], bytes]
) -> None:
    whole = bytearray(squeeze(packed([message(n, pad=os.urandom(200).hex()) for n in range(3_000)])))
    middle = len(whole) // 2
    whole[middle : middle + 300] = b"\xff" * 300
    report = place.take(place.file("a.ndjson.x", bytes(whole)))
    assert report.files[0].damage
    assert report.stored > 100


def test_a_line_over_the_limit_is_named_and_the_next_one_read(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = place.file(
        "bomb.gz",
        gzip.compress(
            THREE[:-1] + b"\n" + b"x" * (limits.IMPORT_FILE_CHARS + 1) + b"\n" + packed([message(9)])
        ),
    )
    report = place.take(path)
    assert place.ids() == ["g1", "g2", "g3", "g9"]
    [bad] = report.files[0].bad_lines
    assert bad.line == 4 and "67,108,865 bytes" in bad.why


@pytest.mark.parametrize(("size", "kept"), [(9, True), (10, True), (11, False)])
def test_the_limit_of_a_line_bites_behind_its_last_byte(size: int, kept: bool) -> None:
    data = b"x" * size
    found = list(lines(iter([data[:4], data[4:], b"\nab"]), 10))
    assert found == [Line(1, data if kept else b"", size), Line(2, b"ab", 2)]


def test_a_bomb_of_zstd_is_read_in_bounded_pieces(place: Place) -> None:
    bomb = zstandard.compress(b"\0" * (1 << 28))
    assert len(bomb) < 1 << 20
    report = place.take(place.file("bomb.zst", bomb))
    assert report.stored == 0 and report.files[0].refused


def test_a_folder_gives_its_files_and_those_below(place: Place) -> None:
    place.file("logs/a.ndjson", packed([message(1)]))
    place.file("logs/deep/b.json.gz", gzip.compress(packed([message(2)])))
    place.file("logs/readme.txt", packed([message(3)]))
    place.file("logs/.hidden.json", packed([message(4)]))
    report = place.take(place.folder / "logs")
    assert place.ids() == ["g1", "g2"]
    assert [file.path.name for file in report.files] == ["a.ndjson", "b.json.gz"]


def test_what_is_no_file_is_refused_while_others_are_taken(place: Place) -> None:
    (place.folder / "empty").mkdir()
    os.mkfifo(place.folder / "pipe.json")
    report = place.take(
        place.folder / "missing.json",
        place.folder / "empty",
        place.folder / "pipe.json",
        place.file("a.json", THREE),
    )
    assert report.stored == 3
    refused = {file.path.name: file.refused for file in report.files if file.refused}
    assert set(refused) == {"missing.json", "empty", "pipe.json"}
    assert "No such file" in refused["missing.json"]


def test_progress_is_told_and_a_cancelled_import_keeps_what_was_committed(place: Place) -> None:
    path = place.file("a.ndjson", packed([message(n) for n in range(limits.BATCH_RECORDS * 3)]))
    report = place.take(path, cancelled=lambda: len(place.told) >= 2)
    assert report.cancelled
    assert report.stored == limits.BATCH_RECORDS == len(place.ids())
    assert 0 < place.told[1].share < 1 and place.told[1].records == limits.BATCH_RECORDS
