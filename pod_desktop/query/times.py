"""Times as people type them: absolute in any offset or none, part of a day or a whole one, or date math."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final, NamedTuple

from pod_desktop.core.clock import from_datetime, to_datetime


class Span(NamedTuple):
    """What a written time covers, in microseconds UTC: `start` included, `end` not."""

    start: int
    end: int

    @property
    def is_moment(self) -> bool:
        return self.end - self.start == 1


LAST: Final = from_datetime(datetime.max.replace(tzinfo=UTC))
FIRST: Final = from_datetime(datetime.min.replace(tzinfo=UTC))
"""The last and the first moment that can be written."""

_DATE: Final = re.compile(r"(\d{4})(?:-(\d\d?)(?:-(\d\d?)(?:Z|([+-]\d\d):?(\d\d))?)?)?$", re.ASCII)
_CLOCK: Final = re.compile(
    r"(\d{4}-\d\d?-\d\d?)[Tt\s]+(\d\d?)(?::?(\d\d)(?::?(\d\d)(?:[.,](\d{1,9}))?)?)?\s*(Z|z|UTC|GMT|[+-]\d\d:?(?:\d\d)?)?$",
    re.ASCII,
)
_EPOCH: Final = re.compile(r"\d{10}|\d{13}|\d{16}", re.ASCII)
_MATH: Final = re.compile(r"([+-]\d{1,6}|/)\s*([yMwdhHms])", re.ASCII)
_UNITS: Final = {
    "w": timedelta(weeks=1),
    "d": timedelta(days=1),
    "h": timedelta(hours=1),
    "H": timedelta(hours=1),
    "m": timedelta(minutes=1),
    "s": timedelta(seconds=1),
}


def parse_time(text: str, now: int, zone: tzinfo) -> Span:
    """What a written time covers; where it names no offset it is a time of `zone`.

    `2026`, `2026-11`, `2026-11-24`, `2026-11-24T09`, `…T09:41`, `…T09:41:07[.4]`, each with an offset or Z or not;
    seconds, milliseconds or microseconds since 1970 (10, 13, 16 digits); the date of a mail header; `now` or
    any of these and `||`, then date math: `now-15m`, `now-1d/d`, `2026-11-24||+1M`. `/d` is all of that day.

    Raises:
        ValueError: none of these, or outside the years 1 to 9999.
    """
    text = text.strip()
    if len(text) > 100:
        raise ValueError("too long")
    try:
        base, separator, math = text.partition("||")
        if text[:3].casefold() == "now":
            base, math = "now", text[3:]
        elif separator and not math:
            raise ValueError("no date math")
        span = _absolute(base, now, zone)
        return _calculated(span, math, zone) if math else span
    except OverflowError as error:
        raise ValueError("outside the years 1 to 9999") from error


def _absolute(text: str, now: int, zone: tzinfo) -> Span:
    if text == "now":
        return Span(now, now + 1)
    if _EPOCH.fullmatch(text):
        unit = {10: 1_000_000, 13: 1_000, 16: 1}[len(text)]
        return Span(int(text) * unit, int(text) * unit + unit)
    if found := _DATE.match(text):
        return _day(found, zone)
    if found := _CLOCK.match(text):
        return _clock(found, zone)
    return _mail_date(text, zone)


def _day(found: re.Match[str], zone: tzinfo) -> Span:
    year, month, day = int(found[1]), int(found[2] or 1), int(found[3] or 1)
    if found[4]:
        zone = _offset(found[4] + found[5])
    elif found[0].endswith("Z"):
        zone = UTC
    unit = "d" if found[3] else "M" if found[2] else "y"
    return _span(datetime(year, month, day, tzinfo=zone), unit)


def _clock(found: re.Match[str], zone: tzinfo) -> Span:
    year, month, day = (int(part) for part in found[1].split("-"))
    fraction = (found[5] or "")[:6]
    moment = datetime(
        year,
        month,
        day,
        int(found[2]),
        int(found[3] or 0),
        int(found[4] or 0),
        int(fraction.ljust(6, "0")),
        tzinfo=_offset(found[6]) if found[6] else zone,
    )
    if fraction:
        start = from_datetime(moment)
        return Span(start, start + 10 ** (6 - len(fraction)))
    return _span(moment, "s" if found[4] else "m" if found[3] else "h")


def _offset(text: str) -> tzinfo:
    if text[0] not in "+-":
        return UTC
    found = datetime.strptime(text.replace(":", "").ljust(5, "0"), "%z").tzinfo
    assert found is not None
    return found


def _mail_date(text: str, zone: tzinfo) -> Span:
    """`Tue, 24 Nov 2026 09:41:07 +0100`."""
    from email.utils import parsedate_to_datetime

    if not re.search(r"[A-Za-z]{3}\s+\d{4}", text):
        raise ValueError("not a time")
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, IndexError) as error:
        raise ValueError("not a time") from error
    return _span(moment if moment.tzinfo else moment.replace(tzinfo=zone), "s")


def _span(start: datetime, unit: str) -> Span:
    """All of the unit that begins at `start`; the last of year 9999 ends where time does."""
    low = from_datetime(start)
    try:
        return Span(low, from_datetime(_plus(start, 1, unit)))
    except (OverflowError, ValueError):
        return Span(low, LAST)


def _calculated(span: Span, math: str, zone: tzinfo) -> Span:
    """Date math on the start of a span; days and longer by the calendar of the zone."""
    moment = to_datetime(span.start).astimezone(zone)
    result = Span(span.start, span.start + 1)
    at = 0
    while at < len(math):
        found = _MATH.match(math, at)
        if not found:
            raise ValueError("not date math")
        at = found.end()
        unit = found[2]
        if found[1] == "/":
            moment = _rounded(moment, unit)
            result = _span(moment, unit)
        else:
            moment = _plus(moment, int(found[1]), unit)
            start = from_datetime(moment)
            result = Span(start, start + 1)
    return result


def _plus(moment: datetime, count: int, unit: str) -> datetime:
    if unit in "hHms":  # lengths of time: an hour stays an hour when the clocks change
        return (moment.astimezone(UTC) + count * _UNITS[unit]).astimezone(moment.tzinfo)
    if unit in _UNITS:
        return moment + count * _UNITS[unit]
    months = moment.year * 12 + moment.month - 1 + count * (12 if unit == "y" else 1)
    year, month = divmod(months, 12)
    day = moment.day
    while True:
        try:
            return moment.replace(year=year, month=month + 1, day=day)
        except ValueError:
            if day <= 28:
                raise
            day -= 1


def _rounded(moment: datetime, unit: str) -> datetime:
    if unit == "s":
        return moment.replace(microsecond=0)
    if unit == "m":
        return moment.replace(second=0, microsecond=0)
    if unit in "hH":
        return moment.replace(minute=0, second=0, microsecond=0)
    day = moment.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    if unit == "w":
        return day - timedelta(days=day.weekday())
    if unit == "M":
        return day.replace(day=1)
    return day.replace(month=1, day=1) if unit == "y" else day
