"""What a failure of the log stream means and what comes next: a table of rules, and pure functions on it.

Every handshake status, close code, TLS and network error ends here and becomes a Verdict: a state, words
for a person, and how long to wait. No I/O, no clock, no randomness of its own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from pod_desktop.core.status import STOPPED_FAULT, WAITING

HEALTHY_SECONDS: Final = 60.0
"""A connection that held this long proves that the fault is over: the back-off begins anew."""
OUTSIDE_CHARS: Final = 160
"""What is quoted of a server's own words."""
RETRY_AFTER_MOST: Final = 3_600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """How long to wait, in seconds: at random between `least` and a bound that doubles up to `most`."""

    first: float
    most: float
    least: float = 0.0


SOON: Final = Backoff(first=1, most=60)
"""Drops that a reconnect cures. Full jitter, so that many collectors do not return at once."""
BUSY: Final = Backoff(first=5, most=120)
"""The service or a proxy is unwell, or asks for patience."""
RELEASE: Final = Backoff(first=4, most=60, least=2)
"""A session that lingers after a drop is released within a minute or so (reported by collectors)."""
TOO_BIG: Final = Backoff(first=10, most=300, least=5)
"""The record that broke the connection may be the first to come again."""
SLOW: Final = Backoff(first=300, most=300, least=270)
"""A person has to mend it; tried now and then, in case it was mended elsewhere."""
LATER: Final = Backoff(first=30, most=300, least=15)
"""Something on this computer or the way out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What happened to a stream and what comes next."""

    code: str
    """`401`, `1006`, `tls_expired`, `dns`, …: for tables and scripts."""
    state: str
    """core.status.WAITING, or STOPPED_FAULT when a person has to mend it."""
    what: str
    hint: str
    backoff: Backoff
    at_least: float = 0.0
    """Seconds that the server asked to wait (Retry-After)."""


def delay(verdict: Verdict, attempt: int, chance: float) -> float:
    """Seconds until the next try.

    Args:
        attempt: failures in a row before this one, 0 for the first.
        chance: a random number from 0 to 1.
    """
    rule = verdict.backoff
    bound = min(rule.most, rule.first * 2.0 ** min(attempt, 30))
    return max(rule.least + (bound - rule.least) * chance, verdict.at_least)


