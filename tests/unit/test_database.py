"""The small files beside the records: what is damaged, foreign, newer, locked or full is said, and nothing is half done."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import apsw
import pytest

from pod_desktop.core.faults import Outage
from pod_desktop.store import Journal, Ledger, Notes, Playbooks

KINDS = (Journal, Ledger, Notes, Playbooks)


@pytest.fixture(params=KINDS, ids=lambda kind: kind.__name__)
def kind(request: pytest.FixtureRequest) -> Callable[[Path], Any]:
    found: Callable[[Path], Any] = request.param
    return found


def test_it_is_made_and_opened_again(kind: Any, tmp_path: Path) -> None:
    for _ in range(2):
        kind(tmp_path / "x.db").close()
    assert sqlite3.connect(tmp_path / "x.db").execute("pragma user_version").fetchone() == (kind._schema,)


def test_a_newer_version_is_named(kind: Any, tmp_path: Path) -> None:
    kind(tmp_path / "x.db").close()
    with sqlite3.connect(tmp_path / "x.db") as db:
        db.execute(f"pragma user_version = {kind._schema + 1}")
    with pytest.raises(Outage, match="newer version") as caught:
        kind(tmp_path / "x.db")
    assert kind._title in caught.value.what and "Update" in caught.value.hint


def test_another_programs_database_is_left_alone(kind: Any, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "x.db") as db:
        db.execute("create table other(x)")
    before = (tmp_path / "x.db").read_bytes()
    with pytest.raises(Outage, match="another program's"):
        kind(tmp_path / "x.db")
    with sqlite3.connect(tmp_path / "x.db") as db:
        assert db.execute("select name from sqlite_schema").fetchall() == [("other",)]
    assert len(before) == (tmp_path / "x.db").stat().st_size


def test_what_is_no_database_is_said_with_its_name(kind: Any, tmp_path: Path) -> None:
    (tmp_path / "x.db").write_bytes(b"not a database at all" * 1_000)
    with pytest.raises(Outage, match="damaged or is no database") as caught:
        kind(tmp_path / "x.db")
    assert "x.db" in caught.value.where


def test_a_folder_that_is_not_there_is_an_outage(kind: Any, tmp_path: Path) -> None:
    with pytest.raises(Outage):
        kind(tmp_path / "gone" / "x.db")


def test_a_disk_that_is_full_within_a_transaction_undoes_it_and_is_survived(
    kind: Any, tmp_path: Path
) -> None:
    one = kind(tmp_path / "x.db")
    pages = one._db.pragma("page_count")
    one._db.pragma("max_page_count", pages + 2)

    def fill() -> None:
        with one._transaction():
            one._db.execute("create table filler(x)")
            one._db.execute("insert into filler values(zeroblob(1000000))")

    with pytest.raises(Outage, match="disk is full"):
        fill()
    assert one._rows("select count(*) from sqlite_schema where name = 'filler'") == [(0,)]
    one._db.pragma("max_page_count", 1_000_000)
    with one._transaction():
        one._db.execute("create table filler(x)")
    assert one._rows("select count(*) from filler") == [(0,)]
    one.close()


def test_a_part_of_a_transaction_goes_back_with_the_whole(kind: Any, tmp_path: Path) -> None:
    one = kind(tmp_path / "x.db")

    def change() -> None:
        with one._transaction():
            with one._transaction():
                one._db.execute("create table filler(x)")
            raise KeyError

    with pytest.raises(KeyError):
        change()
    assert one._rows("select count(*) from sqlite_schema where name = 'filler'") == [(0,)]
    one.close()


def test_another_process_that_holds_the_file_is_said(kind: Any, tmp_path: Path) -> None:
    one = kind(tmp_path / "x.db")
    one._db.set_busy_timeout(1)
    other = apsw.Connection(str(tmp_path / "x.db"))
    other.execute("begin immediate")
    with pytest.raises(Outage, match="Another program holds"), one._transaction():
        pass
    other.execute("rollback")
    before = one.version()
    with one._transaction():
        one._db.execute("create table filler(x)")
    assert one.version() != before
    other.close()
    one.close()
