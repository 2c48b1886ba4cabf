"""Marks and comments: kept by record id, found by `marked:` and `comment:`."""

from __future__ import annotations

from pathlib import Path

import pytest

from builders import NOW, as_bytes, maillog_from, message
from pod_desktop import content, store
from pod_desktop.core.clock import SystemClock
from pod_desktop.core.faults import Outage
from pod_desktop.core.record import Arrival
from pod_desktop.services import asking, noted
from pod_desktop.store import LIVE, Commit, Note, Notes, Source


@pytest.fixture
def notes(tmp_path: Path) -> Notes:
    return Notes(tmp_path / store.NOTES_FILE)


def test_marks_and_comments_are_kept_apart_and_gone_when_empty(notes: Notes, tmp_path: Path) -> None:
    notes.mark(["message:a", "message:b"], True, 1)
    notes.comment(["message:b"], "  looks odd\n", 2)
    notes.comment(["maillog:c"], "who?", 3)
    assert notes.of("message:b") == Note("message:b", True, "looks odd", 2)
    again = Notes(tmp_path / store.NOTES_FILE)
    assert again.record_ids() == {"message:a", "message:b", "maillog:c"}
    again.close()
    notes.mark(["message:a", "message:b"], False, 4)
    notes.comment(["maillog:c"], "", 5)
    assert notes.all() == {"message:b": Note("message:b", False, "looks odd", 4)}
    notes.close()


def test_a_change_by_anybody_is_noticed(notes: Notes, tmp_path: Path) -> None:
    other = Notes(tmp_path / store.NOTES_FILE)
    seen = notes.version()
    other.mark(["message:a"], True, 1)
    assert notes.version() != seen
    seen = notes.version()
    notes.comment(["message:a"], "mine", 2)
    assert notes.version() != seen
    other.close()
    notes.close()


def test_hostile_comments_are_stored_as_text_and_bounded(notes: Notes) -> None:
    notes.comment(["message:a"], "x\ud800" + "y" * 10_000, 1)
    kept = notes.of("message:a")
    assert kept is not None
    assert kept.comment.startswith("x?y") and len(kept.comment) == 4_000
    notes.close()


def test_a_file_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    import apsw

    path = tmp_path / store.NOTES_FILE
    connection = apsw.Connection(str(path))
    connection.pragma("user_version", 9)
    connection.close()
    with pytest.raises(Outage, match="newer version"):
        Notes(path)


def test_queries_find_what_was_noted(notes: Notes, tmp_path: Path) -> None:
    writer = store.open_writer(tmp_path / "events", clock=SystemClock())
    records = [
        ("message", as_bytes(message(guid=f"Guid{number}", subject=f"Mail {number}", time=NOW + number)))
        for number in range(6)
    ]
    records.append(("maillog", as_bytes(maillog_from())))
    writer.commit(
        Commit(
            source=Source(connector="c", tenant="t", cluster_id="x"), lane=LIVE, stream="c/message",
            records=[Arrival(content.read(kind, raw, NOW), raw) for kind, raw in records],
        )
    )  # fmt: skip
    reader = store.open_reader(tmp_path / "events")
    notes.mark(["message:Guid1", "message:Guid4", "message:elsewhere"], True, 1)
    notes.comment(["message:Guid4"], "Asked finance: invoice is false", 2)
    notes.comment(["message:Guid5"], "harmless", 3)

    def found(text: str) -> list[str]:
        ask = asking.ask(text, now=NOW, notes=lambda: notes.all().values())
        assert reader.count(ask) == len(list(reader.search(ask)))
        return sorted(row.subject for row in reader.search(ask) if row.kind == "message")

    assert found("marked:true") == ["Mail 1", "Mail 4"] == found("marked:*")
    assert found("marked:true AND subject:4") == ["Mail 4"]
    assert found("marked:false") == ["Mail 0", "Mail 2", "Mail 3", "Mail 5"] == found("NOT marked:true")
    assert found("comment:financ") == ["Mail 4"]
    assert found('comment:"false invoice"') == []
    assert found("comment:*") == ["Mail 4", "Mail 5"] == found("_exists_:comment")
    assert found("comment:invoice OR comment:harmless") == ["Mail 4", "Mail 5"]
    reader.close()
    writer.close()
    notes.close()


def test_notes_are_asked_only_when_the_query_names_them() -> None:
    def never() -> list[Note]:
        raise AssertionError

    asking.ask("sender:a subject:marked", now=NOW, notes=never)
    assert noted.names_notes(asking.parse("a OR (b AND NOT comment:x)", NOW))


def test_without_any_note_nothing_is_marked() -> None:
    assert asking.ask("marked:true", now=NOW).tree == noted.NOTHING
