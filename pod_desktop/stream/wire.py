"""The log stream's wire without I/O: request URLs, what a frame holds, and whole hours of the archive.

Facts of the service are from Proofpoint's Log API and what independent collectors found out about it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import quote

from pod_desktop.core import limits
from pod_desktop.core.clock import DAY, HOUR, to_datetime
from pod_desktop.core.connector import STREAM_PATH

_LINE_END: Final = b"\r\n"
_BETWEEN: Final = re.compile(r"[\s,]*")
_SCANNER: Final = json.JSONDecoder(strict=False)


def stream_url(
    base: str, cluster_id: str, kind: str, *, since: int | None = None, until: int | None = None
) -> str:
    """The address of a live stream, or of a stretch of the archive (both ends given).

    Args:
        base: `wss://host:port` as core.connector.check_stream_url returns it.
        since: microseconds UTC; the service rounds it down to the hour.
        until: microseconds UTC; the service rounds it up to the hour.

    Raises:
        ValueError: one end without the other. Whether such a request ends or goes on live is nowhere
            promised, so it is never sent.
    """
    if (since is None) != (until is None):
        raise ValueError("an archive request has a beginning and an end")
    url = f"{base.rstrip('/')}{STREAM_PATH}?cid={quote(cluster_id, safe='')}&type={quote(kind, safe='')}"
    if since is not None and until is not None:
        url += f"&sinceTime={_time(since)}&toTime={_time(until)}"
    return url


def _time(micros: int) -> str:
    """UTC with `Z`: no `+` or offset that a server could read differently; colons percent-encoded."""
    return quote(to_datetime(micros).strftime("%Y-%m-%dT%H:%M:%SZ"), safe="")


def record_bytes(frame: bytes | str) -> bytes:
    """The record of a frame without the line end behind it; b'' for a keep-alive."""
    if isinstance(frame, str):
        frame = frame.encode("utf-8", "surrogatepass")
    record = frame.rstrip(_LINE_END)
    return b"" if record.isspace() else record


def split(frame: bytes) -> list[bytes]:
    """The pieces of a frame that holds several records: a JSON array, or one record after the other.

    Only for a frame that did not read as one record. Where lines do not tell (a record may hold raw line
    breaks of its own), JSON itself does. Fewer than two pieces, or more than anyone means, and the frame
    stays whole: []. An array of one is taken out of its brackets.
    """
    head = frame.lstrip()[:1]
    if head == b"[":
        return _values(frame, frame.index(b"[") + 1, end=b"]")
    if head != b"{":
        return []
    lines = _lines(frame) if frame.count(b"\n") <= limits.JSON_KEYS else []
    if len(lines) > 1 and all(line.startswith(b"{") for line in lines):
        return lines
    pieces = _values(frame, 0, end=b"")
    return pieces if len(pieces) > 1 else []


def _lines(frame: bytes) -> list[bytes]:
    return [line for line in (part.strip() for part in frame.split(b"\n")) if line]


def _values(frame: bytes, at: int, *, end: bytes) -> list[bytes]:
    """JSON objects one after the other from `at` to the end, or [] when there is anything else."""
    whole = frame.rstrip()
    if end and not whole.endswith(end):
        return []
    whole = whole.removesuffix(end)
    pieces, behind = objects(whole, at, limits.JSON_KEYS)
    return pieces if behind == len(whole) else []


def objects(data: bytes, at: int, most: int) -> tuple[list[bytes], int]:
    """JSON objects one after the other (blanks and commas between) as far as they read.

    Returns:
        The bytes of at most so many objects, and the place behind them: where it ends, or does not read.
    """
    # Latin-1 maps each byte to one character: places in the text are places in the bytes.
    text = data.decode("latin-1")
    found: list[bytes] = []
    while len(found) <= most:
        at = _BETWEEN.match(text, at).end()  # type: ignore[union-attr]
        if at == len(text) or text[at] != "{" or len(found) == most:
            break
        try:
            _, behind = _SCANNER.raw_decode(text, at)
        except (ValueError, RecursionError):
            break
        found.append(data[at:behind])
        at = behind
    return found, at


def hour_of(micros: int) -> int:
    """The hour that a moment lies in, counted from 1970 UTC."""
    return micros // HOUR


def hour_begin(hour: int) -> int:
    """Microseconds UTC at which an hour begins."""
    return hour * HOUR


def first_in_reach(now: int) -> int:
    """The oldest hour that the archive still gives; an earlier one is answered with 400.

    One hour of margin: both ends of a request must be inside while it is on its way.
    """
    return hour_of(now - limits.ARCHIVE_DAYS * DAY) + 1


def runs(hours: Iterable[int]) -> list[list[int]]:
    """Hours as ascending runs [first, last], the compact form that is stored."""
    found: list[list[int]] = []
    for hour in sorted(set(hours)):
        if found and hour == found[-1][1] + 1:
            found[-1][1] = hour
        else:
            found.append([hour, hour])
    return found


def from_runs(stored: object) -> set[int]:
    """Hours of their compact form; what is no run, or longer than the archive reaches twice, is left out."""
    found: set[int] = set()
    if isinstance(stored, list | tuple):
        for run in stored:
            match run:
                case [int(first), int(last)] if 0 <= last - first <= 2 * 24 * limits.ARCHIVE_DAYS:
                    found.update(range(first, last + 1))
                case _:
                    continue
    return found
