"""What a collector says of itself; committed by the service, read by windows and commands."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Final, Self

STARTING: Final = "starting"
CONNECTING: Final = "connecting"
CATCHING_UP: Final = "catching_up"
LIVE: Final = "live"
WAITING: Final = "waiting"
"""Will try again by itself at `next_try`."""
STOPPED_FAULT: Final = "needs_attention"
"""A person must mend something (key, licence, cluster id); still tried now and then."""
DISABLED: Final = "disabled"
STOPPED: Final = "stopped"
"""The service is not running."""
NOT_TESTED: Final = "not_tested"
"""Of a responder nothing is known yet: no test, no action, and no service that looked after it."""
RESPOND: Final = "respond"
"""The `kind` of a responder's status; its state is LIVE while token and list can be had."""
STATES: Final = (STARTING, CONNECTING, CATCHING_UP, LIVE, WAITING, STOPPED_FAULT, DISABLED, STOPPED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counters:
    """received = stored + duplicates + filtered + quarantined, always."""

    received: int = 0
    stored: int = 0
    duplicates: int = 0
    filtered: int = 0
    quarantined: int = 0
    """Frames that are no record: kept raw, shown as unreadable."""
    empty: int = 0
    """Empty frames: keep-alives, no records, not part of the sum."""
    bytes_raw: int = 0
    """Bytes of the records stored and quarantined, as received."""

    def __add__(self, other: Counters) -> Counters:
        return Counters(**{name: getattr(self, name) + getattr(other, name) for name in COUNTER_NAMES})


COUNTER_NAMES: Final = tuple(Counters.__dataclass_fields__)


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamStatus:
    """State of one stream: a connector and one of its content types."""

    connector: str
    kind: str
    state: str
    since: int
    """Microseconds UTC when this state began."""
    what: str = ""
    """One sentence: what is happening or what is wrong."""
    hint: str = ""
    """What to check or do."""
    code: str = ""
    """`401`, `1006`, `tls`, `dns`, …: what failed, for tables and scripts."""
    next_try: int = 0
    """Microseconds UTC of the next attempt; 0 = none planned."""
    attempts: int = 0
    rate: float = 0.0
    """Records a second over the last seconds."""
    lag_s: float | None = None
    """Seconds between the newest record's time and its commit; None before any."""
    last_record: int = 0
    """Microseconds UTC of the newest record's time."""
    last_activity: int = 0
    """Microseconds UTC when something last arrived."""
    progress: float | None = None
    """0-1 while catching up."""
    hours_left: int = 0
    """Hours still to be fetched from the archive."""
    time_left_s: float | None = None
    """Seconds that the rest of the archive will take at the pace so far; None where nobody can say."""
    notice: str = ""
    """What is to be known beside the state: little room on the disk, the archive's own trouble."""
    checked: int = 0
    """Microseconds UTC when this state was last seen to be so; renewed every few minutes."""
    hours: tuple[tuple[str, int], ...] = ()
    """Hours of the last 30 days by their state (services.hours)."""
    filters: tuple[tuple[str, int], ...] = ()
    """Log filters and how many records each has dropped."""
    counters: Counters = field(default_factory=Counters)
    gaps: tuple[tuple[int, int], ...] = ()
    """Stretches (begin, end in microseconds UTC) that are known to be missing."""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        known = {name: data[name] for name in cls.__dataclass_fields__ if name in data}
        known["counters"] = Counters(**known.get("counters", {}))
        known["gaps"] = tuple((begin, end) for begin, end in known.get("gaps", ()))
        for pairs in ("filters", "hours"):
            known[pairs] = tuple((name, count) for name, count in known.get(pairs, ()))
        return cls(**known)
