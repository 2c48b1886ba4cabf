"""Many playbooks asked of each record: compiled once, each record read once.

A record is read into its columns once, and into its whole JSON only when a query names a path. Most queries
demand one of a few values of one column (`outcome:quarantined`, `rule:phish`); those playbooks are found by
looking the record's value up, and only for them the whole query is asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pod_desktop import content
from pod_desktop.core.clock import DAY
from pod_desktop.core.faults import UserFault
from pod_desktop.core.playbook import Playbook
from pod_desktop.core.playbook_window import Match
from pod_desktop.core.responder import ALL_TENANTS
from pod_desktop.core.text import domain_of
from pod_desktop.query import Matcher, matcher, parse, resolve, sql
from pod_desktop.query.tree import And, Equals, Exists, Node, Not, Or, Term, Text
from pod_desktop.services.asking import Record, Value
from pod_desktop.services.importing import TENANT as IMPORTED
from pod_desktop.services.noted import COMMENT, MARKED
from pod_desktop.store import Source

_NOTED: Final = frozenset({MARKED, COMMENT})
KEYS_A_RECORD: Final = 100
"""Values of one record that become keys; a mail to more recipients counts for the first of them."""
_TELLING: Final = (
    "id", "message_id", "qid", "sender", "header_from", "ip", "sender.domain", "header_from.domain", "rule", "folder",
    "module", "stat", "outcome", "disposition", "country", "direction", "cluster",
)  # fmt: skip
"""Columns by which playbooks are looked up, those that tell most first."""


class Facts(Record):
    """A record as playbooks ask for it: each field is worked out once, whoever asks."""

    def __init__(self, kind: str, raw: bytes, source: Source, *, time: int, seq: int = -1) -> None:
        super().__init__(kind, raw, source)
        self.kind = kind
        self.raw = raw
        self.source = source
        self.time = time
        """As the store has it."""
        self.seq = seq
        self._found: dict[str, Sequence[Value]] = {}

    def values(self, field: str) -> Sequence[Value]:
        found = self._found.get(field)
        if found is None:
            found = self._found[field] = super().values(field)
        return found

    @property
    def record_id(self) -> str:
        return f"{self.columns.kind}:{self.columns.rid}"

    @property
    def document(self) -> dict[str, Any]:
        """The record as templates see it."""
        if self._document is None:
            self._document = content.document(self.raw)
        value = self._document.value
        return value if isinstance(value, dict) else {}

    @property
    def author_proved(self) -> bool:
        """Whether DMARC passed, or SPF for the header-from's own domain."""
        if _passes(self.values("dmarc")):
            return True
        sender, author = self.columns.sender, self.columns.header_from
        same = domain_of(sender).casefold() == domain_of(author).casefold()
        return bool(author) and same and _passes(self.values("spf"))


def _passes(values: Sequence[Value]) -> bool:
    return any(isinstance(value, str) and value.casefold() == "pass" for value in values)


@dataclass(frozen=True, slots=True)
class Rule:
    """A playbook ready to be asked."""

    playbook: Playbook
    tree: Node
    group_by: str | None
    """The field's name as the query language resolves it."""
    matches: Matcher
    needs: tuple[str, frozenset[str]] | None
    """A column and folded values of which a matching record has one; None where nothing is that plain."""
    moving: bool
    """Whether the query speaks of now, and must be read anew as time goes by."""

    def is_about(self, facts: Facts) -> bool:
        """Whether the record is of the playbook's tenant and content types."""
        tenant = self.playbook.tenant
        return facts.kind in self.playbook.index and tenant in (ALL_TENANTS, facts.source.tenant)

    def found(self, facts: Facts) -> list[Match]:
        """The matches that a record makes, one for each key."""
        if not self.matches(facts):
            return []
        return [Match(facts.time, facts.record_id, facts.seq, key) for key in self.keys(facts)]

    def keys(self, facts: Facts) -> Iterator[str]:
        """The record's keys as it spells them; '' where records are not grouped."""
        if self.group_by is None:
            yield ""
            return
        seen: set[str] = set()
        for value in facts.values(self.group_by):
            text = str(value)
            if text and (folded := text.casefold()) not in seen:
                seen.add(folded)
                yield text
                if len(seen) >= KEYS_A_RECORD:
                    return


