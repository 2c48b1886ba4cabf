"""The ledger of hours: what a stream has of each hour, and how many records live and archive gave. Pure.

Everything is read from the stream's progress in the store, which is committed with the records themselves:
pictures, commands and `verify` see the same, whether or not a service runs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from pod_desktop.core import limits
from pod_desktop.core.clock import HOUR, iso
from pod_desktop.core.record import Arrival
from pod_desktop.core.text import plural
from pod_desktop.services.backfill import Coverage
from pod_desktop.stream import first_in_reach, hour_begin, hour_of

LIVE: Final = "live"
"""One unbroken live session covered it."""
ARCHIVED: Final = "archived"
"""Fetched whole from the archive after it had ended."""
PARTIAL: Final = "partial"
"""Some of it is here; the rest is still to come from the archive, or cannot be had."""
GAP: Final = "gap"
"""Nothing of it is here yet."""
OUT_OF_REACH: Final = "out_of_reach"
"""Missing, and older than the archive reaches: nobody can give it any more."""
STATES: Final = (LIVE, ARCHIVED, PARTIAL, GAP, OUT_OF_REACH)
SHOWN: Final = 24 * limits.ARCHIVE_DAYS
"""Hours that are shown beside the one under way."""
COUNTS: Final = "counts"
"""Where a stream's progress keeps the counts."""


class Hour(NamedTuple):
    """One hour of a stream."""

    begin: int
    """Microseconds UTC."""
    state: str
    live: int
    """Records of this hour, by their own time, that the live stream gave first."""
    archive: int | None
    """Records that the archive gave when it was asked for the whole hour; None = not fetched."""
    added: int
    """Records of this hour that the archive gave and live had not."""


class Count(NamedTuple):
    """What is counted of an hour."""

    live: int = 0
    added: int = 0
    archive: int | None = None


class Counts(NamedTuple):
    """Counts by hour, and of records whose own time lies elsewhere."""

    hours: dict[int, Count]
    elsewhere: int = 0
    """Stored, but older than the ledger reaches, from the future, or before hours were counted."""

    def total(self) -> int:
        """Every record that the stream stored, quarantined ones too."""
        return self.elsewhere + sum(count.live + count.added for count in self.hours.values())


def read_counts(values: Mapping[str, object], before: int = 0) -> Counts:
    """The counts that a stream's progress holds; `before`: records stored before there were any."""
    match values.get(COUNTS):
        case {"first": int(first), "hours": str(packed), "elsewhere": int(elsewhere)}:
            found = ((first + place, _unpacked(one)) for place, one in enumerate(packed.split(";")))
            return Counts({hour: count for hour, count in found if count is not None}, elsewhere)
    return Counts({}, before)


def pack_counts(counts: Counts, now: int) -> dict[str, object]:
    """Counts as a small JSON value for the stream's progress; what is too old to be shown joins `elsewhere`."""
    oldest, newest = hour_of(now) - SHOWN - 24, hour_of(now) + 24
    kept = {hour: count for hour, count in counts.hours.items() if oldest <= hour <= newest}
    moved = sum(count.live + count.added for hour, count in counts.hours.items() if hour not in kept)
    first = min(kept, default=hour_of(now))
    last = max(kept, default=first)
    packed = ";".join(_packed(kept[hour]) if hour in kept else "" for hour in range(first, last + 1))
    return {"first": first, "hours": packed, "elsewhere": counts.elsewhere + moved}


def _packed(count: Count) -> str:
    if count.archive is None:
        return f"{count.live},{count.added}" if count.added else str(count.live)
    return f"{count.live},{count.added},{count.archive}"


def _unpacked(text: str) -> Count | None:
    parts = text.split(",")
    if not text or len(parts) > 3 or not all(part.isascii() and part.isdigit() for part in parts):
        return None
    numbers = [int(part) for part in parts]
    return Count(*numbers)


Tally = Callable[[Mapping[str, object], Sequence[Arrival]], Mapping[str, object]]


def tally(now: int, *, live: bool, before: int) -> Tally:
    """What a commit adds to the counts: each new record, in the hour of its own time (port.Commit.tally)."""

    def count(values: Mapping[str, object], new: Sequence[Arrival]) -> Mapping[str, object]:
        if not new and COUNTS in values:
            return {}
        found = read_counts(values, before)
        for hour, number in Counter(hour_of(arrival.columns.time) for arrival in new).items():
            old = found.hours.get(hour, Count())
            found.hours[hour] = (
                old._replace(live=old.live + number) if live else old._replace(added=old.added + number)
            )
        return {COUNTS: pack_counts(found, now)}

    return count


def fetched(hour: int, archive: int, now: int, *, before: int) -> Tally:
    """What a commit notes once the archive has given a whole hour of so many records."""

    def note(values: Mapping[str, object], new: Sequence[Arrival]) -> Mapping[str, object]:
        found = read_counts(values, before)
        found.hours[hour] = found.hours.get(hour, Count())._replace(archive=archive)
        return {COUNTS: pack_counts(found, now)}

    return note


