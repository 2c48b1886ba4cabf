"""Connectors as the user defines them, and the rules their values keep. Secrets are never in here."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import json
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from pod_desktop.core import limits
from pod_desktop.core.clock import DAY, SECOND, iso, parse_iso, parse_span
from pod_desktop.core.faults import UserFault
from pod_desktop.core.record import AUDIT, CONTENT_TYPES, MAILLOG, MESSAGE

EMAIL: Final = "email"
PROOFPOINT_ON_DEMAND: Final = "proofpoint_on_demand"
THIS_COMPUTER: Final = "this_computer"
DEFAULT_STREAM_URL: Final = "wss://logstream.proofpoint.com:443"
DEFAULT_COLLECT_FROM: Final = "7d"
STREAM_PATH: Final = "/v1/stream"
NEWEST: Final = "newest"
OLDEST: Final = "oldest"
BACKFILL_ORDERS: Final = (NEWEST, OLDEST)
_SHOWN: Final = 80
"""Characters of a wrong value that a fault repeats."""

CATEGORY_TITLES: Final = {EMAIL: "Email"}
TYPE_TITLES: Final = {PROOFPOINT_ON_DEMAND: "Proofpoint on Demand"}
FUNCTION_TITLES: Final = {"collect": "Collect", "respond": "Respond"}
RUN_ON_TITLES: Final = {THIS_COMPUTER: "This computer"}
CONTENT_TYPE_TITLES: Final = {MESSAGE: "Message", MAILLOG: "Mail Log", AUDIT: "Audit"}
"""What people call the values that files hold; names as in the SIEM connector guide."""


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
    proxy: str = ""
    """`http://host:port` of an HTTP proxy to connect through; '' for none. The environment's never apply."""
    backfill_order: str = NEWEST
    """Which hours of the archive come first: NEWEST or OLDEST."""
    reconcile: bool = False
    """Fetch every finished hour from the archive too, and add what live did not give."""
    category: str = EMAIL
    type: str = PROOFPOINT_ON_DEMAND

    @property
    def function(self) -> str:
        return "collect"

    def secret_origin(self) -> str:
        """What the stored secret is bound to; a change of any of it un-binds the secret."""
        trust = f" trusting {self.ca_file}" if self.ca_file else ""
        return f"{full_address(self.stream_url)}{trust} collect"


SECRET_NAMES: Final = ("api_key",)
"""Secrets that a collect connector must have."""
SECOND_KEY: Final = "api_key_2"
"""A second API key, for archive sessions beside the live one: one key has one session a content type."""
OPTIONAL_SECRETS: Final = (SECOND_KEY,)
PROXY_WARNING: Final = (
    "Connects through an HTTP proxy: WebSocket over HTTP proxies is unreliable (long connections are cut). "
    "Where you can, let this computer reach the service directly."
)


def warnings(connector: CollectConnector) -> tuple[str, ...]:
    """What stays visible on the connector as long as it is so."""
    return (PROXY_WARNING,) if connector.proxy else ()


