"""Connectors as the user defines them, and the rules their values keep. Secrets are never in here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from pod_desktop.core import limits
from pod_desktop.core.clock import DAY, parse_iso, parse_span
from pod_desktop.core.faults import UserFault
from pod_desktop.core.record import CONTENT_TYPES

EMAIL: Final = "email"
PROOFPOINT_ON_DEMAND: Final = "proofpoint_on_demand"
THIS_COMPUTER: Final = "this_computer"
DEFAULT_STREAM_URL: Final = "wss://logstream.proofpoint.com:443"
DEFAULT_COLLECT_FROM: Final = "7d"
STREAM_PATH: Final = "/v1/stream"
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectConnector:
    """Category Email, Type Proofpoint on Demand, Function Collect."""

    name: str
    tenant: str
    cluster_id: str
    content_types: tuple[str, ...]
    collect_from: str = DEFAULT_COLLECT_FROM
    """A span before creation (`7d`), an ISO 8601 time, or `now` (no backfill)."""
    run_on: str = THIS_COMPUTER
    log_filters: tuple[str, ...] = ()
    stream_url: str = DEFAULT_STREAM_URL
    ca_file: str = ""
    category: str = EMAIL
    type: str = PROOFPOINT_ON_DEMAND

    @property
    def function(self) -> str:
        return "collect"


SECRET_NAMES: Final = ("api_key",)
"""Secrets of a collect connector."""


def check_name(name: str, taken: Iterable[str] = ()) -> str:
    """The name without outer blanks.

    Raises:
        UserFault: empty, too long, not printable ASCII, or taken already.
    """
    name = name.strip()
    if not name:
        raise UserFault("Give the connector a name.", "name", "For example acme-proofpoint.")
    for char in name:
        if not " " <= char <= "~":
            shown = f"“{char}” (U+{ord(char):04X})" if char.isprintable() else f"U+{ord(char):04X}"
            raise UserFault(
                f"The name holds {shown}; only printable ASCII is accepted, no multibyte characters.",
                "name",
                "Use letters A-Z, digits, dots and dashes, for example acme-proofpoint.",
            )
    if "/" in name or "\\" in name:
        raise UserFault("The name holds a slash.", "name", "Use dashes instead.")
    if len(name) > limits.NAME_CHARS:
        raise UserFault(f"The name has {len(name):,} characters; {limits.NAME_CHARS} is the most.", "name")
    if name.casefold() in {other.casefold() for other in taken}:
        raise UserFault(f"A connector named {name} exists already.", "name", "Choose another name.")
    return name


def check_tenant(tenant: str) -> str:
    """The tenant's name without outer blanks.

    Raises:
        UserFault: empty, too long, or with control characters.
    """
    tenant = tenant.strip()
    if not tenant:
        raise UserFault("Give the tenant's name.", "tenant", "It is kept with every record.")
    if len(tenant) > limits.NAME_CHARS:
        raise UserFault(
            f"The tenant name has {len(tenant):,} characters; {limits.NAME_CHARS} is the most.",
            "tenant",
        )
    if not tenant.isprintable():
        raise UserFault("The tenant name holds control characters.", "tenant", "Type it again.")
    return tenant


def check_cluster_id(cluster_id: str) -> str:
    """The cluster id without outer blanks.

    Raises:
        UserFault: empty, too long, or with characters that no cluster id has.
    """
    cluster_id = cluster_id.strip()
    where = "You find it at the top of the Proofpoint on Demand management interface."
    if not cluster_id:
        raise UserFault("Give the Cluster ID.", "cluster_id", where)
    if len(cluster_id) > limits.NAME_CHARS:
        raise UserFault(
            f"The Cluster ID has {len(cluster_id):,} characters; {limits.NAME_CHARS} is the most.",
            "cluster_id",
            where,
        )
    if bad := re.search(r"[^\x21-\x7e]", cluster_id):
        shown = "a blank" if bad[0].isspace() else f"U+{ord(bad[0]):04X}"
        raise UserFault(f"The Cluster ID holds {shown}; it looks like acme_hosted.", "cluster_id", where)
    return cluster_id


def check_api_key(key: str) -> str:
    """The API key as it is sent: outer blanks, quotes and a pasted `Bearer ` taken off.

    Raises:
        UserFault: empty, too long, or with blanks, line breaks or other characters inside.
            The message never holds the key.
    """
    key = key.strip()
    if len(key) > 1 and key[0] == key[-1] and key[0] in "\"'":
        key = key[1:-1].strip()
    if key[:7].casefold() == "bearer ":
        key = key[7:].strip()
    if not key:
        raise UserFault("Give the API key.", "api_key", "Settings > API Key Management makes one.")
    if len(key) > limits.SECRET_CHARS:
        raise UserFault(f"The API key has {len(key):,} characters; that is no key.", "api_key")
    if re.search(r"\s", key):
        raise UserFault(
            "The API key holds a blank or a line break inside.", "api_key", "Copy it again in one piece."
        )
    if re.search(r"[^\x21-\x7e]", key):
        raise UserFault(
            "The API key holds characters that no key has.", "api_key", "Copy it again in one piece."
        )
    return key


def check_content_types(types: Iterable[str]) -> tuple[str, ...]:
    """The chosen content types in their fixed order.

    Raises:
        UserFault: none, or an unknown one.
    """
    chosen = tuple(types)
    for kind in chosen:
        if kind not in CONTENT_TYPES:
            raise UserFault(
                f"{kind!r} is no content type.", "content_types", f"Choose from {', '.join(CONTENT_TYPES)}."
            )
    if not chosen:
        raise UserFault("Choose at least one content type.", "content_types")
    return tuple(kind for kind in CONTENT_TYPES if kind in chosen)


def check_collect_from(text: str) -> str:
    """Where collecting starts: `7d`, an ISO 8601 time, or `now`.

    Raises:
        UserFault: none of these, or a span longer than the archive reaches.
    """
    text = text.strip() or DEFAULT_COLLECT_FROM
    if text == "now":
        return text
    hint = f"Write a length of time such as 7d, a time such as 2026-11-24T09:00Z, or now; {limits.ARCHIVE_DAYS}d is the most."
    try:
        span = parse_span(text)
    except ValueError:
        try:
            parse_iso(text)
        except ValueError:
            raise UserFault(f"{text!r} is not a time.", "collect_from", hint) from None
        return text
    if span > limits.ARCHIVE_DAYS * DAY:
        raise UserFault(f"{text} is longer than the archive reaches.", "collect_from", hint)
    return text


def collect_start(collect_from: str, created: int) -> int:
    """Microseconds UTC where collecting starts, never before the archive's reach."""
    oldest = created - limits.ARCHIVE_DAYS * DAY
    if collect_from == "now":
        return created
    try:
        start = created - parse_span(collect_from)
    except ValueError:
        start = parse_iso(collect_from)
    return max(oldest, min(start, created))


