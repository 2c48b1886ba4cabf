"""Webhook responders as the user defines them, and the rules their values keep. No secrets in here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from pod_desktop.core import limits
from pod_desktop.core.connector import THIS_COMPUTER, check_cluster_id, check_name, check_tenant
from pod_desktop.core.faults import UserFault

WEBHOOK: Final = "webhook"
ALL_TENANTS: Final = "All Tenants"
DEFAULT_HOSTNAME: Final = "threatprotection-api.proofpoint.com"
DEFAULT_TOKEN_URL: Final = "https://auth.proofpoint.com/v1/token"
HTTP: Final = "HTTP"
HTTPS: Final = "HTTPS"
PROTOCOLS: Final = (HTTPS, HTTP)
SECRET_NAMES: Final = ("client_id", "client_secret")
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_PREFIX: Final = "Proofpoint on Demand "
ACTION_NAMES: Final = (
    "Add to Org Block List",
    "Add to Org Safe List",
    "Delete From Org Block List",
    "Delete From Org Safe List",
)
TYPES: Final = tuple(_PREFIX + name for name in ACTION_NAMES)
"""The four templates, named exactly as users of SIEM connectors know them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RespondConnector:
    """Category Webhook, one of the four types, Function Respond."""

    name: str
    tenant: str
    type: str
    cluster_id: str
    hostname: str = DEFAULT_HOSTNAME
    """host or host:port, without a scheme."""
    protocol: str = HTTPS
    verify_tls: bool = True
    ca_file: str = ""
    token_url: str = DEFAULT_TOKEN_URL
    run_on: str = THIS_COMPUTER
    category: str = WEBHOOK

    @property
    def function(self) -> str:
        return "respond"

    @property
    def content_types(self) -> tuple[str, ...]:
        """None: a responder collects nothing."""
        return ()

    @property
    def title(self) -> str:
        """`Add to Org Block List`: the type without the product's name."""
        return self.type.removeprefix(_PREFIX)

    @property
    def origin(self) -> str:
        """`https://host[:port]`: where actions are sent, and nowhere else."""
        return f"{self.protocol.lower()}://{self.hostname}"

    def secret_origin(self) -> str:
        """What the stored secret is bound to; a change of any of it un-binds the secret."""
        trust = f" trusting {self.ca_file}" if self.ca_file else ""
        return f"{self.token_url} {self.origin} verify={self.verify_tls}{trust} respond"

    def may_act_on(self, tenant: str) -> bool:
        """Whether this responder may act on a record of that tenant."""
        return self.tenant in (ALL_TENANTS, tenant)


def check_type(kind: str) -> str:
    """Raises UserFault when it is none of the four types."""
    for known in TYPES:
        if kind.strip().casefold() in (known.casefold(), known.removeprefix(_PREFIX).casefold()):
            return known
    raise UserFault(f"Type {kind[:80]!r} is not known.", "type", f"Known: {'; '.join(TYPES)}.")


def check_hostname(text: str) -> str:
    """`host` or `host:port`, lower case, an international name in its ASCII form.

    Raises:
        UserFault: a scheme, path, user name or anything else that is no host name, or a bad port.
    """
    text = text.strip()
    if not text:
        raise UserFault("Give the Hostname.", "hostname", f"Usually {DEFAULT_HOSTNAME}.")
    if match := re.match(r"([a-zA-Z][a-zA-Z0-9+.-]*)://", text):
        raise UserFault(
            f"Leave {match[0]} out of the Hostname.", "hostname", "The protocol is chosen in its own field."
        )
    if "@" in text:
        raise UserFault("The Hostname holds a user name or an @.", "hostname", "Give host or host:port only.")
    if re.search(r"[/?#\\]", text):
        raise UserFault("The Hostname holds a path or a query.", "hostname", "Give host or host:port only.")
    if re.search(r"\s|[\x00-\x1f\x7f]", text):
        raise UserFault("The Hostname holds a blank or a control character.", "hostname", "Type it again.")
    match = re.fullmatch(r"(\[[0-9a-fA-F:.]+\]|[^:\[\]]+)(?::(.*))?", text)
    if not match:
        raise UserFault(
            f"{text[:80]!r} is no host name.", "hostname", "An IPv6 address stands in brackets: [::1]:443."
        )
    host, port = match[1], match[2]
    if port is not None and not (re.fullmatch(r"[0-9]{1,5}", port) and 1 <= int(port) <= 65535):
        raise UserFault(f"{port[:20]!r} is no port.", "hostname", "Ports go from 1 to 65535.")
    if not host.startswith("["):
        host = _ascii_host(host)
    return host if port is None else f"{host}:{int(port)}"


def _ascii_host(host: str) -> str:
    try:
        ascii_host = host.encode("idna").decode("ascii").lower() if not host.isascii() else host.lower()
    except UnicodeError:
        raise UserFault(f"{host[:80]!r} is no host name.", "hostname", "Type it in ASCII.") from None
    label = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
    if len(ascii_host) > 253 or not re.fullmatch(rf"{label}(?:\.{label})*\.?", ascii_host):
        raise UserFault(f"{host[:80]!r} is no host name.", "hostname", f"It looks like {DEFAULT_HOSTNAME}.")
    return ascii_host


