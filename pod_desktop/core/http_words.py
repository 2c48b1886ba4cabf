"""What HTTP status codes mean for a connector, and what to check: one table for responders, tests and health.

The log stream's own verdicts (pod_desktop.stream.verdict) say more, because there a code means more.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class HttpWords(NamedTuple):
    """A status in words."""

    name: str
    """`Unauthorized`."""
    meaning: str
    """One sentence: what went wrong."""
    recommendation: str
    """What to check or do."""
    passes: bool
    """It may pass by itself and is tried again; else a person has to mend something."""


_TABLE: Final[dict[int, HttpWords]] = {
    400: HttpWords(
        "Bad Request", "The service did not accept the request.",
        "Is the connector configured correctly? Compare the Cluster ID, the Hostname and the Token URL with "
        "what Proofpoint gave you.", False,
    ),
    401: HttpWords(
        "Unauthorized", "The service refused the credentials.",
        "Were the credentials entered whole and without mistakes? Have they expired or been deleted? Is the "
        "cluster licensed for this?", False,
    ),
    403: HttpWords(
        "Forbidden", "The credentials are valid, but are not allowed to do this.",
        "Are these the right credentials, and do they have the role or permission for this? A firewall on the "
        "way may answer 403 as well.", False,
    ),
    404: HttpWords(
        "Not Found", "The address leads nowhere.", "Is the address entered correctly?", False
    ),
    405: HttpWords(
        "Method Not Allowed", "What answers at this address does not take such requests.",
        "Is the address entered correctly? A proxy may have changed the request.", False,
    ),
    407: HttpWords(
        "Proxy Authentication Required", "A proxy on the way asks for a sign-in.",
        "Let this computer reach the service directly.", False,
    ),
    408: HttpWords(
        "Request Timeout", "The service gave up waiting for the request.", "Try again in a while.", True
    ),
    409: HttpWords(
        "Conflict", "The service is busy with something that excludes this.",
        "Does another program use the same credentials at this moment? Try again in a minute or two.", True,
    ),
    429: HttpWords(
        "Too Many Requests", "The service asks to slow down, or a quota of the licence is used up.",
        "It recovers and is tried again by itself. If it comes often, ask Proofpoint about the limits of this "
        "licence.", True,
    ),
    500: HttpWords(
        "Internal Server Error", "The service has a fault of its own.", "Try again in a while.", True
    ),
    502: HttpWords(
        "Bad Gateway", "A gateway did not reach the service.", "This usually passes: try again in a while.",
        True,
    ),
    503: HttpWords(
        "Service Unavailable", "The service does not take requests at the moment.", "Try again in a while.",
        True,
    ),
    504: HttpWords(
        "Gateway Timeout", "A gateway waited in vain for the service.", "Try again in a while.", True
    ),
}  # fmt: skip
CODES: Final = tuple(_TABLE)
REDIRECT: Final = HttpWords(
    "Redirect",
    "The server sent the request elsewhere, which is never followed: credentials stay with the address that "
    "was entered.",
    "Is the address entered correctly? A sign-in page or proxy often answers so.",
    False,
)
WEB_PAGE: Final = HttpWords(
    "Web page",
    "Something answered with a web page instead of the service.",
    "Is the address entered correctly? Does a proxy, firewall or sign-in page stand on the way?",
    False,
)


def http_words(status: int) -> HttpWords:
    """The words of any status from 300 to 599, and of others that no service should send."""
    if status in _TABLE:
        return _TABLE[status]
    if 300 <= status < 400:
        return REDIRECT
    if 400 <= status < 500:
        return _TABLE[400]._replace(name="", meaning="The service refused the request.")
    if 500 <= status < 600:
        return _TABLE[500]._replace(name="")
    return HttpWords(
        "", "The service answered in a way that was not expected.", WEB_PAGE.recommendation, False
    )


def sentence(status: int) -> str:
    """`The service refused the credentials (401 Unauthorized).`"""
    words = http_words(status)
    return f"{words.meaning.removesuffix('.')} ({f'{status} {words.name}'.strip()})."


def is_web_page(body: bytes, content_type: str = "") -> bool:
    """Does this answer look like HTML?"""
    head = body[:512].lstrip().lower()
    return "html" in content_type.lower() or head.startswith(
        (b"<!doctype", b"<html", b"<head", b"<body", b"<?xml")
    )