_NOT_US: Final = "This passes by itself; collecting goes on from where it stopped."
_PROXY: Final = (
    "Check that no proxy, firewall or sign-in page stands between this computer and "
    "logstream.proofpoint.com:443; WebSocket is unreliable over HTTP proxies."
)
_CERTIFICATE: Final = (
    "Check the Stream address. Where the network inspects TLS, give the CA file of the inspecting proxy."
)
_RULES: Final = {
    rule.code: rule
    for rule in (
        # Handshake statuses.
        Verdict(
            code="400", state=STOPPED_FAULT, backoff=SLOW,
            what="The service did not accept the request (400 Bad Request).",
            hint="Check the connector's configuration: Cluster ID, content types, and a collect-from time "
            "within the last 30 days.",
        ),
        Verdict(
            code="401", state=STOPPED_FAULT, backoff=SLOW,
            what="The service refused the credentials (401 Unauthorized).",
            hint="The status does not tell which, so check all three: the API key (entered whole, not expired "
            "or deleted), the Cluster ID, and that the cluster has Proofpoint's Remote Syslog licence.",
        ),
        Verdict(
            code="403", state=STOPPED_FAULT, backoff=SLOW,
            what="The key is valid but may not read this stream (403 Forbidden).",
            hint="Check that this is the right API key and that it has the role or permission to read logs; "
            "a firewall on the way may answer 403 as well.",
        ),
        Verdict(
            code="404", state=STOPPED_FAULT, backoff=SLOW,
            what="The address leads nowhere (404 Not Found).",
            hint="Check the Stream address; Proofpoint's is wss://logstream.proofpoint.com:443.",
        ),
        Verdict(
            code="405", state=STOPPED_FAULT, backoff=SLOW,
            what="The server at this address does not take stream requests (405 Method Not Allowed).",
            hint="Check the Stream address; a proxy may have changed the request.",
        ),
        Verdict(
            code="407", state=STOPPED_FAULT, backoff=SLOW,
            what="A proxy on the way asks for a sign-in (407 Proxy Authentication Required).", hint=_PROXY,
        ),
        Verdict(
            code="408", state=WAITING, backoff=BUSY,
            what="The service gave up waiting for the request (408 Request Timeout).", hint=_NOT_US,
        ),
        Verdict(
            code="409", state=WAITING, backoff=RELEASE,
            what="This API key already has a session for this content type (409 Conflict).",
            hint="After a drop the old session is released within a minute or two and this goes on by itself. "
            "If it stays, another collector uses the same key: give each collector its own API key.",
        ),
        Verdict(
            code="429", state=WAITING, backoff=BUSY,
            what="The service asks to slow down (429 Too Many Requests).",
            hint="It recovers and is tried again by itself. If it comes often, ask Proofpoint about the limits "
            "and quotas of this licence.",
        ),
        Verdict(
            code="3xx", state=STOPPED_FAULT, backoff=SLOW,
            what="The server sent this connection elsewhere, which is never followed: the API key stays with "
            "the address that was entered.",
            hint="Check the Stream address; a sign-in page or proxy often answers so.",
        ),
        Verdict(
            code="4xx", state=STOPPED_FAULT, backoff=SLOW,
            what="The service refused the connection.",
            hint="Check the connector's configuration.",
        ),
        Verdict(
            code="5xx", state=WAITING, backoff=BUSY,
            what="The service has a fault of its own.", hint=_NOT_US,
        ),
        Verdict(
            code="proxy_page", state=WAITING, backoff=LATER,
            what="Something other than the log stream answered, with a web page.", hint=_PROXY,
        ),
        Verdict(
            code="not_websocket", state=WAITING, backoff=LATER,
            what="What answers at this address does not speak the log stream's protocol.",
            hint="Check the Stream address. " + _PROXY,
        ),
        # Close codes.
        Verdict(code="1000", state=WAITING, backoff=SOON, what="The service ended the session.", hint=_NOT_US),
        Verdict(
            code="1001", state=WAITING, backoff=SOON,
            what="The server is going away, as it does for maintenance.", hint=_NOT_US,
        ),
        Verdict(
            code="1002", state=WAITING, backoff=BUSY,
            what="The connection ended over an error in the protocol (1002).", hint=_PROXY,
        ),
        Verdict(
            code="1003", state=WAITING, backoff=BUSY,
            what="The connection ended over a kind of data that was not expected (1003).", hint=_NOT_US,
        ),
        Verdict(
            code="1005", state=WAITING, backoff=SOON,
            what="The service ended the session without giving a reason.", hint=_NOT_US,
        ),
        Verdict(
            code="1006", state=WAITING, backoff=SOON,
            what="The connection dropped without a word.",
            hint="The commonest drop of a live stream; collecting goes on from where it stopped.",
        ),
        Verdict(
            code="1007", state=WAITING, backoff=BUSY,
            what="The connection ended over text that was not valid (1007).", hint=_NOT_US,
        ),
        Verdict(
            code="1008", state=STOPPED_FAULT, backoff=SLOW,
            what="The service ended the session because of its rules (1008).",
            hint="Check the API key and its permissions; its words, if any, say more.",
        ),
        Verdict(
            code="1009", state=WAITING, backoff=TOO_BIG,
            what="A record larger than the limit ended the connection (1009).",
            hint="That record cannot be collected; the stretch is noted as a gap and the rest goes on.",
        ),
        Verdict(
            code="1011", state=WAITING, backoff=BUSY,
            what="The server met an error of its own (1011).", hint=_NOT_US,
        ),
        Verdict(code="1012", state=WAITING, backoff=BUSY, what="The server is restarting (1012).", hint=_NOT_US),
        Verdict(
            code="1013", state=WAITING, backoff=BUSY,
            what="The server is overloaded and asks to come back later (1013).", hint=_NOT_US,
        ),
        Verdict(
            code="1014", state=WAITING, backoff=BUSY,
            what="A gateway lost its way to the service (1014).", hint=_NOT_US,
        ),
        Verdict(
            code="closed", state=WAITING, backoff=BUSY, what="The service ended the session.", hint=_NOT_US
        ),
        Verdict(
            code="silent", state=WAITING, backoff=SOON,
            what="The connection went silent: not even a ping was answered.",
            hint="The network changed, or the computer slept. It is opened anew.",
        ),
        # TLS.
        Verdict(
            code="tls_expired", state=STOPPED_FAULT, backoff=SLOW,
            what="The server's certificate has expired.",
            hint="Check this computer's date and time; otherwise the server's operator has to renew it.",
        ),
        Verdict(
            code="tls_early", state=STOPPED_FAULT, backoff=SLOW,
            what="The server's certificate is not valid yet.", hint="Check this computer's date and time.",
        ),
        Verdict(
            code="tls_wrong_host", state=STOPPED_FAULT, backoff=SLOW,
            what="The server's certificate is for another host.", hint=_CERTIFICATE,
        ),
        Verdict(
            code="tls_unknown_ca", state=STOPPED_FAULT, backoff=SLOW,
            what="The server's certificate is not from an authority that this computer trusts.",
            hint=_CERTIFICATE,
        ),
        Verdict(
            code="tls", state=STOPPED_FAULT, backoff=SLOW,
            what="A secure connection could not be made.", hint=_CERTIFICATE,
        ),
        Verdict(
            code="not_tls", state=STOPPED_FAULT, backoff=SLOW,
            what="What answers at this address does not speak TLS.",
            hint="Check host and port of the Stream address. " + _PROXY,
        ),
        Verdict(
            code="ca_file", state=STOPPED_FAULT, backoff=SLOW,
            what="The CA file cannot be used.",
            hint="It must be readable and hold certificates in PEM form.",
        ),
        # Network.
        Verdict(
            code="dns", state=WAITING, backoff=LATER,
            what="The host name of the service was not found.",
            hint="Check the network connection and the host in the Stream address.",
        ),
        Verdict(
            code="refused", state=WAITING, backoff=LATER,
            what="The server refused the connection.",
            hint="Nothing listens at this address and port. Check the Stream address and the firewall.",
        ),
        Verdict(
            code="reset", state=WAITING, backoff=SOON,
            what="The connection was cut while it was being made.", hint=_PROXY,
        ),
        Verdict(
            code="timeout", state=WAITING, backoff=LATER,
            what="The server did not answer in time.",
            hint="Check the network connection, and that a firewall lets port 443 through.",
        ),
        Verdict(
            code="no_route", state=WAITING, backoff=LATER,
            what="There is no way to the server from this network.",
            hint="Check the network connection or the VPN.",
        ),
        Verdict(
            code="network", state=WAITING, backoff=LATER,
            what="The network reports an error.", hint="Check the network connection.",
        ),
        # This side.
        Verdict(
            code="no_key", state=STOPPED_FAULT, backoff=SLOW,
            what="There is no API key for this connector.", hint="Edit the connector and enter its API key.",
        ),
        Verdict(
            code="vault", state=WAITING, backoff=LATER,
            what="The API key could not be read.", hint="Unlock the keychain.",
        ),
        Verdict(
            code="settings", state=STOPPED_FAULT, backoff=SLOW,
            what="The connector's configuration cannot be used.", hint="Edit the connector.",
        ),
        Verdict(
            code="unfinished", state=WAITING, backoff=SOON,
            what="An hour of the archive ended early.", hint="It is fetched again.",
        ),
        Verdict(
            code="disk", state=WAITING, backoff=Backoff(first=2, most=30, least=1),
            what="The records cannot be stored.",
            hint="The connection waits; nothing is dropped. Free some space.",
        ),
        Verdict(
            code="woke", state=WAITING, backoff=Backoff(first=0.5, most=30),
            what="This computer slept, or its clock was set.",
            hint="The connection is opened anew, and what came meanwhile is fetched.",
        ),
        Verdict(
            code="claimed", state=WAITING, backoff=LATER,
            what="Another collector on this computer has this stream.",
            hint="One API key has one session a content type: stop the other one, or give this one its own key.",
        ),
        Verdict(
            code="filters", state=STOPPED_FAULT, backoff=SLOW,
            what="A log filter of this connector cannot be used.",
            hint="Mend the filter, or detach it: nothing is received until then, so that nothing is dropped "
            "or kept by mistake.",
        ),
        Verdict(
            code="proxy", state=WAITING, backoff=LATER,
            what="The HTTP proxy of this connector did not make the connection.",
            hint="Check the proxy's address, and that it allows CONNECT to the service. WebSocket over HTTP "
            "proxies is unreliable: where you can, connect directly.",
        ),
        Verdict(
            code="bug", state=WAITING, backoff=LATER,
            what="This program made an error; it is in the log file.", hint="Please report it.",
        ),
    )
}  # fmt: skip
CODES: Final = tuple(_RULES)

