"""What a record offers to actions: a value for each attribute of a list entry, with the trap of each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from pod_desktop.content.mime import bare
from pod_desktop.core import limits
from pod_desktop.core.addresses import is_internal, is_loopback, one_off
from pod_desktop.core.freemail import FREE_MAIL
from pod_desktop.core.text import domain_of, hides


class Offer(NamedTuple):
    """A value of the record that an action may take."""

    attribute: str
    """`$from`, `$hfrom`, `$ip`, `$host`, `$helo` or `$rcpt`."""
    title: str
    """What it is, for people: `Envelope sender`, `Sender domain`."""
    value: str
    """As the record has it, without angle brackets; may be hostile text."""
    trap: str
    """What to think of before acting on it; '' where there is nothing."""
    expression: str
    """A template that gives the value: `{envelope.from}`, or the value itself with its braces doubled."""


OUTBOUND_TRAP: Final = "Outbound mail: the sender is one of your own people. Blocking it blocks yourself."


def sender_traps(address: str, *, outbound: bool = False) -> str:
    """What to think of before an envelope sender is put on a list."""
    traps = [OUTBOUND_TRAP] if outbound else []
    if one_off(address):
        traps.append(
            "This address looks made for one message only (a bounce address): equal would never match again. "
            "Take the sender domain."
        )
    return joined(*traps, _hidden(address))


def domain_traps(domain: str, *, outbound: bool = False) -> str:
    """What to think of before a whole domain is put on a list."""
    many = f"{domain} gives addresses to anybody: all of its users are meant." if domain in FREE_MAIL else ""
    return joined(OUTBOUND_TRAP if outbound else "", many, _hidden(domain))


def source_traps(value: str, attribute: str, *, outbound: bool = False) -> str:
    """What to think of before an address, host or HELO name is put on a list."""
    traps = []
    if is_loopback(value):
        traps.append("This is the filter itself, not the sender: all mail comes from there.")
    elif attribute == "$ip" and is_internal(value):
        traps.append("This is no public address: it is likely a machine of yours.")
    if outbound:
        traps.append("Outbound mail: this is one of your own servers.")
    if attribute == "$helo":
        traps.append("The HELO name is what the sender says of itself: it can be forged at will.")
    return joined(*traps, _hidden(value))


def joined(*traps: str) -> str:
    return " ".join(trap for trap in traps if trap)


def _hidden(value: str) -> str:
    return "It holds characters that cannot be seen." if hides(value) else ""


def literal(value: str) -> str:
    """The value as a template that means exactly this."""
    return value.replace("{", "{{").replace("}", "}}")


def domain_offer(attribute: str, title: str, address: str, trap: str) -> Offer | None:
    """The whole domain of an address, as the lists write it: `@` before it means no sub-domains."""
    domain = domain_of(address).casefold()
    if not domain:
        return None
    value = "@" + domain
    return Offer(attribute, title, value, joined(trap, domain_traps(domain)), literal(value))


def fillable(record: Mapping[str, Any]) -> dict[str, Any]:
    """The record as templates read it: envelope addresses without angle brackets.

    A mail-log record without `sm` gets what its line says.
    """
    from pod_desktop.content.maillog_record import pairs_of

    found = dict(record)
    if isinstance(envelope := found.get("envelope"), Mapping):
        found["envelope"] = _bare_members(envelope, ("from", "rcpts"))
    line = found.get("data")
    alone = isinstance(line, str) and "envelope" not in found and not isinstance(found.get("sm"), Mapping)
    if alone and (pairs := pairs_of(str(line))):
        found["sm"] = pairs
    if isinstance(said := found.get("sm"), Mapping):
        found["sm"] = _bare_members(said, ("from", "to", "ctladdr", "msgid"))
    return found


def _bare_members(members: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: _bare(value) if name in names else value for name, value in members.items()}


def _bare(value: Any) -> Any:
    if isinstance(value, str):
        return bare(value)
    if isinstance(value, list):
        return [bare(item) if isinstance(item, str) else item for item in value[: limits.RECIPIENTS]]
    return value
