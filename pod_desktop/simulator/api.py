"""The token endpoint and the two organisation lists, with the answers and faults that clients have met."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qs, urlsplit

from pod_desktop.core.clock import SECOND, Clock
from pod_desktop.simulator.chance import seed_of
from pod_desktop.simulator.http1 import HttpServer, Reply, Request

TOKEN_PATH: Final = "/v1/token"
LIST_PATH: Final = "/api/v1/emailProtection/modules/spam/"
BLOCK: Final = "orgBlockList"
SAFE: Final = "orgSafeList"
ATTRIBUTES: Final = ("$from", "$hfrom", "$ip", "$host", "$helo", "$rcpt")
OPERATORS: Final = {
    BLOCK: ("equal", "not_equal", "contain", "not_contain", "is_in_list"),
    SAFE: ("equal", "contain", "is_in_list"),
}
COMMENT_CHARS: Final = 150
DUPLICATE: Final = "error.api.emailprotection.lists.samelist.duplicate.entry"

# Where an ordered fault strikes, besides a plain reply.
RESET_BEFORE_READ: Final = "reset before read"
HANG_BEFORE_READ: Final = "hang before read"
RESET_AFTER_READ: Final = "reset after read"
HANG_AFTER_READ: Final = "hang after read"
RESET_AFTER_PROCESS: Final = "reset after process"
HANG_AFTER_PROCESS: Final = "hang after process"
CUT_AFTER_PROCESS: Final = "cut after process"
STRIKES: Final = (
    RESET_BEFORE_READ,
    HANG_BEFORE_READ,
    RESET_AFTER_READ,
    HANG_AFTER_READ,
    RESET_AFTER_PROCESS,
    HANG_AFTER_PROCESS,
    CUT_AFTER_PROCESS,
)


@dataclass(slots=True, kw_only=True)
class ApiBehaviour:
    """How the API behaves where the real one varies; may be changed while it runs."""

    expires_in: int = 3600
    """Seconds that a token lives."""
    licensed: bool = True
    """False: every list request is 403."""
    post_body: str = "empty"
    """Body of a successful POST: "empty", "json" or "text"."""
    error_shape: str = "errorMessage"
    """"errorMessage", "errors" (a list), or "text"."""
    missing_delete: int = 200
    """Status of deleting what is not there."""
    both_lists: bool = True
    """Whether an entry may be in both lists; else 400."""
    delay: float = 0.0
    """Seconds before each answer."""


class Exchange(NamedTuple):
    """One request as it came, and its answer."""

    at: float
    """Monotonic seconds."""
    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    status: int
    """0 where the connection was broken off instead."""

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Api:
    """In-memory lists behind a token."""

    def __init__(self, seed: int, cluster_id: str, client: tuple[str, str], clock: Clock) -> None:
        self.cluster_id = cluster_id
        self.behaviour = ApiBehaviour()
        self.lists: dict[str, dict[tuple[str, str, str], dict[str, str]]] = {BLOCK: {}, SAFE: {}}
        """By list: entries by (attribute, operator, value without case)."""
        self.exchanges: list[Exchange] = []
        self._client = client
        self._clock = clock
        self._rng = Random(seed_of(seed, "tokens"))
        self._tokens: dict[str, int] = {}
        self._orders: deque[tuple[str | None, Reply | str]] = deque()
        self._server = HttpServer(self._handle, self._before_read)

    @property
    def port(self) -> int:
        return self._server.port

    async def start(self, host: str, port: int, tls: ssl.SSLContext | None) -> None:
        await self._server.start(host, port, tls)

    async def stop(self) -> None:
        await self._server.stop()

    # Control

    def next(self, *orders: int | str | Reply, where: str | None = None) -> None:
        """Answer the coming requests so: a status, one of STRIKES, or a Reply.

        where: "token", "list", or None for any; RESET_BEFORE_READ and HANG_BEFORE_READ strike the next new
        connection, whatever it asks.
        """
        for order in orders:
            if isinstance(order, str) and order not in STRIKES:
                raise ValueError(f"{order!r} is no strike; use one of {', '.join(STRIKES)}")
            reply = _plain_fault(order) if isinstance(order, int) else order
            self._orders.append((where, reply))

    def requests(self, path: str = "") -> list[Exchange]:
        """The exchanges whose path contains this."""
        return [exchange for exchange in self.exchanges if path in exchange.target]

    @property
    def token_requests(self) -> int:
        return len(self.requests(TOKEN_PATH))

    def revoke(self) -> None:
        """No token is valid any more."""
        self._tokens.clear()

    def entries(self, name: str = BLOCK) -> list[dict[str, str]]:
        return list(self.lists[name].values())

    def add(self, name: str, attribute: str, operator: str, value: str, comment: str = "") -> None:
        """Put an entry into a list, as somebody else would do."""
        entry = {"attribute": attribute, "operator": operator, "value": value}
        if comment:
            entry["comment"] = comment
        self.lists[name][attribute, operator, value.casefold()] = entry

    # Serving

    def _before_read(self) -> str:
        for order in self._orders:
            if order[1] in (RESET_BEFORE_READ, HANG_BEFORE_READ):
                self._orders.remove(order)
                return str(order[1]).partition(" ")[0]
        return ""

    async def _handle(self, request: Request) -> Reply:
        path = urlsplit(request.target).path
        where = "token" if path == TOKEN_PATH else "list"
        order = self._take(where)
        if isinstance(order, Reply):
            reply = order
        elif order in (RESET_AFTER_READ, HANG_AFTER_READ):
            reply = Reply(0, how=order.partition(" ")[0])
        else:
            reply = self._token(request) if where == "token" else self._list(request, path)
            if order:
                reply = reply._replace(status=reply.status, how=order.partition(" ")[0])
        broken = reply.how in ("reset", "hang", "abort")
        self.exchanges.append(
            Exchange(
                self._clock.monotonic(),
                request.method,
                request.target,
                request.headers,
                request.body,
                0 if broken else reply.status,
            )
        )
        if self.behaviour.delay:
            await asyncio.sleep(self.behaviour.delay)
        return reply

    def _take(self, where: str) -> Reply | str:
        for order in self._orders:
            if order[0] in (None, where) and order[1] not in (RESET_BEFORE_READ, HANG_BEFORE_READ):
                self._orders.remove(order)
                return order[1]
        return ""

    def _token(self, request: Request) -> Reply:
        if request.method != "POST":
            return self._error(405, "method not allowed")
        if "x-www-form-urlencoded" not in request.headers.get("content-type", ""):
            return _json(415, {"error": "invalid_request", "error_description": "form expected"})
        form = parse_qs(request.body.decode("utf-8", "replace"), keep_blank_values=True)
        if form.get("grant_type") != ["client_credentials"]:
            return _json(400, {"error": "unsupported_grant_type"})
        given = form.get("client_id", [""])[0], form.get("client_secret", [""])[0]
        if given != self._client:
            return _json(
                401, {"error": "invalid_client", "error_description": "Client authentication failed"}
            )
        token = self._rng.randbytes(96).hex()
        self._tokens[token] = self._clock.now() + self.behaviour.expires_in * SECOND
        return _json(
            200, {"access_token": token, "token_type": "bearer", "expires_in": self.behaviour.expires_in}
        )

    def _list(self, request: Request, path: str) -> Reply:
        name = path.removeprefix(LIST_PATH)
        if not path.startswith(LIST_PATH) or name not in self.lists:
            return Reply(404, b'{"errorMessage":"Resource not found"}')
        if request.method not in ("GET", "POST"):
            return self._error(405, "method not allowed")
        if not self._authorized(request):
            return self._error(401, "Unauthorized")
        if not self.behaviour.licensed:
            return self._error(403, "User is not authorized to access this resource")
        cluster = parse_qs(urlsplit(request.target).query).get("clusterId", [""])[0]
        if cluster != self.cluster_id:
            return self._error(403 if cluster else 400, "clusterId is missing or not yours")
        if request.method == "GET":
            return _json(200, {"entries": self.entries(name)})
        return self._change(name, request)

    def _authorized(self, request: Request) -> bool:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        return scheme.lower() == "bearer" and self._tokens.get(token, 0) > self._clock.now()

    def _change(self, name: str, request: Request) -> Reply:
        try:
            asked = json.loads(request.body)
        except ValueError:
            return self._error(400, "request body is not JSON")
        if fault := _fault_in(asked, name):
            return self._error(400, fault)
        key = asked["attribute"], asked["operator"], asked["value"].casefold()
        entries = self.lists[name]
        if asked["action"] == "delete":
            if key not in entries and self.behaviour.missing_delete != 200:
                return self._error(
                    self.behaviour.missing_delete, "error.api.emailprotection.lists.entry.not.found"
                )
            entries.pop(key, None)
            return self._done()
        if key in entries:
            return self._error(400, DUPLICATE)
        other = self.lists[SAFE if name == BLOCK else BLOCK]
        if not self.behaviour.both_lists and key in other:
            return self._error(400, "error.api.emailprotection.lists.otherlist.duplicate.entry")
        self.add(name, asked["attribute"], asked["operator"], asked["value"], asked.get("comment", ""))
        return self._done()

    def _done(self) -> Reply:
        bodies: dict[str, Callable[[], Reply]] = {
            "empty": lambda: Reply(200),
            "json": lambda: _json(200, {"status": "success"}),
            "text": lambda: Reply(200, b"OK", "text/plain"),
        }
        return bodies[self.behaviour.post_body]()

    def _error(self, status: int, words: str) -> Reply:
        if self.behaviour.error_shape == "text":
            return Reply(status, words.encode(), "text/plain")
        if self.behaviour.error_shape == "errors":
            return _json(status, {"errors": [{"message": words, "code": status}]})
        return _json(status, {"errorMessage": words})


def _json(status: int, content: object) -> Reply:
    return Reply(status, json.dumps(content).encode())


def _plain_fault(status: int) -> Reply:
    """What stands before the API says, when the API itself does not."""
    if status in (502, 503, 504):
        page = f"<html><head><title>{status}</title></head><body><h1>{status}</h1></body></html>"
        return Reply(status, page.encode(), "text/html")
    return _json(status, {"errorMessage": f"simulated {status}"})


def _fault_in(asked: object, name: str) -> str:
    """What is wrong with a change; '' = nothing."""
    if not isinstance(asked, dict):
        return "request body is not an object"
    if unknown := set(asked) - {"action", "attribute", "operator", "value", "comment"}:
        return f"unknown property {min(unknown)}"
    if asked.get("action") not in ("add", "delete"):
        return "action must be add or delete"
    if asked.get("attribute") not in ATTRIBUTES:
        return "attribute is not valid"
    if asked.get("operator") not in OPERATORS[name]:
        return "operator is not valid"
    value, comment = asked.get("value"), asked.get("comment", "")
    if not isinstance(value, str) or not value.strip():
        return "value is required"
    if not isinstance(comment, str) or len(comment) > COMMENT_CHARS:
        return f"comment must have at most {COMMENT_CHARS} characters"
    return ""
