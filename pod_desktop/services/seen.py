"""Seen before: how much the week before a record brought from the same sender, domain and address.

Only records of the same content type are counted, so that a message and its mail-log lines are not added up.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pod_desktop.core.clock import DAY
from pod_desktop.core.freemail import FREE_MAIL
from pod_desktop.core.record import DELIVERED, MAILLOG, MESSAGE, EventRow
from pod_desktop.core.text import domain_of
from pod_desktop.query import term
from pod_desktop.query.tree import Equals, Term
from pod_desktop.store import Ask, Reader

DAYS = 7
_ONE_STRETCH = 36_500 * DAY
_MOST_DOMAINS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What there was with one value."""

    label: str
    """`This sender`, `This domain`, `This IP`."""
    value: str
    query: str
    """Finds these records."""
    kind: str
    since: int
    until: int
    """Microseconds UTC; `until` is not included: the week that ends with the record."""
    records: int
    """The record itself among them."""
    delivered: int
    senders: int = 0
    """Sender domains, where it is about an address."""
    note: str = ""


def seen_before(reader: Reader, row: EventRow, wanted: Callable[[], bool] | None = None) -> tuple[Seen, ...]:
    """What the seven days up to a record brought from the same sender, domain and IP.

    Raises:
        Unwanted: `wanted` said no.
    """
    return tuple(_counted(reader, row, *one, wanted) for one in _values(row))


def _values(row: EventRow) -> list[tuple[str, str, str]]:
    """(label, field, value) of what is counted; of a mail-log line the relay is no source."""
    if row.kind not in (MESSAGE, MAILLOG):
        return []
    domain = domain_of(row.sender).casefold()
    found = [("This sender", "sender", row.sender), ("This domain", "sender.domain", domain)]
    if row.kind == MESSAGE:
        found.append(("This IP", "ip", row.ip))
    return [one for one in found if one[2]]


def _counted(
    reader: Reader, row: EventRow, label: str, field: str, value: str, wanted: Callable[[], bool] | None
) -> Seen:
    since, until = row.time - DAYS * DAY, row.time + 1
    ask = Ask(tree=Term(field, Equals(value)), since=since, until=until, kinds=(row.kind,), wanted=wanted)
    counts: dict[str, int] = {}
    for _, outcome, count in reader.histogram(ask, _ONE_STRETCH):
        counts[outcome] = counts.get(outcome, 0) + count
    return Seen(
        label=label,
        value=value,
        query=term(field, value),
        kind=row.kind,
        since=since,
        until=until,
        records=sum(counts.values()),
        delivered=counts.get(DELIVERED, 0),
        senders=len(reader.count_by(ask, "sender.domain", _MOST_DOMAINS)) if field == "ip" else 0,
        note="a free mail provider: many people send from it"
        if field == "sender.domain" and value in FREE_MAIL
        else "",
    )


def words(seen: Seen) -> tuple[str, str, str]:
    """One line about it: what stands before the number, the number that leads to the search, what follows."""
    noun = "message" if seen.kind == MESSAGE else "line"
    many = f"{seen.records:,} {noun}{'' if seen.records == 1 else 's'}"
    after = f" in {DAYS} days"
    if seen.kind == MESSAGE:
        after += f", {seen.delivered:,} delivered" if seen.delivered else ", none delivered"
    if seen.senders > 1:
        after += f", {seen.senders:,} sender domains"
    if seen.note:
        after += f" ({seen.note})"
    return f"{seen.label}: ", many if seen.records > 1 else f"only this {noun}", after