def compile_rule(playbook: Playbook, now: int) -> Rule:
    """The playbook ready to be asked.

    Raises:
        UserFault: its query or its field cannot be understood.
    """
    tree = parse(playbook.query, now)
    if name := next((name for name in _fields(tree) if name in _NOTED), ""):
        raise _no_notes(name, "query")
    return Rule(
        playbook=playbook,
        tree=tree,
        group_by=None if playbook.group_by is None else group_field(playbook.group_by),
        matches=matcher(cheapest_first(tree)),
        needs=needed(tree),
        moving=parse(playbook.query, now + DAY) != tree,
    )


def _fields(tree: Node) -> Iterator[str]:
    match tree:
        case And(parts) | Or(parts):
            for part in parts:
                yield from _fields(part)
        case Not(part):
            yield from _fields(part)
        case Term(name, _):
            yield name


def _no_notes(name: str, where: str) -> UserFault:
    return UserFault(
        f"A playbook judges records as they arrive, before anybody has marked them: {name}: finds nothing.",
        where,
        f"Leave {name}: out, or search for it yourself.",
    )


def cheapest_first(tree: Node) -> Node:
    """The same meaning, with what columns decide asked before what needs the whole record."""
    if isinstance(tree, And | Or):
        parts = sorted((cheapest_first(part) for part in tree.parts), key=_cost)
        return type(tree)(tuple(parts))
    return Not(cheapest_first(tree.part)) if isinstance(tree, Not) else tree


def _cost(tree: Node) -> int:
    match tree:
        case Term(name, test):
            whole = 0 if name in sql.COLUMNS else 4
            return whole + (0 if isinstance(test, Equals | Exists) else 1)
        case Text():
            return 2
        case Not(part):
            return _cost(part)
        case And(parts) | Or(parts):
            return max(map(_cost, parts), default=0)
    return 0


def group_field(name: str) -> str:
    """The one field that a name stands for.

    Raises:
        UserFault: none, or several.
    """
    fields = resolve(name)
    if noted_ones := [field for field in fields if field in _NOTED]:
        raise _no_notes(noted_ones[0], "group_by")
    if len(fields) == 1:
        return fields[0]
    if fields:
        raise UserFault(
            f"{name!r} stands for several fields.", "group_by", f"Choose one: {', '.join(fields)}."
        )
    raise UserFault(f"There is no field {name!r}.", "group_by", "For example sender, sender.domain or ip.")


def needed(tree: Node) -> tuple[str, frozenset[str]] | None:
    """A column and values of which every matching record has one."""
    match tree:
        case Term(name, Equals(value)) if name in _TELLING:
            return name, frozenset({value.casefold()})
        case And(parts):
            found = [need for part in parts if (need := needed(part))]
            return min(found, key=lambda need: _TELLING.index(need[0]), default=None)
        case Or(parts):
            needs = [needed(part) for part in parts]
            names = {need[0] if need else "" for need in needs}
            if len(names) == 1 and (name := names.pop()):
                return name, frozenset().union(*(need[1] for need in needs if need))
    return None


class Rules:
    """All playbooks at once."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self.rules = list(rules)
        self._about: dict[tuple[str, str], _Looked] = {}
        """By content type and tenant: those that are about such records."""

    def candidates(self, facts: Facts) -> Iterator[Rule]:
        """Playbooks whose query may match; the others' cannot."""
        place = facts.kind, facts.source.tenant
        looked = self._about.get(place)
        if looked is None:
            looked = self._about[place] = _Looked(rule for rule in self.rules if rule.is_about(facts))
        yield from looked.always
        for name, by_value in looked.by_value.items():
            for value in facts.values(name):
                yield from by_value.get(str(value).casefold(), ())


class _Looked:
    """Playbooks about one kind of record, by what their queries demand."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self.always: list[Rule] = []
        """Those whose whole query must be asked."""
        self.by_value: dict[str, dict[str, list[Rule]]] = {}
        """Column -> folded value -> those that demand it."""
        for rule in rules:
            if rule.needs is None:
                self.always.append(rule)
                continue
            name, values = rule.needs
            for value in values:
                self.by_value.setdefault(name, {}).setdefault(value, []).append(rule)


def tenants_of(playbook: Playbook) -> tuple[str, ...]:
    """Tenants whose stored records a playbook is tried on; empty for all.

    Imported records have no tenant of their own, so history may be tried on them for any playbook.
    """
    return () if playbook.tenant == ALL_TENANTS else (playbook.tenant, IMPORTED)
