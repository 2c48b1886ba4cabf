"""What a list entry would have done: stored messages that it matches, how many were delivered, and to whom.

Matching as the vendor describes it for its lists: without regard to case; `@bad.example` is that domain only,
`bad.example` also its sub-domains. What the service does in the end may differ.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pod_desktop.core.action import ADD, BLOCK, SAFE, Entry
from pod_desktop.core.clock import DAY
from pod_desktop.core.faults import Fault
from pod_desktop.core.record import DELIVERED, MAILLOG, MESSAGE
from pod_desktop.query import to_text
from pod_desktop.query.tree import ANY, And, Equals, Like, Network, Node, Not, Or, Term
from pod_desktop.services.asking import judge
from pod_desktop.store import Ask, Reader

RECIPIENTS: Final = 10
"""Recipients that are named."""
_FIELDS: Final = {
    "$from": "sender",
    "$hfrom": "header_from",
    "$rcpt": "recipient",
    "$ip": "ip",
    "$host": "host",
    "$helo": "helo",
}
_ADDRESSES: Final = frozenset({"$from", "$hfrom", "$rcpt"})
_ONE_STRETCH: Final = 36_500 * DAY


@dataclass(frozen=True, slots=True)
class Hits:
    """Messages that an entry would have matched."""

    matching: int
    delivered: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Impact:
    """What an entry would have matched among what is stored."""

    ever: Hits
    days_30: Hits
    days_7: Hits
    recipients: tuple[tuple[str, int], ...] = ()
    """Who had most of the delivered messages of the last 30 days (of all, where these had none)."""
    query: str = ""
    """Finds these messages in Events; '' where they cannot be asked for."""
    kind: str = MESSAGE
    """The content type that was counted: mail-log lines where no message record is stored."""
    problem: str = ""
    """Why it cannot be told, in words for people; the figures are 0 then."""

    def to_json(self) -> dict[str, Any]:
        return {
            "matching": self.ever.matching,
            "delivered": self.ever.delivered,
            "last_30_days": {"matching": self.days_30.matching, "delivered": self.days_30.delivered},
            "last_7_days": {"matching": self.days_7.matching, "delivered": self.days_7.delivered},
            "recipients": [{"recipient": name, "delivered": count} for name, count in self.recipients],
            "query": self.query,
        }


class Cancelled(Fault):
    """Nobody waits for the answer any more."""


def tree_of(entry: Entry) -> Node | None:
    """The query that finds what an entry matches; None where that cannot be told (is_in_list, no IP address)."""
    field = _FIELDS.get(entry.attribute)
    value = entry.value.strip()
    if field is None or not value:
        return None
    found: Node | None
    if entry.operator in ("equal", "not_equal"):
        found = _equal(entry.attribute, field, value)
    elif entry.operator in ("contain", "not_contain"):
        found = Term(field, Like((ANY, value, ANY)))
    else:
        return None
    return Not(found) if found and entry.operator.startswith("not_") else found


def _equal(attribute: str, field: str, value: str) -> Node | None:
    if attribute == "$ip":
        try:
            network = ipaddress.ip_network(value, strict=False)
        except ValueError:
            return None
        return Term(field, Network(str(network)) if "/" in value else Equals(str(network.network_address)))
    if attribute not in _ADDRESSES or value.rpartition("@")[0]:
        return Term(field, Equals(value))
    domain = value.removeprefix("@")
    exactly = Term(f"{field}.domain", Equals(domain))
    if value.startswith("@") or not domain:
        return exactly
    return Or((exactly, Term(f"{field}.domain", Like((ANY, "." + domain)))))


def impact(
    reader: Reader, entry: Entry, now: int, *, cancelled: Callable[[], bool] = lambda: False
) -> Impact:
    """Count what an entry would have matched. May take seconds on millions of records: not for the thread
    that paints, and with a reader that no other thread uses.

    Raises:
        Cancelled: `cancelled` said so between two steps.
    """
    tree = tree_of(entry)
    none = Hits(0, 0)
    if tree is None:
        words = "What this would match is not documented, so it cannot be counted."
        return Impact(ever=none, days_30=none, days_7=none, problem=words)
    found = _counted(reader, tree, MESSAGE, now, cancelled)
    if not found.ever.matching:
        # Where only the mail log is collected its lines are all there is.
        lines = _counted(reader, tree, MAILLOG, now, cancelled)
        if lines.ever.matching:
            return lines
    return found


def _counted(reader: Reader, tree: Node, kind: str, now: int, cancelled: Callable[[], bool]) -> Impact:
    matches = judge(tree)

    def asked(since: int | None, more: Node | None = None) -> Ask:
        whole = tree if more is None else And((tree, more))
        return Ask(tree=whole, since=since, kinds=(kind,), matches=matches if more is None else judge(whole))

    def hits(since: int | None) -> Hits:
        if cancelled():
            raise Cancelled("Nobody waits for this any more.")
        by_outcome = [(outcome, count) for _, outcome, count in reader.histogram(asked(since), _ONE_STRETCH)]
        delivered = sum(count for outcome, count in by_outcome if outcome == DELIVERED)
        return Hits(sum(count for _, count in by_outcome), delivered)

    ever = hits(None)
    month = hits(now - 30 * DAY) if ever.matching else ever
    week = hits(now - 7 * DAY) if month.matching else month
    recipients: Sequence[tuple[str, int]] = ()
    if ever.delivered:
        if cancelled():
            raise Cancelled("Nobody waits for this any more.")
        since = now - 30 * DAY if month.delivered else None
        delivered = asked(since, Term("outcome", Equals(DELIVERED)))
        recipients = reader.count_by(delivered, "recipient", RECIPIENTS)
    return Impact(
        ever=ever, days_30=month, days_7=week, recipients=tuple(recipients), query=to_text(tree), kind=kind
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How an entry stands on both lists now."""

    there: Entry | None = None
    """The same entry on the list that the action is about."""
    other: Entry | None = None
    """The same entry on the other list: the two contradict each other."""
    problem: str = ""
    """Why a list could not be read."""

    def words(self, action: str, which: str) -> str:
        """One sentence or two for people; '' where there is nothing to say."""
        titles = {BLOCK: "Org Block List", SAFE: "Org Safe List"}
        said = []
        if action == ADD and self.there:
            said.append(f"It is on the {titles[which]} already.")
        if action != ADD and not self.there and not self.problem:
            said.append(f"It is not on the {titles[which]}.")
        if self.other:
            said.append(
                f"It is on the {titles[SAFE if which == BLOCK else BLOCK]} as well: which one wins is not documented."
            )
        if self.problem:
            said.append(f"Whether it is on the list already cannot be told: {self.problem}")
        return " ".join(said)