def check_stream_url(url: str) -> str:
    """`wss://host[:port]`; `ws://` for this computer only.

    Raises:
        UserFault: another scheme, userinfo, query or fragment, a path other than /v1/stream, a bad port.
    """
    url = url.strip() or DEFAULT_STREAM_URL
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise UserFault(f"{url!r} is no address.", "stream_url", "Write wss://host:port.") from None
    if parts.scheme not in ("wss", "ws") or not parts.hostname or (port is not None and port < 1):
        raise UserFault(
            f"{url!r} is no WebSocket address.", "stream_url", f"Write it like {DEFAULT_STREAM_URL}."
        )
    if parts.username is not None or parts.query or parts.fragment:
        raise UserFault(
            "The stream address holds a user name, a query or a fragment.",
            "stream_url",
            "Give scheme, host and port only.",
        )
    if parts.path.rstrip("/") not in ("", STREAM_PATH):
        raise UserFault(
            f"The stream address holds the path {parts.path!r}.",
            "stream_url",
            "Give scheme, host and port only.",
        )
    if parts.scheme == "ws" and parts.hostname not in _LOOPBACK:
        raise UserFault(
            "ws:// would send the API key in clear text over the network.",
            "stream_url",
            "Use wss://; ws:// is accepted for this computer only.",
        )
    return f"{parts.scheme}://{parts.netloc}"


_FILE_KEYS: Final = frozenset(
    {
        "name", "category", "type", "tenant", "run_on", "cluster_id", "content_types",
        "collect_from", "log_filters", "stream_url", "ca_file",
    }
)  # fmt: skip


def from_file(data: Mapping[str, object], taken: Iterable[str] = ()) -> CollectConnector:
    """A connector from its file's JSON object.

    Raises:
        UserFault: an unknown, missing or unfit value; `where` names the key.
    """
    for key in data:
        if key not in _FILE_KEYS:
            raise UserFault(f"Unknown key {key!r}.", str(key), f"Known: {', '.join(sorted(_FILE_KEYS))}.")

    def text(key: str, default: str | None = None) -> str:
        value = data.get(key, default)
        if value is None:
            raise UserFault(f"{key!r} is missing.", key)
        if not isinstance(value, str):
            raise UserFault(f"{key!r} must be text.", key)
        return value

    def texts(key: str, default: tuple[str, ...] | None = None) -> tuple[str, ...]:
        value = data.get(key, default)
        if value is None:
            raise UserFault(f"{key!r} is missing.", key)
        if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
            raise UserFault(f"{key!r} must be a list of texts.", key)
        return tuple(value)

    category = text("category", EMAIL)
    if category != EMAIL:
        raise UserFault(f"Category {category!r} is not known here.", "category", f"Use {EMAIL!r}.")
    kind = text("type", PROOFPOINT_ON_DEMAND)
    if kind != PROOFPOINT_ON_DEMAND:
        raise UserFault(f"Type {kind!r} is not known.", "type", f"Use {PROOFPOINT_ON_DEMAND!r}.")
    run_on = text("run_on", THIS_COMPUTER)
    if run_on.replace(" ", "_").casefold() != THIS_COMPUTER:
        raise UserFault(f"Run On {run_on!r} is not known.", "run_on", f"Use {THIS_COMPUTER!r}.")
    if filters := texts("log_filters", ()):
        raise UserFault(
            f"Log filters are not supported yet ({len(filters)} given).",
            "log_filters",
            "Leave the list empty.",
        )
    return CollectConnector(
        name=check_name(text("name"), taken),
        tenant=check_tenant(text("tenant")),
        cluster_id=check_cluster_id(text("cluster_id")),
        content_types=check_content_types(texts("content_types")),
        collect_from=check_collect_from(text("collect_from", DEFAULT_COLLECT_FROM)),
        stream_url=check_stream_url(text("stream_url", DEFAULT_STREAM_URL)),
        ca_file=text("ca_file", "").strip(),
    )


def to_file(connector: CollectConnector) -> dict[str, object]:
    """The connector as its file's JSON object; from_file() reads it back."""
    return {
        "name": connector.name,
        "category": connector.category,
        "type": connector.type,
        "tenant": connector.tenant,
        "run_on": connector.run_on,
        "cluster_id": connector.cluster_id,
        "content_types": list(connector.content_types),
        "collect_from": connector.collect_from,
        "log_filters": list(connector.log_filters),
        "stream_url": connector.stream_url,
        "ca_file": connector.ca_file,
    }