_STATUS_NAMES: Final = {
    500: "Internal Server Error", 502: "Bad Gateway", 503: "Service Unavailable", 504: "Gateway Timeout",
}  # fmt: skip


def of(code: str, detail: str = "", hint: str = "") -> Verdict:
    """The rule of a code, with what is known beyond it: outside words (cleaned here) and a closer hint.

    Raises:
        KeyError: no such code.
    """
    rule = _RULES[code]
    if detail := outside(detail):
        rule = replace(rule, what=f"{rule.what} It says: “{detail}”.")
    return replace(rule, hint=hint) if hint else rule


def told(code: str, what: str, hint: str = "") -> Verdict:
    """The rule of a code in words of our own that say more."""
    rule = _RULES[code]
    return replace(rule, what=what, hint=hint or rule.hint)


def of_status(status: int, headers: Mapping[str, str] | None = None, body: bytes = b"") -> Verdict:
    """What an answer to the handshake other than 101 means."""
    headers = {name.lower(): value for name, value in (headers or {}).items()}
    page = _is_page(headers.get("content-type", ""), body)
    words = "" if page else outside(body.decode("utf-8", "replace"))
    verdict = _status_rule(status, page)
    if words:
        verdict = replace(verdict, what=f"{verdict.what} It says: “{words}”.")
    if page and verdict.code not in ("proxy_page", "3xx"):
        verdict = replace(
            verdict, hint=f"{verdict.hint} The answer was a web page: it may come from a proxy on the way."
        )
    return replace(verdict, at_least=_retry_after(headers.get("retry-after", "")))


