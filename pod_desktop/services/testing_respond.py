"""The test of a responder: names, ports, TLS, token, and the list, which alone proves that it may act."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from pod_desktop import responders, webhook
from pod_desktop.core import status as states
from pod_desktop.core.action import Answer
from pod_desktop.core.clock import Clock
from pod_desktop.core.faults import Fault, UserFault
from pod_desktop.core.http_words import REDIRECT, WEB_PAGE, http_words, is_web_page, sentence
from pod_desktop.core.responder import RespondConnector
from pod_desktop.core.secret import Secret
from pod_desktop.services.testing_steps import StepFailed, Steps
from pod_desktop.stream import Failed, probe

RESOLVE: Final = "Resolve host"
CONNECT: Final = "Connect"
TLS: Final = "TLS"
TOKEN: Final = "Token"
READ_LIST: Final = "Read list"
STEP_SECONDS: Final = 15.0
NOT_LIST: Final = "not_list"
WEB_PAGE_CODE: Final = "proxy_page"
_FIELDS: Final = "Check the Hostname and the Token URL. "
_HINTS: Final = {
    "dns": _FIELDS + "Is the network connected?",
    "refused": _FIELDS + "Nothing listens at this address and port, or a firewall refuses.",
    "timeout": "Check the network connection, and that a firewall lets this computer out.",
    "no_route": "Check the network connection or the VPN.",
    "tls_expired": "Check this computer's date and time; otherwise the server's operator has to renew it.",
    "tls_early": "Check this computer's date and time.",
    "not_tls": _FIELDS + "Should the Protocol be HTTP?",
    "ca_file": "It must be readable and hold certificates in PEM form.",
}
_TLS_HINT: Final = (
    _FIELDS + "Where the network inspects TLS, give the CA file of the inspecting proxy; switching the "
    "verification off is the last resort."
)
_PASSES: Final = frozenset(
    {"dns", "refused", "timeout", "no_route", "network", "reset", WEB_PAGE_CODE, "vault"}
)


class Endpoint(NamedTuple):
    """A server that the responder talks to."""

    host: str
    port: int
    tls: bool

    @property
    def place(self) -> str:
        return f"{self.host}:{self.port}"


def endpoints(connector: RespondConnector) -> tuple[Endpoint, ...]:
    """Token service and API, once where they are the same."""
    found = []
    for url in (connector.token_url, connector.origin):
        parts = urlsplit(url)
        tls = parts.scheme == "https"
        found.append(Endpoint(parts.hostname or "", parts.port or (443 if tls else 80), tls))
    return tuple(dict.fromkeys(found))


def names(connector: RespondConnector) -> tuple[str, ...]:
    """The steps in their order."""
    secure = (TLS,) if any(one.tls for one in endpoints(connector)) else ()
    return (RESOLVE, CONNECT, *secure, TOKEN, READ_LIST)


async def run(
    connector: RespondConnector,
    secrets: Mapping[str, Secret],
    steps: Steps,
    exchange: list[str],
    clock: Clock,
    seconds: float,
) -> None:
    """Go through the steps; what they find is in `steps` and `exchange`."""
    limit = min(STEP_SECONDS, seconds)
    if await steps.take(RESOLVE, _each(endpoints(connector), _resolve)) is None:
        return
    if await steps.take(CONNECT, _each(endpoints(connector), lambda one: _connect(one, limit))) is None:
        return
    secure = [one for one in endpoints(connector) if one.tls]
    if (
        secure
        and await steps.take(TLS, _each(secure, lambda one: _secure(connector, one, limit, clock))) is None
    ):
        return
    credentials = webhook.Credentials(client_id=secrets["client_id"], client_secret=secrets["client_secret"])
    sender = webhook.Sender(clock, seconds=limit, on_exchange=exchange.append)
    try:
        if await steps.take(TOKEN, _token(sender, connector, credentials)) is None:
            return
        await steps.take(READ_LIST, read_list(sender, connector, credentials))
    finally:
        await sender.close()


async def _each(
    found: tuple[Endpoint, ...] | list[Endpoint], work: Callable[[Endpoint], Awaitable[str]]
) -> tuple[str, bool]:
    return "; ".join([await work(one) for one in found]), True


async def _resolve(one: Endpoint) -> str:
    try:
        addresses = await probe.resolve(one.host, one.port)
    except Failed as failed:
        raise step_failed(failed, one.host) from None
    return f"{one.host} is {', '.join(addresses[:4])}"


async def _connect(one: Endpoint, seconds: float) -> str:
    try:
        await probe.reach(one.host, one.port, seconds)
    except Failed as failed:
        raise step_failed(failed, one.place) from None
    return f"{one.place} answers"


async def _secure(connector: RespondConnector, one: Endpoint, seconds: float, clock: Clock) -> str:
    try:
        found = await probe.secure(
            one.host, one.port, seconds, ca_file=connector.ca_file, verify=connector.verify_tls
        )
    except Failed as failed:
        raise step_failed(failed, one.host) from None
    return f"{one.host}: {found.words(clock.now())}"


def step_failed(failed: Failed, place: str) -> StepFailed:
    """A verdict of the network in a responder's words."""
    why = failed.verdict
    return StepFailed(f"{place}: {why.what}", _hint(why.code, _FIELDS.strip()), why.code)


