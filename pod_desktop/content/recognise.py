"""Which content type a record of an imported file is, and the record inside our own export."""

from __future__ import annotations

import base64
from typing import Any, Final

import msgspec

from pod_desktop.content.document import parse
from pod_desktop.core.faults import Unreadable
from pod_desktop.core.record import AUDIT, CONTENT_TYPES, MAILLOG, MESSAGE, UNREADABLE

_MARKS: Final = (
    (AUDIT, ("audit",)),
    (MESSAGE, ("envelope", "msg", "filter", "msgParts", "connection")),
    (MAILLOG, ("sm", "data")),
    (MESSAGE, ("guid",)),
)
"""Members that only one type has, the surest first."""
_BESIDE_ID: Final = ("ts", "metadata", "pps", "tls")
"""Much of the world's JSON has an `id`: a mail-log line without its text is known by these beside it."""


class _Members(msgspec.Struct, gc=False):
    audit: msgspec.Raw = msgspec.Raw()
    envelope: msgspec.Raw = msgspec.Raw()
    msg: msgspec.Raw = msgspec.Raw()
    filter: msgspec.Raw = msgspec.Raw()
    msgParts: msgspec.Raw = msgspec.Raw()
    connection: msgspec.Raw = msgspec.Raw()
    sm: msgspec.Raw = msgspec.Raw()
    data: msgspec.Raw = msgspec.Raw()
    guid: msgspec.Raw = msgspec.Raw()
    id: msgspec.Raw = msgspec.Raw()
    ts: msgspec.Raw = msgspec.Raw()
    metadata: msgspec.Raw = msgspec.Raw()
    pps: msgspec.Raw = msgspec.Raw()
    tls: msgspec.Raw = msgspec.Raw()


class _Export(msgspec.Struct, gc=False):
    id: str
    type: str
    raw: msgspec.Raw
    raw_base64: str = ""


_members: Final = msgspec.json.Decoder(_Members)
_export: Final = msgspec.json.Decoder(_Export)


def sniff(raw: bytes) -> str:
    """The content type of a record of unknown origin; `unreadable` where it is none of ours. Never raises."""
    present: Any
    try:
        members = _members.decode(raw)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        try:
            value, _ = parse(raw)
        except Unreadable:
            return UNREADABLE
        present = value if isinstance(value, dict) else ()
    else:
        present = {name for name in members.__struct_fields__ if bytes(getattr(members, name))}
    for kind, marks in _MARKS:
        if any(mark in present for mark in marks):
            return kind
    return MAILLOG if "id" in present and any(mark in present for mark in _BESIDE_ID) else UNREADABLE


def unwrap(raw: bytes) -> bytes:
    """The record inside a line of our own export (`search --format ndjson --raw`), else the bytes unchanged.

    Never raises. The inner bytes are those of the record as it was received.
    """
    if b'"raw"' not in raw:
        return raw
    try:
        line = _export.decode(raw)
        if line.type not in (*CONTENT_TYPES, UNREADABLE) or not line.id.startswith(f"{line.type}:"):
            return raw
        if line.raw_base64:
            return base64.b64decode(line.raw_base64, validate=True)
        inner = bytes(line.raw)
        return msgspec.json.decode(inner, type=str).encode() if inner[:1] == b'"' else inner
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return raw
