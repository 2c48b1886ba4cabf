"""What an analyst decides by, of a `message` record: suspicions first, then what became of it and why."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from pod_desktop.content.fit import fit, number_of, text_of
from pod_desktop.content.message_record import (
    Message,
    Part,
    country,
    decoded,
    header_from,
    is_body,
    message_id,
    module,
    outcome,
    rule,
    size_of,
)
from pod_desktop.content.mime import bare, split_addresses
from pod_desktop.content.suspicions import author_line, suspicions
from pod_desktop.content.wording import (
    fact,
    facts,
    few,
    few_lines,
    outcome_chip,
    result_chip,
    shown,
    size_words,
    text_at,
    texts_at,
)
from pod_desktop.core.blocks import (
    BAD,
    MUTED,
    WARN,
    Block,
    Chip,
    Chips,
    Fact,
    Lines,
    Notice,
    Score,
    Scores,
)
from pod_desktop.core.record import Columns, EventRow
from pod_desktop.core.text import defang

_CLASSIFIERS: Final = ("phish", "malware", "spam", "impostor", "suspect", "bulk", "adult", "lowpriority")
"""Those from 0 to 100; mlx and mlxlog are internal figures on other scales."""
_POLICY: Final = re.compile(r"\bp=\s{0,5}(none|quarantine|reject)\b", re.IGNORECASE)
_PART_STATES: Final = {
    "isProtected": "password-protected",
    "isArchive": "archive",
    "isCorrupted": "corrupted",
    "isDeleted": "removed by the filter",
    "isTimedOut": "not fully scanned",
}
_SAME_KIND: Final = ({"jpg", "jpeg"}, {"htm", "html"}, {"txt", "text"}, {"tif", "tiff"}, {"mpg", "mpeg"})


def summary(value: Any, columns: Columns | EventRow) -> tuple[Block, ...]:
    record = fit(Message, value)
    dmarc = text_at(value, "filter.modules.dmarc.filterdResult", "filter.modules.dmarc.filteredResult")
    attached = [(part, plain) for part, plain in _parts(record, value) if not is_body(part)]
    blocks: list[Block] = []
    if viruses := texts_at(value, "filter.modules.av.virusNames"):
        blocks.append(Notice(f"Virus found: {shown(few(viruses, 10))}.", BAD))
    blocks += suspicions(record, dmarc)
    blocks += [Notice(words, WARN) for part, plain in attached if (words := _mislabelled(part, plain))]
    blocks += facts(_facts(record, value))
    blocks += _authentication(value, dmarc)
    blocks += _scores(value)
    blocks += _lists(record, value, attached)
    return tuple(blocks)


def _facts(record: Message, value: Any) -> Iterator[Fact]:
    found = record.filter
    became = outcome(record)
    yield fact(
        "Disposition",
        _dotted(
            f"folder {found.quarantine.folder}" if found.quarantine.folder else "",
            f"module {module(record)}" if module(record) else "",
        ),
        chips=(outcome_chip(became, f"disposition {found.disposition}" if found.disposition else ""),),
        tip=f"disposition {found.disposition}" if found.disposition else "",
    )
    yield fact("Rule", rule(record))
    if found.quarantine.rule != rule(record):
        yield fact("Quarantine rule", found.quarantine.rule)
    yield fact("Envelope from", bare(record.envelope.sender) or "<> (no sender)", mono=True)
    if author_line(record) != header_from(record) or header_from(record) != bare(record.envelope.sender):
        yield fact("Header from", author_line(record), mono=True)
    yield fact("Reply to", decoded(record.msg.normalized.reply_to or record.msg.header.reply_to), mono=True)
    recipients = split_addresses(record.envelope.rcpts)
    yield fact("Recipients", few(recipients, 20), mono=True, tip=f"{len(recipients):,} in all")
    yield fact("Source", _source(record, value), mono=True)
    yield fact("Routes", few(texts_at(value, "filter.routes"), 20))
    yield fact("Direction", found.routeDirection)
    yield fact("Size", _dotted(size_words(size_of(record)), _count(len(record.msgParts), "part")))
    yield fact("Message-ID", message_id(record), mono=True)
    yield fact("Queue id", found.qid, mono=True)
    yield fact("Split from", text_at(value, "filter.origGuid"), mono=True)
    yield fact("List match", few(_list_matches(value), 10))


def _dotted(*pieces: str) -> str:
    return " · ".join(piece for piece in pieces if piece)


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}" if number else ""


def _source(record: Message, value: Any) -> str:
    connection = record.connection
    ip = f"{connection.ip} ({country(record)})" if country(record) and connection.ip else connection.ip
    host = connection.host if connection.host.strip("[]") != connection.ip else ""
    helo = f"helo {connection.helo}" if connection.helo not in ("", connection.host) else ""
    version = text_at(value, "connection.tls.inbound.version")
    secure = version.replace("TLSv", "TLS ") if version else ""
    if not secure and connection.ip and "tls" not in _member(value, "connection"):
        secure = "no TLS"
    return _dotted(ip, host, helo, secure)


def _member(value: Any, name: str) -> dict[str, Any]:
    found = value.get(name)
    return found if isinstance(found, dict) else {}


def _list_matches(value: Any) -> Iterator[str]:
    spam = _member(_member(_member(value, "filter"), "modules"), "spam")
    matches = spam.get("safeBlockedListMatches")
    for match in matches if isinstance(matches, list) else ():
        if isinstance(match, dict):
            yield _dotted(text_of(match.get("listType")), text_of(match.get("rule")))


def _authentication(value: Any, dmarc: str) -> Iterator[Chips]:
    chips: list[Chip] = []
    if spf := text_at(value, "filter.modules.spf.result"):
        chips.append(result_chip("SPF", spf, tip=text_at(value, "filter.modules.spf.domain")))
    signatures = _member(_member(value, "filter"), "modules").get("dkimv")
    results: dict[str, list[str]] = {}
    for signature in signatures if isinstance(signatures, list) else ():
        if isinstance(signature, dict) and (result := text_of(signature.get("result"))):
            results.setdefault(result, []).append(text_of(signature.get("domain")))
    chips += [result_chip("DKIM", result, tip=few(filter(None, who), 10)) for result, who in results.items()]
    if dmarc:
        records = " ".join(texts_at(value, "filter.modules.dmarc.records"))
        policy = _POLICY.search(records[:20_000])
        chips.append(result_chip("DMARC", dmarc, f"p={policy[1].lower()}" if policy else ""))
    if chips:
        yield Chips("Authentication", tuple(chips[:10]))


def _scores(value: Any) -> Iterator[Scores]:
    base = "filter.modules.spam.scores"
    rows: list[Score] = []
    for name in ("overall", *(f"classifiers.{name}" for name in _CLASSIFIERS)):
        score = number_of(text_at(value, f"{base}.{name}"))
        if score is not None and -1_000 <= score <= 1_000:
            tone = BAD if score >= 80 else WARN if score >= 20 else MUTED
            rows.append(Score(name.rpartition(".")[2], float(score), 100.0, tone))
    if rows:
        yield Scores("Spam scores", tuple(rows))


def _parts(record: Message, value: Any) -> list[tuple[Part, dict[str, Any]]]:
    plain = value.get("msgParts")
    items = [item for item in plain if item is not None] if isinstance(plain, list) else [plain]
    return [(part, item if isinstance(item, dict) else {}) for part, item in zip(record.msgParts, items)]


def _mislabelled(part: Part, plain: dict[str, Any]) -> str:
    """What an attachment says it is and what the filter found, where they differ."""
    labeled, detected = (text_of(plain.get(name)).casefold() for name in ("labeledExt", "detectedExt"))
    if not labeled or not detected or labeled == detected:
        return ""
    if any({labeled, detected} <= same for same in _SAME_KIND):
        return ""
    name = part.labeledName or part.detectedName or "An attachment"
    return f"{shown(name, 200)} is labelled {shown(labeled, 40)}, but it is {shown(detected, 40)}."


def _lists(record: Message, value: Any, attached: list[tuple[Part, dict[str, Any]]]) -> Iterator[Lines]:
    if attached:
        yield Lines("Attachments", few_lines(_attachment(part, plain) for part, plain in attached))
    urls = list(dict.fromkeys(url.url for part in record.msgParts for url in part.urls if url.url))
    if urls:
        rewritten = number_of(text_at(value, "filter.modules.urldefense.counts.rewritten") or None)
        note = f", {rewritten} rewritten by URL Defense" if rewritten else ""
        yield Lines(f"URLs ({len(urls):,}{note})", few_lines(defang(url[:2_000]) for url in urls))


def _attachment(part: Part, plain: dict[str, Any]) -> str:
    size = number_of(plain.get("detectedSizeBytes"))
    if size is None or size < 0:
        size = number_of(plain.get("sizeDecodedBytes"))
    states = [words for name, words in _PART_STATES.items() if text_of(plain.get(name)) == "true"]
    sandbox = text_of(plain.get("sandboxStatus"))
    return _dotted(
        part.labeledName or part.detectedName or "(no name)",
        size_words(size),
        *states,
        f"sandbox {sandbox}" if sandbox else "",
        f"sha256 {part.sha256}" if part.sha256 else f"md5 {part.md5}" if part.md5 else "",
    )
