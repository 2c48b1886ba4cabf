"""What a mail-log record offers to actions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from pod_desktop.content.fit import fit
from pod_desktop.content.maillog_record import Line, Said, is_delivery, relay_ip, understand
from pod_desktop.content.offers import Offer, domain_offer, joined, literal, sender_traps, source_traps

_FILTER: Final = "The relay of a mail-log line may be the filter itself."
_TOOK_IT: Final = "This is the server that took the mail, likely one of your own: no mail comes from there."
_NO_SENDER: Final = "A delivery line names no sender: act on its message, which Journey shows."
_NAME: Final = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,252}[A-Za-z0-9_])?\.?")
RECIPIENTS_OFFERED: Final = 20


def offers(value: Any) -> Iterator[Offer]:
    """Sender, relay and recipients as far as the line has them; what is likely meant comes first."""
    said = understand(fit(Line, value))
    if said.sender:
        yield Offer("$from", "Envelope sender", said.sender, sender_traps(said.sender), "{sm.from}")
        if offer := domain_offer("$from", "Sender domain", said.sender, ""):
            yield offer
    if is_delivery(said):
        yield from _recipients(said)
        yield from _relay(said)
    else:
        yield from _relay(said)
        yield from _recipients(said)


def _relay(said: Said) -> Iterator[Offer]:
    trap = _TOOK_IT if is_delivery(said) else _FILTER
    if ip := relay_ip(said):
        yield Offer("$ip", "Relay IP", ip, joined(source_traps(ip, "$ip"), trap), literal(ip))
    host = said.relay.partition("[")[0].strip().split(" ")[0].rstrip(".")
    if host and "." in host and _NAME.fullmatch(host):
        yield Offer("$host", "Relay host", host, joined(source_traps(host, "$host"), trap), literal(host))


def _recipients(said: Said) -> Iterator[Offer]:
    for address in said.recipients[:RECIPIENTS_OFFERED]:
        if "@" in address:
            trap = "On inbound mail this is one of your own people: nobody could mail them."
            yield Offer(
                "$rcpt",
                "Recipient",
                address,
                joined(trap, "" if said.sender else _NO_SENDER),
                literal(address),
            )
