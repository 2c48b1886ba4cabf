"""Who is connected: one session per key and type, sessions that linger, and where each left off."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from pod_desktop.core.clock import SECOND

# Whose live buffer it is; nobody has published it.
PER_KEY_AND_TYPE: Final = "key_and_type"
PER_KEY: Final = "key"
PER_CLUSTER: Final = "cluster"
SCOPES: Final = (PER_KEY_AND_TYPE, PER_KEY, PER_CLUSTER)


@dataclass(slots=True, eq=False)
class Session:
    """One accepted connection."""

    key: int
    """Place of its API key in the simulator's list."""
    kind: str
    archive: tuple[int, int | None] | None
    """Begin and end in microseconds UTC of an archive request; no end: to now."""
    slot: tuple[int, str, str]
    position: int = 0
    """Live: moment of the last entry sent."""
    sent: int = 0
    silent: bool = False
    order: tuple[int, str | int] | None = None
    """Ordered end: frames left, manner."""
    abnormal: bool = False
    served: bool = False
    """Has its handler begun? Until then only the connection knows when it ends."""
    kick: Callable[[], None] = field(default=lambda: None)
    """Wakes the session's sender."""


class Sessions:
    """The table of sessions and positions."""

    def __init__(
        self, scope: str, archive_counts: bool, overlap: float, buffer: float, first_live: str
    ) -> None:
        if scope not in SCOPES:
            raise ValueError(f"{scope!r} is no buffer scope; use one of {', '.join(SCOPES)}")
        self._scope = scope
        self._archive_counts = archive_counts
        self._overlap = int(overlap * SECOND)
        self._buffer = int(buffer * SECOND)
        self._first_live = first_live
        self._held: dict[tuple[int, str, str], Session] = {}
        self._lingering: dict[tuple[int, str, str], float] = {}
        self._positions: dict[tuple[object, ...], int] = {}

    def slot(self, key: int, kind: str, archive: bool) -> tuple[int, str, str]:
        """What one session occupies."""
        return key, kind, "archive" if archive and not self._archive_counts else "session"

    def taken(self, slot: tuple[int, str, str], monotonic: float) -> bool:
        """True when a session holds the slot, or one that dropped still lingers on it."""
        if slot in self._held:
            return True
        if self._lingering.get(slot, 0.0) > monotonic:
            return True
        self._lingering.pop(slot, None)
        return False

    def begin(self, session: Session) -> None:
        self._held[session.slot] = session

    def end(self, session: Session, monotonic: float, linger: float) -> None:
        """Free the slot; at once, or after `linger` seconds."""
        if self._held.get(session.slot) is not session:
            return
        del self._held[session.slot]
        if linger > 0:
            self._lingering[session.slot] = monotonic + linger

    def release_lingering(self) -> None:
        self._lingering.clear()

    @property
    def open(self) -> list[Session]:
        return list(self._held.values())

    def resume_at(self, session: Session, now: int, last: int) -> int:
        """Moment after which a new live session gets what is buffered; `last` is that of the newest entry."""
        oldest = now - self._buffer
        known = self._positions.get(self._scope_key(session))
        if known is None:
            return oldest if self._first_live == "hour" else last
        return max(known - self._overlap, oldest)

    def delivered(self, session: Session, at: int) -> None:
        """The live session has sent everything up to this moment."""
        session.position = at
        scope = self._scope_key(session)
        self._positions[scope] = max(self._positions.get(scope, 0), at)

    def _scope_key(self, session: Session) -> tuple[object, ...]:
        if self._scope == PER_KEY_AND_TYPE:
            return session.key, session.kind
        return (session.key,) if self._scope == PER_KEY else ()
