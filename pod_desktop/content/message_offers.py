"""What a message record offers to actions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from pod_desktop.content.fit import fit
from pod_desktop.content.message_record import Message, header_from, source_ip
from pod_desktop.content.mime import bare, split_addresses
from pod_desktop.content.offers import (
    OUTBOUND_TRAP,
    Offer,
    domain_offer,
    joined,
    literal,
    sender_traps,
    source_traps,
)
from pod_desktop.content.paths import lookup

RECIPIENTS_OFFERED: Final = 20
_FORGED: Final = (
    "The header sender can be written at will, and neither SPF nor DMARC passed: "
    "whoever was impersonated may be blocked instead of the sender."
)
_DMARC: Final = ("filter.modules.dmarc.filterdResult", "filter.modules.dmarc.filteredResult")


def offers(value: Any) -> Iterator[Offer]:
    """A value for every attribute that the record has one for."""
    record = fit(Message, value)
    outbound = record.filter.routeDirection.strip().casefold() == "outbound"
    sender = bare(record.envelope.sender)
    if sender:
        trap = sender_traps(sender, outbound=outbound)
        yield Offer("$from", "Envelope sender", sender, trap, "{envelope.from}")
        if offer := domain_offer("$from", "Sender domain", sender, OUTBOUND_TRAP if outbound else ""):
            yield offer
    yield from _author(record, value, outbound)
    yield from _source(record, outbound)
    yield from _recipients(record, outbound)


def _author(record: Message, value: Any, outbound: bool) -> Iterator[Offer]:
    author = header_from(record)
    if not author:
        return
    trap = joined(OUTBOUND_TRAP if outbound else "", "" if authenticated(value) else _FORGED)
    parsed = record.msg.parsed.sender
    # The header itself holds a display name, so it is never named.
    path = "{msg.parsedAddresses.from[0]}" if parsed and parsed[0] == author else literal(author)
    yield Offer("$hfrom", "Header from", author, trap, path)
    if offer := domain_offer("$hfrom", "Header from domain", author, trap):
        yield offer


def authenticated(value: Any) -> bool:
    """Did SPF or DMARC pass?"""
    results = [*lookup(value, "filter.modules.spf.result")]
    for path in _DMARC:
        results += lookup(value, path)
    return any(str(result).strip().casefold() == "pass" for result in results)


def _source(record: Message, outbound: bool) -> Iterator[Offer]:
    ip = source_ip(record)
    if ip:
        path = "{connection.ip}" if ip == record.connection.ip else literal(ip)
        yield Offer("$ip", "Source IP", ip, source_traps(ip, "$ip", outbound=outbound), path)
    for attribute, title, name, path in (
        ("$host", "Source host", record.connection.host, "{connection.host}"),
        ("$helo", "HELO name", record.connection.helo, "{connection.helo}"),
    ):
        if name:
            yield Offer(attribute, title, name, source_traps(name, attribute, outbound=outbound), path)


def _recipients(record: Message, outbound: bool) -> Iterator[Offer]:
    found = split_addresses(record.envelope.rcpts)
    written = [bare(text) for text in record.envelope.rcpts]
    trap = "" if outbound else "On inbound mail this is one of your own people: nobody could mail them."
    for place, address in enumerate(found[:RECIPIENTS_OFFERED]):
        same = place < len(written) and written[place] == address
        path = f"{{envelope.rcpts[{place}]}}" if same else literal(address)
        yield Offer("$rcpt", "Recipient", address, trap, path)
