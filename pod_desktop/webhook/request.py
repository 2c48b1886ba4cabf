"""A request from structure, for one fixed origin; the finished URL is checked again. No I/O."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Final
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from pod_desktop.core.action import Request
from pod_desktop.core.faults import UserFault
from pod_desktop.core.responder import RespondConnector

API_PREFIX: Final = "/api/"
_ALLOWED: Final = frozenset(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~:/?@!$&'()*+,;=%"
)
_PLACE: Final = "Path and Query"


def encode_value(value: str) -> str:
    """A record's value inside Path and Query: everything that could mean something there is encoded."""
    return quote(value, safe="")


def build(connector: RespondConnector, path_and_query: str, body: bytes, method: str = "POST") -> Request:
    """The exact request for this connector's origin.

    Raises:
        UserFault: the path leaves the API or the origin, or the cluster id is missing or another one.
    """
    check_path_and_query(path_and_query, connector.cluster_id)
    url = connector.origin + path_and_query
    parts = urlsplit(url)
    if f"{parts.scheme}://{parts.netloc}" != connector.origin:
        raise UserFault("The finished address leaves the responder's host.", _PLACE, "Restore the template.")
    return Request(method=method, url=url, body=body, digest=digest(method, url, body))


def digest(method: str, url: str, body: bytes) -> str:
    """SHA-256 in hex over what is sent."""
    return hashlib.sha256(b"\0".join((method.encode(), url.encode(), body))).hexdigest()


@lru_cache(maxsize=64)
def check_path_and_query(text: str, cluster_id: str) -> None:
    """Raises UserFault when this is not a path of the API with this cluster's id.

    What was right is remembered: playbooks fill the same path again and again.
    """
    if not text.startswith("/") or text.startswith("//"):
        raise UserFault(
            "It must begin with one slash; the host is the responder's.", _PLACE, "Restore the template."
        )
    if bad := next((char for char in text if char not in _ALLOWED), ""):
        shown = repr(bad) if bad.isprintable() else f"U+{ord(bad):04X}"
        raise UserFault(f"{shown} cannot stand here unencoded.", _PLACE, "Percent-encode it.")
    path, _, query = text.partition("?")
    decoded = unquote(unquote(path))
    if any(part in ("..", ".") for part in decoded.replace("\\", "/").split("/")) or "//" in decoded:
        raise UserFault("The path holds .., . or an empty part.", _PLACE, "Restore the template.")
    if not decoded.startswith(API_PREFIX):
        raise UserFault(f"The path must begin with {API_PREFIX}.", _PLACE, "Restore the template.")
    ids = [value for key, value in parse_qsl(query, keep_blank_values=True) if key.casefold() == "clusterid"]
    if ids != [cluster_id]:
        raise UserFault(
            "clusterId is missing, stands twice or is not this responder's.",
            _PLACE,
            "It must read clusterId={connector.cluster_id}.",
        )