# The picture


def hours_of(progress: Mapping[str, object], now: int) -> tuple[Hour, ...]:
    """Each hour of the last 30 days since the stream began, oldest first, with the one under way.

    Args:
        progress: the stream's progress (store.Reader.progress(...).values).
        now: microseconds UTC.
    """
    coverage = _coverage(progress)
    if coverage is None:
        return ()
    counts = read_counts(progress).hours
    gaps = _hours_in(coverage.gaps)
    began = min([coverage.first_hour, *gaps])
    found = []
    for hour in range(max(began, hour_of(now) - SHOWN), hour_of(now) + 1):
        if hour < coverage.first_hour and hour not in gaps:
            continue
        count = counts.get(hour, Count())
        state = _state(coverage, hour, now, lost=hour in gaps, any_record=bool(count.live + count.added))
        found.append(Hour(hour_begin(hour), state, count.live, count.archive, count.added))
    return tuple(found)


def _coverage(progress: Mapping[str, object]) -> Coverage | None:
    start, first = progress.get("start"), progress.get("first")
    if not isinstance(start, int) or not isinstance(first, int):
        return None
    return Coverage.load(progress, Coverage(start=start, first=first))


def _hours_in(stretches: Iterable[tuple[int, int]]) -> set[int]:
    return {
        hour
        for begin, end in stretches
        for hour in range(hour_of(max(begin, end - 2 * SHOWN * HOUR)), hour_of(max(begin, end - 1)) + 1)
    }


def _state(coverage: Coverage, hour: int, now: int, *, lost: bool, any_record: bool) -> str:
    if hour in coverage.archived:
        return PARTIAL if lost else ARCHIVED
    begin, end = hour_begin(hour), hour_begin(hour + 1)
    if end > now:
        whole = coverage.bridged(now) and coverage.live[-1][0] <= max(begin, coverage.begun)
        return LIVE if whole and not lost else PARTIAL
    if not lost and coverage.held(hour):
        return LIVE
    touched = any(since < end and until > begin for since, until in coverage.live)
    if hour < max(first_in_reach(now), coverage.first_hour):
        return OUT_OF_REACH
    return PARTIAL if touched or any_record else GAP


def states_of(found: Iterable[Hour]) -> tuple[tuple[str, int], ...]:
    """How many hours are in each state; states without one are left out."""
    counted = Counter(hour.state for hour in found)
    return tuple((state, counted[state]) for state in STATES if counted[state])


def runs_of(hours: Sequence[Hour], kind: str) -> list[dict[str, Any]]:
    """Hours as runs of one state, with sums: what `status --json` tells."""
    found: list[dict[str, Any]] = []
    for hour in hours:
        begin, end = iso(hour.begin), iso(hour.begin + HOUR)
        last = found[-1] if found else None
        if last is None or last["state"] != hour.state or last["to"] != begin:
            last = {"type": kind, "state": hour.state, "from": begin, "to": end, "hours": 0}
            found.append(last | {"live": 0, "archive": None, "added": 0})
            last = found[-1]
        last["to"] = end
        last["hours"] += 1
        last["live"] += hour.live
        last["added"] += hour.added
        if hour.archive is not None:
            last["archive"] = (last["archive"] or 0) + hour.archive
    return found


def words(hour: Hour) -> str:
    """One sentence on an hour's state."""
    return {
        LIVE: "Received live without a break.",
        ARCHIVED: "Fetched whole from the archive after it had ended.",
        PARTIAL: "Partly here; the rest comes from the archive if it still has it.",
        GAP: "Not here yet; it is to be fetched from the archive.",
        OUT_OF_REACH: "Missing, and older than the archive reaches.",
    }[hour.state]


def difference(hour: Hour) -> str:
    """What the comparison of archive and live gave; '' where there was none."""
    if hour.archive is None:
        return ""
    here = hour.live + hour.added
    if hour.added and hour.live:
        return f"The archive added {hour.added:,} that live had not given."
    if here > hour.archive:
        return f"{here - hour.archive:,} more are here than the archive gave."
    return "Live and archive agree." if hour.live else ""


def check_sums(stream: str, progress: Mapping[str, object], stored: int, filtered: int) -> list[str]:
    """What does not add up in a stream's progress, in words; nothing where all does.

    Args:
        stored: the stream's records stored and quarantined.
        filtered: the stream's records dropped by log filters.
    """
    problems = []
    if COUNTS in progress and (total := read_counts(progress).total()) != stored:
        problems.append(
            f"Stream {stream}: its hours hold {plural(total, 'record')}, but {stored:,} were counted as stored."
        )
    named = progress.get("filters")
    if (
        isinstance(named, dict)
        and (total := sum(n for n in named.values() if isinstance(n, int))) != filtered
    ):
        problems.append(
            f"Stream {stream}: its log filters dropped {plural(total, 'record')}, but {filtered:,} were counted."
        )
    if (began := progress.get("first")) is not None and not isinstance(began, int):
        problems.append(f"Stream {stream}: its ledger of hours cannot be read.")
    return problems
