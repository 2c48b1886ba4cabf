"""Room on the disk: warn while there is little, stop reading cleanly before there is none, go on by itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from pod_desktop.core import limits
from pod_desktop.stream import Verdict, verdict

ROOMY: Final = "roomy"
NEARLY_FULL: Final = "nearly_full"
FULL: Final = "full"


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskRule:
    """Free bytes at which something is done."""

    warn: int = limits.DISK_WARN_BYTES
    stop: int = limits.DISK_STOP_BYTES
    resume: int = limits.DISK_RESUME_BYTES


def next_state(state: str, free: int, rule: DiskRule) -> str:
    """The state after this many free bytes were seen; once full, only real room ends it."""
    if free < rule.stop or (state == FULL and free < rule.resume):
        return FULL
    return NEARLY_FULL if free < rule.warn else ROOMY


@dataclass(slots=True)
class DiskGate:
    """What all streams of a service look at before they read on."""

    rule: DiskRule = field(default_factory=DiskRule)
    state: str = ROOMY
    free: int = 0
    """Bytes, as last looked."""

    @property
    def closed(self) -> bool:
        return self.state == FULL

    def look(self, free: int) -> None:
        """Take note of how much is free."""
        self.state, self.free = next_state(self.state, free, self.rule), free

    def notice(self) -> str:
        """What is to be said beside any state; '' while there is room."""
        if self.state != NEARLY_FULL:
            return ""
        return (
            f"The disk is nearly full: {_size(self.free)} are free. Collecting stops below "
            f"{_size(self.rule.stop)} and goes on by itself once there is room."
        )

    def verdict(self) -> Verdict:
        """Why nothing is read while the gate is closed."""
        return verdict.told(
            "disk",
            f"The disk is nearly full ({_size(self.free)} free): collecting has stopped before it is.",
            f"Free some space. It goes on by itself once {_size(self.rule.resume)} are free, and fetches "
            "from the archive what it missed.",
        )


def _size(number: int) -> str:
    if number < 1_000_000_000:
        return f"{number / 1_000_000:.0f} MB"
    return f"{number / 1_000_000_000:.1f} GB"
