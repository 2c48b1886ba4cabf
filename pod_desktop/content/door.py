"""The one door in: any bytes to columns, for records of any content type, old or new, whole or broken."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from operator import itemgetter
from typing import Any, Final

import msgspec

from pod_desktop import template
from pod_desktop.content import audit, maillog, message, unreadable
from pod_desktop.content.document import is_clean, parse
from pod_desktop.content.kind import Kind, Values, column
from pod_desktop.content.offers import Offer, fillable, literal, sender_traps
from pod_desktop.content.paths import lookup
from pod_desktop.core import limits
from pod_desktop.core.blocks import Block
from pod_desktop.core.faults import Unreadable
from pod_desktop.core.record import (
    FLAG_REPAIRED,
    FLAG_TRUNCATED,
    UNREADABLE,
    Columns,
    EventRow,
)
from pod_desktop.core.text import domain_of

log = logging.getLogger(__name__)

CONTENT: Final[Mapping[str, Kind]] = {
    kind.name: kind for kind in (message.KIND, maillog.KIND, audit.KIND, unreadable.KIND)
}
"""Every content type by name: a new one is a file of its own and a place in this line."""

_SAFELY_SMALL: Final = limits.COLUMN_CHARS - 512
"""No column of a record of so few bytes can reach its limit, not even a composed one."""
_COLUMN_FIELDS: Final = frozenset(
    "cluster qid message_id sender header_from subject ip country outcome disposition rule module folder "
    "direction stat".split()
)
_texts: Final = itemgetter(
    *(Columns._fields.index(name) for name in ("kind", "rid", *sorted(_COLUMN_FIELDS)))
)
"""All columns of text but the search text."""
_DOMAINS: Final = {f"{name}.domain": name for name in ("sender", "header_from", "recipient")}
_NAMES: Final = frozenset(
    name for kind in CONTENT.values() for names in (kind.named, kind.paths) for name in names
)


def title(kind: str) -> str:
    """The content type's name for people; the name itself where it is not known."""
    return CONTENT[kind].title if kind in CONTENT else kind


def read(kind: str, raw: bytes, arrived: int) -> Columns:
    """What lists and filters need of a record. Never raises; bytes that are no record become `unreadable`.

    Args:
        kind: content type of the stream that it came from.
        raw: the record exactly as received.
        arrived: microseconds UTC, for records without a readable time.
    """
    try:
        return _read(kind, raw, arrived)
    except Unreadable as fault:
        return unreadable.columns(raw, arrived, str(fault))
    except Exception:  # a bug of ours must not end the feed; the record is kept raw
        log.exception("A %s record of %d bytes could not be read", kind, len(raw))
        return unreadable.columns(raw, arrived, "It could not be read; the log file says more.")


def _read(kind: str, raw: bytes, arrived: int) -> Columns:
    content = CONTENT.get(kind, unreadable.KIND)
    if content.decode is not None and is_clean(raw):
        try:
            found = content.columns(content.decode(raw), raw, arrived)
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            pass  # other types than usual, or more than strict JSON
        else:
            return found if len(raw) <= _SAFELY_SMALL else _bounded(found)
    value, repaired = parse(raw)
    if not isinstance(value, dict):
        raise Unreadable(f"It is JSON, but {_word_for(value)} and not an object.")
    found = content.columns(content.fit(value), raw, arrived)
    if repaired:
        found = found._replace(flags=found.flags | FLAG_REPAIRED)
    return _bounded(found)


def _word_for(value: object) -> str:
    words = {list: "a list", str: "a text", bool: "true or false", type(None): "null"}
    return words.get(type(value), "a number")


def _bounded(found: Columns) -> Columns:
    """The columns within their limits (the text is already)."""
    most = limits.COLUMN_CHARS
    recipients = found.recipients
    few = len(recipients) <= limits.RECIPIENTS and len("".join(recipients)) <= most
    if few and len("".join(_texts(found))) <= most:
        return found
    changed: dict[str, Any] = {
        name: value[:most]
        for name, value in zip(Columns._fields, found, strict=True)
        if isinstance(value, str) and len(value) > most and name != "text"
    }
    if len(recipients) > limits.RECIPIENTS or any(len(address) > most for address in recipients):
        changed["recipients"] = tuple(address[:most] for address in recipients[: limits.RECIPIENTS])
    return found._replace(flags=found.flags | FLAG_TRUNCATED, **changed) if changed else found


def values(kind: str, document_value: object, field: str) -> Values:
    """All values of a field of a record: a named field, or any JSON path of the raw record.

    Args:
        kind: the record's content type.
        document_value: Document.value.
        field: `sender`, `score`, …, or a path such as `filter.modules.spam.scores.classifiers.phish`.

    Returns:
        Texts and numbers; `time` in microseconds UTC, `delay` in seconds. Empty where the record has none.
        What read() puts into a column is cut here as it is there.
    """
    content = CONTENT.get(kind)
    if content is None or not isinstance(document_value, dict):
        return ()
    if base := _DOMAINS.get(field):
        return tuple(
            domain for value in values(kind, document_value, base) if (domain := domain_of(str(value)))
        )
    if named := content.named.get(field):
        parts = {name: document_value[name] for name in named.parts if name in document_value}
        found = [value for value in named.get(content.fit(parts)) if value not in (None, "")]
        if field in _COLUMN_FIELDS:
            return tuple(column(value) if isinstance(value, str) else value for value in found)
        return tuple(found)
    if paths := content.paths.get(field):
        return tuple(dict.fromkeys(value for path in paths for value in lookup(document_value, path)))
    return () if field in _NAMES else lookup(document_value, field)


def search_text(kind: str, document_value: object) -> str:
    """What free-text search looks in: Columns.text of the same record."""
    content = CONTENT.get(kind)
    if content is None or content.name == UNREADABLE or not isinstance(document_value, dict):
        return ""
    return content.text(content.fit(document_value))


def summary(kind: str, document_value: object, columns: Columns | EventRow) -> tuple[Block, ...]:
    """What an analyst decides by, as neutral blocks. Never raises.

    For an unreadable record `document_value` may be Document.excerpt.
    """
    content = CONTENT.get(kind, unreadable.KIND)
    if content.name != UNREADABLE and not isinstance(document_value, dict):
        content = unreadable.KIND
    return content.summary(document_value, columns)


def offers(kind: str, document_value: object, columns: Columns | EventRow | None = None) -> tuple[Offer, ...]:
    """Values of the record that an action may take, with the trap of each. Never raises.

    Args:
        columns: where the record itself cannot be read any more, its sender is offered from here.
    """
    content = CONTENT.get(kind)
    if content is not None and isinstance(document_value, dict):
        found = _fitting(content.offers(document_value), fillable(document_value))
        if found or columns is None:
            return found
    sender = columns.sender if columns is not None else ""
    return (
        (Offer("$from", "Envelope sender", sender, sender_traps(sender), literal(sender)),) if sender else ()
    )


def _fitting(offered: Iterable[Offer], scope: Mapping[str, Any]) -> tuple[Offer, ...]:
    """The offers with a value; an expression that does not give just this value becomes the value itself.

    Records of unusual shape read as meant, but their paths may lead elsewhere.
    """
    found = []
    for offer in offered:
        if not offer.value.strip():
            continue
        try:
            fits = template.fill_text(offer.expression, scope) == offer.value
        except template.TemplateFault:
            fits = False
        found.append(offer if fits else offer._replace(expression=literal(offer.value)))
    return tuple(dict.fromkeys(found))
