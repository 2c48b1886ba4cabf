"""Help while a query is typed: fields, operators, known choices, values and paths that records have held.

What was seen is counted among the newest records and kept for a minute; a beginning that none of them has is
looked up in the whole store for a moment.
"""

from __future__ import annotations

import re
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Any, Final

from pod_desktop import content
from pod_desktop.core.clock import MINUTE
from pod_desktop.core.faults import Fault, Outage
from pod_desktop.query import FIELDS, RAW, TOP_KEYS, Completion, complete, name
from pod_desktop.query.tree import ANY, Equals, Like, Node, Or, Term
from pod_desktop.services.asking import field_values
from pod_desktop.services.facets import is_column, sample
from pod_desktop.store import Ask, Reader

OFFERED: Final = 12
_KEPT_SECONDS: Final = 60.0
_RECENT: Final = 200_000
"""Records that values are counted among."""
_COUNTED: Final = 2_000
_LOOKUP_SECONDS: Final = 0.3
_LOOKUP_FROM: Final = 2
"""Characters from which on a beginning is looked up in the whole store."""
_LOOKED_UP: Final = 200
_PATH_RECORDS: Final = 40
_MOST_PATHS: Final = 5_000
_EXAMPLE_CHARS: Final = 60
_TYPED: Final = re.compile(r"[\w$][\w$.\-\[\]]*$")


class Completer:
    """Completes queries over one store; used from one thread."""

    def __init__(self, reader: Callable[[], Reader]) -> None:
        self._reader = reader
        self._seen: dict[str, tuple[float, list[str]]] = {}
        self._found: OrderedDict[tuple[str, str], list[str]] = OrderedDict()
        self._paths: tuple[float, dict[str, str]] = (-_KEPT_SECONDS, {})

    def complete(self, text: str, cursor: int) -> list[Completion]:
        """What could stand at the cursor, best first (query.complete)."""
        return complete(text, cursor, self.values) + self._path_offers(text, cursor)

    def values(self, field: str, prefix: str) -> list[str]:
        """Values that records have held and that begin with this, the commonest first; then those that hold it."""
        folded = prefix.casefold()
        known = self._known(field)
        found = [value for value in known if value.casefold().startswith(folded)]
        if len(found) < OFFERED and len(prefix) >= _LOOKUP_FROM:
            found += [value for value in known if folded in value.casefold() and value not in found]
        if len(found) < OFFERED and len(prefix) >= _LOOKUP_FROM and is_column(field):
            found += [value for value in self._look_up(field, prefix) if value not in found]
        return found[:OFFERED]

    def _known(self, field: str) -> list[str]:
        now = time.monotonic()
        kept = self._seen.get(field)
        if kept is not None and now - kept[0] < _KEPT_SECONDS:
            return kept[1]
        until = now + 4 * _LOOKUP_SECONDS
        try:
            found = self._count(field, lambda: time.monotonic() < until)
        except Fault:
            found = kept[1] if kept is not None else []
        self._seen[field] = time.monotonic(), found
        return found

    def _count(self, field: str, wanted: Callable[[], bool]) -> list[str]:
        reader = self._reader()
        if is_column(field):
            ask = Ask(since=_since(reader), wanted=wanted)
            return [value for value, _count in reader.count_by(ask, field, _COUNTED)]
        ask = Ask(values=field_values)
        counted = sample(reader, ask, field, _COUNTED, lambda: True, seconds=_LOOKUP_SECONDS, records=4_000)
        return [value for value, _count in counted.values]

    def _look_up(self, field: str, prefix: str) -> list[str]:
        key = field, prefix.casefold()
        if key in self._found:
            self._found.move_to_end(key)
            return self._found[key]
        if field in FIELDS and FIELDS[field].type in ("number", "time"):
            return []
        until = time.monotonic() + _LOOKUP_SECONDS
        ask = Ask(tree=_beginning(field, prefix), wanted=lambda: time.monotonic() < until)
        try:
            counted = self._reader().count_by(ask, field, OFFERED * 4)
        except Fault:
            return []  # it would have taken long
        found = [value for value, _count in counted if value.casefold().startswith(key[1])]
        self._found[key] = found
        if len(self._found) > _LOOKED_UP:
            self._found.popitem(last=False)
        return found

    # paths of the raw records

    def _path_offers(self, text: str, cursor: int) -> list[Completion]:
        typed = _TYPED.search(text[:cursor])
        if typed is None or "." not in typed[0] or (typed.start() and text[typed.start() - 1] in ':"/<>='):
            return []
        whole, raw = typed[0], typed[0].startswith(RAW)
        wanted = whole.removeprefix(RAW).casefold()
        if not raw and whole.partition(".")[0] not in TOP_KEYS:
            return []
        end = cursor + len(re.match(r"[\w.\-\[\]]*:?", text[cursor:])[0])  # type: ignore[index]
        offers = [
            Completion(
                typed.start(), end, f"{RAW if raw else ''}{name(path)}:", path, f"path · {example}"[:_EXAMPLE_CHARS]
            )
            for path, example in self.paths().items()
            if path.casefold().startswith(wanted)
        ]  # fmt: skip
        return offers[: 4 * OFFERED]

    def paths(self) -> dict[str, str]:
        """Paths that the newest records of each type have, each with a value."""
        at, paths = self._paths
        if time.monotonic() - at < _KEPT_SECONDS:
            return paths
        found: dict[str, str] = {}
        reader = self._reader()
        for kind in content.CONTENT:
            try:
                for row in reader.search(Ask(kinds=(kind,)), limit=_PATH_RECORDS):
                    for path, value in leaf_paths(content.document(reader.raw(row.seq)).value):
                        if len(found) < _MOST_PATHS:
                            found.setdefault(path, value)
            except (Outage, KeyError):
                continue
        self._paths = time.monotonic(), dict(sorted(found.items()))
        return self._paths[1]


def leaf_paths(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Paths as queries know them (a list stands for each of its items), with the value there."""
    if isinstance(value, dict):
        for member, inner in value.items():
            yield from leaf_paths(inner, f"{path}.{member}" if path else str(member))
    elif isinstance(value, list):
        for inner in value[:20]:
            yield from leaf_paths(inner, path)
    elif path and value is not None:
        yield path, str(value)


def _beginning(field: str, prefix: str) -> Node:
    pattern = Term(field, Like((prefix, ANY)))
    return Or((pattern, Term(field, Equals(prefix)))) if field == "ip" else pattern


def _since(reader: Reader) -> int | None:
    """The time from which on there are about so many records as values are counted among."""
    counts = reader.minutes(Ask(), reader.marks())
    left = _RECENT
    for minute in sorted(counts, reverse=True):
        left -= counts[minute]
        if left <= 0:
            return minute * MINUTE
    return None