def check_protocol(text: str) -> str:
    """Raises UserFault when it is neither HTTP nor HTTPS."""
    if text.strip().upper() not in PROTOCOLS:
        raise UserFault(f"Protocol {text[:80]!r} is not known.", "protocol", "Choose HTTPS or HTTP.")
    return text.strip().upper()


def check_token_url(url: str, protocol: str) -> str:
    """The token's address: https, or http on this computer or where Protocol HTTP was chosen.

    Raises:
        UserFault: another scheme, a user name, a fragment, a bad port or no host.
    """
    url = url.strip()
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise UserFault("The Token URL is no address.", "token_url", DEFAULT_TOKEN_URL) from None
    if parts.scheme not in ("https", "http") or not parts.hostname or port == 0:
        raise UserFault(f"{url[:80]!r} is no web address.", "token_url", f"Usually {DEFAULT_TOKEN_URL}.")
    if re.search(r"[\s\x00-\x1f\x7f]", url) or not url.isascii():
        raise UserFault("The Token URL holds a blank or a character that no address has.", "token_url")
    if parts.username is not None or parts.fragment:
        raise UserFault("The Token URL holds a user name or a fragment.", "token_url", "Leave it out.")
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK and protocol != HTTP:
        raise UserFault(
            "http:// would send the Client Secret in clear text.",
            "token_url",
            "Use https://, or choose Protocol HTTP knowingly.",
        )
    return url


def check_credential(text: str, name: str, title: str) -> str:
    """A Client ID or Client Secret without outer blanks; the words never hold it.

    Raises:
        UserFault: empty, too long, or with blanks or control characters inside.
    """
    text = text.strip()
    if not text:
        raise UserFault(
            f"Give the {title}.", name, "It is made in the Proofpoint Admin portal, API Key Management."
        )
    if len(text) > limits.SECRET_CHARS:
        raise UserFault(f"The {title} has {len(text):,} characters; that is none.", name)
    if re.search(r"[^\x21-\x7e]", text):
        raise UserFault(
            f"The {title} holds a blank, a line break or another character that none has.",
            name,
            "Copy it again in one piece.",
        )
    return text


def warnings(connector: RespondConnector) -> tuple[str, ...]:
    """What stays visible on the connector as long as it is so."""
    found = []
    if connector.protocol == HTTP:
        found.append("Protocol HTTP: the access token and the actions travel in clear text.")
    if not connector.verify_tls:
        found.append("Certificates are not verified: anyone on the way can read and change the actions.")
    return tuple(found)


_FILE_KEYS: Final = frozenset(
    {"name", "category", "type", "tenant", "run_on", "hostname", "protocol", "verify_tls", "token_url", "cluster_id", "ca_file"}
)  # fmt: skip


def respond_from_file(data: Mapping[str, object], taken: Iterable[str] = ()) -> RespondConnector:
    """A responder from its file's JSON object.

    Raises:
        UserFault: an unknown, missing or unfit value; `where` names the key.
    """
    for key in data:
        if key not in _FILE_KEYS:
            raise UserFault(
                f"Unknown key {key[:80]!r}.", key[:80], f"Known: {', '.join(sorted(_FILE_KEYS))}."
            )

    def text(key: str, default: str | None = None) -> str:
        value = data.get(key, default)
        if value is None:
            raise UserFault(f"{key!r} is missing.", key)
        if not isinstance(value, str):
            raise UserFault(f"{key!r} must be text.", key)
        return value

    if text("category", WEBHOOK) != WEBHOOK:
        raise UserFault(f"Category {text('category')[:80]!r} does not go with a responder.", "category")
    if text("run_on", THIS_COMPUTER).replace(" ", "_").casefold() != THIS_COMPUTER:
        raise UserFault(f"Run On {text('run_on')[:80]!r} is not known.", "run_on", f"Use {THIS_COMPUTER!r}.")
    verify = data.get("verify_tls", True)
    if not isinstance(verify, bool):
        raise UserFault("'verify_tls' must be true or false.", "verify_tls")
    protocol = check_protocol(text("protocol", HTTPS))
    return RespondConnector(
        name=check_name(text("name"), taken),
        tenant=check_tenant(text("tenant")),
        type=check_type(text("type")),
        cluster_id=check_cluster_id(text("cluster_id")),
        hostname=check_hostname(text("hostname", DEFAULT_HOSTNAME)),
        protocol=protocol,
        verify_tls=verify or protocol == HTTP,
        ca_file=text("ca_file", "").strip(),
        token_url=check_token_url(text("token_url", DEFAULT_TOKEN_URL), protocol),
    )


def respond_to_file(connector: RespondConnector) -> dict[str, object]:
    """The responder as its file's JSON object; respond_from_file() reads it back."""
    return {
        "name": connector.name,
        "category": connector.category,
        "type": connector.type,
        "tenant": connector.tenant,
        "run_on": connector.run_on,
        "hostname": connector.hostname,
        "protocol": connector.protocol,
        "verify_tls": connector.verify_tls,
        "ca_file": connector.ca_file,
        "token_url": connector.token_url,
        "cluster_id": connector.cluster_id,
    }
