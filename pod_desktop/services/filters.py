"""Log filters at work: defined, attached to connectors, tried on what is stored, and asked of what arrives."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from pod_desktop.core import limits
from pod_desktop.core.clock import DAY, Clock, SystemClock
from pod_desktop.core.connector import CollectConnector
from pod_desktop.core.faults import Outage, UserFault
from pod_desktop.core.logfilter import SETTING, LogFilter, defined, filter_from_file
from pod_desktop.core.record import UNREADABLE, Arrival, EventRow
from pod_desktop.query import Matcher, matcher, parse
from pod_desktop.query.tree import And, Everything, Node
from pod_desktop.services.asking import Record, field_values, judge
from pod_desktop.services.noted import names_notes
from pod_desktop.store import Ask, CollectEntry, Ledger, Reader, Source

EXAMPLES: Final = 20
"""Records that a preview shows of each filter."""


def tree_of(log_filter: LogFilter, now: int) -> Node:
    """The filter's conditions, ANDed.

    Raises:
        UserFault: a condition that cannot be understood, matches everything, or speaks of now or of notes.
    """
    parts = []
    for number, condition in enumerate(log_filter.conditions, 1):
        place = f"condition {number} of filter {log_filter.name}"
        try:
            tree = parse(condition, now)
        except UserFault as fault:
            raise UserFault(fault.what, place, fault.hint) from None
        if isinstance(tree, Everything):
            raise UserFault("Every record fulfils this condition.", place, "Name what is to be dropped.")
        if names_notes(tree):
            raise UserFault(
                "A log filter judges records before they are stored, and nobody has marked them yet.",
                place,
                "Leave marked: and comment: out.",
            )
        if parse(condition, now + DAY) != tree:
            raise UserFault(
                "A log filter cannot speak of now: it is asked of records of any age.",
                place,
                "Leave relative times out.",
            )
        parts.append(tree)
    return parts[0] if len(parts) == 1 else And(tuple(parts))


class _Arrived(Record):
    """A record that has been read already: its raw bytes are only parsed where a condition needs them."""

    def __init__(self, arrival: Arrival, source: Source) -> None:
        super().__init__(arrival.columns.kind, arrival.raw, source)
        self._columns = arrival.columns


class Sieve:
    """The filters of one connector, compiled. Used from the committing thread."""

    def __init__(self, filters: Sequence[LogFilter], now: int) -> None:
        """Raises UserFault as tree_of()."""
        self.filters = tuple(filters)
        self._tests: list[tuple[str, Matcher]] = [(one.name, matcher(tree_of(one, now))) for one in filters]

    def sift(self, records: Sequence[Arrival], source: Source) -> tuple[list[Arrival], Counter[str]]:
        """The records that stay, and how many each filter dropped; a record counts for the first that drops it.

        What is no record is always kept: nobody can say what it would have been.
        """
        kept: list[Arrival] = []
        dropped: Counter[str] = Counter()
        for arrival in records:
            name = None if arrival.columns.kind == UNREADABLE else self._dropping(_Arrived(arrival, source))
            if name is None:
                kept.append(arrival)
            else:
                dropped[name] += 1
        return kept, dropped

    def _dropping(self, record: Record) -> str | None:
        return next((name for name, matches in self._tests if matches(record)), None)


def sieve_of(connector: CollectConnector, defined: Sequence[LogFilter], now: int) -> Sieve | None:
    """What a connector's records go through; None without filters.

    Raises:
        UserFault: a filter that is named but not there, or that cannot be understood any more.
    """
    if not connector.log_filters:
        return None
    by_name = {one.name.casefold(): one for one in defined}
    found = []
    for name in connector.log_filters:
        if name.casefold() not in by_name:
            raise UserFault(f"There is no log filter named {name!r}.", "log_filters", "Add it, or detach it.")
        found.append(by_name[name.casefold()])
    return Sieve(found, now)


class Preview(NamedTuple):
    """What a filter would have dropped of what is stored."""

    looked_at: int
    dropped: int
    bytes_raw: int | None
    """Raw bytes of the examples only; None where there are none."""
    examples: tuple[EventRow, ...]
    """The newest of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attached:
    """A filter and the connectors that name it."""

    filter: LogFilter
    connectors: tuple[str, ...]


