"""`marked:` and `comment:` in a query: what people noted becomes a condition on record ids.

Notes live beside the store, so neither its columns nor the raw records know them. The tree that comes out
holds only what both do know.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from pod_desktop.core.record import split_record_id
from pod_desktop.query import value_test
from pod_desktop.query.tree import And, Equals, Everything, Exists, Node, Not, Or, Term, Text
from pod_desktop.store import Note

MARKED: Final = "marked"
COMMENT: Final = "comment"
NOTHING: Final = Not(Everything())

NotesSeen = Callable[[], Iterable[Note]]


def names_notes(tree: Node) -> bool:
    """Whether the query asks for what was noted."""
    match tree:
        case And(parts) | Or(parts):
            return any(map(names_notes, parts))
        case Not(part):
            return names_notes(part)
        case Term(field, _):
            return field in (MARKED, COMMENT)
        case Everything() | Text():
            return False


def resolve(tree: Node, notes: NotesSeen) -> Node:
    """The tree with record ids in the place of notes; `notes` is asked only if the tree names any."""
    if not names_notes(tree):
        return tree
    return _resolved(tree, list(notes()))


def _resolved(tree: Node, notes: list[Note]) -> Node:
    match tree:
        case And(parts):
            return And(tuple(_resolved(part, notes) for part in parts))
        case Or(parts):
            return Or(tuple(_resolved(part, notes) for part in parts))
        case Not(part):
            return Not(_resolved(part, notes))
        case Term(field="marked"):
            return _marked(tree, notes)
        case Term(field="comment"):
            holds = value_test(tree.test)
            return _any_of(note.record_id for note in notes if note.comment and holds(note.comment))
        case _:
            return tree


def _marked(term: Term, notes: list[Note]) -> Node:
    marked = _any_of(note.record_id for note in notes if note.marked)
    if isinstance(term.test, Exists):
        return marked
    holds = value_test(term.test)
    if holds("true") and holds("false"):
        return Everything()
    return marked if holds("true") else Not(marked) if holds("false") else NOTHING


def _any_of(record_ids: Iterable[str]) -> Node:
    by_kind: dict[str, list[Node]] = {}
    for record_id in record_ids:
        try:
            kind, rid = split_record_id(record_id)
        except ValueError:
            continue  # noted by a program that knew more content types
        by_kind.setdefault(kind, []).append(Term("id", Equals(rid)))
    parts: list[Node] = [
        And((Term("type", Equals(kind)), ids[0] if len(ids) == 1 else Or(tuple(ids))))
        for kind, ids in by_kind.items()
    ]
    return NOTHING if not parts else parts[0] if len(parts) == 1 else Or(tuple(parts))
