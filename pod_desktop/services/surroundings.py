"""What is known of this organisation when a value is judged: own domains, protected values, partners.

Set by the user (settings of the ledger), and learned from stored mail; what was learned is kept for an hour, or
until there is twice as much to learn from.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from pod_desktop.core.clock import DAY, HOUR
from pod_desktop.core.freemail import FREE_MAIL
from pod_desktop.core.guards import PARTNER_MESSAGES, Surroundings
from pod_desktop.core.settings import OWN_DOMAINS
from pod_desktop.services.asking import ask
from pod_desktop.services.settings import Settings
from pod_desktop.store import Ledger, Reader

LEARNED: Final = "guards_learned"
"""Key of the ledger's settings."""
LEARN_EVERY: Final = HOUR
LEARN_GROWN: Final = 2
"""Times as many records as last time: the first hour of a new installation must not be without own domains."""
LEARN_DAYS: Final = 30
OWN_MESSAGES: Final = 20
"""Inbound messages that make a recipients' domain one's own; fewer do where they are a large part."""
OWN_SHARE: Final = 0.02
OWN_LEAST: Final = 3
_DOMAINS: Final = 5_000


def surroundings(ledger: Ledger, reader: Reader | None, now: int) -> Surroundings:
    """Everything a judgement needs. May read the store for seconds, as often as there is something new to learn: not
    for the thread that paints.

    Args:
        reader: None takes what was learned last, however old.
        now: microseconds UTC.
    """
    learned = ledger.setting(LEARNED, {})
    if reader is not None and _is_old(learned, reader, now):
        learned = learn(reader, now)
        ledger.set_setting(LEARNED, learned)
    given = Settings(ledger).surroundings()
    return replace(
        given,
        own_domains=given.own_domains | frozenset(learned.get("own", ())),
        partners={name: int(count) for name, count in learned.get("partners", {}).items()},
    )


def _is_old(learned: Mapping[str, Any], reader: Reader, now: int) -> bool:
    if not 0 <= now - int(learned.get("at", 0)) < LEARN_EVERY:
        return True
    return reader.totals().records > LEARN_GROWN * int(learned.get("records", 0))


def set_own_domains(ledger: Ledger, domains: Iterable[str]) -> None:
    """Raises UserFault for the first that is no domain."""
    Settings(ledger).set(OWN_DOMAINS, list(domains))


def learned_domains(ledger: Ledger) -> list[str]:
    """Own domains learned from recipients, for the settings page."""
    return [str(name) for name in ledger.setting(LEARNED, {}).get("own", [])]


def learn(reader: Reader, now: int) -> dict[str, Any]:
    """Own domains and partners of the last 30 days' mail, as JSON values."""
    since = now - LEARN_DAYS * DAY
    records = reader.totals().records

    def count(query: str, field: str) -> list[tuple[str, int]]:
        asked = ask(query, now=now, since=since, kinds=("message",))
        return [(name.casefold(), n) for name, n in reader.count_by(asked, field, _DOMAINS) if name]

    # Refused mail may be addressed to anybody.
    inbound = count("direction:inbound AND NOT outcome:rejected", "recipient.domain")
    # Where direction is not told, the recipients of all mail but outbound stand in.
    inbound = inbound or count("NOT direction:outbound AND NOT outcome:rejected", "recipient.domain")
    total = sum(n for _, n in inbound)
    enough = min(OWN_MESSAGES, max(OWN_LEAST, round(total * OWN_SHARE)))
    own = sorted(name for name, n in inbound if n >= enough and name not in FREE_MAIL)
    partners = {
        name: n
        for name, n in count("NOT direction:outbound AND outcome:delivered", "sender.domain")
        if n >= PARTNER_MESSAGES and name not in own
    }
    return {"at": now, "records": records, "own": own, "partners": partners}