def _status_rule(status: int, page: bool) -> Verdict:
    code = str(status)
    if code in _RULES:
        return _RULES[code]
    if 300 <= status < 400:
        return replace(_RULES["3xx"], code=code)
    if 400 <= status < 500:
        return replace(_RULES["4xx"], code=code, what=f"The service refused the connection ({status}).")
    if 500 <= status < 600:
        name = f"{status} {_STATUS_NAMES[status]}" if status in _STATUS_NAMES else code
        return replace(_RULES["5xx"], code=code, what=f"The service has a fault of its own ({name}).")
    return _RULES["proxy_page" if page else "not_websocket"]


def of_close(code: int | None, reason: str = "") -> Verdict:
    """What the end of an open connection means; None: it dropped with no close frame."""
    name = "1006" if code is None else str(code)
    if name in _RULES:
        return of(name, reason)
    return replace(
        of("closed", reason), code=name, what=of("closed", reason).what.replace(".", f" ({code}).", 1)
    )


def outside(text: str) -> str:
    """A server's words as they may stand in a sentence: one line, printable, short."""
    text = re.sub(r"\s+", " ", text).strip()
    text = "".join(char if char.isprintable() else "\ufffd" for char in text)
    text = text.replace("“", '"').replace("”", '"')
    return text if len(text) <= OUTSIDE_CHARS else text[: OUTSIDE_CHARS - 1] + "…"


def _is_page(content_type: str, body: bytes) -> bool:
    head = body[:512].lstrip().lower()
    return "html" in content_type.lower() or head.startswith((b"<!doctype", b"<html", b"<head", b"<body"))


def _retry_after(text: str) -> float:
    """Seconds of a Retry-After header; a date in it is not worth a parser here: 0."""
    return min(float(text), RETRY_AFTER_MOST) if re.fullmatch(r"\d{1,6}", text.strip()) else 0.0


class Attempts:
    """Failures in a row, by code. Only a minute of health forgets them."""

    def __init__(self) -> None:
        self._row = 0

    @property
    def row(self) -> int:
        return self._row

    def failed(self, held_seconds: float) -> int:
        """Note a failure of a connection that had held so long; how many were in a row before it."""
        if held_seconds >= HEALTHY_SECONDS:
            self._row = 0
        self._row += 1
        return self._row - 1

    def forget(self) -> None:
        """A person asked to try now."""
        self._row = 0
