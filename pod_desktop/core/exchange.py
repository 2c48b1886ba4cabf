"""An HTTP exchange as text for people: secrets masked, outside bytes made harmless, bounded."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import quote, quote_plus

from pod_desktop.core.secret import Secret

MASK: Final = "••••"
LINES: Final = 40
"""Lines of a body that are shown."""
LINE_CHARS: Final = 500
_HEADERS: Final = 60
_PIECE: Final = 12
"""A server that cuts what it repeats still shows this much of its beginning."""
_SECRET_HEADERS: Final = frozenset(
    {"authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key"}
)
_NAMED: Final = re.compile(
    r'(?i)("(?!token_type)[\w-]*(?:token|secret|password)[\w-]*"\s*:\s*")((?:[^"\\]|\\.)*)'
)
_JWT: Final = re.compile(r"eyJ[\w-]{8,}(?:\.[\w-]*){0,2}")


def mask(text: str, secrets: Iterable[Secret]) -> str:
    """The text without these secrets, in whatever form HTTP may carry them, and without what looks like a token."""
    for secret in secrets:
        value = secret.reveal()
        if not value:
            continue
        for form in sorted(_forms(value), key=len, reverse=True):
            text = text.replace(form, MASK)
        if len(value) >= 2 * _PIECE:
            text = re.sub(re.escape(value[:_PIECE]) + r"[\w.~+/=%-]*", MASK, text)
    text = _NAMED.sub(rf"\g<1>{MASK}", text)
    return _JWT.sub(MASK, text)


def _forms(value: str) -> set[str]:
    raw = value.encode()
    return {
        value,
        quote(value, safe=""),
        quote_plus(value),
        json.dumps(value)[1:-1],
        base64.b64encode(raw).decode().rstrip("="),
        base64.urlsafe_b64encode(raw).decode().rstrip("="),
    }


def exchange_text(
    *,
    request: str,
    request_headers: Iterable[tuple[str, str]] = (),
    request_body: str = "",
    response: str = "",
    response_headers: Iterable[tuple[str, str]] = (),
    body: bytes = b"",
    secrets: Iterable[Secret] = (),
) -> str:
    """Both sides of one exchange, `>` what was sent and `<` what came.

    Args:
        request: `GET https://host/path`.
        response: `HTTP/1.1 401 Unauthorized`, or why there was none.
        secrets: Everything that must not be seen in it.
    """
    known = tuple(secrets)
    sent = [request, *_headers(request_headers), *_lines(request_body)]
    came = [response, *_headers(response_headers), *_lines(body.decode("utf-8", "replace"))]
    lines = [f"> {line}" for line in sent if line] + [f"< {line}" for line in came if line]
    return "\n".join(_harmless(mask(line, known)) for line in lines)


def _headers(headers: Iterable[tuple[str, str]]) -> list[str]:
    return [
        f"{name}: {MASK if name.lower() in _SECRET_HEADERS else value}"
        for name, value in list(headers)[:_HEADERS]
    ]


def _lines(text: str) -> list[str]:
    lines = [line for line in re.split(r"\r\n|\r|\n", text) if line.strip()]
    return lines if len(lines) <= LINES else [*lines[:LINES], f"… {len(lines) - LINES:,} more lines"]


def _harmless(line: str) -> str:
    clean = "".join(char if char.isprintable() else "\ufffd" for char in line.replace("\t", "    "))
    return clean if len(clean) <= LINE_CHARS else clean[: LINE_CHARS - 1] + "…"
