"""What playbooks know of their surroundings: own domains and partners, learned from what is stored."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from pod_desktop.core.clock import DAY
from pod_desktop.core.guards import PARTNER_MESSAGES, Surroundings
from pod_desktop.query import quote
from pod_desktop.services.asking import ask
from pod_desktop.store import Reader

DAYS: Final = 30
DOMAINS: Final = 20_000
"""Domains that are looked at, most frequent first."""


def learn(reader: Reader, now: int, given: Surroundings | None = None) -> Surroundings:
    """Own domains (those of inbound mail's recipients) and partners (by delivered mail) of the last 30 days.

    Args:
        given: what the user has set; learned things are added.
    """
    given = given or Surroundings()
    since = now - DAYS * DAY

    def domains(query: str, field: str) -> list[tuple[str, int]]:
        question = ask(query, now=now, since=since, until=now + DAY, kinds=("message",))
        return reader.count_by(question, field, DOMAINS)

    own = {name.casefold() for name, _ in domains("not direction:outbound", "recipient.domain") if name}
    partners: dict[str, int] = {}
    for field in ("sender.domain", "header_from.domain"):
        for name, messages in domains("outcome:delivered", field):
            if name and messages >= PARTNER_MESSAGES:
                name = name.casefold()
                partners[name] = max(partners.get(name, 0), messages)
    return replace(given, own_domains=given.own_domains | own, partners={**partners, **dict(given.partners)})


def delivered_from(reader: Reader) -> Callable[[str, int], int]:
    """Counts messages delivered from an address in the 30 days before a moment (microseconds UTC)."""

    def count(address: str, at: int) -> int:
        query = f"outcome:delivered and ip:{quote(address)}"
        return reader.count(ask(query, now=at, since=at - DAYS * DAY, until=at + 1, kinds=("message",)))

    return count
