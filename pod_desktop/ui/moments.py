"""Times and amounts in words: short in cells, whole on hover, in the zone that the user chose."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Final

from pod_desktop.core.clock import DAY, MINUTE, SECOND, to_datetime

_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_KEPT: Final = 20_000


class Zone:
    """Writes moments in UTC or in the computer's zone."""

    def __init__(self, *, utc: bool = False) -> None:
        self._utc = utc
        self._seconds: dict[int, str] = {}
        self._today = ""
        self._checked = 0.0

    @property
    def utc(self) -> bool:
        """Whether times are shown in UTC."""
        return self._utc

    @property
    def tzinfo(self) -> tzinfo:
        """The zone, for times that are typed without one."""
        return UTC if self._utc else (datetime.now().astimezone().tzinfo or UTC)

    def use_utc(self, utc: bool) -> None:
        """Change the zone; what was written before must be written again."""
        self._utc = utc
        self._seconds.clear()

    def local(self, micros: int) -> datetime:
        """The moment in the zone; the ends of the calendar stand for what lies beyond."""
        try:
            moment = to_datetime(micros)
            return moment if self._utc else moment.astimezone()
        except (OverflowError, ValueError, OSError):
            return datetime.min.replace(tzinfo=UTC) if micros < 0 else datetime.max.replace(tzinfo=UTC)

    def short(self, micros: int) -> str:
        """`09:41:07.412` today, `Nov 21 09:41:07` this year, `2025-11-21 09:41` before."""
        self._new_day()
        second = micros // SECOND
        shown = self._seconds.get(second)
        if shown is None:
            shown = self._short(micros)
            if len(self._seconds) > _KEPT:
                self._seconds.clear()
            self._seconds[second] = shown
        return f"{shown}.{micros % SECOND // 1000:03d}" if len(shown) == 8 else shown

    def _short(self, micros: int) -> str:
        moment = self.local(micros)
        day = f"{moment:%Y-%m-%d}"
        if day == self._today:
            return f"{moment:%H:%M:%S}"
        if day[:4] == self._today[:4]:
            return f"{_MONTHS[moment.month - 1]} {moment:%d %H:%M:%S}"
        return f"{day} {moment:%H:%M}"

    def day(self, micros: int, *, year: bool) -> str:
        """`Nov 21`, or `2025-11-21` with its year."""
        moment = self.local(micros)
        return f"{moment:%Y-%m-%d}" if year else f"{_MONTHS[moment.month - 1]} {moment:%d}"

    def needs_year(self, moments: Iterable[int]) -> bool:
        """Whether these moments are not all of this year, so that a day without its year would mislead."""
        years = {self.local(micros).year for micros in moments}
        return bool(years - {self.local(time.time_ns() // 1000).year})

    def label(self, starts: Sequence[int], every: int, around: Iterable[int] = ()) -> list[str]:
        """Names for stretches of time of one length, each different from the others and as short as that allows.

        Args:
            starts: their beginnings, microseconds UTC.
            every: their length, microseconds.
            around: further moments that are seen with them, as the ends of what was asked for.

        `Nov 21` where all are days, else `Nov 21 09:00` or `Nov 21 09:00:15`; `2025-11-21 …` where not all is of this
        year; with the offset where clocks are put back between them.
        """
        year = self.needs_year([*starts, *(start + every - 1 for start in starts[-1:]), *around])
        moments = [self.local(start) for start in starts]
        # A zone that is not UTC may have its days begin at another hour than the stretches do.
        days = every % DAY == 0 and all(not (moment.hour or moment.minute) for moment in moments)
        clock = "" if days else " %H:%M:%S" if every % MINUTE else " %H:%M"
        names = [
            f"{self.day(start, year=year)}{moment.strftime(clock)}"
            for start, moment in zip(starts, moments, strict=True)
        ]
        if len(set(names)) == len(names):
            return names
        return [f"{name} {_offset(moment)}" for name, moment in zip(names, moments, strict=True)]

    def whole(self, micros: int) -> str:
        """`2026-11-24 09:41:07.412345 +01:00`."""
        moment = self.local(micros)
        return f"{moment:%Y-%m-%d %H:%M:%S}.{micros % SECOND:06d} {_offset(moment)}"

    def clock(self, micros: int) -> str:
        """`09:41:07`."""
        return f"{self.local(micros):%H:%M:%S}"

    def name(self) -> str:
        """`UTC` or `UTC+01:00`."""
        if self._utc:
            return "UTC"
        offset = _offset(datetime.now().astimezone())
        return f"UTC{offset}"

    def _new_day(self) -> None:
        now = time.monotonic()
        if now - self._checked < 1 and self._today:
            return
        self._checked = now
        today = f"{self.local(time.time_ns() // 1000):%Y-%m-%d}"
        if today != self._today:
            self._today = today
            self._seconds.clear()


def _offset(moment: datetime) -> str:
    zone: tzinfo = moment.tzinfo or UTC
    shift = zone.utcoffset(moment) or timedelta()
    text = timezone(shift).tzname(None)
    return "+00:00" if text == "UTC" else text.removeprefix("UTC")


def ago(micros: int, now: int) -> str:
    """`12 s ago`, `in 3 min`."""
    seconds = (now - micros) / SECOND
    words = span(abs(seconds))
    return f"{words} ago" if seconds >= 0 else f"in {words}"


def span(seconds: float) -> str:
    """A length of time in its largest fitting unit."""
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size * (2 if unit == "d" else 1):
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s" if seconds >= 10 or seconds == int(seconds) else f"{seconds:.1f} s"


def size(count: int) -> str:
    """`48.2 KB`, of 1,000."""
    value = float(count)
    for unit in ("B", "KB", "MB", "GB"):
        if value < 999.95:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"


def amount(count: int) -> str:
    """`4.1M`: a number for a badge."""
    value = float(count)
    for unit in ("", "k", "M"):
        if value < 999.95:
            return f"{value:.0f}" if not unit else f"{value:.1f}{unit}"
        value /= 1000
    return f"{value:.1f}G"


def rate(a_second: float) -> str:
    """`212/s`, `0.4/s`."""
    return f"{a_second:,.0f}/s" if a_second >= 9.95 or a_second == 0 else f"{a_second:.1f}/s"