class LogFilters:
    """The filters of a data directory. Safe to use from several threads."""

    def __init__(self, ledger: Ledger, clock: Clock | None = None) -> None:
        self._ledger = ledger
        self._clock = clock or SystemClock()

    def all(self) -> list[Attached]:
        """Every filter in the order of its making, with who uses it."""
        return [self._attached(one) for one in self._defined()]

    def get(self, name: str) -> LogFilter:
        """The filter of that name, whatever its case. Raises UserFault when there is none."""
        found = self._defined()
        for one in found:
            if one.name.casefold() == name.casefold():
                return one
        listed = ", ".join(one.name for one in found) or "none yet"
        raise UserFault(f"There is no log filter named {name[:80]!r}.", "name", f"Filters: {listed}.")

    def checked(self, data: object, *, replacing: str = "") -> LogFilter:
        """A filter as typed, checked whole. Raises UserFault for the first value that does not fit."""
        taken = [one.name for one in self._defined() if one.name.casefold() != replacing.casefold()]
        made = filter_from_file(data, taken)
        tree_of(made, self._clock.now())
        return made

    def add(self, data: object) -> LogFilter:
        """Keep a new filter; it does nothing until it is attached. Raises UserFault as checked()."""
        found = self._defined()
        if len(found) >= limits.FILTERS:
            raise UserFault(f"There are {len(found)} log filters; {limits.FILTERS} is the most.", "name")
        made = self.checked(data)
        self._keep([*found, made])
        return made

    def change(self, data: object) -> LogFilter:
        """Replace the filter of that name; connectors that name it go by it at once.

        Raises:
            UserFault: as checked(), or there is no such filter.
        """
        made = filter_from_file(data)
        old = self.get(made.name)
        made = self.checked(data, replacing=old.name)
        self._keep([made if one.name == old.name else one for one in self._defined()])
        return made

    def remove(self, name: str) -> None:
        """Forget a filter. Raises UserFault when there is none, or a connector still names it."""
        old = self.get(name)
        if users := self._attached(old).connectors:
            raise UserFault(
                f"{', '.join(users)} {'uses' if len(users) == 1 else 'use'} this filter.",
                "name",
                "Detach it first.",
            )
        self._keep([one for one in self._defined() if one.name != old.name])

    def attach(self, name: str, connector: str) -> CollectConnector:
        """From now on the filter drops matching records of this connector. Raises UserFault for unknown names."""
        log_filter = self.get(name)
        tree_of(log_filter, self._clock.now())
        entry = self._collector(connector)
        old = entry.connector
        if log_filter.name.casefold() in map(str.casefold, old.log_filters):
            return old
        return self._give(old, (*old.log_filters, log_filter.name))

    def detach(self, name: str, connector: str) -> CollectConnector:
        """The filter drops nothing of this connector any more. Raises UserFault when it did not."""
        old = self._collector(connector).connector
        left = tuple(one for one in old.log_filters if one.casefold() != name.casefold())
        if left == old.log_filters:
            raise UserFault(f"{old.name} does not use a filter named {name[:80]!r}.", "name")
        return self._give(old, left)

    def preview(
        self,
        log_filter: LogFilter,
        reader: Reader,
        *,
        since: int | None = None,
        until: int | None = None,
        connectors: Sequence[str] = (),
        wanted: Callable[[], bool] | None = None,
    ) -> Preview:
        """What the filter would have dropped of the stored records. Blocks: for a thread with its own reader.

        Args:
            wanted: see store.Ask.

        Raises:
            UserFault: as tree_of().
        """
        tree = tree_of(log_filter, self._clock.now())
        whole = Ask(since=since, until=until, kinds=_KINDS, connectors=tuple(connectors), wanted=wanted)
        ask = replace(whole, tree=tree, matches=judge(tree), values=field_values)
        examples = tuple(reader.search(ask, limit=EXAMPLES))
        sizes = list(_sizes(reader, examples))
        return Preview(reader.count(whole), reader.count(ask), sum(sizes) if sizes else None, examples)

    def _attached(self, log_filter: LogFilter) -> Attached:
        users = [
            entry.connector.name
            for entry in self._ledger.collectors()
            if log_filter.name.casefold() in map(str.casefold, entry.connector.log_filters)
        ]
        return Attached(filter=log_filter, connectors=tuple(users))

    def _collector(self, name: str) -> CollectEntry:
        entry = self._ledger.connector(name)
        if not isinstance(entry, CollectEntry):
            raise UserFault(f"{entry.connector.name} collects nothing: it responds.", "connector")
        return entry

    def _give(self, old: CollectConnector, filters: tuple[str, ...]) -> CollectConnector:
        new = replace(old, log_filters=filters)
        self._ledger.update_connector(new, now=self._clock.now())
        return new

    def _defined(self) -> list[LogFilter]:
        return defined(self._ledger.setting(SETTING))

    def _keep(self, filters: Iterable[LogFilter]) -> None:
        self._ledger.set_setting(SETTING, [one.to_file() for one in filters])


_KINDS: Final = ("message", "maillog", "audit")


def _sizes(reader: Reader, rows: Iterable[EventRow]) -> Iterable[int]:
    for row in rows:
        try:
            yield len(reader.raw(row.seq))
        except (KeyError, Outage):
            continue


FiltersOf = Callable[[CollectConnector], Sieve | None]
"""The connector's sieve as the ledger has it now; raises UserFault where it cannot be made."""
