"""`message` records: one for each message that the filter handled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from pod_desktop.content.fit import fit
from pod_desktop.content.kind import (
    Kind,
    Named,
    column,
    first_moment,
    hidden,
    identity,
    joined,
    moment,
    short_id,
    time_or_arrival,
)
from pod_desktop.content.message_offers import offers
from pod_desktop.content.message_record import (
    Message,
    Texts,
    attachment_digests,
    attachment_names,
    cluster,
    country,
    decided_by,
    decoded,
    header_from,
    is_body,
    message_id,
    module,
    outcome,
    rule,
    score,
    size_of,
    source_ip,
    subject,
    times,
)
from pod_desktop.content.message_summary import summary
from pod_desktop.content.mime import bare, split_addresses
from pod_desktop.core import limits
from pod_desktop.core.record import FLAG_HIDDEN_CHARACTERS, FLAG_TRUNCATED, MESSAGE, Columns


def _text(record: Message) -> tuple[str, bool]:
    recipients = split_addresses(record.envelope.rcpts)
    decider, its_module = decided_by(record)
    sender = bare(record.envelope.sender)
    return _text_with(record, sender, recipients, subject(record), message_id(record), decider, its_module)


def _text_with(
    record: Message,
    sender: str,
    recipients: Texts,
    title: str,
    message: str,
    decider: str,
    its_module: str,
) -> tuple[str, bool]:
    header, normalized, found = record.msg.header, record.msg.normalized, record.filter
    connection = record.connection
    subjects = normalized.subject or header.subject
    fields = [
        sender,
        decoded(normalized.sender or header.sender),
        decoded(normalized.to or header.to),
        decoded(normalized.cc or header.cc),
        decoded(normalized.reply_to or header.reply_to),
        recipients[0] if len(recipients) == 1 else "\n".join(recipients),
        title if len(subjects) < 2 else f"{title}\n{decoded(subjects)}",
        message,
        found.qid,
        connection.ip,
        connection.host,
        connection.helo,
        decider,
        its_module,
        found.quarantine.folder,
        found.quarantine.rule,
        "\n".join(found.modules.av.virusNames),
        decoded(normalized.mailer or header.mailer),
        decoded(normalized.originating_ip or header.originating_ip),
    ]
    if record.msgParts:
        names: list[str] = []
        digests: list[str] = []
        urls: list[str] = []
        for part in record.msgParts:
            if not is_body(part):
                names += (part.labeledName, part.detectedName)
            digests += (part.sha256, part.md5)
            for url in part.urls:
                urls.append(url.url)
        # Hashes last: the store's word index takes their beginnings only, and looks for them there.
        fields += ("\n".join(dict.fromkeys(names)), "\n".join(urls), record.guid, "\n".join(digests))
    else:
        fields.append(record.guid)
    return joined(fields)


def columns(record: Message, raw: bytes, arrived: int) -> Columns:
    rid, flags = identity(record.guid, raw)
    time, more = moment(record.ts), 0
    if time is None:
        time, more = time_or_arrival(times(record), arrived)
    found = record.filter
    sender = bare(record.envelope.sender)
    author = header_from(record)
    recipients = split_addresses(record.envelope.rcpts)
    title = subject(record)
    message = message_id(record)
    decider, its_module = decided_by(record)
    text, cut = _text_with(record, sender, recipients, title, message, decider, its_module)
    flags |= more
    if cut:
        flags |= FLAG_TRUNCATED
    if hidden(sender, author, title, recipients):
        flags |= FLAG_HIDDEN_CHARACTERS
    # Not Columns(…), which is two calls more.
    return tuple.__new__(
        Columns,
        (
            MESSAGE,
            rid,
            time,
            cluster(record),
            found.qid,
            message,
            sender,
            author,
            recipients,
            title,
            source_ip(record),
            country(record),
            outcome(record),
            found.disposition,
            "",
            decider,
            its_module,
            found.quarantine.folder,
            found.routeDirection,
            score(record),
            size_of(record),
            flags,
            text,
        ),
    )


def _fit(value: Mapping[str, Any]) -> Message:
    return fit(Message, value)


def _recipients(record: Message) -> Texts:
    found = split_addresses(record.envelope.rcpts)[: limits.RECIPIENTS]
    return tuple(column(address) for address in found)


KIND: Final = Kind(
    name=MESSAGE,
    title="Message",
    decode=msgspec.json.Decoder(Message).decode,
    fit=_fit,
    columns=columns,
    text=lambda record: _text(record)[0],
    summary=summary,
    offers=offers,
    named={
        "id": Named(("guid",), lambda record: (short_id(record.guid),)),
        "time": Named(("ts", "filter"), lambda record: (first_moment(times(record)),)),
        "cluster": Named(("metadata", "pps"), lambda record: (cluster(record),)),
        "qid": Named(("filter",), lambda record: (record.filter.qid,)),
        "message_id": Named(("msg",), lambda record: (message_id(record),)),
        "sender": Named(("envelope",), lambda record: (bare(record.envelope.sender),)),
        "header_from": Named(("msg",), lambda record: (header_from(record),)),
        "recipient": Named(("envelope",), _recipients),
        "subject": Named(("msg",), lambda record: (subject(record),)),
        "ip": Named(("connection",), lambda record: (source_ip(record),)),
        "country": Named(("connection",), lambda record: (country(record),)),
        "outcome": Named(("filter",), lambda record: (outcome(record),)),
        "disposition": Named(("filter",), lambda record: (record.filter.disposition,)),
        "rule": Named(("filter",), lambda record: (rule(record),)),
        "module": Named(("filter",), lambda record: (module(record),)),
        "folder": Named(("filter",), lambda record: (record.filter.quarantine.folder,)),
        "direction": Named(("filter",), lambda record: (record.filter.routeDirection,)),
        "score": Named(("filter",), lambda record: (score(record),)),
        "size": Named(("filter", "msg"), lambda record: (size_of(record),)),
        "attachment.name": Named(("msgParts",), attachment_names),
        "attachment.sha256": Named(("msgParts",), attachment_digests),
        "url": Named(
            ("msgParts",), lambda record: [url.url for part in record.msgParts for url in part.urls]
        ),
        "virus": Named(("filter",), lambda record: record.filter.modules.av.virusNames),
    },
    paths={
        "host": ("connection.host",),
        "helo": ("connection.helo",),
        "route": ("filter.routes",),
        "spf": ("filter.modules.spf.result",),
        "dkim": ("filter.modules.dkimv.result",),
        "dmarc": ("filter.modules.dmarc.filterdResult", "filter.modules.dmarc.filteredResult"),
    },
)
