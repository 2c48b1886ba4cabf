"""Faults on order: what the next handshakes answer, and how sessions end."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final

# How a session or a handshake ends without words.
ABORT: Final = "abort"
"""End of the connection without a close frame: the client sees 1006."""
RESET: Final = "reset"
"""TCP RST."""
SILENCE: Final = "silence"
"""Half-open: the connection stands, nothing is sent, nothing is read, no ping is answered."""
CLOSE_CODES: Final = (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1011, 1012, 1013)
HOWS: Final = (ABORT, RESET, SILENCE, *CLOSE_CODES)

EXCEEDED: Final = b"Exceeded maximum number of sessions per token\r\n"
BODIES: Final[dict[int, bytes]] = {
    400: b"Bad Request\r\n",
    401: b"Unauthorized\r\n",
    403: b"Forbidden\r\n",
    404: b"404 page not found\n",
    405: b"Method Not Allowed\r\n",
    409: EXCEEDED,
    429: b"Too Many Requests\r\n",
    500: b"Internal Server Error\r\n",
    502: b"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body><center><h1>502 Bad Gateway</h1></center></body>\r\n</html>\r\n",
    503: b"upstream connect error or disconnect/reset before headers",
}
PROXY_PAGE: Final = (
    b"<!DOCTYPE html><html><head><title>Blocked</title><script>alert(1)</script></head>"
    b"<body><h1>Web filter</h1><img src='file:///etc/passwd'><a href='http://203.0.113.9/'>Ask for access</a></body></html>"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """How a handshake is answered. status 0: as the service would, after `delay`."""

    status: int = 0
    body: bytes = b""
    content_type: str = "text/plain"
    headers: tuple[tuple[str, str], ...] = ()
    delay: float = 0.0
    """Seconds before the answer."""
    how: str = ""
    """ABORT, RESET or SILENCE instead of any answer."""


def answer(status: int, **more: object) -> Answer:
    """An answer with the body that the service sends with this status."""
    html = BODIES.get(status, b"").startswith(b"<")
    plain = Answer(
        status=status, body=BODIES.get(status, b""), content_type="text/html" if html else "text/plain"
    )
    return replace(plain, **more)  # type: ignore[arg-type]


def proxy_page(status: int = 403) -> Answer:
    """The HTML page of a web filter between client and service."""
    return Answer(status=status, body=PROXY_PAGE, content_type="text/html; charset=utf-8")


def redirect(location: str, status: int = 301) -> Answer:
    return Answer(status=status, headers=(("Location", location),))


def slow(seconds: float) -> Answer:
    """The proper answer, late."""
    return Answer(delay=seconds)


class Faults:
    """What is to go wrong, set by a test while the simulator runs."""

    def __init__(self) -> None:
        self._handshakes: deque[tuple[str | None, Answer]] = deque()
        self._ends: list[tuple[str | None, int, str | int]] = []
        self.always: Answer | None = None
        """Answer to every handshake, until None again."""
        self.muted: bool = False
        """True: live streams hold everything back (an outage behind the front door)."""

    def next_handshakes(self, *answers: int | str | Answer, kind: str | None = None) -> None:
        """Answer the coming handshakes (of one kind, or any) so: a status, ABORT, RESET, SILENCE, or an Answer."""
        self._handshakes.extend((kind, _as_answer(given)) for given in answers)

    def end_after(self, records: int, how: str | int, kind: str | None = None) -> None:
        """End the next session (of one kind, or any) so, once it has sent this many frames; sessions that
        are open count from now. May be called several times: one session, one end."""
        self._ends.append((kind, records, _known(how)))

    def take_handshake(self, kind: str) -> Answer | None:
        """The answer ordered for this handshake, used up; None = none ordered."""
        if self.always is not None:
            return self.always
        for entry in self._handshakes:
            if entry[0] in (None, kind):
                self._handshakes.remove(entry)
                return entry[1]
        return None

    def take_end(self, kind: str) -> tuple[int, str | int] | None:
        """Frames left and manner of the end ordered for this session, used up; None = none ordered."""
        for entry in self._ends:
            if entry[0] in (None, kind):
                self._ends.remove(entry)
                return entry[1], entry[2]
        return None

    @property
    def pending(self) -> int:
        """Orders not used up yet."""
        return len(self._handshakes) + len(self._ends)

    @contextmanager
    def every_handshake(self, given: int | str | Answer) -> Iterator[None]:
        """Answer all handshakes so, inside the with block."""
        self.always = _as_answer(given)
        try:
            yield
        finally:
            self.always = None


def _as_answer(given: int | str | Answer) -> Answer:
    if isinstance(given, int):
        return answer(given)
    if isinstance(given, str):
        return Answer(how=str(_known(given)))
    return given


def _known(how: str | int) -> str | int:
    if how not in HOWS:
        raise ValueError(f"{how!r} is no way to end; use one of {', '.join(map(str, HOWS))}")
    return how