def _hint(code: str, otherwise: str) -> str:
    return _HINTS.get(code) or (_TLS_HINT if "tls" in code else otherwise)


async def _token(
    sender: webhook.Sender, connector: RespondConnector, credentials: webhook.Credentials
) -> tuple[str, bool]:
    try:
        await sender.token(connector, credentials)
    except webhook.NoToken as fault:
        raise token_failed(fault) from None
    except UserFault as fault:
        raise StepFailed(fault.what, fault.hint, "settings") from None
    return "the credentials are accepted", True


def token_failed(fault: webhook.NoToken) -> StepFailed:
    """Why there is no token, in words."""
    if fault.page and fault.status in (0, 200, 403, 404, 407):
        return StepFailed(
            f"No token: {_first_lower(WEB_PAGE.meaning)}", WEB_PAGE.recommendation, WEB_PAGE_CODE
        )
    if fault.status in (0, 200):
        code = "no_token" if fault.status else fault.code or "network"
        return StepFailed(fault.what, _hint(code, fault.hint), code)
    return StepFailed(f"No token: {_first_lower(sentence(fault.status))}", fault.hint, str(fault.status))


async def read_list(
    sender: webhook.Sender, connector: RespondConnector, credentials: webhook.Credentials
) -> tuple[str, bool]:
    """Read the responder's list.

    Raises:
        StepFailed: it cannot be read, and why.
    """
    which = responders.RESPONDERS[connector.type].list
    try:
        answer = await sender.get(connector, credentials, responders.LIST_PATHS[which])
    except webhook.NoToken as fault:
        raise token_failed(fault) from None
    except Fault as fault:
        raise StepFailed(fault.what, fault.hint, "settings") from None
    if failure := judge(answer, credentials):
        raise failure
    try:
        entries = responders.read_entries(answer.body)
    except (ValueError, RecursionError):
        raise StepFailed(
            "What came is not the list.", f"{_FIELDS}{WEB_PAGE.recommendation}", NOT_LIST
        ) from None
    return f"the {_list_title(connector)} has {len(entries):,} entries", True


def judge(answer: Answer, credentials: webhook.Credentials) -> StepFailed | None:
    """Why this answer to reading a list is none; None when it may be one."""
    if answer.status == 0:
        code = answer.code or "network"
        return StepFailed(answer.message, _hint(code, _HINTS["timeout"]), code)
    if 300 <= answer.status < 400:
        return StepFailed(sentence(answer.status), REDIRECT.recommendation, str(answer.status))
    page = is_web_page(answer.body)
    if page and answer.status < 500:
        return StepFailed(
            f"{WEB_PAGE.meaning.removesuffix('.')} (status {answer.status}).",
            WEB_PAGE.recommendation,
            WEB_PAGE_CODE,
        )
    if answer.status != 200:
        said = "" if page else _said(answer, credentials)
        return StepFailed(
            sentence(answer.status) + (f" It says: “{said}”." if said else ""),
            _LIST_HINTS.get(answer.status, http_words(answer.status).recommendation),
            str(answer.status),
        )
    if not answer.whole:
        return StepFailed("The list ended before it was whole.", "Try again in a while.", "cut")
    return None


_LIST_HINTS: Final = {
    400: "Is the Cluster ID right? It stands at the top of the Proofpoint on Demand management interface.",
    403: "A token was given, but it does not open the list: does this key include the module of the "
    "organisation lists, and is the Cluster ID the key's own?",
    404: "Is the Hostname right? It is the API's own, without a path.",
}


def _said(answer: Answer, credentials: webhook.Credentials) -> str:
    from pod_desktop.core.exchange import mask

    secrets = (credentials.client_id, credentials.client_secret)
    return mask(responders.message_of(answer.body), secrets)[:200]


def _list_title(connector: RespondConnector) -> str:
    return "Org Block List" if "Block" in connector.type else "Org Safe List"


def state_of(code: str) -> str:
    """Whether a failure passes by itself or a person has to mend it."""
    if code in _PASSES or (code.isdigit() and http_words(int(code)).passes):
        return states.WAITING
    return states.STOPPED_FAULT


def _first_lower(words: str) -> str:
    return words[:1].lower() + words[1:]
