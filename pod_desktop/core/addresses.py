"""What an address tells by its form alone: made for one message, the filter itself, inside the house."""

from __future__ import annotations

import ipaddress
import re
from typing import Final

_TOKEN: Final = re.compile(r"[0-9a-f]{16,}|\d{8,}|[0-9a-z]{24,}", re.IGNORECASE)
_TAGS: Final = re.compile(r"^(?:prvs|btv1|srs[01]|msprvs1)[=+-]", re.IGNORECASE)
_INSIDE: Final = re.compile(r"=[\w-]{1,63}(?:\.[\w-]{1,63}){1,10}$|=\w{1,63}=")
_BOUNCE: Final = re.compile(r"^(?:bounces?|returns?|ret|verp|b|return-path|errors?)[-+._=]", re.IGNORECASE)
_LOCAL_NAMES: Final = frozenset({"localhost", "localhost.localdomain", "localhost6"})
_LOCAL_CHARS: Final = 500
_INTERNAL: Final = tuple(
    ipaddress.ip_network(network)
    for network in (
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "100.64.0.0/10",
        "169.254.0.0/16",
        "fc00::/7",
        "fe80::/10",
    )
)
"""Private, shared and link-local ranges (RFC 1918, 6598, 3927, 4193, 4291)."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def one_off(address: str) -> bool:
    """Does an address look as if it were made for one message only (VERP, BATV, SRS, bulk senders' bounces)?"""
    local, at, _ = address.rpartition("@")
    local = local[:_LOCAL_CHARS]
    if not at:
        return False
    # `bounce-17-jane=acme.example@…`: the recipient's address inside the sender's.
    if _TAGS.match(local) or _INSIDE.search(local) or _TOKEN.search(local):
        return True
    return bool(_BOUNCE.match(local)) and sum(char.isdigit() for char in local) >= 5


def ip_of(text: str) -> Address | None:
    """The address, an IPv4 one also where it is written as IPv6; None where it is none."""
    try:
        address = ipaddress.ip_address(text.strip("[] "))
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def is_loopback(text: str) -> bool:
    """Is this the filter's own address or name?"""
    if text.strip("[]. ").casefold() in _LOCAL_NAMES:
        return True
    address = ip_of(text)
    return address is not None and (address.is_loopback or address.is_unspecified)


def is_internal(text: str) -> bool:
    """Is this an address that only machines inside an organisation have?"""
    address = ip_of(text)
    return address is not None and any(
        address in network for network in _INTERNAL if network.version == address.version
    )
