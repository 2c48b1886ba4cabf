"""What an analyst should read before all else of a message: names and addresses that do not fit together."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from pod_desktop.content.message_record import Message, attachment_names, header_from, outcome, subject
from pod_desktop.content.mime import bare, display_name, header_address, readable, split_addresses
from pod_desktop.content.wording import few, shown
from pod_desktop.core.blocks import BAD, INFO, WARN, Notice
from pod_desktop.core.record import DELIVERED, QUARANTINED
from pod_desktop.core.text import (
    disguise,
    domain_of,
    hidden_characters,
    resembles,
    skeleton,
    unicode_domain,
)

_ADDRESS: Final = re.compile(r"[^\s<>\"'(),;:@]{1,64}@([^\s<>\"'(),;:@]{1,255})")
_DOMAIN: Final = re.compile(r"(?<![\w@.-])((?:[\w-]{1,63}\.){1,6}[A-Za-z]{2,24})(?![\w@.-])")
_FILE_ENDINGS: Final = frozenset("doc docx exe html htm jpg pdf png ppt txt xls xlsx xml zip".split())
_WORD: Final = re.compile(r"\w{5,40}")
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1"})
_PASSES: Final = frozenset({"accept", "continue"})


def suspicions(record: Message, dmarc: str) -> Iterator[Notice]:
    """The notices of a message; `dmarc` is its DMARC result."""
    sender, author = bare(record.envelope.sender), header_from(record)
    reply_to = _reply_to(record)
    yield from _hidden(record, sender, author)
    yield from _disguises(record, sender, author, reply_to)
    yield from _claims(_author_name(record), author or sender)
    yield from _mismatches(sender, author, reply_to, dmarc)
    yield from _copies(record)
    if record.connection.ip in _LOOPBACK:
        yield Notice(
            f"The source is the filter itself ({record.connection.ip}): the true client is not in this record.",
            INFO,
        )
    if record.filter.routeDirection.casefold() == "outbound":
        yield Notice("Outbound: this message was sent from inside.", INFO)


def author_line(record: Message) -> str:
    """The From header as people read it."""
    texts = record.msg.normalized.sender or record.msg.header.sender
    return readable(texts[0]) if texts else header_from(record)


def _author_name(record: Message) -> str:
    texts = record.msg.header.sender or record.msg.normalized.sender
    return display_name(texts[0]) if texts else ""


def _reply_to(record: Message) -> str:
    texts = record.msg.header.reply_to or record.msg.normalized.reply_to
    return header_address(texts[0]) if texts else ""


def _hidden(record: Message, sender: str, author: str) -> Iterator[Notice]:
    places = (
        ("the subject", subject(record)),
        ("the display name", _author_name(record)),
        ("the envelope sender", sender),
        ("the header sender", author),
        ("the recipients", " ".join(split_addresses(record.envelope.rcpts)[:100])),
        ("an attachment's name", " ".join(attachment_names(record)[:100])),
    )
    for place, text in places:
        if found := hidden_characters(text[:4_096]):
            names = dict.fromkeys(f"{one.codepoint} {one.name}" for one in found)
            yield Notice(f"Hidden characters in {place} ({len(found)}): {few(names, 5)}.", BAD)


def _disguises(record: Message, sender: str, author: str, reply_to: str) -> Iterator[Notice]:
    domains = dict.fromkeys(
        domain.casefold() for one in (author, sender, reply_to) if (domain := domain_of(one))
    )
    own = dict.fromkeys(domain_of(one).casefold() for one in split_addresses(record.envelope.rcpts)[:100])
    for domain in domains:
        if found := disguise(domain):
            tone = INFO if found.reason.startswith("is written in") else BAD
            yield Notice(
                f"Domain {shown(found.shown, 300)} ({shown(found.punycode, 300)}) {shown(found.reason, 300)}.",
                tone,
            )
        for known in own:
            if resembles(domain, known):
                yield Notice(
                    f"Domain {shown(domain, 300)} looks like {shown(known, 300)}, the recipients' own.", BAD
                )


def _claims(name: str, address: str) -> Iterator[Notice]:
    """A display name that names another address or domain than the sender's, or imitates a word of it."""
    domain = domain_of(address).casefold()
    if not name or not domain:
        return
    said = f"Display name “{shown(name, 200)}”"
    if match := _ADDRESS.search(name):
        if match[0].casefold() != address.casefold():
            yield Notice(f"{said} shows another address than {shown(address, 300)}.", BAD)
        return
    for match in _DOMAIN.finditer(name):
        claimed = match[1].casefold()
        if claimed.rpartition(".")[2] not in _FILE_ENDINGS and not related(claimed, domain):
            yield Notice(f"{said} names another domain than {shown(domain, 300)}.", BAD)
            return
    readable_domain = unicode_domain(domain).casefold()
    looks = skeleton(readable_domain)
    for word in _WORD.findall(name.casefold()):
        if skeleton(word) in looks and word not in readable_domain:
            yield Notice(f"{said} does not match domain {shown(domain, 300)}, which imitates it.", BAD)
            return


def _mismatches(sender: str, author: str, reply_to: str, dmarc: str) -> Iterator[Notice]:
    envelope, header, reply = (domain_of(one).casefold() for one in (sender, author, reply_to))
    if envelope and header and not related(envelope, header):
        # Mailing services send with domains of their own; DMARC says whether the author's agrees.
        passed = dmarc.casefold() == "pass"
        yield Notice(
            f"Header from is at {shown(header, 300)}, the envelope sender at {shown(envelope, 300)}"
            + (" (DMARC passed)." if passed else "."),
            INFO if passed else WARN,
        )
    if reply and header and not related(reply, header):
        yield Notice(f"Replies go to another domain: {shown(reply_to, 300)}.", WARN)


def _copies(record: Message) -> Iterator[Notice]:
    disposition = record.filter.disposition.casefold()
    if disposition not in _PASSES or not record.filter.quarantine.folder:
        return
    folder = shown(record.filter.quarantine.folder, 100)
    became = outcome(record)
    if became == DELIVERED:
        yield Notice(f"A copy was kept in folder {folder}; the message itself went on ({disposition}).", INFO)
    elif became == QUARANTINED:
        yield Notice(
            f"Quarantined in folder {folder}, but the disposition is {disposition}: "
            "the recipients may have the message as well.",
            WARN,
        )


def related(one: str, other: str) -> bool:
    """Is one domain the other, below it, or beside it under one registered name?

    Without a list of public suffixes: the last two labels decide, the last three where the last two are
    short (co.uk, com.au).
    """
    one, other = one.rstrip("."), other.rstrip(".")
    if one == other or one.endswith("." + other) or other.endswith("." + one):
        return True
    return registered(one) == registered(other)


def registered(domain: str) -> str:
    labels = domain.split(".")
    short = len(labels) > 2 and len(labels[-1]) == 2 and len(labels[-2]) <= 3
    return ".".join(labels[-3:] if short else labels[-2:])
