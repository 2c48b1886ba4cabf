"""What can go wrong, told apart by who can mend it. Anything else that is raised is a bug of ours."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True, eq=False)
class Fault(Exception):
    """A failure with words: what was wrong, where, and what to do. Shown to people as it is."""

    what: str
    where: str = ""
    hint: str = ""

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        return f"{place}{self.what}" + (f" {self.hint}" if self.hint else "")


class UserFault(Fault):
    """Something typed or chosen does not fit; beside the control, or exit code 2."""


class Outage(Fault):
    """Network, service, disk or keychain does not do its part; it may pass."""


class Unreadable(Fault):
    """Bytes from outside that are no record; they are kept raw."""


class Unwanted(Fault):
    """Nobody waits for this answer any more; the work was given up half-way. Never shown."""
