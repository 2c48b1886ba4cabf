"""Times as the cluster writes them: microseconds, and its zone's offset without a colon.

The zone is US Pacific, where the published samples come from; its rule stands here because not every
system has a zone database.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache

from pod_desktop.core.clock import HOUR, MINUTE, SECOND, from_datetime, to_datetime

_QID_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwx"


def _nth_sunday(year: int, month: int, nth: int) -> datetime:
    first = datetime(year, month, 1, tzinfo=UTC)
    return first + timedelta(days=(6 - first.weekday()) % 7 + 7 * (nth - 1))


@lru_cache(maxsize=64)
def _summer(year: int) -> tuple[int, int]:
    """Begin and end of summer time in microseconds UTC: 2 o'clock local, second and first Sunday."""
    begin = _nth_sunday(year, 3, 2) + timedelta(hours=10)
    end = _nth_sunday(year, 11, 1) + timedelta(hours=9)
    return from_datetime(begin), from_datetime(end)


def offset_hours(micros: int) -> int:
    """-7 in summer, -8 in winter."""
    begin, end = _summer(to_datetime(micros).year)
    return -7 if begin <= micros < end else -8


@lru_cache(maxsize=4096)
def _minute(minute: int) -> tuple[str, int, str]:
    micros = minute * MINUTE
    hours = offset_hours(micros)
    local = to_datetime(micros + hours * HOUR)
    stamp = (local.year - 1900) % 60, local.month - 1, local.day, local.hour, local.minute
    return local.strftime("%Y-%m-%dT%H:%M:"), hours, "".join(_QID_DIGITS[part] for part in stamp)


def stamp(micros: int, colon: bool = False) -> str:
    """`2026-05-22T12:10:03.058340-0700`; with colon: `-07:00`, as older releases and log lines have it."""
    minute, rest = divmod(micros, MINUTE)
    prefix, hours, _ = _minute(minute)
    offset = f"-0{-hours}:00" if colon else f"-0{-hours}00"
    return f"{prefix}{rest // SECOND:02d}.{rest % SECOND:06d}{offset}"


def queue_id(micros: int, number: int) -> str:
    """A sendmail queue id: six digits of time, two of sequence, six of process id (sendmail 8.15, queue.c)."""
    minute, rest = divmod(micros, MINUTE)
    sequence = _QID_DIGITS[number // 60 % 60] + _QID_DIGITS[number % 60]
    return f"{_minute(minute)[2]}{_QID_DIGITS[rest // SECOND]}{sequence}{number % 60000:06d}"


def local_hour(micros: int) -> tuple[int, float]:
    """Day of the week (Monday 0) and hour of the day there."""
    local = to_datetime(micros + offset_hours(micros) * HOUR)
    return local.weekday(), local.hour + local.minute / 60
