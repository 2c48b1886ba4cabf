"""The Org Block List and the Org Safe List as the service tells them, with our own history joined."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from pod_desktop.core.action import ADD, BLOCK, SAFE, SUCCEEDED, Action, Entry
from pod_desktop.core.clock import iso
from pod_desktop.core.faults import Fault, UserFault
from pod_desktop.core.responder import RespondConnector
from pod_desktop.services.exporting import cell
from pod_desktop.services.respond import Responding
from pod_desktop.store import Journal

Identity = tuple[str, str, str]
OTHER: Final = {BLOCK: SAFE, SAFE: BLOCK}


@dataclass(frozen=True, slots=True, kw_only=True)
class ListRow:
    """One entry of a list, and what we know of it."""

    entry: Entry
    list: str
    action: Action | None = None
    """The last action of ours that put it there; None: it was added elsewhere."""
    conflict: bool = False
    """The other list holds it too: which one wins is not documented."""
    duplicate: bool = False
    """The list holds it more than once, in another case."""
    covered_by: str = ""
    """A value of the same list that matches all that this one matches; '' if none."""
    fresh: bool = False
    """It was not there at the last look."""

    @property
    def elsewhere(self) -> bool:
        """Added by somebody else than this program."""
        return self.action is None

    @property
    def actor(self) -> str:
        return self.action.actor if self.action else ""

    @property
    def time(self) -> int:
        """Microseconds UTC when we added it; 0 where it was added elsewhere."""
        return self.action.time if self.action else 0

    @property
    def why(self) -> str:
        return self.action.why if self.action else ""

    @property
    def expires(self) -> int:
        """Microseconds UTC when it is removed by itself; 0 = never."""
        return self.action.expires if self.action else 0

    def to_json(self) -> dict[str, Any]:
        return {
            "attribute": self.entry.attribute,
            "operator": self.entry.operator,
            "value": self.entry.value,
            "comment": self.entry.comment,
            "added_by": self.actor or None,
            "added": iso(self.time) if self.time else None,
            "why": self.why or None,
            "expires": iso(self.expires) if self.expires else None,
            "action_id": self.action.id if self.action else None,
            "conflict": self.conflict,
            "duplicate": self.duplicate,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """One list, read at one moment."""

    list: str
    rows: tuple[ListRow, ...] = ()
    """In the service's own order."""
    at: int = 0
    """Microseconds UTC of the reading."""
    since: int = 0
    """Microseconds UTC of the look before; 0 = this is the first."""
    gone: tuple[Entry, ...] = ()
    """Entries that were there at the look before."""
    problem: str = ""
    """Why it could not be read; rows are empty then."""

    @property
    def fresh(self) -> tuple[ListRow, ...]:
        """Entries that have come since the look before."""
        return tuple(row for row in self.rows if row.fresh)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lists:
    """Both lists of a cluster."""

    block: Listing
    safe: Listing

    def of(self, which: str) -> Listing:
        return self.block if which == BLOCK else self.safe

    def entries(self, which: str) -> tuple[Entry, ...]:
        return tuple(row.entry for row in self.of(which).rows)


async def look(responding: Responding, connector: RespondConnector, *, remember: bool = True) -> Lists:
    """Read both lists with this responder's credentials. A list that cannot be read says so in `problem`.

    Args:
        remember: this look is what the next one's changes are told against.
    """
    journal, now = responding.journal, responding.clock.now()
    read: dict[str, tuple[Entry, ...] | Fault] = {}
    for which in (BLOCK, SAFE):
        try:
            read[which] = await responding.entries(connector, which)
        except Fault as fault:
            read[which] = fault
    ours = our_actions(journal, connector.cluster_id)
    listings = {}
    for which in (BLOCK, SAFE):
        found, other = read[which], read[OTHER[which]]
        if isinstance(found, Fault):
            listings[which] = Listing(list=which, at=now, problem=str(found))
            continue
        beside = frozenset() if isinstance(other, Fault) else frozenset(entry.identity for entry in other)
        name = f"{connector.origin} {connector.cluster_id} {which}"
        since, before = journal.last_look(name)
        listings[which] = join(
            which, found, beside, ours, at=now, since=since, before=[Entry(**data) for data in before]
        )
        if remember:
            journal.put_look(name, [_plain(entry) for entry in found], at=now)
    return Lists(block=listings[BLOCK], safe=listings[SAFE])


def _plain(entry: Entry) -> dict[str, str]:
    return {
        "attribute": entry.attribute,
        "operator": entry.operator,
        "value": entry.value,
        "comment": entry.comment,
    }


def our_actions(journal: Journal, cluster_id: str) -> dict[tuple[str, Identity], Action]:
    """(list, identity) -> the last action of ours that put the entry there and stands."""
    found: dict[tuple[str, Identity], Action] = {}
    for action in reversed(journal.actions(statuses=(SUCCEEDED,))):
        if action.cluster_id == cluster_id and action.action == ADD and not action.unchanged:
            found[action.list, action.entry.identity] = action
    return found