def full_address(url: str) -> str:
    """`wss://host:port` in lower case, with the port that the scheme implies when none is given."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = parts.port or {"wss": 443, "https": 443, "ws": 80, "http": 80}.get(parts.scheme, 0)
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}:{port}"


def suggest_name(tenant: str, taken: Iterable[str] = ()) -> str:
    """`acme-proofpoint-on-demand`: tenant and type, printable ASCII, not taken yet."""
    plain = unicodedata.normalize("NFKD", tenant).encode("ascii", "ignore").decode().lower()
    words = [*re.findall(r"[a-z0-9_.]+", plain), "proofpoint-on-demand"]
    base = "-".join(words)[-(limits.NAME_CHARS - 4) :].strip("-")
    used = {name.casefold() for name in taken}
    number, name = 1, base
    while name in used:
        number += 1
        name = f"{base}-{number}"
    return name


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


def check_api_key(key: str, where: str = "api_key") -> str:
    """The API key as it is sent: outer blanks, quotes and a pasted `Bearer ` taken off.

    Raises:
        UserFault: empty, too long, or with blanks, line breaks or other characters inside.
            The message never holds the key.
    """
    key = _bare_key(key)
    if not key:
        raise UserFault("Give the API key.", where, "Settings > API Key Management makes one.")
    if len(key) > limits.SECRET_CHARS:
        raise UserFault(f"The API key has {len(key):,} characters; that is no key.", where)
    if re.search(r"\s", key):
        raise UserFault(
            "The API key holds a blank or a line break inside.", where, "Copy it again in one piece."
        )
    if re.search(r"[^\x21-\x7e]", key):
        raise UserFault("The API key holds characters that no key has.", where, "Copy it again in one piece.")
    return key


def _bare_key(text: str) -> str:
    """The key without what copying brings along: outer blanks, quotes, `Authorization: Bearer`."""
    text = text.strip()
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'`":
        text = text[1:-1].strip()
    return re.sub(r"(?i)^(?:authorization:\s*)?bearer(?:\s+|$)", "", text).strip()


def api_key_notes(text: str, now: int) -> tuple[str, ...]:
    """What to tell about a key as it was pasted: what is taken off, and an expiry that has passed.

    Args:
        text: As typed or pasted.
        now: Microseconds UTC.
    """
    notes = []
    if text != text.strip():
        notes.append("Blanks around the key are taken off.")
    key = _bare_key(text)
    if key != text.strip():
        notes.append("Quotes or the word Bearer around the key are taken off.")
    expiry = _token_expiry(key)
    if expiry is not None and expiry <= now:
        notes.append(f"This key is a token that expired on {iso(expiry)[:10]}: make a new one.")
    return tuple(notes)


def _token_expiry(key: str) -> int | None:
    """Microseconds UTC when a JSON Web Token ends (RFC 7519, `exp`); None for any other key."""
    parts = key.split(".")
    if len(parts) != 3 or len(key) > limits.SECRET_CHARS:
        return None
    try:
        body = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        return None
    seconds = body.get("exp") if isinstance(body, dict) else None
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds < 250_000_000_000:
        return None
    return int(seconds * SECOND)


def check_content_types(types: Iterable[str]) -> tuple[str, ...]:
    """The chosen content types in their fixed order.

    Raises:
        UserFault: none, or an unknown one.
    """
    chosen = tuple(types)
    for kind in chosen:
        if kind not in CONTENT_TYPES:
            raise UserFault(
                f"{kind[:_SHOWN]!r} is no content type.",
                "content_types",
                f"Choose from {', '.join(CONTENT_TYPES)}.",
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
            raise UserFault(f"{text[:_SHOWN]!r} is not a time.", "collect_from", hint) from None
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
    """`wss://host[:port]` in lower case; `ws://` for this computer only.

    Raises:
        UserFault: another scheme, userinfo, query or fragment, a path other than /v1/stream, a host or
            port that cannot be one.
    """
    url = url.strip() or DEFAULT_STREAM_URL
    shown = repr(url[:_SHOWN])
    if re.search(r"[\s\x00-\x1f\x7f\\]", url):
        raise UserFault("The stream address holds a blank or a backslash.", "stream_url", "Type it again.")
    try:
        parts = urlsplit(url)
        port = parts.port
        host = _host(parts.hostname or "")
    except ValueError:
        raise UserFault(f"{shown} is no address.", "stream_url", "Write wss://host:port.") from None
    if parts.scheme not in ("wss", "ws") or not host or port == 0:
        raise UserFault(
            f"{shown} is no WebSocket address.", "stream_url", f"Write it like {DEFAULT_STREAM_URL}."
        )
    if parts.username is not None or parts.query or parts.fragment:
        raise UserFault(
            "The stream address holds a user name, a query or a fragment.",
            "stream_url",
            "Give scheme, host and port only.",
        )
    if parts.path.rstrip("/") not in ("", STREAM_PATH):
        raise UserFault(
            f"The stream address holds the path {parts.path[:_SHOWN]!r}.",
            "stream_url",
            "Give scheme, host and port only.",
        )
    if parts.scheme == "ws" and not _is_this_computer(host):
        raise UserFault(
            "ws:// would send the API key in clear text over the network.",
            "stream_url",
            "Use wss://; ws:// is accepted for this computer only.",
        )
    return f"{parts.scheme}://{host}" + (f":{port}" if port is not None else "")


def check_proxy(url: str, stream_url: str = DEFAULT_STREAM_URL) -> str:
    """`http://host:port` of an HTTP proxy in lower case; '' for none.

    The API key goes through it inside TLS, which ends at the service; so plain ws:// takes no proxy elsewhere.

    Raises:
        UserFault: another scheme, no port, a user name, a path, or a host that cannot be one.
    """
    url = url.strip().rstrip("/")
    if not url:
        return ""
    hint = "Write it like http://proxy.example:3128, or leave it empty."
    try:
        parts = urlsplit(url)
        port, host = parts.port, _host(parts.hostname or "")
    except ValueError:
        raise UserFault(f"{url[:_SHOWN]!r} is no address.", "proxy", hint) from None
    if parts.username is not None or parts.password is not None:
        raise UserFault("A proxy that asks for a sign-in is not supported.", "proxy", hint)
    if parts.scheme != "http" or not host or not port or parts.path or parts.query or parts.fragment:
        raise UserFault(f"{url[:_SHOWN]!r} is no HTTP proxy.", "proxy", hint)
    if urlsplit(stream_url).scheme == "ws" and not _is_this_computer(host):
        raise UserFault("ws:// would show the API key to the proxy.", "proxy", "Use wss://, or no proxy.")
    return f"http://{host}:{port}"


def check_backfill_order(order: str) -> str:
    """Which hours of the archive come first. Raises UserFault for anything but newest and oldest."""
    order = order.strip().casefold() or NEWEST
    if order not in BACKFILL_ORDERS:
        raise UserFault(f"{order[:_SHOWN]!r} is no order.", "backfill_order", "Use newest or oldest.")
    return order


def check_filter_names(names: Iterable[str]) -> tuple[str, ...]:
    """Names of log filters, each once; that they exist is checked where filters are kept.

    Raises:
        UserFault: a name that cannot be one.
    """
    found: dict[str, str] = {}
    for name in names:
        if not name.strip() or len(name) > limits.NAME_CHARS:
            raise UserFault(f"{name[:_SHOWN]!r} is no name of a log filter.", "log_filters")
        found.setdefault(name.strip().casefold(), name.strip())
    return tuple(found.values())


def _host(text: str) -> str:
    """A host name in ASCII, or an address (IPv6 in brackets). Raises ValueError for anything else."""
    if ":" in text:
        return f"[{ipaddress.IPv6Address(text)}]"
    name = text.encode("idna").decode("ascii").lower() if not text.isascii() else text.lower()
    if name and (
        len(name) > 253
        or not re.fullmatch(
            r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.?", name
        )
    ):
        raise ValueError("no host name")
    return name


def _is_this_computer(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


_FILE_KEYS: Final = frozenset(
    {
        "name", "category", "type", "tenant", "run_on", "cluster_id", "content_types",
        "collect_from", "log_filters", "stream_url", "ca_file", "proxy", "backfill_order", "reconcile",
    }
)  # fmt: skip


def from_file(data: Mapping[str, object], taken: Iterable[str] = ()) -> CollectConnector:
    """A connector from its file's JSON object.

    Raises:
        UserFault: an unknown, missing or unfit value; `where` names the key.
    """
    for key in data:
        if key not in _FILE_KEYS:
            raise UserFault(
                f"Unknown key {str(key)[:_SHOWN]!r}.",
                str(key)[:_SHOWN],
                f"Known: {', '.join(sorted(_FILE_KEYS))}.",
            )

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
        raise UserFault(f"Category {category[:_SHOWN]!r} is not known here.", "category", f"Use {EMAIL!r}.")
    kind = text("type", PROOFPOINT_ON_DEMAND)
    if kind != PROOFPOINT_ON_DEMAND:
        raise UserFault(f"Type {kind[:_SHOWN]!r} is not known.", "type", f"Use {PROOFPOINT_ON_DEMAND!r}.")
    run_on = text("run_on", THIS_COMPUTER)
    if run_on.replace(" ", "_").casefold() != THIS_COMPUTER:
        raise UserFault(f"Run On {run_on[:_SHOWN]!r} is not known.", "run_on", f"Use {THIS_COMPUTER!r}.")
    reconcile = data.get("reconcile", False)
    if not isinstance(reconcile, bool):
        raise UserFault("'reconcile' must be true or false.", "reconcile")
    return CollectConnector(
        name=check_name(text("name"), taken),
        tenant=check_tenant(text("tenant")),
        cluster_id=check_cluster_id(text("cluster_id")),
        content_types=check_content_types(texts("content_types")),
        collect_from=check_collect_from(text("collect_from", DEFAULT_COLLECT_FROM)),
        stream_url=check_stream_url(text("stream_url", DEFAULT_STREAM_URL)),
        ca_file=text("ca_file", "").strip(),
        log_filters=check_filter_names(texts("log_filters", ())),
        proxy=check_proxy(text("proxy", ""), check_stream_url(text("stream_url", DEFAULT_STREAM_URL))),
        backfill_order=check_backfill_order(text("backfill_order", NEWEST)),
        reconcile=reconcile,
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
        "proxy": connector.proxy,
        "backfill_order": connector.backfill_order,
        "reconcile": connector.reconcile,
    }
