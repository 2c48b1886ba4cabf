"""What a handshake asks for, and what the service refuses in it. Pure: no socket here."""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import parse_qs, urlsplit

from pod_desktop.core.clock import DAY, HOUR, parse_iso
from pod_desktop.core.connector import STREAM_PATH
from pod_desktop.core.limits import ARCHIVE_DAYS
from pod_desktop.core.record import CONTENT_TYPES


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamRequest:
    """A handshake that can be granted."""

    kind: str
    key: int
    """Place of the API key in the simulator's list."""
    archive: tuple[int, int | None] | None
    """Begin and end in microseconds UTC; None = live."""
    target: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    status: int
    why: str
    kind: str = ""
    target: str = ""


class Gate(Protocol):
    """What a request is checked against."""

    @property
    def cluster_id(self) -> str: ...
    @property
    def api_keys(self) -> Sequence[str]: ...
    def now(self) -> int: ...


def read_request(method: str, target: str, headers: Mapping[str, str], gate: Gate) -> StreamRequest | Refusal:
    """Judge a request in the order that the service does: path, method, parameters, token."""
    url = urlsplit(target)
    query = parse_qs(url.query, keep_blank_values=True)
    kind = query.get("type", [""])[0]
    shown = kind if kind in CONTENT_TYPES else ""

    def refuse(status: int, why: str) -> Refusal:
        return Refusal(status=status, why=why, kind=shown, target=target)

    if url.path != STREAM_PATH:
        return refuse(404, "path")
    if method != "GET":
        return refuse(405, "method")
    if "websocket" not in headers.get("Upgrade", "").lower():
        return refuse(404, "no upgrade")
    cid = query.get("cid", [""])[0]
    if not cid or kind not in CONTENT_TYPES:
        return refuse(400, "cid or type")
    try:
        archive = _window(query, gate.now())
    except ValueError as error:
        return refuse(400, str(error))
    key = _key(headers.get("Authorization", ""), gate.api_keys)
    if key is None or cid != gate.cluster_id:
        return refuse(401, "token" if key is None else "cid")
    return StreamRequest(kind=kind, key=key, archive=archive, target=target)


def _window(query: Mapping[str, list[str]], now: int) -> tuple[int, int | None] | None:
    """Begin and end of an archive request, as asked; None = live.

    Raises:
        ValueError: no times, in the wrong order, or outside the archive.
    """
    since, to = (query.get(name, [None])[0] for name in ("sinceTime", "toTime"))
    if since is None and to is None:
        return None
    if since is None:
        raise ValueError("toTime without sinceTime")
    begin, end = parse_iso(since), None if to is None else parse_iso(to)
    oldest, newest = now - ARCHIVE_DAYS * DAY, now - now % HOUR + HOUR
    if not oldest <= begin <= newest or (end is not None and not oldest <= end <= newest):
        raise ValueError("outside the archive")
    if end is not None and end < begin:
        raise ValueError("toTime before sinceTime")
    return begin, end


def _key(authorization: str, keys: Sequence[str]) -> int | None:
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer":
        return None
    for place, key in enumerate(keys):
        if hmac.compare_digest(key.encode(), token.strip().encode()):
            return place
    return None
