"""Time as plain values: microseconds UTC inside, ISO 8601 outside, and a clock that tests can turn."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

SECOND: Final = 1_000_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Clock(Protocol):
    """What tells the time; pure functions take its values, never the clock itself."""

    def now(self) -> int:
        """Microseconds since 1970 UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that never run backwards."""
        ...


class SystemClock:
    """The computer's clock."""

    def now(self) -> int:
        return time.time_ns() // 1000

    def monotonic(self) -> float:
        return time.monotonic()


def from_datetime(moment: datetime) -> int:
    """Microseconds since 1970 UTC; a moment without a zone counts as UTC."""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) // timedelta(microseconds=1)


def to_datetime(micros: int) -> datetime:
    """The UTC datetime of microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=micros)


def iso(micros: int) -> str:
    """`2026-11-24T09:41:07.412345Z`; raises OverflowError outside the years 1-9999."""
    return to_datetime(micros).isoformat(timespec="microseconds").replace("+00:00", "Z")


_OFFSET: Final = re.compile(r"([+-]\d\d):?(\d\d)$")


def parse_iso(text: str) -> int:
    """Microseconds since 1970 UTC of an ISO 8601 time; without an offset it counts as UTC.

    Takes offsets with and without colon, as the service writes both.

    Raises:
        ValueError: not an ISO 8601 date or time.
    """
    return from_datetime(datetime.fromisoformat(text.strip()))


_AGO: Final = re.compile(r"(?:now-)?(\d+)\s*([smhdw])$")
_UNIT: Final = {"s": SECOND, "m": MINUTE, "h": HOUR, "d": DAY, "w": 7 * DAY}


def parse_span(text: str) -> int:
    """Microseconds of `90s`, `15m`, `2h`, `7d`, `1w`.

    Raises:
        ValueError: not a whole number with one of those units.
    """
    match = re.fullmatch(r"(\d{1,9})\s*([smhdw])", text.strip())
    if not match:
        raise ValueError(f"{text!r} is not a length of time; write for example 15m, 2h or 7d")
    return int(match[1]) * _UNIT[match[2]]


def parse_when(text: str, now: int) -> int:
    """A moment as people type it: ISO 8601, `now`, `now-15m` or `7d` (that long ago).

    Raises:
        ValueError: none of these.
    """
    text = text.strip()
    if text == "now":
        return now
    if match := _AGO.match(text):
        return now - int(match[1]) * _UNIT[match[2]]
    try:
        return parse_iso(text)
    except ValueError:
        raise ValueError(
            f"{text!r} is not a time; write for example 2026-11-24T09:00Z, now-15m or 7d"
        ) from None