def join(
    which: str,
    entries: Sequence[Entry],
    beside: frozenset[Identity],
    ours: dict[tuple[str, Identity], Action],
    *,
    at: int,
    since: int = 0,
    before: Sequence[Entry] = (),
) -> Listing:
    """One list with everything that is known of its entries. Pure.

    Args:
        beside: identities on the other list.
        ours: of our_actions().
        before: the entries at the look before, at `since`.
    """
    counts = Counter(entry.identity for entry in entries)
    known = {entry.identity for entry in before}
    domains = _whole_domains(entries)
    rows = tuple(
        ListRow(
            entry=entry,
            list=which,
            action=ours.get((which, entry.identity)),
            conflict=entry.identity in beside,
            duplicate=counts[entry.identity] > 1,
            covered_by=_covered_by(entry, domains),
            fresh=bool(since) and entry.identity not in known,
        )
        for entry in entries
    )
    gone = tuple(entry for entry in before if entry.identity not in counts)
    return Listing(list=which, rows=rows, at=at, since=since, gone=gone)


def _whole_domains(entries: Iterable[Entry]) -> dict[tuple[str, str], str]:
    """(attribute, domain) -> value, of entries about a domain and its sub-domains."""
    return {
        (entry.attribute.casefold(), entry.value.casefold()): entry.value
        for entry in entries
        if entry.operator == "equal" and "@" not in entry.value and "." in entry.value
    }


def _covered_by(entry: Entry, domains: dict[tuple[str, str], str]) -> str:
    if entry.operator != "equal" or entry.attribute not in ("$from", "$hfrom", "$rcpt"):
        return ""
    value = entry.value.casefold()
    labels = value.rpartition("@")[2].split(".")
    for place in range(len(labels) - 1):
        domain = ".".join(labels[place:])
        if domain != value and (found := domains.get((entry.attribute.casefold(), domain))):
            return found
    return ""


# searching and sorting


@dataclass(frozen=True, slots=True, kw_only=True)
class ListFilter:
    """What of a list is shown; everything by default."""

    text: str = ""
    """Words that must all stand in attribute, operator, value, comment, actor or reason."""
    attributes: frozenset[str] = field(default_factory=frozenset)
    elsewhere: bool | None = None
    """True: only added elsewhere; False: only ours."""
    conflicts: bool = False
    duplicates: bool = False
    expiring: bool = False
    fresh: bool = False

    def takes(self, row: ListRow) -> bool:
        entry = row.entry
        if self.attributes and entry.attribute not in self.attributes:
            return False
        if self.elsewhere is not None and row.elsewhere != self.elsewhere:
            return False
        if (self.conflicts and not row.conflict) or (
            self.duplicates and not (row.duplicate or row.covered_by)
        ):
            return False
        if (self.expiring and not row.expires) or (self.fresh and not row.fresh):
            return False
        words = self.text.casefold().split()
        looked = "\n".join(
            (entry.attribute, entry.operator, entry.value, entry.comment, row.actor, row.why)
        ).casefold()
        return all(word in looked for word in words)


SORTS: Final = {
    "value": lambda row: (row.entry.value.casefold().lstrip("@"), row.entry.attribute, row.entry.operator),
    "domain": lambda row: (row.entry.value.casefold().rpartition("@")[2].split(".")[::-1], row.entry.value),
    "attribute": lambda row: (row.entry.attribute, row.entry.operator, row.entry.value.casefold()),
    "operator": lambda row: (row.entry.operator, row.entry.value.casefold()),
    "comment": lambda row: (row.entry.comment.casefold(), row.entry.value.casefold()),
    "added": lambda row: (row.time, row.entry.value.casefold()),
    "by": lambda row: (row.actor.casefold(), row.entry.value.casefold()),
    "expires": lambda row: (row.expires or 1 << 62, row.entry.value.casefold()),
}
"""Keys by the column's name."""


def select(
    rows: Iterable[ListRow], filter: ListFilter | None = None, *, by: str = "", reverse: bool = False
) -> list[ListRow]:
    """The rows that a filter takes, sorted by a key of SORTS; '' keeps the service's order."""
    found = [row for row in rows if filter is None or filter.takes(row)]
    if by:
        found.sort(key=SORTS[by], reverse=reverse)
    return found


EXPORT_COLUMNS: Final = (
    "attribute", "operator", "value", "comment", "added_by", "added", "why", "expires", "action_id", "conflict",
    "duplicate",
)  # fmt: skip


def to_csv(rows: Iterable[ListRow]) -> bytes:
    """The rows for spreadsheets; no cell computes. bulk.read() takes it back."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(EXPORT_COLUMNS)
    for row in rows:
        data = row.to_json()
        values = ("" if data[name] is None else str(data[name]) for name in EXPORT_COLUMNS)
        writer.writerow([cell(value) for value in values])
    return text.getvalue().encode("utf-8", "replace")


def deleter_for(responding: Responding, row: ListRow, connector: RespondConnector) -> RespondConnector:
    """The responder that takes an entry off its list, whoever added it.

    Raises:
        UserFault: no responder of this cluster can.
    """
    from pod_desktop.core.action import DELETE
    from pod_desktop.responders import Responder
    from pod_desktop.services.respond import responder_for

    kind = Responder(action=DELETE, list=row.list).type
    try:
        return responder_for(
            responding.connectors(), kind, connector.cluster_id, connector.tenant, like=connector.name
        )
    except UserFault:
        raise UserFault(f"No enabled responder can do this: {kind}.", "responder", "Add one.") from None
