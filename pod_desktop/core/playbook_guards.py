"""What a playbook may not do without a person: rules beyond those that a person's own actions keep.

Each reason says why an action is held for approval. Nothing here is a matter of taste: each rule stands for
a way in which mail from outside could make a playbook block or let through what its owner would not.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Final

from pod_desktop.core.action import ADD, ATTRIBUTES, BLOCK, DELETE, SAFE, Entry
from pod_desktop.core.freemail import FREE_MAIL
from pod_desktop.core.guards import GO, PARTNER_MESSAGES, Judgement, Reason, Surroundings, domain_of, judge
from pod_desktop.core.text import disguise, hides, scripts, skeleton, unicode_domain

HOLD: Final = "hold"
"""Answer of a reason that a person may overrule with one keystroke."""


def reasons_to_hold(
    action: str,
    which: str,
    entry: Entry,
    around: Surroundings,
    *,
    author_proved: Callable[[], bool],
    judged: Judgement | None = None,
) -> tuple[Reason, ...]:
    """Why this entry needs a person; empty when a playbook may go on.

    Args:
        action: "add" or "delete".
        which: "block" or "safe".
        author_proved: tells whether every record behind it has a DMARC pass, or an SPF pass of the author's
            own domain; asked only where that matters.
        judged: what guards.judge() says of just this, where it is known already.
    """
    judged = judged or judge(action, which, entry, around)
    found = [reason for reason in judged.reasons if reason.answer != GO]
    found += _lets_through(action, which)
    found += _breadth(entry)
    if which == BLOCK and action == ADD:
        found += _forged(entry, author_proved)
        found += _known(entry, around, {reason.code for reason in found})
    found += _disguised(entry, around)
    return tuple(found)


def _lets_through(action: str, which: str) -> Iterator[Reason]:
    if (action, which) == (ADD, SAFE):
        yield Reason("safelist", HOLD, "A playbook never puts anything on the safe list by itself.")
    elif (action, which) == (DELETE, BLOCK):
        yield Reason("unblock", HOLD, "A playbook never lets blocked mail through by itself.")


def _breadth(entry: Entry) -> Iterator[Reason]:
    if entry.operator == "equal":
        return
    if entry.operator == "contain" and entry.value.startswith("@") and "." in entry.value:
        return
    yield Reason(
        "operator", HOLD, f"{entry.operator} is wider than a playbook may be: equal, or contain with @domain."
    )


def _forged(entry: Entry, author_proved: Callable[[], bool]) -> Iterator[Reason]:
    if entry.attribute == "$hfrom" and not author_proved():
        yield Reason(
            "forged_author",
            HOLD,
            "The header from was not proved by DMARC, nor by SPF for its own domain: "
            "whoever forges it could have others blocked.",
        )
    elif entry.attribute == "$helo":
        yield Reason(
            "forged_helo", HOLD, "Whoever sends chooses the HELO name, and could have others blocked."
        )
    elif entry.attribute == "$rcpt":
        yield Reason("recipient", HOLD, "Blocking a recipient keeps a person's own mail away.")


def _known(entry: Entry, around: Surroundings, said: set[str]) -> Iterator[Reason]:
    if entry.attribute == "$ip":
        return
    domain = domain_of(entry.value)
    above = _above(domain)
    if "free_mail" not in said and domain in FREE_MAIL:
        yield Reason("free_mail", HOLD, f"{domain} gives addresses to anybody, to honest people too.")
    if "own" not in said and any(name in around.own_domains for name in above):
        yield Reason("own", HOLD, f"{domain} is your own: this blocks yourself.")
    if "partner" in said:
        return
    for name in above:
        if (messages := around.partners.get(name, 0)) >= PARTNER_MESSAGES:
            yield Reason(
                "partner",
                HOLD,
                f"{messages:,} messages from {name} were delivered in the last 30 days: "
                "whoever forges it could have it blocked.",
            )
            return


def _above(domain: str) -> list[str]:
    """The domain and those above it, without the last label alone."""
    parts = domain.split(".")
    return [".".join(parts[at:]) for at in range(max(len(parts) - 1, 1))]


def _disguised(entry: Entry, around: Surroundings) -> Iterator[Reason]:
    value = entry.value
    if _is_address(value):
        return
    local, _, domain = value.rpartition("@")
    name = ATTRIBUTES.get(entry.attribute, entry.attribute)
    if hides(value) or not local.isascii() or len(scripts(value)) > 1:
        yield Reason("mixed", HOLD, f"{name}: the value mixes scripts or holds characters that deceive.")
    elif found := disguise(domain.casefold()):
        yield Reason("look_alike", HOLD, f"{name}: the domain {found.reason}.")
    else:
        known = (
            around.own_domains
            | around.protected
            | frozenset(one for one, messages in around.partners.items() if messages >= PARTNER_MESSAGES)
        )
        if looks := _look_alike(domain.casefold(), known):
            yield Reason("look_alike", HOLD, f"{name}: {domain} looks like {looks}.")


def _look_alike(domain: str, known: frozenset[str]) -> str:
    """The known domain that this one can be taken for; '' if none."""
    mine = _looks(domain)
    if not mine:
        return ""
    for other in sorted(known):
        if _looks(other) == mine and not _same_family(domain, other):
            return other
    return ""


def _same_family(one: str, other: str) -> bool:
    return one == other or one.endswith("." + other) or other.endswith("." + one)


@lru_cache(maxsize=16_384)
def _looks(domain: str) -> str:
    return skeleton(unicode_domain(domain).casefold().rstrip("."))


def _is_address(value: str) -> bool:
    try:
        ipaddress.ip_network(value, strict=False)
    except ValueError:
        return False
    return True


def opposes(action: str, which: str, other_action: str, other_which: str) -> bool:
    """Does the one keep away what the other lets through?"""
    return keeps_away(action, which) != keeps_away(other_action, other_which)


def keeps_away(action: str, which: str) -> bool:
    """Whether it keeps mail away: adding to the block list, or removing from the safe list."""
    return (action == ADD) == (which == BLOCK)
